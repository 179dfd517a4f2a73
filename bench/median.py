"""median.py -- median filters of uint8: 5 x 5 of an 8192 x 8192 image, 3 x 3 x 3 of 256 x 256 x 256 voxels.

Peers: scipy; OpenCV on one core (its border is replicate: the inside is compared); libvips on two, from TIFF
to TIFF as its command does it. libvips 8.14 is raced on uint16: its 5 x 5 median of uint8 is wrong in four
pixels of five (3 x 3, and uint16 of any size, are right).
"""
import os
import subprocess

import cv2
import numpy as np
import tifffile
from scipy import ndimage as ndi

from harness import Command, Peer, Warm, answer, contest, must_agree, work_file

rng = np.random.default_rng(1)
coarse = ndi.zoom(rng.random((129, 129)), 64, order=1)[:8192, :8192]
image = np.clip(coarse * 200 + rng.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)
npy, tif = work_file("image.npy"), work_file("image.tif")
np.save(npy, image)
image16 = image.astype(np.uint16) * 257
tifffile.imwrite(tif, image16, rowsperstrip=128)
expression = f'median_filter(read("{npy}"), size=5)'
vips_out = work_file("median_vips.tif")


def scipy_median():
	return ndi.median_filter(image, size=5)


def opencv_median():
	return cv2.medianBlur(image, 5)


def vips_median():
	subprocess.run(["vips", "rank", tif, vips_out, "5", "5", "12"], check=True,
		env=dict(os.environ, VIPS_CONCURRENCY="2"))


cv2.setNumThreads(1)
got = answer(expression)
scipy_peer = Peer("scipy", scipy_median)
must_agree("median: scipy", np.array_equal(got, scipy_peer.answer()))
must_agree("median: OpenCV inside", np.array_equal(got[2:-2, 2:-2], opencv_median()[2:-2, 2:-2]))
vips_median()
must_agree("median: libvips inside",
	np.array_equal(257 * got[2:-2, 2:-2].astype(np.uint16), tifffile.imread(vips_out)[2:-2, 2:-2]))

name = "median 5x5, 8192x8192 uint8"
contest(name, Command("run", "-e", f'print("sum", sum({expression}))'), scipy_peer, bar=20)
contest(name, Warm(expression, threads=1), Peer("OpenCV, 1 thread", opencv_median), bar=1)
contest(name.replace("uint8", "uint16"), Command("run", "-q", "--on-exists", "replace", "-e",
	f'write(median_filter(read("{tif}"), size=5), "{work_file("median_cairn.tif")}")'),
	Peer("libvips, 2 threads, TIFF to TIFF", vips_median), bar=3)

volume = np.clip(ndi.zoom(rng.random((33, 33, 33)), 8, order=1)[:256, :256, :256] * 200 +
	rng.normal(0, 12, (256, 256, 256)), 0, 255).astype(np.uint8)
npy3 = work_file("volume_u8.npy")
np.save(npy3, volume)
expression = f'median_filter(read("{npy3}"), size=3)'


def scipy_median3():
	return ndi.median_filter(volume, size=3)


peer = Peer("scipy", scipy_median3)
must_agree("median 3x3x3: scipy", np.array_equal(answer(expression), peer.answer()))
contest("median 3x3x3, 256^3 uint8", Warm(expression, threads=1), peer, bar=100)

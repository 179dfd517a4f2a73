"""median_2d.py -- median 5 x 5 of an 8192 x 8192 uint8 image.

Peers: scipy (the bar), and for information OpenCV (its border is replicate: the inside is compared).
"""
import cv2
import numpy as np
from scipy import ndimage as ndi

from harness import Contest, cairn, must_agree, row_out, work_file

rng = np.random.default_rng(1)
coarse = ndi.zoom(rng.random((129, 129)), 64, order=1)[:8192, :8192]
image = np.clip(coarse * 200 + rng.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)
npy, out = work_file("image.npy"), work_file("median.npy")
np.save(npy, image)


def scipy_median():
	return ndi.median_filter(image, size=5)


def opencv_median():
	return cv2.medianBlur(image, 5)


cv2.setNumThreads(2)
cairn("run", "--on-exists", "replace", "-e", f'write(median_filter(read("{npy}"), size=5), "{out}")')
got = np.load(out)
must_agree("median: scipy", np.array_equal(got, scipy_median()))
must_agree("median: OpenCV inside", np.array_equal(got[2:-2, 2:-2], opencv_median()[2:-2, 2:-2]))

command = ["run", "-e", f'print("sum", sum(median_filter(read("{npy}"), size=5)))']
row_out(Contest("median 5x5, 8192x8192 uint8", "scipy", command, scipy_median, bar=20).run())
row_out(Contest("median 5x5, 8192x8192 uint8", "OpenCV (for information)", command,
	opencv_median).run())

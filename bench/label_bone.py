"""label_bone.py -- connected components of the holes of a bone volume (500 x 480 x 320).

Peer: scipy.ndimage.label of an array in memory. cairn reads the same array from an NPY file; the second
row starts from the deflate TIFF on both sides (tifffile for the peer).
"""
import os

import numpy as np
import tifffile
from scipy import ndimage as ndi

from harness import DATA, Contest, cairn, must_agree, row_out, work_file

tiff = os.path.join(DATA, "bone_7H6A_B2.tif")
npy = work_file("bone.npy")
bone = tifffile.imread(tiff)
np.save(npy, bone)


def scipy_label():
	return ndi.label(bone == 0)


def tiff_label():
	return ndi.label(tifffile.imread(tiff) == 0)


out = work_file("bone_labels.npy")
expected, n = scipy_label()
for source in (npy, tiff):
	cairn("run", "--on-exists", "replace", "-e", f'write(label(read("{source}") == 0), "{out}")')
	must_agree("bone: labels of " + source, np.array_equal(np.load(out), expected))

for name, source, ask, bar in (("label, bone 500x480x320", npy, scipy_label, 2),
		("same, from the TIFF file", tiff, tiff_label, None)):
	row_out(Contest(name, "scipy", ["run", "-e", f'print("n", max(label(read("{source}") == 0)))'],
		ask, bar=bar).run())

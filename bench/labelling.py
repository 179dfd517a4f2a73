"""labelling.py -- label with faces (6) and all neighbours (26): smooth masks, random masks, a bone.

Peer: scipy.ndimage.label of an array in memory, one core each.
"""
import os

import numpy as np
import tifffile
from scipy import ndimage as ndi

from harness import DATA, Command, Peer, Warm, answer, contest, must_agree, work_file

rng = np.random.default_rng(5)
noise = rng.random((256, 256, 256), dtype=np.float32)
smooth = ndi.gaussian_filter(noise, 4)
masks = {"smooth": smooth > np.median(smooth)}
for share in (10, 30, 50, 70):
	masks[f"random {share} %"] = noise < share / 100
for name, mask in masks.items():
	npy = work_file("label_mask.npy")
	np.save(npy, mask)
	for neighbours, connectivity in ((6, 1), (26, 3)):
		expression = f'label(read("{npy}"), connectivity={connectivity})'
		structure = ndi.generate_binary_structure(3, connectivity)

		def scipy_label():
			return ndi.label(mask, structure)

		must_agree(f"label {name} {neighbours}", np.array_equal(answer(expression), scipy_label()[0]))
		contest(f"label, {neighbours} neighbours, {name}, 256^3", Warm(expression, threads=1),
			Peer("scipy", scipy_label), bar=4 if name == "smooth" else 1)

tiff = os.path.join(DATA, "bone_7H6A_B2.tif")
bone_npy = work_file("bone.npy")
bone = tifffile.imread(tiff)
np.save(bone_npy, bone)


def bone_label():
	return ndi.label(bone == 0)


def tiff_label():
	return ndi.label(tifffile.imread(tiff) == 0)


for name, source, ask, bar in (("label, bone 500x480x320", bone_npy, bone_label, 2),
		("same, from the TIFF file", tiff, tiff_label, None)):
	must_agree(name, np.array_equal(answer(f'label(read("{source}") == 0)'), ask()[0]))
	contest(name, Command("run", "-e", f'print("n", max(label(read("{source}") == 0)))'),
		Peer("scipy", ask), bar=bar)

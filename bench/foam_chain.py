"""foam_chain.py -- the lecture's chain on a foam of 100 x 400 x 400 voxels, to the number and sizes of the bubbles.

gaussian (3, 6, 6) of 1 - foam, > 0.9, erosion by ball(12), label, sizes. Peers: scipy on whole
arrays, and dask with map_overlap for the two filters (two threads), label and sizes by scipy.
"""
import subprocess

import dask.array as da
import numpy as np
from scipy import ndimage as ndi
from skimage.morphology import ball

from harness import BUILD, Contest, cairn, must_agree, row_out, work_file

foam_file = work_file("foam.npy")
truth = int(subprocess.check_output([BUILD + "/examples/make-foam", foam_file], text=True))
foam = np.load(foam_file)

CHAIN = f"""
bubbles = label(binary_erosion(
    gaussian_filter(1 - read("{foam_file}") / 255, sigma=(3, 6, 6)) > 0.9, ball(12)))
"""
ELEMENT = ball(12)


def sizes_of(labels):
	return np.bincount(labels.ravel())[1:]


def scipy_chain():
	smooth = ndi.gaussian_filter(1 - foam / np.float32(255), sigma=(3, 6, 6))
	labels, _ = ndi.label(ndi.binary_erosion(smooth > 0.9, ELEMENT))
	return labels, sizes_of(labels)


def dask_chain():
	x = 1 - da.from_array(foam, chunks=(20, 400, 400)) / np.float32(255)
	smooth = x.map_overlap(ndi.gaussian_filter, depth=(12, 24, 24), boundary="reflect",
		dtype=np.float32, sigma=(3, 6, 6))
	# The border of a binary erosion is 0, so the overlap at the volume's faces is filled with 0.
	cores = (smooth > 0.9).map_overlap(ndi.binary_erosion, depth=12, boundary=0,
		dtype=bool, structure=ELEMENT)
	labels, _ = ndi.label(cores.compute(scheduler="threads", num_workers=2))
	return labels, sizes_of(labels)


def cairn_answer():
	out, table = work_file("foam_labels.npy"), work_file("foam.csv")
	cairn("run", "--on-exists", "replace", "-e", CHAIN +
		f'write(bubbles, "{out}")\nwrite(regionprops(bubbles, properties=("label", "area")), "{table}")')
	return np.load(out), np.loadtxt(table, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)[:, 1]


expected, expected_sizes = scipy_chain()
got, got_sizes = cairn_answer()
must_agree("foam: number of bubbles is the truth", expected.max() == truth == got.max())
must_agree("foam: labels", np.array_equal(got, expected))
must_agree("foam: sizes", np.array_equal(got_sizes, expected_sizes))
must_agree("foam: dask's labels", np.array_equal(dask_chain()[0], expected))

SIZES = CHAIN + f'write(regionprops(bubbles, properties=("label", "area")), "{work_file("sizes.csv")}")'
for peer, ask in (("scipy, whole array", scipy_chain), ("dask map_overlap, 2 threads", dask_chain)):
	row_out(Contest("foam chain 100x400x400", peer,
		["run", "--on-exists", "replace", "-q", "-e", SIZES], ask, bar=10).run())

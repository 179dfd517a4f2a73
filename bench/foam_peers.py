"""foam_peers.py -- the foam chain as scipy, dask, and OpenCV with vigra do it; used by foam_chain.py and foam_512.py."""
import subprocess

import cv2
import dask.array as da
import numpy as np
import vigra
from scipy import ndimage as ndi
from skimage.morphology import ball

from harness import BUILD, Command, Peer, Warm, answer, contest, figure, must_agree, work_file

ELEMENT = ball(12)


def make_foam(shape):
	"""The foam as a file and an array; of another shape: repeated and cropped."""
	file = work_file("foam.npy")
	truth = int(subprocess.check_output([BUILD + "/examples/make-foam", file], text=True))
	foam = np.load(file)
	if shape is None:
		return file, foam, truth
	times = [-(-n // m) for n, m in zip(shape, foam.shape)]
	foam = np.ascontiguousarray(np.tile(foam, times)[tuple(slice(0, n) for n in shape)])
	file = work_file("foam_large.npy")
	np.save(file, foam)
	return file, foam, None


def sizes_of(labels):
	return np.bincount(labels.ravel())[1:]


def scipy_chain(foam):
	smooth = ndi.gaussian_filter(1 - foam / np.float32(255), sigma=(3, 6, 6))
	labels, _ = ndi.label(ndi.binary_erosion(smooth > 0.9, ELEMENT))
	return labels, sizes_of(labels)


def dask_chain(foam):
	chunks = (foam.shape[0] // 5, *foam.shape[1:]) if foam.shape[0] == 100 else (128, 256, 256)
	x = 1 - da.from_array(foam, chunks=chunks) / np.float32(255)
	smooth = x.map_overlap(ndi.gaussian_filter, depth=(12, 24, 24), boundary="reflect",
		dtype=np.float32, sigma=(3, 6, 6))
	# The border of a binary erosion is 0, so the overlap at the volume's faces is filled with 0.
	cores = (smooth > 0.9).map_overlap(ndi.binary_erosion, depth=12, boundary=0,
		dtype=bool, structure=ELEMENT)
	labels, _ = ndi.label(cores.compute(scheduler="threads", num_workers=2))
	return labels, sizes_of(labels)


def weights(sigma):
	x = np.arange(-int(4 * sigma + 0.5), int(4 * sigma + 0.5) + 1)
	w = np.exp(-0.5 * x**2 / sigma**2)
	return (w / w.sum()).astype(np.float32)


def hand_chain(foam):
	"""OpenCV's separable filters, erosion as a threshold of vigra's distances, vigra's labels."""
	nz, ny, nx = foam.shape
	one = np.ones(1, np.float32)
	x = 1 - foam * np.float32(1 / 255)
	x = cv2.sepFilter2D(x.reshape(nz, ny * nx), -1, one, weights(3), borderType=cv2.BORDER_REFLECT)
	x = x.reshape(nz, ny, nx)
	solid = np.zeros((nz + 2, ny + 2, nx + 2), np.uint32)  # outside counts as empty
	for z in range(nz):
		plane = cv2.sepFilter2D(x[z], -1, weights(6), weights(6), borderType=cv2.BORDER_REFLECT)
		solid[z + 1, 1:-1, 1:-1] = plane > 0.9
	far = vigra.filters.distanceTransform(solid, background=False)[1:-1, 1:-1, 1:-1] > 12.01
	labels = vigra.analysis.labelVolumeWithBackground(np.asarray(far).astype(np.uint8), neighborhood=6)
	return np.asarray(labels), sizes_of(np.asarray(labels))


def check_and_race(workload, shape, bars, core_seconds=None):
	file, foam, truth = make_foam(shape)
	chain = f'''label(binary_erosion(
    gaussian_filter(1 - read("{file}") / 255, sigma=(3, 6, 6)) > 0.9, ball(12)))'''
	sizes = work_file("sizes.csv")
	text = f'write(regionprops({chain}, properties=("label", "area")), "{sizes}")'
	scipy = Peer("scipy, whole array", lambda: scipy_chain(foam))
	dask = Peer("dask map_overlap, 2 threads", lambda: dask_chain(foam))
	hand = Peer("OpenCV + vigra by hand", lambda: hand_chain(foam))
	expected, expected_sizes = scipy.answer()
	must_agree("foam: labels", np.array_equal(answer(chain), expected))
	command = ("run", "--on-exists", "replace", "-q", "-e", text)
	Command(*command).seconds()
	got = np.loadtxt(sizes, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)[:, 1]
	must_agree("foam: sizes", np.array_equal(got, expected_sizes))
	must_agree("foam: number of bubbles is the truth", truth is None or truth == len(got))
	by_hand = hand.answer()[1]
	# Another summation order moves a voxel or two across 0.9, never a bubble.
	must_agree("foam: OpenCV and vigra", len(by_hand) == len(got) and
		np.allclose(np.sort(by_hand), np.sort(got), rtol=0.02, atol=20))
	must_agree("foam: dask", np.array_equal(dask.answer()[0], expected))

	contest(workload, Command(*command), scipy, bar=bars["scipy"])
	contest(workload, Command(*command), dask, bar=bars["dask"])
	contest(workload, Command(*command), hand, bar=bars["hand"])
	warm = Warm(chain)
	contest(workload, warm, hand)
	if core_seconds is not None:
		figure(workload + ", warm", "CPU time", min(warm.cpu), "core-s", bar=core_seconds)

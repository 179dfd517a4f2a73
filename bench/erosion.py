"""erosion.py -- binary_erosion by ball(12) of 96 x 160 x 160 voxels (scipy takes minutes for more); peer: scipy, one core each."""
import numpy as np
from scipy import ndimage as ndi
from skimage.morphology import ball

from harness import Peer, Warm, answer, contest, must_agree, work_file

rng = np.random.default_rng(4)
mask = ndi.uniform_filter(rng.random((96, 160, 160), dtype=np.float32), 9) > 0.47
npy = work_file("mask.npy")
np.save(npy, mask)
expression = f'binary_erosion(read("{npy}"), ball(12))'
element = ball(12)


def scipy_erosion():
	return ndi.binary_erosion(mask, element)


peer = Peer("scipy", scipy_erosion)
expected = peer.answer()
must_agree("erosion: something is left, something is gone", 0 < expected.sum() < mask.sum())
must_agree("erosion: scipy", np.array_equal(answer(expression), expected))
contest("erosion by ball(12), 96x160x160", Warm(expression, threads=1), peer, bar=300)

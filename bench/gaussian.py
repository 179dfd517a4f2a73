"""gaussian.py -- gaussian_filter (3, 6, 6) of a 512 x 512 x 512 float32 volume, one core and two.

Peer: scipy, which runs on one core. Answers agree within 1e-5 of the value range: scipy sums float32 in
double, cairn's default says its own bound in the manual.
"""
import numpy as np
from scipy import ndimage as ndi

from harness import Peer, Warm, answer, contest, must_agree, work_file

rng = np.random.default_rng(3)
x = rng.random((512, 512, 512), dtype=np.float32)
npy = work_file("noise.npy")
np.save(npy, x)
expression = f'gaussian_filter(read("{npy}"), (3, 6, 6))'


def scipy_gaussian():
	return ndi.gaussian_filter(x, (3, 6, 6))


peer = Peer("scipy", scipy_gaussian)
must_agree("gaussian: scipy", np.allclose(answer(expression), peer.answer(), rtol=0, atol=1e-5))
for threads, bar in ((1, 5), (2, 9)):
	contest("gaussian (3,6,6), 512^3 float32", Warm(expression, threads=threads), peer, bar=bar)

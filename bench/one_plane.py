"""one_plane.py -- one plane of gaussian_filter(x, (1, 9, 9))[50], 100 x 400 x 400 float32, filtered lazily.

Peers: dask's filter-then-slice over chunks of 10 planes, where only the chunks around the plane are
computed; and our own slice-then-filter: of just the 9 planes the answer needs. Answers agree
within 1e-5 of the value range (scipy sums float32 in double, in its own order).
"""
import dask.array as da
import numpy as np
from scipy import ndimage as ndi

from harness import Command, Ours, Peer, Warm, answer, contest, must_agree, work_file

rng = np.random.default_rng(2)
x = rng.random((100, 400, 400), dtype=np.float32)
npy = work_file("volume.npy")
np.save(npy, x)
lazy = da.from_array(x, chunks=(10, 400, 400))


def dask_plane():
	smooth = lazy.map_overlap(ndi.gaussian_filter, depth=(4, 36, 36), boundary="reflect",
		dtype=np.float32, sigma=(1, 9, 9))
	return smooth[50].compute(scheduler="threads", num_workers=2)


filtered = f'gaussian_filter(read("{npy}"), (1, 9, 9))[50]'
sliced = f'gaussian_filter(read("{npy}")[46:55], (1, 9, 9))[4]'
expected = ndi.gaussian_filter(x, (1, 9, 9))[50]
must_agree("plane: scipy", np.allclose(answer(filtered), expected, rtol=0, atol=1e-5))
must_agree("plane: dask", np.allclose(dask_plane(), expected, rtol=0, atol=1e-5))
must_agree("plane: slice first", np.array_equal(answer(sliced, "sliced.npy"), answer(filtered)))

name = "one plane of gaussian (1,9,9)"
contest(name, Command("run", "-e", f'print("sum", sum({filtered}))'),
	Peer("dask, filter then slice", dask_plane), bar=10)
contest(name + ", filter then slice", Warm(filtered, threads=1),
	Ours("cairn, slice then filter", Warm(sliced, threads=1)), bar=1.05, at_most=True)

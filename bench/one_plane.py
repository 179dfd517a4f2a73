"""one_plane.py -- one plane of gaussian_filter(x, (1, 9, 9))[50], 100 x 400 x 400 float32, filtered lazily.

Peer: dask's filter-then-slice over chunks of 10 planes, where only the chunks around the plane are
computed. Answers agree within 1e-5 of the value range (scipy sums float32 in double, in its own order).
"""
import dask.array as da
import numpy as np
from scipy import ndimage as ndi

from harness import Contest, cairn, must_agree, row_out, work_file

rng = np.random.default_rng(2)
x = rng.random((100, 400, 400), dtype=np.float32)
npy, out = work_file("volume.npy"), work_file("plane.npy")
np.save(npy, x)
lazy = da.from_array(x, chunks=(10, 400, 400))


def dask_plane():
	smooth = lazy.map_overlap(ndi.gaussian_filter, depth=(4, 36, 36), boundary="reflect",
		dtype=np.float32, sigma=(1, 9, 9))
	return smooth[50].compute(scheduler="threads", num_workers=2)


expected = ndi.gaussian_filter(x, (1, 9, 9))[50]
cairn("run", "--on-exists", "replace", "-e",
	f'write(gaussian_filter(read("{npy}"), (1, 9, 9))[50], "{out}")')
must_agree("plane: scipy", np.allclose(np.load(out), expected, rtol=0, atol=1e-5))
must_agree("plane: dask", np.allclose(dask_plane(), expected, rtol=0, atol=1e-5))

row_out(Contest("one plane of gaussian (1,9,9)", "dask, filter then slice",
	["run", "-e", f'print("sum", sum(gaussian_filter(read("{npy}"), (1, 9, 9))[50]))'],
	dask_plane, bar=5).run())

"""planning.py -- explaining a filter over 10^6 chunks.

The bar is a time (0.1 s for the whole command), not a ratio. dask's graph of the same filter over 10^4
chunks, a hundredth of the work, stands beside it for information.
"""
import json

import dask.array as da
import numpy as np
from scipy import ndimage as ndi

from harness import Contest, cairn, must_agree, row_out

TEXT = ('write(gaussian_filter(zeros((10000, 10000, 10000), dtype="uint8"), 2), "never.zarr", '
	'chunks=(100, 100, 100))')


def dask_graph():
	x = da.zeros((2200, 2200, 2200), chunks=100, dtype=np.uint8)
	smooth = x.map_overlap(ndi.gaussian_filter, depth=8, boundary="reflect", dtype=np.uint8,
		sigma=2)
	return len(smooth.__dask_optimize__(smooth.__dask_graph__(), smooth.__dask_keys__()))


plan = json.loads(cairn("explain", "--json", "-e", TEXT))
must_agree("planning: 10^6 chunks", plan["stages"][-1]["objects"] == 10**6)
row = Contest("explain 10^6 chunks", "dask graph of 10^4 chunks", ["explain", "-e", TEXT], dask_graph,
	profile=False).run()
row["bar_seconds"] = 0.1
row_out(row)

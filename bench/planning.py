"""planning.py -- explaining a filter over 10^6 and 10^8 chunks.

The bars are a time (0.1 s for the whole command) and a size (50 MB), not ratios. dask's graph of the same
filter over 10^4 chunks, a hundredth of the smaller one, stands beside them for information.
"""
import json
import statistics
import subprocess
import sys

import dask.array as da
import numpy as np
from scipy import ndimage as ndi

from harness import CAIRN, Command, Peer, cairn, contest, figure, must_agree


def text(extent):
	return (f'write(gaussian_filter(zeros(({extent}, {extent}, 10000), dtype="uint8"), 2), "never.zarr", '
		'chunks=(100, 100, 100))')


def dask_graph():
	x = da.zeros((2200, 2200, 2200), chunks=100, dtype=np.uint8)
	smooth = x.map_overlap(ndi.gaussian_filter, depth=8, boundary="reflect", dtype=np.uint8,
		sigma=2)
	return len(smooth.__dask_optimize__(smooth.__dask_graph__(), smooth.__dask_keys__()))


# A child starts with its parent's peak memory on its account, so a small parent runs the command.
SPAWN = """import os, sys, time
started = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
	file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss * 1024)
sys.exit(status != 0)"""


def explain(extent):
	"""Seconds and peak resident bytes of the command."""
	done = subprocess.run([sys.executable, "-I", "-S", "-c", SPAWN, CAIRN, "explain", "-e", text(extent)],
		capture_output=True, text=True, check=True)
	return [float(n) for n in done.stdout.split()]


for name, extent, chunks in (("10^6", 10000, 10**6), ("10^8", 100000, 10**8)):
	plan = json.loads(cairn("explain", "--json", "-e", text(extent)))
	must_agree(f"planning: {name} chunks", plan["stages"][-1]["objects"] == chunks)
	runs = [explain(extent) for _ in range(9)]
	figure(f"explain {name} chunks", "whole command", statistics.median(r[0] for r in runs), "s", bar=0.1)
	figure(f"explain {name} chunks", "peak memory", max(r[1] for r in runs) / 1e6, "MB", bar=50)
contest("explain 10^6 chunks", Command("explain", "-e", text(10000), profile=False),
	Peer("dask graph of 10^4 chunks", dask_graph))

"""tasks.py -- what a task costs beyond its work: 10^6 tasks of one voxel.

dask's figure beside it: 10^5 chunk tasks of 64 bytes (of one voxel they would be as slow), times ten.
"""
import os
import statistics
import subprocess

import dask.array as da
import numpy as np

from harness import BUILD, Peer, contest, figure, must_agree


class Tiny:
	how = "in process, 2 threads"

	def __init__(self):
		self.cpu = []

	def seconds(self):
		out = subprocess.run([os.path.join(BUILD, "bench", "tiny_tasks"), "2"], capture_output=True,
			text=True, check=True).stdout.split()
		self.cpu.append(float(out[1]))
		return float(out[0]), None

	def close(self):
		pass


class TenTimes(Peer):
	def seconds(self):
		return 10 * super().seconds()


def dask_tasks():
	x = da.zeros((2528, 2528), chunks=8, dtype=np.uint8) + np.uint8(1)
	return x.compute(scheduler="threads", num_workers=2)


must_agree("tasks: dask", int(dask_tasks().max()) == 1)
tiny = Tiny()
row = contest("10^6 trivial tasks", tiny, TenTimes("dask threads, 10 x 10^5 tasks", dask_tasks))
figure("10^6 trivial tasks", "a task", 1e6 * row["cairn"] / 1e6, "microseconds", bar=2)
figure("10^6 trivial tasks", "a task, of all threads", 1e6 * statistics.median(tiny.cpu) / 1e6, "microseconds")

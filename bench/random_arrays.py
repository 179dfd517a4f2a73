"""random_arrays.py -- SpatialData's workload: 3 x 10,000 x 10,000 random float64, plus 1, plus 2.

Into memory and into a mean, chunks of (1, 1000, 1000) for dask: its threads, cold (a new process each
time) and warm, and a LocalCluster of two workers. The numbers themselves differ (each library has its
generator), so what is compared is their range, their mean, and that adding was exact.
"""
import os
import subprocess
import sys
import time

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

from harness import BUILD, Command, Ours, Peer, Warm, contest, figure, must_agree

SHAPE = (3, 10000, 10000)
BYTES = 8 * 3 * 10**8


def dask_array():
	return da.random.random(SHAPE, chunks=(1, 1000, 1000)) + 1 + 2


def dask_threads():
	with dask.config.set(scheduler="threads", num_workers=2):
		return dask_array().compute()


COLD = "import sys; sys.path.insert(0, sys.argv[1]); import random_arrays as r; r.dask_threads()"


class ColdWarm:
	"""bench/warm started anew for one computation: a cold run of the library."""

	how = "cold, 2 threads"

	def seconds(self):
		started = time.perf_counter()
		side = Warm("random((3, 10000, 10000)) + 1 + 2", fresh=True)
		side.seconds()
		side.close()
		return time.perf_counter() - started, None

	def close(self):
		pass


def main():
	got = subprocess.run([os.path.join(BUILD, "cli", "cairn"), "run", "-e",
		"x = random((3, 10000, 10000))\nprint(min(x + 1 + 2))\nprint(max(x + 1 + 2))\nprint(mean(x + 1 + 2))"],
		capture_output=True, text=True, check=True).stdout.split()
	low, high, mean = (float(v) for v in got)
	must_agree("random: range and mean", 3 <= low < 3.0001 and 3.9999 < high <= 4 and abs(mean - 3.5) < 1e-4)
	peer = dask_threads()
	must_agree("random: dask's range and mean", 3 <= peer.min() < 3.0001 and abs(peer.mean() - 3.5) < 1e-4)
	del peer

	name = "random 3x10^4x10^4 float64 + 1 + 2"
	warm = Warm("random((3, 10000, 10000)) + 1 + 2", fresh=True)
	contest(name + ", into memory", warm, Peer("dask threads, warm", dask_threads), bar=3)
	figure(name + ", into memory", "peak memory / result", warm.peak_bytes / warm.result_bytes, "x", bar=1.05)
	contest(name + ", into memory", ColdWarm(), Peer("dask threads, cold",
		lambda: subprocess.run([sys.executable, "-c", COLD, os.path.dirname(os.path.abspath(__file__))],
			check=True)), bar=3)
	with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
		contest(name + ", into memory", Warm("random((3, 10000, 10000)) + 1 + 2", fresh=True),
			Peer("dask LocalCluster, 2 workers", lambda: dask_array().compute()), bar=10)

	mean = Warm("mean(random((3, 10000, 10000)) + 1 + 2)")
	contest(name + ", mean", mean, Ours("generating alone (max)", Warm("max(random((3, 10000, 10000)))")),
		bar=1.5, at_most=True)
	figure(name + ", mean", "peak memory", mean.peak_bytes / 1e6, "MB", bar=100)
	contest(name + ", mean", Command("run", "-e", "print(mean(random((3, 10000, 10000)) + 1 + 2))"),
		Peer("dask threads", lambda: dask_array().mean().compute(scheduler="threads", num_workers=2)), bar=3)


if __name__ == "__main__":
	main()

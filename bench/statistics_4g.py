"""statistics_4g.py -- mean, histogram and exact median of a 4 GiB uint16 volume, compressed, in 1 GiB of memory.

The volume (1024 x 2048 x 1024, zarr, zstd level 1, chunks of 128^3) is smoothed noise. Peers: decoding every
chunk once, with the same library, on two threads; and dask over zarr, on two threads (its median by way
of an exact histogram: dask has no exact median of a large array).
"""
import os
from concurrent.futures import ThreadPoolExecutor

import dask.array as da
import numpy as np
import zarr

from harness import Command, Peer, cairn, contest, must_agree, work_file

SHAPE = (1024, 2048, 1024)
volume = work_file("four_gib.zarr")
if not os.path.exists(os.path.join(volume, ".zarray")):
	cairn("run", "-q", "--on-exists", "replace", "-e",
		f'write(astype(uniform_filter(random({SHAPE}, dtype="float32"), 3) * 4000, "uint16"), "{volume}", '
		'chunks=(128, 128, 128), compressor="zstd", level=1)')
stored = zarr.open(volume, mode="r")
must_agree("volume: shape, dtype", stored.shape == SHAPE and stored.dtype == np.uint16)
blocks = [tuple(slice(128 * i, 128 * i + 128) for i in corner) for corner in np.ndindex(8, 16, 8)]


def decode_alone():
	with ThreadPoolExecutor(2) as pool:
		for _ in pool.map(lambda b: stored[b].shape, blocks):
			pass


def counts_of(x):
	return np.bincount(x.ravel(), minlength=65536)


def dask_all():
	x = da.from_zarr(volume)
	counts = da.map_blocks(lambda b: counts_of(b)[None, None, None], x, dtype=np.int64,
		chunks=(1, 1, 1, 65536), new_axis=3).sum(axis=(0, 1, 2))
	mean, histogram = da.compute(x.mean(), counts, scheduler="threads", num_workers=2)
	return mean, histogram


def median_of(counts):
	upto = np.cumsum(counts)
	n = upto[-1]
	low, high = (int(np.searchsorted(upto, k, side="right")) for k in ((n - 1) // 2, n // 2))
	return (low + high) / 2


text = f'''x = read("{volume}")
print("mean", mean(x))
print("histogram", sum(histogram(x, bins=16, range=(0, 65536))))
print("median", percentile(x, 50))'''
mean, counts = dask_all()
lines = dict(line.split(None, 1) for line in cairn("run", "--memory", "1G", "-q", "-e", text).splitlines())
must_agree("4 GiB: mean", abs(float(lines["mean"]) - float(mean)) < 1e-6 * float(mean))
must_agree("4 GiB: histogram", int(float(lines["histogram"])) == np.prod(SHAPE, dtype=np.int64))
must_agree("4 GiB: median", float(lines["median"]) == median_of(counts))

def command(lines):
	return Command("run", "--memory", "1G", "-q", "-e", f'x = read("{volume}")\n' + lines)


decoding = Peer("decoding alone, 2 threads", decode_alone)
for what, lines in (("mean", "print(mean(x))"), ("median", "print(percentile(x, 50))"),
		("mean, histogram, median", text.split("\n", 1)[1])):
	contest(what + " of 4 GiB", command(lines), decoding, bar=1.3, at_most=True)
contest("mean, histogram, median of 4 GiB", command(text.split("\n", 1)[1]),
	Peer("dask over zarr, 2 threads", dask_all), bar=3)

"""elementwise.py -- a chain of seven operations, float32 to uint8, over 10^9 voxels, one core each.

Peers: NumPy on whole arrays (a quarter of the voxels, its time multiplied by four: it would need 16 GB);
and reading the file once, in blocks of 1 MiB into one buffer. Rate: voxels of the result a second.
"""
import numpy as np

from harness import Peer, Warm, answer, contest, figure, must_agree, work_file

N = 10**9
npy = work_file("gigavoxel.npy")
rng = np.random.default_rng(7)
out = np.lib.format.open_memmap(npy, mode="w+", dtype=np.float32, shape=(1000, 1000, 1000))
for z in range(0, 1000, 50):
	out[z:z + 50] = rng.random((50, 1000, 1000), dtype=np.float32)
out.flush()
del out
x = np.load(npy, mmap_mode="r")
quarter = np.array(x[:250])

def numpy_chain():
	x = quarter
	f = np.float32
	return (np.clip((np.abs(x - f(0.5)) * f(3) + f(0.1)) * (x + f(0.25)), 0, 1) * f(255)).astype(np.uint8)


class FourTimes(Peer):
	def seconds(self):
		return 4 * super().seconds()


def read_once():
	buffer = bytearray(1 << 20)
	with open(npy, "rb", buffering=0) as f:
		while f.readinto(buffer):
			pass


def expression(source):
	return 'astype(clip((abs(%s - 0.5) * 3 + 0.1) * (%s + 0.25), 0, 1) * 255, "uint8")' % (source, source)


whole = f'read("{npy}")'
must_agree("elementwise: NumPy", np.array_equal(answer(expression(whole + "[:250]")), numpy_chain()))
warm = Warm(expression(whole), threads=1)
row = contest("7 elementwise ops, 10^9 float32 to uint8", warm, FourTimes("NumPy, 4 x a quarter", numpy_chain),
	bar=10)
figure("7 elementwise ops, 10^9 float32 to uint8", "time a voxel", 1e9 * row["cairn"] / N, "ns", bar=1 / 1.5)
contest("same", Warm(expression(whole), threads=1), Peer("reading the file once", read_once), bar=1.5,
	at_most=True)

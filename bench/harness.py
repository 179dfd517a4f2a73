"""harness.py -- paired, interleaved timing of cairn against peers, with checked answers.

A workload (bench/NAME.py) prepares its input, checks that all answers agree before anything is timed,
then asks the same question of cairn and of each peer and adds one row per pair to the table. Rules:

- cairn is timed in one of two ways, and the row says which:
  `Command` the whole command: process start, reading the input file, computing, exit; the engine's own
  seconds (from --profile) stand beside it. `Warm` a later call in a running process (bench/warm.c),
  nothing kept from earlier calls, result into memory: what the peers' figures are.
- A peer is timed inside a running process, imports done, the input already in memory, after one
  warm-up: everything a benchmark can give away is given to the peer. cairn reads its input from a file
  that the system has cached.
- Runs are interleaved (cairn, peer, cairn, peer, ...); the ratio is the median of the pairs' ratios,
  so a busy moment of the machine hits both sides. Slow peers are run less often (BENCH_SECONDS bounds
  one row), at least once; the table says how often.
- A wrong answer ends the benchmark with an error: a fast wrong result is not a result.
"""
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

BUDGET_SECONDS = float(os.environ.get("BENCH_SECONDS", "40"))  # for one contest
MAX_RUNS = int(os.environ.get("BENCH_RUNS", "9"))

os.environ.setdefault("CAIRN_FSYNC", "none")  # as the peers, which never sync what they write

BUILD = os.path.abspath(os.environ.get("CAIRN_BUILD", "build"))
CAIRN = os.path.join(BUILD, "cli", "cairn")
WORK = os.path.join(BUILD, "bench")
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")


def work_file(name):
	os.makedirs(WORK, exist_ok=True)
	return os.path.join(WORK, name)


def cairn(*arguments):
	"""Runs the command and returns its standard output; its failure is ours."""
	done = subprocess.run([CAIRN, *arguments], capture_output=True, text=True, check=False)
	if done.returncode != 0:
		sys.exit(f"cairn {' '.join(arguments)}\nexit {done.returncode}: {done.stderr}")
	return done.stdout


def answer(expression, name="answer.npy"):
	"""What cairn computes, as a NumPy array (memory-mapped)."""
	out = work_file(name)
	cairn("run", "-q", "--on-exists", "replace", "-e", f'write({expression}, "{out}")')
	return np.load(out, mmap_mode="r")


def engine_seconds(profile):
	try:
		with open(profile, encoding="utf-8") as f:
			return float(json.load(f)["seconds"])
	except (OSError, ValueError, KeyError):
		return None


class Command:
	"""The whole command with these arguments."""

	how = "command"

	def __init__(self, *arguments, profile=True):
		self.arguments = list(arguments)
		self.profile = work_file("profile.json") if profile else None

	def seconds(self):
		extra = ["--profile", self.profile] if self.profile else []
		started = time.perf_counter()
		cairn(*self.arguments, *extra)
		whole = time.perf_counter() - started
		return whole, engine_seconds(self.profile) if self.profile else None

	def close(self):
		pass


class Warm:
	"""One expression computed into memory by a process that is already running."""

	def __init__(self, expression, threads=2, memory="8G", fresh=False):
		self.how = f"warm, {threads} thread" + ("s" if threads > 1 else "")
		self.cpu = []
		self.peak_bytes = self.result_bytes = None
		self.process = subprocess.Popen(
			[os.path.join(BUILD, "bench", "warm"), str(threads), memory, str(int(fresh)), expression],
			stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

	def seconds(self):
		self.process.stdin.write("\n")
		self.process.stdin.flush()
		line = self.process.stdout.readline().split()
		if len(line) != 2:
			sys.exit("bench/warm failed")
		self.cpu.append(float(line[1]))
		return float(line[0]), None

	def close(self):
		if self.peak_bytes is None:
			rest, _ = self.process.communicate()
			self.peak_bytes, self.result_bytes = (int(n) for n in rest.split())


class Peer:
	"""A function in this process. Asked for its answer first, it is warm: see contest()."""

	def __init__(self, name, ask):
		self.name, self.ask, self.warm_s = name, ask, None

	def answer(self):
		started = time.perf_counter()
		result = self.ask()
		self.warm_s = time.perf_counter() - started
		return result

	def seconds(self):
		started = time.perf_counter()
		self.ask()
		return time.perf_counter() - started

	def close(self):
		pass


class Ours:
	"""Another question to cairn, as the peer: scaling, limits, the other order of a chain."""

	def __init__(self, name, side):
		self.name, self.side = name, side

	def seconds(self):
		return self.side.seconds()[0]

	def close(self):
		self.side.close()


def contest(workload, side, peer, bar=None, **more):
	"""Times both sides in turns and prints one row. bar: times faster than the peer, at least.

	more: at_most=True when the bar is an upper bound on cairn / peer ("within 1.5x of reading it").
	"""
	side.seconds()
	first = getattr(peer, "warm_s", None) or peer.seconds()  # tells how often we can afford it
	runs = max(1, min(MAX_RUNS, int(BUDGET_SECONDS / max(first, 1e-3)) - 1))
	pairs = []
	for _ in range(runs):
		whole, engine = side.seconds()
		pairs.append((whole, engine, peer.seconds()))
	side.close()
	peer.close()
	engines = [e for _, e, _ in pairs if e is not None]
	row = {
		"workload": workload, "peer": peer.name, "runs": runs, "bar": bar, "how": side.how,
		"cairn": statistics.median(w for w, _, _ in pairs),
		"engine": statistics.median(engines) if engines else None,
		"peer_s": statistics.median(p for _, _, p in pairs),
		"ratio": statistics.median(p / w for w, _, p in pairs),
		**more,
	}
	row_out(row)
	return row


def figure(workload, what, value, unit, bar=None):
	"""A row that is not a race: a figure of cairn's, with the most it may be."""
	row_out({"workload": workload, "figure": what, "value": value, "unit": unit, "bar": bar})


def must_agree(what, same):
	if not same:
		sys.exit(f"answers differ: {what}")


def row_out(row):
	"""One row for bench/run, which collects the table."""
	print("ROW " + json.dumps(row), flush=True)

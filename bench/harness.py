"""harness.py -- paired, interleaved timing of cairn's command against peers, with checked answers.

A workload (bench/NAME.py) prepares its input, makes one Contest per question, checks that all answers
agree before anything is timed, and adds rows to the table. Rules:

- cairn is timed as the whole command: process start, reading the input file, computing, exit. The
  engine's own seconds (from --profile) stand beside it.
- A peer is timed inside a running process, imports done, the input already in memory, after one
  warm-up: everything a benchmark can give away is given to the peer.
- Runs are interleaved (cairn, peer, cairn, peer, ...); the ratio is the median of the pairs' ratios,
  so a busy moment of the machine hits both sides. Slow peers are run less often (at least once).
- A wrong answer ends the benchmark with an error: a fast wrong result is not a result.
"""
import json
import os
import statistics
import subprocess
import sys
import time

BUDGET_SECONDS = float(os.environ.get("BENCH_SECONDS", "40"))  # for one contest
MAX_RUNS = int(os.environ.get("BENCH_RUNS", "9"))

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


def engine_seconds(profile):
	try:
		with open(profile, encoding="utf-8") as f:
			return float(json.load(f)["seconds"])
	except (OSError, ValueError, KeyError):
		return None


class Contest:
	"""One row: the same question to cairn (arguments of the command) and to a peer (a function)."""

	def __init__(self, workload, peer, command, ask_peer, bar=None, profile=True):
		self.workload, self.peer, self.bar = workload, peer, bar
		self.command, self.ask_peer = list(command), ask_peer
		self.profile = work_file("profile.json") if profile else None

	def ask_cairn(self):
		extra = ["--profile", self.profile] if self.profile else []
		started = time.perf_counter()
		cairn(*self.command, *extra)
		whole = time.perf_counter() - started
		return whole, engine_seconds(self.profile) if self.profile else None

	def time_peer(self):
		started = time.perf_counter()
		self.ask_peer()
		return time.perf_counter() - started

	def run(self):
		self.ask_cairn()
		first = self.time_peer()  # the warm-up tells how often we can afford it
		runs = max(1, min(MAX_RUNS, int(BUDGET_SECONDS / max(first, 1e-3)) - 1))
		pairs = []
		for _ in range(runs):
			whole, engine = self.ask_cairn()
			pairs.append((whole, engine, self.time_peer()))
		engines = [e for _, e, _ in pairs if e is not None]
		return {
			"workload": self.workload, "peer": self.peer, "runs": runs, "bar": self.bar,
			"cairn": statistics.median(w for w, _, _ in pairs),
			"engine": statistics.median(engines) if engines else None,
			"peer_s": statistics.median(p for _, _, p in pairs),
			"ratio": statistics.median(p / w for w, _, p in pairs),
		}


def must_agree(what, same):
	if not same:
		sys.exit(f"answers differ: {what}")


def row_out(row):
	"""One row for bench/run, which collects the table."""
	print("ROW " + json.dumps(row), flush=True)

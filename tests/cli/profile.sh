#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# profile.sh -- `cairn run --profile`: the JSON's numbers agree with each other and with NumPy's counts
# of voxels, the Chrome trace has the structure Perfetto needs, the page needs no network.
# usage: profile.sh CAIRN
# shellcheck source=/dev/null # next to this file
. "$(dirname "$0")/lib.sh"
need_python numpy

python 'np.save("a.npy", np.random.default_rng(7).integers(0, 255, (40, 120, 130), dtype=np.uint8))'
cat >p.py <<'END'
a = read("a.npy") / 255
smooth = gaussian_filter(a, 2)
write(binary_erosion(smooth > 0.5, ball(3)), "out.zarr", chunks=(20, 60, 130))
print("sum", sum(smooth))
END

gives 0 run -j 2 --profile p.json p.py
cat >facts.py <<'END'
import json, sys
p = json.load(open("p.json"))
assert p["cairn_profile"] == 1 and p["threads"] == 2 and p["seconds"] > 0
kinds = {"read", "decode", "compute", "copy", "encode", "write", "idle", "starved"}
assert set(p["kinds"]) == kinds
# Nothing is counted twice: all threads together worked no longer than they ran.
threads = p["threads"] + 1
assert sum(b["seconds"] for b in p["busy"].values()) <= threads * p["seconds"] * 1.02
voxels = 40 * 120 * 130
nodes = {n["node"]: n for n in p["nodes"]}
passes = [n for n in nodes.values() if n["op"] == "correlate_pass"]
assert len(passes) == 3 and all(n["computed"] >= n["wanted"] == voxels for n in passes)
assert all(abs(n["ratio"] - n["computed"] / n["wanted"]) < 1e-9 for n in passes)
assert all(n["spans"]["compute"]["voxels"] == n["computed"] for n in passes)
assert sum(n["spans"].get("encode", {}).get("voxels", 0) for n in nodes.values()) == voxels
for n in nodes.values():
	assert abs(n["seconds"] - sum(s["seconds"] for s in n["spans"].values())) < 1e-9
	if "fused_into" in n:
		assert n["fused_into"] in nodes and "compute" not in n["spans"]
# The totals are those of the nodes and of no node.
for kind in kinds & set(p["busy"]):
	of_nodes = sum(n["spans"].get(kind, {}).get("seconds", 0) for n in nodes.values())
	assert of_nodes <= p["busy"][kind]["seconds"] + 1e-9
assert p["limit"]["kind"] in ("read", "decode", "compute", "encode", "write", "budget", "tasks", "serial")
assert 0 < p["limit"]["share"] <= 1.02 and any(c.isdigit() for c in p["limit"]["sentence"])
end = p["seconds"] * 1e6
for lane in p["timeline"]:
	last = 0
	for start, length, kind, node, busy, n, bytes, seen in lane["events"]:
		assert 0 <= start and start + length <= end + 1 and busy <= length + 0.01 and n >= 1
		assert 0 <= kind < len(p["kinds"]) and (node == -1 or node in nodes)
assert [l["lane"] for l in p["timeline"]][:2] == ["worker 0", "worker 1"]
columns, samples = p["memory"]["columns"], p["memory"]["samples"]
assert columns[0] == "us" and all(len(s) == len(columns) for s in samples) and samples
for s in samples:
	assert 0 <= sum(s[1:6]) <= p["peak_memory_bytes"] <= p["budget_bytes"] and s[6] <= p["budget_bytes"]
assert all(a[0] <= b[0] for a, b in zip(samples, samples[1:]))
END
check "the facts of the JSON agree" "$PYTHON" facts.py

gives 0 run -j 2 --on-exists replace --profile p.trace.json p.py
cat >trace.py <<'END'
import json
t = json.load(open("p.trace.json"))
events = t["traceEvents"]
assert {e["ph"] for e in events} == {"M", "X", "C"}
named = {e["tid"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
lanes = {}
for e in events:
	assert e["pid"] == 1 and isinstance(e["name"], str)
	if e["ph"] == "X":
		assert e["tid"] in named and e["ts"] >= 0 and e["dur"] >= 0 and e["args"]["spans"] >= 1
		lanes.setdefault(e["tid"], []).append((e["ts"], e["ts"] + e["dur"]))
	if e["ph"] == "C":
		assert all(v >= 0 for v in e["args"].values())
# Slices of one thread nest: two either lie apart or one holds the other (times have 1 ns steps).
for spans in lanes.values():
	stack = []
	for a, b in sorted(spans, key=lambda s: (s[0], -s[1])):
		while stack and stack[-1] <= a + 0.0011:
			stack.pop()
		assert not stack or b <= stack[-1] + 0.0011, (a, b, stack[-1])
		stack.append(b)
END
check "the trace has the structure Perfetto loads" "$PYTHON" trace.py

gives 0 run -j 2 --on-exists replace --profile p.html p.py
cat >page.py <<'END'
import html.parser, json, re
text = open("p.html", encoding="utf-8").read()
class Page(html.parser.HTMLParser):
	def __init__(self):
		super().__init__()
		self.open, self.data, self.in_data = [], "", False
	def handle_starttag(self, tag, attrs):
		attrs = dict(attrs)
		for name, value in attrs.items():
			assert name not in ("src", "href", "action") and not name.startswith("on"), (tag, name)
			assert "url(" not in (value or "")
		self.in_data = attrs.get("id") == "data"
		assert tag not in ("link", "iframe", "img", "object", "embed")
	def handle_data(self, data):
		if self.in_data:
			self.data += data
	def handle_endtag(self, tag):
		self.in_data = False
page = Page()
page.feed(text)
data = json.loads(page.data)
assert data["cairn_profile"] == 1 and data["timeline"] and data["memory"]["samples"]
assert "<svg" in text and "gaussian_filter" in text
# No address but the name of the SVG standard.
assert set(re.findall(r"https?://[^\s\"']+", text)) == {"http://www.w3.org/2000/svg"}
assert "@CAIRN" not in text and "import(" not in text and "fetch(" not in text
END
check "the page is whole and needs no network" "$PYTHON" page.py

gives 2 run --on-exists replace --profile p.txt p.py
says ".trace.json"
check "nothing is written for a style that is unknown" test ! -e p.txt
gives 1 run --on-exists replace --profile no/such/folder/p.json p.py
says "no/such/folder/p.json"

# At the smallest budget only one such chunk is made at a time: threads wait for room, and the profile knows it. (The record of a profile
# needs room too, which explain does not count.)
cat >tight.py <<'END'
write(random((160, 200, 200), seed=1).gaussian_filter(1), "big.zarr", chunks=(20, 200, 200))
END
gives 4 run -j 4 --memory 1K --profile q.json tight.py
smallest=$(sed -n 's/.*needs .* (\([0-9]*\) bytes).*/\1/p' err)
gives 0 run -j 4 --memory "$smallest" --profile q.json tight.py
python 'p = json.load(open("q.json"))
assert p["busy"]["starved"]["seconds"] > 0 and p["peak_memory_bytes"] <= p["budget_bytes"]
assert p["limit"]["kind"] == "budget" and "memory" in p["limit"]["sentence"].lower()'

# limited_by KIND WORD ARGUMENTS...: the run's profile names this limit, with the word in its sentence
limited_by() {
	kind=$1
	word=$2
	shift 2
	gives 0 run --on-exists replace --profile l.json "$@"
	python "l = json.load(open('l.json'))['limit']
assert l['kind'] == '$kind' and '$word' in l['sentence'], l"
}
limited_by tasks "1 tasks" -j 4 \
	-e 'write(random((120, 120, 120)).gaussian_filter(2), "one.zarr", chunks=(120, 120, 120))'
limited_by compute "median_filter" -j 1 -e 'print(max(median_filter(random((60, 60, 60)), 7)))'
limited_by encode "write" -j 1 -e 'write(random((80, 100, 100)), "z.zarr", compressor="gzip", level=9)'
limited_by decode "read" -j 1 -e 'print(max(read("z.zarr")))'
# convert makes profiles, too: nothing to compute, everything to read and write
gives 0 convert a.npy a.zarr --profile c.json
python 'p = json.load(open("c.json"))
assert p["busy"]["read"]["bytes"] == 40 * 120 * 130 and p["busy"]["encode"]["voxels"] == 40 * 120 * 130'

# Nothing changes what is computed.
gives 0 run --on-exists replace p.py
cp out stdout.plain
gives 0 run --on-exists replace --profile p.json p.py
check "same numbers with a profile" cmp -s out stdout.plain
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# machine.sh -- `cairn bench-machine`, the cost table in the user's cache folder, and what explain makes
# of it. Costs never change a result, whatever the table says.
# usage: machine.sh CAIRN
# shellcheck source=/dev/null # next to this file
. "$(dirname "$0")/lib.sh"
need_python numpy

unset CAIRN_COSTS
CAIRN_CACHE=$PWD/cache
export CAIRN_CACHE
python 'np.save("a.npy", np.random.default_rng(3).random((60, 120, 140), dtype=np.float32))'
cat >p.py <<'END'
smooth = gaussian_filter(read("a.npy"), 2)
write(binary_erosion(smooth > 0.5, ball(4)), "out.npy")
END

# no table: the descriptors' figures, and the hint that there could be better ones
CAIRN_COSTS=read gives 0 explain p.py
prints "predicted: "
prints "cairn bench-machine"
check "reading leaves nothing" test ! -e cache

gives 0 bench-machine --json
cp out rates.json
cat >rates.py <<'END'
import json, os
r = json.load(open("rates.json"))
assert r["cores"] >= 1 and r["cpu"] and r["table"] == os.environ["CAIRN_CACHE"] + "/machine.json"
memory = r["rates"]
# bytes a second: no machine is below 100 MB/s or above 10 TB/s
for name in ("read_one", "write_one", "copy_one", "read_all", "write_all", "copy_all"):
	assert 1e8 < memory[name] < 1e13, name
assert 1e5 < memory["disk_write"] < 1e12 and 1e5 < memory["disk_read"] < 1e12
assert [c["name"] for c in r["codecs"]] == ["zstd", "lz4", "blosc", "gzip"]
assert all(1e6 < c["encode"] < 1e12 and 1e6 < c["decode"] < 1e12 for c in r["codecs"])
levels = ["base", "avx2", "avx512"]
levels = levels[:levels.index(r["isa"]) + 1]
names = {o["name"] for o in r["operations"]}
assert len(names) >= 10
for name in names:
	assert [o["isa"] for o in r["operations"] if o["name"] == name] == levels
assert all(1e-3 < o["ns_per_voxel"] < 1e5 for o in r["operations"])
table = json.load(open("cache/machine.json"))
assert table["rates"] == memory
known = {(c["name"], c["isa"]) for c in table["costs"]}
for isa in levels:
	assert ("correlate_pass", isa) in known and ("label", isa) in known
END
check "rates are positive and of every level" "$PYTHON" rates.py
check "nothing stays in the folder" test -z "$(find . -name '.cairn-bench*')"

# with the table, and with tables of any kind, the same bytes
gives 0 explain p.py --json
python 'p = json.load(open("out"))["predicted"]
assert p["measured"] > 0.5 and 0 < p["seconds"] < 60
assert abs(p["seconds"] * p["busy"]) <= p["decode_seconds"] + p["compute_seconds"] + p["copy_seconds"] + p["encode_seconds"] + 1'
CAIRN_COSTS=off gives 0 run p.py
cksum <out.npy >sums
for costs in learn read random:1 random:2 random:77; do
	CAIRN_COSTS=$costs gives 0 run --on-exists replace p.py
	cksum <out.npy >>sums
done
printf 'torn{' >cache/machine.json
gives 0 run --on-exists replace p.py
cksum <out.npy >>sums
python 'json.load(open("cache/machine.json"))'
check "same bytes with any costs" test "$(sort -u sums | wc -l)" -eq 1

# a cache folder that cannot be used is nobody's error
CAIRN_CACHE=/proc/none gives 0 run --on-exists replace p.py
: >file
CAIRN_CACHE=$PWD/file gives 0 run --on-exists replace p.py
(unset CAIRN_CACHE XDG_CACHE_HOME HOME && "$CAIRN" run -q --on-exists replace p.py)
check "without a home folder" test $? -eq 0
CAIRN_COSTS=nonsense gives 2 explain p.py
says "CAIRN_COSTS"

# explain says for every edge what becomes of it, and why
gives 0 explain p.py --json
cat >edges.py <<'END'
import json
plan = json.load(open("out"))
nodes = {n["node"]: n for n in plan["nodes"]}
edges = plan["edges"]
kinds = {"program", "view", "fused", "box", "cut", "result", "fold"}
assert edges and all(e["kind"] in kinds and e["rho"] >= 1 and e["why"] for e in edges)
assert all(e["recompute_ns"] >= 0 and e["store_load_ns"] >= 0 for e in edges)
cut = {c["node"] for c in plan["cuts"]}
for e in edges:
	# An edge is cut exactly where the plan keeps chunks of what it comes from.
	assert (e["kind"] == "cut") == (e["from_name"] in cut), e
	n = nodes[e["from"]]
	if n["computed"] and e["kind"] in ("fused", "cut", "program", "fold"):
		# a mask is kept as bits, or as bytes where its rows are short
		sizes = {"bool": (1 / 8, 1), "float32": (4,)}[n["dtype"]]
		assert e["bytes"] in [n["wanted"] * size for size in sizes]
	# Made once means made once.
	if e["kind"] != "cut" and e["rho"] < 1.0001:
		assert e["recompute_ns"] < 1e-3 * (1 + e["store_load_ns"])
into = [e for e in edges if nodes.get(e["to"], {}).get("op") == "binary_pass"]
assert len(into) == 1 and into[0]["from_name"].startswith("greater")
END
check "edges agree with the plan" "$PYTHON" edges.py
gives 0 explain p.py
prints "store+load"
prints "; keeping it saves "

# of a chain between two filters the narrowest value is kept: the mask, not what is made of it
cat >narrow.py <<'END'
x = median_filter(random((200, 300, 300), dtype="float32"), 5)
m = (x > 0.5).astype("float64") * 2.0
write(maximum_filter(m, footprint=ball(6)), "n.npy")
END
CAIRN_COSTS=off gives 0 explain narrow.py --memory 300M --json
python 'p = json.load(open("out"))
cut = {e["from_name"]: e for e in p["edges"] if e["kind"] == "cut"}
assert list(cut) == ["greater, line 2"]
assert cut["greater, line 2"]["bytes"] <= 200 * 300 * 300 and 0.1 <= cut["greater, line 2"]["gain"] < 1'
finish

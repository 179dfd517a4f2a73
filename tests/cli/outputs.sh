#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# outputs.sh -- convert, ls, verify, interruption and resume, checked by zarr-python and NumPy.
. "$(dirname "$0")/lib.sh"
need_python numpy zarr
"$PYTHON" - <<'END'
import numpy as np
rng = np.random.default_rng(11)
np.save("a.npy", rng.integers(0, 60000, (20, 33, 41), dtype="uint16"))
END

gives 0 convert a.npy a.zarr --chunks 8,16,16
python 'import zarr
z = zarr.open("a.zarr", "r")
assert z.chunks == (8, 16, 16) and np.array_equal(z[:], np.load("a.npy"))'
gives 5 convert a.npy a.zarr
says "a.zarr"
gives 0 convert a.npy a.zarr --chunks 10,10,10 --on-exists replace -o compressor=none
python 'import zarr
z = zarr.open("a.zarr", "r")
assert z.chunks == (10, 10, 10) and z.compressor is None and np.array_equal(z[:], np.load("a.npy"))'
gives 0 convert a.zarr back.npy
check "there and back" cmp a.npy back.npy
gives 0 convert a.npy small.npy --dtype uint8
python 'assert np.array_equal(np.load("small.npy"), np.minimum(np.load("a.npy"), 255).astype("uint8"))'
gives 0 convert --dry-run a.npy never.zarr
prints "never.zarr"
check "a dry run writes nothing" test ! -e never.zarr
gives 2 convert a.npy a.xyz
says "a.xyz"
gives 2 convert a.npy
says "usage: cairn convert"

mkdir tree
gives 0 convert a.npy tree/one.zarr
gives 0 convert a.npy tree/two.npy
gives 0 ls --json tree
cp out ls.json
python 'found = json.load(open("ls.json"))
assert sorted(e["url"] for e in found) == ["tree/one.zarr", "tree/two.npy"]
assert all(e["shape"] == [20, 33, 41] for e in found)'

# verify finds what was changed behind our back
gives 0 verify a.zarr
gives 0 verify --json a.zarr
cp out verify.json
python 'json.load(open("verify.json"))'
chunk=$(find a.zarr -type f -name '[0-9]*' | sort | head -1)
printf 'x' | dd of="$chunk" bs=1 seek=40 conv=notrunc 2>/dev/null
gives 7 verify a.zarr
says "a.zarr"
gives 3 verify a.npy
says "journal"

# Ctrl-C finishes what is in flight; the same command again gives the bytes of an uninterrupted run
work='x = random((60, 256, 256)).gaussian_filter((2, 9, 9))
write(x, "out.zarr", chunks=(4, 64, 64))'
printf '%s\n' "$work" >wf.py
gives 0 run wf.py
mv out.zarr whole.zarr
"$CAIRN" run -j 1 wf.py >out 2>err &
pid=$!
tries=0
while [ $tries -lt 200 ] && [ "$(find out.zarr -type f -name '[0-9]*' 2>/dev/null | wc -l)" -lt 3 ]; do
	sleep 0.02
	tries=$((tries + 1))
done
kill -INT $pid
wait $pid
code=$?
check "interrupted run ends with 130 (or was done: 0), not $code" test $code -eq 130 -o $code -eq 0
if [ $code -eq 130 ]; then
	gives 0 run wf.py
	says "were there already"
fi
gives 5 run wf.py
check "resumed output has the same chunks" diff -r -x .cairn out.zarr whole.zarr
finish

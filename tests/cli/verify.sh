#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# verify.sh -- `cairn verify` on outputs that somebody changed: taken away, cut, overwritten, added to.
# Exit 7, the first object and the counts; nothing is made or removed by looking. And two runs that
# want the same output: the second is refused.
. "$(dirname "$0")/lib.sh"
need_python numpy
cat >wf.py <<'END_WF'
x = (random((6, 40, 50), seed=2) * 60000).astype("uint16")
write(x, "o/two.zarr", chunks=(3, 20, 25), compressor="none")
write(x, "o/g.zarr/three", chunks=(3, 20, 25), format="zarr3")
write(x, "o/x.npy", chunks=(2, 40, 50))
write(x, "o/plain.tif")
write(x, "o/packed.tif", compression="deflate")
write(x, "o/t/s.%02d.tif")
write(x, "o/p/s.%02d.png")
END_WF
fresh() {
	rm -rf o
	gives 0 run -q wf.py
	(cd o && find . | sort) >names
}
# finds URL MISSING DAMAGED EXTRA TEXT: exit 7, the counts, TEXT in the message, no file more or less.
finds() {
	(cd o && find . | sort) >names
	gives 7 verify --json "$1"
	says "$5"
	check "one message: $5" test "$(grep -c '^cairn: error: ' err)" -eq 1
	prints "\"missing\": $2, \"damaged\": $3, \"extra\": $4"
	(cd o && find . | sort) >names.after
	check "looking changes nothing: $5" diff names names.after
}
fresh
for url in two.zarr g.zarr/three x.npy plain.tif packed.tif t/s.%02d.tif p/s.%02d.png; do
	gives 0 verify --json "o/$url"
	prints '"complete": true'
	prints '"mismatched": 0, "missing": 0, "damaged": 0, "extra": 0'
done

# flip FILE OFFSET: one byte is another.
flip() {
	"$PYTHON" -c '
import sys
f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1)
f.seek(-1, 1); f.write(bytes([b[0] ^ 0x40]))' "$@"
}
rm o/two.zarr/1/0/1
finds o/two.zarr 1 0 0 "two.zarr/1/0/1, chunk [3:6, 0:20, 25:50]"
truncate -s 100 o/two.zarr/0/1/0
flip o/two.zarr/1/1/1 77
finds o/two.zarr 2 1 0 "two.zarr/0/1/0"
says "3 of 8 stored chunks differ"
fresh
mkdir -p o/two.zarr/2/0
cp o/two.zarr/0/0/0 o/two.zarr/2/0/0
cp o/two.zarr/0/0/0 o/two.zarr/0/0/01
finds o/two.zarr 0 0 2 "o/two.zarr/"
says "2 stored objects are not in the journal"
flip o/g.zarr/three/c/1/1/0 60
finds o/g.zarr/three 0 1 0 "three/c/1/1/0"
fresh
mkdir -p o/g.zarr/three/c/7/0
cp o/g.zarr/three/c/0/0/0 o/g.zarr/three/c/7/0/0
finds o/g.zarr/three 0 0 1 "three/c/7/0/0"
flip o/x.npy 9000
finds o/x.npy 0 1 0 "x.npy, chunk [2:4"
truncate -s 20000 o/x.npy
gives 7 verify --json o/x.npy
says "o/x.npy"
rm o/x.npy
gives 7 verify --json o/x.npy
fresh
echo more >>o/x.npy
finds o/x.npy 0 0 1 "o/x.npy"
flip o/plain.tif 20000
finds o/plain.tif 0 1 0 "plain.tif"
for file in o/t/s.03.tif o/p/s.03.png; do
	url=$(echo $file | sed 's/03/%02d/')
	flip $file 900
	finds "$url" 0 1 0 "$file"
	rm $file
	finds "$url" 1 0 0 "$file"
done
fresh
cp o/p/s.01.png o/p/s.06.png
finds o/p/s.%02d.png 0 0 1 s.06.png

# two runs, one output
cat >slow.py <<'END_WF'
write(random((64, 256, 256)).gaussian_filter((5, 9, 9)), "slow.zarr", chunks=(4, 32, 32))
END_WF
"$CAIRN" run -q -j 1 slow.py 2>first.err &
pid=$!
tries=0
while [ $tries -lt 500 ] && [ ! -e .slow.zarr.cairn-lock ]; do
	sleep 0.01
	tries=$((tries + 1))
done
if kill -STOP $pid 2>/dev/null; then
	for mode in fail resume replace; do
		gives 5 run -q --on-exists $mode slow.py
		says "slow.zarr is being written by another run: process $pid"
	done
	gives 5 run -q --on-exists replace -e 'write(ones((3, 4)), "./slow.zarr")'
	kill -CONT $pid
fi
wait $pid
check "the first goes on: $(cat first.err)" test $? -eq 0
gives 0 verify slow.zarr
check "no lock stays" test ! -e .slow.zarr.cairn-lock
finish

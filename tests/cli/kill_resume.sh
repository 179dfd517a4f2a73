#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# kill_resume.sh -- kill -9 at random moments, again and again: the same command goes on, and in the
# end every output has the bytes of an uninterrupted run. Ctrl-C once: 130 and resumable; twice: quick.
# The moments come from CAIRN_TEST_SEED, else from the clock; the seed is printed.
. "$(dirname "$0")/lib.sh"
# Slow enough to be hit: a filter in many small chunks.
cat >wf.py <<'END'
x = random((24, 192, 192)).gaussian_filter((3, 9, 9))
m = (x * 60000).astype("uint16")
write(x, "made/two.zarr", chunks=(4, 64, 64))
write(m, "made/three.zarr", chunks=(8, 32, 64), format="zarr3")
write(x, "made/x.npy")
write(m, "made/tiff/t.%03d.tif")
write(m, "made/png/p.%03d.png")
n = label(x > 0.505)
write(n, "made/labels.zarr", chunks=(6, 48, 48))
write(n.astype("uint16"), "made/labels.tif", compression="deflate")
write(regionprops(n, x), "made/x.csv")
write(regionprops(n, x), "made/x.db", table="t")
END
contents() {
	(cd made && find . -type f ! -path '*.cairn/*' ! -name '*.db' -exec cksum {} + | sort -k 3)
	"$PYTHON" -c 'import sqlite3
for row in sqlite3.connect("made/x.db").execute("select * from t order by 1"): print(row)'
}
start=$(date +%s%N)
gives 0 run -q wf.py
whole_ms=$((($(date +%s%N) - start) / 1000000))
contents >expected
seed=${CAIRN_TEST_SEED:-$(date +%s)}
echo "# seed $seed"
for round in 1 2 3; do
	rm -rf made
	kills=0
	for thousandth in $(awk -v s="$seed" -v r=$round 'BEGIN { srand(s + r); for (i = 0; i < 8; i++) print int(30 + rand() * 970) }'); do
		"$CAIRN" run -q -j 3 --memory 64M wf.py 2>err &
		pid=$!
		moment=$((whole_ms * thousandth / 1000))
		sleep "$((moment / 1000)).$(printf '%03d' $((moment % 1000)))"
		kill -KILL $pid 2>/dev/null && kills=$((kills + 1))
		wait $pid 2>/dev/null
	done
	"$CAIRN" run -q --on-exists resume wf.py 2>err
	check "round $round, $kills of 8 killed: it ends well: $(cat err)" test $? -eq 0
	contents >found
	check "round $round: the bytes of an uninterrupted run" diff expected found
	for output in two.zarr three.zarr labels.zarr labels.tif x.npy tiff/t.%03d.tif png/p.%03d.png; do
		gives 0 verify "made/$output"
	done
	check "round $round: no temporary files" test -z "$(find made -name '.crn-*' -o -name '*.part')"
done

# Ctrl-C

printf '%s\n' 'write(random((64, 256, 256)).gaussian_filter((5, 9, 9)), "big.zarr", chunks=(4, 64, 64))' >big.py
interrupt() {
	rm -rf big.zarr
	"$CAIRN" run -j 2 big.py >out.txt 2>err &
	pid=$!
	tries=0
	while [ $tries -lt 300 ] && [ -z "$(find big.zarr -name '[0-9]*' 2>/dev/null)" ]; do
		sleep 0.02
		tries=$((tries + 1))
	done
	for _ in $(seq "$1"); do
		kill -INT $pid 2>/dev/null
		sleep 0.02
	done
	wait $pid
	code=$?
	check "interrupted $1 times: exit 130 (or done already: 0), not $code" test $code -eq 130 -o $code -eq 0
	gives 0 run --on-exists resume big.py
	gives 0 verify big.zarr
}
interrupt 1
interrupt 2
finish

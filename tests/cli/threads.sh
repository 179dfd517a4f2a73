#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# threads.sh -- more and fewer threads while a command runs: it follows, and writes the same bytes.
. "$(dirname "$0")/lib.sh"
cat >wf.py <<'END'
x = random((96, 256, 256)).gaussian_filter((4, 7, 7))
write(x, "x.zarr", chunks=(8, 32, 32))
write(label(x > 0.5), "labels.npy")
END
contents() {
	find x.zarr labels.npy -type f ! -path '*.cairn/*' -exec cksum {} + | sort -k 3
}
threads_of() {
	ls "/proc/$1/task" 2>/dev/null | wc -l
}
# reaches PID N: waits until the process has N threads.
reaches() {
	tries=0
	while [ "$(threads_of "$1")" -ne "$2" ] && [ $tries -lt 300 ]; do
		sleep 0.01
		tries=$((tries + 1))
	done
	[ $tries -lt 300 ]
}
gives 0 run -q -j 2 wf.py
contents >expected
rm -rf x.zarr labels.npy .labels.npy.cairn

"$CAIRN" run -j 1 wf.py 2>err &
pid=$!
# The main thread, and one worker.
check "starts with one worker" reaches $pid 2
kill -USR1 $pid
check "a signal adds a worker" reaches $pid 3
kill -USR1 $pid
check "another one, another worker" reaches $pid 4
# Signals sent at once may melt into one: a moment between them.
for less in 1 2 3 4; do
	kill -USR2 $pid
	sleep 0.05
done
kill -USR1 $pid
wait $pid
check "it ends well: $(cat err)" test $? -eq 0
check "it says so" grep -q 'cairn: 2 threads from now on' err
check "one worker stays" grep -q 'cairn: 1 thread from now on' err
check "none is not a number of workers" sh -c '! grep -q "cairn: 0 threads" err'
contents >found
check "the same bytes" diff expected found
finish

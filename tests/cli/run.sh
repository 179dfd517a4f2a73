#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh -- cairn run: results against NumPy, settings, pipelines as inputs, exit codes, streams.
. "$(dirname "$0")/lib.sh"
need_python numpy
"$PYTHON" - <<'END'
import numpy as np
rng = np.random.default_rng(7)
np.save("a.npy", rng.integers(0, 1000, (12, 40, 50), dtype="uint16"))
END

# print() goes to stdout, all else to stderr
gives 0 run -e 'x = read("a.npy"); print("sum", x.sum()); print(x.max(axis=(1, 2))[:3])'
cp out shown
python 'a = np.load("a.npy")
lines = open("shown").read().splitlines()
assert lines[0] == f"sum {a.sum()}", lines
assert lines[1] == str(a.max(axis=(1, 2))[:3]), lines'
says "done in"
gives 0 run -q -e 'print(read("a.npy").min())'
check "quiet is quiet" test ! -s err

# written values are NumPy's
gives 0 run -e '((read("a.npy")[2:-2, ::-1, ::3] + 7) * 2 > 900).write("mask.npy")'
silent
python 'a = np.load("a.npy")
assert np.array_equal(np.load("mask.npy"), (a[2:-2, ::-1, ::3] + np.uint16(7)) * np.uint16(2) > 900)'

# a file, stdin, settings
cat >wf.py <<'END'
from cairn import *
source = "a.npy"
factor = 2
crop   = (1, 3)
part   = read(source)[crop[0]:crop[1]] * factor
write(part, "part.npy")
END
gives 0 run wf.py
gives 5 run wf.py
says "part.npy"
says "resume"
gives 0 run wf.py --on-exists replace --set factor=5 --set crop=0,1
python 'assert np.array_equal(np.load("part.npy"), np.load("a.npy")[0:1] * np.uint16(5))'
"$CAIRN" run - --on-exists replace <wf.py >out 2>err
check "a pipeline from stdin" test $? -eq 0
gives 0 run wf.py --on-exists replace --set source=a.npy
gives 2 run wf.py --set facter=5
says "did you mean factor?"
gives 2 run wf.py --set part=5
says "part is computed in line 5"
gives 2 run wf.py --set factor
says "--set needs NAME=VALUE"

# a pipeline is an input
gives 0 run -e 'print(read("wf.py#part").mean() / 2)'
cp out shown
python 'assert float(open("shown").read()) == np.load("a.npy")[1:3].mean()'

# nothing runs when nothing is asked for
rm -f part.npy
gives 0 run wf.py --dry-run
check "a dry run writes nothing" test ! -e part.npy
check "a dry run shows the plan" test -s out
gives 2 run -e 'x = read("a.npy")'
says "writes and prints nothing"
gives 2 run -e 'read("a.npy") + 1'
says "writes and prints nothing"

# errors: code, place, caret
gives 2 run -e 'print(1 +)'
says "line 1, column 10: a value is expected, not )"
says "         ^"
printf 'x = read("a.npy")\ny = gaussian_filter(x, sigm=2)\nprint(y.max())\n' >bad.py
gives 2 run bad.py
says "bad.py, line 2, column 5: gaussian_filter has no parameter sigm"
says "did you mean sigma?"
gives 2 run -e 'print(read("a.npy")[99].max())'
says "out of bounds"
gives 3 run -e 'print(read("b.npy").max())'
says "b.npy"
says "line 1, column 7"
gives 3 run nothing.py
says "nothing.py"
head -c 2000 /dev/urandom >noise.py
gives 2 run noise.py
silent
gives 4 run --memory 4K -e 'print(read("a.npy").gaussian_filter(3).sum())'
printf 'NUMPY' >cut.npy
gives 3 run -e 'print(read("cut.npy").max())'
says "cut.npy"

# progress is on stderr and machine-readable on demand
gives 0 run --progress json -e 'print(read("a.npy").sum())'
cp err progress
python 'lines = [json.loads(l) for l in open("progress") if l.startswith("{")]
assert lines and abs(lines[-1]["fraction"] - 1) < 1e-9 and lines[-1]["elapsed_s"] >= 0'
gives 0 run --profile profile.json -e 'print(read("a.npy").sum())'
python 'json.load(open("profile.json"))'

# threads, memory and instruction set change nothing
for setting in "-j 1" "-j 3" "--memory 64M"; do
	# shellcheck disable=SC2086 # words on purpose
	gives 0 run $setting --on-exists replace -e 'read("a.npy").gaussian_filter((1, 3, 2)).write("g.npy")'
	cksum <g.npy >>sums
done
CAIRN_ISA=base CAIRN_THREADS=2 "$CAIRN" run -q --on-exists replace -e 'read("a.npy").gaussian_filter((1, 3, 2)).write("g.npy")'
cksum <g.npy >>sums
check "same bytes at any setting" test "$(sort -u sums | wc -l)" -eq 1
finish

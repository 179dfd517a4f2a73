#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# frame.sh -- help, usage errors, facts, generated pages: everything that computes nothing.
. "$(dirname "$0")/lib.sh"
need_python numpy

verbs="run explain info ls ops convert view stat verify"

gives 0 --version
prints "cairn "
gives 0 --help
for verb in $verbs; do
	prints "  $verb "
done
for verb in $verbs; do
	gives 0 "$verb" --help
	prints "usage: cairn $verb"
	prints "--quiet"
done
gives 2
gives 2 frobnicate
says "there is no verb frobnicate"
silent
gives 2 inf
says "did you mean cairn info?"
gives 2 run --memroy 8G x.py
says "cairn run has no option --memroy"
says "did you mean --memory?"
gives 2 run
says "usage: cairn run"
gives 2 run -j zero -e 'print(1)'
says "--threads must be a whole number from 1 to 4096, not zero"
gives 2 run --memory lots -e 'print(zeros((2, 2)))'
says '"lots" is no amount of memory'
gives 2 run --on-exists ask -e 'print(zeros((2, 2)))'
says "--on-exists must be fail, resume or replace"
gives 2 run --threads
says "--threads needs a value"
gives 2 info --json=yes x
says "--json takes no value"
gives 2 verify
gives 2 view a.npy --ortho --montage 4
says "two different pictures"

# operations: every one has a summary, and the three faces name the same ones
gives 0 ops --json
cp out ops.json
gives 0 generate names
cp out names
python 'ops = json.load(open("ops.json"))
names = open("names").read().split()
assert [o["name"] for o in ops] == names and len(names) > 50
assert all(o["summary"] and o["category"] for o in ops)
assert all(p["type"] for o in ops for p in o["parameters"])'
gives 0 ops
for op in gaussian_filter label read write; do
	prints "  $op "
done
gives 0 ops gaussian_filter
prints "gaussian_filter(input, sigma, order=0"
gives 2 ops gausian_filter
says "did you mean gaussian_filter?"
gives 0 ops --formats --json
cp out formats.json
python 'assert {"npy", "tiff"} <= {f["name"] for f in json.load(open("formats.json"))}'

# generated pages
gives 0 generate man pages
for page in cairn.1 cairn-run.1 cairn-view.1 cairn-ops.7; do
	check "$page exists" test -s "pages/$page"
done
if command -v groff >/dev/null; then
	for page in pages/*; do
		groff -man -Tutf8 -ww "$page" >/dev/null 2>warnings
		check "$page formats without warnings" test ! -s warnings
	done
fi
gives 0 generate completion bash
cp out cairn.bash
check "bash takes its completion" bash -n cairn.bash
cat >complete.sh <<'END'
. ./cairn.bash
COMP_WORDS=(cairn "$@"); COMP_CWORD=$#
_cairn
printf '%s\n' "${COMPREPLY[@]}"
END
check "bash completes verbs" sh -c 'bash complete.sh ex | grep -qx explain'
check "bash completes options" sh -c 'bash complete.sh run --mem | grep -qx -- --memory'
check "bash completes values" sh -c 'bash complete.sh run --on-exists re | grep -qx resume'
gives 0 generate completion zsh
prints "#compdef cairn"
gives 0 generate completion fish
prints "complete -c cairn"
gives 2 generate completion tcsh

# facts
"$PYTHON" -c 'import numpy as np; np.save("a.npy", np.zeros((4, 5, 6), "uint16"))'
gives 0 info a.npy
prints "uint16 (4, 5, 6)"
gives 0 info --json a.npy
cp out info.json
python 'f = json.load(open("info.json"))
assert f["dtype"] == "uint16" and f["shape"] == [4, 5, 6] and f["bytes"] == 240
assert f["format"] == "npy" and len(f["axes"]) == 3'
gives 3 info missing.tif
says "missing.tif"
silent
printf 'sigma = 3\nx = read("a.npy")\nsmooth = gaussian_filter(x, sigma)\nwrite(smooth, "o.npy")\n' >wf.py
gives 0 info wf.py
prints "sigma        3"
prints "smooth       uint16 (4, 5, 6)"
prints "gaussian_filter, line 3"
gives 0 info --json wf.py
cp out info.json
python 'f = json.load(open("info.json"))
assert [n["name"] for n in f["names"]] == ["sigma", "x", "smooth"]
assert f["names"][2]["shape"] == [4, 5, 6] and len(f["outputs"]) == 1'
gives 0 info 'wf.py#smooth'
prints "uint16 (4, 5, 6)"
gives 2 info 'wf.py#smoth'
says "did you mean smooth?"
gives 0 ls .
prints "./a.npy"
gives 0 ls --json .
cp out ls.json
python 'assert [e["url"] for e in json.load(open("ls.json"))] == ["./a.npy"]'
gives 3 ls nowhere
says "nowhere"
finish

# SPDX-License-Identifier: Apache-2.0
#
# lib.sh -- the frame of the end-to-end tests of the command; sourced by each *.sh beside it.
#
# usage of a test: NAME.sh CAIRN. It runs in a scratch folder of its own, calls the checks below, and
# ends with `finish`. Expected values come from NumPy or from the documentation, never from cairn.
set -u
CAIRN=$(realpath "$1")
HERE=$(dirname "$(realpath "$0")")
PYTHON=/usr/bin/python3
unset CAIRN_THREADS CAIRN_MEMORY CAIRN_SCRATCH CAIRN_FSYNC CAIRN_ISA CAIRN_CACHE
export CAIRN_COSTS=off NO_COLOR=1 LC_ALL=C.UTF-8
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/cairn-cli-XXXXXX")
trap 'rm -rf "$SCRATCH"' EXIT
cd "$SCRATCH" || exit 1
passed=0
failed=0

cairn() {
	"$CAIRN" "$@"
}

# check NAME COMMAND...: the command must succeed.
check() {
	name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $name"
	fi
}

# gives CODE ARGUMENTS...: cairn must end with this exit code; stdout and stderr are kept in out, err.
gives() {
	code=$1
	shift
	"$CAIRN" "$@" >out 2>err
	got=$?
	if [ $got -eq "$code" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: cairn $* -- exit code $got, expected $code"
		sed 's/^/    /' err
	fi
}

# says TEXT / prints TEXT: stderr / stdout of the last `gives` must contain the text.
says() {
	check "stderr says: $1" grep -qF -- "$1" err
}
prints() {
	check "stdout prints: $1" grep -qF -- "$1" out
}
silent() {
	check "stdout is empty" test ! -s out
}

# python CODE: asserts with NumPy as np, the files of the scratch folder in reach.
python() {
	printf 'import json, sys\nimport numpy as np\n%s\n' "$1" >check.py
	check "python: $1" "$PYTHON" check.py
}

need_python() {
	for module in "$@"; do
		"$PYTHON" -c "import $module" 2>/dev/null || {
			echo "needs $module for $PYTHON"
			exit 77
		}
	done
}

finish() {
	echo "[  PASSED  ] $passed test(s)."
	[ $failed -eq 0 ] || echo "[  FAILED  ] $failed test(s), listed below:"
	[ $failed -eq 0 ]
	exit $?
}

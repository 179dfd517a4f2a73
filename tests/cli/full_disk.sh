#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# full_disk.sh -- a file system that is really full, folders that may not be written and files that
# may not be read: one message that names file, chunk and op; what was written stays; with room the
# same command goes on to the bytes of a run that never stopped.
#
# The small disk is a tmpfs in a mount namespace of this script's own, so root is needed; other
# users get a printed reason. What belongs to permissions runs as nobody.
if [ -z "${CAIRN_TEST_NAMESPACE:-}" ]; then
	if unshare -m true 2>/dev/null; then
		CAIRN_TEST_NAMESPACE=own exec unshare -m sh "$0" "$@"
	fi
	CAIRN_TEST_NAMESPACE=none
fi
. "$(dirname "$0")/lib.sh"
need_python numpy
trap "umount \"$SCRATCH/small\" 2>/dev/null; rm -rf \"$SCRATCH\"" EXIT

# one_message FILE OP: exit 1 was checked before; now the text.
one_message() {
	check "one message: $1" test "$(grep -c '^cairn: error: ' err)" -eq 1
	says "$1"
	says "$2"
	check "no temporary files: $1" test -z "$(find small -name '.crn-*' -o -name '*.part' -o -name '*partial')"
}
contents() {
	(cd "$1" && find . -type f ! -path '*.cairn/*' ! -name '*.db' ! -name '*.npy' -exec cksum {} + | sort -k 3)
	"$PYTHON" - "$1" <<'PY'
import os, sqlite3, sys
import numpy as np
for folder, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        path = os.path.join(folder, name)
        if ".cairn" in folder:
            continue
        if name.endswith(".npy"):
            print(name, np.load(path).tobytes().hex()[:64], hash(np.load(path).tobytes()))
        if name.endswith(".db"):
            print(name, list(sqlite3.connect(path).execute("select * from t order by 1")))
PY
}
export PYTHONHASHSEED=0

# full_disk NAME TEXTS OPTIONS: the pipeline in wf.py writes to small/; there is room for its first
# output only. TEXTS (separated by |) must be in the message.
full_disk() {
	name=$1
	rm -rf whole
	mkdir whole
	sed 's/small/whole/' wf.py >whole.py
	gives 0 run -q --scratch "$SCRATCH" whole.py
	contents whole >expected
	mount -t tmpfs -o size=256k tmpfs small || {
		echo "not ok: mount"
		failed=$((failed + 1))
		return
	}
	gives 1 run -q -j 2 ${3:-} wf.py
	one_message "small/" "op "
	printf '%s\n' "$2" | tr '|' '\n' >texts
	while IFS= read -r text; do
		says "$text"
	done <texts
	check "$name: the output before it is whole" cmp small/first.npy whole/first.npy
	gives 1 run -q -j 2 --on-exists resume ${3:-} wf.py
	mount -o remount,size=64m small
	gives 0 run -q -j 2 --on-exists resume ${3:-} wf.py
	contents small >found
	check "$name: with room, the bytes of a run that never stopped" diff expected found
	umount small
}
mkdir small
first='write(ones((8, 8)), "small/first.npy")'
big='random((16, 128, 128)).astype("float32")'
mask='label(random((80, 128, 128)) > 0.9)'
pipeline() {
	printf '%s\n' "$first" "$1" >wf.py
}
if [ $CAIRN_TEST_NAMESPACE = own ] && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null && umount small; then
	pipeline "write($big, 'small/x.zarr', chunks=(2, 64, 64), compressor=\"none\")"
	full_disk zarr "small/x.zarr/|chunk [|No space left|--on-exists resume"
	pipeline "write($big, 'small/x.zarr', chunks=(2, 64, 64), format=\"zarr3\")"
	full_disk zarr3 "small/x.zarr/c/|chunk [|No space left"
	pipeline "write($big, 'small/x.npy')"
	full_disk npy "small/x.npy|No space left"
	pipeline "write($big, 'small/x.tif')"
	full_disk tiff "small/x.tif|No space left"
	pipeline "write(($big * 60000).astype('uint16'), 'small/x.tif', compression=\"deflate\")"
	full_disk "compressed tiff" "small/|x.tif|No space left"
	pipeline "write(($big * 60000).astype('uint16'), 'small/t/x.%03d.tif')"
	full_disk "tiff stack" "small/t/|x.0|chunk [|No space left"
	pipeline "write(($big * 60000).astype('uint16'), 'small/p/x.%03d.png')"
	full_disk "png stack" "small/p/|x.0|chunk [|No space left"
	pipeline "write(regionprops($mask), 'small/x.csv')"
	full_disk csv "small/|x.csv|No space left" "--scratch $SCRATCH"
	pipeline "write(regionprops($mask), 'small/x.db', table=\"t\")"
	full_disk sqlite "small/x.db|disk is full" "--scratch $SCRATCH"
	pipeline "write($mask, 'small/x.zarr', chunks=(8, 64, 64))"
	full_disk scratch "small/|scratch file|No space left|--scratch"
else
	echo "# skipped: a small disk (needs root and the right to mount)"
fi

# ---- permissions ----

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
if [ "$(id -u)" != 0 ]; then
	as_nobody() {
		"$@"
	}
fi
if as_nobody test -x "$CAIRN" 2>/dev/null && as_nobody "$CAIRN" --version >/dev/null 2>&1; then
	chmod 755 "$SCRATCH"
	mkdir -m 555 closed
	mkdir -m 777 open
	"$PYTHON" -c 'import numpy as np; np.save("secret.npy", np.ones((3, 4)))'
	mkdir secret.zarr
	echo '{}' >secret.zarr/.zarray
	chmod 000 secret.npy secret.zarr
	denied() {
		code=$1 text=$2
		shift 2
		as_nobody "$CAIRN" run -q "$@" >out 2>err
		got=$?
		check "exit $code, not $got: $*" test $got -eq "$code"
		check "one message: $*" test "$(grep -c '^cairn: error: ' err)" -eq 1
		says "$text"
		says "Permission denied"
	}
	for out in x.zarr x.npy x.tif p.%03d.tif p.%03d.png; do
		denied 1 closed/ -e "write(ones((4, 8, 8)).astype('uint8'), 'closed/$out')"
		says "op write"
	done
	for out in x.csv x.db; do
		denied 1 "closed/" -e "write(regionprops(label(ones((4, 8)))), 'closed/$out')" --scratch open
		says "op write"
	done
	check "nothing came to be there" test -z "$(ls -A closed)"
	denied 1 closed -e "write(label(ones((4, 8))), 'open/x.npy')" --scratch closed
	says CAIRN_SCRATCH
	denied 3 secret.npy -e "write(read('secret.npy') + 1, 'open/y.npy')"
	denied 3 secret.zarr -e "write(read('secret.zarr') + 1, 'open/y.npy')"
	check "no output without an input" test ! -e open/y.npy
	chmod 755 secret.npy secret.zarr
else
	echo "# skipped: permissions (nobody may not run $CAIRN, or there is no setpriv)"
fi
finish

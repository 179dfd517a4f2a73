#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bad_input.sh -- damaged, lying and hostile input: each gives its exit code and one message that names
# the place, leaves no temporary files, and touches nothing that was there.
. "$(dirname "$0")/lib.sh"
need_python numpy
"$PYTHON" - <<'END'
import json, os, struct, zlib
import numpy as np
a = np.random.default_rng(3).integers(0, 1000, (12, 40, 50), dtype="uint16")
np.save("a.npy", a)

# An uncompressed two-page TIFF, a PNG and Zarr arrays, byte by byte: no library's idea of them.
def tiff(name, offset=None):
    out, links = bytearray(b"II*\0" + struct.pack("<I", 0)), 4
    for page in a[:2]:
        data = len(out)
        out += page.tobytes()
        tags = [(256, 50), (257, 40), (258, 16), (259, 1), (262, 1), (273, offset or data),
                (277, 1), (278, 40), (279, 4000)]
        struct.pack_into("<I", out, links, len(out))
        out += struct.pack("<H", len(tags))
        for tag, value in tags:
            out += struct.pack("<HHII", tag, 4, 1, value)
        links = len(out)
        out += struct.pack("<I", 0)
    open(name, "wb").write(out)
tiff("good.tif")
tiff("outside.tif", offset=3000000000)
open("cut.tif", "wb").write(open("good.tif", "rb").read()[:4500])

def png(name, data=None, width=50, flip=False):
    def part(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + r.astype(">u2").tobytes() for r in a[0])
    body = zlib.compress(rows)
    if flip:
        body = body[:900] + bytes(b ^ 0x5a for b in body[900:1000]) + body[1000:]
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", width, 40, 16, 0, 0, 0, 0))
                           + part(b"IDAT", body) + part(b"IEND", b""))
png("good.png")
png("corrupt.png", flip=True)
png("lying.png", width=200000)
png("absurd.png", width=2000000000)
open("cut.png", "wb").write(open("good.png", "rb").read()[:1500])
os.mkdir("stack")
for i in (0, 1, 3):
    png(f"stack/s.{i:03d}.png")

meta = {"zarr_format": 2, "shape": [12, 40, 50], "chunks": [6, 20, 25], "dtype": "<u2", "order": "C",
        "compressor": {"id": "zlib", "level": 1}, "fill_value": 0, "filters": None}
def zarr(name, **changes):
    os.mkdir(name)
    json.dump({**meta, **changes}, open(name + "/.zarray", "w"))
    for i in range(2):
        for j in range(2):
            for k in range(2):
                part = a[i * 6:i * 6 + 6, j * 20:j * 20 + 20, k * 25:k * 25 + 25]
                open(f"{name}/{i}.{j}.{k}", "wb").write(zlib.compress(part.tobytes()))
zarr("good.zarr")
zarr("cut.zarr"); os.truncate("cut.zarr/1.0.1", 100)
zarr("noise.zarr"); open("noise.zarr/1.0.1", "wb").write(os.urandom(3000))
zarr("bomb_chunk.zarr"); open("bomb_chunk.zarr/1.0.1", "wb").write(zlib.compress(bytes(1 << 26)))
zarr("zero.zarr", chunks=[0, 20, 25])
zarr("huge.zarr", chunks=[2 ** 62, 20, 25])
zarr("vast.zarr", shape=[2 ** 62, 2 ** 62, 4])
zarr("negative.zarr", shape=[12, -40, 50])
zarr("codec.zarr", compressor={"id": "warp"})
zarr("dtype.zarr", dtype="<c16")
for name, file, text in (("bomb2.zarr", ".zarray", "["), ("bomb3.zarr", "zarr.json", '{"a":')):
    os.mkdir(name)
    open(f"{name}/{file}", "w").write(text * 200000)
header = b"{'descr': '<u2', 'fortran_order': False, 'shape': (4611686018427387904, 4, 4), }"
open("lying.npy", "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + b"1234")
open("cut.npy", "wb").write(open("a.npy", "rb").read()[:5000])
open("noise.py", "wb").write(os.urandom(8192))
open("zeros.py", "wb").write(b"x = 1\0\0print(2)\n" + bytes(4096))
open("nested.py", "w").write("print(" + "[" * 100000 + "1" + "]" * 100000 + ")")
open("signs.py", "w").write("print(" + "-" * 100000 + "1)")
open("diamond.py", "w").write('x = read("a.npy")\n' + "".join(f"x = x + x * {i}\n" for i in range(2, 32))
                              + "print(x.max())\n")
END
sums() {
	find . -type f ! -name out ! -name err ! -name '*check.py' ! -path './new*' ! -path './.new*' -exec cksum {} + | sort >"$1"
}
sums "$SCRATCH.before"
trap 'rm -rf "$SCRATCH" "$SCRATCH.before" "$SCRATCH.after"' EXIT

# refuses CODE TEXT... -- ARGUMENTS...: this exit code, one message with every text, nothing left.
refuses() {
	want=$1
	shift
	: >texts
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>texts
		shift
	done
	shift
	gives "$want" "$@"
	check "one message: $*" test "$(grep -c '^cairn: error: ' err)" -eq 1
	while IFS= read -r text; do
		check "it says '$text': $*" grep -qF -- "$text" err
	done <texts
	rm -f texts
	check "no temporary files: $*" test -z "$(find . -name '.crn-*' -o -name '*.part')"
}

# inputs: what a file says about itself is not believed
refuses 3 cut.tif -- run -e 'print(read("cut.tif").sum())'
refuses 3 outside.tif -- run -e 'print(read("outside.tif").sum())'
refuses 3 corrupt.png "op read" -- run -e 'print(read("corrupt.png").sum())'
refuses 3 cut.png "op read" -- run -e 'print(read("cut.png").sum())'
refuses 3 lying.png -- run -e 'print(read("lying.png")[0, :10].sum())'
refuses 4 absurd.png "op read, line 1" -- run --memory 1G -e 'print(read("absurd.png").max())'
refuses 3 "stack/s.002.png" "missing" -- run -e 'print(read("stack/s.%03d.png").sum())'
refuses 3 cut.npy -- run -e 'print(read("cut.npy").sum())'
refuses 3 lying.npy -- run -e 'print(read("lying.npy").sum())'
for bad in cut noise bomb_chunk; do
	refuses 3 "$bad.zarr/1.0.1" "op read, line 1" "[6:12, 0:20, 25:50]" -- \
		run -e "print(read('$bad.zarr').sum())"
	refuses 3 "$bad.zarr/1.0.1" "op read, line 1" -- \
		run -j 3 -e "read('$bad.zarr').median_filter(3).label().write('new_$bad.zarr')"
	refuses 6 "$bad.zarr/1.0.1" "op read, line 1" -- run --keep-going \
		-e "read('$bad.zarr').write('new_keep_$bad.zarr', chunks=(6, 20, 25))"
	check "the other chunks are written" test "$(find "new_keep_$bad.zarr" -type f -name '[0-9]*' | wc -l)" -eq 7
done
for bad in zero huge vast negative; do
	refuses 3 "$bad.zarr" -- run -e "print(read('$bad.zarr').sum())"
	refuses 3 "$bad.zarr" -- info "$bad.zarr"
done
refuses 3 codec.zarr warp -- run -e 'print(read("codec.zarr").sum())'
refuses 3 dtype.zarr c16 -- run -e 'print(read("dtype.zarr").sum())'
refuses 3 bomb2.zarr/.zarray nested -- run -e 'print(read("bomb2.zarr").sum())'
refuses 3 bomb3.zarr/zarr.json nested -- run -e 'print(read("bomb3.zarr").sum())'

# pipeline texts
refuses 2 noise.py -- run noise.py
refuses 2 zeros.py NUL -- run zeros.py
refuses 2 nested.py "line 1" -- run nested.py
refuses 2 signs.py "line 1" -- run signs.py
refuses 4 "--memory" -- run --memory 4K -e 'print(read("a.npy").gaussian_filter(3).sum())'
gives 0 explain diamond.py

# outputs are never inputs, under any name
ln -s a.npy link.npy
for same in a.npy link.npy "file://$PWD/a.npy" new_missing/../a.npy; do
	refuses 5 "is also an input" -- run --on-exists replace -e "write(read('a.npy') + 1, '$same')"
done
refuses 5 "is also an input" -- run --on-exists replace \
	-e 'write(read("stack/*.png", missing="skip") + 1, "stack/s.%03d.png")'
refuses 5 "is also an input" -- run --on-exists replace -e 'write(read("stack/s.000.png"), "stack", format="png")'
refuses 5 "is also an input" -- run --on-exists replace \
	-e 'write(read("good.zarr") + 1, "good.zarr/inner.zarr")'
rm link.npy

# what exists is left alone
refuses 5 a.npy -- run -e 'ones((3, 4)).write("a.npy")'
refuses 5 stack -- run -e 'ones((3, 40, 50)).astype("uint8").write("stack/s.%03d.png")'
refuses 5 good.zarr -- run -e 'ones((3, 4)).write("good.zarr")'
echo notes >new_notes.db
refuses 1 new_notes.db -- run -e 'x = read("a.npy"); regionprops(label(x > 500), x).write("new_notes.db", table="t")'
check "a file that is no database is left alone" test "$(cat new_notes.db)" = notes

# folders that cannot be: below a file
for suffix in npy zarr tif csv db; do
	what='read("a.npy")'
	case $suffix in csv | db) what='regionprops(label(read("a.npy") > 500))' ;; esac
	refuses 1 "good.png" -- run -e "$what.write('good.png/out.$suffix')"
done

# no room: the file size limit stands in for a full disk; with room again the same command goes on
ulimit_run() {
	(
		trap '' XFSZ
		ulimit -f 64
		exec "$CAIRN" run -j 2 "$1"
	) >out 2>err
}
for suffix in npy zarr tif db; do
	what='random((8, 128, 128)).astype("float32")'
	option=
	test $suffix = zarr && option=', chunks=(8, 128, 128), compressor="none"'
	test $suffix = db && what='regionprops(label(random((64, 128, 128)) > 0.8))'
	echo "$what.write('new_full.$suffix'$option)" >new_full.py
	ulimit_run new_full.py
	code=$?
	check "no room for .$suffix: exit 1, not $code" test $code -eq 1
	check "one message: $suffix" test "$(grep -c '^cairn: error: ' err)" -eq 1
	case $suffix in db) says "scratch file" && says "--scratch" ;; *) says "new_full.$suffix" ;; esac
	check "no temporary files: $suffix" test -z "$(find . -name '.crn-*' -o -name '*.part')"
	check "no false output: $suffix" test ! -e new_full.$suffix -o ! -f new_full.$suffix/.zarray
	gives 0 run new_full.py
done

# no room even for the first line of the journal: the same command starts afresh
for suffix in npy zarr tif; do
	(
		trap '' XFSZ
		ulimit -f 0
		exec "$CAIRN" run -q -e "ones((4, 4)).write('new_none.$suffix')"
	) 2>&1 | cat >err
	says "new_none.$suffix"
	gives 0 run -e "ones((4, 4)).write('new_none.$suffix')"
done

sums "$SCRATCH.after"
check "everything that was there is as it was" diff "$SCRATCH.before" "$SCRATCH.after"
finish

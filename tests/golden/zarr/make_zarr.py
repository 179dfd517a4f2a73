# SPDX-License-Identifier: Apache-2.0
"""Writes the golden Zarr arrays beside this script, with other people's code.

    /usr/bin/python3 make_zarr.py v2      # Debian 12: zarr 2.13.6, numcodecs 0.11.0, numpy 1.24.2
    VENV/bin/python  make_zarr.py v3      # PyPI: zarr 3.1.6, numcodecs 0.16.6, numpy 2.4.6

Each call replaces its folder and its list of cases (cases-v2.txt, cases-v3.txt), one line a case:

    folder dtype extents expectation

extents are joined by "x" ("-" for none); the expectation is "formula" (formula() below, which the
test repeats), "fill:HEX" (every element has these bytes), "half:HEX" (columns from 13 on do), or
"refused:WORD" (opening fails and the message holds WORD).
"""
import os
import shutil
import sys

import numpy as np
import zarr
import numcodecs

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE, CHUNKS = (12, 20), (12, 13)
MULTIPLE = {1: 1, 2: 257, 4: 16777217, 8: 72057594037927937}


def formula(dtype, shape):
    """Element i in C order, from v = (i * i // 7) % 251, spread over the range of the dtype."""
    dtype = np.dtype(dtype)
    n = int(np.prod(shape, dtype=np.int64))
    v = [(i * i // 7) % 251 for i in range(n)]
    if dtype.kind == "b":
        v = [x % 3 == 0 for x in v]
    elif dtype.kind == "u":
        v = [x * MULTIPLE[dtype.itemsize] for x in v]
    elif dtype.kind == "i":
        v = [(x - 125) * MULTIPLE[dtype.itemsize] for x in v]
    else:
        v = [(x - 125) / 8 for x in v]
    return np.array(v, dtype=dtype).reshape(shape)


class Cases:
    def __init__(self, name):
        self.name = name
        self.lines = []
        shutil.rmtree(os.path.join(HERE, name), ignore_errors=True)
        os.makedirs(os.path.join(HERE, name))

    def add(self, folder, dtype, shape, expectation):
        extents = "x".join(str(n) for n in shape) or "-"
        self.lines.append(f"{self.name}/{folder} {np.dtype(dtype).name} {extents} {expectation}\n")
        return os.path.join(HERE, self.name, folder)

    def write(self):
        with open(os.path.join(HERE, f"cases-{self.name}.txt"), "w") as f:
            f.writelines(self.lines)


def make_v2():
    cases = Cases("v2")

    def array(folder, dtype="<u2", shape=SHAPE, chunks=CHUNKS, expectation="formula", drop=None, **kw):
        path = cases.add(folder, dtype, shape, expectation)
        store = zarr.DirectoryStore(path)
        kw.setdefault("compressor", None)
        z = zarr.create(shape=shape, chunks=chunks, dtype=dtype, store=store, write_empty_chunks=True, **kw)
        if not expectation.startswith(("fill", "refused")):
            z[...] = formula(dtype, shape)
        if drop:
            os.remove(os.path.join(path, drop))

    for code in "|b1 |u1 |i1 <u2 >u2 <i2 >i2 <u4 >u4 <i4 >i4 <u8 >u8 <i8 >i8 <f4 >f4 <f8 >f8".split():
        big = "big-" if code[0] == ">" else ""
        array("raw-" + big + code[1:], code)
    for cname in ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"):
        for shuffle in (0, 1, 2, -1):
            compressor = numcodecs.Blosc(cname=cname, clevel=5, shuffle=shuffle)
            array(f"blosc-{cname}-{shuffle % 4}", "<u4", compressor=compressor)
    array("blosc-stored", "<f8", compressor=numcodecs.Blosc(cname="lz4", clevel=0))
    array("blosc-bytes", "|u1", compressor=numcodecs.Blosc(cname="zstd", clevel=9, shuffle=-1))
    array("zlib", "<i4", compressor=numcodecs.Zlib(9))
    array("gzip", "<i4", compressor=numcodecs.GZip(1))
    array("zstd", "<f4", compressor=numcodecs.Zstd(3))
    array("lz4", "<i8", compressor=numcodecs.LZ4(1))
    array("bz2", "<i8", compressor=numcodecs.BZ2(1), expectation="refused:bz2")
    array("lzma", "<i8", compressor=numcodecs.LZMA(preset=1), expectation="refused:lzma")
    array("delta", "<i2", filters=[numcodecs.Delta("<i2")], compressor=numcodecs.Zlib(1))
    array("shuffle", "<u8", filters=[numcodecs.Shuffle(8)], compressor=numcodecs.LZ4(1))
    array("delta-shuffle-f-big", ">u4", order="F", filters=[numcodecs.Delta(">u4"), numcodecs.Shuffle(4)])
    array("quantize", "<f8", filters=[numcodecs.Quantize(3, "<f8")], expectation="refused:quantize")
    array("f-order", "<u2", order="F", compressor=numcodecs.Zstd(1))
    array("f-order-3d", ">i4", shape=(5, 6, 7), chunks=(2, 4, 3), order="F")
    array("c-order-3d", "<i4", shape=(5, 6, 7), chunks=(2, 4, 3), dimension_separator="/")
    array("slash", "<u2", dimension_separator="/", compressor=numcodecs.Blosc())
    array("one", "<i4", shape=(), chunks=())
    array("empty", "<f4", shape=(3, 0), chunks=(2, 2))
    array("large-chunk", "<u2", chunks=(100, 100), compressor=numcodecs.GZip(9))
    array("missing", "<i2", fill_value=-7, drop="0.1", expectation="half:f9ff")
    array("missing-null", "<i2", fill_value=None, drop="0.1", expectation="half:0000")
    array("half", "<f2", expectation="refused:float16")
    array("text", "<U4", shape=(2,), chunks=(2,), expectation="refused:U4")
    # No -0.0 here: this zarr writes it as 0.0.
    fills = {"nan": ("<f4", np.nan), "inf": ("<f8", np.inf), "minus-inf": ("<f4", -np.inf),
             "u64-max": ("<u8", 2**64 - 1), "i64-min": ("<i8", -2**63),
             "true": ("|b1", True), "tenth": ("<f4", 0.1)}
    for name, (dtype, value) in fills.items():
        bits = np.array(value, dtype=dtype).tobytes().hex()
        array("fill-" + name, dtype, shape=(2, 3), chunks=(2, 2), fill_value=value, expectation="fill:" + bits)
    group = zarr.open_group(os.path.join(HERE, "v2", "image"), mode="w")
    cases.add("image", "<u2", SHAPE, "formula")
    group.create_dataset("0", data=formula("<u2", SHAPE), chunks=CHUNKS, dimension_separator="/")
    scale = [{"type": "scale", "scale": [0.5, 0.25]}]
    group.attrs["multiscales"] = [{
        "version": "0.4",
        "axes": [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"],
        "datasets": [{"path": "0", "coordinateTransformations": scale}],
    }]
    cases.write()


def make_v3():
    from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

    cases = Cases("v3")

    def array(folder, dtype="uint16", shape=SHAPE, chunks=CHUNKS, expectation="formula", drop=None, **kw):
        path = cases.add(folder, dtype, shape, expectation)
        kw.setdefault("compressors", None)
        kw.setdefault("fill_value", 0)
        z = zarr.create_array(path, shape=shape, chunks=chunks, dtype=dtype, zarr_format=kw.pop("zarr_format", 3),
                              config={"write_empty_chunks": True}, **kw)
        if not expectation.startswith(("fill", "refused")):
            z[...] = formula(dtype, shape)
        if drop:
            os.remove(os.path.join(path, drop))

    for dtype in ("bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64").split():
        array("raw-" + dtype, dtype)
    for dtype in ("uint16", "int32", "float64"):
        array("big-" + dtype, dtype, serializer=BytesCodec(endian="big"))
    for cname in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        for shuffle in ("noshuffle", "shuffle", "bitshuffle"):
            codec = BloscCodec(cname=cname, clevel=5, shuffle=shuffle, typesize=4)
            array(f"blosc-{cname}-{shuffle}", "uint32", compressors=codec)
    array("gzip", "int32", compressors=GzipCodec(level=5))
    array("zstd", "float32", compressors=ZstdCodec(level=0))
    array("zstd-checksum", "float32", compressors=ZstdCodec(level=3, checksum=True))
    array("crc32c", "int64", compressors=[ZstdCodec(), Crc32cCodec()])
    array("transpose", "uint16", filters=TransposeCodec(order=(1, 0)), serializer=BytesCodec(endian="big"),
          compressors=Crc32cCodec())
    array("transpose-3d", "int16", shape=(5, 6, 7), chunks=(2, 4, 3), filters=TransposeCodec(order=(2, 0, 1)),
          compressors=ZstdCodec())
    array("dots", "uint16", chunk_key_encoding={"name": "default", "separator": "."})
    array("v2-keys", "uint16", chunk_key_encoding={"name": "v2", "separator": "."})
    array("v2-keys-slash", "uint16", chunk_key_encoding={"name": "v2", "separator": "/"})
    array("one", "int32", shape=(), chunks=())
    array("empty", "float32", shape=(3, 0), chunks=(2, 2))
    array("missing", "int16", fill_value=-7, drop="c/0/1", expectation="half:f9ff")
    array("names", "uint16", dimension_names=("y", None))
    array("sharded", "uint16", shards=(24, 26), expectation="refused:sharded")
    array("half", "float16", expectation="refused:float16")
    fills = {"nan": ("float32", np.nan), "inf": ("float64", np.inf), "minus-zero": ("float64", -0.0),
             "u64-max": ("uint64", 2**64 - 1), "i64-min": ("int64", -2**63),
             "true": ("bool", True), "tenth": ("float32", np.float32(0.1))}
    for name, (dtype, value) in fills.items():
        bits = np.array(value, dtype=dtype).tobytes().hex()
        array("fill-" + name, dtype, shape=(2, 3), chunks=(2, 2), fill_value=value, expectation="fill:" + bits)
    array("v2-by-3", "uint16", zarr_format=2, compressors=numcodecs.Zstd(0))
    array("v2-by-3-blosc", "int64", zarr_format=2, order="F", compressors=numcodecs.Blosc(cname="zstd", shuffle=2))
    group = zarr.create_group(os.path.join(HERE, "v3", "image"), zarr_format=3)
    cases.add("image", "uint16", SHAPE, "formula")
    z = group.create_array("s0", shape=SHAPE, chunks=CHUNKS, dtype="uint16", dimension_names=("y", "x"))
    z[...] = formula("uint16", SHAPE)
    scale = [{"type": "scale", "scale": [0.5, 0.25]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{
        "axes": [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"],
        "datasets": [{"path": "s0", "coordinateTransformations": scale}],
    }]}
    cases.write()


if __name__ == "__main__":
    print("zarr", zarr.__version__, "numcodecs", numcodecs.__version__, "numpy", np.__version__)
    {"v2": make_v2, "v3": make_v3}[sys.argv[1]]()

# SPDX-License-Identifier: Apache-2.0
"""Reads Zarr arrays that cairn wrote, with zarr-python, and compares every element.

    check_written.py FOLDER

FOLDER/cases.txt lists them, a line each: folder zarr_format dtype extents expectation (see
make_zarr.py). Prints what differs; status 1 if anything does, 77 if zarr is not installed here.
zarr-python 2 cannot read Zarr v3: those arrays are counted and left out.
"""
import os
import sys

try:
    import numpy as np
    import zarr
except ImportError as why:
    print("skipped:", why)
    sys.exit(77)

MULTIPLE = {1: 1, 2: 257, 4: 16777217, 8: 72057594037927937}


def formula(dtype, shape):
    dtype = np.dtype(dtype)
    v = [(i * i // 7) % 251 for i in range(int(np.prod(shape, dtype=np.int64)))]
    if dtype.kind == "b":
        v = [x % 3 == 0 for x in v]
    elif dtype.kind == "u":
        v = [x * MULTIPLE[dtype.itemsize] for x in v]
    elif dtype.kind == "i":
        v = [(x - 125) * MULTIPLE[dtype.itemsize] for x in v]
    else:
        v = [(x - 125) / 8 for x in v]
    return np.array(v, dtype=dtype).reshape(shape)


def expected(dtype, shape, expectation):
    a = formula(dtype, shape)
    if expectation.startswith("half:"):
        a[..., 13:] = np.frombuffer(bytes.fromhex(expectation[5:]), dtype=np.dtype(dtype))[0]
    return a


def main(folder):
    n, n_left_out, n_bad = 0, 0, 0
    modern = int(zarr.__version__.split(".")[0]) >= 3
    for line in open(os.path.join(folder, "cases.txt")):
        name, version, dtype, extents, expectation = line.split()
        if version == "3" and not modern:
            n_left_out += 1
            continue
        shape = () if extents == "-" else tuple(int(x) for x in extents.split("x"))
        z = zarr.open_array(os.path.join(folder, name), mode="r")
        got, want = np.asarray(z[...]), expected(dtype, shape, expectation)
        same = got.shape == want.shape and got.dtype.newbyteorder("=") == want.dtype
        same = same and got.astype(want.dtype).tobytes() == want.tobytes()
        if not same:
            print(f"{name}: differs (dtype {got.dtype}, shape {got.shape})")
            n_bad += 1
        n += 1
    print(f"zarr {zarr.__version__} read {n} arrays of cairn, {n_bad} differ, {n_left_out} left out")
    return 1 if n_bad or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

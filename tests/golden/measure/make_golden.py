#!/usr/bin/env python3
"""Makes the golden files of measure: what numpy, scipy and scikit-image answer.

usage: make_golden.py   (writes arrays.bin, cases.txt and versions.txt beside itself)

cases.txt: one case a line, fields split by '|':
    op | arguments in pipeline syntax | inputs, blank-separated | expected | rtol
An array is dtype:AxBxC:offset of its raw C-order bytes in arrays.bin.
"""
import math
import os

import numpy as np
import scipy
import scipy.ndimage as ndi
import skimage
import skimage.filters
import skimage.measure
import skimage.morphology

HERE = os.path.dirname(os.path.abspath(__file__))
cases = []
stored = {}
blob = bytearray()


def store(array):
    array = np.asarray(array)
    key = (array.dtype.name, array.shape, array.tobytes())
    if key not in stored:
        while len(blob) % 8:
            blob.append(0)
        stored[key] = "%s:%s:%d" % (key[0], "x".join(map(str, key[1])), len(blob))
        blob.extend(key[2])
    return stored[key]


def case(op, text, inputs, expected, rtol=0.0):
    names = " ".join(store(i) for i in inputs)
    cases.append("%s|%s|%s|%s|%r" % (op, text, names, store(expected), rtol))


rng = np.random.default_rng(20240501)
INTS = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
FLOATS = ["float32", "float64"]


def make(dtype, shape):
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype.startswith("float"):
        v = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12, shape)
        return v.astype(dtype)
    i = np.iinfo(dtype)
    return rng.integers(i.min, i.max, shape, dtype=dtype, endpoint=True)


def exact_sum(a, axis):
    """math.fsum along axes, as float64."""
    axes = range(a.ndim) if axis is None else (axis,) if np.isscalar(axis) else axis
    axes = [d % a.ndim for d in axes]
    kept = [d for d in range(a.ndim) if d not in axes]
    b = np.transpose(a, kept + axes).reshape([a.shape[d] for d in kept] + [-1])
    return np.apply_along_axis(lambda v: math.fsum(v.astype(float)), -1, b)


def reduce_all(a, axis, keep):
    dtype = a.dtype.name
    text = "axis=%r, keepdims=%r" % (axis, keep)
    kw = dict(axis=axis, keepdims=keep)
    # longdouble: 64 bits of mantissa, enough to see our correctly rounded results
    wide = np.asarray(a, dtype=np.longdouble)
    small = dtype == "float32"
    if dtype in FLOATS:
        n = a.size if axis is None else np.prod([a.shape[d] for d in np.atleast_1d(axis)])
        s = exact_sum(a, axis)
        s = s.reshape(a.sum(**kw).shape)
        case("sum", text, [a], s.astype(dtype))
        # the exact sum rounded, then divided: two roundings against our one
        case("mean", text, [a], (s / n).astype(dtype), 2e-7 if small else 1e-15)
    else:
        case("sum", text, [a], a.sum(**kw))
        case("mean", text, [a], wide.mean(**kw).astype(float), 1e-15)
    out, tol = ("float32", 3e-7) if small else ("float64", 1e-12)
    case("var", text + ", ddof=1", [a], wide.var(ddof=1, **kw).astype(out), tol)
    case("std", text, [a], wide.std(**kw).astype(out), tol)
    for op in ["min", "max", "any", "all"]:
        case(op, text, [a], getattr(a, op)(**kw))
    case("count_nonzero", text, [a], np.asarray(np.count_nonzero(a, **kw), dtype="int64"))
    if axis is None or np.isscalar(axis):
        for op in ["argmin", "argmax"]:
            case(op, text, [a], np.asarray(getattr(a, op)(axis=axis, keepdims=keep)))


def reductions():
    for dtype in INTS + FLOATS:
        a = make(dtype, (7, 5, 131))
        for axis in [None, 0, 1, -1, (0, 2), (0, 1, 2)]:
            reduce_all(a, axis, False)
        reduce_all(a, 0, True)
        reduce_all(a, None, True)
        reduce_all(make(dtype, (301,)), None, False)
        reduce_all(make(dtype, (2, 3, 4, 33)), (1, 3), False)
        reduce_all(make(dtype, (2, 3, 4, 33)), 2, False)
    special = np.array([[1, np.nan, 3, -0.0], [np.inf, -np.inf, 2, 0.0], [np.inf, 1, 2, -3],
                        [0.0, -0.0, -0.0, 0.0]])
    for dtype in FLOATS:
        with np.errstate(all="ignore"):
            a = special.astype(dtype)
            for op in ["sum", "mean", "min", "max", "argmin", "argmax", "any", "all"]:
                case(op, "axis=1", [a], np.asarray(getattr(a, op)(axis=1)))
    few = (np.arange(60).reshape(3, 20) % 4).astype("uint8")
    for axis in [None, 0, 1]:
        for op in ["argmin", "argmax", "all", "any"]:
            case(op, "axis=%r" % axis, [few], np.asarray(getattr(few, op)(axis=axis)))
    # cancellation: naive summation loses everything
    powers = 2.0 ** np.arange(-1070, 1000, 7.0)
    hard = np.concatenate([[1e300, 1.0, -1e300, 1e-300], powers, -powers, [5e-324] * 3])
    case("sum", "", [hard], np.asarray(math.fsum(hard)))
    hard = np.concatenate([[1e30, 1.0, -1e30, 1e-30], [1e-45] * 5]).astype("float32")
    case("sum", "", [hard], np.asarray(math.fsum(hard.astype(float)), dtype="float32"))
    # a large mean eats naive variances
    a = (1e9 + rng.random(1000)).astype("float64")
    case("var", "", [a], np.asarray(np.var(a.astype(np.longdouble))).astype(float), 1e-12)


def spiral(n):
    """One path of width 1 from the corner to the middle, with gaps of width 1."""
    a = np.zeros((n, n), bool)
    y, x, steps = 0, 0, n - 1
    a[0, 0] = True
    for k, (dy, dx) in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0)] * n):
        if k >= 3 and k % 2 == 1:
            steps -= 2
        for _ in range(steps):
            y, x = y + dy, x + dx
            a[y, x] = True
        if steps <= 0:
            break
    return a


def labels():
    for shape in [(200,), (33, 47), (9, 14, 37), (4, 5, 6, 19)]:
        for density in (0.1, 0.35, 0.6, 0.97):
            a = rng.random(shape) < density
            for connectivity in range(1, len(shape) + 1):
                s = ndi.generate_binary_structure(len(shape), connectivity)
                case("label", "connectivity=%d" % connectivity, [a], ndi.label(a, s)[0])
    for dtype in INTS[1:] + FLOATS:
        a = rng.integers(0, 3, (12, 70))
        a = a.astype(dtype) if dtype[0] == "u" else (a - 1).astype(dtype)
        case("label", "dtype='int64'", [a], ndi.label(a)[0].astype("int64"))
    for k in range(12):  # random symmetric structures, some without x neighbours
        ndim = 2 + k % 2
        s = rng.random((3,) * ndim) < 0.4
        s = s | s[(slice(None, None, -1),) * ndim]
        s[(1,) * ndim] = True
        if k % 3 == 0:
            s[(1,) * (ndim - 1) + (0,)] = s[(1,) * (ndim - 1) + (2,)] = False
        a = rng.random((11, 23) if ndim == 2 else (6, 7, 21)) < 0.45
        case("label", "structure=%s" % s.astype(int).tolist(), [a], ndi.label(a, s)[0])
    shapes = [spiral(40), spiral(41)]
    comb = np.zeros((24, 50), bool)
    comb[:, ::2] = True
    comb[-1] = True
    shapes += [comb, comb[::-1], np.zeros((5, 6), bool), np.ones((5, 6), bool)]
    for a in shapes:
        case("label", "", [a], ndi.label(a)[0])
    board = np.indices((7, 8, 9)).sum(0) % 2 == 0
    for connectivity in (1, 2, 3):
        s = ndi.generate_binary_structure(3, connectivity)
        case("label", "connectivity=%d" % connectivity, [board], ndi.label(board, s)[0])


def main():
    for make_cases in (reductions, labels):
        make_cases()
    with open(os.path.join(HERE, "cases.txt"), "w") as f:
        f.write("\n".join(cases) + "\n")
    with open(os.path.join(HERE, "arrays.bin"), "wb") as f:
        f.write(blob)
    with open(os.path.join(HERE, "versions.txt"), "w") as f:
        f.write("numpy %s\nscipy %s\nscikit-image %s\n" % (
            np.__version__, scipy.__version__, skimage.__version__))


main()

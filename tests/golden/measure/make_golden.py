#!/usr/bin/env python3
"""Makes the golden files of measure: what numpy, scipy and scikit-image answer.

usage: make_golden.py   (writes arrays.bin, cases.txt and versions.txt beside itself)

cases.txt: one case a line, fields split by '|':
    op | arguments in pipeline syntax | inputs, blank-separated | expected | rtol
An array is dtype:AxBxC:offset of its raw C-order bytes in arrays.bin.
"""
import math
import os
from fractions import Fraction

import numpy as np
import scipy
import scipy.ndimage as ndi
import skimage
import skimage.filters
import skimage.measure
import skimage.morphology
import skimage.transform

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


def nearest_float32(exact):
    """The float32 nearest to a Fraction, ties to even: not by way of float64, which rounds twice."""
    first = np.float32(float(exact))
    near = [first, np.nextafter(first, np.float32(np.inf)), np.nextafter(first, np.float32(-np.inf))]
    return min(near, key=lambda v: (abs(Fraction(float(v)) - exact), int(v.view("uint32")) & 1))


def fsum(values, dtype):
    if dtype == "float32":
        return nearest_float32(sum(map(Fraction, values.tolist())))
    return math.fsum(values)


def exact_sum(a, axis):
    """Correctly rounded sums along axes, in the dtype of a."""
    axes = range(a.ndim) if axis is None else (axis,) if np.isscalar(axis) else axis
    axes = [d % a.ndim for d in axes]
    kept = [d for d in range(a.ndim) if d not in axes]
    b = np.transpose(a, kept + axes).reshape([a.shape[d] for d in kept] + [-1])
    return np.apply_along_axis(lambda v: fsum(v, a.dtype.name), -1, b)


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
        a = make(dtype, (5, 4, 61))
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
    case("sum", "", [hard], np.asarray(fsum(hard, "float32")))
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
    for shape in [(200,), (23, 41), (6, 9, 31), (3, 4, 5, 17)]:
        for density in (0.1, 0.35, 0.6, 0.97):
            a = rng.random(shape) < density
            for connectivity in range(1, len(shape) + 1):
                s = ndi.generate_binary_structure(len(shape), connectivity)
                case("label", "connectivity=%d" % connectivity, [a], ndi.label(a, s)[0])
    for dtype in INTS[1:] + FLOATS:
        a = rng.integers(0, 3, (9, 40))
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


def small():
    for shape in [(30, 41), (6, 9, 21)]:
        for density in (0.3, 0.5):
            a = rng.random(shape) < density
            for connectivity in range(1, len(shape) + 1):
                for size in (0, 2, 5, 64):
                    text = "%d, connectivity=%d" % (size, connectivity)
                    case("remove_small_objects", text, [a],
                         skimage.morphology.remove_small_objects(a, size, connectivity))
                    case("remove_small_holes", text, [a],
                         skimage.morphology.remove_small_holes(a, size, connectivity))
            case("binary_fill_holes", "", [a], ndi.binary_fill_holes(a))
            case("binary_fill_holes", "", [~a], ndi.binary_fill_holes(~a))
            for dtype in INTS[1:]:
                ids = (ndi.label(a)[0] % 100).astype(dtype)
                case("remove_small_objects", "9", [ids],
                     skimage.morphology.remove_small_objects(
                         ids.astype("int64"), 9).astype(dtype))


def regions():
    labels = ndi.label(rng.random((7, 9, 21)) < 0.3, np.ones((3, 3, 3)))[0]
    blocks = (np.indices((7, 9, 21)) // 4 * np.array([1, 3, 15]).reshape(3, 1, 1, 1)).sum(0)
    flat = np.where(rng.random((20, 30)) < 0.5, rng.integers(0, 9, (20, 30)), 0)
    line = np.repeat(rng.integers(0, 4, 60), 9)
    for ids in (labels, blocks.astype("uint16"), flat.astype("uint8"), line.astype("int64"),
                line.astype("uint64")):
        for dtype in ["uint8", "uint16", "int16", "int32", "uint32", "bool"] + FLOATS:
            image = make(dtype, ids.shape)
            if dtype == "float64":
                image = rng.standard_normal(ids.shape)
            region_case(ids, [image])
    region_case(labels, [])
    region_case(labels, [make("uint8", labels.shape), make("float32", labels.shape)])


def region_case(ids, images):
    """The table as one float64 array: a row a label; sums of floats by math.fsum."""
    rows = []
    for k in np.unique(ids[ids > 0]):
        at = np.nonzero(ids == k)
        row = [k, at[0].size] + [c.min() for c in at] + [c.max() + 1 for c in at]
        row += [math.fsum(c) / c.size for c in at]
        row.append(any(c.min() == 0 or c.max() == n - 1 for c, n in zip(at, ids.shape)))
        stats = []
        for image in images:
            v = image[at]
            exact = [float(x) for x in v]
            wide = v.astype(np.longdouble)
            stats.append([math.fsum(exact) / v.size, float(v.min()), float(v.max()),
                          float(wide.std()), math.fsum(exact)])
        row += list(np.array(stats).T.ravel())
        rows.append(row)
    check_against_skimage(ids, images, np.array(rows, float))
    case("regionprops", "", [ids] + images, np.array(rows, float), 1e-12)


def check_against_skimage(ids, images, rows):
    """Our formulas above must be skimage's (bbox, centroid, intensities)."""
    if ids.ndim == 1 or ids.dtype == np.uint64:
        return
    names = ["label", "area", "bbox", "centroid"]
    t = skimage.measure.regionprops_table(ids, properties=names)
    want = np.stack([np.asarray(v, float) for v in t.values()], 1)
    np.testing.assert_allclose(rows[:, :want.shape[1]], want, rtol=1e-12)
    for k, image in enumerate(images):
        t = skimage.measure.regionprops_table(
            ids, image.astype(float),
            properties=["mean_intensity", "min_intensity", "max_intensity"])
        first = want.shape[1] + 1
        got = rows[:, [first + k, first + len(images) + k, first + 2 * len(images) + k]]
        np.testing.assert_allclose(got, np.stack(list(t.values()), 1), rtol=1e-9)


def orders():
    """Order statistics, histograms and Otsu's threshold."""
    for dtype in INTS + FLOATS:
        for shape in [(5, 7, 11), (40,), (1,)]:
            a = make(dtype, shape)
            if dtype in ("int64", "uint64"):  # numpy subtracts these in wrapping integers
                a = (a >> 3).astype(dtype)
            if dtype in ("int8", "int16", "int32"):
                a = (a // 2).astype(dtype)
            if dtype != "bool":
                for q in (0, 50, 100, 33.3, [1, 5, 25.0, 99.9]):
                    want = np.asarray(np.percentile(a, q)).astype("float64")
                    case("percentile", repr(q), [a], want, 1e-12)
                case("median", "", [a], np.asarray(np.median(a)), 1e-12)
            if dtype == "bool" or a.size == 1 and abs(float(a[0])) > 1e9:
                continue  # numpy itself fails on 1e18 +- 0.5
            for bins in (1, 10, 77):
                h, e = np.histogram(a, bins)
                case("histogram", repr(bins), [a], h)
                case("histogram_bin_edges", repr(bins), [a], e, 1e-15)
                h, e = np.histogram(a, bins, range=(-3, 100.1))
                case("histogram", "%d, range=(-3, 100.1)" % bins, [a], h)
                case("histogram_bin_edges", "%d, range=(-3, 100.1)" % bins, [a], e, 1e-15)
    ties = np.linspace(0, 1, 11)
    for dtype in FLOATS:  # values on the edges
        a = np.concatenate([ties, np.nextafter(ties, 2), np.nextafter(ties, -1)]).astype(dtype)
        for bins in (10, 5, 3):
            case("histogram", "%d, range=(0, 1)" % bins, [a], np.histogram(a, bins, (0, 1))[0])
            case("histogram", "%d" % bins, [a], np.histogram(a, bins)[0])
        bad = np.array([1, np.nan, 2, -np.inf, np.inf], dtype)
        case("percentile", "[10, 50]", [bad], np.array([np.nan, np.nan]))
        case("median", "", [bad], np.array(np.nan, dtype))
        case("histogram", "4, range=(0, 4)", [bad], np.histogram(bad, 4, (0, 4))[0])
    for dtype in ["uint8", "uint16", "int8", "int16", "int32", "uint32"] + FLOATS + ["bool"]:
        two = np.concatenate([rng.normal(20, 5, 700), rng.normal(90, 9, 300)]).reshape(10, 100)
        a = two > 50 if dtype == "bool" else two.astype(dtype)
        for image in [a, a[:1, :1], np.flip(a, 1)[::2, ::3]]:
            image = np.ascontiguousarray(image)
            want = np.asarray(skimage.filters.threshold_otsu(image))
            out = dtype if dtype in FLOATS else "float64" if dtype == "bool" else "int64"
            case("threshold_otsu", "", [image], want.astype(out))
            case("threshold_otsu", "nbins=17", [image],
                 np.asarray(skimage.filters.threshold_otsu(image, 17)).astype(out))


def blocks():
    for dtype in INTS + FLOATS:
        for shape, factors in [((13, 22), (2, 3)), ((13, 22), 4), ((5, 6, 9), (2, 1, 4)),
                               ((30,), 7), ((4, 6), (4, 6)), ((3, 3, 4, 5), (2, 2, 3, 2))]:
            a = make(dtype, shape)
            f = factors if isinstance(factors, tuple) else (factors,) * a.ndim
            for cval in (0, 3):
                want = skimage.transform.downscale_local_mean(a, f, cval)
                case("downscale_local_mean", "%r, cval=%d" % (factors, cval), [a], want,
                     1e-5 if dtype == "float32" else 1e-12)


def main():
    for make_cases in (reductions, labels, small, regions, orders, blocks):
        make_cases()
    with open(os.path.join(HERE, "cases.txt"), "w") as f:
        f.write("\n".join(cases) + "\n")
    with open(os.path.join(HERE, "arrays.bin"), "wb") as f:
        f.write(blob)
    with open(os.path.join(HERE, "versions.txt"), "w") as f:
        f.write("numpy %s\nscipy %s\nscikit-image %s\n" % (
            np.__version__, scipy.__version__, skimage.__version__))


main()

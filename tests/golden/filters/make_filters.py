#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden values of filters and morphology: what scipy.ndimage and scikit-image give.

cases.txt holds one case a line, fields separated by tabs:
  op, rest of the call in pipeline syntax, input, expected, allowed relative, allowed absolute error
where an array is dtype:shape:offset into values.npy, one stretch of bytes. Run it in this folder
with Debian 12's python3 (scipy 1.10, scikit-image 0.19, NumPy 1.24).
"""
import warnings

import numpy as np
import scipy
import scipy.ndimage as ndi
import skimage
import skimage.morphology as morph

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)
blob = bytearray()
known = {}
lines = []

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]
INTS = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
ALL = ["bool"] + INTS + ["float32", "float64"]


def ref(a):
    a = np.ascontiguousarray(a)
    key = (a.dtype.name, a.shape, a.tobytes())
    if key not in known:
        while len(blob) % 8:
            blob.append(0)
        known[key] = f"{a.dtype.name}:{','.join(map(str, a.shape))}:{len(blob)}"
        blob.extend(a.tobytes())
    return known[key]


def text(value):
    if isinstance(value, np.ndarray):
        return repr(value.astype(int).tolist() if value.dtype.kind in "bu" else value.tolist())
    return repr(value)


def case(op, array, expected, rtol=0.0, atol=0.0, **kwargs):
    call = ", ".join(f"{k}={text(v)}" for k, v in kwargs.items())
    lines.append("\t".join([op, call, ref(array) if array is not None else "-", ref(expected),
                            repr(rtol), repr(float(atol))]))


def values(dtype, shape, top=None):
    t = np.dtype(dtype)
    if t.kind == "b":
        return rng.random(shape) < 0.5
    if t.kind == "f":
        return (rng.random(shape) * 200 - 100).astype(t)
    info = np.iinfo(t)
    lo, hi = int(info.min), int(info.max)
    # Up to 2^40, so that float64 sums of scipy are exact and conversions in range.
    lo, hi = max(lo, -(2 ** 40)), min(hi, 2 ** 40)
    if top is not None:
        lo, hi = (0 if lo == 0 else -top), top
    return rng.integers(lo, hi, size=shape, endpoint=True).astype(t)


def gaussian_bound(sigma, ndim, truncate=4.0):
    """Sum over axes of (2r + 1) 2^-24, twice: weights are rounded to float32 as well."""
    sigmas = np.broadcast_to(sigma, ndim)
    return sum((2 * int(truncate * s + 0.5) + 1) * 2.0 ** -24 for s in sigmas if s > 1e-15)


def gaussian():
    def one(a, sigma, **kw):
        wide = ndi.gaussian_filter(a.astype(np.float64), sigma, **kw)
        if a.dtype == np.float64:
            case("gaussian_filter", a, wide, 1e-12, 1e-12 * np.abs(a).max(), sigma=sigma, **kw)
        elif a.dtype == np.float32:
            # The bound is relative to the largest value, weights sum to 1 (order 0).
            big = max(np.abs(a).max(), abs(kw.get("cval", 0)))
            case("gaussian_filter", a, wide.astype(np.float32), 0,
                 big * gaussian_bound(sigma, a.ndim, kw.get("truncate", 4.0)), sigma=sigma, **kw)
        else:
            # Rounded half to even; values that a float32 filter may put on the other side of a tie
            # are avoided by choosing inputs without any.
            small = a.dtype.itemsize <= 2
            margin = 2e-3 if small else 1e-3
            while np.any(np.abs(np.abs(wide - np.floor(wide)) - 0.5) < margin):
                a = values(a.dtype, a.shape, 60000 if a.dtype.itemsize > 2 else None)
                wide = ndi.gaussian_filter(a.astype(np.float64), sigma, **kw)
            if a.dtype == bool:
                case("gaussian_filter", a, np.rint(wide) != 0, sigma=sigma, **kw)
            else:
                case("gaussian_filter", a, np.rint(wide).astype(a.dtype), sigma=sigma, **kw)

    for mode in MODES:
        one(values("float64", (7, 9, 11)), (1, 0, 2.0), mode=mode, cval=3.5)
        one(values("float32", (5, 67)), (1.5, 1.0), mode=mode, cval=-2.0)
        one(values("uint8", (9, 21)), 1.0, mode=mode)
        one(values("float64", (3,)), 2.5, mode=mode)  # axis shorter than the radius
        one(values("float64", (1, 4)), 3.0, mode=mode)  # axis of one voxel
    for dtype in ALL:
        one(values(dtype, (6, 13), 60000 if dtype[-2:] in ("32", "64") and dtype[0] != "f" else None), 0.8)
        a = values(dtype, (5, 19))
        if dtype != "float32":
            case("gaussian_filter", a, ndi.gaussian_filter(a, 1.2), 1e-12, 0 if dtype != "float64" else 1e-10,
                 sigma=1.2, compat="scipy")
        else:
            case("gaussian_filter", a, ndi.gaussian_filter(a, 1.2), 2 ** -22, 1e-5, sigma=1.2, compat="scipy")
    one(values("float64", (3, 4, 5, 6)), (0.5, 1, 0.7, 0.9))
    one(values("float32", (4, 6, 9, 33)), (0.5, 1, 0.7, 2))
    one(values("float64", (40,)), 2.0, truncate=3.0)
    one(values("float64", (40,)), 0.0)
    for order in (1, 2, 3):
        one(values("float64", (9, 15)), 1.4, order=order)
        one(values("float64", (9, 15)), (1.4, 2), order=(order, 0), mode="mirror")


CROSS2 = ndi.generate_binary_structure(2, 1)
CROSS3 = ndi.generate_binary_structure(3, 1)


def binary():
    ops = {"binary_" + k: getattr(ndi, "binary_" + k) for k in ("erosion", "dilation", "opening", "closing")}
    odd = rng.random((2, 4, 3)) < 0.5
    odd[0, 1, 1] = True
    elements = [
        ((7, 9, 70), None, 0.9), ((9, 11, 65), morph.ball(2), 0.97), ((5, 6, 7), odd, 0.8),
        ((9, 63), morph.disk(3), 0.96), ((12, 64), np.ones((2, 4)), 0.8), ((130,), np.ones(5), 0.85),
        ((3, 4, 5, 6), None, 0.8), ((1, 1, 9), CROSS3, 0.8), ((4, 131), np.ones((1, 67)), 0.995),
        ((5, 20), np.zeros((3, 3)), 0.5), ((6, 20), np.array([[1, 0, 1, 1, 0, 1]]), 0.7),
    ]
    for shape, structure, density in elements:
        a = rng.random(shape) < density
        for name, f in ops.items():
            b = ~a if name in ("binary_dilation", "binary_closing") else a
            for border in (0, 1):
                kw = {} if structure is None else {"structure": structure.astype(int)}
                want = f(b, structure=None if structure is None else structure.astype(bool),
                         border_value=border)
                case(name, b, want, border_value=border, **kw)
    a = rng.random((8, 30)) < 0.97
    for name, f in ops.items():
        for n in (2, 3):
            for border in (0, 1):
                for s in (None, np.array([[1, 1], [0, 1]]), np.array([[1, 0, 1]])):
                    kw = {} if s is None else {"structure": s}
                    want = f(a, structure=s, iterations=n, border_value=border)
                    case(name, a, want, iterations=n, border_value=border, **kw)
        case(name, a, f(a, structure=np.ones((2, 3)), origin=(-1, 1)), structure=np.ones((2, 3), int),
             origin=(-1, 1))
    for dtype in ALL:
        v = values(dtype, (6, 17), 2)
        case("binary_dilation", v, ndi.binary_dilation(v))
        case("binary_erosion", v, ndi.binary_erosion(v, border_value=1), border_value=1)
    nan = np.array([[1.0, np.nan, 0.0, -1.0]])
    case("binary_erosion", nan, ndi.binary_erosion(nan, [[1]]), structure=np.ones((1, 1), int))


def elements():
    for r in (0, 1, 2, 5):
        case("ball", None, morph.ball(r), radius=r)
        case("disk", None, morph.disk(r), radius=r)
        case("diamond", None, morph.diamond(r), radius=r)
        case("octahedron", None, morph.octahedron(r), radius=r)
    case("cube", None, morph.cube(3), width=3)
    case("rectangle", None, morph.rectangle(2, 5), nrows=2, ncols=5)
    case("box", None, np.ones((2, 3, 4), np.uint8), sizes=(2, 3, 4))
    for rank in (1, 2, 3, 4):
        for connectivity in range(1, rank + 1):
            case("generate_binary_structure", None, ndi.generate_binary_structure(rank, connectivity),
                 rank=rank, connectivity=connectivity)


def tolerance(a):
    """float64 within 1e-12, float32 within 2 units in the last place, integers exactly."""
    if a.dtype.kind != "f":
        return 0.0, 0.0
    big = np.abs(a).max()
    return (1e-12, 1e-12 * big) if a.dtype == np.float64 else (2.0 ** -22, 2.0 ** -23 * big)


def scipy_case(name, a, rtol=None, atol=None, **kw):
    want = getattr(ndi, name)(a, **kw)
    r, t = tolerance(a)
    case(name, a, want, r if rtol is None else rtol, t if atol is None else atol, **kw)


def correlations():
    w3 = rng.random((3, 3)) - 0.4
    even = rng.random((2, 4)) - 0.4
    for mode in MODES:
        scipy_case("correlate", values("float64", (9, 40)), weights=w3, mode=mode, cval=1.5)
        scipy_case("convolve", values("float64", (2, 11)), weights=even, mode=mode)
        scipy_case("correlate1d", values("float64", (3, 7)), weights=[1.0, 2.0, -0.5, 0.25, 7.0], axis=0, mode=mode)
        scipy_case("sobel", values("float64", (6, 9)), mode=mode, cval=2.5)
        scipy_case("laplace", values("float64", (6, 9)), mode=mode)
        scipy_case("prewitt", values("float64", (3, 4, 5)), axis=1, mode=mode)
    for origin in ((0, 0), (-1, 1), (0, -2)):
        scipy_case("correlate", values("float64", (5, 33)), weights=even, origin=origin)
        scipy_case("convolve", values("float64", (5, 33)), weights=even, origin=origin if origin != (0, -2) else (0, 1))
    for origin in (-2, -1, 0, 1):
        scipy_case("correlate1d", values("float64", (4, 20)), weights=[1.0, 2.0, 4.0, 8.5], origin=origin)
        scipy_case("convolve1d", values("float64", (4, 20)), weights=[1.0, 2.0, 4.0, 8.5], origin=origin)
    for weights in ([1.0, 2.0, 1.0], [-1.0, 0.0, 1.0], [0.5, 2.0, 4.0], [3.0]):
        scipy_case("correlate1d", values("float64", (70,)), weights=weights)
        scipy_case("convolve1d", values("float32", (2, 70)), weights=weights, axis=1)
    scipy_case("correlate", values("float64", (3, 4, 5, 6)), weights=rng.random((2, 3, 1, 3)))
    scipy_case("correlate", values("float64", (4, 5, 6)), weights=np.where(rng.random((3, 3, 3)) < 0.5, 0, 1.25))
    scipy_case("correlate", values("float64", (4, 5)), weights=np.zeros((3, 3)))
    for dtype in INTS + ["float32"]:
        a = values(dtype, (7, 18), 2 ** 20)
        scipy_case("correlate", a, weights=np.array([[1, 2, 1], [0, -3, 0.5]]))
        scipy_case("sobel", a, axis=0)
        scipy_case("prewitt", a)
        scipy_case("laplace", a)
        scipy_case("correlate1d", a, weights=[0.3, 0.6], mode="constant", cval=2.5)


def windows():
    boxes = [((37,), 4), ((5, 21), (3, 5)), ((4, 9, 13), 3), ((3, 4, 5, 6), (1, 2, 3, 4)), ((1, 2), 7), ((3, 50), (1, 17))]
    for shape, size in boxes:
        for mode in MODES:
            a = values("int16", shape)
            f = values("float64", shape)
            cval = 7.0 if mode == "constant" else 0.0
            scipy_case("uniform_filter", f, size=size, mode=mode, cval=cval)
            scipy_case("minimum_filter", a, size=size, mode=mode, cval=cval)
            scipy_case("maximum_filter", f, size=size, mode=mode, cval=cval)
        a = values("uint8", shape, 30)
        for name in ("grey_erosion", "grey_dilation", "grey_opening", "grey_closing"):
            scipy_case(name, a, size=size, mode=MODES[len(shape)])
    for origin in (-2, -1, 0, 1):
        a = values("uint8", (6, 25))
        for name in ("uniform_filter", "minimum_filter", "maximum_filter", "grey_dilation", "grey_erosion"):
            scipy_case(name, a, size=4, origin=origin)
        scipy_case("median_filter", a, size=4, origin=origin)
    disk = morph.disk(2).astype(bool)
    odd = np.array([[0, 1, 1, 0], [1, 0, 0, 1]], bool)
    for dtype in ALL:
        a = values(dtype, (8, 19))
        scipy_case("uniform_filter", a, size=5)
        for name in ("minimum_filter", "maximum_filter", "grey_dilation", "grey_erosion"):
            scipy_case(name, a, size=(2, 5))
            scipy_case(name, a, footprint=odd)
        if dtype != "bool":
            scipy_case("median_filter", a, size=3)
            scipy_case("median_filter", a, size=5)
            scipy_case("median_filter", a, footprint=disk)
            scipy_case("percentile_filter", a, percentile=30.0, size=(4, 3))
        if np.dtype(dtype).kind == "f" or dtype in ("int16", "int32"):
            b = values(dtype, (6, 9), 900)
            heights = rng.integers(-5, 9, size=(3, 4)).astype(float)
            for name in ("grey_dilation", "grey_erosion", "grey_opening", "grey_closing"):
                scipy_case(name, b, structure=heights)
                scipy_case(name, b, structure=heights[:2], footprint=odd, mode="constant", cval=1.0)
    for mode in MODES:
        a = values("uint16", (7, 35))
        scipy_case("median_filter", a, size=5, mode=mode, cval=300.0)
        scipy_case("median_filter", values("uint8", (3, 6, 8)), size=3, mode=mode)
        scipy_case("median_filter", values("float32", (9,)), size=12, mode=mode)
        scipy_case("grey_opening", a, footprint=disk, mode=mode)
    scipy_case("median_filter", values("uint8", (20, 40), 50), size=17)  # 289 voxels: wider counters
    scipy_case("median_filter", values("int8", (2, 80)), size=(1, 2))
    scipy_case("median_filter", values("float64", (3, 4, 5, 6)), size=(1, 3, 2, 3))
    scipy_case("median_filter", values("uint8", (6, 30)), size=3, mode="constant", cval=100.5)
    scipy_case("minimum_filter", values("uint8", (6, 30)), size=3, mode="constant", cval=-2.5)
    for percentile in (0.0, 10.0, 50.0, -20.0, 100.0):
        scipy_case("percentile_filter", values("int32", (5, 21)), percentile=percentile, size=3)
    for rank in (0, 1, 4, -1, -2):
        scipy_case("rank_filter", values("uint8", (5, 21), 20), rank=rank, footprint=disk)
    inf = np.array([[np.inf, -np.inf, 1, 2, -0.5, np.inf, 3, -1, -2, -np.inf, 0.25]])
    scipy_case("median_filter", inf, size=(1, 5), rtol=0, atol=0)
    nan = np.array([5, np.nan, 1, 2, np.nan, np.nan, 3, 4, 0], np.float32)
    # numpy sorts NaN last: the definition scipy lacks.
    want = [np.sort(np.pad(nan, 1, mode="symmetric")[i:i + 3])[1] for i in range(9)]
    case("median_filter", nan, np.array(want, np.float32), size=3)


def large_windows():
    """Windows beyond the small ones that have loops of their own."""
    disk, ball = morph.disk(6).astype(bool), morph.ball(4).astype(bool)
    for dtype in ("uint8", "int8", "uint16", "float32", "int64", "float64"):
        flat, deep = values(dtype, (14, 45)), values(dtype, (7, 8, 20))
        for name in ("grey_dilation", "grey_erosion"):
            scipy_case(name, flat, footprint=disk)
            scipy_case(name, deep, footprint=ball)
        scipy_case("median_filter", flat, size=(7, 6))
        scipy_case("median_filter", deep, size=(3, 4, 5))
        scipy_case("percentile_filter", flat, percentile=80.0, size=(3, 17))
        scipy_case("median_filter", flat, size=(11, 1), mode="nearest")
        scipy_case("uniform_filter", flat, size=(9, 13))
        scipy_case("uniform_filter", deep, size=(4, 7, 2), mode="wrap")
    scipy_case("median_filter", values("uint16", (1, 200)), size=(1, 61))
    scipy_case("median_filter", values("uint8", (40, 50), 40), size=(33, 35))
    scipy_case("median_filter", values("int8", (9, 10, 40)), size=(7, 6, 8))
    scipy_case("percentile_filter", values("int8", (9, 10, 40), 3), percentile=35.0, size=(7, 8, 6))


gaussian()
binary()
elements()
correlations()
windows()
large_windows()
np.save("values.npy", np.frombuffer(bytes(blob), np.uint8))
with open("cases.txt", "w") as f:
    f.write(f"# scipy {scipy.__version__}, scikit-image {skimage.__version__}, numpy {np.__version__}; made by make_filters.py\n")
    f.write("\n".join(lines) + "\n")
print(len(lines), "cases,", len(blob), "bytes")

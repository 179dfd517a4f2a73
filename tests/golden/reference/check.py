#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the naive reference (tests/reference) against NumPy, SciPy and scikit-image.

    check.py REFERENCE_DUMP [CALLS_PER_ENTRY [SEED]]

Runs the dump program, evaluates every call it made up with the library whose definition it claims
to follow, and compares: integers exactly, floats within 1e-9 of the largest value (the reference
works in long double), results before rounding against the float64 filter. Ends with 77 (skipped)
when the peers are not installed. Last verified with numpy 1.24.2, scipy 1.10.1, scikit-image 0.19.3.
"""
import ast
import json
import subprocess
import sys

try:
    import numpy as np
    import scipy
    import skimage
    from scipy import ndimage as nd
    from skimage import morphology, transform
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def array(a):
    return np.frombuffer(bytes.fromhex(a["hex"]), a["dtype"]).reshape(a["shape"])


def arguments(text):
    """The positional and keyword arguments of the pipeline text, as Python values."""
    call = ast.parse(f"f({text.lstrip(', ')})", mode="eval").body
    return ([ast.literal_eval(a) for a in call.args],
            {k.arg: ast.literal_eval(k.value) for k in call.keywords})


def index(x, items):
    def entry(i):
        return Ellipsis if i == "..." else slice(*i) if isinstance(i, tuple) else i
    return x[tuple(entry(i) for i in items)]


def divide(x, y):
    narrow = all(np.asarray(a).dtype.itemsize <= 2 or not isinstance(a, np.ndarray)
                 for a in (x, y))
    floats = any(np.asarray(a).dtype.kind == "f" for a in (x, y))
    r = np.divide(x, y, dtype=None if floats else "f4" if narrow else "f8", casting="unsafe")
    return r


def small_int_math(f):
    # Integers up to 16 bits give float32 here; NumPy gives float16 or float32.
    def g(x):
        if x.dtype.kind == "f":
            return f(x)
        return f(x.astype("f8")).astype("f4" if x.dtype.itemsize <= 2 else "f8")
    return g


def saturate(x, dtype):
    info = np.iinfo(dtype)
    def one(v):
        v = v.item()
        if v != v:
            return 0
        v = round(v) if abs(v) < 1e300 else v  # Python rounds half to even
        return int(min(max(v, info.min), info.max))
    return np.array([one(v) for v in x.ravel()], dtype).reshape(x.shape)


def label(x, connectivity):
    return nd.label(x, nd.generate_binary_structure(x.ndim, connectivity))[0].astype("i4")


def small(x, min_size, connectivity):
    return morphology.remove_small_objects(x, min_size, connectivity)


def pad(x, width, mode, **kwargs):
    if mode == "wrap" and any(max(w) > n for w, n in zip(width, x.shape)):
        return None  # wrong before NumPy 1.25
    return np.pad(x, width, mode, **kwargs)


def floats_in(f):
    """A filter of integers before it rounds: the filter of their float64 values."""
    return lambda x, *a, **k: f(x.astype("f8"), *a, **k)


def zero_on_division_by_zero(f):
    def g(x, y):
        with np.errstate(all="ignore"):
            return f(x, y)
    return g


FUNCTIONS = {
    "getitem": index, "divide": divide, "mod": zero_on_division_by_zero(np.mod),
    "floor_divide": zero_on_division_by_zero(np.floor_divide),
    "sqrt": small_int_math(np.sqrt), "exp": small_int_math(np.exp),
    "log": small_int_math(np.log), "astype": lambda x, t: x.astype(t), "saturate": saturate,
    "round": np.round, "transpose": np.transpose, "concatenate": np.concatenate,
    "correlate": nd.correlate, "convolve": nd.convolve, "stack": np.stack, "pad": pad, "label": label, "remove_small_objects": small,
    "downscale_local_mean": lambda x, f: transform.downscale_local_mean(x.astype("f8"), f),
}


def function(name):
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    return getattr(nd, name) if hasattr(nd, name) and not hasattr(np, name) else getattr(np, name)


def weak(x, value, name):
    """Python integers keep the array's dtype (bool: int64), Python floats make integers float64."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if name == "clip":
        return value
    if isinstance(value, int):
        return np.array(value, "i8" if x.dtype == bool else x.dtype)
    return np.array(value, x.dtype if x.dtype.kind == "f" else "f8")


def answer(call):
    name, inputs = call["name"], [array(a) for a in call["in"]]
    args, kwargs = arguments(call["text"])
    if call["constant_name"]:
        kwargs[call["constant_name"]] = array(call["constant"])
    f = function(name)
    if hasattr(np, name) and isinstance(getattr(np, name), np.ufunc) and name != "divide":
        args = [weak(inputs[0], a, name) for a in args]
    if name == "divide" and args and isinstance(args[0], float):
        args = [weak(inputs[0], args[0], name)]
    if call["before_rounding"]:
        f = floats_in(f)
    if name in ("gaussian_filter", "uniform_filter") and inputs[0].dtype == "f4":
        f = floats_in(f)
    if name in ("median_filter", "minimum_filter", "maximum_filter", "grey_erosion",
                "grey_dilation") and inputs[0].dtype.itemsize == 8 and inputs[0].dtype.kind in "iu":
        return None  # scipy ranks 64-bit integers as float64
    if name in ("median_filter", "minimum_filter", "maximum_filter", "grey_erosion",
                "grey_dilation") and inputs[0].dtype == bool:
        f0 = f
        f = lambda x, *a, **k: f0(x.astype("u1"), *a, **k).astype(bool)
    if name in ("mean", "var", "std", "sum") and inputs[0].dtype == "f4":
        kwargs["dtype"] = "f8"
    with np.errstate(all="ignore"):
        got = f(inputs, *args, **kwargs) if call["as_list"] else f(*inputs, *args, **kwargs)
    return None if got is None else np.asarray(got)


def differs(call, want):
    got = array(call["out"])
    if got.shape != want.shape:
        return f"shape {got.shape}, want {want.shape}"
    if got.dtype.kind != want.dtype.kind and got.dtype.kind + want.dtype.kind not in ("iu", "ui"):
        return f"dtype {got.dtype}, want {want.dtype}"
    if got.dtype.kind in "iub":
        same = got == want
    else:
        inputs = [array(a) for a in call["in"]]
        most = max((float(np.nanmax(np.abs(a[np.isfinite(a)].astype("f8")), initial=0))
                    for a in inputs + [want]), default=0)
        eps = 2e-7 if "f4" in (got.dtype.str[1:], want.dtype.str[1:]) else 1e-12
        eps = max(eps, 2e-7 if any(a.dtype == "f4" for a in inputs) else 0)
        with np.errstate(all="ignore"):
            same = np.isclose(got.astype("f8"), want.astype("f8"), rtol=eps, atol=eps * most * 64,
                              equal_nan=True)
    if np.all(same):
        return None
    at = tuple(int(i[0]) for i in np.nonzero(~same))
    return f"at {at}: got {got[at]!r}, want {want[at]!r} ({np.count_nonzero(~same)} differ)"


def main():
    dump = subprocess.run([sys.argv[1], *(sys.argv[2:] or ["30", "1"])], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    bad = {}
    n = 0
    for line in dump.splitlines():
        call = json.loads(line)
        n += 1
        try:
            want = answer(call)
            why = None if want is None else differs(call, want)
        except Exception as e:  # a call the peer refuses is a difference, too
            why = f"{type(e).__name__}: {e}"
        if why:
            shapes = [(a["dtype"], a["shape"]) for a in call["in"]]
            bad.setdefault(call["name"], []).append(f"{shapes} {call['text']}: {why}")
    for name, whys in bad.items():
        print(f"{name}: {len(whys)} calls differ, for example")
        for why in whys[:3]:
            print("   ", why[:400])
    print(f"{n} calls, {sum(map(len, bad.values()))} differ; numpy {np.__version__}, "
          f"scipy {scipy.__version__}, scikit-image {skimage.__version__}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

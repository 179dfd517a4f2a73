#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# pictures.sh -- cairn view and cairn stat: pixels and numbers against NumPy.
. "$(dirname "$0")/lib.sh"
need_python numpy skimage
"$PYTHON" - <<'END'
import numpy as np
rng = np.random.default_rng(3)
a = rng.integers(0, 256, (10, 40, 30), dtype="uint8")
np.save("a.npy", a)
labels = np.zeros(a.shape, "int32")
labels[:, 5:15, 5:15] = 7
labels[:, 20:30, 5:15] = 7
labels[:, 20:30, 18:25] = 9
np.save("labels.npy", labels)
np.save("rgb.npy", rng.integers(0, 256, (16, 20, 3), dtype="uint8"))
np.save("f.npy", rng.normal(size=(6, 7, 8)).astype("float32"))
END
load='from skimage.io import imread
def grey(name):
	p = imread(name)
	if p.ndim == 3:
		assert (p[..., 0] == p[..., 1]).all() and (p[..., 0] == p[..., 2]).all()
		p = p[..., 0]
	return p
a = np.load("a.npy")
'

gives 0 view a.npy --range 0,255 --enlarge 1 -o plane.png
python "$load"'assert np.array_equal(grey("plane.png"), a[5])'
gives 0 view a.npy --range 0,255 --enlarge 1 --axis 2 --index -1 -o plane.png
python "$load"'assert np.array_equal(grey("plane.png"), a[:, :, -1])'
gives 0 view a.npy --range 0,255 --enlarge 1 --axis 1 --index 3 -o plane.png
python "$load"'assert np.array_equal(grey("plane.png"), a[:, 3])'
gives 0 view a.npy --range 0,255 --enlarge 3 -o plane.png
python "$load"'assert np.array_equal(grey("plane.png"), a[5].repeat(3, 0).repeat(3, 1))'
gives 0 view a.npy --range 0,255 --enlarge 1 --project max -o plane.png
python "$load"'assert np.array_equal(grey("plane.png"), a.max(0))'
gives 0 view a.npy --range 0,255 --enlarge 1 --ortho -o ortho.png
python "$load"'p = grey("ortho.png")
assert np.array_equal(p[:40, :30], a[5])
assert np.array_equal(p[:40, -10:], a[:, :, 15].T)
assert np.array_equal(p[-10:, :30], a[:, 20])'
gives 0 view a.npy --range 0,255 --enlarge 1 --montage 4 -o montage.png
python "$load"'p = grey("montage.png")
assert np.array_equal(p[:40, :30], a[1]) and np.array_equal(p[-40:, -30:], a[8])'
gives 0 view rgb.npy --enlarge 1 -o rgb.png
python "$load"'assert np.array_equal(imread("rgb.png")[..., :3], np.load("rgb.npy"))'

# a pipeline that has not run: only a picture comes out
printf 'x = read("a.npy")\nbig = x > 128\nwrite(big, "never.npy")\n' >wf.py
gives 0 view wf.py --name big --enlarge 1 -o mask.png
python "$load"'assert np.array_equal(grey("mask.png") > 0, a[5] > 128)'
check "nothing else was written" test ! -e never.npy
gives 0 view -e 'read("a.npy")[::2] // 2' --range 0,255 --enlarge 1 --index 0 -o half.png
python "$load"'assert np.array_equal(grey("half.png"), a[0] // 2)'
gives 0 view -e 'read("a.npy", scale=2.0, unit="um")' --range 0,255 --scale-bar --enlarge 8 -o bar.png
python "$load"'p = grey("bar.png")
assert (p != a[5].repeat(8, 0).repeat(8, 1)).sum() > 100'
gives 2 view wf.py -o x.png
says "--name"
gives 2 view wf.py --name bg -o x.png
says "did you mean big?"

# labels: one colour an id, in every plane
gives 0 view a.npy --overlay labels.npy --enlarge 1 --range 0,255 -o over.png
python "$load"'p, l = imread("over.png").astype(int), np.load("labels.npy")[5]
base = np.repeat(a[5][..., None], 3, 2).astype(int)
assert (p[l == 0] == base[l == 0]).all()
tint = {i: (4 * p[l == i] - base[l == i]) / 3 for i in (7, 9)}
assert all((abs(t - np.median(t, 0)) <= 2).all() for t in tint.values())
assert abs(np.median(tint[7], 0) - np.median(tint[9], 0)).max() > 20'
gives 2 view a.npy --overlay rgb.npy -o x.png
says "another shape"
gives 2 view a.npy --index 10 -o x.png
says "has 10 planes"
gives 2 view a.npy --project median -o x.png
says "max, mean or sum"
gives 3 view nothing.tif -o x.png
check "failed views write nothing" test ! -e x.png
gives 0 view a.npy --histogram -o histogram.png
python "$load"'assert imread("histogram.png").std() > 10'

# stat
gives 0 stat --json --bins 8 a.npy
cp out stat.json
python "$load"'s = json.load(open("stat.json"))
assert s["min"] == a.min() and s["max"] == a.max() and s["zeros"] == (a == 0).sum()
assert abs(s["mean"] - a.mean()) < 1e-9 and abs(s["std"] - a.std()) < 1e-9 and s["voxels"] == a.size
assert s["histogram"]["counts"] == np.histogram(a, 8)[0].tolist()'
gives 0 stat --json --bins 5 f.npy
cp out stat.json
python 'f = np.load("f.npy")
s = json.load(open("stat.json"))
assert np.float32(s["min"]) == f.min() and np.float32(s["max"]) == f.max()
assert s["histogram"]["counts"] == np.histogram(f, 5)[0].tolist()'
gives 0 stat wf.py --name big
prints "zeros"
finish

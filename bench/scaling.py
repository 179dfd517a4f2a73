"""scaling.py -- two threads against one, on work that neither a codec nor a disk limits."""
import numpy as np

from harness import Ours, Warm, contest, must_agree, work_file

rng = np.random.default_rng(6)
npy, npy8 = work_file("scale.npy"), work_file("scale_u8.npy")
np.save(npy, rng.random((256, 512, 512), dtype=np.float32))
np.save(npy8, rng.integers(0, 255, (256, 512, 512), dtype=np.uint8))
must_agree("two cores", len(__import__("os").sched_getaffinity(0)) >= 2)

for name, expression in (
		("gaussian (3,6,6)", f'mean(gaussian_filter(read("{npy}"), (3, 6, 6)))'),
		("median 3x3x3 uint8", f'mean(median_filter(read("{npy8}"), 3))'),
		("erosion by ball(12)", f'sum(binary_erosion(read("{npy}") > 0.001, ball(12)))'),
		("label, smooth", f'max(label(gaussian_filter(read("{npy}"), 2) > 0.5))'),
		("random + 1 + 2, mean", 'mean(random((200, 1000, 1000)) + 1 + 2)')):
	contest("two threads, " + name, Warm(expression, threads=2),
		Ours("cairn, one thread", Warm(expression, threads=1)), bar=1.9)

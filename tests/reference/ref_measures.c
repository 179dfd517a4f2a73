/* SPDX-License-Identifier: Apache-2.0
 *
 * ref_measures.c -- connected components by flooding, and what is counted over them.
 *
 * i[0]: connectivity (how many axes may change at once).
 */
#include "reference/reference.h"

#include <stdlib.h>
#include <string.h>

/* Sets `id` on everything connected to `from` through voxels of the same foreground. */
static void flood(const crn_view *in, const crn_view *out, int64_t from, int64_t id, int reach)
{
	int64_t n = ref_count(in), n_todo = 0, n_around = 1;
	int64_t *todo = calloc((size_t)n, sizeof(*todo));
	const int64_t three[CRN_MAX_NDIM] = {3, 3, 3, 3, 3, 3, 3, 3};
	if (!todo)
		abort();
	for (int d = 0; d < in->ndim; d++)
		n_around *= 3;
	ref_put_int(out, from, id);
	todo[n_todo++] = from;
	while (n_todo > 0) {
		int64_t idx[CRN_MAX_NDIM], step[CRN_MAX_NDIM];
		crn_unravel(todo[--n_todo], in->ndim, in->shape, idx);
		for (int64_t s = 0; s < n_around; s++) {
			int64_t k = 0;
			int changed = 0;
			bool inside = true;
			crn_unravel(s, in->ndim, three, step);
			for (int d = 0; d < in->ndim; d++) {
				int64_t i = idx[d] + step[d] - 1;
				inside &= i >= 0 && i < in->shape[d];
				changed += step[d] != 1;
				k = k * in->shape[d] + i;
			}
			if (!inside || changed > reach || !ref_truth(in, k) || ref_truth(out, k))
				continue;
			ref_put_int(out, k, id);
			todo[n_todo++] = k;
		}
	}
	free(todo);
}

static bool choose_label(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim == 0)
		return false;
	c->i[0] = crn_test_int(g, 1, in->ndim);
	ref_text(c, "connectivity=%lld", (long long)c->i[0]);
	return true;
}

static crn_view eval_label(const crn_view *in, const ref_call *c)
{
	crn_view out = ref_like(in, CRN_I32);
	int64_t id = 0;
	for (int64_t at = 0; at < ref_count(in); at++)
		if (ref_truth(in, at) && !ref_truth(&out, at))
			flood(in, &out, at, ++id, (int)c->i[0]);
	return out;
}

/* skimage.morphology.remove_small_objects of a mask: components below min_size go. */
static bool choose_small(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim == 0 || in->dtype != CRN_BOOL)
		return false;
	c->i[0] = crn_test_int(g, 1, in->ndim);
	c->i[1] = crn_test_int(g, 0, 9);
	ref_text(c, "min_size=%lld, connectivity=%lld", (long long)c->i[1], (long long)c->i[0]);
	return true;
}

static crn_view eval_small(const crn_view *in, const ref_call *c)
{
	CRN_TEST_ARRAY ids = eval_label(in, c);
	crn_view out = ref_like(in, CRN_BOOL);
	for (int64_t at = 0; at < ref_count(in); at++) {
		int64_t size = 0;
		for (int64_t k = 0; k < ref_count(in); k++)
			size += ref_int(&ids, k) == ref_int(&ids, at);
		ref_put_int(&out, at, ref_truth(in, at) && size >= c->i[1]);
	}
	return out;
}

/* skimage.transform.downscale_local_mean: means of blocks, zeros past the end. Of small numbers,
 * whose sums a double holds exactly: the mean is rounded once. */
static bool choose_downscale(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim == 0 || in->dtype == CRN_BOOL || crn_dtype_size(in->dtype) > 2)
		return false;
	ref_text(c, "(");
	for (int d = 0; d < in->ndim; d++) {
		c->i[d] = crn_test_int(g, 1, 3);
		ref_text(c, "%lld, ", (long long)c->i[d]);
	}
	ref_text(c, ")");
	c->rtol = 2e-7;
	return true;
}

static crn_view eval_downscale(const crn_view *in, const ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM], block = 1;
	for (int d = 0; d < in->ndim; d++) {
		shape[d] = (in->shape[d] + c->i[d] - 1) / c->i[d];
		block *= c->i[d];
	}
	crn_view out = ref_new(CRN_F64, in->ndim, shape);
	for (int64_t at = 0; at < ref_count(in); at++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(at, in->ndim, in->shape, idx);
		for (int d = 0; d < in->ndim; d++)
			idx[d] /= c->i[d];
		int64_t to = crn_ravel(idx, in->ndim, shape);
		ref_put_float(&out, to, ref_float(&out, to) + ref_float(in, at));
	}
	for (int64_t at = 0; at < ref_count(&out); at++)
		ref_put_float(&out, at, ref_float(&out, at) / (double)block);
	return out;
}

const ref_op ref_measures[] = {
	{"label", 1, choose_label, eval_label},
	{"remove_small_objects", 1, choose_small, eval_small},
	{"downscale_local_mean", 1, choose_downscale, eval_downscale},
	{NULL, 0, NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * ref_morphology.c -- binary erosion and dilation as sets, opening and closing as one after the
 * other.
 *
 * i[0] border value, i[1] iterations; the structure (or scipy's cross when there is none) is in
 * c->structure. i[2] origin, the same on every axis.
 */
#include "reference/reference.h"

#include <stdlib.h>
#include <string.h>

static bool choose_structure(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM];
	cairn_error err;
	crn_const *s = NULL;
	bool own = ref_one_in(g, 2);
	for (int d = 0; d < in->ndim; d++)
		shape[d] = own ? crn_test_int(g, 1, in->ndim > 2 ? 3 : 5) : 3;
	if (in->ndim == 0 || crn_const_new(CRN_BOOL, in->ndim, shape, &s, &err) != CAIRN_OK)
		return false;
	uint8_t *set = s->data;
	int64_t n = crn_const_count(s);
	for (int64_t t = 0; t < n; t++) {
		int64_t idx[CRN_MAX_NDIM], off_centre = 0;
		crn_unravel(t, in->ndim, shape, idx);
		for (int d = 0; d < in->ndim; d++)
			off_centre += idx[d] != 1;
		set[t] = own ? !ref_one_in(g, 3) : off_centre <= 1;
	}
	set[n / 2] = 1; /* never empty */
	c->structure = crn_value_const(s);
	c->structure_name = own ? "structure" : NULL;
	return true;
}

static bool choose_binary(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (!choose_structure(g, in, c))
		return false;
	c->i[1] = ref_one_in(g, 3) ? 2 : 1;
	c->i[0] = ref_one_in(g, 3);
	ref_text(c, "iterations=%lld, border_value=%lld", (long long)c->i[1], (long long)c->i[0]);
	return true;
}

/* One step. Erosion: all voxels under the structure set. Dilation: any voxel under the mirrored
 * structure set. What lies outside has the border value. */
static crn_view step(const crn_view *in, const crn_const *s, bool dilate, bool border)
{
	crn_view out = ref_like(in, CRN_BOOL);
	for (int64_t at = 0; at < ref_count(in); at++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(at, in->ndim, in->shape, idx);
		bool all = true, any = false;
		for (int64_t t = 0; t < crn_const_count(s); t++) {
			int64_t tap[CRN_MAX_NDIM], k = 0;
			bool outside = false;
			if (!((const uint8_t *)s->data)[t])
				continue;
			crn_unravel(t, s->ndim, s->shape, tap);
			for (int d = 0; d < in->ndim; d++) {
				int64_t off = tap[d] - s->shape[d] / 2;
				int64_t i = idx[d] + (dilate ? -off : off);
				outside |= i < 0 || i >= in->shape[d];
				k = k * in->shape[d] + i;
			}
			bool set = outside ? border : ref_truth(in, k);
			all &= set;
			any |= set;
		}
		ref_put_int(&out, at, dilate ? any : all);
	}
	return out;
}

static crn_view repeat(const crn_view *in, const ref_call *c, const char *steps)
{
	crn_view now = ref_like(in, CRN_BOOL);
	for (int64_t at = 0; at < ref_count(in); at++)
		ref_put_int(&now, at, ref_truth(in, at));
	for (; *steps; steps++)
		for (int64_t k = 0; k < c->i[1]; k++) {
			crn_view next = step(&now, c->structure.c, *steps == 'd', c->i[0] != 0);
			crn_test_array_free(&now);
			now = next;
		}
	return now;
}

#define BINARY(fn, steps) \
	static crn_view eval_##fn(const crn_view *in, const ref_call *c) \
	{ \
		return repeat(in, c, steps); \
	}
BINARY(erosion, "e")
BINARY(dilation, "d")
BINARY(opening, "ed")
BINARY(closing, "de")

const ref_op ref_morphology[] = {
	{"binary_erosion", 1, choose_binary, eval_erosion},
	{"binary_dilation", 1, choose_binary, eval_dilation},
	{"binary_opening", 1, choose_binary, eval_opening},
	{"binary_closing", 1, choose_binary, eval_closing},
	{NULL, 0, NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * ref_views.c -- indexing, reordering and joining of axes, element by element.
 *
 * Every view here is: out[idx] = in[map(idx)]. The numbers of the call hold the map.
 */
#include "reference/reference.h"

#include <string.h>

/* ---- x[...]: per input axis i[4k] kind (0 slice, 1 integer), i[4k+1] start, +2 step, +3 length
 * ---- */

static bool choose_getitem(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	ref_text(c, "(");
	for (int d = 0; d < in->ndim; d++) {
		int64_t n = in->shape[d], *p = &c->i[4 * d];
		if (n > 0 && ref_one_in(g, 8)) {
			p[0] = 1;
			p[1] = crn_test_int(g, 0, n - 1);
			ref_text(c, "%lld, ", (long long)(ref_one_in(g, 2) ? p[1] : p[1] - n));
			continue;
		}
		/* Python's slice.indices, for starts and stops anywhere. */
		int64_t step = crn_test_int(g, -3, 3), start, stop;
		step = step == 0 ? 1 : step;
		bool open_start = ref_one_in(g, 3), open_stop = ref_one_in(g, 2);
		int64_t raw_start = crn_test_int(g, -n - 2, n + 2);
		int64_t raw_stop = crn_test_int(g, -n - 2, n + 2);
		int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
		start = raw_start < 0 ? raw_start + n : raw_start;
		start = start < low ? low : start > high ? high : start;
		stop = raw_stop < 0 ? raw_stop + n : raw_stop;
		stop = stop < low ? low : stop > high ? high : stop;
		start = open_start ? (step < 0 ? n - 1 : 0) : start;
		stop = open_stop ? (step < 0 ? -1 : n) : stop;
		int64_t length = step > 0 ? (stop - start + step - 1) / step
					  : (start - stop - step - 1) / -step;
		if (length <= 0 && !ref_one_in(g, 10)) {
			open_start = open_stop = true; /* mostly keep something */
			start = step < 0 ? n - 1 : 0;
			length = (n + (step < 0 ? -step : step) - 1) / (step < 0 ? -step : step);
		}
		p[1] = start;
		p[2] = step;
		p[3] = length < 0 ? 0 : length;
		ref_text(c, "(");
		if (open_start)
			ref_text(c, "None, ");
		else
			ref_text(c, "%lld, ", (long long)raw_start);
		if (open_stop)
			ref_text(c, "None, ");
		else
			ref_text(c, "%lld, ", (long long)raw_stop);
		ref_text(c, "%lld), ", (long long)step);
	}
	ref_text(c, "'...',)");
	return true;
}

static crn_view eval_getitem(const crn_view *in, const ref_call *c)
{
	int ndim = 0;
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < in->ndim; d++)
		if (c->i[4 * d] == 0)
			shape[ndim++] = c->i[4 * d + 3];
	crn_view out = ref_new(in->dtype, ndim, shape);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t idx[CRN_MAX_NDIM], from[CRN_MAX_NDIM];
		crn_unravel(at, ndim, shape, idx);
		for (int d = 0, e = 0; d < in->ndim; d++) {
			const int64_t *p = &c->i[4 * d];
			from[d] = p[0] ? p[1] : p[1] + p[2] * idx[e++];
		}
		ref_copy_element(&out, at, in, crn_ravel(from, in->ndim, in->shape));
	}
	return out;
}

/* ---- transpose, swapaxes, moveaxis, flip: i[d] is the input axis of output axis d ---- */

static void identity(const crn_view *in, ref_call *c)
{
	for (int d = 0; d < in->ndim; d++)
		c->i[d] = d;
}

static bool choose_transpose(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	identity(in, c);
	if (in->ndim < 2 || ref_one_in(g, 4)) {
		for (int d = 0; d < in->ndim; d++)
			c->i[d] = in->ndim - 1 - d;
		return in->ndim > 0;
	}
	ref_text(c, "(");
	for (int d = 0; d < in->ndim; d++) {
		int k = (int)crn_test_int(g, d, in->ndim - 1);
		int64_t t = c->i[d];
		c->i[d] = c->i[k];
		c->i[k] = t;
		ref_text(c, "%lld, ", (long long)c->i[d]);
	}
	ref_text(c, ")");
	return true;
}

static bool choose_swapaxes(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim < 1)
		return false;
	int64_t a = crn_test_int(g, 0, in->ndim - 1), b = crn_test_int(g, 0, in->ndim - 1);
	identity(in, c);
	c->i[a] = b;
	c->i[b] = a;
	ref_text(c, "%lld, %lld", (long long)a, (long long)(b - in->ndim));
	return true;
}

static bool choose_moveaxis(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim < 1)
		return false;
	int64_t from = crn_test_int(g, 0, in->ndim - 1), to = crn_test_int(g, 0, in->ndim - 1);
	int k = 0;
	for (int d = 0; d < in->ndim; d++) {
		if (d == to)
			c->i[d] = from;
		else
			c->i[d] = k == from ? ++k : k, k++;
	}
	ref_text(c, "%lld, %lld", (long long)from, (long long)to);
	return true;
}

static crn_view eval_reordered(const crn_view *in, const ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < in->ndim; d++)
		shape[d] = in->shape[c->i[d]];
	crn_view out = ref_new(in->dtype, in->ndim, shape);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t idx[CRN_MAX_NDIM], from[CRN_MAX_NDIM];
		crn_unravel(at, in->ndim, shape, idx);
		for (int d = 0; d < in->ndim; d++)
			from[c->i[d]] = idx[d];
		ref_copy_element(&out, at, in, crn_ravel(from, in->ndim, in->shape));
	}
	return out;
}

/* i[d]: is axis d flipped? */
static bool choose_flip(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	bool all = ref_one_in(g, 4), any = false;
	if (!all)
		ref_text(c, "(");
	for (int d = 0; d < in->ndim; d++) {
		c->i[d] = all || ref_one_in(g, 2);
		any |= c->i[d];
		if (!all && c->i[d])
			ref_text(c, "%d, ", ref_one_in(g, 2) ? d : d - in->ndim);
	}
	if (!all)
		ref_text(c, ")");
	return any;
}

static crn_view eval_flip(const crn_view *in, const ref_call *c)
{
	crn_view out = ref_like(in, in->dtype);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(at, in->ndim, in->shape, idx);
		for (int d = 0; d < in->ndim; d++)
			idx[d] = c->i[d] ? in->shape[d] - 1 - idx[d] : idx[d];
		ref_copy_element(&out, at, in, crn_ravel(idx, in->ndim, in->shape));
	}
	return out;
}

/* ---- new and dropped axes: the elements stay in order ---- */

static crn_view same_elements(const crn_view *in, int ndim, const int64_t *shape)
{
	crn_view out = ref_new(in->dtype, ndim, shape);
	for (int64_t at = 0; at < ref_count(&out); at++)
		ref_copy_element(&out, at, in, at);
	return out;
}

static bool choose_expand_dims(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	c->i[0] = crn_test_int(g, 0, in->ndim);
	ref_text(c, "%lld", (long long)c->i[0]);
	return in->ndim < 4;
}

static crn_view eval_expand_dims(const crn_view *in, const ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d <= in->ndim; d++)
		shape[d] = d == c->i[0] ? 1 : in->shape[d - (d > c->i[0])];
	return same_elements(in, in->ndim + 1, shape);
}

static bool choose_squeeze(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	return true;
}

static crn_view eval_squeeze(const crn_view *in, const ref_call *c)
{
	int ndim = 0;
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < in->ndim; d++)
		if (in->shape[d] != 1)
			shape[ndim++] = in->shape[d];
	return same_elements(in, ndim, shape);
}

/* ---- concatenate, stack: i[0] is the axis ---- */

static bool same_but(const crn_view *a, const crn_view *b, int axis)
{
	if (a->ndim != b->ndim || a->dtype != b->dtype)
		return false;
	for (int d = 0; d < a->ndim; d++)
		if (d != axis && a->shape[d] != b->shape[d])
			return false;
	return true;
}

static bool choose_concatenate(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim < 1)
		return false;
	c->as_list = true;
	c->i[0] = crn_test_int(g, 0, in->ndim - 1);
	ref_text(c, "axis=%lld", (long long)c->i[0]);
	return same_but(&in[0], &in[1], (int)c->i[0]);
}

static crn_view eval_concatenate(const crn_view *in, const ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM];
	memcpy(shape, in->shape, sizeof(shape));
	shape[c->i[0]] = in[0].shape[c->i[0]] + in[1].shape[c->i[0]];
	crn_view out = ref_new(in->dtype, in->ndim, shape);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(at, in->ndim, shape, idx);
		int second = idx[c->i[0]] >= in[0].shape[c->i[0]];
		if (second)
			idx[c->i[0]] -= in[0].shape[c->i[0]];
		ref_copy_element(&out, at, &in[second], crn_ravel(idx, in->ndim, in[second].shape));
	}
	return out;
}

static bool choose_stack(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	c->as_list = true;
	c->i[0] = crn_test_int(g, 0, in->ndim);
	ref_text(c, "axis=%lld", (long long)c->i[0]);
	return in->ndim < 4 && same_but(&in[0], &in[1], -1);
}

static crn_view eval_stack(const crn_view *in, const ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d <= in->ndim; d++)
		shape[d] = d == c->i[0] ? 2 : in->shape[d - (d > c->i[0])];
	crn_view out = ref_new(in->dtype, in->ndim + 1, shape);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t idx[CRN_MAX_NDIM], from[CRN_MAX_NDIM];
		crn_unravel(at, out.ndim, shape, idx);
		for (int d = 0; d < in->ndim; d++)
			from[d] = idx[d + (d >= c->i[0])];
		ref_copy_element(&out, at, &in[idx[c->i[0]]], crn_ravel(from, in->ndim, in->shape));
	}
	return out;
}

/* ---- pad: i[2d], i[2d+1] before and after, i[30] mode, i[31] constant ---- */

static bool choose_pad(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	/* numpy.pad's names for scipy's borders, in the order of ref_modes. */
	static const char *const names[] = {"symmetric", "reflect", "edge", "wrap", "constant"};
	c->i[30] = crn_test_int(g, 0, 4);
	for (int d = 0; d < in->ndim; d++)
		if (in->shape[d] == 0)
			return false;
	ref_text(c, "(");
	for (int d = 0; d < in->ndim; d++) {
		c->i[2 * d] = crn_test_int(g, 0, 4);
		c->i[2 * d + 1] = crn_test_int(g, 0, 4);
		ref_text(c, "(%lld, %lld), ", (long long)c->i[2 * d], (long long)c->i[2 * d + 1]);
	}
	ref_text(c, "), mode='%s'", names[c->i[30]]);
	if (c->i[30] == 4 && in->dtype != CRN_BOOL) {
		c->i[31] = crn_test_int(g, 0, 9);
		ref_text(c, ", constant_values=%lld", (long long)c->i[31]);
	}
	return in->ndim > 0;
}

static crn_view eval_pad(const crn_view *in, const ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < in->ndim; d++)
		shape[d] = in->shape[d] + c->i[2 * d] + c->i[2 * d + 1];
	crn_view out = ref_new(in->dtype, in->ndim, shape);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t idx[CRN_MAX_NDIM];
		bool outside = false;
		crn_unravel(at, in->ndim, shape, idx);
		for (int d = 0; d < in->ndim; d++) {
			idx[d] = ref_border(idx[d] - c->i[2 * d], in->shape[d], (int)c->i[30]);
			outside |= idx[d] < 0;
		}
		if (outside)
			ref_put_int(&out, at, c->i[31]);
		else
			ref_copy_element(&out, at, in, crn_ravel(idx, in->ndim, in->shape));
	}
	return out;
}

const ref_op ref_views[] = {
	{"getitem", 1, choose_getitem, eval_getitem},
	{"getitem", 1, choose_getitem, eval_getitem},
	{"transpose", 1, choose_transpose, eval_reordered},
	{"swapaxes", 1, choose_swapaxes, eval_reordered},
	{"moveaxis", 1, choose_moveaxis, eval_reordered},
	{"flip", 1, choose_flip, eval_flip},
	{"expand_dims", 1, choose_expand_dims, eval_expand_dims},
	{"squeeze", 1, choose_squeeze, eval_squeeze},
	{"concatenate", 2, choose_concatenate, eval_concatenate},
	{"stack", 2, choose_stack, eval_stack},
	{"pad", 1, choose_pad, eval_pad},
	{NULL, 0, NULL, NULL},
};

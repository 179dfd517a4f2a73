/* SPDX-License-Identifier: Apache-2.0
 *
 * ref_reductions.c -- NumPy's reductions: all voxels of one result, gathered and folded in order.
 *
 * i[d]: is axis d reduced? i[8]: ddof. Float sums in 113 bits, so their error does not count.
 */
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DDOF = 8, KEEP = 9 };

static bool is_float(crn_dtype t)
{
	return t == CRN_F32 || t == CRN_F64;
}

static bool choose_axes(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	bool all = in->ndim == 0 || ref_one_in(g, 3);
	ref_text(c, all ? "axis=None" : "axis=(");
	for (int d = 0; d < in->ndim; d++) {
		c->i[d] = all || ref_one_in(g, 2);
		if (!all && c->i[d])
			ref_text(c, "%d, ", d);
	}
	ref_text(c, all ? "" : ")");
	return true;
}

static bool some_axis(const crn_view *in, const ref_call *c)
{
	bool any = in->ndim == 0;
	for (int d = 0; d < in->ndim; d++)
		any |= c->i[d] != 0;
	return any;
}

/* How many voxels make one result. */
static int64_t depth(const crn_view *in, const ref_call *c)
{
	int64_t n = 1;
	for (int d = 0; d < in->ndim; d++)
		n *= c->i[d] ? in->shape[d] : 1;
	return n;
}

static crn_view result(const crn_view *in, const ref_call *c, crn_dtype t)
{
	int ndim = 0;
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < in->ndim; d++)
		if (!c->i[d])
			shape[ndim++] = in->shape[d];
	return ref_new(t, ndim, shape);
}

/* Input index of the k-th voxel of result `at`, in C order of the reduced axes. */
static int64_t member(
	const crn_view *in, const ref_call *c, const crn_view *out, int64_t at, int64_t k)
{
	int64_t idx[CRN_MAX_NDIM], kept[CRN_MAX_NDIM], linear = 0;
	crn_unravel(at, out->ndim, out->shape, kept);
	int e = out->ndim;
	for (int d = in->ndim - 1; d >= 0; d--) {
		if (!c->i[d]) {
			idx[d] = kept[--e];
			continue;
		}
		idx[d] = k % in->shape[d];
		k /= in->shape[d];
	}
	for (int d = 0; d < in->ndim; d++)
		linear = linear * in->shape[d] + idx[d];
	return linear;
}

static bool all_finite(const crn_view *in)
{
	for (int64_t at = 0; at < ref_count(in); at++)
		if (!(fabs(ref_float(in, at)) < 1e25))
			return false;
	return true;
}

/* ---- sums ---- */

static bool choose_sum(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	choose_axes(g, in, c);
	return some_axis(in, c) && (!is_float(in->dtype) || all_finite(in));
}

static __float128 total(const crn_view *in, const ref_call *c, const crn_view *out, int64_t at)
{
	__float128 sum = 0;
	for (int64_t k = 0; k < depth(in, c); k++) {
		int64_t m = member(in, c, out, at, k);
		sum += is_float(in->dtype) ? (__float128)ref_float(in, m)
					   : (__float128)ref_int(in, m);
	}
	return sum;
}

static crn_view eval_sum(const crn_view *in, const ref_call *c)
{
	crn_dtype t = is_float(in->dtype)                           ? in->dtype
		      : in->dtype >= CRN_U8 && in->dtype <= CRN_U64 ? CRN_U64
								    : CRN_I64;
	crn_view out = result(in, c, t);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		__int128 exact = 0;
		for (int64_t k = 0; k < depth(in, c) && !is_float(t); k++)
			exact += ref_int(in, member(in, c, &out, at, k));
		if (t == CRN_F32) /* rounded once, not by way of float64 */
			((float *)out.data)[at] = (float)total(in, c, &out, at);
		else if (t == CRN_F64)
			((double *)out.data)[at] = (double)total(in, c, &out, at);
		else
			ref_put_int(&out, at, exact);
	}
	return out;
}

static bool choose_mean(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	choose_axes(g, in, c);
	return some_axis(in, c) && depth(in, c) > 0 && all_finite(in);
}

static bool choose_var(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (!choose_mean(g, in, c) || depth(in, c) < 2)
		return false;
	c->rtol = in->dtype == CRN_F32 ? 1.2e-7 : 2.3e-16;
	if (ref_one_in(g, 2)) {
		c->i[DDOF] = 1;
		ref_text(c, ", ddof=1");
	}
	return true;
}

static crn_view moments(const crn_view *in, const ref_call *c, int what)
{
	crn_view out = result(in, c, in->dtype == CRN_F32 ? CRN_F32 : CRN_F64);
	__float128 n = (__float128)depth(in, c);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		__float128 mean = total(in, c, &out, at) / n, sum = 0;
		for (int64_t k = 0; k < depth(in, c) && what > 0; k++) {
			int64_t m = member(in, c, &out, at, k);
			__float128 v = is_float(in->dtype) ? (__float128)ref_float(in, m)
							   : (__float128)ref_int(in, m);
			sum += (v - mean) * (v - mean);
		}
		__float128 v = what == 0 ? mean : sum / (n - (__float128)c->i[DDOF]);
		double d = what == 2 ? (double)sqrtl((long double)v) : (double)v;
		if (out.dtype == CRN_F32)
			((float *)out.data)[at] = what == 2 ? (float)d : (float)v;
		else
			((double *)out.data)[at] = d;
	}
	return out;
}

static crn_view eval_mean(const crn_view *in, const ref_call *c)
{
	return moments(in, c, 0);
}

static crn_view eval_var(const crn_view *in, const ref_call *c)
{
	return moments(in, c, 1);
}

static crn_view eval_std(const crn_view *in, const ref_call *c)
{
	return moments(in, c, 2);
}

/* ---- extrema ---- */

static bool choose_extremum(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	choose_axes(g, in, c);
	return some_axis(in, c) && depth(in, c) > 0;
}

static bool choose_argument(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim == 0 || ref_one_in(g, 3)) {
		for (int d = 0; d < in->ndim; d++)
			c->i[d] = 1;
		return depth(in, c) > 0;
	}
	int64_t axis = crn_test_int(g, 0, in->ndim - 1);
	c->i[axis] = 1;
	ref_text(c, "axis=%lld", (long long)axis);
	return depth(in, c) > 0;
}

/* Is element a before element b of the order whose first element we look for? NaN comes first. */
static bool better(const crn_view *in, int64_t a, int64_t b, bool largest)
{
	if (is_float(in->dtype)) {
		double x = ref_float(in, a), y = ref_float(in, b);
		if (isnan(x) || isnan(y))
			return isnan(x) && !isnan(y);
		return largest ? x > y : x < y;
	}
	__int128 x = ref_int(in, a), y = ref_int(in, b);
	return largest ? x > y : x < y;
}

static crn_view extremum(const crn_view *in, const ref_call *c, bool largest, bool argument)
{
	crn_view out = result(in, c, argument ? CRN_I64 : in->dtype);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t best = 0;
		for (int64_t k = 1; k < depth(in, c); k++)
			if (better(in, member(in, c, &out, at, k), member(in, c, &out, at, best),
				    largest))
				best = k;
		if (argument)
			ref_put_int(&out, at, best);
		else
			ref_copy_element(&out, at, in, member(in, c, &out, at, best));
	}
	return out;
}

/* ---- truth ---- */

static bool choose_truth(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	choose_axes(g, in, c);
	return some_axis(in, c);
}

static crn_view truth(const crn_view *in, const ref_call *c, int what)
{
	crn_view out = result(in, c, what == 2 ? CRN_I64 : CRN_BOOL);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		int64_t n = 0;
		for (int64_t k = 0; k < depth(in, c); k++)
			n += ref_truth(in, member(in, c, &out, at, k));
		ref_put_int(&out, at, what == 2 ? n : what == 1 ? n > 0 : n == depth(in, c));
	}
	return out;
}

#define FOLD(fn, body) \
	static crn_view eval_##fn(const crn_view *in, const ref_call *c) \
	{ \
		return body; \
	}
FOLD(min, extremum(in, c, false, false))
FOLD(max, extremum(in, c, true, false))
FOLD(argmin, extremum(in, c, false, true))
FOLD(argmax, extremum(in, c, true, true))
FOLD(all, truth(in, c, 0))
FOLD(any, truth(in, c, 1))
FOLD(count_nonzero, truth(in, c, 2))

const ref_op ref_reductions[] = {
	{"sum", 1, choose_sum, eval_sum},
	{"mean", 1, choose_mean, eval_mean},
	{"var", 1, choose_var, eval_var},
	{"std", 1, choose_var, eval_std},
	{"min", 1, choose_extremum, eval_min},
	{"max", 1, choose_extremum, eval_max},
	{"argmin", 1, choose_argument, eval_argmin},
	{"argmax", 1, choose_argument, eval_argmax},
	{"all", 1, choose_truth, eval_all},
	{"any", 1, choose_truth, eval_any},
	{"count_nonzero", 1, choose_truth, eval_count_nonzero},
	{NULL, 0, NULL, NULL},
};

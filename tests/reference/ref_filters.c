/* SPDX-License-Identifier: Apache-2.0
 *
 * ref_filters.c -- scipy.ndimage's filters as weighted sums and sorted windows, voxel by voxel.
 *
 * Numbers of a call: i[0] mode (of ref_modes), f[0] cval; the rest is named at each filter.
 */
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MODE = 0, SIZE = 1 /* ..8 */, ORIGIN = 9 /* ..16 */, AXIS = 17, WHICH = 18, ORDER = 20 };
enum { CVAL = 0, SIGMA = 1 /* ..8 */, TRUNCATE = 9 };

static bool is_float(crn_dtype t)
{
	return t == CRN_F32 || t == CRN_F64;
}

/* Largest magnitude; infinite when something is not finite, and then sums have no tolerance. */
static double largest(const crn_view *v)
{
	double most = 0;
	for (int64_t at = 0; at < ref_count(v); at++) {
		double a = fabs(ref_float(v, at));
		if (!(a <= 1e25))
			return INFINITY;
		most = a > most ? a : most;
	}
	return most;
}

static void choose_mode(crn_test_rng *g, ref_call *c, bool cval_fits)
{
	c->i[MODE] = crn_test_int(g, 0, 4);
	if (c->i[MODE] == 0 && ref_one_in(g, 2))
		return;
	ref_text(c, ", mode='%s'", ref_modes[c->i[MODE]]);
	if (c->i[MODE] == 4 && cval_fits && ref_one_in(g, 2)) {
		c->f[CVAL] = (double)crn_test_int(g, 0, 20);
		ref_text(c, ", cval=%.1f", c->f[CVAL]);
	}
}

/* Value of v at idx, with scipy's border. */
static double at_border(const crn_view *v, const int64_t *idx, const ref_call *c)
{
	int64_t k = 0;
	for (int d = 0; d < v->ndim; d++) {
		int64_t i = ref_border(idx[d], v->shape[d], (int)c->i[MODE]);
		if (i < 0)
			return c->f[CVAL];
		k = k * v->shape[d] + i;
	}
	return ref_float(v, k);
}

/* out[i] = sum over j of w[j] * in[i + j - n/2 - origin] along one axis, in float64. */
static crn_view along_axis(
	const crn_view *in, int axis, const double *w, int n, int origin, const ref_call *c)
{
	crn_view out = ref_like(in, CRN_F64);
	for (int64_t at = 0; at < ref_count(in); at++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(at, in->ndim, in->shape, idx);
		int64_t middle = idx[axis];
		long double sum = 0;
		for (int j = 0; j < n; j++) {
			idx[axis] = middle + j - n / 2 - origin;
			sum += (long double)w[j] * at_border(in, idx, c);
		}
		ref_put_float(&out, at, (double)sum);
	}
	return out;
}

static crn_view widened(const crn_view *in)
{
	crn_view out = ref_like(in, CRN_F64);
	for (int64_t at = 0; at < ref_count(in); at++)
		ref_put_float(&out, at, ref_float(in, at));
	return out;
}

/* Moves a float64 result to the dtype of the input; integers stay float64 (before_rounding). */
static crn_view finished(crn_view *wide, crn_dtype t, const ref_call *c)
{
	if (t == CRN_F64 || c->before_rounding) {
		crn_view out = *wide;
		*wide = (crn_view){0};
		return out;
	}
	crn_view out = ref_like(wide, t);
	for (int64_t at = 0; at < ref_count(&out); at++)
		if (is_float(t))
			ref_put_float(&out, at, ref_float(wide, at));
		else
			ref_put_int(&out, at, (__int128)ref_float(wide, at));
	return out;
}

/* What scipy does after every axis: the line goes back to the array's dtype, integers by truncation
 * and keeping the low bits. */
static void store(crn_view *wide, crn_dtype t)
{
	for (int64_t at = 0; at < ref_count(wide); at++) {
		crn_elem e;
		crn_view one = crn_view_dense(e.bytes, t, 0, NULL);
		double v = ref_float(wide, at);
		if (is_float(t))
			ref_put_float(&one, 0, v);
		else
			ref_put_int(&one, 0, (__int128)v);
		ref_put_float(wide, at, ref_float(&one, 0));
	}
}

/* Integers whose sums float64 holds: their filters are exact. What an int32 overflow becomes is up
 * to the compiler of scipy, so there must be none. */
static bool is_exact(const crn_view *in, const ref_call *c, double gain)
{
	if (in->dtype == CRN_I32 && fmax(largest(in), fabs(c->f[CVAL])) * gain >= 0x1p31)
		return false;
	return !is_float(in->dtype) && in->dtype != CRN_BOOL && crn_dtype_size(in->dtype) <= 4;
}

/* Tolerances of sums of `taps` products with weights of total magnitude `gain`. */
static bool set_tolerance(const crn_view *in, ref_call *c, double taps, double gain)
{
	double most = largest(in);
	if (c->i[MODE] == 4)
		most = fmax(most, fabs(c->f[CVAL]));
	if (isinf(most))
		return false;
	bool wide = in->dtype == CRN_F64 || (!is_float(in->dtype) && crn_dtype_size(in->dtype) > 2);
	c->atol = most * gain * (taps + 4) * (wide ? 0x1p-52 : 0x1p-23) + 1e-300;
	c->before_rounding = !is_float(in->dtype);
	return true;
}

/* ---- gaussian_filter ---- */

static int radius_of(const ref_call *c, int d)
{
	return (int)(c->f[TRUNCATE] * c->f[SIGMA + d] + 0.5);
}

/* scipy's _gaussian_kernel1d: the polynomial of the derivative times a normalised Gaussian, to be
 * correlated, hence reversed. */
static void gaussian_weights(double sigma, int radius, int order, double *w)
{
	double total = 0, s2 = sigma * sigma;
	for (int x = -radius; x <= radius; x++)
		total += exp(-0.5 / s2 * x * x);
	for (int x = -radius; x <= radius; x++) {
		double phi = exp(-0.5 / s2 * x * x) / total;
		double q = order == 0 ? 1 : order == 1 ? -x / s2 : ((double)x * x / s2 - 1) / s2;
		w[radius - x] = q * phi;
	}
}

static bool choose_gaussian(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	bool per_axis = in->ndim > 1 && ref_one_in(g, 2);
	double one = (double)crn_test_int(g, 1, 12) / 5, taps = 0, gain = 1;
	if (in->ndim == 0)
		return false;
	c->f[TRUNCATE] = ref_one_in(g, 3) ? 2.0 : 4.0;
	c->i[ORDER] = ref_one_in(g, 4) ? crn_test_int(g, 1, 2) : 0;
	ref_text(c, per_axis ? "(" : "%.1f", one);
	for (int d = 0; d < in->ndim; d++) {
		c->f[SIGMA + d] = per_axis ? (double)crn_test_int(g, 0, 8) / 5 : one;
		if (per_axis)
			ref_text(c, "%.1f, ", c->f[SIGMA + d]);
		taps += 2 * radius_of(c, d) + 1;
		gain *= c->i[ORDER] && c->f[SIGMA + d] > 0
				? fmax(1, 3 / (c->f[SIGMA + d] * c->f[SIGMA + d]))
				: 1;
	}
	ref_text(c, per_axis ? ")" : "");
	if (c->i[ORDER])
		ref_text(c, ", order=%lld", (long long)c->i[ORDER]);
	if (c->f[TRUNCATE] != 4)
		ref_text(c, ", truncate=%.1f", c->f[TRUNCATE]);
	choose_mode(g, c, true);
	return set_tolerance(in, c, taps, gain);
}

static crn_view eval_gaussian(const crn_view *in, const ref_call *c)
{
	CRN_TEST_ARRAY wide = widened(in);
	for (int d = 0; d < in->ndim; d++) {
		double w[256];
		int r = radius_of(c, d);
		if (c->f[SIGMA + d] <= 1e-15)
			continue;
		gaussian_weights(c->f[SIGMA + d], r, (int)c->i[ORDER], w);
		crn_view next = along_axis(&wide, d, w, 2 * r + 1, 0, c);
		crn_test_array_free(&wide);
		wide = next;
	}
	return finished(&wide, in->dtype, c);
}

/* ---- uniform_filter, sobel, prewitt, laplace ---- */

static bool choose_sizes(crn_test_rng *g, const crn_view *in, ref_call *c, int64_t most)
{
	bool per_axis = in->ndim > 1 && ref_one_in(g, 2);
	int64_t one = crn_test_int(g, 1, most);
	if (in->ndim == 0)
		return false;
	if (per_axis)
		ref_text(c, "size=(");
	else
		ref_text(c, "size=%lld", (long long)one);
	for (int d = 0; d < in->ndim; d++) {
		c->i[SIZE + d] = per_axis ? crn_test_int(g, 1, most) : one;
		if (per_axis)
			ref_text(c, "%lld, ", (long long)c->i[SIZE + d]);
	}
	ref_text(c, per_axis ? ")" : "");
	if (!per_axis && one >= 3 && ref_one_in(g, 4)) {
		int64_t o = crn_test_int(g, -1, 1);
		for (int d = 0; d < in->ndim; d++)
			c->i[ORIGIN + d] = o;
		ref_text(c, ", origin=%lld", (long long)o);
	}
	return true;
}

static bool choose_uniform(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	double taps = 0;
	if (!choose_sizes(g, in, c, 6))
		return false;
	for (int d = 0; d < in->ndim; d++)
		taps += (double)c->i[SIZE + d];
	choose_mode(g, c, true);
	if (is_float(in->dtype))
		return set_tolerance(in, c, taps, 1);
	return is_exact(in, c, 1) || in->dtype == CRN_BOOL;
}

static crn_view eval_uniform(const crn_view *in, const ref_call *c)
{
	CRN_TEST_ARRAY wide = widened(in);
	for (int d = 0; d < in->ndim; d++) {
		double w[16];
		int n = (int)c->i[SIZE + d];
		for (int j = 0; j < n; j++)
			w[j] = 1;
		crn_view next = along_axis(&wide, d, w, n, (int)c->i[ORIGIN + d], c);
		for (int64_t at = 0; at < ref_count(&next); at++)
			ref_put_float(&next, at, ref_float(&next, at) / n);
		store(&next, in->dtype);
		crn_test_array_free(&wide);
		wide = next;
	}
	return finished(&wide, in->dtype, c);
}

static bool choose_derivative(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim == 0 || in->dtype == CRN_BOOL)
		return false;
	c->i[AXIS] = crn_test_int(g, 0, in->ndim - 1);
	ref_text(c, "axis=%lld", (long long)c->i[AXIS]);
	choose_mode(g, c, true);
	double gain = 2 * pow(4, in->ndim - 1);
	return is_exact(in, c, gain) ||
	       (is_float(in->dtype) && set_tolerance(in, c, 3 * in->ndim, 4 * gain));
}

static crn_view derivative(const crn_view *in, const ref_call *c, const double smooth[3])
{
	static const double slope[] = {-1, 0, 1};
	CRN_TEST_ARRAY wide = along_axis(in, (int)c->i[AXIS], slope, 3, 0, c);
	store(&wide, in->dtype);
	for (int d = 0; d < in->ndim; d++) {
		if (d == c->i[AXIS])
			continue;
		crn_view next = along_axis(&wide, d, smooth, 3, 0, c);
		store(&next, in->dtype);
		crn_test_array_free(&wide);
		wide = next;
	}
	return finished(&wide, in->dtype, c);
}

static crn_view eval_sobel(const crn_view *in, const ref_call *c)
{
	return derivative(in, c, (const double[]){1, 2, 1});
}

static crn_view eval_prewitt(const crn_view *in, const ref_call *c)
{
	return derivative(in, c, (const double[]){1, 1, 1});
}

static bool choose_laplace(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (in->ndim == 0)
		return false;
	ref_text(c, "mode='reflect'");
	if (ref_one_in(g, 2)) {
		c->i[MODE] = crn_test_int(g, 0, 4);
		c->text[0] = '\0';
		ref_text(c, "mode='%s'", ref_modes[c->i[MODE]]);
	}
	return is_exact(in, c, 4 * in->ndim) ||
	       (is_float(in->dtype) && set_tolerance(in, c, 3 * in->ndim, 4 * in->ndim));
}

static crn_view eval_laplace(const crn_view *in, const ref_call *c)
{
	static const double second[] = {1, -2, 1};
	CRN_TEST_ARRAY sum = ref_like(in, CRN_F64);
	for (int d = 0; d < in->ndim; d++) {
		CRN_TEST_ARRAY one = along_axis(in, d, second, 3, 0, c);
		for (int64_t at = 0; at < ref_count(in); at++)
			ref_put_float(&sum, at, ref_float(&sum, at) + ref_float(&one, at));
		store(&sum, in->dtype);
	}
	return finished(&sum, in->dtype, c);
}

/* ---- dense windows: correlate, convolve, median, minimum, maximum ---- */

/* Calls visit(state, tap index, input's linear index or -1) for every tap around idx. */
typedef struct window {
	int ndim;
	int64_t size[CRN_MAX_NDIM], origin[CRN_MAX_NDIM];
} window;

static window window_of(const crn_view *in, const ref_call *c)
{
	window w = {.ndim = in->ndim};
	for (int d = 0; d < in->ndim; d++) {
		w.size[d] = c->i[SIZE + d];
		w.origin[d] = c->i[ORIGIN + d];
	}
	return w;
}

static int64_t window_count(const window *w)
{
	int64_t n = 1;
	for (int d = 0; d < w->ndim; d++)
		n *= w->size[d];
	return n;
}

/* Input index under tap t of the window around idx, -1 for the constant. */
static int64_t under_tap(
	const crn_view *in, const window *w, const int64_t *idx, int64_t t, int mode)
{
	int64_t tap[CRN_MAX_NDIM], k = 0;
	crn_unravel(t, w->ndim, w->size, tap);
	for (int d = 0; d < w->ndim; d++) {
		int64_t i = idx[d] + tap[d] - w->size[d] / 2 - w->origin[d];
		i = ref_border(i, in->shape[d], mode);
		if (i < 0)
			return -1;
		k = k * in->shape[d] + i;
	}
	return k;
}

static bool choose_rank(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	if (!choose_sizes(g, in, c, in->ndim > 2 ? 4 : 7))
		return false;
	choose_mode(g, c, in->dtype != CRN_BOOL);
	for (int64_t at = 0; at < ref_count(in); at++) /* NaN has no rank */
		if (isnan(ref_float(in, at)))
			return false;
	return true;
}

typedef struct sample {
	__int128 x;
	double a;
} sample;

static int by_value(const void *p, const void *q)
{
	const sample *a = p, *b = q;
	return a->a < b->a || (a->a == b->a && a->x < b->x)   ? -1
	       : a->a > b->a || (a->a == b->a && a->x > b->x) ? 1
							      : 0;
}

/* which: 0 minimum, 1 median (scipy: element n / 2 of the sorted window), 2 maximum */
static crn_view ranked(const crn_view *in, const ref_call *c, int which)
{
	window w = window_of(in, c);
	int64_t n = window_count(&w);
	crn_view out = ref_like(in, in->dtype);
	sample *samples = calloc((size_t)n, sizeof(*samples));
	for (int64_t at = 0; samples && at < ref_count(in); at++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(at, in->ndim, in->shape, idx);
		for (int64_t t = 0; t < n; t++) {
			int64_t k = under_tap(in, &w, idx, t, (int)c->i[MODE]);
			samples[t].a = k < 0 ? c->f[CVAL] : ref_float(in, k);
			samples[t].x = k < 0                 ? (__int128)c->f[CVAL]
				       : is_float(in->dtype) ? 0
							     : ref_int(in, k);
		}
		qsort(samples, (size_t)n, sizeof(*samples), by_value);
		const sample *s = &samples[which == 0 ? 0 : which == 1 ? n / 2 : n - 1];
		if (is_float(in->dtype))
			ref_put_float(&out, at, s->a);
		else
			ref_put_int(&out, at, s->x);
	}
	free(samples);
	return out;
}

static crn_view eval_minimum(const crn_view *in, const ref_call *c)
{
	return ranked(in, c, 0);
}

static crn_view eval_median(const crn_view *in, const ref_call *c)
{
	return ranked(in, c, 1);
}

static crn_view eval_maximum(const crn_view *in, const ref_call *c)
{
	return ranked(in, c, 2);
}

/* scipy.ndimage.grey_dilation with a size: the maximum over the mirrored window. */
static crn_view eval_grey_dilation(const crn_view *in, const ref_call *c)
{
	ref_call mirrored = *c;
	for (int d = 0; d < in->ndim; d++)
		mirrored.i[ORIGIN + d] = -c->i[ORIGIN + d] - (c->i[SIZE + d] % 2 == 0);
	return ranked(in, &mirrored, 2);
}

static bool choose_weights(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	int64_t shape[CRN_MAX_NDIM];
	double gain = 0;
	cairn_error err;
	crn_const *weights = NULL;
	if (in->ndim == 0 || in->ndim > 3 || in->dtype == CRN_BOOL)
		return false;
	for (int d = 0; d < in->ndim; d++)
		c->i[SIZE + d] = shape[d] = crn_test_int(g, 1, 4);
	if (crn_const_new(CRN_F64, in->ndim, shape, &weights, &err) != CAIRN_OK)
		return false;
	for (int64_t t = 0; t < crn_const_count(weights); t++) {
		double w = (double)crn_test_int(g, -8, 8) / 4;
		((double *)weights->data)[t] = w;
		gain += fabs(w);
	}
	c->structure = crn_value_const(weights);
	c->structure_name = "weights";
	ref_text(c, "cval=0.0");
	choose_mode(g, c, false);
	return is_exact(in, c, gain) ||
	       (is_float(in->dtype) &&
		       set_tolerance(in, c, (double)crn_const_count(weights), gain + 1));
}

static crn_view weighted(const crn_view *in, const ref_call *c, bool convolve)
{
	window w = window_of(in, c);
	int64_t n = window_count(&w);
	const double *weights = c->structure.c->data;
	CRN_TEST_ARRAY wide = ref_like(in, CRN_F64);
	/* Convolution is correlation with the mirrored weights around the mirrored centre. */
	for (int d = 0; d < in->ndim && convolve; d++)
		w.origin[d] = -(w.size[d] % 2 == 0);
	for (int64_t at = 0; at < ref_count(in); at++) {
		int64_t idx[CRN_MAX_NDIM];
		long double sum = 0;
		crn_unravel(at, in->ndim, in->shape, idx);
		for (int64_t t = 0; t < n; t++) {
			int64_t k = under_tap(in, &w, idx, t, (int)c->i[MODE]);
			sum += (long double)weights[convolve ? n - 1 - t : t] *
			       (k < 0 ? c->f[CVAL] : ref_float(in, k));
		}
		ref_put_float(&wide, at, (double)sum);
	}
	store(&wide, in->dtype);
	return finished(&wide, in->dtype, c);
}

static crn_view eval_correlate(const crn_view *in, const ref_call *c)
{
	return weighted(in, c, false);
}

static crn_view eval_convolve(const crn_view *in, const ref_call *c)
{
	return weighted(in, c, true);
}

const ref_op ref_filters[] = {
	{"gaussian_filter", 1, choose_gaussian, eval_gaussian},
	{"gaussian_filter", 1, choose_gaussian, eval_gaussian},
	{"uniform_filter", 1, choose_uniform, eval_uniform},
	{"median_filter", 1, choose_rank, eval_median},
	{"minimum_filter", 1, choose_rank, eval_minimum},
	{"maximum_filter", 1, choose_rank, eval_maximum},
	{"grey_erosion", 1, choose_rank, eval_minimum},
	{"grey_dilation", 1, choose_rank, eval_grey_dilation},
	{"sobel", 1, choose_derivative, eval_sobel},
	{"prewitt", 1, choose_derivative, eval_prewitt},
	{"laplace", 1, choose_laplace, eval_laplace},
	{"correlate", 1, choose_weights, eval_correlate},
	{"convolve", 1, choose_weights, eval_convolve},
	{NULL, 0, NULL, NULL},
};

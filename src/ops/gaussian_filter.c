/* SPDX-License-Identifier: Apache-2.0
 *
 * gaussian_filter.c -- Gaussian smoothing and derivatives: one correlate_pass per axis.
 *
 * Weights are made in float64 with the exponential of kernels/math_kernels.h, which is the same on
 * every machine; libm's may differ by a bit and would change results.
 */
#include "ops/correlate_pass.h"
#include "ops/filter_window.h"

#include "base/mem.h"
#include "core/call.h"
#include "kernels/math_kernels.h"

#include <string.h>

enum { INPUT, SIGMA, ORDER, MODE, CVAL, TRUNCATE, COMPAT };

static const char *const compats[] = {"scipy", NULL};

static const crn_param params[] = {
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "array of any dtype", NULL},
	[SIGMA] = {"sigma", CRN_P_FLOATS, NULL,
		"standard deviation in voxels, >= 0; one number or one per axis; 0 leaves an axis "
		"alone",
		NULL},
	[ORDER] = {"order", CRN_P_INTS, "0",
		"0 smooths, k > 0 gives the k-th derivative; one number or one per axis", NULL},
	[MODE] = {"mode", CRN_P_STRS, "'reflect'",
		"how the border is extended; one or one per axis", crn_border_names},
	[CVAL] = {"cval", CRN_P_FLOAT, "0.0", "value outside for mode constant", NULL},
	[TRUNCATE] = {"truncate", CRN_P_FLOAT, "4.0", "radius of the window in sigmas", NULL},
	[COMPAT] = {"compat", CRN_P_STR, "None",
		"'scipy': float64 sums, stored to the input's dtype after every axis", compats},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static double exponential(double x)
{
	double y;
	crn_math_base.row[CRN_MATH_EXP][CRN_F64](NULL, 1, &y, (const void *[]){&x});
	return y;
}

enum { MAX_ORDER = 8 };

/* Polynomial q with d^order/dx^order exp(-x^2 / 2 s2) = q(x) exp(...): q' - x q / s2, repeated. */
static void derivative_polynomial(int order, double s2, double q[MAX_ORDER + 1])
{
	memset(q, 0, (MAX_ORDER + 1) * sizeof(*q));
	q[0] = 1;
	for (int k = 0; k < order; k++) {
		double next[MAX_ORDER + 1] = {0};
		for (int i = 0; i <= order; i++) {
			if (i < order)
				next[i] += (i + 1) * q[i + 1];
			if (i > 0)
				next[i] -= q[i - 1] / s2;
		}
		memcpy(q, next, sizeof(next));
	}
}

/* 2 * radius + 1 weights in correlation order; each pair is equal to the bit. */
static void fill_weights(double sigma, int order, int64_t radius, double *w)
{
	double s2 = sigma * sigma, sum = 0, q[MAX_ORDER + 1];
	for (int64_t x = radius; x >= 0; x--) {
		w[radius + x] = exponential(-0.5 / s2 * (double)(x * x));
		sum += x ? 2 * w[radius + x] : w[radius];
	}
	derivative_polynomial(order, s2, q);
	for (int64_t x = 0; x <= radius; x++) {
		double phi = w[radius + x] / sum, even = 0, odd = 0, power = 1;
		for (int i = 0; i <= order; i++) {
			*(i % 2 ? &odd : &even) += q[i] * power;
			power *= (double)x;
		}
		/* Correlation sees the convolution kernel reversed. */
		w[radius - x] = (even + odd) * phi;
		w[radius + x] = (even - odd) * phi;
	}
}

typedef struct gaussian {
	double sigma[CRN_MAX_NDIM], cval, truncate;
	int64_t order[CRN_MAX_NDIM];
	const char *mode[CRN_MAX_NDIM];
	bool scipy;
} gaussian;

static cairn_status read_args(const crn_value *args, gaussian *ret, cairn_error *err)
{
	int ndim = args[INPUT].node->type.ndim;
	CRN_TRY(crn_args_floats(&args[SIGMA], ndim, ret->sigma, "gaussian_filter: sigma", err));
	CRN_TRY(crn_args_ints(&args[ORDER], ndim, ret->order, "gaussian_filter: order", err));
	CRN_TRY(crn_filter_modes(&args[MODE], ndim, ret->mode, "gaussian_filter", err));
	ret->cval = args[CVAL].f;
	ret->truncate = args[TRUNCATE].f;
	ret->scipy = args[COMPAT].kind == CRN_V_STR;
	for (int d = 0; d < ndim; d++) {
		if (!(ret->sigma[d] >= 0))
			return crn_fail(err, CAIRN_USAGE,
				"gaussian_filter: sigma %g on axis %d is negative", ret->sigma[d],
				d);
		if (!(ret->truncate >= 0) || ret->truncate * ret->sigma[d] > 1e5)
			return crn_fail(err, CAIRN_USAGE,
				"gaussian_filter: sigma %g with truncate %g: the radius must be 0 "
				"to 100000 voxels",
				ret->sigma[d], ret->truncate);
		if (ret->order[d] < 0 || ret->order[d] > MAX_ORDER)
			return crn_fail(err, CAIRN_USAGE,
				"gaussian_filter: order %lld; allowed are 0 to %d",
				(long long)ret->order[d], MAX_ORDER);
	}
	return CAIRN_OK;
}

static cairn_status build_axis(crn_graph *g, const gaussian *a, int axis, crn_node *input,
	crn_node **ret, cairn_error *err)
{
	int64_t radius = (int64_t)(a->truncate * a->sigma[axis] + 0.5);
	size_t bytes = (size_t)(2 * radius + 1) * sizeof(double);
	CRN_FREE double *weights = crn_alloc(bytes);
	if (!weights)
		return crn_fail_memory(err, "Gaussian weights", bytes);
	fill_weights(a->sigma[axis], (int)a->order[axis], radius, weights);
	crn_pass pass = {.axis = axis,
		.weights = weights,
		.n_weights = 2 * radius + 1,
		.mode = a->mode[axis],
		.cval = a->cval};
	return a->scipy ? crn_build_scipy_pass(g, input, &pass, "gaussian_filter", ret, err)
			: crn_build_correlate_pass(g, input, &pass, "gaussian_filter", ret, err);
}

static cairn_status build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	(void)self;
	crn_node *input = args[INPUT].node;
	gaussian a = {0};
	CRN_TRY(read_args(args, &a, err));
	bool any = false;
	for (int d = 0; d < input->type.ndim; d++)
		any |= a.sigma[d] > 1e-15;
	CRN_NODE *at = crn_node_ref(input);
	crn_dtype t = input->type.dtype;
	if (any && !a.scipy) {
		crn_node_unref(at);
		at = NULL;
		CRN_TRY(crn_filter_convert(g, input, crn_filter_float(t), "exact", &at, err));
	}
	for (int d = 0; d < input->type.ndim; d++) {
		crn_node *next = NULL;
		if (!(a.sigma[d] > 1e-15))
			continue;
		CRN_TRY(build_axis(g, &a, d, at, &next, err));
		crn_node_unref(at);
		at = next;
	}
	crn_node *done = NULL;
	CRN_TRY(crn_filter_convert(g, at, t, "round", &done, err));
	*ret = crn_value_node(done);
	return CAIRN_OK;
}

const crn_op crn_op_gaussian_filter = {
	.name = "gaussian_filter",
	.category = "filters",
	.summary = "Smooths with a Gaussian; order > 0 gives derivatives.",
	.doc = "The window reaches int(truncate * sigma + 0.5) voxels to each side. float32 is "
	       "summed in "
	       "float32: within (2 radius + 1) * 2^-24 per axis of the float64 result, relative to "
	       "the "
	       "largest |input|. Integers (and bool) are filtered as float32 up to 16 bits, as "
	       "float64 "
	       "beyond, and rounded once at the end, half to even, held at the ends of their "
	       "range; "
	       "scipy truncates after every axis, which compat='scipy' repeats. NaN spreads over "
	       "its "
	       "window.",
	.source = "scipy.ndimage.gaussian_filter",
	.example = "gaussian_filter(random((20, 30, 30)), sigma=(1, 2, 2))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = params,
	.build = build,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate_filters.c -- correlate, convolve, correlate1d, convolve1d, sobel, prewitt, laplace.
 *
 * All are correlations with given or fixed weights, built from correlate_pass and taps_pass with
 * scipy's rules for reversal, origin and dtype.
 */
#include "ops/correlate_pass.h"
#include "ops/filter_window.h"
#include "ops/taps_pass.h"

#include "base/mem.h"
#include "core/call.h"
#include "ops/binary_pass.h"

#include <math.h>
#include <string.h>

#define TAIL \
	{"mode", CRN_P_STR, "'reflect'", "how the border is extended", crn_border_names}, \
	{ \
		"cval", CRN_P_FLOAT, "0.0", "value outside for mode constant", NULL \
	}

/* ---- dense ---- */

enum { INPUT, WEIGHTS, MODE, CVAL, ORIGIN };

static const crn_param dense_params[] = {
	{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"weights", CRN_P_CONST, NULL, "constant array with as many axes as the input", NULL},
	TAIL,
	{"origin", CRN_P_INTS, "0", "shift of the window in voxels, one or one per axis", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static cairn_status check_numbers(const crn_op *self, const crn_const *w, cairn_error *err)
{
	for (int64_t i = 0, n = crn_const_count(w); i < n; i++)
		if (!isfinite(((const double *)w->data)[i]))
			return crn_fail(err, CAIRN_USAGE, "%s: weight %lld is not a finite number",
				self->name, (long long)i);
	return CAIRN_OK;
}

static cairn_status build_dense(crn_graph *g, const crn_op *self, const crn_value *args,
	bool convolve, crn_value *ret, cairn_error *err)
{
	crn_node *input = args[INPUT].node, *node = NULL;
	crn_const *weights = NULL, *reversed = NULL;
	CRN_TRY(crn_const_doubles(args[WEIGHTS].c, &weights, err));
	CRN_VALUE keeps = crn_value_const(weights), keeps_reversed = {0};
	CRN_TRY(check_numbers(self, weights, err));
	if (weights->ndim != input->type.ndim)
		return crn_fail(err, CAIRN_USAGE, "%s: weights have %d axes, input has %d",
			self->name, weights->ndim, input->type.ndim);
	crn_footprint f = {.mode = crn_border_canonical(args[MODE].s), .cval = args[CVAL].f};
	CRN_TRY(crn_args_ints(&args[ORIGIN], weights->ndim, f.origin, "origin", err));
	if (convolve) {
		CRN_TRY(crn_const_reversed(weights, &reversed, err));
		keeps_reversed = crn_value_const(reversed);
		weights = reversed;
		for (int d = 0; d < weights->ndim; d++)
			f.origin[d] = -f.origin[d] - (weights->shape[d] % 2 == 0);
	}
	CRN_VALUE origins = {0};
	CRN_TRY(crn_value_ints(f.origin, weights->ndim, &origins, err));
	CRN_TRY(crn_window_check(weights, &origins, input->type.ndim, self->name, err));
	CRN_TRY(crn_build_taps(g, input, weights, &f, CRN_TAPS_SUM, &node, err));
	*ret = crn_value_node(node);
	return CAIRN_OK;
}

/* ---- one axis ---- */

enum { AXIS = 2, MODE_1D, CVAL_1D, ORIGIN_1D };

static const crn_param line_params[] = {
	{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"weights", CRN_P_CONST, NULL, "list of numbers", NULL},
	{"axis", CRN_P_INT, "-1", "axis, from 0, or from -1 backwards", NULL},
	TAIL,
	{"origin", CRN_P_INT, "0", "shift of the window in voxels", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static cairn_status build_line(crn_graph *g, const crn_op *self, const crn_value *args,
	bool convolve, crn_value *ret, cairn_error *err)
{
	crn_node *input = args[INPUT].node, *node = NULL;
	crn_const *weights = NULL, *reversed = NULL;
	if (args[WEIGHTS].c->ndim != 1)
		return crn_fail(err, CAIRN_USAGE, "%s: weights must have one axis, not %d",
			self->name, args[WEIGHTS].c->ndim);
	CRN_TRY(crn_const_doubles(args[WEIGHTS].c, &weights, err));
	CRN_VALUE keeps = crn_value_const(weights), keeps_reversed = {0};
	CRN_TRY(check_numbers(self, weights, err));
	CRN_TRY(crn_const_reversed(weights, &reversed, err));
	keeps_reversed = crn_value_const(reversed);
	crn_pass pass = {.weights = convolve ? reversed->data : weights->data,
		.n_weights = weights->shape[0],
		.origin = args[ORIGIN_1D].i,
		.mode = crn_border_canonical(args[MODE_1D].s),
		.cval = args[CVAL_1D].f};
	if (convolve)
		pass.origin = -pass.origin - (pass.n_weights % 2 == 0);
	CRN_TRY(crn_filter_axis(args[AXIS].i, input->type.ndim, self->name, &pass.axis, err));
	CRN_TRY(crn_build_scipy_pass(g, input, &pass, self->name, &node, err));
	*ret = crn_value_node(node);
	return CAIRN_OK;
}

/* ---- derivatives ---- */

enum { DERIVATIVE_AXIS = 1, DERIVATIVE_MODE, DERIVATIVE_CVAL };

static const crn_param derivative_params[] = {
	{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"axis", CRN_P_INT, "-1", "axis of the derivative", NULL},
	{"mode", CRN_P_STRS, "'reflect'", "how the border is extended; one or one per axis",
		crn_border_names},
	{"cval", CRN_P_FLOAT, "0.0", "value outside for mode constant", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

/* Difference along the axis, then `smooth` along all others in order. */
static cairn_status build_derivative(crn_graph *g, const crn_op *self, const crn_value *args,
	const double smooth[3], crn_value *ret, cairn_error *err)
{
	static const double difference[3] = {-1, 0, 1};
	crn_node *input = args[INPUT].node;
	const char *mode[CRN_MAX_NDIM];
	int axis, ndim = input->type.ndim;
	CRN_TRY(crn_filter_axis(args[DERIVATIVE_AXIS].i, ndim, self->name, &axis, err));
	CRN_TRY(crn_filter_modes(&args[DERIVATIVE_MODE], ndim, mode, self->name, err));
	CRN_NODE *at = NULL;
	crn_pass pass = {.axis = axis,
		.weights = difference,
		.n_weights = 3,
		.mode = mode[axis],
		.cval = args[DERIVATIVE_CVAL].f};
	CRN_TRY(crn_build_scipy_pass(g, input, &pass, self->name, &at, err));
	for (int d = 0; d < ndim; d++) {
		crn_node *next = NULL;
		if (d == axis)
			continue;
		pass.axis = d;
		pass.weights = smooth;
		pass.mode = mode[d];
		CRN_TRY(crn_build_scipy_pass(g, at, &pass, self->name, &next, err));
		crn_node_unref(at);
		at = next;
	}
	*ret = crn_value_node(crn_steal(&at));
	return CAIRN_OK;
}

static const crn_param laplace_params[] = {
	{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"mode", CRN_P_STRS, "'reflect'", "how the border is extended; one or one per axis",
		crn_border_names},
	{"cval", CRN_P_FLOAT, "0.0", "value outside for mode constant", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static cairn_status build_laplace(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	static const double second[3] = {1, -2, 1};
	crn_node *input = args[INPUT].node;
	const char *mode[CRN_MAX_NDIM];
	CRN_TRY(crn_filter_modes(&args[1], input->type.ndim, mode, self->name, err));
	CRN_NODE *sum = NULL;
	for (int d = 0; d < input->type.ndim; d++) {
		CRN_NODE *term = NULL;
		crn_node *next = NULL;
		crn_pass pass = {.axis = d,
			.weights = second,
			.n_weights = 3,
			.mode = mode[d],
			.cval = args[2].f};
		CRN_TRY(crn_build_scipy_pass(g, input, &pass, self->name, &term, err));
		if (!sum) {
			sum = crn_steal(&term);
			continue;
		}
		crn_value both[] = {
			{.kind = CRN_V_NODE, .node = sum}, {.kind = CRN_V_NODE, .node = term}};
		CRN_TRY(crn_build_node(g, "add", both, 2, &next, err));
		crn_node_unref(sum);
		sum = next;
	}
	*ret = crn_value_node(sum ? crn_steal(&sum) : crn_node_ref(input));
	return CAIRN_OK;
}

#define BUILD(name, call) \
	static cairn_status build_##name(crn_graph *g, const crn_op *self, const crn_value *args, \
		crn_value *ret, cairn_error *err) \
	{ \
		return call; \
	}
BUILD(correlate, build_dense(g, self, args, false, ret, err))
BUILD(convolve, build_dense(g, self, args, true, ret, err))
BUILD(correlate1d, build_line(g, self, args, false, ret, err))
BUILD(convolve1d, build_line(g, self, args, true, ret, err))
BUILD(sobel, build_derivative(g, self, args, (const double[]){1, 2, 1}, ret, err))
BUILD(prewitt, build_derivative(g, self, args, (const double[]){1, 1, 1}, ret, err))

static const char doc[] =
	"Sums run in float64 and are stored in the input's dtype after every axis, as in "
	"scipy.ndimage: integers are truncated, and what does not fit wraps (a negative edge in a "
	"uint8 image comes out large). Convert with astype('float32') first unless that is wanted.";

#define FILTER(x, text, table, snippet) \
	const crn_op crn_op_##x = { \
		.name = #x, \
		.category = "filters", \
		.summary = text, \
		.doc = doc, \
		.source = "scipy.ndimage." #x, \
		.example = snippet, \
		.kind = CRN_COMPOSITE, \
		.semver = 1, \
		.params = table, \
		.build = build_##x, \
	}

FILTER(convolve, "Convolution with a small array of weights.", dense_params,
	"convolve(random((30, 40), seed=1), ((0, 1, 0), (1, -4, 1), (0, 1, 0)))");
FILTER(convolve1d, "Convolution with a list of weights along one axis.", line_params,
	"convolve1d(random((30, 40), seed=1), (1, 0, -1), axis=1)");
FILTER(correlate, "Correlation with a small array of weights.", dense_params,
	"correlate(random((30, 40), seed=1), ((1, 2, 1), (2, 4, 2), (1, 2, 1)))");
FILTER(correlate1d, "Correlation with a list of weights along one axis.", line_params,
	"correlate1d(random((30, 40), seed=1), (1, 2, 1), axis=0)");
FILTER(laplace, "Sum of second differences along all axes.", laplace_params,
	"laplace(random((30, 40), seed=1))");
FILTER(prewitt, "Prewitt edge filter: difference along an axis, sums of three along the others.",
	derivative_params, "prewitt(random((30, 40), seed=1), axis=0)");
FILTER(sobel, "Sobel edge filter: difference along an axis, smoothing along the others.",
	derivative_params, "sobel(random((30, 40), seed=1), axis=1)");

/* SPDX-License-Identifier: Apache-2.0
 *
 * taps_pass.c -- internal op: a dense window of weights over a float array.
 *
 * Sums run over the taps in C order of the window, in float64, as scipy.ndimage.correlate: float64
 * results have its bits, float32 ones are its float64 sums stored as float32.
 */
#include "ops/taps_pass.h"

#include "base/mem.h"
#include "kernels/correlate.h"
#include "kernels/float_windows.h"
#include "ops/filter_window.h"

#include <float.h>
#include <math.h>
#include <string.h>

extern const crn_op crn_op_taps_pass;

enum { INPUT, WEIGHTS, ORIGIN, MODE, CVAL, KIND };

static const crn_param params[] = {
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "float32 (sums only) or float64 array", NULL},
	[WEIGHTS] = {"weights", CRN_P_CONST, NULL, "float64, as many axes as the input", NULL},
	[ORIGIN] = {"origin", CRN_P_INTS, NULL, "shift of the window per axis", NULL},
	[MODE] = {"mode", CRN_P_STR, NULL, "border", crn_border_names},
	[CVAL] = {"cval", CRN_P_FLOAT, NULL, "value outside for mode constant", NULL},
	[KIND] = {"kind", CRN_P_INT, NULL, "0 sum, 1 least difference, 2 greatest sum", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static bool matters(const crn_const *c, int64_t i)
{
	return fabs(((const double *)c->data)[i]) > DBL_EPSILON;
}

static bool is_number(const crn_const *c, int64_t i)
{
	return !isnan(((const double *)c->data)[i]);
}

static int taps_of(const crn_node *n, int32_t *at)
{
	return crn_window_taps(
		n->args[WEIGHTS].c, n->args[KIND].i == CRN_TAPS_SUM ? matters : is_number, at);
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	const crn_const *w = n->args[WEIGHTS].c;
	CRN_TRY(crn_window_check(w, &n->args[ORIGIN], in->ndim, "filter", err));
	if (w->dtype != CRN_F64 || !crn_dtype_is_float(in->dtype) ||
		(in->dtype == CRN_F32 && n->args[KIND].i != CRN_TAPS_SUM))
		return crn_fail(
			err, CAIRN_USAGE, "taps_pass: float arrays and float64 weights only");
	*ret = crn_type_with_dtype(in, in->dtype);
	return CAIRN_OK;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	(void)input;
	crn_window w = crn_window_of(n->args[WEIGHTS].c, &n->args[ORIGIN]);
	crn_window_need(&w, out, &ret->region);
	ret->border = crn_border_parse(n->args[MODE].s);
	ret->cval = crn_elem_from_double(n->in[0]->type.dtype, n->args[CVAL].f);
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	crn_window w = crn_window_of(n->args[WEIGHTS].c, &n->args[ORIGIN]);
	crn_tap_walk walk = {.window = &w,
		.n_taps = taps_of(n, NULL),
		.item_size = crn_dtype_size(n->type.dtype)};
	return crn_tap_walk_scratch(&walk, out);
}

/* ns per voxel, measured with AVX2 on rows in the first two caches (checkkernel --rates). */
static double cost(const crn_node *n)
{
	return 0.5 + (n->type.dtype == CRN_F32 ? 0.34 : 0.16) * taps_of(n, NULL);
}

typedef struct bound {
	crn_window window;
	crn_taps_kind kind;
	crn_correlate_fn sum;
	crn_height_taps_fn extreme;
	int n_taps;
	double *weights;
	int32_t *at;
} bound;

static cairn_status bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	const crn_const *weights = n->args[WEIGHTS].c;
	size_t taps = (size_t)taps_of(n, NULL), axes = (size_t)weights->ndim;
	size_t bytes = sizeof(bound) + taps * (sizeof(double) + axes * sizeof(int32_t));
	bound *b = crn_alloc(bytes);
	if (!b)
		return crn_fail_memory(err, "the taps of a filter", bytes);
	const crn_correlate_kernels *sums = CRN_ISA_PICK(crn_correlate_table, isa);
	const crn_float_window_kernels *heights = CRN_ISA_PICK(crn_float_window_table, isa);
	b->window = crn_window_of(weights, &n->args[ORIGIN]);
	b->kind = (crn_taps_kind)n->args[KIND].i;
	b->sum = (n->type.dtype == CRN_F32 ? &sums->f32w : &sums->f64)->row[CRN_TAPS_PLAIN];
	b->extreme = b->kind == CRN_TAPS_LEAST ? heights->least_minus : heights->greatest_plus;
	b->weights = (double *)(b + 1);
	b->at = (int32_t *)(b->weights + taps);
	b->n_taps = taps_of(n, b->at);
	for (int t = 0; t < b->n_taps; t++) {
		int64_t idx[CRN_MAX_NDIM];
		for (size_t d = 0; d < axes; d++)
			idx[d] = b->at[(size_t)t * axes + d];
		int64_t i = crn_ravel(idx, weights->ndim, weights->shape);
		b->weights[t] = ((const double *)weights->data)[i];
	}
	ret->data = b;
	return CAIRN_OK;
}

static void combine_rows(const void *ctx, const crn_tap_rows *r)
{
	const bound *b = ctx;
	crn_taps taps = {r->offset, b->weights, b->n_taps, 0};
	for (int k = 0; k < r->n_rows; k++) {
		const char *base = r->base + k * r->in_next;
		void *out = r->out + k * r->out_next;
		if (b->kind == CRN_TAPS_SUM)
			b->sum(base, &taps, r->n, out);
		else
			b->extreme(base, r->offset, b->weights, b->n_taps, r->n, out);
	}
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	(void)err;
	const bound *b = call->bound;
	if (b->n_taps == 0) {
		crn_view_fill(&call->out, crn_elem_from_double(call->out.dtype, 0));
		return CAIRN_OK;
	}
	crn_tap_walk walk = {.window = &b->window,
		.n_taps = b->n_taps,
		.at = b->at,
		.item_size = crn_dtype_size(call->out.dtype),
		.rows = combine_rows,
		.ctx = b};
	crn_tap_walk_run(&walk, call);
	return CAIRN_OK;
}

/* ---- building ---- */

cairn_status crn_const_doubles(const crn_const *c, crn_const **ret, cairn_error *err)
{
	crn_const *r = NULL;
	CRN_TRY(crn_const_new(CRN_F64, c->ndim, c->shape, &r, err));
	size_t item = crn_dtype_size(c->dtype);
	for (int64_t i = 0, count = crn_const_count(c); i < count; i++) {
		crn_elem e = {{0}};
		memcpy(e.bytes, (const char *)c->data + i * (int64_t)item, item);
		((double *)r->data)[i] = crn_elem_to_double(c->dtype, e);
	}
	*ret = r;
	return CAIRN_OK;
}

cairn_status crn_build_taps(crn_graph *g, crn_node *input, const crn_const *weights,
	const crn_footprint *f, crn_taps_kind kind, crn_node **ret, cairn_error *err)
{
	crn_dtype t = input->type.dtype;
	bool narrow = t == CRN_F32 && kind == CRN_TAPS_SUM;
	CRN_NODE *widened = NULL, *result = NULL;
	CRN_TRY(crn_filter_convert(g, input, narrow ? t : CRN_F64, "exact", &widened, err));
	CRN_VALUE origins = {0}, mode = {0};
	CRN_TRY(crn_value_ints(f->origin, weights->ndim, &origins, err));
	CRN_TRY(crn_value_str(f->mode, &mode, err));
	bool constant = strcmp(f->mode, "constant") == 0;
	crn_value args[] = {
		[INPUT] = {.kind = CRN_V_NODE, .node = widened},
		[WEIGHTS] = {.kind = CRN_V_CONST, .c = (crn_const *)weights},
		[ORIGIN] = origins,
		[MODE] = mode,
		[CVAL] = crn_value_float(constant ? f->cval : 0),
		[KIND] = crn_value_int(kind),
	};
	CRN_TRY(crn_node_new(g, &crn_op_taps_pass, args, &result, err));
	return crn_filter_convert(g, result, t, "truncate", ret, err);
}

const crn_op crn_op_taps_pass = {
	.name = "taps_pass",
	.category = "filters",
	.summary = "A window of weights over a float array.",
	.source = "scipy.ndimage.correlate",
	.kind = CRN_STENCIL,
	.internal = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = need,
	.cost = cost,
	.scratch = scratch,
	.bind = bind,
	.compute = compute,
};

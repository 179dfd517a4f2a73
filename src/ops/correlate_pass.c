/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate_pass.c -- internal op: correlation of a float array with weights along one axis.
 *
 * Weights that are symmetric or antisymmetric about the centre are summed in pairs, from the
 * outermost pair inwards after the centre: the order of scipy.ndimage.correlate1d, so that float64
 * sums have its bits. Float32 sums are within (n + 1) * 2^-24 of the exact ones, relative to the
 * largest |input| times the sum of |weights|.
 */
#include "ops/correlate_pass.h"

#include "base/mem.h"
#include "kernels/correlate.h"
#include "ops/filter_window.h"

#include <float.h>
#include <math.h>
#include <string.h>

extern const crn_op crn_op_correlate_pass;

enum { INPUT, WEIGHTS, AXIS, ORIGIN, MODE, CVAL, WIDE };

static const crn_param params[] = {
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "float32 or float64 array", NULL},
	[WEIGHTS] = {"weights", CRN_P_CONST, NULL, "float64 weights, one axis", NULL},
	[AXIS] = {"axis", CRN_P_INT, NULL, "axis, from 0", NULL},
	[ORIGIN] = {"origin", CRN_P_INT, "0", "shift of the window, in voxels", NULL},
	[MODE] = {"mode", CRN_P_STR, "'reflect'", "border", crn_border_names},
	[CVAL] = {"cval", CRN_P_FLOAT, "0.0", "value outside for mode constant", NULL},
	[WIDE] = {"wide", CRN_P_BOOL, "False", "float64 sums of float32 samples", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static crn_window window_of(const crn_node *n)
{
	crn_window w = {.ndim = n->type.ndim};
	for (int d = 0; d < w.ndim; d++)
		w.size[d] = 1;
	int axis = (int)n->args[AXIS].i;
	w.size[axis] = n->args[WEIGHTS].c->shape[0];
	w.left[axis] = w.size[axis] / 2 + n->args[ORIGIN].i;
	return w;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	const crn_const *weights = n->args[WEIGHTS].c;
	crn_window w;
	if (!crn_dtype_is_float(in->dtype) || weights->dtype != CRN_F64 || weights->ndim != 1 ||
		n->args[AXIS].i < 0 || n->args[AXIS].i >= in->ndim)
		return crn_fail(err, CAIRN_USAGE,
			"correlate_pass: a float array and float64 weights along one of its axes");
	CRN_TRY(crn_window_set(&w, (int)n->args[AXIS].i, weights->shape[0], n->args[ORIGIN].i,
		"correlate_pass", err));
	*ret = crn_type_with_dtype(in, in->dtype);
	return CAIRN_OK;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	(void)input;
	crn_window w = window_of(n);
	crn_window_need(&w, out, &ret->region);
	ret->border = crn_border_parse(n->args[MODE].s);
	ret->cval = crn_elem_from_double(n->in[0]->type.dtype, n->args[CVAL].f);
}

static crn_tap_walk walk_of(const crn_node *n, const crn_window *w)
{
	return (crn_tap_walk){.window = w,
		.n_taps = (int)n->args[WEIGHTS].c->shape[0],
		.item_size = crn_dtype_size(n->in[0]->type.dtype)};
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	crn_window w = window_of(n);
	crn_tap_walk walk = walk_of(n, &w);
	return crn_tap_walk_scratch(&walk, out);
}

/* ns per voxel, measured with AVX2 on rows in the first two caches (checkkernel --rates). */
static double cost(const crn_node *n)
{
	double taps = (double)n->args[WEIGHTS].c->shape[0];
	if (n->type.dtype == CRN_F64)
		return 0.4 + 0.115 * taps;
	return n->args[WIDE].b ? 0.6 + 0.25 * taps : 0.25 + 0.057 * taps;
}

/* ---- bind: taps in the order of summation, and the loop that sums them ---- */

typedef struct bound {
	crn_window window;
	crn_correlate_fn row;
	crn_correlate_two_fn two;
	int n_weights;
	void *weights; /* float or double */
	int32_t *at;   /* n_taps x ndim */
} bound;

static crn_tap_pairing pairing_of(const double *w, int n)
{
	if (n % 2 == 0)
		return CRN_TAPS_PLAIN;
	bool even = true, odd = true;
	for (int k = 1; k <= n / 2; k++) {
		even &= fabs(w[n / 2 + k] - w[n / 2 - k]) <= DBL_EPSILON;
		odd &= fabs(w[n / 2 + k] + w[n / 2 - k]) <= DBL_EPSILON;
	}
	return even ? CRN_TAPS_SYMMETRIC : odd ? CRN_TAPS_ANTISYMMETRIC : CRN_TAPS_PLAIN;
}

static void set_weight(bound *b, bool narrow, int k, double w)
{
	if (narrow)
		((float *)b->weights)[k] = (float)w;
	else
		((double *)b->weights)[k] = w;
}

static void order_taps(bound *b, const double *w, int n, int axis, bool narrow)
{
	int ndim = b->window.ndim, k = 0;
	if (pairing_of(w, n) == CRN_TAPS_PLAIN) {
		/* The last tap first, then the others: scipy's order. */
		b->n_weights = n;
		for (int t = n - 1; k < n; t = k++) {
			b->at[k * ndim + axis] = t;
			set_weight(b, narrow, k, w[t]);
		}
		return;
	}
	b->n_weights = n / 2 + 1;
	b->at[axis] = n / 2;
	set_weight(b, narrow, 0, w[n / 2]);
	for (int t = 0; t < n / 2; t++) {
		b->at[(2 * t + 1) * ndim + axis] = t;
		b->at[(2 * t + 2) * ndim + axis] = n - 1 - t;
		set_weight(b, narrow, t + 1, w[t]);
	}
}

static cairn_status bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	const crn_const *weights = n->args[WEIGHTS].c;
	int n_taps = (int)weights->shape[0], ndim = n->type.ndim;
	size_t weight_bytes = (size_t)n_taps * sizeof(double);
	size_t bytes =
		sizeof(bound) + weight_bytes + (size_t)n_taps * (size_t)ndim * sizeof(int32_t);
	bound *b = crn_calloc(1, bytes);
	if (!b)
		return crn_fail_memory(err, "the taps of a filter", bytes);
	b->window = window_of(n);
	b->weights = b + 1;
	b->at = (int32_t *)((char *)(b + 1) + weight_bytes);
	bool narrow = n->type.dtype == CRN_F32 && !n->args[WIDE].b;
	order_taps(b, weights->data, n_taps, (int)n->args[AXIS].i, narrow);
	const crn_correlate_kernels *k = CRN_ISA_PICK(crn_correlate_table, isa);
	crn_tap_pairing pairing = pairing_of(weights->data, n_taps);
	const crn_correlate_loops *loops = n->type.dtype == CRN_F64 ? &k->f64
					   : narrow                 ? &k->f32
								    : &k->f32w;
	b->row = loops->row[pairing];
	b->two = loops->two[pairing];
	ret->data = b;
	return CAIRN_OK;
}

static void sum_rows(const void *ctx, const crn_tap_rows *r)
{
	const bound *b = ctx;
	crn_taps taps = {r->offset, b->weights, b->n_weights, r->in_next};
	int k = 0;
	for (; b->two && r->one_tap_apart && k + 2 <= r->n_rows; k += 2) {
		char *out = r->out + k * r->out_next;
		b->two(r->base + k * r->in_next, &taps, r->n, (void *[]){out, out + r->out_next});
	}
	for (; k < r->n_rows; k++)
		b->row(r->base + k * r->in_next, &taps, r->n, r->out + k * r->out_next);
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	(void)err;
	const bound *b = call->bound;
	crn_tap_walk walk = walk_of(call->node, &b->window);
	walk.at = b->at;
	walk.rows = sum_rows;
	walk.ctx = b;
	crn_tap_walk_run(&walk, call);
	return CAIRN_OK;
}

/* ---- building ---- */

cairn_status crn_build_correlate_pass(crn_graph *g, crn_node *input, const crn_pass *pass,
	const char *what, crn_node **ret, cairn_error *err)
{
	crn_window check = {.ndim = input->type.ndim};
	CRN_TRY(crn_window_set(&check, pass->axis, pass->n_weights, pass->origin, what, err));
	crn_const *weights = NULL;
	CRN_TRY(crn_const_new(CRN_F64, 1, &pass->n_weights, &weights, err));
	memcpy(weights->data, pass->weights, (size_t)pass->n_weights * sizeof(double));
	CRN_VALUE w = crn_value_const(weights);
	CRN_VALUE mode = {0};
	CRN_TRY(crn_value_str(pass->mode, &mode, err));
	bool constant = strcmp(pass->mode, "constant") == 0;
	crn_value args[] = {
		[INPUT] = {.kind = CRN_V_NODE, .node = input},
		[WEIGHTS] = w,
		[AXIS] = crn_value_int(pass->axis),
		[ORIGIN] = crn_value_int(pass->origin),
		[MODE] = mode,
		[CVAL] = crn_value_float(constant ? pass->cval : 0),
		[WIDE] = crn_value_bool(pass->wide && input->type.dtype == CRN_F32),
	};
	return crn_node_new(g, &crn_op_correlate_pass, args, ret, err);
}

cairn_status crn_build_scipy_pass(crn_graph *g, crn_node *input, const crn_pass *pass,
	const char *what, crn_node **ret, cairn_error *err)
{
	crn_dtype t = input->type.dtype;
	CRN_NODE *widened = NULL, *summed = NULL;
	CRN_TRY(crn_filter_convert(
		g, input, crn_dtype_is_float(t) ? t : CRN_F64, "exact", &widened, err));
	crn_pass wide = *pass;
	wide.wide = true;
	CRN_TRY(crn_build_correlate_pass(g, widened, &wide, what, &summed, err));
	return crn_filter_convert(g, summed, t, "truncate", ret, err);
}

const crn_op crn_op_correlate_pass = {
	.name = "correlate_pass",
	.category = "filters",
	.summary = "Correlates a float array with weights along one axis.",
	.source = "scipy.ndimage.correlate1d",
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

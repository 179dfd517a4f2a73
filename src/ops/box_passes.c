/* SPDX-License-Identifier: Apache-2.0
 *
 * box_passes.c -- internal ops mean_pass and extreme_pass: a box filter along one axis.
 *
 * Two ops in one file, because they differ in the loops only (see box_walk.h); the table, the
 * regions and the building are the same.
 */
#include "ops/box_passes.h"

#include "base/mem.h"
#include "kernels/box_sums.h"
#include "kernels/order.h"
#include "ops/box_walk.h"

#include <string.h>

extern const crn_op crn_op_mean_pass, crn_op_extreme_pass;

enum { INPUT, SIZE, AXIS, ORIGIN, MODE, CVAL, MAXIMUM };

#define SHARED \
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "array", NULL}, \
	[SIZE] = {"size", CRN_P_INT, NULL, "width of the window in voxels", NULL}, \
	[AXIS] = {"axis", CRN_P_INT, NULL, "axis, from 0", NULL}, \
	[ORIGIN] = {"origin", CRN_P_INT, NULL, "shift of the window, in voxels", NULL}, \
	[MODE] = {"mode", CRN_P_STR, NULL, "border", crn_border_names}, \
	[CVAL] = {"cval", CRN_P_FLOAT, NULL, "value outside for mode constant", NULL}

static const crn_param mean_params[] = {SHARED, {NULL, CRN_P_END, NULL, NULL, NULL}};
static const crn_param extreme_params[] = {
	SHARED, [MAXIMUM] = {"maximum", CRN_P_BOOL, NULL, "greatest instead of least", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL}};

static crn_window window_of(const crn_node *n)
{
	crn_window w = {.ndim = n->type.ndim};
	for (int d = 0; d < w.ndim; d++)
		w.size[d] = 1;
	w.size[n->args[AXIS].i] = n->args[SIZE].i;
	w.left[n->args[AXIS].i] = n->args[SIZE].i / 2 + n->args[ORIGIN].i;
	return w;
}

bool crn_has_mean_pass(crn_dtype t, int64_t size)
{
	return crn_box_sum_table_base.of[t].sum_size > 0 &&
	       (crn_dtype_is_float(t) || size <= CRN_BOX_SUM_WIDEST);
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	crn_window w;
	crn_elem cval;
	bool mean = n->op == &crn_op_mean_pass;
	if (n->args[AXIS].i < 0 || n->args[AXIS].i >= in->ndim ||
		(mean && !crn_has_mean_pass(in->dtype, n->args[SIZE].i)) ||
		!crn_filter_cval(n->args[CVAL].f, in->dtype, &cval))
		return crn_fail(err, CAIRN_USAGE, "%s: axis, dtype or cval does not fit the array",
			n->op->name);
	CRN_TRY(crn_window_set(
		&w, (int)n->args[AXIS].i, n->args[SIZE].i, n->args[ORIGIN].i, n->op->name, err));
	*ret = crn_type_with_dtype(in, in->dtype);
	return CAIRN_OK;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	(void)input;
	crn_window w = window_of(n);
	crn_window_need(&w, out, &ret->region);
	ret->border = crn_border_parse(n->args[MODE].s);
	(void)crn_filter_cval(n->args[CVAL].f, n->in[0]->type.dtype, &ret->cval);
}

static cairn_status bind_table(const void *table, crn_bound *ret, size_t size, cairn_error *err)
{
	ret->data = crn_alloc(size);
	if (!ret->data)
		return crn_fail_memory(err, "the kernels of a filter", size);
	memcpy(ret->data, table, size);
	return CAIRN_OK;
}

/* ---- mean ---- */

typedef struct mean_bound {
	crn_box_sum_loops loops;
	int64_t size;
} mean_bound;

static void mean_load(const void *ctx, const void *from, int64_t n, void *to)
{
	((const mean_bound *)ctx)->loops.load(from, n, to);
}

static void mean_combine(const void *ctx, const void *a, const void *b, int64_t n, void *out)
{
	((const mean_bound *)ctx)->loops.add(a, b, n, out);
}

static void mean_accumulate(const void *ctx, void *acc, const void *b, int64_t n)
{
	((const mean_bound *)ctx)->loops.accumulate(acc, b, n);
}

static void mean_finish(const void *ctx, const void *from, int64_t n, void *out)
{
	const mean_bound *b = ctx;
	b->loops.mean(from, b->size, n, out);
}

static crn_box_walk mean_walk(const crn_node *n, const crn_window *w)
{
	return (crn_box_walk){
		.window = w,
		.axis = (int)n->args[AXIS].i,
		.item_size = crn_box_sum_table_base.of[n->type.dtype].sum_size,
		.load = mean_load,
		.combine = mean_combine,
		.accumulate = mean_accumulate,
		.finish = mean_finish,
	};
}

static size_t mean_scratch(const crn_node *n, const crn_region *out)
{
	crn_window w = window_of(n);
	crn_box_walk d = mean_walk(n, &w);
	return crn_box_walk_scratch(&d, out);
}

/* ns per voxel, measured with AVX2 (checkkernel --rates); the width of the box hardly matters. */
static double mean_cost(const crn_node *n)
{
	crn_dtype t = n->type.dtype;
	return t == CRN_F64 ? 2.6 : t == CRN_F32 ? 1.9 : 1.0;
}

static cairn_status mean_bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	mean_bound b = {.loops = CRN_ISA_PICK(crn_box_sum_table, isa)->of[n->type.dtype],
		.size = n->args[SIZE].i};
	return bind_table(&b, ret, sizeof(b), err);
}

static cairn_status mean_compute(const crn_call *call, cairn_error *err)
{
	(void)err;
	crn_window w = window_of(call->node);
	crn_box_walk d = mean_walk(call->node, &w);
	d.ctx = call->bound;
	crn_box_walk_run(&d, call);
	return CAIRN_OK;
}

/* ---- minimum and maximum ---- */

typedef struct extreme_bound {
	const crn_order_kernels *kernels;
	crn_dtype dtype;
	crn_key key;
	bool maximum;
} extreme_bound;

static void extreme_load(const void *ctx, const void *from, int64_t n, void *to)
{
	const extreme_bound *b = ctx;
	b->kernels->load[b->dtype][b->key](from, n, to);
}

static void extreme_combine(const void *ctx, const void *a, const void *c, int64_t n, void *out)
{
	const extreme_bound *b = ctx;
	(b->maximum ? b->kernels->greatest : b->kernels->least)(b->key, a, c, n, out);
}

static void extreme_finish(const void *ctx, const void *from, int64_t n, void *out)
{
	const extreme_bound *b = ctx;
	b->kernels->store[b->dtype][b->key](from, n, out);
}

static crn_box_walk extreme_walk(const crn_node *n, const crn_window *w)
{
	return (crn_box_walk){
		.window = w,
		.axis = (int)n->args[AXIS].i,
		.item_size = crn_dtype_size(n->type.dtype),
		.load = extreme_load,
		.combine = extreme_combine,
		.finish = extreme_finish,
	};
}

static size_t extreme_scratch(const crn_node *n, const crn_region *out)
{
	crn_window w = window_of(n);
	crn_box_walk d = extreme_walk(n, &w);
	return crn_box_walk_scratch(&d, out);
}

/* ns per voxel, as mean_cost; AVX2 lacks 64-bit minima. */
static double extreme_cost(const crn_node *n)
{
	size_t item = crn_dtype_size(n->type.dtype);
	return item == 8 ? 4 : 0.1 + 0.3 * (double)item;
}

static cairn_status extreme_bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	extreme_bound b = {.kernels = CRN_ISA_PICK(crn_order_table, isa),
		.dtype = n->type.dtype,
		.key = crn_key_of(n->type.dtype),
		.maximum = n->args[MAXIMUM].b};
	return bind_table(&b, ret, sizeof(b), err);
}

static cairn_status extreme_compute(const crn_call *call, cairn_error *err)
{
	(void)err;
	crn_window w = window_of(call->node);
	crn_box_walk d = extreme_walk(call->node, &w);
	d.ctx = call->bound;
	crn_box_walk_run(&d, call);
	return CAIRN_OK;
}

/* ---- building ---- */

/* `extra`: what follows the shared arguments; ignored by ops that have no more. */
static cairn_status build_pass(crn_graph *g, const crn_op *op, crn_node *input,
	const crn_box_pass *pass, crn_value extra, crn_node **ret, cairn_error *err)
{
	CRN_VALUE mode = {0};
	CRN_TRY(crn_value_str(pass->mode, &mode, err));
	bool constant = strcmp(pass->mode, "constant") == 0;
	crn_value args[] = {
		[INPUT] = {.kind = CRN_V_NODE, .node = input},
		[SIZE] = crn_value_int(pass->size),
		[AXIS] = crn_value_int(pass->axis),
		[ORIGIN] = crn_value_int(pass->origin),
		[MODE] = mode,
		[CVAL] = crn_value_float(constant ? pass->cval : 0),
		[MAXIMUM] = extra,
	};
	return crn_node_new(g, op, args, ret, err);
}

cairn_status crn_build_mean_pass(crn_graph *g, crn_node *input, const crn_box_pass *pass,
	const char *what, crn_node **ret, cairn_error *err)
{
	crn_window check = {.ndim = input->type.ndim};
	CRN_TRY(crn_window_set(&check, pass->axis, pass->size, pass->origin, what, err));
	return build_pass(g, &crn_op_mean_pass, input, pass, (crn_value){0}, ret, err);
}

cairn_status crn_build_extreme_pass(crn_graph *g, crn_node *input, const crn_box_pass *pass,
	bool maximum, const char *what, crn_node **ret, cairn_error *err)
{
	crn_window check = {.ndim = input->type.ndim};
	CRN_TRY(crn_window_set(&check, pass->axis, pass->size, pass->origin, what, err));
	return build_pass(g, &crn_op_extreme_pass, input, pass, crn_value_bool(maximum), ret, err);
}

const crn_op crn_op_extreme_pass = {
	.name = "extreme_pass",
	.category = "filters",
	.summary = "Minimum or maximum of a window along one axis.",
	.source = "scipy.ndimage.minimum_filter1d",
	.kind = CRN_STENCIL,
	.internal = true,
	.semver = 2,
	.params = extreme_params,
	.infer = infer,
	.need = need,
	.cost = extreme_cost,
	.scratch = extreme_scratch,
	.bind = extreme_bind,
	.compute = extreme_compute,
};

const crn_op crn_op_mean_pass = {
	.name = "mean_pass",
	.category = "filters",
	.summary = "Mean of a window along one axis.",
	.source = "scipy.ndimage.uniform_filter1d",
	.kind = CRN_STENCIL,
	.internal = true,
	.semver = 2,
	.params = mean_params,
	.infer = infer,
	.need = need,
	.cost = mean_cost,
	.scratch = mean_scratch,
	.bind = mean_bind,
	.compute = mean_compute,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce_extrema.c -- min, max, argmin, argmax along axes.
 *
 * Values are compared as 64-bit keys (row_stats.h): a total order, so that ties and NaNs come out
 * the same in any order of tiles. Accumulator: one key, and for the arg forms the position it was
 * first seen at. -0 and 0 are one value to the arg forms; min of both is -0, max is 0.
 */
#include "ops/reduce_walk.h"

extern const crn_op crn_op_max, crn_op_argmin, crn_op_argmax;

typedef struct found {
	int64_t key, at;
} found;

static bool is_arg(const crn_node *n)
{
	return n->op == &crn_op_argmin || n->op == &crn_op_argmax;
}

static bool is_max(const crn_node *n)
{
	return n->op == &crn_op_max || n->op == &crn_op_argmax;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	crn_type out;
	CRN_TRY(crn_reduce_infer(n, is_arg(n) ? CRN_I64 : in->dtype, &out, err));
	const crn_value *axis = crn_node_arg(n, "axis");
	if (is_arg(n) && axis->kind == CRN_V_LIST && axis->list.n != 1)
		return crn_fail(err, CAIRN_USAGE, "%s: axis must be one axis or None", n->op->name);
	if (crn_reduce_n(n) == 0)
		return crn_fail(err, CAIRN_USAGE, "%s of no values: a reduced axis has length 0",
			n->op->name);
	if (is_arg(n))
		out.kind = CRN_INTENSITY;
	*ret = out;
	return CAIRN_OK;
}

static size_t acc_bytes(const crn_node *n)
{
	return is_arg(n) ? sizeof(found) : sizeof(int64_t);
}

static void init(const crn_node *n, void *acc, int64_t n_elements)
{
	int64_t worst = is_max(n) ? INT64_MIN : INT64_MAX;
	for (int64_t i = 0; i < n_elements; i++) {
		if (is_arg(n))
			((found *)acc)[i] = (found){worst, INT64_MAX};
		else
			((int64_t *)acc)[i] = worst;
	}
}

static inline void keep_key(int64_t *acc, int64_t key, bool max)
{
	if (max ? key > *acc : key < *acc)
		*acc = key;
}

static inline void keep_found(found *acc, found f, bool max)
{
	if ((max ? f.key > acc->key : f.key < acc->key) || (f.key == acc->key && f.at < acc->at))
		*acc = f;
}

/* Key of any value, NaN included; -0 is 0 for the arg forms. */
static inline int64_t key_at(crn_dtype t, const void *row, int64_t i, bool max, bool arg)
{
	int64_t nan_key = max ? INT64_MAX : INT64_MIN;
	if (t == CRN_F32) {
		float v = ((const float *)row)[i];
		return v != v ? nan_key : crn_key_f32(arg && v == 0 ? 0.0f : v);
	}
	if (t == CRN_F64) {
		double v = ((const double *)row)[i];
		return v != v ? nan_key : crn_key_f64(arg && v == 0 ? 0.0 : v);
	}
	return crn_key_of(t, (const char *)row + (size_t)i * crn_dtype_size(t));
}

static int64_t best_key(const crn_row_stats *k, crn_dtype t, const void *row, int64_t n, bool max)
{
	return max ? k->max_key[t](row, n) : k->min_key[t](row, n);
}

static void fold_keys(const crn_call *call, int64_t *acc)
{
	const crn_row_stats *kernels = crn_reduce_kernels(call);
	crn_dtype t = call->in[0].dtype;
	bool max = is_max(call->node);
	crn_reduce_walk w;
	for (crn_reduce_walk_begin(&w, call, true); !w.rows.end; crn_rows_next(&w.rows)) {
		int64_t *to = acc + crn_reduce_walk_acc(&w);
		const void *row = crn_reduce_walk_row(&w);
		if (w.row_to_one) {
			keep_key(to, best_key(kernels, t, row, w.rows.n, max), max);
			continue;
		}
		for (int64_t i = 0; i < w.rows.n; i++)
			keep_key(to + i, key_at(t, row, i, max, false), max);
	}
}

/* Position that argmin reports for the first value of the row, and its step along the row: the
 * linear index in the whole array, or the index along the one axis. */
static int64_t position(const crn_reduce_walk *w, const crn_node *n, int64_t *ret_step)
{
	const crn_type *in = &n->in[0]->type;
	bool reduced[CRN_MAX_NDIM];
	crn_reduce_axes(n, reduced);
	int64_t at = 0, weight = 1;
	*ret_step = 0;
	for (int d = in->ndim - 1; d >= 0; d--) {
		if (!reduced[d])
			continue;
		int64_t step = w->region->step[d] * weight;
		if (d == in->ndim - 1)
			*ret_step = step;
		at += w->region->lo[d] * weight + (d < in->ndim - 1 ? w->rows.idx[d] * step : 0);
		weight *= in->shape[d];
	}
	return at;
}

static void fold_found(const crn_call *call, found *acc)
{
	const crn_row_stats *kernels = crn_reduce_kernels(call);
	crn_dtype t = call->in[0].dtype;
	bool max = is_max(call->node);
	crn_reduce_walk w;
	for (crn_reduce_walk_begin(&w, call, false); !w.rows.end; crn_rows_next(&w.rows)) {
		found *to = acc + crn_reduce_walk_acc(&w);
		const void *row = crn_reduce_walk_row(&w);
		int64_t step, at = position(&w, call->node, &step);
		if (w.row_to_one) {
			/* Zeros of both signs differ in the kernel's key: only a bound here. */
			int64_t best = best_key(kernels, t, row, w.rows.n, max);
			if (best == -1 && crn_dtype_is_float(t))
				best = 0;
			if (max ? best < to->key : best > to->key)
				continue;
			int64_t i = 0;
			while (key_at(t, row, i, max, true) != best)
				i++;
			keep_found(to, (found){best, at + i * step}, max);
			continue;
		}
		for (int64_t i = 0; i < w.rows.n; i++)
			keep_found(to + i, (found){key_at(t, row, i, max, true), at}, max);
	}
}

static void fold(const crn_call *call, void *acc)
{
	if (is_arg(call->node))
		fold_found(call, acc);
	else
		fold_keys(call, acc);
}

static void merge(const crn_node *n, void *acc, const void *other, int64_t n_elements)
{
	bool max = is_max(n);
	for (int64_t i = 0; i < n_elements; i++) {
		if (is_arg(n))
			keep_found((found *)acc + i, ((const found *)other)[i], max);
		else
			keep_key((int64_t *)acc + i, ((const int64_t *)other)[i], max);
	}
}

static void finish(const crn_node *n, const void *acc, int64_t n_elements, const crn_view *out)
{
	int64_t k = 0;
	crn_reduce_store s;
	for (crn_reduce_store_begin(&s, out); !s.rows.end; crn_rows_next(&s.rows))
		for (int64_t i = 0; i < s.rows.n; i++, k++) {
			crn_elem e =
				is_arg(n) ? crn_elem_from_int(CRN_I64, ((const found *)acc)[k].at)
					  : crn_key_value(n->type.dtype, ((const int64_t *)acc)[k]);
			crn_reduce_store_put(&s, i, e);
		}
}

static const crn_reduce reduce = {
	.acc_bytes = acc_bytes,
	.init = init,
	.fold = fold,
	.merge = merge,
	.finish = finish,
	.project = crn_reduce_project,
};

static const crn_param params[] = {
	CRN_REDUCE_PARAM_A,
	CRN_REDUCE_PARAM_AXIS,
	CRN_REDUCE_PARAM_KEEPDIMS,
	{NULL, CRN_P_END},
};

#define EXTREMUM_OP(id, about, more) \
	const crn_op crn_op_##id = { \
		.name = #id, \
		.category = "reductions", \
		.summary = about, \
		.doc = more, \
		.source = "numpy." #id, \
		.example = "m = " #id "(arange(20))", \
		.kind = CRN_REDUCTION, \
		.semver = 1, \
		.params = params, \
		.infer = infer, \
		.bind = crn_reduce_bind, \
		.unbind = crn_reduce_unbind, \
		.reduce = &reduce, \
	}

EXTREMUM_OP(min, "Smallest element along axes", "nan if there is a nan. No axis may be empty.");
EXTREMUM_OP(max, "Largest element along axes", "nan if there is a nan. No axis may be empty.");
EXTREMUM_OP(argmin, "Index of the smallest element along one axis, or in the flat array",
	"The first one in raster order; a nan counts as smallest. Gives int64.");
EXTREMUM_OP(argmax, "Index of the largest element along one axis, or in the flat array",
	"The first one in raster order; a nan counts as largest. Gives int64.");

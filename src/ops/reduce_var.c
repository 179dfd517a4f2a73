/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce_var.c -- var and std along axes, from exact sums of values and of squares.
 *
 * (n * sum(x^2) - sum(x)^2) / (n * (n - ddof)) is computed with exact integers and rounded once,
 * so there is no cancellation whatever the mean is. std is its square root.
 */
#include "ops/reduce_walk.h"

#include <math.h>

extern const crn_op crn_op_std;

static crn_xsum sum_kind(const crn_node *n)
{
	return n->in[0]->type.dtype == CRN_F32 ? CRN_XSUM_F32 : CRN_XSUM_F64;
}

static crn_xsum square_kind(const crn_node *n)
{
	return n->in[0]->type.dtype == CRN_F32 ? CRN_XSUM_F32_SQ : CRN_XSUM_F64_SQ;
}

static bool is_float(const crn_node *n)
{
	return crn_dtype_is_float(n->in[0]->type.dtype);
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	CRN_TRY(crn_reduce_infer(n, n->in[0]->type.dtype == CRN_F32 ? CRN_F32 : CRN_F64, ret, err));
	ret->kind = CRN_INTENSITY;
	return CAIRN_OK;
}

static size_t acc_bytes(const crn_node *n)
{
	return is_float(n) ? crn_xsum_bytes(sum_kind(n)) + crn_xsum_bytes(square_kind(n))
			   : sizeof(crn_moments);
}

static void init(const crn_node *n, void *acc, int64_t n_elements)
{
	memset(acc, 0, acc_bytes(n) * (size_t)n_elements);
}

static void fold(const crn_call *call, void *acc)
{
	const crn_node *n = call->node;
	const crn_row_stats *kernels = crn_reduce_kernels(call);
	crn_dtype t = call->in[0].dtype;
	size_t size = acc_bytes(n), item = crn_dtype_size(t);
	size_t squares = is_float(n) ? crn_xsum_bytes(sum_kind(n)) : 0;
	crn_reduce_walk w;
	for (crn_reduce_walk_begin(&w, call, true); !w.rows.end; crn_rows_next(&w.rows)) {
		char *to = (char *)acc + (size_t)crn_reduce_walk_acc(&w) * size;
		const char *row = crn_reduce_walk_row(&w);
		if (is_float(n) && w.row_to_one) {
			const crn_float_sums *sums = kernels->floats;
			sums->add[sum_kind(n)]((int64_t *)to, row, w.rows.n);
			sums->add[square_kind(n)]((int64_t *)(to + squares), row, w.rows.n);
		} else if (is_float(n)) {
			crn_xsum_add_each(sum_kind(n), (int64_t *)to, size, row, w.rows.n);
			crn_xsum_add_each(
				square_kind(n), (int64_t *)(to + squares), size, row, w.rows.n);
		} else if (w.row_to_one) {
			kernels->add_moments[t](row, w.rows.n, (crn_moments *)to);
		} else {
			for (int64_t i = 0; i < w.rows.n; i++)
				kernels->add_moments[t](
					row + (size_t)i * item, 1, (crn_moments *)to + i);
		}
	}
}

static void merge(const crn_node *n, void *acc, const void *other, int64_t n_elements)
{
	size_t size = acc_bytes(n);
	for (int64_t i = 0; i < n_elements; i++) {
		char *a = (char *)acc + (size_t)i * size;
		const char *b = (const char *)other + (size_t)i * size;
		if (is_float(n)) {
			size_t squares = crn_xsum_bytes(sum_kind(n));
			crn_xsum_merge(sum_kind(n), (int64_t *)a, (const int64_t *)b);
			crn_xsum_merge(square_kind(n), (int64_t *)(a + squares),
				(const int64_t *)(b + squares));
			continue;
		}
		crn_moments *m = (crn_moments *)a;
		const crn_moments *o = (const crn_moments *)b;
		m->sum += o->sum;
		m->sq_lo += o->sq_lo;
		m->sq_hi += o->sq_hi + (m->sq_lo < o->sq_lo);
	}
}

static crn_elem finish_one(const crn_node *n, const void *acc, int64_t count, double ddof)
{
	crn_wide sum, squares;
	if (is_float(n)) {
		crn_wide_from_xsum(sum_kind(n), acc, &sum);
		crn_wide_from_xsum(square_kind(n),
			(const int64_t *)((const char *)acc + crn_xsum_bytes(sum_kind(n))),
			&squares);
	} else {
		const crn_moments *m = acc;
		crn_wide_from_i128(m->sum, &sum);
		crn_wide_from_u192(m->sq_hi, m->sq_lo, &squares);
	}
	if (n->op == &crn_op_std)
		return crn_elem_from_double(n->type.dtype,
			sqrt(crn_wide_variance(&sum, &squares, count, ddof, CRN_F64)));
	return crn_elem_from_double(
		n->type.dtype, crn_wide_variance(&sum, &squares, count, ddof, n->type.dtype));
}

static void finish(const crn_node *n, const void *acc, int64_t n_elements, const crn_view *out)
{
	int64_t count = crn_reduce_n(n);
	double ddof = crn_node_arg(n, "ddof")->f;
	size_t size = acc_bytes(n);
	crn_reduce_store s;
	for (crn_reduce_store_begin(&s, out); !s.rows.end; crn_rows_next(&s.rows))
		for (int64_t i = 0; i < s.rows.n; i++, acc = (const char *)acc + size)
			crn_reduce_store_put(&s, i, finish_one(n, acc, count, ddof));
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
	{"ddof", CRN_P_FLOAT, "0", "the divisor is n - ddof"},
	CRN_REDUCE_PARAM_KEEPDIMS,
	{NULL, CRN_P_END},
};

#define VARIANCE_OP(id, about) \
	const crn_op crn_op_##id = { \
		.name = #id, \
		.category = "reductions", \
		.summary = about, \
		.doc = "float32 gives float32, all others float64. Sums of values and squares " \
		       "are " \
		       "exact and the result is rounded once, so large means cost no digits.", \
		.source = "numpy." #id, \
		.example = "v = " #id "(arange(20), ddof=1)", \
		.kind = CRN_REDUCTION, \
		.semver = 1, \
		.params = params, \
		.infer = infer, \
		.bind = crn_reduce_bind, \
		.unbind = crn_reduce_unbind, \
		.reduce = &reduce, \
	}

VARIANCE_OP(var, "Variance along axes");
VARIANCE_OP(std, "Standard deviation along axes");

/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce_count.c -- count_nonzero, any, all along axes. Accumulator: a count of values that are not
 * zero (for all: of values that are zero), so order cannot matter.
 */
#include "ops/reduce_walk.h"

extern const crn_op crn_op_count_nonzero, crn_op_all;

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	bool counts = n->op == &crn_op_count_nonzero;
	CRN_TRY(crn_reduce_infer(n, counts ? CRN_I64 : CRN_BOOL, ret, err));
	ret->kind = counts ? CRN_INTENSITY : CRN_MASK;
	return CAIRN_OK;
}

static size_t acc_bytes(const crn_node *n)
{
	return sizeof(int64_t);
}

static void init(const crn_node *n, void *acc, int64_t n_elements)
{
	memset(acc, 0, sizeof(int64_t) * (size_t)n_elements);
}

#define COUNT_EACH(ID, type, name, kind) \
	case CRN_##ID: \
		for (int64_t i = 0; i < n; i++) \
			acc[i] += (((const type *)row)[i] != 0) != zeros; \
		break;

static void count_each(crn_dtype t, int64_t *acc, const void *row, int64_t n, bool zeros)
{
	switch (t) {
		CRN_DTYPES(COUNT_EACH)
	default:
		break;
	}
}

/* Row of bits: counted as it is, or block by block as bytes. */
static void fold_bits(
	const crn_reduce_walk *w, const crn_row_stats *kernels, int64_t *to, bool zeros)
{
	if (w->row_to_one) {
		int64_t count =
			kernels->bits->count(crn_reduce_walk_row(w), w->in.first_bit, w->rows.n);
		*to += zeros ? w->rows.n - count : count;
		return;
	}
	uint8_t block[CRN_REDUCE_BLOCK];
	for (int64_t at = 0, n; at < w->rows.n; at += n) {
		n = crn_reduce_walk_unpack(w, kernels, at, block);
		count_each(CRN_BOOL, to + at, block, n, zeros);
	}
}

static void fold(const crn_call *call, void *acc)
{
	const crn_row_stats *kernels = crn_reduce_kernels(call);
	crn_dtype t = call->in[0].dtype;
	bool zeros = call->node->op == &crn_op_all;
	crn_reduce_walk w;
	for (crn_reduce_walk_begin(&w, call, true); !w.rows.end; crn_rows_next(&w.rows)) {
		int64_t *to = (int64_t *)acc + crn_reduce_walk_acc(&w), n = w.rows.n;
		const void *row = crn_reduce_walk_row(&w);
		if (w.in.bits) {
			fold_bits(&w, kernels, to, zeros);
			continue;
		}
		if (!w.row_to_one) {
			count_each(t, to, row, n, zeros);
			continue;
		}
		int64_t count = kernels->count_nonzero[t](row, n);
		*to += zeros ? n - count : count;
	}
}

static void merge(const crn_node *n, void *acc, const void *other, int64_t n_elements)
{
	for (int64_t i = 0; i < n_elements; i++)
		((int64_t *)acc)[i] += ((const int64_t *)other)[i];
}

static void finish(const crn_node *n, const void *acc, int64_t n_elements, const crn_view *out)
{
	const int64_t *count = acc;
	bool zeros = n->op == &crn_op_all;
	crn_reduce_store s;
	for (crn_reduce_store_begin(&s, out); !s.rows.end; crn_rows_next(&s.rows))
		for (int64_t i = 0; i < s.rows.n; i++, count++) {
			crn_elem e = out->dtype == CRN_I64
					     ? crn_elem_from_int(CRN_I64, *count)
					     : crn_elem_from_int(
						       CRN_BOOL, zeros ? *count == 0 : *count > 0);
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

#define COUNT_OP(id, about, more) \
	const crn_op crn_op_##id = { \
		.name = #id, \
		.category = "reductions", \
		.summary = about, \
		.doc = more, \
		.source = "numpy." #id, \
		.example = "c = " #id "(ones((4, 5)), axis=0)", \
		.kind = CRN_REDUCTION, \
		.takes_bits = true, \
		.semver = 1, \
		.params = params, \
		.infer = infer, \
		.bind = crn_reduce_bind, \
		.unbind = crn_reduce_unbind, \
		.reduce = &reduce, \
	}

COUNT_OP(count_nonzero, "Number of elements that are not zero", "Gives int64; nan is not zero.");
COUNT_OP(any, "True where any element along the axes is not zero", "False over nothing.");
COUNT_OP(all, "True where all elements along the axes are not zero", "True over nothing.");

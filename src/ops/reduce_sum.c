/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce_sum.c -- sum and mean along axes, without rounding before the end.
 *
 * Accumulators per output element: integers a wrapping 64-bit sum (sum) or an exact 128-bit one
 * (mean); floats a superaccumulator (exact_sum.h), so that any order of tiles gives the correctly
 * rounded sum.
 */
#include "ops/reduce_walk.h"

extern const crn_op crn_op_sum;

static bool is_sum(const crn_node *n)
{
	return n->op == &crn_op_sum;
}

static bool is_float(const crn_node *n)
{
	return crn_dtype_is_float(n->in[0]->type.dtype);
}

static crn_xsum xsum_kind(const crn_node *n)
{
	return n->in[0]->type.dtype == CRN_F32 ? CRN_XSUM_F32 : CRN_XSUM_F64;
}

static cairn_status sum_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	char kind = crn_dtype_kind(n->in[0]->type.dtype);
	crn_dtype out = kind == 'f' ? n->in[0]->type.dtype : kind == 'u' ? CRN_U64 : CRN_I64;
	CRN_TRY(crn_reduce_infer(n, out, ret, err));
	ret->kind = CRN_INTENSITY;
	return CAIRN_OK;
}

static cairn_status mean_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	CRN_TRY(crn_reduce_infer(n, n->in[0]->type.dtype == CRN_F32 ? CRN_F32 : CRN_F64, ret, err));
	ret->kind = CRN_INTENSITY;
	return CAIRN_OK;
}

static size_t acc_bytes(const crn_node *n)
{
	if (is_float(n))
		return crn_xsum_bytes(xsum_kind(n));
	return is_sum(n) ? sizeof(uint64_t) : sizeof(crn_i128);
}

static void init(const crn_node *n, void *acc, int64_t n_elements)
{
	memset(acc, 0, acc_bytes(n) * (size_t)n_elements);
}

/* acc[i] += row[i], in accumulators of type `to`. */
#define ADD_EACH(ID, type, to) \
	case CRN_##ID: \
		for (int64_t i = 0; i < n; i++) \
			((to *)acc)[i] += (to)((const type *)row)[i]; \
		break;
#define ADD_EACH_CASES(to) \
	ADD_EACH(BOOL, uint8_t, to) \
	ADD_EACH(U8, uint8_t, to) \
	ADD_EACH(U16, uint16_t, to) \
	ADD_EACH(U32, uint32_t, to) \
	ADD_EACH(U64, uint64_t, to) \
	ADD_EACH(I8, int8_t, to) \
	ADD_EACH(I16, int16_t, to) \
	ADD_EACH(I32, int32_t, to) \
	ADD_EACH(I64, int64_t, to)

static void add_each_wrapping(crn_dtype t, void *acc, const void *row, int64_t n)
{
	switch (t) {
		ADD_EACH_CASES(uint64_t)
	default:
		break;
	}
}

static void add_each_exact(crn_dtype t, void *acc, const void *row, int64_t n)
{
	switch (t) {
		ADD_EACH_CASES(crn_i128)
	default:
		break;
	}
}

/* Exact sum of a row: types of 32 bits cannot overflow 64 within 2^31 values. */
static crn_i128 row_sum_exact(const crn_row_stats *k, crn_dtype t, const void *row, int64_t n)
{
	crn_i128 sum = 0;
	size_t size = crn_dtype_size(t);
	int64_t most = size == 8 ? 1 : (int64_t)1 << 31;
	for (int64_t done = 0; done < n; done += most) {
		int64_t block = n - done < most ? n - done : most;
		uint64_t part = k->sum[t]((const char *)row + (size_t)done * size, block);
		sum += t == CRN_U64 ? (crn_i128)part : (crn_i128)(int64_t)part;
	}
	return sum;
}

/* Row of bits: counted as it is, or block by block as bytes. */
static void fold_bits(const crn_reduce_walk *w, const crn_row_stats *kernels, void *to, bool wraps)
{
	if (w->row_to_one) {
		int64_t count =
			kernels->bits->count(crn_reduce_walk_row(w), w->in.first_bit, w->rows.n);
		if (wraps)
			*(uint64_t *)to += (uint64_t)count;
		else
			*(crn_i128 *)to += count;
		return;
	}
	uint8_t block[CRN_REDUCE_BLOCK];
	for (int64_t at = 0, n; at < w->rows.n; at += n) {
		n = crn_reduce_walk_unpack(w, kernels, at, block);
		if (wraps)
			add_each_wrapping(CRN_BOOL, (uint64_t *)to + at, block, n);
		else
			add_each_exact(CRN_BOOL, (crn_i128 *)to + at, block, n);
	}
}

static void fold(const crn_call *call, void *acc)
{
	const crn_row_stats *kernels = crn_reduce_kernels(call);
	const crn_node *n = call->node;
	crn_dtype t = call->in[0].dtype;
	bool floats = is_float(n), wraps = is_sum(n);
	size_t size = acc_bytes(n);
	crn_reduce_walk w;
	for (crn_reduce_walk_begin(&w, call, true); !w.rows.end; crn_rows_next(&w.rows)) {
		void *to = (char *)acc + (size_t)crn_reduce_walk_acc(&w) * size;
		const void *row = crn_reduce_walk_row(&w);
		if (w.in.bits)
			fold_bits(&w, kernels, to, wraps);
		else if (floats && w.row_to_one)
			kernels->floats->add[xsum_kind(n)](to, row, w.rows.n);
		else if (floats)
			crn_xsum_add_each(xsum_kind(n), to, size, row, w.rows.n);
		else if (w.row_to_one && wraps)
			*(uint64_t *)to += kernels->sum[t](row, w.rows.n);
		else if (w.row_to_one)
			*(crn_i128 *)to += row_sum_exact(kernels, t, row, w.rows.n);
		else if (wraps)
			add_each_wrapping(t, to, row, w.rows.n);
		else
			add_each_exact(t, to, row, w.rows.n);
	}
}

static void merge(const crn_node *n, void *acc, const void *other, int64_t n_elements)
{
	size_t size = acc_bytes(n);
	for (int64_t i = 0; i < n_elements; i++) {
		void *a = (char *)acc + (size_t)i * size;
		const void *b = (const char *)other + (size_t)i * size;
		if (is_float(n))
			crn_xsum_merge(xsum_kind(n), a, b);
		else if (is_sum(n))
			*(uint64_t *)a += *(const uint64_t *)b;
		else
			*(crn_i128 *)a += *(const crn_i128 *)b;
	}
}

static crn_elem finish_one(const crn_node *n, const void *acc, int64_t divisor)
{
	crn_dtype to = n->type.dtype;
	if (!is_float(n) && is_sum(n))
		return crn_elem_from_uint(to, *(const uint64_t *)acc);
	crn_wide w;
	if (is_float(n))
		crn_wide_from_xsum(xsum_kind(n), acc, &w);
	else
		crn_wide_from_i128(*(const crn_i128 *)acc, &w);
	if (divisor == 0)
		return crn_elem_from_double(to, __builtin_nan(""));
	return crn_elem_from_double(to, crn_wide_ratio(&w, (crn_u128)divisor, to));
}

static void finish(const crn_node *n, const void *acc, int64_t n_elements, const crn_view *out)
{
	int64_t divisor = is_sum(n) ? 1 : crn_reduce_n(n);
	size_t size = acc_bytes(n);
	crn_reduce_store s;
	for (crn_reduce_store_begin(&s, out); !s.rows.end; crn_rows_next(&s.rows))
		for (int64_t i = 0; i < s.rows.n; i++, acc = (const char *)acc + size)
			crn_reduce_store_put(&s, i, finish_one(n, acc, divisor));
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

const crn_op crn_op_sum = {
	.name = "sum",
	.category = "reductions",
	.summary = "Sum of array elements along axes",
	.doc = "Integers and bool give int64 (unsigned ones uint64) and wrap as in NumPy. Floats "
	       "keep "
	       "their dtype and are summed exactly and rounded once (math.fsum), so the result "
	       "does "
	       "not depend on order, chunks or threads.",
	.source = "numpy.sum",
	.example = "total = sum(ones((4, 5)), axis=0)",
	.kind = CRN_REDUCTION,
	.takes_bits = true,
	.semver = 1,
	.params = params,
	.infer = sum_infer,
	.bind = crn_reduce_bind,
	.unbind = crn_reduce_unbind,
	.reduce = &reduce,
};

const crn_op crn_op_mean = {
	.name = "mean",
	.category = "reductions",
	.summary = "Arithmetic mean along axes",
	.doc = "float32 gives float32, all others float64. The sum is exact and the quotient is "
	       "rounded "
	       "once. The mean of nothing is nan.",
	.source = "numpy.mean",
	.example = "m = mean(ones((4, 5)), axis=(0, 1))",
	.kind = CRN_REDUCTION,
	.takes_bits = true,
	.semver = 1,
	.params = params,
	.infer = mean_infer,
	.bind = crn_reduce_bind,
	.unbind = crn_reduce_unbind,
	.reduce = &reduce,
};

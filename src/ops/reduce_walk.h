/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce_walk.h -- what all reductions share: axes, output shape, projection, and the walk of a
 * tile's rows to the accumulators they belong to.
 *
 * Parameters of every reduction start with (a, axis=None, ...) and hold keepdims=False.
 */
#ifndef CRN_OPS_REDUCE_WALK_H
#define CRN_OPS_REDUCE_WALK_H

#include "core/op.h"
#include "kernels/row_stats.h"

#define CRN_REDUCE_PARAM_A \
	{ \
		"a", CRN_P_ARRAY, NULL, "array to reduce" \
	}
#define CRN_REDUCE_PARAM_AXIS \
	{ \
		"axis", CRN_P_INTS, "None", "axis or axes to reduce; None: all of them" \
	}
#define CRN_REDUCE_PARAM_KEEPDIMS \
	{ \
		"keepdims", CRN_P_BOOL, "False", "keep reduced axes with length 1" \
	}

/** Output type with `dtype`; USAGE for wrong axes. */
CRN_CHECKED cairn_status crn_reduce_infer(
	const crn_node *n, crn_dtype dtype, crn_type *ret, cairn_error *err);
/** Which axes of in[0] are reduced. */
void crn_reduce_axes(const crn_node *n, bool ret_flags[CRN_MAX_NDIM]);
/** Number of input values behind one output element. */
int64_t crn_reduce_n(const crn_node *n);
/** crn_reduce.project of every reduction. */
void crn_reduce_project(const crn_node *n, const crn_region *in, crn_region *ret_out);
/** op.bind / unbind of reductions: data is the crn_row_stats of the instruction set. */
CRN_CHECKED cairn_status crn_reduce_bind(
	const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err);
void crn_reduce_unbind(crn_bound *b);
const crn_row_stats *crn_reduce_kernels(const crn_call *call);

/** Rows of a tile. With `row_to_one` the n values of the row belong to one accumulator; else value
 * i belongs to accumulator acc + i * acc_step. As many axes as possible are taken into one row. */
typedef struct crn_reduce_walk {
	crn_rows rows;
	crn_view in;
	const crn_region *region;
	int64_t acc_stride[CRN_MAX_NDIM]; /* accumulators per step of an input axis */
	bool row_to_one;
	int64_t acc_step;
} crn_reduce_walk;

/** Starts at the first row; `may_join`: rows may be joined across axes (positions do not matter).
 */
void crn_reduce_walk_begin(crn_reduce_walk *w, const crn_call *call, bool may_join);
/** Accumulator of the first value of the current row. */
static inline int64_t crn_reduce_walk_acc(const crn_reduce_walk *w)
{
	int64_t acc = 0;
	for (int d = 0; d + 1 < w->rows.ndim; d++)
		acc += w->rows.idx[d] * w->acc_stride[d];
	return acc;
}
static inline const void *crn_reduce_walk_row(const crn_reduce_walk *w)
{
	return crn_rows_at(&w->rows, &w->in);
}

/** Elements of a row of bits that are unpacked at a time. */
#define CRN_REDUCE_BLOCK 256
/** The current row is bits: up to CRN_REDUCE_BLOCK elements from element `at` on as bytes; returns
 * how many. */
int64_t crn_reduce_walk_unpack(
	const crn_reduce_walk *w, const crn_row_stats *k, int64_t at, uint8_t *bytes);

/** Writing results: element i of the current row of the output. */
typedef struct crn_reduce_store {
	crn_rows rows;
	crn_view out;
} crn_reduce_store;
static inline void crn_reduce_store_begin(crn_reduce_store *s, const crn_view *out)
{
	s->out = *out;
	crn_rows_begin(&s->rows, out->ndim, out->shape);
}
static inline void crn_reduce_store_put(const crn_reduce_store *s, int64_t i, crn_elem e)
{
	size_t size = crn_dtype_size(s->out.dtype);
	memcpy((char *)crn_rows_at(&s->rows, &s->out) + (size_t)i * size, e.bytes, size);
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce_walk.c -- axes, shapes and row walks of reductions. Pure functions.
 */
#include "ops/reduce_walk.h"

#include "core/call.h"

void crn_reduce_axes(const crn_node *n, bool ret_flags[CRN_MAX_NDIM])
{
	int ndim = n->in[0]->type.ndim;
	for (int d = 0; d < CRN_MAX_NDIM; d++)
		ret_flags[d] = true;
	/* infer has checked them. */
	(void)!crn_args_axes(crn_node_arg(n, "axis"), ndim, ret_flags, "axis", NULL);
}

cairn_status crn_reduce_infer(const crn_node *n, crn_dtype dtype, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	bool reduced[CRN_MAX_NDIM];
	if (in->is_table)
		return crn_fail(err, CAIRN_USAGE, "%s: the input is a table", n->op->name);
	CRN_TRY(crn_args_axes(crn_node_arg(n, "axis"), in->ndim, reduced, "axis", err));
	bool keepdims = crn_node_arg(n, "keepdims")->b;
	crn_type out = crn_type_with_dtype(in, dtype);
	out.ndim = 0;
	for (int d = 0; d < in->ndim; d++) {
		if (reduced[d] && !keepdims)
			continue;
		out.axes[out.ndim] = in->axes[d];
		out.shape[out.ndim++] = reduced[d] ? 1 : in->shape[d];
	}
	*ret = out;
	return CAIRN_OK;
}

int64_t crn_reduce_n(const crn_node *n)
{
	bool reduced[CRN_MAX_NDIM];
	const crn_type *in = &n->in[0]->type;
	crn_reduce_axes(n, reduced);
	int64_t count = 1;
	for (int d = 0; d < in->ndim; d++)
		if (reduced[d])
			count *= in->shape[d];
	return count;
}

void crn_reduce_project(const crn_node *n, const crn_region *in, crn_region *ret_out)
{
	bool reduced[CRN_MAX_NDIM], keepdims = crn_node_arg(n, "keepdims")->b;
	crn_reduce_axes(n, reduced);
	crn_region out = {0};
	for (int d = 0; d < in->ndim; d++) {
		if (reduced[d] && !keepdims)
			continue;
		out.lo[out.ndim] = reduced[d] ? 0 : in->lo[d];
		out.n[out.ndim] = reduced[d] ? 1 : in->n[d];
		out.step[out.ndim++] = reduced[d] ? 1 : in->step[d];
	}
	*ret_out = out;
}

cairn_status crn_reduce_bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	*ret = (crn_bound){.data = (void *)CRN_ISA_PICK(crn_row_stats, isa)};
	return CAIRN_OK;
}

void crn_reduce_unbind(crn_bound *b)
{
	b->data = NULL; /* a constant table */
}

const crn_row_stats *crn_reduce_kernels(const crn_call *call)
{
	return call->bound ? call->bound : &crn_row_stats_base;
}

/* Axes `a` (outer) and `a + 1` of the view advance like one. */
static bool joinable(const crn_view *v, int a)
{
	return v->stride[a] == v->stride[a + 1] * v->shape[a + 1];
}

void crn_reduce_walk_begin(crn_reduce_walk *w, const crn_call *call, bool may_join)
{
	bool reduced[CRN_MAX_NDIM];
	crn_reduce_axes(call->node, reduced);
	const crn_view *in = &call->in[0];
	*w = (crn_reduce_walk){.in = *in, .region = &call->in_region[0]};
	bool keepdims = crn_node_arg(call->node, "keepdims")->b;
	int64_t stride = 1;
	for (int d = in->ndim - 1, out = call->out_region.ndim - 1; d >= 0; d--) {
		if (!reduced[d]) {
			w->acc_stride[d] = stride;
			stride *= call->out_region.n[out];
		}
		if (!reduced[d] || keepdims)
			out--;
	}
	int x = in->ndim - 1;
	w->row_to_one = x < 0 || reduced[x];
	w->acc_step = x < 0 ? 0 : w->acc_stride[x];
	while (may_join && !in->bits && w->in.ndim > 1 && w->row_to_one &&
		reduced[w->in.ndim - 2] && joinable(&w->in, w->in.ndim - 2)) {
		int last = w->in.ndim - 2;
		w->in.shape[last] *= w->in.shape[last + 1];
		w->in.stride[last] = w->in.stride[last + 1];
		w->in.ndim--;
	}
	crn_rows_begin(&w->rows, w->in.ndim, w->in.shape);
}

int64_t crn_reduce_walk_unpack(
	const crn_reduce_walk *w, const crn_row_stats *k, int64_t at, uint8_t *bytes)
{
	const uint64_t *row = crn_reduce_walk_row(w);
	int64_t left = w->rows.n - at, n = left < CRN_REDUCE_BLOCK ? left : CRN_REDUCE_BLOCK;
	int64_t first = w->in.first_bit + at;
	k->bits->unpack(row + first / 64, (int)(first % 64), n, 0, bytes);
	return n;
}

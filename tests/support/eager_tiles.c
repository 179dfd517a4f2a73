/* SPDX-License-Identifier: Apache-2.0
 *
 * eager_tiles.c -- one tile of one node, by kind of op, with every promise of core/op.h checked.
 */
#include "support/eager_run.h"

#include "base/mem.h"
#include "core/format.h"

#include <string.h>

/* Fetches what the indices of all axes need in one box and gathers it into dst. */
static cairn_status gather_input(eager_run *r, crn_node *in, const crn_need *need,
	int64_t *const *index, const crn_view *dst, cairn_error *err)
{
	crn_region box = {.ndim = in->type.ndim};
	bool inside = true;
	for (int d = 0; d < box.ndim; d++) {
		int64_t lo = INT64_MAX, last = -1;
		bool moved = false;
		for (int64_t i = 0; i < need->region.n[d]; i++) {
			int64_t k = index[d][i];
			moved |= k != need->region.lo[d] + i * need->region.step[d];
			lo = k >= 0 && k < lo ? k : lo;
			last = k > last ? k : last;
		}
		inside &= last >= 0;
		box.lo[d] = lo;
		box.step[d] = moved ? 1 : need->region.step[d];
		box.n[d] = (last - lo) / box.step[d] + 1;
		for (int64_t i = 0; i < need->region.n[d]; i++)
			if (index[d][i] >= 0)
				index[d][i] = (index[d][i] - lo) / box.step[d];
	}
	crn_region_normalise(&box);
	crn_view src = {.dtype = in->type.dtype, .ndim = box.ndim};
	if (inside)
		CRN_TRY(eager_fetch(r, in, &box, &src, err));
	else if (box.ndim > 0) /* one axis is all constant, so everything is */
		for (int64_t i = 0; i < need->region.n[0]; i++)
			index[0][i] = -1;
	eager_gather(dst, &src, index, need->cval);
	return CAIRN_OK;
}

static cairn_status fill_indices(const crn_node *n, const crn_node *in, const crn_need *need,
	int64_t **index, cairn_error *err)
{
	for (int d = 0; d < need->region.ndim; d++) {
		int64_t count = need->region.n[d], extent = in->type.shape[d];
		index[d] = crn_alloc((size_t)count * sizeof(int64_t));
		if (!index[d])
			return crn_fail_memory(err, "test indices", (size_t)count * 8);
		for (int64_t i = 0; i < count; i++) {
			int64_t at = need->region.lo[d] + i * need->region.step[d];
			bool outside = at < 0 || at >= extent;
			if (outside && need->border == CRN_BORDER_NONE)
				return eager_broken(n, &need->region,
					"asks outside the input without a border", err);
			index[d][i] = extent ? eager_border_index(at, extent, need->border) : -1;
		}
	}
	return CAIRN_OK;
}

/* Input k of a stencil (or of a global op's compute): need, clip, extend. */
static cairn_status prepare_input(eager_run *r, crn_node *n, int k, const crn_region *out,
	eager_buffer *ret, crn_region *ret_region, cairn_error *err)
{
	crn_node *in = n->in[k];
	crn_need need = {0};
	n->op->need(n, k, out, &need);
	if (need.region.ndim != in->type.ndim)
		return eager_broken(n, out, "need() gives a region of another number of axes", err);
	crn_region_normalise(&need.region);
	for (int d = 0; d < need.region.ndim; d++)
		if (need.region.n[d] < 0 || need.region.step[d] < 1)
			return eager_broken(n, &need.region, "need() gives no valid region", err);
	*ret_region = need.region;
	CRN_TRY(eager_buffer_new(in->type.dtype, need.region.ndim, need.region.n, 0xC3, ret, err));
	if (crn_region_empty(&need.region))
		return CAIRN_OK;
	int64_t *index[CRN_MAX_NDIM] = {0};
	cairn_status status = fill_indices(n, in, &need, index, err);
	if (status == CAIRN_OK)
		status = gather_input(r, in, &need, index, &ret->view, err);
	for (int d = 0; d < CRN_MAX_NDIM; d++)
		crn_free(index[d]);
	if (status == CAIRN_OK)
		status = eager_buffer_seal(ret, err);
	return status;
}

bool eager_same_values(const crn_view *a, const crn_view *b)
{
	size_t item = crn_dtype_size(a->dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, a->ndim, a->shape); !rows.end; crn_rows_next(&rows))
		if (memcmp(crn_rows_at(&rows, a), crn_rows_at(&rows, b), (size_t)rows.n * item))
			return false;
	return true;
}

/* Runs compute over one kind of garbage and checks what it may have touched. */
static cairn_status compute_once(const crn_call *call, unsigned char garbage, eager_buffer *out,
	eager_buffer *in, cairn_error *err)
{
	const crn_node *n = call->node;
	const crn_region *at = &call->out_region;
	crn_call c = *call;
	eager_scratch scratch = {0};
	CRN_TRY(eager_buffer_new(n->type.dtype, at->ndim, at->n, garbage, out, err));
	c.out = out->view;
	c.scratch_bytes = n->op->scratch ? n->op->scratch(n, at) : 0;
	CRN_TRY(eager_scratch_new(c.scratch_bytes, garbage, &scratch, err));
	c.scratch = scratch.data;
	cairn_status status = n->op->compute(&c, err);
	if (status == CAIRN_OK && !eager_buffer_guards_ok(out))
		status = eager_broken(n, at, "compute wrote outside its output", err);
	if (status == CAIRN_OK && !eager_scratch_guards_ok(&scratch))
		status = eager_broken(n, at, "compute wrote outside its scratch", err);
	for (int k = 0; k < c.n_in && status == CAIRN_OK; k++)
		if (!eager_buffer_untouched(&in[k]))
			status = eager_broken(n, at, "compute changed an input", err);
	eager_scratch_done(&scratch);
	return status;
}

/* Computes twice over different garbage: equal bytes, or something uninitialised got in. */
static cairn_status compute_twice(
	const crn_call *call, eager_buffer *in, const crn_view *dst, cairn_error *err)
{
	eager_buffer a = {0}, b = {0};
	cairn_status status = compute_once(call, 0xA5, &a, in, err);
	if (status == CAIRN_OK)
		status = compute_once(call, 0x5A, &b, in, err);
	if (status == CAIRN_OK && !eager_same_values(&a.view, &b.view))
		status = eager_broken(call->node, &call->out_region,
			"the result depends on uninitialised memory", err);
	if (status == CAIRN_OK)
		crn_view_copy(dst, &a.view);
	eager_buffer_done(&a);
	eager_buffer_done(&b);
	return status;
}

static cairn_status tile_compute(
	eager_run *r, crn_node *n, const crn_region *out, const crn_view *dst, cairn_error *err)
{
	eager_made *made = NULL;
	CRN_TRY(eager_made_get(r, n, &made, err));
	if (n->op->kind == CRN_GLOBAL)
		CRN_TRY(eager_passes(r, n, made, err));
	if (!n->op->compute)
		return eager_broken(n, out, "has no compute", err);
	eager_buffer bufs[CRN_MAX_INPUTS] = {0};
	crn_view in[CRN_MAX_INPUTS];
	crn_region regions[CRN_MAX_INPUTS];
	crn_call call = {.node = n,
		.bound = made->bound.data,
		.state = made->state,
		.out_region = *out,
		.n_in = n->op->need ? n->n_in : 0,
		.in = in,
		.in_region = regions};
	cairn_status status = CAIRN_OK;
	for (int k = 0; k < call.n_in && status == CAIRN_OK; k++) {
		status = prepare_input(r, n, k, out, &bufs[k], &regions[k], err);
		in[k] = bufs[k].view;
	}
	if (status == CAIRN_OK)
		status = compute_twice(&call, bufs, dst, err);
	for (int k = 0; k < CRN_MAX_INPUTS; k++)
		eager_buffer_done(&bufs[k]);
	return status;
}

/* Region of a broadcast input, and its view spread over the output's axes. */
static cairn_status broadcast_input(eager_run *r, crn_node *n, crn_node *in, const crn_region *out,
	eager_buffer *ret, cairn_error *err)
{
	int lead = n->type.ndim - in->type.ndim;
	crn_region part = {.ndim = in->type.ndim};
	if (lead < 0)
		return eager_broken(n, out, "an input has more axes than the result", err);
	for (int d = 0; d < part.ndim; d++) {
		bool spread = in->type.shape[d] == 1;
		if (!spread && in->type.shape[d] != n->type.shape[d + lead])
			return eager_broken(n, out, "input shapes do not broadcast", err);
		part.lo[d] = spread ? 0 : out->lo[d + lead];
		part.n[d] = spread ? 1 : out->n[d + lead];
		part.step[d] = spread ? 1 : out->step[d + lead];
	}
	crn_view src, wide = {0};
	CRN_TRY(eager_fetch(r, in, &part, &src, err));
	CRN_TRY(eager_buffer_new(in->type.dtype, out->ndim, out->n, 0xC3, ret, err));
	wide.data = src.data;
	wide.dtype = src.dtype;
	wide.ndim = out->ndim;
	for (int d = 0; d < out->ndim; d++) {
		wide.shape[d] = out->n[d];
		wide.stride[d] = d >= lead && part.n[d - lead] > 1 ? src.stride[d - lead] : 0;
	}
	crn_view_copy(&ret->view, &wide);
	return eager_buffer_seal(ret, err);
}

/* Applies the row function in pieces of changing length; `in_place` names the input that shares
 * the output's memory, -1: none. */
static void apply_rows(const crn_bound *bound, const eager_buffer *out, const eager_buffer *in,
	int n_in, int in_place)
{
	size_t item = crn_dtype_size(out->view.dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, out->view.ndim, out->view.shape); !rows.end;
		crn_rows_next(&rows)) {
		for (int64_t i = 0, n; i < rows.n; i += n) {
			n = 1 + (i * 7 + 3) % 61;
			n = n > rows.n - i ? rows.n - i : n;
			const void *from[CRN_MAX_INPUTS];
			char *to = (char *)crn_rows_at(&rows, &out->view) + (size_t)i * item;
			for (int k = 0; k < n_in; k++)
				from[k] = (char *)crn_rows_at(&rows, &in[k].view) +
					  (size_t)i * crn_dtype_size(in[k].view.dtype);
			if (in_place >= 0)
				from[in_place] = to;
			bound->row(bound->data, n, to, from);
		}
	}
}

static cairn_status tile_elementwise(
	eager_run *r, crn_node *n, const crn_region *out, const crn_view *dst, cairn_error *err)
{
	eager_made *made = NULL;
	CRN_TRY(eager_made_get(r, n, &made, err));
	if (!made->bound.row)
		return eager_broken(n, out, "bind gave no row function", err);
	eager_buffer in[CRN_MAX_INPUTS] = {0}, to = {0};
	cairn_status status = CAIRN_OK;
	for (int k = 0; k < n->n_in && status == CAIRN_OK; k++)
		status = broadcast_input(r, n, n->in[k], out, &in[k], err);
	/* Once into fresh memory, then onto each input of the same item size. */
	for (int k = -1; k < n->n_in && status == CAIRN_OK; k++) {
		if (k >= 0 && crn_dtype_size(n->in[k]->type.dtype) != crn_dtype_size(n->type.dtype))
			continue;
		status = eager_buffer_new(n->type.dtype, out->ndim, out->n, 0xA5, &to, err);
		if (status != CAIRN_OK)
			break;
		crn_view as_input = to.view;
		if (k >= 0) {
			as_input.dtype = in[k].view.dtype;
			crn_view_copy(&as_input, &in[k].view);
		}
		apply_rows(&made->bound, &to, in, n->n_in, k);
		if (!eager_buffer_guards_ok(&to))
			status = eager_broken(n, out, "row wrote outside its output", err);
		else if (k >= 0 && !eager_same_values(&to.view, dst))
			status = eager_broken(n, out, "row differs when it works in place", err);
		else
			crn_view_copy(dst, &to.view);
		for (int i = 0; i < n->n_in && status == CAIRN_OK; i++)
			if (!eager_buffer_untouched(&in[i]))
				status = eager_broken(n, out, "row changed an input", err);
		eager_buffer_done(&to);
	}
	for (int k = 0; k < CRN_MAX_INPUTS; k++)
		eager_buffer_done(&in[k]);
	return status;
}

static cairn_status tile_view(
	eager_run *r, crn_node *n, const crn_region *out, const crn_view *dst, cairn_error *err)
{
	crn_node *in = n->in[0];
	crn_affine a = {0};
	n->op->affine(n, &a);
	crn_region part = {.ndim = in->type.ndim};
	int64_t in_step[CRN_MAX_NDIM] = {0}; /* per output axis, in input indices */
	for (int k = 0; k < part.ndim; k++) {
		part.lo[k] = a.fixed[k];
		part.n[k] = part.step[k] = 1;
	}
	for (int d = 0; d < out->ndim; d++) {
		int k = a.axis[d];
		if (k < 0)
			continue;
		if (k >= part.ndim)
			return eager_broken(n, out, "affine names an axis the input lacks", err);
		for (int e = 0; e < d; e++)
			if (a.axis[e] == k)
				return eager_broken(n, out, "affine uses an axis twice", err);
		in_step[d] = a.step[d] * out->step[d];
		part.lo[k] += a.start[d] + a.step[d] * out->lo[d];
		if (in_step[d] != 0) {
			part.n[k] = out->n[d];
			part.step[k] = in_step[d] < 0 ? -in_step[d] : in_step[d];
		}
		if (in_step[d] < 0)
			part.lo[k] += (out->n[d] - 1) * in_step[d];
	}
	crn_region_normalise(&part);
	if (!crn_region_inside(&part, in->type.shape))
		return eager_broken(n, out, "affine leaves its input", err);
	crn_view src, v = {0};
	CRN_TRY(eager_fetch(r, in, &part, &src, err));
	v.dtype = src.dtype;
	v.ndim = out->ndim;
	char *data = src.data;
	for (int d = 0; d < out->ndim; d++) {
		int k = a.axis[d];
		v.shape[d] = out->n[d];
		if (k < 0 || in_step[d] == 0)
			continue;
		v.stride[d] = in_step[d] < 0 ? -src.stride[k] : src.stride[k];
		if (in_step[d] < 0)
			data += (out->n[d] - 1) * src.stride[k];
	}
	v.data = data;
	crn_view_copy(dst, &v);
	return CAIRN_OK;
}

static cairn_status read_units(crn_source *s, const crn_node *n, const crn_region *out,
	const crn_view *dst, cairn_error *err)
{
	crn_grid g = {.ndim = out->ndim, .n_tiles = 1};
	crn_region touched = {0};
	for (int d = 0; d < g.ndim; d++)
		g.n_tiles *= g.n[d] = crn_n_units(n->type.shape[d], s->unit[d]);
	for (int64_t t = 0; t < g.n_tiles; t++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(t, g.ndim, g.n, idx);
		crn_region unit = crn_unit_region(g.ndim, n->type.shape, s->unit, idx), both = unit;
		crn_region part = *out;
		for (int d = 0; d < g.ndim; d++) {
			/* Clip the request to the unit, in the unit's own coordinates and back. */
			part.lo[d] -= unit.lo[d];
		}
		both = crn_region_clip(&part, unit.n);
		if (crn_region_empty(&both))
			continue;
		touched = both;
		for (int d = 0; d < g.ndim; d++)
			touched.lo[d] += unit.lo[d];
		CRN_FREE void *data =
			crn_alloc(crn_view_dense_bytes(n->type.dtype, g.ndim, unit.n));
		eager_scratch scratch = {0};
		if (!data)
			return crn_fail_memory(err, "a unit", 0);
		CRN_TRY(eager_scratch_new(s->unit_scratch, 0xA5, &scratch, err));
		crn_view held = crn_view_dense(data, n->type.dtype, g.ndim, unit.n);
		cairn_status status = s->ops->read_unit(s, idx, &held, scratch.data, err);
		if (status == CAIRN_OK && !eager_scratch_guards_ok(&scratch))
			status = eager_broken(n, &unit, "read_unit wrote outside its scratch", err);
		eager_scratch_done(&scratch);
		CRN_TRY(status);
		crn_view from = crn_view_part(&held, &unit, &touched);
		crn_view to = crn_view_part(dst, out, &touched);
		crn_view_copy(&to, &from);
	}
	return CAIRN_OK;
}

static cairn_status tile_source(
	const crn_node *n, const crn_region *out, const crn_view *dst, cairn_error *err)
{
	crn_source *s = n->source;
	if (!s)
		return eager_broken(n, out, "a source node without a source", err);
	if (!s->ops->read_box)
		return read_units(s, n, out, dst, err);
	eager_buffer box = {0};
	eager_scratch scratch = {0};
	CRN_TRY(eager_buffer_new(n->type.dtype, out->ndim, out->n, 0xA5, &box, err));
	cairn_status status = eager_scratch_new(s->box_scratch, 0xA5, &scratch, err);
	if (status == CAIRN_OK)
		status = s->ops->read_box(s, out, &box.view, scratch.data, err);
	if (status == CAIRN_OK &&
		(!eager_buffer_guards_ok(&box) || !eager_scratch_guards_ok(&scratch)))
		status = eager_broken(n, out, "read_box wrote outside its memory", err);
	if (status == CAIRN_OK && s->ops->read_unit) {
		status = read_units(s, n, out, dst, err);
		if (status == CAIRN_OK && !eager_same_values(&box.view, dst))
			status = eager_broken(n, out, "read_box and read_unit differ", err);
	}
	if (status == CAIRN_OK)
		crn_view_copy(dst, &box.view);
	eager_buffer_done(&box);
	eager_scratch_done(&scratch);
	return status;
}

static cairn_status tile_reduced(
	eager_run *r, crn_node *n, const crn_region *out, const crn_view *dst, cairn_error *err)
{
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	crn_region_normalise(&whole);
	if (!eager_kept(r, n))
		CRN_TRY(eager_reduce(r, n, err));
	crn_view v = crn_view_dense(eager_kept(r, n), n->type.dtype, n->type.ndim, n->type.shape);
	v = crn_view_part(&v, &whole, out);
	crn_view_copy(dst, &v);
	return CAIRN_OK;
}

cairn_status eager_tile(
	eager_run *r, crn_node *n, const crn_region *out, const crn_view *dst, cairn_error *err)
{
	switch (n->op->kind) {
	case CRN_SOURCE:
		return tile_source(n, out, dst, err);
	case CRN_ELEMENTWISE:
		return tile_elementwise(r, n, out, dst, err);
	case CRN_VIEW:
		return tile_view(r, n, out, dst, err);
	case CRN_REDUCTION:
		return tile_reduced(r, n, out, dst, err);
	case CRN_GENERATOR:
	case CRN_STENCIL:
	case CRN_GLOBAL:
		return tile_compute(r, n, out, dst, err);
	default:
		return eager_broken(n, out, "cannot be evaluated as an array", err);
	}
}

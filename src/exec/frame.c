/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.c -- the tile evaluator. See frame.h.
 *
 *	for every node in order, for every instance:
 *	    inputs: part of an instance's buffer, or a copy with borders filled
 *	    compute into a pool buffer (or the caller's memory)
 *	    release what nobody reads any more
 */
#include "exec/frame.h"

#include "base/mem.h"
#include "exec/border.h"
#include "exec/program.h"
#include "plan/need.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

typedef struct instance {
	crn_view view;
	void *buffer; /* to give back; NULL: somebody else's memory */
	size_t bytes;
	int uses;     /* reads still to come */
	int looks_at; /* view: linear index of the instance it shows, else -1 */
} instance;

struct crn_frame {
	const crn_frame_env *env;
	const crn_piece *piece;
	crn_layout *layout;
	crn_pinned_fn pinned;
	void *task;
	instance *instances;          /* node * CRN_LAYOUT_LIST + list entry */
	void *copies[CRN_MAX_INPUTS]; /* roots that had to be made contiguous */
	size_t copy_bytes[CRN_MAX_INPUTS];
};

static instance *at(crn_frame *f, int node, int v)
{
	return &f->instances[node * CRN_LAYOUT_LIST + v];
}

static cairn_status take(crn_frame *f, size_t n, void **ret, cairn_error *err)
{
	*ret = crn_pool_take(f->env->pool, n);
	return *ret ? CAIRN_OK : crn_fail_memory(err, "a tile buffer", n);
}

static void release(crn_frame *f, int linear)
{
	instance *in = &f->instances[linear];
	if (--in->uses > 0)
		return;
	crn_pool_give(f->env->pool, in->buffer, in->bytes);
	in->buffer = NULL;
	if (in->looks_at >= 0) {
		int shown = in->looks_at;
		in->looks_at = -1;
		release(f, shown);
	}
}

/* Buffer of an instance's own. */
static cairn_status own_buffer(crn_frame *f, int node, int v, cairn_error *err)
{
	instance *in = at(f, node, v);
	const crn_node *n = f->piece->nodes[node].node;
	const crn_region *r = &f->layout->of[node].region[v];
	in->bytes = crn_view_dense_bytes(n->type.dtype, r->ndim, r->n);
	CRN_TRY(take(f, in->bytes, &in->buffer, err));
	in->view = crn_view_dense(in->buffer, n->type.dtype, r->ndim, r->n);
	return CAIRN_OK;
}

/* ---- inputs ---- */

typedef struct input {
	crn_need need;
	crn_region read;
	int node, v; /* instance read; v < 0: nothing is read */
	void *copy;
	size_t copy_bytes;
} input;

static void find_input(crn_frame *f, const crn_pnode *pn, int k, const crn_region *r, input *ret)
{
	const crn_node *n = f->piece->nodes[pn->in[k]].node;
	*ret = (input){.node = pn->in[k], .v = -1};
	crn_piece_need(pn, k, n, r, &ret->need);
	ret->read = crn_need_read(&ret->need, n->type.shape);
	if (!crn_region_empty(&ret->read)) {
		ret->v = crn_layout_find(f->layout, ret->node, &ret->read);
		assert(ret->v >= 0);
	}
}

static crn_view part_of(crn_frame *f, const input *in)
{
	return crn_view_part(
		&at(f, in->node, in->v)->view, &f->layout->of[in->node].region[in->v], &in->read);
}

/* The view an op may read: exact region, contiguous rows, borders filled. */
static cairn_status exact_view(crn_frame *f, input *in, crn_view *ret, cairn_error *err)
{
	const crn_node *n = f->piece->nodes[in->node].node;
	const crn_region *want = &in->need.region;
	if (crn_region_empty(want)) {
		*ret = crn_view_dense(NULL, n->type.dtype, want->ndim, want->n);
		return CAIRN_OK;
	}
	crn_view part = {0};
	if (in->v >= 0) {
		part = part_of(f, in);
		if (crn_region_equal(&in->read, want) && crn_view_rows_contiguous(&part)) {
			*ret = part;
			return CAIRN_OK;
		}
	}
	in->copy_bytes = crn_view_dense_bytes(n->type.dtype, want->ndim, want->n);
	CRN_TRY(take(f, in->copy_bytes, &in->copy, err));
	*ret = crn_view_dense(in->copy, n->type.dtype, want->ndim, want->n);
	crn_span span = crn_span_begin(CRN_SPAN_COPY, CRN_SPAN_INHERIT);
	crn_border_fill(ret, &in->need, &part, &in->read, n->type.shape);
	crn_span_end(&span, (int64_t)in->copy_bytes, crn_region_count(want));
	return CAIRN_OK;
}

static void drop_copies(crn_frame *f, input *in, int n)
{
	for (int k = 0; k < n; k++)
		crn_pool_give(f->env->pool, in[k].copy, in[k].copy_bytes);
}

/* ---- one instance, by role ---- */

static cairn_status run_compute(crn_frame *f, const crn_pnode *pn, const crn_region *r,
	const crn_view *out, cairn_error *err)
{
	const crn_node *n = pn->node;
	input in[CRN_MAX_INPUTS];
	crn_view views[CRN_MAX_INPUTS];
	crn_region regions[CRN_MAX_INPUTS];
	crn_call call = {.node = n,
		.bound = f->env->plan->infos[pn->info].bound.data,
		.out_region = *r,
		.out = *out,
		.n_in = pn->n_in,
		.in_region = regions,
		.in = views};
	cairn_status status = CAIRN_OK;
	int ready = 0;
	for (; ready < pn->n_in && status == CAIRN_OK; ready++) {
		find_input(f, pn, ready, r, &in[ready]);
		status = exact_view(f, &in[ready], &views[ready], err);
		regions[ready] = in[ready].need.region;
	}
	if (n->op->kind == CRN_GLOBAL)
		call.state = f->env->states[pn->slot];
	call.scratch_bytes = n->op->scratch ? n->op->scratch(n, r) : 0;
	if (status == CAIRN_OK && call.scratch_bytes > 0)
		status = take(f, call.scratch_bytes, &call.scratch, err);
	if (status == CAIRN_OK)
		status = n->op->compute(&call, err);
	crn_pool_give(f->env->pool, call.scratch, call.scratch_bytes);
	drop_copies(f, in, ready);
	return status;
}

static cairn_status run_group(crn_frame *f, const crn_pnode *pn, const crn_region *r,
	const crn_view *out, cairn_error *err)
{
	crn_view views[CRN_MAX_INPUTS];
	for (int k = 0; k < pn->n_in; k++) {
		input in;
		find_input(f, pn, k, r, &in);
		crn_view part = part_of(f, &in), wide = *out;
		wide.data = part.data;
		wide.dtype = part.dtype;
		int shift = out->ndim - part.ndim;
		for (int d = 0; d < out->ndim; d++) {
			bool repeat =
				d < shift || (part.shape[d - shift] == 1 && out->shape[d] != 1);
			wide.stride[d] = repeat ? 0 : part.stride[d - shift];
		}
		views[k] = wide;
	}
	size_t bytes = crn_program_scratch(pn);
	void *scratch = NULL;
	CRN_TRY(take(f, bytes, &scratch, err));
	crn_program_run(pn, out, views, scratch);
	crn_pool_give(f->env->pool, scratch, bytes);
	return CAIRN_OK;
}

static cairn_status run_box(crn_frame *f, const crn_pnode *pn, const crn_region *r,
	const crn_view *out, cairn_error *err)
{
	crn_source *s = pn->node->source;
	void *scratch = NULL;
	if (s->box_scratch)
		CRN_TRY(take(f, s->box_scratch, &scratch, err));
	cairn_status status = s->ops->read_box(s, r, out, scratch, err);
	crn_pool_give(f->env->pool, scratch, s->box_scratch);
	atomic_fetch_add_explicit(f->env->bytes_read,
		(int64_t)crn_view_dense_bytes(out->dtype, out->ndim, out->shape),
		memory_order_relaxed);
	return status;
}

static void show_view(crn_frame *f, int node, int v)
{
	const crn_pnode *pn = &f->piece->nodes[node];
	const crn_region *r = &f->layout->of[node].region[v];
	instance *self = at(f, node, v);
	input in;
	find_input(f, pn, 0, r, &in);
	crn_view part = part_of(f, &in);
	crn_affine a;
	memset(&a, 0, sizeof(a));
	pn->node->op->affine(pn->node, &a);
	crn_view shown = {.data = part.data, .dtype = part.dtype, .ndim = r->ndim};
	char *data = part.data;
	for (int d = 0; d < r->ndim; d++) {
		int k = a.axis[d];
		shown.shape[d] = r->n[d];
		if (k < 0 || a.step[d] == 0 || r->n[d] <= 1)
			continue; /* stride 0 */
		shown.stride[d] = a.step[d] < 0 ? -part.stride[k] : part.stride[k];
		if (a.step[d] < 0)
			data += (part.shape[k] - 1) * part.stride[k];
	}
	shown.data = data;
	self->view = shown;
	self->looks_at = in.node * CRN_LAYOUT_LIST + in.v;
}

/* A region of a cut: the chunk itself when one holds it all, else a copy out of several. */
static cairn_status gather_chunks(crn_frame *f, int node, int v, cairn_error *err)
{
	const crn_pnode *pn = &f->piece->nodes[node];
	const crn_cut *cut = &f->env->plan->cuts[pn->slot];
	const crn_region *r = &f->layout->of[node].region[v];
	instance *self = at(f, node, v);
	int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], count = 1;
	crn_tiling_overlap(&cut->chunks, r, first, n);
	for (int d = 0; d < r->ndim; d++)
		count *= n[d];
	if (count > 1)
		CRN_TRY(own_buffer(f, node, v, err));
	for (int64_t c = 0; c < count; c++) {
		crn_unravel(c, r->ndim, n, idx);
		for (int d = 0; d < r->ndim; d++)
			idx[d] += first[d];
		int64_t index = crn_ravel(idx, r->ndim, cut->chunks.grid);
		crn_region held = crn_tiling_region(&cut->chunks, index);
		void *data = (void *)(uintptr_t)f->pinned(f->task, pn->slot, index);
		crn_view chunk = crn_view_dense(data, pn->node->type.dtype, r->ndim, held.n);
		if (count == 1) {
			self->view = crn_view_part(&chunk, &held, r);
			break;
		}
		crn_region common = crn_region_within(r, &held);
		if (crn_region_empty(&common))
			continue;
		crn_view from = crn_view_part(&chunk, &held, &common);
		crn_view to = crn_view_part(&self->view, r, &common);
		crn_view_copy(&to, &from);
	}
	return CAIRN_OK;
}

static void count_voxels(crn_frame *f, const crn_pnode *pn, const crn_region *r)
{
	int64_t n = crn_region_count(r);
	if (pn->role == CRN_ROLE_GROUP) {
		for (int s = 0; s < pn->program.n_steps; s++)
			atomic_fetch_add_explicit(&f->env->voxels[pn->program.steps[s].info], n,
				memory_order_relaxed);
	} else if (pn->role == CRN_ROLE_COMPUTE || pn->role == CRN_ROLE_BOX) {
		atomic_fetch_add_explicit(&f->env->voxels[pn->info], n, memory_order_relaxed);
	}
}

static cairn_status run_instance(
	crn_frame *f, int node, int v, const crn_view *target, cairn_error *err)
{
	const crn_pnode *pn = &f->piece->nodes[node];
	const crn_region *r = &f->layout->of[node].region[v];
	instance *self = at(f, node, v);
	self->looks_at = -1;
	self->uses = f->layout->of[node].uses[v] + 1; /* one more: the frame's own, for roots */
	if (pn->role == CRN_ROLE_VIEW) {
		show_view(f, node, v);
		return CAIRN_OK;
	}
	if (pn->role == CRN_ROLE_CHUNKS) {
		crn_span span = crn_span_begin(CRN_SPAN_COPY, pn->info);
		cairn_status status = gather_chunks(f, node, v, err);
		crn_span_end(&span, (int64_t)self->bytes, self->bytes ? crn_region_count(r) : 0);
		return status;
	}
	if (pn->role == CRN_ROLE_RESIDENT) {
		crn_region whole = crn_region_whole(r->ndim, pn->node->type.shape);
		self->view = crn_view_part(&f->env->residents[pn->slot], &whole, r);
		return CAIRN_OK;
	}
	if (target)
		self->view = *target;
	else
		CRN_TRY(own_buffer(f, node, v, err));
	count_voxels(f, pn, r);
	crn_span span = crn_span_begin(
		pn->role == CRN_ROLE_BOX ? CRN_SPAN_DECODE : CRN_SPAN_COMPUTE, pn->info);
	cairn_status status = pn->role == CRN_ROLE_GROUP ? run_group(f, pn, r, &self->view, err)
			      : pn->role == CRN_ROLE_BOX ? run_box(f, pn, r, &self->view, err)
							 : run_compute(f, pn, r, &self->view, err);
	crn_span_end(&span, crn_region_count(r) * (int64_t)crn_dtype_size(self->view.dtype),
		crn_region_count(r));
	if (status != CAIRN_OK) {
		char text[CRN_REGION_TEXT];
		crn_where(err, "op %s, region %s", pn->node->origin, crn_region_format(r, text));
	}
	return status;
}

/* ---- the whole tile ---- */

/* Destination of an instance if it is exactly an owned root. */
static const crn_view *target_of(
	const crn_frame *f, int node, int v, const crn_region *roots, const crn_view *owned)
{
	for (int k = 0; owned && k < f->piece->n_roots; k++)
		if (f->piece->roots[k] == node &&
			crn_region_equal(&f->layout->of[node].region[v], &roots[k]))
			return &owned[k];
	return NULL;
}

static void release_inputs(crn_frame *f, int node)
{
	const crn_pnode *pn = &f->piece->nodes[node];
	for (int v = 0; v < f->layout->of[node].n; v++) {
		for (int k = 0; k < pn->n_in && pn->role != CRN_ROLE_VIEW; k++) {
			input in;
			find_input(f, pn, k, &f->layout->of[node].region[v], &in);
			if (in.v >= 0)
				release(f, in.node * CRN_LAYOUT_LIST + in.v);
		}
	}
}

static bool is_root(const crn_piece *p, int node)
{
	for (int k = 0; k < p->n_roots; k++)
		if (p->roots[k] == node)
			return true;
	return false;
}

static cairn_status run_all(
	crn_frame *f, const crn_region *roots, const crn_view *owned, cairn_error *err)
{
	for (int i = 0; i < f->piece->n_nodes; i++) {
		if (f->piece->nodes[i].role == CRN_ROLE_MEMBER)
			continue;
		for (int v = 0; v < f->layout->of[i].n; v++)
			CRN_TRY(run_instance(f, i, v, target_of(f, i, v, roots, owned), err));
		release_inputs(f, i);
		for (int v = 0; v < f->layout->of[i].n && !is_root(f->piece, i); v++)
			release(f, i * CRN_LAYOUT_LIST + v);
	}
	return CAIRN_OK;
}

static cairn_status hand_out(crn_frame *f, const crn_region *roots, const crn_view *owned,
	crn_view *ret_views, cairn_error *err)
{
	for (int k = 0; k < f->piece->n_roots; k++) {
		int node = f->piece->roots[k];
		if (crn_region_empty(&roots[k])) {
			if (!owned)
				ret_views[k] =
					crn_view_dense(NULL, f->piece->nodes[node].node->type.dtype,
						roots[k].ndim, roots[k].n);
			continue;
		}
		int v = crn_layout_find(f->layout, node, &roots[k]);
		instance *in = at(f, node, v);
		crn_view part = crn_view_part(&in->view, &f->layout->of[node].region[v], &roots[k]);
		if (owned) {
			if (owned[k].data != part.data)
				crn_view_copy(&owned[k], &part);
			continue;
		}
		if (!crn_view_rows_contiguous(&part)) {
			f->copy_bytes[k] = crn_view_dense_bytes(part.dtype, part.ndim, part.shape);
			CRN_TRY(take(f, f->copy_bytes[k], &f->copies[k], err));
			crn_view dense =
				crn_view_dense(f->copies[k], part.dtype, part.ndim, part.shape);
			crn_view_copy(&dense, &part);
			part = dense;
		}
		ret_views[k] = part;
	}
	return CAIRN_OK;
}

cairn_status crn_frame_run(const crn_frame_env *env, const crn_piece *piece, crn_layout *layout,
	const crn_region *roots, const crn_view *owned, crn_pinned_fn pinned, void *task,
	crn_view *ret_views, crn_frame **ret, cairn_error *err)
{
	crn_frame *f = crn_calloc(1, sizeof(*f));
	instance *instances =
		crn_calloc((size_t)piece->n_nodes * CRN_LAYOUT_LIST, sizeof(*instances));
	if (!f || !instances) {
		crn_free(f);
		crn_free(instances);
		return crn_fail_memory(err, "a tile", sizeof(*f));
	}
	*f = (crn_frame){.env = env,
		.piece = piece,
		.layout = layout,
		.pinned = pinned,
		.task = task,
		.instances = instances};
	cairn_status status = run_all(f, roots, owned, err);
	if (status == CAIRN_OK)
		status = hand_out(f, roots, owned, ret_views, err);
	if (status != CAIRN_OK) {
		crn_frame_done(f);
		return status;
	}
	*ret = f;
	return CAIRN_OK;
}

void crn_frame_done(crn_frame *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->piece->n_nodes * CRN_LAYOUT_LIST; i++)
		crn_pool_give(f->env->pool, f->instances[i].buffer, f->instances[i].bytes);
	for (int k = 0; k < CRN_MAX_INPUTS; k++)
		crn_pool_give(f->env->pool, f->copies[k], f->copy_bytes[k]);
	crn_free(f->instances);
	crn_free(f);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.c -- the tile evaluator. See frame.h.
 *
 *	for every step of the walk, for every node in order, for every instance:
 *	    move what is still needed to the front of its buffer, if that is full
 *	    inputs: part of a source's buffer, or a copy with borders filled
 *	    compute the new planes into the buffer (or the caller's memory)
 *	    extend their border, if a stencil reads them
 *
 * The walk (plan/walk.h) says which planes are new at a step and which are still held.
 */
#include "exec/frame.h"

#include "base/mem.h"
#include "core/bits.h"
#include "exec/border.h"
#include "exec/program.h"
#include "plan/arena.h"
#include "plan/need.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/* What a slide's memory shows now. */
typedef struct instance {
	crn_view view;     /* of `region` */
	crn_region region; /* held, border included */
	int64_t start;     /* own buffer: position of its first plane */
} instance;

struct crn_frame {
	const crn_frame_env *env;
	const crn_piece *piece;
	const crn_view *owned; /* per root; NULL: the frame keeps them */
	crn_pinned_fn pinned;
	void *task;
	crn_walk walk;
	instance *instances; /* per slide */
	char *arena;
	size_t arena_bytes;
	void *copies[CRN_MAX_INPUTS]; /* roots that had to be made contiguous */
	size_t copy_bytes[CRN_MAX_INPUTS];
};

static cairn_status take(crn_frame *f, size_t n, void **ret, cairn_error *err)
{
	*ret = crn_pool_take(f->env->pool, n);
	return *ret ? CAIRN_OK : crn_fail_memory(err, "a tile buffer", n);
}

static const crn_bits_kernels *kernels_of(const crn_frame *f)
{
	return f->env->plan->registry->bits[f->env->plan->options.isa];
}

static const crn_pnode *pnode_of(const crn_frame *f, const crn_slide *s)
{
	return &f->piece->nodes[s->node];
}

static instance *instance_of(crn_frame *f, const crn_slide *s)
{
	return &f->instances[s - f->walk.slides];
}

/* ---- inputs ---- */

typedef struct input {
	crn_need need;
	crn_region read;
	const crn_slide *from; /* NULL: nothing of it is ever read */
} input;

static void find_input(crn_frame *f, const crn_slide *s, int k, const crn_region *r, input *ret)
{
	const crn_edge *e = &f->walk.edges[s->edge0 + k];
	crn_walk_need(&f->walk, s, k, r, &ret->need, &ret->read);
	assert(e->source >= 0 || crn_region_empty(&ret->read));
	/* A slab whose windows lie in the border altogether reads nothing, but the border is there.
	 */
	ret->from = e->source >= 0 ? &f->walk.slides[e->source] : NULL;
}

static crn_view part_of(crn_frame *f, const input *in, const crn_region *part)
{
	instance *i = instance_of(f, in->from);
	return crn_view_part(&i->view, &i->region, part);
}

/* The view an op may read: exact region, contiguous rows, borders filled. Copies go to *temporary.
 */
static void exact_view(
	crn_frame *f, const crn_slide *s, int k, const input *in, crn_view *ret, char **temporary)
{
	const crn_node *n = f->piece->nodes[pnode_of(f, s)->in[k]].node;
	const crn_region *want = &in->need.region;
	const bool bits = f->piece->nodes[pnode_of(f, s)->in[k]].bits;
	if (crn_region_empty(want)) {
		*ret = crn_view_dense(NULL, n->type.dtype, want->ndim, want->n);
		return;
	}
	if (!f->walk.edges[s->edge0 + k].copied) {
		*ret = part_of(f, in, want);
		assert(crn_view_rows_contiguous(ret));
		return;
	}
	crn_view part = {0};
	if (in->from && !crn_region_empty(&in->read))
		part = part_of(f, in, &in->read);
	size_t bytes = bits ? crn_bits_bytes(want)
			    : crn_view_dense_bytes(n->type.dtype, want->ndim, want->n);
	*ret = bits ? crn_bits_dense(*temporary, want)
		    : crn_view_dense(*temporary, n->type.dtype, want->ndim, want->n);
	crn_span span = crn_span_begin(CRN_SPAN_COPY, CRN_SPAN_INHERIT);
	crn_border_fill(ret, &in->need, &part, &in->read, n->type.shape);
	crn_span_end(&span, (int64_t)bytes, crn_region_count(want));
	*temporary += crn_arena_round(bytes);
}

/* ---- one instance, by role; all fill `out`, the region r of the slide ---- */

static cairn_status run_compute(crn_frame *f, const crn_slide *s, const crn_region *r,
	const crn_view *out, cairn_error *err)
{
	const crn_pnode *pn = pnode_of(f, s);
	const crn_node *n = pn->node;
	char *temporary = f->arena + s->temp_offset;
	crn_view views[CRN_MAX_INPUTS];
	crn_region regions[CRN_MAX_INPUTS];
	crn_call call = {.node = n,
		.bound = f->env->plan->infos[pn->info].bound.data,
		.out_region = *r,
		.out = *out,
		.n_in = pn->n_in,
		.in_region = regions,
		.in = views};
	for (int k = 0; k < pn->n_in; k++) {
		input in;
		find_input(f, s, k, r, &in);
		exact_view(f, s, k, &in, &views[k], &temporary);
		regions[k] = in.need.region;
	}
	if (n->op->kind == CRN_GLOBAL)
		call.state = f->env->states[pn->slot];
	call.scratch_bytes = n->op->scratch ? n->op->scratch(n, r) : 0;
	call.scratch = temporary;
	assert(temporary + call.scratch_bytes <= f->arena + s->temp_offset + s->temp_bytes);
	return n->op->compute(&call, err);
}

static void run_group(crn_frame *f, const crn_slide *s, const crn_region *r, const crn_view *out)
{
	const crn_pnode *pn = pnode_of(f, s);
	crn_view views[CRN_MAX_INPUTS];
	for (int k = 0; k < pn->n_in; k++) {
		input in;
		find_input(f, s, k, r, &in);
		crn_view part = part_of(f, &in, &in.read), wide = *out;
		wide.data = part.data;
		wide.dtype = part.dtype;
		wide.bits = part.bits;
		wide.first_bit = part.first_bit;
		int shift = out->ndim - part.ndim;
		for (int d = 0; d < out->ndim; d++) {
			bool repeat =
				d < shift || (part.shape[d - shift] == 1 && out->shape[d] != 1);
			wide.stride[d] = repeat ? 0 : part.stride[d - shift];
		}
		views[k] = wide;
	}
	crn_program_run(pn, kernels_of(f), out, views, f->arena + s->temp_offset);
}

static cairn_status run_box(crn_frame *f, const crn_slide *s, const crn_region *r,
	const crn_view *out, cairn_error *err)
{
	crn_source *source = pnode_of(f, s)->node->source;
	cairn_status status = source->ops->read_box(source, r, out, f->arena + s->temp_offset, err);
	atomic_fetch_add_explicit(f->env->bytes_read,
		(int64_t)crn_view_dense_bytes(out->dtype, out->ndim, out->shape),
		memory_order_relaxed);
	return status;
}

/* What a view node's region r looks like in its input's memory. */
static crn_view look_at(crn_frame *f, const crn_slide *s, const crn_region *r)
{
	const crn_pnode *pn = pnode_of(f, s);
	input in;
	find_input(f, s, 0, r, &in);
	crn_view part = part_of(f, &in, &in.read);
	crn_affine a;
	memset(&a, 0, sizeof(a));
	pn->node->op->affine(pn->node, &a);
	crn_view shown = {.data = part.data,
		.dtype = part.dtype,
		.ndim = r->ndim,
		.bits = part.bits,
		.first_bit = part.first_bit};
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
	return shown;
}

/* Chunk `index` of the slide's cut, and its region. */
static crn_view chunk_view(crn_frame *f, const crn_slide *s, int64_t index, crn_region *ret_held)
{
	const crn_pnode *pn = pnode_of(f, s);
	*ret_held = crn_tiling_region(&f->env->plan->cuts[pn->slot].chunks, index);
	void *data = (void *)(uintptr_t)f->pinned(f->task, pn->slot, index);
	return crn_cut_view(&f->env->plan->cuts[pn->slot], ret_held, data);
}

/* First chunk that overlaps r, and their number per axis; returns how many there are. */
static int64_t chunks_of(
	crn_frame *f, const crn_slide *s, const crn_region *r, int64_t *ret_first, int64_t *ret_n)
{
	int64_t count = 1;
	crn_tiling_overlap(&f->env->plan->cuts[pnode_of(f, s)->slot].chunks, r, ret_first, ret_n);
	for (int d = 0; d < r->ndim; d++)
		count *= ret_n[d];
	return count;
}

static void gather_chunks(
	crn_frame *f, const crn_slide *s, const crn_region *r, const crn_view *out)
{
	const crn_cut *cut = &f->env->plan->cuts[pnode_of(f, s)->slot];
	int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM], idx[CRN_MAX_NDIM];
	int64_t count = chunks_of(f, s, r, first, n);
	for (int64_t c = 0; c < count; c++) {
		crn_unravel(c, r->ndim, n, idx);
		for (int d = 0; d < r->ndim; d++)
			idx[d] += first[d];
		crn_region held;
		crn_view chunk = chunk_view(f, s, crn_ravel(idx, r->ndim, cut->chunks.grid), &held);
		crn_region common = crn_region_within(r, &held);
		if (crn_region_empty(&common))
			continue;
		crn_view from = crn_view_part(&chunk, &held, &common);
		crn_view to = crn_view_part(out, r, &common);
		if (to.bits || from.bits)
			crn_mask_copy(kernels_of(f), &to, &from);
		else
			crn_view_copy(&to, &from);
	}
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

static crn_view resident_view(crn_frame *f, const crn_slide *s, const crn_region *r)
{
	const crn_pnode *pn = pnode_of(f, s);
	crn_region whole = crn_region_whole(r->ndim, pn->node->type.shape);
	return crn_view_part(&f->env->residents[pn->slot], &whole, r);
}

/* Fills `out` with region r of the slide: the one place where voxels are made. */
static cairn_status fill(crn_frame *f, const crn_slide *s, const crn_region *r, const crn_view *out,
	cairn_error *err)
{
	const crn_pnode *pn = pnode_of(f, s);
	cairn_status status = CAIRN_OK;
	crn_view from;
	count_voxels(f, pn, r);
	crn_span span = crn_span_begin(pn->role == CRN_ROLE_BOX ? CRN_SPAN_DECODE
				       : pn->role == CRN_ROLE_COMPUTE || pn->role == CRN_ROLE_GROUP
					       ? CRN_SPAN_COMPUTE
					       : CRN_SPAN_COPY,
		pn->info);
	switch (pn->role) {
	case CRN_ROLE_CHUNKS:
		gather_chunks(f, s, r, out);
		break;
	case CRN_ROLE_RESIDENT:
		from = resident_view(f, s, r);
		crn_view_copy(out, &from);
		break;
	case CRN_ROLE_VIEW:
		from = look_at(f, s, r);
		crn_view_copy(out, &from);
		break;
	case CRN_ROLE_BOX:
		status = run_box(f, s, r, out, err);
		break;
	case CRN_ROLE_GROUP:
		run_group(f, s, r, out);
		break;
	default:
		status = run_compute(f, s, r, out, err);
		break;
	}
	crn_span_end(&span, crn_region_count(r) * (int64_t)crn_dtype_size(out->dtype),
		crn_region_count(r));
	if (status != CAIRN_OK) {
		char text[CRN_REGION_TEXT];
		crn_where(err, "op %s, region %s", pn->node->origin, crn_region_format(r, text));
	}
	return status;
}

/* ---- sliding buffers ---- */

/* Plane at a position of an own buffer. */
static char *plane_at(crn_frame *f, const crn_slide *s, int64_t position)
{
	int64_t slot = position - instance_of(f, s)->start;
	if (s->back)
		slot = s->planes - 1 - slot;
	return f->arena + s->offset + s->lead + slot * (int64_t)s->plane_bytes;
}

/* Makes the buffer hold [from, to): planes before `from` are gone, those up to `have` are kept. */
static void slide(crn_frame *f, const crn_slide *s, int64_t from, int64_t have, int64_t to)
{
	instance *self = instance_of(f, s);
	if (to - self->start > s->planes) {
		assert(to - from <= s->planes);
		/* The lowest plane in memory is the last one when walking backwards. */
		char *kept = have > from ? plane_at(f, s, s->back ? have - 1 : from) : NULL;
		self->start = from;
		if (kept)
			memmove(plane_at(f, s, s->back ? have - 1 : from), kept,
				(size_t)(have - from) * s->plane_bytes);
	}
	self->region = crn_slide_part(s, true, from, to);
	self->view = (crn_view){.data = plane_at(f, s, s->back ? to - 1 : from),
		.dtype = pnode_of(f, s)->node->type.dtype,
		.ndim = s->room.ndim};
	for (int d = 0; d < s->room.ndim; d++) {
		self->view.shape[d] = self->region.n[d];
		self->view.stride[d] = s->stride[d];
	}
	if (pnode_of(f, s)->bits) { /* the phase of the region's rows, as crn_bits_dense() has it */
		crn_view like = crn_bits_dense(NULL, &self->region);
		self->view.bits = true;
		self->view.first_bit = like.first_bit;
	}
}

/* Border planes [from, to) of the walked axis are copies of planes inside the domain. */
static void copy_border_planes(crn_frame *f, const crn_slide *s, int64_t from, int64_t to)
{
	instance *self = instance_of(f, s);
	const int64_t *shape = pnode_of(f, s)->node->type.shape;
	for (int64_t p = from; p < to; p++) {
		int64_t i = s->room.lo[s->axis] + (s->back ? s->n - 1 - p : p);
		int64_t source = crn_border_index(i, shape[s->axis], s->border);
		crn_region r = crn_slide_part(s, true, p, p + 1);
		crn_view plane = crn_view_part(&self->view, &self->region, &r);
		if (source < 0) {
			crn_view_fill(&plane, s->cval);
			continue;
		}
		r.lo[s->axis] = source;
		crn_view inside = crn_view_part(&self->view, &self->region, &r);
		crn_view_copy(&plane, &inside);
	}
}

/* Extends the new planes [have, to) into the border. */
static void extend(crn_frame *f, const crn_slide *s, int64_t have, int64_t to)
{
	instance *self = instance_of(f, s);
	int64_t from = have < s->first ? s->first : have, end = to < s->end ? to : s->end;
	if (from < end) {
		crn_region part = crn_slide_part(s, true, from, end);
		crn_region held = crn_slide_part(s, false, from, end);
		crn_view v = crn_view_part(&self->view, &self->region, &part);
		crn_need border = {.region = part, .border = s->border, .cval = s->cval};
		crn_border_extend(&v, &border, &held, pnode_of(f, s)->node->type.shape, s->axis);
	}
	if (s->axis < 0)
		return;
	copy_border_planes(f, s, have, to < s->first ? to : s->first);
	copy_border_planes(f, s, have > s->end ? have : s->end, to);
}

/* ---- the walk ---- */

/* Somebody else's memory: what is asked for between the two positions. */
static void show(crn_frame *f, const crn_slide *s, int64_t from, int64_t to)
{
	instance *self = instance_of(f, s);
	const crn_pnode *pn = pnode_of(f, s);
	if (pn->role == CRN_ROLE_VIEW) {
		from = from < s->first ? s->first : from;
		to = to > s->end ? s->end : to;
		if (to <= from)
			return;
		self->region = crn_slide_part(s, false, from, to);
		self->view = look_at(f, s, &self->region);
		return;
	}
	if (self->view.data)
		return;
	self->region = s->held;
	if (pn->role == CRN_ROLE_RESIDENT) {
		self->view = resident_view(f, s, &s->held);
		return;
	}
	int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM];
	crn_region held;
	chunks_of(f, s, &s->held, first, n);
	crn_view chunk = chunk_view(f, s,
		crn_ravel(
			first, held.ndim = s->held.ndim, f->env->plan->cuts[pn->slot].chunks.grid),
		&held);
	self->view = crn_view_part(&chunk, &held, &s->held);
}

/* Brings one slide from the state before step `step` to the one after it. */
static cairn_status advance(crn_frame *f, const crn_slide *s, int64_t step, cairn_error *err)
{
	const crn_walk *w = &f->walk;
	instance *self = instance_of(f, s);
	int64_t at = step * w->n_slides + (s - w->slides);
	int64_t from = w->from[at], have = w->to[at], to = w->to[at + w->n_slides];
	if (!s->own && s->target < 0) {
		show(f, s, from, to);
		return CAIRN_OK;
	}
	if (to <= have && have <= from)
		return CAIRN_OK; /* nothing is asked of it now */
	if (s->target >= 0) {
		self->view = f->owned[s->target];
		self->region = s->held;
	} else {
		slide(f, s, from, have, to);
	}
	int64_t first = have < s->first ? s->first : have, end = to < s->end ? to : s->end;
	if (first < end) {
		crn_region r = crn_slide_part(s, false, first, end);
		crn_view out = crn_view_part(&self->view, &self->region, &r);
		CRN_TRY(fill(f, s, &r, &out, err));
	}
	if (s->border != CRN_BORDER_NONE)
		extend(f, s, have, to);
	return CAIRN_OK;
}

static cairn_status run_all(crn_frame *f, cairn_error *err)
{
	for (int64_t step = 0; step < f->walk.n_steps; step++)
		for (int s = 0; s < f->walk.n_slides; s++)
			if (f->walk.slides[s].used)
				CRN_TRY(advance(f, &f->walk.slides[s], step, err));
	return CAIRN_OK;
}

static cairn_status hand_out(crn_frame *f, const crn_layout *layout, const crn_region *roots,
	crn_view *ret_views, cairn_error *err)
{
	for (int k = 0; k < f->piece->n_roots; k++) {
		int node = f->piece->roots[k];
		if (crn_region_empty(&roots[k])) {
			if (!f->owned)
				ret_views[k] =
					crn_view_dense(NULL, f->piece->nodes[node].node->type.dtype,
						roots[k].ndim, roots[k].n);
			continue;
		}
		int v = crn_layout_find(layout, node, &roots[k]);
		instance *in = &f->instances[node * CRN_LAYOUT_LIST + v];
		crn_view part = crn_view_part(&in->view, &in->region, &roots[k]);
		if (f->owned) {
			if (f->owned[k].data == part.data)
				continue;
			if (part.bits || f->owned[k].bits)
				crn_mask_copy(kernels_of(f), &f->owned[k], &part);
			else
				crn_view_copy(&f->owned[k], &part);
			continue;
		}
		if (!crn_view_rows_contiguous(&part)) {
			f->copy_bytes[k] =
				part.bits ? crn_bits_bytes(&roots[k])
					  : crn_view_dense_bytes(part.dtype, part.ndim, part.shape);
			CRN_TRY(take(f, f->copy_bytes[k], &f->copies[k], err));
			crn_view dense = part.bits ? crn_bits_dense(f->copies[k], &roots[k])
						   : crn_view_dense(f->copies[k], part.dtype,
							     part.ndim, part.shape);
			crn_view_copy(&dense, &part);
			part = dense;
		}
		ret_views[k] = part;
	}
	return CAIRN_OK;
}

/* Plans the walk, with fewer planes a step where the tile would not fit what was set aside. */
static cairn_status plan_walk(
	crn_frame *f, const crn_layout *layout, const crn_region *roots, cairn_error *err)
{
	crn_walk_setting setting = {.roots = roots,
		.owned_roots = f->owned != NULL,
		.slab = f->piece->slab,
		.chunks = crn_plan_chunks,
		.plan = f->env->plan};
	CRN_TRY(crn_walk_new(f->piece, &f->walk, err));
	for (;;) {
		CRN_TRY(crn_walk_plan(&f->walk, layout, &setting, false, err));
		if (f->walk.bytes <= f->piece->slab.arena_bytes || f->walk.rows <= 1)
			break;
		setting.slab.rows = f->walk.rows / 2;
	}
	/* Tiles of one job take buffers of one size: they are used again and again. */
	f->arena_bytes = f->piece->slab.arena_bytes;
	if (f->arena_bytes < f->walk.bytes)
		f->arena_bytes = f->walk.bytes;
	void *arena = NULL;
	if (f->arena_bytes > 0)
		CRN_TRY(take(f, f->arena_bytes, &arena, err));
	f->arena = arena;
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
		.owned = owned,
		.pinned = pinned,
		.task = task,
		.instances = instances};
	cairn_status status = plan_walk(f, layout, roots, err);
	if (status == CAIRN_OK)
		status = run_all(f, err);
	if (status == CAIRN_OK)
		status = hand_out(f, layout, roots, ret_views, err);
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
	crn_pool_give(f->env->pool, f->arena, f->arena_bytes);
	for (int k = 0; k < CRN_MAX_INPUTS; k++)
		crn_pool_give(f->env->pool, f->copies[k], f->copy_bytes[k]);
	crn_walk_done(&f->walk);
	crn_free(f->instances);
	crn_free(f);
}

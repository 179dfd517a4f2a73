/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.c -- sizes and offsets of a walk's buffers. See arena.h.
 *
 * Rows that a stencil reads start on cache lines and lie a little off multiples of 4 KiB: planes
 * that share their low address bits fight for the same few lines of the caches.
 */
#include "plan/arena.h"

#include "core/bits.h"
#include "core/format.h"

#include <stdint.h>

#define LINE ((size_t)64)
#define PAGE ((size_t)4096)

size_t crn_arena_round(size_t bytes)
{
	return (bytes + LINE - 1) & ~(LINE - 1);
}

/* ---- one buffer ---- */

static bool read_by_stencil(const crn_walk *w, const crn_slide *s)
{
	for (int u = s->node + 1; u < w->piece->n_nodes; u++)
		for (int k = 0; k < w->piece->nodes[u].n_in; k++)
			if (w->piece->nodes[u].in[k] == s->node &&
				w->piece->nodes[u].role == CRN_ROLE_COMPUTE)
				return true;
	return false;
}

/* The walked axis outermost, then C order. */
static void set_strides(const crn_walk *w, crn_slide *s)
{
	size_t item = crn_dtype_size(w->piece->nodes[s->node].node->type.dtype);
	int x = s->room.ndim - 1;
	const bool bits = w->piece->nodes[s->node].bits;
	size_t stride = item;
	bool stencil = x > 0 && read_by_stencil(w, s);
	s->lead = 0;
	if (stencil && s->border != CRN_BORDER_NONE && !bits)
		s->lead = (LINE - (size_t)(s->held.lo[x] - s->room.lo[x]) * item % LINE) % LINE;
	for (int d = x; d >= 0; d--) {
		if (d == s->axis)
			continue;
		s->stride[d] = (int64_t)stride;
		stride *= (size_t)s->room.n[d];
		if (bits && d == x) /* wherever along x the tile lies */
			stride = (size_t)crn_bits_words(63, s->room.n[d]) * 8;
		else if (stencil && d == x)
			stride = crn_arena_round(s->lead + stride);
	}
	if (stencil && stride % PAGE == 0)
		stride += 3 * LINE;
	if (s->axis >= 0)
		s->stride[s->axis] = (int64_t)stride;
	s->plane_bytes = stride;
}

/* Planes the buffer needs, and whether any stay from step to step. */
static int64_t count_planes(const crn_walk *w, const crn_slide *s, bool *ret_stays)
{
	ptrdiff_t self = s - w->slides;
	int64_t most = 0, kept = 0;
	for (int64_t p = 0; p < w->n_pairs; p++) {
		int64_t at = p * w->pair_step * w->n_slides + self;
		int64_t from = w->from[at], have = w->to[at], to = w->to[at + w->n_slides];
		if (to > have || have > from)
			most = to - from > most ? to - from : most;
		kept = have - from > kept ? have - from : kept;
	}
	*ret_stays = kept > 0 || s->stays;
	if (s->stays)
		return s->n;
	/* Room for as many again: what is kept moves to the front only now and then. */
	return most + kept < s->n ? most + kept : s->n;
}

/* ---- memory while a slide is computed ---- */

static size_t copies_bytes(const crn_walk *w, const crn_slide *s, const crn_region *out)
{
	const crn_pnode *pn = &w->piece->nodes[s->node];
	size_t bytes = 0;
	for (int k = 0; k < pn->n_in; k++) {
		const crn_node *in = w->piece->nodes[pn->in[k]].node;
		crn_need need;
		crn_region read;
		if (!w->edges[s->edge0 + k].copied)
			continue;
		crn_walk_need(w, s, k, out, &need, &read);
		if (!crn_region_empty(&need.region))
			bytes += crn_arena_round(
				w->piece->nodes[pn->in[k]].bits
					? crn_bits_most_bytes(need.region.ndim, need.region.n)
					: crn_view_dense_bytes(
						  in->type.dtype, need.region.ndim, need.region.n));
	}
	return bytes;
}

static bool copies_any(const crn_walk *w, const crn_slide *s)
{
	for (int k = 0; k < w->piece->nodes[s->node].n_in; k++)
		if (w->edges[s->edge0 + k].copied)
			return true;
	return false;
}

static size_t compute_bytes(const crn_walk *w, const crn_slide *s)
{
	const crn_node *n = w->piece->nodes[s->node].node;
	bool copies = copies_any(w, s);
	int64_t seen = 0;
	size_t most = 0;
	for (int64_t p = 0; p < w->n_pairs; p++) {
		int64_t at = p * w->pair_step * w->n_slides + (s - w->slides);
		int64_t from = w->to[at], to = w->to[at + w->n_slides];
		from = from < s->first ? s->first : from;
		to = to > s->end ? s->end : to;
		/* Without copies the bytes follow from the number of planes. */
		if (to <= from || (!copies && to - from == seen))
			continue;
		seen = to - from;
		crn_region out = crn_slide_part(s, false, from, to);
		size_t bytes = copies ? copies_bytes(w, s, &out) : 0;
		if (n->op->scratch)
			bytes += crn_arena_round(n->op->scratch(n, &out));
		most = bytes > most ? bytes : most;
	}
	return most;
}

static size_t temporary_bytes(const crn_walk *w, const crn_slide *s)
{
	const crn_pnode *pn = &w->piece->nodes[s->node];
	switch (pn->role) {
	case CRN_ROLE_GROUP:
		return crn_arena_round(crn_program_scratch(pn));
	case CRN_ROLE_BOX:
		return crn_arena_round(pn->node->source->box_scratch);
	case CRN_ROLE_COMPUTE:
		return compute_bytes(w, s);
	default:
		return 0;
	}
}

/* ---- offsets ---- */

typedef struct arena {
	crn_block *blocks; /* in use, by offset */
	int n;
	size_t base, top;
} arena;

/* Lowest gap of `bytes`; the index a block there would have. */
static int find_gap(const arena *a, size_t bytes, size_t *ret_offset)
{
	size_t at = a->base;
	for (int i = 0; i < a->n; i++) {
		if (a->blocks[i].offset >= at + bytes) {
			*ret_offset = at;
			return i;
		}
		at = a->blocks[i].offset + a->blocks[i].bytes;
	}
	*ret_offset = at;
	return a->n;
}

static size_t place(arena *a, size_t bytes, int until)
{
	size_t offset;
	int i = find_gap(a, bytes, &offset);
	a->top = offset + bytes > a->top ? offset + bytes : a->top;
	if (until < 0) /* gone before anything else is placed */
		return offset;
	for (int j = a->n++; j > i; j--)
		a->blocks[j] = a->blocks[j - 1];
	a->blocks[i] = (crn_block){.offset = offset, .bytes = bytes, .until = until};
	return offset;
}

static void expire(arena *a, int node)
{
	int n = 0;
	for (int i = 0; i < a->n; i++)
		if (a->blocks[i].until >= node)
			a->blocks[n++] = a->blocks[i];
	a->n = n;
}

void crn_arena_lay(crn_walk *w)
{
	arena a = {.blocks = w->blocks};
	for (int i = 0; i < w->n_slides; i++) {
		crn_slide *s = &w->slides[i];
		bool stays;
		s->bytes = 0;
		if (!s->used || !s->own)
			continue;
		set_strides(w, s);
		s->planes = count_planes(w, s, &stays);
		s->bytes = crn_arena_round(s->lead + (size_t)s->planes * s->plane_bytes);
		s->offset = SIZE_MAX;
		if (!stays)
			continue;
		s->offset = a.base;
		a.base += s->bytes;
	}
	a.top = a.base;
	for (int i = 0; i < w->n_slides; i++) {
		crn_slide *s = &w->slides[i];
		if (!s->used)
			continue;
		expire(&a, s->node);
		if (s->own && s->offset == SIZE_MAX)
			s->offset = place(&a, s->bytes, s->last_use);
		s->temp_bytes = temporary_bytes(w, s);
		s->temp_offset = place(&a, s->temp_bytes, -1);
	}
	w->bytes = a.top;
}

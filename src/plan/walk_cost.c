/* SPDX-License-Identifier: Apache-2.0
 *
 * walk_cost.c -- estimated time of a tile: work per voxel, traffic to the nearest memory that holds
 * the arena, what steps repeat, and a little for every step. See walk.h. Only ever used to choose
 * between tiles.
 */
#include "core/format.h"
#include "plan/cache_size.h"
#include "plan/walk.h"

#include <stdint.h>

#define STEP_NS 400.0     /* of one slide, at one step: regions, calls */
#define FILE_BYTE_NS 0.15 /* out of the page cache */
#define FILE_RUN_NS 500.0 /* one system call */
#define CHUNK_NS 200.0    /* finding and pinning it */
#define CHUNK_VOXEL_NS 0.3
#define ROW_NS 25.0 /* starting on a row of a region */

/* Bytes of r in the form in which a piece keeps it. */
static double bytes_of(const crn_pnode *pn, const crn_region *r)
{
	double item = pn->bits ? 0.125 : (double)crn_dtype_size(pn->node->type.dtype);
	return item * (double)crn_region_count(r);
}

/* Nanoseconds a byte takes to or from the level of memory where `bytes` stay. */
static double byte_ns(size_t bytes)
{
	if (bytes <= crn_cache_bytes())
		return 0.01;
	return bytes <= 16 * crn_cache_bytes() ? 0.04 : 0.08;
}

/* A file is read in as many calls as the region has pieces there. */
static double box_ns(const crn_node *n, const crn_region *r)
{
	double runs = 1;
	bool whole = true;
	for (int d = r->ndim - 1; d >= 0; d--) {
		/* Small gaps are read over. */
		if (!whole)
			runs *= (double)r->n[d];
		whole = whole && (r->n[d] == n->type.shape[d] ||
					 (d == r->ndim - 1 && 4 * r->n[d] >= n->type.shape[d]));
	}
	double bytes = (double)crn_region_count(r) * (double)crn_dtype_size(n->type.dtype);
	return FILE_BYTE_NS * bytes + FILE_RUN_NS * runs;
}

static double instance_ns(
	const crn_pnode *pn, const crn_region *r, crn_chunks_fn chunks, const void *plan)
{
	double voxels = (double)crn_region_count(r);
	double rows = r->ndim > 0 && voxels > 0 ? voxels / (double)r->n[r->ndim - 1] : 1;
	int64_t n_chunks;
	size_t bytes;
	switch (pn->role) {
	case CRN_ROLE_CHUNKS:
		chunks(plan, pn->slot, r, &n_chunks, &bytes);
		return CHUNK_NS * (double)n_chunks +
		       CHUNK_VOXEL_NS * (pn->bits ? 0.125 : 1) * voxels;
	case CRN_ROLE_BOX:
		return box_ns(pn->node, r);
	case CRN_ROLE_GROUP:
	case CRN_ROLE_COMPUTE:
		return pn->cost_ns * voxels + ROW_NS * rows;
	default:
		return 0;
	}
}

double crn_layout_ns(
	const crn_layout *l, const crn_piece *p, crn_chunks_fn chunks, const void *plan)
{
	double ns = 0;
	for (int i = 0; i < p->n_nodes; i++)
		for (int v = 0; v < l->of[i].n; v++)
			ns += instance_ns(&p->nodes[i], &l->of[i].region[v], chunks, plan);
	return ns;
}

/* What a slide computes at a step in the middle of the walk. */
static crn_region middle_part(const crn_walk *w, const crn_slide *s)
{
	int64_t at = (w->n_pairs - 1) / 2 * w->pair_step * w->n_slides + (s - w->slides);
	int64_t from = w->to[at], to = w->to[at + w->n_slides];
	from = from < s->first ? s->first : from;
	to = to > s->end ? s->end : to;
	return crn_slide_part(s, false, from, to > from ? to : from);
}

/* Bytes a slide reads at a step in the middle of the walk. */
static double read_bytes(const crn_walk *w, const crn_slide *s)
{
	const crn_pnode *pn = &w->piece->nodes[s->node];
	crn_region out = middle_part(w, s);
	double bytes = 0;
	if (crn_region_empty(&out))
		return 0;
	for (int k = 0; k < pn->n_in; k++) {
		crn_need need;
		crn_region read;
		if (w->edges[s->edge0 + k].source < 0)
			continue;
		crn_walk_need(w, s, k, &out, &need, &read);
		/* A copy is read, written, and read again. */
		double times = w->edges[s->edge0 + k].copied ? 3 : 1;
		bytes += times * bytes_of(&w->piece->nodes[pn->in[k]], &need.region);
	}
	return bytes;
}

/* Work that each step repeats of its neighbours', because the op makes more than its output. */
static double repeated_ns(const crn_walk *w, const crn_slide *s)
{
	const crn_pnode *pn = &w->piece->nodes[s->node];
	if (pn->role != CRN_ROLE_COMPUTE || !pn->node->op->overlap)
		return 0;
	crn_region out = middle_part(w, s);
	if (crn_region_empty(&out))
		return 0;
	double times = pn->node->op->overlap(pn->node, &out);
	return (times - 1) * pn->cost_ns * (double)crn_region_count(&s->held);
}

double crn_walk_traffic_ns(const crn_walk *w)
{
	/* What is handed out at the end is written once and, if it is large, leaves the cache. */
	size_t out = 0;
	for (int i = 0; i < w->n_slides; i++)
		if (w->slides[i].used && w->slides[i].stays)
			out += w->slides[i].bytes;
	double ns = 0, inner = byte_ns(w->bytes - out), outer = byte_ns(SIZE_MAX);
	double handed_out = byte_ns(w->bytes); /* a fold reads it again at once */
	for (int i = 0; i < w->n_slides; i++) {
		const crn_slide *s = &w->slides[i];
		if (!s->used)
			continue;
		double bytes = bytes_of(&w->piece->nodes[s->node], &s->held);
		ns += (STEP_NS + inner * read_bytes(w, s)) * (double)w->n_steps;
		ns += repeated_ns(w, s);
		if (s->stays)
			ns += 2 * handed_out * bytes;
		else if (s->target >= 0)
			ns += outer * bytes;
		else if (s->own)
			ns += inner * bytes;
	}
	return ns;
}

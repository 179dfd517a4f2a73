/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.c -- slides of a tile and their positions at every step. See walk.h; buffers are arena.c's.
 *
 * Nothing is remembered from step to step: what is held after the roots' first e planes follows
 * from e alone. `to` is how far anything computed so far had to be read, `from` the first plane
 * that anything still to be computed will read.
 */
#include "plan/walk.h"

#include "base/mem.h"
#include "plan/arena.h"
#include "plan/need.h"

#include <limits.h>
#include <string.h>

#define MOST_STEPS 4096
#define MOST_SAMPLES 3

cairn_status crn_walk_new(const crn_piece *p, crn_walk *ret, cairn_error *err)
{
	int n_slides = p->n_nodes * CRN_LAYOUT_LIST, n_edges = 0;
	for (int i = 0; i < p->n_nodes; i++)
		n_edges += p->nodes[i].n_in * CRN_LAYOUT_LIST;
	crn_slide *slides = crn_calloc((size_t)n_slides + 1, sizeof(*slides));
	crn_edge *edges = crn_calloc((size_t)n_edges + 1, sizeof(*edges));
	crn_block *blocks = crn_calloc((size_t)n_slides + 1, sizeof(*blocks));
	if (!slides || !edges || !blocks) {
		crn_free(slides);
		crn_free(edges);
		crn_free(blocks);
		return crn_fail_memory(err, "a tile's walk", (size_t)n_slides * sizeof(*slides));
	}
	*ret = (crn_walk){.piece = p,
		.slides = slides,
		.edges = edges,
		.blocks = blocks,
		.n_slides = n_slides};
	return CAIRN_OK;
}

void crn_walk_done(crn_walk *w)
{
	crn_free(w->slides);
	crn_free(w->edges);
	crn_free(w->blocks);
	crn_free(w->from);
	*w = (crn_walk){0};
}

/* ---- regions and positions ---- */

crn_region crn_slide_part(const crn_slide *s, bool room, int64_t from, int64_t to)
{
	crn_region r = room ? s->room : s->held;
	if (s->axis < 0) {
		if (to <= from)
			memset(r.n, 0, sizeof(r.n));
		return r;
	}
	int64_t step = s->room.step[s->axis];
	r.lo[s->axis] = s->room.lo[s->axis] + (s->back ? s->n - to : from) * step;
	r.n[s->axis] = to - from;
	r.step[s->axis] = to - from > 1 ? step : 1;
	return r;
}

/* Positions [*lo, *hi) of the slide's room that hold the non-empty region r. */
static void span_of(const crn_slide *s, const crn_region *r, int64_t *lo, int64_t *hi)
{
	*lo = 0;
	*hi = 1;
	if (s->axis < 0)
		return;
	int64_t base = s->room.lo[s->axis], step = s->room.step[s->axis];
	int64_t a = r->lo[s->axis] - base, b = crn_region_last(r, s->axis) - base;
	if (step > 1) {
		a /= step;
		b /= step;
	}
	b++;
	*lo = s->back ? s->n - b : a;
	*hi = s->back ? s->n - a : b;
}

void crn_walk_need(const crn_walk *w, const crn_slide *s, int k, const crn_region *out,
	crn_need *ret_need, crn_region *ret_read)
{
	const crn_pnode *pn = &w->piece->nodes[s->node];
	const crn_node *in = w->piece->nodes[pn->in[k]].node;
	crn_piece_need(pn, k, in, out, ret_need);
	*ret_read = crn_need_read(ret_need, in->type.shape);
}

bool crn_slide_serves(const crn_slide *s, const crn_need *need, const int64_t *shape)
{
	if (!crn_region_contains(&s->room, &need->region))
		return false;
	if (crn_region_inside(&need->region, shape))
		return true;
	return s->border == need->border &&
	       (s->border != CRN_BORDER_CONSTANT ||
		       memcmp(&s->cval, &need->cval, sizeof(s->cval)) == 0);
}

/* ---- slides and edges ---- */

static const crn_pnode *pnode_of(const crn_walk *w, const crn_slide *s)
{
	return &w->piece->nodes[s->node];
}

static bool is_passive(const crn_slide *s)
{
	return !s->own && s->target < 0;
}

/* A root that nobody merged with other requests is computed where it is wanted. */
static int target_of(const crn_walk *w, const crn_walk_setting *q, int node, const crn_region *held)
{
	const crn_pnode *pn = &w->piece->nodes[node];
	/* A destination of bits is filled afterwards by what is computed as bytes. */
	if (pn->bits != crn_piece_root_is_bits(w->piece, node))
		return -1;
	for (int k = 0; q->owned_roots && k < w->piece->n_roots; k++)
		if (w->piece->roots[k] == node && crn_region_equal(held, &q->roots[k]))
			return k;
	return -1;
}

static bool is_root(const crn_piece *p, int node)
{
	for (int k = 0; k < p->n_roots; k++)
		if (p->roots[k] == node)
			return true;
	return false;
}

/* Chunks and results are read in place when one holds all that is wanted, in the form it is wanted
 * in and in rows that ops can read: every s-th voxel is copied out first. */
static bool has_planes(const crn_pnode *pn, const crn_region *held, const crn_walk_setting *q)
{
	const int x = held->ndim - 1;
	const bool thin = x >= 0 && held->n[x] > 1 && held->step[x] > 1;
	int64_t n_chunks;
	size_t bytes;
	switch (pn->role) {
	case CRN_ROLE_VIEW:
		return false;
	case CRN_ROLE_RESIDENT:
		return thin;
	case CRN_ROLE_CHUNKS:
		q->chunks(q->plan, pn->slot, held, &n_chunks, &bytes);
		return n_chunks > 1 || thin || pn->chunks_are_bits != pn->bits;
	default:
		return true;
	}
}

static void add_slide(crn_walk *w, const crn_walk_setting *q, int node, int v)
{
	const crn_pnode *pn = &w->piece->nodes[node];
	crn_slide *s = &w->slides[node * CRN_LAYOUT_LIST + v];
	*s = (crn_slide){.used = true,
		.node = node,
		.v = v,
		.held = w->layout->of[node].region[v],
		.axis = -2,
		.edge0 = w->n_edges,
		.last_use = node};
	s->room = s->held;
	s->target = target_of(w, q, node, &s->held);
	s->own = s->target < 0 && has_planes(pn, &s->held, q);
	s->stays = s->target < 0 && is_root(w->piece, node);
	if (s->stays)
		s->last_use = INT_MAX;
	for (int k = 0; k < pn->n_in; k++) {
		crn_need need;
		crn_region read;
		crn_edge *e = &w->edges[w->n_edges++];
		*e = (crn_edge){.source = -1};
		crn_walk_need(w, s, k, &s->held, &need, &read);
		if (!crn_region_empty(&read))
			e->source = pn->in[k] * CRN_LAYOUT_LIST +
				    crn_layout_find(w->layout, pn->in[k], &read);
	}
}

static void add_slides(crn_walk *w, const crn_walk_setting *q)
{
	w->n_edges = 0;
	for (int i = 0; i < w->piece->n_nodes; i++)
		for (int v = 0; v < CRN_LAYOUT_LIST; v++) {
			if (v < w->layout->of[i].n)
				add_slide(w, q, i, v);
			else
				w->slides[i * CRN_LAYOUT_LIST + v].used = false;
		}
}

/* ---- which axis each slide is walked along ---- */

/* Axis of input k that follows axis `axis` of node pn, -1 if none; flips *back for a reversal. */
static int axis_of_input(const crn_pnode *pn, const crn_node *in, int axis, bool *back)
{
	int k = -1, shift = pn->node->type.ndim - in->type.ndim;
	if (axis < 0)
		return -1;
	if (pn->role == CRN_ROLE_VIEW) {
		crn_affine a;
		memset(&a, 0, sizeof(a));
		pn->node->op->affine(pn->node, &a);
		k = a.step[axis] == 0 ? -1 : a.axis[axis];
		*back ^= a.step[axis] < 0;
	} else if (pn->role == CRN_ROLE_GROUP) {
		k = axis - shift;
	} else if (shift == 0) {
		k = axis;
	}
	/* Rows stay whole: an op must see long ones. A row of a 1-d array is cut. */
	if (k < 0 || (k == in->type.ndim - 1 && k > 0) || in->type.shape[k] == 1)
		return -1;
	return k;
}

/* Ops with much work per call see the whole region of a tile. */
static bool is_whole(const crn_node *n)
{
	return n->op->kind == CRN_GLOBAL || n->op->whole_tiles;
}

static void set_axes(crn_walk *w)
{
	for (int s = w->n_slides - 1; s >= 0; s--) {
		crn_slide *self = &w->slides[s];
		if (!self->used)
			continue;
		const crn_pnode *pn = pnode_of(w, self);
		if (w->n_steps > 1 && self->axis == -2 && is_root(w->piece, self->node))
			self->axis = w->axis;
		if (w->n_steps == 1 || self->axis == -2 || is_whole(pn->node))
			self->axis = -1;
		for (int k = 0; k < pn->n_in; k++) {
			int source = w->edges[self->edge0 + k].source;
			if (source < 0 || w->slides[source].axis != -2)
				continue;
			crn_slide *from = &w->slides[source];
			bool back = self->back;
			from->axis = axis_of_input(pn, pnode_of(w, from)->node, self->axis, &back);
			from->back = from->axis >= 0 && back;
		}
	}
}

/* ---- borders in place ---- */

/* Makes room for the border of `need` around slide s, if its kind of border allows. */
static void make_room(crn_slide *s, const crn_need *need, const int64_t *shape)
{
	const crn_region *want = &need->region;
	crn_region room = s->room;
	if (s->target >= 0)
		return;
	if (s->border != CRN_BORDER_NONE &&
		(s->border != need->border || memcmp(&s->cval, &need->cval, sizeof(s->cval)) != 0))
		return;
	for (int d = 0; d < want->ndim; d++) {
		int64_t last = crn_region_last(want, d), end = crn_region_last(&room, d);
		if (want->lo[d] >= 0 && last < shape[d])
			continue;
		if ((want->n[d] > 1 && want->step[d] != 1) || s->held.step[d] != 1)
			return;
		room.lo[d] = want->lo[d] < room.lo[d] ? want->lo[d] : room.lo[d];
		room.n[d] = (last > end ? last : end) - room.lo[d] + 1;
		room.step[d] = 1;
	}
	s->room = room;
	s->border = need->border;
	s->cval = need->cval;
	s->own = true;
}

static void set_rooms(crn_walk *w)
{
	for (int s = w->n_slides - 1; s >= 0; s--) {
		const crn_slide *self = &w->slides[s];
		if (!self->used || pnode_of(w, self)->role != CRN_ROLE_COMPUTE)
			continue;
		for (int k = 0; k < pnode_of(w, self)->n_in; k++) {
			int source = w->edges[self->edge0 + k].source;
			crn_need need;
			crn_region read;
			if (source < 0)
				continue;
			crn_walk_need(w, self, k, &self->held, &need, &read);
			const int64_t *shape = pnode_of(w, &w->slides[source])->node->type.shape;
			if (need.border != CRN_BORDER_NONE &&
				!crn_region_inside(&need.region, shape))
				make_room(&w->slides[source], &need, shape);
		}
	}
}

/* True if rows of what a passive view shows lie in one piece. Views of views are few. */
static bool view_keeps_rows(const crn_walk *w, const crn_slide *s)
{
	const crn_pnode *pn = pnode_of(w, s);
	crn_need need;
	crn_region read;
	crn_affine a;
	int source = w->edges[s->edge0].source, x = s->held.ndim - 1;
	if (source < 0 || x < 0 || s->held.n[x] <= 1)
		return true;
	memset(&a, 0, sizeof(a));
	pn->node->op->affine(pn->node, &a);
	const crn_slide *from = &w->slides[source];
	crn_walk_need(w, s, 0, &s->held, &need, &read);
	int last = from->held.ndim - 1;
	bool keeps = a.axis[x] == last && a.step[x] > 0 && read.step[last] == from->room.step[last];
	bool through = is_passive(from) && pnode_of(w, from)->role == CRN_ROLE_VIEW;
	return keeps && (!through || view_keeps_rows(w, from));
}

/* Views whose rows an op cannot read become slides of their own; then every edge knows whether its
 * op reads the source as it is. */
static void set_copies(crn_walk *w)
{
	for (int s = 0; s < w->n_slides; s++) {
		crn_slide *self = &w->slides[s];
		const crn_pnode *pn = self->used ? pnode_of(w, self) : NULL;
		if (!pn)
			continue;
		if (self->stays && is_passive(self) && pn->role == CRN_ROLE_VIEW &&
			!view_keeps_rows(w, self))
			self->own = true; /* whoever gets a root reads whole rows */
		bool computes = pn->role == CRN_ROLE_COMPUTE;
		for (int k = 0; k < pn->n_in && computes; k++) {
			crn_edge *e = &w->edges[self->edge0 + k];
			crn_need need;
			crn_region read;
			crn_walk_need(w, self, k, &self->held, &need, &read);
			if (crn_region_empty(&need.region))
				continue;
			e->copied = true;
			if (e->source < 0)
				continue;
			crn_slide *from = &w->slides[e->source];
			const crn_pnode *source = pnode_of(w, from);
			if (is_passive(from) && source->role == CRN_ROLE_VIEW &&
				!view_keeps_rows(w, from))
				from->own = true;
			int x = need.region.ndim - 1;
			bool rows = x < 0 || need.region.n[x] <= 1 ||
				    need.region.step[x] == from->room.step[x];
			e->copied =
				!rows || !crn_slide_serves(from, &need, source->node->type.shape);
		}
	}
}

static void set_positions(crn_walk *w)
{
	for (int s = w->n_slides - 1; s >= 0; s--) {
		crn_slide *self = &w->slides[s];
		if (!self->used)
			continue;
		int a = self->axis;
		self->n = self->end = 1;
		if (a >= 0) {
			int64_t left = (self->held.lo[a] - self->room.lo[a]) / self->room.step[a];
			self->n = self->room.n[a];
			self->first = self->back ? self->n - left - self->held.n[a] : left;
			self->end = self->first + self->held.n[a];
		}
		int until = is_passive(self) ? self->last_use : self->node;
		for (int k = 0; k < pnode_of(w, self)->n_in; k++) {
			int source = w->edges[self->edge0 + k].source;
			if (source >= 0 && w->slides[source].last_use < until)
				w->slides[source].last_use = until;
		}
	}
}

/* ---- states ---- */

static int64_t clamp(int64_t at, const crn_slide *s)
{
	return at < s->first ? s->first : at > s->end ? s->end : at;
}

/* Widens [*lo, *hi) of the source to what the slide's own region `out` reads through edge k. */
static void widen(const crn_walk *w, const crn_slide *s, int k, const crn_region *out, int64_t *lo,
	int64_t *hi)
{
	const crn_edge *e = &w->edges[s->edge0 + k];
	const crn_slide *from = &w->slides[e->source];
	crn_need need;
	crn_region read;
	int64_t a, b;
	crn_walk_need(w, s, k, out, &need, &read);
	if (!crn_region_empty(&read)) {
		span_of(from, &read, &a, &b);
		*lo = a < *lo ? a : *lo;
		*hi = b > *hi ? b : *hi;
	}
	if (!e->copied && from->border != CRN_BORDER_NONE && !crn_region_empty(&need.region)) {
		span_of(from, &need.region, &a, &b);
		*lo = a < *lo ? a : *lo;
		*hi = b > *hi ? b : *hi;
	}
}

/* Border planes between two positions come from planes that must be there. */
static void widen_by_border(
	const crn_walk *w, const crn_slide *s, int64_t p, int64_t q, int64_t *lo, int64_t *hi)
{
	if (s->border == CRN_BORDER_NONE || q <= p || s->axis < 0)
		return;
	crn_need need = {.region = crn_slide_part(s, true, p, q), .border = s->border};
	crn_region read = crn_need_read(&need, pnode_of(w, s)->node->type.shape);
	int64_t a, b;
	if (crn_region_empty(&read))
		return;
	span_of(s, &read, &a, &b);
	*lo = a < *lo ? a : *lo;
	*hi = b > *hi ? b : *hi;
}

static void ask_roots(const crn_walk *w, int64_t e, int64_t *to)
{
	for (int k = 0; k < w->piece->n_roots; k++) {
		crn_region r = w->roots[k];
		int node = w->piece->roots[k];
		if (crn_region_empty(&r))
			continue;
		int s = node * CRN_LAYOUT_LIST + crn_layout_find(w->layout, node, &r);
		int64_t lo, hi;
		r.n[w->axis] = e;
		span_of(&w->slides[s], &r, &lo, &hi);
		to[s] = hi > to[s] ? hi : to[s];
	}
}

/* What is held once the first e planes of the roots are done. */
static void state_at(const crn_walk *w, int64_t e, int64_t *from, int64_t *to)
{
	for (int s = 0; s < w->n_slides; s++) {
		const crn_slide *self = &w->slides[s];
		to[s] = e >= w->extent && self->used ? self->n : 0;
		from[s] = self->used && e > 0 && !self->stays ? self->n : 0;
	}
	if (e == 0 || e >= w->extent)
		return;
	ask_roots(w, e, to);
	for (int s = w->n_slides - 1; s >= 0; s--) {
		const crn_slide *self = &w->slides[s];
		int64_t none = 0;
		if (!self->used)
			continue;
		widen_by_border(w, self, 0, to[s], &none, &to[s]);
		widen_by_border(w, self, to[s], self->n, &from[s], &none);
		from[s] = from[s] < to[s] ? from[s] : to[s];
		int64_t done = clamp(to[s], self);
		int64_t next = is_passive(self) ? clamp(from[s], self) : done;
		crn_region past = crn_slide_part(self, false, self->first, done);
		crn_region future = crn_slide_part(self, false, next, self->end);
		for (int k = 0; k < pnode_of(w, self)->n_in; k++) {
			int t = w->edges[self->edge0 + k].source;
			int64_t low = INT64_MAX, high = 0;
			if (t < 0)
				continue;
			if (done > self->first)
				widen(w, self, k, &past, &none, &to[t]);
			if (next < self->end)
				widen(w, self, k, &future, &low, &high);
			from[t] = low < from[t] ? low : from[t];
		}
	}
}

/* First planes of the sampled steps: both ends and the middle. */
static int sample_steps(const crn_walk *w, int64_t *ret)
{
	const int64_t at[MOST_SAMPLES] = {0, w->n_steps / 2, w->n_steps - 1};
	int n = 0;
	for (int i = 0; i < MOST_SAMPLES; i++)
		if (n == 0 || at[i] > ret[n - 1])
			ret[n++] = at[i];
	return n;
}

static cairn_status set_states(crn_walk *w, bool sampled, cairn_error *err)
{
	int64_t steps[MOST_SAMPLES];
	int n = sampled ? sample_steps(w, steps) : 0;
	int64_t n_states = sampled ? 2 * n : w->n_steps + 1;
	if (n_states > w->cap_states) {
		size_t count = (size_t)n_states * (size_t)w->n_slides;
		crn_free(w->from);
		w->from = crn_calloc(2 * count + 1, sizeof(int64_t));
		w->cap_states = w->from ? (int)n_states : 0;
		if (!w->from)
			return crn_fail_memory(err, "a tile's walk", 2 * count * sizeof(int64_t));
	}
	w->to = w->from + (ptrdiff_t)w->cap_states * w->n_slides;
	w->n_pairs = sampled ? n : w->n_steps;
	w->pair_step = sampled ? 2 : 1;
	for (int64_t i = 0; i < n_states; i++) {
		int64_t e = (sampled ? steps[i / 2] + i % 2 : i) * w->rows;
		state_at(w, e, &w->from[i * w->n_slides], &w->to[i * w->n_slides]);
	}
	return CAIRN_OK;
}

cairn_status crn_walk_plan(
	crn_walk *w, const crn_layout *l, const crn_walk_setting *q, bool sampled, cairn_error *err)
{
	const crn_region *r = &q->roots[0];
	w->layout = l;
	w->roots = q->roots;
	w->axis = q->slab.axis;
	w->extent = w->axis < r->ndim && !crn_region_empty(r) ? r->n[w->axis] : 1;
	w->rows = q->slab.rows > 0 && q->slab.rows < w->extent ? q->slab.rows : w->extent;
	if (w->extent / w->rows > MOST_STEPS)
		w->rows = w->extent / MOST_STEPS;
	w->n_steps = crn_n_units(w->extent, w->rows);
	add_slides(w, q);
	set_axes(w);
	set_rooms(w);
	set_copies(w);
	set_positions(w);
	CRN_TRY(set_states(w, sampled, err));
	crn_arena_lay(w);
	return CAIRN_OK;
}

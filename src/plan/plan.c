/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.c -- building a plan: collect nodes, bind kernels, find what is wanted, lay out stages.
 *
 * Reading order: crn_plan_build() at the foot tells the story; cuts.c decides what is materialised,
 * tiling.c chooses tiles, stages.c makes the stages. A plan is made `tight` first, which gives the
 * smallest budget that works, then for speed; if that does not fit, the tight one is the plan.
 */
#include "plan/plan.h"

#include "base/mem.h"
#include "core/bits.h"
#include "plan/build.h"
#include "plan/need.h"

#include <assert.h>
#include <string.h>

int crn_plan_info(const crn_plan *p, const crn_node *n)
{
	for (int i = 0; i < p->n_infos; i++)
		if (p->infos[i].node == n)
			return i;
	return -1;
}

/* ---- nodes ---- */

typedef struct collector {
	crn_plan *plan;
	int cap;
} collector;

static cairn_status collect(collector *c, crn_node *n, cairn_error *err)
{
	if (crn_plan_info(c->plan, n) >= 0)
		return CAIRN_OK;
	for (int k = 0; k < n->n_in; k++)
		CRN_TRY(collect(c, n->in[k], err));
	crn_plan *p = c->plan;
	if (p->n_infos == c->cap) {
		int cap = c->cap ? 2 * c->cap : 32;
		crn_info *infos = crn_realloc_array(p->infos, (size_t)cap, sizeof(*infos));
		if (!infos)
			return crn_fail_memory(err, "a plan", (size_t)cap * sizeof(*infos));
		p->infos = infos;
		c->cap = cap;
	}
	p->infos[p->n_infos] = (crn_info){.node = n};
	p->infos[p->n_infos].wanted.ndim = n->type.ndim;
	p->n_infos++;
	return CAIRN_OK;
}

static cairn_status bind_all(crn_plan *p, cairn_error *err)
{
	for (int i = 0; i < p->n_infos; i++) {
		crn_node *n = p->infos[i].node;
		p->infos[i].cost_ns = crn_costs_of(p->options.costs, n, p->options.isa);
		p->infos[i].guess_ns = crn_costs_of(NULL, n, p->options.isa);
		p->infos[i].measured = crn_costs_known(p->options.costs, n, p->options.isa);
		if (n->source && n->source->format) /* an array in memory has none */
			p->infos[i].io_ns = crn_costs_decode(
				p->options.costs, n->source->format->name, n->type.dtype);
		if (!n->op->bind)
			continue;
		cairn_status status = n->op->bind(n, p->options.isa, &p->infos[i].bound, err);
		if (status != CAIRN_OK) {
			crn_where(err, "op %s", n->origin);
			return status;
		}
	}
	return CAIRN_OK;
}

/* ---- what is wanted of every node, backwards ---- */

void crn_plan_reduced_region(const crn_node *n, const crn_region *out, crn_region *ret_in)
{
	const crn_type *in = &n->in[0]->type;
	crn_region probe = {.ndim = in->ndim}, at0, at1;
	*ret_in = crn_region_whole(in->ndim, in->shape);
	for (int k = 0; k < in->ndim; k++) {
		probe.n[k] = 1;
		probe.step[k] = 1;
	}
	n->op->reduce->project(n, &probe, &at0);
	for (int k = 0; k < in->ndim; k++) {
		if (in->shape[k] <= 1)
			continue;
		probe.lo[k] = 1;
		n->op->reduce->project(n, &probe, &at1);
		probe.lo[k] = 0;
		for (int d = 0; d < out->ndim; d++) {
			if (at1.lo[d] == at0.lo[d])
				continue;
			ret_in->lo[k] = out->lo[d];
			ret_in->n[k] = out->n[d];
			ret_in->step[k] = out->step[d];
		}
	}
}

static void want(crn_plan *p, const crn_node *n, const crn_region *r)
{
	crn_info *info = &p->infos[crn_plan_info(p, n)];
	info->wanted = crn_region_empty(&info->wanted) ? *r : crn_region_hull(&info->wanted, r);
	/* Accumulators are dense: a reduction asked for every other element computes those between.
	 */
	for (int d = 0; d < n->type.ndim; d++) {
		if (n->op->kind != CRN_REDUCTION || info->wanted.n[d] < 1)
			continue;
		info->wanted.n[d] = crn_region_last(&info->wanted, d) + 1 - info->wanted.lo[d];
		info->wanted.step[d] = 1;
	}
}

static void want_inputs(crn_plan *p, const crn_info *info)
{
	const crn_node *n = info->node;
	for (int k = 0; k < n->n_in; k++) {
		const crn_node *in = n->in[k];
		crn_region whole = crn_region_whole(in->type.ndim, in->type.shape);
		if (n->op->kind == CRN_SINK || n->op->kind == CRN_GLOBAL) {
			want(p, in, &whole);
		} else if (n->op->kind == CRN_REDUCTION) {
			crn_region read;
			crn_plan_reduced_region(n, &info->wanted, &read);
			want(p, in, &read);
		} else {
			crn_need need;
			crn_need_of(n, k, &info->wanted, &need);
			crn_region read = crn_need_read(&need, in->type.shape);
			if (!crn_region_empty(&read))
				want(p, in, &read);
		}
	}
}

static void want_all(crn_plan *p, crn_node *const *sinks, int n_sinks)
{
	for (int s = 0; s < n_sinks; s++) {
		crn_region whole = crn_region_whole(sinks[s]->type.ndim, sinks[s]->type.shape);
		want(p, sinks[s], p->options.region ? p->options.region : &whole);
	}
	for (int i = p->n_infos - 1; i >= 0; i--)
		if (!crn_region_empty(&p->infos[i].wanted) ||
			p->infos[i].node->op->kind == CRN_SINK)
			want_inputs(p, &p->infos[i]);
}

/* ---- memory ---- */

/* One above the highest cut its piece reads. Pieces only look upstream, so this ends. */
static int set_level(crn_plan *p, crn_cut *cut)
{
	cut->level = 0;
	for (int i = 0; i < cut->piece.n_nodes; i++) {
		if (cut->piece.nodes[i].role != CRN_ROLE_CHUNKS)
			continue;
		int below = set_level(p, &p->cuts[cut->piece.nodes[i].slot]);
		cut->level = below >= cut->level ? below + 1 : cut->level;
	}
	assert(cut->level < CRN_MAX_LEVELS);
	return cut->level;
}

/* Chunks of a cut that are dropped at once are computed again for every neighbour: a plan that can
 * keep none of them would finish, but not in anybody's lifetime. This much can stay. */
#define ROOM_PER_CUT ((size_t)16 << 20)

static size_t cache_room(const crn_plan *p)
{
	size_t room = 0;
	for (int c = 0; c < p->n_cuts; c++) {
		double all = (double)p->cuts[c].chunks.n_tiles *
			     (double)crn_buffer_bytes(p->cuts[c].chunk_bytes);
		if (p->cuts[c].kind == CRN_CUT_NODE)
			room += all < (double)ROOM_PER_CUT ? (size_t)all : ROOM_PER_CUT;
	}
	return room;
}

static void add_levels(crn_plan *p)
{
	memset(p->level_bytes, 0, sizeof(p->level_bytes));
	p->n_levels = 0;
	p->need_bytes = p->standing_bytes + p->top_bytes;
	for (int c = 0; c < p->n_cuts; c++)
		set_level(p, &p->cuts[c]);
	for (int c = 0; c < p->n_cuts; c++) {
		const crn_cut *cut = &p->cuts[c];
		if (cut->chunks.work_bytes > p->level_bytes[cut->level])
			p->level_bytes[cut->level] = cut->chunks.work_bytes;
		p->n_levels = cut->level >= p->n_levels ? cut->level + 1 : p->n_levels;
	}
	for (int l = 0; l < p->n_levels; l++)
		p->need_bytes += p->level_bytes[l];
	p->need_bytes += cache_room(p);
	p->fits = p->need_bytes <= p->options.memory_bytes;
}

cairn_status crn_plan_check_fits(const crn_plan *p, cairn_error *err)
{
	char need[32], have[32];
	if (p->fits)
		return CAIRN_OK;
	crn_format_bytes((double)p->smallest_bytes, need);
	crn_format_bytes((double)p->options.memory_bytes, have);
	crn_fail(err, CAIRN_NOFIT,
		"the plan does not fit the memory budget: it needs %s (%zu bytes), the budget is "
		"%s",
		need, p->smallest_bytes, have);
	if (p->biggest)
		crn_where(err, "op %s needs most", p->biggest->origin);
	/* A file whose one chunk is larger than the budget: no tiling helps, and it may be lying.
	 */
	for (int c = 0; c < p->n_cuts; c++) {
		const crn_cut *cut = &p->cuts[c];
		if (cut->kind != CRN_CUT_SOURCE || cut->chunk_bytes <= p->options.memory_bytes)
			continue;
		crn_where(err, "op %s: one chunk of %s takes %s", cut->node->origin,
			cut->node->source->url, crn_format_bytes((double)cut->chunk_bytes, need));
		break;
	}
	crn_hint(err, "try --memory %zuM, or smaller chunks for the output",
		(p->smallest_bytes >> 20) + 1);
	return CAIRN_NOFIT;
}

/* ---- building ---- */

static void drop_layout(crn_plan *p)
{
	for (int c = 0; c < p->n_cuts; c++)
		crn_piece_done(&p->cuts[c].piece);
	for (int g = 0; g < p->n_globals; g++)
		crn_piece_done(&p->globals[g].piece);
	for (int r = 0; r < p->n_residents; r++)
		crn_piece_done(&p->residents[r].piece);
	for (int s = 0; s < p->n_stages; s++)
		crn_piece_done(&p->stages[s].piece);
	crn_free(p->cuts);
	crn_free(p->globals);
	crn_free(p->residents);
	crn_free(p->stages);
	p->cuts = NULL;
	p->globals = NULL;
	p->residents = NULL;
	p->stages = NULL;
	p->n_cuts = p->cap_cuts = p->n_globals = p->n_residents = p->n_stages = 0;
	p->standing_bytes = p->top_bytes = p->table_bytes = 0;
	p->biggest = NULL;
}

static cairn_status lay_out(crn_plan *p, bool tight, cairn_error *err)
{
	crn_builder b = {.plan = p, .tight = tight};
	drop_layout(p);
	CRN_TRY(crn_build_leaves(&b, err));
	CRN_TRY(crn_build_cuts(&b, err));
	CRN_TRY(crn_build_stages(&b, err));
	add_levels(p);
	return CAIRN_OK;
}

static crn_hash hash_sinks(crn_node *const *sinks, int n_sinks)
{
	crn_hasher h;
	crn_hasher_init(&h);
	for (int s = 0; s < n_sinks; s++) {
		crn_hash_u64(&h, sinks[s]->hash.hi);
		crn_hash_u64(&h, sinks[s]->hash.lo);
	}
	return crn_hasher_result(&h);
}

static cairn_status build(crn_plan *p, crn_node *const *sinks, int n_sinks, cairn_error *err)
{
	collector c = {.plan = p};
	for (int s = 0; s < n_sinks; s++)
		CRN_TRY(collect(&c, sinks[s], err));
	CRN_TRY(bind_all(p, err));
	want_all(p, sinks, n_sinks);
	p->hash = hash_sinks(sinks, n_sinks);
	/* Tight first: what it needs is the smallest budget, accepted or refused to the byte. It is
	 * made with the descriptors' costs, so that learning never moves it. */
	CRN_TRY(lay_out(p, true, err));
	p->smallest_bytes = p->need_bytes;
	if (!p->fits)
		return CAIRN_OK;
	CRN_TRY(lay_out(p, false, err));
	return p->fits ? CAIRN_OK : lay_out(p, true, err);
}

cairn_status crn_plan_build(const crn_registry *r, crn_node *const *sinks, int n_sinks,
	const crn_plan_options *options, crn_plan **ret, cairn_error *err)
{
	crn_plan *p = crn_calloc(1, sizeof(*p));
	if (!p)
		return crn_fail_memory(err, "a plan", sizeof(*p));
	p->registry = r;
	p->options = *options;
	p->store_load_ns = crn_costs_store_load(options->costs, options->n_threads);
	cairn_status status = build(p, sinks, n_sinks, err);
	p->options.costs = NULL; /* asked; the table may change from here on */
	if (status != CAIRN_OK) {
		crn_plan_free(p);
		return status;
	}
	*ret = p;
	return CAIRN_OK;
}

void crn_plan_free(crn_plan *p)
{
	if (!p)
		return;
	drop_layout(p);
	for (int i = 0; i < p->n_infos; i++) {
		crn_info *info = &p->infos[i];
		if (info->node->op->unbind && info->bound.data)
			info->node->op->unbind(&info->bound);
		else
			crn_free(info->bound.data);
	}
	crn_free(p->infos);
	crn_free(p);
}

/* ---- chunk geometry ---- */

void crn_tiling_overlap(const crn_tiling *t, const crn_region *r, int64_t ret_first[CRN_MAX_NDIM],
	int64_t ret_n[CRN_MAX_NDIM])
{
	for (int d = 0; d < r->ndim; d++) {
		int64_t step = t->domain.step[d];
		int64_t first = (r->lo[d] - t->domain.lo[d]) / step / t->tile[d];
		int64_t last = (crn_region_last(r, d) - t->domain.lo[d]) / step / t->tile[d];
		ret_first[d] = first;
		ret_n[d] = r->n[d] > 0 ? last - first + 1 : 0;
	}
}

size_t crn_cut_bytes(const crn_cut *c, const crn_region *r)
{
	return c->bits ? crn_bits_bytes(r)
		       : crn_view_dense_bytes(c->node->type.dtype, r->ndim, r->n);
}

crn_view crn_cut_view(const crn_cut *c, const crn_region *r, void *data)
{
	return c->bits ? crn_bits_dense(data, r)
		       : crn_view_dense(data, c->node->type.dtype, r->ndim, r->n);
}

void crn_plan_chunks(
	const void *plan, int slot, const crn_region *r, int64_t *ret_n_chunks, size_t *ret_bytes)
{
	const crn_plan *p = plan;
	const crn_cut *c = &p->cuts[slot];
	int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM];
	crn_tiling_overlap(&c->chunks, r, first, n);
	*ret_n_chunks = 1;
	for (int d = 0; d < r->ndim; d++)
		*ret_n_chunks *= n[d];
	*ret_bytes = c->chunk_bytes;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * cuts.c -- leaves and cuts: where values are taken from memory instead of being recomputed.
 *
 * Forced leaves: chunks of sources that decode whole units, results of reductions, states of global
 * ops. Optional cuts: the input of a stencil, when computing its halo again for every tile costs
 * more than storing the input once. For every candidate the estimated time of the whole plan is
 * compared with and without the cut, from the sinks back; along elementwise operations the
 * narrowest dtype is cut. Times come from the machine's cost table (plan/costs.h), and so does what
 * storing and loading a byte takes.
 *
 * Why so: fixed rules ("always cut before a big stencil") were wrong both for a slice of a filter
 * (cutting computes whole chunks) and for cheap producers; the cost model sees both.
 */
#include "plan/build.h"

#include "base/mem.h"
#include "core/bits.h"
#include "plan/dump.h"
#include "plan/masks.h"

#include <string.h>

#define RESIDENT_MAX_BYTES ((size_t)4 << 20) /* of accumulators: beyond, results are streamed */
#define CUT_CHUNK_VOXELS ((int64_t)1 << 22)
#define CUT_GAIN 0.9       /* a cut must save a tenth of the whole time */
#define CUT_GAIN_TIGHT 0.5 /* and half of it, where its room in memory is what counts */

static void place(void *user, crn_node *n, bool as_root, crn_placement *ret)
{
	(void)as_root;
	crn_builder *b = user;
	crn_plan *p = b->plan;
	ret->info = crn_plan_info(p, n);
	ret->bound = &p->infos[ret->info].bound;
	ret->cost_ns = b->tight ? p->infos[ret->info].guess_ns : p->infos[ret->info].cost_ns;
	ret->slot = -1;
	for (int c = 0; c < p->n_cuts && n != b->producing; c++) {
		if (p->cuts[c].node == n) {
			ret->role = CRN_ROLE_CHUNKS;
			ret->slot = c;
			ret->chunks_are_bits = p->cuts[c].bits;
			return;
		}
	}
	for (int r = 0; r < p->n_residents; r++) {
		if (p->residents[r].node == n) {
			ret->role = CRN_ROLE_RESIDENT;
			ret->slot = r;
			return;
		}
	}
	for (int g = 0; g < p->n_globals; g++)
		if (p->globals[g].node == n)
			ret->slot = g;
	ret->role = n->op->kind == CRN_SOURCE        ? CRN_ROLE_BOX
		    : n->op->kind == CRN_ELEMENTWISE ? CRN_ROLE_GROUP
		    : n->op->kind == CRN_VIEW        ? CRN_ROLE_VIEW
						     : CRN_ROLE_COMPUTE;
}

cairn_status crn_build_piece(crn_builder *b, crn_node *const *roots, int n_roots, bool root_bits,
	crn_piece *ret, cairn_error *err)
{
	CRN_TRY(crn_piece_build(roots, n_roots, place, b, ret, err));
	crn_piece_choose_bits(ret, root_bits);
	return CAIRN_OK;
}

size_t crn_build_share(const crn_builder *b, bool top)
{
	const crn_plan_options *o = &b->plan->options;
	/* Half for the tasks of a stage, a quarter for producers, a quarter for chunks that stay.
	 */
	size_t tasks = (size_t)o->n_threads * (top ? 2 : 4);
	size_t share = o->memory_bytes / tasks;
	/* Larger tiles stop helping where they leave the last-level cache far behind. */
	size_t most = (size_t)256 << 20;
	return share < most ? share : most;
}

static crn_hash cut_key(const crn_cut *c)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_u64(&h, c->node->hash.hi);
	crn_hash_u64(&h, c->node->hash.lo);
	for (int d = 0; d < c->chunks.domain.ndim; d++) {
		crn_hash_u64(&h, (uint64_t)c->chunks.domain.lo[d]);
		crn_hash_u64(&h, (uint64_t)c->chunks.domain.n[d]);
		crn_hash_u64(&h, (uint64_t)c->chunks.domain.step[d]);
		crn_hash_u64(&h, (uint64_t)c->chunks.tile[d]);
	}
	crn_hash_u64(&h, c->bits);
	return crn_hasher_result(&h);
}

static void finish_cut(crn_cut *c)
{
	const crn_tiling *t = &c->chunks;
	const int ndim = t->domain.ndim, x = ndim - 1;
	/* The first chunk is a full one. All need as much as it, if their rows start alike. */
	crn_region first = t->domain;
	memcpy(first.n, t->tile, sizeof(first.n));
	bool alike = c->bits && (t->grid[x] == 1 || t->tile[x] * first.step[x] % 64 == 0);
	c->chunk_bytes = alike     ? crn_bits_bytes(&first)
			 : c->bits ? crn_bits_most_bytes(ndim, t->tile)
				   : crn_view_dense_bytes(c->node->type.dtype, ndim, t->tile);
	c->key = cut_key(c);
}

static cairn_status add_cut(crn_plan *p, const crn_cut *c, cairn_error *err)
{
	if (p->n_cuts == p->cap_cuts) {
		int cap = p->cap_cuts ? 2 * p->cap_cuts : 8;
		crn_cut *cuts = crn_realloc_array(p->cuts, (size_t)cap, sizeof(*cuts));
		if (!cuts)
			return crn_fail_memory(err, "a plan", (size_t)cap * sizeof(*cuts));
		p->cuts = cuts;
		p->cap_cuts = cap;
	}
	p->cuts[p->n_cuts++] = *c;
	return CAIRN_OK;
}

static cairn_status add_source(crn_builder *b, crn_node *n, cairn_error *err)
{
	crn_cut c = {.kind = CRN_CUT_SOURCE, .node = n, .why = "decoded once per chunk"};
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	crn_tiling_set(&c.chunks, &whole, n->source->unit);
	c.chunks.work_bytes = crn_buffer_bytes(n->source->unit_scratch);
	finish_cut(&c);
	return add_cut(b->plan, &c, err);
}

/* Input tile of a streamed reduction: as chosen for the piece, at most the chunk's own extent. */
static cairn_status add_streamed(crn_builder *b, crn_node *n, cairn_error *err)
{
	crn_cut c = {.kind = CRN_CUT_REDUCTION, .node = n, .why = "reduced tile by tile"};
	crn_node *in = n->in[0];
	size_t acc = n->op->reduce->acc_bytes(n);
	CRN_TRY(crn_build_piece(b, &in, 1, n->op->takes_bits, &c.piece, err));
	/* Output chunks of at most 64 Ki elements keep accumulators in cache and give parallelism.
	 */
	crn_region wanted = b->plan->infos[crn_plan_info(b->plan, n)].wanted, first, read;
	int64_t chunk[CRN_MAX_NDIM], room = 65536;
	for (int d = n->type.ndim - 1; d >= 0; d--) {
		int64_t extent = wanted.n[d] > 0 ? wanted.n[d] : 1;
		chunk[d] = extent < room ? extent : room;
		room /= chunk[d];
		room = room < 1 ? 1 : room;
	}
	crn_tiling_set(&c.chunks, &wanted, chunk);
	first = crn_region_empty(&wanted) ? wanted : crn_tiling_region(&c.chunks, 0);
	crn_plan_reduced_region(n, &first, &read);
	crn_tile_query q = {.memo = &b->memo,
		.plan = b->plan,
		.piece = &c.piece,
		.domain = read,
		.share_bytes = crn_build_share(b, false),
		.most_voxels = CUT_CHUNK_VOXELS,
		.fixed_bytes = 2 * crn_buffer_bytes(acc * (size_t)crn_region_count(&first)),
		.tight = b->tight};
	for (int d = 0; d < in->type.ndim; d++)
		q.unit[d] = 1;
	crn_tiling t;
	cairn_status status = crn_tiling_choose(&q, &t, err);
	if (status != CAIRN_OK) {
		crn_piece_done(&c.piece);
		return status;
	}
	memcpy(c.inner, t.tile, sizeof(c.inner));
	c.piece.slab = t.slab;
	c.chunks.work_bytes = t.work_bytes;
	c.chunks.tile_ns = t.tile_ns * (double)t.n_tiles;
	finish_cut(&c);
	return add_cut(b->plan, &c, err);
}

static cairn_status add_reduction(crn_builder *b, crn_node *n, cairn_error *err)
{
	crn_plan *p = b->plan;
	size_t acc = n->op->reduce->acc_bytes(n), total;
	const crn_region *wanted = &p->infos[crn_plan_info(p, n)].wanted;
	/* A part of the result must not cost the whole of the input. */
	if (!crn_mul_size(acc, (size_t)crn_type_count(&n->type), &total) ||
		total > RESIDENT_MAX_BYTES || crn_region_count(wanted) != crn_type_count(&n->type))
		return add_streamed(b, n, err);
	crn_resident *residents =
		crn_realloc_array(p->residents, (size_t)p->n_residents + 1, sizeof(*residents));
	if (!residents)
		return crn_fail_memory(err, "a plan", sizeof(*residents));
	p->residents = residents;
	p->residents[p->n_residents++] = (crn_resident){.node = n,
		.acc_bytes = crn_buffer_bytes(total),
		.result_bytes = crn_buffer_bytes(
			crn_view_dense_bytes(n->type.dtype, n->type.ndim, n->type.shape))};
	return CAIRN_OK;
}

static cairn_status add_global(crn_plan *p, crn_node *n, cairn_error *err)
{
	crn_global_plan *globals =
		crn_realloc_array(p->globals, (size_t)p->n_globals + 1, sizeof(*globals));
	if (!globals)
		return crn_fail_memory(err, "a plan", sizeof(*globals));
	p->globals = globals;
	p->globals[p->n_globals++] = (crn_global_plan){.node = n};
	return CAIRN_OK;
}

cairn_status crn_build_leaves(crn_builder *b, cairn_error *err)
{
	crn_plan *p = b->plan;
	for (int i = 0; i < p->n_infos; i++) {
		crn_node *n = p->infos[i].node;
		if (crn_region_empty(&p->infos[i].wanted) && n->type.ndim > 0)
			continue; /* nobody asks for a voxel of it */
		switch (n->op->kind) {
		case CRN_SOURCE:
			if (!n->source->ops->read_box)
				CRN_TRY(add_source(b, n, err));
			break;
		case CRN_REDUCTION:
			CRN_TRY(add_reduction(b, n, err));
			break;
		case CRN_GLOBAL:
			CRN_TRY(add_global(p, n, err));
			break;
		default:
			break;
		}
	}
	return CAIRN_OK;
}

/* ---- optional cuts ---- */

/* Chunks of a cut at node n: its piece's best tiling over what is wanted of it. */
static cairn_status make_cut(crn_builder *b, crn_node *n, crn_cut *ret, cairn_error *err)
{
	crn_plan *p = b->plan;
	crn_cut c = {.kind = CRN_CUT_NODE, .node = n, .why = "halo would be recomputed"};
	const crn_region *wanted = &p->infos[crn_plan_info(p, n)].wanted;
	c.bits = n->type.ndim > 0 && crn_mask_is_worth_bits(&n->type, wanted->n[n->type.ndim - 1]);
	b->producing = n;
	cairn_status status = crn_build_piece(b, &n, 1, c.bits, &c.piece, err);
	b->producing = NULL;
	CRN_TRY(status);
	crn_tile_query q = {.memo = &b->memo,
		.plan = p,
		.piece = &c.piece,
		.domain = p->infos[crn_plan_info(p, n)].wanted,
		.owned_roots = true,
		.share_bytes = crn_build_share(b, false),
		.most_voxels = CUT_CHUNK_VOXELS,
		.tight = b->tight};
	for (int d = 0; d < n->type.ndim; d++)
		q.unit[d] = 1;
	status = crn_tiling_choose(&q, &c.chunks, err);
	if (status != CAIRN_OK) {
		crn_piece_done(&c.piece);
		return status;
	}
	c.piece.slab = c.chunks.slab;
	finish_cut(&c);
	*ret = c;
	return CAIRN_OK;
}

/* Whether computing a node is costly, per info; pipelines share nodes, so each is asked once. */
typedef enum costliness { COST_UNKNOWN, COST_LOW, COST_HIGH } costliness;

/* True if computing n involves a stencil, so that computing it twice hurts. */
static bool is_costly(const crn_plan *p, const crn_node *n, costliness *known)
{
	if (n->op->kind == CRN_STENCIL)
		return true;
	if (n->op->kind == CRN_SOURCE || n->op->kind == CRN_GLOBAL || n->op->kind == CRN_REDUCTION)
		return false;
	costliness *own = &known[crn_plan_info(p, n)];
	if (*own != COST_UNKNOWN)
		return *own == COST_HIGH;
	*own = COST_LOW;
	for (int c = 0; c < p->n_cuts; c++)
		if (p->cuts[c].node == n)
			return false;
	for (int k = 0; k < n->n_in; k++)
		if (is_costly(p, n->in[k], known))
			*own = COST_HIGH;
	return *own == COST_HIGH;
}

/* Number of reads of n, and whether one is a stencil's. */
static int count_users(const crn_plan *p, const crn_node *n, bool *ret_stencil)
{
	int users = 0;
	*ret_stencil = false;
	for (int i = 0; i < p->n_infos; i++) {
		const crn_node *user = p->infos[i].node;
		for (int k = 0; k < user->n_in; k++) {
			if (user->in[k] != n)
				continue;
			users++;
			*ret_stencil = *ret_stencil || user->op->kind == CRN_STENCIL;
		}
	}
	return users;
}

/* The one array of n's shape that an elementwise node reads, if no other node reads it. */
static crn_node *only_input(const crn_plan *p, const crn_node *n)
{
	crn_node *in = NULL;
	bool stencil;
	for (int k = 0; n->op->kind == CRN_ELEMENTWISE && k < n->n_in; k++) {
		if (n->in[k]->type.ndim == 0)
			continue;
		if (in && in != n->in[k])
			return NULL;
		in = n->in[k];
	}
	if (!in || crn_type_count(&in->type) != crn_type_count(&n->type))
		return NULL;
	return count_users(p, in, &stencil) == 1 ? in : NULL;
}

/* Of a voxel in a cut's chunks; masks may be rows of bits. */
static size_t kept_bits(const crn_node *n)
{
	return n->type.dtype == CRN_BOOL ? 1 : 8 * crn_dtype_size(n->type.dtype);
}

/* The cheapest edge to cut above n: back along elementwise operations, which cost little to repeat,
 * to the narrowest dtype that is still costly to make. */
static crn_node *narrowest(const crn_plan *p, crn_node *n, costliness *known)
{
	crn_node *best = n;
	for (crn_node *at = only_input(p, n);
		at && is_costly(p, at, known) && crn_plan_cut_of(p, at) < 0; at = only_input(p, at))
		if (kept_bits(at) < kept_bits(best))
			best = at;
	return best;
}

static bool is_candidate(const crn_plan *p, const crn_node *n, costliness *known)
{
	bool read_by_stencil;
	int users = count_users(p, n, &read_by_stencil);
	if (n->type.ndim == 0 || !(read_by_stencil || users > 1))
		return false;
	for (int c = 0; c < p->n_cuts; c++)
		if (p->cuts[c].node == n)
			return false;
	return is_costly(p, n, known);
}

/* Estimated nanoseconds of the whole plan with the cuts it has now. */
static cairn_status plan_ns(crn_builder *b, double *ret, cairn_error *err)
{
	crn_plan *p = b->plan;
	double ns = 0;
	/* The tight plan knows nothing of this machine: the smallest budget is one number. */
	double byte_ns = b->tight ? crn_costs_store_load(NULL, 1) : p->store_load_ns;
	CRN_TRY(crn_build_stages(b, err));
	for (int c = 0; c < p->n_cuts; c++) {
		double voxels = (double)crn_region_count(&p->cuts[c].chunks.domain);
		double item = (double)crn_dtype_size(p->cuts[c].node->type.dtype) /
			      (p->cuts[c].bits ? 8 : 1);
		if (p->cuts[c].kind == CRN_CUT_NODE)
			ns += (crn_tiling_ns(&p->cuts[c].chunks, p->options.n_threads) +
				      byte_ns * item) *
			      voxels;
	}
	for (int s = 0; s < p->n_stages; s++)
		ns += crn_tiling_ns(&p->stages[s].tasks, p->options.n_threads) *
		      (double)crn_region_count(&p->stages[s].tasks.domain);
	*ret = ns;
	return CAIRN_OK;
}

/* Pieces of earlier cuts may end at the new one: make them again. */
static cairn_status rebuild_cuts(crn_builder *b, cairn_error *err)
{
	crn_plan *p = b->plan;
	for (int c = 0; c < p->n_cuts; c++) {
		if (p->cuts[c].kind != CRN_CUT_NODE)
			continue;
		crn_cut again;
		CRN_TRY(make_cut(b, p->cuts[c].node, &again, err));
		again.gain = p->cuts[c].gain;
		crn_piece_done(&p->cuts[c].piece);
		p->cuts[c] = again;
	}
	return CAIRN_OK;
}

static cairn_status try_cut(
	crn_builder *b, crn_node *n, double *best_ns, bool *ret_kept, cairn_error *err)
{
	crn_plan *p = b->plan;
	crn_cut c;
	double ns;
	CRN_TRY(make_cut(b, n, &c, err));
	cairn_status status = add_cut(p, &c, err);
	if (status != CAIRN_OK) {
		crn_piece_done(&c.piece);
		return status;
	}
	CRN_TRY(rebuild_cuts(b, err));
	CRN_TRY(plan_ns(b, &ns, err));
	*ret_kept = ns < (b->tight ? CUT_GAIN_TIGHT : CUT_GAIN) * *best_ns;
	if (*ret_kept) {
		p->cuts[p->n_cuts - 1].gain = 1 - ns / *best_ns;
		*best_ns = ns;
		return CAIRN_OK;
	}
	crn_piece_done(&p->cuts[--p->n_cuts].piece);
	return rebuild_cuts(b, err);
}

cairn_status crn_build_cuts(crn_builder *b, cairn_error *err)
{
	enum { MOST_TRIED = 12 };
	crn_plan *p = b->plan;
	double best_ns;
	int tried = 0;
	CRN_TRY(plan_ns(b, &best_ns, err));
	CRN_FREE costliness *known = crn_calloc((size_t)p->n_infos + 1, sizeof(*known));
	if (!known)
		return crn_fail_memory(err, "a plan", (size_t)p->n_infos * sizeof(*known));
	/* From the sinks back: the cheapest dtypes (masks) come late in a chain. */
	for (int i = p->n_infos - 1; i >= 0 && tried < MOST_TRIED; i--) {
		crn_node *n = p->infos[i].node;
		if (crn_region_empty(&p->infos[i].wanted) || !is_candidate(p, n, known))
			continue;
		bool kept;
		tried++;
		n = narrowest(p, n, known);
		CRN_TRY(try_cut(b, n, &best_ns, &kept, err));
		if (kept)
			memset(known, 0, (size_t)p->n_infos * sizeof(*known));
	}
	return CAIRN_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * tiling.c -- the tile search. See tiling.h. Pure but for one layout's work space.
 */
#include "plan/tiling.h"

#include "base/mem.h"
#include "plan/cache_size.h"
#include "plan/walk.h"

#include <math.h>
#include <string.h>

#define TASK_OVERHEAD_NS 6000.0 /* queue, layout, buffers: measured on an idle engine */
/* Less work than this is over before a second thread helps: it is not cut for its sake, as that
 * would compute halos twice (law 1). */
#define SERIAL_NS 4000000.0
/* Below this a smaller tile saves nothing worth having, and costs time without end. */
#define FLOOR_BYTES ((size_t)8 << 20)
#define MOST_CANDIDATES 8
#define MOST_SLOW 16
/* Of tiles that cost about the same, the one with the longest runs of memory is taken. */
#define RUN_GAIN 0.97

void crn_tiling_set(crn_tiling *t, const crn_region *domain, const int64_t *tile)
{
	*t = (crn_tiling){.domain = *domain, .n_tiles = 1};
	for (int d = 0; d < domain->ndim; d++) {
		t->tile[d] = tile[d];
		t->grid[d] = crn_n_units(domain->n[d], tile[d]);
		t->n_tiles *= t->grid[d];
	}
}

crn_region crn_tiling_region(const crn_tiling *t, int64_t index)
{
	int64_t idx[CRN_MAX_NDIM];
	crn_unravel(index, t->domain.ndim, t->grid, idx);
	crn_region r = crn_unit_region(t->domain.ndim, t->domain.n, t->tile, idx);
	for (int d = 0; d < r.ndim; d++) {
		r.lo[d] = t->domain.lo[d] + r.lo[d] * t->domain.step[d];
		r.step[d] = t->domain.step[d];
	}
	crn_region_normalise(&r);
	return r;
}

double crn_tiling_ns(const crn_tiling *t, int n_threads)
{
	double voxels = 1, inner = 1;
	for (int d = 0; d < t->domain.ndim; d++) {
		voxels *= (double)t->domain.n[d];
		inner *= (double)t->tile[d];
	}
	if (voxels == 0)
		return 0;
	double tiles = voxels / inner; /* edge tiles count by their share */
	double ns = t->tile_ns * tiles + TASK_OVERHEAD_NS * (double)t->n_tiles;
	if (ns < SERIAL_NS)
		return ns / voxels;
	double waves = (double)((t->n_tiles + n_threads - 1) / n_threads);
	double busy = (double)t->n_tiles / (waves * n_threads);
	return ns / voxels / busy;
}

/* Multiples of the unit by powers of `ratio`, and the whole extent; returns their number. */
static int candidates(int64_t extent, int64_t unit, int ndim, int64_t *ret)
{
	int most = ndim <= 3 ? MOST_CANDIDATES : ndim == 4 ? 5 : ndim <= 6 ? 3 : 2;
	int64_t ratio = ndim <= 3 ? 4 : 8;
	int n = 0;
	for (int64_t e = unit; e < extent && n + 1 < most; e *= ratio) {
		ret[n++] = e;
		if (e > extent / ratio)
			break;
	}
	ret[n++] = extent > unit ? extent : unit;
	return n;
}

typedef struct search {
	const crn_tile_query *q;
	crn_layout layout;
	crn_walk walk;
	crn_tiling best;
	double best_score, best_ns, best_run;
	bool found, found_inside;
	int64_t slow[MOST_SLOW][CRN_MAX_NDIM]; /* tiles that cannot win; no smaller one can */
	int n_slow;
} search;

/* Tile at the first, middle or last grid position. */
static crn_region place_tile(const crn_tiling *t, int where)
{
	int64_t idx[CRN_MAX_NDIM];
	for (int d = 0; d < t->domain.ndim; d++)
		idx[d] = where == 0 ? 0 : where == 1 ? (t->grid[d] - 1) / 2 : t->grid[d] - 1;
	return crn_tiling_region(t, crn_ravel(idx, t->domain.ndim, t->grid));
}

/* Chunks of the cache that must be there at once. */
static size_t pinned_bytes(const search *s)
{
	const crn_tile_query *q = s->q;
	size_t pinned = 0;
	for (int i = 0; i < q->piece->n_nodes; i++) {
		const crn_pnode *pn = &q->piece->nodes[i];
		for (int v = 0; pn->role == CRN_ROLE_CHUNKS && v < s->layout.of[i].n; v++) {
			int64_t n_chunks;
			size_t bytes;
			crn_plan_chunks(
				q->plan, pn->slot, &s->layout.of[i].region[v], &n_chunks, &bytes);
			pinned += (size_t)n_chunks * crn_buffer_bytes(bytes);
		}
	}
	return pinned;
}

static cairn_status walk_tile(search *s, const crn_region *roots, const crn_slab *slab,
	double *ret_traffic_ns, cairn_error *err)
{
	crn_walk_setting setting = {.roots = roots,
		.owned_roots = s->q->owned_roots,
		.slab = *slab,
		.chunks = crn_plan_chunks,
		.plan = s->q->plan};
	CRN_TRY(crn_walk_plan(&s->walk, &s->layout, &setting, true, err));
	*ret_traffic_ns = crn_walk_traffic_ns(&s->walk);
	return CAIRN_OK;
}

/* The first axis that can be cut: rows are not, unless there is nothing else. */
static int slab_axis(const crn_region *r)
{
	for (int d = 0; d + 1 < r->ndim; d++)
		if (r->n[d] > 1)
			return d;
	return r->ndim == 1 ? 0 : r->ndim;
}

/* Planes a step that fit the cache, from what two heights need: some of it (scratch, kept planes)
 * does not shrink with the height. */
static int64_t fitting_rows(int64_t low, size_t low_bytes, int64_t high, size_t high_bytes)
{
	double row = ((double)high_bytes - (double)low_bytes) / (double)(high - low);
	double fixed = (double)low_bytes - row * (double)low;
	double rows = row > 0 ? ((double)crn_cache_bytes() - fixed) / row : 1;
	return rows > 1 ? (int64_t)rows : 1;
}

/* Planes a step: all at once if that stays in the cache, else what is fastest of a few heights that
 * might. Sets the arena's bytes, too. */
static cairn_status choose_slab(
	search *s, const crn_region *roots, crn_slab *ret, double *ret_ns, cairn_error *err)
{
	enum { HIGHER = 8 };
	crn_slab slab = {.axis = slab_axis(&roots[0]), .rows = s->q->plan->options.slab_rows};
	int64_t extent = slab.axis < roots[0].ndim ? roots[0].n[slab.axis] : 1;
	CRN_TRY(walk_tile(s, roots, &slab, ret_ns, err));
	*ret = slab;
	ret->arena_bytes = s->walk.bytes;
	if (slab.rows > 0 || ret->arena_bytes <= crn_cache_bytes())
		return CAIRN_OK;
	double share = (double)crn_cache_bytes() / (double)ret->arena_bytes;
	slab.rows = (int64_t)((double)extent * share);
	slab.rows = slab.rows > 1 ? slab.rows : 1;
	size_t whole = ret->arena_bytes;
	int64_t next = slab.rows * HIGHER;
	for (; slab.rows < extent; slab.rows = next, next = extent) {
		double ns;
		CRN_TRY(walk_tile(s, roots, &slab, &ns, err));
		if (next < extent && slab.rows > 1 && s->walk.bytes > crn_cache_bytes())
			next = fitting_rows(slab.rows, s->walk.bytes, extent, whole);
		if (ns >= *ret_ns)
			continue;
		*ret_ns = ns;
		*ret = slab;
		ret->arena_bytes = s->walk.bytes;
	}
	return CAIRN_OK;
}

/* Lays out the tile at one of three places. */
static void lay_out(search *s, const crn_tiling *t, int where, crn_region *ret_roots)
{
	crn_region r = place_tile(t, where);
	for (int k = 0; k < s->q->piece->n_roots; k++)
		ret_roots[k] = r;
	crn_layout_fill(&s->layout, s->q->piece, ret_roots);
}

/* Bytes a task needs beside the arena of its tile, for the present layout. */
static size_t other_bytes(const search *s, const crn_region *root)
{
	const crn_node *fold = s->q->fold;
	size_t bytes = pinned_bytes(s);
	if (fold && fold->op->global->fold_scratch)
		bytes += crn_buffer_bytes(fold->op->global->fold_scratch(fold, root));
	return bytes;
}

/* The middle tile is laid out already, and its walk chosen; those at the corners are others. */
static cairn_status measure(search *s, crn_tiling *t, cairn_error *err)
{
	const crn_tile_query *q = s->q;
	crn_region roots[CRN_MAX_INPUTS];
	double voxels = 1, ns;
	for (int d = 0; d < t->domain.ndim; d++)
		voxels *= (double)t->tile[d];
	crn_region middle = place_tile(t, 1);
	size_t most = other_bytes(s, &middle), arena = t->slab.arena_bytes;
	for (int where = 0; where < 3 && t->n_tiles > 1; where += 2) {
		lay_out(s, t, where, roots);
		CRN_TRY(walk_tile(s, roots, &t->slab, &ns, err));
		size_t other = other_bytes(s, &roots[0]);
		most = other > most ? other : most;
		arena = s->walk.bytes > arena ? s->walk.bytes : arena;
	}
	/* An eighth for regions that merge differently at other places. */
	t->slab.arena_bytes = arena + arena / 8;
	t->work_bytes = most + most / 8 + q->fixed_bytes;
	if (t->slab.arena_bytes)
		t->work_bytes += crn_buffer_bytes(t->slab.arena_bytes);
	if (q->bytes_per_voxel)
		t->work_bytes += crn_buffer_bytes((size_t)(voxels * (double)q->bytes_per_voxel));
	return CAIRN_OK;
}

/* Elements of the domain that lie together in a tile: whole trailing axes and one more extent. */
static double contiguous_run(const crn_tiling *t)
{
	double run = 1;
	for (int d = t->domain.ndim - 1; d >= 0; d--) {
		run *= (double)t->tile[d];
		if (t->tile[d] < t->domain.n[d])
			break;
	}
	return run;
}

/* Tiles beyond this are never better, or not wanted. */
static int64_t most_voxels(const crn_tile_query *q)
{
	const int64_t limits[] = {q->most_voxels, q->plan->options.tile_voxels};
	int64_t most = (int64_t)1 << 27;
	for (size_t i = 0; i < CRN_COUNT(limits); i++)
		if (limits[i] > 0 && limits[i] < most)
			most = limits[i];
	return most;
}

/* Bytes as they are compared: a sixteenth more or less is the same, so that time decides. */
static double graded_bytes(size_t bytes)
{
	size_t grade = FLOOR_BYTES;
	while (grade < bytes)
		grade += grade / 16;
	return (double)grade;
}

/* True if a tile that takes at least `ns` a voxel and `bytes` cannot win any more. */
static bool is_hopeless(const search *s, double ns, size_t bytes)
{
	if (!s->found || RUN_GAIN * ns < s->best_ns)
		return false;
	return s->q->tight ? s->best_score <= graded_bytes(bytes) : s->found_inside;
}

/* A smaller tile has more halo and more tasks for its voxels. */
static bool is_inside_slow(const search *s, const int64_t *tile)
{
	for (int i = 0; i < s->n_slow; i++) {
		bool inside = true;
		for (int d = 0; d < s->q->domain.ndim; d++)
			inside = inside && tile[d] <= s->slow[i][d];
		if (inside)
			return true;
	}
	return false;
}

static void note_slow(search *s, const crn_tiling *t)
{
	/* Many threads find more work in small tiles: that must not count here. */
	if (s->n_slow < MOST_SLOW && is_hopeless(s, crn_tiling_ns(t, 1), 0))
		memcpy(s->slow[s->n_slow++], t->tile, sizeof(t->tile));
}

static cairn_status consider(search *s, const int64_t *tile, cairn_error *err)
{
	const crn_tile_query *q = s->q;
	int n_threads = q->plan->options.n_threads;
	crn_tiling t;
	crn_region roots[CRN_MAX_INPUTS];
	crn_tiling_set(&t, &q->domain, tile);
	lay_out(s, &t, 1, roots);
	double work_ns = crn_layout_ns(&s->layout, q->piece, crn_plan_chunks, q->plan), traffic_ns;
	size_t least = q->fixed_bytes + other_bytes(s, &roots[0]);
	t.tile_ns = work_ns;
	if (is_hopeless(s, crn_tiling_ns(&t, n_threads), least)) {
		note_slow(s, &t);
		return CAIRN_OK;
	}
	CRN_TRY(choose_slab(s, roots, &t.slab, &traffic_ns, err));
	t.tile_ns = work_ns + traffic_ns;
	if (is_hopeless(s, crn_tiling_ns(&t, n_threads), least + t.slab.arena_bytes))
		return CAIRN_OK;
	CRN_TRY(measure(s, &t, err));
	double voxels = 1;
	for (int d = 0; d < q->domain.ndim; d++)
		voxels *= (double)tile[d];
	bool inside = t.work_bytes <= q->share_bytes && voxels <= (double)most_voxels(q);
	double ns = crn_tiling_ns(&t, n_threads);
	bool by_bytes = q->tight || !inside;
	double score = by_bytes ? graded_bytes(t.work_bytes) : ns;
	bool tie = by_bytes && score == s->best_score && ns < s->best_ns;
	double run = contiguous_run(&t);
	if (!by_bytes && s->found_inside && run > s->best_run)
		score *= RUN_GAIN;
	bool better = !s->found || (inside && !s->found_inside && !q->tight) ||
		      ((inside == s->found_inside || q->tight) && (score < s->best_score || tie));
	if (!better)
		return CAIRN_OK;
	s->best = t;
	s->best_run = run;
	s->best_score = score;
	s->best_ns = ns;
	s->found = true;
	s->found_inside = inside;
	return CAIRN_OK;
}

/* The candidate on an axis that is nearest to an extent from below; the smallest if none is. */
static int64_t nearest(const int64_t *list, int n, double extent)
{
	int64_t best = list[0];
	for (int i = 1; i < n; i++)
		if ((double)list[i] <= extent && list[i] > best)
			best = list[i];
	return best;
}

/* A tile that is rarely bad: about 2^18 voxels, longest along the last axis. */
static void guess_tile(int ndim, int64_t list[][MOST_CANDIDATES], const int *n, int64_t *ret)
{
	double room = (double)(1 << 18), want = 256;
	for (int d = ndim - 1; d >= 0; d--) {
		ret[d] = nearest(list[d], n[d], want);
		room /= (double)ret[d];
		want = d > 1 ? sqrt(room) : room;
	}
}

static cairn_status search_tiles(const crn_tile_query *q, crn_tiling *ret, cairn_error *err)
{
	int ndim = q->domain.ndim;
	int64_t list[CRN_MAX_NDIM][MOST_CANDIDATES], pick[CRN_MAX_NDIM] = {0};
	int n[CRN_MAX_NDIM];
	int64_t combos = 1;
	search s = {.q = q};
	if (crn_region_empty(&q->domain)) {
		crn_tiling_set(ret, &q->domain, q->unit);
		ret->work_bytes = q->fixed_bytes;
		return CAIRN_OK;
	}
	for (int d = 0; d < ndim; d++) {
		n[d] = candidates(q->domain.n[d], q->unit[d], ndim, list[d]);
		combos *= n[d];
	}
	CRN_TRY(crn_layout_new(q->piece, &s.layout, err));
	cairn_status status = crn_walk_new(q->piece, &s.walk, err);
	int64_t grid[CRN_MAX_NDIM], most = most_voxels(q);
	for (int d = 0; d < ndim; d++)
		grid[d] = n[d];
	/* Something fair first, then large tiles: they rule most others out. The smallest is always
	 * tried. */
	guess_tile(ndim, list, n, pick);
	if (status == CAIRN_OK)
		status = consider(&s, pick, err);
	for (int64_t c = combos - 1; c >= 0 && status == CAIRN_OK; c--) {
		int64_t tile[CRN_MAX_NDIM];
		crn_unravel(c, ndim, grid, pick);
		double voxels = 1;
		for (int d = 0; d < ndim; d++) {
			tile[d] = list[d][pick[d]];
			voxels *= (double)tile[d];
		}
		if (c == 0 || (voxels <= (double)most && !is_inside_slow(&s, tile)))
			status = consider(&s, tile, err);
	}
	crn_walk_done(&s.walk);
	crn_layout_done(&s.layout);
	if (status == CAIRN_OK)
		*ret = s.best;
	return status;
}

/* ---- queries that were answered already ---- */

static void hash_region(crn_hasher *h, const crn_region *r)
{
	for (int d = 0; d < r->ndim; d++) {
		crn_hash_u64(h, (uint64_t)r->lo[d]);
		crn_hash_u64(h, (uint64_t)r->n[d]);
		crn_hash_u64(h, (uint64_t)r->step[d]);
	}
}

/* All that the answer depends on, within one plan. */
static crn_hash query_key(const crn_tile_query *q)
{
	crn_hasher h;
	crn_hasher_init(&h);
	for (int i = 0; i < q->piece->n_nodes; i++) {
		const crn_pnode *pn = &q->piece->nodes[i];
		crn_hash_u64(&h, pn->node->hash.lo);
		crn_hash_u64(&h, (uint64_t)pn->role + 256 * (uint64_t)pn->bits);
		if (pn->role == CRN_ROLE_CHUNKS)
			crn_hash_u64(&h, q->plan->cuts[pn->slot].key.lo);
	}
	for (int k = 0; k < q->piece->n_roots; k++)
		crn_hash_u64(&h, (uint64_t)q->piece->roots[k]);
	hash_region(&h, &q->domain);
	for (int d = 0; d < q->domain.ndim; d++)
		crn_hash_u64(&h, (uint64_t)q->unit[d]);
	crn_hash_u64(&h, (uint64_t)q->owned_roots + 2 * (uint64_t)q->tight +
				 4 * (uint64_t)q->piece->root_bits);
	crn_hash_u64(&h, q->bytes_per_voxel);
	crn_hash_u64(&h, q->fixed_bytes);
	crn_hash_u64(&h, q->fold ? q->fold->hash.lo : 0);
	crn_hash_u64(&h, q->share_bytes);
	crn_hash_u64(&h, (uint64_t)q->most_voxels);
	return crn_hasher_result(&h);
}

cairn_status crn_tiling_choose(const crn_tile_query *q, crn_tiling *ret, cairn_error *err)
{
	crn_tile_memo *memo = q->memo;
	crn_hash key = query_key(q);
	for (int i = 0; i < CRN_TILE_MEMO; i++) {
		if (memo->key[i].lo != key.lo || memo->key[i].hi != key.hi)
			continue;
		*ret = memo->answer[i];
		return CAIRN_OK;
	}
	CRN_TRY(search_tiles(q, ret, err));
	memo->key[memo->next] = key;
	memo->answer[memo->next] = *ret;
	memo->next = (memo->next + 1) % CRN_TILE_MEMO;
	return CAIRN_OK;
}

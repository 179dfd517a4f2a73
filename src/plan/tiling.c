/* SPDX-License-Identifier: Apache-2.0
 *
 * tiling.c -- the tile search. See tiling.h. Pure but for one layout's work space.
 */
#include "plan/tiling.h"

#include <string.h>

#define TASK_OVERHEAD_NS 30000.0 /* queue, layout, buffers: measured on an idle engine */
/* Below this a smaller tile saves nothing worth having, and costs time without end. */
#define FLOOR_BYTES ((size_t)8 << 20)
#define MOST_CANDIDATES 8

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
	double waves = (double)((t->n_tiles + n_threads - 1) / n_threads);
	double busy = (double)t->n_tiles / (waves * n_threads);
	return (t->tile_ns * tiles + TASK_OVERHEAD_NS * (double)t->n_tiles) / voxels / busy;
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
	crn_tiling best;
	double best_score, best_ns, best_run;
	bool found, found_inside;
} search;

/* Tile at the first, middle or last grid position. */
static crn_region place_tile(const crn_tiling *t, int where)
{
	int64_t idx[CRN_MAX_NDIM];
	for (int d = 0; d < t->domain.ndim; d++)
		idx[d] = where == 0 ? 0 : where == 1 ? (t->grid[d] - 1) / 2 : t->grid[d] - 1;
	return crn_tiling_region(t, crn_ravel(idx, t->domain.ndim, t->grid));
}

static void measure(search *s, crn_tiling *t)
{
	const crn_tile_query *q = s->q;
	double voxels = 1;
	for (int d = 0; d < t->domain.ndim; d++)
		voxels *= (double)t->tile[d];
	size_t most = 0;
	for (int where = 0; where < 3; where++) {
		crn_region r = place_tile(t, where), roots[CRN_MAX_INPUTS];
		for (int k = 0; k < q->piece->n_roots; k++)
			roots[k] = r;
		crn_tile_bytes bytes;
		double ns;
		crn_layout_fill(&s->layout, q->piece, roots);
		crn_layout_measure(&s->layout, q->piece, q->owned_roots, crn_plan_chunks, q->plan,
			&bytes, &ns);
		size_t work = bytes.frame + bytes.pinned;
		if (q->fold && q->fold->op->global->fold_scratch)
			work += crn_buffer_bytes(q->fold->op->global->fold_scratch(q->fold, &r));
		most = work > most ? work : most;
		if (where == 1)
			t->tile_ns = ns;
	}
	/* An eighth for regions that merge differently at other places. */
	t->work_bytes = most + most / 8 + q->fixed_bytes;
	if (q->bytes_per_voxel)
		t->work_bytes += crn_buffer_bytes((size_t)(voxels * (double)q->bytes_per_voxel));
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

static void consider(search *s, const int64_t *tile)
{
	const crn_tile_query *q = s->q;
	crn_tiling t;
	crn_tiling_set(&t, &q->domain, tile);
	measure(s, &t);
	double voxels = 1;
	for (int d = 0; d < q->domain.ndim; d++)
		voxels *= (double)tile[d];
	int64_t most = q->plan->options.tile_voxels;
	if (most == 0 || (q->most_voxels > 0 && q->most_voxels < most))
		most = q->most_voxels;
	bool inside = t.work_bytes <= q->share_bytes && (most == 0 || voxels <= (double)most);
	double ns = crn_tiling_ns(&t, q->plan->options.n_threads);
	double bytes = t.work_bytes > FLOOR_BYTES ? (double)t.work_bytes : (double)FLOOR_BYTES;
	bool by_bytes = q->tight || !inside;
	double score = by_bytes ? bytes : ns;
	bool tie = by_bytes && score == s->best_score && ns < s->best_ns;
	/* Of tiles that cost about the same, the one with the longest runs of memory. */
	double run = contiguous_run(&t);
	if (!by_bytes && s->found_inside && run > s->best_run)
		score *= 0.97;
	bool better = !s->found || (inside && !s->found_inside && !q->tight) ||
		      ((inside == s->found_inside || q->tight) && (score < s->best_score || tie));
	if (!better)
		return;
	s->best = t;
	s->best_run = run;
	s->best_score = score;
	s->best_ns = ns;
	s->found = true;
	s->found_inside = inside;
}

cairn_status crn_tiling_choose(const crn_tile_query *q, crn_tiling *ret, cairn_error *err)
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
	int64_t grid[CRN_MAX_NDIM];
	for (int d = 0; d < ndim; d++)
		grid[d] = n[d];
	for (int64_t c = 0; c < combos; c++) {
		int64_t tile[CRN_MAX_NDIM];
		crn_unravel(c, ndim, grid, pick);
		double voxels = 1;
		for (int d = 0; d < ndim; d++) {
			tile[d] = list[d][pick[d]];
			voxels *= (double)tile[d];
		}
		/* Beyond 2^27 voxels a tile is never better; the smallest one is always tried. */
		if (c == 0 || voxels < (double)((int64_t)1 << 27))
			consider(&s, tile);
	}
	crn_layout_done(&s.layout);
	*ret = s.best;
	return CAIRN_OK;
}

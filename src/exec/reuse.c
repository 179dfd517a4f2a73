/* SPDX-License-Identifier: Apache-2.0
 *
 * reuse.c -- see reuse.h.
 *
 * Why so: with the least recently used chunk evicted first, a neighbourhood read in raster order
 * loads every chunk three to nine times; walking pencils and evicting what is needed last, once to
 * 2.7 times with the same room (reuse_test.c counts them).
 */
#include "exec/reuse.h"

#include "base/mem.h"
#include "plan/build.h"

#include <string.h>

#define MOST_PROBES 16384 /* layouts per job: beyond, reads are unknown */
#define MOST_BOX 64       /* tasks that may read one chunk: beyond, it is needed soon */
#define MOST_LEAVES 16    /* cuts read by one job */

/** What the tasks of one job read of one cut. */
typedef struct reads {
	int slot;
	bool known;
	int driver[CRN_MAX_NDIM]; /* per axis of the chunks: the tasks' axis that moves the box */
	/* Per axis of the chunks and coordinate on it: the tasks along the driver that read there,
	 * [least, most]; none if least > most. Axes without a driver: [0, 0] where the box is. */
	int64_t *least[CRN_MAX_NDIM], *most[CRN_MAX_NDIM];
} reads;

/** A job whose tasks read chunks: the stage's, or the producers' of a cut. */
typedef struct reader {
	const crn_tiling *grid;
	reads of[MOST_LEAVES];
	int n;
} reader;

struct crn_reuse {
	const crn_plan *plan;
	reader stage;
	reader *producers; /* per cut; made on first use */
	bool *made;        /* per cut */
	bool *now, *later; /* per cut: read in this stage, after it */
	crn_pencils order;
};

static void reader_done(reader *r)
{
	for (int k = 0; k < r->n; k++)
		for (int d = 0; d < CRN_MAX_NDIM; d++) {
			crn_free(r->of[k].least[d]);
			crn_free(r->of[k].most[d]);
		}
	*r = (reader){0};
}

/* ---- probing a job ---- */

/* Chunk coordinates [lo, hi] per axis; none if lo > hi. */
typedef struct box {
	int64_t lo[CRN_MAX_NDIM], hi[CRN_MAX_NDIM];
} box;

static void box_of(const crn_layout *l, int node, const crn_tiling *chunks, box *ret)
{
	int ndim = chunks->domain.ndim;
	for (int d = 0; d < ndim; d++) {
		ret->lo[d] = INT64_MAX;
		ret->hi[d] = -1;
	}
	for (int v = 0; v < l->of[node].n; v++) {
		int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM];
		crn_tiling_overlap(chunks, &l->of[node].region[v], first, n);
		for (int d = 0; d < ndim; d++) {
			int64_t last = first[d] + n[d] - 1;
			ret->lo[d] = first[d] < ret->lo[d] ? first[d] : ret->lo[d];
			ret->hi[d] = last > ret->hi[d] ? last : ret->hi[d];
		}
	}
}

typedef struct probe {
	const crn_plan *plan;
	const crn_piece *piece;
	const crn_node *reduced; /* the tasks are chunks of this reduction, folded from its input */
	reader *job;
	crn_layout layout;
	int node[MOST_LEAVES]; /* of the piece, per leaf */
	box base[MOST_LEAVES]; /* of the task in the middle */
	int64_t idx[CRN_MAX_NDIM];
} probe;

static const crn_tiling *chunks_of(const probe *p, int leaf)
{
	return &p->plan->cuts[p->job->of[leaf].slot].chunks;
}

static void lay_out(probe *p)
{
	const crn_tiling *g = p->job->grid;
	crn_region r = crn_tiling_region(g, crn_ravel(p->idx, g->domain.ndim, g->grid));
	if (p->reduced) {
		crn_region out = r;
		crn_plan_reduced_region(p->reduced, &out, &r);
	}
	crn_region roots[CRN_MAX_INPUTS];
	for (int k = 0; k < p->piece->n_roots; k++)
		roots[k] = r;
	crn_layout_fill(&p->layout, p->piece, roots);
}

static cairn_status new_arrays(reads *r, const crn_tiling *chunks, cairn_error *err)
{
	for (int e = 0; e < chunks->domain.ndim; e++) {
		size_t n = (size_t)chunks->grid[e];
		r->least[e] = crn_alloc(n * sizeof(int64_t));
		r->most[e] = crn_alloc(n * sizeof(int64_t));
		if (!r->least[e] || !r->most[e])
			return crn_fail_memory(err, "reads of a stage", n * sizeof(int64_t));
		for (size_t i = 0; i < n; i++) {
			r->least[e][i] = INT64_MAX;
			r->most[e][i] = -1;
		}
	}
	return CAIRN_OK;
}

static void widen(reads *r, int e, int64_t lo, int64_t hi, int64_t task)
{
	for (int64_t c = lo; c <= hi; c++) {
		r->least[e][c] = task < r->least[e][c] ? task : r->least[e][c];
		r->most[e][c] = task > r->most[e][c] ? task : r->most[e][c];
	}
}

/* Marks which axes of the chunks move when task axis d runs; false if one has two drivers. */
static void find_drivers(probe *p, int d)
{
	const crn_tiling *g = p->job->grid;
	int64_t middle = p->idx[d];
	for (int64_t i = 0; i < g->grid[d]; i++) {
		p->idx[d] = i;
		lay_out(p);
		for (int k = 0; k < p->job->n; k++) {
			reads *r = &p->job->of[k];
			box b;
			box_of(&p->layout, p->node[k], chunks_of(p, k), &b);
			for (int e = 0; e < chunks_of(p, k)->domain.ndim; e++) {
				if (b.lo[e] > b.hi[e] || (b.lo[e] == p->base[k].lo[e] &&
								 b.hi[e] == p->base[k].hi[e]))
					continue;
				if (r->driver[e] >= 0 && r->driver[e] != d)
					r->known = false;
				r->driver[e] = d;
			}
		}
	}
	p->idx[d] = middle;
}

/* Fills the arrays of the chunk axes that d drives. */
static void note_reads(probe *p, int d)
{
	const crn_tiling *g = p->job->grid;
	int64_t middle = p->idx[d];
	for (int64_t i = 0; i < g->grid[d]; i++) {
		p->idx[d] = i;
		lay_out(p);
		for (int k = 0; k < p->job->n; k++) {
			box b;
			box_of(&p->layout, p->node[k], chunks_of(p, k), &b);
			for (int e = 0; e < chunks_of(p, k)->domain.ndim; e++)
				if (p->job->of[k].driver[e] == d)
					widen(&p->job->of[k], e, b.lo[e], b.hi[e], i);
		}
	}
	p->idx[d] = middle;
}

static bool has_leaf(const reader *job, int slot)
{
	for (int k = 0; k < job->n; k++)
		if (job->of[k].slot == slot)
			return true;
	return false;
}

static cairn_status list_leaves(probe *p, cairn_error *err)
{
	reader *job = p->job;
	for (int i = 0; i < p->piece->n_nodes && job->n < MOST_LEAVES; i++) {
		const crn_pnode *pn = &p->piece->nodes[i];
		if (pn->role != CRN_ROLE_CHUNKS || has_leaf(job, pn->slot))
			continue;
		reads *r = &job->of[job->n];
		p->node[job->n++] = i;
		*r = (reads){.slot = pn->slot, .known = true};
		memset(r->driver, -1, sizeof(r->driver));
		CRN_TRY(new_arrays(r, &p->plan->cuts[pn->slot].chunks, err));
	}
	return CAIRN_OK;
}

static void measure(probe *p)
{
	const crn_tiling *g = p->job->grid;
	int64_t probes = 0;
	for (int d = 0; d < g->domain.ndim; d++) {
		p->idx[d] = g->grid[d] / 2;
		probes += g->grid[d];
	}
	lay_out(p);
	for (int k = 0; k < p->job->n; k++) {
		reads *r = &p->job->of[k];
		box_of(&p->layout, p->node[k], chunks_of(p, k), &p->base[k]);
		for (int e = 0; e < chunks_of(p, k)->domain.ndim; e++)
			r->known = r->known && p->base[k].lo[e] <= p->base[k].hi[e];
		r->known = r->known && probes <= MOST_PROBES;
	}
	for (int d = 0; d < g->domain.ndim && probes <= MOST_PROBES; d++)
		find_drivers(p, d);
	for (int d = 0; d < g->domain.ndim && probes <= MOST_PROBES; d++)
		note_reads(p, d);
	for (int k = 0; k < p->job->n; k++)
		for (int e = 0; e < chunks_of(p, k)->domain.ndim; e++)
			if (p->job->of[k].driver[e] < 0 && p->job->of[k].known)
				widen(&p->job->of[k], e, p->base[k].lo[e], p->base[k].hi[e], 0);
}

static cairn_status learn(const crn_plan *plan, const crn_piece *piece, const crn_tiling *grid,
	const crn_node *reduced, reader *ret, cairn_error *err)
{
	*ret = (reader){.grid = grid};
	probe p = {.plan = plan, .piece = piece, .reduced = reduced, .job = ret};
	if (grid->n_tiles < 1 || piece->n_nodes < 1)
		return CAIRN_OK;
	CRN_TRY(list_leaves(&p, err));
	if (ret->n == 0)
		return CAIRN_OK;
	CRN_TRY(crn_layout_new(piece, &p.layout, err));
	measure(&p);
	crn_layout_done(&p.layout);
	return CAIRN_OK;
}

/* ---- the walk ---- */

/* Neighbours along task axis d read a chunk in common. */
static bool shares_along(const reader *job, const crn_plan *plan, int d)
{
	for (int k = 0; k < job->n; k++) {
		const reads *r = &job->of[k];
		int ndim = plan->cuts[r->slot].chunks.domain.ndim;
		bool moves = false, shares = false;
		for (int e = 0; e < ndim; e++) {
			if (r->driver[e] != d)
				continue;
			moves = true;
			for (int64_t c = 0; c < plan->cuts[r->slot].chunks.grid[e]; c++)
				shares = shares || r->most[e][c] > r->least[e][c];
		}
		if (r->known && (shares || !moves))
			return true;
	}
	return false;
}

/* Bytes of the chunks that `width` tasks along each of `across` and one along the others read. */
static double pencil_bytes(
	const reader *job, const crn_plan *plan, const crn_pencils *o, int64_t width)
{
	double bytes = 0;
	for (int k = 0; k < job->n; k++) {
		const reads *r = &job->of[k];
		const crn_cut *cut = &plan->cuts[r->slot];
		double chunks = (double)crn_buffer_bytes(cut->chunk_bytes);
		for (int e = 0; e < cut->chunks.domain.ndim && r->known; e++) {
			int d = r->driver[e];
			int64_t along = d < 0                                    ? 0
					: d == o->across[0] || d == o->across[1] ? width
					: d == o->sweep                          ? 2
										 : 1;
			int64_t from = d < 0 ? 0 : job->grid->grid[d] / 2, n = 0;
			from = from + along > (d < 0 ? 1 : job->grid->grid[d]) ? 0 : from;
			for (int64_t c = 0; c < cut->chunks.grid[e]; c++)
				n += r->least[e][c] <= from + (along ? along - 1 : 0) &&
				     r->most[e][c] >= from;
			chunks *= (double)n;
		}
		bytes += chunks;
	}
	return bytes;
}

static void choose_order(crn_reuse *r, size_t room_bytes)
{
	const reader *job = &r->stage;
	const crn_tiling *g = job->grid;
	crn_pencils *o = &r->order;
	int n = 0, axes[CRN_MAX_NDIM];
	crn_pencils_raster(o, g->domain.ndim, g->grid);
	for (int d = 0; d < g->domain.ndim && job->n > 0; d++)
		if (g->grid[d] > 1 && shares_along(job, r->plan, d))
			axes[n++] = d;
	if (n == 0)
		return;
	o->sweep = axes[0];
	if (n > 1)
		o->across[1] = axes[n - 1];
	if (n > 2)
		o->across[0] = axes[n - 2];
	int64_t width = 1, widest = 1;
	for (int k = 0; k < 2; k++)
		if (o->across[k] >= 0 && o->grid[o->across[k]] > widest)
			widest = o->grid[o->across[k]];
	while (width < widest && pencil_bytes(job, r->plan, o, 2 * width) <= (double)room_bytes)
		width *= 2;
	o->width[0] = o->width[1] = width;
}

/* ---- stages ---- */

static const crn_piece *piece_of(const crn_plan *p, const crn_stage *s)
{
	return s->kind == CRN_STAGE_GLOBAL     ? &p->globals[s->index].piece
	       : s->kind == CRN_STAGE_RESIDENT ? &p->residents[s->index].piece
					       : &s->piece;
}

/* Marks the cuts a piece reads, and those that their producers read. */
static void mark(const crn_plan *p, const crn_piece *piece, bool *marks)
{
	for (int i = 0; i < piece->n_nodes; i++) {
		int slot = piece->nodes[i].slot;
		if (piece->nodes[i].role != CRN_ROLE_CHUNKS || marks[slot])
			continue;
		marks[slot] = true;
		mark(p, &p->cuts[slot].piece, marks);
	}
}

static void mark_later(crn_reuse *r, const crn_piece *piece, bool again)
{
	const crn_plan *p = r->plan;
	bool after = false;
	memset(r->later, 0, (size_t)p->n_cuts * sizeof(*r->later));
	for (int s = 0; s < p->n_stages; s++) {
		bool here = piece_of(p, &p->stages[s]) == piece;
		/* A region asked for by a program that will ask for the next one soon. */
		bool kept = here && (again || p->stages[s].kind == CRN_STAGE_MEMORY);
		if (after || kept)
			mark(p, piece_of(p, &p->stages[s]), r->later);
		after = after || here;
	}
}

cairn_status crn_reuse_new(const crn_plan *plan, crn_reuse **ret, cairn_error *err)
{
	size_t n = (size_t)plan->n_cuts + 1;
	crn_reuse *r = crn_calloc(1, sizeof(*r));
	if (r) {
		r->plan = plan;
		r->producers = crn_calloc(n, sizeof(*r->producers));
		r->made = crn_calloc(n, sizeof(*r->made));
		r->now = crn_calloc(n, sizeof(*r->now));
		r->later = crn_calloc(n, sizeof(*r->later));
	}
	if (!r || !r->producers || !r->made || !r->now || !r->later) {
		crn_reuse_free(r);
		return crn_fail_memory(err, "the scheduler", n);
	}
	*ret = r;
	return CAIRN_OK;
}

void crn_reuse_free(crn_reuse *r)
{
	if (!r)
		return;
	reader_done(&r->stage);
	for (int c = 0; c < r->plan->n_cuts && r->producers; c++)
		reader_done(&r->producers[c]);
	crn_free(r->producers);
	crn_free(r->made);
	crn_free(r->now);
	crn_free(r->later);
	crn_free(r);
}

cairn_status crn_reuse_stage(crn_reuse *r, const crn_piece *piece, const crn_tiling *grid,
	size_t room_bytes, bool again, cairn_error *err)
{
	const crn_plan *p = r->plan;
	reader_done(&r->stage);
	CRN_TRY(learn(p, piece, grid, NULL, &r->stage, err));
	choose_order(r, room_bytes);
	memset(r->now, 0, (size_t)p->n_cuts * sizeof(*r->now));
	mark(p, piece, r->now);
	mark_later(r, piece, again);
	for (int c = 0; c < p->n_cuts; c++) {
		if (!r->now[c] || r->made[c])
			continue;
		const crn_cut *cut = &p->cuts[c];
		CRN_TRY(learn(p, &cut->piece, &cut->chunks,
			cut->kind == CRN_CUT_REDUCTION ? cut->node : NULL, &r->producers[c], err));
		r->made[c] = true;
	}
	return CAIRN_OK;
}

const crn_pencils *crn_reuse_order(const crn_reuse *r)
{
	return &r->order;
}

bool crn_reuse_later(const crn_reuse *r, int slot)
{
	return r->later[slot];
}

/* ---- the next use ---- */

typedef struct question {
	const crn_reuse *r;
	crn_cache *cache;
	crn_open_fn is_open;
	void *user;
	int budget; /* tasks that may still be looked at */
} question;

static int64_t next_use(question *q, int slot, int64_t index);

/* When the task at idx of a job comes: its position, or when its chunk is needed. */
static int64_t when(question *q, const reader *job, int cut, const int64_t *idx)
{
	if (cut < 0) {
		int64_t at = crn_pencils_position(&q->r->order, idx);
		return q->is_open(q->user, at) ? at : CRN_NEVER;
	}
	const crn_tiling *g = job->grid;
	int64_t index = crn_ravel(idx, g->domain.ndim, g->grid);
	const crn_chunk *k = crn_cache_find(q->cache, q->r->plan->cuts[cut].key, index);
	if (k && k->state == CRN_CHUNK_READY)
		return CRN_NEVER; /* made already */
	return k ? 0 : next_use(q, cut, index);
}

/* The earliest of the tasks of a job that read chunk c of a cut. */
static int64_t earliest(question *q, const reader *job, int cut, const reads *r, const int64_t *c)
{
	int64_t lo[CRN_MAX_NDIM], hi[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], best = CRN_NEVER;
	const crn_tiling *g = job->grid;
	int ndim = g->domain.ndim;
	for (int d = 0; d < ndim; d++) {
		lo[d] = 0;
		hi[d] = g->grid[d] - 1;
	}
	for (int e = 0; e < q->r->plan->cuts[r->slot].chunks.domain.ndim; e++) {
		int d = r->driver[e];
		if (r->least[e][c[e]] > r->most[e][c[e]])
			return CRN_NEVER;
		if (d < 0)
			continue;
		lo[d] = r->least[e][c[e]] > lo[d] ? r->least[e][c[e]] : lo[d];
		hi[d] = r->most[e][c[e]] < hi[d] ? r->most[e][c[e]] : hi[d];
	}
	for (int d = 0; d < ndim; d++) {
		if (lo[d] > hi[d])
			return CRN_NEVER;
		idx[d] = lo[d];
	}
	for (;;) {
		if (--q->budget < 0)
			return 0;
		int64_t at = when(q, job, cut, idx);
		best = at < best ? at : best;
		int d = ndim - 1;
		while (d >= 0 && ++idx[d] > hi[d]) {
			idx[d] = lo[d];
			d--;
		}
		if (d < 0)
			return best;
	}
}

static int64_t next_use(question *q, int slot, int64_t index)
{
	const crn_reuse *r = q->r;
	int64_t best = CRN_NEVER, c[CRN_MAX_NDIM];
	const crn_tiling *chunks = &r->plan->cuts[slot].chunks;
	crn_unravel(index, chunks->domain.ndim, chunks->grid, c);
	for (int cut = -1; cut < r->plan->n_cuts; cut++) {
		if (cut >= 0 && !r->now[cut])
			continue;
		const reader *job = cut < 0 ? &r->stage : &r->producers[cut];
		for (int k = 0; k < job->n; k++) {
			if (job->of[k].slot != slot)
				continue;
			int64_t at = job->of[k].known ? earliest(q, job, cut, &job->of[k], c) : 0;
			best = at < best ? at : best;
		}
	}
	return best;
}

int64_t crn_reuse_next(const crn_reuse *r, crn_cache *cache, int slot, int64_t index,
	crn_open_fn is_open, void *user)
{
	question q = {.r = r, .cache = cache, .is_open = is_open, .user = user, .budget = MOST_BOX};
	return next_use(&q, slot, index);
}

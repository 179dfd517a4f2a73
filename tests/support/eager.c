/* SPDX-License-Identifier: Apache-2.0
 *
 * eager.c -- the eager driver: values of regions by recursion over inputs, tile by tile.
 *
 *	eager_fetch(node, region) ── kept? ── part of it
 *	     └── for every tile: eager_tile ── eager_fetch(inputs ...)
 */
#include "support/eager.h"

#include "base/mem.h"
#include "support/eager_run.h"

#include <string.h>

cairn_status eager_broken(
	const crn_node *n, const crn_region *region, const char *what, cairn_error *err)
{
	char text[CRN_REGION_TEXT];
	return crn_fail(err, CAIRN_FAILED, "%s: %s at %s", n->op->name, what,
		crn_region_format(region, text));
}

/* ---- tiles ---- */

crn_grid eager_grid(const eager_run *r, int ndim, const int64_t *shape)
{
	crn_grid g = {.ndim = ndim, .n_tiles = 1};
	for (int d = 0; d < ndim; d++) {
		int64_t t = r->o.tile[d];
		g.shape[d] = shape[d];
		g.tile[d] = t <= 0 || t > shape[d] ? shape[d] : t;
		if (g.tile[d] < 1)
			g.tile[d] = 1;
		g.n[d] = crn_n_units(shape[d], g.tile[d]);
		g.n_tiles *= g.n[d];
	}
	return g;
}

cairn_status eager_order(const eager_run *r, int64_t n, int64_t **ret, cairn_error *err)
{
	int64_t *order = crn_alloc((size_t)n * sizeof(*order));
	if (!order)
		return crn_fail_memory(err, "tile order", (size_t)n * sizeof(*order));
	for (int64_t i = 0; i < n; i++)
		order[i] = i;
	uint64_t x = r->o.order_seed * 2862933555777941757u + 3037000493u;
	for (int64_t i = n - 1; i > 0 && r->o.order_seed; i--) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		int64_t k = (int64_t)((x >> 33) % (uint64_t)(i + 1)), t = order[i];
		order[i] = order[k];
		order[k] = t;
	}
	*ret = order;
	return CAIRN_OK;
}

/* Tile `linear` of the region, whose index space the grid cuts. */
static crn_region tile_of(const crn_region *region, const crn_grid *g, int64_t linear)
{
	int64_t idx[CRN_MAX_NDIM];
	crn_unravel(linear, g->ndim, g->n, idx);
	crn_region t = crn_unit_region(g->ndim, g->shape, g->tile, idx);
	for (int d = 0; d < g->ndim; d++) {
		t.lo[d] = region->lo[d] + t.lo[d] * region->step[d];
		t.step[d] = region->step[d];
	}
	crn_region_normalise(&t);
	return t;
}

/* ---- what a run keeps ---- */

static eager_memo *memo_find(eager_run *r, const crn_node *n, const crn_region *region)
{
	for (int i = 0; i < r->n_memos; i++)
		if (r->memos[i].node == n && crn_region_equal(&r->memos[i].region, region))
			return &r->memos[i];
	return NULL;
}

static cairn_status memo_add(
	eager_run *r, crn_node *n, const crn_region *region, void *take_data, cairn_error *err)
{
	if (r->n_memos == r->cap_memos) {
		int cap = r->cap_memos ? 2 * r->cap_memos : 32;
		eager_memo *more = crn_realloc_array(r->memos, (size_t)cap, sizeof(*more));
		if (!more) {
			crn_free(take_data);
			return crn_fail_memory(err, "test values", sizeof(*more));
		}
		r->memos = more;
		r->cap_memos = cap;
	}
	r->memos[r->n_memos++] = (eager_memo){.node = n, .region = *region, .data = take_data};
	return CAIRN_OK;
}

cairn_status eager_keep(eager_run *r, crn_node *n, void *take_data, cairn_error *err)
{
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	crn_region_normalise(&whole);
	CRN_TRY(memo_add(r, n, &whole, take_data, err));
	r->memos[r->n_memos - 1].keep = true;
	return CAIRN_OK;
}

void *eager_kept(eager_run *r, const crn_node *n)
{
	for (int i = 0; i < r->n_memos; i++)
		if (r->memos[i].node == n && r->memos[i].keep)
			return r->memos[i].data;
	return NULL;
}

static void memos_drop(eager_run *r, bool all)
{
	int kept = 0;
	for (int i = 0; i < r->n_memos; i++) {
		if (r->memos[i].keep && !all)
			r->memos[kept++] = r->memos[i];
		else
			crn_free(r->memos[i].data);
	}
	r->n_memos = kept;
}

cairn_status eager_made_get(eager_run *r, crn_node *n, eager_made **ret, cairn_error *err)
{
	for (int i = 0; i < r->n_made; i++) {
		if (r->made[i]->node == n) {
			*ret = r->made[i];
			return CAIRN_OK;
		}
	}
	if (r->n_made == (int)CRN_COUNT(r->made))
		return crn_fail(err, CAIRN_FAILED, "too many nodes for the test driver");
	eager_made *made = crn_calloc(1, sizeof(*made));
	if (!made)
		return crn_fail_memory(err, "test state", sizeof(*made));
	made->node = n;
	r->made[r->n_made++] = made;
	if (n->op->bind) {
		CRN_TRY(n->op->bind(n, r->o.isa, &made->bound, err));
		made->is_bound = true;
	}
	*ret = made;
	return CAIRN_OK;
}

static void run_done(eager_run *r)
{
	memos_drop(r, true);
	crn_free(r->memos);
	for (int i = 0; i < r->n_made; i++) {
		eager_made *m = r->made[i];
		eager_passes_done(m);
		if (m->is_bound && m->node->op->unbind)
			m->node->op->unbind(&m->bound);
		else if (m->is_bound)
			crn_free(m->bound.data);
		crn_free(m);
	}
}

/* ---- regions ---- */

/* Computes a region into new dense memory, by tiles if asked for. */
static cairn_status evaluate(eager_run *r, crn_node *n, const crn_region *region, bool tiled,
	void **ret, cairn_error *err)
{
	CRN_FREE void *data =
		crn_alloc(crn_view_dense_bytes(n->type.dtype, region->ndim, region->n));
	if (!data)
		return crn_fail_memory(err, "test values", 0);
	crn_view out = crn_view_dense(data, n->type.dtype, region->ndim, region->n);
	eager_run untiled = {.n_made = 0};
	crn_grid g = eager_grid(tiled ? r : &untiled, region->ndim, region->n);
	CRN_FREE int64_t *order = NULL;
	CRN_TRY(eager_order(r, g.n_tiles, &order, err));
	for (int64_t i = 0; i < g.n_tiles; i++) {
		crn_region t = tile_of(region, &g, order[i]);
		crn_view part = crn_view_part(&out, region, &t);
		CRN_TRY(eager_tile(r, n, &t, &part, err));
	}
	*ret = crn_steal(&data);
	return CAIRN_OK;
}

cairn_status eager_fetch(
	eager_run *r, crn_node *n, const crn_region *region, crn_view *ret, cairn_error *err)
{
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	crn_region_normalise(&whole);
	crn_region wanted = r->o.lazy ? *region : whole;
	if (!crn_region_contains(&whole, region))
		return eager_broken(n, region, "is asked for a region outside its domain", err);
	const eager_memo *m = memo_find(r, n, &wanted);
	if (!m) {
		void *data = NULL;
		CRN_TRY(evaluate(r, n, &wanted, !r->o.lazy, &data, err));
		CRN_TRY(memo_add(r, n, &wanted, data, err));
		m = &r->memos[r->n_memos - 1];
	}
	crn_view v = crn_view_dense(m->data, n->type.dtype, wanted.ndim, wanted.n);
	*ret = crn_view_part(&v, &wanted, region);
	return CAIRN_OK;
}

cairn_status eager_copy_region(
	eager_run *r, crn_node *n, const crn_region *region, eager_buffer *ret, cairn_error *err)
{
	crn_view src;
	CRN_TRY(eager_fetch(r, n, region, &src, err));
	CRN_TRY(eager_buffer_new(n->type.dtype, region->ndim, region->n, 0xC3, ret, err));
	crn_view_copy(&ret->view, &src);
	return eager_buffer_seal(ret, err);
}

/* Lazy: every tile of the asked region on its own, so that needs stay small. */
static cairn_status region_lazily(
	eager_run *r, crn_node *n, const crn_region *region, const crn_view *out, cairn_error *err)
{
	crn_grid g = eager_grid(r, region->ndim, region->n);
	CRN_FREE int64_t *order = NULL;
	CRN_TRY(eager_order(r, g.n_tiles, &order, err));
	for (int64_t i = 0; i < g.n_tiles; i++) {
		crn_region t = tile_of(region, &g, order[i]);
		crn_view src, dst = crn_view_part(out, region, &t);
		CRN_TRY(eager_fetch(r, n, &t, &src, err));
		crn_view_copy(&dst, &src);
		memos_drop(r, false);
	}
	return CAIRN_OK;
}

cairn_status crn_eager_region(crn_node *n, const crn_region *region,
	const crn_eager_options *options, crn_view *ret, cairn_error *err)
{
	eager_run r = {.n_made = 0};
	if (options)
		r.o = *options;
	crn_region asked = *region;
	crn_region_normalise(&asked);
	if (n->type.is_table)
		return crn_fail(err, CAIRN_USAGE, "%s: a table has no pixels", n->op->name);
	void *data = crn_alloc(crn_view_dense_bytes(n->type.dtype, asked.ndim, asked.n));
	if (!data)
		return crn_fail_memory(err, "test values", 0);
	crn_view out = crn_view_dense(data, n->type.dtype, asked.ndim, asked.n);
	cairn_status status = CAIRN_OK;
	if (crn_region_empty(&asked)) {
		/* nothing to compute */
	} else if (r.o.lazy) {
		status = region_lazily(&r, n, &asked, &out, err);
	} else {
		crn_view src;
		status = eager_fetch(&r, n, &asked, &src, err);
		if (status == CAIRN_OK)
			crn_view_copy(&out, &src);
	}
	run_done(&r);
	if (status == CAIRN_OK)
		*ret = out;
	else
		crn_free(data);
	return status;
}

cairn_status crn_eager(crn_node *n, crn_view *ret, cairn_error *err)
{
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	crn_eager_options o = {.isa = crn_isa_best()};
	return crn_eager_region(n, &whole, &o, ret, err);
}

cairn_status crn_eager_check_tiles(crn_node *n, const int64_t *tile, cairn_error *err)
{
	static const crn_eager_options ways[] = {
		{.n_partials = 1},
		{.n_partials = 3, .order_seed = 7},
		{.n_partials = 1, .lazy = true},
		{.n_partials = 3, .lazy = true, .order_seed = 11},
	};
	CRN_EAGER want = {0};
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	CRN_TRY(crn_eager(n, &want, err));
	for (size_t w = 0; w < CRN_COUNT(ways); w++) {
		CRN_EAGER got = {0};
		crn_eager_options o = ways[w];
		memcpy(o.tile, tile, sizeof(int64_t) * (size_t)n->type.ndim);
		o.isa = w % 2 ? CRN_ISA_BASE : crn_isa_best();
		CRN_TRY(crn_eager_region(n, &whole, &o, &got, err));
		if (!eager_same_values(&want, &got))
			return crn_fail(err, CAIRN_FAILED,
				"%s: %s tiles (%d partials, order seed %d, %s code) differ from "
				"whole",
				n->op->name, o.lazy ? "lazy" : "eager", o.n_partials,
				(int)o.order_seed, crn_isa_name(o.isa));
	}
	return CAIRN_OK;
}

cairn_status crn_eager_table(
	crn_node *n, const crn_eager_options *options, crn_table_writer *to, cairn_error *err)
{
	eager_run r = {.n_made = 0};
	if (options)
		r.o = *options;
	eager_made *made = NULL;
	cairn_status status = eager_made_get(&r, n, &made, err);
	if (status == CAIRN_OK)
		status = eager_passes(&r, n, made, err);
	if (status == CAIRN_OK)
		status = n->op->global->rows(made->state, n, to, err);
	run_done(&r);
	return status;
}

void crn_eager_free(crn_view *v)
{
	crn_free(v->data);
	*v = (crn_view){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * components_join.c -- components: joining tiles and numbering objects, at the end of the pass.
 *
 * Every pair of neighbouring tiles (by face, edge or corner) is visited once, from the tile that
 * comes first in raster order. Of each tile only the runs that can touch a neighbour are read, into
 * an edge table; tables of recently used tiles are kept as long as memory can be charged.
 * Serial; reads the scratch file.
 */
#include "ops/components.h"

#include "base/mem.h"

#include <string.h>

/* Runs of one tile that can touch others, by row. */
typedef struct edge_table {
	int64_t tile; /* -1: unused */
	int64_t used_at;
	uint32_t *first; /* per row and one more */
	uint32_t *pairs, *component;
	int64_t n_rows, n_runs;
} edge_table;

enum { TABLES_KEPT = 128 };

typedef struct joiner {
	crn_components *c;
	const int64_t *keys;
	edge_table tables[TABLES_KEPT];
	int64_t clock;
	uint8_t *buffer;
} joiner;

static crn_region tile_box(const crn_components *c, int64_t tile)
{
	int64_t idx[CRN_MAX_NDIM];
	crn_unravel(tile, c->ndim, c->grid.n, idx);
	return crn_unit_region(c->ndim, c->shape, c->grid.tile, idx);
}

static void table_drop(joiner *j, edge_table *e)
{
	if (e->tile < 0)
		return;
	crn_components_drop(j->c, &e->first, (size_t)e->n_rows + 1, sizeof(uint32_t));
	crn_components_drop(j->c, &e->pairs, (size_t)e->n_runs * 2, sizeof(uint32_t));
	crn_components_drop(j->c, &e->component, (size_t)e->n_runs, sizeof(uint32_t));
	e->tile = -1;
}

static cairn_status table_alloc(joiner *j, edge_table *e, cairn_error *err)
{
	CRN_TRY(crn_components_alloc(
		j->c, (size_t)e->n_rows + 1, sizeof(uint32_t), &e->first, err));
	CRN_TRY(crn_components_alloc(
		j->c, (size_t)e->n_runs * 2, sizeof(uint32_t), &e->pairs, err));
	return crn_components_alloc(j->c, (size_t)e->n_runs, sizeof(uint32_t), &e->component, err);
}

static cairn_status table_read(joiner *j, edge_table *e, cairn_error *err)
{
	const crn_tile_record *t = &j->c->tiles[e->tile];
	uint32_t n = 0;
	int64_t row = 0, n_runs;
	for (int s = 0; s < t->edges.n; s++) {
		crn_run_reader r;
		crn_run_reader_open(&r, j->c->env, &t->edges.of[s], j->buffer);
		int64_t end = s + 1 < t->edges.n ? t->edges.of[s + 1].first_row : e->n_rows;
		for (; row < end; row++) {
			CRN_TRY(crn_run_reader_row(&r, &n_runs, err));
			e->first[row] = n;
			for (; n_runs > 0 && n < e->n_runs; n_runs--, n++)
				CRN_TRY(crn_run_reader_run(&r, &e->pairs[2 * (size_t)n],
					&e->pairs[2 * (size_t)n + 1], &e->component[n], err));
			if (n_runs > 0)
				return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
		}
	}
	e->first[e->n_rows] = n;
	return CAIRN_OK;
}

/* The table of a tile; `keep` is not dropped to make room. */
static cairn_status table_get(
	joiner *j, int64_t tile, const edge_table *keep, edge_table **ret, cairn_error *err)
{
	edge_table *oldest = NULL;
	for (int i = 0; i < TABLES_KEPT; i++) {
		edge_table *e = &j->tables[i];
		if (e->tile == tile) {
			e->used_at = ++j->clock;
			*ret = e;
			return CAIRN_OK;
		}
		if (e != keep && (!oldest || e->tile < 0 ||
					 (oldest->tile >= 0 && e->used_at < oldest->used_at)))
			oldest = e;
	}
	table_drop(j, oldest);
	crn_region box = tile_box(j->c, tile);
	edge_table *e = oldest;
	*e = (edge_table){.tile = tile, .used_at = ++j->clock, .n_rows = 1};
	for (int d = 0; d + 1 < box.ndim; d++)
		e->n_rows *= box.n[d];
	e->n_runs = j->c->tiles[tile].n_edge_runs;
	cairn_status status = table_alloc(j, e, err);
	if (status != CAIRN_OK) {
		/* No memory for another table: give up all others and try once more. */
		for (int i = 0; i < TABLES_KEPT; i++)
			if (&j->tables[i] != keep)
				table_drop(j, &j->tables[i]);
		e->tile = tile;
		status = table_alloc(j, e, err);
	}
	if (status == CAIRN_OK)
		status = table_read(j, e, err);
	if (status != CAIRN_OK)
		return status;
	*ret = e;
	return CAIRN_OK;
}

static void join(joiner *j, uint32_t a, uint32_t b)
{
	uint32_t *parent = j->c->ids;
	a = crn_find_root(parent, a);
	b = crn_find_root(parent, b);
	if (a == b)
		return;
	if (j->keys[a] < j->keys[b])
		parent[b] = a;
	else
		parent[a] = b;
}

/* Two rows, one of each tile, linked by x differences from .. to. `side`: 0 the tiles share their x
 * range, 1 the second follows in x, -1 it precedes. */
typedef struct row_pair {
	const edge_table *a, *b;
	int64_t row_a, row_b;
	int from, to, side;
	int64_t n_a_x, n_b_x; /* row lengths */
} row_pair;

static void join_rows(joiner *j, const row_pair *p)
{
	uint32_t a0 = p->a->first[p->row_a], b0 = p->b->first[p->row_b];
	int64_t n_a = p->a->first[p->row_a + 1] - a0, n_b = p->b->first[p->row_b + 1] - b0;
	if (n_a == 0 || n_b == 0)
		return;
	uint32_t base_a = j->c->tiles[p->a->tile].base, base_b = j->c->tiles[p->b->tile].base;
	const uint32_t *pa = p->a->pairs + 2 * (size_t)a0, *pb = p->b->pairs + 2 * (size_t)b0;
	const uint32_t *ca = p->a->component + a0, *cb = p->b->component + b0;
	if (p->side == 0) {
		CRN_FOR_TOUCHING(pa, n_a, pb, n_b, p->from, p->to, i, k,
			join(j, base_a + ca[i], base_b + cb[k]))
		return;
	}
	/* Only the last voxel of one row can touch the first of the other. */
	bool after = p->side > 0;
	int64_t i = after ? n_a - 1 : 0, k = after ? 0 : n_b - 1;
	bool ends_a = after ? pa[2 * i + 1] == p->n_a_x : pa[2 * i] == 0;
	bool ends_b = after ? pb[2 * k] == 0 : pb[2 * k + 1] == p->n_b_x;
	if (ends_a && ends_b && p->from <= p->side && p->side <= p->to)
		join(j, base_a + ca[i], base_b + cb[k]);
}

/* Rows of tile a whose row + link lies in tile b, along row axis d: [*lo, *end). */
static void row_range(const crn_region *a, int d, int way, int step, int64_t *lo, int64_t *end)
{
	*lo = way > 0 ? a->n[d] - 1 : way < 0 ? 0 : step < 0 ? 1 : 0;
	*end = way < 0 ? 1 : way == 0 && step > 0 ? a->n[d] - 1 : a->n[d];
	if (way != 0 && step != way)
		*end = *lo;
}

static void join_link(joiner *j, row_pair *p, const crn_region *box_a, const crn_region *box_b,
	const int *way, const crn_link *link)
{
	int n_axes = box_a->ndim - 1;
	int64_t lo[CRN_MAX_NDIM], end[CRN_MAX_NDIM], idx[CRN_MAX_NDIM];
	for (int d = 0; d < n_axes; d++) {
		row_range(box_a, d, way[d], link->row[d], &lo[d], &end[d]);
		if (lo[d] >= end[d])
			return;
		idx[d] = lo[d];
	}
	p->from = link->from;
	p->to = link->to;
	for (;;) {
		p->row_a = p->row_b = 0;
		for (int d = 0; d < n_axes; d++) {
			int64_t other = way[d] > 0   ? 0
					: way[d] < 0 ? box_b->n[d] - 1
						     : idx[d] + link->row[d];
			p->row_a = p->row_a * box_a->n[d] + idx[d];
			p->row_b = p->row_b * box_b->n[d] + other;
		}
		join_rows(j, p);
		int d = n_axes - 1;
		while (d >= 0 && ++idx[d] == end[d]) {
			idx[d] = lo[d];
			d--;
		}
		if (d < 0)
			return;
	}
}

static cairn_status join_tiles(
	joiner *j, int64_t tile, int64_t other, const int *way, cairn_error *err)
{
	crn_components *c = j->c;
	if (c->tiles[tile].n_edge_runs == 0 || c->tiles[other].n_edge_runs == 0)
		return CAIRN_OK;
	edge_table *a, *b;
	CRN_TRY(table_get(j, tile, NULL, &a, err));
	CRN_TRY(table_get(j, other, a, &b, err));
	crn_region box_a = tile_box(c, tile), box_b = tile_box(c, other);
	int x = c->ndim - 1;
	row_pair p = {.a = a, .b = b, .side = way[x], .n_a_x = box_a.n[x], .n_b_x = box_b.n[x]};
	for (int l = 0; l < c->n_links; l++)
		join_link(j, &p, &box_a, &box_b, way, &c->links[l]);
	crn_link in_row = {.from = -1, .to = 1};
	bool rows_apart = false;
	for (int d = 0; d < x; d++)
		rows_apart = rows_apart || way[d] != 0;
	if (c->links_in_row && !rows_apart)
		join_link(j, &p, &box_a, &box_b, way, &in_row);
	return CAIRN_OK;
}

/* Next combination of -1, 0, 1 per axis; false after the last. */
static bool next_way(int ndim, int *way)
{
	for (int d = ndim - 1; d >= 0; d--) {
		if (++way[d] <= 1)
			return true;
		way[d] = -1;
	}
	return false;
}

static cairn_status join_all(joiner *j, cairn_error *err)
{
	const crn_components *c = j->c;
	int64_t idx[CRN_MAX_NDIM];
	for (int64_t tile = 0; tile < c->grid.n_tiles; tile++) {
		crn_unravel(tile, c->ndim, c->grid.n, idx);
		int way[CRN_MAX_NDIM] = {0};
		/* All zeros is the tile itself; what follows it in this order comes later in raster
		 * order too. */
		while (next_way(c->ndim, way)) {
			bool inside = true;
			int64_t other = 0;
			for (int d = 0; d < c->ndim; d++) {
				int64_t at = idx[d] + way[d];
				inside = inside && at >= 0 && at < c->grid.n[d];
				other = other * c->grid.n[d] + at;
			}
			if (inside)
				CRN_TRY(join_tiles(j, tile, other, way, err));
		}
	}
	return CAIRN_OK;
}

cairn_status crn_components_join(crn_components *c, const int64_t *keys, cairn_error *err)
{
	if (c->grid.n_tiles < 2)
		return CAIRN_OK;
	CRN_FREE joiner *j = crn_calloc(1, sizeof(*j));
	CRN_FREE uint8_t *buffer = crn_alloc(CRN_RUN_READER_BYTES);
	if (!j || !buffer)
		return crn_fail_memory(err, "joining components", sizeof(*j));
	j->c = c;
	j->keys = keys;
	j->buffer = buffer;
	for (int i = 0; i < TABLES_KEPT; i++)
		j->tables[i].tile = -1;
	cairn_status status = join_all(j, err);
	for (int i = 0; i < TABLES_KEPT; i++)
		table_drop(j, &j->tables[i]);
	return status;
}

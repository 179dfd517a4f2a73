/* SPDX-License-Identifier: Apache-2.0
 *
 * components_join.c -- components: joining tiles, at the end of the pass.
 *
 * Every pair of neighbouring tiles (by face, edge or corner) is visited once, from the tile that
 * comes first in raster order, and of both only the rows that can touch. Rows are read back through
 * windows of fixed size, long ones in parts, so memory does not depend on the tiles.
 * Serial; reads the scratch file.
 */
#include "ops/components.h"

#include "base/mem.h"

#include <string.h>

enum {
	PART_WORDS = 512,  /* of a row at a time */
	SHORT_WORDS = 256, /* rows that are read on when only their ends are wanted */
	WINDOW_BYTES = 32768,
};

/* One of the two tiles, and windows on its arrays. */
typedef struct side {
	const crn_tile_record *tile;
	crn_region box;
	int64_t n_words;    /* of a row */
	bool rows_in_order; /* rows are asked for one after the other, not far apart */
	crn_window rows, bits, components;
	/* The row being joined: */
	int64_t row;
	uint64_t bits_left; /* bytes of bits from the row to the tile's end */
	uint32_t first_run, n_runs;
	uint32_t first[PART_WORDS + 1]; /* per word of the part */
	uint64_t before;                /* the bit before the part */
	uint32_t run;                   /* first run of the part */
} side;

typedef struct joiner {
	crn_components *c;
	const crn_run_kernels *kernels;
	side a, b;
	uint32_t *pairs;
} joiner;

/* Row `row` of a side: how many runs it has. */
static cairn_status open_row(side *s, int64_t row, cairn_error *err)
{
	const void *p;
	int64_t n_rows = crn_region_count(&s->box) / s->box.n[s->box.ndim - 1];
	uint64_t at = s->tile->rows_at + (uint64_t)(row & ~(int64_t)1) * sizeof(uint32_t);
	uint64_t left = (uint64_t)(n_rows + 1 - (row & ~(int64_t)1)) * sizeof(uint32_t);
	size_t n = (size_t)(2 + (row & 1)) * sizeof(uint32_t);
	CRN_TRY(crn_window_get(&s->rows, at, n, left, &p, err));
	const uint32_t *first = (const uint32_t *)p + (row & 1);
	if (first[1] < first[0] || first[1] > s->tile->n_runs)
		return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
	s->row = row;
	s->bits_left = (uint64_t)((n_rows - row) * s->n_words) * sizeof(uint64_t);
	s->first_run = first[0];
	s->n_runs = first[1] - first[0];
	s->before = 0;
	s->run = 0;
	return CAIRN_OK;
}

static cairn_status row_words(
	side *s, int64_t from, int64_t n, const uint64_t **ret, cairn_error *err)
{
	const void *p;
	uint64_t at = (uint64_t)(s->row * s->n_words + from) * sizeof(uint64_t);
	uint64_t left = s->rows_in_order ? s->bits_left : (uint64_t)s->n_words * sizeof(uint64_t);
	CRN_TRY(crn_window_get(&s->bits, s->tile->bits_at + at, (size_t)n * sizeof(uint64_t),
		left - (uint64_t)from * sizeof(uint64_t), &p, err));
	*ret = p;
	return CAIRN_OK;
}

/* Component, over all tiles, of run `run` of the row. */
static cairn_status component_of(side *s, uint32_t run, uint32_t *ret, cairn_error *err)
{
	const void *p;
	uint32_t size = s->tile->component_size, i = s->first_run + run, first = i & ~7u;
	uint32_t row_end = s->first_run + s->n_runs;
	uint32_t useful = (s->rows_in_order ? s->tile->n_runs : row_end) - first;
	CRN_TRY(crn_window_get(&s->components, s->tile->component_at + (uint64_t)first * size,
		(size_t)(i - first + 1) * size, (uint64_t)useful * size, &p, err));
	uint32_t number = 0;
	memcpy(&number, (const char *)p + (size_t)(i - first) * size, size);
	if (number >= s->tile->n_components)
		return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
	*ret = s->tile->base + number;
	return CAIRN_OK;
}

static void join(crn_paged_table *ids, uint32_t a, uint32_t b)
{
	a = crn_find_root(ids, a);
	b = crn_find_root(ids, b);
	if (a < b)
		crn_paged_set(ids, b, a + 1);
	else if (b < a)
		crn_paged_set(ids, a, b + 1);
}

static cairn_status join_runs(joiner *j, uint32_t run_a, uint32_t run_b, cairn_error *err)
{
	uint32_t a, b;
	CRN_TRY(component_of(&j->a, run_a, &a, err));
	CRN_TRY(component_of(&j->b, run_b, &b, err));
	join(&j->c->ids, a, b);
	return CAIRN_OK;
}

/* Words of a part of the row; numbers its runs. */
static cairn_status open_part(
	joiner *j, side *s, int64_t from, int64_t n, const uint64_t **ret, cairn_error *err)
{
	CRN_TRY(row_words(s, from, n, ret, err));
	s->first[n] =
		j->kernels->first_runs(*ret, n, s->before != 0, j->c->singles, s->run, s->first);
	return CAIRN_OK;
}

static void close_part(side *s, int64_t n, const uint64_t *words)
{
	s->run = s->first[n];
	s->before = words[n - 1] >> 63;
}

/* Rows of tiles that share their x range. */
static cairn_status join_rows(joiner *j, crn_touch how, cairn_error *err)
{
	side *a = &j->a, *b = &j->b;
	for (int64_t from = 0; from < a->n_words; from += PART_WORDS) {
		int64_t n = a->n_words - from < PART_WORDS ? a->n_words - from : PART_WORDS;
		int64_t more = from + n < a->n_words;
		crn_touch_rows t = {.first_a = a->first,
			.first_b = b->first,
			.n_words = n,
			.a_before = a->before != 0,
			.b_before = b->before != 0,
			.how = how,
			.singles = j->c->singles};
		CRN_TRY(open_part(j, a, from, n, &t.a, err));
		CRN_TRY(row_words(b, from, n + more, &t.b, err));
		t.b_after = more && (t.b[n] & 1);
		CRN_TRY(open_part(j, b, from, n, &t.b, err));
		int64_t n_pairs = j->kernels->touching(&t, j->pairs);
		close_part(a, n, t.a);
		close_part(b, n, t.b);
		for (int64_t i = 0; i < n_pairs; i++)
			CRN_TRY(join_runs(j, j->pairs[2 * i], j->pairs[2 * i + 1], err));
	}
	return CAIRN_OK;
}

static cairn_status has_bit(side *s, int64_t x, bool *ret, cairn_error *err)
{
	const void *p;
	uint64_t at = (uint64_t)(s->row * s->n_words + x / 64) * sizeof(uint64_t);
	uint64_t useful = s->n_words < SHORT_WORDS ? s->bits_left - (uint64_t)(x / 64) * 8 : 8;
	CRN_TRY(crn_window_get(&s->bits, s->tile->bits_at + at, 8, useful, &p, err));
	*ret = *(const uint64_t *)p >> (x % 64) & 1;
	return CAIRN_OK;
}

/* Rows of tiles that follow each other in x: only their ends touch. `way` 1: b follows a. */
static cairn_status join_ends(joiner *j, int way, cairn_error *err)
{
	int x = j->c->ndim - 1;
	bool ends_a, ends_b;
	CRN_TRY(has_bit(&j->a, way > 0 ? j->a.box.n[x] - 1 : 0, &ends_a, err));
	CRN_TRY(has_bit(&j->b, way > 0 ? 0 : j->b.box.n[x] - 1, &ends_b, err));
	if (!ends_a || !ends_b)
		return CAIRN_OK;
	return join_runs(j, way > 0 ? j->a.n_runs - 1 : 0, way > 0 ? 0 : j->b.n_runs - 1, err);
}

/* Joins the two open rows when tile b lies `way` of tile a in x. */
static cairn_status join_open_rows(joiner *j, crn_touch how, int way, cairn_error *err)
{
	if (j->a.n_runs == 0 || j->b.n_runs == 0)
		return CAIRN_OK;
	return way == 0 ? join_rows(j, how, err) : join_ends(j, way, err);
}

/* Rows of tile a whose row + step lies in tile b, along row axis d: [*lo, *end). */
static void row_range(const crn_region *a, int d, int way, int step, int64_t *lo, int64_t *end)
{
	*lo = way > 0 ? a->n[d] - 1 : way < 0 ? 0 : step < 0 ? 1 : 0;
	*end = way < 0 ? 1 : way == 0 && step > 0 ? a->n[d] - 1 : a->n[d];
	if (way != 0 && step != way)
		*end = *lo;
}

static cairn_status join_link(joiner *j, const int *way, const crn_link *link, cairn_error *err)
{
	const crn_region *box_a = &j->a.box, *box_b = &j->b.box;
	int n_axes = box_a->ndim - 1;
	int64_t lo[CRN_MAX_NDIM], end[CRN_MAX_NDIM], idx[CRN_MAX_NDIM];
	crn_touch along = way[n_axes] > 0 ? CRN_TOUCH_AFTER : CRN_TOUCH_BEFORE;
	if (way[n_axes] != 0 && link->how != CRN_TOUCH_WIDE && link->how != along)
		return CAIRN_OK;
	for (int d = 0; d < n_axes; d++) {
		row_range(box_a, d, way[d], link->row[d], &lo[d], &end[d]);
		if (lo[d] >= end[d])
			return CAIRN_OK;
		idx[d] = lo[d];
	}
	for (;;) {
		int64_t row_a = 0, row_b = 0;
		for (int d = 0; d < n_axes; d++) {
			int64_t other = way[d] > 0   ? 0
					: way[d] < 0 ? box_b->n[d] - 1
						     : idx[d] + link->row[d];
			row_a = row_a * box_a->n[d] + idx[d];
			row_b = row_b * box_b->n[d] + other;
		}
		CRN_TRY(open_row(&j->a, row_a, err));
		CRN_TRY(open_row(&j->b, row_b, err));
		CRN_TRY(join_open_rows(j, link->how, way[n_axes], err));
		int d = n_axes - 1;
		while (d >= 0 && ++idx[d] == end[d]) {
			idx[d] = lo[d];
			d--;
		}
		if (d < 0)
			return CAIRN_OK;
	}
}

static void look_at(side *s, const crn_components *c, int64_t tile, bool rows_in_order)
{
	s->tile = &c->tiles[tile];
	s->box = crn_components_box(c, tile);
	s->n_words = crn_bit_words(s->box.n[c->ndim - 1]);
	s->rows_in_order = rows_in_order;
}

static cairn_status join_tiles(
	joiner *j, int64_t tile, int64_t other, const int *way, cairn_error *err)
{
	crn_components *c = j->c;
	if (c->tiles[tile].n_runs == 0 || c->tiles[other].n_runs == 0)
		return CAIRN_OK;
	/* Rows of a face across axis 0, or of a tile that follows in x, lie side by side. */
	bool rows_apart = false, in_order = true;
	for (int d = 0; d + 1 < c->ndim; d++) {
		rows_apart = rows_apart || way[d] != 0;
		in_order = in_order && (d == 0 || way[d] == 0);
	}
	look_at(&j->a, c, tile, in_order);
	look_at(&j->b, c, other, in_order);
	for (int l = 0; l < c->n_links; l++)
		CRN_TRY(join_link(j, way, &c->links[l], err));
	crn_link in_row = {.how = CRN_TOUCH_WIDE};
	return !c->singles && !rows_apart ? join_link(j, way, &in_row, err) : CAIRN_OK;
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

static cairn_status joiner_alloc(const crn_env *env, size_t n, void *ret, cairn_error *err)
{
	return crn_charged_alloc(env, "joining components", n, 1, ret, err);
}

cairn_status crn_components_join(crn_components *c, cairn_error *err)
{
	enum { N_WINDOWS = 6, PAIR_BYTES = 128 * PART_WORDS * sizeof(uint32_t) };
	if (c->grid.n_tiles < 2)
		return CAIRN_OK;
	joiner *j = NULL;
	char *windows = NULL;
	uint32_t *pairs = NULL;
	const crn_env *env = c->env;
	cairn_status status = joiner_alloc(env, sizeof(*j), &j, err);
	if (status == CAIRN_OK)
		status = joiner_alloc(env, N_WINDOWS * WINDOW_BYTES, &windows, err);
	if (status == CAIRN_OK)
		status = joiner_alloc(env, PAIR_BYTES, &pairs, err);
	if (status == CAIRN_OK) {
		*j = (joiner){
			.c = c, .kernels = CRN_ISA_PICK(crn_run_kernels, env->isa), .pairs = pairs};
		crn_window *w[N_WINDOWS] = {&j->a.rows, &j->a.bits, &j->a.components, &j->b.rows,
			&j->b.bits, &j->b.components};
		for (int k = 0; k < N_WINDOWS; k++)
			*w[k] = (crn_window){.env = env,
				.data = windows + k * WINDOW_BYTES,
				.cap = WINDOW_BYTES};
		status = join_all(j, err);
	}
	crn_charged_free(env, &pairs, PAIR_BYTES, 1);
	crn_charged_free(env, &windows, N_WINDOWS * WINDOW_BYTES, 1);
	crn_charged_free(env, &j, sizeof(*j), 1);
	return status;
}

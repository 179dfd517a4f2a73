/* SPDX-License-Identifier: Apache-2.0
 *
 * components_paint.c -- components: painting ids or flags into any region, from what the tiles left
 * in the scratch file.
 *
 * A row of a tile is painted in batches of words: the runs that start in a batch get their ids in
 * one go, then the bits are spread to elements. Batches that lie inside the region go straight to
 * the output, others through a buffer. Threads: any; everything a call needs is in its scratch.
 */
#include "ops/components.h"

#include <string.h>

enum {
	BATCH = 32, /* words */
	MOST_RUNS = 64 * BATCH,
	WINDOW_BYTES = 32768,
};

/* A call's scratch. */
typedef struct space {
	crn_page_cache pages;
	uint64_t rows[WINDOW_BYTES / 8], bits[WINDOW_BYTES / 8], components[WINDOW_BYTES / 8];
	uint32_t index[MOST_RUNS], ids[MOST_RUNS + 1], first[BATCH];
	uint64_t painted[MOST_RUNS];
} space;

typedef struct painter {
	const crn_components *c;
	const crn_call *call;
	const crn_run_kernels *kernels;
	space *s;
	crn_window rows, bits, components;
	size_t size; /* of an output element */
	int log_size;
	/* The tile: */
	const crn_tile_record *tile;
	crn_region box;
	int64_t n_words;
	int64_t row_end; /* rows from here on are not asked for */
} painter;

size_t crn_components_scratch(const crn_node *n, const crn_region *out)
{
	(void)n;
	(void)out;
	return sizeof(space);
}

/* Which elements of the region's axis d lie at [lo, lo + n) of the array: [*from, *end). */
static void wanted(const crn_region *r, int d, int64_t lo, int64_t n, int64_t *from, int64_t *end)
{
	int64_t step = r->step[d], before = lo - r->lo[d], until = before + n;
	*from = before > 0 ? (before + step - 1) / step : 0;
	*end = until > 0 ? (until + step - 1) / step : 0;
	*end = *end < r->n[d] ? *end : r->n[d];
}

/* ids of the runs [from, from + n) of the tile to s->ids[1 ...]. */
static cairn_status read_ids(painter *p, uint32_t from, uint32_t n, cairn_error *err)
{
	const crn_tile_record *t = p->tile;
	uint32_t size = t->component_size, first = from & ~7u;
	const void *bytes;
	if (n == 0)
		return CAIRN_OK;
	if (n > t->n_runs || from > t->n_runs - n)
		return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
	CRN_TRY(crn_window_get(&p->components, t->component_at + (uint64_t)first * size,
		(size_t)(from - first + n) * size,
		(uint64_t)(t->n_runs - first < 4 * n ? t->n_runs - first : 4 * n) * size, &bytes,
		err));
	const char *at = (const char *)bytes + (size_t)(from - first) * size;
	uint32_t *index = p->s->index;
	for (uint32_t i = 0; size == 1 && i < n; i++)
		index[i] = (uint8_t)at[i];
	for (uint32_t i = 0; size == 2 && i < n; i++)
		index[i] = ((const uint16_t *)at)[i];
	if (size == 4)
		index = (uint32_t *)at;
	CRN_TRY(crn_paged_gather(&p->c->ids, &p->s->pages, t->base, index, n, p->s->ids + 1, err));
	for (uint32_t i = 1; i <= n; i++)
		p->s->ids[i] &= INT32_MAX; /* the top bit says that the entry is final */
	return CAIRN_OK;
}

static void clear_row(const painter *p, char *row)
{
	int64_t from, end;
	int x = p->c->ndim - 1;
	wanted(&p->call->out_region, x, p->box.lo[x], p->box.n[x], &from, &end);
	if (from < end)
		memset(row + (size_t)from * p->size, 0, (size_t)(end - from) * p->size);
}

/* Copies what the region wants of painted elements at [lo, lo + n) of the array's x. */
static void copy_wanted(const painter *p, char *row, const char *painted, int64_t lo, int64_t n)
{
	const crn_region *r = &p->call->out_region;
	int64_t step = r->step[r->ndim - 1], i, end;
	wanted(r, r->ndim - 1, lo, n, &i, &end);
	painted += (size_t)(r->lo[r->ndim - 1] - lo + i * step) * p->size;
	if (step == 1 && i < end)
		memcpy(row + (size_t)i * p->size, painted, (size_t)(end - i) * p->size);
	for (; step > 1 && i < end; i++, painted += (size_t)step * p->size)
		memcpy(row + (size_t)i * p->size, painted, p->size);
}

/* One batch of words of a row that starts at x = lo of the array. */
static void paint_batch(painter *p, char *row, crn_paint_row *b, int64_t lo)
{
	const crn_region *r = &p->call->out_region;
	int x = r->ndim - 1;
	int64_t n = 64 * b->n_words, until = r->lo[x] + r->n[x];
	bool direct = r->step[x] == 1 && lo >= r->lo[x] && lo + n <= until;
	b->out = direct ? row + (size_t)(lo - r->lo[x]) * p->size : (char *)p->s->painted;
	p->kernels->paint[p->log_size](b);
	if (!direct)
		copy_wanted(p, row, b->out, lo, n);
}

/* A row of any length. */
static cairn_status paint_long_row(painter *p, int64_t row, char *to, cairn_error *err)
{
	const crn_components *c = p->c;
	const crn_region *r = &p->call->out_region;
	const void *bytes;
	int x = c->ndim - 1;
	int64_t left = p->box.lo[x], last = crn_region_last(r, x) - left;
	int64_t even = row & ~(int64_t)1;
	CRN_TRY(crn_window_get(&p->rows, p->tile->rows_at + (uint64_t)even * sizeof(uint32_t),
		(size_t)(1 + (row & 1)) * sizeof(uint32_t),
		(uint64_t)(p->row_end + 1 - even) * sizeof(uint32_t), &bytes, err));
	uint32_t run = ((const uint32_t *)bytes)[row & 1];
	bool before = false;
	p->s->ids[0] = 0;
	for (int64_t w = 0; w < p->n_words && 64 * w <= last; w += BATCH) {
		int64_t n = p->n_words - w < BATCH ? p->n_words - w : BATCH;
		CRN_TRY(crn_window_get(&p->bits,
			p->tile->bits_at + (uint64_t)(row * p->n_words + w) * sizeof(uint64_t),
			(size_t)n * sizeof(uint64_t),
			(uint64_t)((p->row_end - row) * p->n_words - w) * sizeof(uint64_t), &bytes,
			err));
		crn_paint_row b = {.bits = bytes,
			.n_words = n,
			.before = before,
			.singles = c->singles,
			.ids = p->s->ids};
		uint32_t end =
			p->kernels->first_runs(b.bits, n, before, c->singles, run, p->s->first);
		CRN_TRY(read_ids(p, run, end - run, err));
		if (left + 64 * (w + n) > r->lo[x])
			paint_batch(p, to, &b, left + 64 * w);
		p->s->ids[0] = p->s->ids[end - run];
		run = end;
		before = b.bits[n - 1] >> 63;
	}
	return CAIRN_OK;
}

/* Those words of a row that the region looks at; ids[1] belongs to the row's first run. */
static void paint_short_row(painter *p, char *to, const uint64_t *bits, const uint32_t *ids)
{
	const crn_region *r = &p->call->out_region;
	int x = r->ndim - 1;
	int64_t lo = r->lo[x] - p->box.lo[x], last = crn_region_last(r, x) - p->box.lo[x];
	int64_t from = lo > 0 ? lo / 64 : 0, end = last / 64 + 1;
	end = end < p->n_words ? end : p->n_words;
	if (from > 0)
		ids += p->kernels->first_runs(bits, from, false, p->c->singles, 0, p->s->first);
	crn_paint_row b = {.bits = bits + from,
		.n_words = end - from,
		.before = from > 0 && bits[from - 1] >> 63,
		.singles = p->c->singles,
		.ids = ids};
	paint_batch(p, to, &b, p->box.lo[x] + 64 * from);
}

/* Rows of the tile along the last row axis, and where they go. */
typedef struct line {
	int64_t row, n, step; /* n rows, step apart */
	char *to;
	int64_t stride; /* bytes from one row of the output to the next */
} line;

/* As many short rows of the line as fit the buffers; *ret_n: how many. */
static cairn_status paint_rows(painter *p, const line *l, int64_t *ret_n, cairn_error *err)
{
	enum { MOST_ROWS = 128 };
	int64_t odd = l->row & 1, most = (MOST_ROWS - 1) / l->step + 1;
	int64_t n = l->n < most ? l->n : most, span = (n - 1) * l->step + 1;
	const void *bytes;
	CRN_TRY(crn_window_get(&p->rows, p->tile->rows_at + (uint64_t)(l->row - odd) * 4,
		(size_t)(odd + span + 1) * 4, (uint64_t)(p->row_end + 1 - l->row + odd) * 4, &bytes,
		err));
	const uint32_t *first = (const uint32_t *)bytes + odd;
	for (int64_t k = 0; k < span; k++)
		if (first[k + 1] < first[k])
			return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
	while (n > 1 && first[span] - first[0] > MOST_RUNS) {
		n /= 2;
		span = (n - 1) * l->step + 1;
	}
	CRN_TRY(read_ids(p, first[0], first[span] - first[0], err));
	CRN_TRY(crn_window_get(&p->bits,
		p->tile->bits_at + (uint64_t)(l->row * p->n_words) * sizeof(uint64_t),
		(size_t)(span * p->n_words) * sizeof(uint64_t),
		(uint64_t)((p->row_end - l->row) * p->n_words) * sizeof(uint64_t), &bytes, err));
	for (int64_t k = 0; k < span; k += l->step) {
		char *to = l->to + k / l->step * l->stride;
		if (first[k] == first[k + 1])
			clear_row(p, to);
		else
			paint_short_row(p, to, (const uint64_t *)bytes + k * p->n_words,
				p->s->ids + (first[k] - first[0]));
	}
	*ret_n = n;
	return CAIRN_OK;
}

static cairn_status paint_line(painter *p, line l, cairn_error *err)
{
	for (int64_t n; l.n > 0; l.n -= n) {
		n = 1;
		if (p->tile->n_runs == 0)
			clear_row(p, l.to);
		else if (p->n_words > BATCH || l.step > MOST_RUNS)
			CRN_TRY(paint_long_row(p, l.row, l.to, err));
		else
			CRN_TRY(paint_rows(p, &l, &n, err));
		l.row += n * l.step;
		l.to += n * l.stride;
	}
	return CAIRN_OK;
}

/* What the region wants of a tile, line by line. */
static cairn_status paint_tile(painter *p, int64_t tile, cairn_error *err)
{
	const crn_view *out = &p->call->out;
	const crn_region *r = &p->call->out_region;
	int x = r->ndim - 1, last = x - 1;
	int64_t from[CRN_MAX_NDIM], end[CRN_MAX_NDIM], at[CRN_MAX_NDIM] = {0};
	p->tile = &p->c->tiles[tile];
	p->box = crn_components_box(p->c, tile);
	p->n_words = crn_bit_words(p->box.n[x]);
	p->row_end = 0;
	for (int d = 0; d <= x; d++) {
		wanted(r, d, p->box.lo[d], p->box.n[d], &from[d], &end[d]);
		if (from[d] >= end[d])
			return CAIRN_OK;
		at[d] = from[d];
		if (d < x)
			p->row_end = p->row_end * p->box.n[d] + r->lo[d] +
				     (end[d] - 1) * r->step[d] - p->box.lo[d];
	}
	p->row_end++;
	for (;;) {
		line l = {.n = 1, .step = 1, .to = out->data};
		for (int d = 0; d <= last; d++) {
			l.row = l.row * p->box.n[d] + r->lo[d] + at[d] * r->step[d] - p->box.lo[d];
			l.to += at[d] * out->stride[d];
		}
		if (last >= 0) {
			l.n = end[last] - from[last];
			l.step = r->step[last];
			l.stride = out->stride[last];
		}
		CRN_TRY(paint_line(p, l, err));
		int d = last - 1;
		while (d >= 0 && ++at[d] == end[d]) {
			at[d] = from[d];
			d--;
		}
		if (d < 0)
			return CAIRN_OK;
	}
}

static cairn_status paint_tiles(painter *p, cairn_error *err)
{
	const crn_components *c = p->c;
	const crn_region *r = &p->call->out_region;
	int64_t lo[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], end[CRN_MAX_NDIM];
	for (int d = 0; d < c->ndim; d++) {
		idx[d] = lo[d] = r->lo[d] / c->grid.tile[d];
		end[d] = crn_region_last(r, d) / c->grid.tile[d] + 1;
	}
	for (;;) {
		CRN_TRY(paint_tile(p, crn_ravel(idx, c->ndim, c->grid.n), err));
		int d = c->ndim - 1;
		while (d >= 0 && ++idx[d] == end[d]) {
			idx[d] = lo[d];
			d--;
		}
		if (d < 0)
			return CAIRN_OK;
	}
}

static void flip_bytes(const crn_view *out, uint8_t flip)
{
	crn_rows rows;
	for (crn_rows_begin(&rows, out->ndim, out->shape); !rows.end; crn_rows_next(&rows)) {
		uint8_t *v = crn_rows_at(&rows, out);
		for (int64_t i = 0; i < rows.n; i++)
			v[i] ^= flip;
	}
}

cairn_status crn_components_paint(const crn_call *call, uint8_t flip, cairn_error *err)
{
	const crn_components *c = call->state;
	space *s = call->scratch;
	painter p = {.c = c,
		.call = call,
		.kernels = CRN_ISA_PICK(crn_run_kernels, c->env->isa),
		.s = s,
		.size = crn_dtype_size(call->out.dtype)};
	if (crn_region_empty(&call->out_region))
		return CAIRN_OK;
	p.log_size = __builtin_ctz((unsigned)p.size);
	memset(s->pages.held, 0, sizeof(s->pages.held));
	p.rows = (crn_window){.env = c->env, .data = (char *)s->rows, .cap = WINDOW_BYTES};
	p.bits = (crn_window){.env = c->env, .data = (char *)s->bits, .cap = WINDOW_BYTES};
	p.components =
		(crn_window){.env = c->env, .data = (char *)s->components, .cap = WINDOW_BYTES};
	CRN_TRY(paint_tiles(&p, err));
	if (flip)
		flip_bytes(&call->out, flip);
	return CAIRN_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * label_measure.c -- from the workers' tables of labels to one. See label_table.h.
 *
 * As long as no table has spilled, rows are added up in one table in memory and sorted. Otherwise
 * pieces are merged, up to FAN at a time, until one is left: each merge reads and writes every row
 * once, through windows.
 */
#include "ops/label_table.h"

#include "base/mem.h"

#include <string.h>

enum { FAN = 16 };

void crn_label_measure_init(
	crn_label_measure *m, const crn_env *env, crn_dtype labels, size_t row_bytes)
{
	m->table = (crn_label_table){
		.env = env, .row_bytes = row_bytes, .is_signed = crn_dtype_kind(labels) == 'i'};
}

void crn_label_measure_done(crn_label_measure *m)
{
	crn_label_table_done(&m->table);
}

/* ---- partials ---- */

int crn_label_n_passes(const crn_node *n)
{
	(void)n;
	return 1;
}

cairn_status crn_label_pass_begin(void *state, int pass, const crn_grid *grid, cairn_error *err)
{
	(void)state;
	(void)pass;
	(void)grid;
	(void)err;
	return CAIRN_OK; /* tables grow as labels come */
}

size_t crn_label_partial_bytes(const crn_node *n, int pass)
{
	(void)n;
	(void)pass;
	return sizeof(crn_label_table);
}

void crn_label_partial_init(const void *state, int pass, void *partial)
{
	const crn_label_measure *m = state;
	(void)pass;
	*(crn_label_table *)partial = (crn_label_table){.env = m->table.env,
		.row_bytes = m->table.row_bytes,
		.is_signed = m->table.is_signed};
}

void crn_label_partial_done(const void *state, int pass, void *partial)
{
	(void)state;
	(void)pass;
	crn_label_table_done(partial);
}

int crn_label_partial_save(const void *state, int pass, const void *partial, crn_bytes *ret)
{
	const crn_label_table *t = partial;
	(void)state;
	(void)pass;
	ret[0] = (crn_bytes){&t->head, sizeof(t->head)};
	ret[1] = (crn_bytes){t->pieces, t->head.n_pieces * sizeof(*t->pieces)};
	ret[2] = (crn_bytes){t->rows, t->head.n_slots * t->row_bytes};
	return 3;
}

cairn_status crn_label_partial_load(
	void *state, int pass, void *partial, const void *bytes, size_t n, cairn_error *err)
{
	crn_label_table *t = partial, saved = *t;
	const char *at = bytes;
	size_t rows, pieces;
	(void)state;
	(void)pass;
	if (n >= sizeof(saved.head))
		memcpy(&saved.head, at, sizeof(saved.head));
	bool whole = n >= sizeof(saved.head) &&
		     crn_mul_size(saved.head.n_slots, t->row_bytes, &rows) &&
		     crn_mul_size(saved.head.n_pieces, sizeof(*t->pieces), &pieces) &&
		     (n -= sizeof(saved.head)) >= rows && n - rows == pieces;
	if (!whole)
		return crn_fail(err, CAIRN_FAILED, "a kept table of labels has a wrong size");
	at += sizeof(saved.head);
	for (uint64_t i = 0; i < saved.head.n_pieces; i++) {
		crn_label_piece piece;
		memcpy(&piece, at + i * sizeof(piece), sizeof(piece));
		CRN_TRY(crn_label_table_add_piece(t, piece, err));
	}
	if (rows > 0) {
		CRN_TRY(crn_charged_alloc(t->env, "the table of labels", saved.head.n_slots,
			t->row_bytes, &t->rows, err));
		memcpy(t->rows, at + pieces, rows);
	}
	t->head = saved.head;
	return CAIRN_OK;
}

/* ---- merging ---- */

cairn_status crn_label_merge(void *state, int pass, void *partial, cairn_error *err)
{
	crn_label_measure *m = state;
	crn_label_table *from = partial;
	(void)pass;
	for (size_t i = 0; i < from->head.n_pieces; i++)
		CRN_TRY(crn_label_table_add_piece(&m->table, from->pieces[i], err));
	for (size_t i = 0; i < from->head.n_slots; i++) {
		const char *b = from->rows + i * from->row_bytes;
		uint64_t label = *(const uint64_t *)b;
		char *a;
		bool fresh;
		if (label == 0)
			continue;
		CRN_TRY(crn_label_table_add(&m->table, label, &a, &fresh, err));
		if (fresh)
			memcpy(a, b, from->row_bytes);
		else
			m->add_row(m, a, b);
	}
	crn_label_table_done(from);
	return CAIRN_OK;
}

/* One of the pieces being merged. */
typedef struct source {
	crn_label_piece piece;
	uint64_t next;
	crn_window window;
	const char *row; /* NULL at the end */
} source;

typedef struct merger {
	crn_label_measure *m;
	source from[FAN];
	char *out; /* out_rows rows; the last one is still being added to */
	size_t n_out, out_rows;
	crn_label_piece piece;
} merger;

static cairn_status next_row(const crn_label_table *t, source *s, cairn_error *err)
{
	const void *p = NULL;
	if (s->next < s->piece.n_rows)
		CRN_TRY(crn_window_get(&s->window, s->piece.at + s->next * t->row_bytes,
			t->row_bytes, (s->piece.n_rows - s->next) * t->row_bytes, &p, err));
	s->next++;
	s->row = p;
	return CAIRN_OK;
}

/* Writes rows that are finished. The pass is over, so nobody spills between two writes and they lie
 * side by side. */
static cairn_status write_rows(merger *g, size_t n, cairn_error *err)
{
	const crn_label_table *t = &g->m->table;
	uint64_t at;
	CRN_TRY(t->env->spill(t->env->engine, g->out, n * t->row_bytes, &at, err));
	if (g->piece.n_rows == 0)
		g->piece.at = at;
	else if (at != g->piece.at + g->piece.n_rows * t->row_bytes)
		return crn_fail(err, CAIRN_FAILED, "the scratch file grew from elsewhere");
	g->piece.n_rows += n;
	return CAIRN_OK;
}

static cairn_status put_row(merger *g, const char *row, cairn_error *err)
{
	size_t size = g->m->table.row_bytes;
	char *last = g->n_out ? g->out + (g->n_out - 1) * size : NULL;
	if (last && *(const uint64_t *)last == *(const uint64_t *)row) {
		g->m->add_row(g->m, last, row);
		return CAIRN_OK;
	}
	if (g->n_out == g->out_rows) {
		CRN_TRY(write_rows(g, g->n_out, err));
		g->n_out = 0;
	}
	memcpy(g->out + g->n_out++ * size, row, size);
	return CAIRN_OK;
}

/* Merges pieces [first, first + n) into one, which takes the place of the first. */
static cairn_status merge_pieces(merger *g, size_t first, int n, cairn_error *err)
{
	crn_label_table *t = &g->m->table;
	g->n_out = 0;
	for (int k = 0; k < n; k++) {
		source *s = &g->from[k];
		s->piece = t->pieces[first + (size_t)k];
		s->next = 0;
		CRN_TRY(next_row(t, s, err));
	}
	g->piece = (crn_label_piece){0};
	for (;;) {
		source *least = NULL;
		for (int k = 0; k < n; k++) {
			source *s = &g->from[k];
			if (s->row &&
				(!least || crn_label_key(t, s->row) < crn_label_key(t, least->row)))
				least = s;
		}
		if (!least)
			break;
		CRN_TRY(put_row(g, least->row, err));
		CRN_TRY(next_row(t, least, err));
	}
	CRN_TRY(write_rows(g, g->n_out, err));
	t->pieces[first] = g->piece;
	return CAIRN_OK;
}

static cairn_status merge_all(merger *g, cairn_error *err)
{
	crn_label_table *t = &g->m->table;
	while (t->head.n_pieces > 1) {
		size_t kept = 0;
		for (size_t first = 0; first < t->head.n_pieces; first += FAN) {
			size_t left = t->head.n_pieces - first;
			CRN_TRY(merge_pieces(g, first, left < FAN ? (int)left : FAN, err));
			t->pieces[kept++] = t->pieces[first];
		}
		t->head.n_pieces = kept;
	}
	return CAIRN_OK;
}

static cairn_status merge_spilled(crn_label_measure *m, cairn_error *err)
{
	crn_label_table *t = &m->table;
	size_t buffer = crn_label_buffer_bytes(m);
	merger *g = NULL;
	char *memory = NULL;
	CRN_TRY(crn_label_table_flush(t, err));
	crn_charged_free(t->env, &t->rows, t->head.n_slots, t->row_bytes);
	t->head.n_slots = 0;
	CRN_TRY(crn_charged_alloc(t->env, "merging labels", 1, sizeof(*g), &g, err));
	cairn_status status =
		crn_charged_alloc(t->env, "merging labels", FAN + 1, buffer, &memory, err);
	if (status == CAIRN_OK) {
		g->m = m;
		g->out = memory + FAN * buffer;
		g->out_rows = buffer / t->row_bytes;
		for (int k = 0; k < FAN; k++)
			g->from[k].window = (crn_window){.env = t->env,
				.data = memory + (size_t)k * buffer,
				.cap = buffer / t->row_bytes * t->row_bytes};
		status = merge_all(g, err);
	}
	crn_charged_free(t->env, &memory, FAN + 1, buffer);
	crn_charged_free(t->env, &g, 1, sizeof(*g));
	return status;
}

cairn_status crn_label_pass_end(void *state, int pass, cairn_error *err)
{
	crn_label_measure *m = state;
	(void)pass;
	if (m->table.head.n_pieces > 0)
		return merge_spilled(m, err);
	if (!m->for_look_up)
		crn_label_table_sort(&m->table);
	return CAIRN_OK;
}

/* ---- reading ---- */

uint64_t crn_label_n_rows(const crn_label_measure *m)
{
	return m->table.head.n_pieces ? m->table.pieces[0].n_rows : m->table.head.n;
}

size_t crn_label_buffer_bytes(const crn_label_measure *m)
{
	size_t row = m->table.row_bytes;
	return row > CRN_LABEL_READER_BYTES ? row : CRN_LABEL_READER_BYTES;
}

void crn_label_reader_init(crn_label_reader *r, const crn_label_measure *m, void *buffer)
{
	*r = (crn_label_reader){.measure = m, .n_rows = crn_label_n_rows(m)};
	r->window =
		(crn_window){.env = m->table.env, .data = buffer, .cap = crn_label_buffer_bytes(m)};
}

/* Row i; from the scratch file with the `more` rows that follow. */
static cairn_status read_row(
	crn_label_reader *r, uint64_t i, uint64_t more, const char **ret, cairn_error *err)
{
	const crn_label_table *t = &r->measure->table;
	const void *p;
	if (t->head.n_pieces == 0) {
		*ret = t->rows + i * t->row_bytes;
		return CAIRN_OK;
	}
	more = more < r->n_rows - i - 1 ? more : r->n_rows - i - 1;
	CRN_TRY(crn_window_get(&r->window, t->pieces[0].at + i * t->row_bytes, t->row_bytes,
		(1 + more) * t->row_bytes, &p, err));
	*ret = p;
	return CAIRN_OK;
}

cairn_status crn_label_reader_row(
	crn_label_reader *r, uint64_t i, const char **ret, cairn_error *err)
{
	return read_row(r, i, r->n_rows, ret, err);
}

cairn_status crn_label_reader_find(
	crn_label_reader *r, uint64_t label, const char **ret, cairn_error *err)
{
	const crn_label_table *t = &r->measure->table;
	uint64_t key = crn_label_key(t, (const char *)&label), from = 0, end = r->n_rows;
	uint64_t in_window = r->window.cap / t->row_bytes;
	*ret = NULL;
	if (r->measure->for_look_up && t->head.n_pieces == 0) {
		*ret = crn_label_table_find(t, label);
		return CAIRN_OK;
	}
	while (from < end) {
		uint64_t middle = from + (end - from) / 2;
		const char *row;
		/* The last steps are made in one window. */
		if (end - from <= in_window)
			CRN_TRY(read_row(r, from, end - from - 1, &row, err));
		CRN_TRY(read_row(r, middle, 0, &row, err));
		uint64_t k = crn_label_key(t, row);
		if (k == key) {
			*ret = row;
			return CAIRN_OK;
		}
		if (k < key)
			from = middle + 1;
		else
			end = middle;
	}
	return CAIRN_OK;
}

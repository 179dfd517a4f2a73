/* SPDX-License-Identifier: Apache-2.0
 *
 * label_table.c -- one worker's rows by label: open addressing, growing by doubling up to the
 * quota. See label_table.h.
 */
#include "ops/label_table.h"

#include "base/mem.h"

#include <string.h>

enum { LEAST_SLOTS = 64 };

static uint64_t label_of(const crn_label_table *t, size_t slot)
{
	uint64_t label;
	memcpy(&label, t->rows + slot * t->row_bytes, sizeof(label));
	return label;
}

static size_t slot_of(const crn_label_table *t, uint64_t label)
{
	/* Multiplicative hashing: ids in sequence spread over the table. */
	size_t mask = t->head.n_slots - 1;
	size_t slot = (size_t)((label * 0x9e3779b97f4a7c15u) >> 20) & mask;
	while (label_of(t, slot) != 0 && label_of(t, slot) != label)
		slot = (slot + 1) & mask;
	return slot;
}

void crn_label_table_done(crn_label_table *t)
{
	crn_charged_free(t->env, &t->rows, t->head.n_slots, t->row_bytes);
	crn_charged_free(t->env, &t->pieces, t->cap_pieces, sizeof(*t->pieces));
	t->head.n_slots = t->head.n = t->head.n_pieces = 0;
	t->cap_pieces = 0;
}

static cairn_status grow(crn_label_table *t, cairn_error *err)
{
	crn_label_table bigger = *t;
	bigger.head.n_slots = t->head.n_slots ? 2 * t->head.n_slots : LEAST_SLOTS;
	CRN_TRY(crn_charged_alloc(t->env, "the table of labels", bigger.head.n_slots, t->row_bytes,
		&bigger.rows, err));
	for (size_t i = 0; i < t->head.n_slots; i++)
		if (label_of(t, i) != 0)
			memcpy(bigger.rows + slot_of(&bigger, label_of(t, i)) * t->row_bytes,
				t->rows + i * t->row_bytes, t->row_bytes);
	crn_charged_free(t->env, &t->rows, t->head.n_slots, t->row_bytes);
	*t = bigger;
	return CAIRN_OK;
}

/* A quarter of the quota for the table, as it and its double are held while it grows, and workers
 * and the merge have a table each. */
static bool may_grow(const crn_label_table *t)
{
	return t->env->quota_bytes == 0 ||
	       2 * t->head.n_slots * t->row_bytes <= t->env->quota_bytes / 4;
}

/* Room for one more row: a larger table, else an empty one. */
static cairn_status make_room(crn_label_table *t, cairn_error *err)
{
	if (t->head.n_slots == 0)
		return grow(t, err);
	if (may_grow(t) && grow(t, NULL) == CAIRN_OK)
		return CAIRN_OK;
	return crn_label_table_flush(t, err);
}

cairn_status crn_label_table_add(
	crn_label_table *t, uint64_t label, char **ret_row, bool *ret_new, cairn_error *err)
{
	if (5 * (t->head.n + 1) > 3 * t->head.n_slots)
		CRN_TRY(make_room(t, err));
	size_t slot = slot_of(t, label);
	char *row = t->rows + slot * t->row_bytes;
	*ret_new = label_of(t, slot) == 0;
	if (*ret_new) {
		memcpy(row, &label, sizeof(label));
		t->head.n++;
	}
	*ret_row = row;
	return CAIRN_OK;
}

const char *crn_label_table_find(const crn_label_table *t, uint64_t label)
{
	if (t->head.n_slots == 0)
		return NULL;
	size_t slot = slot_of(t, label);
	return label_of(t, slot) ? t->rows + slot * t->row_bytes : NULL;
}

cairn_status crn_label_table_add_piece(crn_label_table *t, crn_label_piece piece, cairn_error *err)
{
	if (t->head.n_pieces == t->cap_pieces) {
		size_t cap = t->cap_pieces ? 2 * t->cap_pieces : 16;
		crn_label_piece *more = NULL;
		CRN_TRY(crn_charged_alloc(
			t->env, "pieces of tables", cap, sizeof(*more), &more, err));
		if (t->pieces)
			memcpy(more, t->pieces, t->head.n_pieces * sizeof(*more));
		crn_charged_free(t->env, &t->pieces, t->cap_pieces, sizeof(*more));
		t->pieces = more;
		t->cap_pieces = cap;
	}
	t->pieces[t->head.n_pieces++] = piece;
	return CAIRN_OK;
}

cairn_status crn_label_table_flush(crn_label_table *t, cairn_error *err)
{
	if (t->head.n == 0)
		return CAIRN_OK;
	crn_label_piece piece = {.n_rows = t->head.n};
	crn_label_table_sort(t);
	CRN_TRY(t->env->spill(t->env->engine, t->rows, t->head.n * t->row_bytes, &piece.at, err));
	CRN_TRY(crn_label_table_add_piece(t, piece, err));
	memset(t->rows, 0, t->head.n_slots * t->row_bytes);
	t->head.n = 0;
	return CAIRN_OK;
}

static void swap_rows(crn_label_table *t, size_t a, size_t b)
{
	uint64_t *x = (uint64_t *)(t->rows + a * t->row_bytes);
	uint64_t *y = (uint64_t *)(t->rows + b * t->row_bytes);
	for (size_t k = 0; k < t->row_bytes / 8; k++) {
		uint64_t v = x[k];
		x[k] = y[k];
		y[k] = v;
	}
}

static void sift(crn_label_table *t, size_t i, size_t n, uint64_t flip)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= n)
			return;
		if (child + 1 < n && (label_of(t, child) ^ flip) < (label_of(t, child + 1) ^ flip))
			child++;
		if ((label_of(t, i) ^ flip) >= (label_of(t, child) ^ flip))
			return;
		swap_rows(t, i, child);
		i = child;
	}
}

/* Heap sort: in place, so no memory beside the table, and no bad case. */
void crn_label_table_sort(crn_label_table *t)
{
	uint64_t flip = (uint64_t)t->is_signed << 63;
	size_t n = 0;
	for (size_t i = 0; i < t->head.n_slots; i++)
		if (label_of(t, i) != 0) {
			if (i != n)
				swap_rows(t, i, n);
			n++;
		}
	for (size_t i = n / 2; i-- > 0;)
		sift(t, i, n, flip);
	for (size_t end = n; end > 1;) {
		swap_rows(t, 0, --end);
		sift(t, 0, end, flip);
	}
}

#define RUN_END(type) \
	{ \
		const type *v = row; \
		type first = v[i]; \
		while (i + 8 <= n) { \
			type other = 0; \
			for (int k = 0; k < 8; k++) \
				other |= (type)(v[i + k] ^ first); \
			if (other) \
				break; \
			i += 8; \
		} \
		while (i < n && v[i] == first) \
			i++; \
		return i; \
	}

int64_t crn_label_run_end(crn_dtype t, const void *row, int64_t i, int64_t n)
{
	switch (crn_dtype_size(t)) {
	case 1:
		RUN_END(uint8_t)
	case 2:
		RUN_END(uint16_t)
	case 4:
		RUN_END(uint32_t)
	default:
		RUN_END(uint64_t)
	}
}

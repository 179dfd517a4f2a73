/* SPDX-License-Identifier: Apache-2.0
 *
 * label_table.h -- measuring label by label: a table from label to a row of fixed size, in memory
 *as long as it fits the op's quota, beyond that in sorted pieces of the scratch file.
 *
 *	crn_label_table		one worker's rows: a hash table; when it is full its rows are
 *				sorted, spilled, and it starts again
 *	crn_label_measure	the state of a pass over labels: collects the workers' tables, and
 *				merges pieces until one is left
 *
 * Labels are 64-bit patterns (signed ones sign-extended); 0 is background and never a key. A new
 *row is zeroed but for its label, which is its first 8 bytes. Threads: a table is confined to one
 *worker, or to the serial merge; a finished measure is read-only. Memory: all charged.
 */
#ifndef CRN_OPS_LABEL_TABLE_H
#define CRN_OPS_LABEL_TABLE_H

#include "ops/global_state.h"

/** Rows in the scratch file, ascending by label. */
typedef struct crn_label_piece {
	uint64_t at, n_rows;
} crn_label_piece;

typedef struct crn_label_table {
	const crn_env *env;
	bool is_signed;
	char *rows; /* n_slots rows; label 0: free */
	crn_label_piece *pieces;
	size_t row_bytes, cap_pieces;
	struct { /* with the arrays all that a checkpoint needs */
		uint64_t n_slots, n, n_pieces;
	} head;
} crn_label_table;

/** The row of a label, added when it is new (*ret_new). Rows move when the table grows. */
CRN_CHECKED cairn_status crn_label_table_add(
	crn_label_table *t, uint64_t label, char **ret_row, bool *ret_new, cairn_error *err);
void crn_label_table_done(crn_label_table *t);

/** First member of the state of an op that measures labels, so that the hooks below fit it. */
typedef struct crn_label_measure {
	crn_label_table table; /* of all workers; once finished: sorted rows, or one piece */
	/* Adds row b to row a of the same label. */
	void (*add_row)(const struct crn_label_measure *m, char *a, const char *b);
	bool for_look_up; /* rows in memory are not sorted, only found */
} crn_label_measure;

/** row_bytes: a multiple of 8, the label's 8 bytes included. No memory yet. */
void crn_label_measure_init(
	crn_label_measure *m, const crn_env *env, crn_dtype labels, size_t row_bytes);
void crn_label_measure_done(crn_label_measure *m);

/** crn_global hooks: one pass whose partials are tables. */
int crn_label_n_passes(const crn_node *n);
cairn_status crn_label_pass_begin(void *state, int pass, const crn_grid *grid, cairn_error *err);
size_t crn_label_partial_bytes(const crn_node *n, int pass);
void crn_label_partial_init(const void *state, int pass, void *partial);
void crn_label_partial_done(const void *state, int pass, void *partial);
int crn_label_partial_save(const void *state, int pass, const void *partial, crn_bytes *ret);
cairn_status crn_label_partial_load(
	void *state, int pass, void *partial, const void *bytes, size_t n, cairn_error *err);
cairn_status crn_label_merge(void *state, int pass, void *partial, cairn_error *err);
cairn_status crn_label_pass_end(void *state, int pass, cairn_error *err);

/** The rows of a finished measure, ascending by label. */
typedef struct crn_label_reader {
	const crn_label_measure *measure;
	uint64_t next, n_rows;
	crn_window window; /* buffer: CRN_LABEL_READER_BYTES, or a row if that is more */
} crn_label_reader;

enum { CRN_LABEL_READER_BYTES = 32768 };

uint64_t crn_label_n_rows(const crn_label_measure *m);
/** buffer: crn_label_buffer_bytes, 8-byte aligned; not used for tables in memory. */
size_t crn_label_buffer_bytes(const crn_label_measure *m);
void crn_label_reader_init(crn_label_reader *r, const crn_label_measure *m, void *buffer);
/** Row number i (not for_look_up), good until the next call. */
CRN_CHECKED cairn_status crn_label_reader_row(
	crn_label_reader *r, uint64_t i, const char **ret, cairn_error *err);
/** NULL if the label is absent. */
CRN_CHECKED cairn_status crn_label_reader_find(
	crn_label_reader *r, uint64_t label, const char **ret, cairn_error *err);

/** Label of an element of an integer or bool dtype. */
static inline uint64_t crn_label_at(crn_dtype t, const void *row, int64_t i)
{
	switch (t) {
	case CRN_BOOL:
	case CRN_U8:
		return ((const uint8_t *)row)[i];
	case CRN_U16:
		return ((const uint16_t *)row)[i];
	case CRN_U32:
		return ((const uint32_t *)row)[i];
	case CRN_I8:
		return (uint64_t)(int64_t)((const int8_t *)row)[i];
	case CRN_I16:
		return (uint64_t)(int64_t)((const int16_t *)row)[i];
	case CRN_I32:
		return (uint64_t)(int64_t)((const int32_t *)row)[i];
	default:
		return ((const uint64_t *)row)[i];
	}
}

/** End of the run of equal labels that starts at i. */
int64_t crn_label_run_end(crn_dtype t, const void *row, int64_t i, int64_t n);

/* Between the two files. */

/** NULL if the label is absent; of a table that is not sorted. */
const char *crn_label_table_find(const crn_label_table *t, uint64_t label);

CRN_CHECKED cairn_status crn_label_table_flush(crn_label_table *t, cairn_error *err);
CRN_CHECKED cairn_status crn_label_table_add_piece(
	crn_label_table *t, crn_label_piece piece, cairn_error *err);
/** Packs all rows to the front in ascending order of labels. */
void crn_label_table_sort(crn_label_table *t);
/** Order of labels as unsigned numbers. */
static inline uint64_t crn_label_key(const crn_label_table *t, const char *row)
{
	return *(const uint64_t *)row ^ ((uint64_t)t->is_signed << 63);
}

#endif

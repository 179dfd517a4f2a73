/* SPDX-License-Identifier: Apache-2.0
 *
 * label_table.h -- a hash table from label to a row of fixed size, for measuring label by label.
 *
 * Open addressing; grows by doubling; all memory charged. Labels are 64-bit patterns (signed ones
 * sign-extended); 0 is background and never a key. A new row is zeroed but for its label, which is
 * its first 8 bytes.
 * Threads: confined to one worker, or to the serial merge.
 */
#ifndef CRN_OPS_LABEL_TABLE_H
#define CRN_OPS_LABEL_TABLE_H

#include "core/op.h"

typedef struct crn_label_table {
	const crn_env *env;
	char *rows; /* n_slots rows; label 0: free */
	size_t row_bytes, n_slots, n;
} crn_label_table;

/** row_bytes: a multiple of 8, the label's 8 bytes included. No memory yet. */
void crn_label_table_init(crn_label_table *t, const crn_env *env, size_t row_bytes);
void crn_label_table_done(crn_label_table *t);
/** The row of a label, added when it is new (*ret_new). Rows move when the table grows. */
CRN_CHECKED cairn_status crn_label_table_add(
	crn_label_table *t, uint64_t label, char **ret_row, bool *ret_new, cairn_error *err);
/** NULL if absent. */
const char *crn_label_table_find(const crn_label_table *t, uint64_t label);
/** Packs all rows to the front in ascending order of labels; the table can only be read by
 * position (rows + i * row_bytes) afterwards, or searched with crn_label_table_sorted_find. */
void crn_label_table_sort(crn_label_table *t, bool is_signed);

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

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * table_cells.h -- what table writers share: cells of a column, and owned copies of a request.
 */
#ifndef CRN_RESULTS_TABLE_CELLS_H
#define CRN_RESULTS_TABLE_CELLS_H

#include "core/table.h"

/** Cell `row` of a column as one element. */
crn_elem crn_table_cell(const crn_column *column, const void *data, int64_t row);

/** Copies of the texts of a request; the constants come first in every row. */
typedef struct crn_table_texts {
	char *path, *table;
	char **names, **values;
	int n_constants;
	bool append, replace;
} crn_table_texts;

CRN_CHECKED cairn_status crn_table_texts_init(
	const crn_table_request *req, crn_table_texts *ret, cairn_error *err);
void crn_table_texts_done(crn_table_texts *t);

/** "<dir>/.<name>.<suffix>": a temporary beside the file. To be freed. */
char *crn_table_sibling(const char *path, const char *suffix);

#endif

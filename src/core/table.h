/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h -- the contract for writing tables (regionprops rows) to CSV, SQLite, ...
 */
#ifndef CRN_CORE_TABLE_H
#define CRN_CORE_TABLE_H

#include "core/dtype.h"
#include "base/err.h"
#include "base/str.h"

typedef struct crn_column {
	const char *name; /* "label", "area", "centroid-0", ... */
	crn_dtype dtype;  /* I64, U64, F64, BOOL; others are widened */
	const char *unit; /* "voxel", "" ... for headers and documentation */
} crn_column;

/** One table being written. Serial: one thread at a time. */
struct crn_table_writer {
	/* Adds rows: columns[c] points to n_rows elements of column c's dtype. NaN becomes NULL in
	 * SQL, "nan" in CSV. May block on I/O. */
	cairn_status (*append)(struct crn_table_writer *w, int64_t n_rows,
		const void *const *columns, cairn_error *err);
	/* Called once, first. Columns and their texts are borrowed until the last append. */
	cairn_status (*begin)(struct crn_table_writer *w, const crn_column *columns, int n_columns,
		cairn_error *err);
	/* After the last append: a line by which the finished table is known again, should the run
	 * be killed in finish before it can say that it was done. */
	cairn_status (*prove)(struct crn_table_writer *w, crn_str *ret, cairn_error *err);
	/* Makes all rows visible at once (rename, COMMIT); nothing is visible before. */
	cairn_status (*finish)(struct crn_table_writer *w, cairn_error *err);
	/* Frees; before finish: drops everything written. NULL is fine. */
	void (*close)(struct crn_table_writer *w);
};
typedef struct crn_table_writer crn_table_writer;

typedef struct crn_table_request {
	const char *path;
	bool sync;         /* finish returns when the rows are on disk, not only with the system */
	const char *table; /* table name inside a database; "objects" by default */
	const char *on_exists; /* "fail", "replace", "append" (adds rows to an existing table) */
	/* Extra constant text columns in front: {"sample", "bone_7H3A"} pairs. */
	const char *const *constant_names;
	const char *const *constant_values;
	int n_constants;
} crn_table_request;

typedef struct crn_table_format {
	const char *name; /* "csv", "sqlite" */
	const char *summary;
	const char *const *suffixes; /* {".csv", NULL} */
	cairn_status (*create)(
		const crn_table_request *req, crn_table_writer **ret, cairn_error *err);
	/* True if the file holds that table already (decides EXISTS). */
	bool (*exists)(const char *path, const char *table);
	/* Is what is there the table that a writer's prove() described? */
	bool (*is_proven)(const char *path, const char *table, const char *proof);
} crn_table_format;

#endif

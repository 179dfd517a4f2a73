/* SPDX-License-Identifier: Apache-2.0
 *
 * table_sqlite.c -- tables inside SQLite databases: typed columns, many tables a file.
 *
 * All rows of one write are one transaction with SQLite's rollback journal, so a crash at any point
 * leaves the old state (the next opener rolls back) and no -wal file stays behind.
 * Columns: BOOL and integers INTEGER, floats REAL (nan: NULL), constants TEXT. uint64 beyond int64
 * is stored as REAL, which SQLite would do to the literal as well.
 */
#include "base/disk.h"
#include "base/mem.h"
#include "base/str.h"
#include "results/table_cells.h"

#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct sqlite_writer {
	crn_table_writer base;
	crn_table_texts texts;
	sqlite3 *db;
	sqlite3_stmt *insert;
	const crn_column *columns;
	int n_columns;
	bool created_file, open; /* open: inside the transaction */
	bool sync;
} sqlite_writer;

static cairn_status fail_sqlite(sqlite_writer *w, const char *what, cairn_error *err)
{
	int code = w->db ? sqlite3_errcode(w->db) : SQLITE_NOMEM;
	int system = w->db ? sqlite3_system_errno(w->db) : 0;
	char text[128];
	bool of_system = system && (code == SQLITE_CANTOPEN || code == SQLITE_IOERR);
	cairn_status status = crn_fail(err, CAIRN_FAILED, "%s %s: %s%s%s", what, w->texts.path,
		w->db ? sqlite3_errmsg(w->db) : "out of memory", of_system ? ": " : "",
		of_system ? strerror_r(system, text, sizeof(text)) : "");
	if (code == SQLITE_FULL)
		crn_hint(err, "free some space, then run the same command again");
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		crn_hint(err, "another program has the database open for writing");
	if (code == SQLITE_NOTADB)
		crn_hint(err, "the file is no SQLite database; choose another name");
	return status;
}

/* "name" with quotes doubled. */
static void put_name(crn_str *sql, const char *name)
{
	crn_str_append(sql, "\"");
	for (; *name; name++)
		crn_str_append_n(sql, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
	crn_str_append(sql, "\"");
}

static cairn_status run_sql(sqlite_writer *w, const crn_str *sql, cairn_error *err)
{
	if (sql->oom)
		return crn_fail_memory(err, "a statement", sql->len);
	if (sqlite3_exec(w->db, sql->data, NULL, NULL, NULL) != SQLITE_OK)
		return fail_sqlite(w, "writing", err);
	return CAIRN_OK;
}

static cairn_status run_text(sqlite_writer *w, const char *sql, cairn_error *err)
{
	if (sqlite3_exec(w->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail_sqlite(w, "writing", err);
	return CAIRN_OK;
}

static bool has_table(sqlite3 *db, const char *table)
{
	sqlite3_stmt *s = NULL;
	bool found = false;
	if (sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", -1,
		    &s, NULL) == SQLITE_OK) {
		sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
		found = sqlite3_step(s) == SQLITE_ROW;
	}
	sqlite3_finalize(s);
	return found;
}

static bool sqlite_exists(const char *path, const char *table)
{
	sqlite3 *db = NULL;
	bool found = false;
	if (access(path, F_OK) != 0)
		return false;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		found = has_table(db, table ? table : "objects");
	sqlite3_close(db);
	return found;
}

static const char *sql_type(crn_dtype t)
{
	return crn_dtype_is_float(t) ? "REAL" : "INTEGER";
}

static const char *column_name(const sqlite_writer *w, int i)
{
	return i < w->texts.n_constants ? w->texts.names[i]
					: w->columns[i - w->texts.n_constants].name;
}

static cairn_status create_table(sqlite_writer *w, cairn_error *err)
{
	CRN_STR sql = {0};
	crn_str_append(&sql, "CREATE TABLE ");
	put_name(&sql, w->texts.table);
	for (int i = 0; i < w->texts.n_constants + w->n_columns; i++) {
		crn_str_append(&sql, i ? ", " : " (");
		put_name(&sql, column_name(w, i));
		crn_str_appendf(&sql, " %s",
			i < w->texts.n_constants
				? "TEXT"
				: sql_type(w->columns[i - w->texts.n_constants].dtype));
	}
	crn_str_append(&sql, ")");
	return run_sql(w, &sql, err);
}

/* Names and order of an existing table's columns must be ours. */
static cairn_status check_columns(sqlite_writer *w, cairn_error *err)
{
	CRN_STR sql = {0};
	crn_str_append(&sql, "SELECT * FROM ");
	put_name(&sql, w->texts.table);
	sqlite3_stmt *s = NULL;
	if (sql.oom || sqlite3_prepare_v2(w->db, sql.data, -1, &s, NULL) != SQLITE_OK)
		return fail_sqlite(w, "reading", err);
	int n = w->texts.n_constants + w->n_columns;
	bool same = sqlite3_column_count(s) == n;
	for (int i = 0; same && i < n; i++)
		same = strcmp(sqlite3_column_name(s, i), column_name(w, i)) == 0;
	sqlite3_finalize(s);
	if (same)
		return CAIRN_OK;
	cairn_status status = crn_fail(err, CAIRN_EXISTS,
		"table %s in %s has other columns than the rows to append", w->texts.table,
		w->texts.path);
	crn_hint(err, "write to another table (table=\"...\")");
	return status;
}

static cairn_status prepare_insert(sqlite_writer *w, cairn_error *err)
{
	CRN_STR sql = {0};
	crn_str_append(&sql, "INSERT INTO ");
	put_name(&sql, w->texts.table);
	for (int i = 0; i < w->texts.n_constants + w->n_columns; i++)
		crn_str_append(&sql, i ? ", ?" : " VALUES (?");
	crn_str_append(&sql, ")");
	if (sql.oom || sqlite3_prepare_v2(w->db, sql.data, -1, &w->insert, NULL) != SQLITE_OK)
		return fail_sqlite(w, "writing", err);
	return CAIRN_OK;
}

static cairn_status sqlite_begin(
	crn_table_writer *base, const crn_column *columns, int n_columns, cairn_error *err)
{
	sqlite_writer *w = (sqlite_writer *)base;
	w->columns = columns;
	w->n_columns = n_columns;
	w->created_file = access(w->texts.path, F_OK) != 0;
	/* Made by ourselves, for SQLite does not say why it could not; an empty file is a database.
	 */
	int fd = w->created_file ? crn_disk_open(w->texts.path, O_WRONLY | O_CREAT) : -1;
	if (w->created_file && fd < 0) {
		w->created_file = false;
		return crn_fail_errno(err, CAIRN_FAILED, "creating", w->texts.path);
	}
	if (fd >= 0)
		close(fd);
	if (sqlite3_open_v2(w->texts.path, &w->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		    NULL) != SQLITE_OK)
		return fail_sqlite(w, "opening", err);
	sqlite3_busy_timeout(w->db, 10000);
	if (!w->sync) /* still whole after a kill; a power cut could leave half of it */
		CRN_TRY(run_text(w, "PRAGMA synchronous = OFF", err));
	CRN_TRY(run_text(w, "BEGIN IMMEDIATE", err));
	w->open = true;
	bool there = has_table(w->db, w->texts.table);
	if (there && w->texts.replace) {
		CRN_STR sql = {0};
		crn_str_append(&sql, "DROP TABLE ");
		put_name(&sql, w->texts.table);
		CRN_TRY(run_sql(w, &sql, err));
		there = false;
	}
	if (there && !w->texts.append)
		return crn_fail(
			err, CAIRN_EXISTS, "table %s in %s exists", w->texts.table, w->texts.path);
	CRN_TRY(there ? check_columns(w, err) : create_table(w, err));
	return prepare_insert(w, err);
}

static void bind_cell(sqlite3_stmt *s, int at, crn_dtype t, crn_elem e)
{
	if (crn_dtype_is_float(t)) {
		double v = crn_elem_to_double(t, e);
		if (isnan(v))
			sqlite3_bind_null(s, at);
		else
			sqlite3_bind_double(s, at, v);
	} else if (crn_dtype_kind(t) == 'u' && crn_elem_to_uint(t, e) > INT64_MAX) {
		sqlite3_bind_double(s, at, crn_elem_to_double(t, e));
	} else {
		sqlite3_bind_int64(s, at, crn_elem_to_int(t, e));
	}
}

static cairn_status sqlite_append(
	crn_table_writer *base, int64_t n_rows, const void *const *columns, cairn_error *err)
{
	sqlite_writer *w = (sqlite_writer *)base;
	int n = w->texts.n_constants;
	for (int64_t row = 0; row < n_rows; row++) {
		sqlite3_reset(w->insert);
		for (int i = 0; i < n; i++)
			sqlite3_bind_text(w->insert, i + 1, w->texts.values[i], -1, SQLITE_STATIC);
		for (int c = 0; c < w->n_columns; c++)
			bind_cell(w->insert, n + c + 1, w->columns[c].dtype,
				crn_table_cell(&w->columns[c], columns[c], row));
		if (sqlite3_step(w->insert) != SQLITE_DONE)
			return fail_sqlite(w, "writing", err);
	}
	return CAIRN_OK;
}

/* Rows of a table; -1 if they cannot be counted. */
static int64_t count_rows(sqlite3 *db, const char *table)
{
	CRN_STR sql = {0};
	sqlite3_stmt *s = NULL;
	int64_t n = -1;
	crn_str_append(&sql, "SELECT count(*) FROM ");
	put_name(&sql, table);
	if (!sql.oom && sqlite3_prepare_v2(db, sql.data, -1, &s, NULL) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static cairn_status sqlite_prove(crn_table_writer *base, crn_str *ret, cairn_error *err)
{
	sqlite_writer *w = (sqlite_writer *)base;
	int64_t n = count_rows(w->db, w->texts.table);
	if (n < 0)
		return fail_sqlite(w, "counting the rows of", err);
	crn_str_appendf(ret, "%lld rows", (long long)n);
	return ret->oom ? crn_fail_memory(err, "a proof", 32) : CAIRN_OK;
}

static bool sqlite_is_proven(const char *path, const char *table, const char *proof)
{
	sqlite3 *db = NULL;
	char text[40] = "";
	/* For writing: what a killed writer left in its journal must be rolled back. */
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
		snprintf(text, sizeof(text), "%lld rows", (long long)count_rows(db, table));
	sqlite3_close(db);
	return strcmp(text, proof) == 0;
}

static cairn_status sqlite_finish(crn_table_writer *base, cairn_error *err)
{
	sqlite_writer *w = (sqlite_writer *)base;
	sqlite3_finalize(w->insert);
	w->insert = NULL;
	CRN_TRY(run_text(w, "COMMIT", err));
	w->open = false;
	w->created_file = false;
	return CAIRN_OK;
}

static void sqlite_close(crn_table_writer *base)
{
	sqlite_writer *w = (sqlite_writer *)base;
	if (!w)
		return;
	sqlite3_finalize(w->insert);
	if (w->open)
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(w->db);
	if (w->created_file)
		unlink(w->texts.path); /* empty: nothing was committed */
	crn_table_texts_done(&w->texts);
	crn_free(w);
}

static cairn_status sqlite_create(
	const crn_table_request *req, crn_table_writer **ret, cairn_error *err)
{
	sqlite_writer *w = crn_calloc(1, sizeof(*w));
	if (!w)
		return crn_fail_memory(err, "a table", sizeof(*w));
	w->base = (crn_table_writer){.begin = sqlite_begin,
		.append = sqlite_append,
		.prove = sqlite_prove,
		.finish = sqlite_finish,
		.close = sqlite_close};
	w->sync = req->sync;
	cairn_status status = crn_table_texts_init(req, &w->texts, err);
	if (status == CAIRN_OK && !w->texts.append && !w->texts.replace &&
		sqlite_exists(req->path, w->texts.table))
		status = crn_fail(
			err, CAIRN_EXISTS, "table %s in %s exists", w->texts.table, req->path);
	if (status != CAIRN_OK) {
		sqlite_close(&w->base);
		return status;
	}
	*ret = &w->base;
	return CAIRN_OK;
}

static const char *const sqlite_suffixes[] = {".db", ".sqlite", ".sqlite3", NULL};

const crn_table_format crn_table_format_sqlite = {
	.name = "sqlite",
	.summary = "SQLite database, one table per write",
	.suffixes = sqlite_suffixes,
	.create = sqlite_create,
	.exists = sqlite_exists,
	.is_proven = sqlite_is_proven,
};

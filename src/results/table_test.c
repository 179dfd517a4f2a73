/* SPDX-License-Identifier: Apache-2.0
 *
 * table_test.c -- tables as CSV and SQLite: exact cells, quoting, append, replace, nothing visible
 * before finish, several tables a file.
 */
#include "builtin.h"
#include "base/mem.h"
#include "core/table.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const crn_column columns[] = {{"label", CRN_I64, ""}, {"big", CRN_U64, ""},
	{"mean, \"x\"", CRN_F64, ""}, {"edge", CRN_BOOL, ""}};
static const int64_t labels[] = {-1, 2, INT64_MAX};
static const uint64_t bigs[] = {0, 7, UINT64_MAX};
static const double means[] = {0.1, NAN, 1e300};
static const uint8_t edges[] = {1, 0, 1};
static const void *const cells[] = {labels, bigs, means, edges};

static const crn_table_format *format(const char *name)
{
	for (int i = 0; crn_builtin_registry.table_formats[i]; i++)
		if (strcmp(crn_builtin_registry.table_formats[i]->name, name) == 0)
			return crn_builtin_registry.table_formats[i];
	fail_msg("no table format %s", name);
	return NULL;
}

static const char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static cairn_status write_rows(
	const char *name, const char *path, const char *table, const char *on_exists, bool finish)
{
	static const char *const names[] = {"sample"}, *const values[] = {"bone \"1\", left"};
	crn_table_request req = {.path = path,
		.table = table,
		.on_exists = on_exists,
		.constant_names = names,
		.constant_values = values,
		.n_constants = 1};
	crn_table_writer *w = NULL;
	cairn_error err = {0};
	cairn_status status = format(name)->create(&req, &w, &err);
	if (status == CAIRN_OK)
		status = w->begin(w, columns, 4, &err);
	if (status == CAIRN_OK)
		status = w->append(w, 3, cells, &err);
	if (status == CAIRN_OK && finish)
		status = w->finish(w, &err);
	if (w)
		w->close(w);
	return status;
}

static void check_text(const char *path, const char *want)
{
	char got[2048];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(got, want);
}

#define HEAD "sample,label,big,\"mean, \"\"x\"\"\",edge\r\n"
#define ROWS \
	"\"bone \"\"1\"\", left\",-1,0,0.1,True\r\n" \
	"\"bone \"\"1\"\", left\",2,7,nan,False\r\n" \
	"\"bone \"\"1\"\", left\",9223372036854775807,18446744073709551615,1e+300,True\r\n"

static void test_csv(void **state)
{
	const char *path = path_of("t.csv");
	assert_int_equal(write_rows("csv", path, NULL, "fail", false), CAIRN_OK);
	assert_false(format("csv")->exists(path, NULL));
	assert_int_equal(write_rows("csv", path, NULL, "fail", true), CAIRN_OK);
	assert_true(format("csv")->exists(path, NULL));
	check_text(path, HEAD ROWS);
	assert_int_equal(write_rows("csv", path, NULL, "fail", true), CAIRN_EXISTS);
	assert_int_equal(write_rows("csv", path, NULL, "append", true), CAIRN_OK);
	check_text(path, HEAD ROWS ROWS);
	assert_int_equal(write_rows("csv", path, NULL, "replace", true), CAIRN_OK);
	check_text(path, HEAD ROWS);
	FILE *f = fopen(path, "wb");
	fputs("a,b\r\n1,2\r\n", f);
	fclose(f);
	assert_int_equal(write_rows("csv", path, NULL, "append", true), CAIRN_EXISTS);
	check_text(path, "a,b\r\n1,2\r\n");
}

static int64_t count(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

static void test_sqlite(void **state)
{
	const char *path = path_of("t.db");
	assert_int_equal(write_rows("sqlite", path, "a", "fail", false), CAIRN_OK);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(write_rows("sqlite", path, "a", "fail", true), CAIRN_OK);
	assert_true(format("sqlite")->exists(path, "a"));
	assert_false(format("sqlite")->exists(path, "b"));
	assert_int_equal(write_rows("sqlite", path, "a", "fail", true), CAIRN_EXISTS);
	assert_int_equal(write_rows("sqlite", path, "b", "fail", true), CAIRN_OK);
	assert_int_equal(count(path, "SELECT count(*) FROM a"), 3);
	assert_int_equal(write_rows("sqlite", path, "a", "append", true), CAIRN_OK);
	assert_int_equal(count(path, "SELECT count(*) FROM a"), 6);
	assert_int_equal(write_rows("sqlite", path, "a", "append", false), CAIRN_OK);
	assert_int_equal(count(path, "SELECT count(*) FROM a"), 6);
	assert_int_equal(write_rows("sqlite", path, "a", "replace", true), CAIRN_OK);
	assert_int_equal(count(path, "SELECT count(*) FROM a"), 3);
	assert_int_equal(count(path, "SELECT count(*) FROM b"), 3);
	assert_int_equal(count(path, "SELECT label FROM a WHERE big = 7"), 2);
	assert_int_equal(
		count(path, "SELECT count(*) FROM a WHERE \"mean, \"\"x\"\"\" IS NULL"), 1);
	assert_int_equal(count(path, "SELECT count(*) FROM a WHERE \"mean, \"\"x\"\"\" = 0.1"), 1);
	assert_int_equal(count(path, "SELECT max(label) = 9223372036854775807 FROM a"), 1);
	assert_int_equal(
		count(path, "SELECT count(*) FROM a WHERE sample = 'bone \"1\", left'"), 3);
	assert_int_equal(
		count(path, "SELECT count(*) FROM pragma_table_info('a') WHERE type = 'INTEGER'"),
		3);
	FILE *f = fopen(path_of("text.db"), "wb");
	fputs("this is no database, but it is long enough to be read as the head of one\n", f);
	fclose(f);
	assert_int_equal(
		write_rows("sqlite", path_of("text.db"), "a", "append", true), CAIRN_FAILED);
	check_text(path_of("text.db"),
		"this is no database, but it is long enough to be read as the head of one\n");
	assert_int_equal(write_rows("sqlite", path_of("no/such/folder.db"), "a", "fail", true),
		CAIRN_FAILED);
	assert_int_equal(
		write_rows("csv", path_of("no/such/folder.csv"), "a", "fail", true), CAIRN_FAILED);
}

static int make_folder(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/cairn-table-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"t.csv", "t.db", "text.db"};
	for (size_t i = 0; i < CRN_COUNT(names); i++)
		unlink(path_of(names[i]));
	return rmdir(folder); /* fails when a temporary file was left behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv), cmocka_unit_test(test_sqlite)};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

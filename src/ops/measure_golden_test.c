/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_golden_test.c -- every case of tests/golden/measure/cases.txt: the answers of numpy,
 * scipy and scikit-image against ours, whole and cut into tiles.
 */
#include "support/eager.h"

#include "base/mem.h"
#include "core/table.h"
#include "builtin.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *blob;
static size_t blob_bytes;

static char *slurp(const char *path, size_t *ret_bytes)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("no golden file %s", path);
	fseek(f, 0, SEEK_END);
	size_t n = (size_t)ftell(f);
	rewind(f);
	char *text = crn_alloc(n + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, n, f), n);
	text[n] = '\0';
	fclose(f);
	*ret_bytes = n;
	return text;
}

/* "uint8:3x4:128" as a view of the blob; 0-d arrays have an empty shape. */
static crn_view array_of(char *text)
{
	char *name = strsep(&text, ":"), *shape = strsep(&text, ":");
	crn_dtype t = CRN_U8;
	int64_t n[CRN_MAX_NDIM];
	int ndim = 0;
	assert_true(crn_dtype_from_name(name, &t));
	while (shape && *shape)
		n[ndim++] = strtoll(strsep(&shape, "x"), NULL, 10);
	size_t offset = (size_t)strtoull(text, NULL, 10);
	assert_true(offset + crn_view_dense_bytes(t, ndim, n) <= blob_bytes);
	return crn_view_dense(blob + offset, t, ndim, n);
}

/* Shapes of tiles a case is cut into; the driver clips them. */
static const int64_t tilings[][CRN_MAX_NDIM] = {
	{3, 2, 40, 7, 1, 1, 1, 1},
	{2, 7, 5, 16, 1, 1, 1, 1},
	{1, 1, 64, 64, 1, 1, 1, 1},
};

/* ---- tables: gathered into one float64 array, a row a row ---- */

typedef struct gatherer {
	crn_table_writer base;
	const crn_column *columns;
	int n_columns;
	double *cells;
	int64_t n_rows;
} gatherer;

static cairn_status gather_begin(
	crn_table_writer *w, const crn_column *columns, int n_columns, cairn_error *err)
{
	gatherer *g = (gatherer *)w;
	g->columns = columns;
	g->n_columns = n_columns;
	return CAIRN_OK;
}

static cairn_status gather_append(
	crn_table_writer *w, int64_t n_rows, const void *const *columns, cairn_error *err)
{
	gatherer *g = (gatherer *)w;
	size_t n = (size_t)((g->n_rows + n_rows) * g->n_columns);
	g->cells = crn_realloc_array(g->cells, n, sizeof(double));
	assert_non_null(g->cells);
	for (int64_t r = 0; r < n_rows; r++)
		for (int c = 0; c < g->n_columns; c++) {
			crn_elem e = {{0}};
			size_t size = crn_dtype_size(g->columns[c].dtype);
			memcpy(e.bytes, (const char *)columns[c] + (size_t)r * size, size);
			g->cells[(g->n_rows + r) * g->n_columns + c] =
				crn_elem_to_double(g->columns[c].dtype, e);
		}
	g->n_rows += n_rows;
	return CAIRN_OK;
}

static void check_table(crn_node *n, const crn_view *want, double rtol, int number)
{
	for (int way = 0; way <= (int)CRN_COUNT(tilings); way++) {
		cairn_error err = {0};
		crn_eager_options o = {.order_seed = (uint64_t)way,
			.n_partials = 1 + way % 3,
			.lazy = way % 2,
			.isa = way % 2 ? crn_isa_best() : CRN_ISA_BASE};
		if (way > 0)
			memcpy(o.tile, tilings[way - 1], sizeof(o.tile));
		gatherer g = {.base = {.begin = gather_begin, .append = gather_append}};
		cairn_status status = crn_eager_table(n, &o, &g.base, &err);
		crn_view got =
			crn_view_dense(g.cells, CRN_F64, 2, (int64_t[]){g.n_rows, g.n_columns});
		if (status == CAIRN_OK)
			status = crn_test_compare(&got, want, rtol, 0, &err);
		if (status != CAIRN_OK)
			fail_msg("case %d, table, way %d: %s", number, way, crn_test_error(&err));
		crn_free(g.cells);
	}
}

static void check_array(
	crn_node *n, const crn_view *want, double rtol, int number, const char *call)
{
	cairn_error err = {0};
	crn_view got = {0};
	if (crn_eager(n, &got, &err) != CAIRN_OK ||
		crn_test_compare(&got, want, rtol, 0, &err) != CAIRN_OK)
		fail_msg("case %d %s: %s", number, call, crn_test_error(&err));
	/* Labels depend on the tiling in the hardest way: all of them. Others take turns. */
	bool all = strncmp(call, "label", 5) == 0;
	for (size_t k = 0; k < CRN_COUNT(tilings); k++)
		if ((all || (size_t)number % CRN_COUNT(tilings) == k) &&
			crn_eager_check_tiles(n, tilings[k], &err) != CAIRN_OK)
			fail_msg("case %d %s, tiling %zu: %s", number, call, k,
				crn_test_error(&err));
	crn_eager_free(&got);
}

/* regionprops with several images takes them as one list. */
static cairn_status call_with_list(
	crn_graph *g, crn_node **in, int n_in, crn_node **ret, cairn_error *err)
{
	crn_value args[2] = {crn_value_node(crn_node_ref(in[0]))};
	CRN_TRY(crn_value_list(n_in - 1, &args[1], err));
	for (int i = 1; i < n_in; i++)
		args[1].list.items[i - 1] = crn_value_node(crn_node_ref(in[i]));
	crn_value made = {0};
	cairn_status status = crn_call_op(
		g, crn_op_find(&crn_builtin_registry, "regionprops"), args, 2, NULL, 0, &made, err);
	crn_value_clear(&args[0]);
	crn_value_clear(&args[1]);
	if (status == CAIRN_OK)
		*ret = made.node;
	return status;
}

static void run_case(char *line, int number)
{
	cairn_error err = {0};
	char *op = strsep(&line, "|"), *text = strsep(&line, "|"), *inputs = strsep(&line, "|");
	char *expected = strsep(&line, "|");
	double rtol = strtod(line, NULL);
	crn_graph *g = NULL;
	crn_assert_ok(crn_graph_new(&crn_builtin_registry, &g, &err));
	crn_node *in[8] = {0}, *n = NULL;
	int n_in = 0;
	while (inputs && *inputs) {
		crn_view v = array_of(strsep(&inputs, " "));
		crn_assert_ok(crn_test_source(g, &v, NULL, &in[n_in++], &err));
	}
	crn_view want = array_of(expected);
	bool list = n_in > 2 && strcmp(op, "regionprops") == 0;
	if ((list ? call_with_list(g, in, n_in, &n, &err)
		  : crn_test_call(g, op, in, n_in, text, &n, &err)) != CAIRN_OK)
		fail_msg("case %d %s(%s): %s", number, op, text, crn_test_error(&err));
	if (n->type.is_table)
		check_table(n, &want, rtol, number);
	else
		check_array(n, &want, rtol, number, op);
	crn_node_unref(n);
	for (int i = 0; i < n_in; i++)
		crn_node_unref(in[i]);
	crn_graph_unref(g);
}

static void test_cases(void **state)
{
	size_t n;
	char *cases = slurp(crn_test_path("golden/measure/cases.txt"), &n), *rest = cases;
	blob = slurp(crn_test_path("golden/measure/arrays.bin"), &blob_bytes);
	int number = 0;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line)
			run_case(line, ++number);
	assert_true(number > 100);
	crn_free(cases);
	crn_free(blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

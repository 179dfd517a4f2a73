/* SPDX-License-Identifier: Apache-2.0
 *
 * elementwise_test.c -- elementwise ops, views, joins, pads and generators against NumPy's answers,
 * and what NumPy cannot tell: graph shapes, folding of numbers, metadata, messages.
 */
#include "base/mem.h"
#include "builtin.h"
#include "ops/elementwise_build.h"
#include "ops/golden_cases_test.h"
#include "ops/join_build.h"
#include "ops/view_build.h"
#include "support/arrays.h"
#include "support/eager.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void golden_elementwise(void **state)
{
	golden_counts c = golden_run(crn_test_path("golden/elementwise/elementwise.txt"), false);
	assert_true(c.n_cases > 1500);
	assert_int_equal(c.n_failures, 0);
}

static void golden_views(void **state)
{
	golden_counts c = golden_run(crn_test_path("golden/elementwise/views.txt"), true);
	assert_true(c.n_cases > 250);
	assert_int_equal(c.n_failures, 0);
}

/* ---- graphs ---- */

static crn_graph *graph;

static int new_graph(void **state)
{
	return crn_graph_new(&crn_builtin_registry, &graph, NULL) == CAIRN_OK ? 0 : -1;
}

static int free_graph(void **state)
{
	crn_graph_unref(graph);
	return 0;
}

static crn_node *make(const char *name, crn_node *x, const char *text)
{
	cairn_error err;
	crn_node *n = NULL;
	crn_assert_ok(crn_test_call(graph, name, &x, x != NULL, text, &n, &err));
	return n;
}

/* fold("add", "2, 3"): the number, or an error. */
static cairn_status fold(const char *name, const char *a, const char *b, crn_value *ret)
{
	cairn_error err;
	crn_value args[2] = {{0}};
	const crn_op *op = crn_op_find(&crn_builtin_registry, name);
	assert_non_null(op);
	crn_assert_ok(crn_value_parse_literal(a, &args[0], &err));
	if (b)
		crn_assert_ok(crn_value_parse_literal(b, &args[1], &err));
	return crn_call_op(graph, op, args, b ? 2 : 1, NULL, 0, ret, &err);
}

static void numbers_fold(void **state)
{
	static const struct {
		const char *op, *a, *b, *want; /* want NULL: refused */
	} cases[] = {
		{"add", "2", "3", "5"},
		{"add", "2", "0.5", "2.5"},
		{"divide", "7", "2", "3.5"},
		{"floor_divide", "-7", "2", "-4"},
		{"floor_divide", "7", "-2", "-4"},
		{"mod", "-7", "3", "2"},
		{"mod", "7.5", "2", "1.5"},
		{"power", "2", "10", "1024"},
		{"power", "2", "-1", "0.5"},
		{"power", "2", "0.5", "1.4142135623730951"},
		{"power", "2", "63", "9223372036854775808"},
		{"power", "2", "64", NULL},
		{"power", "0", "-1", NULL},
		{"power", "-1", "9223372036854775807", "-1"},
		{"multiply", "9223372036854775807", "2", "18446744073709551614"},
		{"multiply", "9223372036854775807", "3", NULL},
		{"subtract", "18446744073709551615", "1", "18446744073709551614"},
		{"divide", "1", "0", NULL},
		{"floor_divide", "1", "0", NULL},
		{"mod", "1.0", "0", NULL},
		{"less", "1", "2", "True"},
		{"greater", "18446744073709551615", "-1", "True"},
		{"equal", "1", "1.0", "True"},
		{"bitwise_and", "True", "False", "False"},
		{"bitwise_or", "4", "1", "5"},
		{"bitwise_and", "1.5", "1", NULL},
		{"logical_and", "2", "1", "True"},
		{"minimum", "3", "2.5", "2.5"},
		{"negative", "3", NULL, "-3"},
		{"negative", "18446744073709551615", NULL, NULL},
		{"absolute", "-3.5", NULL, "3.5"},
		{"invert", "5", NULL, "-6"},
		{"sqrt", "9", NULL, "3.0"},
		{"exp", "0", NULL, "1.0"},
		{"floor", "2.5", NULL, "2.0"},
		{"round", "2.5", NULL, "2.0"},
		{"square", "-4", NULL, "16"},
		{"isnan", "4", NULL, "False"},
		{"logical_not", "0", NULL, "True"},
	};
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		CRN_VALUE got = {0};
		CRN_STR text = {0};
		cairn_status status = fold(cases[i].op, cases[i].a, cases[i].b, &got);
		assert_int_equal(status, cases[i].want ? CAIRN_OK : CAIRN_USAGE);
		crn_value_print(&got, &text);
		if (cases[i].want)
			assert_string_equal(text.data, cases[i].want);
	}
}

/* What changes nothing, or is written twice, is one node. */
static void equal_nodes_are_one(void **state)
{
	CRN_NODE *x = make("zeros", NULL, "(4, 5, 6), \"uint8\"");
	CRN_NODE *same = make("astype", x, "\"uint8\"");
	assert_ptr_equal(same, x);
	CRN_NODE *flipped = make("flip", x, "1");
	CRN_NODE *back = make("flip", flipped, "1");
	assert_ptr_equal(back, x);
	CRN_NODE *turned = make("transpose", x, "");
	CRN_NODE *straight = make("transpose", turned, "");
	assert_ptr_equal(straight, x);
	CRN_NODE *clipped = make("clip", x, "0, 9");
	CRN_NODE *again = make("clip", x, "0, 9");
	assert_ptr_equal(clipped, again);
	CRN_NODE *first = make("power", x, "1");
	assert_ptr_equal(first, x);
	CRN_NODE *padded = make("pad", x, "0");
	assert_ptr_equal(padded, x);
	CRN_NODE *mask = make("abs", x, "");
	assert_ptr_equal(mask, x);
	CRN_NODE *narrow = make("less", x, "2.5");
	CRN_NODE *whole = make("less", x, "3");
	assert_ptr_equal(narrow, whole);
}

/* Random chains of views are one node over the source, and index the voxels they should. */
static void views_fold(void **state)
{
	cairn_error err;
	crn_test_rng rng = {11};
	const int64_t shape[] = {5, 4, 6};
	CRN_TEST_ARRAY a = crn_test_array(CRN_I32, 3, shape);
	crn_test_fill(&rng, &a);
	CRN_NODE *x = NULL;
	crn_assert_ok(crn_test_source(graph, &a, NULL, &x, &err));
	for (int trial = 0; trial < 200; trial++) {
		CRN_NODE *n = crn_node_ref(x);
		CRN_TEST_ARRAY want = crn_test_array(CRN_I32, 3, shape);
		crn_view_copy(&want, &a);
		crn_view w = want; /* the same steps, as strides of the copy */
		for (int step = 0; step < 4; step++) {
			crn_index_item items[CRN_MAX_NDIM] = {0};
			for (int d = 0; d < w.ndim; d++) {
				bool back = crn_test_int(&rng, 0, 1);
				int64_t by = crn_test_int(&rng, 1, 2), e = w.shape[d];
				items[d] = (crn_index_item){.kind = CRN_INDEX_SLICE,
					.has_step = true,
					.step = back ? -by : by};
				if (back && e > 0)
					w.data = (char *)w.data + (e - 1) * w.stride[d];
				w.shape[d] = (e + by - 1) / by;
				w.stride[d] *= back ? -by : by;
			}
			crn_node *next;
			crn_assert_ok(crn_build_index(graph, n, items, w.ndim, &next, &err));
			crn_node_unref(n);
			n = next;
			int64_t t = w.shape[0], s = w.stride[0];
			w.shape[0] = w.shape[2];
			w.stride[0] = w.stride[2];
			w.shape[2] = t;
			w.stride[2] = s;
			n = make("swapaxes", next, "0, 2");
			crn_node_unref(next);
		}
		assert_true(n == x || n->in[0] == x);
		CRN_EAGER got = {0};
		crn_assert_ok(crn_eager(n, &got, &err));
		CRN_TEST_ARRAY dense = crn_test_array(CRN_I32, 3, w.shape);
		crn_view_copy(&dense, &w);
		crn_assert_ok(crn_test_compare(&got, &dense, 0, 0, &err));
	}
}

static void types_and_kinds(void **state)
{
	CRN_NODE *x = make("zeros", NULL, "(4, 5), \"uint16\"");
	CRN_NODE *mask = make("greater", x, "3");
	assert_int_equal(mask->type.dtype, CRN_BOOL);
	assert_int_equal(mask->type.kind, CRN_MASK);
	CRN_NODE *half = make("multiply", x, "0.5");
	assert_int_equal(half->type.dtype, CRN_F64);
	CRN_NODE *sum = make("add", mask, "1");
	assert_int_equal(sum->type.dtype, CRN_I64);
	assert_int_equal(sum->type.kind, CRN_INTENSITY);
	CRN_NODE *ratio = make("divide", x, "255");
	assert_int_equal(ratio->type.dtype, CRN_F32);
}

/* Scale and origin follow the voxels through slices and pads. */
static void axes_follow(void **state)
{
	cairn_error err;
	const int64_t shape[] = {10, 20};
	CRN_TEST_ARRAY a = crn_test_array(CRN_U8, 2, shape);
	CRN_NODE *x = NULL;
	crn_assert_ok(crn_test_source(graph, &a, NULL, &x, &err));
	crn_index_item items[] = {
		{.kind = CRN_INDEX_SLICE,
			.has_start = true,
			.start = 4,
			.has_step = true,
			.step = 2},
		{.kind = CRN_INDEX_SLICE, .has_step = true, .step = -3},
	};
	CRN_NODE *y = NULL;
	crn_assert_ok(crn_build_index(graph, x, items, 2, &y, &err));
	assert_true(y->type.axes[0].scale == 2 && y->type.axes[0].translation == 4);
	assert_true(y->type.axes[1].scale == 3 && y->type.axes[1].translation == 1);
	CRN_NODE *p = make("pad", y, "((2, 0), (0, 0))");
	assert_true(p->type.axes[0].translation == 0);
}

static void messages_tell_what_to_do(void **state)
{
	cairn_error err;
	CRN_NODE *x = make("zeros", NULL, "(4,), \"uint8\"");
	crn_node *n = NULL;
	assert_int_equal(crn_test_call(graph, "add", &x, 1, "300", &n, &err), CAIRN_USAGE);
	assert_non_null(strstr(err.message, "300 does not fit"));
	assert_non_null(strstr(err.message, "uint8"));
	assert_non_null(strstr(err.hint, "astype"));
	assert_null(n);
}

/* Tiles, order and regions with steps: broadcasting and 0-d constants included. */
static void tiles_agree(void **state)
{
	cairn_error err;
	const int64_t tile[CRN_MAX_NDIM] = {2, 3, 4};
	CRN_NODE *r = make("random", NULL, "(5, 6, 7), 3, \"float32\"");
	CRN_NODE *row = make("random", NULL, "(7,), 4");
	crn_node *pair[] = {r, row};
	CRN_NODE *sum = NULL;
	crn_assert_ok(crn_test_call(graph, "add", pair, 2, "", &sum, &err));
	CRN_NODE *half = make("divide", sum, "2");
	crn_assert_ok(crn_eager_check_tiles(half, tile, &err));
	CRN_EAGER all = {0};
	CRN_EAGER part = {0};
	crn_assert_ok(crn_eager(half, &all, &err));
	crn_region every = {.ndim = 3, .lo = {1, 0, 1}, .n = {2, 3, 2}, .step = {3, 2, 4}};
	crn_assert_ok(crn_eager_region(half, &every, NULL, &part, &err));
	crn_region whole = crn_region_whole(3, all.shape);
	crn_view want = crn_view_part(&all, &whole, &every);
	CRN_TEST_ARRAY dense = crn_test_array(CRN_F64, 3, every.n);
	crn_view_copy(&dense, &want);
	assert_true(crn_test_same_bytes(&part, &dense));
}

/* Every step of every op survives the failure of any one allocation. */
static void no_memory(void **state)
{
	CRN_NODE *x = make("random", NULL, "(6, 5)");
	static const struct {
		const char *op, *text;
	} calls[] = {{"clip", "0.2, 0.7"}, {"pad", "((2, 9), (1, 0)), \"wrap\""}, {"power", "3"},
		{"greater", "0.5"}, {"transpose", ""}, {"arange", "0.5"}};
	for (size_t i = 0; i < CRN_COUNT(calls); i++) {
		bool whole = false;
		for (int64_t fail = 0; !whole; fail++) {
			crn_node *n = NULL;
			cairn_error err;
			bool array = strcmp(calls[i].op, "arange") != 0;
			crn_mem_fail_after(fail);
			cairn_status status = crn_test_call(
				graph, calls[i].op, &x, array, calls[i].text, &n, &err);
			whole = !crn_mem_failed();
			crn_mem_fail_after(-1);
			if (status != CAIRN_OK)
				assert_null(n);
			crn_node_unref(n);
			assert_true(whole ? status == CAIRN_OK : true);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_elementwise),
		cmocka_unit_test(golden_views),
		cmocka_unit_test_setup_teardown(numbers_fold, new_graph, free_graph),
		cmocka_unit_test_setup_teardown(equal_nodes_are_one, new_graph, free_graph),
		cmocka_unit_test_setup_teardown(views_fold, new_graph, free_graph),
		cmocka_unit_test_setup_teardown(types_and_kinds, new_graph, free_graph),
		cmocka_unit_test_setup_teardown(axes_follow, new_graph, free_graph),
		cmocka_unit_test_setup_teardown(messages_tell_what_to_do, new_graph, free_graph),
		cmocka_unit_test_setup_teardown(tiles_agree, new_graph, free_graph),
		cmocka_unit_test_setup_teardown(no_memory, new_graph, free_graph),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

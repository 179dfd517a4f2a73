/* SPDX-License-Identifier: Apache-2.0
 *
 * read_test.c -- read(): options reach the format, overrides reach the axes, and wrong ones are
 * refused with the place. Reads golden Zarr arrays of the tree.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "builtin.h"
#include "core/call.h"
#include "core/registry.h"
#include "support/arrays.h"

#include <string.h>

static crn_graph *graph;

static cairn_status call_read(
	const char *folder, const crn_kwarg *kwargs, int n, crn_value *ret, cairn_error *err)
{
	crn_value url = {.kind = CRN_V_STR, .s = (char *)crn_test_path(folder)};
	return crn_call_op(
		graph, crn_op_find(&crn_builtin_registry, "read"), &url, 1, kwargs, n, ret, err);
}

static crn_kwarg option(const char *name, const char *literal, crn_value *owner)
{
	assert_int_equal(crn_value_parse_literal(literal, owner, NULL), CAIRN_OK);
	return (crn_kwarg){name, *owner};
}

static void test_plain(void **state)
{
	CRN_VALUE first = {0}, second = {0};
	cairn_error err = {0};
	crn_assert_ok(call_read("golden/zarr/v2/image", NULL, 0, &first, &err));
	const crn_node *n = first.node;
	assert_int_equal(n->type.dtype, CRN_U16);
	assert_int_equal(n->type.shape[1], 20);
	assert_string_equal(n->type.axes[1].unit, "micrometer");
	assert_non_null(n->source);
	/* Reading the same thing twice is one node. */
	crn_assert_ok(call_read("golden/zarr/v2/image", NULL, 0, &second, &err));
	assert_ptr_equal(first.node, second.node);
}

static void test_overrides(void **state)
{
	CRN_VALUE axes = {0}, scale = {0}, unit = {0}, node = {0};
	const crn_kwarg kwargs[] = {option("axes", "'zx'", &axes),
		option("scale", "(2.5, 4)", &scale), option("unit", "'nanometer'", &unit)};
	cairn_error err = {0};
	crn_assert_ok(call_read("golden/zarr/v2/image", kwargs, 3, &node, &err));
	const crn_axis *a = node.node->type.axes;
	assert_string_equal(a[0].name, "z");
	assert_string_equal(a[1].name, "x");
	assert_string_equal(a[0].unit, "nanometer");
	assert_true(a[0].scale == 2.5 && a[1].scale == 4);
}

static void assert_refused(
	const char *folder, const char *name, const char *literal, const char *word)
{
	CRN_VALUE value = {0}, node = {0};
	const crn_kwarg kwarg = option(name, literal, &value);
	cairn_error err = {0};
	cairn_status status = call_read(folder, &kwarg, 1, &node, &err);
	if (status != CAIRN_USAGE || !(strstr(err.message, word) || strstr(err.hint, word)))
		fail_msg("%s=%s: %d, %s", name, literal, status, crn_test_error(&err));
}

static void test_refused(void **state)
{
	const char *image = "golden/zarr/v2/image";
	assert_refused(image, "axes", "'zyx'", "has 2");
	assert_refused(image, "axes", "('y',)", "1 entries");
	assert_refused(image, "axes", "('y', 'a-name-longer-than-an-axis')", "longer");
	assert_refused(image, "scale", "(1, 2, 3)", "scale");
	assert_refused(image, "scale", "0", "greater than 0");
	assert_refused(image, "levle", "1", "level");
	assert_refused(image, "level", "1", "levels 0 to 0");
	assert_refused(image, "level", "'fine'", "level");
	assert_refused(image, "format", "'zar'", "zarr2");
	assert_refused("golden/zarr/v2/zlib", "level", "2", "single array");
}

static void test_missing(void **state)
{
	CRN_VALUE node = {0};
	cairn_error err = {0};
	assert_int_equal(call_read("golden/zarr/v2/imagee", NULL, 0, &node, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.hint, "golden/zarr/v2/image?"));
	assert_int_equal(call_read("golden/zar/v2/image", NULL, 0, &node, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.hint, "golden/zarr?"));
	assert_int_equal(call_read("golden/zarr/README.md", NULL, 0, &node, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.hint, "zarr2"));
}

static int make_graph(void **state)
{
	return crn_graph_new(&crn_builtin_registry, &graph, NULL);
}

static int drop_graph(void **state)
{
	crn_graph_unref(graph);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_missing),
	};
	return cmocka_run_group_tests_name("read", tests, make_graph, drop_graph);
}

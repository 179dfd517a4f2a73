/* SPDX-License-Identifier: Apache-2.0
 *
 * getitem_test.c -- index lists of the language become the views NumPy would give (shapes and
 * first voxels by NumPy's rules, written out by hand).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "builtin.h"
#include "core/call.h"

#include <string.h>

static cairn_error error;

/* broadcast_to(constant, (10, 11, 12)) indexed by a literal list; type as text, or the message. */
static const char *indexed(const char *items)
{
	static char text[1024];
	crn_graph *g = NULL;
	crn_node *base = NULL, *n = NULL;
	assert_int_equal(crn_graph_new(&crn_builtin_registry, &g, &error), CAIRN_OK);
	/* One voxel, repeated: a base that needs no file. */
	const crn_op *constant = crn_op_find(&crn_builtin_registry, "constant");
	assert_non_null(constant);
	CRN_VALUE one = {0};
	CRN_VALUE voxel = {0};
	CRN_VALUE shape = {0};
	assert_int_equal(crn_value_parse_literal("[[[7]]]", &one, &error), CAIRN_OK);
	assert_int_equal(crn_value_parse_literal("(10, 11, 12)", &shape, &error), CAIRN_OK);
	assert_int_equal(crn_call_op(g, constant, &one, 1, NULL, 0, &voxel, &error), CAIRN_OK);
	crn_value args[2] = {voxel, shape};
	assert_int_equal(crn_build_node(g, "broadcast_to", args, 2, &base, &error), CAIRN_OK);
	CRN_VALUE list = {0};
	assert_int_equal(crn_value_parse_literal(items, &list, &error), CAIRN_OK);
	crn_value call[2] = {{.kind = CRN_V_NODE, .node = base}, list};
	if (crn_build_node(g, "getitem", call, 2, &n, &error) == CAIRN_OK)
		crn_type_format(&n->type, text);
	else
		strcpy(text, error.message);
	crn_node_unref(n);
	crn_node_unref(base);
	crn_value_clear(&voxel);
	crn_graph_unref(g);
	return text;
}

static void shapes_are_numpys(void **state)
{
	(void)state;
	assert_string_equal(indexed("[(None, -4, None), (2, -2, 3)]"), "int64 (6, 3, 12)");
	assert_string_equal(indexed("['...', -1]"), "int64 (10, 11)");
	assert_string_equal(indexed("[None, 3, '...', None]"), "int64 (1, 11, 12, 1)");
	assert_string_equal(indexed("[(None, None, -1)]"), "int64 (10, 11, 12)");
	assert_string_equal(indexed("[]"), "int64 (10, 11, 12)");
	assert_string_equal(indexed("[(20, 5, None)]"), "int64 (0, 11, 12)");
}

static void wrong_entries_are_named(void **state)
{
	(void)state;
	assert_non_null(strstr(indexed("[10]"), "out of bounds"));
	assert_non_null(strstr(indexed("[1, 2, 3, 4]"), "too many indices"));
	assert_non_null(strstr(indexed("['...', '...']"), "..."));
	assert_string_equal(
		indexed("[(1, 2)]"), "only integers, slices, ... and None are valid indices");
	assert_string_equal(
		indexed("['x']"), "only integers, slices, ... and None are valid indices");
	assert_non_null(strstr(indexed("3"), "too many indices"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_are_numpys),
		cmocka_unit_test(wrong_entries_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

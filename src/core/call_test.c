/* SPDX-License-Identifier: Apache-2.0
 *
 * call_test.c -- binding of arguments, conversions, and the texts of its errors; literals.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/call.h"
#include "core/literal.h"
#include "core/registry.h"

#include <math.h>
#include <string.h>

/* An op that gives its checked arguments back as a list. */
static const char *const modes[] = {"reflect", "nearest", "wrap", NULL};
static const crn_param echo_params[] = {
	{"x", CRN_P_NUMBER, NULL, "a number", NULL},
	{"sigma", CRN_P_FLOATS, "1", "in voxels, >= 0", NULL},
	{"size", CRN_P_INTS, "(3, 3)", "in voxels", NULL},
	{"mode", CRN_P_STR, "'reflect'", "border", modes},
	{"dtype", CRN_P_DTYPE, "None", "of the result", NULL},
	{"structure", CRN_P_CONST, "None", "footprint", NULL},
	{"keep", CRN_P_BOOL, "False", "keep it", NULL},
	{"count", CRN_P_INT, "1", "how many", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static cairn_status echo_build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	(void)g;
	int n = 0;
	while (self->params[n].type != CRN_P_END)
		n++;
	CRN_TRY(crn_value_list(n, ret, err));
	for (int i = 0; i < n; i++)
		CRN_TRY(crn_value_copy(&args[i], &ret->list.items[i], err));
	return CAIRN_OK;
}

static const crn_op echo = {.name = "echo", .params = echo_params, .build = echo_build};

static const crn_param open_params[] = {
	{"url", CRN_P_STR, NULL, "file", NULL},
	{"**options", CRN_P_ANY, NULL, "of the format", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_op open_op = {.name = "open", .params = open_params, .build = echo_build};

static const crn_param pair_params[] = {
	{"a", CRN_P_ARRAY, NULL, NULL, NULL},
	{"b", CRN_P_OPERAND, NULL, NULL, NULL},
	{"c", CRN_P_ARRAYS, "None", NULL, NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_op pair = {.name = "pair", .params = pair_params, .build = echo_build};

static const crn_op *const ops[] = {&echo, &open_op, &pair, NULL};
static const crn_registry registry = {.ops = ops};

static cairn_error error;

/* Calls with arguments and keywords written as literals; the result printed, or "!message|hint". */
static const char *call(const crn_op *op, const char *args, const char *key, const char *value)
{
	static char text[2048];
	CRN_VALUE list = {0}, v = {0}, ret = {0};
	CRN_STR out = {0};
	crn_kwarg kwarg = {.name = key};
	assert_int_equal(crn_value_parse_literal(args, &list, &error), CAIRN_OK);
	assert_int_equal(list.kind, CRN_V_LIST);
	if (key)
		assert_int_equal(crn_value_parse_literal(value, &kwarg.value, &error), CAIRN_OK);
	cairn_status status = crn_call_op(
		NULL, op, list.list.items, list.list.n, &kwarg, key != NULL, &ret, &error);
	if (status == CAIRN_OK) {
		crn_value_print(&ret, &out);
	} else {
		assert_int_equal(status, CAIRN_USAGE);
		crn_str_appendf(&out, "!%s|%s", error.message, error.hint);
	}
	crn_value_clear(&kwarg.value);
	strcpy(text, out.data);
	return text;
}

static void fills_defaults_and_converts(void **state)
{
	(void)state;
	assert_string_equal(call(&echo, "(2,)", NULL, NULL),
		"(2, 1.0, (3, 3), \"reflect\", None, None, False, 1)");
	assert_string_equal(call(&echo, "(2, (1, 2.5), 5, 'wrap')", "dtype", "'float'"),
		"(2, (1.0, 2.5), 5, \"wrap\", \"float64\", None, False, 1)");
	assert_string_equal(call(&echo, "(True,)", "structure", "[[0, 1], [1, 1], [0, 1]]"),
		"(True, 1.0, (3, 3), \"reflect\", None, <constant int64 (3, 2)>, False, 1)");
	assert_string_equal(call(&echo, "(1,)", "structure", "[True, False]"),
		"(1, 1.0, (3, 3), \"reflect\", None, <constant bool (2)>, False, 1)");
	assert_string_equal(call(&echo, "(1,)", "keep", "1"),
		"(1, 1.0, (3, 3), \"reflect\", None, None, True, 1)");
	assert_string_equal(
		call(&open_op, "('a.tif',)", "channel", "3"), "(\"a.tif\", ((\"channel\", 3),))");
	assert_string_equal(call(&open_op, "('a.tif',)", NULL, NULL), "(\"a.tif\", ())");
}

static void names_what_is_wrong(void **state)
{
	(void)state;
	assert_string_equal(
		call(&echo, "()", NULL, NULL), "!echo: x is missing|x is a number: a number");
	assert_string_equal(call(&echo, "(1,)", "sigm", "3"),
		"!echo has no parameter sigm|did you mean sigma?");
	assert_string_equal(call(&open_op, "('f',)", "url", "3"),
		"!open: url is given twice, by position and by name|");
	assert_string_equal(call(&echo, "(1, 'a')", NULL, NULL),
		"!echo: sigma must be a number, or a tuple of numbers, got \"a\""
		"|sigma: in voxels, >= 0");
	assert_string_equal(call(&echo, "(1,)", "mode", "'neares'"),
		"!echo: mode must be one of 'reflect', 'nearest', 'wrap'; got 'neares'"
		"|did you mean 'nearest'?");
	assert_string_equal(call(&echo, "(1,)", "count", "2.5"),
		"!echo: count must be an integer, got 2.5|count: how many");
	assert_string_equal(call(&echo, "(1,)", "count", "None"),
		"!echo: count must be an integer, got None|count: how many");
	assert_string_equal(call(&echo, "(1,)", "structure", "[[0, 1], [1]]"),
		"!echo: structure must be a small constant array such as ball(2), or nested lists "
		"of "
		"numbers (or None), got ((0, 1), (1,))|structure: footprint");
	assert_string_equal(call(&echo, "(1,)", "structure", "[1, [1]]"),
		"!echo: structure must be a small constant array such as ball(2), or nested lists "
		"of "
		"numbers (or None), got (1, (1,))|structure: footprint");
	assert_string_equal(call(&pair, "('a.tif', 1)", NULL, NULL),
		"!pair: a must be an array, got \"a.tif\"|open a file with read(\"a.tif\")");
	assert_string_equal(
		call(&open_op, "(1, 2)", NULL, NULL), "!open takes at most 1 argument, 2 given|");
	assert_non_null(
		strstr(call(&echo, "(1,)", "dtype", "'uint9'"), "got \"uint9\"|dtypes are"));
}

static const char *literal(const char *text)
{
	static char shown[2048];
	CRN_VALUE v = {0};
	CRN_STR out = {0};
	if (crn_value_parse_literal(text, &v, &error) == CAIRN_OK)
		crn_value_print(&v, &out);
	else
		crn_str_appendf(&out, "!%s", error.message);
	strcpy(shown, out.data);
	return shown;
}

static void reads_literals(void **state)
{
	(void)state;
	assert_string_equal(literal("-9223372036854775808"), "-9223372036854775808");
	assert_string_equal(literal("18446744073709551615"), "18446744073709551615");
	assert_string_equal(literal("0xff_ff"), "65535");
	assert_string_equal(literal("1_000.5e1"), "10005.0");
	assert_string_equal(literal(" 1, 2 ,3"), "(1, 2, 3)");
	assert_string_equal(literal("(1,)"), "(1,)");
	assert_string_equal(literal("(1)"), "1");
	assert_string_equal(literal("[]"), "()");
	assert_string_equal(literal("'a\\tb' "), "\"a\tb\"");
	assert_string_equal(literal("r'a\\tb'"), "\"a\\tb\"");
	assert_string_equal(literal("'\\u00b5m'"), "\"\xc2\xb5m\"");
	assert_string_equal(literal("-inf"), "-inf");
	assert_string_equal(literal("None"), "None");
	CRN_VALUE nan = {0};
	assert_int_equal(crn_value_parse_literal("nan", &nan, &error), CAIRN_OK);
	assert_true(isnan(nan.f));
	static const char *const wrong[] = {"", "1 2", "abc", "'a", "1__0", "0x", "012", "1e", "(1",
		"18446744073709551616", "1,,2", "-'a'", "1j", "'\\x0'", "'\\0'", "12ab", "-None"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(literal(wrong[i])[0], '!');
}

static void spreads_over_axes(void **state)
{
	(void)state;
	CRN_VALUE v = {0};
	int64_t ints[3];
	double floats[3];
	bool flags[CRN_MAX_NDIM];
	assert_int_equal(crn_value_parse_literal("(1, 2)", &v, &error), CAIRN_OK);
	assert_int_equal(crn_args_ints(&v, 3, ints, "size", &error), CAIRN_USAGE);
	assert_string_equal(error.message, "size has 2 entries, but 3 are needed (one per axis)");
	assert_int_equal(crn_args_floats(&v, 2, floats, "size", &error), CAIRN_OK);
	assert_true(floats[0] == 1 && floats[1] == 2);
	assert_int_equal(crn_args_axes(&v, 3, flags, "axis", &error), CAIRN_OK);
	assert_true(!flags[0] && flags[1] && flags[2]);
	assert_int_equal(crn_args_axes(&v, 2, flags, "axis", &error), CAIRN_USAGE);
	crn_value_clear(&v);
	assert_int_equal(crn_value_parse_literal("(-1, 2)", &v, &error), CAIRN_OK);
	assert_int_equal(crn_args_axes(&v, 3, flags, "axis", &error), CAIRN_USAGE);
	assert_string_equal(error.message, "axis names axis 2 twice");
}

static void finds_the_nearest_name(void **state)
{
	(void)state;
	static const char *const names[] = {"gaussian_filter", "median_filter", "label", "sum"};
	assert_string_equal(crn_nearest_name("gausian_filter", names, 4), "gaussian_filter");
	assert_string_equal(crn_nearest_name("lable", names, 4), "label");
	assert_string_equal(crn_nearest_name("gaussian", names, 4), "gaussian_filter");
	assert_null(crn_nearest_name("xyzzy", names, 4));
	assert_null(crn_op_find(&registry, "nothing"));
	assert_ptr_equal(crn_op_find(&registry, "open"), &open_op);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_defaults_and_converts),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(reads_literals),
		cmocka_unit_test(spreads_over_axes),
		cmocka_unit_test(finds_the_nearest_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

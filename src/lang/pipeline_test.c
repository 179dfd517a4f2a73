/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline_test.c -- the language against Python's own results, and the texts of its errors.
 *
 * A registry of ops that compute nothing (their nodes print as "(add a b)") stands in for the real
 * ones, so that only the language is tested.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/call.h"
#include "core/registry.h"
#include "lang/pipeline.h"
#include "lang/python_results_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- ops that only have types ---- */

static cairn_status source_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	(void)n;
	(void)err;
	*ret = crn_type_make(CRN_U8, 2, (const int64_t[]){4, 5});
	return CAIRN_OK;
}

static cairn_status same_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	if (strcmp(n->op->name, "median_filter") == 0 && n->args[1].i % 2 == 0)
		return crn_fail(err, CAIRN_USAGE, "median_filter: size must be odd");
	*ret = n->in[0]->type;
	return CAIRN_OK;
}

static const crn_param source_params[] = {
	{"name", CRN_P_STR, NULL, NULL, NULL}, {NULL, CRN_P_END, NULL, NULL, NULL}};
static const crn_param one_params[] = {
	{"x", CRN_P_ARRAY, NULL, NULL, NULL}, {NULL, CRN_P_END, NULL, NULL, NULL}};
static const crn_param two_params[] = {{"x1", CRN_P_OPERAND, NULL, NULL, NULL},
	{"x2", CRN_P_OPERAND, NULL, NULL, NULL}, {NULL, CRN_P_END, NULL, NULL, NULL}};
static const crn_param item_params[] = {{"x", CRN_P_ARRAY, NULL, NULL, NULL},
	{"items", CRN_P_ANY, NULL, NULL, NULL}, {NULL, CRN_P_END, NULL, NULL, NULL}};
static const crn_param size_params[] = {{"x", CRN_P_ARRAY, NULL, NULL, NULL},
	{"size", CRN_P_INT, "3", "odd", NULL}, {NULL, CRN_P_END, NULL, NULL, NULL}};
static const crn_param write_params[] = {{"x", CRN_P_NODE, NULL, NULL, NULL},
	{"url", CRN_P_STR, NULL, NULL, NULL}, {NULL, CRN_P_END, NULL, NULL, NULL}};
static const crn_param any_params[] = {
	{"value", CRN_P_ANY, NULL, NULL, NULL}, {NULL, CRN_P_END, NULL, NULL, NULL}};

#define OP(id, table, inference, which) \
	static const crn_op op_##id = { \
		.name = #id, .params = table, .infer = inference, .kind = which};
OP(source, source_params, source_infer, CRN_GENERATOR)
OP(median_filter, size_params, same_infer, CRN_STENCIL)
OP(getitem, item_params, same_infer, CRN_VIEW)
OP(transpose, one_params, same_infer, CRN_VIEW)
OP(write, write_params, same_infer, CRN_SINK)
#define TWO(id) OP(id, two_params, same_infer, CRN_ELEMENTWISE)
#define ONE(id) OP(id, one_params, same_infer, CRN_ELEMENTWISE)
/* clang-format off */
#define ALL_TWO(X) \
	X(add) X(subtract) X(multiply) X(divide) X(floor_divide) X(mod) X(power) X(equal) \
	X(not_equal) X(less) X(less_equal) X(greater) X(greater_equal) X(bitwise_and) \
	X(bitwise_or) X(bitwise_xor)
/* clang-format on */
ALL_TWO(TWO)
ONE(negative)
ONE(invert)

/* Hands its argument on: how a test looks at any value. */
static cairn_status keep_build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	(void)g;
	(void)self;
	return crn_value_copy(&args[0], ret, err);
}
static const crn_op op_keep = {.name = "keep", .params = any_params, .build = keep_build};

#define ENTRY(id) &op_##id,
static const crn_op *const ops[] = {&op_source, &op_median_filter, &op_getitem, &op_transpose,
	&op_write, &op_negative, &op_invert, &op_keep, ALL_TWO(ENTRY) NULL};
static const crn_registry registry = {.ops = ops};

/* ---- helpers ---- */

static cairn_error error;

static void show(const crn_value *v, crn_str *out)
{
	if (v->kind == CRN_V_NODE && v->node->op == &op_source) {
		crn_str_append(out, v->node->args[0].s);
	} else if (v->kind == CRN_V_NODE) {
		crn_str_appendf(out, "(%s", v->node->op->name);
		for (int i = 0; i < v->node->n_args; i++) {
			crn_str_append(out, " ");
			show(&v->node->args[i], out);
		}
		crn_str_append(out, ")");
	} else {
		crn_value_print(v, out);
	}
}

static cairn_status build(const char *text, const crn_setting *settings, int n_settings,
	crn_graph **ret_graph, crn_pipeline **ret)
{
	crn_pipeline_request request = {.settings = settings, .n_settings = n_settings};
	assert_int_equal(crn_graph_new(&registry, ret_graph, &error), CAIRN_OK);
	memset(&error, 0, sizeof(error));
	return crn_pipeline_new(*ret_graph, text, strlen(text), &request, ret, &error);
}

/* The last bare expression of a text, shown; or its error as "MESSAGE|HINT". */
static const char *value_with(const char *text, const crn_setting *settings, int n_settings)
{
	static char shown[4096];
	crn_graph *g = NULL;
	crn_pipeline *p = NULL;
	CRN_STR out = {0};
	if (build(text, settings, n_settings, &g, &p) == CAIRN_OK) {
		assert_non_null(crn_pipeline_last(p));
		show(crn_pipeline_last(p), &out);
	} else {
		assert_int_equal(error.status, CAIRN_USAGE);
		crn_str_appendf(&out, "%s|%s", error.message, error.hint);
	}
	crn_pipeline_free(p);
	crn_graph_unref(g);
	snprintf(shown, sizeof(shown), "%s", out.data);
	return shown;
}

static const char *value(const char *text)
{
	return value_with(text, NULL, 0);
}

#define NAMES "a = source('a'); b = source('b'); c = source('c'); d = source('d')\n"

/* ---- against Python ---- */

static void plain_numbers_are_pythons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(python_plain) / sizeof(python_plain[0]); i++) {
		const char *text = python_plain[i][0], *expected = python_plain[i][1];
		crn_graph *g = NULL;
		crn_pipeline *p = NULL;
		cairn_status status = build(text, NULL, 0, &g, &p);
		bool same = (status != CAIRN_OK) == (strcmp(expected, "error") == 0);
		if (status == CAIRN_OK && same) {
			CRN_VALUE want = {0};
			assert_int_equal(
				crn_value_parse_literal(expected, &want, &error), CAIRN_OK);
			const crn_value *got = crn_pipeline_last(p);
			same = got->kind == want.kind &&
			       (got->kind == CRN_V_BOOL ? got->b == want.b : got->u == want.u);
		}
		if (!same)
			fail_msg("%s: Python gives %s, cairn %s", text, expected, value(text));
		crn_pipeline_free(p);
		crn_graph_unref(g);
	}
}

static void operators_group_as_in_python(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(python_grouping) / sizeof(python_grouping[0]); i++) {
		CRN_STR text = {0};
		crn_str_appendf(&text, "%s%s", NAMES, python_grouping[i][0]);
		assert_string_equal(value(text.data), python_grouping[i][1]);
	}
}

static void slices_are_pythons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(python_slices) / sizeof(python_slices[0]); i++) {
		CRN_STR text = {0};
		crn_str_appendf(
			&text, "values = (10, 11, 12, 13, 14)\nvalues[%s]", python_slices[i][0]);
		assert_string_equal(value(text.data), python_slices[i][1]);
	}
}

/* ---- the language ---- */

static void statements_and_calls(void **state)
{
	(void)state;
	assert_string_equal(value("from cairn import *  # the import line\n\n"
				  "\"\"\"what\nthis does\"\"\"\n"
				  "sigma = 1, 2,\\\n  3\nkeep(sigma)"),
		"(1, 2, 3)");
	assert_string_equal(value("import cairn\nx = cairn.source('x')\nx.median_filter(size=5)"),
		"(median_filter x 5)");
	assert_string_equal(value("import cairn as c\nc.keep(c.float32)"), "\"float32\"");
	assert_string_equal(
		value("source('x').median_filter(5).T"), "(transpose (median_filter x 5))");
	assert_string_equal(value("x = source('x'); (x > 2) & ~(x == 3)"),
		"(bitwise_and (greater x 2) (invert (equal x 3)))");
	assert_string_equal(value("1 - source('x')"), "(subtract 1 x)");
	assert_string_equal(value("x = source('x')\nx = x + 1\nx"), "(add x 1)");
	assert_string_equal(value("keep((source('x').shape, source('x').dtype, source('x').ndim))"),
		"((4, 5), \"uint8\", 2)");
	assert_string_equal(value("keep('a' \"b\" + 'c')"), "\"abc\"");
	assert_string_equal(value("keep([1, (2,), [], None, inf, uint8, float])"),
		"(1, (2,), (), None, inf, \"uint8\", \"float64\")");
	assert_string_equal(
		value("keep((int(2.9), round(2.5), float(3), len((1, 2))))"), "(2, 2, 3.0, 2)");
	assert_string_equal(value("# only\r\nkeep(1)\r\n"), "1");
	assert_string_equal(value("  x = (1 +\n 2)\n  keep(x)"), "3");
	assert_string_equal(value("\xef\xbb\xbfkeep(1)"), "1");
}

static void indexing(void **state)
{
	(void)state;
	assert_string_equal(value("source('x')[:-54, 52:-52, ::2, None, ..., -1]"),
		"(getitem x ((None, -54, None), (52, -52, None), (None, None, 2), None, \"...\", "
		"-1))");
	assert_string_equal(value("source('x')[1,]"), "(getitem x (1,))");
	assert_string_equal(value("source('x')[:]"), "(getitem x ((None, None, None),))");
	assert_string_equal(value("keep((5, 6, 7))[-1]"), "7");
	assert_string_equal(value("source('x')[1.5]"),
		"line 1, column 13: an index must be an integer, not 1.5\n"
		"    source('x')[1.5]\n                ^|");
	assert_string_equal(value("x = source('x')\nx[x > 1]"),
		"line 2, column 5: an array cannot be the index of an array\n"
		"    x[x > 1]\n        ^|choose voxel by voxel with where(mask, x, 0)");
	assert_string_equal(value("source('x')[::0]"),
		"line 1, column 15: a slice cannot have step 0\n"
		"    source('x')[::0]\n                  ^|");
	assert_string_equal(value("(1, 2)[5]"),
		"line 1, column 8: index 5 is out of range: the tuple has 2 entries\n"
		"    (1, 2)[5]\n           ^|");
}

static void sinks_in_order(void **state)
{
	(void)state;
	crn_graph *g = NULL;
	crn_pipeline *p = NULL;
	int n = 0;
	assert_int_equal(build("smooth = source('x').median_filter()\nwrite(smooth, 'b.npy')\n"
			       "smooth.write('a.npy')\nwrite(smooth, 'b.npy')\n",
				 NULL, 0, &g, &p),
		CAIRN_OK);
	crn_node *const *sinks = crn_pipeline_sinks(p, &n);
	assert_int_equal(n, 2);
	assert_string_equal(sinks[0]->args[1].s, "b.npy");
	assert_string_equal(sinks[1]->args[1].s, "a.npy");
	assert_null(crn_pipeline_last(p));
	assert_string_equal(sinks[0]->in[0]->origin, "smooth = median_filter, line 1");
	assert_string_equal(sinks[0]->in[0]->in[0]->origin, "source, line 1");
	assert_int_equal(crn_pipeline_n_names(p), 1);
	assert_string_equal(crn_pipeline_name(p, 0), "smooth");
	crn_pipeline_free(p);
	crn_graph_unref(g);
	assert_string_equal(value("y = write(source('x'), 'a')\nmedian_filter(y)"),
		"line 2, column 1: median_filter: write(...) and print(...) give no value to go on "
		"with\n    median_filter(y)\n    ^|");
}

static void settings(void **state)
{
	(void)state;
	static const char text[] =
		"sigma = (3, 6, 6)\nfile = 'a.tif'\nt = 2 * 3\nkeep((sigma, file))";
	crn_setting s[] = {{"sigma", "1,2,2"}, {"file", "b c.tif"}};
	assert_string_equal(value_with(text, s, 2), "((1, 2, 2), \"b c.tif\")");
	s[1].text = "'quoted.tif'";
	assert_string_equal(value_with(text, s, 2), "((1, 2, 2), \"quoted.tif\")");
	s[1].name = "sigam";
	assert_string_equal(value_with(text, s, 2),
		"--set sigam: the pipeline assigns no literal to that name|did you mean sigma?");
	s[1].name = "t";
	assert_string_equal(value_with(text, s, 2), "--set t: t is computed in line 3; only names "
						    "assigned a literal can be set|");
	s[0].text = "1,,2";
	assert_non_null(strstr(value_with(text, s, 1), "\"1,,2\" is no literal"));
	s[0].text = "5";
	s[1] = (crn_setting){"sigma", "7"};
	assert_string_equal(value_with(text, s, 2), "(7, \"a.tif\")");
}

/* ---- errors: text, place, caret, hint ---- */

static const char *const errors[][2] = {
	{"x = 1 +", "line 1, column 8: a value is expected before the end of the text\n"
		    "    x = 1 +\n           ^|"},
	{"x = source('x')\ny = x.median_filter(size=4)",
		"line 2, column 7: median_filter: size must be odd\n"
		"    y = x.median_filter(size=4)\n          ^|"},
	{"x = source('x')\ny = median_filter(x, siz=4)",
		"line 2, column 5: median_filter has no parameter siz\n"
		"    y = median_filter(x, siz=4)\n        ^|did you mean size?"},
	{"x = sorce('x')", "line 1, column 5: the operation sorce is not known\n"
			   "    x = sorce('x')\n        ^|did you mean source?"},
	{"smooth = 1\nkeep(smoth)", "line 2, column 6: the name smoth is not known\n"
				    "    keep(smoth)\n         ^|did you mean smooth?"},
	{"x = (1, 2", "line 1, column 5: this '(' is never closed\n    x = (1, 2\n        ^|"},
	{"x = (1, 2]", "line 1, column 10: this bracket does not match the '(' that is open\n"
		       "    x = (1, 2]\n             ^|"},
	{"keep(1 < 2 < 3)",
		"line 1, column 12: chained comparisons are not part of the pipeline language\n"
		"    keep(1 < 2 < 3)\n               ^|"
		"write (a < b) & (b < c), each comparison in brackets"},
	{"x = 1 if True else 2", "line 1, column 7: 'if' is not part of the pipeline language\n"
				 "    x = 1 if True else 2\n          ^|"
				 "choose voxel by voxel with where(condition, a, b)"},
	{"x = True and False", "line 1, column 10: 'and' does not work on arrays\n"
			       "    x = True and False\n             ^|"
			       "use & with brackets: (a > 1) & (b < 2)"},
	{"not True", "line 1, column 1: 'not' does not work on arrays\n    not True\n    ^|"
		     "use ~: ~(a > 1)"},
	{"def f(x):\n  return x",
		"line 1, column 1: defining functions is not part of the pipeline "
		"language\n    def f(x):\n    ^|"
		"for loops and functions use the Python module"},
	{"for i in (1, 2):",
		"line 1, column 1: loops and comprehensions are not part of the pipeline "
		"language\n    for i in (1, 2):\n    ^|"
		"for loops and functions use the Python module"},
	{"x = [i for i in (1, 2)]",
		"line 1, column 8: loops and comprehensions are not part of the pipeline language\n"
		"    x = [i for i in (1, 2)]\n           ^|"
		"for loops and functions use the Python module"},
	{"keep([1 for i in y])",
		"line 1, column 9: loops and comprehensions are not part of the pipeline language\n"
		"    keep([1 for i in y])\n            ^|"
		"for loops and functions use the Python module"},
	{"x = {1: 2}",
		"line 1, column 5: dictionaries and sets are not part of the pipeline language\n"
		"    x = {1: 2}\n        ^|give options as keywords: f(x, name=value)"},
	{"x = f'{a}'", "line 1, column 5: f-strings are not part of the pipeline language\n"
		       "    x = f'{a}'\n        ^|join texts with +"},
	{"x = lambda y: y", "line 1, column 5: lambda is not part of the pipeline language\n"
			    "    x = lambda y: y\n        ^|"
			    "for loops and functions use the Python module"},
	{"import numpy as np", "line 1, column 1: only cairn can be imported in a pipeline\n"
			       "    import numpy as np\n    ^|"
			       "other modules need Python: run the file with python"},
	{"x[0] = 1",
		"line 1, column 1: arrays are never changed in place, so a part of one cannot be "
		"assigned\n    x[0] = 1\n    ^|"
		"choose voxel by voxel with where(condition, a, b)"},
	{"a, b = 1, 2", "line 1, column 1: several names on the left of '=' are not part of the "
			"pipeline language\n    a, b = 1, 2\n    ^|"
			"give the result one name and index it: r[0], r[1]"},
	{"x += 1", "line 1, column 3: '+=' is not part of the pipeline language\n"
		   "    x += 1\n      ^|write name = name + value"},
	{"keep(x := 1)", "line 1, column 8: ':=' is not part of the pipeline language\n"
			 "    keep(x := 1)\n           ^|"
			 "put name = expression on a line of its own"},
	{"x: int = 3", "line 1, column 2: type annotations and blocks are not part of the pipeline "
		       "language\n    x: int = 3\n     ^|"},
	{"a = b = 1",
		"line 1, column 7: one assignment a statement, please: a = b = c is not part of "
		"the pipeline language\n    a = b = 1\n          ^|"},
	{"keep(*x)", "line 1, column 6: unpacking with * is not part of the pipeline language\n"
		     "    keep(*x)\n         ^|"},
	{"x = 1\n  y = 2",
		"line 2, column 3: unexpected indentation\n      y = 2\n      ^|"
		"all statements start in the same column; continue a line inside brackets"},
	{"x = 'abc", "line 1, column 5: this string does not end\n    x = 'abc\n        ^|"},
	{"x = 18446744073709551616",
		"line 1, column 5: this integer is larger than 18446744073709551615 (2^64 - 1)\n"
		"    x = 18446744073709551616\n        ^|"},
	{"x = 2 ** 64", "line 1, column 7: this integer does not fit 64 bits (-2^63 .. 2^64 - 1)\n"
			"    x = 2 ** 64\n          ^|"},
	{"x = 1 / 0", "line 1, column 7: division by zero\n    x = 1 / 0\n          ^|"},
	{"x = 1 2", "line 1, column 7: an operator or the end of the line is expected, not 2\n"
		    "    x = 1 2\n          ^|"},
	{"\xce\xbc = '\xc2\xb5m'; y = @", "line 1, column 15: the matrix product is not part"},
	{"median_filter = 3\nmedian_filter(2)",
		"line 2, column 1: median_filter is a value here (assigned in line 1) and cannot "
		"be "
		"called\n    median_filter(2)\n    ^|give the value in line 1 another name"},
	{"x = median_filter", "line 1, column 5: median_filter is an operation: call it\n"
			      "    x = median_filter\n        ^|median_filter(...)"},
	{"source('x')\nkeep(1)", "line 1, column 1: the result of this line is not used\n"
				 "    source('x')\n    ^|"
				 "give it a name, write(...) it or print(...) it"},
	{"x = 'a' - 1", "line 1, column 9: - cannot be applied to a text and an integer\n"
			"    x = 'a' - 1\n            ^|open a file with read(\"...\")"},
	{"x = (1, 2) > 0.5 & 1", "line 1, column 18: & needs integers or masks, not floats\n"
				 "    x = (1, 2) > 0.5 & 1\n                     ^|"},
	{"keep(x=1, 2)", "line 1, column 11: arguments by position come before those by name\n"
			 "    keep(x=1, 2)\n              ^|"},
	{"source('x').shapes", "line 1, column 13: there is no member shapes here\n"
			       "    source('x').shapes\n                ^|"
			       "arrays have shape, ndim, size, dtype and T; all else are calls"},
	{"x = range(3)", "line 1, column 5: the operation range is not known\n"
			 "    x = range(3)\n        ^|"
			 "range is Python's: loops and functions use the Python module"},
	{"x\t=\t$", "line 1, column 5: a value is expected, not $\n    x\t=\t$\n     \t \t^|"},
	{"aaaaaaaaa = 111111111111111 + 1111111111111111 + 111111111111111 + b + "
	 "222222222222222222 + "
	 "33333333333333333 + 4444444444444444",
		"line 1, column 68: the name b is not known\n"
		"    ...11111111 + 1111111111111111 + 111111111111111 + b + 222222222222222222 + "
		"33333333333333333 + 444...\n"
		"                                                       ^|`cairn ops` lists the "
		"operations"},
	{"x = \x01", "line 1, column 5: unexpected byte 0x01\n    x = ?\n        ^|"},
};

static void errors_name_the_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		const char *got = value(errors[i][0]), *want = errors[i][1];
		/* An entry without '|' is only the beginning. */
		bool same = strchr(want, '|') ? strcmp(got, want) == 0
					      : strncmp(got, want, strlen(want)) == 0;
		if (!same)
			fail_msg("\n%s\n-- gave --\n%s\n-- expected --\n%s", errors[i][0], got,
				want);
	}
}

static void hostile_texts_cost_an_error(void **state)
{
	(void)state;
	static const struct {
		const char *start, *part, *middle, *end, *message;
	} bombs[] = {
		{"keep(", "(", "1", "", "brackets are nested too deeply"},
		{"keep(", "-", "1", ")", "this expression is too deep"},
		{"keep(1", "+1", "", ")", "this expression is too deep"},
		{"x = source('x')", ".median_filter()", "", "", "this expression is too deep"},
		{"keep(2", "**2", "", ")", "this expression is too deep"},
		{"a=(1,1)\n", "a=(a,a)\n", "", "", "this tuple or list is too large"},
		{"a='xxxx'\n", "a=a+a\n", "", "", "this text is longer than"},
		{"", "x=1\n", "", "", "a pipeline has at most"},
	};
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		CRN_STR text = {0};
		int repeats = strchr(bombs[i].part, '=') && bombs[i].start[0] ? 5000 : 20000;
		crn_str_append(&text, bombs[i].start);
		for (int k = 0; k < repeats; k++)
			crn_str_append(&text, bombs[i].part);
		crn_str_append(&text, bombs[i].middle);
		for (int k = 0; k < repeats && bombs[i].part[0] == '('; k++)
			crn_str_append(&text, ")");
		crn_str_append(&text, bombs[i].end);
		const char *got = value(text.data);
		if (!strstr(got, bombs[i].message))
			fail_msg("%s... gave %s", bombs[i].start, got);
	}
	CRN_STR text = {0};
	for (int k = 0; k < 300000; k++)
		crn_str_append(&text, "#234\n");
	assert_non_null(strstr(value(text.data), "limited to 1024 KiB"));
}

/* ---- pipelines as inputs ---- */

static void put(const char *folder, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void pipelines_are_inputs(void **state)
{
	(void)state;
	char folder[] = "/tmp/cairn-lang-XXXXXX", text[512], want[1024];
	assert_non_null(mkdtemp(folder));
	put(folder, "wf.py", "x = source('x')\nsmooth = median_filter(x, 5)\nwrite(x, 'no.npy')\n");
	put(folder, "bad.py", "x = \n");
	snprintf(text, sizeof(text), "r = read('%s/circle.py#r')\n", folder);
	put(folder, "circle.py", text);
	snprintf(text, sizeof(text), "read('%s/wf.py#smooth') + 1", folder);
	assert_string_equal(value(text), "(add (median_filter x 5) 1)");
	snprintf(text, sizeof(text), "read('%s/wf.py#smoth')", folder);
	snprintf(want, sizeof(want), "%s/wf.py assigns nothing to smoth|did you mean smooth?",
		folder);
	assert_string_equal(value(text), want);
	snprintf(text, sizeof(text), "read('%s/wf.py')", folder);
	assert_non_null(strstr(value(text), "with NAME one of x, smooth"));
	snprintf(text, sizeof(text), "read('%s/bad.py#x')", folder);
	snprintf(want, sizeof(want),
		"%s/bad.py, line 1, column 5: a value is expected before the end of the line\n"
		"    x = \n        ^|",
		folder);
	assert_string_equal(value(text), want);
	assert_string_equal(error.where, "read in the pipeline line 1");
	snprintf(text, sizeof(text), "read('%s/circle.py#r')", folder);
	assert_non_null(strstr(value(text), "more than 8 deep (in a circle?)"));
	const char *const files[] = {"wf.py", "bad.py", "circle.py"};
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "%s/%s", folder, files[i]);
		assert_int_equal(unlink(text), 0);
	}
	assert_int_equal(rmdir(folder), 0);
	size_t n = 0;
	const char *name = NULL;
	assert_true(crn_pipeline_is_url("a.py#b", &n, &name));
	assert_int_equal(n, 4);
	assert_string_equal(name, "b");
	assert_false(crn_pipeline_is_url("a.tif", NULL, NULL));
	assert_false(crn_pipeline_is_url(".py", NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_numbers_are_pythons),
		cmocka_unit_test(operators_group_as_in_python),
		cmocka_unit_test(slices_are_pythons),
		cmocka_unit_test(statements_and_calls),
		cmocka_unit_test(indexing),
		cmocka_unit_test(sinks_in_order),
		cmocka_unit_test(settings),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(hostile_texts_cost_an_error),
		cmocka_unit_test(pipelines_are_inputs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

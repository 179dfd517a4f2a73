/* SPDX-License-Identifier: Apache-2.0
 *
 * json_test.c -- exact numbers, texts, limits, error places; what is printed parses back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static crn_json *parse(const char *text)
{
	crn_json *v = NULL;
	cairn_error err = {0};
	if (crn_json_parse(text, strlen(text), CAIRN_INPUT, &v, &err) != CAIRN_OK)
		fail_msg("%s: %s", text, err.message);
	return v;
}

static void assert_bad(const char *text, const char *part_of_message)
{
	crn_json *v = NULL;
	cairn_error err = {0};
	assert_int_equal(crn_json_parse(text, strlen(text), CAIRN_INPUT, &v, &err), CAIRN_INPUT);
	assert_null(v);
	if (!strstr(err.message, part_of_message))
		fail_msg("%s: \"%s\" lacks \"%s\"", text, err.message, part_of_message);
}

static void test_integers(void **state)
{
	crn_json *v =
		parse("[9223372036854775807, -9223372036854775808, 9223372036854775808,"
		      " 18446744073709551615, 18446744073709551616, -9223372036854775809, 0, -0]");
	assert_int_equal(v->n, 8);
	assert_int_equal(v->items[0].kind, CRN_JSON_INT);
	assert_true(v->items[0].i == INT64_MAX);
	assert_int_equal(v->items[1].kind, CRN_JSON_INT);
	assert_true(v->items[1].i == INT64_MIN);
	assert_int_equal(v->items[2].kind, CRN_JSON_UINT);
	assert_true(v->items[2].u == (uint64_t)INT64_MAX + 1);
	assert_int_equal(v->items[3].kind, CRN_JSON_UINT);
	assert_true(v->items[3].u == UINT64_MAX);
	assert_int_equal(v->items[4].kind, CRN_JSON_DOUBLE);
	assert_string_equal(v->items[4].text, "18446744073709551616");
	assert_int_equal(v->items[5].kind, CRN_JSON_DOUBLE);
	assert_int_equal(v->items[6].kind, CRN_JSON_INT);
	assert_int_equal(v->items[7].kind, CRN_JSON_DOUBLE);
	assert_true(signbit(v->items[7].f));
	crn_json_free(v);
}

static void test_doubles(void **state)
{
	crn_json *v = parse("[0.1, 1e3, -2.5E-3, 1e400, NaN, Infinity, -Infinity]");
	assert_true(v->items[0].f == 0.1);
	assert_true(v->items[1].f == 1000 && v->items[1].kind == CRN_JSON_DOUBLE);
	assert_true(v->items[2].f == -0.0025);
	assert_true(isinf(v->items[3].f));
	assert_true(isnan(v->items[4].f));
	assert_true(v->items[5].f == INFINITY && v->items[6].f == -INFINITY);
	crn_json_free(v);
}

static void test_texts(void **state)
{
	crn_json *v = parse("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00b5\\ud83d\\ude00\\ud83dx\"");
	assert_string_equal(v->text, "a\"\\/\b\f\n\r\t\xc2\xb5\xf0\x9f\x98\x80\xef\xbf\xbdx");
	crn_json_free(v);
	v = parse("{\"k\": 1, \"n\": {\"k\": [true, false, null]}, \"k\": 2}");
	assert_int_equal(crn_json_get(v, "k")->i, 2);
	assert_int_equal(crn_json_get(crn_json_get(v, "n"), "k")->items[0].b, true);
	assert_int_equal(crn_json_get(crn_json_get(v, "n"), "k")->items[2].kind, CRN_JSON_NULL);
	assert_null(crn_json_get(v, "missing"));
	assert_null(crn_json_get(crn_json_get(v, "k"), "k"));
	crn_json_free(v);
}

static void test_bad(void **state)
{
	assert_bad("", "ends too early");
	assert_bad("[1, 2", "ends too early");
	assert_bad("{\"a\": 1,\n \"b\" 2}", "line 2, column 6");
	assert_bad("[1,]", "comma before");
	assert_bad("[01]", "column 2");
	assert_bad("[1.]", "not a JSON value");
	assert_bad("[+1]", "not a JSON value");
	assert_bad("[0x10]", "expected ','");
	assert_bad("nul", "not a JSON value");
	assert_bad("1 2", "after the end");
	assert_bad("\"a\nb\"", "control character");
	assert_bad("\"\\q\"", "unknown escape");
	assert_bad("\"\\u12g4\"", "hex digits");
	assert_bad("\"\\u0000\"", "NUL");
	assert_bad("\"\xff\"", "UTF-8");
	assert_bad("\"\xc0\x80\"", "UTF-8");
	assert_bad("\"\xed\xa0\x80\"", "UTF-8");
	assert_bad("\"abc", "ends too early");
	assert_bad("\"abc\\", "ends too early");
	assert_bad("{1: 2}", "expected a \"key\"");
}

static void test_bombs(void **state)
{
	char deep[200];
	memset(deep, '[', sizeof(deep));
	deep[199] = '\0';
	assert_bad(deep, "deeper than 64");
	enum { N = 3 << 20 };
	char *wide = malloc(N);
	assert_non_null(wide);
	for (size_t i = 0; i < N; i++)
		wide[i] = i == 0 ? '[' : i % 2 ? '0' : ',';
	wide[N - 1] = '\0';
	assert_bad(wide, "more than 1048576 values");
	free(wide);
}

static void round_trip(double value, const char *text)
{
	CRN_STR s = {0};
	crn_json_double(&s, value);
	assert_string_equal(s.data, text);
}

static void test_print(void **state)
{
	round_trip(0.1, "0.1");
	round_trip(1, "1.0");
	round_trip(-0.0, "-0.0");
	round_trip(5e-324, "5e-324");
	round_trip(0.1 + 0.2, "0.30000000000000004");
	round_trip(1.7976931348623157e308, "1.7976931348623157e+308");
	round_trip(NAN, "\"NaN\"");
	round_trip(-INFINITY, "\"-Infinity\"");
	const char *text = "{\"a\": [1, -2, 18446744073709551615, 0.50, true, null], \"q\\\"\\n\": "
			   "\"\xc2\xb5\", "
			   "\"o\": {}}";
	crn_json *v = parse(text);
	CRN_STR s = {0};
	crn_json_print(&s, v);
	assert_string_equal(s.data, text);
	crn_json_free(v);
	CRN_STR q = {0};
	crn_json_quote(&q, "a\x01\xff");
	assert_string_equal(q.data, "\"a\\u0001\xef\xbf\xbd\"");
}

static void test_locale(void **state)
{
	/* Where a comma locale is installed, numbers must not follow it. */
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		skip();
	crn_json *v = parse("2.5");
	double f = v->f;
	crn_json_free(v);
	CRN_STR s = {0};
	crn_json_double(&s, 2.5);
	setlocale(LC_NUMERIC, "C");
	assert_true(f == 2.5);
	assert_string_equal(s.data, "2.5");
}

static void test_memory_runs_out(void **state)
{
	const char *text = "{\"a\": [1, 2.5, \"x\", {\"b\": [[]]}]}";
	for (int64_t n = 0;; n++) {
		crn_json *v = NULL;
		cairn_error err = {0};
		crn_mem_fail_after(n);
		cairn_status status = crn_json_parse(text, strlen(text), CAIRN_INPUT, &v, &err);
		bool failed = crn_mem_failed();
		assert_int_equal(status, failed ? CAIRN_FAILED : CAIRN_OK);
		crn_json_free(v);
		if (!failed)
			break;
		assert_true(n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_memory_runs_out),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

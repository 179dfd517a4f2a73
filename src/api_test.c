/* SPDX-License-Identifier: Apache-2.0
 *
 * api_test.c -- the public interface as a C program uses it; values come from formulas.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cairn/cairn.h"

#include <stdio.h>
#include <string.h>

static cairn_error error;

static cairn_session *new_session(void)
{
	cairn_session *s = NULL;
	assert_int_equal(cairn_session_new(&s, &error), CAIRN_OK);
	return s;
}

/* Voxel (i, j) of this array is 10 i + j. */
static cairn_array *counting(cairn_session *s)
{
	cairn_array *a = NULL;
	assert_int_equal(cairn_array_eval(s, NULL, "arange(6)[:, None] * 10 + arange(7)[None, :]",
				 &a, &error),
		CAIRN_OK);
	return a;
}

static void regions_are_read_with_steps(void **state)
{
	(void)state;
	cairn_session *s = new_session();
	cairn_array *a = counting(s);
	int64_t buffer[6], start[2] = {1, 2}, n[2] = {2, 3}, step[2] = {3, 2};
	assert_int_equal(cairn_array_ndim(a), 2);
	assert_int_equal(cairn_array_shape(a)[0], 6);
	assert_int_equal(cairn_array_shape(a)[1], 7);
	assert_string_equal(cairn_array_dtype(a), "int64");
	/* The array outlives its session's handle. */
	cairn_session_free(s);
	assert_int_equal(cairn_array_read(a, start, n, step, buffer, sizeof(buffer), NULL, &error),
		CAIRN_OK);
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			assert_int_equal(buffer[3 * i + j], 10 * (1 + 3 * i) + 2 + 2 * j);
	assert_int_equal(cairn_array_read(a, start, n, step, buffer, 8, NULL, &error), CAIRN_USAGE);
	assert_string_equal(error.message, "the region has 48 bytes, the buffer 8");
	step[0] = 5;
	assert_int_equal(cairn_array_read(a, start, n, step, buffer, sizeof(buffer), NULL, &error),
		CAIRN_USAGE);
	assert_string_equal(error.message,
		"axis 0 of the region ends beyond the array, which has 6 voxels there");
	step[0] = INT64_MAX;
	assert_int_equal(cairn_array_read(a, start, n, step, buffer, sizeof(buffer), NULL, &error),
		CAIRN_USAGE);
	cairn_array_free(a);
}

static void expressions_see_x(void **state)
{
	(void)state;
	cairn_session *s = new_session(), *other = new_session();
	cairn_array *a = counting(s), *sum = NULL;
	int64_t value = 0;
	assert_int_equal(cairn_array_eval(s, a, "x[1:3].sum()", &sum, &error), CAIRN_OK);
	assert_int_equal(
		cairn_array_read(sum, NULL, NULL, NULL, &value, sizeof(value), NULL, &error),
		CAIRN_OK);
	assert_int_equal(value, 10 * 7 + 20 * 7 + 2 * 21);
	cairn_array_free(sum);
	assert_int_equal(cairn_array_eval(other, a, "x", &sum, &error), CAIRN_USAGE);
	assert_int_equal(cairn_array_eval(s, a, "3", &sum, &error), CAIRN_USAGE);
	assert_string_equal(error.message, "the expression is no array (it is 3)");
	assert_int_equal(cairn_array_eval(s, a, "y = x", &sum, &error), CAIRN_USAGE);
	cairn_array_free(a);
	cairn_session_free(other);
	cairn_session_free(s);
}

static void take_print(void *user, const cairn_printed *p)
{
	char *text = user;
	snprintf(text, 200, "%s|%s|%d|%s", p->label ? p->label : "", p->dtype, p->ndim, p->text);
}

static void pipelines_run(void **state)
{
	(void)state;
	cairn_session *s = new_session();
	cairn_array *a = counting(s), *named = NULL;
	cairn_pipeline *p = NULL;
	char text[200] = "", *plan = NULL;
	cairn_binding binding = {"data", a};
	cairn_setting setting = {"row", "2"};
	cairn_pipeline_source source;
	cairn_options options;
	cairn_report report;
	memset(&source, 0, sizeof(source));
	memset(&options, 0, sizeof(options));
	source.text = "row = 0\npart = data[row, :4]\nprint(part, \"row\")";
	source.bindings = &binding;
	source.n_bindings = 1;
	source.settings = &setting;
	source.n_settings = 1;
	options.print = take_print;
	options.user = text;
	options.n_threads = 1;
	assert_int_equal(cairn_pipeline_new(s, &source, &p, &error), CAIRN_OK);
	assert_int_equal(cairn_pipeline_n_outputs(p), 1);
	assert_int_equal(cairn_pipeline_run(p, &options, &report, &error), CAIRN_OK);
	assert_string_equal(text, "row|int64|1|[20 21 22 23]");
	cairn_free(report.json);
	assert_null(report.profile);
	options.profile = CAIRN_PROFILE_HTML;
	assert_int_equal(cairn_pipeline_run(p, &options, &report, &error), CAIRN_OK);
	assert_int_equal(strncmp(report.profile, "<!DOCTYPE html>", 15), 0);
	cairn_free(report.json);
	cairn_free(report.profile);
	assert_int_equal(cairn_pipeline_explain(p, NULL, CAIRN_JSON, &plan, &error), CAIRN_OK);
	assert_int_equal(plan[0], '{');
	cairn_free(plan);
	assert_int_equal(cairn_pipeline_array(p, "part", &named, &error), CAIRN_OK);
	assert_int_equal(cairn_array_shape(named)[0], 4);
	cairn_array_free(named);
	assert_int_equal(cairn_pipeline_array(p, "prat", &named, &error), CAIRN_USAGE);
	assert_string_equal(error.hint, "did you mean part?");
	assert_int_equal(cairn_pipeline_array(p, "row", &named, &error), CAIRN_USAGE);
	cairn_array_free(a);
	cairn_session_free(s);
	cairn_pipeline_free(p);
}

static void wrong_calls_are_refused(void **state)
{
	(void)state;
	cairn_session *s = new_session();
	cairn_array *a = NULL;
	cairn_pipeline *p = NULL;
	cairn_pipeline_source source;
	memset(&source, 0, sizeof(source));
	assert_int_equal(cairn_pipeline_new(s, &source, &p, &error), CAIRN_USAGE);
	source.text = "x = (";
	assert_int_equal(cairn_pipeline_new(s, &source, &p, NULL), CAIRN_USAGE);
	assert_int_equal(cairn_array_open(s, "/no/such/file.tif", &a, &error), CAIRN_INPUT);
	assert_non_null(strstr(error.message, "/no/such"));
	assert_null(strstr(error.message, "line 1"));
	cairn_session_free(s);
	cairn_session_free(NULL);
	cairn_array_free(NULL);
	cairn_pipeline_free(NULL);
}

static void texts_of_sizes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t bytes; /* 0: refused */
	} cases[] = {{"8G", (size_t)8 << 30}, {"512M", (size_t)512 << 20}, {"1.5GiB", 1610612736},
		{"100", 100}, {"2k", 2048}, {"3 MB", (size_t)3 << 20}, {"", 0}, {"G", 0}, {"-1", 0},
		{"0", 0}, {"1e3", 0}, {"1..2", 0}, {"99999999T", 0}, {"8G8", 0}, {"nan", 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = 0;
		cairn_status status = cairn_parse_size(cases[i].text, &n, &error);
		assert_int_equal(status, cases[i].bytes ? CAIRN_OK : CAIRN_USAGE);
		assert_int_equal(n, cases[i].bytes);
	}
	char *quoted = NULL;
	assert_int_equal(cairn_quote("a\"b\\c\nd", &quoted, &error), CAIRN_OK);
	assert_string_equal(quoted, "\"a\\\"b\\\\c\\x0ad\"");
	cairn_free(quoted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_are_read_with_steps),
		cmocka_unit_test(expressions_see_x),
		cmocka_unit_test(pipelines_run),
		cmocka_unit_test(wrong_calls_are_refused),
		cmocka_unit_test(texts_of_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

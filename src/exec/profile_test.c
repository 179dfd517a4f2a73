/* SPDX-License-Identifier: Apache-2.0
 *
 * profile_test.c -- names in a profile are data, never markup; a profile is recorded inside the
 * budget.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "builtin.h"
#include "core/call.h"
#include "exec/run.h"
#include "exec/trace.h"

#include <stdio.h>
#include <string.h>

static const char evil[] = "</script><img src=x onerror='alert(1)'> \"&amp;\\ \xc3\xa9";

static crn_graph *graph;
static crn_engine *engine;

static int set_up(void **state)
{
	(void)state;
	return crn_graph_new(&crn_builtin_registry, &graph, NULL) ||
	       crn_engine_new(&crn_builtin_registry, &engine, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	crn_engine_free(engine);
	crn_graph_unref(graph);
	return 0;
}

/* gaussian_filter(ramp, 1) of 20 x 30 voxels whose nodes all have the evil name. */
static crn_node *evil_node(void)
{
	const int64_t shape[] = {20, 30};
	crn_const *c = NULL;
	crn_node *ramp = NULL, *smooth = NULL;
	assert_int_equal(crn_const_new(CRN_F32, 2, shape, &c, NULL), CAIRN_OK);
	for (int64_t i = 0; i < crn_const_count(c); i++)
		((float *)c->data)[i] = (float)i;
	CRN_VALUE v = crn_value_const(c);
	crn_graph_set_origin(graph, evil);
	assert_int_equal(crn_build_node(graph, "constant", &v, 1, &ramp, NULL), CAIRN_OK);
	crn_value args[] = {{.kind = CRN_V_NODE, .node = ramp}, crn_value_float(1.0)};
	assert_int_equal(
		crn_build_node(graph, "gaussian_filter", args, 2, &smooth, NULL), CAIRN_OK);
	crn_node_unref(ramp);
	return smooth;
}

static char *profile(crn_profile_style style)
{
	CRN_NODE *n = evil_node();
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	float data[20 * 30];
	crn_view out = crn_view_dense(data, CRN_F32, 2, n->type.shape);
	crn_run_options o = {.n_threads = 2,
		.memory_bytes = (size_t)64 << 20,
		.isa = crn_isa_best(),
		.profile = style};
	crn_report r = {0};
	assert_int_equal(crn_run_region(engine, n, &whole, &out, &o, &r, NULL), CAIRN_OK);
	char *text = crn_steal(&r.profile);
	crn_report_done(&r);
	assert_non_null(text);
	return text;
}

static crn_json *parse(const char *text, size_t n)
{
	cairn_error err;
	crn_json *root = NULL;
	if (crn_json_parse(text, n, CAIRN_FAILED, &root, &err) != CAIRN_OK)
		fail_msg("%s", err.message);
	return root;
}

static void check_names(const crn_json *root)
{
	const crn_json *nodes = crn_json_get(root, "nodes");
	assert_true(nodes->n >= 2);
	for (int i = 0; i < nodes->n; i++)
		assert_string_equal(crn_json_get(&nodes->items[i], "name")->text, evil);
}

static void test_json_gives_names_back(void **state)
{
	(void)state;
	CRN_FREE char *text = profile(CRN_PROFILE_JSON);
	crn_json *root = parse(text, strlen(text));
	check_names(root);
	crn_json_free(root);
}

static void test_trace_gives_names_back(void **state)
{
	(void)state;
	CRN_FREE char *text = profile(CRN_PROFILE_TRACE);
	crn_json *root = parse(text, strlen(text));
	const crn_json *events = crn_json_get(root, "traceEvents");
	int found = 0;
	for (int i = 0; i < events->n; i++)
		found += strcmp(crn_json_get(&events->items[i], "name")->text, evil) == 0;
	assert_true(found >= 2);
	crn_json_free(root);
}

static void test_page_takes_names_as_text(void **state)
{
	(void)state;
	static const char open[] = "<script type=\"application/json\" id=\"data\">";
	CRN_FREE char *text = profile(CRN_PROFILE_HTML);
	assert_null(strstr(text, "<img"));
	const char *data = strstr(text, open);
	assert_non_null(data);
	data += sizeof(open) - 1;
	const char *end = strstr(data, "</script>");
	crn_json *root = parse(data, (size_t)(end - data));
	check_names(root);
	crn_json_free(root);
	assert_non_null(strstr(text, "&lt;/script&gt;&lt;img")); /* in the picture of the plan */
}

/* The record's memory is part of the smallest budget, to the byte. */
static size_t smallest(crn_profile_style style)
{
	CRN_NODE *n = evil_node();
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	char byte[8];
	unsigned long long need = 0;
	cairn_error err;
	crn_view out = crn_view_dense(byte, CRN_F32, 2, n->type.shape);
	crn_run_options o = {
		.n_threads = 2, .memory_bytes = 1, .isa = crn_isa_best(), .profile = style};
	assert_int_equal(crn_run_region(engine, n, &whole, &out, &o, NULL, &err), CAIRN_NOFIT);
	assert_int_equal(sscanf(strchr(err.message, '('), "(%llu bytes", &need), 1);
	return (size_t)need;
}

static void test_the_record_is_paid_for(void **state)
{
	(void)state;
	assert_int_equal(
		smallest(CRN_PROFILE_HTML) - smallest(CRN_PROFILE_NONE), crn_trace_bytes(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_gives_names_back),
		cmocka_unit_test(test_trace_gives_names_back),
		cmocka_unit_test(test_page_takes_names_as_text),
		cmocka_unit_test(test_the_record_is_paid_for),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_test.c -- the local engine against the eager driver: same bytes for any threads, budget,
 * tiles and region; refused budgets; counters of minimal work.
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
#include "support/eager.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static crn_graph *graph;
static crn_engine *engine;

static int set_up(void **state)
{
	(void)state;
	cairn_error err;
	return crn_graph_new(&crn_builtin_registry, &graph, &err) ||
	       crn_engine_new(&crn_builtin_registry, &engine, &err);
}

static int tear_down(void **state)
{
	(void)state;
	crn_engine_free(engine);
	crn_graph_unref(graph);
	return 0;
}

static void must(cairn_status status, const cairn_error *err)
{
	if (status == CAIRN_OK)
		return;
	char text[2048];
	cairn_error_format(err, text, sizeof(text));
	fail_msg("%s", text);
}

/* op(args...) with borrowed values; the list ends with a count. */
static crn_node *call(const char *op, const crn_value *args, int n)
{
	cairn_error err;
	crn_node *node = NULL;
	must(crn_build_node(graph, op, args, n, &node, &err), &err);
	return node;
}

/* Float64 noise in a constant, so that this test needs no other source of voxels. */
static crn_node *random_array(int ndim, const int64_t *shape, uint64_t seed)
{
	cairn_error err;
	crn_const *c = NULL;
	must(crn_const_new(CRN_F64, ndim, shape, &c, &err), &err);
	for (int64_t i = 0; i < crn_const_count(c); i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		((double *)c->data)[i] = (double)(seed >> 11) * 0x1p-53;
	}
	CRN_VALUE v = crn_value_const(c);
	return call("constant", &v, 1);
}

static crn_value node_value(crn_node *n)
{
	return (crn_value){.kind = CRN_V_NODE, .node = n};
}

static crn_node *gaussian(crn_node *in, double sigma)
{
	crn_value args[] = {node_value(in), crn_value_float(sigma)};
	return call("gaussian_filter", args, 2);
}

static crn_node *greater(crn_node *in, double than)
{
	crn_value args[] = {node_value(in), crn_value_float(than)};
	return call("greater", args, 2);
}

static void check_region(crn_node *n, const crn_region *r, const crn_run_options *o)
{
	cairn_error err;
	CRN_EAGER expected = {0};
	must(crn_eager_region(n, r, NULL, &expected, &err), &err);
	size_t bytes = crn_view_dense_bytes(n->type.dtype, r->ndim, r->n);
	void *got = crn_alloc(bytes);
	assert_non_null(got);
	crn_view out = crn_view_dense(got, n->type.dtype, r->ndim, r->n);
	memset(got, 0xa5, bytes);
	must(crn_run_region(engine, n, r, &out, o, NULL, &err), &err);
	assert_memory_equal(got, expected.data, bytes);
	crn_free(got);
}

/* Smallest budget that is not refused, by the message's own number. */
static size_t smallest_budget(crn_node *n, const crn_region *r, crn_run_options o)
{
	cairn_error err;
	char byte[8];
	crn_view out = crn_view_dense(byte, n->type.dtype, r->ndim, r->n);
	unsigned long long need = 0;
	o.memory_bytes = 1;
	assert_int_equal(crn_run_region(engine, n, r, &out, &o, NULL, &err), CAIRN_NOFIT);
	const char *at = strchr(err.message, '(');
	assert_non_null(at);
	assert_int_equal(sscanf(at, "(%llu bytes", &need), 1);
	return (size_t)need;
}

static void check_everywhere(crn_node *n)
{
	static const int threads[] = {1, 2, 3, 7};
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape), part = whole;
	for (int d = 0; d < part.ndim; d++) {
		part.lo[d] = part.n[d] / 3;
		part.step[d] = 1 + d % 2;
		part.n[d] = (part.n[d] - part.lo[d] + 1) / 2 / part.step[d] + 1;
		while (crn_region_last(&part, d) >= whole.n[d])
			part.n[d]--;
	}
	crn_region_normalise(&part);
	for (size_t i = 0; i < CRN_COUNT(threads); i++) {
		crn_run_options o = {.n_threads = threads[i],
			.memory_bytes = (size_t)64 << 20,
			.isa = crn_isa_best()};
		check_region(n, &whole, &o);
		check_region(n, &part, &o);
		o.memory_bytes = smallest_budget(n, &whole, o);
		check_region(n, &whole, &o);
		o.memory_bytes += o.memory_bytes / 2;
		check_region(n, &whole, &o);
	}
}

static void test_elementwise_diamond(void **state)
{
	(void)state;
	const int64_t shape[] = {37, 129};
	CRN_NODE *x = random_array(2, shape, 1);
	crn_value xx[] = {node_value(x), node_value(x)};
	CRN_NODE *square = call("multiply", xx, 2);
	crn_value sum[] = {node_value(square), node_value(x)};
	CRN_NODE *y = call("add", sum, 2);
	check_everywhere(y);
}

/* More different constants than one block program may read: the chain is split. */
static void test_long_elementwise_chain(void **state)
{
	(void)state;
	const int64_t shape[] = {9, 33};
	crn_node *x = random_array(2, shape, 5);
	for (int i = 0; i < 80; i++) {
		crn_value args[] = {node_value(x), crn_value_float(0.25 + i)};
		crn_node *next = call(i % 2 ? "add" : "multiply", args, 2);
		crn_node_unref(x);
		x = next;
	}
	check_everywhere(x);
	crn_node_unref(x);
}

static void test_gaussian_then_threshold(void **state)
{
	(void)state;
	const int64_t shape[] = {23, 31, 47};
	CRN_NODE *x = random_array(3, shape, 2);
	CRN_NODE *smooth = gaussian(x, 1.5);
	CRN_NODE *mask = greater(smooth, 0.5);
	check_everywhere(mask);
	CRN_NODE *again = gaussian(smooth, 2.0);
	check_everywhere(again);
}

/* Masks between ops, some as rows of bits: read as they are, as bytes, through views, by a program,
 * by borders set and not, and once as chunks of a cut. */
static void test_masks_between_ops(void **state)
{
	(void)state;
	const int64_t shape[] = {17, 21, 203};
	CRN_NODE *x = random_array(3, shape, 6);
	CRN_NODE *smooth = gaussian(x, 1.0);
	CRN_NODE *mask = greater(smooth, 0.45);
	crn_value once[] = {node_value(mask)};
	CRN_NODE *eroded = call("binary_erosion", once, 1);
	check_everywhere(eroded);
	crn_value args[] = {node_value(eroded), {0}, crn_value_int(2), crn_value_int(1)};
	CRN_NODE *dilated = call("binary_dilation", args, 4);
	check_everywhere(dilated);
	crn_value both[] = {node_value(dilated), node_value(mask)};
	CRN_NODE *differ = call("bitwise_xor", both, 2);
	check_everywhere(differ);
	crn_value counted[] = {node_value(differ)};
	CRN_NODE *labels = call("label", counted, 1);
	check_everywhere(labels);
	crn_value kept[] = {node_value(eroded), crn_value_int(5)};
	CRN_NODE *large = call("remove_small_objects", kept, 2);
	check_everywhere(large);
	static const char *const folds[] = {"count_nonzero", "all", "sum", "mean"};
	for (size_t i = 0; i < CRN_COUNT(folds); i++)
		for (int64_t axis = 0; axis < 4; axis++) {
			crn_value all[] = {node_value(eroded),
				axis == 3 ? (crn_value){0} : crn_value_int(axis)};
			CRN_NODE *folded = call(folds[i], all, 2);
			crn_region whole = crn_region_whole(folded->type.ndim, folded->type.shape);
			crn_run_options o = {.n_threads = 2,
				.memory_bytes = (size_t)64 << 20,
				.isa = crn_isa_best()};
			check_region(folded, &whole, &o);
		}
	crn_value thick[] = {node_value(mask), {0}, crn_value_int(9)};
	CRN_NODE *core = call("binary_erosion", thick, 3);
	check_everywhere(core);
}

static void test_axes_shorter_than_the_kernel(void **state)
{
	(void)state;
	const int64_t shape[] = {1, 3, 40};
	CRN_NODE *x = random_array(3, shape, 3);
	CRN_NODE *smooth = gaussian(x, 4.0);
	check_everywhere(smooth);
}

static void test_budget_one_byte_short_is_refused(void **state)
{
	(void)state;
	const int64_t shape[] = {40, 40, 40};
	CRN_NODE *x = random_array(3, shape, 4);
	CRN_NODE *smooth = gaussian(x, 2.0);
	crn_region whole = crn_region_whole(3, shape);
	crn_run_options o = {.n_threads = 2, .isa = crn_isa_best()};
	cairn_error err;
	o.memory_bytes = smallest_budget(smooth, &whole, o) - 1;
	char byte[8];
	crn_view out = crn_view_dense(byte, CRN_F64, 3, shape);
	assert_int_equal(crn_run_region(engine, smooth, &whole, &out, &o, NULL, &err), CAIRN_NOFIT);
	assert_non_null(strstr(err.where, "op "));
}

/* Sum over nodes of "computed" in a plan's or a report's JSON. */
static int64_t sum_computed(const char *json)
{
	crn_json *doc = NULL;
	cairn_error err;
	must(crn_json_parse(json, strlen(json), CAIRN_FAILED, &doc, &err), &err);
	const crn_json *nodes = crn_json_get(doc, "nodes");
	assert_non_null(nodes);
	int64_t sum = 0;
	for (int i = 0; i < nodes->n; i++) {
		const crn_json *n = crn_json_get(&nodes->items[i], "computed");
		sum += n->kind == CRN_JSON_DOUBLE ? (int64_t)n->f : n->i;
	}
	crn_json_free(doc);
	return sum;
}

/* What a run of the whole of n computes is what its plan said. */
static void check_voxels(crn_node *n, const crn_run_options *o)
{
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	void *bytes = crn_alloc(crn_view_dense_bytes(n->type.dtype, whole.ndim, whole.n));
	assert_non_null(bytes);
	crn_view out = crn_view_dense(bytes, n->type.dtype, whole.ndim, whole.n);
	crn_report report = {0};
	CRN_STR plan = {0};
	cairn_error err;
	must(crn_run_region(engine, n, &whole, &out, o, &report, &err), &err);
	must(crn_explain(engine, &n, 1, o, CRN_EXPLAIN_JSON, &plan, &err), &err);
	assert_int_equal(sum_computed(report.json), sum_computed(plan.data));
	crn_report_done(&report);
	crn_free(bytes);
}

/* Two windows over another and a slice: buffers slide, borders are filled, nothing is made twice.
 */
static void test_slabs_compute_what_was_planned(void **state)
{
	(void)state;
	const int64_t shape[] = {31, 9, 40};
	CRN_NODE *x = random_array(3, shape, 6);
	CRN_NODE *smooth = gaussian(x, 1.5);
	CRN_NODE *wide = gaussian(smooth, 2.5);
	crn_value sum[] = {node_value(smooth), node_value(wide)};
	CRN_NODE *both = call("add", sum, 2);
	crn_region whole = crn_region_whole(3, shape);
	crn_run_options o = {
		.n_threads = 1, .memory_bytes = (size_t)64 << 20, .isa = crn_isa_best()};
	for (o.slab_rows = 0; o.slab_rows < 34; o.slab_rows += o.slab_rows < 4 ? 1 : 9) {
		check_region(both, &whole, &o);
		check_voxels(both, &o);
	}
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Tiles of one voxel: as many tasks as voxels, whose own work is nothing. */
static void test_tiny_tasks_are_cheap(void **state)
{
	(void)state;
	const int64_t shape[] = {600, 700};
	CRN_NODE *x = random_array(2, shape, 6);
	crn_value xx[] = {node_value(x), node_value(x)};
	CRN_NODE *y = call("add", xx, 2);
	crn_region whole = crn_region_whole(2, shape);
	crn_run_options o = {.n_threads = 2,
		.isa = crn_isa_best(),
		.memory_bytes = (size_t)64 << 20,
		.tile_voxels = 1};
	double start = cpu_seconds();
	check_region(y, &whole, &o);
	print_message("%.3f us of CPU a task of the engine\n",
		(cpu_seconds() - start) * 1e6 / (600 * 700));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elementwise_diamond),
		cmocka_unit_test(test_long_elementwise_chain),
		cmocka_unit_test(test_gaussian_then_threshold),
		cmocka_unit_test(test_masks_between_ops),
		cmocka_unit_test(test_axes_shorter_than_the_kernel),
		cmocka_unit_test(test_budget_one_byte_short_is_refused),
		cmocka_unit_test(test_slabs_compute_what_was_planned),
		cmocka_unit_test(test_tiny_tasks_are_cheap),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

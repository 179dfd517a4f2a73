/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_file_test.c -- the cost table: any text can be loaded, lessons stay bounded and survive
 * the file, and predictions follow the figures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "builtin.h"
#include "core/call.h"
#include "exec/machine_file.h"
#include "plan/estimate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/cairn-machine-XXXXXX";
static char path[128];
static crn_graph *graph;

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/below/machine.json", folder);
	return crn_graph_new(&crn_builtin_registry, &graph, NULL);
}

static int tear_down(void **state)
{
	char below[128];
	(void)state;
	crn_graph_unref(graph);
	snprintf(below, sizeof(below), "%s/below", folder);
	unlink(path);
	rmdir(below);
	return rmdir(folder);
}

static void put(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

static crn_node *filtered(int64_t extent, double sigma)
{
	const crn_value shape[] = {
		crn_value_int(extent), crn_value_int(extent), crn_value_int(extent)};
	crn_value list = {.kind = CRN_V_LIST, .list = {.n = 3, .items = (crn_value *)shape}};
	crn_value text = {.kind = CRN_V_STR, .s = "float32"};
	crn_value make[] = {list, crn_value_int(1), text};
	crn_node *x = NULL, *y = NULL;
	assert_int_equal(crn_build_node(graph, "random", make, 3, &x, NULL), CAIRN_OK);
	crn_value args[] = {{.kind = CRN_V_NODE, .node = x}, crn_value_float(sigma)};
	assert_int_equal(crn_build_node(graph, "gaussian_filter", args, 2, &y, NULL), CAIRN_OK);
	crn_node_unref(x);
	return y;
}

static void test_no_file_is_an_empty_table_of_this_machine(void **state)
{
	(void)state;
	crn_costs c;
	crn_machine_load("/no/such/folder/machine.json", &c);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.machine.n_cores, crn_n_cores());
	assert_true(c.machine.cpu[0] != '\0');
	crn_costs_done(&c);
}

static void test_lessons_survive_the_file(void **state)
{
	(void)state;
	crn_costs c, again;
	CRN_NODE *n = filtered(8, 1.0);
	crn_machine_load(path, &c);
	double guess = crn_costs_of(&c, n, CRN_ISA_AVX2);
	assert_true(guess == n->op->cost(n));
	assert_false(crn_costs_known(&c, n, CRN_ISA_AVX2));
	crn_cost e = crn_costs_entry(n, CRN_ISA_AVX2);
	e.ns = 3 * guess;
	assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	c.machine.read_one = 12.5e9;
	assert_int_equal(crn_machine_save(path, &c, NULL), CAIRN_OK);
	crn_machine_load(path, &again);
	assert_true(fabs(crn_costs_of(&again, n, CRN_ISA_AVX2) - 3 * guess) < 1e-12);
	assert_true(crn_costs_known(&again, n, CRN_ISA_AVX2));
	/* Another instruction set, dtype or op was not learned. */
	assert_true(crn_costs_of(&again, n, CRN_ISA_BASE) == guess);
	assert_true(again.machine.read_one == 12.5e9);
	crn_costs_done(&c);
	crn_costs_done(&again);
}

/* A much slower run moves the figure less than a faster one; many runs of one speed end there. */
static void test_lessons_move_the_figure(void **state)
{
	(void)state;
	crn_costs c = {0};
	crn_cost e = {.name = "x", .guess = 1, .ns = 2, .seen = 1};
	assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	for (int i = 0; i < 20; i++)
		assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	e.ns = 4;
	assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	double up = c.entries[0].ns;
	assert_true(up > 2 && up < 2.5);
	for (int i = 0; i < 500; i++)
		assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	assert_true(fabs(c.entries[0].ns - 4) < 0.01);
	e.ns = 1;
	assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	assert_true(4 - c.entries[0].ns > up - 2);
	/* What cannot be is not learned. */
	const double nonsense[] = {0, -1, 1e9, 1e-9, (double)NAN, (double)INFINITY};
	double before = c.entries[0].ns;
	for (size_t i = 0; i < CRN_COUNT(nonsense); i++) {
		e.ns = nonsense[i];
		assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	}
	assert_true(c.n == 1 && c.entries[0].ns == before);
	crn_costs_done(&c);
}

static void test_the_table_is_bounded(void **state)
{
	(void)state;
	crn_costs c = {0};
	struct stat st;
	for (int i = 0; i < 3 * CRN_COSTS_MOST; i++) {
		crn_cost e = {.guess = 1, .ns = 1.0 / 3, .seen = 1, .size_class = i % 7};
		snprintf(e.name, sizeof(e.name), "an operation with a long name %d", i);
		assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
		assert_true(c.n <= CRN_COSTS_MOST);
	}
	crn_machine_identify(&c.machine);
	assert_int_equal(crn_machine_save(path, &c, NULL), CAIRN_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 1 << 20);
	crn_costs again;
	crn_machine_load(path, &again);
	assert_int_equal(again.n, CRN_COSTS_MOST);
	crn_costs_done(&c);
	crn_costs_done(&again);
}

/* Torn at every length, with every byte changed, or something else: a table, perhaps an empty one,
 * whose figures are finite and positive. */
static void test_any_text_can_be_loaded(void **state)
{
	(void)state;
	crn_costs c;
	CRN_STR good = {0};
	CRN_NODE *n = filtered(8, 1.0);
	crn_machine_load("/no/such/file", &c);
	crn_cost e = crn_costs_entry(n, CRN_ISA_BASE);
	e.ns = 7;
	assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	crn_costs_print(&c, &good);
	crn_costs_done(&c);
	uint64_t seed = 20261121;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < 2 * good.len; i++) {
		CRN_FREE char *text = crn_alloc(good.len + 1);
		assert_non_null(text);
		memcpy(text, good.data, good.len + 1);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bool torn = i < good.len;
		if (!torn)
			text[i - good.len] = (char)(seed >> 56);
		put(text, torn ? i : good.len);
		crn_machine_load(path, &c);
		double ns = crn_costs_of(&c, n, CRN_ISA_BASE);
		assert_true(isfinite(ns) && ns > 0);
		assert_true(isfinite(crn_costs_store_load(&c, 2)));
		crn_costs_done(&c);
	}
	static const char *const odd[] = {"[]", "{}", "null", "{\"costs\": 3, \"rates\": []}",
		"{\"cpu\": 1, \"cores\": \"x\", \"costs\": [1, null, {}, {\"name\": 2}]}"};
	for (size_t i = 0; i < CRN_COUNT(odd); i++) {
		put(odd[i], strlen(odd[i]));
		crn_machine_load(path, &c);
		assert_int_equal(c.n, 0);
		crn_costs_done(&c);
	}
}

static void test_another_machines_table_is_not_used(void **state)
{
	(void)state;
	crn_costs c, again;
	CRN_NODE *n = filtered(8, 1.0);
	crn_machine_load("/no/such/file", &c);
	crn_cost e = crn_costs_entry(n, CRN_ISA_BASE);
	e.ns = 7;
	assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	c.machine.n_cores++;
	assert_int_equal(crn_machine_save(path, &c, NULL), CAIRN_OK);
	crn_machine_load(path, &again);
	assert_int_equal(again.n, 0);
	assert_int_equal(again.machine.n_cores, crn_n_cores());
	crn_costs_done(&c);
	crn_costs_done(&again);
}

static void test_a_folder_that_takes_nothing_is_an_error_of_saving_only(void **state)
{
	(void)state;
	crn_costs c = {0};
	cairn_error err;
	assert_int_equal(crn_machine_save("/proc/no/machine.json", &c, &err), CAIRN_FAILED);
}

/* A run of an engine that learns leaves a table that knows its ops, and still the same values. */
static void test_runs_teach(void **state)
{
	(void)state;
	crn_engine *engine = NULL;
	CRN_NODE *n = filtered(192, 2.0);
	crn_region whole = crn_region_whole(3, n->type.shape);
	size_t bytes = crn_view_dense_bytes(CRN_F32, 3, n->type.shape);
	CRN_FREE float *first = crn_alloc(bytes), *second = crn_alloc(bytes);
	assert_true(first && second);
	crn_view a = crn_view_dense(first, CRN_F32, 3, n->type.shape);
	crn_view b = crn_view_dense(second, CRN_F32, 3, n->type.shape);
	crn_run_options o = {
		.n_threads = 1, .memory_bytes = (size_t)256 << 20, .isa = crn_isa_best()};
	unlink(path);
	assert_int_equal(crn_engine_new(&crn_builtin_registry, &engine, NULL), CAIRN_OK);
	assert_int_equal(crn_engine_use_machine(engine, path, true, NULL), CAIRN_OK);
	assert_int_equal(crn_run_region(engine, n, &whole, &a, &o, NULL, NULL), CAIRN_OK);
	crn_costs c;
	crn_machine_load(path, &c);
	assert_true(crn_costs_known(&c, n, o.isa));
	crn_costs_done(&c);
	assert_int_equal(crn_run_region(engine, n, &whole, &b, &o, NULL, NULL), CAIRN_OK);
	assert_memory_equal(first, second, bytes);
	/* One that only reads teaches nothing. */
	unlink(path);
	assert_int_equal(crn_engine_use_machine(engine, path, false, NULL), CAIRN_OK);
	assert_int_equal(crn_run_region(engine, n, &whole, &b, &o, NULL, NULL), CAIRN_OK);
	assert_int_not_equal(access(path, F_OK), 0);
	crn_engine_free(engine);
}

/* ---- predictions ---- */

static double predicted(int64_t extent, double sigma, int n_threads, double factor)
{
	crn_costs c = {0};
	CRN_NODE *n = filtered(extent, sigma);
	crn_cost e = crn_costs_entry(n, CRN_ISA_BASE);
	e.ns = factor * e.guess;
	assert_int_equal(crn_costs_learn(&c, &e, NULL), CAIRN_OK);
	crn_region whole = crn_region_whole(3, n->type.shape);
	crn_plan_options o = {.n_threads = n_threads,
		.memory_bytes = (size_t)4 << 30,
		.isa = CRN_ISA_BASE,
		.costs = &c,
		.region = &whole};
	crn_plan *p = NULL;
	crn_prediction r;
	crn_node *sinks[] = {n};
	assert_int_equal(crn_plan_build(&crn_builtin_registry, sinks, 1, &o, &p, NULL), CAIRN_OK);
	CRN_FREE double *voxels = crn_calloc((size_t)p->n_infos, sizeof(double));
	assert_int_equal(crn_plan_voxels(p, voxels, NULL), CAIRN_OK);
	crn_plan_predict(p, voxels, &r);
	/* Units: the named part is part of the compute, and all parts make the whole. */
	assert_true(r.top && r.top_s > 0 && r.top_s <= r.compute_s * 1.000001);
	assert_true(r.busy > 0 && r.busy <= 1.000001 && r.measured > 0 && r.measured <= 1.000001);
	assert_true(r.seconds * r.busy * (n_threads < crn_n_cores() ? n_threads : crn_n_cores()) >=
		    (r.compute_s + r.copy_s + r.decode_s + r.encode_s) * 0.999999);
	crn_plan_free(p);
	crn_costs_done(&c);
	return r.seconds;
}

static void test_predictions_follow_the_work(void **state)
{
	(void)state;
	double base = predicted(200, 2, 1, 1);
	/* 8e6 voxels, three passes of 17 taps: between 0.1 and 100 ns a voxel. */
	assert_true(base > 8e6 * 0.1e-9 && base < 8e6 * 100e-9);
	assert_true(predicted(400, 2, 1, 1) > 6 * base);
	assert_true(predicted(200, 8, 1, 1) > base);
	assert_true(predicted(200, 2, 1, 10) > 3 * base);
	assert_true(predicted(200, 2, 2, 1) < 1.1 * base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_file_is_an_empty_table_of_this_machine),
		cmocka_unit_test(test_lessons_survive_the_file),
		cmocka_unit_test(test_lessons_move_the_figure),
		cmocka_unit_test(test_the_table_is_bounded),
		cmocka_unit_test(test_any_text_can_be_loaded),
		cmocka_unit_test(test_another_machines_table_is_not_used),
		cmocka_unit_test(test_a_folder_that_takes_nothing_is_an_error_of_saving_only),
		cmocka_unit_test(test_runs_teach),
		cmocka_unit_test(test_predictions_follow_the_work),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

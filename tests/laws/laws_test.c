/* SPDX-License-Identifier: Apache-2.0
 *
 * laws_test.c -- the laws of design: lazy to the pass, plans without chunks, one number is a
 * promise, same bytes always, pull the plug. Each is measured on the engine itself.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"
#include "builtin.h"
#include "exec/run.h"
#include "lang/pipeline.h"
#include "support/arrays.h"
#include "support/eager.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct job {
	crn_graph *graph;
	crn_engine *engine;
	crn_pipeline *pipeline;
} job;

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	return remove(path);
}

static void remove_all(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static cairn_status job_new(const char *text, job *ret, cairn_error *err)
{
	const crn_pipeline_request request = {.name = NULL};
	*ret = (job){0};
	CRN_TRY(crn_graph_new(&crn_builtin_registry, &ret->graph, err));
	CRN_TRY(crn_engine_new(&crn_builtin_registry, &ret->engine, err));
	return crn_pipeline_new(ret->graph, text, strlen(text), &request, &ret->pipeline, err);
}

static void job_done(job *j)
{
	crn_pipeline_free(j->pipeline);
	crn_engine_free(j->engine);
	crn_graph_unref(j->graph);
}

static crn_run_options options(int threads, size_t memory)
{
	return (crn_run_options){
		.n_threads = threads, .memory_bytes = memory, .isa = crn_isa_best()};
}

static cairn_status run_text(const char *text, const crn_run_options *o, cairn_error *err)
{
	job j;
	cairn_status status = job_new(text, &j, err);
	if (status == CAIRN_OK) {
		int n = 0;
		crn_node *const *sinks = crn_pipeline_sinks(j.pipeline, &n);
		status = crn_run(j.engine, sinks, n, o, NULL, err);
	}
	job_done(&j);
	return status;
}

/* ---- law 1 ---- */

/* Sum over nodes of the voxels that were computed for the last value of the text. */
static int64_t voxels_computed(const char *text)
{
	job j;
	cairn_error err;
	crn_assert_ok(job_new(text, &j, &err));
	crn_node *n = crn_pipeline_last(j.pipeline)->node;
	crn_region r = crn_region_whole(n->type.ndim, n->type.shape);
	CRN_TEST_ARRAY out = crn_test_array(n->type.dtype, n->type.ndim, n->type.shape);
	crn_report report = {0};
	crn_run_options o = options(2, (size_t)256 << 20);
	crn_assert_ok(crn_run_region(j.engine, n, &r, &out, &o, &report, &err));
	crn_json *doc = NULL;
	crn_assert_ok(crn_json_parse(report.json, strlen(report.json), CAIRN_FAILED, &doc, &err));
	const crn_json *nodes = crn_json_get(doc, "nodes");
	assert_non_null(nodes);
	int64_t sum = 0;
	for (int i = 0; i < nodes->n; i++) {
		const crn_json *computed = crn_json_get(&nodes->items[i], "computed");
		assert_non_null(computed);
		sum += computed->i;
	}
	crn_json_free(doc);
	crn_report_done(&report);
	job_done(&j);
	return sum;
}

static void filter_then_slice_costs_slice_then_filter(void **state)
{
	/* sigma 2 reaches 8 planes to each side: what has to be made of the noise is 17 planes. */
	int64_t late = voxels_computed("gaussian_filter(random((120, 90, 100), seed=1), 2)[60]");
	int64_t early =
		voxels_computed("gaussian_filter(random((120, 90, 100), seed=1)[52:69], 2)[8]");
	assert_true(early > 0);
	if ((double)late > 1.05 * (double)early)
		fail_msg("filter then slice computes %lld voxels, slice then filter %lld",
			(long long)late, (long long)early);
	assert_true(late < INT64_C(60) * 90 * 100); /* and far from the whole */
}

/* Several statistics of one array are taken in one walk: no voxel of it is made twice. */
static void statistics_of_one_array_share_a_walk(void **state)
{
	const int64_t n = INT64_C(40) * 50 * 60;
	int64_t one = voxels_computed("max(astype(random((40, 50, 60), seed=1) * 250, \"uint8\"))");
	int64_t four = voxels_computed("x = astype(random((40, 50, 60), seed=1) * 250, \"uint8\")\n"
				       "max(x) + min(x) + mean(x) + percentile(x, 50)");
	assert_true(one >= 3 * n); /* noise, product, cast */
	assert_true(four >= one && four < one + 100);
}

static void part_of_a_projection_costs_that_part(void **state)
{
	int64_t part = voxels_computed("max(gaussian_filter(random((60, 200, 100), seed=1), "
				       "(1, 0, 0)), axis=0)[20:30]");
	int64_t whole = voxels_computed(
		"max(gaussian_filter(random((60, 200, 100), seed=1), (1, 0, 0)), axis=0)");
	if (part > whole / 10)
		fail_msg(
			"a twentieth costs %lld voxels of %lld", (long long)part, (long long)whole);
}

/* ---- law 2 ---- */

static long peak_kib(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void plans_do_not_know_chunks(void **state)
{
	static const char text[] =
		"x = gaussian_filter(random((10000, 100000, 100000), seed=1), 2)\n"
		"write(x > 0.5, \"/tmp/cairn-never-written.zarr\", chunks=(100, 100, 100))\n";
	job j;
	cairn_error err;
	CRN_STR out = {0};
	long before = peak_kib();
	clock_t start = clock(); /* its own time: other programs have theirs */
	crn_assert_ok(job_new(text, &j, &err));
	int n = 0;
	crn_node *const *sinks = crn_pipeline_sinks(j.pipeline, &n);
	crn_run_options o = options(2, (size_t)1 << 30);
	crn_assert_ok(crn_explain(j.engine, sinks, n, &o, CRN_EXPLAIN_JSON, &out, &err));
	double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	job_done(&j);
	assert_int_not_equal(access("/tmp/cairn-never-written.zarr", F_OK), 0);
	if (peak_kib() - before > 50 * 1024)
		fail_msg("planning 10^8 chunks took %ld KiB", peak_kib() - before);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (seconds > 0.1)
		fail_msg("planning 10^8 chunks took %.3f s", seconds);
#endif
}

/* ---- law 3 ---- */

static void too_small_a_budget_is_refused_before_anything(void **state)
{
	char dir[] = "/tmp/cairn-laws-XXXXXX", text[512], url[256];
	cairn_error err;
	unsigned long long need = 0;
	assert_non_null(mkdtemp(dir));
	snprintf(url, sizeof(url), "%s/out.npy", dir);
	snprintf(text, sizeof(text),
		"write(gaussian_filter(random((40, 60, 60), seed=3), 1), \"%s\")", url);
	crn_run_options o = options(2, 1);
	assert_int_equal(run_text(text, &o, &err), CAIRN_NOFIT);
	const char *at = strchr(err.message, '(');
	assert_non_null(at);
	assert_int_equal(sscanf(at, "(%llu bytes", &need), 1);
	assert_true(err.where[0] != '\0' && err.hint[0] != '\0');
	assert_int_not_equal(access(url, F_OK), 0);
	assert_int_equal(rmdir(dir), 0); /* nothing was left, not even a journal */
	assert_int_equal(mkdir(dir, 0700), 0);
	o.memory_bytes = (size_t)need;
	crn_assert_ok(run_text(text, &o, &err));
	remove_all(dir);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Runs a text in a child of its own and demands that its resident memory stays within the budget
 * and a constant. */
static void check_peak(const char *text, int budget_mib, int constant_mib)
{
	int pipe_ends[2];
	assert_int_equal(pipe(pipe_ends), 0);
	pid_t child = fork();
	if (child == 0) {
		cairn_error err;
		crn_run_options o = options(2, (size_t)budget_mib << 20);
		cairn_status status = run_text(text, &o, &err);
		long kib = status == CAIRN_OK ? peak_kib() : -1;
		if (status != CAIRN_OK)
			fprintf(stderr, "%s\n", crn_test_error(&err));
		_exit(write(pipe_ends[1], &kib, sizeof(kib)) == sizeof(kib) ? 0 : 1);
	}
	long kib = 0;
	int how = 0;
	assert_int_equal(read(pipe_ends[0], &kib, sizeof(kib)), sizeof(kib));
	waitpid(child, &how, 0);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	print_message("budget %d MiB: %ld MiB resident\n", budget_mib, kib / 1024);
	assert_true(kib > 0);
	if (kib > (budget_mib + constant_mib) * 1024)
		fail_msg("a budget of %d MiB led to %ld MiB resident", budget_mib, kib / 1024);
}
#endif

static void memory_is_a_promise(void **state)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* 480 MB of noise, smoothed and thresholded, labelled and reduced. */
	check_peak("x = gaussian_filter(random((240, 500, 500), seed=2), 2)\n"
		   "print(max(label(x > 0.55)))\nprint(mean(x))\n",
		64, 40);
#endif
}

/* 1 GiB from files, in chunks that go through the cache and straight into tiles. Both are sparse:
 * chunks of fill are not stored, and the raw file is a hole. */
static void files_larger_than_the_budget_stay_inside_it(void **state)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	char dir[] = "/tmp/cairn-laws-XXXXXX", text[700], url[256];
	static const int budgets[] = {64, 256};
	cairn_error err;
	assert_non_null(mkdtemp(dir));
	snprintf(url, sizeof(url), "%s/hole.npy", dir);
	snprintf(text, sizeof(text),
		"write(zeros((512, 1024, 1024), dtype=\"uint16\"), \"%s/sparse.zarr\", "
		"chunks=(64, 64, 64))\n",
		dir);
	crn_run_options o = options(2, (size_t)256 << 20);
	crn_assert_ok(run_text(text, &o, &err));
	/* numpy.save's header, then nothing. */
	FILE *f = fopen(url, "wb");
	assert_non_null(f);
	fprintf(f, "%cNUMPY%c%c%c%c%-117s\n", 0x93, 1, 0, 118, 0,
		"{'descr': '<u2', 'fortran_order': False, 'shape': (512, 1024, 1024), }");
	fclose(f);
	assert_int_equal(truncate(url, 128 + ((off_t)1 << 30)), 0);
	for (int b = 0; b < 2; b++) {
		snprintf(text, sizeof(text),
			"print(max(maximum_filter(read(\"%s/sparse.zarr\"), 3)))\n", dir);
		check_peak(text, budgets[b], 48);
		snprintf(text, sizeof(text), "print(max(read(\"%s\") + 1))\n", url);
		check_peak(text, budgets[b], 48);
	}
	remove_all(dir);
#endif
}

/* ---- law 4 ---- */

static void read_all(const char *url, crn_view *ret)
{
	char text[300];
	job j;
	cairn_error err;
	snprintf(text, sizeof(text), "read(\"%s\")", url);
	crn_assert_ok(job_new(text, &j, &err));
	crn_assert_ok(crn_eager(crn_pipeline_last(j.pipeline)->node, ret, &err));
	job_done(&j);
}

static void chunks_threads_and_budgets_change_no_bit(void **state)
{
	static const char *const chunks[] = {"(1, 1, 1)", "(2, 3, 5)", "(7, 7, 7)", "(9, 11, 13)"};
	static const int threads[] = {2, 3, 7, 64};
	char dir[] = "/tmp/cairn-laws-XXXXXX", text[600], url[256];
	cairn_error err;
	CRN_EAGER first = {0};
	assert_non_null(mkdtemp(dir));
	for (int c = 0; c < 4; c++)
		for (int t = 0; t < 4; t++) {
			snprintf(url, sizeof(url), "%s/%d-%d.zarr", dir, c, t);
			snprintf(text, sizeof(text),
				"x = median_filter(gaussian_filter(random((9, 11, 13), seed=9), "
				"1.3), 3)\n"
				"y = label(x > 0.5) + x[::-1, ::-1, ::-1] * sum(x)\n"
				"write(y, \"%s\", chunks=%s)\n",
				url, chunks[c]);
			crn_run_options o = options(threads[t], (size_t)(16 << (2 * t)) << 20);
			crn_assert_ok(run_text(text, &o, &err));
			CRN_EAGER got = {0};
			read_all(url, &got);
			if (!first.data) {
				first = got;
				got = (crn_view){0};
				continue;
			}
			if (!crn_test_same_bytes(&first, &got))
				fail_msg("chunks %s, %d threads differ", chunks[c], threads[t]);
		}
	remove_all(dir);
}

/* Costs choose tiles and cuts: whatever they are, the bytes are those of the naive evaluation. */
static void random_costs_change_plans_but_no_bit(void **state)
{
	enum { SEEDS = 24 };
	static const char text[] = "x = gaussian_filter(random((50, 60, 70), seed=4), (2, 1, 3))\n"
				   "y = binary_erosion(median_filter(x, 3) > 0.49, ball(3))\n"
				   "label(y) + (uniform_filter(x, 5) > 0.5) + sum(x, axis=0) * 0\n";
	CRN_EAGER want = {0};
	CRN_STR first_plan = {0};
	int different = 0;
	unsigned long long smallest = 0;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		job j;
		cairn_error err;
		CRN_STR plan = {0};
		crn_assert_ok(job_new(text, &j, &err));
		crn_engine_scramble_costs(j.engine, seed);
		crn_node *n = crn_pipeline_last(j.pipeline)->node;
		crn_region r = crn_region_whole(n->type.ndim, n->type.shape);
		CRN_TEST_ARRAY out = crn_test_array(n->type.dtype, n->type.ndim, n->type.shape);
		crn_run_options o = options(2, (size_t)(seed % 2 ? 40 : 256) << 20);
		if (!want.data)
			crn_assert_ok(crn_eager(n, &want, &err));
		crn_assert_ok(crn_explain(j.engine, &n, 1, &o, CRN_EXPLAIN_JSON, &plan, &err));
		crn_assert_ok(crn_run_region(j.engine, n, &r, &out, &o, NULL, &err));
		if (!crn_test_same_bytes(&want, &out))
			fail_msg("costs of seed %d change the result", (int)seed);
		/* What is refused does not depend on costs: the smallest budget is one number. */
		const char *least = strstr(plan.data, "\"min_bytes\": ");
		assert_non_null(least);
		if (seed == 0)
			smallest = strtoull(least + 13, NULL, 10);
		assert_true(smallest > 0 && strtoull(least + 13, NULL, 10) == smallest);
		/* From the stages on: tiles, cuts, voxels computed. */
		char *from = strstr(plan.data, "\"stages\""), *end = strstr(from, "\"edges\"");
		*end = '\0';
		if (seed == 0)
			crn_str_append(&first_plan, from);
		else
			different += seed % 2 == 0 && strcmp(from, first_plan.data) != 0;
		job_done(&j);
	}
	print_message("seeds 0 to %d: %d plans differ from that of the plain costs\n", SEEDS - 1,
		different);
	assert_true(different > SEEDS / 8);
}

/* ---- law 5 ---- */

static void killed_runs_resume_to_the_same_bytes(void **state)
{
#if !defined(__SANITIZE_THREAD__)
	char dir[] = "/tmp/cairn-laws-XXXXXX", text[600], url[256], whole[256];
	static const char pipeline[] = "x = gaussian_filter(random((40, 120, 120), seed=5), 2)\n"
				       "write(label(x > 0.52), \"%s\", chunks=(4, 20, 20))\n";
	cairn_error err;
	crn_test_rng g = {77};
	assert_non_null(mkdtemp(dir));
	snprintf(whole, sizeof(whole), "%s/whole.zarr", dir);
	snprintf(text, sizeof(text), pipeline, whole);
	crn_run_options o = options(2, (size_t)64 << 20);
	int64_t start = crn_now_ns();
	crn_assert_ok(run_text(text, &o, &err));
	int64_t took_us = (crn_now_ns() - start) / 1000;
	CRN_EAGER want = {0};
	read_all(whole, &want);
	snprintf(url, sizeof(url), "%s/cut.zarr", dir);
	snprintf(text, sizeof(text), pipeline, url);
	int killed = 0;
	for (int turn = 0; turn < 12; turn++) {
		pid_t child = fork();
		if (child == 0) {
			o.on_exists = CRN_EXISTS_RESUME;
			_exit(run_text(text, &o, &err) == CAIRN_OK ? 0 : 1);
		}
		/* Well before the end: a first child that finishes leaves nothing to kill. */
		usleep((useconds_t)crn_test_int(&g, 1000, took_us / 2 + 2000));
		kill(child, SIGKILL);
		int how = 0;
		waitpid(child, &how, 0);
		killed += WIFSIGNALED(how);
		if (WIFEXITED(how)) {
			assert_int_equal(WEXITSTATUS(how), 0);
			remove_all(url); /* so that the next turn has something to kill */
		}
	}
	assert_true(killed > 0);
	o.on_exists = CRN_EXISTS_RESUME;
	crn_assert_ok(run_text(text, &o, &err));
	CRN_EAGER got = {0};
	read_all(url, &got);
	assert_true(crn_test_same_bytes(&want, &got));
	remove_all(dir);
#endif
}

static void existing_outputs_are_left_alone(void **state)
{
	char dir[] = "/tmp/cairn-laws-XXXXXX", text[600], url[256];
	cairn_error err;
	assert_non_null(mkdtemp(dir));
	snprintf(url, sizeof(url), "%s/out.npy", dir);
	snprintf(text, sizeof(text), "write(arange(50), \"%s\")", url);
	crn_run_options o = options(1, (size_t)64 << 20);
	crn_assert_ok(run_text(text, &o, &err));
	snprintf(text, sizeof(text), "write(arange(50) + 1, \"%s\")", url);
	assert_int_equal(run_text(text, &o, &err), CAIRN_EXISTS);
	assert_non_null(strstr(err.message, url));
	CRN_EAGER got = {0};
	read_all(url, &got);
	assert_int_equal(((const int64_t *)got.data)[7], 7);
	/* An output never replaces its own input, not even when replacing is asked for. */
	o.on_exists = CRN_EXISTS_REPLACE;
	snprintf(text, sizeof(text), "write(read(\"%s\") + 1, \"%s\")", url, url);
	assert_int_not_equal(run_text(text, &o, &err), CAIRN_OK);
	CRN_EAGER again = {0};
	read_all(url, &again);
	assert_true(crn_test_same_bytes(&got, &again));
	remove_all(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_then_slice_costs_slice_then_filter),
		cmocka_unit_test(statistics_of_one_array_share_a_walk),
		cmocka_unit_test(part_of_a_projection_costs_that_part),
		cmocka_unit_test(plans_do_not_know_chunks),
		cmocka_unit_test(too_small_a_budget_is_refused_before_anything),
		cmocka_unit_test(memory_is_a_promise),
		cmocka_unit_test(files_larger_than_the_budget_stay_inside_it),
		cmocka_unit_test(chunks_threads_and_budgets_change_no_bit),
		cmocka_unit_test(random_costs_change_plans_but_no_bit),
		cmocka_unit_test(killed_runs_resume_to_the_same_bytes),
		cmocka_unit_test(existing_outputs_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * reuse_test.c -- walking grids in pencils, and how often chunks are loaded when the cache is
 * small.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "builtin.h"
#include "exec/run.h"
#include "exec/pencils.h"
#include "support/arrays.h"
#include "support/eager.h"

#include <stdio.h>
#include <string.h>

/* Every position is one task, every task has one position, whatever the grid and the pencils. */
static void test_walks_are_permutations(void **state)
{
	(void)state;
	crn_test_rng g = {20261121};
	for (int turn = 0; turn < 3000; turn++) {
		crn_pencils w;
		int64_t grid[4], idx[CRN_MAX_NDIM], n = 1;
		int ndim = (int)crn_test_int(&g, 1, 4);
		for (int d = 0; d < ndim; d++)
			n *= grid[d] = crn_test_int(&g, 1, 6);
		crn_pencils_raster(&w, ndim, grid);
		w.sweep = (int)crn_test_int(&g, -1, ndim - 1);
		for (int k = 0; k < 2 && w.sweep >= 0; k++) {
			int axis = (int)crn_test_int(&g, 0, ndim - 1);
			if (axis != w.sweep && axis != w.across[0])
				w.across[k] = axis;
			w.width[k] = crn_test_int(&g, 1, 7);
		}
		unsigned char seen[6 * 6 * 6 * 6] = {0};
		for (int64_t p = 0; p < n; p++) {
			int64_t index = crn_pencils_index(&w, p);
			assert_true(index >= 0 && index < n);
			assert_int_equal(seen[index]++, 0);
			crn_unravel(index, ndim, grid, idx);
			assert_int_equal(crn_pencils_position(&w, idx), p);
		}
	}
}

static crn_graph *graph;

static int set_up(void **state)
{
	(void)state;
	return crn_graph_new(&crn_builtin_registry, &graph, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	crn_graph_unref(graph);
	return 0;
}

/* Chunk loads per chunk of a 3 x 3 x 3 filter over cubes of chunks, tile by tile. */
static double loads(int64_t side, size_t extra_chunks)
{
	enum { EDGE = 4 };
	const int64_t shape[] = {side * EDGE, side * EDGE, side * EDGE};
	const int64_t unit[] = {EDGE, EDGE, EDGE};
	cairn_error err;
	CRN_TEST_ARRAY values = crn_test_array(CRN_U8, 3, shape);
	for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++)
		((uint8_t *)values.data)[i] = (uint8_t)(i * 2654435761u >> 13);
	crn_engine *engine = NULL; /* its own: nothing is there yet */
	crn_assert_ok(crn_engine_new(&crn_builtin_registry, &engine, &err));
	CRN_NODE *x = NULL;
	CRN_NODE *y = NULL;
	crn_assert_ok(crn_test_source(graph, &values, unit, &x, &err));
	crn_assert_ok(crn_test_call(graph, "maximum_filter", &x, 1, "3", &y, &err));
	crn_region whole = crn_region_whole(3, shape);
	CRN_TEST_ARRAY got = crn_test_array(CRN_U8, 3, shape);
	crn_run_options o = {.n_threads = 2,
		.isa = crn_isa_best(),
		.memory_bytes = 1,
		.tile_voxels = EDGE * EDGE * EDGE};
	unsigned long long need = 0;
	assert_int_equal(crn_run_region(engine, y, &whole, &got, &o, NULL, &err), CAIRN_NOFIT);
	assert_int_equal(sscanf(strchr(err.message, '('), "(%llu bytes", &need), 1);
	/* One more task of each kind, so that both threads work, and room for so many chunks. */
	o.memory_bytes = 2 * (size_t)need + extra_chunks * 4096;
	crn_report report = {0};
	crn_assert_ok(crn_run_region(engine, y, &whole, &got, &o, &report, &err));
	CRN_EAGER want = {0};
	crn_assert_ok(crn_eager(y, &want, &err));
	assert_true(crn_test_same_bytes(&want, &got));
	double per_chunk = (double)report.units_read / (double)(side * side * side);
	print_message("room for %zu chunks of %lld: %.2f loads a chunk\n", extra_chunks,
		(long long)(side * side * side), per_chunk);
	crn_report_done(&report);
	crn_engine_free(engine);
	return per_chunk;
}

static void test_small_caches_load_chunks_seldom(void **state)
{
	(void)state;
	/* Raster order with the least recently used evicted: 8.6, 2.9, 2.9 (simulated). */
	assert_true(loads(24, 128) < 3.2);
	assert_true(loads(24, 512) < 1.6);
	assert_true(loads(24, 2304) < 1.2);
	assert_true(loads(24, 20000) == 1.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks_are_permutations),
		cmocka_unit_test(test_small_caches_load_chunks_seldom),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

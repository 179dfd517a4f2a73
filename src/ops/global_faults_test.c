/* SPDX-License-Identifier: Apache-2.0
 *
 * global_faults_test.c -- global ops when memory, budget or the scratch file give out: the nth
 * allocation, charge, spill or read-back fails, for n = 0, 1, 2, ... until all goes well. Every
 * failure must come back as a status or leave the result as it is without (an op may try again with
 * less), and every charge must have been returned at the end.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "builtin.h"
#include "core/op.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SPILL_BYTES = 1 << 20, ROWS = 24, COLUMNS = 30, TILE = 9 };

typedef struct faulty {
	int64_t charged, calls, fail_at; /* fail_at < 0: never */
	char *spilled;
	size_t n;
	uint64_t checksum; /* of the output */
} faulty;

static cairn_status service(faulty *f, cairn_error *err)
{
	return f->calls++ == f->fail_at ? crn_fail(err, CAIRN_FAILED, "no more") : CAIRN_OK;
}

static cairn_status charge(void *engine, int64_t delta, cairn_error *err)
{
	faulty *f = engine;
	if (delta > 0)
		CRN_TRY(service(f, err));
	f->charged += delta;
	assert_true(f->charged >= 0);
	return CAIRN_OK;
}

static cairn_status spill(
	void *engine, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err)
{
	faulty *f = engine;
	CRN_TRY(service(f, err));
	assert_true(f->n + n <= SPILL_BYTES);
	memcpy(f->spilled + f->n, bytes, n);
	*ret_offset = f->n;
	f->n += n;
	return CAIRN_OK;
}

static cairn_status unspill(void *engine, uint64_t offset, void *bytes, size_t n, cairn_error *err)
{
	faulty *f = engine;
	CRN_TRY(service(f, err));
	assert_true(offset + n <= f->n);
	memcpy(bytes, f->spilled + offset, n);
	return CAIRN_OK;
}

static cairn_status overwrite(
	void *engine, uint64_t offset, const void *bytes, size_t n, cairn_error *err)
{
	faulty *f = engine;
	CRN_TRY(service(f, err));
	assert_true(offset + n <= f->n);
	memcpy(f->spilled + offset, bytes, n);
	return CAIRN_OK;
}

static cairn_status fold_tile(const crn_node *n, void *state, void *partial, int pass,
	const crn_view *whole, int64_t tile, const crn_grid *grid, cairn_error *err)
{
	int64_t idx[CRN_MAX_NDIM];
	crn_unravel(tile, 2, grid->n, idx);
	crn_region box = crn_unit_region(2, grid->shape, grid->tile, idx);
	crn_region all = crn_region_whole(2, grid->shape);
	crn_view in[2] = {crn_view_part(whole, &all, &box), crn_view_part(whole, &all, &box)};
	crn_region regions[2] = {box, box};
	crn_call call = {
		.node = n, .n_in = n->n_in, .in = in, .in_region = regions, .out_region = box};
	const crn_global *ops = n->op->global;
	call.scratch_bytes = ops->fold_scratch ? ops->fold_scratch(n, &box) : 0;
	call.scratch = aligned_alloc(64, (call.scratch_bytes + 64) / 64 * 64);
	cairn_status status = ops->fold(state, partial, pass, tile, &call, err);
	free(call.scratch);
	return status;
}

static cairn_status run_pass(const crn_node *n, void *state, int pass, const crn_view *whole,
	const crn_grid *grid, cairn_error *err)
{
	const crn_global *ops = n->op->global;
	CRN_TRY(ops->pass_begin(state, pass, grid, err));
	size_t bytes = ops->partial_bytes ? ops->partial_bytes(n, pass) : 8;
	char *partial[2] = {malloc(bytes), malloc(bytes)};
	cairn_status status = CAIRN_OK;
	for (int w = 0; w < 2 && ops->partial_init; w++)
		ops->partial_init(state, pass, partial[w]);
	for (int64_t t = 0; t < grid->n_tiles && status == CAIRN_OK; t++)
		status = fold_tile(n, state, partial[t % 2], pass, whole, t, grid, err);
	for (int w = 0; w < 2 && status == CAIRN_OK && ops->merge; w++)
		status = ops->merge(state, pass, partial[w], err);
	for (int w = 0; w < 2; w++) {
		if (ops->partial_done)
			ops->partial_done(state, pass, partial[w]);
		free(partial[w]);
	}
	return status == CAIRN_OK ? ops->pass_end(state, pass, err) : status;
}

static cairn_status compute_all(
	const crn_node *n, void *state, const crn_view *in, faulty *f, cairn_error *err)
{
	CRN_TEST_ARRAY out = crn_test_array(n->type.dtype, n->type.ndim, n->type.shape);
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	crn_call call = {.node = n,
		.state = state,
		.out_region = whole,
		.out = out,
		.n_in = n->n_in,
		.in = in,
		.in_region = &whole};
	call.scratch_bytes = n->op->scratch ? n->op->scratch(n, &whole) : 0;
	call.scratch = aligned_alloc(64, (call.scratch_bytes + 64) / 64 * 64);
	cairn_status status = n->op->compute(&call, err);
	free(call.scratch);
	f->checksum = crn_checksum(
		out.data, crn_view_dense_bytes(n->type.dtype, n->type.ndim, n->type.shape));
	return status;
}

static cairn_status run(const crn_node *n, const crn_view *in, faulty *f, cairn_error *err)
{
	crn_env env = {.engine = f,
		.isa = CRN_ISA_BASE,
		.charge = charge,
		.spill = spill,
		.unspill = unspill,
		.overwrite = overwrite};
	crn_grid grid = {.ndim = 2, .shape = {ROWS, COLUMNS}, .tile = {TILE, TILE}, .n_tiles = 1};
	for (int d = 0; d < 2; d++)
		grid.n_tiles *= grid.n[d] = crn_n_units(grid.shape[d], TILE);
	void *state = NULL;
	cairn_status status = n->op->global->begin(n, &env, &state, err);
	for (int pass = 0; status == CAIRN_OK && pass < n->op->global->n_passes(n); pass++)
		status = run_pass(n, state, pass, in, &grid, err);
	if (status == CAIRN_OK && n->op->compute)
		status = compute_all(n, state, in, f, err);
	n->op->global->end(state);
	return status;
}

static void check(const char *op, const char *text, crn_dtype dtype)
{
	cairn_error err = {0};
	crn_graph *g = NULL;
	crn_node *in[2] = {0}, *n = NULL;
	crn_test_rng rng = {11};
	CRN_TEST_ARRAY values = crn_test_array(dtype, 2, (int64_t[]){ROWS, COLUMNS});
	crn_test_fill_small(&rng, &values, dtype == CRN_BOOL ? 2 : 200);
	crn_assert_ok(crn_graph_new(&crn_builtin_registry, &g, &err));
	crn_assert_ok(crn_test_source(g, &values, NULL, &in[0], &err));
	in[1] = in[0];
	int n_in = strcmp(op, "regionprops") == 0 ? 2 : 1;
	crn_assert_ok(crn_test_call(g, op, in, n_in, text, &n, &err));
	const crn_view inputs[2] = {values, values};
	char *memory = malloc(SPILL_BYTES);
	faulty good = {.fail_at = -1, .spilled = memory};
	crn_assert_ok(run(n, inputs, &good, &err));
	for (int heap = 0; heap < 2; heap++) {
		bool happened = true;
		for (int64_t k = 0; happened; k++) {
			faulty f = {.fail_at = heap ? -1 : k, .spilled = memory};
			if (heap)
				crn_mem_fail_after(k);
			cairn_status status = run(n, inputs, &f, &err);
			happened = crn_mem_failed() || (!heap && f.calls > k);
			assert_int_equal(f.charged, 0);
			if (status == CAIRN_OK)
				assert_true(f.checksum == good.checksum);
			else
				assert_true(happened);
			assert_true(k < 5000);
		}
	}
	free(memory);
	crn_node_unref(n);
	crn_node_unref(in[0]);
	crn_graph_unref(g);
}

static void test_faults(void **state)
{
	check("label", "", CRN_BOOL);
	check("label", "structure=[[0, 1, 0], [0, 1, 0], [0, 1, 0]]", CRN_U8);
	check("remove_small_objects", "3", CRN_BOOL);
	check("remove_small_objects", "3", CRN_U8);
	check("binary_fill_holes", "", CRN_BOOL);
	check("regionprops", "", CRN_I32);
	check("percentile", "[10, 50]", CRN_F32);
	check("median", "", CRN_U8);
	check("histogram", "7", CRN_F64);
	check("threshold_otsu", "", CRN_F32);
	check("threshold_otsu", "", CRN_I32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

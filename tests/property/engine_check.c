/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_check.c -- random programs through the engine: any region, threads, budget, instruction
 * set, chunks and costs give the bytes of the eager driver.
 */
#include "property/random_program.h"
#include "property/smallest_budget.h"

#include "base/mem.h"
#include "builtin.h"
#include "core/format.h"
#include "exec/run.h"
#include "support/eager.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Part of a whole dense array as a new dense array. */
static crn_view part_of(const crn_view *whole, const crn_region *r)
{
	crn_region all = crn_region_whole(whole->ndim, whole->shape);
	crn_view from = crn_view_part(whole, &all, r);
	crn_view to = crn_test_array(whole->dtype, r->ndim, r->n);
	crn_view_copy(&to, &from);
	return to;
}

static crn_region random_region(crn_test_rng *g, const crn_type *t)
{
	crn_region r = crn_region_whole(t->ndim, t->shape);
	if (ref_one_in(g, 3))
		return r;
	for (int d = 0; d < t->ndim; d++) {
		if (t->shape[d] == 0)
			continue;
		r.lo[d] = crn_test_int(g, 0, t->shape[d] - 1);
		r.step[d] = ref_one_in(g, 3) ? crn_test_int(g, 1, 3) : 1;
		r.n[d] = crn_test_int(g, 1, (t->shape[d] - 1 - r.lo[d]) / r.step[d] + 1);
	}
	crn_region_normalise(&r);
	return r;
}

/* Tiles and slabs of sizes that no plan would choose for arrays this small. */
static void random_walk(crn_test_rng *g, crn_run_options *o)
{
	if (ref_one_in(g, 3))
		o->tile_voxels = crn_test_int(g, 1, 2000);
	if (!ref_one_in(g, 3))
		o->slab_rows = crn_test_int(g, 1, 5);
}

static cairn_status run_once(
	crn_test_rng *g, crn_engine *e, const program_line *l, cairn_error *err)
{
	static const int threads[] = {1, 2, 3, 7};
	crn_run_options o = {.n_threads = threads[crn_test_int(g, 0, 3)],
		.isa = (crn_isa)crn_test_int(g, 0, crn_isa_best()),
		.memory_bytes = 1 << 28};
	random_walk(g, &o);
	crn_engine_scramble_costs(e, ref_one_in(g, 2) ? (uint64_t)crn_test_int(g, 1, 1 << 20) : 0);
	crn_region r = random_region(g, &l->node->type);
	CRN_TEST_ARRAY want = part_of(&l->value, &r);
	CRN_TEST_ARRAY got = crn_test_array(want.dtype, want.ndim, want.shape);
	memset(got.data, 0x5A, crn_view_dense_bytes(got.dtype, got.ndim, got.shape));
	if (ref_one_in(g, 2)) {
		size_t least = crn_test_smallest_budget(e, l->node, &r, &got, o);
		o.memory_bytes = least ? least : o.memory_bytes;
		if (ref_one_in(g, 2))
			o.memory_bytes += (size_t)crn_test_int(g, 0, (int64_t)o.memory_bytes);
	}
	crn_report report = {0};
	char text[CRN_REGION_TEXT];
	cairn_status status = crn_run_region(e, l->node, &r, &got, &o, &report, err);
	if (status == CAIRN_OK && report.peak_memory_bytes > o.memory_bytes)
		status = crn_fail(err, CAIRN_FAILED, "peak of %zu bytes", report.peak_memory_bytes);
	crn_report_done(&report);
	if (status == CAIRN_OK && !crn_test_same_bytes(&got, &want)) {
		status = crn_test_compare(&got, &want, 0, 0, err);
		if (status == CAIRN_OK)
			status = crn_fail(err, CAIRN_FAILED, "NaN or zero of another sign");
	}
	if (status != CAIRN_OK)
		crn_where(err,
			"engine: region %s, %d threads, %zu bytes, %s code, tiles of %lld voxels, "
			"slabs of %lld planes",
			crn_region_format(&r, text), o.n_threads, o.memory_bytes,
			crn_isa_name(o.isa), (long long)o.tile_voxels, (long long)o.slab_rows);
	return status;
}

/* ---- through files ---- */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	return remove(path);
}

static cairn_status read_back(crn_graph *g, const char *url, crn_view *ret, cairn_error *err)
{
	CRN_NODE *n = NULL;
	char text[600];
	snprintf(text, sizeof(text), "'%s'", url);
	CRN_TRY(crn_test_call(g, "read", NULL, 0, text, &n, err));
	return crn_eager(n, ret, err);
}

static cairn_status write_to(
	crn_test_rng *g, program *p, const program_line *l, const char *dir, cairn_error *err)
{
	static const char *const suffixes[] = {"npy", "zarr"};
	const crn_format *format = NULL;
	CRN_TRY(crn_format_for_writing(&crn_builtin_registry, "x.zarr", NULL, &format, err));
	int n_suffixes = format->plan_unit ? 2 : 1;
	const crn_type *t = &l->node->type;
	char url[300], text[700];
	snprintf(url, sizeof(url), "%s/out.%s", dir, suffixes[crn_test_int(g, 0, n_suffixes - 1)]);
	int used = snprintf(text, sizeof(text), "'%s', chunks=(", url);
	for (int d = 0; d < t->ndim; d++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "%lld, ",
			(long long)crn_test_int(g, 1, t->shape[d] + 1));
	snprintf(text + used, sizeof(text) - (size_t)used, ")");
	CRN_NODE *sink = NULL;
	crn_engine *e = NULL;
	crn_run_options o = {.n_threads = (int)crn_test_int(g, 1, 4),
		.memory_bytes = 1 << 28,
		.isa = crn_isa_best()};
	random_walk(g, &o);
	CRN_TRY(crn_test_call(p->graph, "write", &l->node, 1, text, &sink, err));
	CRN_TRY(crn_engine_new(&crn_builtin_registry, &e, err));
	cairn_status status = crn_run(e, &sink, 1, &o, NULL, err);
	crn_engine_free(e);
	CRN_EAGER got = {0};
	if (status == CAIRN_OK)
		status = read_back(p->graph, url, &got, err);
	if (status == CAIRN_OK && !crn_test_same_bytes(&got, &l->value)) {
		status = crn_test_compare(&got, &l->value, 0, 0, err);
		if (status == CAIRN_OK)
			status = crn_fail(err, CAIRN_FAILED, "NaN or zero of another sign");
	}
	if (status != CAIRN_OK)
		crn_where(err, "written with %s", text);
	return status;
}

static cairn_status write_somewhere(
	crn_test_rng *g, program *p, const program_line *l, cairn_error *err)
{
	char dir[] = "/tmp/cairn-property-XXXXXX";
	if (!mkdtemp(dir))
		return crn_fail_errno(err, CAIRN_FAILED, "making", dir);
	cairn_status status = write_to(g, p, l, dir, err);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return status;
}

cairn_status program_check_engine(program *p, cairn_error *err)
{
	crn_test_rng g = {p->seed + 12345};
	crn_engine *e = NULL;
	CRN_TRY(crn_engine_new(&crn_builtin_registry, &e, err));
	cairn_status status = CAIRN_OK;
	for (int i = 0; i < p->n && status == CAIRN_OK; i++) {
		const program_line *l = &p->line[i];
		crn_test_rng own = {crn_test_u64(&g)}; /* the same choices whatever was dropped */
		bool last = i + 1 == p->n;
		if (l->dropped || (!last && !ref_one_in(&own, 3)))
			continue;
		for (int turn = 0; turn < 2 && status == CAIRN_OK; turn++)
			status = run_once(&own, e, l, err);
		if (status == CAIRN_OK && (ref_one_in(&own, 4) || last) && l->node->type.ndim > 0)
			status = write_somewhere(&own, p, l, err);
		if (status != CAIRN_OK)
			p->failed = i;
	}
	crn_engine_free(e);
	return status == CAIRN_OK ? CAIRN_OK : CAIRN_FAILED;
}

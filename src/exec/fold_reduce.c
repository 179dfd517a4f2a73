/* SPDX-License-Identifier: Apache-2.0
 *
 * fold_reduce.c -- folding a reduction whose result is small: accumulators for all of it per
 * worker. See fold.h. (Reductions with large results are streamed: producers.c.)
 */
#include "exec/fold.h"

#include "base/mem.h"

#include <stdatomic.h>
#include <string.h>

/* Row by row: `part` accumulators (of region part_r) into `acc` (of region whole). */
static void merge_part(const crn_node *n, char *acc, const crn_region *whole, const char *part,
	const crn_region *part_r)
{
	size_t size = n->op->reduce->acc_bytes(n);
	crn_rows rows;
	for (crn_rows_begin(&rows, part_r->ndim, part_r->n); !rows.end; crn_rows_next(&rows)) {
		int64_t to = 0, from = 0;
		for (int d = 0; d < part_r->ndim; d++) {
			int64_t i = d + 1 < part_r->ndim ? rows.idx[d] : 0;
			to = to * whole->n[d] + part_r->lo[d] - whole->lo[d] + i;
			from = from * part_r->n[d] + i;
		}
		n->op->reduce->merge(
			n, acc + (size_t)to * size, part + (size_t)from * size, rows.n);
	}
}

cairn_status crn_reduce_fold_into(crn_state *st, const crn_node *n, const crn_view *in,
	const crn_region *in_region, void *acc, const crn_region *whole, cairn_error *err)
{
	crn_region part;
	n->op->reduce->project(n, in_region, &part);
	crn_call call = {
		.node = n, .out_region = part, .n_in = 1, .in_region = in_region, .in = in};
	int info = crn_plan_info(st->plan, n);
	call.bound = st->plan->infos[info].bound.data;
	atomic_fetch_add_explicit(
		&st->folded[info], crn_region_count(in_region), memory_order_relaxed);
	crn_span span;
	if (crn_region_equal(&part, whole)) {
		span = crn_span_begin(CRN_SPAN_COMPUTE, info);
		n->op->reduce->fold(&call, acc);
		crn_span_end(&span, 0, crn_region_count(in_region));
		return CAIRN_OK;
	}
	size_t bytes = n->op->reduce->acc_bytes(n) * (size_t)crn_region_count(&part);
	void *own = crn_pool_take(st->engine->pool, bytes);
	if (!own)
		return crn_fail_memory(err, "accumulators", bytes);
	span = crn_span_begin(CRN_SPAN_COMPUTE, info);
	n->op->reduce->init(n, own, crn_region_count(&part));
	n->op->reduce->fold(&call, own);
	merge_part(n, acc, whole, own, &part);
	crn_span_end(&span, 0, crn_region_count(in_region));
	crn_pool_give(st->engine->pool, own, bytes);
	return CAIRN_OK;
}

static int one_pass(const crn_node *n)
{
	(void)n;
	return 1;
}

static cairn_status begin(crn_fold *f, cairn_error *err)
{
	(void)err;
	f->whole = crn_region_whole(f->node->type.ndim, f->node->type.shape);
	f->acc_bytes =
		f->node->op->reduce->acc_bytes(f->node) * (size_t)crn_region_count(&f->whole);
	return CAIRN_OK;
}

/* Accumulators are plain bytes, so they come back as they went. */
static bool load(void *user, const void *bytes, size_t n)
{
	crn_fold *f = user;
	void *acc = n == f->acc_bytes ? crn_pool_take(f->st->engine->pool, n) : NULL;
	if (acc)
		memcpy(acc, bytes, n);
	f->acc[f->worker] = acc;
	return acc != NULL;
}

static cairn_status pass_begin(crn_fold *f, cairn_error *err)
{
	int n_workers = f->st->plan->options.n_threads;
	(void)err;
	f->kept = crn_checkpoint_open(f->st->checkpoint_dir, f->node, 0, &f->grid, n_workers);
	for (f->worker = 0; f->kept && f->worker < n_workers; f->worker++)
		crn_checkpoint_load_partial(f->kept, f->worker, load, f);
	return CAIRN_OK;
}

static cairn_status fold_tile(crn_fold *f, crn_task *t, const crn_view *in, cairn_error *err)
{
	void **acc = &f->acc[crn_task_worker(t)];
	if (!*acc) {
		*acc = crn_pool_take(f->st->engine->pool, f->acc_bytes);
		if (!*acc)
			return crn_fail_memory(err, "accumulators", f->acc_bytes);
		f->node->op->reduce->init(f->node, *acc, crn_region_count(&f->whole));
	}
	return crn_reduce_fold_into(f->st, f->node, in, crn_task_roots(t), *acc, &f->whole, err);
}

static void keep(crn_fold *f, int worker)
{
	crn_bytes all = {f->acc[worker], f->acc_bytes};
	crn_checkpoint_add_partial(f->kept, worker, &all, 1);
}

/* Merges into the first accumulators there are and writes the result where the plan's pieces look.
 */
static cairn_status finish(crn_fold *f, cairn_error *err)
{
	const crn_node *n = f->node;
	crn_pool *pool = f->st->engine->pool;
	int64_t count = crn_region_count(&f->whole);
	void *total = NULL, *empty = NULL;
	for (int w = 0; w < f->st->plan->options.n_threads; w++) {
		if (!f->acc[w])
			continue;
		if (total)
			n->op->reduce->merge(n, total, f->acc[w], count);
		else
			total = f->acc[w];
	}
	size_t bytes = crn_view_dense_bytes(n->type.dtype, n->type.ndim, n->type.shape);
	void *result = crn_pool_take(pool, bytes);
	if (!total && result) { /* no tiles: an input without voxels */
		total = empty = crn_pool_take(pool, f->acc_bytes);
		if (total)
			n->op->reduce->init(n, total, count);
	}
	if (!result || !total) {
		crn_pool_give(pool, result, bytes);
		return crn_fail_memory(err, "a reduction", bytes);
	}
	crn_view *view = &f->st->residents[f->index];
	*view = crn_view_dense(result, n->type.dtype, n->type.ndim, n->type.shape);
	n->op->reduce->finish(n, total, count, view);
	crn_pool_give(pool, empty, f->acc_bytes);
	return CAIRN_OK;
}

static cairn_status pass_end(crn_fold *f, cairn_status walked, cairn_error *err)
{
	cairn_status status = walked == CAIRN_OK ? finish(f, err) : walked;
	crn_fold_drop_accumulators(f);
	return status;
}

const crn_fold_kind crn_fold_reduce = {
	.n_passes = one_pass,
	.begin = begin,
	.pass_begin = pass_begin,
	.tile = fold_tile,
	.keep = keep,
	.pass_end = pass_end,
};

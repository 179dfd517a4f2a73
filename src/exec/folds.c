/* SPDX-License-Identifier: Apache-2.0
 *
 * folds.c -- stages that look at every voxel once: reductions with small results, and the passes of
 * global ops. Each worker folds into accumulators of its own; they are merged in worker order at
 * the end, and ops promise that neither order nor tiling shows in the result.
 *
 * What is folded survives a kill in checkpoints (checkpoint.h): a resume skips those tiles.
 */
#include "base/mem.h"
#include "base/path.h"
#include "exec/checkpoint.h"
#include "exec/state.h"
#include "plan/layout.h"

#include <stdatomic.h>
#include <string.h>

static crn_grid grid_of(const crn_tiling *t)
{
	crn_grid g = {.ndim = t->domain.ndim, .n_tiles = t->n_tiles};
	for (int d = 0; d < g.ndim; d++) {
		g.shape[d] = t->domain.n[d];
		g.tile[d] = t->tile[d];
		g.n[d] = t->grid[d];
	}
	return g;
}

/* ---- reductions ---- */

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

typedef struct resident_job {
	crn_state *st;
	const crn_resident *plan;
	crn_region whole;
	size_t acc_bytes;
	void **acc; /* per worker; NULL until used */
	int worker; /* whose accumulators are being loaded */
	crn_checkpoint *kept;
} resident_job;

static crn_region resident_roots(void *user, int64_t index, int64_t tile)
{
	const resident_job *j = user;
	(void)tile;
	return crn_tiling_region(&j->plan->tiling, index);
}

static int64_t resident_size(void *user, int64_t index)
{
	crn_region r = resident_roots(user, index, 0);
	return crn_region_count(&r);
}

static void keep_resident(resident_job *j, int worker)
{
	crn_bytes all = {j->acc[worker], j->acc_bytes};
	crn_checkpoint_add_partial(j->kept, worker, &all, 1);
}

static cairn_status resident_tile(
	void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err)
{
	resident_job *j = user;
	const crn_node *n = j->plan->node;
	void **acc = &j->acc[crn_task_worker(t)];
	crn_frame *frame = NULL;
	crn_view in;
	(void)tile;
	(void)memory;
	if (!*acc) {
		*acc = crn_pool_take(j->st->engine->pool, j->acc_bytes);
		if (!*acc)
			return crn_fail_memory(err, "accumulators", j->acc_bytes);
		n->op->reduce->init(n, *acc, crn_region_count(&j->whole));
	}
	CRN_TRY(crn_task_frame(t, NULL, &in, &frame, err));
	cairn_status status =
		crn_reduce_fold_into(j->st, n, &in, crn_task_roots(t), *acc, &j->whole, err);
	crn_frame_done(frame);
	if (status == CAIRN_OK && j->kept &&
		crn_checkpoint_fold_partial(j->kept, crn_task_worker(t), crn_task_index(t)))
		keep_resident(j, crn_task_worker(t));
	return status;
}

static bool resident_skip(void *user, int64_t index)
{
	const resident_job *j = user;
	return crn_checkpoint_has(j->kept, index);
}

/* Accumulators are plain bytes, so they come back as they went. */
static bool load_resident(void *user, const void *bytes, size_t n)
{
	resident_job *j = user;
	void *acc = n == j->acc_bytes ? crn_pool_take(j->st->engine->pool, n) : NULL;
	if (acc)
		memcpy(acc, bytes, n);
	j->acc[j->worker] = acc;
	return acc != NULL;
}

/* Voxels of the tiles that need not be looked at again. */
static int64_t restored_voxels(const crn_checkpoint *c, const crn_tiling *t)
{
	int64_t voxels = 0;
	for (int64_t i = 0; crn_checkpoint_count(c) > 0 && i < t->n_tiles; i++) {
		crn_region r = crn_tiling_region(t, i);
		voxels += crn_checkpoint_has(c, i) ? crn_region_count(&r) : 0;
	}
	return voxels;
}

static cairn_status finish_resident(
	crn_state *st, const crn_stage *s, resident_job *j, cairn_error *err)
{
	const crn_node *n = j->plan->node;
	int64_t count = crn_region_count(&j->whole);
	void *total = NULL;
	for (int w = 0; w < st->plan->options.n_threads; w++) {
		if (!j->acc[w])
			continue;
		if (total)
			n->op->reduce->merge(n, total, j->acc[w], count);
		else
			total = j->acc[w];
	}
	size_t bytes = crn_view_dense_bytes(n->type.dtype, n->type.ndim, n->type.shape);
	void *result = crn_pool_take(st->engine->pool, bytes);
	void *empty = NULL;
	if (!total && result) { /* no tiles: an input without voxels */
		total = empty = crn_pool_take(st->engine->pool, j->acc_bytes);
		if (total)
			n->op->reduce->init(n, total, count);
	}
	if (!result || !total) {
		crn_pool_give(st->engine->pool, result, bytes);
		return crn_fail_memory(err, "a reduction", bytes);
	}
	crn_view *view = &st->residents[s->index];
	*view = crn_view_dense(result, n->type.dtype, n->type.ndim, n->type.shape);
	n->op->reduce->finish(n, total, count, view);
	crn_pool_give(st->engine->pool, empty, j->acc_bytes);
	return CAIRN_OK;
}

cairn_status crn_run_resident_stage(crn_state *st, const crn_stage *s, cairn_error *err)
{
	const crn_resident *r = &st->plan->residents[s->index];
	const crn_node *n = r->node;
	resident_job j = {
		.st = st, .plan = r, .whole = crn_region_whole(n->type.ndim, n->type.shape)};
	j.acc_bytes = n->op->reduce->acc_bytes(n) * (size_t)crn_region_count(&j.whole);
	j.acc = crn_calloc((size_t)st->plan->options.n_threads, sizeof(void *));
	if (!j.acc)
		return crn_fail_memory(err, "accumulators", sizeof(void *));
	crn_job job = {.name = n->op->name,
		.piece = &r->piece,
		.level = -1,
		.work_bytes = r->tiling.work_bytes,
		.n_tasks = r->tiling.n_tiles,
		.grid = &r->tiling,
		.user = &j,
		.roots = resident_roots,
		.tile = resident_tile,
		.skip = resident_skip,
		.size = resident_size,
		.most_workers = st->plan->options.n_threads};
	crn_grid grid = grid_of(&r->tiling);
	j.kept = crn_checkpoint_open(st->checkpoint_dir, n, 0, &grid, st->plan->options.n_threads);
	for (; j.kept && j.worker < st->plan->options.n_threads; j.worker++)
		crn_checkpoint_load_partial(j.kept, j.worker, load_resident, &j);
	st->restored[crn_plan_info(st->plan, n)] += restored_voxels(j.kept, &r->tiling);
	cairn_status status = crn_sched_run(st->sched, &job, err);
	for (int w = 0; j.kept && w < st->plan->options.n_threads; w++)
		if (crn_checkpoint_is_behind(j.kept, w))
			keep_resident(&j, w);
	crn_checkpoint_close(j.kept);
	if (status == CAIRN_OK)
		status = finish_resident(st, s, &j, err);
	for (int w = 0; w < st->plan->options.n_threads; w++)
		crn_pool_give(st->engine->pool, j.acc[w], j.acc_bytes);
	crn_free(j.acc);
	return status;
}

/* ---- global ops ---- */

typedef struct global_job {
	crn_state *st;
	const crn_global_plan *plan;
	const crn_global *ops;
	void *state;
	int pass, info, index; /* index: of the global */
	size_t partial_bytes;
	void **partial; /* per worker */
	int worker;     /* whose partial is being loaded */
	crn_checkpoint *kept;
} global_job;

static crn_region global_roots(void *user, int64_t index, int64_t tile)
{
	const global_job *j = user;
	(void)tile;
	return crn_tiling_region(&j->plan->tiling, index);
}

static int64_t global_size(void *user, int64_t index)
{
	crn_region r = global_roots(user, index, 0);
	return crn_region_count(&r);
}

static cairn_status global_fold(global_job *j, crn_task *t, const crn_view *in, cairn_error *err)
{
	const crn_node *n = j->plan->node;
	const crn_region *r = crn_task_roots(t);
	crn_region regions[CRN_MAX_INPUTS];
	for (int k = 0; k < n->n_in; k++)
		regions[k] = *r;
	crn_call call = {.node = n,
		.bound = j->st->plan->infos[j->info].bound.data,
		.out_region = *r,
		.n_in = n->n_in,
		.in_region = regions,
		.in = in};
	call.scratch_bytes = j->ops->fold_scratch ? j->ops->fold_scratch(n, r) : 0;
	if (call.scratch_bytes &&
		!(call.scratch = crn_pool_take(j->st->engine->pool, call.scratch_bytes)))
		return crn_fail_memory(err, "scratch", call.scratch_bytes);
	crn_span span = crn_span_begin(CRN_SPAN_COMPUTE, j->info);
	cairn_status status = j->ops->fold(
		j->state, j->partial[crn_task_worker(t)], j->pass, crn_task_index(t), &call, err);
	crn_span_end(&span, 0, crn_region_count(r));
	crn_pool_give(j->st->engine->pool, call.scratch, call.scratch_bytes);
	atomic_fetch_add_explicit(
		&j->st->folded[j->info], crn_region_count(r), memory_order_relaxed);
	if (status != CAIRN_OK) {
		char text[CRN_REGION_TEXT];
		crn_where(err, "op %s, region %s", n->origin, crn_region_format(r, text));
	}
	return status;
}

static void keep_partial(global_job *j, int worker)
{
	crn_bytes spans[CRN_MAX_SPANS] = {{j->partial[worker], j->partial_bytes}};
	int n = 1;
	if (j->ops->partial_save)
		n = j->ops->partial_save(j->state, j->pass, j->partial[worker], spans);
	if (n >= 0)
		crn_checkpoint_add_partial(j->kept, worker, spans, n);
}

/* After a fold: what it left is kept, at once or with its worker's partial now and then. */
static void keep_fold(global_job *j, int worker, int64_t tile)
{
	crn_bytes spans[CRN_MAX_SPANS];
	if (!j->ops->tile_save) {
		if (crn_checkpoint_fold_partial(j->kept, worker, tile))
			keep_partial(j, worker);
		return;
	}
	int n = j->ops->tile_save(j->state, j->pass, tile, spans);
	uint64_t end = crn_spill_end(j->st->env_handles[j->index].spill);
	if (n >= 0)
		crn_checkpoint_add_tile(j->kept, tile, end, spans, n);
}

static cairn_status global_tile(
	void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err)
{
	global_job *j = user;
	crn_view in[CRN_MAX_INPUTS];
	crn_frame *frame = NULL;
	(void)tile;
	(void)memory;
	CRN_TRY(crn_task_frame(t, NULL, in, &frame, err));
	cairn_status status = global_fold(j, t, in, err);
	crn_frame_done(frame);
	if (status == CAIRN_OK && j->kept)
		keep_fold(j, crn_task_worker(t), crn_task_index(t));
	return status;
}

static bool global_skip(void *user, int64_t index)
{
	const global_job *j = user;
	return crn_checkpoint_has(j->kept, index);
}

/* ---- their checkpoints ---- */

static bool load_tile(void *user, int64_t tile, const void *bytes, size_t n)
{
	global_job *j = user;
	return j->ops->tile_load(j->state, j->pass, tile, bytes, n, NULL) == CAIRN_OK;
}

static bool load_partial(void *user, const void *bytes, size_t n)
{
	global_job *j = user;
	void *partial = j->partial[j->worker];
	if (!j->ops->partial_load) {
		if (n == j->partial_bytes)
			memcpy(partial, bytes, n);
		return n == j->partial_bytes;
	}
	if (j->ops->partial_load(j->state, j->pass, partial, bytes, n, NULL) == CAIRN_OK)
		return true;
	if (j->ops->partial_done)
		j->ops->partial_done(j->state, j->pass, partial);
	if (j->ops->partial_init)
		j->ops->partial_init(j->state, j->pass, partial);
	return false;
}

static bool keeps_partials(const global_job *j)
{
	return j->partial_bytes > 0 && (j->ops->partial_is_plain || j->ops->partial_save);
}

/* Opens the pass's checkpoint and takes over what an earlier run folded. */
static void begin_checkpoint(global_job *j, const crn_grid *grid)
{
	crn_env_handle *h = &j->st->env_handles[j->index];
	if (!j->ops->tile_save && !keeps_partials(j))
		return;
	j->kept = crn_checkpoint_open(j->st->checkpoint_dir, j->plan->node, j->pass, grid,
		j->st->plan->options.n_threads);
	if (j->kept && j->ops->tile_save)
		crn_checkpoint_load_tiles(j->kept, crn_spill_end(h->spill), load_tile, j);
	if (j->pass == 0 && h->spill && crn_checkpoint_count(j->kept) == 0)
		crn_spill_empty(h->spill); /* of a run whose tiles do not fit */
	if (j->kept && keeps_partials(j))
		for (j->worker = 0; j->worker < j->st->plan->options.n_threads; j->worker++)
			crn_checkpoint_load_partial(j->kept, j->worker, load_partial, j);
	j->st->restored[j->info] += restored_voxels(j->kept, &j->plan->tiling);
}

static void end_checkpoint(global_job *j)
{
	for (int w = 0; j->kept && w < j->st->plan->options.n_threads; w++)
		if (crn_checkpoint_is_behind(j->kept, w))
			keep_partial(j, w);
	crn_checkpoint_close(j->kept);
	j->kept = NULL;
}

/* The scratch file gets a name, so that the tiles a killed run has recorded find their bytes. */
static void name_spill(crn_state *st, int index, const crn_node *n)
{
	CRN_STR path = {0};
	char hex[33];
	if (!st->checkpoint_dir || !n->op->global->tile_save)
		return;
	crn_str_appendf(&path, "%s/%s.spill", st->checkpoint_dir, crn_hash_hex(n->hash, hex));
	/* Without it nothing is lost but the checkpoint: the file is then made on first use. */
	if (path.oom || crn_make_folders(st->checkpoint_dir, NULL) != CAIRN_OK ||
		crn_spill_open(path.data, &st->env_handles[index].spill, NULL) != CAIRN_OK)
		st->checkpoint_dir = NULL;
}

static cairn_status begin_partials(global_job *j, cairn_error *err)
{
	for (int w = 0; w < j->st->plan->options.n_threads; w++) {
		j->partial[w] =
			crn_pool_take(j->st->engine->pool, j->partial_bytes ? j->partial_bytes : 1);
		if (!j->partial[w])
			return crn_fail_memory(err, "partial results", j->partial_bytes);
		if (j->ops->partial_init)
			j->ops->partial_init(j->state, j->pass, j->partial[w]);
	}
	return CAIRN_OK;
}

static void end_partials(global_job *j)
{
	for (int w = 0; w < j->st->plan->options.n_threads; w++) {
		if (j->partial[w] && j->ops->partial_done)
			j->ops->partial_done(j->state, j->pass, j->partial[w]);
		crn_pool_give(j->st->engine->pool, j->partial[w],
			j->partial_bytes ? j->partial_bytes : 1);
		j->partial[w] = NULL;
	}
}

static cairn_status run_pass(global_job *j, cairn_error *err)
{
	const crn_tiling *tiling = &j->plan->tiling;
	crn_grid grid = grid_of(tiling);
	crn_job job = {.name = j->plan->node->op->name,
		.piece = &j->plan->piece,
		.level = -1,
		.work_bytes = tiling->work_bytes,
		.n_tasks = tiling->n_tiles,
		.grid = tiling,
		.again = j->pass + 1 < j->ops->n_passes(j->plan->node),
		.user = j,
		.roots = global_roots,
		.tile = global_tile,
		.skip = global_skip,
		.size = global_size,
		.most_workers = j->st->plan->options.n_threads};
	if (j->ops->pass_begin)
		CRN_TRY(j->ops->pass_begin(j->state, j->pass, &grid, err));
	j->partial_bytes =
		j->ops->partial_bytes ? j->ops->partial_bytes(j->plan->node, j->pass) : 0;
	cairn_status status = begin_partials(j, err);
	if (status == CAIRN_OK) {
		begin_checkpoint(j, &grid);
		status = crn_sched_run(j->st->sched, &job, err);
		end_checkpoint(j);
	}
	crn_span span = crn_span_begin(CRN_SPAN_COMPUTE, j->info);
	for (int w = 0; status == CAIRN_OK && w < j->st->plan->options.n_threads; w++)
		if (j->ops->merge)
			status = j->ops->merge(j->state, j->pass, j->partial[w], err);
	end_partials(j);
	if (status == CAIRN_OK && j->ops->pass_end)
		status = j->ops->pass_end(j->state, j->pass, err);
	crn_span_end(&span, 0, 0);
	return status;
}

cairn_status crn_run_global_stage(crn_state *st, const crn_stage *s, cairn_error *err)
{
	const crn_global_plan *g = &st->plan->globals[s->index];
	const crn_node *n = g->node;
	global_job j = {.st = st,
		.plan = g,
		.ops = n->op->global,
		.info = crn_plan_info(st->plan, n),
		.index = s->index};
	name_spill(st, s->index, n);
	crn_env *env = &st->envs[s->index];
	*env = (crn_env){.engine = &st->env_handles[s->index],
		.isa = st->plan->options.isa,
		.charge = crn_state_charge,
		.spill = crn_state_spill,
		.unspill = crn_state_unspill,
		.overwrite = crn_state_overwrite,
		.quota_bytes = st->plan->options.memory_bytes / 4};
	j.partial = crn_calloc((size_t)st->plan->options.n_threads, sizeof(void *));
	if (!j.partial)
		return crn_fail_memory(err, "partial results", sizeof(void *));
	cairn_status status = j.ops->begin(n, env, &j.state, err);
	/* The state is the run's from here on: it is ended with the run, also after a failure. */
	if (status == CAIRN_OK)
		st->states[s->index] = j.state;
	for (j.pass = 0; status == CAIRN_OK && j.pass < j.ops->n_passes(n); j.pass++)
		status = run_pass(&j, err);
	crn_free(j.partial);
	if (status != CAIRN_OK)
		crn_where(err, "op %s", n->origin);
	return status;
}

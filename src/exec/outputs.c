/* SPDX-License-Identifier: Apache-2.0
 *
 * outputs.c -- stages that deliver voxels: into an array's write units, or into memory.
 *
 *	task: box of whole write units
 *	   tiles ──frame──> task buffer ──unit by unit──> sink->write_unit ──> journal line
 *
 * A unit that the journal has is not written again; a task all of whose units it has is skipped.
 */
#include "exec/state.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

typedef struct output_job {
	crn_state *st;
	const crn_stage *stage;
	crn_journal *journal;
	crn_sink *sink;
	crn_view out; /* MEMORY: the caller's */
} output_job;

static crn_region task_region(const output_job *j, int64_t index)
{
	return crn_tiling_region(&j->stage->tasks, index);
}

/* True if a task is computed as one tile. */
static bool one_tile(const crn_stage *s)
{
	return memcmp(s->tile, s->tasks.tile, sizeof(s->tile[0]) * (size_t)s->tasks.domain.ndim) ==
	       0;
}

static crn_region whole_task(void *user, int64_t index, int64_t tile)
{
	(void)tile;
	return task_region(user, index);
}

static crn_tiling inner_tiling(const output_job *j, int64_t index)
{
	crn_region r = task_region(j, index);
	crn_tiling t;
	crn_tiling_set(&t, &r, j->stage->tile);
	return t;
}

static int64_t output_tiles(void *user, int64_t index)
{
	crn_tiling t = inner_tiling(user, index);
	return t.n_tiles;
}

static crn_region output_roots(void *user, int64_t index, int64_t tile)
{
	crn_tiling t = inner_tiling(user, index);
	return crn_tiling_region(&t, tile);
}

static int64_t output_size(void *user, int64_t index)
{
	crn_region r = task_region(user, index);
	return crn_region_count(&r);
}

/* ---- arrays ---- */

/* Units of a task: first grid index and number per axis; returns how many. */
static int64_t task_units(const output_job *j, int64_t index, int64_t *ret_first, int64_t *ret_n)
{
	crn_region r = task_region(j, index);
	int64_t count = 1;
	for (int d = 0; d < r.ndim; d++) {
		ret_first[d] = r.lo[d] / j->stage->unit[d];
		ret_n[d] = crn_n_units(r.n[d], j->stage->unit[d]);
		count *= ret_n[d];
	}
	return count;
}

static int64_t unit_at(
	const output_job *j, int64_t k, const int64_t *first, const int64_t *n, int64_t *ret_idx)
{
	int ndim = j->stage->tasks.domain.ndim;
	crn_unravel(k, ndim, n, ret_idx);
	for (int d = 0; d < ndim; d++)
		ret_idx[d] += first[d];
	return crn_ravel(ret_idx, ndim, j->stage->unit_grid);
}

static bool array_skip(void *user, int64_t index)
{
	const output_job *j = user;
	int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM], idx[CRN_MAX_NDIM];
	int64_t count = task_units(j, index, first, n);
	for (int64_t k = 0; k < count; k++)
		if (!crn_journal_has(j->journal, unit_at(j, k, first, n, idx)))
			return false;
	atomic_fetch_add_explicit(&j->st->units_skipped, count, memory_order_relaxed);
	return true;
}

static size_t task_bytes(const output_job *j, const crn_region *r)
{
	return crn_view_dense_bytes(j->stage->node->type.dtype, r->ndim, r->n);
}

static cairn_status array_begin(void *user, crn_task *t, void **ret_memory, cairn_error *err)
{
	output_job *j = user;
	crn_region r = task_region(j, crn_task_index(t));
	*ret_memory = crn_pool_take(j->st->engine->pool, task_bytes(j, &r));
	return *ret_memory ? CAIRN_OK : crn_fail_memory(err, "a task's output", task_bytes(j, &r));
}

static void array_drop(void *user, crn_task *t, void *memory)
{
	output_job *j = user;
	crn_region r = task_region(j, crn_task_index(t));
	crn_pool_give(j->st->engine->pool, memory, task_bytes(j, &r));
}

static crn_view task_view(const output_job *j, const crn_region *r, void *memory)
{
	return crn_view_dense(memory, j->stage->node->type.dtype, r->ndim, r->n);
}

static cairn_status array_tile(
	void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err)
{
	output_job *j = user;
	crn_region r = task_region(j, crn_task_index(t));
	crn_view whole = task_view(j, &r, memory);
	crn_view part = crn_view_part(&whole, &r, crn_task_roots(t));
	crn_frame *frame = NULL;
	(void)tile;
	CRN_TRY(crn_task_frame(t, &part, NULL, &frame, err));
	crn_frame_done(frame);
	return CAIRN_OK;
}

static cairn_status write_unit(output_job *j, const int64_t *idx, int64_t unit,
	const crn_view *whole, const crn_region *task, void *scratch, cairn_error *err)
{
	int ndim = task->ndim;
	crn_region u = crn_unit_region(ndim, j->stage->node->type.shape, j->stage->unit, idx);
	crn_view in = crn_view_part(whole, task, &u);
	crn_unit_record record = {0};
	crn_span span = crn_span_begin(CRN_SPAN_ENCODE, j->stage->index);
	cairn_status status = j->sink->ops->write_unit(j->sink, idx, &in, scratch, &record, err);
	crn_span_end(&span, (int64_t)crn_view_dense_bytes(in.dtype, in.ndim, in.shape),
		crn_region_count(&u));
	span = crn_span_begin(CRN_SPAN_WRITE, j->stage->index);
	if (status == CAIRN_OK)
		status = crn_journal_add(j->journal, unit, &record, err);
	crn_span_end(&span, 0, 0);
	if (status != CAIRN_OK) {
		char text[CRN_REGION_TEXT];
		crn_where(err, "op %s, chunk %s of %s",
			j->st->plan->infos[j->stage->index].node->origin,
			crn_region_format(&u, text), j->sink->url);
		return status;
	}
	atomic_fetch_add_explicit(&j->st->units_written, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(
		&j->st->bytes_written, (int64_t)record.size_bytes, memory_order_relaxed);
	return CAIRN_OK;
}

static cairn_status array_end(void *user, crn_task *t, void *memory, cairn_error *err)
{
	output_job *j = user;
	crn_region r = task_region(j, crn_task_index(t));
	crn_view whole = task_view(j, &r, memory);
	int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM], idx[CRN_MAX_NDIM];
	int64_t count = task_units(j, crn_task_index(t), first, n);
	void *scratch = NULL;
	size_t bytes = j->sink->unit_scratch;
	if (bytes && !(scratch = crn_pool_take(j->st->engine->pool, bytes)))
		return crn_fail_memory(err, "encoding", bytes);
	cairn_status status = CAIRN_OK;
	for (int64_t k = 0; k < count && status == CAIRN_OK; k++) {
		int64_t unit = unit_at(j, k, first, n, idx);
		if (!crn_journal_has(j->journal, unit))
			status = write_unit(j, idx, unit, &whole, &r, scratch, err);
	}
	crn_pool_give(j->st->engine->pool, scratch, bytes);
	if (status == CAIRN_OK)
		array_drop(j, t, memory); /* after a failure the scheduler calls drop */
	return status;
}

typedef struct look {
	const crn_stage *stage;
	crn_sink *sink;
	void *scratch;
} look;

static bool still_there(void *user, int64_t unit, const crn_unit_record *record, bool sure)
{
	look *l = user;
	int64_t idx[CRN_MAX_NDIM];
	bool same = false;
	crn_unravel(unit, l->sink->type.ndim, l->stage->unit_grid, idx);
	cairn_status status =
		l->sink->ops->check_unit(l->sink, idx, record, sure, l->scratch, &same, NULL);
	return status == CAIRN_OK && same;
}

/* What a journal recorded but somebody took away since is written again. */
static cairn_status recheck_units(output_job *j, cairn_error *err)
{
	look l = {.stage = j->stage, .sink = j->sink};
	size_t bytes = j->sink->unit_scratch;
	if (bytes && !(l.scratch = crn_pool_take(j->st->engine->pool, bytes)))
		return crn_fail_memory(err, "checking stored chunks", bytes);
	cairn_status status = crn_journal_recheck(j->journal, still_there, &l, err);
	crn_pool_give(j->st->engine->pool, l.scratch, bytes);
	return status;
}

cairn_status crn_run_array_stage(
	crn_state *st, const crn_stage *s, crn_journal *journal, crn_sink *sink, cairn_error *err)
{
	output_job j = {.st = st, .stage = s, .journal = journal, .sink = sink};
	if (crn_journal_count(journal) > 0)
		CRN_TRY(recheck_units(&j, err));
	crn_job job = {.name = s->node->op->name,
		.piece = &s->piece,
		.level = -1,
		.work_bytes = s->tasks.work_bytes,
		.n_tasks = s->tasks.n_tiles,
		.grid = &s->tasks,
		.user = &j,
		.skip = array_skip,
		.n_tiles = one_tile(s) ? NULL : output_tiles,
		.roots = one_tile(s) ? whole_task : output_roots,
		.begin = array_begin,
		.tile = array_tile,
		.end = array_end,
		.drop = array_drop,
		.size = output_size};
	return crn_sched_run(st->sched, &job, err);
}

/* ---- memory ---- */

static cairn_status memory_tile(
	void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err)
{
	output_job *j = user;
	crn_view part = crn_view_part(&j->out, &j->stage->tasks.domain, crn_task_roots(t));
	crn_frame *frame = NULL;
	(void)tile;
	(void)memory;
	CRN_TRY(crn_task_frame(t, &part, NULL, &frame, err));
	crn_frame_done(frame);
	return CAIRN_OK;
}

/* Asks for huge pages under a large result: taking fresh small pages costs more than computing most
 * results. Only whole pages of the result itself, and only a wish: it may fail. */
static void wish_huge_pages(const crn_view *out)
{
	enum { SMALL_PAGE = 4096, WORTH_BYTES = 4 << 20 };
	size_t bytes = crn_view_dense_bytes(out->dtype, out->ndim, out->shape);
	if (bytes < WORTH_BYTES || !crn_view_is_dense(out))
		return;
	uintptr_t start = ((uintptr_t)out->data + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;
	uintptr_t end = ((uintptr_t)out->data + bytes) / SMALL_PAGE * SMALL_PAGE;
	(void)madvise((void *)start, end - start, MADV_HUGEPAGE);
}

cairn_status crn_run_memory_stage(
	crn_state *st, const crn_stage *s, const crn_view *out, cairn_error *err)
{
	output_job j = {.st = st, .stage = s, .out = *out};
	wish_huge_pages(out);
	crn_job job = {.name = s->node->op->name,
		.piece = &s->piece,
		.level = -1,
		.work_bytes = s->tasks.work_bytes,
		.n_tasks = s->tasks.n_tiles,
		.grid = &s->tasks,
		.user = &j,
		.n_tiles = one_tile(s) ? NULL : output_tiles,
		.roots = one_tile(s) ? whole_task : output_roots,
		.tile = memory_tile,
		.size = output_size};
	return crn_sched_run(st->sched, &job, err);
}

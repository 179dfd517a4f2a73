/* SPDX-License-Identifier: Apache-2.0
 *
 * folds.c -- fold stages: one walk over the tiles of an array for all reductions and global ops
 * that look at it. See fold.h.
 *
 * A walk per pass; ops that need fewer passes than others sit out the later ones.
 */
#include "exec/fold.h"

#include "base/mem.h"

typedef struct walk {
	crn_state *st;
	const crn_stage *stage;
	const crn_tiling *tiling;
	crn_fold *folds; /* those of this pass come first */
	int n;
} walk;

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

void crn_fold_drop_accumulators(crn_fold *f)
{
	for (int w = 0; w < f->st->plan->options.n_threads; w++) {
		crn_pool_give(f->st->engine->pool, f->acc[w], f->acc_bytes);
		f->acc[w] = NULL;
	}
}

/* ---- the job ---- */

static crn_region roots(void *user, int64_t index, int64_t tile)
{
	const walk *w = user;
	(void)tile;
	return crn_tiling_region(w->tiling, index);
}

static int64_t size(void *user, int64_t index)
{
	crn_region r = roots(user, index, 0);
	return crn_region_count(&r);
}

static bool skip(void *user, int64_t index)
{
	const walk *w = user;
	for (int i = 0; i < w->n; i++)
		if (!crn_checkpoint_has(w->folds[i].kept, index))
			return false;
	return true;
}

/* After a fold: what it left is kept, at once or with its worker's accumulators now and then. */
static void keep_fold(crn_fold *f, int worker, int64_t tile)
{
	if (f->kind->keep_tile && f->kind->keep_tile(f, tile))
		return;
	if (crn_checkpoint_fold_partial(f->kept, worker, tile))
		f->kind->keep(f, worker);
}

static cairn_status fold_all(void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err)
{
	walk *w = user;
	int64_t index = crn_task_index(t);
	crn_view in[CRN_MAX_INPUTS];
	crn_frame *frame = NULL;
	(void)tile;
	(void)memory;
	CRN_TRY(crn_task_frame(t, NULL, in, &frame, err));
	cairn_status status = CAIRN_OK;
	for (int i = 0; i < w->n && status == CAIRN_OK; i++) {
		crn_fold *f = &w->folds[i];
		if (crn_checkpoint_has(f->kept, index))
			continue;
		status = f->kind->tile(f, t, in, err);
		if (status == CAIRN_OK && f->kept)
			keep_fold(f, crn_task_worker(t), index);
	}
	crn_frame_done(frame);
	return status;
}

/* ---- the stage ---- */

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

static void end_checkpoint(crn_fold *f)
{
	for (int w = 0; f->kept && w < f->st->plan->options.n_threads; w++)
		if (crn_checkpoint_is_behind(f->kept, w))
			f->kind->keep(f, w);
	crn_checkpoint_close(f->kept);
	f->kept = NULL;
}

static cairn_status run_pass(walk *w, int pass, cairn_error *err)
{
	crn_job job = {.name = w->folds[0].node->op->name,
		.piece = crn_stage_piece(w->st->plan, w->stage),
		.level = -1,
		.work_bytes = w->tiling->work_bytes,
		.n_tasks = w->tiling->n_tiles,
		.grid = w->tiling,
		.again = pass + 1 < crn_stage_passes(w->st->plan, w->stage),
		.user = w,
		.roots = roots,
		.tile = fold_all,
		.skip = skip,
		.size = size,
		.most_workers = w->st->plan->options.n_threads};
	cairn_status status = CAIRN_OK;
	int begun = 0;
	for (; begun < w->n && status == CAIRN_OK; begun++) {
		crn_fold *f = &w->folds[begun];
		f->pass = pass;
		status = f->kind->pass_begin(f, err);
		w->st->restored[f->info] += restored_voxels(f->kept, w->tiling);
	}
	if (status == CAIRN_OK)
		status = crn_sched_run(w->st->sched, &job, err);
	for (int i = 0; i < begun; i++) {
		end_checkpoint(&w->folds[i]);
		status = w->folds[i].kind->pass_end(&w->folds[i], status, err);
	}
	return status;
}

static cairn_status begin_folds(walk *w, cairn_error *err)
{
	const crn_stage *s = w->stage;
	for (; w->n < s->n_folds; w->n++) {
		const crn_fold_ref *ref = &s->folds[w->n];
		crn_fold *f = &w->folds[w->n];
		bool global = ref->kind == CRN_STAGE_GLOBAL;
		*f = (crn_fold){.kind = global ? &crn_fold_global : &crn_fold_reduce,
			.st = w->st,
			.node = global ? w->st->plan->globals[ref->index].node
				       : w->st->plan->residents[ref->index].node,
			.index = ref->index,
			.grid = grid_of(w->tiling)};
		f->info = crn_plan_info(w->st->plan, f->node);
		f->acc = crn_calloc((size_t)w->st->plan->options.n_threads, sizeof(void *));
		cairn_status status = f->acc ? f->kind->begin(f, err)
					     : crn_fail_memory(err, "accumulators", sizeof(void *));
		if (status != CAIRN_OK) {
			crn_free(f->acc);
			return status;
		}
	}
	return CAIRN_OK;
}

/* Moves the folds that take part in a pass to the front; returns their number. */
static int sort_active(crn_fold *folds, int n, int pass)
{
	int n_active = 0;
	for (int i = 0; i < n; i++) {
		if (folds[i].kind->n_passes(folds[i].node) <= pass)
			continue;
		crn_fold moved = folds[i];
		folds[i] = folds[n_active];
		folds[n_active++] = moved;
	}
	return n_active;
}

cairn_status crn_run_fold_stage(crn_state *st, const crn_stage *s, cairn_error *err)
{
	crn_fold folds[CRN_MAX_FOLDS];
	walk w = {.st = st, .stage = s, .tiling = &s->tasks, .folds = folds};
	cairn_status status = begin_folds(&w, err);
	int n = w.n;
	for (int pass = 0; status == CAIRN_OK && (w.n = sort_active(folds, n, pass)) > 0; pass++)
		status = run_pass(&w, pass, err);
	for (int i = 0; i < n; i++)
		crn_free(folds[i].acc);
	if (status != CAIRN_OK)
		crn_where(err, "op %s", s->node->origin);
	return status;
}

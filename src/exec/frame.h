/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.h -- computing one tile of a piece, slab by slab, in one pool buffer.
 *
 * Invariants
 *  (1) The tile is walked as plan/walk.h says; every plane of every instance is computed once.
 *  (2) Ops see exact regions with contiguous rows and filled borders (core/op.h).
 *  (3) All chunks the layout reads are pinned before and during the frame.
 * Threads: one worker. Memory: one pool buffer inside the task's reservation.
 * Failure: every buffer is given back; the error names op and region.
 */
#ifndef CRN_EXEC_FRAME_H
#define CRN_EXEC_FRAME_H

#include "exec/pool.h"
#include "exec/trace.h"
#include "plan/plan.h"

/** What a frame may use of the run; shared by all workers. */
typedef struct crn_frame_env {
	const crn_plan *plan;
	crn_pool *pool;
	void *const *states;         /* finished states of plan->globals, NULL before */
	const crn_view *residents;   /* results of plan->residents */
	_Atomic int64_t *voxels;     /* computed, per plan->infos; relaxed counters */
	_Atomic int64_t *bytes_read; /* by box reads */
	crn_trace *trace;            /* spans of the workers go here; NULL: nowhere */
} crn_frame_env;

/** Gives the pinned chunk `index` of cut `slot`. */
typedef const void *(*crn_pinned_fn)(void *task, int slot, int64_t index);

typedef struct crn_frame crn_frame;

/**
 * Computes the tile.
 *
 * @param roots  region per root; as given to crn_layout_fill()
 * @param owned  destination per root (NULL array: the frame keeps buffers, see ret_views)
 * @param ret_views  with owned == NULL: one view per root, valid until crn_frame_done(); rows
 * contiguous
 */
CRN_CHECKED cairn_status crn_frame_run(const crn_frame_env *env, const crn_piece *piece,
	crn_layout *layout, const crn_region *roots, const crn_view *owned, crn_pinned_fn pinned,
	void *task, crn_view *ret_views, crn_frame **ret, cairn_error *err);
/** Gives all buffers back; NULL is fine. */
void crn_frame_done(crn_frame *f);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * fold.h -- one op that looks at every voxel of its inputs: a reduction with a small result, or a
 *pass of a global op. Private to folds.c (which walks the tiles), fold_reduce.c and fold_global.c.
 *
 *	begin ── per pass: pass_begin ── tile, for every tile ── pass_end
 *
 * Each worker folds into accumulators of its own; they are merged in worker order at the end of the
 * pass, and ops promise that neither order nor tiling shows in the result. Folds of one array share
 *a walk, so that it is read and computed once: for each tile they take their turns on one worker.
 *
 * What is folded survives a kill in checkpoints (checkpoint.h): a resume skips those tiles.
 */
#ifndef CRN_EXEC_FOLD_H
#define CRN_EXEC_FOLD_H

#include "exec/checkpoint.h"
#include "exec/state.h"

typedef struct crn_fold crn_fold;

typedef struct crn_fold_kind {
	int (*n_passes)(const crn_node *n);
	/* Once. */
	cairn_status (*begin)(crn_fold *f, cairn_error *err);
	/* Makes accumulators, opens the checkpoint and takes over what an earlier run folded. */
	cairn_status (*pass_begin)(crn_fold *f, cairn_error *err);
	/* The task's tile, in `in` (one view per input), into the worker's accumulators. */
	cairn_status (*tile)(crn_fold *f, crn_task *t, const crn_view *in, cairn_error *err);
	/* Writes a worker's accumulators to the checkpoint. */
	void (*keep)(crn_fold *f, int worker);
	/* Records what the fold of this tile left; false: it is in the worker's accumulators only.
	 * May be NULL. */
	bool (*keep_tile)(crn_fold *f, int64_t tile);
	/* Merges and gives the accumulators back; `walked`: what became of the tiles. */
	cairn_status (*pass_end)(crn_fold *f, cairn_status walked, cairn_error *err);
} crn_fold_kind;

struct crn_fold {
	const crn_fold_kind *kind;
	crn_state *st;
	crn_node *node;
	int index, info; /* of the resident or global; of the node */
	int pass;
	crn_grid grid;
	crn_checkpoint *kept; /* NULL: none */
	int worker;           /* whose accumulators are being loaded */
	void **acc;           /* per worker; NULL until used */
	size_t acc_bytes;
	crn_region whole; /* reduction: of its result */
	void *state;      /* global op */
};

extern const crn_fold_kind crn_fold_reduce, crn_fold_global;

/** Gives all accumulators back. */
void crn_fold_drop_accumulators(crn_fold *f);

#endif

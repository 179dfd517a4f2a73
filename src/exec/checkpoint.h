/* SPDX-License-Identifier: Apache-2.0
 *
 * checkpoint.h -- what a killed pass had folded, kept for the resume: of global ops and reductions.
 *
 * One object per pass of one node, in a folder of the run's first output (or of the scratch
 *folder):
 *
 *	<node>-<pass>.tiles	one record per folded tile, appended		(form 1 of
 *core/op.h) <node>-<pass>.<worker>	a worker's partial and the tiles in it		(form 2, and
 *reductions) <node>.spill		what the op spilled, at the offsets it knows
 *
 * Invariants
 *  (1) A tile is recorded after its fold and its spills; form 1 at once, form 2 about once a
 *second. So a resume repeats the tiles in flight, and with form 2 those of the last second (or of
 *      twenty times what saving takes, if that is longer).
 *  (2) Every record carries a checksum over all it says; a torn or foreign one is as if absent.
 *Foreign is: another node (so another version of its op), pass, grid, or start of the machine
 *(nothing is synced). (3) A tile is in at most one partial. (4) Nothing here fails a run: without
 *room or right to write, passes are repeated. Threads: add_tile, fold_partial from any worker (each
 *for itself); the rest serial. Memory: one bit per tile and worker; not charged. Loading: the
 *largest record.
 */
#ifndef CRN_EXEC_CHECKPOINT_H
#define CRN_EXEC_CHECKPOINT_H

#include "core/op.h"

typedef struct crn_checkpoint crn_checkpoint;

/** NULL when there is no folder, or no use in it (memory, too many tiles). */
crn_checkpoint *crn_checkpoint_open(
	const char *folder, const crn_node *n, int pass, const crn_grid *grid, int n_workers);
void crn_checkpoint_close(crn_checkpoint *c); /* NULL is fine; what is kept stays */

/** Calls load for every whole record; tiles it returns true for are done. spill_bytes: size of the
 * spill file; records that need more are left out. */
void crn_checkpoint_load_tiles(crn_checkpoint *c, uint64_t spill_bytes,
	bool (*load)(void *user, int64_t tile, const void *bytes, size_t n), void *user);
/** Records a tile. spill_end: bytes of the spill file that the record may speak of. */
void crn_checkpoint_add_tile(
	crn_checkpoint *c, int64_t tile, uint64_t spill_end, const crn_bytes *spans, int n);

/** Calls load with the kept bytes of a worker's partial, if there are any. */
void crn_checkpoint_load_partial(crn_checkpoint *c, int worker,
	bool (*load)(void *user, const void *bytes, size_t n), void *user);
/** Notes that the worker's partial has this tile too; true when it is time to keep the partial. */
bool crn_checkpoint_fold_partial(crn_checkpoint *c, int worker, int64_t tile);
void crn_checkpoint_add_partial(crn_checkpoint *c, int worker, const crn_bytes *spans, int n);
/** True if the partial has tiles that are not kept, and the pass is so old that they are worth it.
 */
bool crn_checkpoint_is_behind(const crn_checkpoint *c, int worker);

/** Was the tile folded by an earlier run? False without a checkpoint. */
bool crn_checkpoint_has(const crn_checkpoint *c, int64_t tile);
int64_t crn_checkpoint_count(const crn_checkpoint *c); /* such tiles */

#endif

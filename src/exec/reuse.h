/* SPDX-License-Identifier: Apache-2.0
 *
 * reuse.h -- which tasks read a chunk, and when the next of them comes: what the cache keeps, and
 * in which order a stage is walked.
 *
 * Every task of a job reads a box of chunks of each cut its piece looks at. Along one axis of the
 * chunks that box depends on one axis of the tasks' grid, so the whole relation is a few arrays
 * with one entry per chunk coordinate: a grid of 10^8 chunks needs some thousand entries. They are
 * found by laying out one task per coordinate, borders included.
 *
 *	chunk ──> box of tasks that read it ──> their positions in the walk ──> the first to come
 *
 * A chunk read by producers of another cut is needed when the first chunk of theirs that is not
 * there is needed. All of this is a hint: where it knows nothing (very long axes, irregular
 * reads) chunks count as needed soon, and a wrong hint costs a second read, never a result.
 *
 * Threads: built by the thread that starts the stage; asked under the scheduler's lock.
 */
#ifndef CRN_EXEC_REUSE_H
#define CRN_EXEC_REUSE_H

#include "exec/cache.h"
#include "exec/pencils.h"
#include "plan/plan.h"

#define CRN_NEVER INT64_MAX /* no task of this stage reads the chunk again */

typedef struct crn_reuse crn_reuse;

/** True if the task at `position` has not finished with its chunks. */
typedef bool (*crn_open_fn)(void *user, int64_t position);

CRN_CHECKED cairn_status crn_reuse_new(const crn_plan *plan, crn_reuse **ret, cairn_error *err);
void crn_reuse_free(crn_reuse *r); /* NULL is fine */

/**
 * Learns what a stage reads and chooses its walk.
 *
 * @param grid  of the stage's tasks; outlives the stage
 * @param room_bytes  what chunks may take while the stage runs; wider pencils need more
 * @param again  the same chunks are read once more after this stage
 * @return FAILED only for lack of memory
 */
CRN_CHECKED cairn_status crn_reuse_stage(crn_reuse *r, const crn_piece *piece,
	const crn_tiling *grid, size_t room_bytes, bool again, cairn_error *err);
const crn_pencils *crn_reuse_order(const crn_reuse *r);

/** Position of the next task that needs a chunk, CRN_NEVER if none does. */
int64_t crn_reuse_next(const crn_reuse *r, crn_cache *cache, int slot, int64_t index,
	crn_open_fn is_open, void *user);
/** True if chunks of the cut are of use after this stage. */
bool crn_reuse_later(const crn_reuse *r, int slot);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * sched.h -- running jobs: workers, admission by memory, parking on chunks.
 *
 * A *job* is a grid of tasks over one piece: the tasks of a stage, or the producers of a cut's
 * chunks. A task runs tile by tile:
 *
 *	   ┌──────── memory? ───────┐        ┌── all chunks ready? ──┐
 *	queued ──reserve all──> admitted ──ask for chunks──> runs the tile ──> next tile ... done
 *	                                        └── missing: parked until they are produced
 *
 * Invariants (why this cannot deadlock, at any budget >= plan->need_bytes)
 *  (1) All or nothing: a task reserves work_bytes before it starts and never asks for more.
 *  (2) Every level of cuts, and the stage itself, owns one *slot*: memory set aside for one task of
 *      that level. More tasks of a level run only out of the general part of the budget.
 *  (3) A task waits only for chunks of lower levels. The lowest level waits for nothing, so its
 *      slot holder finishes; by induction every slot holder does, and with it every task.
 *  (4) reserved + idle cache <= general part; slots and standing memory are the rest
 *      (admission.h; checked over all states of small runs by its model).
 *  (5) No worker waits for a task or a chunk: it takes other work or sleeps when there is none.
 *  (6) The error reported is that of the failing stage task that comes first in the walk
 *(pencils.h): no task after a failed one is admitted any more, and all before are already in
 *flight.
 *
 * Threads: one lock (rank RUN) for queues, reservations and the cache; never held while computing.
 * Tasks of stages that read no chunks are handed out without it. The number of workers may change
 * while a stage runs; it never shows in a result.
 */
#ifndef CRN_EXEC_SCHED_H
#define CRN_EXEC_SCHED_H

#include "base/thread.h"
#include "exec/cache.h"
#include "exec/frame.h"

typedef struct crn_sched crn_sched;
typedef struct crn_task crn_task;

typedef struct crn_job {
	const char *name;
	const crn_piece *piece; /* NULL: tasks read no chunks and have no tiles */
	int level;              /* of the cut; -1: the stage */
	size_t work_bytes;
	int64_t n_tasks;
	const crn_tiling *grid; /* whose tiles the tasks are; needed if they read chunks */
	bool again;             /* a later pass reads the same chunks */
	void *user;
	/* Stage only: true if the task's output is there already. May be NULL. Lock-free, any
	 * thread. */
	bool (*skip)(void *user, int64_t index);
	/* NULL: one tile, or none without a piece. */
	int64_t (*n_tiles)(void *user, int64_t index);
	/* Region of all roots of the piece for a tile. */
	crn_region (*roots)(void *user, int64_t index, int64_t tile);
	/* Called by a worker, in order: begin, tile for each tile, end; drop instead of what is
	 * left after a failure (or when begin itself failed, with memory NULL). begin, end, drop
	 * may be NULL. */
	cairn_status (*begin)(void *user, crn_task *t, void **ret_memory, cairn_error *err);
	cairn_status (*tile)(void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err);
	cairn_status (*end)(void *user, crn_task *t, void *memory, cairn_error *err);
	void (*drop)(void *user, crn_task *t, void *memory);
	/* Voxels of the stage's grid a task stands for, for progress. NULL: 1. */
	int64_t (*size)(void *user, int64_t index);
	/* Workers above this index take no part (they have no accumulator). 0: all do. */
	int most_workers;
} crn_job;

typedef struct crn_sched_options {
	int n_threads;
	bool keep_going;
	const volatile int *cancel;  /* may be NULL */
	const volatile int *threads; /* workers wished for now, 0: n_threads; may be NULL */
	uint64_t jitter; /* tests: pause before steps, at random of this seed; 0: never */
	void (*progress)(void *user, int64_t done); /* about progress_ns apart; no lock held */
	void *progress_user;
	int64_t progress_ns;
} crn_sched_options;

/** Memory of the run is budget = general + slots + standing, from the plan. */
CRN_CHECKED cairn_status crn_sched_new(const crn_plan *plan, crn_cache *cache,
	const crn_frame_env *env, const crn_sched_options *options, crn_sched **ret,
	cairn_error *err);
void crn_sched_free(crn_sched *s);
/** Producers of the plan's cuts, one job per cut. Borrowed until crn_sched_free(). */
void crn_sched_set_producers(crn_sched *s, const crn_job *const *jobs);

/**
 * Runs all tasks of a stage job; returns when every task is done or dropped.
 *
 * @return the first failure by task index; INTERRUPTED after a cancel; PARTIAL with keep_going
 */
CRN_CHECKED cairn_status crn_sched_run(crn_sched *s, const crn_job *job, cairn_error *err);

/* ---- for jobs ---- */
int64_t crn_task_index(const crn_task *t);
/** The worker running it now: 0, 1, ...; at least n_threads only when more were wished for. */
int crn_task_worker(const crn_task *t);
void *crn_task_output(const crn_task *t); /* producers: the chunk's buffer */
/** crn_frame_run() with the task's layout and pinned chunks, for the tile being run. */
CRN_CHECKED cairn_status crn_task_frame(
	crn_task *t, const crn_view *owned, crn_view *ret_views, crn_frame **ret, cairn_error *err);
const crn_region *crn_task_roots(const crn_task *t); /* of the tile being run */

/** Takes table memory out of the general part (delta > 0; FAILED if there is none), or returns it.
 */
CRN_CHECKED cairn_status crn_sched_charge(crn_sched *s, int64_t delta_bytes, cairn_error *err);
/** Highest memory charged so far; tasks failed under keep_going. */
size_t crn_sched_peak(crn_sched *s);
int64_t crn_sched_failed(const crn_sched *s);

#endif

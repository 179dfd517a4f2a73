/* SPDX-License-Identifier: Apache-2.0
 *
 * task.h -- the scheduler's own structures. Private to sched.c, dispatch.c, ranges.c and task.c.
 *
 * Reading order: sched.h (the picture), task.c (a task and the chunks it reads), dispatch.c (which
 * task a worker runs next), ranges.c (tasks that read no chunks), sched.c (threads, outcome).
 */
#ifndef CRN_EXEC_TASK_H
#define CRN_EXEC_TASK_H

#include "exec/admission.h"
#include "exec/reuse.h"
#include "exec/sched.h"

#include <stdatomic.h>

/** A chunk the present tile reads; the waiter links the task into a pending chunk's list. */
typedef struct crn_want {
	int slot;
	int64_t index;
	crn_chunk *chunk;
	crn_waiter waiter;
} crn_want;

/** Confined to the worker that runs it; `missing` and links belong to the lock. Objects are used
 * again for other tasks of the same job. */
struct crn_task {
	crn_sched *sched;
	const crn_job *job;
	int64_t index;
	int64_t position; /* stage tasks: in the walk; decides which failure is reported */
	crn_task *next;
	crn_task *next_open; /* stage tasks admitted and not over */
	crn_chunk *chunk;    /* producers: what is made */
	int64_t tile, n_tiles;
	crn_region root;
	crn_layout layout;
	crn_want *wants; /* grown only while the task is in no waiter list */
	int n_wants, cap_wants, next_want;
	int n_pinned; /* the first so many wants hold a pin */
	int missing;
	bool asked, begun;
	crn_grant grant;
	int worker;
	void *memory;
	cairn_status status;
	cairn_error error;
};

#define CRN_MOST_WORKERS 1024

typedef struct crn_worker {
	crn_sched *sched;
	int index;
	crn_thread thread;
} crn_worker;

struct crn_sched {
	const crn_plan *plan;
	crn_cache *cache;
	const crn_frame_env *env;
	const crn_job *const *producers; /* per cut */
	crn_sched_options options;
	crn_mutex lock;    /* all below that is not atomic */
	crn_cond wake;     /* workers without work */
	crn_cond all_done; /* the watcher: no worker runs any more */
	int n_sleeping, n_workers;
	const crn_job *stage;
	bool reads_chunks; /* the stage's piece has leaves in the cache */
	crn_reuse *reuse;
	crn_task *ready, *queued;
	crn_task *open;         /* stage tasks admitted and not over, if they read chunks */
	crn_task **spare;       /* unused task objects, per cut; the stage's come last */
	int n_active;           /* stage tasks admitted and not over */
	_Atomic int64_t cursor; /* position of the next task to hand out; may run past the end */
	_Atomic int64_t done;   /* progress, in crn_job.size units */
	crn_admission memory;
	_Atomic int64_t first_failed; /* position; INT64_MAX: none */
	int64_t n_failed;
	cairn_status status;
	cairn_error error;
};

/* ---- task.c: lock held unless said ---- */

/** Prepares an object for task `index` of a job; NULL when out of memory. */
crn_task *crn_task_get(crn_sched *s, const crn_job *job, int64_t index);
/** Keeps the object for another task. */
void crn_task_put(crn_sched *s, crn_task *t);
void crn_task_free_spares(crn_task **list);
/** Makes t stand for task `index` from its beginning. No lock. */
void crn_task_reset(crn_task *t, int64_t index);
/** When a chunk of cut `slot` is needed next. */
int64_t crn_task_next_use(crn_sched *s, int slot, int64_t index);
/** Layout of the present tile and the list of chunks it reads. No lock. */
void crn_task_prepare_tile(crn_task *t);
/** Runs the present tile, with begin before the first and end after the last. No lock. */
void crn_task_run_tile(crn_task *t);
bool crn_task_is_over(const crn_task *t);
/** Asks for all chunks of the tile; true if they are all there (or the task has failed). */
bool crn_task_ask_all(crn_task *t);
void crn_task_unpin_all(crn_task *t);
/** A producer is over: its chunk is there or has failed, and those who wait are told. */
void crn_task_settle_chunk(crn_task *t);

/* ---- memory of the run (sched.c); lock held ---- */

bool crn_sched_make_room(crn_sched *s, size_t bytes);
bool crn_sched_reserve(crn_sched *s, int level, size_t bytes, crn_grant *ret);
/** A stage task has failed; the lowest index decides what is reported. */
void crn_sched_note_failure(crn_sched *s, const crn_task *t);
/** There was no memory for a task object. */
void crn_sched_note_no_task(crn_sched *s);
/** Workers there should be now: crn_sched_options.threads. No lock. */
int crn_sched_wanted(const crn_sched *s);

/** How often a stop was asked for: 1 finishes what is in flight, 2 stops soon. No lock. */
static inline int crn_sched_stop_wish(const crn_sched *s)
{
	return s->options.cancel ? __atomic_load_n(s->options.cancel, __ATOMIC_RELAXED) : 0;
}

static inline void crn_task_list_push(crn_task **list, crn_task *t)
{
	t->next = *list;
	*list = t;
}

/* ---- workers ---- */

/** Works until the stage is finished (dispatch.c). Lock held on entry and exit. */
void crn_dispatch_work(crn_sched *s, crn_worker *w);
/** Runs ranges of tasks that read no chunks until none is left (ranges.c); false if memory admits
 * no further worker now. Lock held on entry and exit. */
bool crn_ranges_work(crn_sched *s, crn_worker *w);
void crn_sched_wake_one(crn_sched *s);
void crn_sched_wake_all(crn_sched *s);

#endif

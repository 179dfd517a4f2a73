/* SPDX-License-Identifier: Apache-2.0
 *
 * task.h -- the scheduler's own structures. Private to sched.c.
 */
#ifndef CRN_EXEC_TASK_H
#define CRN_EXEC_TASK_H

#include "exec/sched.h"

/** A chunk the present tile reads; the waiter links the task into a pending chunk's list. */
typedef struct crn_want {
	int slot;
	int64_t index;
	crn_chunk *chunk;
	crn_waiter waiter;
} crn_want;

/** Confined to the worker that runs it; `missing` and links belong to the lock. */
struct crn_task {
	crn_sched *sched;
	const crn_job *job;
	int64_t index;
	crn_task *next;
	crn_chunk *chunk; /* producers: what is made */
	int64_t tile, n_tiles;
	crn_region root;
	crn_layout layout;
	crn_want *waits; /* grown only while the task is in no waiter list */
	int n_waits, cap_waits, next_want;
	crn_chunk **pins;
	int n_pins, missing;
	bool asked, begun, holds_slot;
	int worker;
	void *memory;
	cairn_status status;
	cairn_error error;
};

struct crn_sched {
	const crn_plan *plan;
	crn_cache *cache;
	const crn_frame_env *env;
	const crn_job *const *producers; /* per cut */
	crn_sched_options options;
	crn_mutex lock;    /* all below */
	crn_cond wake;     /* workers without work */
	crn_cond all_done; /* the watcher: no worker runs any more */
	int n_sleeping;
	const crn_job *stage;
	crn_task *ready, *queued;
	int64_t cursor, done;
	int n_active;  /* stage tasks admitted and not over */
	int n_workers; /* running */
	size_t general, reserved, slots_used, tables, table_allowance, standing, peak;
	size_t slot_bytes[CRN_MAX_LEVELS + 1];
	bool slot_taken[CRN_MAX_LEVELS + 1];
	int64_t first_failed, n_failed;
	cairn_status status;
	cairn_error error;
};

#endif

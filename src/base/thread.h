/* SPDX-License-Identifier: Apache-2.0
 *
 * thread.h -- threads, and mutexes that assert their rank.
 *
 * Every mutex has a rank; a thread may lock only a mutex of a higher rank than all it holds
 * (checked in debug builds, free in release). The ranks of the whole program are the enum below,
 * in locking order: read it to know which lock may be taken inside which.
 */
#ifndef CRN_BASE_THREAD_H
#define CRN_BASE_THREAD_H

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum crn_rank {
	CRN_RANK_SESSION = 3,    /* api: building pipelines of one session */
	CRN_RANK_ENGINE = 5,     /* exec: runs on one engine take turns */
	CRN_RANK_COSTS = 7,      /* exec: the machine's cost table, while planning and learning */
	CRN_RANK_GRAPH = 10,     /* graph.c: table of nodes */
	CRN_RANK_RUN = 20,       /* exec: scheduler state of a run */
	CRN_RANK_CACHE = 30,     /* exec: chunk cache */
	CRN_RANK_GLOBAL_OP = 40, /* ops: shared state of a global op (label tables, spill file) */
	CRN_RANK_JOURNAL = 50,   /* exec: journal file */
	CRN_RANK_SOURCE = 60,    /* formats: file handle caches */
	CRN_RANK_STORE = 70,     /* stores: memory store table */
	CRN_RANK_POOL = 80,      /* exec: buffer pool */
	CRN_RANK_PROGRESS = 90,  /* exec: counters shown to the user */
} crn_rank;

typedef struct crn_mutex {
	pthread_mutex_t handle;
	crn_rank rank;
} crn_mutex;

typedef struct crn_cond {
	pthread_cond_t handle;
} crn_cond;

typedef struct crn_thread {
	pthread_t handle;
} crn_thread;

void crn_mutex_init(crn_mutex *m, crn_rank rank);
void crn_mutex_done(crn_mutex *m);
void crn_mutex_lock(crn_mutex *m);
void crn_mutex_unlock(crn_mutex *m);

void crn_cond_init(crn_cond *c); /* monotonic clock */
void crn_cond_done(crn_cond *c);
void crn_cond_wait(crn_cond *c, crn_mutex *m);
/** False when `timeout_ns` went by without a signal. */
bool crn_cond_wait_for(crn_cond *c, crn_mutex *m, int64_t timeout_ns);
void crn_cond_signal(crn_cond *c);
void crn_cond_broadcast(crn_cond *c);

CRN_CHECKED cairn_status crn_thread_start(
	crn_thread *ret, void *(*run)(void *), void *arg, cairn_error *err);
void crn_thread_join(crn_thread *t);

/** Cores this process may use (affinity and cgroup quota honoured), at least 1. */
int crn_n_cores(void);

/** Processor time of all threads of this process so far, in nanoseconds. */
int64_t crn_cpu_ns(void);

/** Monotonic nanoseconds; never for anything that changes a result. */
int64_t crn_now_ns(void);

#endif

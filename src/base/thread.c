/* SPDX-License-Identifier: Apache-2.0
 *
 * thread.c -- thin pthread wrappers with rank checks, the clock, and the core count.
 */
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#ifndef NDEBUG
/* Ranks this thread holds, in locking order. Debug builds only. */
static _Thread_local crn_rank held[16];
static _Thread_local int n_held;

static void rank_push(crn_rank rank)
{
	assert(n_held < 16);
	assert(n_held == 0 || held[n_held - 1] < rank);
	held[n_held++] = rank;
}

static void rank_pop(crn_rank rank)
{
	assert(n_held > 0 && held[n_held - 1] == rank);
	(void)rank;
	n_held--;
}
#else
#define rank_push(rank) ((void)(rank))
#define rank_pop(rank) ((void)(rank))
#endif

void crn_mutex_init(crn_mutex *m, crn_rank rank)
{
	m->rank = rank;
	pthread_mutex_init(&m->handle, NULL);
}

void crn_mutex_done(crn_mutex *m)
{
	pthread_mutex_destroy(&m->handle);
}

void crn_mutex_lock(crn_mutex *m)
{
	rank_push(m->rank);
	pthread_mutex_lock(&m->handle);
}

void crn_mutex_unlock(crn_mutex *m)
{
	pthread_mutex_unlock(&m->handle);
	rank_pop(m->rank);
}

void crn_cond_init(crn_cond *c)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->handle, &attr);
	pthread_condattr_destroy(&attr);
}

void crn_cond_done(crn_cond *c)
{
	pthread_cond_destroy(&c->handle);
}

void crn_cond_wait(crn_cond *c, crn_mutex *m)
{
	pthread_cond_wait(&c->handle, &m->handle);
}

bool crn_cond_wait_for(crn_cond *c, crn_mutex *m, int64_t timeout_ns)
{
	int64_t until_ns = crn_now_ns() + timeout_ns;
	struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
	return pthread_cond_timedwait(&c->handle, &m->handle, &until) != ETIMEDOUT;
}

void crn_cond_signal(crn_cond *c)
{
	pthread_cond_signal(&c->handle);
}

void crn_cond_broadcast(crn_cond *c)
{
	pthread_cond_broadcast(&c->handle);
}

cairn_status crn_thread_start(crn_thread *ret, void *(*run)(void *), void *arg, cairn_error *err)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	/* Stacks count against the stated constant of the memory promise: keep them small. */
	pthread_attr_setstacksize(&attr, 1 << 20);
	int code = pthread_create(&ret->handle, &attr, run, arg);
	pthread_attr_destroy(&attr);
	if (code == 0)
		return CAIRN_OK;
	errno = code;
	return crn_fail_errno(err, CAIRN_FAILED, "starting", "a worker thread");
}

void crn_thread_join(crn_thread *t)
{
	pthread_join(t->handle, NULL);
}

/* cgroup v2 "max 100000" or "200000 100000": quota over period, rounded up; 0 if unlimited. */
static int cgroup_cores(void)
{
	FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
	if (!f)
		return 0;
	long long quota = 0, period = 0;
	int n = fscanf(f, "%lld %lld", &quota, &period);
	fclose(f);
	return n == 2 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

int crn_n_cores(void)
{
	cpu_set_t set;
	int n = 1;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	int limit = cgroup_cores();
	if (limit > 0 && limit < n)
		n = limit;
	return n < 1 ? 1 : n;
}

int64_t crn_cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t crn_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_test.c -- the scheduler alone: every task once, the lowest failure, changing the number of
 * workers, and what a task costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "exec/sched.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A scheduler without a graph: one stage of tasks that read nothing. */
typedef struct bare {
	crn_plan plan;
	crn_pool *pool;
	crn_cache cache;
	crn_frame_env env;
	crn_sched *sched;
} bare;

static void bare_init(bare *b, const crn_sched_options *o)
{
	cairn_error err;
	*b = (bare){.plan = {.top_bytes = 1000}};
	b->plan.options.memory_bytes = (size_t)1 << 20;
	assert_int_equal(crn_pool_new(&b->pool, &err), CAIRN_OK);
	assert_int_equal(crn_cache_init(&b->cache, b->pool, &err), CAIRN_OK);
	b->env = (crn_frame_env){.plan = &b->plan, .pool = b->pool};
	assert_int_equal(crn_sched_new(&b->plan, &b->cache, &b->env, o, &b->sched, &err), CAIRN_OK);
}

static void bare_done(bare *b)
{
	crn_sched_free(b->sched);
	crn_cache_done(&b->cache);
	crn_pool_free(b->pool);
}

typedef struct counts {
	_Atomic unsigned char *times; /* a task ran */
	_Atomic int64_t sum;
	int64_t fail_from, fail_every; /* tasks fail_from, fail_from + fail_every, ... fail */
	_Atomic int most_workers_seen;
	volatile int threads;
	int64_t change_at; /* this task asks for more workers, the one twice as far for fewer */
} counts;

static cairn_status count_end(void *user, crn_task *t, void *memory, cairn_error *err)
{
	counts *c = user;
	int64_t i = crn_task_index(t);
	(void)memory;
	c->times[i]++;
	atomic_fetch_add_explicit(&c->sum, i, memory_order_relaxed);
	if (c->fail_every > 0 && i >= c->fail_from && (i - c->fail_from) % c->fail_every == 0)
		return crn_fail(err, CAIRN_FAILED, "task %lld", (long long)i);
	int seen = atomic_load(&c->most_workers_seen);
	while (crn_task_worker(t) >= seen &&
		!atomic_compare_exchange_weak(&c->most_workers_seen, &seen, crn_task_worker(t) + 1))
		;
	if (c->change_at > 0 && i == c->change_at)
		__atomic_store_n(&c->threads, 5, __ATOMIC_RELAXED);
	if (c->change_at > 0 && i == 2 * c->change_at)
		__atomic_store_n(&c->threads, 1, __ATOMIC_RELAXED);
	if (c->change_at > 0)
		nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	return CAIRN_OK;
}

static void counts_init(counts *c, int64_t n)
{
	memset(c, 0, sizeof(*c));
	c->times = crn_calloc((size_t)n, 1);
	assert_non_null(c->times);
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void test_every_task_runs_once_and_is_cheap(void **state)
{
	enum { TASKS = 1000000 };
	static const int threads[] = {1, 2, 7, 64};
	(void)state;
	for (size_t k = 0; k < CRN_COUNT(threads); k++) {
		counts c;
		bare b;
		cairn_error err;
		counts_init(&c, TASKS);
		bare_init(&b, &(crn_sched_options){.n_threads = threads[k]});
		crn_job job = {.name = "count",
			.level = -1,
			.work_bytes = 1000,
			.n_tasks = TASKS,
			.user = &c,
			.end = count_end};
		double start = cpu_seconds();
		assert_int_equal(crn_sched_run(b.sched, &job, &err), CAIRN_OK);
		double us = (cpu_seconds() - start) * 1e6 / TASKS;
		print_message("%d threads: %.3f us of CPU a task\n", threads[k], us);
		assert_int_equal(c.sum, (int64_t)TASKS * (TASKS - 1) / 2);
		for (int i = 0; i < TASKS; i++)
			assert_int_equal(c.times[i], 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
		assert_true(us < 2);
#endif
		bare_done(&b);
		crn_free((void *)c.times);
	}
}

static void test_the_lowest_failure_is_reported(void **state)
{
	enum { TASKS = 20000 };
	static const int threads[] = {1, 2, 3, 7, 64};
	(void)state;
	for (size_t k = 0; k < 20 * CRN_COUNT(threads); k++) {
		counts c;
		bare b;
		cairn_error err = {0};
		counts_init(&c, TASKS);
		c.fail_from = 1 + (int64_t)k * 37;
		c.fail_every = 1 + (int64_t)k % 5;
		bare_init(&b, &(crn_sched_options){.n_threads = threads[k % 5]});
		crn_job job = {.name = "fail",
			.level = -1,
			.work_bytes = 1000,
			.n_tasks = TASKS,
			.user = &c,
			.end = count_end};
		char expected[64];
		snprintf(expected, sizeof(expected), "task %lld", (long long)c.fail_from);
		assert_int_equal(crn_sched_run(b.sched, &job, &err), CAIRN_FAILED);
		assert_string_equal(err.message, expected);
		for (int i = 0; i <= c.fail_from; i++)
			assert_int_equal(c.times[i], 1);
		bare_done(&b);
		crn_free((void *)c.times);
	}
}

static void test_workers_come_and_go(void **state)
{
	enum { TASKS = 20000 };
	(void)state;
	counts c;
	bare b;
	cairn_error err;
	counts_init(&c, TASKS);
	c.change_at = TASKS / 4;
	bare_init(&b, &(crn_sched_options){.n_threads = 2, .threads = &c.threads});
	crn_job job = {.name = "change",
		.level = -1,
		.work_bytes = 1000,
		.n_tasks = TASKS,
		.user = &c,
		.end = count_end};
	assert_int_equal(crn_sched_run(b.sched, &job, &err), CAIRN_OK);
	assert_int_equal(c.most_workers_seen, 5);
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(c.times[i], 1);
	bare_done(&b);
	crn_free((void *)c.times);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_task_runs_once_and_is_cheap),
		cmocka_unit_test(test_the_lowest_failure_is_reported),
		cmocka_unit_test(test_workers_come_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

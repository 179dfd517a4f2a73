/* SPDX-License-Identifier: Apache-2.0
 *
 * thread_test.c -- mutexes exclude, conditions wake and time out, ranks are enforced.
 */
#include "base/thread.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct shared {
	crn_mutex lock;
	crn_cond changed;
	int64_t count, turn; /* lock */
} shared;

static void shared_init(shared *s)
{
	*s = (shared){.count = 0};
	crn_mutex_init(&s->lock, CRN_RANK_RUN);
	crn_cond_init(&s->changed);
}

static void shared_done(shared *s)
{
	crn_cond_done(&s->changed);
	crn_mutex_done(&s->lock);
}

static void *add_many(void *arg)
{
	shared *s = arg;
	for (int i = 0; i < 20000; i++) {
		crn_mutex_lock(&s->lock);
		s->count++;
		crn_mutex_unlock(&s->lock);
	}
	return NULL;
}

static void mutexes_exclude(void **state)
{
	shared s;
	cairn_error err;
	crn_thread t[4];
	shared_init(&s);
	for (int i = 0; i < 4; i++)
		assert_int_equal(crn_thread_start(&t[i], add_many, &s, &err), CAIRN_OK);
	for (int i = 0; i < 4; i++)
		crn_thread_join(&t[i]);
	assert_int_equal(s.count, 80000);
	shared_done(&s);
}

/* Two threads hand a token to and fro. */
static void *ping(void *arg)
{
	shared *s = arg;
	crn_mutex_lock(&s->lock);
	for (int i = 0; i < 200; i++) {
		while (s->turn != 1)
			crn_cond_wait(&s->changed, &s->lock);
		s->turn = 0;
		s->count++;
		crn_cond_broadcast(&s->changed);
	}
	crn_mutex_unlock(&s->lock);
	return NULL;
}

static void conditions_wake(void **state)
{
	shared s;
	cairn_error err;
	crn_thread t;
	shared_init(&s);
	assert_int_equal(crn_thread_start(&t, ping, &s, &err), CAIRN_OK);
	crn_mutex_lock(&s.lock);
	for (int i = 0; i < 200; i++) {
		s.turn = 1;
		crn_cond_signal(&s.changed);
		while (s.turn != 0)
			crn_cond_wait(&s.changed, &s.lock);
	}
	crn_mutex_unlock(&s.lock);
	crn_thread_join(&t);
	assert_int_equal(s.count, 200);
	shared_done(&s);
}

static void waiting_times_out(void **state)
{
	shared s;
	shared_init(&s);
	int64_t start = crn_now_ns();
	crn_mutex_lock(&s.lock);
	bool woken = true;
	while (woken && crn_now_ns() - start < 2000000000) /* spurious wake-ups are legal */
		woken = crn_cond_wait_for(&s.changed, &s.lock, 20000000);
	crn_mutex_unlock(&s.lock);
	int64_t took = crn_now_ns() - start;
	assert_false(woken);
	assert_true(took >= 19000000);
	shared_done(&s);
}

#if !defined(NDEBUG) && !defined(__SANITIZE_THREAD__)
static bool aborts(void (*body)(void))
{
	pid_t child = fork();
	if (child == 0) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		(void)!freopen("/dev/null", "w", stderr);
		body();
		_exit(0);
	}
	int how = 0;
	waitpid(child, &how, 0);
	return WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT;
}

static void lock_downwards(void)
{
	crn_mutex a, b;
	crn_mutex_init(&a, CRN_RANK_CACHE);
	crn_mutex_init(&b, CRN_RANK_RUN);
	crn_mutex_lock(&a);
	crn_mutex_lock(&b);
}

static void lock_upwards(void)
{
	crn_mutex a, b;
	crn_mutex_init(&a, CRN_RANK_RUN);
	crn_mutex_init(&b, CRN_RANK_CACHE);
	crn_mutex_lock(&a);
	crn_mutex_lock(&b);
	crn_mutex_unlock(&b);
	crn_mutex_unlock(&a);
}

static void ranks_are_enforced(void **state)
{
	assert_true(aborts(lock_downwards));
	assert_false(aborts(lock_upwards));
}
#endif

static void there_is_a_core(void **state)
{
	assert_in_range(crn_n_cores(), 1, 100000);
	int64_t a = crn_now_ns(), b = crn_now_ns();
	assert_true(b >= a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutexes_exclude),
		cmocka_unit_test(conditions_wake),
		cmocka_unit_test(waiting_times_out),
#if !defined(NDEBUG) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(ranks_are_enforced),
#endif
		cmocka_unit_test(there_is_a_core),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

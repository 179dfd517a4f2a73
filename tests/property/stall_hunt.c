/* SPDX-License-Identifier: Apache-2.0
 *
 * stall_hunt.c -- tiny random plans with many tiny tasks, pauses at random moments and budgets at
 * the edge: none may stall, and every one gives the bytes it must.
 *
 *	stall_hunt PLANS [FIRST_SEED]     CAIRN_STALL_PLANS overrides PLANS
 *
 * Each random program (random_program.h) is run several times, with tiles of a few voxels, 1 to 64
 * threads, the smallest budget or little more, and now and then a cancel or another number of
 * threads in the middle. A watchdog ends the hunt with the seed when a plan takes too long.
 */
#include "property/random_program.h"
#include "property/smallest_budget.h"

#include "base/mem.h"
#include "base/thread.h"
#include "builtin.h"
#include "exec/run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_PER_PROGRAM = 8, TOO_LONG_S = 120 };

static uint64_t seed;     /* of the program in work */
static char current[128]; /* the plan in work, for the watchdog */

static void on_signal(int number)
{
	const char *what = number == SIGALRM ? "STALLED: " : "CRASHED: ";
	ssize_t done = write(STDOUT_FILENO, what, strlen(what));
	done += write(STDOUT_FILENO, current, strlen(current));
	_exit(done > 0 ? 1 : 2);
}

/* Changes two numbers while the run is on, as signals do. */
typedef struct meddler {
	crn_thread thread;
	volatile int threads, cancel;
	int next_threads;
	bool cancels;
	int64_t after_us;
} meddler;

static void *meddle(void *user)
{
	meddler *m = user;
	usleep((useconds_t)m->after_us);
	if (m->next_threads > 0)
		__atomic_store_n(&m->threads, m->next_threads, __ATOMIC_RELAXED);
	if (m->cancels)
		__atomic_store_n(&m->cancel, 1 + (int)(m->after_us % 2), __ATOMIC_RELAXED);
	return NULL;
}

static cairn_status run_plan(
	crn_test_rng *g, crn_engine *e, const program_line *l, cairn_error *err)
{
	static const int threads[] = {1, 2, 3, 7, 64};
	meddler m = {.after_us = crn_test_int(g, 0, 3000),
		.cancels = crn_test_int(g, 0, 9) == 0,
		.next_threads = crn_test_int(g, 0, 4) ? 0 : (int)crn_test_int(g, 1, 9)};
	crn_run_options o = {.n_threads = threads[crn_test_int(g, 0, 4)],
		.isa = crn_isa_best(),
		.memory_bytes = (size_t)1 << 28,
		.tile_voxels = crn_test_int(g, 1, 12),
		.jitter = crn_test_u64(g) | 1,
		.cancel = &m.cancel,
		.threads = &m.threads};
	crn_region whole = crn_region_whole(l->value.ndim, l->value.shape);
	CRN_TEST_ARRAY got = crn_test_array(l->value.dtype, l->value.ndim, l->value.shape);
	size_t least = crn_test_smallest_budget(e, l->node, &whole, &got, o);
	if (least > 0 && crn_test_int(g, 0, 3) > 0)
		o.memory_bytes = least + (size_t)crn_test_int(g, 0, 2) * (least / 4);
	bool meddles = m.cancels || m.next_threads > 0;
	snprintf(current, sizeof(current),
		"seed %" PRIu64 ": line %s, %d threads, %zu bytes, tiles of %d\n", seed,
		l->node->origin, o.n_threads, o.memory_bytes, (int)o.tile_voxels);
	if (meddles)
		CRN_TRY(crn_thread_start(&m.thread, meddle, &m, err));
	cairn_status status = crn_run_region(e, l->node, &whole, &got, &o, NULL, err);
	if (meddles)
		crn_thread_join(&m.thread);
	if (status == CAIRN_INTERRUPTED && m.cancels)
		return CAIRN_OK;
	/* The signs of NaN are the property test's business. */
	if (status == CAIRN_OK && !crn_test_same_bytes(&got, &l->value))
		status = crn_test_compare(&got, &l->value, 0, 0, err);
	return status;
}

/* Runs plans of the program with this seed; how many, or -1 after a failure. */
static int hunt(void)
{
	program p;
	cairn_error err;
	crn_engine *e = NULL;
	int n = 0;
	crn_test_rng g = {seed * 77 + 5};
	/* Programs whose values are not the reference's are the property test's business. */
	if (program_make(seed, &p, &err) != CAIRN_OK) {
		program_done(&p);
		return 0;
	}
	cairn_status status = crn_engine_new(&crn_builtin_registry, &e, &err);
	for (; n < RUNS_PER_PROGRAM && status == CAIRN_OK; n++) {
		/* The later lines, which have the most beneath them. */
		int line = p.n - 1 - (int)crn_test_int(&g, 0, p.n > 2 ? 2 : p.n - 1);
		alarm(TOO_LONG_S);
		status = run_plan(&g, e, &p.line[line], &err);
		alarm(0);
	}
	if (status != CAIRN_OK)
		printf("FAILED: %s\n%s", crn_test_error(&err), current);
	crn_engine_free(e);
	program_done(&p);
	return status == CAIRN_OK ? n : -1;
}

int main(int argc, char **argv)
{
	const char *wish = getenv("CAIRN_STALL_PLANS");
	int64_t plans = strtoll(wish ? wish : argc > 1 ? argv[1] : "1000", NULL, 0), done = 0;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct sigaction a = {.sa_handler = on_signal};
	setvbuf(stdout, NULL, _IONBF, 0);
	sigaction(SIGALRM, &a, NULL);
	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGABRT, &a, NULL);
	printf("first seed %" PRIu64 "\n", first);
	for (seed = first; done < plans; seed++) {
		int n = hunt();
		if (n < 0)
			return 1;
		done += n;
	}
	printf("%" PRId64 " plans of %" PRIu64 " programs ran to their end\n", done, seed - first);
	return 0;
}

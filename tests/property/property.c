/* SPDX-License-Identifier: Apache-2.0
 *
 * property.c -- the property test: random programs until the time is over.
 *
 *	property SECONDS [FIRST_SEED]     seeds FIRST_SEED, FIRST_SEED + 1, ...
 *	property --seed SEED              one program, printed
 *
 * For every program: each value equals the naive reference's, and evaluating by tiles (eagerly,
 * lazily, in any order, with any number of partials) gives the bytes of the whole, and so does the
 * engine for any region, chunks, threads, budget and instruction set. The first
 *failure is shrunk, printed with its seed, and ends the run with status 1; the table at the end
 *says how often each op took part.
 */
#include "property/random_program.h"

#include "base/thread.h"
#include "builtin.h"
#include "core/registry.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const program_check checks[] = {program_check_tiles, program_check_engine};

/* The seed in work, as text, for a crash: written by a signal handler. */
static char current[64];

static void on_crash(int number)
{
	static const char text[] = "CRASH; again: property --seed ";
	ssize_t done = write(STDOUT_FILENO, text, sizeof(text) - 1);
	done += write(STDOUT_FILENO, current, strlen(current));
	_exit(done > 0 ? 1 : 2);
}

static void watch(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct sigaction a = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &a, NULL);
}

/* True when everything holds for this seed. */
static bool try_seed(uint64_t seed, bool print)
{
	program p;
	cairn_error err;
	program_check broken = NULL;
	snprintf(current, sizeof(current), "%" PRIu64 "\n", seed);
	cairn_status status = program_make(seed, &p, &err);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && status == CAIRN_OK; i++) {
		status = checks[i](&p, &err);
		broken = checks[i];
	}
	if (status != CAIRN_OK)
		program_shrink(&p, broken, &err);
	if (status != CAIRN_OK || print) {
		CRN_STR text = {0};
		program_print(&p, &text);
		printf("%s", text.data ? text.data : "out of memory\n");
	}
	if (status != CAIRN_OK)
		printf("FAILED: %s\nagain: property --seed %" PRIu64 "\n", crn_test_error(&err),
			seed);
	program_done(&p);
	return status == CAIRN_OK;
}

static void print_table(void)
{
	for (const crn_op *const *op = crn_builtin_registry.ops; *op; op++)
		if (!(*op)->internal && program_calls_of((*op)->name) > 0)
			printf("%6d %s\n", program_calls_of((*op)->name), (*op)->name);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: property SECONDS [FIRST_SEED] | --seed SEED\n");
		return 2;
	}
	watch();
	if (strcmp(argv[1], "--seed") == 0)
		return argc > 2 && try_seed(strtoull(argv[2], NULL, 0), true) ? 0 : 1;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, seed = first;
	int64_t end = crn_now_ns() + (int64_t)(atof(argv[1]) * 1e9);
	printf("first seed %" PRIu64 "\n", first);
	for (; crn_now_ns() < end; seed++)
		if (!try_seed(seed, false))
			return 1;
	printf("%" PRIu64 " programs hold\n", seed - first);
	print_table();
	return 0;
}

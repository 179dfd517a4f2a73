/* SPDX-License-Identifier: Apache-2.0
 *
 * interrupt.c -- signals. Ctrl-C: the first finishes what is in flight, the second stops as soon as
 * possible, the third ends the process. SIGTERM counts as the first. SIGUSR1 and SIGUSR2 change the
 * number of workers of a running job.
 *
 * The handlers only set integers and write one line with write(2): both are safe in a handler.
 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile int pressed;
static volatile int workers; /* wished for; 0 until a run has started */

static void say(const char *text)
{
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
	(void)ignored;
}

static void on_signal(int number)
{
	int kept = errno; /* what was interrupted may be about to read it */
	int times = __atomic_add_fetch(&pressed, 1, __ATOMIC_RELAXED);
	if (times > 2) {
		signal(number, SIG_DFL);
		raise(number);
	} else {
		say(times == 1 ? "\ncairn: finishing what is in flight; Ctrl-C again stops now\n"
			       : "\ncairn: stopping\n");
	}
	errno = kept;
}

/* "cairn: 12 threads from now on" */
static void say_workers(int n)
{
	char text[64] = "\ncairn: ", digits[12];
	const char *end = n == 1 ? " thread from now on\n" : " threads from now on\n";
	size_t at = strlen(text), k = 0;
	for (; n > 0; n /= 10)
		digits[k++] = (char)('0' + n % 10);
	while (k > 0)
		text[at++] = digits[--k];
	memcpy(text + at, end, strlen(end) + 1);
	say(text);
}

static void on_workers(int number)
{
	enum { MOST = 1024 };
	int kept = errno;
	int n = __atomic_load_n(&workers, __ATOMIC_RELAXED);
	n += number == SIGUSR1 ? n < MOST : -(n > 1);
	if (__atomic_load_n(&workers, __ATOMIC_RELAXED) > 0) { /* else nothing runs yet */
		__atomic_store_n(&workers, n, __ATOMIC_RELAXED);
		say_workers(n);
	}
	errno = kept;
}

static void handle(int first, int second, void (*handler)(int))
{
	struct sigaction action;
	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	/* Neither handler interrupts the other's change of one number. */
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, first);
	sigaddset(&action.sa_mask, second);
	sigaction(first, &action, NULL);
	sigaction(second, &action, NULL);
}

const volatile int *cli_interrupt_start(void)
{
	handle(SIGINT, SIGTERM, on_signal);
	return &pressed;
}

volatile int *cli_threads_start(void)
{
	handle(SIGUSR1, SIGUSR2, on_workers);
	return &workers;
}

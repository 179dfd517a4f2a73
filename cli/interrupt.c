/* SPDX-License-Identifier: Apache-2.0
 *
 * interrupt.c -- Ctrl-C: the first finishes what is in flight, the second stops as soon as
 * possible, the third ends the process. SIGTERM counts as the first.
 *
 * The handler only sets an integer and writes one line with write(2): both are safe in a handler.
 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile int pressed;

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

const volatile int *cli_interrupt_start(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &pressed;
}

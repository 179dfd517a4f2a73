/* SPDX-License-Identifier: Apache-2.0
 *
 * child_process.c -- see child_process.h.
 */
#include "ops/child_process.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

typedef struct child {
	pid_t pid;
	int in, out, errors; /* our ends; -1: closed */
	const crn_child_input *input;
	int64_t piece;
	size_t piece_done;
	char *to;
	size_t got, wanted;
	bool too_much;
	char last[512]; /* tail of stderr */
	size_t n_last;
} child;

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Our settings replace inherited ones of the same name. */
static char **make_environment(const char *const *settings)
{
	size_t n = 0, n_own = 0, k = 0;
	while (environ[n])
		n++;
	while (settings[n_own])
		n_own++;
	char **env = crn_calloc(n + n_own + 1, sizeof(char *));
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		bool ours = false;
		for (size_t s = 0; s < n_own; s++) {
			size_t name = (size_t)(strchr(settings[s], '=') - settings[s]) + 1;
			ours = ours || strncmp(environ[i], settings[s], name) == 0;
		}
		if (!ours)
			env[k++] = environ[i];
	}
	for (size_t s = 0; s < n_own; s++)
		env[k++] = (char *)settings[s];
	return env;
}

static int spawn(child *c, const char *command, char **env, int theirs[3])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, pipe_signal;
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe_signal);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	char *argv[] = {"sh", "-c", (char *)command, NULL};
	int code = posix_spawn(&c->pid, "/bin/sh", &actions, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

static cairn_status start(
	child *c, const char *command, const char *const *settings, cairn_error *err)
{
	int ends[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, code = 0;
	for (int i = 0; i < 3 && code == 0; i++)
		code = pipe2(ends[i], O_CLOEXEC) == 0 ? 0 : errno;
	CRN_FREE char **env = make_environment(settings);
	if (code == 0 && !env)
		code = ENOMEM;
	int theirs[3] = {ends[0][0], ends[1][1], ends[2][1]};
	if (code == 0)
		code = spawn(c, command, env, theirs);
	for (int i = 0; i < 3; i++)
		close_end(&theirs[i]);
	c->in = ends[0][1];
	c->out = ends[1][0];
	c->errors = ends[2][0];
	if (code == 0) {
		fcntl(c->in, F_SETFL, O_NONBLOCK);
		fcntl(c->out, F_SETFL, O_NONBLOCK);
		fcntl(c->errors, F_SETFL, O_NONBLOCK);
		return CAIRN_OK;
	}
	close_end(&c->in);
	close_end(&c->out);
	close_end(&c->errors);
	errno = code;
	return crn_fail_errno(err, CAIRN_FAILED, "starting the command", command);
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* A command may stop reading early; what it then writes decides. */
static void feed(child *c)
{
	while (c->piece < c->input->n_pieces) {
		const char *p = c->input->piece(c->input->user, c->piece);
		ssize_t n = write(c->in, p + c->piece_done, c->input->piece_bytes - c->piece_done);
		if (n < 0 && again())
			return;
		if (n < 0)
			break;
		c->piece_done += (size_t)n;
		if (c->piece_done < c->input->piece_bytes)
			continue;
		c->piece++;
		c->piece_done = 0;
	}
	close_end(&c->in);
}

static void collect(child *c)
{
	for (;;) {
		char spare[64];
		bool full = c->got == c->wanted;
		ssize_t n = read(c->out, full ? spare : c->to + c->got,
			full ? sizeof(spare) : c->wanted - c->got);
		if (n < 0 && again())
			return;
		if (n <= 0) {
			close_end(&c->out);
			return;
		}
		if (full) {
			c->too_much = true;
			close_end(&c->out);
			return;
		}
		c->got += (size_t)n;
	}
}

static void collect_errors(child *c)
{
	char text[256];
	for (;;) {
		ssize_t n = read(c->errors, text, sizeof(text));
		if (n < 0 && again())
			return;
		if (n <= 0) {
			close_end(&c->errors);
			return;
		}
		size_t k = (size_t)n, room = sizeof(c->last) - 1;
		if (c->n_last + k > room) { /* k <= 256, so half of the old tail stays */
			size_t drop = c->n_last + k - room;
			memmove(c->last, c->last + drop, c->n_last - drop);
			c->n_last -= drop;
		}
		memcpy(c->last + c->n_last, text, k);
		c->n_last += k;
	}
}

static void serve(child *c)
{
	while (c->in >= 0 || c->out >= 0 || c->errors >= 0) {
		struct pollfd fds[3] = {
			{c->in, POLLOUT, 0}, {c->out, POLLIN, 0}, {c->errors, POLLIN, 0}};
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			feed(c);
		if (fds[1].revents)
			collect(c);
		if (fds[2].revents)
			collect_errors(c);
		if (c->too_much)
			break;
	}
	close_end(&c->in);
	close_end(&c->out);
	close_end(&c->errors);
}

static const char *last_line(child *c)
{
	c->last[c->n_last] = '\0';
	while (c->n_last > 0 && (c->last[c->n_last - 1] == '\n' || c->last[c->n_last - 1] == '\r'))
		c->last[--c->n_last] = '\0';
	const char *line = strrchr(c->last, '\n');
	return line ? line + 1 : c->last;
}

static cairn_status judge(child *c, const char *command, int result, cairn_error *err)
{
	const char *line = last_line(c);
	const char *colon = *line ? ": " : "";
	if (c->too_much)
		return crn_fail(err, CAIRN_FAILED,
			"the command \"%s\" wrote more than the %zu bytes of the block%s%s",
			command, c->wanted, colon, line);
	if (WIFSIGNALED(result))
		return crn_fail(err, CAIRN_FAILED, "the command \"%s\" was killed by signal %d%s%s",
			command, WTERMSIG(result), colon, line);
	if (WEXITSTATUS(result) != 0)
		return crn_fail(err, CAIRN_FAILED, "the command \"%s\" exited with code %d%s%s",
			command, WEXITSTATUS(result), colon, line);
	if (c->got != c->wanted)
		return crn_fail(err, CAIRN_FAILED,
			"the command \"%s\" wrote %zu bytes, the block has %zu%s%s", command,
			c->got, c->wanted, colon, line);
	return CAIRN_OK;
}

cairn_status crn_child_run(const char *command, const char *const *settings,
	const crn_child_input *in, void *out, size_t out_bytes, cairn_error *err)
{
	child c = {.in = -1, .out = -1, .errors = -1, .input = in, .to = out, .wanted = out_bytes};
	/* A broken pipe shows as EPIPE: the signal is blocked for this thread meanwhile, and one
	 * that came is taken away. */
	sigset_t pipe_signal, old, pending;
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
	cairn_status status = start(&c, command, settings, err);
	if (status == CAIRN_OK) {
		serve(&c);
		if (c.too_much)
			kill(c.pid, SIGKILL);
		int result = 0;
		while (waitpid(c.pid, &result, 0) < 0 && errno == EINTR) {
		}
		status = judge(&c, command, result, err);
	}
	if (!sigismember(&pending, SIGPIPE)) {
		struct timespec now = {0};
		while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR) {
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return status;
}

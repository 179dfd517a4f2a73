/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.c -- how a run shows where it is: a bar on a terminal, plain lines in a log, or JSON.
 *
 * All on stderr. The engine calls from one thread at a time, so the state here needs no lock.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_CELLS = 24, PLAIN_EVERY_S = 10 };

static enum { NONE, BAR, PLAIN, JSON } mode;
static bool drawn, coloured;
static double last_line_s;

cairn_status cli_progress_start(const char *name, bool colour, cairn_error *err)
{
	static const char *const names[] = {"none", "bar", "plain", "json"};
	drawn = false;
	coloured = colour;
	last_line_s = 0;
	if (!name || strcmp(name, "auto") == 0) {
		mode = isatty(STDERR_FILENO) ? BAR : PLAIN;
		return CAIRN_OK;
	}
	for (int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0) {
			mode = i;
			return CAIRN_OK;
		}
	return cli_fail(err, CAIRN_USAGE,
		"--progress must be auto, bar, plain, json or none, not %.40s", name);
}

/* "1:02:03", "4:05", "12 s" into text[32]. */
static const char *duration(double seconds, char *text)
{
	long s = seconds < 0 ? 0 : (long)(seconds + 0.5);
	if (s >= 3600)
		snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
	else if (s >= 60)
		snprintf(text, 32, "%ld:%02ld", s / 60, s % 60);
	else
		snprintf(text, 32, "%ld s", s);
	return text;
}

static int terminal_columns(void)
{
	struct winsize w;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

static void show_bar(const cairn_progress *p)
{
	char bar[3 * BAR_CELLS + 1] = "", left[32], read[32], line[512];
	int full = (int)(p->fraction * BAR_CELLS + 0.5);
	full = full < 0 ? 0 : full > BAR_CELLS ? BAR_CELLS : full;
	for (int i = 0; i < BAR_CELLS; i++)
		memcpy(bar + 3 * i, i < full ? "█" : "░", 4); /* three bytes of UTF-8 each */
	int n = snprintf(line, sizeof(line), " %3.0f %%  %s  %s read  %s", 100 * p->fraction,
		p->remaining_s < 0 ? "" : duration(p->remaining_s, left),
		cli_bytes((double)p->bytes_read, read), p->stage_name ? p->stage_name : "");
	int room = terminal_columns() - BAR_CELLS - 1;
	if (n > room && room > 0)
		line[room < (int)sizeof(line) ? room : (int)sizeof(line) - 1] = '\0';
	fprintf(stderr, "\r%s%s%s%s\033[K", coloured ? "\033[36m" : "", bar,
		coloured ? "\033[0m" : "", line);
	fflush(stderr);
	drawn = true;
}

static void show_plain(const cairn_progress *p)
{
	char left[32], done[32];
	bool due = p->elapsed_s - last_line_s >= PLAIN_EVERY_S;
	if (!due)
		return;
	last_line_s = p->elapsed_s;
	fprintf(stderr, "cairn: %3.0f %%, %s elapsed", 100 * p->fraction,
		duration(p->elapsed_s, done));
	if (p->remaining_s >= 0)
		fprintf(stderr, ", %s left", duration(p->remaining_s, left));
	fprintf(stderr, ", %s (%d/%d)\n", p->stage_name ? p->stage_name : "", p->stage + 1,
		p->n_stages);
}

/* Stage names are file names and op names: quotes and backslashes are all that must be escaped. */
static void print_quoted(const char *text)
{
	fputc('"', stderr);
	for (; text && *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', stderr);
		fputc((unsigned char)*text < 0x20 ? ' ' : *text, stderr);
	}
	fputc('"', stderr);
}

static void show_json(const cairn_progress *p)
{
	fprintf(stderr, "{\"stage\": %d, \"stages\": %d, \"name\": ", p->stage, p->n_stages);
	print_quoted(p->stage_name);
	fprintf(stderr,
		", \"done\": %lld, \"total\": %lld, \"fraction\": %.4f, \"bytes_read\": %lld, "
		"\"bytes_written\": %lld, \"memory_bytes\": %lld, \"elapsed_s\": %.3f, "
		"\"remaining_s\": %.3f, \"resumed\": %s}\n",
		(long long)p->done, (long long)p->total, p->fraction, (long long)p->bytes_read,
		(long long)p->bytes_written, (long long)p->memory_bytes, p->elapsed_s,
		p->remaining_s, p->resumed ? "true" : "false");
}

void cli_progress_show(void *user, const cairn_progress *p)
{
	(void)user;
	if (mode == BAR)
		show_bar(p);
	else if (mode == PLAIN)
		show_plain(p);
	else if (mode == JSON)
		show_json(p);
}

void cli_progress_end(void)
{
	if (drawn)
		fputs("\r\033[K", stderr);
	drawn = false;
}

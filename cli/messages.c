/* SPDX-License-Identifier: Apache-2.0
 *
 * messages.c -- what the command says: errors with place and hint on stderr, facts on stdout.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

cairn_status cli_fail(cairn_error *err, cairn_status status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	memset(err, 0, sizeof(*err));
	err->status = status;
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	return status;
}

void cli_hint(cairn_error *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

void cli_print_error(const cli *c, const cairn_error *err)
{
	const char *red = c->colour ? "\033[1;31m" : "", *plain = c->colour ? "\033[0m" : "";
	const char *what =
		err->status == CAIRN_INTERRUPTED || err->status == CAIRN_STOPPED ? "" : "error: ";
	fprintf(stderr, "cairn: %s%s%s%s\n", red, what, plain, err->message);
	if (err->where[0])
		fprintf(stderr, "  where: %s\n", err->where);
	if (err->hint[0])
		fprintf(stderr, "  hint: %s\n", err->hint);
}

const char *cli_bytes(double n, char *text)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	int unit = 0;
	for (; n >= 1024 && unit < 5; unit++)
		n /= 1024;
	snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", n, units[unit]);
	return text;
}

cairn_status cli_print(char *take_text, cairn_error *err)
{
	int failed = fputs(take_text, stdout) < 0 || fflush(stdout) != 0;
	cairn_free(take_text);
	if (failed)
		return cli_fail(err, CAIRN_FAILED, "cannot write to stdout: %s", strerror(errno));
	return CAIRN_OK;
}

char *cli_format(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : text;
}

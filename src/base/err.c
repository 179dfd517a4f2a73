/* SPDX-License-Identifier: Apache-2.0
 *
 * err.c -- filling cairn_error. Pure functions on the caller's struct; any thread.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

cairn_status crn_fail(cairn_error *err, cairn_status status, const char *fmt, ...)
{
	if (!err)
		return status;
	va_list ap;
	va_start(ap, fmt);
	err->status = status;
	err->where[0] = err->hint[0] = '\0';
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	return status;
}

cairn_status crn_fail_memory(cairn_error *err, const char *what, size_t size_bytes)
{
	return crn_fail(err, CAIRN_FAILED, "out of memory for %s (%zu bytes)", what, size_bytes);
}

cairn_status crn_fail_errno(
	cairn_error *err, cairn_status status, const char *what, const char *path)
{
	char text[128];
	/* GNU strerror_r: returns the text, which may be a static string. */
	const char *why = strerror_r(errno, text, sizeof(text));
	return crn_fail(err, status, "%s %s: %s", what, path, why);
}

void crn_where(cairn_error *err, const char *fmt, ...)
{
	if (!err)
		return;
	size_t used = strlen(err->where);
	if (used > 0 && used + 2 < sizeof(err->where)) {
		memcpy(err->where + used, "; ", 3);
		used += 2;
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->where + used, sizeof(err->where) - used, fmt, ap);
	va_end(ap);
}

void crn_hint(cairn_error *err, const char *fmt, ...)
{
	if (!err || err->hint[0] != '\0')
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

size_t cairn_error_format(const cairn_error *err, char *text, size_t size)
{
	int n = snprintf(text, size, "%s%s%s%s%s%s", err->message, err->where[0] ? " (" : "",
		err->where, err->where[0] ? ")" : "", err->hint[0] ? "\n" : "", err->hint);
	return n < 0 ? 0 : (size_t)n;
}

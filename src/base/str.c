/* SPDX-License-Identifier: Apache-2.0
 *
 * str.c -- growable text. Confined to its owner; memory doubles.
 */
#include "base/str.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static bool grow(crn_str *s, size_t more)
{
	size_t need;
	if (s->oom || !crn_add_size(s->len + 1, more, &need)) {
		s->oom = true;
		return false;
	}
	if (need <= s->cap)
		return true;
	size_t cap = s->cap ? s->cap : 64;
	while (cap < need)
		cap *= 2;
	char *data = crn_realloc_array(s->data, cap, 1);
	if (!data) {
		s->oom = true;
		return false;
	}
	s->data = data;
	s->cap = cap;
	return true;
}

void crn_str_append_n(crn_str *s, const char *bytes, size_t n)
{
	if (!grow(s, n))
		return;
	if (n > 0) /* bytes may be NULL then */
		memcpy(s->data + s->len, bytes, n);
	s->len += n;
	s->data[s->len] = '\0';
}

void crn_str_append(crn_str *s, const char *text)
{
	crn_str_append_n(s, text, strlen(text));
}

void crn_str_vappendf(crn_str *s, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !grow(s, (size_t)n))
		return;
	vsnprintf(s->data + s->len, (size_t)n + 1, fmt, ap);
	s->len += (size_t)n;
}

void crn_str_appendf(crn_str *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	crn_str_vappendf(s, fmt, ap);
	va_end(ap);
}

void crn_str_clear(crn_str *s)
{
	s->len = 0;
	if (s->data)
		s->data[0] = '\0';
}

char *crn_str_take(crn_str *s)
{
	if (!s->data && !s->oom)
		crn_str_append(s, "");
	char *data = s->oom ? NULL : s->data;
	if (s->oom)
		crn_free(s->data);
	*s = (crn_str){0};
	return data;
}

void crn_str_done(crn_str *s)
{
	crn_free(s->data);
	*s = (crn_str){0};
}

char *crn_format_bytes(double n_bytes, char *text)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t u = 0;
	while (n_bytes >= 1024 && u + 1 < CRN_COUNT(units)) {
		n_bytes /= 1024;
		u++;
	}
	snprintf(text, 32, u ? "%.1f %s" : "%.0f %s", n_bytes, units[u]);
	return text;
}

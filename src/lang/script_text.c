/* SPDX-License-Identifier: Apache-2.0
 *
 * script_text.c -- places in a pipeline text: line, column, and the line with a caret under it.
 */
#include "lang/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SHOWN = 96 }; /* bytes of a source line in a message */

static size_t line_start(const crn_script_text *t, size_t offset)
{
	while (offset > 0 && t->data[offset - 1] != '\n')
		offset--;
	return offset;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void crn_script_position(const crn_script_text *t, size_t offset, int *ret_line, int *ret_column)
{
	int line = 1, column = 1;
	size_t end = offset < t->n ? offset : t->n, start = line_start(t, end);
	for (size_t i = 0; i < start; i++)
		line += t->data[i] == '\n';
	for (size_t i = start; i < end; i++)
		column += !is_continuation(t->data[i]);
	*ret_line = line;
	*ret_column = column;
}

/* The line of `offset`, four blanks in, and a caret below; long lines are cut around the caret. */
static void append_caret(const crn_script_text *t, size_t offset, crn_str *out)
{
	size_t at = offset < t->n ? offset : t->n, start = line_start(t, at), end = at;
	while (end < t->n && t->data[end] != '\n' && t->data[end] != '\r')
		end++;
	bool cut_end = end > at + MAX_SHOWN / 2;
	if (cut_end)
		for (end = at + MAX_SHOWN / 2; end > at && is_continuation(t->data[end]);)
			end--;
	bool cut = at > start + MAX_SHOWN / 2;
	if (cut)
		for (start = at - MAX_SHOWN / 2; start < at && is_continuation(t->data[start]);)
			start++;
	crn_str_appendf(out, "\n    %s", cut ? "..." : "");
	for (size_t i = start; i < end; i++) {
		/* Control bytes of hostile text must not reach a terminal. */
		bool plain = (unsigned char)t->data[i] >= 0x20 && t->data[i] != 0x7f;
		crn_str_append_n(out, plain || t->data[i] == '\t' ? &t->data[i] : "?", 1);
	}
	crn_str_appendf(out, "%s\n    %s", cut_end ? "..." : "", cut ? "   " : "");
	for (size_t i = start; i < at; i++)
		if (!is_continuation(t->data[i]))
			crn_str_append(out, t->data[i] == '\t' ? "\t" : " ");
	crn_str_append(out, "^");
}

void crn_script_locate(const crn_script_text *t, size_t offset, cairn_error *err)
{
	if (!err)
		return;
	CRN_STR s = {0};
	int line, column;
	crn_script_position(t, offset, &line, &column);
	if (t->name)
		crn_str_appendf(&s, "%.200s, ", t->name);
	crn_str_appendf(&s, "line %d, column %d: %.500s", line, column, err->message);
	append_caret(t, offset, &s);
	if (!s.oom)
		snprintf(err->message, sizeof(err->message), "%s", s.data);
}

cairn_status crn_script_fail(
	const crn_script_text *t, size_t offset, cairn_error *err, const char *fmt, ...)
{
	char message[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	cairn_status status = crn_fail(err, CAIRN_USAGE, "%s", message);
	crn_script_locate(t, offset, err);
	return status;
}

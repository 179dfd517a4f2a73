/* SPDX-License-Identifier: Apache-2.0
 *
 * str.h -- a growable text buffer. Zero-initialise, append, read .data, crn_str_done().
 *
 * Appending never fails half way: when memory runs out `oom` is set, later appends do nothing,
 * and the caller checks once at the end. .data is terminated whenever it is not NULL.
 */
#ifndef CRN_BASE_STR_H
#define CRN_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct crn_str {
	char *data;
	size_t len, cap;
	bool oom;
} crn_str;

void crn_str_append(crn_str *s, const char *text);
void crn_str_append_n(crn_str *s, const char *bytes, size_t n);
void crn_str_appendf(crn_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void crn_str_vappendf(crn_str *s, const char *fmt, va_list ap);
void crn_str_clear(crn_str *s); /* len = 0, keeps the memory */
char *crn_str_take(crn_str *s); /* ownership to the caller ("" if empty); NULL if oom */
void crn_str_done(crn_str *s);  /* frees; safe on a zeroed struct and twice */

/** "12.3 MiB" style; `text` at least 32 bytes. Returns `text`. */
char *crn_format_bytes(double n_bytes, char *text);

#define CRN_STR __attribute__((cleanup(crn_str_done))) crn_str

#endif

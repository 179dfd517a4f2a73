/* SPDX-License-Identifier: Apache-2.0
 *
 * literal.h -- numbers and strings as Python writes them, shared by the pipeline lexer and the
 * defaults of parameter tables; and the nearest of several names, for hints.
 *
 * Scanners read at most `n` bytes, never past them, and need no terminator.
 */
#ifndef CRN_CORE_LITERAL_H
#define CRN_CORE_LITERAL_H

#include "core/value.h"

/**
 * Number at the start of `text`: 12, 1_000, 0xff, 0o17, 0b101, 1.5, .5, 1e-3 (no sign).
 *
 * @return bytes used; 0 with *ret_why set (a static text) when it is no number cairn can hold
 */
size_t crn_scan_number(const char *text, size_t n, crn_value *ret, const char **ret_why);

/**
 * String literal at the start of `text`: '..', "..", '''..''', """..""", each also with the prefix
 * r. Appends the decoded UTF-8 text to `out`.
 *
 * @return bytes used; 0 with *ret_why set when it does not end or has a wrong escape
 */
size_t crn_scan_string(const char *text, size_t n, crn_str *out, const char **ret_why);

/** Letters that differ (insert, remove, replace, swap of neighbours); texts over 63 bytes: 99. */
int crn_name_distance(const char *a, const char *b);
/** The entry of `names` (count n) nearest to `name`, NULL when none is near enough to suggest. */
const char *crn_nearest_name(const char *name, const char *const *names, int n);

#endif

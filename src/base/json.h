/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h -- exact JSON: 64-bit integers survive, signed and unsigned; numbers keep their text.
 *
 * Parsing is bounded: nesting depth, total size and number of values have limits, so hostile text
 * costs an error, not memory (a "JSON bomb"). Duplicate keys: the last one counts. Strings are
 * UTF-8; \u escapes are decoded; embedded NUL is refused.
 */
#ifndef CRN_BASE_JSON_H
#define CRN_BASE_JSON_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum crn_json_kind {
	CRN_JSON_NULL,
	CRN_JSON_BOOL,
	CRN_JSON_INT,    /* fits int64 */
	CRN_JSON_UINT,   /* above INT64_MAX, fits uint64 */
	CRN_JSON_DOUBLE, /* everything else; `text` has the digits as written */
	CRN_JSON_STRING,
	CRN_JSON_ARRAY,
	CRN_JSON_OBJECT,
} crn_json_kind;

typedef struct crn_json crn_json;
struct crn_json {
	crn_json_kind kind;
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double f;
	};
	const char *text;  /* STRING: the string; DOUBLE: its digits */
	int n;             /* ARRAY, OBJECT: children */
	crn_json *items;   /* ARRAY, OBJECT: n children */
	const char **keys; /* OBJECT: n keys, in document order */
};

/** Parses one document of n bytes; the tree and all texts belong to *ret. USAGE/INPUT is the
 * caller's choice: `status` is used for syntax errors, which name line and column. */
CRN_CHECKED cairn_status crn_json_parse(
	const char *text, size_t n, cairn_status status, crn_json **ret, cairn_error *err);
void crn_json_free(crn_json *root); /* the root returned by parse; NULL is fine */
/** Child by key, NULL if absent or `v` is no object. */
const crn_json *crn_json_get(const crn_json *v, const char *key);

/** Appends "text" with escapes. Invalid UTF-8 becomes U+FFFD. */
void crn_json_quote(crn_str *out, const char *text);
/** Appends the shortest digits that read back exactly; "NaN"/"Infinity" as quoted strings. */
void crn_json_double(crn_str *out, double v);
/** Appends a value again, as parsed. */
void crn_json_print(crn_str *out, const crn_json *v);

#endif

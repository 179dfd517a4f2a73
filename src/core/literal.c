/* SPDX-License-Identifier: Apache-2.0
 *
 * literal.c -- scanning numbers and strings, and parsing whole literals (tuples included).
 *
 * Text comes from users and files: every length is checked, nesting is bounded, and decimal points
 * do not depend on the locale of the program that loaded the library.
 */
#include "core/literal.h"

#include "base/mem.h"
#include "core/call.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32, MAX_NUMBER = 400 };

/* ---- numbers ---- */

static locale_t c_locale;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double to_double(const char *digits)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_c_locale);
	return c_locale ? strtod_l(digits, NULL, c_locale) : strtod(digits, NULL);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Copies digits of `base` without underscores; an underscore must stand between two digits. */
static size_t take_digits(
	const char *text, size_t n, int base, char *digits, size_t *n_digits, bool *ret_bad)
{
	size_t i = 0;
	while (i < n) {
		if (text[i] == '_') {
			bool between = i > 0 && text[i - 1] != '_' && i + 1 < n &&
				       digit_value(text[i + 1]) < base;
			if (!between) {
				*ret_bad = true;
				return i;
			}
			i++;
			continue;
		}
		if (digit_value(text[i]) >= base)
			return i;
		if (*n_digits + 1 >= MAX_NUMBER) {
			*ret_bad = true;
			return i;
		}
		digits[(*n_digits)++] = text[i++];
	}
	return i;
}

static bool to_uint(const char *digits, size_t n, int base, uint64_t *ret)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
			__builtin_add_overflow(v, (uint64_t)digit_value(digits[i]), &v))
			return false;
	*ret = v;
	return true;
}

static size_t finish_int(const char *digits, size_t n_digits, int base, size_t used, crn_value *ret,
	const char **ret_why)
{
	uint64_t v;
	if (n_digits == 0) {
		*ret_why = "digits are missing in this number";
		return 0;
	}
	if (!to_uint(digits, n_digits, base, &v)) {
		*ret_why = "this integer is larger than 18446744073709551615 (2^64 - 1)";
		return 0;
	}
	*ret = crn_value_uint(v);
	return used;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The part after the integer digits: ".5", "e-3", both or none. */
static size_t take_fraction(const char *text, size_t n, char *digits, size_t *n_digits, bool *bad)
{
	size_t i = 0;
	if (i < n && text[i] == '.') {
		digits[(*n_digits)++] = '.';
		i++;
		i += take_digits(text + i, n - i, 10, digits, n_digits, bad);
	}
	if (i < n && (text[i] == 'e' || text[i] == 'E')) {
		size_t sign = i + 1 < n && (text[i + 1] == '+' || text[i + 1] == '-');
		if (i + 1 + sign >= n || digit_value(text[i + 1 + sign]) > 9) {
			*bad = true;
			return i;
		}
		if (*n_digits + 3 >= MAX_NUMBER) {
			*bad = true;
			return i;
		}
		digits[(*n_digits)++] = 'e';
		if (sign)
			digits[(*n_digits)++] = text[i + 1];
		i += 1 + sign;
		i += take_digits(text + i, n - i, 10, digits, n_digits, bad);
	}
	return i;
}

static size_t scan_decimal(const char *text, size_t n, crn_value *ret, const char **ret_why)
{
	char digits[MAX_NUMBER + 8];
	size_t n_digits = 0;
	bool bad = false;
	size_t used = take_digits(text, n, 10, digits, &n_digits, &bad);
	size_t n_whole = n_digits;
	size_t fraction = bad ? 0 : take_fraction(text + used, n - used, digits, &n_digits, &bad);
	if (bad) {
		*ret_why = n_digits + 3 >= MAX_NUMBER ? "this number has too many digits"
						      : "this number is not written as Python does";
		return 0;
	}
	digits[n_digits] = '\0';
	if (fraction > 0) {
		*ret = crn_value_float(to_double(digits));
		return used + fraction;
	}
	if (n_whole > 1 && digits[0] == '0' && strspn(digits, "0") != n_whole) {
		*ret_why = "an integer cannot start with 0; octal numbers are written 0o17";
		return 0;
	}
	return finish_int(digits, n_digits, 10, used, ret, ret_why);
}

size_t crn_scan_number(const char *text, size_t n, crn_value *ret, const char **ret_why)
{
	static const char bases[] = "xXoObB";
	static const int base_of[] = {16, 16, 8, 8, 2, 2};
	const char *prefix = n > 1 && text[0] == '0' && text[1] ? strchr(bases, text[1]) : NULL;
	crn_value v = {0};
	size_t used;
	if (prefix) {
		char digits[MAX_NUMBER + 8];
		size_t n_digits = 0, skip = 2 + (n > 2 && text[2] == '_');
		bool bad = false;
		int base = base_of[prefix - bases];
		used = skip + take_digits(text + skip, n - skip, base, digits, &n_digits, &bad);
		if (bad) {
			*ret_why = "this number is not written as Python does";
			return 0;
		}
		used = finish_int(digits, n_digits, base, used, &v, ret_why);
	} else {
		used = scan_decimal(text, n, &v, ret_why);
	}
	if (used == 0)
		return 0;
	if (used < n && (text[used] == 'j' || text[used] == 'J')) {
		*ret_why = "complex numbers are not supported";
		return 0;
	}
	if (used < n && is_word(text[used])) {
		*ret_why = "a letter follows this number; names cannot start with a digit";
		return 0;
	}
	*ret = v;
	return used;
}

/* ---- strings ---- */

static void append_utf8(crn_str *out, uint32_t c)
{
	char b[4];
	if (c < 0x80) {
		b[0] = (char)c;
		crn_str_append_n(out, b, 1);
	} else if (c < 0x800) {
		b[0] = (char)(0xc0 | c >> 6);
		b[1] = (char)(0x80 | (c & 0x3f));
		crn_str_append_n(out, b, 2);
	} else if (c < 0x10000) {
		b[0] = (char)(0xe0 | c >> 12);
		b[1] = (char)(0x80 | (c >> 6 & 0x3f));
		b[2] = (char)(0x80 | (c & 0x3f));
		crn_str_append_n(out, b, 3);
	} else {
		b[0] = (char)(0xf0 | c >> 18);
		b[1] = (char)(0x80 | (c >> 12 & 0x3f));
		b[2] = (char)(0x80 | (c >> 6 & 0x3f));
		b[3] = (char)(0x80 | (c & 0x3f));
		crn_str_append_n(out, b, 4);
	}
}

/* Up to `max` digits of `base`, all `max` of them needed when `exact`. */
static size_t code_point(
	const char *text, size_t n, int base, size_t max, bool exact, uint32_t *ret)
{
	uint32_t c = 0;
	size_t i = 0;
	while (i < max && i < n && digit_value(text[i]) < base)
		c = c * (uint32_t)base + (uint32_t)digit_value(text[i++]);
	*ret = c;
	return exact && i < max ? 0 : i;
}

/* Escape after the backslash at text[0]; returns bytes used, 0 on error. */
static size_t scan_escape(const char *text, size_t n, crn_str *out, const char **ret_why)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	if (n == 0)
		return 0;
	const char *simple = text[0] ? strchr(from, text[0]) : NULL;
	if (simple) {
		crn_str_append_n(out, &to[simple - from], 1);
		return 1;
	}
	if (text[0] == '\n')
		return 1;
	uint32_t c = 0;
	size_t used = 0;
	if (digit_value(text[0]) < 8) {
		used = code_point(text, n, 8, 3, false, &c);
	} else if (text[0] == 'x' || text[0] == 'u' || text[0] == 'U') {
		size_t max = text[0] == 'x' ? 2 : text[0] == 'u' ? 4 : 8;
		used = code_point(text + 1, n - 1, 16, max, true, &c);
		used += used > 0;
	} else {
		/* As in Python, an unknown escape stays as it is written. */
		crn_str_append(out, "\\");
		return SIZE_MAX;
	}
	if (used == 0 || c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		*ret_why = used > 0 && c == 0 ? "a string cannot contain \\0"
					      : "wrong escape sequence in this string";
		return 0;
	}
	append_utf8(out, c);
	return used;
}

size_t crn_scan_string(const char *text, size_t n, crn_str *out, const char **ret_why)
{
	size_t i = 0;
	bool raw = n > 0 && (text[0] == 'r' || text[0] == 'R');
	i += raw;
	if (i >= n || (text[i] != '"' && text[i] != '\'')) {
		*ret_why = "a string is expected";
		return 0;
	}
	char quote = text[i];
	size_t n_quotes = i + 2 < n && text[i + 1] == quote && text[i + 2] == quote ? 3 : 1;
	for (i += n_quotes; i < n; i++) {
		if (text[i] == quote && (n_quotes == 1 || (i + 2 < n && text[i + 1] == quote &&
								  text[i + 2] == quote)))
			return i + n_quotes;
		if (text[i] == '\0') {
			*ret_why = "a string cannot contain a NUL byte";
			return 0;
		}
		if (text[i] == '\n' && n_quotes == 1)
			break;
		if (text[i] == '\\' && raw && i + 1 < n) {
			crn_str_append_n(out, &text[i++], 1);
		} else if (text[i] == '\\') {
			*ret_why = "this string does not end";
			size_t used = scan_escape(text + i + 1, n - i - 1, out, ret_why);
			if (used == 0)
				return 0;
			if (used != SIZE_MAX)
				i += used;
			continue;
		}
		crn_str_append_n(out, &text[i], 1);
	}
	*ret_why = "this string does not end";
	return 0;
}

/* ---- whole literals ---- */

typedef struct reader {
	const char *text; /* whole, for messages */
	const char *at, *end;
	int depth;
} reader;

static void skip_space(reader *r)
{
	while (r->at < r->end && isspace((unsigned char)*r->at))
		r->at++;
}

static cairn_status literal_fail(const reader *r, const char *why, cairn_error *err)
{
	return crn_fail(err, CAIRN_USAGE, "\"%.200s\" is no literal: %s (character %zu)", r->text,
		why, (size_t)(r->at - r->text) + 1);
}

static cairn_status read_literal(reader *r, crn_value *ret, cairn_error *err);

static cairn_status list_push(crn_value *list, crn_value *take_item, cairn_error *err)
{
	/* Grows by doubling: capacity is the power of two at or above n. */
	int n = list->list.n;
	if ((n & (n - 1)) == 0) {
		size_t cap = n == 0 ? 1 : 2 * (size_t)n;
		crn_value *items = crn_realloc_array(list->list.items, cap, sizeof(*items));
		if (!items) {
			crn_value_clear(take_item);
			return crn_fail_memory(err, "a list", cap * sizeof(*items));
		}
		list->list.items = items;
	}
	list->list.items[list->list.n++] = *take_item;
	return CAIRN_OK;
}

/* Items up to `close` ('\0': the end of the text); `first` may hold one already. */
static cairn_status read_items(
	reader *r, char close, crn_value *list, bool *ret_comma, cairn_error *err)
{
	*ret_comma = list->list.n > 0;
	for (;;) {
		skip_space(r);
		if (close ? r->at < r->end && *r->at == close : r->at == r->end) {
			r->at += close != 0;
			return CAIRN_OK;
		}
		if (list->list.n > 0 && !*ret_comma)
			return literal_fail(r, "a comma or the end is expected", err);
		crn_value item = {0};
		CRN_TRY(read_literal(r, &item, err));
		CRN_TRY(list_push(list, &item, err));
		skip_space(r);
		*ret_comma = r->at < r->end && *r->at == ',';
		r->at += *ret_comma;
	}
}

static cairn_status read_sequence(reader *r, crn_value *ret, cairn_error *err)
{
	char open = *r->at++;
	bool comma;
	if (++r->depth > MAX_DEPTH)
		return literal_fail(r, "brackets are nested too deeply", err);
	CRN_VALUE list = {0};
	CRN_TRY(crn_value_list(0, &list, err));
	CRN_TRY(read_items(r, open == '(' ? ')' : ']', &list, &comma, err));
	r->depth--;
	if (open == '(' && list.list.n == 1 && !comma) {
		*ret = list.list.items[0];
		list.list.n = 0;
		return CAIRN_OK;
	}
	*ret = list;
	list.kind = CRN_V_NONE;
	return CAIRN_OK;
}

static cairn_status negate(const reader *r, crn_value *v, cairn_error *err)
{
	if (v->kind == CRN_V_INT && v->i != INT64_MIN)
		v->i = -v->i;
	else if (v->kind == CRN_V_UINT && v->u == (uint64_t)1 << 63)
		*v = crn_value_int(INT64_MIN);
	else if (v->kind == CRN_V_FLOAT)
		v->f = -v->f;
	else
		return literal_fail(r, "this cannot be negated", err);
	return CAIRN_OK;
}

static cairn_status read_word(reader *r, crn_value *ret, cairn_error *err)
{
	static const struct {
		const char *name;
		crn_value value;
	} words[] = {
		{"True", {.kind = CRN_V_BOOL, .b = true}},
		{"False", {.kind = CRN_V_BOOL, .b = false}},
		{"None", {.kind = CRN_V_NONE}},
		{"inf", {.kind = CRN_V_FLOAT, .f = INFINITY}},
		{"nan", {.kind = CRN_V_FLOAT, .f = NAN}},
	};
	size_t n = 0, left = (size_t)(r->end - r->at);
	while (n < left && is_word(r->at[n]))
		n++;
	for (size_t i = 0; i < CRN_COUNT(words); i++)
		if (n == strlen(words[i].name) && memcmp(r->at, words[i].name, n) == 0) {
			r->at += n;
			*ret = words[i].value;
			return CAIRN_OK;
		}
	return literal_fail(
		r, "a number, a quoted text, True, False, None or a tuple is expected", err);
}

static cairn_status read_literal(reader *r, crn_value *ret, cairn_error *err)
{
	skip_space(r);
	size_t left = (size_t)(r->end - r->at), used;
	const char *why = NULL;
	char c = left > 0 ? *r->at : '\0';
	if (c == '(' || c == '[')
		return read_sequence(r, ret, err);
	if (c == '-' || c == '+') {
		r->at++;
		if (++r->depth > MAX_DEPTH)
			return literal_fail(r, "too many signs", err);
		CRN_VALUE v = {0};
		CRN_TRY(read_literal(r, &v, err));
		r->depth--;
		if (!crn_value_is_number(&v))
			return literal_fail(r, "only numbers have a sign", err);
		if (c == '-')
			CRN_TRY(negate(r, &v, err));
		*ret = v;
		return CAIRN_OK;
	}
	if (isdigit((unsigned char)c) ||
		(c == '.' && left > 1 && isdigit((unsigned char)r->at[1]))) {
		used = crn_scan_number(r->at, left, ret, &why);
		if (used == 0)
			return literal_fail(r, why, err);
		r->at += used;
		return CAIRN_OK;
	}
	bool raw = (c == 'r' || c == 'R') && left > 1 && (r->at[1] == '"' || r->at[1] == '\'');
	if (c == '"' || c == '\'' || raw) {
		CRN_STR text = {0};
		used = crn_scan_string(r->at, left, &text, &why);
		if (used == 0)
			return literal_fail(r, why, err);
		if (text.oom)
			return crn_fail_memory(err, "text", used);
		r->at += used;
		return crn_value_str(text.data ? text.data : "", ret, err);
	}
	return read_word(r, ret, err);
}

cairn_status crn_value_parse_literal(const char *text, crn_value *ret, cairn_error *err)
{
	reader r = {.text = text, .at = text, .end = text + strlen(text)};
	CRN_VALUE v = {0};
	CRN_TRY(read_literal(&r, &v, err));
	skip_space(&r);
	if (r.at < r.end && *r.at == ',') {
		/* A bare "1, 2, 2" is a tuple, as in Python. */
		r.at++;
		CRN_VALUE list = {0};
		bool comma;
		CRN_TRY(crn_value_list(0, &list, err));
		CRN_TRY(list_push(&list, &v, err));
		v = (crn_value){0};
		CRN_TRY(read_items(&r, '\0', &list, &comma, err));
		*ret = list;
		list.kind = CRN_V_NONE;
		return CAIRN_OK;
	}
	if (r.at < r.end)
		return literal_fail(&r, "something follows its end", err);
	*ret = v;
	v.kind = CRN_V_NONE;
	return CAIRN_OK;
}

/* ---- nearest names ---- */

int crn_name_distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t na = strlen(a), nb = strlen(b);
	if (na >= LONGEST || nb >= LONGEST)
		return 99;
	int rows[3][LONGEST] = {{0}};
	int *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= nb; j++)
		above[j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			bool same = tolower((unsigned char)a[i - 1]) ==
				    tolower((unsigned char)b[j - 1]);
			int d = above[j - 1] + !same;
			d = above[j] + 1 < d ? above[j] + 1 : d;
			d = row[j - 1] + 1 < d ? row[j - 1] + 1 : d;
			bool swapped =
				i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (swapped && before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			row[j] = d;
		}
		int *next = before;
		before = above;
		above = row;
		row = next;
	}
	return above[nb];
}

const char *crn_nearest_name(const char *name, const char *const *names, int n)
{
	const char *best = NULL;
	int best_distance = 1 + (int)strlen(name) / 3;
	for (int i = 0; i < n; i++) {
		int d = crn_name_distance(name, names[i]);
		if (d < best_distance || (d == best_distance && !best)) {
			best = names[i];
			best_distance = d;
		}
	}
	if (best)
		return best;
	for (int i = 0; i < n && strlen(name) >= 3; i++)
		if (strncmp(names[i], name, strlen(name)) == 0 || strstr(names[i], name))
			return names[i];
	return NULL;
}

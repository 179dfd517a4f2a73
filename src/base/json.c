/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c -- a small exact JSON reader and writer for metadata, journals and plans.
 *
 * Recursive descent over a text of known length; the depth limit bounds the stack, the value and
 * size limits bound the heap. Two things go beyond RFC 8259, because Python writes them into the
 * files we read: the bare words NaN, Infinity and -Infinity are doubles. "-0" is a double, so the
 * sign survives.
 * Threads: pure functions; numbers are read and printed in the C locale whatever the program set.
 * Memory: one block per container and per text, freed by walking the tree.
 */
#include "base/json.h"

#include "base/mem.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_BYTES ((size_t)64 << 20)
#define MAX_VALUES (1 << 20)

typedef struct parser {
	const char *at, *end, *begin;
	int depth, n_values;
	locale_t c_locale;
	cairn_status status; /* for syntax errors */
	cairn_error *err;
} parser;

/* ---- errors ---- */

static cairn_status fail_at(const parser *p, const char *at, const char *what)
{
	int line = 1, column = 1;
	for (const char *c = p->begin; c < at; c++) {
		column = *c == '\n' ? 1 : column + 1;
		line += *c == '\n';
	}
	return crn_fail(p->err, p->status, "JSON, line %d, column %d: %s", line, column, what);
}

static cairn_status fail_here(const parser *p, const char *what)
{
	return fail_at(p, p->at, p->at < p->end ? what : "the text ends too early");
}

/* ---- texts ---- */

static void skip_space(parser *p)
{
	while (p->at < p->end &&
		(*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
		p->at++;
}

/* Length of the well-formed UTF-8 sequence at s (no overlong forms, no surrogates), else 0. */
static int utf8_length(const unsigned char *s, size_t n)
{
	unsigned char c = s[0];
	int len = c < 0x80                ? 1
		  : c >= 0xc2 && c < 0xe0 ? 2
		  : (c & 0xf0) == 0xe0    ? 3
		  : c >= 0xf0 && c < 0xf5 ? 4
					  : 0;
	if (len == 0 || (size_t)len > n)
		return 0;
	for (int i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) ||
		(c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static int utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	int len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (int i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(lead[len] | c);
	return len;
}

/* Four hex digits at s, or -1. */
static int32_t hex4(const char *s, const char *end)
{
	int32_t v = 0;
	for (int i = 0; i < 4; i++) {
		char c = s + i < end ? s[i] : '\0';
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

/* \uXXXX, at the 'u': a pair of surrogates is one character, a lone one becomes U+FFFD. */
static cairn_status parse_unicode(parser *p, char **out)
{
	int32_t c = hex4(p->at + 1, p->end);
	if (c < 0)
		return fail_here(p, "\\u needs four hex digits");
	if (c == 0)
		return fail_here(p, "a text with an embedded NUL is not accepted");
	p->at += 5;
	if (c >= 0xd800 && c < 0xdc00 && p->end - p->at >= 6 && p->at[0] == '\\' &&
		p->at[1] == 'u') {
		int32_t low = hex4(p->at + 2, p->end);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p->at += 6;
		}
	}
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	*out += utf8_put(*out, (uint32_t)c);
	return CAIRN_OK;
}

static cairn_status parse_escape(parser *p, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (p->at >= p->end)
		return fail_here(p, "");
	if (*p->at == 'u')
		return parse_unicode(p, out);
	const char *hit = memchr(from, *p->at, sizeof(from) - 1);
	if (!hit)
		return fail_here(p, "unknown escape in a text");
	*(*out)++ = to[hit - from];
	p->at++;
	return CAIRN_OK;
}

/* Fills `out` (as long as the rest of the text between the quotes, escapes only shrink). */
static cairn_status parse_chars(parser *p, char *out)
{
	while (p->at < p->end && *p->at != '"') {
		if ((unsigned char)*p->at < 0x20)
			return fail_here(p, "control character in a text");
		if (*p->at == '\\') {
			p->at++;
			CRN_TRY(parse_escape(p, &out));
			continue;
		}
		int len = utf8_length((const unsigned char *)p->at, (size_t)(p->end - p->at));
		if (len == 0)
			return fail_here(p, "the text is not UTF-8");
		memcpy(out, p->at, (size_t)len);
		out += len;
		p->at += len;
	}
	if (p->at >= p->end)
		return fail_here(p, "");
	p->at++;
	*out = '\0';
	return CAIRN_OK;
}

static cairn_status parse_text(parser *p, const char **ret)
{
	const char *close = ++p->at;
	while (close < p->end && *close != '"')
		close += *close == '\\' && close + 1 < p->end ? 2 : 1;
	CRN_FREE char *text = crn_alloc((size_t)(close - p->at) + 1);
	if (!text)
		return crn_fail_memory(p->err, "a JSON text", (size_t)(close - p->at));
	CRN_TRY(parse_chars(p, text));
	*ret = crn_steal(&text);
	return CAIRN_OK;
}

/* ---- numbers ---- */

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* End of the number at p->at in JSON's grammar; NULL if it is none. *ret_whole: no '.', no 'e'. */
static const char *number_end(const parser *p, bool *ret_whole)
{
	const char *at = p->at + (*p->at == '-'), *digits = at;
	at = skip_digits(at, p->end);
	if (at == digits || (*digits == '0' && at > digits + 1))
		return NULL;
	*ret_whole = true;
	if (at < p->end && *at == '.') {
		*ret_whole = false;
		digits = ++at;
		at = skip_digits(at, p->end);
		if (at == digits)
			return NULL;
	}
	if (at < p->end && (*at == 'e' || *at == 'E')) {
		*ret_whole = false;
		at++;
		at += at < p->end && (*at == '+' || *at == '-');
		digits = at;
		at = skip_digits(at, p->end);
		if (at == digits)
			return NULL;
	}
	return at;
}

/* True if the digits (optional minus) are an exact int64 or uint64; -0 is neither. */
static bool exact_integer(const char *at, const char *end, crn_json *ret)
{
	bool negative = *at == '-';
	uint64_t v = 0;
	for (at += negative; at < end; at++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*at - '0'), &v))
			return false;
	if (negative && (v == 0 || v > (uint64_t)1 << 63))
		return false;
	if (!negative && v > INT64_MAX) {
		ret->kind = CRN_JSON_UINT;
		ret->u = v;
		return true;
	}
	ret->kind = CRN_JSON_INT;
	ret->u = negative ? -v : v;
	return true;
}

static cairn_status make_double(parser *p, const char *end, crn_json *ret)
{
	char *digits = crn_strndup(p->at, (size_t)(end - p->at));
	if (!digits)
		return crn_fail_memory(p->err, "a JSON number", (size_t)(end - p->at));
	ret->kind = CRN_JSON_DOUBLE;
	ret->text = digits;
	ret->f = strtod_l(digits, NULL, p->c_locale);
	p->at = end;
	return CAIRN_OK;
}

static cairn_status parse_number(parser *p, crn_json *ret)
{
	bool whole;
	const char *end = number_end(p, &whole);
	if (!end)
		return fail_here(p, "this is not a JSON value");
	if (whole && exact_integer(p->at, end, ret)) {
		p->at = end;
		return CAIRN_OK;
	}
	return make_double(p, end, ret);
}

/* ---- values ---- */

static bool take_word(parser *p, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
		return false;
	p->at += n;
	return true;
}

static bool at_word(const parser *p, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(p->end - p->at) >= n && memcmp(p->at, word, n) == 0;
}

static void clear(crn_json *v)
{
	if (v->kind == CRN_JSON_STRING || v->kind == CRN_JSON_DOUBLE)
		crn_free((char *)v->text);
	for (int i = 0; i < v->n; i++) {
		clear(&v->items[i]);
		if (v->keys)
			crn_free((char *)v->keys[i]);
	}
	crn_free(v->items);
	crn_free(v->keys);
	*v = (crn_json){0};
}

/* Room for one more child; arrays grow when the count reaches a power of two. */
static cairn_status add_child(parser *p, crn_json *v)
{
	if (++p->n_values > MAX_VALUES)
		return fail_here(p, "more than 1048576 values");
	bool full = (v->n & (v->n - 1)) == 0;
	if (full) {
		size_t cap = v->n ? 2 * (size_t)v->n : 1;
		crn_json *items = crn_realloc_array(v->items, cap, sizeof(*items));
		if (!items)
			return crn_fail_memory(p->err, "JSON values", cap * sizeof(*items));
		v->items = items;
		if (v->kind == CRN_JSON_OBJECT) {
			const char **keys = crn_realloc_array(v->keys, cap, sizeof(*keys));
			if (!keys)
				return crn_fail_memory(p->err, "JSON keys", cap * sizeof(*keys));
			v->keys = keys;
		}
	}
	v->items[v->n] = (crn_json){0};
	if (v->kind == CRN_JSON_OBJECT)
		v->keys[v->n] = NULL;
	v->n++;
	return CAIRN_OK;
}

static cairn_status parse_value(parser *p, crn_json *ret);

static cairn_status parse_key(parser *p, const char **ret)
{
	if (p->at >= p->end || *p->at != '"')
		return fail_here(p, "expected a \"key\"");
	CRN_TRY(parse_text(p, ret));
	skip_space(p);
	if (p->at >= p->end || *p->at != ':')
		return fail_here(p, "expected ':' after a key");
	p->at++;
	skip_space(p);
	return CAIRN_OK;
}

/* Children up to the closing bracket; what was parsed stays in *ret also on failure. */
static cairn_status parse_children(parser *p, crn_json *ret)
{
	bool object = *p->at == '{';
	char close = object ? '}' : ']';
	ret->kind = object ? CRN_JSON_OBJECT : CRN_JSON_ARRAY;
	p->at++;
	skip_space(p);
	while (p->at < p->end && *p->at != close) {
		CRN_TRY(add_child(p, ret));
		if (object)
			CRN_TRY(parse_key(p, &ret->keys[ret->n - 1]));
		CRN_TRY(parse_value(p, &ret->items[ret->n - 1]));
		skip_space(p);
		if (p->at >= p->end || (*p->at != ',' && *p->at != close))
			return fail_here(p, object ? "expected ',' or '}'" : "expected ',' or ']'");
		if (*p->at == close)
			break;
		p->at++;
		skip_space(p);
		if (p->at < p->end && *p->at == close)
			return fail_here(p, "a comma before the closing bracket");
	}
	if (p->at >= p->end)
		return fail_here(p, "");
	p->at++;
	return CAIRN_OK;
}

static cairn_status parse_value(parser *p, crn_json *ret)
{
	if (p->at >= p->end)
		return fail_here(p, "");
	if (*p->at == '{' || *p->at == '[') {
		if (p->depth == MAX_DEPTH)
			return fail_here(p, "nested deeper than 64 levels");
		p->depth++;
		cairn_status status = parse_children(p, ret);
		p->depth--;
		return status;
	}
	if (*p->at == '"') {
		CRN_TRY(parse_text(p, &ret->text));
		ret->kind = CRN_JSON_STRING;
		return CAIRN_OK;
	}
	if (take_word(p, "null"))
		return CAIRN_OK;
	if (at_word(p, "true") || at_word(p, "false")) {
		ret->kind = CRN_JSON_BOOL;
		ret->b = *p->at == 't';
		p->at += ret->b ? 4 : 5;
		return CAIRN_OK;
	}
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
	for (size_t i = 0; i < CRN_COUNT(words); i++)
		if (at_word(p, words[i]))
			return make_double(p, p->at + strlen(words[i]), ret);
	return parse_number(p, ret);
}

static cairn_status parse_document(parser *p, crn_json *root)
{
	skip_space(p);
	CRN_TRY(parse_value(p, root));
	skip_space(p);
	return p->at == p->end ? CAIRN_OK : fail_at(p, p->at, "text after the end of the value");
}

cairn_status crn_json_parse(
	const char *text, size_t n, cairn_status status, crn_json **ret, cairn_error *err)
{
	if (n > MAX_BYTES)
		return crn_fail(err, status, "JSON of %zu bytes, the limit is %zu", n, MAX_BYTES);
	crn_json *root = crn_calloc(1, sizeof(*root));
	if (!root)
		return crn_fail_memory(err, "a JSON value", sizeof(*root));
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c_locale) {
		crn_free(root);
		return crn_fail_memory(err, "the C locale", sizeof(*root));
	}
	parser p = {.at = text,
		.end = text + n,
		.begin = text,
		.c_locale = c_locale,
		.status = status,
		.err = err};
	cairn_status got = parse_document(&p, root);
	freelocale(c_locale);
	if (got == CAIRN_OK)
		*ret = root;
	else
		crn_json_free(root);
	return got;
}

void crn_json_free(crn_json *root)
{
	if (!root)
		return;
	clear(root);
	crn_free(root);
}

const crn_json *crn_json_get(const crn_json *v, const char *key)
{
	if (!v || v->kind != CRN_JSON_OBJECT)
		return NULL;
	for (int i = v->n - 1; i >= 0; i--)
		if (strcmp(v->keys[i], key) == 0)
			return &v->items[i];
	return NULL;
}

/* ---- writing ---- */

void crn_json_quote(crn_str *out, const char *text)
{
	size_t n = strlen(text);
	crn_str_append(out, "\"");
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)text[i];
		int len = utf8_length((const unsigned char *)text + i, n - i);
		if (c == '"' || c == '\\')
			crn_str_appendf(out, "\\%c", c);
		else if (c == '\n')
			crn_str_append(out, "\\n");
		else if (c == '\t')
			crn_str_append(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			crn_str_appendf(out, "\\u%04x", c);
		else if (len == 0)
			crn_str_append(out, "\xef\xbf\xbd");
		else
			crn_str_append_n(out, text + i, (size_t)len);
		i += len ? (size_t)len : 1;
	}
	crn_str_append(out, "\"");
}

void crn_json_double(crn_str *out, double v)
{
	if (isnan(v) || isinf(v)) {
		crn_str_append(out, isnan(v) ? "\"NaN\""
				    : v > 0  ? "\"Infinity\""
					     : "\"-Infinity\"");
		return;
	}
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c_locale) {
		out->oom = true;
		return;
	}
	locale_t before = uselocale(c_locale);
	char text[40];
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	uselocale(before);
	freelocale(c_locale);
	crn_str_append(out, text);
	if (!strpbrk(text, ".e"))
		crn_str_append(out, ".0");
}

static void print_children(crn_str *out, const crn_json *v)
{
	bool object = v->kind == CRN_JSON_OBJECT;
	crn_str_append(out, object ? "{" : "[");
	for (int i = 0; i < v->n; i++) {
		crn_str_append(out, i ? ", " : "");
		if (object) {
			crn_json_quote(out, v->keys[i]);
			crn_str_append(out, ": ");
		}
		crn_json_print(out, &v->items[i]);
	}
	crn_str_append(out, object ? "}" : "]");
}

void crn_json_print(crn_str *out, const crn_json *v)
{
	switch (v->kind) {
	case CRN_JSON_NULL:
		crn_str_append(out, "null");
		break;
	case CRN_JSON_BOOL:
		crn_str_append(out, v->b ? "true" : "false");
		break;
	case CRN_JSON_INT:
		crn_str_appendf(out, "%lld", (long long)v->i);
		break;
	case CRN_JSON_UINT:
		crn_str_appendf(out, "%llu", (unsigned long long)v->u);
		break;
	case CRN_JSON_DOUBLE:
		crn_str_append(out, v->text);
		break;
	case CRN_JSON_STRING:
		crn_json_quote(out, v->text);
		break;
	case CRN_JSON_ARRAY:
	case CRN_JSON_OBJECT:
		print_children(out, v);
		break;
	}
}

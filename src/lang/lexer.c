/* SPDX-License-Identifier: Apache-2.0
 *
 * lexer.c -- pipeline text to tokens, on demand.
 *
 * Newlines end statements except inside brackets and after a backslash, as in Python. Operators
 * that Python has and cairn has not are tokens of their own kind, so that the parser can name them.
 */
#include "lang/script.h"

#include "base/mem.h"
#include "core/literal.h"

#include <ctype.h>
#include <string.h>

static const char *const texts[] = {
	[CRN_TOK_END] = "the end of the text",
	[CRN_TOK_NEWLINE] = "the end of the line",
	[CRN_TOK_NAME] = "a name",
	[CRN_TOK_NUMBER] = "a number",
	[CRN_TOK_STRING] = "a text",
	[CRN_TOK_ELLIPSIS] = "...",
	[CRN_TOK_POWER] = "**",
	[CRN_TOK_FLOOR] = "//",
	[CRN_TOK_EQ] = "==",
	[CRN_TOK_NE] = "!=",
	[CRN_TOK_LE] = "<=",
	[CRN_TOK_GE] = ">=",
	[CRN_TOK_LT] = "<",
	[CRN_TOK_GT] = ">",
	[CRN_TOK_ADD] = "+",
	[CRN_TOK_SUB] = "-",
	[CRN_TOK_MUL] = "*",
	[CRN_TOK_DIV] = "/",
	[CRN_TOK_MOD] = "%",
	[CRN_TOK_AND] = "&",
	[CRN_TOK_OR] = "|",
	[CRN_TOK_XOR] = "^",
	[CRN_TOK_NOT] = "~",
	[CRN_TOK_OPEN] = "(",
	[CRN_TOK_CLOSE] = ")",
	[CRN_TOK_OPEN_INDEX] = "[",
	[CRN_TOK_CLOSE_INDEX] = "]",
	[CRN_TOK_COMMA] = ",",
	[CRN_TOK_DOT] = ".",
	[CRN_TOK_COLON] = ":",
	[CRN_TOK_ASSIGN] = "=",
	[CRN_TOK_REFUSED] = "this operator",
};

const char *crn_token_text(crn_token_kind kind)
{
	return texts[kind];
}

/* Tried before the operators above, so the longest match wins. */
static const char *const refused[] = {"**=", "//=", "<<=", ">>=", "<<", ">>",
	"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":=", "->", "@", "{", "}", "!", "$",
	"?", "`"};

static bool starts(const crn_lexer *l, const char *text)
{
	size_t n = strlen(text);
	return l->text->n - l->at >= n && memcmp(l->text->data + l->at, text, n) == 0;
}

static bool is_name_byte(char c, bool first)
{
	unsigned char u = (unsigned char)c;
	return u >= 0x80 || u == '_' || isalpha(u) || (!first && isdigit(u));
}

/* Blanks, comments, continued lines; newlines too when they do not count. */
static void skip_blanks(crn_lexer *l)
{
	const char *s = l->text->data;
	while (l->at < l->text->n) {
		char c = s[l->at];
		bool newline = c == '\n' || c == '\r';
		if (c == ' ' || c == '\t' || c == '\f' || (newline && l->depth > 0)) {
			l->at++;
		} else if (c == '#') {
			while (l->at < l->text->n && s[l->at] != '\n')
				l->at++;
		} else if (starts(l, "\\\n")) {
			l->at += 2;
		} else if (starts(l, "\\\r\n")) {
			l->at += 3;
		} else {
			return;
		}
	}
}

static cairn_status string_prefix(const crn_lexer *l, size_t n, cairn_error *err)
{
	const char *s = l->text->data + l->at;
	for (size_t i = 0; i < n; i++)
		if (s[i] == 'f' || s[i] == 'F') {
			cairn_status status = crn_script_fail(l->text, l->at, err,
				"f-strings are not part of the pipeline language");
			crn_hint(err, "join texts with +");
			return status;
		}
	return crn_script_fail(l->text, l->at, err,
		"the string prefix %.*s is not part of the pipeline language", (int)n, s);
}

static cairn_status take_string(crn_lexer *l, crn_token *ret, cairn_error *err)
{
	CRN_STR text = {0};
	const char *why = NULL;
	size_t used = crn_scan_string(l->text->data + l->at, l->text->n - l->at, &text, &why);
	if (used == 0)
		return crn_script_fail(l->text, l->at, err, "%s", why);
	*ret = (crn_token){.kind = CRN_TOK_STRING, .len = used};
	return CAIRN_OK;
}

static cairn_status take_word(crn_lexer *l, crn_token *ret, cairn_error *err)
{
	const char *s = l->text->data;
	size_t n = 1;
	while (l->at + n < l->text->n && is_name_byte(s[l->at + n], false))
		n++;
	bool quoted = l->at + n < l->text->n && (s[l->at + n] == '"' || s[l->at + n] == '\'');
	if (quoted && n == 1 && (s[l->at] == 'r' || s[l->at] == 'R'))
		return take_string(l, ret, err);
	if (quoted && n <= 2)
		return string_prefix(l, n, err);
	if (n > 255)
		return crn_script_fail(l->text, l->at, err, "this name is too long");
	*ret = (crn_token){.kind = CRN_TOK_NAME, .len = n};
	return CAIRN_OK;
}

static cairn_status track_brackets(crn_lexer *l, crn_token_kind kind, cairn_error *err)
{
	bool opens = kind == CRN_TOK_OPEN || kind == CRN_TOK_OPEN_INDEX;
	bool closes = kind == CRN_TOK_CLOSE || kind == CRN_TOK_CLOSE_INDEX;
	if (opens) {
		if (l->depth == CRN_SCRIPT_MAX_DEPTH)
			return crn_script_fail(
				l->text, l->at, err, "brackets are nested too deeply");
		l->open[l->depth++] = l->at;
	} else if (closes) {
		char wanted = kind == CRN_TOK_CLOSE ? '(' : '[';
		if (l->depth == 0)
			return crn_script_fail(l->text, l->at, err, "this bracket closes nothing");
		if (l->text->data[l->open[l->depth - 1]] != wanted)
			return crn_script_fail(l->text, l->at, err,
				"this bracket does not match the '%c' that is open",
				l->text->data[l->open[l->depth - 1]]);
		l->depth--;
	}
	return CAIRN_OK;
}

static cairn_status take_operator(crn_lexer *l, crn_token *ret, cairn_error *err)
{
	for (crn_token_kind k = CRN_TOK_ELLIPSIS; k <= CRN_TOK_POWER; k++)
		if (starts(l, texts[k]) && !starts(l, "**=")) {
			*ret = (crn_token){.kind = k, .len = strlen(texts[k])};
			return CAIRN_OK;
		}
	if (starts(l, "!=")) {
		*ret = (crn_token){.kind = CRN_TOK_NE, .len = 2};
		return CAIRN_OK;
	}
	for (size_t i = 0; i < CRN_COUNT(refused); i++)
		if (starts(l, refused[i])) {
			*ret = (crn_token){.kind = CRN_TOK_REFUSED, .len = strlen(refused[i])};
			return CAIRN_OK;
		}
	for (crn_token_kind k = CRN_TOK_ELLIPSIS; k < CRN_TOK_REFUSED; k++)
		if (starts(l, texts[k])) {
			*ret = (crn_token){.kind = k, .len = strlen(texts[k])};
			return track_brackets(l, k, err);
		}
	unsigned char c = (unsigned char)l->text->data[l->at];
	if (c >= 0x20 && c < 0x7f)
		return crn_script_fail(l->text, l->at, err, "unexpected character '%c'", c);
	return crn_script_fail(l->text, l->at, err, "unexpected byte 0x%02x", c);
}

static cairn_status take_number(crn_lexer *l, crn_token *ret, cairn_error *err)
{
	crn_value v;
	const char *why = NULL;
	size_t used = crn_scan_number(l->text->data + l->at, l->text->n - l->at, &v, &why);
	if (used == 0)
		return crn_script_fail(l->text, l->at, err, "%s", why);
	*ret = (crn_token){.kind = CRN_TOK_NUMBER, .len = used};
	return CAIRN_OK;
}

static cairn_status take(crn_lexer *l, crn_token *ret, cairn_error *err)
{
	const char *s = l->text->data + l->at;
	if (l->at >= l->text->n) {
		*ret = (crn_token){.kind = CRN_TOK_END};
		if (l->depth > 0)
			return crn_script_fail(l->text, l->open[l->depth - 1], err,
				"this '%c' is never closed", l->text->data[l->open[l->depth - 1]]);
		return CAIRN_OK;
	}
	if (*s == '\n' || *s == '\r' || (*s == ';' && l->depth == 0)) {
		*ret = (crn_token){.kind = CRN_TOK_NEWLINE, .len = 1};
		return CAIRN_OK;
	}
	if (*s == '"' || *s == '\'')
		return take_string(l, ret, err);
	if (is_name_byte(*s, true))
		return take_word(l, ret, err);
	bool digit_next = l->at + 1 < l->text->n && isdigit((unsigned char)s[1]);
	if (isdigit((unsigned char)*s) || (*s == '.' && digit_next))
		return take_number(l, ret, err);
	return take_operator(l, ret, err);
}

cairn_status crn_lexer_next(crn_lexer *l, crn_token *ret, cairn_error *err)
{
	crn_token t = {0};
	bool start = l->at == 0 || l->line_start;
	skip_blanks(l);
	size_t offset = l->at;
	CRN_TRY(take(l, &t, err));
	t.offset = offset;
	t.first = start;
	l->line_start = t.kind == CRN_TOK_NEWLINE && l->text->data[offset] != ';';
	l->at += t.len;
	*ret = t;
	return CAIRN_OK;
}

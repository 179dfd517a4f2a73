/* SPDX-License-Identifier: Apache-2.0
 *
 * refusals.c -- what Python has and the pipeline language has not, each with what to write instead.
 *
 * One table of words, one of operators; and the token helpers of the parser, whose errors use them.
 */
#include "lang/parser.h"

#include "base/mem.h"

#include <string.h>

bool crn_parser_word_is(const crn_parser *p, const char *word)
{
	return p->now.kind == CRN_TOK_NAME && strlen(word) == p->now.len &&
	       memcmp(p->text->data + p->now.offset, word, p->now.len) == 0;
}

cairn_status crn_parser_advance(crn_parser *p, cairn_error *err)
{
	return crn_lexer_next(&p->lexer, &p->now, err);
}

/* ---- refusals ---- */

typedef struct refusal {
	const char *word, *what, *hint;
} refusal;

static const char loops[] = "for loops and functions use the Python module";

static const refusal refusals[] = {
	{"and", "'and' does not work on arrays", "use & with brackets: (a > 1) & (b < 2)"},
	{"or", "'or' does not work on arrays", "use | with brackets: (a > 1) | (b < 2)"},
	{"not", "'not' does not work on arrays", "use ~: ~(a > 1)"},
	{"in", "'in' is not part of the pipeline language", "compare with =="},
	{"is", "'is' is not part of the pipeline language", "compare with =="},
	{"if", "'if' is not part of the pipeline language",
		"choose voxel by voxel with where(condition, a, b)"},
	{"elif", "'elif' is not part of the pipeline language",
		"choose voxel by voxel with where(condition, a, b)"},
	{"else", "'else' is not part of the pipeline language",
		"choose voxel by voxel with where(condition, a, b)"},
	{"for", "loops and comprehensions are not part of the pipeline language", loops},
	{"while", "loops are not part of the pipeline language", loops},
	{"def", "defining functions is not part of the pipeline language", loops},
	{"lambda", "lambda is not part of the pipeline language", loops},
	{"class", "classes are not part of the pipeline language", loops},
	{"return", "'return' is not part of the pipeline language", loops},
	{"with", "'with' is not part of the pipeline language", loops},
	{"try", "'try' is not part of the pipeline language", loops},
	{"except", "'except' is not part of the pipeline language", loops},
	{"finally", "'finally' is not part of the pipeline language", loops},
	{"raise", "'raise' is not part of the pipeline language", loops},
	{"assert", "'assert' is not part of the pipeline language", loops},
	{"del", "'del' is not part of the pipeline language",
		"nothing is held in memory: leave it out"},
	{"pass", "'pass' is not part of the pipeline language", "leave it out"},
	{"break", "loops are not part of the pipeline language", loops},
	{"continue", "loops are not part of the pipeline language", loops},
	{"global", "'global' is not part of the pipeline language", loops},
	{"nonlocal", "'nonlocal' is not part of the pipeline language", loops},
	{"yield", "'yield' is not part of the pipeline language", loops},
	{"async", "'async' is not part of the pipeline language", loops},
	{"await", "'await' is not part of the pipeline language", loops},
	{"import", "'import' is not part of an expression", "put imports on lines of their own"},
	{"from", "'from' is not part of an expression", "put imports on lines of their own"},
	{"as", "'as' is not part of the pipeline language", "use name = expression"},
};

static const refusal refused_operators[] = {
	{"{", "dictionaries and sets are not part of the pipeline language",
		"give options as keywords: f(x, name=value)"},
	{"@", "the matrix product is not part of the pipeline language", ""},
	{"<<", "shifts are not part of the pipeline language", "multiply by a power of two"},
	{">>", "shifts are not part of the pipeline language", "divide with // by a power of two"},
	{":=", "':=' is not part of the pipeline language",
		"put name = expression on a line of its own"},
	{"->", "'->' is not part of the pipeline language", ""},
	{"!", "'!' is no operator", "negate masks with ~"},
};

static cairn_status refuse(const crn_parser *p, const refusal *r, size_t offset, cairn_error *err)
{
	cairn_status status = crn_script_fail(p->text, offset, err, "%s", r->what);
	if (r->hint[0])
		crn_hint(err, "%s", r->hint);
	return status;
}

/* Is the next token a word or operator that Python has and cairn has not? */
static const refusal *find_refusal(const crn_parser *p)
{
	const char *s = p->text->data + p->now.offset;
	if (p->now.kind == CRN_TOK_NAME)
		for (size_t i = 0; i < CRN_COUNT(refusals); i++)
			if (crn_parser_word_is(p, refusals[i].word))
				return &refusals[i];
	if (p->now.kind == CRN_TOK_REFUSED)
		for (size_t i = 0; i < CRN_COUNT(refused_operators); i++)
			if (strlen(refused_operators[i].word) == p->now.len &&
				memcmp(s, refused_operators[i].word, p->now.len) == 0)
				return &refused_operators[i];
	return NULL;
}

cairn_status crn_parser_unexpected(const crn_parser *p, const char *wanted, cairn_error *err)
{
	const char *s = p->text->data + p->now.offset;
	const refusal *r = find_refusal(p);
	if (r)
		return refuse(p, r, p->now.offset, err);
	if (p->now.kind == CRN_TOK_REFUSED && s[p->now.len - 1] == '=') {
		cairn_status status = crn_script_fail(p->text, p->now.offset, err,
			"'%.*s' is not part of the pipeline language", (int)p->now.len, s);
		crn_hint(err, "write name = name %.*s value", (int)p->now.len - 1, s);
		return status;
	}
	if (p->now.kind == CRN_TOK_NEWLINE || p->now.kind == CRN_TOK_END)
		return crn_script_fail(p->text, p->now.offset, err, "%s is expected before %s",
			wanted, crn_token_text(p->now.kind));
	int shown = p->now.len < 40 ? (int)p->now.len : 40;
	return crn_script_fail(
		p->text, p->now.offset, err, "%s is expected, not %.*s", wanted, shown, s);
}

cairn_status crn_parser_expect(crn_parser *p, crn_token_kind kind, cairn_error *err)
{
	char wanted[32];
	if (p->now.kind == kind)
		return crn_parser_advance(p, err);
	const char *text = crn_token_text(kind);
	size_t n = strlen(text);
	/* '(' and ')' are quoted, "a name" is not. */
	wanted[0] = '\'';
	memcpy(wanted + 1, text, n);
	memcpy(wanted + 1 + n, "'", 2);
	return crn_parser_unexpected(p, n <= 3 ? wanted : text, err);
}

bool crn_parser_refused(const crn_parser *p)
{
	return find_refusal(p) != NULL;
}

cairn_status crn_parser_take_name(crn_parser *p, char **ret, cairn_error *err)
{
	if (p->now.kind != CRN_TOK_NAME || find_refusal(p))
		return crn_parser_unexpected(p, "a name", err);
	CRN_FREE char *name = crn_strndup(p->text->data + p->now.offset, p->now.len);
	if (!name)
		return crn_fail_memory(err, "a name", p->now.len);
	CRN_TRY(crn_parser_advance(p, err));
	*ret = crn_steal(&name);
	return CAIRN_OK;
}

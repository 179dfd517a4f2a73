/* SPDX-License-Identifier: Apache-2.0
 *
 * parser.h -- what the files of the parser share: its state, tokens in and tree nodes out.
 *
 *	statements.c ── parser.c (expressions) ── refusals.c (what is not part of the language) ──
 *lexer.c
 */
#ifndef CRN_LANG_PARSER_H
#define CRN_LANG_PARSER_H

#include "lang/script.h"

typedef struct crn_parser {
	crn_script *script;
	const crn_script_text *text;
	crn_lexer lexer;
	crn_token now; /* next token, not yet used */
	int nesting;   /* of expressions: bounds the parser's own recursion */
	int indent;    /* column of the first statement, 0 before it */
	int capacity;  /* of script->statements */
} crn_parser;

/** Is the next token this word? */
bool crn_parser_word_is(const crn_parser *p, const char *word);
/** Is it a word or operator that Python has and cairn has not? */
bool crn_parser_refused(const crn_parser *p);
CRN_CHECKED cairn_status crn_parser_advance(crn_parser *p, cairn_error *err);
/** Uses a token of this kind; USAGE if the next one is another. */
CRN_CHECKED cairn_status crn_parser_expect(crn_parser *p, crn_token_kind kind, cairn_error *err);
/** The error for a next token that does not go here; `wanted` is "a value", "',' or ')'". */
cairn_status crn_parser_unexpected(const crn_parser *p, const char *wanted, cairn_error *err);
CRN_CHECKED cairn_status crn_parser_take_name(crn_parser *p, char **ret, cairn_error *err);
/** New tree node, kept by the script also when parsing fails. */
CRN_CHECKED cairn_status crn_parser_node(
	crn_parser *p, crn_ast_kind kind, size_t offset, crn_ast **ret, cairn_error *err);
/** An expression, or several with commas: a tuple without brackets. */
CRN_CHECKED cairn_status crn_parser_tuple(crn_parser *p, crn_ast **ret, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * script.h -- a pipeline text as a tree: what the parser makes and the evaluator walks.
 *
 *	text ── lexer (tokens) ── parser (statements of expressions) ── evaluator (graph nodes)
 *
 * Every tree node knows the byte offset of its text, so that each later error can point at it.
 * Hostile text costs an error and nothing else: length, number of statements and depth have
 * limits, and depth bounds all recursion below.
 */
#ifndef CRN_LANG_SCRIPT_H
#define CRN_LANG_SCRIPT_H

#include "core/value.h"

enum {
	CRN_SCRIPT_MAX_BYTES = 1 << 20,
	CRN_SCRIPT_MAX_STATEMENTS = 10000,
	CRN_SCRIPT_MAX_DEPTH = 200,
};

/** The text errors point into. */
typedef struct crn_script_text {
	const char *name; /* "wf.py", or NULL for a text from the command line */
	const char *data; /* n bytes, terminated */
	size_t n;
} crn_script_text;

/** Line and column, from 1; columns count characters, not bytes. */
void crn_script_position(const crn_script_text *t, size_t offset, int *ret_line, int *ret_column);
/** Starts an error (USAGE) that shows the place: "line 3, column 9: MESSAGE", the line, a caret. */
cairn_status crn_script_fail(const crn_script_text *t, size_t offset, cairn_error *err,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/** Adds the place to an error made by a lower layer; its status, where and hint stay. */
void crn_script_locate(const crn_script_text *t, size_t offset, cairn_error *err);

/* ---- tokens ---- */

/* Operators in the order of crn_token_text(); longer ones first where one starts another. */
typedef enum crn_token_kind {
	CRN_TOK_END,
	CRN_TOK_NEWLINE, /* also ';' */
	CRN_TOK_NAME,
	CRN_TOK_NUMBER,
	CRN_TOK_STRING,
	CRN_TOK_ELLIPSIS,
	CRN_TOK_POWER,
	CRN_TOK_FLOOR,
	CRN_TOK_EQ,
	CRN_TOK_NE,
	CRN_TOK_LE,
	CRN_TOK_GE,
	CRN_TOK_LT,
	CRN_TOK_GT,
	CRN_TOK_ADD,
	CRN_TOK_SUB,
	CRN_TOK_MUL,
	CRN_TOK_DIV,
	CRN_TOK_MOD,
	CRN_TOK_AND,
	CRN_TOK_OR,
	CRN_TOK_XOR,
	CRN_TOK_NOT,
	CRN_TOK_OPEN,
	CRN_TOK_CLOSE,
	CRN_TOK_OPEN_INDEX,
	CRN_TOK_CLOSE_INDEX,
	CRN_TOK_COMMA,
	CRN_TOK_DOT,
	CRN_TOK_COLON,
	CRN_TOK_ASSIGN,
	CRN_TOK_REFUSED, /* an operator Python has and cairn does not: += := @ << -> { } ... */
} crn_token_kind;

typedef struct crn_token {
	crn_token_kind kind;
	size_t offset, len;
	bool first; /* first token of its line */
} crn_token;

typedef struct crn_lexer {
	const crn_script_text *text;
	size_t at;
	int depth;                         /* open brackets: newlines inside do not count */
	size_t open[CRN_SCRIPT_MAX_DEPTH]; /* where they are */
	bool line_start;
} crn_lexer;

CRN_CHECKED cairn_status crn_lexer_next(crn_lexer *l, crn_token *ret, cairn_error *err);
/** "**", "a name", ...: for messages. */
const char *crn_token_text(crn_token_kind kind);

/* ---- the tree ---- */

typedef enum crn_ast_kind {
	CRN_AST_LITERAL, /* value: number, text, bool or None */
	CRN_AST_ELLIPSIS,
	CRN_AST_NAME,
	CRN_AST_LIST,   /* tuple or list: items */
	CRN_AST_CALL,   /* items[0] callee, then arguments; names[i] of argument i + 1 or NULL */
	CRN_AST_MEMBER, /* items[0].name */
	CRN_AST_INDEX,  /* items[0][items[1], ...] */
	CRN_AST_SLICE,  /* items[0]:items[1]:items[2], each may be NULL */
	CRN_AST_UNARY,  /* op items[0] */
	CRN_AST_BINARY, /* items[0] op items[1] */
} crn_ast_kind;

typedef struct crn_ast crn_ast;
struct crn_ast {
	crn_ast_kind kind;
	crn_token_kind op;
	size_t offset; /* MEMBER: of the name; CALL: of the callee's name; BINARY: of the operator
			*/
	int depth;
	bool in_brackets;
	crn_value value;
	char *name;
	crn_ast **items;
	char **names;
	int n, cap;
	crn_ast *older; /* all nodes of a script are one chain, newest first */
};

typedef struct crn_statement {
	enum { CRN_STMT_ASSIGN, CRN_STMT_EXPRESSION, CRN_STMT_MODULE } kind;
	size_t offset;
	const char *name; /* ASSIGN: the target; MODULE: the name `import cairn as NAME` gives */
	const crn_ast *value;
} crn_statement;

typedef struct crn_script {
	crn_script_text text; /* name and data owned */
	crn_statement *statements;
	int n_statements;
	crn_ast *newest;
} crn_script;

/** Parses `n` bytes. `name` (may be NULL) is what messages call the text. */
CRN_CHECKED cairn_status crn_script_parse(
	const char *data, size_t n, const char *name, crn_script **ret, cairn_error *err);
void crn_script_free(crn_script *s); /* NULL is fine */
/** Is this a literal: number, text, True, False, None, signed numbers, tuples of those? */
bool crn_ast_is_literal(const crn_ast *a);

#endif

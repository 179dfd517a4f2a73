/* SPDX-License-Identifier: Apache-2.0
 *
 * parser.c -- tokens to expressions, with Python's precedence.
 *
 * Precedence climbing over one table of binary operators.
 *
 * Invariants
 *  (1) A node's depth is one more than its deepest child and at most CRN_SCRIPT_MAX_DEPTH, so
 * walking a tree recursively is safe; the parser's own recursion is bounded by `nesting`. (2) All
 * nodes of a script are in its chain, also when parsing fails half way.
 */
#include "lang/parser.h"

#include "base/mem.h"
#include "core/literal.h"

#include <string.h>

/* ---- nodes ---- */

cairn_status crn_parser_node(
	crn_parser *p, crn_ast_kind kind, size_t offset, crn_ast **ret, cairn_error *err)
{
	crn_ast *a = crn_calloc(1, sizeof(*a));
	if (!a)
		return crn_fail_memory(err, "a pipeline text", sizeof(*a));
	a->kind = kind;
	a->offset = offset;
	a->depth = 1;
	a->older = p->script->newest;
	p->script->newest = a;
	*ret = a;
	return CAIRN_OK;
}

/* child may be NULL (an omitted part of a slice). name: of a keyword argument, ownership taken. */
static cairn_status add_child(
	crn_parser *p, crn_ast *a, crn_ast *child, char *take_name, cairn_error *err)
{
	CRN_FREE char *name = take_name;
	if (a->n == a->cap) {
		int cap = a->cap ? 2 * a->cap : 4;
		crn_ast **items = crn_realloc_array(a->items, (size_t)cap, sizeof(*items));
		if (!items)
			return crn_fail_memory(err, "a pipeline text", (size_t)cap);
		a->items = items;
		char **names = crn_realloc_array(a->names, (size_t)cap, sizeof(*names));
		if (!names)
			return crn_fail_memory(err, "a pipeline text", (size_t)cap);
		a->names = names;
		a->cap = cap;
	}
	if (child && child->depth >= a->depth)
		a->depth = child->depth + 1;
	if (a->depth > CRN_SCRIPT_MAX_DEPTH) {
		cairn_status status =
			crn_script_fail(p->text, a->offset, err, "this expression is too deep");
		crn_hint(err, "give its parts names");
		return status;
	}
	a->items[a->n] = child;
	a->names[a->n++] = crn_steal(&name);
	return CAIRN_OK;
}

/* ---- expressions ---- */

static cairn_status parse_expression(crn_parser *p, int floor, crn_ast **ret, cairn_error *err);

static cairn_status parse_number(crn_parser *p, crn_ast *a, cairn_error *err)
{
	const char *why = NULL;
	(void)crn_scan_number(p->text->data + p->now.offset, p->now.len, &a->value, &why);
	return crn_parser_advance(p, err);
}

/* Strings side by side are one string. */
static cairn_status parse_string(crn_parser *p, crn_ast *a, cairn_error *err)
{
	CRN_STR text = {0};
	const char *why = NULL;
	while (p->now.kind == CRN_TOK_STRING) {
		(void)crn_scan_string(p->text->data + p->now.offset, p->now.len, &text, &why);
		CRN_TRY(crn_parser_advance(p, err));
	}
	if (text.oom)
		return crn_fail_memory(err, "text", text.len);
	return crn_value_str(text.data ? text.data : "", &a->value, err);
}

static cairn_status parse_name(crn_parser *p, crn_ast *a, cairn_error *err)
{
	static const char *const words[] = {"None", "False", "True"};
	for (int i = 0; i < 3; i++)
		if (crn_parser_word_is(p, words[i])) {
			a->kind = CRN_AST_LITERAL;
			a->value = i > 0 ? crn_value_bool(i == 2) : (crn_value){0};
			return crn_parser_advance(p, err);
		}
	return crn_parser_take_name(p, &a->name, err);
}

/* Items up to the closing token, which is not used; a comma may follow the last. */
static cairn_status parse_items(
	crn_parser *p, crn_token_kind close, crn_ast *list, bool *ret_comma, cairn_error *err)
{
	*ret_comma = false;
	while (p->now.kind != close) {
		crn_ast *item = NULL;
		CRN_TRY(parse_expression(p, 0, &item, err));
		CRN_TRY(add_child(p, list, item, NULL, err));
		*ret_comma = p->now.kind == CRN_TOK_COMMA;
		if (!*ret_comma)
			break;
		CRN_TRY(crn_parser_advance(p, err));
	}
	return CAIRN_OK;
}

static cairn_status parse_brackets(crn_parser *p, crn_ast **ret, cairn_error *err)
{
	bool tuple = p->now.kind == CRN_TOK_OPEN, comma;
	crn_token_kind close = tuple ? CRN_TOK_CLOSE : CRN_TOK_CLOSE_INDEX;
	crn_ast *list = NULL;
	CRN_TRY(crn_parser_node(p, CRN_AST_LIST, p->now.offset, &list, err));
	CRN_TRY(crn_parser_advance(p, err));
	CRN_TRY(parse_items(p, close, list, &comma, err));
	if (p->now.kind != close)
		return crn_parser_unexpected(p, tuple ? "',' or ')'" : "',' or ']'", err);
	CRN_TRY(crn_parser_advance(p, err));
	*ret = tuple && list->n == 1 && !comma ? list->items[0] : list;
	(*ret)->in_brackets = true;
	return CAIRN_OK;
}

static cairn_status parse_atom(crn_parser *p, crn_ast **ret, cairn_error *err)
{
	crn_ast *a = NULL;
	switch (p->now.kind) {
	case CRN_TOK_OPEN:
	case CRN_TOK_OPEN_INDEX:
		return parse_brackets(p, ret, err);
	case CRN_TOK_NUMBER:
		CRN_TRY(crn_parser_node(p, CRN_AST_LITERAL, p->now.offset, &a, err));
		CRN_TRY(parse_number(p, a, err));
		break;
	case CRN_TOK_STRING:
		CRN_TRY(crn_parser_node(p, CRN_AST_LITERAL, p->now.offset, &a, err));
		CRN_TRY(parse_string(p, a, err));
		break;
	case CRN_TOK_ELLIPSIS:
		CRN_TRY(crn_parser_node(p, CRN_AST_ELLIPSIS, p->now.offset, &a, err));
		CRN_TRY(crn_parser_advance(p, err));
		break;
	case CRN_TOK_NAME:
		if (crn_parser_refused(p))
			return crn_parser_unexpected(p, "a value", err);
		CRN_TRY(crn_parser_node(p, CRN_AST_NAME, p->now.offset, &a, err));
		CRN_TRY(parse_name(p, a, err));
		break;
	default:
		return crn_parser_unexpected(p, "a value", err);
	}
	*ret = a;
	return CAIRN_OK;
}

/* "name=" of a keyword argument: taken back as a plain name when no '=' follows. */
static cairn_status parse_argument(crn_parser *p, crn_ast *call, bool *keywords, cairn_error *err)
{
	size_t offset = p->now.offset;
	if (p->now.kind == CRN_TOK_MUL || p->now.kind == CRN_TOK_POWER)
		return crn_script_fail(p->text, offset, err,
			"unpacking with %s is not part of the pipeline language",
			crn_token_text(p->now.kind));
	crn_ast *value = NULL;
	CRN_TRY(parse_expression(p, 0, &value, err));
	bool keyword = p->now.kind == CRN_TOK_ASSIGN;
	if (keyword && (value->kind != CRN_AST_NAME || value->in_brackets))
		return crn_script_fail(p->text, offset, err,
			"the part before '=' must be the name of a parameter");
	if (!keyword && *keywords)
		return crn_script_fail(
			p->text, offset, err, "arguments by position come before those by name");
	if (!keyword)
		return add_child(p, call, value, NULL, err);
	*keywords = true;
	char *name = crn_steal(&value->name);
	value->kind = CRN_AST_LITERAL; /* emptied, stays in the chain until the end */
	cairn_status status = crn_parser_advance(p, err);
	if (status == CAIRN_OK)
		status = parse_expression(p, 0, &value, err);
	if (status == CAIRN_OK)
		return add_child(p, call, value, name, err);
	crn_free(name);
	return status;
}

static cairn_status parse_call(crn_parser *p, crn_ast *callee, crn_ast **ret, cairn_error *err)
{
	crn_ast *call = NULL;
	bool keywords = false;
	CRN_TRY(crn_parser_node(p, CRN_AST_CALL, callee->offset, &call, err));
	CRN_TRY(add_child(p, call, callee, NULL, err));
	CRN_TRY(crn_parser_advance(p, err));
	while (p->now.kind != CRN_TOK_CLOSE) {
		CRN_TRY(parse_argument(p, call, &keywords, err));
		if (p->now.kind != CRN_TOK_COMMA)
			break;
		CRN_TRY(crn_parser_advance(p, err));
	}
	if (p->now.kind != CRN_TOK_CLOSE)
		return crn_parser_unexpected(p, "',' or ')'", err);
	*ret = call;
	return crn_parser_advance(p, err);
}

/* One entry of an index: expression, or start:stop:step with parts left out. */
static cairn_status parse_slice(crn_parser *p, crn_ast **ret, cairn_error *err)
{
	crn_ast *parts[3] = {NULL, NULL, NULL}, *slice = NULL;
	size_t offset = p->now.offset;
	int n = 0;
	for (;;) {
		bool empty = p->now.kind == CRN_TOK_COLON || p->now.kind == CRN_TOK_COMMA ||
			     p->now.kind == CRN_TOK_CLOSE_INDEX;
		if (!empty)
			CRN_TRY(parse_expression(p, 0, &parts[n], err));
		if (p->now.kind != CRN_TOK_COLON || n == 2)
			break;
		CRN_TRY(crn_parser_advance(p, err));
		n++;
	}
	if (n == 0 && !parts[0])
		return crn_parser_unexpected(p, "an index", err);
	if (n == 0) {
		*ret = parts[0];
		return CAIRN_OK;
	}
	CRN_TRY(crn_parser_node(p, CRN_AST_SLICE, offset, &slice, err));
	for (int i = 0; i < 3; i++)
		CRN_TRY(add_child(p, slice, parts[i], NULL, err));
	*ret = slice;
	return CAIRN_OK;
}

static cairn_status parse_index(crn_parser *p, crn_ast *of, crn_ast **ret, cairn_error *err)
{
	crn_ast *index = NULL;
	CRN_TRY(crn_parser_node(p, CRN_AST_INDEX, p->now.offset, &index, err));
	CRN_TRY(add_child(p, index, of, NULL, err));
	CRN_TRY(crn_parser_advance(p, err));
	do {
		if (index->n > 1) {
			CRN_TRY(crn_parser_advance(p, err));
			if (p->now.kind == CRN_TOK_CLOSE_INDEX)
				break;
		}
		crn_ast *item = NULL;
		CRN_TRY(parse_slice(p, &item, err));
		CRN_TRY(add_child(p, index, item, NULL, err));
	} while (p->now.kind == CRN_TOK_COMMA);
	if (p->now.kind != CRN_TOK_CLOSE_INDEX)
		return crn_parser_unexpected(p, "',' or ']'", err);
	*ret = index;
	return crn_parser_advance(p, err);
}

/* An atom followed by any number of calls, members and indices. */
static cairn_status parse_primary(crn_parser *p, crn_ast **ret, cairn_error *err)
{
	crn_ast *a = NULL;
	CRN_TRY(parse_atom(p, &a, err));
	for (;;) {
		if (p->now.kind == CRN_TOK_OPEN) {
			CRN_TRY(parse_call(p, a, &a, err));
		} else if (p->now.kind == CRN_TOK_OPEN_INDEX) {
			CRN_TRY(parse_index(p, a, &a, err));
		} else if (p->now.kind == CRN_TOK_DOT) {
			crn_ast *member = NULL;
			CRN_TRY(crn_parser_advance(p, err));
			CRN_TRY(crn_parser_node(p, CRN_AST_MEMBER, p->now.offset, &member, err));
			CRN_TRY(crn_parser_take_name(p, &member->name, err));
			CRN_TRY(add_child(p, member, a, NULL, err));
			a = member;
		} else {
			*ret = a;
			return CAIRN_OK;
		}
	}
}

/* Binding strength of binary operators; comparisons are the weakest, as in Python. */
enum { COMPARISON = 1, UNARY = 7, POWER = 8 };

static int strength(crn_token_kind kind)
{
	switch (kind) {
	case CRN_TOK_EQ:
	case CRN_TOK_NE:
	case CRN_TOK_LT:
	case CRN_TOK_LE:
	case CRN_TOK_GT:
	case CRN_TOK_GE:
		return COMPARISON;
	case CRN_TOK_OR:
		return 2;
	case CRN_TOK_XOR:
		return 3;
	case CRN_TOK_AND:
		return 4;
	case CRN_TOK_ADD:
	case CRN_TOK_SUB:
		return 5;
	case CRN_TOK_MUL:
	case CRN_TOK_DIV:
	case CRN_TOK_FLOOR:
	case CRN_TOK_MOD:
		return 6;
	case CRN_TOK_POWER:
		return POWER;
	default:
		return 0;
	}
}

static cairn_status parse_unary(crn_parser *p, crn_ast **ret, cairn_error *err)
{
	crn_token_kind op = p->now.kind;
	if (op != CRN_TOK_SUB && op != CRN_TOK_ADD && op != CRN_TOK_NOT)
		return parse_primary(p, ret, err);
	crn_ast *a = NULL, *operand = NULL;
	CRN_TRY(crn_parser_node(p, CRN_AST_UNARY, p->now.offset, &a, err));
	a->op = op;
	CRN_TRY(crn_parser_advance(p, err));
	/* The operand takes every operator stronger than a sign: -x ** 2 is -(x ** 2). */
	CRN_TRY(parse_expression(p, UNARY, &operand, err));
	CRN_TRY(add_child(p, a, operand, NULL, err));
	*ret = a;
	return CAIRN_OK;
}

static cairn_status refuse_chain(const crn_parser *p, const crn_ast *left, cairn_error *err)
{
	(void)left;
	cairn_status status = crn_script_fail(p->text, p->now.offset, err,
		"chained comparisons are not part of the pipeline language");
	crn_hint(err, "write (a < b) & (b < c), each comparison in brackets");
	return status;
}

/* An expression whose binary operators are at least as strong as `floor`. */
static cairn_status parse_expression(crn_parser *p, int floor, crn_ast **ret, cairn_error *err)
{
	crn_ast *left = NULL;
	if (++p->nesting > 2 * CRN_SCRIPT_MAX_DEPTH)
		return crn_script_fail(p->text, p->now.offset, err, "this expression is too deep");
	CRN_TRY(parse_unary(p, &left, err));
	for (;;) {
		crn_token_kind op = p->now.kind;
		int level = strength(op);
		if (level == 0 || level < floor)
			break;
		bool chained = level == COMPARISON && left->kind == CRN_AST_BINARY &&
			       !left->in_brackets && strength(left->op) == COMPARISON;
		if (chained)
			return refuse_chain(p, left, err);
		crn_ast *a = NULL, *right = NULL;
		CRN_TRY(crn_parser_node(p, CRN_AST_BINARY, p->now.offset, &a, err));
		a->op = op;
		CRN_TRY(crn_parser_advance(p, err));
		/* ** groups to the right and takes a signed exponent: 2 ** -1 ** 2. */
		CRN_TRY(parse_expression(p, op == CRN_TOK_POWER ? UNARY : level + 1, &right, err));
		CRN_TRY(add_child(p, a, left, NULL, err));
		CRN_TRY(add_child(p, a, right, NULL, err));
		left = a;
	}
	p->nesting--;
	*ret = left;
	return CAIRN_OK;
}

/* An expression, or several with commas: a tuple without brackets. */
cairn_status crn_parser_tuple(crn_parser *p, crn_ast **ret, cairn_error *err)
{
	crn_ast *first = NULL, *list = NULL;
	CRN_TRY(parse_expression(p, 0, &first, err));
	*ret = first;
	if (p->now.kind != CRN_TOK_COMMA)
		return CAIRN_OK;
	CRN_TRY(crn_parser_node(p, CRN_AST_LIST, first->offset, &list, err));
	CRN_TRY(add_child(p, list, first, NULL, err));
	while (p->now.kind == CRN_TOK_COMMA) {
		CRN_TRY(crn_parser_advance(p, err));
		if (p->now.kind == CRN_TOK_NEWLINE || p->now.kind == CRN_TOK_END ||
			p->now.kind == CRN_TOK_ASSIGN)
			break;
		crn_ast *item = NULL;
		CRN_TRY(parse_expression(p, 0, &item, err));
		CRN_TRY(add_child(p, list, item, NULL, err));
	}
	*ret = list;
	return CAIRN_OK;
}

bool crn_ast_is_literal(const crn_ast *a)
{
	if (a->kind == CRN_AST_LITERAL)
		return true;
	if (a->kind == CRN_AST_UNARY)
		return (a->op == CRN_TOK_SUB || a->op == CRN_TOK_ADD) &&
		       a->items[0]->kind == CRN_AST_LITERAL &&
		       crn_value_is_number(&a->items[0]->value);
	if (a->kind != CRN_AST_LIST)
		return false;
	for (int i = 0; i < a->n; i++)
		if (!crn_ast_is_literal(a->items[i]))
			return false;
	return true;
}

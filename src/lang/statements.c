/* SPDX-License-Identifier: Apache-2.0
 *
 * statements.c -- statements of a pipeline text: assignments, bare expressions, the import line.
 */
#include "lang/parser.h"

#include "base/mem.h"

#include <string.h>

static cairn_status add_statement(crn_parser *p, crn_statement s, cairn_error *err)
{
	crn_script *script = p->script;
	if (script->n_statements == CRN_SCRIPT_MAX_STATEMENTS)
		return crn_script_fail(p->text, s.offset, err,
			"a pipeline has at most %d statements", CRN_SCRIPT_MAX_STATEMENTS);
	if (script->n_statements == p->capacity) {
		int cap = p->capacity ? 2 * p->capacity : 32;
		void *grown = crn_realloc_array(script->statements, (size_t)cap, sizeof(s));
		if (!grown)
			return crn_fail_memory(err, "a pipeline text", (size_t)cap);
		script->statements = grown;
		p->capacity = cap;
	}
	script->statements[script->n_statements++] = s;
	return CAIRN_OK;
}

static cairn_status refuse_import(const crn_parser *p, size_t offset, cairn_error *err)
{
	cairn_status status =
		crn_script_fail(p->text, offset, err, "only cairn can be imported in a pipeline");
	crn_hint(err, "other modules need Python: run the file with python");
	return status;
}

/* "from cairn import *" or names, "import cairn", "import cairn as c". */
static cairn_status parse_import(crn_parser *p, cairn_error *err)
{
	size_t offset = p->now.offset;
	bool from = crn_parser_word_is(p, "from");
	CRN_TRY(crn_parser_advance(p, err));
	if (!crn_parser_word_is(p, "cairn"))
		return refuse_import(p, offset, err);
	crn_ast *module = NULL; /* owns the name */
	CRN_TRY(crn_parser_node(p, CRN_AST_NAME, p->now.offset, &module, err));
	CRN_TRY(crn_parser_take_name(p, &module->name, err));
	if (!from) {
		if (crn_parser_word_is(p, "as")) {
			CRN_TRY(crn_parser_advance(p, err));
			crn_free(crn_steal(&module->name));
			CRN_TRY(crn_parser_take_name(p, &module->name, err));
		}
		crn_statement s = {CRN_STMT_MODULE, offset, module->name, NULL};
		return add_statement(p, s, err);
	}
	if (!crn_parser_word_is(p, "import"))
		return crn_parser_unexpected(p, "'import'", err);
	CRN_TRY(crn_parser_advance(p, err));
	if (p->now.kind == CRN_TOK_MUL)
		return crn_parser_advance(p, err);
	bool brackets = p->now.kind == CRN_TOK_OPEN;
	if (brackets)
		CRN_TRY(crn_parser_advance(p, err));
	for (;;) {
		CRN_FREE char *name = NULL;
		CRN_TRY(crn_parser_take_name(p, &name, err));
		if (p->now.kind != CRN_TOK_COMMA)
			break;
		CRN_TRY(crn_parser_advance(p, err));
		if (brackets && p->now.kind == CRN_TOK_CLOSE)
			break;
	}
	if (crn_parser_word_is(p, "as"))
		return crn_script_fail(
			p->text, p->now.offset, err, "operations cannot be renamed in a pipeline");
	return brackets ? crn_parser_expect(p, CRN_TOK_CLOSE, err) : CAIRN_OK;
}

static cairn_status check_target(const crn_parser *p, const crn_ast *a, cairn_error *err)
{
	cairn_status status;
	if (a->kind == CRN_AST_NAME)
		return CAIRN_OK;
	if (a->kind == CRN_AST_INDEX) {
		status = crn_script_fail(p->text, a->items[0]->offset, err,
			"arrays are never changed in place, so a part of one cannot be assigned");
		crn_hint(err, "choose voxel by voxel with where(condition, a, b)");
		return status;
	}
	if (a->kind == CRN_AST_LIST) {
		status = crn_script_fail(p->text, a->offset, err,
			"several names on the left of '=' are not part of the pipeline language");
		crn_hint(err, "give the result one name and index it: r[0], r[1]");
		return status;
	}
	return crn_script_fail(p->text, a->offset, err, "only a name can stand left of '='");
}

static cairn_status parse_assignment(crn_parser *p, crn_ast *target, cairn_error *err)
{
	CRN_TRY(check_target(p, target, err));
	crn_statement s = {CRN_STMT_ASSIGN, target->offset, target->name, NULL};
	crn_ast *value = NULL;
	CRN_TRY(crn_parser_advance(p, err));
	CRN_TRY(crn_parser_tuple(p, &value, err));
	if (p->now.kind == CRN_TOK_ASSIGN)
		return crn_script_fail(p->text, p->now.offset, err,
			"one assignment a statement, please: a = b = c is not part of the pipeline "
			"language");
	s.value = value;
	return add_statement(p, s, err);
}

static cairn_status check_indent(crn_parser *p, cairn_error *err)
{
	int line, column;
	if (!p->now.first)
		return CAIRN_OK;
	crn_script_position(p->text, p->now.offset, &line, &column);
	if (p->indent == 0)
		p->indent = column;
	if (column == p->indent)
		return CAIRN_OK;
	cairn_status status =
		crn_script_fail(p->text, p->now.offset, err, "unexpected indentation");
	crn_hint(err, "all statements start in the same column; continue a line inside brackets");
	return status;
}

static cairn_status parse_statement(crn_parser *p, cairn_error *err)
{
	CRN_TRY(check_indent(p, err));
	if (crn_parser_word_is(p, "from") || crn_parser_word_is(p, "import"))
		return parse_import(p, err);
	crn_ast *a = NULL;
	CRN_TRY(crn_parser_tuple(p, &a, err));
	if (p->now.kind == CRN_TOK_ASSIGN)
		return parse_assignment(p, a, err);
	if (p->now.kind == CRN_TOK_COLON)
		return crn_script_fail(p->text, p->now.offset, err,
			"type annotations and blocks are not part of the pipeline language");
	crn_statement s = {CRN_STMT_EXPRESSION, a->offset, NULL, a};
	return add_statement(p, s, err);
}

static cairn_status parse_all(crn_parser *p, cairn_error *err)
{
	CRN_TRY(crn_parser_advance(p, err));
	for (;;) {
		while (p->now.kind == CRN_TOK_NEWLINE)
			CRN_TRY(crn_parser_advance(p, err));
		if (p->now.kind == CRN_TOK_END)
			return CAIRN_OK;
		CRN_TRY(parse_statement(p, err));
		p->nesting = 0;
		if (p->now.kind != CRN_TOK_NEWLINE && p->now.kind != CRN_TOK_END)
			return crn_parser_unexpected(p, "an operator or the end of the line", err);
	}
}

static cairn_status check_text(const char *data, size_t n, const char *name, cairn_error *err)
{
	if (n > CRN_SCRIPT_MAX_BYTES)
		return crn_fail(err, CAIRN_USAGE,
			"%s: a pipeline text is limited to %d KiB, this one has %zu",
			name ? name : "pipeline", CRN_SCRIPT_MAX_BYTES >> 10, n >> 10);
	if (n > 0 && memchr(data, '\0', n))
		return crn_fail(err, CAIRN_USAGE,
			"%s: this is no pipeline text (it contains a NUL byte)",
			name ? name : "pipeline");
	return CAIRN_OK;
}

cairn_status crn_script_parse(
	const char *data, size_t n, const char *name, crn_script **ret, cairn_error *err)
{
	CRN_TRY(check_text(data, n, name, err));
	bool bom = n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0;
	crn_script *s = crn_calloc(1, sizeof(*s));
	if (!s)
		return crn_fail_memory(err, "a pipeline text", sizeof(*s));
	s->text.data = crn_strndup(bom ? data + 3 : data, bom ? n - 3 : n);
	s->text.name = name ? crn_strdup(name) : NULL;
	s->text.n = bom ? n - 3 : n;
	cairn_status status = CAIRN_OK;
	if (!s->text.data || (name && !s->text.name)) {
		status = crn_fail_memory(err, "a pipeline text", n);
	} else {
		crn_parser p = {.script = s, .text = &s->text, .lexer = {.text = &s->text}};
		status = parse_all(&p, err);
	}
	if (status != CAIRN_OK) {
		crn_script_free(s);
		return status;
	}
	*ret = s;
	return CAIRN_OK;
}

static void free_node(crn_ast *a)
{
	for (int i = 0; i < a->n; i++)
		crn_free(a->names[i]);
	crn_free(a->names);
	crn_free(a->items);
	crn_free(a->name);
	crn_value_clear(&a->value);
	crn_free(a);
}

void crn_script_free(crn_script *s)
{
	if (!s)
		return;
	while (s->newest) {
		crn_ast *older = s->newest->older;
		free_node(s->newest);
		s->newest = older;
	}
	crn_free(s->statements);
	crn_free((char *)s->text.data);
	crn_free((char *)s->text.name);
	crn_free(s);
}

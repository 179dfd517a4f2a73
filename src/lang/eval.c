/* SPDX-License-Identifier: Apache-2.0
 *
 * eval.c -- the value of one expression: plain values stay plain, arrays become graph nodes.
 *
 * Operators on plain values follow Python (plain.c); as soon as one operand is an array the op of
 * that name is called (add, greater, bitwise_and, ...). Calls and method calls find ops in the
 * registry. No voxel is computed here.
 *
 * Invariant: recursion follows the tree, whose depth the parser has bounded.
 */
#include "lang/eval.h"

#include "base/mem.h"
#include "core/call.h"
#include "core/literal.h"
#include "lang/plain.h"

#include <string.h>

enum { MAX_ARGS = 64, MAX_LIST = 1 << 16 };

/* ---- calling ops ---- */

static bool has_sink(const crn_value *v)
{
	if (v->kind == CRN_V_NODE)
		return v->node->op->kind == CRN_SINK;
	if (v->kind == CRN_V_LIST)
		for (int i = 0; i < v->list.n; i++)
			if (has_sink(&v->list.items[i]))
				return true;
	return false;
}

static void set_origin(crn_eval *e, const crn_ast *at, const char *name)
{
	CRN_STR s = {0};
	int line, column;
	crn_script_position(e->text, at->offset, &line, &column);
	if (e->target && at == e->outermost)
		crn_str_appendf(&s, "%s = ", e->target);
	crn_str_append(&s, name);
	if (e->level > 0 && e->text->name)
		crn_str_appendf(&s, ", %.100s", e->text->name);
	crn_str_appendf(&s, ", line %d", line);
	crn_graph_set_origin(e->graph, s.oom ? NULL : s.data);
}

static cairn_status keep_sink(crn_eval *e, crn_node *n, cairn_error *err)
{
	for (int i = 0; i < e->n_sinks; i++)
		if (e->sinks[i] == n)
			return CAIRN_OK;
	if (e->n_sinks == e->sinks_capacity) {
		int cap = e->sinks_capacity ? 2 * e->sinks_capacity : 8;
		crn_node **grown = crn_realloc_array(e->sinks, (size_t)cap, sizeof(*grown));
		if (!grown)
			return crn_fail_memory(err, "the outputs", (size_t)cap);
		e->sinks = grown;
		e->sinks_capacity = cap;
	}
	e->sinks[e->n_sinks++] = crn_node_ref(n);
	return CAIRN_OK;
}

static cairn_status call_op(crn_eval *e, const crn_ast *at, const crn_op *op, const crn_kwarg *args,
	int n_args, int n_positional, crn_value *ret, cairn_error *err)
{
	crn_value positional[MAX_ARGS]; /* borrowed from args */
	for (int i = 0; i < n_args; i++) {
		if (has_sink(&args[i].value))
			return crn_script_fail(e->text, at->offset, err,
				"%s: write(...) and print(...) give no value to go on with",
				op->name);
		if (i < n_positional)
			positional[i] = args[i].value;
	}
	CRN_VALUE v = {0};
	set_origin(e, at, op->name);
	cairn_status status = crn_call_op(e->graph, op, positional, n_positional,
		args + n_positional, n_args - n_positional, &v, err);
	crn_graph_set_origin(e->graph, NULL);
	if (status != CAIRN_OK) {
		crn_script_locate(e->text, at->offset, err);
		return status;
	}
	if (v.kind == CRN_V_NODE && v.node->op->kind == CRN_SINK)
		CRN_TRY(keep_sink(e, v.node, err));
	*ret = v;
	v = (crn_value){0};
	return CAIRN_OK;
}

cairn_status crn_eval_op(crn_eval *e, const crn_ast *at, const char *name, const crn_value *args,
	int n_args, crn_value *ret, cairn_error *err)
{
	crn_kwarg list[2] = {{0}};
	const crn_op *op = crn_op_find(crn_graph_registry(e->graph), name);
	if (!op)
		return crn_script_fail(
			e->text, at->offset, err, "this build of cairn has no operation %s", name);
	for (int i = 0; i < n_args && i < 2; i++)
		list[i].value = args[i];
	return call_op(e, at, op, list, n_args, n_args, ret, err);
}

/* ---- calls ---- */

/* read("wf.py#smooth"): the value another pipeline gives to that name. */
static cairn_status read_pipeline(crn_eval *e, const crn_ast *at, const crn_kwarg *args, int n_args,
	crn_value *ret, cairn_error *err)
{
	cairn_status status;
	if (n_args > 1)
		status = crn_fail(err, CAIRN_USAGE, "read: a pipeline takes no options");
	else
		status = crn_pipeline_read(e->graph, args[0].value.s, e->level + 1, ret, err);
	if (status != CAIRN_OK) {
		int line, column;
		crn_script_position(e->text, at->offset, &line, &column);
		crn_where(err, "read in %s line %d", e->text->name ? e->text->name : "the pipeline",
			line);
	}
	return status;
}

static cairn_status call_named(crn_eval *e, const crn_ast *at, const char *name,
	const crn_kwarg *args, int n_args, int n_positional, crn_value *ret, cairn_error *err)
{
	crn_value plain;
	bool all_plain =
		n_args == 1 && n_positional == 1 && crn_plain_call(name, &args[0].value, 1, &plain);
	if (all_plain) {
		*ret = plain;
		return CAIRN_OK;
	}
	bool reads = strcmp(name, "read") == 0 && n_positional > 0 &&
		     args[0].value.kind == CRN_V_STR &&
		     crn_pipeline_is_url(args[0].value.s, NULL, NULL);
	if (reads)
		return read_pipeline(e, at, args, n_args, ret, err);
	const crn_op *op = crn_eval_public_op(e, name);
	if (op)
		return call_op(e, at, op, args, n_args, n_positional, ret, err);
	crn_dtype t;
	if (crn_dtype_from_name(name, &t)) {
		cairn_status status = crn_script_fail(e->text, at->offset, err,
			"%s is a dtype and converts only plain numbers", name);
		crn_hint(err, "convert an array with x.astype(%s)", name);
		return status;
	}
	return crn_eval_unknown(e, name, at->offset, "the operation", err);
}

static cairn_status refuse_value(
	const crn_eval *e, const crn_ast *callee, const crn_binding *b, cairn_error *err)
{
	int line, column;
	if (b->offset == SIZE_MAX)
		return crn_script_fail(e->text, callee->offset, err,
			"%.80s is a value here and cannot be called", b->name);
	crn_script_position(e->text, b->offset, &line, &column);
	cairn_status status = crn_script_fail(e->text, callee->offset, err,
		"%.80s is a value here (assigned in line %d) and cannot be called", b->name, line);
	crn_hint(err, "give the value in line %d another name", line);
	return status;
}

/* Name of the op a callee means; *ret_receiver is set for a method call. */
static cairn_status resolve_callee(crn_eval *e, const crn_ast *callee, const char **ret_name,
	const crn_ast **ret_receiver, cairn_error *err)
{
	*ret_receiver = NULL;
	if (callee->kind == CRN_AST_MEMBER) {
		const crn_ast *of = callee->items[0];
		bool module = of->kind == CRN_AST_NAME && e->module &&
			      strcmp(of->name, e->module) == 0 && !crn_eval_find(e, of->name);
		*ret_receiver = module ? NULL : of;
		*ret_name = callee->name;
		return CAIRN_OK;
	}
	if (callee->kind != CRN_AST_NAME)
		return crn_script_fail(
			e->text, callee->offset, err, "only operations can be called");
	const crn_binding *b = crn_eval_find(e, callee->name);
	if (b)
		return refuse_value(e, callee, b, err);
	*ret_name = callee->name;
	return CAIRN_OK;
}

static cairn_status eval_call(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	const char *name = NULL;
	const crn_ast *receiver = NULL;
	crn_kwarg args[MAX_ARGS];
	CRN_TRY(resolve_callee(e, a->items[0], &name, &receiver, err));
	int shift = receiver ? 1 : 0, n = a->n - 1 + shift, n_positional = shift;
	if (n > MAX_ARGS)
		return crn_script_fail(
			e->text, a->offset, err, "a call has at most %d arguments", MAX_ARGS);
	memset(args, 0, sizeof(args));
	cairn_status status = CAIRN_OK;
	if (receiver)
		status = crn_eval_expression(e, receiver, &args[0].value, err);
	for (int i = 1; i < a->n && status == CAIRN_OK; i++) {
		args[i - 1 + shift].name = a->names[i];
		n_positional += a->names[i] == NULL;
		status = crn_eval_expression(e, a->items[i], &args[i - 1 + shift].value, err);
	}
	if (status == CAIRN_OK)
		status = call_named(e, a, name, args, n, n_positional, ret, err);
	for (int i = 0; i < n; i++)
		crn_value_clear(&args[i].value);
	return status;
}

/* ---- members: facts about an array that cost nothing, and its transpose ---- */

static cairn_status eval_member(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	const crn_ast *of = a->items[0];
	bool module = of->kind == CRN_AST_NAME && e->module && strcmp(of->name, e->module) == 0 &&
		      !crn_eval_find(e, of->name);
	if (module) {
		bool found;
		CRN_TRY(crn_eval_constant(a->name, &found, ret, err));
		return found ? CAIRN_OK : crn_eval_unknown(e, a->name, a->offset, "the name", err);
	}
	CRN_VALUE v = {0};
	CRN_TRY(crn_eval_expression(e, of, &v, err));
	const crn_type *t = v.kind == CRN_V_NODE ? &v.node->type : NULL;
	if (t && strcmp(a->name, "shape") == 0)
		return crn_value_ints(t->shape, t->ndim, ret, err);
	if (t && strcmp(a->name, "dtype") == 0)
		return crn_value_str(crn_dtype_name(t->dtype), ret, err);
	if (t && strcmp(a->name, "T") == 0)
		return crn_eval_op(e, a, "transpose", &v, 1, ret, err);
	if (t && (strcmp(a->name, "ndim") == 0 || strcmp(a->name, "size") == 0)) {
		*ret = crn_value_int(a->name[0] == 'n' ? t->ndim : crn_type_count(t));
		return CAIRN_OK;
	}
	cairn_status status;
	if (t && crn_eval_public_op(e, a->name)) {
		status = crn_script_fail(
			e->text, a->offset, err, "%s is an operation: call it", a->name);
		crn_hint(err, ".%s()", a->name);
		return status;
	}
	status = crn_script_fail(e->text, a->offset, err, "there is no member %.80s here", a->name);
	crn_hint(err, "arrays have shape, ndim, size, dtype and T; all else are calls");
	return status;
}

/* ---- operators ---- */

static const char *const op_names[] = {
	[CRN_TOK_POWER] = "power",
	[CRN_TOK_FLOOR] = "floor_divide",
	[CRN_TOK_EQ] = "equal",
	[CRN_TOK_NE] = "not_equal",
	[CRN_TOK_LE] = "less_equal",
	[CRN_TOK_GE] = "greater_equal",
	[CRN_TOK_LT] = "less",
	[CRN_TOK_GT] = "greater",
	[CRN_TOK_ADD] = "add",
	[CRN_TOK_SUB] = "subtract",
	[CRN_TOK_MUL] = "multiply",
	[CRN_TOK_DIV] = "divide",
	[CRN_TOK_MOD] = "mod",
	[CRN_TOK_AND] = "bitwise_and",
	[CRN_TOK_OR] = "bitwise_or",
	[CRN_TOK_XOR] = "bitwise_xor",
};

static cairn_status eval_unary(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	CRN_VALUE v = {0};
	CRN_TRY(crn_eval_expression(e, a->items[0], &v, err));
	if (v.kind == CRN_V_NODE && a->op == CRN_TOK_ADD && !has_sink(&v)) {
		*ret = v;
		v = (crn_value){0};
		return CAIRN_OK;
	}
	if (v.kind == CRN_V_NODE)
		return crn_eval_op(
			e, a, a->op == CRN_TOK_SUB ? "negative" : "invert", &v, 1, ret, err);
	cairn_status status = crn_plain_unary(a->op, &v, ret, err);
	if (status != CAIRN_OK)
		crn_script_locate(e->text, a->offset, err);
	return status;
}

/* a > 1 & b < 2 reads as a > (1 & b): the commonest slip, named instead of computed. */
static bool is_bare_comparison(const crn_ast *a)
{
	return a->kind == CRN_AST_BINARY && !a->in_brackets &&
	       (a->op == CRN_TOK_AND || a->op == CRN_TOK_OR || a->op == CRN_TOK_XOR);
}

static cairn_status eval_binary(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	CRN_VALUE args = {0};
	CRN_TRY(crn_value_list(2, &args, err));
	crn_value *left = &args.list.items[0], *right = &args.list.items[1];
	CRN_TRY(crn_eval_expression(e, a->items[0], left, err));
	CRN_TRY(crn_eval_expression(e, a->items[1], right, err));
	cairn_status status;
	if (left->kind == CRN_V_NODE || right->kind == CRN_V_NODE)
		return crn_eval_op(e, a, op_names[a->op], args.list.items, 2, ret, err);
	status = crn_plain_binary(a->op, left, right, ret, err);
	if (status != CAIRN_OK) {
		if (is_bare_comparison(a->items[0]) || is_bare_comparison(a->items[1]))
			crn_hint(err, "put each comparison in brackets: (a > 1) & (b < 2)");
		crn_script_locate(e->text, a->offset, err);
	}
	return status;
}

/* ---- all kinds ---- */

static cairn_status eval_name(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	bool found;
	const crn_binding *b = crn_eval_find(e, a->name);
	if (b)
		return crn_value_copy(&b->value, ret, err);
	CRN_TRY(crn_eval_constant(a->name, &found, ret, err));
	if (found)
		return CAIRN_OK;
	if (crn_eval_public_op(e, a->name)) {
		cairn_status status = crn_script_fail(
			e->text, a->offset, err, "%s is an operation: call it", a->name);
		crn_hint(err, "%s(...)", a->name);
		return status;
	}
	return crn_eval_unknown(e, a->name, a->offset, "the name", err);
}

static cairn_status eval_list(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	CRN_VALUE list = {0};
	int64_t size = 0;
	CRN_TRY(crn_value_list(a->n, &list, err));
	for (int i = 0; i < a->n; i++) {
		CRN_TRY(crn_eval_expression(e, a->items[i], &list.list.items[i], err));
		size += crn_eval_size(&list.list.items[i]);
		if (size > MAX_LIST)
			return crn_script_fail(e->text, a->offset, err,
				"this tuple or list is too large (limit: %d values)", MAX_LIST);
	}
	*ret = list;
	list = (crn_value){0};
	return CAIRN_OK;
}

cairn_status crn_eval_expression(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	switch (a->kind) {
	case CRN_AST_LITERAL:
		return crn_value_copy(&a->value, ret, err);
	case CRN_AST_NAME:
		return eval_name(e, a, ret, err);
	case CRN_AST_LIST:
		return eval_list(e, a, ret, err);
	case CRN_AST_CALL:
		return eval_call(e, a, ret, err);
	case CRN_AST_MEMBER:
		return eval_member(e, a, ret, err);
	case CRN_AST_INDEX:
		return crn_eval_index(e, a, ret, err);
	case CRN_AST_UNARY:
		return eval_unary(e, a, ret, err);
	case CRN_AST_BINARY:
		return eval_binary(e, a, ret, err);
	default:
		return crn_script_fail(
			e->text, a->offset, err, "... and slices belong between index brackets");
	}
}

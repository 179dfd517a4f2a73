/* SPDX-License-Identifier: Apache-2.0
 *
 * call.c -- binds the arguments of a call to the parameters of an op, then builds.
 *
 *	call(args, kwargs) ── slots, one per parameter ── converted ── defaults ── op->build or node
 *
 * A last parameter whose name starts with "**" (read's and write's "**options") takes the keywords
 * no other parameter has, as a list of (name, value) pairs; ops check those themselves.
 */
#include "core/call.h"

#include "base/mem.h"
#include "core/literal.h"
#include "core/registry.h"

#include <math.h>
#include <string.h>

enum { MAX_PARAMS = 64, SHOWN_TEXT = 160 };

const crn_op *crn_op_find(const crn_registry *r, const char *name)
{
	for (const crn_op *const *op = r->ops; *op; op++)
		if (strcmp((*op)->name, name) == 0)
			return *op;
	return NULL;
}

/* ---- messages ---- */

static const char *ptype_text(crn_ptype type)
{
	static const char *const texts[] = {
		[CRN_P_END] = "nothing",
		[CRN_P_ARRAY] = "an array",
		[CRN_P_OPERAND] = "an array or a number",
		[CRN_P_ARRAYS] = "a list of arrays",
		[CRN_P_TABLE] = "a table",
		[CRN_P_NODE] = "an array or a table",
		[CRN_P_INT] = "an integer",
		[CRN_P_FLOAT] = "a number",
		[CRN_P_BOOL] = "True or False",
		[CRN_P_STR] = "a text in quotes",
		[CRN_P_DTYPE] = "a dtype such as uint8 or float32",
		[CRN_P_INTS] = "an integer, or a tuple of integers",
		[CRN_P_FLOATS] = "a number, or a tuple of numbers",
		[CRN_P_STRS] = "a text, or a list of texts",
		[CRN_P_NUMBER] = "a number",
		[CRN_P_CONST] =
			"a small constant array such as ball(2), or nested lists of numbers",
		[CRN_P_ANY] = "any value",
	};
	return (size_t)type < CRN_COUNT(texts) ? texts[type] : "a value";
}

/* The value as the user could have written it, cut to a readable length. */
static const char *shown(const crn_value *v, char text[SHOWN_TEXT])
{
	CRN_STR s = {0};
	crn_value_print(v, &s);
	size_t n = s.len < SHOWN_TEXT - 4 ? s.len : SHOWN_TEXT - 4;
	if (n > 0)
		memcpy(text, s.data, n);
	memcpy(text + n, n < s.len ? "..." : "", n < s.len ? 4 : 1);
	return text;
}

static cairn_status wrong_type(
	const crn_op *op, const crn_param *p, const crn_value *given, cairn_error *err)
{
	char text[SHOWN_TEXT];
	cairn_status status = crn_fail(err, CAIRN_USAGE, "%s: %s must be %s%s, got %s", op->name,
		p->name, ptype_text(p->type),
		p->default_text && strcmp(p->default_text, "None") == 0 ? " (or None)" : "",
		shown(given, text));
	bool wants_array = p->type == CRN_P_ARRAY || p->type == CRN_P_OPERAND;
	if (wants_array && given->kind == CRN_V_STR)
		crn_hint(err, "open a file with read(%s)", text);
	else if (p->help)
		crn_hint(err, "%s: %s", p->name, p->help);
	return status;
}

static cairn_status wrong_choice(
	const crn_op *op, const crn_param *p, const crn_value *given, cairn_error *err)
{
	CRN_STR list = {0};
	int n = 0;
	for (; p->choices[n]; n++)
		crn_str_appendf(&list, "%s'%s'", n ? ", " : "", p->choices[n]);
	cairn_status status = crn_fail(err, CAIRN_USAGE, "%s: %s must be one of %s; got '%.80s'",
		op->name, p->name, list.data ? list.data : "", given->s);
	const char *near = crn_nearest_name(given->s, p->choices, n);
	if (near)
		crn_hint(err, "did you mean '%s'?", near);
	return status;
}

/* ---- conversion of one argument ---- */

static bool is_array(const crn_value *v)
{
	return v->kind == CRN_V_NODE && !v->node->type.is_table;
}

static bool is_list_of(const crn_value *v, bool (*test)(const crn_value *))
{
	if (v->kind != CRN_V_LIST)
		return false;
	for (int i = 0; i < v->list.n; i++)
		if (!test(&v->list.items[i]))
			return false;
	return true;
}

static bool is_int(const crn_value *v)
{
	return v->kind == CRN_V_INT;
}

static bool is_str(const crn_value *v)
{
	return v->kind == CRN_V_STR;
}

/* Are these lists nested to exactly `ndim`, with these extents, around numbers? */
static bool has_shape(const crn_value *v, int ndim, const int64_t *shape)
{
	if (ndim == 0)
		return crn_value_is_number(v);
	if (v->kind != CRN_V_LIST || v->list.n != shape[0])
		return false;
	for (int i = 0; i < v->list.n; i++)
		if (!has_shape(&v->list.items[i], ndim - 1, shape + 1))
			return false;
	return true;
}

/* Shape of nested lists; false if they are ragged, too deep, empty or hold anything but numbers. */
static bool nested_shape(const crn_value *v, int *ret_ndim, int64_t shape[CRN_MAX_NDIM])
{
	int ndim = 0;
	for (const crn_value *at = v; at->kind == CRN_V_LIST; at = &at->list.items[0]) {
		if (ndim == CRN_MAX_NDIM || at->list.n == 0)
			return false;
		shape[ndim++] = at->list.n;
	}
	*ret_ndim = ndim;
	return has_shape(v, ndim, shape);
}

static void nested_kinds(const crn_value *v, bool *floats, bool *ints, bool *unsigneds)
{
	if (v->kind == CRN_V_LIST)
		for (int i = 0; i < v->list.n; i++)
			nested_kinds(&v->list.items[i], floats, ints, unsigneds);
	*floats |= v->kind == CRN_V_FLOAT;
	*ints |= v->kind == CRN_V_INT;
	*unsigneds |= v->kind == CRN_V_UINT;
}

static void nested_store(const crn_value *v, crn_dtype t, char **to)
{
	if (v->kind == CRN_V_LIST) {
		for (int i = 0; i < v->list.n; i++)
			nested_store(&v->list.items[i], t, to);
		return;
	}
	crn_elem e = {{0}};
	(void)crn_value_to_elem(v, t, &e);
	memcpy(*to, e.bytes, crn_dtype_size(t));
	*to += crn_dtype_size(t);
}

/* Nested lists of numbers: bool if all are bool, int64 (uint64) if no float is among them. */
static cairn_status to_const(
	const crn_op *op, const crn_param *p, const crn_value *v, crn_value *ret, cairn_error *err)
{
	int ndim = 0;
	int64_t shape[CRN_MAX_NDIM];
	if (v->kind != CRN_V_LIST || !nested_shape(v, &ndim, shape))
		return wrong_type(op, p, v, err);
	bool floats = false, ints = false, unsigneds = false;
	nested_kinds(v, &floats, &ints, &unsigneds);
	crn_dtype t = floats ? CRN_F64 : unsigneds ? CRN_U64 : ints ? CRN_I64 : CRN_BOOL;
	crn_const *c = NULL;
	CRN_TRY(crn_const_new(t, ndim, shape, &c, err));
	char *to = c->data;
	nested_store(v, t, &to);
	*ret = crn_value_const(c);
	return CAIRN_OK;
}

static cairn_status to_floats(const crn_value *v, crn_value *ret, cairn_error *err)
{
	if (v->kind != CRN_V_LIST) {
		*ret = crn_value_float(crn_value_to_double(v));
		return CAIRN_OK;
	}
	crn_value list = {0};
	CRN_TRY(crn_value_list(v->list.n, &list, err));
	for (int i = 0; i < v->list.n; i++)
		list.list.items[i] = crn_value_float(crn_value_to_double(&v->list.items[i]));
	*ret = list;
	return CAIRN_OK;
}

static cairn_status to_dtype(
	const crn_op *op, const crn_param *p, const crn_value *v, crn_value *ret, cairn_error *err)
{
	crn_dtype t;
	if (v->kind == CRN_V_STR && crn_dtype_from_name(v->s, &t))
		return crn_value_str(crn_dtype_name(t), ret, err);
	cairn_status status = wrong_type(op, p, v, err);
	if (err)
		err->hint[0] = '\0';
	crn_hint(err, "dtypes are bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64, "
		      "float32, float64");
	return status;
}

/* Does the value have the form the type wants, as it is? */
static bool fits(crn_ptype type, const crn_value *v)
{
	switch (type) {
	case CRN_P_ARRAY:
		return is_array(v);
	case CRN_P_OPERAND:
		return is_array(v) || crn_value_is_number(v);
	case CRN_P_ARRAYS:
		return is_list_of(v, is_array) && v->list.n > 0;
	case CRN_P_TABLE:
		return v->kind == CRN_V_NODE && v->node->type.is_table;
	case CRN_P_NODE:
		return v->kind == CRN_V_NODE;
	case CRN_P_INT:
		return is_int(v);
	case CRN_P_FLOAT:
		return crn_value_is_number(v) && v->kind != CRN_V_BOOL;
	case CRN_P_BOOL:
		return v->kind == CRN_V_BOOL || (is_int(v) && (v->i == 0 || v->i == 1));
	case CRN_P_STR:
		return is_str(v);
	case CRN_P_INTS:
		return is_int(v) || is_list_of(v, is_int);
	case CRN_P_FLOATS:
		return (crn_value_is_number(v) && v->kind != CRN_V_BOOL) ||
		       is_list_of(v, crn_value_is_number);
	case CRN_P_STRS:
		return is_str(v) || is_list_of(v, is_str);
	case CRN_P_NUMBER:
		return crn_value_is_number(v);
	default:
		return true;
	}
}

static cairn_status check_choices(
	const crn_op *op, const crn_param *p, const crn_value *v, cairn_error *err)
{
	if (!p->choices || v->kind != CRN_V_STR)
		return CAIRN_OK;
	for (int i = 0; p->choices[i]; i++)
		if (strcmp(p->choices[i], v->s) == 0)
			return CAIRN_OK;
	return wrong_choice(op, p, v, err);
}

static cairn_status convert(
	const crn_op *op, const crn_param *p, const crn_value *v, crn_value *ret, cairn_error *err)
{
	if (v->kind == CRN_V_NONE && p->default_text && strcmp(p->default_text, "None") == 0)
		return CAIRN_OK;
	if (p->type == CRN_P_DTYPE)
		return to_dtype(op, p, v, ret, err);
	if (p->type == CRN_P_CONST && v->kind != CRN_V_CONST)
		return to_const(op, p, v, ret, err);
	if (!fits(p->type, v))
		return wrong_type(op, p, v, err);
	CRN_TRY(check_choices(op, p, v, err));
	if (p->type == CRN_P_FLOAT || p->type == CRN_P_FLOATS)
		return to_floats(v, ret, err);
	if (p->type == CRN_P_BOOL) {
		*ret = crn_value_bool(v->kind == CRN_V_BOOL ? v->b : v->i != 0);
		return CAIRN_OK;
	}
	return crn_value_copy(v, ret, err);
}

/* ---- binding ---- */

typedef struct binding {
	const crn_op *op;
	int n_params; /* the "**" one, if any, not counted */
	const crn_param *rest;
	const crn_value *given[MAX_PARAMS]; /* NULL: not given */
} binding;

static void count_params(const crn_op *op, binding *b)
{
	*b = (binding){.op = op};
	for (; op->params && op->params[b->n_params].type != CRN_P_END; b->n_params++)
		if (strncmp(op->params[b->n_params].name, "**", 2) == 0) {
			b->rest = &op->params[b->n_params];
			break;
		}
}

static int find_param(const binding *b, const char *name)
{
	for (int i = 0; i < b->n_params; i++)
		if (strcmp(b->op->params[i].name, name) == 0)
			return i;
	return -1;
}

static cairn_status unknown_keyword(const binding *b, const char *name, cairn_error *err)
{
	const char *names[MAX_PARAMS];
	CRN_STR list = {0};
	for (int i = 0; i < b->n_params; i++) {
		names[i] = b->op->params[i].name;
		crn_str_appendf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	cairn_status status =
		crn_fail(err, CAIRN_USAGE, "%s has no parameter %.80s", b->op->name, name);
	const char *near = crn_nearest_name(name, names, b->n_params);
	if (near)
		crn_hint(err, "did you mean %s?", near);
	else
		crn_hint(err, "its parameters are %s", list.data ? list.data : "none");
	return status;
}

static cairn_status bind_given(binding *b, const crn_value *args, int n_args,
	const crn_kwarg *kwargs, int n_kwargs, cairn_error *err)
{
	if (n_args > b->n_params)
		return crn_fail(err, CAIRN_USAGE, "%s takes at most %d argument%s, %d given",
			b->op->name, b->n_params, b->n_params == 1 ? "" : "s", n_args);
	for (int i = 0; i < n_args; i++)
		b->given[i] = &args[i];
	for (int k = 0; k < n_kwargs; k++) {
		int i = find_param(b, kwargs[k].name);
		for (int j = 0; j < k; j++)
			if (strcmp(kwargs[j].name, kwargs[k].name) == 0)
				return crn_fail(err, CAIRN_USAGE, "%s: %.80s is given twice",
					b->op->name, kwargs[k].name);
		if (i < 0 && b->rest)
			continue;
		if (i < 0)
			return unknown_keyword(b, kwargs[k].name, err);
		if (b->given[i])
			return crn_fail(err, CAIRN_USAGE,
				"%s: %s is given twice, by position and by name", b->op->name,
				kwargs[k].name);
		b->given[i] = &kwargs[k].value;
	}
	return CAIRN_OK;
}

/* Keywords that no parameter has, as a list of (name, value). */
static cairn_status collect_rest(
	const binding *b, const crn_kwarg *kwargs, int n_kwargs, crn_value *ret, cairn_error *err)
{
	int n = 0;
	for (int k = 0; k < n_kwargs; k++)
		n += find_param(b, kwargs[k].name) < 0;
	CRN_VALUE list = {0};
	CRN_TRY(crn_value_list(n, &list, err));
	n = 0;
	for (int k = 0; k < n_kwargs; k++) {
		if (find_param(b, kwargs[k].name) >= 0)
			continue;
		crn_value *pair = &list.list.items[n++];
		CRN_TRY(crn_value_list(2, pair, err));
		CRN_TRY(crn_value_str(kwargs[k].name, &pair->list.items[0], err));
		CRN_TRY(crn_value_copy(&kwargs[k].value, &pair->list.items[1], err));
	}
	*ret = list;
	list.kind = CRN_V_NONE;
	return CAIRN_OK;
}

static cairn_status fill_slot(const binding *b, int i, crn_value *ret, cairn_error *err)
{
	const crn_param *p = &b->op->params[i];
	if (b->given[i])
		return convert(b->op, p, b->given[i], ret, err);
	if (!p->default_text) {
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "%s: %s is missing", b->op->name, p->name);
		crn_hint(err, "%s is %s%s%s", p->name, ptype_text(p->type), p->help ? ": " : "",
			p->help ? p->help : "");
		return status;
	}
	CRN_VALUE v = {0};
	CRN_TRY(crn_value_parse_literal(p->default_text, &v, err));
	return convert(b->op, p, &v, ret, err);
}

cairn_status crn_call_op(crn_graph *g, const crn_op *op, const crn_value *args, int n_args,
	const crn_kwarg *kwargs, int n_kwargs, crn_value *ret, cairn_error *err)
{
	binding b;
	count_params(op, &b);
	CRN_TRY(bind_given(&b, args, n_args, kwargs, n_kwargs, err));
	CRN_VALUE slots = {0};
	CRN_TRY(crn_value_list(b.n_params + (b.rest != NULL), &slots, err));
	for (int i = 0; i < b.n_params; i++)
		CRN_TRY(fill_slot(&b, i, &slots.list.items[i], err));
	if (b.rest)
		CRN_TRY(collect_rest(&b, kwargs, n_kwargs, &slots.list.items[b.n_params], err));
	if (op->build)
		return op->build(g, op, slots.list.items, ret, err);
	crn_node *node = NULL;
	CRN_TRY(crn_node_new(g, op, slots.list.items, &node, err));
	*ret = crn_value_node(node);
	return CAIRN_OK;
}

cairn_status crn_build_node(crn_graph *g, const char *name, const crn_value *args, int n_args,
	crn_node **ret, cairn_error *err)
{
	const crn_op *op = crn_op_find(crn_graph_registry(g), name);
	if (!op)
		return crn_fail(err, CAIRN_FAILED, "this build of cairn has no operation %s", name);
	CRN_VALUE v = {0};
	CRN_TRY(crn_call_op(g, op, args, n_args, NULL, 0, &v, err));
	if (v.kind != CRN_V_NODE)
		return crn_fail(err, CAIRN_USAGE, "%s gives no array here", name);
	*ret = v.node;
	v.kind = CRN_V_NONE;
	return CAIRN_OK;
}

/* ---- helpers on checked arguments ---- */

static cairn_status wrong_length(int got, int wanted, const char *what, cairn_error *err)
{
	cairn_status status =
		crn_fail(err, CAIRN_USAGE, "%s has %d entr%s, but %d %s needed (one per axis)",
			what, got, got == 1 ? "y" : "ies", wanted, wanted == 1 ? "is" : "are");
	crn_hint(err, "a single number is used for every axis");
	return status;
}

cairn_status crn_args_ints(
	const crn_value *v, int n, int64_t *ret, const char *what, cairn_error *err)
{
	if (v->kind == CRN_V_INT) {
		for (int i = 0; i < n; i++)
			ret[i] = v->i;
		return CAIRN_OK;
	}
	if (!is_list_of(v, is_int))
		return crn_fail(err, CAIRN_USAGE, "%s must be an integer, or one per axis", what);
	if (v->list.n != n)
		return wrong_length(v->list.n, n, what, err);
	for (int i = 0; i < n; i++)
		ret[i] = v->list.items[i].i;
	return CAIRN_OK;
}

cairn_status crn_args_floats(
	const crn_value *v, int n, double *ret, const char *what, cairn_error *err)
{
	if (crn_value_is_number(v)) {
		for (int i = 0; i < n; i++)
			ret[i] = crn_value_to_double(v);
		return CAIRN_OK;
	}
	if (!is_list_of(v, crn_value_is_number))
		return crn_fail(err, CAIRN_USAGE, "%s must be a number, or one per axis", what);
	if (v->list.n != n)
		return wrong_length(v->list.n, n, what, err);
	for (int i = 0; i < n; i++)
		ret[i] = crn_value_to_double(&v->list.items[i]);
	return CAIRN_OK;
}

static cairn_status add_axis(
	int64_t axis, int ndim, bool flags[CRN_MAX_NDIM], const char *what, cairn_error *err)
{
	if (axis < -ndim || axis >= ndim)
		return crn_fail(err, CAIRN_USAGE, "%s %lld is out of range: the array has %d ax%s",
			what, (long long)axis, ndim, ndim == 1 ? "is" : "es");
	int64_t at = axis < 0 ? axis + ndim : axis;
	if (flags[at])
		return crn_fail(err, CAIRN_USAGE, "%s names axis %lld twice", what, (long long)at);
	flags[at] = true;
	return CAIRN_OK;
}

cairn_status crn_args_axes(const crn_value *v, int ndim, bool ret_flags[CRN_MAX_NDIM],
	const char *what, cairn_error *err)
{
	bool flags[CRN_MAX_NDIM] = {false};
	if (v->kind == CRN_V_INT) {
		CRN_TRY(add_axis(v->i, ndim, flags, what, err));
	} else if (v->kind == CRN_V_NONE) {
		for (int d = 0; d < ndim; d++)
			flags[d] = true;
	} else if (is_list_of(v, is_int)) {
		for (int i = 0; i < v->list.n; i++)
			CRN_TRY(add_axis(v->list.items[i].i, ndim, flags, what, err));
	} else {
		return crn_fail(err, CAIRN_USAGE,
			"%s must be an integer, a tuple of integers or None", what);
	}
	memcpy(ret_flags, flags, sizeof(flags));
	return CAIRN_OK;
}

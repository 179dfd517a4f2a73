/* SPDX-License-Identifier: Apache-2.0
 *
 * names.c -- what a name can mean: an assigned value, an op, a predefined constant; and the nearest
 * of all of them when it means nothing.
 */
#include "lang/eval.h"

#include "base/mem.h"
#include "core/call.h"
#include "core/literal.h"

#include <math.h>
#include <string.h>

/* bool, int and float are Python's types; NumPy takes them as dtypes. */
static const char *const dtype_names[] = {"bool", "int", "float"};

static const struct {
	const char *name;
	crn_value value;
} constants[] = {
	{"inf", {.kind = CRN_V_FLOAT, .f = INFINITY}},
	{"nan", {.kind = CRN_V_FLOAT, .f = NAN}},
	{"pi", {.kind = CRN_V_FLOAT, .f = 3.141592653589793}},
	{"newaxis", {.kind = CRN_V_NONE}},
};

crn_binding *crn_eval_find(const crn_eval *e, const char *name)
{
	for (int i = 0; i < e->n_names; i++)
		if (strcmp(e->names[i].name, name) == 0)
			return &e->names[i];
	return NULL;
}

const crn_op *crn_eval_public_op(const crn_eval *e, const char *name)
{
	const crn_op *op = crn_op_find(crn_graph_registry(e->graph), name);
	return op && !op->internal ? op : NULL;
}

cairn_status crn_eval_constant(const char *name, bool *ret_found, crn_value *ret, cairn_error *err)
{
	crn_dtype t;
	*ret_found = true;
	if (crn_dtype_from_name(name, &t))
		return crn_value_str(crn_dtype_name(t), ret, err);
	for (size_t i = 0; i < CRN_COUNT(constants); i++)
		if (strcmp(name, constants[i].name) == 0) {
			*ret = constants[i].value;
			return CAIRN_OK;
		}
	*ret_found = false;
	return CAIRN_OK;
}

/* All names that could be meant; the caller frees the array. */
static const char **all_names(const crn_eval *e, int *ret_n)
{
	const crn_op *const *ops = crn_graph_registry(e->graph)->ops;
	size_t n_ops = 0, n = 0;
	while (ops[n_ops])
		n_ops++;
	const char **names =
		crn_calloc(n_ops + (size_t)e->n_names + CRN_COUNT(constants) + CRN_N_DTYPES + 8,
			sizeof(*names));
	if (!names)
		return NULL;
	for (int i = 0; i < e->n_names; i++)
		names[n++] = e->names[i].name;
	for (size_t i = 0; i < n_ops; i++)
		if (!ops[i]->internal)
			names[n++] = ops[i]->name;
	for (int t = 0; t < CRN_N_DTYPES; t++)
		names[n++] = crn_dtype_name((crn_dtype)t);
	for (size_t i = 0; i < CRN_COUNT(dtype_names); i++)
		names[n++] = dtype_names[i];
	for (size_t i = 0; i < CRN_COUNT(constants); i++)
		names[n++] = constants[i].name;
	*ret_n = (int)n;
	return names;
}

cairn_status crn_eval_unknown(
	const crn_eval *e, const char *name, size_t offset, const char *what, cairn_error *err)
{
	static const char *const python_only[] = {"range", "list", "dict", "tuple", "open",
		"enumerate", "zip", "map", "str", "type", "getattr", "exec", "eval", "__import__"};
	cairn_status status =
		crn_script_fail(e->text, offset, err, "%s %.80s is not known", what, name);
	for (size_t i = 0; i < CRN_COUNT(python_only); i++)
		if (strcmp(name, python_only[i]) == 0) {
			crn_hint(err, "%s is Python's: loops and functions use the Python module",
				name);
			return status;
		}
	int n = 0;
	CRN_FREE const char **names = all_names(e, &n);
	const char *near = names ? crn_nearest_name(name, names, n) : NULL;
	if (near)
		crn_hint(err, "did you mean %s?", near);
	else
		crn_hint(err, "`cairn ops` lists the operations");
	return status;
}

int64_t crn_eval_size(const crn_value *v)
{
	enum { UNIT_BYTES = 16 };
	int64_t n = 1;
	if (v->kind == CRN_V_STR)
		n += (int64_t)strlen(v->s) / UNIT_BYTES;
	if (v->kind == CRN_V_CONST)
		n += crn_const_count(v->c) * (int64_t)crn_dtype_size(v->c->dtype) / UNIT_BYTES;
	if (v->kind == CRN_V_LIST)
		for (int i = 0; i < v->list.n; i++)
			n += crn_eval_size(&v->list.items[i]);
	return n;
}

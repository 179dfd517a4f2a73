/* SPDX-License-Identifier: Apache-2.0
 *
 * getitem.c -- x[...] as the pipeline language hands it over: a list of index entries.
 *
 * Internal: the brackets of the language are its only face. An entry is an integer, None (a new
 * axis), the text "..." or a list (start, stop, step) in which None leaves an end open.
 */
#include "base/mem.h"
#include "ops/view_build.h"

#include <string.h>

enum { X, ITEMS, MAX_ITEMS = 2 * CRN_MAX_NDIM + 1 };

static bool open_end(const crn_value *v, bool *has, int64_t *value)
{
	*has = v->kind == CRN_V_INT;
	*value = *has ? v->i : 0;
	return *has || v->kind == CRN_V_NONE;
}

static bool to_item(const crn_value *v, crn_index_item *ret)
{
	*ret = (crn_index_item){0};
	switch (v->kind) {
	case CRN_V_INT:
		ret->kind = CRN_INDEX_INT;
		ret->index = v->i;
		return true;
	case CRN_V_NONE:
		ret->kind = CRN_INDEX_NEWAXIS;
		return true;
	case CRN_V_STR:
		ret->kind = CRN_INDEX_ELLIPSIS;
		return strcmp(v->s, "...") == 0;
	case CRN_V_LIST:
		ret->kind = CRN_INDEX_SLICE;
		return v->list.n == 3 &&
		       open_end(&v->list.items[0], &ret->has_start, &ret->start) &&
		       open_end(&v->list.items[1], &ret->has_stop, &ret->stop) &&
		       open_end(&v->list.items[2], &ret->has_step, &ret->step);
	default:
		return false;
	}
}

static cairn_status build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_index_item items[MAX_ITEMS];
	const crn_value *list = &args[ITEMS];
	(void)self;
	if (list->kind != CRN_V_LIST || list->list.n > MAX_ITEMS)
		return crn_fail(err, CAIRN_USAGE, "too many indices for array: at most %d entries",
			MAX_ITEMS);
	for (int i = 0; i < list->list.n; i++)
		if (!to_item(&list->list.items[i], &items[i]))
			return crn_fail(err, CAIRN_USAGE,
				"only integers, slices, ... and None are valid indices");
	crn_node *n = NULL;
	CRN_TRY(crn_build_index(g, args[X].node, items, list->list.n, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

static const crn_param params[] = {
	{"x", CRN_P_ARRAY, NULL, "array", NULL},
	{"items", CRN_P_ANY, NULL, "list of index entries", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_getitem = {
	.name = "getitem",
	.category = "views",
	.summary = "x[...]: integers, slices, ... and None between the brackets",
	.source = "numpy basic indexing",
	.kind = CRN_COMPOSITE,
	.internal = true,
	.semver = 1,
	.params = params,
	.build = build,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * index.c -- x[...]: entries and slices of tuples here; arrays through the op getitem.
 *
 * getitem(x, items) takes a list with one entry per index: an integer, None (a new axis), the text
 * "..." or a list (start, stop, step) whose missing parts are None.
 */
#include "lang/eval.h"

#include "base/mem.h"

static cairn_status wrong_index(
	const crn_eval *e, const crn_ast *a, const crn_value *v, cairn_error *err)
{
	cairn_status status;
	if (v->kind == CRN_V_NODE) {
		status = crn_script_fail(
			e->text, a->offset, err, "an array cannot be the index of an array");
		crn_hint(err, "choose voxel by voxel with where(mask, x, 0)");
		return status;
	}
	if (v->kind == CRN_V_LIST) {
		status = crn_script_fail(
			e->text, a->offset, err, "a tuple or list cannot be an index here");
		crn_hint(err, "write the indices with commas: x[1, 2], or a slice: x[1:9:2]");
		return status;
	}
	CRN_STR text = {0};
	crn_value_print(v, &text);
	return crn_script_fail(e->text, a->offset, err, "an index must be an integer, not %.60s",
		text.data ? text.data : "");
}

static cairn_status to_index(const crn_eval *e, const crn_ast *a, crn_value *v, cairn_error *err)
{
	if (v->kind == CRN_V_BOOL || (v->kind != CRN_V_INT && v->kind != CRN_V_UINT))
		return wrong_index(e, a, v, err);
	/* Beyond any array either way: slices clamp, and single indices fail in getitem. */
	if (v->kind == CRN_V_UINT)
		*v = crn_value_int(INT64_MAX);
	return CAIRN_OK;
}

/* One entry between the brackets. */
static cairn_status eval_item(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	CRN_VALUE v = {0};
	if (a->kind == CRN_AST_ELLIPSIS)
		return crn_value_str("...", ret, err);
	if (a->kind != CRN_AST_SLICE) {
		CRN_TRY(crn_eval_expression(e, a, &v, err));
		if (v.kind != CRN_V_NONE)
			CRN_TRY(to_index(e, a, &v, err));
		*ret = v;
		v = (crn_value){0};
		return CAIRN_OK;
	}
	CRN_TRY(crn_value_list(3, &v, err));
	for (int i = 0; i < 3; i++) {
		crn_value *part = &v.list.items[i];
		if (!a->items[i])
			continue;
		CRN_TRY(crn_eval_expression(e, a->items[i], part, err));
		if (part->kind != CRN_V_NONE)
			CRN_TRY(to_index(e, a->items[i], part, err));
	}
	if (v.list.items[2].kind == CRN_V_INT && v.list.items[2].i == 0)
		return crn_script_fail(
			e->text, a->items[2]->offset, err, "a slice cannot have step 0");
	*ret = v;
	v = (crn_value){0};
	return CAIRN_OK;
}

/* Python's slice.indices(): first index, step and count on a sequence of n. */
static int slice_indices(const crn_value *s, int n, int64_t *ret_first, int64_t *ret_step)
{
	const crn_value *start = &s->list.items[0], *stop = &s->list.items[1];
	int64_t step = s->list.items[2].kind == CRN_V_INT ? s->list.items[2].i : 1;
	int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
	int64_t ends[2] = {step > 0 ? low : high, step > 0 ? high : low};
	const crn_value *given[2] = {start, stop};
	for (int k = 0; k < 2; k++) {
		if (given[k]->kind != CRN_V_INT)
			continue;
		int64_t i = given[k]->i;
		i = i < 0 ? (i < -(int64_t)n ? low : i + n) : i;
		ends[k] = i < low ? low : i > high ? high : i;
	}
	*ret_first = ends[0];
	*ret_step = step;
	if (step > 0)
		return ends[1] <= ends[0] ? 0 : (int)((ends[1] - ends[0] - 1) / step + 1);
	/* -(step + 1) + 1 in unsigned terms: INT64_MIN has no positive counterpart. */
	uint64_t size = (uint64_t)(-(step + 1)) + 1;
	return ends[1] >= ends[0] ? 0 : (int)((uint64_t)(ends[0] - ends[1] - 1) / size + 1);
}

static cairn_status index_list(const crn_eval *e, const crn_ast *a, const crn_value *list,
	const crn_value *item, crn_value *ret, cairn_error *err)
{
	int n = list->list.n;
	if (item->kind == CRN_V_INT) {
		int64_t i = item->i < 0 ? item->i + n : item->i;
		if (i < 0 || i >= n)
			return crn_script_fail(e->text, a->items[1]->offset, err,
				"index %lld is out of range: the tuple has %d entr%s",
				(long long)item->i, n, n == 1 ? "y" : "ies");
		return crn_value_copy(&list->list.items[i], ret, err);
	}
	if (item->kind != CRN_V_LIST)
		return crn_script_fail(e->text, a->items[1]->offset, err,
			"a tuple takes an integer or a slice as index");
	int64_t first, step;
	int count = slice_indices(item, n, &first, &step);
	CRN_VALUE part = {0};
	CRN_TRY(crn_value_list(count, &part, err));
	for (int i = 0; i < count; i++)
		CRN_TRY(crn_value_copy(
			&list->list.items[first + i * step], &part.list.items[i], err));
	*ret = part;
	part = (crn_value){0};
	return CAIRN_OK;
}

cairn_status crn_eval_index(crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err)
{
	CRN_VALUE args = {0};
	CRN_TRY(crn_value_list(2, &args, err));
	crn_value *of = &args.list.items[0], *items = &args.list.items[1];
	CRN_TRY(crn_eval_expression(e, a->items[0], of, err));
	CRN_TRY(crn_value_list(a->n - 1, items, err));
	for (int i = 1; i < a->n; i++)
		CRN_TRY(eval_item(e, a->items[i], &items->list.items[i - 1], err));
	if (of->kind == CRN_V_LIST && items->list.n == 1)
		return index_list(e, a, of, &items->list.items[0], ret, err);
	if (of->kind != CRN_V_NODE)
		return crn_script_fail(
			e->text, a->offset, err, "only arrays and tuples can be indexed");
	return crn_eval_op(e, a, "getitem", args.list.items, 2, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * view_build.c -- making, folding and indexing views.
 *
 * A spec is canonical before it becomes a node, so that equal views are one node:
 *  (1) an axis of length 0 or 1 has step 1; of length 0 also start 0;
 *  (2) fixed[] is 0 for input axes that an output axis walks;
 *  (3) the input of a view node is not a view, unless joining the two would need a new axis longer
 *	than 1 (broadcast_to of a new axis), which crn_affine cannot say.
 */
#include "ops/view_build.h"

#include "base/mem.h"
#include "core/registry.h"

extern const crn_op crn_op_view;

crn_view_spec crn_view_identity(const crn_type *t)
{
	crn_view_spec s = {.ndim = t->ndim};
	for (int d = 0; d < t->ndim; d++) {
		s.axis[d] = d;
		s.step[d] = 1;
		s.length[d] = t->shape[d];
	}
	return s;
}

static void canonicalise(crn_view_spec *s, int n_in_axes)
{
	bool walked[CRN_MAX_NDIM] = {false};
	for (int d = 0; d < s->ndim; d++) {
		if (s->length[d] <= 1)
			s->step[d] = 1;
		if (s->length[d] == 0 || s->axis[d] < 0)
			s->start[d] = 0;
		if (s->axis[d] >= 0)
			walked[s->axis[d]] = true;
	}
	for (int k = 0; k < n_in_axes; k++)
		if (walked[k])
			s->fixed[k] = 0;
}

static bool is_identity(const crn_view_spec *s, const crn_type *t)
{
	if (s->ndim != t->ndim)
		return false;
	for (int d = 0; d < s->ndim; d++)
		if (s->axis[d] != d || s->start[d] != 0 || s->step[d] != 1 ||
			s->length[d] != t->shape[d])
			return false;
	return true;
}

static void spec_of(const crn_node *view, crn_view_spec *ret)
{
	crn_affine a;
	crn_op_view.affine(view, &a);
	*ret = (crn_view_spec){.ndim = view->type.ndim};
	for (int d = 0; d < ret->ndim; d++) {
		ret->axis[d] = a.axis[d];
		ret->start[d] = a.start[d];
		ret->step[d] = a.step[d];
		ret->length[d] = view->type.shape[d];
	}
	for (int k = 0; k < view->in[0]->type.ndim; k++)
		ret->fixed[k] = a.fixed[k];
}

/* outer over inner as one spec over inner's input; false if that needs a longer new axis. */
static bool join(const crn_view_spec *inner, int n_in_axes, crn_view_spec *outer)
{
	crn_view_spec r = *outer;
	for (int k = 0; k < n_in_axes; k++)
		r.fixed[k] = inner->fixed[k];
	for (int m = 0; m < inner->ndim; m++) {
		int k = inner->axis[m];
		if (k >= 0)
			r.fixed[k] = inner->start[m] + inner->step[m] * outer->fixed[m];
	}
	for (int d = 0; d < outer->ndim; d++) {
		int m = outer->axis[d];
		if (m < 0)
			continue;
		r.axis[d] = inner->axis[m];
		if (inner->axis[m] < 0 && outer->length[d] != 1)
			return false;
		if (inner->axis[m] < 0)
			continue;
		r.start[d] = inner->start[m] + inner->step[m] * outer->start[d];
		r.step[d] = inner->step[m] * outer->step[d];
	}
	*outer = r;
	return true;
}

static cairn_status view_node(
	crn_graph *g, crn_node *n, const crn_view_spec *s, crn_node **ret, cairn_error *err)
{
	CRN_VALUE axis = {0};
	CRN_VALUE start = {0};
	CRN_VALUE step = {0};
	CRN_VALUE length = {0};
	CRN_VALUE fixed = {0};
	int64_t axes[CRN_MAX_NDIM];
	for (int d = 0; d < s->ndim; d++)
		axes[d] = s->axis[d];
	CRN_TRY(crn_value_ints(axes, s->ndim, &axis, err));
	CRN_TRY(crn_value_ints(s->start, s->ndim, &start, err));
	CRN_TRY(crn_value_ints(s->step, s->ndim, &step, err));
	CRN_TRY(crn_value_ints(s->length, s->ndim, &length, err));
	CRN_TRY(crn_value_ints(s->fixed, n->type.ndim, &fixed, err));
	crn_value args[] = {{.kind = CRN_V_NODE, .node = n}, axis, start, step, length, fixed};
	return crn_node_new(g, &crn_op_view, args, ret, err);
}

cairn_status crn_build_view(
	crn_graph *g, crn_node *n, const crn_view_spec *spec, crn_node **ret, cairn_error *err)
{
	crn_view_spec s = *spec;
	if (n->type.is_table)
		return crn_fail(err, CAIRN_USAGE, "a table cannot be indexed or transposed");
	canonicalise(&s, n->type.ndim);
	while (n->op == &crn_op_view) {
		crn_view_spec inner;
		spec_of(n, &inner);
		if (!join(&inner, n->in[0]->type.ndim, &s))
			break;
		n = n->in[0];
		canonicalise(&s, n->type.ndim);
	}
	if (is_identity(&s, &n->type)) {
		*ret = crn_node_ref(n);
		return CAIRN_OK;
	}
	return view_node(g, n, &s, ret, err);
}

cairn_status crn_build_broadcast(
	crn_graph *g, crn_node *n, int ndim, const int64_t *shape, crn_node **ret, cairn_error *err)
{
	int added = ndim - n->type.ndim;
	char text[256];
	crn_view_spec grow = crn_view_identity(&n->type), s = {.ndim = ndim};
	if (ndim > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_USAGE, "broadcast_to: %d axes, the limit is %d", ndim,
			CRN_MAX_NDIM);
	bool fits = added >= 0;
	for (int d = 0; d < ndim && fits; d++) {
		int from = d - added;
		int64_t have = from < 0 ? 1 : n->type.shape[from];
		fits = shape[d] >= 0 && (have == 1 || have == shape[d]);
		grow.axis[d] = from < 0 ? -1 : from;
		grow.start[d] = 0;
		grow.step[d] = 1;
		grow.length[d] = have;
		s.axis[d] = d;
		s.step[d] = have == shape[d];
		s.length[d] = shape[d];
	}
	if (!fits) {
		crn_type want = crn_type_make(n->type.dtype, ndim, shape);
		char wanted[256];
		return crn_fail(err, CAIRN_USAGE, "broadcast_to: %s does not broadcast to %s",
			crn_type_format(&n->type, text), crn_type_format(&want, wanted));
	}
	grow.ndim = ndim;
	CRN_NODE *grown = NULL;
	CRN_TRY(crn_build_view(g, n, &grow, &grown, err));
	return crn_build_view(g, grown, &s, ret, err);
}

/* ---- indexing ---- */

static cairn_status index_int(
	const crn_index_item *item, int axis, int64_t extent, int64_t *ret, cairn_error *err)
{
	int64_t i = item->index < 0 ? item->index + extent : item->index;
	if (i < 0 || i >= extent)
		return crn_fail(err, CAIRN_USAGE,
			"index %lld is out of bounds for axis %d with size %lld",
			(long long)item->index, axis, (long long)extent);
	*ret = i;
	return CAIRN_OK;
}

/* A bound of a slice moved into [lo, hi] after counting negatives from the end. */
static int64_t slice_bound(int64_t v, int64_t extent, int64_t lo, int64_t hi)
{
	v = v < 0 ? v + extent : v;
	return v < lo ? lo : v > hi ? hi : v;
}

/* Python's slice.indices(). */
static cairn_status index_slice(
	const crn_index_item *item, int64_t extent, crn_view_spec *s, int d, cairn_error *err)
{
	int64_t step = item->has_step ? item->step : 1;
	if (step == 0)
		return crn_fail(err, CAIRN_USAGE, "slice step cannot be zero");
	int64_t lo = step > 0 ? 0 : -1, hi = step > 0 ? extent : extent - 1;
	int64_t start = step > 0 ? lo : hi, stop = step > 0 ? hi : lo;
	if (item->has_start)
		start = slice_bound(item->start, extent, lo, hi);
	if (item->has_stop)
		stop = slice_bound(item->stop, extent, lo, hi);
	uint64_t stride = step > 0 ? (uint64_t)step : -(uint64_t)step;
	int64_t span = step > 0 ? stop - start : start - stop;
	s->start[d] = start;
	s->step[d] = step;
	s->length[d] = span > 0 ? (int64_t)(((uint64_t)span - 1) / stride + 1) : 0;
	return CAIRN_OK;
}

static cairn_status count_items(const crn_node *n, const crn_index_item *items, int n_items,
	int *ret_rest, cairn_error *err)
{
	int named = 0, ellipses = 0, added = 0;
	for (int i = 0; i < n_items; i++) {
		named += items[i].kind == CRN_INDEX_INT || items[i].kind == CRN_INDEX_SLICE;
		ellipses += items[i].kind == CRN_INDEX_ELLIPSIS;
		added += items[i].kind == CRN_INDEX_NEWAXIS;
	}
	if (ellipses > 1)
		return crn_fail(
			err, CAIRN_USAGE, "an index can only have a single ellipsis ('...')");
	if (named > n->type.ndim)
		return crn_fail(err, CAIRN_USAGE,
			"too many indices for array: array is %d-dimensional, but %d were indexed",
			n->type.ndim, named);
	if (added + n->type.ndim > CRN_MAX_NDIM)
		return crn_fail(
			err, CAIRN_USAGE, "indexing would make more than %d axes", CRN_MAX_NDIM);
	*ret_rest = n->type.ndim - named;
	return CAIRN_OK;
}

static void keep_axes(const crn_node *n, int count, crn_view_spec *s, int *k)
{
	for (int i = 0; i < count; i++, (*k)++, s->ndim++) {
		s->axis[s->ndim] = *k;
		s->start[s->ndim] = 0;
		s->step[s->ndim] = 1;
		s->length[s->ndim] = n->type.shape[*k];
	}
}

cairn_status crn_build_index(crn_graph *g, crn_node *n, const crn_index_item *items, int n_items,
	crn_node **ret, cairn_error *err)
{
	int rest = 0, k = 0;
	if (n->type.is_table)
		return crn_fail(err, CAIRN_USAGE, "a table cannot be indexed");
	CRN_TRY(count_items(n, items, n_items, &rest, err));
	crn_view_spec s = {0};
	for (int i = 0; i < n_items; i++) {
		switch (items[i].kind) {
		case CRN_INDEX_INT:
			CRN_TRY(index_int(&items[i], k, n->type.shape[k], &s.fixed[k], err));
			k++;
			break;
		case CRN_INDEX_SLICE:
			s.axis[s.ndim] = k;
			CRN_TRY(index_slice(&items[i], n->type.shape[k], &s, s.ndim, err));
			s.ndim++;
			k++;
			break;
		case CRN_INDEX_ELLIPSIS:
			keep_axes(n, rest, &s, &k);
			rest = 0;
			break;
		case CRN_INDEX_NEWAXIS:
			s.axis[s.ndim] = -1;
			s.step[s.ndim] = s.length[s.ndim] = 1;
			s.ndim++;
			break;
		}
	}
	keep_axes(n, n->type.ndim - k, &s, &k);
	return crn_build_view(g, n, &s, ret, err);
}

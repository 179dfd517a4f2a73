/* SPDX-License-Identifier: Apache-2.0
 *
 * join.c -- concatenate and stack: arrays side by side; and periodic continuation made of them.
 *
 *	out  0 ......... n0 ......... n0+n1 ......
 *	     [ in[0]    ][ in[1]     ][ in[2]
 *
 * need(k): the part of the output region that falls into in[k]'s span, steps kept, moved to in[k]'s
 * own coordinates; empty: in[k] is not touched.
 */
#include "ops/join_build.h"

#include "base/mem.h"
#include "ops/elementwise_build.h"
#include "ops/view_build.h"

extern const crn_op crn_op_concatenate;

/* ---- the node ---- */

enum { ARRAYS, AXIS };

static int axis_of(const crn_node *n)
{
	return (int)n->args[AXIS].i;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	int axis = axis_of(n);
	char first[256], other[256];
	*ret = n->in[0]->type;
	ret->fill = (crn_elem){{0}};
	for (int k = 1; k < n->n_in; k++) {
		const crn_type *t = &n->in[k]->type;
		bool fits = t->ndim == ret->ndim;
		for (int d = 0; d < ret->ndim && fits; d++)
			fits = d == axis || t->shape[d] == ret->shape[d];
		if (!fits)
			return crn_fail(err, CAIRN_USAGE,
				"concatenate: all extents but those of axis %d must be equal: "
				"%s and %s",
				axis, crn_type_format(&n->in[0]->type, first),
				crn_type_format(t, other));
		if (__builtin_add_overflow(ret->shape[axis], t->shape[axis], &ret->shape[axis]))
			return crn_fail(err, CAIRN_USAGE,
				"concatenate: the array is larger than 2^63 voxels");
		if (t->kind != ret->kind)
			ret->kind = ret->dtype == CRN_BOOL ? CRN_MASK : CRN_INTENSITY;
	}
	return CAIRN_OK;
}

static int64_t offset_of(const crn_node *n, int input)
{
	int64_t offset = 0;
	for (int k = 0; k < input; k++)
		offset += n->in[k]->type.shape[axis_of(n)];
	return offset;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	int axis = axis_of(n);
	*ret = (crn_need){.region = *out, .border = CRN_BORDER_NONE};
	ret->region.lo[axis] -= offset_of(n, input);
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < out->ndim; d++)
		shape[d] = n->type.shape[d];
	shape[axis] = n->in[input]->type.shape[axis];
	ret->region = crn_region_clip(&ret->region, shape);
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	int axis = axis_of(call->node);
	for (int k = 0; k < call->n_in; k++) {
		const crn_region *r = &call->in_region[k];
		if (crn_region_empty(r))
			continue;
		int64_t at = r->lo[axis] + offset_of(call->node, k) - call->out_region.lo[axis];
		crn_view to = call->out;
		to.data = (char *)to.data + at / call->out_region.step[axis] * to.stride[axis];
		to.shape[axis] = r->n[axis];
		crn_view_copy(&to, &call->in[k]);
	}
	return CAIRN_OK;
}

/* ---- builders ---- */

static cairn_status join_node(crn_graph *g, crn_node *const *nodes, int n_nodes, int axis,
	crn_node **ret, cairn_error *err)
{
	if (n_nodes == 1) {
		*ret = crn_node_ref(nodes[0]);
		return CAIRN_OK;
	}
	CRN_VALUE list = {0};
	CRN_TRY(crn_value_list(n_nodes, &list, err));
	for (int i = 0; i < n_nodes; i++)
		list.list.items[i] = crn_value_node(crn_node_ref(nodes[i]));
	crn_value args[] = {list, crn_value_int(axis)};
	return crn_node_new(g, &crn_op_concatenate, args, ret, err);
}

/* One level of the tree: groups of CRN_MAX_INPUTS in place; the slots own their nodes. */
static cairn_status join_level(
	crn_graph *g, crn_value *slots, int *n_slots, int axis, cairn_error *err)
{
	int n_out = 0;
	for (int i = 0; i < *n_slots; i += CRN_MAX_INPUTS, n_out++) {
		crn_node *group[CRN_MAX_INPUTS], *joined;
		int n = *n_slots - i < CRN_MAX_INPUTS ? *n_slots - i : CRN_MAX_INPUTS;
		for (int k = 0; k < n; k++)
			group[k] = slots[i + k].node;
		CRN_TRY(join_node(g, group, n, axis, &joined, err));
		for (int k = 0; k < n; k++)
			crn_value_clear(&slots[i + k]);
		slots[n_out] = crn_value_node(joined);
	}
	*n_slots = n_out;
	return CAIRN_OK;
}

cairn_status crn_build_concatenate(crn_graph *g, crn_node *const *nodes, int n_nodes, int axis,
	crn_node **ret, cairn_error *err)
{
	crn_dtype t = nodes[0]->type.dtype;
	for (int i = 1; i < n_nodes; i++)
		t = crn_dtype_promote(t, nodes[i]->type.dtype);
	CRN_VALUE list = {0};
	CRN_TRY(crn_value_list(n_nodes, &list, err));
	for (int i = 0; i < n_nodes; i++) {
		crn_node *cast;
		CRN_TRY(crn_build_cast(g, nodes[i], t, &cast, err));
		list.list.items[i] = crn_value_node(cast);
	}
	int n = n_nodes;
	while (n > 1)
		CRN_TRY(join_level(g, list.list.items, &n, axis, err));
	*ret = crn_node_ref(list.list.items[0].node);
	return CAIRN_OK;
}

static cairn_status one_axis(const crn_op *op, int64_t axis, int ndim, int *ret, cairn_error *err)
{
	if (axis < -ndim || axis >= ndim)
		return crn_fail(err, CAIRN_USAGE,
			"%s: axis %lld is out of bounds for array of dimension %d", op->name,
			(long long)axis, ndim);
	*ret = (int)(axis < 0 ? axis + ndim : axis);
	return CAIRN_OK;
}

static void free_at(crn_node ***p)
{
	crn_free(*p);
}

static cairn_status build_concatenate(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_value *list = &args[ARRAYS];
	CRN_CLEANUP(free_at) crn_node **nodes = crn_calloc((size_t)list->list.n, sizeof(*nodes));
	if (!nodes)
		return crn_fail_memory(err, "a list", (size_t)list->list.n * sizeof(*nodes));
	for (int i = 0; i < list->list.n; i++)
		nodes[i] = list->list.items[i].node;
	int axis = 0;
	crn_node *n;
	CRN_TRY(one_axis(self, args[AXIS].i, nodes[0]->type.ndim, &axis, err));
	CRN_TRY(crn_build_concatenate(g, nodes, list->list.n, axis, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

/* Every array gets the new axis as a view, then they are joined along it. */
static cairn_status build_stack(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_value *list = &args[ARRAYS];
	const crn_type *first = &list->list.items[0].node->type;
	char text[256], other[256];
	int axis = 0;
	CRN_TRY(one_axis(self, args[AXIS].i, first->ndim + 1, &axis, err));
	CRN_VALUE grown = {0};
	CRN_TRY(crn_value_list(list->list.n, &grown, err));
	for (int i = 0; i < list->list.n; i++) {
		crn_node *array = list->list.items[i].node, *n;
		crn_index_item items[CRN_MAX_NDIM] = {0};
		bool same = array->type.ndim == first->ndim;
		for (int d = 0; d < first->ndim && same; d++)
			same = array->type.shape[d] == first->shape[d];
		if (!same)
			return crn_fail(err, CAIRN_USAGE, "stack: shapes differ: %s and %s",
				crn_type_format(first, text), crn_type_format(&array->type, other));
		for (int d = 0; d < axis; d++)
			items[d].kind = CRN_INDEX_SLICE;
		items[axis].kind = CRN_INDEX_NEWAXIS;
		CRN_TRY(crn_build_index(g, array, items, axis + 1, &n, err));
		grown.list.items[i] = crn_value_node(n);
	}
	crn_value joined[] = {grown, crn_value_int(axis)};
	return build_concatenate(g, &crn_op_concatenate, joined, ret, err);
}

/* ---- periodic continuation ---- */

enum { MAX_REPEATS = 1000 };

static cairn_status part_of(crn_graph *g, crn_node *n, int axis, int64_t lo, int64_t length,
	crn_value *ret, cairn_error *err)
{
	crn_view_spec s = crn_view_identity(&n->type);
	s.start[axis] = lo;
	s.length[axis] = length;
	crn_node *part;
	CRN_TRY(crn_build_view(g, n, &s, &part, err));
	*ret = crn_value_node(part);
	return CAIRN_OK;
}

static cairn_status wrap_axis(crn_graph *g, crn_node *n, int axis, const int64_t width[2],
	crn_node **ret, cairn_error *err)
{
	int64_t extent = n->type.shape[axis];
	if (extent == 0)
		return crn_fail(err, CAIRN_USAGE, "cannot continue axis %d: it is empty", axis);
	if (width[0] / extent + width[1] / extent > MAX_REPEATS)
		return crn_fail(err, CAIRN_USAGE,
			"wrapping axis %d would repeat its %lld voxels more than %d times", axis,
			(long long)extent, MAX_REPEATS);
	int64_t tail = width[0] % extent, head = width[1] % extent;
	int whole = (int)(width[0] / extent + 1 + width[1] / extent), k = 0;
	crn_node *nodes[MAX_REPEATS + 3];
	CRN_VALUE first = {0};
	CRN_VALUE last = {0};
	if (tail > 0) {
		CRN_TRY(part_of(g, n, axis, extent - tail, tail, &first, err));
		nodes[k++] = first.node;
	}
	for (int i = 0; i < whole; i++)
		nodes[k++] = n;
	if (head > 0) {
		CRN_TRY(part_of(g, n, axis, 0, head, &last, err));
		nodes[k++] = last.node;
	}
	return crn_build_concatenate(g, nodes, k, axis, ret, err);
}

cairn_status crn_build_wrap_pad(crn_graph *g, crn_node *n, const int64_t *before,
	const int64_t *after, crn_node **ret, cairn_error *err)
{
	CRN_VALUE padded = crn_value_node(crn_node_ref(n));
	for (int d = 0; d < n->type.ndim; d++) {
		int64_t width[2] = {before[d], after[d]};
		crn_node *wider;
		if (width[0] == 0 && width[1] == 0)
			continue;
		CRN_TRY(wrap_axis(g, padded.node, d, width, &wider, err));
		crn_value_clear(&padded);
		padded = crn_value_node(wider);
	}
	*ret = crn_node_ref(padded.node);
	return CAIRN_OK;
}

/* ---- descriptors ---- */

static const crn_param params[] = {
	{"arrays", CRN_P_ARRAYS, NULL, "list of arrays; dtypes promote", NULL},
	{"axis", CRN_P_INT, "0", "axis to join along (stack: its place in the result)", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_concatenate = {
	.name = "concatenate",
	.category = "views",
	.summary = "arrays joined along an axis they have",
	.source = "numpy.concatenate",
	.example = "concatenate((zeros((2, 3)), ones((1, 3))))",
	.kind = CRN_STENCIL,
	.semver = 1,
	.params = params,
	.build = build_concatenate,
	.infer = infer,
	.need = need,
	.compute = compute,
};

const crn_op crn_op_stack = {
	.name = "stack",
	.category = "views",
	.summary = "arrays of one shape joined along a new axis",
	.source = "numpy.stack",
	.example = "stack((zeros((2, 3)), ones((2, 3))))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = params,
	.build = build_stack,
};

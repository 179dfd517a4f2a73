/* SPDX-License-Identifier: Apache-2.0
 *
 * axes.c -- transpose, flip, squeeze, expand_dims, swapaxes, moveaxis, broadcast_to.
 *
 * All of them build `view` nodes (view_build.h) and move no pixels.
 */
#include "core/call.h"
#include "ops/view_build.h"

#include "base/mem.h"

static cairn_status finish(crn_graph *g, const crn_value *array, const crn_view_spec *s,
	crn_value *ret, cairn_error *err)
{
	crn_node *n;
	CRN_TRY(crn_build_view(g, array->node, s, &n, err));
	*ret = crn_value_node(n);
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

/* An int or a list of ints as axes in the order given, each at most once. */
static cairn_status axis_list(
	const crn_op *op, const crn_value *v, int ndim, int *ret_axes, int *ret_n, cairn_error *err)
{
	bool seen[CRN_MAX_NDIM] = {false};
	int n = v->kind == CRN_V_LIST ? v->list.n : 1;
	if (n > ndim)
		return crn_fail(err, CAIRN_USAGE, "%s: %d axes given for an array of dimension %d",
			op->name, n, ndim);
	for (int i = 0; i < n; i++) {
		const crn_value *item = v->kind == CRN_V_LIST ? &v->list.items[i] : v;
		CRN_TRY(one_axis(op, item->i, ndim, &ret_axes[i], err));
		if (seen[ret_axes[i]])
			return crn_fail(err, CAIRN_USAGE, "%s: axis %d is given twice", op->name,
				ret_axes[i]);
		seen[ret_axes[i]] = true;
	}
	*ret_n = n;
	return CAIRN_OK;
}

static crn_view_spec permuted(const crn_type *t, const int *order)
{
	crn_view_spec s = crn_view_identity(t);
	for (int d = 0; d < t->ndim; d++) {
		s.axis[d] = order[d];
		s.length[d] = t->shape[order[d]];
	}
	return s;
}

static cairn_status build_transpose(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_type *t = &args[0].node->type;
	int order[CRN_MAX_NDIM], n = t->ndim;
	for (int d = 0; d < n; d++)
		order[d] = n - 1 - d;
	if (args[1].kind != CRN_V_NONE)
		CRN_TRY(axis_list(self, &args[1], t->ndim, order, &n, err));
	if (n != t->ndim)
		return crn_fail(err, CAIRN_USAGE,
			"transpose: axes must name all %d axes of the array, got %d", t->ndim, n);
	crn_view_spec s = permuted(t, order);
	return finish(g, &args[0], &s, ret, err);
}

static cairn_status build_swapaxes(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_type *t = &args[0].node->type;
	int order[CRN_MAX_NDIM], a = 0, b = 0;
	CRN_TRY(one_axis(self, args[1].i, t->ndim, &a, err));
	CRN_TRY(one_axis(self, args[2].i, t->ndim, &b, err));
	for (int d = 0; d < t->ndim; d++)
		order[d] = d == a ? b : d == b ? a : d;
	crn_view_spec s = permuted(t, order);
	return finish(g, &args[0], &s, ret, err);
}

static cairn_status build_moveaxis(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_type *t = &args[0].node->type;
	int from[CRN_MAX_NDIM], to[CRN_MAX_NDIM], order[CRN_MAX_NDIM], n, n_to;
	CRN_TRY(axis_list(self, &args[1], t->ndim, from, &n, err));
	CRN_TRY(axis_list(self, &args[2], t->ndim, to, &n_to, err));
	if (n != n_to)
		return crn_fail(err, CAIRN_USAGE,
			"moveaxis: source and destination must name as many axes");
	bool placed[CRN_MAX_NDIM] = {false}, moved[CRN_MAX_NDIM] = {false};
	for (int i = 0; i < n; i++) {
		order[to[i]] = from[i];
		placed[to[i]] = moved[from[i]] = true;
	}
	for (int d = 0, k = 0; d < t->ndim; d++) {
		if (placed[d])
			continue;
		while (moved[k])
			k++;
		order[d] = k++;
	}
	crn_view_spec s = permuted(t, order);
	return finish(g, &args[0], &s, ret, err);
}

static cairn_status build_flip(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_type *t = &args[0].node->type;
	int axes[CRN_MAX_NDIM] = {0, 1, 2, 3, 4, 5, 6, 7}, n = t->ndim;
	if (args[1].kind != CRN_V_NONE)
		CRN_TRY(axis_list(self, &args[1], t->ndim, axes, &n, err));
	crn_view_spec s = crn_view_identity(t);
	for (int i = 0; i < n; i++) {
		s.start[axes[i]] = t->shape[axes[i]] - 1;
		s.step[axes[i]] = -1;
	}
	return finish(g, &args[0], &s, ret, err);
}

static cairn_status build_squeeze(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_type *t = &args[0].node->type;
	bool drop[CRN_MAX_NDIM] = {false};
	int axes[CRN_MAX_NDIM], n = 0;
	if (args[1].kind != CRN_V_NONE)
		CRN_TRY(axis_list(self, &args[1], t->ndim, axes, &n, err));
	for (int d = 0; d < t->ndim; d++)
		drop[d] = args[1].kind == CRN_V_NONE && t->shape[d] == 1;
	for (int i = 0; i < n; i++) {
		if (t->shape[axes[i]] != 1)
			return crn_fail(err, CAIRN_USAGE, "squeeze: axis %d has size %lld, not 1",
				axes[i], (long long)t->shape[axes[i]]);
		drop[axes[i]] = true;
	}
	crn_view_spec s = {0};
	for (int d = 0; d < t->ndim; d++) {
		if (drop[d])
			continue;
		s.axis[s.ndim] = d;
		s.step[s.ndim] = 1;
		s.length[s.ndim++] = t->shape[d];
	}
	return finish(g, &args[0], &s, ret, err);
}

static cairn_status build_expand_dims(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_type *t = &args[0].node->type;
	int axes[CRN_MAX_NDIM], n = args[1].kind == CRN_V_LIST ? args[1].list.n : 1;
	if (n + t->ndim > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_USAGE, "expand_dims: more than %d axes", CRN_MAX_NDIM);
	crn_view_spec s = {.ndim = t->ndim + n};
	CRN_TRY(axis_list(self, &args[1], s.ndim, axes, &n, err));
	for (int i = 0; i < n; i++)
		s.axis[axes[i]] = -1;
	for (int d = 0, k = 0; d < s.ndim; d++) {
		s.length[d] = s.axis[d] < 0 ? 1 : t->shape[k];
		s.step[d] = 1;
		if (s.axis[d] >= 0)
			s.axis[d] = k++;
	}
	return finish(g, &args[0], &s, ret, err);
}

static cairn_status build_broadcast_to(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	int64_t shape[CRN_MAX_NDIM];
	int ndim = args[1].kind == CRN_V_LIST ? args[1].list.n : 1;
	if (ndim > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_USAGE, "broadcast_to: more than %d axes", CRN_MAX_NDIM);
	CRN_TRY(crn_args_ints(&args[1], ndim, shape, "shape", err));
	crn_node *n;
	CRN_TRY(crn_build_broadcast(g, args[0].node, ndim, shape, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

/* ---- descriptors ---- */

static const crn_param transpose_params[] = {
	{"a", CRN_P_ARRAY, NULL, "array", NULL},
	{"axes", CRN_P_INTS, "None", "order of the input's axes; None: reversed", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param swap_params[] = {
	{"a", CRN_P_ARRAY, NULL, "array", NULL},
	{"axis1", CRN_P_INT, NULL, "an axis", NULL},
	{"axis2", CRN_P_INT, NULL, "the axis it changes places with", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param move_params[] = {
	{"a", CRN_P_ARRAY, NULL, "array", NULL},
	{"source", CRN_P_INTS, NULL, "axes to move", NULL},
	{"destination", CRN_P_INTS, NULL, "where they go", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param flip_params[] = {
	{"m", CRN_P_ARRAY, NULL, "array", NULL},
	{"axis", CRN_P_INTS, "None", "axes to reverse; None: all", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param squeeze_params[] = {
	{"a", CRN_P_ARRAY, NULL, "array", NULL},
	{"axis", CRN_P_INTS, "None", "axes of size 1 to drop; None: all of them", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param expand_params[] = {
	{"a", CRN_P_ARRAY, NULL, "array", NULL},
	{"axis", CRN_P_INTS, NULL, "where the new axes stand in the result", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param broadcast_params[] = {
	{"array", CRN_P_ARRAY, NULL, "array", NULL},
	{"shape", CRN_P_INTS, NULL, "shape of the result", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_transpose = {
	.name = "transpose",
	.category = "views",
	.summary = "axes in another order",
	.doc = "Names and scales go with their axes.",
	.source = "numpy.transpose",
	.example = "transpose(zeros((2, 3, 4)), (1, 0, 2))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = transpose_params,
	.build = build_transpose,
};

const crn_op crn_op_swapaxes = {
	.name = "swapaxes",
	.category = "views",
	.summary = "two axes change places",
	.source = "numpy.swapaxes",
	.example = "swapaxes(zeros((2, 3, 4)), 0, 2)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = swap_params,
	.build = build_swapaxes,
};

const crn_op crn_op_moveaxis = {
	.name = "moveaxis",
	.category = "views",
	.summary = "axes moved to other positions",
	.source = "numpy.moveaxis",
	.example = "moveaxis(zeros((2, 3, 4)), 0, -1)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = move_params,
	.build = build_moveaxis,
};

const crn_op crn_op_flip = {
	.name = "flip",
	.category = "views",
	.summary = "axes reversed",
	.doc = "The mirrored object stays in its place: scale and origin are kept.",
	.source = "numpy.flip",
	.example = "flip(arange(10))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = flip_params,
	.build = build_flip,
};

const crn_op crn_op_squeeze = {
	.name = "squeeze",
	.category = "views",
	.summary = "axes of size 1 dropped",
	.source = "numpy.squeeze",
	.example = "squeeze(zeros((1, 3, 1)))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = squeeze_params,
	.build = build_squeeze,
};

const crn_op crn_op_expand_dims = {
	.name = "expand_dims",
	.category = "views",
	.summary = "new axes of size 1",
	.source = "numpy.expand_dims",
	.example = "expand_dims(zeros((3, 4)), 0)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = expand_params,
	.build = build_expand_dims,
};

const crn_op crn_op_broadcast_to = {
	.name = "broadcast_to",
	.category = "views",
	.summary = "axes of size 1 repeated to a shape",
	.doc = "Nothing is copied.",
	.source = "numpy.broadcast_to",
	.example = "broadcast_to(arange(4), (3, 4))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = broadcast_params,
	.build = build_broadcast_to,
};

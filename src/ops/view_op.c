/* SPDX-License-Identifier: Apache-2.0
 *
 * view_op.c -- the `view` node: slices, steps, reversals, transposes, new and repeated axes.
 *
 * Internal; made by view_build.c, which keeps it canonical. Nothing is computed: the engine walks
 * the input's buffer with other strides.
 *
 * Axes follow their voxels: a step multiplies the scale, a start moves the translation. A reversed
 * axis shows the mirrored object in the same place: its scale stays positive and its translation is
 * that of the voxel nearest to the origin.
 */
#include "core/op.h"

enum { X, AXIS, START, STEP, LENGTH, FIXED };

static int64_t item(const crn_node *n, int arg, int d)
{
	return n->args[arg].list.items[d].i;
}

static crn_axis axis_of(const crn_node *n, int d)
{
	int64_t k = item(n, AXIS, d), step = item(n, STEP, d), length = item(n, LENGTH, d);
	crn_axis a = {.scale = 1};
	if (k < 0)
		return a;
	a = n->in[0]->type.axes[k];
	int64_t first = item(n, START, d);
	if (step < 0)
		first += (length - 1) * step;
	a.translation += (double)first * a.scale;
	if (step != 0)
		a.scale *= (double)(step < 0 ? -step : step);
	return a;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	*ret = n->in[0]->type;
	ret->ndim = n->args[AXIS].list.n;
	for (int d = 0; d < ret->ndim; d++) {
		ret->shape[d] = item(n, LENGTH, d);
		ret->axes[d] = axis_of(n, d);
	}
	return CAIRN_OK;
}

static void affine(const crn_node *n, crn_affine *ret)
{
	*ret = (crn_affine){{0}};
	for (int d = 0; d < n->type.ndim; d++) {
		ret->axis[d] = (int)item(n, AXIS, d);
		ret->start[d] = item(n, START, d);
		ret->step[d] = item(n, STEP, d);
	}
	for (int k = 0; k < n->in[0]->type.ndim; k++)
		ret->fixed[k] = item(n, FIXED, k);
}

static const crn_param params[] = {
	{"x", CRN_P_ARRAY, NULL, "array", NULL},
	{"axis", CRN_P_INTS, NULL, "input axis of every output axis, -1 for a new one", NULL},
	{"start", CRN_P_INTS, NULL, "first index, per output axis", NULL},
	{"step", CRN_P_INTS, NULL, "step, per output axis; 0 repeats", NULL},
	{"length", CRN_P_INTS, NULL, "extent, per output axis", NULL},
	{"fixed", CRN_P_INTS, NULL, "index of input axes that are gone, per input axis", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_view = {
	.name = "view",
	.category = "views",
	.summary = "slices, steps, reversals and transposes of an array",
	.source = "numpy basic indexing",
	.kind = CRN_VIEW,
	.internal = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.affine = affine,
};

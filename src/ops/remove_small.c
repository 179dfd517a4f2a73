/* SPDX-License-Identifier: Apache-2.0
 *
 * remove_small.c -- small or enclosed components of masks: remove_small_objects, remove_small_holes
 * and binary_fill_holes, all one internal op over components.h.
 *
 * The internal op looks at components of the foreground or of the background, chooses those that
 * are large enough (or touch the border) and keeps only them.
 */
#include "base/mem.h"
#include "core/call.h"
#include "ops/components.h"

#include <string.h>

/* ---- the internal op ---- */

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	int64_t k = crn_node_arg(n, "connectivity")->i;
	if (in->is_table || in->ndim == 0)
		return crn_fail(err, CAIRN_USAGE, "the input must have at least one axis");
	if (k < 1 || k > in->ndim)
		return crn_fail(err, CAIRN_USAGE, "connectivity %lld is not between 1 and %d",
			(long long)k, in->ndim);
	*ret = crn_type_with_dtype(in, CRN_BOOL);
	return CAIRN_OK;
}

static cairn_status begin(const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err)
{
	CRN_FREE crn_components_spec *spec = crn_calloc(1, sizeof(*spec));
	if (!spec)
		return crn_fail_memory(err, "components", sizeof(*spec));
	int64_t least = crn_node_arg(n, "min_size")->i;
	crn_structure_fill(
		n->in[0]->type.ndim, (int)crn_node_arg(n, "connectivity")->i, spec->structure);
	spec->background = crn_node_arg(n, "background")->b;
	spec->objects = least < 0 ? CRN_OBJECTS_AT_BORDER : CRN_OBJECTS_LARGE;
	spec->min_size = least < 0 ? 0 : (uint64_t)least;
	crn_components *c = NULL;
	CRN_TRY(crn_components_new(spec, &n->in[0]->type, env, &c, err));
	*ret_state = c;
	return CAIRN_OK;
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	return crn_components_paint(call, crn_node_arg(call->node, "background")->b, err);
}

static const crn_global global = {
	.n_passes = crn_components_n_passes,
	.begin = begin,
	.pass_begin = crn_components_pass_begin,
	.fold = crn_components_fold,
	.pass_end = crn_components_pass_end,
	.end = crn_components_end,
	.tile_save = crn_components_tile_save,
	.tile_load = crn_components_tile_load,
	.fold_scratch = crn_components_fold_scratch_extra,
};

static const crn_param keep_params[] = {
	{"ar", CRN_P_ARRAY, NULL, "mask"},
	{"min_size", CRN_P_INT, NULL,
		"voxels of the smallest component kept; -1: those at the border"},
	{"connectivity", CRN_P_INT, NULL, "1 faces ... ndim corners"},
	{"background", CRN_P_BOOL, NULL, "components of the zeros"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_keep_components = {
	.name = "keep_components",
	.category = "morphology",
	.summary = "Keep the components of a mask that are large enough or touch the border",
	.source = "skimage.morphology.remove_small_objects",
	.kind = CRN_GLOBAL,
	.takes_bits = true,
	.internal = true,
	.semver = 1,
	.params = keep_params,
	.infer = infer,
	.need = crn_need_nothing,
	.scratch = crn_components_scratch,
	.compute = compute,
	.global = &global,
};

static cairn_status keep(crn_graph *g, const crn_op *self, const crn_value *args, bool background,
	crn_value *ret, cairn_error *err)
{
	crn_value a[] = {args[0], args[1], args[2], crn_value_bool(background)};
	crn_node *n = NULL;
	cairn_status status = crn_node_new(g, &crn_op_keep_components, a, &n, err);
	if (status != CAIRN_OK) {
		crn_where(err, "%s", self->name);
		return status;
	}
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

static cairn_status check_size(const crn_op *self, const char *what, int64_t size, cairn_error *err)
{
	if (size < 0)
		return crn_fail(err, CAIRN_USAGE, "%s: %s is negative", self->name, what);
	return CAIRN_OK;
}

/* ---- the public ops ---- */

static cairn_status objects_build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_dtype t = args[0].node->type.dtype;
	CRN_TRY(check_size(self, "min_size", args[1].i, err));
	if (crn_dtype_is_float(t)) {
		cairn_status status = crn_fail(err, CAIRN_USAGE,
			"remove_small_objects: the input must be bool or integer, not %s",
			crn_dtype_name(t));
		crn_hint(err, "compare first, for example remove_small_objects(x > 0)");
		return status;
	}
	if (t == CRN_BOOL)
		return keep(g, self, args, false, ret, err);
	crn_value a[] = {args[0], args[1]};
	crn_node *n = NULL;
	CRN_TRY(crn_build_node(g, "keep_labels", a, 2, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

static const crn_param objects_params[] = {
	{"ar", CRN_P_ARRAY, NULL, "mask, or labels (integers)"},
	{"min_size", CRN_P_INT, "64", "voxels of the smallest object kept"},
	{"connectivity", CRN_P_INT, "1", "masks: 1 faces ... ndim corners"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_remove_small_objects = {
	.name = "remove_small_objects",
	.category = "morphology",
	.summary = "Remove objects smaller than a size",
	.doc = "A bool array is labelled first and gives bool; an integer array is taken as "
	       "labels, whose "
	       "voxels are counted, and keeps its ids.",
	.source = "skimage.morphology.remove_small_objects",
	.example = "clean = remove_small_objects(ones((4, 5)) > 0, min_size=8)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = objects_params,
	.build = objects_build,
};

static cairn_status holes_build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	CRN_TRY(check_size(self, "area_threshold", args[1].i, err));
	return keep(g, self, args, true, ret, err);
}

static const crn_param holes_params[] = {
	{"ar", CRN_P_ARRAY, NULL, "mask; everything that is not zero is an object"},
	{"area_threshold", CRN_P_INT, "64", "holes of fewer voxels are filled"},
	{"connectivity", CRN_P_INT, "1", "of the holes: 1 faces ... ndim corners"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_remove_small_holes = {
	.name = "remove_small_holes",
	.category = "morphology",
	.summary = "Fill holes smaller than a size",
	.doc = "Any small component of the background counts as a hole, at the border too. Gives "
	       "bool.",
	.source = "skimage.morphology.remove_small_holes",
	.example = "solid = remove_small_holes(ones((4, 5)) > 0)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = holes_params,
	.build = holes_build,
};

static cairn_status fill_build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_value a[] = {args[0], crn_value_int(-1), crn_value_int(1)};
	return keep(g, self, a, true, ret, err);
}

static const crn_param fill_params[] = {
	{"input", CRN_P_ARRAY, NULL, "mask; everything that is not zero is an object"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_binary_fill_holes = {
	.name = "binary_fill_holes",
	.category = "morphology",
	.summary = "Fill the holes of objects",
	.doc = "A hole is background that cannot be reached from the border through faces of "
	       "voxels.",
	.source = "scipy.ndimage.binary_fill_holes",
	.example = "solid = binary_fill_holes(ones((4, 5)) > 0)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = fill_params,
	.build = fill_build,
};

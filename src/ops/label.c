/* SPDX-License-Identifier: Apache-2.0
 *
 * label.c -- label(): connected components with scipy's ids, for arrays of any size.
 *
 * The work is done by components.h; here are the structure, the type and the painting of ids.
 */
#include "base/mem.h"
#include "ops/components.h"

#include <string.h>

/* Structure of the node: from `structure`, else from `connectivity`, else connectivity 1. */
static cairn_status structure_of(const crn_node *n, int ndim, bool *ret_structure, cairn_error *err)
{
	const crn_value *structure = crn_node_arg(n, "structure");
	const crn_value *connectivity = crn_node_arg(n, "connectivity");
	if (structure->kind != CRN_V_NONE && connectivity->kind != CRN_V_NONE)
		return crn_fail(
			err, CAIRN_USAGE, "label: give structure or connectivity, not both");
	if (structure->kind == CRN_V_NONE) {
		int64_t k = connectivity->kind == CRN_V_NONE ? 1 : connectivity->i;
		if (k < 1 || k > ndim)
			return crn_fail(err, CAIRN_USAGE,
				"label: connectivity %lld is not between 1 and %d", (long long)k,
				ndim);
		crn_structure_fill(ndim, (int)k, ret_structure);
		return CAIRN_OK;
	}
	const crn_const *c = structure->c;
	bool fits = c->ndim == ndim;
	for (int d = 0; d < c->ndim; d++)
		fits = fits && c->shape[d] == 3;
	if (!fits)
		return crn_fail(err, CAIRN_USAGE,
			"label: structure must have 3 elements along each of the %d axes", ndim);
	int64_t count = crn_const_count(c);
	crn_view v = crn_const_view(c);
	size_t size = crn_dtype_size(c->dtype);
	for (int64_t i = 0; i < count; i++) {
		crn_elem e = {{0}};
		memcpy(e.bytes, (const char *)v.data + (size_t)i * size, size);
		ret_structure[i] = crn_elem_to_double(c->dtype, e) != 0;
	}
	for (int64_t i = 0; i < count; i++)
		if (ret_structure[i] != ret_structure[count - 1 - i])
			return crn_fail(err, CAIRN_USAGE,
				"label: structure is not symmetric about its centre");
	return CAIRN_OK;
}

static crn_dtype dtype_of(const crn_node *n)
{
	crn_dtype t = CRN_I32;
	(void)crn_dtype_from_name(crn_node_arg(n, "dtype")->s, &t);
	return t;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	bool structure[6561];
	if (in->is_table || in->ndim == 0)
		return crn_fail(err, CAIRN_USAGE, "label: the input must have at least one axis");
	if (!crn_dtype_is_integer(dtype_of(n)))
		return crn_fail(err, CAIRN_USAGE, "label: dtype must be an integer type, not %s",
			crn_dtype_name(dtype_of(n)));
	CRN_TRY(structure_of(n, in->ndim, structure, err));
	*ret = crn_type_with_dtype(in, dtype_of(n));
	ret->kind = CRN_LABEL;
	return CAIRN_OK;
}

static cairn_status begin(const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err)
{
	CRN_FREE crn_components_spec *spec = crn_calloc(1, sizeof(*spec));
	if (!spec)
		return crn_fail_memory(err, "label", sizeof(*spec));
	const crn_type *in = &n->in[0]->type;
	CRN_TRY(structure_of(n, in->ndim, spec->structure, err));
	spec->objects = CRN_OBJECTS_NUMBER;
	spec->max_id = crn_dtype_max_int(dtype_of(n));
	crn_components *c = NULL;
	CRN_TRY(crn_components_new(spec, in, env, &c, err));
	*ret_state = c;
	return CAIRN_OK;
}

/* A given structure may leave x neighbours apart, which makes more runs. */
static size_t fold_scratch(const crn_node *n, const crn_region *tile)
{
	return crn_node_arg(n, "structure")->kind == CRN_V_NONE
		       ? crn_components_fold_scratch(n, tile)
		       : crn_components_fold_scratch_singles(n, tile);
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	return crn_components_paint(call, 0, err);
}

static double cost(const crn_node *n)
{
	return 1.0;
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
	.fold_scratch = fold_scratch,
};

static const crn_param params[] = {
	{"input", CRN_P_ARRAY, NULL, "array; everything that is not zero is foreground"},
	{"structure", CRN_P_CONST, "None",
		"which neighbours touch: 3 elements along each axis, symmetric"},
	{"connectivity", CRN_P_INT, "None",
		"instead of structure: 1 faces only (default) ... ndim, corners too"},
	{"dtype", CRN_P_DTYPE, "'int32'", "integer type of the labels"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_label = {
	.name = "label",
	.category = "measure",
	.summary = "Number the connected components of an array",
	.doc = "0 is background; ids 1 ... n follow the raster order of each object's first voxel, "
	       "exactly as scipy numbers them, whatever the chunks. Only the labels are returned; "
	       "max(label(x)) is their number. scikit-image's default is connectivity=ndim, ours "
	       "is "
	       "scipy's 1. More objects than the dtype can hold are an error, not a wrap.",
	.source = "scipy.ndimage.label",
	.example = "n = max(label(ones((4, 5)) > 0, connectivity=2))",
	.kind = CRN_GLOBAL,
	.takes_bits = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = crn_need_nothing,
	.cost = cost,
	.scratch = crn_components_scratch,
	.compute = compute,
	.global = &global,
};

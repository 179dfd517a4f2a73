/* SPDX-License-Identifier: Apache-2.0
 *
 * conversion.c -- astype (wraps and truncates, as NumPy) and saturate (rounds and clamps).
 *
 * Kernels and the meaning of out-of-range floats: kernels/cast_kernels.h.
 */
#include "ops/elementwise_build.h"

#include "base/mem.h"
#include "kernels/cast_kernels.h"

extern const crn_op crn_op_astype;

/* The call checked the name, and only it makes such arguments. */
static crn_dtype dtype_arg(const crn_value *v)
{
	crn_dtype t = CRN_F64;
	(void)crn_dtype_from_name(v->s, &t);
	return t;
}

static cairn_status build_conversion(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	if (args[0].node->type.dtype == dtype_arg(&args[1]))
		return crn_value_copy(&args[0], ret, err);
	return crn_make_value(g, self, args, ret, err);
}

/* Bool has no range to saturate to; widening to floats is what astype does. */
static cairn_status build_saturate(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_dtype t = dtype_arg(&args[1]);
	if (t == CRN_BOOL) {
		crn_fail(err, CAIRN_USAGE, "saturate: bool has no range to saturate to");
		crn_hint(err, "write a comparison, for example x > 0.5");
		return CAIRN_USAGE;
	}
	return build_conversion(g, crn_dtype_is_float(t) ? &crn_op_astype : self, args, ret, err);
}

static cairn_status infer_conversion(const crn_node *n, crn_type *ret, cairn_error *err)
{
	crn_dtype t = dtype_arg(&n->args[1]);
	*ret = crn_type_with_dtype(&n->in[0]->type, t);
	if (ret->kind == CRN_LABEL && crn_dtype_is_float(t))
		ret->kind = CRN_INTENSITY;
	return CAIRN_OK;
}

static cairn_status bind_astype(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	crn_dtype from = n->in[0]->type.dtype;
	*ret = (crn_bound){.row = CRN_ISA_PICK(crn_casts, isa)->cast[n->type.dtype][from]};
	return CAIRN_OK;
}

static cairn_status bind_saturate(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	crn_dtype from = n->in[0]->type.dtype;
	*ret = (crn_bound){.row = CRN_ISA_PICK(crn_casts, isa)->saturate[n->type.dtype][from]};
	return CAIRN_OK;
}

static const crn_param params[] = {
	{"x", CRN_P_ARRAY, NULL, "array", NULL},
	{"dtype", CRN_P_DTYPE, NULL, "dtype of the result", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_astype = {
	.name = "astype",
	.category = "elementwise",
	.summary = "converts to another dtype: integers wrap, floats are truncated",
	.doc = "Floats outside an integer's range, and NaN: int64 gives -2^63, int32 -2^31, 8 and "
	       "16 bits the low bits of the int32 result, uint32 the low bits of the int64 "
	       "result, uint64 wraps down to -2^63 and gives 2^63 for NaN. bool is \"not zero\".",
	.source = "numpy.ndarray.astype",
	.example = "arange(10).astype(\"uint8\")",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = params,
	.build = build_conversion,
	.infer = infer_conversion,
	.bind = bind_astype,
};

const crn_op crn_op_saturate = {
	.name = "saturate",
	.category = "elementwise",
	.summary = "converts to an integer dtype: rounds half to even, clamps to its range",
	.doc = "NaN becomes 0. Float dtypes: the same as astype.",
	.source = "cv::saturate_cast",
	.example = "saturate(arange(10) * 50.5, \"uint8\")",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = params,
	.build = build_saturate,
	.infer = infer_conversion,
	.bind = bind_saturate,
};

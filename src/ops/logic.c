/* SPDX-License-Identifier: Apache-2.0
 *
 * logic.c -- bitwise_and, bitwise_or, bitwise_xor, invert and their logical forms: the operators
 * & | ^ ~ of the pipeline language. On masks they are logic.
 *
 * logical_*(x, y) is bitwise_*(x != 0, y != 0): one kernel serves both.
 */
#include "ops/elementwise_build.h"

#include "base/mem.h"

extern const crn_op crn_op_bitwise_and, crn_op_bitwise_or, crn_op_bitwise_xor, crn_op_invert;

CRN_EW_HOOKS(bitwise_and, 2, CRN_EW_AND, CRN_RULE_BITS)
CRN_EW_HOOKS(bitwise_or, 2, CRN_EW_OR, CRN_RULE_BITS)
CRN_EW_HOOKS(bitwise_xor, 2, CRN_EW_XOR, CRN_RULE_BITS)
CRN_EW_HOOKS(invert, 1, CRN_EW_INVERT, CRN_RULE_BITS)

static cairn_status truth(crn_graph *g, const crn_op *self, const crn_value *operand,
	crn_value *ret, cairn_error *err)
{
	if (!crn_value_is_number(operand))
		return crn_operand_as(g, self, operand, CRN_BOOL, ret, err);
	*ret = crn_value_bool(crn_value_to_double(operand) != 0);
	return CAIRN_OK;
}

static cairn_status build_logical2(crn_graph *g, const crn_op *op, crn_ew kernel,
	const crn_value *args, crn_value *ret, cairn_error *err)
{
	CRN_VALUE x1 = {0};
	CRN_VALUE x2 = {0};
	CRN_TRY(truth(g, op, &args[0], &x1, err));
	CRN_TRY(truth(g, op, &args[1], &x2, err));
	crn_value pair[] = {x1, x2};
	return crn_ew_build2(g, op, kernel, CRN_RULE_BITS, pair, ret, err);
}

static cairn_status build_logical_and(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	return build_logical2(g, &crn_op_bitwise_and, CRN_EW_AND, args, ret, err);
}

static cairn_status build_logical_or(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	return build_logical2(g, &crn_op_bitwise_or, CRN_EW_OR, args, ret, err);
}

static cairn_status build_logical_xor(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	return build_logical2(g, &crn_op_bitwise_xor, CRN_EW_XOR, args, ret, err);
}

static cairn_status build_logical_not(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	CRN_VALUE x = {0};
	CRN_TRY(truth(g, self, &args[0], &x, err));
	if (x.kind == CRN_V_BOOL) {
		*ret = crn_value_bool(!x.b);
		return CAIRN_OK;
	}
	return crn_make_value(g, &crn_op_invert, &x, ret, err);
}

const crn_op crn_op_bitwise_and = {
	.name = "bitwise_and",
	.category = "elementwise",
	.summary = "x1 & x2 of integers, or of masks",
	.source = "numpy.bitwise_and",
	.example = "(arange(10) > 2) & (arange(10) < 7)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_bitwise_and,
	.infer = crn_ew_infer,
	.bind = bind_bitwise_and,
};

const crn_op crn_op_bitwise_or = {
	.name = "bitwise_or",
	.category = "elementwise",
	.summary = "x1 | x2 of integers, or of masks",
	.source = "numpy.bitwise_or",
	.example = "(arange(10) > 2) | (arange(10) < 7)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_bitwise_or,
	.infer = crn_ew_infer,
	.bind = bind_bitwise_or,
};

const crn_op crn_op_bitwise_xor = {
	.name = "bitwise_xor",
	.category = "elementwise",
	.summary = "x1 ^ x2 of integers, or of masks",
	.source = "numpy.bitwise_xor",
	.example = "(arange(10) > 2) ^ (arange(10) < 7)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_bitwise_xor,
	.infer = crn_ew_infer,
	.bind = bind_bitwise_xor,
};

const crn_op crn_op_invert = {
	.name = "invert",
	.category = "elementwise",
	.summary = "~x: all bits of integers, not of masks",
	.source = "numpy.invert",
	.example = "~(arange(10) > 2)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_invert,
	.infer = crn_ew_infer,
	.bind = bind_invert,
};

const crn_op crn_op_logical_and = {
	.name = "logical_and",
	.category = "elementwise",
	.summary = "x1 and x2, as masks",
	.doc = "Not zero counts as true.",
	.source = "numpy.logical_and",
	.example = "logical_and(arange(10), arange(10) > 5)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_logical_and,
};

const crn_op crn_op_logical_or = {
	.name = "logical_or",
	.category = "elementwise",
	.summary = "x1 or x2, as masks",
	.doc = "Not zero counts as true.",
	.source = "numpy.logical_or",
	.example = "logical_or(arange(10), arange(10) > 5)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_logical_or,
};

const crn_op crn_op_logical_xor = {
	.name = "logical_xor",
	.category = "elementwise",
	.summary = "exactly one of x1 and x2, as masks",
	.doc = "Not zero counts as true.",
	.source = "numpy.logical_xor",
	.example = "logical_xor(arange(10), arange(10) > 5)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_logical_xor,
};

const crn_op crn_op_logical_not = {
	.name = "logical_not",
	.category = "elementwise",
	.summary = "true where x is zero",
	.source = "numpy.logical_not",
	.example = "logical_not(arange(10))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_logical_not,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * comparison.c -- equal, not_equal, less, less_equal, greater, greater_equal, isnan, where.
 *
 * Comparisons give masks. A number outside an integer array's range is compared exactly
 * (uint8 > 300 is False everywhere): the comparison is rewritten while building.
 */
#include "ops/elementwise_build.h"

#include "base/mem.h"

CRN_EW_HOOKS(equal, 2, CRN_EW_EQUAL, CRN_RULE_COMPARE)
CRN_EW_HOOKS(not_equal, 2, CRN_EW_NOT_EQUAL, CRN_RULE_COMPARE)
CRN_EW_HOOKS(less, 2, CRN_EW_LESS, CRN_RULE_COMPARE)
CRN_EW_HOOKS(less_equal, 2, CRN_EW_LESS_EQUAL, CRN_RULE_COMPARE)
CRN_EW_HOOKS(greater, 2, CRN_EW_GREATER, CRN_RULE_COMPARE)
CRN_EW_HOOKS(greater_equal, 2, CRN_EW_GREATER_EQUAL, CRN_RULE_COMPARE)

/* Integers hold no NaN: x != x is False for them and for nothing else. */
extern const crn_op crn_op_not_equal;

static cairn_status build_isnan(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	if (args[0].kind == CRN_V_NODE && !crn_dtype_is_float(args[0].node->type.dtype)) {
		crn_value pair[] = {args[0], args[0]};
		return crn_make_value(g, &crn_op_not_equal, pair, ret, err);
	}
	return crn_ew_build1(g, self, CRN_EW_ISNAN, CRN_RULE_NUMBER, args, ret, err);
}

static cairn_status bind_isnan(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	return crn_ew_bind(n, isa, CRN_EW_ISNAN, ret, err);
}

/* ---- where ---- */

static cairn_status build_where(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	if (crn_value_is_number(&args[0]) && crn_value_is_number(&args[1]) &&
		crn_value_is_number(&args[2]))
		return crn_value_copy(
			crn_value_to_double(&args[0]) != 0 ? &args[1] : &args[2], ret, err);
	const crn_value *operands[] = {&args[1], &args[2]};
	crn_dtype t = crn_operands_dtype(operands, 2);
	if (crn_value_is_number(&args[1]) && crn_value_is_number(&args[2]) && t == CRN_BOOL)
		t = args[1].kind == CRN_V_BOOL && args[2].kind == CRN_V_BOOL ? CRN_BOOL : CRN_I64;
	crn_value condition = args[0];
	if (crn_value_is_number(&condition))
		condition = crn_value_bool(crn_value_to_double(&condition) != 0);
	CRN_VALUE c = {0};
	CRN_VALUE x = {0};
	CRN_VALUE y = {0};
	CRN_TRY(crn_operand_as(g, self, &condition, CRN_BOOL, &c, err));
	CRN_TRY(crn_operand_as(g, self, &args[1], t, &x, err));
	CRN_TRY(crn_operand_as(g, self, &args[2], t, &y, err));
	crn_value canonical[] = {c, x, y};
	return crn_make_value(g, self, canonical, ret, err);
}

/* A choice between labels, or of labels and a constant, is labels again. */
static cairn_status infer_where(const crn_node *n, crn_type *ret, cairn_error *err)
{
	CRN_TRY(crn_ew_infer(n, ret, err));
	if (n->in[1]->type.kind == CRN_LABEL || n->in[2]->type.kind == CRN_LABEL)
		ret->kind = CRN_LABEL;
	return CAIRN_OK;
}

static cairn_status bind_where(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	return crn_ew_bind(n, isa, CRN_EW_WHERE, ret, err);
}

static const crn_param where_params[] = {
	{"condition", CRN_P_OPERAND, NULL, "array; not zero counts as true", NULL},
	{"x", CRN_P_OPERAND, NULL, "array or number taken where the condition is true", NULL},
	{"y", CRN_P_OPERAND, NULL, "array or number taken elsewhere", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_equal = {
	.name = "equal",
	.category = "elementwise",
	.summary = "x1 == x2, a mask",
	.doc = "False where either is NaN.",
	.source = "numpy.equal",
	.example = "arange(10) == 5",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_equal,
	.infer = crn_ew_infer_mask,
	.bind = bind_equal,
};

const crn_op crn_op_not_equal = {
	.name = "not_equal",
	.category = "elementwise",
	.summary = "x1 != x2, a mask",
	.doc = "NaN is unequal to everything.",
	.source = "numpy.not_equal",
	.example = "arange(10) != 5",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_not_equal,
	.infer = crn_ew_infer_mask,
	.bind = bind_not_equal,
};

const crn_op crn_op_less = {
	.name = "less",
	.category = "elementwise",
	.summary = "x1 < x2, a mask",
	.doc = "False where either is NaN.",
	.source = "numpy.less",
	.example = "arange(10) < 5",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_less,
	.infer = crn_ew_infer_mask,
	.bind = bind_less,
};

const crn_op crn_op_less_equal = {
	.name = "less_equal",
	.category = "elementwise",
	.summary = "x1 <= x2, a mask",
	.doc = "False where either is NaN.",
	.source = "numpy.less_equal",
	.example = "arange(10) <= 5",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_less_equal,
	.infer = crn_ew_infer_mask,
	.bind = bind_less_equal,
};

const crn_op crn_op_greater = {
	.name = "greater",
	.category = "elementwise",
	.summary = "x1 > x2, a mask",
	.doc = "False where either is NaN.",
	.source = "numpy.greater",
	.example = "arange(10) > 5",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_greater,
	.infer = crn_ew_infer_mask,
	.bind = bind_greater,
};

const crn_op crn_op_greater_equal = {
	.name = "greater_equal",
	.category = "elementwise",
	.summary = "x1 >= x2, a mask",
	.doc = "False where either is NaN.",
	.source = "numpy.greater_equal",
	.example = "arange(10) >= 5",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_greater_equal,
	.infer = crn_ew_infer_mask,
	.bind = bind_greater_equal,
};

const crn_op crn_op_isnan = {
	.name = "isnan",
	.category = "elementwise",
	.summary = "true where x is NaN",
	.source = "numpy.isnan",
	.example = "isnan(full((4, 4), 1.5))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_isnan,
	.infer = crn_ew_infer_mask,
	.bind = bind_isnan,
};

const crn_op crn_op_where = {
	.name = "where",
	.category = "elementwise",
	.summary = "x where the condition is true, y elsewhere",
	.doc = "x and y promote; labels stay labels.",
	.source = "numpy.where",
	.example = "where(arange(10) > 5, 1, 0)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = where_params,
	.build = build_where,
	.infer = infer_where,
	.bind = bind_where,
};

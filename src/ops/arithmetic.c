/* SPDX-License-Identifier: Apache-2.0
 *
 * arithmetic.c -- add, subtract, multiply, divide, floor_divide, mod, negative, absolute, square,
 * minimum, maximum, clip: the operators + - * / // %% of the pipeline language and their kin.
 *
 * Kernels: kernels/elementwise_kernels.c. Type rules and casts: elementwise_build.h.
 */
#include "ops/elementwise_build.h"

#include "base/mem.h"

extern const crn_op crn_op_absolute, crn_op_minimum, crn_op_maximum;

CRN_EW_HOOKS(add, 2, CRN_EW_ADD, CRN_RULE_NUMBER)
CRN_EW_HOOKS(subtract, 2, CRN_EW_SUBTRACT, CRN_RULE_NO_BOOL)
CRN_EW_HOOKS(multiply, 2, CRN_EW_MULTIPLY, CRN_RULE_NUMBER)
CRN_EW_HOOKS(divide, 2, CRN_EW_DIVIDE, CRN_RULE_DIVIDE)
CRN_EW_HOOKS(floor_divide, 2, CRN_EW_FLOOR_DIVIDE, CRN_RULE_BOOL_IS_INT8)
CRN_EW_HOOKS(mod, 2, CRN_EW_MOD, CRN_RULE_BOOL_IS_INT8)
CRN_EW_HOOKS(minimum, 2, CRN_EW_MINIMUM, CRN_RULE_NUMBER)
CRN_EW_HOOKS(maximum, 2, CRN_EW_MAXIMUM, CRN_RULE_NUMBER)
CRN_EW_HOOKS(negative, 1, CRN_EW_NEGATIVE, CRN_RULE_NO_BOOL)
CRN_EW_HOOKS(square, 1, CRN_EW_SQUARE, CRN_RULE_BOOL_IS_INT8)

static cairn_status bind_absolute(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	return crn_ew_bind(n, isa, CRN_EW_ABSOLUTE, ret, err);
}

/* Unsigned and bool arrays are their own absolute value. */
static cairn_status build_absolute(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	char kind = args[0].kind == CRN_V_NODE ? crn_dtype_kind(args[0].node->type.dtype) : 'i';
	if (kind == 'u' || kind == 'b')
		return crn_value_copy(&args[0], ret, err);
	return crn_ew_build1(g, &crn_op_absolute, CRN_EW_ABSOLUTE, CRN_RULE_NUMBER, args, ret, err);
}

/* minimum(maximum(a, a_min), a_max), as NumPy defines it; None leaves an end open. */
static cairn_status build_clip(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	if (args[1].kind == CRN_V_NONE && args[2].kind == CRN_V_NONE) {
		crn_fail(err, CAIRN_USAGE, "clip: a_min and a_max are both None");
		crn_hint(err, "give at least one end, for example clip(x, 0, 255)");
		return CAIRN_USAGE;
	}
	CRN_VALUE low = {0};
	if (args[1].kind == CRN_V_NONE) {
		CRN_TRY(crn_value_copy(&args[0], &low, err));
	} else {
		crn_value pair[] = {args[0], args[1]};
		CRN_TRY(crn_ew_build2(
			g, &crn_op_maximum, CRN_EW_MAXIMUM, CRN_RULE_NUMBER, pair, &low, err));
	}
	if (args[2].kind == CRN_V_NONE) {
		*ret = low;
		low = (crn_value){0};
		return CAIRN_OK;
	}
	crn_value pair[] = {low, args[2]};
	return crn_ew_build2(g, &crn_op_minimum, CRN_EW_MINIMUM, CRN_RULE_NUMBER, pair, ret, err);
}

static const crn_param clip_params[] = {
	{"a", CRN_P_OPERAND, NULL, "array or number", NULL},
	{"a_min", CRN_P_OPERAND, "None", "lower end; None: open", NULL},
	{"a_max", CRN_P_OPERAND, "None", "upper end; None: open", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_add = {
	.name = "add",
	.category = "elementwise",
	.summary = "x1 + x2",
	.doc = "Integers wrap. bool + bool is bool (or). A number takes the array's dtype.",
	.source = "numpy.add",
	.example = "full((4, 4), 1.5) + 2",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_add,
	.infer = crn_ew_infer,
	.bind = bind_add,
};

const crn_op crn_op_subtract = {
	.name = "subtract",
	.category = "elementwise",
	.summary = "x1 - x2",
	.doc = "Integers wrap: uint8 3 - 5 is 254. Not defined for two bool arrays.",
	.source = "numpy.subtract",
	.example = "1 - full((4, 4), 0.25)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_subtract,
	.infer = crn_ew_infer,
	.bind = bind_subtract,
};

const crn_op crn_op_multiply = {
	.name = "multiply",
	.category = "elementwise",
	.summary = "x1 * x2",
	.doc = "Integers wrap. bool * bool is bool (and).",
	.source = "numpy.multiply",
	.example = "full((4, 4), 1.5) * 2",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_multiply,
	.infer = crn_ew_infer,
	.bind = bind_multiply,
};

const crn_op crn_op_divide = {
	.name = "divide",
	.category = "elementwise",
	.summary = "x1 / x2, true division",
	.doc = "Integers and bool up to 16 bits give float32 (NumPy: float64, or less for 8 "
	       "bits), wider ones float64; a float number makes integers float64.",
	.source = "numpy.divide",
	.example = "arange(10, dtype=\"uint8\") / 255",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_divide,
	.infer = crn_ew_infer,
	.bind = bind_divide,
};

const crn_op crn_op_floor_divide = {
	.name = "floor_divide",
	.category = "elementwise",
	.summary = "x1 // x2, rounded towards minus infinity",
	.doc = "Integers divided by 0 give 0.",
	.source = "numpy.floor_divide",
	.example = "arange(10) // 3",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_floor_divide,
	.infer = crn_ew_infer,
	.bind = bind_floor_divide,
};

const crn_op crn_op_mod = {
	.name = "mod",
	.category = "elementwise",
	.summary = "x1 % x2, with the sign of x2",
	.doc = "Integers modulo 0 give 0, floats NaN.",
	.source = "numpy.mod",
	.example = "arange(10) % 3",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_mod,
	.infer = crn_ew_infer,
	.bind = bind_mod,
};

const crn_op crn_op_negative = {
	.name = "negative",
	.category = "elementwise",
	.summary = "-x",
	.doc = "Integers wrap; not defined for bool.",
	.source = "numpy.negative",
	.example = "-arange(10)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_negative,
	.infer = crn_ew_infer,
	.bind = bind_negative,
};

const crn_op crn_op_absolute = {
	.name = "absolute",
	.category = "elementwise",
	.summary = "absolute value",
	.doc = "The most negative integer is its own absolute value, as in NumPy.",
	.source = "numpy.absolute",
	.example = "absolute(arange(10) - 5)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_absolute,
	.infer = crn_ew_infer,
	.bind = bind_absolute,
};

const crn_op crn_op_abs = {
	.name = "abs",
	.category = "elementwise",
	.summary = "absolute value; the same as absolute",
	.source = "numpy.absolute",
	.example = "abs(arange(10) - 5)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_absolute,
};

const crn_op crn_op_square = {
	.name = "square",
	.category = "elementwise",
	.summary = "x * x",
	.doc = "Integers wrap.",
	.source = "numpy.square",
	.example = "square(arange(10))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_square,
	.infer = crn_ew_infer,
	.bind = bind_square,
};

const crn_op crn_op_minimum = {
	.name = "minimum",
	.category = "elementwise",
	.summary = "smaller of x1 and x2",
	.doc = "NaN if either is NaN.",
	.source = "numpy.minimum",
	.example = "minimum(arange(10), 5)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_minimum,
	.infer = crn_ew_infer,
	.bind = bind_minimum,
};

const crn_op crn_op_maximum = {
	.name = "maximum",
	.category = "elementwise",
	.summary = "larger of x1 and x2",
	.doc = "NaN if either is NaN.",
	.source = "numpy.maximum",
	.example = "maximum(arange(10), 5)",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_maximum,
	.infer = crn_ew_infer,
	.bind = bind_maximum,
};

const crn_op crn_op_clip = {
	.name = "clip",
	.category = "elementwise",
	.summary = "limits values to [a_min, a_max]",
	.doc = "minimum(maximum(a, a_min), a_max); NaN stays NaN. Ends may be arrays.",
	.source = "numpy.clip",
	.example = "clip(arange(10), 2, 7)",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = clip_params,
	.build = build_clip,
};

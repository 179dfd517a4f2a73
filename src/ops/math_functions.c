/* SPDX-License-Identifier: Apache-2.0
 *
 * math_functions.c -- power, sqrt, exp, log and rounding.
 *
 * Kernels: kernels/math_kernels.c, our own functions, the same bits on every machine. Integers and
 * bool up to 16 bits are computed in float32, wider ones in float64; rounding leaves integers
 * alone.
 */
#include "ops/elementwise_build.h"

#include "base/mem.h"
#include "kernels/math_kernels.h"

extern const crn_op crn_op_astype, crn_op_square, crn_op_sqrt, crn_op_rint;

static cairn_status bind_math(
	const crn_node *n, crn_isa isa, crn_math kernel, crn_bound *ret, cairn_error *err)
{
	crn_dtype t = n->in[0]->type.dtype;
	crn_row_fn row = CRN_ISA_PICK(crn_math, isa)->row[kernel][t];
	if (!row)
		return crn_fail(
			err, CAIRN_USAGE, "%s: not defined for %s", n->op->name, crn_dtype_name(t));
	*ret = (crn_bound){.row = row};
	return CAIRN_OK;
}

static cairn_status build_float(crn_graph *g, const crn_op *self, crn_math kernel,
	const crn_value *args, crn_value *ret, cairn_error *err)
{
	if (crn_value_is_number(&args[0])) {
		double x = crn_value_to_double(&args[0]), r;
		const void *in[] = {&x};
		crn_math_base.row[kernel][CRN_F64](NULL, 1, &r, in);
		*ret = crn_value_float(r);
		return CAIRN_OK;
	}
	const crn_value *operands[] = {&args[0]};
	CRN_VALUE x = {0};
	CRN_TRY(crn_operand_as(g, self, &args[0], crn_divide_dtype(operands, 1), &x, err));
	return crn_make_value(g, self, &x, ret, err);
}

/* Integers are whole already. */
static cairn_status build_whole(crn_graph *g, const crn_op *self, crn_math kernel,
	const crn_value *args, crn_value *ret, cairn_error *err)
{
	bool array = args[0].kind == CRN_V_NODE;
	if (array ? !crn_dtype_is_float(args[0].node->type.dtype) : args[0].kind != CRN_V_FLOAT)
		return crn_value_copy(&args[0], ret, err);
	return build_float(g, self, kernel, args, ret, err);
}

#define HOOKS(id, how, kernel) \
	static cairn_status build_##id(crn_graph *g, const crn_op *self, const crn_value *args, \
		crn_value *ret, cairn_error *err) \
	{ \
		return build_##how(g, self, kernel, args, ret, err); \
	} \
	static cairn_status bind_##id( \
		const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err) \
	{ \
		return bind_math(n, isa, kernel, ret, err); \
	}
HOOKS(sqrt, float, CRN_MATH_SQRT)
HOOKS(exp, float, CRN_MATH_EXP)
HOOKS(log, float, CRN_MATH_LOG)
HOOKS(rint, whole, CRN_MATH_RINT)
HOOKS(floor, whole, CRN_MATH_FLOOR)
HOOKS(ceil, whole, CRN_MATH_CEIL)

static cairn_status build_round(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	return build_whole(g, &crn_op_rint, CRN_MATH_RINT, args, ret, err);
}

static double cost_transcendental(const crn_node *n)
{
	return 6;
}

static double cost_power(const crn_node *n)
{
	return 20;
}

/* ---- power ---- */

/* x ** 1, x ** 2 and x ** 0.5 are far cheaper done directly, as NumPy's operator does. NULL when
 * there is no shorter way; crn_op_astype stands for x itself. */
static const crn_op *shortcut(crn_dtype result, const crn_value *exponent)
{
	double e = crn_value_is_number(exponent) ? crn_value_to_double(exponent) : 0;
	return e == 1                                   ? &crn_op_astype
	       : e == 2                                 ? &crn_op_square
	       : e == 0.5 && crn_dtype_is_float(result) ? &crn_op_sqrt
							: NULL;
}

static cairn_status build_power(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_value *operands[] = {&args[0], &args[1]};
	if (crn_value_is_number(&args[0]) && crn_value_is_number(&args[1]))
		return crn_fold_numbers(self, CRN_EW_POWER, &args[0], &args[1], ret, err);
	crn_dtype t = crn_operands_dtype(operands, 2);
	const crn_op *shorter = shortcut(t, &args[1]);
	if (shorter) {
		CRN_VALUE x = {0};
		CRN_TRY(crn_operand_as(g, self, &args[0], t, &x, err));
		if (shorter == &crn_op_astype)
			return crn_value_copy(&x, ret, err);
		return crn_make_value(g, shorter, &x, ret, err);
	}
	if (!crn_dtype_is_float(t) && args[1].kind == CRN_V_INT && args[1].i < 0) {
		crn_fail(err, CAIRN_USAGE, "power: integers to a negative integer power");
		crn_hint(err, "cast to a float first: x.astype(\"float32\") ** -1");
		return CAIRN_USAGE;
	}
	return crn_ew_build2(g, self, CRN_EW_POWER, CRN_RULE_BOOL_IS_INT8, args, ret, err);
}

static cairn_status bind_power(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	return crn_ew_bind(n, isa, CRN_EW_POWER, ret, err);
}

static const crn_param round_params[] = {
	{"a", CRN_P_OPERAND, NULL, "array or number", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_power = {
	.name = "power",
	.category = "elementwise",
	.summary = "x1 ** x2",
	.doc = "Integers wrap; an array of integers to negative powers gives the whole part of the "
	       "true result. Special values of floats as C99's pow.",
	.source = "numpy.power",
	.example = "arange(10) ** 2",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params2,
	.build = build_power,
	.infer = crn_ew_infer,
	.cost = cost_power,
	.bind = bind_power,
};

const crn_op crn_op_sqrt = {
	.name = "sqrt",
	.category = "elementwise",
	.summary = "square root",
	.doc = "Integers up to 16 bits give float32, wider ones float64.",
	.source = "numpy.sqrt",
	.example = "sqrt(arange(10))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_sqrt,
	.infer = crn_ew_infer,
	.bind = bind_sqrt,
};

const crn_op crn_op_exp = {
	.name = "exp",
	.category = "elementwise",
	.summary = "e to the power x",
	.doc = "Within 1 ulp. Integers up to 16 bits give float32, wider ones float64.",
	.source = "numpy.exp",
	.example = "exp(arange(10))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_exp,
	.infer = crn_ew_infer,
	.cost = cost_transcendental,
	.bind = bind_exp,
};

const crn_op crn_op_log = {
	.name = "log",
	.category = "elementwise",
	.summary = "natural logarithm",
	.doc = "Within 1 ulp; -inf at 0, NaN below. Integers up to 16 bits give float32, "
	       "wider ones float64.",
	.source = "numpy.log",
	.example = "log(arange(10))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_log,
	.infer = crn_ew_infer,
	.cost = cost_transcendental,
	.bind = bind_log,
};

const crn_op crn_op_rint = {
	.name = "rint",
	.category = "elementwise",
	.summary = "nearest whole number, halves to even",
	.doc = "Integers stay as they are (NumPy makes them floats).",
	.source = "numpy.rint",
	.example = "rint(full((4, 4), 2.5))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_rint,
	.infer = crn_ew_infer,
	.bind = bind_rint,
};

const crn_op crn_op_round = {
	.name = "round",
	.category = "elementwise",
	.summary = "nearest whole number, halves to even; the same as rint",
	.source = "numpy.round",
	.example = "round(full((4, 4), 2.5))",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = round_params,
	.build = build_round,
};

const crn_op crn_op_floor = {
	.name = "floor",
	.category = "elementwise",
	.summary = "largest whole number not above x",
	.doc = "Integers stay as they are.",
	.source = "numpy.floor",
	.example = "floor(full((4, 4), 2.5))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_floor,
	.infer = crn_ew_infer,
	.bind = bind_floor,
};

const crn_op crn_op_ceil = {
	.name = "ceil",
	.category = "elementwise",
	.summary = "smallest whole number not below x",
	.doc = "Integers stay as they are.",
	.source = "numpy.ceil",
	.example = "ceil(full((4, 4), 2.5))",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = crn_ew_params1,
	.build = build_ceil,
	.infer = crn_ew_infer,
	.bind = bind_ceil,
};

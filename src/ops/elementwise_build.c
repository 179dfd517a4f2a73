/* SPDX-License-Identifier: Apache-2.0
 *
 * elementwise_build.c -- type rules, casts and broadcasting of elementwise ops.
 *
 * Builders run while a pipeline is read: they make nodes, never pixels. Failures are USAGE and name
 * the op, the operands' dtypes and shapes, and what to write instead.
 */
#include "ops/elementwise_build.h"

#include "base/mem.h"
#include "kernels/math_kernels.h"

#include <math.h>
#include <string.h>

extern const crn_op crn_op_astype, crn_op_constant;
extern const crn_op crn_op_less, crn_op_less_equal, crn_op_greater, crn_op_greater_equal;

const crn_param crn_ew_params1[] = {
	{"x", CRN_P_OPERAND, NULL, "array or number", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
const crn_param crn_ew_params2[] = {
	{"x1", CRN_P_OPERAND, NULL, "array or number", NULL},
	{"x2", CRN_P_OPERAND, NULL, "array or number; shapes broadcast", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

/* ---- dtypes ---- */

/* 0 bool, 1 integer, 2 float. */
static int kind_rank(crn_dtype t)
{
	return crn_dtype_is_float(t) ? 2 : t == CRN_BOOL ? 0 : 1;
}

static int number_rank(const crn_value *v)
{
	return v->kind == CRN_V_FLOAT ? 2 : v->kind == CRN_V_BOOL ? 0 : 1;
}

static bool operand_dtype(const crn_value *v, crn_dtype *ret)
{
	if (v->kind == CRN_V_NODE)
		*ret = v->node->type.dtype;
	else if (v->kind == CRN_V_CONST)
		*ret = v->c->dtype;
	else
		return false;
	return true;
}

crn_dtype crn_operands_dtype(const crn_value *const *operands, int n)
{
	crn_dtype common = CRN_BOOL, t;
	int weak = 0;
	for (int i = 0; i < n; i++) {
		if (operand_dtype(operands[i], &t))
			common = crn_dtype_promote(common, t);
		else if (number_rank(operands[i]) > weak)
			weak = number_rank(operands[i]);
	}
	if (weak > kind_rank(common))
		common = weak == 2 ? CRN_F64 : CRN_I64;
	return common;
}

crn_dtype crn_divide_dtype(const crn_value *const *operands, int n)
{
	crn_dtype common = crn_operands_dtype(operands, n), t;
	bool small = true;
	for (int i = 0; i < n; i++) {
		if (operand_dtype(operands[i], &t))
			small = small && crn_dtype_size(t) <= 2;
		else if (operands[i]->kind == CRN_V_FLOAT)
			small = false;
	}
	if (crn_dtype_is_float(common))
		return common;
	return small ? CRN_F32 : CRN_F64;
}

/* ---- nodes ---- */

cairn_status crn_make_value(
	crn_graph *g, const crn_op *op, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_node *n;
	CRN_TRY(crn_node_new(g, op, args, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

cairn_status crn_build_cast(
	crn_graph *g, crn_node *n, crn_dtype dtype, crn_node **ret, cairn_error *err)
{
	if (n->type.dtype == dtype) {
		*ret = crn_node_ref(n);
		return CAIRN_OK;
	}
	CRN_VALUE name = {0};
	CRN_TRY(crn_value_str(crn_dtype_name(dtype), &name, err));
	crn_value args[] = {{.kind = CRN_V_NODE, .node = n}, name};
	return crn_node_new(g, &crn_op_astype, args, ret, err);
}

static cairn_status constant_of(
	crn_graph *g, crn_const *take_value, crn_node **ret, cairn_error *err)
{
	CRN_VALUE value = crn_value_const(take_value);
	return crn_node_new(g, &crn_op_constant, &value, ret, err);
}

cairn_status crn_build_constant(
	crn_graph *g, crn_dtype dtype, crn_elem value, crn_node **ret, cairn_error *err)
{
	crn_const *c;
	CRN_TRY(crn_const_new(dtype, 0, NULL, &c, err));
	memcpy(c->data, value.bytes, crn_dtype_size(dtype));
	return constant_of(g, c, ret, err);
}

static cairn_status refuse_number(
	const crn_op *op, const crn_value *v, crn_dtype dtype, cairn_error *err)
{
	CRN_STR text = {0};
	crn_value_print(v, &text);
	if (crn_dtype_is_integer(dtype))
		crn_fail(err, CAIRN_USAGE,
			"%s: %s does not fit the array's dtype %s (%lld to %llu)", op->name,
			text.data, crn_dtype_name(dtype), (long long)crn_dtype_min_int(dtype),
			(unsigned long long)crn_dtype_max_int(dtype));
	else
		crn_fail(err, CAIRN_USAGE, "%s: %s cannot become %s", op->name, text.data,
			crn_dtype_name(dtype));
	crn_hint(err, "cast the array to a wider type first, for example with .astype(\"int64\")");
	return CAIRN_USAGE;
}

cairn_status crn_operand_as(crn_graph *g, const crn_op *op, const crn_value *operand,
	crn_dtype dtype, crn_value *ret, cairn_error *err)
{
	crn_node *n = NULL;
	if (operand->kind == CRN_V_NODE || operand->kind == CRN_V_CONST) {
		CRN_NODE *array = NULL;
		if (operand->kind == CRN_V_NODE)
			array = crn_node_ref(operand->node);
		else
			CRN_TRY(constant_of(g, crn_const_ref(operand->c), &array, err));
		if (array->type.is_table)
			return crn_fail(err, CAIRN_USAGE, "%s: a table is not an array", op->name);
		CRN_TRY(crn_build_cast(g, array, dtype, &n, err));
	} else {
		crn_elem value;
		if (!crn_value_to_elem(operand, dtype, &value))
			return refuse_number(op, operand, dtype, err);
		CRN_TRY(crn_build_constant(g, dtype, value, &n, err));
	}
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

/* ---- comparisons with numbers ---- */

/* An integer array against a number that its dtype cannot hold, rewritten to one it can:
 * `x > 2.5` is `x > 2`, `x < 300` of uint8 is `x <= 255`. Integers up to 32 bits only for floats:
 * wider ones are compared in float64, as NumPy does. `mirrored`: the number stands on the left. */
typedef struct exact_number {
	const crn_op *op;
	crn_value value;
} exact_number;

static bool integral_bound(crn_ew kernel, double v, crn_value *ret, bool *never)
{
	double floor_v = floor(v);
	*never = false;
	switch (kernel) {
	case CRN_EW_GREATER:
	case CRN_EW_LESS_EQUAL:
		break;
	case CRN_EW_LESS:
	case CRN_EW_GREATER_EQUAL:
		floor_v = ceil(v);
		break;
	default:
		*never = floor_v != v;
		break;
	}
	if (!(floor_v >= -9e18 && floor_v <= 9e18))
		return false;
	*ret = crn_value_int((int64_t)floor_v);
	return true;
}

static bool fits(const crn_value *v, crn_dtype t)
{
	crn_elem e;
	return crn_value_to_elem(v, t, &e);
}

/* Comparison that is always true (or false) for integers of dtype t. */
static exact_number always(bool yes, crn_dtype t)
{
	return (exact_number){
		yes ? &crn_op_less_equal : &crn_op_greater, crn_value_uint(crn_dtype_max_int(t))};
}

static bool rewrite_comparison(
	const crn_op *self, crn_ew kernel, crn_dtype t, const crn_value *number, exact_number *ret)
{
	if (!crn_dtype_is_integer(t) || fits(number, t))
		return false;
	crn_value v = *number;
	bool never = false;
	if (v.kind == CRN_V_FLOAT) {
		if (crn_dtype_size(t) > 4)
			return false;
		if (isnan(v.f))
			never = true;
		else if (!integral_bound(kernel, v.f, &v, &never))
			v = crn_value_int(v.f < 0 ? INT64_MIN : INT64_MAX);
	}
	bool above = v.kind == CRN_V_UINT || v.i > 0;
	if (!never && fits(&v, t)) {
		*ret = (exact_number){self, v};
		return true;
	}
	bool nan_number = number->kind == CRN_V_FLOAT && isnan(number->f);
	bool yes = false;
	switch (kernel) {
	case CRN_EW_NOT_EQUAL:
		yes = true;
		break;
	case CRN_EW_LESS:
	case CRN_EW_LESS_EQUAL:
		yes = above && !nan_number;
		break;
	case CRN_EW_GREATER:
	case CRN_EW_GREATER_EQUAL:
		yes = !above && !nan_number;
		break;
	default:
		break;
	}
	*ret = always(yes, t);
	return true;
}

static crn_ew mirrored_kernel(crn_ew kernel, const crn_op **op)
{
	switch (kernel) {
	case CRN_EW_LESS:
		*op = &crn_op_greater;
		return CRN_EW_GREATER;
	case CRN_EW_LESS_EQUAL:
		*op = &crn_op_greater_equal;
		return CRN_EW_GREATER_EQUAL;
	case CRN_EW_GREATER:
		*op = &crn_op_less;
		return CRN_EW_LESS;
	case CRN_EW_GREATER_EQUAL:
		*op = &crn_op_less_equal;
		return CRN_EW_LESS_EQUAL;
	default:
		return kernel;
	}
}

/* ---- builders ---- */

static cairn_status choose_dtype(const crn_op *self, crn_ew_rule rule,
	const crn_value *const *operands, int n, crn_dtype *ret, cairn_error *err)
{
	crn_dtype t = crn_operands_dtype(operands, n);
	if (rule == CRN_RULE_DIVIDE)
		t = crn_divide_dtype(operands, n);
	if (rule == CRN_RULE_BOOL_IS_INT8 && t == CRN_BOOL)
		t = CRN_I8;
	if (rule == CRN_RULE_NO_BOOL && t == CRN_BOOL) {
		crn_fail(err, CAIRN_USAGE, "%s: not defined for bool arrays", self->name);
		crn_hint(err, "use ^ or ~ for logic, or .astype(\"int8\") for numbers");
		return CAIRN_USAGE;
	}
	if (rule == CRN_RULE_BITS && crn_dtype_is_float(t)) {
		crn_fail(err, CAIRN_USAGE, "%s: needs bool or integer operands, not %s", self->name,
			crn_dtype_name(t));
		crn_hint(err, "compare first (x > 0.5), or cast with .astype(\"int64\")");
		return CAIRN_USAGE;
	}
	*ret = t;
	return CAIRN_OK;
}

cairn_status crn_ew_build2(crn_graph *g, const crn_op *self, crn_ew kernel, crn_ew_rule rule,
	const crn_value *args, crn_value *ret, cairn_error *err)
{
	const crn_value *operands[] = {&args[0], &args[1]};
	bool number[2] = {crn_value_is_number(&args[0]), crn_value_is_number(&args[1])};
	if (number[0] && number[1])
		return crn_fold_numbers(self, kernel, &args[0], &args[1], ret, err);
	exact_number exact;
	crn_dtype t;
	if (rule == CRN_RULE_COMPARE && (number[0] || number[1]) &&
		operand_dtype(operands[number[0]], &t)) {
		const crn_op *op = self;
		crn_ew direct = number[0] ? mirrored_kernel(kernel, &op) : kernel;
		if (rewrite_comparison(op, direct, t, operands[number[1]], &exact)) {
			self = exact.op;
			operands[0] = operands[number[0]];
			operands[1] = &exact.value;
		}
	}
	CRN_TRY(choose_dtype(self, rule, operands, 2, &t, err));
	CRN_VALUE x1 = {0};
	CRN_VALUE x2 = {0};
	CRN_TRY(crn_operand_as(g, self, operands[0], t, &x1, err));
	CRN_TRY(crn_operand_as(g, self, operands[1], t, &x2, err));
	crn_value canonical[] = {x1, x2};
	return crn_make_value(g, self, canonical, ret, err);
}

cairn_status crn_ew_build1(crn_graph *g, const crn_op *self, crn_ew kernel, crn_ew_rule rule,
	const crn_value *args, crn_value *ret, cairn_error *err)
{
	if (crn_value_is_number(&args[0]))
		return crn_fold_numbers(self, kernel, &args[0], NULL, ret, err);
	const crn_value *operands[] = {&args[0]};
	crn_dtype t;
	CRN_TRY(choose_dtype(self, rule, operands, 1, &t, err));
	CRN_VALUE x = {0};
	CRN_TRY(crn_operand_as(g, self, operands[0], t, &x, err));
	return crn_make_value(g, self, &x, ret, err);
}

/* ---- infer and bind ---- */

/* Axis d (from the right, r) of the result takes its name and scale from the first input that has
 * it at full extent; a named axis wins over an unnamed one. */
static void take_axis(const crn_node *n, int d, crn_type *ret)
{
	const crn_axis *best = NULL;
	for (int k = 0; k < n->n_in; k++) {
		const crn_type *t = &n->in[k]->type;
		int from = d - (ret->ndim - t->ndim);
		if (from < 0 || t->shape[from] != ret->shape[d])
			continue;
		if (!best || (!best->name[0] && t->axes[from].name[0]))
			best = &t->axes[from];
	}
	if (best)
		ret->axes[d] = *best;
}

static cairn_status fail_shapes(const crn_node *n, cairn_error *err)
{
	CRN_STR text = {0};
	char type[256];
	for (int k = 0; k < n->n_in; k++)
		crn_str_appendf(
			&text, "%s%s", k ? " and " : "", crn_type_format(&n->in[k]->type, type));
	crn_fail(err, CAIRN_USAGE, "%s: shapes do not broadcast: %s", n->op->name,
		text.data ? text.data : "");
	crn_hint(err, "axes are aligned from the last one; extents must be equal or 1");
	return CAIRN_USAGE;
}

cairn_status crn_ew_infer_dtype(const crn_node *n, crn_dtype dtype, crn_type *ret, cairn_error *err)
{
	int64_t shape[CRN_MAX_NDIM] = {0};
	int ndim = 0;
	for (int k = 0; k < n->n_in; k++)
		ndim = n->in[k]->type.ndim > ndim ? n->in[k]->type.ndim : ndim;
	for (int d = 0; d < ndim; d++) {
		shape[d] = 1;
		for (int k = 0; k < n->n_in; k++) {
			const crn_type *t = &n->in[k]->type;
			int from = d - (ndim - t->ndim);
			if (from < 0 || t->shape[from] == 1 || t->shape[from] == shape[d])
				continue;
			if (shape[d] != 1)
				return fail_shapes(n, err);
			shape[d] = t->shape[from];
		}
	}
	*ret = crn_type_make(dtype, ndim, shape);
	for (int d = 0; d < ndim; d++)
		take_axis(n, d, ret);
	return CAIRN_OK;
}

cairn_status crn_ew_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	return crn_ew_infer_dtype(n, n->in[n->n_in - 1]->type.dtype, ret, err);
}

cairn_status crn_ew_infer_mask(const crn_node *n, crn_type *ret, cairn_error *err)
{
	return crn_ew_infer_dtype(n, CRN_BOOL, ret, err);
}

crn_row_fn crn_ew_row(crn_isa isa, crn_ew kernel, crn_dtype t)
{
	crn_row_fn row = CRN_ISA_PICK(crn_elementwise, isa)->row[kernel][t];
	if (row || !crn_dtype_is_float(t))
		return row;
	switch (kernel) {
	case CRN_EW_FLOOR_DIVIDE:
		return CRN_ISA_PICK(crn_math, isa)->row[CRN_MATH_FLOOR_DIVIDE][t];
	case CRN_EW_MOD:
		return CRN_ISA_PICK(crn_math, isa)->row[CRN_MATH_MOD][t];
	case CRN_EW_POWER:
		return CRN_ISA_PICK(crn_math, isa)->row[CRN_MATH_POWER][t];
	default:
		return NULL;
	}
}

cairn_status crn_ew_bind(
	const crn_node *n, crn_isa isa, crn_ew kernel, crn_bound *ret, cairn_error *err)
{
	crn_dtype t = n->in[n->n_in - 1]->type.dtype;
	crn_row_fn row = crn_ew_row(isa, kernel, t);
	if (!row)
		return crn_fail(
			err, CAIRN_USAGE, "%s: not defined for %s", n->op->name, crn_dtype_name(t));
	const crn_elementwise_kernels *kernels = CRN_ISA_PICK(crn_elementwise, isa);
	*ret = (crn_bound){
		.row = row, .one = {kernels->one[0][kernel][t], kernels->one[1][kernel][t]}};
	return CAIRN_OK;
}

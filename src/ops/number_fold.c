/* SPDX-License-Identifier: Apache-2.0
 *
 * number_fold.c -- arithmetic on numbers written in a pipeline, done while it is read.
 *
 * `sigma * 2` with two numbers is a number, with Python's meaning: / of integers is a float, //
 * and % round towards minus infinity, True counts as 1. Integers are exact in 128 bits and must
 * end within 64; floats go through the same kernels as arrays of float64. Pure functions.
 */
#include "ops/elementwise_build.h"

#include "core/wide.h"

#include <math.h>

static cairn_status too_large(const crn_op *op, cairn_error *err)
{
	crn_fail(err, CAIRN_USAGE, "%s: the integer result does not fit 64 bits", op->name);
	crn_hint(err, "write one of the numbers with a decimal point to compute in float64");
	return CAIRN_USAGE;
}

/* Operations whose result is an integer again; false: overflow of 128 bits. */
static bool integer_result(crn_ew kernel, crn_wide a, crn_wide b, crn_wide *ret)
{
	switch (kernel) {
	case CRN_EW_ADD:
		return !__builtin_add_overflow(a, b, ret);
	case CRN_EW_SUBTRACT:
		return !__builtin_sub_overflow(a, b, ret);
	case CRN_EW_MULTIPLY:
		return !__builtin_mul_overflow(a, b, ret);
	case CRN_EW_SQUARE:
		return !__builtin_mul_overflow(a, a, ret);
	case CRN_EW_POWER:
		return crn_wide_power(a, b, ret);
	case CRN_EW_FLOOR_DIVIDE:
		*ret = crn_wide_floor_divide(a, b);
		return true;
	case CRN_EW_MOD:
		*ret = a - b * crn_wide_floor_divide(a, b);
		return true;
	case CRN_EW_MINIMUM:
		*ret = a < b ? a : b;
		return true;
	case CRN_EW_MAXIMUM:
		*ret = a > b ? a : b;
		return true;
	case CRN_EW_AND:
		*ret = a & b;
		return true;
	case CRN_EW_OR:
		*ret = a | b;
		return true;
	case CRN_EW_XOR:
		*ret = a ^ b;
		return true;
	case CRN_EW_INVERT:
		*ret = ~a;
		return true;
	case CRN_EW_NEGATIVE:
		*ret = -a;
		return true;
	default:
		*ret = a < 0 ? -a : a;
		return true;
	}
}

static bool is_comparison(crn_ew kernel)
{
	return kernel >= CRN_EW_EQUAL && kernel <= CRN_EW_GREATER_EQUAL;
}

static bool compare_wide(crn_ew kernel, crn_wide a, crn_wide b)
{
	switch (kernel) {
	case CRN_EW_EQUAL:
		return a == b;
	case CRN_EW_NOT_EQUAL:
		return a != b;
	case CRN_EW_LESS:
		return a < b;
	case CRN_EW_LESS_EQUAL:
		return a <= b;
	case CRN_EW_GREATER:
		return a > b;
	default:
		return a >= b;
	}
}

static cairn_status fold_integers(const crn_op *op, crn_ew kernel, const crn_value *a,
	const crn_value *b, crn_value *ret, cairn_error *err)
{
	crn_wide x = crn_wide_of(a), y = b ? crn_wide_of(b) : 0, r;
	if (is_comparison(kernel)) {
		*ret = crn_value_bool(compare_wide(kernel, x, y));
		return CAIRN_OK;
	}
	if (!integer_result(kernel, x, y, &r))
		return too_large(op, err);
	bool logic = kernel == CRN_EW_AND || kernel == CRN_EW_OR || kernel == CRN_EW_XOR;
	if (logic && a->kind == CRN_V_BOOL && b->kind == CRN_V_BOOL) {
		*ret = crn_value_bool(r != 0);
		return CAIRN_OK;
	}
	return crn_wide_store(r, ret) ? CAIRN_OK : too_large(op, err);
}

static cairn_status fold_floats(
	const crn_op *op, crn_ew kernel, double x, double y, crn_value *ret, cairn_error *err)
{
	const void *in[] = {&x, &y};
	if (is_comparison(kernel)) {
		uint8_t truth;
		crn_ew_row(CRN_ISA_BASE, kernel, CRN_F64)(NULL, 1, &truth, in);
		*ret = crn_value_bool(truth);
		return CAIRN_OK;
	}
	double r;
	crn_row_fn row = crn_ew_row(CRN_ISA_BASE, kernel, CRN_F64);
	if (!row)
		return crn_fail(err, CAIRN_USAGE, "%s: needs bool or integer operands, not a float",
			op->name);
	row(NULL, 1, &r, in);
	*ret = crn_value_float(r);
	return CAIRN_OK;
}

cairn_status crn_fold_numbers(const crn_op *op, crn_ew kernel, const crn_value *a,
	const crn_value *b, crn_value *ret, cairn_error *err)
{
	bool divides =
		kernel == CRN_EW_DIVIDE || kernel == CRN_EW_FLOOR_DIVIDE || kernel == CRN_EW_MOD;
	if (divides && crn_value_to_double(b) == 0)
		return crn_fail(err, CAIRN_USAGE, "%s: division by zero", op->name);
	bool whole = a->kind != CRN_V_FLOAT && (!b || b->kind != CRN_V_FLOAT);
	bool root = kernel == CRN_EW_POWER && whole && crn_wide_of(b) < 0;
	if (root && crn_value_to_double(a) == 0)
		return crn_fail(err, CAIRN_USAGE, "%s: zero to a negative power", op->name);
	if (whole && kernel != CRN_EW_DIVIDE && kernel != CRN_EW_ISNAN && !root)
		return fold_integers(op, kernel, a, b, ret, err);
	if (kernel == CRN_EW_ISNAN) {
		*ret = crn_value_bool(isnan(crn_value_to_double(a)));
		return CAIRN_OK;
	}
	return fold_floats(
		op, kernel, crn_value_to_double(a), b ? crn_value_to_double(b) : 0, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * plain.c -- Python's arithmetic on plain numbers and texts.
 *
 * Integers are computed in 128 bits and must fit -2^63 .. 2^64 - 1 at the end, so no result is ever
 * silently wrapped. int / int is the correctly rounded quotient, floor division and % follow the
 * sign of the divisor, an int and a float compare exactly: all as in Python.
 */
#include "lang/plain.h"

#include "base/mem.h"
#include "core/wide.h"

#include <math.h>
#include <string.h>

typedef unsigned __int128 uwide;

enum { MAX_TEXT = 1 << 16 };

static bool is_integer(const crn_value *v)
{
	return v->kind == CRN_V_BOOL || v->kind == CRN_V_INT || v->kind == CRN_V_UINT;
}

static cairn_status store(crn_wide w, crn_value *ret, cairn_error *err)
{
	if (!crn_wide_store(w, ret))
		return crn_fail(
			err, CAIRN_USAGE, "this integer does not fit 64 bits (-2^63 .. 2^64 - 1)");
	return CAIRN_OK;
}

static cairn_status by_zero(cairn_error *err)
{
	return crn_fail(err, CAIRN_USAGE, "division by zero");
}

/* ---- integers ---- */

/* Correctly rounded a / b: 64 or 65 bits of quotient, the last of them sticky, rounded once. */
static double true_quotient(crn_wide a, crn_wide b)
{
	if (a == 0)
		return b < 0 ? -0.0 : 0.0;
	bool negative = (a < 0) != (b < 0);
	uwide ua = a < 0 ? -(uwide)a : (uwide)a, ub = b < 0 ? -(uwide)b : (uwide)b;
	int shift = 0;
	for (; !(ua >> 127); shift--)
		ua <<= 1;
	for (; !(ub >> 63); shift++)
		ub <<= 1;
	uwide q = ua / ub;
	q |= ua % ub != 0;
	double d = ldexp((double)q, shift);
	return negative ? -d : d;
}

/* ---- floats ---- */

/* Python's float divmod: the remainder has the divisor's sign. */
static void float_divmod(double a, double b, double *ret_div, double *ret_mod)
{
	double mod = fmod(a, b), div = (a - mod) / b;
	if (mod != 0) {
		if ((b < 0) != (mod < 0)) {
			mod += b;
			div -= 1;
		}
	} else {
		mod = copysign(0.0, b);
	}
	if (div != 0) {
		*ret_div = floor(div);
		if (div - *ret_div > 0.5)
			*ret_div += 1;
	} else {
		*ret_div = copysign(0.0, a / b);
	}
	*ret_mod = mod;
}

static cairn_status float_power(double a, double b, crn_value *ret, cairn_error *err)
{
	if (a == 0 && b < 0)
		return crn_fail(err, CAIRN_USAGE, "0 cannot be raised to a negative power");
	if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
		return crn_fail(
			err, CAIRN_USAGE, "a negative number to a fractional power is complex");
	double r = pow(a, b);
	if (isinf(r) && isfinite(a) && isfinite(b))
		return crn_fail(err, CAIRN_USAGE, "this power is too large for a float");
	*ret = crn_value_float(r);
	return CAIRN_OK;
}

static cairn_status float_binary(
	crn_token_kind op, double a, double b, crn_value *ret, cairn_error *err)
{
	double div, mod;
	switch (op) {
	case CRN_TOK_ADD:
		*ret = crn_value_float(a + b);
		return CAIRN_OK;
	case CRN_TOK_SUB:
		*ret = crn_value_float(a - b);
		return CAIRN_OK;
	case CRN_TOK_MUL:
		*ret = crn_value_float(a * b);
		return CAIRN_OK;
	case CRN_TOK_DIV:
		if (b == 0)
			return by_zero(err);
		*ret = crn_value_float(a / b);
		return CAIRN_OK;
	case CRN_TOK_FLOOR:
	case CRN_TOK_MOD:
		if (b == 0)
			return by_zero(err);
		float_divmod(a, b, &div, &mod);
		*ret = crn_value_float(op == CRN_TOK_FLOOR ? div : mod);
		return CAIRN_OK;
	case CRN_TOK_POWER:
		return float_power(a, b, ret, err);
	default:
		return crn_fail(err, CAIRN_USAGE, "%s needs integers or masks, not floats",
			crn_token_text(op));
	}
}

static cairn_status int_binary(crn_token_kind op, const crn_value *va, const crn_value *vb,
	crn_value *ret, cairn_error *err)
{
	const crn_wide too_wide = (crn_wide)1 << 100;
	crn_wide a = crn_wide_of(va), b = crn_wide_of(vb), r;
	bool bits = op == CRN_TOK_AND || op == CRN_TOK_OR || op == CRN_TOK_XOR;
	if (bits) {
		r = op == CRN_TOK_AND ? (a & b) : op == CRN_TOK_OR ? (a | b) : (a ^ b);
		if (va->kind == CRN_V_BOOL && vb->kind == CRN_V_BOOL) {
			*ret = crn_value_bool(r != 0);
			return CAIRN_OK;
		}
		return store(r, ret, err);
	}
	switch (op) {
	case CRN_TOK_ADD:
		return store(a + b, ret, err);
	case CRN_TOK_SUB:
		return store(a - b, ret, err);
	case CRN_TOK_MUL:
		return store(__builtin_mul_overflow(a, b, &r) ? too_wide : r, ret, err);
	case CRN_TOK_POWER:
		if (b < 0)
			return float_power((double)a, (double)b, ret, err);
		return store(crn_wide_power(a, b, &r) ? r : too_wide, ret, err);
	default:
		break;
	}
	if (b == 0)
		return by_zero(err);
	if (op == CRN_TOK_DIV) {
		*ret = crn_value_float(true_quotient(a, b));
		return CAIRN_OK;
	}
	crn_wide q = crn_wide_floor_divide(a, b);
	return store(op == CRN_TOK_FLOOR ? q : a - q * b, ret, err);
}

/* ---- comparisons ---- */

/* -1, 0, 1, or 2 when a NaN makes them unordered. Exact between ints and floats. */
static int compare_numbers(const crn_value *a, const crn_value *b)
{
	if (is_integer(a) && is_integer(b)) {
		crn_wide wa = crn_wide_of(a), wb = crn_wide_of(b);
		return wa < wb ? -1 : wa > wb;
	}
	if (!is_integer(a) && !is_integer(b))
		return isnan(a->f) || isnan(b->f) ? 2 : a->f < b->f ? -1 : a->f > b->f;
	if (is_integer(a)) {
		int c = compare_numbers(b, a);
		return c == 2 ? 2 : -c;
	}
	if (isnan(a->f))
		return 2;
	if (fabs(a->f) > 0x1p70)
		return a->f < 0 ? -1 : 1;
	crn_wide whole = (crn_wide)a->f, other = crn_wide_of(b);
	if (whole != other)
		return whole < other ? -1 : 1;
	double rest = a->f - trunc(a->f);
	return rest < 0 ? -1 : rest > 0;
}

static bool equal(const crn_value *a, const crn_value *b)
{
	if (crn_value_is_number(a) && crn_value_is_number(b))
		return compare_numbers(a, b) == 0;
	if (a->kind != b->kind)
		return false;
	if (a->kind == CRN_V_STR)
		return strcmp(a->s, b->s) == 0;
	if (a->kind != CRN_V_LIST)
		return a->kind == CRN_V_NONE;
	if (a->list.n != b->list.n)
		return false;
	for (int i = 0; i < a->list.n; i++)
		if (!equal(&a->list.items[i], &b->list.items[i]))
			return false;
	return true;
}

static const char *kind_text(const crn_value *v)
{
	static const char *const texts[] = {"None", "a bool", "an integer", "an integer", "a float",
		"a text", "a tuple", "a constant array", "an array"};
	return texts[v->kind];
}

static cairn_status compare(
	crn_token_kind op, const crn_value *a, const crn_value *b, crn_value *ret, cairn_error *err)
{
	int c;
	if (op == CRN_TOK_EQ || op == CRN_TOK_NE) {
		*ret = crn_value_bool(equal(a, b) == (op == CRN_TOK_EQ));
		return CAIRN_OK;
	}
	if (crn_value_is_number(a) && crn_value_is_number(b))
		c = compare_numbers(a, b);
	else if (a->kind == CRN_V_STR && b->kind == CRN_V_STR)
		c = strcmp(a->s, b->s);
	else
		return crn_fail(err, CAIRN_USAGE, "%s cannot be compared with %s by %s",
			kind_text(a), kind_text(b), crn_token_text(op));
	bool r = op == CRN_TOK_LT   ? c < 0
		 : op == CRN_TOK_LE ? c <= 0
		 : op == CRN_TOK_GT ? c > 0 && c != 2
				    : c >= 0 && c != 2;
	if (a->kind == CRN_V_STR)
		r = op == CRN_TOK_LT   ? c < 0
		    : op == CRN_TOK_LE ? c <= 0
		    : op == CRN_TOK_GT ? c > 0
				       : c >= 0;
	*ret = crn_value_bool(r);
	return CAIRN_OK;
}

/* ---- entry points ---- */

static cairn_status join(const crn_value *a, const crn_value *b, crn_value *ret, cairn_error *err)
{
	CRN_STR s = {0};
	if (strlen(a->s) + strlen(b->s) > MAX_TEXT)
		return crn_fail(err, CAIRN_USAGE, "this text is longer than %d bytes", MAX_TEXT);
	crn_str_append(&s, a->s);
	crn_str_append(&s, b->s);
	if (s.oom)
		return crn_fail_memory(err, "text", s.len);
	return crn_value_str(s.data ? s.data : "", ret, err);
}

static double to_float(const crn_value *v)
{
	return crn_value_to_double(v);
}

cairn_status crn_plain_binary(
	crn_token_kind op, const crn_value *a, const crn_value *b, crn_value *ret, cairn_error *err)
{
	if (op >= CRN_TOK_EQ && op <= CRN_TOK_GT)
		return compare(op, a, b, ret, err);
	if (op == CRN_TOK_ADD && a->kind == CRN_V_STR && b->kind == CRN_V_STR)
		return join(a, b, ret, err);
	if (!crn_value_is_number(a) || !crn_value_is_number(b)) {
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "%s cannot be applied to %s and %s",
				crn_token_text(op), kind_text(a), kind_text(b));
		if (a->kind == CRN_V_STR || b->kind == CRN_V_STR)
			crn_hint(err, "open a file with read(\"...\")");
		return status;
	}
	if (is_integer(a) && is_integer(b))
		return int_binary(op, a, b, ret, err);
	return float_binary(op, to_float(a), to_float(b), ret, err);
}

cairn_status crn_plain_unary(
	crn_token_kind op, const crn_value *a, crn_value *ret, cairn_error *err)
{
	if (!crn_value_is_number(a) || (op == CRN_TOK_NOT && a->kind == CRN_V_FLOAT))
		return crn_fail(err, CAIRN_USAGE, "%s cannot be applied to %s", crn_token_text(op),
			kind_text(a));
	if (a->kind == CRN_V_FLOAT) {
		*ret = crn_value_float(op == CRN_TOK_SUB ? -a->f : a->f);
		return CAIRN_OK;
	}
	crn_wide w = crn_wide_of(a);
	return store(op == CRN_TOK_SUB ? -w : op == CRN_TOK_NOT ? ~w : w, ret, err);
}

bool crn_plain_call(const char *name, const crn_value *args, int n, crn_value *ret)
{
	if (n != 1)
		return false;
	if (strcmp(name, "len") == 0 && args->kind == CRN_V_LIST) {
		*ret = crn_value_int(args->list.n);
		return true;
	}
	if (!crn_value_is_number(args))
		return false;
	bool whole = is_integer(args);
	if (strcmp(name, "float") == 0) {
		*ret = crn_value_float(to_float(args));
		return true;
	}
	bool rounds = strcmp(name, "round") == 0;
	if (!rounds && strcmp(name, "int") != 0)
		return false;
	if (whole) {
		*ret = args->kind == CRN_V_BOOL ? crn_value_int(args->b) : *args;
		return true;
	}
	double d = rounds ? rint(args->f) : trunc(args->f);
	if (!(d >= -0x1p63 && d < 0x1p64))
		return false;
	*ret = d < 0 ? crn_value_int((int64_t)d) : crn_value_uint((uint64_t)d);
	return true;
}

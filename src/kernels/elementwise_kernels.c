/* SPDX-License-Identifier: Apache-2.0
 *
 * elementwise_kernels.c -- arithmetic, comparison and logic, one loop per op and dtype.
 *
 * The loops are plain C that the compiler vectorises; ROW1 and ROW2 write them once. Meaning is
 * NumPy's: integers wrap, division and remainder round towards minus infinity, integers divided by
 * zero give 0, NaN wins in minimum and maximum and loses in comparisons. "ivdep" is true because
 * out is either an input exactly or does not overlap one.
 *
 * Integer sums and products are taken in an unsigned type of at least 32 bits, where wrapping is
 * defined (uint16 times uint16 would overflow int).
 */
#include "kernels/elementwise_kernels.h"

#include <math.h>
#include <string.h>

/* Integer dtypes: id, type, and the unsigned type its arithmetic is done in. */
#define SIGNED_TYPES(X) \
	X(I8, int8_t, uint32_t) \
	X(I16, int16_t, uint32_t) \
	X(I32, int32_t, uint32_t) \
	X(I64, int64_t, uint64_t)
#define UNSIGNED_TYPES(X) \
	X(U8, uint8_t, uint32_t) \
	X(U16, uint16_t, uint32_t) \
	X(U32, uint32_t, uint32_t) \
	X(U64, uint64_t, uint64_t)
#define FLOAT_TYPES(X) \
	X(F32, float, float) \
	X(F64, double, double)
#define INTEGER_TYPES(X) SIGNED_TYPES(X) UNSIGNED_TYPES(X)
#define NUMBER_TYPES(X) SIGNED_TYPES(X) UNSIGNED_TYPES(X) FLOAT_TYPES(X)
#define ALL_TYPES(X) X(BOOL, uint8_t, uint32_t) NUMBER_TYPES(X)

#define ROW1(fn, TO, T, EXPR) \
	static void fn(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		TO *o = out; \
		const T *x = in[0]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			T a = x[i]; \
			o[i] = (TO)(EXPR); \
		} \
	}

#define ROW2(fn, TO, T, EXPR) \
	static void fn(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		TO *o = out; \
		const T *x = in[0], *y = in[1]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			T a = x[i], b = y[i]; \
			o[i] = (TO)(EXPR); \
		} \
	}

/* The same with one operand a single value (a number beside an array): `fn`_first when in[0] points
 * to one element, `fn`_second when in[1] does. */
#define ROW_FIRST(fn, TO, T, EXPR) \
	static void fn##_first(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		TO *o = out; \
		const T *x = in[0], *y = in[1]; \
		T a = *x; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			T b = y[i]; \
			o[i] = (TO)(EXPR); \
		} \
	}
#define ROW_SECOND(fn, TO, T, EXPR) \
	static void fn##_second(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		TO *o = out; \
		const T *x = in[0], *y = in[1]; \
		T b = *y; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			T a = x[i]; \
			o[i] = (TO)(EXPR); \
		} \
	}
#define ROW2_ONE(fn, TO, T, EXPR) \
	ROW2(fn, TO, T, EXPR) \
	ROW_FIRST(fn, TO, T, EXPR) \
	ROW_SECOND(fn, TO, T, EXPR)

/* ---- arithmetic ---- */

ROW2(add_BOOL, uint8_t, uint8_t, a | b)
ROW2(multiply_BOOL, uint8_t, uint8_t, a &b)

#define ARITHMETIC(ID, T, U) \
	ROW2_ONE(subtract_##ID, T, T, (U)a - (U)b) \
	ROW1(square_##ID, T, T, (U)a *(U)a)
NUMBER_TYPES(ARITHMETIC)

#define COMMUTATIVE(ID, T, U) \
	ROW2_ONE(add_##ID, T, T, (U)a + (U)b) \
	ROW2_ONE(multiply_##ID, T, T, (U)a *(U)b)
INTEGER_TYPES(COMMUTATIVE)

/* x86 gives the first operand when both are NaN, and the compiler chooses which one is first, not
 * the same in vector and scalar code. One NaN for all makes the bits the same everywhere. */
static inline float one_nan_F32(float v)
{
	return v == v ? v : NAN;
}

static inline double one_nan_F64(double v)
{
	return v == v ? v : (double)NAN;
}

#define SWAP_FIRST(fn) \
	static void fn##_first(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		fn##_second(data, n, out, (const void *const[]){in[1], in[0]}); \
	}
#define COMMUTATIVE_FLOAT_ONE(fn, ID, T, EXPR) \
	ROW2(fn, T, T, one_nan_##ID(EXPR)) \
	ROW_SECOND(fn, T, T, one_nan_##ID(EXPR)) \
	SWAP_FIRST(fn)
#define COMMUTATIVE_FLOAT(ID, T, U) \
	COMMUTATIVE_FLOAT_ONE(add_##ID, ID, T, a + b) \
	COMMUTATIVE_FLOAT_ONE(multiply_##ID, ID, T, a *b)
FLOAT_TYPES(COMMUTATIVE_FLOAT)

#define NEGATE_INTEGER(ID, T, U) ROW1(negative_##ID, T, T, (U)0 - (U)a)
INTEGER_TYPES(NEGATE_INTEGER)
#define NEGATE_FLOAT(ID, T, U) ROW1(negative_##ID, T, T, -a)
FLOAT_TYPES(NEGATE_FLOAT)

#define ABSOLUTE_SIGNED(ID, T, U) ROW1(absolute_##ID, T, T, a < 0 ? (U)0 - (U)a : (U)a)
SIGNED_TYPES(ABSOLUTE_SIGNED)
ROW1(absolute_F32, float, float, __builtin_fabsf(a))
ROW1(absolute_F64, double, double, __builtin_fabs(a))

ROW2_ONE(divide_F32, float, float, a / b)
ROW2_ONE(divide_F64, double, double, a / b)

/* Floor division of integers up to 16 bits through float, which the vector units have: quotients of
 * such integers differ from any whole number by more than float's rounding error, so truncation is
 * exact. Q is the truncated quotient, R the remainder of the dividend's sign. */
#define SMALL_QUOTIENT(fn, T, RESULT) \
	static void fn(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		T *o = out; \
		const T *x = in[0], *y = in[1]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			int32_t a = x[i], b = y[i], zero = -(b == 0), d = b - zero; \
			int32_t q = (int32_t)((float)a / (float)d), r = a - q * d; \
			int32_t down = -((r != 0) & ((r ^ d) < 0)); \
			o[i] = (T)((RESULT) & ~zero); \
		} \
	}
#define SMALL_DIVISION(ID, T) \
	SMALL_QUOTIENT(floor_divide_##ID, T, q + down) \
	SMALL_QUOTIENT(mod_##ID, T, r + (d & down))
SMALL_DIVISION(U8, uint8_t)
SMALL_DIVISION(I8, int8_t)
SMALL_DIVISION(U16, uint16_t)
SMALL_DIVISION(I16, int16_t)

/* 32 bits the same way through double. Adding 1.5 * 2^52 rounds the quotient to the nearest whole
 * number and leaves it in the low bits; one less if that was upwards: the floor, for both signs.
 * The remainder follows by wrapping arithmetic. */
#define MIDDLE_QUOTIENT(fn, T, RESULT) \
	static void fn(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		T *o = out; \
		const T *x = in[0], *y = in[1]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			T a = x[i], b = y[i], d = b == 0 ? 1 : b; \
			double exact = (double)a / (double)d; \
			double shifted = exact + 6755399441055744.0; \
			uint64_t bits; \
			memcpy(&bits, &shifted, sizeof(bits)); \
			uint64_t floored = bits - (shifted - 6755399441055744.0 > exact); \
			uint32_t q = (uint32_t)floored, r = (uint32_t)a - q * (uint32_t)d; \
			(void)r; \
			o[i] = b == 0 ? 0 : (T)(RESULT); \
		} \
	}
#define MIDDLE_DIVISION(ID, T) \
	MIDDLE_QUOTIENT(floor_divide_##ID, T, q) \
	MIDDLE_QUOTIENT(mod_##ID, T, r)
MIDDLE_DIVISION(U32, uint32_t)
MIDDLE_DIVISION(I32, int32_t)

ROW2(floor_divide_U64, uint64_t, uint64_t, b ? a / b : 0)
ROW2(mod_U64, uint64_t, uint64_t, b ? a % b : 0)

/* b == -1 is apart because the most negative number divided by it overflows (and traps). */
static inline int64_t floor_quotient(int64_t a, int64_t b)
{
	if (b == 0 || b == -1)
		return b ? (int64_t)(0 - (uint64_t)a) : 0;
	int64_t q = a / b, r = a % b;
	return r && (r ^ b) < 0 ? q - 1 : q;
}

static inline int64_t floor_remainder(int64_t a, int64_t b)
{
	if (b == 0 || b == -1)
		return 0;
	int64_t r = a % b;
	return r && (r ^ b) < 0 ? r + b : r;
}

ROW2(floor_divide_I64, int64_t, int64_t, floor_quotient(a, b))
ROW2(mod_I64, int64_t, int64_t, floor_remainder(a, b))

/* Powers of integers wrap. A negative exponent gives the whole part of the true power: 1 for base
 * 1, +-1 for base -1, else 0. */
#define INT_POWER(ID, T, U) \
	static inline T power_of_##ID(T a, T b) \
	{ \
		if (b < 0) \
			return a == 1 ? 1 : a != (T)-1 ? 0 : b & 1 ? (T)-1 : 1; \
		U r = 1, base = (U)a; \
		for (uint64_t e = (uint64_t)b; e; e >>= 1, base *= base) \
			if (e & 1) \
				r *= base; \
		return (T)r; \
	} \
	ROW2(int_power_##ID, T, T, power_of_##ID(a, b))
SIGNED_TYPES(INT_POWER)
#define UINT_POWER(ID, T, U) \
	static inline T power_of_##ID(T a, T b) \
	{ \
		U r = 1, base = (U)a; \
		for (uint64_t e = (uint64_t)b; e; e >>= 1, base *= base) \
			if (e & 1) \
				r *= base; \
		return (T)r; \
	} \
	ROW2(int_power_##ID, T, T, power_of_##ID(a, b))
UNSIGNED_TYPES(UINT_POWER)

/* ---- order ---- */

#define EXTREMES(ID, T, U) \
	ROW2_ONE(minimum_##ID, T, T, a <= b ? a : b) \
	ROW2_ONE(maximum_##ID, T, T, a >= b ? a : b)
INTEGER_TYPES(EXTREMES)

/* A single value that is no NaN, as nearly always, needs one comparison less. */
#define PICK_SECOND(fn, T) \
	static void fn##_second(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		bool nan = *(const T *)in[1] != *(const T *)in[1]; \
		(nan ? fn##_any_second : fn##_number_second)(data, n, out, in); \
	}
#define EXTREME_FLOAT(fn, T, EXPR, NUMBER) \
	ROW2(fn, T, T, EXPR) \
	ROW_FIRST(fn, T, T, EXPR) \
	ROW_SECOND(fn##_any, T, T, EXPR) \
	ROW_SECOND(fn##_number, T, T, NUMBER) \
	PICK_SECOND(fn, T)
#define EXTREMES_FLOAT(ID, T, U) \
	EXTREME_FLOAT(minimum_##ID, T, a <= b || a != a ? a : b, b < a ? b : a) \
	EXTREME_FLOAT(maximum_##ID, T, a >= b || a != a ? a : b, b > a ? b : a)
FLOAT_TYPES(EXTREMES_FLOAT)

#define ORDER(ID, T, U) \
	ROW2_ONE(equal_##ID, uint8_t, T, a == b) \
	ROW2_ONE(not_equal_##ID, uint8_t, T, a != b) \
	ROW2_ONE(less_##ID, uint8_t, T, a < b) \
	ROW2_ONE(less_equal_##ID, uint8_t, T, a <= b) \
	ROW2_ONE(greater_##ID, uint8_t, T, a > b) \
	ROW2_ONE(greater_equal_##ID, uint8_t, T, a >= b)
NUMBER_TYPES(ORDER)

ROW1(isnan_F32, uint8_t, float, a != a)
ROW1(isnan_F64, uint8_t, double, a != a)

/* ---- bits ---- */

#define BITS(ID, T, U) \
	ROW2(and_##ID, T, T, a &b) \
	ROW2(or_##ID, T, T, a | b) \
	ROW2(xor_##ID, T, T, a ^ b) \
	ROW1(invert_##ID, T, T, ~a)
INTEGER_TYPES(BITS)
ROW1(invert_BOOL, uint8_t, uint8_t, !a)

#define WHERE(BITS) \
	static void where_##BITS(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		uint##BITS##_t *o = out; \
		const uint8_t *condition = in[0]; \
		const uint##BITS##_t *x = in[1], *y = in[2]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			uint##BITS##_t a = x[i], b = y[i]; \
			o[i] = condition[i] ? a : b; \
		} \
	}
WHERE(8)
WHERE(16)
WHERE(32)
WHERE(64)

/* ---- the table ---- */

#define ENTRY_ARITHMETIC(ID, T, U) \
	[CRN_EW_ADD][CRN_##ID] = add_##ID, [CRN_EW_SUBTRACT][CRN_##ID] = subtract_##ID, \
	[CRN_EW_MULTIPLY][CRN_##ID] = multiply_##ID, [CRN_EW_SQUARE][CRN_##ID] = square_##ID, \
	[CRN_EW_NEGATIVE][CRN_##ID] = negative_##ID,
#define ENTRY_ORDER(ID, NAME) \
	[CRN_EW_MINIMUM][CRN_##ID] = minimum_##NAME, [CRN_EW_MAXIMUM][CRN_##ID] = maximum_##NAME, \
	[CRN_EW_EQUAL][CRN_##ID] = equal_##NAME, [CRN_EW_NOT_EQUAL][CRN_##ID] = not_equal_##NAME, \
	[CRN_EW_LESS][CRN_##ID] = less_##NAME, [CRN_EW_LESS_EQUAL][CRN_##ID] = less_equal_##NAME, \
	[CRN_EW_GREATER][CRN_##ID] = greater_##NAME, \
	[CRN_EW_GREATER_EQUAL][CRN_##ID] = greater_equal_##NAME,
#define ENTRY_ORDER_SELF(ID, T, U) ENTRY_ORDER(ID, ID)
#define ENTRY_BITS(ID, NAME) \
	[CRN_EW_AND][CRN_##ID] = and_##NAME, [CRN_EW_OR][CRN_##ID] = or_##NAME, \
	[CRN_EW_XOR][CRN_##ID] = xor_##NAME,
#define ENTRY_INTEGER(ID, T, U) \
	ENTRY_BITS(ID, ID) \
	[CRN_EW_INVERT][CRN_##ID] = invert_##ID, [CRN_EW_POWER][CRN_##ID] = int_power_##ID, \
	[CRN_EW_FLOOR_DIVIDE][CRN_##ID] = floor_divide_##ID, [CRN_EW_MOD][CRN_##ID] = mod_##ID,
#define ENTRY_ABSOLUTE(ID, T, U) [CRN_EW_ABSOLUTE][CRN_##ID] = absolute_##ID,
#define ENTRY_FLOAT(ID, T, U) \
	[CRN_EW_DIVIDE][CRN_##ID] = divide_##ID, [CRN_EW_ISNAN][CRN_##ID] = isnan_##ID,

/* Rows with a single value as first or second operand. */
#define ONE_ARITHMETIC(ID, SIDE) \
	[CRN_EW_ADD] \
		[CRN_##ID] = add_##ID##SIDE, \
    [CRN_EW_SUBTRACT][CRN_##ID] = subtract_##ID##SIDE, \
    [CRN_EW_MULTIPLY][CRN_##ID] = multiply_##ID##SIDE, \
    [CRN_EW_MINIMUM][CRN_##ID] = minimum_##ID##SIDE, \
    [CRN_EW_MAXIMUM][CRN_##ID] = maximum_##ID##SIDE, [CRN_EW_EQUAL][CRN_##ID] = equal_##ID##SIDE, \
    [CRN_EW_NOT_EQUAL][CRN_##ID] = not_equal_##ID##SIDE, \
    [CRN_EW_LESS][CRN_##ID] = less_##ID##SIDE, \
    [CRN_EW_LESS_EQUAL][CRN_##ID] = less_equal_##ID##SIDE, \
    [CRN_EW_GREATER][CRN_##ID] = greater_##ID##SIDE, \
    [CRN_EW_GREATER_EQUAL][CRN_##ID] = greater_equal_##ID##SIDE,
#define ONE_FIRST(ID, T, U) ONE_ARITHMETIC(ID, _first)
#define ONE_SECOND(ID, T, U) ONE_ARITHMETIC(ID, _second)
#define ONE_DIVIDE(SIDE) \
	[CRN_EW_DIVIDE] = {[CRN_F32] = divide_F32##SIDE, [CRN_F64] = divide_F64##SIDE},

const crn_elementwise_kernels CRN_ISA_NAME(crn_elementwise) = {
	.one = {{NUMBER_TYPES(ONE_FIRST) ONE_DIVIDE(_first)},
		{NUMBER_TYPES(ONE_SECOND) ONE_DIVIDE(_second)}},
	.row = {
		NUMBER_TYPES(ENTRY_ARITHMETIC) NUMBER_TYPES(ENTRY_ORDER_SELF) ENTRY_ORDER(BOOL, U8)
			INTEGER_TYPES(ENTRY_INTEGER) ENTRY_BITS(BOOL, U8)
				SIGNED_TYPES(ENTRY_ABSOLUTE) FLOAT_TYPES(ENTRY_ABSOLUTE)
					FLOAT_TYPES(ENTRY_FLOAT)[CRN_EW_ADD][CRN_BOOL] = add_BOOL,
		[CRN_EW_MULTIPLY][CRN_BOOL] = multiply_BOOL,
		[CRN_EW_INVERT][CRN_BOOL] = invert_BOOL,
		[CRN_EW_WHERE] = {[CRN_BOOL] = where_8,
			[CRN_U8] = where_8,
			[CRN_I8] = where_8,
			[CRN_U16] = where_16,
			[CRN_I16] = where_16,
			[CRN_U32] = where_32,
			[CRN_I32] = where_32,
			[CRN_F32] = where_32,
			[CRN_U64] = where_64,
			[CRN_I64] = where_64,
			[CRN_F64] = where_64},
	}};

/* SPDX-License-Identifier: Apache-2.0
 *
 * math_kernels.c -- exp, log, power and rounding without the C library.
 *
 * Branch-free scalar functions inside plain loops, which the compiler turns into vector code. No
 * fused multiply-add (contraction is off), so all instruction sets round alike. Integers move between
 * exponent fields and doubles by adding 1.5 * 2^52 and reading the low bits: vector units before
 * AVX-512 cannot convert 64-bit integers.
 *
 *   exp(x)    x = k ln2 + r with |r| <= ln2 / 2; Taylor series of exp(r); times 2^k in two halves,
 *	       so that results below the normal range round once.
 *   log(x)    x = 2^k m with sqrt(1/2) <= m < sqrt(2); f = m - 1, s = f / (2 + f);
 *	       log m = 2 (s + s^3/3 + s^5/5 + ...), summed as f - (f^2/2 - s (f^2/2 + R)).
 *   pow(x,y)  exp(y log x) with log x as an unevaluated sum of two doubles (about 70 bits), because
 *	       exp turns the absolute error of its argument into a relative one.
 */
#include "kernels/math_kernels.h"

#include <math.h>
#include <string.h>

#define ROUNDER 6755399441055744.0 /* 1.5 * 2^52 */
#define LN2_HI 0x1.62e42fefa4p-1     /* 40 bits: k * LN2_HI is exact for |k| < 2^13 */
#define LN2_LO -0x1.8432a1b0e2634p-43
#define INV_LN2 0x1.71547652b82fep+0
#define BITS_SQRT_HALF 0x3fe6a09e667f3bcdu

static inline uint64_t bits_of(double v)
{
	uint64_t u;
	memcpy(&u, &v, sizeof(u));
	return u;
}

static inline double double_of(uint64_t u)
{
	double v;
	memcpy(&v, &u, sizeof(v));
	return v;
}

/* 2^k for a whole k in [-1022, 1023]. */
static inline double power_of_two(double k)
{
	return double_of((bits_of(k + ROUNDER) + 1023) << 52);
}

/* exp(hi + lo) for |lo| far below |hi|. */
static inline double exp_of_sum(double hi, double lo)
{
	double x = hi > 720.0 ? 720.0 : hi;
	x = x < -760.0 ? -760.0 : x;
	lo = x == hi ? lo : 0;
	double k = (x * INV_LN2 + ROUNDER) - ROUNDER;
	double a = x - k * LN2_HI, b = k * LN2_LO - lo; /* a is exact */
	double r = a - b, r_lo = (a - r) - b;
	double q = 1.0 / 6227020800;
	q = q * r + 1.0 / 479001600;
	q = q * r + 1.0 / 39916800;
	q = q * r + 1.0 / 3628800;
	q = q * r + 1.0 / 362880;
	q = q * r + 1.0 / 40320;
	q = q * r + 1.0 / 5040;
	q = q * r + 1.0 / 720;
	q = q * r + 1.0 / 120;
	q = q * r + 1.0 / 24;
	q = q * r + 1.0 / 6;
	q = q * r + 0.5;
	double one = 1 + r, one_lo = r - (one - 1);
	double e = one + (one_lo + (r_lo + r * r * q));
	double half = (k * 0.5 + ROUNDER) - ROUNDER;
	return e * power_of_two(half) * power_of_two(k - half);
}

static inline double exp_of(double x)
{
	return exp_of_sum(x, 0);
}

/* x = 2^k * (1 + f) for positive finite x; k is returned. */
static inline double split_exponent(double x, double *ret_f)
{
	bool tiny = x < 0x1p-1022;
	uint64_t u = bits_of(tiny ? x * 0x1p54 : x);
	/* Exponent relative to sqrt(1/2), moved up by 1024 so that the shift is of a positive number. */
	uint64_t above = u - BITS_SQRT_HALF + ((uint64_t)1024 << 52);
	uint64_t e = above >> 52;
	*ret_f = double_of(u - (e << 52) + ((uint64_t)1024 << 52)) - 1;
	return double_of(e | 0x4330000000000000u) - (0x1p52 + 1024) - (tiny ? 54 : 0);
}

/* (log((1+s)/(1-s)) - 2s) / s without its first term: z (2/5 + 2/7 z + ...), z = s^2. */
static inline double log_series_tail(double z)
{
	double q = 2.0 / 23;
	q = q * z + 2.0 / 21;
	q = q * z + 2.0 / 19;
	q = q * z + 2.0 / 17;
	q = q * z + 2.0 / 15;
	q = q * z + 2.0 / 13;
	q = q * z + 2.0 / 11;
	q = q * z + 2.0 / 9;
	q = q * z + 2.0 / 7;
	q = q * z + 2.0 / 5;
	return q * z;
}

static inline double log_of(double x)
{
	double f, k = split_exponent(x, &f);
	double s = f / (2 + f), z = s * s;
	double r = z * (2.0 / 3 + log_series_tail(z));
	double half_square = 0.5 * f * f;
	double log_x = k * LN2_HI - ((half_square - (s * (half_square + r) + k * LN2_LO)) - f);
	log_x = x == (double)INFINITY ? x : log_x;
	log_x = x == 0 ? -(double)INFINITY : log_x;
	return x >= 0 ? log_x : x == x ? (double)NAN : x;
}

/* ---- sums and products of two doubles (Dekker, Knuth), exact without fused operations ---- */

static inline double product(double a, double b, double *ret_err)
{
	double p = a * b;
	double a_big = a * 134217729.0, b_big = b * 134217729.0; /* 2^27 + 1 */
	double a_hi = a_big - (a_big - a), b_hi = b_big - (b_big - b);
	double a_lo = a - a_hi, b_lo = b - b_hi;
	*ret_err = ((a_hi * b_hi - p) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo;
	return p;
}

/* |a| >= |b| or a == 0. */
static inline double sum(double a, double b, double *ret_err)
{
	double s = a + b;
	*ret_err = b - (s - a);
	return s;
}

/* log of a positive finite number as hi + lo. */
static inline double log_pair(double x, double *ret_lo)
{
	double f, k = split_exponent(x, &f);
	double e, den = 2 + f, den_lo = f - (den - 2);
	double s = f / den;
	double p = product(s, den, &e);
	double s_lo = (((f - p) - e) - s * den_lo) / den;
	double z_lo, z = product(s, s, &z_lo);
	z_lo += 2 * s * s_lo;
	double c_lo, c = product(s, z, &c_lo); /* s^3 */
	c_lo += s * z_lo + s_lo * z;
	double t_lo, t = product(c, 2.0 / 3, &t_lo);
	t_lo += c * 0x1.5555555555555p-55 + c_lo * (2.0 / 3); /* 2/3 less its double */
	double e1, e2, lo;
	double hi = sum(k * LN2_HI, 2 * s, &e1);
	hi = sum(hi, t, &e2);
	lo = e1 + e2 + (2 * s_lo + t_lo + c * log_series_tail(z) + k * LN2_LO);
	return sum(hi, lo, ret_lo);
}

static inline bool is_whole(double v)
{
	double a = __builtin_fabs(v);
	return a >= 0x1p52 || (a + 0x1p52) - 0x1p52 == a;
}

/* What C99 says about pow outside positive finite x, given `magnitude` = |x|^y for those. */
static inline double power_specials(double x, double y, double magnitude)
{
	double ax = __builtin_fabs(x), inf = (double)INFINITY;
	bool whole = is_whole(y), odd = whole & !is_whole(y * 0.5);
	double at_zero = y < 0 ? inf : 0, at_infinity = y < 0 ? 0 : inf;
	double r = ax == 0 ? at_zero : ax == inf ? at_infinity : magnitude;
	r = odd ? __builtin_copysign(r, x) : r;
	bool outside = (x < 0) & (ax != inf) & !whole;
	r = outside ? (double)NAN : r;
	r = (x != x) | (y != y) ? (double)NAN : r;
	return (x == 1) | (y == 0) ? 1 : r;
}

/* Past 2^64 every power of a double but 1 has over- or underflowed. */
static inline double bound_exponent(double y)
{
	y = y > 0x1p64 ? 0x1p64 : y;
	return y < -0x1p64 ? -0x1p64 : y;
}

static inline double power_of(double x, double y)
{
	double bounded = bound_exponent(y);
	double lo, e, hi = log_pair(__builtin_fabs(x), &lo);
	double p = product(bounded, hi, &e);
	return power_specials(x, y, exp_of_sum(p, e + bounded * lo));
}

/* Plain float64 steps leave an error below 2^-42, far under half a float. */
static inline float powerf_of(float x, float y)
{
	double p = bound_exponent(y) * log_of(__builtin_fabs((double)x));
	return (float)power_specials(x, y, exp_of(p));
}

/* ---- rounding ---- */

static inline double rint_of(double v)
{
	double a = __builtin_fabs(v), r = (a + 0x1p52) - 0x1p52;
	return a < 0x1p52 ? __builtin_copysign(r, v) : v;
}

static inline double floor_of(double v)
{
	double r = rint_of(v);
	return __builtin_copysign(r > v ? r - 1 : r, v);
}

static inline double ceil_of(double v)
{
	double r = rint_of(v);
	return __builtin_copysign(r < v ? r + 1 : r, v);
}

static inline float rintf_of(float v)
{
	float a = __builtin_fabsf(v), r = (a + 0x1p23f) - 0x1p23f;
	return a < 0x1p23f ? __builtin_copysignf(r, v) : v;
}

static inline float floorf_of(float v)
{
	float r = rintf_of(v);
	return __builtin_copysignf(r > v ? r - 1 : r, v);
}

static inline float ceilf_of(float v)
{
	float r = rintf_of(v);
	return __builtin_copysignf(r < v ? r + 1 : r, v);
}

/* ---- rows ---- */

#define ROW1(fn, T, EXPR)                                                                          \
	static void fn(const void *data, int64_t n, void *out, const void *const *in)              \
	{                                                                                          \
		T *o = out;                                                                        \
		const T *x = in[0];                                                                \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++)                               \
		{                                                                                  \
			T a = x[i];                                                                \
			o[i] = (T)(EXPR);                                                          \
		}                                                                                  \
	}

#define ROW_POWER(fn, T, function)                                                                 \
	static void fn(const void *data, int64_t n, void *out, const void *const *in)              \
	{                                                                                          \
		T *o = out;                                                                        \
		const T *x = in[0], *y = in[1];                                                    \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) o[i] = function(x[i], y[i]);  \
	}

ROW1(sqrt_F32, float, __builtin_sqrtf(a))
ROW1(sqrt_F64, double, __builtin_sqrt(a))
ROW1(exp_F32, float, exp_of(a))
ROW1(exp_F64, double, exp_of(a))
ROW1(log_F32, float, log_of(a))
ROW1(log_F64, double, log_of(a))
ROW1(rint_F32, float, rintf_of(a))
ROW1(rint_F64, double, rint_of(a))
ROW1(floor_F32, float, floorf_of(a))
ROW1(floor_F64, double, floor_of(a))
ROW1(ceil_F32, float, ceilf_of(a))
ROW1(ceil_F64, double, ceil_of(a))
ROW_POWER(power_F32, float, powerf_of)
ROW_POWER(power_F64, double, power_of)

const crn_math_kernels CRN_ISA_NAME(crn_math) = {.row = {
	[CRN_MATH_SQRT] = {[CRN_F32] = sqrt_F32, [CRN_F64] = sqrt_F64},
	[CRN_MATH_EXP] = {[CRN_F32] = exp_F32, [CRN_F64] = exp_F64},
	[CRN_MATH_LOG] = {[CRN_F32] = log_F32, [CRN_F64] = log_F64},
	[CRN_MATH_POWER] = {[CRN_F32] = power_F32, [CRN_F64] = power_F64},
	[CRN_MATH_RINT] = {[CRN_F32] = rint_F32, [CRN_F64] = rint_F64},
	[CRN_MATH_FLOOR] = {[CRN_F32] = floor_F32, [CRN_F64] = floor_F64},
	[CRN_MATH_CEIL] = {[CRN_F32] = ceil_F32, [CRN_F64] = ceil_F64},
}};

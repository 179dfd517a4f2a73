/* SPDX-License-Identifier: Apache-2.0
 *
 * math_kernels.c -- exp, log, power and rounding without the C library.
 *
 * Branch-free scalar functions inside plain loops, which the compiler turns into vector code. No
 * fused multiply-add (contraction is off), so all instruction sets round alike. Integers move
 * between exponent fields and doubles by adding 1.5 * 2^52 and reading the low bits: vector units
 * before AVX-512 cannot convert 64-bit integers.
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
#define LN2_HI 0x1.62e42fefa4p-1   /* 40 bits: k * LN2_HI is exact for |k| < 2^13 */
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
	/* Exponent relative to sqrt(1/2), moved up by 1024: the shift is of a positive number. */
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

/* ---- powers ---- */

/* Past 2^64 every power of a double but 1 has over- or underflowed. */
static inline double bound_exponent(double y)
{
	y = y > 0x1p64 ? 0x1p64 : y;
	return y < -0x1p64 ? -0x1p64 : y;
}

/* What C99 says about pow outside positive finite x, given `magnitude` = |x|^y for those. Selects
 * only: the loop around it is vectorised. */
static inline double power_specials(double x, double y, double magnitude)
{
	double ax = __builtin_fabs(x), inf = (double)INFINITY, half = y * 0.5;
	double at_zero = y < 0 ? inf : 0, at_infinity = y < 0 ? 0 : inf;
	double r = ax == 0 ? at_zero : magnitude;
	r = ax == inf ? at_infinity : r;
	double with_sign = __builtin_copysign(r, x);
	double of_whole = rint_of(half) == half ? r : with_sign;
	double outside = ax == inf ? r : (double)NAN;
	double of_fraction = x < 0 ? outside : r;
	r = rint_of(y) == y ? of_whole : of_fraction;
	r = x == x ? r : (double)NAN;
	r = y == y ? r : (double)NAN;
	r = y == 0 ? 1 : r;
	return x == 1 ? 1 : r;
}

/* The steps of a power, each over a block, because the compiler vectorises none of them when they
 * stand in one loop. */
enum { BLOCK = 64 };

static void powers_float64(const double *x, const double *y, int n, double *ret)
{
	double hi[BLOCK], lo[BLOCK];
	for (int i = 0; i < n; i++)
		hi[i] = log_pair(__builtin_fabs(x[i]), &lo[i]);
	for (int i = 0; i < n; i++) {
		double e, by = bound_exponent(y[i]);
		double p = product(by, hi[i], &e);
		lo[i] = e + by * lo[i];
		hi[i] = p;
	}
	for (int i = 0; i < n; i++)
		ret[i] = exp_of_sum(hi[i], lo[i]);
}

/* Plain float64 steps leave an error below 2^-42, far under half a float. */
static void powers_float32(const float *x, const float *y, int n, double *ret)
{
	for (int i = 0; i < n; i++)
		ret[i] = log_of(__builtin_fabs((double)x[i]));
	for (int i = 0; i < n; i++)
		ret[i] = exp_of(bound_exponent(y[i]) * ret[i]);
}

#define ROW_POWER(fn, T, magnitudes) \
	static void fn(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		double magnitude[BLOCK]; \
		for (int64_t at = 0; at < n; at += BLOCK) { \
			T *o = (T *)out + at; \
			const T *x = (const T *)in[0] + at, *y = (const T *)in[1] + at; \
			int m = n - at < BLOCK ? (int)(n - at) : BLOCK; \
			magnitudes(x, y, m, magnitude); \
			_Pragma("GCC ivdep") for (int i = 0; i < m; i++) o[i] = \
				(T)power_specials(x[i], y[i], magnitude[i]); \
		} \
	}
ROW_POWER(power_F32, float, powers_float32)
ROW_POWER(power_F64, double, powers_float64)

/* ---- floor division and remainder ---- */

/* fmod(a, b), exactly, when its quotient is below 2^51 and nothing over- or underflows on the way
 * (*ret_fast). The quotient, rounded down, is right or one too large; the product of it and the
 * divisor is taken exactly; what is left over fits a double, as remainders do. */
static inline double fast_remainder(double a, double b, double *ret_fast)
{
	double u = __builtin_fabs(a), v = __builtin_fabs(b), e;
	double exact = u / v, q = (exact + 0x1p52) - 0x1p52;
	q = q > exact ? q - 1 : q;
	double p = product(q, v, &e);
	double r = (u - p) - e;
	r = r < 0 ? r + v : r;
	double fast = v >= 0x1p-400 ? 1 : 0;
	fast = v <= 0x1p400 ? fast : 0;
	fast = u <= 0x1p400 ? fast : 0;
	*ret_fast = exact < 0x1p51 ? fast : 0;
	return __builtin_copysign(r, a);
}

/* fmod of up to BLOCK pairs: the C library's is exact too, and slow; it takes the rest. */
static void remainders(const double *a, const double *b, int n, double *ret)
{
	double fast[BLOCK], all = 1;
	for (int i = 0; i < n; i++)
		ret[i] = fast_remainder(a[i], b[i], &fast[i]);
	for (int i = 0; i < n; i++)
		all = fast[i] == 0 ? 0 : all;
	for (int i = 0; i < n && all == 0; i++)
		if (fast[i] == 0)
			ret[i] = fmod(a[i], b[i]);
}

/* Python's divmod from the remainder of C: the remainder gets the divisor's sign, the quotient is
 * (a - remainder) / b brought to the whole number it stands for. A divisor of zero gives a / b and
 * NaN. Steps are rounded to T, so that float32 comes out as if done in float32. */
#define FLOAT_DIVISION(ID, T) \
	static inline T modulo_##ID(T b, T rest) \
	{ \
		T moved = rest + b, zero = (T)__builtin_copysign(0.0, (double)b); \
		T r = b < 0 ? (rest > 0 ? moved : rest) : (rest < 0 ? moved : rest); \
		r = rest == 0 ? zero : r; \
		return b == 0 ? rest : r; \
	} \
	static inline T quotient_##ID(T a, T b, T rest) \
	{ \
		T direct = a / b, whole = (T)(a - rest) / b; \
		T less = whole - 1; \
		T d = b < 0 ? (rest > 0 ? less : whole) : (rest < 0 ? less : whole); \
		T low = (T)floor_of((double)d), up = low + 1; \
		T r = d - low > (T)0.5 ? up : low; \
		T zero = (T)__builtin_copysign(0.0, (double)direct); \
		r = d == 0 ? zero : r; \
		return b == 0 ? direct : r; \
	} \
	ROW_DIVISION(mod_##ID, T, modulo_##ID(y[i], (T)rest[i])) \
	ROW_DIVISION(floor_divide_##ID, T, quotient_##ID(x[i], y[i], (T)rest[i]))

#define ROW_DIVISION(fn, T, EXPR) \
	static void fn(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		double a[BLOCK], b[BLOCK], rest[BLOCK]; \
		for (int64_t at = 0; at < n; at += BLOCK) { \
			T *o = (T *)out + at; \
			const T *x = (const T *)in[0] + at, *y = (const T *)in[1] + at; \
			int m = n - at < BLOCK ? (int)(n - at) : BLOCK; \
			for (int i = 0; i < m; i++) { \
				a[i] = x[i]; \
				b[i] = y[i]; \
			} \
			remainders(a, b, m, rest); \
			_Pragma("GCC ivdep") for (int i = 0; i < m; i++) o[i] = EXPR; \
		} \
	}
FLOAT_DIVISION(F32, float)
FLOAT_DIVISION(F64, double)

/* ---- rows ---- */

#define ROW1(fn, T, EXPR) \
	static void fn(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		T *o = out; \
		const T *x = in[0]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			T a = x[i]; \
			o[i] = (T)(EXPR); \
		} \
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

const crn_math_kernels CRN_ISA_NAME(crn_math) = {
	.row = {
		[CRN_MATH_SQRT] = {[CRN_F32] = sqrt_F32, [CRN_F64] = sqrt_F64},
		[CRN_MATH_EXP] = {[CRN_F32] = exp_F32, [CRN_F64] = exp_F64},
		[CRN_MATH_LOG] = {[CRN_F32] = log_F32, [CRN_F64] = log_F64},
		[CRN_MATH_POWER] = {[CRN_F32] = power_F32, [CRN_F64] = power_F64},
		[CRN_MATH_FLOOR_DIVIDE] =
			{[CRN_F32] = floor_divide_F32, [CRN_F64] = floor_divide_F64},
		[CRN_MATH_MOD] = {[CRN_F32] = mod_F32, [CRN_F64] = mod_F64},
		[CRN_MATH_RINT] = {[CRN_F32] = rint_F32, [CRN_F64] = rint_F64},
		[CRN_MATH_FLOOR] = {[CRN_F32] = floor_F32, [CRN_F64] = floor_F64},
		[CRN_MATH_CEIL] = {[CRN_F32] = ceil_F32, [CRN_F64] = ceil_F64},
	}};

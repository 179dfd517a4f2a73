/* SPDX-License-Identifier: Apache-2.0
 *
 * float_sums.c -- exact sums of float rows, block by block, in fixed point. See float_sums.h.
 *
 * Adding a value v to C = 1.5 * 2^(52 + q) rounds it to a multiple k of 2^q, and k can be read off
 * the bits of the sum t: bits(t) - bits(C) = k. So sums of the bits as integers are exact sums of
 * the rounded values, and t - C, v - (t - C) give what rounding left over, exactly. That rest goes
 * through a second such step with q lowered by 50. A block is done when the rest of every value is
 * then zero: 100 bits below the largest value, all but freak data. For float32, 50 bits do for
 *most.
 *
 *	v ── + C1 ──> t1: bits summed		|v| <= 2^(q1 + 51), else t1 leaves C1's binade
 *	└─ - (t1 - C1) ── + C2 ──> t2: bits summed
 *			  └─ - (t2 - C2): must be 0
 *
 * q1 is guessed from a few values of the block and from the block before. A wrong guess (also any
 *NaN or infinity) shows in t1's exponent or in the rest; the block is then done again with the
 *right q1, and if that does not help either, value by value. What is added is the exact sum in any
 *case, so guesses cannot show.
 */
#include "kernels/float_sums.h"

#include "kernels/vector_width.h"

#include <string.h>

enum {
	BLOCK = 2048, /* values: |k| <= 2^51, so a block's sum of them fits 63 bits */
	LANES = CRN_VECTOR_BYTES / 8,
	STEP = 50,  /* bits between the two levels */
	GUESS = 16, /* values looked at */
	SLACK = 3,  /* bits above the largest of them */
	/* Exponents of doubles for which C1 is finite and the second level is not subnormal. */
	LOWEST = -900,
	HIGHEST = 1000,
};

typedef uint64_t lanes __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef double doubles __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef float floats __attribute__((vector_size(CRN_VECTOR_BYTES / 2)));

static inline doubles load_F32(const void *values, int64_t i)
{
	floats v;
	memcpy(&v, (const float *)values + i, sizeof(v));
	return __builtin_convertvector(v, doubles);
}

static inline doubles load_F32_SQ(const void *values, int64_t i)
{
	doubles v = load_F32(values, i);
	return v * v; /* 48 bits: exact */
}

static inline doubles load_F64(const void *values, int64_t i)
{
	doubles v;
	memcpy(&v, (const double *)values + i, sizeof(v));
	return v;
}

static inline uint64_t any(lanes v)
{
	uint64_t bits = 0;
	for (int l = 0; l < LANES; l++)
		bits |= v[l];
	return bits;
}

static inline int64_t total(lanes v)
{
	uint64_t sum = 0;
	for (int l = 0; l < LANES; l++)
		sum += v[l];
	return (int64_t)sum;
}

static inline double magic(int q)
{
	uint64_t bits = ((uint64_t)(1023 + 52 + q) << 52) | (uint64_t)1 << 51;
	double c;
	memcpy(&c, &bits, sizeof(c));
	return c;
}

/* Exponent of the largest of some of n values, a step apart; below all exponents if they are 0. */
#define DEFINE_TOP(KIND, type, SQUARE) \
	static int top_##KIND(const void *values, int64_t n, int64_t step) \
	{ \
		const type *v = values; \
		uint64_t top = 0; \
		for (int64_t i = 0; i < n; i += step) { \
			double d = v[i]; \
			uint64_t bits; \
			memcpy(&bits, &d, sizeof(bits)); \
			bits &= INT64_MAX; \
			top = bits > top ? bits : top; \
		} \
		int exponent = (int)(top >> 52) - 1023; \
		return SQUARE ? 2 * exponent + 1 : exponent; \
	}
DEFINE_TOP(F32, float, false)
DEFINE_TOP(F32_SQ, float, true)
DEFINE_TOP(F64, double, false)

/* Adds a block of n values (a multiple of LANES) whose exponents are at most `top`; false, and
 * nothing added, if that is not so or two (TWO == 0: one) levels do not hold them. */
#define DEFINE_BLOCK(name, KIND, TWO) \
	static bool name(int64_t *acc, const void *values, int64_t n, int top) \
	{ \
		const int lowest = crn_xsum_exp_lo(CRN_XSUM_##KIND); \
		if (top > HIGHEST) \
			return false; \
		top = top > LOWEST ? top : LOWEST; \
		int q1 = top - 50 > lowest ? top - 50 : lowest; \
		int q2 = q1 - STEP > lowest ? q1 - STEP : lowest; \
		const doubles c1 = (doubles){0} + magic(q1), c2 = (doubles){0} + magic(q2); \
		lanes sum1 = {0}, sum2 = {0}, moved = {0}, rest = {0}; \
		for (int64_t i = 0; i < n; i += LANES) { \
			doubles v = load_##KIND(values, i), t = v + c1; \
			moved |= (lanes)t ^ (lanes)c1; \
			sum1 += (lanes)t - (lanes)c1; \
			v -= t - c1; \
			if (TWO) { \
				t = v + c2; \
				sum2 += (lanes)t - (lanes)c2; \
				v -= t - c2; \
			} \
			rest |= (lanes)v; \
		} \
		if (any(moved) >> 52 || any(rest) << 1) \
			return false; \
		crn_xsum_add_scaled(CRN_XSUM_##KIND, acc, total(sum1), q1); \
		if (TWO) \
			crn_xsum_add_scaled(CRN_XSUM_##KIND, acc, total(sum2), q2); \
		return true; \
	}
DEFINE_BLOCK(block_F32, F32, 0)
DEFINE_BLOCK(wide_block_F32, F32, 1)
DEFINE_BLOCK(block_F32_SQ, F32_SQ, 1)
DEFINE_BLOCK(block_F64, F64, 1)

#define DEFINE_ADD(KIND, type, FIRST, SECOND) \
	static void add_##KIND(int64_t *acc, const void *values, int64_t n) \
	{ \
		const type *v = values; \
		int last = LOWEST; \
		while (n >= 4 * LANES) { \
			int64_t block = n < BLOCK ? n / LANES * LANES : BLOCK; \
			int top = top_##KIND(v, block, block / GUESS + 1) + SLACK; \
			top = top > last ? top : last; \
			if (!FIRST(acc, v, block, top)) { \
				top = top_##KIND(v, block, 1); \
				if (!SECOND(acc, v, block, top)) \
					crn_xsum_add(CRN_XSUM_##KIND, acc, v, block); \
			} \
			last = top; \
			v += block; \
			n -= block; \
		} \
		crn_xsum_add(CRN_XSUM_##KIND, acc, v, n); \
	}
DEFINE_ADD(F32, float, block_F32, wide_block_F32)
DEFINE_ADD(F32_SQ, float, block_F32_SQ, block_F32_SQ)
DEFINE_ADD(F64, double, block_F64, block_F64)

/* Squares of doubles have up to 106 bits: more than two levels. */
static void add_F64_SQ(int64_t *acc, const void *values, int64_t n)
{
	crn_xsum_add(CRN_XSUM_F64_SQ, acc, values, n);
}

const crn_float_sums CRN_ISA_NAME(crn_float_sums) = {.add = {
							     [CRN_XSUM_F32] = add_F32,
							     [CRN_XSUM_F32_SQ] = add_F32_SQ,
							     [CRN_XSUM_F64] = add_F64,
							     [CRN_XSUM_F64_SQ] = add_F64_SQ,
						     }};

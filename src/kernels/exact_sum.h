/* SPDX-License-Identifier: Apache-2.0
 *
 * exact_sum.h -- sums of floats without any rounding until the very end.
 *
 * A float is an integer times a power of two, so a wide enough fixed-point number holds any sum of
 * them exactly. Such sums do not depend on order, tiles or threads, and their one final rounding is
 * the correct one (= math.fsum). The accumulator is Neal's small superaccumulator (arXiv
 *1505.05571): digits of 32 bits kept in int64 limbs, so that carries wait for 2^30 additions.
 *
 *	acc[0]		low half: flags (NaN, +inf, -inf seen); high half: additions since the last
 *carry acc[1 ...]	limbs, lowest first; limb k counts 2^(exp_lo + 32 k)
 *
 * A zeroed accumulator is the sum of nothing. Pure functions on the caller's memory; any thread.
 */
#ifndef CRN_KERNELS_EXACT_SUM_H
#define CRN_KERNELS_EXACT_SUM_H

#include "core/dtype.h"

/* Aligned like accumulators: to 8 bytes. */
typedef unsigned __int128 crn_u128 __attribute__((aligned(8)));
typedef __int128 crn_i128 __attribute__((aligned(8)));

/** What is summed: values or their exact squares. */
typedef enum crn_xsum {
	CRN_XSUM_F32,    /* 88 + 8 bytes */
	CRN_XSUM_F32_SQ, /* 160 + 8 bytes */
	CRN_XSUM_F64,    /* 544 + 8 bytes */
	CRN_XSUM_F64_SQ, /* 1072 + 8 bytes */
} crn_xsum;
#define CRN_N_XSUMS 4

size_t crn_xsum_bytes(crn_xsum kind);
/** Adds n contiguous values (float for F32*, double for F64*) to one accumulator. */
void crn_xsum_add(crn_xsum kind, int64_t *acc, const void *values, int64_t n);
/** Adds value i to accumulator i, accumulators `step_bytes` apart. */
void crn_xsum_add_each(
	crn_xsum kind, int64_t *acc, size_t step_bytes, const void *values, int64_t n);
/** Adds sum * 2^exp2; exp2 is at least crn_xsum_exp_lo(kind), and the product no larger than a sum
 * of 2^31 finite values can be. */
void crn_xsum_add_scaled(crn_xsum kind, int64_t *acc, int64_t sum, int exp2);
/** Exponent of the lowest bit an accumulator can hold: every value is a multiple of 2^that. */
int crn_xsum_exp_lo(crn_xsum kind);
void crn_xsum_merge(crn_xsum kind, int64_t *acc, const int64_t *other);

/* ---- wide integers, for the one rounding at the end ---- */

#define CRN_WIDE_DIGITS 144

/** (-1)^negative * digits * 2^exp2, or a special value. */
typedef struct crn_wide {
	enum { CRN_WIDE_FINITE, CRN_WIDE_NAN, CRN_WIDE_INF } special;
	bool negative;
	int n; /* digits in use; the rest is undefined */
	int exp2;
	uint32_t digit[CRN_WIDE_DIGITS];
} crn_wide;

void crn_wide_from_xsum(crn_xsum kind, const int64_t *acc, crn_wide *ret);
void crn_wide_from_i128(crn_i128 v, crn_wide *ret);
/** hi * 2^64 + lo as a non-negative number. */
void crn_wide_from_u192(crn_u128 hi, uint64_t lo, crn_wide *ret);
/** w / d, d > 0, rounded once, half to even, to float32 or float64 (returned exactly as double). */
double crn_wide_ratio(const crn_wide *w, crn_u128 d, crn_dtype to);
/** (n * squares - sum^2) / (n * (n - ddof)); NaN when n <= ddof or anything is not finite. */
double crn_wide_variance(
	const crn_wide *sum, const crn_wide *squares, int64_t n, double ddof, crn_dtype to);

#endif

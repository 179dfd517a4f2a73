/* SPDX-License-Identifier: Apache-2.0
 *
 * row_stats.h -- one number out of a contiguous row: extremes, counts, integer sums and moments.
 *
 * All results are exact and free of order, so rows may be cut and combined in any way. Extremes are
 * compared as 64-bit *keys* that sort like the values: integers as they are (uint64 with the top
 * bit turned), floats by their bits with -0 just below +0, any NaN beyond everything. A NaN wins in
 * min and in max, as in NumPy.
 */
#ifndef CRN_KERNELS_ROW_STATS_H
#define CRN_KERNELS_ROW_STATS_H

#include "core/dtype.h"
#include "core/isa.h"
#include "kernels/bitmask.h"
#include "kernels/float_sums.h"
#include "kernels/isa_name.h"

#include <string.h>

/** Exact integer moments; squares = hi * 2^64 + lo. Zeroed: nothing added. */
typedef struct crn_moments {
	crn_i128 sum;
	crn_u128 sq_hi;
	uint64_t sq_lo, unused;
} crn_moments;

typedef struct crn_row_stats {
	/* Smallest / largest key of n >= 1 values; INT64_MIN / INT64_MAX if there is a NaN. */
	int64_t (*min_key[CRN_N_DTYPES])(const void *row, int64_t n);
	int64_t (*max_key[CRN_N_DTYPES])(const void *row, int64_t n);
	/* Number of values that are not zero (NaN is not zero). */
	int64_t (*count_nonzero[CRN_N_DTYPES])(const void *row, int64_t n);
	/* Integers and bool: sum modulo 2^64. NULL for floats. */
	uint64_t (*sum[CRN_N_DTYPES])(const void *row, int64_t n);
	/* Integers and bool: adds to the exact moments. NULL for floats. */
	void (*add_moments[CRN_N_DTYPES])(const void *row, int64_t n, crn_moments *m);
	/* Masks as rows of bits. */
	const crn_bits_kernels *bits;
	/* Floats: exact sums of values and squares. */
	const crn_float_sums *floats;
} crn_row_stats;

CRN_ISA_TABLES(crn_row_stats, crn_row_stats);

static inline int64_t crn_key_f32(float v)
{
	int32_t bits;
	memcpy(&bits, &v, sizeof(bits));
	return bits ^ ((bits >> 31) & 0x7fffffff);
}
static inline int64_t crn_key_f64(double v)
{
	int64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	return bits ^ ((bits >> 63) & INT64_MAX);
}
static inline int64_t crn_key_u64(uint64_t v)
{
	return (int64_t)(v ^ ((uint64_t)1 << 63));
}
/** Key of any value that is not NaN. */
static inline int64_t crn_key_of(crn_dtype t, const void *value)
{
	switch (t) {
	case CRN_BOOL:
	case CRN_U8:
		return *(const uint8_t *)value;
	case CRN_U16:
		return *(const uint16_t *)value;
	case CRN_U32:
		return *(const uint32_t *)value;
	case CRN_U64:
		return crn_key_u64(*(const uint64_t *)value);
	case CRN_I8:
		return *(const int8_t *)value;
	case CRN_I16:
		return *(const int16_t *)value;
	case CRN_I32:
		return *(const int32_t *)value;
	case CRN_F32:
		return crn_key_f32(*(const float *)value);
	case CRN_F64:
		return crn_key_f64(*(const double *)value);
	default:
		return *(const int64_t *)value;
	}
}
/** Value of a key; keys that belong to no number become NaN. */
static inline crn_elem crn_key_value(crn_dtype t, int64_t key)
{
	if (t == CRN_F32) {
		int32_t bits = (int32_t)key ^ ((int32_t)(key >> 63) & 0x7fffffff);
		if (key < INT32_MIN || key > INT32_MAX || (bits & 0x7fffffff) > 0x7f800000)
			bits = 0x7fc00000;
		crn_elem e = {{0}};
		memcpy(e.bytes, &bits, sizeof(bits));
		return e;
	}
	if (t == CRN_F64) {
		int64_t bits = key ^ ((key >> 63) & INT64_MAX);
		if ((bits & INT64_MAX) > 0x7ff0000000000000)
			bits = 0x7ff8000000000000;
		crn_elem e = {{0}};
		memcpy(e.bytes, &bits, sizeof(bits));
		return e;
	}
	if (t == CRN_U64)
		return crn_elem_from_uint(t, (uint64_t)key ^ ((uint64_t)1 << 63));
	return crn_elem_from_int(t, key);
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * row_stats.c -- the loops of row_stats.h, once per dtype and instruction set.
 *
 * Plain C in the shapes that gcc vectorises: integer minima, sums over blocks narrow enough for
 * 32-bit lanes where that is exact, compares added up in bytes. Floats are compared as integers, so
 * no order of evaluation can show in a result.
 */
#include "kernels/row_stats.h"

#define INTEGERS(X) \
	X(BOOL, uint8_t) \
	X(U8, uint8_t) \
	X(U16, uint16_t) \
	X(U32, uint32_t) \
	X(U64, uint64_t) \
	X(I8, int8_t) \
	X(I16, int16_t) \
	X(I32, int32_t) \
	X(I64, int64_t)

/* ---- extremes ---- */

#define DEFINE_INTEGER(ID, type) \
	static int64_t min_##ID(const void *row, int64_t n) \
	{ \
		const type *v = row; \
		type best = v[0]; \
		for (int64_t i = 1; i < n; i++) \
			best = v[i] < best ? v[i] : best; \
		return crn_key_of(CRN_##ID, &best); \
	} \
	static int64_t max_##ID(const void *row, int64_t n) \
	{ \
		const type *v = row; \
		type best = v[0]; \
		for (int64_t i = 1; i < n; i++) \
			best = v[i] > best ? v[i] : best; \
		return crn_key_of(CRN_##ID, &best); \
	} \
	static uint64_t sum_##ID(const void *row, int64_t n) \
	{ \
		const type *v = row; \
		uint64_t sum = 0; \
		for (int64_t i = 0; i < n; i++) \
			sum += (uint64_t)(int64_t)v[i]; \
		return sum; \
	}
INTEGERS(DEFINE_INTEGER)

#define DEFINE_FLOAT(ID, type, itype, NAN_ABOVE) \
	static int64_t min_##ID(const void *row, int64_t n) \
	{ \
		const char *v = row; \
		itype best = NAN_ABOVE, top = 0; \
		for (int64_t i = 0; i < n; i++) { \
			itype bits; \
			memcpy(&bits, v + i * (int64_t)sizeof(bits), sizeof(bits)); \
			itype size = (itype)(bits & (sizeof(itype) == 4 ? INT32_MAX : INT64_MAX)); \
			itype key = bits < 0 ? (itype)(-1 - size) : bits; \
			top = size > top ? size : top; \
			best = key < best ? key : best; \
		} \
		return top > NAN_ABOVE ? INT64_MIN : best; \
	} \
	static int64_t max_##ID(const void *row, int64_t n) \
	{ \
		const char *v = row; \
		itype best = (itype)(-1 - NAN_ABOVE), top = 0; \
		for (int64_t i = 0; i < n; i++) { \
			itype bits; \
			memcpy(&bits, v + i * (int64_t)sizeof(bits), sizeof(bits)); \
			itype size = (itype)(bits & (sizeof(itype) == 4 ? INT32_MAX : INT64_MAX)); \
			itype key = bits < 0 ? (itype)(-1 - size) : bits; \
			top = size > top ? size : top; \
			best = key > best ? key : best; \
		} \
		return top > NAN_ABOVE ? INT64_MAX : best; \
	}
/* The last argument is +infinity as an integer: bits above it are NaNs. */
DEFINE_FLOAT(F32, float, int32_t, 0x7f800000)
DEFINE_FLOAT(F64, double, int64_t, 0x7ff0000000000000)

/* ---- counts ---- */

#define DEFINE_COUNT(ID, type, name, kind) \
	static int64_t count_##ID(const void *row, int64_t n) \
	{ \
		const type *v = row; \
		int64_t count = 0; \
		while (n > 0) { \
			int64_t block = n < 32768 ? n : 32768; \
			uint16_t part = 0; \
			for (int64_t i = 0; i < block; i++) \
				part = (uint16_t)(part + (v[i] != 0)); \
			count += part; \
			v += block; \
			n -= block; \
		} \
		return count; \
	}
CRN_DTYPES(DEFINE_COUNT)

/* ---- exact moments ---- */

static void add_squares(crn_moments *m, crn_u128 squares)
{
	uint64_t lo = m->sq_lo;
	m->sq_lo += (uint64_t)squares;
	m->sq_hi += (squares >> 64) + (m->sq_lo < lo);
}

/* Blocks short enough that the sum fits 32 bits and the squares 64 (|v| < 2^16, 2^15 values). */
#define DEFINE_MOMENTS_NARROW(ID, type) \
	static void moments_##ID(const void *row, int64_t n, crn_moments *m) \
	{ \
		const type *v = row; \
		while (n > 0) { \
			int64_t block = n < 32768 ? n : 32768; \
			int64_t sum = 0; \
			uint64_t squares = 0; \
			for (int64_t i = 0; i < block; i++) { \
				int32_t value = v[i]; \
				sum += value; \
				squares += (uint32_t)value * (uint32_t)value; \
			} \
			m->sum += sum; \
			add_squares(m, squares); \
			v += block; \
			n -= block; \
		} \
	}
DEFINE_MOMENTS_NARROW(BOOL, uint8_t)
DEFINE_MOMENTS_NARROW(U8, uint8_t)
DEFINE_MOMENTS_NARROW(U16, uint16_t)
DEFINE_MOMENTS_NARROW(I8, int8_t)
DEFINE_MOMENTS_NARROW(I16, int16_t)

#define DEFINE_MOMENTS_WIDE(ID, type) \
	static void moments_##ID(const void *row, int64_t n, crn_moments *m) \
	{ \
		const type *v = row; \
		for (int64_t i = 0; i < n; i++) { \
			crn_i128 value = v[i]; \
			crn_u128 size = value < 0 ? -(crn_u128)value : (crn_u128)value; \
			m->sum += value; \
			add_squares(m, size *size); \
		} \
	}
DEFINE_MOMENTS_WIDE(U32, uint32_t)
DEFINE_MOMENTS_WIDE(U64, uint64_t)
DEFINE_MOMENTS_WIDE(I32, int32_t)
DEFINE_MOMENTS_WIDE(I64, int64_t)

/* ---- table ---- */

const crn_row_stats CRN_ISA_NAME(crn_row_stats) = {
#define ENTRY(ID, type, name, kind) [CRN_##ID] = min_##ID,
	.min_key = {CRN_DTYPES(ENTRY)},
#undef ENTRY
#define ENTRY(ID, type, name, kind) [CRN_##ID] = max_##ID,
	.max_key = {CRN_DTYPES(ENTRY)},
#undef ENTRY
#define ENTRY(ID, type, name, kind) [CRN_##ID] = count_##ID,
	.count_nonzero = {CRN_DTYPES(ENTRY)},
#undef ENTRY
#define ENTRY(ID, type) [CRN_##ID] = sum_##ID,
	.sum = {INTEGERS(ENTRY)},
#undef ENTRY
#define ENTRY(ID, type) [CRN_##ID] = moments_##ID,
	.add_moments = {INTEGERS(ENTRY)},
#undef ENTRY
	.bits = &CRN_ISA_NAME(crn_bitmask_table).bits,
	.floats = &CRN_ISA_NAME(crn_float_sums),
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * box_sums.c -- see box_sums.h. Plain loops: both compilers vectorise them.
 *
 * The mean of integers is trunc((sum + 1/2) / size): for whole sums the half changes nothing, and
 * it keeps the quotient at least 1 / (2 size) away from the next integer, more than a product with
 * the rounded reciprocal can be off (size <= 8192; float32 arithmetic for 8 bits, float64 for 16).
 * Means of NaNs come out as one NaN: which of two a sum keeps is up to the compiler.
 */
#include "kernels/box_sums.h"

/* U: the type sums are added in; whole numbers wrap, though no box in use is that wide. */
#define SUMS(id, SUM, U) \
	static void add_##id(const void *x, const void *y, int64_t n, void *to) \
	{ \
		const SUM *a = x, *b = y; \
		SUM *restrict out = to; \
		for (int64_t i = 0; i < n; i++) \
			out[i] = (SUM)((U)a[i] + (U)b[i]); \
	} \
	static void accumulate_##id(void *to, const void *x, int64_t n) \
	{ \
		SUM *restrict sums = to; \
		const SUM *restrict b = x; \
		for (int64_t i = 0; i < n; i++) \
			sums[i] = (SUM)((U)sums[i] + (U)b[i]); \
	}
SUMS(i32, int32_t, uint32_t)
SUMS(f64, double, double)

#define LOAD(id, T, SUM) \
	static void load_##id(const void *from, int64_t n, void *to) \
	{ \
		const T *restrict a = from; \
		SUM *restrict out = to; \
		for (int64_t i = 0; i < n; i++) \
			out[i] = (SUM)a[i]; \
	}
LOAD(u8, uint8_t, int32_t)
LOAD(i8, int8_t, int32_t)
LOAD(u16, uint16_t, int32_t)
LOAD(i16, int16_t, int32_t)
LOAD(f32, float, double)
LOAD(f64, double, double)

#define INTEGER_MEAN(id, T, REAL) \
	static void mean_##id(const void *from, int64_t size, int64_t n, void *to) \
	{ \
		const int32_t *restrict sums = from; \
		T *restrict out = to; \
		const REAL inverse = (REAL)1 / (REAL)size; \
		for (int64_t i = 0; i < n; i++) { \
			REAL half = sums[i] < 0 ? (REAL)-0.5 : (REAL)0.5; \
			out[i] = (T)(int32_t)(((REAL)sums[i] + half) * inverse); \
		} \
	}
INTEGER_MEAN(u8, uint8_t, float)
INTEGER_MEAN(i8, int8_t, float)
INTEGER_MEAN(u16, uint16_t, double)
INTEGER_MEAN(i16, int16_t, double)

/* A float64 product is far closer than float32 can tell. */
static void mean_f32(const void *from, int64_t size, int64_t n, void *to)
{
	const double *restrict sums = from;
	float *restrict out = to;
	const double inverse = 1 / (double)size;
	for (int64_t i = 0; i < n; i++)
		out[i] = sums[i] == sums[i] ? (float)(sums[i] * inverse) : __builtin_nanf("");
}

static void mean_f64(const void *from, int64_t size, int64_t n, void *to)
{
	const double *restrict sums = from;
	double *restrict out = to;
	for (int64_t i = 0; i < n; i++)
		out[i] = sums[i] == sums[i] ? sums[i] / (double)size : __builtin_nan("");
}

#define LOOPS(id, sum, size) \
	{ \
		size, load_##id, add_##sum, accumulate_##sum, mean_##id \
	}

const crn_box_sum_kernels CRN_ISA_NAME(crn_box_sum_table) = {
	.of = {[CRN_U8] = LOOPS(u8, i32, 4),
		[CRN_I8] = LOOPS(i8, i32, 4),
		[CRN_U16] = LOOPS(u16, i32, 4),
		[CRN_I16] = LOOPS(i16, i32, 4),
		[CRN_F32] = LOOPS(f32, f64, 8),
		[CRN_F64] = LOOPS(f64, f64, 8)},
};

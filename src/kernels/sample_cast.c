/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_cast.c -- see sample_cast.h. Plain loops: both compilers vectorise them.
 */
#include "kernels/sample_cast.h"

#include <math.h>

/* Towards zero as cvttsd2si: everything that does not fit int64 is INT64_MIN. */
static inline int64_t to_int64(double v)
{
	return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

/* The same where the value fits int32, which vectorises on every level. */
#define TRUNC_SMALL(T) (v > -0x1p31 && v < 0x1p31 ? (T)(int32_t)v : (T)to_int64(v))
#define TRUNC_BOOL (v >= 1 || v <= -1 || v != v)
#define TRUNC_INT64 (to_int64(v))
#define TRUNC_U64 (v >= 0x1p63 ? (v < 0x1p64 ? (uint64_t)v : 0) : (uint64_t)to_int64(v))

#define WIDEN(T, name, F) \
	static void widen_##name##_##F( \
		const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		const T *restrict a = in[0]; \
		F *restrict o = out; \
		(void)data; \
		for (int64_t i = 0; i < n; i++) \
			o[i] = (F)a[i]; \
	}

/* `lo` and `past` are exact doubles: results are in [lo, past). */
#define ROUND(T, name, F, lo, past, top) \
	static void round_##name##_##F( \
		const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		const F *restrict a = in[0]; \
		T *restrict o = out; \
		(void)data; \
		for (int64_t i = 0; i < n; i++) { \
			double v = rint((double)a[i]); \
			o[i] = v >= (past) ? (T)(top) : v >= (lo) ? (T)v : v < (lo) ? (T)(lo) : 0; \
		} \
	}

#define TRUNCATE(T, name, F, expr) \
	static void truncate_##name##_##F( \
		const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		const F *restrict a = in[0]; \
		T *restrict o = out; \
		(void)data; \
		for (int64_t i = 0; i < n; i++) { \
			double v = (double)a[i]; \
			o[i] = (T)(expr); \
		} \
	}

#define NONZERO(T, name) \
	static void nonzero_##name(const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		const T *restrict a = in[0]; \
		uint8_t *restrict o = out; \
		(void)data; \
		for (int64_t i = 0; i < n; i++) \
			o[i] = a[i] != 0; \
	}

#define CRN_X(id, T, name, kind) \
	WIDEN(T, id, float) \
	WIDEN(T, id, double) \
	NONZERO(T, id)
CRN_DTYPES(CRN_X)
#undef CRN_X

#define FROM_FLOATS(F) \
	ROUND(uint8_t, BOOL, F, 0, 2.0, 1) \
	ROUND(uint8_t, U8, F, 0, 0x1p8, UINT8_MAX) \
	ROUND(uint16_t, U16, F, 0, 0x1p16, UINT16_MAX) \
	ROUND(uint32_t, U32, F, 0, 0x1p32, UINT32_MAX) \
	ROUND(uint64_t, U64, F, 0, 0x1p64, UINT64_MAX) \
	ROUND(int8_t, I8, F, -0x1p7, 0x1p7, INT8_MAX) \
	ROUND(int16_t, I16, F, -0x1p15, 0x1p15, INT16_MAX) \
	ROUND(int32_t, I32, F, -0x1p31, 0x1p31, INT32_MAX) \
	ROUND(int64_t, I64, F, -0x1p63, 0x1p63, INT64_MAX) \
	TRUNCATE(uint8_t, BOOL, F, TRUNC_BOOL) \
	TRUNCATE(uint8_t, U8, F, TRUNC_SMALL(uint8_t)) \
	TRUNCATE(uint16_t, U16, F, TRUNC_SMALL(uint16_t)) \
	TRUNCATE(uint32_t, U32, F, TRUNC_INT64) \
	TRUNCATE(uint64_t, U64, F, TRUNC_U64) \
	TRUNCATE(int8_t, I8, F, TRUNC_SMALL(int8_t)) \
	TRUNCATE(int16_t, I16, F, TRUNC_SMALL(int16_t)) \
	TRUNCATE(int32_t, I32, F, TRUNC_SMALL(int32_t)) \
	TRUNCATE(int64_t, I64, F, TRUNC_INT64) \
	TRUNCATE(float, F32, F, v) \
	TRUNCATE(double, F64, F, v)
FROM_FLOATS(float)
FROM_FLOATS(double)

/* To a float there is nothing to round: the same loop. */
#define round_F32_float truncate_F32_float
#define round_F64_float truncate_F64_float
#define round_F32_double truncate_F32_double
#define round_F64_double truncate_F64_double

const crn_sample_cast_kernels CRN_ISA_NAME(crn_sample_cast_table) = {
	.widen =
		{
#define CRN_X(id, T, name, kind) {widen_##id##_float, widen_##id##_double},
			CRN_DTYPES(CRN_X)
#undef CRN_X
		},
	.round =
		{
#define CRN_X(id, T, name, kind) round_##id##_float,
			{CRN_DTYPES(CRN_X)},
#undef CRN_X
#define CRN_X(id, T, name, kind) round_##id##_double,
			{CRN_DTYPES(CRN_X)},
#undef CRN_X
		},
	.truncate =
		{
#define CRN_X(id, T, name, kind) truncate_##id##_float,
			{CRN_DTYPES(CRN_X)},
#undef CRN_X
#define CRN_X(id, T, name, kind) truncate_##id##_double,
			{CRN_DTYPES(CRN_X)},
#undef CRN_X
		},
	.nonzero =
		{
#define CRN_X(id, T, name, kind) nonzero_##id,
			CRN_DTYPES(CRN_X)
#undef CRN_X
		},
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * cast_kernels.c -- conversion of rows between all dtypes; see cast_kernels.h for the meaning.
 *
 * One loop, instantiated over from x to. TO_<ID>(FROM, v) is the conversion of one number v of
 * class FROM: the class says whether the source is a signed or unsigned integer, a float or a
 * double (S, U, G, F), so that only float sources pay for the range check that C leaves to us.
 */
#include "kernels/cast_kernels.h"

#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

/* ---- float to integer with a defined result everywhere ---- */

static inline int32_t trunc_i32(double v)
{
	bool fits = v > -2147483649.0 && v < 2147483648.0;
	int32_t r = (int32_t)(fits ? v : 0);
	return fits ? r : INT32_MIN;
}

static inline int32_t truncf_i32(float v)
{
	bool fits = v >= -2147483648.0f && v < 2147483648.0f;
	int32_t r = (int32_t)(fits ? v : 0);
	return fits ? r : INT32_MIN;
}

static inline int64_t trunc_i64(double v)
{
	bool fits = v >= -9223372036854775808.0 && v < 9223372036854775808.0;
	int64_t r = (int64_t)(fits ? v : 0);
	return fits ? r : INT64_MIN;
}

static inline uint64_t trunc_u64(double v)
{
	if (!(v >= 0x1p63))
		return (uint64_t)trunc_i64(v);
	return v < 0x1p64 ? (uint64_t)(int64_t)(v - 0x1p63) + ((uint64_t)1 << 63) : 0;
}

/* Class of a source. */
#define CLASS_BOOL U
#define CLASS_U8 U
#define CLASS_U16 U
#define CLASS_U32 U
#define CLASS_U64 U
#define CLASS_I8 S
#define CLASS_I16 S
#define CLASS_I32 S
#define CLASS_I64 S
#define CLASS_F32 G
#define CLASS_F64 F

#define VIA_32_S(v) (v)
#define VIA_32_U(v) (v)
#define VIA_32_G(v) truncf_i32(v)
#define VIA_32_F(v) trunc_i32(v)
#define VIA_64_S(v) (v)
#define VIA_64_U(v) (v)
#define VIA_64_G(v) trunc_i64((double)(v))
#define VIA_64_F(v) trunc_i64(v)
#define VIA_U64_S(v) (v)
#define VIA_U64_U(v) (v)
#define VIA_U64_G(v) trunc_u64((double)(v))
#define VIA_U64_F(v) trunc_u64(v)

#define TO_BOOL(C, v) ((v) != 0)
#define TO_U8(C, v) ((uint8_t)CRN_PASTE_(VIA_32, C)(v))
#define TO_U16(C, v) ((uint16_t)CRN_PASTE_(VIA_32, C)(v))
#define TO_U32(C, v) ((uint32_t)CRN_PASTE_(VIA_64, C)(v))
#define TO_U64(C, v) ((uint64_t)CRN_PASTE_(VIA_U64, C)(v))
#define TO_I8(C, v) ((int8_t)CRN_PASTE_(VIA_32, C)(v))
#define TO_I16(C, v) ((int16_t)CRN_PASTE_(VIA_32, C)(v))
#define TO_I32(C, v) ((int32_t)CRN_PASTE_(VIA_32, C)(v))
#define TO_I64(C, v) ((int64_t)CRN_PASTE_(VIA_64, C)(v))
#define TO_F32(C, v) ((float)(v))
#define TO_F64(C, v) ((double)(v))

/* float32 to the integers up to 32 bits: the processor's conversion gives INT32_MIN for all that
 * does not fit, which is truncf_i32. Narrowing is left to the compiler. */
#ifdef __SSE2__
enum { TRUNC_BLOCK = 64 };

static inline void truncf_block(const float *x, int32_t to[TRUNC_BLOCK])
{
#if defined(__AVX512F__)
	for (int i = 0; i < TRUNC_BLOCK; i += 16)
		_mm512_storeu_si512(to + i, _mm512_cvttps_epi32(_mm512_loadu_ps(x + i)));
#elif defined(__AVX2__)
	for (int i = 0; i < TRUNC_BLOCK; i += 8)
		_mm256_storeu_si256(
			(__m256i *)(to + i), _mm256_cvttps_epi32(_mm256_loadu_ps(x + i)));
#else
	for (int i = 0; i < TRUNC_BLOCK; i += 4)
		_mm_storeu_si128((__m128i *)(to + i), _mm_cvttps_epi32(_mm_loadu_ps(x + i)));
#endif
}
#define TRUNC_BLOCKS(TTO) \
	int64_t done = 0; \
	for (; n - done >= TRUNC_BLOCK; done += TRUNC_BLOCK) { \
		int32_t t[TRUNC_BLOCK]; \
		truncf_block((const float *)in[0] + done, t); \
		for (int i = 0; i < TRUNC_BLOCK; i++) \
			((TTO *)out)[done + i] = (TTO)t[i]; \
	}
#else
#define TRUNC_BLOCKS(TTO) int64_t done = 0;
#endif

/* In place only where the items are of one size, so a block is read before it is written. */
#define CAST_FLOAT(TO, TTO, FROM, TFROM) \
	static void cast_##FROM##_##TO( \
		const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		TRUNC_BLOCKS(TTO) \
		for (int64_t i = done; i < n; i++) \
			((TTO *)out)[i] = (TTO)truncf_i32(((const TFROM *)in[0])[i]); \
	}

#define CAST(TO, TTO, FROM, TFROM) \
	static void cast_##FROM##_##TO( \
		const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		TTO *o = out; \
		const TFROM *x = in[0]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) o[i] = \
			TO_##TO(CLASS_##FROM, x[i]); \
	}

/* ---- saturation ---- */

/* Half to even by adding and taking away 1.5 * 2^52 (2^23): exact while |v| < 2^51 (2^22). */
static inline double rint_small(double v)
{
	return (v + 6755399441055744.0) - 6755399441055744.0;
}

static inline float rintf_small(float v)
{
	return (v + 12582912.0f) - 12582912.0f;
}

static inline float bound_float(float v, float lo, float hi)
{
	v = v == v ? v : 0;
	v = v < lo ? lo : v;
	return rintf_small(v > hi ? hi : v);
}

static inline double bound_double(double v, double lo, double hi)
{
	v = v == v ? v : 0;
	v = v < lo ? lo : v;
	return rint_small(v > hi ? hi : v);
}

static inline int64_t bound_i64(double v)
{
	if (!(v == v))
		return 0;
	double r = __builtin_rint(v);
	return r >= 9223372036854775808.0   ? INT64_MAX
	       : r < -9223372036854775808.0 ? INT64_MIN
					    : (int64_t)r;
}

static inline uint64_t bound_u64(double v)
{
	if (!(v > 0))
		return 0;
	if (v < 4611686018427387904.0)
		return (uint64_t)bound_i64(v);
	return v >= 18446744073709551616.0 ? UINT64_MAX : trunc_u64(v);
}

static inline int64_t clamp_i64(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static inline uint64_t clamp_u64(uint64_t v, uint64_t hi)
{
	return v > hi ? hi : v;
}

static inline uint64_t not_negative(int64_t v)
{
	return v < 0 ? 0 : (uint64_t)v;
}

#define SAT_16_S(v, T, lo, hi) ((T)clamp_i64(v, lo, hi))
#define SAT_16_U(v, T, lo, hi) ((T)clamp_u64(v, hi))
#define SAT_16_G(v, T, lo, hi) ((T)(int32_t)bound_float(v, lo, hi))
#define SAT_16_F(v, T, lo, hi) ((T)(int32_t)bound_double(v, lo, hi))
#define SAT_32_S SAT_16_S
#define SAT_32_U SAT_16_U
#define SAT_32_G(v, T, lo, hi) ((T)(int64_t)bound_double((double)(v), lo, hi))
#define SAT_32_F(v, T, lo, hi) ((T)(int64_t)bound_double(v, lo, hi))
#define SAT_I64_S(v) (v)
#define SAT_I64_U(v) ((int64_t)clamp_u64(v, INT64_MAX))
#define SAT_I64_G(v) bound_i64((double)(v))
#define SAT_I64_F(v) bound_i64(v)
#define SAT_U64_S(v) not_negative(v)
#define SAT_U64_U(v) (v)
#define SAT_U64_G(v) bound_u64((double)(v))
#define SAT_U64_F(v) bound_u64(v)

#define LIMIT_U8(C, v) CRN_PASTE_(SAT_16, C)(v, uint8_t, 0, UINT8_MAX)
#define LIMIT_U16(C, v) CRN_PASTE_(SAT_16, C)(v, uint16_t, 0, UINT16_MAX)
#define LIMIT_U32(C, v) CRN_PASTE_(SAT_32, C)(v, uint32_t, 0, UINT32_MAX)
#define LIMIT_U64(C, v) CRN_PASTE_(SAT_U64, C)(v)
#define LIMIT_I8(C, v) CRN_PASTE_(SAT_16, C)(v, int8_t, INT8_MIN, INT8_MAX)
#define LIMIT_I16(C, v) CRN_PASTE_(SAT_16, C)(v, int16_t, INT16_MIN, INT16_MAX)
#define LIMIT_I32(C, v) CRN_PASTE_(SAT_32, C)(v, int32_t, INT32_MIN, INT32_MAX)
#define LIMIT_I64(C, v) CRN_PASTE_(SAT_I64, C)(v)
#define LIMIT_F32(C, v) ((float)(v))
#define LIMIT_F64(C, v) ((double)(v))

#define SATURATE(TO, TTO, FROM, TFROM) \
	static void saturate_##FROM##_##TO( \
		const void *data, int64_t n, void *out, const void *const *in) \
	{ \
		TTO *o = out; \
		const TFROM *x = in[0]; \
		_Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) \
		{ \
			TFROM v = x[i]; \
			o[i] = LIMIT_##TO(CLASS_##FROM, v); \
		} \
	}

/* ---- from x to ---- */

#define TO_SMALL(DO, FROM, TFROM) \
	DO(U8, uint8_t, FROM, TFROM) \
	DO(U16, uint16_t, FROM, TFROM) \
	DO(I8, int8_t, FROM, TFROM) \
	DO(I16, int16_t, FROM, TFROM) \
	DO(I32, int32_t, FROM, TFROM)
#define TO_LARGE(DO, FROM, TFROM) \
	DO(U32, uint32_t, FROM, TFROM) \
	DO(U64, uint64_t, FROM, TFROM) \
	DO(I64, int64_t, FROM, TFROM) \
	DO(F32, float, FROM, TFROM) \
	DO(F64, double, FROM, TFROM)
#define TO_NUMBERS(DO, FROM, TFROM) TO_SMALL(DO, FROM, TFROM) TO_LARGE(DO, FROM, TFROM)

/* By class of the source. */
#define SMALL_CASTS_U(FROM, TFROM) TO_SMALL(CAST, FROM, TFROM)
#define SMALL_CASTS_S(FROM, TFROM) TO_SMALL(CAST, FROM, TFROM)
#define SMALL_CASTS_G(FROM, TFROM) TO_SMALL(CAST_FLOAT, FROM, TFROM)
#define SMALL_CASTS_F(FROM, TFROM) TO_SMALL(CAST, FROM, TFROM)

#define CRN_X(FROM, TFROM, name, kind) \
	CRN_PASTE_(SMALL_CASTS, CLASS_##FROM) \
	(FROM, TFROM) TO_LARGE(CAST, FROM, TFROM) CAST(BOOL, uint8_t, FROM, TFROM) \
		TO_NUMBERS(SATURATE, FROM, TFROM)
CRN_DTYPES(CRN_X)
#undef CRN_X

#define CAST_ENTRY(TO, TTO, FROM, TFROM) [CRN_##TO][CRN_##FROM] = cast_##FROM##_##TO,
#define SATURATE_ENTRY(TO, TTO, FROM, TFROM) [CRN_##TO][CRN_##FROM] = saturate_##FROM##_##TO,

const crn_cast_kernels CRN_ISA_NAME(crn_casts) = {
	.cast =
		{
#define CRN_X(FROM, TFROM, name, kind) \
	TO_NUMBERS(CAST_ENTRY, FROM, TFROM) CAST_ENTRY(BOOL, uint8_t, FROM, TFROM)
			CRN_DTYPES(CRN_X)
#undef CRN_X
		},
	.saturate =
		{
#define CRN_X(FROM, TFROM, name, kind) TO_NUMBERS(SATURATE_ENTRY, FROM, TFROM)
			CRN_DTYPES(CRN_X)
#undef CRN_X
		},
};

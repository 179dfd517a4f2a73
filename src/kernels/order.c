/* SPDX-License-Identifier: Apache-2.0
 *
 * order.c -- see order.h: loops per key type, and samples to keys and back per dtype.
 */
#include "kernels/order.h"

#include "kernels/key_vectors.h"
#include "kernels/median_networks.h"

#include <string.h>

#define KEY uint8_t
#define UKEY uint8_t
#define BIAS 0
#define KEYS keys_8
#define LEAST least_8
#define GREATEST greatest_8
#define NAME(x) k8_##x
#include "kernels/order_loops.h"

#define KEY int16_t
#define UKEY uint16_t
#define BIAS 0x8000u
#define KEYS keys_16
#define LEAST least_16
#define GREATEST greatest_16
#define NAME(x) k16_##x
#include "kernels/order_loops.h"

#define KEY int32_t
#define UKEY uint32_t
#define BIAS 0x80000000u
#define KEYS keys_32
#define LEAST least_32
#define GREATEST greatest_32
#define NAME(x) k32_##x
#include "kernels/order_loops.h"

#define KEY int64_t
#define UKEY uint64_t
#define BIAS 0x8000000000000000u
#define KEYS keys_64
#define LEAST least_64
#define GREATEST greatest_64
#define NAME(x) k64_##x
#include "kernels/order_loops.h"

static void least(crn_key k, const void *a, const void *b, int64_t n, void *out)
{
	switch (k) {
	case CRN_KEY_8:
		k8_least(a, b, n, out);
		break;
	case CRN_KEY_16:
		k16_least(a, b, n, out);
		break;
	case CRN_KEY_32:
		k32_least(a, b, n, out);
		break;
	default:
		k64_least(a, b, n, out);
		break;
	}
}

static void greatest(crn_key k, const void *a, const void *b, int64_t n, void *out)
{
	switch (k) {
	case CRN_KEY_8:
		k8_greatest(a, b, n, out);
		break;
	case CRN_KEY_16:
		k16_greatest(a, b, n, out);
		break;
	case CRN_KEY_32:
		k32_greatest(a, b, n, out);
		break;
	default:
		k64_greatest(a, b, n, out);
		break;
	}
}

/* ---- keys of integers: FLIP moves the dtype's least value to 0, then the key's bias is added ----
 */

#define INTEGER(id, T, U, FLIP, K, UK, BIAS) \
	static void load_##id##_##K(const void *from, int64_t n, void *to) \
	{ \
		const T *restrict a = from; \
		K *restrict out = to; \
		for (int64_t i = 0; i < n; i++) \
			out[i] = (K)((UK)(U)((U)a[i] ^ (U)(FLIP)) ^ (UK)(BIAS)); \
	} \
	static void store_##id##_##K(const void *from, int64_t n, void *to) \
	{ \
		const K *restrict a = from; \
		T *restrict out = to; \
		for (int64_t i = 0; i < n; i++) \
			out[i] = (T)((U)((UK)a[i] ^ (UK)(BIAS)) ^ (U)(FLIP)); \
	}

#define INTEGER_8(id, T, FLIP) INTEGER(id, T, uint8_t, FLIP, uint8_t, uint8_t, 0)
#define INTEGER_16(id, T, U, FLIP) INTEGER(id, T, U, FLIP, int16_t, uint16_t, 0x8000u)
#define INTEGER_32(id, T, U, FLIP) INTEGER(id, T, U, FLIP, int32_t, uint32_t, 0x80000000u)
#define INTEGER_64(id, T, U, FLIP) INTEGER(id, T, U, FLIP, int64_t, uint64_t, 0x8000000000000000u)

INTEGER_8(U8, uint8_t, 0)
INTEGER_16(U8, uint8_t, uint8_t, 0)
INTEGER_32(U8, uint8_t, uint8_t, 0)
INTEGER_8(I8, int8_t, 0x80u)
INTEGER_16(I8, int8_t, uint8_t, 0x80u)
INTEGER_32(I8, int8_t, uint8_t, 0x80u)
INTEGER_16(U16, uint16_t, uint16_t, 0)
INTEGER_32(U16, uint16_t, uint16_t, 0)
INTEGER_16(I16, int16_t, uint16_t, 0x8000u)
INTEGER_32(I16, int16_t, uint16_t, 0x8000u)
INTEGER_32(U32, uint32_t, uint32_t, 0)
INTEGER_32(I32, int32_t, uint32_t, 0x80000000u)
INTEGER_64(U64, uint64_t, uint64_t, 0)
INTEGER_64(I64, int64_t, uint64_t, 0x8000000000000000u)

/* ---- keys of floats: NaNs become one NaN above +infinity ---- */

#define FLOATING(id, T, K, BITS, MAX, NAN_BITS) \
	static void load_##id(const void *from, int64_t n, void *to) \
	{ \
		const T *restrict a = from; \
		K *restrict out = to; \
		for (int64_t i = 0; i < n; i++) { \
			K bits; \
			memcpy(&bits, &a[i], sizeof(bits)); \
			bits ^= (K)(bits >> (BITS - 1)) & (K)(MAX); \
			out[i] = a[i] == a[i] ? bits : (K)(NAN_BITS); \
		} \
	} \
	static void store_##id(const void *from, int64_t n, void *to) \
	{ \
		const K *restrict a = from; \
		T *restrict out = to; \
		for (int64_t i = 0; i < n; i++) { \
			K bits = a[i] ^ ((K)(a[i] >> (BITS - 1)) & (K)(MAX)); \
			memcpy(&out[i], &bits, sizeof(bits)); \
		} \
	}

FLOATING(F32, float, int32_t, 32, INT32_MAX, 0x7fc00000)
FLOATING(F64, double, int64_t, 64, INT64_MAX, 0x7ff8000000000000)

#define WIDE_8(id, way) \
	{ \
		way##_##id##_uint8_t, way##_##id##_int16_t, way##_##id##_int32_t, NULL \
	}
#define WIDE_16(id, way) \
	{ \
		NULL, way##_##id##_int16_t, way##_##id##_int32_t, NULL \
	}
#define WIDE_32(id, way) \
	{ \
		NULL, NULL, way##_##id##_int32_t, NULL \
	}
#define WIDE_64(id, way) \
	{ \
		NULL, NULL, NULL, way##_##id##_int64_t \
	}
#define KEYS(way) \
	{ \
		[CRN_BOOL] = WIDE_8(U8, way), [CRN_U8] = WIDE_8(U8, way), \
		[CRN_U16] = WIDE_16(U16, way), [CRN_U32] = WIDE_32(U32, way), \
		[CRN_U64] = WIDE_64(U64, way), [CRN_I8] = WIDE_8(I8, way), \
		[CRN_I16] = WIDE_16(I16, way), [CRN_I32] = WIDE_32(I32, way), \
		[CRN_I64] = WIDE_64(I64, way), [CRN_F32] = {NULL, NULL, way##_F32, NULL}, \
		[CRN_F64] = {NULL, NULL, NULL, way##_F64}, \
	}
#define EACH_KEY(f) \
	{ \
		k8_##f, k16_##f, k32_##f, k64_##f \
	}

const crn_order_kernels CRN_ISA_NAME(crn_order_table) = {
	.load = KEYS(load),
	.store = KEYS(store),
	.least = least,
	.greatest = greatest,
	.min_taps = EACH_KEY(min_taps),
	.max_taps = EACH_KEY(max_taps),
	.median_9 = EACH_KEY(median_9),
	.median_25 = EACH_KEY(median_25),
	.median_27 = EACH_KEY(median_27),
	.rank = EACH_KEY(rank),
	.network = EACH_KEY(network),
};

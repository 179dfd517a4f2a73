/* SPDX-License-Identifier: Apache-2.0
 *
 * key_vectors.h -- one register of keys, and minimum and maximum of two of them.
 *
 * GNU vectors have comparisons, but compilers do not turn compare-and-select on them into the
 * minimum instructions, and they do not vectorise exchange networks of 25 values; so these few
 * operations are intrinsics where the level has them. X is one of 8, 16, 32, 64.
 */
#ifndef CRN_KERNELS_KEY_VECTORS_H
#define CRN_KERNELS_KEY_VECTORS_H

#include "kernels/vector_width.h"

#include <stdint.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef uint8_t keys_8 __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef int16_t keys_16 __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef int32_t keys_32 __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef int64_t keys_64 __attribute__((vector_size(CRN_VECTOR_BYTES)));

#define BY_INSTRUCTION(X, register, min, max) \
	static inline keys_##X least_##X(keys_##X a, keys_##X b) \
	{ \
		return (keys_##X)min((register)a, (register)b); \
	} \
	static inline keys_##X greatest_##X(keys_##X a, keys_##X b) \
	{ \
		return (keys_##X)max((register)a, (register)b); \
	}

#define BY_SELECTION(X) \
	static inline keys_##X least_##X(keys_##X a, keys_##X b) \
	{ \
		keys_##X less = (keys_##X)(a < b); \
		return (a & less) | (b & ~less); \
	} \
	static inline keys_##X greatest_##X(keys_##X a, keys_##X b) \
	{ \
		keys_##X less = (keys_##X)(a < b); \
		return (b & less) | (a & ~less); \
	}

#if defined(__AVX512BW__)
BY_INSTRUCTION(8, __m512i, _mm512_min_epu8, _mm512_max_epu8)
BY_INSTRUCTION(16, __m512i, _mm512_min_epi16, _mm512_max_epi16)
BY_INSTRUCTION(32, __m512i, _mm512_min_epi32, _mm512_max_epi32)
BY_INSTRUCTION(64, __m512i, _mm512_min_epi64, _mm512_max_epi64)
#elif defined(__AVX2__)
BY_INSTRUCTION(8, __m256i, _mm256_min_epu8, _mm256_max_epu8)
BY_INSTRUCTION(16, __m256i, _mm256_min_epi16, _mm256_max_epi16)
BY_INSTRUCTION(32, __m256i, _mm256_min_epi32, _mm256_max_epi32)
BY_SELECTION(64)
#elif defined(__SSE2__)
BY_INSTRUCTION(8, __m128i, _mm_min_epu8, _mm_max_epu8)
BY_INSTRUCTION(16, __m128i, _mm_min_epi16, _mm_max_epi16)
BY_SELECTION(32)
BY_SELECTION(64)
#else
BY_SELECTION(8)
BY_SELECTION(16)
BY_SELECTION(32)
BY_SELECTION(64)
#endif

#undef BY_INSTRUCTION
#undef BY_SELECTION

#endif

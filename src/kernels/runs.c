/* SPDX-License-Identifier: Apache-2.0
 *
 * runs.c -- packing rows of any dtype to bits.
 *
 * Wider elements are first compared into 64 bytes of 0 or 1 (a loop gcc vectorises), then bytes
 * become bits by movemask; the C form, eight bytes by one multiplication, is the reference.
 */
#include "kernels/runs.h"

#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* 64 bytes, each 0 or not, to 64 bits. */
static inline uint64_t pack_64(const uint8_t *v)
{
	uint64_t bits = 0;
#if defined(__AVX2__)
	for (int k = 0; k < 2; k++) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(v + 32 * k));
		x = _mm256_cmpeq_epi8(x, _mm256_setzero_si256());
		bits |= (uint64_t)(uint32_t)~_mm256_movemask_epi8(x) << (32 * k);
	}
#elif defined(__SSE2__)
	for (int k = 0; k < 4; k++) {
		__m128i x = _mm_loadu_si128((const __m128i *)(v + 16 * k));
		x = _mm_cmpeq_epi8(x, _mm_setzero_si128());
		bits |= (uint64_t)(uint16_t)~_mm_movemask_epi8(x) << (16 * k);
	}
#else
	for (int k = 0; k < 8; k++) {
		const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
		uint64_t x;
		memcpy(&x, v + 8 * k, sizeof(x));
		x = ((((x & low7) + low7) | x) >> 7) & 0x0101010101010101;
		bits |= ((x * 0x0102040810204080) >> 56) << (8 * k);
	}
#endif
	return bits;
}

#define DEFINE_PACK(ID, type, name, kind) \
	static void pack_##ID(const void *row, int64_t n, uint64_t *bits) \
	{ \
		const type *v = row; \
		int64_t i = 0; \
		for (; i + 64 <= n; i += 64) { \
			uint8_t set[64]; \
			for (int k = 0; k < 64; k++) \
				set[k] = v[i + k] != 0; \
			*bits++ = pack_64(set); \
		} \
		if (i < n) { \
			uint8_t set[64] = {0}; \
			for (int k = 0; i + k < n; k++) \
				set[k] = v[i + k] != 0; \
			*bits = pack_64(set); \
		} \
	}
CRN_DTYPES(DEFINE_PACK)

const crn_pack_kernels CRN_ISA_NAME(crn_pack_kernels) = {
#define ENTRY(ID, type, name, kind) [CRN_##ID] = pack_##ID,
	.nonzero = {CRN_DTYPES(ENTRY)},
#undef ENTRY
};

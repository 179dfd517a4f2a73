/* SPDX-License-Identifier: Apache-2.0
 *
 * bitmask.c -- see bitmask.h. Word loops use GNU vectors; packing has the instructions made for it
 * where the level has them, and a multiplication that gathers eight bytes elsewhere.
 */
#include "kernels/bitmask.h"

#include "kernels/vector_width.h"

#include <stdbool.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

typedef uint64_t words_full __attribute__((vector_size(CRN_VECTOR_BYTES)));
enum { LANES = CRN_VECTOR_BYTES / 8 };

static inline words_full get(const uint64_t *p)
{
	words_full v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void put(uint64_t *p, words_full v)
{
	memcpy(p, &v, sizeof(v));
}

/* ---- bytes and bits ---- */

/* Up to 64 bytes; bit i from byte i. */
static uint64_t pack_word(const uint8_t *bytes, int64_t n)
{
	uint64_t word = 0;
	int64_t i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t eight;
		memcpy(&eight, bytes + i, 8);
		word |= (eight * 0x0102040810204080u >> 56) << i;
	}
	for (; i < n; i++)
		word |= (uint64_t)bytes[i] << i;
	return word;
}

static inline uint64_t pack_64(const uint8_t *bytes)
{
#if defined(__AVX512BW__)
	__m512i v = _mm512_loadu_si512(bytes);
	return _mm512_test_epi8_mask(v, v);
#elif defined(__AVX2__)
	__m256i low = _mm256_loadu_si256((const __m256i *)bytes);
	__m256i high = _mm256_loadu_si256((const __m256i *)(bytes + 32));
	uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(low, 7));
	uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(high, 7));
	return a | (uint64_t)b << 32;
#else
	return pack_word(bytes, 64);
#endif
}

static void pack(const uint8_t *bytes, int64_t n, uint64_t flip, uint64_t *words, int first)
{
	if (first > 0 && n > 0) { /* up to the end of the first word */
		int64_t head = 64 - first < n ? 64 - first : n;
		uint64_t before = ((uint64_t)1 << first) - 1;
		*words = (*words & before) | (pack_word(bytes, head) ^ flip) << first;
		bytes += head;
		n -= head;
		words++;
	}
	int64_t i = 0;
	for (; i + 64 <= n; i += 64)
		words[i / 64] = pack_64(bytes + i) ^ flip;
	if (i < n)
		words[i / 64] = pack_word(bytes + i, n - i) ^ flip;
}

static inline void unpack_64(uint64_t word, uint8_t *bytes)
{
#if defined(__AVX512BW__)
	_mm512_storeu_si512(bytes, _mm512_maskz_set1_epi8(word, 1));
#else
	for (int i = 0; i < 64; i += 8) {
		/* Byte k keeps bit k of the eight; adding 0x7f carries any bit to the top. */
		uint64_t eight = (word >> i & 0xff) * 0x0101010101010101u & 0x8040201008040201u;
		eight = (eight + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
		memcpy(bytes + i, &eight, 8);
	}
#endif
}

static void unpack_some(uint64_t word, int64_t n, uint8_t *bytes)
{
	for (int64_t k = 0; k < n; k++)
		bytes[k] = word >> k & 1;
}

static void unpack(const uint64_t *words, int first, int64_t n, uint64_t flip, uint8_t *bytes)
{
	if (first > 0 && n > 0) {
		int64_t head = 64 - first < n ? 64 - first : n;
		unpack_some((*words ^ flip) >> first, head, bytes);
		bytes += head;
		n -= head;
		words++;
	}
	int64_t i = 0;
	for (; i + 64 <= n; i += 64)
		unpack_64(words[i / 64] ^ flip, bytes + i);
	if (i < n)
		unpack_some(words[i / 64] ^ flip, n - i, bytes + i);
}

static int64_t count(const uint64_t *words, int first, int64_t n)
{
	if (n <= 0)
		return 0;
	int64_t end = first + n, last = (end - 1) / 64, sum = 0;
	uint64_t head = ~(uint64_t)0 << first, tail = ~(uint64_t)0 >> (64 * last + 64 - end);
	if (last == 0)
		return __builtin_popcountll(words[0] & head & tail);
	for (int64_t i = 1; i < last; i++)
		sum += __builtin_popcountll(words[i]);
	return sum + __builtin_popcountll(words[0] & head) +
	       __builtin_popcountll(words[last] & tail);
}

/* ---- erosion steps ---- */

/* Shifting left by 64 in two steps keeps a bit count of 0 defined. */
#define SHIFTED(low, high, bits) ((low) >> (bits) | ((high) << 1) << (63 - (bits)))

static void and_shifted(uint64_t *words, int64_t n_words, int64_t k)
{
	const int64_t ahead = k / 64, bits = k % 64;
	int64_t i = 0;
	/* Loads come before the store of their iteration, and never from behind it. */
	for (; i + LANES <= n_words; i += LANES) {
		words_full low = get(words + i + ahead), high = get(words + i + ahead + 1);
		put(words + i, get(words + i) & SHIFTED(low, high, bits));
	}
	for (; i < n_words; i++)
		words[i] &= SHIFTED(words[i + ahead], words[i + ahead + 1], bits);
}

static void and_pair(const uint64_t *words, int64_t n_words, int64_t j, int64_t k, uint64_t *out)
{
	const uint64_t *a = words + j / 64, *b = words + k / 64;
	const int64_t a_bits = j % 64, b_bits = k % 64;
	int64_t i = 0;
	for (; i + LANES <= n_words; i += LANES) {
		words_full first = SHIFTED(get(a + i), get(a + i + 1), a_bits);
		words_full second = SHIFTED(get(b + i), get(b + i + 1), b_bits);
		put(out + i, first & second);
	}
	for (; i < n_words; i++)
		out[i] = SHIFTED(a[i], a[i + 1], a_bits) & SHIFTED(b[i], b[i + 1], b_bits);
}

static void and_rows(
	const char *base, const ptrdiff_t *offset, int64_t n_rows, int64_t n_words, uint64_t *acc)
{
	int64_t i = 0;
	for (; i + 4 * LANES <= n_words; i += 4 * LANES) {
		words_full a0 = get(acc + i), a1 = get(acc + i + LANES);
		words_full a2 = get(acc + i + 2 * LANES), a3 = get(acc + i + 3 * LANES);
		for (int64_t t = 0; t < n_rows; t++) {
			const uint64_t *p = (const uint64_t *)(base + offset[t]) + i;
			a0 &= get(p);
			a1 &= get(p + LANES);
			a2 &= get(p + 2 * LANES);
			a3 &= get(p + 3 * LANES);
		}
		put(acc + i, a0);
		put(acc + i + LANES, a1);
		put(acc + i + 2 * LANES, a2);
		put(acc + i + 3 * LANES, a3);
	}
	for (; i + LANES <= n_words; i += LANES) {
		words_full a = get(acc + i);
		for (int64_t t = 0; t < n_rows; t++)
			a &= get((const uint64_t *)(base + offset[t]) + i);
		put(acc + i, a);
	}
	for (; i < n_words; i++)
		for (int64_t t = 0; t < n_rows; t++)
			acc[i] &= ((const uint64_t *)(base + offset[t]))[i];
}

const crn_bitmask_kernels CRN_ISA_NAME(crn_bitmask_table) = {
	.pack = pack,
	.unpack = unpack,
	.count = count,
	.and_shifted = and_shifted,
	.and_pair = and_pair,
	.and_rows = and_rows,
};

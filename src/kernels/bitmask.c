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

/* A place in a row of bits: its byte, and the bits still to go. Bits of the place's first 64 come
 * from the word at that byte; the few its shift leaves out from the word one byte on. */
typedef struct place {
	int64_t byte;
	uint64_t right, left;
} place;

static inline place place_of(int64_t k)
{
	return (place){.byte = k / 8, .right = (uint64_t)(k % 8), .left = (uint64_t)(8 - k % 8)};
}

#if defined(__AVX2__)
/* Counts as vectors: one instruction a shift, where a count in a register makes it two. */
#define COUNTS(type, n) ((type){} + (n))
#else
#define COUNTS(type, n) (n)
#endif
#define SHIFTED(name, type) \
	static inline type name(const uint64_t *words, place at) \
	{ \
		type low, high; \
		memcpy(&low, (const char *)words + at.byte, sizeof(low)); \
		memcpy(&high, (const char *)words + at.byte + 1, sizeof(high)); \
		return (low >> COUNTS(type, at.right)) | (high << COUNTS(type, at.left)); \
	}
SHIFTED(shifted, words_full)
#if CRN_VECTOR_BYTES > 32
/* For what is left of a row. */
typedef uint64_t words_four __attribute__((vector_size(32)));
SHIFTED(shifted_four, words_four)
#endif

static inline uint64_t shifted_word(const uint64_t *words, place at)
{
	uint64_t low, high;
	memcpy(&low, (const char *)words + at.byte, 8);
	memcpy(&high, (const char *)words + at.byte + 1, 8);
	return (low >> at.right) | (high << at.left);
}

static void and_shifted(uint64_t *words, int64_t n_words, int64_t k)
{
	const place at = place_of(k);
	int64_t i = 0;
	/* Loads come before the store of their iteration, and never from behind it. */
	for (; i + LANES <= n_words; i += LANES)
		put(words + i, get(words + i) & shifted(words + i, at));
	for (; i < n_words; i++)
		words[i] &= shifted_word(words + i, at);
}

static inline void and_pair_row(
	const uint64_t *words, int64_t n, int64_t room, place a, place b, uint64_t *out)
{
	int64_t i = 0;
	/* Beyond n, words that nobody looks at are written where a vector does it. */
	for (; i < n && i + LANES <= room; i += LANES)
		put(out + i, shifted(words + i, a) & shifted(words + i, b));
#if CRN_VECTOR_BYTES > 32
	for (; i < n && i + 4 <= room; i += 4) {
		words_four v = shifted_four(words + i, a) & shifted_four(words + i, b);
		memcpy(out + i, &v, sizeof(v));
	}
#endif
	for (; i < n; i++)
		out[i] = shifted_word(words + i, a) & shifted_word(words + i, b);
}

static void and_pair(const crn_bit_rows *rows, int64_t j, int64_t k, uint64_t *out)
{
	const place a = place_of(j), b = place_of(k);
	for (int64_t r = 0; r < rows->n_rows; r++)
		and_pair_row(rows->words + r * rows->stride, rows->n_words, rows->out_stride, a, b,
			out + r * rows->out_stride);
}

/* Four vectors at a time, so that an offset is loaded once for four. */
static void chain_4(const crn_bit_chain *c, const uint64_t *base, int64_t to)
{
	const words_full ones = ~(words_full){0};
	words_full d0 = ones, d1 = ones, d2 = ones, d3 = ones;
	const int64_t *offset = c->offset;
	uint64_t *const *target = c->target;
	for (int l = 0; l < c->n_links; l++) {
		const crn_bit_link *link = &c->links[l];
		if (link->fresh)
			d0 = d1 = d2 = d3 = ones;
		for (int k = 0; k < link->n_rows; k++) {
			const uint64_t *p = base + *offset++;
			d0 &= get(p);
			d1 &= get(p + LANES);
			d2 &= get(p + 2 * LANES);
			d3 &= get(p + 3 * LANES);
		}
		for (int k = 0; k < link->n_targets; k++) {
			uint64_t *p = *target++ + to;
			put(p, get(p) & d0);
			put(p + LANES, get(p + LANES) & d1);
			put(p + 2 * LANES, get(p + 2 * LANES) & d2);
			put(p + 3 * LANES, get(p + 3 * LANES) & d3);
		}
	}
}

#define CHAIN_1(name, type, load, store) \
	static void name(const crn_bit_chain *c, const uint64_t *base, int64_t to) \
	{ \
		type d = ~(type){0}; \
		const int64_t *offset = c->offset; \
		uint64_t *const *target = c->target; \
		for (int l = 0; l < c->n_links; l++) { \
			const crn_bit_link *link = &c->links[l]; \
			if (link->fresh) \
				d = ~(type){0}; \
			for (int k = 0; k < link->n_rows; k++) \
				d &= load(base + *offset++); \
			for (int k = 0; k < link->n_targets; k++) { \
				uint64_t *p = *target++ + to; \
				store(p, load(p) & d); \
			} \
		} \
	}
#define GET_WORD(p) (*(p))
#define PUT_WORD(p, v) (*(p) = (v))
CHAIN_1(chain_1, words_full, get, put)
CHAIN_1(chain_word, uint64_t, GET_WORD, PUT_WORD)

static void and_chain(
	const crn_bit_chain *c, const uint64_t *base, int64_t target_at, int64_t n_words)
{
	int64_t i = 0;
	for (; i + 4 * LANES <= n_words; i += 4 * LANES)
		chain_4(c, base + i, target_at + i);
	for (; i + LANES <= n_words; i += LANES)
		chain_1(c, base + i, target_at + i);
	for (; i < n_words; i++)
		chain_word(c, base + i, target_at + i);
}

const crn_bitmask_kernels CRN_ISA_NAME(crn_bitmask_table) = {
	.bits = {.pack = pack, .unpack = unpack, .count = count},
	.and_shifted = and_shifted,
	.and_pair = and_pair,
	.and_chain = and_chain,
};

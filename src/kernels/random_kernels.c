/* SPDX-License-Identifier: Apache-2.0
 *
 * random_kernels.c -- Philox4x32-10 by position; see random_kernels.h for the stream.
 *
 * A lane of 64 bits works on one block: the multiplication 32 x 32 -> 64 bits of every vector unit
 * reads the low half of a lane only, so the high halves may hold anything between rounds and
 * nothing is ever masked or moved. Two vectors go through the rounds together, because one alone
 * would wait for its own multiplications.
 */
#include "kernels/random_kernels.h"

#include "kernels/vector_width.h"

#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum {
	BLOCKS = 16,                  /* made at once: a group of 32 words */
	WORDS = 2 * BLOCKS,           /* of a group */
	LANES = CRN_VECTOR_BYTES / 8, /* of one vector */
	ROUNDS = 10,
};

typedef uint64_t lanes __attribute__((vector_size(CRN_VECTOR_BYTES)));
static const lanes iota =
#if CRN_VECTOR_BYTES == 64
	{0, 1, 2, 3, 4, 5, 6, 7};
#elif CRN_VECTOR_BYTES == 32
	{0, 1, 2, 3};
#else
	{0, 1};
#endif
typedef double doubles __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef uint32_t words __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef int32_t halves __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef float floats __attribute__((vector_size(CRN_VECTOR_BYTES)));

/* Round keys of a seed. */
typedef struct keys {
	uint64_t k0[ROUNDS], k1[ROUNDS];
} keys;

static keys make_keys(uint64_t seed)
{
	keys k;
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	for (int r = 0; r < ROUNDS; r++, k0 += 0x9e3779b9u, k1 += 0xbb67ae85u) {
		k.k0[r] = k0;
		k.k1[r] = k1;
	}
	return k;
}

/* Product of the low halves of the lanes. */
static inline lanes multiply(lanes a, uint32_t b)
{
	lanes m = (lanes){0} + b;
#if defined(__AVX512F__)
	return (lanes)_mm512_mul_epu32((__m512i)a, (__m512i)m);
#elif defined(__AVX2__)
	return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)m);
#elif defined(__SSE2__)
	return (lanes)_mm_mul_epu32((__m128i)a, (__m128i)m);
#else
	return (a & 0xffffffffu) * m;
#endif
}

/* The high halves of the lanes, moved down. A shuffle, not a shift, because shuffles have a port of
 * their own where multiplications and shifts share one. */
static inline lanes high_half(lanes a)
{
	words v = (words)a;
#if CRN_VECTOR_BYTES == 64
	v = __builtin_shufflevector(v, v, 1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15);
#elif CRN_VECTOR_BYTES == 32
	v = __builtin_shufflevector(v, v, 1, 1, 3, 3, 5, 5, 7, 7);
#else
	v = __builtin_shufflevector(v, v, 1, 1, 3, 3);
#endif
	return (lanes)v;
}

/* c[v][0 .. 3] of two vectors: counters in, random numbers in the low halves out. */
static inline void philox(const keys *k, lanes c[2][4])
{
#pragma GCC unroll 10
	for (int r = 0; r < ROUNDS; r++) {
#pragma GCC unroll 2
		for (int v = 0; v < 2; v++) {
			lanes p0 = multiply(c[v][0], 0xd2511f53u);
			lanes p2 = multiply(c[v][2], 0xcd9e8d57u);
			c[v][0] = high_half(p2) ^ c[v][1] ^ k->k0[r];
			c[v][1] = p2;
			c[v][2] = high_half(p0) ^ c[v][3] ^ k->k1[r];
			c[v][3] = p0;
		}
	}
}

/* ---- from the two halves of words, low and high, each in the low half of a lane ---- */

/* The bits of the fraction are put into two doubles whose last places are worth 2^-32 and 2^-53;
 * taking their leading ones away again is exact, and so is the sum. */
static inline doubles join_doubles(lanes low, lanes high)
{
	const lanes one_20 = (lanes){0} + 0x4130000000000000u; /* 2^20 */
	const lanes one_m1 = (lanes){0} + 0x3fe0000000000000u; /* 2^-1 */
	doubles top = (doubles)((high & 0xffffffffu) | one_20) - (0x1p20 + 0x1p-1);
	return top + (doubles)(((low >> 11) & 0x1fffffu) | one_m1);
}

static inline floats join_floats(lanes low, lanes high)
{
	lanes word = (low & 0xffffffffu) | high << 32;
	halves whole = (halves)((words)word >> 8);
	return __builtin_convertvector(whole, floats) * 0x1p-24f;
}

/* All numbers of the blocks in block[]. */
#define DEFINE_GROUP(name, vector, join) \
	static inline void name(const keys *k, const lanes *block, void *out) \
	{ \
		for (int at = 0; at < BLOCKS; at += 2 * LANES) { \
			lanes c[2][4]; \
			for (int v = 0; v < 2; v++) { \
				c[v][0] = block[at / LANES + v]; \
				c[v][1] = c[v][0] >> 32; \
				c[v][2] = c[v][3] = (lanes){0}; \
			} \
			philox(k, c); \
			for (int v = 0; v < 2; v++) { \
				uint64_t *to = (uint64_t *)out + at + v * LANES; \
				vector first = join(c[v][0], c[v][1]); \
				vector second = join(c[v][2], c[v][3]); \
				memcpy(to, &first, sizeof(first)); \
				memcpy(to + BLOCKS, &second, sizeof(second)); \
			} \
		} \
	}
DEFINE_GROUP(double_group, doubles, join_doubles)
DEFINE_GROUP(float_group, floats, join_floats)

/* The block that holds a word. */
static inline uint64_t block_of(uint64_t word)
{
	return word / WORDS * BLOCKS + word % BLOCKS;
}

/* Whole groups go straight to the row, the ends through a group beside it. Of numbers a step apart,
 * 16 are made at once from a block each. PER is how many numbers a word holds. */
#define DEFINE_ROW(name, type, PER, group) \
	static void name(uint64_t seed, uint64_t first, uint64_t step, int64_t n, type *out) \
	{ \
		enum { GROUP = PER * WORDS }; \
		const keys k = make_keys(seed); \
		lanes block[BLOCKS / LANES] = {{0}}; \
		type made[GROUP] = {0}; \
		int64_t i = 0; \
		while (step == 1 && i < n) { \
			uint64_t at = first + (uint64_t)i; \
			int64_t skip = (int64_t)(at % GROUP), count = GROUP - skip; \
			bool whole = skip == 0 && n - i >= GROUP; \
			for (int v = 0; v < BLOCKS / LANES; v++) \
				block[v] = iota + (at / GROUP * BLOCKS + (uint64_t)(v * LANES)); \
			group(&k, block, whole ? (void *)(out + i) : (void *)made); \
			count = count < n - i ? count : n - i; \
			if (!whole) \
				memcpy(out + i, made + skip, (size_t)count * sizeof(type)); \
			i += count; \
		} \
		for (; i < n; i += BLOCKS) { \
			int64_t count = n - i < BLOCKS ? n - i : BLOCKS; \
			for (int64_t b = 0; b < BLOCKS; b++) \
				block[b / LANES][b % LANES] = \
					block_of((first + (uint64_t)(i + b) * step) / PER); \
			group(&k, block, made); \
			for (int64_t b = 0; b < count; b++) { \
				uint64_t at = first + (uint64_t)(i + b) * step; \
				uint64_t second = at / PER / BLOCKS % 2; \
				out[i + b] = \
					made[(second * BLOCKS + (uint64_t)b) * PER + at % PER]; \
			} \
		} \
	}
DEFINE_ROW(row_float64, double, 1, double_group)
DEFINE_ROW(row_float32, float, 2, float_group)

const crn_random_kernels CRN_ISA_NAME(crn_random) = {row_float64, row_float32};

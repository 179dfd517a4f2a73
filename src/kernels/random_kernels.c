/* SPDX-License-Identifier: Apache-2.0
 *
 * random_kernels.c -- Philox4x64-10 by position; see random_kernels.h for the stream.
 *
 * A block of four words is kept while consecutive numbers fall into it, so contiguous rows pay for
 * each block once. No vector unit multiplies 64 x 64 -> 128 bits; the scalar one does it in one step.
 */
#include "kernels/random_kernels.h"

typedef struct block {
	uint64_t index; /* words 4 index .. 4 index + 3 are held */
	uint64_t word[4];
} block;

static inline uint64_t multiply(uint64_t a, uint64_t b, uint64_t *ret_high)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	*ret_high = (uint64_t)(p >> 64);
	return (uint64_t)p;
}

static inline void make_block(uint64_t seed, uint64_t index, block *b)
{
	uint64_t c0 = index + 1, c1 = 0, c2 = 0, c3 = 0, k0 = seed, k1 = 0;
	for (int round = 0; round < 10; round++) {
		uint64_t high0, high2;
		uint64_t low0 = multiply(0xd2e7470ee14c6c93u, c0, &high0);
		uint64_t low2 = multiply(0xca5a826395121157u, c2, &high2);
		c0 = high2 ^ c1 ^ k0;
		c1 = low2;
		c2 = high0 ^ c3 ^ k1;
		c3 = low0;
		k0 += 0x9e3779b97f4a7c15u;
		k1 += 0xbb67ae8584caa73bu;
	}
	*b = (block){index, {c0, c1, c2, c3}};
}

static inline uint64_t word_at(uint64_t seed, uint64_t w, block *b)
{
	if (w / 4 != b->index)
		make_block(seed, w / 4, b);
	return b->word[w % 4];
}

static void row_float64(uint64_t seed, uint64_t first, uint64_t step, int64_t n, double *out)
{
	block b;
	make_block(seed, first / 4, &b);
	for (int64_t i = 0; i < n; i++)
		out[i] = (double)(word_at(seed, first + (uint64_t)i * step, &b) >> 11) * 0x1p-53;
}

static void row_float32(uint64_t seed, uint64_t first, uint64_t step, int64_t n, float *out)
{
	block b;
	make_block(seed, first / 8, &b);
	for (int64_t i = 0; i < n; i++) {
		uint64_t at = first + (uint64_t)i * step;
		uint32_t half = (uint32_t)(word_at(seed, at / 2, &b) >> (at % 2 * 32));
		out[i] = (float)(half >> 8) * 0x1p-24f;
	}
}

const crn_random_kernels CRN_ISA_NAME(crn_random) = {row_float64, row_float32};

/* SPDX-License-Identifier: Apache-2.0
 *
 * random_kernels.c -- Philox4x64-10 by position; see random_kernels.h for the stream.
 *
 * The last blocks made are kept while consecutive numbers fall into them, so contiguous rows pay
 * for each block once. No vector unit multiplies 64 x 64 -> 128 bits; the scalar one does it in
 * one step.
 */
#include "kernels/random_kernels.h"

/* Blocks are made in groups whose rounds interleave: one block alone is a chain of dependent
 * multiplications. */
enum { GROUP = 4 };

typedef struct group {
	uint64_t first; /* blocks first .. first + GROUP - 1 */
	uint64_t word[4 * GROUP];
} group;

static inline uint64_t multiply(uint64_t a, uint64_t b, uint64_t *ret_high)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	*ret_high = (uint64_t)(p >> 64);
	return (uint64_t)p;
}

static inline void make_group(uint64_t seed, uint64_t first, group *g)
{
	uint64_t c[GROUP][4], k0 = seed, k1 = 0;
	g->first = first;
	for (unsigned i = 0; i < GROUP; i++) {
		c[i][0] = first + i + 1;
		c[i][1] = c[i][2] = c[i][3] = 0;
	}
#pragma GCC unroll 10
	for (int round = 0; round < 10; round++) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < GROUP; i++) {
			uint64_t high0, high2;
			uint64_t low0 = multiply(0xd2e7470ee14c6c93u, c[i][0], &high0);
			uint64_t low2 = multiply(0xca5a826395121157u, c[i][2], &high2);
			c[i][0] = high2 ^ c[i][1] ^ k0;
			c[i][1] = low2;
			c[i][2] = high0 ^ c[i][3] ^ k1;
			c[i][3] = low0;
		}
		k0 += 0x9e3779b97f4a7c15u;
		k1 += 0xbb67ae8584caa73bu;
	}
	for (unsigned i = 0; i < 4 * GROUP; i++)
		g->word[i] = c[i / 4][i % 4];
}

/* Word w; consecutive words come from the group at hand. */
static inline uint64_t word_at(uint64_t seed, uint64_t w, group *g)
{
	if (w / 4 - g->first >= GROUP)
		make_group(seed, w / 4, g);
	return g->word[w - 4 * g->first];
}

static inline double unit_double(uint64_t word)
{
	return (double)(word >> 11) * 0x1p-53;
}

static inline float unit_float(uint64_t word, uint64_t half)
{
	return (float)((uint32_t)(word >> (half * 32)) >> 8) * 0x1p-24f;
}

static void row_float64(uint64_t seed, uint64_t first, uint64_t step, int64_t n, double *out)
{
	group g;
	int64_t i = 0;
	make_group(seed, first / 4, &g);
	while (step == 1 && i < n) { /* what the group holds, then the next one */
		uint64_t at = first + (uint64_t)i - 4 * g.first;
		for (; at < 4 * GROUP && i < n; at++)
			out[i++] = unit_double(g.word[at]);
		if (i < n)
			make_group(seed, g.first + GROUP, &g);
	}
	for (; i < n; i++)
		out[i] = unit_double(word_at(seed, first + (uint64_t)i * step, &g));
}

static void row_float32(uint64_t seed, uint64_t first, uint64_t step, int64_t n, float *out)
{
	group g;
	int64_t i = 0;
	make_group(seed, first / 8, &g);
	while (step == 1 && i < n) {
		uint64_t at = first + (uint64_t)i - 8 * g.first;
		for (; at < 8 * GROUP && i < n; at++)
			out[i++] = unit_float(g.word[at / 2], at % 2);
		if (i < n)
			make_group(seed, g.first + GROUP, &g);
	}
	for (; i < n; i++) {
		uint64_t at = first + (uint64_t)i * step;
		out[i] = unit_float(word_at(seed, at / 2, &g), at % 2);
	}
}

const crn_random_kernels CRN_ISA_NAME(crn_random) = {row_float64, row_float32};

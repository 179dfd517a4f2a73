/* SPDX-License-Identifier: Apache-2.0
 *
 * histogram_rank.c -- see histogram_rank.h.
 */
#include "kernels/histogram_rank.h"

#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

static void add(
	const crn_histogram_box *box, const uint8_t *row, int64_t n, crn_column_counts *columns)
{
	for (int64_t i = 0; i < n; i++) {
		unsigned v = row[i] ^ box->flip;
		columns[i].coarse[v >> 4]++;
		columns[i].fine[v]++;
	}
}

static void take(
	const crn_histogram_box *box, const uint8_t *row, int64_t n, crn_column_counts *columns)
{
	for (int64_t i = 0; i < n; i++) {
		unsigned v = row[i] ^ box->flip;
		columns[i].coarse[v >> 4]--;
		columns[i].fine[v]--;
	}
}

/* 16 counts in registers: gcc unrolls a loop over them into scalars. */
typedef int16_t counts __attribute__((vector_size(32)));
typedef int16_t stored_counts __attribute__((vector_size(32), aligned(2), may_alias));
#define GET(p) (*(const stored_counts *)(p))

/* How many lanes of a comparison are true, when the true ones come first. */
static inline int n_true(const counts *mask)
{
#if defined(__AVX2__)
	uint32_t bits = (uint32_t)_mm256_movemask_epi8((__m256i)*mask);
	return (int)_tzcnt_u32(~bits) / 2;
#elif defined(__SSE2__)
	__m128i half[2];
	memcpy(half, mask, sizeof(*mask));
	int bits = _mm_movemask_epi8(_mm_packs_epi16(half[0], half[1]));
	return __builtin_ctz(~(unsigned)bits);
#else
	int n = 0;
	for (int i = 0; i < 16; i++)
		n -= (*mask)[i];
	return n;
#endif
}

/* The bin that holds the sample of a rank; the rank becomes its rank within the bin. */
static inline int bin_of(const counts *bins, int *rank)
{
	const counts zero = {0};
	int16_t below[17] = {0}; /* samples below each bin */
	counts v = *bins;
	v += __builtin_shufflevector(
		zero, v, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
	v += __builtin_shufflevector(
		zero, v, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
	v += __builtin_shufflevector(
		zero, v, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
	v += __builtin_shufflevector(
		zero, v, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23);
	memcpy(below + 1, &v, sizeof(v));
	v = v <= (int16_t)*rank;
	int bin = n_true(&v);
	*rank -= below[bin];
	return bin;
}

/* Counts over the box at some x. A group of 16 values is brought up to date when it is needed. */
typedef struct window {
	counts coarse, fine[16];
	int64_t at[16]; /* x of each group of `fine`; far to the left: not there yet */
} window;

static inline void move_group(
	window *w, int group, const crn_column_counts *columns, int64_t x, int width)
{
	counts v = w->fine[group];
	if (x - w->at[group] >= width) {
		v = (counts){0};
		for (int64_t c = x; c < x + width; c++)
			v += GET(&columns[c].fine[16 * group]);
	} else {
		for (int64_t c = w->at[group]; c < x; c++)
			v += GET(&columns[c + width].fine[16 * group]) -
			     GET(&columns[c].fine[16 * group]);
	}
	w->at[group] = x;
	w->fine[group] = v;
}

static void find(
	const crn_histogram_box *box, const crn_column_counts *columns, int64_t n, uint8_t *out)
{
	window w = {0};
	for (int g = 0; g < 16; g++)
		w.at[g] = -box->width;
	for (int c = 0; c < box->width; c++)
		w.coarse += GET(columns[c].coarse);
	for (int64_t x = 0; x < n; x++) {
		if (x > 0)
			w.coarse += GET(columns[x + box->width - 1].coarse) -
				    GET(columns[x - 1].coarse);
		int rank = box->rank;
		int group = bin_of(&w.coarse, &rank);
		move_group(&w, group, columns, x, box->width);
		out[x] = (uint8_t)((16 * group + bin_of(&w.fine[group], &rank)) ^ box->flip);
	}
}

const crn_histogram_kernels CRN_ISA_NAME(crn_histogram_table) = {
	.add = add,
	.remove = take,
	.find = find,
};

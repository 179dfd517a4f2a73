/* SPDX-License-Identifier: Apache-2.0
 *
 * runs.h -- rows as runs of nonzero elements: the first step of labelling.
 *
 * Elements are first packed to bits (bit i of word i / 64: element i is not zero; NaN is not zero),
 * then the places where bits change are listed: start, end, start, end, ... with end exclusive.
 */
#ifndef CRN_KERNELS_RUNS_H
#define CRN_KERNELS_RUNS_H

#include "core/dtype.h"
#include "core/isa.h"
#include "kernels/isa_name.h"

typedef struct crn_pack_kernels {
	/* Writes ceil(n / 64) words; bits from n on are 0. */
	void (*nonzero[CRN_N_DTYPES])(const void *row, int64_t n, uint64_t *bits);
} crn_pack_kernels;

CRN_ISA_TABLES(crn_pack_kernels, crn_pack_kernels);

static inline int64_t crn_bit_words(int64_t n)
{
	return (n + 63) / 64;
}

/** Lists the runs of n bits as pairs (at most (n + 1) / 2 of them); returns their number. */
static inline int64_t crn_bits_to_runs(const uint64_t *bits, int64_t n, uint32_t *pairs)
{
	uint32_t *p = pairs;
	uint64_t before = 0;
	for (int64_t w = 0, n_words = crn_bit_words(n); w < n_words; w++) {
		uint64_t v = bits[w], change = v ^ ((v << 1) | before);
		before = v >> 63;
		for (; change; change &= change - 1)
			*p++ = (uint32_t)(64 * w + __builtin_ctzll(change));
	}
	if (before)
		*p++ = (uint32_t)n;
	return (p - pairs) / 2;
}

/** The same with every nonzero element a run of its own (at most n runs). */
static inline int64_t crn_bits_to_singles(const uint64_t *bits, int64_t n, uint32_t *pairs)
{
	uint32_t *p = pairs;
	for (int64_t w = 0, n_words = crn_bit_words(n); w < n_words; w++)
		for (uint64_t v = bits[w]; v; v &= v - 1) {
			uint32_t at = (uint32_t)(64 * w + __builtin_ctzll(v));
			*p++ = at;
			*p++ = at + 1;
		}
	return (p - pairs) / 2;
}

#endif

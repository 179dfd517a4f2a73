/* SPDX-License-Identifier: Apache-2.0
 *
 * bitmask.h -- rows of bits: packing bool bytes, unpacking, counting, and erosion steps on words.
 *
 * Bit i of a row is bit i % 64 of word i / 64. Erosion steps take whole words. "Shifting by k"
 * means: bit i of the result is bit i + k of the row, so shifts read ahead by k / 64 + 1 words;
 * what they find past the end of a row only reaches bits that are past the end, too. Callers pad
 * the end of the buffer.
 */
#ifndef CRN_KERNELS_BITMASK_H
#define CRN_KERNELS_BITMASK_H

#include "core/bits.h"
#include "kernels/isa_name.h"

#include <stdbool.h>
#include <stdint.h>

/** Rows that are read and written with strides of their own (words). n_words is rounded up to whole
 * vectors where out_stride leaves room for them; rows have room for reading them, too. */
typedef struct crn_bit_rows {
	const uint64_t *words;
	int64_t n_rows, n_words;
	int64_t stride, out_stride;
} crn_bit_rows;

/** Intersections that build on each other, each of which goes to any number of targets:
 *
 *	d = all set
 *	for every link:  d = fresh ? all set : d
 *			 d &= the next n_rows rows, at base + offset (words)
 *			 the next n_targets targets, at target_at (words), &= d
 */
typedef struct crn_bit_link {
	int n_rows, n_targets;
	bool fresh;
} crn_bit_link;

typedef struct crn_bit_chain {
	int n_links;
	const crn_bit_link *links;
	const int64_t *offset;
	uint64_t *const *target;
} crn_bit_chain;

typedef struct crn_bitmask_kernels {
	crn_bits_kernels bits; /* pack, unpack, count */
	/* words &= words shifted by k, in place. */
	void (*and_shifted)(uint64_t *words, int64_t n_words, int64_t k);
	/* Rows of `out` = (rows shifted by j) & (rows shifted by k); n_words of each row. */
	void (*and_pair)(const crn_bit_rows *rows, int64_t j, int64_t k, uint64_t *out);
	/* Runs a chain over n_words words; see crn_bit_chain. */
	void (*and_chain)(const crn_bit_chain *chain, const uint64_t *base, int64_t target_at,
		int64_t n_words);
} crn_bitmask_kernels;

CRN_ISA_TABLES(crn_bitmask_kernels, crn_bitmask_table);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * bitmask.h -- rows of bits: packing bool bytes, unpacking, counting, and erosion steps on words.
 *
 * Bit i of a row is bit i % 64 of word i / 64. Rows of any phase (core/bits.h) start at bit
 * `first` (0 ... 63) of their first word; no word is touched that holds none of the n bits.
 * Erosion steps take whole words. "Shifting by k" means: bit i of the result is bit i + k of the
 * row, so shifts read ahead by k / 64 + 1 words; what they find past the end of a row only reaches
 * bits that are past the end, too. Callers pad the end of the buffer.
 */
#ifndef CRN_KERNELS_BITMASK_H
#define CRN_KERNELS_BITMASK_H

#include "kernels/isa_name.h"

#include <stddef.h>
#include <stdint.h>

typedef struct crn_bitmask_kernels {
	/* n bytes of 0 or 1 into bits first ... first + n - 1, XORed with `flip` (0 or all ones).
	 * Bits before `first` keep their values, so a row may be written piece by piece from the
	 * left; those behind the last, up to the end of its word, hold anything. */
	void (*pack)(const uint8_t *bytes, int64_t n, uint64_t flip, uint64_t *words, int first);
	/* The reverse; writes n bytes of 0 or 1. */
	void (*unpack)(const uint64_t *words, int first, int64_t n, uint64_t flip, uint8_t *bytes);
	/* Set bits among first ... first + n - 1. */
	int64_t (*count)(const uint64_t *words, int first, int64_t n);
	/* words &= words shifted by k, in place. */
	void (*and_shifted)(uint64_t *words, int64_t n_words, int64_t k);
	/* out = (words shifted by j) & (words shifted by k). */
	void (*and_pair)(
		const uint64_t *words, int64_t n_words, int64_t j, int64_t k, uint64_t *out);
	/* acc &= the rows at base + offset[0..n_rows-1] (bytes). */
	void (*and_rows)(const char *base, const ptrdiff_t *offset, int64_t n_rows, int64_t n_words,
		uint64_t *acc);
} crn_bitmask_kernels;

CRN_ISA_TABLES(crn_bitmask_kernels, crn_bitmask_table);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * bits.h -- masks between ops as rows of bits: an eighth of the bytes, and 64 voxels per operation.
 *
 * A bool view whose `bits` is set (core/view.h) holds rows of bits instead of rows of bytes:
 *
 *	element i of a row is bit (first_bit + i) % 64 of word (first_bit + i) / 64
 *
 *	word 0                     word 1                 little-endian 64-bit words
 *	|.....#############...###..|..###..........       '.' 0, '#' 1
 *	 ^0   ^first_bit            ^64
 *
 * A buffer of bits for region r starts each row at first_bit = lo % 64, so rows of two buffers of
 * one array have the same phase and are copied without shifts; views into other coordinates (a
 * slice) just have another first_bit. Bits of a row's words outside [first_bit, first_bit + n) hold
 * anything: readers mask them, writers keep or change them as they like unless said otherwise, and
 * no word outside a row's crn_bits_words() is touched.
 *
 * Only memory inside a run is ever in this form: arrays that are stored, shown or handed to other
 * programs have one byte per voxel, and an op sees bits only if its descriptor says it takes them.
 *
 * Typical reader (label, a sum):
 *
 *	for (crn_rows_begin(&rows, v.ndim, v.shape); !rows.end; crn_rows_next(&rows)) {
 *		const uint64_t *row = crn_rows_at(&rows, &v);
 *		crn_bits_shift_row(row, v.first_bit, rows.n, words);     bit i of words: element i
 *		...
 *	}
 *
 * Packing bytes and unpacking them is the work of kernels (crn_bits_kernels; who may not name them
 * finds them in the registry). Pure functions on the caller's memory; no allocation.
 */
#ifndef CRN_CORE_BITS_H
#define CRN_CORE_BITS_H

#include "core/view.h"

/** Words that a row of n elements touches. */
static inline int64_t crn_bits_words(int first_bit, int64_t n)
{
	return (first_bit + n + 63) / 64;
}

/** Element i of a row. */
static inline bool crn_bits_get(const uint64_t *row, int first_bit, int64_t i)
{
	return row[(first_bit + i) / 64] >> ((first_bit + i) % 64) & 1;
}

/** Mask of the n lowest bits, 0 <= n <= 64. */
static inline uint64_t crn_bits_low(int64_t n)
{
	return n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
}

/** A buffer of bits for a region of at least one axis: its bytes, and the view of it. */
size_t crn_bits_bytes(const crn_region *r);
crn_view crn_bits_dense(void *data, const crn_region *r);
/** The most bytes that a region of these extents can need, wherever it lies. */
size_t crn_bits_most_bytes(int ndim, const int64_t *n);

/** A row moved to phase 0: bit i of `to` is element i, bits from n to the last word's end are 0.
 * Writes crn_bits_words(0, n) words; `to` may not overlap the row. */
void crn_bits_shift_row(const uint64_t *row, int first_bit, int64_t n, uint64_t *to);
/** Copies n elements between rows of any phases; other bits of `to` keep their values. */
void crn_bits_copy_row(const uint64_t *from, int from_first, int64_t n, uint64_t *to, int to_first);
/** Sets n elements to `value`; other bits keep their values. */
void crn_bits_fill_row(uint64_t *row, int first_bit, int64_t n, bool value);

/** crn_view_copy() and crn_view_fill() of bits. */
void crn_bits_copy(const crn_view *dst, const crn_view *src);
void crn_bits_fill(const crn_view *dst, bool value);

/** Loops of one instruction set; first: 0 ... 63. No word is touched that holds none of the n bits.
 */
typedef struct crn_bits_kernels {
	/* n bytes of 0 or 1 into bits first ... first + n - 1, XORed with `flip` (0 or all ones).
	 * Bits before `first` keep their values, so a row may be written piece by piece from the
	 * left; those behind the last, up to the end of its word, hold anything. */
	void (*pack)(const uint8_t *bytes, int64_t n, uint64_t flip, uint64_t *words, int first);
	/* The reverse; writes n bytes of 0 or 1. */
	void (*unpack)(const uint64_t *words, int first, int64_t n, uint64_t flip, uint8_t *bytes);
	/* Set bits among first ... first + n - 1. */
	int64_t (*count)(const uint64_t *words, int first, int64_t n);
} crn_bits_kernels;

/** Copies equal shapes of bool, each bytes or bits, any strides; behind a row of bits, the rest of
 * its last word holds anything then. */
void crn_mask_copy(const crn_bits_kernels *k, const crn_view *dst, const crn_view *src);

#endif

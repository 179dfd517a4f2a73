/* SPDX-License-Identifier: Apache-2.0
 *
 * bits.c -- copying and filling rows of bits. Whole words in the middle, masks at the ends.
 */
#include "core/bits.h"

#include <assert.h>
#include <string.h>

/* Phase of the rows of a region's buffer. Every s-th voxel is stored without gaps, so there global
 * positions say nothing. */
static int first_bit_of(const crn_region *r)
{
	int x = r->ndim - 1;
	return r->step[x] == 1 ? (int)(r->lo[x] & 63) : 0;
}

size_t crn_bits_bytes(const crn_region *r)
{
	assert(r->ndim >= 1);
	int x = r->ndim - 1;
	size_t bytes = (size_t)crn_bits_words(first_bit_of(r), r->n[x]) * 8;
	for (int d = 0; d < x; d++)
		bytes *= (size_t)r->n[d];
	return bytes;
}

size_t crn_bits_most_bytes(int ndim, const int64_t *n)
{
	size_t bytes = (size_t)crn_bits_words(63, n[ndim - 1]) * 8;
	for (int d = 0; d + 1 < ndim; d++)
		bytes *= (size_t)n[d];
	return bytes;
}

crn_view crn_bits_dense(void *data, const crn_region *r)
{
	assert(r->ndim >= 1);
	int x = r->ndim - 1;
	crn_view v = {.data = data,
		.dtype = CRN_BOOL,
		.ndim = r->ndim,
		.bits = true,
		.first_bit = (uint8_t)first_bit_of(r)};
	int64_t stride = crn_bits_words(v.first_bit, r->n[x]) * 8;
	v.shape[x] = r->n[x];
	v.stride[x] = 1;
	for (int d = x - 1; d >= 0; d--) {
		v.shape[d] = r->n[d];
		v.stride[d] = stride;
		stride *= r->n[d] > 0 ? r->n[d] : 1;
	}
	return v;
}

/* 64 elements from `first` on; reads the second word only where some of the n wanted are in it. */
static inline uint64_t load(const uint64_t *row, int64_t first, int64_t n)
{
	const uint64_t *p = row + first / 64;
	int64_t shift = first % 64;
	uint64_t v = *p >> shift;
	if (shift + n > 64)
		v |= p[1] << 1 << (63 - shift);
	return v;
}

void crn_bits_shift_row(const uint64_t *row, int first_bit, int64_t n, uint64_t *to)
{
	int64_t w = 0, whole = n > 0 ? (n - 1) / 64 : 0; /* words whose successor exists */
	if (first_bit == 0) {
		memcpy(to, row, (size_t)whole * 8);
		w = whole;
	}
	for (; w < whole; w++)
		to[w] = row[w] >> first_bit | row[w + 1] << 1 << (63 - first_bit);
	if (n > 0)
		to[w] = load(row, first_bit + w * 64, n - w * 64) & crn_bits_low(n - w * 64);
}

void crn_bits_copy_row(const uint64_t *from, int from_first, int64_t n, uint64_t *to, int to_first)
{
	/* Up to the first word boundary of `to`, then whole words of it, then the rest. */
	int64_t head = (64 - to_first) % 64;
	head = head < n ? head : n;
	if (head > 0) {
		uint64_t mask = crn_bits_low(head) << to_first;
		*to = (*to & ~mask) | (load(from, from_first, head) << to_first & mask);
	}
	int64_t at = from_first + head, words = (n - head) / 64;
	to += (to_first + head) / 64;
	crn_bits_shift_row(from + at / 64, (int)(at % 64), words * 64, to);
	int64_t rest = n - head - words * 64;
	if (rest > 0) {
		uint64_t mask = crn_bits_low(rest), v = load(from, at + words * 64, rest);
		to[words] = (to[words] & ~mask) | (v & mask);
	}
}

void crn_bits_fill_row(uint64_t *row, int first_bit, int64_t n, bool value)
{
	int64_t end = first_bit + n;
	for (int64_t at = first_bit; at < end; at = (at / 64 + 1) * 64) {
		int64_t stop = (at / 64 + 1) * 64 < end ? (at / 64 + 1) * 64 : end;
		uint64_t mask = crn_bits_low(stop - at) << at % 64;
		row[at / 64] = value ? row[at / 64] | mask : row[at / 64] & ~mask;
	}
}

static void set_bit(uint64_t *row, int64_t at, bool value)
{
	uint64_t mask = (uint64_t)1 << (at % 64);
	row[at / 64] = value ? row[at / 64] | mask : row[at / 64] & ~mask;
}

/* Element by element, for rows whose elements do not follow each other. */
static void copy_apart(uint64_t *to, const crn_view *dst, const uint64_t *from, const crn_view *src)
{
	int x = dst->ndim - 1;
	for (int64_t i = 0; i < dst->shape[x]; i++) {
		int64_t at = src->first_bit + i * src->stride[x];
		set_bit(to, dst->first_bit + i * dst->stride[x], crn_bits_get(from, 0, at));
	}
}

void crn_bits_copy(const crn_view *dst, const crn_view *src)
{
	assert(dst->bits && src->bits && dst->ndim == src->ndim);
	bool together = crn_view_rows_contiguous(dst) && crn_view_rows_contiguous(src);
	crn_rows rows;
	for (crn_rows_begin(&rows, dst->ndim, dst->shape); !rows.end; crn_rows_next(&rows)) {
		uint64_t *to = crn_rows_at(&rows, dst);
		const uint64_t *from = crn_rows_at(&rows, src);
		if (together)
			crn_bits_copy_row(from, src->first_bit, rows.n, to, dst->first_bit);
		else
			copy_apart(to, dst, from, src);
	}
}

void crn_bits_fill(const crn_view *dst, bool value)
{
	assert(dst->bits && crn_view_rows_contiguous(dst));
	crn_rows rows;
	for (crn_rows_begin(&rows, dst->ndim, dst->shape); !rows.end; crn_rows_next(&rows))
		crn_bits_fill_row(crn_rows_at(&rows, dst), dst->first_bit, rows.n, value);
}

/* Rows between bytes and bits whose elements do not follow each other on either side. */
static void convert_apart(char *to, const crn_view *dst, const char *from, const crn_view *src)
{
	int x = dst->ndim - 1;
	for (int64_t i = 0; i < dst->shape[x]; i++) {
		int64_t t = i * dst->stride[x], f = i * src->stride[x];
		bool value = src->bits ? crn_bits_get((const uint64_t *)from, 0, src->first_bit + f)
				       : from[f] != 0;
		if (dst->bits)
			set_bit((uint64_t *)to, dst->first_bit + t, value);
		else
			to[t] = value;
	}
}

void crn_mask_copy(const crn_bits_kernels *k, const crn_view *dst, const crn_view *src)
{
	assert(dst->dtype == CRN_BOOL && src->dtype == CRN_BOOL);
	if (dst->bits == src->bits) {
		crn_view_copy(dst, src);
		return;
	}
	bool together = crn_view_rows_contiguous(dst) && crn_view_rows_contiguous(src);
	crn_rows rows;
	for (crn_rows_begin(&rows, dst->ndim, dst->shape); !rows.end; crn_rows_next(&rows)) {
		void *to = crn_rows_at(&rows, dst);
		const void *from = crn_rows_at(&rows, src);
		if (!together)
			convert_apart(to, dst, from, src);
		else if (dst->bits)
			k->pack(from, rows.n, 0, to, dst->first_bit);
		else
			k->unpack(from, src->first_bit, rows.n, 0, to);
	}
}

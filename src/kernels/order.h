/* SPDX-License-Identifier: Apache-2.0
 *
 * order.h -- minimum, maximum, median and rank of neighbours, on integer keys.
 *
 * A key is an integer whose order is the order of the samples: unsigned ones biased to signed,
 * floats by their bits with the negative ones mirrored, NaN above everything. So four key types
 * serve all dtypes, and NaN and the two zeros have one fixed place in the order (-0 below +0).
 *
 *	dtype                 key (narrowest)
 *	bool uint8 int8       uint8
 *	uint16 int16          int16
 *	uint32 int32 float32  int32
 *	uint64 int64 float64  int64
 *
 * 8- and 16-bit dtypes can also be loaded into wider keys, so that the counts of a rank over a
 * large window fit their lanes. Rows: base + offset[t] bytes as in correlate.h.
 */
#ifndef CRN_KERNELS_ORDER_H
#define CRN_KERNELS_ORDER_H

#include "core/dtype.h"
#include "kernels/isa_name.h"

#include <stddef.h>

typedef enum crn_key { CRN_KEY_8, CRN_KEY_16, CRN_KEY_32, CRN_KEY_64, CRN_N_KEYS } crn_key;

typedef void (*crn_key_row_fn)(const void *from, int64_t n, void *to);
typedef void (*crn_tap_order_fn)(
	const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *out);

/** Rows of keys, low = least(a, b) and high = greatest(a, b); byte offsets. Outputs may lie on
 * inputs that start no earlier. */
typedef struct crn_exchange {
	int32_t a, b, low, high;
} crn_exchange;

/** Exchanges in order, then found = least over all pairs of greatest(pair[0], pair[1]). */
typedef struct crn_key_network {
	const crn_exchange *steps;
	const int32_t (*pairs)[2]; /* byte offsets */
	int n_steps, n_pairs;
	int32_t found;     /* byte offset of the row of answers, apart from all pairs */
	int32_t row_bytes; /* of every row, a multiple of 128 */
} crn_key_network;

typedef struct crn_order_kernels {
	/* Samples to keys and back; NULL where the key is narrower than the dtype. */
	crn_key_row_fn load[CRN_N_DTYPES][CRN_N_KEYS];
	crn_key_row_fn store[CRN_N_DTYPES][CRN_N_KEYS];
	/* out[i] = least (greatest) of a[i], b[i]; out apart from both. */
	void (*least)(crn_key k, const void *a, const void *b, int64_t n, void *out);
	void (*greatest)(crn_key k, const void *a, const void *b, int64_t n, void *out);
	/* Over taps. */
	crn_tap_order_fn min_taps[CRN_N_KEYS], max_taps[CRN_N_KEYS];
	crn_tap_order_fn median_9[CRN_N_KEYS], median_25[CRN_N_KEYS], median_27[CRN_N_KEYS];
	/* The key with `rank` smaller ones among the taps, ties counted apart. n_taps must be below
	 * the largest number of the key's size (255 for CRN_KEY_8). */
	void (*rank[CRN_N_KEYS])(const char *base, const ptrdiff_t *offset, int n_taps, int rank,
		int64_t n, void *out);
	void (*network[CRN_N_KEYS])(const crn_key_network *net, char *rows);
} crn_order_kernels;

CRN_ISA_TABLES(crn_order_kernels, crn_order_table);

/** Narrowest key of a dtype. */
static inline crn_key crn_key_of(crn_dtype t)
{
	size_t size = crn_dtype_size(t);
	return size == 1 ? CRN_KEY_8 : size == 2 ? CRN_KEY_16 : size == 4 ? CRN_KEY_32 : CRN_KEY_64;
}
static inline size_t crn_key_size(crn_key k)
{
	return (size_t)1 << k;
}

#endif

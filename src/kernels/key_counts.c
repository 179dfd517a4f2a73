/* SPDX-License-Identifier: Apache-2.0
 *
 * key_counts.c -- the counting loops of key_counts.h. Compiled once: no instruction set counts
 * faster than scattered additions do.
 */
#include "kernels/key_counts.h"

#include "kernels/row_stats.h"

/* Bits of the key: integers below 16 bits count as 16. */
#define KEY_BITS(type) (sizeof(type) < 2 ? 16 : 8 * (int)sizeof(type))

static inline uint32_t high_bits(int64_t key, int n_bits, bool turned)
{
	uint64_t top = turned ? (uint64_t)1 << (n_bits - 1) : 0;
	return (uint32_t)(((uint64_t)key ^ top) >> (n_bits - 16)) & 0xffff;
}

#define COUNT(ID, type, kind, table, i) \
	do { \
		type v = ((const type *)row)[i]; \
		bool turned = (kind) == 'i' || (kind) == 'f' || CRN_##ID == CRN_U64; \
		if (v == v) \
			table[high_bits(crn_key_of(CRN_##ID, &v), KEY_BITS(type), turned)]++; \
		else \
			n_nan++; \
	} while (0)

#define COUNT_ROW(ID, type, name, kind) \
	case CRN_##ID: \
		for (; i + 1 < n; i += 2) { \
			COUNT(ID, type, kind, even, i); \
			COUNT(ID, type, kind, odd, i + 1); \
		} \
		if (i < n) \
			COUNT(ID, type, kind, even, i); \
		break;

int64_t crn_count_keys(crn_dtype t, const void *row, int64_t n, crn_key_counts *to)
{
	uint64_t *even = to->even, *odd = to->odd;
	int64_t n_nan = 0, i = 0;
	switch (t) {
		CRN_DTYPES(COUNT_ROW)
	default:
		break;
	}
	return n_nan;
}

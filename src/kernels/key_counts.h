/* SPDX-License-Identifier: Apache-2.0
 *
 * key_counts.h -- how often each value occurs, by the highest 16 bits of its key.
 *
 * The key of a value is an unsigned number that sorts like it: that of row_stats.h with the top bit
 * turned where keys have a sign, NaN left out. Integers up to 16 bits are counted completely:
 * entry i counts the value i (unsigned, bool) or i - 32768 (signed).
 */
#ifndef CRN_KERNELS_KEY_COUNTS_H
#define CRN_KERNELS_KEY_COUNTS_H

#include "core/dtype.h"

#define CRN_KEY_COUNTS 65536

/** Two tables whose sum is the count: neighbours go to different ones, so that equal values do not
 * wait for each other. */
typedef struct crn_key_counts {
	uint64_t even[CRN_KEY_COUNTS], odd[CRN_KEY_COUNTS];
} crn_key_counts;

/** Adds n contiguous values; returns how many were NaN. */
int64_t crn_count_keys(crn_dtype t, const void *row, int64_t n, crn_key_counts *to);

#endif

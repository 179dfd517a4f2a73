/* SPDX-License-Identifier: Apache-2.0
 *
 * histogram_rank.h -- ranks of large boxes of 8-bit samples, from one histogram per column.
 *
 * A column is what a box holds at one x. Moving down a row changes two samples of every column and
 * plane; moving right adds one column's histogram and takes one away. Counts of 16 bins of 16
 * values tell which few of the 256 are needed at all. The cost hardly depends on the size of the
 * box. (Perreault and Hebert, "Median filtering in constant time", 2007.)
 */
#ifndef CRN_KERNELS_HISTOGRAM_RANK_H
#define CRN_KERNELS_HISTOGRAM_RANK_H

#include "kernels/isa_name.h"

#include <stdint.h>

/** Most samples of a box: counts are 16 bits wide, and signed. */
#define CRN_HISTOGRAM_MOST 32767

typedef struct crn_column_counts {
	int16_t coarse[16], fine[256];
} crn_column_counts;

/** What to find in which box. */
typedef struct crn_histogram_box {
	int width, rank;
	uint8_t flip; /* what XOR turns a sample into its place in the order */
} crn_histogram_box;

typedef struct crn_histogram_kernels {
	/* Sample i comes into (goes out of) column i. */
	void (*add)(const crn_histogram_box *box, const uint8_t *row, int64_t n,
		crn_column_counts *columns);
	void (*remove)(const crn_histogram_box *box, const uint8_t *row, int64_t n,
		crn_column_counts *columns);
	/* out[i] from columns i .. i + width - 1. */
	void (*find)(const crn_histogram_box *box, const crn_column_counts *columns, int64_t n,
		uint8_t *out);
} crn_histogram_kernels;

CRN_ISA_TABLES(crn_histogram_kernels, crn_histogram_table);

#endif

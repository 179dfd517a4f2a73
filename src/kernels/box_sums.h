/* SPDX-License-Identifier: Apache-2.0
 *
 * box_sums.h -- rows of sums and means of boxes: exact int32 for small integers, float64 for
 * floats.
 */
#ifndef CRN_KERNELS_BOX_SUMS_H
#define CRN_KERNELS_BOX_SUMS_H

#include "core/dtype.h"
#include "kernels/isa_name.h"

#include <stddef.h>
#include <stdint.h>

/** Widest box along one axis of integers: sums fit int32, and means are exact. */
#define CRN_BOX_SUM_WIDEST 8192

/** Loops of one dtype. Rows of sums hold int32 or float64; `out` is apart from all others. */
typedef struct crn_box_sum_loops {
	size_t sum_size; /* bytes of one sum; 0: the dtype has no loops */
	void (*load)(const void *from, int64_t n, void *sums);
	void (*add)(const void *a, const void *b, int64_t n, void *out);
	void (*accumulate)(void *sums, const void *b, int64_t n);
	/* Sums of `size` samples to means in the dtype, integers truncated towards zero. */
	void (*mean)(const void *sums, int64_t size, int64_t n, void *out);
} crn_box_sum_loops;

typedef struct crn_box_sum_kernels {
	crn_box_sum_loops of[CRN_N_DTYPES]; /* uint8 int8 uint16 int16 float32 float64 */
} crn_box_sum_kernels;

CRN_ISA_TABLES(crn_box_sum_kernels, crn_box_sum_table);

#endif

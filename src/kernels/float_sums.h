/* SPDX-License-Identifier: Apache-2.0
 *
 * float_sums.h -- exact sums of rows of floats at the speed of memory, into the accumulators of
 * exact_sum.h.
 *
 * The same numbers as crn_xsum_add(), which is the reference; only faster for long rows.
 */
#ifndef CRN_KERNELS_FLOAT_SUMS_H
#define CRN_KERNELS_FLOAT_SUMS_H

#include "kernels/exact_sum.h"
#include "kernels/isa_name.h"

typedef struct crn_float_sums {
	/* By crn_xsum: adds n contiguous values, or their squares, to one accumulator. */
	void (*add[CRN_N_XSUMS])(int64_t *acc, const void *values, int64_t n);
} crn_float_sums;

CRN_ISA_TABLES(crn_float_sums, crn_float_sums);

#endif

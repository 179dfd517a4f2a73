/* SPDX-License-Identifier: Apache-2.0
 *
 * cast_kernels.h -- conversion of rows between all dtypes, wrapping (astype) and saturating.
 *
 * cast[to][from]: integers wrap; a float becomes an integer by truncation. Outside the integer's
 * range, and for NaN, the result is what x86-64 gives and is the same on every machine:
 *   int64           -2^63
 *   int32           -2^31
 *   8 and 16 bits   the low bits of the int32 result (300.0 -> uint8 44, NaN -> 0)
 *   uint32          the low bits of the int64 result (-1.0 -> 4294967295, NaN -> 0)
 *   uint64          negative numbers wrap; NaN and numbers below -2^63 give 2^63; 2^64 and above 0
 * bool is "not zero", NaN included.
 * saturate[to][from]: floats round half to even, numbers outside the range become its ends, NaN
 * becomes 0. NULL for to = bool.
 * In-place (out == in[0]) is allowed when both items have one size. Pure functions.
 */
#ifndef CRN_KERNELS_CAST_KERNELS_H
#define CRN_KERNELS_CAST_KERNELS_H

#include "kernels/elementwise_kernels.h"

typedef struct crn_cast_kernels {
	crn_kernel_row cast[CRN_N_DTYPES][CRN_N_DTYPES];
	crn_kernel_row saturate[CRN_N_DTYPES][CRN_N_DTYPES];
} crn_cast_kernels;

CRN_ISA_TABLES(crn_cast_kernels, crn_casts);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_cast.h -- rows between any dtype and the floats a filter works in.
 *
 * round: nearest integer, ties to even, held at the ends of the range; NaN gives 0.
 * truncate: what scipy.ndimage's stores do on x86-64: towards zero through int64, then the low bits
 * (uint64 from 2^63 up keeps its value); out of int64's range and NaN give its lowest value.
 */
#ifndef CRN_KERNELS_SAMPLE_CAST_H
#define CRN_KERNELS_SAMPLE_CAST_H

#include "core/dtype.h"
#include "kernels/isa_name.h"

typedef void (*crn_sample_cast_fn)(const void *data, int64_t n, void *out, const void *const *in);

typedef struct crn_sample_cast_kernels {
	crn_sample_cast_fn widen[CRN_N_DTYPES][2]; /* to [0] float32, [1] float64 */
	crn_sample_cast_fn round[2][CRN_N_DTYPES]; /* from [0] float32, [1] float64 */
	crn_sample_cast_fn truncate[2][CRN_N_DTYPES];
	crn_sample_cast_fn nonzero[CRN_N_DTYPES]; /* to bool; NaN is not zero */
} crn_sample_cast_kernels;

CRN_ISA_TABLES(crn_sample_cast_kernels, crn_sample_cast_table);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * math_kernels.h -- sqrt, exp, log, powers and rounding of float rows, with our own functions.
 *
 * The C library's exp and log differ between versions and instruction sets; these are made of
 * additions, multiplications and divisions in a fixed order, so every machine gives the same bits.
 * float64 results are within 0.85 ulp of the exact value (power: 1.5 ulp); float32 results are the
 * float64 ones, rounded. Special values (NaN, infinities, zeros of both signs, subnormals) are
 * those of C99 Annex F, as in NumPy. Rows as in elementwise_kernels.h: same dtype in and out, in
 * place allowed.
 */
#ifndef CRN_KERNELS_MATH_KERNELS_H
#define CRN_KERNELS_MATH_KERNELS_H

#include "kernels/elementwise_kernels.h"

typedef enum crn_math {
	CRN_MATH_SQRT,
	CRN_MATH_EXP,
	CRN_MATH_LOG,
	CRN_MATH_POWER,        /* two inputs */
	CRN_MATH_FLOOR_DIVIDE, /* two inputs; Python's // and % */
	CRN_MATH_MOD,          /* two inputs */
	CRN_MATH_RINT,         /* half to even */
	CRN_MATH_FLOOR,
	CRN_MATH_CEIL,
	CRN_N_MATH,
} crn_math;

typedef struct crn_math_kernels {
	crn_kernel_row row[CRN_N_MATH][CRN_N_DTYPES]; /* NULL but for floats */
} crn_math_kernels;

CRN_ISA_TABLES(crn_math_kernels, crn_math);

#endif

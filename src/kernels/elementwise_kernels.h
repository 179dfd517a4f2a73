/* SPDX-License-Identifier: Apache-2.0
 *
 * elementwise_kernels.h -- inner loops of arithmetic, comparison and logic over contiguous rows.
 *
 * One table per instruction set: row[op][dtype of the inputs], NULL where the op is not defined for
 * the dtype. All inputs of a row have the same dtype (where: the first one is bool); comparisons
 * write bool. in[k] and out may be the same memory exactly, never partly overlapping; pointers are
 * aligned to the item only. Pure functions: no state, no allocation.
 */
#ifndef CRN_KERNELS_ELEMENTWISE_KERNELS_H
#define CRN_KERNELS_ELEMENTWISE_KERNELS_H

#include "core/dtype.h"
#include "kernels/isa_name.h"

/** n elements of every input to out; `data` is the op's own parameters or NULL. Same type as
 * crn_row_fn, which kernels cannot see. */
typedef void (*crn_kernel_row)(const void *data, int64_t n, void *out, const void *const *in);

typedef enum crn_ew {
	CRN_EW_ADD,
	CRN_EW_SUBTRACT,
	CRN_EW_MULTIPLY,
	CRN_EW_DIVIDE,       /* floats only */
	CRN_EW_FLOOR_DIVIDE, /* this and the next two: integers here, floats in math_kernels.h */
	CRN_EW_MOD,
	CRN_EW_POWER,
	CRN_EW_MINIMUM,
	CRN_EW_MAXIMUM,
	CRN_EW_EQUAL,
	CRN_EW_NOT_EQUAL,
	CRN_EW_LESS,
	CRN_EW_LESS_EQUAL,
	CRN_EW_GREATER,
	CRN_EW_GREATER_EQUAL,
	CRN_EW_AND, /* bool and integers */
	CRN_EW_OR,
	CRN_EW_XOR,
	CRN_EW_INVERT, /* bool: not */
	CRN_EW_NEGATIVE,
	CRN_EW_ABSOLUTE,
	CRN_EW_SQUARE,
	CRN_EW_ISNAN, /* floats only */
	CRN_EW_WHERE, /* in[0] bool, in[1] and in[2] of the dtype */
	CRN_N_EW,
} crn_ew;

typedef struct crn_elementwise_kernels {
	crn_kernel_row row[CRN_N_EW][CRN_N_DTYPES];
	/* one[k]: the same, to the bit, where in[k] points to a single value, not a row; NULL:
	 * none. */
	crn_kernel_row one[2][CRN_N_EW][CRN_N_DTYPES];
} crn_elementwise_kernels;

CRN_ISA_TABLES(crn_elementwise_kernels, crn_elementwise);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * checkkernel.h -- what the parts of checkkernel share: one row kernel in a box, checked and timed.
 */
#ifndef CRN_TESTS_CHECKKERNEL_H
#define CRN_TESTS_CHECKKERNEL_H

#include "core/isa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A kernel at all levels, called through `run` for n outputs from `in` to `out`. */
typedef struct crn_check_case {
	const char *name;
	size_t in_size, out_size; /* bytes of one item */
	int64_t fixed_n;          /* outputs a call makes, if it cannot make fewer; else 0 */
	bool floats;              /* fill the input with float numbers of in_size bytes */
	void (*run)(const void *ctx, crn_isa isa, const char *in, int64_t n, char *out);
	const void *ctx;
} crn_check_case;

/** Checks a kernel at every level against base; prints rates if asked. */
typedef void (*crn_check_fn)(const crn_check_case *c);

/** Bytes of input a kernel of filters may read from `in` on. */
enum { CRN_CHECK_INPUT = 1 << 19 };

/** The kernels of filters, one call of `check` each. */
void crn_check_filters(crn_check_fn check);

#endif

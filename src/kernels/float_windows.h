/* SPDX-License-Identifier: Apache-2.0
 *
 * float_windows.h -- float64 rows of grey morphology that is not flat.
 */
#ifndef CRN_KERNELS_FLOAT_WINDOWS_H
#define CRN_KERNELS_FLOAT_WINDOWS_H

#include "kernels/isa_name.h"

#include <stddef.h>
#include <stdint.h>

/** One row from taps and their heights; base + offset[t] as in correlate.h. */
typedef void (*crn_height_taps_fn)(const char *base, const ptrdiff_t *offset, const double *height,
	int n_taps, int64_t n, double *out);

typedef struct crn_float_window_kernels {
	crn_height_taps_fn least_minus;   /* least of row - height */
	crn_height_taps_fn greatest_plus; /* greatest of row + height */
} crn_float_window_kernels;

CRN_ISA_TABLES(crn_float_window_kernels, crn_float_window_table);

#endif

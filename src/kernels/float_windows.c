/* SPDX-License-Identifier: Apache-2.0
 *
 * float_windows.c -- see float_windows.h. Plain loops: both compilers vectorise them.
 */
#include "kernels/float_windows.h"

#define HEIGHT_TAPS(name, SIGN, BETTER) \
	static void name(const char *base, const ptrdiff_t *offset, const double *height, \
		int n_taps, int64_t n, double *restrict out) \
	{ \
		for (int t = 0; t < n_taps; t++) { \
			const double *a = (const double *)(base + offset[t]); \
			for (int64_t i = 0; i < n; i++) { \
				double v = a[i] SIGN height[t]; \
				out[i] = t == 0 || v BETTER out[i] ? v : out[i]; \
			} \
		} \
	}
HEIGHT_TAPS(least_minus, -, <)
HEIGHT_TAPS(greatest_plus, +, >)

const crn_float_window_kernels CRN_ISA_NAME(crn_float_window_table) = {
	.least_minus = least_minus,
	.greatest_plus = greatest_plus,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * float_windows.c -- see float_windows.h. Plain loops: both compilers vectorise them.
 * Means of NaNs come out as one NaN: which of two a sum keeps is up to the compiler.
 */
#include "kernels/float_windows.h"

static void widen(const float *from, int64_t n, double *restrict to)
{
	for (int64_t i = 0; i < n; i++)
		to[i] = (double)from[i];
}

static void add(const double *a, const double *b, int64_t n, double *restrict out)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = a[i] + b[i];
}

static void accumulate(double *restrict acc, const double *restrict b, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		acc[i] += b[i];
}

static void divide(const double *a, double by, int64_t n, double *restrict out)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = a[i] == a[i] ? a[i] / by : __builtin_nan("");
}

static void divide_f32(const double *a, double by, int64_t n, float *restrict out)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = a[i] == a[i] ? (float)(a[i] / by) : __builtin_nanf("");
}

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
	.widen = widen,
	.add = add,
	.accumulate = accumulate,
	.divide = divide,
	.divide_f32 = divide_f32,
	.least_minus = least_minus,
	.greatest_plus = greatest_plus,
};

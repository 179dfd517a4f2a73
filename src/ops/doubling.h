/* SPDX-License-Identifier: Apache-2.0
 *
 * doubling.h -- sums, minima or maxima over a window along one axis in log2(size) steps.
 *
 *	A1 = in;  A2[i] = A1[i] + A1[i + 1];  A4[i] = A2[i] + A2[i + 2];  ...
 *	sum of 11 from i = A1[i] + A2[i + 1] + A8[i + 3]      (size = 1 + 2 + 8)
 *	min of 11 from i = min(A8[i], A8[i + 3])	      (overlap does no harm)
 *
 * The tree of an output depends on nothing but the window, so float sums do not change with
 * chunks, unlike running sums, and their error grows with the logarithm of the size.
 */
#ifndef CRN_OPS_DOUBLING_H
#define CRN_OPS_DOUBLING_H

#include "ops/filter_window.h"

typedef struct crn_doubling {
	const crn_window *window; /* wider than 1 along `axis` only */
	int axis;
	size_t item_size; /* of the values worked on */
	const void *ctx;
	void (*load)(const void *ctx, const void *from, int64_t n, void *to);
	void (*combine)(const void *ctx, const void *a, const void *b, int64_t n, void *out);
	/* acc = acc combined with b; NULL where overlap does no harm (minimum, maximum). */
	void (*accumulate)(const void *ctx, void *acc, const void *b, int64_t n);
	void (*finish)(const void *ctx, const void *from, int64_t n, void *out);
} crn_doubling;

size_t crn_doubling_scratch(const crn_doubling *d, const crn_region *out);
void crn_doubling_run(const crn_doubling *d, const crn_call *call);

#endif

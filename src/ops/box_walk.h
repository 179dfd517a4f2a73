/* SPDX-License-Identifier: Apache-2.0
 *
 * box_walk.h -- sums, minima or maxima over a window of any size along one axis, at a cost that
 * hardly depends on the size.
 *
 * Along x, within a row, windows of 1, 2, 4, ... are combined from neighbours:
 *
 *	A1 = in;  A2[i] = A1[i] + A1[i + 1];  A4[i] = A2[i] + A2[i + 2];  ...
 *	sum of 11 from i = A1[i] + A2[i + 1] + A8[i + 3]      (size = 1 + 2 + 8)
 *	min of 11 from i = min(A8[i], A8[i + 3])              (overlap does no harm)
 *
 * Along other axes a window is the end of one block and the start of the next, where blocks are
 * `size` long and start at multiples of it in the array's coordinates (van Herk; Gil and Werman):
 *
 *	S[i] = in[i] + S[i + 1] within the block;  P[i] = P[i - 1] + in[i] within the next
 *	sum from i = S[i] + P[i + size - 1]
 *
 * So the order in which an output's samples are summed depends on nothing but its place and the
 * window: float sums do not change with chunks, unlike running sums, and do not drift.
 */
#ifndef CRN_OPS_BOX_WALK_H
#define CRN_OPS_BOX_WALK_H

#include "ops/filter_window.h"

typedef struct crn_box_walk {
	const crn_window *window; /* wider than 1 along `axis` only */
	int axis;
	size_t item_size; /* of the values worked on */
	const void *ctx;
	void (*load)(const void *ctx, const void *from, int64_t n, void *to);
	/* out is apart from a and b. */
	void (*combine)(const void *ctx, const void *a, const void *b, int64_t n, void *out);
	/* acc = acc combined with b; NULL where overlap does no harm (minimum, maximum). */
	void (*accumulate)(const void *ctx, void *acc, const void *b, int64_t n);
	void (*finish)(const void *ctx, const void *from, int64_t n, void *out);
} crn_box_walk;

size_t crn_box_walk_scratch(const crn_box_walk *w, const crn_region *out);
void crn_box_walk_run(const crn_box_walk *w, const crn_call *call);

#endif

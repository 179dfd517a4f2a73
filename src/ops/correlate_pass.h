/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate_pass.h -- building one 1-D pass of a separable filter.
 *
 * Each axis is a node of its own, in axis order: asking for one plane of the result then makes the
 * first pass produce one plane, and the others touch only that plane.
 */
#ifndef CRN_OPS_CORRELATE_PASS_H
#define CRN_OPS_CORRELATE_PASS_H

#include "core/op.h"

typedef struct crn_pass {
	int axis;
	const double *weights; /* correlation order: weights[k] meets in[i + k - n / 2 - origin] */
	int64_t n_weights;
	int64_t origin;
	const char *mode; /* canonical */
	double cval;
	bool wide; /* float64 sums of a float32 input (scipy's sums, stored as float32) */
} crn_pass;

/** Pass over a float array; the result has its dtype. `what` names the op in messages. */
CRN_CHECKED cairn_status crn_build_correlate_pass(crn_graph *g, crn_node *input,
	const crn_pass *pass, const char *what, crn_node **ret, cairn_error *err);

/**
 * scipy's pass on any dtype: float64 sums, stored to the input's dtype (integers truncated).
 *
 * float32 and float64 take one node, others three (widened, summed, stored).
 */
CRN_CHECKED cairn_status crn_build_scipy_pass(crn_graph *g, crn_node *input, const crn_pass *pass,
	const char *what, crn_node **ret, cairn_error *err);

#endif

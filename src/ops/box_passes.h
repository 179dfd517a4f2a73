/* SPDX-License-Identifier: Apache-2.0
 *
 * box_passes.h -- building one 1-D pass of a box filter: mean, minimum or maximum.
 */
#ifndef CRN_OPS_BOX_PASSES_H
#define CRN_OPS_BOX_PASSES_H

#include "core/op.h"

typedef struct crn_box_pass {
	int axis;
	int64_t size, origin;
	const char *mode; /* canonical */
	double cval;
} crn_box_pass;

/** True if crn_build_mean_pass takes the dtype (floats; 8- and 16-bit integers up to some size). */
bool crn_has_mean_pass(crn_dtype t, int64_t size);
/** Mean along one axis, stored in the input's dtype: float64 sums of floats, exact ones of
 * integers, truncated. Integers must be able to hold cval. */
CRN_CHECKED cairn_status crn_build_mean_pass(crn_graph *g, crn_node *input,
	const crn_box_pass *pass, const char *what, crn_node **ret, cairn_error *err);
/** Minimum (or maximum) along one axis; any dtype, which must be able to hold cval. */
CRN_CHECKED cairn_status crn_build_extreme_pass(crn_graph *g, crn_node *input,
	const crn_box_pass *pass, bool maximum, const char *what, crn_node **ret, cairn_error *err);

#endif

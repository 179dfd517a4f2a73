/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_pass.h -- building the node of a rank over a footprint, and what rank filters share.
 */
#ifndef CRN_OPS_RANK_PASS_H
#define CRN_OPS_RANK_PASS_H

#include "core/op.h"

/** Where a window of any shape lies, and what lies outside the array. */
typedef struct crn_footprint {
	const crn_const *shape; /* bool */
	int64_t origin[CRN_MAX_NDIM];
	const char *mode; /* canonical */
	double cval;
} crn_footprint;

/**
 * Rank over a footprint: the value with `rank` smaller ones (0: minimum, n - 1: maximum).
 *
 * Any dtype; a cval the dtype cannot hold is met by way of float64, as scipy does.
 */
CRN_CHECKED cairn_status crn_build_rank(crn_graph *g, crn_node *input, const crn_footprint *f,
	int64_t rank, const char *what, crn_node **ret, cairn_error *err);

/** Number of set voxels. */
int64_t crn_footprint_count(const crn_const *shape);

/** `input`, or its float64 form when its dtype cannot hold cval and the border needs it. */
CRN_CHECKED cairn_status crn_filter_hold_cval(crn_graph *g, crn_node *input, const char *mode,
	double cval, crn_node **ret, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * join_build.h -- builders that put arrays side by side, for ops that are made of such joins.
 */
#ifndef CRN_OPS_JOIN_BUILD_H
#define CRN_OPS_JOIN_BUILD_H

#include "core/op.h"

/** nodes joined along an axis (0 <= axis < ndim), promoted to a common dtype; any number >= 1: more
 * than CRN_MAX_INPUTS become a tree. USAGE if extents differ on another axis. */
CRN_CHECKED cairn_status crn_build_concatenate(crn_graph *g, crn_node *const *nodes, int n_nodes,
	int axis, crn_node **ret, cairn_error *err);

/** n continued periodically by before[d] and after[d] voxels (>= 0) on every axis: the array with
 * the border mode WRAP applied, made of slices and joins, so that a consumer needs no border there.
 * USAGE for an empty axis, or more than a thousand repeats. */
CRN_CHECKED cairn_status crn_build_wrap_pad(crn_graph *g, crn_node *n, const int64_t *before,
	const int64_t *after, crn_node **ret, cairn_error *err);

#endif

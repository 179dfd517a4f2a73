/* SPDX-License-Identifier: Apache-2.0
 *
 * binary_pass.h -- building one erosion or dilation of a mask.
 */
#ifndef CRN_OPS_BINARY_PASS_H
#define CRN_OPS_BINARY_PASS_H

#include "core/op.h"

/**
 * One erosion: out is set where all voxels under the structure are set; dilation: where any is.
 *
 * The structure's voxel s stands over in[p + s - size / 2 - origin]; dilation takes the structure
 * reversed, as scipy.ndimage does. Outside the array lies border_value.
 * @param mask       bool array
 * @param structure  bool, as many axes as the mask
 */
CRN_CHECKED cairn_status crn_build_erosion(crn_graph *g, crn_node *mask, const crn_const *structure,
	const int64_t *origin, bool border_value, crn_node **ret, cairn_error *err);
CRN_CHECKED cairn_status crn_build_dilation(crn_graph *g, crn_node *mask,
	const crn_const *structure, const int64_t *origin, bool border_value, crn_node **ret,
	cairn_error *err);

/** The constant reversed along every axis. */
CRN_CHECKED cairn_status crn_const_reversed(const crn_const *c, crn_const **ret, cairn_error *err);
/** What is not zero, as bool. */
CRN_CHECKED cairn_status crn_const_nonzero(const crn_const *c, crn_const **ret, cairn_error *err);
/** generate_binary_structure: voxels within `connectivity` steps of the centre of 3 x 3 x ... */
CRN_CHECKED cairn_status crn_const_cross(
	int ndim, int64_t connectivity, crn_const **ret, cairn_error *err);

#endif

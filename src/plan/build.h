/* SPDX-License-Identifier: Apache-2.0
 *
 * build.h -- the steps of building a plan, shared by plan.c, cuts.c and stages.c. Private to plan/.
 */
#ifndef CRN_PLAN_BUILD_H
#define CRN_PLAN_BUILD_H

#include "plan/tiling.h"

typedef struct crn_builder {
	crn_plan *plan;
	const crn_node *producing; /* the cut whose own piece is being built: no leaf of itself */
	bool tight;                /* smallest memory instead of best time */
	crn_tile_memo memo;
} crn_builder;

/** Leaves the graph forces: source chunks, residents, streamed reductions, globals (no tiles yet
 * for residents and globals). */
CRN_CHECKED cairn_status crn_build_leaves(crn_builder *b, cairn_error *err);
/** Optional cuts: results worth materialising. */
CRN_CHECKED cairn_status crn_build_cuts(crn_builder *b, cairn_error *err);
/** Stages in order, with pieces and tilings. */
CRN_CHECKED cairn_status crn_build_stages(crn_builder *b, cairn_error *err);

/** Piece under roots, with the plan's present leaves.
 *
 * @param root_bits  masks among the roots are wanted as bits: by the op that reads them, or in the
 *                   chunks of a cut
 */
CRN_CHECKED cairn_status crn_build_piece(crn_builder *b, crn_node *const *roots, int n_roots,
	bool root_bits, crn_piece *ret, cairn_error *err);

/** Region of in[0] that a region of a reduction's output folds. */
void crn_plan_reduced_region(const crn_node *n, const crn_region *out, crn_region *ret_in);

/** Bytes one task of a stage (top) or a cut may take when tiles are chosen. */
size_t crn_build_share(const crn_builder *b, bool top);

#endif

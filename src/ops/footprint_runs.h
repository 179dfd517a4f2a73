/* SPDX-License-Identifier: Apache-2.0
 *
 * footprint_runs.h -- a footprint as runs of set voxels along x, grouped by width.
 *
 * Disks and balls have few runs of few widths: the least of a window is then the least over all
 * runs of one width at every x, followed by the least over that width along x, for each width.
 */
#ifndef CRN_OPS_FOOTPRINT_RUNS_H
#define CRN_OPS_FOOTPRINT_RUNS_H

#include "core/value.h"

enum { CRN_WIDEST_RUN = 256, CRN_MOST_RUN_WIDTHS = 32 };

typedef struct crn_run_group {
	int width, n_runs;
} crn_run_group;

typedef struct crn_footprint_runs {
	int n_runs, n_groups; /* no groups: a run too wide, or too many widths */
	crn_run_group groups[CRN_MOST_RUN_WIDTHS]; /* ascending widths */
} crn_footprint_runs;

/** Counts the runs of a bool constant. */
crn_footprint_runs crn_footprint_runs_of(const crn_const *shape);
/** Positions of the runs' first voxels, n_runs x ndim, group by group. */
void crn_footprint_runs_place(
	const crn_footprint_runs *runs, const crn_const *shape, int32_t *ret_at);

#endif

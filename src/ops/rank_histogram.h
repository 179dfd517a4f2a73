/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_histogram.h -- a rank over large boxes of 8-bit samples, by histograms that slide along.
 */
#ifndef CRN_OPS_RANK_HISTOGRAM_H
#define CRN_OPS_RANK_HISTOGRAM_H

#include "kernels/histogram_rank.h"
#include "ops/filter_window.h"

typedef struct crn_rank_histogram {
	const crn_window *window;
	const crn_histogram_kernels *kernels;
	crn_histogram_box box;
} crn_rank_histogram;

/** True if the way pays for a box: it is large, and higher than one row. */
bool crn_rank_histogram_pays(const crn_window *w);
/** True if it can make the region: all voxels of x and of the axis before it. */
bool crn_rank_histogram_can(const crn_region *out);
size_t crn_rank_histogram_scratch(const crn_window *w, const crn_region *out);
void crn_rank_histogram_run(const crn_rank_histogram *h, const crn_call *call);

#endif

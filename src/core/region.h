/* SPDX-License-Identifier: Apache-2.0
 *
 * region.h -- a box with steps: which voxels of an array somebody asks for.
 *
 * Per axis: n indices lo, lo + step, ..., lo + (n-1)*step, in the coordinates of the array the
 * region belongs to. step >= 1 always (reversal lives in view nodes); n == 0 means empty; an axis
 * with n <= 1 has step 1 (normal form). A region that an op *needs* may stick out of its input's
 * domain: the engine clips it, then extends the border in the tile buffer.
 */
#ifndef CRN_CORE_REGION_H
#define CRN_CORE_REGION_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define CRN_MAX_NDIM 8

typedef struct crn_region {
	int ndim;
	int64_t lo[CRN_MAX_NDIM], n[CRN_MAX_NDIM], step[CRN_MAX_NDIM];
} crn_region;

/** Product of extents, false if it does not fit int64 (extents must be >= 0). */
bool crn_count(int ndim, const int64_t *shape, int64_t *ret);

crn_region crn_region_whole(int ndim, const int64_t *shape);
bool crn_region_empty(const crn_region *r);
/** Number of indices; the caller knows it fits (regions are parts of checked arrays). */
int64_t crn_region_count(const crn_region *r);
/** Last index on an axis (lo when empty). */
int64_t crn_region_last(const crn_region *r, int axis);
/** Drops indices outside [0, shape); keeps steps. */
crn_region crn_region_clip(const crn_region *r, const int64_t *shape);
bool crn_region_inside(const crn_region *r, const int64_t *shape);
/** True if every index of `part` is an index of `all` (steps and phases included). */
bool crn_region_contains(const crn_region *all, const crn_region *part);
/** Smallest region holding both; on an axis whose steps or phases differ it becomes dense. */
crn_region crn_region_hull(const crn_region *a, const crn_region *b);
/** Indices of r inside the dense range of `box` (its first to its last index); steps of r kept. */
crn_region crn_region_within(const crn_region *r, const crn_region *box);
bool crn_region_equal(const crn_region *a, const crn_region *b);
void crn_region_normalise(crn_region *r);

/** Grid helpers: number of units of size `unit` on an axis of `extent` (0 when extent is 0). */
static inline int64_t crn_n_units(int64_t extent, int64_t unit)
{
	return extent / unit + (extent % unit != 0);
}
/** Unit at grid index `idx`, clipped to the array. */
crn_region crn_unit_region(int ndim, const int64_t *shape, const int64_t *unit, const int64_t *idx);
/** Row-major linear index <-> grid index. */
void crn_unravel(int64_t linear, int ndim, const int64_t *grid, int64_t *ret_idx);
int64_t crn_ravel(const int64_t *idx, int ndim, const int64_t *grid);

/** "[0:20, 5, 3:400:2]" into `text`; returns `text`. */
#define CRN_REGION_TEXT 480
char *crn_region_format(const crn_region *r, char text[CRN_REGION_TEXT]);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * pencils.h -- the order in which a grid of tasks is walked: pencils, in closed form.
 *
 *	   ┌──┬──┬──┐
 *	 y │1 │2 │3 │   blocks of width x width tasks (y, x) are swept along one axis (z)
 *	 │ ├──┼──┼──┤
 *	 ▼ │4 │5 │6 │
 *	   └──┴──┴──┘
 *	     x ──>
 *
 * What neighbours along z share is used again at once, and what neighbours in the block share while
 * it is still there; only the borders between pencils are read again later.
 *
 * Axes that take no part are walked outside, in raster order. A grid of 10^8 tasks costs nothing:
 * positions and indices are turned into each other by divisions. Pure.
 */
#ifndef CRN_EXEC_PENCILS_H
#define CRN_EXEC_PENCILS_H

#include "core/view.h"

typedef struct crn_pencils {
	int ndim;
	int64_t grid[CRN_MAX_NDIM];
	int sweep;     /* axis; -1: plain raster order */
	int across[2]; /* axes cut into blocks; -1: none. Different from each other and sweep. */
	int64_t width[2];
} crn_pencils;

/** Plain raster order: position == index. */
void crn_pencils_raster(crn_pencils *o, int ndim, const int64_t *grid);
/** C-order index of the task at a position of the walk, and back. */
int64_t crn_pencils_index(const crn_pencils *o, int64_t position);
int64_t crn_pencils_position(const crn_pencils *o, const int64_t *idx);

#endif

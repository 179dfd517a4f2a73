/* SPDX-License-Identifier: Apache-2.0
 *
 * mask_shapes.h -- a structuring element taken apart, so that eroding bit rows by it shares work.
 *
 *	span    a run of voxels along x (start, length): one shifted AND of a row with itself makes
 *		"all voxels of this span are set" for every position of the row
 *	row     a span at a y of a plane: one AND
 *	shape   what one plane looks like; planes that look alike share it (dz and -dz of a ball)
 *
 * Shapes stand in an order in which, where it can be, each contains the one before: then only rows
 * that differ are added to the intersection made so far. A ball of radius 12 has 7153 voxels in 489
 * runs, but 13 spans, 13 shapes and 132 rows.
 *
 * Axes: the last is x, the one before y; the rest number the planes in C order.
 * Immutable after crn_mask_shapes_new().
 */
#ifndef CRN_OPS_MASK_SHAPES_H
#define CRN_OPS_MASK_SHAPES_H

#include "core/value.h"

typedef struct crn_mask_span {
	int64_t start, length;
} crn_mask_span;

typedef struct crn_mask_row {
	int64_t y;
	int span;
} crn_mask_row;

typedef struct crn_mask_shape {
	int first, n;              /* rows to intersect with what the shape before left */
	bool fresh;                /* does not contain the shape before: starts from all set */
	int first_plane, n_planes; /* the planes that look like this */
} crn_mask_shape;

typedef struct crn_mask_shapes {
	int n_spans, n_rows, n_shapes, n_planes;
	crn_mask_span *spans; /* by length, then start */
	crn_mask_row *rows;
	crn_mask_shape *shapes;
	int *planes; /* by shape, each with its own in order; planes without voxels are left out */
} crn_mask_shapes;

/** @param structure  bool, at least one axis */
CRN_CHECKED cairn_status crn_mask_shapes_new(
	const crn_const *structure, crn_mask_shapes **ret, cairn_error *err);
void crn_mask_shapes_free(crn_mask_shapes *s);

#endif

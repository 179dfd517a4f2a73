/* SPDX-License-Identifier: Apache-2.0
 *
 * border.h -- filling a consumer's buffer from the part of its input that exists.
 *
 * The one place where borders are made (clip-then-extend): `held` is what was computed inside the
 * domain; `need` may stick out. Pure function on the caller's memory.
 */
#ifndef CRN_EXEC_BORDER_H
#define CRN_EXEC_BORDER_H

#include "core/op.h"

/** dst: view of need->region's extents. src: view of region `held`, which contains
 * crn_need_read(need, shape); unused (may have NULL data) when that is empty. */
void crn_border_fill(const crn_view *dst, const crn_need *need, const crn_view *src,
	const crn_region *held, const int64_t *shape);

/**
 * Fills the border of a buffer in place.
 *
 * @param v     the buffer, of border->region; its rows are contiguous
 * @param held  the part of it that is there; the border's sources are inside
 * @param skip  axis on which nothing is filled (held and border->region agree); -1: none
 */
void crn_border_extend(const crn_view *v, const crn_need *border, const crn_region *held,
	const int64_t *shape, int skip);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * pencils.c -- see pencils.h. Edge blocks are narrower; everything before a block in its row of
 * blocks, and all rows before, are whole, which is why divisions suffice.
 */
#include "exec/pencils.h"

#include "core/region.h"

void crn_pencils_raster(crn_pencils *o, int ndim, const int64_t *grid)
{
	*o = (crn_pencils){.ndim = ndim, .sweep = -1, .across = {-1, -1}, .width = {1, 1}};
	for (int d = 0; d < ndim; d++)
		o->grid[d] = grid[d];
}

static int64_t extent(const crn_pencils *o, int axis)
{
	return axis < 0 ? 1 : o->grid[axis];
}

static bool is_outer(const crn_pencils *o, int d)
{
	return d != o->sweep && d != o->across[0] && d != o->across[1];
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void put(int64_t *idx, int axis, int64_t i)
{
	if (axis >= 0)
		idx[axis] = i;
}

int64_t crn_pencils_index(const crn_pencils *o, int64_t position)
{
	if (o->sweep < 0)
		return position;
	int64_t idx[CRN_MAX_NDIM];
	int64_t s = extent(o, o->sweep), a = extent(o, o->across[0]), b = extent(o, o->across[1]);
	int64_t outer = position / (s * a * b), left = position % (s * a * b);
	for (int d = o->ndim - 1; d >= 0; d--) {
		if (!is_outer(o, d))
			continue;
		idx[d] = outer % o->grid[d];
		outer /= o->grid[d];
	}
	int64_t row = left / (o->width[0] * s * b);
	left %= o->width[0] * s * b;
	int64_t high = least(o->width[0], a - row * o->width[0]);
	int64_t column = left / (o->width[1] * s * high);
	left %= o->width[1] * s * high;
	int64_t wide = least(o->width[1], b - column * o->width[1]);
	put(idx, o->sweep, left / (high * wide));
	left %= high * wide;
	put(idx, o->across[0], row * o->width[0] + left / wide);
	put(idx, o->across[1], column * o->width[1] + left % wide);
	return crn_ravel(idx, o->ndim, o->grid);
}

int64_t crn_pencils_position(const crn_pencils *o, const int64_t *idx)
{
	if (o->sweep < 0)
		return crn_ravel(idx, o->ndim, o->grid);
	int64_t s = extent(o, o->sweep), a = extent(o, o->across[0]), b = extent(o, o->across[1]);
	int64_t outer = 0;
	for (int d = 0; d < o->ndim; d++)
		if (is_outer(o, d))
			outer = outer * o->grid[d] + idx[d];
	int64_t i = o->across[0] < 0 ? 0 : idx[o->across[0]];
	int64_t j = o->across[1] < 0 ? 0 : idx[o->across[1]];
	int64_t row = i / o->width[0], column = j / o->width[1];
	int64_t high = least(o->width[0], a - row * o->width[0]);
	int64_t wide = least(o->width[1], b - column * o->width[1]);
	int64_t before = row * o->width[0] * s * b + column * o->width[1] * s * high;
	before += idx[o->sweep] * high * wide;
	before += (i - row * o->width[0]) * wide + (j - column * o->width[1]);
	return outer * (s * a * b) + before;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * region.c -- arithmetic on boxes with steps. Pure functions.
 */
#include "core/region.h"

#include <stdio.h>
#include <string.h>

bool crn_count(int ndim, const int64_t *shape, int64_t *ret)
{
	int64_t count = 1;
	bool zero = false, fits = true;
	for (int d = 0; d < ndim; d++) {
		if (shape[d] == 0)
			zero = true;
		else if (__builtin_mul_overflow(count, shape[d], &count))
			fits = false;
	}
	if (!zero && !fits)
		return false;
	*ret = zero ? 0 : count;
	return true;
}

void crn_region_normalise(crn_region *r)
{
	for (int d = 0; d < r->ndim; d++)
		if (r->n[d] <= 1)
			r->step[d] = 1;
}

crn_region crn_region_whole(int ndim, const int64_t *shape)
{
	crn_region r = {.ndim = ndim};
	for (int d = 0; d < ndim; d++) {
		r.n[d] = shape[d];
		r.step[d] = 1;
	}
	return r;
}

bool crn_region_empty(const crn_region *r)
{
	for (int d = 0; d < r->ndim; d++)
		if (r->n[d] <= 0)
			return true;
	return false;
}

int64_t crn_region_count(const crn_region *r)
{
	int64_t count = 1;
	for (int d = 0; d < r->ndim; d++)
		count *= r->n[d];
	return count;
}

int64_t crn_region_last(const crn_region *r, int axis)
{
	int64_t n = r->n[axis] > 0 ? r->n[axis] - 1 : 0;
	return r->lo[axis] + n * r->step[axis];
}

crn_region crn_region_clip(const crn_region *r, const int64_t *shape)
{
	crn_region c = *r;
	for (int d = 0; d < r->ndim; d++) {
		int64_t step = r->step[d], skip = 0;
		/* Most are inside; divisions are slow, and the planner asks millions of times. */
		if (c.lo[d] >= 0 && c.n[d] > 0 && c.lo[d] + (c.n[d] - 1) * step < shape[d])
			continue;
		if (c.lo[d] < 0)
			skip = (-c.lo[d] + step - 1) / step;
		if (skip > c.n[d])
			skip = c.n[d];
		c.lo[d] += skip * step;
		c.n[d] -= skip;
		int64_t room = c.lo[d] < shape[d] ? (shape[d] - 1 - c.lo[d]) / step + 1 : 0;
		if (c.n[d] > room)
			c.n[d] = room;
	}
	crn_region_normalise(&c);
	return c;
}

bool crn_region_inside(const crn_region *r, const int64_t *shape)
{
	for (int d = 0; d < r->ndim; d++)
		if (r->n[d] > 0 && (r->lo[d] < 0 || crn_region_last(r, d) >= shape[d]))
			return false;
	return true;
}

bool crn_region_contains(const crn_region *all, const crn_region *part)
{
	for (int d = 0; d < all->ndim; d++) {
		if (part->n[d] == 0)
			return true;
		if (part->lo[d] < all->lo[d] || crn_region_last(part, d) > crn_region_last(all, d))
			return false;
		if (all->step[d] == 1)
			continue;
		if ((part->lo[d] - all->lo[d]) % all->step[d] != 0)
			return false;
		if (part->n[d] > 1 && part->step[d] % all->step[d] != 0)
			return false;
	}
	return true;
}

crn_region crn_region_hull(const crn_region *a, const crn_region *b)
{
	if (crn_region_empty(a))
		return *b;
	if (crn_region_empty(b))
		return *a;
	crn_region h = {.ndim = a->ndim};
	for (int d = 0; d < a->ndim; d++) {
		int64_t last_a = crn_region_last(a, d), last_b = crn_region_last(b, d);
		int64_t lo = a->lo[d] < b->lo[d] ? a->lo[d] : b->lo[d];
		int64_t last = last_a > last_b ? last_a : last_b;
		int64_t step_a = a->n[d] > 1 ? a->step[d] : b->step[d];
		int64_t step_b = b->n[d] > 1 ? b->step[d] : a->step[d];
		int64_t step = 1;
		if (a->n[d] == 1 && b->n[d] == 1)
			step = last > lo ? last - lo : 1;
		else if (step_a == step_b && (a->lo[d] - b->lo[d]) % step_a == 0)
			step = step_a;
		h.lo[d] = lo;
		h.step[d] = step;
		h.n[d] = (last - lo) / step + 1;
	}
	crn_region_normalise(&h);
	return h;
}

crn_region crn_region_within(const crn_region *r, const crn_region *box)
{
	/* Clip in coordinates shifted to the box's corner. */
	crn_region c = *r;
	int64_t extent[CRN_MAX_NDIM] = {0};
	for (int d = 0; d < r->ndim; d++) {
		c.lo[d] -= box->lo[d];
		extent[d] = box->n[d] > 0 ? crn_region_last(box, d) - box->lo[d] + 1 : 0;
	}
	c = crn_region_clip(&c, extent);
	for (int d = 0; d < r->ndim; d++)
		c.lo[d] += box->lo[d];
	return c;
}

bool crn_region_equal(const crn_region *a, const crn_region *b)
{
	if (a->ndim != b->ndim)
		return false;
	for (int d = 0; d < a->ndim; d++)
		if (a->lo[d] != b->lo[d] || a->n[d] != b->n[d] || a->step[d] != b->step[d])
			return false;
	return true;
}

crn_region crn_unit_region(int ndim, const int64_t *shape, const int64_t *unit, const int64_t *idx)
{
	crn_region r = {.ndim = ndim};
	for (int d = 0; d < ndim; d++) {
		r.lo[d] = idx[d] * unit[d];
		r.n[d] = shape[d] - r.lo[d] < unit[d] ? shape[d] - r.lo[d] : unit[d];
		r.step[d] = 1;
	}
	return r;
}

void crn_unravel(int64_t linear, int ndim, const int64_t *grid, int64_t *ret_idx)
{
	for (int d = ndim - 1; d >= 0; d--) {
		ret_idx[d] = linear % grid[d];
		linear /= grid[d];
	}
}

int64_t crn_ravel(const int64_t *idx, int ndim, const int64_t *grid)
{
	int64_t linear = 0;
	for (int d = 0; d < ndim; d++)
		linear = linear * grid[d] + idx[d];
	return linear;
}

char *crn_region_format(const crn_region *r, char text[CRN_REGION_TEXT])
{
	size_t used = 0;
	text[used++] = '[';
	for (int d = 0; d < r->ndim; d++) {
		const char *comma = d ? ", " : "";
		size_t room = CRN_REGION_TEXT - used;
		long long lo = r->lo[d], end = crn_region_last(r, d) + (r->n[d] > 0);
		int k;
		if (r->n[d] == 1)
			k = snprintf(text + used, room, "%s%lld", comma, lo);
		else if (r->step[d] == 1)
			k = snprintf(text + used, room, "%s%lld:%lld", comma, lo, end);
		else
			k = snprintf(text + used, room, "%s%lld:%lld:%lld", comma, lo, end,
				(long long)r->step[d]);
		used += (size_t)k < room ? (size_t)k : room - 1;
	}
	snprintf(text + used, CRN_REGION_TEXT - used, "]");
	return text;
}

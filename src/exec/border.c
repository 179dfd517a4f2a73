/* SPDX-License-Identifier: Apache-2.0
 *
 * border.c -- border extension, row by row: indices of all axes but the last are mapped once per
 * row, the last axis is copied as one run with mapped ends.
 */
#include "exec/border.h"

#include "plan/need.h"

#include <string.h>

/* Position inside `held` that index i of an axis reads from, -1 for the constant. */
static int64_t held_position(const crn_need *need, const crn_region *held, const int64_t *shape,
	int axis, int64_t i)
{
	int64_t from = crn_border_index(i, shape[axis], need->border);
	return from < 0 ? -1 : (from - held->lo[axis]) / held->step[axis];
}

static void fill_elements(char *dst, int64_t stride, int64_t n, size_t size, crn_elem value)
{
	for (int64_t i = 0; i < n; i++)
		memcpy(dst + i * stride, value.bytes, size);
}

typedef struct row_copy {
	const crn_need *need;
	const crn_region *held;
	const int64_t *shape;
	const crn_view *dst, *src;
	int axis;	     /* last axis */
	int64_t inner0, inner1; /* elements [inner0, inner1) of the row lie inside the domain */
} row_copy;

static void copy_mapped(const row_copy *c, char *dst, const char *src, int64_t from, int64_t to)
{
	size_t size = crn_dtype_size(c->dst->dtype);
	int64_t lo = c->need->region.lo[c->axis], step = c->need->region.step[c->axis];
	for (int64_t i = from; i < to; i++) {
		int64_t at = held_position(c->need, c->held, c->shape, c->axis, lo + i * step);
		const void *value = at < 0 ? (const void *)c->need->cval.bytes
					   : src + at * c->src->stride[c->axis];
		memcpy(dst + i * c->dst->stride[c->axis], value, size);
	}
}

static void copy_row(const row_copy *c, char *dst, const char *src)
{
	size_t size = crn_dtype_size(c->dst->dtype);
	int64_t n = c->dst->shape[c->axis], ds = c->dst->stride[c->axis];
	copy_mapped(c, dst, src, 0, c->inner0);
	copy_mapped(c, dst, src, c->inner1, n);
	if (c->inner1 <= c->inner0)
		return;
	const crn_region *r = &c->need->region;
	int64_t lo = r->lo[c->axis] + c->inner0 * r->step[c->axis];
	int64_t at = (lo - c->held->lo[c->axis]) / c->held->step[c->axis];
	int64_t ss = c->src->stride[c->axis] * (r->step[c->axis] / c->held->step[c->axis]);
	const char *from = src + at * c->src->stride[c->axis];
	char *to = dst + c->inner0 * ds;
	int64_t count = c->inner1 - c->inner0;
	if (ds == (int64_t)size && ss == (int64_t)size) {
		memcpy(to, from, (size_t)count * size);
		return;
	}
	for (int64_t i = 0; i < count; i++)
		memcpy(to + i * ds, from + i * ss, size);
}

void crn_border_fill(const crn_view *dst, const crn_need *need, const crn_view *src,
	const crn_region *held, const int64_t *shape)
{
	const crn_region *r = &need->region;
	crn_region read = crn_need_read(need, shape);
	if (crn_region_empty(&read)) {
		crn_view_fill(dst, need->cval);
		return;
	}
	if (dst->ndim == 0) {
		crn_view_copy(dst, src);
		return;
	}
	int x = dst->ndim - 1;
	row_copy c = {.need = need, .held = held, .shape = shape, .dst = dst, .src = src, .axis = x};
	while (c.inner0 < r->n[x] && r->lo[x] + c.inner0 * r->step[x] < 0)
		c.inner0++;
	c.inner1 = r->n[x];
	while (c.inner1 > c.inner0 && r->lo[x] + (c.inner1 - 1) * r->step[x] >= shape[x])
		c.inner1--;
	crn_rows rows;
	for (crn_rows_begin(&rows, dst->ndim, dst->shape); !rows.end; crn_rows_next(&rows)) {
		const char *from = src->data;
		bool constant = false;
		for (int d = 0; d < x; d++) {
			int64_t i = r->lo[d] + rows.idx[d] * r->step[d];
			int64_t at = held_position(need, held, shape, d, i);
			constant = constant || at < 0;
			from += at * src->stride[d];
		}
		char *to = crn_rows_at(&rows, dst);
		if (constant)
			fill_elements(to, dst->stride[x], rows.n, crn_dtype_size(dst->dtype),
				need->cval);
		else
			copy_row(&c, to, from);
	}
}

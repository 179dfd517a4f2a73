/* SPDX-License-Identifier: Apache-2.0
 *
 * border.c -- border extension, row by row: indices of all axes but the last are mapped once per
 * row, the last axis is copied as one run with mapped ends.
 */
#include "exec/border.h"

#include "core/bits.h"
#include "plan/need.h"

#include <string.h>

/* Position inside `held` that index i of an axis reads from, -1 for the constant. */
static int64_t held_position(
	const crn_need *need, const crn_region *held, const int64_t *shape, int axis, int64_t i)
{
	int64_t from = crn_border_index(i, shape[axis], need->border);
	return from < 0 ? -1 : (from - held->lo[axis]) / held->step[axis];
}

static void fill_elements(char *dst, int64_t stride, int64_t n, size_t size, crn_elem value)
{
	for (int64_t i = 0; i < n; i++)
		memcpy(dst + i * stride, value.bytes, size);
}

/* Source positions of the row's ends, worked out once per call: most rows need the same few. */
#define MOST_MAPPED 1024

typedef struct row_copy {
	const crn_need *need;
	const crn_region *held;
	const int64_t *shape;
	const crn_view *dst, *src;
	int axis;               /* last axis */
	int64_t inner0, inner1; /* elements [inner0, inner1) of the row lie inside the domain */
	int64_t n_mapped;       /* entries of `mapped`; 0: too many, work them out one by one */
	int64_t mapped[MOST_MAPPED]; /* left end, then right end: position in the source row, or -1
				      */
} row_copy;

static int64_t end_position(const row_copy *c, int64_t i)
{
	const crn_region *r = &c->need->region;
	return held_position(
		c->need, c->held, c->shape, c->axis, r->lo[c->axis] + i * r->step[c->axis]);
}

static void map_ends(row_copy *c)
{
	int64_t n = c->dst->shape[c->axis], right = n - c->inner1;
	if (c->inner0 + right > MOST_MAPPED)
		return;
	for (int64_t i = 0; i < c->inner0; i++)
		c->mapped[i] = end_position(c, i);
	for (int64_t i = 0; i < right; i++)
		c->mapped[c->inner0 + i] = end_position(c, c->inner1 + i);
	c->n_mapped = c->inner0 + right;
}

static void copy_mapped(const row_copy *c, char *dst, const char *src, int64_t from, int64_t to)
{
	size_t size = crn_dtype_size(c->dst->dtype);
	int64_t ds = c->dst->stride[c->axis], ss = c->src->stride[c->axis];
	int64_t shift = from >= c->inner1 ? c->inner1 - c->inner0 : 0;
	for (int64_t i = from; i < to; i++) {
		int64_t at = c->n_mapped ? c->mapped[i - shift] : end_position(c, i);
		const void *value = at < 0 ? (const void *)c->need->cval.bytes : src + at * ss;
		switch (size) {
		case 1:
			memcpy(dst + i * ds, value, 1);
			break;
		case 4:
			memcpy(dst + i * ds, value, 4);
			break;
		default:
			memcpy(dst + i * ds, value, size);
			break;
		}
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

/* Masks as rows of bits only have constant borders. */
static void fill_bits(const crn_view *dst, const crn_need *need, const crn_view *src,
	const crn_region *held, const crn_region *read)
{
	crn_view from = crn_view_part(src, held, read);
	crn_view to = crn_view_part(dst, &need->region, read);
	if (!crn_region_equal(read, &need->region))
		crn_view_fill(dst, need->cval);
	crn_view_copy(&to, &from);
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
	if (dst->bits) {
		fill_bits(dst, need, src, held, &read);
		return;
	}
	int x = dst->ndim - 1;
	row_copy c;
	c.need = need;
	c.held = held;
	c.shape = shape;
	c.dst = dst;
	c.src = src;
	c.axis = x;
	c.inner0 = c.n_mapped = 0;
	while (c.inner0 < r->n[x] && r->lo[x] + c.inner0 * r->step[x] < 0)
		c.inner0++;
	c.inner1 = r->n[x];
	while (c.inner1 > c.inner0 && r->lo[x] + (c.inner1 - 1) * r->step[x] >= shape[x])
		c.inner1--;
	map_ends(&c);
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
			fill_elements(
				to, dst->stride[x], rows.n, crn_dtype_size(dst->dtype), need->cval);
		else
			copy_row(&c, to, from);
	}
}

/* ---- in place ---- */

/* Part of border->region on axis d where the index is `at`; before axis d only what is held, after
 * it everything: axes are filled from the last to the first. */
static crn_region border_slice(
	const crn_need *border, const crn_region *held, int d, int64_t at, int64_t n)
{
	crn_region r = border->region;
	for (int k = 0; k < d; k++) {
		r.lo[k] = held->lo[k];
		r.n[k] = held->n[k];
		r.step[k] = held->step[k];
	}
	r.lo[d] = at;
	r.n[d] = n;
	r.step[d] = 1;
	return r;
}

/* First index from `i` on that lies outside the domain. */
static int64_t outside_from(int64_t i, int64_t extent)
{
	return i >= 0 && i < extent ? extent : i;
}

static void extend_axis(
	const crn_view *v, const crn_need *border, const crn_region *held, int64_t extent, int d)
{
	const crn_region *room = &border->region;
	int64_t i = outside_from(room->lo[d], extent), last = crn_region_last(room, d);
	for (; i <= last; i = outside_from(i + 1, extent)) {
		crn_region to = border_slice(border, held, d, i, 1);
		crn_view dst = crn_view_part(v, room, &to);
		int64_t from = crn_border_index(i, extent, border->border);
		if (from < 0) {
			crn_view_fill(&dst, border->cval);
			continue;
		}
		to.lo[d] = from;
		crn_view src = crn_view_part(v, room, &to);
		crn_view_copy(&dst, &src);
	}
}

/* Elements of one row: to[k] from from[k], or the constant. */
typedef struct row_ends {
	int n;
	int64_t to[MOST_MAPPED],
		from[MOST_MAPPED]; /* bytes from the row's start; from -1: constant */
} row_ends;

#define COPY_ENDS(type) \
	for (int k = 0; k < e->n; k++) { \
		type value; \
		memcpy(&value, e->from[k] < 0 ? (const char *)cval->bytes : row + e->from[k], \
			sizeof(value)); \
		memcpy(row + e->to[k], &value, sizeof(value)); \
	}

static void copy_ends(const row_ends *e, char *row, size_t size, const crn_elem *cval)
{
	switch (size) {
	case 1:
		COPY_ENDS(uint8_t);
		break;
	case 2:
		COPY_ENDS(uint16_t);
		break;
	case 4:
		COPY_ENDS(uint32_t);
		break;
	default:
		COPY_ENDS(uint64_t);
		break;
	}
}

/* Rows of bits: a constant on the left and on the right of the domain. */
static void extend_bits(
	const crn_view *v, const crn_need *border, const crn_region *held, int64_t extent)
{
	const crn_region *room = &border->region;
	int x = v->ndim - 1;
	int64_t left = room->lo[x] < 0 ? -room->lo[x] : 0;
	int64_t right = crn_region_last(room, x) + 1 - extent;
	if (left == 0 && right <= 0)
		return;
	crn_region inside = border_slice(border, held, x, room->lo[x], room->n[x]);
	crn_view part = crn_view_part(v, room, &inside);
	bool value = border->cval.bytes[0] != 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, part.ndim, part.shape); !rows.end; crn_rows_next(&rows)) {
		uint64_t *row = crn_rows_at(&rows, &part);
		int64_t end = part.first_bit + rows.n - right;
		crn_bits_fill_row(row, part.first_bit, left < rows.n ? left : rows.n, value);
		if (right > 0)
			crn_bits_fill_row(row + end / 64, (int)(end % 64), right, value);
	}
}

/* The last axis row by row: each row is read once. False if its border is too wide for the list. */
static bool extend_rows(
	const crn_view *v, const crn_need *border, const crn_region *held, int64_t extent)
{
	const crn_region *room = &border->region;
	int x = v->ndim - 1;
	if (v->bits) {
		extend_bits(v, border, held, extent);
		return true;
	}
	int64_t i = outside_from(room->lo[x], extent), last = crn_region_last(room, x);
	int64_t size = (int64_t)crn_dtype_size(v->dtype);
	row_ends ends;
	ends.n = 0;
	for (; i <= last; i = outside_from(i + 1, extent)) {
		if (ends.n == MOST_MAPPED)
			return false;
		int64_t from = crn_border_index(i, extent, border->border);
		ends.to[ends.n] = (i - room->lo[x]) * size;
		ends.from[ends.n++] = from < 0 ? -1 : (from - room->lo[x]) * size;
	}
	if (ends.n == 0)
		return true;
	crn_region inside = border_slice(border, held, x, room->lo[x], room->n[x]);
	crn_view part = crn_view_part(v, room, &inside);
	crn_rows rows;
	for (crn_rows_begin(&rows, part.ndim, part.shape); !rows.end; crn_rows_next(&rows))
		copy_ends(&ends, crn_rows_at(&rows, &part), (size_t)size, &border->cval);
	return true;
}

void crn_border_extend(const crn_view *v, const crn_need *border, const crn_region *held,
	const int64_t *shape, int skip)
{
	for (int d = v->ndim - 1; d >= 0; d--) {
		if (d == skip)
			continue;
		if (d < v->ndim - 1 || !extend_rows(v, border, held, shape[d]))
			extend_axis(v, border, held, shape[d], d);
	}
}

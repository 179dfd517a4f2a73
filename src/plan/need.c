/* SPDX-License-Identifier: Apache-2.0
 *
 * need.c -- region arithmetic of nodes. See need.h.
 *
 * Invariant: crn_need_read() is inside the domain, and contains crn_border_index() of every index
 * of need->region on every axis (property-tested in need_test.c).
 */
#include "plan/need.h"

#include <string.h>

/* NumPy broadcasting: axes aligned from the right, extent 1 repeats. */
crn_region crn_broadcast_region(const crn_type *in, const crn_type *out, const crn_region *r)
{
	crn_region b = {.ndim = in->ndim};
	int shift = out->ndim - in->ndim;
	for (int k = 0; k < in->ndim; k++) {
		bool repeat = in->shape[k] == 1;
		b.lo[k] = repeat ? 0 : r->lo[k + shift];
		b.step[k] = repeat ? 1 : r->step[k + shift];
		b.n[k] = repeat && r->n[k + shift] > 0 ? 1 : r->n[k + shift];
	}
	return b;
}

crn_region crn_affine_region(const crn_affine *a, int ndim_in, const crn_region *out)
{
	crn_region in = {.ndim = ndim_in};
	bool empty = crn_region_empty(out);
	for (int k = 0; k < ndim_in; k++) {
		in.lo[k] = a->fixed[k];
		in.n[k] = empty ? 0 : 1;
		in.step[k] = 1;
	}
	for (int d = 0; d < out->ndim && !empty; d++) {
		int k = a->axis[d];
		if (k < 0)
			continue;
		int64_t first = a->start[d] + a->step[d] * out->lo[d];
		int64_t last = a->start[d] + a->step[d] * crn_region_last(out, d);
		int64_t stride = (a->step[d] < 0 ? -a->step[d] : a->step[d]) * out->step[d];
		in.lo[k] += first < last ? first : last;
		in.n[k] = a->step[d] == 0 ? 1 : out->n[d];
		in.step[k] = stride > 0 ? stride : 1;
	}
	crn_region_normalise(&in);
	return in;
}

void crn_need_of(const crn_node *n, int k, const crn_region *out, crn_need *ret)
{
	*ret = (crn_need){.border = CRN_BORDER_NONE};
	const crn_type *in = &n->in[k]->type;
	switch (n->op->kind) {
	case CRN_ELEMENTWISE:
		ret->region = crn_broadcast_region(in, &n->type, out);
		break;
	case CRN_VIEW: {
		crn_affine a;
		memset(&a, 0, sizeof(a));
		n->op->affine(n, &a);
		ret->region = crn_affine_region(&a, in->ndim, out);
		break;
	}
	default:
		if (n->op->need) {
			n->op->need(n, k, out, ret);
			break;
		}
		/* Global ops without need: compute() works from the state alone. */
		ret->region = (crn_region){.ndim = in->ndim};
		for (int d = 0; d < in->ndim; d++)
			ret->region.step[d] = 1;
		break;
	}
	ret->region.ndim = in->ndim;
	if (crn_region_empty(out))
		memset(ret->region.n, 0, sizeof(ret->region.n));
	crn_region_normalise(&ret->region);
}

int64_t crn_border_index(int64_t i, int64_t extent, crn_border border)
{
	if (i >= 0 && i < extent)
		return i;
	int64_t period, m;
	switch (border) {
	case CRN_BORDER_REFLECT:
		period = 2 * extent;
		m = ((i % period) + period) % period;
		return m < extent ? m : period - 1 - m;
	case CRN_BORDER_MIRROR:
		if (extent == 1)
			return 0;
		period = 2 * extent - 2;
		m = ((i % period) + period) % period;
		return m < extent ? m : period - m;
	case CRN_BORDER_NEAREST:
		return i < 0 ? 0 : extent - 1;
	case CRN_BORDER_WRAP:
		return ((i % extent) + extent) % extent;
	default:
		return -1;
	}
}

/* Extends [*lo, *last] on one axis to hold the sources of positions left of 0 (down to `first`) and
 * right of the end (up to `end`). */
static void add_sources(
	int64_t first, int64_t end, int64_t extent, crn_border border, int64_t *lo, int64_t *last)
{
	int64_t left = first < 0 ? -first : 0, right = end >= extent ? end - extent + 1 : 0;
	int64_t reach = border == CRN_BORDER_MIRROR ? 1 : 0;
	switch (border) {
	case CRN_BORDER_REFLECT:
	case CRN_BORDER_MIRROR:
		if (left > 0) {
			*lo = 0;
			int64_t to = left - 1 + reach;
			*last = *last > to ? *last : to;
		}
		if (right > 0) {
			*last = *last > extent - 1 ? *last : extent - 1;
			int64_t from = extent - right - reach;
			*lo = *lo < from ? *lo : from;
		}
		break;
	case CRN_BORDER_NEAREST:
		if (left > 0)
			*lo = 0;
		if (right > 0)
			*last = extent - 1;
		break;
	case CRN_BORDER_WRAP:
		if (left > 0 || right > 0) {
			*lo = 0;
			*last = extent - 1;
		}
		break;
	default:
		break;
	}
	*lo = *lo < 0 ? 0 : *lo;
	*last = *last > extent - 1 ? extent - 1 : *last;
}

crn_region crn_need_read(const crn_need *need, const int64_t *shape)
{
	if (crn_region_inside(&need->region, shape) && !crn_region_empty(&need->region))
		return need->region;
	crn_region read = crn_region_clip(&need->region, shape);
	if (crn_region_empty(&need->region))
		return read;
	if (need->border == CRN_BORDER_NONE || need->border == CRN_BORDER_CONSTANT)
		return read;
	for (int d = 0; d < read.ndim; d++) {
		int64_t first = need->region.lo[d], end = crn_region_last(&need->region, d);
		if (first >= 0 && end < shape[d])
			continue;
		/* Dense from here on: the sources rarely share the request's phase. An axis with no
		 * voxel inside starts from the nearest edge. */
		int64_t lo = read.n[d] > 0 ? read.lo[d] : first < 0 ? 0 : shape[d] - 1;
		int64_t last = read.n[d] > 0 ? crn_region_last(&read, d) : lo;
		add_sources(first, end, shape[d], need->border, &lo, &last);
		read.lo[d] = lo;
		read.n[d] = last - lo + 1;
		read.step[d] = 1;
	}
	return read;
}

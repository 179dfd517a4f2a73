/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_histogram.c -- see rank_histogram.h.
 *
 * Strips of x go down the axis before x, with one histogram per column of the box: the rows that
 * leave the box are taken out, the rows that enter are added, in every plane of the box.
 */
#include "ops/rank_histogram.h"

#include <string.h>

static int64_t voxels_of(const crn_window *w)
{
	int64_t n = 1;
	for (int d = 0; d < w->ndim; d++)
		n *= w->size[d];
	return n;
}

static int64_t planes_of(const crn_window *w)
{
	int x = w->ndim - 1;
	return voxels_of(w) / w->size[x] / w->size[x - 1];
}

bool crn_rank_histogram_pays(const crn_window *w)
{
	enum { LEAST = 256 };
	int64_t n = voxels_of(w);
	return w->ndim >= 2 && w->size[w->ndim - 2] > 1 && n >= LEAST && n <= CRN_HISTOGRAM_MOST;
}

bool crn_rank_histogram_can(const crn_region *out)
{
	for (int d = out->ndim - 2; d < out->ndim; d++)
		if (out->n[d] > 1 && out->step[d] != 1)
			return false;
	return true;
}

/* Outputs of a strip: its histograms stay in the second-level cache. */
static int64_t strip_of(const crn_window *w, const crn_region *out)
{
	enum { COLUMNS = 360, LEAST = 64 };
	int x = w->ndim - 1;
	int64_t fits = COLUMNS - w->size[x];
	fits = fits < LEAST ? LEAST : fits;
	return out->n[x] < fits ? out->n[x] : fits;
}

static size_t planes_bytes(const crn_window *w)
{
	return ((size_t)planes_of(w) * sizeof(ptrdiff_t) + 63) & ~(size_t)63;
}

size_t crn_rank_histogram_scratch(const crn_window *w, const crn_region *out)
{
	if (crn_region_empty(out))
		return 0;
	int64_t columns = strip_of(w, out) + w->size[w->ndim - 1] - 1;
	return planes_bytes(w) + (size_t)columns * sizeof(crn_column_counts);
}

/* One strip of n outputs of x, down all rows. */
typedef struct strip {
	const crn_rank_histogram *h;
	const ptrdiff_t *plane; /* bytes to each plane of the box */
	int64_t n_planes, n_rows, n;
	ptrdiff_t in_next, out_next;
	crn_column_counts *columns;
} strip;

static void run_strip(const strip *s, const uint8_t *from, uint8_t *to)
{
	const crn_histogram_kernels *k = s->h->kernels;
	const crn_histogram_box *box = &s->h->box;
	int64_t height = s->h->window->size[s->h->window->ndim - 2];
	int64_t n_columns = s->n + box->width - 1;
	memset(s->columns, 0, (size_t)n_columns * sizeof(*s->columns));
	for (int64_t p = 0; p < s->n_planes; p++)
		for (int64_t r = 0; r < height; r++)
			k->add(box, from + s->plane[p] + r * s->in_next, n_columns, s->columns);
	for (int64_t y = 0; y < s->n_rows; y++) {
		for (int64_t p = 0; y > 0 && p < s->n_planes; p++) {
			const uint8_t *gone = from + s->plane[p] + (y - 1) * s->in_next;
			k->remove(box, gone, n_columns, s->columns);
			k->add(box, gone + height * s->in_next, n_columns, s->columns);
		}
		k->find(box, s->columns, s->n, to + y * s->out_next);
	}
}

static void place_planes(const crn_window *w, const crn_view *in, ptrdiff_t *plane)
{
	for (int64_t p = 0; p < planes_of(w); p++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(p, w->ndim - 2, w->size, idx);
		plane[p] = 0;
		for (int d = 0; d < w->ndim - 2; d++)
			plane[p] += (ptrdiff_t)(idx[d] * in->stride[d]);
	}
}

void crn_rank_histogram_run(const crn_rank_histogram *h, const crn_call *call)
{
	const crn_window *w = h->window;
	const crn_region *out = &call->out_region;
	const crn_view *in = &call->in[0];
	int x = w->ndim - 1, y = x - 1;
	if (crn_region_empty(out))
		return;
	ptrdiff_t *plane = call->scratch;
	place_planes(w, in, plane);
	strip s = {.h = h,
		.plane = plane,
		.n_planes = planes_of(w),
		.n_rows = out->n[y],
		.in_next = (ptrdiff_t)in->stride[y],
		.out_next = (ptrdiff_t)call->out.stride[y],
		.columns = (crn_column_counts *)((char *)call->scratch + planes_bytes(w))};
	int64_t width = strip_of(w, out), shape[CRN_MAX_NDIM];
	memcpy(shape, out->n, sizeof(shape));
	shape[y] = 1;
	crn_rows rows;
	for (crn_rows_begin(&rows, out->ndim, shape); !rows.end; crn_rows_next(&rows)) {
		const uint8_t *from = in->data;
		uint8_t *to = crn_rows_at(&rows, &call->out);
		for (int d = 0; d < y; d++) {
			int64_t step = w->size[d] > 1 && out->n[d] > 1 ? out->step[d] : 1;
			from += rows.idx[d] * step * in->stride[d];
		}
		for (int64_t i = 0; i < rows.n; i += width) {
			s.n = rows.n - i < width ? rows.n - i : width;
			run_strip(&s, from + i, to + i);
		}
	}
}

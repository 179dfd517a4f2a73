/* SPDX-License-Identifier: Apache-2.0
 *
 * mask_shapes.c -- see mask_shapes.h. Runs are listed plane by plane, alike planes are found by
 * comparing their lists, and the lists are then put in order of their number of voxels.
 */
#include "ops/mask_shapes.h"

#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A run of one plane while the structure is taken apart. */
typedef struct run {
	int64_t y, start, length;
} run;

typedef struct plane {
	const run *runs;
	int64_t n_runs, n_voxels;
	int index; /* which plane of the structure */
	int shape; /* filled in by share() */
} plane;

static bool same_run(const run *a, const run *b)
{
	return a->y == b->y && a->start == b->start && a->length == b->length;
}

static bool same_plane(const plane *a, const plane *b)
{
	if (a->n_runs != b->n_runs || a->n_voxels != b->n_voxels)
		return false;
	for (int64_t i = 0; i < a->n_runs; i++)
		if (!same_run(&a->runs[i], &b->runs[i]))
			return false;
	return true;
}

/* Runs of a plane are in order of y and start, so one walk over both lists tells. */
static bool contains(const plane *all, const plane *part)
{
	int64_t i = 0;
	for (int64_t k = 0; k < part->n_runs; k++) {
		const run *p = &part->runs[k];
		while (i < all->n_runs &&
			(all->runs[i].y < p->y || (all->runs[i].y == p->y &&
							  all->runs[i].start + all->runs[i].length <
								  p->start + p->length)))
			i++;
		if (i == all->n_runs || all->runs[i].y != p->y || all->runs[i].start > p->start)
			return false;
	}
	return true;
}

static int64_t count_runs(const crn_const *s)
{
	const unsigned char *p = s->data;
	int64_t x = s->shape[s->ndim - 1], count = crn_const_count(s), n = 0;
	for (int64_t i = 0; i < count; i++)
		n += p[i] && (i % x == 0 || !p[i - 1]);
	return n;
}

static void list_planes(const crn_const *s, int64_t n_planes, run *runs, plane *planes)
{
	const unsigned char *p = s->data;
	int64_t nx = s->shape[s->ndim - 1], ny = s->ndim > 1 ? s->shape[s->ndim - 2] : 1;
	for (int64_t q = 0; q < n_planes; q++) {
		planes[q] = (plane){.runs = runs, .index = (int)q};
		for (int64_t y = 0; y < ny; y++, p += nx)
			for (int64_t x = 0; x < nx; x++) {
				if (!p[x])
					continue;
				if (x == 0 || !p[x - 1])
					*runs++ = (run){.y = y, .start = x};
				runs[-1].length++;
				planes[q].n_voxels++;
			}
		planes[q].n_runs = runs - planes[q].runs;
	}
}

static int by_voxels(const void *a, const void *b)
{
	const plane *p = a, *q = b;
	if (p->n_voxels != q->n_voxels)
		return p->n_voxels < q->n_voxels ? -1 : 1;
	return p->index < q->index ? -1 : p->index > q->index;
}

static int by_length(const void *a, const void *b)
{
	const crn_mask_span *p = a, *q = b;
	if (p->length != q->length)
		return p->length < q->length ? -1 : 1;
	return p->start < q->start ? -1 : p->start > q->start;
}

/* Every different span once, sorted. */
static void list_spans(crn_mask_shapes *s, const run *runs, int64_t n_runs)
{
	for (int64_t i = 0; i < n_runs; i++)
		s->spans[i] = (crn_mask_span){runs[i].start, runs[i].length};
	qsort(s->spans, (size_t)n_runs, sizeof(*s->spans), by_length);
	for (int64_t i = 0; i < n_runs; i++)
		if (i == 0 || by_length(&s->spans[i], &s->spans[s->n_spans - 1]) != 0)
			s->spans[s->n_spans++] = s->spans[i];
}

static int span_of(const crn_mask_shapes *s, const run *r)
{
	crn_mask_span key = {r->start, r->length};
	const crn_mask_span *found =
		bsearch(&key, s->spans, (size_t)s->n_spans, sizeof(*s->spans), by_length);
	return (int)(found - s->spans);
}

/* A new shape for plane p; `before` is the plane of the shape before, NULL for the first. */
static void add_shape(crn_mask_shapes *s, const plane *p, const plane *before)
{
	crn_mask_shape *shape = &s->shapes[s->n_shapes++];
	*shape = (crn_mask_shape){.first = s->n_rows, .fresh = !before || !contains(p, before)};
	int64_t k = 0;
	for (int64_t i = 0; i < p->n_runs; i++) {
		const run *r = &p->runs[i];
		if (!shape->fresh) {
			while (k < before->n_runs &&
				(before->runs[k].y < r->y ||
					(before->runs[k].y == r->y &&
						before->runs[k].start < r->start)))
				k++;
			if (k < before->n_runs && same_run(&before->runs[k], r))
				continue;
		}
		s->rows[s->n_rows++] = (crn_mask_row){.y = r->y, .span = span_of(s, r)};
		shape->n++;
	}
}

static int by_shape(const void *a, const void *b)
{
	const plane *p = a, *q = b;
	if (p->shape != q->shape)
		return p->shape < q->shape ? -1 : 1;
	return p->index < q->index ? -1 : p->index > q->index;
}

/* Finds planes that look alike: they have the same number of voxels, so they are near each other.
 * Shapes are made in order of that number. */
static void share(crn_mask_shapes *s, plane *planes, int n_planes)
{
	const plane *before = NULL;
	qsort(planes, (size_t)n_planes, sizeof(*planes), by_voxels);
	for (int q = 0; q < n_planes; q++) {
		plane *p = &planes[q];
		p->shape = -1;
		for (int k = q - 1; k >= 0 && planes[k].n_voxels == p->n_voxels; k--)
			if (same_plane(&planes[k], p))
				p->shape = planes[k].shape;
		if (p->shape < 0 && p->n_voxels > 0) {
			p->shape = s->n_shapes;
			add_shape(s, p, before);
			before = p;
		}
	}
	qsort(planes, (size_t)n_planes, sizeof(*planes), by_shape);
	for (int q = 0; q < n_planes; q++) {
		if (planes[q].shape < 0)
			continue;
		crn_mask_shape *shape = &s->shapes[planes[q].shape];
		if (shape->n_planes++ == 0)
			shape->first_plane = s->n_planes;
		s->planes[s->n_planes++] = planes[q].index;
	}
}

void crn_mask_shapes_free(crn_mask_shapes *s)
{
	if (!s)
		return;
	crn_free(s->spans);
	crn_free(s->rows);
	crn_free(s->shapes);
	crn_free(s->planes);
	crn_free(s);
}

cairn_status crn_mask_shapes_new(
	const crn_const *structure, crn_mask_shapes **ret, cairn_error *err)
{
	size_t n_runs = (size_t)count_runs(structure), n_planes = 1;
	for (int d = 0; d + 2 < structure->ndim; d++)
		n_planes *= (size_t)structure->shape[d];
	if (n_runs > INT_MAX || n_planes > INT_MAX)
		return crn_fail(err, CAIRN_USAGE, "a structuring element of %zu runs", n_runs);
	crn_mask_shapes *s = crn_calloc(1, sizeof(*s));
	run *runs = crn_calloc(n_runs + 1, sizeof(*runs));
	plane *planes = crn_calloc(n_planes + 1, sizeof(*planes));
	if (s) {
		s->spans = crn_calloc(n_runs + 1, sizeof(*s->spans));
		s->rows = crn_calloc(n_runs + 1, sizeof(*s->rows));
		s->shapes = crn_calloc(n_planes + 1, sizeof(*s->shapes));
		s->planes = crn_calloc(n_planes + 1, sizeof(*s->planes));
	}
	bool made = s && runs && planes && s->spans && s->rows && s->shapes && s->planes;
	if (made) {
		list_planes(structure, (int64_t)n_planes, runs, planes);
		list_spans(s, runs, (int64_t)n_runs);
		share(s, planes, (int)n_planes);
		*ret = s;
	} else {
		crn_mask_shapes_free(s);
	}
	crn_free(runs);
	crn_free(planes);
	return made ? CAIRN_OK
		    : crn_fail_memory(err, "the runs of a structuring element",
			      n_runs * sizeof(crn_mask_span));
}

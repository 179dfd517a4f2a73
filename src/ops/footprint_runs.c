/* SPDX-License-Identifier: Apache-2.0
 *
 * footprint_runs.c -- see footprint_runs.h.
 */
#include "ops/footprint_runs.h"

#include <string.h>

/* A place in a row of n voxels, and the run that ends there. */
typedef struct cursor {
	const unsigned char *row;
	int64_t n, at, first, width;
} cursor;

/* Moves behind the next run; false if there is none. */
static bool next_run(cursor *c)
{
	const unsigned char *from = c->row + c->at;
	const unsigned char *start = memchr(from, 1, (size_t)(c->n - c->at));
	if (!start)
		return false;
	c->first = start - c->row;
	const unsigned char *end = memchr(start, 0, (size_t)(c->n - c->first));
	c->at = end ? end - c->row : c->n;
	c->width = c->at - c->first;
	return true;
}

static cursor row_of(const crn_const *shape, int64_t row)
{
	int64_t n = shape->shape[shape->ndim - 1];
	return (cursor){.row = (const unsigned char *)shape->data + row * n, .n = n};
}

static int64_t rows_of(const crn_const *shape)
{
	return crn_const_count(shape) / shape->shape[shape->ndim - 1];
}

crn_footprint_runs crn_footprint_runs_of(const crn_const *shape)
{
	crn_footprint_runs r = {0}, none = {0};
	int n_of[CRN_WIDEST_RUN + 1] = {0};
	for (int64_t i = 0, n = rows_of(shape); i < n; i++)
		for (cursor c = row_of(shape, i); next_run(&c); n_of[c.width]++)
			if (c.width > CRN_WIDEST_RUN)
				return none;
	for (int w = 1; w <= CRN_WIDEST_RUN; w++) {
		if (n_of[w] == 0)
			continue;
		if (r.n_groups == CRN_MOST_RUN_WIDTHS)
			return none;
		r.groups[r.n_groups++] = (crn_run_group){w, n_of[w]};
		r.n_runs += n_of[w];
	}
	return r;
}

void crn_footprint_runs_place(
	const crn_footprint_runs *runs, const crn_const *shape, int32_t *ret_at)
{
	int next_of[CRN_WIDEST_RUN + 1], n = 0;
	for (int g = 0; g < runs->n_groups; g++) {
		next_of[runs->groups[g].width] = n;
		n += runs->groups[g].n_runs;
	}
	for (int64_t i = 0, n_rows = rows_of(shape); i < n_rows; i++)
		for (cursor c = row_of(shape, i); next_run(&c);) {
			int64_t idx[CRN_MAX_NDIM];
			crn_unravel(i * c.n + c.first, shape->ndim, shape->shape, idx);
			int32_t *to = ret_at + (ptrdiff_t)next_of[c.width]++ * shape->ndim;
			for (int d = 0; d < shape->ndim; d++)
				to[d] = (int32_t)idx[d];
		}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * components_links.c -- components: from a structure to links between rows.
 *
 * A fold need not look at every place where two rows touch. Let row a be linked to earlier rows
 * m and b, and m to b. Where a touches b next to a voxel of m that touches both, a and b are joined
 * through m. With 26 neighbours most links of a solid object go this way. With 6 it takes a square
 * of voxels: a over m, b over the row that lies to b as m to a. What is left out always leans on
 * links of earlier rows, or of this row and earlier in the list, so no two links count on each
 * other.
 */
#include "ops/components.h"

#include <string.h>

void crn_structure_fill(int ndim, int connectivity, bool *ret_structure)
{
	int64_t count = 1;
	for (int d = 0; d < ndim; d++)
		count *= 3;
	for (int64_t i = 0; i < count; i++) {
		int away = 0;
		int64_t rest = i;
		for (int d = 0; d < ndim; d++, rest /= 3)
			away += rest % 3 != 1;
		ret_structure[i] = away <= connectivity;
	}
}

static int64_t n_row_differences(int ndim)
{
	int64_t n = 1;
	for (int d = 0; d + 1 < ndim; d++)
		n *= 3;
	return n;
}

static void add_link(crn_components *c, const int8_t *row, crn_touch how)
{
	crn_link *l = &c->links[c->n_links++];
	memcpy(l->row, row, sizeof(l->row));
	l->how = how;
}

/* One link per row difference if all three x differences touch, else one for each that does. */
static void list_links(crn_components *c)
{
	int64_t n_rows = n_row_differences(c->ndim);
	const bool *middle = &c->spec.structure[3 * (n_rows / 2)];
	c->singles = !middle[0];
	for (int64_t r = 0; r < n_rows; r++) {
		const bool *x = &c->spec.structure[3 * r];
		int8_t row[CRN_MAX_NDIM] = {0};
		int64_t rest = r;
		for (int d = c->ndim - 2; d >= 0; d--, rest /= 3)
			row[d] = (int8_t)(rest % 3 - 1);
		if (r == n_rows / 2)
			continue;
		if (x[0] && x[1] && x[2] && !c->singles) {
			add_link(c, row, CRN_TOUCH_WIDE);
			continue;
		}
		for (int k = 0; k < 3; k++)
			if (x[k])
				add_link(c, row, (crn_touch)k);
	}
}

/* Number of axes along which rows differ; 0 unless the other row comes first. */
static int steps_back(const crn_components *c, const int8_t *row)
{
	int away = 0;
	for (int d = 0; d + 1 < c->ndim; d++) {
		if (away == 0 && row[d] > 0)
			return 0;
		away += row[d] != 0;
	}
	return away;
}

static bool has_link(const crn_components *c, const int8_t *row, crn_touch how)
{
	for (int l = 0; l < c->n_links; l++)
		if (c->links[l].how == how && memcmp(c->links[l].row, row, CRN_MAX_NDIM) == 0)
			return true;
	return false;
}

static int near_of(crn_components *c, const int8_t *row)
{
	for (int k = 0; k < c->n_near; k++)
		if (memcmp(c->near[k], row, CRN_MAX_NDIM) == 0)
			return k;
	memcpy(c->near[c->n_near], row, CRN_MAX_NDIM);
	return c->n_near++;
}

/* Up to two earlier links through which `f` is joined anyway. */
static void find_skips(crn_components *c, crn_fold_link *f)
{
	int n = 0;
	for (const crn_fold_link *m = c->fold_links; m < f && n < 2; m++) {
		int8_t apart[CRN_MAX_NDIM] = {0};
		for (int d = 0; d + 1 < c->ndim; d++)
			apart[d] = (int8_t)(c->near[f->near][d] - c->near[m->near][d]);
		if (m->how == CRN_TOUCH_WIDE && has_link(c, apart, CRN_TOUCH_WIDE))
			f->skip[n++] = m->near;
	}
}

/* An earlier link that makes a square with `f`. */
static void find_square(crn_components *c, crn_fold_link *f)
{
	for (const crn_fold_link *m = c->fold_links; m < f; m++) {
		int8_t corner[CRN_MAX_NDIM] = {0};
		bool near = true;
		for (int d = 0; d + 1 < c->ndim; d++) {
			corner[d] = (int8_t)(c->near[f->near][d] + c->near[m->near][d]);
			near = near && corner[d] >= -1 && corner[d] <= 1;
		}
		if (!near || m->how != CRN_TOUCH_SAME || steps_back(c, corner) == 0)
			continue;
		f->square[0] = m->near;
		f->square[1] = near_of(c, corner);
		return;
	}
}

/* Links to earlier rows, those along fewer axes first: they join most, and later ones can lean on
 * them. */
static void list_fold_links(crn_components *c)
{
	for (int away = 1; away < c->ndim; away++)
		for (int l = 0; l < c->n_links; l++) {
			if (steps_back(c, c->links[l].row) != away)
				continue;
			crn_fold_link *f = &c->fold_links[c->n_fold_links++];
			*f = (crn_fold_link){.near = near_of(c, c->links[l].row),
				.skip = {-1, -1},
				.square = {-1, -1},
				.how = c->links[l].how};
			if (c->ndim > 4 || c->singles) /* rare: not worth the search */
				continue;
			if (f->how == CRN_TOUCH_WIDE || f->how == CRN_TOUCH_SAME)
				find_skips(c, f);
			if (f->how == CRN_TOUCH_SAME && f->skip[0] < 0)
				find_square(c, f);
		}
}

cairn_status crn_components_make_links(crn_components *c, cairn_error *err)
{
	size_t n_rows = (size_t)n_row_differences(c->ndim);
	c->n_link_slots = 3 * n_rows;
	CRN_TRY(crn_charged_alloc(
		c->env, "links", c->n_link_slots, sizeof(*c->links), &c->links, err));
	CRN_TRY(crn_charged_alloc(
		c->env, "links", c->n_link_slots, sizeof(*c->fold_links), &c->fold_links, err));
	CRN_TRY(crn_charged_alloc(
		c->env, "links", c->n_link_slots, sizeof(*c->near), &c->near, err));
	list_links(c);
	list_fold_links(c);
	return CAIRN_OK;
}

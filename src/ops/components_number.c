/* SPDX-License-Identifier: Apache-2.0
 *
 * components_number.c -- components: from joined components to ids.
 *
 * While components are joined, `ids` holds parents (0: a root). Then each entry is replaced by the
 * object's id or flag, with the top bit set. Entries are visited in raster order of the components'
 * first voxels, so the first of an object's components to be visited is the one that numbers it;
 * who climbs towards a root stops at the first entry that is numbered.
 *
 * Raster order over tiles: first_new of every tile says how many components start in each row, so
 * components are taken row by row, and within a row tile by tile along x. Nothing is sorted.
 * Serial; reads the scratch file.
 */
#include "ops/components.h"

#include "base/mem.h"

#include <string.h>

#define NUMBERED ((uint32_t)1 << 31)

/* Entry of the root of component i, or of the first numbered component on the way there. */
static uint32_t climb(crn_paged_table *ids, uint32_t i, uint32_t *ret_entry)
{
	for (;;) {
		uint32_t v = crn_paged_get(ids, i);
		*ret_entry = v;
		if (v == 0 || (v & NUMBERED))
			return i;
		i = v - 1;
	}
}

/* Components [from, end) are next in raster order. */
static void number_next(crn_components *c, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++) {
		uint32_t entry, root = climb(&c->ids, i, &entry);
		if (entry == 0) {
			entry = NUMBERED | (uint32_t)++c->n_objects;
			crn_paged_set(&c->ids, root, entry);
		}
		if (root != i)
			crn_paged_set(&c->ids, i, entry);
	}
}

/* Rows of the tiles that share all but their x range, a few at a time. */
typedef struct row_batch {
	int64_t n_x;    /* tiles along x */
	int64_t most;   /* rows at a time */
	uint32_t *news; /* n_x times most + 1 */
} row_batch;

/* Rows [row, row + n) of the tiles from `tile` on along x. */
static cairn_status number_rows(crn_components *c, const row_batch *b, int64_t tile, int64_t row,
	int64_t n, cairn_error *err)
{
	crn_region box = crn_components_box(c, tile);
	uint64_t n_rows = (uint64_t)(crn_region_count(&box) / box.n[c->ndim - 1]);
	uint64_t skipped = (n_rows + 1 + (uint64_t)row) * sizeof(uint32_t);
	for (int64_t t = 0; t < b->n_x; t++) {
		const crn_tile_record *r = &c->tiles[tile + t];
		uint32_t *news = b->news + t * (b->most + 1);
		if (r->n_components == 0)
			memset(news, 0, (size_t)(n + 1) * sizeof(*news));
		else
			CRN_TRY(c->env->unspill(c->env->engine, r->rows_at + skipped, news,
				(size_t)(n + 1) * sizeof(*news), err));
		for (int64_t k = 0; k <= n; k++)
			if (news[k] > r->n_components || (k > 0 && news[k] < news[k - 1]))
				return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
	}
	for (int64_t k = 0; k < n; k++)
		for (int64_t t = 0; t < b->n_x; t++) {
			const uint32_t *news = b->news + t * (b->most + 1);
			uint32_t base = c->tiles[tile + t].base;
			number_next(c, base + news[k], base + news[k + 1]);
		}
	return CAIRN_OK;
}

/* All rows whose indices but the last are `at`: they cross the tiles along the last row axis. */
static cairn_status number_line(
	crn_components *c, const row_batch *b, const int64_t *at, cairn_error *err)
{
	int last = c->ndim - 2;
	int64_t idx[CRN_MAX_NDIM] = {0}, n_tiles = last >= 0 ? c->grid.n[last] : 1;
	for (int d = 0; d < last; d++)
		idx[d] = at[d] / c->grid.tile[d];
	for (int64_t t = 0; t < n_tiles; t++) {
		if (last >= 0)
			idx[last] = t;
		int64_t tile = crn_ravel(idx, c->ndim, c->grid.n), row = 0, n = 1;
		crn_region box = crn_components_box(c, tile);
		for (int d = 0; d < last; d++)
			row = row * box.n[d] + at[d] - box.lo[d];
		if (last >= 0) {
			n = box.n[last];
			row *= n;
		}
		for (int64_t k = 0; k < n; k += b->most)
			CRN_TRY(number_rows(
				c, b, tile, row + k, n - k < b->most ? n - k : b->most, err));
	}
	return CAIRN_OK;
}

static cairn_status number_lines(crn_components *c, const row_batch *b, cairn_error *err)
{
	int64_t at[CRN_MAX_NDIM] = {0};
	for (;;) {
		CRN_TRY(number_line(c, b, at, err));
		int d = c->ndim - 3;
		while (d >= 0 && ++at[d] == c->shape[d])
			at[d--] = 0;
		if (d < 0)
			return CAIRN_OK;
	}
}

static cairn_status number_objects(crn_components *c, cairn_error *err)
{
	enum { BATCH = 16384 };
	bool in_order = true; /* tiles follow each other along axis 0 only */
	for (int d = 1; d < c->ndim; d++)
		in_order = in_order && c->grid.n[d] == 1;
	if (in_order) {
		number_next(c, 0, (uint32_t)c->n_components);
	} else if (c->grid.n_tiles > 0) {
		row_batch b = {.n_x = c->grid.n[c->ndim - 1]};
		b.most = b.n_x < BATCH ? BATCH / b.n_x : 1;
		size_t n = (size_t)(b.n_x * (b.most + 1));
		CRN_TRY(crn_charged_alloc(
			c->env, "numbering components", n, sizeof(*b.news), &b.news, err));
		cairn_status status = number_lines(c, &b, err);
		crn_charged_free(c->env, &b.news, n, sizeof(*b.news));
		CRN_TRY(status);
	}
	if ((uint64_t)c->n_objects <= c->spec.max_id)
		return CAIRN_OK;
	cairn_status status = crn_fail(err, CAIRN_FAILED,
		"%lld objects do not fit the labels' dtype", (long long)c->n_objects);
	crn_hint(err, "give label() a wider dtype, for example dtype=\"int64\"");
	return status;
}

/* Sizes or flags of components gather at the roots. */
static cairn_status gather(crn_components *c, crn_paged_table *value, cairn_error *err)
{
	uint32_t extra[1024];
	for (int64_t t = 0; t < c->grid.n_tiles; t++) {
		const crn_tile_record *r = &c->tiles[t];
		for (uint32_t i = 0; i < r->n_components; i++) {
			uint32_t k = i % CRN_COUNT(extra), left = r->n_components - i;
			size_t n = left < CRN_COUNT(extra) ? left : CRN_COUNT(extra);
			if (k == 0)
				CRN_TRY(c->env->unspill(c->env->engine,
					r->extra_at + (uint64_t)i * sizeof(*extra), extra,
					n * sizeof(*extra), err));
			*crn_paged_wide(value, crn_find_root(&c->ids, r->base + i)) += extra[k];
		}
	}
	return CAIRN_OK;
}

/* 1 for components of chosen objects. Parents come before their children, so from the last
 * component down no entry is replaced before those that climb through it. */
static cairn_status choose_objects(crn_components *c, cairn_error *err)
{
	crn_paged_table value;
	uint64_t least = c->spec.objects == CRN_OBJECTS_LARGE ? c->spec.min_size : 1;
	CRN_TRY(crn_paged_new(&value, c->env, "sizes of components", (size_t)c->n_components,
		sizeof(uint64_t), err));
	cairn_status status = gather(c, &value, err);
	for (uint32_t i = (uint32_t)c->n_components; status == CAIRN_OK && i-- > 0;) {
		uint64_t v = *crn_paged_wide(&value, crn_find_root(&c->ids, i));
		crn_paged_set(&c->ids, i, NUMBERED | (v >= least));
	}
	if (status == CAIRN_OK)
		status = crn_paged_freeze(&value, err);
	crn_paged_done(&value);
	return status;
}

cairn_status crn_components_pass_end(void *state, int pass, cairn_error *err)
{
	crn_components *c = state;
	(void)pass;
	for (int64_t t = 0; t < c->grid.n_tiles; t++) {
		c->tiles[t].base = (uint32_t)c->n_components;
		c->n_components += c->tiles[t].n_components;
		if (c->n_components >= NUMBERED)
			return crn_fail(err, CAIRN_FAILED,
				"more than 2^31 pieces of objects; label a part of the array");
	}
	CRN_TRY(crn_paged_new(
		&c->ids, c->env, "components", (size_t)c->n_components, sizeof(uint32_t), err));
	CRN_TRY(crn_components_join(c, err));
	if (c->spec.objects == CRN_OBJECTS_NUMBER)
		CRN_TRY(number_objects(c, err));
	else
		CRN_TRY(choose_objects(c, err));
	return crn_paged_freeze(&c->ids, err);
}

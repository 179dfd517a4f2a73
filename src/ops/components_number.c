/* SPDX-License-Identifier: Apache-2.0
 *
 * components_number.c -- components: from joined components to ids, and painting them.
 *
 * Objects are numbered slab by slab of tiles along axis 0: all keys of a slab come before those of
 * the next, so only one slab's roots are sorted at a time.
 */
#include "ops/components.h"

#include "base/mem.h"

#include <string.h>

/* Sorts keys by value with a copy of the same length: 8 passes of one byte, skipping those in which
 * all keys agree. */
static void sort_roots(int64_t *keys, uint32_t *roots, int64_t *keys2, uint32_t *roots2, int64_t n)
{
	int64_t *k[2] = {keys, keys2};
	uint32_t *r[2] = {roots, roots2};
	int at = 0;
	for (int shift = 0; shift < 64; shift += 8) {
		int64_t start[257] = {0};
		for (int64_t i = 0; i < n; i++)
			start[((k[at][i] >> shift) & 255) + 1]++;
		int64_t most = 0;
		for (int b = 0; b < 256; b++) {
			most = start[b + 1] > most ? start[b + 1] : most;
			start[b + 1] += start[b];
		}
		if (most == n)
			continue;
		for (int64_t i = 0; i < n; i++) {
			int64_t to = start[(k[at][i] >> shift) & 255]++;
			k[!at][to] = k[at][i];
			r[!at][to] = r[at][i];
		}
		at = !at;
	}
	if (at == 1 && n > 0) {
		memcpy(keys, keys2, (size_t)n * sizeof(*keys));
		memcpy(roots, roots2, (size_t)n * sizeof(*roots));
	}
}

/* Ids for roots among components [from, end); others are left for later. */
static cairn_status number_slab(crn_components *c, const int64_t *keys, uint32_t *id,
	const uint32_t range[2], cairn_error *err)
{
	size_t n = 0;
	for (uint32_t i = range[0]; i < range[1]; i++)
		n += c->ids[i] == i;
	int64_t *k = NULL, *k2 = NULL;
	uint32_t *r = NULL, *r2 = NULL;
	cairn_status status = crn_components_alloc(c, n, sizeof(*k), &k, err);
	if (status == CAIRN_OK)
		status = crn_components_alloc(c, n, sizeof(*k), &k2, err);
	if (status == CAIRN_OK)
		status = crn_components_alloc(c, n, sizeof(*r), &r, err);
	if (status == CAIRN_OK)
		status = crn_components_alloc(c, n, sizeof(*r), &r2, err);
	if (status == CAIRN_OK) {
		size_t at = 0;
		for (uint32_t i = range[0]; i < range[1]; i++) {
			if (c->ids[i] != i)
				continue;
			k[at] = keys[i];
			r[at++] = i;
		}
		sort_roots(k, r, k2, r2, (int64_t)n);
		for (at = 0; at < n; at++)
			id[r[at]] = (uint32_t)++c->n_objects;
	}
	crn_components_drop(c, &k, n, sizeof(*k));
	crn_components_drop(c, &k2, n, sizeof(*k));
	crn_components_drop(c, &r, n, sizeof(*r));
	crn_components_drop(c, &r2, n, sizeof(*r));
	return status;
}

static cairn_status number_objects(
	crn_components *c, const int64_t *keys, uint32_t *id, cairn_error *err)
{
	int64_t per_slab = c->grid.n[0] > 0 ? c->grid.n_tiles / c->grid.n[0] : 0;
	for (int64_t tile = 0; tile < c->grid.n_tiles; tile += per_slab) {
		int64_t next = tile + per_slab;
		uint32_t end =
			next < c->grid.n_tiles ? c->tiles[next].base : (uint32_t)c->n_components;
		uint32_t range[2] = {c->tiles[tile].base, end};
		CRN_TRY(number_slab(c, keys, id, range, err));
	}
	if ((uint64_t)c->n_objects > c->spec.max_id) {
		cairn_status status = crn_fail(err, CAIRN_FAILED,
			"%lld objects do not fit the labels' dtype", (long long)c->n_objects);
		crn_hint(err, "give label() a wider dtype, for example dtype=\"int64\"");
		return status;
	}
	for (int64_t i = 0; i < c->n_components; i++)
		id[i] = id[crn_find_root(c->ids, (uint32_t)i)];
	return CAIRN_OK;
}

/* 1 for components of chosen objects. Sums or flags gather at the roots first. */
static cairn_status choose_objects(crn_components *c, uint32_t *id, cairn_error *err)
{
	uint64_t *value = NULL;
	bool sizes = c->spec.objects == CRN_OBJECTS_LARGE;
	size_t n = (size_t)c->n_components;
	CRN_TRY(crn_components_alloc(c, n, sizeof(*value), &value, err));
	for (int64_t t = 0; t < c->grid.n_tiles; t++) {
		crn_tile_record *tile = &c->tiles[t];
		for (int64_t i = 0; i < tile->n_components; i++) {
			uint32_t root = crn_find_root(c->ids, tile->base + (uint32_t)i);
			value[root] += sizes ? tile->sizes[i] : tile->at_border[i];
		}
		crn_components_drop(c, &tile->sizes, (size_t)tile->n_components, sizeof(uint64_t));
		crn_components_drop(c, &tile->at_border, (size_t)tile->n_components, 1);
	}
	uint64_t least = sizes ? c->spec.min_size : 1;
	for (size_t i = 0; i < n; i++)
		id[i] = value[crn_find_root(c->ids, (uint32_t)i)] >= least;
	crn_components_drop(c, &value, n, sizeof(*value));
	return CAIRN_OK;
}

static cairn_status join_and_number(
	crn_components *c, int64_t *keys, uint32_t *id, cairn_error *err)
{
	for (int64_t t = 0; t < c->grid.n_tiles; t++) {
		crn_tile_record *tile = &c->tiles[t];
		if (tile->n_components > 0)
			memcpy(keys + tile->base, tile->keys,
				(size_t)tile->n_components * sizeof(*keys));
		crn_components_drop(c, &tile->keys, (size_t)tile->n_components, sizeof(int64_t));
	}
	for (int64_t i = 0; i < c->n_components; i++)
		c->ids[i] = (uint32_t)i;
	CRN_TRY(crn_components_join(c, keys, err));
	return c->spec.objects == CRN_OBJECTS_NUMBER ? number_objects(c, keys, id, err)
						     : choose_objects(c, id, err);
}

cairn_status crn_components_pass_end(void *state, int pass, cairn_error *err)
{
	crn_components *c = state;
	for (int64_t t = 0; t < c->grid.n_tiles; t++) {
		c->tiles[t].base = (uint32_t)c->n_components;
		c->n_components += c->tiles[t].n_components;
		if (c->n_components >= UINT32_MAX)
			return crn_fail(err, CAIRN_FAILED,
				"more than 2^32 pieces of objects; label a part of the array");
	}
	size_t n = (size_t)c->n_components;
	int64_t *keys = NULL;
	uint32_t *id = NULL;
	CRN_TRY(crn_components_alloc(c, n, sizeof(*c->ids), &c->ids, err));
	cairn_status status = crn_components_alloc(c, n, sizeof(*keys), &keys, err);
	if (status == CAIRN_OK)
		status = crn_components_alloc(c, n, sizeof(*id), &id, err);
	if (status == CAIRN_OK)
		status = join_and_number(c, keys, id, err);
	crn_components_drop(c, &keys, n, sizeof(*keys));
	if (status == CAIRN_OK) {
		uint32_t *parents = c->ids;
		c->ids = id;
		id = parents;
	}
	crn_components_drop(c, &id, n, sizeof(*id));
	return status;
}

/* ---- painting ---- */

void crn_components_need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	*ret = (crn_need){.region = {.ndim = n->in[input]->type.ndim}};
	for (int d = 0; d < ret->region.ndim; d++)
		ret->region.step[d] = 1;
}

size_t crn_components_scratch(const crn_node *n, const crn_region *out)
{
	return CRN_RUN_READER_BYTES;
}

/* Where a row of a tile lies in the output: NULL if it is not asked for. */
static char *output_row(const crn_call *call, const crn_region *box, int64_t row)
{
	const crn_region *r = &call->out_region;
	char *p = call->out.data;
	for (int d = r->ndim - 2; d >= 0; d--) {
		int64_t at = box->lo[d] + row % box->n[d] - r->lo[d];
		row /= box->n[d];
		if (at < 0 || at % r->step[d] != 0 || at / r->step[d] >= r->n[d])
			return NULL;
		p += at / r->step[d] * call->out.stride[d];
	}
	return p;
}

/* Sets output indices of global x in [start, end) to e. */
static inline void paint_run(
	const crn_region *r, char *row, int64_t start, int64_t end, crn_elem e, size_t size)
{
	int x = r->ndim - 1;
	int64_t step = r->step[x], from = start - r->lo[x], to = end - r->lo[x];
	from = from <= 0 ? 0 : step == 1 ? from : (from + step - 1) / step;
	to = to <= 0 ? 0 : step == 1 ? to : (to + step - 1) / step;
	to = to > r->n[x] ? r->n[x] : to;
	if (from >= to)
		return;
	switch (size) {
	case 1:
		memset(row + from, e.bytes[0], (size_t)(to - from));
		break;
#define PAINT(n_bytes, type) \
	case n_bytes: { \
		type value; \
		memcpy(&value, e.bytes, sizeof(value)); \
		for (int64_t i = from; i < to; i++) \
			((type *)row)[i] = value; \
		break; \
	}
		PAINT(2, uint16_t)
		PAINT(4, uint32_t)
		PAINT(8, uint64_t)
	}
}

/* First and last row of the tile that the region can ask for; false if none. */
static bool wanted_rows(const crn_region *r, const crn_region *box, int64_t *first, int64_t *last)
{
	*first = *last = 0;
	for (int d = 0; d < r->ndim; d++) {
		int64_t lo = r->lo[d] > box->lo[d] ? r->lo[d] : box->lo[d];
		int64_t hi = crn_region_last(r, d), end = box->lo[d] + box->n[d] - 1;
		hi = hi < end ? hi : end;
		if (lo > hi)
			return false;
		if (d + 1 < r->ndim) {
			*first = *first * box->n[d] + lo - box->lo[d];
			*last = *last * box->n[d] + hi - box->lo[d];
		}
	}
	return true;
}

typedef struct painter {
	const crn_components *c;
	const crn_call *call;
	crn_elem mark;
	size_t size;
} painter;

static cairn_status paint_segment(const painter *p, const crn_tile_record *t, int s,
	const crn_region *box, int64_t last, cairn_error *err)
{
	const crn_components *c = p->c;
	crn_run_reader in;
	crn_run_reader_open(&in, c->env, &t->runs.of[s], p->call->scratch);
	int64_t row = t->runs.of[s].first_row, n_runs, left = box->lo[c->ndim - 1];
	int64_t n_rows = crn_region_count(box) / box->n[c->ndim - 1];
	int64_t end = s + 1 < t->runs.n ? t->runs.of[s + 1].first_row : n_rows;
	for (; row < end && row <= last; row++) {
		char *to = output_row(p->call, box, row);
		CRN_TRY(crn_run_reader_row(&in, &n_runs, err));
		for (; n_runs > 0; n_runs--) {
			uint32_t from, until, component;
			CRN_TRY(crn_run_reader_run(&in, &from, &until, &component, err));
			if (component >= t->n_components)
				return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
			uint32_t id = c->ids[t->base + component];
			if (!to || id == 0)
				continue;
			crn_elem e = p->mark;
			if (c->spec.objects == CRN_OBJECTS_NUMBER) {
				uint64_t wide = id; /* little endian: any integer size */
				memcpy(e.bytes, &wide, sizeof(wide));
			}
			paint_run(&p->call->out_region, to, left + from, left + until, e, p->size);
		}
	}
	return CAIRN_OK;
}

static cairn_status paint_tile(const painter *p, int64_t tile, cairn_error *err)
{
	const crn_components *c = p->c;
	const crn_tile_record *t = &c->tiles[tile];
	int64_t idx[CRN_MAX_NDIM], first, last;
	crn_unravel(tile, c->ndim, c->grid.n, idx);
	crn_region box = crn_unit_region(c->ndim, c->shape, c->grid.tile, idx);
	if (!wanted_rows(&p->call->out_region, &box, &first, &last))
		return CAIRN_OK;
	for (int s = 0; s < t->runs.n && t->runs.of[s].first_row <= last; s++)
		if (s + 1 == t->runs.n || t->runs.of[s + 1].first_row > first)
			CRN_TRY(paint_segment(p, t, s, &box, last, err));
	return CAIRN_OK;
}

/* Ground is 0, or a byte: rows of equal bytes. */
static void fill_ground(const crn_view *out, crn_elem ground)
{
	size_t size = crn_dtype_size(out->dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, out->ndim, out->shape); !rows.end; crn_rows_next(&rows))
		memset(crn_rows_at(&rows, out), ground.bytes[0], (size_t)rows.n * size);
}

cairn_status crn_components_paint(
	const crn_call *call, crn_elem ground, crn_elem mark, cairn_error *err)
{
	const crn_components *c = call->state;
	const crn_region *r = &call->out_region;
	fill_ground(&call->out, ground);
	painter p = {.c = c, .call = call, .mark = mark, .size = crn_dtype_size(call->out.dtype)};
	int64_t lo[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], end[CRN_MAX_NDIM];
	for (int d = 0; d < c->ndim; d++) {
		if (r->n[d] == 0)
			return CAIRN_OK;
		idx[d] = lo[d] = r->lo[d] / c->grid.tile[d];
		end[d] = crn_region_last(r, d) / c->grid.tile[d] + 1;
	}
	for (;;) {
		CRN_TRY(paint_tile(&p, crn_ravel(idx, c->ndim, c->grid.n), err));
		int d = c->ndim - 1;
		while (d >= 0 && ++idx[d] == end[d]) {
			idx[d] = lo[d];
			d--;
		}
		if (d < 0)
			return CAIRN_OK;
	}
}

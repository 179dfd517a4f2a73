/* SPDX-License-Identifier: Apache-2.0
 *
 * components_fold.c -- components: state, and what one tile contributes.
 *
 *	row ──pack──> bits ──> runs ──two-pointer merge with earlier rows──> union-find over runs
 *	    ──> local components in raster order ──> packed runs to the scratch file
 *
 * Scratch of a fold (worst case, a checkerboard): 12 bytes per possible run, 4 per row, a row of
 * bits, and one writer's buffer.
 */
#include "ops/components.h"

#include "base/mem.h"
#include "kernels/runs.h"

#include <stdatomic.h>
#include <string.h>

/* ---- state ---- */

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

static void add_link(crn_components *c, const int8_t *row, int from, int to)
{
	crn_link *l = &c->links[c->n_links++];
	memcpy(l->row, row, sizeof(l->row));
	l->from = (int8_t)from;
	l->to = (int8_t)to;
}

/* Turns the structure into links: one per row difference; more when the middle is missing, or when
 * runs have no gaps between them (the two-pointer merge counts on gaps as wide as a link's range).
 */
static void make_links(crn_components *c)
{
	int64_t n_rows = 1;
	for (int d = 0; d + 1 < c->ndim; d++)
		n_rows *= 3;
	const bool *middle = &c->spec.structure[3 * (n_rows / 2)];
	c->links_in_row = middle[0] || middle[2];
	for (int64_t r = 0; r < n_rows; r++) {
		const bool *x = &c->spec.structure[3 * r];
		int8_t row[CRN_MAX_NDIM] = {0};
		int64_t rest = r;
		bool same_row = true;
		for (int d = c->ndim - 2; d >= 0; d--, rest /= 3) {
			row[d] = (int8_t)(rest % 3 - 1);
			same_row = same_row && row[d] == 0;
		}
		if (same_row)
			continue;
		if (x[1] && c->links_in_row) {
			add_link(c, row, x[0] ? -1 : 0, x[2] ? 1 : 0);
			continue;
		}
		for (int k = 0; k < 3; k++)
			if (x[k])
				add_link(c, row, k - 1, k - 1);
	}
}

cairn_status crn_components_alloc(
	crn_components *c, size_t n, size_t size_bytes, void *ret, cairn_error *err)
{
	size_t bytes = n * size_bytes;
	CRN_TRY(c->env->charge(c->env->engine, (int64_t)bytes, err));
	void *p = crn_calloc(n, size_bytes);
	if (!p) {
		(void)!c->env->charge(c->env->engine, -(int64_t)bytes, NULL);
		return crn_fail_memory(err, "the table of components", bytes);
	}
	atomic_fetch_add(&c->charged_bytes, (int64_t)bytes);
	memcpy(ret, &p, sizeof(p));
	return CAIRN_OK;
}

void crn_components_drop(crn_components *c, void *pp, size_t n, size_t size_bytes)
{
	void *p;
	memcpy(&p, pp, sizeof(p));
	if (!p)
		return;
	crn_free(p);
	(void)!c->env->charge(c->env->engine, -(int64_t)(n * size_bytes), NULL);
	atomic_fetch_sub(&c->charged_bytes, (int64_t)(n * size_bytes));
	memset(pp, 0, sizeof(p));
}

cairn_status crn_components_new(const crn_components_spec *spec, const crn_type *in,
	const crn_env *env, crn_components **ret, cairn_error *err)
{
	crn_components *c = crn_calloc(1, sizeof(*c));
	if (!c)
		return crn_fail_memory(err, "components", sizeof(*c));
	c->spec = *spec;
	c->env = env;
	c->dtype = in->dtype;
	c->ndim = in->ndim;
	memcpy(c->shape, in->shape, sizeof(c->shape));
	size_t n_links = 3;
	for (int d = 0; d + 1 < c->ndim; d++)
		n_links *= 3;
	cairn_status status = crn_components_alloc(c, n_links, sizeof(crn_link), &c->links, err);
	if (status != CAIRN_OK) {
		crn_free(c);
		return status;
	}
	make_links(c);
	*ret = c;
	return CAIRN_OK;
}

int crn_components_n_passes(const crn_node *n)
{
	return 1;
}

cairn_status crn_components_pass_begin(
	void *state, int pass, const crn_grid *grid, cairn_error *err)
{
	crn_components *c = state;
	c->grid = *grid;
	return crn_components_alloc(
		c, (size_t)grid->n_tiles, sizeof(crn_tile_record), &c->tiles, err);
}

void crn_components_end(void *state)
{
	crn_components *c = state;
	if (!c)
		return;
	for (int64_t t = 0; c->tiles && t < c->grid.n_tiles; t++) {
		crn_segments_done(&c->tiles[t].runs, c->env);
		crn_segments_done(&c->tiles[t].edges, c->env);
		crn_free(c->tiles[t].keys);
		crn_free(c->tiles[t].sizes);
		crn_free(c->tiles[t].at_border);
	}
	crn_free(c->tiles);
	crn_free(c->links);
	crn_free(c->ids);
	(void)!c->env->charge(c->env->engine, -c->charged_bytes, NULL);
	crn_free(c);
}

/* ---- one tile ---- */

/* Work space of a fold, laid out in the call's scratch. */
typedef struct work {
	int64_t row_n, n_rows; /* of the tile */
	int64_t row_dims[CRN_MAX_NDIM];
	int64_t most;        /* runs of a row */
	uint32_t *pairs;     /* 2 per run */
	uint32_t *component; /* per run: parent, later component */
	uint32_t *first;     /* per row: its first run; n_rows + 1 */
	uint64_t *bits;
	uint8_t *buffer;
	uint32_t n_runs;
} work;

static size_t align64(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* Only sizes are asked for when there is no memory. */
static void *place(char *at, size_t offset)
{
	return at ? at + offset : NULL;
}

static size_t lay_out(work *w, const crn_region *tile, bool singles, char *at)
{
	int x = tile->ndim - 1;
	w->row_n = tile->n[x];
	w->n_rows = 1;
	for (int d = 0; d < x; d++) {
		w->row_dims[d] = tile->n[d];
		w->n_rows *= tile->n[d];
	}
	w->most = singles ? w->row_n : (w->row_n + 1) / 2;
	size_t runs = (size_t)(w->most * w->n_rows), used = 0;
	w->pairs = place(at, used);
	used += align64(8 * runs + 8);
	w->component = place(at, used);
	used += align64(4 * runs);
	w->first = place(at, used);
	used += align64(4 * (size_t)(w->n_rows + 1));
	w->bits = place(at, used);
	used += align64(8 * (size_t)crn_bit_words(w->row_n));
	w->buffer = place(at, used);
	used += CRN_RUN_SEGMENT_BYTES + crn_run_row_bytes(w->most);
	return align64(used);
}

size_t crn_components_fold_scratch(const crn_node *n, const crn_region *tile)
{
	work w = {0};
	return lay_out(&w, tile, false, NULL);
}

size_t crn_components_fold_scratch_singles(const crn_node *n, const crn_region *tile)
{
	work w = {0};
	return lay_out(&w, tile, true, NULL);
}

static inline void join_runs(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = crn_find_root(parent, a);
	b = crn_find_root(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

/* True if row + difference lies in the tile before `row`; *ret_other its number. */
static bool earlier_row(const work *w, int n_axes, const int64_t *idx, const int8_t *difference,
	int64_t row, int64_t *ret_other)
{
	int64_t other = 0;
	for (int d = 0; d < n_axes; d++) {
		int64_t i = idx[d] + difference[d];
		if (i < 0 || i >= w->row_dims[d])
			return false;
		other = other * w->row_dims[d] + i;
	}
	*ret_other = other;
	return other < row;
}

static void join_row(const crn_components *c, work *w, const int64_t *idx, int64_t row)
{
	int64_t n = w->n_runs - w->first[row], other;
	const uint32_t *here = w->pairs + 2 * (size_t)w->first[row];
	for (int l = 0; l < c->n_links && n > 0; l++) {
		const crn_link *link = &c->links[l];
		if (!earlier_row(w, c->ndim - 1, idx, link->row, row, &other))
			continue;
		uint32_t a0 = w->first[row], b0 = w->first[other];
		int64_t n_other = w->first[other + 1] - b0;
		const uint32_t *there = w->pairs + 2 * (size_t)b0;
		CRN_FOR_TOUCHING(here, n, there, n_other, link->from, link->to, i, j,
			join_runs(w->component, a0 + (uint32_t)i, b0 + (uint32_t)j))
	}
}

static void find_runs(const crn_components *c, work *w, const crn_view *in)
{
	const crn_pack_kernels *kernels = CRN_ISA_PICK(crn_pack_kernels, c->env->isa);
	int64_t words = crn_bit_words(w->row_n), row = 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, in->ndim, in->shape); !rows.end; crn_rows_next(&rows), row++) {
		kernels->nonzero[c->dtype](crn_rows_at(&rows, in), w->row_n, w->bits);
		if (c->spec.background) {
			for (int64_t k = 0; k < words; k++)
				w->bits[k] = ~w->bits[k];
			if (w->row_n % 64)
				w->bits[words - 1] &= ((uint64_t)1 << (w->row_n % 64)) - 1;
		}
		w->first[row] = w->n_runs;
		uint32_t *to = w->pairs + 2 * (size_t)w->n_runs;
		int64_t n = c->links_in_row ? crn_bits_to_runs(w->bits, w->row_n, to)
					    : crn_bits_to_singles(w->bits, w->row_n, to);
		for (int64_t i = 0; i < n; i++)
			w->component[w->n_runs + i] = w->n_runs + (uint32_t)i;
		w->n_runs += (uint32_t)n;
		join_row(c, w, rows.idx, row);
	}
	w->first[row] = w->n_runs;
}

/* Parents become component numbers in raster order of the first voxel; returns their number. */
static uint32_t number_components(work *w)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n_runs; i++)
		w->component[i] = w->component[i] == i ? n++ : w->component[w->component[i]];
	return n;
}

/* Keys, and sizes or border flags where they are wanted. */
static cairn_status describe(crn_components *c, const work *w, crn_tile_record *t,
	const crn_region *box, cairn_error *err)
{
	bool sizes = c->spec.objects == CRN_OBJECTS_LARGE;
	bool border = c->spec.objects == CRN_OBJECTS_AT_BORDER;
	size_t n = (size_t)t->n_components;
	CRN_TRY(crn_components_alloc(c, n, sizeof(int64_t), &t->keys, err));
	if (sizes)
		CRN_TRY(crn_components_alloc(c, n, sizeof(uint64_t), &t->sizes, err));
	if (border)
		CRN_TRY(crn_components_alloc(c, n, 1, &t->at_border, err));
	int x = c->ndim - 1;
	int64_t seen = 0, row = 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, box->ndim, box->n); !rows.end; crn_rows_next(&rows), row++) {
		int64_t start = 0;
		bool outer = false;
		for (int d = 0; d < x; d++) {
			int64_t at = box->lo[d] + rows.idx[d];
			outer = outer || at == 0 || at == c->shape[d] - 1;
			start = start * c->shape[d] + at;
		}
		start = start * c->shape[x] + box->lo[x];
		for (uint32_t i = w->first[row]; i < w->first[row + 1]; i++) {
			uint32_t k = w->component[i], from = w->pairs[2 * i],
				 to = w->pairs[2 * i + 1];
			if (k == seen)
				t->keys[seen++] = start + from;
			if (sizes)
				t->sizes[k] += to - from;
			if (border &&
				(outer || box->lo[x] + from == 0 || box->lo[x] + to == c->shape[x]))
				t->at_border[k] = 1;
		}
	}
	return CAIRN_OK;
}

static cairn_status write_runs(
	const crn_components *c, work *w, crn_tile_record *t, cairn_error *err)
{
	crn_run_writer out = {.env = c->env, .segments = &t->runs, .buffer = w->buffer};
	for (int64_t row = 0; row < w->n_rows; row++) {
		uint32_t first = w->first[row];
		CRN_TRY(crn_run_writer_row(&out, row, w->first[row + 1] - first,
			w->pairs + 2 * (size_t)first, w->component + first, err));
	}
	return crn_run_writer_flush(&out, err);
}

/* Writes the runs that can touch another tile. Overwrites the rows it shortens (they are written
 * already). */
static cairn_status write_edges(const crn_components *c, work *w, crn_tile_record *t,
	const crn_region *box, cairn_error *err)
{
	int x = c->ndim - 1;
	bool low[CRN_MAX_NDIM], high[CRN_MAX_NDIM], alone = true;
	for (int d = 0; d <= x; d++) {
		low[d] = box->lo[d] > 0;
		high[d] = box->lo[d] + box->n[d] < c->shape[d];
		alone = alone && !low[d] && !high[d];
	}
	if (alone)
		return CAIRN_OK;
	crn_run_writer out = {.env = c->env, .segments = &t->edges, .buffer = w->buffer};
	int64_t row = 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, box->ndim, box->n); !rows.end; crn_rows_next(&rows), row++) {
		bool whole = false;
		for (int d = 0; d < x; d++)
			whole = whole || (low[d] && rows.idx[d] == 0) ||
				(high[d] && rows.idx[d] == box->n[d] - 1);
		uint32_t first = w->first[row], n = w->first[row + 1] - first, kept = 0;
		uint32_t *pairs = w->pairs + 2 * (size_t)first, *component = w->component + first;
		for (uint32_t i = 0; i < n; i++) {
			bool keep = whole || (low[x] && pairs[2 * i] == 0) ||
				    (high[x] && pairs[2 * i + 1] == w->row_n);
			pairs[2 * kept] = pairs[2 * i];
			pairs[2 * kept + 1] = pairs[2 * i + 1];
			component[kept] = component[i];
			kept += keep;
		}
		t->n_edge_runs += kept;
		CRN_TRY(crn_run_writer_row(&out, row, kept, pairs, component, err));
	}
	return crn_run_writer_flush(&out, err);
}

cairn_status crn_components_fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	crn_components *c = state;
	const crn_region *box = &call->in_region[0];
	crn_tile_record *t = &c->tiles[tile];
	work w = {0};
	size_t bytes = lay_out(&w, box, !c->links_in_row, call->scratch);
	if (bytes > call->scratch_bytes || w.most * w.n_rows > UINT32_MAX - 1)
		return crn_fail(err, CAIRN_FAILED, "%s: a tile of %lld voxels is too large",
			call->node->op->name, (long long)crn_region_count(box));
	find_runs(c, &w, &call->in[0]);
	t->n_components = number_components(&w);
	CRN_TRY(describe(c, &w, t, box, err));
	CRN_TRY(write_runs(c, &w, t, err));
	return write_edges(c, &w, t, box, err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * components_fold.c -- components: state, and what one tile contributes.
 *
 *	row ──pack──> bits ──pairs of touching runs (kernels/runs.h)──> union-find over runs
 *	    ──> local components in raster order ──> arrays in the scratch file
 *
 * Scratch of a fold (worst case, a checkerboard): 2 bytes a voxel for the union-find, 1.5 bits for
 * the rows of bits, and two rows of pairs.
 */
#include "ops/components.h"

#include "base/mem.h"
#include "core/bits.h"

#include <string.h>

/* ---- state ---- */

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
	cairn_status status = crn_components_make_links(c, err);
	if (status != CAIRN_OK) {
		crn_components_end(c);
		return status;
	}
	*ret = c;
	return CAIRN_OK;
}

int crn_components_n_passes(const crn_node *n)
{
	(void)n;
	return 1;
}

cairn_status crn_components_pass_begin(
	void *state, int pass, const crn_grid *grid, cairn_error *err)
{
	crn_components *c = state;
	(void)pass;
	c->grid = *grid;
	return crn_charged_alloc(c->env, "tiles of components", (size_t)grid->n_tiles,
		sizeof(*c->tiles), &c->tiles, err);
}

void crn_components_end(void *state)
{
	crn_components *c = state;
	if (!c)
		return;
	crn_charged_free(c->env, &c->tiles, (size_t)c->grid.n_tiles, sizeof(*c->tiles));
	crn_charged_free(c->env, &c->links, c->n_link_slots, sizeof(*c->links));
	crn_charged_free(c->env, &c->fold_links, c->n_link_slots, sizeof(*c->fold_links));
	crn_charged_free(c->env, &c->near, c->n_link_slots, sizeof(*c->near));
	crn_paged_done(&c->ids);
	crn_free(c);
}

/* ---- checkpoints: a tile's arrays are in the scratch file, so its record is all there is ---- */

int crn_components_tile_save(void *state, int pass, int64_t tile, crn_bytes *ret)
{
	const crn_components *c = state;
	(void)pass;
	ret[0] = (crn_bytes){&c->tiles[tile], sizeof(c->tiles[tile])};
	return 1;
}

cairn_status crn_components_tile_load(
	void *state, int pass, int64_t tile, const void *bytes, size_t n, cairn_error *err)
{
	crn_components *c = state;
	crn_tile_record t;
	(void)pass;
	if (n != sizeof(t))
		return crn_fail(err, CAIRN_FAILED, "a tile's record has %zu bytes", n);
	memcpy(&t, bytes, sizeof(t));
	c->tiles[tile] = t;
	return CAIRN_OK;
}

/* ---- work space of a fold, laid out in the call's scratch ---- */

typedef struct work {
	int ndim;
	int64_t row_n, n_rows, n_words; /* of the tile; words a row */
	int64_t row_dims[CRN_MAX_NDIM];
	int64_t most;          /* runs of a row */
	uint32_t *first_run;   /* per row and one more */
	uint32_t *first_new;   /* per row and one more; follows first_run at once */
	uint64_t *bits;        /* n_words a row */
	uint32_t *first;       /* per word of bits: number of the first run in it */
	uint32_t *component;   /* per run: parent, later component */
	uint32_t *pairs;       /* touching runs of two rows */
	uint32_t *extra;       /* per component; NULL if none are wanted */
	int64_t *near_offset;  /* per row difference: in rows */
	const uint64_t **near; /* per row difference: bits of that row, NULL outside the tile */
	uint32_t n_runs, n_components;
} work;

static size_t align64(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* Only sizes are asked for when there is no memory. */
static void *place(char *at, size_t *used, size_t bytes)
{
	char *p = at ? at + *used : NULL;
	*used += align64(bytes);
	return p;
}

static size_t lay_out(work *w, const crn_region *tile, bool singles, bool extra, char *at)
{
	int x = tile->ndim - 1;
	size_t used = 0, n_near = 1;
	w->ndim = tile->ndim;
	w->row_n = tile->n[x];
	w->n_words = crn_bit_words(w->row_n);
	w->n_rows = 1;
	for (int d = 0; d < x; d++) {
		w->row_dims[d] = tile->n[d];
		w->n_rows *= tile->n[d];
		n_near *= 3;
	}
	w->most = singles ? w->row_n : (w->row_n + 1) / 2;
	size_t rows = (size_t)w->n_rows, words = rows * (size_t)w->n_words;
	size_t runs = (size_t)w->most * rows;
	w->first_run = place(at, &used, 2 * (rows + 1) * sizeof(uint32_t));
	w->first_new = at ? w->first_run + rows + 1 : NULL;
	w->bits = place(at, &used, words * sizeof(uint64_t));
	w->first = place(at, &used, words * sizeof(uint32_t));
	w->component = place(at, &used, (runs + 2) * sizeof(uint32_t));
	w->pairs = place(at, &used, 128 * (size_t)w->n_words * sizeof(uint32_t));
	w->near_offset = place(at, &used, n_near * sizeof(int64_t));
	w->near = place(at, &used, n_near * sizeof(uint64_t *));
	w->extra = extra ? place(at, &used, (runs + 2) * sizeof(uint32_t)) : NULL;
	return used;
}

size_t crn_components_fold_scratch(const crn_node *n, const crn_region *tile)
{
	work w = {0};
	(void)n;
	return lay_out(&w, tile, false, false, NULL);
}

size_t crn_components_fold_scratch_singles(const crn_node *n, const crn_region *tile)
{
	work w = {0};
	(void)n;
	return lay_out(&w, tile, true, false, NULL);
}

size_t crn_components_fold_scratch_extra(const crn_node *n, const crn_region *tile)
{
	work w = {0};
	(void)n;
	return lay_out(&w, tile, false, true, NULL);
}

/* ---- runs and what joins them ---- */

/* Rem's algorithm: the two paths are shortened while they are climbed. Parents come first. */
static inline void join_runs(uint32_t *parent, uint32_t a, uint32_t b)
{
	uint32_t up_a = parent[a], up_b = parent[b];
	while (up_a != up_b) {
		if (up_a > up_b) {
			parent[a] = up_b;
			if (up_a == a)
				return;
			a = up_a;
			up_a = parent[a];
		} else {
			parent[b] = up_a;
			if (up_b == b)
				return;
			b = up_b;
			up_b = parent[b];
		}
	}
}

static void find_near_offsets(const crn_components *c, work *w)
{
	for (int k = 0; k < c->n_near; k++) {
		int64_t offset = 0;
		for (int d = 0; d + 1 < c->ndim; d++)
			offset = offset * w->row_dims[d] + c->near[k][d];
		w->near_offset[k] = offset;
	}
}

/* Which of the rows near row `row` lie in the tile. */
static void find_near(const crn_components *c, work *w, const int64_t *idx, int64_t row)
{
	for (int k = 0; k < c->n_near; k++) {
		bool inside = true;
		for (int d = 0; d + 1 < c->ndim; d++) {
			int64_t i = idx[d] + c->near[k][d];
			inside = inside && i >= 0 && i < w->row_dims[d];
		}
		w->near[k] = inside ? w->bits + (row + w->near_offset[k]) * w->n_words : NULL;
	}
}

static void join_row(const crn_components *c, work *w, const crn_run_kernels *k, int64_t row)
{
	crn_touch_rows t = {.a = w->bits + row * w->n_words,
		.first_a = w->first + row * w->n_words,
		.n_words = w->n_words,
		.singles = c->singles};
	for (int l = 0; l < c->n_fold_links; l++) {
		const crn_fold_link *f = &c->fold_links[l];
		t.b = w->near[f->near];
		if (!t.b)
			continue;
		int n_skip = 0;
		t.how = f->how;
		t.first_b = w->first + (row + w->near_offset[f->near]) * w->n_words;
		t.skip[0] = t.skip[1] = t.square[0] = t.square[1] = NULL;
		for (int s = 0; s < 2; s++)
			if (f->skip[s] >= 0 && w->near[f->skip[s]])
				t.skip[n_skip++] = w->near[f->skip[s]];
		if (f->square[0] >= 0 && w->near[f->square[0]] && w->near[f->square[1]]) {
			t.square[0] = w->near[f->square[0]];
			t.square[1] = w->near[f->square[1]];
		}
		int64_t n = k->touching(&t, w->pairs);
		for (int64_t i = 0; i < n; i++)
			join_runs(w->component, w->pairs[2 * i], w->pairs[2 * i + 1]);
	}
}

static void pack_row(
	const crn_components *c, const work *w, const crn_view *in, const void *from, uint64_t *to)
{
	if (in->bits)
		crn_bits_shift_row(from, in->first_bit, w->row_n, to);
	else
		CRN_ISA_PICK(crn_run_kernels, c->env->isa)->nonzero[c->dtype](from, w->row_n, to);
	if (!c->spec.background)
		return;
	for (int64_t i = 0; i < w->n_words; i++)
		to[i] = ~to[i];
	if (w->row_n % 64)
		to[w->n_words - 1] &= ((uint64_t)1 << (w->row_n % 64)) - 1;
}

static void find_runs(const crn_components *c, work *w, const crn_view *in)
{
	const crn_run_kernels *k = CRN_ISA_PICK(crn_run_kernels, c->env->isa);
	int64_t row = 0;
	crn_rows rows;
	find_near_offsets(c, w);
	for (crn_rows_begin(&rows, in->ndim, in->shape); !rows.end; crn_rows_next(&rows), row++) {
		uint64_t *bits = w->bits + row * w->n_words;
		uint32_t first = w->n_runs;
		pack_row(c, w, in, crn_rows_at(&rows, in), bits);
		w->first_run[row] = first;
		w->n_runs = k->first_runs(
			bits, w->n_words, false, c->singles, first, w->first + row * w->n_words);
		for (uint32_t i = first; i < w->n_runs; i++)
			w->component[i] = i;
		if (w->n_runs == first)
			continue;
		find_near(c, w, rows.idx, row);
		join_row(c, w, k, row);
	}
	w->first_run[row] = w->n_runs;
}

/* Parents become component numbers, in raster order of the first voxel. */
static void number_components(work *w)
{
	uint32_t n = 0;
	for (int64_t row = 0; row < w->n_rows; row++) {
		w->first_new[row] = n;
		for (uint32_t i = w->first_run[row]; i < w->first_run[row + 1]; i++) {
			uint32_t up = w->component[i], number = w->component[up];
			w->component[i] = up == i ? n : number;
			n += up == i;
		}
	}
	w->first_new[w->n_rows] = w->n_components = n;
}

/* ---- what objects are chosen by ---- */

static void add_sizes(const crn_components *c, work *w)
{
	for (int64_t row = 0; row < w->n_rows; row++) {
		const uint64_t *bits = w->bits + row * w->n_words;
		uint32_t run = w->first_run[row] - 1;
		uint64_t before = 0;
		for (int64_t k = 0; k < w->n_words; k++) {
			uint64_t v = bits[k];
			uint64_t start = c->singles ? v : v & ~(v << 1 | before);
			before = v >> 63;
			/* Part by part: up to the next start, or hole. */
			while (v) {
				int at = __builtin_ctzll(v);
				run += (uint32_t)(start >> at & 1);
				uint64_t holes = ~(v >> at);
				int n = c->singles ? 1 : holes ? __builtin_ctzll(holes) : 64;
				w->extra[w->component[run]] += (uint32_t)n;
				v = at + n < 64 ? v >> (at + n) << (at + n) : 0;
			}
		}
	}
}

static void flag_border(const crn_components *c, work *w, const crn_region *box)
{
	int x = c->ndim - 1;
	int64_t row = 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, box->ndim, box->n); !rows.end; crn_rows_next(&rows), row++) {
		const uint64_t *bits = w->bits + row * w->n_words;
		uint32_t from = w->first_run[row], end = w->first_run[row + 1];
		bool outer = false;
		for (int d = 0; d < x; d++) {
			int64_t at = box->lo[d] + rows.idx[d];
			outer = outer || at == 0 || at == c->shape[d] - 1;
		}
		for (uint32_t i = from; i < end && outer; i++)
			w->extra[w->component[i]] = 1;
		int64_t last = w->row_n - 1;
		if (box->lo[x] == 0 && (bits[0] & 1))
			w->extra[w->component[from]] = 1;
		if (box->lo[x] + w->row_n == c->shape[x] && (bits[last / 64] >> (last % 64) & 1))
			w->extra[w->component[end - 1]] = 1;
	}
}

/* ---- to the scratch file ---- */

/* Spills n bytes and zeros up to a multiple of 8, for which there is room. */
static cairn_status spill(
	const crn_env *env, void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err)
{
	size_t whole = (n + 7) / 8 * 8;
	memset((char *)bytes + n, 0, whole - n);
	return env->spill(env->engine, bytes, whole, ret_offset, err);
}

/* Component numbers in place, in as few bytes as hold them. */
static void narrow_components(work *w, uint32_t size)
{
	char *to = (char *)w->component;
	/* Little endian: the low bytes. */
	for (uint32_t i = 0; size == 1 && i < w->n_runs; i++)
		memcpy(to + i, &w->component[i], 1);
	for (size_t i = 0; size == 2 && i < w->n_runs; i++)
		memcpy(to + 2 * i, &w->component[i], 2);
}

static cairn_status write_tile(
	const crn_components *c, work *w, crn_tile_record *ret, cairn_error *err)
{
	crn_tile_record t = {.n_runs = w->n_runs, .n_components = w->n_components};
	if (t.n_runs > 0) {
		size_t rows = (size_t)w->n_rows;
		t.component_size = t.n_components <= 256 ? 1 : t.n_components <= 65536 ? 2 : 4;
		if (w->extra)
			CRN_TRY(spill(c->env, w->extra, t.n_components * sizeof(uint32_t),
				&t.extra_at, err));
		narrow_components(w, t.component_size);
		CRN_TRY(spill(
			c->env, w->first_run, 2 * (rows + 1) * sizeof(uint32_t), &t.rows_at, err));
		CRN_TRY(spill(c->env, w->bits, rows * (size_t)w->n_words * sizeof(uint64_t),
			&t.bits_at, err));
		CRN_TRY(spill(c->env, w->component, (size_t)t.n_runs * t.component_size,
			&t.component_at, err));
	}
	*ret = t;
	return CAIRN_OK;
}

cairn_status crn_components_fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	crn_components *c = state;
	const crn_region *box = &call->in_region[0];
	bool extra = c->spec.objects != CRN_OBJECTS_NUMBER;
	work w = {0};
	(void)partial;
	(void)pass;
	size_t bytes = lay_out(&w, box, c->singles, extra, call->scratch);
	if (bytes > call->scratch_bytes || w.most * w.n_rows > UINT32_MAX - 1)
		return crn_fail(err, CAIRN_FAILED, "%s: a tile of %lld voxels is too large",
			call->node->op->name, (long long)crn_region_count(box));
	find_runs(c, &w, &call->in[0]);
	number_components(&w);
	if (extra)
		memset(w.extra, 0, w.n_components * sizeof(uint32_t));
	if (c->spec.objects == CRN_OBJECTS_LARGE)
		add_sizes(c, &w);
	if (c->spec.objects == CRN_OBJECTS_AT_BORDER)
		flag_border(c, &w, box);
	return write_tile(c, &w, &c->tiles[tile], err);
}

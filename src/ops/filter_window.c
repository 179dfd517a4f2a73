/* SPDX-License-Identifier: Apache-2.0
 *
 * filter_window.c -- regions of windows, and the walk over output rows.
 *
 * The walk goes down the axis next to x (or the widest axis of a 1-D window) in strips of x narrow
 * enough that the rows of all taps stay in the first cache while they are reused.
 */
#include "ops/filter_window.h"

#include <assert.h>
#include <string.h>

const char *const crn_border_names[] = {"reflect", "mirror", "nearest", "wrap", "constant",
	"grid-mirror", "grid-wrap", "grid-constant", NULL};

static const struct {
	const char *name, *canonical;
	crn_border border;
} borders[] = {
	{"reflect", "reflect", CRN_BORDER_REFLECT},
	{"mirror", "mirror", CRN_BORDER_MIRROR},
	{"nearest", "nearest", CRN_BORDER_NEAREST},
	{"wrap", "wrap", CRN_BORDER_WRAP},
	{"constant", "constant", CRN_BORDER_CONSTANT},
	{"grid-mirror", "reflect", CRN_BORDER_REFLECT},
	{"grid-wrap", "wrap", CRN_BORDER_WRAP},
	{"grid-constant", "constant", CRN_BORDER_CONSTANT},
};

const char *crn_border_canonical(const char *name)
{
	for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++)
		if (strcmp(borders[i].name, name) == 0)
			return borders[i].canonical;
	return NULL;
}

crn_border crn_border_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++)
		if (strcmp(borders[i].name, name) == 0)
			return borders[i].border;
	assert(!"border names are checked when a call is built");
	return CRN_BORDER_REFLECT;
}

cairn_status crn_window_set(
	crn_window *w, int axis, int64_t size, int64_t origin, const char *what, cairn_error *err)
{
	enum { MAX_SIZE = 1 << 20 };
	if (size < 1 || size > MAX_SIZE)
		return crn_fail(err, CAIRN_USAGE,
			"%s: window of %lld voxels on axis %d, allowed are 1 to %d", what,
			(long long)size, axis, MAX_SIZE);
	if (size / 2 + origin < 0 || size / 2 + origin >= size)
		return crn_fail(err, CAIRN_USAGE,
			"%s: origin %lld on axis %d leaves the window of %lld voxels; allowed are "
			"%lld to %lld",
			what, (long long)origin, axis, (long long)size, (long long)-(size / 2),
			(long long)((size - 1) - size / 2));
	w->size[axis] = size;
	w->left[axis] = size / 2 + origin;
	return CAIRN_OK;
}

crn_window crn_window_of(const crn_const *c, const crn_value *origins)
{
	crn_window w = {.ndim = c->ndim};
	for (int d = 0; d < c->ndim; d++) {
		w.size[d] = c->shape[d];
		w.left[d] = c->shape[d] / 2 + origins->list.items[d].i;
	}
	return w;
}

cairn_status crn_window_check(
	const crn_const *c, const crn_value *origins, int ndim, const char *what, cairn_error *err)
{
	crn_window w;
	if (c->ndim != ndim || origins->kind != CRN_V_LIST || origins->list.n != ndim || ndim < 1)
		return crn_fail(err, CAIRN_USAGE, "%s: a window of %d axes for an array of %d",
			what, c->ndim, ndim);
	for (int d = 0; d < ndim; d++)
		CRN_TRY(crn_window_set(&w, d, c->shape[d], origins->list.items[d].i, what, err));
	return CAIRN_OK;
}

int crn_window_taps(const crn_const *c, bool (*keep)(const crn_const *c, int64_t i), int32_t *at)
{
	int64_t count = crn_const_count(c), idx[CRN_MAX_NDIM];
	int n = 0;
	for (int64_t i = 0; i < count; i++) {
		if (!keep(c, i))
			continue;
		n++;
		if (!at)
			continue;
		crn_unravel(i, c->ndim, c->shape, idx);
		for (int d = 0; d < c->ndim; d++)
			at[(n - 1) * c->ndim + d] = (int32_t)idx[d];
	}
	return n;
}

void crn_window_need(const crn_window *w, const crn_region *out, crn_region *ret)
{
	crn_region r = *out;
	for (int d = 0; d < w->ndim; d++) {
		if (w->size[d] == 1 || out->n[d] == 0)
			continue;
		r.lo[d] = out->lo[d] - w->left[d];
		r.n[d] = (out->n[d] - 1) * out->step[d] + w->size[d];
		r.step[d] = 1;
	}
	crn_region_normalise(&r);
	*ret = r;
}

/* ---- the walk ---- */

static size_t round_up(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

/* Phases of x: the step of the output where the window spans x, else 1. */
static int64_t n_phases(const crn_window *w, const crn_region *out)
{
	int x = w->ndim - 1;
	return w->size[x] > 1 && out->n[x] > 1 ? out->step[x] : 1;
}

static bool is_staged(const crn_tap_walk *walk, const crn_region *out)
{
	return walk->load || n_phases(walk->window, out) > 1;
}

/* Elements of a staged row: all phases, each of equal length, padded to whole cache lines. */
static int64_t staged_row(const crn_tap_walk *walk, const crn_region *in, int64_t phases)
{
	int64_t n = in->n[in->ndim - 1];
	int64_t phase = (n + phases - 1) / phases;
	int64_t line = 64 / (int64_t)walk->item_size;
	return (phase * phases + line - 1) / line * line + line;
}

size_t crn_tap_walk_scratch(const crn_tap_walk *walk, const crn_region *out)
{
	size_t bytes = round_up((size_t)walk->n_taps * sizeof(ptrdiff_t));
	if (!is_staged(walk, out))
		return bytes;
	crn_region in;
	crn_window_need(walk->window, out, &in);
	int64_t rows = 1, phases = n_phases(walk->window, out);
	for (int d = 0; d + 1 < in.ndim; d++)
		rows *= in.n[d];
	/* Dealing phases out needs one loaded row beside the staged ones. */
	return bytes + (size_t)((rows + 1) * staged_row(walk, &in, phases)) * walk->item_size;
}

#define DEAL(T) \
	static void deal_##T(const T *from, int64_t n, int64_t phases, T *to) \
	{ \
		int64_t phase = (n + phases - 1) / phases; \
		for (int64_t p = 0; p < phases; p++) \
			for (int64_t i = p, k = 0; i < n; i += phases, k++) \
				to[p * phase + k] = from[i]; \
	}
DEAL(uint8_t)
DEAL(uint16_t)
DEAL(uint32_t)
DEAL(uint64_t)

static void deal(const void *from, int64_t n, int64_t phases, size_t item_size, void *to)
{
	switch (item_size) {
	case 1:
		deal_uint8_t(from, n, phases, to);
		break;
	case 2:
		deal_uint16_t(from, n, phases, to);
		break;
	case 4:
		deal_uint32_t(from, n, phases, to);
		break;
	default:
		deal_uint64_t(from, n, phases, to);
		break;
	}
}

/* Fills `memory` with the input's rows, loaded and dealt into phases; returns a view of them. */
static crn_view stage(const crn_tap_walk *walk, const crn_call *call, int64_t phases, char *memory)
{
	const crn_view *in = &call->in[0];
	int64_t row = staged_row(walk, &call->in_region[0], phases);
	crn_view v = *in;
	char *spare = memory;
	char *next = memory + row * (int64_t)walk->item_size;
	v.data = next;
	v.stride[v.ndim - 1] = (int64_t)walk->item_size;
	for (int64_t d = v.ndim - 2, stride = row * (int64_t)walk->item_size; d >= 0; d--) {
		v.stride[d] = stride;
		stride *= v.shape[d];
	}
	crn_rows rows;
	for (crn_rows_begin(&rows, in->ndim, in->shape); !rows.end; crn_rows_next(&rows)) {
		const void *from = crn_rows_at(&rows, in);
		if (walk->load) {
			walk->load(from, rows.n, phases > 1 ? spare : next);
			from = spare;
		}
		if (phases > 1)
			deal(from, rows.n, phases, walk->item_size, next);
		next += row * (int64_t)walk->item_size;
	}
	return v;
}

/* Outputs of a strip: the rows of the window together take about half of a first-level cache. */
static int64_t strip_of(const crn_tap_walk *walk)
{
	enum { STRIP_BYTES = 32 << 10, LEAST = 64 };
	const crn_window *w = walk->window;
	int64_t rows = 1;
	for (int d = 0; d + 1 < w->ndim; d++)
		rows *= w->size[d];
	int64_t n = STRIP_BYTES / ((int64_t)walk->item_size * rows) / LEAST * LEAST;
	return rows == 1 || walk->whole_rows ? INT32_MAX : n < LEAST ? LEAST : n;
}

/* The axis walked fastest: the only spanned one, else the one next to x. */
static int inner_axis(const crn_window *w)
{
	int spanned = -1, n = 0;
	for (int d = 0; d < w->ndim; d++)
		if (w->size[d] > 1) {
			spanned = d;
			n++;
		}
	return n == 1 && spanned < w->ndim - 1 ? spanned : w->ndim - 2;
}

/* Strides and offsets of one call. */
typedef struct course {
	const crn_tap_walk *walk;
	const ptrdiff_t *offset;
	ptrdiff_t ahead;           /* the largest offset */
	int inner;                 /* axis walked fastest, or -1 */
	int64_t n_inner;           /* rows along it */
	int64_t in_next, out_next; /* bytes from one of those to the next */
	bool one_tap_apart;
} course;

static void prefetch(const char *p, int64_t n_bytes)
{
	for (int64_t i = 0; i < n_bytes; i += 64)
		__builtin_prefetch(p + i);
}

/* All rows of the inner axis over a strip of n outputs, a few at a time. The rows that come into
 * the window with the next few are fetched ahead: strips are too narrow for the hardware to see
 * them coming. */
static void walk_strip(const course *c, const char *base, char *to, int64_t n)
{
	enum { GROUP = 4 };
	int64_t n_bytes = n * (int64_t)c->walk->item_size;
	for (int64_t k = 0; k < c->n_inner; k += GROUP) {
		crn_tap_rows rows = {.base = base + k * c->in_next,
			.offset = c->offset,
			.n = n,
			.out = to + k * c->out_next,
			.n_rows = (int)(c->n_inner - k < GROUP ? c->n_inner - k : GROUP),
			.in_next = c->in_next,
			.out_next = c->out_next,
			.one_tap_apart = c->one_tap_apart};
		for (int64_t j = k + GROUP; j < k + 2 * GROUP && j < c->n_inner; j++)
			prefetch(base + c->ahead + j * c->in_next, n_bytes);
		c->walk->rows(c->walk->ctx, &rows);
	}
}

/* Byte offsets of the taps in rows dealt into phases; returns the largest. */
static ptrdiff_t set_offsets(const crn_tap_walk *walk, const crn_view *in, int64_t n_in,
	int64_t phases, ptrdiff_t *offset)
{
	int ndim = walk->window->ndim, x = ndim - 1;
	int64_t phase = (n_in + phases - 1) / phases;
	ptrdiff_t largest = 0;
	ptrdiff_t at_next = (ptrdiff_t)ndim * (walk->at_stride ? walk->at_stride : 1);
	for (int t = 0; t < walk->n_taps; t++) {
		const int32_t *at = &walk->at[t * at_next];
		int64_t pos = at[x] % phases * phase + at[x] / phases;
		offset[t] = (ptrdiff_t)(pos * (int64_t)walk->item_size);
		for (int d = 0; d < x; d++)
			offset[t] += (ptrdiff_t)(at[d] * in->stride[d]);
		largest = offset[t] > largest ? offset[t] : largest;
	}
	return largest;
}

void crn_tap_walk_run(const crn_tap_walk *walk, const crn_call *call)
{
	const crn_window *w = walk->window;
	const crn_region *out = &call->out_region;
	int ndim = out->ndim, x = ndim - 1;
	if (crn_region_empty(out))
		return;
	ptrdiff_t *offset = call->scratch;
	char *memory = (char *)call->scratch + round_up((size_t)walk->n_taps * sizeof(*offset));
	int64_t phases = n_phases(w, out), strip = strip_of(walk);
	crn_view in = is_staged(walk, out) ? stage(walk, call, phases, memory) : call->in[0];
	course c = {.walk = walk, .offset = offset, .inner = inner_axis(w), .n_inner = 1};
	c.ahead = set_offsets(walk, &in, call->in_region[0].n[x], phases, offset);
	/* Bytes in the input from one output row to the next, per axis. */
	int64_t in_stride[CRN_MAX_NDIM] = {0}, shape[CRN_MAX_NDIM];
	for (int d = 0; d < ndim; d++) {
		in_stride[d] = in.stride[d] * (w->size[d] > 1 && out->n[d] > 1 ? out->step[d] : 1);
		shape[d] = out->n[d];
	}
	if (c.inner >= 0) {
		c.n_inner = shape[c.inner];
		c.in_next = in_stride[c.inner];
		c.out_next = call->out.stride[c.inner];
		c.one_tap_apart = w->size[c.inner] > 1 && c.in_next == in.stride[c.inner];
		for (int d = 0; d < ndim; d++)
			c.one_tap_apart &= d == c.inner || w->size[d] == 1;
		shape[c.inner] = 1;
	}
	int64_t out_item = (int64_t)crn_dtype_size(call->out.dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, ndim, shape); !rows.end; crn_rows_next(&rows)) {
		const char *base = in.data;
		for (int d = 0; d < x; d++)
			base += rows.idx[d] * in_stride[d];
		char *to = crn_rows_at(&rows, &call->out);
		for (int64_t i = 0; i < rows.n; i += strip)
			walk_strip(&c, base + i * (int64_t)walk->item_size, to + i * out_item,
				rows.n - i < strip ? rows.n - i : strip);
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * box_walk.c -- see box_walk.h.
 *
 * Both ways work on rows of a few kilobytes that stay in the first cache: whole rows along x, and
 * across it strips narrow enough for all rows of a block.
 */
#include "ops/box_walk.h"

#include <string.h>

static size_t round_up(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static int64_t step_of(const crn_box_walk *w, const crn_region *out)
{
	return out->n[w->axis] > 1 ? out->step[w->axis] : 1;
}

/* ---- along x ---- */

static size_t row_buffer(const crn_box_walk *w, const crn_region *out)
{
	crn_region in;
	crn_window_need(w->window, out, &in);
	return round_up((size_t)in.n[w->axis] * w->item_size);
}

/* Windows of a row of n items in buffer[0]; returns the buffer that holds the n - size + 1 results.
 */
static const char *all_windows(const crn_box_walk *w, int64_t n, char *const buffer[3])
{
	int64_t size = w->window->size[w->axis], n_out = n - size + 1, at = 0;
	int64_t item = (int64_t)w->item_size;
	char *a = buffer[0], *b = buffer[1], *acc = buffer[2];
	int64_t width = 1; /* a[i] covers this many items from i on */
	bool any = false;
	for (;; width *= 2) {
		if (w->accumulate && (size & width)) {
			if (any)
				w->accumulate(w->ctx, acc, a + at * item, n_out);
			else
				memcpy(acc, a + at * item, (size_t)(n_out * item));
			any = true;
			at += width;
		}
		if (2 * width > size)
			break;
		n -= width;
		w->combine(w->ctx, a, a + width * item, n, b);
		char *next = b;
		b = a;
		a = next;
	}
	if (w->accumulate)
		return acc;
	w->combine(w->ctx, a, a + (size - width) * item, n_out, acc);
	return acc;
}

static void pick(const char *from, int64_t n, int64_t step, size_t item_size, char *to)
{
	for (int64_t i = 0; i < n; i++)
		memcpy(to + i * (int64_t)item_size, from + i * step * (int64_t)item_size,
			item_size);
}

static void run_row(const crn_box_walk *w, const crn_call *call, const char *from, char *to)
{
	size_t bytes = round_up((size_t)call->in_region[0].n[w->axis] * w->item_size);
	char *first = call->scratch;
	char *const buffer[3] = {first, first + bytes, first + 2 * bytes};
	int64_t n = call->out_region.n[w->axis], step = step_of(w, &call->out_region);
	w->load(w->ctx, from, call->in_region[0].n[w->axis], buffer[0]);
	const char *all = all_windows(w, call->in_region[0].n[w->axis], buffer);
	if (step > 1) {
		pick(all, n, step, w->item_size, buffer[0]);
		all = buffer[0];
	}
	w->finish(w->ctx, all, n, to);
}

/* ---- across x ---- */

/* Rows at the start of scratch, before those of the suffixes. */
enum { TEMPORARY, EVEN, ODD, N_FIXED };

/* One call, seen along its axis: g counts rows in the array's coordinates. */
typedef struct course {
	const crn_box_walk *walk;
	int64_t lo; /* g of the first input row */
	int64_t size, step, n_out;
	int64_t in_next, out_next; /* bytes */
	int64_t width;             /* items of a strip, at most */
	int64_t row_bytes;
	char *memory;
} course;

/* Suffixes kept at a time. */
static int64_t n_suffixes(const crn_box_walk *w, const crn_region *out)
{
	int64_t span = (out->n[w->axis] - 1) * step_of(w, out) + 1;
	int64_t size = w->window->size[w->axis];
	return span < size ? span : size;
}

static int64_t strip_width(const crn_box_walk *w, const crn_region *out)
{
	enum { STRIP_BYTES = 24 << 10, LEAST = 64 };
	int64_t rows = N_FIXED + n_suffixes(w, out), n = out->n[out->ndim - 1];
	int64_t fits = STRIP_BYTES / (int64_t)w->item_size / rows / LEAST * LEAST;
	fits = fits < LEAST ? LEAST : fits;
	return n < fits ? n : fits;
}

static char *fixed_row(const course *c, int64_t which)
{
	return c->memory + which * c->row_bytes;
}

static char *suffix_row(const course *c, int64_t i)
{
	return fixed_row(c, N_FIXED + i);
}

/* Row g combined with what is there so far (NULL: nothing). */
static void fold(const course *c, const char *row, const char *so_far, int64_t n, char *to)
{
	const crn_box_walk *w = c->walk;
	if (!so_far) {
		w->load(w->ctx, row, n, to);
		return;
	}
	w->load(w->ctx, row, n, fixed_row(c, TEMPORARY));
	w->combine(w->ctx, so_far, fixed_row(c, TEMPORARY), n, to);
}

/* Rows g..end combined, for all g from first to last; end is the last of their block. */
static void make_suffixes(const course *c, const char *from, const int64_t g_of[3], int64_t n)
{
	int64_t first = g_of[0], last = g_of[1], end = g_of[2];
	const char *so_far = NULL;
	for (int64_t g = end; g >= first; g--) {
		char *to = g <= last ? suffix_row(c, g - first) : fixed_row(c, g & 1 ? ODD : EVEN);
		fold(c, from + (g - c->lo) * c->in_next, so_far, n, to);
		so_far = to;
	}
}

static int64_t floor_to(int64_t g, int64_t unit)
{
	int64_t rest = g % unit;
	return g - (rest < 0 ? rest + unit : rest);
}

/* All outputs along the axis over a strip of n items. */
static void run_strip(const course *c, const char *from, char *to, int64_t n)
{
	const crn_box_walk *w = c->walk;
	int64_t last_of_all = c->lo + (c->n_out - 1) * c->step;
	for (int64_t k = 0; k < c->n_out;) {
		int64_t first = c->lo + k * c->step, end = floor_to(first, c->size) + c->size - 1;
		int64_t last = last_of_all < end ? last_of_all : end, next = end + 1;
		const char *prefix = NULL; /* rows end + 1 .. next - 1 combined */
		make_suffixes(c, from, (const int64_t[]){first, last, end}, n);
		for (int64_t g = first; g <= last; g += c->step, k++) {
			for (; next < g + c->size; next++) {
				char *sum = fixed_row(c, next & 1 ? ODD : EVEN);
				fold(c, from + (next - c->lo) * c->in_next, prefix, n, sum);
				prefix = sum;
			}
			const char *all = suffix_row(c, g - first);
			if (prefix) {
				w->combine(w->ctx, all, prefix, n, fixed_row(c, TEMPORARY));
				all = fixed_row(c, TEMPORARY);
			}
			w->finish(w->ctx, all, n, to + k * c->out_next);
		}
	}
}

/* ---- both ---- */

size_t crn_box_walk_scratch(const crn_box_walk *w, const crn_region *out)
{
	if (crn_region_empty(out))
		return 0;
	if (w->axis == out->ndim - 1)
		return 3 * row_buffer(w, out);
	size_t rows = (size_t)(N_FIXED + n_suffixes(w, out));
	return rows * round_up((size_t)strip_width(w, out) * w->item_size);
}

void crn_box_walk_run(const crn_box_walk *w, const crn_call *call)
{
	const crn_region *out = &call->out_region;
	if (crn_region_empty(out))
		return;
	bool along_x = w->axis == out->ndim - 1;
	course c = {.walk = w,
		.lo = call->in_region[0].lo[w->axis],
		.size = w->window->size[w->axis],
		.step = step_of(w, out),
		.n_out = out->n[w->axis],
		.in_next = call->in[0].stride[w->axis],
		.out_next = call->out.stride[w->axis],
		.width = strip_width(w, out),
		.memory = call->scratch};
	c.row_bytes = (int64_t)round_up((size_t)c.width * w->item_size);
	int64_t shape[CRN_MAX_NDIM];
	memcpy(shape, out->n, sizeof(shape));
	if (!along_x)
		shape[w->axis] = 1;
	int64_t in_item = (int64_t)crn_dtype_size(call->in[0].dtype);
	int64_t out_item = (int64_t)crn_dtype_size(call->out.dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, out->ndim, shape); !rows.end; crn_rows_next(&rows)) {
		const char *from = crn_rows_at(&rows, &call->in[0]);
		char *to = crn_rows_at(&rows, &call->out);
		if (along_x) {
			run_row(w, call, from, to);
			continue;
		}
		for (int64_t i = 0; i < rows.n; i += c.width)
			run_strip(&c, from + i * in_item, to + i * out_item,
				rows.n - i < c.width ? rows.n - i : c.width);
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * doubling.c -- see doubling.h.
 *
 * Work goes in strips: along x one row at a time; along another axis all voxels of that axis over a
 * stretch of x that keeps the buffers in the second-level cache. A strip is a line of units (one
 * voxel along x, one stretch otherwise), so that both cases run the same loop.
 */
#include "ops/doubling.h"

#include <string.h>

typedef struct strip {
	int64_t units;       /* along the axis, borders included */
	int64_t unit;        /* elements of one unit: 1 along x */
	size_t buffer_bytes; /* of one of the three buffers */
} strip;

static strip strip_of(const crn_doubling *d, const crn_region *out)
{
	enum { BUFFER_BYTES = 96 << 10, LEAST = 64 };
	crn_region in;
	crn_window_need(d->window, out, &in);
	int x = in.ndim - 1;
	strip s = {.units = in.n[d->axis], .unit = 1};
	if (d->axis != x) {
		int64_t fits = BUFFER_BYTES / (int64_t)d->item_size / s.units / LEAST * LEAST;
		fits = fits < LEAST ? LEAST : fits;
		s.unit = in.n[x] < fits ? in.n[x] : fits;
	}
	s.buffer_bytes = ((size_t)(s.units * s.unit) * d->item_size + 63) & ~(size_t)63;
	return s;
}

size_t crn_doubling_scratch(const crn_doubling *d, const crn_region *out)
{
	return 3 * strip_of(d, out).buffer_bytes;
}

/* Windows of all units of `a` (n_units of them, unit elements each); returns the buffer that holds
 * the n_units - size + 1 results. */
static const char *all_windows(
	const crn_doubling *d, int64_t n_units, int64_t unit, char *const buffer[3])
{
	int64_t size = d->window->size[d->axis], n_out = n_units - size + 1, at = 0;
	int64_t bytes = unit * (int64_t)d->item_size;
	char *a = buffer[0], *b = buffer[1], *acc = buffer[2];
	int64_t width = 1; /* a[i] covers this many units from i on */
	bool any = false;
	for (;; width *= 2) {
		if (d->accumulate && (size & width)) {
			if (any)
				d->accumulate(d->ctx, acc, a + at * bytes, n_out * unit);
			else
				memcpy(acc, a + at * bytes, (size_t)(n_out * bytes));
			any = true;
			at += width;
		}
		if (2 * width > size)
			break;
		n_units -= width;
		d->combine(d->ctx, a, a + width * bytes, n_units * unit, b);
		char *next = b;
		b = a;
		a = next;
	}
	if (d->accumulate)
		return acc;
	d->combine(d->ctx, a, a + (size - width) * bytes, n_out * unit, acc);
	return acc;
}

static void pick(const char *from, int64_t n, int64_t step, size_t item_size, char *to)
{
	for (int64_t i = 0; i < n; i++)
		memcpy(to + i * (int64_t)item_size, from + i * step * (int64_t)item_size,
			item_size);
}

/* One row along x: `from` is the input row. */
static void run_row(const crn_doubling *d, const crn_call *call, char *const buffer[3],
	const char *from, char *to)
{
	int x = d->axis;
	int64_t n = call->out_region.n[x], step = n > 1 ? call->out_region.step[x] : 1;
	d->load(d->ctx, from, call->in_region[0].n[x], buffer[0]);
	const char *all = all_windows(d, call->in_region[0].n[x], 1, buffer);
	if (step > 1) {
		pick(all, n, step, d->item_size, buffer[0]);
		all = buffer[0];
	}
	d->finish(d->ctx, all, n, to);
}

/* One stretch of n elements along x, all voxels along the axis. */
static void run_stretch(const crn_doubling *d, const crn_call *call, char *const buffer[3],
	const char *from, char *to, int64_t n)
{
	int axis = d->axis;
	int64_t units = call->in_region[0].n[axis], n_out = call->out_region.n[axis];
	int64_t step = n_out > 1 ? call->out_region.step[axis] : 1;
	int64_t bytes = n * (int64_t)d->item_size;
	for (int64_t k = 0; k < units; k++)
		d->load(d->ctx, from + k * call->in[0].stride[axis], n, buffer[0] + k * bytes);
	const char *all = all_windows(d, units, n, buffer);
	for (int64_t k = 0; k < n_out; k++)
		d->finish(d->ctx, all + k * step * bytes, n, to + k * call->out.stride[axis]);
}

void crn_doubling_run(const crn_doubling *d, const crn_call *call)
{
	const crn_region *out = &call->out_region;
	if (crn_region_empty(out))
		return;
	strip s = strip_of(d, out);
	char *memory = call->scratch;
	char *buffer[3] = {memory, memory + s.buffer_bytes, memory + 2 * s.buffer_bytes};
	int x = out->ndim - 1;
	int64_t shape[CRN_MAX_NDIM];
	memcpy(shape, out->n, sizeof(shape));
	if (d->axis != x)
		shape[d->axis] = 1;
	int64_t in_item = (int64_t)crn_dtype_size(call->in[0].dtype);
	int64_t out_item = (int64_t)crn_dtype_size(call->out.dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, out->ndim, shape); !rows.end; crn_rows_next(&rows)) {
		const char *from = crn_rows_at(&rows, &call->in[0]);
		char *to = crn_rows_at(&rows, &call->out);
		if (d->axis == x) {
			run_row(d, call, buffer, from, to);
			continue;
		}
		for (int64_t i = 0; i < rows.n; i += s.unit)
			run_stretch(d, call, buffer, from + i * in_item, to + i * out_item,
				rows.n - i < s.unit ? rows.n - i : s.unit);
	}
}

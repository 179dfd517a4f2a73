/* SPDX-License-Identifier: Apache-2.0
 *
 * filter_window.h -- what all windowed filters share: borders, regions, and walking output rows.
 *
 * A window is a box of `size` voxels per axis, of which `left` lie before the output voxel. A tap
 *is one voxel of it. Filters see a row of outputs at a time, with one byte offset per tap that
 *leads from the row's base to the row of inputs at that tap:
 *
 *	out[i] = f(base + offset[0] + i * size, base + offset[1] + i * size, ...)
 *
 * When every s-th voxel along x is wanted, the input's rows are first dealt into s phases, so that
 * the same holds with a smaller base row: filters never compute voxels nobody asked for.
 */
#ifndef CRN_OPS_FILTER_WINDOW_H
#define CRN_OPS_FILTER_WINDOW_H

#include "core/op.h"

#include <stddef.h>

typedef struct crn_window {
	int ndim;
	int64_t size[CRN_MAX_NDIM]; /* >= 1 */
	int64_t left[CRN_MAX_NDIM]; /* 0..size-1; 0 where size is 1 */
} crn_window;

/** Border names a filter takes, with scipy's grid- spellings. */
extern const char *const crn_border_names[];
/** Canonical name: "grid-mirror" is "reflect", "grid-wrap" "wrap", "grid-constant" "constant". */
const char *crn_border_canonical(const char *name);
crn_border crn_border_parse(const char *name);

/**
 * The window of scipy.ndimage: left = size / 2 + origin.
 *
 * USAGE for a size < 1 or an origin that leaves the window (`what` names the op).
 */
CRN_CHECKED cairn_status crn_window_set(
	crn_window *w, int axis, int64_t size, int64_t origin, const char *what, cairn_error *err);

/** Window of a constant (footprint, weights, structure) with origins checked before. */
crn_window crn_window_of(const crn_const *c, const crn_value *origins);
/** The same with checks: as many axes as `ndim`, origins inside. */
CRN_CHECKED cairn_status crn_window_check(
	const crn_const *c, const crn_value *origins, int ndim, const char *what, cairn_error *err);
/** Positions of the constant's elements for which keep() holds, n x ndim; returns n. at may be
 * NULL. */
int crn_window_taps(const crn_const *c, bool (*keep)(const crn_const *c, int64_t i), int32_t *at);

/** Input region of an output region: dense where the window is wider than 1, else as asked. */
void crn_window_need(const crn_window *w, const crn_region *out, crn_region *ret);

/** Reads rows of in[0] in another form; `from` and `to` may differ in item size. */
typedef void (*crn_row_load_fn)(const void *from, int64_t n, void *to);

/** A few rows of outputs, and the input row that belongs to the first; see above. */
typedef struct crn_tap_rows {
	const char *base;
	const ptrdiff_t *offset;
	int64_t n; /* outputs of a row */
	char *out; /* contiguous */
	int n_rows;
	ptrdiff_t in_next, out_next; /* bytes from row to row */
	/* The rows lie next to each other along the only axis the window spans, each one tap
	 * further than the one before. */
	bool one_tap_apart;
} crn_tap_rows;

typedef void (*crn_tap_rows_fn)(const void *ctx, const crn_tap_rows *rows);

typedef struct crn_tap_walk {
	const crn_window *window;
	int n_taps;
	const int32_t *at;    /* n_taps x ndim: position of the tap in the window */
	int at_stride;        /* taps of `at` from one to the next; 0 means 1 */
	bool whole_rows;      /* rows are never cut into strips */
	size_t item_size;     /* of what the taps read (after load) */
	crn_row_load_fn load; /* NULL: the input as it is */
	crn_tap_rows_fn rows;
	const void *ctx;
} crn_tap_walk;

/** Scratch bytes of crn_tap_walk_run for an output region. */
size_t crn_tap_walk_scratch(const crn_tap_walk *walk, const crn_region *out);
void crn_tap_walk_run(const crn_tap_walk *walk, const crn_call *call);

/* ---- building filters ---- */

/** Checks an axis that may be negative. */
CRN_CHECKED cairn_status crn_filter_axis(
	int64_t axis, int ndim, const char *what, int *ret, cairn_error *err);
/** mode argument: one name, or one per axis; ret[d] points to canonical static names. */
CRN_CHECKED cairn_status crn_filter_modes(const crn_value *v, int ndim,
	const char *ret[CRN_MAX_NDIM], const char *what, cairn_error *err);
/** One node of the internal op convert_samples ("exact", "round", "truncate", "nonzero"); returns
 * the input itself when the dtype is the same already. */
CRN_CHECKED cairn_status crn_filter_convert(crn_graph *g, crn_node *input, crn_dtype to,
	const char *how, crn_node **ret, cairn_error *err);
/** dtype filters work in: itself for floats; float32 up to 16 bits, float64 beyond. */
crn_dtype crn_filter_float(crn_dtype t);
/** cval as element of `t`; false if an integer dtype cannot hold it. */
bool crn_filter_cval(double cval, crn_dtype t, crn_elem *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * view_array.c -- cairn_view(): planes, three planes, montages, projections and histograms of an
 *array.
 *
 *	array ── cairn_array_read (only the planes shown, every step-th pixel of large ones)
 *	      ── picture.h ── PNG
 *
 * Planes have the last two axes as rows and columns (the last two but the one looked along); axes
 * that are neither are held at their middle. A last axis of three or four colours makes a colour
 * picture. Pictures are at most MAX_SIDE pixels a side: larger planes are read with a step.
 *
 * Memory: the planes of one picture, at most about MAX_SIDE x MAX_SIDE voxels, on the heap.
 */
#include "cairn/cairn.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "flows/picture.h"

#include <math.h>
#include <string.h>

enum { MAX_SIDE = 4096, SMALL_SIDE = 256, MAX_PLANES = 4096, GAP = 4 };

/* One picture being made of planes of one array. */
typedef struct viewer {
	const cairn_array *a;
	const cairn_view_options *v;
	const cairn_options *options;
	int ndim;
	const int64_t *shape;
	int axis;          /* looked along; -1: the array is itself a plane */
	int rows, columns; /* axes; rows is -1 for a 1-D array */
	int colours;       /* axis of 3 or 4 colours, or -1 */
	int64_t side;      /* limit of rows and columns in the picture */
} viewer;

static void free_pictures(crn_picture *p, int64_t n)
{
	for (int64_t i = 0; p && i < n; i++)
		crn_picture_done(&p[i]);
	crn_free(p);
}

/* ---- which axes ---- */

static int colour_axis(const cairn_array *a)
{
	const char *name = "";
	int last = cairn_array_ndim(a) - 1;
	if (last < 2)
		return -1;
	int64_t n = cairn_array_shape(a)[last];
	cairn_array_axis(a, last, &name, NULL, NULL, NULL);
	bool bytes = strcmp(cairn_array_dtype(a), "uint8") == 0;
	bool likely = strcmp(name, "c") == 0 || (name[0] == '\0' && bytes);
	return likely && (n == 3 || n == 4) ? last : -1;
}

/* The fastest axis that is not one of these. */
static int other_axis(const viewer *w, int not_a, int not_b)
{
	for (int d = w->ndim - 1; d >= 0; d--)
		if (d != not_a && d != not_b && d != w->colours)
			return d;
	return -1;
}

static cairn_status choose_axes(viewer *w, cairn_error *err)
{
	int axis = w->v->axis < 0 ? w->v->axis + w->ndim : w->v->axis;
	int spatial = w->ndim - (w->colours >= 0);
	if (w->ndim == 0)
		return crn_fail(err, CAIRN_USAGE, "a single number makes no picture");
	if (axis < 0 || axis >= w->ndim)
		return crn_fail(err, CAIRN_USAGE, "axis %d: the array has %d", w->v->axis, w->ndim);
	if (axis == w->colours)
		return crn_fail(err, CAIRN_USAGE, "axis %d holds the colours", axis);
	for (int d = 0; d < w->ndim; d++)
		if (w->shape[d] == 0)
			return crn_fail(err, CAIRN_USAGE, "the array has no voxels");
	w->axis = spatial > 2 ? axis : -1;
	w->columns = other_axis(w, w->axis, -1);
	w->rows = spatial > 1 ? other_axis(w, w->axis, w->columns) : -1;
	return CAIRN_OK;
}

static cairn_status plane_index(const viewer *w, int64_t *ret, cairn_error *err)
{
	int64_t n = w->axis >= 0 ? w->shape[w->axis] : 1, i = w->v->index;
	if (!w->v->has_index) {
		*ret = n / 2;
		return CAIRN_OK;
	}
	if (i < -n || i >= n)
		return crn_fail(err, CAIRN_USAGE, "index %lld: axis %d has %lld planes",
			(long long)i, w->axis, (long long)n);
	*ret = i < 0 ? i + n : i;
	return CAIRN_OK;
}

/* ---- reading planes ---- */

static int64_t step_for(int64_t extent, int64_t side)
{
	return extent <= side ? 1 : (extent + side - 1) / side;
}

/* Where a plane lies: rows x columns voxels after steps, at `index` of axis and colour `c`. */
static void place_plane(
	const viewer *w, int64_t index, int64_t c, int64_t *start, int64_t *n, int64_t *step)
{
	for (int d = 0; d < w->ndim; d++) {
		bool shown = d == w->rows || d == w->columns;
		step[d] = shown ? step_for(w->shape[d], w->side) : 1;
		n[d] = shown ? (w->shape[d] + step[d] - 1) / step[d] : 1;
		start[d] = shown ? 0 : d == w->axis ? index : d == w->colours ? c : w->shape[d] / 2;
	}
}

/* Planes at indices[0 .. count) one after the other in one heap block. */
static cairn_status read_planes(const viewer *w, const cairn_array *a, const int64_t *indices,
	int64_t count, int64_t colour, crn_block *ret, cairn_error *err)
{
	int64_t start[CAIRN_MAX_NDIM], n[CAIRN_MAX_NDIM], step[CAIRN_MAX_NDIM];
	crn_pixel pixel;
	if (!crn_pixel_from_name(cairn_array_dtype(a), &pixel))
		return crn_fail(
			err, CAIRN_FAILED, "dtype %s makes no picture", cairn_array_dtype(a));
	place_plane(w, 0, 0, start, n, step);
	int64_t rows = w->rows >= 0 ? n[w->rows] : 1, columns = n[w->columns];
	size_t bytes = (size_t)rows * (size_t)columns * cairn_array_item_bytes(a);
	CRN_FREE char *data = crn_calloc((size_t)count, bytes);
	if (!data)
		return crn_fail_memory(err, "a picture", (size_t)count * bytes);
	for (int64_t i = 0; i < count; i++) {
		place_plane(w, indices[i], colour, start, n, step);
		CRN_TRY(cairn_array_read(
			a, start, n, step, data + (size_t)i * bytes, bytes, w->options, err));
	}
	*ret = (crn_block){crn_steal(&data), pixel, count, rows, columns};
	return CAIRN_OK;
}

/* rows and columns exchanged; the block's data is replaced. */
static cairn_status transpose(crn_block *b, size_t item, cairn_error *err)
{
	char *to = crn_calloc((size_t)(b->rows * b->columns), item);
	if (!to)
		return crn_fail_memory(err, "a picture", (size_t)(b->rows * b->columns) * item);
	for (int64_t r = 0; r < b->rows; r++)
		for (int64_t c = 0; c < b->columns; c++)
			memcpy(to + (size_t)(c * b->rows + r) * item,
				(const char *)b->data + (size_t)(r * b->columns + c) * item, item);
	crn_free((void *)b->data);
	*b = (crn_block){to, b->pixel, 1, b->columns, b->rows};
	return CAIRN_OK;
}

static void block_done(crn_block *b)
{
	crn_free((void *)b->data);
	b->data = NULL;
}

/* ---- drawing planes ---- */

static cairn_status contrast_of(
	const viewer *w, const crn_block *b, crn_contrast *ret, cairn_error *err)
{
	if (w->v->low < w->v->high) {
		*ret = (crn_contrast){w->v->low, w->v->high};
		return CAIRN_OK;
	}
	if (b->pixel == CRN_PIXEL_BOOL || (w->colours >= 0 && b->pixel == CRN_PIXEL_U8)) {
		*ret = (crn_contrast){0, b->pixel == CRN_PIXEL_BOOL ? 1 : 255};
		return CAIRN_OK;
	}
	return crn_contrast_percentiles(b, 0.5, 99.5, ret, err);
}

static bool draws_labels(const viewer *w, const crn_block *b)
{
	return cairn_array_kind(w->a) == CAIRN_LABEL && b->pixel != CRN_PIXEL_F32 &&
	       b->pixel != CRN_PIXEL_F64;
}

static cairn_status draw_plane(const viewer *w, const crn_block *b, int64_t plane, crn_contrast c,
	crn_picture *ret, cairn_error *err)
{
	return draws_labels(w, b) ? crn_picture_labels(b, plane, ret, err)
				  : crn_picture_grey(b, plane, c, ret, err);
}

/* Red, green and blue drawn as three grey pictures, then put together. */
static cairn_status draw_colours(
	const viewer *w, const int64_t *index, crn_picture *ret, cairn_error *err)
{
	crn_picture part[3] = {{0}};
	cairn_status status = CAIRN_OK;
	for (int c = 0; c < 3 && status == CAIRN_OK; c++) {
		crn_block b = {0};
		crn_contrast contrast = {0, 1};
		status = read_planes(w, w->a, index, 1, c, &b, err);
		if (status == CAIRN_OK)
			status = contrast_of(w, &b, &contrast, err);
		if (status == CAIRN_OK)
			status = crn_picture_grey(&b, 0, contrast, &part[c], err);
		block_done(&b);
	}
	if (status == CAIRN_OK) {
		for (int64_t i = 0; i < part[0].width * part[0].height; i++)
			for (int c = 1; c < 3; c++)
				part[0].rgb[3 * i + c] = part[c].rgb[3 * i];
		*ret = part[0];
		part[0] = (crn_picture){0};
	}
	for (int c = 0; c < 3; c++)
		crn_picture_done(&part[c]);
	return status;
}

/* The given planes, each with its part of the overlay. */
static cairn_status draw_planes(const viewer *w, const int64_t *indices, int64_t count,
	crn_picture *pictures, cairn_error *err)
{
	crn_block b = {0}, labels = {0};
	crn_contrast contrast = {0, 1};
	if (w->colours >= 0) {
		for (int64_t i = 0; i < count; i++)
			CRN_TRY(draw_colours(w, &indices[i], &pictures[i], err));
		return CAIRN_OK;
	}
	cairn_status status = read_planes(w, w->a, indices, count, 0, &b, err);
	if (status == CAIRN_OK && w->v->overlay)
		status = read_planes(w, w->v->overlay, indices, count, 0, &labels, err);
	if (status == CAIRN_OK)
		status = contrast_of(w, &b, &contrast, err);
	for (int64_t i = 0; i < count && status == CAIRN_OK; i++) {
		status = draw_plane(w, &b, i, contrast, &pictures[i], err);
		if (status == CAIRN_OK && w->v->overlay)
			status = crn_picture_overlay(&pictures[i], &labels, i, 0.75, false, err);
	}
	block_done(&b);
	block_done(&labels);
	return status;
}

/* ---- modes ---- */

static cairn_status view_plane(viewer *w, crn_picture *ret, cairn_error *err)
{
	int64_t index = 0;
	CRN_TRY(plane_index(w, &index, err));
	return draw_planes(w, &index, 1, ret, err);
}

static cairn_status view_montage(viewer *w, crn_picture *ret, cairn_error *err)
{
	int64_t n = w->axis >= 0 ? w->shape[w->axis] : 1;
	int64_t count = w->v->count > 0 ? w->v->count : 16;
	count = count < n ? count : n;
	count = count < MAX_PLANES ? count : MAX_PLANES;
	w->side = MAX_SIDE / (int64_t)ceil(sqrt((double)count));
	CRN_FREE int64_t *indices = crn_calloc((size_t)count, sizeof(*indices));
	crn_picture *pictures = crn_calloc((size_t)count, sizeof(*pictures));
	if (!indices || !pictures) {
		crn_free(pictures);
		return crn_fail_memory(err, "a montage", (size_t)count * sizeof(*pictures));
	}
	/* The middle of each of `count` equal parts. */
	for (int64_t i = 0; i < count; i++)
		indices[i] = (2 * i + 1) * n / (2 * count);
	cairn_status status = draw_planes(w, indices, count, pictures, err);
	if (status == CAIRN_OK)
		status = crn_picture_montage(pictures, count, 0, GAP, ret, err);
	free_pictures(pictures, count);
	return status;
}

/* One of the three planes; `across` is the axis looked along, turned: columns become rows. */
static cairn_status ortho_plane(const viewer *w, int across, int64_t index, bool turned,
	crn_contrast *contrast, crn_picture *ret, cairn_error *err)
{
	viewer one = *w;
	crn_block b = {0}, labels = {0};
	one.axis = across;
	one.columns = other_axis(&one, across, -1);
	one.rows = other_axis(&one, across, one.columns);
	cairn_status status = read_planes(&one, w->a, &index, 1, 0, &b, err);
	if (status == CAIRN_OK && w->v->overlay)
		status = read_planes(&one, w->v->overlay, &index, 1, 0, &labels, err);
	if (status == CAIRN_OK && turned)
		status = transpose(&b, cairn_array_item_bytes(w->a), err);
	if (status == CAIRN_OK && turned && w->v->overlay)
		status = transpose(&labels, cairn_array_item_bytes(w->v->overlay), err);
	if (status == CAIRN_OK && !(contrast->low < contrast->high))
		status = contrast_of(w, &b, contrast, err);
	if (status == CAIRN_OK)
		status = draw_plane(w, &b, 0, *contrast, ret, err);
	if (status == CAIRN_OK && w->v->overlay)
		status = crn_picture_overlay(ret, &labels, 0, 0.5, false, err);
	block_done(&b);
	block_done(&labels);
	return status;
}

static cairn_status view_ortho(viewer *w, crn_picture *ret, cairn_error *err)
{
	crn_picture xy = {0}, zy = {0}, xz = {0};
	crn_contrast contrast = {0, 0}; /* of the first plane, used for all three */
	int64_t index = 0;
	if (w->axis < 0 || w->colours >= 0)
		return crn_fail(
			err, CAIRN_USAGE, "three planes need an array of three axes or more");
	w->side = MAX_SIDE / 2;
	CRN_TRY(plane_index(w, &index, err));
	int z = w->axis, y = w->rows, x = w->columns;
	cairn_status status = ortho_plane(w, z, index, false, &contrast, &xy, err);
	if (status == CAIRN_OK)
		status = ortho_plane(w, x, w->shape[x] / 2, z < y, &contrast, &zy, err);
	if (status == CAIRN_OK)
		status = ortho_plane(w, y, w->shape[y] / 2, z > x, &contrast, &xz, err);
	if (status == CAIRN_OK)
		status = crn_picture_three(&xy, &zy, &xz, GAP, ret, err);
	crn_picture_done(&xy);
	crn_picture_done(&zy);
	crn_picture_done(&xz);
	return status;
}

static cairn_status view_projection(cairn_session *s, viewer *w, crn_picture *ret, cairn_error *err)
{
	static const char *const names[] = {"max", "mean", "sum"};
	const char *how = w->v->projection ? w->v->projection : "max";
	bool known = false;
	for (int i = 0; i < 3; i++)
		known |= strcmp(how, names[i]) == 0;
	if (!known)
		return crn_fail(
			err, CAIRN_USAGE, "a projection is max, mean or sum, not %.40s", how);
	if (w->axis < 0)
		return crn_fail(
			err, CAIRN_USAGE, "a projection needs an array of three axes or more");
	CRN_STR text = {0};
	crn_str_appendf(&text, "x.%s(axis=%d)", how, w->axis);
	if (text.oom)
		return crn_fail_memory(err, "a text", 64);
	cairn_array *flat = NULL;
	CRN_TRY(cairn_array_eval(s, w->a, text.data, &flat, err));
	cairn_view_options plain = *w->v;
	viewer inner = *w;
	plain.axis = 0;
	plain.has_index = 0;
	plain.overlay = NULL;
	inner.a = flat;
	inner.v = &plain;
	inner.ndim = cairn_array_ndim(flat);
	inner.shape = cairn_array_shape(flat);
	inner.colours = w->colours >= 0 ? inner.ndim - 1 : -1;
	cairn_status status = choose_axes(&inner, err);
	if (status == CAIRN_OK)
		status = view_plane(&inner, ret, err);
	cairn_array_free(flat);
	return status;
}

/* ---- histogram ---- */

/* A reduction of the array to one number. */
static cairn_status number_of(
	cairn_session *s, const viewer *w, const char *text, double *ret, cairn_error *err)
{
	cairn_array *a = NULL;
	CRN_TRY(cairn_array_eval(s, w->a, text, &a, err));
	cairn_status status =
		cairn_array_ndim(a) == 0 && strcmp(cairn_array_dtype(a), "float64") == 0
			? cairn_array_read(a, NULL, NULL, NULL, ret, sizeof(*ret), w->options, err)
			: crn_fail(err, CAIRN_FAILED, "%s gives no single number", text);
	cairn_array_free(a);
	return status;
}

static cairn_status view_histogram(cairn_session *s, viewer *w, crn_picture *ret, cairn_error *err)
{
	double low = w->v->low, high = w->v->high;
	int64_t bins = w->v->bins > 0 ? w->v->bins : 256;
	cairn_array *counts = NULL;
	if (!(low < high)) {
		CRN_TRY(number_of(s, w, "x.min().astype(float64)", &low, err));
		CRN_TRY(number_of(s, w, "x.max().astype(float64)", &high, err));
	}
	if (!(low < high))
		high = low + 1;
	CRN_STR text = {0};
	crn_str_appendf(&text, "histogram(x, bins=%lld, range=(%.17g, %.17g)).astype(uint64)",
		(long long)bins, low, high);
	CRN_FREE uint64_t *n = crn_calloc((size_t)bins, sizeof(*n));
	if (!n || text.oom)
		return crn_fail_memory(err, "a histogram", (size_t)bins * sizeof(*n));
	CRN_TRY(cairn_array_eval(s, w->a, text.data, &counts, err));
	cairn_status status = cairn_array_read(
		counts, NULL, NULL, NULL, n, (size_t)bins * sizeof(*n), w->options, err);
	cairn_array_free(counts);
	CRN_TRY(status);
	crn_histogram_plot plot = {.counts = n,
		.n_bins = bins,
		.low = low,
		.high = high,
		.log_counts = true,
		.x_label = "value"};
	return crn_picture_histogram(&plot, ret, err);
}

/* ---- all ---- */

static cairn_status check_overlay(const viewer *w, cairn_error *err)
{
	const cairn_array *o = w->v->overlay;
	if (!o)
		return CAIRN_OK;
	bool same = cairn_array_ndim(o) == w->ndim &&
		    memcmp(cairn_array_shape(o), w->shape, (size_t)w->ndim * sizeof(int64_t)) == 0;
	if (!same)
		return crn_fail(err, CAIRN_USAGE, "the overlay has another shape than the array");
	if (cairn_array_dtype(o)[0] == 'f')
		return crn_fail(err, CAIRN_USAGE, "the overlay holds %s, labels are integers",
			cairn_array_dtype(o));
	return CAIRN_OK;
}

/* Small pictures grow by a whole factor until their longer side is about SMALL_SIDE. */
static cairn_status enlarge(const viewer *w, crn_picture *p, cairn_error *err)
{
	int64_t longer = p->width > p->height ? p->width : p->height;
	int64_t factor = w->v->enlarge > 0 ? w->v->enlarge : SMALL_SIDE / (longer > 0 ? longer : 1);
	crn_picture big = {0};
	if (factor <= 1)
		return CAIRN_OK;
	CRN_TRY(crn_picture_enlarge(p, factor < 64 ? factor : 64, &big, err));
	crn_picture_done(p);
	*p = big;
	return CAIRN_OK;
}

/* Columns may have been read with a step and drawn enlarged: the picture's own width tells. */
static void scale_bar(const viewer *w, crn_picture *p)
{
	const char *unit = "";
	double scale = 1;
	bool plane = w->v->mode == CAIRN_VIEW_PLANE || w->v->mode == CAIRN_VIEW_PROJECT;
	if (!w->v->scale_bar || !plane)
		return;
	cairn_array_axis(w->a, w->columns, NULL, &unit, &scale, NULL);
	if (unit[0])
		crn_picture_scale_bar(
			p, scale * (double)w->shape[w->columns] / (double)p->width, unit);
}

static cairn_status draw(cairn_session *s, viewer *w, crn_picture *ret, cairn_error *err)
{
	switch (w->v->mode) {
	case CAIRN_VIEW_ORTHO:
		return view_ortho(w, ret, err);
	case CAIRN_VIEW_MONTAGE:
		return view_montage(w, ret, err);
	case CAIRN_VIEW_PROJECT:
		return view_projection(s, w, ret, err);
	case CAIRN_VIEW_HISTOGRAM:
		return view_histogram(s, w, ret, err);
	default:
		return view_plane(w, ret, err);
	}
}

cairn_status cairn_view(cairn_session *s, const cairn_array *a, const cairn_view_options *view,
	const char *png_path, const cairn_options *options, cairn_error *err)
{
	static const cairn_view_options none;
	viewer w = {
		.a = a,
		.v = view ? view : &none,
		.options = options,
		.ndim = cairn_array_ndim(a),
		.shape = cairn_array_shape(a),
		.colours = colour_axis(a),
		.side = MAX_SIDE,
	};
	crn_picture p = {0};
	CRN_TRY(choose_axes(&w, err));
	CRN_TRY(check_overlay(&w, err));
	cairn_status status = draw(s, &w, &p, err);
	if (status == CAIRN_OK && w.v->mode != CAIRN_VIEW_HISTOGRAM)
		status = enlarge(&w, &p, err);
	if (status == CAIRN_OK)
		scale_bar(&w, &p);
	if (status == CAIRN_OK)
		status = crn_picture_write_png(&p, png_path, err);
	crn_picture_done(&p);
	return status;
}

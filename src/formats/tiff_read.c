/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_read.c -- from strips and tiles to voxels. See tiff_read.h.
 *
 * Scratch of a unit: [compressed bytes of one strip or tile][decoded bytes, if they need picking].
 * A strip whose position and size are both 0 was never written (sparse files): it reads as 0.
 */
#include "formats/tiff_read.h"

#include "formats/tiff_codec.h"

#include <string.h>

/* Strips are grouped up to the first size; a page up to the second is one unit. */
enum { MIN_UNIT_BYTES = 64 << 10, MAX_PAGE_UNIT_BYTES = 512 << 10 };

static int64_t unit_rows(const crn_tiff_series *s)
{
	const crn_tiff_page *p = &s->first;
	int64_t bytes = crn_tiff_row_bytes(p) * p->unit_height;
	if (!p->tiled && crn_tiff_row_bytes(p) * p->height <= MAX_PAGE_UNIT_BYTES)
		return p->height;
	if (p->tiled || bytes >= MIN_UNIT_BYTES)
		return p->unit_height;
	return p->unit_height * ((MIN_UNIT_BYTES + bytes - 1) / bytes);
}

static size_t round_64(size_t n)
{
	return (n + 63) / 64 * 64;
}

static size_t encoded_room(const crn_tiff_series *s)
{
	const crn_tiff_page *p = &s->first;
	return round_64(crn_tiff_encoded_bound((size_t)(crn_tiff_row_bytes(p) * p->unit_height)));
}

void crn_tiff_plan_units(const crn_tiff_series *s, int64_t *ret_unit, size_t *ret_scratch)
{
	const crn_tiff_page *p = &s->first;
	int64_t rows = unit_rows(s);
	for (int d = 0; d < s->type.ndim; d++)
		ret_unit[d] = 1;
	ret_unit[s->axis_y] = rows < p->height ? rows : p->height;
	ret_unit[s->axis_x] = p->unit_width < p->width ? p->unit_width : p->width;
	if (s->axis_sample >= 0)
		ret_unit[s->axis_sample] = p->samples;
	*ret_scratch = encoded_room(s) + round_64((size_t)(crn_tiff_row_bytes(p) * p->unit_height));
	if (*ret_scratch < CRN_FLAT_SCRATCH)
		*ret_scratch = CRN_FLAT_SCRATCH;
}

bool crn_tiff_can_box(const crn_tiff_series *s)
{
	return s->uncompressed && s->first.bits >= 8;
}

/* ---- finding a strip or tile ---- */

static int64_t page_of(const crn_tiff_series *s, const int64_t *idx)
{
	int64_t page = 0;
	for (int d = 0; d < s->n_page_axes; d++)
		page += idx[d] * s->page_stride[d];
	return page;
}

static int64_t units_of_plane(const crn_tiff_series *s)
{
	const crn_tiff_page *p = &s->first;
	return crn_n_units(p->width, p->unit_width) * crn_n_units(p->height, p->unit_height);
}

/* Position and size of strip or tile k of a page; counts of 0 mean "as large as decoded". */
static cairn_status find_units(const crn_tiff_series *s, int64_t page, int64_t k, size_t n,
	uint64_t *ret_at, uint64_t *ret_bytes, cairn_error *err)
{
	const crn_tiff_page *p = &s->first;
	uint64_t full = (uint64_t)(crn_tiff_row_bytes(p) * p->unit_height);
	if (s->contiguous) {
		for (size_t i = 0; i < n; i++) {
			ret_at[i] = s->plane_at + (uint64_t)(page * s->plane_bytes) +
				    ((uint64_t)k + i) * full;
			ret_bytes[i] = full;
		}
		return CAIRN_OK;
	}
	const crn_tiff_loc *loc = &s->pages[page];
	uint64_t total = (uint64_t)crn_tiff_n_units(p);
	crn_tiff_array at = {loc->offsets_at, total, loc->offsets_type};
	crn_tiff_array bytes = {loc->counts_at, total, loc->counts_type};
	CRN_TRY(crn_tiff_values(&s->t, &at, (uint64_t)k, n, ret_at, err));
	if (loc->counts_type)
		return crn_tiff_values(&s->t, &bytes, (uint64_t)k, n, ret_bytes, err);
	for (size_t i = 0; i < n; i++)
		ret_bytes[i] = full;
	return CAIRN_OK;
}

static void where_page(const crn_tiff_series *s, int64_t page, int64_t k, cairn_error *err)
{
	crn_where(err, "%s, page %lld, %s %lld", s->t.file.path, (long long)page,
		s->first.tiled ? "tile" : "strip", (long long)k);
}

/* ---- decoding ---- */

/* 1-, 2- and 4-bit rows to one byte an element; rows start on byte boundaries. */
static void expand_bits(const unsigned char *in, int bits, int64_t n, unsigned char *out)
{
	unsigned mask = (1u << bits) - 1;
	for (int64_t i = 0; i < n; i++) {
		int shift = 8 - bits - (int)(i * bits % 8);
		out[i] = (unsigned char)(in[i * bits / 8] >> shift & mask);
	}
}

/* One strip or tile while a unit is read. */
typedef struct piece {
	const crn_tiff_series *s;
	crn_tiff_codec *codec;
	int64_t page, k;     /* strip or tile number in the page */
	int64_t rows, width; /* wanted of it, from its first row and column */
	char *out;           /* dense rows go here, `out_pitch` bytes apart */
	int64_t out_pitch;
} piece;

static cairn_status decode_piece(const piece *p, char *scratch, cairn_error *err)
{
	const crn_tiff_page *t = &p->s->first;
	int64_t row_bytes = crn_tiff_row_bytes(t), samples = t->planar == 2 ? 1 : t->samples;
	size_t want = (size_t)(row_bytes * p->rows), room = encoded_room(p->s);
	int64_t out_row = t->bits < 8 ? p->width * samples : p->width * samples * t->bits / 8;
	uint64_t at, bytes;
	CRN_TRY(find_units(p->s, p->page, p->k, 1, &at, &bytes, err));
	if (at == 0 && bytes == 0) {
		for (int64_t y = 0; y < p->rows; y++)
			memset(p->out + y * p->out_pitch, 0, (size_t)out_row);
		return CAIRN_OK;
	}
	size_t n = bytes < room ? (size_t)bytes : room; /* more than that is never needed */
	CRN_TRY(crn_file_read(&p->s->t.file, at, scratch, n, err));
	bool direct = t->bits >= 8 && out_row == row_bytes && p->out_pitch == row_bytes;
	char *to = direct ? p->out : scratch + room;
	CRN_TRY(crn_tiff_decode(p->codec, scratch, n, to, want, err));
	for (int64_t y = 0; !direct && y < p->rows; y++) {
		if (t->bits >= 8)
			memcpy(p->out + y * p->out_pitch, to + y * row_bytes, (size_t)out_row);
		else
			expand_bits((unsigned char *)to + y * row_bytes, t->bits, out_row,
				(unsigned char *)p->out + y * p->out_pitch);
	}
	return CAIRN_OK;
}

static cairn_status open_codec(
	const crn_tiff_series *s, int64_t page, crn_tiff_codec **ret, cairn_error *err)
{
	const crn_tiff_page *p = &s->first;
	const crn_tiff_loc *loc = &s->pages[s->contiguous ? 0 : page];
	crn_tiff_coding c = {.swap = s->t.swap,
		.bits = p->bits,
		.samples = p->planar == 2 ? 1 : p->samples,
		.sample_format = p->sample_format,
		.compression = loc->compression,
		.predictor = loc->predictor,
		.fill_order = loc->fill_order,
		.width = (uint32_t)p->unit_width,
		.rows = (uint32_t)p->unit_height};
	cairn_status status = crn_tiff_codec_open(&c, ret, err);
	if (status != CAIRN_OK && loc->compression != TIFF_NONE)
		crn_hint(err, "rewrite the file with deflate (compression %s)",
			crn_tiff_compression_name(loc->compression));
	return status;
}

static cairn_status read_pieces(const crn_tiff_series *s, const crn_region *unit,
	const crn_view *out, piece *p, char *scratch, cairn_error *err)
{
	const crn_tiff_page *t = &s->first;
	int64_t across = crn_n_units(t->width, t->unit_width);
	int64_t y0 = unit->lo[s->axis_y], rows = unit->n[s->axis_y];
	int64_t plane = s->axis_plane >= 0 ? unit->lo[s->axis_plane] : 0;
	p->width = unit->n[s->axis_x];
	p->out_pitch = out->stride[s->axis_y];
	for (int64_t y = 0; y < rows; y += t->unit_height) {
		p->k = plane * units_of_plane(s) + (y0 + y) / t->unit_height * across +
		       unit->lo[s->axis_x] / t->unit_width;
		p->rows = rows - y < t->unit_height ? rows - y : t->unit_height;
		p->out = (char *)out->data + y * p->out_pitch;
		cairn_status status = decode_piece(p, scratch, err);
		if (status != CAIRN_OK) {
			where_page(s, p->page, p->k, err);
			return status;
		}
	}
	return CAIRN_OK;
}

cairn_status crn_tiff_read_unit(const crn_tiff_series *s, const crn_region *unit,
	const crn_view *out, void *scratch, cairn_error *err)
{
	if (crn_tiff_can_box(s))
		return crn_tiff_read_box(s, unit, out, scratch, err);
	piece p = {.s = s, .page = page_of(s, unit->lo)};
	cairn_status status = open_codec(s, p.page, &p.codec, err);
	if (status != CAIRN_OK) {
		where_page(s, p.page, 0, err);
		return status;
	}
	status = read_pieces(s, unit, out, &p, scratch, err);
	crn_tiff_codec_close(p.codec);
	return status;
}

/* ---- boxes of uncompressed files ---- */

/* Indices of axis `d` of region r that fall in [from, to): first position and count. */
static int64_t steps_inside(const crn_region *r, int d, int64_t from, int64_t to, int64_t *ret_n)
{
	int64_t lo = r->lo[d], step = r->step[d];
	int64_t first = from <= lo ? 0 : (from - lo + step - 1) / step;
	int64_t end = to <= lo ? 0 : (to - lo + step - 1) / step;
	if (end > r->n[d])
		end = r->n[d];
	*ret_n = end > first ? end - first : 0;
	return first;
}

/* A rectangle of one plane that lies in the file as one flat array: a tile, or joined strips. */
typedef struct rect {
	int64_t y, x, rows, width; /* in the page; width: stored columns */
	uint64_t at;
	bool absent; /* never written: 0 */
} rect;

/* Copies what region r wants of the rectangle; `plane`: out at this page and sample plane. */
static cairn_status read_rect(const crn_tiff_series *s, const rect *q, const crn_region *r,
	const crn_view *plane, void *scratch, cairn_error *err)
{
	crn_flat flat = {.file = &s->t.file,
		.offset = q->at,
		.dtype = s->type.dtype,
		.swap = s->t.swap && crn_dtype_size(s->type.dtype) > 1,
		.ndim = 2,
		.shape = {q->rows, q->width}};
	crn_region part = {.ndim = 2};
	crn_view out = {.data = plane->data, .dtype = plane->dtype, .ndim = 2};
	const int axes[3] = {s->axis_y, s->axis_x, s->axis_sample};
	const int64_t from[3] = {q->y, q->x, 0};
	int n = s->axis_sample >= 0 ? 3 : 2;
	int64_t to[3] = {q->y + q->rows, q->x + q->width, s->first.samples};
	flat.ndim = part.ndim = out.ndim = n;
	flat.shape[2] = s->first.samples;
	for (int i = 0; i < n; i++) {
		int d = axes[i];
		int64_t first = steps_inside(r, d, from[i], to[i], &part.n[i]);
		part.lo[i] = r->lo[d] + first * r->step[d] - from[i];
		part.step[i] = r->step[d];
		out.data = (char *)out.data + first * plane->stride[d];
		out.shape[i] = part.n[i];
		out.stride[i] = plane->stride[d];
	}
	if (crn_region_empty(&part))
		return CAIRN_OK;
	if (q->absent) {
		crn_view_fill(&out, (crn_elem){{0}});
		return CAIRN_OK;
	}
	return crn_flat_read(&flat, &part, &out, scratch, err);
}

static cairn_status box_of_tiles(const crn_tiff_series *s, int64_t page, int64_t k0,
	const crn_region *r, const crn_view *plane, void *scratch, cairn_error *err)
{
	const crn_tiff_page *p = &s->first;
	int64_t across = crn_n_units(p->width, p->unit_width);
	int64_t y1 = crn_region_last(r, s->axis_y), x1 = crn_region_last(r, s->axis_x);
	for (int64_t ty = r->lo[s->axis_y] / p->unit_height; ty <= y1 / p->unit_height; ty++) {
		for (int64_t tx = r->lo[s->axis_x] / p->unit_width; tx <= x1 / p->unit_width;
			tx++) {
			rect q = {.y = ty * p->unit_height,
				.x = tx * p->unit_width,
				.rows = p->unit_height,
				.width = p->unit_width};
			int64_t k = k0 + ty * across + tx;
			uint64_t bytes;
			cairn_status status = find_units(s, page, k, 1, &q.at, &bytes, err);
			q.absent = status == CAIRN_OK && q.at == 0 && bytes == 0;
			if (status == CAIRN_OK)
				status = read_rect(s, &q, r, plane, scratch, err);
			if (status != CAIRN_OK) {
				where_page(s, page, k, err);
				return status;
			}
		}
	}
	return CAIRN_OK;
}

static cairn_status box_of_strips(const crn_tiff_series *s, int64_t page, int64_t k0,
	const crn_region *r, const crn_view *plane, void *scratch, cairn_error *err)
{
	enum { BATCH = 64 };
	const crn_tiff_page *p = &s->first;
	uint64_t at[BATCH], bytes[BATCH],
		strip = (uint64_t)(crn_tiff_row_bytes(p) * p->unit_height);
	int64_t k = r->lo[s->axis_y] / p->unit_height;
	int64_t end = crn_region_last(r, s->axis_y) / p->unit_height + 1;
	while (k < end) {
		size_t n = end - k < BATCH ? (size_t)(end - k) : BATCH;
		cairn_status status = find_units(s, page, k0 + k, n, at, bytes, err);
		for (size_t i = 0, j; status == CAIRN_OK && i < n; i = j) {
			rect q = {.y = (k + (int64_t)i) * p->unit_height,
				.width = p->width,
				.at = at[i],
				.absent = at[i] == 0 && bytes[i] == 0};
			for (j = i + 1; j < n && at[j] == at[i] + (j - i) * strip && !q.absent; j++)
				;
			q.rows = (int64_t)(j - i) * p->unit_height;
			if (q.rows > p->height - q.y)
				q.rows = p->height - q.y;
			status = read_rect(s, &q, r, plane, scratch, err);
		}
		if (status != CAIRN_OK) {
			where_page(s, page, k, err);
			return status;
		}
		k += (int64_t)n;
	}
	return CAIRN_OK;
}

cairn_status crn_tiff_read_box(const crn_tiff_series *s, const crn_region *r, const crn_view *out,
	void *scratch, cairn_error *err)
{
	if (crn_region_empty(r))
		return CAIRN_OK;
	/* Walks the page axes and the sample plane; y, x and samples are one call each. */
	crn_region outer = *r;
	int64_t idx[CRN_MAX_NDIM] = {0}, grid[CRN_MAX_NDIM], count = 1;
	int n_outer = s->axis_y;
	for (int d = 0; d < n_outer; d++)
		count *= grid[d] = outer.n[d];
	for (int64_t i = 0; i < count; i++) {
		int64_t at[CRN_MAX_NDIM] = {0};
		crn_view plane = *out;
		crn_unravel(i, n_outer, grid, idx);
		for (int d = 0; d < n_outer; d++) {
			at[d] = r->lo[d] + idx[d] * r->step[d];
			plane.data = (char *)plane.data + idx[d] * out->stride[d];
		}
		int64_t k0 = s->axis_plane >= 0 ? at[s->axis_plane] * units_of_plane(s) : 0;
		int64_t page = page_of(s, at);
		if (s->first.tiled)
			CRN_TRY(box_of_tiles(s, page, k0, r, &plane, scratch, err));
		else
			CRN_TRY(box_of_strips(s, page, k0, r, &plane, scratch, err));
	}
	return CAIRN_OK;
}

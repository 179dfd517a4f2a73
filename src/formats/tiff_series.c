/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_series.c -- walks the directories once, decides which pages belong together and what their
 * axes are. See tiff_series.h.
 */
#include "formats/tiff_series.h"

#include "base/json.h"
#include "base/mem.h"

#include <string.h>

/* A table of 2^24 pages is 400 MB; files beyond it are refused. */
#define MAX_PAGES ((int64_t)1 << 24)

static bool same_pixels(const crn_tiff_page *a, const crn_tiff_page *b)
{
	return a->width == b->width && a->height == b->height && a->bits == b->bits &&
	       a->samples == b->samples && a->sample_format == b->sample_format &&
	       a->planar == b->planar;
}

static bool same_grid(const crn_tiff_page *a, const crn_tiff_page *b)
{
	return a->tiled == b->tiled && a->unit_width == b->unit_width &&
	       a->unit_height == b->unit_height;
}

static void note(crn_tiff_series *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(crn_tiff_series *s, const char *fmt, ...)
{
	CRN_STR text = {0};
	va_list ap;
	va_start(ap, fmt);
	crn_str_vappendf(&text, fmt, ap);
	va_end(ap);
	if (s->notes.len)
		crn_str_append(&s->notes, ", ");
	crn_json_quote(&s->notes, text.data ? text.data : "");
}

static cairn_status add_page(
	crn_tiff_series *s, const crn_tiff_page *p, int64_t *cap, cairn_error *err)
{
	if (s->n_pages == *cap) {
		int64_t more = *cap ? 2 * *cap : 16;
		crn_tiff_loc *grown = crn_realloc_array(s->pages, (size_t)more, sizeof *s->pages);
		if (!grown)
			return crn_fail_memory(
				err, "a table of TIFF pages", (size_t)more * sizeof *s->pages);
		s->pages = grown;
		*cap = more;
	}
	s->pages[s->n_pages++] = (crn_tiff_loc){
		.offsets_at = p->offsets.at,
		.counts_at = p->counts.at,
		.offsets_type = (uint8_t)p->offsets.type,
		.counts_type = (uint8_t)p->counts.type,
		.predictor = (uint8_t)(p->predictor <= 3 ? p->predictor : 255),
		.fill_order = (uint8_t)p->fill_order,
		.compression = p->compression,
	};
	s->uncompressed = s->uncompressed && p->compression == TIFF_NONE;
	return CAIRN_OK;
}

static cairn_status page_differs(const crn_tiff_series *s, const crn_tiff_page *p, int64_t number,
	const char *how, cairn_error *err)
{
	const crn_tiff_page *f = &s->first;
	crn_fail(err, CAIRN_INPUT,
		"%s, page %lld: %s (%lld x %lld, %d samples of %d bits; page 0: %lld x %lld, %d of "
		"%d)",
		s->t.file.path, (long long)number, how, (long long)p->width, (long long)p->height,
		p->samples, p->bits, (long long)f->width, (long long)f->height, f->samples,
		f->bits);
	crn_hint(err, "pages of one array must be alike; split the file");
	return CAIRN_INPUT;
}

/* Where the walk is: pages seen, and Brent's cycle detection (a mark that moves to the current
 * directory after 1, 2, 4, 8, ... steps meets any loop after at most three rounds of it). */
typedef struct chain {
	int64_t number, cap;
	bool ended; /* a page of another kind came */
	uint64_t mark;
	int64_t until_move, period;
} chain;

static cairn_status visit(crn_tiff_series *s, const crn_tiff_page *p, chain *c, cairn_error *err)
{
	if (c->number == 0) {
		s->first = *p;
	} else if (p->subfile & 5) {
		return CAIRN_OK; /* thumbnail or mask of another page */
	} else if (!same_pixels(p, &s->first)) {
		if (!c->ended)
			note(s, "page %lld and others of another size or type are left out",
				(long long)c->number);
		c->ended = true;
		return CAIRN_OK;
	} else if (c->ended) {
		return page_differs(s, p, c->number,
			"pages like page 0 go on after pages of another kind", err);
	} else if (!same_grid(p, &s->first)) {
		return page_differs(s, p, c->number, "other strips or tiles than page 0", err);
	}
	return add_page(s, p, &c->cap, err);
}

static cairn_status walk_chain(crn_tiff_series *s, uint64_t ifd, cairn_error *err)
{
	chain c = {.mark = ifd, .until_move = 1, .period = 1};
	for (; ifd != 0; c.number++) {
		crn_tiff_page p;
		if (c.number >= MAX_PAGES)
			return crn_fail(err, CAIRN_INPUT, "%s: more than %lld pages",
				s->t.file.path, (long long)MAX_PAGES);
		CRN_TRY(crn_tiff_read_page(&s->t, ifd, c.number, &p, err));
		CRN_TRY(visit(s, &p, &c, err));
		if (p.next == c.mark)
			return crn_fail(err, CAIRN_INPUT,
				"%s: page %lld is followed by an earlier page", s->t.file.path,
				(long long)c.number);
		if (--c.until_move == 0) {
			c.mark = p.next;
			c.until_move = c.period *= 2;
		}
		ifd = p.next;
	}
	if (c.number == 0)
		return crn_fail(err, CAIRN_INPUT, "%s: a TIFF file without pages", s->t.file.path);
	return CAIRN_OK;
}

static cairn_status dtype_of(const crn_tiff_series *s, crn_dtype *ret, cairn_error *err)
{
	const crn_tiff_page *p = &s->first;
	int format = p->sample_format == 4 ? 1 : p->sample_format; /* 4: undefined, as unsigned */
	static const crn_dtype of_bits[4][4] = {{0}, {CRN_U8, CRN_U16, CRN_U32, CRN_U64},
		{CRN_I8, CRN_I16, CRN_I32, CRN_I64},
		{CRN_N_DTYPES, CRN_N_DTYPES, CRN_F32, CRN_F64}};
	int k = p->bits == 8 ? 0 : p->bits == 16 ? 1 : p->bits == 32 ? 2 : p->bits == 64 ? 3 : -1;
	*ret = CRN_N_DTYPES;
	if (format >= 1 && format <= 3 && k >= 0)
		*ret = of_bits[format][k];
	else if (format == 1 && (p->bits == 1 || p->bits == 2 || p->bits == 4))
		*ret = p->bits == 1 ? CRN_BOOL : CRN_U8;
	if (*ret != CRN_N_DTYPES)
		return CAIRN_OK;
	static const char *const kinds[] = {"", "unsigned", "signed", "float"};
	crn_fail(err, CAIRN_INPUT, "%s: %d-bit %s samples are not supported", s->t.file.path,
		p->bits, format >= 1 && format <= 3 ? kinds[format] : "complex");
	crn_hint(err, "integers of 8 to 64 bits, float32 and float64 are; convert the file");
	return CAIRN_INPUT;
}

static int add_axis(crn_tiff_series *s, const char *name, int64_t extent)
{
	int d = s->type.ndim++;
	if (d < CRN_MAX_NDIM) {
		s->type.shape[d] = extent;
		s->type.axes[d] = (crn_axis){.scale = 1};
		memcpy(s->type.axes[d].name, name, strlen(name) + 1);
	}
	return d;
}

static void add_page_axis(crn_tiff_series *s, const char *name, int64_t extent, int64_t stride)
{
	if (extent <= 1)
		return;
	s->page_stride[s->n_page_axes++] = stride;
	add_axis(s, name, extent);
}

static int64_t at_least_1(int64_t v)
{
	return v > 1 ? v : 1;
}

/* The pages of a tifffile shape: its leading extents, when the trailing ones are the page's. */
static bool shaped_axes(crn_tiff_series *s, const crn_tiff_meta *m)
{
	const crn_tiff_page *p = &s->first;
	bool planar = p->samples > 1 && p->planar == 2, chunky = p->samples > 1 && p->planar == 1;
	int64_t tail[3];
	int n = 0;
	if (planar)
		tail[n++] = p->samples;
	tail[n++] = p->height;
	tail[n++] = p->width;
	if (chunky)
		tail[n++] = p->samples;
	int lead = m->ndim - n;
	if (lead < 0 || n > 3)
		return false;
	for (int i = 0; i < n; i++)
		if (m->shape[lead + i] != tail[i])
			return false;
	int64_t count;
	if (!crn_count(lead, m->shape, &count) || (count != s->n_pages && s->n_pages != 1))
		return false;
	s->n_planes = count;
	int64_t stride = count;
	for (int d = 0; d < lead; d++) {
		char name[2] = {m->axes[0] ? (char)(m->axes[d] | 32) : lead == 1 ? 'z' : 0, 0};
		if (m->axes[0] && !strchr("tzc", name[0]))
			name[0] = 0;
		stride /= m->shape[d];
		s->page_stride[s->n_page_axes++] = stride;
		add_axis(s, name, m->shape[d]);
	}
	return true;
}

static cairn_status too_few_pages(
	const crn_tiff_series *s, const char *who, int64_t said, cairn_error *err)
{
	crn_fail(err, CAIRN_INPUT, "%s has %lld pages, its %s metadata says %lld", s->t.file.path,
		(long long)s->n_pages, who, (long long)said);
	crn_hint(err, "the file is truncated, or was edited by another program");
	return CAIRN_INPUT;
}

/* ImageJ and OME: t, z, c with the strides of the metadata. */
static cairn_status named_axes(
	crn_tiff_series *s, const crn_tiff_meta *m, bool *ret_done, cairn_error *err)
{
	int64_t n[3] = {at_least_1(m->size_t_axis), at_least_1(m->size_z), at_least_1(m->size_c)};
	int64_t count;
	if (!crn_count(3, n, &count))
		count = INT64_MAX;
	if (m->dialect == CRN_TIFF_IMAGEJ) {
		int64_t said = at_least_1(m->images);
		if (s->n_pages == 1)
			s->n_planes = said; /* above 4 GB ImageJ writes one directory */
		else if (said > s->n_pages)
			return too_few_pages(s, "ImageJ", said, err);
	} else {
		if (count > s->n_pages)
			return too_few_pages(s, "OME", count, err);
		if (count < s->n_pages)
			note(s,
				"only the first %lld of %lld pages are read: image 0 of %d in the "
				"OME metadata",
				(long long)count, (long long)s->n_pages, m->n_series);
		s->n_planes = count;
	}
	*ret_done = count == s->n_planes;
	if (!*ret_done) {
		if (count != 1)
			note(s,
				"metadata says t %lld, z %lld, c %lld, which are not the %lld "
				"pages",
				(long long)n[0], (long long)n[1], (long long)n[2],
				(long long)s->n_planes);
		return CAIRN_OK;
	}
	add_page_axis(s, "t", n[0], m->stride_t);
	add_page_axis(s, "z", n[1], m->stride_z);
	add_page_axis(s, "c", n[2], m->stride_c);
	return CAIRN_OK;
}

static cairn_status page_axes(crn_tiff_series *s, const crn_tiff_meta *m, cairn_error *err)
{
	bool done = false;
	s->n_planes = s->n_pages;
	if (m->dialect == CRN_TIFF_SHAPED)
		done = shaped_axes(s, m);
	if (m->dialect == CRN_TIFF_IMAGEJ || m->dialect == CRN_TIFF_OME)
		CRN_TRY(named_axes(s, m, &done, err));
	if (!done)
		add_page_axis(s, "z", s->n_planes, 1);
	return CAIRN_OK;
}

static void set_scale(crn_axis *a, double scale, const char *unit)
{
	if (!(scale > 0))
		return;
	a->scale = scale;
	memcpy(a->unit, unit, strlen(unit) + 1);
}

static void set_scales(crn_tiff_series *s, const crn_tiff_meta *m)
{
	double x = m->scale_x, y = m->scale_y;
	if (m->dialect == CRN_TIFF_IMAGEJ && m->unit[0]) {
		double rx = crn_tiff_rational(&s->t, &s->first.x_resolution);
		double ry = crn_tiff_rational(&s->t, &s->first.y_resolution);
		x = rx > 0 ? 1 / rx : 0;
		y = ry > 0 ? 1 / ry : 0;
	}
	for (int d = 0; d < s->type.ndim; d++) {
		crn_axis *a = &s->type.axes[d];
		if (d == s->axis_x)
			set_scale(a, x, m->unit);
		else if (d == s->axis_y)
			set_scale(a, y, m->unit);
		else if (a->name[0] == 'z')
			set_scale(a, m->scale_z, m->unit);
		else if (a->name[0] == 't')
			set_scale(a, m->scale_t, m->unit_t[0] ? m->unit_t : "second");
	}
}

/* Planes without directories: they must lie in the file, one after the other, uncompressed. */
static cairn_status check_contiguous(crn_tiff_series *s, cairn_error *err)
{
	const crn_tiff_page *p = &s->first;
	s->contiguous = s->n_planes > s->n_pages;
	if (!s->contiguous)
		return CAIRN_OK;
	int64_t units = crn_tiff_n_units(p), bytes;
	uint64_t at, end;
	CRN_TRY(crn_tiff_values(&s->t, &p->offsets, 0, 1, &s->plane_at, err));
	for (int64_t k = 1; k < units; k++) {
		CRN_TRY(crn_tiff_values(&s->t, &p->offsets, (uint64_t)k, 1, &at, err));
		if (at != s->plane_at + (uint64_t)(k * crn_tiff_row_bytes(p) * p->unit_height))
			units = -1;
	}
	if (p->tiled || p->compression != TIFF_NONE || p->planar == 2 || units < 0 || p->bits < 8)
		return crn_fail(err, CAIRN_INPUT,
			"%s has one page, its metadata says %lld; other pages can only be found in "
			"uncompressed files",
			s->t.file.path, (long long)s->n_planes);
	s->plane_bytes = crn_tiff_row_bytes(p) * p->height;
	if (__builtin_mul_overflow(s->plane_bytes, s->n_planes, &bytes) ||
		__builtin_add_overflow(s->plane_at, (uint64_t)bytes, &end) ||
		end > s->t.file.size_bytes) {
		crn_fail(err, CAIRN_INPUT, "%s: its metadata says %lld images, the file holds %llu",
			s->t.file.path, (long long)s->n_planes,
			(unsigned long long)((s->t.file.size_bytes - s->plane_at) /
					     (uint64_t)s->plane_bytes));
		crn_hint(err, "the file is truncated");
		return CAIRN_INPUT;
	}
	return CAIRN_OK;
}

static cairn_status build_type(crn_tiff_series *s, const crn_tiff_meta *m, cairn_error *err)
{
	const crn_tiff_page *p = &s->first;
	s->type = crn_type_make(CRN_U8, 0, NULL);
	s->axis_plane = s->axis_sample = -1;
	s->dialect = m->dialect;
	CRN_TRY(dtype_of(s, &s->type.dtype, err));
	CRN_TRY(page_axes(s, m, err));
	bool named_c = false;
	for (int d = 0; d < s->n_page_axes; d++)
		named_c = named_c || s->type.axes[d].name[0] == 'c';
	if (p->samples > 1 && p->planar == 2)
		s->axis_plane = add_axis(s, named_c ? "s" : "c", p->samples);
	s->axis_y = add_axis(s, "y", p->height);
	s->axis_x = add_axis(s, "x", p->width);
	if (p->samples > 1 && p->planar == 1)
		s->axis_sample = add_axis(s, named_c ? "s" : "c", p->samples);
	int64_t count;
	if (s->type.ndim > CRN_MAX_NDIM || !crn_count(s->type.ndim, s->type.shape, &count) ||
		count > INT64_MAX / 8)
		return crn_fail(err, CAIRN_INPUT, "%s: more than %d axes or 2^60 pixels",
			s->t.file.path, CRN_MAX_NDIM);
	s->type.kind = s->type.dtype == CRN_BOOL ? CRN_MASK : CRN_INTENSITY;
	set_scales(s, m);
	if (p->photometric == 3)
		note(s, "palette image: values are indices into its colour table");
	if (p->photometric == 0)
		note(s, "MinIsWhite: values are as stored, 0 is shown white by viewers");
	return check_contiguous(s, err);
}

static cairn_status open_series(const char *url, crn_tiff_series *s, cairn_error *err)
{
	uint64_t ifd = 0;
	crn_tiff_meta m;
	CRN_FREE char *text = NULL;
	s->uncompressed = true;
	CRN_TRY(crn_tiff_open(url, &s->t, &ifd, err));
	CRN_TRY(walk_chain(s, ifd, err));
	CRN_TRY(crn_tiff_text(&s->t, &s->first.description, &text, err));
	cairn_status status = crn_tiff_meta_scan(text, &m, err);
	if (status != CAIRN_OK) {
		crn_where(err, "%s", s->t.file.path);
		return status;
	}
	return build_type(s, &m, err);
}

cairn_status crn_tiff_series_open(const char *url, crn_tiff_series *ret, cairn_error *err)
{
	crn_tiff_series s = {0};
	cairn_status status = open_series(url, &s, err);
	if (status != CAIRN_OK) {
		crn_tiff_series_close(&s);
		return status;
	}
	*ret = s;
	return CAIRN_OK;
}

void crn_tiff_series_close(crn_tiff_series *s)
{
	crn_file_close(&s->t.file);
	crn_free(s->pages);
	crn_str_done(&s->notes);
	*s = (crn_tiff_series){0};
}

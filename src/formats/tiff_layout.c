/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_layout.c -- header, description and directories of TIFF files. See tiff_layout.h.
 *
 * The description is ImageJ's for classic files of uint8, uint16, float32 and bool whose page axes
 * ImageJ has (t, z, c, in this order, none of length 1); otherwise, for more than one page, the
 * JSON of tifffile, which keeps any shape. Both are read back by tiff_meta.c.
 */
#include "formats/tiff_layout.h"

#include "base/json.h"
#include "base/mem.h"
#include "formats/tiff_ifd.h"

#include <string.h>

enum { SHORT = 3, LONG = 4, RATIONAL = 5, LONG8 = 16, ASCII = 2 };
/* One strip a page up to this size (programs read whole strips); above, strips of about 1 MiB. */
enum { MAX_ONE_STRIP = 8 << 20, BIG_STRIP = 1 << 20, PACKED_STRIP = 256 << 10 };

static void put(crn_str *out, int bytes, uint64_t v)
{
	char b[8];
	for (int i = 0; i < bytes; i++)
		b[i] = (char)(v >> 8 * i);
	crn_str_append_n(out, b, (size_t)bytes);
}

/* ---- description ---- */

static const char *imagej_unit(const char *unit)
{
	static const char *const names[][2] = {{"micrometer", "micron"}, {"nanometer", "nm"},
		{"millimeter", "mm"}, {"centimeter", "cm"}, {"meter", "m"}};
	for (size_t i = 0; i < CRN_COUNT(names); i++)
		if (strcmp(unit, names[i][0]) == 0)
			return names[i][1];
	return unit[0] ? unit : "pixel";
}

/* Extents of t, z, c (0, 1, 2); false: ImageJ has no such array. Without names the last page axis
 * is z, the one before it t. */
static bool imagej_axes(const crn_tiff_layout *l, const crn_type *t, int64_t extents[3])
{
	int next = 0;
	if (l->n_page_axes > 3 || (l->samples > 1 && !l->rgb))
		return false;
	for (int d = 0; d < l->n_page_axes; d++) {
		const char *name = t->axes[d].name;
		int k = name[0] == 't' ? 0 : name[0] == 'z' ? 1 : name[0] == 'c' ? 2 : -1;
		if (!name[0] && l->n_page_axes <= 2)
			k = d == l->n_page_axes - 1 ? 1 : 0;
		if (k < next || (name[0] && name[1]) || t->shape[d] == 1)
			return false;
		extents[k] = t->shape[d];
		next = k + 1;
	}
	return true;
}

static void describe_imagej(crn_tiff_layout *l, const crn_type *t, const int64_t n[3])
{
	const crn_axis *x = &t->axes[t->ndim - 1 - (l->samples > 1)], *y = x - 1;
	crn_str *s = &l->description;
	crn_str_appendf(s, "ImageJ=1.53k\nimages=%lld\n", (long long)l->n_pages);
	if (n[2] > 1)
		crn_str_appendf(s, "channels=%lld\n", (long long)n[2]);
	if (n[1] > 1)
		crn_str_appendf(s, "slices=%lld\n", (long long)n[1]);
	if (n[0] > 1)
		crn_str_appendf(s, "frames=%lld\n", (long long)n[0]);
	if ((n[2] > 1) + (n[1] > 1) + (n[0] > 1) > 1)
		crn_str_append(s, "hyperstack=true\n");
	if (l->samples == 1)
		crn_str_append(s, "mode=grayscale\n");
	if (x->unit[0]) {
		crn_str_appendf(s, "unit=%s\n", imagej_unit(x->unit));
		l->x_resolution = x->scale > 0 ? 1 / x->scale : 0;
		l->y_resolution = y->scale > 0 ? 1 / y->scale : 0;
	}
	for (int d = 0; d < l->n_page_axes; d++) {
		if (t->axes[d].name[0] == 'z' && t->axes[d].unit[0]) {
			crn_str_append(s, "spacing=");
			crn_json_double(s, t->axes[d].scale);
			crn_str_append(s, "\n");
		}
	}
	crn_str_append(s, "loop=false\n");
}

static void describe_shape(crn_tiff_layout *l, const crn_type *t)
{
	crn_str *s = &l->description;
	bool named = true;
	crn_str_append(s, "{\"shape\": [");
	for (int d = 0; d < t->ndim; d++) {
		crn_str_appendf(s, "%s%lld", d ? ", " : "", (long long)t->shape[d]);
		named = named && strchr("tzcyxs", t->axes[d].name[0]) && t->axes[d].name[0] &&
			!t->axes[d].name[1];
	}
	crn_str_append(s, "]");
	if (named) {
		crn_str_append(s, ", \"axes\": \"");
		for (int d = 0; d < t->ndim; d++)
			crn_str_appendf(s, "%c", t->axes[d].name[0] - 32);
		crn_str_append(s, "\"");
	}
	crn_str_append(s, "}");
}

static void describe(crn_tiff_layout *l, const crn_type *t)
{
	int64_t n[3] = {1, 1, 1};
	bool simple = t->dtype == CRN_U8 || t->dtype == CRN_U16 || t->dtype == CRN_F32 ||
		      t->dtype == CRN_BOOL;
	crn_str_clear(&l->description);
	l->x_resolution = l->y_resolution = 0;
	bool scaled = t->axes[t->ndim - 1 - (l->samples > 1)].unit[0] != 0;
	if (!l->big && simple && imagej_axes(l, t, n) && (l->n_pages > 1 || scaled))
		describe_imagej(l, t, n);
	else if (l->n_page_axes > 0)
		describe_shape(l, t);
}

/* ---- places ---- */

static bool is_last_samples(const crn_type *t)
{
	const char *name = t->ndim >= 3 ? t->axes[t->ndim - 1].name : "";
	return strcmp(name, "c") == 0 || strcmp(name, "s") == 0;
}

cairn_status crn_tiff_layout_make(
	const char *url, const crn_type *t, int compression, crn_tiff_layout *ret, cairn_error *err)
{
	char text[256];
	bool chunky = is_last_samples(t);
	int y = t->ndim - 2 - chunky;
	if (y < 0 || crn_type_count(t) == 0)
		return crn_fail(err, CAIRN_USAGE,
			"%s: a TIFF needs a non-empty array with y and x, not %s", url,
			crn_type_format(t, text));
	crn_tiff_layout l = {.n_page_axes = y,
		.n_pages = 1,
		.height = t->shape[y],
		.width = t->shape[y + 1],
		.samples = chunky ? t->shape[y + 2] : 1,
		.item = crn_dtype_size(t->dtype)};
	for (int d = 0; d < y; d++)
		l.n_pages *= t->shape[d];
	if (l.height > INT32_MAX || l.width > INT32_MAX || l.samples > UINT16_MAX ||
		l.width * l.samples > INT32_MAX)
		return crn_fail(err, CAIRN_USAGE, "%s: %s is too large for the pages of a TIFF",
			url, crn_type_format(t, text));
	l.rgb = (t->dtype == CRN_U8 || t->dtype == CRN_U16) && (l.samples == 3 || l.samples == 4);
	l.row_bytes = (size_t)(l.width * l.samples) * l.item;
	size_t page = l.row_bytes * (size_t)l.height, want = MAX_ONE_STRIP;
	if (page > MAX_ONE_STRIP || compression != TIFF_NONE)
		want = compression == TIFF_NONE ? BIG_STRIP : PACKED_STRIP;
	l.rows_per_strip = (int64_t)(want / l.row_bytes);
	if (l.rows_per_strip < 1)
		l.rows_per_strip = 1;
	if (l.rows_per_strip > l.height)
		l.rows_per_strip = l.height;
	l.strips_per_page = crn_n_units(l.height, l.rows_per_strip);
	char kind = crn_dtype_kind(t->dtype);
	l.coding = (crn_tiff_coding){.bits = (uint16_t)(8 * l.item),
		.samples = (uint16_t)l.samples,
		.sample_format = kind == 'f'   ? 3
				 : kind == 'i' ? 2
					       : 1,
		.compression = (uint16_t)compression,
		.predictor = 1,
		.fill_order = 1,
		.width = (uint32_t)l.width,
		.rows = (uint32_t)l.rows_per_strip};
	crn_tiff_layout_place(&l, t, page * (size_t)l.n_pages);
	if (l.description.oom) {
		crn_tiff_layout_done(&l);
		return crn_fail_memory(err, "a TIFF description", 1024);
	}
	*ret = l;
	return CAIRN_OK;
}

/* Samples beyond grey or RGB. */
static uint64_t n_extra(const crn_tiff_layout *l)
{
	return (uint64_t)(l->rgb ? l->samples - 3 : l->samples - 1);
}

static int n_entries(const crn_tiff_layout *l, bool first)
{
	return 12 + (l->coding.predictor > 1) + (n_extra(l) > 0) + 3 * (l->x_resolution > 0) +
	       (first && l->description.len > 0);
}

static uint64_t even(uint64_t n)
{
	return (n + 15) / 16 * 16;
}

static void place(crn_tiff_layout *l)
{
	uint64_t word = l->big ? 8 : 4, entry = l->big ? 20 : 12;
	l->shared_at = 16;
	l->blocks_at = even(l->shared_at + 6 * (uint64_t)l->samples + 16 + l->description.len + 1);
	uint64_t dir = (l->big ? 16 : 6) + entry * (uint64_t)n_entries(l, true);
	if (l->strips_per_page > 1)
		dir += 2 * word * (uint64_t)l->strips_per_page;
	l->block_bytes = even(dir);
	l->data_at = l->blocks_at + l->block_bytes * (uint64_t)l->n_pages;
}

void crn_tiff_layout_place(crn_tiff_layout *l, const crn_type *t, uint64_t n_bytes)
{
	l->big = false;
	describe(l, t);
	place(l);
	if (l->data_at + n_bytes + l->block_bytes < UINT32_MAX)
		return;
	l->big = true;
	describe(l, t);
	place(l);
}

void crn_tiff_layout_done(crn_tiff_layout *l)
{
	crn_str_done(&l->description);
}

/* ---- bytes ---- */

/* Shared values: bits per sample, sample formats, extra samples, x and y resolution, description.
 */
static uint64_t bits_at(const crn_tiff_layout *l)
{
	return l->shared_at;
}
static uint64_t formats_at(const crn_tiff_layout *l)
{
	return bits_at(l) + 2 * (uint64_t)l->samples;
}
static uint64_t extra_at(const crn_tiff_layout *l)
{
	return formats_at(l) + 2 * (uint64_t)l->samples;
}
static uint64_t resolution_at(const crn_tiff_layout *l)
{
	return extra_at(l) + 2 * (uint64_t)l->samples;
}
static uint64_t description_at(const crn_tiff_layout *l)
{
	return resolution_at(l) + 16;
}

/* A fraction of two 32-bit numbers near v. */
static void put_rational(crn_str *out, double v)
{
	uint32_t den = 1;
	while (den < 1000000 && v * den < 400000000 && v * den != (double)(uint64_t)(v * den))
		den *= 10;
	put(out, 4, v * den < UINT32_MAX ? (uint64_t)(v * den + 0.5) : UINT32_MAX);
	put(out, 4, den);
}

static void pad_to(crn_str *out, size_t start, uint64_t n)
{
	static const char zeros[64];
	while (!out->oom && out->len - start < n) {
		uint64_t left = n - (out->len - start);
		crn_str_append_n(out, zeros, left < sizeof zeros ? left : sizeof zeros);
	}
}

void crn_tiff_print_head(const crn_tiff_layout *l, uint64_t ifd_at, crn_str *out)
{
	size_t start = out->len;
	crn_str_append_n(out, "II", 2);
	put(out, 2, l->big ? 43 : 42);
	if (l->big) {
		put(out, 2, 8);
		put(out, 2, 0);
		put(out, 8, ifd_at);
	} else {
		put(out, 4, ifd_at);
	}
	pad_to(out, start, l->shared_at);
	for (int64_t i = 0; i < l->samples; i++)
		put(out, 2, l->coding.bits);
	for (int64_t i = 0; i < l->samples; i++)
		put(out, 2, l->coding.sample_format);
	for (int64_t i = 0; i < l->samples; i++)
		put(out, 2, l->rgb ? 2 : 0); /* alpha, or unspecified */
	put_rational(out, l->x_resolution);
	put_rational(out, l->y_resolution);
	crn_str_append_n(out, l->description.data, l->description.len);
	pad_to(out, start, l->blocks_at);
}

/* n values of a type that lie at `at`, or the value itself if it is one that fits. */
static void put_entry(
	const crn_tiff_layout *l, crn_str *out, int tag, int type, uint64_t n, uint64_t value_or_at)
{
	put(out, 2, (uint64_t)tag);
	put(out, 2, (uint64_t)type);
	put(out, l->big ? 8 : 4, n);
	put(out, l->big ? 8 : 4, value_or_at);
}

/* Short per-sample values: up to 2 (classic) or 4 (Big) lie in the entry itself. */
static void put_shorts(
	const crn_tiff_layout *l, crn_str *out, int tag, uint64_t n, uint64_t v, uint64_t at)
{
	if (n > (l->big ? 4 : 2)) {
		put_entry(l, out, tag, SHORT, n, at);
		return;
	}
	uint64_t packed = 0;
	for (uint64_t i = 0; i < n; i++)
		packed |= v << 16 * i;
	put_entry(l, out, tag, SHORT, n, packed);
}

void crn_tiff_print_block(const crn_tiff_layout *l, uint64_t at, bool first, uint64_t next,
	const uint64_t *offsets, const uint64_t *sizes, crn_str *out)
{
	size_t start = out->len;
	int n = n_entries(l, first), word = l->big ? 8 : 4, wide = l->big ? LONG8 : LONG;
	uint64_t strips = (uint64_t)l->strips_per_page, samples = (uint64_t)l->samples;
	uint64_t arrays_at = at + (l->big ? 16 : 6) + (uint64_t)n * (l->big ? 20 : 12);
	bool inside = strips == 1;
	put(out, l->big ? 8 : 2, (uint64_t)n);
	put_entry(l, out, 254, LONG, 1, 0);
	put_entry(l, out, 256, LONG, 1, (uint64_t)l->width);
	put_entry(l, out, 257, LONG, 1, (uint64_t)l->height);
	put_shorts(l, out, 258, samples, l->coding.bits, bits_at(l));
	put_entry(l, out, 259, SHORT, 1, l->coding.compression);
	put_entry(l, out, 262, SHORT, 1, l->rgb ? 2 : 1);
	if (first && l->description.len > 0)
		put_entry(l, out, 270, ASCII, l->description.len + 1, description_at(l));
	put_entry(l, out, 273, wide, strips, inside ? offsets[0] : arrays_at);
	put_entry(l, out, 277, SHORT, 1, samples);
	put_entry(l, out, 278, LONG, 1, (uint64_t)l->rows_per_strip);
	put_entry(
		l, out, 279, wide, strips, inside ? sizes[0] : arrays_at + strips * (uint64_t)word);
	if (l->x_resolution > 0) {
		put_entry(l, out, 282, RATIONAL, 1, resolution_at(l));
		put_entry(l, out, 283, RATIONAL, 1, resolution_at(l) + 8);
	}
	put_entry(l, out, 284, SHORT, 1, 1);
	if (l->x_resolution > 0)
		put_entry(l, out, 296, SHORT, 1, 1); /* the unit is in the description */
	if (l->coding.predictor > 1)
		put_entry(l, out, 317, SHORT, 1, l->coding.predictor);
	if (n_extra(l) > 0)
		put_shorts(l, out, 338, n_extra(l), l->rgb ? 2 : 0, extra_at(l));
	put_shorts(l, out, 339, samples, l->coding.sample_format, formats_at(l));
	put(out, word, next);
	for (uint64_t k = 0; !inside && k < 2 * strips; k++)
		put(out, word, k < strips ? offsets[k] : sizes[k - strips]);
	pad_to(out, start, l->block_bytes);
}

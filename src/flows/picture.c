/* SPDX-License-Identifier: Apache-2.0
 *
 * picture.c -- the canvas: making, filling and laying out pictures, and planes in grey.
 *
 * Everything clips to the canvas, so callers compute positions without caring for the edges.
 */
#include "flows/picture.h"

#include "base/mem.h"
#include "flows/picture_block.h"

#include <math.h>
#include <string.h>

enum {
	BACKGROUND = 0x202020,
	NAN_COLOUR = 0xff00ff,
};
#define MAX_PIXELS ((int64_t)1 << 28)

static const struct {
	const char *name;
	crn_pixel pixel;
} pixel_names[] = {
	{"bool", CRN_PIXEL_BOOL},
	{"uint8", CRN_PIXEL_U8},
	{"uint16", CRN_PIXEL_U16},
	{"uint32", CRN_PIXEL_U32},
	{"uint64", CRN_PIXEL_U64},
	{"int8", CRN_PIXEL_I8},
	{"int16", CRN_PIXEL_I16},
	{"int32", CRN_PIXEL_I32},
	{"int64", CRN_PIXEL_I64},
	{"float32", CRN_PIXEL_F32},
	{"float64", CRN_PIXEL_F64},
};

bool crn_pixel_from_name(const char *name, crn_pixel *ret)
{
	for (size_t i = 0; i < CRN_COUNT(pixel_names); i++) {
		if (strcmp(name, pixel_names[i].name) == 0) {
			*ret = pixel_names[i].pixel;
			return true;
		}
	}
	return false;
}

void crn_picture_done(crn_picture *p)
{
	crn_free(p->rgb);
	*p = (crn_picture){0};
}

/* Sizes are tested one by one first, so that their product cannot overflow. */
static cairn_status new_blank(int64_t width, int64_t height, crn_picture *ret, cairn_error *err)
{
	if (width < 1 || height < 1 || width > MAX_PIXELS || height > MAX_PIXELS ||
		width * height > MAX_PIXELS) {
		crn_fail(err, CAIRN_FAILED, "a picture of %lld x %lld pixels cannot be drawn",
			(long long)width, (long long)height);
		crn_hint(err, "show a part of it, or a coarser step such as [::4, ::4]");
		return CAIRN_FAILED;
	}
	size_t n = (size_t)(width * height) * 3;
	uint8_t *rgb = crn_alloc(n);
	if (!rgb)
		return crn_fail_memory(err, "a picture", n);
	*ret = (crn_picture){.rgb = rgb, .width = width, .height = height};
	return CAIRN_OK;
}

cairn_status crn_picture_new(
	int64_t width, int64_t height, uint32_t rgb, crn_picture *ret, cairn_error *err)
{
	CRN_TRY(new_blank(width, height, ret, err));
	crn_picture_fill(ret, 0, 0, width, height, rgb);
	return CAIRN_OK;
}

void crn_picture_fill(
	crn_picture *p, int64_t x, int64_t y, int64_t width, int64_t height, uint32_t rgb)
{
	int64_t x_end = x + width < p->width ? x + width : p->width;
	int64_t y_end = y + height < p->height ? y + height : p->height;
	for (int64_t yy = y > 0 ? y : 0; yy < y_end; yy++) {
		for (int64_t xx = x > 0 ? x : 0; xx < x_end; xx++) {
			uint8_t *at = p->rgb + 3 * (yy * p->width + xx);
			at[0] = (uint8_t)(rgb >> 16);
			at[1] = (uint8_t)(rgb >> 8);
			at[2] = (uint8_t)rgb;
		}
	}
}

void crn_picture_blit(crn_picture *p, int64_t x, int64_t y, const crn_picture *src)
{
	int64_t from = x < 0 ? -x : 0;
	int64_t to = x + src->width < p->width ? src->width : p->width - x;
	if (from >= to)
		return;
	for (int64_t row = 0; row < src->height; row++) {
		if (y + row < 0 || y + row >= p->height)
			continue;
		memcpy(p->rgb + 3 * ((y + row) * p->width + x + from),
			src->rgb + 3 * (row * src->width + from), (size_t)(to - from) * 3);
	}
}

cairn_status crn_picture_grey(
	const crn_block *b, int64_t plane, crn_contrast c, crn_picture *ret, cairn_error *err)
{
	crn_picture p;
	CRN_TRY(new_blank(b->columns, b->rows, &p, err));
	int64_t n = b->rows * b->columns;
	double span = c.high - c.low;
	for (int64_t i = 0; i < n; i++) {
		double v = crn_block_value(b, plane * n + i);
		uint8_t *at = p.rgb + 3 * i;
		if (isnan(v)) {
			at[0] = NAN_COLOUR >> 16;
			at[1] = (NAN_COLOUR >> 8) & 255;
			at[2] = NAN_COLOUR & 255;
			continue;
		}
		/* A flat contrast: what lies above is white, all else black. */
		double grey = span > 0 ? (v - c.low) * 255 / span : (v > c.high ? 255 : 0);
		grey = grey < 0 ? 0 : grey > 255 ? 255 : grey;
		at[0] = at[1] = at[2] = (uint8_t)lrint(grey);
	}
	*ret = p;
	return CAIRN_OK;
}

cairn_status crn_picture_montage(const crn_picture *pictures, int64_t n, int64_t columns,
	int64_t gap, crn_picture *ret, cairn_error *err)
{
	if (n < 1)
		return crn_fail(err, CAIRN_USAGE, "a montage needs at least one picture");
	if (columns < 1) {
		columns = 1;
		while (columns * columns < n)
			columns++;
	}
	if (columns > n)
		columns = n;
	int64_t rows = (n + columns - 1) / columns;
	int64_t cell_w = 0, cell_h = 0;
	for (int64_t i = 0; i < n; i++) {
		cell_w = pictures[i].width > cell_w ? pictures[i].width : cell_w;
		cell_h = pictures[i].height > cell_h ? pictures[i].height : cell_h;
	}
	crn_picture p;
	CRN_TRY(crn_picture_new(
		columns * (cell_w + gap) - gap, rows * (cell_h + gap) - gap, BACKGROUND, &p, err));
	for (int64_t i = 0; i < n; i++)
		crn_picture_blit(&p, i % columns * (cell_w + gap), i / columns * (cell_h + gap),
			&pictures[i]);
	*ret = p;
	return CAIRN_OK;
}

cairn_status crn_picture_three(const crn_picture *xy, const crn_picture *zy, const crn_picture *xz,
	int64_t gap, crn_picture *ret, cairn_error *err)
{
	if (zy->height != xy->height || xz->width != xy->width)
		return crn_fail(err, CAIRN_USAGE,
			"orthogonal planes do not fit: xy %lld x %lld, zy %lld x %lld, xz %lld x "
			"%lld",
			(long long)xy->width, (long long)xy->height, (long long)zy->width,
			(long long)zy->height, (long long)xz->width, (long long)xz->height);
	crn_picture p;
	CRN_TRY(crn_picture_new(
		xy->width + gap + zy->width, xy->height + gap + xz->height, BACKGROUND, &p, err));
	crn_picture_blit(&p, 0, 0, xy);
	crn_picture_blit(&p, xy->width + gap, 0, zy);
	crn_picture_blit(&p, 0, xy->height + gap, xz);
	*ret = p;
	return CAIRN_OK;
}

cairn_status crn_picture_enlarge(
	const crn_picture *p, int64_t factor, crn_picture *ret, cairn_error *err)
{
	if (factor < 1 || factor > 64)
		return crn_fail(err, CAIRN_USAGE, "pictures are enlarged 1 to 64 times, not %lld",
			(long long)factor);
	crn_picture q;
	CRN_TRY(new_blank(p->width * factor, p->height * factor, &q, err));
	for (int64_t y = 0; y < q.height; y++) {
		const uint8_t *from = p->rgb + 3 * (y / factor) * p->width;
		uint8_t *to = q.rgb + 3 * y * q.width;
		for (int64_t x = 0; x < q.width; x++)
			memcpy(to + 3 * x, from + 3 * (x / factor), 3);
	}
	*ret = q;
	return CAIRN_OK;
}

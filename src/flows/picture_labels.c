/* SPDX-License-Identifier: Apache-2.0
 *
 * picture_labels.c -- labels in colour: a hash of the id picks hue, saturation and brightness.
 *
 * Neighbouring ids get unrelated colours, and an object keeps its colour whatever else is drawn.
 */
#include "flows/picture.h"

#include "flows/picture_block.h"

#include <math.h>

/* Finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit. */
static uint64_t mix(uint64_t v)
{
	v += 0x9e3779b97f4a7c15u;
	v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
	v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
	return v ^ (v >> 31);
}

uint32_t crn_label_colour(uint64_t id)
{
	if (id == 0)
		return 0;
	uint64_t h = mix(id);
	/* HSV in integers: hue 0..1535 (six ramps of 256), saturation 55..100 %, value 75..100 %.
	 */
	uint32_t hue = (uint32_t)(h % 1536), ramp = hue & 255;
	uint32_t value = 191 + (uint32_t)((h >> 32) & 63) + 1;
	uint32_t saturation = 140 + (uint32_t)((h >> 40) % 116);
	uint32_t low = value * (255 - saturation) / 255;
	uint32_t up = low + (value - low) * ramp / 255;
	uint32_t down = value - (value - low) * ramp / 255;
	uint32_t r = 0, g = 0, b = 0;
	switch (hue >> 8) {
	case 0:
		r = value, g = up, b = low;
		break;
	case 1:
		r = down, g = value, b = low;
		break;
	case 2:
		r = low, g = value, b = up;
		break;
	case 3:
		r = low, g = down, b = value;
		break;
	case 4:
		r = up, g = low, b = value;
		break;
	default:
		r = value, g = low, b = down;
	}
	return r << 16 | g << 8 | b;
}

static cairn_status check_labels(const crn_block *labels, cairn_error *err)
{
	if (labels->pixel == CRN_PIXEL_F32 || labels->pixel == CRN_PIXEL_F64) {
		crn_fail(err, CAIRN_USAGE, "labels must be integers or bool, not floats");
		crn_hint(err, "label(...) gives int32; a float array can be cast with astype");
		return CAIRN_USAGE;
	}
	return CAIRN_OK;
}

cairn_status crn_picture_labels(
	const crn_block *labels, int64_t plane, crn_picture *ret, cairn_error *err)
{
	CRN_TRY(check_labels(labels, err));
	crn_picture p;
	CRN_TRY(crn_picture_new(labels->columns, labels->rows, 0, &p, err));
	CRN_TRY(crn_picture_overlay(&p, labels, plane, 1, false, err));
	*ret = p;
	return CAIRN_OK;
}

static bool on_edge(const crn_block *b, int64_t first, int64_t y, int64_t x)
{
	int64_t i = first + y * b->columns + x;
	uint64_t id = crn_block_id(b, i);
	return (x > 0 && crn_block_id(b, i - 1) != id) ||
	       (x + 1 < b->columns && crn_block_id(b, i + 1) != id) ||
	       (y > 0 && crn_block_id(b, i - b->columns) != id) ||
	       (y + 1 < b->rows && crn_block_id(b, i + b->columns) != id);
}

cairn_status crn_picture_overlay(crn_picture *p, const crn_block *labels, int64_t plane,
	double alpha, bool edges, cairn_error *err)
{
	CRN_TRY(check_labels(labels, err));
	if (p->width != labels->columns || p->height != labels->rows)
		return crn_fail(err, CAIRN_USAGE,
			"labels of %lld x %lld pixels do not fit a picture of %lld x %lld",
			(long long)labels->columns, (long long)labels->rows, (long long)p->width,
			(long long)p->height);
	/* In 256ths, so that blending is exact integer arithmetic. */
	uint32_t weight = (uint32_t)lrint((alpha < 0 ? 0 : alpha > 1 ? 1 : alpha) * 256);
	int64_t first = plane * labels->rows * labels->columns;
	for (int64_t i = 0; i < p->width * p->height; i++) {
		uint64_t id = crn_block_id(labels, first + i);
		if (id == 0 || (edges && !on_edge(labels, first, i / p->width, i % p->width)))
			continue;
		uint32_t colour = crn_label_colour(id);
		for (int c = 0; c < 3; c++) {
			uint32_t paint = (colour >> (16 - 8 * c)) & 255;
			uint32_t old = p->rgb[3 * i + c];
			p->rgb[3 * i + c] =
				(uint8_t)((old * (256 - weight) + paint * weight + 128) >> 8);
		}
	}
	return CAIRN_OK;
}

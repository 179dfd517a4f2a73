/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_meta.c -- the three dialects of ImageDescription. See tiff_meta.h.
 */
#include "formats/tiff_meta.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* Bounds on what a description may claim; products are checked against the file by the caller. */
#define MAX_EXTENT INT32_MAX

void crn_tiff_unit(const char *text, size_t n, char ret[16])
{
	static const struct {
		const char *from, *to;
	} units[] = {{"um", "micrometer"}, {"micron", "micrometer"}, {"microns", "micrometer"},
		{"\xc2\xb5m", "micrometer"}, {"\xce\xbcm", "micrometer"}, {"\xb5m", "micrometer"},
		{"\\u00B5m", "micrometer"}, {"\\u00b5m", "micrometer"}, {"&#181;m", "micrometer"},
		{"&#xB5;m", "micrometer"}, {"nm", "nanometer"}, {"mm", "millimeter"},
		{"cm", "centimeter"}, {"m", "meter"}, {"inch", "inch"}, {"pixel", ""},
		{"pixels", ""}, {"sec", "second"}, {"s", "second"}, {"ms", "millisecond"},
		{"\xc3\x85", "angstrom"}};
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strlen(units[i].from) == n && memcmp(units[i].from, text, n) == 0) {
			memcpy(ret, units[i].to, strlen(units[i].to) + 1); /* all shorter than 16 */
			return;
		}
	}
	n = n < 15 ? n : 15;
	memcpy(ret, text, n);
	ret[n] = 0;
}

static int64_t to_extent(const char *text)
{
	int64_t v = 0;
	while (*text >= '0' && *text <= '9' && v <= MAX_EXTENT)
		v = v * 10 + (*text++ - '0');
	return v > MAX_EXTENT ? MAX_EXTENT : v;
}

static double to_scale(const char *text)
{
	double v = strtod(text, NULL);
	return v > 0 && v < 1e300 ? v : 0;
}

/* ---- ImageJ: key=value lines ---- */

static void scan_imagej(const char *text, crn_tiff_meta *m)
{
	m->dialect = CRN_TIFF_IMAGEJ;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *eq = strchr(line, '='), *end = line + strcspn(line, "\r\n");
		if (!eq || eq > end)
			continue;
		size_t n = (size_t)(eq - line);
		const char *value = eq + 1;
		if (n == 6 && memcmp(line, "images", n) == 0)
			m->images = to_extent(value);
		else if (n == 8 && memcmp(line, "channels", n) == 0)
			m->size_c = to_extent(value);
		else if (n == 6 && memcmp(line, "slices", n) == 0)
			m->size_z = to_extent(value);
		else if (n == 6 && memcmp(line, "frames", n) == 0)
			m->size_t_axis = to_extent(value);
		else if (n == 7 && memcmp(line, "spacing", n) == 0)
			m->scale_z = to_scale(value);
		else if (n == 9 && memcmp(line, "finterval", n) == 0)
			m->scale_t = to_scale(value);
		else if (n == 4 && memcmp(line, "unit", n) == 0)
			crn_tiff_unit(value, (size_t)(end - value), m->unit);
		else if (n == 5 && memcmp(line, "tunit", n) == 0)
			crn_tiff_unit(value, (size_t)(end - value), m->unit_t);
	}
	m->stride_c = 1;
	m->stride_z = m->size_c > 1 ? m->size_c : 1;
	m->stride_t = m->stride_z * (m->size_z > 1 ? m->size_z : 1);
}

/* ---- OME-XML: attributes of <Pixels> and <TiffData> ---- */

/* Value of an attribute inside one tag [tag, end); NULL if it has none. */
static const char *attribute(const char *tag, const char *end, const char *name, size_t *ret_n)
{
	size_t n = strlen(name);
	for (const char *p = tag; p + n + 2 < end; p++) {
		if (memcmp(p, name, n) != 0 || p[n] != '=' ||
			(p[n + 1] != '"' && p[n + 1] != '\'') ||
			(p > tag && p[-1] != ' ' && p[-1] != '\n' && p[-1] != '\t' &&
				p[-1] != '\r'))
			continue;
		const char *value = p + n + 2,
			   *close = memchr(value, p[n + 1], (size_t)(end - value));
		if (!close)
			return NULL;
		*ret_n = (size_t)(close - value);
		return value;
	}
	return NULL;
}

static int64_t int_attribute(const char *tag, const char *end, const char *name, int64_t absent)
{
	size_t n;
	const char *v = attribute(tag, end, name, &n);
	return v ? to_extent(v) : absent;
}

static double length_attribute(
	const char *tag, const char *end, const char *name, const char *unit_name, char unit[16])
{
	size_t n;
	const char *v = attribute(tag, end, name, &n);
	double scale = v ? to_scale(v) : 0;
	if (scale > 0) {
		const char *u = attribute(tag, end, unit_name, &n);
		crn_tiff_unit(u ? u : "um", u ? n : 2, unit);
	}
	return scale;
}

/* Pages apart, from the fastest axis on: "XYCZT" is c, then z, then t. */
static bool set_strides(crn_tiff_meta *m, const char *order)
{
	int64_t stride = 1;
	int seen = 0;
	for (int i = 2; i < 5; i++) {
		int64_t extent;
		switch (order[i]) {
		case 'C':
			m->stride_c = stride;
			extent = m->size_c;
			seen |= 1;
			break;
		case 'Z':
			m->stride_z = stride;
			extent = m->size_z;
			seen |= 2;
			break;
		case 'T':
			m->stride_t = stride;
			extent = m->size_t_axis;
			seen |= 4;
			break;
		default:
			return false;
		}
		if (__builtin_mul_overflow(stride, extent, &stride))
			return false;
	}
	return seen == 7;
}

/* Plane positions must be countable: plane (c, z, t) is page c*sc + z*sz + t*st of this file. */
static cairn_status check_tiff_data(const char *from, const char *end, int64_t samples,
	const crn_tiff_meta *m, cairn_error *err)
{
	const char *own_uuid = NULL;
	size_t n_own = 0;
	for (const char *p = from; p && p < end; p = strstr(p + 1, "<TiffData")) {
		const char *close = strchr(p, '>');
		if (strncmp(p, "<TiffData", 9) != 0)
			continue;
		if (!close || close >= end)
			break;
		int64_t c = int_attribute(p, close, "FirstC", 0) / (samples > 0 ? samples : 1);
		int64_t page = c * m->stride_c +
			       int_attribute(p, close, "FirstZ", 0) * m->stride_z +
			       int_attribute(p, close, "FirstT", 0) * m->stride_t;
		int64_t ifd = int_attribute(p, close, "IFD", page);
		const char *name = strstr(close, "FileName=\""), *stop = strstr(close, "<TiffData");
		if (name && name < (stop ? stop : end)) {
			name += 10;
			size_t n = strcspn(name, "\"");
			if (own_uuid && (n != n_own || memcmp(own_uuid, name, n) != 0)) {
				crn_fail(err, CAIRN_INPUT, "this OME-TIFF spans several files");
				crn_hint(err, "read its files as a stack: read(\"dir/*.tif\")");
				return CAIRN_INPUT;
			}
			own_uuid = name;
			n_own = n;
		}
		if (ifd != page)
			return crn_fail(err, CAIRN_INPUT,
				"this OME-TIFF keeps its planes in an order that differs from its "
				"DimensionOrder");
	}
	return CAIRN_OK;
}

static cairn_status scan_ome(const char *text, crn_tiff_meta *m, cairn_error *err)
{
	const char *tag = strstr(text, "<Pixels"), *end = tag ? strchr(tag, '>') : NULL;
	size_t n_order;
	const char *order = end ? attribute(tag, end, "DimensionOrder", &n_order) : NULL;
	if (!order || n_order != 5)
		return CAIRN_OK; /* only a text that mentions OME */
	for (const char *p = text; (p = strstr(p, "<Pixels")); p++)
		m->n_series++;
	m->size_z = int_attribute(tag, end, "SizeZ", 1);
	m->size_t_axis = int_attribute(tag, end, "SizeT", 1);
	m->size_c = int_attribute(tag, end, "SizeC", 1);
	const char *stop = strstr(tag, "</Pixels"), *channel = strstr(tag, "<Channel");
	if (!stop)
		stop = text + strlen(text);
	int64_t samples = 1;
	if (channel && channel < stop && strchr(channel, '>'))
		samples = int_attribute(channel, strchr(channel, '>'), "SamplesPerPixel", 1);
	if (samples > 1 && m->size_c % samples == 0)
		m->size_c /= samples;
	if (!set_strides(m, order))
		return CAIRN_OK;
	m->scale_x = length_attribute(tag, end, "PhysicalSizeX", "PhysicalSizeXUnit", m->unit);
	m->scale_y = length_attribute(tag, end, "PhysicalSizeY", "PhysicalSizeYUnit", m->unit);
	m->scale_z = length_attribute(tag, end, "PhysicalSizeZ", "PhysicalSizeZUnit", m->unit);
	m->dialect = CRN_TIFF_OME;
	return check_tiff_data(strstr(tag, "<TiffData"), stop, samples, m, err);
}

/* ---- tifffile: {"shape": [...], "axes": "ZYX"} ---- */

static cairn_status scan_shaped(const char *text, crn_tiff_meta *m)
{
	crn_json *root = NULL;
	if (crn_json_parse(text, strlen(text), CAIRN_INPUT, &root, NULL) != CAIRN_OK)
		return CAIRN_OK; /* another program's JSON */
	const crn_json *shape = crn_json_get(root, "shape"), *axes = crn_json_get(root, "axes");
	bool ok =
		shape && shape->kind == CRN_JSON_ARRAY && shape->n >= 1 && shape->n <= CRN_MAX_NDIM;
	for (int d = 0; ok && d < shape->n; d++) {
		ok = shape->items[d].kind == CRN_JSON_INT && shape->items[d].i >= 1;
		m->shape[d] = shape->items[d].i;
	}
	if (ok) {
		m->dialect = CRN_TIFF_SHAPED;
		m->ndim = shape->n;
		if (axes && axes->kind == CRN_JSON_STRING && (int)strlen(axes->text) == m->ndim)
			memcpy(m->axes, axes->text, strlen(axes->text) + 1);
	}
	crn_json_free(root);
	return CAIRN_OK;
}

cairn_status crn_tiff_meta_scan(const char *text, crn_tiff_meta *ret, cairn_error *err)
{
	crn_tiff_meta m = {.size_t_axis = 1,
		.size_z = 1,
		.size_c = 1,
		.stride_c = 1,
		.stride_z = 1,
		.stride_t = 1};
	if (text && strncmp(text, "ImageJ=", 7) == 0)
		scan_imagej(text, &m);
	else if (text && (strncmp(text, "<?xml", 5) == 0 || strncmp(text, "<OME", 4) == 0))
		CRN_TRY(scan_ome(text, &m, err));
	else if (text && text[0] == '{')
		CRN_TRY(scan_shaped(text, &m));
	*ret = m;
	return CAIRN_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_ifd.c -- TIFF 6.0 and BigTIFF directories. Every number of the file is checked before use:
 * counts against the file size, extents against 2^31, products against 2^63.
 */
#include "formats/tiff_ifd.h"

#include "base/mem.h"

#include <string.h>

/* Entries of one directory that are looked at; real files have 10 to 60. */
#define MAX_ENTRIES 4096

static uint64_t get_uint(const unsigned char *p, int size, bool swap)
{
	uint64_t v = 0;
	for (int i = 0; i < size; i++)
		v |= (uint64_t)p[swap ? size - 1 - i : i] << (8 * i);
	return v;
}

static int type_size(int type)
{
	static const unsigned char sizes[] = {
		0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
	return type >= 0 && type < (int)sizeof sizes ? sizes[type] : 0;
}

static bool type_is_uint(int type)
{
	return type == 1 || type == 3 || type == 4 || type == 13 || type == 16 || type == 18;
}

cairn_status crn_tiff_open(
	const char *url, crn_tiff_file *ret, uint64_t *ret_first, cairn_error *err)
{
	crn_tiff_file t = {0};
	unsigned char head[16] = {0};
	size_t n = 0;
	CRN_TRY(crn_file_open(url, &t.file, err));
	cairn_status status = crn_file_read_some(&t.file, 0, head, sizeof head, &n, err);
	t.swap = head[0] == 'M';
	int version = (int)get_uint(head + 2, 2, t.swap);
	bool order = (head[0] == 'I' && head[1] == 'I') || (head[0] == 'M' && head[1] == 'M');
	t.big = version == 43;
	if (status == CAIRN_OK &&
		(!order || (version != 42 && version != 43) || n < (t.big ? 16u : 8u) ||
			(t.big && (get_uint(head + 4, 2, t.swap) != 8 ||
					  get_uint(head + 6, 2, t.swap) != 0))))
		status = crn_fail(err, CAIRN_INPUT, "%s is no TIFF file", t.file.path);
	if (status != CAIRN_OK) {
		crn_file_close(&t.file);
		return status;
	}
	*ret_first = t.big ? get_uint(head + 8, 8, t.swap) : get_uint(head + 4, 4, t.swap);
	*ret = t;
	return CAIRN_OK;
}

cairn_status crn_tiff_values(const crn_tiff_file *t, const crn_tiff_array *a, uint64_t first,
	size_t n, uint64_t *ret, cairn_error *err)
{
	unsigned char bytes[512];
	size_t size = (size_t)type_size(a->type), batch = sizeof bytes / (size ? size : 1);
	if (!type_is_uint(a->type) || first > a->n || n > a->n - first)
		return crn_fail(err, CAIRN_INPUT, "%s: a table of strip positions is too short",
			t->file.path);
	for (size_t i = 0; i < n; i += batch) {
		size_t k = n - i < batch ? n - i : batch;
		CRN_TRY(crn_file_read(&t->file, a->at + (first + i) * size, bytes, k * size, err));
		for (size_t j = 0; j < k; j++)
			ret[i + j] = get_uint(bytes + j * size, (int)size, t->swap);
	}
	return CAIRN_OK;
}

cairn_status crn_tiff_text(
	const crn_tiff_file *t, const crn_tiff_array *a, char **ret, cairn_error *err)
{
	if (a->n == 0 || type_size(a->type) != 1) {
		*ret = NULL;
		return CAIRN_OK;
	}
	size_t n = a->n < (64u << 20) ? (size_t)a->n : 64u << 20;
	CRN_FREE char *text = crn_alloc(n + 1);
	if (!text)
		return crn_fail_memory(err, "a TIFF description", n);
	CRN_TRY(crn_file_read(&t->file, a->at, text, n, err));
	text[n] = 0;
	*ret = crn_steal(&text);
	return CAIRN_OK;
}

double crn_tiff_rational(const crn_tiff_file *t, const crn_tiff_array *a)
{
	unsigned char b[8];
	if (a->n == 0 || a->type != 5 || crn_file_read(&t->file, a->at, b, 8, NULL) != CAIRN_OK)
		return 0;
	double den = (double)get_uint(b + 4, 4, t->swap);
	return den > 0 ? (double)get_uint(b, 4, t->swap) / den : 0;
}

int64_t crn_tiff_n_units(const crn_tiff_page *p)
{
	int64_t n = crn_n_units(p->width, p->unit_width), planes = p->planar == 2 ? p->samples : 1;
	if (__builtin_mul_overflow(n, crn_n_units(p->height, p->unit_height), &n) ||
		__builtin_mul_overflow(n, planes, &n))
		return INT64_MAX; /* no file has positions for so many */
	return n;
}

int64_t crn_tiff_row_bytes(const crn_tiff_page *p)
{
	return (p->unit_width * (p->planar == 2 ? 1 : p->samples) * p->bits + 7) / 8;
}

/* One entry of a directory while it is read. */
typedef struct entry {
	int tag;
	crn_tiff_array array;
	uint64_t value; /* first value, if it is an unsigned integer */
} entry;

static cairn_status damaged(
	const crn_tiff_file *t, int64_t number, const char *why, cairn_error *err)
{
	crn_fail(err, CAIRN_INPUT, "%s, page %lld: %s", t->file.path, (long long)number, why);
	crn_hint(err, "the file is damaged or truncated; copy or write it again");
	return CAIRN_INPUT;
}

/* Per-sample tags hold one value for each sample; cairn wants them equal. */
static cairn_status same_values(
	const crn_tiff_file *t, const entry *e, int64_t number, cairn_error *err)
{
	uint64_t v[64];
	size_t n = e->array.n < 64 ? (size_t)e->array.n : 64;
	CRN_TRY(crn_tiff_values(t, &e->array, 0, n, v, err));
	for (size_t i = 1; i < n; i++)
		if (v[i] != v[0])
			return damaged(t, number, "samples of different kinds in one pixel", err);
	return CAIRN_OK;
}

static cairn_status take_entry(
	const crn_tiff_file *t, const entry *e, int64_t number, crn_tiff_page *p, cairn_error *err)
{
	uint64_t v = e->value;
	uint16_t v16 = v <= UINT16_MAX ? (uint16_t)v : UINT16_MAX;
	int64_t extent = v <= INT32_MAX ? (int64_t)v : INT32_MAX;
	switch (e->tag) {
	case 254:
		p->subfile = (uint32_t)v;
		break;
	case 256:
		p->width = v <= INT32_MAX ? (int64_t)v : -1;
		break;
	case 257:
		p->height = v <= INT32_MAX ? (int64_t)v : -1;
		break;
	case 258:
		p->bits = v16;
		return same_values(t, e, number, err);
	case 259:
		p->compression = v16;
		break;
	case 262:
		p->photometric = v16;
		break;
	case 266:
		p->fill_order = v16;
		break;
	case 270:
		p->description = e->array;
		break;
	case 273:
	case 324:
		p->offsets = e->array;
		break;
	case 277:
		p->samples = v16;
		break;
	case 278:
		if (!p->tiled)
			p->unit_height = extent;
		break;
	case 279:
	case 325:
		p->counts = e->array;
		break;
	case 282:
		p->x_resolution = e->array;
		break;
	case 283:
		p->y_resolution = e->array;
		break;
	case 284:
		p->planar = v16;
		break;
	case 296:
		p->resolution_unit = v16;
		break;
	case 317:
		p->predictor = v16;
		break;
	case 322:
		p->unit_width = extent;
		p->tiled = true;
		break;
	case 323:
		p->unit_height = extent;
		p->tiled = true;
		break;
	case 339:
		p->sample_format = v16;
		return same_values(t, e, number, err);
	default:
		break;
	}
	return CAIRN_OK;
}

static cairn_status check_page(
	const crn_tiff_file *t, int64_t number, crn_tiff_page *p, cairn_error *err)
{
	if (p->width <= 0 || p->height <= 0)
		return damaged(t, number, "no width or height below 2^31", err);
	if (!p->tiled)
		p->unit_width = p->width;
	if (p->unit_height <= 0 || (!p->tiled && p->unit_height > p->height))
		p->unit_height = p->height;
	if (p->samples == 0 || p->bits == 0 || p->bits > 64 || p->unit_width <= 0)
		return damaged(t, number, "samples, bits or tile width are zero or too large", err);
	if (p->samples == 1)
		p->planar = 1;
	if (p->planar != 1 && p->planar != 2)
		return damaged(t, number, "unknown planar configuration", err);
	int64_t row = crn_tiff_row_bytes(p), unit;
	if (__builtin_mul_overflow(row, p->unit_height, &unit) || unit > (int64_t)1 << 40)
		return damaged(t, number, "a strip or tile of more than 2^40 bytes", err);
	int64_t units = crn_tiff_n_units(p);
	if (!type_is_uint(p->offsets.type) || p->offsets.n < (uint64_t)units)
		return damaged(t, number, "fewer strip or tile positions than the image has", err);
	if (p->counts.n < (uint64_t)units || !type_is_uint(p->counts.type)) {
		if (p->compression != TIFF_NONE)
			return damaged(
				t, number, "fewer strip or tile sizes than the image has", err);
		p->counts = (crn_tiff_array){0};
	}
	return CAIRN_OK;
}

/* `dir`: the n entries that lie at position `at` of the file. */
static cairn_status read_entries(const crn_tiff_file *t, int64_t number, uint64_t at,
	const unsigned char *dir, size_t n, crn_tiff_page *p, cairn_error *err)
{
	size_t size = t->big ? 20 : 12, inline_size = t->big ? 8 : 4;
	for (size_t i = 0; i < n; i++) {
		const unsigned char *b = dir + i * size, *value = b + (t->big ? 12 : 8);
		entry e = {.tag = (int)get_uint(b, 2, t->swap)};
		crn_tiff_array *a = &e.array;
		a->type = (uint16_t)get_uint(b + 2, 2, t->swap);
		a->n = get_uint(b + 4, t->big ? 8 : 4, t->swap);
		uint64_t bytes;
		int item = type_size(a->type);
		if (item == 0 || __builtin_mul_overflow(a->n, (uint64_t)item, &bytes) || bytes == 0)
			continue;
		a->at = bytes <= inline_size ? at + (uint64_t)(value - dir)
					     : get_uint(value, (int)inline_size, t->swap);
		if (a->at > t->file.size_bytes || bytes > t->file.size_bytes - a->at)
			return damaged(
				t, number, "a tag's values lie past the end of the file", err);
		if (type_is_uint(a->type) && bytes <= inline_size)
			e.value = get_uint(value, item, t->swap);
		else if (type_is_uint(a->type) && (e.tag == 258 || e.tag == 339))
			CRN_TRY(crn_tiff_values(t, a, 0, 1, &e.value, err));
		CRN_TRY(take_entry(t, &e, number, p, err));
	}
	return CAIRN_OK;
}

cairn_status crn_tiff_read_page(
	const crn_tiff_file *t, uint64_t ifd, int64_t number, crn_tiff_page *ret, cairn_error *err)
{
	/* Nearly every directory fits the first read; one that does not gets memory of its own. */
	unsigned char small[2048];
	size_t head = t->big ? 8 : 2, size = t->big ? 20 : 12, tail = t->big ? 8 : 4, got = 0;
	if (ifd > t->file.size_bytes || t->file.size_bytes - ifd < head + tail)
		return damaged(t, number, "its directory lies past the end of the file", err);
	CRN_TRY(crn_file_read_some(&t->file, ifd, small, sizeof small, &got, err));
	uint64_t n = got < head ? 0 : get_uint(small, (int)head, t->swap);
	if (n == 0 || n > MAX_ENTRIES || n * size + head + tail > t->file.size_bytes - ifd)
		return damaged(t, number, "its directory is empty or does not fit the file", err);
	size_t total = head + n * size + tail;
	const unsigned char *dir = small;
	CRN_FREE unsigned char *large = NULL;
	if (total > got) {
		dir = large = crn_alloc(total);
		if (!large)
			return crn_fail_memory(err, "a TIFF directory", total);
		CRN_TRY(crn_file_read(&t->file, ifd, large, total, err));
	}
	crn_tiff_page p = {.ifd = ifd,
		.bits = 1,
		.samples = 1,
		.sample_format = 1,
		.compression = TIFF_NONE,
		.predictor = 1,
		.planar = 1,
		.fill_order = 1,
		.resolution_unit = 2};
	CRN_TRY(read_entries(t, number, ifd + head, dir + head, (size_t)n, &p, err));
	p.next = get_uint(dir + total - tail, (int)tail, t->swap);
	CRN_TRY(check_page(t, number, &p, err));
	*ret = p;
	return CAIRN_OK;
}

const char *crn_tiff_compression_name(int compression)
{
	switch (compression) {
	case TIFF_NONE:
		return "none";
	case 2:
	case 3:
	case 4:
		return "ccitt";
	case TIFF_LZW:
		return "lzw";
	case 6:
	case 7:
		return "jpeg";
	case TIFF_ADOBE_DEFLATE:
	case TIFF_OLD_DEFLATE:
		return "deflate";
	case TIFF_PACKBITS:
		return "packbits";
	case 33003:
	case 33005:
	case 34712:
		return "jpeg2000";
	case 34887:
		return "lerc";
	case 34925:
		return "lzma";
	case TIFF_ZSTD:
		return "zstd";
	case 50001:
		return "webp";
	case 50002:
		return "jpegxl";
	default:
		return "unknown";
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_write.c -- TIFF output: chooses how, writes uncompressed files and stacks of slices.
 *
 * Uncompressed: all pixels of all pages follow each other, so the file is a flat array behind its
 * directories. A slice of a stack: the same for one page; compressed, its directory comes last.
 */
#include "formats/tiff_write.h"

#include "base/mem.h"
#include "formats/image_sink.h"
#include "formats/raw_sink.h"
#include "formats/tiff_ifd.h"

#include <string.h>

extern const crn_format crn_format_tiff;

static const char *const compressions[] = {"none", "deflate", "lzw", "zstd", "packbits", NULL};
const crn_param crn_tiff_write_params[] = {
	{"compression", CRN_P_STR, "None", "none, deflate, lzw, zstd or packbits", compressions},
	{"start", CRN_P_INT, "0", "number of the first slice of a stack", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

/* ---- strips ---- */

static size_t strip_bytes(const crn_tiff_layout *l)
{
	return l->row_bytes * (size_t)l->rows_per_strip;
}

size_t crn_tiff_pack_scratch(const crn_tiff_layout *l)
{
	size_t n = (strip_bytes(l) + 63) / 64 * 64;
	return l->coding.compression == TIFF_NONE ? n : n + crn_tiff_encoded_bound(n);
}

/* One row of the page, dense, bool as 0 and 255. */
static void pack_row(const crn_view *in, int64_t y, unsigned char *to)
{
	const char *from = (const char *)in->data + y * in->stride[0];
	size_t item = crn_dtype_size(in->dtype);
	if (in->ndim == 2) {
		memcpy(to, from, (size_t)in->shape[1] * item);
	} else {
		size_t pixel = (size_t)in->shape[2] * item;
		for (int64_t x = 0; x < in->shape[1]; x++)
			memcpy(to + (size_t)x * pixel, from + x * in->stride[1], pixel);
	}
	size_t n = (size_t)(in->shape[1] * (in->ndim == 2 ? 1 : in->shape[2]));
	for (size_t i = 0; in->dtype == CRN_BOOL && i < n; i++)
		to[i] = to[i] ? 255 : 0;
}

cairn_status crn_tiff_pack_strip(const crn_tiff_layout *l, const crn_view *in, int64_t y, int64_t n,
	void *scratch, const void **ret_bytes, size_t *ret_n, cairn_error *err)
{
	unsigned char *raw = scratch;
	size_t bytes = l->row_bytes * (size_t)n, room = (strip_bytes(l) + 63) / 64 * 64;
	for (int64_t i = 0; i < n; i++)
		pack_row(in, y + i, raw + l->row_bytes * (size_t)i);
	*ret_bytes = raw;
	*ret_n = bytes;
	if (l->coding.compression == TIFF_NONE)
		return CAIRN_OK;
	*ret_bytes = raw + room;
	crn_tiff_coding coding = l->coding;
	coding.rows = (uint32_t)n;
	return crn_tiff_encode(
		&coding, raw, bytes, raw + room, crn_tiff_encoded_bound(room), ret_n, err);
}

/* ---- one uncompressed file ---- */

/* Where strips lie when nothing is compressed. */
static void plain_strips(const crn_tiff_layout *l, int64_t page, uint64_t *offsets, uint64_t *sizes)
{
	uint64_t page_bytes = (uint64_t)l->row_bytes * (uint64_t)l->height;
	uint64_t at = l->data_at + (uint64_t)page * page_bytes, left = page_bytes;
	for (int64_t k = 0; k < l->strips_per_page; k++) {
		offsets[k] = at;
		sizes[k] = left < strip_bytes(l) ? left : strip_bytes(l);
		at += sizes[k];
		left -= sizes[k];
	}
}

static cairn_status write_plain_header(void *data, crn_part *part, cairn_error *err)
{
	enum { FLUSH_BYTES = 256 << 10 };
	const crn_tiff_layout *l = data;
	CRN_STR text = {0};
	uint64_t at = 0;
	CRN_FREE uint64_t *strips = crn_calloc((size_t)l->strips_per_page, 2 * sizeof *strips);
	if (!strips)
		return crn_fail_memory(err, "a table of strips", (size_t)l->strips_per_page * 16);
	crn_tiff_print_head(l, l->blocks_at, &text);
	for (int64_t page = 0; page < l->n_pages; page++) {
		uint64_t here = l->blocks_at + (uint64_t)page * l->block_bytes;
		uint64_t next = page + 1 < l->n_pages ? here + l->block_bytes : 0;
		plain_strips(l, page, strips, strips + l->strips_per_page);
		crn_tiff_print_block(
			l, here, page == 0, next, strips, strips + l->strips_per_page, &text);
		if (text.oom)
			return crn_fail_memory(err, "TIFF directories", text.len);
		if (text.len < FLUSH_BYTES && next != 0)
			continue;
		CRN_TRY(crn_part_write(part, at, text.data, text.len, err));
		at += text.len;
		crn_str_clear(&text);
	}
	return CAIRN_OK;
}

static void free_layout(void *data)
{
	crn_tiff_layout_done(data);
	crn_free(data);
}

static cairn_status create_plain(
	const crn_create_request *req, crn_tiff_layout *layout, crn_sink **ret, cairn_error *err)
{
	crn_tiff_layout *copy = crn_alloc(sizeof *copy);
	if (!copy) {
		crn_tiff_layout_done(layout);
		return crn_fail_memory(err, "an output", sizeof *copy);
	}
	*copy = *layout;
	crn_flat_layout flat = {.data_offset = layout->data_at,
		.bool_as_255 = true,
		.header = write_plain_header,
		.header_data = copy,
		.header_done = free_layout};
	return crn_flat_sink_new(req, &crn_format_tiff, &flat, ret, err);
}

/* ---- one file a slice ---- */

/* Everything an encoder needs to make the layout of a slice again: no owned memory. */
typedef struct slice_options {
	crn_type type; /* of a slice */
	int compression;
} slice_options;

static cairn_status put_text(crn_image_out *out, const crn_str *text, cairn_error *err)
{
	return text->oom ? crn_fail_memory(err, "a TIFF directory", text->len)
			 : crn_image_put(out, text->data, text->len, err);
}

static cairn_status encode_slice(const crn_tiff_layout *l, const crn_view *in, crn_image_out *out,
	void *scratch, cairn_error *err)
{
	bool plain = l->coding.compression == TIFF_NONE;
	CRN_FREE uint64_t *strips = crn_calloc((size_t)l->strips_per_page, 2 * sizeof *strips);
	if (!strips)
		return crn_fail_memory(err, "a table of strips", (size_t)l->strips_per_page * 16);
	uint64_t *offsets = strips, *sizes = strips + l->strips_per_page, at = l->blocks_at;
	CRN_STR text = {0};
	crn_tiff_print_head(l, l->blocks_at, &text);
	if (plain) {
		plain_strips(l, 0, offsets, sizes);
		crn_tiff_print_block(l, l->blocks_at, true, 0, offsets, sizes, &text);
	}
	CRN_TRY(put_text(out, &text, err));
	for (int64_t k = 0; k < l->strips_per_page; k++) {
		int64_t y = k * l->rows_per_strip, left = l->height - y;
		const void *bytes;
		size_t n;
		CRN_TRY(crn_tiff_pack_strip(l, in, y,
			left < l->rows_per_strip ? left : l->rows_per_strip, scratch, &bytes, &n,
			err));
		CRN_TRY(crn_image_put(out, bytes, n, err));
		if (plain)
			continue;
		offsets[k] = at;
		sizes[k] = n;
		at += n;
	}
	if (plain)
		return CAIRN_OK;
	/* Directories start on even positions; the header then learns where this one is. */
	if (at % 2)
		CRN_TRY(crn_image_put(out, "", 1, err));
	at += at % 2;
	crn_str_clear(&text);
	crn_tiff_print_block(l, at, true, 0, offsets, sizes, &text);
	CRN_TRY(put_text(out, &text, err));
	crn_str_clear(&text);
	crn_tiff_print_head(l, at, &text);
	if (text.oom)
		return crn_fail_memory(err, "a TIFF header", text.len);
	return crn_image_patch(out, 0, text.data, 16, err);
}

static cairn_status encode(
	const void *data, const crn_view *in, crn_image_out *out, void *scratch, cairn_error *err)
{
	const slice_options *o = data;
	crn_tiff_layout l;
	CRN_TRY(crn_tiff_layout_make("slice", &o->type, o->compression, &l, err));
	cairn_status status = encode_slice(&l, in, out, scratch, err);
	crn_tiff_layout_done(&l);
	return status;
}

/* The slices of a stack: their type, and what the sink must know but for encoder.data. */
static cairn_status make_spec(const crn_create_request *req, int compression,
	slice_options *ret_slice, crn_image_sink_spec *ret, cairn_error *err)
{
	const crn_type *t = &req->type;
	const crn_value *start = &req->options[CRN_TIFF_OPT_START];
	bool color = crn_image_has_channels(t, false);
	int n = 2 + color;
	slice_options o = {.type = *t, .compression = compression};
	o.type.ndim = t->ndim < n ? t->ndim : n;
	for (int d = 0; d < o.type.ndim; d++) {
		o.type.shape[d] = t->shape[t->ndim - o.type.ndim + d];
		o.type.axes[d] = t->axes[t->ndim - o.type.ndim + d];
	}
	if (color)
		memcpy(o.type.axes[2].name, "c", 2);
	crn_tiff_layout l;
	CRN_TRY(crn_tiff_layout_make(req->url, &o.type, compression, &l, err));
	*ret = (crn_image_sink_spec){.format = &crn_format_tiff,
		.encoder = {.encode = encode, .scratch_bytes = crn_tiff_pack_scratch(&l)},
		.start = start->kind == CRN_V_INT && start->i > 0 ? start->i : 0,
		.slice_ndim = n};
	*ret_slice = o;
	crn_tiff_layout_done(&l);
	return CAIRN_OK;
}

static cairn_status create_stack(
	const crn_create_request *req, int compression, crn_sink **ret, cairn_error *err)
{
	crn_image_sink_spec spec;
	slice_options slice, *o = crn_alloc(sizeof *o);
	if (!o)
		return crn_fail_memory(err, "an output", sizeof *o);
	cairn_status status = make_spec(req, compression, &slice, &spec, err);
	if (status != CAIRN_OK) {
		crn_free(o);
		return status;
	}
	*o = slice;
	spec.encoder.data = o;
	return crn_image_sink_new(req, &spec, ret, err);
}

/* ---- the three ways ---- */

static int compression_of(const crn_create_request *req)
{
	static const int numbers[] = {
		TIFF_NONE, TIFF_ADOBE_DEFLATE, TIFF_LZW, TIFF_ZSTD, TIFF_PACKBITS};
	const crn_value *name = &req->options[CRN_TIFF_OPT_COMPRESSION];
	for (int i = 0; name->kind == CRN_V_STR && compressions[i]; i++)
		if (strcmp(compressions[i], name->s) == 0)
			return numbers[i];
	return TIFF_NONE;
}

cairn_status crn_tiff_plan_unit(const crn_create_request *req, int64_t ret_unit[CRN_MAX_NDIM],
	size_t *ret_unit_scratch, cairn_error *err)
{
	int compression = compression_of(req);
	if (!crn_image_is_single(req->url, crn_format_tiff.suffixes)) {
		crn_image_sink_spec spec;
		slice_options slice;
		CRN_TRY(make_spec(req, compression, &slice, &spec, err));
		return crn_image_plan(req, &spec, ret_unit, ret_unit_scratch, err);
	}
	crn_tiff_layout l;
	CRN_TRY(crn_tiff_layout_make(req->url, &req->type, compression, &l, err));
	if (compression != TIFF_NONE)
		crn_tiff_pieces_plan(&l, &req->type, req->chunks, ret_unit, ret_unit_scratch);
	crn_tiff_layout_done(&l);
	return compression == TIFF_NONE ? crn_flat_plan_unit(req, ret_unit, ret_unit_scratch, err)
					: CAIRN_OK;
}

cairn_status crn_tiff_create(const crn_create_request *req, crn_sink **ret, cairn_error *err)
{
	int compression = compression_of(req);
	if (!crn_image_is_single(req->url, crn_format_tiff.suffixes))
		return create_stack(req, compression, ret, err);
	crn_tiff_layout l;
	CRN_TRY(crn_tiff_layout_make(req->url, &req->type, compression, &l, err));
	if (compression == TIFF_NONE)
		return create_plain(req, &l, ret, err);
	return crn_tiff_pieces_new(req, &crn_format_tiff, &l, ret, err);
}

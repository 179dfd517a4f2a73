/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes_codec.c -- array to bytes: the elements of a chunk in C order, little or big endian.
 *
 * Source: Zarr v3 "bytes" (older drafts: "endian"); the byte order of a Zarr v2 dtype.
 */
#include "core/codec.h"

#include <assert.h>
#include <string.h>

enum { BIG }; /* params */

/* dst and src may be the same memory. Element sizes 2, 4, 8. */
static void swap_row(void *dst, const void *src, int64_t n, size_t size)
{
	if (size == 2) {
		for (int64_t i = 0; i < n; i++) {
			uint16_t v;
			memcpy(&v, (const char *)src + 2 * i, 2);
			v = __builtin_bswap16(v);
			memcpy((char *)dst + 2 * i, &v, 2);
		}
	} else if (size == 4) {
		for (int64_t i = 0; i < n; i++) {
			uint32_t v;
			memcpy(&v, (const char *)src + 4 * i, 4);
			v = __builtin_bswap32(v);
			memcpy((char *)dst + 4 * i, &v, 4);
		}
	} else {
		for (int64_t i = 0; i < n; i++) {
			uint64_t v;
			memcpy(&v, (const char *)src + 8 * i, 8);
			v = __builtin_bswap64(v);
			memcpy((char *)dst + 8 * i, &v, 8);
		}
	}
}

/* Swaps every element of a dense or strided view in place. */
static void swap_view(const crn_view *v)
{
	crn_rows rows;
	size_t size = crn_dtype_size(v->dtype);
	for (crn_rows_begin(&rows, v->ndim, v->shape); !rows.end; crn_rows_next(&rows)) {
		char *row = crn_rows_at(&rows, v);
		int64_t stride = v->ndim ? v->stride[v->ndim - 1] : 0;
		if (crn_view_rows_contiguous(v))
			swap_row(row, row, rows.n, size);
		else
			for (int64_t i = 0; i < rows.n; i++)
				swap_row(row + i * stride, row + i * stride, 1, size);
	}
}

/* The first corner.shape voxels of the chunk at `bytes`. */
static crn_view chunk_corner(const crn_codec_step *s, const void *bytes, const crn_view *corner)
{
	crn_view v = crn_view_dense((void *)bytes, s->chunk.dtype, s->chunk.ndim, s->chunk.shape);
	for (int d = 0; d < v.ndim; d++) {
		assert(corner->shape[d] <= v.shape[d]);
		v.shape[d] = corner->shape[d];
	}
	return v;
}

static void encode_array(const crn_codec_step *s, const crn_view *corner, void *out)
{
	crn_view to = chunk_corner(s, out, corner);
	crn_view whole = crn_view_dense(out, s->chunk.dtype, s->chunk.ndim, s->chunk.shape);
	if (memcmp(to.shape, whole.shape, sizeof(to.shape)) != 0)
		crn_view_fill(&whole, s->chunk.fill);
	crn_view_copy(&to, corner);
	if (s->params[BIG])
		swap_view(&whole);
}

static void decode_array(const crn_codec_step *s, const void *in, const crn_view *corner)
{
	crn_view from = chunk_corner(s, in, corner);
	crn_view_copy(corner, &from);
	if (s->params[BIG])
		swap_view(corner);
}

static bool is_plain(const crn_codec_step *s)
{
	return !s->params[BIG];
}

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	const crn_json *endian = crn_json_get(req->config, "endian");
	size_t size = crn_dtype_size(req->chunk.dtype);
	bool big = false;
	if (endian && endian->kind == CRN_JSON_STRING && strcmp(endian->text, "big") == 0)
		big = true;
	else if (endian && (endian->kind != CRN_JSON_STRING || strcmp(endian->text, "little") != 0))
		return crn_fail(err, CAIRN_INPUT, "\"endian\" must be \"little\" or \"big\"");
	else if (!endian && size > 1)
		return crn_fail(err, CAIRN_INPUT, "\"endian\" is missing");
	ret->params[BIG] = big && size > 1;
	ret->encoded_bytes = ret->max_encoded = req->max_decoded;
	return CAIRN_OK;
}

static const char *const v3_names[] = {"bytes", "endian", NULL};

const crn_codec crn_codec_bytes = {
	.name = "bytes",
	.summary = "elements in C order, little or big endian",
	.v3_names = v3_names,
	.kind = CRN_ARRAY_TO_BYTES,
	.configure = configure,
	.encode_array = encode_array,
	.decode_array = decode_array,
	.is_plain = is_plain,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * codec.c -- chains of codecs: sizes summed up once, then chunks through two alternating buffers.
 *
 *	scratch:  [ buffer A | buffer B | scratch of the running codec ]
 *
 * Array steps never copy: transposes fold into the view that the one ARRAY_TO_BYTES step reads or
 * fills. A chain whose array steps change nothing decodes straight into the caller's memory.
 *
 * Invariants
 *  (1) steps[0 .. n_array) are ARRAY_TO_ARRAY, steps[n_array] is ARRAY_TO_BYTES, the rest
 *      BYTES_TO_BYTES.
 *  (2) Every size below is known when the chain is sealed; nothing is allocated afterwards.
 */
#include "core/codec.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

#define MAX_CHUNK_BYTES ((int64_t)1 << 40)
#define ALIGN 64

/* Other writers may compress worse than our bound says (many small deflate blocks, flushes). */
static size_t with_slack(size_t n)
{
	size_t slack = n / 4 + 65536;
	return n > SIZE_MAX / 2 ? n : n + slack;
}

static size_t aligned(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static bool listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

const crn_codec *crn_codec_find(const crn_registry *r, const char *name, int zarr_format)
{
	for (const crn_codec *const *c = r->codecs; *c; c++)
		if (listed(zarr_format == 2 ? (*c)->v2_ids : (*c)->v3_names, name))
			return *c;
	return NULL;
}

cairn_status crn_codec_int(const crn_json *config, const char *key,
	const int64_t range_lo_hi_fallback[3], int64_t *ret, cairn_error *err)
{
	const crn_json *v = crn_json_get(config, key);
	int64_t lo = range_lo_hi_fallback[0], hi = range_lo_hi_fallback[1];
	if (!v || v->kind == CRN_JSON_NULL) {
		*ret = range_lo_hi_fallback[2];
		return CAIRN_OK;
	}
	if (v->kind != CRN_JSON_INT || v->i < lo || v->i > hi)
		return crn_fail(err, CAIRN_INPUT, "\"%s\" must be an integer from %lld to %lld",
			key, (long long)lo, (long long)hi);
	*ret = v->i;
	return CAIRN_OK;
}

/* ---- building ---- */

cairn_status crn_chain_init(crn_chain *ret, const crn_chunk_type *chunk, cairn_error *err)
{
	int64_t count, bytes;
	for (int d = 0; d < chunk->ndim; d++)
		if (chunk->shape[d] < 1)
			return crn_fail(err, CAIRN_INPUT,
				"chunk extent %lld on axis %d, at least 1 is needed",
				(long long)chunk->shape[d], d);
	if (!crn_count(chunk->ndim, chunk->shape, &count) ||
		__builtin_mul_overflow(count, (int64_t)crn_dtype_size(chunk->dtype), &bytes) ||
		bytes > MAX_CHUNK_BYTES)
		return crn_fail(err, CAIRN_INPUT, "one chunk would be larger than 2^40 bytes");
	*ret = (crn_chain){.chunk = *chunk, .chunk_bytes = (size_t)bytes};
	return CAIRN_OK;
}

cairn_status crn_chain_add(crn_chain *c, const crn_codec *codec, int zarr_format,
	const crn_json *config, cairn_error *err)
{
	if (c->n == CRN_MAX_CODECS)
		return crn_fail(err, CAIRN_INPUT, "more than %d codecs", CRN_MAX_CODECS);
	bool in_bytes = c->n > c->n_array;
	if (in_bytes != (codec->kind == CRN_BYTES_TO_BYTES))
		return crn_fail(err, CAIRN_INPUT,
			in_bytes ? "codec \"%s\" takes an array, but what comes before it makes "
				   "bytes"
				 : "codec \"%s\" takes bytes, but no codec before it makes them",
			codec->name);
	const crn_codec_step *last = c->n ? &c->steps[c->n - 1] : NULL;
	crn_codec_request req = {
		.config = config,
		.zarr_format = zarr_format,
		.chunk = last ? last->chunk : c->chunk,
		.decoded_bytes = last ? last->encoded_bytes : c->chunk_bytes,
		.max_decoded = last ? last->max_encoded : c->chunk_bytes,
	};
	crn_codec_step step = {.codec = codec,
		.chunk = req.chunk,
		.decoded_bytes = req.decoded_bytes,
		.encoded_bytes = CRN_SIZE_UNKNOWN};
	cairn_status status = codec->configure(&req, &step, err);
	if (status != CAIRN_OK) {
		crn_where(err, "codec \"%s\"", codec->name);
		return status;
	}
	if (codec->kind == CRN_ARRAY_TO_ARRAY)
		c->n_array++;
	c->steps[c->n++] = step;
	return CAIRN_OK;
}

/* True if the axes come out in the order they went in. */
static bool keeps_order(const crn_chain *c)
{
	crn_view v = {.ndim = c->chunk.ndim};
	for (int d = 0; d < v.ndim; d++)
		v.stride[d] = d;
	for (int i = 0; i < c->n_array; i++) {
		crn_view in = v;
		c->steps[i].codec->reorder(&c->steps[i], &in, &v);
	}
	for (int d = 0; d < v.ndim; d++)
		if (v.stride[d] != d)
			return false;
	return true;
}

cairn_status crn_chain_seal(crn_chain *c, cairn_error *err)
{
	if (c->n == c->n_array)
		return crn_fail(err, CAIRN_INPUT, "no codec turns the array into bytes");
	const crn_codec_step *to_bytes = &c->steps[c->n_array];
	c->plain = keeps_order(c) && to_bytes->codec->is_plain(to_bytes);
	int n_bytes = c->n - c->n_array - 1;
	size_t encode_buffer = to_bytes->max_encoded, decode_buffer = to_bytes->max_encoded;
	size_t encode_codec = 0, decode_codec = 0;
	for (int i = c->n_array + 1; i < c->n; i++) {
		const crn_codec_step *s = &c->steps[i];
		encode_buffer = larger(encode_buffer, s->max_encoded);
		if (i + 1 < c->n)
			decode_buffer = larger(decode_buffer, with_slack(s->max_encoded));
		encode_codec = larger(encode_codec, s->encode_scratch);
		decode_codec = larger(decode_codec, s->decode_scratch);
	}
	c->max_encoded = c->steps[c->n - 1].max_encoded;
	c->max_object = n_bytes ? with_slack(c->max_encoded) : c->max_encoded;
	size_t n_encode = n_bytes ? 2 : 1, n_decode = n_bytes < 2 ? (size_t)n_bytes : 2;
	c->encode_scratch = n_encode * aligned(encode_buffer) + aligned(encode_codec);
	c->decode_scratch = n_decode * aligned(decode_buffer) + aligned(decode_codec);
	return CAIRN_OK;
}

void crn_chain_done(crn_chain *c)
{
	for (int i = 0; i < c->n; i++) {
		crn_codec_step *s = &c->steps[i];
		if (s->codec->done)
			s->codec->done(s);
		else
			crn_free(s->state);
	}
	*c = (crn_chain){0};
}

/* ---- running ---- */

/* The caller's corner as the ARRAY_TO_BYTES step sees it. */
static crn_view reordered(const crn_chain *c, const crn_view *corner)
{
	crn_view v = *corner;
	for (int i = 0; i < c->n_array; i++) {
		crn_view in = v;
		c->steps[i].codec->reorder(&c->steps[i], &in, &v);
	}
	return v;
}

static bool is_whole(const crn_chain *c, const crn_view *corner)
{
	for (int d = 0; d < c->chunk.ndim; d++)
		if (corner->shape[d] != c->chunk.shape[d])
			return false;
	return crn_view_is_dense(corner);
}

cairn_status crn_chain_decode(const crn_chain *c, const void *object, size_t n,
	const crn_view *corner, void *scratch, cairn_error *err)
{
	assert(corner->ndim == c->chunk.ndim && corner->dtype == c->chunk.dtype);
	int first = c->n_array + 1, n_bytes = c->n - first;
	bool direct = c->plain && is_whole(c, corner);
	size_t n_buffers = n_bytes < 2 ? (size_t)n_bytes : 2, codec_scratch = 0;
	for (int i = first; i < c->n; i++)
		codec_scratch = larger(codec_scratch, aligned(c->steps[i].decode_scratch));
	size_t buffer = n_buffers ? (c->decode_scratch - codec_scratch) / n_buffers : 0;
	char *base = scratch;
	const void *at = object;
	for (int i = c->n - 1; i >= first; i--) {
		const crn_codec_step *s = &c->steps[i];
		bool into_corner = direct && i == first;
		crn_codec_io io = {.in = at,
			.n_in = n,
			.out = into_corner ? corner->data
					   : base + (size_t)((c->n - 1 - i) & 1) * buffer,
			.cap = i == first ? c->steps[c->n_array].max_encoded
					  : with_slack(c->steps[i - 1].max_encoded),
			.scratch = base + n_buffers * buffer};
		cairn_status status = s->codec->decode(s, &io, err);
		if (status != CAIRN_OK) {
			crn_where(err, "codec \"%s\"", s->codec->name);
			return status;
		}
		assert(io.n_out <= io.cap);
		at = io.out;
		n = io.n_out;
	}
	const crn_codec_step *to_bytes = &c->steps[c->n_array];
	if (n != to_bytes->encoded_bytes)
		return crn_fail(err, CAIRN_INPUT, "the chunk decodes to %zu bytes, %zu are needed",
			n, to_bytes->encoded_bytes);
	if (direct) {
		if (at != corner->data)
			memcpy(corner->data, at, n);
		return CAIRN_OK;
	}
	crn_view v = reordered(c, corner);
	to_bytes->codec->decode_array(to_bytes, at, &v);
	return CAIRN_OK;
}

cairn_status crn_chain_encode(const crn_chain *c, const crn_view *corner, void *scratch,
	const void **ret_object, size_t *ret_n, cairn_error *err)
{
	assert(corner->ndim == c->chunk.ndim && corner->dtype == c->chunk.dtype);
	int first = c->n_array + 1, n_bytes = c->n - first;
	const crn_codec_step *to_bytes = &c->steps[c->n_array];
	size_t n_buffers = n_bytes ? 2 : 1, codec_scratch = 0;
	for (int i = first; i < c->n; i++)
		codec_scratch = larger(codec_scratch, aligned(c->steps[i].encode_scratch));
	size_t buffer = (c->encode_scratch - codec_scratch) / n_buffers;
	char *base = scratch;
	const void *at = corner->data;
	size_t n = to_bytes->encoded_bytes;
	if (!c->plain || !is_whole(c, corner)) {
		crn_view v = reordered(c, corner);
		to_bytes->codec->encode_array(to_bytes, &v, base);
		at = base;
	}
	for (int i = first; i < c->n; i++) {
		const crn_codec_step *s = &c->steps[i];
		crn_codec_io io = {.in = at,
			.n_in = n,
			.out = base + (size_t)((i - first + 1) & 1) * buffer,
			.cap = buffer,
			.scratch = base + n_buffers * buffer};
		cairn_status status = s->codec->encode(s, &io, err);
		if (status != CAIRN_OK) {
			crn_where(err, "codec \"%s\"", s->codec->name);
			return status;
		}
		at = io.out;
		n = io.n_out;
	}
	*ret_object = at;
	*ret_n = n;
	return CAIRN_OK;
}

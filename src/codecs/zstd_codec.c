/* SPDX-License-Identifier: Apache-2.0
 *
 * zstd_codec.c -- Zstandard frames.
 *
 * Writes one frame that states its content size (older numcodecs insist on it); reads frames with
 * and without. Contexts are built inside the caller's scratch, so nothing comes from the heap.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "core/codec.h"

enum { LEVEL, CHECKSUM, SIZE_KNOWN }; /* params */

/* The tight estimate holds for one known size, the loose one for every size. */
static size_t encode_scratch(int level, size_t decoded_bytes)
{
	if (decoded_bytes == CRN_SIZE_UNKNOWN)
		return ZSTD_estimateCCtxSize(level);
	return ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(level, decoded_bytes, 0));
}

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	static const int64_t range[3] = {-131072, 22, 0};
	CRN_TRY(crn_codec_int(req->config, "level", range, &ret->params[LEVEL], err));
	const crn_json *checksum = crn_json_get(req->config, "checksum");
	if (checksum && checksum->kind != CRN_JSON_BOOL)
		return crn_fail(err, CAIRN_INPUT, "\"checksum\" must be true or false");
	ret->params[CHECKSUM] = checksum && checksum->b;
	ret->params[SIZE_KNOWN] = req->decoded_bytes != CRN_SIZE_UNKNOWN;
	ret->max_encoded = ZSTD_compressBound(req->max_decoded);
	if (ZSTD_isError(ret->max_encoded))
		return crn_fail(err, CAIRN_INPUT, "a chunk of %zu bytes is too large for zstd",
			req->max_decoded);
	ret->encode_scratch = encode_scratch((int)ret->params[LEVEL], req->decoded_bytes);
	ret->decode_scratch = ZSTD_estimateDCtxSize();
	return CAIRN_OK;
}

static cairn_status encode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	ZSTD_CCtx *c = ZSTD_initStaticCCtx(io->scratch, s->encode_scratch);
	if (!c)
		return crn_fail_memory(err, "a zstd context", s->encode_scratch);
	/* A static context starts with all parameters 0, not with the defaults. */
	ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, (int)s->params[LEVEL]);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, (int)s->params[CHECKSUM]);
	io->n_out = ZSTD_compress2(c, io->out, io->cap, io->in, io->n_in);
	if (ZSTD_isError(io->n_out))
		return crn_fail(err, CAIRN_FAILED, "zstd: %s", ZSTD_getErrorName(io->n_out));
	return CAIRN_OK;
}

static cairn_status decode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	ZSTD_DCtx *d = ZSTD_initStaticDCtx(io->scratch, s->decode_scratch);
	if (!d)
		return crn_fail_memory(err, "a zstd context", s->decode_scratch);
	size_t n = ZSTD_decompressDCtx(d, io->out, io->cap, io->in, io->n_in);
	if (ZSTD_isError(n))
		return crn_fail(err, CAIRN_INPUT, "the data are corrupt or cut off: %s",
			ZSTD_getErrorName(n));
	if (s->params[SIZE_KNOWN] && n != s->decoded_bytes)
		return crn_fail(err, CAIRN_INPUT, "the data decode to %zu bytes, %zu are needed", n,
			s->decoded_bytes);
	io->n_out = n;
	return CAIRN_OK;
}

static const char *const v2_ids[] = {"zstd", NULL};
static const char *const v3_names[] = {"zstd", "numcodecs.zstd", NULL};

const crn_codec crn_codec_zstd = {
	.name = "zstd",
	.summary = "Zstandard: fast, and compresses well",
	.v2_ids = v2_ids,
	.v3_names = v3_names,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure,
	.encode = encode,
	.decode = decode,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * deflate_codecs.c -- gzip (RFC 1952, one or many members) and zlib (RFC 1950) through libdeflate.
 *
 * libdeflate wants the whole input and a bound on the output, which is what chunks are, and is
 * about twice as fast as zlib. Its (de)compressor objects are made per call: at most 0.4 MB for
 * levels up to 9, whatever the size of the data.
 */
#include "core/codec.h"

#include <libdeflate.h>

#include <stdlib.h>
#include <string.h>

enum { LEVEL, IS_GZIP }; /* params */

static cairn_status configure_level(
	const crn_codec_request *req, bool gzip, crn_codec_step *ret, cairn_error *err)
{
	static const int64_t range[3] = {-1, 9, 6};
	CRN_TRY(crn_codec_int(req->config, "level", range, &ret->params[LEVEL], err));
	if (ret->params[LEVEL] < 0)
		ret->params[LEVEL] = 6;
	ret->params[IS_GZIP] = gzip;
	ret->max_encoded = gzip ? libdeflate_gzip_compress_bound(NULL, req->max_decoded)
				: libdeflate_zlib_compress_bound(NULL, req->max_decoded);
	return CAIRN_OK;
}

static cairn_status configure_gzip(
	const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	return configure_level(req, true, ret, err);
}

static cairn_status configure_zlib(
	const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	return configure_level(req, false, ret, err);
}

static cairn_status encode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor((int)s->params[LEVEL]);
	if (!c)
		return crn_fail_memory(err, "a deflate compressor", 1 << 20);
	io->n_out = s->params[IS_GZIP]
			    ? libdeflate_gzip_compress(c, io->in, io->n_in, io->out, io->cap)
			    : libdeflate_zlib_compress(c, io->in, io->n_in, io->out, io->cap);
	libdeflate_free_compressor(c);
	if (io->n_out == 0)
		return crn_fail(err, CAIRN_FAILED, "deflate made more bytes than its bound");
	return CAIRN_OK;
}

static cairn_status check_result(enum libdeflate_result result, size_t cap, cairn_error *err)
{
	if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
		return crn_fail(err, CAIRN_INPUT, "the data decode to more than %zu bytes", cap);
	if (result != LIBDEFLATE_SUCCESS)
		return crn_fail(err, CAIRN_INPUT, "the data are corrupt or cut off");
	return CAIRN_OK;
}

/* Zero bytes after the last member are padding (tapes, tar); anything else is not. */
static bool only_zeros(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static cairn_status decode_members(const crn_codec_step *s, struct libdeflate_decompressor *d,
	crn_codec_io *io, cairn_error *err)
{
	const unsigned char *in = io->in;
	size_t used = 0;
	io->n_out = 0;
	do {
		size_t n_in = 0, n_out = 0;
		char *out = (char *)io->out + io->n_out;
		enum libdeflate_result result =
			s->params[IS_GZIP]
				? libdeflate_gzip_decompress_ex(d, in + used, io->n_in - used, out,
					  io->cap - io->n_out, &n_in, &n_out)
				: libdeflate_zlib_decompress_ex(d, in + used, io->n_in - used, out,
					  io->cap - io->n_out, &n_in, &n_out);
		CRN_TRY(check_result(result, io->cap, err));
		used += n_in;
		io->n_out += n_out;
	} while (s->params[IS_GZIP] && !only_zeros(in + used, io->n_in - used));
	if (!only_zeros(in + used, io->n_in - used))
		return crn_fail(
			err, CAIRN_INPUT, "%zu bytes follow the end of the data", io->n_in - used);
	return CAIRN_OK;
}

static cairn_status decode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	if (!d)
		return crn_fail_memory(err, "a deflate decompressor", 1 << 16);
	cairn_status status = decode_members(s, d, io, err);
	libdeflate_free_decompressor(d);
	if (status == CAIRN_OK && s->decoded_bytes != CRN_SIZE_UNKNOWN &&
		io->n_out != s->decoded_bytes)
		return crn_fail(err, CAIRN_INPUT, "the data decode to %zu bytes, %zu are needed",
			io->n_out, s->decoded_bytes);
	return status;
}

static const char *const gzip_ids[] = {"gzip", NULL};
static const char *const gzip_names[] = {"gzip", "numcodecs.gzip", NULL};

const crn_codec crn_codec_gzip = {
	.name = "gzip",
	.summary = "deflate with a gzip header and CRC-32",
	.v2_ids = gzip_ids,
	.v3_names = gzip_names,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure_gzip,
	.encode = encode,
	.decode = decode,
};

static const char *const zlib_ids[] = {"zlib", NULL};
static const char *const zlib_names[] = {"numcodecs.zlib", NULL};

const crn_codec crn_codec_zlib = {
	.name = "zlib",
	.summary = "deflate with a zlib header and Adler-32",
	.v2_ids = zlib_ids,
	.v3_names = zlib_names,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure_zlib,
	.encode = encode,
	.decode = decode,
};

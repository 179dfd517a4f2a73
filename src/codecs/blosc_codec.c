/* SPDX-License-Identifier: Apache-2.0
 *
 * blosc_codec.c -- Blosc 1 buffers: shuffled bytes or bits in blocks, then an inner compressor.
 *
 * Only the _ctx functions with one thread are used: the others keep global state. They take a few
 * blocks (at most some MB) from the heap, whatever the size of the data.
 */
#include "core/codec.h"

#include <blosc.h>

#include <string.h>

enum { CLEVEL, SHUFFLE, TYPESIZE, BLOCKSIZE, CNAME }; /* params; CNAME is an index below */

static const char *const cnames[] = {"blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"};
enum { N_CNAMES = sizeof(cnames) / sizeof(cnames[0]), CNAME_LZ4 = 1, AUTO_SHUFFLE = -1 };

static cairn_status get_cname(const crn_json *config, int64_t *ret, cairn_error *err)
{
	const crn_json *v = crn_json_get(config, "cname");
	*ret = CNAME_LZ4;
	if (!v)
		return CAIRN_OK;
	for (int i = 0; v->kind == CRN_JSON_STRING && i < N_CNAMES; i++)
		if (strcmp(v->text, cnames[i]) == 0) {
			*ret = i;
			if (blosc_compname_to_compcode(cnames[i]) >= 0)
				return CAIRN_OK;
			return crn_fail(
				err, CAIRN_INPUT, "this Blosc library has no \"%s\"", cnames[i]);
		}
	return crn_fail(
		err, CAIRN_INPUT, "\"cname\" must be blosclz, lz4, lz4hc, snappy, zlib or zstd");
}

/* Zarr v3 writes names, v2 numbers; both are taken in both. */
static cairn_status get_shuffle(const crn_json *config, int64_t *ret, cairn_error *err)
{
	static const char *const names[] = {"noshuffle", "shuffle", "bitshuffle"};
	static const int64_t range[3] = {AUTO_SHUFFLE, 2, 1};
	const crn_json *v = crn_json_get(config, "shuffle");
	if (!v || v->kind != CRN_JSON_STRING)
		return crn_codec_int(config, "shuffle", range, ret, err);
	for (int i = 0; i < 3; i++)
		if (strcmp(v->text, names[i]) == 0) {
			*ret = i;
			return CAIRN_OK;
		}
	return crn_fail(err, CAIRN_INPUT, "\"shuffle\" must be noshuffle, shuffle or bitshuffle");
}

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	static const int64_t clevel[3] = {0, 9, 5}, blocksize[3] = {0, INT32_MAX, 0};
	const int64_t typesize[3] = {1, 255, (int64_t)crn_dtype_size(req->chunk.dtype)};
	CRN_TRY(get_cname(req->config, &ret->params[CNAME], err));
	CRN_TRY(crn_codec_int(req->config, "clevel", clevel, &ret->params[CLEVEL], err));
	CRN_TRY(get_shuffle(req->config, &ret->params[SHUFFLE], err));
	CRN_TRY(crn_codec_int(req->config, "typesize", typesize, &ret->params[TYPESIZE], err));
	CRN_TRY(crn_codec_int(req->config, "blocksize", blocksize, &ret->params[BLOCKSIZE], err));
	if (ret->params[SHUFFLE] == AUTO_SHUFFLE)
		ret->params[SHUFFLE] =
			ret->params[TYPESIZE] == 1 ? BLOSC_BITSHUFFLE : BLOSC_SHUFFLE;
	if (req->max_decoded > BLOSC_MAX_BUFFERSIZE)
		return crn_fail(err, CAIRN_INPUT,
			"a chunk of %zu bytes is too large for blosc (at most %d)",
			req->max_decoded, BLOSC_MAX_BUFFERSIZE);
	ret->max_encoded = req->max_decoded + BLOSC_MAX_OVERHEAD;
	return CAIRN_OK;
}

static cairn_status encode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	size_t room = io->n_in + BLOSC_MAX_OVERHEAD;
	int n = blosc_compress_ctx((int)s->params[CLEVEL], (int)s->params[SHUFFLE],
		(size_t)s->params[TYPESIZE], io->n_in, io->in, io->out, room,
		cnames[s->params[CNAME]], (size_t)s->params[BLOCKSIZE], 1);
	if (n <= 0)
		return crn_fail(err, CAIRN_FAILED, "blosc cannot compress this chunk (code %d)", n);
	io->n_out = (size_t)n;
	return CAIRN_OK;
}

static cairn_status decode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	enum { HEADER_BYTES = 16, FLAGS = 2, BOTH_SHUFFLES = 0x05 };
	size_t size = 0;
	const unsigned char *in = io->in;
	if (io->n_in < HEADER_BYTES || blosc_cbuffer_validate(in, io->n_in, &size) != 0)
		return crn_fail(err, CAIRN_INPUT, "the data are no Blosc buffer, or cut off");
	if ((in[FLAGS] & BOTH_SHUFFLES) == BOTH_SHUFFLES)
		return crn_fail(err, CAIRN_INPUT, "this is a Blosc 2 buffer, only Blosc 1 is read");
	if (size > io->cap || (s->decoded_bytes != CRN_SIZE_UNKNOWN && size != s->decoded_bytes))
		return crn_fail(err, CAIRN_INPUT,
			"the Blosc buffer says it holds %zu bytes, %zu are needed", size,
			s->decoded_bytes != CRN_SIZE_UNKNOWN ? s->decoded_bytes : io->cap);
	int n = blosc_decompress_ctx(in, io->out, size, 1);
	if (n < 0 || (size_t)n != size)
		return crn_fail(err, CAIRN_INPUT, "the data are corrupt (Blosc code %d)", n);
	io->n_out = size;
	return CAIRN_OK;
}

static const char *const v2_ids[] = {"blosc", NULL};
static const char *const v3_names[] = {"blosc", "numcodecs.blosc", NULL};

const crn_codec crn_codec_blosc = {
	.name = "blosc",
	.summary = "Blosc 1: shuffle, then lz4, zstd, zlib, ...",
	.v2_ids = v2_ids,
	.v3_names = v3_names,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure,
	.encode = encode,
	.decode = decode,
};

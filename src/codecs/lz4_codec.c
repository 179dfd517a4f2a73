/* SPDX-License-Identifier: Apache-2.0
 *
 * lz4_codec.c -- one LZ4 block behind its decoded size (u32, little endian): numcodecs' framing.
 */
#include "core/codec.h"

#include <lz4.h>

enum { ACCELERATION }; /* params */
enum { HEADER_BYTES = 4 };

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	static const int64_t range[3] = {0, 65537, 1};
	CRN_TRY(crn_codec_int(req->config, "acceleration", range, &ret->params[ACCELERATION], err));
	if (req->max_decoded > LZ4_MAX_INPUT_SIZE)
		return crn_fail(err, CAIRN_INPUT,
			"a chunk of %zu bytes is too large for lz4 (at most %d)", req->max_decoded,
			LZ4_MAX_INPUT_SIZE);
	ret->max_encoded = HEADER_BYTES + (size_t)LZ4_compressBound((int)req->max_decoded);
	ret->encode_scratch = (size_t)LZ4_sizeofState();
	return CAIRN_OK;
}

static cairn_status encode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	unsigned char *out = io->out;
	for (int i = 0; i < HEADER_BYTES; i++)
		out[i] = (unsigned char)(io->n_in >> (8 * i));
	size_t room = io->cap - HEADER_BYTES;
	int n = LZ4_compress_fast_extState(io->scratch, io->in, (char *)out + HEADER_BYTES,
		(int)io->n_in, room > INT32_MAX ? INT32_MAX : (int)room,
		(int)s->params[ACCELERATION]);
	if (n <= 0)
		return crn_fail(err, CAIRN_FAILED, "lz4 made more bytes than its bound");
	io->n_out = (size_t)n + HEADER_BYTES;
	return CAIRN_OK;
}

static cairn_status decode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	const unsigned char *in = io->in;
	if (io->n_in < HEADER_BYTES || io->n_in > INT32_MAX)
		return crn_fail(err, CAIRN_INPUT, "%zu bytes are no LZ4 block", io->n_in);
	size_t size =
		(size_t)in[0] | (size_t)in[1] << 8 | (size_t)in[2] << 16 | (size_t)in[3] << 24;
	if (size > io->cap || (s->decoded_bytes != CRN_SIZE_UNKNOWN && size != s->decoded_bytes))
		return crn_fail(err, CAIRN_INPUT,
			"the LZ4 block says it holds %zu bytes, %zu are needed", size,
			s->decoded_bytes != CRN_SIZE_UNKNOWN ? s->decoded_bytes : io->cap);
	int n = LZ4_decompress_safe((const char *)in + HEADER_BYTES, io->out,
		(int)(io->n_in - HEADER_BYTES), (int)size);
	if (n < 0 || (size_t)n != size)
		return crn_fail(err, CAIRN_INPUT, "the data are corrupt or cut off");
	io->n_out = size;
	return CAIRN_OK;
}

static const char *const v2_ids[] = {"lz4", NULL};
static const char *const v3_names[] = {"numcodecs.lz4", "lz4", NULL};

const crn_codec crn_codec_lz4 = {
	.name = "lz4",
	.summary = "LZ4: very fast, compresses little",
	.v2_ids = v2_ids,
	.v3_names = v3_names,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure,
	.encode = encode,
	.decode = decode,
};

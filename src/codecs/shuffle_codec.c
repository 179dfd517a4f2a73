/* SPDX-License-Identifier: Apache-2.0
 *
 * shuffle_codec.c -- numcodecs' byte shuffle: all first bytes of the elements, then all second
 * bytes, and so on. Bytes behind the last whole element stay where they are.
 */
#include "core/codec.h"

#include <string.h>

enum { ELEMENT_BYTES }; /* params */

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	static const int64_t range[3] = {1, 1 << 20, 4};
	CRN_TRY(crn_codec_int(req->config, "elementsize", range, &ret->params[ELEMENT_BYTES], err));
	ret->max_encoded = req->max_decoded;
	ret->encoded_bytes = req->decoded_bytes;
	return CAIRN_OK;
}

static cairn_status encode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	size_t size = (size_t)s->params[ELEMENT_BYTES], n = io->n_in / size;
	const unsigned char *in = io->in;
	unsigned char *out = io->out;
	for (size_t b = 0; b < size; b++)
		for (size_t i = 0; i < n; i++)
			out[b * n + i] = in[i * size + b];
	memcpy(out + n * size, in + n * size, io->n_in - n * size);
	io->n_out = io->n_in;
	return CAIRN_OK;
}

static cairn_status decode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	if (io->n_in > io->cap ||
		(s->decoded_bytes != CRN_SIZE_UNKNOWN && io->n_in != s->decoded_bytes))
		return crn_fail(err, CAIRN_INPUT, "%zu bytes to unshuffle, %zu are needed",
			io->n_in,
			s->decoded_bytes != CRN_SIZE_UNKNOWN ? s->decoded_bytes : io->cap);
	size_t size = (size_t)s->params[ELEMENT_BYTES], n = io->n_in / size;
	const unsigned char *in = io->in;
	unsigned char *out = io->out;
	for (size_t b = 0; b < size; b++)
		for (size_t i = 0; i < n; i++)
			out[i * size + b] = in[b * n + i];
	memcpy(out + n * size, in + n * size, io->n_in - n * size);
	io->n_out = io->n_in;
	return CAIRN_OK;
}

static const char *const v2_ids[] = {"shuffle", NULL};
static const char *const v3_names[] = {"numcodecs.shuffle", NULL};

const crn_codec crn_codec_shuffle = {
	.name = "shuffle",
	.summary = "bytes of the elements regrouped by significance",
	.v2_ids = v2_ids,
	.v3_names = v3_names,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure,
	.encode = encode,
	.decode = decode,
};

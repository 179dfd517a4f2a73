/* SPDX-License-Identifier: Apache-2.0
 *
 * delta_codec.c -- numcodecs' delta filter: the first element, then differences of neighbours.
 *
 * Integers of one dtype in and out (astype absent or equal), where wrapping differences are exact.
 * Floats and narrowing are refused: their result depends on how the writer rounded.
 */
#include "core/codec.h"

#include <string.h>

enum { SIZE, BIG }; /* params */

static const char *dtype_text(const crn_json *config, const char *key)
{
	const crn_json *v = crn_json_get(config, key);
	return v && v->kind == CRN_JSON_STRING ? v->text : NULL;
}

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	const char *t = dtype_text(req->config, "dtype"), *as = dtype_text(req->config, "astype");
	if (!t || strlen(t) != 3 || !strchr("<>|", t[0]) || !strchr("ui", t[1]) ||
		!strchr("1248", t[2]))
		return crn_fail(err, CAIRN_INPUT,
			"delta of dtype \"%.16s\" is not read, only integers", t ? t : "");
	if (as && strcmp(as, t) != 0)
		return crn_fail(err, CAIRN_INPUT,
			"delta with astype \"%.16s\" is not read, only the same dtype", as);
	ret->params[SIZE] = t[2] - '0';
	ret->params[BIG] = t[0] == '>';
	ret->max_encoded = req->max_decoded;
	ret->encoded_bytes = req->decoded_bytes;
	return CAIRN_OK;
}

static uint64_t load(const crn_codec_step *s, const unsigned char *p)
{
	uint64_t v = 0;
	int size = (int)s->params[SIZE];
	for (int b = 0; b < size; b++)
		v |= (uint64_t)p[s->params[BIG] ? size - 1 - b : b] << (8 * b);
	return v;
}

static void store(const crn_codec_step *s, unsigned char *p, uint64_t v)
{
	int size = (int)s->params[SIZE];
	for (int b = 0; b < size; b++)
		p[s->params[BIG] ? size - 1 - b : b] = (unsigned char)(v >> (8 * b));
}

static cairn_status encode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	size_t size = (size_t)s->params[SIZE];
	const unsigned char *in = io->in;
	unsigned char *out = io->out;
	if (io->n_in % size)
		return crn_fail(err, CAIRN_FAILED, "%zu bytes are no whole elements", io->n_in);
	uint64_t last = 0;
	for (size_t at = 0; at < io->n_in; at += size) {
		uint64_t v = load(s, in + at);
		store(s, out + at, v - last);
		last = v;
	}
	io->n_out = io->n_in;
	return CAIRN_OK;
}

static cairn_status decode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	size_t size = (size_t)s->params[SIZE];
	const unsigned char *in = io->in;
	unsigned char *out = io->out;
	if (io->n_in % size || io->n_in > io->cap ||
		(s->decoded_bytes != CRN_SIZE_UNKNOWN && io->n_in != s->decoded_bytes))
		return crn_fail(err, CAIRN_INPUT, "%zu bytes of differences, %zu are needed",
			io->n_in,
			s->decoded_bytes != CRN_SIZE_UNKNOWN ? s->decoded_bytes : io->cap);
	uint64_t sum = 0;
	for (size_t at = 0; at < io->n_in; at += size) {
		sum += load(s, in + at);
		store(s, out + at, sum);
	}
	io->n_out = io->n_in;
	return CAIRN_OK;
}

static const char *const v2_ids[] = {"delta", NULL};

const crn_codec crn_codec_delta = {
	.name = "delta",
	.summary = "differences of neighbours, for integers",
	.v2_ids = v2_ids,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure,
	.encode = encode,
	.decode = decode,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * crc32c_codec.c -- appends CRC-32C (Castagnoli) of the bytes, 4 bytes little endian.
 *
 * Reflected polynomial 0x82F63B78, start and final xor all ones: "123456789" gives 0xe3069283.
 * Uses the CPU's instruction where there is one, eight tables otherwise; the bits are the same.
 * Source: Zarr v3 "crc32c"; RFC 3720 appendix B.4.
 */
#include "core/codec.h"

#include "base/mem.h"

#include <string.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL 0x82F63B78u
enum { SUM_BYTES = 4 };

/* table[k][b]: what byte b, followed by k zero bytes, does to the sum. */
typedef uint32_t crc_tables[8][256];

static crc_tables *make_tables(void)
{
	crc_tables *t = crn_alloc(sizeof(*t));
	if (!t)
		return NULL;
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
		(*t)[0][b] = c;
	}
	for (int k = 1; k < 8; k++)
		for (int b = 0; b < 256; b++) {
			uint32_t c = (*t)[k - 1][b];
			(*t)[k][b] = c >> 8 ^ (*t)[0][c & 255];
		}
	return t;
}

static uint32_t crc_table(const crc_tables *t, const unsigned char *p, size_t n)
{
	uint32_t c = ~0u;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		v ^= c;
		c = 0;
		for (int k = 0; k < 8; k++)
			c ^= (*t)[7 - k][v >> (8 * k) & 255];
	}
	for (; n; n--, p++)
		c = c >> 8 ^ (*t)[0][(c ^ *p) & 255];
	return ~c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_instruction(const unsigned char *p, size_t n)
{
	uint64_t c = ~0u;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		c = _mm_crc32_u64(c, v);
	}
	for (; n; n--, p++)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return ~(uint32_t)c;
}
#endif

static uint32_t crc32c(const crn_codec_step *s, const void *p, size_t n)
{
#if defined(__x86_64__)
	if (!s->state)
		return crc_instruction(p, n);
#endif
	return crc_table(s->state, p, n);
}

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	bool in_hardware = false;
#if defined(__x86_64__)
	in_hardware = __builtin_cpu_supports("sse4.2");
#endif
	if (!in_hardware) {
		ret->state = make_tables();
		if (!ret->state)
			return crn_fail_memory(err, "CRC tables", sizeof(crc_tables));
	}
	ret->max_encoded = req->max_decoded + SUM_BYTES;
	if (req->decoded_bytes != CRN_SIZE_UNKNOWN)
		ret->encoded_bytes = ret->max_encoded;
	return CAIRN_OK;
}

static cairn_status encode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	uint32_t sum = crc32c(s, io->in, io->n_in);
	memcpy(io->out, io->in, io->n_in);
	memcpy((char *)io->out + io->n_in, &sum, SUM_BYTES);
	io->n_out = io->n_in + SUM_BYTES;
	return CAIRN_OK;
}

static cairn_status decode(const crn_codec_step *s, crn_codec_io *io, cairn_error *err)
{
	size_t n = io->n_in - SUM_BYTES;
	uint32_t stored;
	if (io->n_in < SUM_BYTES || n > io->cap ||
		(s->decoded_bytes != CRN_SIZE_UNKNOWN && n != s->decoded_bytes))
		return crn_fail(
			err, CAIRN_INPUT, "%zu bytes cannot be a chunk and its checksum", io->n_in);
	memcpy(&stored, (const char *)io->in + n, SUM_BYTES);
	uint32_t sum = crc32c(s, io->in, n);
	if (sum != stored)
		return crn_fail(err, CAIRN_INPUT,
			"the checksum is wrong: stored %08x, computed %08x", stored, sum);
	memcpy(io->out, io->in, n);
	io->n_out = n;
	return CAIRN_OK;
}

static const char *const v3_names[] = {"crc32c", NULL};

const crn_codec crn_codec_crc32c = {
	.name = "crc32c",
	.summary = "checksum behind the data",
	.v3_names = v3_names,
	.kind = CRN_BYTES_TO_BYTES,
	.configure = configure,
	.encode = encode,
	.decode = decode,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * codecs_test.c -- conformance: every codec of the list, alone and in chains, over kinds of data:
 * round trips, cut, random and lying input. Then known bytes of other implementations.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "builtin.h"
#include "core/codec.h"

#include <blosc.h>
#include <stdlib.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

enum { GUARD = 64 };

typedef struct sample {
	const char *codec, *config;
	int zarr_format;
} sample;

/* At least one sample for every codec of codecs.def (checked below). */
static const sample samples[] = {
	{"bytes", "{\"endian\": \"little\"}", 3},
	{"bytes", "{\"endian\": \"big\"}", 3},
	{"transpose", "{\"order\": [2, 0, 1]}", 3},
	{"transpose", "{\"order\": \"F\"}", 3},
	{"zstd", "{}", 2},
	{"zstd", "{\"level\": -5, \"checksum\": true}", 3},
	{"zstd", "{\"level\": 19}", 3},
	{"blosc", "{\"cname\": \"lz4\", \"clevel\": 5, \"shuffle\": 1, \"blocksize\": 0}", 2},
	{"blosc", "{\"cname\": \"zstd\", \"clevel\": 1, \"shuffle\": -1}", 2},
	{"blosc", "{\"cname\": \"blosclz\", \"clevel\": 9, \"shuffle\": \"noshuffle\"}", 3},
	{"blosc",
		"{\"cname\": \"zlib\", \"clevel\": 1, \"shuffle\": \"bitshuffle\", \"typesize\": "
		"4}",
		3},
	{"blosc", "{\"cname\": \"snappy\", \"clevel\": 0}", 2},
	{"blosc", "{\"cname\": \"lz4hc\", \"clevel\": 3, \"shuffle\": 2, \"blocksize\": 512}", 2},
	{"gzip", "{\"level\": 0}", 3},
	{"gzip", "{\"level\": 9}", 2},
	{"zlib", "{\"level\": -1}", 2},
	{"lz4", "{\"acceleration\": 1}", 2},
	{"crc32c", "{}", 3},
	{"shuffle", "{\"elementsize\": 4}", 2},
	{"delta", "{\"dtype\": \"<u4\"}", 2},
	{"delta", "{\"dtype\": \">i2\", \"astype\": \">i2\"}", 2},
};

static crn_json *parse(const char *text)
{
	crn_json *v = NULL;
	assert_int_equal(crn_json_parse(text, strlen(text), CAIRN_INPUT, &v, NULL), CAIRN_OK);
	return v;
}

static cairn_status add(
	crn_chain *c, const char *name, int zarr_format, const char *config, cairn_error *err)
{
	const crn_codec *codec = crn_codec_find(&crn_builtin_registry, name, zarr_format);
	if (!codec)
		fail_msg("no codec %s", name);
	crn_json *json = parse(config);
	cairn_status status = crn_chain_add(c, codec, zarr_format, json, err);
	crn_json_free(json);
	return status;
}

/* A chain of `s` with the array-to-bytes step it needs. */
static crn_chain make_chain(const sample *s, const crn_chunk_type *chunk)
{
	crn_chain c;
	cairn_error err = {0};
	const crn_codec *codec = crn_codec_find(&crn_builtin_registry, s->codec, s->zarr_format);
	if (!codec)
		fail_msg("no codec %s", s->codec);
	assert_int_equal(crn_chain_init(&c, chunk, &err), CAIRN_OK);
	cairn_status status = CAIRN_OK;
	if (codec->kind == CRN_BYTES_TO_BYTES)
		status = add(&c, "bytes", 3, "{\"endian\": \"little\"}", &err);
	if (status == CAIRN_OK)
		status = add(&c, s->codec, s->zarr_format, s->config, &err);
	if (status == CAIRN_OK && codec->kind == CRN_ARRAY_TO_ARRAY)
		status = add(&c, "bytes", 3, "{\"endian\": \"big\"}", &err);
	if (status == CAIRN_OK)
		status = crn_chain_seal(&c, &err);
	if (status != CAIRN_OK)
		fail_msg("%s %s: %s", s->codec, s->config, err.message);
	return c;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* kind 0: one value; 1: a slow ramp; 2: noise */
static void fill(unsigned char *p, size_t n, int kind)
{
	uint32_t state = 7;
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(kind == 0 ? 5 : kind == 1 ? i / 64 : next_random(&state));
}

static unsigned char *guarded(size_t n)
{
	unsigned char *p = NULL;
	assert_int_equal(posix_memalign((void **)&p, 64, n + GUARD), 0);
	memset(p, 0xa5, n + GUARD);
	return p;
}

static void check_guard(const unsigned char *p, size_t n)
{
	for (int i = 0; i < GUARD; i++)
		assert_int_equal(p[n + i], 0xa5);
}

/* Encodes `data`, decodes it again, compares. Returns the object (malloc) and its length. */
static unsigned char *round_trip(const crn_chain *c, unsigned char *data, size_t *ret_n)
{
	const crn_chunk_type *t = &c->chunk;
	crn_view in = crn_view_dense(data, t->dtype, t->ndim, t->shape);
	unsigned char *scratch = guarded(c->encode_scratch);
	const void *object;
	cairn_error err = {0};
	if (crn_chain_encode(c, &in, scratch, &object, ret_n, &err) != CAIRN_OK)
		fail_msg("%s (%s)", err.message, err.where);
	check_guard(scratch, c->encode_scratch);
	assert_true(*ret_n <= c->max_encoded && c->max_encoded <= c->max_object);
	unsigned char *copy = malloc(*ret_n + 1);
	assert_non_null(copy);
	memcpy(copy, object, *ret_n);
	free(scratch);

	scratch = guarded(c->decode_scratch);
	unsigned char *back = guarded(c->chunk_bytes);
	crn_view out = crn_view_dense(back, t->dtype, t->ndim, t->shape);
	if (crn_chain_decode(c, copy, *ret_n, &out, scratch, &err) != CAIRN_OK)
		fail_msg("%s (%s)", err.message, err.where);
	check_guard(scratch, c->decode_scratch);
	check_guard(back, c->chunk_bytes);
	assert_memory_equal(back, data, c->chunk_bytes);
	free(scratch);
	free(back);
	return copy;
}

/* Decodes what may be anything: an error with a message, or a full chunk; never an overrun. */
static cairn_status decode_any(const crn_chain *c, const void *object, size_t n)
{
	const crn_chunk_type *t = &c->chunk;
	unsigned char *exact =
		malloc(n ? n : 1); /* so that the sanitizer sees reads past the end */
	unsigned char *scratch = guarded(c->decode_scratch), *back = guarded(c->chunk_bytes);
	crn_view out = crn_view_dense(back, t->dtype, t->ndim, t->shape);
	cairn_error err = {0};
	memcpy(exact, object, n);
	cairn_status status = crn_chain_decode(c, exact, n, &out, scratch, &err);
	assert_true(status == CAIRN_OK || (status == CAIRN_INPUT && err.message[0]));
	check_guard(scratch, c->decode_scratch);
	check_guard(back, c->chunk_bytes);
	free(exact);
	free(scratch);
	free(back);
	return status;
}

static void check_hostile(const crn_chain *c, const unsigned char *object, size_t n)
{
	uint32_t state = 99;
	size_t step = n / 60 + 1;
	for (size_t cut = 0; cut < n; cut += step)
		assert_int_equal(decode_any(c, object, cut), CAIRN_INPUT);
	unsigned char *bad = malloc(n + 100);
	memcpy(bad, object, n);
	memset(bad + n, 0x5a, 100);
	assert_int_equal(decode_any(c, bad, n + 100), CAIRN_INPUT);
	for (int i = 0; i < 200; i++) {
		memcpy(bad, object, n);
		/* Headers hold the sizes: hit them more often. */
		size_t at = next_random(&state) % (i % 2 || n < 24 ? n : 24);
		bad[at] ^= (unsigned char)(1 + next_random(&state) % 255);
		(void)decode_any(c, bad, n);
	}
	for (int i = 0; i < 50; i++) {
		size_t m = next_random(&state) % (n + 1);
		for (size_t k = 0; k < m; k++)
			bad[k] = (unsigned char)next_random(&state);
		(void)decode_any(c, bad, m);
	}
	free(bad);
}

static void test_conformance(void **state)
{
	const crn_chunk_type chunks[] = {
		{.dtype = CRN_U32, .ndim = 3, .shape = {5, 6, 7}},
		{.dtype = CRN_U16, .ndim = 3, .shape = {1, 1, 2}},
		{.dtype = CRN_F64, .ndim = 3, .shape = {20, 30, 40}},
	};
	for (size_t s = 0; s < CRN_COUNT(samples); s++)
		for (size_t k = 0; k < CRN_COUNT(chunks); k++)
			for (int kind = 0; kind < 3; kind++) {
				crn_chain c = make_chain(&samples[s], &chunks[k]);
				unsigned char *data = malloc(c.chunk_bytes);
				fill(data, c.chunk_bytes, kind);
				size_t n;
				unsigned char *object = round_trip(&c, data, &n);
				if (k < 2)
					check_hostile(&c, object, n);
				free(object);
				free(data);
				crn_chain_done(&c);
			}
}

static void test_every_codec_is_here(void **state)
{
	for (const crn_codec *const *c = crn_builtin_registry.codecs; *c; c++) {
		bool sampled = false;
		for (size_t s = 0; s < CRN_COUNT(samples); s++)
			sampled |= strcmp(samples[s].codec, (*c)->name) == 0;
		if (!sampled)
			fail_msg("codec %s has no sample", (*c)->name);
	}
}

/* Corners, transposes that are not their own inverse, big endian, checksum and compressor. */
static void test_corner(void **state)
{
	crn_chunk_type chunk = {.dtype = CRN_I16,
		.ndim = 3,
		.shape = {3, 4, 5},
		.fill = crn_elem_from_int(CRN_I16, -7)};
	crn_chain c;
	assert_int_equal(crn_chain_init(&c, &chunk, NULL), CAIRN_OK);
	assert_int_equal(add(&c, "transpose", 3, "{\"order\": [1, 2, 0]}", NULL), CAIRN_OK);
	assert_int_equal(add(&c, "bytes", 3, "{\"endian\": \"big\"}", NULL), CAIRN_OK);
	assert_int_equal(add(&c, "crc32c", 3, "{}", NULL), CAIRN_OK);
	assert_int_equal(add(&c, "gzip", 3, "{\"level\": 1}", NULL), CAIRN_OK);
	assert_int_equal(add(&c, "zstd", 3, "{}", NULL), CAIRN_OK);
	assert_int_equal(crn_chain_seal(&c, NULL), CAIRN_OK);
	const int64_t corner_shape[] = {2, 4, 3};
	int16_t data[2 * 4 * 3], back[2 * 4 * 3], whole[3 * 4 * 5];
	for (int i = 0; i < 24; i++)
		data[i] = (int16_t)(1000 * i - 5);
	crn_view in = crn_view_dense(data, CRN_I16, 3, corner_shape);
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, c.encode_scratch + c.decode_scratch), 0);
	const void *object;
	size_t n;
	assert_int_equal(crn_chain_encode(&c, &in, scratch, &object, &n, NULL), CAIRN_OK);
	unsigned char copy[1024];
	assert_true(n < sizeof(copy));
	memcpy(copy, object, n);
	crn_view out = crn_view_dense(back, CRN_I16, 3, corner_shape);
	assert_int_equal(crn_chain_decode(&c, copy, n, &out, scratch, NULL), CAIRN_OK);
	assert_memory_equal(back, data, sizeof(data));
	/* The padding of the stored chunk is the fill value. */
	out = crn_view_dense(whole, CRN_I16, 3, chunk.shape);
	assert_int_equal(crn_chain_decode(&c, copy, n, &out, scratch, NULL), CAIRN_OK);
	for (int z = 0; z < 3; z++)
		for (int y = 0; y < 4; y++)
			for (int x = 0; x < 5; x++)
				assert_int_equal(whole[(z * 4 + y) * 5 + x],
					z < 2 && x < 3 ? data[(z * 4 + y) * 3 + x] : -7);
	free(scratch);
	crn_chain_done(&c);
}

static void decode_bytes(const sample *s, crn_dtype dtype, int64_t n_elements, const void *object,
	size_t n, const void *expected)
{
	crn_chunk_type chunk = {.dtype = dtype, .ndim = 1, .shape = {n_elements}};
	crn_chain c = make_chain(s, &chunk);
	unsigned char *back = guarded(c.chunk_bytes), *scratch = guarded(c.decode_scratch);
	crn_view out = crn_view_dense(back, dtype, 1, chunk.shape);
	cairn_error err = {0};
	cairn_status status = crn_chain_decode(&c, object, n, &out, scratch, &err);
	if (expected && status != CAIRN_OK)
		fail_msg("%s: %s", s->codec, err.message);
	if (!expected)
		assert_int_equal(status, CAIRN_INPUT);
	else
		assert_memory_equal(back, expected, c.chunk_bytes);
	free(back);
	free(scratch);
	crn_chain_done(&c);
}

static void test_known_bytes(void **state)
{
	const sample crc = {"crc32c", "{}", 3}, lz4 = {"lz4", "{}", 2}, gzip = {"gzip", "{}", 2},
		     delta = {"delta", "{\"dtype\": \"<i2\"}", 2};
	/* RFC 3720's check value. */
	decode_bytes(&crc, CRN_U8, 9, "123456789\x83\x92\x06\xe3", 13, "123456789");
	decode_bytes(&crc, CRN_U8, 9, "123456789\x83\x92\x06\xe2", 13, NULL);
	/* python3: numcodecs.LZ4().encode(b"abc") */
	decode_bytes(&lz4, CRN_U8, 3, "\x03\x00\x00\x00\x30\x61\x62\x63", 8, "abc");
	/* The size field lies in both directions. */
	decode_bytes(&lz4, CRN_U8, 3, "\x04\x00\x00\x00\x30\x61\x62\x63", 8, NULL);
	decode_bytes(&lz4, CRN_U8, 3, "\xff\xff\xff\xff\x30\x61\x62\x63", 8, NULL);
	/* python3: gzip.compress(b"ab", mtime=1) + gzip.compress(b"c", mtime=2) */
	static const char members[] = "\x1f\x8b\x08\x00\x01\x00\x00\x00\x02\xff\x4b\x4c\x02\x00\x6d"
				      "\x48\x83\x9e\x02\x00\x00\x00"
				      "\x1f\x8b\x08\x00\x02\x00\x00\x00\x02\xff\x4b\x06\x00\x6f\xdf"
				      "\xb9\x06\x01\x00\x00\x00";
	decode_bytes(&gzip, CRN_U8, 3, members, sizeof(members) - 1, "abc");
	decode_bytes(&gzip, CRN_U8, 2, members, sizeof(members) - 1, NULL);
	decode_bytes(&gzip, CRN_U8, 2, members, 22, "ab");
	/* python3: numcodecs.Delta("<i2").encode(numpy.array([5, 3, 10, -32768], "<i2")) */
	decode_bytes(&delta, CRN_I16, 4, "\x05\x00\xfe\xff\x07\x00\xf6\x7f", 8,
		"\x05\x00\x03\x00\x0a\x00\x00\x80");
}

static void test_zstd_without_size(void **state)
{
	const sample zstd = {"zstd", "{}", 2};
	char data[5000], object[6000];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i % 100);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	size_t n = ZSTD_compress2(c, object, sizeof(object), data, 3000);
	/* A second frame: streams of several frames are legal. */
	size_t m = ZSTD_compress2(c, object + n, sizeof(object) - n, data + 3000, 2000);
	ZSTD_freeCCtx(c);
	assert_false(ZSTD_isError(n) || ZSTD_isError(m));
	assert_true(ZSTD_getFrameContentSize(object, n) == ZSTD_CONTENTSIZE_UNKNOWN);
	decode_bytes(&zstd, CRN_U8, 5000, object, n + m, data);
	decode_bytes(&zstd, CRN_U8, 5001, object, n + m, NULL);
	decode_bytes(&zstd, CRN_U8, 4999, object, n + m, NULL);
}

/* What we write must satisfy readers that insist on the size. */
static void test_zstd_writes_size(void **state)
{
	const sample zstd = {"zstd", "{\"level\": 1}", 3};
	crn_chunk_type chunk = {.dtype = CRN_U8, .ndim = 1, .shape = {1000}};
	crn_chain c = make_chain(&zstd, &chunk);
	unsigned char data[1000];
	size_t n;
	fill(data, sizeof(data), 1);
	unsigned char *object = round_trip(&c, data, &n);
	assert_int_equal(ZSTD_getFrameContentSize(object, n), 1000);
	free(object);
	crn_chain_done(&c);
}

static void assert_refused(const char *name, int zarr_format, const char *config)
{
	crn_chunk_type chunk = {.dtype = CRN_U16, .ndim = 3, .shape = {2, 3, 4}};
	crn_chain c;
	cairn_error err = {0};
	const crn_codec *codec = crn_codec_find(&crn_builtin_registry, name, zarr_format);
	assert_int_equal(crn_chain_init(&c, &chunk, NULL), CAIRN_OK);
	if (codec->kind == CRN_BYTES_TO_BYTES)
		assert_int_equal(add(&c, "bytes", 3, "{\"endian\": \"little\"}", NULL), CAIRN_OK);
	cairn_status status = add(&c, name, zarr_format, config, &err);
	if (status != CAIRN_INPUT || !strstr(err.where, codec->name))
		fail_msg("%s %s: status %d, %s", name, config, status, err.message);
	crn_chain_done(&c);
}

static void test_bad_settings(void **state)
{
	assert_refused("bytes", 3, "{}");
	assert_refused("bytes", 3, "{\"endian\": \"middle\"}");
	assert_refused("bytes", 3, "{\"endian\": 1}");
	assert_refused("transpose", 3, "{}");
	assert_refused("transpose", 3, "{\"order\": [0, 1]}");
	assert_refused("transpose", 3, "{\"order\": [0, 1, 1]}");
	assert_refused("transpose", 3, "{\"order\": [0, 1, 3]}");
	assert_refused("transpose", 3, "{\"order\": [0, 1, 2.0]}");
	assert_refused("zstd", 3, "{\"level\": 23}");
	assert_refused("zstd", 3, "{\"level\": \"1\"}");
	assert_refused("zstd", 3, "{\"checksum\": 1}");
	assert_refused("gzip", 2, "{\"level\": 10}");
	assert_refused("blosc", 2, "{\"cname\": \"lz5\"}");
	assert_refused("blosc", 2, "{\"clevel\": 10}");
	assert_refused("blosc", 2, "{\"shuffle\": 3}");
	assert_refused("blosc", 3, "{\"shuffle\": \"bits\"}");
	assert_refused("blosc", 3, "{\"typesize\": 0}");
	assert_refused("blosc", 3, "{\"blocksize\": -1}");
	assert_refused("delta", 2, "{\"dtype\": \"<f4\"}");
	assert_refused("delta", 2, "{\"dtype\": \"<i4\", \"astype\": \"<i2\"}");
}

static void test_bad_chains(void **state)
{
	crn_chain c;
	cairn_error err = {0};
	crn_chunk_type zero = {.dtype = CRN_U8, .ndim = 2, .shape = {4, 0}};
	crn_chunk_type huge = {.dtype = CRN_U16, .ndim = 2, .shape = {4, (int64_t)1 << 62}};
	crn_chunk_type large = {.dtype = CRN_U8, .ndim = 1, .shape = {((int64_t)1 << 40) + 1}};
	crn_chunk_type fine = {.dtype = CRN_U8, .ndim = 1, .shape = {(int64_t)1 << 32}};
	assert_int_equal(crn_chain_init(&c, &zero, &err), CAIRN_INPUT);
	assert_int_equal(crn_chain_init(&c, &huge, &err), CAIRN_INPUT);
	assert_int_equal(crn_chain_init(&c, &large, &err), CAIRN_INPUT);
	assert_int_equal(crn_chain_init(&c, &fine, &err), CAIRN_OK);
	assert_int_equal(crn_chain_seal(&c, &err), CAIRN_INPUT);
	assert_int_equal(add(&c, "zstd", 3, "{}", &err), CAIRN_INPUT);
	assert_int_equal(add(&c, "bytes", 3, "{}", &err), CAIRN_OK);
	assert_int_equal(add(&c, "transpose", 3, "{\"order\": [0]}", &err), CAIRN_INPUT);
	assert_int_equal(add(&c, "bytes", 3, "{}", &err), CAIRN_INPUT);
	assert_int_equal(add(&c, "blosc", 3, "{}", &err), CAIRN_INPUT); /* more than 2^31 */
	assert_int_equal(add(&c, "lz4", 2, "{}", &err), CAIRN_INPUT);
	for (int i = 0; i < CRN_MAX_CODECS - 1; i++)
		assert_int_equal(add(&c, "crc32c", 3, "{}", &err), CAIRN_OK);
	assert_int_equal(add(&c, "crc32c", 3, "{}", &err), CAIRN_INPUT);
	crn_chain_done(&c);
	assert_null(crn_codec_find(&crn_builtin_registry, "sharding_indexed", 3));
	assert_null(crn_codec_find(&crn_builtin_registry, "bytes", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conformance),
		cmocka_unit_test(test_every_codec_is_here),
		cmocka_unit_test(test_corner),
		cmocka_unit_test(test_known_bytes),
		cmocka_unit_test(test_zstd_without_size),
		cmocka_unit_test(test_zstd_writes_size),
		cmocka_unit_test(test_bad_settings),
		cmocka_unit_test(test_bad_chains),
	};
	return cmocka_run_group_tests_name("codecs", tests, NULL, NULL);
}

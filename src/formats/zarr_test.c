/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_test.c -- Zarr sinks and sources against each other and against bad documents, chunks and
 * stores. (What other implementations write and read: tests/golden/zarr.)
 *
 * one file because every test needs the borrowed store and the walkers over units at its top.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "builtin.h"
#include "formats/zarr_meta.h"
#include "stores/faulty_store.h"
#include "stores/memory_store.h"
#include "support/arrays.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a store that outlives the sources and sinks opened on it ---- */

typedef struct borrowed {
	crn_store base;
	crn_store *inner;
} borrowed;

#define INNER(s) (((borrowed *)(s))->inner)

static cairn_status b_get(crn_store *s, const char *key, const crn_range *range, void *out,
	size_t cap, size_t *ret_n, bool *ret_found, cairn_error *err)
{
	return INNER(s)->ops->get(INNER(s), key, range, out, cap, ret_n, ret_found, err);
}

static cairn_status b_stat(
	crn_store *s, const char *key, crn_stat *ret, bool *ret_found, cairn_error *err)
{
	return INNER(s)->ops->stat(INNER(s), key, ret, ret_found, err);
}

static cairn_status b_put(
	crn_store *s, const char *key, const void *bytes, size_t n, cairn_error *err)
{
	return INNER(s)->ops->put(INNER(s), key, bytes, n, err);
}

static cairn_status b_remove(crn_store *s, const char *key, cairn_error *err)
{
	return INNER(s)->ops->remove(INNER(s), key, err);
}

static cairn_status b_list(
	crn_store *s, const char *prefix, crn_list_fn visit, void *user, cairn_error *err)
{
	return INNER(s)->ops->list(INNER(s), prefix, visit, user, err);
}

static void b_close(crn_store *s)
{
	crn_free(s->root);
	crn_free(s);
}

static crn_store *borrow(crn_store *inner)
{
	static const crn_store_ops ops = {.get = b_get,
		.stat = b_stat,
		.put = b_put,
		.remove = b_remove,
		.list = b_list,
		.close = b_close};
	borrowed *b = crn_calloc(1, sizeof(*b));
	b->base = (crn_store){.ops = &ops, .root = crn_strdup("mem")};
	b->inner = inner;
	return &b->base;
}

static crn_store *memory(void)
{
	crn_store *s = NULL;
	assert_int_equal(crn_memory_store_new(&s, NULL), CAIRN_OK);
	return s;
}

static void put(crn_store *s, const char *key, const char *text)
{
	assert_int_equal(s->ops->put(s, key, text, strlen(text), NULL), CAIRN_OK);
}

static bool exists(crn_store *s, const char *key)
{
	bool found = false;
	assert_int_equal(crn_store_exists(s, key, &found, NULL), CAIRN_OK);
	return found;
}

static char *load(crn_store *s, const char *key, size_t *ret_n)
{
	char *text = NULL;
	assert_int_equal(crn_store_load(s, key, 1 << 20, &text, ret_n, NULL), CAIRN_OK);
	assert_non_null(text);
	return text;
}

/* ---- writing and reading whole arrays ---- */

static cairn_status open_at(crn_store *s, int zarr_format, const char *path, int64_t level,
	crn_source **ret, cairn_error *err)
{
	crn_zarr_open how = {.registry = &crn_builtin_registry,
		.url = "mem",
		.path = path,
		.zarr_format = zarr_format,
		.level = level};
	return crn_zarr_open_in(borrow(s), &how, ret, err);
}

static crn_source *open_ok(crn_store *s, int zarr_format, const char *path)
{
	crn_source *source = NULL;
	cairn_error err = {0};
	crn_assert_ok(open_at(s, zarr_format, path, 0, &source, &err));
	return source;
}

static void grid_of(const crn_type *t, const int64_t *unit, int64_t *grid, int64_t *n)
{
	*n = 1;
	for (int d = 0; d < t->ndim; d++) {
		grid[d] = crn_n_units(t->shape[d], unit[d]);
		*n *= grid[d];
	}
}

static cairn_status read_all(crn_source *s, crn_view *out, cairn_error *err)
{
	int64_t grid[CRN_MAX_NDIM], n;
	const crn_region whole = crn_region_whole(s->type.ndim, s->type.shape);
	grid_of(&s->type, s->unit, grid, &n);
	*out = crn_test_array(s->type.dtype, s->type.ndim, s->type.shape);
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, s->unit_scratch + 64), 0);
	memset((char *)scratch + s->unit_scratch, 0x77, 64);
	cairn_status status = CAIRN_OK;
	for (int64_t i = 0; i < n && status == CAIRN_OK; i++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(i, s->type.ndim, grid, idx);
		crn_region r = crn_unit_region(s->type.ndim, s->type.shape, s->unit, idx);
		crn_view unit = crn_test_array(s->type.dtype, s->type.ndim, r.n);
		status = s->ops->read_unit(s, idx, &unit, scratch, err);
		crn_view to = crn_view_part(out, &whole, &r);
		if (status == CAIRN_OK)
			crn_view_copy(&to, &unit);
		crn_test_array_free(&unit);
	}
	for (int i = 0; i < 64; i++)
		assert_int_equal(((char *)scratch)[s->unit_scratch + (size_t)i], 0x77);
	free(scratch);
	return status;
}

typedef struct job {
	const char *path;
	int zarr_format;
	crn_type type;
	const int64_t *chunks;
	crn_value options[CRN_ZARR_N_OPTIONS]; /* texts are borrowed from literals */
} job;

static crn_value text(const char *s)
{
	return (crn_value){.kind = CRN_V_STR, .s = (char *)s};
}

static cairn_status create(crn_store *s, const job *j, crn_sink **ret, cairn_error *err)
{
	crn_create_request req = {.url = "mem",
		.registry = &crn_builtin_registry,
		.type = j->type,
		.options = j->options,
		.chunks = j->chunks};
	return crn_zarr_create_in(borrow(s), j->path, j->zarr_format, &req, ret, err);
}

/* Writes every unit, checks every record, finishes. The sum of all_fill units into *n_fill. */
static cairn_status write_all(
	crn_store *s, const job *j, const crn_view *values, int *n_fill, cairn_error *err)
{
	crn_sink *sink = NULL;
	CRN_TRY(create(s, j, &sink, err));
	int64_t grid[CRN_MAX_NDIM], n;
	const crn_region whole = crn_region_whole(j->type.ndim, j->type.shape);
	grid_of(&j->type, sink->unit, grid, &n);
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, sink->unit_scratch), 0);
	cairn_status status = CAIRN_OK;
	for (int64_t i = 0; i < n && status == CAIRN_OK; i++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unit_record record = {0};
		crn_unravel(i, j->type.ndim, grid, idx);
		crn_region r = crn_unit_region(j->type.ndim, j->type.shape, sink->unit, idx);
		crn_view part = crn_view_part(values, &whole, &r);
		status = sink->ops->write_unit(sink, idx, &part, scratch, &record, err);
		for (int quick = 0; quick < 2 && status == CAIRN_OK; quick++) {
			bool same = false;
			status = sink->ops->check_unit(
				sink, idx, &record, quick, scratch, &same, err);
			assert_true(same);
		}
		*n_fill += record.all_fill;
	}
	if (status == CAIRN_OK) {
		assert_false(exists(s, ".zarray") || exists(s, "zarr.json"));
		status = sink->ops->finish(sink, err);
	}
	free(scratch);
	sink->ops->close(sink);
	return status;
}

static void round_trip(const job *j, const crn_view *values)
{
	crn_store *s = memory();
	cairn_error err = {0};
	int n_fill = 0;
	crn_assert_ok(write_all(s, j, values, &n_fill, &err));
	crn_source *source = open_ok(s, j->zarr_format, j->path);
	assert_int_equal(source->type.dtype, j->type.dtype);
	assert_int_equal(source->type.ndim, j->type.ndim);
	CRN_TEST_ARRAY back = {0};
	crn_assert_ok(read_all(source, &back, &err));
	assert_true(crn_test_same_bytes(&back, values));
	crn_source_close(source);
	crn_store_close(s);
}

/* ---- tests ---- */

static void test_round_trips(void **state)
{
	static const char *const compressors[] = {"zstd", "blosc", "gzip", "zlib", "lz4", "none"};
	const int64_t shape[] = {5, 7, 9}, chunks[] = {2, 7, 4};
	crn_test_rng rng = {42};
	for (int zf = 2; zf <= 3; zf++)
		for (size_t c = 0; c < CRN_COUNT(compressors); c++)
			for (int bits = 0; bits < 8; bits++) {
				crn_dtype dtype = (crn_dtype)((bits + (int)c) % CRN_N_DTYPES);
				job j = {.path = "",
					.zarr_format = zf,
					.chunks = chunks,
					.type = crn_type_make(dtype, 3, shape)};
				j.options[CRN_ZARR_COMPRESSOR] = text(compressors[c]);
				j.options[CRN_ZARR_SEPARATOR] = text(bits & 1 ? "." : "/");
				j.options[CRN_ZARR_ORDER] = text(bits & 2 ? "F" : "C");
				j.options[CRN_ZARR_BYTEORDER] = text(bits & 4 ? "big" : "little");
				CRN_TEST_ARRAY values = crn_test_array(dtype, 3, shape);
				crn_test_fill(&rng, &values);
				round_trip(&j, &values);
			}
}

static void test_shapes(void **state)
{
	static const struct {
		int ndim;
		int64_t shape[8], chunks[8];
	} cases[] = {
		{0, {0}, {0}},
		{1, {0}, {4}},
		{3, {3, 0, 2}, {2, 2, 2}},
		{1, {10}, {100}},
		{2, {1, 17}, {1, 17}},
		{8, {2, 1, 2, 1, 2, 1, 2, 3}, {1, 1, 2, 1, 1, 1, 2, 2}},
	};
	crn_test_rng rng = {1};
	for (int zf = 2; zf <= 3; zf++)
		for (size_t i = 0; i < CRN_COUNT(cases); i++)
			for (int f = 0; f < 2; f++) {
				job j = {.path = "",
					.zarr_format = zf,
					.chunks = f ? cases[i].chunks : NULL,
					.type = crn_type_make(
						CRN_I32, cases[i].ndim, cases[i].shape)};
				j.options[CRN_ZARR_ORDER] = text(f ? "F" : "C");
				CRN_TEST_ARRAY values =
					crn_test_array(CRN_I32, cases[i].ndim, cases[i].shape);
				crn_test_fill(&rng, &values);
				round_trip(&j, &values);
			}
}

/* Bytes and names on disk, as the specifications draw them. */
static void test_layout(void **state)
{
	const int64_t shape[] = {3, 3}, chunks[] = {2, 3};
	const uint8_t data[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
	size_t n;
	cairn_error err = {0};
	crn_view values = crn_view_dense((void *)data, CRN_U8, 2, shape);
	job j = {.path = "a/b",
		.zarr_format = 2,
		.chunks = chunks,
		.type = crn_type_make(CRN_U8, 2, shape)};
	j.type.fill = crn_elem_from_int(CRN_U8, 255);
	j.options[CRN_ZARR_COMPRESSOR] = text("none");
	j.options[CRN_ZARR_ORDER] = text("F");
	j.options[CRN_ZARR_SEPARATOR] = text(".");
	crn_store *s = memory();
	int n_fill = 0;
	crn_assert_ok(write_all(s, &j, &values, &n_fill, &err));
	/* F order permutes inside the chunk, not the key; the edge chunk is padded with the fill.
	 */
	CRN_FREE char *first = load(s, "a/b/0.0", &n);
	assert_int_equal(n, 6);
	assert_memory_equal(first, "\0\3\1\4\2\5", 6);
	CRN_FREE char *edge = load(s, "a/b/1.0", &n);
	assert_memory_equal(edge, "\6\377\7\377\10\377", 6);
	assert_true(exists(s, ".zgroup") && exists(s, "a/.zgroup") && exists(s, "a/b/.zarray"));
	assert_false(exists(s, "a/b/.zgroup") || exists(s, "a/b/.zattrs"));
	crn_store_close(s);

	s = memory();
	j.zarr_format = 3;
	j.options[CRN_ZARR_SEPARATOR] = (crn_value){0};
	crn_assert_ok(write_all(s, &j, &values, &n_fill, &err));
	CRN_FREE char *third = load(s, "a/b/c/1/0", &n);
	assert_memory_equal(third, "\6\377\7\377\10\377", 6);
	assert_true(
		exists(s, "zarr.json") && exists(s, "a/zarr.json") && exists(s, "a/b/zarr.json"));
	crn_store_close(s);
}

static void test_missing_and_all_fill(void **state)
{
	const int64_t shape[] = {4, 4}, chunks[] = {2, 2};
	double data[16];
	uint64_t payload = 0x7ff8000000000abc;
	for (int i = 0; i < 16; i++)
		memcpy(&data[i], &payload, 8);
	data[0] = 1;
	crn_view values = crn_view_dense(data, CRN_F64, 2, shape);
	for (int zf = 2; zf <= 3; zf++) {
		job j = {.path = "",
			.zarr_format = zf,
			.chunks = chunks,
			.type = crn_type_make(CRN_F64, 2, shape)};
		memcpy(j.type.fill.bytes, &payload, 8);
		crn_store *s = memory();
		int n_fill = 0;
		cairn_error err = {0};
		crn_assert_ok(write_all(s, &j, &values, &n_fill, &err));
		/* v2 cannot say this NaN, so there its chunks are stored; v3 can. */
		assert_int_equal(n_fill, zf == 2 ? 0 : 3);
		crn_source *source = open_ok(s, zf, "");
		CRN_TEST_ARRAY back = {0};
		crn_assert_ok(read_all(source, &back, &err));
		assert_true(crn_test_same_bytes(&back, &values));
		crn_source_close(source);
		crn_store_close(s);
	}
}

static void check_fill(int zf, crn_dtype dtype, const char *json, uint64_t bits)
{
	CRN_STR doc = {0}, printed = {0};
	crn_elem e = {{0}}, again = {{0}}, expected = {{0}};
	crn_json *v = NULL;
	cairn_error err = {0};
	crn_assert_ok(crn_json_parse(json, strlen(json), CAIRN_INPUT, &v, &err));
	crn_assert_ok(crn_zarr_parse_fill(v, dtype, &e, &err));
	crn_json_free(v);
	memcpy(expected.bytes, &bits, crn_dtype_size(dtype));
	assert_memory_equal(e.bytes, expected.bytes, crn_dtype_size(dtype));
	crn_zarr_print_fill(dtype, e, zf, &printed);
	crn_assert_ok(crn_json_parse(printed.data, printed.len, CAIRN_INPUT, &v, &err));
	crn_assert_ok(crn_zarr_parse_fill(v, dtype, &again, &err));
	crn_json_free(v);
	if (memcmp(again.bytes, e.bytes, crn_dtype_size(dtype)) != 0)
		fail_msg("%s printed as %s", json, printed.data);
}

static void test_fill_values(void **state)
{
	check_fill(2, CRN_U64, "18446744073709551615", UINT64_MAX);
	check_fill(3, CRN_U64, "18446744073709551614", UINT64_MAX - 1);
	check_fill(3, CRN_I64, "-9223372036854775808", (uint64_t)1 << 63);
	check_fill(2, CRN_U8, "null", 0);
	check_fill(2, CRN_U16, "7.0", 7);
	check_fill(3, CRN_BOOL, "true", 1);
	check_fill(2, CRN_BOOL, "1", 1);
	check_fill(2, CRN_F64, "-0.0", (uint64_t)1 << 63);
	check_fill(2, CRN_F32, "-0", 0x80000000);
	check_fill(2, CRN_F32, "0.1", 0x3dcccccd);
	check_fill(2, CRN_F32, "\"NaN\"", 0x7fc00000);
	check_fill(2, CRN_F64, "\"NaN\"", 0x7ff8000000000000);
	check_fill(3, CRN_F64, "\"-Infinity\"", 0xfff0000000000000);
	check_fill(3, CRN_F32, "\"0x7fc00001\"", 0x7fc00001);
	check_fill(3, CRN_F32, "\"0xffc00000\"", 0xffc00000);
	check_fill(3, CRN_F64, "\"0x3ff0000000000000\"", 0x3ff0000000000000);
	static const struct {
		crn_dtype dtype;
		const char *json;
	} bad[] = {{CRN_U8, "256"}, {CRN_U8, "-1"}, {CRN_I8, "128"}, {CRN_U8, "0.5"},
		{CRN_U8, "\"NaN\""}, {CRN_I64, "9223372036854775808"}, {CRN_BOOL, "2"},
		{CRN_F32, "\"0x7fc0\""}, {CRN_F32, "\"nan\""}, {CRN_F32, "true"}, {CRN_F32, "[1]"},
		{CRN_U16, "true"}, {CRN_U64, "18446744073709551616"}};
	for (size_t i = 0; i < CRN_COUNT(bad); i++) {
		crn_json *v = NULL;
		crn_elem e;
		assert_int_equal(
			crn_json_parse(bad[i].json, strlen(bad[i].json), CAIRN_INPUT, &v, NULL),
			CAIRN_OK);
		if (crn_zarr_parse_fill(v, bad[i].dtype, &e, NULL) != CAIRN_INPUT)
			fail_msg("%s as %s", bad[i].json, crn_dtype_name(bad[i].dtype));
		crn_json_free(v);
	}
}

static void test_axes(void **state)
{
	const int64_t shape[] = {2, 3};
	const uint16_t data[6] = {1, 2, 3, 4, 5, 6};
	crn_view values = crn_view_dense((void *)data, CRN_U16, 2, shape);
	for (int zf = 2; zf <= 3; zf++) {
		job j = {.path = "", .zarr_format = zf, .type = crn_type_make(CRN_U16, 2, shape)};
		j.type.kind = CRN_LABEL;
		j.type.axes[0] = (crn_axis){"z", "nanometer", 0.1, -3.5};
		strcpy(j.type.axes[1].name, "x");
		crn_store *s = memory();
		cairn_error err = {0};
		int n_fill = 0;
		crn_assert_ok(write_all(s, &j, &values, &n_fill, &err));
		crn_source *source = open_ok(s, zf, "");
		assert_int_equal(source->type.kind, CRN_LABEL);
		assert_memory_equal(source->type.axes, j.type.axes, 2 * sizeof(crn_axis));
		crn_source_close(source);
		crn_store_close(s);
	}
}

/* Replaces the first occurrence of `from` in a document of the store. */
static void edit(crn_store *s, const char *key, const char *from, const char *to)
{
	size_t n;
	CRN_FREE char *old = load(s, key, &n);
	const char *at = strstr(old, from);
	if (!at)
		fail_msg("%s lacks %s", key, from);
	CRN_STR new = {0};
	crn_str_append_n(&new, old, (size_t)(at - old));
	crn_str_append(&new, to);
	crn_str_append(&new, at + strlen(from));
	put(s, key, new.data);
}

static crn_store *small_array(int zf)
{
	const int64_t shape[] = {4, 6}, chunks[] = {2, 3};
	uint16_t data[24];
	for (int i = 0; i < 24; i++)
		data[i] = (uint16_t)(i * 2500 + 1);
	crn_view values = crn_view_dense(data, CRN_U16, 2, shape);
	job j = {.path = "",
		.zarr_format = zf,
		.chunks = chunks,
		.type = crn_type_make(CRN_U16, 2, shape)};
	crn_store *s = memory();
	cairn_error err = {0};
	int n_fill = 0;
	crn_assert_ok(write_all(s, &j, &values, &n_fill, &err));
	return s;
}

static void test_bad_documents(void **state)
{
	static const struct {
		int zf;
		const char *from, *to, *message;
	} cases[] = {
		{2, "[2, 3]", "[0, 3]", "entry 0 must be an integer of at least 1"},
		{2, "[2, 3]", "[2, 4611686018427387904]", "2^40"},
		{2, "[2, 3]", "[2]", "the chunks have 1"},
		{2, "[2, 3]", "[2, 3.0]", "entry 1"},
		{2, "[4, 6]", "[4, 4611686018427387904]", "2^63"},
		{2, "[4, 6]", "[4, -6]", "at least 0"},
		{2, "[4, 6]", "[1,1,1,1,1,1,1,1,1]", "limit is 8"},
		{2, "[4, 6]", "\"4\"", "list of integers"},
		{2, "\"<u2\"", "\"<f2\"", "no dtype for \"<f2\""},
		{2, "\"<u2\"", "\"|u2\"", "no dtype"},
		{2, "\"<u2\"", "[[\"r\", \"|u1\"]]", "no dtype for [[\"r\""},
		{2, "\"order\": \"C\"", "\"order\": \"Z\"", "\"order\""},
		{2, "\"zstd\"", "\"lzma\"", "codec \"lzma\""},
		{2, "\"id\"", "\"name\"", "without an \"id\""},
		{2, "\"filters\": null", "\"filters\": [{\"id\": \"fixedscaleoffset\"}]",
			"fixedscaleoffset"},
		{2, "\"filters\": null", "\"filters\": 3", "\"filters\""},
		{2, "\"dimension_separator\": \"/\"", "\"dimension_separator\": \"-\"",
			"separator"},
		{2, "\"zarr_format\": 2", "\"zarr_format\": 4", "\"zarr_format\" must be 2"},
		{2, "\"fill_value\": 0", "\"fill_value\": 65536", "65536 is no uint16"},
		{2, "{", "{{", "line 1, column 2"},
		{3, "[2, 3]", "[2, 0]", "at least 1"},
		{3, "[2, 3]", "[4611686018427387904, 4611686018427387904]", "2^40"},
		{3, "\"uint16\"", "\"float16\"", "no dtype for \"float16\""},
		{3, "\"uint16\"", "\"int\"", "no dtype for \"int\""},
		{3, "\"uint16\"", "{\"name\": \"numpy.datetime64\"}", "numpy.datetime64"},
		{3, "\"regular\"", "\"rectilinear\"", "rectilinear"},
		{3, "\"default\"", "\"hilbert\"", "hilbert"},
		{3, "\"fill_value\": 0", "\"fill_value\": null", "\"fill_value\" is missing"},
		{3, "\"zstd\"", "\"sharding_indexed\"", "sharded"},
		{3, "\"zstd\"", "\"pcodec\"", "pcodec"},
		{3, "\"node_type\": \"array\"", "\"node_type\": \"table\"", "node_type"},
		{3, "\"zarr_format\": 3",
			"\"zarr_format\": 3, \"lazy\": {\"must_understand\": true}", "\"lazy\""},
		{3, "\"zarr_format\": 3", "\"zarr_format\": 3, \"storage_transformers\": [{}]",
			"storage transformers"},
		{3, "\"endian\": \"little\"", "\"endian\": \"middle\"", "\"endian\""},
	};
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		crn_store *s = small_array(cases[i].zf);
		crn_source *source = NULL;
		cairn_error err = {0};
		edit(s, cases[i].zf == 2 ? ".zarray" : "zarr.json", cases[i].from, cases[i].to);
		cairn_status status = open_at(s, cases[i].zf, "", 0, &source, &err);
		if (status != CAIRN_INPUT || !strstr(err.message, cases[i].message) ||
			!strstr(err.where, "mem"))
			fail_msg("%s -> %s: %d, %s", cases[i].from, cases[i].to, status,
				crn_test_error(&err));
		crn_store_close(s);
	}
	crn_store *s = small_array(3);
	edit(s, "zarr.json", "\"zarr_format\": 3",
		"\"zarr_format\": 3, \"lazy\": {\"must_understand\": false}");
	crn_source_close(open_ok(s, 3, ""));
	crn_store_close(s);
}

static void test_bad_chunks(void **state)
{
	for (int zf = 2; zf <= 3; zf++) {
		const char *key = zf == 2 ? "1/0" : "c/1/0";
		crn_store *s = small_array(zf);
		crn_source *source = open_ok(s, zf, "");
		size_t n;
		CRN_FREE char *good = load(s, key, &n);
		for (size_t cut = 0; cut < n; cut++) {
			CRN_TEST_ARRAY out = {0};
			cairn_error err = {0};
			assert_int_equal(s->ops->put(s, key, good, cut, NULL), CAIRN_OK);
			assert_int_equal(read_all(source, &out, &err), CAIRN_INPUT);
			assert_non_null(strstr(err.where, key));
		}
		CRN_FREE char *long_one = crn_calloc(1, 1 << 20);
		CRN_TEST_ARRAY out = {0};
		cairn_error err = {0};
		assert_int_equal(s->ops->put(s, key, long_one, 1 << 20, NULL), CAIRN_OK);
		assert_int_equal(read_all(source, &out, &err), CAIRN_INPUT);
		assert_non_null(strstr(err.message, "at most expected"));
		crn_source_close(source);
		crn_store_close(s);
	}
}

static void test_raw_chunk_sizes(void **state)
{
	crn_store *s = memory();
	put(s, ".zarray",
		"{\"zarr_format\": 2, \"shape\": [4], \"chunks\": [2], \"dtype\": \"|b1\","
		"\"compressor\": null, \"filters\": [], \"fill_value\": null, \"order\": \"C\"}");
	put(s, "0", "\x02\xff");
	crn_source *source = open_ok(s, 2, "");
	cairn_error err = {0};
	CRN_TEST_ARRAY out = {0};
	crn_assert_ok(read_all(source, &out, &err));
	assert_memory_equal(out.data, "\1\1\0\0", 4); /* bools become 0 and 1 */
	static const char *const wrong[] = {"", "a", "abc"};
	for (size_t i = 0; i < CRN_COUNT(wrong); i++) {
		CRN_TEST_ARRAY none = {0};
		put(s, "1", wrong[i]);
		assert_int_equal(read_all(source, &none, &err), CAIRN_INPUT);
	}
	crn_source_close(source);
	crn_store_close(s);
}

static void test_groups(void **state)
{
	cairn_error err = {0};
	crn_source *source = NULL;
	crn_store *s = memory();
	static const char array[] = "{\"zarr_format\": 2, \"shape\": [4, 8], \"chunks\": [2, 2], "
				    "\"dtype\": \"<u2\", \"compressor\": null, \"filters\": null, "
				    "\"fill_value\": 7, \"order\": \"C\"}";
	put(s, ".zgroup", "{\"zarr_format\": 2}");
	assert_int_equal(open_at(s, 2, "", 0, &source, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.hint, "empty"));
	put(s, "only/.zarray", array);
	put(s, "group/.zgroup", "{}");
	source = open_ok(s, 2, "");
	assert_int_equal(source->type.shape[1], 8);
	crn_source_close(source);
	put(s, "second/.zarray", array);
	assert_int_equal(open_at(s, 2, "", 0, &source, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.hint, "group, only, second"));
	assert_int_equal(open_at(s, 2, "third", 0, &source, &err), CAIRN_INPUT);
	put(s, ".zattrs",
		"{\"multiscales\": [{\"version\": \"0.4\", \"axes\": [{\"name\": \"y\", \"type\": "
		"\"space\","
		"\"unit\": \"micrometer\"}, {\"name\": \"x\"}], \"coordinateTransformations\": "
		"[{\"type\":"
		"\"scale\", \"scale\": [2, 1]}], \"datasets\": [{\"path\": \"only\","
		"\"coordinateTransformations\": [{\"type\": \"scale\", \"scale\": [0.5, 3]}]}, "
		"{\"path\": "
		"\"second\", \"coordinateTransformations\": [{\"type\": \"scale\", \"scale\": [1, "
		"6]},"
		"{\"type\": \"translation\", \"translation\": [0.25, 1.5]}]}]}]}");
	source = open_ok(s, 2, "");
	assert_string_equal(source->type.axes[0].name, "y");
	assert_string_equal(source->type.axes[0].unit, "micrometer");
	assert_true(source->type.axes[0].scale == 1 && source->type.axes[1].scale == 3);
	crn_hash finest = source->identity;
	crn_source_close(source);
	assert_int_equal(open_at(s, 2, "", 1, &source, &err), CAIRN_OK);
	assert_true(source->type.axes[0].scale == 2 && source->type.axes[0].translation == 0.5);
	assert_true(source->type.axes[1].scale == 6 && source->type.axes[1].translation == 1.5);
	assert_false(crn_hash_equal(finest, source->identity));
	crn_source_close(source);
	/* A level opened by its own name has the same axes. */
	source = open_ok(s, 2, "second");
	assert_true(source->type.axes[0].translation == 0.5);
	crn_source_close(source);
	assert_int_equal(open_at(s, 2, "", 2, &source, &err), CAIRN_USAGE);
	edit(s, ".zattrs", "\"only\"", "\"../only\"");
	assert_int_equal(open_at(s, 2, "", 0, &source, &err), CAIRN_INPUT);
	crn_store_close(s);
}

static void test_groups3(void **state)
{
	crn_store *s = small_array(3);
	size_t n;
	CRN_FREE char *array = load(s, "zarr.json", &n);
	put(s, "images/0/s0/zarr.json", array);
	put(s, "zarr.json",
		"{\"zarr_format\": 3, \"node_type\": \"group\", \"attributes\": {\"ome\": "
		"{\"version\": \"0.5\", \"bioformats2raw.layout\": 3}}}");
	put(s, "0/s0/zarr.json", array);
	put(s, "0/zarr.json",
		"{\"zarr_format\": 3, \"node_type\": \"group\", \"attributes\": {\"ome\": "
		"{\"version\": "
		"\"0.5\", \"image-label\": {}, \"multiscales\": [{\"axes\": [{\"name\": \"y\"}, "
		"{\"name\": "
		"\"x\", \"unit\": \"nanometer\"}], \"datasets\": [{\"path\": \"s0\", "
		"\"coordinateTransformations\": [{\"type\": \"scale\", \"scale\": [8, 8]}]}]}]}}}");
	crn_source *source = open_ok(s, 3, "");
	assert_int_equal(source->type.kind, CRN_LABEL);
	assert_string_equal(source->type.axes[1].unit, "nanometer");
	assert_true(source->type.axes[1].scale == 8);
	crn_source_close(source);
	crn_store_close(s);
}

static void assert_create_fails(const job *j, const char *message)
{
	crn_store *s = memory();
	crn_sink *sink = NULL;
	cairn_error err = {0};
	cairn_status status = create(s, j, &sink, &err);
	if (status != CAIRN_USAGE || !strstr(err.message, message))
		fail_msg("%d, %s", status, crn_test_error(&err));
	crn_store_close(s);
}

static void test_bad_options(void **state)
{
	const int64_t shape[] = {4, 4}, zero[] = {2, 0}, huge[] = {1, (int64_t)1 << 42};
	job plain = {.path = "", .zarr_format = 2, .type = crn_type_make(CRN_U8, 2, shape)};
	job j = plain;
	j.chunks = zero;
	assert_create_fails(&j, "chunk extent 0 on axis 1");
	j.chunks = huge;
	assert_create_fails(&j, "2^40");
	j = plain;
	j.options[CRN_ZARR_SHUFFLE] = text("shuffle");
	assert_create_fails(&j, "shuffle= belongs to");
	j = plain;
	j.options[CRN_ZARR_LEVEL] = crn_value_int(23);
	assert_create_fails(&j, "\"level\" must be");
	j = plain;
	j.options[CRN_ZARR_COMPRESSOR] = text("zst");
	assert_create_fails(&j, "compressor=\"zst\"");
	j.options[CRN_ZARR_COMPRESSOR] = crn_value_int(1);
	assert_create_fails(&j, "compressor=1");
	j = plain;
	j.options[CRN_ZARR_FILL] = crn_value_int(256);
	assert_create_fails(&j, "fill_value=256 is no uint8");
	crn_store *s = small_array(2);
	crn_sink *sink = NULL;
	cairn_error err = {0};
	j = plain;
	j.path = "inside";
	assert_int_equal(create(s, &j, &sink, &err), CAIRN_USAGE);
	assert_non_null(strstr(err.message, "inside the array"));
	crn_store_close(s);
	s = memory();
	put(s, ".zgroup", "{\"zarr_format\": 2}");
	j.zarr_format = 3;
	assert_int_equal(create(s, &j, &sink, &err), CAIRN_USAGE);
	assert_non_null(strstr(err.message, "Zarr v2"));
	crn_store_close(s);
}

static void test_check_unit(void **state)
{
	const int64_t shape[] = {8}, chunks[] = {4}, idx[] = {1};
	uint32_t data[] = {1, 2, 3, 4};
	bool same = true;
	cairn_error err = {0};
	job j = {.path = "",
		.zarr_format = 2,
		.chunks = chunks,
		.type = crn_type_make(CRN_U32, 1, shape)};
	crn_store *s = memory();
	crn_sink *sink = NULL;
	crn_unit_record record = {0};
	crn_assert_ok(create(s, &j, &sink, &err));
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, sink->unit_scratch), 0);
	crn_view part = crn_view_dense(data, CRN_U32, 1, chunks);
	crn_assert_ok(sink->ops->write_unit(sink, idx, &part, scratch, &record, &err));
	size_t n;
	CRN_FREE char *object = load(s, "1", &n);
	assert_int_equal(record.size_bytes, n);
	assert_true(record.checksum == crn_checksum(object, n));
	object[n - 1] ^= 1;
	assert_int_equal(s->ops->put(s, "1", object, n, NULL), CAIRN_OK);
	crn_assert_ok(sink->ops->check_unit(sink, idx, &record, false, scratch, &same, &err));
	assert_false(same);
	crn_assert_ok(sink->ops->check_unit(sink, idx, &record, true, scratch, &same, &err));
	assert_true(same); /* quick looks at sizes only */
	assert_int_equal(s->ops->put(s, "1", object, n - 1, NULL), CAIRN_OK);
	crn_assert_ok(sink->ops->check_unit(sink, idx, &record, true, scratch, &same, &err));
	assert_false(same);
	/* Overwritten with fill: the object goes, and a record of fill wants it gone. */
	memset(data, 0, sizeof(data));
	crn_assert_ok(sink->ops->write_unit(sink, idx, &part, scratch, &record, &err));
	assert_true(record.all_fill && !exists(s, "1"));
	put(s, "1", "x");
	crn_assert_ok(sink->ops->check_unit(sink, idx, &record, false, scratch, &same, &err));
	assert_false(same);
	free(scratch);
	sink->ops->close(sink);
	crn_store_close(s);
}

static void test_faulty_stores(void **state)
{
	const int64_t shape[] = {4, 6}, chunks[] = {2, 3};
	uint16_t data[24];
	for (int i = 0; i < 24; i++)
		data[i] = (uint16_t)(i + 1);
	crn_view values = crn_view_dense(data, CRN_U16, 2, shape);
	job j = {.path = "",
		.zarr_format = 2,
		.chunks = chunks,
		.type = crn_type_make(CRN_U16, 2, shape)};
	/* The disk fills up at the nth put: an error, and no metadata. */
	for (int64_t nth = 0; nth < 5; nth++) {
		crn_faults faults = CRN_NO_FAULTS;
		faults.full_from_put = nth;
		crn_store *s = NULL;
		cairn_error err = {0};
		int n_fill = 0;
		assert_int_equal(crn_faulty_store_new(memory(), &faults, &s, NULL), CAIRN_OK);
		assert_int_equal(write_all(s, &j, &values, &n_fill, &err), CAIRN_FAILED);
		assert_non_null(strstr(err.message, "No space left"));
		assert_false(exists(s, ".zarray"));
		crn_store_close(s);
	}
	/* Each get of opening and reading fails, comes short, or comes damaged, in turn. */
	for (int kind = 0; kind < 3; kind++)
		for (int64_t nth = 0; nth < 6; nth++) {
			crn_faults faults = CRN_NO_FAULTS;
			*(kind == 0         ? &faults.broken_get
				: kind == 1 ? &faults.short_get
					    : &faults.corrupt_get) = nth;
			crn_store *s = NULL;
			crn_source *source = NULL;
			cairn_error err = {0};
			assert_int_equal(
				crn_faulty_store_new(small_array(2), &faults, &s, NULL), CAIRN_OK);
			cairn_status status = open_at(s, 2, "", 0, &source, &err);
			CRN_TEST_ARRAY out = {0};
			if (status == CAIRN_OK)
				status = read_all(source, &out, &err);
			assert_int_equal(status, nth < 5 ? CAIRN_INPUT : CAIRN_OK);
			crn_source_close(source);
			crn_store_close(s);
		}
}

static void test_memory_runs_out(void **state)
{
	for (int zf = 2; zf <= 3; zf++) {
		crn_store *s = small_array(zf);
		for (int64_t n = 0;; n++) {
			crn_store *b = borrow(s);
			crn_zarr_open how = {.registry = &crn_builtin_registry,
				.url = "mem",
				.path = "",
				.zarr_format = zf};
			crn_source *source = NULL;
			crn_mem_fail_after(n);
			cairn_status status = crn_zarr_open_in(b, &how, &source, NULL);
			bool failed = crn_mem_failed();
			assert_int_equal(status, failed ? CAIRN_FAILED : CAIRN_OK);
			crn_source_close(source);
			if (!failed)
				break;
			assert_true(n < 1000);
		}
		crn_store_close(s);
	}
}

static void test_urls(void **state)
{
	char folder[] = "/tmp/cairn-zarr-XXXXXX", url[128], command[160];
	assert_non_null(mkdtemp(folder));
	const int64_t shape[] = {3};
	const crn_value none[CRN_ZARR_N_OPTIONS] = {{0}};
	const crn_format *format = NULL;
	cairn_error err = {0};
	crn_sink *sink = NULL;
	crn_source *source = NULL;
	snprintf(url, sizeof(url), "%s/deep.zarr/labels/cells/", folder);
	crn_assert_ok(crn_format_for_writing(&crn_builtin_registry, url, NULL, &format, &err));
	assert_string_equal(format->name, "zarr2");
	crn_create_request req = {.url = url,
		.registry = &crn_builtin_registry,
		.options = none,
		.type = crn_type_make(CRN_U8, 1, shape)};
	int64_t unit[CRN_MAX_NDIM];
	size_t scratch = 0;
	crn_assert_ok(format->plan_unit(&req, unit, &scratch, &err));
	crn_assert_ok(format->create(&req, &sink, &err));
	assert_int_equal(unit[0], sink->unit[0]);
	assert_int_equal(scratch, sink->unit_scratch);
	crn_assert_ok(sink->ops->finish(sink, &err));
	sink->ops->close(sink);
	crn_assert_ok(crn_source_open(&crn_builtin_registry, url, NULL, NULL, 0, &source, &err));
	assert_int_equal(source->type.shape[0], 3);
	crn_source_close(source);
	snprintf(url, sizeof(url), "%s/deep.zar", folder);
	assert_int_equal(crn_source_open(&crn_builtin_registry, url, NULL, NULL, 0, &source, &err),
		CAIRN_INPUT);
	assert_non_null(strstr(err.hint, "deep.zarr"));
	const char *bad_option[] = {"lvl"};
	crn_value one = crn_value_int(1);
	snprintf(url, sizeof(url), "%s/deep.zarr/labels", folder);
	assert_int_equal(
		crn_source_open(&crn_builtin_registry, url, bad_option, &one, 1, &source, &err),
		CAIRN_USAGE);
	assert_non_null(strstr(err.message, "read (zarr2)"));
	snprintf(command, sizeof(command), "mkdir -p %s/half.zarr/.cairn", folder);
	assert_int_equal(system(command), 0);
	snprintf(url, sizeof(url), "%s/half.zarr", folder);
	assert_int_equal(crn_source_open(&crn_builtin_registry, url, NULL, NULL, 0, &source, &err),
		CAIRN_INPUT);
	assert_non_null(strstr(err.hint, "not finished"));
	CRN_STR journal = {0};
	format->journal_path("a.zarr//", &journal);
	assert_string_equal(journal.data, "a.zarr/.cairn");
	assert_int_equal(
		crn_format_for_writing(&crn_builtin_registry, "x.docx", NULL, &format, &err),
		CAIRN_USAGE);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_default_chunks(void **state)
{
	static const struct {
		crn_dtype dtype;
		int ndim;
		int64_t shape[3], chunks[3];
	} cases[] = {
		{CRN_U8, 3, {1000, 1000, 1000}, {128, 128, 128}},
		{CRN_U16, 2, {8192, 8192}, {1024, 1024}},
		{CRN_U8, 3, {20, 100, 100}, {20, 100, 100}},
		{CRN_U16, 3, {(int64_t)1 << 20, 1, 3}, {262144, 1, 3}},
		{CRN_F64, 3, {0, 5, 5}, {1, 5, 5}},
	};
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		job j = {.path = "",
			.zarr_format = 2,
			.type = crn_type_make(cases[i].dtype, cases[i].ndim, cases[i].shape)};
		crn_store *s = memory();
		crn_sink *sink = NULL;
		cairn_error err = {0};
		crn_assert_ok(create(s, &j, &sink, &err));
		assert_memory_equal(sink->unit, cases[i].chunks, (size_t)cases[i].ndim * 8);
		sink->ops->close(sink);
		crn_store_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_missing_and_all_fill),
		cmocka_unit_test(test_fill_values),
		cmocka_unit_test(test_axes),
		cmocka_unit_test(test_bad_documents),
		cmocka_unit_test(test_bad_chunks),
		cmocka_unit_test(test_raw_chunk_sizes),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_groups3),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_check_unit),
		cmocka_unit_test(test_faulty_stores),
		cmocka_unit_test(test_memory_runs_out),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_default_chunks),
	};
	return cmocka_run_group_tests_name("zarr", tests, NULL, NULL);
}

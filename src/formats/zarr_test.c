/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_test.c -- Zarr sinks and sources against each other: values, bytes on disk, groups, axes,
 * urls. (Bad input: zarr_faults_test.c. What other implementations write and read:
 * tests/golden/zarr.)
 */
#include "formats/zarr_test_util.h"

#include <math.h>
#include <stdio.h>

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
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_groups3),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_default_chunks),
	};
	return cmocka_run_group_tests_name("zarr", tests, NULL, NULL);
}

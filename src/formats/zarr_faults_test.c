/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_faults_test.c -- Zarr against bad documents, chunks, options and stores: each is refused
 * with a message that names it, and nothing that looks complete is left behind.
 */
#include "formats/zarr_test_util.h"

#include "stores/faulty_store.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_documents),
		cmocka_unit_test(test_bad_chunks),
		cmocka_unit_test(test_raw_chunk_sizes),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_check_unit),
		cmocka_unit_test(test_faulty_stores),
		cmocka_unit_test(test_memory_runs_out),
	};
	return cmocka_run_group_tests_name("zarr-faults", tests, NULL, NULL);
}

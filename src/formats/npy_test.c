/* SPDX-License-Identifier: Apache-2.0
 *
 * npy_test.c -- NPY headers as NumPy writes them and as nobody should, boxes in C and Fortran
 * order in both byte orders, writing, resuming and checking.
 */
#include "formats/format_test_util.h"

#include "formats/npy_header.h"

/* Writes a version 1 NPY file with this dict and data. */
static void put_npy(const char *path, const char *dict, const void *data, size_t n)
{
	unsigned char bytes[65536] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
	size_t len = strlen(dict);
	bytes[8] = (unsigned char)len;
	bytes[9] = (unsigned char)(len >> 8);
	memcpy(bytes + 10, dict, len);
	memcpy(bytes + 10 + len, data, n);
	put_file(path, bytes, 10 + len + n);
}

static void boxes_of_every_layout(void **state)
{
	(void)state;
	char *dir = make_temp();
	/* Element (i, j, k) is 100 i + 10 j + k, by formula. */
	enum { Z = 3, Y = 4, X = 5, N = Z * Y * X };
	int16_t want[N], stored[N];
	for (int i = 0; i < N; i++)
		want[i] = (int16_t)(100 * (i / (Y * X)) + 10 * (i / X % Y) + i % X);
	for (int layout = 0; layout < 4; layout++) {
		bool fortran = layout & 1, big = layout & 2;
		for (int i = 0; i < N; i++) {
			int z = i / (Y * X), y = i / X % Y, x = i % X;
			int at = fortran ? z + Z * (y + Y * x) : i;
			stored[at] = big ? (int16_t)__builtin_bswap16((uint16_t)want[i]) : want[i];
		}
		char dict[200];
		snprintf(dict, sizeof dict,
			"{'descr': '%ci2', 'fortran_order': %s, 'shape': (3, 4, 5), }\n",
			big ? '>' : '<', fortran ? "True" : "False");
		put_npy(join(dir, "a.npy"), dict, stored, sizeof stored);
		crn_source *s = must_open("npy", join(dir, "a.npy"), NULL);
		assert_int_equal(s->type.dtype, CRN_I16);
		assert_int_equal(s->type.ndim, 3);
		assert_source_equals(s, want);
		s->ops->close(s);
	}
	remove_temp(dir);
}

static void headers_in_every_dress(void **state)
{
	(void)state;
	static const struct {
		const char *dict;
		int ndim;
		crn_dtype dtype;
	} good[] = {
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 0, CRN_F64},
		{"{\"shape\":(7L,),\"descr\":\"|b1\",\"fortran_order\":True}", 1, CRN_BOOL},
		{"  { 'fortran_order' :False , 'shape' : ( 1 , 2,3 ) , 'descr':'>u8' } \n", 3,
			CRN_U64},
	};
	static const char *const bad[] = {"", "{", "{'descr'", "{'descr': '<f8'}",
		"{'descr': '<f2', 'fortran_order': False, 'shape': (), }",
		"{'descr': '<c8', 'fortran_order': False, 'shape': (), }",
		"{'descr': '|O', 'fortran_order': False, 'shape': (), }",
		"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (), }",
		"{'descr': '<f8', 'fortran_order': Maybe, 'shape': (), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1 2), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 3}"};
	for (size_t v = 1; v <= 3; v++) {
		for (size_t i = 0; i < CRN_COUNT(good) + CRN_COUNT(bad); i++) {
			const char *dict =
				i < CRN_COUNT(good) ? good[i].dict : bad[i - CRN_COUNT(good)];
			unsigned char bytes[300] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
			size_t len = strlen(dict), start = v == 1 ? 10 : 12;
			bytes[6] = (unsigned char)v;
			bytes[8] = (unsigned char)len;
			memcpy(bytes + start, dict, len);
			crn_npy_header h;
			cairn_error err = {0};
			cairn_status status = crn_npy_parse("x.npy", bytes, start + len, &h, &err);
			assert_int_equal(status, i < CRN_COUNT(good) ? CAIRN_OK : CAIRN_INPUT);
			if (status == CAIRN_OK) {
				assert_int_equal(h.ndim, good[i].ndim);
				assert_int_equal(h.dtype, good[i].dtype);
				assert_int_equal(h.data_offset, start + len);
			} else {
				assert_non_null(strstr(err.message, "x.npy"));
			}
			/* Any shorter file is an error, not a read past the end. */
			for (size_t n = 0; n < start + len; n++)
				assert_int_equal(
					crn_npy_parse("x.npy", bytes, n, &h, &err), CAIRN_INPUT);
		}
	}
}

static void short_files_are_named(void **state)
{
	(void)state;
	char *dir = make_temp();
	char data[100] = {0};
	crn_source *s = NULL;
	cairn_error err = {0};
	put_npy(join(dir, "a.npy"), "{'descr': '<f8', 'fortran_order': False, 'shape': (100,), }",
		data, 100);
	assert_int_equal(open_as("npy", join(dir, "a.npy"), NULL, &s, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.message, "a.npy"));
	put_npy(join(dir, "a.npy"),
		"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8), }",
		data, 100);
	assert_int_equal(open_as("npy", join(dir, "a.npy"), NULL, &s, &err), CAIRN_INPUT);
	assert_int_equal(open_as("npy", join(dir, "none.npy"), NULL, &s, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.message, "none.npy"));
	assert_null(s);
	remove_temp(dir);
}

static void written_as_numpy_does(void **state)
{
	(void)state;
	char *dir = make_temp();
	const char *path = join(dir, "sub/out.npy");
	float data[2 * 3 * 7];
	for (int i = 0; i < 42; i++)
		data[i] = (float)i / 3;
	crn_type t = crn_type_make(CRN_F32, 3, (int64_t[]){2, 3, 7});
	int64_t chunks[] = {1, 2, 4};
	for (int round = 0; round < 3; round++) {
		crn_create_request req = {.url = path,
			.registry = &crn_builtin_registry,
			.type = t,
			.chunks = round ? chunks : NULL};
		crn_sink *s = NULL;
		cairn_error err = {0};
		assert_int_equal(format_named("npy")->create(&req, &s, &err), CAIRN_OK);
		assert_int_equal(access(path, F_OK), round ? 0 : -1);
		assert_int_equal(write_units(s, data, round, round ? 5 : 1, &err), CAIRN_OK);
		assert_int_equal(s->ops->finish(s, &err), CAIRN_OK);
		s->ops->close(s);
		size_t n;
		unsigned char *bytes = get_file(path, &n);
		/* numpy.save(float32 (2, 3, 7)): 128 bytes of header, then the values. */
		assert_int_equal(n, 128 + sizeof data);
		assert_memory_equal(bytes,
			"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': "
			"(2, 3, 7), }",
			10 + 60);
		assert_int_equal(bytes[127], '\n');
		assert_memory_equal(bytes + 128, data, sizeof data);
		free(bytes);
	}
	remove_temp(dir);
}

static void resume_and_check(void **state)
{
	(void)state;
	char *dir = make_temp();
	const char *path = join(dir, "out.npy");
	uint8_t data[4 * 6] = {0};
	crn_type t = crn_type_make(CRN_U8, 2, (int64_t[]){4, 6});
	int64_t chunks[] = {2, 3}, idx[2][2] = {{0, 0}, {1, 1}};
	crn_create_request req = {
		.url = path, .registry = &crn_builtin_registry, .type = t, .chunks = chunks};
	crn_unit_record record[2];
	cairn_error err = {0};
	_Alignas(64) static char scratch[1 << 18];
	for (int run = 0; run < 2; run++) { /* the first run is "killed" before finish */
		crn_sink *s = NULL;
		req.resume = run == 1;
		assert_int_equal(format_named("npy")->create(&req, &s, &err), CAIRN_OK);
		uint8_t unit[6] = {1, 2, 3, 4, 5, (uint8_t)(6 + run)};
		crn_view v = crn_view_dense(unit, CRN_U8, 2, chunks);
		assert_int_equal(
			s->ops->write_unit(s, idx[run], &v, scratch, &record[run], &err), CAIRN_OK);
		if (run == 1) {
			bool same = false;
			assert_int_equal(s->ops->check_unit(s, idx[0], &record[0], false, scratch,
						 &same, &err),
				CAIRN_OK);
			assert_true(same);
			assert_int_equal(s->ops->finish(s, &err), CAIRN_OK);
		}
		s->ops->close(s);
	}
	crn_type got;
	uint8_t *all = load_npy(path, &got);
	data[0] = 1, data[1] = 2, data[2] = 3, data[6] = 4, data[7] = 5, data[8] = 6;
	data[15] = 1, data[16] = 2, data[17] = 3, data[21] = 4, data[22] = 5, data[23] = 7;
	assert_memory_equal(all, data, sizeof data);
	free(all);

	/* A flipped bit is found by the full check, in the finished file, and only in its unit. */
	size_t n;
	unsigned char *bytes = get_file(path, &n);
	bytes[n - 1] ^= 1;
	put_file(path, bytes, n);
	free(bytes);
	crn_sink *s = NULL;
	assert_int_equal(format_named("npy")->create(&req, &s, &err), CAIRN_OK);
	for (int i = 0; i < 2; i++) {
		bool same = i == 1;
		assert_int_equal(
			s->ops->check_unit(s, idx[i], &record[i], false, scratch, &same, &err),
			CAIRN_OK);
		assert_int_equal(same, i == 0);
	}
	s->ops->close(s);
	assert_int_equal(access(path, F_OK), 0);
	remove_temp(dir);
}

static void failures_name_the_file(void **state)
{
	(void)state;
	crn_type t = crn_type_make(CRN_U8, 1, (int64_t[]){4});
	crn_sink *s = NULL;
	cairn_error err = {0};
	assert_int_equal(create_as("npy", "/dev/null/x.npy", &t, NULL, &s, &err), CAIRN_FAILED);
	assert_non_null(strstr(err.message, "/dev/null"));
	assert_null(s);
	t.shape[0] = INT64_MAX / 2;
	char *dir = make_temp();
	assert_int_equal(create_as("npy", join(dir, "x.npy"), &t, NULL, &s, &err), CAIRN_FAILED);
	assert_non_null(strstr(err.message, "x.npy"));
	remove_temp(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_of_every_layout),
		cmocka_unit_test(headers_in_every_dress),
		cmocka_unit_test(short_files_are_named),
		cmocka_unit_test(written_as_numpy_does),
		cmocka_unit_test(resume_and_check),
		cmocka_unit_test(failures_name_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * image_sinks_test.c -- TIFF and PNG outputs: what is written reads back equal, the bytes do not
 * depend on the order of the units, resume and check see what is there, wrong arrays and full
 * disks are named. (That other programs read them: tests/golden/formats/check_written.py.)
 */
#include "formats/format_test_util.h"

static void fill(void *data, crn_dtype dtype, int64_t n)
{
	size_t item = crn_dtype_size(dtype);
	for (int64_t i = 0; i < n; i++) {
		crn_elem e =
			dtype == CRN_BOOL ? crn_elem_from_int(dtype, i * 7 % 5 < 2)
			: crn_dtype_is_float(dtype)
				? crn_elem_from_double(dtype, (double)i * 0.37)
				: crn_elem_from_uint(dtype, (uint64_t)i * 0x9e3779b97f4a7c15u >> 3);
		memcpy((char *)data + (size_t)i * item, e.bytes, item);
	}
}

static crn_type typed(crn_dtype dtype, const char *axes, const int64_t *shape)
{
	crn_type t = crn_type_make(dtype, (int)strlen(axes), shape);
	for (int d = 0; d < t.ndim; d++)
		t.axes[d].name[0] = axes[d] == '-' ? 0 : axes[d];
	return t;
}

static option_set compression(const char *name)
{
	option_set o = {0};
	if (name)
		option_set_put(&o, format_named("tiff")->write_params, "compression",
			(crn_value){.kind = CRN_V_STR, .s = (char *)name});
	return o;
}

static void must_write(const char *format, const char *url, const crn_type *t, const option_set *o,
	const void *data, int64_t first, int64_t stride)
{
	crn_sink *s = NULL;
	cairn_error err = {0};
	if (create_as(format, url, t, o, &s, &err) != CAIRN_OK ||
		write_units(s, data, first, stride, &err) != CAIRN_OK ||
		s->ops->finish(s, &err) != CAIRN_OK)
		fail_msg("%s: %s", url, err.message);
	s->ops->close(s);
}

/* Bool is stored as 0 and 255 in uint8. */
static void *as_stored(const void *data, const crn_type *t, crn_type *ret)
{
	size_t n = (size_t)crn_type_count(t) * crn_dtype_size(t->dtype);
	unsigned char *copy = malloc(n + 1);
	memcpy(copy, data, n);
	*ret = *t;
	for (size_t i = 0; t->dtype == CRN_BOOL && i < n; i++)
		copy[i] = copy[i] ? 255 : 0;
	if (t->dtype == CRN_BOOL)
		ret->dtype = CRN_U8;
	return copy;
}

static void assert_reads_back(
	const char *format, const char *url, const crn_type *t, const void *data)
{
	crn_type want;
	void *stored = as_stored(data, t, &want);
	crn_source *s = must_open(format, url, NULL);
	char a[256], b[256];
	assert_string_equal(crn_type_format(&s->type, a), crn_type_format(&want, b));
	assert_source_equals(s, stored);
	s->ops->close(s);
	free(stored);
}

static const struct {
	const char *axes;
	int64_t shape[5];
} shapes[] = {{"yx", {7, 5}}, {"zyx", {6, 9, 11}}, {"---", {2, 9, 11}}, {"zyx", {1, 4, 3}},
	{"tzcyx", {2, 3, 2, 4, 5}}, {"zyxc", {3, 4, 5, 3}}, {"yxc", {4, 5, 2}},
	{"----", {1, 2, 3, 4}}, {"zyx", {40, 300, 220}}};

static void tiff_round_trips(void **state)
{
	(void)state;
	static const char *const codecs[] = {NULL, "deflate", "lzw", "zstd", "packbits"};
	char *dir = make_temp();
	double *data = malloc(40 * 300 * 220 * sizeof *data);
	for (size_t i = 0; i < CRN_COUNT(shapes); i++) {
		for (int dtype = 0; dtype < CRN_N_DTYPES; dtype++) {
			if (i + 1 == CRN_COUNT(shapes) && dtype != CRN_U16)
				continue;
			crn_type t = typed((crn_dtype)dtype, shapes[i].axes, shapes[i].shape);
			fill(data, t.dtype, crn_type_count(&t));
			for (size_t c = 0; c < CRN_COUNT(codecs); c++) {
				if (c > 2 && dtype != CRN_U16 && dtype != CRN_F32)
					continue;
				option_set o = compression(codecs[c]);
				const char *a = join(dir, "a.tif"), *b = join(dir, "b.tiff");
				must_write("tiff", a, &t, &o, data, 0, 1);
				assert_reads_back("tiff", a, &t, data);
				if (dtype != CRN_U16)
					continue;
				/* last unit first: the same file */
				int64_t n_units = 1;
				crn_sink *s = NULL;
				cairn_error err;
				assert_int_equal(create_as("tiff", b, &t, &o, &s, &err), CAIRN_OK);
				for (int d = 0; d < t.ndim; d++)
					n_units *= crn_n_units(t.shape[d], s->unit[d]);
				s->ops->close(s);
				must_write("tiff", b, &t, &o, data, n_units - 1,
					n_units - 1 > 0 ? n_units - 1 : 1);
				size_t na, nb;
				unsigned char *x = get_file(a, &na), *y = get_file(b, &nb);
				assert_int_equal(na, nb);
				assert_memory_equal(x, y, na);
				free(x);
				free(y);
			}
		}
	}
	free(data);
	remove_temp(dir);
}

static void scales_survive(void **state)
{
	(void)state;
	char *dir = make_temp();
	float data[2 * 3 * 4] = {0};
	crn_type t = typed(CRN_F32, "zyx", (int64_t[]){2, 3, 4});
	static const double scales[] = {2.5, 0.4, 0.125};
	for (int d = 0; d < 3; d++) {
		t.axes[d].scale = scales[d];
		snprintf(t.axes[d].unit, sizeof t.axes[d].unit, "micrometer");
	}
	must_write("tiff", join(dir, "a.tif"), &t, NULL, data, 0, 1);
	crn_source *s = must_open("tiff", join(dir, "a.tif"), NULL);
	for (int d = 0; d < 3; d++) {
		assert_true(s->type.axes[d].scale == scales[d]);
		assert_string_equal(s->type.axes[d].unit, "micrometer");
		assert_int_equal(s->type.axes[d].name[0], "zyx"[d]);
	}
	s->ops->close(s);
	remove_temp(dir);
}

static void stacks_round_trip(void **state)
{
	(void)state;
	static const struct {
		const char *format, *url, *read, *codec, *axes;
		crn_dtype dtype;
		int64_t shape[4];
	} cases[] = {
		{"png", "p/img.%04d.png", "p/img.%04d.png", NULL, "zyx", CRN_U8, {12, 5, 7}},
		{"png", "q", "q", NULL, "zyx", CRN_U16, {3, 6, 5}},
		{"png", "r/%d.png", "r/*.png", NULL, "zyxc", CRN_U8, {11, 6, 5, 3}},
		{"png", "s/%d.png", "s", NULL, "zyx", CRN_BOOL, {2, 6, 5}},
		{"tiff", "t/a%%b.%03d.tif", "t/a%%b.%03d.tif", NULL, "zyx", CRN_F32, {4, 6, 5}},
		{"tiff", "u/%03d.tif", "u/", "deflate", "zyx", CRN_I16, {4, 600, 500}},
		{"tiff", "v", "v/*.tif", "lzw", "zyxc", CRN_U16, {4, 6, 5, 4}},
	};
	char *dir = make_temp();
	char *data = malloc(4 * 600 * 500 * 4);
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		crn_type t = typed(cases[i].dtype, cases[i].axes, cases[i].shape);
		option_set o = compression(cases[i].codec);
		fill(data, t.dtype, crn_type_count(&t));
		must_write(
			cases[i].format, join(dir, cases[i].url), &t, &o, data, 1, t.shape[0] - 1);
		assert_reads_back("stack", join(dir, cases[i].read), &t, data);
	}
	assert_int_equal(access(join(dir, "p/img.0011.png"), F_OK), 0);
	assert_int_equal(access(join(dir, "q/00002.png"), F_OK), 0);
	assert_int_equal(access(join(dir, "t/a%b.000.tif"), F_OK), 0);

	/* Fewer slices over the old ones would leave a mixture. */
	crn_type t = typed(CRN_U8, "zyx", (int64_t[]){9, 5, 7});
	crn_sink *s = NULL;
	cairn_error err = {0};
	assert_int_equal(
		create_as("png", join(dir, "p/img.%04d.png"), &t, NULL, &s, &err), CAIRN_EXISTS);
	assert_non_null(strstr(err.message, "img.0009.png"));
	free(data);
	remove_temp(dir);
}

static void single_images(void **state)
{
	(void)state;
	char *dir = make_temp();
	uint16_t data[6 * 5 * 4];
	static const struct {
		crn_dtype dtype;
		const char *axes;
		int64_t shape[3];
	} cases[] = {{CRN_U8, "yx", {6, 5}}, {CRN_U16, "yx", {6, 5}}, {CRN_BOOL, "--", {6, 5}},
		{CRN_U8, "yxc", {6, 5, 3}}, {CRN_U16, "---", {6, 5, 4}},
		{CRN_U8, "yxc", {6, 5, 2}}};
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		crn_type t = typed(cases[i].dtype, cases[i].axes, cases[i].shape);
		fill(data, t.dtype, crn_type_count(&t));
		must_write("png", join(dir, "a.png"), &t, NULL, data, 0, 1);
		assert_reads_back("png", join(dir, "a.png"), &t, data);
	}
	remove_temp(dir);
}

static void refusals(void **state)
{
	(void)state;
	char *dir = make_temp();
	static const struct {
		const char *format, *url;
		crn_dtype dtype;
		const char *axes;
		int64_t shape[4];
		const char *says;
	} cases[] = {
		{"png", "a.png", CRN_F32, "yx", {3, 3}, "float32"},
		{"png", "a.png", CRN_U32, "yx", {3, 3}, "uint32"},
		{"png", "a.png", CRN_U8, "zyx", {3, 3, 9}, "not one image"},
		{"png", "a.%d.png", CRN_U8, "yx", {3, 3}, "one axis of images"},
		{"png", "a.%d.png", CRN_U8, "tzyx", {3, 3, 3, 5}, "one axis of images"},
		{"png", "a.%d%d.png", CRN_U8, "zyx", {3, 3, 3}, "pattern"},
		{"png", "a*.png", CRN_U8, "zyx", {3, 3, 3}, "glob"},
		{"png", "a.png", CRN_U8, "yxc", {3, 3, 5}, "channels"},
		{"tiff", "a.tif", CRN_U8, "x", {3}, "y and x"},
		{"tiff", "a.tif", CRN_U8, "yx", {3, 0}, "non-empty"},
	};
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		crn_type t = typed(cases[i].dtype, cases[i].axes, cases[i].shape);
		crn_sink *s = NULL;
		cairn_error err = {0};
		assert_int_equal(
			create_as(cases[i].format, join(dir, cases[i].url), &t, NULL, &s, &err),
			CAIRN_USAGE);
		if (!strstr(err.message, cases[i].says))
			fail_msg("%s", err.message);
		assert_null(s);
	}
	/* A folder that cannot be made. */
	crn_type t = typed(CRN_U8, "zyx", (int64_t[]){3, 3, 3});
	crn_sink *s = NULL;
	cairn_error err = {0};
	assert_int_equal(create_as("png", "/dev/null/a/%d.png", &t, NULL, &s, &err), CAIRN_FAILED);
	assert_non_null(strstr(err.message, "/dev/null"));
	assert_int_equal(create_as("tiff", "/dev/null/a.tif", &t, NULL, &s, &err), CAIRN_FAILED);
	remove_temp(dir);
}

/* Every sink: written in two runs, checked after a resume, a flipped byte is found after finish. */
static void resume_and_check(void **state)
{
	(void)state;
	static const struct {
		const char *format, *url, *file, *codec;
	} cases[] = {{"tiff", "a.tif", "a.tif", NULL}, {"tiff", "b.tif", "b.tif", "deflate"},
		{"tiff", "c/%02d.tif", "c/03.tif", "lzw"}, {"png", "d/%d.png", "d/3.png", NULL}};
	char *dir = make_temp();
	enum { N = 4, PLANE = 64 * 64 };
	uint8_t *data = malloc(N * PLANE);
	void *scratch = aligned_alloc(64, 4 << 20);
	fill(data, CRN_U8, N * PLANE);
	for (size_t c = 0; c < CRN_COUNT(cases); c++) {
		crn_type t = typed(CRN_U8, "zyx", (int64_t[]){N, 64, 64});
		option_set o = compression(cases[c].codec);
		int64_t chunks[] = {1, 64, 64};
		const char *file = join(dir, cases[c].file);
		crn_create_request req = {.url = join(dir, cases[c].url),
			.registry = &crn_builtin_registry,
			.type = t,
			.options = o.values,
			.chunks = chunks};
		crn_unit_record record[N] = {0};
		cairn_error err = {0};
		crn_sink *s = NULL;
		for (int run = 0; run < 2; run++) {
			req.resume = run > 0;
			assert_int_equal(
				format_named(cases[c].format)->create(&req, &s, &err), CAIRN_OK);
			assert_true(s->unit_scratch <= 4 << 20);
			for (int64_t z = 0; z < N; z++) {
				int64_t idx[3] = {z, 0, 0};
				crn_view v = crn_view_dense(data + z * PLANE, CRN_U8, 3, chunks);
				bool same = false;
				if (run == 0 && z % 2 == 0)
					assert_int_equal(s->ops->write_unit(s, idx, &v, scratch,
								 &record[z], &err),
						CAIRN_OK);
				if (run == 1 && z % 2 == 1)
					assert_int_equal(s->ops->write_unit(s, idx, &v, scratch,
								 &record[z], &err),
						CAIRN_OK);
				if (run == 1)
					assert_int_equal(s->ops->check_unit(s, idx, &record[z],
								 z == 2, scratch, &same, &err),
						CAIRN_OK);
				assert_int_equal(same, run == 1);
			}
			assert_int_not_equal(access(file, F_OK), 0); /* not there before finish */
			if (run == 1)
				assert_int_equal(s->ops->finish(s, &err), CAIRN_OK);
			s->ops->close(s);
		}
		assert_reads_back(strchr(cases[c].url, '%') ? "stack" : "tiff", req.url, &t, data);
		size_t n;
		unsigned char *bytes = get_file(file, &n);
		bytes[n - 100] ^= 1;
		put_file(file, bytes, n);
		free(bytes);
		assert_int_equal(format_named(cases[c].format)->create(&req, &s, &err), CAIRN_OK);
		for (int64_t z = 0; z < N; z++) {
			int64_t idx[3] = {z, 0, 0};
			bool same = z == 3;
			assert_int_equal(
				s->ops->check_unit(s, idx, &record[z], false, scratch, &same, &err),
				CAIRN_OK);
			assert_int_equal(same, z != 3);
		}
		s->ops->close(s);
	}
	free(scratch);
	free(data);
	remove_temp(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiff_round_trips),
		cmocka_unit_test(scales_survive),
		cmocka_unit_test(stacks_round_trip),
		cmocka_unit_test(single_images),
		cmocka_unit_test(refusals),
		cmocka_unit_test(resume_and_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

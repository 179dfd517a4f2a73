/* SPDX-License-Identifier: Apache-2.0
 *
 * formats_golden_test.c -- files written by tifffile, PIL, OpenCV, libvips and NumPy read back to
 * the exact bit, by units and by boxes; and the same files cut short or with bytes flipped give an
 * error that names the file, or data, never a crash. cases.txt lists them (make_formats.py).
 */
#include "formats/format_test_util.h"

#include "support/arrays.h"

typedef struct golden {
	char file[64], format[16], expected[64], axes[16];
} golden;

static int load_cases(golden *cases, int max)
{
	FILE *f = fopen(crn_test_path("golden/formats/cases.txt"), "r");
	assert_non_null(f);
	char line[256];
	int n = 0;
	while (n < max && fgets(line, sizeof line, f)) {
		golden *g = &cases[n++];
		g->axes[0] = 0;
		assert_true(sscanf(line, "%63s %15s %63s %15s", g->file, g->format, g->expected,
				    g->axes) >= 3);
	}
	fclose(f);
	assert_true(n > 50 && n < max);
	return n;
}

static void path_in(const char *name, char *ret, size_t size)
{
	if (snprintf(ret, size, "%s/%s", crn_test_path("golden/formats"), name) >= (int)size)
		fail_msg("a path is too long");
}

static void reads_what_others_wrote(void **state)
{
	(void)state;
	static golden cases[200];
	int n = load_cases(cases, 200);
	for (int i = 0; i < n; i++) {
		const golden *g = &cases[i];
		char file[4096], expected[4096];
		path_in(g->file, file, sizeof file);
		path_in(g->expected, expected, sizeof expected);
		crn_type want;
		void *values = load_npy(expected, &want);
		crn_source *s = must_open(g->format, file, NULL);
		const crn_type *t = &s->type;
		char a[256], b[256];
		bool same = t->dtype == want.dtype && t->ndim == want.ndim;
		for (int d = 0; same && d < t->ndim; d++)
			same = t->shape[d] == want.shape[d];
		if (!same)
			fail_msg("%s is %s, not %s", g->file, crn_type_format(t, a),
				crn_type_format(&want, b));
		for (int d = 0; d < t->ndim; d++)
			if (t->axes[d].name[0] != (g->axes[d] == '-' ? 0 : g->axes[d]))
				fail_msg("%s: axis %d is '%s', not '%c'", g->file, d,
					t->axes[d].name, g->axes[d]);
		assert_source_equals(s, values);
		if (s->ops->describe) {
			crn_str facts = {0};
			s->ops->describe(s, &facts);
			assert_true(facts.len > 0 && !facts.oom);
			crn_str_done(&facts);
		}
		s->ops->close(s);
		free(values);
	}
}

/* ImageJ and OME say the same: 0.25 x 0.5 x 1.5 micrometer. */
static void scales_of_imagej_and_ome(void **state)
{
	(void)state;
	static const char *const files[] = {"t_imagej.tif", "t_ome.tif"};
	for (size_t i = 0; i < CRN_COUNT(files); i++) {
		char file[4096];
		path_in(files[i], file, sizeof file);
		crn_source *s = must_open("tiff", file, NULL);
		const crn_axis *a = s->type.axes;
		assert_true(a[4].scale == 0.25 && a[3].scale == 0.5 && a[1].scale == 1.5);
		for (int d = 1; d < 5; d += d == 1 ? 2 : 1)
			assert_string_equal(a[d].unit, "micrometer");
		s->ops->close(s);
	}
}

/* Opens and reads everything; arrays above 16 MiB (a lying header) are only opened. */
static void survive(const char *format, const char *path, const char *name)
{
	crn_source *s = NULL;
	cairn_error err = {0};
	if (open_as(format, path, NULL, &s, &err) != CAIRN_OK) {
		assert_int_equal(err.status, CAIRN_INPUT);
		if (!strstr(err.message, name) && !strstr(err.where, name))
			fail_msg("%s: the message does not name it: %s", name, err.message);
		return;
	}
	const crn_type *t = &s->type;
	double bytes = (double)crn_dtype_size(t->dtype);
	for (int d = 0; d < t->ndim; d++)
		bytes *= (double)t->shape[d];
	if (bytes < 16 << 20 && s->unit_scratch < 64 << 20) {
		void *out = malloc((size_t)bytes + 1);
		if (read_by_units(s, out, &err) != CAIRN_OK && !strstr(err.message, name) &&
			!strstr(err.where, name))
			fail_msg("%s: the message does not name it: %s", name, err.message);
		crn_region whole = crn_region_whole(t->ndim, t->shape);
		crn_view v = crn_view_dense(out, t->dtype, t->ndim, t->shape);
		if (s->ops->read_box && read_region(s, &whole, &v, &err) != CAIRN_OK)
			assert_int_equal(err.status, CAIRN_INPUT);
		free(out);
	}
	s->ops->close(s);
}

static void damaged_files(void **state)
{
	(void)state;
	static golden cases[200];
	int n = load_cases(cases, 200);
	char *dir = make_temp();
	unsigned seed = 11;
	for (int i = 0; i < n; i++) {
		char file[4096];
		size_t size;
		path_in(cases[i].file, file, sizeof file);
		unsigned char *bytes = get_file(file, &size), *copy = malloc(size);
		const char *damaged = join(dir, cases[i].file);
		for (size_t k = 0; k < 16; k++) {
			put_file(damaged, bytes, size * k / 16);
			survive(cases[i].format, damaged, cases[i].file);
		}
		for (int k = 0; k < 48; k++) {
			memcpy(copy, bytes, size);
			int flips = 1 + k % 4;
			/* Headers are near the ends of a file; half of the flips go there. */
			for (int j = 0; j < flips; j++) {
				size_t at = (size_t)rand_r(&seed) % size;
				if (k % 2)
					at = at % 512 < size ? at % 512 : at;
				copy[at] ^= (unsigned char)(1u << rand_r(&seed) % 8);
				if (k % 3 == 0)
					copy[at] = (unsigned char)(k % 2 ? 0xff : 0);
			}
			put_file(damaged, copy, size);
			survive(cases[i].format, damaged, cases[i].file);
		}
		unlink(damaged);
		free(bytes);
		free(copy);
	}
	remove_temp(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_others_wrote),
		cmocka_unit_test(scales_of_imagej_and_ome),
		cmocka_unit_test(damaged_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

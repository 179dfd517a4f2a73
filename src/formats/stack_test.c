/* SPDX-License-Identifier: Apache-2.0
 *
 * stack_test.c -- patterns, natural order, gaps, duplicates, slices that differ, and that opening
 * reads one file however many there are.
 */
#include "formats/format_test_util.h"

#include "base/thread.h"
#include "formats/stack_names.h"

/* An uint8 NPY slice of rows x 4 with every value v. */
static void put_slice(const char *path, int rows, int v)
{
	crn_type t = crn_type_make(CRN_U8, 2, (int64_t[]){rows, 4});
	crn_sink *s = NULL;
	cairn_error err = {0};
	unsigned char data[64];
	memset(data, v, sizeof data);
	assert_int_equal(create_as("npy", path, &t, NULL, &s, &err), CAIRN_OK);
	assert_int_equal(write_units(s, data, 0, 1, &err), CAIRN_OK);
	s->ops->close(s);
}

static option_set with(const char *name, crn_value v)
{
	option_set o = {0};
	option_set_put(&o, format_named("stack")->read_params, name, v);
	return o;
}

/* First value of every slice as text: "1 2 10 ". */
static void values_of(crn_source *s, char *text)
{
	unsigned char data[4096];
	cairn_error err = {0};
	int64_t plane = s->type.shape[1] * s->type.shape[2];
	assert_int_equal(read_by_units(s, data, &err), CAIRN_OK);
	*text = 0;
	for (int64_t z = 0; z < s->type.shape[0]; z++)
		text += snprintf(text, 8, "%d ", data[z * plane]);
}

static void names_parse(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		int width;
		const char *prefix, *suffix;
	} good[] = {{"d/img.%05d.png", 5, "img.", ".png"}, {"%d", 0, "", ""},
		{"d/a%%b%03d%%.tif", 3, "a%b", "%.tif"}};
	static const char *const bad[] = {"d/%d.%d.png", "d/%5d.png", "d/%s%d", "d/%x.%d",
		"d/%0d.png", "d/%ld.png", "d/%n%d", "d/%099d.png", "d/%d%"};
	for (size_t i = 0; i < CRN_COUNT(good); i++) {
		crn_stack_pattern p;
		assert_int_equal(crn_stack_parse(good[i].url, false, &p, NULL), CAIRN_OK);
		assert_int_equal(p.width, good[i].width);
		assert_string_equal(p.prefix, good[i].prefix);
		assert_string_equal(p.suffix, good[i].suffix);
		crn_stack_pattern_done(&p);
	}
	for (size_t i = 0; i < CRN_COUNT(bad); i++) {
		crn_stack_pattern p;
		assert_int_equal(crn_stack_parse(bad[i], false, &p, NULL), CAIRN_USAGE);
	}
	static const char *const order[] = {
		"a", "a0", "a1b", "a2", "a02", "a10", "a99999999999999999999", "b"};
	for (size_t i = 0; i + 1 < CRN_COUNT(order); i++)
		if (strcmp(order[i], "a2") != 0) {
			assert_true(crn_stack_compare(order[i], order[i + 1]) < 0);
			assert_true(crn_stack_compare(order[i + 1], order[i]) > 0);
		}
	assert_int_equal(crn_stack_compare("x7", "x7"), 0);
	assert_int_not_equal(crn_stack_compare("a2", "a02"), 0);
}

static void order_and_choice(void **state)
{
	(void)state;
	char *dir = make_temp(), text[200];
	static const int numbers[] = {10, 2, 1, 9, 11};
	for (size_t i = 0; i < CRN_COUNT(numbers); i++) {
		char name[32];
		snprintf(name, sizeof name, "s%d.npy", numbers[i]);
		put_slice(join(dir, name), 3, numbers[i]);
	}
	put_file(join(dir, "notes.txt"), "x", 1);
	const char *globs[] = {"s*.npy", ""};
	for (int i = 0; i < 2; i++) { /* a glob and a folder: gaps are refused, or a note */
		cairn_error err = {0};
		crn_source *s = NULL;
		assert_int_equal(
			open_as("stack", join(dir, globs[i]), NULL, &s, &err), CAIRN_INPUT);
		assert_non_null(strstr(err.message, "6 numbers are missing, the first is 3"));
		option_set skip = with("missing", (crn_value){.kind = CRN_V_STR, .s = "skip"});
		s = must_open("stack", join(dir, globs[i]), &skip);
		values_of(s, text);
		assert_string_equal(text, "1 2 9 10 11 ");
		assert_string_equal(s->type.axes[0].name, "z");
		crn_str facts = {0};
		s->ops->describe(s, &facts);
		assert_non_null(strstr(facts.data, "6 numbers are missing, the first is 3"));
		crn_str_done(&facts);
		s->ops->close(s);
	}
	option_set o = with("start", crn_value_int(9));
	crn_source *s = must_open("stack", join(dir, "s%d.npy"), &o);
	values_of(s, text);
	assert_string_equal(text, "9 10 11 ");
	s->ops->close(s);
	o = with("missing", (crn_value){.kind = CRN_V_STR, .s = "fill"});
	option_set_put(&o, format_named("stack")->read_params, "step", crn_value_int(2));
	s = must_open("stack", join(dir, "s%d.npy"), &o);
	values_of(s, text);
	assert_string_equal(text, "1 0 0 0 9 11 ");
	s->ops->close(s);
	remove_temp(dir);
}

static void problems_are_named(void **state)
{
	(void)state;
	char *dir = make_temp(), text[200];
	crn_source *s = NULL;
	cairn_error err = {0};
	assert_int_equal(open_as("stack", join(dir, "s%d.npy"), NULL, &s, &err), CAIRN_INPUT);
	assert_int_equal(open_as("stack", join(dir, "none/s%d.npy"), NULL, &s, &err), CAIRN_INPUT);
	put_slice(join(dir, "s1.npy"), 3, 1);
	put_slice(join(dir, "s3.npy"), 3, 3);
	assert_int_equal(open_as("stack", join(dir, "s%d.npy"), NULL, &s, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.message, "s2.npy is missing"));
	/* Slice 2 is of another size: opening is fine, reaching it is not. */
	put_slice(join(dir, "s2.npy"), 5, 2);
	s = must_open("stack", join(dir, "s%d.npy"), NULL);
	unsigned char data[3 * 3 * 4];
	assert_int_equal(read_by_units(s, data, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.message, "s2.npy"));
	s->ops->close(s);
	/* A slice that is no image, and one that vanished after opening. */
	put_slice(join(dir, "s2.npy"), 3, 2);
	s = must_open("stack", join(dir, "s%d.npy"), NULL);
	values_of(s, text);
	assert_string_equal(text, "1 2 3 ");
	s->ops->close(s);
	s = must_open("stack", join(dir, "s%d.npy"), NULL);
	unlink(join(dir, "s3.npy"));
	assert_int_equal(read_by_units(s, data, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.message, "s3.npy"));
	s->ops->close(s);
	put_slice(join(dir, "s02.npy"), 3, 2);
	s = NULL;
	assert_int_equal(open_as("stack", join(dir, "s%d.npy"), NULL, &s, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.message, "same number"));
	assert_int_equal(open_as("stack", dir, NULL, &s, &err), CAIRN_INPUT);
	put_file(join(dir, "x.png"), "x", 1);
	assert_int_equal(open_as("stack", dir, NULL, &s, &err), CAIRN_INPUT);
	assert_non_null(strstr(err.message, "different kinds"));
	assert_null(s);
	remove_temp(dir);
}

static void ten_thousand_files(void **state)
{
	(void)state;
	char *dir = make_temp(), name[64];
	put_slice(join(dir, "i.00000.npy"), 3, 1);
	for (int i = 1; i < 10000; i++) { /* never opened: need not be readable */
		snprintf(name, sizeof name, "i.%05d.npy", i);
		assert_int_equal(symlink("nowhere", join(dir, name)), 0);
	}
	int64_t t0 = crn_cpu_ns();
	crn_source *s = must_open("stack", join(dir, "i.%05d.npy"), NULL);
	int64_t ms = (crn_cpu_ns() - t0) / 1000000;
	print_message("opened 10,000 files in %lld ms of processor time\n", (long long)ms);
	assert_int_equal(s->type.shape[0], 10000);
	assert_true(ms < 500); /* processor time: about 20, a sanitizer several times that */
	s->ops->close(s);
	remove_temp(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_parse),
		cmocka_unit_test(order_and_choice),
		cmocka_unit_test(problems_are_named),
		cmocka_unit_test(ten_thousand_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

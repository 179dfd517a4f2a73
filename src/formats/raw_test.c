/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_test.c -- plain numbers behind an offset in both byte orders; boxes of every cut, from rows
 * longer than the scratch buffer to thin columns; wrong options and short files.
 */
#include "formats/format_test_util.h"

#include "formats/raw_io.h"

static option_set options(crn_value *shape, const char *dtype, int64_t offset, const char *endian)
{
	const crn_param *p = format_named("raw")->read_params;
	option_set o = {0};
	option_set_put(&o, p, "shape", *shape);
	option_set_put(&o, p, "dtype", (crn_value){.kind = CRN_V_STR, .s = (char *)dtype});
	option_set_put(&o, p, "offset", crn_value_int(offset));
	option_set_put(&o, p, "endian", (crn_value){.kind = CRN_V_STR, .s = (char *)endian});
	return o;
}

static void boxes_behind_an_offset(void **state)
{
	(void)state;
	char *dir = make_temp();
	static const int64_t shapes[][3] = {{3, 5, 7}, {1, 2, 50000}, {40, 300, 11}, {2, 1, 1}};
	for (size_t k = 0; k < CRN_COUNT(shapes); k++) {
		int64_t n = shapes[k][0] * shapes[k][1] * shapes[k][2];
		uint64_t *want = malloc((size_t)n * 8), *stored = malloc((size_t)n * 8 + 13);
		for (int big = 0; big < 2; big++) {
			for (int64_t i = 0; i < n; i++) {
				want[i] = (uint64_t)i * 0x0123456789abcdefu;
				uint64_t v = big ? __builtin_bswap64(want[i]) : want[i];
				memcpy((char *)stored + 13 + 8 * i, &v, 8);
			}
			put_file(join(dir, "a.raw"), stored, (size_t)n * 8 + 13);
			CRN_VALUE shape = {0};
			cairn_error err;
			assert_int_equal(crn_value_ints(shapes[k], 3, &shape, &err), CAIRN_OK);
			option_set o = options(&shape, "uint64", 13, big ? "big" : "little");
			crn_source *s = must_open("raw", join(dir, "a.raw"), &o);
			assert_source_equals(s, want);
			s->ops->close(s);
		}
		free(want);
		free(stored);
	}
	remove_temp(dir);
}

static void wrong_sizes_are_refused(void **state)
{
	(void)state;
	char *dir = make_temp();
	put_file(join(dir, "a.raw"), "0123456789", 10);
	static const struct {
		int64_t n, offset;
		cairn_status status;
	} cases[] = {{10, 0, CAIRN_OK}, {11, 0, CAIRN_INPUT}, {5, 5, CAIRN_OK}, {5, 6, CAIRN_INPUT},
		{-1, 0, CAIRN_USAGE}, {1, -1, CAIRN_USAGE}, {INT64_MAX, 1, CAIRN_INPUT},
		{1, INT64_MAX, CAIRN_INPUT}, {0, 10, CAIRN_OK}};
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		crn_value shape = crn_value_int(cases[i].n);
		option_set o = options(&shape, "uint8", cases[i].offset, "little");
		crn_source *s = NULL;
		cairn_error err = {0};
		assert_int_equal(open_as("raw", join(dir, "a.raw"), &o, &s, &err), cases[i].status);
		if (s)
			s->ops->close(s);
	}
	remove_temp(dir);
}

static void bytes_are_swapped(void **state)
{
	(void)state;
	unsigned char a[] = {1, 2, 3, 4, 5, 6, 7, 8}, b[8];
	static const unsigned char want[3][8] = {
		{2, 1, 4, 3, 6, 5, 8, 7}, {4, 3, 2, 1, 8, 7, 6, 5}, {8, 7, 6, 5, 4, 3, 2, 1}};
	for (int k = 0; k < 3; k++) {
		memcpy(b, a, 8);
		crn_swap_bytes(b, (size_t)2 << k, 4u >> k);
		assert_memory_equal(b, want[k], 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_behind_an_offset),
		cmocka_unit_test(wrong_sizes_are_refused),
		cmocka_unit_test(bytes_are_swapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

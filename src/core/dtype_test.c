/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype_test.c -- names, NumPy's promotion table, and exact elements.
 */
#include "core/dtype.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_go_both_ways(void **state)
{
	crn_dtype t;
	for (int i = 0; i < CRN_N_DTYPES; i++) {
		assert_true(crn_dtype_from_name(crn_dtype_name((crn_dtype)i), &t));
		assert_int_equal(t, i);
	}
	assert_true(crn_dtype_from_name("float", &t) && t == CRN_F64);
	assert_true(crn_dtype_from_name("int", &t) && t == CRN_I64);
	t = CRN_I8;
	assert_false(crn_dtype_from_name("float128", &t));
	assert_false(crn_dtype_from_name("", &t));
	assert_int_equal(t, CRN_I8);
}

/* [numpy.promote_types(a, b) for a for b], numpy 1.24 */
static void promotion_is_numpys(void **state)
{
#define R(...) \
	{ \
		__VA_ARGS__ \
	}
	enum { BOOL, U8, U16, U32, U64, I8, I16, I32, I64, F32, F64 };
	static const int table[11][11] = {
		R(BOOL, U8, U16, U32, U64, I8, I16, I32, I64, F32, F64),
		R(U8, U8, U16, U32, U64, I16, I16, I32, I64, F32, F64),
		R(U16, U16, U16, U32, U64, I32, I32, I32, I64, F32, F64),
		R(U32, U32, U32, U32, U64, I64, I64, I64, I64, F64, F64),
		R(U64, U64, U64, U64, U64, F64, F64, F64, F64, F64, F64),
		R(I8, I16, I32, I64, F64, I8, I16, I32, I64, F32, F64),
		R(I16, I16, I32, I64, F64, I16, I16, I32, I64, F32, F64),
		R(I32, I32, I32, I64, F64, I32, I32, I32, I64, F64, F64),
		R(I64, I64, I64, I64, F64, I64, I64, I64, I64, F64, F64),
		R(F32, F32, F32, F64, F64, F32, F32, F64, F64, F32, F64),
		R(F64, F64, F64, F64, F64, F64, F64, F64, F64, F64, F64),
	};
	assert_int_equal(CRN_N_DTYPES, 11);
	for (int a = 0; a < 11; a++)
		for (int b = 0; b < 11; b++)
			assert_int_equal(
				crn_dtype_promote((crn_dtype)a, (crn_dtype)b), table[a][b]);
}

static void limits_are_the_types(void **state)
{
	assert_true(crn_dtype_min_int(CRN_I8) == INT8_MIN && crn_dtype_max_int(CRN_I8) == INT8_MAX);
	assert_true(
		crn_dtype_min_int(CRN_I64) == INT64_MIN && crn_dtype_max_int(CRN_I64) == INT64_MAX);
	assert_true(crn_dtype_min_int(CRN_U32) == 0 && crn_dtype_max_int(CRN_U32) == UINT32_MAX);
	assert_true(crn_dtype_max_int(CRN_U64) == UINT64_MAX);
	assert_true(crn_dtype_min_int(CRN_BOOL) == 0 && crn_dtype_max_int(CRN_BOOL) == 1);
}

static void integers_wrap_and_come_back(void **state)
{
	for (int t = CRN_U8; t <= CRN_I64; t++) {
		unsigned bits = 8 * (unsigned)crn_dtype_size((crn_dtype)t);
		bool is_signed = crn_dtype_kind((crn_dtype)t) == 'i';
		static const int64_t values[] = {0, 1, -1, 127, 128, 255, 256, -129, 65535, 65536,
			INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 0x123456789abcdef};
		for (size_t i = 0; i < CRN_COUNT(values); i++) {
			__int128 want = values[i], span = (__int128)1 << bits;
			want = ((want % span) + span) % span;
			if (is_signed && want >= span / 2)
				want -= span;
			crn_elem e = crn_elem_from_int((crn_dtype)t, values[i]);
			if (is_signed)
				assert_true(crn_elem_to_int((crn_dtype)t, e) == (int64_t)want);
			else
				assert_true(crn_elem_to_uint((crn_dtype)t, e) == (uint64_t)want);
			assert_true(crn_elem_to_double((crn_dtype)t, e) == (double)want);
		}
	}
}

static void doubles_truncate_and_wrap(void **state)
{
	assert_int_equal(crn_elem_to_int(CRN_I32, crn_elem_from_double(CRN_I32, -2.9)), -2);
	assert_int_equal(crn_elem_to_uint(CRN_U8, crn_elem_from_double(CRN_U8, 258.7)), 2);
	assert_int_equal(crn_elem_to_uint(CRN_U8, crn_elem_from_double(CRN_U8, -1.0)), 255);
	assert_true(crn_elem_to_uint(CRN_U64, crn_elem_from_double(CRN_U64, 0x1.8p63)) ==
		    UINT64_C(3) << 62);
	assert_int_equal(crn_elem_to_uint(CRN_U16, crn_elem_from_double(CRN_U16, NAN)), 0);
	assert_int_equal(crn_elem_from_double(CRN_BOOL, 0.25).bytes[0], 1);
	assert_int_equal(crn_elem_from_double(CRN_BOOL, -0.0).bytes[0], 0);
	assert_int_equal(crn_elem_from_int(CRN_BOOL, 256).bytes[0], 1);
}

static void elements_print_shortest(void **state)
{
	static const struct {
		double v;
		const char *f32, *f64; /* repr() of numpy.float32 and float */
	} rows[] = {
		{0.1, "0.1", "0.1"},
		{1.0 / 3, "0.33333334", "0.3333333333333333"},
		{3.4028235e38, "3.4028235e+38", "3.4028235e+38"},
		{INFINITY, "inf", "inf"},
		{-INFINITY, "-inf", "-inf"},
		{NAN, "nan", "nan"},
		{-0.0, "-0", "-0"},
	};
	char text[40];
	for (size_t i = 0; i < CRN_COUNT(rows); i++) {
		crn_elem a = crn_elem_from_double(CRN_F32, rows[i].v);
		crn_elem b = crn_elem_from_double(CRN_F64, rows[i].v);
		assert_string_equal(crn_elem_format(CRN_F32, a, text), rows[i].f32);
		assert_string_equal(crn_elem_format(CRN_F64, b, text), rows[i].f64);
	}
	assert_string_equal(crn_elem_format(CRN_U64, crn_elem_from_uint(CRN_U64, UINT64_MAX), text),
		"18446744073709551615");
	assert_string_equal(crn_elem_format(CRN_I64, crn_elem_from_int(CRN_I64, INT64_MIN), text),
		"-9223372036854775808");
	assert_string_equal(
		crn_elem_format(CRN_BOOL, crn_elem_from_uint(CRN_BOOL, 1), text), "True");
}

static void printed_doubles_read_back(void **state)
{
	uint64_t x = 42;
	for (int i = 0; i < 20000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		double v;
		char text[40];
		memcpy(&v, &x, sizeof(v));
		if (isnan(v))
			continue;
		crn_elem_format(CRN_F64, crn_elem_from_double(CRN_F64, v), text);
		double back = strtod(text, NULL);
		assert_memory_equal(&back, &v, sizeof(v));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(promotion_is_numpys),
		cmocka_unit_test(limits_are_the_types),
		cmocka_unit_test(integers_wrap_and_come_back),
		cmocka_unit_test(doubles_truncate_and_wrap),
		cmocka_unit_test(elements_print_shortest),
		cmocka_unit_test(printed_doubles_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * value_test.c -- values own what they hold, convert without loss, hash and print as they mean.
 */
#include "core/value.h"

#include "base/mem.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

static crn_hash hash_of(const crn_value *v)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_value_hash(v, &h);
	return crn_hasher_result(&h);
}

static void assert_prints(const crn_value *v, const char *text)
{
	CRN_STR s = {0};
	crn_value_print(v, &s);
	assert_string_equal(s.data, text);
}

static crn_value ones(int n)
{
	cairn_error err;
	crn_value v = {0};
	crn_assert_ok(crn_value_list(n, &v, &err));
	for (int i = 0; i < n; i++)
		v.list.items[i] = crn_value_int(1);
	return v;
}

/* (1.5, "text", (1, 1), <constant>) */
static cairn_status make_deep(crn_value *ret, cairn_error *err)
{
	const int64_t shape[] = {2, 3};
	CRN_VALUE v = {0};
	crn_const *c = NULL;
	CRN_TRY(crn_value_list(4, &v, err));
	v.list.items[0] = crn_value_float(1.5);
	CRN_TRY(crn_value_str("text", &v.list.items[1], err));
	CRN_TRY(crn_value_ints((const int64_t[]){1, 1}, 2, &v.list.items[2], err));
	CRN_TRY(crn_const_new(CRN_U8, 2, shape, &c, err));
	v.list.items[3] = crn_value_const(c);
	*ret = v;
	v = (crn_value){0};
	return CAIRN_OK;
}

static void copies_are_equal_and_independent(void **state)
{
	cairn_error err;
	CRN_VALUE a = {0}, b = {0};
	crn_assert_ok(make_deep(&a, &err));
	crn_assert_ok(crn_value_copy(&a, &b, &err));
	assert_true(crn_hash_equal(hash_of(&a), hash_of(&b)));
	assert_ptr_not_equal(a.list.items[1].s, b.list.items[1].s);
	assert_ptr_equal(a.list.items[3].c, b.list.items[3].c); /* constants are shared */
	assert_int_equal(a.list.items[3].c->refs, 2);
	b.list.items[1].s[0] = 'T';
	assert_string_equal(a.list.items[1].s, "text");
	assert_false(crn_hash_equal(hash_of(&a), hash_of(&b)));
	assert_prints(&a, "(1.5, \"text\", (1, 1), <constant uint8 (2, 3)>)");
	crn_value_clear(&b);
	assert_int_equal(b.kind, CRN_V_NONE);
	assert_int_equal(a.list.items[3].c->refs, 1);
}

static void copying_survives_every_failure(void **state)
{
	cairn_error err;
	CRN_VALUE a = {0};
	crn_assert_ok(make_deep(&a, &err));
	int fails = 0;
	for (bool failed = true; failed; fails += failed) {
		CRN_VALUE b = {0};
		crn_mem_fail_after(fails);
		cairn_status status = crn_value_copy(&a, &b, &err);
		failed = crn_mem_failed();
		assert_int_equal(status, failed ? CAIRN_FAILED : CAIRN_OK);
		assert_int_equal(b.kind, failed ? CRN_V_NONE : CRN_V_LIST);
	}
	assert_true(fails >= 3); /* the lists and the text */
	assert_int_equal(a.list.items[3].c->refs, 1);
}

static void kinds_hash_apart(void **state)
{
	cairn_error err;
	CRN_VALUE text = {0}, list = ones(1), nested = {0}, flat = ones(2);
	crn_assert_ok(crn_value_str("1", &text, &err));
	crn_assert_ok(crn_value_list(1, &nested, &err));
	nested.list.items[0] = ones(2);
	const crn_value values[] = {{0}, crn_value_bool(true), crn_value_int(1), crn_value_float(1),
		crn_value_uint(UINT64_MAX), crn_value_int(-1), crn_value_float(-0.0),
		crn_value_float(0.0), text, list, nested, flat};
	for (size_t i = 0; i < CRN_COUNT(values); i++)
		for (size_t k = 0; k < CRN_COUNT(values); k++)
			assert_int_equal(
				crn_hash_equal(hash_of(&values[i]), hash_of(&values[k])), i == k);
}

static void numbers_become_elements_only_when_they_fit(void **state)
{
	static const struct {
		crn_value v;
		crn_dtype t;
		bool fits;
		double as;
	} rows[] = {
		{{.kind = CRN_V_INT, .i = 255}, CRN_U8, true, 255},
		{{.kind = CRN_V_INT, .i = 256}, CRN_U8, false, 0},
		{{.kind = CRN_V_INT, .i = -1}, CRN_U64, false, 0},
		{{.kind = CRN_V_INT, .i = -128}, CRN_I8, true, -128},
		{{.kind = CRN_V_INT, .i = -129}, CRN_I8, false, 0},
		{{.kind = CRN_V_UINT, .u = UINT64_MAX}, CRN_U64, true, 0x1p64},
		{{.kind = CRN_V_UINT, .u = UINT64_MAX}, CRN_I64, false, 0},
		{{.kind = CRN_V_UINT, .u = UINT64_MAX}, CRN_F64, true, 0x1p64},
		{{.kind = CRN_V_FLOAT, .f = 1}, CRN_U8, false, 0},
		{{.kind = CRN_V_FLOAT, .f = 0.5}, CRN_F32, true, 0.5},
		{{.kind = CRN_V_BOOL, .b = true}, CRN_I16, true, 1},
		{{.kind = CRN_V_INT, .i = 2}, CRN_BOOL, false, 0},
		{{.kind = CRN_V_INT, .i = 1}, CRN_BOOL, true, 1},
		{{.kind = CRN_V_NONE}, CRN_F64, false, 0},
	};
	for (size_t i = 0; i < CRN_COUNT(rows); i++) {
		crn_elem e;
		bool fits = crn_value_to_elem(&rows[i].v, rows[i].t, &e);
		assert_int_equal(fits, rows[i].fits);
		if (fits)
			assert_true(crn_elem_to_double(rows[i].t, e) == rows[i].as);
	}
	crn_value small = crn_value_uint(5);
	assert_int_equal(small.kind, CRN_V_INT);
}

static void values_print_as_pipeline_text(void **state)
{
	crn_value v = crn_value_float(2);
	assert_prints(&v, "2.0");
	v = crn_value_float(0.1);
	assert_prints(&v, "0.1");
	v = crn_value_float(INFINITY);
	assert_prints(&v, "inf");
	v = crn_value_float(1e300);
	assert_prints(&v, "1e+300");
	v = crn_value_bool(false);
	assert_prints(&v, "False");
	v = (crn_value){0};
	assert_prints(&v, "None");
	v = crn_value_uint(UINT64_MAX);
	assert_prints(&v, "18446744073709551615");
	CRN_VALUE one = ones(1), many = ones(20), none = ones(0);
	assert_prints(&one, "(1,)");
	assert_prints(&none, "()");
	assert_prints(&many, "(1, 1, 1, 1, 1, 1, 1, 1, ... 20 in all)");
}

static void constants_are_bounded(void **state)
{
	cairn_error err;
	crn_const *c = NULL;
	const int64_t big[] = {1 << 12, 1 << 12, 2}, huge[] = {INT64_C(1) << 62, 4},
		      fits[] = {1 << 12, 1 << 12};
	assert_int_equal(crn_const_new(CRN_U8, 3, big, &c, &err), CAIRN_USAGE);
	assert_int_equal(crn_const_new(CRN_U8, 2, huge, &c, &err), CAIRN_USAGE);
	assert_int_equal(crn_const_new(CRN_U16, 2, fits, &c, &err), CAIRN_USAGE);
	assert_int_equal(crn_const_new(CRN_U8, CRN_MAX_NDIM + 1, fits, &c, &err), CAIRN_USAGE);
	assert_null(c);
	crn_assert_ok(crn_const_new(CRN_U8, 2, fits, &c, &err));
	assert_int_equal(crn_const_count(c), 1 << 24);
	assert_int_equal(((unsigned char *)c->data)[12345], 0);
	crn_const_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_equal_and_independent),
		cmocka_unit_test(copying_survives_every_failure),
		cmocka_unit_test(kinds_hash_apart),
		cmocka_unit_test(numbers_become_elements_only_when_they_fit),
		cmocka_unit_test(values_print_as_pipeline_text),
		cmocka_unit_test(constants_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

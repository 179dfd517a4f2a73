/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_golden_test.c -- reads Zarr arrays that zarr-python wrote (see README.md) and compares every
 * element with the formula they were made from, or with the bytes of a fill value.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "builtin.h"
#include "core/format.h"
#include "support/arrays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct golden_case {
	char folder[64], dtype[16], extents[64], expectation[64];
} golden_case;

/* The formula of make_zarr.py. */
static crn_elem formula(crn_dtype t, int64_t i)
{
	int64_t v = i * i / 7 % 251;
	size_t size = crn_dtype_size(t);
	uint64_t multiple = size == 1 ? 1 : size == 2 ? 257 : size == 4 ? 16777217 : 72057594037927937;
	switch (crn_dtype_kind(t)) {
	case 'b':
		return crn_elem_from_int(t, v % 3 == 0);
	case 'u':
		return crn_elem_from_uint(t, (uint64_t)v * multiple);
	case 'i':
		return crn_elem_from_int(t, (v - 125) * (int64_t)multiple);
	default:
		return crn_elem_from_double(t, (double)(v - 125) / 8);
	}
}

static crn_elem from_hex(const char *hex)
{
	crn_elem e = {{0}};
	for (size_t i = 0; i < sizeof(e.bytes) && hex[2 * i]; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
		e.bytes[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	return e;
}

static crn_elem expected(const golden_case *c, crn_dtype t, int64_t i, int64_t column)
{
	if (strncmp(c->expectation, "fill:", 5) == 0)
		return from_hex(c->expectation + 5);
	if (strncmp(c->expectation, "half:", 5) == 0 && column >= 13)
		return from_hex(c->expectation + 5);
	return formula(t, i);
}

/* Every unit of the source, every element of the unit. Returns how many were compared. */
static int64_t compare(crn_source *s, const golden_case *c)
{
	const crn_type *t = &s->type;
	int64_t grid[CRN_MAX_NDIM], n_units = 1, n_compared = 0;
	for (int d = 0; d < t->ndim; d++)
		n_units *= grid[d] = crn_n_units(t->shape[d], s->unit[d]);
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, s->unit_scratch), 0);
	for (int64_t u = 0; u < n_units; u++) {
		int64_t idx[CRN_MAX_NDIM], at[CRN_MAX_NDIM];
		cairn_error err = {0};
		crn_unravel(u, t->ndim, grid, idx);
		crn_region r = crn_unit_region(t->ndim, t->shape, s->unit, idx);
		CRN_TEST_ARRAY unit = crn_test_array(t->dtype, t->ndim, r.n);
		if (s->ops->read_unit(s, idx, &unit, scratch, &err) != CAIRN_OK)
			fail_msg("%s: %s", c->folder, crn_test_error(&err));
		int64_t n = crn_region_count(&r);
		for (int64_t k = 0; k < n; k++, n_compared++) {
			crn_unravel(k, t->ndim, r.n, at);
			const void *got = crn_view_at(&unit, at);
			for (int d = 0; d < t->ndim; d++)
				at[d] += r.lo[d];
			int64_t i = crn_ravel(at, t->ndim, t->shape);
			crn_elem want = expected(c, t->dtype, i, t->ndim ? at[t->ndim - 1] : 0);
			if (memcmp(got, want.bytes, crn_dtype_size(t->dtype)) != 0)
				fail_msg("%s: element %lld differs", c->folder, (long long)i);
		}
	}
	free(scratch);
	return n_compared;
}

static void check(const golden_case *c)
{
	char relative[128];
	crn_source *s = NULL;
	cairn_error err = {0};
	snprintf(relative, sizeof(relative), "golden/zarr/%s", c->folder);
	cairn_status status = crn_source_open(
		&crn_builtin_registry, crn_test_path(relative), NULL, NULL, 0, &s, &err);
	if (strncmp(c->expectation, "refused:", 8) == 0) {
		/* v2 spells dtypes as codes. */
		const char *word = c->expectation + 8;
		if (strcmp(word, "float16") == 0 && c->folder[1] == '2')
			word = "<f2";
		if (status != CAIRN_INPUT || !strstr(err.message, word))
			fail_msg("%s: %d %s", c->folder, status, crn_test_error(&err));
		return;
	}
	if (status != CAIRN_OK)
		fail_msg("%s: %s", c->folder, crn_test_error(&err));
	assert_string_equal(crn_dtype_name(s->type.dtype), c->dtype);
	char extents[64] = "";
	for (int d = 0; d < s->type.ndim; d++)
		snprintf(extents + strlen(extents), sizeof(extents) - strlen(extents), "%s%lld",
			d ? "x" : "", (long long)s->type.shape[d]);
	assert_string_equal(s->type.ndim ? extents : "-", c->extents);
	assert_int_equal(compare(s, c), crn_type_count(&s->type));
	if (strstr(c->folder, "/image")) {
		assert_string_equal(s->type.axes[1].name, "x");
		assert_string_equal(s->type.axes[0].unit, "micrometer");
		assert_true(s->type.axes[0].scale == 0.5 && s->type.axes[1].scale == 0.25);
	}
	if (strstr(c->folder, "/names"))
		assert_string_equal(s->type.axes[0].name, "y");
	crn_source_close(s);
}

static int check_list(const char *list)
{
	golden_case c;
	int n = 0;
	FILE *f = fopen(crn_test_path(list), "r");
	assert_non_null(f);
	while (fscanf(f, "%63s %15s %63s %63s", c.folder, c.dtype, c.extents, c.expectation) == 4) {
		check(&c);
		n++;
	}
	fclose(f);
	return n;
}

static void test_v2(void **state)
{
	assert_true(check_list("golden/zarr/cases-v2.txt") >= 70);
}

static void test_v3(void **state)
{
	assert_true(check_list("golden/zarr/cases-v3.txt") >= 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_v2), cmocka_unit_test(test_v3)};
	return cmocka_run_group_tests_name("zarr-golden", tests, NULL, NULL);
}

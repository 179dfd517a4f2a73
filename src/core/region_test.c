/* SPDX-License-Identifier: Apache-2.0
 *
 * region_test.c -- boxes with steps against sets of indices spelled out.
 */
#include "core/region.h"

#include "base/mem.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LOW = -60, SPAN = 200 }; /* indices a 1-D test region can reach: LOW .. LOW + SPAN - 1 */

static crn_region random_axis(crn_test_rng *g)
{
	crn_region r = {.ndim = 1};
	r.lo[0] = crn_test_int(g, -20, 20);
	r.n[0] = crn_test_int(g, 0, 6);
	r.step[0] = crn_test_int(g, 1, 5);
	crn_region_normalise(&r);
	return r;
}

static void spell_out(const crn_region *r, bool set[SPAN])
{
	memset(set, 0, SPAN);
	for (int64_t i = 0; i < r->n[0]; i++)
		set[r->lo[0] + i * r->step[0] - LOW] = true;
}

static void clipping_keeps_what_is_inside(void **state)
{
	crn_test_rng g = {1};
	for (int turn = 0; turn < 20000; turn++) {
		crn_region r = random_axis(&g);
		int64_t extent = crn_test_int(&g, 0, 25);
		crn_region c = crn_region_clip(&r, &extent);
		bool want[SPAN], got[SPAN];
		spell_out(&r, want);
		spell_out(&c, got);
		for (int i = 0; i < SPAN; i++)
			assert_int_equal(got[i], want[i] && i + LOW >= 0 && i + LOW < extent);
		assert_true(crn_region_inside(&c, &extent));
		assert_true(c.n[0] > 1 || c.step[0] == 1);
	}
}

static void containing_means_every_index(void **state)
{
	crn_test_rng g = {2};
	int yes = 0;
	for (int turn = 0; turn < 40000; turn++) {
		crn_region a = random_axis(&g), b = random_axis(&g);
		bool in_a[SPAN], in_b[SPAN], all = true;
		spell_out(&a, in_a);
		spell_out(&b, in_b);
		for (int i = 0; i < SPAN; i++)
			all &= !in_b[i] || in_a[i];
		if (crn_region_empty(&a) && !crn_region_empty(&b))
			continue; /* an empty region holds nothing; callers never ask */
		assert_int_equal(crn_region_contains(&a, &b), all);
		yes += all && !crn_region_empty(&b);
	}
	assert_true(yes > 100);
}

static void hulls_hold_both(void **state)
{
	crn_test_rng g = {3};
	for (int turn = 0; turn < 40000; turn++) {
		crn_region a = random_axis(&g), b = random_axis(&g), h = crn_region_hull(&a, &b);
		if (crn_region_empty(&a) && crn_region_empty(&b))
			continue;
		assert_true(crn_region_empty(&a) || crn_region_contains(&h, &a));
		assert_true(crn_region_empty(&b) || crn_region_contains(&h, &b));
		/* No index beyond the outermost ones. */
		int64_t lo = INT64_MAX, last = INT64_MIN;
		for (int k = 0; k < 2; k++) {
			const crn_region *r = k ? &b : &a;
			if (crn_region_empty(r))
				continue;
			lo = r->lo[0] < lo ? r->lo[0] : lo;
			last = crn_region_last(r, 0) > last ? crn_region_last(r, 0) : last;
		}
		assert_int_equal(h.lo[0], lo);
		assert_int_equal(crn_region_last(&h, 0), last);
	}
}

static void hulls_keep_a_common_step(void **state)
{
	crn_region a = {.ndim = 1, .lo = {3}, .n = {5}, .step = {4}};
	crn_region b = {.ndim = 1, .lo = {31}, .n = {2}, .step = {4}};
	crn_region h = crn_region_hull(&a, &b);
	assert_true(h.lo[0] == 3 && h.step[0] == 4 && h.n[0] == 9);
	b.lo[0] = 32;
	h = crn_region_hull(&a, &b);
	assert_true(h.lo[0] == 3 && h.step[0] == 1 && h.n[0] == 34);
}

static void products_are_checked(void **state)
{
	int64_t count = 7;
	const int64_t big[] = {INT64_C(1) << 40, INT64_C(1) << 40},
		      zero[] = {1LL << 40, 1LL << 40, 0};
	assert_false(crn_count(2, big, &count));
	assert_int_equal(count, 7);
	assert_true(crn_count(3, zero, &count));
	assert_int_equal(count, 0);
	assert_true(crn_count(0, NULL, &count));
	assert_int_equal(count, 1);
}

static void units_cover_the_array_once(void **state)
{
	const int64_t shape[] = {5, 7, 1}, unit[] = {2, 3, 4};
	int64_t n[3], hits[35] = {0};
	for (int d = 0; d < 3; d++)
		n[d] = crn_n_units(shape[d], unit[d]);
	assert_true(n[0] == 3 && n[1] == 3 && n[2] == 1 && crn_n_units(0, 4) == 0);
	for (int64_t t = 0; t < 9; t++) {
		int64_t idx[3];
		crn_unravel(t, 3, n, idx);
		assert_int_equal(crn_ravel(idx, 3, n), t);
		crn_region r = crn_unit_region(3, shape, unit, idx);
		for (int64_t z = 0; z < r.n[0]; z++)
			for (int64_t y = 0; y < r.n[1]; y++)
				hits[(r.lo[0] + z) * 7 + r.lo[1] + y] += r.n[2];
	}
	for (int i = 0; i < 35; i++)
		assert_int_equal(hits[i], 1);
}

static void units_of_huge_arrays_do_not_overflow(void **state)
{
	assert_int_equal(crn_n_units(INT64_MAX, 2), (INT64_MAX / 2) + 1);
	assert_int_equal(crn_n_units(INT64_MAX, INT64_MAX), 1);
}

static void regions_print_like_slices(void **state)
{
	char text[CRN_REGION_TEXT];
	crn_region r = {.ndim = 3, .lo = {0, 5, 3}, .n = {20, 1, 4}, .step = {1, 1, 2}};
	assert_string_equal(crn_region_format(&r, text), "[0:20, 5, 3:10:2]");
	r.n[0] = 0;
	assert_string_equal(crn_region_format(&r, text), "[0:0, 5, 3:10:2]");
	crn_region scalar = {.ndim = 0};
	assert_string_equal(crn_region_format(&scalar, text), "[]");
	crn_region wide = {.ndim = CRN_MAX_NDIM};
	for (int d = 0; d < CRN_MAX_NDIM; d++) {
		wide.lo[d] = INT64_MIN / 4;
		wide.n[d] = 2;
		wide.step[d] = INT64_MAX / 4;
	}
	assert_true(strlen(crn_region_format(&wide, text)) < CRN_REGION_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clipping_keeps_what_is_inside),
		cmocka_unit_test(containing_means_every_index),
		cmocka_unit_test(hulls_hold_both),
		cmocka_unit_test(hulls_keep_a_common_step),
		cmocka_unit_test(products_are_checked),
		cmocka_unit_test(units_cover_the_array_once),
		cmocka_unit_test(units_of_huge_arrays_do_not_overflow),
		cmocka_unit_test(regions_print_like_slices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * filters_test.c -- what golden files cannot show about filters: how little a slice computes, what
 * wrong arguments are told, morphology by its definition, and rounding of integers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "builtin.h"
#include "core/call.h"
#include "support/arrays.h"
#include "support/eager.h"

static crn_graph *graph;
static cairn_error err;

static int setup(void **state)
{
	(void)state;
	return crn_graph_new(&crn_builtin_registry, &graph, &err) != CAIRN_OK;
}

static int teardown(void **state)
{
	(void)state;
	crn_graph_unref(graph);
	return 0;
}

static crn_node *source_of(crn_dtype t, int ndim, const int64_t *shape)
{
	crn_node *n = NULL;
	crn_test_rng rng = {.state = 3};
	CRN_TEST_ARRAY a = crn_test_array(t, ndim, shape);
	crn_test_fill(&rng, &a);
	crn_assert_ok(crn_test_source(graph, &a, NULL, &n, &err));
	return n;
}

/* ---- law 1: every pass makes only what the next one needs ---- */

static void a_plane_of_a_gaussian_filters_one_plane_along_y_and_x(void **state)
{
	(void)state;
	CRN_NODE *source = source_of(CRN_F32, 3, (int64_t[]){40, 50, 60}), *n = NULL;
	crn_assert_ok(crn_test_call(graph, "gaussian_filter", &source, 1, "(1, 3, 2)", &n, &err));
	crn_region want = {.ndim = 3, .lo = {20, 0, 0}, .n = {1, 50, 60}, .step = {1, 1, 1}};
	/* Radii 4, 12 and 8; the engine clips what sticks out of the domain. */
	static const int64_t needs[3][3] = {{1, 50, 76}, {1, 74, 60}, {9, 50, 60}};
	const crn_node *at = n;
	for (int pass = 0; pass < 3; pass++, at = at->in[0]) {
		crn_need need = {0};
		assert_string_equal(at->op->name, "correlate_pass");
		at->op->need(at, 0, &want, &need);
		for (int d = 0; d < 3; d++)
			assert_int_equal(need.region.n[d], needs[pass][d]);
		want = crn_region_clip(&need.region, at->in[0]->type.shape);
	}
	assert_ptr_equal(at, source);
	assert_int_equal(want.lo[0], 16);
}

static void steps_pass_through_axes_a_filter_does_not_touch(void **state)
{
	(void)state;
	CRN_NODE *source = source_of(CRN_F32, 2, (int64_t[]){100, 100}), *n = NULL;
	crn_assert_ok(crn_test_call(graph, "gaussian_filter", &source, 1, "(0, 1)", &n, &err));
	crn_region want = {.ndim = 2, .lo = {5, 20}, .n = {10, 7}, .step = {7, 3}};
	crn_need need = {0};
	n->op->need(n, 0, &want, &need);
	crn_region expected = {.ndim = 2, .lo = {5, 16}, .n = {10, 27}, .step = {7, 1}};
	assert_true(crn_region_equal(&need.region, &expected));
	assert_ptr_equal(n->in[0], source); /* sigma 0 is no pass */
}

static void equal_filters_are_one_node(void **state)
{
	(void)state;
	CRN_NODE *source = source_of(CRN_F32, 2, (int64_t[]){9, 9}), *a = NULL, *b = NULL;
	crn_assert_ok(crn_test_call(
		graph, "gaussian_filter", &source, 1, "2, mode='grid-mirror'", &a, &err));
	crn_assert_ok(crn_test_call(
		graph, "gaussian_filter", &source, 1, "(2.0, 2.0), cval=7.0", &b, &err));
	assert_ptr_equal(a, b);
}

/* ---- integers ---- */

static void a_constant_image_keeps_its_level(void **state)
{
	(void)state;
	const int64_t shape[] = {40, 40};
	for (int level = 1; level < 256; level += 23)
		for (double sigma = 0.4; sigma < 6; sigma += 0.7) {
			char text[32];
			CRN_TEST_ARRAY a = crn_test_array(CRN_U8, 2, shape);
			CRN_NODE *source = NULL, *n = NULL;
			CRN_EAGER got = {0};
			crn_view_fill(&a, crn_elem_from_int(CRN_U8, level));
			crn_assert_ok(crn_test_source(graph, &a, NULL, &source, &err));
			snprintf(text, sizeof(text), "%g", sigma);
			crn_assert_ok(crn_test_call(
				graph, "gaussian_filter", &source, 1, text, &n, &err));
			crn_assert_ok(crn_eager(n, &got, &err));
			assert_true(crn_test_same_bytes(&got, &a));
		}
}

/* ---- morphology by its definition ---- */

/* Is the voxel set after eroding by the ball (outside counts as border)? */
static bool survives(const crn_view *mask, const int64_t *at, int64_t r, bool border)
{
	for (int64_t z = -r; z <= r; z++)
		for (int64_t y = -r; y <= r; y++)
			for (int64_t x = -r; x <= r; x++) {
				int64_t p[3] = {at[0] + z, at[1] + y, at[2] + x};
				if (z * z + y * y + x * x > r * r)
					continue;
				bool inside = true;
				for (int d = 0; d < 3; d++)
					inside &= p[d] >= 0 && p[d] < mask->shape[d];
				if (inside ? !*(unsigned char *)crn_view_at(mask, p) : !border)
					return false;
			}
	return true;
}

static void check_ball(int64_t r, int64_t width, bool border)
{
	const int64_t shape[] = {9, 13, width};
	crn_test_rng rng = {.state = (uint64_t)(r * 1000 + width)};
	CRN_TEST_ARRAY mask = crn_test_array(CRN_BOOL, 3, shape);
	double holes = 2.0 / (double)((2 * r + 1) * (2 * r + 1) * (2 * r + 1));
	for (int64_t i = 0; i < 9 * 13 * width; i++)
		((unsigned char *)mask.data)[i] = crn_test_unit(&rng) > holes;
	CRN_NODE *source = NULL;
	CRN_VALUE radius = crn_value_int(r), ball = {0}, result = {0};
	CRN_EAGER got = {0};
	crn_assert_ok(crn_test_source(graph, &mask, NULL, &source, &err));
	crn_assert_ok(crn_call_op(graph, crn_op_find(&crn_builtin_registry, "ball"), &radius, 1,
		NULL, 0, &ball, &err));
	const crn_value args[] = {{.kind = CRN_V_NODE, .node = source}, ball};
	const crn_kwarg kwargs[] = {{"border_value", crn_value_int(border)}};
	crn_assert_ok(crn_call_op(graph, crn_op_find(&crn_builtin_registry, "binary_erosion"), args,
		2, kwargs, 1, &result, &err));
	crn_assert_ok(crn_eager(result.node, &got, &err));
	int64_t idx[3];
	for (int64_t i = 0; i < 9 * 13 * width; i++) {
		crn_unravel(i, 3, shape, idx);
		assert_int_equal(((unsigned char *)got.data)[i], survives(&mask, idx, r, border));
	}
}

static void erosion_by_a_ball_is_its_definition(void **state)
{
	static const int64_t widths[] = {1, 40, 62, 63, 64, 65, 66, 127, 128, 129};
	(void)state;
	for (size_t i = 0; i < CRN_COUNT(widths); i++)
		for (int64_t r = 0; r < 5; r++)
			check_ball(r, widths[i], (r + widths[i]) % 2);
	check_ball(12, 100, true);
}

/* ---- wrong arguments ---- */

static void wrong_arguments_are_named(void **state)
{
	static const struct {
		const char *op, *text, *message;
	} cases[] = {
		{"gaussian_filter", "-1", "sigma"},
		{"gaussian_filter", "(1, 2, 3)", "sigma"},
		{"gaussian_filter", "1e9", "radius"},
		{"gaussian_filter", "1, order=9", "order"},
		{"gaussian_filter", "1, order=-1", "order"},
		{"gaussian_filter", "1, mode='mirrored'", "mode"},
		{"gaussian_filter", "1, mode=['wrap', 'none']", "none"},
		{"gaussian_filter", "1, compat='numpy'", "compat"},
		{"median_filter", "", "size or footprint"},
		{"median_filter", "size=0", "size"},
		{"median_filter", "size=(3, 3, 3)", "size"},
		{"median_filter", "size=3, origin=2", "origin"},
		{"median_filter", "footprint=[[0, 0]]", "no voxel"},
		{"median_filter", "footprint=[0, 1]", "axes"},
		{"median_filter", "size=100000", "limited"},
		{"percentile_filter", "101.0, size=3", "rank"},
		{"rank_filter", "9, size=3", "rank"},
		{"minimum_filter", "size=-3", "window"},
		{"uniform_filter", "size=3, origin=5", "origin"},
		{"correlate", "weights=[1, 2]", "axes"},
		{"correlate1d", "weights=[[1, 2]]", "one axis"},
		{"correlate1d", "weights=[1, 2], axis=2", "axis"},
		{"convolve", "weights=[[1e999]]", "finite"},
		{"sobel", "axis=-3", "axis"},
		{"grey_erosion", "structure=[[1, 2]], footprint=[[1], [1]]", "differ"},
		{"binary_erosion", "iterations=0", "iterations"},
		{"binary_erosion", "[1, 1]", "axes"},
		{"binary_dilation", "[[1, 1]], origin=(0, 1)", "origin"},
	};
	(void)state;
	CRN_NODE *source = source_of(CRN_U8, 2, (int64_t[]){9, 9});
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		crn_node *n = NULL;
		memset(&err, 0, sizeof(err));
		cairn_status status =
			crn_test_call(graph, cases[i].op, &source, 1, cases[i].text, &n, &err);
		if (status != CAIRN_USAGE || !strstr(crn_test_error(&err), cases[i].message))
			fail_msg("%s(%s): status %d, %s", cases[i].op, cases[i].text, (int)status,
				crn_test_error(&err));
		assert_null(n);
	}
}

/* ---- memory that runs out while building ---- */

static void every_failed_allocation_is_survived(void **state)
{
	static const char *const calls[][2] = {{"gaussian_filter", "1.5"},
		{"median_filter", "size=3"}, {"grey_closing", "structure=[[1, 2], [3, 4]]"},
		{"convolve", "weights=[[1, 2], [3, 4]]"}, {"uniform_filter", "size=4"},
		{"binary_closing", "iterations=2"}, {"laplace", ""}};
	(void)state;
	CRN_NODE *source = source_of(CRN_U8, 2, (int64_t[]){9, 9});
	for (size_t i = 0; i < CRN_COUNT(calls); i++) {
		int64_t n_failed = 0;
		for (bool failed = true; failed; n_failed++) {
			CRN_NODE *n = NULL;
			crn_mem_fail_after(n_failed);
			cairn_status status = crn_test_call(
				graph, calls[i][0], &source, 1, calls[i][1], &n, &err);
			failed = crn_mem_failed();
			crn_mem_fail_after(-1);
			if (!failed)
				crn_assert_ok(status);
		}
		assert_true(n_failed > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plane_of_a_gaussian_filters_one_plane_along_y_and_x),
		cmocka_unit_test(steps_pass_through_axes_a_filter_does_not_touch),
		cmocka_unit_test(equal_filters_are_one_node),
		cmocka_unit_test(a_constant_image_keeps_its_level),
		cmocka_unit_test(erosion_by_a_ball_is_its_definition),
		cmocka_unit_test(wrong_arguments_are_named),
		cmocka_unit_test(every_failed_allocation_is_survived),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

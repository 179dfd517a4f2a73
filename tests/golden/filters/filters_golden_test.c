/* SPDX-License-Identifier: Apache-2.0
 *
 * filters_golden_test.c -- filters and morphology against what scipy and scikit-image computed.
 *
 * Each line of cases.txt is one call with its input and expected result (see make_filters.py). Each
 * case runs on every instruction set of this machine, whole and lazily in small tiles, for a region
 * with steps too: within the stated error of the expected values, and equal among themselves to the
 * bit.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "builtin.h"
#include "core/call.h"
#include "support/arrays.h"
#include "support/eager.h"

enum { MAX_LINE = 1 << 16 };

static crn_view blob; /* values.npy */

static crn_view array_of(const char *ref)
{
	char name[16];
	int64_t shape[CRN_MAX_NDIM];
	int ndim = 0;
	crn_dtype t;
	const char *p = strchr(ref, ':');
	assert_non_null(p);
	snprintf(name, sizeof(name), "%.*s", (int)(p - ref), ref);
	assert_true(crn_dtype_from_name(name, &t));
	for (p++; *p != ':'; p += *p == ',')
		shape[ndim++] = strtoll(p, (char **)&p, 10);
	int64_t offset = strtoll(p + 1, NULL, 10);
	crn_view v = crn_view_dense((char *)blob.data + offset, t, ndim, shape);
	assert_true(offset + (int64_t)crn_view_dense_bytes(t, ndim, shape) <= blob.shape[0]);
	return v;
}

/* Every second or third voxel along each axis, from voxel 1. */
static crn_region thinned(const crn_type *type)
{
	crn_region r = {.ndim = type->ndim};
	for (int d = 0; d < type->ndim; d++) {
		r.lo[d] = type->shape[d] > 1;
		r.step[d] = 3 - d % 2;
		r.n[d] = (type->shape[d] - r.lo[d] + r.step[d] - 1) / r.step[d];
	}
	crn_region_normalise(&r);
	return r;
}

static void check_ways(crn_node *n, const crn_view *whole, const char *line)
{
	cairn_error err = {0};
	crn_region all = crn_region_whole(n->type.ndim, n->type.shape), thin = thinned(&n->type);
	crn_view part = crn_view_part(whole, &all, &thin);
	crn_view dense = crn_test_array(part.dtype, part.ndim, part.shape);
	crn_view_copy(&dense, &part);
	for (int isa = 0; isa <= (int)crn_isa_best(); isa++) {
		crn_eager_options options = {
			.isa = (crn_isa)isa, .lazy = true, .tile = {3, 4, 5, 7}};
		options.tile[n->type.ndim - 1] = 37;
		CRN_EAGER tiled = {0}, picked = {0};
		if (crn_eager_region(n, &all, &options, &tiled, &err) != CAIRN_OK ||
			crn_eager_region(n, &thin, &options, &picked, &err) != CAIRN_OK)
			fail_msg("%s: %s", line, crn_test_error(&err));
		if (crn_test_compare(&tiled, whole, 0, 0, &err) != CAIRN_OK)
			fail_msg("%s: tiles on %s: %s", line, crn_isa_name((crn_isa)isa),
				crn_test_error(&err));
		if (crn_test_compare(&picked, &dense, 0, 0, &err) != CAIRN_OK)
			fail_msg("%s: with steps on %s: %s", line, crn_isa_name((crn_isa)isa),
				crn_test_error(&err));
	}
	crn_test_array_free(&dense);
}

static void check_array(crn_graph *g, char *const *field, const crn_view *want, const char *line)
{
	cairn_error err = {0};
	crn_view input = array_of(field[2]);
	CRN_NODE *source = NULL, *n = NULL;
	CRN_EAGER got = {0};
	if (crn_test_source(g, &input, NULL, &source, &err) != CAIRN_OK ||
		crn_test_call(g, field[0], &source, 1, field[1], &n, &err) != CAIRN_OK ||
		crn_eager(n, &got, &err) != CAIRN_OK ||
		crn_test_compare(&got, want, strtod(field[4], NULL), strtod(field[5], NULL),
			&err) != CAIRN_OK)
		fail_msg("%s: %s", line, crn_test_error(&err));
	check_ways(n, &got, line);
}

/* A call that gives a constant: arguments are parsed by position, "radius=2". */
static void check_const(crn_graph *g, char *const *field, const crn_view *want, const char *line)
{
	cairn_error err = {0};
	const crn_op *op = crn_op_find(&crn_builtin_registry, field[0]);
	crn_kwarg kwargs[4];
	crn_value value[4] = {{0}};
	char names[4][32];
	int n = 0;
	assert_non_null(op);
	for (const char *p = field[1]; *p; n++) {
		const char *equals = strchr(p, '=');
		const char *end = equals + strcspn(equals, ",");
		if (equals[1] == '(')
			end = strchr(equals, ')') + 1;
		char text[64];
		snprintf(names[n], sizeof(names[n]), "%.*s", (int)(equals - p), p);
		snprintf(text, sizeof(text), "%.*s", (int)(end - equals - 1), equals + 1);
		crn_assert_ok(crn_value_parse_literal(text, &value[n], &err));
		kwargs[n] = (crn_kwarg){names[n], value[n]};
		p = end + strspn(end, ", ");
	}
	CRN_VALUE got = {0};
	crn_assert_ok(crn_call_op(g, op, NULL, 0, kwargs, n, &got, &err));
	assert_int_equal(got.kind, CRN_V_CONST);
	crn_view v = crn_const_view(got.c);
	if (crn_test_compare(&v, want, 0, 0, &err) != CAIRN_OK)
		fail_msg("%s: %s", line, crn_test_error(&err));
	for (int i = 0; i < n; i++)
		crn_value_clear(&value[i]);
}

/* Runs all cases of an op; there must be some. */
static void check_op(void **state)
{
	const char *op = *state;
	static char line[MAX_LINE], copy[MAX_LINE];
	cairn_error err = {0};
	crn_graph *g = NULL;
	crn_assert_ok(crn_graph_new(&crn_builtin_registry, &g, &err));
	FILE *f = fopen(crn_test_path("golden/filters/cases.txt"), "r");
	assert_non_null(f);
	int n_cases = 0;
	while (fgets(line, sizeof(line), f)) {
		char *field[6] = {NULL}, *rest = copy;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		snprintf(copy, sizeof(copy), "%s", line);
		for (int i = 0; i < 6; i++)
			field[i] = strsep(&rest, "\t");
		assert_non_null(field[5]);
		if (strcmp(field[0], op) != 0)
			continue;
		n_cases++;
		crn_view want = array_of(field[3]);
		if (strcmp(field[2], "-") == 0)
			check_const(g, field, &want, line);
		else
			check_array(g, field, &want, line);
	}
	fclose(f);
	crn_graph_unref(g);
	assert_true(n_cases > 0);
}

#define OP(name) \
	{ \
		"golden " name, check_op, NULL, NULL, (void *)(name) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OP("gaussian_filter"),
		OP("correlate"),
		OP("convolve"),
		OP("correlate1d"),
		OP("convolve1d"),
		OP("sobel"),
		OP("prewitt"),
		OP("laplace"),
		OP("uniform_filter"),
		OP("minimum_filter"),
		OP("maximum_filter"),
		OP("median_filter"),
		OP("percentile_filter"),
		OP("rank_filter"),
		OP("grey_erosion"),
		OP("grey_dilation"),
		OP("grey_opening"),
		OP("grey_closing"),
		OP("binary_erosion"),
		OP("binary_dilation"),
		OP("binary_opening"),
		OP("binary_closing"),
		OP("ball"),
		OP("box"),
		OP("cube"),
		OP("diamond"),
		OP("disk"),
		OP("generate_binary_structure"),
		OP("octahedron"),
		OP("rectangle"),
	};
	cairn_error err = {0};
	if (crn_test_npy(crn_test_path("golden/filters/values.npy"), &blob, &err) != CAIRN_OK) {
		fprintf(stderr, "%s\n", crn_test_error(&err));
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	crn_test_array_free(&blob);
	return failed;
}

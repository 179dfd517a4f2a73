/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_golden_test.c -- reads Zarr arrays that zarr-python wrote (see README.md) and compares every
 * element with the formula they were made from, or with the bytes of a fill value. Then the other
 * way round: zarr-python reads ours (skipped, with the reason, where it is not installed;
 * CAIRN_PYTHON names another interpreter than /usr/bin/python3).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "builtin.h"
#include "formats/zarr_meta.h"
#include "support/arrays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

typedef struct golden_case {
	char folder[64], dtype[16], extents[64], expectation[64];
} golden_case;

/* The formula of make_zarr.py. */
static crn_elem formula(crn_dtype t, int64_t i)
{
	int64_t v = i * i / 7 % 251;
	size_t size = crn_dtype_size(t);
	uint64_t multiple = size == 1   ? 1
			    : size == 2 ? 257
			    : size == 4 ? 16777217
					: 72057594037927937;
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

/* ---- the other direction: what we write, zarr-python reads ---- */

typedef struct written {
	FILE *cases;
	const char *folder;
	int n;
} written;

static crn_value text(const char *s)
{
	return (crn_value){.kind = CRN_V_STR, .s = (char *)s};
}

static void write_units(crn_sink *sink, const golden_case *c)
{
	const crn_type *t = &sink->type;
	int64_t grid[CRN_MAX_NDIM], n_units = 1;
	for (int d = 0; d < t->ndim; d++)
		n_units *= grid[d] = crn_n_units(t->shape[d], sink->unit[d]);
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, sink->unit_scratch), 0);
	for (int64_t u = 0; u < n_units; u++) {
		int64_t idx[CRN_MAX_NDIM], at[CRN_MAX_NDIM];
		cairn_error err = {0};
		crn_unit_record record;
		crn_unravel(u, t->ndim, grid, idx);
		crn_region r = crn_unit_region(t->ndim, t->shape, sink->unit, idx);
		CRN_TEST_ARRAY unit = crn_test_array(t->dtype, t->ndim, r.n);
		for (int64_t k = 0; k < crn_region_count(&r); k++) {
			crn_unravel(k, t->ndim, r.n, at);
			void *to = crn_view_at(&unit, at);
			for (int d = 0; d < t->ndim; d++)
				at[d] += r.lo[d];
			crn_elem e = expected(c, t->dtype, crn_ravel(at, t->ndim, t->shape),
				t->ndim ? at[t->ndim - 1] : 0);
			memcpy(to, e.bytes, crn_dtype_size(t->dtype));
		}
		crn_assert_ok(sink->ops->write_unit(sink, idx, &unit, scratch, &record, &err));
	}
	free(scratch);
}

static void write_one(written *w, int zarr_format, crn_dtype dtype, const crn_value *options)
{
	const int64_t shape[] = {12, 20}, chunks[] = {12, 13};
	const crn_format *format = NULL;
	crn_sink *sink = NULL;
	cairn_error err = {0};
	char url[160];
	bool half = w->n % 5 == 0;
	golden_case c = {.extents = "12x20"};
	strcpy(c.expectation, half ? "half:" : "formula");
	crn_type type = crn_type_make(dtype, 2, shape);
	if (half) {
		type.fill = formula(dtype, 20);
		for (size_t i = 0; i < crn_dtype_size(dtype); i++)
			snprintf(c.expectation + 5 + 2 * i, 3, "%02x", type.fill.bytes[i]);
	}
	snprintf(url, sizeof(url), "%s/%d.zarr", w->folder, w->n);
	fprintf(w->cases, "%d.zarr %d %s %s %s\n", w->n++, zarr_format, crn_dtype_name(dtype),
		c.extents, c.expectation);
	crn_assert_ok(crn_format_for_writing(
		&crn_builtin_registry, url, zarr_format == 2 ? "zarr2" : "zarr3", &format, &err));
	crn_create_request req = {.url = url,
		.registry = &crn_builtin_registry,
		.type = type,
		.options = options,
		.chunks = chunks};
	crn_assert_ok(format->create(&req, &sink, &err));
	write_units(sink, &c);
	crn_assert_ok(sink->ops->finish(sink, &err));
	sink->ops->close(sink);
}

static void write_samples(const char *folder)
{
	static const char *const compressors[] = {"zstd", "blosc", "gzip", "zlib", "lz4", "none"};
	char path[160];
	snprintf(path, sizeof(path), "%s/cases.txt", folder);
	written w = {.cases = fopen(path, "w"), .folder = folder};
	assert_non_null(w.cases);
	for (int zf = 2; zf <= 3; zf++)
		for (int k = 0; k < 6; k++)
			for (int bits = 0; bits < 8; bits++) {
				crn_value o[CRN_ZARR_N_OPTIONS] = {{0}};
				o[CRN_ZARR_COMPRESSOR] = text(compressors[k]);
				o[CRN_ZARR_SEPARATOR] = text(bits & 1 ? "." : "/");
				o[CRN_ZARR_ORDER] = text(bits & 2 ? "F" : "C");
				o[CRN_ZARR_BYTEORDER] = text(bits & 4 ? "big" : "little");
				write_one(&w, zf, (crn_dtype)((bits + 3 * k) % CRN_N_DTYPES), o);
			}
	fclose(w.cases);
}

static void test_others_read_ours(void **state)
{
	char folder[] = "/tmp/cairn-zarr-XXXXXX", command[512];
	const char *python = getenv("CAIRN_PYTHON");
	assert_non_null(mkdtemp(folder));
	write_samples(folder);
	snprintf(command, sizeof(command), "%s %s %s", python ? python : "/usr/bin/python3",
		crn_test_path("golden/zarr/check_written.py"), folder);
	int status = system(command);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127))
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_v2), cmocka_unit_test(test_v3),
		cmocka_unit_test(test_others_read_ours)};
	return cmocka_run_group_tests_name("zarr-golden", tests, NULL, NULL);
}

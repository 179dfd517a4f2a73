/* SPDX-License-Identifier: Apache-2.0
 *
 * format_test_util.h -- for the tests of formats: open by name, read whole arrays through the ops
 * table in both ways (units, boxes), write arrays unit by unit, compare with NPY files of others.
 *
 * Header-only, test code: memory comes from cmocka's world, failures are cmocka failures.
 */
#ifndef CRN_FORMATS_FORMAT_TEST_UTIL_H
#define CRN_FORMATS_FORMAT_TEST_UTIL_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "builtin.h"
#include "core/format.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static UNUSED const crn_format *format_named(const char *name)
{
	for (int i = 0; crn_builtin_registry.formats[i]; i++)
		if (strcmp(crn_builtin_registry.formats[i]->name, name) == 0)
			return crn_builtin_registry.formats[i];
	fail_msg("no format %s", name);
	return NULL;
}

/* Canonical options: None but for the pairs given ("shape", value); values are borrowed. */
typedef struct option_set {
	crn_value values[16];
} option_set;

static UNUSED void option_set_put(
	option_set *o, const crn_param *params, const char *name, crn_value value)
{
	for (int i = 0; params[i].type != CRN_P_END; i++) {
		if (strcmp(params[i].name, name) == 0) {
			o->values[i] = value;
			return;
		}
	}
	fail_msg("no option %s", name);
}

static UNUSED cairn_status open_as(const char *format, const char *url, const option_set *options,
	crn_source **ret, cairn_error *err)
{
	static const option_set none;
	crn_open_request req = {.url = url,
		.registry = &crn_builtin_registry,
		.options = (options ? options : &none)->values};
	return format_named(format)->open(&req, ret, err);
}

static UNUSED crn_source *must_open(const char *format, const char *url, const option_set *options)
{
	crn_source *s = NULL;
	cairn_error err = {0};
	if (open_as(format, url, options, &s, &err) != CAIRN_OK)
		fail_msg("%s: %s", url, err.message);
	return s;
}

/* Reads every unit (exactly clipped) into `out`, a C-contiguous buffer of the whole array. */
static UNUSED cairn_status read_by_units(crn_source *s, void *out, cairn_error *err)
{
	const crn_type *t = &s->type;
	crn_region whole = crn_region_whole(t->ndim, t->shape);
	crn_view all = crn_view_dense(out, t->dtype, t->ndim, t->shape);
	int64_t grid[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], n = 1;
	for (int d = 0; d < t->ndim; d++)
		n *= grid[d] = crn_n_units(t->shape[d], s->unit[d]);
	void *scratch = aligned_alloc(64, (s->unit_scratch + 64) / 64 * 64);
	size_t unit_bytes = crn_view_dense_bytes(t->dtype, t->ndim, s->unit);
	void *unit = malloc(unit_bytes + 1);
	cairn_status status = CAIRN_OK;
	for (int64_t i = 0; i < n && status == CAIRN_OK; i++) {
		crn_unravel(i, t->ndim, grid, idx);
		crn_region r = crn_unit_region(t->ndim, t->shape, s->unit, idx);
		crn_view v = crn_view_dense(unit, t->dtype, t->ndim, r.n);
		((unsigned char *)unit)[unit_bytes] = 0xa5;
		status = s->ops->read_unit(s, idx, &v, scratch, err);
		assert_int_equal(((unsigned char *)unit)[unit_bytes], 0xa5);
		if (status == CAIRN_OK) {
			crn_view part = crn_view_part(&all, &whole, &r);
			crn_view_copy(&part, &v);
		}
	}
	free(unit);
	free(scratch);
	return status;
}

static UNUSED cairn_status read_region(
	crn_source *s, const crn_region *r, const crn_view *out, cairn_error *err)
{
	void *scratch = aligned_alloc(64, (s->box_scratch + 64) / 64 * 64);
	cairn_status status = s->ops->read_box(s, r, out, scratch, err);
	free(scratch);
	return status;
}

/* Every unit, then (if there is read_box) the whole box and pseudo-random boxes with steps, into
 * padded rows: all must equal `expect`, the dense bytes of the whole array. */
static UNUSED void assert_source_equals(crn_source *s, const void *expect)
{
	const crn_type *t = &s->type;
	size_t item = crn_dtype_size(t->dtype), bytes = (size_t)crn_type_count(t) * item;
	cairn_error err = {0};
	void *got = malloc(bytes + 1);
	memset(got, 0x5a, bytes);
	if (read_by_units(s, got, &err) != CAIRN_OK)
		fail_msg("%s: %s", s->url, err.message);
	for (size_t i = 0; i < bytes; i++)
		if (((char *)got)[i] != ((const char *)expect)[i])
			fail_msg("%s: byte %zu is %d, not %d", s->url, i, ((unsigned char *)got)[i],
				((const unsigned char *)expect)[i]);
	unsigned seed = 7;
	crn_region whole = crn_region_whole(t->ndim, t->shape);
	crn_view all = crn_view_dense((void *)expect, t->dtype, t->ndim, t->shape);
	for (int trial = 0; s->ops->read_box && bytes > 0 && trial < 60; trial++) {
		crn_region r = whole;
		for (int d = 0; trial > 0 && d < t->ndim; d++) {
			r.lo[d] = rand_r(&seed) % t->shape[d];
			r.step[d] = 1 + rand_r(&seed) % 3;
			r.n[d] = 1 + rand_r(&seed) % (1 + (t->shape[d] - 1 - r.lo[d]) / r.step[d]);
		}
		crn_region_normalise(&r);
		int64_t padded[CRN_MAX_NDIM];
		for (int d = 0; d < t->ndim; d++)
			padded[d] = r.n[d] + (d + 1 == t->ndim && trial % 2 ? 3 : 0);
		void *box = malloc(crn_view_dense_bytes(t->dtype, t->ndim, padded) + 1);
		crn_view v = crn_view_dense(box, t->dtype, t->ndim, padded);
		for (int d = 0; d < t->ndim; d++)
			v.shape[d] = r.n[d];
		if (read_region(s, &r, &v, &err) != CAIRN_OK)
			fail_msg("%s: %s", s->url, err.message);
		crn_view want = crn_view_part(&all, &whole, &r);
		crn_rows rows;
		for (crn_rows_begin(&rows, v.ndim, v.shape); !rows.end; crn_rows_next(&rows)) {
			const char *a = crn_rows_at(&rows, &v), *b = crn_rows_at(&rows, &want);
			int64_t step = t->ndim ? want.stride[t->ndim - 1] : 0;
			for (int64_t i = 0; i < rows.n; i++)
				assert_memory_equal(a + i * (int64_t)item, b + i * step, item);
		}
		free(box);
	}
	free(got);
}

/* The whole array of an NPY file as dense bytes; *ret_type says what it is. Caller frees. */
static UNUSED void *load_npy(const char *path, crn_type *ret_type)
{
	crn_source *s = must_open("npy", path, NULL);
	void *bytes = malloc((size_t)crn_type_count(&s->type) * crn_dtype_size(s->type.dtype) + 1);
	crn_region whole = crn_region_whole(s->type.ndim, s->type.shape);
	crn_view v = crn_view_dense(bytes, s->type.dtype, s->type.ndim, s->type.shape);
	cairn_error err = {0};
	assert_int_equal(read_region(s, &whole, &v, &err), CAIRN_OK);
	*ret_type = s->type;
	s->ops->close(s);
	return bytes;
}

/* Writes all units of a dense array in the order first, first + stride, ... (mod n); finish. */
static UNUSED cairn_status write_units(
	crn_sink *s, const void *data, int64_t first, int64_t stride, cairn_error *err)
{
	const crn_type *t = &s->type;
	crn_region whole = crn_region_whole(t->ndim, t->shape);
	crn_view all = crn_view_dense((void *)data, t->dtype, t->ndim, t->shape);
	int64_t grid[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], n = 1;
	for (int d = 0; d < t->ndim; d++)
		n *= grid[d] = crn_n_units(t->shape[d], s->unit[d]);
	void *scratch = aligned_alloc(64, (s->unit_scratch + 64) / 64 * 64);
	cairn_status status = CAIRN_OK;
	for (int64_t i = 0; i < n && status == CAIRN_OK; i++) {
		crn_unravel((first + i * stride) % n, t->ndim, grid, idx);
		crn_region r = crn_unit_region(t->ndim, t->shape, s->unit, idx);
		crn_view v = crn_view_part(&all, &whole, &r);
		crn_unit_record record = {0};
		bool same = false;
		status = s->ops->write_unit(s, idx, &v, scratch, &record, err);
		if (status == CAIRN_OK)
			status = s->ops->check_unit(s, idx, &record, false, scratch, &same, err);
		if (status == CAIRN_OK)
			assert_true(same);
	}
	free(scratch);
	return status == CAIRN_OK ? s->ops->finish(s, err) : status;
}

static UNUSED cairn_status create_as(const char *format, const char *url, const crn_type *type,
	const option_set *options, crn_sink **ret, cairn_error *err)
{
	static const option_set none;
	crn_create_request req = {.url = url,
		.registry = &crn_builtin_registry,
		.type = *type,
		.options = (options ? options : &none)->values};
	int64_t unit[CRN_MAX_NDIM];
	size_t scratch = 0;
	cairn_status planned = format_named(format)->plan_unit(&req, unit, &scratch, err);
	cairn_status status = format_named(format)->create(&req, ret, err);
	if (status == CAIRN_OK) { /* the plan promised exactly this */
		assert_int_equal(planned, CAIRN_OK);
		assert_int_equal(scratch, (*ret)->unit_scratch);
		for (int d = 0; d < type->ndim; d++)
			assert_int_equal(unit[d], (*ret)->unit[d]);
	}
	return status;
}

/* A fresh folder for the files of a test; removed by remove_temp. */
static UNUSED char *make_temp(void)
{
	const char *base = getenv("TMPDIR");
	char *path = malloc(4096);
	snprintf(path, 4096, "%s/cairn-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(path));
	return path;
}

static UNUSED void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	while (dir && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		char child[4096];
		snprintf(child, sizeof child, "%s/%s", path, e->d_name);
		struct stat st;
		if (lstat(child, &st) == 0 && S_ISDIR(st.st_mode))
			remove_tree(child);
		else
			unlink(child);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static UNUSED void remove_temp(char *path)
{
	remove_tree(path);
	free(path);
}

/* dir/name in a static buffer of eight, for short tests. */
static UNUSED const char *join(const char *dir, const char *name)
{
	static char paths[8][4096];
	static int next;
	char *p = paths[next++ % 8];
	if (snprintf(p, sizeof paths[0], "%s/%s", dir, name) >= (int)sizeof paths[0])
		fail_msg("a path is too long");
	return p;
}

static UNUSED void put_file(const char *path, const void *bytes, size_t n)
{
	unlink(path); /* cutting a file short can wait for the disk, a new one does not */
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static UNUSED unsigned char *get_file(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("cannot open %s", path);
	fseek(f, 0, SEEK_END);
	*ret_n = (size_t)ftell(f);
	rewind(f);
	unsigned char *bytes = malloc(*ret_n + 1);
	assert_int_equal(fread(bytes, 1, *ret_n, f), *ret_n);
	fclose(f);
	return bytes;
}

#endif

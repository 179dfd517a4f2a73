/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_test_util.h -- what the zarr tests share: a store that outlives the sources and sinks opened
 * on it, writing and reading of whole arrays, a small array to spoil.
 *
 * For zarr_test.c and zarr_faults_test.c only; every function is static and asserts for itself.
 */
#ifndef CRN_FORMATS_ZARR_TEST_UTIL_H
#define CRN_FORMATS_ZARR_TEST_UTIL_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "builtin.h"
#include "formats/zarr_meta.h"
#include "stores/memory_store.h"
#include "support/arrays.h"

#include <stdlib.h>
#include <string.h>

/* ---- a store that outlives the sources and sinks opened on it ---- */

typedef struct borrowed {
	crn_store base;
	crn_store *inner;
} borrowed;

#define INNER(s) (((borrowed *)(s))->inner)

static inline cairn_status b_get(crn_store *s, const char *key, const crn_range *range, void *out,
	size_t cap, size_t *ret_n, bool *ret_found, cairn_error *err)
{
	return INNER(s)->ops->get(INNER(s), key, range, out, cap, ret_n, ret_found, err);
}

static inline cairn_status b_stat(
	crn_store *s, const char *key, crn_stat *ret, bool *ret_found, cairn_error *err)
{
	return INNER(s)->ops->stat(INNER(s), key, ret, ret_found, err);
}

static inline cairn_status b_put(
	crn_store *s, const char *key, const void *bytes, size_t n, cairn_error *err)
{
	return INNER(s)->ops->put(INNER(s), key, bytes, n, err);
}

static inline cairn_status b_remove(crn_store *s, const char *key, cairn_error *err)
{
	return INNER(s)->ops->remove(INNER(s), key, err);
}

static inline cairn_status b_list(
	crn_store *s, const char *prefix, crn_list_fn visit, void *user, cairn_error *err)
{
	return INNER(s)->ops->list(INNER(s), prefix, visit, user, err);
}

static inline void b_close(crn_store *s)
{
	crn_free(s->root);
	crn_free(s);
}

static inline crn_store *borrow(crn_store *inner)
{
	static const crn_store_ops ops = {.get = b_get,
		.stat = b_stat,
		.put = b_put,
		.remove = b_remove,
		.list = b_list,
		.close = b_close};
	borrowed *b = crn_calloc(1, sizeof(*b));
	b->base = (crn_store){.ops = &ops, .root = crn_strdup("mem")};
	b->inner = inner;
	return &b->base;
}

static inline crn_store *memory(void)
{
	crn_store *s = NULL;
	assert_int_equal(crn_memory_store_new(&s, NULL), CAIRN_OK);
	return s;
}

static inline void put(crn_store *s, const char *key, const char *text)
{
	assert_int_equal(s->ops->put(s, key, text, strlen(text), NULL), CAIRN_OK);
}

static inline bool exists(crn_store *s, const char *key)
{
	bool found = false;
	assert_int_equal(crn_store_exists(s, key, &found, NULL), CAIRN_OK);
	return found;
}

static inline char *load(crn_store *s, const char *key, size_t *ret_n)
{
	char *text = NULL;
	assert_int_equal(crn_store_load(s, key, 1 << 20, &text, ret_n, NULL), CAIRN_OK);
	assert_non_null(text);
	return text;
}

/* ---- writing and reading whole arrays ---- */

static inline cairn_status open_at(crn_store *s, int zarr_format, const char *path, int64_t level,
	crn_source **ret, cairn_error *err)
{
	crn_zarr_open how = {.registry = &crn_builtin_registry,
		.url = "mem",
		.path = path,
		.zarr_format = zarr_format,
		.level = level};
	return crn_zarr_open_in(borrow(s), &how, ret, err);
}

static inline crn_source *open_ok(crn_store *s, int zarr_format, const char *path)
{
	crn_source *source = NULL;
	cairn_error err = {0};
	crn_assert_ok(open_at(s, zarr_format, path, 0, &source, &err));
	return source;
}

static inline void grid_of(const crn_type *t, const int64_t *unit, int64_t *grid, int64_t *n)
{
	*n = 1;
	for (int d = 0; d < t->ndim; d++) {
		grid[d] = crn_n_units(t->shape[d], unit[d]);
		*n *= grid[d];
	}
}

static inline cairn_status read_all(crn_source *s, crn_view *out, cairn_error *err)
{
	int64_t grid[CRN_MAX_NDIM], n;
	const crn_region whole = crn_region_whole(s->type.ndim, s->type.shape);
	grid_of(&s->type, s->unit, grid, &n);
	*out = crn_test_array(s->type.dtype, s->type.ndim, s->type.shape);
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, s->unit_scratch + 64), 0);
	memset((char *)scratch + s->unit_scratch, 0x77, 64);
	cairn_status status = CAIRN_OK;
	for (int64_t i = 0; i < n && status == CAIRN_OK; i++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unravel(i, s->type.ndim, grid, idx);
		crn_region r = crn_unit_region(s->type.ndim, s->type.shape, s->unit, idx);
		crn_view unit = crn_test_array(s->type.dtype, s->type.ndim, r.n);
		status = s->ops->read_unit(s, idx, &unit, scratch, err);
		crn_view to = crn_view_part(out, &whole, &r);
		if (status == CAIRN_OK)
			crn_view_copy(&to, &unit);
		crn_test_array_free(&unit);
	}
	for (int i = 0; i < 64; i++)
		assert_int_equal(((char *)scratch)[s->unit_scratch + (size_t)i], 0x77);
	free(scratch);
	return status;
}

typedef struct job {
	const char *path;
	int zarr_format;
	crn_type type;
	const int64_t *chunks;
	crn_value options[CRN_ZARR_N_OPTIONS]; /* texts are borrowed from literals */
} job;

static inline crn_value text(const char *s)
{
	return (crn_value){.kind = CRN_V_STR, .s = (char *)s};
}

static inline cairn_status create(crn_store *s, const job *j, crn_sink **ret, cairn_error *err)
{
	crn_create_request req = {.url = "mem",
		.registry = &crn_builtin_registry,
		.type = j->type,
		.options = j->options,
		.chunks = j->chunks};
	return crn_zarr_create_in(borrow(s), j->path, j->zarr_format, &req, ret, err);
}

/* Writes every unit, checks every record, finishes. The sum of all_fill units into *n_fill. */
static inline cairn_status write_all(
	crn_store *s, const job *j, const crn_view *values, int *n_fill, cairn_error *err)
{
	crn_sink *sink = NULL;
	CRN_TRY(create(s, j, &sink, err));
	int64_t grid[CRN_MAX_NDIM], n;
	const crn_region whole = crn_region_whole(j->type.ndim, j->type.shape);
	grid_of(&j->type, sink->unit, grid, &n);
	void *scratch = NULL;
	assert_int_equal(posix_memalign(&scratch, 64, sink->unit_scratch), 0);
	cairn_status status = CAIRN_OK;
	for (int64_t i = 0; i < n && status == CAIRN_OK; i++) {
		int64_t idx[CRN_MAX_NDIM];
		crn_unit_record record = {0};
		crn_unravel(i, j->type.ndim, grid, idx);
		crn_region r = crn_unit_region(j->type.ndim, j->type.shape, sink->unit, idx);
		crn_view part = crn_view_part(values, &whole, &r);
		status = sink->ops->write_unit(sink, idx, &part, scratch, &record, err);
		for (int quick = 0; quick < 2 && status == CAIRN_OK; quick++) {
			bool same = false;
			status = sink->ops->check_unit(
				sink, idx, &record, quick, scratch, &same, err);
			assert_true(same);
		}
		*n_fill += record.all_fill;
	}
	if (status == CAIRN_OK) {
		assert_false(exists(s, ".zarray") || exists(s, "zarr.json"));
		status = sink->ops->finish(sink, err);
	}
	free(scratch);
	sink->ops->close(sink);
	return status;
}

/* Replaces the first occurrence of `from` in a document of the store. */
static inline void edit(crn_store *s, const char *key, const char *from, const char *to)
{
	size_t n;
	CRN_FREE char *old = load(s, key, &n);
	const char *at = strstr(old, from);
	if (!at)
		fail_msg("%s lacks %s", key, from);
	CRN_STR new = {0};
	crn_str_append_n(&new, old, (size_t)(at - old));
	crn_str_append(&new, to);
	crn_str_append(&new, at + strlen(from));
	put(s, key, new.data);
}

static inline crn_store *small_array(int zf)
{
	const int64_t shape[] = {4, 6}, chunks[] = {2, 3};
	uint16_t data[24];
	for (int i = 0; i < 24; i++)
		data[i] = (uint16_t)(i * 2500 + 1);
	crn_view values = crn_view_dense(data, CRN_U16, 2, shape);
	job j = {.path = "",
		.zarr_format = zf,
		.chunks = chunks,
		.type = crn_type_make(CRN_U16, 2, shape)};
	crn_store *s = memory();
	cairn_error err = {0};
	int n_fill = 0;
	crn_assert_ok(write_all(s, &j, &values, &n_fill, &err));
	return s;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_store.c -- keys in a sorted table. Every open makes a fresh, empty store.
 *
 * Threads: one lock (rank STORE) around the table. Its bytes are not charged to a memory budget,
 * so it is no place for real outputs.
 */
#include "stores/memory_store.h"

#include "base/mem.h"
#include "base/thread.h"
#include "stores/name_list.h"

#include <assert.h>
#include <string.h>

typedef struct object {
	char *key;
	void *bytes;
	size_t n;
} object;

typedef struct memory_store {
	crn_store base;
	crn_mutex lock;
	object *objects; /* lock; sorted by key */
	size_t n, cap;
} memory_store;

/* Index of the first object whose key is not before `key`. Lock held. */
static size_t lower_bound(const memory_store *s, const char *key)
{
	size_t lo = 0, hi = s->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(s->objects[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static object *find(const memory_store *s, const char *key)
{
	size_t i = lower_bound(s, key);
	return i < s->n && strcmp(s->objects[i].key, key) == 0 ? &s->objects[i] : NULL;
}

static cairn_status copy_range(const object *o, const crn_range *range, void *out, size_t cap,
	size_t *ret_n, cairn_error *err)
{
	size_t offset = 0, n = o->n;
	if (range->kind != CRN_RANGE_ALL) {
		n = range->n;
		bool fits = n <= o->n;
		if (range->kind == CRN_RANGE_FROM)
			fits = fits && range->offset <= o->n - n;
		if (!fits)
			return crn_fail(err, CAIRN_INPUT,
				"memory://%s has %zu bytes, which is too few for %zu", o->key, o->n,
				n);
		offset = range->kind == CRN_RANGE_FROM ? (size_t)range->offset : o->n - n;
	}
	if (n > cap)
		return crn_fail(err, CAIRN_INPUT,
			"memory://%s has %zu bytes, at most expected: %zu", o->key, n, cap);
	memcpy(out, (char *)o->bytes + offset, n);
	*ret_n = n;
	return CAIRN_OK;
}

static cairn_status get(crn_store *base, const char *key, const crn_range *range, void *out,
	size_t cap, size_t *ret_n, bool *ret_found, cairn_error *err)
{
	memory_store *s = (memory_store *)base;
	assert(crn_key_valid(key));
	crn_mutex_lock(&s->lock);
	const object *o = find(s, key);
	*ret_found = o != NULL;
	cairn_status status = o ? copy_range(o, range, out, cap, ret_n, err) : CAIRN_OK;
	crn_mutex_unlock(&s->lock);
	return status;
}

static cairn_status stat_key(
	crn_store *base, const char *key, crn_stat *ret, bool *ret_found, cairn_error *err)
{
	memory_store *s = (memory_store *)base;
	assert(crn_key_valid(key));
	crn_mutex_lock(&s->lock);
	const object *o = find(s, key);
	*ret_found = o != NULL;
	if (o)
		*ret = (crn_stat){.size_bytes = o->n};
	crn_mutex_unlock(&s->lock);
	return CAIRN_OK;
}

/* Room for one more at index i. Lock held. */
static bool make_room(memory_store *s, size_t i)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		object *objects = crn_realloc_array(s->objects, cap, sizeof(*objects));
		if (!objects)
			return false;
		s->objects = objects;
		s->cap = cap;
	}
	memmove(s->objects + i + 1, s->objects + i, (s->n - i) * sizeof(object));
	s->n++;
	return true;
}

static cairn_status put(
	crn_store *base, const char *key, const void *bytes, size_t n, cairn_error *err)
{
	memory_store *s = (memory_store *)base;
	assert(crn_key_valid(key));
	CRN_FREE char *new_key = crn_strdup(key);
	CRN_FREE void *copy = crn_alloc(n);
	if (!new_key || !copy)
		return crn_fail_memory(err, key, n);
	memcpy(copy, bytes, n);
	crn_mutex_lock(&s->lock);
	object *o = find(s, key);
	cairn_status status = CAIRN_OK;
	if (o) {
		crn_free(o->bytes);
		o->bytes = crn_steal(&copy);
		o->n = n;
	} else {
		size_t i = lower_bound(s, key);
		if (make_room(s, i))
			s->objects[i] = (object){crn_steal(&new_key), crn_steal(&copy), n};
		else
			status = crn_fail_memory(err, key, n);
	}
	crn_mutex_unlock(&s->lock);
	return status;
}

static cairn_status remove_key(crn_store *base, const char *key, cairn_error *err)
{
	memory_store *s = (memory_store *)base;
	assert(crn_key_valid(key));
	crn_mutex_lock(&s->lock);
	object *o = find(s, key);
	if (o) {
		crn_free(o->key);
		crn_free(o->bytes);
		size_t i = (size_t)(o - s->objects);
		memmove(o, o + 1, (s->n - i - 1) * sizeof(object));
		s->n--;
	}
	crn_mutex_unlock(&s->lock);
	return CAIRN_OK;
}

static cairn_status list(
	crn_store *base, const char *prefix, crn_list_fn visit, void *user, cairn_error *err)
{
	memory_store *s = (memory_store *)base;
	CRN_CLEANUP(crn_name_list_done) crn_name_list names = {0};
	size_t skip = *prefix ? strlen(prefix) + 1 : 0;
	cairn_status status = CAIRN_OK;
	crn_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n && status == CAIRN_OK; i++) {
		const char *key = s->objects[i].key;
		if (skip && (strncmp(key, prefix, skip - 1) != 0 || key[skip - 1] != '/'))
			continue;
		const char *end = strchrnul(key + skip, '/');
		status = crn_name_list_add(
			&names, key + skip, (size_t)(end - key) - skip, *end == '/', err);
	}
	crn_mutex_unlock(&s->lock);
	if (status == CAIRN_OK)
		crn_name_list_visit(&names, visit, user);
	return status;
}

static void close_store(crn_store *base)
{
	memory_store *s = (memory_store *)base;
	for (size_t i = 0; i < s->n; i++) {
		crn_free(s->objects[i].key);
		crn_free(s->objects[i].bytes);
	}
	crn_free(s->objects);
	crn_mutex_done(&s->lock);
	crn_free(base->root);
	crn_free(s);
}

static const crn_store_ops ops = {
	.get = get,
	.stat = stat_key,
	.put = put,
	.remove = remove_key,
	.list = list,
	.close = close_store,
};

cairn_status crn_memory_store_new(crn_store **ret, cairn_error *err)
{
	memory_store *s = crn_calloc(1, sizeof(*s));
	char *root = crn_strdup("memory:/");
	if (!s || !root) {
		crn_free(s);
		crn_free(root);
		return crn_fail_memory(err, "a store", sizeof(*s));
	}
	s->base = (crn_store){.ops = &ops, .root = root};
	crn_mutex_init(&s->lock, CRN_RANK_STORE);
	*ret = &s->base;
	return CAIRN_OK;
}

static cairn_status open_store(const char *url, crn_store **ret, cairn_error *err)
{
	return crn_memory_store_new(ret, err);
}

static const char *const schemes[] = {"memory://", NULL};

const crn_store_kind crn_store_memory = {
	.name = "memory",
	.summary = "an empty store in memory, gone when it is closed; for tests",
	.schemes = schemes,
	.open = open_store,
};

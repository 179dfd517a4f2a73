/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty_store.c -- see faulty_store.h. Threads: any; counters are atomic.
 *
 * Not in stores.def: there is nothing in it that a pipeline could want.
 */
#include "stores/faulty_store.h"

#include "base/mem.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

typedef struct faulty_store {
	crn_store base;
	crn_store *inner;
	crn_faults faults;
	_Atomic int64_t n_gets, n_puts;
} faulty_store;

static void pause_for(const faulty_store *s)
{
	struct timespec t = {.tv_sec = s->faults.delay_ns / 1000000000,
		.tv_nsec = s->faults.delay_ns % 1000000000};
	if (s->faults.delay_ns > 0)
		nanosleep(&t, NULL);
}

static cairn_status get(crn_store *base, const char *key, const crn_range *range, void *out,
	size_t cap, size_t *ret_n, bool *ret_found, cairn_error *err)
{
	faulty_store *s = (faulty_store *)base;
	int64_t nth = atomic_fetch_add(&s->n_gets, 1);
	pause_for(s);
	if (nth == s->faults.broken_get) {
		errno = EIO;
		return crn_fail_errno(err, CAIRN_INPUT, "reading", key);
	}
	CRN_TRY(s->inner->ops->get(s->inner, key, range, out, cap, ret_n, ret_found, err));
	if (!*ret_found)
		return CAIRN_OK;
	if (nth == s->faults.short_get)
		*ret_n /= 2;
	if (nth == s->faults.corrupt_get)
		for (size_t i = 0; i < *ret_n; i += 16)
			((unsigned char *)out)[i] ^= (unsigned char)(1 << (i / 16 % 8));
	return CAIRN_OK;
}

static cairn_status stat_key(
	crn_store *base, const char *key, crn_stat *ret, bool *ret_found, cairn_error *err)
{
	faulty_store *s = (faulty_store *)base;
	pause_for(s);
	return s->inner->ops->stat(s->inner, key, ret, ret_found, err);
}

static cairn_status put(
	crn_store *base, const char *key, const void *bytes, size_t n, cairn_error *err)
{
	faulty_store *s = (faulty_store *)base;
	int64_t nth = atomic_fetch_add(&s->n_puts, 1);
	pause_for(s);
	if (s->faults.full_from_put >= 0 && nth >= s->faults.full_from_put) {
		errno = ENOSPC;
		return crn_fail_errno(err, CAIRN_FAILED, "writing", key);
	}
	return s->inner->ops->put(s->inner, key, bytes, n, err);
}

static cairn_status remove_key(crn_store *base, const char *key, cairn_error *err)
{
	faulty_store *s = (faulty_store *)base;
	return s->inner->ops->remove(s->inner, key, err);
}

static cairn_status list(
	crn_store *base, const char *prefix, crn_list_fn visit, void *user, cairn_error *err)
{
	faulty_store *s = (faulty_store *)base;
	return s->inner->ops->list(s->inner, prefix, visit, user, err);
}

static void close_store(crn_store *base)
{
	faulty_store *s = (faulty_store *)base;
	crn_store_close(s->inner);
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

cairn_status crn_faulty_store_new(
	crn_store *take_inner, const crn_faults *faults, crn_store **ret, cairn_error *err)
{
	faulty_store *s = crn_calloc(1, sizeof(*s));
	char *root = crn_strdup(take_inner->root);
	if (!s || !root) {
		crn_free(s);
		crn_free(root);
		crn_store_close(take_inner);
		return crn_fail_memory(err, "a store", sizeof(*s));
	}
	s->base = (crn_store){.ops = &ops, .root = root};
	s->inner = take_inner;
	s->faults = *faults;
	atomic_init(&s->n_gets, 0);
	atomic_init(&s->n_puts, 0);
	*ret = &s->base;
	return CAIRN_OK;
}

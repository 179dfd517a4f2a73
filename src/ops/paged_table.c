/* SPDX-License-Identifier: Apache-2.0
 *
 * paged_table.c -- tables that may be larger than memory. See paged_table.h.
 *
 * Pages are held in sets of four slots; within a set the slot used longest ago is replaced.
 */
#include "ops/paged_table.h"

#include "ops/global_state.h"

#include <string.h>

enum { WAYS = 4, LEAST_SLOTS = 4 * WAYS };

static bool fits_quota(const crn_paged_table *t)
{
	return t->env->quota_bytes == 0 || t->n <= t->env->quota_bytes / t->item_bytes;
}

/* As many slots as the quota allows and memory gives, fewer and fewer. */
static cairn_status hold_slots(crn_paged_table *t, const char *what, cairn_error *err)
{
	size_t most = t->env->quota_bytes ? t->env->quota_bytes / CRN_PAGE_BYTES : t->n_pages;
	size_t n = (t->n_pages < most ? t->n_pages : most) / WAYS * WAYS;
	cairn_status status = CAIRN_FAILED;
	for (n = n < LEAST_SLOTS ? LEAST_SLOTS : n;; n = n / 2 / WAYS * WAYS) {
		n = n < LEAST_SLOTS ? LEAST_SLOTS : n;
		bool last = n == LEAST_SLOTS;
		status = crn_charged_alloc(
			t->env, what, n, CRN_PAGE_BYTES, &t->pages, last ? err : NULL);
		if (status == CAIRN_OK || last)
			break;
	}
	CRN_TRY(status);
	t->n_slots = n;
	CRN_TRY(crn_charged_alloc(t->env, what, n, sizeof(uint64_t), &t->held, err));
	return crn_charged_alloc(t->env, what, n, sizeof(uint64_t), &t->used, err);
}

cairn_status crn_paged_new(crn_paged_table *t, const crn_env *env, const char *what, size_t n,
	size_t item_bytes, cairn_error *err)
{
	*t = (crn_paged_table){.env = env, .item_bytes = item_bytes, .n = n};
	if (n == 0)
		return CAIRN_OK;
	if (fits_quota(t) &&
		crn_charged_alloc(env, what, n, item_bytes, &t->whole, NULL) == CAIRN_OK)
		return CAIRN_OK;
	size_t per_page = CRN_PAGE_BYTES / item_bytes;
	t->n_pages = (n + per_page - 1) / per_page;
	cairn_status status =
		crn_charged_alloc(env, what, t->n_pages, sizeof(uint64_t), &t->offset, err);
	if (status == CAIRN_OK)
		status = hold_slots(t, what, err);
	if (status != CAIRN_OK)
		crn_paged_done(t);
	return status;
}

static void drop_slots(crn_paged_table *t)
{
	crn_charged_free(t->env, &t->pages, t->n_slots, CRN_PAGE_BYTES);
	crn_charged_free(t->env, &t->held, t->n_slots, sizeof(uint64_t));
	crn_charged_free(t->env, &t->used, t->n_slots, sizeof(uint64_t));
	t->n_slots = 0;
}

void crn_paged_done(crn_paged_table *t)
{
	if (!t->env)
		return;
	crn_charged_free(t->env, &t->whole, t->n, t->item_bytes);
	drop_slots(t);
	crn_charged_free(t->env, &t->offset, t->n_pages, sizeof(uint64_t));
	*t = (crn_paged_table){0};
}

static cairn_status write_back(crn_paged_table *t, size_t slot)
{
	uint64_t held = t->held[slot];
	if (!(held & 1))
		return CAIRN_OK;
	const crn_env *env = t->env;
	const char *bytes = t->pages + slot * CRN_PAGE_BYTES;
	uint64_t page = held / 2 - 1, at;
	if (t->offset[page]) {
		CRN_TRY(env->overwrite(
			env->engine, t->offset[page] - 1, bytes, CRN_PAGE_BYTES, &t->error));
	} else {
		CRN_TRY(env->spill(env->engine, bytes, CRN_PAGE_BYTES, &at, &t->error));
		t->offset[page] = at + 1;
	}
	t->held[slot] = held - 1;
	return CAIRN_OK;
}

static cairn_status bring(crn_paged_table *t, uint64_t page, size_t slot)
{
	CRN_TRY(write_back(t, slot));
	char *to = t->pages + slot * CRN_PAGE_BYTES;
	t->held[slot] = 0;
	if (t->offset[page])
		CRN_TRY(t->env->unspill(
			t->env->engine, t->offset[page] - 1, to, CRN_PAGE_BYTES, &t->error));
	else
		memset(to, 0, CRN_PAGE_BYTES);
	t->held[slot] = 2 * (page + 1);
	return CAIRN_OK;
}

void *crn_paged_page_at(crn_paged_table *t, size_t i, bool write)
{
	size_t per_page = CRN_PAGE_BYTES / t->item_bytes;
	uint64_t page = i / per_page;
	size_t set = page % (t->n_slots / WAYS) * WAYS, slot = set;
	for (size_t k = set; k < set + WAYS; k++) {
		if (t->held[k] / 2 == page + 1) {
			slot = k;
			break;
		}
		if (t->used[k] < t->used[slot])
			slot = k;
	}
	char *item = t->pages + slot * CRN_PAGE_BYTES + i % per_page * t->item_bytes;
	if (t->held[slot] / 2 != page + 1 && t->status == CAIRN_OK)
		t->status = bring(t, page, slot);
	if (t->status != CAIRN_OK) {
		/* What is read or written no longer matters; it must only be memory, and zero. */
		memset(item, 0, t->item_bytes);
		return item;
	}
	t->used[slot] = ++t->clock;
	t->held[slot] |= write;
	return item;
}

cairn_status crn_paged_freeze(crn_paged_table *t, cairn_error *err)
{
	for (size_t k = 0; k < t->n_slots && t->status == CAIRN_OK; k++)
		t->status = write_back(t, k);
	if (t->status != CAIRN_OK) {
		if (err)
			*err = t->error;
		return t->status;
	}
	if (t->env)
		drop_slots(t);
	return CAIRN_OK;
}

cairn_status crn_paged_gather(const crn_paged_table *t, crn_page_cache *cache, size_t base,
	const uint32_t *index, size_t n, uint32_t *ret, cairn_error *err)
{
	enum { PER_PAGE = CRN_PAGE_BYTES / sizeof(uint32_t) };
	uint32_t most = 0;
	for (size_t k = 0; k < n; k++)
		most = index[k] > most ? index[k] : most;
	if (n > 0 && (base > t->n || most >= t->n - base))
		return crn_fail(err, CAIRN_FAILED, "the scratch file is damaged");
	if (t->whole) {
		const uint32_t *from = (const uint32_t *)t->whole + base;
		for (size_t k = 0; k < n; k++)
			ret[k] = from[index[k]];
		return CAIRN_OK;
	}
	for (size_t k = 0; k < n; k++) {
		uint64_t i = base + index[k], page = i / PER_PAGE;
		size_t slot = page % CRN_CACHED_PAGES;
		if (cache->held[slot] != page + 1) {
			cache->held[slot] = 0;
			if (t->offset[page])
				CRN_TRY(t->env->unspill(t->env->engine, t->offset[page] - 1,
					cache->pages[slot], CRN_PAGE_BYTES, err));
			else
				memset(cache->pages[slot], 0, CRN_PAGE_BYTES);
			cache->held[slot] = page + 1;
		}
		memcpy(&ret[k], cache->pages[slot] + i % PER_PAGE * sizeof(uint32_t),
			sizeof(uint32_t));
	}
	return CAIRN_OK;
}

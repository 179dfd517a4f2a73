/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.c -- chained hash table and LRU list of chunks. See cache.h.
 */
#include "exec/cache.h"

#include "base/mem.h"
#include "plan/layout.h"

#include <assert.h>

cairn_status crn_cache_init(crn_cache *c, crn_pool *pool, cairn_error *err)
{
	enum { FIRST_SLOTS = 1024 };
	*c = (crn_cache){.pool = pool, .n_slots = FIRST_SLOTS};
	c->slots = crn_calloc(FIRST_SLOTS, sizeof(crn_chunk *));
	return c->slots ? CAIRN_OK : crn_fail_memory(err, "the chunk cache", FIRST_SLOTS);
}

void crn_cache_done(crn_cache *c)
{
	for (size_t i = 0; i < c->n_slots && c->slots; i++) {
		while (c->slots[i]) {
			assert(c->slots[i]->pins == 0);
			crn_cache_drop(c, c->slots[i]);
		}
	}
	crn_free(c->slots);
	*c = (crn_cache){0};
}

static size_t slot_of(const crn_cache *c, crn_hash key, int64_t index)
{
	uint64_t h = key.lo ^ ((uint64_t)index * 0x9e3779b97f4a7c15u);
	return (size_t)(h ^ (h >> 29)) & (c->n_slots - 1);
}

crn_chunk *crn_cache_find(crn_cache *c, crn_hash key, int64_t index)
{
	crn_chunk *k = c->slots[slot_of(c, key, index)];
	while (k && !(k->index == index && crn_hash_equal(k->key, key)))
		k = k->next;
	return k;
}

static void grow(crn_cache *c)
{
	crn_cache bigger = {.n_slots = 2 * c->n_slots};
	bigger.slots = crn_calloc(bigger.n_slots, sizeof(crn_chunk *));
	if (!bigger.slots)
		return; /* longer chains, still correct */
	for (size_t i = 0; i < c->n_slots; i++) {
		while (c->slots[i]) {
			crn_chunk *k = c->slots[i];
			c->slots[i] = k->next;
			size_t to = slot_of(&bigger, k->key, k->index);
			k->next = bigger.slots[to];
			bigger.slots[to] = k;
		}
	}
	crn_free(c->slots);
	c->slots = bigger.slots;
	c->n_slots = bigger.n_slots;
}

crn_chunk *crn_cache_add(crn_cache *c, crn_hash key, int64_t index, size_t bytes)
{
	crn_chunk *k = crn_calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	if (c->n_chunks >= c->n_slots)
		grow(c);
	*k = (crn_chunk){.key = key, .index = index, .state = CRN_CHUNK_PENDING, .bytes = bytes};
	size_t to = slot_of(c, key, index);
	k->next = c->slots[to];
	c->slots[to] = k;
	c->n_chunks++;
	return k;
}

static void lru_remove(crn_cache *c, crn_chunk *k)
{
	*(k->older ? &k->older->newer : &c->oldest) = k->newer;
	*(k->newer ? &k->newer->older : &c->newest) = k->older;
	k->older = k->newer = NULL;
	c->idle_bytes -= crn_buffer_bytes(k->bytes);
}

static void lru_add(crn_cache *c, crn_chunk *k)
{
	k->older = c->newest;
	k->newer = NULL;
	*(c->newest ? &c->newest->newer : &c->oldest) = k;
	c->newest = k;
	c->idle_bytes += crn_buffer_bytes(k->bytes);
}

static bool is_idle(const crn_cache *c, const crn_chunk *k)
{
	return k->state == CRN_CHUNK_READY && (k->older || k->newer || c->oldest == k);
}

void crn_cache_pin(crn_cache *c, crn_chunk *k)
{
	if (k->pins == 0 && is_idle(c, k))
		lru_remove(c, k);
	k->pins++;
}

void crn_cache_unpin(crn_cache *c, crn_chunk *k, bool keep)
{
	assert(k->pins > 0);
	if (--k->pins > 0)
		return;
	if (keep && k->state == CRN_CHUNK_READY)
		lru_add(c, k);
	else if (k->state != CRN_CHUNK_PENDING)
		crn_cache_drop(c, k);
}

bool crn_cache_evict(crn_cache *c)
{
	if (!c->oldest)
		return false;
	crn_cache_drop(c, c->oldest);
	return true;
}

void crn_cache_drop(crn_cache *c, crn_chunk *k)
{
	assert(k->pins == 0 && !k->waiters);
	if (is_idle(c, k))
		lru_remove(c, k);
	crn_chunk **at = &c->slots[slot_of(c, k->key, k->index)];
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	c->n_chunks--;
	crn_pool_give(c->pool, k->data, k->bytes);
	crn_free(k->error);
	crn_free(k);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.c -- chained hash table of chunks and a heap of the idle ones. See cache.h.
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
	crn_free(c->heap);
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

/* ---- idle chunks ---- */

/* True if a is evicted before b. */
static bool goes_first(const crn_chunk *a, const crn_chunk *b)
{
	if (a->next_use != b->next_use)
		return a->next_use > b->next_use;
	return a->used_at < b->used_at;
}

static void place(crn_cache *c, crn_chunk *k, size_t at)
{
	c->heap[at] = k;
	k->heap_at = at;
}

static void sift_up(crn_cache *c, crn_chunk *k, size_t at)
{
	while (at > 1 && goes_first(k, c->heap[at / 2])) {
		place(c, c->heap[at / 2], at);
		at /= 2;
	}
	place(c, k, at);
}

static void sift_down(crn_cache *c, crn_chunk *k, size_t at)
{
	while (2 * at <= c->n_idle) {
		size_t child = 2 * at;
		if (child < c->n_idle && goes_first(c->heap[child + 1], c->heap[child]))
			child++;
		if (!goes_first(c->heap[child], k))
			break;
		place(c, c->heap[child], at);
		at = child;
	}
	place(c, k, at);
}

static void idle_remove(crn_cache *c, crn_chunk *k)
{
	size_t at = k->heap_at;
	crn_chunk *last = c->heap[c->n_idle--];
	k->heap_at = 0;
	c->idle_bytes -= crn_buffer_bytes(k->bytes);
	if (last == k)
		return;
	sift_down(c, last, at);
	sift_up(c, last, last->heap_at);
}

/* False when the heap cannot grow. */
static bool idle_add(crn_cache *c, crn_chunk *k, int64_t next_use)
{
	if (c->n_idle + 1 >= c->cap_heap) {
		size_t cap = c->cap_heap ? 2 * c->cap_heap : 256;
		crn_chunk **heap = crn_realloc_array(c->heap, cap, sizeof(*heap));
		if (!heap)
			return false;
		c->heap = heap;
		c->cap_heap = cap;
	}
	k->next_use = next_use;
	k->used_at = ++c->clock;
	c->idle_bytes += crn_buffer_bytes(k->bytes);
	sift_up(c, k, ++c->n_idle);
	return true;
}

void crn_cache_revalue(
	crn_cache *c, int64_t (*next_use)(void *user, const crn_chunk *k), void *user)
{
	for (size_t i = 1; i <= c->n_idle; i++)
		c->heap[i]->next_use = next_use(user, c->heap[i]);
	for (size_t i = c->n_idle / 2; i >= 1; i--)
		sift_down(c, c->heap[i], i);
}

int64_t crn_cache_farthest(const crn_cache *c)
{
	return c->n_idle > 0 ? c->heap[1]->next_use : -1;
}

/* ---- pins ---- */

void crn_cache_pin(crn_cache *c, crn_chunk *k)
{
	if (k->heap_at > 0)
		idle_remove(c, k);
	k->pins++;
}

void crn_cache_unpin(crn_cache *c, crn_chunk *k, bool keep, int64_t next_use)
{
	assert(k->pins > 0);
	if (--k->pins > 0 || k->state == CRN_CHUNK_PENDING)
		return;
	if (!keep || k->state != CRN_CHUNK_READY || !idle_add(c, k, next_use))
		crn_cache_drop(c, k);
}

bool crn_cache_evict(crn_cache *c)
{
	if (c->n_idle == 0)
		return false;
	crn_cache_drop(c, c->heap[1]);
	return true;
}

void crn_cache_drop(crn_cache *c, crn_chunk *k)
{
	assert(k->pins == 0 && !k->waiters);
	if (k->heap_at > 0)
		idle_remove(c, k);
	crn_chunk **at = &c->slots[slot_of(c, k->key, k->index)];
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	c->n_chunks--;
	crn_pool_give(c->pool, k->data, k->bytes);
	crn_free(k->error);
	crn_free(k);
}

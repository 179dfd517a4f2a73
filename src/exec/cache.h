/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.h -- the process-wide table of chunks: decoded source units and materialised cuts.
 *
 *	ABSENT ──first asker──> PENDING ──producer done──> READY ──unpinned, evicted──> ABSENT
 *	                           └────producer failed──> FAILED (asked again: PENDING)
 *
 * Single flight: a chunk is produced once however many tasks ask for it; later askers wait in its
 * list (their task is parked, not their thread).
 *
 * Invariants
 *  (1) A chunk with pins > 0 is not evicted. Pinned chunks are paid for by the tasks that pin them.
 *  (2) idle_bytes is the sum of READY chunks without pins, all of them in the heap.
 *  (3) The first of the heap is the chunk needed last (the longest unused among equals): it is
 *      evicted first. When a chunk is needed is a hint that its last user gives (reuse.h).
 * Threads: every function expects the scheduler's lock (rank RUN) to be held.
 */
#ifndef CRN_EXEC_CACHE_H
#define CRN_EXEC_CACHE_H

#include "base/hash.h"
#include "exec/pool.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum crn_chunk_state {
	CRN_CHUNK_PENDING,
	CRN_CHUNK_READY,
	CRN_CHUNK_FAILED
} crn_chunk_state;

typedef struct crn_waiter {
	struct crn_waiter *next;
	void *task;
} crn_waiter;

typedef struct crn_chunk {
	crn_hash key; /* of the cut: node and grid */
	int64_t index;
	crn_chunk_state state;
	void *data; /* pool buffer of `bytes`, while READY (or being filled) */
	size_t bytes;
	int pins;
	crn_waiter *waiters;
	cairn_error *error;     /* FAILED */
	int64_t next_use;       /* idle: position in the stage's walk, INT64_MAX: never */
	uint64_t used_at;       /* idle: counts up with every use of the cache */
	size_t heap_at;         /* idle: place in the heap, from 1; else 0 */
	struct crn_chunk *next; /* hash chain */
} crn_chunk;

typedef struct crn_cache {
	crn_pool *pool;
	crn_chunk **slots;
	size_t n_slots, n_chunks;
	crn_chunk **heap; /* idle chunks, from 1 */
	size_t n_idle, cap_heap;
	uint64_t clock;
	size_t idle_bytes;
} crn_cache;

CRN_CHECKED cairn_status crn_cache_init(crn_cache *c, crn_pool *pool, cairn_error *err);
void crn_cache_done(crn_cache *c);
/** NULL if absent. */
crn_chunk *crn_cache_find(crn_cache *c, crn_hash key, int64_t index);
/** New PENDING chunk without data; NULL when out of memory. */
crn_chunk *crn_cache_add(crn_cache *c, crn_hash key, int64_t index, size_t bytes);
void crn_cache_pin(crn_cache *c, crn_chunk *k);
/** Drops a pin; the last one makes the chunk idle if `keep`, else frees it. */
void crn_cache_unpin(crn_cache *c, crn_chunk *k, bool keep, int64_t next_use);
/** Frees the idle chunk needed last; false if none is idle. */
bool crn_cache_evict(crn_cache *c);
/** When the chunk that would be evicted next is needed; -1 if none is idle. */
int64_t crn_cache_farthest(const crn_cache *c);
/** Asks anew when the idle chunks are needed: a new stage has begun. */
void crn_cache_revalue(
	crn_cache *c, int64_t (*next_use)(void *user, const crn_chunk *k), void *user);
/** Takes a chunk without pins out of the table and frees it. */
void crn_cache_drop(crn_cache *c, crn_chunk *k);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.h -- the process-wide table of chunks: decoded source units and materialised cuts.
 *
 *	ABSENT ──first asker──> PENDING ──producer done──> READY ──unpinned, evicted──> ABSENT
 *				   └────producer failed──> FAILED (asked again: PENDING)
 *
 * Single flight: a chunk is produced once however many tasks ask for it; later askers wait in its
 * list (their task is parked, not their thread).
 *
 * Invariants
 *  (1) A chunk with pins > 0 is not evicted. Pinned chunks are paid for by the tasks that pin them.
 *  (2) idle_bytes is the sum of READY chunks without pins, all of them in the LRU list.
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
	cairn_error *error;              /* FAILED */
	struct crn_chunk *older, *newer; /* LRU list of idle chunks */
	struct crn_chunk *next;          /* hash chain */
} crn_chunk;

typedef struct crn_cache {
	crn_pool *pool;
	crn_chunk **slots;
	size_t n_slots, n_chunks;
	crn_chunk *oldest, *newest;
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
void crn_cache_unpin(crn_cache *c, crn_chunk *k, bool keep);
/** Frees the chunk used longest ago; false if none is idle. */
bool crn_cache_evict(crn_cache *c);
/** Takes a chunk without pins out of the table and frees it. */
void crn_cache_drop(crn_cache *c, crn_chunk *k);

#endif

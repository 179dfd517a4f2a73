/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.h -- recycled pixel buffers.
 *
 * A fresh page costs an order of magnitude more than a reused one, so buffers are kept by size
 * class (crn_buffer_bytes) and handed out again. What is held (in use + kept) never exceeds the
 * limit, as long as what is in use does: kept buffers of other classes are given back to the system
 * first.
 *
 * Threads: any; one lock (rank POOL), never held while memory is mapped or returned.
 */
#ifndef CRN_EXEC_POOL_H
#define CRN_EXEC_POOL_H

#include "base/err.h"

#include <stddef.h>

typedef struct crn_pool crn_pool;

CRN_CHECKED cairn_status crn_pool_new(crn_pool **ret, cairn_error *err);
void crn_pool_free(crn_pool *p); /* all buffers must be back */
/** Bytes that may be held; kept buffers above it are returned at once. */
void crn_pool_limit(crn_pool *p, size_t limit_bytes);
/** Uninitialised memory of crn_buffer_bytes(n), 64-byte aligned (2 MiB for large ones); NULL if the
 * system has none. */
void *crn_pool_take(crn_pool *p, size_t n);
void crn_pool_give(crn_pool *p, void *buffer, size_t n); /* n as taken; NULL is fine */
/** Bytes in use now and held now. */
void crn_pool_count(crn_pool *p, size_t *ret_used, size_t *ret_held);

#endif

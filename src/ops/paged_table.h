/* SPDX-License-Identifier: Apache-2.0
 *
 * paged_table.h -- a long table of numbers inside a memory quota: in memory if it fits, else in
 * pages of the scratch file of which some are in memory.
 *
 * A new table is all zeros. While it is written, one thread uses it; after crn_paged_freeze any
 * number may read, each with a cache of its own. Failure: reading and writing pages cannot fail one
 * by one; the first error is kept, accesses after it see zeros, and crn_paged_freeze returns it.
 * Loops that follow numbers of a table must end at 0.
 */
#ifndef CRN_OPS_PAGED_TABLE_H
#define CRN_OPS_PAGED_TABLE_H

#include "core/op.h"

enum { CRN_PAGE_BYTES = 4096, CRN_CACHED_PAGES = 8 };

typedef struct crn_paged_table {
	const crn_env *env;
	size_t item_bytes, n; /* 4 or 8; items */
	char *whole;          /* all of it, or NULL */
	/* In pages: */
	size_t n_pages, n_slots;
	uint64_t *offset; /* per page: 1 + its place in the scratch file; 0: still zeros */
	char *pages;      /* n_slots pages */
	uint64_t *held;   /* per slot: 2 * (1 + page), + 1 if it was written to; 0: none */
	uint64_t *used;   /* per slot: clock of its last use */
	uint64_t clock;
	cairn_status status;
	cairn_error error;
} crn_paged_table;

/** `what` names the table in errors. */
CRN_CHECKED cairn_status crn_paged_new(crn_paged_table *t, const crn_env *env, const char *what,
	size_t n, size_t item_bytes, cairn_error *err);
/** Everything is written: pages go to the scratch file and their memory is returned. */
CRN_CHECKED cairn_status crn_paged_freeze(crn_paged_table *t, cairn_error *err);
void crn_paged_done(crn_paged_table *t); /* also of a table that is all zeros bytes */

/** Item i of a table being written; good until the next call. */
void *crn_paged_page_at(crn_paged_table *t, size_t i, bool write);
static inline uint32_t crn_paged_get(crn_paged_table *t, size_t i)
{
	return t->whole ? ((const uint32_t *)t->whole)[i]
			: *(const uint32_t *)crn_paged_page_at(t, i, false);
}
static inline void crn_paged_set(crn_paged_table *t, size_t i, uint32_t v)
{
	if (t->whole)
		((uint32_t *)t->whole)[i] = v;
	else
		*(uint32_t *)crn_paged_page_at(t, i, true) = v;
}
/** The same for items of 8 bytes. */
static inline uint64_t *crn_paged_wide(crn_paged_table *t, size_t i)
{
	return t->whole ? (uint64_t *)t->whole + i : crn_paged_page_at(t, i, true);
}

/** A reader's cache of pages of a frozen table with items of 4 bytes. */
typedef struct crn_page_cache {
	uint64_t held[CRN_CACHED_PAGES]; /* 1 + page; 0: none */
	char pages[CRN_CACHED_PAGES][CRN_PAGE_BYTES] __attribute__((aligned(8)));
} crn_page_cache;
/** ret[k] = item index[k] + base. The cache starts as zeros (of `held`). */
CRN_CHECKED cairn_status crn_paged_gather(const crn_paged_table *t, crn_page_cache *cache,
	size_t base, const uint32_t *index, size_t n, uint32_t *ret, cairn_error *err);

#endif

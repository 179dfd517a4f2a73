/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.h -- the only doors to the heap, checked sizes, and cleanup attributes.
 *
 * Metadata (nodes, strings, tables of small size) comes from here. Pixels come from the accounted
 * pool of the engine, never from here. malloc and friends are banned elsewhere (make lint).
 * crn_mem_fail_after() makes the nth allocation fail: the fault tests rerun an action with
 * n = 0, 1, 2, ... until it succeeds.
 */
#ifndef CRN_BASE_MEM_H
#define CRN_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *crn_alloc(size_t size_bytes);            /* NULL when out of memory */
void *crn_calloc(size_t n, size_t size_bytes); /* zeroed; NULL on overflow as well */
void *crn_realloc_array(void *p, size_t n, size_t size_bytes); /* p stays valid on failure */
char *crn_strdup(const char *text);
char *crn_strndup(const char *text, size_t n);
void crn_free(void *p); /* NULL is fine */

/** The allocation after the next `n` successful ones fails, once; n < 0 switches this off. */
void crn_mem_fail_after(int64_t n);
/** True if the armed failure has happened (and disarms). */
bool crn_mem_failed(void);

/* Checked arithmetic: false on overflow, *ret untouched. */
static inline bool crn_mul_size(size_t a, size_t b, size_t *ret)
{
	size_t r;
	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}
static inline bool crn_add_size(size_t a, size_t b, size_t *ret)
{
	size_t r;
	if (__builtin_add_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}

/* Cleanup: `CRN_FREE char *path = ...;` frees at scope end; crn_steal(&path) hands it out. */
static inline void crn_free_at_(void *pp)
{
	crn_free(*(void **)pp);
}
#define CRN_FREE __attribute__((cleanup(crn_free_at_)))
#define CRN_CLEANUP(fn) __attribute__((cleanup(fn)))
#define crn_steal(pp) \
	({ \
		__typeof__(*(pp)) stolen_ = *(pp); \
		*(pp) = NULL; \
		stolen_; \
	})

#define CRN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif

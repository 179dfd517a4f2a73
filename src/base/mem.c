/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.c -- heap doors with an armed failure for tests.
 *
 * Threads: any. The failure counter is one atomic; disarmed it costs one relaxed load.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* < 0: off; 0: the next allocation fails; n > 0: n allocations to go. */
static _Atomic int64_t fail_after = -1;
static _Atomic bool fail_happened;

static bool must_fail(void)
{
	if (atomic_load_explicit(&fail_after, memory_order_relaxed) < 0)
		return false;
	if (atomic_fetch_sub(&fail_after, 1) != 0)
		return false;
	atomic_store(&fail_happened, true);
	return true;
}

void crn_mem_fail_after(int64_t n)
{
	atomic_store(&fail_happened, false);
	atomic_store(&fail_after, n);
}

bool crn_mem_failed(void)
{
	atomic_store(&fail_after, -1);
	return atomic_exchange(&fail_happened, false);
}

void *crn_alloc(size_t size_bytes)
{
	return must_fail() ? NULL : malloc(size_bytes ? size_bytes : 1);
}

void *crn_calloc(size_t n, size_t size_bytes)
{
	size_t total;
	if (!crn_mul_size(n, size_bytes, &total) || must_fail())
		return NULL;
	return calloc(1, total ? total : 1);
}

void *crn_realloc_array(void *p, size_t n, size_t size_bytes)
{
	size_t total;
	if (!crn_mul_size(n, size_bytes, &total) || must_fail())
		return NULL;
	return realloc(p, total ? total : 1);
}

char *crn_strndup(const char *text, size_t n)
{
	char *copy = crn_alloc(n + 1);
	if (copy) {
		memcpy(copy, text, n);
		copy[n] = '\0';
	}
	return copy;
}

char *crn_strdup(const char *text)
{
	return crn_strndup(text, strlen(text));
}

void crn_free(void *p)
{
	free(p);
}

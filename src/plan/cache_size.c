/* SPDX-License-Identifier: Apache-2.0
 *
 * cache_size.c -- the size of the second-level cache, as sysconf() tells it. See cache_size.h.
 */
#include "plan/cache_size.h"

#include <stdatomic.h>
#include <unistd.h>

#define USUAL_BYTES ((size_t)1 << 20) /* where the system does not say */

size_t crn_cache_bytes(void)
{
	static _Atomic size_t known; /* every thread finds the same number */
	size_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
	if (bytes == 0) {
		long told = sysconf(_SC_LEVEL2_CACHE_SIZE);
		bytes = (told > 0 ? (size_t)told : USUAL_BYTES) / 2;
		atomic_store_explicit(&known, bytes, memory_order_relaxed);
	}
	return bytes;
}

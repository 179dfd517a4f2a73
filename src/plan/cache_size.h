/* SPDX-License-Identifier: Apache-2.0
 *
 * cache_size.h -- how much of a core's own cache the buffers of a tile may fill.
 */
#ifndef CRN_PLAN_CACHE_SIZE_H
#define CRN_PLAN_CACHE_SIZE_H

#include <stddef.h>

/** Half of the second-level cache; asked of the system once. Never changes a byte of a result. */
size_t crn_cache_bytes(void);

#endif

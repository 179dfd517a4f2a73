/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_store.h -- a store that lives as long as its struct; for tests and fuzzers.
 */
#ifndef CRN_STORES_MEMORY_STORE_H
#define CRN_STORES_MEMORY_STORE_H

#include "core/store.h"

CRN_CHECKED cairn_status crn_memory_store_new(crn_store **ret, cairn_error *err);

#endif

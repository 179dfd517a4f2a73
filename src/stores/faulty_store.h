/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty_store.h -- wraps another store and lets chosen calls go wrong; for tests only.
 *
 * Each `nth` counts calls of its kind from 0; < 0 never happens. The counters belong to the store.
 */
#ifndef CRN_STORES_FAULTY_STORE_H
#define CRN_STORES_FAULTY_STORE_H

#include "core/store.h"

typedef struct crn_faults {
	int64_t full_from_put; /* this put and all after it: no space left */
	int64_t broken_get;    /* this get: input/output error */
	int64_t short_get;     /* this get: half of the bytes, reported as such */
	int64_t corrupt_get;   /* this get: one bit of each 16th byte flipped */
	int64_t delay_ns;      /* every call sleeps that long; 0: none */
} crn_faults;

#define CRN_NO_FAULTS ((crn_faults){-1, -1, -1, -1, 0})

CRN_CHECKED cairn_status crn_faulty_store_new(
	crn_store *take_inner, const crn_faults *faults, crn_store **ret, cairn_error *err);

#endif

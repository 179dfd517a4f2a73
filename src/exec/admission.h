/* SPDX-License-Identifier: Apache-2.0
 *
 * admission.h -- who may start now: the arithmetic of the memory budget, and nothing else.
 *
 *	budget = standing | one slot per level | general part
 *	                                         └─ reserved by tasks + tables beyond their
 *	                                            allowance + idle chunks of the cache
 *
 * A task starts when it gets a *grant*: its level's slot if that is free, else work_bytes of the
 * general part. Idle chunks give way to grants and tables; who evicts them is the caller's business
 * (crn_admission_over() says how long).
 *
 * Invariants
 *  (1) reserved + tables beyond + idle <= general, after every call and the evictions it asks for.
 *  (2) A slot has at most one holder, and its bytes are set aside from the start.
 * Pure: no locks, no memory, no clock. The scheduler calls it under its lock; the model check
 * (admission_model_test.c) walks through every state of small runs with the same code.
 */
#ifndef CRN_EXEC_ADMISSION_H
#define CRN_EXEC_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>

#define CRN_ADMISSION_SLOTS 65 /* the stage and every level of cuts */

typedef struct crn_admission {
	size_t general, standing;
	size_t reserved, slots_used; /* by grants */
	size_t tables, table_allowance;
	size_t peak; /* of crn_admission_charged() */
	size_t slot_bytes[CRN_ADMISSION_SLOTS];
	bool slot_taken[CRN_ADMISSION_SLOTS];
} crn_admission;

/** What a running task holds. */
typedef struct crn_grant {
	bool slot;
	int level; /* -1: the stage; else of the cut */
	size_t bytes;
} crn_grant;

typedef enum crn_answer { CRN_REFUSED, CRN_BY_SLOT, CRN_FROM_GENERAL } crn_answer;

/** How a task of this level and size could start now, if all idle chunks gave way. */
crn_answer crn_admission_ask(const crn_admission *a, int level, size_t bytes);
/** True while an idle chunk has to go before `bytes` more fit the general part. */
bool crn_admission_over(const crn_admission *a, size_t idle_bytes, size_t bytes);
/** Takes what was asked for; for CRN_FROM_GENERAL, crn_admission_over() must be false. */
crn_grant crn_admission_take(
	crn_admission *a, crn_answer answer, int level, size_t bytes, size_t idle_bytes);
void crn_admission_release(crn_admission *a, const crn_grant *g);

/** May `bytes` more be idle (with evictions)? */
bool crn_admission_fits(const crn_admission *a, size_t bytes);

/** Bytes of the general part that growing the tables by n would take. */
size_t crn_admission_table_part(const crn_admission *a, size_t n);
void crn_admission_grow_tables(crn_admission *a, size_t n, size_t idle_bytes);
void crn_admission_shrink_tables(crn_admission *a, size_t n);

/** Everything charged to the budget now. */
size_t crn_admission_charged(const crn_admission *a, size_t idle_bytes);

#endif

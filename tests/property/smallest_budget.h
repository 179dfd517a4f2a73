/* SPDX-License-Identifier: Apache-2.0
 *
 * smallest_budget.h -- the budget at the edge: what a refused run says would be enough, for tests
 * that run with exactly that. Asks by a run with one byte, which computes nothing when it is
 * refused.
 */
#ifndef CRN_TESTS_SMALLEST_BUDGET_H
#define CRN_TESTS_SMALLEST_BUDGET_H

#include "exec/run.h"

#include <stdio.h>
#include <string.h>

/* The budget that a refusal says is enough; 0 if even 1 byte is. */
static inline size_t crn_test_smallest_budget(
	crn_engine *e, crn_node *n, const crn_region *r, const crn_view *out, crn_run_options o)
{
	cairn_error err;
	unsigned long long need = 0;
	o.memory_bytes = 1;
	if (crn_run_region(e, n, r, out, &o, NULL, &err) != CAIRN_NOFIT)
		return 0;
	const char *at = strchr(err.message, '(');
	if (!at || sscanf(at, "(%llu bytes", &need) != 1)
		return 0;
	return (size_t)need;
}

#endif

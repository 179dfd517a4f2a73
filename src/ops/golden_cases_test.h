/* SPDX-License-Identifier: Apache-2.0
 *
 * golden_cases_test.h -- for tests: runs the cases of a golden text file
 * (tests/golden/elementwise).
 *
 * One line a case: an op, its operands (arrays of the file or literals) and what NumPy answers. The
 * op is called by name, evaluated by the eager driver, and compared.
 */
#ifndef CRN_OPS_GOLDEN_CASES_TEST_H
#define CRN_OPS_GOLDEN_CASES_TEST_H

#include "core/call.h"

typedef struct golden_counts {
	int n_cases, n_failures; /* lines run, lines whose answer was wrong */
} golden_counts;

/** Runs every case of `file`. Wrong answers are printed to stderr with their line number. `tiles`:
 * each result must also come out the same by small tiles, lazily and in any order. Aborts when the
 * file cannot be read. */
golden_counts golden_run(const char *file, bool tiles);

#endif

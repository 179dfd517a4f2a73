/* SPDX-License-Identifier: Apache-2.0
 *
 * output_lock.h -- one writer an output: a lock file beside it, held while a run writes it.
 *
 *	results/labels.zarr			the output
 *	results/.labels.zarr.cairn-lock		"<process id> <host>", removed when the run ends
 *
 * The lock is the system's (an open file description lock), so a killed process holds none; the
 *file it leaves is taken over by the next run. It lies beside the output, not in its journal's
 *folder, because `replace` removes that folder. Works between hosts where the file system passes
 *locks on.
 */
#ifndef CRN_EXEC_OUTPUT_LOCK_H
#define CRN_EXEC_OUTPUT_LOCK_H

#include "base/err.h"

typedef struct crn_output_lock {
	int fd_plus_1;
	char *path; /* owned */
} crn_output_lock;

/**
 * Takes the lock of the output `url`; `part` tells outputs in one file apart (table names), or
 * NULL.
 *
 * @return EXISTS when another run holds it, naming the process; FAILED when there can be no file
 */
CRN_CHECKED cairn_status crn_output_lock_take(
	const char *url, const char *part, crn_output_lock *ret, cairn_error *err);
/** Removes the file that a killed run left, if there is one and nobody holds it. */
void crn_output_lock_sweep(const char *url, const char *part);
/** Removes the file and lets go; safe on a zeroed struct. */
void crn_output_lock_give(crn_output_lock *l);

#endif

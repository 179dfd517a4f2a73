/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_part.h -- an output file that exists under a temporary name until it is complete.
 *
 *	results/mask.npy                 the name the user asked for; appears in finish
 *	results/.mask.npy.cairn/         journal folder (the engine's files, too)
 *	results/.mask.npy.cairn/data     the file while it is being written
 *
 * Resuming opens `data` again. When the file is complete already (finish was done), it is opened
 * under its final name for checking; a write then takes it back to the temporary name first, so a
 * file under the final name is always complete.
 *
 * Threads: reads and writes of distinct byte ranges from any thread. Failure: FAILED with the path.
 */
#ifndef CRN_FORMATS_RAW_PART_H
#define CRN_FORMATS_RAW_PART_H

#include "base/disk.h"
#include "base/str.h"
#include "base/thread.h"

#include <stdint.h>

typedef struct crn_part {
	int fd_plus_1;
	char *path, *temp; /* final and temporary name; owned */
	crn_mutex lock;    /* guards `complete` and the renames */
	bool complete;     /* lies under its final name */
	bool lock_made;
	bool fresh;      /* made now: what a journal says of it is not so */
	crn_fsync fsync; /* not NONE: finish returns when the file is on disk. Set after opening. */
} crn_part;

/** Journal folder of a single output file: "<dir>/.<file>.cairn". */
void crn_part_journal_path(const char *url, crn_str *ret);

/**
 * Opens the temporary file (or, with `resume`, what is there).
 *
 * @param size_bytes final size, reserved on disk now (FAILED when the disk has no room); 0: unknown
 */
CRN_CHECKED cairn_status crn_part_open(
	const char *url, bool resume, uint64_t size_bytes, crn_part *ret, cairn_error *err);
/** Opens what is there for reading only: the file, else the temporary, else nothing (reads of 0).
 */
CRN_CHECKED cairn_status crn_part_open_stored(const char *url, crn_part *ret, cairn_error *err);
CRN_CHECKED cairn_status crn_part_write(
	crn_part *p, uint64_t offset, const void *bytes, size_t n, cairn_error *err);
/** *ret_n < n at the end of the file. */
CRN_CHECKED cairn_status crn_part_read(
	crn_part *p, uint64_t offset, void *bytes, size_t n, size_t *ret_n, cairn_error *err);
/** Gives the file its final name. Harmless when it has it. */
CRN_CHECKED cairn_status crn_part_finish(crn_part *p, cairn_error *err);
/** Closes; what was written stays for a resume. */
void crn_part_close(crn_part *p);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h -- what of an output is done: the proof of completeness and the ground for resuming.
 *
 * A text file beside the output (format->journal_path). The first line is a JSON object: plan hash,
 * url, format, dtype, shape, unit, pipeline text. Then one line per stored unit:
 *
 *	u <unit index> <checksum, 16 hex digits> <bytes>	stored object
 *	f <unit index>						all fill: nothing is stored
 *	b <boot id> <fsync policy>				a run begins, on this start of the
 *machine s <n>							what the first n bytes name is on
 *disk done							all units and the metadata are there
 *
 * Invariants
 *  (1) A line is appended after its object is in place (renamed); a torn last line is cut off.
 *  (2) "done" is written after the output's metadata. An output without it is incomplete.
 *  (3) A journal of another plan is never continued.
 *  (4) With fsync policy `each` the object is on disk before its line; with `batch` before the next
 *      "s" line; with both before "done". A killed process loses nothing that was written. A power
 *cut may: so lines are *sure* only if they were written since the machine started, under `each`, or
 *before an "s". A resume looks at the sizes of sure units, and re-reads the others. Threads:
 *crn_journal_add from any worker (lock of rank JOURNAL). Failure: a line that could not be written
 *whole is cut off again.
 */
#ifndef CRN_EXEC_JOURNAL_H
#define CRN_EXEC_JOURNAL_H

#include "base/disk.h"
#include "base/json.h"
#include "core/format.h"

typedef struct crn_journal crn_journal;

enum { CRN_BOOT_ID_BYTES = 40 };
/** Text that differs from start to start of the machine; false (and "-") where the system has none.
 */
bool crn_boot_id(char ret[CRN_BOOT_ID_BYTES]);

/** What stands at a place where an output shall go. */
typedef enum crn_output_state {
	CRN_OUTPUT_ABSENT,   /* nothing there */
	CRN_OUTPUT_FOREIGN,  /* something without our journal */
	CRN_OUTPUT_OTHER,    /* ours, by another plan */
	CRN_OUTPUT_PARTIAL,  /* ours, same plan, incomplete */
	CRN_OUTPUT_COMPLETE, /* ours, same plan, done */
} crn_output_state;

typedef struct crn_journal_head {
	crn_hash plan; /* of the sink node */
	const char *url;
	const char *format;
	const crn_type *type;
	const int64_t *unit;
	const crn_value
		*options; /* by format->write_params order; kept so that verify can open it */
	const crn_param *option_params;
	const char *description;
	crn_fsync fsync;
} crn_journal_head;

CRN_CHECKED cairn_status crn_journal_inspect(const crn_format *f, const char *url, crn_hash plan,
	crn_output_state *ret, cairn_error *err);
/** Deletes an output and its journal (replace). Killed at any moment, it leaves the old output
 * whole, or nothing under its name, or (patterns) something without a journal. */
CRN_CHECKED cairn_status crn_output_remove(const crn_format *f, const char *url, cairn_error *err);
/** Deletes what a killed crn_output_remove() left. */
CRN_CHECKED cairn_status crn_output_reap(const char *url, cairn_error *err);
/** New journal, or (resume) continues the one that is there. */
CRN_CHECKED cairn_status crn_journal_open(const crn_format *f, const crn_journal_head *head,
	bool resume, crn_journal **ret, cairn_error *err);
/** Asks `same` for every recorded unit (sure: a quick look will do) and forgets the others. */
CRN_CHECKED cairn_status crn_journal_recheck(crn_journal *j,
	bool (*same)(void *user, int64_t unit, const crn_unit_record *record, bool sure),
	void *user, cairn_error *err);
bool crn_journal_has(const crn_journal *j, int64_t unit); /* any thread */
CRN_CHECKED cairn_status crn_journal_add(
	crn_journal *j, int64_t unit, const crn_unit_record *record, cairn_error *err);
/** Forces all units to the disk, unless the policy is `none`. Before the sink's finish. */
CRN_CHECKED cairn_status crn_journal_settle(crn_journal *j, cairn_error *err);
/** After the sink's finish: forces what it did to the disk (as above), then writes "done". */
CRN_CHECKED cairn_status crn_journal_done(crn_journal *j, cairn_error *err);
int64_t crn_journal_count(const crn_journal *j); /* units recorded */
void crn_journal_close(crn_journal *j);          /* NULL is fine */

typedef enum crn_doneness {
	CRN_UNDONE,
	CRN_DONE_UNSURE, /* done, but a power cut may have taken some of it since */
	CRN_DONE,
} crn_doneness;

/** Reads a journal: the head, then every record through `each` (may be NULL). INPUT if there is
 * none. */
CRN_CHECKED cairn_status crn_journal_read(const char *path, crn_json **ret_head,
	crn_doneness *ret_done,
	cairn_status (*each)(void *user, int64_t unit, const crn_unit_record *record, bool sure,
		cairn_error *err),
	void *user, cairn_error *err);

#endif

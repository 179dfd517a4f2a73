/* SPDX-License-Identifier: Apache-2.0
 *
 * run.h -- the local engine: sinks in, bytes out.
 *
 * A run takes SINK nodes (write(), print()), plans them (src/plan), and executes the plan with
 * threads inside one memory budget. The same entry computes a region straight into memory, for
 * view, the C interface and Python.
 *
 * Threads: every call blocks until done and may be made from any thread, several at a time; the
 * chunk cache and the memory pool belong to the engine and are shared by its runs.
 */
#ifndef CRN_EXEC_RUN_H
#define CRN_EXEC_RUN_H

#include "base/disk.h"
#include "core/op.h"
#include "plan/costs.h"

typedef struct crn_engine crn_engine; /* threads' shared things: pool, chunk cache, budget */

typedef enum crn_on_exists { CRN_EXISTS_FAIL, CRN_EXISTS_RESUME, CRN_EXISTS_REPLACE } crn_on_exists;

typedef enum crn_profile_style {
	CRN_PROFILE_NONE,
	CRN_PROFILE_JSON,
	CRN_PROFILE_HTML, /* one self-contained page */
	CRN_PROFILE_TRACE /* Chrome trace events, for Perfetto */
} crn_profile_style;

/** A moment of a run, for progress displays. Counts are over the whole run. */
typedef struct crn_progress {
	int stage, n_stages;
	const char *stage_name; /* "label: pass 1", "write labels.zarr" */
	int64_t done, total;    /* voxels of this stage's output grid */
	double fraction;        /* of the whole run, 0..1 */
	int64_t bytes_read, bytes_written;
	int64_t memory_bytes;          /* charged now */
	double elapsed_s, remaining_s; /* remaining < 0: unknown yet */
	bool resumed;                  /* some units were found done */
} crn_progress;

typedef struct crn_run_options {
	int n_threads;       /* 0: crn_n_cores() */
	size_t memory_bytes; /* 0: crn_default_memory() */
	crn_isa isa;         /* from crn_isa_choose */
	crn_on_exists on_exists;
	bool keep_going;           /* failed chunks do not stop the run; the run ends PARTIAL */
	const char *scratch_dir;   /* NULL: CAIRN_SCRATCH, else beside the output, else TMPDIR */
	const char *description;   /* pipeline text kept in the journal; may be NULL */
	crn_profile_style profile; /* other than NONE: report.profile, and what it needs */
	crn_fsync fsync;           /* of outputs; see base/disk.h */
	/* Called about `progress_ns` apart and once at the end, from one thread at a time, no lock
	 * held. */
	void (*progress)(void *user, const crn_progress *p);
	int64_t progress_ns;
	/* print() sinks, in order, after everything before them is done. */
	void (*print)(void *user, const char *label, const crn_type *type, const crn_view *value);
	void *user;
	/* Set to 1 by a signal handler: what is in flight is finished, then INTERRUPTED; 2: stop
	 * soon. */
	const volatile int *cancel;
	/* Workers wished for now; may be changed while the run is on. The run sets 0 to n_threads.
	 * May be NULL. */
	volatile int *threads;
	int64_t tile_voxels; /* tests: tiles of at most so many voxels; 0: the plan decides */
	int64_t slab_rows;   /* tests: planes a tile is walked at a time; 0: the plan decides */
	uint64_t jitter;     /* tests: workers pause at random moments of this seed; 0: never */
} crn_run_options;

/** What a run did; for --profile, tests of law 1 and the last line of output. */
typedef struct crn_report {
	double seconds;
	int64_t units_written, units_skipped; /* skipped: found done on resume */
	int64_t bytes_read, bytes_written, units_read;
	size_t peak_memory_bytes; /* charged */
	char *json;               /* one object: per-node voxels and times, reads, stages; owned */
	char *profile;            /* in the style asked for, or NULL; owned */
} crn_report;
void crn_report_done(crn_report *r);

CRN_CHECKED cairn_status crn_engine_new(const crn_registry *r, crn_engine **ret, cairn_error *err);
void crn_engine_free(crn_engine *e); /* no run may be active; NULL is fine */
/** Plans with the cost table in `path` (absent: as without), and teaches it with every run. Without
 * this call the descriptors' figures serve and nothing is learned. */
CRN_CHECKED cairn_status crn_engine_use_machine(
	crn_engine *e, const char *path, bool learn, cairn_error *err);
/** For tests: costs are multiplied by random factors, which may change plans but no byte. 0: off.
 */
void crn_engine_scramble_costs(crn_engine *e, uint64_t seed);
/** The table as JSON. */
void crn_engine_print_costs(crn_engine *e, crn_str *out);

/** Runs sinks in order. See the exit codes for what can go wrong. report may be NULL. */
CRN_CHECKED cairn_status crn_run(crn_engine *e, crn_node *const *sinks, int n_sinks,
	const crn_run_options *options, crn_report *report, cairn_error *err);

/** Computes `region` of an array into `out` (region's extents, the array's dtype, rows contiguous).
 * The memory of `out` is the caller's and not charged. */
CRN_CHECKED cairn_status crn_run_region(crn_engine *e, crn_node *array, const crn_region *region,
	const crn_view *out, const crn_run_options *options, crn_report *report, cairn_error *err);

typedef enum crn_explain_style {
	CRN_EXPLAIN_TEXT,
	CRN_EXPLAIN_JSON,
	CRN_EXPLAIN_DOT,
	CRN_EXPLAIN_SVG
} crn_explain_style;

/** Plans without running: stages, tasks, voxels per node, bytes, files, memory against the budget.
 * A plan that does not fit is printed too, with a note (cubed's lesson); running it is NOFIT. */
CRN_CHECKED cairn_status crn_explain(crn_engine *e, crn_node *const *sinks, int n_sinks,
	const crn_run_options *options, crn_explain_style style, crn_str *out, cairn_error *err);

/** Re-reads every stored unit of an output against its journal. MISMATCH names the first bad unit
 * and the count; INPUT if there is no journal. Appends a JSON object with the figures to out. */
CRN_CHECKED cairn_status crn_verify(crn_engine *e, const char *url, const crn_run_options *options,
	crn_str *out, cairn_error *err);

/** 60 % of min(cgroup limit, physical memory). */
size_t crn_default_memory(void);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * state.h -- everything that changes while a plan runs; the plan itself never does.
 * Private to exec/: run.c makes it, jobs read it.
 */
#ifndef CRN_EXEC_STATE_H
#define CRN_EXEC_STATE_H

#include "exec/journal.h"
#include "exec/run.h"
#include "exec/sched.h"

struct crn_engine {
	const crn_registry *registry;
	crn_pool *pool;
	crn_cache cache;      /* lock: the scheduler's, while a run is on */
	crn_mutex turn;       /* runs take turns (rank ENGINE) */
	crn_mutex costs_lock; /* costs, costs_path: held while planning and learning */
	crn_costs costs;      /* of this machine */
	char *costs_path;     /* where lessons are saved; NULL: nothing is learned */
};

/** What crn_env.engine of a global op points to. */
typedef struct crn_env_handle {
	struct crn_state *st;
	struct crn_spill *spill; /* made on first use; lock below */
	crn_mutex lock;          /* rank STORE: around making the file only */
} crn_env_handle;

typedef struct crn_state {
	crn_engine *engine;
	const crn_plan *plan;
	const crn_run_options *options;
	crn_sched *sched;
	crn_frame_env env;
	void **states;       /* per plan->globals: the op's state once its passes are done */
	crn_view *residents; /* per plan->residents: result, in a pool buffer */
	crn_env *envs;       /* per plan->globals; ops keep a pointer until end() */
	crn_env_handle *env_handles;
	crn_trace *trace;
	const char *scratch_dir;
	crn_node **needed; /* nodes of outputs that are not there yet; NULL: all */
	int n_needed;
	const char *checkpoint_dir; /* NULL: passes keep nothing */
	_Atomic int64_t *voxels;    /* per plan->infos: computed */
	_Atomic int64_t *folded;    /* per plan->infos: looked at by reductions and global ops */
	int64_t *restored;      /* per plan->infos: not looked at again, thanks to checkpoints */
	_Atomic int64_t *units; /* per plan->cuts: chunks produced */
	_Atomic int64_t bytes_read, bytes_written, units_written, units_skipped;
	/* progress, from crn_sched's watcher */
	int stage;
	int64_t stage_total;
	double done_ns, total_ns;       /* estimated work: before this stage, of all */
	int64_t start_ns, cpu_start_ns; /* clocks of the wall and of all threads' processor time */
} crn_state;

typedef struct crn_plan_request {
	crn_node *const *sinks; /* or one array with a region */
	int n_sinks;
	const crn_run_options *options;
	const crn_region *region;
} crn_plan_request;

/** Plans with the options over this machine's defaults, and its costs. */
CRN_CHECKED cairn_status crn_engine_plan(
	crn_engine *e, const crn_plan_request *q, crn_plan **ret, cairn_error *err);

/* crn_env's services. */
CRN_CHECKED cairn_status crn_state_charge(void *engine, int64_t delta_bytes, cairn_error *err);
CRN_CHECKED cairn_status crn_state_spill(
	void *engine, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err);
CRN_CHECKED cairn_status crn_state_unspill(
	void *engine, uint64_t offset, void *bytes, size_t n, cairn_error *err);
CRN_CHECKED cairn_status crn_state_overwrite(
	void *engine, uint64_t offset, const void *bytes, size_t n, cairn_error *err);

/** Folds one tile of a reduction's input into accumulators of region `whole`. */
CRN_CHECKED cairn_status crn_reduce_fold_into(crn_state *st, const crn_node *n, const crn_view *in,
	const crn_region *in_region, void *acc, const crn_region *whole, cairn_error *err);

/* Stage bodies: jobs.c, folds.c, producers.c. Each runs its job(s) to the end. */
CRN_CHECKED cairn_status crn_run_array_stage(
	crn_state *st, const crn_stage *s, crn_journal *journal, crn_sink *sink, cairn_error *err);
CRN_CHECKED cairn_status crn_run_memory_stage(
	crn_state *st, const crn_stage *s, const crn_view *out, cairn_error *err);
/** GLOBAL and RESIDENT: all folds of the stage. */
CRN_CHECKED cairn_status crn_run_fold_stage(crn_state *st, const crn_stage *s, cairn_error *err);

/** Producer jobs of all cuts; *ret and its entries are freed by crn_producers_free(). */
CRN_CHECKED cairn_status crn_producers_new(crn_state *st, crn_job ***ret, cairn_error *err);
void crn_producers_free(crn_state *st, crn_job **jobs);

/* Scratch file of a global op (spill.c): created on first use, unlinked at once, so a kill leaves
 * nothing behind. */
typedef struct crn_spill crn_spill;
CRN_CHECKED cairn_status crn_spill_new(const char *folder, crn_spill **ret, cairn_error *err);
/** The same under a name, so that a resume finds it; what is in it stays. */
CRN_CHECKED cairn_status crn_spill_open(const char *path, crn_spill **ret, cairn_error *err);
uint64_t crn_spill_end(const crn_spill *s);
void crn_spill_empty(crn_spill *s); /* forgets what is in it */
void crn_spill_free(crn_spill *s);
CRN_CHECKED cairn_status crn_spill_append(
	crn_spill *s, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err);
CRN_CHECKED cairn_status crn_spill_write(
	crn_spill *s, uint64_t offset, const void *bytes, size_t n, cairn_error *err);
CRN_CHECKED cairn_status crn_spill_read(
	crn_spill *s, uint64_t offset, void *bytes, size_t n, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * output_state.h -- before a run: may its outputs be written, and which are there already?
 *
 * Decides for all sinks together, so that an existing output stops the run before anything is
 * computed. Rules (law 5):
 *
 *	absent                     write it
 *	same plan, incomplete      go on where it stopped (any mode)
 *	same plan, complete        skip it if another output of the run still has work, or with
 *	                           on_exists=resume; else EXISTS
 *	anything else              EXISTS, unless on_exists=replace
 *	one of the run's inputs    EXISTS, whatever the mode
 */
#ifndef CRN_EXEC_OUTPUT_STATE_H
#define CRN_EXEC_OUTPUT_STATE_H

#include "exec/journal.h"
#include "exec/output_lock.h"
#include "exec/run.h"

typedef struct crn_output {
	crn_node *sink;
	bool is_table, is_print;
	crn_output_state state;
	bool skip;   /* complete already */
	bool resume; /* continue what is there */
	crn_output_lock lock;
} crn_output;

/** Inspects n sinks and decides; ret has n entries. Deletes nothing. */
CRN_CHECKED cairn_status crn_outputs_decide(const crn_registry *r, crn_node *const *sinks, int n,
	crn_on_exists mode, crn_output *ret, cairn_error *err);

/**
 * Locks every output that will be written, and looks at it once more: EXISTS when another run is
 * writing it, or has since crn_outputs_decide(). Removes what killed runs left beside it.
 */
CRN_CHECKED cairn_status crn_outputs_lock(
	const crn_registry *r, crn_output *o, int n, cairn_error *err);
void crn_outputs_unlock(crn_output *o, int n);

/** Every node that an output which is not skipped depends on, itself included; *ret is to be freed.
 */
CRN_CHECKED cairn_status crn_outputs_nodes(
	const crn_output *o, int n, crn_node ***ret, int *ret_n, cairn_error *err);

/** For a sink that is not skipped: removes what `replace` allows to remove. */
CRN_CHECKED cairn_status crn_output_clear(
	const crn_registry *r, const crn_output *o, crn_on_exists mode, cairn_error *err);

/**
 * Where the run keeps checkpoints of its passes: with the journal of its first output, or in the
 * scratch folder if one was given. Empty when it has no output. With `replace`, removes what is
 * there.
 */
CRN_CHECKED cairn_status crn_checkpoint_folder(const crn_registry *r, const crn_output *o, int n,
	const crn_run_options *options, crn_str *ret, cairn_error *err);

/* Tables have no units; what is kept of them is that they are there, written by this plan. `proof`:
 * what will be there, said before finish; NULL: it is done. */
CRN_CHECKED cairn_status crn_table_mark(
	const crn_node *sink, const char *proof, bool sync, cairn_error *err);
const char *crn_sink_url(const crn_node *sink); /* a path: without "file://" */
/** Format of a table sink by suffix; USAGE with the known ones. */
CRN_CHECKED cairn_status crn_table_format_of(const crn_registry *r, const crn_node *sink,
	const crn_table_format **ret, cairn_error *err);
/** Table name of a sink ("objects" by default). */
const char *crn_table_name(const crn_node *sink);
bool crn_table_appends(const crn_node *sink);

#endif

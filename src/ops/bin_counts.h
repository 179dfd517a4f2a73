/* SPDX-License-Identifier: Apache-2.0
 *
 * bin_counts.h -- counting values in equal bins: the engine behind histogram, histogram_bin_edges
 * and threshold_otsu.
 *
 *	pass 0 (unless the range is given): smallest and largest value, exactly
 *	pass 1: counts; each value goes to the bin whose edges enclose it, the last bin closed
 * Integers up to 16 bits take one pass: every value is counted, and the counts then put into bins.
 *
 * Edges are numpy.histogram's: float32 for float32 arrays, float64 for others. With `by_value`
 *every integer from smallest to largest has its own bin instead (scikit-image).
 */
#ifndef CRN_OPS_BIN_COUNTS_H
#define CRN_OPS_BIN_COUNTS_H

#include "kernels/row_stats.h"
#include "core/op.h"

typedef struct crn_bin_counts {
	const crn_env *env;
	crn_dtype dtype;
	bool by_value, counts_wanted, has_range, narrow;
	int64_t n_bins;
	double first, last; /* outer edges */
	int64_t min_key, max_key;
	uint64_t *values; /* crn_bin_counts_narrow(): CRN_KEY_COUNTS counts, until the pass's end */
	double *edges;    /* n_bins + 1; exact float32 values for float32 arrays */
	int64_t *counts;
} crn_bin_counts;

#define CRN_BIN_COUNTS_MAX ((int64_t)1 << 24)

/** True if counting this node's input takes one pass whatever the bins. */
bool crn_bin_counts_narrow(const crn_node *n);
/** n_bins (or by_value); with has_range: first and last, or min_key and max_key by value. */
CRN_CHECKED cairn_status crn_bin_counts_new(const crn_bin_counts *wish, const crn_node *n,
	const crn_env *env, void **ret_state, cairn_error *err);
/** crn_global hooks but for begin, n_passes (2; 1 if narrow, with a range, or without counts) and
 * fold_scratch (8 bytes a bin makes counting fast unless narrow; less is correct). The state is the
 * crn_bin_counts. */
cairn_status crn_bin_counts_pass_begin(
	void *state, int pass, const crn_grid *grid, cairn_error *err);
size_t crn_bin_counts_partial_bytes(const crn_node *n, int pass);
void crn_bin_counts_partial_init(const void *state, int pass, void *partial);
cairn_status crn_bin_counts_fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err);
cairn_status crn_bin_counts_merge(void *state, int pass, void *partial, cairn_error *err);
cairn_status crn_bin_counts_pass_end(void *state, int pass, cairn_error *err);
void crn_bin_counts_end(void *state);

#endif

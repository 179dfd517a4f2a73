/* SPDX-License-Identifier: Apache-2.0
 *
 * eager.h -- a small driver of op hooks for tests: evaluates array nodes straight from core/op.h.
 *
 * It stands where the engine stands, without planning, threads, budget or cache, and is as hostile
 * as the contract allows: rows at odd addresses with gaps between them, guard bytes round every
 * output and scratch block, garbage in uninitialised memory, inputs checked for being untouched,
 * every tile computed twice over different garbage. What breaks a promise comes back as FAILED
 * with a message that names the op and the region.
 *
 *	crn_view got;
 *	assert_int_equal(crn_eager(node, &got, &err), CAIRN_OK);
 *	... crn_view_at(&got, idx) ...
 *	crn_eager_free(&got);
 *
 * Threads: none inside; calls on different nodes may run in parallel.
 */
#ifndef CRN_TEST_EAGER_H
#define CRN_TEST_EAGER_H

#include "core/op.h"

typedef struct crn_eager_options {
	/* Every node is computed in tiles of these extents (axis by axis; 0: the whole axis), and
	 * the passes of reductions and global ops visit their inputs in such tiles. */
	int64_t tile[CRN_MAX_NDIM];
	/* false: inputs are evaluated whole first. true: only the regions that need() asks for. */
	bool lazy;
	/* Order of the tiles: 0 raster, else shuffled by this seed. */
	uint64_t order_seed;
	/* Workers that share the tiles of a pass (partials, accumulators); 0 is 1. */
	int n_partials;
	crn_isa isa;
} crn_eager_options;

/** Evaluates the array whole: C-contiguous, to be freed with crn_eager_free(). */
CRN_CHECKED cairn_status crn_eager(crn_node *n, crn_view *ret, cairn_error *err);
/** One region (inside the domain, steps allowed); options NULL: whole inputs, one tile. */
CRN_CHECKED cairn_status crn_eager_region(crn_node *n, const crn_region *region,
	const crn_eager_options *options, crn_view *ret, cairn_error *err);
/** Evaluates the array by tiles of `tile` (0: whole axis), eagerly and lazily, in raster and in
 * shuffled order, with 1 and 3 partials; FAILED unless every way gives the bytes of crn_eager(). */
CRN_CHECKED cairn_status crn_eager_check_tiles(crn_node *n, const int64_t *tile, cairn_error *err);
/** Writes all rows of a table node. tile as above. */
CRN_CHECKED cairn_status crn_eager_table(
	crn_node *n, const crn_eager_options *options, crn_table_writer *to, cairn_error *err);
void crn_eager_free(crn_view *v); /* an unused or freed view is fine */
#define CRN_EAGER __attribute__((cleanup(crn_eager_free))) crn_view

#endif

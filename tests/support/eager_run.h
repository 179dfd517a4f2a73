/* SPDX-License-Identifier: Apache-2.0
 *
 * eager_run.h -- the inside of the eager driver: one evaluation and what it keeps until its end.
 */
#ifndef CRN_TEST_EAGER_RUN_H
#define CRN_TEST_EAGER_RUN_H

#include "support/eager.h"
#include "support/eager_buffer.h"

/** Values of a region of a node, dense. */
typedef struct eager_memo {
	crn_node *node;
	crn_region region;
	void *data;
	bool keep; /* whole reductions stay when a tile's memos are dropped */
} eager_memo;

/** What bind, or the passes of a global op, made for a node. */
typedef struct eager_made {
	crn_node *node;
	crn_bound bound;
	bool is_bound, has_state;
	void *state;
	struct eager_env *env;
} eager_made;

typedef struct eager_run {
	crn_eager_options o;
	eager_memo *memos;
	int n_memos, cap_memos;
	eager_made *made[256];
	int n_made;
} eager_run;

/** Borrowed values of a region inside the domain; valid until the run's memos are dropped. */
CRN_CHECKED cairn_status eager_fetch(
	eager_run *r, crn_node *n, const crn_region *region, crn_view *ret, cairn_error *err);
/** Keeps `take_data` (also freed on failure) as the whole value of n. */
CRN_CHECKED cairn_status eager_keep(eager_run *r, crn_node *n, void *take_data, cairn_error *err);
/** The whole value kept for n, or NULL. */
void *eager_kept(eager_run *r, const crn_node *n);
/** Binds the node once and returns what belongs to it. */
CRN_CHECKED cairn_status eager_made_get(
	eager_run *r, crn_node *n, eager_made **ret, cairn_error *err);
/** The region of every input of a tile of a pass, copied into guarded, sealed buffers. */
CRN_CHECKED cairn_status eager_copy_region(
	eager_run *r, crn_node *n, const crn_region *region, eager_buffer *ret, cairn_error *err);

/** Order of n tiles: identity, or shuffled by the options' seed. To be freed with crn_free. */
CRN_CHECKED cairn_status eager_order(
	const eager_run *r, int64_t n, int64_t **ret, cairn_error *err);
/** Tile extents for an array of this shape (the options' tile, clipped, at least 1). */
crn_grid eager_grid(const eager_run *r, int ndim, const int64_t *shape);

/** Computes a region of n into dst (the region's extents, any strides). */
CRN_CHECKED cairn_status eager_tile(
	eager_run *r, crn_node *n, const crn_region *out, const crn_view *dst, cairn_error *err);
bool eager_same_values(const crn_view *a, const crn_view *b);

/** Runs all tiles of a reduction and keeps its whole value. */
CRN_CHECKED cairn_status eager_reduce(eager_run *r, crn_node *n, cairn_error *err);
/** Runs all passes of a global op, once; its state is in `made`. */
CRN_CHECKED cairn_status eager_passes(
	eager_run *r, crn_node *n, eager_made *made, cairn_error *err);
void eager_passes_done(eager_made *made);

/** FAILED: "<op>: <what> at [region]". */
cairn_status eager_broken(
	const crn_node *n, const crn_region *region, const char *what, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.h -- for one tile: which region of every node of a piece is computed.
 *
 * Filled backwards from the roots' regions. A node asked for several regions keeps a short list;
 * two regions become one when their hull wastes less than a quarter (the bounding-box lesson).
 *
 * Invariant: for every use of a node there is one instance that contains the region read.
 */
#ifndef CRN_PLAN_LAYOUT_H
#define CRN_PLAN_LAYOUT_H

#include "plan/piece.h"

#define CRN_LAYOUT_LIST 4 /* regions kept apart per node */

typedef struct crn_instances {
	int n;
	crn_region region[CRN_LAYOUT_LIST]; /* in the node's coordinates, inside its domain */
} crn_instances;

typedef struct crn_layout {
	int n_nodes;
	crn_instances *of; /* one per node of the piece */
} crn_layout;

CRN_CHECKED cairn_status crn_layout_new(const crn_piece *p, crn_layout *ret, cairn_error *err);
void crn_layout_done(crn_layout *l);
/** Computes the layout for the given root regions (one per root of the piece). */
void crn_layout_fill(crn_layout *l, const crn_piece *p, const crn_region *roots);
/** Instance of node `i` that holds `part`; its index in the list. */
int crn_layout_find(const crn_layout *l, int i, const crn_region *part);

/** Need of input k (the node `in`) of a piece node; a group's inputs broadcast to its shape. */
void crn_piece_need(
	const crn_pnode *pn, int k, const crn_node *in, const crn_region *out, crn_need *ret);

/** Chunk geometry of a cut, for pin counts. */
typedef void (*crn_chunks_fn)(
	const void *plan, int slot, const crn_region *r, int64_t *ret_n_chunks, size_t *ret_bytes);

/** Scratch bytes of a group's block program. */
size_t crn_program_scratch(const crn_pnode *pn);

/** Size of a pool buffer for n bytes: what is charged (pool.c gives out exactly these). */
size_t crn_buffer_bytes(size_t n);

#endif

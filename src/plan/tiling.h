/* SPDX-License-Identifier: Apache-2.0
 *
 * tiling.h -- choosing the tile in which a piece is computed.
 *
 * A bounded list of candidate extents per axis (unit x 4^k, and the whole) is tried; each
 * candidate's layout gives its memory and its time per voxel, halo recompute included. The fastest
 * candidate inside the memory share wins; with `tight` set, the smallest.
 */
#ifndef CRN_PLAN_TILING_H
#define CRN_PLAN_TILING_H

#include "plan/plan.h"

#define CRN_TILE_MEMO 24

/** Answers given while one plan is built: trying a cut asks most questions again. Zero to begin. */
typedef struct crn_tile_memo {
	crn_hash key[CRN_TILE_MEMO];
	crn_tiling answer[CRN_TILE_MEMO];
	int next;
} crn_tile_memo;

typedef struct crn_tile_query {
	crn_tile_memo *memo;
	const crn_plan *plan;
	const crn_piece *piece;
	crn_region domain;          /* of all roots */
	int64_t unit[CRN_MAX_NDIM]; /* tile extents are multiples of this (or the whole extent) */
	bool owned_roots;           /* see crn_layout_measure */
	size_t bytes_per_voxel;     /* of output the task holds itself */
	size_t fixed_bytes;         /* of the task, whatever its tile */
	const crn_node *fold;       /* GLOBAL: adds its fold_scratch; else NULL */
	size_t share_bytes;         /* what one task should stay inside */
	int64_t most_voxels;        /* of a tile; 0: no limit */
	bool tight;                 /* smallest memory instead of best time */
} crn_tile_query;

/** Always finds one (the smallest if none is inside the share). */
CRN_CHECKED cairn_status crn_tiling_choose(
	const crn_tile_query *q, crn_tiling *ret, cairn_error *err);

/** Nanoseconds per voxel of the domain, per-task overhead and idle threads included. */
double crn_tiling_ns(const crn_tiling *t, int n_threads);

#endif

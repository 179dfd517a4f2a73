/* SPDX-License-Identifier: Apache-2.0
 *
 * edges.h -- for every edge of a plan's graph: is its value kept or made again where it is needed,
 * and what would the other choice have cost.
 *
 *	rho        voxels of the input that are made per voxel needed, because tiles overlap
 *	recompute  (rho - 1) x nanoseconds that making a voxel of the input takes, back to what is
 *kept store      nanoseconds to store a voxel of the input and load it again
 *
 * An edge is worth cutting where recompute exceeds store; plan/cuts.c asks the tile search, which
 * sees memory and tiles too, and this table says the result in figures.
 */
#ifndef CRN_PLAN_EDGES_H
#define CRN_PLAN_EDGES_H

#include "plan/plan.h"

typedef enum crn_edge_kind {
	CRN_EDGE_PROGRAM, /* inside one block program */
	CRN_EDGE_VIEW,    /* only looked at differently */
	CRN_EDGE_FUSED,   /* made inside the tile that needs it */
	CRN_EDGE_BOX,     /* read from the source straight into the tile */
	CRN_EDGE_CUT,     /* kept in chunks of the cache */
	CRN_EDGE_RESULT,  /* a finished reduction or table */
	CRN_EDGE_FOLD,    /* folded or written tile by tile */
} crn_edge_kind;

typedef struct crn_edge {
	int from, to, input; /* infos; which input of `to` */
	crn_edge_kind kind;
	double rho;          /* >= 1; 1 where nothing overlaps */
	double recompute_ns; /* per voxel of `from` that is needed */
	double store_ns;
	double bytes; /* of `from`, if it is or were kept */
	double gain;  /* cuts: part of the run's estimated time that it saved */
	const char *why;
} crn_edge;

const char *crn_edge_name(crn_edge_kind kind); /* "program", "view", "fused", ... */

/** Edges in the order of the plan's nodes; single numbers are left out. *ret is freed with
 * crn_free. */
CRN_CHECKED cairn_status crn_plan_edges(
	const crn_plan *p, crn_edge **ret, int *ret_n, cairn_error *err);

#endif

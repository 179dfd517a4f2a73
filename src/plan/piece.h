/* SPDX-License-Identifier: Apache-2.0
 *
 * piece.h -- a piece of the graph that is computed together, tile by tile, without storing
 * anything between its nodes.
 *
 * A piece reaches from its roots down to leaves whose values come from elsewhere: chunks of the
 * cache (decoded source units, cut nodes), sources that can read any box, finished reductions.
 *
 *	leaves                                      root(s)
 *	[chunks] ──> view ──> group{ / , 1 - } ──> correlate1d ──> correlate1d ──> group{ > }
 *
 * Chains and diamonds of elementwise nodes of one shape form a *group*: one block program, whose
 * inner values live in registers of CRN_BLOCK elements. A group's other nodes are MEMBERs.
 *
 * Invariants
 *  (1) nodes[] is in topological order, inputs first; every pnode.in index is smaller than its own.
 *  (2) A MEMBER is used only by nodes of its group, and has the group root's shape.
 * Immutable after crn_piece_build().
 */
#ifndef CRN_PLAN_PIECE_H
#define CRN_PLAN_PIECE_H

#include "core/op.h"

#define CRN_BLOCK 1024 /* elements of a block-program register: 1-8 KiB, so a few fit in L1 */

typedef enum crn_role {
	CRN_ROLE_CHUNKS,   /* leaf: chunks of cut `slot` */
	CRN_ROLE_BOX,      /* leaf: source->read_box */
	CRN_ROLE_RESIDENT, /* leaf: whole small array in memory, resident `slot` */
	CRN_ROLE_COMPUTE,  /* generator, stencil, global with state `slot` */
	CRN_ROLE_VIEW,
	CRN_ROLE_GROUP,  /* elementwise root with its program */
	CRN_ROLE_MEMBER, /* elementwise, computed by its group's program */
} crn_role;

/** One step of a block program: op over operands, each a register (>= 0) or input -1-k. */
typedef struct crn_step {
	crn_row_fn row;
	const void *data;
	int n_operands;
	int operand[CRN_MAX_INPUTS];
	int reg;  /* destination register; -1: the output row itself */
	int info; /* counter index of the node */
} crn_step;

typedef struct crn_program {
	int n_steps, n_regs;
	crn_step *steps;
	size_t reg_bytes; /* of one register: CRN_BLOCK x widest item */
} crn_program;

typedef struct crn_pnode {
	crn_node *node;
	crn_role role;
	int slot;       /* CHUNKS: cut; RESIDENT: resident; COMPUTE of a GLOBAL: global; else -1 */
	int info;       /* index into the plan's node table: bound data, counters */
	double cost_ns; /* per voxel of the node; GROUP: of its whole program */
	int n_in;
	int in[CRN_MAX_INPUTS]; /* indices into the piece; for a GROUP its outside inputs */
	crn_program program;    /* GROUP */
	bool bits;            /* its values lie as rows of bits (core/bits.h); chosen by masks.c */
	bool chunks_are_bits; /* CHUNKS: so do the cut's chunks */
	int group;            /* MEMBER: index of the group root; else own index */
} crn_pnode;

/** A tile of the piece is walked along `axis` of the roots, `rows` planes at a time. */
typedef struct crn_slab {
	int axis;
	int64_t rows;       /* 0: all at once */
	size_t arena_bytes; /* set aside for the buffers of one tile */
} crn_slab;

typedef struct crn_piece {
	crn_pnode *nodes;
	int n_nodes;
	int roots[CRN_MAX_INPUTS]; /* indices into nodes; equal roots share one */
	int n_roots;
	bool root_bits; /* roots are written to, or read by, somebody who wants bits of a mask */
	crn_slab slab;  /* set once the tiles are chosen */
} crn_piece;

/** How a node is treated by the plan being built. */
typedef struct crn_placement {
	crn_role role; /* CHUNKS, BOX, RESIDENT, or COMPUTE/VIEW/GROUP as the op says */
	int slot, info;
	const crn_bound *bound;
	double cost_ns;
	bool chunks_are_bits; /* CHUNKS */
} crn_placement;
typedef void (*crn_place_fn)(void *plan, crn_node *n, bool as_root, crn_placement *ret);

/** Builds the piece under `roots`. `place` is asked once per node; a root is asked with as_root set
 * (a cut node is a leaf for others, and the root of its own producer). */
CRN_CHECKED cairn_status crn_piece_build(crn_node *const *roots, int n_roots, crn_place_fn place,
	void *plan, crn_piece *ret, cairn_error *err);
void crn_piece_done(crn_piece *p);
/** True if a root's destination or reader wants its values as bits: root_bits, for masks that can
 * be. */
static inline bool crn_piece_root_is_bits(const crn_piece *p, int node)
{
	return p->root_bits && p->nodes[node].node->type.dtype == CRN_BOOL;
}

#endif

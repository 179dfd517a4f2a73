/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.h -- where the buffers of a walk lie: one allocation for a whole tile.
 *
 *	| sliding buffers, alive for the whole tile | buffers alive within a step, sharing memory |
 *
 * Pure function of the walk's slides and states: the planner charges what the frame then uses.
 */
#ifndef CRN_PLAN_ARENA_H
#define CRN_PLAN_ARENA_H

#include "plan/walk.h"

/** A piece of the arena in use until node `until` of the present step is done. */
typedef struct crn_block {
	size_t offset, bytes;
	int until;
} crn_block;

/** Sets planes, strides and offsets of all slides, their temporary memory, and w->bytes. */
void crn_arena_lay(crn_walk *w);
/** Rounds a buffer of the arena up to whole cache lines. */
size_t crn_arena_round(size_t bytes);

#endif

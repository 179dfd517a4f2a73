/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.h -- how one tile is computed slab by slab: what each instance holds at every step.
 *
 * The root regions are cut along one axis into slabs. An instance of the layout becomes a *slide*:
 * it is computed plane by plane in the order the slabs ask for it, and keeps, in a linear buffer,
 *only the planes that a later slab still reads:
 *
 *	position   0        from                to                 n
 *	           |  gone  |  held, kept  |new |  still to come   |
 *
 * A stencil keeps its window's planes, an elementwise chain nothing. The axis is followed through
 * views (a flip walks backwards, a transpose changes the axis); where it cannot be followed, all
 *planes are asked for at the first step and the slide is a whole region: same result, more memory.
 *
 * A slide read by a stencil with a border has room for that border around what it computes, and is
 * extended in place, each plane once.
 *
 * Positions count planes of `room` along `axis`, in walking order; without an axis there is one
 * position, the whole region.
 *
 * Invariants
 *  (1) Every plane of every instance is computed exactly once: counters equal the layout's.
 *  (2) from and to never go down from step to step; what a step reads is inside [from before it, to
 *      after it).
 *  (3) All buffers lie in one arena of `bytes`; two of them overlap only if they are never alive
 *      together.
 */
#ifndef CRN_PLAN_WALK_H
#define CRN_PLAN_WALK_H

#include "plan/layout.h"

/** An input of a slide: edge k of slide s is edges[s.edge0 + k]. */
typedef struct crn_edge {
	int source;  /* linear slide index, -1: nothing is read */
	bool copied; /* the op cannot read the source's buffer as it is: it gets a copy */
} crn_edge;

typedef struct crn_slide {
	bool used;
	bool own;    /* has planes in the arena; else it shows somebody's memory */
	bool stays;  /* a root whose buffer is handed out: nothing of it goes */
	int node, v; /* of the layout */
	int target;  /* root whose destination it fills directly, -1: none */
	int edge0;
	crn_region held;   /* what is computed: the layout's region */
	crn_region room;   /* with its readers' border */
	crn_border border; /* of room beyond the domain; NONE: room == held */
	crn_elem cval;
	int axis;              /* -1: none */
	bool back;             /* positions run down the axis */
	int64_t n, first, end; /* positions of room; held is [first, end) */
	int last_use;          /* last node that reads the buffer, through views too */
	/* the buffer */
	int64_t planes;               /* it has room for */
	int64_t stride[CRN_MAX_NDIM]; /* bytes; the walked axis is outermost */
	size_t lead;                  /* bytes before the first row, so that rows start aligned */
	size_t plane_bytes, bytes, offset;
	/* copies of inputs and scratch, while the slide is computed */
	size_t temp_bytes, temp_offset;
} crn_slide;

typedef struct crn_walk {
	const crn_piece *piece;
	const crn_layout *layout;
	const crn_region *roots;
	int axis;
	int64_t rows, extent; /* planes of the roots a step, in all */
	int64_t n_steps;
	crn_slide *slides; /* node * CRN_LAYOUT_LIST + list entry */
	crn_edge *edges;
	int64_t *from, *to; /* per state * n_slides + slide; one allocation */
	/* Step i of all, or sample i, goes from state i * pair_step to the next one. */
	int64_t n_pairs;
	int pair_step;
	int n_slides, n_edges, cap_states;
	size_t bytes;             /* of the arena */
	struct crn_block *blocks; /* work space of crn_arena_lay() */
} crn_walk;

/** Where the destination and the chunks come from, as in crn_layout_measure(). */
typedef struct crn_walk_setting {
	const crn_region *roots;
	bool owned_roots; /* roots are written into the caller's memory */
	crn_slab slab;
	crn_chunks_fn chunks;
	const void *plan;
} crn_walk_setting;

CRN_CHECKED cairn_status crn_walk_new(const crn_piece *p, crn_walk *ret, cairn_error *err);
void crn_walk_done(crn_walk *w);

/**
 * Plans the walk of a filled layout.
 *
 * @param sampled  look at the first, the middle and the last steps only: for estimates
 */
CRN_CHECKED cairn_status crn_walk_plan(crn_walk *w, const crn_layout *l,
	const crn_walk_setting *setting, bool sampled, cairn_error *err);

/** Held region of slide s between two positions of its room; `room`: with its border. */
crn_region crn_slide_part(const crn_slide *s, bool room, int64_t from, int64_t to);
/** Need of input k of slide s for its own region `out`: what the op wants, and what is read. */
void crn_walk_need(const crn_walk *w, const crn_slide *s, int k, const crn_region *out,
	crn_need *ret_need, crn_region *ret_read);
/** True if `need` can be met by the slide's own buffer: inside the domain, or its kind of border.
 */
bool crn_slide_serves(const crn_slide *s, const crn_need *need, const int64_t *shape);

/** Estimated nanoseconds of the work in a layout, wherever its buffers lie: no walk is faster. */
double crn_layout_ns(
	const crn_layout *l, const crn_piece *p, crn_chunks_fn chunks, const void *plan);
/** What moving its voxels through memory and its steps add. */
double crn_walk_traffic_ns(const crn_walk *w);

#endif

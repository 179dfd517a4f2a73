/* SPDX-License-Identifier: Apache-2.0
 *
 * components.h -- connected components of arrays that never are in memory: the engine behind label,
 * remove_small_objects, remove_small_holes and binary_fill_holes.
 *
 *	fold      each tile: rows -> runs -> local components; runs are spilled, packed
 *	pass_end  runs on tile faces, edges and corners are compared with the neighbour's;
 *		  components become objects, numbered by the raster rank of their first voxel
 *	compute   any region: runs of the tiles it meets are read back and painted
 *
 * The hooks below fit crn_global and crn_op directly; an op only supplies begin() and a painter.
 *
 * Invariants
 *  (1) A tile numbers its components in raster order of their first voxel, which is also the order
 *	of their keys (global raster index of the first voxel).
 *  (2) A root of the union-find has the smallest key of its object, so ids do not depend on the
 *	tiling or on the order in which pairs are joined.
 * Threads: fold writes only its own tile's record; after pass_end all is read-only.
 * Memory: about 12 bytes per component and 24 per 64 KiB of packed runs, all charged.
 */
#ifndef CRN_OPS_COMPONENTS_H
#define CRN_OPS_COMPONENTS_H

#include "ops/run_stream.h"

/** Which voxels touch: links of a row to a neighbouring row, as ranges of x differences. */
typedef struct crn_link {
	int8_t row[CRN_MAX_NDIM]; /* difference of row coordinates (axes 0 .. ndim - 2) */
	int8_t from, to;          /* x differences from ... to, -1 <= from <= to <= 1 */
} crn_link;

/** What becomes of the objects. */
typedef enum crn_objects {
	CRN_OBJECTS_NUMBER,    /* id = rank of the first voxel */
	CRN_OBJECTS_LARGE,     /* 1 for objects of at least min_size voxels, else 0 */
	CRN_OBJECTS_AT_BORDER, /* 1 for objects that touch the array's border, else 0 */
} crn_objects;

typedef struct crn_components_spec {
	bool structure[6561]; /* 3^ndim, C order, symmetric; the centre is ignored */
	bool background;      /* components of the zeros instead */
	crn_objects objects;
	uint64_t min_size;
	uint64_t max_id; /* NUMBER: largest id the output can hold */
} crn_components_spec;

typedef struct crn_tile_record {
	crn_segments runs;  /* all rows */
	crn_segments edges; /* all rows, but only runs that can touch another tile */
	int64_t n_edge_runs;
	int64_t n_components;
	int64_t *keys;      /* until joined */
	uint64_t *sizes;    /* LARGE only, until joined */
	uint8_t *at_border; /* AT_BORDER only, until joined */
	uint32_t base;      /* number of its first component over all tiles */
} crn_tile_record;

typedef struct crn_components {
	crn_components_spec spec;
	const crn_env *env;
	crn_dtype dtype;
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	crn_link *links; /* every link of the structure that leaves the row, both directions */
	int n_links;
	bool links_in_row; /* x neighbours touch: runs are longer than one voxel */
	crn_grid grid;
	crn_tile_record *tiles;
	uint32_t *ids; /* per component: id of its object, or 0 / 1 */
	int64_t n_components, n_objects;
	_Atomic int64_t charged_bytes; /* without the segments' own */
} crn_components;

/** Full structure of a connectivity 1 .. ndim (scipy.ndimage.generate_binary_structure). */
void crn_structure_fill(int ndim, int connectivity, bool *ret_structure);

CRN_CHECKED cairn_status crn_components_new(const crn_components_spec *spec, const crn_type *in,
	const crn_env *env, crn_components **ret, cairn_error *err);
/** crn_global hooks. */
cairn_status crn_components_pass_begin(
	void *state, int pass, const crn_grid *grid, cairn_error *err);
cairn_status crn_components_fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err);
size_t crn_components_fold_scratch(const crn_node *n, const crn_region *tile);
/** The same for structures whose x neighbours do not touch (every voxel is a run). */
size_t crn_components_fold_scratch_singles(const crn_node *n, const crn_region *tile);
cairn_status crn_components_pass_end(void *state, int pass, cairn_error *err);
void crn_components_end(void *state);
int crn_components_n_passes(const crn_node *n);
/** op.need: nothing (all is in the state). op.scratch: the reader's buffer. */
void crn_components_need(const crn_node *n, int input, const crn_region *out, crn_need *ret);
size_t crn_components_scratch(const crn_node *n, const crn_region *out);

/** Paints call->out: `ground` everywhere, then id for id's voxels (NUMBER) or `mark` where the
 * object's flag is 1. */
CRN_CHECKED cairn_status crn_components_paint(
	const crn_call *call, crn_elem ground, crn_elem mark, cairn_error *err);

/* Inside the engine of components. */

/** Charged table memory; freed as a whole at the end, or with crn_components_drop. */
CRN_CHECKED cairn_status crn_components_alloc(
	crn_components *c, size_t n, size_t size_bytes, void *ret, cairn_error *err);
void crn_components_drop(crn_components *c, void *pp, size_t n, size_t size_bytes);
/** Joins touching components of neighbouring tiles; ids holds parents, keys the roots' keys. */
CRN_CHECKED cairn_status crn_components_join(
	crn_components *c, const int64_t *keys, cairn_error *err);
/** Smallest-key root of component i, with path halving. */
static inline uint32_t crn_find_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

/** Calls touch(user, i, j) for every pair of a run of row a and a run of row b that touch when the
 * x difference b - a may be from ... to. */
#define CRN_FOR_TOUCHING(a, n_a, b, n_b, from, to, i, j, body) \
	for (int64_t i = 0, j = 0; i < (n_a) && j < (n_b);) { \
		int64_t start_ = (int64_t)(a)[2 * i] + (from), \
			end_ = (int64_t)(a)[2 * i + 1] + (to); \
		if ((int64_t)(b)[2 * j] < end_ && start_ < (int64_t)(b)[2 * j + 1]) \
			body; \
		if ((int64_t)(b)[2 * j + 1] < end_) \
			j++; \
		else \
			i++; \
	}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * components.h -- connected components of arrays that never are in memory: the engine behind label,
 * remove_small_objects, remove_small_holes and binary_fill_holes.
 *
 *	fold      each tile: rows -> bits -> local components; bits and components are spilled
 *	pass_end  rows on tile faces, edges and corners are compared with the neighbour's;
 *components become objects, numbered by the raster rank of their first voxel compute   any region:
 *bits and components of the tiles it meets are read back and painted
 *
 * What a tile leaves in the scratch file, as arrays of little-endian numbers:
 *
 *	first_run[n_rows + 1]	u32  number of the first run of each row
 *	first_new[n_rows + 1]	u32  number of the first component that starts in each row
 *	bits[n_rows][words]	u64
 *	component[n_runs]	u8, u16 or u32, the narrowest that holds the tile's numbers
 *	extra[n_components]	u32  voxels, or border flags, when the objects are chosen by them
 *
 * The hooks below fit crn_global and crn_op directly; an op only supplies begin() and a painter.
 *
 * Invariants
 *  (1) A tile numbers its components in raster order of their first voxel.
 *  (2) Ids depend on the objects alone, not on the tiling or on the order in which pairs are
 *joined. Threads: fold writes only its own tile's record; after pass_end all is read-only. Memory:
 *a record a tile; 4 bytes a component of all tiles (8 more while sizes are summed), inside the op's
 *quota, in the scratch file beyond it. All charged.
 */
#ifndef CRN_OPS_COMPONENTS_H
#define CRN_OPS_COMPONENTS_H

#include "kernels/runs.h"
#include "ops/global_state.h"
#include "ops/paged_table.h"

/** Which voxels touch: a row difference and x differences. */
typedef struct crn_link {
	int8_t row[CRN_MAX_NDIM]; /* difference of row coordinates (axes 0 .. ndim - 2) */
	crn_touch how;
} crn_link;

/** How fold joins a row with an earlier one. Indices are into crn_components.near, -1: none. */
typedef struct crn_fold_link {
	int near, skip[2], square[2]; /* see crn_touch_rows */
	crn_touch how;
} crn_fold_link;

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

/** Where a tile's arrays lie in the scratch file. */
typedef struct crn_tile_record {
	uint64_t rows_at, bits_at, component_at, extra_at;
	uint32_t n_runs, n_components;
	uint32_t base;           /* number of its first component over all tiles; from pass_end */
	uint32_t component_size; /* bytes of a component number: 1, 2, 4 */
} crn_tile_record;

typedef struct crn_components {
	crn_components_spec spec;
	const crn_env *env;
	crn_dtype dtype;
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	size_t n_link_slots;
	crn_link *links; /* of the structure, leaving the row, both directions */
	crn_fold_link *fold_links;
	int8_t (*near)[CRN_MAX_NDIM]; /* row differences that fold_links look at */
	int n_links, n_fold_links, n_near;
	bool singles; /* x neighbours do not touch: every voxel is a run */
	crn_grid grid;
	crn_tile_record *tiles;
	crn_paged_table ids; /* per component: see components_number.c */
	int64_t n_components, n_objects;
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
/** The same for structures whose x neighbours do not touch. */
size_t crn_components_fold_scratch_singles(const crn_node *n, const crn_region *tile);
/** The same when objects are chosen by size or border. */
size_t crn_components_fold_scratch_extra(const crn_node *n, const crn_region *tile);
cairn_status crn_components_pass_end(void *state, int pass, cairn_error *err);
int crn_components_tile_save(void *state, int pass, int64_t tile, crn_bytes *ret);
cairn_status crn_components_tile_load(
	void *state, int pass, int64_t tile, const void *bytes, size_t n, cairn_error *err);
void crn_components_end(void *state);
int crn_components_n_passes(const crn_node *n);
/** op.scratch of the painter. */
size_t crn_components_scratch(const crn_node *n, const crn_region *out);

/** Paints call->out: ids (NUMBER), or 1 where an object's flag is 1, XORed with `flip`. */
CRN_CHECKED cairn_status crn_components_paint(const crn_call *call, uint8_t flip, cairn_error *err);

/* Inside the engine of components. */

/** Links of the structure, and how fold goes through them. */
CRN_CHECKED cairn_status crn_components_make_links(crn_components *c, cairn_error *err);
/** Joins touching components of neighbouring tiles in `ids`, which holds the parents. */
CRN_CHECKED cairn_status crn_components_join(crn_components *c, cairn_error *err);

/** ids while components are joined: 0 for a root, else 1 + an earlier component of the object. */
static inline uint32_t crn_find_root(crn_paged_table *ids, uint32_t i)
{
	for (uint32_t up; (up = crn_paged_get(ids, i)) != 0; i = up - 1) {
		uint32_t above = crn_paged_get(ids, up - 1);
		if (above == 0)
			return up - 1;
		crn_paged_set(ids, i, above);
	}
	return i;
}

static inline crn_region crn_components_box(const crn_components *c, int64_t tile)
{
	int64_t idx[CRN_MAX_NDIM];
	crn_unravel(tile, c->ndim, c->grid.n, idx);
	return crn_unit_region(c->ndim, c->shape, c->grid.tile, idx);
}

#endif

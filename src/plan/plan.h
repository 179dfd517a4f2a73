/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h -- from sinks to an immutable plan: what is computed in which pieces, tiles and order,
 * and how much memory that takes at most.
 *
 *	sinks ── nodes ── globals, residents (stages before the sink)
 *			├─ cuts: nodes whose chunks go through the cache (decoded sources; results
 *worth │        keeping because recomputing them for every halo costs more) └─ stages, in order:
 *folds of global ops, reductions, then the sink's own tasks
 *
 * Invariants
 *  (1) The plan is read-only after crn_plan_build(); state runs beside it (exec).
 *  (2) Planning costs O(nodes), whatever the number of chunks or tiles (law 2).
 *  (3) work_bytes of a task bounds everything it holds while it runs: buffers, pinned chunks,
 *      scratch, output.
 *  (4) Levels: a cut's piece has only cuts of lower level as leaves; level 0 has none.
 *  (5) The bytes of a result never depend on any choice made here.
 */
#ifndef CRN_PLAN_PLAN_H
#define CRN_PLAN_PLAN_H

#include "core/format.h"
#include "plan/costs.h"
#include "plan/layout.h"

#define CRN_MAX_LEVELS 64

typedef struct crn_info {
	crn_node *node; /* borrowed from the sinks, which the caller keeps */
	crn_bound bound;
	double cost_ns;    /* per voxel computed or folded: asked of the cost table once */
	double guess_ns;   /* the descriptor's own: what the tight plan is made with */
	double io_ns;      /* sources: per byte decoded */
	bool measured;     /* cost_ns comes from this machine */
	crn_region wanted; /* hull of what the sinks need of it: the minimal work */
} crn_info;

/** How a piece is walked: a grid of tiles over `domain` (in the roots' coordinates). */
typedef struct crn_tiling {
	crn_region domain;
	int64_t tile[CRN_MAX_NDIM], grid[CRN_MAX_NDIM];
	int64_t n_tiles;
	size_t work_bytes; /* (3) */
	double tile_ns;    /* estimate for an inner tile */
	crn_slab slab;     /* how the piece walks a tile */
} crn_tiling;
void crn_tiling_set(crn_tiling *t, const crn_region *domain, const int64_t *tile);
crn_region crn_tiling_region(const crn_tiling *t, int64_t index);

typedef enum crn_cut_kind { CRN_CUT_SOURCE, CRN_CUT_NODE, CRN_CUT_REDUCTION } crn_cut_kind;

typedef struct crn_cut {
	crn_cut_kind kind;
	crn_node *node;
	crn_piece piece; /* of the producer; empty for sources; for reductions: of in[0] */
	crn_tiling
		chunks; /* one tile = one chunk; work_bytes of its producer (without the chunk) */
	int64_t inner[CRN_MAX_NDIM]; /* REDUCTION: tile of in[0] folded at a time */
	bool bits;                   /* a mask whose chunks are rows of bits (core/bits.h) */
	size_t chunk_bytes;          /* of a full chunk */
	int level;
	crn_hash key;    /* names the chunks in the process-wide cache */
	double gain;     /* NODE: part of the estimated time of the plan without it that it saves */
	const char *why; /* for explain */
} crn_cut;

typedef struct crn_global_plan {
	crn_node *node;
	crn_piece piece; /* roots: all inputs */
	crn_tiling tiling;
	size_t partial_bytes; /* per worker, widest pass */
} crn_global_plan;

/** A reduction whose whole result is small: folded by parallel tiles with one accumulator each. */
typedef struct crn_resident {
	crn_node *node;
	crn_piece piece; /* root: in[0] */
	crn_tiling tiling;
	size_t acc_bytes, result_bytes; /* whole result */
} crn_resident;

typedef enum crn_stage_kind {
	CRN_STAGE_GLOBAL,   /* all passes of globals[index] */
	CRN_STAGE_RESIDENT, /* residents[index] */
	CRN_STAGE_ARRAY,    /* sink: write an array */
	CRN_STAGE_TABLE,    /* sink: write a table from a finished global */
	CRN_STAGE_PRINT,
	CRN_STAGE_MEMORY, /* a region into the caller's memory */
} crn_stage_kind;

#define CRN_MAX_FOLDS 16

/** A global or resident that a fold stage computes. */
typedef struct crn_fold_ref {
	crn_stage_kind kind; /* GLOBAL, RESIDENT */
	int index;
} crn_fold_ref;

typedef struct crn_stage {
	crn_stage_kind kind;
	int index;      /* of the global or resident; of the sink otherwise */
	crn_node *node; /* the array written, or the global */
	/* GLOBAL, RESIDENT: what is computed in one walk over the tiles; the first is `index`. */
	crn_fold_ref folds[CRN_MAX_FOLDS];
	int n_folds;
	crn_piece piece;            /* ARRAY, PRINT, MEMORY; see crn_stage_piece() */
	crn_tiling tasks;           /* one tile = one task; ARRAY: whole write units */
	int64_t tile[CRN_MAX_NDIM]; /* a task is computed in tiles of this size (often the task) */
	int64_t unit[CRN_MAX_NDIM]; /* ARRAY: write unit */
	int64_t unit_grid[CRN_MAX_NDIM];
	size_t unit_scratch;
	double encode_ns;         /* ARRAY: per byte of voxels */
	const crn_format *format; /* ARRAY */
} crn_stage;

typedef struct crn_plan_options {
	int n_threads;
	size_t memory_bytes;
	crn_isa isa;
	const crn_costs *costs;   /* of this machine; NULL: the descriptors' figures */
	size_t record_bytes;      /* set aside for records of the run: part of standing */
	const crn_region *region; /* MEMORY: of the one sink's array; else NULL */
	int64_t tile_voxels;      /* tiles of at most so many voxels; 0: as large as is good */
	bool unit_tasks;          /* one stored unit a task, so that a failure loses no other */
	int64_t slab_rows;        /* planes walked at a time; 0: as many as is good */
} crn_plan_options;

typedef struct crn_plan {
	const crn_registry *registry;
	crn_plan_options options;
	crn_info *infos;
	int n_infos;
	crn_cut *cuts;
	int n_cuts, cap_cuts;
	crn_global_plan *globals;
	int n_globals;
	crn_resident *residents;
	int n_residents;
	crn_stage *stages;
	int n_stages;
	double store_load_ns; /* per byte put into memory and loaded again */
	int n_levels;
	size_t level_bytes[CRN_MAX_LEVELS]; /* largest work_bytes of a cut of the level */
	size_t top_bytes;                   /* largest work_bytes of a stage's task */
	size_t standing_bytes;              /* results and partials that stay during the run */
	size_t table_bytes;      /* part of standing: allowance for tables of global ops */
	size_t need_bytes;       /* of this plan: standing, and one task of every kind */
	size_t smallest_bytes;   /* smallest budget that works: need_bytes of the tightest plan */
	const crn_node *biggest; /* the op whose task is largest */
	bool fits;
	crn_hash hash; /* of all sinks: the journal's name for this plan */
} crn_plan;

/**
 * Plans `sinks` (SINK nodes; or one array node with options->region). The nodes must outlive it.
 *
 * USAGE for options no format takes. A plan that does not fit has fits == false and smallest_bytes
 * set.
 */
CRN_CHECKED cairn_status crn_plan_build(const crn_registry *r, crn_node *const *sinks, int n_sinks,
	const crn_plan_options *options, crn_plan **ret, cairn_error *err);
void crn_plan_free(crn_plan *p);
/** NOFIT with the op, its bytes and the smallest budget that works. */
CRN_CHECKED cairn_status crn_plan_check_fits(const crn_plan *p, cairn_error *err);

/** Walks of a stage over its tiles: the passes of its folds, else 1. */
int crn_stage_passes(const crn_plan *p, const crn_stage *s);
/** The op of fold `i` of a stage. */
const crn_node *crn_stage_fold(const crn_plan *p, const crn_stage *s, int i);
/** The tiles a stage computes at a time: its tasks, or parts of them. */
crn_tiling crn_stage_tiles(const crn_stage *s);
/** What a stage computes a tile of. */
const crn_piece *crn_stage_piece(const crn_plan *p, const crn_stage *s);
/** Index of a node in infos, -1 if it is not part of the plan. */
int crn_plan_info(const crn_plan *p, const crn_node *n);
/** Bytes of the chunk of a cut that holds region r, and the view of one at `data`. */
size_t crn_cut_bytes(const crn_cut *c, const crn_region *r);
crn_view crn_cut_view(const crn_cut *c, const crn_region *r, void *data);
/** Number and size of the chunks of cut `slot` that overlap a region (crn_chunks_fn). */
void crn_plan_chunks(
	const void *plan, int slot, const crn_region *r, int64_t *ret_n_chunks, size_t *ret_bytes);
/** Chunk indices per axis [first, first + n) that overlap r, of a cut's tiling. */
void crn_tiling_overlap(const crn_tiling *t, const crn_region *r, int64_t ret_first[CRN_MAX_NDIM],
	int64_t ret_n[CRN_MAX_NDIM]);
/** Request that write() sink `sink` makes to its format; `type` is the array written. */
CRN_CHECKED cairn_status crn_plan_create_request(const crn_plan *p, const crn_node *sink,
	crn_create_request *ret, int64_t ret_chunks[CRN_MAX_NDIM], const crn_format **ret_format,
	crn_value *ret_options, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * op.h -- the contract every operation fulfils: one const descriptor at the foot of one file.
 *
 * An op is known to the rest of cairn only by its descriptor. It has two faces:
 *
 *   build    what a user's call means: check and canonicalise arguments, cast, broadcast, and
 *            return nodes, of this op or of others (gaussian_filter builds casts and one
 *            correlate1d per axis). NULL: the call is one node of this op.
 *   infer..  how one node of this op is computed. An op without `kind` hooks is COMPOSITE.
 *
 * Node kinds are a closed set; the kind says which hooks the engine calls:
 *
 *   kind         hooks (beside infer)            computed
 *   COMPOSITE    build only                      never: it is gone after building
 *   SOURCE       (node->source does it all)      units through the chunk cache, or boxes directly
 *   GENERATOR    bind? scratch? compute          from coordinates alone
 *   ELEMENTWISE  bind (gives row)                chains fused into block programs by the engine
 *   VIEW         affine                          never copied: strides of the input's buffer
 *   STENCIL      need, bind?, scratch?, compute  from an input region; passes, rank, morphology,
 *                                                pad, concatenate, grid reduce, user blocks
 *   REDUCTION    reduce->...                     along axes, in any order of tiles, exactly
 *   GLOBAL       global->..., compute?           passes over whole inputs, then region by region
 *   SINK         (the engine's outputs)          write(), print()
 *
 * Rules for every hook
 *  (1) Pure: same arguments, same bytes; no statics, no clocks, no environment.
 *  (2) infer, need, affine, cost, scratch allocate nothing and cannot block.
 *  (3) compute, row, fold...: any worker, any order, any number of times; no allocation, no locks,
 *      no I/O (exceptions: map_blocks runs its command; global ops may spill through crn_env).
 *  (4) Deterministic to the bit for any instruction set: vectorise across outputs, never across
 *      taps, fixed tap order, no contraction.
 */
#ifndef CRN_CORE_OP_H
#define CRN_CORE_OP_H

#include "core/isa.h"
#include "core/node.h"

/* ---- parameters: one table feeds language, help, Python, manual and fuzzers ---- */

typedef enum crn_ptype {
	CRN_P_END = 0,
	CRN_P_ARRAY,   /* array node */
	CRN_P_OPERAND, /* array node, or a number (weak scalar, takes the array's dtype) */
	CRN_P_ARRAYS,  /* list of array nodes */
	CRN_P_TABLE,   /* table node */
	CRN_P_NODE,    /* array or table */
	CRN_P_INT,
	CRN_P_FLOAT, /* an INT is accepted and becomes FLOAT */
	CRN_P_BOOL,
	CRN_P_STR,
	CRN_P_DTYPE,  /* STR with a dtype name; canonical NumPy spelling */
	CRN_P_INTS,   /* an int, or a list of ints (one per axis) */
	CRN_P_FLOATS, /* a number, or a list of numbers; becomes FLOATs */
	CRN_P_STRS,   /* a string, or a list of strings */
	CRN_P_NUMBER, /* BOOL, INT, UINT or FLOAT, kept as given */
	CRN_P_CONST,  /* small constant array: structuring element, weights (lists are converted) */
	CRN_P_ANY,
} crn_ptype;

typedef struct crn_param {
	const char *name; /* NumPy/scipy's name */
	crn_ptype type;
	const char
		*default_text; /* in pipeline syntax: "4.0", "'reflect'", "None"; NULL: required */
	const char *help;      /* one line with unit, range, shape */
	const char *const *choices; /* for STR: NULL-terminated; else NULL */
} crn_param;

/* ---- what computing needs ---- */

/** How values outside the input's domain are made (scipy.ndimage names). Done by the engine. */
typedef enum crn_border {
	CRN_BORDER_NONE = 0, /* the op never asks outside the domain */
	CRN_BORDER_REFLECT,  /* d c b a | a b c d | d c b a */
	CRN_BORDER_MIRROR,   /*   d c b | a b c d | c b a   */
	CRN_BORDER_NEAREST,  /* a a a a | a b c d | d d d d */
	CRN_BORDER_WRAP,     /* a b c d | a b c d | a b c d */
	CRN_BORDER_CONSTANT, /* k k k k | a b c d | k k k k */
} crn_border;

/** The region of one input that an output region needs. It may stick out of the domain, in which
 * case `border` tells how to extend. An empty region (some n == 0): this input is not needed. */
typedef struct crn_need {
	crn_region region; /* in the input's coordinates */
	crn_border border;
	crn_elem cval; /* CONSTANT: in the input's dtype */
} crn_need;

/** out[i0, i1, ...] = in[...]: input axis k has index fixed[k] + sum over output axes d with
 * axis[d] == k of start[d] + step[d] * i_d. axis[d] == -1 is a new axis of length 1. step may be
 * negative, or 0 (broadcast). At most one output axis per input axis. */
typedef struct crn_affine {
	int axis[CRN_MAX_NDIM];
	int64_t start[CRN_MAX_NDIM], step[CRN_MAX_NDIM];
	int64_t fixed[CRN_MAX_NDIM];
} crn_affine;

#define CRN_MAX_INPUTS 32 /* inputs of one node */

/** One call of compute, fold, ...: everything it may touch.
 *
 * in[k] holds exactly the region the op's need() asked for, border already extended; its rows are
 * contiguous (crn_view_rows_contiguous). out: same promise. Input and output never overlap.
 * A bool input may be rows of bits (in[k].bits, core/bits.h) if the op takes_bits, and out if it
 * gives_bits; each call may be one or the other. */
typedef struct crn_call {
	const crn_node *node;
	const void *bound;     /* from bind; read-only */
	const void *state;     /* global op: its finished state; else NULL */
	crn_region out_region; /* in the node's coordinates */
	crn_view out;
	int n_in;
	const crn_region *in_region;
	const crn_view *in;
	void *scratch; /* scratch() bytes, 64-byte aligned, uninitialised */
	size_t scratch_bytes;
} crn_call;

/** ELEMENTWISE: n contiguous elements from each input to out (out may equal an input of the same
 * item size, exactly; else no overlap). Aligned to the item size only. */
typedef void (*crn_row_fn)(const void *data, int64_t n, void *out, const void *const *in);

/** What bind made for one node; lives as long as the plan, shared by all workers, read-only. */
typedef struct crn_bound {
	crn_row_fn row; /* ELEMENTWISE */
	/* one[k]: row for a single value as in[k], which is an array without axes; NULL: none. */
	crn_row_fn one[2];
	void *data; /* freed by unbind, or with crn_free when the op has no unbind */
} crn_bound;

/* ---- reductions: associative and exact, so tiles may come in any order ---- */

typedef struct crn_reduce {
	/* Bytes of accumulator per output element (a multiple of 8). */
	size_t (*acc_bytes)(const crn_node *n);
	void (*init)(const crn_node *n, void *acc, int64_t n_elements);
	/* Folds in[0] (all of in_region[0]) into acc, which holds the elements of call->out_region
	 * in C order. call->out is unset. Reduced axes of out_region: see the op's output shape. */
	void (*fold)(const crn_call *call, void *acc);
	void (*merge)(const crn_node *n, void *acc, const void *other, int64_t n_elements);
	void (*finish)(const crn_node *n, const void *acc, int64_t n_elements, const crn_view *out);
	/* Output region that a region of in[0] contributes to. */
	void (*project)(const crn_node *n, const crn_region *in, crn_region *ret_out);
} crn_reduce;

/* ---- global ops: label, percentile, regionprops, ... ---- */

/** Services of the engine to a global op; valid from begin to end. Thread-safe. */
typedef struct crn_env {
	void *engine;
	crn_isa isa;
	/* Charges (delta > 0) or returns table memory; FAILED when the budget is used up. */
	cairn_status (*charge)(void *engine, int64_t delta_bytes, cairn_error *err);
	/* Appends bytes to this op's scratch file / reads them back. May block on I/O. */
	cairn_status (*spill)(
		void *engine, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err);
	cairn_status (*unspill)(
		void *engine, uint64_t offset, void *bytes, size_t n, cairn_error *err);
	/* Writes again where bytes were spilled before. Not during a pass: a checkpoint counts on
	 * what fold has spilled. */
	cairn_status (*overwrite)(
		void *engine, uint64_t offset, const void *bytes, size_t n, cairn_error *err);
	/* What a table of the op may take before it goes to the scratch file; 0: all it can charge.
	 */
	size_t quota_bytes;
} crn_env;

/** The regular grid of tiles a pass visits; every tile exactly once, in any order. */
typedef struct crn_grid {
	int ndim;
	int64_t shape[CRN_MAX_NDIM]; /* of the array */
	int64_t tile[CRN_MAX_NDIM];  /* of one tile; edge tiles are clipped */
	int64_t n[CRN_MAX_NDIM];     /* tiles per axis */
	int64_t n_tiles;
} crn_grid;

typedef struct crn_table_writer crn_table_writer; /* core/table.h */

/** A piece of memory that a checkpoint keeps. */
typedef struct crn_bytes {
	const void *data;
	size_t n;
} crn_bytes;

enum { CRN_MAX_SPANS = 8 };

typedef struct crn_global {
	/* Passes over the inputs (>= 1). */
	int (*n_passes)(const crn_node *n);
	cairn_status (*begin)(
		const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err);
	/* pass_begin, merge, pass_end may be NULL. */
	cairn_status (*pass_begin)(void *state, int pass, const crn_grid *grid, cairn_error *err);
	/* Per-worker accumulator of a pass, none if NULL; made with partial_init. */
	size_t (*partial_bytes)(const crn_node *n, int pass);
	void (*partial_init)(const void *state, int pass, void *partial);
	/* One tile: call->in[k] holds the tile's box of in[k] ; all inputs have one shape. `tile`
	 * is its index in the grid. May charge and spill through env; may lock the op's own mutex
	 * briefly. */
	cairn_status (*fold)(void *state, void *partial, int pass, int64_t tile,
		const crn_call *call, cairn_error *err);
	/* Serial, once per worker in worker order / once at the end of a pass. Results must not
	 * depend on which worker saw which tile. partial_done (may be NULL) releases what a partial
	 * owns; it runs for every partial, also after a failure. */
	cairn_status (*merge)(void *state, int pass, void *partial, cairn_error *err);
	void (*partial_done)(const void *state, int pass, void *partial);
	cairn_status (*pass_end)(void *state, int pass, cairn_error *err);
	void (*end)(void *state); /* frees; NULL is fine */
	/* Scratch bytes for fold of one tile of this region. */
	size_t (*fold_scratch)(const crn_node *n, const crn_region *tile);
	/* Tables only: writes all rows, in label order. */
	cairn_status (*rows)(
		const void *state, const crn_node *n, crn_table_writer *to, cairn_error *err);

	/* Checkpoints: with these a resume does not fold again what a killed run has folded. An op
	 * offers one of the two forms for a pass, or none (then the pass is repeated). What is kept
	 * comes back only to the same node (hash) and the same grid; when the layout of the bytes
	 * changes, semver is raised; pass_begin, merge and pass_end
	 * run again in any case, so nothing else has to be kept. Bytes that were spilled can be
	 * unspilled at their old offsets.
	 *
	 * Form 1, for what fold leaves in the state, tile by tile. tile_save is called by the
	 * worker that folded the tile, right after fold: it lists the spans that hold the tile's
	 * record and returns their number (<= CRN_MAX_SPANS; < 0: this pass keeps none). No
	 * allocation, no locks; the spans are read before the call of the next hook for this tile.
	 * tile_load gets their bytes in one piece, serially, between pass_begin and the first fold;
	 * it may charge. When it fails the tile is folded again, so it leaves the state as it was.
	 */
	int (*tile_save)(void *state, int pass, int64_t tile, crn_bytes *ret);
	cairn_status (*tile_load)(
		void *state, int pass, int64_t tile, const void *bytes, size_t n, cairn_error *err);
	/* Form 2, for what fold leaves in the partial (and nowhere else). The engine keeps a
	 * snapshot of every worker's partial with the set of tiles in it, about once a second and
	 * at the end of the pass. partial_save is as tile_save; partial_load fills a partial fresh
	 * from partial_init; when it fails, the partial is made afresh. partial_is_plain: a partial
	 * is bytes without pointers, and needs no hooks. */
	bool partial_is_plain;
	int (*partial_save)(const void *state, int pass, const void *partial, crn_bytes *ret);
	cairn_status (*partial_load)(void *state, int pass, void *partial, const void *bytes,
		size_t n, cairn_error *err);
} crn_global;

/* ---- the descriptor ---- */

typedef enum crn_op_kind {
	CRN_COMPOSITE,
	CRN_SOURCE,
	CRN_GENERATOR,
	CRN_ELEMENTWISE,
	CRN_VIEW,
	CRN_STENCIL,
	CRN_REDUCTION,
	CRN_GLOBAL,
	CRN_SINK,
} crn_op_kind;

struct crn_op {
	const char *name;     /* as NumPy / scipy.ndimage / scikit-image call it; unique */
	const char *category; /* "filters", "morphology", "measure", ...: groups the manual */
	const char *summary;  /* one line */
	const char *doc;     /* shapes, units, rounding, differences from the source; may be NULL */
	const char *source;  /* "scipy.ndimage.gaussian_filter", a paper, a specification */
	const char *example; /* one pipeline snippet that runs; may be NULL */
	crn_op_kind kind;
	bool whole_tiles;        /* a call is dear (a process, a file): no slabs, whole tiles */
	bool internal;           /* not callable from pipelines (correlate1d passes and the like) */
	bool takes_bits;         /* compute, fold: bool inputs may be rows of bits */
	bool gives_bits;         /* compute: a bool output may be rows of bits */
	int semver;              /* raised when the meaning changes; part of the content hash */
	const crn_param *params; /* ends with type CRN_P_END */

	/* args: one per param, defaults filled in, types checked; borrowed. ret: new value. */
	cairn_status (*build)(crn_graph *g, const crn_op *self, const crn_value *args,
		crn_value *ret, cairn_error *err);
	/* n: op, args, in set; type not yet. Writes the type; USAGE if inputs do not go together.
	 */
	cairn_status (*infer)(const crn_node *n, crn_type *ret, cairn_error *err);
	void (*need)(const crn_node *n, int input, const crn_region *out, crn_need *ret);
	void (*affine)(const crn_node *n, crn_affine *ret);
	double (*cost)(const crn_node *n); /* ns per output voxel, one core; NULL: 1 */
	/* How many times cost() a voxel costs in a call for this region, >= 1: what neighbouring
	 * calls would each do again. NULL: 1. Decides how high slabs are. */
	double (*overlap)(const crn_node *n, const crn_region *out);
	size_t (*scratch)(const crn_node *n, const crn_region *out); /* NULL: none */
	cairn_status (*bind)(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err);
	void (*unbind)(crn_bound *b);
	cairn_status (*compute)(const crn_call *call, cairn_error *err);
	const crn_reduce *reduce;
	const crn_global *global;
};

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * node.h -- the lazy graph: immutable, reference-counted, hash-consed array nodes.
 *
 *	 read ── getitem ── correlate1d(0) ── correlate1d(1) ── correlate1d(2) ── greater ── label
 *
 * A node says *what*, never in which pieces: there are no chunks in the graph (law 2).
 *
 * Invariants
 *  (1) A node never changes after crn_node_new() returned it.
 *  (2) Within a graph, two live nodes never have the same content hash: equal nodes are one node.
 *  (3) Inputs are older than the node, so graphs have no cycles.
 *  (4) shape extents are >= 0, their product fits int64, and product x item size fits int64.
 * Threads: nodes may be used from any thread; building takes the graph's lock inside.
 */
#ifndef CRN_CORE_NODE_H
#define CRN_CORE_NODE_H

#include "core/value.h"

typedef struct crn_op crn_op;
typedef struct crn_registry crn_registry;
typedef struct crn_graph crn_graph;
typedef struct crn_source crn_source;

/** What the numbers mean; chooses how they are downsampled and shown. */
typedef enum crn_kind { CRN_INTENSITY, CRN_LABEL, CRN_MASK } crn_kind;

typedef struct crn_axis {
	char name[16];      /* "z", "y", "x", "c", "t"; "" when unknown */
	char unit[16];      /* "nanometer", "micrometer", ...; "" when unknown */
	double scale;       /* distance between voxel centres; 1 when unknown */
	double translation; /* position of the centre of voxel 0 */
} crn_axis;

/** All about an array but its values. */
typedef struct crn_type {
	crn_dtype dtype;
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	crn_kind kind;
	crn_axis axes[CRN_MAX_NDIM];
	crn_elem fill; /* value of chunks that are not stored */
	bool is_table; /* a table (regionprops): ndim 0, read through its op's global state */
} crn_type;

/** Type with unnamed unit axes; kind MASK for bool, else INTENSITY. */
crn_type crn_type_make(crn_dtype dtype, int ndim, const int64_t *shape);
/** Same shape and axes, other dtype (fill 0). */
crn_type crn_type_with_dtype(const crn_type *t, crn_dtype dtype);
int64_t crn_type_count(const crn_type *t);
/** "float32 (100, 400, 400)". Returns `text`. */
char *crn_type_format(const crn_type *t, char text[256]);

struct crn_node {
	_Atomic int refs;
	crn_graph *graph;
	const crn_op *op;
	crn_value *args; /* one per entry of op->params, canonical */
	int n_args;
	crn_node **in; /* the nodes among args, flattened in order; borrowed from args */
	int n_in;
	crn_type type;
	crn_hash hash;
	crn_source *source; /* opened input of a source node, else NULL; owned */
	char *origin;       /* for messages: "smooth = gaussian_filter, line 3" or op name; owned */
};

CRN_CHECKED cairn_status crn_graph_new(
	const crn_registry *registry, crn_graph **ret, cairn_error *err);
/** Nodes keep their graph alive; the table itself holds no references to nodes. */
void crn_graph_unref(crn_graph *g);
const crn_registry *crn_graph_registry(const crn_graph *g);
/** Text put into `origin` of nodes made from now on (NULL: the op's name). Copied. */
void crn_graph_set_origin(crn_graph *g, const char *text);

/**
 * Makes, or finds, the node op(args).
 *
 * @param args  op->params entries in order, checked and canonical; copied
 * @return USAGE from op->infer (shapes or dtypes that do not go together), FAILED on memory
 */
CRN_CHECKED cairn_status crn_node_new(
	crn_graph *g, const crn_op *op, const crn_value *args, crn_node **ret, cairn_error *err);
/** Source node over an opened source (ownership taken, also on failure). */
CRN_CHECKED cairn_status crn_node_new_source(crn_graph *g, const crn_op *op, const crn_value *args,
	crn_source *take_source, crn_node **ret, cairn_error *err);
crn_node *crn_node_ref(crn_node *n);
void crn_node_unref(crn_node *n); /* NULL is fine */
static inline void crn_node_unref_at_(crn_node **n)
{
	crn_node_unref(*n);
}
#define CRN_NODE __attribute__((cleanup(crn_node_unref_at_))) crn_node

/** Argument by parameter name (asserts that it exists). */
const crn_value *crn_node_arg(const crn_node *n, const char *name);

#endif

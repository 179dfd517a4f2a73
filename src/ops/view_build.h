/* SPDX-License-Identifier: Apache-2.0
 *
 * view_build.h -- indexing, transposing, flipping: builders of `view` nodes, which move no pixels.
 *
 * A view says for every output axis which input axis it walks, from where and with which step. A
 * view of a view is one view, and a view that changes nothing is its input: x[2:][:, ::-1] is a
 * single node over x. The language's x[...] and ops that need a slice come here.
 */
#ifndef CRN_OPS_VIEW_BUILD_H
#define CRN_OPS_VIEW_BUILD_H

#include "core/op.h"

/** out[i0, i1, ...] = in[...]: see crn_affine. axis[d] == -1: a new axis of length 1. Input axes
 * that no output axis walks are held at fixed[]. Everything must lie inside the input. */
typedef struct crn_view_spec {
	int ndim;
	int axis[CRN_MAX_NDIM];
	int64_t start[CRN_MAX_NDIM], step[CRN_MAX_NDIM], length[CRN_MAX_NDIM];
	int64_t fixed[CRN_MAX_NDIM]; /* per input axis */
} crn_view_spec;

/** The view that leaves an array as it is. */
crn_view_spec crn_view_identity(const crn_type *t);
/** The node for a spec over `n`: folded into n's own view, n itself when nothing changes. */
CRN_CHECKED cairn_status crn_build_view(
	crn_graph *g, crn_node *n, const crn_view_spec *spec, crn_node **ret, cairn_error *err);
/** n broadcast to a shape (NumPy's rule). USAGE if it does not broadcast. */
CRN_CHECKED cairn_status crn_build_broadcast(crn_graph *g, crn_node *n, int ndim,
	const int64_t *shape, crn_node **ret, cairn_error *err);

typedef enum crn_index_kind {
	CRN_INDEX_INT,      /* x[3]: the axis goes */
	CRN_INDEX_SLICE,    /* x[1:9:2] */
	CRN_INDEX_ELLIPSIS, /* x[...]: all axes not named */
	CRN_INDEX_NEWAXIS,  /* x[None]: a new axis of length 1 */
} crn_index_kind;

/** One entry between the brackets. Without has_*, the end is open (Python's None). */
typedef struct crn_index_item {
	crn_index_kind kind;
	int64_t index; /* INT */
	bool has_start, has_stop, has_step;
	int64_t start, stop, step; /* SLICE */
} crn_index_item;

/** n[items...], with NumPy's clipping and messages (IndexError's text, status USAGE). */
CRN_CHECKED cairn_status crn_build_index(crn_graph *g, crn_node *n, const crn_index_item *items,
	int n_items, crn_node **ret, cairn_error *err);

#endif

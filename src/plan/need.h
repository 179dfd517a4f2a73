/* SPDX-License-Identifier: Apache-2.0
 *
 * need.h -- which part of each input a region of a node needs, for every kind of node.
 *
 * The one place that knows broadcasting, affine views and border extension as *regions*:
 *
 *	out region ──op──> wanted input region (may stick out) ──clip, add border sources──> read
 *region
 *
 * Pure functions; no allocation.
 */
#ifndef CRN_PLAN_NEED_H
#define CRN_PLAN_NEED_H

#include "core/op.h"

/** What the consumer must see of input k (its buffer), borders included; empty if not needed. */
void crn_need_of(const crn_node *n, int k, const crn_region *out, crn_need *ret);

/** What must be computed of the input to fill `need`: inside the domain, including the voxels that
 * reflected, mirrored, repeated or wrapped positions take their values from. */
crn_region crn_need_read(const crn_need *need, const int64_t *shape);

/** Index a border position takes its value from, or -1 for the constant. extent >= 1. */
int64_t crn_border_index(int64_t i, int64_t extent, crn_border border);

/** NumPy broadcasting backwards: the region of `in` that `r` of `out` uses. */
crn_region crn_broadcast_region(const crn_type *in, const crn_type *out, const crn_region *r);

/** Input region of a view node's output region. */
crn_region crn_affine_region(const crn_affine *a, int ndim_in, const crn_region *out);

#endif

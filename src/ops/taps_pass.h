/* SPDX-License-Identifier: Apache-2.0
 *
 * taps_pass.h -- building dense correlations and non-flat grey morphology.
 */
#ifndef CRN_OPS_TAPS_PASS_H
#define CRN_OPS_TAPS_PASS_H

#include "core/op.h"
#include "ops/rank_pass.h"

/** What a weighted window does with samples and weights. */
typedef enum crn_taps_kind {
	CRN_TAPS_SUM,   /* sum of sample * weight; weights up to 2^-52 are left out, as in scipy */
	CRN_TAPS_LEAST, /* least of sample - weight */
	CRN_TAPS_GREATEST, /* greatest of sample + weight */
} crn_taps_kind;

/**
 * One node over a window of weights; float64 arithmetic, result in the input's dtype (integers
 * truncated).
 *
 * @param weights  float64; LEAST and GREATEST leave out weights that are NaN
 * @param f        origin, mode and cval; its shape is not used
 */
CRN_CHECKED cairn_status crn_build_taps(crn_graph *g, crn_node *input, const crn_const *weights,
	const crn_footprint *f, crn_taps_kind kind, crn_node **ret, cairn_error *err);

/** The constant as float64. */
CRN_CHECKED cairn_status crn_const_doubles(const crn_const *c, crn_const **ret, cairn_error *err);

#endif

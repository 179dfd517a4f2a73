/* SPDX-License-Identifier: Apache-2.0
 *
 * regionprops.h -- what is accumulated per label, shared by the folding and the table of results.
 *
 * One row of the label table:
 *
 *	label | area | lo[ndim] | end[ndim] | coordinate sums[ndim] (128 bit) | touches |
 *	  per intensity image: min key | max key | sum | squares
 *
 * Sums are exact (128/192-bit integers, superaccumulators), extremes are keys (row_stats.h), so
 * rows of parts of an image can be merged in any order.
 */
#ifndef CRN_OPS_REGIONPROPS_H
#define CRN_OPS_REGIONPROPS_H

#include "kernels/row_stats.h"
#include "ops/label_table.h"

/** Byte offsets inside a row. */
typedef struct crn_region_layout {
	int ndim, n_images;
	size_t lo, end, sums, touches;
	struct {
		crn_dtype dtype;
		size_t min, max, sum, squares; /* integers: one crn_moments at sum */
	} image[CRN_MAX_INPUTS];
	size_t row_bytes;
} crn_region_layout;

typedef struct crn_region_state {
	crn_label_measure measure; /* first: label_table.h's hooks see only this */
	const crn_env *env;
	crn_region_layout layout;
	crn_dtype dtype; /* of the labels */
	int64_t shape[CRN_MAX_NDIM];
} crn_region_state;

/** crn_global.rows: one row a label, ascending. */
cairn_status crn_regionprops_rows(
	const void *state, const crn_node *n, crn_table_writer *to, cairn_error *err);
/** USAGE for an unknown or doubled property. */
CRN_CHECKED cairn_status crn_regionprops_check(const crn_node *n, cairn_error *err);

#endif

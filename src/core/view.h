/* SPDX-License-Identifier: Apache-2.0
 *
 * view.h -- borrowed pixels: a pointer, a dtype, extents and byte strides.
 *
 * A view never owns memory and lives for one call. Strides are in bytes and may be negative or 0
 * (broadcast). Axis order is the array's; axis ndim-1 is the row direction ("x").
 *
 * A mask may also be rows of bits (`bits`, core/bits.h): then the stride along a row counts bits.
 * Copying, filling and taking parts take both forms; elements have addresses only in bytes. Who
 * does not ask for bits never meets them.
 */
#ifndef CRN_CORE_VIEW_H
#define CRN_CORE_VIEW_H

#include "core/dtype.h"
#include "core/region.h"

typedef struct crn_view {
	void *data;
	crn_dtype dtype;
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	int64_t stride[CRN_MAX_NDIM]; /* bytes */
	bool bits;                    /* BOOL as rows of bits: stride[ndim-1] is in bits, the others
				       * are multiples of 8 */
	uint8_t first_bit;            /* bits: position of a row's first element, 0 ... 63 */
} crn_view;

/** C-contiguous view of `data`. */
crn_view crn_view_dense(void *data, crn_dtype dtype, int ndim, const int64_t *shape);
size_t crn_view_dense_bytes(crn_dtype dtype, int ndim, const int64_t *shape);
/** The part of a buffer holding region `held` that holds `part` (crn_region_contains asserted).
 * Takes bits when the rows of `part` have the step of those of `held`, or one element. */
crn_view crn_view_part(const crn_view *v, const crn_region *held, const crn_region *part);
bool crn_view_is_dense(const crn_view *v);
/** True if a row is contiguous: stride[ndim-1] == item size (or the row has <= 1 element);
 * bits: one bit after the other. */
bool crn_view_rows_contiguous(const crn_view *v);
/** Copies equal shapes and dtypes, any strides, both bytes or both bits; overlapping memory is not
 * allowed. */
void crn_view_copy(const crn_view *dst, const crn_view *src);
void crn_view_fill(const crn_view *dst, crn_elem value);
/** Pointer to the element at an index inside the view. */
static inline void *crn_view_at(const crn_view *v, const int64_t *idx)
{
	char *p = v->data;
	for (int d = 0; d < v->ndim; d++)
		p += idx[d] * v->stride[d];
	return p;
}

/* Walking rows: calls are cheap, state is on the stack.
 *
 *	crn_rows rows;
 *	for (crn_rows_begin(&rows, v.ndim, v.shape); !rows.end; crn_rows_next(&rows))
 *		row(crn_rows_at(&rows, &v), rows.n);
 *
 * A row is axis ndim-1; a 0-d view is one row of one element; an empty view has no rows. */
typedef struct crn_rows {
	int ndim;
	int64_t shape[CRN_MAX_NDIM], idx[CRN_MAX_NDIM];
	int64_t n; /* elements of a row */
	bool end;
} crn_rows;
void crn_rows_begin(crn_rows *rows, int ndim, const int64_t *shape);
void crn_rows_next(crn_rows *rows);
static inline void *crn_rows_at(const crn_rows *rows, const crn_view *v)
{
	char *p = v->data;
	for (int d = 0; d + 1 < rows->ndim; d++)
		p += rows->idx[d] * v->stride[d];
	return p;
}

#endif

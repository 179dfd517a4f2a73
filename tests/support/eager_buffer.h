/* SPDX-License-Identifier: Apache-2.0
 *
 * eager_buffer.h -- guarded pixel buffers of the eager driver: odd addresses, gaps between rows,
 * and a check that only the promised bytes were written.
 */
#ifndef CRN_TEST_EAGER_BUFFER_H
#define CRN_TEST_EAGER_BUFFER_H

#include "core/region.h"
#include "core/view.h"

/** A view into a block that is `garbage` everywhere else. */
typedef struct eager_buffer {
	crn_view view;
	unsigned char *block, *copy; /* copy: the bytes after eager_buffer_seal() */
	size_t block_bytes;
	unsigned char garbage;
} eager_buffer;

/** Rows contiguous, aligned to the item size only, gaps between rows and planes. */
CRN_CHECKED cairn_status eager_buffer_new(crn_dtype dtype, int ndim, const int64_t *shape,
	unsigned char garbage, eager_buffer *ret, cairn_error *err);
void eager_buffer_done(eager_buffer *b);
/** True if every byte outside the view still is garbage. */
bool eager_buffer_guards_ok(const eager_buffer *b);
/** Remembers all bytes / true if none of them changed since. */
CRN_CHECKED cairn_status eager_buffer_seal(eager_buffer *b, cairn_error *err);
bool eager_buffer_untouched(const eager_buffer *b);

/** Scratch: 64-byte aligned, exactly n bytes between guards, filled with garbage. */
typedef struct eager_scratch {
	void *data; /* NULL for 0 bytes */
	unsigned char *block;
	size_t n, block_bytes;
	unsigned char garbage;
} eager_scratch;
CRN_CHECKED cairn_status eager_scratch_new(
	size_t n, unsigned char garbage, eager_scratch *ret, cairn_error *err);
void eager_scratch_done(eager_scratch *s);
bool eager_scratch_guards_ok(const eager_scratch *s);

/** scipy.ndimage's extension: the index inside [0, n) that stands for i, -1 for the constant
 * (mode: a crn_border value). n >= 1. */
int64_t eager_border_index(int64_t i, int64_t n, int mode);

/** dst[i0, i1, ...] = src[index[0][i0], index[1][i1], ...]; a negative index gives `constant`. */
void eager_gather(
	const crn_view *dst, const crn_view *src, int64_t *const *index, crn_elem constant);

#endif

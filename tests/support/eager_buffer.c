/* SPDX-License-Identifier: Apache-2.0
 *
 * eager_buffer.c -- guarded buffers, border indices and gathering for the eager driver.
 */
#include "support/eager_buffer.h"

#include "base/mem.h"
#include "core/op.h"

#include <string.h>

enum { GUARD = 128 };

cairn_status eager_buffer_new(crn_dtype dtype, int ndim, const int64_t *shape,
	unsigned char garbage, eager_buffer *ret, cairn_error *err)
{
	size_t item = crn_dtype_size(dtype);
	eager_buffer b = {.garbage = garbage};
	b.view = crn_view_dense(NULL, dtype, ndim, shape);
	int64_t stride = (int64_t)item;
	for (int d = ndim - 1; d >= 0; d--) {
		b.view.stride[d] = stride;
		stride *= shape[d] > 0 ? shape[d] : 1;
		/* One item after a row, three after a plane: nothing but rows is contiguous. */
		if (d > 0)
			stride += (int64_t)item * (d == ndim - 1 ? 1 : 3);
	}
	size_t start = GUARD + item; /* not aligned to more than the item */
	b.block_bytes = start + (size_t)stride + GUARD;
	b.block = crn_alloc(b.block_bytes);
	if (!b.block)
		return crn_fail_memory(err, "a test buffer", b.block_bytes);
	memset(b.block, garbage, b.block_bytes);
	b.view.data = b.block + start;
	*ret = b;
	return CAIRN_OK;
}

void eager_buffer_done(eager_buffer *b)
{
	crn_free(b->block);
	crn_free(b->copy);
	*b = (eager_buffer){0};
}

static bool all_bytes(const unsigned char *from, const unsigned char *to, unsigned char value)
{
	for (; from < to; from++)
		if (*from != value)
			return false;
	return true;
}

bool eager_buffer_guards_ok(const eager_buffer *b)
{
	const unsigned char *at = b->block;
	size_t item = crn_dtype_size(b->view.dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, b->view.ndim, b->view.shape); !rows.end; crn_rows_next(&rows)) {
		const unsigned char *row = crn_rows_at(&rows, &b->view);
		if (!all_bytes(at, row, b->garbage))
			return false;
		at = row + (size_t)rows.n * item;
	}
	return all_bytes(at, b->block + b->block_bytes, b->garbage);
}

cairn_status eager_buffer_seal(eager_buffer *b, cairn_error *err)
{
	crn_free(b->copy);
	b->copy = crn_alloc(b->block_bytes);
	if (!b->copy)
		return crn_fail_memory(err, "a test buffer", b->block_bytes);
	memcpy(b->copy, b->block, b->block_bytes);
	return CAIRN_OK;
}

bool eager_buffer_untouched(const eager_buffer *b)
{
	return !b->copy || memcmp(b->copy, b->block, b->block_bytes) == 0;
}

cairn_status eager_scratch_new(
	size_t n, unsigned char garbage, eager_scratch *ret, cairn_error *err)
{
	eager_scratch s = {.n = n, .block_bytes = n + 64 + 2 * GUARD, .garbage = garbage};
	s.block = crn_alloc(s.block_bytes);
	if (!s.block)
		return crn_fail_memory(err, "test scratch", s.block_bytes);
	memset(s.block, garbage, s.block_bytes);
	uintptr_t at = ((uintptr_t)s.block + GUARD + 63) / 64 * 64;
	s.data = n ? s.block + (at - (uintptr_t)s.block) : NULL;
	*ret = s;
	return CAIRN_OK;
}

void eager_scratch_done(eager_scratch *s)
{
	crn_free(s->block);
	*s = (eager_scratch){0};
}

bool eager_scratch_guards_ok(const eager_scratch *s)
{
	if (!s->data)
		return true;
	const unsigned char *data = s->data;
	return all_bytes(s->block, data, s->garbage) &&
	       all_bytes(data + s->n, s->block + s->block_bytes, s->garbage);
}

static int64_t floor_mod(int64_t a, int64_t m)
{
	int64_t r = a % m;
	return r < 0 ? r + m : r;
}

int64_t eager_border_index(int64_t i, int64_t n, int mode)
{
	if (i >= 0 && i < n)
		return i;
	switch (mode) {
	case CRN_BORDER_REFLECT: {
		int64_t k = floor_mod(i, 2 * n);
		return k < n ? k : 2 * n - 1 - k;
	}
	case CRN_BORDER_MIRROR: {
		if (n == 1)
			return 0;
		int64_t k = floor_mod(i, 2 * n - 2);
		return k < n ? k : 2 * n - 2 - k;
	}
	case CRN_BORDER_NEAREST:
		return i < 0 ? 0 : n - 1;
	case CRN_BORDER_WRAP:
		return floor_mod(i, n);
	default:
		return -1;
	}
}

void eager_gather(
	const crn_view *dst, const crn_view *src, int64_t *const *index, crn_elem constant)
{
	size_t item = crn_dtype_size(dst->dtype);
	int x = dst->ndim - 1;
	crn_rows rows;
	for (crn_rows_begin(&rows, dst->ndim, dst->shape); !rows.end; crn_rows_next(&rows)) {
		char *to = crn_rows_at(&rows, dst);
		int64_t at[CRN_MAX_NDIM] = {0};
		bool outside = false;
		for (int d = 0; d < x; d++) {
			at[d] = index[d][rows.idx[d]];
			outside |= at[d] < 0;
		}
		for (int64_t i = 0; i < rows.n; i++, to += item) {
			if (x >= 0)
				at[x] = index[x][i];
			bool constant_here = outside || (x >= 0 && at[x] < 0);
			memcpy(to, constant_here ? constant.bytes : crn_view_at(src, at), item);
		}
	}
}

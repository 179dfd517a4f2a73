/* SPDX-License-Identifier: Apache-2.0
 *
 * view.c -- strided copies and fills. Pure functions on the caller's memory; no allocation.
 */
#include "core/view.h"

#include "core/bits.h"

#include <assert.h>
#include <string.h>

crn_view crn_view_dense(void *data, crn_dtype dtype, int ndim, const int64_t *shape)
{
	crn_view v = {.data = data, .dtype = dtype, .ndim = ndim};
	int64_t stride = (int64_t)crn_dtype_size(dtype);
	for (int d = ndim - 1; d >= 0; d--) {
		v.shape[d] = shape[d];
		v.stride[d] = stride;
		stride *= shape[d] > 0 ? shape[d] : 1;
	}
	return v;
}

size_t crn_view_dense_bytes(crn_dtype dtype, int ndim, const int64_t *shape)
{
	size_t bytes = crn_dtype_size(dtype);
	for (int d = 0; d < ndim; d++)
		bytes *= (size_t)shape[d];
	return bytes;
}

crn_view crn_view_part(const crn_view *v, const crn_region *held, const crn_region *part)
{
	assert(crn_region_contains(held, part));
	crn_view p = *v;
	char *data = v->data;
	for (int d = 0; d < v->ndim; d++) {
		int64_t step = held->step[d], away = part->n[d] > 0 ? part->lo[d] - held->lo[d] : 0;
		int64_t ahead = (step == 1 ? away : away / step) * v->stride[d];
		if (v->bits && d == v->ndim - 1) {
			data += (v->first_bit + ahead) / 64 * 8;
			p.first_bit = (uint8_t)((v->first_bit + ahead) % 64);
		} else {
			data += ahead;
		}
		if (part->n[d] > 1)
			p.stride[d] =
				v->stride[d] * (step == 1 ? part->step[d] : part->step[d] / step);
		p.shape[d] = part->n[d];
	}
	p.data = data;
	return p;
}

bool crn_view_is_dense(const crn_view *v)
{
	if (v->bits)
		return false;
	int64_t stride = (int64_t)crn_dtype_size(v->dtype);
	for (int d = v->ndim - 1; d >= 0; d--) {
		if (v->shape[d] == 0)
			return true;
		if (v->shape[d] > 1 && v->stride[d] != stride)
			return false;
		stride *= v->shape[d];
	}
	return true;
}

bool crn_view_rows_contiguous(const crn_view *v)
{
	int x = v->ndim - 1;
	return v->ndim == 0 || v->shape[x] <= 1 ||
	       v->stride[x] == (int64_t)crn_dtype_size(v->dtype); /* of bool: 1, byte or bit */
}

void crn_rows_begin(crn_rows *rows, int ndim, const int64_t *shape)
{
	*rows = (crn_rows){.ndim = ndim, .n = 1};
	for (int d = 0; d < ndim; d++) {
		rows->shape[d] = shape[d];
		if (shape[d] <= 0)
			rows->end = true;
	}
	if (ndim > 0)
		rows->n = shape[ndim - 1];
}

void crn_rows_next(crn_rows *rows)
{
	for (int d = rows->ndim - 2; d >= 0; d--) {
		if (++rows->idx[d] < rows->shape[d])
			return;
		rows->idx[d] = 0;
	}
	rows->end = true;
}

static void copy_row(
	char *dst, int64_t dst_stride, const char *src, int64_t src_stride, int64_t n, size_t size)
{
	if (n <= 1 || (dst_stride == (int64_t)size && src_stride == (int64_t)size)) {
		memcpy(dst, src, (size_t)n * size);
		return;
	}
#define COPY(type) \
	for (int64_t i = 0; i < n; i++) \
	*(type *)(dst + i * dst_stride) = *(const type *)(src + i * src_stride)
	switch (size) {
	case 1:
		COPY(uint8_t);
		break;
	case 2:
		COPY(uint16_t);
		break;
	case 4:
		COPY(uint32_t);
		break;
	default:
		COPY(uint64_t);
		break;
	}
#undef COPY
}

void crn_view_copy(const crn_view *dst, const crn_view *src)
{
	assert(dst->dtype == src->dtype && dst->ndim == src->ndim && dst->bits == src->bits);
	if (dst->bits) {
		crn_bits_copy(dst, src);
		return;
	}
	size_t size = crn_dtype_size(dst->dtype);
	int x = dst->ndim - 1;
	int64_t dst_stride = x >= 0 ? dst->stride[x] : 0, src_stride = x >= 0 ? src->stride[x] : 0;
	if (crn_view_is_dense(dst) && crn_view_is_dense(src)) {
		memcpy(dst->data, src->data,
			crn_view_dense_bytes(dst->dtype, dst->ndim, dst->shape));
		return;
	}
	crn_rows rows;
	for (crn_rows_begin(&rows, dst->ndim, dst->shape); !rows.end; crn_rows_next(&rows))
		copy_row(crn_rows_at(&rows, dst), dst_stride, crn_rows_at(&rows, src), src_stride,
			rows.n, size);
}

void crn_view_fill(const crn_view *dst, crn_elem value)
{
	if (dst->bits) {
		crn_bits_fill(dst, value.bytes[0] != 0);
		return;
	}
	size_t size = crn_dtype_size(dst->dtype);
	int x = dst->ndim - 1;
	int64_t stride = x >= 0 ? dst->stride[x] : (int64_t)size;
	crn_rows rows;
	for (crn_rows_begin(&rows, dst->ndim, dst->shape); !rows.end; crn_rows_next(&rows)) {
		char *p = crn_rows_at(&rows, dst);
		if (size == 1 && stride == 1) {
			memset(p, value.bytes[0], (size_t)rows.n);
			continue;
		}
		for (int64_t i = 0; i < rows.n; i++)
			memcpy(p + i * stride, value.bytes, size);
	}
}

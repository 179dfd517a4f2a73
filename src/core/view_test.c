/* SPDX-License-Identifier: Apache-2.0
 *
 * view_test.c -- strided copies, fills and row walks against element-by-element loops.
 */
#include "core/view.h"

#include "base/mem.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const crn_dtype sizes[] = {CRN_U8, CRN_I16, CRN_F32, CRN_F64};

/* A view of the wanted extents inside a larger random block: axes in any order, steps, flips. */
static crn_view random_view(crn_test_rng *g, crn_dtype t, int ndim, const int64_t *shape,
	crn_view *ret_block, bool may_broadcast)
{
	int64_t padded[CRN_MAX_NDIM] = {0}, step[CRN_MAX_NDIM];
	int order[CRN_MAX_NDIM];
	for (int d = 0; d < ndim; d++) {
		order[d] = d;
		step[d] = crn_test_int(g, 1, 3);
	}
	for (int d = ndim - 1; d > 0; d--) {
		int k = (int)crn_test_int(g, 0, d), swap = order[d];
		order[d] = order[k];
		order[k] = swap;
	}
	for (int d = 0; d < ndim; d++)
		padded[d] = shape[order[d]] * step[d] + 1;
	*ret_block = crn_test_array(t, ndim, padded);
	crn_test_fill(g, ret_block);
	crn_view v = {.data = ret_block->data, .dtype = t, .ndim = ndim};
	for (int d = 0; d < ndim; d++) {
		int at = order[d];
		v.shape[at] = shape[at];
		v.stride[at] = ret_block->stride[d] * step[d];
		int64_t how = crn_test_int(g, 0, 3);
		if (how == 0 && shape[at] > 0) { /* flipped */
			v.data = (char *)v.data + (shape[at] - 1) * v.stride[at];
			v.stride[at] = -v.stride[at];
		} else if (how == 1 && may_broadcast) {
			v.stride[at] = 0;
		}
	}
	return v;
}

static void copies_move_every_element(void **state)
{
	crn_test_rng g = {11};
	for (int turn = 0; turn < 2000; turn++) {
		crn_dtype t = sizes[turn % 4];
		int ndim = (int)crn_test_int(&g, 0, 4);
		int64_t shape[CRN_MAX_NDIM], count = 0;
		for (int d = 0; d < ndim; d++)
			shape[d] = crn_test_int(&g, turn % 17 == 0 ? 0 : 1, 5);
		CRN_TEST_ARRAY from_block = {0}, to_block = {0};
		crn_view from = random_view(&g, t, ndim, shape, &from_block, true);
		crn_view to = random_view(&g, t, ndim, shape, &to_block, false);
		size_t bytes = crn_view_dense_bytes(t, ndim, to_block.shape);
		CRN_FREE unsigned char *before = crn_alloc(bytes);
		memcpy(before, to_block.data, bytes);
		crn_view_copy(&to, &from);
		assert_true(crn_count(ndim, shape, &count));
		for (int64_t i = 0; i < count; i++) {
			int64_t idx[CRN_MAX_NDIM];
			crn_unravel(i, ndim, shape, idx);
			size_t at = (size_t)((char *)crn_view_at(&to, idx) - (char *)to_block.data);
			assert_memory_equal(
				crn_view_at(&to, idx), crn_view_at(&from, idx), crn_dtype_size(t));
			memcpy(before + at, crn_view_at(&to, idx), crn_dtype_size(t));
		}
		assert_memory_equal(before, to_block.data, bytes); /* nothing else moved */
	}
}

static void fills_set_every_element(void **state)
{
	crn_test_rng g = {12};
	for (int turn = 0; turn < 500; turn++) {
		crn_dtype t = sizes[turn % 4];
		int ndim = (int)crn_test_int(&g, 0, 3);
		int64_t shape[CRN_MAX_NDIM], count = 0;
		for (int d = 0; d < ndim; d++)
			shape[d] = crn_test_int(&g, 1, 5);
		CRN_TEST_ARRAY block = {0};
		crn_view v = random_view(&g, t, ndim, shape, &block, false);
		crn_elem e = crn_elem_from_int(t, 77);
		crn_view_fill(&v, e);
		assert_true(crn_count(ndim, shape, &count));
		for (int64_t i = 0; i < count; i++) {
			int64_t idx[CRN_MAX_NDIM];
			crn_unravel(i, ndim, shape, idx);
			assert_memory_equal(crn_view_at(&v, idx), e.bytes, crn_dtype_size(t));
		}
	}
}

static void parts_are_the_asked_voxels(void **state)
{
	crn_test_rng g = {13};
	const int64_t shape[] = {9, 11};
	CRN_TEST_ARRAY a = crn_test_array(CRN_I32, 2, shape);
	for (int i = 0; i < 99; i++)
		((int32_t *)a.data)[i] = i; /* the voxel (y, x) of the held region's grid */
	for (int turn = 0; turn < 3000; turn++) {
		crn_region held = {.ndim = 2}, part = {.ndim = 2};
		for (int d = 0; d < 2; d++) {
			held.lo[d] = crn_test_int(&g, -5, 5);
			held.step[d] = crn_test_int(&g, 1, 3);
			held.n[d] = shape[d];
			int64_t first = crn_test_int(&g, 0, shape[d] - 1),
				by = crn_test_int(&g, 1, 3);
			part.lo[d] = held.lo[d] + first * held.step[d];
			part.step[d] = by * held.step[d];
			part.n[d] = crn_test_int(&g, 0, (shape[d] - 1 - first) / by + 1);
		}
		crn_region_normalise(&part);
		crn_view p = crn_view_part(&a, &held, &part);
		for (int64_t y = 0; y < part.n[0]; y++)
			for (int64_t x = 0; x < part.n[1]; x++) {
				int64_t at[] = {y, x};
				int64_t row =
					(part.lo[0] + y * part.step[0] - held.lo[0]) / held.step[0];
				int64_t col =
					(part.lo[1] + x * part.step[1] - held.lo[1]) / held.step[1];
				assert_int_equal(*(int32_t *)crn_view_at(&p, at), row * 11 + col);
			}
	}
}

static void density_is_seen(void **state)
{
	int32_t data[24];
	const int64_t shape[] = {2, 3, 4}, one[] = {1, 3, 1};
	crn_view v = crn_view_dense(data, CRN_I32, 3, shape);
	assert_true(crn_view_is_dense(&v) && crn_view_rows_contiguous(&v));
	v.stride[0] += 4;
	assert_false(crn_view_is_dense(&v));
	assert_true(crn_view_rows_contiguous(&v));
	v.stride[2] = 8;
	assert_false(crn_view_rows_contiguous(&v));
	crn_view w = crn_view_dense(data, CRN_I32, 3, one);
	w.stride[0] = 999; /* strides of single elements do not count */
	w.stride[2] = -3;
	assert_true(crn_view_is_dense(&w) && crn_view_rows_contiguous(&w));
	crn_view s = crn_view_dense(data, CRN_I32, 0, NULL);
	assert_true(crn_view_is_dense(&s) && crn_view_rows_contiguous(&s));
}

static void row_walks_visit_each_row_once(void **state)
{
	const int64_t shape[] = {2, 3, 4}, none[] = {2, 0, 4};
	int rows_seen = 0;
	crn_rows r;
	for (crn_rows_begin(&r, 3, shape); !r.end; crn_rows_next(&r), rows_seen++) {
		assert_int_equal(r.n, 4);
		assert_int_equal(r.idx[0] * 3 + r.idx[1], rows_seen);
	}
	assert_int_equal(rows_seen, 6);
	crn_rows_begin(&r, 3, none);
	assert_true(r.end);
	rows_seen = 0;
	for (crn_rows_begin(&r, 0, NULL); !r.end; crn_rows_next(&r), rows_seen++)
		assert_int_equal(r.n, 1);
	assert_int_equal(rows_seen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_move_every_element),
		cmocka_unit_test(fills_set_every_element),
		cmocka_unit_test(parts_are_the_asked_voxels),
		cmocka_unit_test(density_is_seen),
		cmocka_unit_test(row_walks_visit_each_row_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

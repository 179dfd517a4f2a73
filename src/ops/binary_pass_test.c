/* SPDX-License-Identifier: Apache-2.0
 *
 * binary_pass_test.c -- erosion and dilation by one call of the op: random structures against the
 * definition, balls against the squared distance to the nearest unset voxel, as bytes and as bits
 * of any phase, at every instruction set.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "builtin.h"
#include "core/bits.h"
#include "ops/binary_pass.h"
#include "support/arrays.h"

enum { SEED = 12, MOST_UNSET = 6 };
static crn_test_rng rng = {.state = SEED};

/* One erosion or dilation of an image, asked for one region. */
typedef struct work {
	crn_view image;
	crn_const *structure;
	int64_t origin[CRN_MAX_NDIM];
	bool dilate, border;
	crn_region region;            /* asked for */
	int64_t unset[MOST_UNSET][3]; /* balls_are_distances(), unless nothing is set */
	int n_unset;
} work;

static void work_done(work *w)
{
	crn_test_array_free(&w->image);
	crn_const_unref(w->structure);
}

static uint8_t image_at(const work *w, const int64_t *at)
{
	for (int d = 0; d < w->image.ndim; d++)
		if (at[d] < 0 || at[d] >= w->image.shape[d])
			return w->border;
	return *(uint8_t *)crn_view_at(&w->image, at);
}

/* The definition: scipy's erosion is true where in[p + s - size / 2 - origin] is, for all s of the
 * structure; a dilation, where in[p - s + size / 2 + origin'] is, for any. */
static uint8_t by_definition(const work *w, const int64_t *at)
{
	const crn_const *s = w->structure;
	const unsigned char *p = s->data;
	for (int64_t i = 0, n = crn_const_count(s); i < n; i++) {
		int64_t idx[CRN_MAX_NDIM], from[CRN_MAX_NDIM];
		if (!p[i])
			continue;
		crn_unravel(i, s->ndim, s->shape, idx);
		for (int d = 0; d < s->ndim; d++) {
			int64_t shift = idx[d] - s->shape[d] / 2 - w->origin[d];
			from[d] = w->dilate ? at[d] - shift : at[d] + shift;
		}
		if (image_at(w, from) == w->dilate)
			return w->dilate;
	}
	return !w->dilate;
}

/* Erosion by a ball, the other way: true where the nearest unset voxel is further than r. */
static uint8_t by_distance(const work *w, const int64_t *at)
{
	int64_t near = image_at(w, at) ? INT64_MAX : 0;
	for (int i = 0; i < w->n_unset; i++) {
		int64_t sum = 0;
		for (int d = 0; d < 3; d++)
			sum += (at[d] - w->unset[i][d]) * (at[d] - w->unset[i][d]);
		near = sum < near ? sum : near;
	}
	int64_t r = w->structure->shape[w->image.ndim - 1] / 2;
	for (int d = 0; !w->border && d < w->image.ndim; d++) {
		int64_t before = at[d] + 1, behind = w->image.shape[d] - at[d];
		near = before * before < near ? before * before : near;
		near = behind * behind < near ? behind * behind : near;
	}
	return near > r * r;
}

/* The same mask as rows of bits, from any bit on. */
static crn_view as_bits(const crn_view *bytes, void *words)
{
	crn_region r = crn_region_whole(bytes->ndim, bytes->shape);
	r.lo[r.ndim - 1] = crn_test_int(&rng, 0, 63);
	crn_view bits = crn_bits_dense(words, &r);
	crn_rows rows;
	for (crn_rows_begin(&rows, bytes->ndim, bytes->shape); !rows.end; crn_rows_next(&rows)) {
		uint64_t *row = crn_rows_at(&rows, &bits);
		const uint8_t *from = crn_rows_at(&rows, bytes);
		for (int64_t i = 0; i < rows.n; i++) {
			int64_t k = bits.first_bit + i;
			crn_bits_fill_row(row + k / 64, (int)(k % 64), 1, from[i]);
		}
	}
	return bits;
}

static void check_output(const crn_view *out, const uint8_t *want)
{
	crn_rows rows;
	for (crn_rows_begin(&rows, out->ndim, out->shape); !rows.end; crn_rows_next(&rows))
		for (int64_t i = 0; i < rows.n; i++) {
			const void *row = crn_rows_at(&rows, out);
			bool got = out->bits ? crn_bits_get(row, out->first_bit, i)
					     : ((const uint8_t *)row)[i];
			assert_int_equal(got, *want++);
		}
}

/* One call; form: 1 bits in, 2 bits out. */
static void run_one(crn_node *n, const crn_call *form_0, crn_isa isa, int form, const uint8_t *want)
{
	cairn_error err;
	crn_bound bound = {0};
	crn_call call = *form_0;
	const crn_region *out = &call.out_region;
	size_t scratch_bytes = n->op->scratch(n, out);
	CRN_TEST_ARRAY scratch =
		crn_test_array(CRN_U64, 1, (int64_t[]){(int64_t)scratch_bytes / 8 + 16});
	CRN_TEST_ARRAY in_words =
		crn_test_array(CRN_U64, 1, (int64_t[]){crn_region_count(call.in_region) + 1});
	CRN_TEST_ARRAY out_words =
		crn_test_array(CRN_U64, 1, (int64_t[]){(int64_t)crn_bits_bytes(out) / 8});
	memset(scratch.data, 0x5a, (size_t)scratch.shape[0] * 8);
	crn_view in_bits = as_bits(&call.in[0], in_words.data);
	call.scratch = (char *)(((uintptr_t)scratch.data + 63) & ~(uintptr_t)63);
	call.scratch_bytes = scratch_bytes;
	if (form & 1)
		call.in = &in_bits;
	if (form & 2)
		call.out = crn_bits_dense(out_words.data, out);
	crn_assert_ok(n->op->bind(n, isa, &bound, &err));
	call.bound = bound.data;
	crn_assert_ok(n->op->compute(&call, &err));
	n->op->unbind(&bound);
	check_output(&call.out, want);
	const unsigned char *behind = (unsigned char *)call.scratch + scratch_bytes;
	for (int i = 0; i < 64; i++)
		assert_int_equal(behind[i], 0x5a);
}

static void check(const work *w, uint8_t (*expected)(const work *w, const int64_t *at))
{
	cairn_error err;
	crn_graph *g = NULL;
	crn_node *source = NULL, *n = NULL;
	const crn_region *out = &w->region;
	crn_assert_ok(crn_graph_new(&crn_builtin_registry, &g, &err));
	crn_assert_ok(crn_test_source(g, &w->image, NULL, &source, &err));
	crn_assert_ok((w->dilate ? crn_build_dilation : crn_build_erosion)(
		g, source, w->structure, w->origin, w->border, &n, &err));
	crn_need need;
	n->op->need(n, 0, out, &need);
	const crn_region *in = &need.region;
	CRN_TEST_ARRAY in_bytes = crn_test_array(CRN_BOOL, in->ndim, in->n);
	CRN_TEST_ARRAY out_bytes = crn_test_array(CRN_BOOL, in->ndim, out->n);
	CRN_TEST_ARRAY want = crn_test_array(CRN_BOOL, in->ndim, out->n);
	for (int64_t i = 0, count = crn_region_count(in); i < count; i++) {
		int64_t at[CRN_MAX_NDIM];
		crn_unravel(i, in->ndim, in->n, at);
		for (int d = 0; d < in->ndim; d++)
			at[d] = in->lo[d] + at[d] * in->step[d];
		((uint8_t *)in_bytes.data)[i] = image_at(w, at);
	}
	for (int64_t i = 0, count = crn_region_count(out); i < count; i++) {
		int64_t at[CRN_MAX_NDIM];
		crn_unravel(i, out->ndim, out->n, at);
		for (int d = 0; d < out->ndim; d++)
			at[d] = out->lo[d] + at[d] * out->step[d];
		((uint8_t *)want.data)[i] = expected(w, at);
	}
	crn_call call = {.node = n,
		.out_region = *out,
		.out = out_bytes,
		.n_in = 1,
		.in_region = in,
		.in = &in_bytes};
	for (int isa = 0; isa <= (int)crn_isa_best(); isa++)
		for (int form = 0; form < 4; form++)
			run_one(n, &call, (crn_isa)isa, form, want.data);
	crn_node_unref(n);
	crn_node_unref(source);
	crn_graph_unref(g);
}

/* A part of the image, on some axes every second or third voxel. */
static void choose_region(work *w)
{
	w->region.ndim = w->image.ndim;
	for (int d = 0; d < w->image.ndim; d++) {
		int64_t extent = w->image.shape[d], step = crn_test_int(&rng, 1, 5);
		w->region.step[d] = step > 3 ? 1 : step;
		w->region.lo[d] = crn_test_int(&rng, 0, extent - 1);
		w->region.n[d] = crn_test_int(
			&rng, 1, (extent - 1 - w->region.lo[d]) / w->region.step[d] + 1);
	}
	crn_region_normalise(&w->region);
}

static crn_const *random_structure(int ndim)
{
	cairn_error err;
	crn_const *s = NULL;
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < ndim; d++)
		shape[d] = crn_test_int(&rng, 1, d + 1 == ndim ? 8 : 4);
	crn_assert_ok(crn_const_new(CRN_BOOL, ndim, shape, &s, &err));
	int kind = (int)crn_test_int(&rng, 0, 2); /* full, dense, sparse (or empty) */
	for (int64_t i = 0; i < crn_const_count(s); i++)
		((uint8_t *)s->data)[i] =
			kind == 0 || crn_test_int(&rng, 0, 3) < (kind == 1 ? 3 : 1);
	return s;
}

static void structures_do_what_they_say(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		CRN_CLEANUP(work_done) work w = {.dilate = round % 2, .border = round / 2 % 2};
		int ndim = 1 + round % 4;
		int64_t shape[CRN_MAX_NDIM];
		for (int d = 0; d < ndim; d++)
			shape[d] = crn_test_int(&rng, 1, d + 1 == ndim ? 150 : ndim > 2 ? 7 : 30);
		w.image = crn_test_array(CRN_BOOL, ndim, shape);
		for (int64_t i = 0, n = (int64_t)crn_view_dense_bytes(CRN_BOOL, ndim, shape); i < n;
			i++)
			((uint8_t *)w.image.data)[i] = (crn_test_int(&rng, 0, 19) != 0) != w.dilate;
		w.structure = random_structure(ndim);
		for (int d = 0; d < ndim; d++) {
			int64_t left = w.structure->shape[d] / 2;
			w.origin[d] = crn_test_int(&rng, -left, w.structure->shape[d] - 1 - left);
		}
		choose_region(&w);
		check(&w, by_definition);
	}
}

static crn_const *new_ball(int64_t r)
{
	cairn_error err;
	crn_const *s = NULL;
	int64_t side = 2 * r + 1;
	crn_assert_ok(crn_const_new(CRN_BOOL, 3, (int64_t[]){side, side, side}, &s, &err));
	uint8_t *p = s->data;
	for (int64_t z = -r; z <= r; z++)
		for (int64_t y = -r; y <= r; y++)
			for (int64_t x = -r; x <= r; x++)
				*p++ = z * z + y * y + x * x <= r * r;
	return s;
}

static void balls_are_distances(void **state)
{
	static const int64_t radii[] = {0, 1, 2, 3, 5, 8, 12, 17, 25, 32, 40};
	(void)state;
	for (size_t k = 0; k < CRN_COUNT(radii); k++)
		for (int64_t width = 63; width <= 65; width++)
			for (int kind = 0; kind < 6; kind++) {
				/* Full, empty, or a few unset voxels; the outside set or unset. */
				CRN_CLEANUP(work_done) work w = {.border = kind % 2};
				int64_t r = radii[k], side = r < 12 ? 12 : 21;
				int64_t shape[3] = {side, side, width};
				w.image = crn_test_array(CRN_BOOL, 3, shape);
				int64_t n = side * side * width;
				memset(w.image.data, kind / 2 != 1, (size_t)n);
				w.n_unset = kind / 2 == 2 ? MOST_UNSET : 0;
				for (int i = 0; i < w.n_unset; i++) {
					crn_unravel(
						crn_test_int(&rng, 0, n - 1), 3, shape, w.unset[i]);
					*(uint8_t *)crn_view_at(&w.image, w.unset[i]) = 0;
				}
				w.structure = new_ball(r);
				choose_region(&w);
				for (int d = 0; d < 3; d++) /* keep the formula quick */
					w.region.n[d] = w.region.n[d] < (d == 2 ? 65 : 3)
								? w.region.n[d]
								: (d == 2 ? 65 : 3);
				crn_region_normalise(&w.region);
				check(&w, by_distance);
			}
}

int main(void)
{
	print_message("seed %d\n", SEED);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_do_what_they_say),
		cmocka_unit_test(balls_are_distances),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

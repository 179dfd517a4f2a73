/* SPDX-License-Identifier: Apache-2.0
 *
 * components_test.c -- labelling against a flood fill: random images of 1 to 4 axes, all
 * connectivities and odd structures, awkward shapes (spirals, combs, checkerboards), random tiles,
 * quotas that force every table into the scratch file, every instruction set, any region and step,
 * and passes that go on where a killed one stopped.
 */
#include "base/mem.h"
#include "builtin.h"
#include "core/op.h"
#include "ops/components.h"
#include "ops/global_test_services.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_VOXELS = 1 << 17, BUDGET = 2 << 20 };

static crn_env env_of(services *s, crn_isa isa, size_t quota)
{
	return (crn_env){.engine = s,
		.isa = isa,
		.charge = charge,
		.spill = spill,
		.unspill = unspill,
		.overwrite = overwrite,
		.quota_bytes = quota};
}

/* ---- the reference ---- */

typedef struct image {
	int ndim;
	int64_t shape[CRN_MAX_NDIM], count;
	uint8_t voxel[MOST_VOXELS];
} image;

static void fill_from(
	const image *im, const bool *structure, int64_t start, int32_t id, int32_t *ids)
{
	static int64_t stack[MOST_VOXELS];
	int64_t n = 0, n_links = 1;
	for (int d = 0; d < im->ndim; d++)
		n_links *= 3;
	ids[start] = id;
	stack[n++] = start;
	while (n > 0) {
		int64_t at[CRN_MAX_NDIM];
		crn_unravel(stack[--n], im->ndim, im->shape, at);
		for (int64_t l = 0; l < n_links; l++) {
			int64_t rest = l, to[CRN_MAX_NDIM];
			bool inside = structure[l];
			for (int d = im->ndim - 1; d >= 0; d--, rest /= 3) {
				to[d] = at[d] + rest % 3 - 1;
				inside = inside && to[d] >= 0 && to[d] < im->shape[d];
			}
			if (!inside)
				continue;
			int64_t other = crn_ravel(to, im->ndim, im->shape);
			if (im->voxel[other] && ids[other] == 0) {
				ids[other] = id;
				stack[n++] = other;
			}
		}
	}
}

static int32_t flood(const image *im, const bool *structure, int32_t *ids)
{
	int32_t n = 0;
	memset(ids, 0, sizeof(*ids) * (size_t)im->count);
	for (int64_t i = 0; i < im->count; i++)
		if (im->voxel[i] && ids[i] == 0)
			fill_from(im, structure, i, ++n, ids);
	return n;
}

/* ---- one labelling, hook by hook ---- */

typedef struct trial {
	image *im;
	bool structure[6561];
	crn_objects objects;
	uint64_t min_size;
	int64_t tile[CRN_MAX_NDIM];
	crn_isa isa;
	size_t quota;
	bool interrupted; /* half the tiles are folded by a run that dies */
} trial;

static int64_t fold_tile(const trial *t, crn_components *c, int64_t tile)
{
	static uint8_t voxel[MOST_VOXELS];
	cairn_error err = {0};
	crn_region box = crn_components_box(c, tile),
		   whole = crn_region_whole(t->im->ndim, t->im->shape);
	crn_view all = crn_view_dense(t->im->voxel, CRN_U8, t->im->ndim, t->im->shape);
	crn_view in = crn_view_dense(voxel, CRN_U8, box.ndim, box.n);
	crn_view part = crn_view_part(&all, &whole, &box);
	crn_view_copy(&in, &part);
	crn_call call = {.n_in = 1, .in = &in, .in_region = &box, .out_region = box};
	call.scratch_bytes = c->singles ? crn_components_fold_scratch_singles(NULL, &box)
			     : t->objects == CRN_OBJECTS_NUMBER
				     ? crn_components_fold_scratch(NULL, &box)
				     : crn_components_fold_scratch_extra(NULL, &box);
	call.scratch = aligned_alloc(64, (call.scratch_bytes + 63) / 64 * 64);
	memset(call.scratch, 0xA5, call.scratch_bytes);
	crn_assert_ok(crn_components_fold(c, NULL, 0, tile, &call, &err));
	free(call.scratch);
	return 1;
}

static crn_components *begin(const trial *t, const crn_env *env, const crn_grid *grid)
{
	cairn_error err = {0};
	crn_components_spec spec = {
		.objects = t->objects, .min_size = t->min_size, .max_id = INT32_MAX};
	crn_components *c = NULL;
	crn_type type = crn_type_make(CRN_U8, t->im->ndim, t->im->shape);
	memcpy(spec.structure, t->structure, sizeof(spec.structure));
	crn_assert_ok(crn_components_new(&spec, &type, env, &c, &err));
	crn_assert_ok(crn_components_pass_begin(c, 0, grid, &err));
	return c;
}

/* The state after the pass. With `interrupted`, of a second run that takes over what the first
 * one's records say, and folds only the other tiles. */
static crn_components *label(const trial *t, const crn_env *env, int64_t *ret_folds)
{
	cairn_error err = {0};
	crn_grid grid = {.ndim = t->im->ndim, .n_tiles = 1};
	for (int d = 0; d < grid.ndim; d++) {
		grid.shape[d] = t->im->shape[d];
		grid.tile[d] = t->tile[d];
		grid.n_tiles *= grid.n[d] = crn_n_units(grid.shape[d], grid.tile[d]);
	}
	crn_components *c = begin(t, env, &grid);
	int64_t done = t->interrupted ? grid.n_tiles / 2 : 0;
	if (t->interrupted) {
		crn_tile_record *kept = calloc((size_t)done + 1, sizeof(*kept));
		for (int64_t k = 0; k < done; k++) {
			crn_bytes span;
			(void)fold_tile(t, c, 2 * k);
			assert_int_equal(crn_components_tile_save(c, 0, 2 * k, &span), 1);
			assert_int_equal(span.n, sizeof(*kept));
			memcpy(&kept[k], span.data, span.n);
		}
		crn_components_end(c);
		c = begin(t, env, &grid);
		for (int64_t k = 0; k < done; k++)
			crn_assert_ok(crn_components_tile_load(
				c, 0, 2 * k, &kept[k], sizeof(*kept), &err));
		free(kept);
	}
	*ret_folds = 0;
	for (int64_t k = grid.n_tiles; k-- > 0;)
		if (k % 2 == 1 || k / 2 >= done)
			*ret_folds += fold_tile(t, c, k);
	assert_int_equal(*ret_folds, grid.n_tiles - done);
	crn_assert_ok(crn_components_pass_end(c, 0, &err));
	return c;
}

/* Paints a region and compares it with what is expected of every voxel. */
static void check_region(
	const trial *t, crn_components *c, const crn_region *r, const int32_t *want)
{
	static int32_t painted[MOST_VOXELS];
	static uint8_t flags[MOST_VOXELS];
	cairn_error err = {0};
	bool number = t->objects == CRN_OBJECTS_NUMBER;
	memset(painted, 0x77, sizeof(painted));
	memset(flags, 0x77, sizeof(flags));
	crn_call call = {.state = c, .out_region = *r};
	call.out = number ? crn_view_dense(painted, CRN_I32, r->ndim, r->n)
			  : crn_view_dense(flags, CRN_BOOL, r->ndim, r->n);
	call.scratch_bytes = crn_components_scratch(NULL, r);
	call.scratch = aligned_alloc(64, (call.scratch_bytes + 63) / 64 * 64);
	memset(call.scratch, 0xA5, call.scratch_bytes);
	crn_assert_ok(crn_components_paint(&call, 0, &err));
	free(call.scratch);
	for (int64_t i = 0; i < crn_region_count(r); i++) {
		int64_t at[CRN_MAX_NDIM];
		crn_unravel(i, r->ndim, r->n, at);
		for (int d = 0; d < r->ndim; d++)
			at[d] = r->lo[d] + at[d] * r->step[d];
		int32_t got = number ? painted[i] : flags[i];
		int32_t expected = want[crn_ravel(at, r->ndim, t->im->shape)];
		if (got != expected)
			fail_msg("voxel %lld is %d, not %d", (long long)i, got, expected);
	}
}

static crn_region some_region(crn_test_rng *g, const image *im)
{
	crn_region r = {.ndim = im->ndim};
	for (int d = 0; d < r.ndim; d++) {
		r.lo[d] = crn_test_int(g, 0, im->shape[d] - 1);
		r.step[d] = crn_test_int(g, 0, 2) == 0 ? crn_test_int(g, 2, 5) : 1;
		r.n[d] = crn_test_int(g, 1, (im->shape[d] - 1 - r.lo[d]) / r.step[d] + 1);
	}
	return r;
}

/* What every voxel must be: its id, or 1 where its object is large or touches the border. */
static void expect(const trial *t, int32_t *want)
{
	static int64_t value[MOST_VOXELS + 1];
	const image *im = t->im;
	flood(im, t->structure, want);
	if (t->objects == CRN_OBJECTS_NUMBER)
		return;
	memset(value, 0, sizeof(value));
	for (int64_t i = 0; i < im->count; i++) {
		int64_t at[CRN_MAX_NDIM];
		bool border = false;
		crn_unravel(i, im->ndim, im->shape, at);
		for (int d = 0; d < im->ndim; d++)
			border = border || at[d] == 0 || at[d] == im->shape[d] - 1;
		value[want[i]] += t->objects == CRN_OBJECTS_LARGE || border;
	}
	int64_t least = t->objects == CRN_OBJECTS_LARGE ? (int64_t)t->min_size : 1;
	for (int64_t i = 0; i < im->count; i++)
		want[i] = want[i] != 0 && value[want[i]] >= least;
}

static void run_trial(crn_test_rng *g, const trial *t)
{
	static int32_t want[MOST_VOXELS];
	services s = {.budget = BUDGET};
	crn_env env = env_of(&s, t->isa, t->quota);
	crn_region whole = crn_region_whole(t->im->ndim, t->im->shape);
	int64_t folds;
	expect(t, want);
	crn_components *c = label(t, &env, &folds);
	assert_true(
		t->quota == 0 || c->ids.whole == NULL || (size_t)c->n_components * 4 <= t->quota);
	check_region(t, c, &whole, want);
	for (int k = 0; k < 3; k++) {
		crn_region r = some_region(g, t->im);
		check_region(t, c, &r, want);
	}
	crn_components_end(c);
	assert_int_equal(s.charged, 0);
	free(s.spilled);
}

/* ---- images ---- */

static image *new_image(int ndim, const int64_t *shape)
{
	image *im = calloc(1, sizeof(*im));
	im->ndim = ndim;
	im->count = 1;
	for (int d = 0; d < ndim; d++)
		im->count *= im->shape[d] = shape[d];
	assert_true(im->count <= MOST_VOXELS);
	return im;
}

static image *random_image(crn_test_rng *g)
{
	int ndim = (int)crn_test_int(g, 1, 4);
	int64_t shape[CRN_MAX_NDIM], most = ndim == 1 ? 3000 : ndim == 2 ? 90 : ndim == 3 ? 20 : 9;
	for (int d = 0; d < ndim; d++)
		shape[d] = crn_test_int(g, 1, most);
	if (crn_test_int(g, 0, 2) == 0) /* rows of several words */
		shape[ndim - 1] = crn_test_int(g, 60, ndim == 4 ? 70 : 140);
	image *im = new_image(ndim, shape);
	double density = crn_test_unit(g);
	int64_t patch = crn_test_int(g, 0, 1) ? 1 : crn_test_int(g, 2, 12);
	uint8_t v = 0;
	for (int64_t i = 0; i < im->count; i++) {
		if (i % patch == 0)
			v = crn_test_unit(g) < density;
		im->voxel[i] = v;
	}
	return im;
}

static void some_tiles(crn_test_rng *g, trial *t)
{
	int64_t tiles = 1;
	for (int d = t->im->ndim - 1; d >= 0; d--) {
		t->tile[d] = crn_test_int(g, 1, t->im->shape[d] + 2);
		if (tiles * crn_n_units(t->im->shape[d], t->tile[d]) > 300)
			t->tile[d] = t->im->shape[d];
		tiles *= crn_n_units(t->im->shape[d], t->tile[d]);
	}
}

static void some_structure(crn_test_rng *g, trial *t)
{
	int64_t count = 1;
	for (int d = 0; d < t->im->ndim; d++)
		count *= 3;
	crn_structure_fill(t->im->ndim, (int)crn_test_int(g, 1, t->im->ndim), t->structure);
	if (crn_test_int(g, 0, 2) > 0 || t->objects != CRN_OBJECTS_NUMBER)
		return;
	for (int64_t i = 0; i <= count / 2; i++)
		t->structure[i] = t->structure[count - 1 - i] = crn_test_int(g, 0, 1);
}

static void test_random(void **state)
{
	(void)state;
	const uint64_t seed = 20261121;
	printf("seed %llu\n", (unsigned long long)seed);
	crn_test_rng g = {seed};
	for (int k = 0; k < 400; k++) {
		trial t = {.im = random_image(&g),
			.objects = (crn_objects)crn_test_int(&g, 0, 2),
			.min_size = (uint64_t)crn_test_int(&g, 1, 20),
			.isa = (crn_isa)(k % 3) <= crn_isa_best() ? (crn_isa)(k % 3) : CRN_ISA_BASE,
			.quota = k % 2 ? 1 : 0,
			.interrupted = k % 5 == 0};
		some_structure(&g, &t);
		some_tiles(&g, &t);
		run_trial(&g, &t);
		free(t.im);
	}
}

static void set(image *im, int64_t y, int64_t x)
{
	if (y >= 0 && y < im->shape[0] && x >= 0 && x < im->shape[1])
		im->voxel[y * im->shape[1] + x] = 1;
}

/* Turns of a square spiral, one voxel wide, with gaps of one: a single object that crosses every
 * tile border again and again. */
static image *spiral(void)
{
	image *im = new_image(2, (int64_t[]){121, 131});
	int64_t y = 0, x = 0, dy = 0, dx = 1, h = 121, w = 131;
	for (int64_t leg = w - 1; leg > 0; leg = dx ? w - 1 : h - 1) {
		for (int64_t k = 0; k < leg; k++, y += dy, x += dx)
			set(im, y, x);
		set(im, y, x);
		int64_t turn = dx;
		dx = -dy;
		dy = turn;
		if (dx == 0)
			w -= 2;
		else
			h -= 2;
		if (w < 2 || h < 2)
			break;
	}
	return im;
}

/* Teeth along one axis, joined by a bar at the far end: every tile border is crossed by all teeth,
 * and only the last tile says that they are one. */
static image *comb(int axis)
{
	image *im = new_image(3, (int64_t[]){24, 24, 70});
	for (int64_t i = 0; i < im->count; i++) {
		int64_t at[3];
		crn_unravel(i, 3, im->shape, at);
		bool tooth = at[(axis + 1) % 3] % 2 == 0 && at[(axis + 2) % 3] % 2 == 0;
		im->voxel[i] = tooth || at[axis] == im->shape[axis] - 1;
	}
	return im;
}

static image *checkerboard(void)
{
	image *im = new_image(3, (int64_t[]){20, 22, 130});
	for (int64_t i = 0; i < im->count; i++) {
		int64_t at[3];
		crn_unravel(i, 3, im->shape, at);
		im->voxel[i] = (at[0] + at[1] + at[2]) % 2;
	}
	return im;
}

/* No voxel touches another, whatever the connectivity. */
static image *singletons(void)
{
	image *im = new_image(3, (int64_t[]){30, 30, 70});
	for (int64_t i = 0; i < im->count; i++) {
		int64_t at[3];
		crn_unravel(i, 3, im->shape, at);
		im->voxel[i] = at[0] % 2 == 0 && at[1] % 2 == 0 && at[2] % 2 == 0;
	}
	return im;
}

static image *full(void)
{
	image *im = new_image(3, (int64_t[]){30, 30, 70});
	memset(im->voxel, 1, (size_t)im->count);
	return im;
}

static void test_awkward(void **state)
{
	(void)state;
	const uint64_t seed = 7;
	printf("seed %llu\n", (unsigned long long)seed);
	crn_test_rng g = {seed};
	image *images[] = {
		spiral(), comb(0), comb(1), comb(2), checkerboard(), singletons(), full()};
	for (size_t i = 0; i < CRN_COUNT(images); i++) {
		image *im = images[i];
		for (int connectivity = 1; connectivity <= im->ndim; connectivity++)
			for (int k = 0; k < 4; k++) {
				trial t = {.im = im,
					.isa = crn_isa_best(),
					.quota = (size_t)(k & 1),
					.interrupted = k == 3};
				crn_structure_fill(im->ndim, connectivity, t.structure);
				some_tiles(&g, &t);
				run_trial(&g, &t);
			}
		free(im);
	}
}

/* Rows longer than the parts they are joined and painted in. */
static void test_long_rows(void **state)
{
	(void)state;
	const uint64_t seed = 3;
	printf("seed %llu\n", (unsigned long long)seed);
	crn_test_rng g = {seed};
	image *im = new_image(2, (int64_t[]){1, 1});
	im->shape[0] = 1;
	im->shape[1] = im->count = MOST_VOXELS;
	for (int k = 0; k < 6; k++) {
		im->shape[0] = k % 2 ? 1 : 2;
		im->shape[1] = MOST_VOXELS / im->shape[0];
		for (int64_t i = 0; i < im->count; i++)
			im->voxel[i] = crn_test_unit(&g) < (k < 3 ? 0.5 : 0.97);
		trial t = {
			.im = im, .isa = crn_isa_best(), .tile = {1, k < 2 ? MOST_VOXELS : 9999}};
		crn_structure_fill(2, 1 + k % 2, t.structure);
		if (k >= 2) /* neighbours along one diagonal only */
			t.structure[1] = t.structure[2] = t.structure[6] = t.structure[7] = false;
		run_trial(&g, &t);
	}
	free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random),
		cmocka_unit_test(test_awkward), cmocka_unit_test(test_long_rows)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

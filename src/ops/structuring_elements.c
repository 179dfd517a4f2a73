/* SPDX-License-Identifier: Apache-2.0
 *
 * structuring_elements.c -- ball, disk, box and the like: calls that give small constant arrays.
 *
 * They are values, not arrays of the graph: known while a pipeline is built, and part of the
 * parameters (and the hash) of the op that takes them. One file for all, since each is one formula.
 */
#include "ops/binary_pass.h"

#include "core/call.h"

#include <string.h>

static cairn_status new_element(
	crn_dtype t, int ndim, int64_t extent, crn_const **ret, cairn_error *err)
{
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < CRN_MAX_NDIM; d++)
		shape[d] = extent;
	return crn_const_new(t, ndim, shape, ret, err);
}

/* Sets every voxel of a cube around its centre for which `inside(offset, limit)` holds. */
static void fill_element(
	crn_const *c, bool (*inside)(const int64_t *offset, int ndim, int64_t limit), int64_t limit)
{
	unsigned char *p = c->data;
	int64_t count = crn_const_count(c), idx[CRN_MAX_NDIM];
	for (int64_t i = 0; i < count; i++) {
		crn_unravel(i, c->ndim, c->shape, idx);
		for (int d = 0; d < c->ndim; d++)
			idx[d] -= c->shape[d] / 2;
		p[i] = inside(idx, c->ndim, limit);
	}
}

static bool within_sphere(const int64_t *offset, int ndim, int64_t radius)
{
	int64_t sum = 0;
	for (int d = 0; d < ndim; d++)
		sum += offset[d] * offset[d];
	return sum <= radius * radius;
}

static bool within_steps(const int64_t *offset, int ndim, int64_t steps)
{
	int64_t sum = 0;
	for (int d = 0; d < ndim; d++)
		sum += offset[d] < 0 ? -offset[d] : offset[d];
	return sum <= steps;
}

cairn_status crn_const_cross(int ndim, int64_t connectivity, crn_const **ret, cairn_error *err)
{
	crn_const *c = NULL;
	CRN_TRY(new_element(CRN_BOOL, ndim, 3, &c, err));
	fill_element(c, within_steps, connectivity < 1 ? 1 : connectivity);
	*ret = c;
	return CAIRN_OK;
}

cairn_status crn_const_reversed(const crn_const *c, crn_const **ret, cairn_error *err)
{
	crn_const *r = NULL;
	CRN_TRY(crn_const_new(c->dtype, c->ndim, c->shape, &r, err));
	size_t item = crn_dtype_size(c->dtype);
	int64_t count = crn_const_count(c);
	/* Reversing every axis reverses the elements in C order. */
	for (int64_t i = 0; i < count; i++)
		memcpy((char *)r->data + i * (int64_t)item,
			(const char *)c->data + (count - 1 - i) * (int64_t)item, item);
	*ret = r;
	return CAIRN_OK;
}

cairn_status crn_const_nonzero(const crn_const *c, crn_const **ret, cairn_error *err)
{
	crn_const *r = NULL;
	CRN_TRY(crn_const_new(CRN_BOOL, c->ndim, c->shape, &r, err));
	size_t item = crn_dtype_size(c->dtype);
	for (int64_t i = 0, count = crn_const_count(c); i < count; i++) {
		crn_elem e = {{0}};
		memcpy(e.bytes, (const char *)c->data + i * (int64_t)item, item);
		((unsigned char *)r->data)[i] = crn_dtype_is_float(c->dtype)
							? crn_elem_to_double(c->dtype, e) != 0
							: crn_elem_to_uint(c->dtype, e) != 0;
	}
	*ret = r;
	return CAIRN_OK;
}

/* ---- the calls ---- */

static cairn_status build_round(const crn_op *self, const crn_value *args, int ndim,
	bool (*inside)(const int64_t *, int, int64_t), crn_value *ret, cairn_error *err)
{
	int64_t radius = args[0].i;
	if (radius < 0 || radius > 1 << 20)
		return crn_fail(err, CAIRN_USAGE, "%s: radius %lld; it must be 0 or more voxels",
			self->name, (long long)radius);
	crn_const *c = NULL;
	CRN_TRY(new_element(CRN_U8, ndim, 2 * radius + 1, &c, err));
	fill_element(c, inside, radius);
	*ret = crn_value_const(c);
	return CAIRN_OK;
}

static cairn_status build_ones(
	const crn_op *self, const int64_t *shape, int ndim, crn_value *ret, cairn_error *err)
{
	for (int d = 0; d < ndim; d++)
		if (shape[d] < 1)
			return crn_fail(err, CAIRN_USAGE,
				"%s: extent %lld; it must be 1 or more voxels", self->name,
				(long long)shape[d]);
	crn_const *c = NULL;
	CRN_TRY(crn_const_new(CRN_U8, ndim, shape, &c, err));
	memset(c->data, 1, (size_t)crn_const_count(c));
	*ret = crn_value_const(c);
	return CAIRN_OK;
}

#define BUILD(name) \
	static cairn_status build_##name(crn_graph *g, const crn_op *self, const crn_value *args, \
		crn_value *ret, cairn_error *err)

BUILD(ball)
{
	(void)g;
	return build_round(self, args, 3, within_sphere, ret, err);
}

BUILD(disk)
{
	(void)g;
	return build_round(self, args, 2, within_sphere, ret, err);
}

BUILD(diamond)
{
	(void)g;
	return build_round(self, args, 2, within_steps, ret, err);
}

BUILD(octahedron)
{
	(void)g;
	return build_round(self, args, 3, within_steps, ret, err);
}

BUILD(cube)
{
	(void)g;
	return build_ones(self, (int64_t[]){args[0].i, args[0].i, args[0].i}, 3, ret, err);
}

BUILD(rectangle)
{
	(void)g;
	return build_ones(self, (int64_t[]){args[0].i, args[1].i}, 2, ret, err);
}

BUILD(box)
{
	(void)g;
	if (args[0].kind != CRN_V_LIST || args[0].list.n < 1 || args[0].list.n > CRN_MAX_NDIM) {
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "box: one extent per axis is needed");
		crn_hint(err, "write box((3, 5, 5)), or cube(5), or rectangle(5, 5)");
		return status;
	}
	int64_t shape[CRN_MAX_NDIM];
	CRN_TRY(crn_args_ints(&args[0], args[0].list.n, shape, "box: sizes", err));
	return build_ones(self, shape, args[0].list.n, ret, err);
}

BUILD(generate_binary_structure)
{
	(void)g;
	if (args[0].i < 1 || args[0].i > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_USAGE, "%s: rank %lld; allowed are 1 to %d", self->name,
			(long long)args[0].i, CRN_MAX_NDIM);
	crn_const *c = NULL;
	CRN_TRY(crn_const_cross((int)args[0].i, args[1].i, &c, err));
	*ret = crn_value_const(c);
	return CAIRN_OK;
}

static const crn_param radius_params[] = {
	{"radius", CRN_P_INT, NULL, "in voxels, >= 0; the element is 2 radius + 1 wide", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param width_params[] = {
	{"width", CRN_P_INT, NULL, "in voxels, >= 1", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param rectangle_params[] = {
	{"nrows", CRN_P_INT, NULL, "extent along y, >= 1", NULL},
	{"ncols", CRN_P_INT, NULL, "extent along x, >= 1", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param box_params[] = {
	{"sizes", CRN_P_INTS, NULL, "extent per axis, >= 1", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param cross_params[] = {
	{"rank", CRN_P_INT, NULL, "number of axes", NULL},
	{"connectivity", CRN_P_INT, NULL, "1: shared faces only; rank: corners too", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

#define ELEMENT(x, text, from, table, snippet) \
	const crn_op crn_op_##x = { \
		.name = #x, \
		.category = "morphology", \
		.summary = text, \
		.source = from, \
		.example = snippet, \
		.kind = CRN_COMPOSITE, \
		.semver = 1, \
		.params = table, \
		.build = build_##x, \
	}

ELEMENT(ball, "Structuring element: voxels within radius of the centre (3-D).",
	"skimage.morphology.ball", radius_params,
	"binary_erosion(random((20, 30, 30)) > 0.1, ball(1))");
ELEMENT(box, "Structuring element: a box of ones.", "cairn", box_params,
	"binary_erosion(random((30, 30)) > 0.1, box((1, 3)))");
ELEMENT(cube, "Structuring element: a cube of ones (3-D).", "skimage.morphology.cube", width_params,
	"binary_dilation(random((20, 30, 30)) > 0.9, cube(3))");
ELEMENT(diamond, "Structuring element: pixels within radius steps of the centre (2-D).",
	"skimage.morphology.diamond", radius_params,
	"binary_opening(random((30, 30)) > 0.3, diamond(1))");
ELEMENT(disk, "Structuring element: pixels within radius of the centre (2-D).",
	"skimage.morphology.disk", radius_params,
	"binary_closing(random((30, 30)) > 0.7, disk(2))");
ELEMENT(generate_binary_structure, "Structuring element of 3 voxels per axis for a connectivity.",
	"scipy.ndimage.generate_binary_structure", cross_params,
	"label(random((30, 30)) > 0.6, generate_binary_structure(2, 2))");
ELEMENT(octahedron, "Structuring element: voxels within radius steps of the centre (3-D).",
	"skimage.morphology.octahedron", radius_params,
	"binary_erosion(random((20, 30, 30)) > 0.1, octahedron(1))");
ELEMENT(rectangle, "Structuring element: a rectangle of ones (2-D).",
	"skimage.morphology.rectangle", rectangle_params,
	"binary_dilation(random((30, 30)) > 0.9, rectangle(1, 5))");

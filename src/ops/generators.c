/* SPDX-License-Identifier: Apache-2.0
 *
 * generators.c -- zeros, ones, full, arange: arrays made from coordinates alone.
 *
 * zeros and ones are full nodes. Any region is computed on its own.
 */
#include "core/call.h"
#include "core/op.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

extern const crn_op crn_op_full, crn_op_arange;

/* A list of extents out of an int or a list. */
static cairn_status shape_value(const crn_value *v, crn_value *ret, cairn_error *err)
{
	int64_t shape[CRN_MAX_NDIM];
	int ndim = v->kind == CRN_V_LIST ? v->list.n : 1;
	if (ndim > CRN_MAX_NDIM)
		return crn_fail(
			err, CAIRN_USAGE, "shape: %d axes, the limit is %d", ndim, CRN_MAX_NDIM);
	CRN_TRY(crn_args_ints(v, ndim, shape, "shape", err));
	return crn_value_ints(shape, ndim, ret, err);
}

static crn_dtype dtype_arg(const crn_value *v)
{
	crn_dtype t = CRN_F64;
	(void)crn_dtype_from_name(v->s, &t);
	return t;
}

static crn_type type_of_shape(const crn_value *list, crn_dtype dtype)
{
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < list->list.n; d++)
		shape[d] = list->list.items[d].i;
	return crn_type_make(dtype, list->list.n, shape);
}

static cairn_status number_fits(const crn_op *op, const crn_value *v, crn_dtype t, cairn_error *err)
{
	crn_elem e;
	if (crn_value_to_elem(v, t, &e))
		return CAIRN_OK;
	CRN_STR text = {0};
	crn_value_print(v, &text);
	return crn_fail(err, CAIRN_USAGE, "%s: %s does not fit dtype %s", op->name,
		text.data ? text.data : "", crn_dtype_name(t));
}

/* ---- full, zeros, ones ---- */

static cairn_status make_full(crn_graph *g, const crn_value *shape, const crn_value *number,
	const crn_value *dtype, crn_value *ret, cairn_error *err)
{
	CRN_VALUE extents = {0};
	CRN_TRY(shape_value(shape, &extents, err));
	CRN_TRY(number_fits(&crn_op_full, number, dtype_arg(dtype), err));
	crn_value args[] = {extents, *number, *dtype};
	crn_node *n;
	CRN_TRY(crn_node_new(g, &crn_op_full, args, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

/* Without a dtype, that of the number: bool, int64 (uint64) or float64. */
static cairn_status build_full(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	static const char *const natural[] = {[CRN_V_BOOL] = "bool",
		[CRN_V_INT] = "int64",
		[CRN_V_UINT] = "uint64",
		[CRN_V_FLOAT] = "float64"};
	CRN_VALUE dtype = {0};
	if (args[2].kind == CRN_V_NONE)
		CRN_TRY(crn_value_str(natural[args[1].kind], &dtype, err));
	else
		CRN_TRY(crn_value_copy(&args[2], &dtype, err));
	return make_full(g, &args[0], &args[1], &dtype, ret, err);
}

static cairn_status build_zeros(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_value zero = crn_value_int(0);
	return make_full(g, &args[0], &zero, &args[1], ret, err);
}

static cairn_status build_ones(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_value one = crn_value_int(1);
	return make_full(g, &args[0], &one, &args[1], ret, err);
}

static cairn_status infer_full(const crn_node *n, crn_type *ret, cairn_error *err)
{
	*ret = type_of_shape(&n->args[0], dtype_arg(&n->args[2]));
	return CAIRN_OK;
}

static cairn_status compute_full(const crn_call *call, cairn_error *err)
{
	crn_elem e = {{0}};
	(void)crn_value_to_elem(&call->node->args[1], call->out.dtype, &e);
	crn_view_fill(&call->out, e);
	return CAIRN_OK;
}

/* ---- arange ---- */

/* ceil((stop - start) / step), at least 0; false if it does not fit. */
static bool arange_length(const crn_value *args, int64_t *ret)
{
	bool whole = true;
	for (int i = 0; i < 3; i++)
		whole = whole && args[i].kind == CRN_V_INT;
	if (whole) {
		__int128 span = (__int128)args[1].i - args[0].i, step = args[2].i;
		__int128 n = span / step + (span % step != 0 && (span < 0) == (step < 0));
		*ret = n < 0 ? 0 : (int64_t)n;
		return n <= INT64_MAX;
	}
	double n = ceil((crn_value_to_double(&args[1]) - crn_value_to_double(&args[0])) /
			crn_value_to_double(&args[2]));
	if (!(n < 9e18))
		return false;
	*ret = n > 0 ? (int64_t)n : 0;
	return true;
}

static cairn_status build_arange(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	bool alone = args[1].kind == CRN_V_NONE;
	CRN_VALUE dtype = {0};
	crn_value canonical[] = {
		alone ? crn_value_int(0) : args[0], alone ? args[0] : args[1], args[2], args[3]};
	bool floats = false;
	for (int i = 0; i < 3; i++)
		floats = floats || canonical[i].kind == CRN_V_FLOAT;
	if (crn_value_to_double(&canonical[2]) == 0)
		return crn_fail(err, CAIRN_USAGE, "arange: step is zero");
	if (args[3].kind == CRN_V_NONE) {
		CRN_TRY(crn_value_str(floats ? "float64" : "int64", &dtype, err));
		canonical[3] = dtype;
	}
	if (floats && !crn_dtype_is_float(dtype_arg(&canonical[3]))) {
		crn_fail(err, CAIRN_USAGE, "arange: a fractional range cannot be %s",
			canonical[3].s);
		crn_hint(err, "give whole numbers, or a float dtype");
		return CAIRN_USAGE;
	}
	int64_t length;
	if (!arange_length(canonical, &length))
		return crn_fail(err, CAIRN_USAGE, "arange: the range has too many numbers");
	crn_node *n;
	CRN_TRY(crn_node_new(g, self, canonical, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

static cairn_status infer_arange(const crn_node *n, crn_type *ret, cairn_error *err)
{
	int64_t length = 0;
	(void)arange_length(n->args, &length);
	*ret = crn_type_make(dtype_arg(&n->args[3]), 1, &length);
	return CAIRN_OK;
}

/* Numbers as NumPy makes them: first + i * (second - first), in the array's own type. */
static void arange_floats(const crn_call *call, double start, double step)
{
	int64_t lo = call->out_region.lo[0], by = call->out_region.step[0];
	if (call->out.dtype == CRN_F32) {
		float *out = call->out.data, first = (float)start;
		float delta = (float)(start + step) - first;
		for (int64_t i = 0; i < call->out.shape[0]; i++)
			out[i] = first + (float)(lo + i * by) * delta;
	} else {
		double *out = call->out.data, delta = (start + step) - start;
		for (int64_t i = 0; i < call->out.shape[0]; i++)
			out[i] = start + (double)(lo + i * by) * delta;
	}
}

static cairn_status compute_arange(const crn_call *call, cairn_error *err)
{
	const crn_value *args = call->node->args;
	crn_dtype t = call->out.dtype;
	if (crn_dtype_is_float(t)) {
		arange_floats(call, crn_value_to_double(&args[0]), crn_value_to_double(&args[2]));
		return CAIRN_OK;
	}
	uint64_t start = args[0].u, step = args[2].u;
	char *out = call->out.data;
	size_t size = crn_dtype_size(t);
	for (int64_t i = 0; i < call->out.shape[0]; i++) {
		uint64_t k = (uint64_t)(call->out_region.lo[0] + i * call->out_region.step[0]);
		crn_elem e = crn_elem_from_uint(t, start + k * step);
		memcpy(out + (size_t)i * size, e.bytes, size);
	}
	return CAIRN_OK;
}

/* ---- descriptors ---- */

static const crn_param shape_params[] = {
	{"shape", CRN_P_INTS, NULL, "extents, slowest axis first", NULL},
	{"dtype", CRN_P_DTYPE, "'float64'", "dtype", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param full_params[] = {
	{"shape", CRN_P_INTS, NULL, "extents, slowest axis first", NULL},
	{"fill_value", CRN_P_NUMBER, NULL, "the value of every voxel", NULL},
	{"dtype", CRN_P_DTYPE, "None", "dtype; None: the number's own", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};
static const crn_param arange_params[] = {
	{"start", CRN_P_NUMBER, NULL, "first number; alone, it is the stop and 0 the start", NULL},
	{"stop", CRN_P_NUMBER, "None", "end, not included", NULL},
	{"step", CRN_P_NUMBER, "1", "distance between numbers, not zero", NULL},
	{"dtype", CRN_P_DTYPE, "None", "dtype; None: int64, or float64 with a float number", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_zeros = {
	.name = "zeros",
	.category = "input",
	.summary = "an array of zeros",
	.source = "numpy.zeros",
	.example = "zeros((2, 3), dtype=\"uint8\")",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = shape_params,
	.build = build_zeros,
};

const crn_op crn_op_ones = {
	.name = "ones",
	.category = "input",
	.summary = "an array of ones",
	.source = "numpy.ones",
	.example = "ones((2, 3), dtype=\"uint8\")",
	.kind = CRN_COMPOSITE,
	.semver = 1,
	.params = shape_params,
	.build = build_ones,
};

const crn_op crn_op_full = {
	.name = "full",
	.category = "input",
	.summary = "an array of one value",
	.source = "numpy.full",
	.example = "full((2, 3), 7, dtype=\"uint8\")",
	.kind = CRN_GENERATOR,
	.semver = 1,
	.params = full_params,
	.build = build_full,
	.infer = infer_full,
	.compute = compute_full,
};

const crn_op crn_op_arange = {
	.name = "arange",
	.category = "input",
	.summary = "evenly spaced numbers along one axis",
	.doc = "Number i is start + i * ((start + step) - start), as NumPy computes it.",
	.source = "numpy.arange",
	.example = "arange(10)",
	.kind = CRN_GENERATOR,
	.semver = 1,
	.params = arange_params,
	.build = build_arange,
	.infer = infer_arange,
	.compute = compute_arange,
};

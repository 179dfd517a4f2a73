/* SPDX-License-Identifier: Apache-2.0
 *
 * downscale_local_mean.c -- mean of every block of `factors` voxels; blocks that stick out of the
 * array are filled up with cval, as scikit-image does.
 *
 * One output row at a time: each input row of its blocks adds its partial sums, in raster order, to
 * a row of accumulators in scratch (exact integers, or float64), so no tiling shows in a result.
 */
#include "core/call.h"
#include "core/op.h"

#include <math.h>
#include <string.h>

static void factors_of(const crn_node *n, int64_t ret[CRN_MAX_NDIM])
{
	for (int d = 0; d < CRN_MAX_NDIM; d++)
		ret[d] = 1;
	/* infer has checked them. */
	(void)!crn_args_ints(crn_node_arg(n, "factors"), n->in[0]->type.ndim, ret, "factors", NULL);
}

static bool exact(crn_dtype t)
{
	return !crn_dtype_is_float(t) && crn_dtype_size(t) < 8;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	int64_t f[CRN_MAX_NDIM], block = 1;
	if (in->is_table || in->ndim == 0)
		return crn_fail(err, CAIRN_USAGE,
			"downscale_local_mean: the input must have at least one axis");
	CRN_TRY(crn_args_ints(crn_node_arg(n, "factors"), in->ndim, f, "factors", err));
	*ret = crn_type_with_dtype(in, in->dtype == CRN_F32 ? CRN_F32 : CRN_F64);
	ret->kind = CRN_INTENSITY;
	for (int d = 0; d < in->ndim; d++) {
		if (f[d] < 1)
			return crn_fail(err, CAIRN_USAGE,
				"downscale_local_mean: factors must be at least 1");
		if (__builtin_mul_overflow(block, f[d], &block) || block > INT32_MAX)
			return crn_fail(err, CAIRN_USAGE,
				"downscale_local_mean: a block has more than 2^31 voxels");
		ret->shape[d] = crn_n_units(in->shape[d], f[d]);
		ret->axes[d].translation += 0.5 * (double)(f[d] - 1) * in->axes[d].scale;
		ret->axes[d].scale *= (double)f[d];
	}
	return CAIRN_OK;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	int64_t f[CRN_MAX_NDIM];
	factors_of(n, f);
	*ret = (crn_need){.region = {.ndim = out->ndim}, .border = CRN_BORDER_CONSTANT};
	for (int d = 0; d < out->ndim; d++) {
		bool empty = out->n[d] == 0;
		ret->region.lo[d] = out->lo[d] * f[d];
		ret->region.n[d] = empty ? 0 : (crn_region_last(out, d) - out->lo[d] + 1) * f[d];
		ret->region.step[d] = 1;
	}
	/* numpy.pad casts cval to the array's dtype. */
	crn_dtype t = n->in[0]->type.dtype;
	ret->cval = crn_elem_from_double(t, crn_node_arg(n, "cval")->f);
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	return (size_t)out->n[out->ndim - 1] * 8;
}

/* acc[i] += the f values of block i of the row; blocks are `stride` elements apart. */
#define ADD_ROW(ID, type, sum_type) \
	case CRN_##ID: { \
		const type *v = row; \
		sum_type *to = acc; \
		for (int64_t i = 0; i < n; i++) { \
			sum_type sum = 0; \
			for (int64_t k = 0; k < f; k++) \
				sum += (sum_type)v[i * stride + k]; \
			to[i] += sum; \
		} \
		break; \
	}

static void add_row(crn_dtype t, void *acc, const void *row, int64_t n, int64_t f, int64_t stride)
{
	switch (t) {
		ADD_ROW(BOOL, uint8_t, int64_t)
		ADD_ROW(U8, uint8_t, int64_t)
		ADD_ROW(U16, uint16_t, int64_t)
		ADD_ROW(U32, uint32_t, int64_t)
		ADD_ROW(U64, uint64_t, double)
		ADD_ROW(I8, int8_t, int64_t)
		ADD_ROW(I16, int16_t, int64_t)
		ADD_ROW(I32, int32_t, int64_t)
		ADD_ROW(I64, int64_t, double)
		ADD_ROW(F32, float, double)
		ADD_ROW(F64, double, double)
	default:
		break;
	}
}

static void store_row(
	const crn_view *out, char *row, const void *acc, int64_t n, double size, bool integers)
{
	for (int64_t i = 0; i < n; i++) {
		double sum =
			integers ? (double)((const int64_t *)acc)[i] : ((const double *)acc)[i];
		if (out->dtype == CRN_F32)
			((float *)row)[i] = (float)(sum / size);
		else
			((double *)row)[i] = sum / size;
	}
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	const crn_node *n = call->node;
	const crn_view *in = &call->in[0];
	const crn_region *r = &call->out_region;
	int64_t f[CRN_MAX_NDIM], lines = 1;
	int x = r->ndim - 1;
	factors_of(n, f);
	for (int d = 0; d < x; d++)
		lines *= f[d];
	crn_rows rows;
	for (crn_rows_begin(&rows, r->ndim, r->n); !rows.end; crn_rows_next(&rows)) {
		memset(call->scratch, 0, (size_t)rows.n * 8);
		for (int64_t line = 0; line < lines; line++) {
			int64_t at[CRN_MAX_NDIM];
			crn_unravel(line, x, f, at);
			const char *row = in->data;
			for (int d = 0; d < x; d++)
				row += (rows.idx[d] * r->step[d] * f[d] + at[d]) * in->stride[d];
			add_row(in->dtype, call->scratch, row, rows.n, f[x], r->step[x] * f[x]);
		}
		store_row(&call->out, crn_rows_at(&rows, &call->out), call->scratch, rows.n,
			(double)lines * (double)f[x], exact(in->dtype));
	}
	return CAIRN_OK;
}

static double cost(const crn_node *n)
{
	int64_t f[CRN_MAX_NDIM], block = 1;
	factors_of(n, f);
	for (int d = 0; d < n->in[0]->type.ndim; d++)
		block *= f[d];
	return 1.0 + 0.7 * (double)block;
}

static const crn_param params[] = {
	{"image", CRN_P_ARRAY, NULL, "array"},
	{"factors", CRN_P_INTS, NULL, "extent of a block along each axis"},
	{"cval", CRN_P_FLOAT, "0", "value outside, for blocks that stick out"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_downscale_local_mean = {
	.name = "downscale_local_mean",
	.category = "resize",
	.summary = "Shrink by the mean of blocks",
	.doc = "The output has ceil(n / factor) voxels along an axis. Integers give float64, "
	       "float32 stays "
	       "float32 (summed in float64). cval counts in the mean of blocks that stick out, and "
	       "is "
	       "cast to the input's dtype. Scale and position of the axes follow.",
	.source = "skimage.transform.downscale_local_mean",
	.example = "small = downscale_local_mean(ones((4, 6)), (2, 3))",
	.kind = CRN_STENCIL,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = need,
	.cost = cost,
	.scratch = scratch,
	.compute = compute,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * transpose_codec.c -- array to array: permutes axes. Axis i of the encoded chunk is axis order[i]
 * of the decoded one; the full reversal is Fortran order.
 *
 * Source: Zarr v3 "transpose"; "order": "F" of Zarr v2.
 */
#include "core/codec.h"

#include <string.h>

static cairn_status wrong(int ndim, cairn_error *err)
{
	return crn_fail(err, CAIRN_INPUT,
		"\"order\" must be a permutation of the %d axes, \"C\" or \"F\"", ndim);
}

static cairn_status configure(const crn_codec_request *req, crn_codec_step *ret, cairn_error *err)
{
	const crn_json *order = crn_json_get(req->config, "order");
	int ndim = req->chunk.ndim;
	bool seen[CRN_MAX_NDIM] = {false};
	if (!order)
		return wrong(ndim, err);
	/* Files from before the final specification say "C" or "F". */
	bool letter = order->kind == CRN_JSON_STRING &&
		      (strcmp(order->text, "C") == 0 || strcmp(order->text, "F") == 0);
	if (!letter && (order->kind != CRN_JSON_ARRAY || order->n != ndim))
		return wrong(ndim, err);
	for (int i = 0; i < ndim; i++) {
		int64_t axis = letter ? (*order->text == 'F' ? ndim - 1 - i : i)
			       : order->items[i].kind == CRN_JSON_INT ? order->items[i].i
								      : -1;
		if (axis < 0 || axis >= ndim || seen[axis])
			return wrong(ndim, err);
		seen[axis] = true;
		ret->params[i] = axis;
		ret->chunk.shape[i] = req->chunk.shape[axis];
	}
	ret->encoded_bytes = ret->max_encoded = req->max_decoded;
	return CAIRN_OK;
}

static void reorder(const crn_codec_step *s, const crn_view *decoded, crn_view *ret_encoded)
{
	*ret_encoded = *decoded;
	for (int i = 0; i < decoded->ndim; i++) {
		ret_encoded->shape[i] = decoded->shape[s->params[i]];
		ret_encoded->stride[i] = decoded->stride[s->params[i]];
	}
}

static const char *const v3_names[] = {"transpose", NULL};

const crn_codec crn_codec_transpose = {
	.name = "transpose",
	.summary = "axes in another order",
	.v3_names = v3_names,
	.kind = CRN_ARRAY_TO_ARRAY,
	.configure = configure,
	.reorder = reorder,
};

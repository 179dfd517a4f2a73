/* SPDX-License-Identifier: Apache-2.0
 *
 * map_blocks.c -- map_blocks(): a command of the user's computes blocks.
 *
 * The block with its halo goes to the command's stdin and the block without it is read from its
 * stdout, both as raw C-order bytes in native order. The engine decides how the array is cut, so
 * the answer must not depend on the cut: it may use only what the halo covers.
 */
#include "base/mem.h"
#include "base/str.h"
#include "core/call.h"
#include "core/op.h"
#include "ops/child_process.h"

#include <string.h>

static crn_dtype dtype_of(const crn_node *n)
{
	crn_dtype t = n->in[0]->type.dtype;
	const crn_value *v = crn_node_arg(n, "dtype");
	if (v->kind == CRN_V_STR)
		(void)crn_dtype_from_name(v->s, &t);
	return t;
}

static void halo_of(const crn_node *n, int64_t ret[CRN_MAX_NDIM])
{
	memset(ret, 0, CRN_MAX_NDIM * sizeof(*ret));
	/* infer has checked it. */
	(void)!crn_args_ints(crn_node_arg(n, "halo"), n->in[0]->type.ndim, ret, "halo", NULL);
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	int64_t halo[CRN_MAX_NDIM];
	if (in->is_table || in->ndim == 0)
		return crn_fail(
			err, CAIRN_USAGE, "map_blocks: the input must have at least one axis");
	CRN_TRY(crn_args_ints(crn_node_arg(n, "halo"), in->ndim, halo, "halo", err));
	for (int d = 0; d < in->ndim; d++)
		if (halo[d] < 0 || halo[d] > 1 << 20)
			return crn_fail(
				err, CAIRN_USAGE, "map_blocks: halo must be between 0 and 2^20");
	*ret = dtype_of(n) == in->dtype ? *in : crn_type_with_dtype(in, dtype_of(n));
	return CAIRN_OK;
}

static crn_border border_of(const crn_node *n)
{
	static const struct {
		const char *name;
		crn_border border;
	} names[] = {{"reflect", CRN_BORDER_REFLECT}, {"mirror", CRN_BORDER_MIRROR},
		{"nearest", CRN_BORDER_NEAREST}, {"wrap", CRN_BORDER_WRAP},
		{"constant", CRN_BORDER_CONSTANT}};
	const char *mode = crn_node_arg(n, "mode")->s;
	for (size_t i = 0; i < CRN_COUNT(names); i++)
		if (strcmp(mode, names[i].name) == 0)
			return names[i].border;
	return CRN_BORDER_REFLECT;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	int64_t halo[CRN_MAX_NDIM];
	halo_of(n, halo);
	*ret = (crn_need){.region = {.ndim = out->ndim}, .border = border_of(n)};
	for (int d = 0; d < out->ndim; d++) {
		int64_t extent = crn_region_last(out, d) - out->lo[d] + 1;
		ret->region.lo[d] = out->lo[d] - halo[d];
		ret->region.n[d] = out->n[d] ? extent + 2 * halo[d] : 0;
		ret->region.step[d] = 1;
	}
	ret->cval = crn_elem_from_double(n->in[0]->type.dtype, crn_node_arg(n, "cval")->f);
}

/* The block without steps: what the command answers with. */
static crn_region dense_block(const crn_region *out)
{
	crn_region r = *out;
	for (int d = 0; d < out->ndim; d++) {
		r.n[d] = out->n[d] ? crn_region_last(out, d) - out->lo[d] + 1 : 0;
		r.step[d] = 1;
	}
	return r;
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	crn_region r = dense_block(out);
	return crn_view_dense_bytes(n->type.dtype, r.ndim, r.n);
}

static const void *input_row(const void *user, int64_t k)
{
	const crn_view *v = user;
	const char *p = v->data;
	for (int d = v->ndim - 2; d >= 0; d--) {
		p += k % v->shape[d] * v->stride[d];
		k /= v->shape[d];
	}
	return p;
}

static void put_numbers(crn_str *s, const char *name, const int64_t *v, int n)
{
	crn_str_append(s, name);
	for (int d = 0; d < n; d++)
		crn_str_appendf(s, "%s%lld", d ? "," : "=", (long long)v[d]);
}

static cairn_status run(const crn_call *call, const crn_region *block, cairn_error *err)
{
	const crn_node *n = call->node;
	const crn_view *in = &call->in[0];
	int64_t halo[CRN_MAX_NDIM];
	halo_of(n, halo);
	CRN_STR shape = {0};
	CRN_STR dtype = {0};
	CRN_STR offset = {0};
	CRN_STR border = {0};
	CRN_STR out_dtype = {0};
	put_numbers(&shape, "CAIRN_SHAPE", in->shape, in->ndim);
	put_numbers(&offset, "CAIRN_OFFSET", block->lo, in->ndim);
	put_numbers(&border, "CAIRN_HALO", halo, in->ndim);
	crn_str_appendf(&dtype, "CAIRN_DTYPE=%s", crn_dtype_name(in->dtype));
	crn_str_appendf(&out_dtype, "CAIRN_OUT_DTYPE=%s", crn_dtype_name(n->type.dtype));
	if (shape.oom || dtype.oom || offset.oom || border.oom || out_dtype.oom)
		return crn_fail_memory(err, "the command's environment", 256);
	const char *settings[] = {
		shape.data, dtype.data, offset.data, border.data, out_dtype.data, NULL};
	int64_t rows = 1;
	for (int d = 0; d + 1 < in->ndim; d++)
		rows *= in->shape[d];
	crn_child_input feed = {.piece = input_row,
		.user = in,
		.n_pieces = rows,
		.piece_bytes = (size_t)in->shape[in->ndim - 1] * crn_dtype_size(in->dtype)};
	return crn_child_run(crn_node_arg(n, "command")->s, settings, &feed, call->scratch,
		crn_view_dense_bytes(n->type.dtype, block->ndim, block->n), err);
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	crn_region block = dense_block(&call->out_region);
	if (crn_region_empty(&block))
		return CAIRN_OK;
	cairn_status status = run(call, &block, err);
	if (status != CAIRN_OK) {
		char text[CRN_REGION_TEXT];
		crn_where(err, "map_blocks, block %s", crn_region_format(&block, text));
		return status;
	}
	crn_view all = crn_view_dense(call->scratch, call->out.dtype, block.ndim, block.n);
	crn_view part = crn_view_part(&all, &block, &call->out_region);
	crn_view_copy(&call->out, &part);
	return CAIRN_OK;
}

static double cost(const crn_node *n)
{
	return 100.0; /* a process a block: blocks should be large */
}

static const char *const modes[] = {"reflect", "mirror", "nearest", "wrap", "constant", NULL};

static const crn_param params[] = {
	{"x", CRN_P_ARRAY, NULL, "array"},
	{"command", CRN_P_STR, NULL, "shell command: raw block on stdin, raw block on stdout"},
	{"dtype", CRN_P_DTYPE, "None", "dtype of the answer; None: the array's"},
	{"halo", CRN_P_INTS, "0", "voxels around the block that the command sees too, per axis"},
	{"mode", CRN_P_STR, "'reflect'", "how the halo is filled outside the array", modes},
	{"cval", CRN_P_FLOAT, "0", "value outside for mode=\"constant\""},
	{NULL, CRN_P_END},
};

const crn_op crn_op_map_blocks = {
	.name = "map_blocks",
	.category = "blocks",
	.summary = "Let an external command compute the array block by block",
	.doc = "The command reads the block with its halo as raw C-order bytes in native order and "
	       "writes the "
	       "block without its halo. Environment: CAIRN_SHAPE (of what it reads, "
	       "\"20,400,400\"), "
	       "CAIRN_DTYPE, CAIRN_HALO, CAIRN_OFFSET (array coordinates of the first voxel to "
	       "write), "
	       "CAIRN_OUT_DTYPE. Where the array is cut is up to the engine: an answer that "
	       "depends on "
	       "anything outside the halo is different for every cut.",
	.source = "dask.array.map_overlap",
	.example = "same = map_blocks(ones((4, 5)), \"cat\")",
	.kind = CRN_STENCIL,
	.whole_tiles = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = need,
	.cost = cost,
	.scratch = scratch,
	.compute = compute,
};

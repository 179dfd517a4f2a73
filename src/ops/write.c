/* SPDX-License-Identifier: Apache-2.0
 *
 * write.c -- write(): the sink that stores an array or a table. The engine does the work; here is
 * the description and what can be checked without touching the output.
 *
 * Storage options beyond the fixed ones are listed as the union over all formats; the engine hands
 * each to the format chosen by suffix (or `format`) and refuses what that format does not know.
 */
#include "core/op.h"

#include <string.h>

static bool given(const crn_node *n, const char *name)
{
	return crn_node_arg(n, name)->kind != CRN_V_NONE;
}

/* What only makes sense for the other kind of input. */
static cairn_status check_for_table(const crn_node *n, cairn_error *err)
{
	static const char *const array_only[] = {"chunks", "compressor", "level", "shuffle",
		"cname", "zarr_format", "dimension_separator", "order", "byteorder", "fill_value",
		"compression", "axes", NULL};
	for (int i = 0; array_only[i]; i++)
		if (given(n, array_only[i]))
			return crn_fail(err, CAIRN_USAGE, "write: %s does not apply to a table",
				array_only[i]);
	const crn_value *constants = crn_node_arg(n, "constants");
	for (int i = 0; constants->kind == CRN_V_LIST && i < constants->list.n; i++) {
		const crn_value *pair = &constants->list.items[i];
		if (pair->kind != CRN_V_LIST || pair->list.n != 2 ||
			pair->list.items[0].kind != CRN_V_STR ||
			pair->list.items[1].kind != CRN_V_STR) {
			cairn_status status = crn_fail(err, CAIRN_USAGE,
				"write: constants must be pairs of texts (name, value)");
			crn_hint(err, "for example constants=((\"sample\", \"bone1\"),)");
			return status;
		}
	}
	return CAIRN_OK;
}

static cairn_status check_for_array(const crn_node *n, const crn_type *in, cairn_error *err)
{
	if (given(n, "constants") || given(n, "table") || crn_node_arg(n, "append")->b)
		return crn_fail(err, CAIRN_USAGE,
			"write: table, constants and append are for tables, not arrays");
	const crn_value *chunks = crn_node_arg(n, "chunks");
	if (chunks->kind == CRN_V_INT && chunks->i < 1)
		return crn_fail(err, CAIRN_USAGE, "write: chunks must be at least 1");
	if (chunks->kind != CRN_V_LIST)
		return CAIRN_OK;
	if (chunks->list.n != in->ndim)
		return crn_fail(err, CAIRN_USAGE, "write: chunks has %d numbers, the array %d axes",
			chunks->list.n, in->ndim);
	for (int d = 0; d < in->ndim; d++)
		if (chunks->list.items[d].i < 1)
			return crn_fail(err, CAIRN_USAGE, "write: chunks must be at least 1");
	return CAIRN_OK;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	if (crn_node_arg(n, "url")->s[0] == '\0')
		return crn_fail(err, CAIRN_USAGE, "write: the url is empty");
	CRN_TRY(in->is_table ? check_for_table(n, err) : check_for_array(n, in, err));
	*ret = *in;
	return CAIRN_OK;
}

static const crn_param params[] = {
	{"x", CRN_P_NODE, NULL, "array or table to store"},
	{"url", CRN_P_STR, NULL,
		"where to; the suffix chooses the format (.zarr, .tif, .npy, .csv, .db)"},
	{"chunks", CRN_P_INTS, "None", "extent of a stored chunk, per axis"},
	{"format", CRN_P_STR, "None", "name of the format, when the suffix does not say it"},
	{"table", CRN_P_STR, "None", "tables: name inside a database, default \"objects\""},
	{"constants", CRN_P_ANY, "None",
		"tables: extra text columns in front, ((\"sample\", \"bone1\"), ...)"},
	{"append", CRN_P_BOOL, "False", "tables: add rows to an existing table"},
	{"compressor", CRN_P_STR, "None",
		"codec of the chunks: \"zstd\", \"blosc\", \"gzip\", \"lz4\", \"none\", ..."},
	{"level", CRN_P_INT, "None", "effort of the codec"},
	{"shuffle", CRN_P_ANY, "None", "byte shuffling before the codec"},
	{"cname", CRN_P_STR, "None", "codec inside blosc"},
	{"zarr_format", CRN_P_INT, "None", "Zarr version, 2 or 3"},
	{"dimension_separator", CRN_P_STR, "None", "Zarr: \".\" or \"/\" between chunk indices"},
	{"order", CRN_P_STR, "None", "memory order inside chunks, \"C\" or \"F\""},
	{"byteorder", CRN_P_STR, "None", "Zarr: \"little\" or \"big\" end first in stored numbers"},
	{"fill_value", CRN_P_NUMBER, "None", "value of chunks that are not stored"},
	{"compression", CRN_P_STR, "None", "TIFF: \"none\", \"deflate\", \"lzw\", \"zstd\""},
	{"axes", CRN_P_STR, "None", "names of the axes, for example \"zyx\""},
	{NULL, CRN_P_END},
};

const crn_op crn_op_write = {
	.name = "write",
	.category = "output",
	.summary = "Store an array or a table",
	.doc = "Computes what is needed, chunk by chunk, and stores it. Nothing visible is "
	       "complete "
	       "before everything is stored; an interrupted write goes on where it stopped when "
	       "the "
	       "same command runs again.",
	.source = "cairn",
	.example = "write(zeros((4, 5)), \"zeros.npy\")",
	.kind = CRN_SINK,
	.semver = 1,
	.params = params,
	.infer = infer,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * keep_labels.c -- internal op of remove_small_objects for label images: voxels per label are
 * counted in one pass; labels with too few become 0.
 */
#include "base/mem.h"
#include "ops/label_table.h"

#include <string.h>

enum { ROW_BYTES = 16 }; /* label, count */

typedef struct counts {
	crn_label_measure measure; /* first: label_table.h's hooks see only this */
	crn_dtype dtype;
} counts;

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	if (in->is_table || in->ndim == 0)
		return crn_fail(err, CAIRN_USAGE,
			"remove_small_objects: the input must have at least one axis");
	*ret = *in;
	ret->kind = CRN_LABEL;
	return CAIRN_OK;
}

static void add_row(const crn_label_measure *m, char *a, const char *b)
{
	(void)m;
	((uint64_t *)a)[1] += ((const uint64_t *)b)[1];
}

static cairn_status begin(const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err)
{
	counts *c = crn_calloc(1, sizeof(*c));
	if (!c)
		return crn_fail_memory(err, "counts", sizeof(*c));
	c->dtype = n->in[0]->type.dtype;
	crn_label_measure_init(&c->measure, env, c->dtype, ROW_BYTES);
	c->measure.add_row = add_row;
	c->measure.for_look_up = true;
	*ret_state = c;
	return CAIRN_OK;
}

static void end(void *state)
{
	counts *c = state;
	if (c)
		crn_label_measure_done(&c->measure);
	crn_free(c);
}

static cairn_status add(crn_label_table *t, uint64_t label, uint64_t n, cairn_error *err)
{
	char *row;
	bool fresh;
	CRN_TRY(crn_label_table_add(t, label, &row, &fresh, err));
	((uint64_t *)row)[1] += n;
	return CAIRN_OK;
}

static cairn_status fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	const counts *c = state;
	bool is_signed = crn_dtype_kind(c->dtype) == 'i';
	crn_rows rows;
	for (crn_rows_begin(&rows, call->in[0].ndim, call->in[0].shape); !rows.end;
		crn_rows_next(&rows)) {
		const void *row = crn_rows_at(&rows, &call->in[0]);
		for (int64_t from = 0, to; from < rows.n; from = to) {
			to = crn_label_run_end(c->dtype, row, from, rows.n);
			uint64_t label = crn_label_at(c->dtype, row, from);
			if (is_signed && (int64_t)label < 0)
				return crn_fail(err, CAIRN_FAILED,
					"remove_small_objects: label %lld is negative",
					(long long)label);
			if (label != 0)
				CRN_TRY(add(partial, label, (uint64_t)(to - from), err));
		}
	}
	return CAIRN_OK;
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	(void)n;
	(void)out;
	return CRN_LABEL_READER_BYTES;
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	const counts *c = call->state;
	uint64_t least = (uint64_t)crn_node_arg(call->node, "min_size")->i;
	size_t size = crn_dtype_size(c->dtype);
	crn_label_reader found_by;
	crn_label_reader_init(&found_by, &c->measure, call->scratch);
	crn_view_copy(&call->out, &call->in[0]);
	crn_rows rows;
	for (crn_rows_begin(&rows, call->out.ndim, call->out.shape); !rows.end;
		crn_rows_next(&rows)) {
		char *row = crn_rows_at(&rows, &call->out);
		for (int64_t from = 0, to; from < rows.n; from = to) {
			to = crn_label_run_end(c->dtype, row, from, rows.n);
			uint64_t label = crn_label_at(c->dtype, row, from);
			const char *found = NULL;
			if (label)
				CRN_TRY(crn_label_reader_find(&found_by, label, &found, err));
			if (found && ((const uint64_t *)found)[1] < least)
				memset(row + (size_t)from * size, 0, (size_t)(to - from) * size);
		}
	}
	return CAIRN_OK;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	*ret = (crn_need){.region = *out};
}

static const crn_global global = {
	.n_passes = crn_label_n_passes,
	.begin = begin,
	.pass_begin = crn_label_pass_begin,
	.partial_bytes = crn_label_partial_bytes,
	.partial_init = crn_label_partial_init,
	.fold = fold,
	.merge = crn_label_merge,
	.partial_done = crn_label_partial_done,
	.pass_end = crn_label_pass_end,
	.end = end,
	.partial_save = crn_label_partial_save,
	.partial_load = crn_label_partial_load,
};

static const crn_param params[] = {
	{"ar", CRN_P_ARRAY, NULL, "labels"},
	{"min_size", CRN_P_INT, NULL, "voxels of the smallest label kept"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_keep_labels = {
	.name = "keep_labels",
	.category = "morphology",
	.summary = "Keep the labels that have enough voxels",
	.source = "skimage.morphology.remove_small_objects",
	.kind = CRN_GLOBAL,
	.internal = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = need,
	.scratch = scratch,
	.compute = compute,
	.global = &global,
};

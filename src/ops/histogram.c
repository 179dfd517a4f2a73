/* SPDX-License-Identifier: Apache-2.0
 *
 * histogram.c -- histogram() and histogram_bin_edges() with numpy's equal bins.
 */
#include "ops/bin_counts.h"
#include "ops/global_state.h"

extern const crn_op crn_op_histogram;

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	int64_t bins = crn_node_arg(n, "bins")->i;
	const crn_value *range = crn_node_arg(n, "range");
	if (in->is_table)
		return crn_fail(err, CAIRN_USAGE, "%s: the input is a table", n->op->name);
	if (bins < 1 || bins > CRN_BIN_COUNTS_MAX)
		return crn_fail(err, CAIRN_USAGE, "%s: bins must be between 1 and %lld",
			n->op->name, (long long)CRN_BIN_COUNTS_MAX);
	if (range->kind != CRN_V_NONE) {
		bool ok = range->kind == CRN_V_LIST && range->list.n == 2;
		double a = ok ? range->list.items[0].f : 0, b = ok ? range->list.items[1].f : 0;
		if (!ok || !(a <= b) || !__builtin_isfinite(a) || !__builtin_isfinite(b))
			return crn_fail(err, CAIRN_USAGE,
				"%s: range must be two finite numbers in order", n->op->name);
	}
	bool counts = n->op == &crn_op_histogram;
	crn_dtype out = counts ? CRN_I64 : in->dtype == CRN_F32 ? CRN_F32 : CRN_F64;
	*ret = crn_type_make(out, 1, &(int64_t){bins + !counts});
	return CAIRN_OK;
}

static int n_passes(const crn_node *n)
{
	bool one = n->op != &crn_op_histogram || crn_bin_counts_narrow(n) ||
		   crn_node_arg(n, "range")->kind != CRN_V_NONE;
	return one ? 1 : 2;
}

static cairn_status begin(const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err)
{
	const crn_value *range = crn_node_arg(n, "range");
	crn_bin_counts wish = {.n_bins = crn_node_arg(n, "bins")->i,
		.counts_wanted = n->op == &crn_op_histogram,
		.has_range = range->kind != CRN_V_NONE};
	if (wish.has_range) {
		wish.first = range->list.items[0].f;
		wish.last = range->list.items[1].f;
	}
	return crn_bin_counts_new(&wish, n, env, ret_state, err);
}

static size_t fold_scratch(const crn_node *n, const crn_region *tile)
{
	const int64_t most = 1 << 17;
	if (crn_bin_counts_narrow(n))
		return 0;
	int64_t bins = crn_node_arg(n, "bins")->i;
	return bins <= most ? (size_t)bins * sizeof(int64_t) : 0;
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	const crn_bin_counts *b = call->state;
	const crn_region *r = &call->out_region;
	for (int64_t i = 0; i < r->n[0]; i++) {
		int64_t k = r->lo[0] + i * r->step[0];
		if (call->out.dtype == CRN_I64)
			((int64_t *)call->out.data)[i] = b->counts[k];
		else if (call->out.dtype == CRN_F32)
			((float *)call->out.data)[i] = (float)b->edges[k];
		else
			((double *)call->out.data)[i] = b->edges[k];
	}
	return CAIRN_OK;
}

static const crn_global global = {
	.n_passes = n_passes,
	.begin = begin,
	.pass_begin = crn_bin_counts_pass_begin,
	.partial_bytes = crn_bin_counts_partial_bytes,
	.partial_init = crn_bin_counts_partial_init,
	.fold = crn_bin_counts_fold,
	.merge = crn_bin_counts_merge,
	.pass_end = crn_bin_counts_pass_end,
	.end = crn_bin_counts_end,
	.fold_scratch = fold_scratch,
};

static const crn_param params[] = {
	{"a", CRN_P_ARRAY, NULL, "array"},
	{"bins", CRN_P_INT, "10", "number of equal bins"},
	{"range", CRN_P_FLOATS, "None", "(lowest, highest) edge; None: smallest and largest value"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_histogram = {
	.name = "histogram",
	.category = "reductions",
	.summary = "Number of values in equal bins",
	.doc = "Gives the counts only (int64); histogram_bin_edges gives the edges. The last bin "
	       "includes "
	       "its right edge. Values outside a given range do not count. Without a range the "
	       "array is "
	       "read twice, and nan or inf in it is an error.",
	.source = "numpy.histogram",
	.example = "h = histogram(arange(20), bins=4, range=(0, 20))",
	.kind = CRN_GLOBAL,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = crn_need_nothing,
	.compute = compute,
	.global = &global,
};

const crn_op crn_op_histogram_bin_edges = {
	.name = "histogram_bin_edges",
	.category = "reductions",
	.summary = "Edges of the bins that histogram counts in",
	.doc = "bins + 1 values, float32 for float32 arrays, else float64.",
	.source = "numpy.histogram_bin_edges",
	.example = "e = histogram_bin_edges(arange(20), bins=4)",
	.kind = CRN_GLOBAL,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = crn_need_nothing,
	.compute = compute,
	.global = &global,
};

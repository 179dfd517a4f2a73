/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c -- what a run did, as numbers and as JSON:
 *
 *	{"seconds": .., "peak_memory_bytes": .., "nodes": [{"op", "name", "wanted", "computed",
 *	  "ratio"}, ..], "cuts": [{"name", "kind", "chunks", "produced", "chunk_bytes"}, ..]}
 *
 * `folded` counts the voxels reductions and global ops looked at, over all passes.
 * `wanted` is the hull of what the sinks need of a node, `computed` what was computed: their ratio
 *is law 1's number.
 */
#include "exec/report.h"

#include "base/mem.h"

#include <stdatomic.h>

void crn_report_done(crn_report *r)
{
	crn_free(r->json);
	*r = (crn_report){0};
}

static void print_nodes(const crn_state *st, crn_str *out)
{
	bool first = true;
	crn_str_append(out, ", \"nodes\": [");
	for (int i = 0; i < st->plan->n_infos; i++) {
		const crn_info *info = &st->plan->infos[i];
		if (info->node->op->kind == CRN_SINK)
			continue;
		int64_t computed = atomic_load(&st->voxels[i]);
		int64_t wanted = crn_region_count(&info->wanted);
		crn_str_append(out, first ? "{\"op\": " : ", {\"op\": ");
		first = false;
		crn_json_quote(out, info->node->op->name);
		crn_str_append(out, ", \"name\": ");
		crn_json_quote(out, info->node->origin);
		crn_str_appendf(out,
			", \"wanted\": %lld, \"computed\": %lld, \"ratio\": ", (long long)wanted,
			(long long)computed);
		crn_json_double(out, wanted > 0 ? (double)computed / (double)wanted : 0);
		int64_t folded = atomic_load(&st->folded[i]);
		if (folded > 0)
			crn_str_appendf(out, ", \"folded\": %lld", (long long)folded);
		crn_str_append(out, "}");
	}
	crn_str_append(out, "]");
}

static void print_cuts(const crn_state *st, crn_str *out)
{
	static const char *const kinds[] = {"source", "node", "reduction"};
	crn_str_append(out, ", \"cuts\": [");
	for (int c = 0; c < st->plan->n_cuts; c++) {
		const crn_cut *cut = &st->plan->cuts[c];
		crn_str_append(out, c ? ", {\"name\": " : "{\"name\": ");
		crn_json_quote(out, cut->node->origin);
		crn_str_appendf(out,
			", \"kind\": \"%s\", \"chunks\": %lld, \"produced\": %lld, "
			"\"chunk_bytes\": %zu}",
			kinds[cut->kind], (long long)cut->chunks.n_tiles,
			(long long)atomic_load(&st->units[c]), cut->chunk_bytes);
	}
	crn_str_append(out, "]");
}

void crn_report_fill(crn_state *st, crn_report *ret)
{
	CRN_STR out = {0};
	*ret = (crn_report){.seconds = (double)(crn_now_ns() - st->start_ns) * 1e-9,
		.units_written = st->units_written,
		.units_skipped = st->units_skipped,
		.bytes_read = st->bytes_read,
		.bytes_written = st->bytes_written,
		.peak_memory_bytes = crn_sched_peak(st->sched)};
	for (int c = 0; c < st->plan->n_cuts; c++)
		if (st->plan->cuts[c].kind == CRN_CUT_SOURCE)
			ret->units_read += atomic_load(&st->units[c]);
	crn_str_append(&out, "{\"seconds\": ");
	crn_json_double(&out, ret->seconds);
	crn_str_appendf(&out,
		", \"peak_memory_bytes\": %zu, \"budget_bytes\": %zu, \"bytes_read\": %lld, "
		"\"bytes_written\": %lld, \"units_read\": %lld, \"units_written\": %lld, "
		"\"units_skipped\": %lld",
		ret->peak_memory_bytes, st->plan->options.memory_bytes, (long long)ret->bytes_read,
		(long long)ret->bytes_written, (long long)ret->units_read,
		(long long)ret->units_written, (long long)ret->units_skipped);
	print_nodes(st, &out);
	print_cuts(st, &out);
	crn_str_append(&out, "}");
	ret->json = crn_str_take(&out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * profile_json.c -- a profile as JSON, for programs and for the page. docs/profile.md is its
 * schema; keys are only ever added.
 */
#include "exec/profile.h"

#include <stdatomic.h>

void crn_profile_micros(crn_str *out, int64_t ns)
{
	crn_str_appendf(out, "%lld.%03lld", (long long)(ns / 1000), (long long)(ns % 1000));
}

static void seconds(crn_str *out, const char *key, int64_t ns)
{
	crn_str_appendf(out, "\"%s\": ", key);
	crn_json_double(out, (double)ns * 1e-9);
}

/* {"read": {"seconds": .., "bytes": .., "voxels": .., "spans": ..}, ..}, kinds that occurred. */
static void print_spans(const crn_totals spans[CRN_N_SPANS], crn_str *out)
{
	bool first = true;
	crn_str_append(out, "{");
	for (int k = 0; k < CRN_N_SPANS; k++) {
		if (spans[k].n == 0)
			continue;
		crn_str_appendf(out, "%s\"%s\": {", first ? "" : ", ", crn_span_name(k));
		first = false;
		seconds(out, "seconds", spans[k].ns);
		crn_str_appendf(out, ", \"bytes\": %lld, \"voxels\": %lld, \"spans\": %lld}",
			(long long)spans[k].bytes, (long long)spans[k].voxels,
			(long long)spans[k].n);
	}
	crn_str_append(out, "}");
}

static void print_run(const crn_profile *p, crn_str *out)
{
	const crn_state *st = p->st;
	const crn_plan_options *o = &st->plan->options;
	int64_t units_read = 0;
	for (int c = 0; c < st->plan->n_cuts; c++)
		if (st->plan->cuts[c].kind == CRN_CUT_SOURCE)
			units_read += atomic_load(&st->units[c]);
	crn_str_append(out, "{\"cairn_profile\": 1, \"seconds\": ");
	crn_json_double(out, p->seconds);
	crn_str_append(out, ", \"cpu_seconds\": ");
	crn_json_double(out, p->cpu_seconds);
	crn_str_append(out, ", \"worker_seconds\": ");
	crn_json_double(out, (double)crn_trace_worker_ns(st->trace) * 1e-9);
	crn_str_appendf(out,
		", \"threads\": %d, \"isa\": \"%s\", \"peak_memory_bytes\": %zu, "
		"\"budget_bytes\": %zu, \"bytes_read\": %lld, \"bytes_written\": %lld, "
		"\"units_read\": %lld, \"units_written\": %lld, \"units_skipped\": %lld",
		o->n_threads, crn_isa_name(o->isa), crn_sched_peak(st->sched), o->memory_bytes,
		(long long)st->bytes_read, (long long)st->bytes_written, (long long)units_read,
		(long long)st->units_written, (long long)st->units_skipped);
	crn_str_appendf(
		out, ", \"limit\": {\"kind\": \"%s\", \"share\": ", crn_limit_name(p->limit));
	crn_json_double(out, p->limit_share);
	crn_str_append(out, ", \"sentence\": ");
	crn_json_quote(out, p->sentence);
	crn_str_append(out, "}, \"busy\": ");
	print_spans(p->all, out);
}

static void print_node(const crn_profile *p, int i, crn_str *out)
{
	const crn_profile_node *n = &p->nodes[i];
	const crn_node *node = p->st->plan->infos[i].node;
	crn_str_appendf(out, "{\"node\": %d, \"op\": ", i);
	crn_json_quote(out, node->op->name);
	crn_str_append(out, ", \"name\": ");
	crn_json_quote(out, node->origin);
	crn_str_appendf(out,
		", \"dtype\": \"%s\", \"wanted\": %lld, \"computed\": %lld, \"ratio\": ",
		node->type.is_table ? "" : crn_dtype_name(node->type.dtype), (long long)n->wanted,
		(long long)n->computed);
	crn_json_double(out, n->wanted > 0 ? (double)n->computed / (double)n->wanted : 0);
	if (n->folded > 0)
		crn_str_appendf(out, ", \"folded\": %lld", (long long)n->folded);
	if (n->restored > 0)
		crn_str_appendf(out, ", \"restored\": %lld", (long long)n->restored);
	if (n->fused_into >= 0)
		crn_str_appendf(out, ", \"fused_into\": %d", n->fused_into);
	crn_str_append(out, ", ");
	seconds(out, "seconds", n->ns);
	crn_str_append(out, ", \"spans\": ");
	print_spans(n->spans, out);
	crn_str_append(out, "}");
}

static void print_cuts(const crn_state *st, crn_str *out)
{
	static const char *const kinds[] = {"source", "node", "reduction"};
	crn_str_append(out, ", \"cuts\": [");
	for (int c = 0; c < st->plan->n_cuts; c++) {
		const crn_cut *cut = &st->plan->cuts[c];
		crn_str_appendf(out, "%s{\"node\": %d, \"name\": ", c ? ", " : "",
			crn_plan_info(st->plan, cut->node));
		crn_json_quote(out, cut->node->origin);
		crn_str_appendf(out,
			", \"kind\": \"%s\", \"chunks\": %lld, \"produced\": %lld, "
			"\"chunk_bytes\": %zu}",
			kinds[cut->kind], (long long)cut->chunks.n_tiles,
			(long long)atomic_load(&st->units[c]), cut->chunk_bytes);
	}
	crn_str_append(out, "]");
}

/* One lane's events: [start, duration, kind, node, busy, spans, bytes, voxels], microseconds. */
static void print_lane(const crn_profile *p, int lane, bool *first, crn_str *out)
{
	const crn_lane *l = crn_trace_lane(p->st->trace, lane);
	char name[32];
	if (l->n_events == 0)
		return;
	crn_str_appendf(out, "%s{\"lane\": \"%s\", \"grain_us\": %lld, \"events\": [",
		*first ? "" : ", ", crn_trace_lane_name(p->st->trace, lane, name),
		(long long)(l->grain_ns / 1000));
	*first = false;
	for (int i = 0; i < l->n_events; i++) {
		const crn_event *e = &l->events[i];
		crn_str_append(out, i ? ",[" : "[");
		crn_profile_micros(out, e->start_ns - p->st->start_ns);
		crn_str_append(out, ",");
		crn_profile_micros(out, e->end_ns - e->start_ns);
		crn_str_appendf(out, ",%d,%d,", e->kind, e->node);
		crn_profile_micros(out, e->busy_ns);
		crn_str_appendf(
			out, ",%d,%lld,%lld]", e->n, (long long)e->bytes, (long long)e->voxels);
	}
	crn_str_append(out, "]}");
}

static void print_timeline(const crn_profile *p, crn_str *out)
{
	bool first = true;
	crn_str_append(out, ", \"kinds\": [");
	for (int k = 0; k < CRN_N_SPANS; k++)
		crn_str_appendf(out, "%s\"%s\"", k ? ", " : "", crn_span_name(k));
	crn_str_append(out, "], \"timeline\": [");
	for (int i = 0; i < crn_trace_n_lanes(p->st->trace); i++)
		print_lane(p, i, &first, out);
	crn_str_append(out, "]");
}

static void print_memory(const crn_profile *p, crn_str *out)
{
	int n;
	const crn_memory_sample *s = crn_trace_samples(p->st->trace, &n);
	crn_str_append(out,
		", \"memory\": {\"columns\": [\"us\", \"tasks\", \"cache\", \"tables\", "
		"\"writes\", "
		"\"standing\", \"pool_used\"], \"samples\": [");
	for (int i = 0; i < n; i++)
		crn_str_appendf(out, "%s[%lld,%lld,%lld,%lld,%lld,%lld,%lld]", i ? "," : "",
			(long long)(s[i].at_ns - p->st->start_ns) / 1000, (long long)s[i].tasks,
			(long long)s[i].cache_idle, (long long)s[i].tables, (long long)s[i].writes,
			(long long)s[i].standing, (long long)s[i].pool_used);
	crn_str_append(out, "]}");
}

void crn_profile_json(const crn_profile *p, bool timeline, crn_str *out)
{
	bool first = true;
	print_run(p, out);
	crn_str_append(out, ", \"nodes\": [");
	for (int i = 0; i < p->st->plan->n_infos; i++) {
		/* A sink has a row when something was encoded for it. */
		if (p->st->plan->infos[i].node->op->kind == CRN_SINK && p->nodes[i].ns == 0)
			continue;
		crn_str_append(out, first ? "" : ", ");
		first = false;
		print_node(p, i, out);
	}
	crn_str_append(out, "]");
	print_cuts(p->st, out);
	if (timeline) {
		print_timeline(p, out);
		print_memory(p, out);
	}
	crn_str_append(out, "}");
}

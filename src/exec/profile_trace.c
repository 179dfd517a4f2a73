/* SPDX-License-Identifier: Apache-2.0
 *
 * profile_trace.c -- a profile as Chrome trace events (the JSON object format), which Perfetto and
 * chrome://tracing load. Times are microseconds since the start of the run.
 */
#include "exec/profile.h"

static void thread_name(int lane, const char *name, crn_str *out)
{
	crn_str_appendf(out,
		"{\"ph\": \"M\", \"pid\": 1, \"tid\": %d, \"name\": \"thread_name\", \"args\": "
		"{\"name\": \"%s\"}},\n",
		lane, name);
}

static void event(const crn_profile *p, int lane, const crn_event *e, crn_str *out)
{
	const char *kind = crn_span_name(e->kind);
	crn_str_append(out, "{\"ph\": \"X\", \"name\": ");
	crn_json_quote(out, e->node >= 0 ? p->st->plan->infos[e->node].node->origin : kind);
	crn_str_appendf(out, ", \"cat\": \"%s\", \"pid\": 1, \"tid\": %d, \"ts\": ", kind, lane);
	crn_profile_micros(out, e->start_ns - p->st->start_ns);
	crn_str_append(out, ", \"dur\": ");
	crn_profile_micros(out, e->end_ns - e->start_ns);
	crn_str_append(out, ", \"args\": {\"busy_us\": ");
	crn_profile_micros(out, e->busy_ns);
	crn_str_appendf(out, ", \"spans\": %d, \"bytes\": %lld, \"voxels\": %lld}},\n", e->n,
		(long long)e->bytes, (long long)e->voxels);
}

static void counters(const crn_profile *p, crn_str *out)
{
	int n;
	const crn_memory_sample *s = crn_trace_samples(p->st->trace, &n);
	for (int i = 0; i < n; i++) {
		crn_str_append(out, "{\"ph\": \"C\", \"name\": \"memory\", \"pid\": 1, \"ts\": ");
		crn_profile_micros(out, s[i].at_ns - p->st->start_ns);
		crn_str_appendf(out,
			", \"args\": {\"tasks\": %lld, \"cache\": %lld, \"tables\": %lld, "
			"\"writes\": %lld, "
			"\"standing\": %lld}},\n",
			(long long)s[i].tasks, (long long)s[i].cache_idle, (long long)s[i].tables,
			(long long)s[i].writes, (long long)s[i].standing);
	}
}

void crn_profile_trace(const crn_profile *p, crn_str *out)
{
	char name[32];
	crn_str_append(out, "{\"displayTimeUnit\": \"ms\", \"otherData\": {\"limit\": ");
	crn_json_quote(out, p->sentence);
	crn_str_append(out, "},\n\"traceEvents\": [\n");
	for (int i = 0; i < crn_trace_n_lanes(p->st->trace); i++) {
		const crn_lane *l = crn_trace_lane(p->st->trace, i);
		if (l->n_events == 0)
			continue;
		thread_name(i, crn_trace_lane_name(p->st->trace, i, name), out);
		for (int e = 0; e < l->n_events; e++)
			event(p, i, &l->events[e], out);
	}
	counters(p, out);
	/* Closes the list without a trailing comma. */
	crn_str_append(out,
		"{\"ph\": \"M\", \"pid\": 1, \"name\": \"process_name\", \"args\": {\"name\": "
		"\"cairn\"}}\n]}\n");
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * span.c -- stopwatches per thread. See span.h.
 *
 * Why melting keeps a bound: after one pass at grain g, two neighbours of one depth span more than
 * g together, and an inner event is at least g long; so a run of T ns has at most about 2T/g events
 * a depth, and doubling g until half of the room is free ends.
 */
#include "base/span.h"

__thread crn_lane *crn_lane_here __attribute__((tls_model("initial-exec")));

static const char *const names[CRN_N_SPANS] = {
	"read", "decode", "compute", "copy", "encode", "write", "idle", "starved"};

const char *crn_span_name(crn_span_kind kind)
{
	return names[kind];
}

void crn_lane_attach(crn_lane *lane)
{
	if (crn_lane_here)
		crn_lane_here->attached_ns += crn_now_ns() - crn_lane_here->since_ns;
	crn_lane_here = lane;
	if (!lane)
		return;
	lane->since_ns = crn_now_ns();
	lane->inner_ns = 0;
	lane->node = CRN_SPAN_INHERIT;
	lane->depth = 0;
}

void crn_span_open(crn_span *s, crn_span_kind kind, int node)
{
	crn_lane *l = s->lane;
	s->kind = kind;
	s->outer_inner_ns = l->inner_ns;
	s->outer_node = l->node;
	l->inner_ns = 0;
	l->depth++;
	if (node >= 0)
		l->node = node;
	s->start_ns = crn_now_ns();
}

/* ---- the timeline ---- */

/* Adds e to the last of n events if both are short neighbours of one depth; false otherwise. */
static bool melt(crn_event *last, const crn_event *e, int64_t grain_ns)
{
	if (last->depth != e->depth || e->end_ns - last->start_ns > grain_ns)
		return false;
	if (e->busy_ns > last->busy_ns) {
		last->kind = e->kind;
		last->node = e->node;
	}
	last->end_ns = e->end_ns;
	last->busy_ns += e->busy_ns;
	last->bytes += e->bytes;
	last->voxels += e->voxels;
	last->n += e->n;
	return true;
}

/* True if an event needs no place of its own at this grain. */
static bool absorbed(crn_event *events, int n, const crn_event *e, int64_t grain_ns)
{
	if (e->depth > 0 && e->end_ns - e->start_ns < grain_ns)
		return true; /* the span around it tells of it */
	return n > 0 && melt(&events[n - 1], e, grain_ns);
}

static void thin_out(crn_lane *l)
{
	while (l->n_events > l->max_events / 2) {
		int n = 0;
		l->grain_ns = l->grain_ns ? 2 * l->grain_ns : 1000;
		for (int i = 0; i < l->n_events; i++) {
			crn_event e = l->events[i];
			if (!absorbed(l->events, n, &e, l->grain_ns))
				l->events[n++] = e;
		}
		l->n_events = n;
	}
}

static void add_event(crn_lane *l, const crn_event *e)
{
	if (absorbed(l->events, l->n_events, e, l->grain_ns))
		return;
	if (l->n_events == l->max_events)
		thin_out(l);
	l->events[l->n_events++] = *e;
}

void crn_span_close(crn_span *s, int64_t bytes, int64_t voxels)
{
	crn_lane *l = s->lane;
	int64_t end = crn_now_ns(), whole = end - s->start_ns, own = whole - l->inner_ns;
	int node = l->node >= 0 && l->node < l->n_nodes ? l->node : CRN_SPAN_INHERIT;
	crn_totals *t = &l->totals[(size_t)(node >= 0 ? node : l->n_nodes) * CRN_N_SPANS + s->kind];
	t->n++;
	t->ns += own;
	t->bytes += bytes;
	t->voxels += voxels;
	l->depth--;
	l->node = s->outer_node;
	l->inner_ns = s->outer_inner_ns + whole;
	if (l->max_events < 2)
		return;
	crn_event e = {.start_ns = s->start_ns,
		.end_ns = end,
		.busy_ns = whole,
		.bytes = bytes,
		.voxels = voxels,
		.n = 1,
		.node = (int16_t)node,
		.kind = (uint8_t)s->kind,
		.depth = (uint8_t)(l->depth < 255 ? l->depth : 255)};
	add_event(l, &e);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.c -- lanes and memory samples of a run. See trace.h.
 */
#include "exec/trace.h"

#include "base/mem.h"

#include <stdio.h>

#define JOINING 8              /* lanes for workers that join while the run is on */
#define BESIDE 9               /* for threads beside the workers: main and eight for I/O */
#define ALL_EVENTS (1 << 15)   /* of all lanes together */
#define FEWEST_EVENTS (1 << 7) /* of one lane */
#define MOST_SAMPLES 2048

struct crn_trace {
	int n_workers, n_lanes, n_nodes;
	bool timeline;
	crn_lane *lanes;
	crn_totals *totals;
	crn_event *events;
	/* watcher only */
	crn_memory_sample *samples;
	int n_samples;
	int64_t sample_ns; /* samples closer than this melt into the larger one */
};

static int events_per_lane(int n_threads)
{
	int n = ALL_EVENTS / (n_threads + JOINING + BESIDE);
	return n > FEWEST_EVENTS ? n : FEWEST_EVENTS;
}

size_t crn_trace_bytes(int n_threads)
{
	size_t events = (size_t)events_per_lane(n_threads) * (size_t)(n_threads + JOINING + BESIDE);
	return events * sizeof(crn_event) + MOST_SAMPLES * sizeof(crn_memory_sample);
}

cairn_status crn_trace_new(
	int n_threads, int n_nodes, bool timeline, crn_trace **ret, cairn_error *err)
{
	crn_trace *t = crn_calloc(1, sizeof(*t));
	if (!t)
		return crn_fail_memory(err, "a trace", sizeof(*t));
	t->n_workers = n_threads + JOINING;
	t->n_lanes = t->n_workers + BESIDE;
	t->n_nodes = n_nodes;
	t->timeline = timeline;
	t->sample_ns = CRN_TRACE_MEMORY_NS / 2;
	size_t rows = (size_t)(n_nodes + 1) * CRN_N_SPANS, n = (size_t)t->n_lanes;
	size_t room = timeline ? (size_t)events_per_lane(n_threads) : 0;
	t->lanes = crn_calloc(n, sizeof(*t->lanes));
	t->totals = crn_calloc(n * rows, sizeof(*t->totals));
	if (timeline) {
		t->events = crn_calloc(n * room, sizeof(*t->events));
		t->samples = crn_calloc(MOST_SAMPLES, sizeof(*t->samples));
	}
	if (!t->lanes || !t->totals || (timeline && (!t->events || !t->samples))) {
		crn_trace_free(t);
		return crn_fail_memory(err, "a trace", n * rows * sizeof(*t->totals));
	}
	for (size_t i = 0; i < n; i++)
		t->lanes[i] = (crn_lane){.totals = &t->totals[i * rows],
			.n_nodes = n_nodes,
			.events = timeline ? &t->events[i * room] : NULL,
			.max_events = (int)room};
	*ret = t;
	return CAIRN_OK;
}

void crn_trace_free(crn_trace *t)
{
	if (!t)
		return;
	crn_free(t->lanes);
	crn_free(t->totals);
	crn_free(t->events);
	crn_free(t->samples);
	crn_free(t);
}

void crn_trace_attach(crn_trace *t, int index)
{
	int lane = t && index < 0 ? t->n_workers - 1 - index : index;
	bool known = t && lane < t->n_lanes && (index < 0 || index < t->n_workers);
	crn_lane_attach(known ? &t->lanes[lane] : NULL);
}

void crn_trace_detach(void)
{
	crn_lane_attach(NULL);
}

/* ---- memory ---- */

bool crn_trace_wants_memory(const crn_trace *t)
{
	return t && t->timeline;
}

static int64_t charged(const crn_memory_sample *s)
{
	return s->tasks + s->cache_idle + s->tables + s->writes + s->standing;
}

/* Of two neighbours the larger one stays: peaks are what one looks for. */
static void melt_samples(crn_trace *t)
{
	int n = 0;
	t->sample_ns *= 2;
	for (int i = 0; i < t->n_samples; i++) {
		crn_memory_sample s = t->samples[i];
		if (n > 0 && s.at_ns - t->samples[n - 1].at_ns < t->sample_ns) {
			if (charged(&s) > charged(&t->samples[n - 1])) {
				s.at_ns = t->samples[n - 1].at_ns;
				t->samples[n - 1] = s;
			}
			continue;
		}
		t->samples[n++] = s;
	}
	t->n_samples = n;
}

void crn_trace_memory(crn_trace *t, const crn_memory_sample *sample)
{
	if (!crn_trace_wants_memory(t))
		return;
	while (t->n_samples == MOST_SAMPLES)
		melt_samples(t);
	t->samples[t->n_samples++] = *sample;
}

/* ---- afterwards ---- */

int crn_trace_main(const crn_trace *t)
{
	return t->n_workers;
}

int64_t crn_trace_worker_ns(const crn_trace *t)
{
	int64_t ns = 0;
	for (int i = 0; i < t->n_workers; i++)
		ns += t->lanes[i].attached_ns;
	return ns;
}

int crn_trace_n_lanes(const crn_trace *t)
{
	return t->n_lanes;
}

const crn_lane *crn_trace_lane(const crn_trace *t, int i)
{
	return &t->lanes[i];
}

char *crn_trace_lane_name(const crn_trace *t, int i, char text[32])
{
	if (i < t->n_workers)
		snprintf(text, 32, "worker %d", i);
	else if (i == t->n_workers)
		snprintf(text, 32, "main");
	else
		snprintf(text, 32, "io %d", i - t->n_workers - 1);
	return text;
}

static void add_row(crn_totals *to, const crn_totals *from)
{
	for (int k = 0; k < CRN_N_SPANS; k++) {
		to[k].n += from[k].n;
		to[k].ns += from[k].ns;
		to[k].bytes += from[k].bytes;
		to[k].voxels += from[k].voxels;
	}
}

void crn_trace_node(const crn_trace *t, int node, crn_totals ret[CRN_N_SPANS])
{
	size_t row = (size_t)(node >= 0 ? node : t->n_nodes) * CRN_N_SPANS;
	for (int k = 0; k < CRN_N_SPANS; k++)
		ret[k] = (crn_totals){0};
	for (int i = 0; i < t->n_lanes; i++)
		add_row(ret, &t->lanes[i].totals[row]);
}

void crn_trace_all(const crn_trace *t, crn_totals ret[CRN_N_SPANS])
{
	crn_totals one[CRN_N_SPANS];
	for (int k = 0; k < CRN_N_SPANS; k++)
		ret[k] = (crn_totals){0};
	for (int node = -1; node < t->n_nodes; node++) {
		crn_trace_node(t, node, one);
		add_row(ret, one);
	}
}

const crn_memory_sample *crn_trace_samples(const crn_trace *t, int *ret_n)
{
	*ret_n = t->n_samples;
	return t->samples;
}

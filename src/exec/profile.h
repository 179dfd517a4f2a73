/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.h -- a finished run's trace turned into facts: time, bytes and recompute ratio per op,
 * what limited the run, and the three ways to show it.
 *
 *	trace, counters, plan ──profile.c──> crn_profile ──┬─ profile_json.c   --profile out.json
 *	                                                   ├─ profile_trace.c  out.trace.json
 *	                                                   └─ profile_html.c   out.html
 *
 * Private to exec/. Times are of crn_now_ns(); shares are of the workers' time (elapsed x threads).
 */
#ifndef CRN_EXEC_PROFILE_H
#define CRN_EXEC_PROFILE_H

#include "exec/state.h"

typedef enum crn_limit {
	CRN_LIMIT_READ,
	CRN_LIMIT_DECODE,
	CRN_LIMIT_COMPUTE,
	CRN_LIMIT_ENCODE,
	CRN_LIMIT_WRITE,
	CRN_LIMIT_BUDGET, /* threads stood idle because no more tasks fitted the memory */
	CRN_LIMIT_TASKS,  /* threads stood idle because there were too few tasks */
	CRN_LIMIT_SERIAL, /* threads stood idle while one thread merged or prepared */
} crn_limit;

typedef struct crn_profile_node {
	crn_totals spans[CRN_N_SPANS];
	int64_t ns;     /* of all spans */
	int64_t wanted; /* voxels the sinks need of it at least */
	int64_t computed, folded, restored;
	int fused_into; /* node whose spans include this one's time; -1: its own */
} crn_profile_node;

typedef struct crn_profile {
	const crn_state *st;
	double seconds, cpu_seconds; /* wall; processor time of all threads */
	crn_profile_node *nodes;     /* per plan->infos; owned */
	crn_totals all[CRN_N_SPANS];
	double share[CRN_N_SPANS]; /* of the workers' time */
	double serial_share;       /* of the elapsed time, in which only the main thread worked */
	crn_limit limit;
	double limit_share;
	char sentence[512]; /* what limited the run, with numbers */
} crn_profile;

CRN_CHECKED cairn_status crn_profile_make(
	const crn_state *st, double seconds, crn_profile *ret, cairn_error *err);
void crn_profile_done(crn_profile *p);

const char *crn_limit_name(crn_limit limit); /* "read", ... */

/** Nanoseconds as microseconds with three digits, whatever the locale. */
void crn_profile_micros(crn_str *out, int64_t ns);

/** Facts as one JSON object; with `timeline` also events and memory samples (docs/profile.md). */
void crn_profile_json(const crn_profile *p, bool timeline, crn_str *out);
/** Chrome trace events: one complete event a span, one counter event a memory sample. */
void crn_profile_trace(const crn_profile *p, crn_str *out);
/** One page without any reference to a network. */
void crn_profile_html(const crn_profile *p, crn_str *out);

#endif

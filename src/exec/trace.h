/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.h -- what the threads of one run did, and how its memory was used: the raw material of
 * reports, profiles and learned costs.
 *
 *	worker w: crn_trace_attach(trace, w) ── spans of base/span.h ── crn_trace_detach()
 *	watcher:  crn_trace_memory(trace, owners) about every CRN_TRACE_MEMORY_NS
 *	report:   lanes and memory samples, once no worker runs any more
 *
 * Totals per node are always kept (two clock reads a span). The timeline is kept only on wish and
 * in a buffer of fixed size that thins itself out; its bytes are part of the plan's standing
 * memory (crn_trace_bytes).
 *
 * Threads: attach, detach from any thread; one thread at a time per index. Reading afterwards.
 */
#ifndef CRN_EXEC_TRACE_H
#define CRN_EXEC_TRACE_H

#include "base/err.h"
#include "base/span.h"

#define CRN_TRACE_MEMORY_NS ((int64_t)10000000)

/** Bytes charged to the budget at one moment, by owner; they add up to what is charged. */
typedef struct crn_memory_sample {
	int64_t at_ns;
	int64_t tasks;      /* reserved by running tasks: tiles, scratch, pinned chunks, output */
	int64_t cache_idle; /* chunks kept for later */
	int64_t tables;     /* of global ops, beyond what standing holds */
	int64_t writes;     /* encoded bytes on their way to the store */
	int64_t standing;   /* results, partials, this trace: there for the whole run */
	int64_t pool_used;  /* of all that: buffers really handed out */
} crn_memory_sample;

typedef struct crn_trace crn_trace;

/** Bytes of the timeline for a run with this many threads. */
size_t crn_trace_bytes(int n_threads);
CRN_CHECKED cairn_status crn_trace_new(
	int n_threads, int n_nodes, bool timeline, crn_trace **ret, cairn_error *err);
void crn_trace_free(crn_trace *t); /* NULL is fine */

/** The calling thread is worker `index` (0 .. n_threads-1, and a few more; the same again in a
 * later stage). A
 * negative index is a thread beside the workers: -1 the one that runs the stages, -2, -3 ... I/O.
 * Indices without a lane, and a NULL trace, are fine: such a thread is not recorded. */
void crn_trace_attach(crn_trace *t, int index);
void crn_trace_detach(void);

/** True if crn_trace_memory() wants samples. */
bool crn_trace_wants_memory(const crn_trace *t);
void crn_trace_memory(crn_trace *t, const crn_memory_sample *sample);

/* ---- afterwards ---- */

/** Lanes: workers first, then the main thread's and the others beside them. */
int crn_trace_n_lanes(const crn_trace *t);
int crn_trace_main(const crn_trace *t);
/** Time of all workers together, at work or not. */
int64_t crn_trace_worker_ns(const crn_trace *t);
const crn_lane *crn_trace_lane(const crn_trace *t, int i);
/** Name of a lane: "worker 0", "main", "io 1". Returns `text`. */
char *crn_trace_lane_name(const crn_trace *t, int i, char text[32]);
/** Totals of a node (or of none: node -1) over all lanes, one per kind. */
void crn_trace_node(const crn_trace *t, int node, crn_totals ret[CRN_N_SPANS]);
/** Totals of everything, one per kind. */
void crn_trace_all(const crn_trace *t, crn_totals ret[CRN_N_SPANS]);
const crn_memory_sample *crn_trace_samples(const crn_trace *t, int *ret_n);

#endif

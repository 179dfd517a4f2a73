/* SPDX-License-Identifier: Apache-2.0
 *
 * span.h -- stopwatches: what this thread does, measured where it happens.
 *
 *	crn_span span = crn_span_begin(CRN_SPAN_READ, CRN_SPAN_INHERIT);
 *	... pread ...
 *	crn_span_end(&span, bytes_got, 0);
 *
 * A thread that works for a run has a *lane* (crn_lane_attach(), done by exec/trace.c); without one
 * a span costs a load and a branch. Spans nest: the time of an inner span is taken off the outer
 * one, so every nanosecond is counted once, under the innermost kind; INHERIT means the node of the
 * enclosing span.
 *
 * Two records: totals per kind and per node, always; events of the timeline only when the lane has
 * room for some. When that room is full, short neighbours melt into one event (and short inner
 * events go), so a run of any length fits and long events stay exact.
 *
 * Threads: a lane belongs to one thread at a time. Nothing here can fail or change a result.
 */
#ifndef CRN_BASE_SPAN_H
#define CRN_BASE_SPAN_H

#include "base/thread.h"

#include <stddef.h>

typedef enum crn_span_kind {
	CRN_SPAN_READ,    /* bytes from a store or file */
	CRN_SPAN_DECODE,  /* stored bytes to voxels */
	CRN_SPAN_COMPUTE, /* an op's own code */
	CRN_SPAN_COPY,    /* gathering chunks, filling borders */
	CRN_SPAN_ENCODE,  /* voxels to stored bytes */
	CRN_SPAN_WRITE,   /* bytes to a store, file or journal */
	CRN_SPAN_IDLE,    /* a worker without work: none is left, or it waits for chunks */
	CRN_SPAN_STARVED, /* a worker without work because the memory budget admits no more */
	CRN_N_SPANS
} crn_span_kind;

enum { CRN_SPAN_INHERIT = -1 };

const char *crn_span_name(crn_span_kind kind); /* "read", ... */

typedef struct crn_totals {
	int64_t n, ns, bytes, voxels;
} crn_totals;

/** A stretch of one thread's time; start and end on crn_now_ns()'s clock. */
typedef struct crn_event {
	int64_t start_ns, end_ns;
	int64_t busy_ns; /* time inside spans: less than end - start where short ones melted */
	int64_t bytes, voxels;
	int32_t n;    /* spans in it */
	int16_t node; /* or CRN_SPAN_INHERIT: of no node */
	uint8_t kind; /* of the longest span in it */
	uint8_t depth;
} crn_event;

typedef struct crn_lane {
	crn_totals *totals; /* [n_nodes + 1][CRN_N_SPANS]; the last row is for no node */
	int n_nodes;
	crn_event *events; /* NULL: totals only */
	int n_events, max_events;
	int64_t grain_ns;              /* events shorter than this melt */
	int64_t attached_ns, since_ns; /* time with a thread so far; since when it has this one */
	/* of the innermost open span */
	int64_t inner_ns; /* spent in spans inside it */
	int node, depth;
} crn_lane;

typedef struct crn_span {
	crn_lane *lane; /* NULL: nobody measures */
	int64_t start_ns;
	int64_t outer_inner_ns;
	int64_t bytes; /* CRN_SPAN_BLOCK: counted at the end of the block */
	int outer_node;
	crn_span_kind kind;
} crn_span;

extern __thread crn_lane *crn_lane_here __attribute__((tls_model("initial-exec")));

/** This thread's spans go to `lane` from now on; NULL: nowhere. */
void crn_lane_attach(crn_lane *lane);

/* The parts behind the branch. */
void crn_span_open(crn_span *s, crn_span_kind kind, int node);
void crn_span_close(crn_span *s, int64_t bytes, int64_t voxels);

/** @param node  index of the node worked for, or CRN_SPAN_INHERIT */
static inline crn_span crn_span_begin(crn_span_kind kind, int node)
{
	crn_span s = {.lane = crn_lane_here};
	if (s.lane)
		crn_span_open(&s, kind, node);
	return s;
}

/** Ends the innermost open span, which must be s. */
static inline void crn_span_end(crn_span *s, int64_t bytes, int64_t voxels)
{
	if (s->lane)
		crn_span_close(s, bytes, voxels);
}

static inline void crn_span_end_at_(crn_span *s)
{
	crn_span_end(s, s->bytes, 0);
}

static inline crn_span crn_span_of_bytes_(crn_span_kind kind, int64_t bytes)
{
	crn_span s = crn_span_begin(kind, CRN_SPAN_INHERIT);
	s.bytes = bytes;
	return s;
}

/** Measures the rest of the block, which moves n bytes; for functions with several exits. */
#define CRN_SPAN_BLOCK(kind, n) \
	__attribute__((cleanup(crn_span_end_at_), unused)) crn_span span_ = \
		crn_span_of_bytes_(kind, (int64_t)(n))

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * run_stream.h -- runs of labelled rows, packed into bytes and spilled in segments.
 *
 * One row is: number of runs, then per run: gap since the end of the run before, length, and the
 * component as a signed difference to the component of the run before (0 first in a segment); all
 * as variable-length integers, so smooth images take about three bytes a run. A segment holds
 * whole rows and is a single piece of the scratch file.
 *
 * Threads: a writer or reader belongs to one call. Memory: the caller's buffers only, but for the
 * list of segments, which is charged.
 */
#ifndef CRN_OPS_RUN_STREAM_H
#define CRN_OPS_RUN_STREAM_H

#include "core/op.h"

typedef struct crn_segment {
	uint64_t offset; /* in the scratch file */
	uint64_t size_bytes;
	int64_t first_row; /* rows up to the next segment's first_row */
} crn_segment;

typedef struct crn_segments {
	crn_segment *of;
	int n, cap;
	size_t charged_bytes;
} crn_segments;

void crn_segments_done(crn_segments *s, const crn_env *env);

/** Bytes a row of at most n_runs runs can take. */
static inline size_t crn_run_row_bytes(int64_t n_runs)
{
	return 10 + 15 * (size_t)n_runs;
}

#define CRN_RUN_SEGMENT_BYTES 65536 /* segments are flushed when they pass this */

typedef struct crn_run_writer {
	const crn_env *env;
	crn_segments *segments;
	uint8_t *buffer; /* CRN_RUN_SEGMENT_BYTES + crn_run_row_bytes(longest row) */
	size_t used;
	int64_t first_row;
	uint32_t last_component;
} crn_run_writer;

/** Appends row number `row` (ascending; rows left out must be written with n_runs 0). pairs: start
 * and end of each run; component: one per run. */
CRN_CHECKED cairn_status crn_run_writer_row(crn_run_writer *w, int64_t row, int64_t n_runs,
	const uint32_t *pairs, const uint32_t *component, cairn_error *err);
CRN_CHECKED cairn_status crn_run_writer_flush(crn_run_writer *w, cairn_error *err);

#define CRN_RUN_READER_BYTES 16384

typedef struct crn_run_reader {
	const crn_env *env;
	uint64_t offset, left; /* still to be read from the scratch file */
	uint8_t *buffer;       /* CRN_RUN_READER_BYTES */
	size_t pos, n;
	uint32_t end, component; /* of the run before */
} crn_run_reader;

void crn_run_reader_open(
	crn_run_reader *r, const crn_env *env, const crn_segment *s, uint8_t *buffer);
/** Starts the next row. */
CRN_CHECKED cairn_status crn_run_reader_row(
	crn_run_reader *r, int64_t *ret_n_runs, cairn_error *err);
CRN_CHECKED cairn_status crn_run_reader_run(crn_run_reader *r, uint32_t *ret_start,
	uint32_t *ret_end, uint32_t *ret_component, cairn_error *err);

#endif

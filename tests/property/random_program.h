/* SPDX-License-Identifier: Apache-2.0
 *
 * random_program.h -- random pipelines: a few source arrays, then calls on what is there so far.
 *
 *	a = source uint8 (7, 1, 5)
 *	b = gaussian_filter(a, 1.2, mode='wrap')
 *	c = getitem(b, ((None, None, -2), '...',))
 *
 * Every value is known twice: from the library's nodes through the eager driver, and from the naive
 * reference, which is given the library's inputs of each call, so that differences do not pile up.
 * A program is a pure function of its seed. Failures shrink: calls become sources one by one, and
 * what the failing value does not need is dropped.
 */
#ifndef CRN_TEST_RANDOM_PROGRAM_H
#define CRN_TEST_RANDOM_PROGRAM_H

#include "reference/reference.h"

enum { PROGRAM_MAX = 16 };

/** One line: a source (no op) or a call. */
typedef struct program_line {
	const ref_op *op;
	int in[REF_MAX_IN];
	ref_call call;
	int64_t unit[CRN_MAX_NDIM]; /* sources: read unit */
	bool dropped;               /* shrinking: nobody needs it */
	crn_view value;             /* the library's, whole; sources: given */
	crn_node *node;
} program_line;

typedef struct program {
	uint64_t seed;
	crn_graph *graph;
	int n;
	program_line line[PROGRAM_MAX];
	int failed; /* line that failed, when a check did */
} program;

/** Makes up a program and evaluates it line by line (nodes and values are there afterwards).
 * FAILED with p->failed set when a line is refused, breaks a promise or differs from the
 * reference. */
CRN_CHECKED cairn_status program_make(uint64_t seed, program *p, cairn_error *err);
/** Rebuilds all nodes and values in a new graph and checks the lines again. */
CRN_CHECKED cairn_status program_again(program *p, cairn_error *err);
void program_done(program *p);

/** Property beyond the reference: FAILED (p->failed set) when it does not hold. */
typedef cairn_status (*program_check)(program *p, cairn_error *err);
/** The tiles of the eager driver give the bytes of the whole. */
cairn_status program_check_tiles(program *p, cairn_error *err);
/** So does the engine: random regions, threads, budgets from the one a refusal
 * names, instruction sets, and
 * outputs in random chunks read back. */
cairn_status program_check_engine(program *p, cairn_error *err);

/** Shrinks a failing program as far as it keeps failing; err becomes the last failure. */
void program_shrink(program *p, program_check check, cairn_error *err);
void program_print(const program *p, crn_str *out);

/** How often each op was called so far, by name (for a table at the end). */
int program_calls_of(const char *name);

#endif

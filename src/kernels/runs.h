/* SPDX-License-Identifier: Apache-2.0
 *
 * runs.h -- rows of bits as runs: the inner loops of labelling.
 *
 * Elements are first packed to bits (bit i of word i / 64: element i is not zero; NaN is not zero).
 * A run is a maximal sequence of set bits; with `singles` every set bit is a run of its own. Runs
 * are never listed: run number r of a row is the one that starts at the r-th start bit, so the run
 * at a position is found by counting start bits. Rows are taken a word at a time, without a branch
 * that depends on where runs lie.
 */
#ifndef CRN_KERNELS_RUNS_H
#define CRN_KERNELS_RUNS_H

#include "core/dtype.h"
#include "core/isa.h"
#include "kernels/isa_name.h"

/** Which x differences (b - a) touch. */
typedef enum crn_touch {
	CRN_TOUCH_BEFORE, /* -1 */
	CRN_TOUCH_SAME,   /* 0 */
	CRN_TOUCH_AFTER,  /* 1 */
	CRN_TOUCH_WIDE,   /* -1, 0 and 1 */
} crn_touch;

/** Two rows of bits, or the same part of both. */
typedef struct crn_touch_rows {
	const uint64_t *a, *b;
	const uint32_t *first_a, *first_b; /* per word: number of the first run that starts in it */
	int64_t n_words;
	bool a_before, b_before, b_after; /* the bits next to the part; false at a row's ends */
	crn_touch how;
	bool singles;
	/* Rows through which a pair is joined anyway; NULL: none. A pair that touches at x is left
	 * out if bit x or x - 1 of a `skip` row is set, or bit x of both `square` rows. */
	const uint64_t *skip[2], *square[2];
} crn_touch_rows;

/** What to paint: ids[0] is the id of a run that goes on from the word before, ids[1] that of the
 * first run that starts here. */
typedef struct crn_paint_row {
	const uint64_t *bits;
	int64_t n_words;
	bool before; /* the bit before the first word */
	bool singles;
	const uint32_t *ids;
	void *out; /* 64 * n_words elements */
} crn_paint_row;

typedef struct crn_run_kernels {
	/* Writes ceil(n / 64) words; bits from n on are 0. */
	void (*nonzero[CRN_N_DTYPES])(const void *row, int64_t n, uint64_t *bits);
	/* Numbers runs from `number` on: first[w] for each word; returns the number after the last.
	 */
	uint32_t (*first_runs)(const uint64_t *bits, int64_t n_words, bool before, bool singles,
		uint32_t number, uint32_t *first);
	/* Every pair of runs that touch, as (run of a, run of b), both ascending; returns the
	 * number of pairs: at most 64 * n_words. */
	int64_t (*touching)(const crn_touch_rows *rows, uint32_t *pairs);
	/* By element size 1, 2, 4, 8: set bits become their run's id, others 0. */
	void (*paint[4])(const crn_paint_row *p);
} crn_run_kernels;

CRN_ISA_TABLES(crn_run_kernels, crn_run_kernels);

static inline int64_t crn_bit_words(int64_t n)
{
	return (n + 63) / 64;
}

#endif

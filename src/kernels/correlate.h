/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate.h -- weighted sums of neighbours: one output row from a list of tap rows.
 *
 *	out[i] = sum over taps t of weight[t] * row(t)[i],   row(t) = base + offset[t] bytes
 *
 * The same loop serves every axis and every dense kernel: a tap along z or y points to another
 * row, a tap along x to the same row shifted. Vectors run over i, never over taps, and the order of
 * the sums is the one of scipy.ndimage, so all levels give the same bits, and float64 gives
 * scipy's.
 */
#ifndef CRN_KERNELS_CORRELATE_H
#define CRN_KERNELS_CORRELATE_H

#include "kernels/isa_name.h"

#include <stddef.h>
#include <stdint.h>

/** How the taps of a row pair up. */
typedef enum crn_tap_pairing {
	CRN_TAPS_PLAIN, /* offset[0..n-1], weight[0..n-1]; summed in this order */
	/* offset[0] is the centre; offset[2k-1], offset[2k] are a pair with weight[k]:
	 * sum = centre * weight[0], then += (first + second) * weight[k], k = 1, 2, ... */
	CRN_TAPS_SYMMETRIC,
	CRN_TAPS_ANTISYMMETRIC, /* the same with (first - second) */
	CRN_N_PAIRINGS
} crn_tap_pairing;

/** Taps of a row. */
typedef struct crn_taps {
	const ptrdiff_t *offset;
	const void *weight; /* of the accumulator's type */
	int n_weights;      /* PLAIN: number of taps; else 1 + number of pairs */
	/* Two rows only: bytes from a tap to the one after it, which is also the distance of the
	 * rows. The pairs then go from the outermost inwards. */
	ptrdiff_t next;
} crn_taps;

/** One row of n sums; rows need only the alignment of their type and do not overlap `out`. */
typedef void (*crn_correlate_fn)(const char *base, const crn_taps *taps, int64_t n, void *out);
/** The rows of base and of base + next at once: they share nearly all they read. */
typedef void (*crn_correlate_two_fn)(
	const char *base, const crn_taps *taps, int64_t n, void *const out[2]);

typedef struct crn_correlate_loops {
	crn_correlate_fn row[CRN_N_PAIRINGS];
	crn_correlate_two_fn two[CRN_N_PAIRINGS]; /* NULL for PLAIN */
} crn_correlate_loops;

typedef struct crn_correlate_kernels {
	crn_correlate_loops f32;  /* float32 in, sums and out */
	crn_correlate_loops f32w; /* float32 in and out, float64 sums and weights */
	crn_correlate_loops f64;
} crn_correlate_kernels;

CRN_ISA_TABLES(crn_correlate_kernels, crn_correlate_table);

#endif

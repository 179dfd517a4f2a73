/* SPDX-License-Identifier: Apache-2.0
 *
 * random_kernels.h -- random numbers as a function of (seed, position): Philox4x32-10.
 *
 * Block b of the stream of a seed is what Philox4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw:
 * "Parallel random numbers: as easy as 1, 2, 3", 2011; it passes BigCrush) makes of the counter
 * (b mod 2^32, b / 2^32, 0, 0) and the key (seed mod 2^32, seed / 2^32): four 32-bit numbers
 * x0 .. x3, which are two 64-bit words x0 + 2^32 x1 and x2 + 2^32 x3.
 *
 * The words of 16 neighbouring blocks are numbered so that vector units need no shuffles: first the
 * 16 first words, then the 16 second ones. Word w is word w / 16 % 2 of block w / 32 * 16 + w % 16.
 *   float64 number i   (word i >> 11) * 2^-53
 *   float32 number i   (half i % 2 of word i / 2, low half first, >> 8) * 2^-24
 * Pure functions; any position costs the same, so any region can be computed alone. Different seeds
 * give different permutations of the counters, hence unrelated streams.
 */
#ifndef CRN_KERNELS_RANDOM_KERNELS_H
#define CRN_KERNELS_RANDOM_KERNELS_H

#include "core/dtype.h"
#include "kernels/isa_name.h"

typedef struct crn_random_kernels {
	/* Numbers first, first + step, ... (n of them, step >= 1). */
	void (*float64)(uint64_t seed, uint64_t first, uint64_t step, int64_t n, double *out);
	void (*float32)(uint64_t seed, uint64_t first, uint64_t step, int64_t n, float *out);
} crn_random_kernels;

CRN_ISA_TABLES(crn_random_kernels, crn_random);

#endif

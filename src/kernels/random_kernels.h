/* SPDX-License-Identifier: Apache-2.0
 *
 * random_kernels.h -- random numbers as a function of (seed, position): Philox4x64-10.
 *
 * Word w of the stream of a key is word w % 4 of Philox4x64 with 10 rounds (Salmon, Moraes, Dror,
 * Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011) on the counter (w / 4 + 1, 0, 0, 0)
 * and the key (seed, 0). That is the stream of numpy.random.Philox(key=seed), whose doubles and
 * floats these are:
 *   float64 number i   (word i >> 11) * 2^-53
 *   float32 number i   (half i % 2 of word i / 2, low half first, >> 8) * 2^-24
 * Pure functions; any position costs the same, so any region can be computed alone.
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

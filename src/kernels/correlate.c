/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate.c -- the row loops of correlate_loops.h for three pairs of sample and sum type.
 */
#include "kernels/correlate.h"

#include "kernels/vector_width.h"

#include <string.h>

typedef float f32_full __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef float f32_half __attribute__((vector_size(CRN_VECTOR_BYTES / 2)));
typedef double f64_full __attribute__((vector_size(CRN_VECTOR_BYTES)));

#define SAMPLE float
#define SAMPLES f32_full
#define SUM float
#define SUMS f32_full
#define NAME(x) f32_##x
#include "kernels/correlate_loops.h"

#define SAMPLE float
#define SAMPLES f32_half
#define SUM double
#define SUMS f64_full
#define NAME(x) f32w_##x
#include "kernels/correlate_loops.h"

#define SAMPLE double
#define SAMPLES f64_full
#define SUM double
#define SUMS f64_full
#define NAME(x) f64_##x
#include "kernels/correlate_loops.h"

const crn_correlate_kernels CRN_ISA_NAME(crn_correlate_table) = {
	.f32 = {f32_plain, f32_symmetric, f32_antisymmetric},
	.f32w = {f32w_plain, f32w_symmetric, f32w_antisymmetric},
	.f64 = {f64_plain, f64_symmetric, f64_antisymmetric},
};

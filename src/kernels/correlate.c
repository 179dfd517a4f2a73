/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate.c -- the row loops of correlate_loops.h for three pairs of sample and sum type.
 */
#include "kernels/correlate.h"

#include "kernels/vector_width.h"

#include <stdbool.h>
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

#define LOOPS(id) \
	{ \
		.row = {id##_plain, id##_symmetric, id##_antisymmetric}, \
		.two = {NULL, id##_symmetric_two, id##_antisymmetric_two}, \
	}

const crn_correlate_kernels CRN_ISA_NAME(crn_correlate_table) = {
	.f32 = LOOPS(f32),
	.f32w = LOOPS(f32w),
	.f64 = LOOPS(f64),
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * float_sums_test.c -- rows summed block by block give the very accumulator value that adding one
 * number at a time gives, at every instruction set, for data that suits the blocks and data that
 * does not: guesses too low and too high, zeros, subnormals, infinities, NaN, ranges of 600 bits.
 *
 * One number at a time is held to math.fsum by the golden tests of the reductions.
 */
#include "core/isa.h"
#include "kernels/float_sums.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 9001, ACC = 1 + 134, SEED = 77 };

static const crn_float_sums *const levels[] = {
	&crn_float_sums_base, &crn_float_sums_avx2, &crn_float_sums_avx512};

static uint64_t state = SEED;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double unit(void)
{
	return (double)(next() >> 11) * 0x1p-53;
}

/* The ways values are spread; each must be summed exactly. */
enum {
	UNIFORM,
	SIGNED,
	SHIFTED,
	SPARSE,
	STEPS,
	WIDE,
	TINY,
	HUGE_VALUES,
	SPECIAL,
	NEGATIVE_ZERO,
	N_KINDS
};

static double value(int kind, int64_t i)
{
	switch (kind) {
	case UNIFORM:
		return unit();
	case SIGNED:
		return unit() * 2 - 1;
	case SHIFTED:
		return unit() + 3;
	case SPARSE:
		return next() % 97 == 0 ? unit() * 1e6 : 0;
	case STEPS: /* another scale in every block, and inside some */
		return (unit() - 0.5) * ldexp(1, (int)(i / 700 * 11 % 90) - 45);
	case WIDE:
		return (unit() - 0.5) * ldexp(1, (int)(next() % 600) - 300);
	case TINY:
		return (unit() - 0.5) * 0x1p-1060;
	case HUGE_VALUES:
		return (unit() - 0.5) * 0x1p1023;
	case SPECIAL:
		return next() % 3000 == 0 ? (next() & 1 ? (double)NAN : -INFINITY) : unit();
	default:
		return -0.0;
	}
}

static void same_value(crn_xsum kind, const int64_t *got, const int64_t *want)
{
	crn_wide a = {0}, b = {0};
	crn_wide_from_xsum(kind, got, &a);
	crn_wide_from_xsum(kind, want, &b);
	assert_int_equal(a.special, b.special);
	assert_int_equal(a.negative, b.negative);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.digit, b.digit, (size_t)a.n * sizeof(a.digit[0]));
}

static void blocks_are_exact(void **unused)
{
	static double d[MOST + 1];
	static float f[MOST + 1];
	static const int64_t lengths[] = {1, 31, 32, 33, 2047, 2048, 2049, MOST};
	for (int kind = 0; kind < N_KINDS; kind++) {
		for (int i = 0; i <= MOST; i++) {
			d[i] = value(kind, i);
			f[i] = kind == TINY ? (float)(d[i] * 0x1p920) : (float)d[i];
		}
		for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++)
			for (int x = 0; x < CRN_N_XSUMS; x++) {
				int64_t n = lengths[l], want[ACC] = {0};
				bool narrow = x == CRN_XSUM_F32 || x == CRN_XSUM_F32_SQ;
				const char *row =
					narrow ? (const char *)(f + 1) : (const char *)(d + 1);
				for (int64_t i = 0; i < n; i++)
					crn_xsum_add(
						(crn_xsum)x, want, row + i * (narrow ? 4 : 8), 1);
				for (int isa = 0; isa <= (int)crn_isa_best(); isa++) {
					int64_t got[ACC] = {0};
					levels[isa]->add[x](got, row, n);
					same_value((crn_xsum)x, got, want);
				}
			}
	}
}

/* The sum of i * 2^-30 has a formula. */
static void sum_of_a_ramp(void **unused)
{
	static double d[1 << 16];
	int64_t acc[ACC] = {0};
	for (int i = 0; i < 1 << 16; i++)
		d[i] = ldexp(i + 1, -30);
	for (int r = 0; r < 100; r++)
		crn_float_sums_base.add[CRN_XSUM_F64](acc, d, 1 << 16);
	crn_wide w;
	crn_wide_from_xsum(CRN_XSUM_F64, acc, &w);
	assert_true(crn_wide_ratio(&w, 1, CRN_F64) == ldexp(100.0 * 65536.0 * 65537.0 / 2, -30));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_exact),
		cmocka_unit_test(sum_of_a_ramp),
	};
	printf("seed %d\n", SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

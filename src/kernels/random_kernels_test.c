/* SPDX-License-Identifier: Apache-2.0
 *
 * random_kernels_test.c -- the stream is Philox4x32-10, the same at every instruction set and for
 * any way of cutting it, and looks random where pictures would show it: neighbours, rows, seeds.
 *
 * The reference below is held to the known answers that Philox's authors publish with Random123
 * (kat_vectors). The statistical bounds are five standard deviations and more: the stream is fixed,
 * so they hold or they do not.
 */
#include "core/isa.h"
#include "kernels/random_kernels.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 300, GUARD = 7, STATISTICS = 1 << 20, SEED = 20261 };

static const crn_random_kernels *const levels[] = {
	&crn_random_base, &crn_random_avx2, &crn_random_avx512};

static void reference(const uint32_t counter[4], const uint32_t key[2], uint32_t ret[4])
{
	uint32_t c[4], k0 = key[0], k1 = key[1];
	memcpy(c, counter, sizeof(c));
	for (int round = 0; round < 10; round++) {
		uint64_t p = 0xd2511f53ull * c[0], q = 0xcd9e8d57ull * c[2];
		c[0] = (uint32_t)(q >> 32) ^ c[1] ^ k0;
		c[1] = (uint32_t)q;
		c[2] = (uint32_t)(p >> 32) ^ c[3] ^ k1;
		c[3] = (uint32_t)p;
		k0 += 0x9e3779b9u;
		k1 += 0xbb67ae85u;
	}
	memcpy(ret, c, sizeof(c));
}

static uint64_t word(uint64_t seed, uint64_t w)
{
	uint64_t block = w / 32 * 16 + w % 16;
	const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32)};
	const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
	uint32_t x[4];
	reference(counter, key, x);
	return w / 16 % 2 ? x[2] | (uint64_t)x[3] << 32 : x[0] | (uint64_t)x[1] << 32;
}

static double number_64(uint64_t seed, uint64_t i)
{
	return ldexp((double)(word(seed, i) >> 11), -53);
}

static float number_32(uint64_t seed, uint64_t i)
{
	uint32_t half = (uint32_t)(word(seed, i / 2) >> (32 * (i % 2)));
	return ldexpf((float)(half >> 8), -24);
}

static void reference_gives_known_answers(void **unused)
{
	static const struct {
		uint32_t counter[4], key[2], want[4];
	} known[] = {
		{{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u},
			{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
			{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t got[4];
		reference(known[i].counter, known[i].key, got);
		assert_memory_equal(got, known[i].want, sizeof(got));
	}
}

/* Any start, step, length and seed; nothing outside the row is written. */
static void rows_are_the_stream(void **unused)
{
	static const uint64_t starts[] = {0, 1, 15, 16, 31, 32, 33, 63, 64, 1001, 0xfffffff3,
		0x1fffffff3, ((uint64_t)1 << 40) + 5};
	static const uint64_t seeds[] = {0, 9, 0xdeadbeef12345678};
	for (int isa = 0; isa <= (int)crn_isa_best(); isa++)
		for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++)
			for (uint64_t step = 1; step < 70;
				step = step < 5 ? step + 1 : step * 3 + 1) {
				double d[N + GUARD];
				float f[N + GUARD];
				int64_t n = N - 17 * (int64_t)s;
				uint64_t seed = seeds[s % 3];
				for (int i = 0; i < N + GUARD; i++)
					d[i] = f[i] = -1;
				levels[isa]->float64(seed, starts[s], step, n, d);
				levels[isa]->float32(seed, starts[s], step, n, f);
				for (int64_t i = 0; i < n; i++) {
					uint64_t at = starts[s] + (uint64_t)i * step;
					assert_true(d[i] == number_64(seed, at));
					assert_true(f[i] == number_32(seed, at));
				}
				for (int i = 0; i < GUARD; i++)
					assert_true(d[n + i] == -1 && f[n + i] == -1);
			}
}

static double *many(uint64_t seed)
{
	double *v = malloc(STATISTICS * sizeof(*v));
	assert_non_null(v);
	crn_random_base.float64(seed, 0, 1, STATISTICS, v);
	return v;
}

/* Chi-squared over 1024 cells has 1023 degrees of freedom: mean 1023, standard deviation 45. */
static void numbers_are_uniform(void **unused)
{
	enum { CELLS = 1024 };
	static int64_t count[CELLS];
	double *v = many(SEED), chi = 0, expected = (double)STATISTICS / CELLS;
	for (int i = 0; i < STATISTICS; i++) {
		assert_true(v[i] >= 0 && v[i] < 1);
		count[(int)(v[i] * CELLS)]++;
	}
	for (int c = 0; c < CELLS; c++)
		chi += ((double)count[c] - expected) * ((double)count[c] - expected) / expected;
	assert_true(chi > 1023 - 5 * 45 && chi < 1023 + 5 * 45);
	free(v);
}

/* Pairs of numbers a lag apart fall into 32 x 32 cells evenly: neighbours, the two words of a
 * block, rows of usual widths. */
static void neighbours_are_independent(void **unused)
{
	enum { SIDE = 32 };
	static const int lags[] = {
		1, 2, 3, 15, 16, 17, 31, 32, 48, 64, 100, 256, 400, 512, 1000, 1024};
	double *v = many(SEED + 1);
	for (size_t l = 0; l < sizeof(lags) / sizeof(lags[0]); l++) {
		static int64_t count[SIDE * SIDE];
		int n = STATISTICS - lags[l];
		double chi = 0, expected = (double)n / (SIDE * SIDE);
		memset(count, 0, sizeof(count));
		for (int i = 0; i < n; i++)
			count[(int)(v[i] * SIDE) * SIDE + (int)(v[i + lags[l]] * SIDE)]++;
		for (int c = 0; c < SIDE * SIDE; c++)
			chi += ((double)count[c] - expected) * ((double)count[c] - expected) /
			       expected;
		assert_true(chi > 1023 - 6 * 45 && chi < 1023 + 6 * 45);
	}
	free(v);
}

/* Every bit is one half of the time, by itself and xored with the same bit of the next number, the
 * next row, and the same place of the next seed. Standard deviation of a count: sqrt(n) / 2. */
static void bits_are_balanced(void **unused)
{
	static const int lags[] = {1, 16, 32, 1000, 1 << 19};
	double *v = many(SEED), *next_seed = many(SEED + 1);
	for (int bit = 0; bit < 53; bit++) {
		int64_t ones = 0, changes[6] = {0};
		for (int i = 0; i < STATISTICS / 2; i++) {
			uint64_t a = (uint64_t)ldexp(v[i], 53) >> bit;
			ones += a & 1;
			for (int l = 0; l < 5; l++)
				changes[l] +=
					(a ^ ((uint64_t)ldexp(v[i + lags[l]], 53) >> bit)) & 1;
			changes[5] += (a ^ ((uint64_t)ldexp(next_seed[i], 53) >> bit)) & 1;
		}
		double half = STATISTICS / 4.0, bound = 5.5 * sqrt(STATISTICS / 2.0) / 2;
		assert_true(fabs((double)ones - half) < bound);
		for (int l = 0; l < 6; l++)
			assert_true(fabs((double)changes[l] - half) < bound);
	}
	free(v);
	free(next_seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_gives_known_answers),
		cmocka_unit_test(rows_are_the_stream),
		cmocka_unit_test(numbers_are_uniform),
		cmocka_unit_test(neighbours_are_independent),
		cmocka_unit_test(bits_are_balanced),
	};
	printf("seed %d\n", SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

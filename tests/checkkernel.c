/* SPDX-License-Identifier: Apache-2.0
 *
 * checkkernel.c -- row kernels x dtype x instruction set against the base level: same bytes.
 *
 *	checkkernel             odd lengths, every misalignment, guard bytes
 *	checkkernel --rates     also prints million elements a second per level
 *
 * Covers the tables whose kernels have the row signature (elementwise, math, casts, sample casts)
 * here, and those of filters in checkkernel_filters.c.
 * The base level itself is checked by the reference and the golden tests.
 */
#include "checkkernel.h"

#include "kernels/cast_kernels.h"
#include "kernels/elementwise_kernels.h"
#include "kernels/math_kernels.h"
#include "kernels/sample_cast.h"
#include "support/arrays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 1 << 14, GUARD = 64, MAX_IN = 3 };

/* One kernel at every level; the dtypes say how to fill and how much is written. */
typedef struct kernel {
	char name[64];
	crn_kernel_row row[CRN_N_ISAS];
	int n_in;
	crn_dtype in[MAX_IN], out;
} kernel;

static char *inputs[MAX_IN], *outputs[2];
static crn_test_rng rng = {2024};
static bool rates;
static int n_checked, n_failed;

static void fill_inputs(const kernel *k, size_t shift)
{
	for (int i = 0; i < k->n_in; i++) {
		const int64_t shape[] = {MOST};
		crn_view v = crn_view_dense(
			inputs[i] + shift * crn_dtype_size(k->in[i]), k->in[i], 1, shape);
		if (crn_test_u64(&rng) & 1)
			crn_test_fill(&rng, &v);
		else
			crn_test_fill_small(&rng, &v, 9);
	}
}

static void run(const kernel *k, int isa, int64_t n, char *out, size_t shift)
{
	const void *in[MAX_IN];
	for (int i = 0; i < k->n_in; i++)
		in[i] = inputs[i] + shift * crn_dtype_size(k->in[i]);
	k->row[isa](NULL, n, out, in);
}

static bool same_at(const kernel *k, int isa, int64_t n, size_t shift)
{
	size_t item = crn_dtype_size(k->out), bytes = (size_t)n * item;
	size_t start = GUARD + shift * item;
	for (int side = 0; side < 2; side++) {
		memset(outputs[side], 0xA5, GUARD + start + bytes);
		run(k, side ? isa : CRN_ISA_BASE, n, outputs[side] + start, (shift + 1) % 4);
	}
	return memcmp(outputs[0], outputs[1], GUARD + start + bytes) == 0;
}

/* The machine may be shared: time on the processor, and the best of a few bursts. */
static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void print_rates(const kernel *k)
{
	printf("%-28s", k->name);
	for (int isa = 0; isa <= (int)crn_isa_best(); isa++) {
		double best = 0;
		for (int burst = 0; burst < 4; burst++) {
			int64_t start = cpu_ns(), n = 0;
			for (; cpu_ns() - start < 200000; n += 4096)
				run(k, isa, 4096, outputs[0] + GUARD, 0);
			double rate = (double)n * 1e3 / (double)(cpu_ns() - start);
			best = rate > best ? rate : best;
		}
		printf(" %8.0f", best);
	}
	printf("\n");
}

static void check(const kernel *k)
{
	static const int64_t lengths[] = {
		1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 63, 65, 127, 129, 1021};
	if (!k->row[CRN_ISA_BASE])
		return;
	n_checked++;
	for (size_t shift = 0; shift < 4; shift++) {
		fill_inputs(k, (shift + 1) % 4);
		for (int isa = 1; isa <= (int)crn_isa_best(); isa++)
			for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
				if (k->row[isa] && same_at(k, isa, lengths[l], shift))
					continue;
				printf("FAILED: %s, %s, n = %lld, shifted by %zu\n", k->name,
					crn_isa_name((crn_isa)isa), (long long)lengths[l], shift);
				n_failed++;
				return;
			}
	}
	if (rates)
		print_rates(k);
}

static void check_elementwise(void)
{
	static const char *const names[] = {"add", "subtract", "multiply", "divide", "floor_divide",
		"mod", "int_power", "minimum", "maximum", "equal", "not_equal", "less",
		"less_equal", "greater", "greater_equal", "and", "or", "xor", "invert", "negative",
		"absolute", "square", "isnan", "where"};
	_Static_assert(sizeof(names) / sizeof(names[0]) == CRN_N_EW, "one name a kernel");
	for (int op = 0; op < CRN_N_EW; op++)
		for (int t = 0; t < CRN_N_DTYPES; t++) {
			bool truth = (op >= CRN_EW_EQUAL && op <= CRN_EW_GREATER_EQUAL) ||
				     op == CRN_EW_ISNAN;
			kernel k = {.n_in = op == CRN_EW_WHERE                          ? 3
					    : op >= CRN_EW_INVERT && op <= CRN_EW_ISNAN ? 1
											: 2,
				.in = {(crn_dtype)t, (crn_dtype)t, (crn_dtype)t},
				.out = truth ? CRN_BOOL : (crn_dtype)t,
				.row = {crn_elementwise_base.row[op][t],
					crn_elementwise_avx2.row[op][t],
					crn_elementwise_avx512.row[op][t]}};
			if (op == CRN_EW_WHERE)
				k.in[0] = CRN_BOOL;
			snprintf(k.name, sizeof(k.name), "%s %s", names[op],
				crn_dtype_name((crn_dtype)t));
			check(&k);
		}
}

static void check_math(void)
{
	for (int op = 0; op < CRN_N_MATH; op++)
		for (int t = CRN_F32; t <= CRN_F64; t++) {
			kernel k = {.n_in = 2, /* functions of one ignore the second */
				.in = {(crn_dtype)t, (crn_dtype)t},
				.out = (crn_dtype)t,
				.row = {crn_math_base.row[op][t], crn_math_avx2.row[op][t],
					crn_math_avx512.row[op][t]}};
			snprintf(k.name, sizeof(k.name), "math %d %s", op,
				crn_dtype_name((crn_dtype)t));
			check(&k);
		}
}

static void check_cast(const char *name, crn_dtype to, crn_dtype from, const crn_kernel_row row[3])
{
	kernel k = {.n_in = 1, .in = {from}, .out = to, .row = {row[0], row[1], row[2]}};
	snprintf(k.name, sizeof(k.name), "%s %s to %s", name, crn_dtype_name(from),
		crn_dtype_name(to));
	check(&k);
}

#define LEVELS(table, member) \
	(const crn_kernel_row[]) \
	{ \
		table##_base.member, table##_avx2.member, table##_avx512.member \
	}

static void check_casts(void)
{
	for (int to = 0; to < CRN_N_DTYPES; to++)
		for (int from = 0; from < CRN_N_DTYPES; from++) {
			check_cast("cast", (crn_dtype)to, (crn_dtype)from,
				LEVELS(crn_casts, cast[to][from]));
			check_cast("saturate", (crn_dtype)to, (crn_dtype)from,
				LEVELS(crn_casts, saturate[to][from]));
		}
	for (int t = 0; t < CRN_N_DTYPES; t++) {
		for (int w = 0; w < 2; w++) {
			crn_dtype wide = w ? CRN_F64 : CRN_F32;
			check_cast("widen", wide, (crn_dtype)t,
				LEVELS(crn_sample_cast_table, widen[t][w]));
			check_cast("round", (crn_dtype)t, wide,
				LEVELS(crn_sample_cast_table, round[w][t]));
			check_cast("truncate", (crn_dtype)t, wide,
				LEVELS(crn_sample_cast_table, truncate[w][t]));
		}
		check_cast("nonzero", CRN_BOOL, (crn_dtype)t,
			LEVELS(crn_sample_cast_table, nonzero[t]));
	}
}

/* ---- other signatures ---- */

static char *window; /* input of filters */

static void fill_window(const crn_check_case *c)
{
	for (size_t i = 0; i + 8 <= CRN_CHECK_INPUT; i += 8) {
		uint64_t v = crn_test_u64(&rng);
		double f64 = crn_test_unit(&rng) * 100 - 50;
		float f32[2] = {(float)f64, (float)(crn_test_unit(&rng) - 0.5)};
		if (c->floats)
			memcpy(&v, c->in_size == 4 ? (void *)f32 : &f64, 8);
		memcpy(window + i, &v, 8);
	}
}

static bool case_is_same(const crn_check_case *c, crn_isa isa, int64_t n, size_t shift)
{
	size_t bytes = (size_t)n * c->out_size, start = GUARD + shift * c->out_size;
	for (int side = 0; side < 2; side++) {
		memset(outputs[side], 0xA5, GUARD + start + bytes);
		c->run(c->ctx, side ? isa : CRN_ISA_BASE, window + (shift + 1) % 4 * c->in_size, n,
			outputs[side] + start);
	}
	return memcmp(outputs[0], outputs[1], GUARD + start + bytes) == 0;
}

static void print_case_rates(const crn_check_case *c)
{
	int64_t n = c->fixed_n ? c->fixed_n : 512;
	printf("%-36s", c->name);
	for (int isa = 0; isa <= (int)crn_isa_best(); isa++) {
		double best = 0;
		for (int burst = 0; burst < 8; burst++) {
			int64_t start = cpu_ns(), done = 0;
			while (cpu_ns() - start < 200000)
				for (int i = 0; i < 16; i++, done += n)
					c->run(c->ctx, (crn_isa)isa, window, n, outputs[0] + GUARD);
			double rate = (double)done * 1e3 / (double)(cpu_ns() - start);
			best = rate > best ? rate : best;
		}
		printf(" %8.0f", best);
	}
	printf("\n");
}

static void check_case(const crn_check_case *c)
{
	static const int64_t lengths[] = {1, 2, 3, 7, 15, 17, 31, 33, 63, 65, 127, 129, 257, 515};
	n_checked++;
	fill_window(c);
	for (size_t shift = 0; shift < 4; shift++)
		for (int isa = 1; isa <= (int)crn_isa_best(); isa++)
			for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
				int64_t n = lengths[l];
				if (c->fixed_n && n > c->fixed_n)
					break;
				if (case_is_same(c, (crn_isa)isa, n, shift))
					continue;
				printf("FAILED: %s, %s, n = %lld, shifted by %zu\n", c->name,
					crn_isa_name((crn_isa)isa), (long long)n, shift);
				n_failed++;
				return;
			}
	if (rates)
		print_case_rates(c);
}

int main(int argc, char **argv)
{
	rates = argc > 1 && strcmp(argv[1], "--rates") == 0;
	for (int i = 0; i < MAX_IN; i++)
		inputs[i] = calloc(MOST + 8, 8);
	for (int i = 0; i < 2; i++)
		outputs[i] = calloc(MOST + 64, 8);
	if (rates)
		printf("%-28s %8s %8s %8s  million elements a second\n", "kernel", "base", "avx2",
			"avx512");
	check_elementwise();
	check_math();
	check_casts();
	window = malloc(CRN_CHECK_INPUT);
	crn_check_filters(check_case);
	free(window);
	printf("%d kernels, %d failed, best level %s\n", n_checked, n_failed,
		crn_isa_name(crn_isa_best()));
	for (int i = 0; i < MAX_IN; i++)
		free(inputs[i]);
	for (int i = 0; i < 2; i++)
		free(outputs[i]);
	return n_failed > 0 || n_checked < 100;
}

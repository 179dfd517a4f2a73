/* SPDX-License-Identifier: Apache-2.0
 *
 * elementwise_kernels_test.c -- every row kernel x dtype x instruction set gives the same bytes:
 * odd lengths, unaligned starts, in place, one by one; nothing outside the row is written.
 *
 * The values are NumPy's business (ops/elementwise_test.c); here levels are held against the base
 * build computing one element at a time.
 */
#include "base/mem.h"
#include "core/isa.h"
#include "kernels/cast_kernels.h"
#include "kernels/elementwise_kernels.h"
#include "kernels/math_kernels.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 611, GUARD = 64, GARBAGE = 0xa5 };

static uint64_t state = 5;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Any bit pattern half of the time (subnormals, huge numbers), else small numbers; one float in
 * eight is a NaN of its own sign and payload, so that pairs of different NaNs meet. */
static void fill(crn_dtype t, unsigned char *to, int64_t n)
{
	size_t size = crn_dtype_size(t);
	for (int64_t i = 0; i < n; i++) {
		uint64_t bits = next();
		crn_elem e;
		if (t == CRN_BOOL)
			e = crn_elem_from_int(t, (int64_t)(bits & 1));
		else if (bits & 1)
			memcpy(e.bytes, &(uint64_t){next()}, 8);
		else
			e = crn_elem_from_double(t, (double)(int64_t)(bits >> 32 & 0xfff) / 16 -
							    (crn_dtype_kind(t) == 'u' ? 0 : 128));
		if (crn_dtype_is_float(t) && (bits >> 60) < 2) {
			uint64_t nan = next() | (t == CRN_F32 ? 0x7f800001u : 0x7ff0000000000001u);
			memcpy(e.bytes, &nan, 8);
		}
		memcpy(to + (size_t)i * size, e.bytes, size);
	}
}

typedef struct kernel_case {
	crn_kernel_row row[CRN_N_ISAS];
	crn_dtype in[3], out;
	int n_in;
	int single; /* input that is one value, not a row; -1: none */
	char name[64];
} kernel_case;

typedef struct buffers {
	_Alignas(64) unsigned char in[3][GUARD + 8 * N], out[2 * GUARD + 8 * N], want[8 * N];
} buffers;

static void one_by_one(const kernel_case *k, buffers *b, size_t shift)
{
	size_t out_size = crn_dtype_size(k->out);
	for (int64_t i = 0; i < N; i++) {
		const void *in[3];
		for (int j = 0; j < k->n_in; j++)
			in[j] = b->in[j] + (shift + (j == k->single ? 0 : (size_t)i)) *
						   crn_dtype_size(k->in[j]);
		k->row[CRN_ISA_BASE](NULL, 1, b->want + (size_t)i * out_size, in);
	}
}

static void run_level(const kernel_case *k, buffers *b, crn_isa isa, size_t shift, int64_t n)
{
	const void *in[3];
	size_t size = crn_dtype_size(k->out);
	for (int j = 0; j < k->n_in; j++)
		in[j] = b->in[j] + shift * crn_dtype_size(k->in[j]);
	unsigned char *out = b->out + GUARD + shift * size;
	memset(b->out, GARBAGE, sizeof(b->out));
	k->row[isa](NULL, n, out, in);
	if (memcmp(out, b->want, (size_t)n * size) != 0)
		fail_msg("%s, %s: %lld elements from %zu differ", k->name, crn_isa_name(isa),
			(long long)n, shift);
	for (unsigned char *p = b->out; p < b->out + sizeof(b->out); p++)
		if ((p < out || p >= out + (size_t)n * size) && *p != GARBAGE)
			fail_msg("%s, %s: wrote outside the row", k->name, crn_isa_name(isa));
}

static void run_in_place(const kernel_case *k, buffers *b, crn_isa isa, int at)
{
	size_t size = crn_dtype_size(k->out);
	unsigned char saved[8 * N];
	const void *in[3];
	if (crn_dtype_size(k->in[at]) != size || at == k->single)
		return;
	for (int j = 0; j < k->n_in; j++)
		in[j] = b->in[j] + crn_dtype_size(k->in[j]);
	unsigned char *out = b->in[at] + size;
	memcpy(saved, out, N * size);
	k->row[isa](NULL, N, out, in);
	if (memcmp(out, b->want, N * size) != 0)
		fail_msg("%s, %s: in place over input %d differs", k->name, crn_isa_name(isa), at);
	memcpy(out, saved, N * size);
}

static void check(const kernel_case *k)
{
	static buffers b;
	static const int64_t lengths[] = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, N};
	for (int j = 0; j < k->n_in; j++)
		fill(k->in[j], b.in[j], N + 8);
	for (size_t shift = 0; shift <= 3; shift++) {
		one_by_one(k, &b, shift);
		for (int isa = 0; isa <= (int)crn_isa_best(); isa++)
			for (size_t i = 0; i < CRN_COUNT(lengths); i++)
				run_level(k, &b, (crn_isa)isa, shift, lengths[i]);
	}
	one_by_one(k, &b, 1);
	for (int isa = 0; isa <= (int)crn_isa_best(); isa++)
		for (int j = 0; j < k->n_in; j++)
			run_in_place(k, &b, (crn_isa)isa, j);
}

/* Same bytes as `row` gives for the number repeated. */
static void check_against_row(const kernel_case *k, crn_kernel_row row)
{
	static buffers b;
	size_t size = crn_dtype_size(k->in[0]), out_size = crn_dtype_size(k->out);
	for (int j = 0; j < 2; j++)
		fill(k->in[j], b.in[j], N);
	const void *in[2] = {b.in[0], b.in[1]};
	k->row[CRN_ISA_BASE](NULL, N, b.want, in);
	for (size_t i = 1; i < N; i++)
		memcpy(b.in[k->single] + i * size, b.in[k->single], size);
	row(NULL, N, b.out, in);
	for (size_t i = 0; i < N * out_size; i += out_size)
		if (memcmp(b.want + i, b.out + i, out_size) != 0)
			fail_msg("%s: element %zu differs from the row's", k->name, i / out_size);
}

static int inputs_of(crn_ew op)
{
	return op == CRN_EW_WHERE ? 3 : op >= CRN_EW_INVERT && op <= CRN_EW_ISNAN ? 1 : 2;
}

static bool gives_mask(crn_ew op)
{
	return (op >= CRN_EW_EQUAL && op <= CRN_EW_GREATER_EQUAL) || op == CRN_EW_ISNAN;
}

static void arithmetic_is_equal(void **unused)
{
	int n_checked = 0;
	for (int op = 0; op < CRN_N_EW; op++) {
		for (int t = 0; t < CRN_N_DTYPES; t++) {
			kernel_case k = {.in = {(crn_dtype)t, (crn_dtype)t, (crn_dtype)t},
				.out = (crn_dtype)t,
				.n_in = inputs_of((crn_ew)op),
				.single = -1,
				.row = {crn_elementwise_base.row[op][t],
					crn_elementwise_avx2.row[op][t],
					crn_elementwise_avx512.row[op][t]}};
			if (op == CRN_EW_WHERE)
				k.in[0] = CRN_BOOL;
			if (gives_mask((crn_ew)op))
				k.out = CRN_BOOL;
			snprintf(k.name, sizeof(k.name), "op %d of %s", op,
				crn_dtype_name((crn_dtype)t));
			if (!k.row[0])
				continue;
			check(&k);
			n_checked++;
		}
	}
	assert_true(n_checked > 180);
}

/* A number as first or second operand: equal at every level, and what the row of it repeated gives.
 */
static void numbers_beside_rows_are_equal(void **unused)
{
	int n_checked = 0;
	for (int side = 0; side < 2; side++)
		for (int op = 0; op < CRN_N_EW; op++)
			for (int t = 0; t < CRN_N_DTYPES; t++) {
				kernel_case k = {.in = {(crn_dtype)t, (crn_dtype)t},
					.out = gives_mask((crn_ew)op) ? CRN_BOOL : (crn_dtype)t,
					.n_in = 2,
					.single = side,
					.row = {crn_elementwise_base.one[side][op][t],
						crn_elementwise_avx2.one[side][op][t],
						crn_elementwise_avx512.one[side][op][t]}};
				snprintf(k.name, sizeof(k.name), "op %d of %s, number %d", op,
					crn_dtype_name((crn_dtype)t), side);
				if (!k.row[0])
					continue;
				for (int trial = 0; trial < 4;
					trial++) { /* NaN among the numbers */
					check(&k);
					check_against_row(&k, crn_elementwise_base.row[op][t]);
				}
				n_checked++;
			}
	assert_true(n_checked > 200);
}

/* ---- integer division against 128-bit arithmetic ---- */

static __int128 floor_division(__int128 a, __int128 b, __int128 *ret_mod)
{
	if (b == 0) {
		*ret_mod = 0;
		return 0;
	}
	__int128 q = a / b, r = a % b;
	if (r != 0 && (r < 0) != (b < 0)) {
		q--;
		r += b;
	}
	*ret_mod = r;
	return q;
}

static __int128 widened(crn_dtype t, crn_elem e)
{
	return crn_dtype_kind(t) == 'u' ? (__int128)crn_elem_to_uint(t, e)
					: (__int128)crn_elem_to_int(t, e);
}

static void check_division(crn_dtype t, crn_elem a, crn_elem b)
{
	_Alignas(8) crn_elem q, r, x = a, y = b;
	const void *in[] = {x.bytes, y.bytes};
	__int128 want_r, want_q = floor_division(widened(t, a), widened(t, b), &want_r);
	crn_elementwise_base.row[CRN_EW_FLOOR_DIVIDE][t](NULL, 1, q.bytes, in);
	crn_elementwise_base.row[CRN_EW_MOD][t](NULL, 1, r.bytes, in);
	crn_elem wrapped_q = crn_elem_from_uint(t, (uint64_t)want_q);
	crn_elem wrapped_r = crn_elem_from_uint(t, (uint64_t)want_r);
	if (crn_elem_to_uint(t, q) != crn_elem_to_uint(t, wrapped_q) ||
		crn_elem_to_uint(t, r) != crn_elem_to_uint(t, wrapped_r))
		fail_msg("%s: %lld and %lld", crn_dtype_name(t), (long long)widened(t, a),
			(long long)widened(t, b));
}

static void division_is_floor(void **unused)
{
	static const int64_t near[] = {0, 1, -1, 2, -2, 3, 7, -7, 10, 127, 255};
	for (int t = CRN_U8; t <= CRN_I64; t++) {
		crn_dtype type = (crn_dtype)t;
		crn_elem values[3 * CRN_COUNT(near)];
		size_t n = 0;
		for (size_t i = 0; i < CRN_COUNT(near); i++) {
			uint64_t top = crn_dtype_max_int(type);
			values[n++] = crn_elem_from_int(type, near[i]);
			values[n++] = crn_elem_from_uint(type, top - (uint64_t)near[i]);
			values[n++] = crn_elem_from_uint(type, top / 2 + (uint64_t)near[i]);
		}
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				check_division(type, values[i], values[j]);
		for (int i = 0; i < 20000; i++) {
			uint64_t a = next() >> (next() & 63), b = next() >> (next() & 63);
			crn_elem divisor = crn_elem_from_uint(type, b);
			check_division(type, crn_elem_from_uint(type, a), divisor);
			/* dividends just below and at multiples of the divisor */
			uint64_t c = a / (b + 1) * b;
			check_division(type, crn_elem_from_uint(type, c), divisor);
			check_division(type, crn_elem_from_uint(type, c - 1), divisor);
		}
	}
}

/* The fast remainder against the C library's, which is exact. */
static void remainder_is_exact(void **unused)
{
	for (int i = 0; i < 400000; i++) {
		double a, b, got;
		uint64_t exponents = next();
		crn_elem ea = crn_elem_from_uint(CRN_U64, next()), eb = ea;
		memcpy(eb.bytes, &(uint64_t){next()}, 8);
		a = ldexp(crn_elem_to_double(CRN_U64, ea), (int)(exponents & 63) - 90);
		b = ldexp(crn_elem_to_double(CRN_U64, eb), (int)(exponents >> 8 & 63) - 90);
		if (i % 3 == 0) /* near multiples */
			a = nextafter(b * (double)(exponents >> 50), i % 2 ? 0 : INFINITY);
		const void *in[] = {&a, &b};
		crn_math_base.row[CRN_MATH_MOD][CRN_F64](NULL, 1, &got, in);
		assert_true(got == fmod(a, b));
	}
}

static void math_is_equal(void **unused)
{
	for (int op = 0; op < CRN_N_MATH; op++) {
		for (int t = CRN_F32; t <= CRN_F64; t++) {
			bool two = op >= CRN_MATH_POWER && op <= CRN_MATH_MOD;
			kernel_case k = {.in = {(crn_dtype)t, (crn_dtype)t},
				.single = -1,
				.out = (crn_dtype)t,
				.n_in = two ? 2 : 1,
				.row = {crn_math_base.row[op][t], crn_math_avx2.row[op][t],
					crn_math_avx512.row[op][t]}};
			snprintf(k.name, sizeof(k.name), "function %d of %s", op,
				crn_dtype_name((crn_dtype)t));
			check(&k);
		}
	}
}

static void casts_are_equal(void **unused)
{
	for (int to = 0; to < CRN_N_DTYPES; to++) {
		for (int from = 0; from < CRN_N_DTYPES; from++) {
			kernel_case k = {.in = {(crn_dtype)from},
				.out = (crn_dtype)to,
				.n_in = 1,
				.single = -1,
				.row = {crn_casts_base.cast[to][from],
					crn_casts_avx2.cast[to][from],
					crn_casts_avx512.cast[to][from]}};
			snprintf(k.name, sizeof(k.name), "%s to %s",
				crn_dtype_name((crn_dtype)from), crn_dtype_name((crn_dtype)to));
			check(&k);
			if (to == CRN_BOOL)
				continue;
			k.row[0] = crn_casts_base.saturate[to][from];
			k.row[1] = crn_casts_avx2.saturate[to][from];
			k.row[2] = crn_casts_avx512.saturate[to][from];
			check(&k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_is_equal),
		cmocka_unit_test(numbers_beside_rows_are_equal),
		cmocka_unit_test(division_is_floor),
		cmocka_unit_test(remainder_is_exact),
		cmocka_unit_test(math_is_equal),
		cmocka_unit_test(casts_are_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * filter_kernels_test.c -- loops of filters against one-voxel-at-a-time formulas.
 *
 * Every instruction set of this machine, lengths around vector widths, rows at odd addresses, guard
 * bytes behind every output. Sums are compared to the bit: the formulas add in the documented
 * order.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/isa.h"
#include "kernels/bitmask.h"
#include "kernels/box_sums.h"
#include "kernels/correlate.h"
#include "kernels/float_windows.h"
#include "kernels/order.h"
#include "kernels/sample_cast.h"
#include "support/arrays.h"

enum { MAX_N = 300, MAX_TAPS = 300, GUARD = 64 };

static const int lengths[] = {
	0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 129, 200, 299};
#define EACH_LENGTH(n) \
	for (size_t li = 0, n; li < CRN_COUNT(lengths) && (n = (size_t)lengths[li], 1); li++)
#define EACH_ISA(isa) for (int isa = 0; isa <= (int)crn_isa_best(); isa++)

static crn_test_rng rng = {.state = 11};

static _Alignas(64) unsigned char input[1 << 16];
static _Alignas(64) unsigned char output[8 * MAX_N + 2 * GUARD];

/* An output row of the given bytes, one item off alignment, guarded behind. */
static void *begin_output(size_t item)
{
	memset(output, 0xa5, sizeof(output));
	return output + item;
}

static void end_output(size_t item, size_t n)
{
	for (size_t i = item + n * item; i < sizeof(output); i++)
		assert_int_equal(output[i], 0xa5);
	for (size_t i = 0; i < item; i++)
		assert_int_equal(output[i], 0xa5);
}

/* Taps at random places of the input, so that offset + n items stay inside; item-aligned. */
static void random_offsets(ptrdiff_t *offset, int n_taps, size_t item)
{
	for (int t = 0; t < n_taps; t++)
		offset[t] = (ptrdiff_t)crn_test_int(&rng, 0, 2000) * (ptrdiff_t)item;
}

/* ---- correlate ---- */

#define FORMULA(T, SUM) \
	static T correlate_##T##_##SUM(const char *base, const ptrdiff_t *offset, const SUM *w, \
		int n_weights, crn_tap_pairing pairing) \
	{ \
		SUM sum = (SUM) * (const T *)(base + offset[0]) * w[0]; \
		for (int k = 1; k < n_weights; k++) { \
			if (pairing == CRN_TAPS_PLAIN) { \
				sum += (SUM) * (const T *)(base + offset[k]) * w[k]; \
				continue; \
			} \
			SUM a = (SUM) * (const T *)(base + offset[2 * k - 1]); \
			SUM b = (SUM) * (const T *)(base + offset[2 * k]); \
			sum += (pairing == CRN_TAPS_SYMMETRIC ? a + b : a - b) * w[k]; \
		} \
		return (T)sum; \
	} \
	static void check_##T##_##SUM(const crn_correlate_loops *loops, crn_tap_pairing pairing) \
	{ \
		ptrdiff_t offset[MAX_TAPS]; \
		SUM w[9]; \
		random_offsets(offset, 17, sizeof(T)); \
		for (int k = 0; k < 9; k++) \
			w[k] = (SUM)(crn_test_unit(&rng) - 0.5); \
		const char *base = (const char *)input + sizeof(T); \
		EACH_LENGTH(n) \
		{ \
			crn_taps taps = {offset, w, 1 + (int)(n % 9), 0}; \
			T *out = begin_output(sizeof(T)); \
			loops->row[pairing](base, &taps, (int64_t)n, out); \
			for (size_t i = 0; i < n; i++) { \
				T want = correlate_##T##_##SUM( \
					base + i * sizeof(T), offset, w, taps.n_weights, pairing); \
				assert_memory_equal(&out[i], &want, sizeof(T)); \
			} \
			end_output(sizeof(T), n); \
		} \
	} \
	/* Two rows at once have the sums of each row alone. */ \
	static void check_two_##T##_##SUM( \
		const crn_correlate_loops *loops, crn_tap_pairing pairing) \
	{ \
		ptrdiff_t offset[17]; \
		SUM w[9]; \
		EACH_LENGTH(n) for (int r = 0; r < 9; r++) \
		{ \
			ptrdiff_t next = (ptrdiff_t)sizeof(T) * crn_test_int(&rng, 1, 350); \
			offset[0] = r * next; \
			w[0] = (SUM)(crn_test_unit(&rng) - 0.5); \
			for (int k = 1; k <= r; k++) { \
				offset[2 * k - 1] = (k - 1) * next; \
				offset[2 * k] = (2 * r - k + 1) * next; \
				w[k] = (SUM)(crn_test_unit(&rng) - 0.5); \
			} \
			crn_taps taps = {offset, w, r + 1, next}; \
			const char *base = (const char *)input + sizeof(T); \
			T second[MAX_N + 1]; \
			second[n] = 77; \
			T *out = begin_output(sizeof(T)); \
			loops->two[pairing](base, &taps, (int64_t)n, (void *[]){out, second}); \
			for (size_t i = 0; i < 2 * n; i++) { \
				const char *at = base + i / 2 * sizeof(T) + (i % 2 ? next : 0); \
				T want = correlate_##T##_##SUM(at, offset, w, r + 1, pairing); \
				assert_memory_equal( \
					i % 2 ? &second[i / 2] : &out[i / 2], &want, sizeof(T)); \
			} \
			end_output(sizeof(T), n); \
			assert_true(second[n] == 77); \
		} \
	}
FORMULA(float, float)
FORMULA(float, double)
FORMULA(double, double)

static void correlate_sums_in_the_documented_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(input) / 8; i++)
		((double *)(void *)input)[i] = crn_test_unit(&rng) * 200 - 100;
	EACH_ISA(isa)
	for (int pairing = 0; pairing < CRN_N_PAIRINGS; pairing++) {
		const crn_correlate_kernels *k = CRN_ISA_PICK(crn_correlate_table, isa);
		check_double_double(&k->f64, (crn_tap_pairing)pairing);
		if (pairing != CRN_TAPS_PLAIN)
			check_two_double_double(&k->f64, (crn_tap_pairing)pairing);
	}
	for (size_t i = 0; i < sizeof(input) / 4; i++)
		((float *)(void *)input)[i] = (float)(crn_test_unit(&rng) * 200 - 100);
	EACH_ISA(isa)
	for (int pairing = 0; pairing < CRN_N_PAIRINGS; pairing++) {
		const crn_correlate_kernels *k = CRN_ISA_PICK(crn_correlate_table, isa);
		check_float_float(&k->f32, (crn_tap_pairing)pairing);
		check_float_double(&k->f32w, (crn_tap_pairing)pairing);
		if (pairing == CRN_TAPS_PLAIN)
			continue;
		check_two_float_float(&k->f32, (crn_tap_pairing)pairing);
		check_two_float_double(&k->f32w, (crn_tap_pairing)pairing);
	}
}

/* Sums of different NaNs, and of opposite infinities, must not differ between levels. */
static void sums_give_one_nan(void **state)
{
	static const uint32_t odd[] = {0x7fc00001, 0xffc12345, 0x7f800000, 0xff800000};
	(void)state;
	ptrdiff_t offset[MAX_TAPS];
	float w[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
	float *in = (float *)(void *)input;
	for (size_t i = 0; i < sizeof(input) / 4; i++) {
		in[i] = 1;
		if (crn_test_u64(&rng) % 8 == 0)
			memcpy(&in[i], &odd[crn_test_u64(&rng) % 4], 4);
	}
	random_offsets(offset, 17, sizeof(float));
	EACH_ISA(isa)
	for (int pairing = 0; pairing < CRN_N_PAIRINGS; pairing++) {
		float out[199];
		uint32_t bits[199];
		int n_nan = 0;
		const crn_taps taps = {offset, w, 9, 0};
		CRN_ISA_PICK(crn_correlate_table, isa)
			->f32.row[pairing]((const char *)input, &taps, 199, out);
		memcpy(bits, out, sizeof(bits));
		for (int i = 0; i < 199; i++) {
			n_nan += isnan(out[i]);
			assert_true(!isnan(out[i]) || bits[i] == 0x7fc00000);
		}
		assert_true(n_nan > 20);
	}
}

/* ---- order ---- */

/* A key as a number of the same order. */
static int64_t key_at(crn_key k, const char *p)
{
	switch (k) {
	case CRN_KEY_8:
		return *(const uint8_t *)p;
	case CRN_KEY_16:
		return *(const int16_t *)p;
	case CRN_KEY_32:
		return *(const int32_t *)p;
	default:
		return *(const int64_t *)p;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static int64_t ranked(crn_key k, const char *p, const ptrdiff_t *offset, int n_taps, int rank)
{
	int64_t v[MAX_TAPS];
	for (int t = 0; t < n_taps; t++)
		v[t] = key_at(k, p + offset[t]);
	qsort(v, (size_t)n_taps, sizeof(*v), by_value);
	return v[rank];
}

/* Keys that are far apart, or near each other with many ties. */
static void fill_keys(crn_key k, bool near)
{
	for (size_t i = 0; i < sizeof(input) / 8; i++) {
		uint64_t v = crn_test_u64(&rng);
		memcpy(input + 8 * i, &v, 8);
	}
	size_t item = crn_key_size(k);
	for (size_t i = 0; near && i < sizeof(input) / item; i++) {
		int64_t v = 100 + (int64_t)(crn_test_u64(&rng) % 7);
		memcpy(input + i * item, &v, item);
	}
}

static void check_rank(const crn_order_kernels *table, crn_key k, int n_taps, int rank)
{
	ptrdiff_t offset[MAX_TAPS];
	size_t item = crn_key_size(k);
	const char *base = (const char *)input + item;
	random_offsets(offset, n_taps, item);
	EACH_LENGTH(n)
	{
		void *out = begin_output(item);
		if (rank == 0)
			table->min_taps[k](base, offset, n_taps, (int64_t)n, out);
		else if (rank == n_taps - 1)
			table->max_taps[k](base, offset, n_taps, (int64_t)n, out);
		else if (rank == n_taps / 2 && n_taps == 9)
			table->median_9[k](base, offset, n_taps, (int64_t)n, out);
		else if (rank == n_taps / 2 && n_taps == 25)
			table->median_25[k](base, offset, n_taps, (int64_t)n, out);
		else if (rank == n_taps / 2 && n_taps == 27)
			table->median_27[k](base, offset, n_taps, (int64_t)n, out);
		else
			table->rank[k](base, offset, n_taps, rank, (int64_t)n, out);
		/* Every output of short rows, a sample of long ones: sorting is slow. */
		for (size_t i = 0; i<n; i += n> 40 ? 7 : 1)
			assert_int_equal(key_at(k, (char *)out + i * item),
				ranked(k, base + i * item, offset, n_taps, rank));
		end_output(item, n);
	}
}

static void ranks_are_those_of_sorting(void **state)
{
	static const int taps_rank[][2] = {{1, 0}, {5, 0}, {6, 5}, {9, 4}, {25, 12}, {27, 13},
		{2, 1}, {9, 3}, {25, 7}, {81, 40}, {254, 253}, {254, 100}};
	(void)state;
	for (int k = 0; k < CRN_N_KEYS; k++)
		for (int near = 0; near < 2; near++) {
			fill_keys((crn_key)k, near);
			EACH_ISA(isa)
			for (size_t i = 0; i < CRN_COUNT(taps_rank); i++)
				check_rank(CRN_ISA_PICK(crn_order_table, isa), (crn_key)k,
					taps_rank[i][0], taps_rank[i][1]);
		}
}

static void pairs_of_keys(void **state)
{
	(void)state;
	for (int k = 0; k < CRN_N_KEYS; k++) {
		size_t item = crn_key_size((crn_key)k);
		fill_keys((crn_key)k, false);
		const char *a = (const char *)input + item, *b = a + 1000 * item;
		EACH_ISA(isa) EACH_LENGTH(n)
		{
			const crn_order_kernels *table = CRN_ISA_PICK(crn_order_table, isa);
			for (int greatest = 0; greatest < 2; greatest++) {
				char *out = begin_output(item);
				(greatest ? table->greatest : table->least)(
					(crn_key)k, a, b, (int64_t)n, out);
				for (size_t i = 0; i < n; i++) {
					int64_t x = key_at((crn_key)k, a + i * item);
					int64_t y = key_at((crn_key)k, b + i * item);
					assert_int_equal(key_at((crn_key)k, out + i * item),
						(greatest ? x > y : x < y) ? x : y);
				}
				end_output(item, n);
			}
		}
	}
}

/* Samples in ascending order must have ascending keys, and come back. */
static void keys_keep_the_order(void **state)
{
	static const float f32[] = {
		-INFINITY, -3e38f, -1, -1e-45f, -0.0f, 0, 1e-45f, 2, INFINITY, NAN};
	static const double f64[] = {
		-INFINITY, -1e308, -1, -5e-324, -0.0, 0, 5e-324, 2, INFINITY, NAN};
	static const int8_t i8[] = {-128, -127, -1, 0, 1, 127};
	static const uint8_t u8[] = {0, 1, 127, 128, 255};
	static const int16_t i16[] = {INT16_MIN, -256, -1, 0, 255, INT16_MAX};
	static const uint16_t u16[] = {0, 255, 256, 32767, 32768, 65535};
	static const int32_t i32[] = {INT32_MIN, -1, 0, INT32_MAX};
	static const uint32_t u32[] = {0, INT32_MAX, 1u + INT32_MAX, UINT32_MAX};
	static const int64_t i64[] = {INT64_MIN, -1, 0, INT64_MAX};
	static const uint64_t u64[] = {0, INT64_MAX, 1u + (uint64_t)INT64_MAX, UINT64_MAX};
	static const struct {
		crn_dtype dtype;
		const void *values;
		size_t n;
	} cases[] = {{CRN_F32, f32, 10}, {CRN_F64, f64, 10}, {CRN_I8, i8, 6}, {CRN_U8, u8, 5},
		{CRN_I16, i16, 6}, {CRN_U16, u16, 6}, {CRN_I32, i32, 4}, {CRN_U32, u32, 4},
		{CRN_I64, i64, 4}, {CRN_U64, u64, 4}};
	(void)state;
	EACH_ISA(isa)
	for (size_t c = 0; c < CRN_COUNT(cases); c++)
		for (int k = 0; k < CRN_N_KEYS; k++) {
			const crn_order_kernels *table = CRN_ISA_PICK(crn_order_table, isa);
			crn_dtype t = cases[c].dtype;
			char keys[80], back[80];
			if (!table->load[t][k])
				continue;
			table->load[t][k](cases[c].values, (int64_t)cases[c].n, keys);
			for (size_t i = 1; i < cases[c].n; i++)
				assert_true(
					key_at((crn_key)k,
						keys + (i - 1) * crn_key_size((crn_key)k)) <
					key_at((crn_key)k, keys + i * crn_key_size((crn_key)k)));
			table->store[t][k](keys, (int64_t)cases[c].n, back);
			/* The last float is NaN, of which any will do. */
			size_t n = cases[c].n - crn_dtype_is_float(t);
			assert_memory_equal(back, cases[c].values, n * crn_dtype_size(t));
			if (t == CRN_F32)
				assert_true(isnan(((float *)(void *)back)[n]));
			if (t == CRN_F64)
				assert_true(isnan(((double *)(void *)back)[n]));
		}
}

/* ---- bits ---- */

static int bit_at(const uint64_t *words, size_t i)
{
	return (int)(words[i / 64] >> (i % 64) & 1);
}

static void masks_pack_and_unpack(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = crn_test_u64(&rng) & 1;
	EACH_ISA(isa) EACH_LENGTH(n) for (int first = 0; first < 128; first++)
	{
		/* Every phase, plain and flipped; a row lies between a word before and one behind.
		 */
		const crn_bitmask_kernels *k = CRN_ISA_PICK(crn_bitmask_table, isa);
		uint64_t words[MAX_N / 64 + 4], before[MAX_N / 64 + 4];
		int phase = first / 2, flip = first % 2;
		uint64_t mask = flip ? ~(uint64_t)0 : 0;
		size_t end = (phase + n + 63) / 64;
		for (size_t i = 0; i < CRN_COUNT(words); i++)
			before[i] = words[i] = crn_test_u64(&rng);
		k->bits.pack(input + 1, (int64_t)n, mask, words + 1, phase);
		int64_t set = 0;
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(bit_at(words + 1, phase + i), input[1 + i] ^ flip);
			set += input[1 + i] ^ flip;
		}
		for (int i = 0; i < 64 + phase; i++)
			assert_int_equal(bit_at(words, (size_t)i), bit_at(before, (size_t)i));
		assert_true(words[1 + end] == before[1 + end]);
		uint8_t *out = begin_output(1);
		k->bits.unpack(words + 1, phase, (int64_t)n, mask, out);
		assert_memory_equal(out, input + 1, n);
		end_output(1, n);
		assert_int_equal(k->bits.count(words + 1, phase, (int64_t)n), set);
	}
}

static void bits_shift_and_meet(void **state)
{
	enum { WORDS = 75, AHEAD = 16 };
	(void)state;
	EACH_ISA(isa)
	for (int n = 1; n < WORDS; n += 1 + n / 7)
		for (int64_t j = 0; j < 300; j += 1 + j / 2) {
			const crn_bitmask_kernels *table = CRN_ISA_PICK(crn_bitmask_table, isa);
			uint64_t words[WORDS + AHEAD], copy[WORDS + AHEAD], out[2 * WORDS + 32];
			int64_t k = (j * 7 + 13) % 300;
			for (int i = 0; i < WORDS + AHEAD; i++)
				copy[i] = words[i] = crn_test_u64(&rng) | crn_test_u64(&rng);
			/* Two rows, the second from word 1 on; what lies behind them stays. */
			const crn_bit_rows rows = {.words = words,
				.n_rows = 2,
				.n_words = n,
				.stride = 1,
				.out_stride = n + j % 9};
			memset(out, 0xa5, sizeof(out));
			table->and_pair(&rows, j, k, out);
			for (size_t r = 0; r < 2; r++)
				for (size_t i = 0; i < (size_t)n * 64; i += 5)
					assert_int_equal(
						bit_at(out + r * (size_t)rows.out_stride, i),
						bit_at(words + r, i + (size_t)j) &
							bit_at(words + r, i + (size_t)k));
			for (size_t i = (size_t)(2 * rows.out_stride); i < CRN_COUNT(out); i++)
				assert_true(out[i] == 0xa5a5a5a5a5a5a5a5);
			table->and_shifted(words, n, j);
			for (size_t i = 0; i < (size_t)n * 64; i += 5)
				assert_int_equal(bit_at(words, i),
					bit_at(copy, i) & bit_at(copy, i + (size_t)j));
			assert_true(words[n] == copy[n]);
		}
}

/* Three links, two of which build on the one before; targets get none, one or two of them. */
static void chains_meet_in_their_targets(void **state)
{
	enum { WORDS = 140, AHEAD = 40, AT = 3 };
	static const crn_bit_link links[] = {{.n_rows = 2, .n_targets = 1, .fresh = true},
		{.n_rows = 3, .n_targets = 2}, {.n_rows = 1, .n_targets = 1, .fresh = true},
		{.n_rows = 0, .n_targets = 1}};
	(void)state;
	EACH_ISA(isa) for (int64_t n = 0; n < WORDS; n += 1 + n / 9)
	{
		uint64_t base[WORDS + AHEAD], a[WORDS + AT + 1], b[WORDS + AT + 1];
		uint64_t a_before[WORDS + AT + 1], b_before[WORDS + AT + 1];
		int64_t offset[6];
		uint64_t *const target[] = {a, a, b, b, b};
		for (int i = 0; i < WORDS + AHEAD; i++)
			base[i] = crn_test_u64(&rng) | crn_test_u64(&rng) | crn_test_u64(&rng);
		for (int i = 0; i < WORDS + AT + 1; i++) {
			a_before[i] = a[i] = crn_test_u64(&rng) | crn_test_u64(&rng);
			b_before[i] = b[i] = crn_test_u64(&rng) | crn_test_u64(&rng);
		}
		for (size_t k = 0; k < CRN_COUNT(offset); k++)
			offset[k] = crn_test_int(&rng, 0, AHEAD - 1);
		const crn_bit_chain chain = {
			.n_links = 4, .links = links, .offset = offset, .target = target};
		CRN_ISA_PICK(crn_bitmask_table, isa)->and_chain(&chain, base, AT, n);
		for (int64_t i = 0; i < WORDS + AT + 1; i++) {
			uint64_t first = ~(uint64_t)0, both = first, last = first;
			int64_t at = i - AT;
			if (at >= 0 && at < n) {
				first = base[offset[0] + at] & base[offset[1] + at];
				both = first & base[offset[2] + at] & base[offset[3] + at] &
				       base[offset[4] + at];
				last = base[offset[5] + at];
			}
			assert_true(a[i] == (a_before[i] & first & both));
			assert_true(b[i] == (b_before[i] & both & last));
		}
	}
}

/* ---- casts and float rows ---- */

static void casts_round_and_truncate(void **state)
{
	static const double in[] = {-3.5, -2.5, -0.5, 0.49, 0.5, 1.5, 2.5, 254.5, 255.5, 300, -300,
		1e10, 1e20, -1e20, NAN};
	static const uint8_t round_u8[] = {0, 0, 0, 0, 0, 2, 2, 254, 255, 255, 0, 255, 255, 0, 0};
	static const int8_t round_i8[] = {
		-4, -2, 0, 0, 0, 2, 2, 127, 127, 127, -128, 127, 127, -128, 0};
	/* Towards zero, then modulo 256; 1e10 is 0x2540be400; what int64 cannot hold has low bits
	 * 0. */
	static const uint8_t trunc_u8[] = {253, 254, 0, 0, 0, 1, 2, 254, 255, 44, 212, 0, 0, 0, 0};
	static const int64_t round_i64[] = {
		-4, -2, 0, 0, 0, 2, 2, 254, 256, 300, -300, 10000000000, INT64_MAX, INT64_MIN, 0};
	static const uint64_t round_u64[] = {
		0, 0, 0, 0, 0, 2, 2, 254, 256, 300, 0, 10000000000, UINT64_MAX, 0, 0};
	static const uint8_t round_bool[] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0};
	static const uint8_t nonzero[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	enum { N = sizeof(in) / sizeof(in[0]) };
	(void)state;
	EACH_ISA(isa)
	{
		const crn_sample_cast_kernels *k = CRN_ISA_PICK(crn_sample_cast_table, isa);
		const void *from[] = {in};
		uint64_t out[N];
		k->round[1][CRN_U8](NULL, N, out, from);
		assert_memory_equal(out, round_u8, sizeof(round_u8));
		k->round[1][CRN_I8](NULL, N, out, from);
		assert_memory_equal(out, round_i8, sizeof(round_i8));
		k->round[1][CRN_I64](NULL, N, out, from);
		assert_memory_equal(out, round_i64, sizeof(round_i64));
		k->round[1][CRN_U64](NULL, N, out, from);
		assert_memory_equal(out, round_u64, sizeof(round_u64));
		k->round[1][CRN_BOOL](NULL, N, out, from);
		assert_memory_equal(out, round_bool, sizeof(round_bool));
		k->truncate[1][CRN_U8](NULL, N, out, from);
		assert_memory_equal(out, trunc_u8, sizeof(trunc_u8));
		k->nonzero[CRN_F64](NULL, N, out, from);
		assert_memory_equal(out, nonzero, sizeof(nonzero));
	}
}

static void float_rows(void **state)
{
	(void)state;
	double *a = (double *)(void *)input;
	for (size_t i = 0; i < sizeof(input) / 8; i++)
		a[i] = crn_test_unit(&rng) * 20 - 10;
	const ptrdiff_t offset[] = {8, 160, 2400};
	const double height[] = {0.5, -1, 2};
	EACH_ISA(isa) EACH_LENGTH(n)
	{
		const crn_float_window_kernels *k = CRN_ISA_PICK(crn_float_window_table, isa);
		double *out = begin_output(8);
		k->least_minus((const char *)a, offset, height, 3, (int64_t)n, out);
		for (size_t i = 0; i < n; i++)
			assert_true(out[i] ==
				    fmin(fmin(a[1 + i] - 0.5, a[20 + i] + 1), a[300 + i] - 2));
		k->greatest_plus((const char *)a, offset, height, 3, (int64_t)n, out);
		for (size_t i = 0; i < n; i++)
			assert_true(out[i] ==
				    fmax(fmax(a[1 + i] + 0.5, a[20 + i] - 1), a[300 + i] + 2));
		end_output(8, n);
	}
}

/* Means of the greatest, least and random sums of every size are those of exact division. */
#define INTEGER_MEANS(id, T, LEAST_VALUE, GREATEST_VALUE) \
	static void means_of_##id(int isa, int64_t size) \
	{ \
		const crn_box_sum_loops *k = &CRN_ISA_PICK(crn_box_sum_table, isa)->of[id]; \
		int32_t sums[MAX_N]; \
		for (int64_t i = 0; i < MAX_N; i++) { \
			int64_t sum = \
				crn_test_int(&rng, size * (LEAST_VALUE), size * (GREATEST_VALUE)); \
			int64_t whole = sum / size * size; \
			sums[i] = (int32_t)(i % 3 == 0   ? sum \
					    : i % 3 == 1 ? whole \
							 : whole - (whole > 0)); \
		} \
		sums[0] = (int32_t)(size * (LEAST_VALUE)); \
		sums[1] = (int32_t)(size * (GREATEST_VALUE)); \
		T *out = begin_output(sizeof(T)); \
		k->mean(sums, size, MAX_N - 1, out); \
		for (int64_t i = 0; i < MAX_N - 1; i++) \
			assert_int_equal(out[i], (T)(sums[i] / size)); \
		end_output(sizeof(T), MAX_N - 1); \
		T *samples = (T *)(void *)input; \
		for (int64_t i = 0; i < MAX_N; i++) \
			samples[i] = (T)crn_test_u64(&rng); \
		k->load(samples + 1, MAX_N - 1, sums); \
		for (int64_t i = 0; i < MAX_N - 1; i++) \
			assert_int_equal(sums[i], samples[i + 1]); \
	}
INTEGER_MEANS(CRN_U8, uint8_t, 0, 255)
INTEGER_MEANS(CRN_I8, int8_t, -128, 127)
INTEGER_MEANS(CRN_U16, uint16_t, 0, 65535)
INTEGER_MEANS(CRN_I16, int16_t, -32768, 32767)

static void integer_means_are_exact(void **state)
{
	(void)state;
	EACH_ISA(isa)
	for (int64_t size = 1; size <= CRN_BOX_SUM_WIDEST; size += 1 + size / 9 * (size < 8000)) {
		means_of_CRN_U8(isa, size);
		means_of_CRN_I8(isa, size);
		means_of_CRN_U16(isa, size);
		means_of_CRN_I16(isa, size);
	}
}

static void sums_add_up(void **state)
{
	(void)state;
	double *a = (double *)(void *)input;
	for (size_t i = 0; i < sizeof(input) / 8; i++)
		a[i] = crn_test_unit(&rng) * 20 - 10;
	a[3] = NAN;
	EACH_ISA(isa) EACH_LENGTH(n)
	{
		const crn_box_sum_loops *k = &CRN_ISA_PICK(crn_box_sum_table, isa)->of[CRN_F64];
		const crn_box_sum_loops *narrow =
			&CRN_ISA_PICK(crn_box_sum_table, isa)->of[CRN_F32];
		double *out = begin_output(8);
		k->add(a + 1, a + 500, (int64_t)n, out);
		k->accumulate(out, a + 900, (int64_t)n);
		for (size_t i = 0; i < n; i++)
			assert_true(out[i] == (a[1 + i] + a[500 + i]) + a[900 + i] || i == 2);
		k->mean(a + 1, 7, (int64_t)n, out);
		for (size_t i = 0; i < n; i++)
			assert_true(out[i] == a[1 + i] / 7 || (i == 2 && isnan(out[i])));
		end_output(8, n);
		float *out_f32 = begin_output(4);
		narrow->mean(a + 1, 7, (int64_t)n, out_f32);
		for (size_t i = 0; i < n; i++)
			assert_true(out_f32[i] == (float)(a[1 + i] / 7) ||
				    (i == 2 && isnan(out_f32[i])));
		end_output(4, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(correlate_sums_in_the_documented_order),
		cmocka_unit_test(sums_give_one_nan),
		cmocka_unit_test(ranks_are_those_of_sorting),
		cmocka_unit_test(pairs_of_keys),
		cmocka_unit_test(keys_keep_the_order),
		cmocka_unit_test(masks_pack_and_unpack),
		cmocka_unit_test(bits_shift_and_meet),
		cmocka_unit_test(chains_meet_in_their_targets),
		cmocka_unit_test(casts_round_and_truncate),
		cmocka_unit_test(float_rows),
		cmocka_unit_test(integer_means_are_exact),
		cmocka_unit_test(sums_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

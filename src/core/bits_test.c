/* SPDX-License-Identifier: Apache-2.0
 *
 * bits_test.c -- rows of bits against one element at a time: every phase, lengths around words, and
 * nothing outside a row's words or elements changes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "builtin.h"
#include "core/bits.h"
#include "support/arrays.h"

enum { WORDS = 8 };

static crn_test_rng rng = {.state = 4};
static const int64_t lengths[] = {0, 1, 2, 31, 62, 63, 64, 65, 100, 127, 128, 129, 191, 193, 300};

static void fill(uint64_t *words)
{
	for (int i = 0; i < WORDS; i++)
		words[i] = crn_test_u64(&rng);
}

static bool bit(const uint64_t *words, int64_t i)
{
	return words[i / 64] >> (i % 64) & 1;
}

/* Bits of `now` outside [first, first + n) are those of `before`. */
static void check_kept(const uint64_t *before, const uint64_t *now, int64_t first, int64_t n)
{
	for (int64_t i = 0; i < WORDS * 64; i++)
		if (i < first || i >= first + n)
			assert_int_equal(bit(now, i), bit(before, i));
}

static bool element(const crn_view *v, const crn_rows *rows, int64_t i)
{
	const char *row = crn_rows_at(rows, v);
	int64_t at = i * v->stride[v->ndim - 1];
	return v->bits ? bit((const uint64_t *)row, v->first_bit + at) : row[at] != 0;
}

static void rows_are_copied_between_phases(void **state)
{
	(void)state;
	for (size_t l = 0; l < CRN_COUNT(lengths); l++)
		for (int pair = 0; pair < 64 * 64; pair += 1 + pair % 3) {
			int from_first = pair / 64, to_first = pair % 64;
			int64_t n = lengths[l];
			uint64_t from[WORDS], to[WORDS], before[WORDS];
			fill(from);
			fill(to);
			memcpy(before, to, sizeof(to));
			crn_bits_copy_row(from, from_first, n, to, to_first);
			for (int64_t i = 0; i < n; i++)
				assert_int_equal(bit(to, to_first + i), bit(from, from_first + i));
			check_kept(before, to, to_first, n);
		}
}

static void rows_move_to_phase_zero(void **state)
{
	(void)state;
	for (size_t l = 0; l < CRN_COUNT(lengths); l++)
		for (int first = 0; first < 64; first++) {
			int64_t n = lengths[l], words = crn_bits_words(0, n);
			uint64_t from[WORDS], to[WORDS], before[WORDS];
			fill(from);
			fill(to);
			memcpy(before, to, sizeof(to));
			crn_bits_shift_row(from, first, n, to);
			for (int64_t i = 0; i < words * 64; i++)
				assert_int_equal(bit(to, i), i < n && bit(from, first + i));
			check_kept(before, to, 0, words * 64);
		}
}

static void rows_are_filled(void **state)
{
	(void)state;
	for (size_t l = 0; l < CRN_COUNT(lengths); l++)
		for (int first = 0; first < 64; first++) {
			uint64_t row[WORDS], before[WORDS];
			fill(row);
			memcpy(before, row, sizeof(row));
			crn_bits_fill_row(row, first, lengths[l], first % 2);
			for (int64_t i = 0; i < lengths[l]; i++)
				assert_int_equal(crn_bits_get(row, first, i), first % 2);
			check_kept(before, row, first, lengths[l]);
		}
}

/* Buffers of two overlapping boxes: the common part is copied, at the same phase. */
static void parts_of_buffers_have_one_phase(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		crn_region a = {.ndim = 3, .step = {1, 1, 1}}, b = a;
		for (int d = 0; d < 3; d++) {
			a.lo[d] = crn_test_int(&rng, -5, 5) * (d == 2 ? 13 : 1);
			b.lo[d] = crn_test_int(&rng, -5, 5) * (d == 2 ? 13 : 1);
			a.n[d] = crn_test_int(&rng, 1, d == 2 ? 190 : 6);
			b.n[d] = crn_test_int(&rng, 1, d == 2 ? 190 : 6);
		}
		static uint64_t from[6 * 6 * 5], to[6 * 6 * 5];
		assert_true(crn_bits_bytes(&a) <= sizeof(from));
		for (size_t i = 0; i < CRN_COUNT(from); i++) {
			from[i] = crn_test_u64(&rng);
			to[i] = 0;
		}
		crn_region common = crn_region_within(&a, &b);
		if (crn_region_empty(&common))
			continue;
		crn_view va = crn_bits_dense(from, &a), vb = crn_bits_dense(to, &b);
		crn_view pa = crn_view_part(&va, &a, &common), pb = crn_view_part(&vb, &b, &common);
		assert_int_equal(pa.first_bit, pb.first_bit);
		assert_int_equal(pa.first_bit, (common.lo[2] % 64 + 64) % 64);
		crn_bits_fill(&vb, true);
		crn_bits_copy(&pb, &pa);
		crn_rows rows;
		for (crn_rows_begin(&rows, 3, vb.shape); !rows.end; crn_rows_next(&rows))
			for (int64_t x = 0; x < rows.n; x++) {
				int64_t at[3] = {
					b.lo[0] + rows.idx[0], b.lo[1] + rows.idx[1], b.lo[2] + x};
				bool inside = true;
				for (int d = 0; d < 3; d++)
					inside = inside && at[d] >= a.lo[d] &&
						 at[d] < a.lo[d] + a.n[d];
				bool want = true;
				if (inside) {
					int64_t row = (at[0] - a.lo[0]) * a.n[1] + at[1] - a.lo[1];
					want = crn_bits_get(from + row * va.stride[1] / 8,
						va.first_bit, at[2] - a.lo[2]);
				}
				assert_int_equal(
					crn_bits_get(crn_rows_at(&rows, &vb), vb.first_bit, x),
					want);
			}
	}
}

/* Every pairing of bytes and bits, rows together and apart. */
static void masks_change_their_form(void **state)
{
	(void)state;
	const crn_bits_kernels *k = crn_builtin_registry.bits[crn_isa_best()];
	for (int form = 0; form < 16; form++)
		for (int round = 0; round < 40; round++) {
			uint8_t bytes[2][3 * 3 * 200];
			uint64_t words[2][3 * 3 * 8];
			crn_view v[2];
			int64_t n = crn_test_int(&rng, 1, 60), shape[] = {3, 3, 3 * n};
			for (int s = 0; s < 2; s++) {
				crn_region r = crn_region_whole(3, shape), part = r;
				r.lo[2] = crn_test_int(&rng, 0, 63);
				for (size_t i = 0; i < sizeof(bytes[s]); i++)
					bytes[s][i] = crn_test_u64(&rng) & 1;
				for (size_t i = 0; i < CRN_COUNT(words[s]); i++)
					words[s][i] = crn_test_u64(&rng);
				v[s] = form >> s & 1 ? crn_bits_dense(words[s], &r)
						     : crn_view_dense(bytes[s], CRN_BOOL, 3, shape);
				/* Every third element, or the first third of them. */
				part.lo[2] = r.lo[2] + 1;
				part.n[2] = n;
				part.step[2] = form >> (s + 2) & 1 ? 3 : 1;
				crn_region_normalise(&part);
				part.lo[2] = r.lo[2] + (part.step[2] == 3 ? 1 : 2);
				v[s] = crn_view_part(&v[s], &r, &part);
			}
			crn_mask_copy(k, &v[0], &v[1]);
			crn_rows rows;
			for (crn_rows_begin(&rows, 3, v[0].shape); !rows.end; crn_rows_next(&rows))
				for (int64_t i = 0; i < n; i++)
					assert_int_equal(
						element(&v[0], &rows, i), element(&v[1], &rows, i));
		}
}

int main(void)
{
	print_message("seed 4\n");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_copied_between_phases),
		cmocka_unit_test(rows_move_to_phase_zero),
		cmocka_unit_test(rows_are_filled),
		cmocka_unit_test(parts_of_buffers_have_one_phase),
		cmocka_unit_test(masks_change_their_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

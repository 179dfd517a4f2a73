/* SPDX-License-Identifier: Apache-2.0
 *
 * label_measure_test.c -- counting by label against a plain array of counts: one or several
 * workers, tables that spill again and again, signed labels, and workers that go on from a
 * checkpoint.
 */
#include "ops/label_table.h"
#include "ops/global_test_services.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SPAN = 5000, WORKERS = 3, ROW_BYTES = 24 };

/* A row: label, count, and the greatest of some values. */
static void add_row(const crn_label_measure *m, char *a, const char *b)
{
	uint64_t *to = (uint64_t *)a;
	const uint64_t *from = (const uint64_t *)b;
	(void)m;
	to[1] += from[1];
	to[2] = from[2] > to[2] ? from[2] : to[2];
}

typedef struct truth {
	uint64_t count[2 * SPAN + 1], greatest[2 * SPAN + 1];
} truth;

static void feed(crn_test_rng *g, crn_label_table *t, int64_t n, bool is_signed, truth *want)
{
	cairn_error err = {0};
	for (int64_t i = 0; i < n; i++) {
		int64_t label = crn_test_int(g, is_signed ? -SPAN : 1, SPAN);
		uint64_t value = crn_test_u64(g);
		char *row;
		bool fresh;
		if (label == 0)
			continue;
		crn_assert_ok(crn_label_table_add(t, (uint64_t)label, &row, &fresh, &err));
		add_row(NULL, row, (const char *)(uint64_t[]){0, 1, value});
		want->count[SPAN + label]++;
		if (value > want->greatest[SPAN + label])
			want->greatest[SPAN + label] = value;
	}
}

/* Saves a table's bytes and makes a fresh one of them, as a resumed run does. */
static void reload(crn_label_measure *m, crn_label_table *t)
{
	cairn_error err = {0};
	crn_bytes span[CRN_MAX_SPANS];
	size_t n = 0, at = 0;
	int n_spans = crn_label_partial_save(m, 0, t, span);
	for (int k = 0; k < n_spans; k++)
		n += span[k].n;
	char *bytes = malloc(n);
	for (int k = 0; k < n_spans; at += span[k++].n)
		if (span[k].n)
			memcpy(bytes + at, span[k].data, span[k].n);
	crn_label_partial_done(m, 0, t);
	crn_label_partial_init(m, 0, t);
	assert_int_not_equal(crn_label_partial_load(m, 0, t, bytes, n - 1, &err), CAIRN_OK);
	crn_assert_ok(crn_label_partial_load(m, 0, t, bytes, n, &err));
	free(bytes);
}

static void check(const crn_label_measure *m, const truth *want, bool is_signed)
{
	cairn_error err = {0};
	const char *row;
	uint64_t i = 0;
	void *buffer = malloc(crn_label_buffer_bytes(m));
	crn_label_reader in;
	crn_label_reader_init(&in, m, buffer);
	for (int64_t label = is_signed ? -SPAN : 1; label <= SPAN; label++) {
		uint64_t count = want->count[SPAN + label];
		crn_assert_ok(crn_label_reader_find(&in, (uint64_t)label, &row, &err));
		assert_true((row != NULL) == (count > 0));
		if (!row)
			continue;
		assert_int_equal(((const uint64_t *)row)[1], count);
		assert_int_equal(((const uint64_t *)row)[2], want->greatest[SPAN + label]);
		if (m->for_look_up)
			continue;
		crn_assert_ok(crn_label_reader_row(&in, i++, &row, &err));
		assert_int_equal(*(const int64_t *)row, label);
	}
	assert_true(m->for_look_up || i == crn_label_n_rows(m));
	free(buffer);
}

static void run(crn_test_rng *g, size_t quota, bool is_signed, bool resumed, bool for_look_up)
{
	static truth want;
	cairn_error err = {0};
	services s = {0};
	crn_env env = {.engine = &s,
		.charge = charge,
		.spill = spill,
		.unspill = unspill,
		.quota_bytes = quota};
	crn_label_measure m = {.add_row = add_row, .for_look_up = for_look_up};
	crn_label_table t[WORKERS];
	memset(&want, 0, sizeof(want));
	crn_label_measure_init(&m, &env, is_signed ? CRN_I64 : CRN_U32, ROW_BYTES);
	for (int w = 0; w < WORKERS; w++) {
		crn_label_partial_init(&m, 0, &t[w]);
		feed(g, &t[w], crn_test_int(g, 0, 20000), is_signed, &want);
		if (resumed) {
			reload(&m, &t[w]);
			feed(g, &t[w], 5000, is_signed, &want);
		}
	}
	for (int w = 0; w < WORKERS; w++) {
		crn_assert_ok(crn_label_merge(&m, 0, &t[w], &err));
		crn_label_partial_done(&m, 0, &t[w]);
	}
	crn_assert_ok(crn_label_pass_end(&m, 0, &err));
	assert_true((m.table.head.n_pieces == 1) == (quota == 1));
	check(&m, &want, is_signed);
	crn_label_measure_done(&m);
	assert_int_equal(s.charged, 0);
	free(s.spilled);
}

static void test_counts(void **state)
{
	(void)state;
	const uint64_t seed = 42;
	printf("seed %llu\n", (unsigned long long)seed);
	crn_test_rng g = {seed};
	/* A quota of one byte leaves tables their first 64 slots: hundreds of pieces. */
	for (int k = 0; k < 16; k++)
		run(&g, k & 1, k & 2, k & 4, k & 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

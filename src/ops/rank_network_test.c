/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_network_test.c -- plans of all box sizes: they stay in their memory and find what sorting
 * finds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/isa.h"
#include "ops/rank_network.h"
#include "support/arrays.h"

static crn_test_rng rng = {.state = 1971};

static int by_value(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* The answer for output i, from samples[column][stretch + width - 1]. */
static uint8_t sorted_answer(
	const crn_rank_box *box, const uint8_t *samples, int64_t row, int64_t i)
{
	uint8_t v[CRN_RANK_NETWORK_MOST];
	int n = 0;
	for (int t = 0; t < box->column; t++)
		for (int x = 0; x < box->width; x++)
			v[n++] = samples[t * row + i + x];
	qsort(v, (size_t)n, 1, by_value);
	return v[box->rank];
}

static void check_inside(const crn_key_network *net, const crn_rank_box *box)
{
	int64_t memory = (int64_t)crn_rank_network_memory(box), row = net->row_bytes;
	for (int k = 0; k < net->n_steps; k++) {
		const crn_exchange *s = &net->steps[k];
		assert_true(s->a >= 0 && s->a + row <= memory && s->b >= 0 && s->b + row <= memory);
		assert_true(s->low >= 0 && s->low + row <= memory && s->low % row == 0);
		assert_true(s->high >= 0 && s->high + row <= memory && s->high % row == 0);
		assert_true(s->low != s->high);
	}
	for (int k = 0; k < net->n_pairs; k++)
		for (int side = 0; side < 2; side++)
			assert_true(
				net->pairs[k][side] >= 0 && net->pairs[k][side] + row <= memory);
}

static void check_box(int column, int width, int rank)
{
	crn_rank_box box = {.column = column, .width = width, .rank = rank, .item_size = 1};
	crn_key_network *net = NULL;
	assert_int_equal(crn_rank_network_new(&box, &net, NULL), CAIRN_OK);
	check_inside(net, &box);
	char *rows = malloc(crn_rank_network_memory(&box));
	int64_t row = net->row_bytes, stretch = crn_rank_network_stretch(&box);
	assert_true(stretch >= 1 && stretch + width - 1 <= row);
	uint8_t *samples = malloc((size_t)(column * row));
	int64_t spread = crn_test_int(&rng, 2, 255);
	for (int64_t i = 0; i < column * row; i++)
		samples[i] = (uint8_t)crn_test_int(&rng, 0, spread);
	for (int isa = 0; isa <= (int)crn_isa_best(); isa++) {
		memcpy(rows, samples, (size_t)(column * row));
		CRN_ISA_PICK(crn_order_table, isa)->network[CRN_KEY_8](net, rows);
		const uint8_t *found = (const uint8_t *)rows + net->found;
		const int64_t at[] = {0, stretch - 1, crn_test_int(&rng, 0, stretch - 1)};
		for (int i = 0; i < 3; i++)
			assert_int_equal(found[at[i]], sorted_answer(&box, samples, row, at[i]));
	}
	free(samples);
	free(rows);
	crn_free(net);
}

static void every_box_and_some_ranks(void **state)
{
	(void)state;
	print_message("seed %llu\n", (unsigned long long)rng.state);
	for (int column = 1; column <= CRN_RANK_NETWORK_MOST; column += 1 + column / 12)
		for (int width = 1; column * width <= CRN_RANK_NETWORK_MOST;
			width += 1 + width / 12) {
			int n = column * width;
			check_box(column, width, n / 2);
			check_box(column, width, (int)crn_test_int(&rng, 0, n - 1));
		}
}

/* Wider keys have other rows; their plans must stay inside as well. */
static void rows_of_wider_keys(void **state)
{
	(void)state;
	for (int column = 1; column <= CRN_RANK_NETWORK_MOST; column += 1 + column / 5)
		for (int width = 1; column * width <= CRN_RANK_NETWORK_MOST; width += 1 + width / 5)
			for (size_t item = 2; item <= 8; item *= 2) {
				crn_rank_box box = {column, width, column * width / 3, item};
				crn_key_network *net = NULL;
				assert_int_equal(crn_rank_network_new(&box, &net, NULL), CAIRN_OK);
				check_inside(net, &box);
				assert_true(crn_rank_network_stretch(&box) >= 1);
				crn_free(net);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_box_and_some_ranks),
		cmocka_unit_test(rows_of_wider_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

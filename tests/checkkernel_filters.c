/* SPDX-License-Identifier: Apache-2.0
 *
 * checkkernel_filters.c -- the kernels of filters for checkkernel: sums, orders and box sums.
 *
 * Taps lie as in a window: rows one after another for passes along y or z, next to each other for
 * x.
 */
#include "checkkernel.h"

#include "base/mem.h"
#include "kernels/box_sums.h"
#include "kernels/correlate.h"
#include "kernels/histogram_rank.h"
#include "kernels/order.h"
#include "ops/rank_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RADIUS = 24, MOST_TAPS = 343, ROW_ITEMS = 1100 };

/* ---- correlate ---- */

typedef struct correlate_case {
	int type, pairing, radius; /* type: f32, f32w, f64 */
	bool along_x, two;
} correlate_case;

static const crn_correlate_loops *loops_of(const correlate_case *c, crn_isa isa)
{
	const crn_correlate_kernels *k = CRN_ISA_PICK(crn_correlate_table, isa);
	return c->type == 0 ? &k->f32 : c->type == 1 ? &k->f32w : &k->f64;
}

static void run_correlate(const void *ctx, crn_isa isa, const char *in, int64_t n, char *out)
{
	const correlate_case *c = ctx;
	ptrdiff_t offset[2 * MOST_RADIUS + 1], item = c->type == 2 ? 8 : 4;
	ptrdiff_t next = c->along_x ? item : item * ROW_ITEMS;
	double wide[2 * MOST_RADIUS + 1];
	float narrow[2 * MOST_RADIUS + 1];
	int r = c->radius, plain = c->pairing == CRN_TAPS_PLAIN;
	for (int k = 0; k <= 2 * r; k++) {
		offset[k] = plain ? k * next : (k % 2 ? k / 2 : k ? 2 * r - k / 2 + 1 : r) * next;
		wide[k] = 1.0 / (k + 3);
		narrow[k] = (float)wide[k];
	}
	crn_taps taps = {
		offset, c->type == 0 ? (void *)narrow : wide, plain ? 2 * r + 1 : r + 1, next};
	const crn_correlate_loops *loops = loops_of(c, isa);
	if (c->two)
		loops->two[c->pairing](in, &taps, n / 2, (void *[]){out, out + n / 2 * item});
	else
		loops->row[c->pairing](in, &taps, n, out);
	if (c->two && n % 2)
		memset(out + (n - 1) * item, 0, (size_t)item);
}

static void check_correlate(crn_check_fn check)
{
	static const char *const types[] = {"float32", "float32 in float64", "float64"};
	static const char *const pairings[] = {"plain", "symmetric", "antisymmetric"};
	static const int radii[] = {1, 6, 24};
	for (int type = 0; type < 3; type++)
		for (int pairing = 0; pairing < CRN_N_PAIRINGS; pairing++)
			for (int i = 0; i < 9; i++) {
				correlate_case c = {
					type, pairing, radii[i / 3], i % 3 == 0, i % 3 == 2};
				char name[96];
				if (c.two && pairing == CRN_TAPS_PLAIN)
					continue;
				snprintf(name, sizeof(name), "%s %s %d %s", types[type],
					pairings[pairing], 2 * c.radius + 1,
					c.along_x ? "along x"
					: c.two   ? "two rows"
						  : "one row");
				size_t item = type == 2 ? 8 : 4;
				check(&(crn_check_case){.name = name,
					.in_size = item,
					.out_size = item,
					.floats = true,
					.run = run_correlate,
					.ctx = &c});
			}
}

/* ---- orders ---- */

typedef enum order { MIN_TAPS, MAX_TAPS, MEDIAN, RANK } order;

typedef struct order_case {
	crn_key key;
	order what;
	int n_taps;
} order_case;

static void run_order(const void *ctx, crn_isa isa, const char *in, int64_t n, char *out)
{
	const order_case *c = ctx;
	const crn_order_kernels *k = CRN_ISA_PICK(crn_order_table, isa);
	ptrdiff_t offset[MOST_TAPS], item = (ptrdiff_t)crn_key_size(c->key);
	for (int t = 0; t < c->n_taps; t++)
		offset[t] = item * (t / 5 % 8 * ROW_ITEMS / 2 + t % 5);
	crn_tap_order_fn median = c->n_taps == 9    ? k->median_9[c->key]
				  : c->n_taps == 25 ? k->median_25[c->key]
						    : k->median_27[c->key];
	switch (c->what) {
	case MIN_TAPS:
		k->min_taps[c->key](in, offset, c->n_taps, n, out);
		break;
	case MAX_TAPS:
		k->max_taps[c->key](in, offset, c->n_taps, n, out);
		break;
	case MEDIAN:
		median(in, offset, c->n_taps, n, out);
		break;
	case RANK:
		k->rank[c->key](in, offset, c->n_taps, c->n_taps / 3, n, out);
		break;
	}
}

static void check_orders(crn_check_fn check)
{
	static const char *const names[] = {"least of", "greatest of", "median of", "rank of"};
	static const order_case cases[] = {{0, MIN_TAPS, 81}, {0, MAX_TAPS, 81}, {0, MEDIAN, 9},
		{0, MEDIAN, 25}, {0, MEDIAN, 27}, {0, RANK, 81}};
	for (int key = 0; key < CRN_N_KEYS; key++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			order_case c = cases[i];
			char name[96];
			c.key = (crn_key)key;
			snprintf(name, sizeof(name), "%s %d, %d-bit keys", names[c.what], c.n_taps,
				8 << key);
			check(&(crn_check_case){.name = name,
				.in_size = crn_key_size(c.key),
				.out_size = crn_key_size(c.key),
				.run = run_order,
				.ctx = &c});
		}
}

/* ---- networks over rows ---- */

typedef struct network_case {
	crn_rank_box box;
	crn_key key;
	crn_key_network *net;
	char *rows;
} network_case;

static void run_network(const void *ctx, crn_isa isa, const char *in, int64_t n, char *out)
{
	const network_case *c = ctx;
	for (int t = 0; t < c->box.column; t++)
		memcpy(c->rows + t * c->net->row_bytes, in + t * c->net->row_bytes,
			(size_t)c->net->row_bytes);
	CRN_ISA_PICK(crn_order_table, isa)->network[c->key](c->net, c->rows);
	memcpy(out, c->rows + c->net->found, (size_t)n * crn_key_size(c->key));
}

static void check_networks(crn_check_fn check)
{
	static const int boxes[][2] = {{7, 7}, {15, 15}, {25, 5}, {49, 7}};
	for (int key = 0; key < CRN_N_KEYS; key++)
		for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
			network_case c = {.key = (crn_key)key};
			char name[96];
			c.box = (crn_rank_box){.column = boxes[i][0],
				.width = boxes[i][1],
				.rank = boxes[i][0] * boxes[i][1] / 2,
				.item_size = crn_key_size(c.key)};
			if (crn_rank_network_new(&c.box, &c.net, NULL) != CAIRN_OK)
				abort();
			c.rows = calloc(1, crn_rank_network_memory(&c.box));
			snprintf(name, sizeof(name), "median of %d columns of %d, %d-bit",
				c.box.width, c.box.column, 8 << key);
			check(&(crn_check_case){.name = name,
				.in_size = crn_key_size(c.key),
				.out_size = crn_key_size(c.key),
				.fixed_n = crn_rank_network_stretch(&c.box),
				.run = run_network,
				.ctx = &c});
			free(c.rows);
			crn_free(c.net);
		}
}

/* ---- box sums ---- */

typedef struct sum_case {
	crn_dtype dtype;
	enum { LOAD, ADD, MEAN } what;
} sum_case;

static void run_sum(const void *ctx, crn_isa isa, const char *in, int64_t n, char *out)
{
	const sum_case *c = ctx;
	const crn_box_sum_loops *k = &CRN_ISA_PICK(crn_box_sum_table, isa)->of[c->dtype];
	if (c->what == LOAD)
		k->load(in, n, out);
	else if (c->what == ADD)
		k->add(in, in + 2000 * k->sum_size, n, out);
	else
		k->mean(in, 4096, n, out); /* of any int32 the mean of 4096 fits 20 bits */
}

static void check_sums(crn_check_fn check)
{
	static const char *const names[] = {"box load", "box add", "box mean"};
	for (int t = 0; t < CRN_N_DTYPES; t++)
		for (int what = LOAD; what <= MEAN; what++) {
			sum_case c = {(crn_dtype)t, what};
			char name[96];
			size_t sum = crn_box_sum_table_base.of[t].sum_size;
			size_t item = crn_dtype_size((crn_dtype)t);
			if (sum == 0)
				continue;
			snprintf(name, sizeof(name), "%s %s", names[what],
				crn_dtype_name((crn_dtype)t));
			check(&(crn_check_case){.name = name,
				.in_size = what == LOAD ? item : sum,
				.out_size = what == MEAN ? item : sum,
				.floats = crn_dtype_is_float((crn_dtype)t),
				.run = run_sum,
				.ctx = &c});
		}
}

/* ---- histograms ---- */

static void run_histogram(const void *ctx, crn_isa isa, const char *in, int64_t n, char *out)
{
	static crn_column_counts columns[1024];
	const int *width = ctx;
	const crn_histogram_kernels *k = CRN_ISA_PICK(crn_histogram_table, isa);
	crn_histogram_box box = {.width = *width, .rank = *width * 20 / 3, .flip = 0x80};
	memset(columns, 0, sizeof(columns));
	for (int r = 0; r < 21; r++)
		k->add(&box, (const uint8_t *)in + r * ROW_ITEMS, n + *width - 1, columns);
	k->remove(&box, (const uint8_t *)in, n + *width - 1, columns);
	k->find(&box, columns, n, (uint8_t *)out);
}

static void check_histograms(crn_check_fn check)
{
	static const int widths[] = {1, 4, 25};
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		char name[96];
		snprintf(name, sizeof(name), "histogram rank of %d x 20", widths[i]);
		check(&(crn_check_case){.name = name,
			.in_size = 1,
			.out_size = 1,
			.run = run_histogram,
			.ctx = &widths[i]});
	}
}

void crn_check_filters(crn_check_fn check)
{
	check_correlate(check);
	check_orders(check);
	check_networks(check);
	check_histograms(check);
	check_sums(check);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_network.c -- see rank_network.h.
 *
 * The plan is built on wires, each written once: wires 0..column-1 are the rows of the column,
 * exchange k writes wires column + 2 k (low) and column + 2 k + 1 (high). Then exchanges that lead
 * nowhere are dropped, and wires get rows, which are reused as soon as their last reader is done.
 */
#include "ops/rank_network.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

/* A wire read `shift` items further on. */
typedef struct ref {
	int wire, shift;
} ref;

typedef struct list {
	ref *at;
	int n;
} list;

typedef struct builder {
	int column;
	ref (*steps)[2]; /* what each exchange reads */
	int n_steps, most_steps;
	ref *arena; /* all lists and the working space of merges */
	int n_arena, most_arena;
	ref (*pairs)[2];
	int n_pairs;
} builder;

/* ---- sizes ---- */

static int64_t count_of(const crn_rank_box *box)
{
	return (int64_t)box->column * box->width;
}

/* Rows alive at a time: the lists merged and their result, at most twice the box, the column, one
 * for what nobody reads and one for the answer. */
static int64_t most_rows(const crn_rank_box *box)
{
	return 2 * count_of(box) + box->column + 2;
}

int crn_rank_network_row(const crn_rank_box *box)
{
	enum { LEAST = 128, MEMORY = 512 << 10 };
	int64_t bytes = LEAST;
	for (;; bytes *= 2) {
		int64_t items = bytes / (int64_t)box->item_size, outputs = items - box->width + 1;
		bool usable = 4 * outputs >= items, good = 4 * outputs >= 3 * items;
		if (good || (usable && 2 * bytes * most_rows(box) > MEMORY))
			return (int)bytes;
	}
}

int64_t crn_rank_network_stretch(const crn_rank_box *box)
{
	return crn_rank_network_row(box) / (int64_t)box->item_size - box->width + 1;
}

size_t crn_rank_network_memory(const crn_rank_box *box)
{
	/* One more row: shifted reads run past the end of the last one. */
	return (size_t)((most_rows(box) + 1) * crn_rank_network_row(box));
}

/* ---- sorting and merging ---- */

static ref *space(builder *b, int n)
{
	assert(b->n_arena + n <= b->most_arena);
	ref *at = b->arena + b->n_arena;
	b->n_arena += n;
	return at;
}

/* Both are read from where the earlier one lies. */
static void exchange(builder *b, ref x, ref y, ref *low, ref *high)
{
	int from = x.shift < y.shift ? x.shift : y.shift, k = b->n_steps++;
	assert(k < b->most_steps);
	b->steps[k][0] = (ref){x.wire, x.shift - from};
	b->steps[k][1] = (ref){y.wire, y.shift - from};
	*low = (ref){b->column + 2 * k, from};
	*high = (ref){b->column + 2 * k + 1, from};
}

/* Every second element of x from `first` on. */
static list every_second(builder *b, list x, int first)
{
	list half = {.n = (x.n - first + 1) / 2};
	half.at = space(b, half.n);
	for (int i = 0; i < half.n; i++)
		half.at[i] = x.at[first + 2 * i];
	return half;
}

static void merge(builder *b, list x, list y, ref *out)
{
	if (x.n == 0 || y.n == 0) {
		list all = x.n ? x : y;
		memcpy(out, all.at, (size_t)all.n * sizeof(*out));
		return;
	}
	if (x.n == 1 && y.n == 1) {
		exchange(b, x.at[0], y.at[0], &out[0], &out[1]);
		return;
	}
	int mark = b->n_arena, n = x.n + y.n;
	list even = {.n = (x.n + 1) / 2 + (y.n + 1) / 2}, odd = {.n = n - even.n};
	even.at = space(b, even.n);
	odd.at = space(b, odd.n);
	merge(b, every_second(b, x, 0), every_second(b, y, 0), even.at);
	merge(b, every_second(b, x, 1), every_second(b, y, 1), odd.at);
	out[0] = even.at[0];
	for (int i = 0; i < odd.n; i++) {
		if (i + 1 < even.n)
			exchange(b, odd.at[i], even.at[i + 1], &out[2 * i + 1], &out[2 * i + 2]);
		else
			out[2 * i + 1] = odd.at[i];
	}
	if (even.n == odd.n + 2)
		out[n - 1] = even.at[even.n - 1];
	b->n_arena = mark;
}

static void sort(builder *b, list x)
{
	if (x.n < 2)
		return;
	int mark = b->n_arena;
	list first = {x.at, x.n / 2}, second = {x.at + x.n / 2, x.n - x.n / 2};
	sort(b, first);
	sort(b, second);
	ref *out = space(b, x.n);
	merge(b, first, second, out);
	memcpy(x.at, out, (size_t)x.n * sizeof(*out));
	b->n_arena = mark;
}

/* x merged with y read `shift` items further on. */
static list merged(builder *b, list x, list y, int shift)
{
	list out = {space(b, x.n + y.n), x.n + y.n}, moved = {space(b, y.n), y.n};
	for (int i = 0; i < y.n; i++)
		moved.at[i] = (ref){y.at[i].wire, y.at[i].shift + shift};
	merge(b, x, moved, out.at);
	return out;
}

/* The pairs whose greatest are to be searched for the least; see the header. */
static void select_rank(builder *b, list x, list y, int shift, int rank)
{
	for (int i = 0; i <= x.n && i <= rank + 1; i++) {
		int j = rank + 1 - i;
		if (j > y.n)
			continue;
		ref first = i > 0 ? x.at[i - 1] : (ref){0, 0}, second = first;
		if (j > 0)
			second = (ref){y.at[j - 1].wire, y.at[j - 1].shift + shift};
		b->pairs[b->n_pairs][0] = i > 0 ? first : second;
		b->pairs[b->n_pairs++][1] = second;
	}
}

static void build(builder *b, const crn_rank_box *box)
{
	enum { POWERS = 12 };
	list power[POWERS] = {{space(b, box->column), box->column}};
	int top = 0; /* the greatest power of two below the width, or 1 */
	for (int i = 0; i < box->column; i++)
		power[0].at[i] = (ref){i, 0};
	sort(b, power[0]);
	for (; 2 << top < box->width; top++)
		power[top + 1] = merged(b, power[top], power[top], 1 << top);
	int first = 1 << top, at = 0;
	list rest = {NULL, 0};
	for (int k = top; k >= 0 && first < box->width; k--) {
		if (!((box->width - first) >> k & 1))
			continue;
		rest = at ? merged(b, rest, power[k], at) : power[k];
		at += 1 << k;
	}
	select_rank(b, power[top], rest, first, box->rank);
}

/* ---- from wires to rows ---- */

enum { UNUSED = -1, AT_END = 1 << 30 };

/* last[w]: the exchange that reads wire w last; UNUSED wires are nobody's. Returns how many
 * exchanges are left. */
static int find_last_uses(const builder *b, int *last)
{
	int n = 0;
	for (int w = 0; w < b->column + 2 * b->n_steps; w++)
		last[w] = UNUSED;
	for (int i = 0; i < b->n_pairs; i++)
		last[b->pairs[i][0].wire] = last[b->pairs[i][1].wire] = AT_END;
	for (int k = b->n_steps - 1; k >= 0; k--) {
		const int *out = &last[b->column + 2 * k];
		if (out[0] == UNUSED && out[1] == UNUSED)
			continue;
		n++;
		for (int side = 0; side < 2; side++) {
			int w = b->steps[k][side].wire;
			last[w] = last[w] == UNUSED ? k : last[w];
		}
	}
	return n;
}

typedef struct rows {
	int *of_wire, *free;
	int n_free, n_used;
	int sink; /* what nobody reads goes here */
} rows;

static int take_row(rows *r)
{
	return r->n_free ? r->free[--r->n_free] : r->n_used++;
}

/* Writes the exchanges that are left, in bytes, and the pairs. */
static void emit(
	const builder *b, const crn_rank_box *box, const int *last, rows *r, crn_key_network *net)
{
	int row = net->row_bytes, item = (int)box->item_size;
	crn_exchange *to = (crn_exchange *)(net + 1);
	for (int k = 0; k < b->n_steps; k++) {
		const int *out = &last[b->column + 2 * k];
		if (out[0] == UNUSED && out[1] == UNUSED)
			continue;
		const ref *in = b->steps[k];
		to->a = r->of_wire[in[0].wire] * row + in[0].shift * item;
		to->b = r->of_wire[in[1].wire] * row + in[1].shift * item;
		for (int side = 0; side < 2; side++)
			if (last[in[side].wire] == k && (side == 0 || in[1].wire != in[0].wire))
				r->free[r->n_free++] = r->of_wire[in[side].wire];
		for (int side = 0; side < 2; side++)
			r->of_wire[b->column + 2 * k + side] =
				out[side] == UNUSED ? r->sink : take_row(r);
		to->low = r->of_wire[b->column + 2 * k] * row;
		to->high = r->of_wire[b->column + 2 * k + 1] * row;
		to++;
	}
	int32_t(*pair)[2] = (int32_t(*)[2])to;
	for (int i = 0; i < b->n_pairs; i++)
		for (int side = 0; side < 2; side++) {
			ref in = b->pairs[i][side];
			pair[i][side] = r->of_wire[in.wire] * row + in.shift * item;
		}
	net->found = take_row(r) * row;
	net->steps = (const crn_exchange *)(net + 1);
	net->pairs = (const int32_t(*)[2])pair;
	net->n_pairs = b->n_pairs;
}

static cairn_status finish(
	const builder *b, const crn_rank_box *box, crn_key_network **ret, cairn_error *err)
{
	size_t wires = (size_t)b->column + 2 * (size_t)b->n_steps;
	CRN_FREE int *memory = crn_alloc(3 * wires * sizeof(int) + sizeof(int));
	if (!memory)
		return crn_fail_memory(err, "the plan of a rank filter", 3 * wires * sizeof(int));
	int *last = memory;
	rows r = {.of_wire = memory + wires, .free = memory + 2 * wires, .n_used = box->column};
	for (int i = 0; i < box->column; i++)
		r.of_wire[i] = i;
	r.sink = r.n_used++;
	int n_steps = find_last_uses(b, last);
	size_t bytes = sizeof(crn_key_network) + (size_t)n_steps * sizeof(crn_exchange) +
		       (size_t)b->n_pairs * 2 * sizeof(int32_t);
	crn_key_network *net = crn_alloc(bytes);
	if (!net)
		return crn_fail_memory(err, "the plan of a rank filter", bytes);
	*net = (crn_key_network){.n_steps = n_steps, .row_bytes = crn_rank_network_row(box)};
	emit(b, box, last, &r, net);
	assert(r.n_used <= most_rows(box));
	*ret = net;
	return CAIRN_OK;
}

cairn_status crn_rank_network_new(const crn_rank_box *box, crn_key_network **ret, cairn_error *err)
{
	int n = (int)count_of(box), depth = 1;
	while (1 << depth < n)
		depth++;
	/* A merge of n takes less than n * log2(n) / 2 exchanges; lists double, so all merges of
	 * one width together hold two boxes, and the sort of a column one more. */
	builder b = {.column = box->column,
		.most_steps = 2 * n * depth + box->column * depth * depth + 1,
		.most_arena = 24 * n + 64};
	size_t bytes = ((size_t)b.most_steps * 2 + (size_t)b.most_arena + (size_t)(n + 2) * 2) *
		       sizeof(ref);
	CRN_FREE ref *memory = crn_alloc(bytes);
	if (!memory)
		return crn_fail_memory(err, "the plan of a rank filter", bytes);
	b.steps = (ref(*)[2])memory;
	b.arena = memory + 2 * (size_t)b.most_steps;
	b.pairs = (ref(*)[2])(b.arena + b.most_arena);
	build(&b, box);
	return finish(&b, box, ret, err);
}

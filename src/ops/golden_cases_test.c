/* SPDX-License-Identifier: Apache-2.0
 *
 * golden_cases_test.c -- reader and runner of golden text files; see golden_cases_test.h. Test
 * code.
 *
 * Format: the head of tests/golden/elementwise/make_elementwise.py. Words are split by one space.
 */
#include "ops/golden_cases_test.h"

#include "base/mem.h"
#include "builtin.h"
#include "ops/view_build.h"
#include "support/arrays.h"
#include "support/eager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 24, MAX_ARRAYS = 160, MAX_LIST = 128 };

typedef struct named {
	char name[32];
	crn_node *node;
} named;

typedef struct golden {
	crn_graph *graph;
	named arrays[MAX_ARRAYS];
	int n_arrays, line;
	golden_counts counts;
	bool tiles;
} golden;

static void give_up(const golden *g, const char *why)
{
	fprintf(stderr, "golden file, line %d: %s\n", g->line, why);
	abort();
}

static int split(char *text, char **words, int max)
{
	int n = 0;
	for (char *save = NULL, *w = strtok_r(text, " \n", &save); w && n < max;
		w = strtok_r(NULL, " \n", &save))
		words[n++] = w;
	return n;
}

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* words: dtype, shape, hex. */
static crn_view parse_array(const golden *g, char **words)
{
	crn_dtype t;
	int64_t shape[CRN_MAX_NDIM];
	int ndim = 0;
	if (!crn_dtype_from_name(words[0], &t))
		give_up(g, "dtype");
	for (char *p = words[1]; *p && *p != '-'; p += *p == 'x')
		shape[ndim++] = strtoll(p, &p, 10);
	crn_view v = crn_test_array(t, ndim, shape);
	size_t n = crn_view_dense_bytes(t, ndim, shape);
	const char *hex = words[2];
	if (n > 0 && strlen(hex) != 2 * n)
		give_up(g, "length of the data");
	for (size_t i = 0; i < n; i++)
		((unsigned char *)v.data)[i] =
			(unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	return v;
}

static void add_array(golden *g, char **words)
{
	cairn_error err;
	CRN_TEST_ARRAY v = parse_array(g, words + 1);
	if (g->n_arrays == MAX_ARRAYS)
		give_up(g, "too many arrays");
	named *to = &g->arrays[g->n_arrays++];
	snprintf(to->name, sizeof(to->name), "%s", words[0]);
	if (crn_test_source(g->graph, &v, NULL, &to->node, &err) != CAIRN_OK)
		give_up(g, crn_test_error(&err));
}

static crn_node *find_array(const golden *g, const char *name)
{
	for (int i = 0; i < g->n_arrays; i++)
		if (strcmp(g->arrays[i].name, name) == 0)
			return g->arrays[i].node;
	give_up(g, name);
	return NULL;
}

/* ---- operands ---- */

static cairn_status parse_list(const golden *g, char *word, crn_value *ret, cairn_error *err)
{
	crn_node *nodes[MAX_LIST];
	int n = 0;
	for (char *save = NULL, *w = strtok_r(word, "(),", &save); w;
		w = strtok_r(NULL, "(),", &save))
		nodes[n++] = find_array(g, w + 1);
	CRN_TRY(crn_value_list(n, ret, err));
	for (int i = 0; i < n; i++)
		ret->list.items[i] = crn_value_node(crn_node_ref(nodes[i]));
	return CAIRN_OK;
}

static cairn_status parse_operand(const golden *g, char *word, crn_value *ret, cairn_error *err)
{
	if (strncmp(word, "(@", 2) == 0)
		return parse_list(g, word, ret, err);
	if (word[0] == '@') {
		*ret = crn_value_node(crn_node_ref(find_array(g, word + 1)));
		return CAIRN_OK;
	}
	if (strcmp(word, "1e999") == 0 || strcmp(word, "-1e999") == 0) {
		*ret = crn_value_float(strtod(word, NULL));
		return CAIRN_OK;
	}
	return crn_value_parse_literal(word, ret, err);
}

static void parse_bound(char **p, bool *has, int64_t *ret)
{
	*has = **p && **p != ',';
	if (*has)
		*ret = strtoll(*p, p, 10);
	if (**p == ',')
		(*p)++;
}

static crn_index_item parse_index(char *word)
{
	crn_index_item item = {.kind = CRN_INDEX_SLICE};
	char *p = word + 1;
	switch (word[0]) {
	case 'i':
		return (crn_index_item){.kind = CRN_INDEX_INT, .index = strtoll(p, NULL, 10)};
	case '.':
		return (crn_index_item){.kind = CRN_INDEX_ELLIPSIS};
	case 'n':
		return (crn_index_item){.kind = CRN_INDEX_NEWAXIS};
	default:
		parse_bound(&p, &item.has_start, &item.start);
		parse_bound(&p, &item.has_stop, &item.stop);
		parse_bound(&p, &item.has_step, &item.step);
		return item;
	}
}

/* words: op, operands. */
static cairn_status call(const golden *g, char **words, int n, crn_node **ret, cairn_error *err)
{
	if (strcmp(words[0], "index") == 0) {
		crn_index_item items[MAX_WORDS];
		for (int i = 2; i < n; i++)
			items[i - 2] = parse_index(words[i]);
		return crn_build_index(
			g->graph, find_array(g, words[1] + 1), items, n - 2, ret, err);
	}
	CRN_VALUE args = {0};
	CRN_VALUE result = {0};
	const crn_op *op = crn_op_find(&crn_builtin_registry, words[0]);
	if (!op)
		give_up(g, "no such op");
	CRN_TRY(crn_value_list(n - 1, &args, err));
	for (int i = 1; i < n; i++)
		CRN_TRY(parse_operand(g, words[i], &args.list.items[i - 1], err));
	CRN_TRY(crn_call_op(g->graph, op, args.list.items, n - 1, NULL, 0, &result, err));
	if (result.kind != CRN_V_NODE)
		give_up(g, "not an array");
	*ret = crn_node_ref(result.node);
	return CAIRN_OK;
}

/* ---- cases ---- */

/* exp, log and power are promised to 1.5 ulp, NumPy's to 1; all else is exact. */
static cairn_status compare(
	const char *op, const crn_view *got, const crn_view *want, cairn_error *err)
{
	bool inexact = strcmp(op, "exp") == 0 || strcmp(op, "log") == 0 || strcmp(op, "power") == 0;
	if (!inexact || !crn_dtype_is_float(want->dtype))
		return crn_test_compare(got, want, 0, 0, err);
	return want->dtype == CRN_F64 ? crn_test_compare(got, want, 5e-16, 1e-323, err)
				      : crn_test_compare(got, want, 1.3e-7, 3e-45, err);
}

static cairn_status run(const golden *g, char **words, int n_call, cairn_error *err)
{
	CRN_TEST_ARRAY want = parse_array(g, words + n_call + 1);
	CRN_NODE *node = NULL;
	CRN_TRY(call(g, words, n_call, &node, err));
	CRN_EAGER got = {0};
	CRN_TRY(crn_eager(node, &got, err));
	CRN_TRY(compare(words[0], &got, &want, err));
	if (!g->tiles)
		return CAIRN_OK;
	static const int64_t small[CRN_MAX_NDIM] = {2, 3, 2, 3, 2, 3, 2, 3};
	return crn_eager_check_tiles(node, small, err);
}

static void run_line(golden *g, char **words, int n)
{
	cairn_error err = {0};
	CRN_NODE *node = NULL;
	int n_call = 0;
	g->counts.n_cases++;
	if (strcmp(words[0], "fail") == 0) {
		if (call(g, words + 1, n - 1, &node, &err) == CAIRN_USAGE && err.message[0])
			return;
		fprintf(stderr, "line %d: %s must be refused\n", g->line, words[1]);
		g->counts.n_failures++;
		return;
	}
	while (n_call < n - 1 && strcmp(words[1 + n_call], "=") != 0)
		n_call++;
	if (run(g, words + 1, n_call, &err) == CAIRN_OK)
		return;
	fprintf(stderr, "line %d:", g->line);
	for (int i = 0; i < n_call; i++)
		fprintf(stderr, " %s", words[1 + i]);
	fprintf(stderr, ": %s\n", crn_test_error(&err));
	g->counts.n_failures++;
}

golden_counts golden_run(const char *file, bool tiles)
{
	golden g = {.tiles = tiles};
	char *line = NULL, *words[MAX_WORDS];
	size_t room = 0;
	FILE *f = fopen(file, "r");
	if (!f || crn_graph_new(&crn_builtin_registry, &g.graph, NULL) != CAIRN_OK)
		give_up(&g, "cannot be read");
	while (getline(&line, &room, f) > 0) {
		g.line++;
		int n = line[0] == '#' ? 0 : split(line, words, MAX_WORDS);
		if (n >= 5 && strcmp(words[0], "array") == 0)
			add_array(&g, words + 1);
		else if (n > 0)
			run_line(&g, words, n);
	}
	fclose(f);
	free(line);
	for (int i = 0; i < g.n_arrays; i++)
		crn_node_unref(g.arrays[i].node);
	crn_graph_unref(g.graph);
	return g.counts;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * graph_test.c -- hash-consing, lifetimes, refused types, every allocation failing, many threads.
 */
#include "core/node.h"

#include "base/mem.h"
#include "base/thread.h"
#include "core/op.h"
#include "core/registry.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

static const crn_op *const no_ops[] = {NULL};
static const crn_registry registry = {.ops = no_ops};

/* leaf(k): uint8 (k,); with k < 0 infer refuses. join(a, b): like a, shapes must agree. */
static cairn_status leaf_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	int64_t k = crn_node_arg(n, "k")->i;
	if (k == -1)
		return crn_fail(err, CAIRN_USAGE, "leaf: k must not be -1");
	const int64_t shape[] = {k};
	*ret = crn_type_make(CRN_F64, 1, shape);
	return CAIRN_OK;
}

static cairn_status join_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	*ret = n->in[0]->type;
	return CAIRN_OK;
}

static const crn_op leaf = {.name = "leaf",
	.kind = CRN_GENERATOR,
	.semver = 1,
	.params = (const crn_param[]){{.name = "k", .type = CRN_P_INT}, {.type = CRN_P_END}},
	.infer = leaf_infer};
static const crn_op join = {.name = "join",
	.kind = CRN_ELEMENTWISE,
	.semver = 1,
	.params = (const crn_param[]){{.name = "a", .type = CRN_P_ARRAY},
		{.name = "others", .type = CRN_P_ARRAYS}, {.type = CRN_P_END}},
	.infer = join_infer};

static cairn_status make_leaf(crn_graph *g, int64_t k, crn_node **ret, cairn_error *err)
{
	crn_value v = crn_value_int(k);
	return crn_node_new(g, &leaf, &v, ret, err);
}

static cairn_status make_join(
	crn_graph *g, crn_node *a, crn_node *b, crn_node **ret, cairn_error *err)
{
	crn_value item = {.kind = CRN_V_NODE, .node = b};
	crn_value args[] = {{.kind = CRN_V_NODE, .node = a},
		{.kind = CRN_V_LIST, .list = {.items = &item, .n = 1}}};
	return crn_node_new(g, &join, args, ret, err);
}

static crn_graph *new_graph(void)
{
	cairn_error err;
	crn_graph *g = NULL;
	crn_assert_ok(crn_graph_new(&registry, &g, &err));
	return g;
}

static void equal_nodes_are_one_node(void **state)
{
	cairn_error err;
	crn_graph *g = new_graph();
	CRN_NODE *a = NULL, *b = NULL, *c = NULL, *ab = NULL, *ab2 = NULL, *ba = NULL;
	crn_assert_ok(make_leaf(g, 5, &a, &err));
	crn_assert_ok(make_leaf(g, 5, &b, &err));
	crn_assert_ok(make_leaf(g, 6, &c, &err));
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	crn_assert_ok(make_join(g, a, c, &ab, &err));
	crn_assert_ok(make_join(g, b, c, &ab2, &err));
	crn_assert_ok(make_join(g, c, a, &ba, &err));
	assert_ptr_equal(ab, ab2);
	assert_ptr_not_equal(ab, ba);
	assert_int_equal(ab->n_in, 2);
	assert_ptr_equal(ab->in[0], a);
	assert_ptr_equal(ab->in[1], c); /* flattened out of the list */
	crn_graph_unref(g);             /* the nodes keep it */
}

static void versions_and_names_are_content(void **state)
{
	cairn_error err;
	crn_graph *g = new_graph();
	crn_op newer = leaf, renamed = leaf;
	newer.semver = 2;
	renamed.name = "leaf2";
	crn_value v = crn_value_int(5);
	CRN_NODE *a = NULL, *b = NULL, *c = NULL;
	crn_assert_ok(crn_node_new(g, &leaf, &v, &a, &err));
	crn_assert_ok(crn_node_new(g, &newer, &v, &b, &err));
	crn_assert_ok(crn_node_new(g, &renamed, &v, &c, &err));
	assert_false(crn_hash_equal(a->hash, b->hash));
	assert_false(crn_hash_equal(a->hash, c->hash));
	crn_graph_unref(g);
}

static void hashes_are_the_same_in_every_process(void **state)
{
	cairn_error err;
	crn_graph *g = new_graph(), *h = new_graph();
	CRN_NODE *a = NULL, *b = NULL;
	crn_assert_ok(make_leaf(g, 5, &a, &err));
	crn_graph_set_origin(h, "another name, line 7"); /* origin is not content */
	crn_assert_ok(make_leaf(h, 5, &b, &err));
	assert_true(crn_hash_equal(a->hash, b->hash));
	assert_string_equal(a->origin, "leaf");
	assert_string_equal(b->origin, "another name, line 7");
	crn_graph_unref(g);
	crn_graph_unref(h);
}

static void nodes_die_with_their_last_user(void **state)
{
	cairn_error err;
	crn_graph *g = new_graph();
	crn_node *a = NULL, *top = NULL;
	crn_assert_ok(make_leaf(g, 5, &a, &err));
	crn_assert_ok(make_join(g, a, a, &top, &err));
	assert_int_equal(a->refs, 3);
	crn_node_unref(a);
	crn_node_unref(top); /* frees both; the address sanitizer and the graph's assert watch */
	crn_assert_ok(make_leaf(g, 5, &a, &err));
	assert_int_equal(a->refs, 1);
	crn_node_unref(a);
	crn_node_unref(NULL);
	crn_graph_unref(g);
}

/* Thousands of nodes, freed in another order than made: growing, probing, closing gaps. */
static void the_table_survives_churn(void **state)
{
	enum { N = 3000 };
	static crn_node *nodes[N];
	cairn_error err;
	crn_test_rng rng = {5};
	crn_graph *g = new_graph();
	for (int i = 0; i < N; i++)
		crn_assert_ok(make_leaf(g, i, &nodes[i], &err));
	for (int turn = 0; turn < 20000; turn++) {
		int i = (int)crn_test_int(&rng, 0, N - 1);
		if (nodes[i]) {
			CRN_NODE *again = NULL;
			crn_assert_ok(make_leaf(g, i, &again, &err));
			assert_ptr_equal(again, nodes[i]);
			if (crn_test_u64(&rng) & 1) {
				crn_node_unref(nodes[i]);
				crn_node_unref(crn_steal(&again));
				nodes[i] = NULL;
			}
		} else {
			crn_assert_ok(make_leaf(g, i, &nodes[i], &err));
			assert_int_equal(nodes[i]->refs, 1);
		}
	}
	for (int i = 0; i < N; i++)
		crn_node_unref(nodes[i]);
	crn_graph_unref(g);
}

static void impossible_types_are_refused(void **state)
{
	cairn_error err;
	crn_graph *g = new_graph();
	crn_node *n = NULL;
	assert_int_equal(make_leaf(g, -1, &n, &err), CAIRN_USAGE);
	assert_string_equal(err.message, "leaf: k must not be -1");
	assert_int_equal(make_leaf(g, -7, &n, &err), CAIRN_USAGE);
	assert_non_null(strstr(err.message, "negative extent -7 on axis 0"));
	assert_int_equal(make_leaf(g, INT64_C(1) << 61, &n, &err), CAIRN_USAGE);
	assert_non_null(strstr(err.message, "2^63"));
	assert_null(n);
	crn_node *many[CRN_MAX_INPUTS + 1];
	crn_value items[CRN_MAX_INPUTS];
	for (int i = 0; i <= CRN_MAX_INPUTS; i++)
		crn_assert_ok(make_leaf(g, i, &many[i], &err));
	for (int i = 0; i < CRN_MAX_INPUTS; i++)
		items[i] = (crn_value){.kind = CRN_V_NODE, .node = many[i + 1]};
	crn_value args[] = {{.kind = CRN_V_NODE, .node = many[0]},
		{.kind = CRN_V_LIST, .list = {.items = items, .n = CRN_MAX_INPUTS}}};
	assert_int_equal(crn_node_new(g, &join, args, &n, &err), CAIRN_USAGE);
	assert_non_null(strstr(err.message, "input arrays"));
	for (int i = 0; i <= CRN_MAX_INPUTS; i++)
		crn_node_unref(many[i]);
	crn_graph_unref(g);
}

static cairn_status build_some(crn_node **ret, cairn_error *err)
{
	crn_graph *g = NULL;
	CRN_TRY(crn_graph_new(&registry, &g, err));
	CRN_NODE *a = NULL, *b = NULL, *ab = NULL;
	cairn_status status = make_leaf(g, 5, &a, err);
	if (status == CAIRN_OK)
		status = make_leaf(g, 6, &b, err);
	if (status == CAIRN_OK)
		status = make_join(g, a, b, &ab, err);
	if (status == CAIRN_OK)
		status = make_join(g, ab, a, ret, err);
	crn_graph_unref(g);
	return status;
}

static void building_survives_every_failure(void **state)
{
	cairn_error err;
	int fails = 0;
	for (bool failed = true; failed; fails += failed) {
		CRN_NODE *n = NULL;
		crn_mem_fail_after(fails);
		cairn_status status = build_some(&n, &err);
		failed = crn_mem_failed();
		assert_int_equal(status, failed ? CAIRN_FAILED : CAIRN_OK);
		assert_int_equal(n != NULL, !failed);
		if (failed)
			assert_non_null(strstr(err.message, "out of memory"));
	}
	assert_true(fails > 15);
}

/* Threads make, share and drop the same few nodes. */
typedef struct crew {
	crn_graph *g;
	_Atomic int failures;
} crew;

static void *make_and_drop(void *arg)
{
	crew *c = arg;
	cairn_error err;
	crn_test_rng rng = {(uintptr_t)&err};
	for (int turn = 0; turn < 4000; turn++) {
		CRN_NODE *a = NULL, *b = NULL, *ab = NULL;
		int64_t k = crn_test_int(&rng, 1, 6);
		if (make_leaf(c->g, k, &a, &err) != CAIRN_OK ||
			make_leaf(c->g, k + 1, &b, &err) != CAIRN_OK ||
			make_join(c->g, a, b, &ab, &err) != CAIRN_OK || a->type.shape[0] != k ||
			ab->in[0] != a || ab->in[1] != b)
			atomic_fetch_add(&c->failures, 1);
	}
	return NULL;
}

static void threads_share_nodes(void **state)
{
	cairn_error err;
	crew c = {.g = new_graph()};
	crn_thread t[4];
	for (int i = 0; i < 4; i++)
		crn_assert_ok(crn_thread_start(&t[i], make_and_drop, &c, &err));
	for (int i = 0; i < 4; i++)
		crn_thread_join(&t[i]);
	assert_int_equal(c.failures, 0);
	crn_graph_unref(c.g);
}

static void types_print(void **state)
{
	char text[256];
	const int64_t shape[] = {100, 400, 400};
	crn_type t = crn_type_make(CRN_F32, 3, shape);
	assert_string_equal(crn_type_format(&t, text), "float32 (100, 400, 400)");
	t = crn_type_make(CRN_BOOL, 1, shape);
	assert_string_equal(crn_type_format(&t, text), "bool (100,)");
	assert_int_equal(t.kind, CRN_MASK);
	t = crn_type_make(CRN_U8, 0, NULL);
	assert_string_equal(crn_type_format(&t, text), "uint8 ()");
	assert_int_equal(crn_type_count(&t), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_nodes_are_one_node),
		cmocka_unit_test(versions_and_names_are_content),
		cmocka_unit_test(hashes_are_the_same_in_every_process),
		cmocka_unit_test(nodes_die_with_their_last_user),
		cmocka_unit_test(the_table_survives_churn),
		cmocka_unit_test(impossible_types_are_refused),
		cmocka_unit_test(building_survives_every_failure),
		cmocka_unit_test(threads_share_nodes),
		cmocka_unit_test(types_print),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

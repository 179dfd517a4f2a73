/* SPDX-License-Identifier: Apache-2.0
 *
 * map_blocks_test.c -- commands as ops: identity, halo, other dtypes, what the environment says,
 * and commands that fail, write too little or too much, do not read, or answer before they have
 * read.
 */
#include "support/eager.h"

#include "base/mem.h"
#include "builtin.h"
#include "support/arrays.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static crn_graph *graph;

static crn_node *node_of(
	crn_dtype t, int ndim, const int64_t *shape, const char *text, crn_view *ret)
{
	cairn_error err = {0};
	crn_test_rng g = {7};
	crn_node *in = NULL, *n = NULL;
	*ret = crn_test_array(t, ndim, shape);
	crn_test_fill(&g, ret);
	crn_assert_ok(crn_test_source(graph, ret, NULL, &in, &err));
	crn_assert_ok(crn_test_call(graph, "map_blocks", &in, 1, text, &n, &err));
	crn_node_unref(in);
	return n;
}

static void check_same(crn_dtype t, int ndim, const int64_t *shape, const char *text)
{
	cairn_error err = {0};
	CRN_TEST_ARRAY want = {0};
	crn_node *n = node_of(t, ndim, shape, text, &want);
	CRN_EAGER got = {0};
	crn_assert_ok(crn_eager(n, &got, &err));
	assert_true(crn_test_same_bytes(&got, &want));
	const int64_t tile[CRN_MAX_NDIM] = {2, 5, 7};
	if (crn_view_dense_bytes(t, ndim, shape) < 1000)
		crn_assert_ok(crn_eager_check_tiles(n, tile, &err));
	crn_node_unref(n);
}

static void test_identity(void **state)
{
	check_same(CRN_F32, 3, (int64_t[]){3, 4, 9}, "'cat'");
	check_same(CRN_U8, 1, (int64_t[]){20}, "'tail -c +3 | head -c -2', halo=2");
	check_same(CRN_U8, 1, (int64_t[]){20}, "'tail -c +3 | head -c -2', halo=2, mode='wrap'");
	/* More than the pipes hold, both ways at once. */
	check_same(CRN_U16, 2, (int64_t[]){700, 1000}, "'cat'");
}

static void check_text(const char *text, const char *want)
{
	cairn_error err = {0};
	CRN_TEST_ARRAY in = {0};
	crn_node *n = node_of(CRN_I16, 2, (int64_t[]){2, 11}, text, &in);
	CRN_EAGER got = {0};
	crn_assert_ok(crn_eager(n, &got, &err));
	assert_memory_equal(got.data, want, 22);
	crn_node_unref(n);
}

static void test_environment(void **state)
{
	check_text("'printf \"%-22s\" \"$CAIRN_SHAPE $CAIRN_OFFSET\"', dtype='uint8', halo=(1, 2)",
		"4,15 0,0              ");
	check_text("'printf \"%-22s\" \"$CAIRN_DTYPE $CAIRN_HALO\"', dtype='bool', halo=(1, 2)",
		"int16 1,2             ");
}

static void check_failure(const char *text, const char *message)
{
	cairn_error err = {0};
	CRN_TEST_ARRAY in = {0};
	crn_node *n = node_of(CRN_U8, 2, (int64_t[]){300, 1000}, text, &in);
	CRN_EAGER got = {0};
	assert_int_equal(crn_eager(n, &got, &err), CAIRN_FAILED);
	if (!strstr(err.message, message))
		fail_msg("\"%s\" does not contain \"%s\"", err.message, message);
	crn_node_unref(n);
}

static void test_failures(void **state)
{
	check_failure("'echo first >&2; echo boom >&2; exit 3'", "exited with code 3: boom");
	check_failure("'no-such-command-here'", "exited with code 127");
	check_failure("'head -c 5'", "wrote 5 bytes, the block has 300000");
	check_failure("'cat; echo more'", "more than the 300000 bytes");
	check_failure("'true'", "wrote 0 bytes");
	check_failure("'kill -9 $$'", "killed by signal 9");
	check_failure("'yes'", "more than the 300000 bytes");
	check_failure("'seq 100000 >&2; exit 1'", "100000");
}

static int make_graph(void **state)
{
	cairn_error err = {0};
	return crn_graph_new(&crn_builtin_registry, &graph, &err) != CAIRN_OK;
}

static int drop_graph(void **state)
{
	crn_graph_unref(graph);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_failures),
	};
	return cmocka_run_group_tests(tests, make_graph, drop_graph);
}

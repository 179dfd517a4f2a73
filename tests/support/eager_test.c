/* SPDX-License-Identifier: Apache-2.0
 *
 * eager_test.c -- the eager driver against small ops of every kind whose answers are formulas, and
 * against ops that break the contract on purpose: each must be caught.
 */
#include "support/eager.h"

#include "base/mem.h"
#include "core/registry.h"
#include "support/arrays.h"
#include "support/eager_buffer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const crn_op *const no_ops[] = {NULL};
static const crn_registry registry = {.ops = no_ops};

/* ---- toy ops ---- */

static cairn_status same_type(const crn_node *n, crn_type *ret, cairn_error *err)
{
	*ret = n->in[0]->type;
	return CAIRN_OK;
}

static void add_row(const void *data, int64_t n, void *out, const void *const *in)
{
	const int32_t *a = in[0], *b = in[1];
	int32_t *to = out;
	for (int64_t i = 0; i < n; i++)
		to[i] = a[i] + 10 * b[i];
}

static cairn_status add_bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	ret->row = add_row;
	return CAIRN_OK;
}

#define TWO_ARRAYS \
	(const crn_param[]) \
	{ \
		{.name = "a", .type = CRN_P_ARRAY}, {.name = "b", .type = CRN_P_ARRAY}, \
		{ \
			.type = CRN_P_END \
		} \
	}
#define ARRAY_AND_INT \
	(const crn_param[]) \
	{ \
		{.name = "a", .type = CRN_P_ARRAY}, {.name = "k", .type = CRN_P_INT}, \
		{ \
			.type = CRN_P_END \
		} \
	}

static const crn_op add_op = {.name = "toy_add",
	.kind = CRN_ELEMENTWISE,
	.params = TWO_ARRAYS,
	.infer = same_type,
	.bind = add_bind};

/* out[i] = in[i - 2] + 2 * in[i + 1] along the last axis, border by argument k. */
static void pair_need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	int x = out->ndim - 1;
	ret->region = *out;
	ret->region.lo[x] -= 2;
	ret->region.n[x] = crn_region_last(out, x) - out->lo[x] + 4;
	ret->region.step[x] = 1;
	ret->border = (crn_border)crn_node_arg(n, "k")->i;
	ret->cval = crn_elem_from_int(n->in[0]->type.dtype, 100);
}

static cairn_status pair_compute(const crn_call *call, cairn_error *err)
{
	int x = call->out.ndim - 1;
	crn_rows rows;
	for (crn_rows_begin(&rows, call->out.ndim, call->out.shape); !rows.end;
		crn_rows_next(&rows)) {
		const int32_t *from = crn_rows_at(&rows, &call->in[0]);
		int32_t *to = crn_rows_at(&rows, &call->out);
		for (int64_t i = 0; i < rows.n; i++) {
			int64_t at = i * call->out_region.step[x];
			to[i] = from[at] + 2 * from[at + 3];
		}
	}
	return CAIRN_OK;
}

static const crn_op pair_op = {.name = "toy_pair",
	.kind = CRN_STENCIL,
	.params = ARRAY_AND_INT,
	.infer = same_type,
	.need = pair_need,
	.compute = pair_compute};

/* Reverses the last axis. */
static void flip_affine(const crn_node *n, crn_affine *ret)
{
	int x = n->type.ndim - 1;
	for (int d = 0; d <= x; d++) {
		ret->axis[d] = d;
		ret->step[d] = d == x ? -1 : 1;
		ret->start[d] = d == x ? n->type.shape[x] - 1 : 0;
	}
}

static const crn_op flip_op = {.name = "toy_flip",
	.kind = CRN_VIEW,
	.params = ARRAY_AND_INT,
	.infer = same_type,
	.affine = flip_affine};

/* Sum over axis 0, in int64 accumulators. */
static cairn_status sum_infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	*ret = crn_type_make(CRN_I64, in->ndim - 1, in->shape + 1);
	return CAIRN_OK;
}

static size_t sum_acc_bytes(const crn_node *n)
{
	return sizeof(int64_t);
}

static void sum_init(const crn_node *n, void *acc, int64_t n_elements)
{
	memset(acc, 0, (size_t)n_elements * sizeof(int64_t));
}

static void sum_fold(const crn_call *call, void *acc)
{
	const crn_view *in = &call->in[0];
	int64_t per_plane = 1, i = 0;
	for (int d = 1; d < in->ndim; d++)
		per_plane *= in->shape[d];
	crn_rows rows;
	for (crn_rows_begin(&rows, in->ndim, in->shape); !rows.end; crn_rows_next(&rows)) {
		const int32_t *from = crn_rows_at(&rows, in);
		for (int64_t x = 0; x < rows.n; x++, i++)
			((int64_t *)acc)[i % per_plane] += from[x];
	}
}

static void sum_merge(const crn_node *n, void *acc, const void *other, int64_t n_elements)
{
	for (int64_t i = 0; i < n_elements; i++)
		((int64_t *)acc)[i] += ((const int64_t *)other)[i];
}

static void sum_finish(const crn_node *n, const void *acc, int64_t n_elements, const crn_view *out)
{
	crn_view from = crn_view_dense((void *)(uintptr_t)acc, CRN_I64, out->ndim, out->shape);
	crn_view_copy(out, &from);
}

static void sum_project(const crn_node *n, const crn_region *in, crn_region *ret_out)
{
	ret_out->ndim = in->ndim - 1;
	for (int d = 0; d < ret_out->ndim; d++) {
		ret_out->lo[d] = in->lo[d + 1];
		ret_out->n[d] = in->n[d + 1];
		ret_out->step[d] = in->step[d + 1];
	}
}

static const crn_op sum_op = {.name = "toy_sum",
	.kind = CRN_REDUCTION,
	.params = ARRAY_AND_INT,
	.infer = sum_infer,
	.reduce = &(const crn_reduce){.acc_bytes = sum_acc_bytes,
		.init = sum_init,
		.fold = sum_fold,
		.merge = sum_merge,
		.finish = sum_finish,
		.project = sum_project}};

/* in - max(in): two passes' worth of a global op in one, the result region by region. */
static cairn_status top_begin(const crn_node *n, const crn_env *env, void **ret, cairn_error *err)
{
	int64_t *top = crn_alloc(sizeof(*top));
	if (!top)
		return crn_fail_memory(err, "a maximum", sizeof(*top));
	*top = INT64_MIN;
	*ret = top;
	return CAIRN_OK;
}

static int top_passes(const crn_node *n)
{
	return 1;
}

static size_t top_partial(const crn_node *n, int pass)
{
	return sizeof(int64_t);
}

static void top_partial_init(const void *state, int pass, void *partial)
{
	*(int64_t *)partial = INT64_MIN;
}

static cairn_status top_fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	crn_rows rows;
	for (crn_rows_begin(&rows, call->in[0].ndim, call->in[0].shape); !rows.end;
		crn_rows_next(&rows)) {
		const int32_t *from = crn_rows_at(&rows, &call->in[0]);
		for (int64_t x = 0; x < rows.n; x++)
			if (from[x] > *(int64_t *)partial)
				*(int64_t *)partial = from[x];
	}
	return CAIRN_OK;
}

static cairn_status top_merge(void *state, int pass, void *partial, cairn_error *err)
{
	if (*(int64_t *)partial > *(int64_t *)state)
		*(int64_t *)state = *(int64_t *)partial;
	return CAIRN_OK;
}

static void top_need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	ret->region = *out;
}

static cairn_status top_compute(const crn_call *call, cairn_error *err)
{
	crn_rows rows;
	for (crn_rows_begin(&rows, call->out.ndim, call->out.shape); !rows.end;
		crn_rows_next(&rows)) {
		const int32_t *from = crn_rows_at(&rows, &call->in[0]);
		int32_t *to = crn_rows_at(&rows, &call->out);
		for (int64_t x = 0; x < rows.n; x++)
			to[x] = (int32_t)(from[x] - *(const int64_t *)call->state);
	}
	return CAIRN_OK;
}

static const crn_op top_op = {.name = "toy_top",
	.kind = CRN_GLOBAL,
	.params = ARRAY_AND_INT,
	.infer = same_type,
	.need = top_need,
	.compute = top_compute,
	.global = &(const crn_global){.n_passes = top_passes,
		.begin = top_begin,
		.partial_bytes = top_partial,
		.partial_init = top_partial_init,
		.fold = top_fold,
		.merge = top_merge,
		.end = crn_free}};

/* ---- graphs over toys ---- */

typedef struct fixture {
	crn_graph *g;
	crn_node *a, *b; /* (4, 5, 7) of 10 * linear index; (7,) of 0..6 */
	crn_view av;
} fixture;

static int set_up(void **state)
{
	static fixture f;
	cairn_error err;
	const int64_t shape[] = {4, 5, 7}, unit[] = {3, 2, 4};
	crn_assert_ok(crn_graph_new(&registry, &f.g, &err));
	f.av = crn_test_array(CRN_I32, 3, shape);
	for (int i = 0; i < 140; i++)
		((int32_t *)f.av.data)[i] = 10 * i;
	crn_assert_ok(crn_test_source(f.g, &f.av, unit, &f.a, &err));
	CRN_TEST_ARRAY bv = crn_test_array(CRN_I32, 1, &shape[2]);
	for (int i = 0; i < 7; i++)
		((int32_t *)bv.data)[i] = i;
	crn_assert_ok(crn_test_source(f.g, &bv, NULL, &f.b, &err));
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	fixture *f = *state;
	crn_node_unref(f->a);
	crn_node_unref(f->b);
	crn_graph_unref(f->g);
	crn_test_array_free(&f->av);
	return 0;
}

static crn_node *toy(fixture *f, const crn_op *op, crn_node *a, int64_t k)
{
	cairn_error err;
	crn_node *n = NULL;
	crn_value args[] = {{.kind = CRN_V_NODE, .node = a}, crn_value_int(k)};
	if (op->params[1].type == CRN_P_ARRAY)
		args[1] = (crn_value){.kind = CRN_V_NODE, .node = f->b};
	crn_assert_ok(crn_node_new(f->g, op, args, &n, &err));
	return n;
}

/* Border indices of scipy 1.10: correlate1d of arange(n) with one-hot weights, index -9 first. */
static void borders_are_scipys(void **state)
{
	static const struct {
		int mode, n;
		const char *digits; /* '-' is the constant */
	} rows[] = {
		{CRN_BORDER_REFLECT, 1, "0000000000000000000"},
		{CRN_BORDER_REFLECT, 2, "00110011001100110011"},
		{CRN_BORDER_REFLECT, 3, "210012210012210012210"},
		{CRN_BORDER_REFLECT, 5, "12344321001234432100123"},
		{CRN_BORDER_MIRROR, 1, "0000000000000000000"},
		{CRN_BORDER_MIRROR, 2, "10101010101010101010"},
		{CRN_BORDER_MIRROR, 3, "101210121012101210121"},
		{CRN_BORDER_MIRROR, 5, "10123432101234321012343"},
		{CRN_BORDER_NEAREST, 2, "00000000001111111111"},
		{CRN_BORDER_NEAREST, 5, "00000000001234444444444"},
		{CRN_BORDER_WRAP, 2, "10101010101010101010"},
		{CRN_BORDER_WRAP, 3, "012012012012012012012"},
		{CRN_BORDER_WRAP, 5, "12340123401234012340123"},
		{CRN_BORDER_CONSTANT, 3, "---------012---------"},
	};
	for (size_t r = 0; r < CRN_COUNT(rows); r++)
		for (int i = 0; rows[r].digits[i]; i++) {
			int64_t want = rows[r].digits[i] == '-' ? -1 : rows[r].digits[i] - '0';
			assert_int_equal(eager_border_index(i - 9, rows[r].n, rows[r].mode), want);
		}
}

static void a_source_gives_its_values(void **state)
{
	fixture *f = *state;
	cairn_error err;
	CRN_EAGER got = {0};
	crn_assert_ok(crn_eager(f->a, &got, &err));
	crn_assert_ok(crn_test_compare(&got, &f->av, 0, 0, &err));
	const int64_t tile[] = {2, 3, 3};
	crn_assert_ok(crn_eager_check_tiles(f->a, tile, &err));
}

static void elementwise_broadcasts(void **state)
{
	fixture *f = *state;
	cairn_error err;
	CRN_NODE *n = toy(f, &add_op, f->a, 0);
	CRN_EAGER got = {0};
	crn_assert_ok(crn_eager(n, &got, &err));
	for (int i = 0; i < 140; i++)
		assert_int_equal(((int32_t *)got.data)[i], 10 * i + 10 * (i % 7));
	const int64_t tile[] = {3, 1, 2};
	crn_assert_ok(crn_eager_check_tiles(n, tile, &err));
}

static void stencils_see_their_border(void **state)
{
	fixture *f = *state;
	cairn_error err;
	for (int mode = CRN_BORDER_REFLECT; mode <= CRN_BORDER_CONSTANT; mode++) {
		CRN_NODE *n = toy(f, &pair_op, f->a, mode);
		CRN_EAGER got = {0};
		crn_assert_ok(crn_eager(n, &got, &err));
		for (int i = 0; i < 140; i++) {
			int64_t lo = eager_border_index(i % 7 - 2, 7, mode);
			int64_t hi = eager_border_index(i % 7 + 1, 7, mode);
			int64_t row = 10 * (i / 7 * 7);
			int64_t want =
				(lo < 0 ? 100 : row + 10 * lo) + 2 * (hi < 0 ? 100 : row + 10 * hi);
			assert_int_equal(((int32_t *)got.data)[i], want);
		}
		const int64_t tile[] = {4, 2, 3};
		crn_assert_ok(crn_eager_check_tiles(n, tile, &err));
	}
}

static void steps_reach_through_flips(void **state)
{
	fixture *f = *state;
	cairn_error err;
	CRN_NODE *pair = toy(f, &pair_op, f->a, CRN_BORDER_MIRROR);
	CRN_NODE *n = toy(f, &flip_op, pair, 0);
	CRN_EAGER whole = {0}, part = {0};
	crn_assert_ok(crn_eager(pair, &whole, &err));
	crn_region r = {.ndim = 3, .lo = {1, 0, 1}, .n = {2, 3, 3}, .step = {2, 2, 2}};
	crn_eager_options lazy = {.lazy = true, .tile = {1, 2, 2}};
	crn_assert_ok(crn_eager_region(n, &r, &lazy, &part, &err));
	for (int z = 0; z < 2; z++)
		for (int y = 0; y < 3; y++)
			for (int x = 0; x < 3; x++)
				assert_int_equal(((int32_t *)part.data)[(z * 3 + y) * 3 + x],
					((int32_t *)whole.data)[((1 + 2 * z) * 5 + 2 * y) * 7 + 6 -
								(1 + 2 * x)]);
}

static void reductions_add_up(void **state)
{
	fixture *f = *state;
	cairn_error err;
	CRN_NODE *n = toy(f, &sum_op, f->a, 0);
	CRN_EAGER got = {0};
	crn_assert_ok(crn_eager(n, &got, &err));
	assert_int_equal(got.ndim, 2);
	for (int i = 0; i < 35; i++)
		assert_int_equal(((int64_t *)got.data)[i], 10 * (4 * i + 35 * 6));
	const int64_t tile[] = {2, 3};
	crn_assert_ok(crn_eager_check_tiles(n, tile, &err));
}

static void global_ops_pass_over_everything(void **state)
{
	fixture *f = *state;
	cairn_error err;
	CRN_NODE *n = toy(f, &top_op, f->a, 0);
	CRN_EAGER got = {0};
	crn_assert_ok(crn_eager(n, &got, &err));
	for (int i = 0; i < 140; i++)
		assert_int_equal(((int32_t *)got.data)[i], 10 * i - 1390);
	const int64_t tile[] = {3, 2, 2};
	crn_assert_ok(crn_eager_check_tiles(n, tile, &err));
}

/* ---- ops that break a promise ---- */

static cairn_status long_row(const crn_call *call, cairn_error *err)
{
	CRN_TRY(pair_compute(call, err));
	int32_t *to = call->out.data;
	to[call->out.shape[call->out.ndim - 1]] = 1;
	return CAIRN_OK;
}

static cairn_status short_row(const crn_call *call, cairn_error *err)
{
	crn_call c = *call;
	c.out.shape[c.out.ndim - 1]--;
	return pair_compute(&c, err);
}

static cairn_status writes_input(const crn_call *call, cairn_error *err)
{
	*(int32_t *)call->in[0].data += 1;
	return pair_compute(call, err);
}

static cairn_status long_scratch(const crn_call *call, cairn_error *err)
{
	((char *)call->scratch)[call->scratch_bytes] = 1;
	return pair_compute(call, err);
}

static size_t some_scratch(const crn_node *n, const crn_region *out)
{
	return 24;
}

static void knows_tile(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	pair_need(n, input, out, ret);
	ret->cval = crn_elem_from_int(CRN_I32, out->n[0]); /* depends on how the output is cut */
}

static void broken_ops_are_caught(void **state)
{
	fixture *f = *state;
	cairn_error err;
	crn_op ops[6];
	for (size_t i = 0; i < CRN_COUNT(ops); i++)
		ops[i] = pair_op;
	ops[0].name = "toy_long", ops[0].compute = long_row;
	ops[1].name = "toy_short", ops[1].compute = short_row;
	ops[2].name = "toy_writes", ops[2].compute = writes_input;
	ops[3].name = "toy_scratch", ops[3].compute = long_scratch, ops[3].scratch = some_scratch;
	ops[4].name = "toy_none";
	ops[5].name = "toy_tile", ops[5].need = knows_tile;
	static const char *const said[] = {"outside its output", "uninitialised",
		"changed an input", "outside its scratch", "without a border", "differ from whole"};
	for (size_t i = 0; i < CRN_COUNT(ops); i++) {
		CRN_NODE *n = toy(f, &ops[i], f->a, i == 4 ? CRN_BORDER_NONE : CRN_BORDER_CONSTANT);
		const int64_t tile[] = {3, 3, 3};
		assert_int_equal(crn_eager_check_tiles(n, tile, &err), CAIRN_FAILED);
		assert_non_null(strstr(err.message, said[i]));
		assert_non_null(strstr(err.message, ops[i].name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(borders_are_scipys),
		cmocka_unit_test_setup_teardown(a_source_gives_its_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(elementwise_broadcasts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stencils_see_their_border, set_up, tear_down),
		cmocka_unit_test_setup_teardown(steps_reach_through_flips, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reductions_add_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(global_ops_pass_over_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(broken_ops_are_caught, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

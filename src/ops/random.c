/* SPDX-License-Identifier: Apache-2.0
 *
 * random.c -- uniform random numbers that depend on the seed and the voxel's position only.
 *
 * Number i in C order of the whole array is number i of the stream that random_kernels.h defines.
 */
#include "core/call.h"
#include "core/op.h"

#include "base/mem.h"
#include "kernels/random_kernels.h"

enum { SHAPE, SEED, DTYPE };

static crn_dtype dtype_of(const crn_value *args)
{
	crn_dtype t = CRN_F64;
	(void)crn_dtype_from_name(args[DTYPE].s, &t);
	return t;
}

static cairn_status build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	int64_t shape[CRN_MAX_NDIM];
	int ndim = args[SHAPE].kind == CRN_V_LIST ? args[SHAPE].list.n : 1;
	if (ndim > CRN_MAX_NDIM)
		return crn_fail(
			err, CAIRN_USAGE, "random: %d axes, the limit is %d", ndim, CRN_MAX_NDIM);
	CRN_TRY(crn_args_ints(&args[SHAPE], ndim, shape, "shape", err));
	if (args[SEED].i < 0)
		return crn_fail(err, CAIRN_USAGE, "random: seed must not be negative, got %lld",
			(long long)args[SEED].i);
	if (!crn_dtype_is_float(dtype_of(args))) {
		crn_fail(err, CAIRN_USAGE, "random: dtype must be float32 or float64, got %s",
			args[DTYPE].s);
		crn_hint(err, "for integers: (random(shape) * 256).astype(\"uint8\")");
		return CAIRN_USAGE;
	}
	CRN_VALUE extents = {0};
	CRN_TRY(crn_value_ints(shape, ndim, &extents, err));
	crn_value canonical[] = {extents, args[SEED], args[DTYPE]};
	crn_node *n;
	CRN_TRY(crn_node_new(g, self, canonical, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	int64_t shape[CRN_MAX_NDIM];
	const crn_value *list = &n->args[SHAPE];
	for (int d = 0; d < list->list.n; d++)
		shape[d] = list->list.items[d].i;
	*ret = crn_type_make(dtype_of(n->args), list->list.n, shape);
	return CAIRN_OK;
}

static double cost(const crn_node *n)
{
	return 1.5;
}

static cairn_status bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	crn_random_kernels *kernels = crn_alloc(sizeof(*kernels));
	if (!kernels)
		return crn_fail_memory(err, "random", sizeof(*kernels));
	*kernels = *CRN_ISA_PICK(crn_random, isa);
	*ret = (crn_bound){.data = kernels};
	return CAIRN_OK;
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	const crn_random_kernels *kernels = call->bound;
	const crn_type *t = &call->node->type;
	const crn_region *r = &call->out_region;
	uint64_t seed = (uint64_t)call->node->args[SEED].i;
	int x = t->ndim - 1;
	uint64_t step = x >= 0 ? (uint64_t)r->step[x] : 1;
	crn_rows rows;
	for (crn_rows_begin(&rows, call->out.ndim, call->out.shape); !rows.end;
		crn_rows_next(&rows)) {
		uint64_t first = 0;
		for (int d = 0; d < t->ndim; d++) {
			int64_t i = r->lo[d] + (d < x ? rows.idx[d] * r->step[d] : 0);
			first = first * (uint64_t)t->shape[d] + (uint64_t)i;
		}
		void *out = crn_rows_at(&rows, &call->out);
		if (t->dtype == CRN_F32)
			kernels->float32(seed, first, step, rows.n, out);
		else
			kernels->float64(seed, first, step, rows.n, out);
	}
	return CAIRN_OK;
}

static const crn_param params[] = {
	{"shape", CRN_P_INTS, NULL, "extents, slowest axis first", NULL},
	{"seed", CRN_P_INT, "0", "which stream of numbers, 0 or more", NULL},
	{"dtype", CRN_P_DTYPE, "'float64'", "float64 or float32", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_random = {
	.name = "random",
	.category = "input",
	.summary = "uniform random numbers in [0, 1)",
	.doc = "Philox4x32-10 by position: a voxel's number depends on the seed and its place in "
	       "the "
	       "array alone, so chunks and threads do not matter. float64 numbers are multiples of "
	       "2^-53, float32 numbers of 2^-24. The stream is not one of NumPy's.",
	.source = "numpy.random.Generator.random",
	.example = "random((4, 4), seed=1)",
	.kind = CRN_GENERATOR,
	.semver = 2,
	.params = params,
	.build = build,
	.infer = infer,
	.cost = cost,
	.bind = bind,
	.compute = compute,
};

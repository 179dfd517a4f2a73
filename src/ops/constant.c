/* SPDX-License-Identifier: Apache-2.0
 *
 * constant.c -- a small array written into the graph: numbers beside arrays, lists used as arrays.
 *
 * Internal: builders make these nodes with crn_build_constant(). A 0-d constant stands for a number
 * that the engine repeats along a block once.
 */
#include "core/op.h"

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_const *c = n->args[0].c;
	*ret = crn_type_make(c->dtype, c->ndim, c->shape);
	return CAIRN_OK;
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	const crn_const *c = call->node->args[0].c;
	crn_view all = crn_const_view(c);
	crn_region whole = crn_region_whole(c->ndim, c->shape);
	crn_view part = crn_view_part(&all, &whole, &call->out_region);
	crn_view_copy(&call->out, &part);
	return CAIRN_OK;
}

static const crn_param params[] = {
	{"value", CRN_P_CONST, NULL, "the array", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_constant = {
	.name = "constant",
	.category = "input",
	.summary = "a small array held in the graph",
	.source = "cairn",
	.kind = CRN_GENERATOR,
	.internal = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.compute = compute,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * pad.c -- arrays made larger, with numpy.pad's modes constant, reflect, symmetric, edge and wrap.
 *
 * The node asks for its output region moved into the input's coordinates; what sticks out is made
 * by the engine's borders (NumPy's symmetric is our REFLECT, reflect is MIRROR, edge NEAREST), so
 * computing is a copy. wrap is built from slices and joins instead (join_build.h).
 */
#include "core/op.h"

#include "base/mem.h"
#include "ops/join_build.h"

#include <string.h>

enum { ARRAY, PAD_WIDTH, MODE, CONSTANT };

extern const crn_op crn_op_pad;

/* ---- the node; PAD_WIDTH is canonical: before and after of axis 0, of axis 1, ... ---- */

static int64_t width_of(const crn_node *n, int d, int side)
{
	return n->args[PAD_WIDTH].list.items[2 * d + side].i;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	*ret = n->in[0]->type;
	for (int d = 0; d < ret->ndim; d++) {
		int64_t before = width_of(n, d, 0);
		if (__builtin_add_overflow(ret->shape[d], before, &ret->shape[d]) ||
			__builtin_add_overflow(ret->shape[d], width_of(n, d, 1), &ret->shape[d]))
			return crn_fail(err, CAIRN_USAGE, "pad: axis %d would pass 2^63", d);
		ret->axes[d].translation -= (double)before * ret->axes[d].scale;
	}
	return CAIRN_OK;
}

static crn_border border_of(const char *mode)
{
	return strcmp(mode, "constant") == 0    ? CRN_BORDER_CONSTANT
	       : strcmp(mode, "symmetric") == 0 ? CRN_BORDER_REFLECT
	       : strcmp(mode, "reflect") == 0   ? CRN_BORDER_MIRROR
						: CRN_BORDER_NEAREST;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	*ret = (crn_need){.region = *out, .border = border_of(n->args[MODE].s)};
	for (int d = 0; d < out->ndim; d++)
		ret->region.lo[d] -= width_of(n, d, 0);
	(void)crn_value_to_elem(&n->args[CONSTANT], n->type.dtype, &ret->cval);
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	crn_view_copy(&call->out, &call->in[0]);
	return CAIRN_OK;
}

/* ---- building ---- */

static bool is_pair(const crn_value *v)
{
	return v->kind == CRN_V_LIST && v->list.n == 2 && v->list.items[0].kind == CRN_V_INT &&
	       v->list.items[1].kind == CRN_V_INT;
}

/* n, (before, after), ((before, after),) for all axes, or one pair per axis. */
static bool widths_of_axis(const crn_value *v, int ndim, int d, int64_t ret[2])
{
	if (v->kind == CRN_V_LIST && v->list.n == 1)
		return widths_of_axis(&v->list.items[0], ndim, d, ret);
	if (v->kind == CRN_V_LIST && !is_pair(v))
		return v->list.n == ndim && is_pair(&v->list.items[d]) &&
		       widths_of_axis(&v->list.items[d], ndim, d, ret);
	if (v->kind != CRN_V_INT && !is_pair(v))
		return false;
	ret[0] = v->kind == CRN_V_INT ? v->i : v->list.items[0].i;
	ret[1] = v->kind == CRN_V_INT ? v->i : v->list.items[1].i;
	return ret[0] >= 0 && ret[1] >= 0;
}

static cairn_status refuse_widths(int ndim, cairn_error *err)
{
	crn_fail(err, CAIRN_USAGE,
		"pad: pad_width must be a number, (before, after), or one such pair for each of "
		"the %d axes, none negative",
		ndim);
	crn_hint(err, "for example pad(x, ((0, 0), (5, 5)))");
	return CAIRN_USAGE;
}

static cairn_status refuse_constant(const crn_value *args, cairn_error *err)
{
	crn_fail(err, CAIRN_USAGE, "pad: constant_values does not fit the array's dtype %s",
		crn_dtype_name(args[ARRAY].node->type.dtype));
	crn_hint(err, "cast the array first, for example with .astype(\"float32\")");
	return CAIRN_USAGE;
}

static cairn_status build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_node *array = args[ARRAY].node, *n;
	int ndim = array->type.ndim;
	bool constant = strcmp(args[MODE].s, "constant") == 0, any = false;
	int64_t widths[CRN_MAX_NDIM][2], before[CRN_MAX_NDIM], after[CRN_MAX_NDIM];
	crn_elem e;
	for (int d = 0; d < ndim; d++) {
		if (!widths_of_axis(&args[PAD_WIDTH], ndim, d, widths[d]))
			return refuse_widths(ndim, err);
		before[d] = widths[d][0];
		after[d] = widths[d][1];
		bool grows = before[d] > 0 || after[d] > 0;
		any = any || grows;
		if (grows && !constant && array->type.shape[d] == 0)
			return crn_fail(err, CAIRN_USAGE,
				"pad: cannot extend empty axis %d with mode '%s'", d, args[MODE].s);
	}
	if (!any)
		return crn_value_copy(&args[ARRAY], ret, err);
	if (strcmp(args[MODE].s, "wrap") == 0) {
		CRN_TRY(crn_build_wrap_pad(g, array, before, after, &n, err));
		*ret = crn_value_node(n);
		return CAIRN_OK;
	}
	crn_value number = constant ? args[CONSTANT] : crn_value_int(0);
	if (!crn_value_to_elem(&number, array->type.dtype, &e))
		return refuse_constant(args, err);
	CRN_VALUE flat = {0};
	CRN_TRY(crn_value_ints(&widths[0][0], 2 * ndim, &flat, err));
	crn_value canonical[] = {args[ARRAY], flat, args[MODE], number};
	CRN_TRY(crn_node_new(g, self, canonical, &n, err));
	*ret = crn_value_node(n);
	return CAIRN_OK;
}

static const char *const modes[] = {"constant", "reflect", "symmetric", "edge", "wrap", NULL};

static const crn_param params[] = {
	{"array", CRN_P_ARRAY, NULL, "array", NULL},
	{"pad_width", CRN_P_ANY, NULL, "voxels: n, (before, after), or one pair per axis", NULL},
	{"mode", CRN_P_STR, "'constant'", "where the new voxels come from", modes},
	{"constant_values", CRN_P_NUMBER, "0", "value of new voxels in mode constant", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

const crn_op crn_op_pad = {
	.name = "pad",
	.category = "views",
	.summary = "an array made larger on its sides",
	.doc = "Modes as numpy.pad's: symmetric repeats the edge voxel (d c b a | a b c d), "
	       "reflect does not (d c b | a b c d), edge repeats it for ever, wrap continues "
	       "periodically.",
	.source = "numpy.pad",
	.example = "pad(ones((2, 3)), ((1, 1), (0, 2)), mode=\"edge\")",
	.kind = CRN_STENCIL,
	.semver = 1,
	.params = params,
	.build = build,
	.infer = infer,
	.need = need,
	.compute = compute,
};

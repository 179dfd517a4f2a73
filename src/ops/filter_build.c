/* SPDX-License-Identifier: Apache-2.0
 *
 * filter_build.c -- argument checks that filters share, and the internal op convert_samples.
 *
 * convert_samples carries a filter between the caller's dtype and the floats it works in, with the
 * ways of storing them that filters need (see kernels/sample_cast.h).
 */
#include "ops/filter_window.h"

#include "kernels/sample_cast.h"

#include <assert.h>
#include <string.h>

extern const crn_op crn_op_convert_samples;

cairn_status crn_filter_axis(int64_t axis, int ndim, const char *what, int *ret, cairn_error *err)
{
	if (axis < -ndim || axis >= ndim)
		return crn_fail(err, CAIRN_USAGE, "%s: axis %lld of an array with %d axes", what,
			(long long)axis, ndim);
	*ret = (int)(axis < 0 ? axis + ndim : axis);
	return CAIRN_OK;
}

cairn_status crn_filter_modes(const crn_value *v, int ndim, const char *ret[CRN_MAX_NDIM],
	const char *what, cairn_error *err)
{
	if (v->kind == CRN_V_LIST && v->list.n != ndim)
		return crn_fail(
			err, CAIRN_USAGE, "%s: %d modes for %d axes", what, v->list.n, ndim);
	for (int d = 0; d < ndim; d++) {
		const crn_value *one = v->kind == CRN_V_LIST ? &v->list.items[d] : v;
		ret[d] = one->kind == CRN_V_STR ? crn_border_canonical(one->s) : NULL;
		if (!ret[d]) {
			cairn_status status = crn_fail(err, CAIRN_USAGE, "%s: unknown mode \"%s\"",
				what, one->kind == CRN_V_STR ? one->s : "(not a text)");
			crn_hint(err, "use reflect, mirror, nearest, wrap or constant");
			return status;
		}
	}
	return CAIRN_OK;
}

crn_dtype crn_filter_float(crn_dtype t)
{
	return t == CRN_F64 || (crn_dtype_size(t) >= 4 && t != CRN_F32) ? CRN_F64 : CRN_F32;
}

bool crn_filter_cval(double cval, crn_dtype t, crn_elem *ret)
{
	if (crn_dtype_is_float(t)) {
		*ret = crn_elem_from_double(t, cval);
		return true;
	}
	if (!(cval >= (double)crn_dtype_min_int(t) && cval <= (double)crn_dtype_max_int(t)) ||
		cval >= 0x1p64 || (t == CRN_I64 && cval >= 0x1p63) || cval != __builtin_floor(cval))
		return false;
	*ret = cval < 0 ? crn_elem_from_int(t, (int64_t)cval)
			: crn_elem_from_uint(t, (uint64_t)cval);
	return true;
}

cairn_status crn_filter_convert(crn_graph *g, crn_node *input, crn_dtype to, const char *how,
	crn_node **ret, cairn_error *err)
{
	if (input->type.dtype == to) {
		*ret = crn_node_ref(input);
		return CAIRN_OK;
	}
	CRN_VALUE dtype = {0}, store = {0};
	CRN_TRY(crn_value_str(crn_dtype_name(to), &dtype, err));
	CRN_TRY(crn_value_str(how, &store, err));
	crn_value args[] = {{.kind = CRN_V_NODE, .node = input}, dtype, store};
	return crn_node_new(g, &crn_op_convert_samples, args, ret, err);
}

/* ---- convert_samples ---- */

static const char *const ways[] = {"exact", "round", "truncate", "nonzero", NULL};

static const crn_param params[] = {
	{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"dtype", CRN_P_DTYPE, NULL, "dtype of the result", NULL},
	{"how", CRN_P_STR, NULL, "how floats become integers", ways},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static crn_dtype dtype_of(const crn_node *n)
{
	crn_dtype t = CRN_F64;
	bool known = crn_dtype_from_name(n->args[1].s, &t);
	assert(known);
	(void)known;
	return t;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	(void)err;
	*ret = crn_type_with_dtype(&n->in[0]->type, dtype_of(n));
	return CAIRN_OK;
}

static cairn_status bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	const crn_sample_cast_kernels *k = CRN_ISA_PICK(crn_sample_cast_table, isa);
	crn_dtype from = n->in[0]->type.dtype, to = dtype_of(n);
	if (strcmp(n->args[2].s, "nonzero") == 0 && to == CRN_BOOL)
		ret->row = k->nonzero[from];
	else if (strcmp(n->args[2].s, "exact") == 0 && crn_dtype_is_float(to))
		ret->row = k->widen[from][to == CRN_F64];
	else if (!crn_dtype_is_float(from))
		return crn_fail(err, CAIRN_USAGE, "convert_samples: %s to %s is no filter's step",
			crn_dtype_name(from), crn_dtype_name(to));
	else if (strcmp(n->args[2].s, "round") == 0)
		ret->row = k->round[from == CRN_F64][to];
	else
		ret->row = k->truncate[from == CRN_F64][to];
	ret->data = NULL;
	return CAIRN_OK;
}

static double cost(const crn_node *n)
{
	(void)n;
	return 0.5;
}

const crn_op crn_op_convert_samples = {
	.name = "convert_samples",
	.category = "filters",
	.summary = "Carries samples between a filter's floats and the caller's dtype.",
	.kind = CRN_ELEMENTWISE,
	.internal = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.bind = bind,
	.cost = cost,
};

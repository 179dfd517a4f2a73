/* SPDX-License-Identifier: Apache-2.0
 *
 * api_print.c -- values of print() as text, as NumPy shows them: scalars bare, rows in brackets,
 * arrays over a thousand elements cut to three at each end of an axis.
 */
#include "api.h"

#include <string.h>

enum { CUT_ABOVE = 1000, EDGE = 3 };

static void print_element(const crn_view *v, const void *at, crn_str *out)
{
	crn_elem e = {{0}};
	char text[40];
	memcpy(e.bytes, at, crn_dtype_size(v->dtype));
	if (v->dtype == CRN_BOOL)
		crn_str_append(out, e.bytes[0] ? "True" : "False");
	else
		crn_str_append(out, crn_elem_format(v->dtype, e, text));
}

/* Recursion is as deep as the array has axes (at most 8). */
static void print_axis(const crn_view *v, int axis, int64_t *idx, bool cut, crn_str *out)
{
	if (axis == v->ndim) {
		print_element(v, crn_view_at(v, idx), out);
		return;
	}
	bool last = axis == v->ndim - 1;
	int64_t n = v->shape[axis];
	crn_str_append(out, "[");
	for (int64_t i = 0; i < n; i++) {
		if (i > 0 && last)
			crn_str_append(out, " ");
		for (int k = axis + 1; i > 0 && k < v->ndim; k++)
			crn_str_append(out, "\n");
		for (int k = 0; i > 0 && !last && k <= axis; k++)
			crn_str_append(out, " ");
		if (cut && n > 2 * EDGE && i == EDGE) {
			crn_str_append(out, "...");
			i = n - EDGE - 1;
			continue;
		}
		idx[axis] = i;
		print_axis(v, axis + 1, idx, cut, out);
	}
	crn_str_append(out, "]");
	idx[axis] = 0;
}

void crn_api_print_value(const crn_type *type, const crn_view *v, crn_str *out)
{
	int64_t idx[CRN_MAX_NDIM] = {0}, count = 0;
	(void)type;
	(void)crn_count(v->ndim, v->shape, &count);
	print_axis(v, 0, idx, count > CUT_ABOVE, out);
}

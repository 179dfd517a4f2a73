/* SPDX-License-Identifier: Apache-2.0
 *
 * reference_dump.c -- made-up calls with the naive reference's answers, one JSON object a line, for
 * tests/golden/reference/check.py to hold against NumPy, SciPy and scikit-image.
 *
 *	reference_dump CALLS_PER_ENTRY SEED
 */
#include "reference/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_array(const crn_view *v)
{
	size_t bytes = crn_view_dense_bytes(v->dtype, v->ndim, v->shape);
	printf("{\"dtype\": \"%s\", \"shape\": [", crn_dtype_name(v->dtype));
	for (int d = 0; d < v->ndim; d++)
		printf("%s%lld", d ? ", " : "", (long long)v->shape[d]);
	printf("], \"hex\": \"");
	for (size_t i = 0; i < bytes; i++)
		printf("%02x", ((const unsigned char *)v->data)[i]);
	printf("\"}");
}

static crn_view random_array(crn_test_rng *g, const crn_view *like)
{
	int ndim = like ? like->ndim : (int)crn_test_int(g, 1, 3);
	int64_t shape[CRN_MAX_NDIM];
	for (int d = 0; d < ndim; d++)
		shape[d] = like ? like->shape[d] : crn_test_int(g, 1, 7);
	crn_dtype t = (crn_dtype)crn_test_int(g, 0, CRN_N_DTYPES - 1);
	if (like && ref_one_in(g, 2))
		t = like->dtype;
	crn_view v = crn_test_array(t, ndim, shape);
	if (ref_one_in(g, 2))
		crn_test_fill(g, &v);
	else
		crn_test_fill_small(g, &v, (int)crn_test_int(g, 2, 12));
	return v;
}

static void print_call(const ref_op *op, const crn_view *in, const ref_call *c)
{
	CRN_TEST_ARRAY out = op->eval(in, c);
	printf("{\"name\": \"%s\", \"text\": \"%s\", \"as_list\": %s, \"rtol\": %g, \"atol\": %g, "
	       "\"before_rounding\": %s, \"in\": [",
		op->name, c->text, c->as_list ? "true" : "false", c->rtol, c->atol,
		c->before_rounding ? "true" : "false");
	for (int k = 0; k < op->n_in; k++) {
		printf(k ? ", " : "");
		print_array(&in[k]);
	}
	printf("], \"constant_name\": \"%s\", \"constant\": ",
		c->structure_name ? c->structure_name : "");
	if (c->structure_name) {
		crn_view s = crn_const_view(c->structure.c);
		print_array(&s);
	} else {
		printf("null");
	}
	printf(", \"out\": ");
	print_array(&out);
	printf("}\n");
}

static void dump_op(crn_test_rng *g, const ref_op *op, int n_calls)
{
	for (int done = 0, attempt = 0; done < n_calls && attempt < 100 * n_calls; attempt++) {
		crn_view in[REF_MAX_IN];
		ref_call c;
		memset(&c, 0, sizeof(c));
		for (int k = 0; k < op->n_in; k++)
			in[k] = random_array(g, k ? &in[0] : NULL);
		if (op->choose(g, in, &c)) {
			print_call(op, in, &c);
			done++;
		}
		crn_value_clear(&c.structure);
		for (int k = 0; k < op->n_in; k++)
			crn_test_array_free(&in[k]);
	}
}

int main(int argc, char **argv)
{
	static const ref_op *const tables[] = {ref_elementwise, ref_views, ref_filters,
		ref_morphology, ref_reductions, ref_measures};
	crn_test_rng g = {argc > 2 ? strtoull(argv[2], NULL, 0) : 1};
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const ref_op *op = tables[t]; op->name; op++)
			dump_op(&g, op, argc > 1 ? atoi(argv[1]) : 20);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * random_program.c -- making up, evaluating, checking and shrinking random pipelines.
 */
#include "property/random_program.h"

#include "base/mem.h"
#include "builtin.h"
#include "support/eager.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_VOXELS = 6000, ATTEMPTS = 60 };

/* ---- what was called ---- */

static struct {
	const char *name;
	int n;
} counts[256];

static void count_call(const char *name)
{
	for (size_t i = 0; i < CRN_COUNT(counts); i++) {
		if (!counts[i].name)
			counts[i].name = name;
		if (strcmp(counts[i].name, name) != 0)
			continue;
		counts[i].n++;
		return;
	}
}

int program_calls_of(const char *name)
{
	for (size_t i = 0; i < CRN_COUNT(counts) && counts[i].name; i++)
		if (strcmp(counts[i].name, name) == 0)
			return counts[i].n;
	return 0;
}

/* ---- making up ---- */

static void random_shape(crn_test_rng *g, int *ret_ndim, int64_t *shape)
{
	static const int64_t most[] = {0, 60, 24, 11, 6};
	int ndim = (int)crn_test_int(g, 1, 4);
	for (int d = 0; d < ndim; d++)
		shape[d] = ref_one_in(g, 5)    ? 1
			   : ref_one_in(g, 60) ? 0
					       : crn_test_int(g, 1, most[ndim]);
	/* Rows of several words of bits, now and then. */
	if (ndim > 1 && ref_one_in(g, 4))
		shape[ndim - 1] = crn_test_int(g, 60, 150);
	*ret_ndim = ndim;
}

/* A second source usually goes with the first: same shape, or some axes of length 1. */
static void related_shape(crn_test_rng *g, const crn_view *a, int *ret_ndim, int64_t *shape)
{
	bool same = ref_one_in(g, 2);
	int drop = same ? 0 : (int)crn_test_int(g, 0, a->ndim - 1);
	*ret_ndim = a->ndim - drop;
	for (int d = drop; d < a->ndim; d++)
		shape[d - drop] = !same && ref_one_in(g, 4) ? 1 : a->shape[d];
}

static void add_source(crn_test_rng *g, program *p)
{
	program_line *l = &p->line[p->n];
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	crn_dtype t = (crn_dtype)crn_test_int(g, 0, CRN_N_DTYPES - 1);
	if (p->n == 0 || ref_one_in(g, 4))
		random_shape(g, &ndim, shape);
	else
		related_shape(g, &p->line[0].value, &ndim, shape);
	if (p->n > 0 && ref_one_in(g, 3))
		t = p->line[0].value.dtype;
	l->value = crn_test_array(t, ndim, shape);
	if (ref_one_in(g, 2))
		crn_test_fill(g, &l->value);
	else
		crn_test_fill_small(g, &l->value, (int)crn_test_int(g, 2, 12));
	for (int d = 0; d < ndim; d++)
		l->unit[d] = crn_test_int(g, 1, shape[d] + 1);
	p->n++;
}

static const ref_op *random_op(crn_test_rng *g)
{
	static const ref_op *const tables[] = {ref_elementwise, ref_elementwise, ref_elementwise,
		ref_views, ref_views, ref_views, ref_filters, ref_filters, ref_morphology,
		ref_reductions, ref_measures};
	const ref_op *table = tables[crn_test_int(g, 0, CRN_COUNT(tables) - 1)];
	int n = 0;
	while (table[n].name)
		n++;
	return &table[crn_test_int(g, 0, n - 1)];
}

static bool known(const char *name)
{
	return crn_op_find(&crn_builtin_registry, name) || strcmp(name, "getitem") == 0;
}

/* Fills in op, inputs and arguments of line l; false if this attempt came to nothing. */
static bool make_up_call(crn_test_rng *g, program *p, program_line *l)
{
	crn_view in[REF_MAX_IN];
	l->op = random_op(g);
	if (!known(l->op->name))
		return false;
	for (int k = 0; k < l->op->n_in; k++) {
		/* Later lines are likelier, so that chains get long. */
		int at = (int)crn_test_int(g, 0, p->n - 1);
		l->in[k] = ref_one_in(g, 2) ? p->n - 1 : at;
		in[k] = p->line[l->in[k]].value;
		if (in[k].ndim > 4 || ref_count(&in[k]) > MAX_VOXELS)
			return false;
	}
	memset(&l->call, 0, sizeof(l->call));
	if (l->op->choose(g, in, &l->call))
		return true;
	crn_value_clear(&l->call.structure);
	return false;
}

/* ---- evaluating ---- */

static cairn_status build_line(program *p, program_line *l, cairn_error *err)
{
	if (!l->op)
		return crn_test_source(p->graph, &l->value, l->unit, &l->node, err);
	crn_node *in[REF_MAX_IN];
	for (int k = 0; k < l->op->n_in; k++)
		in[k] = p->line[l->in[k]].node;
	const crn_test_request r = {.name = l->op->name,
		.nodes = in,
		.n_nodes = l->op->n_in,
		.as_list = l->call.as_list,
		.text = l->call.text,
		.constant_name = l->call.structure_name,
		.constant = &l->call.structure};
	CRN_TRY(crn_test_make(p->graph, &r, &l->node, err));
	return crn_eager(l->node, &l->value, err);
}

/* Integer results against the unrounded float64 of the reference, held at the ends of the range. */
static cairn_status compare_unrounded(
	const crn_view *got, const crn_view *want, double atol, cairn_error *err)
{
	double low = (double)crn_dtype_min_int(got->dtype);
	double high = (double)crn_dtype_max_int(got->dtype);
	if (ref_count(got) != ref_count(want))
		return crn_fail(err, CAIRN_FAILED, "another number of values");
	for (int64_t at = 0; at < ref_count(got); at++) {
		double w = ref_float(want, at), g = ref_float(got, at);
		w = w < low ? low : w > high ? high : w;
		if (!(fabs(g - w) <= 0.5 + atol))
			return crn_fail(err, CAIRN_FAILED,
				"value %" PRId64 ": got %.17g, want %.17g rounded", at, g, w);
	}
	return CAIRN_OK;
}

static cairn_status check_line(program *p, program_line *l, cairn_error *err)
{
	crn_view in[REF_MAX_IN];
	for (int k = 0; k < l->op->n_in; k++)
		in[k] = p->line[l->in[k]].value;
	CRN_TEST_ARRAY want = l->op->eval(in, &l->call);
	cairn_status status =
		l->call.before_rounding && !crn_dtype_is_float(l->value.dtype)
			? compare_unrounded(&l->value, &want, l->call.atol, err)
			: crn_test_compare(&l->value, &want, l->call.rtol, l->call.atol, err);
	if (status != CAIRN_OK)
		crn_where(err, "against the reference");
	return status;
}

static cairn_status run_line(program *p, int i, cairn_error *err)
{
	program_line *l = &p->line[i];
	cairn_status status = build_line(p, l, err);
	if (status == CAIRN_OK && l->op)
		status = check_line(p, l, err);
	if (status != CAIRN_OK)
		p->failed = i;
	return status == CAIRN_OK ? CAIRN_OK : CAIRN_FAILED;
}

cairn_status program_make(uint64_t seed, program *p, cairn_error *err)
{
	crn_test_rng g = {seed * 7919 + 17};
	*p = (program){.seed = seed, .failed = -1};
	CRN_TRY(crn_graph_new(&crn_builtin_registry, &p->graph, err));
	int n_sources = (int)crn_test_int(&g, 1, 3), n_calls = (int)crn_test_int(&g, 2, 12);
	for (int i = 0; i < n_sources; i++) {
		add_source(&g, p);
		CRN_TRY(run_line(p, p->n - 1, err));
	}
	for (int attempt = 0; p->n < n_sources + n_calls && attempt < ATTEMPTS; attempt++) {
		if (!make_up_call(&g, p, &p->line[p->n]))
			continue;
		count_call(p->line[p->n].op->name);
		p->n++;
		CRN_TRY(run_line(p, p->n - 1, err));
	}
	memset(&p->line[p->n], 0, sizeof(p->line[0]));
	return CAIRN_OK;
}

static void forget(program *p)
{
	for (int i = 0; i < p->n; i++) {
		program_line *l = &p->line[i];
		crn_node_unref(l->node);
		l->node = NULL;
		if (l->op)
			crn_test_array_free(&l->value);
	}
	crn_graph_unref(p->graph);
	p->graph = NULL;
}

cairn_status program_again(program *p, cairn_error *err)
{
	forget(p);
	CRN_TRY(crn_graph_new(&crn_builtin_registry, &p->graph, err));
	for (int i = 0; i < p->n; i++)
		if (!p->line[i].dropped)
			CRN_TRY(run_line(p, i, err));
	return CAIRN_OK;
}

void program_done(program *p)
{
	forget(p);
	for (int i = 0; i < p->n; i++) {
		crn_value_clear(&p->line[i].call.structure);
		crn_test_array_free(&p->line[i].value);
	}
}

cairn_status program_check_tiles(program *p, cairn_error *err)
{
	crn_test_rng g = {p->seed + 99};
	for (int i = 0; i < p->n; i++) {
		const program_line *l = &p->line[i];
		int64_t tile[CRN_MAX_NDIM];
		if (l->dropped || !l->op || (i + 1 < p->n && !ref_one_in(&g, 4)))
			continue;
		for (int d = 0; d < l->node->type.ndim; d++)
			tile[d] = crn_test_int(&g, 1, l->node->type.shape[d] + 1);
		if (crn_eager_check_tiles(l->node, tile, err) != CAIRN_OK) {
			p->failed = i;
			return CAIRN_FAILED;
		}
	}
	return CAIRN_OK;
}

/* ---- shrinking ---- */

static bool still_fails(program *p, program_check check, cairn_error *err)
{
	cairn_error now;
	int failed = p->failed;
	cairn_status status = program_again(p, &now);
	if (status == CAIRN_OK && check)
		status = check(p, &now);
	if (status == CAIRN_OK) {
		p->failed = failed;
		return false;
	}
	*err = now;
	return true;
}

/* Lines the failing one does not reach are dropped. */
static void drop_unneeded(program *p)
{
	bool needed[PROGRAM_MAX] = {0};
	needed[p->failed] = true;
	for (int i = p->failed; i >= 0; i--)
		for (int k = 0; needed[i] && p->line[i].op && k < p->line[i].op->n_in; k++)
			needed[p->line[i].in[k]] = true;
	for (int i = 0; i < p->n; i++)
		p->line[i].dropped = !needed[i];
}

void program_shrink(program *p, program_check check, cairn_error *err)
{
	bool before[PROGRAM_MAX];
	for (int i = 0; i < p->n; i++)
		before[i] = p->line[i].dropped;
	drop_unneeded(p);
	if (!still_fails(p, check, err)) {
		for (int i = 0; i < p->n; i++)
			p->line[i].dropped = before[i];
		(void)still_fails(p, check, err);
		return;
	}
	for (int i = 0; i < p->failed; i++) {
		program_line *l = &p->line[i];
		if (l->dropped || !l->op || !l->value.data)
			continue;
		/* Its value becomes a source; back to a call if the failure goes away. */
		const ref_op *op = l->op;
		l->op = NULL;
		for (int d = 0; d < l->value.ndim; d++)
			l->unit[d] = l->value.shape[d] > 0 ? l->value.shape[d] : 1;
		if (still_fails(p, check, err)) {
			drop_unneeded(p);
			continue;
		}
		l->op = op;
		crn_test_array_free(&l->value);
		(void)still_fails(p, check, err);
	}
}

/* ---- printing ---- */

static void print_line(const program *p, int i, crn_str *out)
{
	const program_line *l = &p->line[i];
	char text[256];
	crn_str_appendf(out, "%c%c = ", i == p->failed ? '>' : ' ', 'a' + i);
	if (!l->op) {
		crn_type t = crn_type_make(l->value.dtype, l->value.ndim, l->value.shape);
		crn_str_appendf(out, "source %s\n", crn_type_format(&t, text));
		return;
	}
	crn_str_appendf(out, "%s(%s", l->op->name, l->call.as_list ? "[" : "");
	for (int k = 0; k < l->op->n_in; k++)
		crn_str_appendf(out, "%s%c", k ? ", " : "", 'a' + l->in[k]);
	crn_str_appendf(out, "%s%s%s", l->call.as_list ? "]" : "", l->call.text[0] ? ", " : "",
		l->call.text);
	if (l->call.structure_name) {
		const crn_const *c = l->call.structure.c;
		crn_view v = crn_const_view(c);
		crn_str_appendf(out, ", %s=", l->call.structure_name);
		crn_value_print(&l->call.structure, out);
		for (int64_t t = 0; t < crn_const_count(c) && t < 64; t++)
			crn_str_appendf(out, "%s%g", t ? " " : " [", ref_float(&v, t));
		crn_str_append(out, "]");
	}
	crn_str_append(out, ")");
	if (l->value.data) {
		crn_type t = crn_type_make(l->value.dtype, l->value.ndim, l->value.shape);
		crn_str_appendf(out, "   # %s", crn_type_format(&t, text));
	}
	crn_str_append(out, "\n");
}

void program_print(const program *p, crn_str *out)
{
	crn_str_appendf(out, "program of seed %" PRIu64 ":\n", p->seed);
	for (int i = 0; i < p->n; i++)
		if (!p->line[i].dropped)
			print_line(p, i, out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * edges.c -- the table of edges for explain. See edges.h. An inner tile of every piece stands for
 * all of its tiles, so this costs O(nodes) like the plan itself.
 */
#include "plan/edges.h"

#include "base/mem.h"
#include "plan/dump.h"
#include "plan/masks.h"
#include "plan/need.h"

#include <string.h>

typedef struct table {
	const crn_plan *plan;
	crn_edge *edges;
	int n;
	double *made_ns; /* per info: making one voxel, back to what is kept */
} table;

const char *crn_edge_name(crn_edge_kind kind)
{
	static const char *const names[] = {
		"program", "view", "fused", "box", "cut", "result", "fold"};
	return names[kind];
}

static double needed(const crn_plan *p, int info)
{
	double n = (double)crn_region_count(&p->infos[info].wanted);
	return n > 0 ? n : 1;
}

static bool is_result(const crn_plan *p, const crn_node *n)
{
	for (int r = 0; r < p->n_residents; r++)
		if (p->residents[r].node == n)
			return true;
	return n->type.is_table;
}

static crn_edge *find(table *t, int from, int to, int input)
{
	for (int e = 0; e < t->n; e++)
		if (t->edges[e].from == from && t->edges[e].to == to && t->edges[e].input == input)
			return &t->edges[e];
	return NULL;
}

/* ---- what making a voxel costs ---- */

static void fill_made(table *t)
{
	const crn_plan *p = t->plan;
	for (int i = 0; i < p->n_infos; i++) {
		const crn_info *info = &p->infos[i];
		double ns = info->cost_ns +
			    info->io_ns * (double)crn_dtype_size(info->node->type.dtype);
		for (int k = 0; k < info->node->n_in; k++) {
			const crn_node *in = info->node->in[k];
			int from = crn_plan_info(p, in);
			if (crn_plan_cut_of(p, in) >= 0 || is_result(p, in) || in->type.ndim == 0)
				continue;
			ns += t->made_ns[from] * needed(p, from) / needed(p, i);
		}
		t->made_ns[i] = ns;
	}
}

/* ---- kinds and rho, from the pieces ---- */

static const char *reason(const crn_plan *p, const crn_edge *e)
{
	int cut = crn_plan_cut_of(p, p->infos[e->from].node);
	switch (e->kind) {
	case CRN_EDGE_PROGRAM:
		return "values stay in registers";
	case CRN_EDGE_VIEW:
		return "no copy is made";
	case CRN_EDGE_BOX:
		return "read straight into the tile";
	case CRN_EDGE_CUT:
		return cut >= 0 ? p->cuts[cut].why : "kept";
	case CRN_EDGE_RESULT:
		return "finished before and kept";
	case CRN_EDGE_FOLD:
		return "taken tile by tile as it is made";
	default:
		break;
	}
	if (e->rho < 1.005)
		return "every voxel is made once";
	return e->recompute_ns <= e->store_ns
		       ? "making the overlap again costs less than storing and loading"
		       : "a cut would not save a tenth of the run";
}

static void set(table *t, int from, int to, int input, crn_edge_kind kind, double rho)
{
	const crn_plan *p = t->plan;
	const crn_node *n = p->infos[from].node;
	if (n->type.ndim == 0 && !n->type.is_table)
		return;
	crn_edge *e = find(t, from, to, input);
	/* A node that is computed in several pieces: the edge that makes most again is shown. */
	if (e && (e->rho >= rho || e->kind == CRN_EDGE_CUT))
		return;
	if (!e)
		e = &t->edges[t->n++];
	double size = (double)crn_dtype_size(n->type.dtype);
	const crn_region *wanted = &p->infos[from].wanted;
	if (n->type.ndim > 0 && crn_mask_is_worth_bits(&n->type, wanted->n[n->type.ndim - 1]))
		size /= 8;
	*e = (crn_edge){.from = from,
		.to = to,
		.input = input,
		.kind = kind,
		.rho = rho,
		.recompute_ns = (rho > 1 ? rho - 1 : 0) * t->made_ns[from],
		.store_ns = size * p->store_load_ns,
		.bytes = n->type.is_table ? 0 : size * needed(p, from)};
	int cut = crn_plan_cut_of(p, n);
	e->gain = kind == CRN_EDGE_CUT && cut >= 0 ? p->cuts[cut].gain : 0;
	e->why = reason(p, e);
}

static crn_edge_kind kind_of(const crn_pnode *user, const crn_pnode *in)
{
	if (in->role == CRN_ROLE_CHUNKS)
		return CRN_EDGE_CUT;
	if (in->role == CRN_ROLE_RESIDENT)
		return CRN_EDGE_RESULT;
	if (in->role == CRN_ROLE_BOX)
		return CRN_EDGE_BOX;
	return user->role == CRN_ROLE_VIEW ? CRN_EDGE_VIEW : CRN_EDGE_FUSED;
}

/* Voxels of input k that the instances of a node read, per voxel needed, against their own. */
static double rho_of(
	const crn_plan *p, const crn_piece *piece, const crn_layout *l, int user, int k)
{
	const crn_pnode *pn = &piece->nodes[user], *in = &piece->nodes[pn->in[k]];
	double made = 0, read = 0;
	for (int v = 0; v < l->of[user].n; v++) {
		crn_need need;
		crn_piece_need(pn, k, in->node, &l->of[user].region[v], &need);
		crn_region r = crn_need_read(&need, in->node->type.shape);
		read += (double)crn_region_count(&r);
		made += (double)crn_region_count(&l->of[user].region[v]);
	}
	double rho = made > 0 ? read / made * needed(p, pn->info) / needed(p, in->info) : 1;
	return rho > 1 ? rho : 1;
}

/* The elementwise nodes of a group: inside it values stay in registers, outside it is an edge. */
static void add_group(table *t, const crn_piece *piece, const crn_layout *l, int root)
{
	const crn_pnode *g = &piece->nodes[root];
	for (int s = 0; s < g->program.n_steps; s++) {
		const crn_step *step = &g->program.steps[s];
		const crn_node *n = t->plan->infos[step->info].node;
		for (int k = 0; k < step->n_operands && k < n->n_in; k++) {
			int from = crn_plan_info(t->plan, n->in[k]),
			    outside = -1 - step->operand[k];
			if (step->operand[k] >= 0)
				set(t, from, step->info, k, CRN_EDGE_PROGRAM, 1);
			else
				set(t, from, step->info, k,
					kind_of(g, &piece->nodes[g->in[outside]]),
					rho_of(t->plan, piece, l, root, outside));
		}
	}
}

static cairn_status add_piece(
	table *t, const crn_piece *piece, const crn_tiling *tiles, cairn_error *err)
{
	crn_layout l;
	crn_region roots[CRN_MAX_INPUTS];
	int64_t idx[CRN_MAX_NDIM];
	if (piece->n_nodes == 0 || tiles->n_tiles == 0)
		return CAIRN_OK;
	for (int d = 0; d < tiles->domain.ndim; d++)
		idx[d] = (tiles->grid[d] - 1) / 2;
	for (int k = 0; k < piece->n_roots; k++)
		roots[k] =
			crn_tiling_region(tiles, crn_ravel(idx, tiles->domain.ndim, tiles->grid));
	CRN_TRY(crn_layout_new(piece, &l, err));
	crn_layout_fill(&l, piece, roots);
	for (int i = 0; i < piece->n_nodes; i++) {
		const crn_pnode *pn = &piece->nodes[i];
		if (pn->role == CRN_ROLE_GROUP)
			add_group(t, piece, &l, i);
		if (pn->role != CRN_ROLE_COMPUTE && pn->role != CRN_ROLE_VIEW)
			continue;
		for (int k = 0; k < pn->n_in; k++) {
			const crn_pnode *in = &piece->nodes[pn->in[k]];
			set(t, in->info, pn->info, k, kind_of(pn, in),
				rho_of(t->plan, piece, &l, i, k));
		}
	}
	crn_layout_done(&l);
	return CAIRN_OK;
}

static cairn_status add_pieces(table *t, cairn_error *err)
{
	const crn_plan *p = t->plan;
	for (int c = 0; c < p->n_cuts; c++)
		CRN_TRY(add_piece(t, &p->cuts[c].piece, &p->cuts[c].chunks, err));
	for (int i = 0; i < p->n_stages; i++) {
		const crn_stage *s = &p->stages[i];
		crn_tiling tiles = crn_stage_tiles(s);
		if (s->kind == CRN_STAGE_TABLE)
			continue;
		CRN_TRY(add_piece(t, crn_stage_piece(p, s), &tiles, err));
	}
	return CAIRN_OK;
}

/* Edges into what folds or writes whole inputs: a sink, a reduction, a global op. */
static void add_folds(table *t)
{
	const crn_plan *p = t->plan;
	for (int i = 0; i < p->n_infos; i++) {
		const crn_node *n = p->infos[i].node;
		if (n->op->kind != CRN_SINK && n->op->kind != CRN_REDUCTION &&
			n->op->kind != CRN_GLOBAL)
			continue;
		for (int k = 0; k < n->n_in; k++) {
			int from = crn_plan_info(p, n->in[k]);
			crn_edge_kind kind = is_result(p, n->in[k])              ? CRN_EDGE_RESULT
					     : crn_plan_cut_of(p, n->in[k]) >= 0 ? CRN_EDGE_CUT
										 : CRN_EDGE_FOLD;
			set(t, from, i, k, kind, 1);
		}
	}
}

static void sort_edges(table *t)
{
	for (int i = 1; i < t->n; i++) {
		crn_edge e = t->edges[i];
		int at = i;
		for (; at > 0 &&
			(t->edges[at - 1].to > e.to ||
				(t->edges[at - 1].to == e.to && t->edges[at - 1].input > e.input));
			at--)
			t->edges[at] = t->edges[at - 1];
		t->edges[at] = e;
	}
}

cairn_status crn_plan_edges(const crn_plan *p, crn_edge **ret, int *ret_n, cairn_error *err)
{
	size_t most = 0;
	for (int i = 0; i < p->n_infos; i++)
		most += (size_t)p->infos[i].node->n_in;
	table t = {.plan = p, .edges = crn_calloc(most + 1, sizeof(*t.edges))};
	t.made_ns = crn_calloc((size_t)p->n_infos + 1, sizeof(double));
	cairn_status status = t.edges && t.made_ns ? CAIRN_OK
						   : crn_fail_memory(err, "an explanation",
							     most * sizeof(*t.edges));
	if (status == CAIRN_OK) {
		fill_made(&t);
		status = add_pieces(&t, err);
		add_folds(&t);
		sort_edges(&t);
	}
	crn_free(t.made_ns);
	if (status != CAIRN_OK) {
		crn_free(t.edges);
		return status;
	}
	*ret = t.edges;
	*ret_n = t.n;
	return CAIRN_OK;
}

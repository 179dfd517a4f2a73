/* SPDX-License-Identifier: Apache-2.0
 *
 * estimate.c -- voxels a plan will compute per node, without visiting every tile.
 *
 * The work of a tile depends on its position only near the borders of the array, so per axis the
 * two first, the two last and one inner tile stand for all (exact up to five tiles per axis and for
 * halos up to two tiles). Costs O(nodes), for ten tiles and for 10^8 (law 2).
 */
#include "plan/estimate.h"

#include "base/mem.h"
#include "base/thread.h"
#include "plan/dump.h"

#include <string.h>

#define PER_AXIS 5

typedef struct axis_sample {
	int n;
	int64_t at[PER_AXIS];
	double weight[PER_AXIS];
} axis_sample;

static axis_sample sample_axis(int64_t n_tiles)
{
	axis_sample s = {0};
	if (n_tiles <= PER_AXIS) {
		for (int64_t i = 0; i < n_tiles; i++) {
			s.at[s.n] = i;
			s.weight[s.n++] = 1;
		}
		return s;
	}
	const int64_t at[PER_AXIS] = {0, 1, n_tiles / 2, n_tiles - 2, n_tiles - 1};
	for (int i = 0; i < PER_AXIS; i++) {
		s.at[i] = at[i];
		s.weight[i] = i == 2 ? (double)(n_tiles - 4) : 1;
	}
	s.n = PER_AXIS;
	return s;
}

static void add_tile(const crn_piece *p, const crn_layout *l, double weight, double *voxels)
{
	for (int i = 0; i < p->n_nodes; i++) {
		const crn_pnode *pn = &p->nodes[i];
		for (int v = 0; v < l->of[i].n; v++) {
			double n = weight * (double)crn_region_count(&l->of[i].region[v]);
			if (pn->role == CRN_ROLE_GROUP)
				for (int s = 0; s < pn->program.n_steps; s++)
					voxels[pn->program.steps[s].info] += n;
			else if (pn->role == CRN_ROLE_COMPUTE || pn->role == CRN_ROLE_BOX)
				voxels[pn->info] += n;
		}
	}
}

static cairn_status add_piece(
	const crn_piece *p, const crn_tiling *t, double times, double *voxels, cairn_error *err)
{
	axis_sample axes[CRN_MAX_NDIM];
	int64_t grid[CRN_MAX_NDIM], pick[CRN_MAX_NDIM], combos = 1;
	crn_layout layout;
	if (p->n_nodes == 0 || t->n_tiles == 0)
		return CAIRN_OK;
	for (int d = 0; d < t->domain.ndim; d++) {
		axes[d] = sample_axis(t->grid[d]);
		grid[d] = axes[d].n;
		combos *= grid[d];
	}
	CRN_TRY(crn_layout_new(p, &layout, err));
	for (int64_t c = 0; c < combos; c++) {
		int64_t idx[CRN_MAX_NDIM];
		double weight = times;
		crn_unravel(c, t->domain.ndim, grid, pick);
		for (int d = 0; d < t->domain.ndim; d++) {
			idx[d] = axes[d].at[pick[d]];
			weight *= axes[d].weight[pick[d]];
		}
		crn_region r = crn_tiling_region(t, crn_ravel(idx, t->domain.ndim, t->grid));
		crn_region roots[CRN_MAX_INPUTS];
		for (int k = 0; k < p->n_roots; k++)
			roots[k] = r;
		crn_layout_fill(&layout, p, roots);
		add_tile(p, &layout, weight, voxels);
	}
	crn_layout_done(&layout);
	return CAIRN_OK;
}

cairn_status crn_plan_voxels(const crn_plan *p, double *ret_voxels, cairn_error *err)
{
	memset(ret_voxels, 0, sizeof(double) * (size_t)p->n_infos);
	for (int c = 0; c < p->n_cuts; c++)
		if (p->cuts[c].kind == CRN_CUT_NODE)
			CRN_TRY(add_piece(
				&p->cuts[c].piece, &p->cuts[c].chunks, 1, ret_voxels, err));
	for (int i = 0; i < p->n_stages; i++) {
		const crn_stage *s = &p->stages[i];
		crn_tiling tiles = crn_stage_tiles(s);
		if (s->kind == CRN_STAGE_TABLE)
			continue;
		CRN_TRY(add_piece(
			crn_stage_piece(p, s), &tiles, crn_stage_passes(p, s), ret_voxels, err));
	}
	return CAIRN_OK;
}

static double source_bytes(const crn_plan *p, int i, const double *voxels)
{
	const crn_node *n = p->infos[i].node;
	int64_t n_chunks;
	size_t chunk_bytes;
	int slot = crn_plan_cut_of(p, n);
	if (n->op->kind != CRN_SOURCE || crn_region_empty(&p->infos[i].wanted))
		return 0;
	if (slot < 0)
		return voxels[i] * (double)crn_dtype_size(n->type.dtype);
	crn_plan_chunks(p, slot, &p->infos[i].wanted, &n_chunks, &chunk_bytes);
	return (double)n_chunks * (double)chunk_bytes;
}

double crn_plan_source_bytes(const crn_plan *p, const double *voxels)
{
	double bytes = 0;
	for (int i = 0; i < p->n_infos; i++)
		bytes += source_bytes(p, i, voxels);
	return bytes;
}

/* ---- time ---- */

#define TASK_NS 20000.0 /* queue, layout, buffers of a task */
#define COPY_NS 0.3     /* per voxel that a stencil reads through a copy with its border */

/* Voxels of its inputs that a reduction or global op looks at. */
static double folded_voxels(const crn_plan *p, int i)
{
	const crn_node *n = p->infos[i].node;
	if (n->op->kind == CRN_GLOBAL)
		return (double)crn_type_count(&n->in[0]->type) * n->op->global->n_passes(n);
	if (n->op->kind == CRN_REDUCTION)
		return (double)crn_region_count(&p->infos[crn_plan_info(p, n->in[0])].wanted);
	return 0;
}

/* Nanoseconds of one thread that a node's own code takes. */
static double node_ns(const crn_plan *p, int i, const double *voxels)
{
	const crn_op *op = p->infos[i].node->op;
	if (op->kind == CRN_SOURCE || op->kind == CRN_SINK || op->kind == CRN_VIEW)
		return 0;
	return p->infos[i].cost_ns * (voxels[i] + folded_voxels(p, i));
}

/* Average part of the threads that have a task, by the stages' shares of the work. */
static double busy_part(const crn_plan *p, int n_threads)
{
	double work = 0, time = 0;
	for (int s = 0; s < p->n_stages; s++) {
		const crn_tiling *t = &p->stages[s].tasks;
		if (p->stages[s].kind == CRN_STAGE_TABLE || t->n_tiles == 0)
			continue;
		double own = (t->tile_ns + TASK_NS) * (double)t->n_tiles;
		double waves = (double)((t->n_tiles + n_threads - 1) / n_threads);
		work += own;
		time += own * waves * n_threads / (double)t->n_tiles;
	}
	return time > 0 ? work / time : 1;
}

static void find_top(const crn_plan *p, const double *voxels, crn_prediction *ret)
{
	for (int i = 0; i < p->n_infos; i++) {
		double ns = 0;
		for (int k = 0; k < p->n_infos; k++)
			if (strcmp(p->infos[i].node->origin, p->infos[k].node->origin) == 0)
				ns += node_ns(p, k, voxels);
		if (ns * 1e-9 <= ret->top_s)
			continue;
		ret->top = p->infos[i].node;
		ret->top_s = ns * 1e-9;
	}
}

void crn_plan_predict(const crn_plan *p, const double *voxels, crn_prediction *ret)
{
	crn_prediction r = {0};
	double measured = 0, tasks = 0;
	int cores = crn_n_cores(), n_threads = p->options.n_threads;
	n_threads = n_threads < cores ? n_threads : cores;
	for (int i = 0; i < p->n_infos; i++) {
		double ns = node_ns(p, i, voxels);
		r.compute_s += ns * 1e-9;
		measured += p->infos[i].measured ? ns * 1e-9 : 0;
		if (p->infos[i].node->op->kind == CRN_STENCIL)
			r.copy_s += COPY_NS * voxels[i] * 1e-9;
		r.decode_s += p->infos[i].io_ns * source_bytes(p, i, voxels) * 1e-9;
	}
	for (int c = 0; c < p->n_cuts; c++)
		r.copy_s += p->store_load_ns * (double)p->cuts[c].chunk_bytes *
			    (double)p->cuts[c].chunks.n_tiles * 1e-9 *
			    (p->cuts[c].kind == CRN_CUT_NODE);
	for (int s = 0; s < p->n_stages; s++) {
		const crn_stage *stage = &p->stages[s];
		if (stage->kind == CRN_STAGE_ARRAY)
			r.encode_s += stage->encode_ns *
				      (double)crn_region_count(&stage->tasks.domain) *
				      (double)crn_dtype_size(stage->node->type.dtype) * 1e-9;
		tasks += stage->kind == CRN_STAGE_TABLE ? 0 : (double)stage->tasks.n_tiles;
	}
	r.busy = busy_part(p, n_threads);
	r.measured = r.compute_s > 0 ? measured / r.compute_s : 1;
	double work = r.compute_s + r.copy_s + r.decode_s + r.encode_s + tasks * TASK_NS * 1e-9;
	r.seconds = work / n_threads / r.busy;
	r.limit = r.busy < 0.6                                                     ? "tasks"
		  : r.decode_s > r.compute_s + r.copy_s && r.decode_s > r.encode_s ? "decode"
		  : r.encode_s > r.compute_s + r.copy_s                            ? "encode"
										   : "compute";
	find_top(p, voxels, &r);
	*ret = r;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * producers.c -- how the chunks of each kind of cut are made: decoded, computed, or reduced.
 *
 * A producer's task writes one chunk's buffer (crn_task_output). Its other memory was reserved as
 * the cut's work_bytes; the chunk itself is paid for by the tasks that wait for it.
 */
#include "base/mem.h"
#include "exec/state.h"
#include "plan/build.h"

#include <stdatomic.h>
#include <string.h>

typedef struct producer {
	crn_job job;
	crn_state *st;
	const crn_cut *cut;
	int slot, info;
} producer;

static crn_view output_view(const producer *p, const crn_task *t, crn_region *ret_region)
{
	*ret_region = crn_tiling_region(&p->cut->chunks, crn_task_index(t));
	return crn_cut_view(p->cut, ret_region, crn_task_output(t));
}

static void count_chunk(producer *p)
{
	atomic_fetch_add_explicit(&p->st->units[p->slot], 1, memory_order_relaxed);
}

/* ---- SOURCE: read and decode one unit ---- */

static cairn_status read_unit(void *user, crn_task *t, void *memory, cairn_error *err)
{
	producer *p = user;
	crn_source *s = p->cut->node->source;
	crn_region r;
	crn_view out = output_view(p, t, &r);
	int64_t idx[CRN_MAX_NDIM];
	void *scratch = NULL;
	(void)memory;
	crn_unravel(crn_task_index(t), r.ndim, p->cut->chunks.grid, idx);
	if (s->unit_scratch && !(scratch = crn_pool_take(p->st->engine->pool, s->unit_scratch)))
		return crn_fail_memory(err, "decoding", s->unit_scratch);
	crn_span span = crn_span_begin(CRN_SPAN_DECODE, p->info);
	cairn_status status = s->ops->read_unit(s, idx, &out, scratch, err);
	crn_span_end(&span, (int64_t)crn_view_dense_bytes(out.dtype, out.ndim, out.shape),
		crn_region_count(&r));
	crn_pool_give(p->st->engine->pool, scratch, s->unit_scratch);
	if (status != CAIRN_OK) {
		char text[CRN_REGION_TEXT];
		crn_where(err, "op %s, chunk %s of %s", p->cut->node->origin,
			crn_region_format(&r, text), s->url);
		return status;
	}
	count_chunk(p);
	atomic_fetch_add_explicit(&p->st->bytes_read,
		(int64_t)crn_view_dense_bytes(out.dtype, out.ndim, out.shape),
		memory_order_relaxed);
	return CAIRN_OK;
}

/* ---- NODE: compute the chunk's region ---- */

static crn_region node_roots(void *user, int64_t index, int64_t tile)
{
	const producer *p = user;
	(void)tile;
	return crn_tiling_region(&p->cut->chunks, index);
}

static cairn_status node_tile(void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err)
{
	producer *p = user;
	crn_region r;
	crn_view out = output_view(p, t, &r);
	crn_frame *frame = NULL;
	(void)tile;
	(void)memory;
	CRN_TRY(crn_task_frame(t, &out, NULL, &frame, err));
	crn_frame_done(frame);
	return CAIRN_OK;
}

static cairn_status node_end(void *user, crn_task *t, void *memory, cairn_error *err)
{
	(void)t;
	(void)memory;
	(void)err;
	count_chunk(user);
	return CAIRN_OK;
}

/* ---- REDUCTION: fold the input tile by tile into accumulators of the chunk ---- */

static crn_tiling input_tiling(const producer *p, int64_t index)
{
	crn_region out = crn_tiling_region(&p->cut->chunks, index), in;
	crn_tiling t;
	crn_plan_reduced_region(p->cut->node, &out, &in);
	crn_tiling_set(&t, &in, p->cut->inner);
	return t;
}

static int64_t reduction_tiles(void *user, int64_t index)
{
	crn_tiling t = input_tiling(user, index);
	return t.n_tiles;
}

static crn_region reduction_roots(void *user, int64_t index, int64_t tile)
{
	crn_tiling t = input_tiling(user, index);
	return crn_tiling_region(&t, tile);
}

static size_t acc_size(const producer *p, const crn_region *out)
{
	return p->cut->node->op->reduce->acc_bytes(p->cut->node) * (size_t)crn_region_count(out);
}

static cairn_status reduction_begin(void *user, crn_task *t, void **ret_memory, cairn_error *err)
{
	producer *p = user;
	crn_region r = crn_tiling_region(&p->cut->chunks, crn_task_index(t));
	void *acc = crn_pool_take(p->st->engine->pool, acc_size(p, &r));
	if (!acc)
		return crn_fail_memory(err, "accumulators", acc_size(p, &r));
	p->cut->node->op->reduce->init(p->cut->node, acc, crn_region_count(&r));
	*ret_memory = acc;
	return CAIRN_OK;
}

static cairn_status reduction_tile(
	void *user, crn_task *t, int64_t tile, void *memory, cairn_error *err)
{
	producer *p = user;
	const crn_node *n = p->cut->node;
	crn_region whole = crn_tiling_region(&p->cut->chunks, crn_task_index(t));
	crn_frame *frame = NULL;
	crn_view in;
	(void)tile;
	CRN_TRY(crn_task_frame(t, NULL, &in, &frame, err));
	cairn_status status =
		crn_reduce_fold_into(p->st, n, &in, crn_task_roots(t), memory, &whole, err);
	crn_frame_done(frame);
	return status;
}

static cairn_status reduction_end(void *user, crn_task *t, void *memory, cairn_error *err)
{
	producer *p = user;
	crn_region r;
	crn_view out = output_view(p, t, &r);
	(void)err;
	crn_span span = crn_span_begin(CRN_SPAN_COMPUTE, p->info);
	p->cut->node->op->reduce->finish(p->cut->node, memory, crn_region_count(&r), &out);
	crn_span_end(&span, 0, 0);
	crn_pool_give(p->st->engine->pool, memory, acc_size(p, &r));
	count_chunk(p);
	return CAIRN_OK;
}

static void reduction_drop(void *user, crn_task *t, void *memory)
{
	producer *p = user;
	crn_region r = crn_tiling_region(&p->cut->chunks, crn_task_index(t));
	crn_pool_give(p->st->engine->pool, memory, acc_size(p, &r));
}

/* ---- all ---- */

static void fill_job(producer *p)
{
	crn_job *j = &p->job;
	*j = (crn_job){.name = p->cut->node->op->name,
		.level = p->cut->level,
		.work_bytes = p->cut->chunks.work_bytes,
		.n_tasks = p->cut->chunks.n_tiles,
		.user = p};
	switch (p->cut->kind) {
	case CRN_CUT_SOURCE:
		j->end = read_unit;
		break;
	case CRN_CUT_NODE:
		j->piece = &p->cut->piece;
		j->roots = node_roots;
		j->tile = node_tile;
		j->end = node_end;
		break;
	case CRN_CUT_REDUCTION:
		j->piece = &p->cut->piece;
		j->n_tiles = reduction_tiles;
		j->roots = reduction_roots;
		j->begin = reduction_begin;
		j->tile = reduction_tile;
		j->end = reduction_end;
		j->drop = reduction_drop;
		break;
	}
}

cairn_status crn_producers_new(crn_state *st, crn_job ***ret, cairn_error *err)
{
	size_t n = (size_t)st->plan->n_cuts;
	crn_job **jobs = crn_calloc(n + 1, sizeof(*jobs));
	if (!jobs)
		return crn_fail_memory(err, "producers", n);
	for (size_t c = 0; c < n; c++) {
		producer *p = crn_calloc(1, sizeof(*p));
		if (!p) {
			crn_producers_free(st, jobs);
			return crn_fail_memory(err, "producers", n);
		}
		p->st = st;
		p->cut = &st->plan->cuts[c];
		p->slot = (int)c;
		p->info = crn_plan_info(st->plan, p->cut->node);
		fill_job(p);
		jobs[c] = &p->job; /* first member: freed through it */
	}
	*ret = jobs;
	return CAIRN_OK;
}

void crn_producers_free(crn_state *st, crn_job **jobs)
{
	for (int c = 0; jobs && c < st->plan->n_cuts; c++)
		crn_free(jobs[c]);
	crn_free(jobs);
}

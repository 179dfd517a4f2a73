/* SPDX-License-Identifier: Apache-2.0
 *
 * eager_passes.c -- reductions and global ops in the eager driver: tiles in a given order, shared
 * out over a given number of partials, merged in worker order.
 */
#include "support/eager_run.h"

#include "base/mem.h"

#include <string.h>

static int n_partials(const eager_run *r)
{
	return r->o.n_partials > 0 ? r->o.n_partials : 1;
}

static crn_region grid_tile(const crn_grid *g, int64_t linear)
{
	int64_t idx[CRN_MAX_NDIM];
	crn_unravel(linear, g->ndim, g->n, idx);
	crn_region t = crn_unit_region(g->ndim, g->shape, g->tile, idx);
	crn_region_normalise(&t);
	return t;
}

/* ---- reductions ---- */

/* Merges the accumulators of a part of the output into those of the whole, row by row. */
static void merge_part(const crn_node *n, char *whole, const char *part, const crn_region *at)
{
	size_t size = n->op->reduce->acc_bytes(n);
	crn_rows rows;
	for (crn_rows_begin(&rows, at->ndim, at->n); !rows.end; crn_rows_next(&rows)) {
		int64_t idx[CRN_MAX_NDIM];
		for (int d = 0; d < at->ndim; d++)
			idx[d] = at->lo[d] + (d + 1 < at->ndim ? rows.idx[d] : 0);
		int64_t to = crn_ravel(idx, at->ndim, n->type.shape);
		n->op->reduce->merge(n, whole + (size_t)to * size, part, rows.n);
		part += (size_t)rows.n * size;
	}
}

static cairn_status check_projected(const crn_node *n, const crn_region *p, cairn_error *err)
{
	bool bad = p->ndim != n->type.ndim || !crn_region_inside(p, n->type.shape);
	for (int d = 0; d < p->ndim && !bad; d++)
		bad = p->n[d] < 1 || p->step[d] != 1;
	return bad ? eager_broken(n, p, "project() gives no dense box of the output", err)
		   : CAIRN_OK;
}

static cairn_status reduce_tile(eager_run *r, crn_node *n, const eager_made *made,
	const crn_region *tile, char *acc, cairn_error *err)
{
	const crn_reduce *ops = n->op->reduce;
	size_t size = ops->acc_bytes(n);
	crn_call call = {.node = n, .bound = made->bound.data, .n_in = 1, .in_region = tile};
	ops->project(n, tile, &call.out_region);
	CRN_TRY(check_projected(n, &call.out_region, err));
	int64_t count = crn_region_count(&call.out_region);
	bool all = count == crn_type_count(&n->type);
	eager_buffer in = {0};
	eager_scratch part = {0}, scratch = {0};
	call.scratch_bytes = n->op->scratch ? n->op->scratch(n, tile) : 0;
	cairn_status status = eager_copy_region(r, n->in[0], tile, &in, err);
	if (status == CAIRN_OK)
		status = eager_scratch_new((size_t)count * size, 0xA5, &part, err);
	if (status == CAIRN_OK)
		status = eager_scratch_new(call.scratch_bytes, 0xA5, &scratch, err);
	if (status == CAIRN_OK) {
		call.in = &in.view;
		call.scratch = scratch.data;
		ops->init(n, part.data, count);
		/* Folding into what earlier tiles left, or into fresh accumulators: same result. */
		ops->fold(&call, all ? (void *)acc : part.data);
		if (!all)
			merge_part(n, acc, part.data, &call.out_region);
		if (!eager_scratch_guards_ok(&part) || !eager_scratch_guards_ok(&scratch))
			status = eager_broken(n, tile, "fold wrote outside its memory", err);
		else if (!eager_buffer_untouched(&in))
			status = eager_broken(n, tile, "fold changed its input", err);
	}
	eager_buffer_done(&in);
	eager_scratch_done(&part);
	eager_scratch_done(&scratch);
	return status;
}

static cairn_status reduce_finish(
	eager_run *r, crn_node *n, eager_scratch *acc, int n_acc, cairn_error *err)
{
	const crn_reduce *ops = n->op->reduce;
	int64_t count = crn_type_count(&n->type);
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	for (int w = 1; w < n_acc; w++)
		ops->merge(n, acc[0].data, acc[w].data, count);
	for (int w = 0; w < n_acc; w++)
		if (!eager_scratch_guards_ok(&acc[w]))
			return eager_broken(n, &whole, "wrote outside its accumulators", err);
	eager_buffer out = {0};
	CRN_TRY(eager_buffer_new(n->type.dtype, n->type.ndim, n->type.shape, 0xA5, &out, err));
	ops->finish(n, acc[0].data, count, &out.view);
	cairn_status status = CAIRN_OK;
	if (!eager_buffer_guards_ok(&out))
		status = eager_broken(n, &whole, "finish wrote outside its output", err);
	void *data = status == CAIRN_OK ? crn_alloc(crn_view_dense_bytes(
						  n->type.dtype, n->type.ndim, n->type.shape))
					: NULL;
	if (status == CAIRN_OK && !data)
		status = crn_fail_memory(err, "test values", 0);
	if (status == CAIRN_OK) {
		crn_view v = crn_view_dense(data, n->type.dtype, n->type.ndim, n->type.shape);
		crn_view_copy(&v, &out.view);
		status = eager_keep(r, n, data, err);
	}
	eager_buffer_done(&out);
	return status;
}

cairn_status eager_reduce(eager_run *r, crn_node *n, cairn_error *err)
{
	enum { MAX_ACC = 16 };
	const crn_reduce *ops = n->op->reduce;
	int n_acc = n_partials(r) < MAX_ACC ? n_partials(r) : MAX_ACC;
	int64_t count = crn_type_count(&n->type);
	crn_grid g = eager_grid(r, n->in[0]->type.ndim, n->in[0]->type.shape);
	eager_scratch acc[MAX_ACC] = {0};
	eager_made *made = NULL;
	CRN_FREE int64_t *order = NULL;
	CRN_TRY(eager_made_get(r, n, &made, err));
	CRN_TRY(eager_order(r, g.n_tiles, &order, err));
	if (ops->acc_bytes(n) % 8 != 0)
		return crn_fail(err, CAIRN_FAILED, "%s: accumulators of %zu bytes", n->op->name,
			ops->acc_bytes(n));
	cairn_status status = CAIRN_OK;
	for (int w = 0; w < n_acc && status == CAIRN_OK; w++) {
		status = eager_scratch_new((size_t)count * ops->acc_bytes(n), 0xA5, &acc[w], err);
		if (status == CAIRN_OK)
			ops->init(n, acc[w].data, count);
	}
	for (int64_t i = 0; i < g.n_tiles && status == CAIRN_OK; i++) {
		crn_region t = grid_tile(&g, order[i]);
		status = reduce_tile(r, n, made, &t, acc[i % n_acc].data, err);
	}
	if (status == CAIRN_OK)
		status = reduce_finish(r, n, acc, n_acc, err);
	for (int w = 0; w < n_acc; w++)
		eager_scratch_done(&acc[w]);
	return status;
}

/* ---- global ops ---- */

/* The engine's services: a growing spill file in memory, and a balance of charges. */
typedef struct eager_env {
	crn_env env;
	char *bytes;
	size_t n, cap;
	int64_t charged;
} eager_env;

static cairn_status env_charge(void *engine, int64_t delta_bytes, cairn_error *err)
{
	eager_env *e = engine;
	if (e->charged + delta_bytes < 0)
		return crn_fail(err, CAIRN_FAILED, "more memory returned than was charged");
	e->charged += delta_bytes;
	return CAIRN_OK;
}

static cairn_status env_spill(
	void *engine, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err)
{
	eager_env *e = engine;
	if (e->n + n > e->cap) {
		size_t cap = 2 * (e->n + n);
		char *more = crn_realloc_array(e->bytes, cap, 1);
		if (!more)
			return crn_fail_memory(err, "spilled bytes", cap);
		e->bytes = more;
		e->cap = cap;
	}
	memcpy(e->bytes + e->n, bytes, n);
	*ret_offset = e->n;
	e->n += n;
	return CAIRN_OK;
}

static cairn_status env_unspill(
	void *engine, uint64_t offset, void *bytes, size_t n, cairn_error *err)
{
	eager_env *e = engine;
	if (offset > e->n || n > e->n - offset)
		return crn_fail(err, CAIRN_FAILED, "reading behind what was spilled");
	memcpy(bytes, e->bytes + offset, n);
	return CAIRN_OK;
}

static cairn_status env_overwrite(
	void *engine, uint64_t offset, const void *bytes, size_t n, cairn_error *err)
{
	eager_env *e = engine;
	if (offset > e->n || n > e->n - offset)
		return crn_fail(err, CAIRN_FAILED, "overwriting behind what was spilled");
	memcpy(e->bytes + offset, bytes, n);
	return CAIRN_OK;
}

static int folded_inputs(const crn_node *n)
{
	const crn_type *first = &n->in[0]->type;
	for (int k = 1; k < n->n_in; k++) {
		const crn_type *t = &n->in[k]->type;
		if (t->ndim != first->ndim ||
			memcmp(t->shape, first->shape, sizeof(int64_t) * (size_t)t->ndim))
			return 1;
	}
	return n->n_in;
}

static cairn_status fold_tile(eager_run *r, const eager_made *made, int pass, int64_t tile_index,
	const crn_region *tile, void *partial, cairn_error *err)
{
	crn_node *n = made->node;
	const crn_global *ops = n->op->global;
	eager_buffer bufs[CRN_MAX_INPUTS] = {0};
	crn_view in[CRN_MAX_INPUTS];
	crn_region regions[CRN_MAX_INPUTS];
	eager_scratch scratch = {0};
	crn_call call = {.node = n,
		.bound = made->bound.data,
		.n_in = folded_inputs(n),
		.in = in,
		.in_region = regions};
	call.scratch_bytes = ops->fold_scratch ? ops->fold_scratch(n, tile) : 0;
	cairn_status status = eager_scratch_new(call.scratch_bytes, 0xA5, &scratch, err);
	call.scratch = scratch.data;
	for (int k = 0; k < call.n_in && status == CAIRN_OK; k++) {
		status = eager_copy_region(r, n->in[k], tile, &bufs[k], err);
		in[k] = bufs[k].view;
		regions[k] = *tile;
	}
	if (status == CAIRN_OK)
		status = ops->fold(made->state, partial, pass, tile_index, &call, err);
	if (status == CAIRN_OK && !eager_scratch_guards_ok(&scratch))
		status = eager_broken(n, tile, "fold wrote outside its scratch", err);
	for (int k = 0; k < call.n_in; k++) {
		if (status == CAIRN_OK && !eager_buffer_untouched(&bufs[k]))
			status = eager_broken(n, tile, "fold changed an input", err);
		eager_buffer_done(&bufs[k]);
	}
	eager_scratch_done(&scratch);
	return status;
}

static cairn_status run_pass(
	eager_run *r, eager_made *made, int pass, const crn_grid *g, cairn_error *err)
{
	enum { MAX_PARTIALS = 16 };
	crn_node *n = made->node;
	const crn_global *ops = n->op->global;
	int n_part = n_partials(r) < MAX_PARTIALS ? n_partials(r) : MAX_PARTIALS;
	eager_scratch part[MAX_PARTIALS] = {0};
	CRN_FREE int64_t *order = NULL;
	CRN_TRY(eager_order(r, g->n_tiles, &order, err));
	if (ops->pass_begin)
		CRN_TRY(ops->pass_begin(made->state, pass, g, err));
	size_t size = ops->partial_bytes ? ops->partial_bytes(n, pass) : 0;
	int made_parts = 0;
	cairn_status status = CAIRN_OK;
	for (; made_parts < n_part && status == CAIRN_OK; made_parts++) {
		status = eager_scratch_new(size, 0xA5, &part[made_parts], err);
		if (status == CAIRN_OK && ops->partial_init)
			ops->partial_init(made->state, pass, part[made_parts].data);
	}
	for (int64_t i = 0; i < g->n_tiles && status == CAIRN_OK; i++) {
		crn_region t = grid_tile(g, order[i]);
		status = fold_tile(r, made, pass, order[i], &t, part[i % n_part].data, err);
	}
	for (int w = 0; w < n_part && status == CAIRN_OK && ops->merge; w++)
		status = ops->merge(made->state, pass, part[w].data, err);
	for (int w = 0; w < made_parts; w++) {
		if (ops->partial_done)
			ops->partial_done(made->state, pass, part[w].data);
		if (status == CAIRN_OK && !eager_scratch_guards_ok(&part[w]))
			status = crn_fail(
				err, CAIRN_FAILED, "%s: wrote outside a partial", n->op->name);
		eager_scratch_done(&part[w]);
	}
	if (status == CAIRN_OK && ops->pass_end)
		status = ops->pass_end(made->state, pass, err);
	return status;
}

cairn_status eager_passes(eager_run *r, crn_node *n, eager_made *made, cairn_error *err)
{
	const crn_global *ops = n->op->global;
	if (made->has_state)
		return CAIRN_OK;
	eager_env *e = crn_calloc(1, sizeof(*e));
	if (!e)
		return crn_fail_memory(err, "test state", sizeof(*e));
	e->env = (crn_env){.engine = e,
		.isa = r->o.isa,
		.charge = env_charge,
		.spill = env_spill,
		.unspill = env_unspill,
		.overwrite = env_overwrite};
	made->env = e;
	CRN_TRY(ops->begin(n, &e->env, &made->state, err));
	made->has_state = true;
	crn_grid g = eager_grid(r, n->in[0]->type.ndim, n->in[0]->type.shape);
	int passes = ops->n_passes ? ops->n_passes(n) : 1;
	for (int pass = 0; pass < passes; pass++)
		CRN_TRY(run_pass(r, made, pass, &g, err));
	return CAIRN_OK;
}

void eager_passes_done(eager_made *made)
{
	if (made->has_state)
		made->node->op->global->end(made->state);
	if (made->env)
		crn_free(made->env->bytes);
	crn_free(made->env);
	made->env = NULL;
	made->has_state = false;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * fold_global.c -- folding a pass of a global op: its partials, its state, their checkpoints. See
 * fold.h, and core/op.h for what the hooks promise.
 */
#include "exec/fold.h"

#include "base/mem.h"
#include "base/path.h"

#include <stdatomic.h>
#include <string.h>

static const crn_global *ops_of(const crn_fold *f)
{
	return f->node->op->global;
}

static int n_passes(const crn_node *n)
{
	return n->op->global->n_passes(n);
}

/* The scratch file gets a name, so that the tiles a killed run has recorded find their bytes. */
static void name_spill(crn_fold *f)
{
	CRN_STR path = {0};
	char hex[33];
	crn_state *st = f->st;
	if (!st->checkpoint_dir || !ops_of(f)->tile_save)
		return;
	crn_str_appendf(&path, "%s/%s.spill", st->checkpoint_dir, crn_hash_hex(f->node->hash, hex));
	/* Without it nothing is lost but the checkpoint: the file is then made on first use. */
	if (path.oom || crn_make_folders(st->checkpoint_dir, NULL) != CAIRN_OK ||
		crn_spill_open(path.data, &st->env_handles[f->index].spill, NULL) != CAIRN_OK)
		st->checkpoint_dir = NULL;
}

static cairn_status begin(crn_fold *f, cairn_error *err)
{
	crn_state *st = f->st;
	name_spill(f);
	crn_env *env = &st->envs[f->index];
	*env = (crn_env){.engine = &st->env_handles[f->index],
		.isa = st->plan->options.isa,
		.charge = crn_state_charge,
		.spill = crn_state_spill,
		.unspill = crn_state_unspill,
		.overwrite = crn_state_overwrite,
		.quota_bytes = st->plan->options.memory_bytes / 4};
	CRN_TRY(ops_of(f)->begin(f->node, env, &f->state, err));
	/* The state is the run's from here on: it is ended with the run, also after a failure. */
	st->states[f->index] = f->state;
	return CAIRN_OK;
}

/* ---- checkpoints ---- */

static bool load_tile(void *user, int64_t tile, const void *bytes, size_t n)
{
	crn_fold *f = user;
	return ops_of(f)->tile_load(f->state, f->pass, tile, bytes, n, NULL) == CAIRN_OK;
}

static bool load_partial(void *user, const void *bytes, size_t n)
{
	crn_fold *f = user;
	void *partial = f->acc[f->worker];
	if (!ops_of(f)->partial_load) {
		if (n == f->acc_bytes)
			memcpy(partial, bytes, n);
		return n == f->acc_bytes;
	}
	if (ops_of(f)->partial_load(f->state, f->pass, partial, bytes, n, NULL) == CAIRN_OK)
		return true;
	if (ops_of(f)->partial_done)
		ops_of(f)->partial_done(f->state, f->pass, partial);
	if (ops_of(f)->partial_init)
		ops_of(f)->partial_init(f->state, f->pass, partial);
	return false;
}

static bool keeps_partials(const crn_fold *f)
{
	return f->acc_bytes > 0 && (ops_of(f)->partial_is_plain || ops_of(f)->partial_save);
}

static void begin_checkpoint(crn_fold *f)
{
	crn_env_handle *h = &f->st->env_handles[f->index];
	int n_workers = f->st->plan->options.n_threads;
	if (!ops_of(f)->tile_save && !keeps_partials(f))
		return;
	f->kept = crn_checkpoint_open(f->st->checkpoint_dir, f->node, f->pass, &f->grid, n_workers);
	if (f->kept && ops_of(f)->tile_save)
		crn_checkpoint_load_tiles(f->kept, crn_spill_end(h->spill), load_tile, f);
	if (f->pass == 0 && h->spill && crn_checkpoint_count(f->kept) == 0)
		crn_spill_empty(h->spill); /* of a run whose tiles do not fit */
	if (f->kept && keeps_partials(f))
		for (f->worker = 0; f->worker < n_workers; f->worker++)
			crn_checkpoint_load_partial(f->kept, f->worker, load_partial, f);
}

static void keep(crn_fold *f, int worker)
{
	crn_bytes spans[CRN_MAX_SPANS] = {{f->acc[worker], f->acc_bytes}};
	int n = 1;
	if (ops_of(f)->partial_save)
		n = ops_of(f)->partial_save(f->state, f->pass, f->acc[worker], spans);
	if (n >= 0)
		crn_checkpoint_add_partial(f->kept, worker, spans, n);
}

/* What the fold of a tile left in the state is recorded at once. */
static bool keep_tile(crn_fold *f, int64_t tile)
{
	crn_bytes spans[CRN_MAX_SPANS];
	if (!ops_of(f)->tile_save)
		return false;
	int n = ops_of(f)->tile_save(f->state, f->pass, tile, spans);
	uint64_t end = crn_spill_end(f->st->env_handles[f->index].spill);
	if (n >= 0)
		crn_checkpoint_add_tile(f->kept, tile, end, spans, n);
	return true;
}

/* ---- a pass ---- */

static cairn_status pass_begin(crn_fold *f, cairn_error *err)
{
	const crn_global *ops = ops_of(f);
	if (ops->pass_begin)
		CRN_TRY(ops->pass_begin(f->state, f->pass, &f->grid, err));
	f->acc_bytes = ops->partial_bytes ? ops->partial_bytes(f->node, f->pass) : 0;
	for (int w = 0; w < f->st->plan->options.n_threads; w++) {
		f->acc[w] = crn_pool_take(f->st->engine->pool, f->acc_bytes);
		if (!f->acc[w])
			return crn_fail_memory(err, "partial results", f->acc_bytes);
		if (ops->partial_init)
			ops->partial_init(f->state, f->pass, f->acc[w]);
	}
	begin_checkpoint(f);
	return CAIRN_OK;
}

static cairn_status fold_tile(crn_fold *f, crn_task *t, const crn_view *in, cairn_error *err)
{
	const crn_node *n = f->node;
	const crn_global *ops = ops_of(f);
	const crn_region *r = crn_task_roots(t);
	crn_pool *pool = f->st->engine->pool;
	crn_region regions[CRN_MAX_INPUTS];
	for (int k = 0; k < n->n_in; k++)
		regions[k] = *r;
	crn_call call = {.node = n,
		.bound = f->st->plan->infos[f->info].bound.data,
		.out_region = *r,
		.n_in = n->n_in,
		.in_region = regions,
		.in = in};
	call.scratch_bytes = ops->fold_scratch ? ops->fold_scratch(n, r) : 0;
	if (call.scratch_bytes && !(call.scratch = crn_pool_take(pool, call.scratch_bytes)))
		return crn_fail_memory(err, "scratch", call.scratch_bytes);
	crn_span span = crn_span_begin(CRN_SPAN_COMPUTE, f->info);
	cairn_status status = ops->fold(
		f->state, f->acc[crn_task_worker(t)], f->pass, crn_task_index(t), &call, err);
	crn_span_end(&span, 0, crn_region_count(r));
	crn_pool_give(pool, call.scratch, call.scratch_bytes);
	atomic_fetch_add_explicit(
		&f->st->folded[f->info], crn_region_count(r), memory_order_relaxed);
	if (status != CAIRN_OK) {
		char text[CRN_REGION_TEXT];
		crn_where(err, "op %s, region %s", n->origin, crn_region_format(r, text));
	}
	return status;
}

static cairn_status pass_end(crn_fold *f, cairn_status walked, cairn_error *err)
{
	const crn_global *ops = ops_of(f);
	cairn_status status = walked;
	crn_span span = crn_span_begin(CRN_SPAN_COMPUTE, f->info);
	for (int w = 0; status == CAIRN_OK && w < f->st->plan->options.n_threads; w++)
		if (ops->merge)
			status = ops->merge(f->state, f->pass, f->acc[w], err);
	for (int w = 0; w < f->st->plan->options.n_threads; w++)
		if (f->acc[w] && ops->partial_done)
			ops->partial_done(f->state, f->pass, f->acc[w]);
	crn_fold_drop_accumulators(f);
	if (status == CAIRN_OK && ops->pass_end)
		status = ops->pass_end(f->state, f->pass, err);
	crn_span_end(&span, 0, 0);
	return status;
}

const crn_fold_kind crn_fold_global = {
	.n_passes = n_passes,
	.begin = begin,
	.pass_begin = pass_begin,
	.tile = fold_tile,
	.keep = keep,
	.keep_tile = keep_tile,
	.pass_end = pass_end,
};

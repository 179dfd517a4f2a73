/* SPDX-License-Identifier: Apache-2.0
 *
 * run.c -- the engine: decide about outputs, plan, run the stages in order, finish each output.
 *
 *	outputs_decide ── EXISTS before anything is computed
 *	plan_build     ── NOFIT before anything is read
 *	stages         ── folds, reductions, arrays, tables, prints
 *
 * Runs on one engine take turns: they share one budget, one pool and one chunk cache.
 */
#include "exec/run.h"

#include "base/mem.h"
#include "base/path.h"
#include "core/table.h"
#include "exec/machine_file.h"
#include "exec/output_state.h"
#include "exec/report.h"
#include "exec/state.h"
#include "plan/tiling.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

cairn_status crn_engine_new(const crn_registry *r, crn_engine **ret, cairn_error *err)
{
	crn_engine *e = crn_calloc(1, sizeof(*e));
	if (!e)
		return crn_fail_memory(err, "the engine", sizeof(*e));
	e->registry = r;
	crn_mutex_init(&e->turn, CRN_RANK_ENGINE);
	crn_mutex_init(&e->costs_lock, CRN_RANK_COSTS);
	cairn_status status = crn_pool_new(&e->pool, err);
	if (status == CAIRN_OK)
		status = crn_cache_init(&e->cache, e->pool, err);
	if (status != CAIRN_OK) {
		crn_engine_free(e);
		return status;
	}
	*ret = e;
	return CAIRN_OK;
}

void crn_engine_free(crn_engine *e)
{
	if (!e)
		return;
	if (e->cache.slots)
		crn_cache_done(&e->cache);
	crn_pool_free(e->pool);
	crn_costs_done(&e->costs);
	crn_free(e->costs_path);
	crn_mutex_done(&e->costs_lock);
	crn_mutex_done(&e->turn);
	crn_free(e);
}

/* cgroup v2 memory.max, v1 limit_in_bytes; 0 when unlimited or unknown. */
static size_t cgroup_memory(void)
{
	static const char *const files[] = {
		"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
	for (size_t i = 0; i < CRN_COUNT(files); i++) {
		FILE *f = fopen(files[i], "re");
		unsigned long long n = 0;
		int got = f ? fscanf(f, "%llu", &n) : 0;
		if (f)
			fclose(f);
		if (got == 1 && n < ((unsigned long long)1 << 60))
			return (size_t)n;
	}
	return 0;
}

static size_t physical_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	int got = f ? fscanf(f, "MemTotal: %llu kB", &kib) : 0;
	if (f)
		fclose(f);
	return got == 1 ? (size_t)kib << 10 : (size_t)4 << 30;
}

size_t crn_default_memory(void)
{
	size_t memory = physical_memory(), limit = cgroup_memory();
	if (limit > 0 && limit < memory)
		memory = limit;
	return memory / 10 * 6;
}

/* ---- state of a run ---- */

static void state_done(crn_state *st)
{
	const crn_plan *p = st->plan;
	for (int g = 0; g < p->n_globals && st->states; g++)
		if (st->states[g])
			p->globals[g].node->op->global->end(st->states[g]);
	for (int g = 0; g < p->n_globals && st->env_handles; g++) {
		crn_spill_free(st->env_handles[g].spill);
		crn_mutex_done(&st->env_handles[g].lock);
	}
	for (int r = 0; r < p->n_residents && st->residents; r++) {
		const crn_view *v = &st->residents[r];
		if (v->data)
			crn_pool_give(st->engine->pool, v->data,
				crn_view_dense_bytes(v->dtype, v->ndim, v->shape));
	}
	crn_sched_free(st->sched);
	crn_trace_detach();
	crn_trace_free(st->trace);
	crn_free(st->states);
	crn_free(st->envs);
	crn_free(st->env_handles);
	crn_free(st->residents);
	crn_free((void *)st->voxels);
	crn_free((void *)st->folded);
	crn_free(st->restored);
	crn_free((void *)st->units);
}

static double stage_ns(const crn_plan *p, const crn_stage *s)
{
	double ns = 0;
	if (s->kind != CRN_STAGE_TABLE)
		ns = crn_tiling_ns(&s->tasks, p->options.n_threads) *
		     (double)crn_region_count(&s->tasks.domain) * crn_stage_passes(p, s);
	return ns + 1e5;
}

static void show_progress(void *user, int64_t done)
{
	crn_state *st = user;
	const crn_run_options *o = st->options;
	if (!o->progress)
		return;
	const crn_stage *s = &st->plan->stages[st->stage];
	char name[160];
	snprintf(name, sizeof(name), "%s %s",
		s->kind == CRN_STAGE_ARRAY   ? "write"
		: s->kind == CRN_STAGE_TABLE ? "table"
					     : "compute",
		s->node->origin);
	double part = st->stage_total > 0 ? (double)done / (double)st->stage_total : 0;
	crn_progress p = {.stage = st->stage,
		.n_stages = st->plan->n_stages,
		.stage_name = name,
		.done = done,
		.total = st->stage_total,
		.fraction = (st->done_ns + part * stage_ns(st->plan, s)) / st->total_ns,
		.bytes_read = st->bytes_read,
		.bytes_written = st->bytes_written,
		.memory_bytes = (int64_t)crn_sched_peak(st->sched),
		.elapsed_s = (double)(crn_now_ns() - st->start_ns) * 1e-9,
		.resumed = st->units_skipped > 0,
		.remaining_s = -1};
	if (p.fraction > 1)
		p.fraction = 1;
	if (p.fraction > 0.01)
		p.remaining_s = p.elapsed_s / p.fraction - p.elapsed_s;
	o->progress(o->user, &p);
}

static cairn_status state_init(crn_state *st, cairn_error *err)
{
	const crn_plan *p = st->plan;
	size_t n_globals = (size_t)p->n_globals + 1, n_residents = (size_t)p->n_residents + 1;
	st->start_ns = crn_now_ns();
	st->cpu_start_ns = crn_cpu_ns();
	st->states = crn_calloc(n_globals, sizeof(void *));
	st->envs = crn_calloc(n_globals, sizeof(*st->envs));
	st->env_handles = crn_calloc(n_globals, sizeof(*st->env_handles));
	st->residents = crn_calloc(n_residents, sizeof(*st->residents));
	st->voxels = crn_calloc((size_t)p->n_infos + 1, sizeof(int64_t));
	st->folded = crn_calloc((size_t)p->n_infos + 1, sizeof(int64_t));
	st->restored = crn_calloc((size_t)p->n_infos + 1, sizeof(int64_t));
	st->units = crn_calloc((size_t)p->n_cuts + 1, sizeof(int64_t));
	if (!st->states || !st->envs || !st->env_handles || !st->residents || !st->voxels ||
		!st->folded || !st->restored || !st->units)
		return crn_fail_memory(err, "a run", sizeof(*st));
	for (int g = 0; g < p->n_globals; g++) {
		st->env_handles[g].st = st;
		crn_mutex_init(&st->env_handles[g].lock, CRN_RANK_STORE);
	}
	for (int s = 0; s < p->n_stages; s++)
		st->total_ns += stage_ns(p, &p->stages[s]);
	CRN_TRY(crn_trace_new(p->options.n_threads, p->n_infos,
		st->options->profile != CRN_PROFILE_NONE, &st->trace, err));
	crn_trace_attach(st->trace, -1);
	st->env = (crn_frame_env){.plan = p,
		.trace = st->trace,
		.pool = st->engine->pool,
		.states = st->states,
		.residents = st->residents,
		.voxels = st->voxels,
		.bytes_read = &st->bytes_read};
	int none = 0;
	if (st->options->threads)
		__atomic_compare_exchange_n(st->options->threads, &none, p->options.n_threads,
			false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	crn_sched_options o = {.n_threads = p->options.n_threads,
		.keep_going = st->options->keep_going,
		.cancel = st->options->cancel,
		.threads = st->options->threads,
		.jitter = st->options->jitter,
		.progress = show_progress,
		.progress_user = st,
		.progress_ns = st->options->progress_ns};
	crn_pool_limit(st->engine->pool, p->options.memory_bytes);
	return crn_sched_new(p, &st->engine->cache, &st->env, &o, &st->sched, err);
}

/* ---- stages ---- */

static cairn_status write_array(
	crn_state *st, const crn_stage *s, const crn_output *o, cairn_error *err)
{
	const crn_node *sink_node = st->plan->infos[s->index].node;
	const crn_format *format;
	crn_create_request req;
	int64_t chunks[CRN_MAX_NDIM];
	CRN_VALUE options = {0};
	CRN_TRY(crn_plan_create_request(st->plan, sink_node, &req, chunks, &format, &options, err));
	req.options = options.list.items;
	req.resume = o->resume;
	req.fsync = st->options->fsync;
	crn_journal_head head = {.plan = sink_node->hash,
		.url = req.url,
		.format = format->name,
		.type = &req.type,
		.unit = s->unit,
		.options = req.options,
		.option_params = format->write_params,
		.description = st->options->description,
		.fsync = st->options->fsync};
	crn_journal *journal = NULL;
	crn_sink *sink = NULL;
	cairn_status status = crn_journal_open(format, &head, o->resume, &journal, err);
	if (status == CAIRN_OK)
		status = format->create(&req, &sink, err);
	if (status != CAIRN_OK)
		crn_where(err, "op %s", sink_node->origin);
	else
		status = crn_run_array_stage(st, s, journal, sink, err);
	crn_span span = crn_span_begin(CRN_SPAN_WRITE, s->index);
	/* With failed chunks the array can be read, but the journal does not call it done. */
	if (status == CAIRN_OK || status == CAIRN_PARTIAL) {
		cairn_error *why = status == CAIRN_OK ? err : NULL;
		cairn_status finished = crn_journal_settle(journal, why);
		if (finished == CAIRN_OK)
			finished = sink->ops->finish(sink, why);
		if (finished == CAIRN_OK && status == CAIRN_OK)
			finished = crn_journal_done(journal, err);
		if (finished != CAIRN_OK && status == CAIRN_OK) {
			crn_where(err, "op %s", sink_node->origin);
			status = finished;
		}
	}
	if (sink)
		sink->ops->close(sink);
	crn_journal_close(journal);
	crn_span_end(&span, 0, 0);
	return status;
}

static cairn_status fill_writer(crn_state *st, const crn_stage *s, const crn_node *sink,
	crn_table_writer *w, cairn_error *err)
{
	const crn_node *n = s->node;
	int g = 0;
	while (st->plan->globals[g].node != n)
		g++;
	CRN_STR proof = {0};
	CRN_TRY(n->op->global->rows(st->states[g], n, w, err));
	CRN_TRY(w->prove(w, &proof, err));
	CRN_TRY(crn_table_mark(sink, proof.data, st->options->fsync != CRN_FSYNC_NONE, err));
	return w->finish(w, err);
}

/* Pairs of texts out of constants=(("sample", "a"), ...); checked by write's infer. */
static int constants_of(const crn_node *sink, const char **names, const char **values, int most)
{
	const crn_value *v = crn_node_arg(sink, "constants");
	int n = v->kind == CRN_V_LIST ? v->list.n : 0;
	for (int i = 0; i < n && i < most; i++) {
		names[i] = v->list.items[i].list.items[0].s;
		values[i] = v->list.items[i].list.items[1].s;
	}
	return n < most ? n : most;
}

static cairn_status write_table(crn_state *st, const crn_stage *s, cairn_error *err)
{
	enum { MOST_CONSTANTS = 16 };
	const crn_node *sink = st->plan->infos[s->index].node;
	const char *names[MOST_CONSTANTS], *values[MOST_CONSTANTS];
	const crn_table_format *f;
	CRN_TRY(crn_table_format_of(st->engine->registry, sink, &f, err));
	crn_table_request req = {.path = crn_sink_url(sink),
		.sync = st->options->fsync != CRN_FSYNC_NONE,
		.table = crn_table_name(sink),
		.on_exists = crn_table_appends(sink)                        ? "append"
			     : st->options->on_exists == CRN_EXISTS_REPLACE ? "replace"
									    : "fail",
		.constant_names = names,
		.constant_values = values,
		.n_constants = constants_of(sink, names, values, MOST_CONSTANTS)};
	crn_table_writer *w = NULL;
	crn_span span = crn_span_begin(CRN_SPAN_WRITE, s->index);
	cairn_status status = f->create(&req, &w, err);
	if (status == CAIRN_OK) {
		status = fill_writer(st, s, sink, w, err);
		w->close(w);
	}
	if (status == CAIRN_OK)
		status = crn_table_mark(sink, NULL, req.sync, err);
	crn_span_end(&span, 0, 0);
	if (status != CAIRN_OK)
		crn_where(err, "op %s", sink->origin);
	return status;
}

static cairn_status print_array(crn_state *st, const crn_stage *s, cairn_error *err)
{
	const crn_node *sink = st->plan->infos[s->index].node;
	const crn_type *t = &s->node->type;
	size_t bytes = crn_view_dense_bytes(t->dtype, t->ndim, t->shape);
	void *data = crn_pool_take(st->engine->pool, bytes);
	if (!data)
		return crn_fail_memory(err, "a printed array", bytes);
	crn_view out = crn_view_dense(data, t->dtype, t->ndim, t->shape);
	cairn_status status = crn_run_memory_stage(st, s, &out, err);
	if (status == CAIRN_OK && st->options->print) {
		const crn_value *label = crn_node_arg(sink, "label");
		st->options->print(
			st->options->user, label->kind == CRN_V_STR ? label->s : "", t, &out);
	}
	crn_pool_give(st->engine->pool, data, bytes);
	return status;
}

/* Index of a stage's sink among the outputs of the run. */
static const crn_output *output_of(
	const crn_plan *p, const crn_stage *s, const crn_output *outputs, int n)
{
	for (int i = 0; i < n; i++)
		if (outputs[i].sink == p->infos[s->index].node)
			return &outputs[i];
	return NULL;
}

static cairn_status run_stage(crn_state *st, const crn_stage *s, const crn_output *outputs,
	int n_outputs, const crn_view *out, cairn_error *err)
{
	switch (s->kind) {
	case CRN_STAGE_GLOBAL:
	case CRN_STAGE_RESIDENT:
		return crn_run_fold_stage(st, s, err);
	case CRN_STAGE_TABLE:
		return write_table(st, s, err);
	case CRN_STAGE_PRINT:
		return print_array(st, s, err);
	case CRN_STAGE_MEMORY:
		return crn_run_memory_stage(st, s, out, err);
	default:
		return write_array(st, s, output_of(st->plan, s, outputs, n_outputs), err);
	}
}

/* A resume plans all outputs, so that its tiles are those of the killed run and its checkpoints
 * fit; stages of what is complete, and passes that only they need, are left out. */
static bool is_needed(const crn_state *st, const crn_stage *s)
{
	for (int i = 0; i < st->n_needed; i++)
		if (st->needed[i] == (s->kind == CRN_STAGE_GLOBAL || s->kind == CRN_STAGE_RESIDENT
						     ? s->node
						     : st->plan->infos[s->index].node))
			return true;
	return !st->needed;
}

static cairn_status run_plan(crn_state *st, const crn_output *outputs, int n_outputs,
	const crn_view *out, cairn_error *err)
{
	crn_job **producers = NULL;
	cairn_status worst = CAIRN_OK;
	CRN_TRY(state_init(st, err));
	CRN_TRY(crn_producers_new(st, &producers, err));
	crn_sched_set_producers(st->sched, (const crn_job *const *)producers);
	for (st->stage = 0; st->stage < st->plan->n_stages; st->stage++) {
		const crn_stage *s = &st->plan->stages[st->stage];
		st->stage_total = crn_region_count(&s->tasks.domain);
		cairn_status status = CAIRN_OK;
		if (is_needed(st, s))
			status = run_stage(st, s, outputs, n_outputs, out, err);
		st->done_ns += stage_ns(st->plan, s);
		if (status == CAIRN_PARTIAL && s->kind == CRN_STAGE_ARRAY) {
			worst = status; /* its good chunks are stored; later outputs may be fine */
			continue;
		}
		if (status != CAIRN_OK) {
			crn_producers_free(st, producers);
			return status;
		}
	}
	crn_producers_free(st, producers);
	return worst;
}

/* ---- entries ---- */

cairn_status crn_engine_plan(
	crn_engine *e, const crn_plan_request *q, crn_plan **ret, cairn_error *err)
{
	const crn_run_options *o = q->options;
	int n_threads = o->n_threads > 0 ? o->n_threads : crn_n_cores();
	crn_plan_options po = {.n_threads = n_threads,
		.memory_bytes = o->memory_bytes ? o->memory_bytes : crn_default_memory(),
		.isa = o->isa,
		.costs = &e->costs,
		.record_bytes = o->profile ? crn_trace_bytes(n_threads) : 0,
		.tile_voxels = o->tile_voxels,
		.slab_rows = o->slab_rows,
		.unit_tasks = o->keep_going,
		.region = q->region};
	crn_mutex_lock(&e->costs_lock);
	cairn_status status = crn_plan_build(e->registry, q->sinks, q->n_sinks, &po, ret, err);
	crn_mutex_unlock(&e->costs_lock);
	return status;
}

static const char *scratch_folder(
	const crn_run_options *o, const crn_output *outputs, int n, crn_str *text)
{
	if (o->scratch_dir)
		return o->scratch_dir;
	for (int i = 0; i < n; i++) {
		if (outputs[i].is_print)
			continue;
		const char *url = crn_sink_url(outputs[i].sink), *slash = strrchr(url, '/');
		crn_str_append_n(text, slash ? url : ".", slash ? (size_t)(slash - url) + 1 : 1);
		return text->oom ? "." : text->data;
	}
	return "/tmp";
}

static cairn_status run_with_plan(crn_engine *e, const crn_plan *plan,
	const crn_run_options *options, const crn_output *outputs, int n_outputs,
	const char *checkpoint_dir, const crn_view *out, crn_report *report, cairn_error *err)
{
	CRN_STR folder = {0};
	crn_state st = {.engine = e, .plan = plan, .options = options};
	st.scratch_dir = scratch_folder(options, outputs, n_outputs, &folder);
	st.checkpoint_dir = checkpoint_dir;
	if (n_outputs > 0)
		CRN_TRY(crn_outputs_nodes(outputs, n_outputs, &st.needed, &st.n_needed, err));
	cairn_status status = run_plan(&st, outputs, n_outputs, out, err);
	if (status == CAIRN_OK)
		crn_machine_learn_run(&st);
	if (report && st.sched)
		crn_report_fill(&st, report);
	state_done(&st);
	crn_free(st.needed);
	return status;
}

static cairn_status run_sinks(crn_engine *e, crn_node *const *sinks, int n_sinks,
	const crn_run_options *options, crn_output *outputs, crn_report *report, cairn_error *err)
{
	crn_plan *plan = NULL;
	int n = 0;
	CRN_STR checkpoints = {0};
	CRN_TRY(crn_outputs_decide(e->registry, sinks, n_sinks, options->on_exists, outputs, err));
	for (int i = 0; i < n_sinks; i++)
		n = outputs[i].skip ? n : n_sinks;
	crn_plan_request q = {.sinks = sinks, .n_sinks = n, .options = options};
	CRN_TRY(crn_engine_plan(e, &q, &plan, err));
	cairn_status status = crn_plan_check_fits(plan, err);
	if (status == CAIRN_OK)
		status = crn_outputs_lock(e->registry, outputs, n_sinks, err);
	if (status == CAIRN_OK)
		status = crn_checkpoint_folder(
			e->registry, outputs, n_sinks, options, &checkpoints, err);
	for (int i = 0; i < n_sinks && status == CAIRN_OK; i++)
		if (!outputs[i].skip)
			status =
				crn_output_clear(e->registry, &outputs[i], options->on_exists, err);
	if (status == CAIRN_OK)
		status = run_with_plan(
			e, plan, options, outputs, n_sinks, checkpoints.data, NULL, report, err);
	/* What is done needs no checkpoints. */
	if (status == CAIRN_OK && checkpoints.len > 0)
		status = crn_remove_tree(checkpoints.data, err);
	crn_plan_free(plan);
	return status;
}

cairn_status crn_run(crn_engine *e, crn_node *const *sinks, int n_sinks,
	const crn_run_options *options, crn_report *report, cairn_error *err)
{
	crn_output *outputs = crn_calloc((size_t)n_sinks + 1, sizeof(*outputs));
	if (!outputs)
		return crn_fail_memory(err, "a run", sizeof(*outputs));
	if (report)
		*report = (crn_report){0};
	crn_mutex_lock(&e->turn);
	cairn_status status = run_sinks(e, sinks, n_sinks, options, outputs, report, err);
	crn_outputs_unlock(outputs, n_sinks);
	crn_mutex_unlock(&e->turn);
	crn_free(outputs);
	return status;
}

cairn_status crn_run_region(crn_engine *e, crn_node *array, const crn_region *region,
	const crn_view *out, const crn_run_options *options, crn_report *report, cairn_error *err)
{
	crn_plan *plan = NULL;
	if (report)
		*report = (crn_report){0};
	if (!crn_region_inside(region, array->type.shape))
		return crn_fail(err, CAIRN_USAGE, "the region lies outside the array");
	crn_plan_request q = {.sinks = &array, .n_sinks = 1, .options = options, .region = region};
	crn_mutex_lock(&e->turn);
	cairn_status status = crn_engine_plan(e, &q, &plan, err);
	if (status == CAIRN_OK)
		status = crn_plan_check_fits(plan, err);
	if (status == CAIRN_OK)
		status = run_with_plan(e, plan, options, NULL, 0, NULL, out, report, err);
	crn_plan_free(plan);
	crn_mutex_unlock(&e->turn);
	return status;
}

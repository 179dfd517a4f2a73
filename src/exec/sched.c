/* SPDX-License-Identifier: Apache-2.0
 *
 * sched.c -- a run's scheduler: its memory, its threads, and what it reports. See sched.h for the
 * picture and the invariants, task.h for the files beside this one.
 *
 * The calling thread is the watcher: it shows progress, records memory and starts workers when more
 * are wished for, while the workers work.
 */
#include "exec/sched.h"

#include "base/mem.h"
#include "exec/task.h"

#include <assert.h>

/* ---- memory; lock held ---- */

bool crn_sched_make_room(crn_sched *s, size_t bytes)
{
	if (!crn_admission_fits(&s->memory, bytes))
		return false;
	while (crn_admission_over(&s->memory, s->cache->idle_bytes, bytes))
		if (!crn_cache_evict(s->cache))
			return false;
	return true;
}

bool crn_sched_reserve(crn_sched *s, int level, size_t bytes, crn_grant *ret)
{
	crn_answer answer = crn_admission_ask(&s->memory, level, bytes);
	if (answer == CRN_REFUSED || (answer == CRN_FROM_GENERAL && !crn_sched_make_room(s, bytes)))
		return false;
	*ret = crn_admission_take(&s->memory, answer, level, bytes, s->cache->idle_bytes);
	return true;
}

cairn_status crn_sched_charge(crn_sched *s, int64_t delta_bytes, cairn_error *err)
{
	cairn_status status = CAIRN_OK;
	crn_mutex_lock(&s->lock);
	if (delta_bytes <= 0) {
		crn_admission_shrink_tables(&s->memory, (size_t)-delta_bytes);
	} else {
		size_t n = (size_t)delta_bytes, part = crn_admission_table_part(&s->memory, n);
		if (part && !crn_sched_make_room(s, part))
			status = crn_fail(err, CAIRN_FAILED,
				"tables of this op outgrow the memory budget (%zu bytes more)", n);
		else
			crn_admission_grow_tables(&s->memory, n, s->cache->idle_bytes);
	}
	crn_mutex_unlock(&s->lock);
	if (status != CAIRN_OK)
		crn_hint(err, "try a larger --memory");
	return status;
}

/* ---- failures; lock held ---- */

static void note(crn_sched *s, int64_t position, cairn_status status, const cairn_error *error)
{
	s->n_failed++;
	if (position >= atomic_load_explicit(&s->first_failed, memory_order_relaxed))
		return;
	s->status = status;
	s->error = *error;
	atomic_store_explicit(&s->first_failed, position, memory_order_relaxed);
}

void crn_sched_note_failure(crn_sched *s, const crn_task *t)
{
	note(s, t->position, t->status, &t->error);
}

void crn_sched_note_no_task(crn_sched *s)
{
	cairn_error error;
	cairn_status status = crn_fail_memory(&error, "a task", sizeof(crn_task));
	note(s, atomic_load(&s->cursor), status, &error);
	/* With keep_going too: without a task object nothing can go on. */
	atomic_store(&s->cursor, s->stage->n_tasks);
}

/* ---- making and freeing ---- */

cairn_status crn_sched_new(const crn_plan *plan, crn_cache *cache, const crn_frame_env *env,
	const crn_sched_options *options, crn_sched **ret, cairn_error *err)
{
	crn_sched *s = crn_calloc(1, sizeof(*s));
	crn_task **spare = crn_calloc((size_t)plan->n_cuts + 1, sizeof(*spare));
	crn_reuse *reuse = NULL;
	if (!s || !spare || crn_reuse_new(plan, &reuse, NULL) != CAIRN_OK) {
		crn_free(s);
		crn_free(spare);
		return crn_fail_memory(err, "the scheduler", sizeof(*s));
	}
	s->plan = plan;
	s->cache = cache;
	s->env = env;
	s->options = *options;
	s->spare = spare;
	s->reuse = reuse;
	s->first_failed = INT64_MAX;
	crn_admission *m = &s->memory;
	m->standing = plan->standing_bytes;
	m->table_allowance = plan->table_bytes;
	size_t aside = plan->standing_bytes + plan->top_bytes;
	m->slot_bytes[0] = plan->top_bytes;
	for (int l = 0; l < plan->n_levels; l++) {
		m->slot_bytes[l + 1] = plan->level_bytes[l];
		aside += plan->level_bytes[l];
	}
	assert(aside <= plan->options.memory_bytes);
	m->general = plan->options.memory_bytes - aside;
	crn_mutex_init(&s->lock, CRN_RANK_RUN);
	crn_cond_init(&s->wake);
	crn_cond_init(&s->all_done);
	crn_mutex_lock(&s->lock);
	while (cache->idle_bytes > m->general)
		crn_cache_evict(cache);
	crn_mutex_unlock(&s->lock);
	*ret = s;
	return CAIRN_OK;
}

void crn_sched_free(crn_sched *s)
{
	if (!s)
		return;
	for (int c = 0; c <= s->plan->n_cuts; c++)
		crn_task_free_spares(&s->spare[c]);
	crn_cond_done(&s->wake);
	crn_cond_done(&s->all_done);
	crn_mutex_done(&s->lock);
	crn_reuse_free(s->reuse);
	crn_free(s->spare);
	crn_free(s);
}

void crn_sched_set_producers(crn_sched *s, const crn_job *const *jobs)
{
	s->producers = jobs;
}

/* ---- threads ---- */

int crn_sched_wanted(const crn_sched *s)
{
	const volatile int *wish = s->options.threads;
	int n = wish ? __atomic_load_n(wish, __ATOMIC_RELAXED) : 0;
	n = n > 0 ? n : s->options.n_threads;
	return n < CRN_MOST_WORKERS ? n : CRN_MOST_WORKERS;
}

static void *worker_main(void *arg)
{
	crn_worker *w = arg;
	crn_sched *s = w->sched;
	crn_trace_attach(s->env->trace, w->index);
	crn_mutex_lock(&s->lock);
	crn_dispatch_work(s, w);
	if (--s->n_workers == 0)
		crn_cond_signal(&s->all_done);
	crn_mutex_unlock(&s->lock);
	crn_trace_detach();
	return NULL;
}

typedef struct crew {
	crn_worker *workers; /* CRN_MOST_WORKERS */
	int n;               /* started */
} crew;

/* Starts workers up to the number that is wished for. Lock held. Fewer threads than wished give
 * the same bytes, so only a first one that cannot start is an error. */
static cairn_status enlist(crn_sched *s, crew *team, cairn_error *err)
{
	int wanted = crn_sched_wanted(s);
	while (team->n < wanted) {
		crn_worker *w = &team->workers[team->n];
		*w = (crn_worker){.sched = s, .index = team->n};
		cairn_status status = crn_thread_start(&w->thread, worker_main, w, err);
		if (status != CAIRN_OK)
			return team->n > 0 ? CAIRN_OK : status;
		team->n++;
		s->n_workers++;
	}
	return CAIRN_OK;
}

/* Who holds the memory now, for the trace. Lock held. */
static void sample_memory(crn_sched *s)
{
	const crn_admission *m = &s->memory;
	size_t used, held, idle = s->cache->idle_bytes;
	crn_pool_count(s->env->pool, &used, &held);
	crn_memory_sample sample = {.at_ns = crn_now_ns(),
		.tasks = (int64_t)(m->slots_used + m->reserved),
		.cache_idle = (int64_t)idle,
		.standing = (int64_t)m->standing,
		.pool_used = (int64_t)used};
	sample.tables = (int64_t)crn_admission_charged(m, idle) - sample.tasks - sample.cache_idle -
			sample.standing;
	crn_trace_memory(s->env->trace, &sample);
}

/* Until no worker runs any more. Lock held on entry and exit. */
static void watch(crn_sched *s, crew *team)
{
	int64_t period = s->options.progress_ns > 0 ? s->options.progress_ns : 200000000;
	int64_t due = crn_now_ns() + period;
	bool samples = crn_trace_wants_memory(s->env->trace);
	int64_t most = samples ? CRN_TRACE_MEMORY_NS : s->options.threads ? 50000000 : period;
	int wanted = crn_sched_wanted(s);
	while (s->n_workers > 0) {
		int64_t now = crn_now_ns();
		if (samples)
			sample_memory(s);
		if (crn_sched_wanted(s) != wanted) {
			wanted = crn_sched_wanted(s);
			cairn_status ignored = enlist(s, team, NULL);
			(void)ignored;
			crn_sched_wake_all(s);
		}
		if (now < due) {
			int64_t wait = due - now < most ? due - now : most;
			crn_cond_wait_for(&s->all_done, &s->lock, wait);
			continue;
		}
		due = now + period;
		int64_t done = atomic_load(&s->done);
		crn_mutex_unlock(&s->lock);
		if (s->options.progress)
			s->options.progress(s->options.progress_user, done);
		crn_mutex_lock(&s->lock);
	}
}

/* ---- a stage ---- */

static cairn_status outcome(crn_sched *s, cairn_error *err)
{
	bool failed = atomic_load(&s->first_failed) != INT64_MAX;
	if (failed && !(s->options.keep_going && s->status != CAIRN_INTERRUPTED)) {
		if (err)
			*err = s->error;
		return s->status;
	}
	if (crn_sched_stop_wish(s))
		return crn_fail(err, CAIRN_INTERRUPTED, "interrupted; the same command resumes");
	if (failed) {
		if (err)
			*err = s->error;
		crn_where(err, "%lld tasks failed in all", (long long)s->n_failed);
		if (err)
			err->status = CAIRN_PARTIAL;
		return CAIRN_PARTIAL;
	}
	return CAIRN_OK;
}

static int64_t idle_chunks_use(void *user, const crn_chunk *k)
{
	crn_sched *s = user;
	for (int c = 0; c < s->plan->n_cuts; c++)
		if (crn_hash_equal(s->plan->cuts[c].key, k->key))
			return crn_task_next_use(s, c, k->index);
	return CRN_NEVER;
}

/* What chunks for later may take when the walk is chosen: what running tasks leave of the general
 * part, and at least half of it. */
static size_t room_for_chunks(const crn_sched *s, const crn_job *job)
{
	size_t general = s->memory.general;
	size_t tasks = (size_t)crn_sched_wanted(s) * job->work_bytes;
	return tasks < general / 2 ? general - tasks : general / 2;
}

static cairn_status learn_reads(crn_sched *s, const crn_job *job, cairn_error *err)
{
	assert(job->grid);
	CRN_TRY(crn_reuse_stage(
		s->reuse, job->piece, job->grid, room_for_chunks(s, job), job->again, err));
	crn_cache_revalue(s->cache, idle_chunks_use, s);
	return CAIRN_OK;
}

static cairn_status start_stage(crn_sched *s, const crn_job *job, cairn_error *err)
{
	s->stage = job;
	s->n_failed = 0;
	s->status = CAIRN_OK;
	atomic_store(&s->cursor, 0);
	atomic_store(&s->done, 0);
	atomic_store(&s->first_failed, INT64_MAX);
	s->reads_chunks = false;
	for (int i = 0; job->piece && i < job->piece->n_nodes; i++)
		s->reads_chunks = s->reads_chunks || job->piece->nodes[i].role == CRN_ROLE_CHUNKS;
	return s->reads_chunks ? learn_reads(s, job, err) : CAIRN_OK;
}

cairn_status crn_sched_run(crn_sched *s, const crn_job *job, cairn_error *err)
{
	crew team = {.workers = crn_calloc(CRN_MOST_WORKERS, sizeof(*team.workers))};
	if (!team.workers)
		return crn_fail_memory(err, "worker threads", sizeof(*team.workers));
	crn_mutex_lock(&s->lock);
	cairn_status status = start_stage(s, job, err);
	if (status == CAIRN_OK)
		status = enlist(s, &team, err);
	watch(s, &team);
	crn_task_free_spares(&s->spare[s->plan->n_cuts]);
	crn_mutex_unlock(&s->lock);
	for (int i = 0; i < team.n; i++)
		crn_thread_join(&team.workers[i].thread);
	crn_free(team.workers);
	if (status == CAIRN_OK && s->options.progress)
		s->options.progress(s->options.progress_user, atomic_load(&s->done));
	return status == CAIRN_OK ? outcome(s, err) : status;
}

size_t crn_sched_peak(crn_sched *s)
{
	crn_mutex_lock(&s->lock);
	size_t peak = s->memory.peak;
	crn_mutex_unlock(&s->lock);
	return peak;
}

int64_t crn_sched_failed(const crn_sched *s)
{
	return s->n_failed;
}

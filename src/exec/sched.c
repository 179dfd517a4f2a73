/* SPDX-License-Identifier: Apache-2.0
 *
 * sched.c -- the scheduler. See sched.h for the picture and the invariants.
 *
 * Queues (under the lock): `ready` tasks whose chunks are all there, `producers` queued chunk tasks
 * (last in, first out: depth first), and a cursor over the stage's tasks, which exist only as
 * indices until they are admitted.
 */
#include "exec/sched.h"

#include "base/mem.h"
#include "exec/task.h"

#include <assert.h>
#include <string.h>

#define MOST_AHEAD \
	2 /* stage tasks in flight beyond the threads, to have work while some are parked */

/* ---- memory; lock held ---- */

/* Tables beyond the allowance that the plan's standing memory holds for them. */
static size_t tables_beyond(const crn_sched *s)
{
	return s->tables > s->table_allowance ? s->tables - s->table_allowance : 0;
}

static size_t charged(const crn_sched *s)
{
	return s->standing + s->slots_used + s->reserved + tables_beyond(s) + s->cache->idle_bytes;
}

static void note_peak(crn_sched *s)
{
	size_t now = charged(s);
	s->peak = now > s->peak ? now : s->peak;
}

/* Room for n more bytes in the general part, evicting idle chunks if that gives it. */
static bool make_room(crn_sched *s, size_t n)
{
	size_t held = s->reserved + tables_beyond(s);
	if (held + n > s->general)
		return false;
	while (held + s->cache->idle_bytes + n > s->general)
		if (!crn_cache_evict(s->cache))
			return false;
	return true;
}

static bool reserve(crn_sched *s, crn_task *t)
{
	int slot = t->job->level + 1;
	if (!s->slot_taken[slot]) {
		s->slot_taken[slot] = true;
		s->slots_used += s->slot_bytes[slot];
		t->holds_slot = true;
		note_peak(s);
		return true;
	}
	if (!make_room(s, t->job->work_bytes))
		return false;
	s->reserved += t->job->work_bytes;
	note_peak(s);
	return true;
}

static void unreserve(crn_sched *s, crn_task *t)
{
	if (t->holds_slot) {
		s->slot_taken[t->job->level + 1] = false;
		s->slots_used -= s->slot_bytes[t->job->level + 1];
	} else {
		s->reserved -= t->job->work_bytes;
	}
	t->holds_slot = false;
}

cairn_status crn_sched_charge(crn_sched *s, int64_t delta_bytes, cairn_error *err)
{
	cairn_status status = CAIRN_OK;
	crn_mutex_lock(&s->lock);
	if (delta_bytes <= 0) {
		s->tables -= (size_t)-delta_bytes;
	} else {
		size_t n = (size_t)delta_bytes;
		size_t room = s->table_allowance > s->tables ? s->table_allowance - s->tables : 0;
		size_t beyond = n > room ? n - room : 0;
		if (beyond && !make_room(s, beyond))
			status = crn_fail(err, CAIRN_FAILED,
				"tables of this op outgrow the memory budget (%zu bytes more)", n);
		else
			s->tables += n;
		note_peak(s);
	}
	crn_mutex_unlock(&s->lock);
	if (status != CAIRN_OK)
		crn_hint(err, "try a larger --memory");
	return status;
}

/* ---- tasks; lock held unless said ---- */

static crn_task *task_new(crn_sched *s, const crn_job *job, int64_t index)
{
	crn_task *t = crn_calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	*t = (crn_task){.sched = s, .job = job, .index = index};
	t->n_tiles = job->n_tiles ? job->n_tiles(job->user, index) : job->piece ? 1 : 0;
	if (job->piece && crn_layout_new(job->piece, &t->layout, NULL) != CAIRN_OK) {
		crn_free(t);
		return NULL;
	}
	return t;
}

static void wake_workers(crn_sched *s)
{
	if (s->n_sleeping > 0)
		crn_cond_broadcast(&s->wake);
}

static void task_free(crn_task *t)
{
	crn_layout_done(&t->layout);
	crn_free(t->pins);
	crn_free(t->waits);
	crn_free(t);
}

static void push(crn_task **list, crn_task *t)
{
	t->next = *list;
	*list = t;
}

static void unpin_all(crn_sched *s, crn_task *t)
{
	for (int i = 0; i < t->n_pins; i++) {
		crn_chunk *k = t->pins[i];
		size_t bytes = crn_buffer_bytes(k->bytes);
		/* An idle chunk must fit the general part; evicting older ones may make room. */
		bool keep = k->pins == 1 && k->state == CRN_CHUNK_READY && make_room(s, bytes);
		crn_cache_unpin(s->cache, k, keep);
	}
	t->n_pins = 0;
}

/* The lowest failing stage task decides the error (6). */
static void record_failure(crn_sched *s, const crn_task *t)
{
	if (t->job != s->stage)
		return;
	s->n_failed++;
	if (s->first_failed >= 0 && s->first_failed <= t->index)
		return;
	s->first_failed = t->index;
	s->status = t->status;
	s->error = t->error;
}

/* A producer's chunk is there (or failed): wake who waits. */
static void settle_chunk(crn_sched *s, crn_task *t)
{
	crn_chunk *k = t->chunk;
	crn_waiter *w = k->waiters;
	k->waiters = NULL;
	bool failed = t->status != CAIRN_OK;
	k->state = failed ? CRN_CHUNK_FAILED : CRN_CHUNK_READY;
	if (failed && !k->error && (k->error = crn_alloc(sizeof(*k->error))))
		*k->error = t->error;
	while (w) {
		crn_waiter *next = w->next;
		crn_task *waiting = w->task;
		if (failed && waiting->status == CAIRN_OK) {
			waiting->status = t->status;
			waiting->error = t->error;
		}
		if (--waiting->missing == 0)
			push(&s->ready, waiting);
		w = next;
	}
	/* Waiters hold the pins; without any (all dropped) the chunk goes. */
	if (k->pins == 0)
		crn_cache_drop(s->cache, k);
}

static void finish_task(crn_sched *s, crn_task *t)
{
	unpin_all(s, t);
	unreserve(s, t);
	if (t->chunk)
		settle_chunk(s, t);
	else
		s->n_active--;
	if (t->status != CAIRN_OK)
		record_failure(s, t);
	else if (t->job == s->stage)
		s->done += t->job->size ? t->job->size(t->job->user, t->index) : 1;
	task_free(t);
	wake_workers(s);
}

/* ---- asking for the chunks of a tile ---- */

static cairn_status wants_add(crn_task *t, int slot, int64_t index, cairn_error *err)
{
	if (t->n_waits == t->cap_waits) {
		int cap = t->cap_waits ? 2 * t->cap_waits : 16;
		crn_want *waits = crn_realloc_array(t->waits, (size_t)cap, sizeof(*waits));
		if (waits)
			t->waits = waits;
		crn_chunk **pins = crn_realloc_array(t->pins, (size_t)cap, sizeof(crn_chunk *));
		if (pins)
			t->pins = pins;
		if (!waits || !pins)
			return crn_fail_memory(err, "a task", (size_t)cap * sizeof(*waits));
		t->cap_waits = cap;
	}
	t->waits[t->n_waits++] = (crn_want){.slot = slot, .index = index};
	return CAIRN_OK;
}

/* Lists every chunk the present layout reads. Unlocked. */
static cairn_status list_chunks(crn_task *t, cairn_error *err)
{
	const crn_plan *plan = t->sched->plan;
	t->n_waits = 0;
	for (int i = 0; t->job->piece && i < t->job->piece->n_nodes; i++) {
		const crn_pnode *pn = &t->job->piece->nodes[i];
		if (pn->role != CRN_ROLE_CHUNKS)
			continue;
		const crn_tiling *grid = &plan->cuts[pn->slot].chunks;
		for (int v = 0; v < t->layout.of[i].n; v++) {
			const crn_region *r = &t->layout.of[i].region[v];
			int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], count = 1;
			crn_tiling_overlap(grid, r, first, n);
			for (int d = 0; d < r->ndim; d++)
				count *= n[d];
			for (int64_t c = 0; c < count; c++) {
				crn_unravel(c, r->ndim, n, idx);
				for (int d = 0; d < r->ndim; d++)
					idx[d] += first[d];
				CRN_TRY(wants_add(
					t, pn->slot, crn_ravel(idx, r->ndim, grid->grid), err));
			}
		}
	}
	return CAIRN_OK;
}

/* Pins one chunk, asking its producer if it is not there. False when out of memory. */
static bool ask(crn_sched *s, crn_task *t, crn_want *w)
{
	const crn_cut *cut = &s->plan->cuts[w->slot];
	crn_chunk *k = crn_cache_find(s->cache, cut->key, w->index);
	if (!k) {
		crn_task *producer = task_new(s, s->producers[w->slot], w->index);
		if (producer) {
			crn_region r = crn_tiling_region(&cut->chunks, w->index);
			k = crn_cache_add(s->cache, cut->key, w->index,
				crn_view_dense_bytes(cut->node->type.dtype, r.ndim, r.n));
		}
		if (!k) {
			if (producer)
				task_free(producer);
			return false;
		}
		producer->chunk = k;
		push(&s->queued, producer);
	}
	crn_cache_pin(s->cache, k);
	t->pins[t->n_pins++] = k;
	w->chunk = k;
	if (k->state == CRN_CHUNK_FAILED && t->status == CAIRN_OK) {
		t->status = k->error ? k->error->status : CAIRN_FAILED;
		if (k->error)
			t->error = *k->error;
	} else if (k->state == CRN_CHUNK_PENDING) {
		w->waiter = (crn_waiter){.next = k->waiters, .task = t};
		k->waiters = &w->waiter;
		t->missing++;
	}
	return true;
}

/* Asks for all chunks of the tile; true if they are all there (or the task has failed). */
static bool ask_all(crn_sched *s, crn_task *t)
{
	t->missing = 0;
	for (int i = 0; i < t->n_waits; i++) {
		if (!ask(s, t, &t->waits[i])) {
			t->status = crn_fail_memory(&t->error, "a chunk", sizeof(crn_chunk));
			break;
		}
	}
	return t->missing == 0;
}

/* How often a stop was asked for: 1 finishes what is in flight, 2 stops soon. Set by a signal
 * handler. */
static int stop_wish(const crn_sched *s)
{
	return s->options.cancel ? __atomic_load_n(s->options.cancel, __ATOMIC_RELAXED) : 0;
}

/* ---- a worker runs a task; unlocked but for the marked parts ---- */

/* Prepares tile t->tile: its layout and the list of chunks. */
static void prepare_tile(crn_task *t)
{
	const crn_job *job = t->job;
	if (t->status != CAIRN_OK || !job->piece || t->tile >= t->n_tiles)
		return;
	t->root = job->roots(job->user, t->index, t->tile);
	crn_region roots[CRN_MAX_INPUTS];
	for (int k = 0; k < job->piece->n_roots; k++)
		roots[k] = t->root;
	crn_layout_fill(&t->layout, job->piece, roots);
	t->status = list_chunks(t, &t->error);
}

static bool must_stop(const crn_sched *s)
{
	return stop_wish(s) >= 2;
}

static void run_tile(crn_task *t)
{
	const crn_job *job = t->job;
	if (t->status == CAIRN_OK && must_stop(t->sched))
		t->status = crn_fail(&t->error, CAIRN_INTERRUPTED, "interrupted");
	if (t->status == CAIRN_OK && !t->begun) {
		t->begun = true;
		if (job->begin)
			t->status = job->begin(job->user, t, &t->memory, &t->error);
	}
	if (t->status == CAIRN_OK && t->tile < t->n_tiles)
		t->status = job->tile(job->user, t, t->tile, t->memory, &t->error);
	t->tile++;
	if (t->status == CAIRN_OK && t->tile >= t->n_tiles && job->end)
		t->status = job->end(job->user, t, t->memory, &t->error);
	if (t->status != CAIRN_OK && t->begun && job->drop)
		job->drop(job->user, t, t->memory);
}

static bool is_over(const crn_task *t)
{
	return t->status != CAIRN_OK || t->tile >= t->n_tiles;
}

/* Chunk buffers are taken when their producer starts, inside the reservations of who waits. */
static void take_chunk_buffer(crn_task *t)
{
	if (!t->chunk || t->chunk->data || t->status != CAIRN_OK)
		return;
	t->chunk->data = crn_pool_take(t->sched->cache->pool, t->chunk->bytes);
	if (!t->chunk->data)
		t->status = crn_fail_memory(&t->error, "a chunk", t->chunk->bytes);
}

/* Runs an admitted task until it is over or parked. Lock held on entry and exit. */
static void advance(crn_sched *s, crn_task *t, int worker)
{
	bool chunks_ready = t->n_pins > 0 || t->asked;
	for (;;) {
		t->worker = worker;
		crn_mutex_unlock(&s->lock);
		if (!chunks_ready) {
			prepare_tile(t);
			take_chunk_buffer(t);
			crn_mutex_lock(&s->lock);
			t->asked = true;
			if (t->status == CAIRN_OK && !ask_all(s, t)) {
				wake_workers(s);
				return; /* parked: settle_chunk() puts it into `ready` */
			}
			crn_mutex_unlock(&s->lock);
		}
		run_tile(t);
		crn_mutex_lock(&s->lock);
		unpin_all(s, t);
		t->n_waits = 0;
		t->asked = false;
		chunks_ready = false;
		if (is_over(t)) {
			finish_task(s, t);
			return;
		}
	}
}

/* ---- choosing work; lock held ---- */

static bool may_admit(const crn_sched *s)
{
	if (stop_wish(s))
		return false;
	return s->first_failed < 0 || s->options.keep_going;
}

/* Next admissible stage task, skipping those that are done. NULL: none now. */
static crn_task *admit_stage_task(crn_sched *s)
{
	const crn_job *job = s->stage;
	while (s->cursor < job->n_tasks && job->skip && job->skip(job->user, s->cursor)) {
		s->done += job->size ? job->size(job->user, s->cursor) : 1;
		s->cursor++;
	}
	if (s->cursor >= job->n_tasks || !may_admit(s) ||
		s->n_active >= s->options.n_threads + MOST_AHEAD)
		return NULL;
	crn_task *t = task_new(s, job, s->cursor);
	if (!t) {
		s->first_failed = s->cursor;
		s->status = crn_fail_memory(&s->error, "a task", sizeof(*t));
		return NULL;
	}
	if (!reserve(s, t)) {
		task_free(t);
		return NULL;
	}
	s->cursor++;
	s->n_active++;
	return t;
}

/* A queued producer that memory allows, deepest first. */
static crn_task *admit_producer(crn_sched *s)
{
	for (crn_task **at = &s->queued; *at; at = &(*at)->next) {
		crn_task *t = *at;
		if (!reserve(s, t))
			continue;
		*at = t->next;
		return t;
	}
	return NULL;
}

static crn_task *choose(crn_sched *s)
{
	crn_task *t = s->ready;
	if (t) {
		s->ready = t->next;
		return t;
	}
	t = admit_producer(s);
	return t ? t : admit_stage_task(s);
}

static bool is_finished(const crn_sched *s)
{
	bool more = s->cursor < s->stage->n_tasks && may_admit(s);
	return s->n_active == 0 && !more;
}

/* True if a worker that found nothing to do would have, with more memory. */
static bool lacks_memory(const crn_sched *s)
{
	bool stage_waits = s->cursor < s->stage->n_tasks && may_admit(s) &&
			   s->n_active < s->options.n_threads + MOST_AHEAD;
	return s->queued || stage_waits;
}

typedef struct worker_arg {
	crn_sched *sched;
	int index;
} worker_arg;

static void *worker_main(void *arg)
{
	worker_arg *a = arg;
	crn_sched *s = a->sched;
	crn_trace_attach(s->env->trace, a->index);
	crn_mutex_lock(&s->lock);
	for (;;) {
		crn_task *t = choose(s);
		if (t) {
			advance(s, t, a->index);
			continue;
		}
		if (is_finished(s))
			break;
		/* The timeout only serves a cancel that comes without a signal to the condition. */
		s->n_sleeping++;
		crn_span span = crn_span_begin(
			lacks_memory(s) ? CRN_SPAN_STARVED : CRN_SPAN_IDLE, CRN_SPAN_INHERIT);
		crn_cond_wait_for(&s->wake, &s->lock, 100000000);
		crn_span_end(&span, 0, 0);
		s->n_sleeping--;
	}
	wake_workers(s);
	if (--s->n_workers == 0)
		crn_cond_signal(&s->all_done);
	crn_mutex_unlock(&s->lock);
	crn_trace_detach();
	return NULL;
}

/* ---- public ---- */

cairn_status crn_sched_new(const crn_plan *plan, crn_cache *cache, const crn_frame_env *env,
	const crn_sched_options *options, crn_sched **ret, cairn_error *err)
{
	crn_sched *s = crn_calloc(1, sizeof(*s));
	if (!s)
		return crn_fail_memory(err, "the scheduler", sizeof(*s));
	*s = (crn_sched){.plan = plan,
		.cache = cache,
		.env = env,
		.options = *options,
		.standing = plan->standing_bytes,
		.first_failed = -1};
	s->table_allowance = plan->table_bytes;
	size_t aside = plan->standing_bytes + plan->top_bytes;
	s->slot_bytes[0] = plan->top_bytes;
	for (int l = 0; l < plan->n_levels; l++) {
		s->slot_bytes[l + 1] = plan->level_bytes[l];
		aside += plan->level_bytes[l];
	}
	assert(aside <= plan->options.memory_bytes);
	s->general = plan->options.memory_bytes - aside;
	crn_mutex_init(&s->lock, CRN_RANK_RUN);
	crn_cond_init(&s->wake);
	crn_cond_init(&s->all_done);
	crn_mutex_lock(&s->lock);
	while (cache->idle_bytes > s->general)
		crn_cache_evict(cache);
	crn_mutex_unlock(&s->lock);
	*ret = s;
	return CAIRN_OK;
}

void crn_sched_free(crn_sched *s)
{
	if (!s)
		return;
	crn_cond_done(&s->wake);
	crn_cond_done(&s->all_done);
	crn_mutex_done(&s->lock);
	crn_free(s);
}

void crn_sched_set_producers(crn_sched *s, const crn_job *const *jobs)
{
	s->producers = jobs;
}

/* Who holds the memory now, for the trace. Lock held. */
static void sample_memory(crn_sched *s)
{
	size_t used, held;
	crn_pool_count(s->env->pool, &used, &held);
	crn_memory_sample m = {.at_ns = crn_now_ns(),
		.tasks = (int64_t)(s->slots_used + s->reserved),
		.cache_idle = (int64_t)s->cache->idle_bytes,
		.tables = (int64_t)tables_beyond(s),
		.standing = (int64_t)s->standing,
		.pool_used = (int64_t)used};
	crn_trace_memory(s->env->trace, &m);
}

/* The calling thread shows progress while the workers work. Lock held on entry and exit. */
static void watch(crn_sched *s)
{
	int64_t period = s->options.progress_ns > 0 ? s->options.progress_ns : 200000000;
	int64_t due = crn_now_ns() + period;
	bool samples = crn_trace_wants_memory(s->env->trace);
	while (s->n_workers > 0) {
		int64_t now = crn_now_ns(), wait = due - now;
		if (samples) {
			sample_memory(s);
			wait = wait < CRN_TRACE_MEMORY_NS ? wait : CRN_TRACE_MEMORY_NS;
		}
		if (now < due) {
			crn_cond_wait_for(&s->all_done, &s->lock, wait);
			continue;
		}
		due = now + period;
		int64_t done = s->done;
		crn_mutex_unlock(&s->lock);
		if (s->options.progress)
			s->options.progress(s->options.progress_user, done);
		crn_mutex_lock(&s->lock);
	}
}

static cairn_status outcome(crn_sched *s, cairn_error *err)
{
	if (s->first_failed >= 0 && !(s->options.keep_going && s->status != CAIRN_INTERRUPTED)) {
		if (err)
			*err = s->error;
		return s->status;
	}
	if (stop_wish(s))
		return crn_fail(err, CAIRN_INTERRUPTED, "interrupted; the same command resumes");
	if (s->first_failed >= 0) {
		if (err)
			*err = s->error;
		crn_where(err, "%lld tasks failed in all", (long long)s->n_failed);
		if (err)
			err->status = CAIRN_PARTIAL;
		return CAIRN_PARTIAL;
	}
	return CAIRN_OK;
}

cairn_status crn_sched_run(crn_sched *s, const crn_job *job, cairn_error *err)
{
	enum { MOST_THREADS = 1024 };
	int n = s->options.n_threads < MOST_THREADS ? s->options.n_threads : MOST_THREADS;
	crn_thread *threads = crn_calloc((size_t)n, sizeof(*threads));
	worker_arg *args = crn_calloc((size_t)n, sizeof(*args));
	if (!threads || !args) {
		crn_free(threads);
		crn_free(args);
		return crn_fail_memory(err, "worker threads", (size_t)n * sizeof(*threads));
	}
	s->stage = job;
	s->cursor = s->done = s->n_failed = 0;
	s->first_failed = -1;
	s->status = CAIRN_OK;
	int started = 0;
	cairn_status status = CAIRN_OK;
	crn_mutex_lock(&s->lock);
	for (; started < n && status == CAIRN_OK; started++) {
		args[started] = (worker_arg){.sched = s, .index = started};
		status = crn_thread_start(&threads[started], worker_main, &args[started], err);
		if (status == CAIRN_OK)
			s->n_workers++;
		else
			break;
	}
	if (started > 0)
		status = CAIRN_OK; /* fewer threads, same bytes */
	watch(s);
	crn_mutex_unlock(&s->lock);
	for (int i = 0; i < started; i++)
		crn_thread_join(&threads[i]);
	crn_free(threads);
	crn_free(args);
	if (status == CAIRN_OK && s->options.progress)
		s->options.progress(s->options.progress_user, s->done);
	return status == CAIRN_OK ? outcome(s, err) : status;
}

int64_t crn_task_index(const crn_task *t)
{
	return t->index;
}

int crn_task_worker(const crn_task *t)
{
	return t->worker;
}

void *crn_task_output(const crn_task *t)
{
	return t->chunk->data;
}

const crn_region *crn_task_roots(const crn_task *t)
{
	return &t->root;
}

static const void *pinned(void *task, int slot, int64_t index)
{
	crn_task *t = task;
	/* The frame reads chunks in the order they were listed, so the search starts where it left.
	 */
	for (int i = 0; i < t->n_waits; i++) {
		int at = (t->next_want + i) % t->n_waits;
		if (t->waits[at].slot != slot || t->waits[at].index != index)
			continue;
		t->next_want = at + 1;
		return t->waits[at].chunk->data;
	}
	assert(!"the layout reads a chunk that was not asked for");
	return NULL;
}

cairn_status crn_task_frame(
	crn_task *t, const crn_view *owned, crn_view *ret_views, crn_frame **ret, cairn_error *err)
{
	crn_region roots[CRN_MAX_INPUTS];
	for (int k = 0; k < t->job->piece->n_roots; k++)
		roots[k] = t->root;
	return crn_frame_run(t->sched->env, t->job->piece, &t->layout, roots, owned, pinned, t,
		ret_views, ret, err);
}

size_t crn_sched_peak(crn_sched *s)
{
	crn_mutex_lock(&s->lock);
	size_t peak = s->peak;
	crn_mutex_unlock(&s->lock);
	return peak;
}

int64_t crn_sched_failed(const crn_sched *s)
{
	return s->n_failed;
}

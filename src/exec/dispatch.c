/* SPDX-License-Identifier: Apache-2.0
 *
 * dispatch.c -- what a worker does next: ready tasks, then producers, then new stage tasks.
 *
 * `ready` holds tasks whose chunks are all there, `queued` producers that wait for memory (last in,
 * first out: depth first, so that chunks are used soon after they were made), and a cursor runs
 * over the stage's tasks, which exist only as indices until they are admitted. Stages whose tasks
 * read no chunks take the short way (ranges.c).
 *
 * Waking: whoever finds work wakes one more sleeper, who does the same; so a burst of new work
 * spreads over the workers without waking all of them for every task.
 */
#include "exec/task.h"

#include <assert.h>

/* Stage tasks in flight beyond the threads, to have work while some are parked. */
#define MOST_AHEAD 2

void crn_sched_wake_one(crn_sched *s)
{
	if (s->n_sleeping > 0)
		crn_cond_signal(&s->wake);
}

void crn_sched_wake_all(crn_sched *s)
{
	if (s->n_sleeping > 0)
		crn_cond_broadcast(&s->wake);
}

/* ---- running an admitted task ---- */

static void close_task(crn_sched *s, crn_task *t)
{
	crn_task **at = &s->open;
	while (*at != t)
		at = &(*at)->next_open;
	*at = t->next_open;
	s->n_active--;
}

static void finish_task(crn_sched *s, crn_task *t)
{
	/* Memory first: chunks that were paid for by this task may stay in what it gives back. */
	crn_admission_release(&s->memory, &t->grant);
	if (t->chunk)
		crn_task_settle_chunk(t);
	else
		close_task(s, t);
	crn_task_unpin_all(t);
	if (t->job == s->stage && t->status != CAIRN_OK)
		crn_sched_note_failure(s, t);
	else if (t->job == s->stage)
		atomic_fetch_add_explicit(&s->done,
			t->job->size ? t->job->size(t->job->user, t->index) : 1,
			memory_order_relaxed);
	crn_task_put(s, t);
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
	t->worker = worker;
	for (;;) {
		crn_mutex_unlock(&s->lock);
		if (!t->asked) {
			crn_task_prepare_tile(t);
			take_chunk_buffer(t);
			if (t->n_wants > 0 && t->status == CAIRN_OK) {
				crn_mutex_lock(&s->lock);
				t->asked = true;
				if (!crn_task_ask_all(t))
					return; /* parked: goes to `ready` once they are there */
				crn_mutex_unlock(&s->lock);
			}
		}
		crn_task_run_tile(t);
		crn_mutex_lock(&s->lock);
		t->asked = false;
		if (crn_task_is_over(t)) {
			finish_task(s, t);
			return;
		}
		crn_task_unpin_all(t);
	}
}

/* ---- choosing work; lock held ---- */

static bool may_admit(const crn_sched *s)
{
	return !crn_sched_stop_wish(s) &&
	       (s->options.keep_going || atomic_load(&s->first_failed) == INT64_MAX);
}

/* Next admissible stage task, skipping those that are done. NULL: none now. */
static crn_task *admit_stage_task(crn_sched *s)
{
	const crn_job *job = s->stage;
	const crn_pencils *order = crn_reuse_order(s->reuse);
	int64_t at = atomic_load_explicit(&s->cursor, memory_order_relaxed);
	crn_grant grant;
	if (!may_admit(s) || s->n_active >= crn_sched_wanted(s) + MOST_AHEAD)
		return NULL;
	int64_t index = at < job->n_tasks ? crn_pencils_index(order, at) : 0;
	while (at < job->n_tasks && job->skip && job->skip(job->user, index)) {
		atomic_fetch_add_explicit(&s->done, job->size ? job->size(job->user, index) : 1,
			memory_order_relaxed);
		index = ++at < job->n_tasks ? crn_pencils_index(order, at) : 0;
	}
	atomic_store_explicit(&s->cursor, at, memory_order_relaxed);
	if (at >= job->n_tasks || !crn_sched_reserve(s, job->level, job->work_bytes, &grant))
		return NULL;
	crn_task *t = crn_task_get(s, job, index);
	if (!t) {
		crn_admission_release(&s->memory, &grant);
		crn_sched_note_no_task(s);
		return NULL;
	}
	t->grant = grant;
	t->position = at;
	t->next_open = s->open;
	s->open = t;
	atomic_store_explicit(&s->cursor, at + 1, memory_order_relaxed);
	s->n_active++;
	return t;
}

/* A queued producer that memory allows, deepest first. */
static crn_task *admit_producer(crn_sched *s)
{
	for (crn_task **at = &s->queued; *at; at = &(*at)->next) {
		crn_task *t = *at;
		if (!crn_sched_reserve(s, t->job->level, t->job->work_bytes, &t->grant))
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

/* ---- the worker's loop ---- */

static bool tasks_left(const crn_sched *s)
{
	return atomic_load_explicit(&s->cursor, memory_order_relaxed) < s->stage->n_tasks &&
	       may_admit(s);
}

static bool is_finished(const crn_sched *s)
{
	return s->n_active == 0 && !tasks_left(s);
}

/* True if a worker that found nothing to do would have, with more memory. */
static bool lacks_memory(const crn_sched *s)
{
	bool room = !s->reads_chunks || s->n_active < crn_sched_wanted(s) + MOST_AHEAD;
	return s->queued || (tasks_left(s) && room);
}

/* True if there was something to do. */
static bool work_once(crn_sched *s, crn_worker *w)
{
	if (!s->reads_chunks)
		return tasks_left(s) && crn_ranges_work(s, w);
	crn_task *t = choose(s);
	if (!t)
		return false;
	crn_sched_wake_one(s);
	advance(s, t, w->index);
	return true;
}

static bool takes_part(const crn_sched *s, const crn_worker *w)
{
	int most = s->stage->most_workers;
	return w->index < crn_sched_wanted(s) && (most == 0 || w->index < most);
}

void crn_dispatch_work(crn_sched *s, crn_worker *w)
{
	for (;;) {
		bool useful = takes_part(s, w);
		if (useful && work_once(s, w))
			continue;
		if (is_finished(s))
			break;
		/* The timeout serves wishes that come from signals, without a wake. */
		s->n_sleeping++;
		crn_span span =
			crn_span_begin(useful && lacks_memory(s) ? CRN_SPAN_STARVED : CRN_SPAN_IDLE,
				CRN_SPAN_INHERIT);
		crn_cond_wait_for(&s->wake, &s->lock, 100000000);
		crn_span_end(&span, 0, 0);
		s->n_sleeping--;
	}
	crn_sched_wake_all(s);
}

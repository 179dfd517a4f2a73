/* SPDX-License-Identifier: Apache-2.0
 *
 * ranges.c -- tasks that read no cached chunks: handed out in ranges of indices, without a lock.
 *
 *	cursor: ──[worker 0: 32]──[worker 1: 32]──[worker 0: 64]──> n_tasks
 *
 * Such a task waits for nothing, so a worker keeps one grant and one task object for all the tasks
 * it runs; a range costs one atomic addition, a task no heap call and no lock of the scheduler.
 * Ranges grow until one takes a fair part of a millisecond, and shrink towards the end so that the
 * workers finish together.
 *
 * A failure stops every worker at the failed index: ranges below it were handed out before, and
 * are worked to the end. So the reported failure is the lowest one, as with one thread.
 */
#include "exec/task.h"

#define RANGE_NS 200000 /* what a range should take */
#define MOST_IN_RANGE 4096

static bool goes_on(const crn_sched *s, int64_t index)
{
	if (crn_sched_stop_wish(s))
		return false;
	return s->options.keep_going ||
	       index < atomic_load_explicit(&s->first_failed, memory_order_relaxed);
}

/* Runs one task; the progress units it stands for, or 0 after a failure. */
static int64_t run_one(crn_sched *s, crn_task *t, int64_t index)
{
	const crn_job *job = s->stage;
	if (job->skip && job->skip(job->user, index))
		return job->size ? job->size(job->user, index) : 1;
	int64_t voxels = 0;
	crn_task_reset(t, index);
	t->position = index;
	do {
		crn_task_prepare_tile(t);
		crn_task_run_tile(t);
		voxels += job->piece ? crn_region_count(&t->root) : 1;
	} while (!crn_task_is_over(t));
	if (t->status == CAIRN_OK)
		return job->size ? voxels : 1;
	crn_mutex_lock(&s->lock);
	crn_sched_note_failure(s, t);
	crn_mutex_unlock(&s->lock);
	return 0;
}

/* Tasks in the range after one of n tasks that took so long. */
static int64_t next_range(const crn_sched *s, int64_t n, int64_t took_ns, int64_t from)
{
	int64_t fair = (s->stage->n_tasks - from) / (4 * crn_sched_wanted(s)) + 1;
	n = took_ns < RANGE_NS / 2 ? 2 * n : took_ns > 2 * RANGE_NS ? n / 2 : n;
	n = n < MOST_IN_RANGE ? n : MOST_IN_RANGE;
	n = n < fair ? n : fair;
	return n > 1 ? n : 1;
}

/* One range from the cursor on; false when nothing is left for this worker. */
static bool run_range(crn_sched *s, crn_worker *w, crn_task *t, int64_t n, int64_t *ret_end)
{
	int64_t first = atomic_fetch_add_explicit(&s->cursor, n, memory_order_relaxed);
	int64_t end = s->stage->n_tasks - first < n ? s->stage->n_tasks : first + n;
	int64_t done = 0, i = first;
	for (; i < end && goes_on(s, i); i++)
		done += run_one(s, t, i);
	atomic_fetch_add_explicit(&s->done, done, memory_order_relaxed);
	*ret_end = end;
	return i == end && end < s->stage->n_tasks && w->index < crn_sched_wanted(s);
}

bool crn_ranges_work(crn_sched *s, crn_worker *w)
{
	crn_grant grant;
	int64_t n = 1, end = 0, start;
	if (!crn_sched_reserve(s, -1, s->stage->work_bytes, &grant))
		return false;
	crn_task *t = crn_task_get(s, s->stage, 0);
	if (!t) {
		crn_sched_note_no_task(s);
		crn_admission_release(&s->memory, &grant);
		return true;
	}
	t->worker = w->index;
	s->n_active++;
	crn_mutex_unlock(&s->lock);
	start = crn_now_ns();
	while (run_range(s, w, t, n, &end)) {
		int64_t now = crn_now_ns();
		n = next_range(s, n, now - start, end);
		start = now;
	}
	crn_mutex_lock(&s->lock);
	s->n_active--;
	crn_task_put(s, t);
	crn_admission_release(&s->memory, &grant);
	return true;
}

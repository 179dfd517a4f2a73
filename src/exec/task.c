/* SPDX-License-Identifier: Apache-2.0
 *
 * task.c -- one task: its tiles, the chunks they read, and what happens to it at the end.
 *
 * A task object is a few hundred bytes and a layout; a run of 10^6 tasks uses a handful of them
 * again and again, so that starting a task costs no heap call.
 */
#include "exec/task.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>
#include <time.h>

/* ---- objects ---- */

static int spare_list(const crn_sched *s, const crn_job *job)
{
	for (int c = 0; job != s->stage && c < s->plan->n_cuts; c++)
		if (s->producers[c] == job)
			return c;
	return s->plan->n_cuts;
}

void crn_task_reset(crn_task *t, int64_t index)
{
	const crn_job *job = t->job;
	t->index = index;
	t->chunk = NULL;
	t->tile = 0;
	t->n_tiles = job->n_tiles ? job->n_tiles(job->user, index) : job->piece ? 1 : 0;
	t->n_wants = t->n_pinned = t->next_want = t->missing = 0;
	t->asked = t->begun = false;
	t->memory = NULL;
	t->status = CAIRN_OK;
}

crn_task *crn_task_get(crn_sched *s, const crn_job *job, int64_t index)
{
	crn_task **spare = &s->spare[spare_list(s, job)], *t = *spare;
	if (t) {
		*spare = t->next;
	} else {
		t = crn_calloc(1, sizeof(*t));
		if (!t)
			return NULL;
		t->sched = s;
		t->job = job;
		if (job->piece && crn_layout_new(job->piece, &t->layout, NULL) != CAIRN_OK) {
			crn_free(t);
			return NULL;
		}
	}
	crn_task_reset(t, index);
	return t;
}

void crn_task_put(crn_sched *s, crn_task *t)
{
	assert(t->n_pinned == 0);
	crn_task_list_push(&s->spare[spare_list(s, t->job)], t);
}

void crn_task_free_spares(crn_task **list)
{
	while (*list) {
		crn_task *t = *list;
		*list = t->next;
		crn_layout_done(&t->layout);
		crn_free(t->wants);
		crn_free(t);
	}
}

/* ---- tiles; no lock ---- */

static cairn_status wants_add(crn_task *t, int slot, int64_t index, cairn_error *err)
{
	if (t->n_wants == t->cap_wants) {
		int cap = t->cap_wants ? 2 * t->cap_wants : 16;
		crn_want *wants = crn_realloc_array(t->wants, (size_t)cap, sizeof(*wants));
		if (!wants)
			return crn_fail_memory(err, "a task", (size_t)cap * sizeof(*wants));
		t->wants = wants;
		t->cap_wants = cap;
	}
	t->wants[t->n_wants++] = (crn_want){.slot = slot, .index = index};
	return CAIRN_OK;
}

/* Lists every chunk of one leaf's region. */
static cairn_status list_region(crn_task *t, int slot, const crn_region *r, cairn_error *err)
{
	const crn_tiling *grid = &t->sched->plan->cuts[slot].chunks;
	int64_t first[CRN_MAX_NDIM], n[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], count = 1;
	crn_tiling_overlap(grid, r, first, n);
	for (int d = 0; d < r->ndim; d++)
		count *= n[d];
	for (int64_t c = 0; c < count; c++) {
		crn_unravel(c, r->ndim, n, idx);
		for (int d = 0; d < r->ndim; d++)
			idx[d] += first[d];
		CRN_TRY(wants_add(t, slot, crn_ravel(idx, r->ndim, grid->grid), err));
	}
	return CAIRN_OK;
}

static cairn_status list_chunks(crn_task *t, cairn_error *err)
{
	const crn_piece *piece = t->job->piece;
	t->n_wants = 0;
	for (int i = 0; i < piece->n_nodes; i++)
		for (int v = 0; piece->nodes[i].role == CRN_ROLE_CHUNKS && v < t->layout.of[i].n;
			v++)
			CRN_TRY(list_region(
				t, piece->nodes[i].slot, &t->layout.of[i].region[v], err));
	return CAIRN_OK;
}

/* A pause of up to 60 microseconds before some steps, so that tests meet rare interleavings. */
static void pause_at_random(const crn_task *t, uint64_t step)
{
	uint64_t h = t->sched->options.jitter;
	h = (h ^ ((uint64_t)t->index * 2 + step)) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 29) ^ (uint64_t)t->tile) * 0xbf58476d1ce4e5b9u;
	h ^= h >> 32;
	if (h % 4 == 0)
		nanosleep(&(struct timespec){.tv_nsec = (long)(h >> 8) % 60000}, NULL);
}

void crn_task_prepare_tile(crn_task *t)
{
	const crn_job *job = t->job;
	if (t->sched->options.jitter)
		pause_at_random(t, 0);
	if (t->status != CAIRN_OK || !job->piece || t->tile >= t->n_tiles)
		return;
	t->root = job->roots(job->user, t->index, t->tile);
	crn_region roots[CRN_MAX_INPUTS];
	for (int k = 0; k < job->piece->n_roots; k++)
		roots[k] = t->root;
	crn_layout_fill(&t->layout, job->piece, roots);
	t->status = list_chunks(t, &t->error);
}

void crn_task_run_tile(crn_task *t)
{
	const crn_job *job = t->job;
	if (t->sched->options.jitter)
		pause_at_random(t, 1);
	if (t->status == CAIRN_OK && crn_sched_stop_wish(t->sched) >= 2)
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

bool crn_task_is_over(const crn_task *t)
{
	return t->status != CAIRN_OK || t->tile >= t->n_tiles;
}

/* ---- chunks; lock held ---- */

/* The chunk of a want; absent ones are added, with a queued task that produces them. NULL when out
 * of memory. */
static crn_chunk *find_or_produce(crn_sched *s, const crn_want *w)
{
	const crn_cut *cut = &s->plan->cuts[w->slot];
	crn_chunk *k = crn_cache_find(s->cache, cut->key, w->index);
	if (k)
		return k;
	crn_task *producer = crn_task_get(s, s->producers[w->slot], w->index);
	if (!producer)
		return NULL;
	crn_region r = crn_tiling_region(&cut->chunks, w->index);
	k = crn_cache_add(s->cache, cut->key, w->index, crn_cut_bytes(cut, &r));
	if (!k) {
		crn_task_put(s, producer);
		return NULL;
	}
	producer->chunk = k;
	crn_task_list_push(&s->queued, producer);
	return k;
}

/* The first failed chunk in the order of the list decides, so that the error does not depend on
 * which failed first. */
static void take_chunk_error(crn_task *t)
{
	for (int i = 0; i < t->n_pinned && t->status == CAIRN_OK; i++) {
		const crn_chunk *k = t->wants[i].chunk;
		if (k->state != CRN_CHUNK_FAILED)
			continue;
		t->status = k->error ? k->error->status : CAIRN_FAILED;
		if (k->error)
			t->error = *k->error;
		else
			crn_fail_memory(&t->error, "an error message", sizeof(t->error));
	}
}

bool crn_task_ask_all(crn_task *t)
{
	crn_sched *s = t->sched;
	t->missing = 0;
	for (int i = 0; i < t->n_wants; i++) {
		crn_want *w = &t->wants[i];
		w->chunk = find_or_produce(s, w);
		if (!w->chunk) {
			t->status = crn_fail_memory(&t->error, "a chunk", sizeof(crn_chunk));
			break;
		}
		crn_cache_pin(s->cache, w->chunk);
		t->n_pinned++;
		if (w->chunk->state != CRN_CHUNK_PENDING)
			continue;
		w->waiter = (crn_waiter){.next = w->chunk->waiters, .task = t};
		w->chunk->waiters = &w->waiter;
		t->missing++;
	}
	if (t->missing == 0)
		take_chunk_error(t);
	return t->missing == 0;
}

static bool is_open(void *user, int64_t position)
{
	const crn_sched *s = user;
	if (position >= atomic_load_explicit(&s->cursor, memory_order_relaxed))
		return true;
	for (const crn_task *t = s->open; t; t = t->next_open)
		if (t->position == position)
			return true;
	return false;
}

int64_t crn_task_next_use(crn_sched *s, int slot, int64_t index)
{
	return crn_reuse_next(s->reuse, s->cache, slot, index, is_open, s);
}

/* True if an idle chunk of these bytes, needed at `next_use`, may stay: there is room for it, if
 * need be that of chunks needed later. */
static bool make_room_to_keep(crn_sched *s, size_t bytes, int64_t next_use)
{
	if (!crn_admission_fits(&s->memory, bytes))
		return false;
	while (crn_admission_over(&s->memory, s->cache->idle_bytes, bytes)) {
		if (crn_cache_farthest(s->cache) <= next_use)
			return false;
		crn_cache_evict(s->cache);
	}
	return true;
}

void crn_task_unpin_all(crn_task *t)
{
	crn_sched *s = t->sched;
	int n = t->n_pinned;
	t->n_pinned = 0;
	for (int i = 0; i < n; i++) {
		const crn_want *w = &t->wants[i];
		crn_chunk *k = w->chunk;
		int64_t next_use = CRN_NEVER;
		bool keep = false;
		if (k->pins == 1 && k->state == CRN_CHUNK_READY) {
			next_use = crn_task_next_use(s, w->slot, w->index);
			keep = (next_use != CRN_NEVER || crn_reuse_later(s->reuse, w->slot)) &&
			       make_room_to_keep(s, crn_buffer_bytes(k->bytes), next_use);
		}
		crn_cache_unpin(s->cache, k, keep, next_use);
	}
	t->n_wants = 0;
}

void crn_task_settle_chunk(crn_task *t)
{
	crn_sched *s = t->sched;
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
		if (--waiting->missing == 0) {
			take_chunk_error(waiting);
			crn_task_list_push(&s->ready, waiting);
		}
		w = next;
	}
	/* Waiters hold the pins; without any (all dropped) the chunk goes. */
	if (k->pins == 0)
		crn_cache_drop(s->cache, k);
}

/* ---- for jobs ---- */

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

/* The frame reads chunks in the order they were listed, so the search starts where it left. */
static const void *pinned(void *task, int slot, int64_t index)
{
	crn_task *t = task;
	for (int i = 0; i < t->n_wants; i++) {
		int at = (t->next_want + i) % t->n_wants;
		if (t->wants[at].slot != slot || t->wants[at].index != index)
			continue;
		t->next_want = at + 1;
		return t->wants[at].chunk->data;
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

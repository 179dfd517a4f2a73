/* SPDX-License-Identifier: Apache-2.0
 *
 * admission_model_test.c -- a model check of the scheduler's admission: every state that small runs
 * can get into, with the engine's own arithmetic (admission.h).
 *
 * A run of the model has stage tasks with one or two tiles, chunks on levels that read chunks of
 * lower levels, a general part of some bytes, tasks and producers that fail, and a cancel that may
 * come at any time. Every order in which workers may choose, every chunk that may be evicted and
 * every interleaving is tried; only the lock's critical sections are atomic, as in dispatch.c.
 *
 * Checked in every state: reserved + idle <= general, one holder per slot, every state that is not
 * the end has a next one (no deadlock), no state comes back (no livelock); at the end: nothing is
 * reserved, no chunk is left pending or pinned, every task is over unless a failure or a cancel
 * kept it out, and the reported failure is that of the lowest failing task.
 *
 * CAIRN_MODEL_RUNS: number of random runs (default 300); CAIRN_MODEL_SEED: the first one's seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "exec/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TASKS = 3, MOST_CHUNKS = 4, MOST_ENTITIES = MOST_TASKS + MOST_CHUNKS, AHEAD = 2 };

/* What a worker, or the queue it is in, is doing with a task. */
typedef enum phase { NONE, QUEUED, ASKING, PARKED, READY, RUNNING, OVER } phase;
typedef enum chunk_state { ABSENT, PENDING, THERE, BROKEN } chunk_state;

/* Stage tasks are entities 0 .. n_tasks-1, the producer of chunk c is entity MOST_TASKS + c. */
typedef struct run {
	int n_tasks, n_chunks, n_workers, n_levels;
	int n_tiles[MOST_ENTITIES];
	unsigned wants[MOST_ENTITIES][2]; /* bit set of chunks, per tile */
	int level[MOST_ENTITIES];         /* -1: stage */
	int work[MOST_ENTITIES];
	bool fails[MOST_ENTITIES];
	int chunk_bytes[MOST_CHUNKS];
	int general, slot[MOST_CHUNKS + 1];
	bool keep_going, cancels;
} run;

typedef struct state {
	uint8_t phase[MOST_ENTITIES], tile[MOST_ENTITIES];
	uint8_t slot[MOST_ENTITIES];  /* granted by slot */
	uint8_t error[MOST_ENTITIES]; /* the task has failed */
	uint8_t chunk[MOST_CHUNKS];
	uint8_t cursor, cancel, first_failed; /* first_failed: n_tasks: none */
} state;

/* ---- the set of states, with what is on the present path ---- */

typedef struct seen {
	state at;
	bool on_path;
	unsigned run; /* that came here, from 1; entries of other runs are free */
} seen;

typedef struct explorer {
	const run *r;
	seen *table;
	size_t n_states;
	unsigned run;
	char complaint[200];
} explorer;

enum { TABLE = 1 << 20, MOST_STATES = 1 << 19 };

static uint64_t hash_of(const state *s)
{
	uint64_t h = 1469598103934665603u;
	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ ((const uint8_t *)s)[i]) * 1099511628211u;
	return h ^ (h >> 31);
}

static seen *look_up(explorer *e, const state *s)
{
	size_t i = hash_of(s) & (TABLE - 1);
	while (e->table[i].run == e->run && memcmp(&e->table[i].at, s, sizeof(*s)) != 0)
		i = (i + 1) & (TABLE - 1);
	return &e->table[i];
}

static bool complain(explorer *e, const char *text)
{
	if (!e->complaint[0])
		snprintf(e->complaint, sizeof(e->complaint), "%s", text);
	return false;
}

/* ---- what follows from a state ---- */

static int n_entities(const run *r)
{
	return MOST_TASKS + r->n_chunks;
}

static bool holds_pins(const state *s, int i)
{
	return s->phase[i] >= PARKED && s->phase[i] <= RUNNING;
}

static bool is_pinned(const run *r, const state *s, int chunk)
{
	for (int i = 0; i < n_entities(r); i++)
		if (holds_pins(s, i) && (r->wants[i][s->tile[i]] >> chunk & 1))
			return true;
	return false;
}

static bool is_granted(const state *s, int i)
{
	return s->phase[i] >= ASKING && s->phase[i] <= RUNNING;
}

static size_t idle_bytes(const run *r, const state *s)
{
	size_t bytes = 0;
	for (int c = 0; c < r->n_chunks; c++)
		if (s->chunk[c] == THERE && !is_pinned(r, s, c))
			bytes += (size_t)r->chunk_bytes[c];
	return bytes;
}

static crn_admission memory_of(const run *r, const state *s)
{
	crn_admission a = {.general = (size_t)r->general};
	for (int l = 0; l <= r->n_levels; l++)
		a.slot_bytes[l] = (size_t)r->slot[l];
	for (int i = 0; i < n_entities(r); i++) {
		if (!is_granted(s, i))
			continue;
		int l = r->level[i] + 1;
		if (s->slot[i]) {
			a.slot_taken[l] = true;
			a.slots_used += a.slot_bytes[l];
		} else {
			a.reserved += (size_t)r->work[i];
		}
	}
	return a;
}

static int n_busy(const run *r, const state *s)
{
	int n = 0;
	for (int i = 0; i < n_entities(r); i++)
		n += s->phase[i] == ASKING || s->phase[i] == RUNNING;
	return n;
}

static int n_active(const run *r, const state *s)
{
	int n = 0;
	for (int i = 0; i < r->n_tasks; i++)
		n += is_granted(s, i);
	return n;
}

static bool may_admit(const run *r, const state *s)
{
	return !s->cancel && (r->keep_going || s->first_failed == r->n_tasks);
}

static bool explore(explorer *e, const state *s);

/* ---- transitions: each explores what comes after it ---- */

/* Goes on with every way of evicting idle chunks until `bytes` fit, then calls `next`. */
typedef bool (*after)(explorer *e, const state *s, int i, int k);
static bool evict_then(explorer *e, const state *s, size_t bytes, after next, int i, int k)
{
	const run *r = e->r;
	crn_admission a = memory_of(r, s);
	if (!crn_admission_over(&a, idle_bytes(r, s), bytes))
		return next(e, s, i, k);
	bool evicted = false;
	for (int c = 0; c < r->n_chunks; c++) {
		if (s->chunk[c] != THERE || is_pinned(r, s, c))
			continue;
		state t = *s;
		t.chunk[c] = ABSENT;
		evicted = true;
		if (!evict_then(e, &t, bytes, next, i, k))
			return false;
	}
	return evicted || complain(e, "no idle chunk to evict although it fits");
}

static bool take_general(explorer *e, const state *s, int i, int k)
{
	state t = *s;
	(void)k;
	crn_admission a = memory_of(e->r, s);
	crn_grant g = crn_admission_take(
		&a, CRN_FROM_GENERAL, e->r->level[i], (size_t)e->r->work[i], idle_bytes(e->r, s));
	t.slot[i] = g.slot;
	t.phase[i] = ASKING;
	return explore(e, &t);
}

static bool admit(explorer *e, const state *s, int i)
{
	const run *r = e->r;
	crn_admission a = memory_of(r, s);
	size_t bytes = (size_t)r->work[i];
	crn_answer answer = crn_admission_ask(&a, r->level[i], bytes);
	state t = *s;
	if (i < r->n_tasks)
		t.cursor++;
	if (answer == CRN_REFUSED)
		return true;
	if (answer == CRN_FROM_GENERAL)
		return evict_then(e, &t, bytes, take_general, i, 0);
	crn_grant g = crn_admission_take(&a, answer, r->level[i], bytes, idle_bytes(r, s));
	t.slot[i] = g.slot;
	t.phase[i] = ASKING;
	return explore(e, &t);
}

static bool any_in_state(const run *r, const state *s, int i, chunk_state what)
{
	for (int c = 0; c < r->n_chunks; c++)
		if ((r->wants[i][s->tile[i]] >> c & 1) && s->chunk[c] == what)
			return true;
	return false;
}

/* Pins the tile's chunks and queues producers for those that are absent. */
static bool ask(explorer *e, const state *s, int i)
{
	state t = *s;
	for (int c = 0; c < MOST_CHUNKS; c++) {
		if (!(e->r->wants[i][s->tile[i]] >> c & 1) || s->chunk[c] != ABSENT)
			continue;
		int p = MOST_TASKS + c;
		if (t.phase[p] != NONE)
			return complain(e, "a chunk has two producers");
		t.chunk[c] = PENDING;
		t.phase[p] = QUEUED;
		t.tile[p] = t.slot[p] = t.error[p] = 0;
	}
	if (any_in_state(e->r, &t, i, PENDING)) {
		t.phase[i] = PARKED;
	} else {
		t.phase[i] = RUNNING;
		t.error[i] = any_in_state(e->r, &t, i, BROKEN);
	}
	return explore(e, &t);
}

/* Drops the pins of a list of chunks one after the other, from chunk k on: the last pin makes a
 * chunk idle if it fits, else frees it. `i` is the entity that went on or is over. */
static bool unpin_from(explorer *e, const state *s, int i, int k);

static bool keep_idle(explorer *e, const state *s, int i, int k)
{
	state t = *s;
	t.chunk[k] = THERE;
	return unpin_from(e, &t, i, k + 1);
}

static bool settle_and_go_on(explorer *e, const state *s, int i)
{
	const run *r = e->r;
	state t = *s;
	if (i >= MOST_TASKS && t.phase[i] == OVER) {
		int c = i - MOST_TASKS;
		t.phase[i] = NONE;
		t.chunk[c] = t.error[i] ? BROKEN : THERE;
		t.error[i] = t.tile[i] = t.slot[i] = 0;
		for (int w = 0; w < n_entities(r); w++) {
			if (t.phase[w] != PARKED || any_in_state(r, &t, w, PENDING))
				continue;
			t.phase[w] = READY;
			t.error[w] = any_in_state(r, &t, w, BROKEN);
		}
		if (!is_pinned(r, &t, c))
			t.chunk[c] = ABSENT;
	}
	return explore(e, &t);
}

static bool unpin_from(explorer *e, const state *s, int i, int k)
{
	const run *r = e->r;
	/* The entity's phase no longer pins, so its old wants are those of the tile it left. */
	unsigned wants = r->wants[i][s->phase[i] == ASKING ? s->tile[i] - 1 : s->tile[i]];
	for (; k < r->n_chunks; k++) {
		if (!(wants >> k & 1) || is_pinned(r, s, k) || s->chunk[k] == ABSENT)
			continue;
		state t = *s;
		t.chunk[k] = ABSENT; /* neither pinned nor idle while room is made */
		crn_admission a = memory_of(r, &t);
		size_t bytes = (size_t)r->chunk_bytes[k];
		if (s->chunk[k] == BROKEN || !crn_admission_fits(&a, bytes))
			return unpin_from(e, &t, i, k + 1);
		return evict_then(e, &t, bytes, keep_idle, i, k);
	}
	return settle_and_go_on(e, s, i);
}

/* The end of a tile: the next one asks for its chunks, or the task is over. */
static bool end_tile(explorer *e, const state *s, int i)
{
	const run *r = e->r;
	state t = *s;
	bool stop = s->cancel >= 2 || (r->fails[i] && s->tile[i] + 1 == r->n_tiles[i]);
	if (stop)
		t.error[i] = 1;
	if (!t.error[i] && s->tile[i] + 1 < r->n_tiles[i]) {
		t.tile[i]++;
		t.phase[i] = ASKING;
		return unpin_from(e, &t, i, 0);
	}
	t.phase[i] = OVER;
	crn_admission given_back = memory_of(r, s), expected = memory_of(r, &t);
	crn_grant g = {.slot = s->slot[i], .level = r->level[i], .bytes = (size_t)r->work[i]};
	crn_admission_release(&given_back, &g);
	if (memcmp(&given_back, &expected, sizeof(expected)) != 0)
		return complain(e, "a task gives back something else than it took");
	if (i < r->n_tasks && t.error[i] && i < t.first_failed)
		t.first_failed = (uint8_t)i;
	return unpin_from(e, &t, i, 0);
}

/* ---- invariants ---- */

static bool check_state(explorer *e, const state *s)
{
	crn_admission a = memory_of(e->r, s);
	int holders[MOST_CHUNKS + 1] = {0};
	if (a.reserved + idle_bytes(e->r, s) > (size_t)e->r->general)
		return complain(e, "more is reserved and idle than there is");
	for (int i = 0; i < n_entities(e->r); i++)
		if (is_granted(s, i) && s->slot[i] && ++holders[e->r->level[i] + 1] > 1)
			return complain(e, "a slot has two holders");
	return true;
}

/* Would the task fail on its own: it does, or a chunk under it does. */
static bool must_fail(const run *r, int i)
{
	bool bad = r->fails[i];
	for (int tile = 0; tile < r->n_tiles[i]; tile++)
		for (int c = 0; c < r->n_chunks; c++)
			if (r->wants[i][tile] >> c & 1)
				bad = bad || must_fail(r, MOST_TASKS + c);
	return bad;
}

static bool check_end(explorer *e, const state *s)
{
	const run *r = e->r;
	int lowest = r->n_tasks;
	for (int i = r->n_tasks - 1; i >= 0; i--)
		lowest = must_fail(r, i) ? i : lowest;
	if (!s->cancel && s->first_failed != lowest)
		return complain(e, "the reported failure is not the lowest");
	for (int i = 0; i < r->n_tasks; i++) {
		bool kept_out = s->cancel || (lowest < i && !r->keep_going);
		if (s->phase[i] != OVER && !(kept_out && s->phase[i] == NONE))
			return complain(e, "a task is not over at the end");
	}
	for (int c = 0; c < r->n_chunks; c++)
		if (s->phase[MOST_TASKS + c] != NONE || s->chunk[c] == PENDING ||
			s->chunk[c] == BROKEN)
			return complain(e, "a chunk is left over at the end");
	return true;
}

/* ---- all next states ---- */

static bool worker_steps(explorer *e, const state *s, int *n_next)
{
	const run *r = e->r;
	bool free_worker = n_busy(r, s) < r->n_workers;
	for (int i = 0; i < n_entities(r); i++) {
		if (s->phase[i] == ASKING) {
			++*n_next;
			if (!ask(e, s, i))
				return false;
		} else if (s->phase[i] == RUNNING) {
			++*n_next;
			if (!end_tile(e, s, i))
				return false;
		} else if (s->phase[i] == READY && free_worker) {
			state t = *s;
			t.phase[i] = RUNNING;
			++*n_next;
			if (!explore(e, &t))
				return false;
		}
	}
	return true;
}

static bool admissions(explorer *e, const state *s, int *n_next)
{
	const run *r = e->r;
	crn_admission a = memory_of(r, s);
	if (n_busy(r, s) >= r->n_workers)
		return true;
	for (int i = MOST_TASKS; i < n_entities(r); i++) {
		if (s->phase[i] != QUEUED)
			continue;
		*n_next += crn_admission_ask(&a, r->level[i], (size_t)r->work[i]) != CRN_REFUSED;
		if (!admit(e, s, i))
			return false;
	}
	int i = s->cursor;
	if (i >= r->n_tasks || !may_admit(r, s) || n_active(r, s) >= r->n_workers + AHEAD)
		return true;
	*n_next += crn_admission_ask(&a, -1, (size_t)r->work[i]) != CRN_REFUSED;
	return admit(e, s, i);
}

static bool explore(explorer *e, const state *s)
{
	const run *r = e->r;
	seen *here = look_up(e, s);
	if (here->run == e->run)
		return !here->on_path ||
		       complain(e, "a state comes back: the run may go on for ever");
	if (++e->n_states > MOST_STATES)
		return true; /* cut off: the test says how often */
	here->at = *s;
	here->on_path = true;
	here->run = e->run;
	int n_next = 0;
	bool fine = check_state(e, s) && worker_steps(e, s, &n_next) && admissions(e, s, &n_next);
	bool done = n_active(r, s) == 0 && (s->cursor >= r->n_tasks || !may_admit(r, s));
	if (fine && done)
		fine = (n_next == 0 || complain(e, "work is left when the stage is called done")) &&
		       check_end(e, s);
	else if (fine && n_next == 0)
		fine = complain(e, "deadlock");
	if (fine && r->cancels && s->cancel < 2 && !done) {
		state t = *s;
		t.cancel++;
		fine = explore(e, &t);
	}
	look_up(e, s)->on_path = false;
	return fine;
}

/* ---- runs ---- */

static uint64_t rng;

static int between(int least, int most)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return least + (int)((rng >> 33) % (uint64_t)(most - least + 1));
}

/* Work of an entity: something of its own and the chunks that its widest tile pins. */
static int work_of(const run *r, int i)
{
	int widest = 0;
	for (int tile = 0; tile < r->n_tiles[i]; tile++) {
		int bytes = 0;
		for (int c = 0; c < r->n_chunks; c++)
			bytes += r->wants[i][tile] >> c & 1 ? r->chunk_bytes[c] : 0;
		widest = bytes > widest ? bytes : widest;
	}
	return widest + 1;
}

static void make_run(run *r)
{
	*r = (run){.n_tasks = between(1, MOST_TASKS), .n_chunks = between(1, MOST_CHUNKS)};
	r->n_workers = between(1, 3);
	r->n_levels = between(1, r->n_chunks < 3 ? r->n_chunks : 3);
	r->keep_going = between(0, 3) == 0;
	r->cancels = between(0, 2) == 0;
	for (int c = 0; c < r->n_chunks; c++) {
		r->chunk_bytes[c] = between(1, 3);
		r->level[MOST_TASKS + c] = c < r->n_levels ? c : between(0, r->n_levels - 1);
	}
	for (int i = 0; i < n_entities(r); i++) {
		r->n_tiles[i] = between(1, 2);
		if (i < MOST_TASKS)
			r->level[i] = -1;
		for (int tile = 0; tile < r->n_tiles[i]; tile++)
			for (int c = 0; c < r->n_chunks; c++)
				if (i < MOST_TASKS || r->level[MOST_TASKS + c] < r->level[i])
					r->wants[i][tile] |= (unsigned)between(0, 1) << c;
		r->fails[i] = between(0, 5) == 0;
	}
	/* Slots as the plan makes them: the largest task of the level. */
	for (int i = 0; i < n_entities(r); i++) {
		int l = r->level[i] + 1;
		r->work[i] = work_of(r, i);
		if (i < r->n_tasks || i >= MOST_TASKS)
			r->slot[l] = r->work[i] > r->slot[l] ? r->work[i] : r->slot[l];
	}
	/* All tasks of a job have one size; the stage is one job. */
	for (int i = 0; i < r->n_tasks; i++)
		r->work[i] = r->slot[0];
	r->general = between(0, 12);
}

static void test_every_state_of_small_runs(void **state_of_test)
{
	(void)state_of_test;
	const char *runs = getenv("CAIRN_MODEL_RUNS"), *from = getenv("CAIRN_MODEL_SEED");
	int n = runs ? atoi(runs) : 300, cut_off = 0;
	uint64_t seed = from ? strtoull(from, NULL, 0) : 1;
	size_t states = 0;
	explorer e = {.table = crn_calloc(TABLE, sizeof(*e.table))};
	assert_non_null(e.table);
	for (int k = 0; k < n; k++, seed++) {
		run r;
		state start;
		rng = seed * 0x9e3779b97f4a7c15u + 1;
		make_run(&r);
		memset(&start, 0, sizeof(start));
		start.first_failed = (uint8_t)r.n_tasks;
		e.r = &r;
		e.run = (unsigned)k + 1;
		e.n_states = 0;
		if (!explore(&e, &start))
			fail_msg("seed %llu: %s (after %zu states)", (unsigned long long)seed,
				e.complaint, e.n_states);
		cut_off += e.n_states > MOST_STATES;
		states += e.n_states;
	}
	print_message("%d runs up to seed %llu, %zu states, %d runs cut off\n", n,
		(unsigned long long)seed - 1, states, cut_off);
	assert_true(cut_off <= n / 10);
	crn_free(e.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_of_small_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.c -- facts of a finished run, and the sentence that says what limited it. See profile.h.
 */
#include "exec/profile.h"

#include "base/mem.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Above these shares of the workers' time, waiting explains the run better than any work does. */
#define STARVED_SHARE 0.25
#define IDLE_SHARE 0.40
#define SERIAL_SHARE 0.30
/* Processor time per busy time below which the machine was shared with others. */
#define CROWDED_SHARE 0.75

static const char *const limit_names[] = {
	"read", "decode", "compute", "encode", "write", "budget", "tasks", "serial"};

const char *crn_limit_name(crn_limit limit)
{
	return limit_names[limit];
}

void crn_profile_done(crn_profile *p)
{
	crn_free(p->nodes);
	*p = (crn_profile){0};
}

/* ---- per node ---- */

/* A node without time of its own that is a step of a block program: whose program it is. */
static void mark_fused(crn_profile *p, const crn_piece *piece)
{
	for (int i = 0; i < piece->n_nodes; i++) {
		const crn_pnode *pn = &piece->nodes[i];
		for (int s = 0; pn->role == CRN_ROLE_GROUP && s < pn->program.n_steps; s++) {
			int info = pn->program.steps[s].info;
			if (info != pn->info && p->nodes[info].spans[CRN_SPAN_COMPUTE].n == 0)
				p->nodes[info].fused_into = pn->info;
		}
	}
}

static void fill_nodes(crn_profile *p)
{
	const crn_state *st = p->st;
	const crn_plan *plan = st->plan;
	for (int i = 0; i < plan->n_infos; i++) {
		crn_profile_node *n = &p->nodes[i];
		crn_trace_node(st->trace, i, n->spans);
		n->fused_into = -1;
		n->wanted = crn_region_count(&plan->infos[i].wanted);
		n->computed = atomic_load(&st->voxels[i]);
		n->folded = atomic_load(&st->folded[i]);
		n->restored = st->restored[i];
		for (int k = 0; k < CRN_N_SPANS; k++)
			n->ns += n->spans[k].ns;
	}
	for (int c = 0; c < plan->n_cuts; c++)
		mark_fused(p, &plan->cuts[c].piece);
	for (int g = 0; g < plan->n_globals; g++)
		mark_fused(p, &plan->globals[g].piece);
	for (int r = 0; r < plan->n_residents; r++)
		mark_fused(p, &plan->residents[r].piece);
	for (int s = 0; s < plan->n_stages; s++)
		mark_fused(p, &plan->stages[s].piece);
}

/* ---- what limited the run ---- */

static void fill_shares(crn_profile *p)
{
	double whole = (double)crn_trace_worker_ns(p->st->trace);
	crn_trace_all(p->st->trace, p->all);
	for (int k = 0; k < CRN_N_SPANS && whole > 0; k++)
		p->share[k] = (double)p->all[k].ns / whole;
	const crn_trace *t = p->st->trace;
	const crn_lane *main_lane = crn_trace_lane(t, crn_trace_main(t));
	double busy = 0;
	for (int i = 0; i < (main_lane->n_nodes + 1) * CRN_N_SPANS; i++)
		busy += (double)main_lane->totals[i].ns;
	p->serial_share = p->seconds > 0 ? busy * 1e-9 / p->seconds : 0;
}

static const char *name_of(const crn_profile *p, int node)
{
	return p->st->plan->infos[node].node->origin;
}

/* What the main thread did most: a node's name, or a kind of work that is no node's. */
static const char *top_of_main(const crn_profile *p)
{
	const crn_lane *l = crn_trace_lane(p->st->trace, crn_trace_main(p->st->trace));
	int best = 0;
	for (int i = 1; i < (l->n_nodes + 1) * CRN_N_SPANS; i++)
		best = l->totals[i].ns > l->totals[best].ns ? i : best;
	int node = best / CRN_N_SPANS;
	return node < l->n_nodes ? name_of(p, node)
				 : crn_span_name((crn_span_kind)(best % CRN_N_SPANS));
}

/* What the user wrote that took most time of a kind: passes of one filter have one name. */
static const char *top_name(const crn_profile *p, crn_span_kind kind, crn_totals *ret)
{
	const char *name = "";
	*ret = (crn_totals){0};
	for (int i = 0; i < p->st->plan->n_infos; i++) {
		crn_totals sum = {0};
		for (int k = 0; k < p->st->plan->n_infos; k++) {
			const crn_totals *t = &p->nodes[k].spans[kind];
			if (strcmp(name_of(p, i), name_of(p, k)) != 0)
				continue;
			sum.ns += t->ns;
			sum.voxels = t->voxels > sum.voxels ? t->voxels : sum.voxels;
		}
		if (sum.ns <= ret->ns)
			continue;
		*ret = sum;
		name = name_of(p, i);
	}
	return name;
}

static int64_t n_tasks(const crn_plan *p)
{
	int64_t n = 0;
	for (int s = 0; s < p->n_stages; s++)
		n += p->stages[s].kind == CRN_STAGE_TABLE ? 0 : p->stages[s].tasks.n_tiles;
	return n;
}

static void say_waiting(crn_profile *p)
{
	const crn_plan *plan = p->st->plan;
	char have[32], work[32];
	int percent = (int)(p->limit_share * 100 + 0.5);
	crn_format_bytes((double)plan->options.memory_bytes, have);
	crn_format_bytes((double)plan->top_bytes, work);
	if (p->limit == CRN_LIMIT_BUDGET)
		snprintf(p->sentence, sizeof(p->sentence),
			"Memory: for %d %% of their time the %d threads waited for room in the "
			"budget of %s (one task takes up to %s); a larger --memory would help.",
			percent, plan->options.n_threads, have, work);
	else if (p->limit == CRN_LIMIT_TASKS)
		snprintf(p->sentence, sizeof(p->sentence),
			"Too few tasks: for %d %% of their time the %d threads had nothing to do; "
			"the run had %lld tasks. Fewer threads, or smaller output chunks, would "
			"do.",
			percent, plan->options.n_threads, (long long)n_tasks(plan));
	else
		snprintf(p->sentence, sizeof(p->sentence),
			"Serial work: for %d %% of the run one thread worked alone, most of it for "
			"%.120s.",
			percent, top_of_main(p));
}

/* Processor time per time of busy threads; below 1 when others use the machine too. 1 where files
 * are waited for, which takes no processor. */
static double core_share(const crn_profile *p)
{
	double busy = 0;
	for (int k = 0; k < CRN_SPAN_IDLE; k++)
		busy += (double)p->all[k].ns * 1e-9;
	double waits = (double)(p->all[CRN_SPAN_READ].ns + p->all[CRN_SPAN_WRITE].ns) * 1e-9;
	if (busy < 0.1 || waits > 0.2 * busy || p->cpu_seconds > busy)
		return 1;
	return p->cpu_seconds / busy;
}

/* On a machine that others use too, every time is longer than it had to be. */
static void say_crowded(crn_profile *p)
{
	size_t n = strlen(p->sentence);
	double share = core_share(p);
	if (share < CROWDED_SHARE)
		snprintf(p->sentence + n, sizeof(p->sentence) - n,
			" Other programs used the machine too: busy threads had a core for %.0f %% "
			"of that time.",
			100 * share);
}

static void say_work(crn_profile *p, crn_span_kind kind)
{
	static const char *const doing[] = {
		"reading", "decoding", "computing", "copying", "encoding", "writing"};
	static const char *const heads[] = {
		"Reading", "Decoding", "Compute", "Copying", "Encoding", "Writing"};
	int percent = (int)(p->limit_share * 100 + 0.5);
	const crn_totals *all = &p->all[kind];
	crn_totals one;
	const char *name = top_name(p, kind, &one);
	char rate[64] = "";
	double ns = (double)one.ns;
	if (kind == CRN_SPAN_COMPUTE && one.voxels > 0)
		snprintf(rate, sizeof(rate), ", %.3g ns of a core a voxel",
			ns * core_share(p) / (double)one.voxels);
	else if (kind != CRN_SPAN_COMPUTE && all->bytes > 0)
		snprintf(rate, sizeof(rate), ", %.3g GB/s a thread",
			(double)all->bytes / (double)(all->ns > 0 ? all->ns : 1));
	snprintf(p->sentence, sizeof(p->sentence),
		"%s: %d %% of the threads' time went into %s (%.3g s), most of it for %.120s (%.3g "
		"s%s).",
		heads[kind], percent, doing[kind], (double)all->ns * 1e-9, name, ns * 1e-9, rate);
}

static void judge(crn_profile *p)
{
	static const crn_span_kind work[] = {
		CRN_SPAN_READ, CRN_SPAN_DECODE, CRN_SPAN_COMPUTE, CRN_SPAN_ENCODE, CRN_SPAN_WRITE};
	double idle = p->share[CRN_SPAN_IDLE], starved = p->share[CRN_SPAN_STARVED];
	if (starved > STARVED_SHARE && starved >= idle) {
		p->limit = CRN_LIMIT_BUDGET;
		p->limit_share = starved;
	} else if (p->serial_share > SERIAL_SHARE && p->st->plan->options.n_threads > 1) {
		p->limit = CRN_LIMIT_SERIAL;
		p->limit_share = p->serial_share;
	} else if (idle > IDLE_SHARE) {
		p->limit = CRN_LIMIT_TASKS;
		p->limit_share = idle;
	}
	if (p->limit_share > 0) {
		say_waiting(p);
		return;
	}
	for (size_t i = 0; i < CRN_COUNT(work); i++) {
		double share = p->share[work[i]];
		/* Copies are made for what is computed from them. */
		share += work[i] == CRN_SPAN_COMPUTE ? p->share[CRN_SPAN_COPY] : 0;
		if (share <= p->limit_share)
			continue;
		p->limit = (crn_limit)i;
		p->limit_share = share;
	}
	if (p->limit_share > 0)
		say_work(p, work[p->limit]);
	else
		snprintf(p->sentence, sizeof(p->sentence), "Nothing was left to do.");
}

cairn_status crn_profile_make(
	const crn_state *st, double seconds, crn_profile *ret, cairn_error *err)
{
	crn_profile p = {.st = st,
		.seconds = seconds,
		.cpu_seconds = (double)(crn_cpu_ns() - st->cpu_start_ns) * 1e-9};
	p.nodes = crn_calloc((size_t)st->plan->n_infos + 1, sizeof(*p.nodes));
	if (!p.nodes)
		return crn_fail_memory(err, "a profile", sizeof(*p.nodes));
	fill_nodes(&p);
	fill_shares(&p);
	judge(&p);
	say_crowded(&p);
	*ret = p;
	return CAIRN_OK;
}

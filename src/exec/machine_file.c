/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_file.c -- loading, saving and teaching the machine's cost table. See machine_file.h.
 */
#include "exec/machine_file.h"

#include "base/mem.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_FILE_BYTES ((size_t)1 << 20)
/* Less than this teaches nothing: clocks and cold caches weigh too much. */
#define FEWEST_NS 2000000
#define FEWEST_VOXELS 65536

/* ---- this machine ---- */

void crn_machine_identify(crn_machine *ret)
{
	char line[512], model[80] = "unknown";
	FILE *f = fopen("/proc/cpuinfo", "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *value = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;
		if (!value)
			continue;
		value[strcspn(value, "\n")] = '\0';
		snprintf(model, sizeof(model), "%.79s", value + 1 + (value[1] == ' '));
		break;
	}
	if (f)
		fclose(f);
	long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
	*ret = (crn_machine){.n_cores = crn_n_cores(), .l2_bytes = l2 > 0 ? (double)l2 : 0};
	snprintf(ret->cpu, sizeof(ret->cpu), "%s", model);
}

static bool is_this_machine(const crn_machine *m)
{
	crn_machine here;
	crn_machine_identify(&here);
	return m->n_cores == here.n_cores && strcmp(m->cpu, here.cpu) == 0;
}

/* ---- the file ---- */

static cairn_status read_file(const char *path, char **ret, size_t *ret_n, cairn_error *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return crn_fail_errno(err, CAIRN_INPUT, "opening", path);
	CRN_FREE char *text = crn_alloc(MOST_FILE_BYTES + 1);
	size_t n = text ? fread(text, 1, MOST_FILE_BYTES + 1, f) : 0;
	bool bad = ferror(f) || n > MOST_FILE_BYTES;
	fclose(f);
	if (!text)
		return crn_fail_memory(err, path, MOST_FILE_BYTES);
	if (bad)
		return crn_fail(err, CAIRN_INPUT, "%s is no cost table", path);
	*ret = crn_steal(&text);
	*ret_n = n;
	return CAIRN_OK;
}

static cairn_status load(const char *path, crn_costs *ret, cairn_error *err)
{
	char *text = NULL;
	size_t n;
	crn_json *doc = NULL;
	CRN_TRY(read_file(path, &text, &n, err));
	cairn_status status = crn_json_parse(text, n, CAIRN_INPUT, &doc, err);
	crn_free(text);
	CRN_TRY(status);
	status = crn_costs_parse(doc, ret, err);
	crn_json_free(doc);
	return status;
}

void crn_machine_load(const char *path, crn_costs *ret)
{
	crn_costs c = {0};
	if (load(path, &c, NULL) == CAIRN_OK && is_this_machine(&c.machine)) {
		*ret = c;
		return;
	}
	crn_costs_done(&c);
	crn_machine_identify(&c.machine);
	*ret = c;
}

static cairn_status write_file(int fd, const crn_str *text, const char *path, cairn_error *err)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return crn_fail_errno(err, CAIRN_FAILED, "writing", path);
		done += (size_t)n;
	}
	return CAIRN_OK;
}

cairn_status crn_machine_save(const char *path, const crn_costs *c, cairn_error *err)
{
	CRN_STR text = {0};
	CRN_STR temporary = {0};
	crn_costs_print(c, &text);
	crn_str_appendf(&temporary, "%s.XXXXXX", path);
	if (text.oom || temporary.oom)
		return crn_fail_memory(err, path, text.len);
	CRN_TRY(crn_make_parent(path, err));
	int fd = mkostemp(temporary.data, O_CLOEXEC);
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_FAILED, "creating", temporary.data);
	cairn_status status = write_file(fd, &text, temporary.data, err);
	if (close(fd) != 0 && status == CAIRN_OK)
		status = crn_fail_errno(err, CAIRN_FAILED, "writing", temporary.data);
	if (status == CAIRN_OK && rename(temporary.data, path) != 0)
		status = crn_fail_errno(err, CAIRN_FAILED, "writing", path);
	if (status != CAIRN_OK)
		unlink(temporary.data);
	return status;
}

/* ---- learning ---- */

static bool is_enough(int64_t ns, int64_t n)
{
	return ns >= FEWEST_NS && n >= FEWEST_VOXELS;
}

static bool take(crn_costs *c, const crn_cost *entry)
{
	/* Without memory for one more the table stays as it is. */
	return crn_costs_learn(c, entry, NULL) == CAIRN_OK;
}

static bool learn_node(crn_costs *c, const crn_plan *p, int info, double ns)
{
	crn_cost e = crn_costs_entry(p->infos[info].node, p->options.isa);
	e.ns = ns;
	return take(c, &e);
}

/* A block program's time is shared out to its steps as their descriptors' figures stand. */
static bool learn_group(crn_costs *c, const crn_plan *p, const crn_program *g, double ns)
{
	double guess = 0;
	for (int s = 0; s < g->n_steps; s++)
		guess += crn_costs_entry(p->infos[g->steps[s].info].node, p->options.isa).guess;
	for (int s = 0; s < g->n_steps && guess > 0; s++) {
		int info = g->steps[s].info;
		double own = crn_costs_entry(p->infos[info].node, p->options.isa).guess;
		if (!learn_node(c, p, info, ns * own / guess))
			return false;
	}
	return true;
}

static const crn_program *program_in(const crn_piece *piece, int info)
{
	for (int i = 0; i < piece->n_nodes; i++)
		if (piece->nodes[i].role == CRN_ROLE_GROUP && piece->nodes[i].info == info)
			return &piece->nodes[i].program;
	return NULL;
}

/* The block program whose root is this node, in the first piece that has one. */
static const crn_program *program_of(const crn_plan *p, int info)
{
	const crn_program *found = NULL;
	for (int c = 0; c < p->n_cuts && !found; c++)
		found = program_in(&p->cuts[c].piece, info);
	for (int g = 0; g < p->n_globals && !found; g++)
		found = program_in(&p->globals[g].piece, info);
	for (int r = 0; r < p->n_residents && !found; r++)
		found = program_in(&p->residents[r].piece, info);
	for (int s = 0; s < p->n_stages && !found; s++)
		found = program_in(&p->stages[s].piece, info);
	return found;
}

static bool learn_compute(
	crn_costs *c, const crn_plan *p, int info, const crn_totals *t, double share)
{
	double ns = (double)t->ns * share / (double)t->voxels;
	if (p->infos[info].node->op->kind != CRN_ELEMENTWISE)
		return learn_node(c, p, info, ns);
	const crn_program *g = program_of(p, info);
	return g && learn_group(c, p, g, ns);
}

static const crn_format *format_written(const crn_plan *p, int info)
{
	for (int s = 0; s < p->n_stages; s++)
		if (p->stages[s].kind == CRN_STAGE_ARRAY && p->stages[s].index == info)
			return p->stages[s].format;
	return NULL;
}

/* Decoding and the reading inside it, or encoding and writing: per byte of voxels. */
static bool learn_io(
	crn_costs *c, const crn_plan *p, int info, const crn_totals *spans, double share)
{
	const crn_node *n = p->infos[info].node;
	const crn_format *written = format_written(p, info);
	const crn_totals *code = &spans[n->source ? CRN_SPAN_DECODE : CRN_SPAN_ENCODE];
	int64_t ns = code->ns + spans[n->source ? CRN_SPAN_READ : CRN_SPAN_WRITE].ns;
	if ((!n->source && !written) || !is_enough(ns, code->bytes))
		return false;
	crn_cost e = n->source
			     ? crn_costs_io_entry("decode", n->source->format->name, n->type.dtype)
			     : crn_costs_io_entry("encode", written->name, n->in[0]->type.dtype);
	e.ns = ((double)code->ns * share + (double)(ns - code->ns)) / (double)code->bytes;
	return take(c, &e);
}

/* Whether anything was long enough to learn from. */
static bool learn_run(crn_costs *c, const crn_plan *plan, const crn_trace *trace, double share)
{
	bool learned = false;
	for (int i = 0; i < plan->n_infos; i++) {
		crn_totals spans[CRN_N_SPANS];
		crn_trace_node(trace, i, spans);
		const crn_totals *t = &spans[CRN_SPAN_COMPUTE];
		if (is_enough(t->ns, t->voxels))
			learned = learn_compute(c, plan, i, t, share) || learned;
		learned = learn_io(c, plan, i, spans, share) || learned;
	}
	return learned;
}

/* Part of the threads' busy time that they were really on a core. */
static double cpu_share(const crn_trace *trace, int64_t cpu_ns)
{
	crn_totals all[CRN_N_SPANS];
	double busy = 0;
	crn_trace_all(trace, all);
	for (int k = 0; k < CRN_SPAN_IDLE; k++)
		busy += (double)all[k].ns;
	double waits = (double)(all[CRN_SPAN_READ].ns + all[CRN_SPAN_WRITE].ns);
	/* Where files are waited for, the missing processor time is theirs. */
	double share = busy > 0 && waits < 0.2 * busy ? (double)cpu_ns / busy : 1;
	return share > 1 ? 1 : share < 0.05 ? 0.05 : share;
}

void crn_machine_learn_run(crn_state *st)
{
	crn_engine *e = st->engine;
	crn_mutex_lock(&e->costs_lock);
	if (e->costs_path &&
		learn_run(&e->costs, st->plan, st->trace,
			cpu_share(st->trace, crn_cpu_ns() - st->cpu_start_ns)) &&
		crn_machine_save(e->costs_path, &e->costs, NULL) != CAIRN_OK) {
		crn_free(e->costs_path); /* not tried again after every run */
		e->costs_path = NULL;
	}
	crn_mutex_unlock(&e->costs_lock);
}

/* ---- an engine's table ---- */

cairn_status crn_engine_use_machine(crn_engine *e, const char *path, bool learn, cairn_error *err)
{
	char *copy = learn ? crn_strdup(path) : NULL;
	if (learn && !copy)
		return crn_fail_memory(err, "the engine", strlen(path));
	crn_mutex_lock(&e->costs_lock);
	uint64_t scramble = e->costs.scramble;
	crn_costs_done(&e->costs);
	crn_machine_load(path, &e->costs);
	e->costs.scramble = scramble;
	crn_free(e->costs_path);
	e->costs_path = copy;
	crn_mutex_unlock(&e->costs_lock);
	return CAIRN_OK;
}

void crn_engine_scramble_costs(crn_engine *e, uint64_t seed)
{
	crn_mutex_lock(&e->costs_lock);
	e->costs.scramble = seed;
	crn_mutex_unlock(&e->costs_lock);
}

void crn_engine_print_costs(crn_engine *e, crn_str *out)
{
	crn_mutex_lock(&e->costs_lock);
	crn_costs_print(&e->costs, out);
	crn_mutex_unlock(&e->costs_lock);
}

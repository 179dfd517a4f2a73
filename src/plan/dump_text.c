/* SPDX-License-Identifier: Apache-2.0
 *
 * dump_text.c -- a plan as text and as JSON. See dump.h.
 */
#include "plan/dump.h"

#include "base/json.h"
#include "base/mem.h"
#include "plan/edges.h"
#include "plan/estimate.h"
#include "plan/tiling.h"

#include <string.h>

const char *crn_stage_name(const crn_stage *s)
{
	static const char *const names[] = {"fold", "reduce", "write", "table", "print", "memory"};
	return names[s->kind];
}

int64_t crn_stage_units(const crn_stage *s)
{
	int64_t n = 1;
	for (int d = 0; d < s->tasks.domain.ndim; d++)
		n *= s->unit_grid[d];
	return n;
}

int crn_plan_cut_of(const crn_plan *p, const crn_node *n)
{
	for (int c = 0; c < p->n_cuts; c++)
		if (p->cuts[c].node == n)
			return c;
	return -1;
}

static void print_ints(crn_str *out, const char *open, const int64_t *v, int n, const char *close)
{
	crn_str_append(out, open);
	for (int d = 0; d < n; d++)
		crn_str_appendf(out, "%s%lld", d ? ", " : "", (long long)v[d]);
	crn_str_append(out, close);
}

static const char *sink_url(const crn_plan *p, const crn_stage *s)
{
	const crn_node *sink = p->infos[s->index].node;
	for (int i = 0; i < sink->n_args; i++)
		if (strcmp(sink->op->params[i].name, "url") == 0)
			return sink->args[i].s;
	return "";
}

static bool is_output(const crn_stage *s)
{
	return s->kind == CRN_STAGE_ARRAY || s->kind == CRN_STAGE_TABLE;
}

static double stage_seconds(const crn_plan *p, const crn_stage *s)
{
	if (s->kind == CRN_STAGE_TABLE)
		return 0;
	return crn_tiling_ns(&s->tasks, p->options.n_threads) *
	       (double)crn_region_count(&s->tasks.domain) * 1e-9 / p->options.n_threads;
}

/* ---- text ---- */

static void text_stage(const crn_plan *p, int i, crn_str *out)
{
	const crn_stage *s = &p->stages[i];
	char bytes[32];
	crn_str_appendf(out, "  %d  %-6s %s", i + 1, crn_stage_name(s), s->node->origin);
	for (int f = 1; f < s->n_folds; f++)
		crn_str_appendf(out, " + %s", crn_stage_fold(p, s, f)->origin);
	if (is_output(s))
		crn_str_appendf(out, " -> %s", sink_url(p, s));
	crn_str_append(out, "\n");
	if (s->kind == CRN_STAGE_TABLE)
		return;
	crn_str_appendf(out, "       %lld tasks of ", (long long)s->tasks.n_tiles);
	print_ints(out, "(", s->tasks.tile, s->tasks.domain.ndim, ")");
	crn_str_appendf(
		out, ", %s each at most", crn_format_bytes((double)s->tasks.work_bytes, bytes));
	if (s->kind == CRN_STAGE_ARRAY) {
		crn_str_appendf(out, "; %lld chunks of ", (long long)crn_stage_units(s));
		print_ints(out, "(", s->unit, s->tasks.domain.ndim, ")");
		crn_str_appendf(out, " as %s", s->format->name);
	}
	crn_str_append(out, "\n");
}

static void text_cuts(const crn_plan *p, crn_str *out)
{
	char bytes[32];
	if (p->n_cuts > 0)
		crn_str_append(out, "kept in memory while needed\n");
	for (int c = 0; c < p->n_cuts; c++) {
		const crn_cut *cut = &p->cuts[c];
		crn_str_appendf(out, "     %s: %lld chunks of ", cut->node->origin,
			(long long)cut->chunks.n_tiles);
		print_ints(out, "(", cut->chunks.tile, cut->chunks.domain.ndim, ")");
		crn_str_appendf(out, ", %s%s (%s)\n",
			crn_format_bytes((double)cut->chunk_bytes, bytes),
			cut->bits ? " as bits" : "", cut->why);
	}
}

static void text_nodes(const crn_plan *p, const double *voxels, crn_str *out)
{
	crn_str_append(out, "voxels computed   needed      ratio  node\n");
	for (int i = 0; i < p->n_infos; i++) {
		double wanted = (double)crn_region_count(&p->infos[i].wanted);
		if (voxels[i] == 0 || p->infos[i].node->type.ndim == 0)
			continue; /* single numbers are not worth a line */
		crn_str_appendf(out, "%15.0f  %11.0f  %5.2f  %s (%s)\n", voxels[i], wanted,
			wanted > 0 ? voxels[i] / wanted : 0, p->infos[i].node->origin,
			p->infos[i].node->op->name);
	}
}

static cairn_status text_edges(const crn_plan *p, crn_str *out, cairn_error *err)
{
	CRN_FREE crn_edge *edges = NULL;
	char bytes[32];
	int n = 0;
	CRN_TRY(crn_plan_edges(p, &edges, &n, err));
	crn_str_append(out, "edges      rho  make again  store+load       bytes\n");
	for (int e = 0; e < n; e++) {
		const crn_edge *edge = &edges[e];
		if (edge->kind == CRN_EDGE_PROGRAM || edge->kind == CRN_EDGE_VIEW)
			continue; /* nothing to decide */
		crn_str_appendf(out, "%-7s  %5.2f  %7.2f ns  %7.2f ns  %10s  %s -> %s: %s",
			crn_edge_name(edge->kind), edge->rho, edge->recompute_ns, edge->store_ns,
			crn_format_bytes(edge->bytes, bytes), p->infos[edge->from].node->origin,
			p->infos[edge->to].node->origin, edge->why);
		if (edge->gain > 0)
			crn_str_appendf(
				out, "; keeping it saves %.0f %% of the time", 100 * edge->gain);
		crn_str_append(out, "\n");
	}
	return CAIRN_OK;
}

static void text_prediction(const crn_plan *p, const double *voxels, crn_str *out)
{
	crn_prediction r;
	crn_plan_predict(p, voxels, &r);
	crn_str_appendf(out, "predicted: %.2g s on %d threads", r.seconds, p->options.n_threads);
	if (strcmp(r.limit, "tasks") == 0)
		crn_str_appendf(
			out, "; too few tasks keep %.0f %% of the threads busy", 100 * r.busy);
	else
		crn_str_appendf(out, "; %s limits", r.limit);
	crn_str_appendf(out,
		" (thread-seconds: decode %.2g, compute %.2g, copies %.2g, encode %.2g", r.decode_s,
		r.compute_s, r.copy_s, r.encode_s);
	if (r.top)
		crn_str_appendf(out, "; %s %.2g", r.top->origin, r.top_s);
	crn_str_append(out,
		r.measured > 0.5 ? ")\n" : "); cairn bench-machine makes this figure better\n");
}

cairn_status crn_dump_text(const crn_plan *p, crn_str *out, cairn_error *err)
{
	CRN_FREE double *voxels = crn_calloc((size_t)p->n_infos + 1, sizeof(double));
	char need[32], have[32], read[32];
	if (!voxels)
		return crn_fail_memory(err, "an explanation", sizeof(double));
	CRN_TRY(crn_plan_voxels(p, voxels, err));
	crn_str_appendf(out, "stages (%d threads)\n", p->options.n_threads);
	for (int i = 0; i < p->n_stages; i++)
		text_stage(p, i, out);
	text_cuts(p, out);
	text_nodes(p, voxels, out);
	CRN_TRY(text_edges(p, out, err));
	crn_str_appendf(out, "reads %s of decoded input\n",
		crn_format_bytes(crn_plan_source_bytes(p, voxels), read));
	crn_str_appendf(out, "memory: the smallest budget that works is %s, this one is %s%s\n",
		crn_format_bytes((double)p->smallest_bytes, need),
		crn_format_bytes((double)p->options.memory_bytes, have),
		p->fits ? "" : ": DOES NOT FIT");
	text_prediction(p, voxels, out);
	return out->oom ? crn_fail_memory(err, "an explanation", out->len) : CAIRN_OK;
}

/* ---- JSON ---- */

static void json_number(crn_str *out, const char *key, double value)
{
	crn_str_appendf(out, "%s: ", key);
	crn_json_double(out, value);
}

static cairn_status json_edges(const crn_plan *p, crn_str *out, cairn_error *err)
{
	CRN_FREE crn_edge *edges = NULL;
	int n = 0;
	CRN_TRY(crn_plan_edges(p, &edges, &n, err));
	crn_str_append(out, ", \"edges\": [");
	for (int e = 0; e < n; e++) {
		const crn_edge *edge = &edges[e];
		crn_str_appendf(out, "%s{\"from\": %d, \"to\": %d, \"input\": %d, \"from_name\": ",
			e ? ", " : "", edge->from, edge->to, edge->input);
		crn_json_quote(out, p->infos[edge->from].node->origin);
		crn_str_append(out, ", \"to_name\": ");
		crn_json_quote(out, p->infos[edge->to].node->origin);
		crn_str_appendf(out, ", \"kind\": \"%s\", \"why\": \"%s\"",
			crn_edge_name(edge->kind), edge->why);
		json_number(out, ", \"rho\"", edge->rho);
		json_number(out, ", \"recompute_ns\"", edge->recompute_ns);
		json_number(out, ", \"store_load_ns\"", edge->store_ns);
		json_number(out, ", \"bytes\"", edge->bytes);
		if (edge->kind == CRN_EDGE_CUT)
			json_number(out, ", \"gain\"", edge->gain);
		crn_str_append(out, "}");
	}
	crn_str_append(out, "]");
	return CAIRN_OK;
}

static void json_prediction(const crn_plan *p, const double *voxels, crn_str *out)
{
	crn_prediction r;
	crn_plan_predict(p, voxels, &r);
	json_number(out, ", \"predicted\": {\"seconds\"", r.seconds);
	json_number(out, ", \"decode_seconds\"", r.decode_s);
	json_number(out, ", \"compute_seconds\"", r.compute_s);
	json_number(out, ", \"copy_seconds\"", r.copy_s);
	json_number(out, ", \"encode_seconds\"", r.encode_s);
	json_number(out, ", \"busy\"", r.busy);
	json_number(out, ", \"measured\"", r.measured);
	crn_str_appendf(out, ", \"limit\": \"%s\", \"top\": ", r.limit);
	crn_json_quote(out, r.top ? r.top->origin : "");
	json_number(out, ", \"top_seconds\"", r.top_s);
	crn_str_append(out, "}");
}

static void json_stage(const crn_plan *p, int i, crn_str *out)
{
	const crn_stage *s = &p->stages[i];
	int ndim = s->tasks.domain.ndim;
	crn_str_appendf(out, "%s{\"kind\": \"%s\", \"node\": ", i ? ", " : "", crn_stage_name(s));
	crn_json_quote(out, s->node->origin);
	for (int f = 1; f < s->n_folds; f++) {
		crn_str_append(out, f > 1 ? ", " : ", \"with\": [");
		crn_json_quote(out, crn_stage_fold(p, s, f)->origin);
		crn_str_append(out, f + 1 == s->n_folds ? "]" : "");
	}
	crn_str_appendf(out, ", \"tasks\": %lld, \"work_bytes\": %zu", (long long)s->tasks.n_tiles,
		s->tasks.work_bytes);
	print_ints(out, ", \"task\": [", s->tasks.tile, s->kind == CRN_STAGE_TABLE ? 0 : ndim, "]");
	print_ints(out, ", \"tile\": [", s->tile, s->kind == CRN_STAGE_TABLE ? 0 : ndim, "]");
	crn_str_append(out, ", \"seconds\": ");
	crn_json_double(out, stage_seconds(p, s));
	if (is_output(s)) {
		crn_str_append(out, ", \"url\": ");
		crn_json_quote(out, sink_url(p, s));
	}
	if (s->kind == CRN_STAGE_ARRAY) {
		crn_str_appendf(out, ", \"format\": \"%s\", \"objects\": %lld", s->format->name,
			(long long)crn_stage_units(s));
		print_ints(out, ", \"chunks\": [", s->unit, ndim, "]");
	}
	crn_str_append(out, "}");
}

static void json_cuts(const crn_plan *p, crn_str *out)
{
	static const char *const kinds[] = {"source", "node", "reduction"};
	crn_str_append(out, "], \"cuts\": [");
	for (int c = 0; c < p->n_cuts; c++) {
		const crn_cut *cut = &p->cuts[c];
		crn_str_append(out, c ? ", {\"node\": " : "{\"node\": ");
		crn_json_quote(out, cut->node->origin);
		crn_str_appendf(out,
			", \"kind\": \"%s\", \"why\": \"%s\", \"chunks\": %lld, \"chunk_bytes\": "
			"%zu, "
			"\"level\": %d, \"work_bytes\": %zu",
			kinds[cut->kind], cut->why, (long long)cut->chunks.n_tiles,
			cut->chunk_bytes, cut->level, cut->chunks.work_bytes);
		print_ints(out, ", \"chunk\": [", cut->chunks.tile, cut->chunks.domain.ndim, "]}");
	}
	crn_str_append(out, "]");
}

static void json_nodes(const crn_plan *p, const double *voxels, crn_str *out)
{
	bool first = true;
	crn_str_append(out, ", \"nodes\": [");
	for (int i = 0; i < p->n_infos; i++) {
		const crn_info *info = &p->infos[i];
		if (info->node->op->kind == CRN_SINK)
			continue;
		crn_str_appendf(out, "%s{\"node\": %d, \"op\": ", first ? "" : ", ", i);
		first = false;
		crn_json_quote(out, info->node->op->name);
		crn_str_append(out, ", \"name\": ");
		crn_json_quote(out, info->node->origin);
		crn_str_appendf(out, ", \"dtype\": \"%s\"", crn_dtype_name(info->node->type.dtype));
		print_ints(
			out, ", \"shape\": [", info->node->type.shape, info->node->type.ndim, "]");
		crn_str_append(out, ", \"wanted\": ");
		crn_json_double(out, (double)crn_region_count(&info->wanted));
		crn_str_append(out, ", \"computed\": ");
		crn_json_double(out, voxels[i]);
		crn_str_append(out, "}");
	}
	crn_str_append(out, "]");
}

cairn_status crn_dump_json(const crn_plan *p, crn_str *out, cairn_error *err)
{
	CRN_FREE double *voxels = crn_calloc((size_t)p->n_infos + 1, sizeof(double));
	char hex[33];
	if (!voxels)
		return crn_fail_memory(err, "an explanation", sizeof(double));
	CRN_TRY(crn_plan_voxels(p, voxels, err));
	crn_str_appendf(out,
		"{\"plan\": \"%s\", \"threads\": %d, \"isa\": \"%s\", \"fits\": %s, "
		"\"memory_bytes\": %zu, \"min_bytes\": %zu, \"need_bytes\": %zu, "
		"\"standing_bytes\": %zu, \"read_bytes\": ",
		crn_hash_hex(p->hash, hex), p->options.n_threads, crn_isa_name(p->options.isa),
		p->fits ? "true" : "false", p->options.memory_bytes, p->smallest_bytes,
		p->need_bytes, p->standing_bytes);
	crn_json_double(out, crn_plan_source_bytes(p, voxels));
	crn_str_append(out, ", \"stages\": [");
	for (int i = 0; i < p->n_stages; i++)
		json_stage(p, i, out);
	json_cuts(p, out);
	json_nodes(p, voxels, out);
	CRN_TRY(json_edges(p, out, err));
	json_prediction(p, voxels, out);
	crn_str_append(out, "}");
	return out->oom ? crn_fail_memory(err, "an explanation", out->len) : CAIRN_OK;
}

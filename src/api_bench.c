/* SPDX-License-Identifier: Apache-2.0
 *
 * api_bench.c -- cairn_bench_machine: what this machine can do, measured through the code that runs
 * use, and taught to its cost table.
 *
 *	memory, codecs, disk   exec/bench_*.c
 *	operations             pipeline texts run on one thread by an engine that learns: the figure
 *is the operation's own span, as in a profile
 */
#include "api.h"

#include "base/json.h"
#include "base/mem.h"
#include "builtin.h"
#include "exec/bench_machine.h"
#include "exec/machine_file.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS = 3, MOST_RATES = 64 };
#define LATE_NS ((int64_t)9000000000)

typedef struct family {
	const char *name;
	const char *op;   /* whose spans count */
	const char *text; /* a pipeline whose last value is computed */
	int taps;         /* per voxel of a pass; 0: not a filter of taps */
} family;

#define NOISE "x = random((64, 192, 192), dtype=\"float32\")\n"
#define BYTES "x = (random((64, 192, 192), dtype=\"float32\") * 255).astype(\"uint8\")\n"
#define BLOBS "m = gaussian_filter(random((64, 192, 192), dtype=\"float32\"), 2) > 0.5\n"

static const family families[] = {
	{"gaussian, float32, sigma 2 (17 taps a pass)", "correlate_pass",
		NOISE "gaussian_filter(x, 2)", 17},
	{"gaussian, uint8, sigma 2 (17 taps a pass)", "correlate_pass",
		BYTES "gaussian_filter(x, 2)", 17},
	{"median 3 x 3 x 3, uint8", "rank_pass", BYTES "median_filter(x, 3)", 0},
	{"median 3 x 3 x 3, float32", "rank_pass", NOISE "median_filter(x, 3)", 0},
	{"erosion, ball(5)", "binary_pass", BLOBS "binary_erosion(m, ball(5))", 0},
	{"label, 6-connected", "label", BLOBS "max(label(m))", 0},
	{"x * 2 + 1, float32", "add", NOISE "x * 2 + 1", 0},
	{"x > 0.5, float32", "greater", NOISE "x > 0.5", 0},
	{"exp, float32", "exp", NOISE "exp(x)", 0},
	{"sum, float32 (exact)", "sum", NOISE "sum(x)", 0},
	{"sum, uint8", "sum", BYTES "sum(x)", 0},
	{"maximum, uint8", "max", BYTES "max(x)", 0},
	{"random, float32", "random", NOISE "x", 0},
};

typedef struct op_rate {
	const family *family;
	crn_isa isa;
	double ns; /* per voxel of all its passes */
} op_rate;

typedef struct bench {
	crn_graph *graph;
	crn_engine *engine;
	crn_machine machine;
	crn_codec_rate codecs[CRN_BENCH_CODECS];
	int n_codecs;
	op_rate ops[MOST_RATES];
	int n_ops;
	int64_t start_ns;
	double seconds;
} bench;

/* ---- operations ---- */

static double child(const crn_json *v, const char *key)
{
	const crn_json *n = crn_json_get(v, key);
	return !n                           ? 0
	       : n->kind == CRN_JSON_INT    ? (double)n->i
	       : n->kind == CRN_JSON_DOUBLE ? n->f
					    : 0;
}

/* Nanoseconds of processor time per voxel of the family's op, out of a run's report. */
static cairn_status op_ns(const char *report, const family *f, double *ret, cairn_error *err)
{
	crn_json *doc = NULL;
	CRN_TRY(crn_json_parse(report, strlen(report), CAIRN_FAILED, &doc, err));
	const crn_json *nodes = crn_json_get(doc, "nodes"), *busy = crn_json_get(doc, "busy");
	double seconds = 0, voxels = 0, all = 0;
	for (int i = 0; nodes && i < nodes->n; i++) {
		const crn_json *n = &nodes->items[i], *op = crn_json_get(n, "op");
		const crn_json *spans = crn_json_get(crn_json_get(n, "spans"), "compute");
		if (!spans || strcmp(op->text, f->op) != 0)
			continue;
		seconds += child(spans, "seconds");
		voxels = child(spans, "voxels") > voxels ? child(spans, "voxels") : voxels;
	}
	for (int i = 0; busy && i < busy->n; i++)
		if (strcmp(busy->keys[i], "idle") != 0 && strcmp(busy->keys[i], "starved") != 0)
			all += child(&busy->items[i], "seconds");
	double share = all > 0 ? child(doc, "cpu_seconds") / all : 1;
	*ret = voxels > 0 ? seconds * (share < 1 ? share : 1) * 1e9 / voxels : 0;
	crn_json_free(doc);
	return CAIRN_OK;
}

static cairn_status run_once(
	bench *b, crn_node *n, crn_isa isa, const family *f, double *ret, cairn_error *err)
{
	crn_region whole = crn_region_whole(n->type.ndim, n->type.shape);
	size_t bytes = crn_view_dense_bytes(n->type.dtype, n->type.ndim, n->type.shape);
	crn_run_options o = {.n_threads = 1, .memory_bytes = (size_t)512 << 20, .isa = isa};
	crn_report report = {0};
	CRN_FREE void *data = crn_alloc(bytes);
	if (!data)
		return crn_fail_memory(err, "measuring operations", bytes);
	crn_view out = crn_view_dense(data, n->type.dtype, n->type.ndim, n->type.shape);
	cairn_status status = crn_run_region(b->engine, n, &whole, &out, &o, &report, err);
	if (status == CAIRN_OK && report.json)
		status = op_ns(report.json, f, ret, err);
	crn_report_done(&report);
	return status;
}

static cairn_status time_family(bench *b, const family *f, crn_isa isa, cairn_error *err)
{
	const crn_pipeline_request request = {.name = f->name};
	crn_pipeline *p = NULL;
	double best = 0;
	CRN_TRY(crn_pipeline_new(b->graph, f->text, strlen(f->text), &request, &p, err));
	crn_node *n = crn_pipeline_last(p)->node;
	cairn_status status = CAIRN_OK;
	/* On a busy machine one round must do: the whole has less than twenty seconds. */
	bool late = crn_now_ns() - b->start_ns > LATE_NS;
	for (int round = 0; round < (late ? 1 : ROUNDS) && status == CAIRN_OK; round++) {
		double ns = 0;
		status = run_once(b, n, isa, f, &ns, err);
		best = best == 0 || (ns > 0 && ns < best) ? ns : best;
	}
	crn_pipeline_free(p);
	if (status == CAIRN_OK && b->n_ops < MOST_RATES)
		b->ops[b->n_ops++] = (op_rate){.family = f, .isa = isa, .ns = best};
	return status;
}

static cairn_status time_ops(bench *b, cairn_error *err)
{
	for (size_t f = 0; f < CRN_COUNT(families); f++)
		for (int isa = 0; isa <= (int)crn_isa_best(); isa++)
			CRN_TRY(time_family(b, &families[f], (crn_isa)isa, err));
	return CAIRN_OK;
}

/* ---- showing ---- */

static void text_rate(crn_str *out, const char *what, double one, double all)
{
	crn_str_appendf(out, "  %-10s %8.1f GB/s one thread, %8.1f GB/s all\n", what, one * 1e-9,
		all * 1e-9);
}

static void print_text(const bench *b, const char *path, crn_str *out)
{
	const crn_machine *m = &b->machine;
	char l2[32];
	crn_str_appendf(out, "machine    %s, %d cores, L2 %s, %s\n", m->cpu, m->n_cores,
		crn_format_bytes(m->l2_bytes, l2), crn_isa_name(crn_isa_best()));
	crn_str_append(out, "memory\n");
	text_rate(out, "read", m->read_one, m->read_all);
	text_rate(out, "write", m->write_one, m->write_all);
	text_rate(out, "copy", m->copy_one, m->copy_all);
	crn_str_appendf(out, "disk, this folder\n  %-10s %8.1f MB/s\n  %-10s %8.1f MB/s\n", "write",
		m->disk_write * 1e-6, "read", m->disk_read * 1e-6);
	crn_str_append(out, "codecs (noisy uint16, one thread)\n");
	for (int i = 0; i < b->n_codecs; i++)
		crn_str_appendf(out, "  %-20s encode %7.0f MB/s, decode %7.0f MB/s, %.1f : 1\n",
			b->codecs[i].what, b->codecs[i].encode * 1e-6, b->codecs[i].decode * 1e-6,
			b->codecs[i].ratio);
	crn_str_append(out, "operations (one thread)\n");
	for (int i = 0; i < b->n_ops; i++) {
		const op_rate *r = &b->ops[i];
		bool first = i == 0 || b->ops[i - 1].family != r->family;
		crn_str_appendf(out, "  %-44s %-7s %8.3f ns a voxel, %7.0f MVx/s",
			first ? r->family->name : "", crn_isa_name(r->isa), r->ns,
			r->ns > 0 ? 1e3 / r->ns : 0);
		if (r->family->taps && r->ns > 0)
			crn_str_appendf(out, ", %.1f Gtap/s", 3 * r->family->taps / r->ns);
		crn_str_append(out, "\n");
	}
	crn_str_appendf(out, "measured in %.1f s%s%s\n", b->seconds,
		path[0] ? ", kept in " : "; nowhere to keep it", path);
}

static void json_number(crn_str *out, const char *key, double v)
{
	crn_str_appendf(out, "\"%s\": ", key);
	crn_json_double(out, v);
}

static void print_json(const bench *b, const char *path, crn_str *out)
{
	const crn_machine *m = &b->machine;
	const struct {
		const char *name;
		double value;
	} rates[] = {{"l2_bytes", m->l2_bytes}, {"read_one", m->read_one},
		{"write_one", m->write_one}, {"copy_one", m->copy_one}, {"read_all", m->read_all},
		{"write_all", m->write_all}, {"copy_all", m->copy_all},
		{"disk_write", m->disk_write}, {"disk_read", m->disk_read}};
	crn_str_append(out, "{\"cpu\": ");
	crn_json_quote(out, m->cpu);
	crn_str_appendf(out, ", \"cores\": %d, \"isa\": \"%s\", \"rates\": {", m->n_cores,
		crn_isa_name(crn_isa_best()));
	for (size_t i = 0; i < CRN_COUNT(rates); i++) {
		crn_str_append(out, i ? ", " : "");
		json_number(out, rates[i].name, rates[i].value);
	}
	crn_str_append(out, "}, \"codecs\": [");
	for (int i = 0; i < b->n_codecs; i++) {
		crn_str_appendf(out, "%s{\"name\": \"%s\", \"what\": \"%s\", ", i ? ", " : "",
			b->codecs[i].name, b->codecs[i].what);
		json_number(out, "encode", b->codecs[i].encode);
		crn_str_append(out, ", ");
		json_number(out, "decode", b->codecs[i].decode);
		crn_str_append(out, "}");
	}
	crn_str_append(out, "], \"operations\": [");
	for (int i = 0; i < b->n_ops; i++) {
		crn_str_appendf(out, "%s{\"name\": \"%s\", \"op\": \"%s\", \"isa\": \"%s\", ",
			i ? ", " : "", b->ops[i].family->name, b->ops[i].family->op,
			crn_isa_name(b->ops[i].isa));
		json_number(out, "ns_per_voxel", b->ops[i].ns);
		crn_str_append(out, "}");
	}
	crn_str_append(out, "], ");
	json_number(out, "seconds", b->seconds);
	crn_str_append(out, ", \"table\": ");
	crn_json_quote(out, path);
	crn_str_append(out, "}\n");
}

/* ---- all ---- */

/* The engine has taught the table the operations; the machine's own rates join them. */
static cairn_status keep(const bench *b, const char *path, cairn_error *err)
{
	crn_costs c;
	crn_machine_load(path, &c);
	c.machine = b->machine;
	cairn_status status = crn_machine_save(path, &c, err);
	crn_costs_done(&c);
	return status;
}

static cairn_status measure(bench *b, const char *path, cairn_error *err)
{
	b->start_ns = crn_now_ns();
	crn_machine_identify(&b->machine);
	CRN_TRY(crn_graph_new(&crn_builtin_registry, &b->graph, err));
	CRN_TRY(crn_engine_new(&crn_builtin_registry, &b->engine, err));
	if (path[0])
		CRN_TRY(crn_engine_use_machine(b->engine, path, true, err));
	CRN_TRY(crn_bench_memory(&b->machine, err));
	CRN_TRY(crn_bench_codecs(&crn_builtin_registry, b->codecs, &b->n_codecs, err));
	CRN_TRY(crn_bench_disk(".", &b->machine, err));
	CRN_TRY(time_ops(b, err));
	b->seconds = (double)(crn_now_ns() - b->start_ns) * 1e-9;
	return path[0] ? keep(b, path, err) : CAIRN_OK;
}

cairn_status cairn_bench_machine(cairn_style style, char **ret, cairn_error *err)
{
	CRN_STR path = {0};
	CRN_STR out = {0};
	if (style != CAIRN_TEXT && style != CAIRN_JSON)
		return crn_fail(err, CAIRN_USAGE, "rates have no such style");
	CRN_FREE bench *b = crn_calloc(1, sizeof(*b));
	crn_api_machine_path(&path);
	if (!b || path.oom)
		return crn_fail_memory(err, "a measurement", sizeof(*b));
	const char *file = path.data ? path.data : "";
	cairn_status status = measure(b, file, err);
	crn_engine_free(b->engine);
	if (b->graph)
		crn_graph_unref(b->graph);
	CRN_TRY(status);
	if (style == CAIRN_JSON)
		print_json(b, file, &out);
	else
		print_text(b, file, &out);
	return crn_api_take(&out, ret, err);
}

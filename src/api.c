/* SPDX-License-Identifier: Apache-2.0
 *
 * api.c -- the public interface: sessions, pipelines, running and explaining them.
 *
 * Nothing is decided here: texts go to src/lang, outputs to src/exec. This file converts options,
 * keeps lifetimes (pipelines and arrays hold their session), and serialises building.
 */
#include "api.h"

#include "base/mem.h"
#include "builtin.h"
#include "core/call.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifndef CRN_VERSION
#define CRN_VERSION "0.1.0"
#endif

const char *cairn_version(void)
{
	return CRN_VERSION;
}

void cairn_free(char *text)
{
	crn_free(text);
}

/* ---- sessions ---- */

/* "$CAIRN_CACHE/machine.json", else in the user's cache folder; "" if there is no such place. */
void crn_api_machine_path(crn_str *out)
{
	const char *own = getenv("CAIRN_CACHE"), *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	if (own && own[0])
		crn_str_appendf(out, "%s/machine.json", own);
	else if (cache && cache[0] == '/')
		crn_str_appendf(out, "%s/cairn/machine.json", cache);
	else if (home && home[0])
		crn_str_appendf(out, "%s/.cache/cairn/machine.json", home);
}

/* CAIRN_COSTS: off (the operations' own figures), read, learn (default), or random:SEED, which must
 * not change a byte of any result. */
static cairn_status use_machine(crn_engine *e, cairn_error *err)
{
	const char *mode = getenv("CAIRN_COSTS");
	CRN_STR path = {0};
	if (mode && strcmp(mode, "off") == 0)
		return CAIRN_OK;
	if (mode && strncmp(mode, "random:", 7) == 0) {
		crn_engine_scramble_costs(e, strtoull(mode + 7, NULL, 10) | 1);
		return CAIRN_OK;
	}
	if (mode && mode[0] && strcmp(mode, "read") != 0 && strcmp(mode, "learn") != 0)
		return crn_fail(err, CAIRN_USAGE,
			"CAIRN_COSTS=%.40s is none of off, read, learn, random:SEED", mode);
	crn_api_machine_path(&path);
	if (path.oom || path.len == 0)
		return CAIRN_OK;
	return crn_engine_use_machine(e, path.data, !mode || strcmp(mode, "read") != 0, err);
}

cairn_status cairn_session_new(cairn_session **ret, cairn_error *err)
{
	cairn_session *s = crn_calloc(1, sizeof(*s));
	if (!s)
		return crn_fail_memory(err, "a session", sizeof(*s));
	atomic_init(&s->refs, 1);
	crn_mutex_init(&s->building, CRN_RANK_SESSION);
	cairn_status status = crn_engine_new(&crn_builtin_registry, &s->engine, err);
	if (status == CAIRN_OK)
		status = use_machine(s->engine, err);
	if (status == CAIRN_OK)
		status = crn_graph_new(&crn_builtin_registry, &s->graph, err);
	if (status != CAIRN_OK) {
		cairn_session_free(s);
		return status;
	}
	*ret = s;
	return CAIRN_OK;
}

cairn_session *crn_api_session_ref(cairn_session *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void cairn_session_free(cairn_session *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	crn_graph_unref(s->graph);
	crn_engine_free(s->engine);
	crn_mutex_done(&s->building);
	crn_free(s);
}

/* ---- options ---- */

cairn_status cairn_parse_size(const char *text, size_t *ret, cairn_error *err)
{
	static const char units[] = "KMGT";
	char digits[32] = "";
	CRN_VALUE number = {0};
	size_t n_digits = strspn(text, "0123456789.");
	const char *end = text + n_digits;
	double n = 0, factor = 1;
	if (n_digits > 0 && n_digits < sizeof(digits)) {
		/* Not strtod: the decimal point must not depend on the locale. */
		memcpy(digits, text, n_digits);
		if (crn_value_parse_literal(digits, &number, NULL) == CAIRN_OK)
			n = crn_value_to_double(&number);
	}
	while (*end == ' ')
		end++;
	const char *unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
	if (unit) {
		factor = ldexp(1, 10 * (int)(unit - units + 1));
		end++;
		if (strncmp(end, "iB", 2) == 0)
			end += 2;
		else if (*end == 'B' || *end == 'b')
			end++;
	} else if (*end == 'B') {
		end++;
	}
	if (*end || !(n * factor >= 1) || n * factor >= 0x1p62) {
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "\"%.80s\" is no amount of memory", text);
		crn_hint(err, "write 8G, 512M or a number of bytes");
		return status;
	}
	*ret = (size_t)(n * factor);
	return CAIRN_OK;
}

static cairn_status parse_threads(const char *text, int *ret, cairn_error *err)
{
	char *end = NULL;
	long n = strtol(text, &end, 10);
	if (end == text || *end || n < 1 || n > 4096)
		return crn_fail(err, CAIRN_USAGE,
			"CAIRN_THREADS=%.40s is no number of threads (1 to 4096)", text);
	*ret = (int)n;
	return CAIRN_OK;
}

static void pass_progress(void *user, const crn_progress *p)
{
	const cairn_options *o = user;
	cairn_progress out = {
		.stage = p->stage,
		.n_stages = p->n_stages,
		.stage_name = p->stage_name,
		.done = p->done,
		.total = p->total,
		.fraction = p->fraction,
		.bytes_read = p->bytes_read,
		.bytes_written = p->bytes_written,
		.memory_bytes = p->memory_bytes,
		.elapsed_s = p->elapsed_s,
		.remaining_s = p->remaining_s,
		.resumed = p->resumed,
	};
	o->progress(o->user, &out);
}

static void pass_print(void *user, const char *label, const crn_type *type, const crn_view *value)
{
	const cairn_options *o = user;
	CRN_STR text = {0};
	size_t bytes = crn_view_dense_bytes(value->dtype, value->ndim, value->shape);
	CRN_FREE void *data = crn_alloc(bytes + 1);
	crn_api_print_value(type, value, &text);
	if (!data || text.oom)
		return;
	crn_view dense = crn_view_dense(data, value->dtype, value->ndim, value->shape);
	crn_view_copy(&dense, value);
	cairn_printed out = {
		.label = label,
		.dtype = crn_dtype_name(value->dtype),
		.ndim = value->ndim,
		.shape = value->shape,
		.data = data,
		.text = text.data ? text.data : "",
	};
	o->print(o->user, &out);
}

static cairn_status parse_fsync(const char *text, crn_fsync *ret, cairn_error *err)
{
	static const char *const names[] = {"none", "batch", "each"};
	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (crn_fsync)i;
			return CAIRN_OK;
		}
	return crn_fail(
		err, CAIRN_USAGE, "CAIRN_FSYNC must be none, batch or each, not %.40s", text);
}

cairn_status crn_api_options(const cairn_options *options, crn_run_options *ret, cairn_error *err)
{
	static const cairn_options none;
	const cairn_options *o = options ? options : &none;
	crn_run_options r = {
		.n_threads = o->n_threads,
		.memory_bytes = o->memory_bytes,
		.on_exists = (crn_on_exists)o->on_exists,
		.keep_going = o->keep_going != 0,
		.scratch_dir = o->scratch_dir,
		.progress = o->progress ? pass_progress : NULL,
		.progress_ns = (int64_t)((o->progress_s > 0 ? o->progress_s : 0.25) * 1e9),
		.print = o->print ? pass_print : NULL,
		.user = (void *)o,
		.cancel = o->cancel,
		.threads = o->threads,
		.profile = (crn_profile_style)o->profile,
		.fsync = CRN_FSYNC_BATCH,
	};
	const char *threads = getenv("CAIRN_THREADS"), *memory = getenv("CAIRN_MEMORY");
	if (r.n_threads < 0)
		return crn_fail(
			err, CAIRN_USAGE, "%d threads is no number of threads", r.n_threads);
	if (r.n_threads == 0 && threads && threads[0])
		CRN_TRY(parse_threads(threads, &r.n_threads, err));
	if (r.memory_bytes == 0 && memory && memory[0])
		CRN_TRY(cairn_parse_size(memory, &r.memory_bytes, err));
	const char *fsync = getenv("CAIRN_FSYNC"), *scratch = getenv("CAIRN_SCRATCH");
	if (!r.scratch_dir && scratch && scratch[0])
		r.scratch_dir = scratch;
	if (o->fsync < CAIRN_FSYNC_DEFAULT || o->fsync > CAIRN_FSYNC_EACH)
		return crn_fail(err, CAIRN_USAGE, "%d is no fsync policy", (int)o->fsync);
	if (o->fsync != CAIRN_FSYNC_DEFAULT)
		r.fsync = (crn_fsync)(o->fsync - CAIRN_FSYNC_NONE);
	else if (fsync && fsync[0])
		CRN_TRY(parse_fsync(fsync, &r.fsync, err));
	CRN_TRY(crn_isa_choose(o->isa ? o->isa : getenv("CAIRN_ISA"), &r.isa, err));
	*ret = r;
	return CAIRN_OK;
}

/* ---- pipelines ---- */

static cairn_status make_inner(cairn_session *s, const cairn_pipeline_source *source,
	const crn_pipeline_request *request, crn_pipeline **ret, cairn_error *err)
{
	cairn_status status;
	crn_mutex_lock(&s->building);
	if (source->file)
		status = crn_pipeline_load(s->graph, source->file, request, ret, err);
	else
		status = crn_pipeline_new(
			s->graph, source->text, strlen(source->text), request, ret, err);
	crn_mutex_unlock(&s->building);
	return status;
}

static cairn_status prepare(cairn_session *s, const cairn_pipeline_source *source,
	crn_setting *settings, crn_given *given, crn_value *values, cairn_error *err)
{
	for (int i = 0; i < source->n_settings; i++)
		settings[i] = (crn_setting){source->settings[i].name, source->settings[i].text};
	for (int i = 0; i < source->n_bindings; i++) {
		const cairn_array *a = source->bindings[i].array;
		if (a->session != s)
			return crn_fail(err, CAIRN_USAGE, "%s belongs to another session",
				source->bindings[i].name);
		values[i] = (crn_value){.kind = CRN_V_NODE, .node = a->node};
		given[i] = (crn_given){source->bindings[i].name, &values[i]};
	}
	return CAIRN_OK;
}

cairn_status cairn_pipeline_new(cairn_session *s, const cairn_pipeline_source *source,
	cairn_pipeline **ret, cairn_error *err)
{
	if (!source->file == !source->text)
		return crn_fail(err, CAIRN_USAGE, "a pipeline is made from a file or from a text");
	size_t n_settings = (size_t)source->n_settings, n_given = (size_t)source->n_bindings;
	CRN_FREE crn_setting *settings = crn_calloc(n_settings + 1, sizeof(*settings));
	CRN_FREE crn_given *given = crn_calloc(n_given + 1, sizeof(*given));
	CRN_FREE crn_value *values = crn_calloc(n_given + 1, sizeof(*values));
	CRN_FREE cairn_pipeline *p = crn_calloc(1, sizeof(*p));
	if (!settings || !given || !values || !p)
		return crn_fail_memory(err, "a pipeline", sizeof(*p));
	CRN_TRY(prepare(s, source, settings, given, values, err));
	crn_pipeline_request request = {
		.name = source->name,
		.settings = settings,
		.n_settings = source->n_settings,
		.given = given,
		.n_given = source->n_bindings,
	};
	CRN_TRY(make_inner(s, source, &request, &p->inner, err));
	p->session = crn_api_session_ref(s);
	*ret = crn_steal(&p);
	return CAIRN_OK;
}

void cairn_pipeline_free(cairn_pipeline *p)
{
	if (!p)
		return;
	crn_pipeline_free(p->inner);
	cairn_session_free(p->session);
	crn_free(p);
}

int cairn_is_pipeline(const char *url)
{
	return crn_pipeline_is_url(url, NULL, NULL);
}

int cairn_pipeline_n_names(const cairn_pipeline *p)
{
	return crn_pipeline_n_names(p->inner);
}

const char *cairn_pipeline_name(const cairn_pipeline *p, int i)
{
	return i >= 0 && i < crn_pipeline_n_names(p->inner) ? crn_pipeline_name(p->inner, i) : NULL;
}

cairn_status cairn_pipeline_array(
	const cairn_pipeline *p, const char *name, cairn_array **ret, cairn_error *err)
{
	const crn_value *v = NULL;
	if (name) {
		CRN_TRY(crn_pipeline_find(p->inner, name, &v, err));
		return crn_api_array(p->session, v, name, ret, err);
	}
	v = crn_pipeline_last(p->inner);
	if (!v) {
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "the pipeline does not end with an expression");
		crn_hint(err, "name one of its arrays, or end it with the array itself");
		return status;
	}
	return crn_api_array(p->session, v, "the last expression", ret, err);
}

int cairn_pipeline_n_outputs(const cairn_pipeline *p)
{
	int n = 0;
	(void)crn_pipeline_sinks(p->inner, &n);
	return n;
}

static cairn_status check_outputs(const cairn_pipeline *p, cairn_error *err)
{
	if (cairn_pipeline_n_outputs(p) > 0)
		return CAIRN_OK;
	cairn_status status = crn_fail(err, CAIRN_USAGE, "the pipeline writes and prints nothing");
	crn_hint(err, "end it with .write(\"out.zarr\") or print(...)");
	return status;
}

cairn_status cairn_pipeline_run(
	cairn_pipeline *p, const cairn_options *options, cairn_report *ret_report, cairn_error *err)
{
	crn_run_options run;
	crn_report report = {0};
	int n = 0;
	CRN_TRY(check_outputs(p, err));
	CRN_TRY(crn_api_options(options, &run, err));
	run.description = crn_pipeline_text(p->inner);
	crn_node *const *sinks = crn_pipeline_sinks(p->inner, &n);
	cairn_status status = crn_run(p->session->engine, sinks, n, &run, &report, err);
	char *json = crn_steal(&report.json), *profile = crn_steal(&report.profile);
	if (status == CAIRN_OK && ret_report) {
		*ret_report = (cairn_report){
			.seconds = report.seconds,
			.units_written = report.units_written,
			.units_skipped = report.units_skipped,
			.units_read = report.units_read,
			.bytes_read = report.bytes_read,
			.bytes_written = report.bytes_written,
			.peak_memory_bytes = report.peak_memory_bytes,
			.json = json,
			.profile = profile,
		};
	} else {
		crn_free(json);
		crn_free(profile);
	}
	crn_report_done(&report);
	return status;
}

cairn_status cairn_pipeline_explain(cairn_pipeline *p, const cairn_options *options,
	cairn_style style, char **ret, cairn_error *err)
{
	static const crn_explain_style styles[] = {
		[CAIRN_TEXT] = CRN_EXPLAIN_TEXT,
		[CAIRN_JSON] = CRN_EXPLAIN_JSON,
		[CAIRN_DOT] = CRN_EXPLAIN_DOT,
		[CAIRN_SVG] = CRN_EXPLAIN_SVG,
	};
	crn_run_options run;
	CRN_STR out = {0};
	int n = 0;
	if ((size_t)style >= CRN_COUNT(styles))
		return crn_fail(err, CAIRN_USAGE, "a plan has no such style");
	CRN_TRY(crn_api_options(options, &run, err));
	run.description = crn_pipeline_text(p->inner);
	crn_node *const *sinks = crn_pipeline_sinks(p->inner, &n);
	/* Without outputs: what asking for the whole last expression would cost. */
	const crn_value *last = crn_pipeline_last(p->inner);
	if (n == 0 && last && last->kind == CRN_V_NODE && !last->node->type.is_table) {
		sinks = &last->node;
		n = 1;
	}
	if (n == 0)
		return check_outputs(p, err);
	CRN_TRY(crn_explain(p->session->engine, sinks, n, &run, styles[style], &out, err));
	return crn_api_take(&out, ret, err);
}

cairn_status cairn_verify(cairn_session *s, const char *url, const cairn_options *options,
	char **ret, cairn_error *err)
{
	crn_run_options run;
	CRN_STR out = {0};
	CRN_TRY(crn_api_options(options, &run, err));
	cairn_status status = crn_verify(s->engine, url, &run, &out, err);
	if (status != CAIRN_OK && status != CAIRN_MISMATCH)
		return status;
	CRN_TRY(crn_api_take(&out, ret, err));
	return status;
}

cairn_status crn_api_take(crn_str *text, char **ret, cairn_error *err)
{
	size_t n = text->len;
	char *data = crn_str_take(text);
	if (!data)
		return crn_fail_memory(err, "a text", n);
	*ret = data;
	return CAIRN_OK;
}

cairn_status cairn_quote(const char *text, char **ret, cairn_error *err)
{
	CRN_STR out = {0};
	crn_str_append(&out, "\"");
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			crn_str_appendf(&out, "\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			crn_str_appendf(&out, "\\x%02x", (unsigned)*c);
		else
			crn_str_append_n(&out, c, 1);
	}
	crn_str_append(&out, "\"");
	return crn_api_take(&out, ret, err);
}

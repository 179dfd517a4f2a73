/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline.c -- runs the statements of a text, keeps its names and outputs; settings; nested files.
 */
#include "lang/pipeline.h"

#include "base/mem.h"
#include "core/call.h"
#include "core/literal.h"
#include "lang/eval.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LEVEL = 8, MAX_KEPT = 1 << 22 };

struct crn_pipeline {
	crn_script *script;
	crn_eval eval;
	char **given; /* names of the request's given values, n_given of them */
	int n_given;
	crn_value last;
	bool has_last;
};

/* ---- settings ---- */

/* The literal assignment a setting is for; when there is none, what to say instead. */
static cairn_status find_literal(
	const crn_script *s, const crn_setting *setting, const crn_ast **ret, cairn_error *err)
{
	int n = 0, line = 0, column;
	CRN_FREE const char **literals = crn_calloc((size_t)s->n_statements, sizeof(*literals));
	if (!literals)
		return crn_fail_memory(err, "the settings", (size_t)s->n_statements);
	for (int i = 0; i < s->n_statements; i++) {
		const crn_statement *st = &s->statements[i];
		if (st->kind != CRN_STMT_ASSIGN)
			continue;
		bool same = strcmp(st->name, setting->name) == 0;
		if (crn_ast_is_literal(st->value)) {
			if (same) {
				*ret = st->value;
				return CAIRN_OK;
			}
			literals[n++] = st->name;
		} else if (same) {
			crn_script_position(&s->text, st->offset, &line, &column);
		}
	}
	if (line > 0)
		return crn_fail(err, CAIRN_USAGE,
			"--set %.80s: %.80s is computed in line %d; only names assigned a literal "
			"can "
			"be set",
			setting->name, setting->name, line);
	cairn_status status = crn_fail(err, CAIRN_USAGE,
		"--set %.80s: the pipeline assigns no literal to that name", setting->name);
	const char *near = crn_nearest_name(setting->name, literals, n);
	CRN_STR list = {0};
	for (int i = 0; i < n && i < 12; i++)
		crn_str_appendf(&list, "%s%s", i ? ", " : "", literals[i]);
	if (near)
		crn_hint(err, "did you mean %s?", near);
	else if (n > 0)
		crn_hint(err, "it can set %s", list.data ? list.data : "");
	return status;
}

static cairn_status setting_value(
	const crn_setting *setting, const crn_ast *literal, crn_value *ret, cairn_error *err)
{
	const char *text = setting->text;
	bool is_text = literal->kind == CRN_AST_LITERAL && literal->value.kind == CRN_V_STR;
	if (is_text && text[0] != '"' && text[0] != '\'')
		return crn_value_str(text, ret, err);
	cairn_status status = crn_value_parse_literal(text, ret, err);
	if (status != CAIRN_OK)
		crn_where(err, "--set %s=%s", setting->name, text);
	return status;
}

static cairn_status check_settings(
	const crn_script *s, const crn_pipeline_request *request, cairn_error *err)
{
	for (int i = 0; i < request->n_settings; i++) {
		const crn_ast *literal = NULL;
		CRN_VALUE v = {0};
		CRN_TRY(find_literal(s, &request->settings[i], &literal, err));
		CRN_TRY(setting_value(&request->settings[i], literal, &v, err));
	}
	return CAIRN_OK;
}

/* The last setting of this name, as on a command line; NULL if there is none. */
static const crn_setting *find_setting(const crn_pipeline_request *request, const char *name)
{
	for (int i = request->n_settings - 1; i >= 0; i--)
		if (strcmp(request->settings[i].name, name) == 0)
			return &request->settings[i];
	return NULL;
}

/* ---- statements ---- */

static cairn_status assign(crn_eval *e, const crn_statement *s, crn_value *take, cairn_error *err)
{
	crn_binding *b = crn_eval_find(e, s->name);
	int64_t kept = e->kept + crn_eval_size(take) - (b ? crn_eval_size(&b->value) : 0);
	if (kept > MAX_KEPT)
		return crn_script_fail(
			e->text, s->offset, err, "the constants of this pipeline are too large");
	e->kept = kept;
	if (!b && e->n_names == e->names_capacity) {
		int cap = e->names_capacity ? 2 * e->names_capacity : 32;
		crn_binding *grown = crn_realloc_array(e->names, (size_t)cap, sizeof(*grown));
		if (!grown)
			return crn_fail_memory(err, "the names of a pipeline", (size_t)cap);
		e->names = grown;
		e->names_capacity = cap;
	}
	if (!b) {
		b = &e->names[e->n_names++];
		*b = (crn_binding){.name = s->name};
	}
	crn_value_clear(&b->value);
	b->value = *take;
	b->offset = s->offset;
	*take = (crn_value){0};
	return CAIRN_OK;
}

static cairn_status run_assignment(crn_pipeline *p, const crn_statement *s,
	const crn_pipeline_request *request, cairn_error *err)
{
	crn_eval *e = &p->eval;
	CRN_VALUE v = {0};
	const crn_setting *setting =
		crn_ast_is_literal(s->value) ? find_setting(request, s->name) : NULL;
	if (setting) {
		CRN_TRY(setting_value(setting, s->value, &v, err));
		return assign(e, s, &v, err);
	}
	e->target = s->name;
	e->outermost = s->value;
	cairn_status status = crn_eval_expression(e, s->value, &v, err);
	e->target = NULL;
	if (status == CAIRN_OK)
		status = assign(e, s, &v, err);
	return status;
}

static cairn_status run_expression(
	crn_pipeline *p, const crn_statement *s, bool last, cairn_error *err)
{
	CRN_VALUE v = {0};
	CRN_TRY(crn_eval_expression(&p->eval, s->value, &v, err));
	bool sink = v.kind == CRN_V_NODE && v.node->op->kind == CRN_SINK;
	bool text = s->value->kind == CRN_AST_LITERAL; /* a docstring */
	if (sink || (text && !last))
		return CAIRN_OK;
	if (!last) {
		cairn_status status = crn_script_fail(
			p->eval.text, s->value->offset, err, "the result of this line is not used");
		crn_hint(err, "give it a name, write(...) it or print(...) it");
		return status;
	}
	p->last = v;
	p->has_last = true;
	v = (crn_value){0};
	return CAIRN_OK;
}

static cairn_status run_all(crn_pipeline *p, const crn_pipeline_request *request, cairn_error *err)
{
	const crn_script *s = p->script;
	for (int i = 0; i < s->n_statements; i++) {
		const crn_statement *st = &s->statements[i];
		bool last = i == s->n_statements - 1;
		if (st->kind == CRN_STMT_MODULE)
			p->eval.module = st->name;
		else if (st->kind == CRN_STMT_ASSIGN)
			CRN_TRY(run_assignment(p, st, request, err));
		else
			CRN_TRY(run_expression(p, st, last, err));
	}
	return CAIRN_OK;
}

/* ---- construction ---- */

static cairn_status take_given(
	crn_pipeline *p, const crn_pipeline_request *request, cairn_error *err)
{
	if (request->n_given == 0)
		return CAIRN_OK;
	p->given = crn_calloc((size_t)request->n_given, sizeof(*p->given));
	if (!p->given)
		return crn_fail_memory(err, "given names", (size_t)request->n_given);
	for (int i = 0; i < request->n_given; i++) {
		CRN_VALUE v = {0};
		char *name = crn_strdup(request->given[i].name);
		if (!name)
			return crn_fail_memory(err, "a name", 1);
		p->given[p->n_given++] = name;
		CRN_TRY(crn_value_copy(request->given[i].value, &v, err));
		crn_statement s = {.name = name, .offset = SIZE_MAX};
		CRN_TRY(assign(&p->eval, &s, &v, err));
	}
	return CAIRN_OK;
}

cairn_status crn_pipeline_new(crn_graph *g, const char *text, size_t n,
	const crn_pipeline_request *request, crn_pipeline **ret, cairn_error *err)
{
	crn_pipeline *p = crn_calloc(1, sizeof(*p));
	if (!p)
		return crn_fail_memory(err, "a pipeline", sizeof(*p));
	cairn_status status = crn_script_parse(text, n, request->name, &p->script, err);
	if (status == CAIRN_OK) {
		p->eval.graph = g;
		p->eval.text = &p->script->text;
		p->eval.level = request->level;
		status = check_settings(p->script, request, err);
	}
	if (status == CAIRN_OK)
		status = take_given(p, request, err);
	if (status == CAIRN_OK)
		status = run_all(p, request, err);
	if (status != CAIRN_OK) {
		crn_pipeline_free(p);
		return status;
	}
	*ret = p;
	return CAIRN_OK;
}

/* Everything up to the limit plus one byte, so that a longer text is noticed. */
static cairn_status read_file(int fd, const char *path, crn_str *out, cairn_error *err)
{
	char part[1 << 14];
	while (out->len <= CRN_SCRIPT_MAX_BYTES) {
		ssize_t got = read(fd, part, sizeof(part));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return crn_fail_errno(err, CAIRN_INPUT, "cannot read pipeline", path);
		if (got == 0)
			break;
		crn_str_append_n(out, part, (size_t)got);
	}
	return out->oom ? crn_fail_memory(err, "a pipeline text", out->len) : CAIRN_OK;
}

cairn_status crn_pipeline_load(crn_graph *g, const char *path, const crn_pipeline_request *request,
	crn_pipeline **ret, cairn_error *err)
{
	CRN_STR text = {0};
	crn_pipeline_request named = *request;
	if (!named.name)
		named.name = path;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_INPUT, "cannot open pipeline", path);
	cairn_status status = read_file(fd, path, &text, err);
	close(fd);
	CRN_TRY(status);
	return crn_pipeline_new(g, text.data ? text.data : "", text.len, &named, ret, err);
}

void crn_pipeline_free(crn_pipeline *p)
{
	if (!p)
		return;
	crn_eval *e = &p->eval;
	crn_value_clear(&p->last);
	for (int i = 0; i < e->n_sinks; i++)
		crn_node_unref(e->sinks[i]);
	for (int i = 0; i < e->n_names; i++)
		crn_value_clear(&e->names[i].value);
	for (int i = 0; i < p->n_given; i++)
		crn_free(p->given[i]);
	crn_free(p->given);
	crn_free(e->sinks);
	crn_free(e->names);
	crn_script_free(p->script);
	crn_free(p);
}

/* ---- what is in it ---- */

int crn_pipeline_n_names(const crn_pipeline *p)
{
	return p->eval.n_names;
}

const char *crn_pipeline_name(const crn_pipeline *p, int i)
{
	return p->eval.names[i].name;
}

const crn_value *crn_pipeline_value(const crn_pipeline *p, int i)
{
	return &p->eval.names[i].value;
}

/* "a, b, c" of the names that hold arrays; all names if none does. */
static void list_names(const crn_pipeline *p, crn_str *out)
{
	for (int arrays = 1; arrays >= 0 && out->len == 0; arrays--)
		for (int i = 0; i < p->eval.n_names && out->len < 160; i++)
			if (!arrays || p->eval.names[i].value.kind == CRN_V_NODE)
				crn_str_appendf(
					out, "%s%s", out->len ? ", " : "", p->eval.names[i].name);
}

cairn_status crn_pipeline_find(
	const crn_pipeline *p, const char *name, const crn_value **ret, cairn_error *err)
{
	const crn_binding *b = crn_eval_find(&p->eval, name);
	if (b) {
		*ret = &b->value;
		return CAIRN_OK;
	}
	const char *file = p->script->text.name;
	cairn_status status = crn_fail(err, CAIRN_USAGE, "%s assigns nothing to %.80s",
		file ? file : "the pipeline", name);
	CRN_FREE const char **names = crn_calloc((size_t)p->eval.n_names, sizeof(*names));
	for (int i = 0; names && i < p->eval.n_names; i++)
		names[i] = p->eval.names[i].name;
	const char *near = names ? crn_nearest_name(name, names, p->eval.n_names) : NULL;
	CRN_STR list = {0};
	list_names(p, &list);
	if (near)
		crn_hint(err, "did you mean %s?", near);
	else if (list.len > 0)
		crn_hint(err, "its names are %s", list.data);
	return status;
}

const crn_value *crn_pipeline_last(const crn_pipeline *p)
{
	return p->has_last ? &p->last : NULL;
}

crn_node *const *crn_pipeline_sinks(const crn_pipeline *p, int *ret_n)
{
	*ret_n = p->eval.n_sinks;
	return p->eval.sinks;
}

const char *crn_pipeline_text(const crn_pipeline *p)
{
	return p->script->text.data;
}

/* ---- pipelines as inputs ---- */

bool crn_pipeline_is_url(const char *url, size_t *ret_path_bytes, const char **ret_name)
{
	static const char *const suffixes[] = {".py", ".cairn"};
	const char *hash = strchr(url, '#');
	size_t n = hash ? (size_t)(hash - url) : strlen(url);
	for (size_t i = 0; i < CRN_COUNT(suffixes); i++) {
		size_t k = strlen(suffixes[i]);
		if (n <= k || memcmp(url + n - k, suffixes[i], k) != 0)
			continue;
		if (ret_path_bytes)
			*ret_path_bytes = n;
		if (ret_name)
			*ret_name = hash ? hash + 1 : NULL;
		return true;
	}
	return false;
}

static cairn_status find_named(
	const crn_pipeline *p, const char *url, const char *name, crn_value *ret, cairn_error *err)
{
	const crn_value *v = NULL;
	if (!name || !name[0]) {
		CRN_STR list = {0};
		list_names(p, &list);
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "%s is a pipeline: name one of its arrays", url);
		crn_hint(err, "%s#NAME with NAME one of %s", url,
			list.data ? list.data : "those it assigns (it assigns none)");
		return status;
	}
	CRN_TRY(crn_pipeline_find(p, name, &v, err));
	return crn_value_copy(v, ret, err);
}

cairn_status crn_pipeline_read(
	crn_graph *g, const char *url, int level, crn_value *ret, cairn_error *err)
{
	size_t n = 0;
	const char *name = NULL;
	if (level > MAX_LEVEL)
		return crn_fail(err, CAIRN_USAGE,
			"%s: pipelines read each other more than %d deep (in a circle?)", url,
			MAX_LEVEL);
	if (!crn_pipeline_is_url(url, &n, &name))
		return crn_fail(err, CAIRN_USAGE, "%s is no pipeline file", url);
	CRN_FREE char *path = crn_strndup(url, n);
	if (!path)
		return crn_fail_memory(err, "a path", n);
	crn_pipeline *p = NULL;
	crn_pipeline_request request = {.level = level};
	CRN_TRY(crn_pipeline_load(g, path, &request, &p, err));
	cairn_status status = find_named(p, url, name, ret, err);
	crn_pipeline_free(p);
	return status;
}

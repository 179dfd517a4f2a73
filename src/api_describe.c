/* SPDX-License-Identifier: Apache-2.0
 *
 * api_describe.c -- facts of an array, or of every name of a pipeline file: `cairn info`.
 *
 * Nothing is computed: types come from the graph, the rest from what the format says of its file.
 */
#include "api.h"

#include "base/json.h"
#include "base/mem.h"
#include "core/format.h"

#include <string.h>

static const char *const kinds[] = {
	[CRN_INTENSITY] = "intensity",
	[CRN_LABEL] = "label",
	[CRN_MASK] = "mask",
};

static int64_t array_bytes(const crn_type *t)
{
	return crn_type_count(t) * (int64_t)crn_dtype_size(t->dtype);
}

/* What one plane across axis d makes the reader decode, as a multiple of the plane. */
static int64_t amplification(const crn_source *s, int d)
{
	int64_t unit = s->unit[d], extent = s->type.shape[d];
	if (s->ops->read_box || extent == 0)
		return 1;
	return unit < extent ? unit : extent;
}

static void append_ints(crn_str *out, const int64_t *v, int n)
{
	crn_str_append(out, "[");
	for (int i = 0; i < n; i++)
		crn_str_appendf(out, "%s%lld", i ? ", " : "", (long long)v[i]);
	crn_str_append(out, "]");
}

/* ---- JSON ---- */

static void json_axes(const crn_type *t, crn_str *out)
{
	crn_str_append(out, "[");
	for (int d = 0; d < t->ndim; d++) {
		crn_str_append(out, d ? ", {\"name\": " : "{\"name\": ");
		crn_json_quote(out, t->axes[d].name);
		crn_str_append(out, ", \"unit\": ");
		crn_json_quote(out, t->axes[d].unit);
		crn_str_append(out, ", \"scale\": ");
		crn_json_double(out, t->axes[d].scale);
		crn_str_append(out, ", \"translation\": ");
		crn_json_double(out, t->axes[d].translation);
		crn_str_append(out, "}");
	}
	crn_str_append(out, "]");
}

static void json_source(const crn_source *s, crn_str *out)
{
	crn_str_append(out, ", \"format\": ");
	crn_json_quote(out, s->format->name);
	crn_str_append(out, ", \"chunks\": ");
	append_ints(out, s->unit, s->type.ndim);
	crn_str_append(out, ", \"plane_read_amplification\": [");
	for (int d = 0; d < s->type.ndim; d++)
		crn_str_appendf(out, "%s%lld", d ? ", " : "", (long long)amplification(s, d));
	crn_str_append(out, "]");
	if (s->ops->describe) {
		CRN_STR facts = {0};
		s->ops->describe(s, &facts);
		if (facts.len > 0)
			crn_str_appendf(out, ", \"storage\": {%s}", facts.data);
	}
}

static void json_node(const crn_node *n, crn_str *out)
{
	const crn_type *t = &n->type;
	if (t->is_table) {
		crn_str_append(out, "\"table\": true, \"op\": ");
		crn_json_quote(out, n->op->name);
		return;
	}
	crn_str_appendf(out, "\"dtype\": \"%s\", \"shape\": ", crn_dtype_name(t->dtype));
	append_ints(out, t->shape, t->ndim);
	crn_str_appendf(out, ", \"kind\": \"%s\", \"bytes\": %lld, \"axes\": ", kinds[t->kind],
		(long long)array_bytes(t));
	json_axes(t, out);
	crn_str_append(out, ", \"op\": ");
	crn_json_quote(out, n->op->name);
	if (n->source)
		json_source(n->source, out);
}

/* ---- text ---- */

static void text_axes(const crn_type *t, crn_str *out)
{
	char number[40];
	crn_str_append(out, "  axes        ");
	for (int d = 0; d < t->ndim; d++) {
		const crn_axis *a = &t->axes[d];
		crn_elem_format(CRN_F64, crn_elem_from_double(CRN_F64, a->scale), number);
		crn_str_appendf(out, "%s%s %lld", d ? ", " : "", a->name[0] ? a->name : "?",
			(long long)t->shape[d]);
		if (a->scale != 1 || a->unit[0])
			crn_str_appendf(
				out, " x %s %s", number, a->unit[0] ? a->unit : "(no unit)");
	}
	crn_str_append(out, "\n");
}

/* {"compression": "deflate", "tiles": [256, 256]} as one line a member. */
static void text_storage(const crn_source *s, crn_str *out)
{
	CRN_STR facts = {0};
	crn_json *root = NULL;
	crn_str_append(&facts, "{");
	s->ops->describe(s, &facts);
	crn_str_append(&facts, "}");
	if (facts.oom ||
		crn_json_parse(facts.data, facts.len, CAIRN_FAILED, &root, NULL) != CAIRN_OK)
		return;
	for (int i = 0; root->kind == CRN_JSON_OBJECT && i < root->n; i++) {
		const crn_json *v = &root->items[i];
		bool empty = v->kind == CRN_JSON_STRING && v->text[0] == '\0';
		if (empty || strcmp(root->keys[i], "chunks") == 0)
			continue; /* the read unit is shown already */
		crn_str_appendf(out, "  %-11s ", root->keys[i]);
		if (v->kind == CRN_JSON_STRING)
			crn_str_append(out, v->text);
		else
			crn_json_print(out, v);
		crn_str_append(out, "\n");
	}
	crn_json_free(root);
}

static void text_source(const crn_source *s, crn_str *out)
{
	const crn_type *t = &s->type;
	char bytes[64];
	int64_t unit_bytes = (int64_t)crn_dtype_size(t->dtype);
	for (int d = 0; d < t->ndim; d++)
		unit_bytes *= s->unit[d] < t->shape[d] ? s->unit[d] : t->shape[d];
	crn_str_appendf(out, "  format      %s (%s)\n  chunks      ", s->format->name,
		s->format->summary ? s->format->summary : "");
	append_ints(out, s->unit, t->ndim);
	crn_str_appendf(out, ", %s each\n", crn_format_bytes((double)unit_bytes, bytes));
	if (s->ops->describe)
		text_storage(s, out);
	if (s->ops->read_box) {
		crn_str_append(out, "  reading     any region costs about its bytes\n");
		return;
	}
	crn_str_append(out, "  reading     one plane decodes");
	for (int d = 0; d < t->ndim; d++)
		crn_str_appendf(out, "%s %lldx its bytes across %s", d ? "," : "",
			(long long)amplification(s, d),
			t->axes[d].name[0] ? t->axes[d].name : "axis");
	crn_str_append(out, "\n");
}

static void text_node(const crn_node *n, crn_str *out)
{
	const crn_type *t = &n->type;
	char text[256], bytes[64];
	if (t->is_table) {
		crn_str_appendf(out, "  table of %s\n", n->op->name);
		return;
	}
	crn_str_appendf(out, "  array       %s, %s, %s\n", crn_type_format(t, text),
		crn_format_bytes((double)array_bytes(t), bytes), kinds[t->kind]);
	text_axes(t, out);
	if (n->source)
		text_source(n->source, out);
	else
		crn_str_appendf(out, "  computed    %s\n", n->origin);
}

void crn_api_describe_node(const crn_node *n, cairn_style style, crn_str *out)
{
	if (style == CAIRN_JSON)
		json_node(n, out);
	else
		text_node(n, out);
}

/* ---- pipelines ---- */

static void json_name(const char *name, const crn_value *v, crn_str *out)
{
	crn_str_append(out, "{\"name\": ");
	crn_json_quote(out, name);
	crn_str_append(out, ", ");
	if (v->kind == CRN_V_NODE) {
		json_node(v->node, out);
		crn_str_append(out, ", \"origin\": ");
		crn_json_quote(out, v->node->origin);
	} else {
		CRN_STR text = {0};
		crn_value_print(v, &text);
		crn_str_append(out, "\"value\": ");
		crn_json_quote(out, text.data ? text.data : "");
	}
	crn_str_append(out, "}");
}

static void text_name(const char *name, const crn_value *v, crn_str *out)
{
	char text[256], bytes[64];
	crn_str_appendf(out, "  %-12s ", name);
	if (v->kind != CRN_V_NODE) {
		crn_value_print(v, out);
		crn_str_append(out, "\n");
		return;
	}
	const crn_node *n = v->node;
	if (n->type.is_table || n->op->kind == CRN_SINK)
		crn_str_appendf(out, "%s", n->type.is_table ? "table" : "output");
	else
		crn_str_appendf(out, "%s, %s", crn_type_format(&n->type, text),
			crn_format_bytes((double)array_bytes(&n->type), bytes));
	crn_str_appendf(out, "  (%s)\n", n->origin);
}

static void describe_pipeline(
	const crn_pipeline *p, const char *url, cairn_style style, crn_str *out)
{
	int n = crn_pipeline_n_names(p), n_sinks = 0;
	crn_node *const *sinks = crn_pipeline_sinks(p, &n_sinks);
	if (style == CAIRN_JSON) {
		crn_str_append(out, "{\"pipeline\": ");
		crn_json_quote(out, url);
		crn_str_append(out, ", \"names\": [");
	} else {
		crn_str_appendf(out, "%s: a pipeline\n", url);
	}
	for (int i = 0; i < n; i++) {
		const crn_value *v = crn_pipeline_value(p, i);
		if (style == CAIRN_JSON) {
			crn_str_append(out, i ? ", " : "");
			json_name(crn_pipeline_name(p, i), v, out);
		} else {
			text_name(crn_pipeline_name(p, i), v, out);
		}
	}
	crn_str_append(out, style == CAIRN_JSON ? "], \"outputs\": [" : "");
	for (int i = 0; i < n_sinks; i++) {
		if (style == CAIRN_JSON) {
			crn_str_append(out, i ? ", " : "");
			crn_json_quote(out, sinks[i]->origin);
		} else {
			crn_str_appendf(out, "  output: %s\n", sinks[i]->origin);
		}
	}
	crn_str_append(out, style == CAIRN_JSON ? "]}\n" : "");
}

static cairn_status describe_file(
	cairn_session *s, const char *path, cairn_style style, crn_str *out, cairn_error *err)
{
	crn_pipeline *p = NULL;
	crn_pipeline_request request = {.name = path};
	crn_mutex_lock(&s->building);
	cairn_status status = crn_pipeline_load(s->graph, path, &request, &p, err);
	crn_mutex_unlock(&s->building);
	CRN_TRY(status);
	describe_pipeline(p, path, style, out);
	crn_pipeline_free(p);
	return CAIRN_OK;
}

cairn_status cairn_describe(
	cairn_session *s, const char *url, cairn_style style, char **ret, cairn_error *err)
{
	CRN_STR out = {0};
	const char *name = NULL;
	if (style != CAIRN_TEXT && style != CAIRN_JSON)
		return crn_fail(err, CAIRN_USAGE, "facts have no such style");
	if (crn_pipeline_is_url(url, NULL, &name) && !name) {
		CRN_TRY(describe_file(s, url, style, &out, err));
		return crn_api_take(&out, ret, err);
	}
	cairn_array *a = NULL;
	CRN_TRY(cairn_array_open(s, url, &a, err));
	if (style == CAIRN_JSON) {
		crn_str_append(&out, "{\"url\": ");
		crn_json_quote(&out, url);
		crn_str_append(&out, ", ");
		json_node(a->node, &out);
		crn_str_append(&out, "}\n");
	} else {
		crn_str_appendf(&out, "%s\n", url);
		text_node(a->node, &out);
	}
	cairn_array_free(a);
	return crn_api_take(&out, ret, err);
}

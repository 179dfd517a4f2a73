/* SPDX-License-Identifier: Apache-2.0
 *
 * api_ops.c -- operations and formats described from their descriptors: text, JSON, manual page.
 *
 * Help, manual, completion and documentation all come from here, so they cannot drift from what the
 * ops are.
 */
#include "api.h"

#include "base/json.h"
#include "base/mem.h"
#include "builtin.h"
#include "core/call.h"
#include "core/format.h"
#include "core/literal.h"

#include <ctype.h>
#include <string.h>

static const char *type_name(crn_ptype t)
{
	static const char *const names[] = {
		[CRN_P_ARRAY] = "array",
		[CRN_P_OPERAND] = "array or number",
		[CRN_P_ARRAYS] = "list of arrays",
		[CRN_P_TABLE] = "table",
		[CRN_P_NODE] = "array or table",
		[CRN_P_INT] = "int",
		[CRN_P_FLOAT] = "float",
		[CRN_P_BOOL] = "bool",
		[CRN_P_STR] = "text",
		[CRN_P_DTYPE] = "dtype",
		[CRN_P_INTS] = "int or tuple of ints",
		[CRN_P_FLOATS] = "float or tuple of floats",
		[CRN_P_STRS] = "text or list of texts",
		[CRN_P_NUMBER] = "number",
		[CRN_P_CONST] = "constant array",
		[CRN_P_ANY] = "any",
	};
	return (size_t)t < CRN_COUNT(names) && names[t] ? names[t] : "any";
}

static bool is_end(const crn_param *p)
{
	return !p || p->type == CRN_P_END;
}

/* gaussian_filter(x, sigma, order=0, mode='reflect') */
static void append_signature(const crn_op *op, crn_str *out)
{
	crn_str_appendf(out, "%s(", op->name);
	for (const crn_param *p = op->params; !is_end(p); p++) {
		crn_str_appendf(out, "%s%s", p == op->params ? "" : ", ", p->name);
		if (p->default_text)
			crn_str_appendf(out, "=%s", p->default_text);
	}
	crn_str_append(out, ")");
}

/* Text broken at blanks into lines of at most `width`, each after `indent` blanks. */
static void append_wrapped(crn_str *out, const char *text, int indent, int width)
{
	int column = 0;
	while (*text) {
		size_t n = strcspn(text, " \n");
		bool wraps = column > 0 && indent + column + 1 + (int)n > width;
		if (wraps) {
			crn_str_append(out, "\n");
			column = 0;
		}
		if (column == 0)
			crn_str_appendf(out, "%*s", indent, "");
		else
			crn_str_append(out, " ");
		crn_str_append_n(out, text, n);
		column += (int)n + (column > 0);
		text += n;
		if (*text == '\n') {
			crn_str_append(out, "\n");
			column = 0;
		}
		text += *text != '\0';
	}
	crn_str_append(out, "\n");
}

/* ---- text ---- */

static void text_params(const crn_param *params, crn_str *out)
{
	for (const crn_param *p = params; !is_end(p); p++) {
		crn_str_appendf(out, "  %s: %s", p->name, type_name(p->type));
		if (p->default_text)
			crn_str_appendf(out, ", default %s", p->default_text);
		crn_str_append(out, "\n");
		if (p->help)
			append_wrapped(out, p->help, 6, 96);
		if (!p->choices)
			continue;
		crn_str_append(out, "      one of");
		for (int i = 0; p->choices[i]; i++)
			crn_str_appendf(out, "%s '%s'", i ? "," : "", p->choices[i]);
		crn_str_append(out, "\n");
	}
}

static void text_op(const crn_op *op, crn_str *out)
{
	append_signature(op, out);
	crn_str_append(out, "\n\n");
	append_wrapped(out, op->summary, 0, 96);
	if (!is_end(op->params)) {
		crn_str_append(out, "\n");
		text_params(op->params, out);
	}
	if (op->doc) {
		crn_str_append(out, "\n");
		append_wrapped(out, op->doc, 0, 96);
	}
	if (op->source)
		crn_str_appendf(out, "\nas %s\n", op->source);
	if (op->example)
		crn_str_appendf(out, "\nexample: %s\n", op->example);
}

/* ---- JSON ---- */

static void json_member(crn_str *out, const char *name, const char *value)
{
	crn_str_appendf(out, "\"%s\": ", name);
	if (value)
		crn_json_quote(out, value);
	else
		crn_str_append(out, "null");
}

static void json_params(const crn_param *params, crn_str *out)
{
	crn_str_append(out, "[");
	for (const crn_param *p = params; !is_end(p); p++) {
		crn_str_append(out, p == params ? "{" : ", {");
		json_member(out, "name", p->name);
		crn_str_append(out, ", ");
		json_member(out, "type", type_name(p->type));
		crn_str_append(out, ", ");
		json_member(out, "default", p->default_text);
		crn_str_append(out, ", ");
		json_member(out, "help", p->help);
		crn_str_append(out, ", \"choices\": ");
		for (int i = 0; p->choices && p->choices[i]; i++) {
			crn_str_append(out, i ? ", " : "[");
			crn_json_quote(out, p->choices[i]);
		}
		crn_str_append(out, p->choices ? "]}" : "null}");
	}
	crn_str_append(out, "]");
}

static void json_op(const crn_op *op, crn_str *out)
{
	CRN_STR signature = {0};
	append_signature(op, &signature);
	const struct {
		const char *name, *value;
	} members[] = {{"name", op->name}, {"category", op->category}, {"summary", op->summary},
		{"signature", signature.data}, {"doc", op->doc}, {"source", op->source},
		{"example", op->example}};
	crn_str_append(out, "{");
	for (size_t i = 0; i < CRN_COUNT(members); i++) {
		json_member(out, members[i].name, members[i].value);
		crn_str_append(out, ", ");
	}
	crn_str_append(out, "\"parameters\": ");
	json_params(op->params, out);
	crn_str_append(out, "}");
}

/* ---- manual page ---- */

/* Roff takes backslashes and leading dots and quotes as its own. */
static void roff(crn_str *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		crn_str_append(out, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			crn_str_append(out, "\\e");
		else if (*text == '-')
			crn_str_append(out, "\\-");
		else
			crn_str_append_n(out, text, 1);
	}
}

static void man_op(const crn_op *op, crn_str *out)
{
	CRN_STR signature = {0};
	append_signature(op, &signature);
	crn_str_append(out, ".SS ");
	roff(out, signature.data ? signature.data : op->name);
	crn_str_append(out, "\n");
	roff(out, op->summary);
	crn_str_append(out, "\n");
	for (const crn_param *p = op->params; !is_end(p); p++) {
		crn_str_append(out, ".TP\n.B ");
		roff(out, p->name);
		crn_str_appendf(out, "\n(%s) ", type_name(p->type));
		roff(out, p->help ? p->help : "");
		for (int i = 0; p->choices && p->choices[i]; i++)
			crn_str_appendf(out, "%s%s", i ? ", " : "; one of ", p->choices[i]);
		crn_str_append(out, "\n");
	}
	if (op->doc) {
		crn_str_append(out, ".PP\n");
		roff(out, op->doc);
		crn_str_append(out, "\n");
	}
	if (op->source) {
		crn_str_append(out, ".PP\nAs ");
		roff(out, op->source);
		crn_str_append(out, ".\n");
	}
	if (op->example) {
		crn_str_append(out, ".PP\nExample: ");
		roff(out, op->example);
		crn_str_append(out, "\n");
	}
}

/* ---- all operations, by category in the order of their first op ---- */

static bool seen_before(const crn_op *const *ops, int at)
{
	for (int i = 0; i < at; i++)
		if (!ops[i]->internal && strcmp(ops[i]->category, ops[at]->category) == 0)
			return true;
	return false;
}

static void append_category(
	const crn_op *const *ops, const char *category, cairn_style style, crn_str *out)
{
	if (style == CAIRN_MAN) {
		crn_str_append(out, ".SH ");
		for (const char *c = category; *c; c++)
			crn_str_appendf(out, "%c", toupper((unsigned char)*c));
		crn_str_append(out, "\n");
	} else {
		crn_str_appendf(out, "%s%s\n", out->len ? "\n" : "", category);
	}
	for (int i = 0; ops[i]; i++) {
		if (ops[i]->internal || strcmp(ops[i]->category, category) != 0)
			continue;
		if (style == CAIRN_MAN)
			man_op(ops[i], out);
		else
			crn_str_appendf(out, "  %-26s %s\n", ops[i]->name, ops[i]->summary);
	}
}

static void append_all(cairn_style style, crn_str *out)
{
	const crn_op *const *ops = crn_builtin_registry.ops;
	bool first = true;
	if (style == CAIRN_JSON) {
		crn_str_append(out, "[");
		for (int i = 0; ops[i]; i++) {
			if (ops[i]->internal)
				continue;
			crn_str_append(out, first ? "\n" : ",\n");
			json_op(ops[i], out);
			first = false;
		}
		crn_str_append(out, "\n]\n");
		return;
	}
	if (style == CAIRN_MAN)
		crn_str_appendf(out,
			".TH CAIRN\\-OPS 7 \"\" \"cairn %s\" \"cairn\"\n.SH NAME\ncairn\\-ops \\- "
			"the "
			"operations of cairn pipelines\n.SH DESCRIPTION\nCalled in a pipeline by "
			"name, "
			"or as methods of their first argument. Names, parameters and defaults are "
			"those "
			"of NumPy, scipy.ndimage and scikit\\-image.\n",
			cairn_version());
	for (int i = 0; ops[i]; i++)
		if (!ops[i]->internal && !seen_before(ops, i))
			append_category(ops, ops[i]->category, style, out);
}

static cairn_status unknown_op(const char *name, cairn_error *err)
{
	const crn_op *const *ops = crn_builtin_registry.ops;
	int n = 0;
	while (ops[n])
		n++;
	CRN_FREE const char **names = crn_calloc((size_t)n + 1, sizeof(*names));
	int n_names = 0;
	for (int i = 0; names && i < n; i++)
		if (!ops[i]->internal)
			names[n_names++] = ops[i]->name;
	cairn_status status = crn_fail(err, CAIRN_USAGE, "there is no operation %.80s", name);
	const char *near = names ? crn_nearest_name(name, names, n_names) : NULL;
	if (near)
		crn_hint(err, "did you mean %s?", near);
	else
		crn_hint(err, "`cairn ops` lists them");
	return status;
}

cairn_status cairn_describe_ops(const char *name, cairn_style style, char **ret, cairn_error *err)
{
	CRN_STR out = {0};
	if (style != CAIRN_TEXT && style != CAIRN_JSON && style != CAIRN_MAN)
		return crn_fail(err, CAIRN_USAGE, "operations have no such style");
	if (!name) {
		append_all(style, &out);
		return crn_api_take(&out, ret, err);
	}
	const crn_op *op = crn_op_find(&crn_builtin_registry, name);
	if (!op || op->internal)
		return unknown_op(name, err);
	if (style == CAIRN_JSON) {
		json_op(op, &out);
		crn_str_append(&out, "\n");
	} else if (style == CAIRN_MAN) {
		man_op(op, &out);
	} else {
		text_op(op, &out);
	}
	return crn_api_take(&out, ret, err);
}

cairn_status cairn_op_names(char **ret, cairn_error *err)
{
	CRN_STR out = {0};
	for (const crn_op *const *op = crn_builtin_registry.ops; *op; op++)
		if (!(*op)->internal)
			crn_str_appendf(&out, "%s\n", (*op)->name);
	return crn_api_take(&out, ret, err);
}

/* ---- formats ---- */

static void append_format(const crn_format *f, cairn_style style, crn_str *out)
{
	if (style == CAIRN_JSON) {
		crn_str_append(out, "{");
		json_member(out, "name", f->name);
		crn_str_append(out, ", ");
		json_member(out, "summary", f->summary);
		crn_str_append(out, ", \"suffixes\": [");
		for (int i = 0; f->suffixes && f->suffixes[i]; i++) {
			crn_str_append(out, i ? ", " : "");
			crn_json_quote(out, f->suffixes[i]);
		}
		crn_str_appendf(out, "], \"writes\": %s, \"read\": ", f->create ? "true" : "false");
		json_params(f->read_params, out);
		crn_str_append(out, ", \"write\": ");
		json_params(f->write_params, out);
		crn_str_append(out, "}");
		return;
	}
	crn_str_appendf(out, "%s (%s)", f->name, f->create ? "reads, writes" : "reads");
	for (int i = 0; f->suffixes && f->suffixes[i]; i++)
		crn_str_appendf(out, " %s", f->suffixes[i]);
	crn_str_appendf(out, "\n  %s\n", f->summary ? f->summary : "");
	if (!is_end(f->read_params)) {
		crn_str_append(out, "  options of read():\n");
		text_params(f->read_params, out);
	}
	if (!is_end(f->write_params)) {
		crn_str_append(out, "  options of write():\n");
		text_params(f->write_params, out);
	}
}

cairn_status cairn_describe_formats(cairn_style style, char **ret, cairn_error *err)
{
	CRN_STR out = {0};
	const crn_format *const *formats = crn_builtin_registry.formats;
	if (style != CAIRN_TEXT && style != CAIRN_JSON)
		return crn_fail(err, CAIRN_USAGE, "formats have no such style");
	crn_str_append(&out, style == CAIRN_JSON ? "[" : "");
	for (int i = 0; formats[i]; i++) {
		if (style == CAIRN_JSON)
			crn_str_append(&out, i ? ",\n" : "\n");
		else if (i > 0)
			crn_str_append(&out, "\n");
		append_format(formats[i], style, &out);
	}
	crn_str_append(&out, style == CAIRN_JSON ? "\n]\n" : "");
	return crn_api_take(&out, ret, err);
}

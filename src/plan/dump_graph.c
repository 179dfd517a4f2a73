/* SPDX-License-Identifier: Apache-2.0
 *
 * dump_graph.c -- a plan's nodes as DOT, and as SVG with a layout of our own (no graphviz).
 *
 * Layout: a node's row is one below the lowest of its inputs, so edges point down; in its row it
 * stands under its leftmost input, or right of who was there first. A thick edge is a cut: its
 * value is kept in memory while it is needed.
 */
#include "plan/dump.h"

#include "base/mem.h"

#include <string.h>

static const char *colour(const crn_plan *p, const crn_node *n)
{
	if (n->op->kind == CRN_SINK)
		return "#cfe8cf";
	if (n->op->kind == CRN_SOURCE || n->op->kind == CRN_GENERATOR)
		return "#cfdff0";
	if (crn_plan_cut_of(p, n) >= 0)
		return "#f7dcb4";
	if (n->op->kind == CRN_GLOBAL || n->op->kind == CRN_REDUCTION)
		return "#ead1f0";
	return "#ffffff";
}

static void dot_escape(crn_str *out, const char *text)
{
	for (; *text; text++)
		crn_str_appendf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

void crn_dump_dot(const crn_plan *p, crn_str *out)
{
	char type[256];
	crn_str_append(out, "digraph cairn {\n\tnode [shape=box, style=filled, fontname=sans]\n");
	for (int i = 0; i < p->n_infos; i++) {
		const crn_node *n = p->infos[i].node;
		crn_str_appendf(out, "\tn%d [fillcolor=\"%s\", label=\"", i, colour(p, n));
		dot_escape(out, n->origin);
		crn_str_appendf(out, "\\n%s %s\"]\n", n->op->name, crn_type_format(&n->type, type));
		for (int k = 0; k < n->n_in; k++)
			crn_str_appendf(out, "\tn%d -> n%d%s\n", crn_plan_info(p, n->in[k]), i,
				crn_plan_cut_of(p, n->in[k]) >= 0
					? " [penwidth=3, color=\"#d98e32\"]"
					: "");
	}
	crn_str_append(out, "}\n");
}

static void xml_escape(crn_str *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			crn_str_append(out, "&lt;");
		else if (*text == '>')
			crn_str_append(out, "&gt;");
		else if (*text == '&')
			crn_str_append(out, "&amp;");
		else
			crn_str_append_n(out, text, 1);
	}
}

/* Numbers written into an expression are not worth a box. */
static bool is_hidden(const crn_node *n)
{
	return n->op->kind == CRN_GENERATOR && n->type.ndim == 0;
}

#define BOX_W 260
#define BOX_H 44
#define GAP_X 30
#define GAP_Y 36

typedef struct place {
	int row, column;
} place;

static void svg_node(const crn_plan *p, int i, const place *at, crn_str *out)
{
	const crn_node *n = p->infos[i].node;
	char type[256];
	int x = at[i].column * (BOX_W + GAP_X) + GAP_X, y = at[i].row * (BOX_H + GAP_Y) + GAP_Y;
	for (int k = 0; k < n->n_in; k++) {
		const place *from = &at[crn_plan_info(p, n->in[k])];
		bool kept = crn_plan_cut_of(p, n->in[k]) >= 0;
		if (is_hidden(n->in[k]))
			continue;
		crn_str_appendf(out,
			"<path d=\"M%d %d L%d %d\" stroke=\"%s\" stroke-width=\"%d\" "
			"fill=\"none\"/>\n",
			from->column * (BOX_W + GAP_X) + GAP_X + BOX_W / 2,
			from->row * (BOX_H + GAP_Y) + GAP_Y + BOX_H, x + BOX_W / 2, y,
			kept ? "#d98e32" : "#777", kept ? 3 : 1);
	}
	crn_str_appendf(out,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"%s\" "
		"stroke=\"#555\"/>\n<text x=\"%d\" y=\"%d\">",
		x, y, BOX_W, BOX_H, colour(p, n), x + 8, y + 18);
	xml_escape(out, n->origin);
	crn_str_appendf(out, "</text>\n<text x=\"%d\" y=\"%d\" fill=\"#555\">", x + 8, y + 35);
	xml_escape(out, n->op->name);
	crn_str_append(out, " ");
	xml_escape(out, crn_type_format(&n->type, type));
	crn_str_append(out, "</text>\n");
}

void crn_dump_svg(const crn_plan *p, crn_str *out)
{
	CRN_FREE place *at = crn_calloc((size_t)p->n_infos + 1, sizeof(*at));
	CRN_FREE int *used = crn_calloc((size_t)p->n_infos + 1, sizeof(*used));
	int rows = 0, columns = 0;
	if (!at || !used) {
		out->oom = true;
		return;
	}
	for (int i = 0; i < p->n_infos; i++) {
		const crn_node *n = p->infos[i].node;
		int under = -1;
		if (is_hidden(n))
			continue;
		for (int k = 0; k < n->n_in; k++) {
			const place *in = &at[crn_plan_info(p, n->in[k])];
			if (is_hidden(n->in[k]))
				continue;
			at[i].row = in->row >= at[i].row ? in->row + 1 : at[i].row;
			under = under < 0 || in->column < under ? in->column : under;
		}
		at[i].column = under > used[at[i].row] ? under : used[at[i].row];
		used[at[i].row] = at[i].column + 1;
		rows = at[i].row >= rows ? at[i].row + 1 : rows;
		columns = at[i].column >= columns ? at[i].column + 1 : columns;
	}
	crn_str_appendf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n",
		columns * (BOX_W + GAP_X) + GAP_X, rows * (BOX_H + GAP_Y) + GAP_Y);
	for (int i = 0; i < p->n_infos; i++)
		if (!is_hidden(p->infos[i].node))
			svg_node(p, i, at, out);
	crn_str_append(out, "</svg>\n");
}

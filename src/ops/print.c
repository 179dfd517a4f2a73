/* SPDX-License-Identifier: Apache-2.0
 *
 * print.c -- print(): the sink that shows small results. The engine computes them and the caller
 * of the run decides where the text goes.
 *
 * print("bubbles:", max(labels)) and print(max(labels), "bubbles") both become a node with the
 * array first and the text as its label.
 */
#include "base/str.h"
#include "core/op.h"

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	const int64_t most = 1 << 20;
	if (in->is_table)
		return crn_fail(
			err, CAIRN_USAGE, "print: a table is written to a .csv or .db file");
	if (crn_type_count(in) > most) {
		char text[256];
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "print: %s has more than %lld elements",
				crn_type_format(in, text), (long long)most);
		crn_hint(err, "print a reduction, for example mean(x), or write() the array");
		return status;
	}
	*ret = *in;
	return CAIRN_OK;
}

static cairn_status build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	bool swap = args[0].kind != CRN_V_NODE;
	const crn_value *x = &args[swap], *label = &args[!swap];
	if (x->kind != CRN_V_NODE || label->kind == CRN_V_NODE || label->kind == CRN_V_CONST) {
		cairn_status status = crn_fail(err, CAIRN_USAGE,
			"print: give one array, and a text to go with it if you like");
		crn_hint(err, "print(\"mean:\", mean(x))");
		return status;
	}
	CRN_VALUE text = {0};
	CRN_STR s = {0};
	if (label->kind == CRN_V_STR)
		crn_str_append(&s, label->s);
	else if (label->kind != CRN_V_NONE)
		crn_value_print(label, &s);
	if (s.oom)
		return crn_fail_memory(err, "text", s.len);
	CRN_TRY(crn_value_str(s.data ? s.data : "", &text, err));
	crn_value canonical[2] = {*x, text}; /* borrowed; copied by the node */
	crn_node *node = NULL;
	CRN_TRY(crn_node_new(g, self, canonical, &node, err));
	*ret = crn_value_node(node);
	return CAIRN_OK;
}

static const crn_param params[] = {
	{"x", CRN_P_ANY, NULL, "array to show, at most 2^20 elements; or the text"},
	{"label", CRN_P_ANY, "None", "text in front; or the array"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_print = {
	.name = "print",
	.category = "output",
	.summary = "Show a small array",
	.doc = "The value is computed when the pipeline runs and shown with its text in front, in "
	       "the "
	       "order of the pipeline.",
	.source = "Python",
	.example = "print(\"total:\", sum(ones((4, 5))))",
	.kind = CRN_SINK,
	.semver = 1,
	.params = params,
	.build = build,
	.infer = infer,
};

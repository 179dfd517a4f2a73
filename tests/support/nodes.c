/* SPDX-License-Identifier: Apache-2.0
 *
 * nodes.c -- array nodes over memory, and calls of ops written as text, for tests.
 */
#include "support/arrays.h"

#include "base/mem.h"
#include "core/format.h"
#include "ops/view_build.h"

#include <stdio.h>
#include <string.h>

typedef struct memory_source {
	crn_source base;
	crn_view values;
} memory_source;

static cairn_status read_box(
	crn_source *s, const crn_region *r, const crn_view *out, void *scratch, cairn_error *err)
{
	const memory_source *m = (memory_source *)s;
	crn_region whole = crn_region_whole(m->values.ndim, m->values.shape);
	crn_view part = crn_view_part(&m->values, &whole, r);
	crn_view_copy(out, &part);
	return CAIRN_OK;
}

static cairn_status read_unit(
	crn_source *s, const int64_t *idx, const crn_view *out, void *scratch, cairn_error *err)
{
	crn_region r = crn_unit_region(s->type.ndim, s->type.shape, s->unit, idx);
	crn_region_normalise(&r);
	if (scratch)
		memset(scratch, 0x77, s->unit_scratch);
	return read_box(s, &r, out, NULL, err);
}

static void close_source(crn_source *s)
{
	crn_test_array_free(&((memory_source *)s)->values);
	crn_free(s->url);
	crn_free(s);
}

static const crn_source_ops box_ops = {.read_box = read_box, .close = close_source};
static const crn_source_ops unit_ops = {.read_unit = read_unit, .close = close_source};

static const crn_op memory_op = {
	.name = "test_memory",
	.category = "tests",
	.summary = "array over memory",
	.kind = CRN_SOURCE,
	.internal = true,
	.semver = 1,
	.params = (const crn_param[]){{.name = "id", .type = CRN_P_INT}, {.type = CRN_P_END}},
};

static crn_hash content_hash(const crn_view *v, const int64_t *unit)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_u64(&h, v->dtype);
	for (int d = 0; d < v->ndim; d++) {
		crn_hash_u64(&h, (uint64_t)v->shape[d]);
		crn_hash_u64(&h, unit ? (uint64_t)unit[d] : 0);
	}
	crn_hash_bytes(&h, v->data, crn_view_dense_bytes(v->dtype, v->ndim, v->shape));
	return crn_hasher_result(&h);
}

cairn_status crn_test_source(
	crn_graph *g, const crn_view *values, const int64_t *unit, crn_node **ret, cairn_error *err)
{
	memory_source *m = crn_calloc(1, sizeof(*m));
	if (!m)
		return crn_fail_memory(err, "a test source", sizeof(*m));
	m->base.url = crn_strdup("memory");
	m->base.type = crn_type_make(values->dtype, values->ndim, values->shape);
	m->base.ops = unit ? &unit_ops : &box_ops;
	m->values = crn_test_array(values->dtype, values->ndim, values->shape);
	crn_view_copy(&m->values, values);
	m->base.identity = content_hash(&m->values, unit);
	for (int d = 0; d < values->ndim; d++) {
		m->base.unit[d] = unit ? unit[d] : values->shape[d];
		if (m->base.unit[d] < 1)
			m->base.unit[d] = 1;
	}
	m->base.unit_scratch = 64;
	crn_value id = crn_value_int(0);
	return crn_node_new_source(g, &memory_op, &id, &m->base, ret, err);
}

/* ---- calls as text ---- */

enum { MAX_TEXT_ARGS = 16 };

typedef struct text_args {
	crn_value args[CRN_MAX_INPUTS + MAX_TEXT_ARGS];
	crn_kwarg kwargs[MAX_TEXT_ARGS + 1];
	char names[MAX_TEXT_ARGS][32];
	int n_args, n_kwargs;
} text_args;

/* End of the argument that starts at `at`: the next comma outside brackets and quotes. */
static const char *argument_end(const char *at)
{
	int depth = 0;
	for (char quote = 0; *at; at++) {
		if (quote) {
			quote = *at == quote ? 0 : quote;
		} else if (*at == '\'' || *at == '"') {
			quote = *at;
		} else if (*at == '(' || *at == '[') {
			depth++;
		} else if (*at == ')' || *at == ']') {
			depth--;
		} else if (*at == ',' && depth == 0) {
			break;
		}
	}
	return at;
}

static cairn_status parse_argument(const char *at, const char *end, text_args *a, cairn_error *err)
{
	char text[4096];
	size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
	bool keyword = name > 0 && name < sizeof(a->names[0]) && at[name] == '=';
	const char *from = keyword ? at + name + 1 : at;
	if ((size_t)(end - from) >= sizeof(text) || a->n_kwargs == MAX_TEXT_ARGS)
		return crn_fail(err, CAIRN_USAGE, "test call too long: %s", at);
	memcpy(text, from, (size_t)(end - from));
	text[end - from] = '\0';
	crn_value v = {0};
	CRN_TRY(crn_value_parse_literal(text, &v, err));
	if (!keyword) {
		a->args[a->n_args++] = v;
		return CAIRN_OK;
	}
	memcpy(a->names[a->n_kwargs], at, name);
	a->kwargs[a->n_kwargs] = (crn_kwarg){.name = a->names[a->n_kwargs], .value = v};
	a->n_kwargs++;
	return CAIRN_OK;
}

static cairn_status parse_arguments(const char *text, text_args *a, cairn_error *err)
{
	for (const char *at = text + strspn(text, " "); *at;) {
		const char *end = argument_end(at);
		if (end > at)
			CRN_TRY(parse_argument(at, end, a, err));
		at = *end ? end + 1 : end;
		at += strspn(at, " ");
	}
	return CAIRN_OK;
}

/* x[...]: the builder the language uses, until there is an op for it. */
static crn_index_item index_item(const crn_value *v)
{
	crn_index_item item = {.kind = CRN_INDEX_SLICE};
	if (v->kind == CRN_V_INT) {
		item.kind = CRN_INDEX_INT;
		item.index = v->i;
	} else if (v->kind == CRN_V_STR) {
		item.kind = CRN_INDEX_ELLIPSIS;
	} else if (v->kind == CRN_V_NONE) {
		item.kind = CRN_INDEX_NEWAXIS;
	} else {
		const crn_value *part = v->list.items;
		item.has_start = part[0].kind == CRN_V_INT;
		item.start = item.has_start ? part[0].i : 0;
		item.has_stop = part[1].kind == CRN_V_INT;
		item.stop = item.has_stop ? part[1].i : 0;
		item.has_step = part[2].kind == CRN_V_INT;
		item.step = item.has_step ? part[2].i : 1;
	}
	return item;
}

static cairn_status make_index(crn_graph *g, const text_args *a, crn_node **ret, cairn_error *err)
{
	crn_index_item items[2 * CRN_MAX_NDIM];
	const crn_value *list = &a->args[1];
	int n = list->list.n < 2 * CRN_MAX_NDIM ? list->list.n : 2 * CRN_MAX_NDIM;
	for (int i = 0; i < n; i++)
		items[i] = index_item(&list->list.items[i]);
	return crn_build_index(g, a->args[0].node, items, n, ret, err);
}

static cairn_status collect(const crn_test_request *r, text_args *a, cairn_error *err)
{
	crn_value *to = a->args;
	if (r->as_list) {
		CRN_TRY(crn_value_list(r->n_nodes, &a->args[0], err));
		to = a->args[0].list.items;
	}
	for (int i = 0; i < r->n_nodes; i++)
		to[i] = crn_value_node(crn_node_ref(r->nodes[i]));
	a->n_args = r->as_list ? 1 : r->n_nodes;
	CRN_TRY(parse_arguments(r->text ? r->text : "", a, err));
	if (r->constant_name) {
		a->kwargs[a->n_kwargs].name = r->constant_name;
		CRN_TRY(crn_value_copy(r->constant, &a->kwargs[a->n_kwargs].value, err));
		a->n_kwargs++;
	}
	return CAIRN_OK;
}

static cairn_status make(
	crn_graph *g, const crn_op *op, text_args *a, crn_node **ret, cairn_error *err)
{
	crn_value v = {0};
	if (!op)
		return make_index(g, a, ret, err);
	CRN_TRY(crn_call_op(g, op, a->args, a->n_args, a->kwargs, a->n_kwargs, &v, err));
	if (v.kind != CRN_V_NODE) {
		crn_value_clear(&v);
		return crn_fail(err, CAIRN_FAILED, "%s: the result is no array", op->name);
	}
	*ret = v.node;
	return CAIRN_OK;
}

cairn_status crn_test_make(
	crn_graph *g, const crn_test_request *r, crn_node **ret, cairn_error *err)
{
	const crn_op *op = crn_op_find(crn_graph_registry(g), r->name);
	if (!op && strcmp(r->name, "getitem") != 0)
		return crn_fail(err, CAIRN_USAGE, "no op called %s", r->name);
	text_args a = {0};
	cairn_status status = collect(r, &a, err);
	if (status == CAIRN_OK)
		status = make(g, op, &a, ret, err);
	for (size_t i = 0; i < CRN_COUNT(a.args); i++)
		crn_value_clear(&a.args[i]);
	for (size_t i = 0; i < CRN_COUNT(a.kwargs); i++)
		crn_value_clear(&a.kwargs[i].value);
	return status;
}

cairn_status crn_test_call(crn_graph *g, const char *name, crn_node *const *nodes, int n_nodes,
	const char *text, crn_node **ret, cairn_error *err)
{
	const crn_test_request r = {.name = name, .nodes = nodes, .n_nodes = n_nodes, .text = text};
	return crn_test_make(g, &r, ret, err);
}

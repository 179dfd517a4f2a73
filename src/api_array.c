/* SPDX-License-Identifier: Apache-2.0
 *
 * api_array.c -- arrays of the public interface: opening, deriving, asking for facts, reading.
 */
#include "api.h"

#include "base/mem.h"

#include <string.h>

cairn_status crn_api_array(
	cairn_session *s, const crn_value *v, const char *what, cairn_array **ret, cairn_error *err)
{
	if (v->kind != CRN_V_NODE || v->node->op->kind == CRN_SINK || v->node->type.is_table) {
		CRN_STR text = {0};
		crn_value_print(v, &text);
		return crn_fail(err, CAIRN_USAGE, "%s is no array (it is %.80s)", what,
			v->kind == CRN_V_NODE && v->node->op->kind == CRN_SINK ? "an output"
			: text.data                                            ? text.data
									       : "");
	}
	cairn_array *a = crn_calloc(1, sizeof(*a));
	if (!a)
		return crn_fail_memory(err, "an array", sizeof(*a));
	a->session = crn_api_session_ref(s);
	a->node = crn_node_ref(v->node);
	*ret = a;
	return CAIRN_OK;
}

/* Value of a text's last expression, with x given if there is an array. */
static cairn_status eval(cairn_session *s, const cairn_array *x, const char *text, const char *what,
	cairn_array **ret, cairn_error *err)
{
	crn_pipeline *p = NULL;
	if (x && x->session != s)
		return crn_fail(err, CAIRN_USAGE, "the array belongs to another session");
	crn_value value = {.kind = CRN_V_NODE, .node = x ? x->node : NULL};
	crn_given given = {"x", &value};
	crn_pipeline_request request = {.given = &given, .n_given = x != NULL};
	crn_mutex_lock(&s->building);
	cairn_status status = crn_pipeline_new(s->graph, text, strlen(text), &request, &p, err);
	crn_mutex_unlock(&s->building);
	CRN_TRY(status);
	const crn_value *v = crn_pipeline_last(p);
	if (v)
		status = crn_api_array(s, v, what, ret, err);
	else
		status = crn_fail(err, CAIRN_USAGE, "%s is no expression", what);
	crn_pipeline_free(p);
	return status;
}

cairn_status cairn_array_eval(cairn_session *s, const cairn_array *array, const char *expression,
	cairn_array **ret, cairn_error *err)
{
	return eval(s, array, expression, "the expression", ret, err);
}

/* The caret of a text that the user never saw would only confuse. */
static void drop_place(cairn_error *err)
{
	static const char prefix[] = "line 1, column 1: ";
	if (!err || strncmp(err->message, prefix, strlen(prefix)) != 0)
		return;
	size_t n = strlen(err->message + strlen(prefix));
	memmove(err->message, err->message + strlen(prefix), n + 1);
	char *source = strstr(err->message, "\n    read(\"");
	if (source)
		*source = '\0';
	if (strncmp(err->message, "read: ", 6) == 0)
		memmove(err->message, err->message + 6, strlen(err->message + 6) + 1);
}

cairn_status cairn_array_open(
	cairn_session *s, const char *url, cairn_array **ret, cairn_error *err)
{
	cairn_status status;
	CRN_FREE char *quoted = NULL;
	CRN_STR text = {0};
	if (crn_pipeline_is_url(url, NULL, NULL)) {
		CRN_VALUE v = {0};
		crn_mutex_lock(&s->building);
		status = crn_pipeline_read(s->graph, url, 0, &v, err);
		crn_mutex_unlock(&s->building);
		CRN_TRY(status);
		return crn_api_array(s, &v, url, ret, err);
	}
	CRN_TRY(cairn_quote(url, &quoted, err));
	crn_str_appendf(&text, "read(%s)", quoted);
	if (text.oom)
		return crn_fail_memory(err, "a text", text.len);
	status = eval(s, NULL, text.data, url, ret, err);
	if (status != CAIRN_OK)
		drop_place(err);
	return status;
}

void cairn_array_free(cairn_array *a)
{
	if (!a)
		return;
	crn_node_unref(a->node);
	cairn_session_free(a->session);
	crn_free(a);
}

/* ---- facts ---- */

const char *cairn_array_dtype(const cairn_array *a)
{
	return crn_dtype_name(a->node->type.dtype);
}

size_t cairn_array_item_bytes(const cairn_array *a)
{
	return crn_dtype_size(a->node->type.dtype);
}

int cairn_array_ndim(const cairn_array *a)
{
	return a->node->type.ndim;
}

const int64_t *cairn_array_shape(const cairn_array *a)
{
	return a->node->type.shape;
}

cairn_kind cairn_array_kind(const cairn_array *a)
{
	return (cairn_kind)a->node->type.kind;
}

void cairn_array_axis(const cairn_array *a, int i, const char **ret_name, const char **ret_unit,
	double *ret_scale, double *ret_translation)
{
	static const crn_axis none = {.scale = 1};
	const crn_type *t = &a->node->type;
	const crn_axis *axis = i >= 0 && i < t->ndim ? &t->axes[i] : &none;
	if (ret_name)
		*ret_name = axis->name;
	if (ret_unit)
		*ret_unit = axis->unit;
	if (ret_scale)
		*ret_scale = axis->scale;
	if (ret_translation)
		*ret_translation = axis->translation;
}

/* ---- reading ---- */

static cairn_status make_region(const crn_type *t, const int64_t *start, const int64_t *n,
	const int64_t *step, crn_region *ret, cairn_error *err)
{
	crn_region r = crn_region_whole(t->ndim, t->shape);
	for (int d = 0; d < t->ndim; d++) {
		int64_t last;
		r.lo[d] = start ? start[d] : 0;
		r.step[d] = step ? step[d] : 1;
		if (n)
			r.n[d] = n[d];
		if (r.n[d] < 0 || r.step[d] < 1 || r.lo[d] < 0)
			return crn_fail(err, CAIRN_USAGE,
				"axis %d of the region: start and n must be >= 0, step >= 1", d);
		if (r.n[d] == 0)
			continue;
		if (__builtin_mul_overflow(r.n[d] - 1, r.step[d], &last) ||
			__builtin_add_overflow(last, r.lo[d], &last) || last >= t->shape[d])
			return crn_fail(err, CAIRN_USAGE,
				"axis %d of the region ends beyond the array, which has %lld "
				"voxels there",
				d, (long long)t->shape[d]);
	}
	crn_region_normalise(&r);
	*ret = r;
	return CAIRN_OK;
}

cairn_status cairn_array_read(const cairn_array *a, const int64_t *start, const int64_t *n,
	const int64_t *step, void *buffer, size_t size_bytes, const cairn_options *options,
	cairn_error *err)
{
	const crn_type *t = &a->node->type;
	crn_region r;
	crn_run_options run;
	CRN_TRY(make_region(t, start, n, step, &r, err));
	size_t wanted = crn_view_dense_bytes(t->dtype, t->ndim, r.n);
	if (wanted != size_bytes)
		return crn_fail(err, CAIRN_USAGE, "the region has %zu bytes, the buffer %zu",
			wanted, size_bytes);
	if (crn_region_empty(&r))
		return CAIRN_OK;
	CRN_TRY(crn_api_options(options, &run, err));
	crn_view out = crn_view_dense(buffer, t->dtype, t->ndim, r.n);
	return crn_run_region(a->session->engine, a->node, &r, &out, &run, NULL, err);
}

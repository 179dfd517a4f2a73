/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.c -- explaining plans, and proving that an output is what its journal says.
 *
 * verify opens the output for resuming (which erases nothing), and re-reads every recorded unit.
 * It says MISMATCH with the number of bad units and the first of them; an unfinished output is a
 * mismatch too, with the number of missing units.
 */
#include "base/mem.h"
#include "core/call.h"
#include "exec/state.h"
#include "plan/dump.h"

#include <stdio.h>
#include <string.h>

cairn_status crn_explain(crn_engine *e, crn_node *const *sinks, int n_sinks,
	const crn_run_options *options, crn_explain_style style, crn_str *out, cairn_error *err)
{
	crn_plan_request q = {.sinks = sinks, .n_sinks = n_sinks, .options = options};
	crn_region whole;
	if (n_sinks == 1 && sinks[0]->op->kind != CRN_SINK) {
		whole = crn_region_whole(sinks[0]->type.ndim, sinks[0]->type.shape);
		q.region = &whole;
	}
	crn_plan *plan = NULL;
	CRN_TRY(crn_engine_plan(e, &q, &plan, err));
	cairn_status status = CAIRN_OK;
	switch (style) {
	case CRN_EXPLAIN_TEXT:
		status = crn_dump_text(plan, out, err);
		break;
	case CRN_EXPLAIN_JSON:
		status = crn_dump_json(plan, out, err);
		break;
	case CRN_EXPLAIN_DOT:
		crn_dump_dot(plan, out);
		break;
	case CRN_EXPLAIN_SVG:
		crn_dump_svg(plan, out);
		break;
	}
	crn_plan_free(plan);
	return status;
}

/* ---- verify ---- */

typedef struct verifier {
	crn_sink *sink;
	int64_t grid[CRN_MAX_NDIM];
	void *scratch;
	int64_t n_checked, n_bad, first_bad;
} verifier;

static cairn_status check_record(
	void *user, int64_t unit, const crn_unit_record *record, bool sure, cairn_error *err)
{
	verifier *v = user;
	(void)sure;
	int64_t idx[CRN_MAX_NDIM], units = 1;
	bool same = false;
	for (int d = 0; d < v->sink->type.ndim; d++)
		units *= v->grid[d];
	if (unit < units) {
		crn_unravel(unit, v->sink->type.ndim, v->grid, idx);
		/* A unit that cannot be read is a mismatch, not an end of the check. */
		if (v->sink->ops->check_unit(v->sink, idx, record, false, v->scratch, &same, err) !=
			CAIRN_OK)
			same = false;
	}
	v->n_checked++;
	if (!same && v->n_bad++ == 0)
		v->first_bad = unit;
	return CAIRN_OK;
}

static bool read_ints(const crn_json *head, const char *key, int64_t *ret, int *ret_n)
{
	const crn_json *v = crn_json_get(head, key);
	if (!v || v->kind != CRN_JSON_ARRAY || v->n > CRN_MAX_NDIM)
		return false;
	for (int i = 0; i < v->n; i++) {
		if (v->items[i].kind != CRN_JSON_INT || v->items[i].i < 0)
			return false;
		ret[i] = v->items[i].i;
	}
	*ret_n = v->n;
	return true;
}

static const char *read_text(const crn_json *head, const char *key)
{
	const crn_json *v = crn_json_get(head, key);
	return v && v->kind == CRN_JSON_STRING ? v->text : "";
}

/* Finds the format whose journal lies beside url. */
static const crn_format *find_journal(const crn_registry *r, const char *url, crn_str *path)
{
	for (int i = 0; r->formats[i]; i++) {
		if (!r->formats[i]->journal_path)
			continue;
		crn_str_clear(path);
		r->formats[i]->journal_path(url, path);
		crn_str_append(path, "/journal");
		FILE *f = path->oom ? NULL : fopen(path->data, "re");
		if (!f)
			continue;
		fclose(f);
		return r->formats[i];
	}
	return NULL;
}

/* The sink a journal's head describes, opened on what is stored. */
static cairn_status open_stored(
	crn_engine *e, const crn_json *head, const char *url, crn_sink **ret, cairn_error *err)
{
	int64_t shape[CRN_MAX_NDIM], unit[CRN_MAX_NDIM];
	int ndim, n_unit;
	crn_dtype dtype;
	const crn_format *format;
	CRN_VALUE options = {0};
	int n_options = 0;
	if (!read_ints(head, "shape", shape, &ndim) || !read_ints(head, "unit", unit, &n_unit) ||
		ndim != n_unit || !crn_dtype_from_name(read_text(head, "dtype"), &dtype))
		return crn_fail(
			err, CAIRN_INPUT, "the journal of %s does not say what it holds", url);
	CRN_TRY(crn_format_for_writing(e->registry, url, read_text(head, "format"), &format, err));
	while (format->write_params && format->write_params[n_options].type != CRN_P_END)
		n_options++;
	CRN_TRY(crn_value_list(n_options, &options, err));
	for (int i = 0; i < n_options; i++) {
		const crn_json *o =
			crn_json_get(crn_json_get(head, "options"), format->write_params[i].name);
		if (o && o->kind == CRN_JSON_STRING)
			CRN_TRY(crn_value_parse_literal(o->text, &options.list.items[i], err));
	}
	crn_create_request req = {.url = url,
		.registry = e->registry,
		.type = crn_type_make(dtype, ndim, shape),
		.options = options.list.items,
		.chunks = unit,
		.resume = true};
	return format->create(&req, ret, err);
}

static cairn_status verdict(const char *url, const verifier *v, bool done, int64_t units,
	crn_str *out, cairn_error *err)
{
	crn_str_append(out, "{\"url\": ");
	crn_json_quote(out, url);
	crn_str_appendf(out,
		", \"complete\": %s, \"units\": %lld, \"recorded\": %lld, \"mismatched\": %lld}",
		done ? "true" : "false", (long long)units, (long long)v->n_checked,
		(long long)v->n_bad);
	if (v->n_bad > 0) {
		crn_fail(err, CAIRN_MISMATCH,
			"%s: %lld of %lld stored chunks differ from the journal", url,
			(long long)v->n_bad, (long long)v->n_checked);
		crn_where(err, "first bad chunk: index %lld", (long long)v->first_bad);
		crn_hint(err, "--on-exists replace computes the output again");
		return CAIRN_MISMATCH;
	}
	if (!done || v->n_checked < units) {
		crn_fail(err, CAIRN_MISMATCH, "%s is incomplete: %lld of %lld chunks are stored",
			url, (long long)v->n_checked, (long long)units);
		crn_hint(err, "run the same pipeline again to finish it");
		return CAIRN_MISMATCH;
	}
	return CAIRN_OK;
}

static cairn_status verify_stored(
	crn_engine *e, const char *url, const char *path, crn_str *out, cairn_error *err)
{
	crn_json *head = NULL;
	crn_doneness done = CRN_UNDONE;
	verifier v = {0};
	CRN_TRY(crn_journal_read(path, &head, &done, NULL, NULL, err));
	cairn_status status = open_stored(e, head, url, &v.sink, err);
	crn_json_free(head);
	CRN_TRY(status);
	int64_t units = 1;
	for (int d = 0; d < v.sink->type.ndim; d++) {
		v.grid[d] = crn_n_units(v.sink->type.shape[d], v.sink->unit[d]);
		units *= v.grid[d];
	}
	v.scratch = crn_pool_take(e->pool, v.sink->unit_scratch + 1);
	status = v.scratch ? crn_journal_read(path, &head, &done, check_record, &v, err)
			   : crn_fail_memory(err, "verifying", v.sink->unit_scratch);
	if (status == CAIRN_OK)
		crn_json_free(head);
	crn_pool_give(e->pool, v.scratch, v.sink->unit_scratch + 1);
	v.sink->ops->close(v.sink);
	return status == CAIRN_OK ? verdict(url, &v, done, units, out, err) : status;
}

cairn_status crn_verify(crn_engine *e, const char *url, const crn_run_options *options,
	crn_str *out, cairn_error *err)
{
	CRN_STR path = {0};
	(void)options;
	if (!find_journal(e->registry, url, &path)) {
		crn_fail(err, CAIRN_INPUT,
			"%s has no journal, so there is nothing to verify it with", url);
		crn_hint(err, "only outputs written by cairn can be verified");
		return CAIRN_INPUT;
	}
	crn_mutex_lock(&e->turn);
	cairn_status status = verify_stored(e, url, path.data, out, err);
	crn_mutex_unlock(&e->turn);
	return status;
}

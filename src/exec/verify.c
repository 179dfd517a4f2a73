/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.c -- explaining plans, and proving that an output is what its journal says.
 *
 * verify opens the output for checking (which makes and erases nothing), and re-reads every
 * recorded unit. It says MISMATCH with the number of bad units and the first of them; an unfinished
 * output is a mismatch too, with the number of missing units, and so are objects that the journal
 * does not know.
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

enum { NAME_BYTES = 400 };

typedef struct verifier {
	crn_sink *sink;
	int64_t grid[CRN_MAX_NDIM], n_units;
	void *scratch;
	/* Bits per unit. A unit may have several records; the last one decides. */
	uint64_t *seen, *stored, *missing, *damaged;
	int64_t n_extra;
	char first_extra[NAME_BYTES];
} verifier;

static void set_bit(uint64_t *set, int64_t unit, bool value)
{
	uint64_t bit = (uint64_t)1 << (unit & 63);
	set[unit >> 6] = value ? set[unit >> 6] | bit : set[unit >> 6] & ~bit;
}

static int64_t count_bits(const verifier *v, const uint64_t *set, int64_t *ret_first)
{
	int64_t n = 0;
	for (int64_t i = v->n_units; i-- > 0;)
		if (set[i >> 6] >> (i & 63) & 1) {
			n++;
			*ret_first = i;
		}
	return n;
}

/* A unit that cannot be read is a mismatch, not an end of the check. */
static bool unit_is_same(verifier *v, const int64_t *idx, const crn_unit_record *record, bool quick)
{
	bool same = false;
	return v->sink->ops->check_unit(v->sink, idx, record, quick, v->scratch, &same, NULL) ==
		       CAIRN_OK &&
	       same;
}

static cairn_status check_record(
	void *user, int64_t unit, const crn_unit_record *record, bool sure, cairn_error *err)
{
	verifier *v = user;
	int64_t idx[CRN_MAX_NDIM];
	(void)sure;
	(void)err;
	if (unit >= v->n_units)
		return CAIRN_OK;
	crn_unravel(unit, v->sink->type.ndim, v->grid, idx);
	bool there = unit_is_same(v, idx, record, true);
	set_bit(v->seen, unit, true);
	set_bit(v->stored, unit, !record->all_fill);
	set_bit(v->missing, unit, !there);
	set_bit(v->damaged, unit, there && !unit_is_same(v, idx, record, false));
	return CAIRN_OK;
}

static bool is_known(void *user, const int64_t *idx)
{
	const verifier *v = user;
	int64_t unit = crn_ravel(idx, v->sink->type.ndim, v->grid);
	return v->stored[unit >> 6] >> (unit & 63) & 1;
}

static void note_extra(void *user, const char *name)
{
	verifier *v = user;
	if (v->n_extra++ == 0)
		snprintf(v->first_extra, sizeof(v->first_extra), "%s", name);
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
		.verify = true,
		.resume = true};
	return format->create(&req, ret, err);
}

static void name_unit(const verifier *v, int64_t unit, crn_str *ret)
{
	int64_t idx[CRN_MAX_NDIM];
	char text[CRN_REGION_TEXT];
	crn_unravel(unit, v->sink->type.ndim, v->grid, idx);
	crn_region r = crn_unit_region(v->sink->type.ndim, v->sink->type.shape, v->sink->unit, idx);
	v->sink->ops->unit_name(v->sink, idx, ret);
	crn_str_appendf(ret, ", chunk %s", crn_region_format(&r, text));
}

static cairn_status verdict(
	const char *url, const verifier *v, bool done, crn_str *out, cairn_error *err)
{
	int64_t first_missing = 0, first_damaged = 0, any = 0;
	int64_t n_seen = count_bits(v, v->seen, &any);
	int64_t n_missing = count_bits(v, v->missing, &first_missing);
	int64_t n_damaged = count_bits(v, v->damaged, &first_damaged);
	int64_t n_bad = n_missing + n_damaged;
	crn_str_append(out, "{\"url\": ");
	crn_json_quote(out, url);
	crn_str_appendf(out,
		", \"complete\": %s, \"units\": %lld, \"recorded\": %lld, \"mismatched\": %lld, "
		"\"missing\": %lld, \"damaged\": %lld, \"extra\": %lld}",
		done ? "true" : "false", (long long)v->n_units, (long long)n_seen, (long long)n_bad,
		(long long)n_missing, (long long)n_damaged, (long long)v->n_extra);
	if (n_bad > 0) {
		bool damaged = n_damaged && (!n_missing || first_damaged < first_missing);
		CRN_STR name = {0};
		name_unit(v, damaged ? first_damaged : first_missing, &name);
		crn_fail(err, CAIRN_MISMATCH,
			"%s: %lld of %lld stored chunks differ from the journal: %lld missing or "
			"of another size, %lld with other bytes",
			url, (long long)n_bad, (long long)n_seen, (long long)n_missing,
			(long long)n_damaged);
		crn_where(err, "first: %s", name.data ? name.data : "");
		crn_hint(err, "--on-exists replace computes the output again");
		return CAIRN_MISMATCH;
	}
	if (!done || n_seen < v->n_units) {
		crn_fail(err, CAIRN_MISMATCH, "%s is incomplete: %lld of %lld chunks are stored",
			url, (long long)n_seen, (long long)v->n_units);
		crn_hint(err, "run the same pipeline again to finish it");
		return CAIRN_MISMATCH;
	}
	if (v->n_extra > 0) {
		crn_fail(err, CAIRN_MISMATCH, "%s: %lld stored objects are not in the journal", url,
			(long long)v->n_extra);
		crn_where(err, "first: %s", v->first_extra);
		crn_hint(err, "readers may take them for a part of the array; remove them");
		return CAIRN_MISMATCH;
	}
	return CAIRN_OK;
}

static cairn_status check_all(
	verifier *v, const char *path, crn_doneness *ret_done, cairn_error *err)
{
	crn_json *head = NULL;
	v->n_units = 1;
	for (int d = 0; d < v->sink->type.ndim; d++) {
		v->grid[d] = crn_n_units(v->sink->type.shape[d], v->sink->unit[d]);
		v->n_units *= v->grid[d];
	}
	size_t words = (size_t)(v->n_units + 63) / 64 + 1;
	uint64_t **const sets[] = {&v->seen, &v->stored, &v->missing, &v->damaged};
	for (size_t i = 0; i < CRN_COUNT(sets); i++)
		if (!(*sets[i] = crn_calloc(words, sizeof(uint64_t))))
			return crn_fail_memory(err, "verifying", words * sizeof(uint64_t));
	CRN_TRY(crn_journal_read(path, &head, ret_done, check_record, v, err));
	crn_json_free(head);
	const crn_extras_visit visit = {is_known, note_extra, v};
	return v->sink->ops->extras ? v->sink->ops->extras(v->sink, &visit, err) : CAIRN_OK;
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
	size_t bytes = v.sink->unit_scratch + 1;
	v.scratch = crn_pool_take(e->pool, bytes);
	status = v.scratch ? check_all(&v, path, &done, err)
			   : crn_fail_memory(err, "verifying", bytes);
	if (status == CAIRN_OK)
		status = verdict(url, &v, done != CRN_UNDONE, out, err);
	crn_pool_give(e->pool, v.scratch, bytes);
	v.sink->ops->close(v.sink);
	crn_free(v.seen);
	crn_free(v.stored);
	crn_free(v.missing);
	crn_free(v.damaged);
	return status;
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_meta.c -- checks and small steps that both versions of Zarr metadata share.
 *
 * Shapes come from strangers: every extent, product and byte count is checked here, once.
 */
#include "formats/zarr_meta.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void crn_zarr_meta_done(crn_zarr_meta *m)
{
	crn_chain_done(&m->chain);
}

/* ---- keys and documents ---- */

void crn_zarr_join(const char *path, const char *name, crn_str *out)
{
	crn_str_appendf(out, "%s%s%s", path, *path ? "/" : "", name);
}

void crn_zarr_chunk_key(const crn_zarr_meta *m, const char *path, const int64_t *idx, crn_str *out)
{
	int ndim = m->type.ndim;
	crn_zarr_join(path, m->prefix ? "c" : ndim == 0 ? "0" : "", out);
	for (int d = 0; d < ndim; d++) {
		if (d > 0 || m->prefix)
			crn_str_append_n(out, &m->separator, 1);
		crn_str_appendf(out, "%lld", (long long)idx[d]);
	}
}

cairn_status crn_zarr_load(
	crn_store *s, const char *path, const char *name, crn_json **ret, cairn_error *err)
{
	CRN_STR key = {0};
	CRN_FREE char *text = NULL;
	size_t n = 0;
	*ret = NULL;
	crn_zarr_join(path, name, &key);
	if (key.oom)
		return crn_fail_memory(err, "a key", strlen(path));
	CRN_TRY(crn_store_load(s, key.data, CRN_ZARR_MAX_DOC, &text, &n, err));
	if (!text)
		return CAIRN_OK;
	cairn_status status = crn_json_parse(text, n, CAIRN_INPUT, ret, err);
	if (status != CAIRN_OK)
		crn_where(err, "%s/%s", s->root, key.data);
	return status;
}

/* ---- shapes ---- */

cairn_status crn_zarr_extents(const crn_json *v, const char *what, int64_t lo, int *ret_n,
	int64_t ret[CRN_MAX_NDIM], cairn_error *err)
{
	if (!v || v->kind != CRN_JSON_ARRAY)
		return crn_fail(err, CAIRN_INPUT, "\"%s\" must be a list of integers", what);
	if (v->n > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_INPUT, "\"%s\" has %d axes, the limit is %d", what, v->n,
			CRN_MAX_NDIM);
	for (int d = 0; d < v->n; d++) {
		const crn_json *e = &v->items[d];
		if (e->kind != CRN_JSON_INT || e->i < lo)
			return crn_fail(err, CAIRN_INPUT,
				"\"%s\": entry %d must be an integer of at least %lld", what, d,
				(long long)lo);
		ret[d] = e->i;
	}
	*ret_n = v->n;
	return CAIRN_OK;
}

cairn_status crn_zarr_set_shape(crn_zarr_meta *m, crn_dtype dtype, const crn_json *shape,
	const crn_json *chunks, cairn_error *err)
{
	int64_t extents[CRN_MAX_NDIM], count, bytes;
	int ndim, n_chunks;
	crn_chunk_type chunk = {.dtype = dtype, .fill = m->type.fill};
	CRN_TRY(crn_zarr_extents(shape, "shape", 0, &ndim, extents, err));
	CRN_TRY(crn_zarr_extents(chunks, m->zarr_format == 2 ? "chunks" : "chunk_shape", 1,
		&n_chunks, chunk.shape, err));
	if (n_chunks != ndim)
		return crn_fail(err, CAIRN_INPUT, "the shape has %d axes, the chunks have %d", ndim,
			n_chunks);
	if (!crn_count(ndim, extents, &count) ||
		__builtin_mul_overflow(count, (int64_t)crn_dtype_size(dtype), &bytes))
		return crn_fail(err, CAIRN_INPUT, "the array would be larger than 2^63 bytes");
	crn_elem fill = m->type.fill;
	m->type = crn_type_make(dtype, ndim, extents);
	m->type.fill = fill;
	chunk.ndim = ndim;
	return crn_chain_init(&m->chain, &chunk, err);
}

/* ---- codecs ---- */

cairn_status crn_zarr_add_codec(const crn_registry *r, crn_zarr_meta *m, const char *name,
	const crn_json *config, cairn_error *err)
{
	const crn_codec *codec = crn_codec_find(r, name, m->zarr_format);
	if (codec)
		return crn_chain_add(&m->chain, codec, m->zarr_format, config, err);
	CRN_STR known = {0};
	int n = 0;
	for (const crn_codec *const *c = r->codecs; *c; c++) {
		const char *const *names = m->zarr_format == 2 ? (*c)->v2_ids : (*c)->v3_names;
		if (names)
			crn_str_appendf(&known, "%s%s", n++ ? ", " : "", names[0]);
	}
	cairn_status status =
		crn_fail(err, CAIRN_INPUT, "cairn does not know the codec \"%.64s\"", name);
	crn_hint(err, "known: %s; rewrite the array with one of these",
		known.data ? known.data : "");
	return status;
}

cairn_status crn_zarr_add_own(const crn_registry *r, crn_zarr_meta *m, const char *name,
	const char *config, cairn_error *err)
{
	crn_json *json = NULL;
	CRN_TRY(crn_json_parse(config, strlen(config), CAIRN_FAILED, &json, err));
	const crn_codec *codec = crn_codec_find(r, name, 3);
	cairn_status status =
		codec ? crn_chain_add(&m->chain, codec, 3, json, err)
		      : crn_fail(err, CAIRN_FAILED, "this build has no codec \"%s\"", name);
	crn_json_free(json);
	return status;
}

/* ---- attributes ---- */

static void set_text(const crn_json *v, char to[16])
{
	if (v && v->kind == CRN_JSON_STRING)
		snprintf(to, 16, "%.15s", v->text);
}

static void set_number(const crn_json *v, bool positive, double *to)
{
	double f = !v                           ? NAN
		   : v->kind == CRN_JSON_DOUBLE ? v->f
		   : v->kind == CRN_JSON_INT    ? (double)v->i
						: NAN;
	if (isfinite(f) && (!positive || f > 0))
		*to = f;
}

void crn_zarr_attributes(const crn_json *attributes, const crn_json *names, crn_type *type)
{
	if (names && names->kind == CRN_JSON_ARRAY && names->n == type->ndim)
		for (int d = 0; d < type->ndim; d++)
			set_text(&names->items[d], type->axes[d].name);
	const crn_json *ours = crn_json_get(attributes, "cairn");
	const crn_json *axes = crn_json_get(ours, "axes"), *kind = crn_json_get(ours, "kind");
	if (kind && kind->kind == CRN_JSON_STRING && strcmp(kind->text, "label") == 0)
		type->kind = CRN_LABEL;
	if (!axes || axes->kind != CRN_JSON_ARRAY || axes->n != type->ndim)
		return;
	for (int d = 0; d < type->ndim; d++) {
		crn_axis *a = &type->axes[d];
		set_text(crn_json_get(&axes->items[d], "name"), a->name);
		set_text(crn_json_get(&axes->items[d], "unit"), a->unit);
		set_number(crn_json_get(&axes->items[d], "scale"), true, &a->scale);
		set_number(crn_json_get(&axes->items[d], "translation"), false, &a->translation);
	}
}

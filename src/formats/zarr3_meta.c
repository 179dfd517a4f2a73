/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr3_meta.c -- reads the zarr.json of an array.
 *
 * Extensions are {"name": ..., "configuration": {...}} or just the name. Whatever is not known is
 * refused by name: silently skipping an extension would give wrong pixels.
 * Source: zarr-specs, docs/v3/core (3.1).
 */
#include "formats/zarr_meta.h"

#include "base/mem.h"

#include <string.h>

/* Name and configuration of an extension object. */
static cairn_status parse_extension(const crn_json *v, const char *what, const char **ret_name,
	const crn_json **ret_config, cairn_error *err)
{
	const crn_json *name = v && v->kind == CRN_JSON_OBJECT ? crn_json_get(v, "name") : v;
	if (!name || name->kind != CRN_JSON_STRING)
		return crn_fail(err, CAIRN_INPUT, "\"%s\" is missing, or has no name", what);
	*ret_name = name->text;
	*ret_config = crn_json_get(v, "configuration");
	return CAIRN_OK;
}

/* Members nobody told us of may only be there if they may be ignored. */
static cairn_status check_members(const crn_json *doc, cairn_error *err)
{
	static const char *const known[] = {"zarr_format", "node_type", "shape", "data_type",
		"chunk_grid", "chunk_key_encoding", "fill_value", "codecs", "attributes",
		"dimension_names", "storage_transformers"};
	for (int i = 0; i < doc->n; i++) {
		bool is_known = false;
		for (size_t k = 0; k < CRN_COUNT(known); k++)
			is_known |= strcmp(doc->keys[i], known[k]) == 0;
		const crn_json *must = crn_json_get(&doc->items[i], "must_understand");
		if (!is_known && !(must && must->kind == CRN_JSON_BOOL && !must->b))
			return crn_fail(err, CAIRN_INPUT,
				"the array uses an extension that cairn does not know: \"%.64s\"",
				doc->keys[i]);
	}
	const crn_json *transformers = crn_json_get(doc, "storage_transformers");
	if (transformers && transformers->kind != CRN_JSON_NULL && transformers->n > 0)
		return crn_fail(err, CAIRN_INPUT, "storage transformers are not supported");
	return CAIRN_OK;
}

static cairn_status parse_data_type(const crn_json *doc, crn_dtype *ret, cairn_error *err)
{
	const char *name;
	const crn_json *config;
	CRN_TRY(parse_extension(crn_json_get(doc, "data_type"), "data_type", &name, &config, err));
	/* crn_dtype_from_name also takes NumPy's short names, which Zarr does not have. */
	if (crn_dtype_from_name(name, ret) && strcmp(crn_dtype_name(*ret), name) == 0)
		return CAIRN_OK;
	cairn_status status = crn_fail(err, CAIRN_INPUT, "cairn has no dtype for \"%.64s\"", name);
	crn_hint(err, "it reads bool, integers of 8 to 64 bits, float32 and float64");
	return status;
}

static cairn_status parse_keys(const crn_json *doc, crn_zarr_meta *m, cairn_error *err)
{
	const char *name;
	const crn_json *config;
	CRN_TRY(parse_extension(crn_json_get(doc, "chunk_key_encoding"), "chunk_key_encoding",
		&name, &config, err));
	m->prefix = strcmp(name, "default") == 0;
	if (!m->prefix && strcmp(name, "v2") != 0)
		return crn_fail(err, CAIRN_INPUT, "unknown chunk key encoding \"%.64s\"", name);
	m->separator = m->prefix ? '/' : '.';
	const crn_json *separator = crn_json_get(config, "separator");
	if (!separator)
		return CAIRN_OK;
	if (separator->kind != CRN_JSON_STRING ||
		(strcmp(separator->text, "/") != 0 && strcmp(separator->text, ".") != 0))
		return crn_fail(err, CAIRN_INPUT, "\"separator\" must be \"/\" or \".\"");
	m->separator = separator->text[0];
	return CAIRN_OK;
}

static cairn_status parse_grid(const crn_json *doc, const crn_json **ret_chunks, cairn_error *err)
{
	const char *name;
	const crn_json *config;
	CRN_TRY(parse_extension(
		crn_json_get(doc, "chunk_grid"), "chunk_grid", &name, &config, err));
	if (strcmp(name, "regular") != 0)
		return crn_fail(err, CAIRN_INPUT,
			"the chunk grid is \"%.64s\", cairn reads regular grids only", name);
	*ret_chunks = crn_json_get(config, "chunk_shape");
	return CAIRN_OK;
}

static cairn_status add_codecs(
	const crn_registry *r, const crn_json *doc, crn_zarr_meta *m, cairn_error *err)
{
	const crn_json *codecs = crn_json_get(doc, "codecs");
	if (!codecs || codecs->kind != CRN_JSON_ARRAY)
		return crn_fail(err, CAIRN_INPUT, "\"codecs\" must be a list");
	for (int i = 0; i < codecs->n; i++) {
		const char *name;
		const crn_json *config;
		CRN_TRY(parse_extension(&codecs->items[i], "codecs", &name, &config, err));
		if (strcmp(name, "sharding_indexed") == 0) {
			cairn_status status = crn_fail(
				err, CAIRN_INPUT, "the array is sharded, which cairn cannot read");
			crn_hint(err, "copy it without shards, for example with zarr-python");
			return status;
		}
		CRN_TRY(crn_zarr_add_codec(r, m, name, config, err));
	}
	return crn_chain_seal(&m->chain, err);
}

static cairn_status parse_into(
	const crn_registry *r, const crn_json *doc, crn_zarr_meta *m, cairn_error *err)
{
	const crn_json *chunks = NULL, *fill = crn_json_get(doc, "fill_value");
	crn_dtype dtype = CRN_U8;
	CRN_TRY(check_members(doc, err));
	CRN_TRY(parse_data_type(doc, &dtype, err));
	if (!fill || fill->kind == CRN_JSON_NULL)
		return crn_fail(err, CAIRN_INPUT, "\"fill_value\" is missing");
	CRN_TRY(crn_zarr_parse_fill(fill, dtype, &m->type.fill, err));
	CRN_TRY(parse_keys(doc, m, err));
	CRN_TRY(parse_grid(doc, &chunks, err));
	CRN_TRY(crn_zarr_set_shape(m, dtype, crn_json_get(doc, "shape"), chunks, err));
	CRN_TRY(add_codecs(r, doc, m, err));
	crn_zarr_attributes(
		crn_json_get(doc, "attributes"), crn_json_get(doc, "dimension_names"), &m->type);
	return CAIRN_OK;
}

cairn_status crn_zarr3_parse(
	const crn_registry *r, const crn_json *doc, crn_zarr_meta *ret, cairn_error *err)
{
	const crn_json *version = crn_json_get(doc, "zarr_format");
	const crn_json *node = crn_json_get(doc, "node_type");
	crn_zarr_meta m = {.zarr_format = 3};
	if (!version || version->kind != CRN_JSON_INT || version->i != 3)
		return crn_fail(err, CAIRN_INPUT, "\"zarr_format\" must be 3");
	if (!node || node->kind != CRN_JSON_STRING || strcmp(node->text, "array") != 0)
		return crn_fail(err, CAIRN_INPUT, "\"node_type\" must be \"array\"");
	cairn_status status = parse_into(r, doc, &m, err);
	if (status == CAIRN_OK)
		*ret = m;
	else
		crn_zarr_meta_done(&m);
	return status;
}

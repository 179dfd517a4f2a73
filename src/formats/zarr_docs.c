/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_docs.c -- the options of write(), and the metadata documents they lead to.
 *
 * The sink parses these documents with the reader's own parser and takes its codecs from there, so
 * what is written is what they say.
 * Defaults: Zarr v2 with "/" between indices (read by every Zarr library and viewer we know of),
 * zstd level 1 (fast and compresses well), C order, little endian, chunks of about 2 MiB.
 */
#include "formats/zarr_meta.h"

#include "base/mem.h"

#include <string.h>

static const char *const compressors[] = {"zstd", "blosc", "gzip", "zlib", "lz4", "none", NULL};
static const char *const shuffles[] = {"noshuffle", "shuffle", "bitshuffle", NULL};
static const char *const cnames[] = {"lz4", "zstd", "blosclz", "lz4hc", "snappy", "zlib", NULL};
static const char *const separators[] = {"/", ".", NULL};
static const char *const orders[] = {"C", "F", NULL};
static const char *const byteorders[] = {"little", "big", NULL};

const crn_param crn_zarr_write_params[] = {
	[CRN_ZARR_COMPRESSOR] = {"compressor", CRN_P_STR, "'zstd'", "how chunks are compressed",
		compressors},
	[CRN_ZARR_LEVEL] = {"level", CRN_P_INT, "None",
		"effort of the compressor: zstd -131072..22, gzip and zlib 0..9, blosc 0..9, lz4 "
		"1..65537 "
		"(faster); None: zstd 1, gzip 1, zlib 1, blosc 5, lz4 1"},
	[CRN_ZARR_CNAME] = {"cname", CRN_P_STR, "'lz4'", "compressor inside blosc", cnames},
	[CRN_ZARR_SHUFFLE] = {"shuffle", CRN_P_STR, "None",
		"blosc's shuffle; None: bytes, but none for labels and one-byte dtypes", shuffles},
	[CRN_ZARR_SEPARATOR] = {"dimension_separator", CRN_P_STR, "'/'",
		"between the indices of a chunk's name", separators},
	[CRN_ZARR_ORDER] = {"order", CRN_P_STR, "'C'", "order of the voxels inside a chunk",
		orders},
	[CRN_ZARR_BYTEORDER] = {"byteorder", CRN_P_STR, "'little'", "byte order of stored numbers",
		byteorders},
	[CRN_ZARR_FORMAT] = {"zarr_format", CRN_P_INT, "None",
		"2 or 3; None: that of the group the array is put into, else 2"},
	[CRN_ZARR_FILL] = {"fill_value", CRN_P_NUMBER, "None",
		"value of chunks that are not stored; chunks holding nothing else are left out"},
	[CRN_ZARR_N_OPTIONS] = {.type = CRN_P_END},
};

typedef struct settings {
	const char *compressor, *cname, *shuffle, *separator, *order, *byteorder;
	int64_t level;
} settings;

/* The table above, applied to values that come by name from write()'s own, wider table. */
static cairn_status check_option(const crn_create_request *req, int i, cairn_error *err)
{
	const crn_param *p = &crn_zarr_write_params[i];
	const crn_value *v = &req->options[i];
	CRN_STR text = {0}, list = {0};
	bool good = p->type == CRN_P_INT      ? v->kind == CRN_V_INT
		    : p->type == CRN_P_NUMBER ? crn_value_is_number(v)
					      : v->kind == CRN_V_STR;
	if (v->kind == CRN_V_NONE || (good && !p->choices))
		return CAIRN_OK;
	for (int k = 0; good && p->choices[k]; k++)
		if (strcmp(p->choices[k], v->s) == 0)
			return CAIRN_OK;
	crn_value_print(v, &text);
	for (int k = 0; p->choices && p->choices[k]; k++)
		crn_str_appendf(&list, "%s\"%s\"", k ? ", " : "", p->choices[k]);
	cairn_status status = crn_fail(err, CAIRN_USAGE, "%s: %s=%.60s is not possible", req->url,
		p->name, text.data ? text.data : "");
	crn_hint(err, "%s: %s", p->name, list.len ? list.data : p->help);
	return status;
}

static const char *text_or(const crn_value *v, const char *fallback)
{
	return v->kind == CRN_V_STR ? v->s : fallback;
}

static cairn_status get_settings(const crn_create_request *req, settings *ret, cairn_error *err)
{
	const crn_value *o = req->options;
	for (int i = 0; i < CRN_ZARR_N_OPTIONS; i++)
		CRN_TRY(check_option(req, i, err));
	bool plain_bytes = crn_dtype_size(req->type.dtype) == 1 || req->type.kind == CRN_LABEL;
	*ret = (settings){
		.compressor = text_or(&o[CRN_ZARR_COMPRESSOR], "zstd"),
		.cname = text_or(&o[CRN_ZARR_CNAME], "lz4"),
		.shuffle = text_or(&o[CRN_ZARR_SHUFFLE], plain_bytes ? "noshuffle" : "shuffle"),
		.separator = text_or(&o[CRN_ZARR_SEPARATOR], "/"),
		.order = text_or(&o[CRN_ZARR_ORDER], "C"),
		.byteorder = text_or(&o[CRN_ZARR_BYTEORDER], "little"),
	};
	bool blosc = strcmp(ret->compressor, "blosc") == 0;
	for (int i = CRN_ZARR_CNAME; i <= CRN_ZARR_SHUFFLE; i++)
		if (!blosc && o[i].kind != CRN_V_NONE)
			return crn_fail(err, CAIRN_USAGE,
				"%s= belongs to compressor=\"blosc\", not \"%s\"",
				crn_zarr_write_params[i].name, ret->compressor);
	ret->level = o[CRN_ZARR_LEVEL].kind == CRN_V_INT ? o[CRN_ZARR_LEVEL].i : blosc ? 5 : 1;
	return CAIRN_OK;
}

/* ---- pieces of both documents ---- */

static void print_extents(const int64_t *v, int n, crn_str *out)
{
	crn_str_append(out, "[");
	for (int d = 0; d < n; d++)
		crn_str_appendf(out, "%s%lld", d ? ", " : "", (long long)v[d]);
	crn_str_append(out, "]");
}

static bool has_names(const crn_type *t)
{
	for (int d = 0; d < t->ndim; d++)
		if (t->axes[d].name[0])
			return true;
	return false;
}

static void print_names(const crn_type *t, bool nulls, crn_str *out)
{
	crn_str_append(out, "[");
	for (int d = 0; d < t->ndim; d++) {
		crn_str_append(out, d ? ", " : "");
		if (t->axes[d].name[0])
			crn_json_quote(out, t->axes[d].name);
		else if (nulls)
			crn_str_append(out, "null");
		else
			crn_str_appendf(out, "\"dim_%d\"", d); /* xarray wants a name for each */
	}
	crn_str_append(out, "]");
}

static bool has_scales(const crn_type *t)
{
	for (int d = 0; d < t->ndim; d++)
		if (t->axes[d].unit[0] || t->axes[d].scale != 1 || t->axes[d].translation != 0)
			return true;
	return false;
}

/* Members of the attributes, each line ended: what a bare Zarr array has no other place for. */
static void print_attributes(const crn_type *t, bool names, const char *indent, crn_str *out)
{
	bool ours = has_scales(t) || t->kind == CRN_LABEL;
	if (names) {
		crn_str_appendf(out, "%s\"_ARRAY_DIMENSIONS\": ", indent);
		print_names(t, false, out);
		crn_str_append(out, ours ? ",\n" : "\n");
	}
	if (!ours)
		return;
	crn_str_appendf(out, "%s\"cairn\": {\"kind\": \"%s\", \"axes\": [", indent,
		t->kind == CRN_LABEL  ? "label"
		: t->kind == CRN_MASK ? "mask"
				      : "intensity");
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
	crn_str_append(out, "]}\n");
}

static int shuffle_code(const char *shuffle)
{
	int code = 0;
	while (shuffles[code] && strcmp(shuffles[code], shuffle) != 0)
		code++;
	return code;
}

/* ---- version 2 ---- */

static void print_compressor2(const settings *s, crn_str *out)
{
	long long level = (long long)s->level;
	if (strcmp(s->compressor, "none") == 0)
		crn_str_append(out, "null");
	else if (strcmp(s->compressor, "blosc") == 0)
		crn_str_appendf(out,
			"{\"id\": \"blosc\", \"cname\": \"%s\", \"clevel\": %lld, \"shuffle\": %d, "
			"\"blocksize\": 0}",
			s->cname, level, shuffle_code(s->shuffle));
	else
		crn_str_appendf(out, "{\"id\": \"%s\", \"%s\": %lld}", s->compressor,
			strcmp(s->compressor, "lz4") == 0 ? "acceleration" : "level", level);
}

static void make_docs2(const crn_create_request *req, const settings *s, crn_zarr_docs *ret)
{
	const crn_type *t = &req->type;
	crn_str *out = &ret->array;
	size_t size = crn_dtype_size(t->dtype);
	char order = size == 1 ? '|' : s->byteorder[0] == 'b' ? '>' : '<';
	crn_str_append(out, "{\n    \"chunks\": ");
	print_extents(req->chunks, t->ndim, out);
	crn_str_append(out, ",\n    \"compressor\": ");
	print_compressor2(s, out);
	crn_str_appendf(out,
		",\n    \"dimension_separator\": \"%s\",\n    \"dtype\": \"%c%c%zu\",\n"
		"    \"fill_value\": ",
		s->separator, order, crn_dtype_kind(t->dtype), size);
	crn_zarr_print_fill(t->dtype, t->fill, 2, out);
	crn_str_appendf(out,
		",\n    \"filters\": null,\n    \"order\": \"%s\",\n    \"shape\": ", s->order);
	print_extents(t->shape, t->ndim, out);
	crn_str_append(out, ",\n    \"zarr_format\": 2\n}\n");
	if (!has_names(t) && !has_scales(t) && t->kind != CRN_LABEL)
		return;
	crn_str_append(&ret->attributes, "{\n");
	print_attributes(t, has_names(t), "    ", &ret->attributes);
	crn_str_append(&ret->attributes, "}\n");
}

/* ---- version 3 ---- */

static void print_codecs3(const crn_type *t, const settings *s, crn_str *out)
{
	long long level = (long long)s->level;
	size_t size = crn_dtype_size(t->dtype);
	if (strcmp(s->order, "F") == 0 && t->ndim > 1) {
		crn_str_append(out,
			"\n        {\"name\": \"transpose\", \"configuration\": {\"order\": [");
		for (int d = t->ndim - 1; d >= 0; d--)
			crn_str_appendf(out, "%d%s", d, d ? ", " : "]}},");
	}
	crn_str_append(out, "\n        {\"name\": \"bytes\"");
	if (size > 1)
		crn_str_appendf(out, ", \"configuration\": {\"endian\": \"%s\"}", s->byteorder);
	crn_str_append(out, "}");
	if (strcmp(s->compressor, "none") == 0)
		return;
	if (strcmp(s->compressor, "blosc") == 0) {
		crn_str_appendf(out,
			",\n        {\"name\": \"blosc\", \"configuration\": {\"cname\": \"%s\", "
			"\"clevel\": %lld, \"shuffle\": \"%s\", \"typesize\": %zu, \"blocksize\": "
			"0}}",
			s->cname, level, s->shuffle, size);
		return;
	}
	/* zlib and lz4 are registered in v3 under the name of the library that defines their bytes.
	 */
	bool lz4 = strcmp(s->compressor, "lz4") == 0;
	bool foreign = lz4 || strcmp(s->compressor, "zlib") == 0;
	crn_str_appendf(out, ",\n        {\"name\": \"%s%s\", \"configuration\": {\"%s\": %lld}}",
		foreign ? "numcodecs." : "", s->compressor, lz4 ? "acceleration" : "level", level);
}

static void make_docs3(const crn_create_request *req, const settings *s, crn_zarr_docs *ret)
{
	const crn_type *t = &req->type;
	crn_str *out = &ret->array;
	crn_str_append(
		out, "{\n    \"zarr_format\": 3,\n    \"node_type\": \"array\",\n    \"shape\": ");
	print_extents(t->shape, t->ndim, out);
	crn_str_appendf(out,
		",\n    \"data_type\": \"%s\",\n    \"chunk_grid\": {\"name\": \"regular\", "
		"\"configuration\": {\"chunk_shape\": ",
		crn_dtype_name(t->dtype));
	print_extents(req->chunks, t->ndim, out);
	crn_str_appendf(out,
		"}},\n    \"chunk_key_encoding\": {\"name\": \"default\", \"configuration\": "
		"{\"separator\": \"%s\"}},\n    \"fill_value\": ",
		s->separator);
	crn_zarr_print_fill(t->dtype, t->fill, 3, out);
	crn_str_append(out, ",\n    \"codecs\": [");
	print_codecs3(t, s, out);
	crn_str_append(out, "\n    ],\n    \"attributes\": {\n");
	print_attributes(t, false, "        ", out);
	crn_str_append(out, "    }");
	if (has_names(t)) {
		crn_str_append(out, ",\n    \"dimension_names\": ");
		print_names(t, true, out);
	}
	crn_str_append(out, "\n}\n");
}

void crn_zarr_docs_done(crn_zarr_docs *docs)
{
	crn_str_done(&docs->array);
	crn_str_done(&docs->attributes);
}

cairn_status crn_zarr_make_docs(
	const crn_create_request *req, int zarr_format, crn_zarr_docs *ret, cairn_error *err)
{
	settings s;
	CRN_CLEANUP(crn_zarr_docs_done) crn_zarr_docs docs = {0};
	CRN_TRY(get_settings(req, &s, err));
	if (zarr_format == 2)
		make_docs2(req, &s, &docs);
	else
		make_docs3(req, &s, &docs);
	if (docs.array.oom || docs.attributes.oom)
		return crn_fail_memory(err, "metadata", 4096);
	*ret = docs;
	docs = (crn_zarr_docs){0};
	return CAIRN_OK;
}

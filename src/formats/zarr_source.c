/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_source.c -- reads arrays of Zarr v2 and v3, unsharded: one chunk is one object is one unit.
 *
 *	read_unit: key ── get ──▶ [ object | scratch of the chain ] ── decode ──▶ out
 *
 * A chunk that is not stored is all fill value. Raw chunks that fill their unit are read straight
 * into the caller's memory.
 *
 * Invariants: everything below `meta` was checked when it was parsed; `meta` and `path` never
 * change. Threads: any mix of reads, there is no state.
 */
#include "formats/zarr_meta.h"

#include "base/mem.h"

#include <string.h>

typedef struct zarr_source {
	crn_source base;
	crn_store *store;
	char *path; /* of the array inside the store */
	crn_zarr_meta meta;
} zarr_source;

static size_t aligned(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* bool is 0 or 1 in memory, whatever a file holds. */
static void normalise_bools(const crn_view *v)
{
	crn_rows rows;
	for (crn_rows_begin(&rows, v->ndim, v->shape); !rows.end; crn_rows_next(&rows)) {
		uint8_t *row = crn_rows_at(&rows, v);
		for (int64_t i = 0; i < rows.n; i++)
			row[i] = row[i] != 0;
	}
}

/* True if the stored object is the unit, byte for byte. */
static bool reads_direct(const zarr_source *s, const crn_view *out)
{
	const crn_chain *c = &s->meta.chain;
	if (c->n != 1 || !c->plain)
		return false;
	for (int d = 0; d < out->ndim; d++)
		if (out->shape[d] != c->chunk.shape[d])
			return false;
	return crn_view_is_dense(out);
}

static cairn_status read_chunk(
	const zarr_source *s, const char *key, const crn_view *out, void *scratch, cairn_error *err)
{
	const crn_chain *c = &s->meta.chain;
	const crn_range all = {.kind = CRN_RANGE_ALL};
	bool direct = reads_direct(s, out), found = false;
	void *object = direct ? out->data : scratch;
	size_t n = 0;
	CRN_TRY(s->store->ops->get(s->store, key, &all, object,
		direct ? c->chunk_bytes : c->max_object, &n, &found, err));
	if (!found) {
		crn_view_fill(out, s->meta.type.fill);
		return CAIRN_OK;
	}
	if (direct && n != c->chunk_bytes)
		return crn_fail(err, CAIRN_INPUT, "the chunk has %zu bytes, %zu are needed", n,
			c->chunk_bytes);
	if (!direct)
		CRN_TRY(crn_chain_decode(
			c, object, n, out, (char *)scratch + aligned(c->max_object), err));
	if (out->dtype == CRN_BOOL)
		normalise_bools(out);
	return CAIRN_OK;
}

static cairn_status read_unit(
	crn_source *base, const int64_t *idx, const crn_view *out, void *scratch, cairn_error *err)
{
	const zarr_source *s = (const zarr_source *)base;
	CRN_STR key = {0};
	crn_zarr_chunk_key(&s->meta, s->path, idx, &key);
	if (key.oom)
		return crn_fail_memory(err, "a chunk key", 256);
	cairn_status status = read_chunk(s, key.data, out, scratch, err);
	if (status == CAIRN_INPUT) {
		crn_where(err, "chunk %s/%s", s->store->root, key.data);
		crn_hint(err,
			"copy the chunk again from where the array came from; removing it makes it "
			"read as fill value");
	}
	return status;
}

static void describe(const crn_source *base, crn_str *out)
{
	const zarr_source *s = (const zarr_source *)base;
	const crn_zarr_meta *m = &s->meta;
	crn_str_appendf(out, "\"zarr_format\": %d, \"path\": ", m->zarr_format);
	crn_json_quote(out, s->path);
	crn_str_append(out, ", \"chunks\": [");
	for (int d = 0; d < m->type.ndim; d++)
		crn_str_appendf(out, "%s%lld", d ? ", " : "", (long long)m->chain.chunk.shape[d]);
	crn_str_append(out, "], \"codecs\": [");
	for (int i = 0; i < m->chain.n; i++) {
		crn_str_append(out, i ? ", " : "");
		crn_json_quote(out, m->chain.steps[i].codec->name);
	}
	crn_str_append(out, "], \"fill_value\": ");
	crn_zarr_print_fill(m->type.dtype, m->type.fill, 3, out);
	crn_str_appendf(out, ", \"dimension_separator\": \"%c\"", m->separator);
}

static void close_source(crn_source *base)
{
	zarr_source *s = (zarr_source *)base;
	crn_zarr_meta_done(&s->meta);
	crn_store_close(s->store);
	crn_free(s->path);
	crn_free(base->url);
	crn_free(s);
}

static const crn_source_ops ops = {
	.read_unit = read_unit,
	.describe = describe,
	.close = close_source,
};

/* ---- opening ---- */

/* Does an array of this version lie at `path`? Its document, NULL for a group. */
static cairn_status load_array(
	crn_store *s, int zarr_format, const char *path, crn_json **ret, cairn_error *err)
{
	CRN_TRY(crn_zarr_load(s, path, zarr_format == 2 ? ".zarray" : "zarr.json", ret, err));
	const crn_json *node = crn_json_get(*ret, "node_type");
	bool group = zarr_format == 3 && node && node->kind == CRN_JSON_STRING &&
		     strcmp(node->text, "group") == 0;
	if (group) {
		crn_json_free(*ret);
		*ret = NULL;
	}
	return CAIRN_OK;
}

/* Names that xarray and others leave in the attributes of v2 arrays. */
static cairn_status read_attributes(zarr_source *s, cairn_error *err)
{
	crn_json *attributes = NULL;
	CRN_TRY(crn_zarr_load(s->store, s->path, ".zattrs", &attributes, err));
	crn_zarr_attributes(
		attributes, crn_json_get(attributes, "_ARRAY_DIMENSIONS"), &s->meta.type);
	crn_json_free(attributes);
	return CAIRN_OK;
}

static cairn_status hash_identity(zarr_source *s, const crn_json *doc, cairn_error *err)
{
	CRN_STR text = {0}, key = {0};
	crn_hasher h;
	crn_stat st = {0};
	bool found;
	crn_json_print(&text, doc);
	crn_zarr_join(s->path, s->meta.zarr_format == 2 ? ".zarray" : "zarr.json", &key);
	if (text.oom || key.oom)
		return crn_fail_memory(err, "an identity", text.len);
	CRN_TRY(s->store->ops->stat(s->store, key.data, &st, &found, err));
	crn_hasher_init(&h);
	crn_hash_text(&h, "zarr");
	crn_hash_text(&h, s->store->root);
	crn_hash_text(&h, key.data);
	crn_hash_text(&h, text.data);
	crn_hash_u64(&h, st.size_bytes);
	crn_hash_u64(&h, (uint64_t)st.mtime_ns);
	s->base.identity = crn_hasher_result(&h);
	return CAIRN_OK;
}

static cairn_status use_document(zarr_source *s, const crn_zarr_open *how, const crn_json *doc,
	const crn_zarr_axes *axes, cairn_error *err)
{
	CRN_TRY(how->zarr_format == 2 ? crn_zarr2_parse(how->registry, doc, &s->meta, err)
				      : crn_zarr3_parse(how->registry, doc, &s->meta, err));
	if (how->zarr_format == 2)
		CRN_TRY(read_attributes(s, err));
	crn_zarr_apply_axes(axes, &s->meta.type);
	const crn_chain *c = &s->meta.chain;
	s->base.type = s->meta.type;
	memcpy(s->base.unit, c->chunk.shape, sizeof(s->base.unit));
	s->base.unit_scratch = aligned(c->max_object) + c->decode_scratch;
	return hash_identity(s, doc, err);
}

static cairn_status open_array(zarr_source *s, const crn_zarr_open *how, cairn_error *err)
{
	crn_json *doc = NULL;
	crn_zarr_axes axes = {0};
	CRN_TRY(load_array(s->store, how->zarr_format, how->path, &doc, err));
	CRN_STR path = {0};
	crn_str_append(&path, how->path);
	if (doc && how->level > 0) {
		crn_json_free(doc);
		return crn_fail(err, CAIRN_USAGE, "%s: level=%lld of a single array", how->url,
			(long long)how->level);
	}
	if (!doc) {
		CRN_TRY(crn_zarr_descend(
			s->store, how->zarr_format, how->level, &path, &axes, err));
		CRN_TRY(load_array(s->store, how->zarr_format, path.data, &doc, err));
	} else if (path.len > 0) {
		cairn_status status =
			crn_zarr_parent_axes(s->store, how->zarr_format, how->path, &axes, err);
		if (status != CAIRN_OK) {
			crn_json_free(doc);
			return status;
		}
	}
	s->path = crn_str_take(&path);
	cairn_status status = CAIRN_OK;
	if (!s->path)
		status = crn_fail_memory(err, "a path", strlen(how->path));
	else if (!doc)
		status = crn_fail(
			err, CAIRN_INPUT, "%s: there is no array \"%s\"", how->url, s->path);
	if (status == CAIRN_OK) {
		status = use_document(s, how, doc, &axes, err);
		if (status != CAIRN_OK)
			crn_where(err, "%s%s%s", s->store->root, *s->path ? "/" : "", s->path);
	}
	crn_json_free(doc);
	return status;
}

cairn_status crn_zarr_open_in(
	crn_store *take_store, const crn_zarr_open *how, crn_source **ret, cairn_error *err)
{
	zarr_source *s = crn_calloc(1, sizeof(*s));
	if (!s) {
		crn_store_close(take_store);
		return crn_fail_memory(err, "a source", sizeof(*s));
	}
	s->base.ops = &ops;
	s->store = take_store;
	s->base.url = crn_strdup(how->url);
	cairn_status status = s->base.url ? open_array(s, how, err)
					  : crn_fail_memory(err, "a path", strlen(how->url));
	if (status == CAIRN_OK)
		*ret = &s->base;
	else
		close_source(&s->base);
	return status;
}

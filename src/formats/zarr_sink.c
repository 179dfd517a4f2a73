/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_sink.c -- writes arrays of Zarr v2 and v3: chunks first, metadata last.
 *
 *	write_unit: all fill? ── yes: nothing is stored
 *			      └─ no: encode into scratch ── put (atomic)
 *	finish:	    groups above, attributes, then .zarray or zarr.json
 *
 * Invariants
 *  (1) Until finish there is no metadata, so nobody takes a half-written array for a whole one.
 *  (2) Edge chunks are stored whole, padded with the fill value: same voxels, same bytes.
 * Threads: any mix of write_unit and check_unit for different units.
 */
#include "formats/zarr_meta.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct zarr_sink {
	crn_sink base;
	crn_store *store;
	char *path; /* of the array inside the store */
	crn_zarr_meta meta;
	crn_zarr_docs docs;
} zarr_sink;

static size_t aligned(size_t n)
{
	return (n + 63) / 64 * 64;
}

static cairn_status unit_key(const zarr_sink *s, const int64_t *idx, crn_str *ret, cairn_error *err)
{
	crn_zarr_chunk_key(&s->meta, s->path, idx, ret);
	return ret->oom ? crn_fail_memory(err, "a chunk key", 256) : CAIRN_OK;
}

/* ---- units ---- */

/* Does every element have exactly the bits of `fill`? Rows are contiguous. */
static bool is_all_fill(const crn_view *v, crn_elem fill)
{
	size_t size = crn_dtype_size(v->dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, v->ndim, v->shape); !rows.end; crn_rows_next(&rows)) {
		const char *row = crn_rows_at(&rows, v);
		size_t n = (size_t)rows.n * size;
		/* The first equals fill and each equals its left neighbour. */
		if (memcmp(row, fill.bytes, size) != 0 || memcmp(row, row + size, n - size) != 0)
			return false;
	}
	return true;
}

static cairn_status store_unit(zarr_sink *s, const char *key, const crn_view *in, void *scratch,
	crn_unit_record *ret, cairn_error *err)
{
	const void *object;
	size_t n;
	if (is_all_fill(in, s->meta.type.fill)) {
		CRN_TRY(s->store->ops->remove(s->store, key, err));
		*ret = (crn_unit_record){.all_fill = true};
		return CAIRN_OK;
	}
	CRN_TRY(crn_chain_encode(&s->meta.chain, in, scratch, &object, &n, err));
	CRN_TRY(s->store->ops->put(s->store, key, object, n, err));
	*ret = (crn_unit_record){.checksum = crn_checksum(object, n), .size_bytes = n};
	return CAIRN_OK;
}

static cairn_status write_unit(crn_sink *base, const int64_t *idx, const crn_view *in,
	void *scratch, crn_unit_record *ret, cairn_error *err)
{
	zarr_sink *s = (zarr_sink *)base;
	CRN_STR key = {0};
	CRN_TRY(unit_key(s, idx, &key, err));
	cairn_status status = store_unit(s, key.data, in, scratch, ret, err);
	if (status != CAIRN_OK)
		crn_where(err, "chunk %s/%s", s->store->root, key.data);
	return status;
}

static cairn_status check_unit(crn_sink *base, const int64_t *idx, const crn_unit_record *record,
	bool quick, void *scratch, bool *ret_same, cairn_error *err)
{
	zarr_sink *s = (zarr_sink *)base;
	CRN_STR key = {0};
	crn_stat st;
	bool found;
	CRN_TRY(unit_key(s, idx, &key, err));
	CRN_TRY(s->store->ops->stat(s->store, key.data, &st, &found, err));
	if (record->all_fill || !found) {
		*ret_same = record->all_fill && !found;
		return CAIRN_OK;
	}
	/* An object larger than any we write cannot be ours, and would not fit the scratch. */
	if (st.size_bytes != record->size_bytes || st.size_bytes > s->meta.chain.max_encoded ||
		quick) {
		*ret_same = st.size_bytes == record->size_bytes && quick;
		return CAIRN_OK;
	}
	const crn_range all = {.kind = CRN_RANGE_ALL};
	size_t n = 0;
	CRN_TRY(s->store->ops->get(
		s->store, key.data, &all, scratch, s->meta.chain.max_encoded, &n, &found, err));
	*ret_same =
		found && n == record->size_bytes && crn_checksum(scratch, n) == record->checksum;
	return CAIRN_OK;
}

static void unit_name(const crn_sink *base, const int64_t *idx, crn_str *ret)
{
	const zarr_sink *s = (const zarr_sink *)base;
	CRN_STR key = {0};
	crn_zarr_chunk_key(&s->meta, s->path, idx, &key);
	crn_str_appendf(ret, "%s/%s", s->store->root, key.data ? key.data : "");
}

/* ---- objects that no unit has ---- */

typedef struct search {
	zarr_sink *s;
	const crn_extras_visit *v;
	crn_str *prefix; /* of the names being listed, with a slash at its end */
	cairn_status status;
	cairn_error *err;
} search;

/* Is `key` (below the array) the key of a unit that is known? */
static bool is_known_key(const search *q, const char *key)
{
	const zarr_sink *s = q->s;
	int64_t idx[CRN_MAX_NDIM] = {0};
	CRN_STR again = {0};
	int d = 0, ndim = s->meta.type.ndim;
	const char *p = key;
	for (; *p && d < ndim; p++)
		if (*p >= '0' && *p <= '9') {
			char *end;
			idx[d++] = strtoll(p, &end, 10);
			p = end - 1;
		}
	for (d = 0; d < ndim; d++)
		if (idx[d] >= crn_n_units(s->meta.type.shape[d], s->base.unit[d]))
			return false;
	/* Only the very key that we would write is one. */
	crn_zarr_chunk_key(&s->meta, "", idx, &again);
	return !again.oom && strcmp(again.data, key) == 0 && q->v->is_known(q->v->user, idx);
}

static cairn_status search_below(search *q);

static bool look_at(void *user, const char *name, bool is_prefix)
{
	search *q = user;
	size_t before = q->prefix->len, below = strlen(q->s->path) + (*q->s->path ? 1 : 0);
	/* Metadata and the journal are no chunks. */
	if (name[0] == '.' || strcmp(name, "zarr.json") == 0)
		return true;
	crn_str_append(q->prefix, name);
	if (is_prefix) {
		crn_str_append(q->prefix, "/");
		q->status = search_below(q);
	} else if (!q->prefix->oom && !is_known_key(q, q->prefix->data + below)) {
		CRN_STR path = {0};
		crn_str_appendf(&path, "%s/%s", q->s->store->root, q->prefix->data);
		q->v->visit(q->v->user, path.data ? path.data : name);
	}
	q->prefix->data[before] = '\0';
	q->prefix->len = before;
	return q->status == CAIRN_OK;
}

static cairn_status search_below(search *q)
{
	CRN_FREE char *prefix = crn_strndup(
		q->prefix->len ? q->prefix->data : "", q->prefix->len ? q->prefix->len - 1 : 0);
	if (!prefix)
		return crn_fail_memory(q->err, "a key", q->prefix->len);
	CRN_TRY(q->s->store->ops->list(q->s->store, prefix, look_at, q, q->err));
	return q->status;
}

static cairn_status extras(crn_sink *base, const crn_extras_visit *v, cairn_error *err)
{
	zarr_sink *s = (zarr_sink *)base;
	CRN_STR prefix = {0};
	search q = {.s = s, .v = v, .prefix = &prefix, .err = err};
	crn_str_appendf(&prefix, "%s%s", s->path, *s->path ? "/" : "");
	return prefix.oom ? crn_fail_memory(err, "a key", 256) : search_below(&q);
}

/* ---- finish ---- */

static cairn_status put_doc(
	zarr_sink *s, const char *path, const char *name, const crn_str *text, cairn_error *err)
{
	CRN_STR key = {0};
	crn_zarr_join(path, name, &key);
	if (key.oom)
		return crn_fail_memory(err, "a key", strlen(path));
	return s->store->ops->put(s->store, key.data, text->data, text->len, err);
}

static cairn_status has_doc(
	zarr_sink *s, const char *path, const char *name, bool *ret, cairn_error *err)
{
	CRN_STR key = {0};
	crn_zarr_join(path, name, &key);
	if (key.oom)
		return crn_fail_memory(err, "a key", strlen(path));
	return crn_store_exists(s->store, key.data, ret, err);
}

/* Makes `path` a group, unless it is a node already. */
static cairn_status put_group(zarr_sink *s, const char *path, cairn_error *err)
{
	bool found = false;
	CRN_STR text = {0};
	const char *name = s->meta.zarr_format == 2 ? ".zgroup" : "zarr.json";
	CRN_TRY(has_doc(s, path, name, &found, err));
	if (found)
		return CAIRN_OK;
	crn_str_append(
		&text, s->meta.zarr_format == 2
			       ? "{\n    \"zarr_format\": 2\n}\n"
			       : "{\n    \"zarr_format\": 3,\n    \"node_type\": \"group\",\n"
				 "    \"attributes\": {}\n}\n");
	return text.oom ? crn_fail_memory(err, "metadata", 64) : put_doc(s, path, name, &text, err);
}

/* Visits every node above the array, from the root of the store down. */
static cairn_status for_ancestors(zarr_sink *s,
	cairn_status (*visit)(zarr_sink *s, const char *path, cairn_error *err), cairn_error *err)
{
	CRN_FREE char *path = crn_strdup(s->path);
	if (!path)
		return crn_fail_memory(err, "a path", strlen(s->path));
	if (!*path)
		return CAIRN_OK;
	CRN_TRY(visit(s, "", err));
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		CRN_TRY(visit(s, path, err));
		*slash = '/';
	}
	return CAIRN_OK;
}

static cairn_status finish(crn_sink *base, cairn_error *err)
{
	zarr_sink *s = (zarr_sink *)base;
	CRN_TRY(for_ancestors(s, put_group, err));
	if (s->docs.attributes.len > 0)
		CRN_TRY(put_doc(s, s->path, ".zattrs", &s->docs.attributes, err));
	return put_doc(s, s->path, s->meta.zarr_format == 2 ? ".zarray" : "zarr.json",
		&s->docs.array, err);
}

static void close_sink(crn_sink *base)
{
	zarr_sink *s = (zarr_sink *)base;
	crn_zarr_meta_done(&s->meta);
	crn_zarr_docs_done(&s->docs);
	crn_store_close(s->store);
	crn_free(s->path);
	crn_free(base->url);
	crn_free(s);
}

static const crn_sink_ops ops = {
	.write_unit = write_unit,
	.check_unit = check_unit,
	.unit_name = unit_name,
	.extras = extras,
	.finish = finish,
	.close = close_sink,
};

/* ---- create ---- */

/* Halves the longest axis (the slower one of equals) until a chunk has at most 2 MiB. */
static void default_chunks(const crn_type *t, int64_t chunks[CRN_MAX_NDIM])
{
	const double most = 2.0 * (1 << 20);
	double bytes = (double)crn_dtype_size(t->dtype);
	for (int d = 0; d < t->ndim; d++) {
		chunks[d] = t->shape[d] > 0 ? t->shape[d] : 1;
		bytes *= (double)chunks[d];
	}
	while (bytes > most) {
		int longest = 0;
		int64_t half = 1;
		for (int d = 1; d < t->ndim; d++)
			if (chunks[d] > chunks[longest])
				longest = d;
		while (2 * half < chunks[longest])
			half *= 2;
		bytes = bytes / (double)chunks[longest] * (double)half;
		chunks[longest] = half;
	}
}

static cairn_status check_chunks(const crn_create_request *req, cairn_error *err)
{
	for (int d = 0; d < req->type.ndim; d++)
		if (req->chunks[d] < 1)
			return crn_fail(err, CAIRN_USAGE, "%s: chunk extent %lld on axis %d",
				req->url, (long long)req->chunks[d], d);
	return CAIRN_OK;
}

static cairn_status apply_fill(crn_create_request *req, cairn_error *err)
{
	const crn_value *fill = &req->options[CRN_ZARR_FILL];
	if (fill->kind == CRN_V_NONE)
		return CAIRN_OK;
	if (crn_value_to_elem(fill, req->type.dtype, &req->type.fill))
		return CAIRN_OK;
	CRN_STR text = {0};
	crn_value_print(fill, &text);
	return crn_fail(err, CAIRN_USAGE, "%s: fill_value=%.40s is no %s", req->url,
		text.data ? text.data : "", crn_dtype_name(req->type.dtype));
}

/* Our own documents, read back: codecs, keys and the fill value as every reader will see them. */
static cairn_status parse_own(const crn_zarr_docs *docs, const crn_registry *r, int zarr_format,
	crn_zarr_meta *ret, cairn_error *err)
{
	crn_json *doc = NULL;
	CRN_TRY(crn_json_parse(docs->array.data, docs->array.len, CAIRN_USAGE, &doc, err));
	cairn_status status = zarr_format == 2 ? crn_zarr2_parse(r, doc, ret, err)
					       : crn_zarr3_parse(r, doc, ret, err);
	crn_json_free(doc);
	/* What is wrong here came from the options, not from a file. */
	if (status == CAIRN_INPUT) {
		status = CAIRN_USAGE;
		if (err)
			err->status = status;
	}
	return status;
}

/* What a request comes to, without touching a store. What was made stays in *ret_docs and *ret_meta
 * also on failure, for the caller to free. */
static cairn_status design(const crn_create_request *req, int zarr_format, crn_zarr_docs *ret_docs,
	crn_zarr_meta *ret_meta, cairn_error *err)
{
	crn_create_request own = *req;
	int64_t chunks[CRN_MAX_NDIM];
	if (!own.chunks) {
		default_chunks(&own.type, chunks);
		own.chunks = chunks;
	}
	CRN_TRY(check_chunks(&own, err));
	CRN_TRY(apply_fill(&own, err));
	CRN_TRY(crn_zarr_make_docs(&own, zarr_format, ret_docs, err));
	return parse_own(ret_docs, req->registry, zarr_format, ret_meta, err);
}

/* Enough to encode, and to read an object back whole. */
static size_t scratch_of(const crn_chain *c)
{
	return c->encode_scratch > aligned(c->max_encoded) ? c->encode_scratch
							   : aligned(c->max_encoded);
}

/* An array cannot hold another node, and a group holds nodes of its own version. */
static cairn_status check_ancestor(zarr_sink *s, const char *path, cairn_error *err)
{
	bool array2 = false, group2 = false;
	crn_json *doc = NULL;
	CRN_TRY(has_doc(s, path, ".zarray", &array2, err));
	CRN_TRY(has_doc(s, path, ".zgroup", &group2, err));
	CRN_TRY(crn_zarr_load(s->store, path, "zarr.json", &doc, err));
	const crn_json *node = crn_json_get(doc, "node_type");
	bool array3 = node && node->kind == CRN_JSON_STRING && strcmp(node->text, "array") == 0;
	int version = doc && !group2 ? 3 : group2 && !doc ? 2 : s->meta.zarr_format;
	crn_json_free(doc);
	if (array2 || array3)
		return crn_fail(err, CAIRN_USAGE, "%s lies inside the array %s/%s", s->base.url,
			s->store->root, path);
	if (version != s->meta.zarr_format)
		return crn_fail(err, CAIRN_USAGE,
			"%s: the group %s/%s is Zarr v%d, the array would be v%d", s->base.url,
			s->store->root, path, version, s->meta.zarr_format);
	return CAIRN_OK;
}

/* What a kill left of a group's metadata. */
static cairn_status reap_here(zarr_sink *s, const char *path, cairn_error *err)
{
	return s->store->ops->reap(s->store, path, false, err);
}

static cairn_status prepare(
	zarr_sink *s, int zarr_format, const crn_create_request *req, cairn_error *err)
{
	CRN_TRY(design(req, zarr_format, &s->docs, &s->meta, err));
	CRN_TRY(for_ancestors(s, check_ancestor, err));
	const crn_chain *c = &s->meta.chain;
	s->base.type = req->type;
	s->base.type.fill = s->meta.type.fill;
	memcpy(s->base.unit, c->chunk.shape, sizeof(s->base.unit));
	s->base.unit_scratch = scratch_of(c);
	if (!req->resume || req->verify || !s->store->ops->reap)
		return CAIRN_OK;
	CRN_TRY(for_ancestors(s, reap_here, err));
	return s->store->ops->reap(s->store, s->path, true, err);
}

cairn_status crn_zarr_create_in(crn_store *take_store, const char *path, int zarr_format,
	const crn_create_request *req, crn_sink **ret, cairn_error *err)
{
	zarr_sink *s = crn_calloc(1, sizeof(*s));
	if (!s) {
		crn_store_close(take_store);
		return crn_fail_memory(err, "a sink", sizeof(*s));
	}
	s->base.ops = &ops;
	s->store = take_store;
	s->store->fsync = req->fsync;
	s->base.url = crn_strdup(req->url);
	s->path = crn_strdup(path);
	cairn_status status = s->base.url && s->path
				      ? prepare(s, zarr_format, req, err)
				      : crn_fail_memory(err, "a path", strlen(req->url));
	if (status == CAIRN_OK)
		*ret = &s->base;
	else
		close_sink(&s->base);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_formats.c -- the descriptors of Zarr v2 and v3: which URLs are theirs, and where the store
 * ends and the path inside it begins.
 *
 *	data/x.zarr/labels/cells  →  store data/x.zarr, path labels/cells
 *	data/plain-folder	  →  store data/plain-folder, path ""
 *
 * Why v2 is the default for writing: every Zarr library and viewer reads it; v3 is one option away.
 */
#include "formats/zarr_meta.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Splits a url behind its first part that ends in ".zarr". */
static bool split_url(const char *url, crn_str *store, crn_str *path)
{
	size_t n = strlen(url), cut = n;
	while (n > 1 && url[n - 1] == '/')
		n--;
	for (size_t i = 6; i < n; i++)
		if (url[i] == '/' && strncasecmp(url + i - 5, ".zarr", 5) == 0) {
			cut = i;
			break;
		}
	if (cut < n) {
		crn_str_append_n(path, url + cut + 1, n - cut - 1);
		/* "x.zarr/../y" and the like: the file system knows what is meant. */
		if (!path->oom && !crn_key_valid(path->data)) {
			crn_str_clear(path);
			cut = n;
		}
	}
	crn_str_append_n(store, url, cut < n ? cut : n);
	crn_str_append(path, "");
	return !store->oom && !path->oom;
}

static bool has_file(const char *url, const char *name)
{
	CRN_STR path = {0};
	struct stat st;
	crn_str_appendf(&path, "%s/%s", strncmp(url, "file://", 7) == 0 ? url + 7 : url, name);
	return !path.oom && stat(path.data, &st) == 0 && S_ISREG(st.st_mode);
}

static bool probe3(const char *url, const unsigned char *head, size_t n_head, bool is_dir)
{
	return is_dir && has_file(url, "zarr.json");
}

static bool probe2(const char *url, const unsigned char *head, size_t n_head, bool is_dir)
{
	return is_dir && !has_file(url, "zarr.json") &&
	       (has_file(url, ".zarray") || has_file(url, ".zgroup") || has_file(url, ".zattrs"));
}

/* Outside a "*.zarr" folder: a group right above the array may know its axes. */
static bool split_parent(crn_str *store, crn_str *path)
{
	CRN_STR parent = {0};
	const char *slash = strrchr(store->data, '/');
	if (path->len > 0 || !slash || slash == store->data || !crn_key_valid(slash + 1))
		return true;
	crn_str_append_n(&parent, store->data, (size_t)(slash - store->data));
	if (parent.oom)
		return false;
	if (!has_file(parent.data, ".zgroup") && !has_file(parent.data, "zarr.json"))
		return true;
	crn_str_append(path, slash + 1);
	store->len = (size_t)(slash - store->data);
	store->data[store->len] = '\0';
	return !path->oom;
}

static cairn_status open_any(
	const crn_open_request *req, int zarr_format, crn_source **ret, cairn_error *err)
{
	CRN_STR store_url = {0}, path = {0};
	crn_store *store = NULL;
	int64_t level = req->options[0].kind == CRN_V_INT ? req->options[0].i : 0;
	if (level < 0)
		return crn_fail(err, CAIRN_USAGE, "%s: level=%lld", req->url, (long long)level);
	if (!split_url(req->url, &store_url, &path) || !split_parent(&store_url, &path))
		return crn_fail_memory(err, "a path", strlen(req->url));
	CRN_TRY(crn_store_open(req->registry, store_url.data, &store, err));
	crn_zarr_open how = {.registry = req->registry,
		.url = req->url,
		.path = path.data,
		.zarr_format = zarr_format,
		.level = level};
	return crn_zarr_open_in(store, &how, ret, err);
}

static cairn_status open2(const crn_open_request *req, crn_source **ret, cairn_error *err)
{
	return open_any(req, 2, ret, err);
}

static cairn_status open3(const crn_open_request *req, crn_source **ret, cairn_error *err)
{
	return open_any(req, 3, ret, err);
}

/* The version asked for, or that of the group which takes the array, or `usual`. */
static cairn_status choose_version(const crn_create_request *req, const char *store_url,
	const char *path, int usual, int *ret, cairn_error *err)
{
	const crn_value *v = &req->options[CRN_ZARR_FORMAT];
	*ret = usual;
	if (v->kind == CRN_V_INT && v->i != 2 && v->i != 3)
		return crn_fail(err, CAIRN_USAGE, "%s: zarr_format must be 2 or 3, not %lld",
			req->url, (long long)v->i);
	if (v->kind == CRN_V_INT)
		*ret = (int)v->i;
	else if (*path && has_file(store_url, "zarr.json"))
		*ret = 3;
	else if (*path && has_file(store_url, ".zgroup"))
		*ret = 2;
	return CAIRN_OK;
}

static cairn_status create_any(
	const crn_create_request *req, int usual, crn_sink **ret, cairn_error *err)
{
	CRN_STR store_url = {0}, path = {0};
	crn_store *store = NULL;
	int zarr_format;
	if (!split_url(req->url, &store_url, &path))
		return crn_fail_memory(err, "a path", strlen(req->url));
	CRN_TRY(choose_version(req, store_url.data, path.data, usual, &zarr_format, err));
	CRN_TRY(crn_store_open(req->registry, store_url.data, &store, err));
	CRN_TRY(crn_zarr_create_in(store, path.data, zarr_format, req, ret, err));
	(*ret)->format = zarr_format == 2 ? &crn_format_zarr2 : &crn_format_zarr3;
	return CAIRN_OK;
}

static cairn_status create2(const crn_create_request *req, crn_sink **ret, cairn_error *err)
{
	return create_any(req, 2, ret, err);
}

static cairn_status create3(const crn_create_request *req, crn_sink **ret, cairn_error *err)
{
	return create_any(req, 3, ret, err);
}

/* Creating stores nothing before the first chunk, so the unit is asked of a sink that is let go. */
static cairn_status plan_any(const crn_create_request *req, int usual,
	int64_t ret_unit[CRN_MAX_NDIM], size_t *ret_unit_scratch, cairn_error *err)
{
	crn_create_request look = *req;
	crn_sink *s = NULL;
	look.resume = false;
	CRN_TRY(create_any(&look, usual, &s, err));
	memcpy(ret_unit, s->unit, (size_t)s->type.ndim * sizeof(int64_t));
	*ret_unit_scratch = s->unit_scratch;
	s->ops->close(s);
	return CAIRN_OK;
}

static cairn_status plan_unit2(const crn_create_request *req, int64_t ret_unit[CRN_MAX_NDIM],
	size_t *ret_unit_scratch, cairn_error *err)
{
	return plan_any(req, 2, ret_unit, ret_unit_scratch, err);
}

static cairn_status plan_unit3(const crn_create_request *req, int64_t ret_unit[CRN_MAX_NDIM],
	size_t *ret_unit_scratch, cairn_error *err)
{
	return plan_any(req, 3, ret_unit, ret_unit_scratch, err);
}

static void journal_path(const char *url, crn_str *ret)
{
	size_t n = strlen(url);
	while (n > 1 && url[n - 1] == '/')
		n--;
	crn_str_append_n(ret, url, n);
	crn_str_append(ret, "/.cairn");
}

static const crn_param read_params[] = {
	{"level", CRN_P_INT, "0", "level of a multiscale image (OME-NGFF); 0 is the finest"},
	{.type = CRN_P_END},
};

static const char *const suffixes[] = {".zarr", NULL};

const crn_format crn_format_zarr2 = {
	.name = "zarr2",
	.summary = "Zarr v2: a folder of compressed chunks; also OME-NGFF 0.4 images",
	.suffixes = suffixes,
	.read_params = read_params,
	.write_params = crn_zarr_write_params,
	.probe = probe2,
	.open = open2,
	.plan_unit = plan_unit2,
	.create = create2,
	.journal_path = journal_path,
};

const crn_format crn_format_zarr3 = {
	.name = "zarr3",
	.summary = "Zarr v3: a folder of compressed chunks; also OME-NGFF 0.5 images",
	.suffixes = suffixes,
	.read_params = read_params,
	.write_params = crn_zarr_write_params,
	.probe = probe3,
	.open = open3,
	.plan_unit = plan_unit3,
	.create = create3,
	.journal_path = journal_path,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * api_list.c -- the arrays in a folder or zarr group: `cairn ls`.
 *
 * Every entry whose kind a format recognises is opened (headers only). Numbered files of one
 * pattern are one entry, so a folder of 10,000 slices is one line. Folders that are no array are
 * entered, to a bounded depth.
 */
#include "api.h"

#include "base/json.h"
#include "base/mem.h"
#include "builtin.h"
#include "core/format.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 6, MAX_ENTRIES = 1000, FEW = 3 };

typedef struct listing {
	cairn_session *session;
	cairn_style style;
	crn_str *out;
	int n; /* entries shown */
	bool cut;
} listing;

/* ---- the names of a folder ---- */

typedef struct names {
	char **at;
	size_t n, cap;
} names;

static void names_done(names *l)
{
	for (size_t i = 0; i < l->n; i++)
		crn_free(l->at[i]);
	crn_free(l->at);
}

static bool names_add(names *l, const char *name)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		char **grown = crn_realloc_array(l->at, cap, sizeof(*grown));
		if (!grown)
			return false;
		l->at = grown;
		l->cap = cap;
	}
	l->at[l->n] = crn_strdup(name);
	return l->at[l->n++] != NULL;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static cairn_status read_names(const char *folder, names *l, cairn_error *err)
{
	DIR *d = opendir(folder);
	if (!d)
		return crn_fail_errno(err, CAIRN_INPUT, "cannot list", folder);
	bool room = true;
	for (struct dirent *e = readdir(d); e && room; e = readdir(d))
		if (e->d_name[0] != '.')
			room = names_add(l, e->d_name);
	closedir(d);
	if (!room)
		return crn_fail_memory(err, "a list of files", l->n * sizeof(char *));
	if (l->n > 1)
		qsort(l->at, l->n, sizeof(*l->at), by_name);
	return CAIRN_OK;
}

/* ---- numbered files ---- */

/* Position and length of the last run of digits before the suffix. */
static bool last_digits(const char *name, size_t *ret_at, size_t *ret_n)
{
	const char *dot = strrchr(name, '.');
	size_t end = dot ? (size_t)(dot - name) : strlen(name);
	while (end > 0 && !isdigit((unsigned char)name[end - 1]))
		end--;
	size_t at = end;
	while (at > 0 && isdigit((unsigned char)name[at - 1]))
		at--;
	*ret_at = at;
	*ret_n = end - at;
	return end > at;
}

/* Do two names differ in their last number only, written with the same width? */
static bool same_pattern(const char *a, const char *b)
{
	size_t at_a, n_a, at_b, n_b;
	if (!last_digits(a, &at_a, &n_a) || !last_digits(b, &at_b, &n_b))
		return false;
	return at_a == at_b && n_a == n_b && memcmp(a, b, at_a) == 0 &&
	       strcmp(a + at_a + n_a, b + at_b + n_b) == 0;
}

/* "img.00012.png" -> "img.%05d.png" */
static void append_pattern(crn_str *out, const char *name)
{
	size_t at, n;
	(void)last_digits(name, &at, &n);
	crn_str_append_n(out, name, at);
	crn_str_appendf(out, "%%0%zud%s", n, name + at + n);
}

/* ---- entries ---- */

static bool known_suffix(const char *name)
{
	for (const crn_format *const *f = crn_builtin_registry.formats; *f; f++)
		for (int i = 0; (*f)->suffixes && (*f)->suffixes[i]; i++) {
			size_t n = strlen(name), k = strlen((*f)->suffixes[i]);
			if (n > k && strcasecmp(name + n - k, (*f)->suffixes[i]) == 0)
				return true;
		}
	return false;
}

static void show(listing *l, const char *url, const cairn_array *a)
{
	char text[256], bytes[64];
	const crn_type *t = &a->node->type;
	if (l->style == CAIRN_JSON) {
		crn_str_append(l->out, l->n ? ",\n{\"url\": " : "\n{\"url\": ");
		crn_json_quote(l->out, url);
		crn_str_append(l->out, ", ");
		crn_api_describe_node(a->node, CAIRN_JSON, l->out);
		crn_str_append(l->out, "}");
	} else {
		double size = (double)crn_type_count(t) * (double)crn_dtype_size(t->dtype);
		crn_str_appendf(l->out, "%-40s  %-28s %10s\n", url, crn_type_format(t, text),
			crn_format_bytes(size, bytes));
	}
	l->n++;
}

/* Shows the array at `url`, if there is one. */
static bool try_array(listing *l, const char *url)
{
	cairn_array *a = NULL;
	if (l->n >= MAX_ENTRIES) {
		l->cut = true;
		return true;
	}
	if (cairn_array_open(l->session, url, &a, NULL) != CAIRN_OK)
		return false;
	show(l, url, a);
	cairn_array_free(a);
	return true;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static cairn_status list_folder(listing *l, const char *folder, int depth, cairn_error *err);

static cairn_status list_entry(
	listing *l, const char *path, const char *name, int depth, cairn_error *err)
{
	if (!is_folder(path)) {
		if (known_suffix(name))
			(void)try_array(l, path);
		return CAIRN_OK;
	}
	int before = l->n;
	if (depth < MAX_DEPTH && !l->cut)
		CRN_TRY(list_folder(l, path, depth + 1, err));
	/* A folder of chunks or slices shows nothing inside: then it may be an array itself. */
	if (l->n == before)
		(void)try_array(l, path);
	return CAIRN_OK;
}

/* Does the folder hold the metadata of a zarr node (array or group)? */
static bool is_zarr_node(const char *folder)
{
	static const char *const files[] = {".zarray", "zarr.json"};
	struct stat st;
	for (size_t i = 0; i < CRN_COUNT(files); i++) {
		CRN_STR path = {0};
		crn_str_appendf(&path, "%s/%s", folder, files[i]);
		if (path.data && stat(path.data, &st) == 0)
			return true;
	}
	return false;
}

static cairn_status list_names(
	listing *l, const char *folder, const names *found, int depth, cairn_error *err)
{
	for (size_t i = 0; i < found->n && !l->cut; i++) {
		CRN_STR path = {0};
		size_t alike = 1;
		while (i + alike < found->n && same_pattern(found->at[i], found->at[i + alike]))
			alike++;
		bool slash = folder[0] && folder[strlen(folder) - 1] == '/';
		crn_str_appendf(&path, "%s%s", folder, slash ? "" : "/");
		size_t prefix = path.len;
		crn_str_append(&path, found->at[i]);
		if (path.oom)
			return crn_fail_memory(err, "a path", path.len);
		if (alike > FEW && known_suffix(found->at[i]) && !is_folder(path.data)) {
			CRN_STR pattern = {0};
			crn_str_append_n(&pattern, path.data, prefix);
			append_pattern(&pattern, found->at[i]);
			if (!pattern.oom && try_array(l, pattern.data)) {
				i += alike - 1;
				continue;
			}
		}
		CRN_TRY(list_entry(l, path.data, found->at[i], depth, err));
	}
	return CAIRN_OK;
}

static cairn_status list_folder(listing *l, const char *folder, int depth, cairn_error *err)
{
	/* What lies in an array's folder are its chunks: nothing to list. */
	if (is_zarr_node(folder) && try_array(l, folder))
		return CAIRN_OK;
	__attribute__((cleanup(names_done))) names found = {0};
	CRN_TRY(read_names(folder, &found, err));
	return list_names(l, folder, &found, depth, err);
}

cairn_status cairn_list(
	cairn_session *s, const char *url, cairn_style style, char **ret, cairn_error *err)
{
	CRN_STR out = {0};
	listing l = {.session = s, .style = style, .out = &out};
	if (style != CAIRN_TEXT && style != CAIRN_JSON)
		return crn_fail(err, CAIRN_USAGE, "lists have no such style");
	if (style == CAIRN_JSON)
		crn_str_append(&out, "[");
	if (is_folder(url)) {
		CRN_TRY(list_folder(&l, url, 0, err));
		if (l.n == 0)
			(void)try_array(&l, url);
	} else {
		cairn_array *a = NULL;
		CRN_TRY(cairn_array_open(s, url, &a, err));
		show(&l, url, a);
		cairn_array_free(a);
	}
	if (style == CAIRN_JSON)
		crn_str_append(&out, "\n]\n");
	else if (l.cut)
		crn_str_appendf(&out, "(only the first %d are shown)\n", MAX_ENTRIES);
	return crn_api_take(&out, ret, err);
}

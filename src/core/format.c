/* SPDX-License-Identifier: Apache-2.0
 *
 * format.c -- finding the format that reads or writes a URL.
 *
 *	read:  url ── stat, first bytes ── probe of every format in order ── check options ── open
 *	write: url ── format= name, else suffix of the last path part that has a known one
 *
 * Nothing is kept; any thread.
 */
#include "core/format.h"

#include "base/mem.h"
#include "core/literal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 512, MAX_NAMES = 2048, MAX_OPTIONS = 64 };

/* ---- options ---- */

/* build hook of the stand-in op below: hands the checked arguments out as a list. */
static cairn_status collect(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	int n = 0;
	while (self->params[n].type != CRN_P_END)
		n++;
	crn_value list = {.kind = CRN_V_LIST, .list = {.items = (crn_value *)args, .n = n}};
	return crn_value_copy(&list, ret, err);
}

cairn_status crn_format_options(const char *who, const crn_param *params, const crn_kwarg *options,
	int n_options, crn_value *ret, cairn_error *err)
{
	/* The same binding as for ops; a default becomes None, because formats tell "not given"
	 * apart. */
	crn_param table[MAX_OPTIONS + 1];
	int n = 0;
	for (; params && n < MAX_OPTIONS && params[n].type != CRN_P_END; n++) {
		table[n] = params[n];
		if (table[n].default_text)
			table[n].default_text = "None";
	}
	table[n] = (crn_param){.type = CRN_P_END};
	crn_op stand_in = {.name = who, .params = table, .build = collect};
	return crn_call_op(NULL, &stand_in, NULL, 0, options, n_options, ret, err);
}

/* ---- messages ---- */

static void list_formats(const crn_registry *r, bool writing, crn_str *out)
{
	int n = 0;
	for (const crn_format *const *f = r->formats; *f; f++)
		if (!writing || (*f)->create)
			crn_str_appendf(out, "%s%s", n++ ? ", " : "", (*f)->name);
}

static void free_names(char **names, int n)
{
	for (int i = 0; i < n; i++)
		crn_free(names[i]);
	crn_free(names);
}

/* Sets the hint to the entry of `dir` that looks most like `name`. */
static void hint_nearest(const char *dir, const char *name, cairn_error *err)
{
	DIR *d = opendir(*dir ? dir : ".");
	char **names = crn_calloc(MAX_NAMES, sizeof(*names));
	int n = 0;
	struct dirent *entry;
	while (d && names && n < MAX_NAMES && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && (names[n] = crn_strdup(entry->d_name)) != NULL)
			n++;
	if (d)
		closedir(d);
	const char *near = names ? crn_nearest_name(name, (const char *const *)names, n) : NULL;
	if (near)
		crn_hint(err, "did you mean %s%s?", dir, near);
	free_names(names, n);
}

/* The url does not exist: names the first part of the path that is missing. */
static cairn_status fail_missing(const char *url, cairn_error *err)
{
	cairn_status status = crn_fail(err, CAIRN_INPUT, "%s: no such file or folder", url);
	CRN_FREE char *path = crn_strdup(url);
	struct stat st;
	if (!path)
		return status;
	for (char *slash = strchr(path + 1, '/');; slash = slash ? strchr(slash + 1, '/') : NULL) {
		if (slash)
			*slash = '\0';
		if (*path && stat(path, &st) != 0) {
			char *last = strrchr(path, '/');
			CRN_FREE char *name = crn_strdup(last ? last + 1 : path);
			if (last)
				last[1] = '\0';
			else
				path[0] = '\0';
			if (name)
				hint_nearest(path, name, err);
			return status;
		}
		if (!slash)
			return status;
		*slash = '/';
	}
}

static cairn_status fail_unknown(
	const crn_registry *r, const char *url, bool is_dir, cairn_error *err)
{
	CRN_STR known = {0}, journal = {0};
	struct stat st;
	list_formats(r, false, &known);
	cairn_status status = crn_fail(err, CAIRN_INPUT, "%s: %s of no kind that cairn reads", url,
		is_dir ? "a folder" : "a file");
	crn_str_appendf(&journal, "%s/.cairn", url);
	if (is_dir && journal.data && stat(journal.data, &st) == 0)
		crn_hint(err, "it looks like an output that was not finished: run the command that "
			      "writes it again, with --on-exists resume");
	else
		crn_hint(err, "formats: %s; read(..., format=\"NAME\") forces one",
			known.data ? known.data : "none");
	return status;
}

/* ---- reading ---- */

typedef struct target {
	bool exists, is_dir;
	unsigned char head[HEAD_BYTES];
	size_t n_head;
} target;

static cairn_status look_at(const char *url, target *ret, cairn_error *err)
{
	struct stat st;
	*ret = (target){0};
	const char *path = strncmp(url, "file://", 7) == 0 ? url + 7 : url;
	if (stat(path, &st) != 0) {
		/* Patterns and other stores have no file of this name: their formats know. */
		if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
			return CAIRN_OK;
		return crn_fail_errno(err, CAIRN_INPUT, "looking at", url);
	}
	ret->exists = true;
	ret->is_dir = S_ISDIR(st.st_mode);
	if (!S_ISREG(st.st_mode))
		return CAIRN_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_INPUT, "opening", url);
	ssize_t n = pread(fd, ret->head, HEAD_BYTES, 0);
	cairn_status status = n < 0 ? crn_fail_errno(err, CAIRN_INPUT, "reading", url) : CAIRN_OK;
	close(fd);
	ret->n_head = n < 0 ? 0 : (size_t)n;
	return status;
}

static const crn_format *format_by_name(const crn_registry *r, const char *name)
{
	for (const crn_format *const *f = r->formats; *f; f++)
		if (strcmp((*f)->name, name) == 0)
			return *f;
	return NULL;
}

static cairn_status fail_format_name(
	const crn_registry *r, const char *name, bool writing, cairn_error *err)
{
	CRN_STR known = {0};
	list_formats(r, writing, &known);
	cairn_status status = crn_fail(err, CAIRN_USAGE, "no format \"%.80s\" that cairn %s", name,
		writing ? "writes" : "reads");
	crn_hint(err, "formats: %s", known.data ? known.data : "none");
	return status;
}

static cairn_status choose_reader(const crn_registry *r, const char *url, const char *name,
	const crn_format **ret, cairn_error *err)
{
	target t;
	if (name) {
		*ret = format_by_name(r, name);
		return *ret ? CAIRN_OK : fail_format_name(r, name, false, err);
	}
	CRN_TRY(look_at(url, &t, err));
	for (const crn_format *const *f = r->formats; *f; f++)
		if ((*f)->probe && (*f)->probe(url, t.head, t.n_head, t.is_dir)) {
			*ret = *f;
			return CAIRN_OK;
		}
	return t.exists ? fail_unknown(r, url, t.is_dir, err) : fail_missing(url, err);
}

cairn_status crn_source_open(const crn_registry *r, const char *url,
	const char *const *option_names, const crn_value *option_values, int n_options,
	crn_source **ret, cairn_error *err)
{
	crn_kwarg options[MAX_OPTIONS];
	const char *name = NULL;
	int n = 0;
	if (n_options > MAX_OPTIONS)
		return crn_fail(err, CAIRN_USAGE, "read: more than %d options", MAX_OPTIONS);
	for (int i = 0; i < n_options; i++) {
		if (strcmp(option_names[i], "format") == 0 && option_values[i].kind == CRN_V_STR)
			name = option_values[i].s;
		else
			options[n++] = (crn_kwarg){option_names[i], option_values[i]};
	}
	const crn_format *format = NULL;
	CRN_TRY(choose_reader(r, url, name, &format, err));
	char who[96];
	snprintf(who, sizeof(who), "read (%s)", format->name);
	CRN_VALUE checked = {0};
	CRN_TRY(crn_format_options(who, format->read_params, options, n, &checked, err));
	crn_open_request req = {.url = url, .registry = r, .options = checked.list.items};
	crn_source *source = NULL;
	CRN_TRY(format->open(&req, &source, err));
	source->format = format;
	*ret = source;
	return CAIRN_OK;
}

void crn_source_close(crn_source *s)
{
	if (s)
		s->ops->close(s);
}

cairn_status crn_source_hand_out(cairn_status opened, crn_source *s, crn_source **ret)
{
	if (opened == CAIRN_OK)
		*ret = s;
	else
		crn_source_close(s);
	return opened;
}

/* ---- writing ---- */

static bool ends_with(const char *text, size_t n, const char *suffix)
{
	size_t m = strlen(suffix);
	return n > m && strncasecmp(text + n - m, suffix, m) == 0;
}

/* First format that writes and has a suffix of text[0 .. n). */
static const crn_format *format_by_suffix(const crn_registry *r, const char *text, size_t n)
{
	for (const crn_format *const *f = r->formats; *f; f++) {
		if (!(*f)->create || !(*f)->suffixes)
			continue;
		for (const char *const *suffix = (*f)->suffixes; *suffix; suffix++)
			if (ends_with(text, n, *suffix))
				return *f;
	}
	return NULL;
}

/* format="zarr" and format="tif" mean the format of that suffix. */
static const crn_format *writer_by_name(const crn_registry *r, const char *name)
{
	const crn_format *f = format_by_name(r, name);
	if (f)
		return f->create ? f : NULL;
	CRN_STR file = {0};
	crn_str_appendf(&file, "x.%s", name);
	return file.oom ? NULL : format_by_suffix(r, file.data, file.len);
}

cairn_status crn_format_for_writing(const crn_registry *r, const char *url, const char *format_name,
	const crn_format **ret, cairn_error *err)
{
	if (format_name) {
		const crn_format *f = writer_by_name(r, format_name);
		if (!f)
			return fail_format_name(r, format_name, true, err);
		*ret = f;
		return CAIRN_OK;
	}
	/* "a.zarr/labels/x" lies inside a folder whose suffix tells. */
	for (size_t n = strlen(url); n > 0; n--) {
		if (n < strlen(url) && url[n] != '/')
			continue;
		while (n > 0 && url[n - 1] == '/')
			n--;
		const crn_format *f = format_by_suffix(r, url, n);
		if (f) {
			*ret = f;
			return CAIRN_OK;
		}
		if (n == 0)
			break;
	}
	CRN_STR known = {0};
	list_formats(r, true, &known);
	cairn_status status =
		crn_fail(err, CAIRN_USAGE, "%s: no format is written under this name", url);
	crn_hint(err, "end it in .zarr or .tif, or give format= one of: %s",
		known.data ? known.data : "none");
	return status;
}

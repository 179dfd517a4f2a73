/* SPDX-License-Identifier: Apache-2.0
 *
 * image_sink.c -- slices to files: temporary names, then all renamed in finish. See image_sink.h.
 */
#include "formats/image_sink.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/span.h"
#include "formats/raw_io.h"
#include "formats/raw_part.h"
#include "formats/stack_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10 };

typedef struct image_sink {
	crn_sink base;
	crn_image_encoder encoder;
	crn_stack_pattern pattern; /* names of slices; unused for a single file */
	bool single;
	char *dir, *file; /* single: folder and name; else dir is the pattern's */
	char *units;      /* folder of finished slices */
	bool each;        /* sync every slice */
	int64_t start, n;
} image_sink;

struct crn_image_out {
	int fd;
	const char *path;
	unsigned char *buf;
	size_t n;
	uint64_t total;
	bool patched; /* the hash of what was put is not the file's */
	crn_hasher hash;
};

/* ---- names ---- */

static bool ends_with(const char *text, const char *const *suffixes)
{
	size_t n = strlen(text);
	for (; *suffixes; suffixes++)
		if (n > strlen(*suffixes) &&
			strcasecmp(text + n - strlen(*suffixes), *suffixes) == 0)
			return true;
	return false;
}

bool crn_image_is_single(const char *url, const char *const *suffixes)
{
	return !crn_stack_is_pattern(url) && ends_with(url, suffixes);
}

bool crn_image_has_channels(const crn_type *t, bool single_file)
{
	if (t->ndim < 3)
		return false;
	const char *name = t->axes[t->ndim - 1].name;
	int64_t n = t->shape[t->ndim - 1];
	if (strcmp(name, "c") == 0 || strcmp(name, "s") == 0)
		return true;
	return !name[0] && n >= 2 && n <= 4 && t->ndim == (single_file ? 3 : 4);
}

void crn_image_journal_path(const char *url, crn_str *ret)
{
	const char *path = crn_file_path(url), *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	if (dot || crn_stack_is_pattern(url))
		crn_part_journal_path(url, ret);
	else
		crn_str_appendf(ret, "%s/.cairn", path);
}

static void unit_name(const image_sink *s, int64_t i, bool final, crn_str *out)
{
	crn_str_appendf(out, "%s/", final ? s->dir : s->units);
	if (s->single)
		crn_str_append(out, s->file);
	else
		crn_stack_name(&s->pattern, s->start + i, out);
}

/* ---- writing ---- */

static cairn_status flush(crn_image_out *o, cairn_error *err)
{
	CRN_SPAN_BLOCK(CRN_SPAN_WRITE, o->n);
	if (!crn_disk_write(o->fd, o->path, o->buf, o->n))
		return crn_fail_errno(err, CAIRN_FAILED, "cannot write", o->path);
	crn_hash_bytes(&o->hash, o->buf, o->n);
	o->total += o->n;
	o->n = 0;
	return CAIRN_OK;
}

cairn_status crn_image_put(crn_image_out *o, const void *bytes, size_t n, cairn_error *err)
{
	const unsigned char *p = bytes;
	while (n > 0) {
		size_t room = BUFFER_BYTES - o->n, take = n < room ? n : room;
		memcpy(o->buf + o->n, p, take);
		o->n += take;
		p += take;
		n -= take;
		if (o->n == BUFFER_BYTES)
			CRN_TRY(flush(o, err));
	}
	return CAIRN_OK;
}

cairn_status crn_image_patch(
	crn_image_out *o, uint64_t at, const void *bytes, size_t n, cairn_error *err)
{
	CRN_TRY(flush(o, err));
	o->patched = true;
	if (!crn_disk_write_at(o->fd, o->path, at, bytes, n))
		return crn_fail_errno(err, CAIRN_FAILED, "cannot write", o->path);
	return CAIRN_OK;
}

/* Checksum of a finished file. */
static cairn_status hash_file(const char *path, void *buf, uint64_t *ret, cairn_error *err)
{
	crn_file f = {0};
	CRN_TRY(crn_file_open(path, &f, err));
	crn_hasher h;
	crn_hasher_init(&h);
	cairn_status status = CAIRN_OK;
	size_t got = 1;
	for (uint64_t at = 0; status == CAIRN_OK && got > 0; at += got) {
		status = crn_file_read_some(&f, at, buf, BUFFER_BYTES, &got, err);
		crn_hash_bytes(&h, buf, got);
	}
	crn_file_close(&f);
	*ret = crn_hasher_result(&h).lo;
	return status;
}

/* The slice of a unit: the axes behind the slice axis. */
static crn_view slice_of(const image_sink *s, const crn_view *in)
{
	crn_view v = *in;
	if (s->single)
		return v;
	v.ndim--;
	for (int d = 0; d < v.ndim; d++) {
		v.shape[d] = in->shape[d + 1];
		v.stride[d] = in->stride[d + 1];
	}
	return v;
}

static cairn_status write_file(image_sink *s, const char *path, const crn_view *in, char *scratch,
	crn_unit_record *ret, cairn_error *err)
{
	CRN_STR temp = {0};
	crn_str_appendf(&temp, "%s.part", path);
	if (temp.oom)
		return crn_fail_memory(err, "a file name", strlen(path));
	crn_image_out out = {.path = path, .buf = (unsigned char *)scratch};
	crn_hasher_init(&out.hash);
	out.fd = crn_disk_open(temp.data, O_WRONLY | O_CREAT | O_TRUNC);
	if (out.fd < 0)
		return crn_fail_errno(err, CAIRN_FAILED, "cannot create", temp.data);
	crn_view slice = slice_of(s, in);
	cairn_status status =
		s->encoder.encode(s->encoder.data, &slice, &out, scratch + BUFFER_BYTES, err);
	if (status == CAIRN_OK)
		status = flush(&out, err);
	if (status == CAIRN_OK && s->each && !crn_disk_sync(out.fd, path))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing", path);
	if (!crn_disk_close(out.fd, path) && status == CAIRN_OK)
		status = crn_fail_errno(err, CAIRN_FAILED, "cannot write", path);
	uint64_t checksum = crn_hasher_result(&out.hash).lo;
	if (status == CAIRN_OK && out.patched)
		status = hash_file(temp.data, scratch, &checksum, err);
	if (status == CAIRN_OK && !crn_disk_rename(temp.data, path))
		status = crn_fail_errno(err, CAIRN_FAILED, "cannot rename", temp.data);
	if (status == CAIRN_OK && s->each && !crn_disk_sync_folder(path))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing the folder of", path);
	if (status != CAIRN_OK) {
		unlink(temp.data);
		return status;
	}
	*ret = (crn_unit_record){.checksum = checksum, .size_bytes = out.total};
	return CAIRN_OK;
}

static cairn_status write_unit(crn_sink *base, const int64_t *idx, const crn_view *in,
	void *scratch, crn_unit_record *ret, cairn_error *err)
{
	image_sink *s = (image_sink *)base;
	CRN_STR path = {0};
	unit_name(s, s->single ? 0 : idx[0], false, &path);
	if (path.oom)
		return crn_fail_memory(err, "a file name", 256);
	return write_file(s, path.data, in, scratch, ret, err);
}

/* Path of a finished slice: among the units, or under its final name. */
static bool find_unit(const image_sink *s, int64_t i, crn_str *path, struct stat *st)
{
	for (int final = 0; final < 2; final++) {
		crn_str_clear(path);
		unit_name(s, i, final, path);
		if (!path->oom && stat(path->data, st) == 0)
			return true;
	}
	return false;
}

static cairn_status check_unit(crn_sink *base, const int64_t *idx, const crn_unit_record *record,
	bool quick, void *scratch, bool *ret_same, cairn_error *err)
{
	image_sink *s = (image_sink *)base;
	CRN_STR path = {0};
	struct stat st;
	bool there = find_unit(s, s->single ? 0 : idx[0], &path, &st);
	if (path.oom)
		return crn_fail_memory(err, "a file name", 256);
	if (!there || record->all_fill || (uint64_t)st.st_size != record->size_bytes || quick) {
		*ret_same =
			there && !record->all_fill && (uint64_t)st.st_size == record->size_bytes;
		return CAIRN_OK;
	}
	uint64_t checksum = 0;
	CRN_TRY(hash_file(path.data, scratch, &checksum, err));
	*ret_same = checksum == record->checksum;
	return CAIRN_OK;
}

static void sink_unit_name(const crn_sink *base, const int64_t *idx, crn_str *ret)
{
	const image_sink *s = (const image_sink *)base;
	unit_name(s, s->single ? 0 : idx[0], true, ret);
}

/* Calls found(user, name) for files of the pattern that are no slices of this array. */
static void other_slices(
	const image_sink *s, void (*found)(void *user, const char *name), void *user)
{
	crn_stack_list l = {0};
	if (s->single || crn_stack_find(&s->pattern, &l, NULL) != CAIRN_OK)
		return;
	for (int64_t i = 0; i < l.n; i++)
		if (l.files[i].number < s->start || l.files[i].number >= s->start + s->n)
			found(user, crn_stack_file_name(&l, i));
	crn_stack_list_done(&l);
}

static cairn_status extras(crn_sink *base, const crn_extras_visit *v, cairn_error *err)
{
	(void)err;
	other_slices((image_sink *)base, v->visit, v->user);
	return CAIRN_OK;
}

static cairn_status finish(crn_sink *base, cairn_error *err)
{
	image_sink *s = (image_sink *)base;
	CRN_STR from = {0};
	CRN_STR to = {0};
	for (int64_t i = 0; i < s->n; i++) {
		crn_str_clear(&from);
		crn_str_clear(&to);
		unit_name(s, i, false, &from);
		unit_name(s, i, true, &to);
		if (from.oom || to.oom)
			return crn_fail_memory(err, "a file name", 256);
		if (crn_disk_rename(from.data, to.data))
			continue;
		if (errno != ENOENT || access(to.data, F_OK) != 0) /* else: renamed earlier */
			return crn_fail_errno(err, CAIRN_FAILED, "cannot create", to.data);
	}
	rmdir(s->units);
	return CAIRN_OK;
}

static void close_sink(crn_sink *base)
{
	image_sink *s = (image_sink *)base;
	crn_stack_pattern_done(&s->pattern);
	crn_free(s->encoder.data);
	crn_free(s->dir);
	crn_free(s->file);
	crn_free(s->units);
	crn_free(base->url);
	crn_free(s);
}

static const crn_sink_ops sink_ops = {.write_unit = write_unit,
	.check_unit = check_unit,
	.unit_name = sink_unit_name,
	.extras = extras,
	.finish = finish,
	.close = close_sink};

/* ---- creating ---- */

static cairn_status set_names(image_sink *s, const char *url, cairn_error *err)
{
	const char *path = crn_file_path(url), *slash = strrchr(path, '/');
	CRN_STR text = {0};
	if (s->single) {
		s->dir = slash ? crn_strndup(path, slash == path ? 1 : (size_t)(slash - path))
			       : crn_strdup(".");
		s->file = crn_strdup(slash ? slash + 1 : path);
	} else if (crn_stack_is_pattern(url)) {
		CRN_TRY(crn_stack_parse(url, false, &s->pattern, err));
		if (s->pattern.kind != CRN_STACK_PATTERN)
			return crn_fail(err, CAIRN_USAGE,
				"%s: a glob cannot be written; use a pattern such as img.%%05d%s",
				url, s->base.format->suffixes[0]);
		s->dir = crn_strdup(s->pattern.dir);
	} else {
		s->dir = crn_strdup(path);
		s->pattern = (crn_stack_pattern){.kind = CRN_STACK_PATTERN,
			.width = 5,
			.dir = crn_strdup(path),
			.prefix = crn_strdup(""),
			.suffix = crn_strdup(s->base.format->suffixes[0])};
	}
	crn_image_journal_path(url, &text);
	crn_str_append(&text, "/units");
	s->units = crn_str_take(&text);
	if (!s->dir || !s->units || (s->single && !s->file) ||
		(!s->single && (!s->pattern.prefix || !s->pattern.suffix)))
		return crn_fail_memory(err, "a file name", strlen(url));
	return CAIRN_OK;
}

cairn_status crn_image_plan(const crn_create_request *req, const crn_image_sink_spec *spec,
	int64_t *ret_unit, size_t *ret_scratch, cairn_error *err)
{
	const crn_type *t = &req->type;
	const char *suffix = spec->format->suffixes[0];
	bool single = crn_image_is_single(req->url, spec->format->suffixes);
	char text[256];
	if (t->ndim != spec->slice_ndim + !single) {
		crn_fail(err, CAIRN_USAGE, "%s: %s is not %s", req->url, crn_type_format(t, text),
			single ? "one image" : "one axis of images");
		if (single)
			crn_hint(err, "a stack needs a name such as img.%%05d%s", suffix);
		else
			crn_hint(err, "choose one index of the other axes, or write .zarr");
		return CAIRN_USAGE;
	}
	for (int d = 0; d < t->ndim; d++) {
		if (t->shape[d] < 1 || t->shape[d] > INT32_MAX)
			return crn_fail(err, CAIRN_USAGE, "%s: an image cannot have the shape %s",
				req->url, crn_type_format(t, text));
		ret_unit[d] = t->shape[d];
	}
	if (!single)
		ret_unit[0] = 1;
	*ret_scratch = BUFFER_BYTES + spec->encoder.scratch_bytes;
	return CAIRN_OK;
}

static void keep_first(void *user, const char *name)
{
	crn_str *first = user;
	if (first->len == 0)
		crn_str_append(first, name);
}

/* Other files of the pattern would be read as slices of this array. */
static cairn_status refuse_mixture(const image_sink *s, cairn_error *err)
{
	CRN_STR first = {0};
	other_slices(s, keep_first, &first);
	if (first.len == 0)
		return CAIRN_OK;
	crn_fail(err, CAIRN_EXISTS,
		"%s holds %s, which is not one of the %lld slices to be written", s->dir,
		first.data, (long long)s->n);
	crn_hint(err, "remove the old slices, or write to another folder");
	return CAIRN_EXISTS;
}

static cairn_status set_up(image_sink *s, const crn_create_request *req,
	const crn_image_sink_spec *spec, cairn_error *err)
{
	if (!(s->base.url = crn_strdup(req->url)))
		return crn_fail_memory(err, "a file name", strlen(req->url));
	CRN_TRY(crn_image_plan(req, spec, s->base.unit, &s->base.unit_scratch, err));
	s->n = s->single ? 1 : req->type.shape[0];
	CRN_TRY(set_names(s, req->url, err));
	if (req->verify)
		return CAIRN_OK;
	CRN_TRY(refuse_mixture(s, err));
	CRN_TRY(crn_make_folders(s->dir, err));
	return crn_make_folders(s->units, err);
}

cairn_status crn_image_sink_new(const crn_create_request *req, const crn_image_sink_spec *spec,
	crn_sink **ret, cairn_error *err)
{
	image_sink *s = crn_calloc(1, sizeof *s);
	if (!s) {
		crn_free(spec->encoder.data);
		return crn_fail_memory(err, "an output", sizeof *s);
	}
	s->base = (crn_sink){.ops = &sink_ops, .format = spec->format, .type = req->type};
	s->encoder = spec->encoder;
	s->start = spec->start;
	s->each = req->fsync == CRN_FSYNC_EACH;
	s->single = crn_image_is_single(req->url, spec->format->suffixes);
	cairn_status status = set_up(s, req, spec, err);
	if (status != CAIRN_OK) {
		close_sink(&s->base);
		return status;
	}
	*ret = &s->base;
	return CAIRN_OK;
}

/* ---- what is there ---- */

/* Files that a pattern matches; an empty list for urls that are none. */
static cairn_status list_matches(
	const char *url, crn_stack_pattern *p, crn_stack_list *l, cairn_error *err)
{
	if (!crn_stack_is_pattern(url))
		return CAIRN_OK;
	CRN_TRY(crn_stack_parse(url, false, p, err));
	struct stat st;
	return stat(p->dir, &st) == 0 ? crn_stack_find(p, l, err) : CAIRN_OK;
}

bool crn_image_exists(const char *url)
{
	crn_stack_pattern p = {0};
	crn_stack_list l = {0};
	struct stat st;
	bool there = list_matches(url, &p, &l, NULL) == CAIRN_OK && l.n > 0;
	crn_stack_list_done(&l);
	crn_stack_pattern_done(&p);
	return there || lstat(crn_file_path(url), &st) == 0;
}

cairn_status crn_image_remove(const char *url, cairn_error *err)
{
	if (!crn_stack_is_pattern(url))
		return crn_remove_tree(crn_file_path(url), err);
	crn_stack_pattern p = {0};
	crn_stack_list l = {0};
	cairn_status status = list_matches(url, &p, &l, err);
	for (int64_t i = 0; i < l.n && status == CAIRN_OK; i++) {
		CRN_STR path = {0};
		crn_str_appendf(&path, "%s/%s", p.dir, crn_stack_file_name(&l, i));
		if (path.oom)
			status = crn_fail_memory(err, "a file name", strlen(url));
		else if (unlink(path.data) != 0)
			status = crn_fail_errno(err, CAIRN_FAILED, "removing", path.data);
	}
	crn_stack_list_done(&l);
	crn_stack_pattern_done(&p);
	return status;
}

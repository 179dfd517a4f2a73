/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.c -- the journal file. See journal.h.
 *
 * Memory: one bit per unit of the output; lines are never kept.
 */
#include "exec/journal.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "journal"

struct crn_journal {
	crn_mutex lock;
	int fd; /* lock */
	char *path;
	_Atomic uint64_t
		*bits; /* set before the line is written by this run, after reading otherwise */
	int64_t n_units;
	_Atomic int64_t n_recorded;
};

static void path_of(const crn_format *f, const char *url, crn_str *ret)
{
	f->journal_path(url, ret);
	crn_str_append(ret, "/" FILE_NAME);
}

/* ---- lines ---- */

/* Parses "u 12 0123456789abcdef 345" or "f 12"; false for anything else (a torn line). */
static bool parse_line(const char *line, int64_t *ret_unit, crn_unit_record *ret)
{
	char *end;
	*ret = (crn_unit_record){0};
	if ((line[0] != 'u' && line[0] != 'f') || line[1] != ' ')
		return false;
	errno = 0;
	*ret_unit = strtoll(line + 2, &end, 10);
	if (end == line + 2 || errno || *ret_unit < 0)
		return false;
	if (line[0] == 'f') {
		ret->all_fill = true;
		return *end == '\n';
	}
	if (*end != ' ')
		return false;
	char *hex = end + 1;
	ret->checksum = strtoull(hex, &end, 16);
	if (end - hex != 16 || *end != ' ')
		return false;
	char *bytes = end + 1;
	ret->size_bytes = strtoull(bytes, &end, 10);
	return end != bytes && *end == '\n';
}

/* Next line with its newline (missing on a torn last one); false at the end. */
static bool read_line(FILE *file, crn_str *line)
{
	char part[512];
	crn_str_clear(line);
	while (fgets(part, sizeof(part), file)) {
		crn_str_append(line, part);
		if (line->oom || line->data[line->len - 1] == '\n')
			break;
	}
	return line->len > 0 && !line->oom;
}

cairn_status crn_journal_read(const char *path, crn_json **ret_head, bool *ret_done,
	cairn_status (*each)(
		void *user, int64_t unit, const crn_unit_record *record, cairn_error *err),
	void *user, cairn_error *err)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return crn_fail_errno(err, CAIRN_INPUT, "opening the journal", path);
	CRN_STR line = {0};
	crn_json *head = NULL;
	cairn_status status = read_line(file, &line)
				      ? crn_json_parse(line.data, line.len, CAIRN_INPUT, &head, err)
				      : crn_fail(err, CAIRN_INPUT, "empty journal %s", path);
	*ret_done = false;
	while (status == CAIRN_OK && read_line(file, &line)) {
		int64_t unit;
		crn_unit_record record;
		if (strcmp(line.data, "done\n") == 0)
			*ret_done = true;
		else if (parse_line(line.data, &unit, &record) && each)
			status = each(user, unit, &record, err);
	}
	fclose(file);
	if (status != CAIRN_OK) {
		crn_json_free(head);
		return status;
	}
	*ret_head = head;
	return CAIRN_OK;
}

/* ---- what is there ---- */

/* A head without its newline: the disk was full, or a kill came, before anything was stored. */
static bool head_is_torn(const char *path)
{
	FILE *file = fopen(path, "re");
	CRN_STR line = {0};
	bool torn = file && (!read_line(file, &line) || line.data[line.len - 1] != '\n');
	if (file)
		fclose(file);
	return torn && !line.oom;
}

/* A folder with nothing but the journal's folder in it. */
static bool holds_only_journal(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	bool only = d != NULL;
	while (d && (entry = readdir(d)) != NULL)
		only = only &&
		       (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			       strcmp(entry->d_name, ".cairn") == 0);
	if (d)
		closedir(d);
	return only;
}

cairn_status crn_journal_inspect(const crn_format *f, const char *url, crn_hash plan,
	crn_output_state *ret, cairn_error *err)
{
	CRN_STR path = {0};
	struct stat st;
	path_of(f, url, &path);
	if (path.oom)
		return crn_fail_memory(err, "a path", 1);
	bool has_journal = access(path.data, F_OK) == 0;
	bool has_output = f->exists ? f->exists(url) : lstat(url, &st) == 0;
	if (!has_journal) {
		/* A kill may have come between making the journal's folder and its first line. */
		bool foreign = has_output && !holds_only_journal(url);
		*ret = foreign ? CRN_OUTPUT_FOREIGN : CRN_OUTPUT_ABSENT;
		return CAIRN_OK;
	}
	crn_json *head = NULL;
	bool done = false;
	if (crn_journal_read(path.data, &head, &done, NULL, NULL, NULL) != CAIRN_OK) {
		/* Unreadable: never continued. */
		bool fresh = head_is_torn(path.data) && (!has_output || holds_only_journal(url));
		*ret = fresh ? CRN_OUTPUT_ABSENT : CRN_OUTPUT_OTHER;
		return CAIRN_OK;
	}
	char hex[33];
	const crn_json *hash = crn_json_get(head, "plan");
	bool same = hash && hash->kind == CRN_JSON_STRING &&
		    strcmp(hash->text, crn_hash_hex(plan, hex)) == 0;
	crn_json_free(head);
	/* A journal whose output was deleted by hand: start afresh. */
	*ret = done && !has_output ? CRN_OUTPUT_ABSENT
	       : !same             ? CRN_OUTPUT_OTHER
	       : done              ? CRN_OUTPUT_COMPLETE
				   : CRN_OUTPUT_PARTIAL;
	return CAIRN_OK;
}

cairn_status crn_output_remove(const crn_format *f, const char *url, cairn_error *err)
{
	CRN_STR folder = {0};
	f->journal_path(url, &folder);
	if (folder.oom)
		return crn_fail_memory(err, "a path", 1);
	/* The journal goes last: a kill in between leaves an incomplete output, never a false one.
	 */
	CRN_TRY(f->remove ? f->remove(url, err) : crn_remove_tree(url, err));
	return crn_remove_tree(folder.data, err);
}

/* ---- writing ---- */

static void print_ints(crn_str *out, const char *name, const int64_t *v, int n)
{
	crn_str_appendf(out, ", \"%s\": [", name);
	for (int d = 0; d < n; d++)
		crn_str_appendf(out, "%s%lld", d ? ", " : "", (long long)v[d]);
	crn_str_append(out, "]");
}

/* Options of the format as pipeline literals: {"compressor": "\"zstd\"", "level": "3"}. */
static void print_options(crn_str *out, const crn_journal_head *head)
{
	bool first = true;
	crn_str_append(out, ", \"options\": {");
	for (int i = 0; head->option_params && head->option_params[i].type != CRN_P_END; i++) {
		CRN_STR text = {0};
		if (head->options[i].kind == CRN_V_NONE)
			continue;
		crn_value_print(&head->options[i], &text);
		crn_str_append(out, first ? "" : ", ");
		first = false;
		crn_json_quote(out, head->option_params[i].name);
		crn_str_append(out, ": ");
		crn_json_quote(out, text.data ? text.data : "");
	}
	crn_str_append(out, "}");
}

static cairn_status write_all(crn_journal *j, const char *text, size_t n, cairn_error *err)
{
	while (n > 0) {
		ssize_t k = write(j->fd, text, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return crn_fail_errno(err, CAIRN_FAILED, "writing the journal", j->path);
		text += k;
		n -= (size_t)k;
	}
	return CAIRN_OK;
}

static cairn_status write_head(crn_journal *j, const crn_journal_head *head, cairn_error *err)
{
	CRN_STR out = {0};
	char hex[33];
	crn_str_appendf(&out, "{\"cairn_journal\": 1, \"plan\": \"%s\", \"url\": ",
		crn_hash_hex(head->plan, hex));
	crn_json_quote(&out, head->url);
	crn_str_appendf(&out, ", \"format\": \"%s\", \"dtype\": \"%s\"", head->format,
		crn_dtype_name(head->type->dtype));
	print_ints(&out, "shape", head->type->shape, head->type->ndim);
	print_ints(&out, "unit", head->unit, head->type->ndim);
	print_options(&out, head);
	crn_str_append(&out, ", \"pipeline\": ");
	crn_json_quote(&out, head->description ? head->description : "");
	crn_str_append(&out, "}\n");
	if (out.oom)
		return crn_fail_memory(err, "the journal", out.len);
	return write_all(j, out.data, out.len, err);
}

static void set_bit(crn_journal *j, int64_t unit)
{
	uint64_t bit = (uint64_t)1 << (unit & 63);
	if (!(__atomic_fetch_or((uint64_t *)&j->bits[unit >> 6], bit, __ATOMIC_ACQ_REL) & bit))
		__atomic_fetch_add((int64_t *)&j->n_recorded, 1, __ATOMIC_RELAXED);
}

static cairn_status recall(
	void *user, int64_t unit, const crn_unit_record *record, cairn_error *err)
{
	crn_journal *j = user;
	(void)record;
	(void)err;
	if (unit < j->n_units)
		set_bit(j, unit);
	return CAIRN_OK;
}

/* A line torn by a kill is closed, so that the next one starts on its own line. */
static cairn_status close_torn_line(crn_journal *j, cairn_error *err)
{
	char last = '\n';
	off_t end = lseek(j->fd, 0, SEEK_END);
	if (end > 0 && pread(j->fd, &last, 1, end - 1) == 1 && last != '\n')
		return write_all(j, "\n", 1, err);
	return CAIRN_OK;
}

static cairn_status open_file(
	crn_journal *j, const crn_journal_head *head, bool resume, cairn_error *err)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND | (resume ? 0 : O_TRUNC);
	j->fd = open(j->path, flags, 0666);
	if (j->fd < 0)
		return crn_fail_errno(err, CAIRN_FAILED, "opening the journal", j->path);
	if (!resume)
		return write_head(j, head, err);
	crn_json *old = NULL;
	bool done;
	CRN_TRY(crn_journal_read(j->path, &old, &done, recall, j, err));
	crn_json_free(old);
	return close_torn_line(j, err);
}

cairn_status crn_journal_open(const crn_format *f, const crn_journal_head *head, bool resume,
	crn_journal **ret, cairn_error *err)
{
	CRN_STR folder = {0};
	f->journal_path(head->url, &folder);
	if (folder.oom)
		return crn_fail_memory(err, "a path", 1);
	CRN_TRY(crn_make_folders(folder.data, err));
	crn_str_append(&folder, "/" FILE_NAME);
	int64_t n_units = 1;
	for (int d = 0; d < head->type->ndim; d++)
		n_units *= crn_n_units(head->type->shape[d], head->unit[d]);
	crn_journal *j = crn_calloc(1, sizeof(*j));
	if (!j)
		return crn_fail_memory(err, "the journal", sizeof(*j));
	crn_mutex_init(&j->lock, CRN_RANK_JOURNAL);
	j->fd = -1;
	j->n_units = n_units;
	j->bits = crn_calloc((size_t)(n_units / 64 + 1), sizeof(uint64_t));
	j->path = crn_str_take(&folder);
	cairn_status status = j->bits && j->path
				      ? open_file(j, head, resume, err)
				      : crn_fail_memory(err, "the journal", (size_t)n_units / 8);
	if (status != CAIRN_OK) {
		crn_journal_close(j);
		return status;
	}
	*ret = j;
	return CAIRN_OK;
}

typedef struct recheck {
	crn_journal *journal;
	bool (*same)(void *user, int64_t unit, const crn_unit_record *record);
	void *user;
} recheck;

static cairn_status recheck_unit(
	void *user, int64_t unit, const crn_unit_record *record, cairn_error *err)
{
	recheck *r = user;
	crn_journal *j = r->journal;
	(void)err;
	/* A unit written twice has two records; the last one decides. */
	if (unit >= j->n_units)
		return CAIRN_OK;
	if (r->same(r->user, unit, record)) {
		set_bit(j, unit);
	} else if (crn_journal_has(j, unit)) {
		__atomic_fetch_and((uint64_t *)&j->bits[unit >> 6], ~((uint64_t)1 << (unit & 63)),
			__ATOMIC_ACQ_REL);
		__atomic_fetch_sub((int64_t *)&j->n_recorded, 1, __ATOMIC_RELAXED);
	}
	return CAIRN_OK;
}

cairn_status crn_journal_recheck(crn_journal *j,
	bool (*same)(void *user, int64_t unit, const crn_unit_record *record), void *user,
	cairn_error *err)
{
	recheck r = {.journal = j, .same = same, .user = user};
	crn_json *head = NULL;
	bool done;
	CRN_TRY(crn_journal_read(j->path, &head, &done, recheck_unit, &r, err));
	crn_json_free(head);
	return CAIRN_OK;
}

bool crn_journal_has(const crn_journal *j, int64_t unit)
{
	uint64_t word = __atomic_load_n((uint64_t *)&j->bits[unit >> 6], __ATOMIC_ACQUIRE);
	return word >> (unit & 63) & 1;
}

cairn_status crn_journal_add(
	crn_journal *j, int64_t unit, const crn_unit_record *record, cairn_error *err)
{
	char line[96];
	int n = record->all_fill
			? snprintf(line, sizeof(line), "f %" PRId64 "\n", unit)
			: snprintf(line, sizeof(line), "u %" PRId64 " %016" PRIx64 " %" PRIu64 "\n",
				  unit, record->checksum, record->size_bytes);
	crn_mutex_lock(&j->lock);
	cairn_status status = write_all(j, line, (size_t)n, err);
	crn_mutex_unlock(&j->lock);
	if (status == CAIRN_OK)
		set_bit(j, unit);
	return status;
}

cairn_status crn_journal_done(crn_journal *j, cairn_error *err)
{
	crn_mutex_lock(&j->lock);
	cairn_status status = write_all(j, "done\n", 5, err);
	crn_mutex_unlock(&j->lock);
	return status;
}

int64_t crn_journal_count(const crn_journal *j)
{
	return __atomic_load_n((int64_t *)&j->n_recorded, __ATOMIC_RELAXED);
}

void crn_journal_close(crn_journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	crn_mutex_done(&j->lock);
	crn_free((void *)j->bits);
	crn_free(j->path);
	crn_free(j);
}

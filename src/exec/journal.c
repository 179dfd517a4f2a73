/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.c -- the journal file. See journal.h.
 *
 * Memory: one bit per unit of the output; lines are never kept.
 */
#include "exec/journal.h"

#include "base/disk.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/thread.h"
#include "exec/path_clash.h"

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
/* Under fsync policy `batch`, at most this much may be lost to a power cut. */
#define BATCH_NS ((int64_t)5000000000)
#define BATCH_BYTES ((uint64_t)1 << 30)

struct crn_journal {
	crn_mutex lock;
	int fd;       /* lock */
	uint64_t end; /* lock: bytes of whole lines */
	crn_fsync fsync;
	int64_t synced_at_ns; /* lock */
	uint64_t unsynced;    /* lock: bytes of objects since then */
	bool syncing;         /* lock: a worker is about it */
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

bool crn_boot_id(char ret[CRN_BOOT_ID_BYTES])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool known = f && fscanf(f, "%39s", ret) == 1;
	if (!known)
		snprintf(ret, CRN_BOOT_ID_BYTES, "-");
	if (f)
		fclose(f);
	return known;
}

/* Lines that end at or before this offset are named by an "s" line. */
static uint64_t last_sync(FILE *file)
{
	CRN_STR line = {0};
	uint64_t last = 0;
	while (read_line(file, &line)) {
		char *end;
		unsigned long long n =
			strncmp(line.data, "s ", 2) == 0 ? strtoull(line.data + 2, &end, 10) : 0;
		if (n > last && *end == '\n')
			last = n;
	}
	rewind(file);
	return last;
}

/* Does a "b" line promise that the lines after it are sure? */
static bool promises(const char *line)
{
	char here[CRN_BOOT_ID_BYTES], there[CRN_BOOT_ID_BYTES] = "", policy[16] = "";
	bool known = crn_boot_id(here);
	if (sscanf(line, "b %39s %15s", there, policy) != 2)
		return false;
	return strcmp(policy, "each") == 0 || (known && strcmp(here, there) == 0);
}

cairn_status crn_journal_read(const char *path, crn_json **ret_head, crn_doneness *ret_done,
	cairn_status (*each)(void *user, int64_t unit, const crn_unit_record *record, bool sure,
		cairn_error *err),
	void *user, cairn_error *err)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return crn_fail_errno(err, CAIRN_INPUT, "opening the journal", path);
	CRN_STR line = {0};
	crn_json *head = NULL;
	uint64_t synced = last_sync(file);
	bool promised = true; /* until a "b" line says otherwise */
	cairn_status status = read_line(file, &line)
				      ? crn_json_parse(line.data, line.len, CAIRN_INPUT, &head, err)
				      : crn_fail(err, CAIRN_INPUT, "empty journal %s", path);
	*ret_done = CRN_UNDONE;
	while (status == CAIRN_OK && read_line(file, &line)) {
		int64_t unit;
		crn_unit_record record;
		bool sure = promised || (uint64_t)ftello(file) <= synced;
		if (strncmp(line.data, "b ", 2) == 0)
			promised = promises(line.data);
		else if (strcmp(line.data, "done\n") == 0)
			*ret_done = sure ? CRN_DONE : CRN_DONE_UNSURE;
		else if (parse_line(line.data, &unit, &record) && each)
			status = each(user, unit, &record, sure, err);
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
	crn_doneness done = CRN_UNDONE;
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
	       : done == CRN_DONE  ? CRN_OUTPUT_COMPLETE
				   : CRN_OUTPUT_PARTIAL; /* unsure: every unit is looked at */
	return CAIRN_OK;
}

/* "<dir>/.<name>.cairn-old": what is being deleted. */
static cairn_status aside_path(const char *url, crn_str *ret, cairn_error *err)
{
	const char *path = crn_url_path(url);
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	size_t name = n;
	while (name > 0 && path[name - 1] != '/')
		name--;
	crn_str_append_n(ret, path, name);
	crn_str_append(ret, ".");
	crn_str_append_n(ret, path + name, n - name);
	crn_str_append(ret, ".cairn-old");
	return ret->oom ? crn_fail_memory(err, "a path", n) : CAIRN_OK;
}

cairn_status crn_output_reap(const char *url, cairn_error *err)
{
	CRN_STR aside = {0};
	CRN_TRY(aside_path(url, &aside, err));
	return crn_remove_tree(aside.data, err);
}

cairn_status crn_output_remove(const crn_format *f, const char *url, cairn_error *err)
{
	CRN_STR folder = {0};
	CRN_STR aside = {0};
	CRN_STR journal = {0};
	f->journal_path(url, &folder);
	path_of(f, url, &journal);
	if (folder.oom || journal.oom)
		return crn_fail_memory(err, "a path", 1);
	CRN_TRY(aside_path(url, &aside, err));
	/* Half a folder could pass for a whole array, so it loses its name in one step. */
	if (crn_disk_rename(crn_url_path(url), aside.data)) {
		CRN_TRY(crn_remove_tree(aside.data, err));
	} else {
		unlink(journal.data); /* first, or half of the slices would still be called done */
		CRN_TRY(f->remove ? f->remove(url, err) : crn_remove_tree(url, err));
	}
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

/* Appends whole lines; after a failure nothing of them stays. Lock held, or not shared yet. */
static cairn_status append(crn_journal *j, const char *text, size_t n, cairn_error *err)
{
	if (crn_disk_write(j->fd, j->path, text, n)) {
		j->end += n;
		return CAIRN_OK;
	}
	int why = errno;
	if (ftruncate(j->fd, (off_t)j->end) != 0) {
		/* The torn line stays; readers skip it, and so they must what would follow on it.
		 */
		(void)!write(j->fd, "?\n", 2);
	}
	errno = why;
	cairn_status status = crn_fail_errno(err, CAIRN_FAILED, "writing the journal", j->path);
	if (why == ENOSPC || why == EDQUOT)
		crn_hint(err, "free some space, then run the same command with --on-exists resume");
	return status;
}

static cairn_status begin_run(crn_journal *j, cairn_error *err)
{
	static const char *const policies[] = {"none", "batch", "each"};
	char id[CRN_BOOT_ID_BYTES], line[80];
	crn_boot_id(id);
	int n = snprintf(line, sizeof(line), "b %s %s\n", id, policies[j->fsync]);
	CRN_TRY(append(j, line, (size_t)n, err));
	j->synced_at_ns = crn_now_ns();
	/* The names of folders and journal are on disk before the first unit. */
	if (j->fsync == CRN_FSYNC_EACH && !crn_disk_sync_all(j->path))
		return crn_fail_errno(err, CAIRN_FAILED, "syncing", j->path);
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
	return append(j, out.data, out.len, err);
}

static void set_bit(crn_journal *j, int64_t unit)
{
	uint64_t bit = (uint64_t)1 << (unit & 63);
	if (!(__atomic_fetch_or((uint64_t *)&j->bits[unit >> 6], bit, __ATOMIC_ACQ_REL) & bit))
		__atomic_fetch_add((int64_t *)&j->n_recorded, 1, __ATOMIC_RELAXED);
}

static cairn_status recall(
	void *user, int64_t unit, const crn_unit_record *record, bool sure, cairn_error *err)
{
	crn_journal *j = user;
	(void)record;
	(void)sure;
	(void)err;
	if (unit < j->n_units)
		set_bit(j, unit);
	return CAIRN_OK;
}

/* A line torn by a kill is cut off: closing it could make another line of it. */
static cairn_status cut_torn_line(crn_journal *j, cairn_error *err)
{
	char last = '\n';
	off_t end = lseek(j->fd, 0, SEEK_END);
	while (end > 0 && (pread(j->fd, &last, 1, end - 1) != 1 || last != '\n'))
		end--;
	j->end = (uint64_t)end;
	return ftruncate(j->fd, end) == 0
		       ? CAIRN_OK
		       : crn_fail_errno(err, CAIRN_FAILED, "writing the journal", j->path);
}

static cairn_status open_file(
	crn_journal *j, const crn_journal_head *head, bool resume, cairn_error *err)
{
	j->fd = crn_disk_open(j->path, O_RDWR | O_CREAT | O_APPEND | (resume ? 0 : O_TRUNC));
	if (j->fd < 0)
		return crn_fail_errno(err, CAIRN_FAILED, "opening the journal", j->path);
	j->fsync = head->fsync;
	if (!resume) {
		CRN_TRY(write_head(j, head, err));
		return begin_run(j, err);
	}
	crn_json *old = NULL;
	crn_doneness done;
	CRN_TRY(cut_torn_line(j, err));
	CRN_TRY(crn_journal_read(j->path, &old, &done, recall, j, err));
	crn_json_free(old);
	return begin_run(j, err);
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
	bool (*same)(void *user, int64_t unit, const crn_unit_record *record, bool sure);
	void *user;
} recheck;

static cairn_status recheck_unit(
	void *user, int64_t unit, const crn_unit_record *record, bool sure, cairn_error *err)
{
	recheck *r = user;
	crn_journal *j = r->journal;
	(void)err;
	/* A unit written twice has two records; the last one decides. */
	if (unit >= j->n_units)
		return CAIRN_OK;
	if (r->same(r->user, unit, record, sure)) {
		set_bit(j, unit);
	} else if (crn_journal_has(j, unit)) {
		__atomic_fetch_and((uint64_t *)&j->bits[unit >> 6], ~((uint64_t)1 << (unit & 63)),
			__ATOMIC_ACQ_REL);
		__atomic_fetch_sub((int64_t *)&j->n_recorded, 1, __ATOMIC_RELAXED);
	}
	return CAIRN_OK;
}

cairn_status crn_journal_recheck(crn_journal *j,
	bool (*same)(void *user, int64_t unit, const crn_unit_record *record, bool sure),
	void *user, cairn_error *err)
{
	recheck r = {.journal = j, .same = same, .user = user};
	crn_json *head = NULL;
	crn_doneness done;
	CRN_TRY(crn_journal_read(j->path, &head, &done, recheck_unit, &r, err));
	crn_json_free(head);
	return CAIRN_OK;
}

bool crn_journal_has(const crn_journal *j, int64_t unit)
{
	uint64_t word = __atomic_load_n((uint64_t *)&j->bits[unit >> 6], __ATOMIC_ACQUIRE);
	return word >> (unit & 63) & 1;
}

/* Everything the lines so far name goes to the disk; then an "s" line says so. Objects and journal
 * lie in one file system: single files and slices are renamed out of the journal's folder. */
static cairn_status sync_all(crn_journal *j, cairn_error *err)
{
	char line[40];
	crn_mutex_lock(&j->lock);
	uint64_t end = j->end;
	j->unsynced = 0;
	crn_mutex_unlock(&j->lock);
	if (!crn_disk_sync_all(j->path))
		return crn_fail_errno(
			err, CAIRN_FAILED, "syncing the file system that holds", j->path);
	int n = snprintf(line, sizeof(line), "s %llu\n", (unsigned long long)end);
	crn_mutex_lock(&j->lock);
	cairn_status status = append(j, line, (size_t)n, err);
	j->synced_at_ns = crn_now_ns();
	crn_mutex_unlock(&j->lock);
	return status;
}

static cairn_status sync_if_due(crn_journal *j, cairn_error *err)
{
	if (j->fsync != CRN_FSYNC_BATCH)
		return CAIRN_OK;
	crn_mutex_lock(&j->lock);
	bool due = !j->syncing &&
		   (j->unsynced > BATCH_BYTES || crn_now_ns() - j->synced_at_ns > BATCH_NS);
	j->syncing = j->syncing || due;
	crn_mutex_unlock(&j->lock);
	if (!due)
		return CAIRN_OK;
	cairn_status status = sync_all(j, err);
	crn_mutex_lock(&j->lock);
	j->syncing = false;
	crn_mutex_unlock(&j->lock);
	return status;
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
	cairn_status status = append(j, line, (size_t)n, err);
	j->unsynced += record->size_bytes;
	crn_mutex_unlock(&j->lock);
	if (status == CAIRN_OK && j->fsync == CRN_FSYNC_EACH && !crn_disk_sync(j->fd, j->path))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing the journal", j->path);
	if (status == CAIRN_OK)
		set_bit(j, unit);
	return status == CAIRN_OK ? sync_if_due(j, err) : status;
}

cairn_status crn_journal_settle(crn_journal *j, cairn_error *err)
{
	return j->fsync == CRN_FSYNC_NONE ? CAIRN_OK : sync_all(j, err);
}

cairn_status crn_journal_done(crn_journal *j, cairn_error *err)
{
	CRN_TRY(crn_journal_settle(j, err));
	crn_mutex_lock(&j->lock);
	cairn_status status = append(j, "done\n", 5, err);
	if (status == CAIRN_OK && j->fsync != CRN_FSYNC_NONE) {
		char line[40];
		int n = snprintf(line, sizeof(line), "s %llu\n", (unsigned long long)j->end);
		status = append(j, line, (size_t)n, err);
	}
	crn_mutex_unlock(&j->lock);
	if (status == CAIRN_OK && j->fsync != CRN_FSYNC_NONE && !crn_disk_sync(j->fd, j->path))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing the journal", j->path);
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

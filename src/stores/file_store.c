/* SPDX-License-Identifier: Apache-2.0
 *
 * file_store.c -- keys as files below a folder.
 *
 * put writes ".crn-<host>-<pid>-<number>" beside the target and renames it over the target, so a
 * reader never sees half an object. Folders appear with the first object in them. A temporary is
 * locked (flock) from its first moment until it has its name.
 *
 * Threads: any; the only state is the root path and an atomic number for temporary names.
 * Failure: a full disk or a lost permission fails the put, removes the temporary, and leaves what
 * was there. A killed process leaves its temporary unlocked; reap removes what it can lock, so
 * never a living writer's. Where the file system has no locks, a day must have gone by.
 */
#include "core/store.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/thread.h"
#include "stores/name_list.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REAP_AFTER_S = 24 * 3600 };

typedef struct file_store {
	crn_store base;
	uint32_t host; /* hash of the host name, part of temporary names */
	_Atomic uint64_t n_temporaries;
} file_store;

static char *full_path(const crn_store *s, const char *key)
{
	CRN_STR path = {0};
	assert(*key == '\0' || crn_key_valid(key));
	crn_str_appendf(&path, *key ? "%s/%s" : "%s", s->root, key);
	return crn_str_take(&path);
}

/* ---- reading ---- */

/* Opens a regular file. *ret_fd stays -1 if there is none of this name. */
static cairn_status open_file(const char *path, int *ret_fd, uint64_t *ret_size, cairn_error *err)
{
	struct stat st;
	*ret_fd = -1;
	/* O_NONBLOCK: a FIFO in the way must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return CAIRN_OK;
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_INPUT, "opening", path);
	if (fstat(fd, &st) != 0) {
		cairn_status status = crn_fail_errno(err, CAIRN_INPUT, "looking at", path);
		close(fd);
		return status;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return S_ISDIR(st.st_mode)
			       ? CAIRN_OK
			       : crn_fail(err, CAIRN_INPUT, "%s is not a regular file", path);
	}
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = fd;
	return CAIRN_OK;
}

static cairn_status read_fully(
	int fd, uint64_t offset, void *out, size_t n, const char *path, cairn_error *err)
{
	CRN_SPAN_BLOCK(CRN_SPAN_READ, n);
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(fd, (char *)out + done, n - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return crn_fail_errno(err, CAIRN_INPUT, "reading", path);
		if (got == 0)
			return crn_fail(
				err, CAIRN_INPUT, "%s became shorter while it was read", path);
		done += (size_t)got;
	}
	return CAIRN_OK;
}

/* Offset and length of a range in an object of `size` bytes. */
static cairn_status locate(
	const crn_range *range, uint64_t size, size_t cap, uint64_t *ret_offset, size_t *ret_n)
{
	if (range->kind == CRN_RANGE_ALL) {
		*ret_offset = 0;
		*ret_n = (size_t)size;
		return size <= cap ? CAIRN_OK : CAIRN_INPUT;
	}
	*ret_n = range->n;
	*ret_offset = range->kind == CRN_RANGE_FROM ? range->offset : size - range->n;
	return range->n <= size && *ret_offset <= size - range->n && range->n <= cap ? CAIRN_OK
										     : CAIRN_INPUT;
}

static cairn_status get(crn_store *s, const char *key, const crn_range *range, void *out,
	size_t cap, size_t *ret_n, bool *ret_found, cairn_error *err)
{
	CRN_FREE char *path = full_path(s, key);
	if (!path)
		return crn_fail_memory(err, key, strlen(key));
	int fd;
	uint64_t size = 0, offset;
	size_t n;
	CRN_TRY(open_file(path, &fd, &size, err));
	*ret_found = fd >= 0;
	if (fd < 0)
		return CAIRN_OK;
	cairn_status status = locate(range, size, cap, &offset, &n);
	if (status != CAIRN_OK)
		crn_fail(err, CAIRN_INPUT, "%s has %llu bytes, %s %zu", path,
			(unsigned long long)size,
			range->kind == CRN_RANGE_ALL ? "at most expected:" : "which is too few for",
			range->kind == CRN_RANGE_ALL ? cap : range->n);
	else
		status = read_fully(fd, offset, out, n, path, err);
	close(fd);
	if (status == CAIRN_OK)
		*ret_n = n;
	return status;
}

static cairn_status stat_key(
	crn_store *s, const char *key, crn_stat *ret, bool *ret_found, cairn_error *err)
{
	CRN_FREE char *path = full_path(s, key);
	struct stat st;
	if (!path)
		return crn_fail_memory(err, key, strlen(key));
	int failed = stat(path, &st);
	if (failed && errno != ENOENT && errno != ENOTDIR)
		return crn_fail_errno(err, CAIRN_INPUT, "looking at", path);
	*ret_found = !failed && S_ISREG(st.st_mode);
	if (*ret_found) {
		ret->size_bytes = (uint64_t)st.st_size;
		ret->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	}
	return CAIRN_OK;
}

static cairn_status list(
	crn_store *s, const char *prefix, crn_list_fn visit, void *user, cairn_error *err)
{
	CRN_FREE char *path = full_path(s, prefix);
	if (!path)
		return crn_fail_memory(err, prefix, strlen(prefix));
	DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT || errno == ENOTDIR
			       ? CAIRN_OK
			       : crn_fail_errno(err, CAIRN_INPUT, "listing", path);
	CRN_CLEANUP(crn_name_list_done) crn_name_list names = {0};
	cairn_status status = CAIRN_OK;
	struct dirent *entry;
	while (status == CAIRN_OK && (entry = readdir(d)) != NULL) {
		struct stat st;
		if (!crn_key_valid(entry->d_name))
			continue;
		bool is_dir = entry->d_type == DT_DIR;
		if ((entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) &&
			fstatat(dirfd(d), entry->d_name, &st, 0) == 0)
			is_dir = S_ISDIR(st.st_mode);
		status = crn_name_list_add(
			&names, entry->d_name, strlen(entry->d_name), is_dir, err);
	}
	closedir(d);
	if (status == CAIRN_OK)
		crn_name_list_visit(&names, visit, user);
	return status;
}

/* ---- writing ---- */

/* Makes every folder above the last part of `path`. */
static cairn_status make_parents(char *path, cairn_error *err)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!crn_disk_make_folder(path)) {
			cairn_status status =
				crn_fail_errno(err, CAIRN_FAILED, "making the folder", path);
			*slash = '/';
			return status;
		}
		*slash = '/';
	}
	return CAIRN_OK;
}

/* Locks a fresh temporary. False if a reaper took it in the moment before. */
static bool is_locked(int fd)
{
	struct stat st;
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return true; /* no locks here: reap goes by age */
	return fstat(fd, &st) != 0 || st.st_nlink > 0;
}

/* Creates a fresh temporary beside `path`; its name into *temporary; *ret_made: folders too. */
static cairn_status open_temporary(file_store *s, char *path, crn_str *temporary, int *ret_fd,
	bool *ret_made, cairn_error *err)
{
	int folder = (int)(strrchr(path, '/') - path);
	bool made = *ret_made = false;
	for (int tries = 0; tries < 1000;) {
		crn_str_clear(temporary);
		crn_str_appendf(temporary, "%.*s/.crn-%08x-%ld-%llu", folder, path, s->host,
			(long)getpid(), (unsigned long long)atomic_fetch_add(&s->n_temporaries, 1));
		if (temporary->oom)
			return crn_fail_memory(err, "a path", strlen(path));
		*ret_fd = crn_disk_open(temporary->data, O_WRONLY | O_CREAT | O_EXCL);
		if (*ret_fd >= 0 && is_locked(*ret_fd))
			return CAIRN_OK;
		if (*ret_fd >= 0) {
			close(*ret_fd);
		} else if (errno == ENOENT && !made) {
			CRN_TRY(make_parents(path, err));
			made = *ret_made = true;
		} else if (errno != EEXIST) {
			break;
		}
		tries++;
	}
	return crn_fail_errno(err, CAIRN_FAILED, "creating", temporary->data);
}

static cairn_status put(
	crn_store *base, const char *key, const void *bytes, size_t n, cairn_error *err)
{
	file_store *s = (file_store *)base;
	CRN_SPAN_BLOCK(CRN_SPAN_WRITE, n);
	CRN_FREE char *path = full_path(base, key);
	CRN_STR temporary = {0};
	int fd = -1;
	bool made, each = base->fsync == CRN_FSYNC_EACH;
	if (!path)
		return crn_fail_memory(err, key, strlen(key));
	CRN_TRY(open_temporary(s, path, &temporary, &fd, &made, err));
	/* A second descriptor keeps the lock: close() must come before the rename, since it reports
	 * a full disk on network file systems. */
	int lock = dup(fd);
	bool ok = crn_disk_write(fd, path, bytes, n) && (!each || crn_disk_sync(fd, path));
	int why = errno;
	if (!crn_disk_close(fd, path) && ok) {
		ok = false;
		why = errno;
	}
	if (ok && !crn_disk_rename(temporary.data, path)) {
		ok = false;
		why = errno;
	}
	if (!ok)
		unlink(temporary.data);
	if (lock >= 0)
		close(lock);
	/* With new folders, their names too. */
	if (ok && each && !(made ? crn_disk_sync_all(path) : crn_disk_sync_folder(path))) {
		ok = false;
		why = errno;
	}
	if (ok)
		return CAIRN_OK;
	errno = why;
	cairn_status status = crn_fail_errno(err, CAIRN_FAILED, "writing", path);
	if (why == ENOSPC || why == EDQUOT)
		crn_hint(err, "free some space, then run the same command with --on-exists resume");
	return status;
}

static cairn_status remove_key(crn_store *s, const char *key, cairn_error *err)
{
	CRN_FREE char *path = full_path(s, key);
	if (!path)
		return crn_fail_memory(err, key, strlen(key));
	if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR)
		return CAIRN_OK;
	return crn_fail_errno(err, CAIRN_FAILED, "removing", path);
}

/* Removes a temporary that no living writer holds. */
static void reap_one(const char *path, const struct stat *st)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 ||
		(errno != EWOULDBLOCK && time(NULL) - st->st_mtime > REAP_AFTER_S))
		unlink(path);
	close(fd);
}

static cairn_status reap(crn_store *base, const char *prefix, bool deep, cairn_error *err)
{
	CRN_FREE char *path = full_path(base, prefix);
	if (!path)
		return crn_fail_memory(err, prefix, strlen(prefix));
	char *const roots[] = {path, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return crn_fail_errno(err, CAIRN_FAILED, "listing", path);
	FTSENT *entry;
	while ((entry = fts_read(walk)) != NULL) {
		if (!deep && entry->fts_level > 0 && entry->fts_info == FTS_D)
			fts_set(walk, entry, FTS_SKIP);
		if (entry->fts_info == FTS_F && strncmp(entry->fts_name, ".crn-", 5) == 0)
			reap_one(entry->fts_accpath, entry->fts_statp);
	}
	fts_close(walk);
	return CAIRN_OK;
}

/* ---- the store ---- */

static void close_store(crn_store *s)
{
	crn_free(s->root);
	crn_free(s);
}

static const crn_store_ops ops = {
	.get = get,
	.stat = stat_key,
	.put = put,
	.remove = remove_key,
	.list = list,
	.reap = reap,
	.close = close_store,
};

/* The root as an absolute path without trailing slashes; it need not exist. */
static char *absolute(const char *path)
{
	CRN_STR text = {0};
	CRN_FREE char *cwd = *path == '/' ? NULL : realpath(".", NULL);
	if (*path != '/' && !cwd)
		return NULL;
	crn_str_appendf(&text, "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", path);
	if (text.oom)
		return NULL;
	while (text.len > 1 && text.data[text.len - 1] == '/')
		text.data[--text.len] = '\0';
	return crn_str_take(&text);
}

static cairn_status open_store(const char *url, crn_store **ret, cairn_error *err)
{
	const char *path = strncmp(url, "file://", 7) == 0 ? url + 7 : url;
	char host[256] = "";
	file_store *s = crn_calloc(1, sizeof(*s));
	char *root = absolute(path);
	if (!s || !root) {
		crn_free(s);
		crn_free(root);
		return crn_fail_memory(err, "a store", sizeof(*s));
	}
	gethostname(host, sizeof(host) - 1);
	*s = (file_store){.base = {.ops = &ops, .root = root},
		.host = (uint32_t)crn_checksum(host, strlen(host))};
	atomic_init(&s->n_temporaries, (uint64_t)crn_now_ns());
	*ret = &s->base;
	return CAIRN_OK;
}

static const char *const schemes[] = {"file://", "", NULL};

const crn_store_kind crn_store_file = {
	.name = "file",
	.summary = "files below a folder",
	.schemes = schemes,
	.open = open_store,
};

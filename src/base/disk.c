/* SPDX-License-Identifier: Apache-2.0
 *
 * disk.c -- see disk.h.
 *
 * Short writes and interrupted calls are gone on with here, so callers see all or an error.
 */
#include "base/disk.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	_Atomic(crn_disk_watcher) call;
	void *user;
} watch;

void crn_disk_watch(crn_disk_watcher watcher, void *user)
{
	watch.user = user;
	atomic_store(&watch.call, watcher);
}

/* True if the call may happen; else errno is set. */
static bool allowed(crn_disk_call call, const char *path, uint64_t offset, size_t *n)
{
	crn_disk_watcher watcher = atomic_load_explicit(&watch.call, memory_order_acquire);
	size_t none = 0;
	int why = watcher ? watcher(watch.user, call, path, offset, n ? n : &none) : 0;
	if (why)
		errno = why;
	return !why;
}

int crn_disk_open(const char *path, int flags)
{
	return allowed(CRN_DISK_OPEN, path, 0, NULL) ? open(path, flags | O_CLOEXEC, 0666) : -1;
}

bool crn_disk_write(int fd, const char *path, const void *bytes, size_t n)
{
	for (const char *from = bytes; n > 0;) {
		size_t part = n;
		if (!allowed(CRN_DISK_WRITE, path, 0, &part))
			return false;
		ssize_t put = write(fd, from, part);
		if (put < 0 && errno != EINTR)
			return false;
		from += put < 0 ? 0 : put;
		n -= put < 0 ? 0 : (size_t)put;
	}
	return true;
}

bool crn_disk_write_at(int fd, const char *path, uint64_t offset, const void *bytes, size_t n)
{
	for (const char *from = bytes; n > 0;) {
		size_t part = n;
		if (!allowed(CRN_DISK_WRITE, path, offset, &part))
			return false;
		ssize_t put = pwrite(fd, from, part, (off_t)offset);
		if (put < 0 && errno != EINTR)
			return false;
		size_t done = put < 0 ? 0 : (size_t)put;
		from += done;
		offset += done;
		n -= done;
	}
	return true;
}

bool crn_disk_sync(int fd, const char *path)
{
	return allowed(CRN_DISK_SYNC, path, 0, NULL) && fdatasync(fd) == 0;
}

bool crn_disk_sync_all(const char *path)
{
	if (!allowed(CRN_DISK_SYNC_ALL, path, 0, NULL))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && syncfs(fd) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return ok;
}

bool crn_disk_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	CRN_FREE char *folder =
		slash ? crn_strndup(path, slash == path ? 1 : (size_t)(slash - path))
		      : crn_strdup(".");
	errno = ENOMEM;
	if (!folder || !allowed(CRN_DISK_SYNC_FOLDER, folder, 0, NULL))
		return false;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return ok || why == EINVAL; /* file systems whose folders need no sync say EINVAL */
}

bool crn_disk_close(int fd, const char *path)
{
	bool may = allowed(CRN_DISK_CLOSE, path, 0, NULL);
	int why = errno;
	bool ok = close(fd) == 0;
	if (!may)
		errno = why;
	return ok && may;
}

bool crn_disk_rename(const char *from, const char *to)
{
	return allowed(CRN_DISK_RENAME, to, 0, NULL) && rename(from, to) == 0;
}

bool crn_disk_make_folder(const char *path)
{
	struct stat st;
	/* What is there already is no change, and asks for no right to write above it. */
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	return allowed(CRN_DISK_MAKE_FOLDER, path, 0, NULL) &&
	       (mkdir(path, 0777) == 0 || errno == EEXIST);
}

bool crn_disk_reserve(int fd, const char *path, uint64_t size_bytes)
{
	if (!allowed(CRN_DISK_RESERVE, path, 0, NULL))
		return false;
	if (fallocate(fd, 0, 0, (off_t)size_bytes) == 0)
		return true;
	return errno != ENOSPC && errno != EDQUOT && errno != EFBIG &&
	       ftruncate(fd, (off_t)size_bytes) == 0;
}

bool crn_disk_put_file(const char *path, const void *bytes, size_t n, bool sync)
{
	CRN_STR temp = {0};
	crn_str_appendf(&temp, "%s.tmp", path);
	errno = ENOMEM;
	if (temp.oom)
		return false;
	int fd = crn_disk_open(temp.data, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return false;
	bool ok = crn_disk_write(fd, path, bytes, n) && (!sync || crn_disk_sync(fd, path));
	int why = errno;
	if (!crn_disk_close(fd, path) && ok) {
		ok = false;
		why = errno;
	}
	if (ok && crn_disk_rename(temp.data, path))
		return !sync || crn_disk_sync_folder(path);
	why = ok ? errno : why;
	unlink(temp.data);
	errno = why;
	return false;
}

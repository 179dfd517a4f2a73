/* SPDX-License-Identifier: Apache-2.0
 *
 * output_lock.c -- see output_lock.h.
 *
 * Removing a lock file is only safe while holding it, and taking one only when it still has its
 * name afterwards: between open and lock the holder may have removed it.
 */
#include "exec/output_lock.h"

#include "base/disk.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "exec/path_clash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cairn_status lock_path(const char *url, const char *part, char **ret, cairn_error *err)
{
	char full[PATH_MAX];
	CRN_STR text = {0};
	if (!crn_path_resolve(url, full))
		return crn_fail(err, CAIRN_FAILED, "%s: the path is too long", url);
	char *slash = strrchr(full, '/');
	crn_str_append_n(&text, full, (size_t)(slash - full) + 1);
	crn_str_appendf(&text, ".%s%s%s.cairn-lock", slash + 1, part ? "." : "", part ? part : "");
	*ret = crn_str_take(&text);
	return *ret ? CAIRN_OK : crn_fail_memory(err, "a path", strlen(url));
}

static cairn_status refuse(const char *url, int fd, cairn_error *err)
{
	char who[80] = "";
	ssize_t n = pread(fd, who, sizeof(who) - 1, 0);
	who[n > 0 ? n : 0] = '\0';
	who[strcspn(who, "\n")] = '\0';
	crn_fail(err, CAIRN_EXISTS, "output %s is being written by another run%s%s", url,
		who[0] ? ": process " : "", who);
	crn_hint(err, "wait until it is done, or write elsewhere");
	return CAIRN_EXISTS;
}

/* Does the open file still have its name? */
static bool is_named(int fd, const char *path)
{
	struct stat open_file, named;
	return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
	       open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

/* Opens and locks; *ret_fd stays -1 when the file lost its name meanwhile. */
static cairn_status try_once(const char *url, const char *path, int *ret_fd, cairn_error *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	*ret_fd = -1;
	int fd = crn_disk_open(path, O_RDWR | O_CREAT);
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_FAILED, "creating the lock file", path);
	if (fcntl(fd, F_OFD_SETLK, &whole) != 0 && (errno == EAGAIN || errno == EACCES)) {
		cairn_status status = refuse(url, fd, err);
		close(fd);
		return status;
	}
	if (is_named(fd, path))
		*ret_fd = fd;
	else
		close(fd);
	return CAIRN_OK;
}

cairn_status crn_output_lock_take(
	const char *url, const char *part, crn_output_lock *ret, cairn_error *err)
{
	CRN_FREE char *path = NULL;
	char text[80], host[40] = "";
	int fd = -1;
	CRN_TRY(lock_path(url, part, &path, err));
	CRN_TRY(crn_make_parent(path, err));
	while (fd < 0)
		CRN_TRY(try_once(url, path, &fd, err));
	gethostname(host, sizeof(host) - 1);
	int n = snprintf(text, sizeof(text), "%ld on %s\n", (long)getpid(), host);
	/* Only for the message above: a full disk does not matter here. */
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
	*ret = (crn_output_lock){.fd_plus_1 = fd + 1, .path = crn_steal(&path)};
	return CAIRN_OK;
}

void crn_output_lock_sweep(const char *url, const char *part)
{
	CRN_FREE char *path = NULL;
	crn_output_lock lock = {0};
	if (lock_path(url, part, &path, NULL) != CAIRN_OK || access(path, F_OK) != 0)
		return;
	if (crn_output_lock_take(url, part, &lock, NULL) == CAIRN_OK)
		crn_output_lock_give(&lock);
}

void crn_output_lock_give(crn_output_lock *l)
{
	if (l->fd_plus_1) {
		unlink(l->path);
		close(l->fd_plus_1 - 1);
	}
	crn_free(l->path);
	*l = (crn_output_lock){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_part.c -- temporary name, pwrite, rename: see raw_part.h for the layout and the promises.
 */
#include "formats/raw_part.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/span.h"
#include "formats/raw_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void crn_part_journal_path(const char *url, crn_str *ret)
{
	const char *path = crn_file_path(url), *slash = strrchr(path, '/');
	if (slash)
		crn_str_append_n(ret, path, (size_t)(slash - path) + 1);
	crn_str_appendf(ret, ".%s.cairn", slash ? slash + 1 : path);
}

/* Asks for the room now, where the file system can tell; elsewhere only sets the size. */
static cairn_status reserve(int fd, const char *path, uint64_t size_bytes, cairn_error *err)
{
	if (size_bytes > INT64_MAX)
		return crn_fail(
			err, CAIRN_FAILED, "%s: the file would be larger than 2^63 bytes", path);
	if (crn_disk_reserve(fd, path, size_bytes))
		return CAIRN_OK;
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
		char text[32];
		crn_fail_errno(err, CAIRN_FAILED, "no room for", path);
		crn_hint(err, "the file needs %s; free some space or write elsewhere",
			crn_format_bytes((double)size_bytes, text));
		return CAIRN_FAILED;
	}
	return crn_fail_errno(err, CAIRN_FAILED, "cannot set the size of", path);
}

static cairn_status open_file(crn_part *p, bool resume, uint64_t size_bytes, cairn_error *err)
{
	struct stat st;
	if (resume && access(p->temp, F_OK) != 0 && stat(p->path, &st) == 0 &&
		(size_bytes == 0 || (uint64_t)st.st_size == size_bytes)) {
		p->complete = true;
		p->fd_plus_1 = open(p->path, O_RDWR | O_CLOEXEC) + 1;
		if (!p->fd_plus_1) /* enough for verify */
			p->fd_plus_1 = open(p->path, O_RDONLY | O_CLOEXEC) + 1;
		return p->fd_plus_1 ? CAIRN_OK
				    : crn_fail_errno(err, CAIRN_FAILED, "cannot open", p->path);
	}
	CRN_TRY(crn_make_parent(p->temp, err));
	p->fresh = stat(p->temp, &st) != 0 || (uint64_t)st.st_size < size_bytes;
	p->fd_plus_1 = crn_disk_open(p->temp, O_RDWR | O_CREAT | (resume ? 0 : O_TRUNC)) + 1;
	if (!p->fd_plus_1)
		return crn_fail_errno(err, CAIRN_FAILED, "cannot create", p->temp);
	cairn_status status =
		size_bytes ? reserve(p->fd_plus_1 - 1, p->path, size_bytes, err) : CAIRN_OK;
	if (status != CAIRN_OK && !resume)
		unlink(p->temp);
	return status;
}

static cairn_status take_names(const char *url, crn_part *ret, cairn_error *err)
{
	CRN_STR temp = {0};
	crn_part_journal_path(url, &temp);
	crn_str_append(&temp, "/data");
	*ret = (crn_part){.path = crn_strdup(crn_file_path(url)), .temp = crn_str_take(&temp)};
	crn_mutex_init(&ret->lock, CRN_RANK_STORE);
	ret->lock_made = true;
	return ret->path && ret->temp ? CAIRN_OK : crn_fail_memory(err, "a file name", strlen(url));
}

cairn_status crn_part_open(
	const char *url, bool resume, uint64_t size_bytes, crn_part *ret, cairn_error *err)
{
	cairn_status status = take_names(url, ret, err);
	if (status == CAIRN_OK)
		status = open_file(ret, resume, size_bytes, err);
	if (status != CAIRN_OK)
		crn_part_close(ret);
	return status;
}

cairn_status crn_part_open_stored(const char *url, crn_part *ret, cairn_error *err)
{
	cairn_status status = take_names(url, ret, err);
	if (status != CAIRN_OK) {
		crn_part_close(ret);
		return status;
	}
	ret->fd_plus_1 = open(ret->path, O_RDONLY | O_CLOEXEC) + 1;
	ret->complete = ret->fd_plus_1 != 0;
	if (!ret->complete)
		ret->fd_plus_1 = open(ret->temp, O_RDONLY | O_CLOEXEC) + 1;
	return CAIRN_OK;
}

/* A complete file that is written to again is no longer complete. */
static cairn_status take_back(crn_part *p, cairn_error *err)
{
	cairn_status status = CAIRN_OK;
	crn_mutex_lock(&p->lock);
	if (p->complete) {
		status = crn_make_parent(p->temp, err);
		if (status == CAIRN_OK && !crn_disk_rename(p->path, p->temp))
			status = crn_fail_errno(err, CAIRN_FAILED, "cannot rename", p->path);
		if (status == CAIRN_OK)
			p->complete = false;
	}
	crn_mutex_unlock(&p->lock);
	return status;
}

cairn_status crn_part_write(
	crn_part *p, uint64_t offset, const void *bytes, size_t n, cairn_error *err)
{
	CRN_SPAN_BLOCK(CRN_SPAN_WRITE, n);
	CRN_TRY(take_back(p, err));
	if (!crn_disk_write_at(p->fd_plus_1 - 1, p->path, offset, bytes, n))
		return crn_fail_errno(err, CAIRN_FAILED, "cannot write", p->path);
	return CAIRN_OK;
}

cairn_status crn_part_read(
	crn_part *p, uint64_t offset, void *bytes, size_t n, size_t *ret_n, cairn_error *err)
{
	crn_file f = {.fd_plus_1 = p->fd_plus_1, .path = p->path};
	*ret_n = 0;
	if (!p->fd_plus_1)
		return CAIRN_OK;
	return crn_file_read_some(&f, offset, bytes, n, ret_n, err);
}

cairn_status crn_part_finish(crn_part *p, cairn_error *err)
{
	cairn_status status = CAIRN_OK;
	bool sync = p->fsync != CRN_FSYNC_NONE;
	crn_mutex_lock(&p->lock);
	if (!p->complete && sync && !crn_disk_sync(p->fd_plus_1 - 1, p->path))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing", p->path);
	else if (!p->complete && !crn_disk_rename(p->temp, p->path))
		status = crn_fail_errno(err, CAIRN_FAILED, "cannot create", p->path);
	else if (!p->complete && sync && !crn_disk_sync_folder(p->path))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing the folder of", p->path);
	p->complete = p->complete || status == CAIRN_OK;
	crn_mutex_unlock(&p->lock);
	return status;
}

void crn_part_close(crn_part *p)
{
	if (p->fd_plus_1)
		close(p->fd_plus_1 - 1);
	if (p->lock_made)
		crn_mutex_done(&p->lock);
	crn_free(p->path);
	crn_free(p->temp);
	*p = (crn_part){0};
}

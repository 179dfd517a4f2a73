/* SPDX-License-Identifier: Apache-2.0
 *
 * spill.c -- scratch files for tables that are read back region by region (runs of label).
 *
 * Threads: append and read from any worker; the end of the file is an atomic counter, so appends do
 * not wait for each other. Disk full is an error of the append, with the folder named.
 */
#include "exec/state.h"

#include "base/disk.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct crn_spill {
	int fd;
	char *folder; /* or path, when it has a name */
	_Atomic uint64_t end;
};

static int open_unlinked(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	CRN_STR path = {0};
	crn_str_appendf(&path, "%s/.cairn-scratch-XXXXXX", folder);
	if (path.oom)
		return -1;
	fd = mkostemp(path.data, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.data);
	return fd;
}

cairn_status crn_spill_new(const char *folder, crn_spill **ret, cairn_error *err)
{
	crn_spill *s = crn_calloc(1, sizeof(*s));
	char *copy = crn_strdup(folder);
	if (!s || !copy) {
		crn_free(s);
		crn_free(copy);
		return crn_fail_memory(err, "a scratch file", sizeof(*s));
	}
	s->folder = copy;
	s->fd = open_unlinked(folder);
	if (s->fd < 0) {
		cairn_status status =
			crn_fail_errno(err, CAIRN_FAILED, "creating a scratch file in", folder);
		crn_hint(err, "set CAIRN_SCRATCH to a writable folder");
		crn_spill_free(s);
		return status;
	}
	*ret = s;
	return CAIRN_OK;
}

cairn_status crn_spill_open(const char *path, crn_spill **ret, cairn_error *err)
{
	struct stat st;
	crn_spill *s = crn_calloc(1, sizeof(*s));
	char *copy = crn_strdup(path);
	if (!s || !copy) {
		crn_free(s);
		crn_free(copy);
		return crn_fail_memory(err, "a scratch file", sizeof(*s));
	}
	s->folder = copy;
	s->fd = crn_disk_open(path, O_RDWR | O_CREAT);
	if (s->fd < 0 || fstat(s->fd, &st) != 0) {
		cairn_status status =
			crn_fail_errno(err, CAIRN_FAILED, "creating the scratch file", path);
		crn_spill_free(s);
		return status;
	}
	s->end = (uint64_t)st.st_size;
	*ret = s;
	return CAIRN_OK;
}

uint64_t crn_spill_end(const crn_spill *s)
{
	return s ? atomic_load(&((crn_spill *)s)->end) : 0;
}

void crn_spill_empty(crn_spill *s)
{
	if (ftruncate(s->fd, 0) == 0)
		atomic_store(&s->end, 0);
}

void crn_spill_free(crn_spill *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	crn_free(s->folder);
	crn_free(s);
}

cairn_status crn_spill_append(
	crn_spill *s, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err)
{
	*ret_offset = atomic_fetch_add(&s->end, n);
	return crn_spill_write(s, *ret_offset, bytes, n, err);
}

cairn_status crn_spill_write(
	crn_spill *s, uint64_t offset, const void *bytes, size_t n, cairn_error *err)
{
	if (!crn_disk_write_at(s->fd, s->folder, offset, bytes, n)) {
		crn_fail_errno(err, CAIRN_FAILED, "writing a scratch file in", s->folder);
		crn_hint(err, "free some space there, or choose another folder with --scratch");
		return CAIRN_FAILED;
	}
	return CAIRN_OK;
}

cairn_status crn_spill_read(crn_spill *s, uint64_t offset, void *bytes, size_t n, cairn_error *err)
{
	for (char *to = bytes; n > 0;) {
		ssize_t k = pread(s->fd, to, n, (off_t)offset);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return crn_fail_errno(
				err, CAIRN_FAILED, "reading a scratch file in", s->folder);
		to += k;
		offset += (uint64_t)k;
		n -= (size_t)k;
	}
	return CAIRN_OK;
}

/* ---- crn_env ---- */

cairn_status crn_state_charge(void *engine, int64_t delta_bytes, cairn_error *err)
{
	crn_env_handle *h = engine;
	return crn_sched_charge(h->st->sched, delta_bytes, err);
}

cairn_status crn_state_spill(
	void *engine, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err)
{
	crn_env_handle *h = engine;
	cairn_status status = CAIRN_OK;
	crn_mutex_lock(&h->lock);
	if (!h->spill)
		status = crn_spill_new(h->st->scratch_dir, &h->spill, err);
	crn_mutex_unlock(&h->lock);
	CRN_TRY(status);
	return crn_spill_append(h->spill, bytes, n, ret_offset, err);
}

cairn_status crn_state_unspill(
	void *engine, uint64_t offset, void *bytes, size_t n, cairn_error *err)
{
	crn_env_handle *h = engine;
	return crn_spill_read(h->spill, offset, bytes, n, err);
}

cairn_status crn_state_overwrite(
	void *engine, uint64_t offset, const void *bytes, size_t n, cairn_error *err)
{
	crn_env_handle *h = engine;
	return crn_spill_write(h->spill, offset, bytes, n, err);
}

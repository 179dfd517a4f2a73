/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_io.c -- pread with named errors, and boxes out of flat files.
 *
 * crn_flat_read walks the axes from the slowest down. At every level it first asks whether the rest
 * is one run of the file: either exactly what is wanted (read straight into the output), or a span
 * that fits the scratch and is wanted to at least a quarter (read, then picked from), unless the
 * next axis is made of long runs that need no scratch. Otherwise it goes one axis deeper. So a
 * whole slab is one read, a column of a plane is one read, and a thin box in a huge plane costs one
 * short read a row.
 */
#include "formats/raw_io.h"

#include "base/mem.h"
#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *crn_file_path(const char *url)
{
	return strncmp(url, "file://", 7) == 0 ? url + 7 : url;
}

cairn_status crn_file_open(const char *url, crn_file *ret, cairn_error *err)
{
	const char *path = crn_file_path(url);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_INPUT, "cannot open", path);
	struct stat st;
	if (fstat(fd, &st) != 0) {
		cairn_status status = crn_fail_errno(err, CAIRN_INPUT, "cannot stat", path);
		close(fd);
		return status;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return crn_fail(err, CAIRN_INPUT, "%s is not a file", path);
	}
	char *copy = crn_strdup(path);
	if (!copy) {
		close(fd);
		return crn_fail_memory(err, "a file name", strlen(path));
	}
	*ret = (crn_file){
		.fd_plus_1 = fd + 1,
		.path = copy,
		.size_bytes = (uint64_t)st.st_size,
		.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
	};
	return CAIRN_OK;
}

void crn_file_close(crn_file *f)
{
	if (f->fd_plus_1)
		close(f->fd_plus_1 - 1);
	crn_free(f->path);
	*f = (crn_file){0};
}

cairn_status crn_file_read_some(
	const crn_file *f, uint64_t offset, void *bytes, size_t n, size_t *ret_n, cairn_error *err)
{
	CRN_SPAN_BLOCK(CRN_SPAN_READ, n);
	size_t done = 0;
	while (done < n && offset + done <= INT64_MAX) {
		ssize_t got = pread(
			f->fd_plus_1 - 1, (char *)bytes + done, n - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return crn_fail_errno(err, CAIRN_INPUT, "cannot read", f->path);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_n = done;
	return CAIRN_OK;
}

cairn_status crn_file_read(
	const crn_file *f, uint64_t offset, void *bytes, size_t n, cairn_error *err)
{
	size_t got = 0;
	CRN_TRY(crn_file_read_some(f, offset, bytes, n, &got, err));
	if (got == n)
		return CAIRN_OK;
	crn_fail(err, CAIRN_INPUT,
		"%s ends too early: %zu bytes wanted at offset %llu, the file has %llu bytes",
		f->path, n, (unsigned long long)offset, (unsigned long long)f->size_bytes);
	crn_hint(err, "the file is truncated; copy or write it again");
	return CAIRN_INPUT;
}

cairn_status crn_file_identity(const crn_file *f, size_t n_head, crn_hasher *h, cairn_error *err)
{
	unsigned char head[4096];
	size_t n = n_head < sizeof head ? n_head : sizeof head, got = 0;
	CRN_TRY(crn_file_read_some(f, 0, head, n, &got, err));
	char full[PATH_MAX];
	crn_hash_text(h, realpath(f->path, full) ? full : f->path);
	crn_hash_u64(h, f->size_bytes);
	crn_hash_u64(h, (uint64_t)f->mtime_ns);
	crn_hash_bytes(h, head, got);
	return CAIRN_OK;
}

void crn_type_hash(const crn_type *t, crn_hasher *h)
{
	crn_hash_u64(h, t->dtype);
	crn_hash_u64(h, (uint64_t)t->ndim);
	for (int d = 0; d < t->ndim; d++)
		crn_hash_u64(h, (uint64_t)t->shape[d]);
}

void crn_swap_bytes(void *data, size_t item_size, size_t n)
{
	char *p = data;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;
	switch (item_size) {
	case 2:
		for (size_t i = 0; i < n; i++) {
			memcpy(&v16, p + 2 * i, 2);
			v16 = __builtin_bswap16(v16);
			memcpy(p + 2 * i, &v16, 2);
		}
		break;
	case 4:
		for (size_t i = 0; i < n; i++) {
			memcpy(&v32, p + 4 * i, 4);
			v32 = __builtin_bswap32(v32);
			memcpy(p + 4 * i, &v32, 4);
		}
		break;
	case 8:
		for (size_t i = 0; i < n; i++) {
			memcpy(&v64, p + 8 * i, 8);
			v64 = __builtin_bswap64(v64);
			memcpy(p + 8 * i, &v64, 8);
		}
		break;
	default:
		break;
	}
}

cairn_status crn_flat_check(const crn_flat *a, cairn_error *err)
{
	int64_t count, bytes;
	uint64_t end;
	if (!crn_count(a->ndim, a->shape, &count) ||
		__builtin_mul_overflow(count, (int64_t)crn_dtype_size(a->dtype), &bytes) ||
		__builtin_add_overflow(a->offset, (uint64_t)bytes, &end))
		return crn_fail(
			err, CAIRN_INPUT, "%s: the array is larger than 2^63 bytes", a->file->path);
	if (end <= a->file->size_bytes)
		return CAIRN_OK;
	crn_fail(err, CAIRN_INPUT,
		"%s is too short: %lld %s values from offset %llu end at byte %llu, the file has "
		"%llu",
		a->file->path, (long long)count, crn_dtype_name(a->dtype),
		(unsigned long long)a->offset, (unsigned long long)end,
		(unsigned long long)a->file->size_bytes);
	crn_hint(err, "the file is truncated, or its shape or dtype is not the one given");
	return CAIRN_INPUT;
}

#define LONG_RUN (32 << 10)

/* What one crn_flat_read keeps on the way down. */
typedef struct walk {
	const crn_flat *a;
	const crn_region *r;
	const crn_view *out;
	char *scratch;
	int64_t pitch[CRN_MAX_NDIM];       /* bytes from index to index in the file, per axis */
	bool tail_whole[CRN_MAX_NDIM + 1]; /* axes from here on are wanted completely */
	bool tail_dense[CRN_MAX_NDIM + 1]; /* axes from here on are dense in out */
} walk;

static void put_native(const crn_flat *a, void *data, size_t n_bytes)
{
	size_t item = crn_dtype_size(a->dtype);
	if (a->swap)
		crn_swap_bytes(data, item, n_bytes / item);
	if (a->dtype == CRN_BOOL) {
		unsigned char *p = data;
		for (size_t i = 0; i < n_bytes; i++)
			p[i] = p[i] != 0;
	}
}

/* Bytes in the file from the first to the last wanted element of axes level.., both included. */
static int64_t span_bytes(const walk *w, int level)
{
	int64_t bytes = (int64_t)crn_dtype_size(w->a->dtype);
	for (int d = level; d < w->a->ndim; d++)
		bytes += (w->r->n[d] - 1) * w->r->step[d] * w->pitch[d];
	return bytes;
}

static int64_t wanted_bytes(const walk *w, int level)
{
	int64_t bytes = (int64_t)crn_dtype_size(w->a->dtype);
	for (int d = level; d < w->a->ndim; d++)
		bytes *= w->r->n[d];
	return bytes;
}

/* Copies axes level.. out of a span that lies in scratch. */
static void pick(const walk *w, int level, int64_t n_first, char *to)
{
	crn_view src = {.data = w->scratch, .dtype = w->a->dtype}, dst = src;
	dst.data = to;
	for (int d = level; d < w->a->ndim; d++) {
		int k = src.ndim++;
		src.shape[k] = d == level ? n_first : w->r->n[d];
		src.stride[k] = w->r->step[d] * w->pitch[d];
		dst.shape[k] = src.shape[k];
		dst.stride[k] = w->out->stride[d];
	}
	dst.ndim = src.ndim;
	crn_view_copy(&dst, &src);
}

/* Axes level.. through scratch, cut along axis `level` so that every span fits. */
static cairn_status read_spans(const walk *w, int level, uint64_t at, char *to, cairn_error *err)
{
	int64_t step_bytes = w->r->step[level] * w->pitch[level];
	int64_t inner = span_bytes(w, level + 1);
	int64_t fit = 1 + ((int64_t)CRN_FLAT_SCRATCH - inner) / step_bytes;
	for (int64_t i = 0; i < w->r->n[level]; i += fit) {
		int64_t n = w->r->n[level] - i < fit ? w->r->n[level] - i : fit;
		size_t bytes = (size_t)((n - 1) * step_bytes + inner);
		CRN_TRY(crn_file_read(
			w->a->file, at + (uint64_t)(i * step_bytes), w->scratch, bytes, err));
		put_native(w->a, w->scratch, bytes);
		pick(w, level, n, to + i * w->out->stride[level]);
	}
	return CAIRN_OK;
}

/* Axes level.. are one run of the file and of the output. */
static bool is_direct(const walk *w, int level)
{
	const crn_region *r = w->r;
	bool run = level == w->a->ndim ||
		   (w->tail_whole[level + 1] && (r->step[level] == 1 || r->n[level] == 1));
	return run && w->tail_dense[level];
}

static cairn_status read_level(const walk *w, int level, uint64_t at, char *to, cairn_error *err)
{
	const crn_region *r = w->r;
	bool last = level + 1 >= w->a->ndim;
	if (is_direct(w, level)) {
		size_t bytes = (size_t)wanted_bytes(w, level);
		CRN_TRY(crn_file_read(w->a->file, at, to, bytes, err));
		put_native(w->a, to, bytes);
		return CAIRN_OK;
	}
	/* On the last axis a wide step still beats one system call per element up to about a page.
	 */
	bool near = last && r->step[level] * w->pitch[level] < 4096;
	/* Runs longer than this are read one by one: a call costs less than copying out of scratch.
	 */
	bool long_runs = !last && is_direct(w, level + 1) &&
			 (r->n[level] == 1 || wanted_bytes(w, level + 1) >= LONG_RUN);
	if (!long_runs && span_bytes(w, level + 1) <= (int64_t)CRN_FLAT_SCRATCH &&
		(near || wanted_bytes(w, level) >= span_bytes(w, level) / 4))
		return read_spans(w, level, at, to, err);
	for (int64_t i = 0; i < r->n[level]; i++)
		CRN_TRY(read_level(w, level + 1,
			at + (uint64_t)(i * r->step[level] * w->pitch[level]),
			to + i * w->out->stride[level], err));
	return CAIRN_OK;
}

cairn_status crn_flat_read(const crn_flat *a, const crn_region *r, const crn_view *out,
	void *scratch, cairn_error *err)
{
	if (crn_region_empty(r))
		return CAIRN_OK;
	walk w = {.a = a, .r = r, .out = out, .scratch = scratch};
	int64_t item = (int64_t)crn_dtype_size(a->dtype), pitch = item, dense = item;
	uint64_t at = a->offset;
	w.tail_whole[a->ndim] = w.tail_dense[a->ndim] = true;
	for (int d = a->ndim - 1; d >= 0; d--) {
		w.pitch[d] = pitch;
		at += (uint64_t)(r->lo[d] * pitch);
		w.tail_whole[d] = w.tail_whole[d + 1] && r->n[d] == a->shape[d];
		w.tail_dense[d] = w.tail_dense[d + 1] && (r->n[d] == 1 || out->stride[d] == dense);
		pitch *= a->shape[d];
		dense *= r->n[d];
	}
	return read_level(&w, 0, at, out->data, err);
}

void crn_slab_unit(const crn_type *t, int64_t target_bytes, int64_t *ret_unit)
{
	int64_t bytes = (int64_t)crn_dtype_size(t->dtype);
	for (int d = t->ndim - 1; d >= 0; d--) {
		int64_t extent = t->shape[d] > 0 ? t->shape[d] : 1;
		int64_t want = (target_bytes + bytes - 1) / bytes;
		ret_unit[d] = want < 1 ? 1 : want < extent ? want : extent;
		bytes *= ret_unit[d];
	}
}

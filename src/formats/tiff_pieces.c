/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_pieces.c -- one compressed TIFF: units are kept as pieces, finish puts them together.
 *
 *	.x.tif.cairn/units/17	piece of unit 17: number of strips, their sizes, their bytes
 *	.x.tif.cairn/data	the file, while finish writes it: pieces in order of their units
 *	x.tif			the finished file
 *
 * The order of the pieces in the file is that of the grid, not that of time, so the bytes do not
 * depend on scheduling. A unit is some pages by some whole strips. While finish runs, pieces and
 * file are both on disk; pieces are deleted when the file has its name.
 *
 * A record covers the strips' bytes of a unit, which are the same in the piece and in the file:
 * after finish, check_unit finds them through the file's own directories.
 */
#include "base/mem.h"
#include "base/path.h"
#include "base/span.h"
#include "base/thread.h"
#include "formats/raw_part.h"
#include "formats/raw_sink.h"
#include "formats/tiff_series.h"
#include "formats/tiff_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 256 << 10 };

typedef struct pieces_sink {
	crn_sink base;
	crn_tiff_layout layout;
	char *units; /* folder of the pieces */
	crn_fsync fsync;
	int axis_y;
	int64_t grid[CRN_MAX_NDIM], n_units;
	crn_mutex lock;       /* guards opening of `file` */
	crn_tiff_series file; /* the finished file, opened by the first check */
	bool opened, lock_made;
} pieces_sink;

static void piece_path(const pieces_sink *s, int64_t unit, crn_str *out)
{
	crn_str_appendf(out, "%s/%lld", s->units, (long long)unit);
}

/* ---- walking the strips of a unit ---- */

/* Pages first .. first + n of a unit, in C order, and its strips. */
typedef struct unit_strips {
	crn_region region;
	int64_t n_pages;               /* of the unit */
	int64_t first_strip, n_strips; /* of each page */
} unit_strips;

static unit_strips strips_of(const pieces_sink *s, const int64_t *idx)
{
	const crn_type *t = &s->base.type;
	const crn_tiff_layout *l = &s->layout;
	unit_strips u = {
		.region = crn_unit_region(t->ndim, t->shape, s->base.unit, idx), .n_pages = 1};
	for (int d = 0; d < s->axis_y; d++)
		u.n_pages *= u.region.n[d];
	u.first_strip = u.region.lo[s->axis_y] / l->rows_per_strip;
	u.n_strips = crn_n_units(u.region.n[s->axis_y], l->rows_per_strip);
	return u;
}

/* Page number in the file of the i-th page of a unit; at_in: its index inside the unit. */
static int64_t page_of(const pieces_sink *s, const unit_strips *u, int64_t i, int64_t *at_in)
{
	int64_t page = 0;
	crn_unravel(i, s->axis_y, u->region.n, at_in);
	for (int d = 0; d < s->axis_y; d++)
		page = page * s->base.type.shape[d] + u->region.lo[d] + at_in[d];
	return page;
}

/* ---- writing a piece ---- */

static cairn_status write_all(
	int fd, const char *path, uint64_t at, const void *bytes, size_t n, cairn_error *err)
{
	CRN_SPAN_BLOCK(CRN_SPAN_WRITE, n);
	return crn_disk_write_at(fd, path, at, bytes, n)
		       ? CAIRN_OK
		       : crn_fail_errno(err, CAIRN_FAILED, "cannot write", path);
}

static cairn_status write_strips(const pieces_sink *s, const unit_strips *u, const crn_view *in,
	int fd, const char *path, void *scratch, crn_unit_record *ret, cairn_error *err)
{
	const crn_tiff_layout *l = &s->layout;
	int64_t rows = u->region.n[s->axis_y], n_all = u->n_pages * u->n_strips, k = 0;
	CRN_FREE uint64_t *sizes = crn_calloc((size_t)n_all + 1, sizeof *sizes);
	if (!sizes)
		return crn_fail_memory(err, "sizes of strips", (size_t)n_all * 8);
	uint64_t head = 8 * ((uint64_t)n_all + 1), at = head;
	crn_hasher hash;
	crn_hasher_init(&hash);
	sizes[0] = (uint64_t)n_all;
	for (int64_t i = 0; i < u->n_pages; i++) {
		int64_t inside[CRN_MAX_NDIM] = {0};
		page_of(s, u, i, inside);
		crn_view page = {.data = crn_view_at(in, inside),
			.dtype = in->dtype,
			.ndim = in->ndim - s->axis_y};
		for (int d = 0; d < page.ndim; d++) {
			page.shape[d] = in->shape[s->axis_y + d];
			page.stride[d] = in->stride[s->axis_y + d];
		}
		for (int64_t y = 0; y < rows; y += l->rows_per_strip) {
			const void *bytes;
			size_t n;
			int64_t n_rows =
				rows - y < l->rows_per_strip ? rows - y : l->rows_per_strip;
			CRN_TRY(crn_tiff_pack_strip(l, &page, y, n_rows, scratch, &bytes, &n, err));
			CRN_TRY(write_all(fd, path, at, bytes, n, err));
			crn_hash_bytes(&hash, bytes, n);
			sizes[++k] = n;
			at += n;
		}
	}
	*ret = (crn_unit_record){.checksum = crn_hasher_result(&hash).lo, .size_bytes = at - head};
	return write_all(fd, path, 0, sizes, head, err);
}

static cairn_status write_unit(crn_sink *base, const int64_t *idx, const crn_view *in,
	void *scratch, crn_unit_record *ret, cairn_error *err)
{
	pieces_sink *s = (pieces_sink *)base;
	CRN_STR path = {0};
	CRN_STR temp = {0};
	piece_path(s, crn_ravel(idx, base->type.ndim, s->grid), &path);
	crn_str_appendf(&temp, "%s.part", path.data ? path.data : "");
	if (path.oom || temp.oom)
		return crn_fail_memory(err, "a file name", 256);
	int fd = crn_disk_open(temp.data, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_FAILED, "cannot create", temp.data);
	unit_strips u = strips_of(s, idx);
	cairn_status status = write_strips(s, &u, in, fd, path.data, scratch, ret, err);
	bool each = s->fsync == CRN_FSYNC_EACH;
	if (status == CAIRN_OK && each && !crn_disk_sync(fd, path.data))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing", path.data);
	if (!crn_disk_close(fd, path.data) && status == CAIRN_OK)
		status = crn_fail_errno(err, CAIRN_FAILED, "cannot write", path.data);
	if (status == CAIRN_OK && !crn_disk_rename(temp.data, path.data))
		status = crn_fail_errno(err, CAIRN_FAILED, "cannot rename", temp.data);
	if (status == CAIRN_OK && each && !crn_disk_sync_folder(path.data))
		status = crn_fail_errno(err, CAIRN_FAILED, "syncing the folder of", path.data);
	if (status != CAIRN_OK)
		unlink(temp.data);
	return status;
}

/* ---- checking ---- */

static cairn_status hash_range(const crn_file *f, uint64_t at, uint64_t n, void *buf, crn_hasher *h,
	bool *ret_short, cairn_error *err)
{
	while (n > 0) {
		size_t take = n < COPY_BYTES ? (size_t)n : COPY_BYTES, got = 0;
		CRN_TRY(crn_file_read_some(f, at, buf, take, &got, err));
		crn_hash_bytes(h, buf, got);
		if (got < take) {
			*ret_short = true;
			return CAIRN_OK;
		}
		at += take;
		n -= take;
	}
	return CAIRN_OK;
}

static cairn_status check_piece(const char *path, const crn_unit_record *record, bool quick,
	int64_t n_strips, void *scratch, bool *ret_same, cairn_error *err)
{
	crn_file f = {0};
	CRN_TRY(crn_file_open(path, &f, err));
	uint64_t head = 8 * ((uint64_t)n_strips + 1);
	bool cut = f.size_bytes != head + record->size_bytes;
	crn_hasher h;
	crn_hasher_init(&h);
	cairn_status status = CAIRN_OK;
	if (!cut && !quick)
		status = hash_range(&f, head, record->size_bytes, scratch, &h, &cut, err);
	crn_file_close(&f);
	*ret_same = !cut && (quick || crn_hasher_result(&h).lo == record->checksum);
	return status;
}

/* The same bytes in the finished file. */
static cairn_status check_in_file(pieces_sink *s, const int64_t *idx, const crn_unit_record *record,
	bool quick, void *scratch, bool *ret_same, cairn_error *err)
{
	crn_mutex_lock(&s->lock);
	cairn_status status = CAIRN_OK;
	if (!s->opened) {
		status = crn_tiff_series_open(s->base.url, &s->file, NULL);
		s->opened = status == CAIRN_OK;
	}
	crn_mutex_unlock(&s->lock);
	*ret_same = false;
	if (status != CAIRN_OK || s->file.n_pages != s->layout.n_pages ||
		s->file.first.unit_height != s->layout.rows_per_strip)
		return CAIRN_OK; /* missing, or another file */
	unit_strips u = strips_of(s, idx);
	bool cut = false;
	uint64_t total = 0;
	crn_hasher h;
	crn_hasher_init(&h);
	for (int64_t i = 0; i < u.n_pages; i++) {
		int64_t inside[CRN_MAX_NDIM];
		const crn_tiff_loc *loc = &s->file.pages[page_of(s, &u, i, inside)];
		uint64_t n_page = (uint64_t)s->layout.strips_per_page;
		crn_tiff_array at = {loc->offsets_at, n_page, loc->offsets_type};
		crn_tiff_array size = {loc->counts_at, n_page, loc->counts_type};
		for (int64_t k = 0; k < u.n_strips && !cut; k++) {
			uint64_t a, n, strip = (uint64_t)(u.first_strip + k);
			CRN_TRY(crn_tiff_values(&s->file.t, &at, strip, 1, &a, err));
			CRN_TRY(crn_tiff_values(&s->file.t, &size, strip, 1, &n, err));
			total += n;
			if (!quick)
				CRN_TRY(hash_range(&s->file.t.file, a, n, scratch, &h, &cut, err));
		}
	}
	*ret_same = !cut && total == record->size_bytes &&
		    (quick || crn_hasher_result(&h).lo == record->checksum);
	return CAIRN_OK;
}

static cairn_status check_unit(crn_sink *base, const int64_t *idx, const crn_unit_record *record,
	bool quick, void *scratch, bool *ret_same, cairn_error *err)
{
	pieces_sink *s = (pieces_sink *)base;
	CRN_STR path = {0};
	piece_path(s, crn_ravel(idx, base->type.ndim, s->grid), &path);
	if (path.oom)
		return crn_fail_memory(err, "a file name", 256);
	unit_strips u = strips_of(s, idx);
	if (access(path.data, F_OK) == 0)
		return check_piece(
			path.data, record, quick, u.n_pages * u.n_strips, scratch, ret_same, err);
	return check_in_file(s, idx, record, quick, scratch, ret_same, err);
}

/* ---- putting together ---- */

/* Position and size of every strip, [page][strip]; offsets are relative until the data's place is
 * known. */
typedef struct strip_table {
	uint64_t *offsets, *sizes;
	uint64_t total;
} strip_table;

static cairn_status read_piece_head(pieces_sink *s, int64_t unit, strip_table *t, cairn_error *err)
{
	const crn_tiff_layout *l = &s->layout;
	int64_t idx[CRN_MAX_NDIM], inside[CRN_MAX_NDIM];
	crn_unravel(unit, s->base.type.ndim, s->grid, idx);
	unit_strips u = strips_of(s, idx);
	uint64_t n_all = (uint64_t)(u.n_pages * u.n_strips), sum = 8 * (n_all + 1);
	CRN_STR path = {0};
	piece_path(s, unit, &path);
	CRN_FREE uint64_t *sizes = crn_calloc((size_t)n_all + 1, sizeof *sizes);
	if (path.oom || !sizes)
		return crn_fail_memory(err, "sizes of strips", (size_t)n_all * 8);
	crn_file f = {0};
	CRN_TRY(crn_file_open(path.data, &f, err));
	cairn_status status = crn_file_read(&f, 0, sizes, (size_t)sum, err);
	for (uint64_t k = 0; status == CAIRN_OK && k < n_all; k++) {
		int64_t page = page_of(s, &u, (int64_t)k / u.n_strips, inside);
		uint64_t *slot = t->sizes + page * l->strips_per_page + u.first_strip +
				 (int64_t)k % u.n_strips;
		*slot = sizes[k + 1];
		t->offsets[slot - t->sizes] = t->total;
		t->total += sizes[k + 1];
		sum += sizes[k + 1];
	}
	if (status == CAIRN_OK && (sizes[0] != n_all || sum != f.size_bytes))
		status = crn_fail(err, CAIRN_FAILED, "%s is damaged", path.data);
	crn_file_close(&f);
	return status;
}

static cairn_status copy_piece(
	pieces_sink *s, int64_t unit, crn_part *part, uint64_t *at, char *buf, cairn_error *err)
{
	int64_t idx[CRN_MAX_NDIM];
	crn_unravel(unit, s->base.type.ndim, s->grid, idx);
	unit_strips u = strips_of(s, idx);
	CRN_STR path = {0};
	piece_path(s, unit, &path);
	if (path.oom)
		return crn_fail_memory(err, "a file name", 256);
	crn_file f = {0};
	CRN_TRY(crn_file_open(path.data, &f, err));
	cairn_status status = CAIRN_OK;
	uint64_t from = 8 * ((uint64_t)(u.n_pages * u.n_strips) + 1);
	while (status == CAIRN_OK && from < f.size_bytes) {
		size_t left = f.size_bytes - from < COPY_BYTES ? (size_t)(f.size_bytes - from)
							       : COPY_BYTES;
		status = crn_file_read(&f, from, buf, left, err);
		if (status == CAIRN_OK)
			status = crn_part_write(part, *at, buf, left, err);
		from += left;
		*at += left;
	}
	crn_file_close(&f);
	return status;
}

static cairn_status write_directories(
	pieces_sink *s, strip_table *t, crn_part *part, cairn_error *err)
{
	const crn_tiff_layout *l = &s->layout;
	CRN_STR text = {0};
	uint64_t at = 0;
	for (int64_t i = 0; i < l->n_pages * l->strips_per_page; i++)
		t->offsets[i] += l->data_at;
	crn_tiff_print_head(l, l->blocks_at, &text);
	for (int64_t page = 0; page < l->n_pages; page++) {
		uint64_t here = l->blocks_at + (uint64_t)page * l->block_bytes;
		uint64_t next = page + 1 < l->n_pages ? here + l->block_bytes : 0;
		crn_tiff_print_block(l, here, page == 0, next,
			t->offsets + page * l->strips_per_page,
			t->sizes + page * l->strips_per_page, &text);
		if (text.oom)
			return crn_fail_memory(err, "TIFF directories", text.len);
		if (text.len < COPY_BYTES && next != 0)
			continue;
		CRN_TRY(crn_part_write(part, at, text.data, text.len, err));
		at += text.len;
		crn_str_clear(&text);
	}
	return CAIRN_OK;
}

static cairn_status put_together(pieces_sink *s, strip_table *t, crn_part *part, cairn_error *err)
{
	CRN_FREE char *buf = crn_alloc(COPY_BYTES);
	if (!buf)
		return crn_fail_memory(err, "a copy buffer", COPY_BYTES);
	for (int64_t u = 0; u < s->n_units; u++)
		CRN_TRY(read_piece_head(s, u, t, err));
	crn_tiff_layout_place(&s->layout, &s->base.type, t->total);
	uint64_t at = s->layout.data_at;
	for (int64_t u = 0; u < s->n_units; u++)
		CRN_TRY(copy_piece(s, u, part, &at, buf, err));
	CRN_TRY(write_directories(s, t, part, err));
	return crn_part_finish(part, err);
}

static cairn_status finish(crn_sink *base, cairn_error *err)
{
	pieces_sink *s = (pieces_sink *)base;
	size_t n = (size_t)(s->layout.n_pages * s->layout.strips_per_page);
	CRN_STR path = {0};
	piece_path(s, 0, &path);
	if (path.oom)
		return crn_fail_memory(err, "a file name", 256);
	if (access(path.data, F_OK) != 0 && access(crn_file_path(base->url), F_OK) == 0)
		return CAIRN_OK; /* finished by an earlier run */
	CRN_FREE uint64_t *offsets = crn_calloc(n, sizeof *offsets);
	CRN_FREE uint64_t *sizes = crn_calloc(n, sizeof *sizes);
	if (!offsets || !sizes)
		return crn_fail_memory(err, "a table of strips", 16 * n);
	strip_table table = {.offsets = offsets, .sizes = sizes};
	crn_part part = {0};
	CRN_TRY(crn_part_open(base->url, false, 0, &part, err));
	part.fsync = s->fsync; /* the pieces go only when the whole is on disk */
	cairn_status status = put_together(s, &table, &part, err);
	crn_part_close(&part);
	if (status != CAIRN_OK)
		return status;
	for (int64_t u = 0; u < s->n_units; u++) {
		crn_str_clear(&path);
		piece_path(s, s->n_units - 1 - u, &path); /* piece 0 last: see above */
		if (!path.oom)
			unlink(path.data);
	}
	rmdir(s->units);
	return CAIRN_OK;
}

static void unit_name(const crn_sink *base, const int64_t *idx, crn_str *ret)
{
	const pieces_sink *s = (const pieces_sink *)base;
	CRN_STR piece = {0};
	piece_path(s, crn_ravel(idx, base->type.ndim, s->grid), &piece);
	bool there = !piece.oom && access(piece.data, F_OK) == 0;
	crn_str_append(ret, there ? piece.data : crn_file_path(base->url));
}

static void close_sink(crn_sink *base)
{
	pieces_sink *s = (pieces_sink *)base;
	if (s->opened)
		crn_tiff_series_close(&s->file);
	if (s->lock_made)
		crn_mutex_done(&s->lock);
	crn_tiff_layout_done(&s->layout);
	crn_free(s->units);
	crn_free(base->url);
	crn_free(s);
}

static const crn_sink_ops sink_ops = {.write_unit = write_unit,
	.check_unit = check_unit,
	.unit_name = unit_name,
	.finish = finish,
	.close = close_sink};

/* Pages and rows of the flat sinks, rows rounded up to whole strips; x and samples whole. */
void crn_tiff_pieces_plan(const crn_tiff_layout *l, const crn_type *t, const int64_t *chunks,
	int64_t *ret_unit, size_t *ret_scratch)
{
	int64_t strip = l->rows_per_strip;
	crn_flat_write_unit(t, chunks, ret_unit);
	for (int d = l->n_page_axes; d < t->ndim; d++) {
		int64_t rows = crn_n_units(ret_unit[d], strip) * strip;
		bool whole = d > l->n_page_axes || rows > t->shape[d];
		ret_unit[d] = whole ? t->shape[d] : rows;
	}
	size_t scratch = crn_tiff_pack_scratch(l);
	*ret_scratch = scratch > COPY_BYTES ? scratch : COPY_BYTES;
}

static cairn_status set_up(pieces_sink *s, const crn_create_request *req, cairn_error *err)
{
	CRN_STR text = {0};
	crn_part_journal_path(req->url, &text);
	crn_str_append(&text, "/units");
	s->units = crn_str_take(&text);
	s->base.url = crn_strdup(req->url);
	if (!s->units || !s->base.url)
		return crn_fail_memory(err, "a file name", strlen(req->url));
	crn_tiff_pieces_plan(
		&s->layout, &s->base.type, req->chunks, s->base.unit, &s->base.unit_scratch);
	s->n_units = 1;
	for (int d = 0; d < s->base.type.ndim; d++)
		s->n_units *= s->grid[d] = crn_n_units(s->base.type.shape[d], s->base.unit[d]);
	return req->verify ? CAIRN_OK : crn_make_folders(s->units, err);
}

cairn_status crn_tiff_pieces_new(const crn_create_request *req, const crn_format *format,
	crn_tiff_layout *take_layout, crn_sink **ret, cairn_error *err)
{
	pieces_sink *s = crn_calloc(1, sizeof *s);
	if (!s) {
		crn_tiff_layout_done(take_layout);
		return crn_fail_memory(err, "an output", sizeof *s);
	}
	s->layout = *take_layout;
	s->axis_y = s->layout.n_page_axes;
	s->fsync = req->fsync;
	s->base = (crn_sink){.ops = &sink_ops, .format = format, .type = req->type};
	crn_mutex_init(&s->lock, CRN_RANK_SOURCE);
	s->lock_made = true;
	cairn_status status = set_up(s, req, err);
	if (status != CAIRN_OK) {
		close_sink(&s->base);
		return status;
	}
	*ret = &s->base;
	return CAIRN_OK;
}

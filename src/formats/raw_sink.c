/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_sink.c -- boxes into a flat file. See raw_sink.h.
 *
 * A unit is walked row by row; rows that touch each other in the file are gathered in the scratch
 * and written together. The checksum runs over the unit's stored bytes in C order, so it does not
 * depend on how they were gathered; check_unit walks the same runs and reads.
 */
#include "formats/raw_sink.h"

#include "base/mem.h"
#include "formats/raw_io.h"

#include <string.h>

typedef struct flat_sink {
	crn_sink base;
	crn_part part;
	crn_flat_layout layout;
	int64_t pitch[CRN_MAX_NDIM]; /* bytes from index to index in the file */
	uint64_t size_bytes;         /* of the whole file */
	bool each;                   /* sync every unit */
} flat_sink;

void crn_flat_write_unit(const crn_type *t, const int64_t *chunks, int64_t *ret_unit)
{
	enum { target_bytes = 8 << 20, min_planes = 16 };
	if (chunks) {
		for (int d = 0; d < t->ndim; d++) {
			int64_t extent = t->shape[d] > 0 ? t->shape[d] : 1;
			ret_unit[d] = chunks[d] < 1 ? 1 : chunks[d] < extent ? chunks[d] : extent;
		}
		return;
	}
	crn_slab_unit(t, target_bytes, ret_unit);
	int z = t->ndim - 3;
	if (z < 0 || ret_unit[z] >= min_planes || t->shape[z] < 1)
		return;
	int64_t planes = t->shape[z] < min_planes ? t->shape[z] : min_planes;
	int64_t row = (int64_t)crn_dtype_size(t->dtype) * ret_unit[t->ndim - 1];
	int64_t rows = target_bytes / (planes * row);
	if (rows < 1)
		return;
	ret_unit[z] = planes;
	ret_unit[z + 1] = rows < t->shape[z + 1] ? rows : t->shape[z + 1];
}

/* Gathering of neighbouring runs while a unit is written. */
typedef struct gather {
	flat_sink *s;
	char *buf;
	size_t n;
	uint64_t at;
	crn_hasher hash;
	uint64_t total;
} gather;

static cairn_status flush(gather *g, cairn_error *err)
{
	if (g->n == 0)
		return CAIRN_OK;
	crn_hash_bytes(&g->hash, g->buf, g->n);
	CRN_TRY(crn_part_write(&g->s->part, g->at, g->buf, g->n, err));
	g->total += g->n;
	g->n = 0;
	return CAIRN_OK;
}

static cairn_status put_run(
	gather *g, uint64_t at, const unsigned char *bytes, size_t n, cairn_error *err)
{
	bool as_255 = g->s->layout.bool_as_255 && g->s->base.type.dtype == CRN_BOOL;
	while (n > 0) {
		if (g->n == CRN_FLAT_SCRATCH || g->at + g->n != at)
			CRN_TRY(flush(g, err));
		if (g->n == 0)
			g->at = at;
		size_t room = CRN_FLAT_SCRATCH - g->n, take = n < room ? n : room;
		memcpy(g->buf + g->n, bytes, take);
		for (size_t i = 0; as_255 && i < take; i++)
			g->buf[g->n + i] = bytes[i] ? (char)255 : 0;
		g->n += take;
		at += take;
		bytes += take;
		n -= take;
	}
	return CAIRN_OK;
}

static uint64_t row_offset(const flat_sink *s, const crn_region *unit, const crn_rows *rows)
{
	uint64_t at = s->layout.data_offset;
	for (int d = 0; d < unit->ndim; d++) {
		int64_t i = unit->lo[d] + (d + 1 < unit->ndim ? rows->idx[d] : 0);
		at += (uint64_t)(i * s->pitch[d]);
	}
	return at;
}

static cairn_status write_unit(crn_sink *base, const int64_t *idx, const crn_view *in,
	void *scratch, crn_unit_record *ret, cairn_error *err)
{
	flat_sink *s = (flat_sink *)base;
	const crn_type *t = &base->type;
	crn_region unit = crn_unit_region(t->ndim, t->shape, base->unit, idx);
	size_t item = crn_dtype_size(t->dtype);
	gather g = {.s = s, .buf = scratch};
	crn_hasher_init(&g.hash);
	crn_rows rows;
	for (crn_rows_begin(&rows, unit.ndim, unit.n); !rows.end; crn_rows_next(&rows))
		CRN_TRY(put_run(&g, row_offset(s, &unit, &rows), crn_rows_at(&rows, in),
			(size_t)rows.n * item, err));
	CRN_TRY(flush(&g, err));
	if (s->each && !crn_disk_sync(s->part.fd_plus_1 - 1, s->part.path))
		return crn_fail_errno(err, CAIRN_FAILED, "syncing", s->part.path);
	*ret = (crn_unit_record){.checksum = crn_hasher_result(&g.hash).lo, .size_bytes = g.total};
	return CAIRN_OK;
}

static cairn_status hash_run(flat_sink *s, uint64_t at, size_t n, char *buf, crn_hasher *h,
	bool *ret_short, cairn_error *err)
{
	while (n > 0) {
		size_t take = n < CRN_FLAT_SCRATCH ? n : CRN_FLAT_SCRATCH, got = 0;
		CRN_TRY(crn_part_read(&s->part, at, buf, take, &got, err));
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

static cairn_status check_unit(crn_sink *base, const int64_t *idx, const crn_unit_record *record,
	bool quick, void *scratch, bool *ret_same, cairn_error *err)
{
	flat_sink *s = (flat_sink *)base;
	const crn_type *t = &base->type;
	crn_region unit = crn_unit_region(t->ndim, t->shape, base->unit, idx);
	size_t item = crn_dtype_size(t->dtype);
	uint64_t bytes = (uint64_t)crn_region_count(&unit) * item;
	if (record->all_fill || record->size_bytes != bytes || (quick && !s->part.fresh)) {
		*ret_same = !record->all_fill && record->size_bytes == bytes;
		return CAIRN_OK;
	}
	crn_hasher h;
	crn_hasher_init(&h);
	bool cut = false;
	uint64_t at = 0;
	size_t n = 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, unit.ndim, unit.n); !rows.end && !cut; crn_rows_next(&rows)) {
		uint64_t row = row_offset(s, &unit, &rows);
		if (n > 0 && row != at + n) {
			CRN_TRY(hash_run(s, at, n, scratch, &h, &cut, err));
			n = 0;
		}
		if (n == 0)
			at = row;
		n += (size_t)rows.n * item;
	}
	if (!cut)
		CRN_TRY(hash_run(s, at, n, scratch, &h, &cut, err));
	*ret_same = !cut && crn_hasher_result(&h).lo == record->checksum;
	return CAIRN_OK;
}

static void unit_name(const crn_sink *base, const int64_t *idx, crn_str *ret)
{
	(void)idx;
	crn_str_append(ret, ((const flat_sink *)base)->part.path);
}

/* Bytes behind the last element. */
static cairn_status extras(crn_sink *base, const crn_extras_visit *v, cairn_error *err)
{
	flat_sink *s = (flat_sink *)base;
	char byte;
	size_t got = 0;
	CRN_TRY(crn_part_read(&s->part, s->size_bytes, &byte, 1, &got, err));
	if (got > 0)
		v->visit(v->user, s->part.path);
	return CAIRN_OK;
}

static cairn_status finish(crn_sink *base, cairn_error *err)
{
	flat_sink *s = (flat_sink *)base;
	if (s->part.complete)
		return CAIRN_OK;
	CRN_TRY(s->layout.header(s->layout.header_data, &s->part, err));
	return crn_part_finish(&s->part, err);
}

static void close_sink(crn_sink *base)
{
	flat_sink *s = (flat_sink *)base;
	if (s->layout.header_done)
		s->layout.header_done(s->layout.header_data);
	crn_part_close(&s->part);
	crn_free(base->url);
	crn_free(s);
}

static const crn_sink_ops sink_ops = {.write_unit = write_unit,
	.check_unit = check_unit,
	.unit_name = unit_name,
	.extras = extras,
	.finish = finish,
	.close = close_sink};

cairn_status crn_flat_sink_new(const crn_create_request *req, const crn_format *format,
	const crn_flat_layout *layout, crn_sink **ret, cairn_error *err)
{
	flat_sink *s = crn_calloc(1, sizeof *s);
	if (!s) {
		if (layout->header_done)
			layout->header_done(layout->header_data);
		return crn_fail_memory(err, "an output", sizeof *s);
	}
	s->layout = *layout;
	s->each = req->fsync == CRN_FSYNC_EACH;
	s->base = (crn_sink){.ops = &sink_ops,
		.format = format,
		.type = req->type,
		.unit_scratch = CRN_FLAT_SCRATCH,
		.url = crn_strdup(req->url)};
	crn_flat_write_unit(&req->type, req->chunks, s->base.unit);
	int64_t pitch = (int64_t)crn_dtype_size(req->type.dtype);
	for (int d = req->type.ndim - 1; d >= 0; d--) {
		s->pitch[d] = pitch;
		pitch *= req->type.shape[d];
	}
	uint64_t size = layout->data_offset +
			(uint64_t)crn_type_count(&req->type) * crn_dtype_size(req->type.dtype);
	s->size_bytes = size;
	cairn_status status;
	if (!s->base.url)
		status = crn_fail_memory(err, "a file name", strlen(req->url));
	else if (req->verify)
		status = crn_part_open_stored(req->url, &s->part, err);
	else
		status = crn_part_open(req->url, req->resume, size, &s->part, err);
	if (status != CAIRN_OK) {
		close_sink(&s->base);
		return status;
	}
	s->part.fsync = req->fsync;
	*ret = &s->base;
	return CAIRN_OK;
}

cairn_status crn_flat_plan_unit(const crn_create_request *req, int64_t ret_unit[CRN_MAX_NDIM],
	size_t *ret_unit_scratch, cairn_error *err)
{
	(void)err;
	crn_flat_write_unit(&req->type, req->chunks, ret_unit);
	*ret_unit_scratch = CRN_FLAT_SCRATCH;
	return CAIRN_OK;
}

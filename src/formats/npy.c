/* SPDX-License-Identifier: Apache-2.0
 *
 * npy.c -- NumPy's .npy files, read and written.
 *
 * Reading: versions 1 to 3, C and Fortran order, both byte orders. A Fortran array is a C array
 * with its axes reversed, so both are one flat read. Writing: version 1, C order, little endian,
 * exactly the bytes numpy.save writes.
 */
#include "base/mem.h"
#include "formats/npy_header.h"
#include "formats/raw_io.h"
#include "formats/raw_sink.h"

#include <string.h>

extern const crn_format crn_format_npy;

typedef struct npy_source {
	crn_source base;
	crn_file file;
	crn_npy_header header;
	crn_flat flat;
} npy_source;

static cairn_status read_box(
	crn_source *base, const crn_region *r, const crn_view *out, void *scratch, cairn_error *err)
{
	npy_source *s = (npy_source *)base;
	if (!s->header.fortran)
		return crn_flat_read(&s->flat, r, out, scratch, err);
	crn_region reversed = *r;
	crn_view view = *out;
	for (int d = 0; d < r->ndim; d++) {
		int from = r->ndim - 1 - d;
		reversed.lo[d] = r->lo[from];
		reversed.n[d] = r->n[from];
		reversed.step[d] = r->step[from];
		view.shape[d] = out->shape[from];
		view.stride[d] = out->stride[from];
	}
	return crn_flat_read(&s->flat, &reversed, &view, scratch, err);
}

static cairn_status read_unit(
	crn_source *base, const int64_t *idx, const crn_view *out, void *scratch, cairn_error *err)
{
	crn_region r = crn_unit_region(base->type.ndim, base->type.shape, base->unit, idx);
	return read_box(base, &r, out, scratch, err);
}

static void describe(const crn_source *base, crn_str *out)
{
	const npy_source *s = (const npy_source *)base;
	crn_str_appendf(out, "\"order\": \"%s\", \"byte_order\": \"%s\", \"compression\": \"none\"",
		s->header.fortran ? "F" : "C", s->header.swap ? "big" : "little");
}

static void close_source(crn_source *base)
{
	npy_source *s = (npy_source *)base;
	crn_file_close(&s->file);
	crn_free(base->url);
	crn_free(s);
}

static const crn_source_ops source_ops = {read_unit, read_box, describe, close_source};

static cairn_status open_into(const crn_open_request *req, npy_source *s, cairn_error *err)
{
	CRN_TRY(crn_file_open(req->url, &s->file, err));
	size_t n = CRN_NPY_MAX_HEADER + 12;
	CRN_FREE unsigned char *head = crn_alloc(n);
	if (!head || !(s->base.url = crn_strdup(req->url)))
		return crn_fail_memory(err, "an NPY header", n);
	CRN_TRY(crn_file_read_some(&s->file, 0, head, n, &n, err));
	CRN_TRY(crn_npy_parse(s->file.path, head, n, &s->header, err));
	const crn_npy_header *h = &s->header;
	s->flat = (crn_flat){.file = &s->file,
		.offset = h->data_offset,
		.dtype = h->dtype,
		.swap = h->swap,
		.ndim = h->ndim};
	for (int d = 0; d < h->ndim; d++)
		s->flat.shape[d] = h->shape[h->fortran ? h->ndim - 1 - d : d];
	CRN_TRY(crn_flat_check(&s->flat, err));
	s->base.type = crn_type_make(h->dtype, h->ndim, h->shape);
	crn_slab_unit(&s->base.type, 1 << 20, s->base.unit);
	s->base.unit_scratch = s->base.box_scratch = CRN_FLAT_SCRATCH;
	crn_hasher hash;
	crn_hasher_init(&hash);
	crn_hash_text(&hash, "npy");
	CRN_TRY(crn_file_identity(&s->file, (size_t)h->data_offset, &hash, err));
	s->base.identity = crn_hasher_result(&hash);
	return CAIRN_OK;
}

static cairn_status open_npy(const crn_open_request *req, crn_source **ret, cairn_error *err)
{
	npy_source *s = crn_calloc(1, sizeof *s);
	if (!s)
		return crn_fail_memory(err, "an input", sizeof *s);
	s->base.ops = &source_ops;
	s->base.format = &crn_format_npy;
	return crn_source_hand_out(open_into(req, s, err), &s->base, ret);
}

static cairn_status write_header(void *data, crn_part *part, cairn_error *err)
{
	const crn_str *header = data;
	return crn_part_write(part, 0, header->data, header->len, err);
}

static void free_header(void *data)
{
	crn_str_done(data);
	crn_free(data);
}

static cairn_status create_npy(const crn_create_request *req, crn_sink **ret, cairn_error *err)
{
	crn_str *header = crn_calloc(1, sizeof *header);
	if (header)
		crn_npy_print(&req->type, header);
	if (!header || header->oom) {
		crn_free(header);
		return crn_fail_memory(err, "an NPY header", 128);
	}
	crn_flat_layout layout = {.data_offset = header->len,
		.header = write_header,
		.header_data = header,
		.header_done = free_header};
	return crn_flat_sink_new(req, &crn_format_npy, &layout, ret, err);
}

static bool probe(const char *url, const unsigned char *head, size_t n_head, bool is_dir)
{
	size_t n = strlen(url);
	bool named = n > 4 && strcmp(url + n - 4, ".npy") == 0;
	return !is_dir && n_head > 0 &&
	       (named || (n_head >= 6 && memcmp(head, "\x93NUMPY", 6) == 0));
}

static const char *const suffixes[] = {".npy", NULL};

const crn_format crn_format_npy = {
	.name = "npy",
	.summary = "NumPy array file",
	.suffixes = suffixes,
	.probe = probe,
	.open = open_npy,
	.plan_unit = crn_flat_plan_unit,
	.create = create_npy,
	.journal_path = crn_part_journal_path,
};

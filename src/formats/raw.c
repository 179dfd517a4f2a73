/* SPDX-License-Identifier: Apache-2.0
 *
 * raw.c -- files of plain numbers whose shape and type the user gives:
 * read("scan.raw", shape=(400, 512, 512), dtype="uint16", offset=1024, endian="big").
 *
 * Writing makes the same without an offset: C order, little endian, nothing else in the file.
 */
#include "base/mem.h"
#include "formats/raw_io.h"
#include "formats/raw_sink.h"

#include <string.h>
#include <strings.h>

extern const crn_format crn_format_raw;

enum { OPT_SHAPE, OPT_DTYPE, OPT_OFFSET, OPT_ENDIAN };
static const char *const endians[] = {"little", "big", NULL};
static const crn_param read_params[] = {
	{"shape", CRN_P_INTS, NULL, "extents, slowest axis first", NULL},
	{"dtype", CRN_P_DTYPE, NULL, "element type: uint8, int16, float32, ...", NULL},
	{"offset", CRN_P_INT, "0", "bytes before the first element", NULL},
	{"endian", CRN_P_STR, "'little'", "byte order of the file", endians},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

typedef struct raw_source {
	crn_source base;
	crn_file file;
	crn_flat flat;
} raw_source;

static cairn_status read_box(
	crn_source *base, const crn_region *r, const crn_view *out, void *scratch, cairn_error *err)
{
	return crn_flat_read(&((raw_source *)base)->flat, r, out, scratch, err);
}

static cairn_status read_unit(
	crn_source *base, const int64_t *idx, const crn_view *out, void *scratch, cairn_error *err)
{
	crn_region r = crn_unit_region(base->type.ndim, base->type.shape, base->unit, idx);
	return read_box(base, &r, out, scratch, err);
}

static void describe(const crn_source *base, crn_str *out)
{
	const raw_source *s = (const raw_source *)base;
	crn_str_appendf(out, "\"byte_order\": \"%s\", \"offset\": %llu, \"compression\": \"none\"",
		s->flat.swap ? "big" : "little", (unsigned long long)s->flat.offset);
}

static void close_source(crn_source *base)
{
	raw_source *s = (raw_source *)base;
	crn_file_close(&s->file);
	crn_free(base->url);
	crn_free(s);
}

static const crn_source_ops source_ops = {read_unit, read_box, describe, close_source};

static cairn_status read_shape(const crn_value *v, crn_flat *flat, cairn_error *err)
{
	const crn_value *items = v->kind == CRN_V_LIST ? v->list.items : v;
	flat->ndim = v->kind == CRN_V_LIST ? v->list.n : 1;
	if (flat->ndim > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_USAGE,
			"read (raw): shape has %d axes; at most %d are possible", flat->ndim,
			CRN_MAX_NDIM);
	for (int d = 0; d < flat->ndim; d++) {
		if (items[d].kind != CRN_V_INT || items[d].i < 0)
			return crn_fail(err, CAIRN_USAGE, "read (raw): shape must be extents >= 0");
		flat->shape[d] = items[d].i;
	}
	return CAIRN_OK;
}

static cairn_status open_into(const crn_open_request *req, raw_source *s, cairn_error *err)
{
	const crn_value *o = req->options;
	if (o[OPT_SHAPE].kind == CRN_V_NONE || o[OPT_DTYPE].kind != CRN_V_STR)
		return crn_fail(
			err, CAIRN_USAGE, "%s: a raw file needs shape= and dtype=", req->url);
	CRN_TRY(read_shape(&o[OPT_SHAPE], &s->flat, err));
	int64_t offset = o[OPT_OFFSET].kind == CRN_V_INT ? o[OPT_OFFSET].i : 0;
	if (!crn_dtype_from_name(o[OPT_DTYPE].s, &s->flat.dtype))
		return crn_fail(err, CAIRN_USAGE, "read (raw): no dtype '%s'", o[OPT_DTYPE].s);
	if (offset < 0)
		return crn_fail(err, CAIRN_USAGE, "read (raw): offset must be >= 0");
	CRN_TRY(crn_file_open(req->url, &s->file, err));
	s->flat.file = &s->file;
	s->flat.offset = (uint64_t)offset;
	s->flat.swap = o[OPT_ENDIAN].kind == CRN_V_STR && strcmp(o[OPT_ENDIAN].s, "big") == 0;
	CRN_TRY(crn_flat_check(&s->flat, err));
	if (!(s->base.url = crn_strdup(req->url)))
		return crn_fail_memory(err, "a file name", strlen(req->url));
	s->base.type = crn_type_make(s->flat.dtype, s->flat.ndim, s->flat.shape);
	crn_slab_unit(&s->base.type, 1 << 20, s->base.unit);
	s->base.unit_scratch = s->base.box_scratch = CRN_FLAT_SCRATCH;
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_text(&h, "raw");
	CRN_TRY(crn_file_identity(&s->file, 4096, &h, err));
	crn_type_hash(&s->base.type, &h);
	crn_hash_u64(&h, s->flat.offset);
	crn_hash_u64(&h, s->flat.swap);
	s->base.identity = crn_hasher_result(&h);
	return CAIRN_OK;
}

static cairn_status open_raw(const crn_open_request *req, crn_source **ret, cairn_error *err)
{
	raw_source *s = crn_calloc(1, sizeof *s);
	if (!s)
		return crn_fail_memory(err, "an input", sizeof *s);
	s->base.ops = &source_ops;
	s->base.format = &crn_format_raw;
	return crn_source_hand_out(open_into(req, s, err), &s->base, ret);
}

static cairn_status no_header(void *data, crn_part *part, cairn_error *err)
{
	(void)data;
	(void)part;
	(void)err;
	return CAIRN_OK;
}

static cairn_status create_raw(const crn_create_request *req, crn_sink **ret, cairn_error *err)
{
	crn_flat_layout layout = {.header = no_header};
	return crn_flat_sink_new(req, &crn_format_raw, &layout, ret, err);
}

static const char *const suffixes[] = {".raw", ".bin", ".dat", NULL};

static bool probe(const char *url, const unsigned char *head, size_t n_head, bool is_dir)
{
	(void)head;
	size_t n = strlen(url);
	return !is_dir && n_head > 0 && n > 4 &&
	       (strcasecmp(url + n - 4, ".raw") == 0 || strcasecmp(url + n - 4, ".bin") == 0 ||
		       strcasecmp(url + n - 4, ".dat") == 0);
}

const crn_format crn_format_raw = {
	.name = "raw",
	.summary = "Plain numbers; shape, dtype, offset and byte order are given",
	.suffixes = suffixes,
	.read_params = read_params,
	.probe = probe,
	.open = open_raw,
	.plan_unit = crn_flat_plan_unit,
	.create = create_raw,
	.journal_path = crn_part_journal_path,
};

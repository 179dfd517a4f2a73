/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff.c -- TIFF and BigTIFF as an array format: multi-page files, ImageJ and OME axes.
 *
 *	tiff_ifd.c     directories of the file
 *	tiff_meta.c    ImageDescription: ImageJ, OME, tifffile
 *	tiff_series.c  pages -> one array
 *	tiff_read.c    strips and tiles -> voxels	tiff_codec.c  libtiff's codecs
 *	tiff_write.c   voxels -> files; tiff_layout.c places everything in them,
 *	tiff_pieces.c  puts compressed pages together
 */
#include "base/json.h"
#include "base/mem.h"
#include "formats/image_sink.h"
#include "formats/tiff_read.h"
#include "formats/tiff_write.h"

#include <string.h>

extern const crn_format crn_format_tiff;

typedef struct tiff_source {
	crn_source base;
	crn_tiff_series series;
} tiff_source;

static cairn_status read_unit(
	crn_source *base, const int64_t *idx, const crn_view *out, void *scratch, cairn_error *err)
{
	const tiff_source *s = (tiff_source *)base;
	crn_region unit = crn_unit_region(base->type.ndim, base->type.shape, base->unit, idx);
	return crn_tiff_read_unit(&s->series, &unit, out, scratch, err);
}

static cairn_status read_box(
	crn_source *base, const crn_region *r, const crn_view *out, void *scratch, cairn_error *err)
{
	return crn_tiff_read_box(&((tiff_source *)base)->series, r, out, scratch, err);
}

static void describe(const crn_source *base, crn_str *out)
{
	static const char *const dialects[] = {"none", "ImageJ", "OME", "tifffile"};
	const crn_tiff_series *s = &((const tiff_source *)base)->series;
	const crn_tiff_page *p = &s->first;
	crn_str_appendf(out,
		"\"pages\": %lld, \"compression\": \"%s\", \"byte_order\": \"%s\", \"bigtiff\": "
		"%s, "
		"\"bits\": %d, \"samples\": %d, \"metadata\": \"%s\"",
		(long long)s->n_planes, crn_tiff_compression_name(p->compression),
		s->t.swap ? "big" : "little", s->t.big ? "true" : "false", p->bits, p->samples,
		dialects[s->dialect]);
	if (p->predictor > 1)
		crn_str_appendf(out, ", \"predictor\": %d", p->predictor);
	if (p->tiled)
		crn_str_appendf(out, ", \"tile\": [%lld, %lld]", (long long)p->unit_height,
			(long long)p->unit_width);
	else
		crn_str_appendf(out, ", \"rows_per_strip\": %lld", (long long)p->unit_height);
	if (s->notes.len)
		crn_str_appendf(out, ", \"notes\": [%s]", s->notes.data);
}

static void close_source(crn_source *base)
{
	tiff_source *s = (tiff_source *)base;
	crn_tiff_series_close(&s->series);
	crn_free(base->url);
	crn_free(s);
}

static const crn_source_ops unit_ops = {read_unit, NULL, describe, close_source};
static const crn_source_ops box_ops = {read_unit, read_box, describe, close_source};

static cairn_status open_into(const crn_open_request *req, tiff_source *s, cairn_error *err)
{
	CRN_TRY(crn_tiff_series_open(req->url, &s->series, err));
	if (!(s->base.url = crn_strdup(req->url)))
		return crn_fail_memory(err, "a file name", strlen(req->url));
	s->base.type = s->series.type;
	crn_tiff_plan_units(&s->series, s->base.unit, &s->base.unit_scratch);
	s->base.box_scratch = CRN_FLAT_SCRATCH;
	if (crn_tiff_can_box(&s->series))
		s->base.ops = &box_ops;
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_text(&h, "tiff");
	CRN_TRY(crn_file_identity(&s->series.t.file, 4096, &h, err));
	s->base.identity = crn_hasher_result(&h);
	return CAIRN_OK;
}

static cairn_status open_tiff(const crn_open_request *req, crn_source **ret, cairn_error *err)
{
	tiff_source *s = crn_calloc(1, sizeof *s);
	if (!s)
		return crn_fail_memory(err, "an input", sizeof *s);
	s->base.ops = &unit_ops;
	s->base.format = &crn_format_tiff;
	return crn_source_hand_out(open_into(req, s, err), &s->base, ret);
}

static bool probe(const char *url, const unsigned char *head, size_t n_head, bool is_dir)
{
	(void)url;
	return !is_dir && n_head >= 4 &&
	       (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 ||
		       memcmp(head, "II+\0", 4) == 0 || memcmp(head, "MM\0+", 4) == 0);
}

static const char *const suffixes[] = {".tif", ".tiff", NULL};

const crn_format crn_format_tiff = {
	.name = "tiff",
	.summary = "TIFF and BigTIFF, with ImageJ and OME axes",
	.suffixes = suffixes,
	.probe = probe,
	.write_params = crn_tiff_write_params,
	.open = open_tiff,
	.plan_unit = crn_tiff_plan_unit,
	.create = crn_tiff_create,
	.exists = crn_image_exists,
	.remove = crn_image_remove,
	.journal_path = crn_image_journal_path,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * png.c -- PNG images as arrays: read (y, x) or (y, x, c); written one by one or as a stack.
 *
 * Read and write unit: the whole image. Written: bool (as 0 and 255, 8 bits), uint8, uint16, grey
 * or with 2 to 4 channels; other types are refused, nothing is rescaled.
 */
#include "base/mem.h"
#include "formats/image_sink.h"
#include "formats/png_read.h"

#include <spng.h>
#include <string.h>

extern const crn_format crn_format_png;

/* ---- reading ---- */

typedef struct png_source {
	crn_source base;
	crn_file file;
	crn_png_info info;
} png_source;

static cairn_status read_unit(
	crn_source *base, const int64_t *idx, const crn_view *out, void *scratch, cairn_error *err)
{
	const png_source *s = (png_source *)base;
	(void)idx;
	(void)scratch;
	size_t n = crn_view_dense_bytes(out->dtype, out->ndim, out->shape);
	return crn_png_decode(&s->file, &s->info, out->data, n, err);
}

static void describe(const crn_source *base, crn_str *out)
{
	static const char *const colors[] = {
		"grey", "", "RGB", "palette", "grey+alpha", "", "RGBA"};
	const crn_png_info *i = &((const png_source *)base)->info;
	crn_str_appendf(out,
		"\"compression\": \"deflate\", \"bits\": %d, \"color\": \"%s\", "
		"\"interlaced\": %s",
		i->bits, colors[i->color], i->interlaced ? "true" : "false");
}

static void close_source(crn_source *base)
{
	png_source *s = (png_source *)base;
	crn_file_close(&s->file);
	crn_free(base->url);
	crn_free(s);
}

static const crn_source_ops source_ops = {read_unit, NULL, describe, close_source};

static cairn_status open_into(const crn_open_request *req, png_source *s, cairn_error *err)
{
	CRN_TRY(crn_file_open(req->url, &s->file, err));
	CRN_TRY(crn_png_info_read(&s->file, &s->info, err));
	if (!(s->base.url = crn_strdup(req->url)))
		return crn_fail_memory(err, "a file name", strlen(req->url));
	const crn_png_info *i = &s->info;
	int64_t shape[3] = {i->height, i->width, i->channels};
	crn_type *t = &s->base.type;
	*t = crn_type_make(i->dtype, i->channels > 1 ? 3 : 2, shape);
	for (int d = 0; d < t->ndim; d++) {
		t->axes[d].name[0] = "yxc"[d];
		s->base.unit[d] = shape[d];
	}
	s->base.unit_scratch = 64;
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_text(&h, "png");
	CRN_TRY(crn_file_identity(&s->file, 4096, &h, err));
	s->base.identity = crn_hasher_result(&h);
	return CAIRN_OK;
}

static cairn_status open_png(const crn_open_request *req, crn_source **ret, cairn_error *err)
{
	png_source *s = crn_calloc(1, sizeof *s);
	if (!s)
		return crn_fail_memory(err, "an input", sizeof *s);
	s->base.ops = &source_ops;
	s->base.format = &crn_format_png;
	return crn_source_hand_out(open_into(req, s, err), &s->base, ret);
}

static bool probe(const char *url, const unsigned char *head, size_t n_head, bool is_dir)
{
	(void)url;
	return !is_dir && n_head >= 8 && memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0;
}

/* ---- writing ---- */

enum { OPT_LEVEL, OPT_START };
static const crn_param write_params[] = {
	{"level", CRN_P_INT, "3", "deflate level, 0 (none) to 9 (smallest)", NULL},
	{"start", CRN_P_INT, "0", "number of the first slice of a stack", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

typedef struct png_options {
	int level;
} png_options;

typedef struct drain {
	crn_image_out *out;
	cairn_error *err;
	bool failed;
} drain;

static int write_more(spng_ctx *ctx, void *user, void *data, size_t n)
{
	drain *d = user;
	(void)ctx;
	d->failed = d->failed || crn_image_put(d->out, data, n, d->err) != CAIRN_OK;
	return d->failed ? SPNG_IO_ERROR : 0;
}

static int encode_rows(spng_ctx *ctx, const crn_view *in, unsigned char *row)
{
	int64_t channels = in->ndim == 3 ? in->shape[2] : 1;
	size_t n = (size_t)(in->shape[1] * channels), item = crn_dtype_size(in->dtype);
	int code = 0;
	for (int64_t y = 0; y < in->shape[0] && !code; y++) {
		const unsigned char *src = (unsigned char *)in->data + y * in->stride[0];
		bool dense = in->ndim == 2 || in->stride[1] == channels * (int64_t)item;
		for (int64_t x = 0; !dense && x < in->shape[1]; x++)
			memcpy(row + (size_t)(x * channels) * item, src + x * in->stride[1],
				(size_t)channels * item);
		if (!dense)
			src = row;
		if (in->dtype == CRN_BOOL) {
			for (size_t i = 0; i < n; i++)
				row[i] = src[i] ? 255 : 0;
			src = row;
		}
		code = spng_encode_row(ctx, src, n * item);
	}
	return code;
}

static cairn_status encode(
	const void *data, const crn_view *in, crn_image_out *out, void *scratch, cairn_error *err)
{
	static const uint8_t colors[] = {0, SPNG_COLOR_TYPE_GRAYSCALE,
		SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, SPNG_COLOR_TYPE_TRUECOLOR,
		SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
	const png_options *o = data;
	drain d = {.out = out, .err = err};
	struct spng_ihdr ihdr = {.width = (uint32_t)in->shape[1],
		.height = (uint32_t)in->shape[0],
		.bit_depth = in->dtype == CRN_U16 ? 16 : 8,
		.color_type = colors[in->ndim == 3 ? in->shape[2] : 1]};
	spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
	if (!ctx)
		return crn_fail_memory(err, "a PNG encoder", 4096);
	int code = spng_set_ihdr(ctx, &ihdr);
	if (!code)
		code = spng_set_option(ctx, SPNG_IMG_COMPRESSION_LEVEL, o->level);
	/* Sub and Up suit smooth grey; trying all five filters costs more time than it saves bytes.
	 */
	if (!code)
		code = spng_set_option(
			ctx, SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_SUB | SPNG_FILTER_CHOICE_UP);
	if (!code)
		code = spng_set_png_stream(ctx, write_more, &d);
	if (!code)
		code = spng_encode_image(
			ctx, NULL, 0, SPNG_FMT_PNG, SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE);
	if (!code)
		code = encode_rows(ctx, in, scratch);
	spng_ctx_free(ctx);
	if (d.failed)
		return err ? err->status : CAIRN_FAILED;
	if (code && code != SPNG_EOI)
		return crn_fail(err, CAIRN_FAILED, "cannot encode a PNG: %s", spng_strerror(code));
	return CAIRN_OK;
}

static cairn_status check_type(
	const char *url, const crn_type *t, int64_t channels, cairn_error *err)
{
	if (t->dtype == CRN_BOOL || t->dtype == CRN_U8 || t->dtype == CRN_U16) {
		if (channels >= 1 && channels <= 4)
			return CAIRN_OK;
		return crn_fail(err, CAIRN_USAGE, "%s: a PNG has 1 to 4 channels, not %lld", url,
			(long long)channels);
	}
	crn_fail(err, CAIRN_USAGE, "%s: a PNG cannot hold %s", url, crn_dtype_name(t->dtype));
	if (crn_dtype_is_float(t->dtype))
		crn_hint(err, "scale and cast it first, or write .tif, .npy or .zarr");
	else
		crn_hint(err, "if all values fit, cast with astype(\"uint16\"); else write .tif or "
			      ".zarr");
	return CAIRN_USAGE;
}

static const char *const suffixes[] = {".png", NULL};

/* Checks everything; the encoder's data is left to create. */
static cairn_status make_spec(
	const crn_create_request *req, crn_image_sink_spec *ret, int *ret_level, cairn_error *err)
{
	const crn_type *t = &req->type;
	bool color = crn_image_has_channels(t, crn_image_is_single(req->url, suffixes));
	const crn_value *level = &req->options[OPT_LEVEL], *start = &req->options[OPT_START];
	int64_t l = level->kind == CRN_V_INT ? level->i : 3;
	int64_t first = start->kind == CRN_V_INT ? start->i : 0;
	int64_t channels = color ? t->shape[t->ndim - 1] : 1;
	CRN_TRY(check_type(req->url, t, channels, err));
	if (l < 0 || l > 9 || first < 0)
		return crn_fail(err, CAIRN_USAGE, "%s: level is 0 to 9, start is >= 0", req->url);
	int64_t width = t->ndim >= 2 + color ? t->shape[t->ndim - 1 - color] : 1;
	*ret_level = (int)l;
	*ret = (crn_image_sink_spec){
		.format = &crn_format_png,
		.encoder = {.encode = encode,
			.scratch_bytes = (size_t)(width * channels) * crn_dtype_size(t->dtype)},
		.start = first,
		.slice_ndim = 2 + color,
	};
	return CAIRN_OK;
}

static cairn_status plan_unit(const crn_create_request *req, int64_t ret_unit[CRN_MAX_NDIM],
	size_t *ret_unit_scratch, cairn_error *err)
{
	crn_image_sink_spec spec;
	int level;
	CRN_TRY(make_spec(req, &spec, &level, err));
	return crn_image_plan(req, &spec, ret_unit, ret_unit_scratch, err);
}

static cairn_status create_png(const crn_create_request *req, crn_sink **ret, cairn_error *err)
{
	crn_image_sink_spec spec;
	int level;
	CRN_TRY(make_spec(req, &spec, &level, err));
	png_options *o = crn_alloc(sizeof *o);
	if (!o)
		return crn_fail_memory(err, "an output", sizeof *o);
	o->level = level;
	spec.encoder.data = o;
	return crn_image_sink_new(req, &spec, ret, err);
}

const crn_format crn_format_png = {
	.name = "png",
	.summary = "PNG images of 8 and 16 bits, single or as a numbered stack",
	.suffixes = suffixes,
	.write_params = write_params,
	.probe = probe,
	.open = open_png,
	.plan_unit = plan_unit,
	.create = create_png,
	.exists = crn_image_exists,
	.remove = crn_image_remove,
	.journal_path = crn_image_journal_path,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * png_read.c -- PNG through libspng. Grey of 1, 2 and 4 bits is spread to 0..255 (as PIL and
 * OpenCV do), palettes become colours, 16 bits stay 16 bits; gamma and transparency of grey and
 * RGB images are left alone.
 *
 * libspng holds two rows and its inflate state (below 100 KiB + 2 rows); metadata chunks above
 * 16 MiB are refused.
 */
#include "formats/png_read.h"

#include <spng.h>
#include <string.h>

static cairn_status broken(const crn_file *f, const char *why, cairn_error *err)
{
	crn_fail(err, CAIRN_INPUT, "%s: broken PNG: %s", f->path, why);
	crn_hint(err, "the file is damaged or truncated; copy or write it again");
	return CAIRN_INPUT;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool depth_fits_color(int bits, int color)
{
	switch (color) {
	case 0:
		return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
	case 3:
		return bits == 1 || bits == 2 || bits == 4 || bits == 8;
	case 2:
	case 4:
	case 6:
		return bits == 8 || bits == 16;
	default:
		return false;
	}
}

/* Is there a tRNS chunk before the pixels? Walks chunk headers only. */
static cairn_status find_transparency(const crn_file *f, bool *ret, cairn_error *err)
{
	enum { MAX_CHUNKS = 10000 };
	uint64_t at = 8;
	for (int i = 0; i < MAX_CHUNKS; i++) {
		unsigned char head[8];
		size_t got = 0;
		CRN_TRY(crn_file_read_some(f, at, head, sizeof head, &got, err));
		if (got < sizeof head || memcmp(head + 4, "IEND", 4) == 0)
			return broken(f, "no pixels", err);
		if (memcmp(head + 4, "IDAT", 4) == 0)
			return CAIRN_OK;
		if (memcmp(head + 4, "tRNS", 4) == 0)
			*ret = true;
		at += 12 + (uint64_t)be32(head);
	}
	return broken(f, "too many chunks before the pixels", err);
}

cairn_status crn_png_info_read(const crn_file *f, crn_png_info *ret, cairn_error *err)
{
	unsigned char b[33];
	size_t got = 0;
	CRN_TRY(crn_file_read_some(f, 0, b, sizeof b, &got, err));
	if (got < 8 || memcmp(b, "\x89PNG\r\n\x1a\n", 8) != 0)
		return crn_fail(err, CAIRN_INPUT, "%s is no PNG file", f->path);
	if (got < sizeof b || be32(b + 8) != 13 || memcmp(b + 12, "IHDR", 4) != 0)
		return broken(f, "no image header", err);
	crn_png_info info = {.width = be32(b + 16),
		.height = be32(b + 20),
		.bits = b[24],
		.color = b[25],
		.interlaced = b[28] == 1};
	if (info.width < 1 || info.height < 1 || info.width > INT32_MAX || info.height > INT32_MAX)
		return broken(f, "width or height is 0 or above 2^31", err);
	if (!depth_fits_color(info.bits, info.color) || b[26] || b[27] || b[28] > 1)
		return broken(f, "unknown depth, colour type or method", err);
	if (info.color == 3)
		CRN_TRY(find_transparency(f, &info.transparency, err));
	static const int channels[] = {1, 0, 3, 3, 2, 0, 4};
	info.channels = channels[info.color] + (info.color == 3 && info.transparency);
	info.dtype = info.bits == 16 ? CRN_U16 : CRN_U8;
	*ret = info;
	return CAIRN_OK;
}

typedef struct feed {
	const crn_file *file;
	uint64_t at;
	cairn_error *err;
	bool failed; /* err says why */
} feed;

static int read_more(spng_ctx *ctx, void *user, void *data, size_t n)
{
	feed *in = user;
	size_t got = 0;
	(void)ctx;
	if (crn_file_read_some(in->file, in->at, data, n, &got, in->err) != CAIRN_OK) {
		in->failed = true;
		return SPNG_IO_ERROR;
	}
	in->at += got;
	return got == n ? 0 : SPNG_IO_EOF;
}

cairn_status crn_png_decode(
	const crn_file *f, const crn_png_info *info, void *out, size_t n, cairn_error *err)
{
	feed in = {.file = f, .err = err};
	spng_ctx *ctx = spng_ctx_new(0);
	if (!ctx)
		return crn_fail_memory(err, "a PNG decoder", 4096);
	int format = SPNG_FMT_PNG;
	if (info->color == 3)
		format = info->channels == 4 ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
	else if (info->bits < 8)
		format = SPNG_FMT_G8;
	int flags = info->color == 3 && info->channels == 4 ? SPNG_DECODE_TRNS : 0;
	size_t size = 0;
	struct spng_ihdr ihdr;
	int code = spng_set_chunk_limits(ctx, 16 << 20, 64 << 20);
	if (!code)
		code = spng_set_png_stream(ctx, read_more, &in);
	if (!code)
		code = spng_get_ihdr(ctx, &ihdr);
	if (!code)
		code = spng_decoded_image_size(ctx, format, &size);
	if (!code && (size != n || ihdr.width != info->width || ihdr.height != info->height))
		code = SPNG_EBUFSIZ; /* the file changed since it was opened */
	if (!code)
		code = spng_decode_image(ctx, out, n, format, flags);
	spng_ctx_free(ctx);
	if (in.failed)
		return err ? err->status : CAIRN_INPUT;
	return code ? broken(f, spng_strerror(code), err) : CAIRN_OK;
}

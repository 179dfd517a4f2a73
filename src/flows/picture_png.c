/* SPDX-License-Identifier: Apache-2.0
 *
 * picture_png.c -- writing a picture as PNG: into a temporary file beside it, then a rename.
 */
#include "flows/picture.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <spng.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_grey(const crn_picture *p)
{
	for (int64_t i = 0; i < p->width * p->height; i++) {
		const uint8_t *at = p->rgb + 3 * i;
		if (at[0] != at[1] || at[1] != at[2])
			return false;
	}
	return true;
}

/* `pixels` is RGB, or one byte a pixel when grey. Returns spng's code. */
static int encode(FILE *f, const crn_picture *p, const uint8_t *pixels, bool grey)
{
	spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
	if (!ctx)
		return SPNG_EMEM;
	struct spng_ihdr header = {
		.width = (uint32_t)p->width,
		.height = (uint32_t)p->height,
		.bit_depth = 8,
		.color_type = grey ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR,
	};
	size_t n = (size_t)(p->width * p->height) * (grey ? 1 : 3);
	int rc = spng_set_png_file(ctx, f);
	rc = rc ? rc : spng_set_ihdr(ctx, &header);
	rc = rc ? rc : spng_encode_image(ctx, pixels, n, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
	spng_ctx_free(ctx);
	return rc;
}

static cairn_status write_at(const char *tmp, const crn_picture *p, const uint8_t *pixels,
	bool grey, const char *path, cairn_error *err)
{
	FILE *f = fopen(tmp, "wb");
	if (!f)
		return crn_fail_errno(err, CAIRN_FAILED, "cannot create", path);
	errno = 0;
	int rc = encode(f, p, pixels, grey);
	int why = errno;
	if (fclose(f) != 0 && rc == 0) {
		why = errno;
		rc = SPNG_IO_ERROR;
	}
	if (rc == 0 && rename(tmp, path) == 0)
		return CAIRN_OK;
	/* The file's trouble (full disk) says more than the encoder's name for it. */
	errno = rc == 0 ? errno : why;
	cairn_status s = errno ? crn_fail_errno(err, CAIRN_FAILED, "cannot write", path)
			       : crn_fail(err, CAIRN_FAILED, "cannot encode %s: %s", path,
					 spng_strerror(rc));
	unlink(tmp);
	return s;
}

cairn_status crn_picture_write_png(const crn_picture *p, const char *path, cairn_error *err)
{
	bool grey = is_grey(p);
	size_t n = (size_t)(p->width * p->height);
	CRN_FREE uint8_t *packed = NULL;
	if (grey) {
		packed = crn_alloc(n);
		if (!packed)
			return crn_fail_memory(err, "a picture", n);
		for (size_t i = 0; i < n; i++)
			packed[i] = p->rgb[3 * i];
	}
	CRN_STR tmp = {0};
	crn_str_appendf(&tmp, "%s.tmp-%ld", path, (long)getpid());
	if (tmp.oom)
		return crn_fail_memory(err, "a file name", strlen(path));
	return write_at(tmp.data, p, grey ? packed : p->rgb, grey, path, err);
}

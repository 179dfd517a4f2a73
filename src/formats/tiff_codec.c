/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_codec.c -- libtiff over a file of one strip that exists only in memory. See tiff_codec.h.
 *
 * Decoding: the file is a header and one directory; the compressed bytes come through
 * TIFFReadFromUserBuffer. Encoding: libtiff writes header, strip, directory; the strip is kept.
 */
#include "formats/tiff_codec.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <tiffio.h>

struct crn_tiff_codec {
	TIFF *tiff;
	unsigned char file[256]; /* the file libtiff sees: header and directory */
	size_t n, at;
	char message[200]; /* the first complaint of the current call */
	/* encoding: bytes [strip_at, strip_at + cap) of the file go to out */
	unsigned char *out;
	size_t cap, end;
	bool overflow;
};

static int keep_message(TIFF *tiff, void *user, const char *module, const char *fmt, va_list ap)
{
	crn_tiff_codec *c = user;
	(void)tiff;
	(void)module;
	if (!c->message[0])
		vsnprintf(c->message, sizeof c->message, fmt, ap);
	return 1;
}

static int drop_message(TIFF *tiff, void *user, const char *module, const char *fmt, va_list ap)
{
	(void)tiff;
	(void)user;
	(void)module;
	(void)fmt;
	(void)ap;
	return 1;
}

static tmsize_t mem_read(thandle_t h, void *buf, tmsize_t n)
{
	crn_tiff_codec *c = h;
	size_t left = c->at < c->n ? c->n - c->at : 0, take = (size_t)n < left ? (size_t)n : left;
	memcpy(buf, c->file + c->at, take);
	c->at += take;
	return (tmsize_t)take;
}

/* Header bytes 0..7 and what follows the strip are libtiff's affair; the strip starts at 8. */
static tmsize_t mem_write(thandle_t h, void *buf, tmsize_t n)
{
	crn_tiff_codec *c = h;
	if (c->at >= 8 && c->out) {
		size_t off = c->at - 8;
		if (off > c->cap || (size_t)n > c->cap - off)
			c->overflow = true;
		else
			memcpy(c->out + off, buf, (size_t)n);
	}
	c->at += (size_t)n;
	c->end = c->at > c->end ? c->at : c->end;
	return n;
}

static toff_t mem_seek(thandle_t h, toff_t off, int whence)
{
	crn_tiff_codec *c = h;
	size_t end = c->out ? c->end : c->n;
	c->at = whence == SEEK_SET ? off : whence == SEEK_CUR ? c->at + off : end + off;
	return c->at;
}

static int mem_close(thandle_t h)
{
	(void)h;
	return 0;
}

static toff_t mem_size(thandle_t h)
{
	crn_tiff_codec *c = h;
	return c->out ? c->end : c->n;
}

static void put(crn_tiff_codec *c, bool swap, int bytes, uint32_t v)
{
	for (int i = 0; i < bytes; i++)
		c->file[c->n++] = (unsigned char)(v >> 8 * (swap ? bytes - 1 - i : i));
}

static void put_entry(crn_tiff_codec *c, bool swap, int tag, int type, uint32_t v)
{
	put(c, swap, 2, (uint32_t)tag);
	put(c, swap, 2, (uint32_t)type);
	put(c, swap, 4, 1);
	put(c, swap, type == 3 ? 2 : 4, v);
	if (type == 3)
		put(c, swap, 2, 0);
}

/* A classic TIFF of one page and one strip; strip position and size are never used. */
static void write_file(crn_tiff_codec *c, const crn_tiff_coding *k)
{
	enum { is_short = 3, is_long = 4 };
	bool s = k->swap;
	memcpy(c->file, s ? "MM" : "II", 2);
	c->n = 2;
	put(c, s, 2, 42);
	put(c, s, 4, 8);
	put(c, s, 2, k->predictor > 1 ? 13 : 12);
	put_entry(c, s, TIFFTAG_IMAGEWIDTH, is_long, k->width);
	put_entry(c, s, TIFFTAG_IMAGELENGTH, is_long, k->rows);
	put_entry(c, s, TIFFTAG_BITSPERSAMPLE, is_short, k->bits);
	put_entry(c, s, TIFFTAG_COMPRESSION, is_short, k->compression);
	put_entry(c, s, TIFFTAG_PHOTOMETRIC, is_short, PHOTOMETRIC_MINISBLACK);
	put_entry(c, s, TIFFTAG_FILLORDER, is_short, k->fill_order == 2 ? 2 : 1);
	put_entry(c, s, TIFFTAG_STRIPOFFSETS, is_long, 8);
	put_entry(c, s, TIFFTAG_SAMPLESPERPIXEL, is_short, k->samples);
	put_entry(c, s, TIFFTAG_ROWSPERSTRIP, is_long, k->rows);
	put_entry(c, s, TIFFTAG_STRIPBYTECOUNTS, is_long, 8);
	put_entry(c, s, TIFFTAG_PLANARCONFIG, is_short, PLANARCONFIG_CONTIG);
	if (k->predictor > 1)
		put_entry(c, s, TIFFTAG_PREDICTOR, is_short, k->predictor);
	put_entry(c, s, TIFFTAG_SAMPLEFORMAT, is_short, k->sample_format);
	put(c, s, 4, 0);
}

static TIFF *open_tiff(crn_tiff_codec *c, const char *mode)
{
	TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
	if (!o)
		return NULL;
	TIFFOpenOptionsSetErrorHandlerExtR(o, keep_message, c);
	TIFFOpenOptionsSetWarningHandlerExtR(o, drop_message, c);
	TIFF *t = TIFFClientOpenExt("strip", mode, c, mem_read, mem_write, mem_seek, mem_close,
		mem_size, NULL, NULL, o);
	TIFFOpenOptionsFree(o);
	return t;
}

static bool known(const crn_tiff_coding *k)
{
	return TIFFIsCODECConfigured(k->compression) &&
	       (k->compression == COMPRESSION_NONE || k->compression == COMPRESSION_LZW ||
		       k->compression == COMPRESSION_PACKBITS ||
		       k->compression == COMPRESSION_ADOBE_DEFLATE ||
		       k->compression == COMPRESSION_DEFLATE || k->compression == COMPRESSION_ZSTD);
}

cairn_status crn_tiff_codec_open(const crn_tiff_coding *k, crn_tiff_codec **ret, cairn_error *err)
{
	if (!known(k))
		return crn_fail(
			err, CAIRN_INPUT, "TIFF compression %d is not supported", k->compression);
	crn_tiff_codec *c = crn_calloc(1, sizeof *c);
	if (!c)
		return crn_fail_memory(err, "a TIFF codec", sizeof *c);
	write_file(c, k);
	c->tiff = open_tiff(c, "rmOc");
	if (!c->tiff) {
		crn_fail(err, CAIRN_INPUT, "libtiff refuses this layout: %s", c->message);
		crn_free(c);
		return CAIRN_INPUT;
	}
	*ret = c;
	return CAIRN_OK;
}

cairn_status crn_tiff_decode(
	crn_tiff_codec *c, void *in, size_t n_in, void *out, size_t n_out, cairn_error *err)
{
	c->message[0] = 0;
	if (TIFFReadFromUserBuffer(c->tiff, 0, in, (tmsize_t)n_in, out, (tmsize_t)n_out) == 1)
		return CAIRN_OK;
	return crn_fail(err, CAIRN_INPUT, "damaged data: %s",
		c->message[0] ? c->message : "does not decode");
}

void crn_tiff_codec_close(crn_tiff_codec *c)
{
	if (!c)
		return;
	TIFFClose(c->tiff);
	crn_free(c);
}

static bool set_fields(TIFF *t, const crn_tiff_coding *k)
{
	bool ok = TIFFSetField(t, TIFFTAG_IMAGEWIDTH, k->width) &&
		  TIFFSetField(t, TIFFTAG_IMAGELENGTH, k->rows) &&
		  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, k->bits) &&
		  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, k->samples) &&
		  TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, k->sample_format) &&
		  TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
		  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK) &&
		  TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, k->rows) &&
		  TIFFSetField(t, TIFFTAG_COMPRESSION, k->compression);
	if (ok && k->predictor > 1)
		ok = TIFFSetField(t, TIFFTAG_PREDICTOR, k->predictor);
	return ok;
}

cairn_status crn_tiff_encode(const crn_tiff_coding *k, void *in, size_t n_in, void *out, size_t cap,
	size_t *ret_n, cairn_error *err)
{
	crn_tiff_codec c = {.out = out, .cap = cap};
	TIFF *t = known(k) ? open_tiff(&c, "wl") : NULL;
	if (!t)
		return crn_fail(
			err, CAIRN_FAILED, "libtiff cannot write compression %d", k->compression);
	bool ok = set_fields(t, k) &&
		  TIFFWriteEncodedStrip(t, 0, in, (tmsize_t)n_in) == (tmsize_t)n_in;
	uint64_t *counts = NULL, *offsets = NULL;
	ok = ok && TIFFGetField(t, TIFFTAG_STRIPBYTECOUNTS, &counts) &&
	     TIFFGetField(t, TIFFTAG_STRIPOFFSETS, &offsets) && offsets[0] == 8 && !c.overflow;
	size_t n = ok ? (size_t)counts[0] : 0;
	c.cap = n; /* the directory that closing writes is not wanted */
	TIFFClose(t);
	if (!ok)
		return crn_fail(err, CAIRN_FAILED, "libtiff cannot encode a strip: %s", c.message);
	*ret_n = n;
	return CAIRN_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_ifd.h -- the directories of TIFF and BigTIFF files, read with bounds.
 *
 *	header ── first IFD ── next IFD ── ... ── 0	one IFD (list of tags) per page
 *			│
 *			└─ offsets and byte counts of its strips or tiles
 *
 * Why not libtiff's reader: it loads whole offset arrays, walks the chain from the start for every
 * page and keeps one page per handle. Here a page costs one pread when the file is opened, 40 bytes
 * afterwards, and any thread can find any strip. libtiff decodes (tiff_codec.h), and sees a
 * directory that we wrote, never the file's.
 */
#ifndef CRN_FORMATS_TIFF_IFD_H
#define CRN_FORMATS_TIFF_IFD_H

#include "formats/raw_io.h"

typedef struct crn_tiff_file {
	crn_file file;
	bool big;  /* BigTIFF: 64-bit offsets */
	bool swap; /* big endian */
} crn_tiff_file;

/** Values of one tag, where they lie in the file. n == 0: the tag is absent. */
typedef struct crn_tiff_array {
	uint64_t at, n;
	uint16_t type;
} crn_tiff_array;

/** One page. Tags that are absent have the default of the specification. */
typedef struct crn_tiff_page {
	uint64_t ifd, next;
	int64_t width, height;
	int64_t unit_width, unit_height; /* of a tile, or width and rows of a strip */
	uint32_t subfile;                /* NewSubfileType: bit 0 reduced resolution, bit 2 mask */
	uint16_t bits, samples, sample_format, compression, predictor, photometric, planar;
	uint16_t fill_order, resolution_unit;
	bool tiled;
	crn_tiff_array offsets, counts, description, x_resolution, y_resolution;
} crn_tiff_page;

enum {
	TIFF_NONE = 1,
	TIFF_LZW = 5,
	TIFF_ADOBE_DEFLATE = 8,
	TIFF_PACKBITS = 32773,
	TIFF_OLD_DEFLATE = 32946,
	TIFF_ZSTD = 50000
};

/** Opens the file; INPUT if it is no TIFF. ret_first: position of the first IFD. */
CRN_CHECKED cairn_status crn_tiff_open(
	const char *url, crn_tiff_file *ret, uint64_t *ret_first, cairn_error *err);
/** Reads the directory at `ifd`. `number` (from 0) is for messages only. */
CRN_CHECKED cairn_status crn_tiff_read_page(
	const crn_tiff_file *t, uint64_t ifd, int64_t number, crn_tiff_page *ret, cairn_error *err);
/** Strips or tiles of a page, all sample planes together. */
int64_t crn_tiff_n_units(const crn_tiff_page *p);
/** Bytes of one decoded row of a strip or tile (of one sample plane). */
int64_t crn_tiff_row_bytes(const crn_tiff_page *p);
/** Elements first .. first + n of an integer array as numbers; INPUT if it is shorter. */
CRN_CHECKED cairn_status crn_tiff_values(const crn_tiff_file *t, const crn_tiff_array *a,
	uint64_t first, size_t n, uint64_t *ret, cairn_error *err);
/** A text tag, terminated; *ret is NULL when absent. Longer than 64 MiB is cut. Caller frees. */
CRN_CHECKED cairn_status crn_tiff_text(
	const crn_tiff_file *t, const crn_tiff_array *a, char **ret, cairn_error *err);
/** A rational tag as a number, 0 when absent or broken. */
double crn_tiff_rational(const crn_tiff_file *t, const crn_tiff_array *a);
const char *crn_tiff_compression_name(int compression);

#endif

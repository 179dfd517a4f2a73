/* SPDX-License-Identifier: Apache-2.0
 *
 * png_read.h -- one PNG image: what it is (chunks before the pixels), and its pixels (libspng).
 */
#ifndef CRN_FORMATS_PNG_READ_H
#define CRN_FORMATS_PNG_READ_H

#include "formats/raw_io.h"

typedef struct crn_png_info {
	int64_t width, height;
	int bits, color; /* of the file: PNG bit depth and colour type */
	bool interlaced, transparency;
	int channels;    /* as read: 1 to 4 */
	crn_dtype dtype; /* as read: uint8 or uint16 */
} crn_png_info;

/** Reads the chunks before the pixels. INPUT naming the file. */
CRN_CHECKED cairn_status crn_png_info_read(const crn_file *f, crn_png_info *ret, cairn_error *err);
/** Decodes the whole image into `out` (dense, y, x[, c]). */
CRN_CHECKED cairn_status crn_png_decode(
	const crn_file *f, const crn_png_info *info, void *out, size_t n, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_series.h -- the pages of a TIFF file as one array.
 *
 *	[t, z, c]     pages, from ImageJ, OME or tifffile metadata; without any: z
 *	[c]           sample planes, when they are stored apart (planar configuration 2)
 *	y, x
 *	[c]           samples, when they are stored together
 *
 * Axes of one page (t, z, c of length 1) are dropped. The array is the first series: the pages
 * from the first on that are alike. Reduced-resolution pages, masks and pages after the series are
 * left out and noted; a page of another kind *between* alike ones is an error.
 *
 * Invariants: (1) every plane of the array has a page, or lies in the file after the first page's
 * (ImageJ above 4 GB: `contiguous`). (2) All pages have the extents and the tile grid of `first`.
 * Threads: immutable after opening.
 */
#ifndef CRN_FORMATS_TIFF_SERIES_H
#define CRN_FORMATS_TIFF_SERIES_H

#include "formats/tiff_ifd.h"
#include "formats/tiff_meta.h"

/** Where a page's strips or tiles are listed, and what may differ from page to page. */
typedef struct crn_tiff_loc {
	uint64_t offsets_at, counts_at;
	uint8_t offsets_type, counts_type; /* counts_type 0: no counts (uncompressed) */
	uint8_t predictor, fill_order;
	uint16_t compression;
} crn_tiff_loc;

typedef struct crn_tiff_series {
	crn_tiff_file t;
	crn_tiff_page first;
	crn_tiff_loc *pages;
	int64_t n_pages;   /* entries of `pages` */
	int64_t n_planes;  /* pages of the array; > n_pages only if contiguous */
	bool contiguous;   /* planes follow each other in the file, without directories */
	uint64_t plane_at; /* contiguous: position of plane 0 */
	int64_t plane_bytes;
	int n_page_axes;
	int64_t page_stride[CRN_MAX_NDIM];           /* pages from index to index of a page axis */
	int axis_plane, axis_y, axis_x, axis_sample; /* -1: there is none */
	crn_type type;
	crn_tiff_dialect dialect;
	bool uncompressed; /* all pages */
	crn_str notes;     /* JSON strings, comma separated */
} crn_tiff_series;

CRN_CHECKED cairn_status crn_tiff_series_open(
	const char *url, crn_tiff_series *ret, cairn_error *err);
void crn_tiff_series_close(crn_tiff_series *s); /* safe on a zeroed struct */

#endif

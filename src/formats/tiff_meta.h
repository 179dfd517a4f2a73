/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_meta.h -- what the ImageDescription of the first page says about the axes of a TIFF.
 *
 * Three dialects: ImageJ ("ImageJ=1.53\nimages=12\nslices=6\n..."), OME-XML, and the JSON that
 * tifffile writes ({"shape": [6, 2, 40, 50], "axes": "ZCYX"}). Text is only scanned, with bounds;
 * whatever is not understood is left at its default.
 */
#ifndef CRN_FORMATS_TIFF_META_H
#define CRN_FORMATS_TIFF_META_H

#include "base/err.h"
#include "core/region.h"

typedef enum crn_tiff_dialect {
	CRN_TIFF_PLAIN,
	CRN_TIFF_IMAGEJ,
	CRN_TIFF_OME,
	CRN_TIFF_SHAPED,
} crn_tiff_dialect;

typedef struct crn_tiff_meta {
	crn_tiff_dialect dialect;
	/* IMAGEJ: images=; how many pages the file is said to have, 0 when not said. */
	int64_t images;
	/* IMAGEJ, OME: pages along t, z, c, and how many pages apart two neighbours are. */
	int64_t size_t_axis, size_z, size_c, stride_t, stride_z, stride_c;
	/* SHAPED: the whole shape; names may be "" */
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	char axes[CRN_MAX_NDIM + 1];
	/* Distance of voxel centres and unit; 0 and "" when not said. ImageJ: x and y are in the
	 * resolution tags, in units of `unit`. */
	double scale_x, scale_y, scale_z, scale_t;
	char unit[16], unit_t[16];
	int n_series; /* OME: images in the file */
} crn_tiff_meta;

/**
 * Scans `text` (NULL: no description).
 *
 * @return INPUT (without a file name) for OME files whose planes cannot be found in this file by
 *	counting: parts in other files, or planes in an order of their own
 */
CRN_CHECKED cairn_status crn_tiff_meta_scan(const char *text, crn_tiff_meta *ret, cairn_error *err);
/** "um", "µm", "\\u00B5m", "micron" -> "micrometer" and so on; unknown ones are kept, cut. */
void crn_tiff_unit(const char *text, size_t n, char ret[16]);

#endif

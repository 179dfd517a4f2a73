/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_read.h -- pixels of an opened TIFF series, by units (tiles, groups of strips) and, when
 * nothing is compressed, by boxes.
 */
#ifndef CRN_FORMATS_TIFF_READ_H
#define CRN_FORMATS_TIFF_READ_H

#include "formats/tiff_series.h"

/** The read unit: a tile, or strips of a page up to at least 64 KiB; and the scratch it needs. */
void crn_tiff_plan_units(const crn_tiff_series *s, int64_t *ret_unit, size_t *ret_scratch);
/** True if boxes can be read without decoding. */
bool crn_tiff_can_box(const crn_tiff_series *s);
CRN_CHECKED cairn_status crn_tiff_read_unit(const crn_tiff_series *s, const crn_region *unit,
	const crn_view *out, void *scratch, cairn_error *err);
CRN_CHECKED cairn_status crn_tiff_read_box(const crn_tiff_series *s, const crn_region *r,
	const crn_view *out, void *scratch, cairn_error *err);

#endif

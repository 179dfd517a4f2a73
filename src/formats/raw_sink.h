/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_sink.h -- a sink over one file whose pixels lie as plain numbers in C order behind a header:
 * NPY, raw and uncompressed TIFF.
 *
 * Any box may be the write unit, for every byte has one writer; the default is a box of whole rows
 * of about 8 MiB with at least 16 planes, so that filters need little overlap. The header is
 * written by finish, then the file gets its name.
 */
#ifndef CRN_FORMATS_RAW_SINK_H
#define CRN_FORMATS_RAW_SINK_H

#include "core/format.h"
#include "formats/raw_part.h"

typedef struct crn_flat_layout {
	uint64_t data_offset; /* of element 0 */
	bool bool_as_255;     /* masks are stored as 0 and 255 (images) instead of 0 and 1 */
	/* Writes all bytes before data_offset. Called by finish. */
	cairn_status (*header)(void *header_data, crn_part *part, cairn_error *err);
	void *header_data;
	void (*header_done)(void *header_data); /* frees header_data; may be NULL */
} crn_flat_layout;

/** Takes layout->header_data, also on failure. */
CRN_CHECKED cairn_status crn_flat_sink_new(const crn_create_request *req, const crn_format *format,
	const crn_flat_layout *layout, crn_sink **ret, cairn_error *err);

/** The default write unit described above, or the caller's `chunks` clipped to the array. */
void crn_flat_write_unit(const crn_type *t, const int64_t *chunks, int64_t *ret_unit);

/** crn_format.plan_unit of the flat formats. */
CRN_CHECKED cairn_status crn_flat_plan_unit(const crn_create_request *req,
	int64_t ret_unit[CRN_MAX_NDIM], size_t *ret_unit_scratch, cairn_error *err);

#endif

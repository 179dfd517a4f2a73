/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_write.h -- the three ways a TIFF is written: one uncompressed file (raw_sink.h), one
 * compressed file (pieces, put together in finish), one file a slice (image_sink.h).
 */
#ifndef CRN_FORMATS_TIFF_WRITE_H
#define CRN_FORMATS_TIFF_WRITE_H

#include "core/format.h"
#include "formats/tiff_layout.h"

/** Options of write(..., "x.tif"). */
enum { CRN_TIFF_OPT_COMPRESSION, CRN_TIFF_OPT_START };
extern const crn_param crn_tiff_write_params[];

CRN_CHECKED cairn_status crn_tiff_plan_unit(const crn_create_request *req,
	int64_t ret_unit[CRN_MAX_NDIM], size_t *ret_unit_scratch, cairn_error *err);
CRN_CHECKED cairn_status crn_tiff_create(
	const crn_create_request *req, crn_sink **ret, cairn_error *err);

/** tiff_pieces.c: takes `layout`, also on failure. */
CRN_CHECKED cairn_status crn_tiff_pieces_new(const crn_create_request *req,
	const crn_format *format, crn_tiff_layout *take_layout, crn_sink **ret, cairn_error *err);

/** Write unit and scratch of that sink. */
void crn_tiff_pieces_plan(const crn_tiff_layout *l, const crn_type *t, const int64_t *chunks,
	int64_t *ret_unit, size_t *ret_scratch);

/** Bytes of scratch crn_tiff_pack_strip needs. */
size_t crn_tiff_pack_scratch(const crn_tiff_layout *l);
/**
 * Encodes rows y .. y + n of one page (`in`: y, x[, c], rows contiguous) as one strip.
 *
 * @param ret_bytes  in scratch; valid until the next call
 */
CRN_CHECKED cairn_status crn_tiff_pack_strip(const crn_tiff_layout *l, const crn_view *in,
	int64_t y, int64_t n, void *scratch, const void **ret_bytes, size_t *ret_n,
	cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * image_sink.h -- a sink whose write unit is one image file: PNG and TIFF stacks, single PNGs.
 *
 *	slices/img.00000.png ...	final names; appear in finish, all together
 *	slices/.img.%05d.png.cairn/	journal folder
 *	slices/.img.%05d.png.cairn/units/img.00000.png	finished slices until then
 *
 * The url is a pattern (dir/img.%05d.png), the name of one file, or a folder (then the names are
 * 00000.png, ...). Slices are numbered from 0 (option start). A format gives an encoder that turns
 * one slice into bytes, front to back. A folder that already holds other files of the same pattern
 * is refused (EXISTS): old and new slices would read as one stack.
 */
#ifndef CRN_FORMATS_IMAGE_SINK_H
#define CRN_FORMATS_IMAGE_SINK_H

#include "core/format.h"

/** Where an encoder writes: buffered, hashed, in order. */
typedef struct crn_image_out crn_image_out;
CRN_CHECKED cairn_status crn_image_put(
	crn_image_out *out, const void *bytes, size_t n, cairn_error *err);
/** Overwrites bytes that were put before (a header that learns a position late). */
CRN_CHECKED cairn_status crn_image_patch(
	crn_image_out *out, uint64_t at, const void *bytes, size_t n, cairn_error *err);

typedef struct crn_image_encoder {
	/* in: one slice, axes y, x[, c]; rows contiguous. `scratch` has scratch_bytes. Any thread.
	 */
	cairn_status (*encode)(const void *data, const crn_view *in, crn_image_out *out,
		void *scratch, cairn_error *err);
	size_t scratch_bytes;
	void *data; /* freed with crn_free */
} crn_image_encoder;

/** True if the last axis holds channels: named "c" or "s", or of 2 to 4 values behind y and x. */
bool crn_image_has_channels(const crn_type *t, bool single_file);
/** True if url names one file: ends in a suffix of the list, and is no pattern. */
bool crn_image_is_single(const char *url, const char *const *suffixes);

typedef struct crn_image_sink_spec {
	const crn_format *format;
	crn_image_encoder encoder; /* encoder.data is taken, also on failure */
	int64_t start;             /* number of slice 0 */
	int slice_ndim;            /* 2, or 3 with channels */
} crn_image_sink_spec;

/** USAGE if the array is not one slice (single file) or one axis of slices (pattern, folder). */
CRN_CHECKED cairn_status crn_image_sink_new(const crn_create_request *req,
	const crn_image_sink_spec *spec, crn_sink **ret, cairn_error *err);
/** Write unit and scratch of the sink crn_image_sink_new would make; encoder.data is not used. */
CRN_CHECKED cairn_status crn_image_plan(const crn_create_request *req,
	const crn_image_sink_spec *spec, int64_t *ret_unit, size_t *ret_scratch, cairn_error *err);
/** crn_format.exists and .remove: a pattern stands for all files that match it. */
bool crn_image_exists(const char *url);
CRN_CHECKED cairn_status crn_image_remove(const char *url, cairn_error *err);
/** Journal folder of single files, patterns and folders. */
void crn_image_journal_path(const char *url, crn_str *ret);

#endif

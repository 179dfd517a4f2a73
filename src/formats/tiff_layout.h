/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_layout.h -- where everything lies in a TIFF file that cairn writes.
 *
 *	[header][shared values: description, resolution, ...][directory block of page 0, 1,
 *...][pixels]
 *
 * All blocks have the same size, known before any pixel is, so the position of the pixels depends
 * on the array alone. One exception: a compressed slice of a stack has its only block at the end.
 *
 * Axes: the last axis is the samples of a pixel if it is named "c" or "s"; y, x before it; all
 * others are pages, in C order. Files of up to 4 GiB are classic TIFF, larger ones BigTIFF.
 * bool is stored as 0 and 255 in 8 bits.
 */
#ifndef CRN_FORMATS_TIFF_LAYOUT_H
#define CRN_FORMATS_TIFF_LAYOUT_H

#include "core/node.h"
#include "formats/tiff_codec.h"

typedef struct crn_tiff_layout {
	bool big;
	int n_page_axes;
	int64_t n_pages, height, width, samples;
	int64_t rows_per_strip, strips_per_page;
	size_t row_bytes, item;
	crn_tiff_coding coding; /* of one strip; compression 1: none */
	bool rgb;
	double x_resolution, y_resolution; /* pixels per unit of the description; 0: none */
	crn_str description;
	uint64_t shared_at, blocks_at, block_bytes, data_at;
} crn_tiff_layout;

/** USAGE if the array has no y and x, or is empty. `compression`: TIFF number; `n_bytes` decides
 * between classic and Big (0: the uncompressed size). */
CRN_CHECKED cairn_status crn_tiff_layout_make(const char *url, const crn_type *t, int compression,
	crn_tiff_layout *ret, cairn_error *err);
/** Switches to BigTIFF if data of n_bytes need it, and places everything. */
void crn_tiff_layout_place(crn_tiff_layout *l, const crn_type *t, uint64_t n_bytes);
void crn_tiff_layout_done(crn_tiff_layout *l);

/** Bytes [0, blocks_at): header and shared values; ifd_at is the position of page 0's block. */
void crn_tiff_print_head(const crn_tiff_layout *l, uint64_t ifd_at, crn_str *out);
/** One directory block of block_bytes that lies at `at`. Strips: positions and sizes. */
void crn_tiff_print_block(const crn_tiff_layout *l, uint64_t at, bool first, uint64_t next,
	const uint64_t *offsets, const uint64_t *sizes, crn_str *out);

#endif

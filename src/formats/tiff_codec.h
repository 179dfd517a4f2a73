/* SPDX-License-Identifier: Apache-2.0
 *
 * tiff_codec.h -- one strip or tile of pixels to and from its compressed bytes, by libtiff.
 *
 * libtiff works on files; here it gets a file of one strip that exists only in memory and whose
 * directory we write ourselves. So hostile directories never reach it, it holds no file, and a
 * codec is a small object that a call makes and drops: no pool, no lock.
 *
 * Memory: what libtiff takes for its tables (below 1 MiB) and one row or strip for predictors.
 */
#ifndef CRN_FORMATS_TIFF_CODEC_H
#define CRN_FORMATS_TIFF_CODEC_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What must be known to decode: the pixels of one strip or tile, and how they are stored. */
typedef struct crn_tiff_coding {
	bool swap; /* big endian */
	uint16_t bits, samples, sample_format, compression, predictor, fill_order;
	uint32_t width, rows;
} crn_tiff_coding;

typedef struct crn_tiff_codec crn_tiff_codec;

/** INPUT if libtiff does not have that compression. */
CRN_CHECKED cairn_status crn_tiff_codec_open(
	const crn_tiff_coding *c, crn_tiff_codec **ret, cairn_error *err);
/** Decodes to exactly n_out native bytes; INPUT (without a file name) for damaged data. `in` may be
 * changed. n_out may be fewer rows than coding->rows. */
CRN_CHECKED cairn_status crn_tiff_decode(
	crn_tiff_codec *codec, void *in, size_t n_in, void *out, size_t n_out, cairn_error *err);
void crn_tiff_codec_close(crn_tiff_codec *codec); /* NULL is fine */

/** Encodes n_in native bytes (whole rows, at most coding->rows) into out[cap]; little endian. */
CRN_CHECKED cairn_status crn_tiff_encode(const crn_tiff_coding *c, void *in, size_t n_in, void *out,
	size_t cap, size_t *ret_n, cairn_error *err);
/** Room that any encoding of n bytes fits. */
static inline size_t crn_tiff_encoded_bound(size_t n)
{
	return 2 * n + 4096;
}

#endif

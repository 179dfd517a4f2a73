/* SPDX-License-Identifier: Apache-2.0
 *
 * picture_block.h -- reading one pixel of a borrowed block as a number or as a label id.
 *
 * For the picture_*.c files only. A switch a pixel is fast enough for what fits on a screen.
 */
#ifndef CRN_FLOWS_PICTURE_BLOCK_H
#define CRN_FLOWS_PICTURE_BLOCK_H

#include "flows/picture.h"

static inline int64_t crn_block_count(const crn_block *b)
{
	return b->planes * b->rows * b->columns;
}

/** Pixel i of the whole block, in C order, as a label id; negative ids keep their two's complement
 * bits. 0 for floats. */
static inline uint64_t crn_block_id(const crn_block *b, int64_t i)
{
	switch (b->pixel) {
	case CRN_PIXEL_BOOL:
	case CRN_PIXEL_U8:
		return ((const uint8_t *)b->data)[i];
	case CRN_PIXEL_U16:
		return ((const uint16_t *)b->data)[i];
	case CRN_PIXEL_U32:
		return ((const uint32_t *)b->data)[i];
	case CRN_PIXEL_U64:
	case CRN_PIXEL_I64:
		return ((const uint64_t *)b->data)[i];
	case CRN_PIXEL_I8:
		return (uint64_t)((const int8_t *)b->data)[i];
	case CRN_PIXEL_I16:
		return (uint64_t)((const int16_t *)b->data)[i];
	case CRN_PIXEL_I32:
		return (uint64_t)((const int32_t *)b->data)[i];
	case CRN_PIXEL_F32:
	case CRN_PIXEL_F64:
		break;
	}
	return 0;
}

/** Pixel i as a number. 64-bit integers above 2^53 are rounded. */
static inline double crn_block_value(const crn_block *b, int64_t i)
{
	switch (b->pixel) {
	case CRN_PIXEL_F32:
		return ((const float *)b->data)[i];
	case CRN_PIXEL_F64:
		return ((const double *)b->data)[i];
	case CRN_PIXEL_I8:
	case CRN_PIXEL_I16:
	case CRN_PIXEL_I32:
	case CRN_PIXEL_I64:
		return (double)(int64_t)crn_block_id(b, i);
	default:
		return (double)crn_block_id(b, i);
	}
}

#endif

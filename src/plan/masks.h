/* SPDX-License-Identifier: Apache-2.0
 *
 * masks.h -- which masks of a piece lie as rows of bits (core/bits.h) instead of bytes.
 *
 * A mask is bits if whoever makes it can write them and all its readers take them: then it is an
 * eighth of the bytes, and threshold, morphology and label never unpack it. Everything else stays
 * bytes; the engine converts where chunks of the cache are bits and a reader is not.
 */
#ifndef CRN_PLAN_MASKS_H
#define CRN_PLAN_MASKS_H

#include "plan/piece.h"

/** True if an array of this type, asked for in rows of `row` voxels, is worth keeping as bits. */
bool crn_mask_is_worth_bits(const crn_type *t, int64_t row);
/** Sets `bits` of every node. root_bits: the roots' reader or destination takes them. */
void crn_piece_choose_bits(crn_piece *p, bool root_bits);

#endif

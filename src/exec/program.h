/* SPDX-License-Identifier: Apache-2.0
 *
 * program.h -- running a group's block program over one region.
 *
 * Every row is cut into blocks of CRN_BLOCK elements; each step of the program runs over a block
 * while its operands are in L1. Inputs that are contiguous along the row are read in place;
 * repeated (broadcast) or strided ones are gathered into a block first. Masks that are rows of bits
 * are unpacked and packed block by block on the way.
 */
#ifndef CRN_EXEC_PROGRAM_H
#define CRN_EXEC_PROGRAM_H

#include "core/bits.h"
#include "plan/piece.h"

/**
 * @param bits  loops for masks that come or go as rows of bits (out, and any of in)
 * @param in   one view per outside input of the group, already shaped like `out` (stride 0 on
 *             repeated axes)
 * @param scratch  crn_program_scratch() bytes, 64-byte aligned
 */
void crn_program_run(const crn_pnode *group, const crn_bits_kernels *bits, const crn_view *out,
	const crn_view *in, void *scratch);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * isa.h -- the instruction sets kernels are compiled for, and which one this machine runs.
 *
 * Every kernel source is compiled once per level; op.bind picks the table of the level it is given.
 * All levels give the same bits (law 4).
 */
#ifndef CRN_CORE_ISA_H
#define CRN_CORE_ISA_H

#include "base/err.h"

typedef enum crn_isa { CRN_ISA_BASE, CRN_ISA_AVX2, CRN_ISA_AVX512, CRN_N_ISAS } crn_isa;

const char *crn_isa_name(crn_isa isa); /* "base", "avx2", "avx512" */
/** Best level of this machine. */
crn_isa crn_isa_best(void);
/** Level named by `text` (CAIRN_ISA), best when NULL or empty; USAGE if unknown or not available.
 */
CRN_CHECKED cairn_status crn_isa_choose(const char *text, crn_isa *ret, cairn_error *err);

#endif

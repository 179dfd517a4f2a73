/* SPDX-License-Identifier: Apache-2.0
 *
 * isa_name.h -- naming for files that are compiled once per instruction set (-DCRN_ISA=avx2).
 *
 * CRN_ISA_NAME(crn_kernels_morph) is crn_kernels_morph_avx2 in the AVX2 build of the file. A family
 * declares its const table once per level with CRN_ISA_TABLES in its header.
 */
#ifndef CRN_KERNELS_ISA_NAME_H
#define CRN_KERNELS_ISA_NAME_H

#define CRN_PASTE2_(a, b) a##_##b
#define CRN_PASTE_(a, b) CRN_PASTE2_(a, b)
#define CRN_ISA_NAME(name) CRN_PASTE_(name, CRN_ISA)

/** Declares `extern const type name_base, name_avx2, name_avx512`. */
#define CRN_ISA_TABLES(type, name) extern const type name##_base, name##_avx2, name##_avx512
/** The table of a level: CRN_ISA_PICK(crn_kernels_morph, isa)->... */
#define CRN_ISA_PICK(name, isa) \
	((isa) == CRN_ISA_AVX512        ? &name##_avx512 \
		: (isa) == CRN_ISA_AVX2 ? &name##_avx2 \
					: &name##_base)

#endif

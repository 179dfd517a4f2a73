/* SPDX-License-Identifier: Apache-2.0
 *
 * vector_width.h -- bytes of one vector register of the instruction set a kernel is compiled for.
 */
#ifndef CRN_KERNELS_VECTOR_WIDTH_H
#define CRN_KERNELS_VECTOR_WIDTH_H

#if defined(__AVX512F__)
#define CRN_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define CRN_VECTOR_BYTES 32
#else
#define CRN_VECTOR_BYTES 16
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * npy_header.h -- the header of NPY files, versions 1 to 3 (numpy/lib/format.py describes them).
 *
 * "\x93NUMPY", two version bytes, header length (2 bytes, from version 2 on 4 bytes, little
 * endian), then a Python dict in text: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 * padded with spaces to a multiple of 64 bytes.
 */
#ifndef CRN_FORMATS_NPY_HEADER_H
#define CRN_FORMATS_NPY_HEADER_H

#include "base/str.h"
#include "core/node.h"

typedef struct crn_npy_header {
	crn_dtype dtype;
	bool swap;    /* stored big endian */
	bool fortran; /* first index varies fastest */
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	uint64_t data_offset;
} crn_npy_header;

/** Longest header text that is read; NumPy's own limit is 10,000. */
#define CRN_NPY_MAX_HEADER (64 << 10)

/**
 * Parses the first n bytes of a file (give CRN_NPY_MAX_HEADER + 12, or the whole file if shorter).
 *
 * INPUT naming `path` for anything that is no NPY header, or a dtype cairn does not have.
 */
CRN_CHECKED cairn_status crn_npy_parse(const char *path, const unsigned char *bytes, size_t n,
	crn_npy_header *ret, cairn_error *err);
/** Appends the header NumPy would write for a C-ordered little-endian array. */
void crn_npy_print(const crn_type *t, crn_str *out);

/** "<f4", "|u1", ">i8" (what NumPy calls dtype.str) to dtype and byte order. */
bool crn_npy_descr(const char *descr, crn_dtype *ret, bool *ret_swap);

#endif

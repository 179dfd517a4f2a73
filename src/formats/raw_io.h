/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_io.h -- reading local files for the single-file formats: whole reads at an offset, byte
 * order, identity, and boxes out of an array that lies in a file as plain numbers ("flat").
 *
 * Threads: a crn_file is only read after it was opened; every function may be called from any
 * thread at once (pread, no shared file position). Memory: the caller's, except the path.
 */
#ifndef CRN_FORMATS_RAW_IO_H
#define CRN_FORMATS_RAW_IO_H

#include "core/format.h"

/** An open file and what stat said about it. Zeroed is closed (fd is stored plus one). */
typedef struct crn_file {
	int fd_plus_1;
	char *path; /* owned */
	uint64_t size_bytes;
	int64_t mtime_ns;
} crn_file;

/** The path of a url: without "file://" in front. */
const char *crn_file_path(const char *url);
/** INPUT if the file is missing, unreadable or no regular file. */
CRN_CHECKED cairn_status crn_file_open(const char *url, crn_file *ret, cairn_error *err);
void crn_file_close(crn_file *f); /* safe on a zeroed struct and twice */
/** Exactly n bytes at `offset`; INPUT, naming file and offset, if the file is shorter. */
CRN_CHECKED cairn_status crn_file_read(
	const crn_file *f, uint64_t offset, void *bytes, size_t n, cairn_error *err);
/** As many of n bytes as the file has. */
CRN_CHECKED cairn_status crn_file_read_some(
	const crn_file *f, uint64_t offset, void *bytes, size_t n, size_t *ret_n, cairn_error *err);
/** Feeds path, size, time and the first `n_head` bytes (at most 4096) into a source identity. */
CRN_CHECKED cairn_status crn_file_identity(
	const crn_file *f, size_t n_head, crn_hasher *h, cairn_error *err);
void crn_type_hash(const crn_type *t, crn_hasher *h);

/** Reverses the bytes of n items of 1, 2, 4 or 8 bytes, in place. */
void crn_swap_bytes(void *data, size_t item_size, size_t n);

/** Bytes of scratch crn_flat_read uses. */
#define CRN_FLAT_SCRATCH ((size_t)256 << 10)

/** An array in a file as plain numbers in C order (a Fortran array: reversed axes). */
typedef struct crn_flat {
	const crn_file *file;
	uint64_t offset; /* of element 0 */
	crn_dtype dtype;
	bool swap; /* stored in the other byte order */
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
} crn_flat;

/** INPUT if the file is too short for the array (or its size does not fit 63 bits). */
CRN_CHECKED cairn_status crn_flat_check(const crn_flat *a, cairn_error *err);
/**
 * Reads region `r` (inside the array) into `out`, whose strides may be anything.
 *
 * Bool bytes become 0 or 1. Neighbouring runs are read together when at least a quarter of the
 * bytes between them is wanted; runs that are dense in `out` are read straight into it.
 */
CRN_CHECKED cairn_status crn_flat_read(const crn_flat *a, const crn_region *r, const crn_view *out,
	void *scratch, cairn_error *err);

/** A read unit of whole rows, then planes, of about `target_bytes`. */
void crn_slab_unit(const crn_type *t, int64_t target_bytes, int64_t *ret_unit);

#endif

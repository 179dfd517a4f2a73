/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_file.h -- any bytes as a file of a single-file format, for fuzz_tiff.c, fuzz_png.c and
 * fuzz_npy.c: open it, read every unit and a box with steps. The file lives in memory; buffers
 * have exactly the promised sizes, so that a sanitizer sees every step beyond.
 */
#ifndef CRN_FUZZ_FILE_H
#define CRN_FUZZ_FILE_H

#include "builtin.h"
#include "core/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Small inputs may rightly describe large arrays; those are only opened. */
enum { FUZZ_MAX_BYTES = 4 << 20, FUZZ_MAX_UNITS = 256 };

static void fuzz_read_units(crn_source *s)
{
	const crn_type *t = &s->type;
	int64_t grid[CRN_MAX_NDIM], idx[CRN_MAX_NDIM], n = 1;
	for (int d = 0; d < t->ndim; d++)
		if (__builtin_mul_overflow(n, grid[d] = crn_n_units(t->shape[d], s->unit[d]), &n))
			return;
	if (n > FUZZ_MAX_UNITS)
		n = FUZZ_MAX_UNITS;
	void *scratch = aligned_alloc(64, (s->unit_scratch + 63) / 64 * 64 + 64);
	for (int64_t i = 0; i < n; i++) {
		crn_unravel(i, t->ndim, grid, idx);
		crn_region r = crn_unit_region(t->ndim, t->shape, s->unit, idx);
		void *out = malloc(crn_view_dense_bytes(t->dtype, t->ndim, r.n));
		crn_view v = crn_view_dense(out, t->dtype, t->ndim, r.n);
		cairn_error err = {0};
		if (s->ops->read_unit(s, idx, &v, scratch, &err) != CAIRN_OK &&
			(err.status != CAIRN_INPUT || !err.message[0]))
			abort();
		free(out);
	}
	free(scratch);
}

static void fuzz_read_box(crn_source *s)
{
	const crn_type *t = &s->type;
	crn_region r = crn_region_whole(t->ndim, t->shape);
	for (int d = 0; d < t->ndim; d++) {
		r.n[d] = (t->shape[d] + 1) / 2 < 40 ? (t->shape[d] + 1) / 2 : 40;
		r.step[d] = r.n[d] > 1 ? 2 : 1;
		if (d < t->ndim - 3 && r.n[d] > 2)
			r.n[d] = 2;
	}
	void *scratch = aligned_alloc(64, (s->box_scratch + 63) / 64 * 64 + 64);
	void *out = malloc(crn_view_dense_bytes(t->dtype, t->ndim, r.n) + 1);
	crn_view v = crn_view_dense(out, t->dtype, t->ndim, r.n);
	cairn_error err = {0};
	if (s->ops->read_box(s, &r, &v, scratch, &err) != CAIRN_OK && err.status != CAIRN_INPUT)
		abort();
	free(out);
	free(scratch);
}

static int fuzz_file(const crn_format *format, const uint8_t *data, size_t size)
{
	static const crn_value no_options[16];
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	crn_open_request req = {
		.url = path, .registry = &crn_builtin_registry, .options = no_options};
	crn_source *s = NULL;
	cairn_error err = {0};
	if (format->open(&req, &s, &err) == CAIRN_OK) {
		double unit = (double)crn_dtype_size(s->type.dtype);
		for (int d = 0; d < s->type.ndim; d++)
			unit *= (double)s->unit[d];
		if (unit < FUZZ_MAX_BYTES && s->unit_scratch < 4 * FUZZ_MAX_BYTES)
			fuzz_read_units(s);
		if (s->ops->read_box)
			fuzz_read_box(s);
		crn_str facts = {0};
		s->ops->describe(s, &facts);
		crn_str_done(&facts);
		s->ops->close(s);
	} else if (err.status != CAIRN_INPUT || !strstr(err.message, path)) {
		if (!strstr(err.where, path))
			abort(); /* the message must name the file */
	}
	close(fd);
	return 0;
}

#endif

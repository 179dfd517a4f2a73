/* SPDX-License-Identifier: Apache-2.0
 *
 * arrays.c -- test arrays: .npy files, random values, comparing.
 */
#include "support/arrays.h"

#include "base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void crn_test_array_free(crn_view *v)
{
	free(v->data);
	*v = (crn_view){0};
}

const char *crn_test_path(const char *relative)
{
	static _Thread_local char paths[8][1024];
	static _Thread_local int turn;
	char *path = paths[turn++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", CRN_TEST_DIR, relative);
	return path;
}

const char *crn_test_error(const cairn_error *err)
{
	static _Thread_local char texts[8][2048];
	static _Thread_local int turn;
	char *text = texts[turn++ % 8];
	cairn_error_format(err, text, sizeof(texts[0]));
	return text;
}

crn_view crn_test_array(crn_dtype dtype, int ndim, const int64_t *shape)
{
	size_t bytes = crn_view_dense_bytes(dtype, ndim, shape);
	void *data = calloc(1, bytes ? bytes : 1);
	if (!data)
		abort();
	return crn_view_dense(data, dtype, ndim, shape);
}

/* ---- .npy (numpy.lib.format, versions 1 and 2) ---- */

typedef struct header {
	crn_dtype dtype;
	bool swap, fortran;
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
} header;

static bool parse_descr(const char *text, header *h)
{
	const char *at = strstr(text, "'descr':");
	char order = 0, kind = 0;
	int size = 0;
	if (!at || sscanf(at + 8, " '%c%c%d'", &order, &kind, &size) != 3)
		return false;
	h->swap = order == '>';
	for (int t = 0; t < CRN_N_DTYPES; t++) {
		if (crn_dtype_kind((crn_dtype)t) == kind &&
			(int)crn_dtype_size((crn_dtype)t) == size) {
			h->dtype = (crn_dtype)t;
			return true;
		}
	}
	return false;
}

static bool parse_header(const char *text, header *h)
{
	const char *at = strstr(text, "'shape':");
	if (!at || !(at = strchr(at, '(')) || !parse_descr(text, h))
		return false;
	h->fortran = strstr(text, "'fortran_order': True") != NULL;
	for (at++; *at && *at != ')';) {
		char *end;
		long long n = strtoll(at, &end, 10);
		if (end == at || h->ndim == CRN_MAX_NDIM)
			return false;
		h->shape[h->ndim++] = n;
		at = end + strspn(end, ", ");
	}
	return *at == ')';
}

/* The file's bytes in file order -> C order, native. */
static void spread(const header *h, const unsigned char *bytes, const crn_view *to)
{
	size_t item = crn_dtype_size(h->dtype);
	crn_view from = crn_view_dense((void *)(uintptr_t)bytes, h->dtype, h->ndim, h->shape);
	int64_t stride = (int64_t)item;
	for (int d = 0; d < h->ndim && h->fortran; d++) {
		from.stride[d] = stride;
		stride *= h->shape[d];
	}
	crn_view_copy(to, &from);
	unsigned char *p = to->data;
	for (size_t n = crn_view_dense_bytes(h->dtype, h->ndim, h->shape); h->swap && n >= item;
		n -= item, p += item)
		for (size_t i = 0; i < item / 2; i++) {
			unsigned char t = p[i];
			p[i] = p[item - 1 - i];
			p[item - 1 - i] = t;
		}
}

static cairn_status read_npy(FILE *f, const char *path, crn_view *ret, cairn_error *err)
{
	unsigned char start[12];
	header h = {0};
	char text[4096] = "";
	if (fread(start, 1, 10, f) != 10 || memcmp(start, "\x93NUMPY", 6) != 0)
		return crn_fail(err, CAIRN_INPUT, "%s: not an .npy file", path);
	size_t n = start[8] | (size_t)start[9] << 8;
	if (start[6] > 1 && fread(start + 10, 1, 2, f) == 2)
		n |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
	if (n >= sizeof(text) || fread(text, 1, n, f) != n || !parse_header(text, &h))
		return crn_fail(err, CAIRN_INPUT, "%s: header not understood: %s", path, text);
	size_t bytes = crn_view_dense_bytes(h.dtype, h.ndim, h.shape);
	unsigned char *data = malloc(bytes ? bytes : 1);
	if (!data)
		abort();
	if (fread(data, 1, bytes, f) != bytes) {
		free(data);
		return crn_fail(err, CAIRN_INPUT, "%s: shorter than its header says", path);
	}
	*ret = crn_test_array(h.dtype, h.ndim, h.shape);
	spread(&h, data, ret);
	free(data);
	return CAIRN_OK;
}

cairn_status crn_test_npy(const char *path, crn_view *ret, cairn_error *err)
{
	FILE *f = fopen(path, "rbe");
	if (!f)
		return crn_fail_errno(err, CAIRN_INPUT, "opening", path);
	cairn_status status = read_npy(f, path, ret, err);
	fclose(f);
	return status;
}

/* ---- random ---- */

uint64_t crn_test_u64(crn_test_rng *g)
{
	uint64_t z = g->state += 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

int64_t crn_test_int(crn_test_rng *g, int64_t lo, int64_t last)
{
	return lo + (int64_t)(crn_test_u64(g) % ((uint64_t)(last - lo) + 1));
}

double crn_test_unit(crn_test_rng *g)
{
	return (double)(crn_test_u64(g) >> 11) * 0x1p-53;
}

static void fill(crn_test_rng *g, const crn_view *v, int limit)
{
	size_t item = crn_dtype_size(v->dtype);
	crn_rows rows;
	for (crn_rows_begin(&rows, v->ndim, v->shape); !rows.end; crn_rows_next(&rows)) {
		char *p = crn_rows_at(&rows, v);
		for (int64_t i = 0; i < rows.n; i++) {
			crn_elem e;
			if (limit > 0)
				e = crn_elem_from_int(v->dtype, crn_test_int(g, 0, limit - 1));
			else if (crn_dtype_is_float(v->dtype))
				e = crn_elem_from_double(v->dtype, crn_test_unit(g) * 200 - 100);
			else if (v->dtype == CRN_BOOL)
				e = crn_elem_from_uint(CRN_BOOL, crn_test_u64(g) & 1);
			else
				e = crn_elem_from_uint(v->dtype, crn_test_u64(g));
			memcpy(p, e.bytes, item);
			p += v->ndim ? v->stride[v->ndim - 1] : 0;
		}
	}
}

void crn_test_fill(crn_test_rng *g, const crn_view *v)
{
	fill(g, v, 0);
}

void crn_test_fill_small(crn_test_rng *g, const crn_view *v, int limit)
{
	fill(g, v, limit);
}

/* ---- comparing ---- */

static crn_elem element(const crn_view *v, const int64_t *idx)
{
	crn_elem e = {{0}};
	memcpy(e.bytes, crn_view_at(v, idx), crn_dtype_size(v->dtype));
	return e;
}

/* Difference of two elements: 0 when equal enough, else how far beyond the tolerance (> 0). */
static double excess(crn_dtype t, crn_elem got, crn_elem want, double rtol, double atol)
{
	if (!crn_dtype_is_float(t)) {
		if (memcmp(got.bytes, want.bytes, sizeof(got.bytes)) == 0)
			return 0;
		double d = fabs(crn_elem_to_double(t, got) - crn_elem_to_double(t, want));
		double allowed = atol + rtol * fabs(crn_elem_to_double(t, want));
		if (atol == 0 && rtol == 0)
			return d > 0 ? d : 1;
		return d <= allowed ? 0 : d;
	}
	double a = crn_elem_to_double(t, got), b = crn_elem_to_double(t, want);
	if (a == b || (isnan(a) && isnan(b)))
		return 0;
	double d = fabs(a - b);
	if (isnan(d) || isinf(d))
		return INFINITY;
	return d <= atol + rtol * fabs(b) ? 0 : d;
}

static char *index_text(const int64_t *idx, int ndim, char text[128])
{
	int used = snprintf(text, 128, "[");
	for (int d = 0; d < ndim && used < 100; d++)
		used += snprintf(
			text + used, 128 - (size_t)used, d ? ", %" PRId64 : "%" PRId64, idx[d]);
	snprintf(text + used, 128 - (size_t)used, "]");
	return text;
}

static cairn_status check_types(const crn_view *got, const crn_view *want, cairn_error *err)
{
	crn_type a = crn_type_make(got->dtype, got->ndim, got->shape);
	crn_type b = crn_type_make(want->dtype, want->ndim, want->shape);
	char text_a[256], text_b[256];
	if (a.dtype == b.dtype && a.ndim == b.ndim &&
		memcmp(a.shape, b.shape, sizeof(int64_t) * (size_t)a.ndim) == 0)
		return CAIRN_OK;
	return crn_fail(err, CAIRN_FAILED, "got %s, want %s", crn_type_format(&a, text_a),
		crn_type_format(&b, text_b));
}

cairn_status crn_test_compare(
	const crn_view *got, const crn_view *want, double rtol, double atol, cairn_error *err)
{
	CRN_TRY(check_types(got, want, err));
	int64_t count = 0, n_bad = 0, first[CRN_MAX_NDIM] = {0}, worst[CRN_MAX_NDIM] = {0};
	double most = 0;
	(void)crn_count(got->ndim, got->shape, &count);
	for (int64_t i = 0; i < count; i++) {
		int64_t idx[CRN_MAX_NDIM] = {0};
		crn_unravel(i, got->ndim, got->shape, idx);
		double d = excess(got->dtype, element(got, idx), element(want, idx), rtol, atol);
		if (d == 0)
			continue;
		if (n_bad++ == 0)
			memcpy(first, idx, sizeof(first));
		if (d > most) {
			most = d;
			memcpy(worst, idx, sizeof(worst));
		}
	}
	if (n_bad == 0)
		return CAIRN_OK;
	char a[40], b[40], c[40], e[40], at_first[128], at_worst[128];
	return crn_fail(err, CAIRN_FAILED,
		"%" PRId64 " of %" PRId64
		" values differ; first at %s: got %s, want %s; worst at %s: "
		"got %s, want %s",
		n_bad, count, index_text(first, got->ndim, at_first),
		crn_elem_format(got->dtype, element(got, first), a),
		crn_elem_format(got->dtype, element(want, first), b),
		index_text(worst, got->ndim, at_worst),
		crn_elem_format(got->dtype, element(got, worst), c),
		crn_elem_format(got->dtype, element(want, worst), e));
}

bool crn_test_same_bytes(const crn_view *a, const crn_view *b)
{
	cairn_error err;
	if (check_types(a, b, &err) != CAIRN_OK)
		return false;
	size_t item = crn_dtype_size(a->dtype);
	int64_t count = 0;
	(void)crn_count(a->ndim, a->shape, &count);
	for (int64_t i = 0; i < count; i++) {
		int64_t idx[CRN_MAX_NDIM] = {0};
		crn_unravel(i, a->ndim, a->shape, idx);
		if (memcmp(crn_view_at(a, idx), crn_view_at(b, idx), item) != 0)
			return false;
	}
	return true;
}

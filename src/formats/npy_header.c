/* SPDX-License-Identifier: Apache-2.0
 *
 * npy_header.c -- a bounded reader for the one Python dict an NPY file starts with.
 *
 * The text is walked once with a cursor that never passes the header's end; nothing is evaluated.
 */
#include "formats/npy_header.h"

#include <string.h>

typedef struct cursor {
	const char *p, *end;
} cursor;

static void skip_space(cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static bool eat(cursor *c, char wanted)
{
	skip_space(c);
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static bool eat_word(cursor *c, const char *word)
{
	skip_space(c);
	size_t n = strlen(word);
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* A quoted string without escapes, at most size - 1 characters. */
static bool eat_string(cursor *c, char *text, size_t size)
{
	skip_space(c);
	if (c->p == c->end || (*c->p != '\'' && *c->p != '"'))
		return false;
	char quote = *c->p++;
	size_t n = 0;
	while (c->p < c->end && *c->p != quote && *c->p != '\\' && n + 1 < size)
		text[n++] = *c->p++;
	text[n] = 0;
	if (c->p == c->end || *c->p != quote)
		return false;
	c->p++;
	return true;
}

static bool eat_extent(cursor *c, int64_t *ret)
{
	skip_space(c);
	int64_t v = 0;
	const char *start = c->p;
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *c->p - '0', &v))
			return false;
	if (c->p == start)
		return false;
	if (c->p < c->end && *c->p == 'L') /* written by Python 2 */
		c->p++;
	*ret = v;
	return true;
}

static bool eat_shape(cursor *c, int *ret_ndim, int64_t *ret_shape)
{
	if (!eat(c, '('))
		return false;
	int n = 0;
	while (!eat(c, ')')) {
		int64_t extent;
		if (!eat_extent(c, &extent))
			return false;
		if (n < CRN_MAX_NDIM)
			ret_shape[n] = extent;
		n++;
		if (!eat(c, ',') && (skip_space(c), c->p == c->end || *c->p != ')'))
			return false;
	}
	*ret_ndim = n;
	return true;
}

bool crn_npy_descr(const char *descr, crn_dtype *ret, bool *ret_swap)
{
	static const struct {
		const char *code;
		crn_dtype dtype;
	} known[] = {{"b1", CRN_BOOL}, {"?", CRN_BOOL}, {"u1", CRN_U8}, {"u2", CRN_U16},
		{"u4", CRN_U32}, {"u8", CRN_U64}, {"i1", CRN_I8}, {"i2", CRN_I16}, {"i4", CRN_I32},
		{"i8", CRN_I64}, {"f4", CRN_F32}, {"f8", CRN_F64}};
	bool big = *descr == '>';
	if (*descr && strchr("<>|=", *descr))
		descr++;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(descr, known[i].code) == 0) {
			*ret = known[i].dtype;
			*ret_swap = big && crn_dtype_size(*ret) > 1;
			return true;
		}
	}
	return false;
}

static cairn_status bad(cairn_error *err, const char *path, const char *why)
{
	return crn_fail(err, CAIRN_INPUT, "%s: broken NPY header: %s", path, why);
}

static cairn_status set_dtype(
	const char *path, const char *descr, crn_npy_header *h, cairn_error *err)
{
	if (crn_npy_descr(descr, &h->dtype, &h->swap))
		return CAIRN_OK;
	crn_fail(err, CAIRN_INPUT, "%s: NPY dtype '%s' is not supported", path, descr);
	crn_hint(err, "convert it with numpy's astype to bool, an integer, float32 or float64");
	return CAIRN_INPUT;
}

static cairn_status parse_dict(const char *path, cursor *c, crn_npy_header *h, cairn_error *err)
{
	bool have_descr = false, have_order = false, have_shape = false;
	if (!eat(c, '{'))
		return bad(err, path, "no '{'");
	while (!eat(c, '}')) {
		char key[32], descr[32];
		if (!eat_string(c, key, sizeof key) || !eat(c, ':'))
			return bad(err, path, "a key or ':' is missing");
		if (strcmp(key, "descr") == 0) {
			skip_space(c);
			if (c->p < c->end && *c->p == '[')
				return bad(err, path, "structured dtypes are not supported");
			if (!eat_string(c, descr, sizeof descr))
				return bad(err, path, "'descr' is no short string");
			CRN_TRY(set_dtype(path, descr, h, err));
			have_descr = true;
		} else if (strcmp(key, "fortran_order") == 0) {
			h->fortran = eat_word(c, "True");
			if (!h->fortran && !eat_word(c, "False"))
				return bad(err, path, "'fortran_order' is neither True nor False");
			have_order = true;
		} else if (strcmp(key, "shape") == 0) {
			if (!eat_shape(c, &h->ndim, h->shape))
				return bad(err, path, "'shape' is no tuple of 64-bit extents");
			have_shape = true;
		} else {
			return bad(err, path, "unknown key");
		}
		if (!eat(c, ',') && (skip_space(c), c->p == c->end || *c->p != '}'))
			return bad(err, path, "',' or '}' is missing");
	}
	if (!have_descr || !have_order || !have_shape)
		return bad(err, path, "'descr', 'fortran_order' or 'shape' is missing");
	if (h->ndim > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_INPUT, "%s: %d axes; cairn has at most %d", path,
			h->ndim, CRN_MAX_NDIM);
	return CAIRN_OK;
}

cairn_status crn_npy_parse(const char *path, const unsigned char *bytes, size_t n,
	crn_npy_header *ret, cairn_error *err)
{
	if (n < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
		return crn_fail(err, CAIRN_INPUT, "%s is no NPY file", path);
	if (bytes[6] < 1 || bytes[6] > 3)
		return crn_fail(err, CAIRN_INPUT, "%s: NPY version %d.%d is not known (1 to 3 are)",
			path, bytes[6], bytes[7]);
	size_t start = bytes[6] == 1 ? 10 : 12;
	if (n < start)
		return bad(err, path, "the file is truncated");
	size_t len = bytes[8] | (size_t)bytes[9] << 8;
	if (bytes[6] > 1)
		len |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
	if (len > CRN_NPY_MAX_HEADER)
		return bad(err, path, "longer than 64 KiB");
	if (len > n - start)
		return bad(err, path, "the file is truncated");
	crn_npy_header h = {.data_offset = start + len};
	cursor c = {(const char *)bytes + start, (const char *)bytes + start + len};
	CRN_TRY(parse_dict(path, &c, &h, err));
	*ret = h;
	return CAIRN_OK;
}

void crn_npy_print(const crn_type *t, crn_str *out)
{
	static const char *const codes[CRN_N_DTYPES] = {[CRN_BOOL] = "|b1",
		[CRN_U8] = "|u1",
		[CRN_U16] = "<u2",
		[CRN_U32] = "<u4",
		[CRN_U64] = "<u8",
		[CRN_I8] = "|i1",
		[CRN_I16] = "<i2",
		[CRN_I32] = "<i4",
		[CRN_I64] = "<i8",
		[CRN_F32] = "<f4",
		[CRN_F64] = "<f8"};
	CRN_STR dict = {0};
	crn_str_appendf(
		&dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", codes[t->dtype]);
	for (int d = 0; d < t->ndim; d++)
		crn_str_appendf(&dict, "%s%lld", d ? ", " : "", (long long)t->shape[d]);
	crn_str_append(&dict, t->ndim == 1 ? ",), }" : "), }");
	size_t total = (10 + dict.len + 1 + 63) / 64 * 64, len = total - 10;
	while (dict.len + 1 < len && !dict.oom)
		crn_str_append(&dict, " ");
	crn_str_append(&dict, "\n");
	unsigned char head[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
	head[8] = (unsigned char)len;
	head[9] = (unsigned char)(len >> 8);
	crn_str_append_n(out, (const char *)head, sizeof head);
	crn_str_append_n(out, dict.data, dict.len);
	out->oom = out->oom || dict.oom;
}

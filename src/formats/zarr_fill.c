/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_fill.c -- fill values between JSON and raw elements, exact to the bit.
 *
 * | dtype | JSON |
 * |---|---|
 * | bool | true, false (0 and 1 are taken) |
 * | integers | number without loss up to 2^64 - 1 |
 * | floats | number, "NaN", "Infinity", "-Infinity", "0x7fc00001" (the bits, big end first) |
 *
 * Source: Zarr v2 specification, "Fill value encoding"; Zarr v3 core, "Fill value list".
 */
#include "formats/zarr_meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cairn_status wrong(const crn_json *v, crn_dtype dtype, cairn_error *err)
{
	CRN_STR text = {0};
	crn_json_print(&text, v);
	return crn_fail(err, CAIRN_INPUT, "\"fill_value\": %.80s is no %s",
		text.data ? text.data : "", crn_dtype_name(dtype));
}

/* "0x" and exactly two digits a byte. */
static bool parse_bits(const char *text, size_t size, crn_elem *ret)
{
	uint64_t bits = 0;
	if (strncmp(text, "0x", 2) != 0 || strlen(text) != 2 + 2 * size)
		return false;
	for (const char *c = text + 2; *c; c++) {
		int digit = *c >= '0' && *c <= '9'   ? *c - '0'
			    : *c >= 'a' && *c <= 'f' ? *c - 'a' + 10
			    : *c >= 'A' && *c <= 'F' ? *c - 'A' + 10
						     : -1;
		if (digit < 0)
			return false;
		bits = bits << 4 | (uint64_t)digit;
	}
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->bytes, &bits, size);
	return true;
}

/* The quiet NaN that "NaN" stands for: sign 0, only the top bit of the payload. */
static crn_elem default_nan(crn_dtype dtype)
{
	crn_elem e = {{0}};
	if (dtype == CRN_F32)
		memcpy(e.bytes, &(uint32_t){0x7fc00000}, 4);
	else
		memcpy(e.bytes, &(uint64_t){0x7ff8000000000000}, 8);
	return e;
}

static bool parse_float(const crn_json *v, crn_dtype dtype, crn_elem *ret)
{
	switch (v->kind) {
	case CRN_JSON_INT:
		*ret = crn_elem_from_int(dtype, v->i);
		return true;
	case CRN_JSON_UINT:
		*ret = crn_elem_from_uint(dtype, v->u);
		return true;
	case CRN_JSON_DOUBLE:
		*ret = isnan(v->f) ? default_nan(dtype) : crn_elem_from_double(dtype, v->f);
		return true;
	case CRN_JSON_STRING:
		break;
	default:
		return false;
	}
	if (strcmp(v->text, "NaN") == 0)
		*ret = default_nan(dtype);
	else if (strcmp(v->text, "Infinity") == 0)
		*ret = crn_elem_from_double(dtype, INFINITY);
	else if (strcmp(v->text, "-Infinity") == 0)
		*ret = crn_elem_from_double(dtype, -INFINITY);
	else
		return parse_bits(v->text, crn_dtype_size(dtype), ret);
	return true;
}

static bool parse_integer(const crn_json *v, crn_dtype dtype, crn_elem *ret)
{
	if (v->kind == CRN_JSON_UINT) {
		*ret = crn_elem_from_uint(dtype, v->u);
		return v->u <= crn_dtype_max_int(dtype);
	}
	int64_t i = v->kind == CRN_JSON_BOOL ? v->b : v->i;
	/* Some writers put 0.0 where an integer belongs. */
	if (v->kind == CRN_JSON_DOUBLE) {
		if (!(v->f >= -9007199254740992.0 && v->f <= 9007199254740992.0) ||
			v->f != rint(v->f))
			return false;
		i = (int64_t)v->f;
	} else if (v->kind != CRN_JSON_INT && !(v->kind == CRN_JSON_BOOL && dtype == CRN_BOOL)) {
		return false;
	}
	*ret = crn_elem_from_int(dtype, i);
	return i >= crn_dtype_min_int(dtype) && (i < 0 || (uint64_t)i <= crn_dtype_max_int(dtype));
}

cairn_status crn_zarr_parse_fill(
	const crn_json *v, crn_dtype dtype, crn_elem *ret, cairn_error *err)
{
	crn_elem e = {{0}};
	bool good = !v || v->kind == CRN_JSON_NULL ||
		    (crn_dtype_is_float(dtype) ? parse_float(v, dtype, &e)
					       : parse_integer(v, dtype, &e));
	if (!good)
		return wrong(v, dtype, err);
	*ret = e;
	return CAIRN_OK;
}

static void print_float(crn_dtype dtype, crn_elem fill, int zarr_format, crn_str *out)
{
	size_t size = crn_dtype_size(dtype);
	double f = crn_elem_to_double(dtype, fill);
	crn_elem nan = default_nan(dtype);
	if (!isnan(f) || zarr_format == 2 || memcmp(fill.bytes, nan.bytes, size) == 0) {
		crn_json_double(out, f);
		return;
	}
	uint64_t bits = 0;
	memcpy(&bits, fill.bytes, size);
	crn_str_appendf(out, "\"0x%0*llx\"", (int)(2 * size), (unsigned long long)bits);
}

void crn_zarr_print_fill(crn_dtype dtype, crn_elem fill, int zarr_format, crn_str *out)
{
	switch (crn_dtype_kind(dtype)) {
	case 'f':
		print_float(dtype, fill, zarr_format, out);
		break;
	case 'b':
		crn_str_append(out, fill.bytes[0] ? "true" : "false");
		break;
	case 'u':
		crn_str_appendf(out, "%llu", (unsigned long long)crn_elem_to_uint(dtype, fill));
		break;
	default:
		crn_str_appendf(out, "%lld", (long long)crn_elem_to_int(dtype, fill));
		break;
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype.c -- tables over CRN_DTYPES and element conversion. Pure functions.
 */
#include "core/dtype.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t size;
	char kind;
} table[CRN_N_DTYPES] = {
#define CRN_X(id, type, name, kind) [CRN_##id] = {#name, sizeof(type), kind},
	CRN_DTYPES(CRN_X)
#undef CRN_X
};

size_t crn_dtype_size(crn_dtype t)
{
	return table[t].size;
}

const char *crn_dtype_name(crn_dtype t)
{
	return table[t].name;
}

char crn_dtype_kind(crn_dtype t)
{
	return table[t].kind;
}

bool crn_dtype_is_integer(crn_dtype t)
{
	return table[t].kind == 'u' || table[t].kind == 'i';
}

bool crn_dtype_is_float(crn_dtype t)
{
	return table[t].kind == 'f';
}

bool crn_dtype_from_name(const char *name, crn_dtype *ret)
{
	static const struct {
		const char *name;
		crn_dtype t;
	} also[] = {{"float", CRN_F64}, {"int", CRN_I64}, {"bool_", CRN_BOOL}};
	for (int t = 0; t < CRN_N_DTYPES; t++) {
		if (strcmp(name, table[t].name) == 0) {
			*ret = (crn_dtype)t;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++) {
		if (strcmp(name, also[i].name) == 0) {
			*ret = also[i].t;
			return true;
		}
	}
	return false;
}

static crn_dtype sized(char kind, size_t size)
{
	for (int t = 0; t < CRN_N_DTYPES; t++)
		if (table[t].kind == kind && table[t].size == size)
			return (crn_dtype)t;
	return CRN_F64;
}

crn_dtype crn_dtype_promote(crn_dtype a, crn_dtype b)
{
	if (a == b || b == CRN_BOOL)
		return a;
	if (a == CRN_BOOL)
		return b;
	char ka = table[a].kind, kb = table[b].kind;
	size_t sa = table[a].size, sb = table[b].size;
	if (ka == kb)
		return sa >= sb ? a : b;
	if (ka == 'f' || kb == 'f') {
		/* float32 holds integers up to 16 bits exactly; wider ones need float64. */
		crn_dtype f = ka == 'f' ? a : b;
		size_t int_size = ka == 'f' ? sb : sa;
		return f == CRN_F64 || int_size > 2 ? CRN_F64 : CRN_F32;
	}
	/* Signed with unsigned: the signed type that holds both, float64 past 32 bits. */
	size_t su = ka == 'u' ? sa : sb, si = ka == 'i' ? sa : sb;
	if (si > su)
		return sized('i', si);
	return su == 8 ? CRN_F64 : sized('i', su * 2);
}

int64_t crn_dtype_min_int(crn_dtype t)
{
	if (table[t].kind != 'i')
		return 0;
	return table[t].size == 8 ? INT64_MIN : -((int64_t)1 << (8 * table[t].size - 1));
}

uint64_t crn_dtype_max_int(crn_dtype t)
{
	if (t == CRN_BOOL)
		return 1;
	unsigned bits = 8 * (unsigned)table[t].size - (table[t].kind == 'i');
	return bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* C leaves out-of-range float -> integer undefined; go through a defined 64-bit wrap. */
static uint64_t wrap_double(double v)
{
	if (!isfinite(v))
		return 0;
	double t = trunc(v);
	if (t >= -9223372036854775808.0 && t < 9223372036854775808.0)
		return (uint64_t)(int64_t)t;
	double m = fmod(t, 18446744073709551616.0);
	return m < 0 ? -(uint64_t)-m : (uint64_t)m;
}

crn_elem crn_elem_from_uint(crn_dtype t, uint64_t v)
{
	crn_elem e = {{0}};
	if (t == CRN_F32) {
		float f = (float)v;
		memcpy(e.bytes, &f, sizeof(f));
	} else if (t == CRN_F64) {
		double d = (double)v;
		memcpy(e.bytes, &d, sizeof(d));
	} else {
		uint64_t bits = t == CRN_BOOL ? v != 0 : v;
		memcpy(e.bytes, &bits,
			table[t].size); /* little-endian hosts: checked in the build */
	}
	return e;
}

crn_elem crn_elem_from_int(crn_dtype t, int64_t v)
{
	if (t == CRN_F32 || t == CRN_F64)
		return t == CRN_F32 ? crn_elem_from_double(t, (double)(float)v)
				    : crn_elem_from_double(t, (double)v);
	return crn_elem_from_uint(t, (uint64_t)v);
}

crn_elem crn_elem_from_double(crn_dtype t, double v)
{
	crn_elem e = {{0}};
	if (t == CRN_F32) {
		float f = (float)v;
		memcpy(e.bytes, &f, sizeof(f));
	} else if (t == CRN_F64) {
		memcpy(e.bytes, &v, sizeof(v));
	} else if (t == CRN_BOOL) {
		e.bytes[0] = v != 0;
	} else {
		e = crn_elem_from_uint(t, wrap_double(v));
	}
	return e;
}

uint64_t crn_elem_to_uint(crn_dtype t, crn_elem e)
{
	if (table[t].kind == 'f')
		return wrap_double(crn_elem_to_double(t, e));
	uint64_t v = 0;
	memcpy(&v, e.bytes, table[t].size);
	if (table[t].kind == 'i') {
		unsigned shift = 64 - 8 * (unsigned)table[t].size;
		v = (uint64_t)((int64_t)(v << shift) >> shift);
	}
	return v;
}

int64_t crn_elem_to_int(crn_dtype t, crn_elem e)
{
	return (int64_t)crn_elem_to_uint(t, e);
}

double crn_elem_to_double(crn_dtype t, crn_elem e)
{
	float f;
	double d;
	switch (t) {
	case CRN_F32:
		memcpy(&f, e.bytes, sizeof(f));
		return f;
	case CRN_F64:
		memcpy(&d, e.bytes, sizeof(d));
		return d;
	default:
		return table[t].kind == 'i' ? (double)crn_elem_to_int(t, e)
					    : (double)crn_elem_to_uint(t, e);
	}
}

char *crn_elem_format(crn_dtype t, crn_elem e, char text[40])
{
	if (t == CRN_BOOL) {
		snprintf(text, 40, "%s", e.bytes[0] ? "True" : "False");
	} else if (table[t].kind == 'f') {
		double v = crn_elem_to_double(t, e);
		int top = t == CRN_F32 ? 9 : 17;
		for (int digits = 1; digits <= top; digits++) {
			snprintf(text, 40, "%.*g", digits, v);
			double back = strtod(text, NULL);
			if (t == CRN_F32 ? (float)back == (float)v : back == v)
				break;
		}
		if (isnan(v))
			snprintf(text, 40, "nan");
	} else if (table[t].kind == 'i') {
		snprintf(text, 40, "%lld", (long long)crn_elem_to_int(t, e));
	} else {
		snprintf(text, 40, "%llu", (unsigned long long)crn_elem_to_uint(t, e));
	}
	return text;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * reference.c -- what all parts of the reference share: elements, borders, call texts.
 */
#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const ref_modes[] = {"reflect", "mirror", "nearest", "wrap", "constant", NULL};

__int128 ref_int(const crn_view *v, int64_t at)
{
	switch (v->dtype) {
	case CRN_BOOL:
		return ((const uint8_t *)v->data)[at] != 0;
	case CRN_U8:
		return ((const uint8_t *)v->data)[at];
	case CRN_U16:
		return ((const uint16_t *)v->data)[at];
	case CRN_U32:
		return ((const uint32_t *)v->data)[at];
	case CRN_U64:
		return ((const uint64_t *)v->data)[at];
	case CRN_I8:
		return ((const int8_t *)v->data)[at];
	case CRN_I16:
		return ((const int16_t *)v->data)[at];
	case CRN_I32:
		return ((const int32_t *)v->data)[at];
	case CRN_I64:
		return ((const int64_t *)v->data)[at];
	default:
		return (__int128)ref_float(v, at);
	}
}

double ref_float(const crn_view *v, int64_t at)
{
	if (v->dtype == CRN_F32)
		return ((const float *)v->data)[at];
	if (v->dtype == CRN_F64)
		return ((const double *)v->data)[at];
	return (double)ref_int(v, at);
}

bool ref_truth(const crn_view *v, int64_t at)
{
	return v->dtype == CRN_F32 || v->dtype == CRN_F64 ? ref_float(v, at) != 0
							  : ref_int(v, at) != 0;
}

void ref_put_int(const crn_view *v, int64_t at, __int128 value)
{
	uint64_t bits = (uint64_t)value;
	switch (v->dtype) {
	case CRN_BOOL:
		((uint8_t *)v->data)[at] = value != 0;
		break;
	case CRN_U8:
	case CRN_I8:
		((uint8_t *)v->data)[at] = (uint8_t)bits;
		break;
	case CRN_U16:
	case CRN_I16:
		((uint16_t *)v->data)[at] = (uint16_t)bits;
		break;
	case CRN_U32:
	case CRN_I32:
		((uint32_t *)v->data)[at] = (uint32_t)bits;
		break;
	case CRN_U64:
	case CRN_I64:
		((uint64_t *)v->data)[at] = bits;
		break;
	case CRN_F32:
		((float *)v->data)[at] = (float)value;
		break;
	default:
		((double *)v->data)[at] = (double)value;
		break;
	}
}

void ref_put_float(const crn_view *v, int64_t at, double value)
{
	if (v->dtype == CRN_F32)
		((float *)v->data)[at] = (float)value;
	else if (v->dtype == CRN_F64)
		((double *)v->data)[at] = value;
	else if (v->dtype == CRN_BOOL)
		((uint8_t *)v->data)[at] = value != 0;
	else
		ref_put_int(v, at, (__int128)value);
}

void ref_copy_element(const crn_view *to, int64_t i, const crn_view *from, int64_t k)
{
	size_t item = crn_dtype_size(to->dtype);
	memcpy((char *)to->data + (size_t)i * item, (const char *)from->data + (size_t)k * item,
		item);
}

int64_t ref_count(const crn_view *v)
{
	int64_t n = 1;
	for (int d = 0; d < v->ndim; d++)
		n *= v->shape[d];
	return n;
}

crn_view ref_new(crn_dtype t, int ndim, const int64_t *shape)
{
	return crn_test_array(t, ndim, shape);
}

crn_view ref_like(const crn_view *v, crn_dtype t)
{
	return crn_test_array(t, v->ndim, v->shape);
}

void ref_text(ref_call *c, const char *fmt, ...)
{
	size_t used = strlen(c->text);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->text + used, sizeof(c->text) - used, fmt, ap);
	va_end(ap);
}

bool ref_one_in(crn_test_rng *g, int n)
{
	return crn_test_int(g, 0, n - 1) == 0;
}

/* By walking: each step outside bounces, sticks or jumps, as the pictures in scipy's manual show.
 */
int64_t ref_border(int64_t i, int64_t n, int mode)
{
	while (i < 0 || i >= n) {
		switch (mode) {
		case 0: /* d c b a | a b c d | d c b a */
			i = i < 0 ? -1 - i : 2 * n - 1 - i;
			break;
		case 1: /* d c b | a b c d | c b a */
			if (n == 1)
				return 0;
			i = i < 0 ? -i : 2 * n - 2 - i;
			break;
		case 2:
			return i < 0 ? 0 : n - 1;
		case 3:
			i += i < 0 ? n : -n;
			break;
		default:
			return -1;
		}
	}
	return i;
}

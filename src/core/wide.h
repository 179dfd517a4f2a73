/* SPDX-License-Identifier: Apache-2.0
 *
 * wide.h -- integers of a pipeline text, computed in 128 bits.
 *
 * A number in a pipeline is at most 64 bits, signed or unsigned; sums, products and powers of two
 * of them are computed here without wrapping, and whoever stores a result checks that it fits
 * again.
 */
#ifndef CRN_CORE_WIDE_H
#define CRN_CORE_WIDE_H

#include "core/value.h"

typedef __int128 crn_wide;

/** BOOL, INT or UINT. */
static inline crn_wide crn_wide_of(const crn_value *v)
{
	return v->kind == CRN_V_BOOL  ? v->b
	       : v->kind == CRN_V_INT ? (crn_wide)v->i
				      : (crn_wide)v->u;
}

/** False if w is outside -2^63 .. 2^64 - 1. */
static inline bool crn_wide_store(crn_wide w, crn_value *ret)
{
	if (w < (crn_wide)INT64_MIN || w > (crn_wide)UINT64_MAX)
		return false;
	*ret = w < 0 ? crn_value_int((int64_t)w) : crn_value_uint((uint64_t)w);
	return true;
}

/** a // b, rounded towards minus infinity; b != 0. */
static inline crn_wide crn_wide_floor_divide(crn_wide a, crn_wide b)
{
	crn_wide q = a / b;
	return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

/** base ** exponent, exponent >= 0; false if it does not fit 128 bits. */
static inline bool crn_wide_power(crn_wide base, crn_wide exponent, crn_wide *ret)
{
	crn_wide r = 1;
	if (base == 0 || base == 1 || base == -1) {
		*ret = exponent == 0 ? 1 : base == -1 && !(exponent & 1) ? 1 : base;
		return true;
	}
	/* |base| >= 2: overflows after 127 steps at most, whatever the exponent. */
	for (crn_wide i = 0; i < exponent; i++)
		if (__builtin_mul_overflow(r, base, &r))
			return false;
	*ret = r;
	return true;
}

#endif

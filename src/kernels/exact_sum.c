/* SPDX-License-Identifier: Apache-2.0
 *
 * exact_sum.c -- superaccumulators and their final rounding. See exact_sum.h.
 *
 * Invariants
 *  (1) After carry(): 0 <= limb < 2^32 for all but the highest limb, which carries the sign.
 *  (2) Between carries at most 2^30 additions, each changing a limb by less than 2^33: no overflow.
 * Compiled once: integer code whose result cannot depend on the instruction set.
 */
#include "kernels/exact_sum.h"

#include <math.h>
#include <string.h>

#define MAX_LIMBS 134
#define CARRY_AFTER ((uint32_t)1 << 30)
#define FLAG_NAN 1u
#define FLAG_PLUS_INF 2u
#define FLAG_MINUS_INF 4u

/* Range of the values plus 64 bits for the number of terms. */
static const struct {
	int n_limbs, exp_lo;
} layout[] = {
	[CRN_XSUM_F32] = {11, -149},
	[CRN_XSUM_F32_SQ] = {20, -298},
	[CRN_XSUM_F64] = {68, -1074},
	[CRN_XSUM_F64_SQ] = {134, -2148},
};

size_t crn_xsum_bytes(crn_xsum kind)
{
	return sizeof(int64_t) * (size_t)(1 + layout[kind].n_limbs);
}

int crn_xsum_exp_lo(crn_xsum kind)
{
	return layout[kind].exp_lo;
}

static void carry(crn_xsum kind, int64_t *acc)
{
	int64_t *limb = acc + 1, c = 0;
	int top = layout[kind].n_limbs - 1;
	for (int k = 0; k < top; k++) {
		int64_t v = limb[k] + c;
		limb[k] = v & 0xffffffff;
		c = v >> 32;
	}
	limb[top] += c;
	acc[0] &= 0xffffffff;
}

/* Announces n additions; carries first when they could overflow. n <= CARRY_AFTER. */
static inline void reserve(crn_xsum kind, int64_t *acc, uint32_t n)
{
	uint32_t pending = (uint32_t)((uint64_t)acc[0] >> 32);
	if (pending + n > CARRY_AFTER) {
		carry(kind, acc);
		pending = 0;
	}
	acc[0] = (int64_t)(((uint64_t)(pending + n) << 32) | ((uint64_t)acc[0] & 0xffffffff));
}

/* limb += (-1)^negative * m * 2^position */
static inline void add_at(int64_t *limb, uint64_t m, int position, bool negative)
{
	crn_u128 v = (crn_u128)m << (position & 31);
	int64_t sign = -(int64_t)negative;
	int64_t *at = limb + (position >> 5);
	at[0] += (((int64_t)(v & 0xffffffff)) ^ sign) - sign;
	at[1] += (((int64_t)((v >> 32) & 0xffffffff)) ^ sign) - sign;
	at[2] += (((int64_t)(v >> 64)) ^ sign) - sign;
}

static inline unsigned special_flag(bool is_nan, bool negative)
{
	return is_nan ? FLAG_NAN : negative ? FLAG_MINUS_INF : FLAG_PLUS_INF;
}

/* 24 bits at any of 32 shifts fit two digits. */
static inline void add_f32(int64_t *acc, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint32_t e = (bits >> 23) & 255, m = bits & 0x7fffff;
	int64_t sign = -(int64_t)(bits >> 31);
	if (e == 255) {
		acc[0] |= special_flag(m != 0, sign != 0);
		return;
	}
	m |= (uint32_t)(e != 0) << 23;
	uint32_t position = e - (e != 0);
	uint64_t v = (uint64_t)m << (position & 31);
	int64_t *at = acc + 1 + (position >> 5);
	at[0] += ((int64_t)(v & 0xffffffff) ^ sign) - sign;
	at[1] += ((int64_t)(v >> 32) ^ sign) - sign;
}

static inline void add_f32_sq(int64_t *acc, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint32_t e = (bits >> 23) & 255, m = bits & 0x7fffff;
	if (e == 255) {
		acc[0] |= special_flag(m != 0, false);
		return;
	}
	m |= (uint32_t)(e != 0) << 23;
	add_at(acc + 1, (uint64_t)m * m, (int)(2 * (e - (e != 0))), false);
}

static inline void add_f64(int64_t *acc, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint32_t e = (uint32_t)(bits >> 52) & 2047;
	uint64_t m = bits & 0xfffffffffffff;
	if (e == 2047) {
		acc[0] |= special_flag(m != 0, bits >> 63);
		return;
	}
	m |= (uint64_t)(e != 0) << 52;
	add_at(acc + 1, m, (int)(e - (e != 0)), bits >> 63);
}

static inline void add_f64_sq(int64_t *acc, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint32_t e = (uint32_t)(bits >> 52) & 2047;
	uint64_t m = bits & 0xfffffffffffff;
	if (e == 2047) {
		acc[0] |= special_flag(m != 0, false);
		return;
	}
	m |= (uint64_t)(e != 0) << 52;
	crn_u128 square = (crn_u128)m * m;
	int position = (int)(2 * (e - (e != 0)));
	add_at(acc + 1, (uint64_t)square, position, false);
	add_at(acc + 1, (uint64_t)(square >> 64), position + 64, false);
}

/* Long runs of float32: one addition per value into 32 bins that are 8 exponents wide (24 + 7 bits,
 * so 2^32 of them fit an int64), two sets of bins to break the dependency chain. */
static void add_many_f32(int64_t *acc, const float *v, int64_t n)
{
	int64_t bin[2][32] = {{0}};
	for (int64_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &v[i], sizeof(bits));
		uint32_t e = (bits >> 23) & 255, m = bits & 0x7fffff;
		int64_t sign = -(int64_t)(bits >> 31);
		if (__builtin_expect(e == 255, 0)) {
			acc[0] |= special_flag(m != 0, sign != 0);
			continue;
		}
		m |= (uint32_t)(e != 0) << 23;
		uint32_t position = e - (e != 0);
		bin[i & 1][position >> 3] +=
			((int64_t)((uint64_t)m << (position & 7)) ^ sign) - sign;
	}
	for (int q = 0; q < 32; q++) {
		int64_t sum = bin[0][q] + bin[1][q];
		uint64_t magnitude = sum < 0 ? -(uint64_t)sum : (uint64_t)sum;
		if (sum != 0)
			add_at(acc + 1, magnitude, 8 * q, sum < 0);
	}
}

static void add_block(crn_xsum kind, int64_t *acc, const void *values, int64_t n)
{
	enum { WORTH_BINS = 96 };
	const float *f = values;
	const double *d = values;
	switch (kind) {
	case CRN_XSUM_F32:
		if (n >= WORTH_BINS) {
			add_many_f32(acc, f, n);
			break;
		}
		for (int64_t i = 0; i < n; i++)
			add_f32(acc, f[i]);
		break;
	case CRN_XSUM_F32_SQ:
		for (int64_t i = 0; i < n; i++)
			add_f32_sq(acc, f[i]);
		break;
	case CRN_XSUM_F64:
		for (int64_t i = 0; i < n; i++)
			add_f64(acc, d[i]);
		break;
	case CRN_XSUM_F64_SQ:
		for (int64_t i = 0; i < n; i++)
			add_f64_sq(acc, d[i]);
		break;
	}
}

void crn_xsum_add(crn_xsum kind, int64_t *acc, const void *values, int64_t n)
{
	const int64_t most = 1 << 28;
	size_t size = kind == CRN_XSUM_F32 || kind == CRN_XSUM_F32_SQ ? 4 : 8;
	for (int64_t done = 0; done < n; done += most) {
		int64_t k = n - done < most ? n - done : most;
		/* The bins of float32 end in at most 32 additions, fewer than announced. */
		reserve(kind, acc, (uint32_t)(2 * k + 64));
		add_block(kind, acc, (const char *)values + (size_t)done * size, k);
	}
}

void crn_xsum_add_each(
	crn_xsum kind, int64_t *acc, size_t step_bytes, const void *values, int64_t n)
{
	const float *f = values;
	const double *d = values;
#define EACH(add, v) \
	for (int64_t i = 0; i < n; i++) { \
		int64_t *a = (int64_t *)((char *)acc + (size_t)i * step_bytes); \
		reserve(kind, a, 2); \
		add(a, v[i]); \
	} \
	break
	switch (kind) {
	case CRN_XSUM_F32:
		EACH(add_f32, f);
	case CRN_XSUM_F32_SQ:
		EACH(add_f32_sq, f);
	case CRN_XSUM_F64:
		EACH(add_f64, d);
	case CRN_XSUM_F64_SQ:
		EACH(add_f64_sq, d);
	}
#undef EACH
}

void crn_xsum_add_scaled(crn_xsum kind, int64_t *acc, int64_t sum, int exp2)
{
	uint64_t magnitude = sum < 0 ? -(uint64_t)sum : (uint64_t)sum;
	reserve(kind, acc, 1);
	add_at(acc + 1, magnitude, exp2 - layout[kind].exp_lo, sum < 0);
}

void crn_xsum_merge(crn_xsum kind, int64_t *acc, const int64_t *other)
{
	uint32_t pending = (uint32_t)((uint64_t)other[0] >> 32);
	reserve(kind, acc, pending + 1);
	acc[0] |= other[0] & 0xffffffff;
	for (int k = 1; k <= layout[kind].n_limbs; k++)
		acc[k] += other[k];
}

/* ---- wide integers ---- */

void crn_wide_from_xsum(crn_xsum kind, const int64_t *acc, crn_wide *ret)
{
	int64_t copy[1 + MAX_LIMBS];
	int n = layout[kind].n_limbs;
	memcpy(copy, acc, crn_xsum_bytes(kind));
	carry(kind, copy);
	unsigned flags = (unsigned)copy[0];
	ret->exp2 = layout[kind].exp_lo;
	ret->special = CRN_WIDE_FINITE;
	ret->negative = copy[n] < 0;
	ret->n = 0;
	if (flags) {
		bool both = (flags & FLAG_PLUS_INF) && (flags & FLAG_MINUS_INF);
		ret->special = (flags & FLAG_NAN) || both ? CRN_WIDE_NAN : CRN_WIDE_INF;
		ret->negative = flags & FLAG_MINUS_INF;
		return;
	}
	if (ret->negative) {
		for (int k = 1; k <= n; k++)
			copy[k] = -copy[k];
		carry(kind, copy);
	}
	for (int k = 0; k < n; k++)
		ret->digit[k] = (uint32_t)copy[1 + k];
	/* The highest limb may hold a second digit. */
	ret->digit[n] = (uint32_t)((uint64_t)copy[n] >> 32);
	ret->n = n + 1;
}

void crn_wide_from_u192(crn_u128 hi, uint64_t lo, crn_wide *ret)
{
	*ret = (crn_wide){.n = 6};
	ret->digit[0] = (uint32_t)lo;
	ret->digit[1] = (uint32_t)(lo >> 32);
	for (int k = 0; k < 4; k++)
		ret->digit[2 + k] = (uint32_t)(hi >> (32 * k));
}

void crn_wide_from_i128(crn_i128 v, crn_wide *ret)
{
	crn_u128 magnitude = v < 0 ? -(crn_u128)v : (crn_u128)v;
	crn_wide_from_u192(magnitude >> 64, (uint64_t)magnitude, ret);
	ret->negative = v < 0;
}

static int bit_length(const crn_wide *w)
{
	for (int k = w->n - 1; k >= 0; k--)
		if (w->digit[k])
			return 32 * k + 32 - __builtin_clz(w->digit[k]);
	return 0;
}

static int bit_length_u128(crn_u128 v)
{
	uint64_t hi = (uint64_t)(v >> 64), lo = (uint64_t)v;
	return hi ? 128 - __builtin_clzll(hi) : lo ? 64 - __builtin_clzll(lo) : 0;
}

static bool bit_at(const crn_wide *w, int k)
{
	return k >= 0 && (w->digit[k >> 5] >> (k & 31)) & 1;
}

/* q * 2^exp2, plus a little more when sticky, rounded half to even. q has at least 64 bits unless
 * it is exact. */
static double round_to(crn_u128 q, int exp2, bool sticky, crn_dtype to)
{
	int precision = to == CRN_F32 ? 24 : 53, exp_min = to == CRN_F32 ? -149 : -1074;
	int drop = bit_length_u128(q) - precision;
	if (exp2 + drop < exp_min)
		drop = exp_min - exp2;
	if (drop > 127)
		return 0.0;
	if (drop > 0) {
		crn_u128 half = (crn_u128)1 << (drop - 1), rest = q & ((half << 1) - 1);
		q >>= drop;
		exp2 += drop;
		if (rest > half || (rest == half && (sticky || (q & 1))))
			q++;
	}
	double v = ldexp((double)(uint64_t)q, exp2);
	return to == CRN_F32 ? (double)(float)v : v;
}

double crn_wide_ratio(const crn_wide *w, crn_u128 d, crn_dtype to)
{
	if (w->special == CRN_WIDE_NAN)
		return NAN;
	if (w->special == CRN_WIDE_INF)
		return w->negative ? -INFINITY : INFINITY;
	int n_bits = bit_length(w);
	if (n_bits == 0)
		return 0.0;
	/* Long division, bit by bit from the top, until the quotient has 66 bits or so; what is
	 * left over only matters as zero or not. */
	int n_steps = bit_length_u128(d) + 66, k = n_bits - 1;
	crn_u128 q = 0, rest = 0;
	for (int i = 0; i < n_steps; i++, k--) {
		bool top = rest >> 127;
		rest = (rest << 1) | bit_at(w, k);
		q <<= 1;
		if (top || rest >= d) {
			rest -= d;
			q |= 1;
		}
	}
	bool sticky = rest != 0;
	for (; k >= 0 && !sticky; k--)
		sticky = bit_at(w, k);
	double v = round_to(q, w->exp2 + n_bits - n_steps, sticky, to);
	return w->negative ? -v : v;
}

/* ret = a * a */
static void square(const crn_wide *a, crn_wide *ret)
{
	int n = a->n;
	while (n > 0 && a->digit[n - 1] == 0)
		n--;
	memset(ret->digit, 0, sizeof(ret->digit));
	for (int i = 0; i < n; i++) {
		uint64_t c = 0;
		for (int j = 0; j < n; j++) {
			uint64_t v = (uint64_t)a->digit[i] * a->digit[j] + ret->digit[i + j] + c;
			ret->digit[i + j] = (uint32_t)v;
			c = v >> 32;
		}
		ret->digit[i + n] = (uint32_t)c;
	}
	ret->n = 2 * n;
}

/* w *= m */
static void scale(crn_wide *w, uint64_t m)
{
	crn_u128 c = 0;
	for (int k = 0; k < w->n; k++) {
		c += (crn_u128)w->digit[k] * m;
		w->digit[k] = (uint32_t)c;
		c >>= 32;
	}
	for (; c; c >>= 32)
		w->digit[w->n++] = (uint32_t)c;
}

double crn_wide_variance(
	const crn_wide *sum, const crn_wide *squares, int64_t n, double ddof, crn_dtype to)
{
	if (sum->special != CRN_WIDE_FINITE || squares->special != CRN_WIDE_FINITE)
		return NAN;
	if (n <= 0)
		return NAN;
	crn_wide top = *squares, sum_sq;
	scale(&top, (uint64_t)n);
	square(sum, &sum_sq);
	for (; top.n < sum_sq.n; top.n++)
		top.digit[top.n] = 0;
	int64_t borrow = 0; /* n * squares >= sum^2 (Cauchy-Schwarz), so no sign can appear */
	for (int k = 0; k < top.n; k++) {
		int64_t v = (int64_t)top.digit[k] - (k < sum_sq.n ? sum_sq.digit[k] : 0) + borrow;
		top.digit[k] = (uint32_t)v;
		borrow = v >> 32;
	}
	int64_t whole = (int64_t)ddof;
	if ((double)whole != ddof) /* a fractional ddof: two roundings, then a third */
		return crn_wide_ratio(&top, (crn_u128)n, CRN_F64) / ((double)n - ddof);
	if (n <= whole)
		return bit_length(&top) && n == whole ? INFINITY : NAN;
	return crn_wide_ratio(&top, (crn_u128)n * (crn_u128)(n - whole), to);
}

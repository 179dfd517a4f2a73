/* SPDX-License-Identifier: Apache-2.0
 *
 * ref_elementwise.c -- NumPy's element-by-element functions and type rules, again, plainly.
 *
 * Second operands are arrays (broadcast) or numbers written into the call. c->i[0] says which:
 * 0 array, 1 integer number (c->i[1]), 2 float number (c->f[1]).
 */
#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ARRAY, INT_NUMBER, FLOAT_NUMBER };

static bool is_float(crn_dtype t)
{
	return t == CRN_F32 || t == CRN_F64;
}

static int bits(crn_dtype t)
{
	return 8 * (int)crn_dtype_size(t);
}

static bool is_unsigned(crn_dtype t)
{
	return t >= CRN_U8 && t <= CRN_U64;
}

/* numpy.promote_types from first principles: the smallest type that holds both value ranges. */
static crn_dtype promote(crn_dtype a, crn_dtype b)
{
	static const crn_dtype ordered[] = {CRN_BOOL, CRN_U8, CRN_I8, CRN_U16, CRN_I16, CRN_U32,
		CRN_I32, CRN_U64, CRN_I64, CRN_F32, CRN_F64};
	for (size_t k = 0; k < sizeof(ordered) / sizeof(ordered[0]); k++) {
		crn_dtype t = ordered[k], sides[] = {a, b};
		bool holds = true;
		for (int s = 0; s < 2; s++) {
			crn_dtype u = sides[s];
			if (u == t || u == CRN_BOOL)
				continue;
			if (t == CRN_BOOL || (is_float(u) && !is_float(t)))
				holds = false;
			else if (t == CRN_F64)
				continue;
			else if (t == CRN_F32)
				holds &= is_float(u) ? u == CRN_F32 : bits(u) <= 16;
			else if (is_unsigned(t))
				holds &= is_unsigned(u) && bits(u) <= bits(t);
			else
				holds &= is_unsigned(u) ? bits(u) < bits(t) : bits(u) <= bits(t);
		}
		if (holds)
			return t;
	}
	return CRN_F64;
}

/* dtype two operands are brought to before the function is applied. */
static crn_dtype common(const crn_view *in, const ref_call *c)
{
	crn_dtype t = in[0].dtype;
	if (c->i[0] == ARRAY)
		return promote(t, in[1].dtype);
	if (c->i[0] == INT_NUMBER)
		return t == CRN_BOOL ? CRN_I64 : t;
	return is_float(t) ? t : CRN_F64;
}

/* ---- choosing ---- */

static bool broadcasts(const crn_view *a, const crn_view *b)
{
	for (int d = 1; d <= a->ndim && d <= b->ndim; d++) {
		int64_t x = a->shape[a->ndim - d], y = b->shape[b->ndim - d];
		if (x != y && x != 1 && y != 1)
			return false;
	}
	return true;
}

static bool choose_arrays(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	c->i[0] = ARRAY;
	return broadcasts(&in[0], &in[1]);
}

static bool choose_number(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	crn_dtype t = in[0].dtype;
	if (ref_one_in(g, 3)) {
		c->i[0] = FLOAT_NUMBER;
		c->f[1] = (double)crn_test_int(g, -40, 40) / 4;
		ref_text(c, "%.2f", c->f[1]);
		return true;
	}
	c->i[0] = INT_NUMBER;
	c->i[1] = crn_test_int(g, is_unsigned(t) ? 0 : -20, 100);
	ref_text(c, "%lld", (long long)c->i[1]);
	return true;
}

static bool not_bool(const crn_view *in, const ref_call *c)
{
	return common(in, c) != CRN_BOOL;
}

static bool not_float(const crn_view *in, const ref_call *c)
{
	return !is_float(common(in, c));
}

/* 64-bit integers of different sign meet in float64, where neighbours are equal. */
static bool comparable(const crn_view *in, const ref_call *c)
{
	bool wide = bits(in[0].dtype) == 64 || (c->i[0] == ARRAY && bits(in[1].dtype) == 64);
	return !(wide && is_float(common(in, c)) &&
		 (!is_float(in[0].dtype) || (c->i[0] == ARRAY && !is_float(in[1].dtype))));
}

/* ---- applying ---- */

typedef struct pair {
	bool is_float, single; /* single: float32 arithmetic */
	double a, b;
	__int128 x, y;
} pair;

/* Index into an operand for the output's index, NumPy's broadcasting. */
static int64_t spread(const crn_view *v, const crn_view *out, int64_t at)
{
	int64_t idx[CRN_MAX_NDIM], k = 0;
	crn_unravel(at, out->ndim, out->shape, idx);
	for (int d = 0; d < v->ndim; d++) {
		int64_t i = idx[out->ndim - v->ndim + d];
		k = k * v->shape[d] + (v->shape[d] == 1 ? 0 : i);
	}
	return k;
}

static crn_view spread_out(const crn_view *in, int n_in, crn_dtype t)
{
	int ndim = 0;
	int64_t shape[CRN_MAX_NDIM] = {0};
	for (int k = 0; k < n_in; k++)
		ndim = in[k].ndim > ndim ? in[k].ndim : ndim;
	for (int d = 0; d < ndim; d++) {
		shape[d] = 1;
		for (int k = 0; k < n_in; k++) {
			int e = d - (ndim - in[k].ndim);
			if (e >= 0 && in[k].shape[e] != 1)
				shape[d] = in[k].shape[e];
		}
	}
	return ref_new(t, ndim, shape);
}

/* One value of dtype `from` brought to dtype t, which holds it or rounds it. */
static double as_float(double v, crn_dtype t)
{
	return t == CRN_F32 ? (float)v : v;
}

static pair get_pair(const crn_view *in, const ref_call *c, const crn_view *out, int64_t at,
	crn_dtype t, int n_in)
{
	pair p = {.is_float = is_float(t), .single = t == CRN_F32};
	int64_t k = spread(&in[0], out, at);
	p.a = as_float(ref_float(&in[0], k), t);
	p.x = is_float(in[0].dtype) ? 0 : ref_int(&in[0], k);
	if (n_in > 1 && c->i[0] == ARRAY) {
		k = spread(&in[1], out, at);
		p.b = as_float(ref_float(&in[1], k), t);
		p.y = is_float(in[1].dtype) ? 0 : ref_int(&in[1], k);
	} else {
		p.b = as_float(c->i[0] == FLOAT_NUMBER ? c->f[1] : (double)c->i[1], t);
		p.y = c->i[1];
	}
	return p;
}

typedef enum what {
	ADD,
	SUBTRACT,
	MULTIPLY,
	DIVIDE,
	FLOOR_DIVIDE,
	MOD,
	MINIMUM,
	MAXIMUM,
	EQUAL,
	NOT_EQUAL,
	LESS,
	LESS_EQUAL,
	GREATER,
	GREATER_EQUAL,
	BIT_AND,
	BIT_OR,
	BIT_XOR,
	LOGIC_AND,
	LOGIC_OR,
	LOGIC_XOR,
	POWER,
} what;

/* numpy's npy_divmod: the remainder has the divisor's sign. */
#define DIVMOD(type, fmod_fn, floor_fn) \
	static double floor_divide_##type(type a, type b) \
	{ \
		if (b == 0) \
			return a / b; \
		type mod = fmod_fn(a, b), div = (a - mod) / b; \
		if (mod != 0 && (b < 0) != (mod < 0)) \
			div -= 1; \
		if (div == 0) \
			return copysign(0.0, a / b); \
		type whole = floor_fn(div); \
		return div - whole > (type)0.5 ? whole + 1 : whole; \
	} \
	static double mod_##type(type a, type b) \
	{ \
		type mod = fmod_fn(a, b); \
		if (b == 0) \
			return mod; \
		if (mod == 0) \
			return copysign(0.0, b); \
		return (b < 0) != (mod < 0) ? mod + b : mod; \
	}
DIVMOD(float, fmodf, floorf)
DIVMOD(double, fmod, floor)

static double float_result(what w, const pair *p)
{
	double a = p->a, b = p->b;
	switch (w) {
	case ADD:
		return a + b;
	case SUBTRACT:
		return a - b;
	case MULTIPLY:
		return a * b;
	case DIVIDE:
		return a / b;
	case FLOOR_DIVIDE:
		return p->single ? floor_divide_float((float)a, (float)b)
				 : floor_divide_double(a, b);
	case MOD:
		return p->single ? mod_float((float)a, (float)b) : mod_double(a, b);
	case MINIMUM:
		return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
	case MAXIMUM:
		return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
	case POWER:
		/* NumPy's ** is sqrt here, which differs at -inf. */
		return b == 0.5 ? sqrt(a) : (double)powl((long double)a, (long double)b);
	case EQUAL:
		return a == b;
	case NOT_EQUAL:
		return a != b;
	case LESS:
		return a < b;
	case LESS_EQUAL:
		return a <= b;
	case GREATER:
		return a > b;
	case GREATER_EQUAL:
		return a >= b;
	case LOGIC_AND:
		return a != 0 && b != 0;
	case LOGIC_OR:
		return a != 0 || b != 0;
	default:
		return (a != 0) != (b != 0);
	}
}

static __int128 int_power(__int128 x, __int128 n)
{
	uint64_t r = 1;
	for (; n > 0; n--)
		r *= (uint64_t)x;
	return r;
}

static __int128 int_result(what w, __int128 x, __int128 y)
{
	switch (w) {
	case ADD:
		return x + y;
	case SUBTRACT:
		return x - y;
	case MULTIPLY:
		return (__int128)((unsigned __int128)x * (unsigned __int128)y);
	case FLOOR_DIVIDE:
		return y == 0 ? 0 : x / y - (x % y != 0 && (x < 0) != (y < 0));
	case MOD:
		return y == 0 ? 0 : x % y + (x % y != 0 && (x < 0) != (y < 0) ? y : 0);
	case MINIMUM:
		return x < y ? x : y;
	case MAXIMUM:
		return x > y ? x : y;
	case EQUAL:
		return x == y;
	case NOT_EQUAL:
		return x != y;
	case LESS:
		return x < y;
	case LESS_EQUAL:
		return x <= y;
	case GREATER:
		return x > y;
	case GREATER_EQUAL:
		return x >= y;
	case BIT_AND:
		return x & y;
	case BIT_OR:
		return x | y;
	case BIT_XOR:
		return x ^ y;
	case LOGIC_AND:
		return x && y;
	case LOGIC_OR:
		return x || y;
	case LOGIC_XOR:
		return !x != !y;
	default:
		return int_power(x, y);
	}
}

static crn_view two(const crn_view *in, const ref_call *c, what w)
{
	int n_in = c->i[0] == ARRAY ? 2 : 1;
	crn_dtype t = common(in, c), result = t;
	if (w == DIVIDE && !is_float(t)) {
		/* By the operands' own widths; a number has none: bool / 3 is float32. */
		bool narrow =
			bits(in[0].dtype) <= 16 && (c->i[0] != ARRAY || bits(in[1].dtype) <= 16);
		t = result = narrow ? CRN_F32 : CRN_F64;
	}
	if ((w >= EQUAL && w <= GREATER_EQUAL) || (w >= LOGIC_AND && w <= LOGIC_XOR))
		result = CRN_BOOL;
	crn_view out = spread_out(in, n_in, result);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		pair p = get_pair(in, c, &out, at, t, 2);
		if (p.is_float)
			ref_put_float(&out, at, float_result(w, &p));
		else
			ref_put_int(&out, at, int_result(w, p.x, p.y));
	}
	return out;
}

#define ALWAYS(in, c) true
#define TWO(fn, w, allowed) \
	static crn_view eval_##fn(const crn_view *in, const ref_call *c) \
	{ \
		return two(in, c, w); \
	} \
	static bool arrays_##fn(crn_test_rng *g, const crn_view *in, ref_call *c) \
	{ \
		return choose_arrays(g, in, c) && allowed(in, c); \
	} \
	static bool number_##fn(crn_test_rng *g, const crn_view *in, ref_call *c) \
	{ \
		return choose_number(g, in, c) && allowed(in, c); \
	}
TWO(add, ADD, ALWAYS)
TWO(subtract, SUBTRACT, not_bool)
TWO(multiply, MULTIPLY, ALWAYS)
TWO(divide, DIVIDE, ALWAYS)
TWO(floor_divide, FLOOR_DIVIDE, not_bool)
TWO(mod, MOD, not_bool)
TWO(minimum, MINIMUM, ALWAYS)
TWO(maximum, MAXIMUM, ALWAYS)
TWO(equal, EQUAL, comparable)
TWO(not_equal, NOT_EQUAL, comparable)
TWO(less, LESS, comparable)
TWO(less_equal, LESS_EQUAL, comparable)
TWO(greater, GREATER, comparable)
TWO(greater_equal, GREATER_EQUAL, comparable)
TWO(bitwise_and, BIT_AND, not_float)
TWO(bitwise_or, BIT_OR, not_float)
TWO(bitwise_xor, BIT_XOR, not_float)
TWO(logical_and, LOGIC_AND, ALWAYS)
TWO(logical_or, LOGIC_OR, ALWAYS)
TWO(logical_xor, LOGIC_XOR, ALWAYS)

/* Integers to small powers, floats to any. */
static bool number_power(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	static const double exponents[] = {0.5, 2, -1, 3, 0, 1.5};
	if (in[0].dtype == CRN_BOOL)
		return false;
	if (is_float(in[0].dtype)) {
		c->i[0] = FLOAT_NUMBER;
		c->f[1] = exponents[crn_test_int(g, 0, 5)];
		ref_text(c, "%.1f", c->f[1]);
		c->rtol = in[0].dtype == CRN_F32 ? 1.3e-7 : 5e-16;
		c->atol = in[0].dtype == CRN_F32 ? 2e-45 : 1e-323;
		return true;
	}
	c->i[0] = INT_NUMBER;
	c->i[1] = crn_test_int(g, 0, 5);
	ref_text(c, "%lld", (long long)c->i[1]);
	return true;
}

static crn_view eval_power(const crn_view *in, const ref_call *c)
{
	return two(in, c, POWER);
}

/* ---- one operand ---- */

typedef enum one_what {
	NEGATIVE,
	ABSOLUTE,
	SQUARE,
	INVERT,
	LOGIC_NOT,
	ISNAN,
	SQRT,
	EXP,
	LOG,
	RINT,
	FLOOR,
	CEIL
} one_what;

static crn_view one(const crn_view *in, one_what w)
{
	crn_dtype t = in[0].dtype, result = t;
	if (w == LOGIC_NOT || w == ISNAN)
		result = CRN_BOOL;
	if (w >= SQRT && w <= LOG && !is_float(t))
		result = bits(t) <= 16 ? CRN_F32 : CRN_F64;
	crn_view out = ref_like(&in[0], result);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		double a = ref_float(&in[0], at);
		__int128 x = is_float(t) ? 0 : ref_int(&in[0], at);
		if (w == LOGIC_NOT || w == ISNAN) {
			ref_put_int(&out, at, w == ISNAN ? isnan(a) : !ref_truth(&in[0], at));
		} else if (is_float(t) || w >= SQRT) {
			long double v = w == NEGATIVE   ? -a
					: w == ABSOLUTE ? fabs(a)
					: w == SQUARE   ? a * a
					: w == SQRT     ? sqrt(as_float(a, result))
					: w == EXP      ? expl(as_float(a, result))
					: w == LOG      ? logl(as_float(a, result))
					: w == RINT     ? nearbyint(a)
					: w == FLOOR    ? floor(a)
							: ceil(a);
			ref_put_float(&out, at, (double)v);
		} else {
			ref_put_int(&out, at,
				w == NEGATIVE   ? -x
				: w == ABSOLUTE ? (x < 0 ? -x : x)
				: w == SQUARE
					? (__int128)((unsigned __int128)x * (unsigned __int128)x)
				: t == CRN_BOOL ? !x
						: ~x);
		}
	}
	return out;
}

static bool takes_numbers(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	return in[0].dtype != CRN_BOOL;
}

static bool takes_floats(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	return is_float(in[0].dtype);
}

static bool takes_ints(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	return !is_float(in[0].dtype);
}

static bool takes_all(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	return true;
}

/* Within 1 ulp of the exact value in the result's dtype. */
static bool takes_math(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	bool single = in[0].dtype == CRN_F32 || (!is_float(in[0].dtype) && bits(in[0].dtype) <= 16);
	c->rtol = single ? 1.3e-7 : 3e-16;
	c->atol = single ? 2e-45 : 1e-323;
	return in[0].dtype != CRN_BOOL;
}

#define ONE(fn, w) \
	static crn_view eval_##fn(const crn_view *in, const ref_call *c) \
	{ \
		return one(in, w); \
	}
ONE(negative, NEGATIVE)
ONE(absolute, ABSOLUTE)
ONE(square, SQUARE)
ONE(invert, INVERT)
ONE(logical_not, LOGIC_NOT)
ONE(isnan, ISNAN)
ONE(sqrt, SQRT)
ONE(exp, EXP)
ONE(log, LOG)
ONE(rint, RINT)
ONE(floor, FLOOR)
ONE(ceil, CEIL)

/* ---- where, clip, casts ---- */

static bool choose_where(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	return in[0].dtype == CRN_BOOL && broadcasts(&in[0], &in[1]) &&
	       broadcasts(&in[0], &in[2]) && broadcasts(&in[1], &in[2]);
}

static crn_view eval_where(const crn_view *in, const ref_call *c)
{
	crn_dtype t = promote(in[1].dtype, in[2].dtype);
	crn_view out = spread_out(in, 3, t);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		const crn_view *from =
			ref_truth(&in[0], spread(&in[0], &out, at)) ? &in[1] : &in[2];
		int64_t k = spread(from, &out, at);
		if (is_float(from->dtype))
			ref_put_float(&out, at, ref_float(from, k));
		else
			ref_put_int(&out, at, ref_int(from, k));
	}
	return out;
}

static bool choose_clip(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	c->i[0] = crn_test_int(g, 0, 20);
	c->i[1] = crn_test_int(g, c->i[0], 90);
	ref_text(c, "%lld, %lld", (long long)c->i[0], (long long)c->i[1]);
	return in[0].dtype != CRN_BOOL;
}

static crn_view eval_clip(const crn_view *in, const ref_call *c)
{
	crn_view out = ref_like(&in[0], in[0].dtype);
	for (int64_t at = 0; at < ref_count(&out); at++) {
		double a = ref_float(&in[0], at);
		if (is_float(in[0].dtype)) {
			ref_put_float(&out, at,
				a < (double)c->i[0]   ? (double)c->i[0]
				: a > (double)c->i[1] ? (double)c->i[1]
						      : a);
			continue;
		}
		__int128 x = ref_int(&in[0], at);
		ref_put_int(&out, at, x < c->i[0] ? c->i[0] : x > c->i[1] ? c->i[1] : x);
	}
	return out;
}

static bool choose_dtype(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	c->dtype = (crn_dtype)crn_test_int(g, 0, CRN_N_DTYPES - 1);
	ref_text(c, "'%s'", crn_dtype_name(c->dtype));
	return true;
}

/* Floats outside an integer's range have no meaning in C; such calls are not made up. */
static bool choose_astype(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	choose_dtype(g, in, c);
	if (!is_float(in[0].dtype) || is_float(c->dtype) || c->dtype == CRN_BOOL)
		return true;
	double low = is_unsigned(c->dtype) ? 0 : -ldexp(1, bits(c->dtype) - 1);
	double high = ldexp(1, bits(c->dtype) - !is_unsigned(c->dtype));
	for (int64_t at = 0; at < ref_count(&in[0]); at++) {
		double a = trunc(ref_float(&in[0], at));
		if (!(a >= low && a < high))
			return false;
	}
	return true;
}

static crn_view eval_astype(const crn_view *in, const ref_call *c)
{
	crn_view out = ref_like(&in[0], c->dtype);
	for (int64_t at = 0; at < ref_count(&out); at++)
		if (c->dtype == CRN_BOOL)
			ref_put_int(&out, at, ref_truth(&in[0], at));
		else if (is_float(in[0].dtype))
			ref_put_float(&out, at, ref_float(&in[0], at));
		else
			ref_put_int(&out, at, ref_int(&in[0], at));
	return out;
}

static bool choose_saturate(crn_test_rng *g, const crn_view *in, ref_call *c)
{
	choose_dtype(g, in, c);
	return c->dtype != CRN_BOOL && !(is_float(c->dtype));
}

static crn_view eval_saturate(const crn_view *in, const ref_call *c)
{
	crn_view out = ref_like(&in[0], c->dtype);
	__int128 one_more = (__int128)1 << (bits(c->dtype) - !is_unsigned(c->dtype));
	__int128 low = is_unsigned(c->dtype) ? 0 : -one_more;
	for (int64_t at = 0; at < ref_count(&out); at++) {
		__int128 x = 0;
		double a = ref_float(&in[0], at);
		if (!is_float(in[0].dtype))
			x = ref_int(&in[0], at);
		else if (!isnan(a))
			x = a > 1e30    ? (__int128)1 << 100
			    : a < -1e30 ? -((__int128)1 << 100)
					: (__int128)nearbyint(a);
		x = x < low ? low : x > one_more - 1 ? one_more - 1 : x;
		ref_put_int(&out, at, x);
	}
	return out;
}

const ref_op ref_elementwise[] = {
#define BOTH(fn) \
	{#fn, 2, arrays_##fn, eval_##fn}, \
	{ \
#fn, 1, number_##fn, eval_##fn \
	}
	BOTH(add),
	BOTH(subtract),
	BOTH(multiply),
	BOTH(divide),
	BOTH(floor_divide),
	BOTH(mod),
	BOTH(minimum),
	BOTH(maximum),
	BOTH(equal),
	BOTH(not_equal),
	BOTH(less),
	BOTH(less_equal),
	BOTH(greater),
	BOTH(greater_equal),
	{"bitwise_and", 2, arrays_bitwise_and, eval_bitwise_and},
	{"bitwise_or", 2, arrays_bitwise_or, eval_bitwise_or},
	{"bitwise_xor", 1, number_bitwise_xor, eval_bitwise_xor},
	{"bitwise_xor", 2, arrays_bitwise_xor, eval_bitwise_xor},
	{"bitwise_and", 1, number_bitwise_and, eval_bitwise_and},
	{"bitwise_or", 1, number_bitwise_or, eval_bitwise_or},
	BOTH(logical_and),
	BOTH(logical_or),
	BOTH(logical_xor),
	{"power", 1, number_power, eval_power},
	{"negative", 1, takes_numbers, eval_negative},
	{"absolute", 1, takes_all, eval_absolute},
	{"square", 1, takes_numbers, eval_square},
	{"invert", 1, takes_ints, eval_invert},
	{"logical_not", 1, takes_all, eval_logical_not},
	{"isnan", 1, takes_floats, eval_isnan},
	{"sqrt", 1, takes_math, eval_sqrt},
	{"exp", 1, takes_math, eval_exp},
	{"log", 1, takes_math, eval_log},
	{"rint", 1, takes_floats, eval_rint},
	{"round", 1, takes_floats, eval_rint},
	{"floor", 1, takes_floats, eval_floor},
	{"ceil", 1, takes_floats, eval_ceil},
	{"where", 3, choose_where, eval_where},
	{"clip", 1, choose_clip, eval_clip},
	{"astype", 1, choose_astype, eval_astype},
	{"saturate", 1, choose_saturate, eval_saturate},
	{NULL, 0, NULL, NULL},
};

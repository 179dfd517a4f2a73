/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate_loops.h -- template of the three row loops; included once per sample and sum type.
 *
 * The includer defines SAMPLE (type of rows and output), SUM (type of weights and sums), NAME(x),
 * and vectors of the same number of lanes: SAMPLES and SUMS. Four named accumulators hide the
 * latency of the additions; an accumulator array would be spilled at every tap by the compilers.
 * What is left of a row after whole vectors is done by one vector that ends at the row's end and
 * overlaps what is there already: the same sums again, so the same bits. Any NaN comes out as one
 * NaN: which of two NaNs a sum keeps is up to the compiler.
 */

enum { NAME(LANES) = sizeof(SUMS) / sizeof(SUM) };

static inline SUMS NAME(get)(const char *p)
{
	SAMPLES v;
	memcpy(&v, p, sizeof(v));
	return __builtin_convertvector(v, SUMS);
}

static inline void NAME(put)(SAMPLE *p, SUMS sums)
{
	SAMPLES v = __builtin_convertvector(sums, SAMPLES);
	SAMPLES nan = (SAMPLES){0} + (SAMPLE)__builtin_nan("");
	__typeof__(v == v) number = v == v;
	v = (SAMPLES)(((__typeof__(number))v & number) | ((__typeof__(number))nan & ~number));
	memcpy(p, &v, sizeof(v));
}

static inline SUM NAME(get1)(const char *p)
{
	SAMPLE v;
	memcpy(&v, p, sizeof(v));
	return (SUM)v;
}

#define STEP ((ptrdiff_t)(NAME(LANES) * sizeof(SAMPLE)))

/* Body of a row loop: ONE(i) makes one vector at i, FOUR(i) four, SCALAR(i) one output. */
#define ROW(FOUR, ONE, SCALAR) \
	int64_t i = 0; \
	for (; i + 4 * NAME(LANES) <= n; i += 4 * NAME(LANES)) \
		FOUR(base + i * (ptrdiff_t)sizeof(SAMPLE), offset, w, n_weights, out + i); \
	for (; i + NAME(LANES) <= n; i += NAME(LANES)) \
		ONE(base + i * (ptrdiff_t)sizeof(SAMPLE), offset, w, n_weights, out + i); \
	if (i < n && n >= NAME(LANES)) { \
		i = n - NAME(LANES); \
		ONE(base + i * (ptrdiff_t)sizeof(SAMPLE), offset, w, n_weights, out + i); \
		i = n; \
	} \
	for (; i < n; i++) \
	SCALAR(base + i * (ptrdiff_t)sizeof(SAMPLE), offset, w, n_weights, out + i)

/* ---- plain taps ---- */

static inline void NAME(plain4)(
	const char *base, const ptrdiff_t *offset, const SUM *w, int n_weights, SAMPLE *out)
{
	const char *p = base + offset[0];
	SUMS a0 = NAME(get)(p) * w[0], a1 = NAME(get)(p + STEP) * w[0];
	SUMS a2 = NAME(get)(p + 2 * STEP) * w[0], a3 = NAME(get)(p + 3 * STEP) * w[0];
	for (int t = 1; t < n_weights; t++) {
		p = base + offset[t];
		a0 += NAME(get)(p) * w[t];
		a1 += NAME(get)(p + STEP) * w[t];
		a2 += NAME(get)(p + 2 * STEP) * w[t];
		a3 += NAME(get)(p + 3 * STEP) * w[t];
	}
	NAME(put)(out, a0);
	NAME(put)(out + NAME(LANES), a1);
	NAME(put)(out + 2 * NAME(LANES), a2);
	NAME(put)(out + 3 * NAME(LANES), a3);
}

static inline void NAME(plain1)(
	const char *base, const ptrdiff_t *offset, const SUM *w, int n_weights, SAMPLE *out)
{
	SUMS a = NAME(get)(base + offset[0]) * w[0];
	for (int t = 1; t < n_weights; t++)
		a += NAME(get)(base + offset[t]) * w[t];
	NAME(put)(out, a);
}

static inline void NAME(plain_scalar)(
	const char *base, const ptrdiff_t *offset, const SUM *w, int n_weights, SAMPLE *out)
{
	SUM a = NAME(get1)(base + offset[0]) * w[0];
	for (int t = 1; t < n_weights; t++)
		a += NAME(get1)(base + offset[t]) * w[t];
	*out = a == a ? (SAMPLE)a : (SAMPLE)__builtin_nan("");
}

static void NAME(plain)(const char *base, const ptrdiff_t *offset, const void *weight,
	int n_weights, int64_t n, void *to)
{
	const SUM *w = weight;
	SAMPLE *out = to;
	ROW(NAME(plain4), NAME(plain1), NAME(plain_scalar));
}

/* ---- pairs: SIGN is + or - ---- */

#define PAIRS(KIND, SIGN) \
	static inline void NAME(KIND##4)(const char *base, const ptrdiff_t *offset, const SUM *w, \
		int n_weights, SAMPLE *out) \
	{ \
		const char *p = base + offset[0]; \
		SUMS a0 = NAME(get)(p) * w[0], a1 = NAME(get)(p + STEP) * w[0]; \
		SUMS a2 = NAME(get)(p + 2 * STEP) * w[0], a3 = NAME(get)(p + 3 * STEP) * w[0]; \
		for (int t = 1; t < n_weights; t++) { \
			const char *q = base + offset[2 * t]; \
			p = base + offset[2 * t - 1]; \
			a0 += (NAME(get)(p) SIGN NAME(get)(q)) * w[t]; \
			a1 += (NAME(get)(p + STEP) SIGN NAME(get)(q + STEP)) * w[t]; \
			a2 += (NAME(get)(p + 2 * STEP) SIGN NAME(get)(q + 2 * STEP)) * w[t]; \
			a3 += (NAME(get)(p + 3 * STEP) SIGN NAME(get)(q + 3 * STEP)) * w[t]; \
		} \
		NAME(put)(out, a0); \
		NAME(put)(out + NAME(LANES), a1); \
		NAME(put)(out + 2 * NAME(LANES), a2); \
		NAME(put)(out + 3 * NAME(LANES), a3); \
	} \
	static inline void NAME(KIND##1)(const char *base, const ptrdiff_t *offset, const SUM *w, \
		int n_weights, SAMPLE *out) \
	{ \
		SUMS a = NAME(get)(base + offset[0]) * w[0]; \
		for (int t = 1; t < n_weights; t++) \
			a += (NAME(get)(base + offset[2 * t - 1]) \
					     SIGN NAME(get)(base + offset[2 * t])) * \
			     w[t]; \
		NAME(put)(out, a); \
	} \
	static inline void NAME(KIND##_scalar)(const char *base, const ptrdiff_t *offset, \
		const SUM *w, int n_weights, SAMPLE *out) \
	{ \
		SUM a = NAME(get1)(base + offset[0]) * w[0]; \
		for (int t = 1; t < n_weights; t++) \
			a += (NAME(get1)(base + offset[2 * t - 1]) \
					     SIGN NAME(get1)(base + offset[2 * t])) * \
			     w[t]; \
		*out = a == a ? (SAMPLE)a : (SAMPLE)__builtin_nan(""); \
	} \
	static void NAME(KIND)(const char *base, const ptrdiff_t *offset, const void *weight, \
		int n_weights, int64_t n, void *to) \
	{ \
		const SUM *w = weight; \
		SAMPLE *out = to; \
		ROW(NAME(KIND##4), NAME(KIND##1), NAME(KIND##_scalar)); \
	}

PAIRS(symmetric, +)
PAIRS(antisymmetric, -)

#undef PAIRS
#undef ROW
#undef STEP
#undef SAMPLE
#undef SAMPLES
#undef SUM
#undef SUMS
#undef NAME

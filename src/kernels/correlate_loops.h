/* SPDX-License-Identifier: Apache-2.0
 *
 * correlate_loops.h -- template of the row loops; included once per sample and sum type.
 *
 * The includer defines SAMPLE (type of rows and output), SUM (type of weights and sums), NAME(x),
 * and vectors of the same number of lanes: SAMPLES and SUMS. Several accumulators in registers hide
 * the latency of the additions; loops over them have constant counts and are unrolled, so that none
 * is spilled. What is left of a row after whole vectors is done by one vector that ends at the
 * row's end and overlaps what is there already: the same sums again, so the same bits. Any NaN
 * comes out as one NaN: which of two NaNs a sum keeps is up to the compiler.
 */

enum { NAME(LANES) = sizeof(SUMS) / sizeof(SUM) };

#define STEP ((ptrdiff_t)(NAME(LANES) * sizeof(SAMPLE)))
#define EACH(j, count) _Pragma("GCC unroll 8") for (int j = 0; j < (count); j++)

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

/* ---- one row ---- */

/* `count` vectors of outputs (up to 8); `pairing` and `count` are constants of the caller. */
static inline __attribute__((always_inline)) void NAME(vectors)(
	const char *base, const crn_taps *taps, SAMPLE *out, crn_tap_pairing pairing, int count)
{
	const SUM *w = taps->weight;
	const char *p = base + taps->offset[0];
	SUMS a[8];
	EACH(j, count)
	a[j] = NAME(get)(p + j * STEP) * w[0];
	for (int t = 1; t < taps->n_weights; t++) {
		if (pairing == CRN_TAPS_PLAIN) {
			p = base + taps->offset[t];
			EACH(j, count)
			a[j] += NAME(get)(p + j * STEP) * w[t];
			continue;
		}
		const char *q = base + taps->offset[2 * t];
		p = base + taps->offset[2 * t - 1];
		EACH(j, count)
		{
			SUMS first = NAME(get)(p + j * STEP), second = NAME(get)(q + j * STEP);
			a[j] += (pairing == CRN_TAPS_SYMMETRIC ? first + second : first - second) *
				w[t];
		}
	}
	EACH(j, count)
	NAME(put)(out + j * NAME(LANES), a[j]);
}

static inline SAMPLE NAME(single)(const char *base, const crn_taps *taps, crn_tap_pairing pairing)
{
	const SUM *w = taps->weight;
	SUM a = NAME(get1)(base + taps->offset[0]) * w[0];
	for (int t = 1; t < taps->n_weights; t++) {
		if (pairing == CRN_TAPS_PLAIN) {
			a += NAME(get1)(base + taps->offset[t]) * w[t];
			continue;
		}
		SUM first = NAME(get1)(base + taps->offset[2 * t - 1]);
		SUM second = NAME(get1)(base + taps->offset[2 * t]);
		a += (pairing == CRN_TAPS_SYMMETRIC ? first + second : first - second) * w[t];
	}
	return a == a ? (SAMPLE)a : (SAMPLE)__builtin_nan("");
}

static inline __attribute__((always_inline)) void NAME(row)(
	const char *base, const crn_taps *taps, int64_t n, SAMPLE *out, crn_tap_pairing pairing)
{
	int64_t i = 0;
	for (; i + 8 * NAME(LANES) <= n; i += 8 * NAME(LANES))
		NAME(vectors)(base + i * (ptrdiff_t)sizeof(SAMPLE), taps, out + i, pairing, 8);
	for (; i + 2 * NAME(LANES) <= n; i += 2 * NAME(LANES))
		NAME(vectors)(base + i * (ptrdiff_t)sizeof(SAMPLE), taps, out + i, pairing, 2);
	for (; n >= NAME(LANES) && i < n; i += NAME(LANES)) {
		i = i + NAME(LANES) <= n ? i : n - NAME(LANES);
		NAME(vectors)(base + i * (ptrdiff_t)sizeof(SAMPLE), taps, out + i, pairing, 1);
	}
	for (; i < n; i++)
		out[i] = NAME(single)(base + i * (ptrdiff_t)sizeof(SAMPLE), taps, pairing);
}

/* ---- two rows, one tap apart ----
 *
 * Output rows 0 and 1 share all inputs but two: the pair k of row 1 is one tap below the pair k of
 * row 0, so its first sample is what row 0 reads next, its second what row 0 read before.
 */

/* `count` vectors of each row. */
static inline __attribute__((always_inline)) void NAME(vector_pairs)(const char *base,
	const crn_taps *taps, SAMPLE *const out[2], crn_tap_pairing pairing, int count)
{
	const SUM *w = taps->weight;
	ptrdiff_t next = taps->next;
	const char *centre = base + taps->offset[0];
	const char *first = base + taps->offset[1], *second = base + taps->offset[2];
	SUMS a[4], b[4], first_0[4], second_1[4];
	EACH(j, count)
	{
		a[j] = NAME(get)(centre + j * STEP) * w[0];
		b[j] = NAME(get)(centre + next + j * STEP) * w[0];
		first_0[j] = NAME(get)(first + j * STEP);
		second_1[j] = NAME(get)(second + next + j * STEP);
	}
	for (int t = 1; t < taps->n_weights; t++) {
		first += next;
		EACH(j, count)
		{
			SUMS first_1 = NAME(get)(first + j * STEP);
			SUMS second_0 = NAME(get)(second + j * STEP);
			if (pairing == CRN_TAPS_SYMMETRIC) {
				a[j] += (first_0[j] + second_0) * w[t];
				b[j] += (first_1 + second_1[j]) * w[t];
			} else {
				a[j] += (first_0[j] - second_0) * w[t];
				b[j] += (first_1 - second_1[j]) * w[t];
			}
			first_0[j] = first_1;
			second_1[j] = second_0;
		}
		second -= next;
	}
	EACH(j, count)
	{
		NAME(put)(out[0] + j * NAME(LANES), a[j]);
		NAME(put)(out[1] + j * NAME(LANES), b[j]);
	}
}

static inline __attribute__((always_inline)) void NAME(row_pair)(const char *base,
	const crn_taps *taps, int64_t n, void *const to[2], crn_tap_pairing pairing)
{
	/* Four registers a column, and three more: two columns fill the 16 of the older levels. */
	enum { COLUMNS = CRN_VECTOR_BYTES == 64 ? 4 : 2 };
	SAMPLE *out[2] = {to[0], to[1]};
	if (n < NAME(LANES) || taps->n_weights == 1) {
		NAME(row)(base, taps, n, out[0], pairing);
		NAME(row)(base + taps->next, taps, n, out[1], pairing);
		return;
	}
	for (int64_t i = 0; i < n;) {
		bool many = i + COLUMNS * NAME(LANES) <= n;
		i = i + NAME(LANES) <= n ? i : n - NAME(LANES);
		SAMPLE *const at[2] = {out[0] + i, out[1] + i};
		const char *p = base + i * (ptrdiff_t)sizeof(SAMPLE);
		if (many)
			NAME(vector_pairs)(p, taps, at, pairing, COLUMNS);
		else
			NAME(vector_pairs)(p, taps, at, pairing, 1);
		i += (many ? COLUMNS : 1) * NAME(LANES);
	}
}

/* ---- the loops of the table ---- */

static void NAME(plain)(const char *base, const crn_taps *taps, int64_t n, void *out)
{
	NAME(row)(base, taps, n, out, CRN_TAPS_PLAIN);
}

static void NAME(symmetric)(const char *base, const crn_taps *taps, int64_t n, void *out)
{
	NAME(row)(base, taps, n, out, CRN_TAPS_SYMMETRIC);
}

static void NAME(antisymmetric)(const char *base, const crn_taps *taps, int64_t n, void *out)
{
	NAME(row)(base, taps, n, out, CRN_TAPS_ANTISYMMETRIC);
}

static void NAME(symmetric_two)(
	const char *base, const crn_taps *taps, int64_t n, void *const out[2])
{
	NAME(row_pair)(base, taps, n, out, CRN_TAPS_SYMMETRIC);
}

static void NAME(antisymmetric_two)(
	const char *base, const crn_taps *taps, int64_t n, void *const out[2])
{
	NAME(row_pair)(base, taps, n, out, CRN_TAPS_ANTISYMMETRIC);
}

#undef EACH
#undef STEP
#undef SAMPLE
#undef SAMPLES
#undef SUM
#undef SUMS
#undef NAME

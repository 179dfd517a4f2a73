/* SPDX-License-Identifier: Apache-2.0
 *
 * order_loops.h -- template of the loops of order.h; included once per key type.
 *
 * The includer defines KEY, its unsigned twin UKEY, BIAS (what XOR turns a key's bits into an
 * unsigned number of the same order) and NAME(x). Plain loops and straight-line exchanges without
 * aliasing: both compilers vectorise them across outputs; the rank search uses GNU vectors, because
 * its counters must stay in registers over all taps.
 */

static void NAME(least)(const KEY *a, const KEY *b, int64_t n, KEY *restrict out)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = a[i] < b[i] ? a[i] : b[i];
}

static void NAME(greatest)(const KEY *a, const KEY *b, int64_t n, KEY *restrict out)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = a[i] > b[i] ? a[i] : b[i];
}

static void NAME(min_taps)(
	const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *to)
{
	KEY *restrict out = to;
	memcpy(out, base + offset[0], (size_t)n * sizeof(KEY));
	for (int t = 1; t < n_taps; t++) {
		const KEY *a = (const KEY *)(base + offset[t]);
		for (int64_t i = 0; i < n; i++)
			out[i] = a[i] < out[i] ? a[i] : out[i];
	}
}

static void NAME(max_taps)(
	const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *to)
{
	KEY *restrict out = to;
	memcpy(out, base + offset[0], (size_t)n * sizeof(KEY));
	for (int t = 1; t < n_taps; t++) {
		const KEY *a = (const KEY *)(base + offset[t]);
		for (int64_t i = 0; i < n; i++)
			out[i] = a[i] > out[i] ? a[i] : out[i];
	}
}

/* ---- medians of fixed size ---- */

#define TAP(t) const KEY *p##t = (const KEY *)(base + offset[t]);
#define LOAD(t) KEY v##t = p##t[i];
#define CE(a, b) \
	{ \
		KEY low = v##a < v##b ? v##a : v##b; \
		v##b = v##a < v##b ? v##b : v##a; \
		v##a = low; \
	}
#define NINE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define TWENTYFIVE(X) \
	NINE(X) \
	X(9) \
	X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24)
#define TWENTYSEVEN(X) TWENTYFIVE(X) X(25) X(26)

static void NAME(median_9)(
	const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *to)
{
	KEY *restrict out = to;
	(void)n_taps;
	NINE(TAP)
	for (int64_t i = 0; i < n; i++) {
		NINE(LOAD)
		CRN_MEDIAN_9(CE)
		out[i] = CRN_MEDIAN_9_AT;
	}
}

static void NAME(median_25)(
	const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *to)
{
	KEY *restrict out = to;
	(void)n_taps;
	TWENTYFIVE(TAP)
	for (int64_t i = 0; i < n; i++) {
		TWENTYFIVE(LOAD)
		CRN_MEDIAN_25(CE)
		out[i] = CRN_MEDIAN_25_AT;
	}
}

static void NAME(median_27)(
	const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *to)
{
	KEY *restrict out = to;
	(void)n_taps;
	TWENTYSEVEN(TAP)
	for (int64_t i = 0; i < n; i++) {
		TWENTYSEVEN(LOAD)
		CRN_MEDIAN_27(CE)
		out[i] = CRN_MEDIAN_27_AT;
	}
}

/* ---- any rank: the answer's bits from the top, by counting smaller keys ---- */

typedef KEY NAME(keys) __attribute__((vector_size(CRN_VECTOR_BYTES)));
typedef UKEY NAME(ukeys) __attribute__((vector_size(CRN_VECTOR_BYTES)));
enum { NAME(LANES) = CRN_VECTOR_BYTES / sizeof(KEY) };

/* Answers of one vector of outputs: `found` grows from the top bit; a bit is set if at most `rank`
 * keys lie below the number with it. */
static inline NAME(keys)
	NAME(rank_one)(const char *p, const ptrdiff_t *offset, int n_taps, int rank, int bits)
{
	NAME(ukeys) found = {0};
	for (int bit = bits - 1; bit >= 0; bit--) {
		NAME(ukeys) with = found | (UKEY)((UKEY)1 << bit);
		NAME(keys) limit = (NAME(keys))(with ^ (UKEY)BIAS);
		NAME(ukeys) below = {0};
		for (int t = 0; t < n_taps; t++) {
			NAME(keys) v;
			memcpy(&v, p + offset[t], sizeof(v));
			below -= (NAME(ukeys))(v < limit);
		}
		NAME(ukeys) take = (NAME(ukeys))(below <= (UKEY)rank);
		found = (with & take) | (found & ~take);
	}
	return (NAME(keys))(found ^ (UKEY)BIAS);
}

static KEY NAME(rank_scalar)(const char *p, const ptrdiff_t *offset, int n_taps, int rank, int bits)
{
	UKEY found = 0;
	for (int bit = bits - 1; bit >= 0; bit--) {
		UKEY with = found | (UKEY)((UKEY)1 << bit);
		KEY limit = (KEY)(with ^ (UKEY)BIAS);
		int below = 0;
		for (int t = 0; t < n_taps; t++)
			below += *(const KEY *)(p + offset[t]) < limit;
		found = below <= rank ? with : found;
	}
	return (KEY)(found ^ (UKEY)BIAS);
}

static void NAME(rank)(const char *base, const ptrdiff_t *offset, int n_taps, int rank, int bits,
	int64_t n, void *to)
{
	KEY *out = to;
	int64_t i = 0;
	for (; n >= NAME(LANES) && i < n; i += NAME(LANES)) {
		/* The last vector ends at the row's end and overlaps the one before. */
		i = i + NAME(LANES) <= n ? i : n - NAME(LANES);
		NAME(keys)
		v = NAME(rank_one)(base + i * (int64_t)sizeof(KEY), offset, n_taps, rank, bits);
		memcpy(out + i, &v, sizeof(v));
	}
	for (; i < n; i++)
		out[i] = NAME(rank_scalar)(
			base + i * (int64_t)sizeof(KEY), offset, n_taps, rank, bits);
}

#undef TAP
#undef LOAD
#undef CE
#undef NINE
#undef TWENTYFIVE
#undef TWENTYSEVEN
#undef KEY
#undef UKEY
#undef BIAS
#undef NAME

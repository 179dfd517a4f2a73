/* SPDX-License-Identifier: Apache-2.0
 *
 * order_loops.h -- template of the loops of order.h; included once per key type.
 *
 * The includer defines KEY, its unsigned twin UKEY, BIAS (what XOR turns a key's bits into an
 * unsigned number of the same order), NAME(x), and from key_vectors.h KEYS, LEAST and GREATEST.
 * Plain loops where both compilers vectorise them across outputs; registers by hand for the rank
 * search, whose counters must not leave them, and for exchange networks, which gcc leaves scalar.
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

typedef UKEY NAME(ukeys) __attribute__((vector_size(CRN_VECTOR_BYTES)));
enum { NAME(LANES) = CRN_VECTOR_BYTES / sizeof(KEY) };

static inline KEYS NAME(get)(const char *p)
{
	KEYS v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- least and greatest of taps ---- */

#define EACH(j, count) _Pragma("GCC unroll 4") for (int j = 0; j < (count); j++)

#define EXTREME(name, PICK, BETTER) \
	static inline __attribute__((always_inline)) void NAME(name##_vectors)( \
		const char *base, const ptrdiff_t *offset, int n_taps, KEY *out, int count) \
	{ \
		KEYS found[4]; \
		EACH(j, count) \
		found[j] = NAME(get)(base + offset[0] + j * CRN_VECTOR_BYTES); \
		for (int t = 1; t < n_taps; t++) { \
			const char *p = base + offset[t]; \
			EACH(j, count) \
			found[j] = PICK(found[j], NAME(get)(p + j * CRN_VECTOR_BYTES)); \
		} \
		EACH(j, count) \
		memcpy(out + j * NAME(LANES), &found[j], sizeof(KEYS)); \
	} \
	static void NAME(name)( \
		const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *to) \
	{ \
		KEY *out = to; \
		int64_t i = 0; \
		for (; i + 4 * NAME(LANES) <= n; i += 4 * NAME(LANES)) \
			NAME(name##_vectors) \
		(base + i * (int64_t)sizeof(KEY), offset, n_taps, out + i, 4); \
		for (; n >= NAME(LANES) && i < n; i += NAME(LANES)) { \
			i = i + NAME(LANES) <= n ? i : n - NAME(LANES); \
			NAME(name##_vectors) \
			(base + i * (int64_t)sizeof(KEY), offset, n_taps, out + i, 1); \
		} \
		for (; i < n; i++) { \
			const char *p = base + i * (int64_t)sizeof(KEY); \
			KEY found = *(const KEY *)(p + offset[0]); \
			for (int t = 1; t < n_taps; t++) { \
				KEY k = *(const KEY *)(p + offset[t]); \
				found = k BETTER found ? k : found; \
			} \
			out[i] = found; \
		} \
	}
EXTREME(min_taps, LEAST, <)
EXTREME(max_taps, GREATEST, >)

/* ---- any rank: the answer's bits from the top, by counting smaller keys ---- */

/* Highest bit in which any key differs from the first tap's of its output, + 1. */
static int NAME(bits_that_differ)(const char *p, const ptrdiff_t *offset, int n_taps)
{
	KEYS first = NAME(get)(p + offset[0]), differ = {0};
	uint64_t words[CRN_VECTOR_BYTES / 8], any = 0;
	UKEY lanes[NAME(LANES)];
	for (int t = 1; t < n_taps; t++)
		differ |= NAME(get)(p + offset[t]) ^ first;
	memcpy(words, &differ, sizeof(words));
	for (int i = 0; i < CRN_VECTOR_BYTES / 8; i++)
		any |= words[i];
	memcpy(lanes, &any, sizeof(any));
	UKEY highest = 0;
	for (int i = 0; i < 8 / (int)sizeof(KEY); i++)
		highest |= lanes[i];
	return highest ? 64 - __builtin_clzll(highest) : 0;
}

/* Answers of one vector of outputs: `found` grows from the top bit; a bit is set if at most `rank`
 * keys lie below the number with it. Bits above those that differ are the first tap's. */
static inline KEYS NAME(rank_one)(const char *p, const ptrdiff_t *offset, int n_taps, int rank)
{
	int bits = NAME(bits_that_differ)(p, offset, n_taps);
	NAME(ukeys) found = (NAME(ukeys))NAME(get)(p + offset[0]) ^ (UKEY)BIAS;
	found = bits < 8 * (int)sizeof(KEY) ? found >> bits << bits : found & 0;
	for (int bit = bits - 1; bit >= 0; bit--) {
		NAME(ukeys) with = found | (UKEY)((UKEY)1 << bit);
		KEYS limit = (KEYS)(with ^ (UKEY)BIAS);
		NAME(ukeys) below = {0}, more = {0};
		int t = 0;
		for (; t + 2 <= n_taps; t += 2) {
			below -= (NAME(ukeys))(NAME(get)(p + offset[t]) < limit);
			more -= (NAME(ukeys))(NAME(get)(p + offset[t + 1]) < limit);
		}
		if (t < n_taps)
			below -= (NAME(ukeys))(NAME(get)(p + offset[t]) < limit);
		NAME(ukeys) take = (NAME(ukeys))(below + more <= (UKEY)rank);
		found = (with & take) | (found & ~take);
	}
	return (KEYS)(found ^ (UKEY)BIAS);
}

static KEY NAME(rank_scalar)(const char *p, const ptrdiff_t *offset, int n_taps, int rank)
{
	UKEY found = 0;
	for (int bit = 8 * (int)sizeof(KEY) - 1; bit >= 0; bit--) {
		UKEY with = found | (UKEY)((UKEY)1 << bit);
		KEY limit = (KEY)(with ^ (UKEY)BIAS);
		int below = 0;
		for (int t = 0; t < n_taps; t++)
			below += *(const KEY *)(p + offset[t]) < limit;
		found = below <= rank ? with : found;
	}
	return (KEY)(found ^ (UKEY)BIAS);
}

/* Whole vectors by `one(p)`, the last of them ending at the row's end; rows shorter than a vector
 * output by output. */
#define ROW(one, rank) \
	KEY *out = to; \
	int64_t i = 0; \
	for (; n >= NAME(LANES) && i < n; i += NAME(LANES)) { \
		i = i + NAME(LANES) <= n ? i : n - NAME(LANES); \
		const char *p = base + i * (int64_t)sizeof(KEY); \
		KEYS v = one; \
		memcpy(out + i, &v, sizeof(v)); \
	} \
	for (; i < n; i++) \
	out[i] = NAME(rank_scalar)(base + i * (int64_t)sizeof(KEY), offset, n_taps, rank)

static void NAME(rank)(
	const char *base, const ptrdiff_t *offset, int n_taps, int rank, int64_t n, void *to)
{
	ROW(NAME(rank_one)(p, offset, n_taps, rank), rank);
}

/* ---- medians of fixed size, by exchange networks ---- */

#define LOAD(t) KEYS v##t = NAME(get)(p + offset[t]);
#define CE(a, b) \
	{ \
		KEYS low = LEAST(v##a, v##b); \
		v##b = GREATEST(v##a, v##b); \
		v##a = low; \
	}
#define NINE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define TWENTYFIVE(X) \
	NINE(X) \
	X(9) \
	X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24)
#define TWENTYSEVEN(X) TWENTYFIVE(X) X(25) X(26)

#define MEDIAN(count, EACH, NETWORK, AT) \
	static inline KEYS NAME(one_##count)(const char *p, const ptrdiff_t *offset) \
	{ \
		EACH(LOAD) \
		NETWORK(CE) \
		return AT; \
	} \
	static void NAME(median_##count)( \
		const char *base, const ptrdiff_t *offset, int n_taps, int64_t n, void *to) \
	{ \
		ROW(NAME(one_##count)(p, offset), count / 2); \
	}
MEDIAN(9, NINE, CRN_MEDIAN_9, CRN_MEDIAN_9_AT)
MEDIAN(25, TWENTYFIVE, CRN_MEDIAN_25, CRN_MEDIAN_25_AT)
MEDIAN(27, TWENTYSEVEN, CRN_MEDIAN_27, CRN_MEDIAN_27_AT)

/* ---- networks over rows ---- */

/* One exchange over 128 bytes of rows. */
static inline __attribute__((always_inline)) void NAME(exchange)(
	const char *a, const char *b, char *low, char *high)
{
	enum { COUNT = 128 / CRN_VECTOR_BYTES };
	KEYS x[COUNT], y[COUNT];
	for (int j = 0; j < COUNT; j++) {
		x[j] = NAME(get)(a + j * CRN_VECTOR_BYTES);
		y[j] = NAME(get)(b + j * CRN_VECTOR_BYTES);
	}
	for (int j = 0; j < COUNT; j++) {
		KEYS least = LEAST(x[j], y[j]), greatest = GREATEST(x[j], y[j]);
		memcpy(low + j * CRN_VECTOR_BYTES, &least, sizeof(least));
		memcpy(high + j * CRN_VECTOR_BYTES, &greatest, sizeof(greatest));
	}
}

static void NAME(network)(const crn_key_network *net, char *rows)
{
	const crn_exchange *step = net->steps, *end = step + net->n_steps;
	const int row_bytes = net->row_bytes, n_pairs = net->n_pairs;
	for (; step < end; step++) {
		const crn_exchange s = *step;
		NAME(exchange)(rows + s.a, rows + s.b, rows + s.low, rows + s.high);
		for (int i = 128; i < row_bytes; i += 128)
			NAME(exchange)
		(rows + s.a + i, rows + s.b + i, rows + s.low + i, rows + s.high + i);
	}
	for (int i = 0; i < row_bytes; i += 2 * CRN_VECTOR_BYTES) {
		KEYS found_0 = {0}, found_1 = {0};
		for (int k = 0; k < n_pairs; k++) {
			const char *a = rows + net->pairs[k][0] + i,
				   *b = rows + net->pairs[k][1] + i;
			KEYS first = GREATEST(NAME(get)(a), NAME(get)(b));
			a += CRN_VECTOR_BYTES;
			b += CRN_VECTOR_BYTES;
			KEYS second = GREATEST(NAME(get)(a), NAME(get)(b));
			found_0 = k ? LEAST(found_0, first) : first;
			found_1 = k ? LEAST(found_1, second) : second;
		}
		memcpy(rows + net->found + i, &found_0, sizeof(found_0));
		memcpy(rows + net->found + i + CRN_VECTOR_BYTES, &found_1, sizeof(found_1));
	}
}

#undef ROW
#undef EACH
#undef EXTREME
#undef MEDIAN
#undef LOAD
#undef CE
#undef NINE
#undef TWENTYFIVE
#undef TWENTYSEVEN
#undef KEY
#undef KEYS
#undef LEAST
#undef GREATEST
#undef UKEY
#undef BIAS
#undef NAME

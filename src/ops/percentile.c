/* SPDX-License-Identifier: Apache-2.0
 *
 * percentile.c -- percentile() and median() of a whole array, exact, without sorting it.
 *
 * Values are order-preserving integer keys (row_stats.h) of 8 to 64 bits. Each pass counts 16 more
 * bits of the keys that can still be wanted: one pass for 8 and 16 bits, two for 32, four for 64.
 *
 *	pass 0: all keys by their high 16 bits ──> in which of 65536 bins lies each wanted rank?
 *	pass 1: keys in those bins by their next 16 bits ──> ...
 *
 * Counts do not depend on order, so results are the same for any tiles and threads.
 * Memory: 512 KiB per wanted rank and worker (two ranks a percentile), 1 MiB in pass 0.
 */
#include "base/mem.h"
#include "core/call.h"
#include "kernels/key_counts.h"
#include "kernels/row_stats.h"
#include "ops/global_state.h"

#include <math.h>

enum { BINS = CRN_KEY_COUNTS, MAX_Q = 64 };

extern const crn_op crn_op_median;

/* One wanted order statistic. */
typedef struct wanted {
	int64_t rank;    /* among the keys that share `prefix` */
	uint64_t prefix; /* bits found so far */
	int slot;        /* which table counts its prefix in this pass */
} wanted;

typedef struct order_state {
	const crn_env *env;
	crn_dtype dtype;
	int n_bits, n_q;
	int64_t count;
	double at[MAX_Q]; /* virtual indices */
	wanted want[2 * MAX_Q];
	uint64_t prefixes[2 * MAX_Q]; /* distinct prefixes of this pass */
	int n_slots;
	uint64_t *counts; /* n_slots x BINS, of the pass being merged */
	size_t n_counts;
	bool has_nan;
} order_state;

static int key_bits(crn_dtype t)
{
	int bits = 8 * (int)crn_dtype_size(t);
	return bits < 16 ? 16 : bits;
}

static int n_quantiles(const crn_node *n)
{
	if (n->op == &crn_op_median)
		return 1;
	const crn_value *q = crn_node_arg(n, "q");
	return q->kind == CRN_V_LIST ? q->list.n : 1;
}

static double quantile(const crn_node *n, int i)
{
	if (n->op == &crn_op_median)
		return 50;
	const crn_value *q = crn_node_arg(n, "q");
	return crn_value_to_double(q->kind == CRN_V_LIST ? &q->list.items[i] : q);
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	const char *name = n->op->name;
	if (in->is_table || crn_type_count(in) == 0)
		return crn_fail(err, CAIRN_USAGE, "%s of no values", name);
	int n_q = n_quantiles(n);
	if (n_q < 1 || n_q > MAX_Q)
		return crn_fail(err, CAIRN_USAGE, "%s: 1 to %d percentiles at once", name, MAX_Q);
	for (int i = 0; i < n_q; i++)
		if (!(quantile(n, i) >= 0 && quantile(n, i) <= 100))
			return crn_fail(err, CAIRN_USAGE, "%s: q must lie between 0 and 100", name);
	bool median = n->op == &crn_op_median;
	crn_dtype out = median && in->dtype == CRN_F32 ? CRN_F32 : CRN_F64;
	bool list = !median && crn_node_arg(n, "q")->kind == CRN_V_LIST;
	*ret = crn_type_make(out, list, &(int64_t){n_q});
	return CAIRN_OK;
}

static int n_passes(const crn_node *n)
{
	return key_bits(n->in[0]->type.dtype) / 16;
}

static cairn_status begin(const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err)
{
	order_state *s = crn_calloc(1, sizeof(*s));
	if (!s)
		return crn_fail_memory(err, "percentile", sizeof(*s));
	s->env = env;
	s->dtype = n->in[0]->type.dtype;
	s->n_bits = key_bits(s->dtype);
	s->n_q = n_quantiles(n);
	s->count = crn_type_count(&n->in[0]->type);
	for (int i = 0; i < s->n_q; i++) {
		s->at[i] = (double)(s->count - 1) * (quantile(n, i) / 100.0);
		int64_t below = (int64_t)floor(s->at[i]);
		s->want[2 * i].rank = below;
		s->want[2 * i + 1].rank = below + 1 < s->count ? below + 1 : below;
	}
	*ret_state = s;
	return CAIRN_OK;
}

static void drop_counts(order_state *s)
{
	crn_charged_free(s->env, &s->counts, s->n_counts, sizeof(uint64_t));
}

static void end(void *state)
{
	if (state)
		drop_counts(state);
	crn_free(state);
}

/* Gives every distinct prefix a table of counts. */
static cairn_status pass_begin(void *state, int pass, const crn_grid *grid, cairn_error *err)
{
	order_state *s = state;
	s->n_slots = 0;
	for (int i = 0; i < 2 * s->n_q; i++) {
		int k = 0;
		while (k < s->n_slots && s->prefixes[k] != s->want[i].prefix)
			k++;
		if (k == s->n_slots)
			s->prefixes[s->n_slots++] = s->want[i].prefix;
		s->want[i].slot = k;
	}
	s->n_counts = (size_t)s->n_slots * BINS;
	return crn_charged_alloc(s->env, "counts", s->n_counts, sizeof(uint64_t), &s->counts, err);
}

/* A partial: the number of NaNs, then a table per slot; in pass 0 two tables for the one slot. */
static size_t n_tables(int pass, size_t n_slots)
{
	return pass == 0 ? sizeof(crn_key_counts) / (BINS * sizeof(uint64_t)) : n_slots;
}

static size_t partial_bytes(const crn_node *n, int pass)
{
	return sizeof(uint64_t) * (1 + n_tables(pass, 2 * (size_t)n_quantiles(n)) * BINS);
}

static void partial_init(const void *state, int pass, void *partial)
{
	const order_state *s = state;
	memset(partial, 0, sizeof(uint64_t) * (1 + n_tables(pass, (size_t)s->n_slots) * BINS));
}

/* Key as an unsigned number of n_bits bits that sorts like the value. */
#define COUNT_ROW(ID, type, name, kind) \
	case CRN_##ID: \
		for (int64_t i = 0; i < n; i++) { \
			type v = ((const type *)row)[i]; \
			if (v != v) { \
				to[0]++; \
				continue; \
			} \
			uint64_t key = (uint64_t)crn_key_of(CRN_##ID, &v); \
			key = (kind == 'u' && CRN_##ID != CRN_U64) || kind == 'b' \
				      ? key \
				      : (key ^ top) & mask; \
			uint64_t prefix = shift + 16 < 64 ? key >> (shift + 16) : 0; \
			for (int k = 0; k < s->n_slots; k++) \
				to[1 + k * BINS + ((key >> shift) & 0xffff)] += \
					prefix == s->prefixes[k]; \
		} \
		break;

static void count_row(const order_state *s, uint64_t *to, int shift, const void *row, int64_t n)
{
	uint64_t top = (uint64_t)1 << (s->n_bits - 1);
	uint64_t mask = s->n_bits == 64 ? UINT64_MAX : ((uint64_t)1 << s->n_bits) - 1;
	switch (s->dtype) {
		CRN_DTYPES(COUNT_ROW)
	default:
		break;
	}
}

static cairn_status fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	const order_state *s = state;
	uint64_t *to = partial;
	crn_rows rows;
	for (crn_rows_begin(&rows, call->in[0].ndim, call->in[0].shape); !rows.end;
		crn_rows_next(&rows)) {
		const void *row = crn_rows_at(&rows, &call->in[0]);
		if (pass == 0) /* every key has the empty prefix */
			to[0] += (uint64_t)crn_count_keys(
				s->dtype, row, rows.n, (crn_key_counts *)(to + 1));
		else
			count_row(s, to, s->n_bits - 16 * (pass + 1), row, rows.n);
	}
	return CAIRN_OK;
}

static cairn_status merge(void *state, int pass, void *partial, cairn_error *err)
{
	order_state *s = state;
	const uint64_t *from = partial;
	s->has_nan = s->has_nan || from[0] > 0;
	for (size_t i = 0; i < n_tables(pass, (size_t)s->n_slots) * BINS; i++)
		s->counts[i % s->n_counts] += from[1 + i];
	return CAIRN_OK;
}

static cairn_status pass_end(void *state, int pass, cairn_error *err)
{
	order_state *s = state;
	for (int i = 0; i < 2 * s->n_q; i++) {
		wanted *w = &s->want[i];
		const uint64_t *counts = s->counts + (size_t)w->slot * BINS;
		uint64_t bin = 0;
		/* With NaNs some ranks do not exist; the answer is nan anyway. */
		while (bin + 1 < BINS && (uint64_t)w->rank >= counts[bin])
			w->rank -= (int64_t)counts[bin++];
		w->prefix = (w->prefix << 16) | bin;
	}
	drop_counts(s);
	return CAIRN_OK;
}

/* ---- the answer ---- */

static crn_elem value_of(const order_state *s, uint64_t key)
{
	bool as_is =
		(crn_dtype_kind(s->dtype) == 'u' && s->dtype != CRN_U64) || s->dtype == CRN_BOOL;
	if (as_is)
		return crn_elem_from_uint(s->dtype, key);
	uint64_t top = (uint64_t)1 << (s->n_bits - 1);
	int up = 64 - s->n_bits;
	int64_t signed_key = (int64_t)((key ^ top) << up) >> up;
	return crn_key_value(s->dtype, signed_key);
}

/* numpy's _lerp, in float64 but for the difference, which numpy takes in the array's dtype. */
static double between(const order_state *s, int i)
{
	crn_elem a = value_of(s, s->want[2 * i].prefix), b = value_of(s, s->want[2 * i + 1].prefix);
	double t = s->at[i] - floor(s->at[i]);
	double low = crn_elem_to_double(s->dtype, a), high = crn_elem_to_double(s->dtype, b), gap;
	if (s->dtype == CRN_F32)
		gap = (float)high - (float)low;
	else if (s->dtype == CRN_F64)
		gap = high - low;
	else
		gap = (double)(crn_elem_to_uint(s->dtype, b) - crn_elem_to_uint(s->dtype, a));
	if (t == 0)
		return low;
	return t >= 0.5 ? high - gap * (1 - t) : low + gap * t;
}

static double middle(const order_state *s)
{
	crn_elem a = value_of(s, s->want[0].prefix), b = value_of(s, s->want[1].prefix);
	double low = crn_elem_to_double(s->dtype, a), high = crn_elem_to_double(s->dtype, b);
	if (s->at[0] == floor(s->at[0]))
		return low;
	return s->dtype == CRN_F32 ? ((float)low + (float)high) / 2.0f : (low + high) / 2;
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	const order_state *s = call->state;
	const crn_view *out = &call->out;
	bool list = out->ndim == 1;
	size_t size = crn_dtype_size(out->dtype);
	for (int64_t i = 0; i < (list ? out->shape[0] : 1); i++) {
		int k = list ? (int)(call->out_region.lo[0] + i * call->out_region.step[0]) : 0;
		double v = s->has_nan                         ? (double)NAN
			   : call->node->op == &crn_op_median ? middle(s)
							      : between(s, k);
		crn_elem e = crn_elem_from_double(out->dtype, v);
		memcpy((char *)out->data + (size_t)i * size, e.bytes, size);
	}
	return CAIRN_OK;
}

static const crn_global global = {
	.n_passes = n_passes,
	.begin = begin,
	.pass_begin = pass_begin,
	.partial_bytes = partial_bytes,
	.partial_init = partial_init,
	.partial_is_plain = true,
	.fold = fold,
	.merge = merge,
	.pass_end = pass_end,
	.end = end,
};

static const crn_param percentile_params[] = {
	{"a", CRN_P_ARRAY, NULL, "array"},
	{"q", CRN_P_FLOATS, NULL, "percentile or list of percentiles, 0 ... 100"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_percentile = {
	.name = "percentile",
	.category = "reductions",
	.summary = "Exact percentiles of a whole array",
	.doc = "Linear interpolation between order statistics, as NumPy's default; gives float64. "
	       "nan if "
	       "there is a nan. Reads the array once for 8 and 16 bits, twice for 32, four times "
	       "for "
	       "64.",
	.source = "numpy.percentile",
	.example = "p = percentile(arange(20), (1, 99))",
	.kind = CRN_GLOBAL,
	.semver = 1,
	.params = percentile_params,
	.infer = infer,
	.need = crn_need_nothing,
	.compute = compute,
	.global = &global,
};

static const crn_param median_params[] = {
	{"a", CRN_P_ARRAY, NULL, "array"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_median = {
	.name = "median",
	.category = "reductions",
	.summary = "Exact median of a whole array",
	.doc = "The mean of the two middle values when their number is even. float32 gives "
	       "float32, all "
	       "others float64; nan if there is a nan.",
	.source = "numpy.median",
	.example = "m = median(arange(20))",
	.kind = CRN_GLOBAL,
	.semver = 1,
	.params = median_params,
	.infer = infer,
	.need = crn_need_nothing,
	.compute = compute,
	.global = &global,
};

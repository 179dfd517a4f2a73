/* SPDX-License-Identifier: Apache-2.0
 *
 * bin_counts.c -- the passes of histograms. See bin_counts.h.
 *
 * A partial is the smallest and largest key. Counts are gathered in a tile's scratch and added to
 * one shared table at its end, by atomic additions: they commute, so totals do not depend on order.
 * With more bins than the scratch holds, every run of equal bins is one atomic addition.
 *
 * A partial of narrow integers is their counts by value (key_counts.h) instead.
 */
#include "ops/bin_counts.h"

#include "base/mem.h"
#include "kernels/key_counts.h"
#include "ops/global_state.h"

#include <math.h>

extern const crn_op crn_op_histogram_bin_edges;

typedef struct extremes {
	int64_t min, max;
} extremes;

bool crn_bin_counts_narrow(const crn_node *n)
{
	/* Edges alone need the extremes only. */
	return crn_dtype_size(n->in[0]->type.dtype) <= 2 && n->op != &crn_op_histogram_bin_edges;
}

cairn_status crn_bin_counts_new(const crn_bin_counts *wish, const crn_node *n, const crn_env *env,
	void **ret_state, cairn_error *err)
{
	crn_bin_counts *b = crn_calloc(1, sizeof(*b));
	if (!b)
		return crn_fail_memory(err, "histogram", sizeof(*b));
	*b = *wish;
	b->env = env;
	b->dtype = n->in[0]->type.dtype;
	b->narrow = crn_bin_counts_narrow(n);
	if (!b->by_value || !b->has_range) {
		b->min_key = INT64_MAX;
		b->max_key = INT64_MIN;
	}
	*ret_state = b;
	return CAIRN_OK;
}

void crn_bin_counts_end(void *state)
{
	crn_bin_counts *b = state;
	if (!b)
		return;
	crn_charged_free(b->env, &b->values, CRN_KEY_COUNTS, sizeof(uint64_t));
	crn_charged_free(b->env, &b->edges, (size_t)b->n_bins + 1, sizeof(double));
	crn_charged_free(b->env, &b->counts, (size_t)b->n_bins, sizeof(int64_t));
	crn_free(b);
}

static bool is_count_pass(const crn_bin_counts *b, int pass)
{
	return b->has_range || pass == 1;
}

/* numpy.linspace(first, last, n_bins + 1), in the edges' dtype. */
static void fill_edges(crn_bin_counts *b)
{
	double delta = b->last - b->first, step = delta / (double)b->n_bins;
	for (int64_t i = 0; i <= b->n_bins; i++) {
		double v = step == 0 ? (double)i / (double)b->n_bins * delta : (double)i * step;
		v += b->first;
		if (i == b->n_bins)
			v = b->last;
		b->edges[i] = b->dtype == CRN_F32 ? (double)(float)v : v;
	}
}

static cairn_status range_of_values(crn_bin_counts *b, cairn_error *err)
{
	if (b->has_range)
		return CAIRN_OK;
	if (b->min_key > b->max_key) { /* no values at all */
		b->first = 0;
		b->last = 1;
		return CAIRN_OK;
	}
	b->first = crn_elem_to_double(b->dtype, crn_key_value(b->dtype, b->min_key));
	b->last = crn_elem_to_double(b->dtype, crn_key_value(b->dtype, b->max_key));
	if (!isfinite(b->first) || !isfinite(b->last)) {
		cairn_status status = crn_fail(err, CAIRN_FAILED,
			"the values range from %g to %g: no finite bins", b->first, b->last);
		crn_hint(err, "give a range, or replace nan and inf first");
		return status;
	}
	return CAIRN_OK;
}

/* Bins and their memory, once the outer values are known. */
static cairn_status prepare(crn_bin_counts *b, cairn_error *err)
{
	CRN_TRY(range_of_values(b, err));
	if (b->by_value) {
		int64_t span;
		if (b->min_key > b->max_key)
			b->min_key = b->max_key = 0;
		if (__builtin_sub_overflow(b->max_key, b->min_key, &span) ||
			span >= CRN_BIN_COUNTS_MAX) {
			cairn_status status = crn_fail(err, CAIRN_FAILED,
				"the integers span more than %lld values",
				(long long)CRN_BIN_COUNTS_MAX);
			crn_hint(err, "convert to float32 first");
			return status;
		}
		b->n_bins = span + 1;
	} else if (b->first == b->last) {
		b->first -= 0.5;
		b->last += 0.5;
	}
	size_t n = (size_t)b->n_bins;
	CRN_TRY(crn_charged_alloc(b->env, "histogram", n + 1, sizeof(double), &b->edges, err));
	CRN_TRY(crn_charged_alloc(b->env, "histogram", n, sizeof(int64_t), &b->counts, err));
	if (!b->by_value)
		fill_edges(b);
	return CAIRN_OK;
}

cairn_status crn_bin_counts_pass_begin(
	void *state, int pass, const crn_grid *grid, cairn_error *err)
{
	crn_bin_counts *b = state;
	if (b->narrow)
		CRN_TRY(crn_charged_alloc(
			b->env, "histogram", CRN_KEY_COUNTS, sizeof(uint64_t), &b->values, err));
	return b->has_range && pass == 0 ? prepare(b, err) : CAIRN_OK;
}

size_t crn_bin_counts_partial_bytes(const crn_node *n, int pass)
{
	return crn_bin_counts_narrow(n) ? sizeof(crn_key_counts) : sizeof(extremes);
}

void crn_bin_counts_partial_init(const void *state, int pass, void *partial)
{
	const crn_bin_counts *b = state;
	if (b->narrow)
		memset(partial, 0, sizeof(crn_key_counts));
	else
		*(extremes *)partial = (extremes){INT64_MAX, INT64_MIN};
}

static void add_count(crn_bin_counts *b, int64_t bin, int64_t n)
{
	__atomic_fetch_add(&b->counts[bin], n, __ATOMIC_RELAXED);
}

static double value_at(crn_dtype t, const void *row, int64_t i)
{
	if (t == CRN_F32)
		return ((const float *)row)[i];
	if (t == CRN_F64)
		return ((const double *)row)[i];
	if (t == CRN_U8 || t == CRN_BOOL)
		return ((const uint8_t *)row)[i];
	if (t == CRN_U16)
		return ((const uint16_t *)row)[i];
	crn_elem e = {{0}};
	size_t size = crn_dtype_size(t);
	memcpy(e.bytes, (const char *)row + (size_t)i * size, size);
	return crn_elem_to_double(t, e);
}

/* Bin of v, -1 when outside. A guess by division, then the edges decide. */
static int64_t bin_of(const crn_bin_counts *b, double v, double scale)
{
	const double *e = b->edges;
	if (!(v >= e[0] && v <= e[b->n_bins]))
		return -1;
	int64_t top = b->n_bins - 1;
	double guess = (v - e[0]) * scale; /* nan or inf when the range is no range in float64 */
	int64_t i = guess > 0 ? guess < (double)top ? (int64_t)guess : top : 0;
	while (i > 0 && v < e[i])
		i--;
	while (i < top && v >= e[i + 1])
		i++;
	return i;
}

/* The value that entry i of the counts stands for: also its key (row_stats.h). */
static int64_t narrow_value(const crn_bin_counts *b, int64_t i)
{
	return crn_dtype_kind(b->dtype) == 'i' ? i - CRN_KEY_COUNTS / 2 : i;
}

/* From counts by value to bins. */
static cairn_status bin_values(crn_bin_counts *b, cairn_error *err)
{
	for (int64_t i = 0; i < CRN_KEY_COUNTS && !b->has_range; i++) {
		if (b->values[i] == 0)
			continue;
		int64_t v = narrow_value(b, i);
		b->min_key = v < b->min_key ? v : b->min_key;
		b->max_key = v;
	}
	if (!b->has_range)
		CRN_TRY(prepare(b, err));
	double scale = (double)b->n_bins / (b->last - b->first);
	for (int64_t i = 0; i < CRN_KEY_COUNTS; i++) {
		if (b->values[i] == 0)
			continue;
		int64_t v = narrow_value(b, i);
		int64_t k = b->by_value ? v - b->min_key : bin_of(b, (double)v, scale);
		if (k >= 0)
			b->counts[k] += (int64_t)b->values[i];
	}
	crn_charged_free(b->env, &b->values, CRN_KEY_COUNTS, sizeof(uint64_t));
	return CAIRN_OK;
}

cairn_status crn_bin_counts_pass_end(void *state, int pass, cairn_error *err)
{
	crn_bin_counts *b = state;
	if (b->narrow)
		return bin_values(b, err);
	return !b->has_range && pass == 0 ? prepare(b, err) : CAIRN_OK;
}

#define COUNT_VALUES(ID, type) \
	case CRN_##ID: \
		for (int64_t i = 0; i < n; i++) \
			local[(int64_t)((const type *)row)[i] - b->min_key]++; \
		return;

/* Counts a row into `local`, one table a tile. */
static void count_local(const crn_bin_counts *b, int64_t *local, const void *row, int64_t n)
{
	double scale = (double)b->n_bins / (b->last - b->first);
	if (b->by_value)
		switch (b->dtype) {
			COUNT_VALUES(U32, uint32_t)
			COUNT_VALUES(I32, int32_t)
			COUNT_VALUES(I64, int64_t)
		default:
			break;
		}
	for (int64_t i = 0; i < n; i++) {
		size_t size = crn_dtype_size(b->dtype);
		int64_t k = b->by_value
				    ? crn_key_of(b->dtype, (const char *)row + (size_t)i * size) -
					      b->min_key
				    : bin_of(b, value_at(b->dtype, row, i), scale);
		if (k >= 0)
			local[k]++;
	}
}

static void count_shared(crn_bin_counts *b, const void *row, int64_t n)
{
	double scale = (double)b->n_bins / (b->last - b->first);
	size_t size = crn_dtype_size(b->dtype);
	int64_t bin = -1, run = 0;
	for (int64_t i = 0; i < n; i++) {
		int64_t k = b->by_value
				    ? crn_key_of(b->dtype, (const char *)row + (size_t)i * size) -
					      b->min_key
				    : bin_of(b, value_at(b->dtype, row, i), scale);
		if (k != bin) {
			if (bin >= 0)
				add_count(b, bin, run);
			bin = k;
			run = 0;
		}
		run++;
	}
	if (bin >= 0)
		add_count(b, bin, run);
}

static void count_tile(crn_bin_counts *b, const crn_call *call)
{
	size_t bytes = (size_t)b->n_bins * sizeof(int64_t);
	int64_t *local = call->scratch_bytes >= bytes ? call->scratch : NULL;
	if (local)
		memset(local, 0, bytes);
	crn_rows rows;
	for (crn_rows_begin(&rows, call->in[0].ndim, call->in[0].shape); !rows.end;
		crn_rows_next(&rows)) {
		const void *row = crn_rows_at(&rows, &call->in[0]);
		if (local)
			count_local(b, local, row, rows.n);
		else
			count_shared(b, row, rows.n);
	}
	for (int64_t k = 0; local && k < b->n_bins; k++)
		if (local[k])
			add_count(b, k, local[k]);
}

cairn_status crn_bin_counts_fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	crn_bin_counts *b = state;
	extremes *x = partial;
	const crn_row_stats *kernels = CRN_ISA_PICK(crn_row_stats, b->env->isa);
	if (!b->narrow && is_count_pass(b, pass)) {
		if (b->counts_wanted)
			count_tile(b, call);
		return CAIRN_OK;
	}
	crn_rows rows;
	for (crn_rows_begin(&rows, call->in[0].ndim, call->in[0].shape); !rows.end;
		crn_rows_next(&rows)) {
		const void *row = crn_rows_at(&rows, &call->in[0]);
		if (b->narrow) {
			(void)crn_count_keys(b->dtype, row, rows.n, partial);
			continue;
		}
		int64_t low = kernels->min_key[b->dtype](row, rows.n);
		int64_t high = kernels->max_key[b->dtype](row, rows.n);
		x->min = low < x->min ? low : x->min;
		x->max = high > x->max ? high : x->max;
	}
	return CAIRN_OK;
}

cairn_status crn_bin_counts_merge(void *state, int pass, void *partial, cairn_error *err)
{
	crn_bin_counts *b = state;
	const extremes *x = partial;
	const crn_key_counts *c = partial;
	for (int64_t i = 0; i < CRN_KEY_COUNTS && b->narrow; i++)
		b->values[i] += c->even[i] + c->odd[i];
	if (b->narrow || is_count_pass(b, pass))
		return CAIRN_OK;
	b->min_key = x->min < b->min_key ? x->min : b->min_key;
	b->max_key = x->max > b->max_key ? x->max : b->max_key;
	return CAIRN_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * threshold_otsu.c -- Otsu's threshold of a whole array, as scikit-image 0.19 computes it.
 *
 * Integers: one bin a value between smallest and largest. Floats and bool: nbins equal bins. The
 * sums over bins run in scikit-image's order, so the answer has its exact bits.
 */
#include "base/mem.h"
#include "ops/bin_counts.h"
#include "ops/global_state.h"

typedef struct otsu_state {
	void *bins; /* crn_bin_counts */
	crn_elem threshold;
	crn_dtype out;
	const crn_env *env;
	bool last_pass_is_0;
} otsu_state;

static bool by_value(crn_dtype t)
{
	return crn_dtype_is_integer(t);
}

/* Integers up to 16 bits have a bin for every value there can be. */
static bool narrow(crn_dtype t)
{
	return by_value(t) && crn_dtype_size(t) <= 2;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	int64_t nbins = crn_node_arg(n, "nbins")->i;
	if (in->is_table || crn_type_count(in) == 0)
		return crn_fail(err, CAIRN_USAGE, "threshold_otsu of no values");
	if (nbins < 1 || nbins > CRN_BIN_COUNTS_MAX)
		return crn_fail(err, CAIRN_USAGE,
			"threshold_otsu: nbins must be between 1 and %lld",
			(long long)CRN_BIN_COUNTS_MAX);
	crn_dtype out = by_value(in->dtype) ? CRN_I64 : in->dtype == CRN_F32 ? CRN_F32 : CRN_F64;
	*ret = crn_type_make(out, 0, NULL);
	return CAIRN_OK;
}

static int n_passes(const crn_node *n)
{
	return crn_bin_counts_narrow(n) ? 1 : 2;
}

static void end(void *state)
{
	otsu_state *s = state;
	if (s)
		crn_bin_counts_end(s->bins);
	crn_free(s);
}

static cairn_status begin(const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err)
{
	crn_dtype t = n->in[0]->type.dtype;
	otsu_state *s = crn_calloc(1, sizeof(*s));
	if (!s)
		return crn_fail_memory(err, "threshold_otsu", sizeof(*s));
	crn_bin_counts wish = {.n_bins = crn_node_arg(n, "nbins")->i,
		.counts_wanted = true,
		.by_value = by_value(t),
		.has_range = narrow(t)};
	if (narrow(t)) {
		wish.min_key = crn_dtype_min_int(t);
		wish.max_key = (int64_t)crn_dtype_max_int(t);
	}
	s->out = n->type.dtype;
	s->env = env;
	s->last_pass_is_0 = crn_bin_counts_narrow(n);
	cairn_status status = crn_bin_counts_new(&wish, n, env, &s->bins, err);
	if (status != CAIRN_OK) {
		crn_free(s);
		return status;
	}
	*ret_state = s;
	return CAIRN_OK;
}

static cairn_status pass_begin(void *state, int pass, const crn_grid *grid, cairn_error *err)
{
	return crn_bin_counts_pass_begin(((otsu_state *)state)->bins, pass, grid, err);
}

static void partial_init(const void *state, int pass, void *partial)
{
	crn_bin_counts_partial_init(((const otsu_state *)state)->bins, pass, partial);
}

static cairn_status fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	return crn_bin_counts_fold(((otsu_state *)state)->bins, partial, pass, tile, call, err);
}

static cairn_status merge(void *state, int pass, void *partial, cairn_error *err)
{
	return crn_bin_counts_merge(((otsu_state *)state)->bins, pass, partial, err);
}

/* ---- the threshold ---- */

static double centre(const crn_bin_counts *b, int64_t i)
{
	if (b->by_value) /* keys of uint64 have the top bit turned */
		return crn_elem_to_double(b->dtype, crn_key_value(b->dtype, b->min_key + i));
	if (b->dtype == CRN_F32)
		return ((float)b->edges[i] + (float)b->edges[i + 1]) / 2.0f;
	return (b->edges[i] + b->edges[i + 1]) / 2.0;
}

/* Bin whose centre separates best. w2, m2: work space, classes from a bin upwards. */
static int64_t best_bin(
	const crn_bin_counts *b, int64_t from, int64_t until, double *w2, double *m2)
{
	double weight = 0, moment = 0, best = -1;
	int64_t best_at = from;
	for (int64_t i = until - 1; i >= from; i--) {
		weight += (double)b->counts[i];
		moment += (double)b->counts[i] * centre(b, i);
		w2[i] = weight;
		m2[i] = moment / weight;
	}
	weight = moment = 0;
	for (int64_t i = from; i + 1 < until; i++) {
		weight += (double)b->counts[i];
		moment += (double)b->counts[i] * centre(b, i);
		double apart = moment / weight - m2[i + 1];
		double variance = weight * w2[i + 1] * (apart * apart);
		if (variance > best) {
			best = variance;
			best_at = i;
		}
	}
	return best_at;
}

static cairn_status find_threshold(otsu_state *s, cairn_error *err)
{
	const crn_bin_counts *b = s->bins;
	int64_t from = 0, until = b->n_bins;
	while (from + 1 < until && b->counts[from] == 0)
		from++;
	while (until - 1 > from && b->counts[until - 1] == 0)
		until--;
	if (!b->by_value && b->min_key == b->max_key) {
		s->threshold = crn_elem_from_double(
			s->out, crn_elem_to_double(b->dtype, crn_key_value(b->dtype, b->min_key)));
		return CAIRN_OK;
	}
	size_t n = (size_t)b->n_bins;
	double *work = NULL;
	CRN_TRY(crn_charged_alloc(s->env, "threshold_otsu", 2 * n, sizeof(double), &work, err));
	int64_t i = best_bin(b, from, until, work, work + n);
	crn_charged_free(s->env, &work, 2 * n, sizeof(double));
	s->threshold = b->by_value ? crn_elem_from_uint(s->out,
					     crn_elem_to_uint(b->dtype,
						     crn_key_value(b->dtype, b->min_key + i)))
				   : crn_elem_from_double(s->out, centre(b, i));
	return CAIRN_OK;
}

static cairn_status pass_end(void *state, int pass, cairn_error *err)
{
	otsu_state *s = state;
	CRN_TRY(crn_bin_counts_pass_end(s->bins, pass, err));
	bool last = s->last_pass_is_0 || pass == 1;
	return last ? find_threshold(s, err) : CAIRN_OK;
}

static size_t fold_scratch(const crn_node *n, const crn_region *tile)
{
	const int64_t most = 1 << 17;
	crn_dtype t = n->in[0]->type.dtype;
	if (crn_bin_counts_narrow(n))
		return 0;
	int64_t bins = by_value(t) ? 65536 : crn_node_arg(n, "nbins")->i;
	return bins <= most ? (size_t)bins * sizeof(int64_t) : 0;
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	const otsu_state *s = call->state;
	memcpy(call->out.data, s->threshold.bytes, crn_dtype_size(s->out));
	return CAIRN_OK;
}

static const crn_global global = {
	.n_passes = n_passes,
	.begin = begin,
	.pass_begin = pass_begin,
	.partial_bytes = crn_bin_counts_partial_bytes,
	.partial_init = partial_init,
	.fold = fold,
	.merge = merge,
	.pass_end = pass_end,
	.end = end,
	.fold_scratch = fold_scratch,
};

static const crn_param params[] = {
	{"image", CRN_P_ARRAY, NULL, "array of any number of axes"},
	{"nbins", CRN_P_INT, "256", "floats: bins between smallest and largest value"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_threshold_otsu = {
	.name = "threshold_otsu",
	.category = "filters",
	.summary = "Threshold that best separates the values into two classes (Otsu)",
	.doc = "Values above it are foreground: x > threshold_otsu(x). Integers have one bin a "
	       "value and "
	       "give int64; floats give their own dtype. An array of one value gives that value.",
	.source = "skimage.filters.threshold_otsu",
	.example = "mask = arange(20) > threshold_otsu(arange(20))",
	.kind = CRN_GLOBAL,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = crn_need_nothing,
	.compute = compute,
	.global = &global,
};

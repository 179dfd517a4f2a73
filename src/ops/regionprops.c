/* SPDX-License-Identifier: Apache-2.0
 *
 * regionprops.c -- regionprops(): one pass over a label image (and images to measure under it).
 *
 * Rows are taken run by run of equal labels: one look-up a run, closed forms for coordinates, row
 * kernels for intensities. Every worker has its own table (label_table.h); they are merged at the
 * end of the pass.
 */
#include "ops/regionprops.h"

#include "base/mem.h"

#include <string.h>

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *labels = &n->in[0]->type;
	if (labels->ndim == 0 || crn_dtype_is_float(labels->dtype)) {
		cairn_status status = crn_fail(err, CAIRN_USAGE,
			"regionprops: labels must be an integer array, not %s",
			crn_dtype_name(labels->dtype));
		crn_hint(err, "number the objects first: regionprops(label(mask))");
		return status;
	}
	const crn_value *intensity = crn_node_arg(n, "intensity");
	bool ok = intensity->kind == CRN_V_NONE || intensity->kind == CRN_V_NODE ||
		  intensity->kind == CRN_V_LIST;
	for (int i = 0; intensity->kind == CRN_V_LIST && i < intensity->list.n; i++)
		ok = ok && intensity->list.items[i].kind == CRN_V_NODE;
	if (!ok)
		return crn_fail(err, CAIRN_USAGE,
			"regionprops: intensity must be an array or a list of arrays");
	for (int k = 1; k < n->n_in; k++) {
		const crn_type *t = &n->in[k]->type;
		bool same = !t->is_table && t->ndim == labels->ndim;
		for (int d = 0; same && d < t->ndim; d++)
			same = t->shape[d] == labels->shape[d];
		char a[256], b[256];
		if (!same)
			return crn_fail(err, CAIRN_USAGE,
				"regionprops: intensity image %d is %s, the labels are %s", k - 1,
				crn_type_format(t, a), crn_type_format(labels, b));
	}
	CRN_TRY(crn_regionprops_check(n, err));
	*ret = crn_type_make(CRN_F64, 0, NULL);
	ret->is_table = true;
	return CAIRN_OK;
}

static void lay_out(const crn_node *n, crn_region_layout *l)
{
	size_t ndim = (size_t)n->in[0]->type.ndim, at = 16;
	*l = (crn_region_layout){.ndim = (int)ndim, .n_images = n->n_in - 1};
	l->lo = at;
	l->end = at += 8 * ndim;
	l->sums = at += 8 * ndim;
	l->touches = at += 16 * ndim;
	at += 8;
	for (int k = 0; k < l->n_images; k++) {
		crn_dtype t = n->in[k + 1]->type.dtype;
		l->image[k].dtype = t;
		l->image[k].min = at;
		l->image[k].max = at + 8;
		l->image[k].sum = at += 16;
		if (!crn_dtype_is_float(t)) {
			at += sizeof(crn_moments);
			continue;
		}
		bool narrow = t == CRN_F32;
		l->image[k].squares = at += crn_xsum_bytes(narrow ? CRN_XSUM_F32 : CRN_XSUM_F64);
		at += crn_xsum_bytes(narrow ? CRN_XSUM_F32_SQ : CRN_XSUM_F64_SQ);
	}
	l->row_bytes = at;
}

static void add_row(const crn_label_measure *m, char *a, const char *b)
{
	const crn_region_layout *l = &((const crn_region_state *)m)->layout;
	((uint64_t *)a)[1] += ((const uint64_t *)b)[1];
	for (int d = 0; d < l->ndim; d++) {
		int64_t *lo = (int64_t *)(a + l->lo) + d, *hi = (int64_t *)(a + l->end) + d;
		int64_t lo_b = ((const int64_t *)(b + l->lo))[d];
		int64_t hi_b = ((const int64_t *)(b + l->end))[d];
		*lo = lo_b < *lo ? lo_b : *lo;
		*hi = hi_b > *hi ? hi_b : *hi;
		((crn_u128 *)(a + l->sums))[d] += ((const crn_u128 *)(b + l->sums))[d];
	}
	*(uint64_t *)(a + l->touches) |= *(const uint64_t *)(b + l->touches);
	for (int k = 0; k < l->n_images; k++) {
		int64_t *min = (int64_t *)(a + l->image[k].min);
		int64_t *max = (int64_t *)(a + l->image[k].max);
		int64_t min_b = *(const int64_t *)(b + l->image[k].min);
		int64_t max_b = *(const int64_t *)(b + l->image[k].max);
		*min = min_b < *min ? min_b : *min;
		*max = max_b > *max ? max_b : *max;
		size_t sum = l->image[k].sum, squares = l->image[k].squares;
		if (crn_dtype_is_float(l->image[k].dtype)) {
			bool narrow = l->image[k].dtype == CRN_F32;
			crn_xsum_merge(narrow ? CRN_XSUM_F32 : CRN_XSUM_F64, (int64_t *)(a + sum),
				(const int64_t *)(b + sum));
			crn_xsum_merge(narrow ? CRN_XSUM_F32_SQ : CRN_XSUM_F64_SQ,
				(int64_t *)(a + squares), (const int64_t *)(b + squares));
			continue;
		}
		crn_moments *to = (crn_moments *)(a + sum);
		const crn_moments *o = (const crn_moments *)(b + sum);
		to->sum += o->sum;
		to->sq_lo += o->sq_lo;
		to->sq_hi += o->sq_hi + (to->sq_lo < o->sq_lo);
	}
}

static cairn_status begin(const crn_node *n, const crn_env *env, void **ret_state, cairn_error *err)
{
	crn_region_state *s = crn_calloc(1, sizeof(*s));
	if (!s)
		return crn_fail_memory(err, "regionprops", sizeof(*s));
	s->env = env;
	s->dtype = n->in[0]->type.dtype;
	memcpy(s->shape, n->in[0]->type.shape, sizeof(s->shape));
	lay_out(n, &s->layout);
	crn_label_measure_init(&s->measure, env, s->dtype, s->layout.row_bytes);
	s->measure.add_row = add_row;
	*ret_state = s;
	return CAIRN_OK;
}

static void end(void *state)
{
	crn_region_state *s = state;
	if (s)
		crn_label_measure_done(&s->measure);
	crn_free(s);
}

static void start_row(const crn_region_layout *l, char *row)
{
	for (int d = 0; d < l->ndim; d++)
		((int64_t *)(row + l->lo))[d] = INT64_MAX;
	for (int k = 0; k < l->n_images; k++) {
		*(int64_t *)(row + l->image[k].min) = INT64_MAX;
		*(int64_t *)(row + l->image[k].max) = INT64_MIN;
	}
}

/* Where the current row of the tile lies in the image. */
typedef struct place {
	int64_t at[CRN_MAX_NDIM]; /* of the row's first voxel */
	bool outer;               /* on the image's border by an axis other than x */
} place;

static void add_shape(
	const crn_region_state *s, char *row, const place *p, int64_t from, int64_t to)
{
	const crn_region_layout *l = &s->layout;
	int64_t n = to - from, x = l->ndim - 1;
	int64_t *lo = (int64_t *)(row + l->lo), *hi = (int64_t *)(row + l->end);
	crn_u128 *sums = (crn_u128 *)(row + l->sums);
	((uint64_t *)row)[1] += (uint64_t)n;
	for (int d = 0; d < x; d++) {
		int64_t at = p->at[d];
		lo[d] = at < lo[d] ? at : lo[d];
		hi[d] = at + 1 > hi[d] ? at + 1 : hi[d];
		sums[d] += (crn_u128)at * (crn_u128)n;
	}
	int64_t a = p->at[x] + from, b = p->at[x] + to;
	lo[x] = a < lo[x] ? a : lo[x];
	hi[x] = b > hi[x] ? b : hi[x];
	sums[x] += (crn_u128)(a + b - 1) * (crn_u128)n / 2;
	if (p->outer || a == 0 || b == s->shape[x])
		*(uint64_t *)(row + l->touches) = 1;
}

static void add_intensity(
	const crn_region_state *s, char *row, int k, const void *values, int64_t n)
{
	const crn_row_stats *kernels = CRN_ISA_PICK(crn_row_stats, s->env->isa);
	const crn_region_layout *l = &s->layout;
	crn_dtype t = l->image[k].dtype;
	int64_t *min = (int64_t *)(row + l->image[k].min),
		*max = (int64_t *)(row + l->image[k].max);
	int64_t low = kernels->min_key[t](values, n), high = kernels->max_key[t](values, n);
	*min = low < *min ? low : *min;
	*max = high > *max ? high : *max;
	if (!crn_dtype_is_float(t)) {
		kernels->add_moments[t](values, n, (crn_moments *)(row + l->image[k].sum));
		return;
	}
	bool narrow = t == CRN_F32;
	crn_xsum_add(narrow ? CRN_XSUM_F32 : CRN_XSUM_F64, (int64_t *)(row + l->image[k].sum),
		values, n);
	crn_xsum_add(narrow ? CRN_XSUM_F32_SQ : CRN_XSUM_F64_SQ,
		(int64_t *)(row + l->image[k].squares), values, n);
}

static cairn_status fold_row(const crn_region_state *s, crn_label_table *table,
	const crn_call *call, const crn_rows *rows, cairn_error *err)
{
	const crn_region *box = &call->in_region[0];
	int x = s->layout.ndim - 1;
	place p = {0};
	for (int d = 0; d <= x; d++) {
		p.at[d] = box->lo[d] + (d < x ? rows->idx[d] : 0);
		p.outer = p.outer || (d < x && (p.at[d] == 0 || p.at[d] == s->shape[d] - 1));
	}
	const void *labels = crn_rows_at(rows, &call->in[0]);
	uint64_t last = 0;
	char *row = NULL;
	bool fresh;
	for (int64_t from = 0, to; from < rows->n; from = to) {
		to = crn_label_run_end(s->dtype, labels, from, rows->n);
		uint64_t label = crn_label_at(s->dtype, labels, from);
		if (label == 0)
			continue;
		if (label != last) {
			CRN_TRY(crn_label_table_add(table, label, &row, &fresh, err));
			if (fresh)
				start_row(&s->layout, row);
			last = label;
		}
		add_shape(s, row, &p, from, to);
		for (int k = 0; k < s->layout.n_images; k++) {
			const crn_view *v = &call->in[k + 1];
			const char *values = crn_rows_at(rows, v);
			add_intensity(s, row, k, values + (size_t)from * crn_dtype_size(v->dtype),
				to - from);
		}
	}
	return CAIRN_OK;
}

static cairn_status fold(
	void *state, void *partial, int pass, int64_t tile, const crn_call *call, cairn_error *err)
{
	crn_rows rows;
	for (crn_rows_begin(&rows, call->in[0].ndim, call->in[0].shape); !rows.end;
		crn_rows_next(&rows))
		CRN_TRY(fold_row(state, partial, call, &rows, err));
	return CAIRN_OK;
}

static const crn_global global = {
	.n_passes = crn_label_n_passes,
	.begin = begin,
	.pass_begin = crn_label_pass_begin,
	.partial_bytes = crn_label_partial_bytes,
	.partial_init = crn_label_partial_init,
	.fold = fold,
	.merge = crn_label_merge,
	.partial_done = crn_label_partial_done,
	.pass_end = crn_label_pass_end,
	.end = end,
	.rows = crn_regionprops_rows,
	.partial_save = crn_label_partial_save,
	.partial_load = crn_label_partial_load,
};

static const crn_param params[] = {
	{"label_image", CRN_P_ARRAY, NULL, "integer array; 0 is background"},
	{"intensity", CRN_P_ANY, "None", "array, or list of arrays, to measure under the labels"},
	{"properties", CRN_P_STRS, "None", "which columns, in this order; None: all"},
	{NULL, CRN_P_END},
};

const crn_op crn_op_regionprops = {
	.name = "regionprops",
	.category = "measure",
	.summary = "Measure every labelled region: a table with one row a label",
	.doc = "Columns: label, area (voxels), bbox-0 ... (lower bounds, then upper bounds, half "
	       "open), centroid-0 ... (voxels), touches_border, and for each intensity image "
	       "intensity_mean, intensity_min, intensity_max, intensity_std, intensity_sum; with "
	       "several images the names end in -0, -1, ... Rows ascend by label. Lengths are in "
	       "voxels whatever the axes' units. Sums are exact: no order, chunk or thread shows.",
	.source = "skimage.measure.regionprops_table",
	.example = "write(regionprops(label(ones((4, 5)))), \"objects.csv\")",
	.kind = CRN_GLOBAL,
	.semver = 1,
	.params = params,
	.infer = infer,
	.global = &global,
};

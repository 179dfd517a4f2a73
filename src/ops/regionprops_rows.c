/* SPDX-License-Identifier: Apache-2.0
 *
 * regionprops_rows.c -- from accumulated rows to the columns of the table, and their names.
 */
#include "ops/regionprops.h"

#include "base/mem.h"
#include "base/str.h"
#include "core/table.h"

#include <math.h>
#include <string.h>

enum {
	LABEL,
	AREA,
	BBOX,
	CENTROID,
	TOUCHES,
	MEAN,
	MIN,
	MAX,
	STD,
	SUM,
	N_PROPERTIES,
};

static const char *const property_names[N_PROPERTIES] = {"label", "area", "bbox", "centroid",
	"touches_border", "intensity_mean", "intensity_min", "intensity_max", "intensity_std",
	"intensity_sum"};

enum {
	MAX_COLUMNS = N_PROPERTIES * CRN_MAX_INPUTS + 4 * CRN_MAX_NDIM,
	NAME_BYTES = 32,
	BATCH = 128
};

typedef struct column_source {
	int property, index; /* axis, or image */
} column_source;

typedef struct columns {
	int n;
	crn_column column[MAX_COLUMNS];
	column_source from[MAX_COLUMNS];
	char name[MAX_COLUMNS][NAME_BYTES];
	uint64_t cells[MAX_COLUMNS][BATCH]; /* raw elements of up to 8 bytes, packed by dtype */
} columns;

static int find_property(const char *name)
{
	for (int i = 0; i < N_PROPERTIES; i++)
		if (strcmp(property_names[i], name) == 0)
			return i;
	return -1;
}

/* The wanted properties in order; returns their number, or -1 - i when text i is wrong. */
static int wanted(const crn_node *n, int ret[N_PROPERTIES])
{
	const crn_value *p = crn_node_arg(n, "properties");
	int count = 0;
	bool seen[N_PROPERTIES] = {false};
	if (p->kind == CRN_V_NONE) {
		for (int i = 0; i < N_PROPERTIES; i++)
			if (i < MEAN || n->n_in > 1)
				ret[count++] = i;
		return count;
	}
	int n_given = p->kind == CRN_V_STR ? 1 : p->list.n;
	for (int i = 0; i < n_given; i++) {
		int k = find_property(p->kind == CRN_V_STR ? p->s : p->list.items[i].s);
		if (k < 0 || seen[k])
			return -1 - i;
		seen[k] = true;
		ret[count++] = k;
	}
	return count;
}

cairn_status crn_regionprops_check(const crn_node *n, cairn_error *err)
{
	int list[N_PROPERTIES], count = wanted(n, list);
	const crn_value *p = crn_node_arg(n, "properties");
	if (count < 0) {
		const char *name = p->kind == CRN_V_STR ? p->s : p->list.items[-1 - count].s;
		cairn_status status = crn_fail(err, CAIRN_USAGE,
			"regionprops: property \"%s\" is unknown or given twice", name);
		crn_hint(err, "label, area, bbox, centroid, touches_border, intensity_mean, "
			      "intensity_min, intensity_max, intensity_std, intensity_sum");
		return status;
	}
	for (int i = 0; i < count; i++)
		if (list[i] >= MEAN && n->n_in < 2)
			return crn_fail(err, CAIRN_USAGE,
				"regionprops: property \"%s\" needs an intensity image",
				property_names[list[i]]);
	return CAIRN_OK;
}

static void add_column(columns *c, int property, int index, bool numbered, crn_dtype dtype)
{
	int i = c->n++;
	crn_str s = {0};
	crn_str_append(&s, property_names[property]);
	if (numbered)
		crn_str_appendf(&s, "-%d", index);
	memcpy(c->name[i], s.data ? s.data : "", s.data ? s.len + 1 : 1);
	crn_str_done(&s);
	bool voxels = property >= AREA && property <= CENTROID;
	c->column[i] = (crn_column){c->name[i], dtype, voxels ? "voxel" : ""};
	c->from[i] = (column_source){property, index};
}

/* fits[k]: all sums of image k are int64. */
static cairn_status sums_fit(
	const crn_region_state *s, crn_label_reader *in, bool *fits, cairn_error *err)
{
	bool any = false;
	for (int k = 0; k < s->layout.n_images; k++)
		any = (fits[k] = !crn_dtype_is_float(s->layout.image[k].dtype)) || any;
	for (uint64_t i = 0; any && i < in->n_rows; i++) {
		const char *row;
		CRN_TRY(crn_label_reader_row(in, i, &row, err));
		for (int k = 0; k < s->layout.n_images; k++) {
			if (!fits[k])
				continue;
			crn_i128 sum = ((const crn_moments *)(row + s->layout.image[k].sum))->sum;
			fits[k] = sum <= INT64_MAX && sum >= INT64_MIN;
		}
	}
	return CAIRN_OK;
}

/* Integers stay integers; sums past int64 become float64, rounded once. */
static crn_dtype image_column(const crn_region_state *s, int property, int k, const bool *fits)
{
	crn_dtype t = s->layout.image[k].dtype;
	if (property == MEAN || property == STD || crn_dtype_is_float(t))
		return CRN_F64;
	if (property == SUM)
		return fits[k] ? CRN_I64 : CRN_F64;
	return t == CRN_U64 ? CRN_U64 : CRN_I64;
}

static void choose_columns(
	const crn_region_state *s, const crn_node *n, const bool *fits, columns *c)
{
	int list[N_PROPERTIES], count = wanted(n, list), ndim = s->layout.ndim;
	for (int i = 0; i < count; i++) {
		int p = list[i];
		if (p == LABEL)
			add_column(c, p, 0, false, s->dtype == CRN_U64 ? CRN_U64 : CRN_I64);
		else if (p == AREA)
			add_column(c, p, 0, false, CRN_I64);
		else if (p == TOUCHES)
			add_column(c, p, 0, false, CRN_BOOL);
		for (int d = 0; p == BBOX && d < 2 * ndim; d++)
			add_column(c, p, d, true, CRN_I64);
		for (int d = 0; p == CENTROID && d < ndim; d++)
			add_column(c, p, d, true, CRN_F64);
		for (int k = 0; p >= MEAN && k < s->layout.n_images; k++)
			add_column(c, p, k, s->layout.n_images > 1, image_column(s, p, k, fits));
	}
}

static crn_elem key_elem(crn_dtype from, int64_t key, crn_dtype to)
{
	crn_elem e = crn_key_value(from, key);
	return crn_dtype_is_float(to) ? crn_elem_from_double(to, crn_elem_to_double(from, e))
				      : crn_elem_from_uint(to, crn_elem_to_uint(from, e));
}

static crn_elem moment_cell(
	const crn_region_layout *l, const char *row, int property, int k, crn_dtype to)
{
	uint64_t area = ((const uint64_t *)row)[1];
	crn_dtype t = l->image[k].dtype;
	crn_wide sum, squares = {0};
	if (crn_dtype_is_float(t)) {
		bool narrow = t == CRN_F32;
		crn_wide_from_xsum(narrow ? CRN_XSUM_F32 : CRN_XSUM_F64,
			(const int64_t *)(row + l->image[k].sum), &sum);
		if (property == STD)
			crn_wide_from_xsum(narrow ? CRN_XSUM_F32_SQ : CRN_XSUM_F64_SQ,
				(const int64_t *)(row + l->image[k].squares), &squares);
	} else {
		const crn_moments *m = (const crn_moments *)(row + l->image[k].sum);
		if (property == SUM && to == CRN_I64)
			return crn_elem_from_int(to, (int64_t)m->sum);
		crn_wide_from_i128(m->sum, &sum);
		crn_wide_from_u192(m->sq_hi, m->sq_lo, &squares);
	}
	double v = property == STD
			   ? sqrt(crn_wide_variance(&sum, &squares, (int64_t)area, 0, CRN_F64))
			   : crn_wide_ratio(&sum, property == MEAN ? area : 1, CRN_F64);
	return crn_elem_from_double(to, v);
}

static crn_elem cell(const crn_region_state *s, const char *row, column_source from, crn_dtype to)
{
	const crn_region_layout *l = &s->layout;
	int d = from.index;
	crn_wide sum;
	switch (from.property) {
	case LABEL:
		return crn_elem_from_uint(to, ((const uint64_t *)row)[0]);
	case AREA:
		return crn_elem_from_uint(to, ((const uint64_t *)row)[1]);
	case BBOX:
		return crn_elem_from_int(
			to, d < l->ndim ? ((const int64_t *)(row + l->lo))[d]
					: ((const int64_t *)(row + l->end))[d - l->ndim]);
	case CENTROID:
		crn_wide_from_i128((crn_i128)((const crn_u128 *)(row + l->sums))[d], &sum);
		return crn_elem_from_double(
			to, crn_wide_ratio(&sum, ((const uint64_t *)row)[1], CRN_F64));
	case TOUCHES:
		return crn_elem_from_uint(to, *(const uint64_t *)(row + l->touches));
	case MIN:
		return key_elem(l->image[d].dtype, *(const int64_t *)(row + l->image[d].min), to);
	case MAX:
		return key_elem(l->image[d].dtype, *(const int64_t *)(row + l->image[d].max), to);
	default:
		return moment_cell(l, row, from.property, d, to);
	}
}

static cairn_status write_rows(const crn_region_state *s, crn_label_reader *in, columns *c,
	crn_table_writer *to, cairn_error *err)
{
	const void *data[MAX_COLUMNS];
	for (int i = 0; i < c->n; i++)
		data[i] = c->cells[i];
	for (uint64_t done = 0; done < in->n_rows; done += BATCH) {
		size_t k = in->n_rows - done < BATCH ? (size_t)(in->n_rows - done) : BATCH;
		for (size_t r = 0; r < k; r++) {
			const char *row;
			CRN_TRY(crn_label_reader_row(in, done + r, &row, err));
			for (int i = 0; i < c->n; i++) {
				size_t size = crn_dtype_size(c->column[i].dtype);
				crn_elem e = cell(s, row, c->from[i], c->column[i].dtype);
				memcpy((char *)c->cells[i] + r * size, e.bytes, size);
			}
		}
		CRN_TRY(to->append(to, (int64_t)k, data, err));
	}
	return CAIRN_OK;
}

cairn_status crn_regionprops_rows(
	const void *state, const crn_node *n, crn_table_writer *to, cairn_error *err)
{
	const crn_region_state *s = state;
	size_t bytes = crn_label_buffer_bytes(&s->measure);
	bool fits[CRN_MAX_INPUTS];
	crn_label_reader in;
	CRN_FREE columns *c = crn_calloc(1, sizeof(*c));
	if (!c)
		return crn_fail_memory(err, "columns", sizeof(*c));
	void *buffer = NULL;
	CRN_TRY(crn_charged_alloc(s->env, "reading regions", bytes, 1, &buffer, err));
	crn_label_reader_init(&in, &s->measure, buffer);
	cairn_status status = sums_fit(s, &in, fits, err);
	if (status == CAIRN_OK) {
		choose_columns(s, n, fits, c);
		status = to->begin(to, c->column, c->n, err);
	}
	if (status == CAIRN_OK)
		status = write_rows(s, &in, c, to, err);
	crn_charged_free(s->env, &buffer, bytes, 1);
	return status;
}

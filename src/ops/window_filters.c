/* SPDX-License-Identifier: Apache-2.0
 *
 * window_filters.c -- uniform, minimum, maximum, median, percentile and rank filters, and grey
 * erosion, dilation, opening and closing.
 *
 * They all take a window as a size or a footprint, with one set of rules for origin, border and
 * reversal; boxes become one pass per axis, other footprints one rank_pass, heights one taps_pass.
 */
#include "ops/box_passes.h"
#include "ops/filter_window.h"
#include "ops/rank_pass.h"
#include "ops/taps_pass.h"

#include "base/mem.h"
#include "core/call.h"
#include "ops/binary_pass.h"

#include <math.h>
#include <string.h>

/* The window of a call, read from its arguments. */
typedef struct window_args {
	const char *name; /* of the op */
	int ndim;
	bool is_box; /* size per axis; else `shape` */
	int64_t size[CRN_MAX_NDIM], origin[CRN_MAX_NDIM];
	const char *mode[CRN_MAX_NDIM];
	double cval;
	crn_value shape;   /* bool CONST, owned; None when is_box */
	crn_value heights; /* float64 CONST with NaN where the footprint is unset, owned; or None */
} window_args;

static void window_args_done(window_args *a)
{
	crn_value_clear(&a->shape);
	crn_value_clear(&a->heights);
}

static cairn_status check_axes(const window_args *a, const crn_const *c, cairn_error *err)
{
	if (c->ndim == a->ndim)
		return CAIRN_OK;
	return crn_fail(err, CAIRN_USAGE, "%s: the window has %d axes, input has %d", a->name,
		c->ndim, a->ndim);
}

/* size, footprint, structure: values of the call, the last may be NULL. */
static cairn_status read_window(window_args *a, const crn_value *size, const crn_value *footprint,
	const crn_value *structure, cairn_error *err)
{
	bool flat = !structure || structure->kind == CRN_V_NONE;
	crn_const *c = NULL;
	if (footprint->kind != CRN_V_NONE) {
		CRN_TRY(check_axes(a, footprint->c, err));
		CRN_TRY(crn_const_nonzero(footprint->c, &c, err));
		a->shape = crn_value_const(c);
		if (crn_footprint_count(c) < 1)
			return crn_fail(
				err, CAIRN_USAGE, "%s: the footprint has no voxel set", a->name);
		a->is_box = flat && crn_footprint_count(c) == crn_const_count(c);
		memcpy(a->size, c->shape, sizeof(a->size));
	} else if (flat && size->kind != CRN_V_NONE) {
		CRN_TRY(crn_args_ints(size, a->ndim, a->size, "size", err));
		a->is_box = true;
	} else if (flat) {
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "%s: size or footprint is needed", a->name);
		crn_hint(err, "write %s(x, size=5) or %s(x, footprint=disk(2))", a->name, a->name);
		return status;
	}
	if (flat)
		return CAIRN_OK;
	CRN_TRY(check_axes(a, structure->c, err));
	CRN_TRY(crn_const_doubles(structure->c, &c, err));
	a->heights = crn_value_const(c);
	memcpy(a->size, c->shape, sizeof(a->size));
	if (a->shape.kind == CRN_V_NONE)
		return CAIRN_OK;
	if (memcmp(a->shape.c->shape, c->shape, (size_t)c->ndim * sizeof(int64_t)) != 0)
		return crn_fail(
			err, CAIRN_USAGE, "%s: footprint and structure differ in shape", a->name);
	for (int64_t i = 0; i < crn_const_count(c); i++)
		if (!((const unsigned char *)a->shape.c->data)[i])
			((double *)c->data)[i] = NAN;
	return CAIRN_OK;
}

static cairn_status read_rest(window_args *a, const crn_value *mode, const crn_value *cval,
	const crn_value *origin, cairn_error *err)
{
	CRN_TRY(crn_filter_modes(mode, a->ndim, a->mode, a->name, err));
	CRN_TRY(crn_args_ints(origin, a->ndim, a->origin, "origin", err));
	a->cval = cval->f;
	for (int d = 1; d < a->ndim && !a->is_box; d++)
		if (strcmp(a->mode[d], a->mode[0]) != 0)
			return crn_fail(err, CAIRN_USAGE,
				"%s: one mode per axis is possible for boxes only", a->name);
	return CAIRN_OK;
}

static crn_footprint footprint_of(const window_args *a)
{
	crn_footprint f = {.shape = a->shape.c, .mode = a->mode[0], .cval = a->cval};
	memcpy(f.origin, a->origin, sizeof(f.origin));
	return f;
}

/* ---- minimum and maximum ---- */

static cairn_status build_box_extreme(crn_graph *g, const window_args *a, crn_node *input,
	bool maximum, crn_node **ret, cairn_error *err)
{
	CRN_NODE *at = crn_node_ref(input);
	for (int d = 0; d < a->ndim; d++) {
		crn_box_pass pass = {.axis = d,
			.size = a->size[d],
			.origin = a->origin[d],
			.mode = a->mode[d],
			.cval = a->cval};
		CRN_NODE *held = NULL, *passed = NULL;
		crn_node *next = NULL;
		if (a->size[d] == 1)
			continue;
		CRN_TRY(crn_filter_hold_cval(g, at, pass.mode, pass.cval, &held, err));
		CRN_TRY(crn_build_extreme_pass(g, held, &pass, maximum, a->name, &passed, err));
		CRN_TRY(crn_filter_convert(g, passed, input->type.dtype, "truncate", &next, err));
		crn_node_unref(at);
		at = next;
	}
	*ret = crn_steal(&at);
	return CAIRN_OK;
}

static cairn_status build_extreme(crn_graph *g, const window_args *a, crn_node *input, bool maximum,
	crn_node **ret, cairn_error *err)
{
	crn_footprint f = footprint_of(a);
	if (a->heights.kind != CRN_V_NONE) {
		CRN_VALUE origins = {0};
		CRN_TRY(crn_value_ints(a->origin, a->ndim, &origins, err));
		CRN_TRY(crn_window_check(a->heights.c, &origins, a->ndim, a->name, err));
		return crn_build_taps(g, input, a->heights.c, &f,
			maximum ? CRN_TAPS_GREATEST : CRN_TAPS_LEAST, ret, err);
	}
	if (a->is_box)
		return build_box_extreme(g, a, input, maximum, ret, err);
	return crn_build_rank(
		g, input, &f, maximum ? crn_footprint_count(f.shape) - 1 : 0, a->name, ret, err);
}

/* The window a dilation uses: reversed, origin negated. */
static cairn_status reverse_window(window_args *a, cairn_error *err)
{
	crn_value *const parts[] = {&a->shape, &a->heights};
	for (size_t i = 0; i < CRN_COUNT(parts); i++) {
		crn_const *reversed = NULL;
		if (parts[i]->kind == CRN_V_NONE)
			continue;
		CRN_TRY(crn_const_reversed(parts[i]->c, &reversed, err));
		crn_value_clear(parts[i]);
		*parts[i] = crn_value_const(reversed);
	}
	for (int d = 0; d < a->ndim; d++)
		a->origin[d] = -a->origin[d] - (a->size[d] % 2 == 0);
	return CAIRN_OK;
}

enum { INPUT, SIZE, FOOTPRINT };

#define WINDOW \
	{"size", CRN_P_INTS, "None", "extent of a box, one or one per axis", NULL}, \
	{ \
		"footprint", CRN_P_CONST, "None", "window of any shape, instead of size", NULL \
	}
#define TAIL \
	{"mode", CRN_P_STRS, "'reflect'", \
		"how the border is extended; for boxes also one per axis", crn_border_names}, \
		{"cval", CRN_P_FLOAT, "0.0", "value outside for mode constant", NULL}, \
		{"origin", CRN_P_INTS, "0", "shift of the window in voxels, one or one per axis", \
			NULL}, \
	{ \
		NULL, CRN_P_END, NULL, NULL, NULL \
	}

static const crn_param extreme_params[] = {
	{"input", CRN_P_ARRAY, NULL, "array", NULL}, WINDOW, TAIL};

static cairn_status build_filter_extreme(crn_graph *g, const crn_op *self, const crn_value *args,
	bool maximum, crn_value *ret, cairn_error *err)
{
	crn_node *node = NULL, *input = args[INPUT].node;
	CRN_CLEANUP(window_args_done)
	window_args a = {.name = self->name, .ndim = input->type.ndim};
	CRN_TRY(read_window(&a, &args[SIZE], &args[FOOTPRINT], NULL, err));
	CRN_TRY(read_rest(&a, &args[3], &args[4], &args[5], err));
	CRN_TRY(build_extreme(g, &a, input, maximum, &node, err));
	*ret = crn_value_node(node);
	return CAIRN_OK;
}

/* ---- grey morphology ---- */

static const crn_param grey_params[] = {{"input", CRN_P_ARRAY, NULL, "array", NULL}, WINDOW,
	{"structure", CRN_P_CONST, "None", "heights of a structuring element that is not flat",
		NULL},
	TAIL};

/* `steps`: e for erosions, d for dilations, in order. */
static cairn_status build_grey(crn_graph *g, const crn_op *self, const crn_value *args,
	const char *steps, crn_value *ret, cairn_error *err)
{
	crn_node *input = args[INPUT].node;
	CRN_NODE *at = crn_node_ref(input);
	for (; *steps; steps++) {
		CRN_CLEANUP(window_args_done)
		window_args a = {.name = self->name, .ndim = input->type.ndim};
		crn_node *next = NULL;
		CRN_TRY(read_window(&a, &args[SIZE], &args[FOOTPRINT], &args[3], err));
		CRN_TRY(read_rest(&a, &args[4], &args[5], &args[6], err));
		if (*steps == 'd')
			CRN_TRY(reverse_window(&a, err));
		CRN_TRY(build_extreme(g, &a, at, *steps == 'd', &next, err));
		crn_node_unref(at);
		at = next;
	}
	*ret = crn_value_node(crn_steal(&at));
	return CAIRN_OK;
}

/* ---- ranks ---- */

static const crn_param median_params[] = {
	{"input", CRN_P_ARRAY, NULL, "array", NULL}, WINDOW, TAIL};
static const crn_param percentile_params[] = {{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"percentile", CRN_P_FLOAT, NULL, "0..100; negative ones count from 100", NULL}, WINDOW,
	TAIL};
static const crn_param rank_params[] = {{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"rank", CRN_P_INT, NULL, "from 0 (least); negative ones count from the greatest, -1",
		NULL},
	WINDOW, TAIL};

/* Window arguments from args[first] on; rank_of(value, n) picks among n voxels, < 0: not there. */
static cairn_status build_rank(crn_graph *g, const crn_op *self, const crn_value *args,
	int64_t (*rank_of)(const crn_value *v, int64_t n), crn_value *ret, cairn_error *err)
{
	crn_node *node = NULL, *input = args[INPUT].node;
	int first = self->params == median_params ? 1 : 2;
	CRN_CLEANUP(window_args_done)
	window_args a = {.name = self->name, .ndim = input->type.ndim};
	CRN_TRY(read_window(&a, &args[first], &args[first + 1], NULL, err));
	if (a.shape.kind == CRN_V_NONE) {
		crn_const *box = NULL;
		for (int d = 0; d < a.ndim; d++)
			if (a.size[d] < 1)
				return crn_fail(err, CAIRN_USAGE,
					"%s: size %lld; it must be 1 or more", self->name,
					(long long)a.size[d]);
		CRN_TRY(crn_const_new(CRN_BOOL, a.ndim, a.size, &box, err));
		memset(box->data, 1, (size_t)crn_const_count(box));
		a.shape = crn_value_const(box);
	}
	int64_t n = crn_footprint_count(a.shape.c), rank = rank_of(&args[1], n);
	bool extreme = rank == 0 || rank == n - 1;
	a.is_box &= extreme;
	CRN_TRY(read_rest(&a, &args[first + 2], &args[first + 3], &args[first + 4], err));
	if (rank < 0 || rank >= n)
		return crn_fail(err, CAIRN_USAGE,
			"%s: no such rank among the %lld voxels of the window", self->name,
			(long long)n);
	crn_footprint f = footprint_of(&a);
	if (extreme)
		CRN_TRY(build_extreme(g, &a, input, rank != 0, &node, err));
	else
		CRN_TRY(crn_build_rank(g, input, &f, rank, self->name, &node, err));
	*ret = crn_value_node(node);
	return CAIRN_OK;
}

static int64_t median_rank(const crn_value *v, int64_t n)
{
	(void)v;
	return n / 2;
}

static int64_t given_rank(const crn_value *v, int64_t n)
{
	return v->i < 0 ? v->i + n : v->i;
}

static int64_t percentile_rank(const crn_value *v, int64_t n)
{
	double p = v->f < 0 ? v->f + 100 : v->f;
	if (!(p >= 0 && p <= 100))
		return -1;
	return p == 100 ? n - 1 : (int64_t)((double)n * p / 100);
}

/* ---- uniform ---- */

static const crn_param uniform_params[] = {{"input", CRN_P_ARRAY, NULL, "array", NULL},
	{"size", CRN_P_INTS, "3", "extent of the box, one or one per axis", NULL}, TAIL};

static cairn_status build_uniform(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	crn_node *input = args[INPUT].node;
	crn_dtype t = input->type.dtype;
	CRN_CLEANUP(window_args_done)
	window_args a = {.name = self->name, .ndim = input->type.ndim, .is_box = true};
	CRN_TRY(crn_args_ints(&args[SIZE], a.ndim, a.size, "size", err));
	CRN_TRY(read_rest(&a, &args[2], &args[3], &args[4], err));
	CRN_NODE *at = crn_node_ref(input);
	for (int d = 0; d < a.ndim; d++) {
		crn_box_pass pass = {.axis = d,
			.size = a.size[d],
			.origin = a.origin[d],
			.mode = a.mode[d],
			.cval = a.cval};
		CRN_NODE *widened = NULL, *passed = NULL;
		crn_node *next = NULL;
		if (a.size[d] == 1)
			continue;
		crn_elem cval;
		bool as_it_is =
			crn_has_mean_pass(t, a.size[d]) &&
			(strcmp(pass.mode, "constant") != 0 || crn_filter_cval(a.cval, t, &cval));
		CRN_TRY(crn_filter_convert(g, at, as_it_is ? t : CRN_F64, "exact", &widened, err));
		CRN_TRY(crn_build_mean_pass(g, widened, &pass, a.name, &passed, err));
		CRN_TRY(crn_filter_convert(g, passed, t, "truncate", &next, err));
		crn_node_unref(at);
		at = next;
	}
	*ret = crn_value_node(crn_steal(&at));
	return CAIRN_OK;
}

/* ---- descriptors ---- */

#define BUILD(name, call) \
	static cairn_status build_##name(crn_graph *g, const crn_op *self, const crn_value *args, \
		crn_value *ret, cairn_error *err) \
	{ \
		return call; \
	}
BUILD(minimum_filter, build_filter_extreme(g, self, args, false, ret, err))
BUILD(maximum_filter, build_filter_extreme(g, self, args, true, ret, err))
BUILD(grey_erosion, build_grey(g, self, args, "e", ret, err))
BUILD(grey_dilation, build_grey(g, self, args, "d", ret, err))
BUILD(grey_opening, build_grey(g, self, args, "ed", ret, err))
BUILD(grey_closing, build_grey(g, self, args, "de", ret, err))
BUILD(median_filter, build_rank(g, self, args, median_rank, ret, err))
BUILD(percentile_filter, build_rank(g, self, args, percentile_rank, ret, err))
BUILD(rank_filter, build_rank(g, self, args, given_rank, ret, err))
BUILD(uniform_filter, build_uniform(g, self, args, ret, err))

static const char order_doc[] =
	"Windows of even size reach one voxel further to the left. NaN counts as greater than all "
	"numbers, -0 as less than +0.";
static const char grey_doc[] =
	"Dilation uses the window reversed, with the origin negated, as scipy.ndimage: with a "
	"window of "
	"even size it reaches further to the right. Structures that are not flat work in float64; "
	"integers are truncated, and what does not fit wraps.";
static const char uniform_doc[] =
	"Sums are exact for integers up to 2^53, and truncated after every axis as in "
	"scipy.ndimage. Float "
	"sums run in float64 over fixed blocks, not as running sums: within 1e-12 of scipy's, and "
	"independent of chunks.";

#define FILTER(x, group, text, more, table, snippet) \
	const crn_op crn_op_##x = { \
		.name = #x, \
		.category = group, \
		.summary = text, \
		.doc = more, \
		.source = "scipy.ndimage." #x, \
		.example = snippet, \
		.kind = CRN_COMPOSITE, \
		.semver = 1, \
		.params = table, \
		.build = build_##x, \
	}

FILTER(grey_closing, "morphology", "Grey dilation, then erosion.", grey_doc, grey_params,
	"grey_closing(random((30, 40), seed=1), size=3)");
FILTER(grey_dilation, "morphology", "Maximum over a window, or of sums with heights.", grey_doc,
	grey_params, "grey_dilation(random((30, 40), seed=1), size=3)");
FILTER(grey_erosion, "morphology", "Minimum over a window, or of differences to heights.", grey_doc,
	grey_params, "grey_erosion(random((30, 40), seed=1), size=3)");
FILTER(grey_opening, "morphology", "Grey erosion, then dilation.", grey_doc, grey_params,
	"grey_opening(random((30, 40), seed=1), size=3)");
FILTER(maximum_filter, "filters", "Greatest value of a window.", order_doc, extreme_params,
	"maximum_filter(random((30, 40), seed=1), size=3)");
FILTER(median_filter, "filters", "Median of a window: the value of rank n // 2.", order_doc,
	median_params, "median_filter(random((30, 40), seed=1), size=5)");
FILTER(minimum_filter, "filters", "Least value of a window.", order_doc, extreme_params,
	"minimum_filter(random((30, 40), seed=1), size=(3, 5))");
FILTER(percentile_filter, "filters", "Value of rank int(n * percentile / 100) in a window.",
	order_doc, percentile_params, "percentile_filter(random((30, 40), seed=1), 20, size=5)");
FILTER(rank_filter, "filters", "Value of a given rank in a window.", order_doc, rank_params,
	"rank_filter(random((30, 40), seed=1), 2, size=3)");
FILTER(uniform_filter, "filters", "Mean of a box.", uniform_doc, uniform_params,
	"uniform_filter(random((30, 40), seed=1), size=5)");

/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_pass.c -- internal op: the value of a given rank among the voxels under a footprint.
 *
 * Samples become integer keys first (kernels/order.h). Then, by footprint and rank: minimum and
 * maximum over taps, or for disks and balls over runs along x, all runs of one width together; the
 * medians of 9, 25 and 27 values by exchange networks in registers; any rank of a box of up to a
 * thousand voxels by merging sorted columns, which neighbours along x share (rank_network.h), of
 * larger boxes of 8-bit samples by sliding histograms (rank_histogram.h); anything else by finding
 * the answer's bits from the top, counting how many keys are smaller: bits x taps steps for a whole
 * vector of outputs, whatever the values are.
 */
#include "ops/rank_pass.h"

#include "base/mem.h"
#include "kernels/order.h"
#include "ops/filter_window.h"
#include "ops/footprint_runs.h"
#include "ops/rank_histogram.h"
#include "ops/rank_network.h"

#include <string.h>

extern const crn_op crn_op_rank_pass;

enum { INPUT, FOOTPRINT, RANK, ORIGIN, MODE, CVAL };
enum { MAX_TAPS = 1 << 22 };

static const crn_param params[] = {
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "array", NULL},
	[FOOTPRINT] = {"footprint", CRN_P_CONST, NULL, "bool, as many axes as the input", NULL},
	[RANK] = {"rank", CRN_P_INT, NULL, "how many are smaller, from 0", NULL},
	[ORIGIN] = {"origin", CRN_P_INTS, NULL, "shift of the window per axis", NULL},
	[MODE] = {"mode", CRN_P_STR, NULL, "border", crn_border_names},
	[CVAL] = {"cval", CRN_P_FLOAT, NULL, "value outside for mode constant", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static bool is_set(const crn_const *c, int64_t i)
{
	return ((const unsigned char *)c->data)[i] != 0;
}

int64_t crn_footprint_count(const crn_const *shape)
{
	const unsigned char *set = shape->data;
	int64_t n = 0;
	for (int64_t i = 0, count = crn_const_count(shape); i < count; i++)
		n += set[i] != 0;
	return n;
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	const crn_const *shape = n->args[FOOTPRINT].c;
	crn_elem cval;
	CRN_TRY(crn_window_check(shape, &n->args[ORIGIN], in->ndim, "rank filter", err));
	int64_t taps = shape->dtype == CRN_BOOL ? crn_footprint_count(shape) : 0;
	if (taps < 1 || taps > MAX_TAPS || n->args[RANK].i < 0 || n->args[RANK].i >= taps ||
		!crn_filter_cval(n->args[CVAL].f, in->dtype, &cval))
		return crn_fail(err, CAIRN_USAGE,
			"rank filter: rank %lld among %lld voxels of the footprint",
			(long long)n->args[RANK].i, (long long)taps);
	*ret = crn_type_with_dtype(in, in->dtype);
	return CAIRN_OK;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	(void)input;
	crn_window w = crn_window_of(n->args[FOOTPRINT].c, &n->args[ORIGIN]);
	crn_window_need(&w, out, &ret->region);
	ret->border = crn_border_parse(n->args[MODE].s);
	(void)crn_filter_cval(n->args[CVAL].f, n->in[0]->type.dtype, &ret->cval);
}

/* ---- which loop ---- */

typedef enum way { MINIMUM, MAXIMUM, RUNS, NETWORK, HISTOGRAM, MERGE, SEARCH } way;

enum { RUNS_PIECE = 256 };

/* True if least and greatest are found faster by runs than voxel by voxel. */
static bool has_runs(const crn_node *n)
{
	crn_footprint_runs runs = crn_footprint_runs_of(n->args[FOOTPRINT].c);
	return runs.n_groups > 0 &&
	       runs.n_runs + 8 * runs.n_groups < crn_footprint_count(n->args[FOOTPRINT].c);
}

/* What a region leaves out. Some ways make all voxels of the last one or two axes. */
typedef enum gap { NO_GAPS, GAPS_ALONG_Y, GAPS_ALONG_X, N_GAPS } gap;

static gap gaps_of(const crn_region *out)
{
	int x = out->ndim - 1;
	if (out->n[x] > 1 && out->step[x] != 1)
		return GAPS_ALONG_X;
	return x > 0 && !crn_rank_histogram_can(out) ? GAPS_ALONG_Y : NO_GAPS;
}

static way way_of(const crn_node *n, gap gaps)
{
	const crn_const *shape = n->args[FOOTPRINT].c;
	int64_t taps = crn_footprint_count(shape), rank = n->args[RANK].i;
	if (rank == 0 || rank == taps - 1)
		return gaps != GAPS_ALONG_X && has_runs(n) ? RUNS : rank == 0 ? MINIMUM : MAXIMUM;
	if (rank == taps / 2 && (taps == 9 || taps == 25 || taps == 27))
		return NETWORK;
	if (taps < crn_const_count(shape))
		return SEARCH;
	crn_window w = crn_window_of(shape, &n->args[ORIGIN]);
	if (gaps == NO_GAPS && crn_dtype_size(n->type.dtype) == 1 && crn_rank_histogram_pays(&w))
		return HISTOGRAM;
	return gaps != GAPS_ALONG_X && taps <= CRN_RANK_NETWORK_MOST ? MERGE : SEARCH;
}

/* The narrowest key; to search, one whose lanes can count all taps. */
static crn_key key_of(const crn_node *n, way how)
{
	crn_key key = crn_key_of(n->type.dtype);
	int64_t taps = crn_footprint_count(n->args[FOOTPRINT].c);
	if (how != SEARCH)
		return key;
	if (key == CRN_KEY_8 && taps >= 255)
		key = CRN_KEY_16;
	if (key == CRN_KEY_16 && taps >= 32767)
		key = CRN_KEY_32;
	return key;
}

static crn_rank_box box_of(const crn_node *n)
{
	const crn_const *shape = n->args[FOOTPRINT].c;
	int64_t width = shape->shape[shape->ndim - 1];
	return (crn_rank_box){.column = (int)(crn_const_count(shape) / width),
		.width = (int)width,
		.rank = (int)n->args[RANK].i,
		.item_size = crn_key_size(key_of(n, MERGE))};
}

/* The samples are their own keys: nothing to load or store. */
static bool is_direct(crn_dtype t, crn_key key)
{
	return key == CRN_KEY_8 && (t == CRN_U8 || t == CRN_BOOL);
}

/* Other samples are loaded into keys first, so scratch holds the whole input region. */
static void load_any(const void *from, int64_t n, void *to)
{
	(void)from;
	(void)n;
	(void)to;
}

/* The walk of a way, as far as it is known before bind. Merging reads the samples themselves, those
 * of the window's first column; its network reaches the other ones. */
static crn_tap_walk walk_of(const crn_node *n, const crn_window *w, way how)
{
	if (how == MERGE)
		return (crn_tap_walk){.window = w,
			.n_taps = box_of(n).column,
			.item_size = crn_dtype_size(n->type.dtype),
			.whole_rows = true};
	crn_key key = key_of(n, how);
	int n_taps = (int)crn_footprint_count(n->args[FOOTPRINT].c);
	if (how == RUNS)
		n_taps = crn_footprint_runs_of(n->args[FOOTPRINT].c).n_runs;
	return (crn_tap_walk){.window = w,
		.n_taps = n_taps,
		.whole_rows = how == RUNS,
		.item_size = crn_key_size(key),
		.load = is_direct(n->type.dtype, key) ? NULL : load_any};
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	crn_window w = crn_window_of(n->args[FOOTPRINT].c, &n->args[ORIGIN]);
	way how = way_of(n, gaps_of(out));
	if (how == HISTOGRAM)
		return crn_rank_histogram_scratch(&w, out);
	crn_tap_walk walk = walk_of(n, &w, how);
	size_t bytes = crn_tap_walk_scratch(&walk, out);
	if (how != MERGE)
		return bytes;
	crn_rank_box box = box_of(n);
	return bytes + crn_rank_network_memory(&box);
}

/* ns per voxel, measured with AVX2 (checkkernel --rates), which lacks 64-bit minima. */
static double cost(const crn_node *n)
{
	double taps = (double)crn_footprint_count(n->args[FOOTPRINT].c);
	way how = way_of(n, NO_GAPS);
	double item = (double)crn_dtype_size(n->type.dtype), size = item == 8 ? 2 * item : item;
	crn_footprint_runs runs;
	int doublings = 64 - __builtin_clzll((unsigned long long)taps);
	switch (how) {
	case RUNS:
		runs = crn_footprint_runs_of(n->args[FOOTPRINT].c);
		return 0.5 + (0.02 * runs.n_runs + 0.1 * runs.n_groups) * size;
	case MINIMUM:
	case MAXIMUM:
		return 0.3 + 0.011 * taps * size;
	case NETWORK:
		return 0.3 + 0.05 * taps * size;
	case HISTOGRAM:
		return 25 + 0.1 * taps / (double)box_of(n).width;
	case MERGE:
		return 0.5 + 0.018 * taps * doublings * size;
	default:
		return 0.5 + 0.13 * taps * item * (double)crn_key_size(key_of(n, how));
	}
}

/* ---- computing ---- */

typedef struct bound {
	const crn_order_kernels *kernels;
	crn_window window;
	way how[N_GAPS];
	crn_rank_histogram histogram; /* HISTOGRAM */
	crn_footprint_runs runs;      /* RUNS */
	int32_t *runs_at;             /* RUNS */
	crn_rank_box box;             /* MERGE */
	crn_key_network *net;         /* MERGE */
	int n_taps, rank;
	int32_t at[];
} bound;

/* One call. */
typedef struct search {
	const bound *bound;
	way how;
	crn_dtype dtype;
	crn_key key;
	char *rows; /* MERGE: those of the network */
} search;

static cairn_status bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	const crn_const *shape = n->args[FOOTPRINT].c;
	size_t taps = (size_t)crn_footprint_count(shape);
	/* There are never more runs than voxels. */
	size_t bytes = sizeof(bound) + 2 * taps * (size_t)shape->ndim * sizeof(int32_t);
	CRN_FREE bound *b = crn_alloc(bytes);
	if (!b)
		return crn_fail_memory(err, "the taps of a rank filter", bytes);
	b->kernels = CRN_ISA_PICK(crn_order_table, isa);
	b->window = crn_window_of(shape, &n->args[ORIGIN]);
	b->n_taps = crn_window_taps(shape, is_set, b->at);
	b->rank = (int)n->args[RANK].i;
	b->net = NULL;
	b->runs_at = b->at + taps * (size_t)shape->ndim;
	for (int g = 0; g < N_GAPS; g++)
		b->how[g] = way_of(n, (gap)g);
	b->histogram = (crn_rank_histogram){.window = &b->window,
		.kernels = CRN_ISA_PICK(crn_histogram_table, isa),
		.box = {.rank = b->rank, .flip = n->type.dtype == CRN_I8 ? 0x80 : 0}};
	b->histogram.box.width = (int)shape->shape[shape->ndim - 1];
	if (b->how[NO_GAPS] == RUNS) {
		b->runs = crn_footprint_runs_of(shape);
		crn_footprint_runs_place(&b->runs, shape, b->runs_at);
	}
	if (b->how[GAPS_ALONG_Y] == MERGE) {
		b->box = box_of(n);
		CRN_TRY(crn_rank_network_new(&b->box, &b->net, err));
	}
	ret->data = crn_steal(&b);
	return CAIRN_OK;
}

static void unbind(crn_bound *ret)
{
	bound *b = ret->data;
	crn_free(b->net);
	crn_free(b);
}

static void find(const search *s, const char *base, const ptrdiff_t *offset, int64_t n, void *keys)
{
	const crn_order_kernels *k = s->bound->kernels;
	int n_taps = s->bound->n_taps;
	switch (s->how) {
	case MINIMUM:
		k->min_taps[s->key](base, offset, n_taps, n, keys);
		break;
	case MAXIMUM:
		k->max_taps[s->key](base, offset, n_taps, n, keys);
		break;
	case NETWORK:
		(n_taps == 9           ? k->median_9
			: n_taps == 25 ? k->median_25
				       : k->median_27)[s->key](base, offset, n_taps, n, keys);
		break;
	default:
		k->rank[s->key](base, offset, n_taps, s->bound->rank, n, keys);
		break;
	}
}

static void one_row(const search *s, const crn_tap_rows *r, int k)
{
	enum { PIECE = 256 };
	_Alignas(64) char keys[PIECE * 8];
	const char *base = r->base + k * r->in_next;
	char *out = r->out + k * r->out_next;
	if (is_direct(s->dtype, s->key)) {
		find(s, base, r->offset, r->n, out);
		return;
	}
	int64_t key_bytes = (int64_t)crn_key_size(s->key);
	int64_t out_bytes = (int64_t)crn_dtype_size(s->dtype);
	for (int64_t i = 0; i < r->n; i += PIECE) {
		int64_t piece = r->n - i < PIECE ? r->n - i : PIECE;
		find(s, base + i * key_bytes, r->offset, piece, keys);
		s->bound->kernels->store[s->dtype][s->key](keys, piece, out + i * out_bytes);
	}
}

static void rank_rows(const void *ctx, const crn_tap_rows *r)
{
	for (int k = 0; k < r->n_rows; k++)
		one_row(ctx, r, k);
}

/* The least of windows of `width` keys from `from` on, by doubling; returns where they are. */
static const char *least_of_width(
	const search *s, char *from, char *spare, int width, int64_t n, bool greatest)
{
	const crn_order_kernels *k = s->bound->kernels;
	int64_t size = (int64_t)crn_key_size(s->key);
	for (int have = 1, more; have < width; have += more) {
		more = have < width - have ? have : width - have;
		(greatest ? k->greatest : k->least)(
			s->key, from, from + more * size, n + width - have - more, spare);
		char *found = spare;
		spare = from;
		from = found;
	}
	return from;
}

/* Runs of one width: the least over their rows at every x, then over the width. */
static void runs_piece(
	const search *s, const char *base, const ptrdiff_t *offset, int64_t n, char *out)
{
	enum { ROW = (RUNS_PIECE + CRN_WIDEST_RUN) * 8 };
	const bound *b = s->bound;
	const crn_order_kernels *k = b->kernels;
	bool greatest = b->rank > 0;
	_Alignas(64) char row[ROW], spare[ROW], so_far[2][RUNS_PIECE * 8];
	for (int g = 0; g < b->runs.n_groups; g++) {
		const crn_run_group *group = &b->runs.groups[g];
		(greatest ? k->max_taps : k->min_taps)[s->key](
			base, offset, group->n_runs, n + group->width - 1, row);
		const char *found = least_of_width(s, row, spare, group->width, n, greatest);
		if (g == 0)
			memcpy(so_far[0], found, (size_t)n * crn_key_size(s->key));
		else
			(greatest ? k->greatest : k->least)(
				s->key, so_far[(g + 1) % 2], found, n, so_far[g % 2]);
		offset += group->n_runs;
	}
	k->store[s->dtype][s->key](so_far[(b->runs.n_groups + 1) % 2], n, out);
}

static void run_rows(const void *ctx, const crn_tap_rows *r)
{
	const search *s = ctx;
	int64_t in_item = (int64_t)crn_key_size(s->key);
	int64_t out_item = (int64_t)crn_dtype_size(s->dtype);
	for (int k = 0; k < r->n_rows; k++)
		for (int64_t i = 0; i < r->n; i += RUNS_PIECE)
			runs_piece(s, r->base + k * r->in_next + i * in_item, r->offset,
				r->n - i < RUNS_PIECE ? r->n - i : RUNS_PIECE,
				r->out + k * r->out_next + i * out_item);
}

static void merge_row(const search *s, const crn_tap_rows *r, int k)
{
	const bound *b = s->bound;
	int64_t item = (int64_t)crn_dtype_size(s->dtype);
	int64_t stretch = crn_rank_network_stretch(&b->box);
	crn_key_row_fn load = b->kernels->load[s->dtype][s->key];
	crn_key_row_fn store = b->kernels->store[s->dtype][s->key];
	for (int64_t i = 0; i < r->n; i += stretch) {
		int64_t n = r->n - i < stretch ? r->n - i : stretch;
		const char *base = r->base + k * r->in_next + i * item;
		for (int t = 0; t < b->box.column; t++)
			load(base + r->offset[t], n + b->box.width - 1,
				s->rows + t * b->net->row_bytes);
		b->kernels->network[s->key](b->net, s->rows);
		store(s->rows + b->net->found, n, r->out + k * r->out_next + i * item);
	}
}

static void merge_rows(const void *ctx, const crn_tap_rows *r)
{
	for (int k = 0; k < r->n_rows; k++)
		merge_row(ctx, r, k);
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	(void)err;
	const bound *b = call->bound;
	search s = {.bound = b,
		.how = b->how[gaps_of(&call->out_region)],
		.dtype = call->node->type.dtype};
	if (s.how == HISTOGRAM) {
		crn_rank_histogram_run(&b->histogram, call);
		return CAIRN_OK;
	}
	s.key = key_of(call->node, s.how);
	crn_tap_walk walk = walk_of(call->node, &b->window, s.how);
	walk.at = b->at;
	walk.ctx = &s;
	if (s.how == MERGE) {
		/* Taps are in C order: those of the first column are `width` apart. */
		walk.at_stride = b->box.width;
		walk.rows = merge_rows;
		s.rows = (char *)call->scratch + crn_tap_walk_scratch(&walk, &call->out_region);
	} else {
		walk.load = walk.load ? b->kernels->load[s.dtype][s.key] : NULL;
		walk.rows = s.how == RUNS ? run_rows : rank_rows;
		walk.at = s.how == RUNS ? b->runs_at : b->at;
	}
	crn_tap_walk_run(&walk, call);
	return CAIRN_OK;
}

/* ---- building ---- */

cairn_status crn_filter_hold_cval(crn_graph *g, crn_node *input, const char *mode, double cval,
	crn_node **ret, cairn_error *err)
{
	crn_elem e;
	bool holds = strcmp(mode, "constant") != 0 || crn_filter_cval(cval, input->type.dtype, &e);
	return crn_filter_convert(g, input, holds ? input->type.dtype : CRN_F64, "exact", ret, err);
}

cairn_status crn_build_rank(crn_graph *g, crn_node *input, const crn_footprint *f, int64_t rank,
	const char *what, crn_node **ret, cairn_error *err)
{
	CRN_NODE *held = NULL, *ranked = NULL;
	CRN_TRY(crn_filter_hold_cval(g, input, f->mode, f->cval, &held, err));
	CRN_VALUE origins = {0}, mode = {0};
	CRN_TRY(crn_value_ints(f->origin, f->shape->ndim, &origins, err));
	CRN_TRY(crn_window_check(f->shape, &origins, input->type.ndim, what, err));
	CRN_TRY(crn_value_str(f->mode, &mode, err));
	bool constant = strcmp(f->mode, "constant") == 0;
	crn_value args[] = {
		[INPUT] = {.kind = CRN_V_NODE, .node = held},
		[FOOTPRINT] = {.kind = CRN_V_CONST, .c = (crn_const *)f->shape},
		[RANK] = crn_value_int(rank),
		[ORIGIN] = origins,
		[MODE] = mode,
		[CVAL] = crn_value_float(constant ? f->cval : 0),
	};
	CRN_TRY(crn_node_new(g, &crn_op_rank_pass, args, &ranked, err));
	return crn_filter_convert(g, ranked, input->type.dtype, "truncate", ret, err);
}

const crn_op crn_op_rank_pass = {
	.name = "rank_pass",
	.category = "filters",
	.summary = "The value of a rank among the voxels under a footprint.",
	.source = "scipy.ndimage.rank_filter",
	.kind = CRN_STENCIL,
	.internal = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = need,
	.cost = cost,
	.scratch = scratch,
	.bind = bind,
	.unbind = unbind,
	.compute = compute,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * binary_pass.c -- internal op: erosion of a mask by any structure, on rows of bits.
 *
 * The structure is taken apart into spans, rows and shapes (ops/mask_shapes.h). Input planes are
 * visited once each, in bands of rows; everything a band needs stays in the cache:
 *
 *	input rows ── pack ── words ── AND with itself shifted by 1, 2, 4, ... ── one plane per span
 *	                                      chain of shapes: AND of span rows │
 *	                                                                        v
 *	output planes of the band  &=  the shape that the input plane plays for each of them
 *	                        └── bits or bytes
 *
 * so a plane's intersection with a disk of the ball is made once for all output planes that look at
 * it, and a ball of 7153 voxels costs about 160 ANDs for 64 voxels or more. Dilation is the erosion
 * of the complement: bits are flipped on their way in and out.
 *
 * Memory: of a band of rows, every span's plane and all output planes.
 * Why not thresholds on a distance transform: exact too, but only for balls.
 */
#include "ops/binary_pass.h"

#include "base/mem.h"
#include "core/bits.h"
#include "kernels/bitmask.h"
#include "ops/filter_window.h"
#include "ops/mask_shapes.h"

#include <string.h>

extern const crn_op crn_op_binary_pass;

enum { INPUT, STRUCTURE, ORIGIN, BORDER, DILATE, SPANS, ROWS };

static const crn_param params[] = {
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "bool array", NULL},
	[STRUCTURE] = {"structure", CRN_P_CONST, NULL, "bool, as many axes as the input", NULL},
	[ORIGIN] = {"origin", CRN_P_INTS, NULL, "shift of the structure per axis", NULL},
	[BORDER] = {"border_value", CRN_P_BOOL, NULL, "value outside the array", NULL},
	[DILATE] = {"dilate", CRN_P_BOOL, NULL, "erode the complement, and complement", NULL},
	/* Known while building, so that cost and scratch need not take the structure apart. */
	[SPANS] = {"spans", CRN_P_INT, NULL, "different runs along x in the structure", NULL},
	[ROWS] = {"rows", CRN_P_INT, NULL, "rows of its shapes", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

static crn_window window_of(const crn_node *n)
{
	return crn_window_of(n->args[STRUCTURE].c, &n->args[ORIGIN]);
}

static cairn_status infer(const crn_node *n, crn_type *ret, cairn_error *err)
{
	const crn_type *in = &n->in[0]->type;
	const crn_const *s = n->args[STRUCTURE].c;
	if (in->dtype != CRN_BOOL || s->dtype != CRN_BOOL)
		return crn_fail(err, CAIRN_USAGE, "binary_pass: a bool array and a bool structure");
	CRN_TRY(crn_window_check(s, &n->args[ORIGIN], in->ndim, "binary morphology", err));
	*ret = crn_type_with_dtype(in, CRN_BOOL);
	return CAIRN_OK;
}

static void need(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	(void)input;
	crn_window w = window_of(n);
	crn_window_need(&w, out, &ret->region);
	ret->border = CRN_BORDER_CONSTANT;
	ret->cval = crn_elem_from_int(CRN_BOOL, n->args[BORDER].b);
}

/* ---- memory ---- */

/* Input rows packed at a time: a multiple of every vector's words, short enough for the L1. */
enum { BLOCK_ROWS = 8 };
/* What a band should need at most while one input plane is worked on: half of a usual L2. */
enum { BAND_BYTES = 512 << 10 };

/* Extents of a call, and where everything lies in its scratch. Rows have row_words everywhere. */
typedef struct layout {
	int64_t size_y, size_z;      /* of the structure; z: planes */
	int64_t step[CRN_MAX_NDIM];  /* from one output to the next, in input elements */
	int64_t step_y;              /* of the axis before x */
	int64_t out_y, out_z;        /* rows per plane and planes of the output */
	int64_t in_words, out_words; /* of rows of the input and the output */
	int64_t row_words;           /* from row to row of spans and outputs */
	int64_t band_y;              /* output rows of a band */
	int64_t span_words;          /* from one span's plane to the next */
	size_t links, targets, block, spans, acc, total; /* byte positions; offsets are at 0 */
} layout;

static size_t aligned(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

/* Rows of a few words are whole vectors and start on their boundaries. */
static int64_t padded_words(int64_t n)
{
	return n <= 2 ? n : (n + 3) & ~(int64_t)3;
}

/* Rows of a band: its spans and the output planes that one input plane reaches stay in cache. */
static int64_t band_rows(const layout *l, int64_t n_spans)
{
	int64_t rows = (BAND_BYTES / (l->row_words * 8) - n_spans * l->size_y) /
		       (n_spans * l->step_y + l->size_z);
	rows = rows > 2 * l->size_y ? rows : 2 * l->size_y;
	rows = rows > BLOCK_ROWS ? rows : BLOCK_ROWS;
	return rows < l->out_y ? rows : l->out_y;
}

/* phase: bit of a row's first element; 63 needs most. */
static layout layout_of(const crn_node *n, const crn_region *out, int phase)
{
	crn_window w = window_of(n);
	crn_region in;
	crn_window_need(&w, out, &in);
	const int x = w.ndim - 1, y = w.ndim - 2;
	const int64_t n_spans = n->args[SPANS].i, out_bits = in.n[x] - w.size[x] + 1;
	layout l = {.size_y = 1, .size_z = 1, .step_y = 1, .out_y = 1, .out_z = 1};
	for (int d = 0; d < w.ndim; d++)
		l.step[d] = w.size[d] > 1 && out->n[d] > 1 ? out->step[d] : 1;
	for (int d = 0; d < y; d++) {
		l.size_z *= w.size[d];
		l.out_z *= out->n[d];
	}
	if (y >= 0) {
		l.size_y = w.size[y];
		l.step_y = l.step[y];
		l.out_y = out->n[y];
	}
	l.row_words = padded_words(crn_bits_words(63, out_bits));
	l.band_y = band_rows(&l, n_spans);
	l.out_words = crn_bits_words(phase, out_bits);
	l.row_words = padded_words(l.out_words);
	l.in_words = crn_bits_words(phase, in.n[x]);
	/* An odd number of cache lines: planes do not fall on the same sets. */
	int64_t lines = (((l.band_y - 1) * l.step_y + l.size_y) * l.row_words + 7) / 8;
	l.span_words = (lines | 1) * 8;
	/* Shifts read on behind the block by the length of a span and a vector. */
	int64_t block_words = BLOCK_ROWS * l.in_words + w.size[x] / 64 + 1 + 8;
	l.links = aligned((size_t)n->args[ROWS].i * sizeof(int64_t));
	l.targets = l.links + aligned((size_t)l.size_z * sizeof(crn_bit_link));
	l.block = l.targets + aligned((size_t)l.size_z * sizeof(uint64_t *));
	l.spans = l.block + aligned((size_t)block_words * 8);
	l.acc = l.spans + (size_t)(n_spans * l.span_words) * 8;
	l.total = l.acc + aligned((size_t)(l.out_z * l.band_y * l.row_words) * 8);
	return l;
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	/* Regions of one size need the same, wherever they are. */
	return layout_of(n, out, 63).total;
}

/* ns per voxel, measured with AVX-512 on rows of 512 voxels. */
static double cost(const crn_node *n)
{
	return 0.12 + 0.012 * (double)n->args[SPANS].i + 0.0021 * (double)n->args[ROWS].i;
}

/* Every plane that an output reads has its disks made, those at the ends of a region only some. */
static double overlap(const crn_node *n, const crn_region *out)
{
	crn_window w = window_of(n);
	double times = 1;
	for (int d = 0; d + 2 < w.ndim; d++)
		times *=
			1 + 0.6 * (double)(w.size[d] - 1) / (double)(out->n[d] > 0 ? out->n[d] : 1);
	return times;
}

/* ---- computing ---- */

typedef struct bound {
	const crn_bitmask_kernels *kernels;
	crn_mask_shapes *shapes;
} bound;

static cairn_status bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	bound *b = crn_calloc(1, sizeof(*b));
	if (!b)
		return crn_fail_memory(err, "an erosion", sizeof(*b));
	b->kernels = CRN_ISA_PICK(crn_bitmask_table, isa);
	cairn_status status = crn_mask_shapes_new(n->args[STRUCTURE].c, &b->shapes, err);
	if (status != CAIRN_OK) {
		crn_free(b);
		return status;
	}
	ret->data = b;
	return CAIRN_OK;
}

static void unbind(crn_bound *b)
{
	bound *data = b->data;
	if (data)
		crn_mask_shapes_free(data->shapes);
	crn_free(data);
	b->data = NULL;
}

/* A call at work on one band. */
typedef struct work {
	const crn_call *call;
	const bound *b;
	layout l;
	uint64_t flip;   /* dilation: all ones */
	int64_t y0, n_y; /* output rows of the band */
	int phase;       /* bit of a row's first element */
	int64_t *offset; /* per row of the shapes */
	crn_bit_link *links;
	uint64_t **targets;
	uint64_t *block, *spans, *acc;
} work;

static work work_of(const crn_call *call)
{
	work w = {.call = call, .b = call->bound};
	/* That of the output if it is bits (core/bits.h): then nothing is shifted at the end. */
	w.phase = (int)(call->out_region.lo[call->out_region.ndim - 1] & 63);
	w.l = layout_of(call->node, &call->out_region, w.phase);
	char *memory = call->scratch;
	w.flip = call->node->args[DILATE].b ? ~(uint64_t)0 : 0;
	w.offset = (int64_t *)memory;
	w.links = (crn_bit_link *)(memory + w.l.links);
	w.targets = (uint64_t **)(memory + w.l.targets);
	w.block = (uint64_t *)(memory + w.l.block);
	w.spans = (uint64_t *)(memory + w.l.spans);
	w.acc = (uint64_t *)(memory + w.l.acc);
	return w;
}

/* Input row `at` (a view's address) as words from w->phase on, flipped for dilations. */
static void load_row(const work *w, const void *at, int64_t n, uint64_t *to)
{
	const crn_view *in = &w->call->in[0];
	if (!in->bits) {
		w->b->kernels->bits.pack(at, n, w->flip, to, w->phase);
		return;
	}
	crn_bits_copy_row(at, in->first_bit, n, to, w->phase);
	for (int64_t i = 0; w->flip && i < crn_bits_words(w->phase, n); i++)
		to[i] = ~to[i];
}

/* n input rows of a plane, from row y of the band on: packed, then one row per span. */
static void make_spans(work *w, const char *plane, int64_t y, int64_t n)
{
	const crn_view *in = &w->call->in[0];
	const crn_mask_shapes *s = w->b->shapes;
	const int64_t n_words = n * w->l.in_words;
	const crn_bit_rows block = {.words = w->block,
		.n_rows = n,
		.n_words = w->l.out_words,
		.stride = w->l.in_words,
		.out_stride = w->l.row_words};
	const int64_t stride = in->ndim > 1 ? in->stride[in->ndim - 2] : 0;
	plane += (w->y0 * w->l.step_y + y) * stride;
	for (int64_t i = 0; i < n; i++)
		load_row(w, plane + i * stride, in->shape[in->ndim - 1],
			w->block + i * w->l.in_words);
	int64_t level = 1; /* the block holds runs of this length, a power of two */
	for (int k = 0; k < s->n_spans; k++) {
		const crn_mask_span *span = &s->spans[k];
		for (; 2 * level <= span->length; level *= 2)
			w->b->kernels->and_shifted(w->block, n_words, level);
		w->b->kernels->and_pair(&block, span->start, span->start + span->length - level,
			w->spans + k * w->l.span_words + y * w->l.row_words);
	}
}

/* Which output planes an input plane reaches, and as which shape: links and targets. `at`: index
 * of the input plane. Returns the number of links that matter. */
static int aim(work *w, const int64_t *at)
{
	const crn_mask_shapes *s = w->b->shapes;
	const crn_const *structure = w->call->node->args[STRUCTURE].c;
	const int64_t *n_out = w->call->out_region.n;
	const int n_lead = structure->ndim > 2 ? structure->ndim - 2 : 0;
	int n_targets = 0, used = 0;
	for (int k = 0; k < s->n_shapes; k++) {
		const crn_mask_shape *shape = &s->shapes[k];
		const int before = n_targets;
		for (int p = 0; p < shape->n_planes; p++) {
			int64_t idx[CRN_MAX_NDIM], to = 0;
			crn_unravel(
				s->planes[shape->first_plane + p], n_lead, structure->shape, idx);
			bool reached = true;
			for (int d = 0; d < n_lead; d++) {
				int64_t from = at[d] - idx[d], step = w->l.step[d];
				reached = reached && from >= 0 && from % step == 0 &&
					  from / step < n_out[d];
				to = to * n_out[d] + from / step;
			}
			if (reached)
				w->targets[n_targets++] =
					w->acc + to * w->l.band_y * w->l.row_words;
		}
		w->links[k] = (crn_bit_link){
			.n_rows = shape->n, .n_targets = n_targets - before, .fresh = shape->fresh};
		if (n_targets > before)
			used = k + 1;
	}
	return used;
}

/* Output rows [from, to) of the band, whose spans are ready. */
static void intersect(const work *w, const crn_bit_chain *chain, int64_t from, int64_t to)
{
	const int64_t row_words = w->l.row_words, together = w->l.step_y == 1 ? to - from : 1;
	for (int64_t i = from; i < to; i += together)
		w->b->kernels->and_chain(chain, w->spans + i * w->l.step_y * row_words,
			i * row_words, together * row_words);
}

/* One input plane: adds its part to every output plane of the band that it reaches. */
static void do_plane(work *w, const char *plane, const int64_t *at)
{
	crn_bit_chain chain = {.links = w->links, .offset = w->offset, .target = w->targets};
	chain.n_links = aim(w, at);
	if (chain.n_links == 0)
		return;
	const int64_t n_in = (w->n_y - 1) * w->l.step_y + w->l.size_y;
	int64_t done = 0;
	for (int64_t i = 0; i < n_in; i += BLOCK_ROWS) {
		int64_t ready = i + BLOCK_ROWS < n_in ? i + BLOCK_ROWS : n_in;
		make_spans(w, plane, i, ready - i);
		if (ready < w->l.size_y)
			continue;
		int64_t can = (ready - w->l.size_y) / w->l.step_y + 1;
		intersect(w, &chain, done, can);
		done = can;
	}
}

/* Keeps every step-th bit of a row, at its front. */
static void thin_row(uint64_t *row, int phase, int64_t step, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		crn_bits_fill_row(row + (phase + i) / 64, (int)((phase + i) % 64), 1,
			crn_bits_get(row, phase, i * step));
}

static void store_band(const work *w)
{
	const crn_view *out = &w->call->out;
	const int x = out->ndim - 1;
	crn_view band = *out;
	if (x > 0) {
		band.shape[x - 1] = w->n_y;
		band.data = (char *)out->data + w->y0 * out->stride[x - 1];
	}
	int64_t i = 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, band.ndim, band.shape); !rows.end; crn_rows_next(&rows), i++) {
		int64_t row = i / w->n_y * w->l.band_y + i % w->n_y;
		uint64_t *from = w->acc + row * w->l.row_words;
		void *to = crn_rows_at(&rows, &band);
		if (w->l.step[x] > 1)
			thin_row(from, w->phase, w->l.step[x], rows.n);
		if (!out->bits) {
			w->b->kernels->bits.unpack(from, w->phase, rows.n, w->flip, to);
			continue;
		}
		for (int64_t k = 0; w->flip && k < w->l.out_words; k++)
			from[k] = ~from[k];
		crn_bits_copy_row(from, w->phase, rows.n, to, out->first_bit);
	}
}

static void do_band(work *w)
{
	const crn_view *in = &w->call->in[0];
	memset(w->acc, 0xff, (size_t)(w->l.out_z * w->l.band_y * w->l.row_words) * 8);
	int64_t shape[CRN_MAX_NDIM] = {0};
	for (int d = 0; d < in->ndim; d++)
		shape[d] = d + 2 < in->ndim ? in->shape[d] : 1;
	/* With one element in y and x, every "row" is a plane. */
	crn_rows planes;
	for (crn_rows_begin(&planes, in->ndim, shape); !planes.end; crn_rows_next(&planes))
		do_plane(w, crn_rows_at(&planes, in), planes.idx);
	store_band(w);
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	(void)err;
	if (crn_region_empty(&call->out_region))
		return CAIRN_OK;
	work w = work_of(call);
	const crn_mask_shapes *s = w.b->shapes;
	for (int i = 0; i < s->n_rows; i++)
		w.offset[i] = s->rows[i].span * w.l.span_words + s->rows[i].y * w.l.row_words;
	for (w.y0 = 0; w.y0 < w.l.out_y; w.y0 += w.n_y) {
		w.n_y = w.l.band_y < w.l.out_y - w.y0 ? w.l.band_y : w.l.out_y - w.y0;
		do_band(&w);
	}
	return CAIRN_OK;
}

/* ---- building ---- */

static cairn_status build_pass(crn_graph *g, crn_node *mask, crn_const *structure,
	const int64_t *origin, const bool border_dilate[2], crn_node **ret, cairn_error *err)
{
	CRN_VALUE shifts = {0};
	crn_mask_shapes *shapes = NULL;
	CRN_TRY(crn_value_ints(origin, structure->ndim, &shifts, err));
	CRN_TRY(crn_mask_shapes_new(structure, &shapes, err));
	crn_value args[] = {
		[INPUT] = {.kind = CRN_V_NODE, .node = mask},
		[STRUCTURE] = {.kind = CRN_V_CONST, .c = structure},
		[ORIGIN] = shifts,
		[BORDER] = crn_value_bool(border_dilate[0]),
		[DILATE] = crn_value_bool(border_dilate[1]),
		[SPANS] = crn_value_int(shapes->n_spans),
		[ROWS] = crn_value_int(shapes->n_rows),
	};
	crn_mask_shapes_free(shapes);
	return crn_node_new(g, &crn_op_binary_pass, args, ret, err);
}

cairn_status crn_build_erosion(crn_graph *g, crn_node *mask, const crn_const *structure,
	const int64_t *origin, bool border_value, crn_node **ret, cairn_error *err)
{
	return build_pass(
		g, mask, (crn_const *)structure, origin, (bool[]){border_value, false}, ret, err);
}

cairn_status crn_build_dilation(crn_graph *g, crn_node *mask, const crn_const *structure,
	const int64_t *origin, bool border_value, crn_node **ret, cairn_error *err)
{
	crn_const *reversed = NULL;
	CRN_TRY(crn_const_reversed(structure, &reversed, err));
	CRN_VALUE keeps = crn_value_const(reversed);
	int64_t shift[CRN_MAX_NDIM];
	for (int d = 0; d < structure->ndim; d++)
		shift[d] = -origin[d] - (structure->shape[d] % 2 == 0);
	return build_pass(g, mask, keeps.c, shift, (bool[]){border_value, true}, ret, err);
}

const crn_op crn_op_binary_pass = {
	.name = "binary_pass",
	.category = "morphology",
	.summary = "Erodes or dilates a mask by a structuring element.",
	.source = "scipy.ndimage.binary_erosion",
	.kind = CRN_STENCIL,
	.internal = true,
	.takes_bits = true,
	.gives_bits = true,
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = need,
	.cost = cost,
	.overlap = overlap,
	.scratch = scratch,
	.bind = bind,
	.unbind = unbind,
	.compute = compute,
};

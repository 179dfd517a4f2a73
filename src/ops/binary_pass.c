/* SPDX-License-Identifier: Apache-2.0
 *
 * binary_pass.c -- internal op: erosion of a mask by any structure, on bit-packed rows.
 *
 * The structure is cut into runs along x. All rows of a run with the same start and length see the
 *same bits, "are all voxels of this run set", which is made once for the whole region by doubling:
 *
 *	bytes ── pack ── words ── AND with itself shifted by 1, 2, 4, ... ── run bits
 *	                                                  acc &= run bits of each structure row
 *	acc ── unpack ── bytes
 *
 * so a ball of 7153 voxels costs one AND per structure row (about 490) for 64 voxels or more.
 * Dilation is the erosion of the complement; packing and unpacking flip the bits on the way.
 *
 * Memory: three bit buffers of the input region, about 3/8 byte per voxel of it.
 * Why not thresholds on a distance transform: exact too, but only for balls, and slower up to r
 *= 40.
 */
#include "ops/binary_pass.h"

#include "base/mem.h"
#include "kernels/bitmask.h"
#include "ops/filter_window.h"

#include <stdlib.h>
#include <string.h>

extern const crn_op crn_op_binary_pass;

enum { INPUT, STRUCTURE, ORIGIN, BORDER, DILATE };

static const crn_param params[] = {
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "bool array", NULL},
	[STRUCTURE] = {"structure", CRN_P_CONST, NULL, "bool, as many axes as the input", NULL},
	[ORIGIN] = {"origin", CRN_P_INTS, NULL, "shift of the structure per axis", NULL},
	[BORDER] = {"border_value", CRN_P_BOOL, NULL, "value outside the array", NULL},
	[DILATE] = {"dilate", CRN_P_BOOL, NULL, "erode the complement, and complement", NULL},
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

/* ---- runs of the structure ---- */

typedef struct run {
	int64_t start, length; /* along x, in the structure */
	int64_t row;           /* C-order index of the structure row */
} run;

static int64_t n_runs_of(const crn_const *s)
{
	const unsigned char *p = s->data;
	int64_t x = s->shape[s->ndim - 1], count = crn_const_count(s), n = 0;
	for (int64_t i = 0; i < count; i++)
		n += p[i] && (i % x == 0 || !p[i - 1]);
	return n;
}

static int by_length(const void *a, const void *b)
{
	const run *p = a, *q = b;
	if (p->length != q->length)
		return p->length < q->length ? -1 : 1;
	if (p->start != q->start)
		return p->start < q->start ? -1 : 1;
	return p->row < q->row ? -1 : p->row > q->row;
}

/* Runs in order of length, then start: equal ones stand together. */
static void fill_runs(const crn_const *s, run *runs)
{
	const unsigned char *p = s->data;
	int64_t x = s->shape[s->ndim - 1], count = crn_const_count(s), n = 0;
	for (int64_t i = 0; i < count; i++) {
		if (!p[i])
			continue;
		if (i % x == 0 || !p[i - 1])
			runs[n++] = (run){.start = i % x, .row = i / x};
		runs[n - 1].length++;
	}
	qsort(runs, (size_t)n, sizeof(*runs), by_length);
}

/* ---- memory ---- */

/* Where everything lies in the scratch of a call. */
typedef struct layout {
	int64_t row_words; /* of input, run and accumulator rows alike */
	int64_t in_rows, out_rows;
	size_t offsets, bits, run_bits, acc, total; /* byte positions */
} layout;

static layout layout_of(const crn_node *n, const crn_region *out)
{
	crn_window w = window_of(n);
	crn_region in;
	crn_window_need(&w, out, &in);
	int x = w.ndim - 1;
	layout l = {.in_rows = 1, .out_rows = 1};
	for (int d = 0; d < x; d++) {
		l.in_rows *= in.n[d];
		l.out_rows *= out->n[d];
	}
	l.row_words = (in.n[x] + 63) / 64;
	/* Shifts read up to a structure's width past the end, and rows of vectors a little more. */
	int64_t pad = w.size[x] / 64 + 2 + 8;
	/* The planner asks often: every second voxel starts a run at most. */
	const crn_const *s = n->args[STRUCTURE].c;
	int64_t taps =
		crn_const_count(s) / s->shape[s->ndim - 1] * ((s->shape[s->ndim - 1] + 1) / 2);
	size_t in_bytes = (size_t)(l.in_rows * l.row_words + pad) * 8;
	l.offsets = 0;
	l.bits = ((size_t)taps * sizeof(ptrdiff_t) + 63) & ~(size_t)63;
	l.run_bits = l.bits + ((in_bytes + 63) & ~(size_t)63);
	l.acc = l.run_bits + ((in_bytes + 63) & ~(size_t)63);
	l.total = l.acc + (size_t)(l.out_rows * l.row_words) * 8;
	return l;
}

static size_t scratch(const crn_node *n, const crn_region *out)
{
	return layout_of(n, out).total;
}

/* ns per voxel, measured with AVX-512 on rows of 400 voxels: bytes to bits and back, and the rows.
 */
static double cost(const crn_node *n)
{
	return 0.25 + 0.0025 * (double)n_runs_of(n->args[STRUCTURE].c);
}

/* ---- computing ---- */

typedef struct bound {
	const crn_bitmask_kernels *kernels;
	int64_t n_runs;
	run runs[];
} bound;

static cairn_status bind(const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err)
{
	const crn_const *s = n->args[STRUCTURE].c;
	int64_t n_runs = n_runs_of(s);
	size_t bytes = sizeof(bound) + (size_t)n_runs * sizeof(run);
	bound *b = crn_alloc(bytes);
	if (!b)
		return crn_fail_memory(err, "the runs of a structuring element", bytes);
	b->kernels = CRN_ISA_PICK(crn_bitmask_table, isa);
	b->n_runs = n_runs;
	fill_runs(s, b->runs);
	ret->data = b;
	return CAIRN_OK;
}

static void pack_input(const crn_call *call, const layout *l, uint64_t *bits)
{
	const bound *b = call->bound;
	uint64_t flip = call->node->args[DILATE].b ? ~(uint64_t)0 : 0;
	crn_rows rows;
	for (crn_rows_begin(&rows, call->in[0].ndim, call->in[0].shape); !rows.end;
		crn_rows_next(&rows)) {
		b->kernels->pack(crn_rows_at(&rows, &call->in[0]), rows.n, flip, bits, 0);
		bits += l->row_words;
	}
}

/* Words from one input row to the next along each axis but x. */
static void row_strides(const crn_call *call, const layout *l, int64_t stride[CRN_MAX_NDIM])
{
	int64_t words = l->row_words;
	for (int d = call->out.ndim - 2; d >= 0; d--) {
		stride[d] = words;
		words *= call->in_region[0].n[d];
	}
}

/* acc &= run bits of the n structure rows with this run. */
static void and_run(const crn_call *call, const layout *l, const run *runs, int64_t n)
{
	const bound *b = call->bound;
	const crn_const *s = call->node->args[STRUCTURE].c;
	char *memory = call->scratch;
	ptrdiff_t *offset = (ptrdiff_t *)(memory + l->offsets);
	uint64_t *acc = (uint64_t *)(memory + l->acc);
	int x = s->ndim - 1;
	int64_t stride[CRN_MAX_NDIM] = {0}, idx[CRN_MAX_NDIM], shape[CRN_MAX_NDIM];
	row_strides(call, l, stride);
	for (int64_t t = 0; t < n; t++) {
		crn_unravel(runs[t].row, x, s->shape, idx);
		offset[t] = 0;
		for (int d = 0; d < x; d++)
			offset[t] += (ptrdiff_t)(idx[d] * stride[d] * 8);
	}
	int64_t step[CRN_MAX_NDIM];
	for (int d = 0; d <= x; d++) {
		shape[d] = call->out_region.n[d];
		step[d] = s->shape[d] > 1 && shape[d] > 1 ? call->out_region.step[d] : 1;
	}
	/* Rows that follow each other in both buffers are one long row. */
	int64_t together = x > 0 && step[x - 1] == 1 ? shape[x - 1] : 1;
	if (together > 1)
		shape[x - 1] = 1;
	shape[x] = 1;
	crn_rows rows;
	for (crn_rows_begin(&rows, s->ndim, shape); !rows.end; crn_rows_next(&rows)) {
		int64_t at = 0;
		for (int d = 0; d < x; d++)
			at += rows.idx[d] * step[d] * stride[d];
		b->kernels->and_rows(
			memory + l->run_bits + at * 8, offset, n, together * l->row_words, acc);
		acc += together * l->row_words;
	}
}

static void unpack_output(const crn_call *call, const layout *l, const uint64_t *acc)
{
	const bound *b = call->bound;
	uint64_t flip = call->node->args[DILATE].b ? ~(uint64_t)0 : 0;
	const crn_const *s = call->node->args[STRUCTURE].c;
	int x = s->ndim - 1;
	int64_t step = s->shape[x] > 1 ? call->out_region.step[x] : 1;
	crn_rows rows;
	for (crn_rows_begin(&rows, call->out.ndim, call->out.shape); !rows.end;
		crn_rows_next(&rows)) {
		uint8_t *to = crn_rows_at(&rows, &call->out);
		if (step == 1)
			b->kernels->unpack(acc, 0, rows.n, flip, to);
		else
			for (int64_t i = 0; i < rows.n; i++)
				to[i] = (acc[i * step / 64] ^ flip) >> (i * step % 64) & 1;
		acc += l->row_words;
	}
}

static cairn_status compute(const crn_call *call, cairn_error *err)
{
	(void)err;
	const bound *b = call->bound;
	if (crn_region_empty(&call->out_region))
		return CAIRN_OK;
	layout l = layout_of(call->node, &call->out_region);
	char *memory = call->scratch;
	uint64_t *bits = (uint64_t *)(memory + l.bits), *acc = (uint64_t *)(memory + l.acc);
	int64_t n_words = l.in_rows * l.row_words;
	pack_input(call, &l, bits);
	/* The padding is read by shifts, so it must hold something. */
	memset(bits + n_words, 0, l.run_bits - l.bits - (size_t)n_words * 8);
	memset(acc, 0xff, (size_t)(l.out_rows * l.row_words) * 8);
	int64_t level = 1; /* bits hold runs of this length, a power of two */
	for (int64_t i = 0, n; i < b->n_runs; i += n) {
		const run *r = &b->runs[i];
		for (n = 1;
			i + n < b->n_runs && r[n].length == r->length && r[n].start == r->start;)
			n++;
		for (; 2 * level <= r->length; level *= 2)
			b->kernels->and_shifted(bits, n_words, level);
		b->kernels->and_pair(bits, n_words, r->start, r->start + r->length - level,
			(uint64_t *)(memory + l.run_bits));
		and_run(call, &l, r, n);
	}
	unpack_output(call, &l, acc);
	return CAIRN_OK;
}

/* ---- building ---- */

static cairn_status build_pass(crn_graph *g, crn_node *mask, crn_const *structure,
	const int64_t *origin, const bool border_dilate[2], crn_node **ret, cairn_error *err)
{
	CRN_VALUE shifts = {0};
	CRN_TRY(crn_value_ints(origin, structure->ndim, &shifts, err));
	crn_value args[] = {
		[INPUT] = {.kind = CRN_V_NODE, .node = mask},
		[STRUCTURE] = {.kind = CRN_V_CONST, .c = structure},
		[ORIGIN] = shifts,
		[BORDER] = crn_value_bool(border_dilate[0]),
		[DILATE] = crn_value_bool(border_dilate[1]),
	};
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
	.semver = 1,
	.params = params,
	.infer = infer,
	.need = need,
	.cost = cost,
	.scratch = scratch,
	.bind = bind,
	.compute = compute,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * program.c -- the block interpreter. See program.h. Pure function; no allocation.
 */
#include "exec/program.h"

#include <string.h>

typedef struct state {
	const crn_pnode *group;
	const crn_bits_kernels *bits;
	char *regs;                      /* n_regs registers */
	char *blocks;                    /* one gather block per input */
	const char *row[CRN_MAX_INPUTS]; /* input rows */
	int64_t stride[CRN_MAX_INPUTS];  /* along the row, bytes */
	size_t size[CRN_MAX_INPUTS];
	bool fixed[CRN_MAX_INPUTS]; /* one value for the whole region: its block is filled already
				     */
	const crn_view *in;
	uint8_t *packed; /* the block of a mask that becomes bits */
} state;

static void gather(char *to, const char *from, int64_t stride, size_t size, int64_t n)
{
#define GATHER(type) \
	for (int64_t i = 0; i < n; i++) \
	((type *)to)[i] = *(const type *)(from + i * stride)
	switch (size) {
	case 1:
		GATHER(uint8_t);
		break;
	case 2:
		GATHER(uint16_t);
		break;
	case 4:
		GATHER(uint32_t);
		break;
	default:
		GATHER(uint64_t);
		break;
	}
#undef GATHER
}

static const void *unpack_block(const state *s, int k, int64_t at, int64_t n, char *block)
{
	const uint64_t *row = (const uint64_t *)s->row[k];
	int64_t first = s->in[k].first_bit + at;
	s->bits->unpack(row + first / 64, (int)(first % 64), n, 0, (uint8_t *)block);
	return block;
}

/* Input k for elements [at, at + n) of the current row. */
static const void *input_block(state *s, int k, int64_t at, int64_t n)
{
	char *block = s->blocks + (size_t)k * CRN_BLOCK * sizeof(crn_elem);
	if (s->in[k].bits && !s->fixed[k])
		return unpack_block(s, k, at, n, block);
	if (s->stride[k] == (int64_t)s->size[k])
		return s->row[k] + at * s->stride[k];
	/* A value repeated along the row fills its block with the row's first, longest, part. */
	if (!s->fixed[k] && (s->stride[k] != 0 || at == 0))
		gather(block, s->row[k] + at * s->stride[k], s->stride[k], s->size[k], n);
	return block;
}

/* One row; `out` is its first element, or its first word and bit if s->packed. */
static void run_row(state *s, char *out, int first_bit, size_t out_size, int64_t n)
{
	const crn_program *p = &s->group->program;
	for (int64_t at = 0; at < n; at += CRN_BLOCK) {
		int64_t count = n - at < CRN_BLOCK ? n - at : CRN_BLOCK;
		const void *inputs[CRN_MAX_INPUTS];
		for (int k = 0; k < s->group->n_in; k++)
			inputs[k] = input_block(s, k, at, count);
		for (int i = 0; i < p->n_steps; i++) {
			const crn_step *step = &p->steps[i];
			const void *operands[CRN_MAX_INPUTS];
			for (int o = 0; o < step->n_operands; o++)
				operands[o] =
					step->operand[o] >= 0
						? s->regs + (size_t)step->operand[o] * p->reg_bytes
						: inputs[-1 - step->operand[o]];
			void *to = step->reg >= 0 ? s->regs + (size_t)step->reg * p->reg_bytes
				   : s->packed    ? (char *)s->packed
						  : out + at * (int64_t)out_size;
			step->row(step->data, count, to, operands);
		}
		if (s->packed) {
			int64_t first = first_bit + at;
			s->bits->pack(s->packed, count, 0, (uint64_t *)out + first / 64,
				(int)(first % 64));
		}
	}
}

static bool is_one_value(const crn_view *v)
{
	for (int d = 0; d < v->ndim; d++)
		if (v->shape[d] > 1 && v->stride[d] != 0)
			return false;
	return true;
}

void crn_program_run(const crn_pnode *group, const crn_bits_kernels *bits, const crn_view *out,
	const crn_view *in, void *scratch)
{
	state s = {.group = group, .bits = bits, .in = in, .regs = scratch};
	s.blocks = s.regs + (size_t)group->program.n_regs * group->program.reg_bytes;
	if (out->bits)
		s.packed = (uint8_t *)s.blocks + (size_t)group->n_in * CRN_BLOCK * sizeof(crn_elem);
	int x = out->ndim - 1;
	size_t out_size = crn_dtype_size(out->dtype);
	bool flat = crn_view_is_dense(out);
	for (int k = 0; k < group->n_in; k++) {
		s.size[k] = crn_dtype_size(in[k].dtype);
		s.stride[k] = x >= 0 ? in[k].stride[x] : (int64_t)s.size[k];
		s.fixed[k] = is_one_value(&in[k]);
		if (s.fixed[k]) {
			s.stride[k] = 0;
			crn_elem value;
			memcpy(&value, in[k].data, s.size[k]);
			if (in[k].bits)
				value.bytes[0] = crn_bits_get(in[k].data, in[k].first_bit, 0);
			gather(s.blocks + (size_t)k * CRN_BLOCK * sizeof(crn_elem),
				(char *)value.bytes, 0, s.size[k], CRN_BLOCK);
		}
		flat = flat && (s.fixed[k] || crn_view_is_dense(&in[k]));
	}
	if (flat) { /* one long row: short rows would waste blocks */
		int64_t n = 1;
		for (int d = 0; d < out->ndim; d++)
			n *= out->shape[d];
		for (int k = 0; k < group->n_in; k++) {
			s.row[k] = in[k].data;
			s.stride[k] = s.fixed[k] ? 0 : (int64_t)s.size[k];
		}
		run_row(&s, out->data, 0, out_size, n);
		return;
	}
	crn_rows rows;
	for (crn_rows_begin(&rows, out->ndim, out->shape); !rows.end; crn_rows_next(&rows)) {
		for (int k = 0; k < group->n_in; k++)
			s.row[k] = crn_rows_at(&rows, &in[k]);
		run_row(&s, crn_rows_at(&rows, out), out->first_bit, out_size, rows.n);
	}
}

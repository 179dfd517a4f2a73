/* SPDX-License-Identifier: Apache-2.0
 *
 * run_stream.c -- coder of labelled runs. See run_stream.h.
 */
#include "ops/run_stream.h"

#include "base/mem.h"

#include <string.h>

static uint8_t *put(uint8_t *p, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		*p++ = (uint8_t)(v | 128);
	*p++ = (uint8_t)v;
	return p;
}

void crn_segments_done(crn_segments *s, const crn_env *env)
{
	if (s->charged_bytes)
		(void)!env->charge(env->engine, -(int64_t)s->charged_bytes, NULL);
	crn_free(s->of);
	*s = (crn_segments){0};
}

static cairn_status add_segment(
	crn_segments *s, const crn_env *env, crn_segment segment, cairn_error *err)
{
	if (s->n == s->cap) {
		int cap = s->cap ? 2 * s->cap : 4;
		size_t more = (size_t)(cap - s->cap) * sizeof(*s->of);
		CRN_TRY(env->charge(env->engine, (int64_t)more, err));
		s->charged_bytes += more;
		crn_segment *of = crn_realloc_array(s->of, (size_t)cap, sizeof(*of));
		if (!of)
			return crn_fail_memory(err, "the table of runs", more);
		s->of = of;
		s->cap = cap;
	}
	s->of[s->n++] = segment;
	return CAIRN_OK;
}

cairn_status crn_run_writer_flush(crn_run_writer *w, cairn_error *err)
{
	if (w->used == 0)
		return CAIRN_OK;
	crn_segment s = {.size_bytes = w->used, .first_row = w->first_row};
	CRN_TRY(w->env->spill(w->env->engine, w->buffer, w->used, &s.offset, err));
	CRN_TRY(add_segment(w->segments, w->env, s, err));
	w->used = 0;
	return CAIRN_OK;
}

cairn_status crn_run_writer_row(crn_run_writer *w, int64_t row, int64_t n_runs,
	const uint32_t *pairs, const uint32_t *component, cairn_error *err)
{
	if (w->used >= CRN_RUN_SEGMENT_BYTES)
		CRN_TRY(crn_run_writer_flush(w, err));
	if (w->used == 0) {
		w->first_row = row;
		w->last_component = 0;
	}
	uint8_t *p = put(w->buffer + w->used, (uint64_t)n_runs);
	uint32_t end = 0, last = w->last_component;
	for (int64_t i = 0; i < n_runs; i++) {
		uint32_t c = component[i];
		int64_t delta = (int64_t)c - last;
		p = put(p, pairs[2 * i] - end);
		p = put(p, pairs[2 * i + 1] - pairs[2 * i]);
		p = put(p, ((uint64_t)delta << 1) ^ (uint64_t)(delta >> 63));
		end = pairs[2 * i + 1];
		last = c;
	}
	w->last_component = last;
	w->used = (size_t)(p - w->buffer);
	return CAIRN_OK;
}

void crn_run_reader_open(
	crn_run_reader *r, const crn_env *env, const crn_segment *s, uint8_t *buffer)
{
	*r = (crn_run_reader){
		.env = env, .offset = s->offset, .left = s->size_bytes, .buffer = buffer};
}

/* Makes the next 15 bytes available, or all that are left. */
static inline cairn_status fill(crn_run_reader *r, cairn_error *err)
{
	if (__builtin_expect(r->n - r->pos >= 15 || r->left == 0, 1))
		return CAIRN_OK;
	memmove(r->buffer, r->buffer + r->pos, r->n - r->pos);
	r->n -= r->pos;
	r->pos = 0;
	size_t room = CRN_RUN_READER_BYTES - r->n, k = r->left < room ? (size_t)r->left : room;
	CRN_TRY(r->env->unspill(r->env->engine, r->offset, r->buffer + r->n, k, err));
	r->offset += k;
	r->left -= k;
	r->n += k;
	return CAIRN_OK;
}

/* Never reads behind the buffer, whatever the scratch file holds. */
static inline uint64_t get(crn_run_reader *r)
{
	uint64_t v = 0;
	for (int shift = 0; shift < 64 && r->pos < r->n; shift += 7) {
		uint8_t b = r->buffer[r->pos++];
		v |= (uint64_t)(b & 127) << shift;
		if (b < 128)
			break;
	}
	return v;
}

cairn_status crn_run_reader_row(crn_run_reader *r, int64_t *ret_n_runs, cairn_error *err)
{
	CRN_TRY(fill(r, err));
	r->end = 0;
	*ret_n_runs = (int64_t)get(r);
	return CAIRN_OK;
}

cairn_status crn_run_reader_run(crn_run_reader *r, uint32_t *ret_start, uint32_t *ret_end,
	uint32_t *ret_component, cairn_error *err)
{
	CRN_TRY(fill(r, err));
	uint32_t start = r->end + (uint32_t)get(r), end = start + (uint32_t)get(r);
	uint64_t code = get(r);
	r->component += (uint32_t)((code >> 1) ^ -(code & 1));
	r->end = end;
	*ret_start = start;
	*ret_end = end;
	*ret_component = r->component;
	return CAIRN_OK;
}

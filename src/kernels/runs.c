/* SPDX-License-Identifier: Apache-2.0
 *
 * runs.c -- packing rows of any dtype to bits; runs that touch; painting runs. See runs.h.
 *
 * Wider elements are first compared into 64 bytes of 0 or 1 (a loop gcc vectorises), then bytes
 * become bits by movemask; the C form, eight bytes by one multiplication, is the reference.
 */
#include "kernels/runs.h"

#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* 64 bytes, each 0 or not, to 64 bits. */
static inline uint64_t pack_64(const uint8_t *v)
{
	uint64_t bits = 0;
#if defined(__AVX2__)
	for (int k = 0; k < 2; k++) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(v + 32 * k));
		x = _mm256_cmpeq_epi8(x, _mm256_setzero_si256());
		bits |= (uint64_t)(uint32_t)~_mm256_movemask_epi8(x) << (32 * k);
	}
#elif defined(__SSE2__)
	for (int k = 0; k < 4; k++) {
		__m128i x = _mm_loadu_si128((const __m128i *)(v + 16 * k));
		x = _mm_cmpeq_epi8(x, _mm_setzero_si128());
		bits |= (uint64_t)(uint16_t)~_mm_movemask_epi8(x) << (16 * k);
	}
#else
	for (int k = 0; k < 8; k++) {
		const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
		uint64_t x;
		memcpy(&x, v + 8 * k, sizeof(x));
		x = ((((x & low7) + low7) | x) >> 7) & 0x0101010101010101;
		bits |= ((x * 0x0102040810204080) >> 56) << (8 * k);
	}
#endif
	return bits;
}

#define DEFINE_PACK(ID, type, name, kind) \
	static void pack_##ID(const void *row, int64_t n, uint64_t *bits) \
	{ \
		const type *v = row; \
		int64_t i = 0; \
		for (; i + 64 <= n; i += 64) { \
			uint8_t set[64]; \
			for (int k = 0; k < 64; k++) \
				set[k] = v[i + k] != 0; \
			*bits++ = pack_64(set); \
		} \
		if (i < n) { \
			uint8_t set[64] = {0}; \
			for (int k = 0; i + k < n; k++) \
				set[k] = v[i + k] != 0; \
			*bits = pack_64(set); \
		} \
	}
CRN_DTYPES(DEFINE_PACK)

/* Not __builtin_popcountll: without the instruction gcc calls a function that looks bytes up. */
static inline uint32_t count_bits(uint64_t v)
{
#if defined(__POPCNT__)
	return (uint32_t)__builtin_popcountll(v);
#else
	v -= (v >> 1) & 0x5555555555555555;
	v = (v & 0x3333333333333333) + ((v >> 2) & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (uint32_t)((v * 0x0101010101010101) >> 56);
#endif
}

static uint32_t first_runs(const uint64_t *bits, int64_t n_words, bool before, bool singles,
	uint32_t number, uint32_t *first)
{
	uint64_t carry = before;
	for (int64_t w = 0; w < n_words; w++) {
		uint64_t v = bits[w];
		first[w] = number;
		number += count_bits(singles ? v : v & ~(v << 1 | carry));
		carry = v >> 63;
	}
	return number;
}

/* Bits at or just after a set bit of the row: where a pair can touch through it. */
static inline uint64_t reach(const uint64_t *row, int64_t w)
{
	return row ? row[w] | row[w] << 1 | (w > 0 ? row[w - 1] >> 63 : 0) : 0;
}

/* A pair is reported once, where the later of its runs starts (WIDE), or where its first common
 * position is (others, b shifted so that touching positions coincide). `how` and `singles` are
 * constants of the callers. */
static inline __attribute__((always_inline)) int64_t touching_as(
	const crn_touch_rows *r, uint32_t *pairs, crn_touch how, bool singles)
{
	uint32_t *to = pairs;
	uint64_t before_a = r->a_before, before_b = r->b_before, before_both = 0;
	if (how == CRN_TOUCH_SAME)
		before_both = before_a & before_b;
	if (how == CRN_TOUCH_AFTER && r->n_words > 0)
		before_both = before_a & r->b[0] & 1;
	for (int64_t w = 0; w < r->n_words; w++) {
		uint64_t a = r->a[w], b = r->b[w];
		uint64_t a1 = a << 1 | before_a, b1 = b << 1 | before_b, at, skip = 0;
		uint64_t start_a = singles ? a : a & ~a1, start_b = singles ? b : b & ~b1;
		uint32_t n_b = r->first_b[w] - 1;
		if (how == CRN_TOUCH_WIDE) {
			at = (start_b & (a | a1)) | (start_a & (b | b1));
		} else {
			uint64_t moved = b;
			if (how == CRN_TOUCH_BEFORE) {
				moved = b1;
				start_b <<= 1;
			} else if (how == CRN_TOUCH_AFTER) {
				uint64_t next = w + 1 < r->n_words ? r->b[w + 1] & 1 : r->b_after;
				uint64_t next_starts = next & (singles | !(b >> 63));
				moved = b >> 1 | next << 63;
				n_b += (uint32_t)(start_b & 1);
				start_b = start_b >> 1 | next_starts << 63;
			}
			uint64_t both = a & moved;
			at = singles ? both : both & ~(both << 1 | before_both);
			before_both = both >> 63;
		}
		if (r->skip[0])
			skip = reach(r->skip[0], w) | reach(r->skip[1], w);
		if (r->square[0])
			skip |= r->square[0][w] & r->square[1][w];
		for (at &= ~skip; at; at &= at - 1) {
			uint64_t upto = at ^ (at - 1);
			*to++ = r->first_a[w] - 1 + count_bits(start_a & upto);
			*to++ = n_b + count_bits(start_b & upto);
		}
		before_a = a >> 63;
		before_b = b >> 63;
	}
	return (to - pairs) / 2;
}

static int64_t touching(const crn_touch_rows *r, uint32_t *pairs)
{
	if (r->how == CRN_TOUCH_WIDE && !r->singles)
		return touching_as(r, pairs, CRN_TOUCH_WIDE, false);
	if (r->how == CRN_TOUCH_SAME && !r->singles)
		return touching_as(r, pairs, CRN_TOUCH_SAME, false);
	return touching_as(r, pairs, r->how, r->singles);
}

/* Set bits of v become id, in 64 elements that are zero or, with `more`, already hold others. */
#define DEFINE_SPREAD(type, n_lanes, ...) \
	typedef type lanes_##type \
		__attribute__((vector_size(n_lanes * sizeof(type)), aligned(1))); \
	static inline void spread_##type(type *out, uint64_t v, type id, bool more) \
	{ \
		const lanes_##type bit = {__VA_ARGS__}; \
		lanes_##type *to = (lanes_##type *)out; \
		for (int k = 0; k < 64 / n_lanes; k++, v >>= n_lanes) { \
			lanes_##type set = (lanes_##type)((((type)v & bit) == bit)) & id; \
			to[k] = more ? to[k] | set : set; \
		} \
	}
DEFINE_SPREAD(uint8_t, 8, 1, 2, 4, 8, 16, 32, 64, 128)
DEFINE_SPREAD(
	uint16_t, 16, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
DEFINE_SPREAD(
	uint32_t, 16, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
DEFINE_SPREAD(uint64_t, 8, 1, 2, 4, 8, 16, 32, 64, 128)

/* Words with many runs are painted voxel by voxel without branches, others run by run. */
#define MANY_RUNS 6

/* The bits of the run that the lowest set bit of v belongs to. */
static inline uint64_t lowest_run(uint64_t v, bool singles)
{
	return singles ? v & -v : v & ~(v + (v & -v));
}

#define DEFINE_PAINT(type) \
	static void paint_##type(const crn_paint_row *p) \
	{ \
		const uint32_t *id = p->ids; \
		type *out = p->out; \
		uint64_t carry = p->before; \
		for (int64_t w = 0; w < p->n_words; w++, out += 64) { \
			uint64_t v = p->bits[w]; \
			uint64_t start = p->singles ? v : v & ~(v << 1 | carry); \
			uint32_t n = count_bits(start); \
			uint32_t first = 1 - (uint32_t)(~start & v & 1); \
			if (n > MANY_RUNS) { \
				uint32_t k = 0; \
				for (int x = 0; x < 64; x++) { \
					k += start >> x & 1; \
					out[x] = (type)(id[k] & -(uint32_t)(v >> x & 1)); \
				} \
			} else { \
				uint64_t run = lowest_run(v, p->singles); \
				spread_##type(out, run, v ? (type)id[first] : 0, false); \
				for (v ^= run; v; v ^= run) { \
					run = lowest_run(v, p->singles); \
					spread_##type(out, run, (type)id[++first], true); \
				} \
			} \
			id += n; \
			carry = p->bits[w] >> 63; \
		} \
	}
DEFINE_PAINT(uint8_t)
DEFINE_PAINT(uint16_t)
DEFINE_PAINT(uint32_t)
DEFINE_PAINT(uint64_t)

const crn_run_kernels CRN_ISA_NAME(crn_run_kernels) = {
#define ENTRY(ID, type, name, kind) [CRN_##ID] = pack_##ID,
	.nonzero = {CRN_DTYPES(ENTRY)},
#undef ENTRY
	.first_runs = first_runs,
	.touching = touching,
	.paint = {paint_uint8_t, paint_uint16_t, paint_uint32_t, paint_uint64_t},
};

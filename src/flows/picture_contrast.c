/* SPDX-License-Identifier: Apache-2.0
 *
 * picture_contrast.c -- which values become black and white.
 *
 * Percentiles of 8- and 16-bit blocks come from a full table of counts; other types are sampled at
 * a regular step and sorted: a picture needs a contrast, not a statistic.
 */
#include "flows/picture.h"

#include "base/mem.h"
#include "flows/picture_block.h"

#include <math.h>
#include <stdlib.h>

#define MAX_SAMPLES ((int64_t)1 << 20)

crn_contrast crn_contrast_minmax(const crn_block *b)
{
	if (b->pixel == CRN_PIXEL_BOOL)
		return (crn_contrast){0, 1};
	double low = INFINITY, high = -INFINITY;
	int64_t n = crn_block_count(b);
	for (int64_t i = 0; i < n; i++) {
		double v = crn_block_value(b, i);
		if (!isfinite(v))
			continue;
		low = v < low ? v : low;
		high = v > high ? v : high;
	}
	return low <= high ? (crn_contrast){low, high} : (crn_contrast){0, 1};
}

/* Index of the value at a percentile among n sorted ones: the nearest rank. */
static int64_t rank_of(double percent, int64_t n)
{
	double p = percent < 0 ? 0 : percent > 100 ? 100 : percent;
	return (int64_t)rint(p / 100 * (double)(n - 1));
}

static double value_at_rank(const int64_t *counts, int64_t rank)
{
	int64_t value = 0;
	for (int64_t below = counts[0]; below <= rank; below += counts[value])
		value++;
	return (double)value;
}

/* `offset` makes signed values table indices. */
static cairn_status percentiles_by_table(const crn_block *b, double low_percent,
	double high_percent, int64_t offset, crn_contrast *ret, cairn_error *err)
{
	enum { N_VALUES = 65536 };
	CRN_FREE int64_t *counts = crn_calloc(N_VALUES, sizeof(*counts));
	if (!counts)
		return crn_fail_memory(err, "contrast", N_VALUES * sizeof(*counts));
	int64_t n = crn_block_count(b);
	for (int64_t i = 0; i < n; i++)
		counts[(int64_t)crn_block_value(b, i) + offset]++;
	ret->low = value_at_rank(counts, rank_of(low_percent, n)) - (double)offset;
	ret->high = value_at_rank(counts, rank_of(high_percent, n)) - (double)offset;
	return CAIRN_OK;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static cairn_status percentiles_by_sample(const crn_block *b, double low_percent,
	double high_percent, crn_contrast *ret, cairn_error *err)
{
	int64_t n = crn_block_count(b);
	int64_t step = (n + MAX_SAMPLES - 1) / MAX_SAMPLES;
	/* An even step would walk down a few columns of the usual power-of-two image only. */
	if (step > 1 && step % 2 == 0)
		step++;
	size_t size_bytes = (size_t)(n / step + 1) * sizeof(double);
	CRN_FREE double *sample = crn_alloc(size_bytes);
	if (!sample)
		return crn_fail_memory(err, "contrast", size_bytes);
	int64_t n_sample = 0;
	for (int64_t i = 0; i < n; i += step) {
		double v = crn_block_value(b, i);
		if (isfinite(v))
			sample[n_sample++] = v;
	}
	if (n_sample == 0) {
		*ret = (crn_contrast){0, 1};
		return CAIRN_OK;
	}
	qsort(sample, (size_t)n_sample, sizeof(double), compare_doubles);
	ret->low = sample[rank_of(low_percent, n_sample)];
	ret->high = sample[rank_of(high_percent, n_sample)];
	return CAIRN_OK;
}

cairn_status crn_contrast_percentiles(const crn_block *b, double low_percent, double high_percent,
	crn_contrast *ret, cairn_error *err)
{
	crn_contrast c = {0, 1};
	if (crn_block_count(b) == 0 || b->pixel == CRN_PIXEL_BOOL) {
		*ret = c;
		return CAIRN_OK;
	}
	switch (b->pixel) {
	case CRN_PIXEL_U8:
	case CRN_PIXEL_U16:
		CRN_TRY(percentiles_by_table(b, low_percent, high_percent, 0, &c, err));
		break;
	case CRN_PIXEL_I8:
	case CRN_PIXEL_I16:
		CRN_TRY(percentiles_by_table(b, low_percent, high_percent, 32768, &c, err));
		break;
	default:
		CRN_TRY(percentiles_by_sample(b, low_percent, high_percent, &c, err));
	}
	if (!(c.high > c.low))
		c = crn_contrast_minmax(b);
	*ret = c;
	return CAIRN_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * picture_plot.c -- the histogram plot and the scale bar.
 */
#include "flows/picture.h"

#include "base/str.h"

#include <math.h>

enum {
	WHITE = 0xffffff,
	INK = 0x303030,
	FAINT = 0xe4e4e4,
	BAR = 0x3b6ea5,
	TEXT_HEIGHT = 7,
	MARGIN_LEFT = 76,
	MARGIN_RIGHT = 24,
	MARGIN_TOP = 28,
	MARGIN_BOTTOM = 44,
};

/* The largest of 1, 2, 5 x 10^n that is <= v; v > 0. Powers of ten are built by multiplication, so
 * the step does not depend on the C library. */
static double round_step(double v)
{
	double ten = 1;
	while (ten * 10 <= v)
		ten *= 10;
	while (ten > v)
		ten /= 10;
	return 5 * ten <= v ? 5 * ten : 2 * ten <= v ? 2 * ten : ten;
}

static void number_text(crn_str *out, double v, double step)
{
	crn_str_clear(out);
	/* What is a rounding error away from zero is zero. */
	crn_str_appendf(out, "%.6g", fabs(v) < step * 1e-6 ? 0 : v);
}

typedef struct plot_area {
	int64_t x, y, width, height; /* of the bars */
	double top;                  /* transformed count at the upper edge */
	bool log_counts;
} plot_area;

static double transformed(const plot_area *a, double count)
{
	return a->log_counts ? log10(1 + count) : count;
}

static int64_t bar_height(const plot_area *a, double count)
{
	if (a->top <= 0 || count <= 0)
		return 0;
	int64_t h = lrint(transformed(a, count) / a->top * (double)a->height);
	return h > 0 ? h : 1; /* what is there shows */
}

static void draw_y_tick(crn_picture *p, const plot_area *a, double count)
{
	int64_t y = a->y + a->height - bar_height(a, count);
	CRN_STR text = {0};
	number_text(&text, count, count);
	if (!text.data)
		return;
	crn_picture_fill(p, a->x, y, a->width, 1, FAINT);
	crn_picture_fill(p, a->x - 4, y, 4, 1, INK);
	crn_picture_text(p, a->x - 8 - crn_picture_text_width(text.data, 1), y - TEXT_HEIGHT / 2,
		text.data, 1, INK);
}

static void draw_y_axis(crn_picture *p, const plot_area *a, double most)
{
	if (most < 1)
		return;
	if (a->log_counts) {
		for (double count = 1; count <= most; count *= 10)
			draw_y_tick(p, a, count);
		return;
	}
	double step = round_step(most / 4 < 1 ? 1 : most / 4);
	for (int i = 1; i * step <= most; i++)
		draw_y_tick(p, a, i * step);
}

static void draw_x_axis(crn_picture *p, const plot_area *a, const crn_histogram_plot *plot)
{
	double span = plot->high - plot->low;
	if (!(span > 0) || !isfinite(span))
		return;
	double step = round_step(span / 4);
	CRN_STR text = {0};
	double first = ceil(plot->low / step);
	/* Counted: far from zero, adding one step may change nothing. */
	for (int i = 0; i < 12; i++) {
		double tick = (first + i) * step;
		if (!(tick <= plot->high))
			break;
		int64_t x = a->x + lrint((tick - plot->low) / span * (double)a->width);
		number_text(&text, tick, step);
		if (!text.data)
			return;
		crn_picture_fill(p, x, a->y + a->height, 1, 5, INK);
		crn_picture_text(p, x - crn_picture_text_width(text.data, 1) / 2,
			a->y + a->height + 8, text.data, 1, INK);
	}
}

/* Every column of pixels shows the largest bin it covers; wide bins spread over columns. */
static void draw_bars(crn_picture *p, const plot_area *a, const crn_histogram_plot *plot)
{
	for (int64_t column = 0; column < a->width; column++) {
		int64_t first = column * plot->n_bins / a->width;
		int64_t last = ((column + 1) * plot->n_bins - 1) / a->width;
		uint64_t most = 0;
		for (int64_t bin = first; bin <= last; bin++)
			most = plot->counts[bin] > most ? plot->counts[bin] : most;
		int64_t h = bar_height(a, (double)most);
		crn_picture_fill(p, a->x + column, a->y + a->height - h, 1, h, BAR);
	}
}

cairn_status crn_picture_histogram(
	const crn_histogram_plot *plot, crn_picture *ret, cairn_error *err)
{
	if (plot->n_bins < 1)
		return crn_fail(err, CAIRN_USAGE, "a histogram needs at least one bin");
	int64_t width = plot->width ? plot->width : 640;
	int64_t height = plot->height ? plot->height : 400;
	plot_area a = {MARGIN_LEFT, MARGIN_TOP, width - MARGIN_LEFT - MARGIN_RIGHT,
		height - MARGIN_TOP - MARGIN_BOTTOM, 0, plot->log_counts};
	if (a.width < 16 || a.height < 16)
		return crn_fail(err, CAIRN_USAGE, "a plot of %lld x %lld pixels is too small",
			(long long)width, (long long)height);
	uint64_t most = 0;
	for (int64_t i = 0; i < plot->n_bins; i++)
		most = plot->counts[i] > most ? plot->counts[i] : most;
	a.top = transformed(&a, (double)most);

	crn_picture p;
	CRN_TRY(crn_picture_new(width, height, WHITE, &p, err));
	draw_y_axis(&p, &a, (double)most);
	draw_bars(&p, &a, plot);
	crn_picture_fill(&p, a.x - 1, a.y, 1, a.height + 1, INK);
	crn_picture_fill(&p, a.x - 1, a.y + a.height, a.width + 1, 1, INK);
	draw_x_axis(&p, &a, plot);
	if (plot->title)
		crn_picture_text(&p, a.x, 10, plot->title, 1, INK);
	if (plot->x_label)
		crn_picture_text(&p, a.x + (a.width - crn_picture_text_width(plot->x_label, 1)) / 2,
			height - TEXT_HEIGHT - 8, plot->x_label, 1, INK);
	*ret = p;
	return CAIRN_OK;
}

void crn_picture_scale_bar(crn_picture *p, double pixel_size, const char *unit)
{
	enum { SMALL_WIDTH = 64, SMALL_HEIGHT = 32, PAD = 4, BAR_HEIGHT = 3 };
	if (!unit || !(pixel_size > 0) || !isfinite(pixel_size) || p->width < SMALL_WIDTH ||
		p->height < SMALL_HEIGHT)
		return;
	double length = round_step((double)p->width / 3 * pixel_size);
	int64_t bar = lrint(length / pixel_size);
	CRN_STR text = {0};
	number_text(&text, length, length);
	crn_str_appendf(&text, " %s", unit);
	if (text.oom)
		return;
	int scale = p->width >= 800 ? 2 : 1;
	int64_t text_width = crn_picture_text_width(text.data, scale);
	int64_t box_w = (bar > text_width ? bar : text_width) + 2 * PAD;
	int64_t box_h = TEXT_HEIGHT * scale + BAR_HEIGHT * scale + 3 * PAD;
	int64_t x = PAD, y = p->height - PAD - box_h;
	crn_picture_fill(p, x, y, box_w, box_h, 0);
	crn_picture_text(p, x + PAD, y + PAD, text.data, scale, WHITE);
	crn_picture_fill(
		p, x + PAD, y + box_h - PAD - BAR_HEIGHT * scale, bar, BAR_HEIGHT * scale, WHITE);
}

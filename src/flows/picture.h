/* SPDX-License-Identifier: Apache-2.0
 *
 * picture.h -- pictures to look at: grey planes, montages, label overlays, histograms, as PNG.
 *
 * `cairn view` computes a few small buffers (planes, projections, histogram counts) with the engine
 * and hands them to these functions; nothing here reads an array or knows a pipeline. A picture is
 * 8-bit RGB on the heap, made by one call and freed with crn_picture_done().
 *
 * Invariants
 *  (1) A picture's bytes depend on the buffers and options only: equal inputs, equal PNG pixels.
 *  (2) The colour of a label depends on its id only, so one object keeps its colour in every plane,
 *      every picture and every run.
 *  (3) Failed calls leave *ret and the target file untouched; a PNG appears whole or not at all.
 *
 * Threads: pure functions; different pictures may be drawn at the same time.
 * Memory: 3 bytes a pixel; a picture has at most 2^28 pixels (FAILED beyond, with the size).
 */
#ifndef CRN_FLOWS_PICTURE_H
#define CRN_FLOWS_PICTURE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/** Element type of a buffer; bool is one byte holding 0 or 1. */
typedef enum crn_pixel {
	CRN_PIXEL_BOOL,
	CRN_PIXEL_U8,
	CRN_PIXEL_U16,
	CRN_PIXEL_U32,
	CRN_PIXEL_U64,
	CRN_PIXEL_I8,
	CRN_PIXEL_I16,
	CRN_PIXEL_I32,
	CRN_PIXEL_I64,
	CRN_PIXEL_F32,
	CRN_PIXEL_F64,
} crn_pixel;

/** From a NumPy name: "uint16" -> CRN_PIXEL_U16. False for an unknown name. */
bool crn_pixel_from_name(const char *name, crn_pixel *ret);

/** Borrowed pixels, C order: `planes` images of `rows` x `columns`; one image has planes == 1. */
typedef struct crn_block {
	const void *data;
	crn_pixel pixel;
	int64_t planes, rows, columns;
} crn_block;

typedef struct crn_picture {
	uint8_t *rgb; /* 3 bytes a pixel, rows from the top, no padding; owned */
	int64_t width, height;
} crn_picture;

void crn_picture_done(crn_picture *p); /* safe on a zeroed struct and twice */

/* ---- contrast: the values drawn black and white; linear between, clamped outside ---- */

typedef struct crn_contrast {
	double low, high;
} crn_contrast;

/** Smallest and largest finite value; 0..1 if there is none. bool is always 0..1. */
crn_contrast crn_contrast_minmax(const crn_block *b);
/** Values at two percentiles (0..100), from every pixel of 8- and 16-bit blocks, else from at most
 * 2^20 finite pixels at a regular step. When they coincide: minmax. */
CRN_CHECKED cairn_status crn_contrast_percentiles(const crn_block *b, double low_percent,
	double high_percent, crn_contrast *ret, cairn_error *err);

/* ---- pictures of planes; NaN is drawn magenta ---- */

/** Plane `plane` of the block in grey. */
CRN_CHECKED cairn_status crn_picture_grey(
	const crn_block *b, int64_t plane, crn_contrast c, crn_picture *ret, cairn_error *err);

/** Every plane id by colour; id 0 is black. Integer or bool pixels (USAGE otherwise). */
CRN_CHECKED cairn_status crn_picture_labels(
	const crn_block *labels, int64_t plane, crn_picture *ret, cairn_error *err);

/** Paints labels over a picture of the same size (USAGE otherwise). alpha 0..1 is the weight of the
 * colour; with `edges`, inside pixels keep the picture and only outlines are painted: pixels with a
 * 4-neighbour of another id. */
CRN_CHECKED cairn_status crn_picture_overlay(crn_picture *p, const crn_block *labels, int64_t plane,
	double alpha, bool edges, cairn_error *err);

/** All pictures (equal sizes or not) in rows of `columns` (0: about square), `gap` pixels apart on
 * dark grey; cells have the size of the largest. */
CRN_CHECKED cairn_status crn_picture_montage(const crn_picture *pictures, int64_t n,
	int64_t columns, int64_t gap, crn_picture *ret, cairn_error *err);

/** Three orthogonal planes through one point, as viewers show them:
 *
 *	xy (y down, x right) | zy (y down, z right)
 *	xz (z down, x right) |
 *
 * Sizes must fit together (USAGE): zy has xy's height, xz has xy's width. */
CRN_CHECKED cairn_status crn_picture_three(const crn_picture *xy, const crn_picture *zy,
	const crn_picture *xz, int64_t gap, crn_picture *ret, cairn_error *err);

/** Makes every pixel `factor` x `factor` pixels (1..64): small arrays become visible. */
CRN_CHECKED cairn_status crn_picture_enlarge(
	const crn_picture *p, int64_t factor, crn_picture *ret, cairn_error *err);

/** A white bar on black in the lower left corner whose length is a round number of `unit`
 * (1, 2 or 5 x 10^n, at most a third of the width). pixel_size: units a pixel, > 0; unit NULL or
 * pixel_size <= 0: nothing is drawn. Pictures under 64 x 32 pixels stay as they are. */
void crn_picture_scale_bar(crn_picture *p, double pixel_size, const char *unit);

/* ---- plots ---- */

typedef struct crn_histogram_plot {
	const uint64_t *counts; /* n_bins */
	int64_t n_bins;
	double low, high;      /* left edge of the first bin, right edge of the last */
	const char *title;     /* may be NULL */
	const char *x_label;   /* may be NULL */
	bool log_counts;       /* bars by log10(1 + count): small peaks stay visible */
	int64_t width, height; /* 0: 640 x 400 */
} crn_histogram_plot;

CRN_CHECKED cairn_status crn_picture_histogram(
	const crn_histogram_plot *plot, crn_picture *ret, cairn_error *err);

/* ---- drawing, for the functions above and for other plots ---- */

CRN_CHECKED cairn_status crn_picture_new(
	int64_t width, int64_t height, uint32_t rgb, crn_picture *ret, cairn_error *err);
/** Filled rectangle, clipped to the picture. rgb is 0xRRGGBB. */
void crn_picture_fill(
	crn_picture *p, int64_t x, int64_t y, int64_t width, int64_t height, uint32_t rgb);
/** Copies `src` to (x, y), clipped. */
void crn_picture_blit(crn_picture *p, int64_t x, int64_t y, const crn_picture *src);
/** ASCII text (others draw as a box) in a 5 x 7 font, `scale` pixels a dot; (x, y) is the top left
 * corner. A character advances 6 dots. */
void crn_picture_text(
	crn_picture *p, int64_t x, int64_t y, const char *text, int scale, uint32_t rgb);
int64_t crn_picture_text_width(const char *text, int scale);
/** 0xRRGGBB of a label id: bright, never black; 0 gives 0. */
uint32_t crn_label_colour(uint64_t id);

/** Writes an 8-bit RGB PNG (grey when every pixel is) through a temporary name and a rename. */
CRN_CHECKED cairn_status crn_picture_write_png(
	const crn_picture *p, const char *path, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * picture_test.c -- pictures are written, decoded again, and their pixels checked.
 */
#include "flows/picture.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <spng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DECODED = 640 * 400 * 3 };

typedef struct decoded {
	struct spng_ihdr header;
	uint8_t rgb[MAX_DECODED];
} decoded;

static decoded png; /* one test at a time; too large for the stack */

static uint32_t rgb_at(int64_t x, int64_t y)
{
	const uint8_t *at = png.rgb + 3 * (y * png.header.width + x);
	return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

/* Writes p, reads the file back into `png`, and removes it. */
static void roundtrip(const crn_picture *p)
{
	char path[] = "picture-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	cairn_error err;
	assert_int_equal(crn_picture_write_png(p, path, &err), CAIRN_OK);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	spng_ctx *ctx = spng_ctx_new(0);
	spng_set_png_file(ctx, f);
	assert_int_equal(spng_get_ihdr(ctx, &png.header), 0);
	size_t n = 0;
	assert_int_equal(spng_decoded_image_size(ctx, SPNG_FMT_RGB8, &n), 0);
	assert_true(n <= sizeof(png.rgb));
	assert_int_equal(spng_decode_image(ctx, png.rgb, n, SPNG_FMT_RGB8, 0), 0);
	spng_ctx_free(ctx);
	fclose(f);
	unlink(path);
	assert_int_equal(png.header.width, p->width);
	assert_int_equal(png.header.height, p->height);
}

static void test_grey_is_linear_between_low_and_high(void **state)
{
	/* low 100, high 200: 100 -> 0, 150 -> 127.5 -> 128 (ties to even), 200 -> 255, clamped
	 * outside */
	const uint16_t data[2][6] = {{0}, {0, 100, 150, 200, 65535, 120}};
	crn_block b = {data, CRN_PIXEL_U16, 2, 1, 6};
	crn_picture p = {0};
	assert_int_equal(crn_picture_grey(&b, 1, (crn_contrast){100, 200}, &p, NULL), CAIRN_OK);
	roundtrip(&p);
	assert_int_equal(png.header.color_type, SPNG_COLOR_TYPE_GRAYSCALE);
	const uint32_t expected[6] = {0, 0, 0x808080, 0xffffff, 0xffffff, 0x333333};
	for (int x = 0; x < 6; x++)
		assert_int_equal(rgb_at(x, 0), expected[x]);
	crn_picture_done(&p);
	crn_picture_done(&p);
}

static void test_every_pixel_type_reads_its_values(void **state)
{
	static const int8_t i8[2] = {-128, 127};
	static const uint8_t u8[2] = {0, 255};
	static const uint16_t u16[2] = {7, 65535};
	static const int16_t i16[2] = {-32768, 32767};
	static const uint32_t u32[2] = {1, 4000000000u};
	static const int32_t i32[2] = {-2000000000, 5};
	static const uint64_t u64[2] = {3, (uint64_t)1 << 63};
	static const int64_t i64[2] = {INT64_MIN, 0};
	static const float f32[2] = {-0.5f, 1e30f};
	static const double f64[2] = {-1e300, 1e300};
	const struct {
		const char *name;
		const void *data;
		double low, high;
	} cases[] = {
		{"int8", i8, -128, 127},
		{"uint8", u8, 0, 255},
		{"uint16", u16, 7, 65535},
		{"int16", i16, -32768, 32767},
		{"uint32", u32, 1, 4000000000.0},
		{"int32", i32, -2000000000, 5},
		{"uint64", u64, 3, 9223372036854775808.0},
		{"int64", i64, -9223372036854775808.0, 0},
		{"float32", f32, -0.5, 1e30f},
		{"float64", f64, -1e300, 1e300},
	};
	for (size_t i = 0; i < CRN_COUNT(cases); i++) {
		crn_block b = {cases[i].data, CRN_PIXEL_BOOL, 1, 1, 2};
		assert_true(crn_pixel_from_name(cases[i].name, &b.pixel));
		crn_contrast c = crn_contrast_minmax(&b);
		assert_true(c.low == cases[i].low && c.high == cases[i].high);
		crn_contrast q = {0, 0};
		assert_int_equal(crn_contrast_percentiles(&b, 0, 100, &q, NULL), CAIRN_OK);
		assert_true(q.low == cases[i].low && q.high == cases[i].high);
	}
	crn_pixel unused;
	assert_false(crn_pixel_from_name("complex64", &unused));
}

static void test_percentiles_ignore_outliers(void **state)
{
	/* 0..100 once each: the nearest rank of p percent of 101 values is p itself. */
	uint8_t u8[101];
	float f32[103];
	for (int i = 0; i <= 100; i++) {
		u8[i] = (uint8_t)(100 - i);
		f32[i] = (float)(i * 37 % 101);
	}
	f32[101] = NAN;
	f32[102] = INFINITY;
	crn_block a = {u8, CRN_PIXEL_U8, 1, 1, 101}, b = {f32, CRN_PIXEL_F32, 1, 103, 1};
	crn_contrast c;
	assert_int_equal(crn_contrast_percentiles(&a, 2, 98, &c, NULL), CAIRN_OK);
	assert_true(c.low == 2 && c.high == 98);
	assert_int_equal(crn_contrast_percentiles(&b, 2, 98, &c, NULL), CAIRN_OK);
	assert_true(c.low == 2 && c.high == 98);

	const float none[2] = {NAN, NAN};
	crn_block d = {none, CRN_PIXEL_F32, 1, 1, 2};
	assert_int_equal(crn_contrast_percentiles(&d, 2, 98, &c, NULL), CAIRN_OK);
	assert_true(c.low == 0 && c.high == 1);
}

static void test_nan_is_magenta_and_flat_is_black(void **state)
{
	const double data[3] = {5, NAN, 5};
	crn_block b = {data, CRN_PIXEL_F64, 1, 1, 3};
	crn_picture p = {0};
	assert_int_equal(crn_picture_grey(&b, 0, crn_contrast_minmax(&b), &p, NULL), CAIRN_OK);
	roundtrip(&p);
	assert_int_equal(png.header.color_type, SPNG_COLOR_TYPE_TRUECOLOR);
	assert_int_equal(rgb_at(0, 0), 0);
	assert_int_equal(rgb_at(1, 0), 0xff00ff);
	crn_picture_done(&p);
}

static void test_label_colours_depend_on_the_id_only(void **state)
{
	const int32_t a[4] = {0, 1, 2, 70000};
	const uint64_t b[4] = {70000, 2, 1, 0};
	crn_block x = {a, CRN_PIXEL_I32, 1, 1, 4}, y = {b, CRN_PIXEL_U64, 1, 1, 4};
	crn_picture p = {0}, q = {0};
	assert_int_equal(crn_picture_labels(&x, 0, &p, NULL), CAIRN_OK);
	assert_int_equal(crn_picture_labels(&y, 0, &q, NULL), CAIRN_OK);
	for (int i = 0; i < 4; i++)
		assert_memory_equal(p.rgb + 3 * i, q.rgb + 3 * (3 - i), 3);
	roundtrip(&p);
	assert_int_equal(rgb_at(0, 0), 0);
	/* Bright (some channel over 191) and pairwise different for the first thousand ids. */
	for (uint64_t i = 1; i <= 1000; i++) {
		uint32_t c = crn_label_colour(i);
		assert_true((c >> 16) > 191 || (c >> 8 & 255) > 191 || (c & 255) > 191);
	}
	int same = 0;
	for (uint64_t i = 1; i < 1000; i++)
		same += crn_label_colour(i) == crn_label_colour(i + 1);
	assert_int_equal(same, 0);
	crn_picture_done(&p);
	crn_picture_done(&q);
}

static void test_overlay_blends_and_outlines(void **state)
{
	/* A 3 x 3 object of id 9 in the middle of 5 x 5; its centre is no outline. */
	uint8_t labels[25] = {0}, grey[25];
	memset(grey, 100, sizeof(grey));
	for (int y = 1; y < 4; y++)
		for (int x = 1; x < 4; x++)
			labels[5 * y + x] = 9;
	crn_block l = {labels, CRN_PIXEL_U8, 1, 5, 5}, g = {grey, CRN_PIXEL_U8, 1, 5, 5};
	uint32_t colour = crn_label_colour(9);
	crn_picture p = {0};
	assert_int_equal(crn_picture_grey(&g, 0, (crn_contrast){0, 255}, &p, NULL), CAIRN_OK);
	assert_int_equal(crn_picture_overlay(&p, &l, 0, 1, true, NULL), CAIRN_OK);
	roundtrip(&p);
	for (int y = 0; y < 5; y++)
		for (int x = 0; x < 5; x++) {
			bool outline = labels[5 * y + x] && !(x == 2 && y == 2);
			assert_int_equal(rgb_at(x, y), outline ? colour : 0x646464);
		}
	/* Half: the mean of both, halves rounded up. */
	assert_int_equal(crn_picture_overlay(&p, &l, 0, 0.5, false, NULL), CAIRN_OK);
	roundtrip(&p);
	uint32_t half = 0;
	for (int shift = 0; shift <= 16; shift += 8)
		half |= ((colour >> shift & 255) + 100 + 1) / 2 << shift;
	assert_int_equal(rgb_at(2, 2), half);
	assert_int_equal(rgb_at(1, 1), colour);

	cairn_error err;
	const float f[25] = {0};
	crn_block wrong = {f, CRN_PIXEL_F32, 1, 5, 5}, small = {labels, CRN_PIXEL_U8, 1, 4, 5};
	assert_int_equal(crn_picture_overlay(&p, &wrong, 0, 1, false, &err), CAIRN_USAGE);
	assert_int_equal(crn_picture_overlay(&p, &small, 0, 1, false, &err), CAIRN_USAGE);
	crn_picture_done(&p);
}

static void test_montage_lays_out_rows(void **state)
{
	crn_picture parts[5], m = {0};
	for (int i = 0; i < 5; i++)
		assert_int_equal(
			crn_picture_new(4, i == 2 ? 3 : 2, 0x101010u * (i + 1), &parts[i], NULL),
			CAIRN_OK);
	/* About square: 3 columns, 2 rows; cells 4 x 3 with gaps of 2. */
	assert_int_equal(crn_picture_montage(parts, 5, 0, 2, &m, NULL), CAIRN_OK);
	roundtrip(&m);
	assert_int_equal(m.width, 3 * 4 + 2 * 2);
	assert_int_equal(m.height, 2 * 3 + 2);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(rgb_at(i % 3 * 6, i / 3 * 5), 0x101010 * (i + 1));
		assert_int_equal(rgb_at(i % 3 * 6 + 3, i / 3 * 5 + 1), 0x101010 * (i + 1));
		crn_picture_done(&parts[i]);
	}
	assert_int_equal(rgb_at(4, 0), 0x202020);
	assert_int_equal(rgb_at(15, 7), 0x202020);
	cairn_error err;
	assert_int_equal(crn_picture_montage(NULL, 0, 0, 2, &m, &err), CAIRN_USAGE);
	crn_picture_done(&m);
}

static void test_three_planes_meet(void **state)
{
	crn_picture xy, zy, xz, three = {0};
	assert_int_equal(crn_picture_new(5, 4, 0x110000, &xy, NULL), CAIRN_OK);
	assert_int_equal(crn_picture_new(3, 4, 0x002200, &zy, NULL), CAIRN_OK);
	assert_int_equal(crn_picture_new(5, 3, 0x000033, &xz, NULL), CAIRN_OK);
	assert_int_equal(crn_picture_three(&xy, &zy, &xz, 1, &three, NULL), CAIRN_OK);
	roundtrip(&three);
	assert_int_equal(three.width, 9);
	assert_int_equal(three.height, 8);
	assert_int_equal(rgb_at(4, 3), 0x110000);
	assert_int_equal(rgb_at(6, 0), 0x002200);
	assert_int_equal(rgb_at(0, 5), 0x000033);
	assert_int_equal(rgb_at(8, 7), 0x202020);
	cairn_error err;
	assert_int_equal(crn_picture_three(&xy, &xz, &zy, 1, &three, &err), CAIRN_USAGE);
	crn_picture_done(&xy);
	crn_picture_done(&zy);
	crn_picture_done(&xz);
	crn_picture_done(&three);
}

static void test_enlarge_repeats_pixels(void **state)
{
	const uint8_t data[4] = {0, 255, 255, 0};
	crn_block b = {data, CRN_PIXEL_U8, 1, 2, 2};
	crn_picture p = {0}, q = {0};
	assert_int_equal(crn_picture_grey(&b, 0, (crn_contrast){0, 255}, &p, NULL), CAIRN_OK);
	assert_int_equal(crn_picture_enlarge(&p, 3, &q, NULL), CAIRN_OK);
	roundtrip(&q);
	for (int y = 0; y < 6; y++)
		for (int x = 0; x < 6; x++)
			assert_int_equal(rgb_at(x, y), (x / 3) ^ (y / 3) ? 0xffffff : 0);
	assert_int_equal(crn_picture_enlarge(&p, 0, &q, NULL), CAIRN_USAGE);
	crn_picture_done(&p);
	crn_picture_done(&q);
}

/* Heights of the bars' colour in a column of the plot. */
static int64_t bar_pixels(int64_t x)
{
	int64_t n = 0;
	for (int64_t y = 0; y < png.header.height; y++)
		n += rgb_at(x, y) == 0x3b6ea5;
	return n;
}

static void test_histogram_bars_are_proportional(void **state)
{
	const uint64_t counts[4] = {1000, 0, 500, 250};
	crn_histogram_plot plot = {counts, 4, 0, 256, "grey values", "intensity", false, 500, 272};
	crn_picture p = {0};
	assert_int_equal(crn_picture_histogram(&plot, &p, NULL), CAIRN_OK);
	roundtrip(&p);
	/* The bars' area is 400 x 200 at x 76: a bar is 100 wide, the highest 200 high. */
	assert_int_equal(bar_pixels(76 + 50), 200);
	assert_int_equal(bar_pixels(76 + 150), 0);
	assert_int_equal(bar_pixels(76 + 250), 100);
	assert_int_equal(bar_pixels(76 + 399), 50);
	assert_int_equal(bar_pixels(75), 0);
	assert_int_equal(bar_pixels(476), 0);
	crn_picture_done(&p);

	/* By logarithm: log10(1 + 9) is half of log10(1 + 99); more bins than pixels keep the
	 * highest. */
	uint64_t many[4000] = {0};
	many[0] = 99;
	many[3999] = 9;
	plot = (crn_histogram_plot){many, 4000, -1, 1, NULL, NULL, true, 500, 272};
	assert_int_equal(crn_picture_histogram(&plot, &p, NULL), CAIRN_OK);
	roundtrip(&p);
	assert_int_equal(bar_pixels(76), 200);
	assert_int_equal(bar_pixels(76 + 399), 100);
	crn_picture_done(&p);
}

static void test_histogram_survives_odd_axes(void **state)
{
	const uint64_t none[1] = {0};
	const double lows[] = {0, 1e300, -INFINITY, NAN, 1e17, 5e-324};
	const double highs[] = {0, 1e301, INFINITY, NAN, 1e17 + 64, 1e-323};
	for (size_t i = 0; i < CRN_COUNT(lows); i++) {
		crn_histogram_plot plot = {none, 1, lows[i], highs[i], "t", "x", false, 0, 0};
		crn_picture p = {0};
		assert_int_equal(crn_picture_histogram(&plot, &p, NULL), CAIRN_OK);
		assert_int_equal(p.width, 640);
		crn_picture_done(&p);
	}
	crn_histogram_plot tiny = {none, 1, 0, 1, NULL, NULL, false, 50, 50};
	crn_picture p = {0};
	cairn_error err;
	assert_int_equal(crn_picture_histogram(&tiny, &p, &err), CAIRN_USAGE);
	assert_null(p.rgb);
}

static void test_text_draws_the_dots_of_a_glyph(void **state)
{
	crn_picture p = {0};
	assert_int_equal(crn_picture_new(12, 9, 0, &p, NULL), CAIRN_OK);
	crn_picture_text(&p, 1, 1, "T-", 1, 0xffffff);
	assert_int_equal(crn_picture_text_width("T-", 1), 11);
	roundtrip(&p);
	for (int x = 0; x < 12; x++) {
		assert_int_equal(rgb_at(x, 1) != 0, x >= 1 && x <= 5);
		assert_int_equal(rgb_at(x, 4) != 0, x == 3 || (x >= 8 && x <= 10));
	}
	/* Outside the picture is simply not drawn; a multi-byte character is one box. */
	crn_picture_text(&p, -3, -3, "clip", 5, 0xff0000);
	assert_int_equal(crn_picture_text_width("\xc2\xb5m", 2), 22);
	crn_picture_done(&p);
}

static void test_scale_bar_has_a_round_length(void **state)
{
	/* A third of 300 pixels at 0.5 um is 50 um: the bar is exactly 50 um, 100 pixels. */
	crn_picture p = {0};
	assert_int_equal(crn_picture_new(300, 100, 0x808080, &p, NULL), CAIRN_OK);
	crn_picture_scale_bar(&p, 0.5, "um");
	roundtrip(&p);
	int64_t white = 0;
	for (int x = 0; x < 300; x++)
		white += rgb_at(x, 100 - 4 - 4 - 1) == 0xffffff;
	assert_int_equal(white, 100);
	crn_picture_done(&p);

	assert_int_equal(crn_picture_new(300, 100, 0x808080, &p, NULL), CAIRN_OK);
	crn_picture_scale_bar(&p, 0, "um");
	crn_picture_scale_bar(&p, 1, NULL);
	crn_picture_scale_bar(&p, NAN, "um");
	roundtrip(&p);
	for (int x = 0; x < 300; x++)
		assert_int_equal(rgb_at(x, 100 - 4 - 4 - 1), 0x808080);
	crn_picture_done(&p);
}

static void test_failures_leave_nothing_behind(void **state)
{
	cairn_error err = {0};
	crn_picture p = {0};
	assert_int_equal(
		crn_picture_new((int64_t)1 << 40, (int64_t)1 << 40, 0, &p, &err), CAIRN_FAILED);
	assert_int_equal(crn_picture_new(0, 5, 0, &p, &err), CAIRN_FAILED);
	assert_null(p.rgb);
	crn_mem_fail_after(0);
	assert_int_equal(crn_picture_new(5, 5, 0, &p, &err), CAIRN_FAILED);
	assert_true(crn_mem_failed());
	assert_int_equal(crn_picture_new(5, 5, 0, &p, &err), CAIRN_OK);
	assert_int_equal(crn_picture_write_png(&p, "no-such-folder/p.png", &err), CAIRN_FAILED);
	assert_non_null(strstr(err.message, "no-such-folder/p.png"));
	crn_picture_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grey_is_linear_between_low_and_high),
		cmocka_unit_test(test_every_pixel_type_reads_its_values),
		cmocka_unit_test(test_percentiles_ignore_outliers),
		cmocka_unit_test(test_nan_is_magenta_and_flat_is_black),
		cmocka_unit_test(test_label_colours_depend_on_the_id_only),
		cmocka_unit_test(test_overlay_blends_and_outlines),
		cmocka_unit_test(test_montage_lays_out_rows),
		cmocka_unit_test(test_three_planes_meet),
		cmocka_unit_test(test_enlarge_repeats_pixels),
		cmocka_unit_test(test_histogram_bars_are_proportional),
		cmocka_unit_test(test_histogram_survives_odd_axes),
		cmocka_unit_test(test_text_draws_the_dots_of_a_glyph),
		cmocka_unit_test(test_scale_bar_has_a_round_length),
		cmocka_unit_test(test_failures_leave_nothing_behind),
	};
	return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}

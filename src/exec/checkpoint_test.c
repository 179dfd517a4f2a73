/* SPDX-License-Identifier: Apache-2.0
 *
 * checkpoint_test.c -- what a pass kept comes back whole, once, and only to the same pass: torn,
 * changed, foreign and unwritable files are as if absent.
 */
#include "base/disk.h"
#include "base/path.h"
#include "exec/checkpoint.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { TILES = 150, WORKERS = 3 };

static char folder[64];
static crn_node node = {.hash = {1, 2}};
static crn_grid grid = {.ndim = 1, .shape = {1500}, .tile = {10}, .n = {TILES}, .n_tiles = TILES};

static crn_checkpoint *open_pass(int pass)
{
	crn_checkpoint *c = crn_checkpoint_open(folder, &node, pass, &grid, WORKERS);
	assert_non_null(c);
	return c;
}

/* What a tile left behind: as many numbers as its index, in two spans. */
static int payload(int64_t tile, int64_t *numbers)
{
	for (int64_t i = 0; i < tile; i++)
		numbers[i] = 1000 * tile + i;
	return (int)tile;
}

typedef struct seen {
	int times[TILES];
	int64_t refuse;
} seen;

static bool load_tile(void *user, int64_t tile, const void *bytes, size_t n)
{
	seen *s = user;
	int64_t want[TILES];
	int count = payload(tile, want);
	assert_int_equal(n, (size_t)count * sizeof(want[0]));
	assert_memory_equal(bytes, want, n);
	s->times[tile]++;
	return tile != s->refuse;
}

static void add_tiles(crn_checkpoint *c, int64_t from, int64_t to)
{
	for (int64_t t = from; t < to; t++) {
		int64_t numbers[TILES];
		int n = payload(t, numbers);
		crn_bytes spans[] = {
			{numbers, 8 * (size_t)(n / 2)}, {numbers + n / 2, 8 * (size_t)(n - n / 2)}};
		crn_checkpoint_add_tile(c, t, (uint64_t)t, spans, 2);
	}
}

static int64_t load_all(int pass, uint64_t spill_bytes, seen *s)
{
	crn_checkpoint *c = open_pass(pass);
	*s = (seen){.refuse = s->refuse};
	crn_checkpoint_load_tiles(c, spill_bytes, load_tile, s);
	int64_t n = crn_checkpoint_count(c);
	for (int t = 0; t < TILES; t++)
		assert_int_equal(crn_checkpoint_has(c, t), s->times[t] > 0 && t != s->refuse);
	crn_checkpoint_close(c);
	return n;
}

static void tiles_path(char path[160])
{
	snprintf(path, 160, "%s/00000000000000010000000000000002-0.tiles", folder);
}

static void test_tiles(void **state)
{
	seen s = {.refuse = -1};
	crn_checkpoint *c = open_pass(0);
	add_tiles(c, 0, 100);
	crn_checkpoint_close(c);
	assert_int_equal(load_all(0, UINT64_MAX, &s), 100);
	for (int t = 0; t < TILES; t++)
		assert_int_equal(s.times[t], t < 100);
	/* Records that speak of spilled bytes that are not there. */
	assert_int_equal(load_all(0, 60, &s), 61);
	s.refuse = 7;
	assert_int_equal(load_all(0, UINT64_MAX, &s), 99);
	s.refuse = -1;
	/* A resumed pass goes on behind the old records. */
	c = open_pass(0);
	crn_checkpoint_load_tiles(c, UINT64_MAX, load_tile, &(seen){.refuse = -1});
	add_tiles(c, 100, 120);
	crn_checkpoint_close(c);
	assert_int_equal(load_all(0, UINT64_MAX, &s), 120);
	/* Other passes, nodes and grids see nothing of it. */
	assert_int_equal(load_all(1, UINT64_MAX, &s), 0);
	node.hash.lo = 3;
	assert_int_equal(load_all(0, UINT64_MAX, &s), 0);
	node.hash.lo = 2;
	grid.tile[0] = 11;
	assert_int_equal(load_all(0, UINT64_MAX, &s), 0);
	grid.tile[0] = 10;
	assert_int_equal(load_all(0, UINT64_MAX, &s), 120);
}

/* Cut anywhere, the whole records in front of the cut come back, and what is added later too. */
static void test_torn_tiles(void **state)
{
	char path[160];
	seen s = {.refuse = -1};
	tiles_path(path);
	for (off_t cut = 0; cut < 700; cut += 13) {
		unlink(path);
		crn_checkpoint *c = open_pass(0);
		add_tiles(c, 0, 6);
		crn_checkpoint_close(c);
		struct stat st;
		assert_int_equal(stat(path, &st), 0);
		if (cut > st.st_size)
			break;
		assert_int_equal(truncate(path, cut), 0);
		/* 32 bytes of head, then 32 and 8 per number for each tile. */
		int64_t whole = 0, at = 32;
		for (; whole < 6 && at + 32 + 8 * whole <= cut; whole++)
			at += 32 + 8 * whole;
		c = open_pass(0);
		crn_checkpoint_load_tiles(c, UINT64_MAX, load_tile, &(seen){.refuse = -1});
		assert_int_equal(crn_checkpoint_count(c), cut < 32 ? 0 : whole);
		add_tiles(c, 6, 9);
		crn_checkpoint_close(c);
		assert_int_equal(load_all(0, UINT64_MAX, &s), (cut < 32 ? 0 : whole) + 3);
	}
	unlink(path);
	crn_checkpoint *c = open_pass(0);
	add_tiles(c, 0, 6);
	crn_checkpoint_close(c);
	FILE *f = fopen(path, "r+");
	fseek(f, 32 + 32 + 40 + 36, SEEK_SET); /* a byte of tile 2's payload or head */
	fputc(0x5a, f);
	fclose(f);
	int64_t n = load_all(0, UINT64_MAX, &s);
	assert_true(n < 6);
}

static bool load_partial(void *user, const void *bytes, size_t n)
{
	if (n == 24)
		memcpy(user, bytes, n);
	return n == 24;
}

static void test_partials(void **state)
{
	int64_t got[3], sums[WORKERS][3] = {{1, 2, 3}, {40, 50, 60}, {7, 8, 9}};
	crn_checkpoint *c = open_pass(2);
	for (int64_t t = 0; t < TILES; t++)
		if (t % 5)
			(void)crn_checkpoint_fold_partial(c, (int)(t % WORKERS), t);
	for (int w = 0; w < WORKERS; w++) {
		crn_bytes spans[] = {{sums[w], 8}, {sums[w] + 1, 16}};
		crn_checkpoint_add_partial(c, w, spans, 2);
		/* Folded after the snapshot: not in it. */
		(void)crn_checkpoint_fold_partial(c, w, 5 * w);
	}
	crn_checkpoint_close(c);
	c = open_pass(2);
	for (int w = 0; w < WORKERS; w++) {
		memset(got, 0, sizeof(got));
		crn_checkpoint_load_partial(c, w, load_partial, got);
		assert_memory_equal(got, sums[w], sizeof(got));
	}
	for (int64_t t = 0; t < TILES; t++)
		assert_int_equal(crn_checkpoint_has(c, t), t % 5 != 0);
	assert_int_equal(crn_checkpoint_count(c), TILES - TILES / 5);
	/* A tile in two partials would count twice: the second is left out. */
	int64_t before = crn_checkpoint_count(c);
	got[0] = -1;
	crn_checkpoint_load_partial(c, 1, load_partial, got);
	assert_int_equal(got[0], -1);
	assert_int_equal(crn_checkpoint_count(c), before);
	crn_checkpoint_close(c);
	/* A changed byte anywhere in the file. */
	char path[160];
	snprintf(path, sizeof(path), "%s/00000000000000010000000000000002-2.1", folder);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	for (long at = 0; at < st.st_size; at += 3) {
		FILE *f = fopen(path, "r+");
		fseek(f, at, SEEK_SET);
		int old = fgetc(f);
		fseek(f, at, SEEK_SET);
		fputc(old ^ 0x10, f);
		fclose(f);
		c = open_pass(2);
		crn_checkpoint_load_partial(c, 1, load_partial, got);
		if (crn_checkpoint_count(c) != 0)
			fail_msg("byte %ld may be anything", at);
		crn_checkpoint_close(c);
		f = fopen(path, "r+");
		fseek(f, at, SEEK_SET);
		fputc(old, f);
		fclose(f);
	}
}

static int fail_later(void *user, crn_disk_call call, const char *path, uint64_t at, size_t *n)
{
	int64_t *left = user;
	(void)call;
	(void)path;
	(void)at;
	(void)n;
	return (*left)-- > 0 ? 0 : ENOSPC;
}

/* Whatever fails, what was whole before comes back, and nothing wrong. */
static void test_no_room(void **state)
{
	seen s = {.refuse = -1};
	char path[160];
	tiles_path(path);
	for (int64_t n = 0; n < 30; n++) {
		int64_t left = n;
		unlink(path);
		crn_disk_watch(fail_later, &left);
		crn_checkpoint *c = open_pass(0);
		add_tiles(c, 0, 8);
		crn_checkpoint_close(c);
		crn_disk_watch(NULL, NULL);
		int64_t whole = load_all(0, UINT64_MAX, &s);
		assert_true(whole <= 8 && (left >= 0 || whole < 8));
		/* The first tile has no payload: opening, head, record. Others: record, two spans
		 * (the first of tile 1 is empty). */
		assert_true(n < 3 ? whole == 0 : whole > 0);
	}
}

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/cairn-checkpoint-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return crn_remove_tree(folder, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tiles, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_torn_tiles, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_partials, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_no_room, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

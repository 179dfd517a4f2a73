/* SPDX-License-Identifier: Apache-2.0
 *
 * path_clash_test.c -- which places meet, in a scratch folder with a file, a stack and a link.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "exec/path_clash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/cairn-clash-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("stack", 0777) != 0)
		return -1;
	int fd = open("in.npy", O_WRONLY | O_CREAT, 0666);
	if (fd < 0 || close(fd) != 0)
		return -1;
	return symlink("in.npy", "link.npy") || symlink("stack", "other") ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink("in.npy");
	unlink("link.npy");
	unlink("other");
	rmdir("stack");
	return chdir("/") || rmdir(folder);
}

static void test_one_place(void **state)
{
	(void)state;
	char absolute[128];
	snprintf(absolute, sizeof(absolute), "file://%s//in.npy", folder);
	const char *const same[][2] = {{"in.npy", "in.npy"}, {"./in.npy", "in.npy"},
		{"link.npy", "in.npy"}, {absolute, "in.npy"}, {"missing/../in.npy", "in.npy"},
		{"missing/../link.npy", "in.npy"}, {"stack/../in.npy", "in.npy"},
		{"new.zarr/", "new.zarr"}, {"new.zarr/a", "new.zarr"},
		{"stack", "stack/i.%03d.png"}, {"stack/*.png", "other"}, {"/", "in.npy"},
		{".", "stack/i.%d.png"}, {"other/i.%03d.png", "stack/i.%03d.png"}};
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(crn_path_clash(same[i][0], same[i][1]), CRN_CLASH_SAME);
		assert_int_equal(crn_path_clash(same[i][1], same[i][0]), CRN_CLASH_SAME);
	}
}

static void test_names_of_one_folder(void **state)
{
	(void)state;
	const char *const meet[][2] = {{"stack/*.png", "stack/i.%03d.png"},
		{"stack/i.%d.png", "stack/i.%05d.png"}, {"stack/i.%03d.png", "other/i.007.png"},
		{"*.npy", "link.npy"}, {"stack/[ab]*.tif", "stack/a1.tif"},
		{"stack/a*", "stack/*b"}, {"stack/%d%%.png", "stack/5%.png"}};
	for (size_t i = 0; i < sizeof(meet) / sizeof(meet[0]); i++) {
		assert_int_equal(crn_path_clash(meet[i][0], meet[i][1]), CRN_CLASH_NAMES);
		assert_int_equal(crn_path_clash(meet[i][1], meet[i][0]), CRN_CLASH_NAMES);
	}
}

static void test_apart(void **state)
{
	(void)state;
	const char *const apart[][2] = {{"in.npy", "in.npy2"}, {"in.npy", "new/in.npy"},
		{"new.zarr", "new.zarr2/a"}, {"stack/i.%03d.png", "stack/j.%03d.png"},
		{"stack/*.png", "*.png"}, {"stack/*.png", "stack/*.tif"},
		{"stack/*.png", "out.png"}, {"stack/raw_*.tif", "stack/mask_%04d.tif"}};
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		assert_int_equal(crn_path_clash(apart[i][0], apart[i][1]), CRN_CLASH_NONE);
		assert_int_equal(crn_path_clash(apart[i][1], apart[i][0]), CRN_CLASH_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_place),
		cmocka_unit_test(test_names_of_one_folder), cmocka_unit_test(test_apart)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

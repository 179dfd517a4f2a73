/* SPDX-License-Identifier: Apache-2.0
 *
 * stores_test.c -- conformance: one suite, run over every kind of store; then what is special to
 * files (temporaries, folders in the way, no permission) and to the faulty store.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/thread.h"
#include "builtin.h"
#include "core/store.h"
#include "stores/faulty_store.h"
#include "stores/memory_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static crn_store *file_store(void)
{
	crn_store *s = NULL;
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s/deep", folder);
	assert_int_equal(system(command), 0);
	char url[128];
	snprintf(url, sizeof(url), "file://%s/deep/er/", folder);
	assert_int_equal(crn_store_open(&crn_builtin_registry, url, &s, NULL), CAIRN_OK);
	return s;
}

static crn_store *memory_store(void)
{
	crn_store *s = NULL;
	assert_int_equal(crn_store_open(&crn_builtin_registry, "memory://", &s, NULL), CAIRN_OK);
	return s;
}

static crn_store *faulty(const crn_faults *faults)
{
	crn_store *s = NULL;
	assert_int_equal(crn_faulty_store_new(memory_store(), faults, &s, NULL), CAIRN_OK);
	return s;
}

static crn_store *faulty_store(void)
{
	crn_faults none = CRN_NO_FAULTS;
	return faulty(&none);
}

static void put(crn_store *s, const char *key, const char *text)
{
	cairn_error err = {0};
	if (s->ops->put(s, key, text, strlen(text), &err) != CAIRN_OK)
		fail_msg("%s", err.message);
}

static cairn_status get(crn_store *s, const char *key, crn_range range, char text[64], bool *found)
{
	size_t n = 0;
	cairn_error err = {0};
	cairn_status status = s->ops->get(s, key, &range, text, 16, &n, found, &err);
	if (status == CAIRN_OK)
		text[*found ? n : 0] = '\0';
	else
		assert_true(strlen(err.message) > 5);
	assert_int_equal(text[17], '#');
	return status;
}

static void assert_range(crn_store *s, const char *key, crn_range range, const char *expected)
{
	char text[64];
	bool found;
	memset(text, '#', sizeof(text));
	cairn_status status = get(s, key, range, text, &found);
	if (!expected) {
		assert_int_equal(status, CAIRN_INPUT);
		return;
	}
	assert_int_equal(status, CAIRN_OK);
	assert_true(found);
	assert_string_equal(text, expected);
}

static void check_ranges(crn_store *s)
{
	put(s, "a/b/c", "0123456789");
	crn_range all = {.kind = CRN_RANGE_ALL};
	assert_range(s, "a/b/c", all, "0123456789");
	assert_range(s, "a/b/c", (crn_range){CRN_RANGE_FROM, 3, 4}, "3456");
	assert_range(s, "a/b/c", (crn_range){CRN_RANGE_FROM, 10, 0}, "");
	assert_range(s, "a/b/c", (crn_range){CRN_RANGE_FROM, 0, 10}, "0123456789");
	assert_range(s, "a/b/c", (crn_range){CRN_RANGE_SUFFIX, 0, 3}, "789");
	assert_range(s, "a/b/c", (crn_range){CRN_RANGE_FROM, 8, 3}, NULL);
	assert_range(s, "a/b/c", (crn_range){CRN_RANGE_FROM, UINT64_MAX, 3}, NULL);
	assert_range(s, "a/b/c", (crn_range){CRN_RANGE_SUFFIX, 0, 11}, NULL);
	put(s, "a/b/c", "01234567890123456");
	assert_range(s, "a/b/c", all, NULL); /* one byte more than the buffer holds */
	put(s, "a/b/c", "");
	assert_range(s, "a/b/c", all, "");
}

static void check_absent(crn_store *s)
{
	char text[64];
	memset(text, '#', sizeof(text));
	bool found = true;
	crn_stat st;
	assert_int_equal(
		get(s, "no/such", (crn_range){CRN_RANGE_ALL, 0, 0}, text, &found), CAIRN_OK);
	assert_false(found);
	found = true;
	assert_int_equal(s->ops->stat(s, "no/such", &st, &found, NULL), CAIRN_OK);
	assert_false(found);
	assert_int_equal(s->ops->remove(s, "no/such", NULL), CAIRN_OK);
	char *bytes = (char *)"x";
	size_t n;
	assert_int_equal(crn_store_load(s, "no", 100, &bytes, &n, NULL), CAIRN_OK);
	assert_null(bytes);
}

static void check_replace(crn_store *s)
{
	crn_stat st = {0};
	bool found = false;
	put(s, "k", "long value");
	put(s, "k", "short");
	assert_range(s, "k", (crn_range){.kind = CRN_RANGE_ALL}, "short");
	assert_int_equal(s->ops->stat(s, "k", &st, &found, NULL), CAIRN_OK);
	assert_true(found);
	assert_int_equal(st.size_bytes, 5);
	char *bytes = NULL;
	size_t n = 0;
	assert_int_equal(crn_store_load(s, "k", 5, &bytes, &n, NULL), CAIRN_OK);
	assert_string_equal(bytes, "short");
	crn_free(bytes);
	assert_int_equal(crn_store_load(s, "k", 4, &bytes, &n, NULL), CAIRN_INPUT);
	assert_int_equal(s->ops->remove(s, "k", NULL), CAIRN_OK);
	assert_int_equal(s->ops->stat(s, "k", &st, &found, NULL), CAIRN_OK);
	assert_false(found);
}

static bool append_name(void *user, const char *name, bool is_prefix)
{
	crn_str_appendf(user, "%s%s ", name, is_prefix ? "/" : "");
	return strcmp(name, "stop") != 0;
}

static void assert_list(crn_store *s, const char *prefix, const char *expected)
{
	CRN_STR names = {0};
	crn_str_append(&names, "");
	assert_int_equal(s->ops->list(s, prefix, append_name, &names, NULL), CAIRN_OK);
	assert_string_equal(names.data, expected);
}

static void check_list(crn_store *s)
{
	put(s, "z/2/0", "x");
	put(s, "z/10/0", "x");
	put(s, "z/.zarray", "x");
	put(s, "z-1/x", "x");
	put(s, "top", "x");
	assert_list(s, "z", ".zarray 10/ 2/ ");
	assert_list(s, "", "a/ top z/ z-1/ ");
	assert_list(s, "nothing", "");
	put(s, "z/stop", "x");
	put(s, "z/zzz", "x");
	assert_list(s, "z", ".zarray 10/ 2/ stop ");
}

typedef struct writer {
	crn_store *store;
	int id;
	bool torn;
} writer;

static void *write_often(void *arg)
{
	writer *w = arg;
	char bytes[4096], back[4096];
	memset(bytes, 'a' + w->id, sizeof(bytes));
	for (int i = 0; i < 100; i++) {
		size_t n = 0;
		bool found = false;
		crn_range all = {.kind = CRN_RANGE_ALL};
		(void)!w->store->ops->put(w->store, "shared/key", bytes, sizeof(bytes), NULL);
		cairn_status status = w->store->ops->get(
			w->store, "shared/key", &all, back, sizeof(back), &n, &found, NULL);
		w->torn |= status != CAIRN_OK || !found || n != sizeof(back);
		for (size_t k = 1; k < n; k++)
			w->torn |= back[k] != back[0];
	}
	return NULL;
}

/* Readers see one writer's object or another's, never a mixture or a part. */
static void check_atomic(crn_store *s)
{
	writer w[3];
	crn_thread threads[3];
	for (int i = 0; i < 3; i++) {
		w[i] = (writer){.store = s, .id = i};
		assert_int_equal(crn_thread_start(&threads[i], write_often, &w[i], NULL), CAIRN_OK);
	}
	for (int i = 0; i < 3; i++) {
		crn_thread_join(&threads[i]);
		assert_false(w[i].torn);
	}
	assert_list(s, "shared", "key ");
}

static void test_conformance(void **state)
{
	crn_store *(*const kinds[])(void) = {file_store, memory_store, faulty_store};
	for (size_t k = 0; k < CRN_COUNT(kinds); k++) {
		crn_store *s = kinds[k]();
		check_absent(s);
		check_ranges(s);
		check_replace(s);
		check_list(s);
		check_atomic(s);
		crn_store_close(s);
	}
}

static void test_keys(void **state)
{
	const char *good[] = {"a", "a/b", ".zarray", "0.1.2", "c/0/1", "..a", "a..", "..."};
	const char *bad[] = {
		"", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\\b", ".crn-1", "a/.crn-x"};
	for (size_t i = 0; i < CRN_COUNT(good); i++)
		if (!crn_key_valid(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < CRN_COUNT(bad); i++)
		if (crn_key_valid(bad[i]))
			fail_msg("%s", bad[i]);
	crn_store *s = NULL;
	cairn_error err = {0};
	assert_int_equal(crn_store_open(&crn_builtin_registry, "ftp://x", &s, &err), CAIRN_USAGE);
	assert_non_null(strstr(err.hint, "file://"));
}

static void make_file(const char *path, int age_s)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0666);
	assert_true(fd >= 0);
	struct timespec times[2] = {0};
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= age_s;
	times[1] = times[0];
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void test_temporaries(void **state)
{
	crn_store *s = file_store();
	put(s, "a/x", "1");
	char old[200], fresh[200];
	snprintf(old, sizeof(old), "%s/a/.crn-00000000-1-1", s->root);
	snprintf(fresh, sizeof(fresh), "%s/a/.crn-00000000-1-2", s->root);
	make_file(old, 2 * 24 * 3600);
	make_file(fresh, 2 * 24 * 3600);
	/* Of two old ones the locked one has a living writer. */
	int holder = open(fresh, O_WRONLY);
	assert_int_equal(flock(holder, LOCK_EX), 0);
	assert_list(s, "a", "x ");
	assert_int_equal(s->ops->reap(s, "", false, NULL), CAIRN_OK);
	assert_int_equal(access(old, F_OK), 0); /* one folder further down */
	assert_int_equal(s->ops->reap(s, "", true, NULL), CAIRN_OK);
	assert_int_equal(access(old, F_OK), -1);
	assert_int_equal(access(fresh, F_OK), 0);
	close(holder);
	assert_int_equal(s->ops->reap(s, "a", false, NULL), CAIRN_OK);
	assert_int_equal(access(fresh, F_OK), -1);
	assert_range(s, "a/x", (crn_range){.kind = CRN_RANGE_ALL}, "1");
	crn_store_close(s);
}

static void test_files_in_the_way(void **state)
{
	crn_store *s = file_store();
	cairn_error err = {0};
	put(s, "a", "1");
	assert_int_equal(s->ops->put(s, "a/b", "2", 1, &err), CAIRN_FAILED);
	assert_non_null(strstr(err.message, s->root));
	put(s, "d/e", "1");
	assert_int_equal(s->ops->put(s, "d", "2", 1, &err), CAIRN_FAILED);
	assert_list(s, "d", "e ");
	CRN_STR left = {0};
	crn_str_appendf(&left, "ls -A %s | grep -c crn- > /dev/null", s->root);
	assert_int_not_equal(system(left.data), 0); /* no temporary stays behind */
	char fifo[200];
	snprintf(fifo, sizeof(fifo), "%s/fifo", s->root);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_range(s, "fifo", (crn_range){.kind = CRN_RANGE_ALL}, NULL);
	crn_store_close(s);
}

static void test_faults(void **state)
{
	crn_faults faults = CRN_NO_FAULTS;
	faults.full_from_put = 1;
	faults.broken_get = 0;
	faults.short_get = 1;
	faults.corrupt_get = 2;
	crn_store *s = faulty(&faults);
	cairn_error err = {0};
	put(s, "k", "0123");
	assert_int_equal(s->ops->put(s, "k2", "x", 1, &err), CAIRN_FAILED);
	assert_non_null(strstr(err.message, "No space left"));
	crn_range all = {.kind = CRN_RANGE_ALL};
	assert_range(s, "k", all, NULL);
	assert_range(s, "k", all, "01");
	assert_range(s, "k", all, "1123");
	assert_range(s, "k", all, "0123");
	crn_store_close(s);
}

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/cairn-stores-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conformance),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_temporaries),
		cmocka_unit_test(test_files_in_the_way),
		cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests_name("stores", tests, make_folder, remove_folder);
}

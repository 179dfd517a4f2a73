/* SPDX-License-Identifier: Apache-2.0
 *
 * base_test.c -- errors, strings, memory doors and hashes: the ground floor holds.
 */
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- err ---- */

static void errors_carry_what_where_and_a_hint(void **state)
{
	cairn_error err;
	char text[256];
	assert_int_equal(
		crn_fail(&err, CAIRN_INPUT, "%s is %d bytes short", "a.tif", 7), CAIRN_INPUT);
	crn_where(&err, "chunk %d", 3);
	crn_where(&err, "read");
	crn_hint(&err, "copy it again");
	crn_hint(&err, "the second hint loses");
	size_t n = cairn_error_format(&err, text, sizeof(text));
	assert_string_equal(text, "a.tif is 7 bytes short (chunk 3; read)\ncopy it again");
	assert_int_equal(n, strlen(text));
	assert_int_equal(err.status, CAIRN_INPUT);
}

static void a_new_failure_forgets_the_old_one(void **state)
{
	cairn_error err;
	(void)crn_fail(&err, CAIRN_FAILED, "one");
	crn_where(&err, "here");
	crn_hint(&err, "try");
	(void)crn_fail(&err, CAIRN_USAGE, "two");
	assert_string_equal(err.message, "two");
	assert_string_equal(err.where, "");
	assert_string_equal(err.hint, "");
}

static void errors_never_overflow(void **state)
{
	cairn_error err;
	char text[64], big[2048];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)crn_fail(&err, CAIRN_FAILED, "%s", big);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	for (int i = 0; i < 400; i++)
		crn_where(&err, "abc");
	assert_true(strlen(err.where) < sizeof(err.where));
	crn_hint(&err, "%s", big);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
	size_t n = cairn_error_format(&err, text, sizeof(text));
	assert_true(n > sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

static void errors_may_be_null(void **state)
{
	assert_int_equal(crn_fail(NULL, CAIRN_NOFIT, "%d", 1), CAIRN_NOFIT);
	assert_int_equal(crn_fail_memory(NULL, "x", 1), CAIRN_FAILED);
	errno = ENOENT;
	assert_int_equal(crn_fail_errno(NULL, CAIRN_INPUT, "opening", "x"), CAIRN_INPUT);
	crn_where(NULL, "x");
	crn_hint(NULL, "x");
}

static void errno_is_told(void **state)
{
	cairn_error err;
	errno = EACCES;
	(void)crn_fail_errno(&err, CAIRN_FAILED, "writing", "out.npy");
	assert_string_equal(err.message, "writing out.npy: Permission denied");
}

/* ---- str ---- */

static void strings_grow(void **state)
{
	CRN_STR s = {0};
	char want[4000] = "";
	size_t used = 0;
	for (int i = 0; i < 500; i++) {
		crn_str_appendf(&s, "%d,", i);
		used += (size_t)snprintf(want + used, sizeof(want) - used, "%d,", i);
	}
	assert_string_equal(s.data, want);
	assert_int_equal(s.len, used);
	crn_str_clear(&s);
	assert_string_equal(s.data, "");
	crn_str_append_n(&s, "ab\0cd", 5);
	assert_int_equal(s.len, 5);
	assert_memory_equal(s.data, "ab\0cd", 6);
}

static void taken_strings_belong_to_the_caller(void **state)
{
	crn_str s = {0};
	char *empty = crn_str_take(&s);
	assert_string_equal(empty, "");
	crn_free(empty);
	crn_str_append(&s, "text");
	char *text = crn_str_take(&s);
	assert_string_equal(text, "text");
	assert_null(s.data);
	crn_free(text);
	crn_str_done(&s);
	crn_str_done(&s);
}

static void strings_remember_running_out(void **state)
{
	crn_str s = {0};
	crn_mem_fail_after(0);
	crn_str_append(&s, "x");
	assert_true(crn_mem_failed());
	assert_true(s.oom);
	crn_str_append(&s, "y");
	assert_int_equal(s.len, 0);
	assert_null(crn_str_take(&s));
	crn_str_append(&s, "z"); /* usable again after take */
	assert_string_equal(s.data, "z");
	crn_str_done(&s);
}

static void bytes_read_well(void **state)
{
	char text[32];
	assert_string_equal(crn_format_bytes(0, text), "0 B");
	assert_string_equal(crn_format_bytes(1023, text), "1023 B");
	assert_string_equal(crn_format_bytes(1024, text), "1.0 KiB");
	assert_string_equal(crn_format_bytes(1.5 * (1 << 20), text), "1.5 MiB");
	assert_string_equal(crn_format_bytes(0x1p63, text), "8.0 EiB");
	assert_string_equal(crn_format_bytes(0x1p80, text), "1048576.0 EiB");
}

/* ---- mem ---- */

static void sizes_are_checked(void **state)
{
	size_t r = 5;
	assert_false(crn_mul_size(SIZE_MAX / 2, 3, &r));
	assert_false(crn_add_size(SIZE_MAX, 1, &r));
	assert_int_equal(r, 5);
	assert_true(crn_mul_size(1 << 20, 1 << 20, &r));
	assert_true(r == (size_t)1 << 40);
	assert_null(crn_calloc(SIZE_MAX / 4, 8));
	char *p = crn_alloc(3);
	assert_null(crn_realloc_array(p, SIZE_MAX / 4, 8));
	memcpy(p, "ok", 3); /* still ours */
	crn_free(p);
	crn_free(NULL);
}

static void nothing_is_still_something(void **state)
{
	void *a = crn_alloc(0), *b = crn_calloc(0, 8), *c = crn_realloc_array(NULL, 0, 1);
	assert_true(a && b && c);
	crn_free(a);
	crn_free(b);
	crn_free(c);
	CRN_FREE char *d = crn_strndup("abcdef", 3);
	assert_string_equal(d, "abc");
}

static void the_nth_allocation_fails_once(void **state)
{
	crn_mem_fail_after(2);
	CRN_FREE void *a = crn_alloc(1);
	CRN_FREE void *b = crn_calloc(1, 1);
	CRN_FREE void *c = crn_alloc(1);
	CRN_FREE void *d = crn_alloc(1);
	assert_true(a && b && !c && d);
	assert_true(crn_mem_failed());
	assert_false(crn_mem_failed());
	crn_mem_fail_after(5);
	assert_false(crn_mem_failed()); /* armed, but not reached; now disarmed */
	for (int i = 0; i < 10; i++) {
		CRN_FREE void *e = crn_alloc(1);
		assert_non_null(e);
	}
}

static void stolen_pointers_are_not_freed(void **state)
{
	char *out = NULL;
	{
		CRN_FREE char *p = crn_strdup("kept");
		out = crn_steal(&p);
		assert_null(p);
	}
	assert_string_equal(out, "kept");
	crn_free(out);
}

/* ---- hash ---- */

static crn_hash hash_two(const char *a, const char *b)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_text(&h, a);
	crn_hash_text(&h, b);
	return crn_hasher_result(&h);
}

static void hashes_see_field_borders(void **state)
{
	assert_false(crn_hash_equal(hash_two("ab", "c"), hash_two("a", "bc")));
	assert_true(crn_hash_equal(hash_two("ab", "c"), hash_two("ab", "c")));
	assert_false(crn_hash_equal(hash_two("", "x"), hash_two("x", "")));
}

static void hashes_are_xxh3(void **state)
{
	/* XXH3_64bits and XXH3_128bits of nothing, from the xxHash specification's test vectors. */
	crn_hasher h;
	char text[33];
	crn_hasher_init(&h);
	assert_string_equal(
		crn_hash_hex(crn_hasher_result(&h), text), "99aa06d3014798d86001c324468d497f");
	assert_true(crn_checksum("", 0) == 0x2D06800538D394C2u);
}

static void hashing_in_pieces_is_hashing_at_once(void **state)
{
	unsigned char bytes[3000];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	crn_hasher all, parts;
	crn_hasher_init(&all);
	crn_hash_bytes(&all, bytes, sizeof(bytes));
	crn_hasher_init(&parts);
	for (size_t i = 0, n; i < sizeof(bytes); i += n) {
		n = 1 + i % 97;
		n = n > sizeof(bytes) - i ? sizeof(bytes) - i : n;
		crn_hash_bytes(&parts, bytes + i, n);
	}
	assert_true(crn_hash_equal(crn_hasher_result(&all), crn_hasher_result(&parts)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_carry_what_where_and_a_hint),
		cmocka_unit_test(a_new_failure_forgets_the_old_one),
		cmocka_unit_test(errors_never_overflow),
		cmocka_unit_test(errors_may_be_null),
		cmocka_unit_test(errno_is_told),
		cmocka_unit_test(strings_grow),
		cmocka_unit_test(taken_strings_belong_to_the_caller),
		cmocka_unit_test(strings_remember_running_out),
		cmocka_unit_test(bytes_read_well),
		cmocka_unit_test(sizes_are_checked),
		cmocka_unit_test(nothing_is_still_something),
		cmocka_unit_test(the_nth_allocation_fails_once),
		cmocka_unit_test(stolen_pointers_are_not_freed),
		cmocka_unit_test(hashes_see_field_borders),
		cmocka_unit_test(hashes_are_xxh3),
		cmocka_unit_test(hashing_in_pieces_is_hashing_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

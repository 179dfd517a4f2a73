/* SPDX-License-Identifier: Apache-2.0
 *
 * global_test_services.h -- the engine's services to a global op (crn_env), for tests of ops
 * without an engine: a budget that may be short, and scratch in memory. One thread; a broken
 * promise fails the test.
 */
#ifndef CRN_OPS_GLOBAL_TEST_SERVICES_H
#define CRN_OPS_GLOBAL_TEST_SERVICES_H

#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

typedef struct services {
	int64_t charged, most, budget;
	char *spilled;
	size_t n, cap;
	int64_t overwrites;
} services;

static inline cairn_status charge(void *engine, int64_t delta, cairn_error *err)
{
	services *s = engine;
	if (s->budget && s->charged + delta > s->budget)
		return crn_fail(err, CAIRN_FAILED, "the budget is used up");
	s->charged += delta;
	s->most = s->charged > s->most ? s->charged : s->most;
	assert_true(s->charged >= 0);
	return CAIRN_OK;
}

static inline cairn_status spill(
	void *engine, const void *bytes, size_t n, uint64_t *ret_offset, cairn_error *err)
{
	services *s = engine;
	(void)err;
	if (s->n + n > s->cap) {
		s->cap = 2 * (s->n + n);
		s->spilled = realloc(s->spilled, s->cap);
		assert_non_null(s->spilled);
	}
	memcpy(s->spilled + s->n, bytes, n);
	*ret_offset = s->n;
	s->n += n;
	return CAIRN_OK;
}

static inline cairn_status unspill(
	void *engine, uint64_t offset, void *bytes, size_t n, cairn_error *err)
{
	services *s = engine;
	(void)err;
	assert_true(offset <= s->n && n <= s->n - offset);
	memcpy(bytes, s->spilled + offset, n);
	return CAIRN_OK;
}

static inline cairn_status overwrite(
	void *engine, uint64_t offset, const void *bytes, size_t n, cairn_error *err)
{
	services *s = engine;
	(void)err;
	assert_true(offset <= s->n && n <= s->n - offset);
	memcpy(s->spilled + offset, bytes, n);
	s->overwrites++;
	return CAIRN_OK;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * span_test.c -- every nanosecond is counted once, and a lane's room is enough for any run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"

enum { NODES = 3, ROOM = 64 };

static crn_totals totals[(NODES + 1) * CRN_N_SPANS];
static crn_event events[ROOM];

static crn_lane new_lane(int room)
{
	for (int i = 0; i < (NODES + 1) * CRN_N_SPANS; i++)
		totals[i] = (crn_totals){0};
	return (crn_lane){.totals = totals, .n_nodes = NODES, .events = events, .max_events = room};
}

static void spin(int64_t ns)
{
	int64_t until = crn_now_ns() + ns;
	while (crn_now_ns() < until)
		continue;
}

static void test_without_a_lane_nothing_happens(void **state)
{
	(void)state;
	crn_lane_attach(NULL);
	crn_span s = crn_span_begin(CRN_SPAN_READ, 0);
	crn_span_end(&s, 1, 1);
	assert_null(s.lane);
}

static void test_inner_time_is_taken_off_the_outer(void **state)
{
	(void)state;
	crn_lane lane = new_lane(ROOM);
	crn_lane_attach(&lane);
	int64_t start = crn_now_ns();
	crn_span outer = crn_span_begin(CRN_SPAN_DECODE, 1);
	spin(200000);
	for (int i = 0; i < 3; i++) {
		crn_span inner = crn_span_begin(CRN_SPAN_READ, CRN_SPAN_INHERIT);
		spin(100000);
		crn_span_end(&inner, 10, 0);
	}
	crn_span_end(&outer, 1000, 250);
	int64_t whole = crn_now_ns() - start;
	crn_lane_attach(NULL);
	const crn_totals *read = &totals[1 * CRN_N_SPANS + CRN_SPAN_READ];
	const crn_totals *decode = &totals[1 * CRN_N_SPANS + CRN_SPAN_DECODE];
	assert_int_equal(read->n, 3);
	assert_int_equal(read->bytes, 30);
	assert_int_equal(decode->n, 1);
	assert_int_equal(decode->bytes, 1000);
	assert_int_equal(decode->voxels, 250);
	assert_true(read->ns >= 300000);
	assert_true(decode->ns >= 200000);
	assert_true(read->ns + decode->ns <= whole);
	assert_int_equal(lane.n_events, 4);
	assert_int_equal(events[0].depth, 1);
	assert_int_equal(events[3].depth, 0);
	assert_int_equal(events[3].busy_ns, events[3].end_ns - events[3].start_ns);
	assert_true(events[3].busy_ns == read->ns + decode->ns);
}

static void test_spans_of_no_node_have_a_row(void **state)
{
	(void)state;
	crn_lane lane = new_lane(0);
	crn_lane_attach(&lane);
	crn_span s = crn_span_begin(CRN_SPAN_IDLE, CRN_SPAN_INHERIT);
	crn_span_end(&s, 0, 0);
	s = crn_span_begin(CRN_SPAN_IDLE, NODES); /* no such node */
	crn_span_end(&s, 0, 0);
	crn_lane_attach(NULL);
	assert_int_equal(totals[NODES * CRN_N_SPANS + CRN_SPAN_IDLE].n, 2);
	assert_int_equal(lane.n_events, 0);
}

/* A hundred times more spans than room: none is lost from the sums, a long one stays as it was. */
static void test_the_timeline_thins_itself_out(void **state)
{
	(void)state;
	enum { SPANS = 100 * ROOM, LONG = SPANS / 3 };
	crn_lane lane = new_lane(ROOM);
	crn_lane_attach(&lane);
	int64_t long_start = 0;
	for (int i = 0; i < SPANS; i++) {
		crn_span s = crn_span_begin(CRN_SPAN_COMPUTE, i == LONG ? 2 : 0);
		if (i == LONG) {
			long_start = s.start_ns;
			spin(20000000);
		}
		crn_span inner = crn_span_begin(CRN_SPAN_COPY, CRN_SPAN_INHERIT);
		crn_span_end(&inner, 0, 0);
		crn_span_end(&s, 2, 1);
		assert_true(lane.n_events <= ROOM);
	}
	crn_lane_attach(NULL);
	int64_t n = 0, bytes = 0;
	bool found = false;
	for (int i = 0; i < lane.n_events; i++) {
		const crn_event *e = &events[i];
		n += e->depth == 0 ? e->n : 0;
		bytes += e->bytes;
		assert_true(e->end_ns >= e->start_ns);
		assert_true(e->busy_ns <= e->end_ns - e->start_ns);
		if (i > 0 && e->depth == 0 && events[i - 1].depth == 0)
			assert_true(e->start_ns >= events[i - 1].end_ns);
		found = found || (e->node == 2 && e->start_ns <= long_start &&
					 e->end_ns - e->start_ns >= 20000000);
	}
	assert_int_equal(n, SPANS);
	assert_int_equal(bytes, 2 * SPANS);
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_lane_nothing_happens),
		cmocka_unit_test(test_inner_time_is_taken_off_the_outer),
		cmocka_unit_test(test_spans_of_no_node_have_a_row),
		cmocka_unit_test(test_the_timeline_thins_itself_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

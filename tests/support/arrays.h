/* SPDX-License-Identifier: Apache-2.0
 *
 * arrays.h -- test arrays: .npy golden files, seeded random values, comparing, array nodes over
 * memory.
 *
 * Arrays are crn_view with memory that crn_test_array_free() frees; use CRN_TEST_ARRAY for scope.
 */
#ifndef CRN_TEST_ARRAYS_H
#define CRN_TEST_ARRAYS_H

#include "core/call.h"
#include "core/node.h"

void crn_test_array_free(crn_view *v);
#define CRN_TEST_ARRAY __attribute__((cleanup(crn_test_array_free))) crn_view

/** Path of a file under tests/, as "golden/filters/a.npy"; in one of 8 rotating buffers. */
const char *crn_test_path(const char *relative);

/** Zeroed C-contiguous array; aborts when out of memory (as all of this file does). */
crn_view crn_test_array(crn_dtype dtype, int ndim, const int64_t *shape);

/** Reads a .npy of our dtypes, either byte order, C or Fortran order (made C). */
CRN_CHECKED cairn_status crn_test_npy(const char *path, crn_view *ret, cairn_error *err);

/* ---- seeded random: splitmix64, the same everywhere ---- */

typedef struct crn_test_rng {
	uint64_t state;
} crn_test_rng;
uint64_t crn_test_u64(crn_test_rng *g);
int64_t crn_test_int(crn_test_rng *g, int64_t lo, int64_t last); /* lo..last, both included */
double crn_test_unit(crn_test_rng *g);                           /* [0, 1) */
/** Uniform over the whole range of an integer dtype; floats in [-100, 100); bool half and half. */
void crn_test_fill(crn_test_rng *g, const crn_view *v);
/** Small integers 0..limit-1 (floats too), so that ties and equal neighbours happen. */
void crn_test_fill_small(crn_test_rng *g, const crn_view *v, int limit);

/* ---- comparing ---- */

/** Equal dtype, shape and values: exact bytes for rtol == atol == 0 (but any NaN equals any NaN and
 * -0 equals 0); else |got - want| <= atol + rtol * |want|. FAILED names the first and the worst
 * difference and their number. */
CRN_CHECKED cairn_status crn_test_compare(
	const crn_view *got, const crn_view *want, double rtol, double atol, cairn_error *err);
/** Same dtype, shape, bytes. */
bool crn_test_same_bytes(const crn_view *a, const crn_view *b);

/* ---- nodes ---- */

/** A source node over a copy of the values; `unit` (read unit per axis, NULL: whole) also decides
 * that only read_unit is offered; with NULL, read_box. */
CRN_CHECKED cairn_status crn_test_source(crn_graph *g, const crn_view *values, const int64_t *unit,
	crn_node **ret, cairn_error *err);

/** One call: name(nodes..., text..., constant_name=constant). */
typedef struct crn_test_request {
	const char *name;
	crn_node *const *nodes;
	int n_nodes;
	bool as_list;              /* the nodes go in as one list */
	const char *text;          /* the rest of the call in pipeline syntax, literals only: "2.5,
				      mode='wrap'" */
	const char *constant_name; /* NULL: none */
	const crn_value *constant;
} crn_test_request;
/** The result must be an array or a table. x[...] is name "getitem" with one entry per index, as in
 * "((1, None, 2), 3, '...')". */
CRN_CHECKED cairn_status crn_test_make(
	crn_graph *g, const crn_test_request *r, crn_node **ret, cairn_error *err);
/** The short form: name(nodes..., text...). */
CRN_CHECKED cairn_status crn_test_call(crn_graph *g, const char *name, crn_node *const *nodes,
	int n_nodes, const char *text, crn_node **ret, cairn_error *err);

/** One error as text for messages; in one of 8 rotating buffers. */
const char *crn_test_error(const cairn_error *err);
/** assert_int_equal(status, CAIRN_OK) that shows the message. */
#define crn_assert_ok(expr) \
	do { \
		cairn_error *shown_ = &err; \
		if ((expr) != CAIRN_OK) \
			fail_msg("%s: %s", #expr, crn_test_error(shown_)); \
	} while (0)

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * reference.h -- the naive reference: every op again, from its definition in NumPy, scipy.ndimage
 * or scikit-image, as plain loops over voxels and taps of whole arrays in memory.
 *
 * It shares no kernel and no op code with the library (only the dtype list and the view struct).
 * Each entry can also make up a call: arguments that fit given inputs, as pipeline text for the
 * library and as numbers for itself. Slow and obvious on purpose; checked against scipy's own
 * results by reference_test.c.
 */
#ifndef CRN_TEST_REFERENCE_H
#define CRN_TEST_REFERENCE_H

#include "support/arrays.h"

enum { REF_MAX_IN = 4, REF_NUMBERS = 40 };

/** One made-up call. */
typedef struct ref_call {
	char text[512];         /* arguments after the arrays, pipeline syntax */
	bool as_list;           /* the arrays go in as one list: concatenate([a, b]) */
	int64_t i[REF_NUMBERS]; /* what eval needs, in whatever order it likes */
	double f[REF_NUMBERS];
	crn_dtype dtype;
	crn_value structure; /* CONST argument, if any; passed as keyword `structure_name` */
	const char *structure_name;
	/* How close the library has to come. Exact when all are 0. */
	double rtol, atol;
	/* The reference gives float64 before rounding; the integer result is within 0.5 + atol. */
	bool before_rounding;
} ref_call;

typedef struct ref_op {
	const char *name; /* of the library's op; NULL ends a table */
	int n_in;
	/* Makes up arguments; false if the op does not take these inputs. */
	bool (*choose)(crn_test_rng *g, const crn_view *in, ref_call *c);
	/* The whole result as a new dense array. */
	crn_view (*eval)(const crn_view *in, const ref_call *c);
} ref_op;

extern const ref_op ref_elementwise[], ref_views[], ref_filters[], ref_morphology[],
	ref_reductions[], ref_measures[];

/* ---- elements of dense arrays by linear index ---- */

__int128 ref_int(const crn_view *v, int64_t at);                 /* integers and bool */
double ref_float(const crn_view *v, int64_t at);                 /* any dtype */
bool ref_truth(const crn_view *v, int64_t at);                   /* not zero; NaN is true */
void ref_put_int(const crn_view *v, int64_t at, __int128 value); /* wraps; floats round */
void ref_put_float(const crn_view *v, int64_t at, double value); /* integers: must be in range */
void ref_copy_element(const crn_view *to, int64_t i, const crn_view *from, int64_t k);
int64_t ref_count(const crn_view *v);
crn_view ref_new(crn_dtype t, int ndim, const int64_t *shape);
crn_view ref_like(const crn_view *v, crn_dtype t);

/* ---- text of made-up calls ---- */

void ref_text(ref_call *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* appends */
bool ref_one_in(crn_test_rng *g, int n);       /* true once in n */
/** A comma and ", name=value" texts only when not the default, half of the time. */
extern const char *const ref_modes[]; /* reflect, mirror, nearest, wrap, constant, NULL */

/** scipy.ndimage border: index inside [0, n) for i, -1 for the constant; mode indexes ref_modes. */
int64_t ref_border(int64_t i, int64_t n, int mode);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h -- what an op can be given: numbers, text, lists, small constant arrays, array nodes.
 *
 * The pipeline language, the C interface and later Python all produce these; ops read them.
 * A node keeps its (canonical) argument values for ever: they are its parameters, they are hashed
 * into its content hash, printed by explain and written into a plan. Values own what they hold;
 * a zeroed value is None.
 */
#ifndef CRN_CORE_VALUE_H
#define CRN_CORE_VALUE_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "core/view.h"

typedef struct crn_node crn_node;

/** A small immutable array held in memory (structuring element, kernel weights). Shared. */
typedef struct crn_const {
	_Atomic int refs;
	crn_dtype dtype;
	int ndim;
	int64_t shape[CRN_MAX_NDIM];
	void *data; /* C-contiguous */
} crn_const;

typedef enum crn_value_kind {
	CRN_V_NONE = 0,
	CRN_V_BOOL,
	CRN_V_INT,  /* int64 */
	CRN_V_UINT, /* only values above INT64_MAX */
	CRN_V_FLOAT,
	CRN_V_STR,
	CRN_V_LIST, /* tuple or list */
	CRN_V_CONST,
	CRN_V_NODE, /* a lazy array or table */
} crn_value_kind;

typedef struct crn_value crn_value;
struct crn_value {
	crn_value_kind kind;
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double f;
		char *s;
		struct {
			crn_value *items;
			int n;
		} list;
		crn_const *c;
		crn_node *node;
	};
};

crn_value crn_value_bool(bool b);
crn_value crn_value_int(int64_t i);
crn_value crn_value_uint(uint64_t u); /* INT when it fits */
crn_value crn_value_float(double f);
crn_value crn_value_node(crn_node *take_node);
crn_value crn_value_const(crn_const *take_const);
CRN_CHECKED cairn_status crn_value_str(const char *text, crn_value *ret, cairn_error *err);
CRN_CHECKED cairn_status crn_value_list(int n, crn_value *ret, cairn_error *err); /* n times None */
/** List of ints or floats. */
CRN_CHECKED cairn_status crn_value_ints(const int64_t *v, int n, crn_value *ret, cairn_error *err);
CRN_CHECKED cairn_status crn_value_floats(const double *v, int n, crn_value *ret, cairn_error *err);
CRN_CHECKED cairn_status crn_value_copy(const crn_value *v, crn_value *ret, cairn_error *err);
void crn_value_clear(crn_value *v); /* frees what it owns; becomes None */
#define CRN_VALUE __attribute__((cleanup(crn_value_clear))) crn_value

bool crn_value_is_number(const crn_value *v);   /* BOOL, INT, UINT, FLOAT */
double crn_value_to_double(const crn_value *v); /* of a number */
/** Number as an element of `t`; false if an integer does not fit or a float meets an int dtype. */
bool crn_value_to_elem(const crn_value *v, crn_dtype t, crn_elem *ret);
void crn_value_hash(const crn_value *v, crn_hasher *h);
/** Pipeline text of the value; nodes as "<array float32 (100, 400, 400)>", long lists cut. */
void crn_value_print(const crn_value *v, crn_str *out);

/** Zeroed constant array of at most 16 MiB. */
CRN_CHECKED cairn_status crn_const_new(
	crn_dtype dtype, int ndim, const int64_t *shape, crn_const **ret, cairn_error *err);
crn_const *crn_const_ref(crn_const *c);
void crn_const_unref(crn_const *c);
int64_t crn_const_count(const crn_const *c);
crn_view crn_const_view(const crn_const *c);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * call.h -- calling an op by name: binds positional and keyword arguments to its parameter table.
 *
 * The one door for the pipeline language, the C interface and composite ops.
 */
#ifndef CRN_CORE_CALL_H
#define CRN_CORE_CALL_H

#include "core/op.h"

typedef struct crn_kwarg {
	const char *name;
	crn_value value; /* borrowed */
} crn_kwarg;

/** NULL if there is no such op (internal ones are found too). */
const crn_op *crn_op_find(const crn_registry *r, const char *name);

/**
 * op(args..., kwargs...): checks and converts arguments, fills defaults, builds.
 *
 * USAGE names the op, the parameter, what was given and what is expected; for an unknown keyword
 * the nearest parameter. A last parameter named "**options" (type CRN_P_ANY, no default) collects
 * the keywords no other parameter has: a LIST of (name STR, value) lists, perhaps empty.
 */
CRN_CHECKED cairn_status crn_call_op(crn_graph *g, const crn_op *op, const crn_value *args,
	int n_args, const crn_kwarg *kwargs, int n_kwargs, crn_value *ret, cairn_error *err);

/** For composite ops: positional call of `name` whose result is an array. Values are borrowed. */
CRN_CHECKED cairn_status crn_build_node(crn_graph *g, const char *name, const crn_value *args,
	int n_args, crn_node **ret, cairn_error *err);

/** Parses a default_text: number, True/False/None, inf, nan, quoted string, tuple or list of those;
 * "1, 2" without brackets is a tuple. */
CRN_CHECKED cairn_status crn_value_parse_literal(
	const char *text, crn_value *ret, cairn_error *err);

/* Helpers on checked arguments. INTS/FLOATS: one number spreads over n axes; a list must have n
 * entries (USAGE naming `what` otherwise). */
CRN_CHECKED cairn_status crn_args_ints(
	const crn_value *v, int n, int64_t *ret, const char *what, cairn_error *err);
CRN_CHECKED cairn_status crn_args_floats(
	const crn_value *v, int n, double *ret, const char *what, cairn_error *err);
/** axis=None|int|tuple with negatives -> flags per axis; None sets all. Duplicates are USAGE. */
CRN_CHECKED cairn_status crn_args_axes(const crn_value *v, int ndim, bool ret_flags[CRN_MAX_NDIM],
	const char *what, cairn_error *err);

#endif

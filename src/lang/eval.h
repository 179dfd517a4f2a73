/* SPDX-License-Identifier: Apache-2.0
 *
 * eval.h -- what the evaluator's files share: the names, the sinks, and one expression's value.
 */
#ifndef CRN_LANG_EVAL_H
#define CRN_LANG_EVAL_H

#include "core/registry.h"
#include "lang/pipeline.h"
#include "lang/script.h"

typedef struct crn_binding {
	const char *name; /* borrowed from the script */
	crn_value value;
	size_t offset; /* of the assignment that gave the value; SIZE_MAX: given from outside */
} crn_binding;

typedef struct crn_eval {
	crn_graph *graph;
	const crn_script_text *text;
	crn_binding *names;
	int n_names, names_capacity;
	int64_t kept;       /* crn_eval_size of all values: bounds what a hostile text can hold */
	const char *module; /* what `import cairn as NAME` named it, or NULL */
	const char *target; /* left side of the running assignment, or NULL */
	const crn_ast *outermost; /* its expression: the call whose node gets the target's name */
	crn_node **sinks;
	int n_sinks, sinks_capacity;
	int level;
} crn_eval;

/** Value of an expression. Errors carry their place. */
CRN_CHECKED cairn_status crn_eval_expression(
	crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err);
/** x[...]: lists here, arrays through the op getitem. */
CRN_CHECKED cairn_status crn_eval_index(
	crn_eval *e, const crn_ast *a, crn_value *ret, cairn_error *err);
/** op(args...) with error places and node origins for the call at `offset`. */
CRN_CHECKED cairn_status crn_eval_op(crn_eval *e, const crn_ast *at, const char *name,
	const crn_value *args, int n_args, crn_value *ret, cairn_error *err);
/** The bound name, or NULL. */
crn_binding *crn_eval_find(const crn_eval *e, const char *name);
/** USAGE for a name nobody knows, with the nearest of names, ops and constants. */
cairn_status crn_eval_unknown(
	const crn_eval *e, const char *name, size_t offset, const char *what, cairn_error *err);
/** NULL if there is no op of this name that pipelines may call. */
const crn_op *crn_eval_public_op(const crn_eval *e, const char *name);
/** Value of a predefined name: dtypes, inf, nan, pi, newaxis. */
CRN_CHECKED cairn_status crn_eval_constant(
	const char *name, bool *ret_found, crn_value *ret, cairn_error *err);
/** About what a value holds: 1 a plain value, more for long texts and constant arrays. */
int64_t crn_eval_size(const crn_value *v);

#endif

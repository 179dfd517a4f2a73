/* SPDX-License-Identifier: Apache-2.0
 *
 * api.h -- what the files behind the public header share: the opaque structs and conversions.
 *
 *	api.c          session, pipelines, running
 *	api_array.c    arrays: opening, evaluating, reading
 *	api_ops.c      operations and formats described from their descriptors
 *	api_describe.c facts of an array or a pipeline file
 *	api_list.c     arrays in a folder or group
 *	api_bench.c    what this machine can do
 *	api_print.c    values of print() as text
 */
#ifndef CRN_API_H
#define CRN_API_H

#include "cairn/cairn.h"

#include "base/str.h"
#include "base/thread.h"
#include "core/node.h"
#include "exec/run.h"
#include "lang/pipeline.h"

struct cairn_session {
	_Atomic int refs; /* the caller's, and one per pipeline and array */
	crn_engine *engine;
	crn_mutex building; /* ranks below the graph's lock: held while texts are evaluated */
	crn_graph *graph;   /* its origin text is confined to the holder of `building` */
};

struct cairn_array {
	cairn_session *session;
	crn_node *node;
};

struct cairn_pipeline {
	cairn_session *session;
	crn_pipeline *inner;
};

cairn_session *crn_api_session_ref(cairn_session *s);
/** The caller's options over the environment over the defaults. ret->user is `options`. */
CRN_CHECKED cairn_status crn_api_options(
	const cairn_options *options, crn_run_options *ret, cairn_error *err);
/** Wraps a value that must be an array; `what` names it in the USAGE error. */
CRN_CHECKED cairn_status crn_api_array(cairn_session *s, const crn_value *v, const char *what,
	cairn_array **ret, cairn_error *err);
/** File of the machine's costs; stays empty if the user has no cache folder. */
void crn_api_machine_path(crn_str *out);
/** Hands a finished text out; FAILED if memory ran out. */
CRN_CHECKED cairn_status crn_api_take(crn_str *text, char **ret, cairn_error *err);
/** A value as NumPy prints it: "12.5", "[1 2 3]", rows on lines of their own, long ones cut. */
void crn_api_print_value(const crn_type *type, const crn_view *v, crn_str *out);
/** Facts of an array: members of a JSON object without braces, or indented lines. */
void crn_api_describe_node(const crn_node *n, cairn_style style, crn_str *out);

#endif

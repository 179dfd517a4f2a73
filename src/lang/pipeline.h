/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline.h -- a pipeline text evaluated into a graph: its names, its outputs, its last value.
 *
 *	graph + text (+ settings) ── crn_pipeline_new ── names with values ── sinks, in order
 *
 * Evaluating calls ops, which make nodes; files are opened (headers only), no voxel is computed.
 *
 * Relative paths in a text are relative to the working directory, as they are under python.
 * A text may itself read from pipelines: read("other.py#name"); nesting is limited.
 *
 * Threads: one pipeline is built by one thread; the nodes it gives out follow core/node.h.
 */
#ifndef CRN_LANG_PIPELINE_H
#define CRN_LANG_PIPELINE_H

#include "core/node.h"

typedef struct crn_pipeline crn_pipeline;

/** Replaces the value of a top-level `name = LITERAL`: --set name=text. */
typedef struct crn_setting {
	const char *name;
	/* A literal as in the language, "1, 2, 2" a tuple. Where the pipeline has a text (a file
	 * name), any text that does not begin with a quote is taken as it is. */
	const char *text;
} crn_setting;

/** A name that has a value before the first statement. */
typedef struct crn_given {
	const char *name;       /* copied */
	const crn_value *value; /* copied */
} crn_given;

typedef struct crn_pipeline_request {
	const char *name; /* for messages: "wf.py"; NULL: a text from the command line */
	const crn_setting *settings;
	int n_settings;
	const crn_given *given;
	int n_given;
	int level; /* how many pipelines are being read around this one; 0 from outside */
} crn_pipeline_request;

/**
 * Parses and evaluates `n` bytes.
 *
 * @return USAGE with line, column and caret; or what an op called from the text returned, with the
 *	place of the call added. A setting that names no literal is USAGE with the nearest name.
 */
CRN_CHECKED cairn_status crn_pipeline_new(crn_graph *g, const char *text, size_t n,
	const crn_pipeline_request *request, crn_pipeline **ret, cairn_error *err);
/** The same from a file; request->name may be NULL (then the path names it). INPUT: unreadable. */
CRN_CHECKED cairn_status crn_pipeline_load(crn_graph *g, const char *path,
	const crn_pipeline_request *request, crn_pipeline **ret, cairn_error *err);
void crn_pipeline_free(crn_pipeline *p); /* NULL is fine */

/** Names in the order of their first assignment. */
int crn_pipeline_n_names(const crn_pipeline *p);
const char *crn_pipeline_name(const crn_pipeline *p, int i);
const crn_value *crn_pipeline_value(const crn_pipeline *p, int i); /* borrowed */
/** Value of a name; USAGE with the nearest name if there is none. */
CRN_CHECKED cairn_status crn_pipeline_find(
	const crn_pipeline *p, const char *name, const crn_value **ret, cairn_error *err);
/** What a last bare expression gave: `read("a.tif").mean()`; NULL if the text ends otherwise. */
const crn_value *crn_pipeline_last(const crn_pipeline *p);
/** write() and print() nodes in the order of the text; borrowed. */
crn_node *const *crn_pipeline_sinks(const crn_pipeline *p, int *ret_n);
const char *crn_pipeline_text(const crn_pipeline *p);

/** Is `url` a pipeline file ("wf.py", "wf.cairn", "wf.py#smooth")? Splits it: *ret_name is NULL
 * without '#'; *ret_path_bytes is the length of the path. The outputs may be NULL. */
bool crn_pipeline_is_url(const char *url, size_t *ret_path_bytes, const char **ret_name);

/** Value of "wf.py#smooth"; USAGE without a name, listing those there are. Copied to *ret. */
CRN_CHECKED cairn_status crn_pipeline_read(
	crn_graph *g, const char *url, int level, crn_value *ret, cairn_error *err);

#endif

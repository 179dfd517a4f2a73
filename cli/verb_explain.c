/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_explain.c -- `cairn explain`: the plan of a pipeline, before anything runs.
 */
#include "cli/cli.h"

static const cli_option options[] = {
	{0, "json", NULL, "the plan as JSON", NULL},
	{0, "dot", NULL, "the graph for graphviz", NULL},
	{0, "svg", NULL, "the graph as a picture", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static cairn_status explain(cli *c, cairn_error *err)
{
	cairn_pipeline *p = NULL;
	cairn_options o;
	char *text = NULL;
	cairn_style style = cli_has(c, "json")  ? CAIRN_JSON
			    : cli_has(c, "dot") ? CAIRN_DOT
			    : cli_has(c, "svg") ? CAIRN_SVG
						: CAIRN_TEXT;
	cairn_status status = cli_run_options(c, &o, err);
	if (status == CAIRN_OK)
		status = cli_pipeline(c, c->args[0], &p, err);
	if (status == CAIRN_OK)
		status = cairn_pipeline_explain(p, &o, style, &text, err);
	cairn_pipeline_free(p);
	return status == CAIRN_OK ? cli_print(text, err) : status;
}

const cli_verb cli_verb_explain = {
	.name = "explain",
	.summary = "show the plan of a pipeline without running it",
	.usage = "[OPTIONS] FILE | -e TEXT",
	.details = "Prints stages after fusion, tasks, voxels computed per operation with the "
		   "recompute ratio,\n"
		   "bytes read and written, number of files, and peak memory against the budget. "
		   "Only headers\n"
		   "are read, whatever the size of the data.",
	.examples = "  cairn explain foam.py --memory 2G\n  cairn explain foam.py --svg > plan.svg",
	.groups = {cli_text_options, cli_engine_options, options, cli_common_options},
	.min_args = 1,
	.max_args = 1,
	.run = explain,
};

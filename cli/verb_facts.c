/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_facts.c -- `cairn info`, `cairn ls`, `cairn ops`: facts that cost a look at headers at most.
 */
#include "cli/cli.h"

#include <string.h>

static cairn_style style(const cli *c)
{
	return cli_has(c, "json") ? CAIRN_JSON : CAIRN_TEXT;
}

static cairn_status info(cli *c, cairn_error *err)
{
	bool json = cli_has(c, "json") && c->n_args > 1;
	for (int i = 0; i < c->n_args; i++) {
		char *text = NULL;
		cairn_status status = cairn_describe(c->session, c->args[i], style(c), &text, err);
		if (json)
			fputs(i ? ", " : "[", stdout);
		if (status == CAIRN_OK)
			status = cli_print(text, err);
		if (status != CAIRN_OK)
			return status;
	}
	if (json)
		fputs("]\n", stdout);
	return CAIRN_OK;
}

static cairn_status ls(cli *c, cairn_error *err)
{
	char *text = NULL;
	cairn_status status =
		cairn_list(c->session, c->n_args > 0 ? c->args[0] : ".", style(c), &text, err);
	return status == CAIRN_OK ? cli_print(text, err) : status;
}

static const cli_option ops_options[] = {
	{0, "formats", NULL, "the file formats and their options instead", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static cairn_status ops(cli *c, cairn_error *err)
{
	char *text = NULL;
	cairn_status status;
	if (cli_has(c, "formats"))
		status = cairn_describe_formats(style(c), &text, err);
	else
		status =
			cairn_describe_ops(c->n_args > 0 ? c->args[0] : NULL, style(c), &text, err);
	return status == CAIRN_OK ? cli_print(text, err) : status;
}

const cli_verb cli_verb_info = {
	.name = "info",
	.summary = "what an array or a pipeline file holds",
	.usage = "[OPTIONS] URL...",
	.details = "Shape, dtype, axes, chunks, compression, bytes, and what reading one plane "
		   "costs. URL is a\n"
		   "file, a folder of images, a pattern (img.%05d.png), an array in a zarr, or a "
		   "pipeline file:\n"
		   "then every name with its type. Only headers are read.",
	.examples = "  cairn info bone.tif\n  cairn info foam.py\n  cairn info --json labels.zarr",
	.groups = {cli_json_option, cli_common_options},
	.min_args = 1,
	.max_args = CLI_MAX_GIVEN,
	.run = info,
};

const cli_verb cli_verb_ls = {
	.name = "ls",
	.summary = "the arrays in a folder or zarr group",
	.usage = "[OPTIONS] [URL]",
	.details = "One line an array, folders inside included; numbered files are one line.",
	.examples = "  cairn ls experiment.zarr\n  cairn ls --json .",
	.groups = {cli_json_option, cli_common_options},
	.min_args = 0,
	.max_args = 1,
	.run = ls,
};

const cli_verb cli_verb_ops = {
	.name = "ops",
	.summary = "the operations of the pipeline language",
	.usage = "[OPTIONS] [NAME]",
	.details =
		"All operations by category, or one with its parameters, defaults and an example.",
	.examples = "  cairn ops\n  cairn ops gaussian_filter\n  cairn ops --formats",
	.groups = {ops_options, cli_json_option, cli_common_options},
	.min_args = 0,
	.max_args = 1,
	.run = ops,
};

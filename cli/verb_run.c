/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_run.c -- `cairn run`: computes what a pipeline writes and prints.
 */
#include "cli/cli.h"

/* print() on stdout: the label, then the value. */
static void show_value(void *user, const cairn_printed *p)
{
	(void)user;
	cli_progress_end();
	bool label = p->label && p->label[0];
	printf("%s%s%s\n", label ? p->label : "", label ? " " : "", p->text);
	fflush(stdout);
}

static cairn_status run(cli *c, cairn_error *err)
{
	cairn_pipeline *p = NULL;
	cairn_options o;
	cairn_status status = cli_run_options(c, &o, err);
	o.print = show_value;
	if (status == CAIRN_OK)
		status = cli_pipeline(c, c->args[0], &p, err);
	if (status == CAIRN_OK)
		status = cli_carry_out(c, p, &o, err);
	cairn_pipeline_free(p);
	return status;
}

const cli_verb cli_verb_run = {
	.name = "run",
	.summary = "compute what a pipeline writes and prints",
	.usage = "[OPTIONS] FILE | -e TEXT",
	.details =
		"Reads a pipeline (FILE, - for stdin, or TEXT), plans it, and computes its "
		"outputs inside\n"
		"the memory given. Nothing that no output needs is read or computed. Relative "
		"paths in the\n"
		"text are relative to the working directory.\n\n"
		"Interrupted (Ctrl-C: what is in flight is finished), killed or out of disk: the "
		"same\ncommand again continues at the missing chunks. A finished output is left "
		"alone unless\n--on-exists replace is given.\n\n"
		"kill -USR1 adds one thread to a running command, kill -USR2 takes one away; the "
		"results\nare the same.",
	.examples = "  cairn run foam.py --set sigma=1,2,2 --memory 8G\n"
		    "  cairn run -e '(read(\"fish.tif\").median_filter(5) > "
		    "10).label().write(\"labels.zarr\")'\n"
		    "  cairn run foam.py --on-exists replace",
	.groups = {cli_text_options, cli_engine_options, cli_output_options, cli_common_options},
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

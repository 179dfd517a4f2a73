/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_generate.c -- `cairn generate`: man pages and completion, for packagers and `make install`.
 */
#include "cli/cli.h"

#include <string.h>

static cairn_status generate(cli *c, cairn_error *err)
{
	char *text = NULL;
	const char *what = c->args[0], *arg = c->n_args > 1 ? c->args[1] : NULL;
	if (strcmp(what, "man") == 0 && arg)
		return cli_write_man_pages(arg, err);
	if (strcmp(what, "completion") == 0 && arg)
		return cli_write_completion(arg, err);
	if (strcmp(what, "names") == 0) {
		cairn_status status = cairn_op_names(&text, err);
		return status == CAIRN_OK ? cli_print(text, err) : status;
	}
	cli_fail(err, CAIRN_USAGE, "cairn generate: nothing to make of %.40s", what);
	cli_hint(err, "usage: cairn generate %s", c->verb->usage);
	return CAIRN_USAGE;
}

const cli_verb cli_verb_generate = {
	.name = "generate",
	.summary = "man pages, shell completion, names of operations",
	.usage = "man FOLDER | completion bash|zsh|fish | names",
	.details = "Written from the tables the command itself uses, so they cannot drift from it.",
	.groups = {cli_common_options},
	.min_args = 1,
	.max_args = 2,
	.hidden = true,
	.run = generate,
};

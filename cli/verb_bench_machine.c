/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_bench_machine.c -- `cairn bench-machine`: this machine's limits, for people and for the
 * plans.
 */
#include "cli/cli.h"

static cairn_status bench_machine(cli *c, cairn_error *err)
{
	char *text = NULL;
	cairn_status status =
		cairn_bench_machine(cli_has(c, "json") ? CAIRN_JSON : CAIRN_TEXT, &text, err);
	return status == CAIRN_OK ? cli_print(text, err) : status;
}

const cli_verb cli_verb_bench_machine = {
	.name = "bench-machine",
	.summary = "measure this machine's limits",
	.usage = "[OPTIONS]",
	.details =
		"Rates of main memory, of the disk under the current folder, of the codecs, and of "
		"the\n"
		"operations at every instruction set, in under twenty seconds. The figures are "
		"kept "
		"in\n"
		"the user's cache folder (CAIRN_CACHE) and make plans and the time that explain "
		"predicts\n"
		"fit this machine; earlier runs improve them too. Results never depend on them.",
	.examples = "  cairn bench-machine\n  cairn bench-machine --json > machine.json",
	.groups = {cli_json_option, cli_common_options},
	.min_args = 0,
	.max_args = 0,
	.run = bench_machine,
};

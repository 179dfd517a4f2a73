/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_verify.c -- `cairn verify`: are the stored bytes of an output those that were written?
 */
#include "cli/cli.h"

#include <string.h>

static cairn_status verify(cli *c, cairn_error *err)
{
	cairn_options o;
	cairn_status worst = CAIRN_OK, status = cli_run_options(c, &o, err);
	if (status != CAIRN_OK)
		return status;
	for (int i = 0; i < c->n_args; i++) {
		char *json = NULL;
		cairn_error each;
		memset(&each, 0, sizeof(each));
		status = cairn_verify(c->session, c->args[i], &o, &json, &each);
		cli_run_done();
		if (json && cli_has(c, "json"))
			printf("%s\n", json);
		else if (status == CAIRN_OK && !c->quiet)
			printf("%s: complete, every stored chunk is as it was written\n",
				c->args[i]);
		cairn_free(json);
		if (status != CAIRN_OK && worst != CAIRN_OK)
			cli_print_error(c, err);
		if (status != CAIRN_OK) {
			worst = status;
			*err = each;
		}
	}
	return worst;
}

const cli_verb cli_verb_verify = {
	.name = "verify",
	.summary = "compare the stored bytes of outputs with what was written",
	.usage = "[OPTIONS] URL...",
	.details = "Re-reads every stored chunk of an output of cairn and compares its checksum "
		   "with the journal\n"
		   "beside it; looks for objects that the journal does not know. Exit code 7 if a "
		   "chunk is\nmissing, cut, changed or too many; 3 if there is no journal.",
	.examples = "  cairn verify labels.zarr",
	.groups = {cli_json_option, cli_engine_options, cli_common_options},
	.min_args = 1,
	.max_args = CLI_MAX_GIVEN,
	.run = verify,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c -- `cairn VERB ...`: finds the verb, parses its options, runs it, reports its error.
 *
 * The exit code is the cairn_status of the verb (cairn/error.h lists them).
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const cli_verb cli_verb_run, cli_verb_explain, cli_verb_info, cli_verb_ls, cli_verb_ops,
	cli_verb_convert, cli_verb_view, cli_verb_stat, cli_verb_verify, cli_verb_bench_machine,
	cli_verb_generate;

const cli_verb *const cli_verbs[] = {&cli_verb_run, &cli_verb_explain, &cli_verb_info, &cli_verb_ls,
	&cli_verb_ops, &cli_verb_convert, &cli_verb_view, &cli_verb_stat, &cli_verb_verify,
	&cli_verb_bench_machine, &cli_verb_generate, NULL};

static void print_overview(FILE *to)
{
	fprintf(to,
		"cairn %s -- lazy, chunked, larger-than-memory image processing\n\n"
		"usage: cairn VERB [OPTIONS] ...\n\n",
		cairn_version());
	for (const cli_verb *const *v = cli_verbs; *v; v++)
		if (!(*v)->hidden)
			fprintf(to, "  %-13s %s\n", (*v)->name, (*v)->summary);
	fprintf(to, "\ncairn VERB --help explains a verb, cairn ops the operations.\n");
}

static const cli_verb *find_verb(const char *name)
{
	for (const cli_verb *const *v = cli_verbs; *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

static int unknown_verb(const cli *c, const char *name)
{
	cairn_error err;
	cli_fail(&err, CAIRN_USAGE, "there is no verb %.80s", name);
	cli_hint(&err, "cairn --help lists the verbs");
	for (const cli_verb *const *v = cli_verbs; *v; v++)
		if (!(*v)->hidden && strncmp((*v)->name, name, 2) == 0)
			cli_hint(&err, "did you mean cairn %s?", (*v)->name);
	cli_print_error(c, &err);
	return CAIRN_USAGE;
}

static cairn_status run_verb(cli *c, int n, char **words, cairn_error *err)
{
	cairn_status status = cli_parse(c, n, words, err);
	if (status != CAIRN_OK)
		return status;
	if (cli_has(c, "help")) {
		cli_help(c->verb, stdout);
		return CAIRN_OK;
	}
	status = cairn_session_new(&c->session, err);
	if (status == CAIRN_OK)
		status = c->verb->run(c, err);
	cairn_session_free(c->session);
	return status;
}

int main(int argc, char **argv)
{
	cli c = {.verb = NULL};
	const char *no_colour = getenv("NO_COLOR");
	c.colour = isatty(STDERR_FILENO) && !(no_colour && no_colour[0]);
	if (argc < 2) {
		print_overview(stderr);
		return CAIRN_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		c.verb = argc > 2 ? find_verb(argv[2]) : NULL;
		if (c.verb)
			cli_help(c.verb, stdout);
		else
			print_overview(stdout);
		return CAIRN_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("cairn %s\n", cairn_version());
		return CAIRN_OK;
	}
	c.verb = find_verb(argv[1]);
	if (!c.verb)
		return unknown_verb(&c, argv[1]);
	cairn_error err;
	memset(&err, 0, sizeof(err));
	cairn_status status = run_verb(&c, argc - 2, argv + 2, &err);
	cli_run_done();
	if (status != CAIRN_OK)
		cli_print_error(&c, &err);
	return status;
}

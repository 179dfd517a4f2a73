/* SPDX-License-Identifier: Apache-2.0
 *
 * options.c -- parses the words of a command line by the tables of its verb, and prints --help.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const cli_option cli_common_options[] = {
	{'h', "help", NULL, "show this help", NULL},
	{'q', "quiet", NULL, "errors only", NULL},
	{'v', "verbose", NULL, "say more: run shows its plan first", NULL},
	{0, NULL, NULL, NULL, NULL},
};

const cli_option cli_json_option[] = {
	{0, "json", NULL, "machine-readable output", NULL},
	{0, NULL, NULL, NULL, NULL},
};

const cli_option cli_text_options[] = {
	{'e', "expression", "TEXT", "take the pipeline from the command line instead of a file",
		NULL},
	{0, "set", "NAME=VALUE", "replace the value of a top-level `NAME = literal` (repeatable)",
		NULL},
	{0, "seed", "N", "the same as --set seed=N", NULL},
	{0, NULL, NULL, NULL, NULL},
};

const cli_option cli_engine_options[] = {
	{'j', "threads", "N", "compute threads (default: CAIRN_THREADS, else all cores)", NULL},
	{'m', "memory", "SIZE",
		"memory for pixels, a promise: 8G, 512M (default: CAIRN_MEMORY, else 60 % of what "
		"there is)",
		NULL},
	{0, "scratch", "FOLDER",
		"where intermediate data may go (default: CAIRN_SCRATCH, else beside the output)",
		"FILE"},
	{0, "progress", "MODE", "auto, bar, plain, json or none; always on stderr",
		"auto|bar|plain|json|none"},
	{0, NULL, NULL, NULL, NULL},
};

const cli_option cli_output_options[] = {
	{0, "on-exists", "WHAT", "an output that exists: fail (default), resume or replace",
		"fail|resume|replace"},
	{0, "fsync", "WHEN",
		"force outputs to the disk: none, batch (default, or CAIRN_FSYNC: every few "
		"seconds and "
		"at the end) or each (chunk)",
		"none|batch|each"},
	{0, "keep-going", NULL, "go on when a chunk fails; exit code 6 at the end", NULL},
	{0, "explain", NULL, "print the plan on stderr before running", NULL},
	{0, "dry-run", NULL, "plan and check everything, print the plan, run nothing", NULL},
	{0, "profile", "FILE",
		"write where time and memory went: a page (.html), facts (.json), or events for "
		"Perfetto (.trace.json)",
		"FILE"},
	{0, NULL, NULL, NULL, NULL},
};

/* ---- parsing ---- */

static const cli_option *find_option(const cli_verb *v, const char *name, size_t n, char letter)
{
	for (int g = 0; v->groups[g]; g++)
		for (const cli_option *o = v->groups[g]; o->name; o++) {
			if (letter && o->letter == letter)
				return o;
			if (!letter && strlen(o->name) == n && memcmp(o->name, name, n) == 0)
				return o;
		}
	return NULL;
}

/* Shared letters at the front: enough to suggest --memory for --mem and --thread. */
static const cli_option *near_option(const cli_verb *v, const char *name, size_t n)
{
	const cli_option *best = NULL;
	size_t best_shared = 2;
	for (int g = 0; v->groups[g]; g++)
		for (const cli_option *o = v->groups[g]; o->name; o++) {
			size_t k = 0;
			while (k < n && o->name[k] && o->name[k] == name[k])
				k++;
			if (k >= best_shared && k * 2 >= n) {
				best = o;
				best_shared = k + 1;
			}
		}
	return best;
}

static cairn_status unknown_option(
	const cli_verb *v, const char *word, const char *name, size_t n, cairn_error *err)
{
	cairn_status status =
		cli_fail(err, CAIRN_USAGE, "cairn %s has no option %.80s", v->name, word);
	const cli_option *near = near_option(v, name, n);
	if (near)
		cli_hint(err, "did you mean --%s?", near->name);
	else
		cli_hint(err, "cairn %s --help lists them", v->name);
	return status;
}

static cairn_status keep(cli *c, const cli_option *o, const char *value, cairn_error *err)
{
	if (c->n_given == CLI_MAX_GIVEN)
		return cli_fail(err, CAIRN_USAGE, "more than %d options", CLI_MAX_GIVEN);
	c->given[c->n_given].option = o;
	c->given[c->n_given++].value = value;
	return CAIRN_OK;
}

/* One word that starts with '-'; *ret_used is 2 when the next word is its argument. */
static cairn_status parse_option(
	cli *c, const char *word, const char *next, int *ret_used, cairn_error *err)
{
	bool is_long = word[1] == '-';
	const char *name = word + (is_long ? 2 : 1), *value = NULL;
	size_t n = is_long ? strcspn(name, "=") : 1;
	const cli_option *o = find_option(c->verb, name, n, is_long ? 0 : word[1]);
	*ret_used = 1;
	if (!o)
		return unknown_option(c->verb, word, name, n, err);
	if (name[n])
		value = name + n + (is_long || name[n] == '=');
	if (!o->arg && value)
		return cli_fail(err, CAIRN_USAGE, "--%s takes no value", o->name);
	if (o->arg && !value) {
		if (!next) {
			cairn_status status = cli_fail(
				err, CAIRN_USAGE, "--%s needs a value: %s", o->name, o->arg);
			cli_hint(err, "--%s: %s", o->name, o->help);
			return status;
		}
		value = next;
		*ret_used = 2;
	}
	return keep(c, o, value, err);
}

static cairn_status check_args(const cli *c, cairn_error *err)
{
	const cli_verb *v = c->verb;
	bool few = c->n_args < v->min_args && !cli_has(c, "expression");
	if (!few && c->n_args <= v->max_args)
		return CAIRN_OK;
	cairn_status status =
		few ? cli_fail(err, CAIRN_USAGE, "cairn %s: something is missing", v->name)
		    : cli_fail(err, CAIRN_USAGE, "cairn %s: %.80s is too much", v->name,
			      c->args[v->max_args]);
	cli_hint(err, "usage: cairn %s %s", v->name, v->usage);
	return status;
}

cairn_status cli_parse(cli *c, int n, char **words, cairn_error *err)
{
	bool options = true;
	for (int i = 0; i < n;) {
		int used = 1;
		if (options && strcmp(words[i], "--") == 0) {
			options = false;
		} else if (options && words[i][0] == '-' && words[i][1]) {
			cairn_status status = parse_option(
				c, words[i], i + 1 < n ? words[i + 1] : NULL, &used, err);
			if (status != CAIRN_OK)
				return status;
		} else if (c->n_args == CLI_MAX_GIVEN) {
			return cli_fail(err, CAIRN_USAGE, "more than %d arguments", CLI_MAX_GIVEN);
		} else {
			c->args[c->n_args++] = words[i];
		}
		i += used;
	}
	c->quiet = cli_has(c, "quiet");
	c->verbose = cli_has(c, "verbose");
	return cli_has(c, "help") ? CAIRN_OK : check_args(c, err);
}

const char *cli_nth_value(const cli *c, const char *name, int k)
{
	for (int i = 0; i < c->n_given; i++)
		if (strcmp(c->given[i].option->name, name) == 0 && k-- == 0)
			return c->given[i].value;
	return NULL;
}

const char *cli_value(const cli *c, const char *name)
{
	const char *value = NULL;
	for (int i = 0; i < c->n_given; i++)
		if (strcmp(c->given[i].option->name, name) == 0)
			value = c->given[i].value;
	return value;
}

bool cli_has(const cli *c, const char *name)
{
	for (int i = 0; i < c->n_given; i++)
		if (strcmp(c->given[i].option->name, name) == 0)
			return true;
	return false;
}

cairn_status cli_int(const cli *c, const char *name, long long low, long long high,
	long long otherwise, long long *ret, cairn_error *err)
{
	const char *text = cli_value(c, name);
	char *end = NULL;
	if (!text) {
		*ret = otherwise;
		return CAIRN_OK;
	}
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < low || n > high)
		return cli_fail(err, CAIRN_USAGE,
			"--%s must be a whole number from %lld to %lld, not %.40s", name, low, high,
			text);
	*ret = n;
	return CAIRN_OK;
}

/* ---- help ---- */

void cli_help(const cli_verb *v, FILE *to)
{
	fprintf(to, "cairn %s -- %s\n\nusage: cairn %s %s\n\n%s\n\noptions:\n", v->name, v->summary,
		v->name, v->usage, v->details);
	for (int g = 0; v->groups[g]; g++)
		for (const cli_option *o = v->groups[g]; o->name; o++) {
			char left[64], letter[8] = "    ";
			if (o->letter)
				snprintf(letter, sizeof(letter), "-%c, ", o->letter);
			snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name,
				o->arg ? " " : "", o->arg ? o->arg : "");
			fprintf(to, "  %-26s %s\n", left, o->help);
		}
	if (v->examples)
		fprintf(to, "\nexamples:\n%s\n", v->examples);
}

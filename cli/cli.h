/* SPDX-License-Identifier: Apache-2.0
 *
 * cli.h -- the command's frame: verbs, options, messages, progress.
 *
 *	main.c ── verb table ── options.c (parses by the verb's tables) ── verb_NAME.c ── cairn.h
 *
 * A verb is one const descriptor at the foot of its file. Its option tables feed the parser,
 *--help, the man pages and the shell completion, so these cannot drift. Facts go to stdout,
 *everything else to stderr; the exit code is the cairn_status.
 */
#ifndef CAIRN_CLI_H
#define CAIRN_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "cairn/cairn.h"

typedef struct cli_option {
	char letter;      /* 'j', or 0 */
	const char *name; /* "threads" */
	const char *arg;  /* "N"; NULL: a flag */
	const char *help; /* one line */
	/* What the argument can be, for completion: "fail|resume|replace", "FILE", or NULL. */
	const char *values;
} cli_option;

enum { CLI_MAX_GROUPS = 6, CLI_MAX_GIVEN = 256 };

typedef struct cli cli;

typedef struct cli_verb {
	const char *name;
	const char *summary;
	const char *usage;                        /* without "cairn NAME": "[OPTIONS] FILE" */
	const char *details;                      /* paragraphs for --help and the man page */
	const char *examples;                     /* one a line */
	const cli_option *groups[CLI_MAX_GROUPS]; /* tables ending with name NULL; then NULL */
	int min_args, max_args;                   /* positional ones */
	bool hidden;
	cairn_status (*run)(cli *c, cairn_error *err);
} cli_verb;

extern const cli_verb *const cli_verbs[]; /* NULL at the end */

struct cli {
	const cli_verb *verb;
	const char *args[CLI_MAX_GIVEN]; /* positional */
	int n_args;
	struct {
		const cli_option *option;
		const char *value;
	} given[CLI_MAX_GIVEN];
	int n_given;
	cairn_session *session;
	bool quiet, verbose, colour; /* colour: of stderr */
};

/* ---- options.c ---- */

/** Parses the words after the verb. USAGE names the word and the nearest option. */
CAIRN_MUST_USE cairn_status cli_parse(cli *c, int n, char **words, cairn_error *err);
bool cli_has(const cli *c, const char *name);
/** Last value given for the option, or NULL. */
const char *cli_value(const cli *c, const char *name);
/** k-th value of a repeatable option, or NULL. */
const char *cli_nth_value(const cli *c, const char *name, int k);
/** Whole number in [low, high]; `otherwise` if the option was not given. */
CAIRN_MUST_USE cairn_status cli_int(const cli *c, const char *name, long long low, long long high,
	long long otherwise, long long *ret, cairn_error *err);
void cli_help(const cli_verb *v, FILE *to);

extern const cli_option cli_common_options[]; /* --help -q -v */
extern const cli_option cli_json_option[];
extern const cli_option cli_text_options[];   /* -e --set --seed: what pipeline */
extern const cli_option cli_engine_options[]; /* -j --memory --scratch */
extern const cli_option
	cli_output_options[]; /* --on-exists --keep-going --progress --profile ... */

/* ---- run_support.c: what verbs that compute share ---- */

/** Fills options from flags, installs the interrupt handler and the progress display. */
CAIRN_MUST_USE cairn_status cli_run_options(cli *c, cairn_options *ret, cairn_error *err);
/** Ends the progress display. Call before anything else is written to stderr. */
void cli_run_done(void);
/** The pipeline of FILE or -e TEXT with its settings; bindings may be NULL. */
CAIRN_MUST_USE cairn_status cli_pipeline(
	cli *c, const char *file, cairn_pipeline **ret, cairn_error *err);
/** The array SRC means: a file, -e TEXT, or a pipeline with --name or "#name". */
CAIRN_MUST_USE cairn_status cli_array(cli *c, const char *src, cairn_array **ret, cairn_error *err);
/** Shows the plan where --explain, --dry-run or -v ask for it, computes the outputs (not with
 * --dry-run), writes the profile, says what was done. */
CAIRN_MUST_USE cairn_status cli_carry_out(
	cli *c, cairn_pipeline *p, const cairn_options *o, cairn_error *err);
/** A pipeline text in which x is `array`. */
CAIRN_MUST_USE cairn_status cli_bound_pipeline(
	cli *c, const char *text, const cairn_array *array, cairn_pipeline **ret, cairn_error *err);
/** Runs such a text. */
CAIRN_MUST_USE cairn_status cli_run_text(cli *c, const char *text, const cairn_array *array,
	const cairn_options *options, cairn_report *report, cairn_error *err);
/** Writes what --profile asked for, if it was given. FAILED with the path. */
CAIRN_MUST_USE cairn_status cli_write_profile(
	const cli *c, const cairn_report *r, cairn_error *err);
/** "done in 1.2 s: ..." on stderr, unless quiet. */
void cli_say_report(const cli *c, const cairn_report *r);

/* ---- messages.c ---- */

/** Sets an error from the command itself. */
cairn_status cli_fail(cairn_error *err, cairn_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void cli_hint(cairn_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cli_print_error(const cli *c, const cairn_error *err);
/** Bytes as "1.5 GiB" into text[32]. */
const char *cli_bytes(double n, char *text);
/** Prints a text and frees it; FAILED if stdout cannot take it. */
CAIRN_MUST_USE cairn_status cli_print(char *take_text, cairn_error *err);
/** Formatted text on the heap (freed with free); NULL when out of memory. */
char *cli_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- progress.c ---- */

/** mode: auto, bar, plain, json, none. */
CAIRN_MUST_USE cairn_status cli_progress_start(const char *mode, bool colour, cairn_error *err);
void cli_progress_show(void *user, const cairn_progress *p);
void cli_progress_end(void);

/* ---- interrupt.c ---- */

/** First Ctrl-C: 1 (finish what is in flight); second: 2; third ends the process. */
const volatile int *cli_interrupt_start(void);
/** SIGUSR1 adds a worker to a running job, SIGUSR2 takes one away (one stays). */
volatile int *cli_threads_start(void);

/* ---- completion.c, man_pages.c ---- */

cairn_status cli_write_completion(const char *shell, cairn_error *err);
cairn_status cli_write_man_pages(const char *folder, cairn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * man_pages.c -- cairn.1, cairn-VERB.1 and cairn-ops.7, written from the tables of the command and
 * the descriptors of the operations.
 */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char exit_codes[] =
	".SH EXIT STATUS\n"
	".TP\n.B 0\neverything asked for is done and written\n"
	".TP\n.B 1\nan operation failed, memory ran out, or a write failed\n"
	".TP\n.B 2\nwrong usage, or a pipeline text that does not parse or type\n"
	".TP\n.B 3\nan input is missing, unreadable, corrupt or of an unknown kind\n"
	".TP\n.B 4\nthe plan does not fit the memory budget; nothing was started\n"
	".TP\n.B 5\nan output exists and was left alone\n"
	".TP\n.B 6\nfinished, but some chunks failed (\\-\\-keep\\-going)\n"
	".TP\n.B 7\nverify found stored bytes that differ\n"
	".TP\n.B 75\nstopped early on request; the same command resumes\n"
	".TP\n.B 130\ninterrupted; the same command resumes\n";

static const char signals[] =
	".SH SIGNALS\n"
	".TP\n.B SIGINT, SIGTERM\nthe first finishes what is in flight, the second stops now\n"
	".TP\n.B SIGUSR1\na running command works with one thread more\n"
	".TP\n.B SIGUSR2\nwith one thread less, but at least one\n";

static const char environment[] =
	".SH ENVIRONMENT\n"
	".TP\n.B CAIRN_THREADS\ncompute threads when \\-\\-threads is not given\n"
	".TP\n.B CAIRN_MEMORY\nmemory budget when \\-\\-memory is not given\n"
	".TP\n.B CAIRN_SCRATCH\nfolder for intermediate data when \\-\\-scratch is not given\n"
	".TP\n.B CAIRN_FSYNC\nwhen outputs are forced to the disk: none, batch or each, when "
	"\\-\\-fsync is not given\n"
	".TP\n.B CAIRN_ISA\ninstruction set: base, avx2 or avx512; results do not depend on it\n"
	".TP\n.B CAIRN_CACHE\nfolder of what cairn has learned about this machine (default: "
	"$XDG_CACHE_HOME/cairn, else ~/.cache/cairn)\n"
	".TP\n.B CAIRN_COSTS\nlearn (default): plan with measured costs and improve them with "
	"every "
	"run; read: use them\nonly; off: neither. Results do not depend on them\n"
	".TP\n.B NO_COLOR\nno colours on stderr\n";

/* Roff's own characters made plain; a line must not begin with a dot. */
static void roff(FILE *f, const char *text)
{
	bool start = true;
	for (; *text; text++) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", f);
		if (*text == '\\')
			fputs("\\e", f);
		else if (*text == '-')
			fputs("\\-", f);
		else
			fputc(*text, f);
		start = *text == '\n';
	}
}

static FILE *create(const char *folder, const char *name, cairn_error *err)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (!f)
		cli_fail(err, CAIRN_FAILED, "cannot write %s: %s", path, strerror(errno));
	return f;
}

static cairn_status finish(FILE *f, const char *name, cairn_error *err)
{
	if (fclose(f) == 0)
		return CAIRN_OK;
	return cli_fail(err, CAIRN_FAILED, "cannot write %s: %s", name, strerror(errno));
}

static void write_options(FILE *f, const cli_verb *v)
{
	fputs(".SH OPTIONS\n", f);
	for (int g = 0; v->groups[g]; g++)
		for (const cli_option *o = v->groups[g]; o->name; o++) {
			fputs(".TP\n.B ", f);
			if (o->letter)
				fprintf(f, "\\-%c, ", o->letter);
			fputs("\\-\\-", f);
			roff(f, o->name);
			if (o->arg) {
				fputc(' ', f);
				roff(f, o->arg);
			}
			fputc('\n', f);
			roff(f, o->help);
			fputc('\n', f);
		}
}

/* Paragraphs are separated by an empty line in details. */
static void write_paragraphs(FILE *f, const char *text)
{
	const char *end;
	while ((end = strstr(text, "\n\n"))) {
		char part[2048];
		snprintf(part, sizeof(part), "%.*s", (int)(end - text), text);
		roff(f, part);
		fputs("\n.PP\n", f);
		text = end + 2;
	}
	roff(f, text);
	fputc('\n', f);
}

static cairn_status write_verb(const char *folder, const cli_verb *v, cairn_error *err)
{
	char name[64];
	snprintf(name, sizeof(name), "cairn-%s.1", v->name);
	FILE *f = create(folder, name, err);
	if (!f)
		return err->status;
	fprintf(f, ".TH CAIRN\\-%s 1 \"\" \"cairn %s\" \"cairn\"\n.SH NAME\ncairn\\-%s \\- ",
		v->name, cairn_version(), v->name);
	roff(f, v->summary);
	fprintf(f, "\n.SH SYNOPSIS\n.B cairn %s\n", v->name);
	roff(f, v->usage);
	fputs("\n.SH DESCRIPTION\n", f);
	write_paragraphs(f, v->details);
	write_options(f, v);
	if (v->examples) {
		fputs(".SH EXAMPLES\n.nf\n", f);
		roff(f, v->examples);
		fputs("\n.fi\n", f);
	}
	fputs(environment, f);
	fputs(signals, f);
	fputs(exit_codes, f);
	fputs(".SH SEE ALSO\n.BR cairn (1),\n.BR cairn\\-ops (7)\n", f);
	return finish(f, name, err);
}

static cairn_status write_overview(const char *folder, cairn_error *err)
{
	FILE *f = create(folder, "cairn.1", err);
	if (!f)
		return err->status;
	fprintf(f,
		".TH CAIRN 1 \"\" \"cairn %s\" \"cairn\"\n.SH NAME\ncairn \\- lazy, chunked, "
		"larger\\-than\\-memory image processing\n.SH SYNOPSIS\n.B cairn\nVERB [OPTIONS] "
		"...\n"
		".SH DESCRIPTION\nA pipeline says what you want; nothing runs until a result is "
		"written, "
		"shown or asked for. Only the chunks that result needs are read and computed, on "
		"all "
		"cores, inside the memory given.\n.SH VERBS\n",
		cairn_version());
	for (const cli_verb *const *v = cli_verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		fprintf(f, ".TP\n.BR cairn\\-%s (1)\n", (*v)->name);
		roff(f, (*v)->summary);
		fputc('\n', f);
	}
	fputs(environment, f);
	fputs(signals, f);
	fputs(exit_codes, f);
	fputs(".SH SEE ALSO\n.BR cairn\\-ops (7)\n", f);
	return finish(f, "cairn.1", err);
}

static cairn_status write_ops(const char *folder, cairn_error *err)
{
	char *text = NULL;
	cairn_status status = cairn_describe_ops(NULL, CAIRN_MAN, &text, err);
	if (status != CAIRN_OK)
		return status;
	FILE *f = create(folder, "cairn-ops.7", err);
	if (f)
		fputs(text, f);
	cairn_free(text);
	return f ? finish(f, "cairn-ops.7", err) : err->status;
}

cairn_status cli_write_man_pages(const char *folder, cairn_error *err)
{
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return cli_fail(err, CAIRN_FAILED, "cannot create %s: %s", folder, strerror(errno));
	cairn_status status = write_overview(folder, err);
	for (const cli_verb *const *v = cli_verbs; *v && status == CAIRN_OK; v++)
		if (!(*v)->hidden)
			status = write_verb(folder, *v, err);
	return status == CAIRN_OK ? write_ops(folder, err) : status;
}

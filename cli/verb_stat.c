/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_stat.c -- `cairn stat`: the numbers that tell at a glance whether an array is what one
 * thinks.
 *
 * One run of print() outputs over the array, so it is read once; a second for the histogram, whose
 * range is the minimum and maximum of the first. The values come back through the print callback.
 */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BINS = 4096, MAX_VALUE = 64, BAR = 40 };

static const char *const names[] = {"min", "max", "mean", "std", "nonzero"};
enum { MIN, MAX, MEAN, STD, NONZERO, N_NAMES };

typedef struct stats {
	char text[N_NAMES][MAX_VALUE]; /* exact, as printed */
	long long counts[MAX_BINS];
	int n_counts;
} stats;

static const cli_option options[] = {
	{0, "json", NULL, "machine-readable output", NULL},
	{0, "bins", "N", "bins of the histogram (default 16, 0: none)", NULL},
	{0, "name", "NAME", "the array, when URL is a pipeline file", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static void take_value(void *user, const cairn_printed *p)
{
	stats *s = user;
	for (int i = 0; p->label && i < N_NAMES; i++)
		if (strcmp(p->label, names[i]) == 0)
			snprintf(s->text[i], sizeof(s->text[i]), "%s", p->text);
	if (!p->label || strcmp(p->label, "counts") != 0 || p->ndim != 1)
		return;
	s->n_counts = p->shape[0] < MAX_BINS ? (int)p->shape[0] : MAX_BINS;
	bool wide = strcmp(p->dtype, "uint64") == 0 || strcmp(p->dtype, "int64") == 0;
	for (int i = 0; wide && i < s->n_counts; i++)
		memcpy(&s->counts[i], (const char *)p->data + 8 * i, 8);
}

static cairn_status fold(cli *c, const cairn_array *a, const char *text, stats *s,
	const cairn_options *o, cairn_error *err)
{
	cairn_options with = *o;
	cairn_report report;
	memset(&report, 0, sizeof(report));
	with.print = take_value;
	with.user = s;
	cairn_status status = cli_run_text(c, text, a, &with, &report, err);
	cairn_free(report.json);
	return status;
}

static cairn_status histogram(cli *c, const cairn_array *a, long long bins, stats *s,
	const cairn_options *o, cairn_error *err)
{
	double low = strtod(s->text[MIN], NULL), high = strtod(s->text[MAX], NULL);
	if (bins == 0 || !isfinite(low) || !isfinite(high) || !(low < high) ||
		strcmp(cairn_array_dtype(a), "bool") == 0)
		return CAIRN_OK;
	char *text = cli_format("print(histogram(x, bins=%lld, range=(%s, %s)), \"counts\")", bins,
		s->text[MIN], s->text[MAX]);
	if (!text)
		return cli_fail(err, CAIRN_FAILED, "out of memory");
	cairn_status status = fold(c, a, text, s, o, err);
	free(text);
	return status;
}

static long long count(const cairn_array *a)
{
	long long n = 1;
	for (int d = 0; d < cairn_array_ndim(a); d++)
		n *= cairn_array_shape(a)[d];
	return n;
}

/* ---- output ---- */

static const char *json_number(const char *text)
{
	bool word = strchr(text, 'n') || strchr(text, 'i') || !text[0];
	return strcmp(text, "True") == 0    ? "true"
	       : strcmp(text, "False") == 0 ? "false"
	       : word                       ? "null"
					    : text;
}

static void print_json(const char *url, const cairn_array *a, const stats *s)
{
	char *quoted = NULL;
	cairn_error err;
	if (cairn_quote(url, &quoted, &err) == CAIRN_OK)
		printf("{\"url\": %s, ", quoted);
	cairn_free(quoted);
	printf("\"dtype\": \"%s\", \"shape\": [", cairn_array_dtype(a));
	for (int d = 0; d < cairn_array_ndim(a); d++)
		printf("%s%lld", d ? ", " : "", (long long)cairn_array_shape(a)[d]);
	printf("], \"voxels\": %lld", count(a));
	for (int i = 0; i < N_NAMES; i++)
		printf(", \"%s\": %s", names[i], json_number(s->text[i]));
	printf(", \"zeros\": %lld", count(a) - strtoll(s->text[NONZERO], NULL, 10));
	if (s->n_counts > 0) {
		printf(", \"histogram\": {\"low\": %s, \"high\": %s, \"counts\": [",
			json_number(s->text[MIN]), json_number(s->text[MAX]));
		for (int i = 0; i < s->n_counts; i++)
			printf("%s%lld", i ? ", " : "", s->counts[i]);
		printf("]}");
	}
	printf("}\n");
}

static void print_histogram(const stats *s)
{
	double low = strtod(s->text[MIN], NULL), high = strtod(s->text[MAX], NULL);
	long long most = 1;
	for (int i = 0; i < s->n_counts; i++)
		most = s->counts[i] > most ? s->counts[i] : most;
	for (int i = 0; i < s->n_counts; i++) {
		double at = low + (high - low) * i / s->n_counts;
		int cells = (int)((double)s->counts[i] / (double)most * BAR + 0.5);
		printf("  %12.6g %14lld  ", at, s->counts[i]);
		for (int k = 0; k < cells; k++)
			putchar('#');
		putchar('\n');
	}
}

static void print_text(const char *url, const cairn_array *a, const stats *s)
{
	long long n = count(a), nonzero = strtoll(s->text[NONZERO], NULL, 10);
	printf("%s\n  dtype    %s\n  shape    ", url, cairn_array_dtype(a));
	for (int d = 0; d < cairn_array_ndim(a); d++)
		printf("%s%lld", d ? " x " : "", (long long)cairn_array_shape(a)[d]);
	printf("\n");
	for (int i = 0; i < NONZERO; i++)
		printf("  %-8s %s\n", names[i], s->text[i]);
	printf("  zeros    %lld of %lld (%.2f %%)\n", n - nonzero, n,
		n > 0 ? 100.0 * (double)(n - nonzero) / (double)n : 0);
	print_histogram(s);
}

static cairn_status stat_one(
	cli *c, const char *url, const cairn_options *o, long long bins, cairn_error *err)
{
	static const char text[] =
		"print(x.min(), \"min\"); print(x.max(), \"max\"); print(x.mean(), \"mean\")\n"
		"print(x.std(), \"std\"); print(x.count_nonzero(), \"nonzero\")";
	cairn_array *a = NULL;
	stats *s = calloc(1, sizeof(*s));
	cairn_status status =
		s ? cli_array(c, url, &a, err) : cli_fail(err, CAIRN_FAILED, "out of memory");
	if (status == CAIRN_OK && count(a) == 0)
		status = cli_fail(err, CAIRN_USAGE, "%s has no voxels", url);
	if (status == CAIRN_OK)
		status = fold(c, a, text, s, o, err);
	if (status == CAIRN_OK)
		status = histogram(c, a, bins, s, o, err);
	cli_run_done();
	if (status == CAIRN_OK && cli_has(c, "json"))
		print_json(url, a, s);
	else if (status == CAIRN_OK)
		print_text(url, a, s);
	cairn_array_free(a);
	free(s);
	return status;
}

static cairn_status stat_all(cli *c, cairn_error *err)
{
	cairn_options o;
	long long bins = 0;
	cairn_status status = cli_run_options(c, &o, err);
	if (status == CAIRN_OK)
		status = cli_int(c, "bins", 0, MAX_BINS, 16, &bins, err);
	if (status != CAIRN_OK)
		return status;
	if (cli_has(c, "expression"))
		return stat_one(c, cli_value(c, "expression"), &o, bins, err);
	for (int i = 0; i < c->n_args && status == CAIRN_OK; i++)
		status = stat_one(c, c->args[i], &o, bins, err);
	return status;
}

const cli_verb cli_verb_stat = {
	.name = "stat",
	.summary = "minimum, maximum, mean, zeros and histogram of an array",
	.usage = "[OPTIONS] URL... | -e TEXT",
	.details = "Computed chunk by chunk inside the memory budget, exactly (sums do not depend "
		   "on chunks or\n"
		   "threads). URL may be a pipeline file with --name.",
	.examples = "  cairn stat bone.tif\n  cairn stat foam.py --name smooth --json",
	.groups = {options, cli_text_options, cli_engine_options, cli_common_options},
	.min_args = 1,
	.max_args = CLI_MAX_GIVEN,
	.run = stat_all,
};

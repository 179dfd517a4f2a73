/* SPDX-License-Identifier: Apache-2.0
 *
 * run_support.c -- what verbs that compute share: options, the pipeline or array they are about.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SETTINGS = 64, SEED_TEXT = 64 };

/* ---- options ---- */

static cairn_status on_exists(const cli *c, cairn_on_exists *ret, cairn_error *err)
{
	static const char *const names[] = {"fail", "resume", "replace"};
	const char *text = cli_value(c, "on-exists");
	for (int i = 0; text && i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (cairn_on_exists)i;
			return CAIRN_OK;
		}
	return text ? cli_fail(err, CAIRN_USAGE,
			      "--on-exists must be fail, resume or replace, not %.40s", text)
		    : CAIRN_OK;
}

static cairn_status fsync_policy(const cli *c, cairn_fsync *ret, cairn_error *err)
{
	static const char *const names[] = {"none", "batch", "each"};
	const char *text = cli_value(c, "fsync");
	for (int i = 0; text && i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (cairn_fsync)(CAIRN_FSYNC_NONE + i);
			return CAIRN_OK;
		}
	return text ? cli_fail(err, CAIRN_USAGE, "--fsync must be none, batch or each, not %.40s",
			      text)
		    : CAIRN_OK;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);
	return n >= k && strcmp(text + n - k, end) == 0;
}

/* The style a profile's file name asks for. */
static cairn_status profile_style(const char *path, cairn_profile_style *ret, cairn_error *err)
{
	cairn_profile_style style = !path                            ? CAIRN_PROFILE_NONE
				    : ends_with(path, ".html")       ? CAIRN_PROFILE_HTML
				    : ends_with(path, ".trace.json") ? CAIRN_PROFILE_TRACE
				    : ends_with(path, ".json")       ? CAIRN_PROFILE_JSON
								     : CAIRN_PROFILE_NONE;
	if (path && style == CAIRN_PROFILE_NONE) {
		cli_fail(err, CAIRN_USAGE, "--profile cannot tell the style of %.200s", path);
		cli_hint(err, "end it with .html, .json or .trace.json");
		return CAIRN_USAGE;
	}
	*ret = style;
	return CAIRN_OK;
}

cairn_status cli_write_profile(const cli *c, const cairn_report *r, cairn_error *err)
{
	const char *path = cli_value(c, "profile");
	FILE *f = path ? fopen(path, "w") : NULL;
	if (!path)
		return CAIRN_OK;
	bool written = f && fputs(r->profile ? r->profile : "", f) >= 0;
	if (f && fclose(f) != 0)
		written = false;
	if (written)
		return CAIRN_OK;
	return cli_fail(err, CAIRN_FAILED, "cannot write profile %s: %s", path, strerror(errno));
}

cairn_status cli_run_options(cli *c, cairn_options *ret, cairn_error *err)
{
	long long threads = 0;
	cairn_options o;
	memset(&o, 0, sizeof(o));
	const char *memory = cli_value(c, "memory");
	cairn_status status = cli_int(c, "threads", 1, 4096, 0, &threads, err);
	if (status == CAIRN_OK && memory)
		status = cairn_parse_size(memory, &o.memory_bytes, err);
	if (status == CAIRN_OK)
		status = on_exists(c, &o.on_exists, err);
	if (status == CAIRN_OK)
		status = profile_style(cli_value(c, "profile"), &o.profile, err);
	if (status == CAIRN_OK)
		status = fsync_policy(c, &o.fsync, err);
	if (status == CAIRN_OK)
		status = cli_progress_start(
			c->quiet ? "none" : cli_value(c, "progress"), c->colour, err);
	if (status != CAIRN_OK)
		return status;
	o.n_threads = (int)threads;
	o.keep_going = cli_has(c, "keep-going");
	o.scratch_dir = cli_value(c, "scratch");
	o.progress = cli_progress_show;
	o.cancel = cli_interrupt_start();
	o.threads = cli_threads_start();
	*ret = o;
	return CAIRN_OK;
}

void cli_run_done(void)
{
	cli_progress_end();
}

void cli_say_report(const cli *c, const cairn_report *r)
{
	char read[32], written[32], peak[32];
	if (c->quiet)
		return;
	fprintf(stderr, "cairn: done in %.*f s: %s read, %s written", r->seconds < 10 ? 2 : 0,
		r->seconds, cli_bytes((double)r->bytes_read, read),
		cli_bytes((double)r->bytes_written, written));
	if (r->units_skipped > 0)
		fprintf(stderr, ", %lld of %lld chunks were there already",
			(long long)r->units_skipped,
			(long long)r->units_skipped + (long long)r->units_written);
	fprintf(stderr, ", peak memory %s\n", cli_bytes((double)r->peak_memory_bytes, peak));
}

/* ---- pipelines and arrays ---- */

/* "NAME=VALUE" split into names[i] (on the heap) and the text after '='. */
static cairn_status split_setting(
	const char *text, char **ret_name, cairn_setting *ret, cairn_error *err)
{
	const char *equal = strchr(text, '=');
	if (!equal || equal == text)
		return cli_fail(err, CAIRN_USAGE, "--set needs NAME=VALUE, not %.80s", text);
	*ret_name = strndup(text, (size_t)(equal - text));
	if (!*ret_name)
		return cli_fail(err, CAIRN_FAILED, "out of memory");
	ret->name = *ret_name;
	ret->text = equal + 1;
	return CAIRN_OK;
}

static cairn_status take_settings(
	const cli *c, char **names, cairn_setting *settings, int *ret_n, cairn_error *err)
{
	cairn_status status = CAIRN_OK;
	const char *text;
	int n = 0;
	for (int k = 0; (text = cli_nth_value(c, "set", k)) && status == CAIRN_OK; k++) {
		if (n == MAX_SETTINGS - 1)
			return cli_fail(
				err, CAIRN_USAGE, "more than %d settings", MAX_SETTINGS - 1);
		status = split_setting(text, &names[n], &settings[n], err);
		n += status == CAIRN_OK;
	}
	if (cli_has(c, "seed")) {
		settings[n].name = "seed";
		settings[n++].text = cli_value(c, "seed");
	}
	*ret_n = n;
	return status;
}

cairn_status cli_pipeline(cli *c, const char *file, cairn_pipeline **ret, cairn_error *err)
{
	char *names[MAX_SETTINGS] = {NULL};
	cairn_setting settings[MAX_SETTINGS];
	cairn_pipeline_source source;
	memset(&source, 0, sizeof(source));
	source.text = cli_value(c, "expression");
	source.file = source.text ? NULL : file;
	source.settings = settings;
	if (source.file && strcmp(source.file, "-") == 0) {
		source.file = "/dev/stdin";
		source.name = "stdin";
	}
	cairn_status status = take_settings(c, names, settings, &source.n_settings, err);
	if (status == CAIRN_OK)
		status = cairn_pipeline_new(c->session, &source, ret, err);
	for (int i = 0; i < MAX_SETTINGS; i++)
		free(names[i]);
	return status;
}

/* "wf.py#smooth" -> "wf.py" on the heap and *ret_name at "smooth". */
static char *split_url(const char *url, const char **ret_name)
{
	const char *hash = strchr(url, '#');
	*ret_name = hash && hash[1] ? hash + 1 : NULL;
	return strndup(url, hash ? (size_t)(hash - url) : strlen(url));
}

cairn_status cli_array(cli *c, const char *src, cairn_array **ret, cairn_error *err)
{
	const char *name = NULL;
	cairn_pipeline *p = NULL;
	bool text = cli_has(c, "expression");
	if (!text && !cairn_is_pipeline(src))
		return cairn_array_open(c->session, src, ret, err);
	char *path = text ? NULL : split_url(src, &name);
	if (cli_value(c, "name"))
		name = cli_value(c, "name");
	cairn_status status = cli_pipeline(c, path, &p, err);
	free(path);
	if (status == CAIRN_OK)
		status = cairn_pipeline_array(p, name, ret, err);
	if (status == CAIRN_USAGE && !name && !text)
		cli_hint(err, "choose one of its arrays with --name; cairn info %.100s lists them",
			src);
	cairn_pipeline_free(p);
	return status;
}

cairn_status cli_bound_pipeline(
	cli *c, const char *text, const cairn_array *array, cairn_pipeline **ret, cairn_error *err)
{
	cairn_binding x = {"x", array};
	cairn_pipeline_source source;
	memset(&source, 0, sizeof(source));
	source.text = text;
	source.bindings = &x;
	source.n_bindings = 1;
	return cairn_pipeline_new(c->session, &source, ret, err);
}

cairn_status cli_run_text(cli *c, const char *text, const cairn_array *array,
	const cairn_options *options, cairn_report *report, cairn_error *err)
{
	cairn_pipeline *p = NULL;
	cairn_status status = cli_bound_pipeline(c, text, array, &p, err);
	if (status == CAIRN_OK)
		status = cairn_pipeline_run(p, options, report, err);
	cairn_pipeline_free(p);
	return status;
}

static cairn_status show_plan(cairn_pipeline *p, const cairn_options *o, FILE *to, cairn_error *err)
{
	char *text = NULL;
	cairn_status status = cairn_pipeline_explain(p, o, CAIRN_TEXT, &text, err);
	if (status != CAIRN_OK)
		return status;
	fputs(text, to);
	cairn_free(text);
	return CAIRN_OK;
}

static cairn_status compute(cli *c, cairn_pipeline *p, const cairn_options *o, cairn_error *err)
{
	cairn_report report;
	memset(&report, 0, sizeof(report));
	cairn_status status = cairn_pipeline_run(p, o, &report, err);
	cli_run_done();
	if (status == CAIRN_OK) {
		status = cli_write_profile(c, &report, err);
		cli_say_report(c, &report);
	}
	cairn_free(report.json);
	cairn_free(report.profile);
	return status;
}

cairn_status cli_carry_out(cli *c, cairn_pipeline *p, const cairn_options *o, cairn_error *err)
{
	bool dry = cli_has(c, "dry-run");
	cairn_status status = CAIRN_OK;
	if (c->verbose || cli_has(c, "explain") || dry)
		status = show_plan(p, o, dry ? stdout : stderr, err);
	return status == CAIRN_OK && !dry ? compute(c, p, o, err) : status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * output_state.c -- deciding about existing outputs. See output_state.h for the rules.
 */
#include "exec/output_state.h"

#include "base/mem.h"
#include "base/path.h"
#include "core/table.h"
#include "exec/path_clash.h"

#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

static const crn_value *find_arg(const crn_node *n, const char *name)
{
	for (int i = 0; i < n->n_args; i++)
		if (strcmp(n->op->params[i].name, name) == 0)
			return &n->args[i];
	return NULL;
}

const char *crn_sink_url(const crn_node *sink)
{
	const crn_value *v = find_arg(sink, "url");
	return v && v->kind == CRN_V_STR ? crn_url_path(v->s) : "";
}

const char *crn_table_name(const crn_node *sink)
{
	const crn_value *v = find_arg(sink, "table");
	return v && v->kind == CRN_V_STR ? v->s : "objects";
}

bool crn_table_appends(const crn_node *sink)
{
	const crn_value *v = find_arg(sink, "append");
	return v && v->kind == CRN_V_BOOL && v->b;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), k = strlen(suffix);
	return n > k && strcmp(text + n - k, suffix) == 0;
}

cairn_status crn_table_format_of(
	const crn_registry *r, const crn_node *sink, const crn_table_format **ret, cairn_error *err)
{
	const char *url = crn_sink_url(sink);
	CRN_STR known = {0};
	for (int i = 0; r->table_formats[i]; i++) {
		for (int s = 0; r->table_formats[i]->suffixes[s]; s++) {
			crn_str_appendf(&known, " %s", r->table_formats[i]->suffixes[s]);
			if (has_suffix(url, r->table_formats[i]->suffixes[s])) {
				*ret = r->table_formats[i];
				return CAIRN_OK;
			}
		}
	}
	return crn_fail(err, CAIRN_USAGE, "%s: a table is written to one of%s", url,
		known.data ? known.data : " nothing");
}

/* "<dir>/.<file>.cairn/table-<name>" */
static void mark_path(const crn_node *sink, crn_str *folder, crn_str *file)
{
	const char *url = crn_sink_url(sink), *slash = strrchr(url, '/');
	int n = slash ? (int)(slash - url) + 1 : 0;
	crn_str_appendf(folder, "%.*s.%s.cairn", n, url, url + n);
	crn_str_appendf(
		file, "%s/table-%s", folder->data ? folder->data : "", crn_table_name(sink));
}

#define PENDING " pending "

cairn_status crn_table_mark(const crn_node *sink, const char *proof, bool sync, cairn_error *err)
{
	CRN_STR folder = {0}, file = {0}, text = {0};
	char hex[33];
	mark_path(sink, &folder, &file);
	crn_str_appendf(&text, "%s%s%s", crn_hash_hex(sink->hash, hex), proof ? PENDING : "",
		proof ? proof : "");
	if (folder.oom || file.oom || text.oom)
		return crn_fail_memory(err, "a path", 1);
	CRN_TRY(crn_make_folders(folder.data, err));
	return crn_disk_put_file(file.data, text.data, text.len, sync)
		       ? CAIRN_OK
		       : crn_fail_errno(err, CAIRN_FAILED, "writing", file.data);
}

static bool mark_is_ours(const crn_table_format *f, const crn_node *sink)
{
	CRN_STR folder = {0}, file = {0};
	char hex[33], found[256] = "";
	mark_path(sink, &folder, &file);
	int fd = file.oom ? -1 : open(file.data, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, found, sizeof(found) - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (n < 32 || strncmp(found, crn_hash_hex(sink->hash, hex), 32) != 0)
		return false;
	size_t skip = strlen(PENDING);
	return n == 32 ||
	       (strncmp(found + 32, PENDING, skip) == 0 &&
		       f->is_proven(crn_sink_url(sink), crn_table_name(sink), found + 32 + skip));
}

static cairn_status inspect_table(const crn_registry *r, crn_output *o, cairn_error *err)
{
	const crn_table_format *f;
	CRN_TRY(crn_table_format_of(r, o->sink, &f, err));
	bool there = f->exists(crn_sink_url(o->sink), crn_table_name(o->sink));
	bool ours = there && mark_is_ours(f, o->sink);
	o->state = !there                       ? CRN_OUTPUT_ABSENT
		   : ours                       ? CRN_OUTPUT_COMPLETE
		   : crn_table_appends(o->sink) ? CRN_OUTPUT_ABSENT
						: CRN_OUTPUT_FOREIGN;
	return CAIRN_OK;
}

static cairn_status format_of(
	const crn_registry *r, const crn_node *sink, const crn_format **ret, cairn_error *err)
{
	const crn_value *format = find_arg(sink, "format");
	return crn_format_for_writing(r, crn_sink_url(sink),
		format && format->kind == CRN_V_STR ? format->s : NULL, ret, err);
}

static cairn_status inspect(const crn_registry *r, crn_output *o, cairn_error *err)
{
	const crn_format *f;
	if (o->is_table)
		return inspect_table(r, o, err);
	CRN_TRY(format_of(r, o->sink, &f, err));
	return crn_journal_inspect(f, crn_sink_url(o->sink), o->sink->hash, &o->state, err);
}

/* ---- inputs are never outputs ---- */

/* The sources a sink reads, each once: pipelines share nodes, so a plain walk could take for ever.
 */
typedef struct walk {
	crn_node **seen;
	int n, cap;
} walk;

static cairn_status walk_add(walk *w, crn_node *n, cairn_error *err)
{
	for (int i = 0; i < w->n; i++)
		if (w->seen[i] == n)
			return CAIRN_OK;
	if (w->n == w->cap) {
		int cap = w->cap ? 2 * w->cap : 64;
		crn_node **seen = crn_realloc_array(w->seen, (size_t)cap, sizeof(*seen));
		if (!seen)
			return crn_fail_memory(
				err, "a list of inputs", (size_t)cap * sizeof(*seen));
		w->seen = seen;
		w->cap = cap;
	}
	w->seen[w->n++] = n;
	return CAIRN_OK;
}

static cairn_status walk_inputs(walk *w, crn_node *const *sinks, int n, cairn_error *err)
{
	for (int i = 0; i < n; i++)
		CRN_TRY(walk_add(w, sinks[i], err));
	for (int i = 0; i < w->n; i++)
		for (int k = 0; k < w->seen[i]->n_in; k++)
			CRN_TRY(walk_add(w, w->seen[i]->in[k], err));
	return CAIRN_OK;
}

cairn_status crn_outputs_nodes(
	const crn_output *o, int n, crn_node ***ret, int *ret_n, cairn_error *err)
{
	walk w = {0};
	cairn_status status = CAIRN_OK;
	for (int i = 0; i < n && status == CAIRN_OK; i++)
		if (!o[i].skip)
			status = walk_add(&w, o[i].sink, err);
	if (status == CAIRN_OK)
		status = walk_inputs(&w, NULL, 0, err);
	if (status != CAIRN_OK) {
		crn_free(w.seen);
		return status;
	}
	*ret = w.seen;
	*ret_n = w.n;
	return CAIRN_OK;
}

static cairn_status check_inputs(const walk *w, const crn_output *o, cairn_error *err)
{
	const char *url = crn_sink_url(o->sink);
	for (int i = 0; i < w->n; i++) {
		if (!w->seen[i]->source)
			continue;
		crn_clash clash = crn_path_clash(url, w->seen[i]->source->url);
		/* Names that could join the stack that is read matter when something is there. */
		if (clash == CRN_CLASH_NONE ||
			(clash == CRN_CLASH_NAMES && o->state == CRN_OUTPUT_ABSENT))
			continue;
		crn_fail(err, CAIRN_EXISTS, "output %s is also an input of this pipeline", url);
		crn_hint(err, "write to another path");
		return CAIRN_EXISTS;
	}
	return CAIRN_OK;
}

/* Tables of one file may have different names, or append. */
static bool may_share(const crn_output *a, const crn_output *b)
{
	return a->is_table && b->is_table &&
	       (strcmp(crn_table_name(a->sink), crn_table_name(b->sink)) != 0 ||
		       crn_table_appends(b->sink));
}

static cairn_status check_paths(const walk *w, const crn_output *o, int n, cairn_error *err)
{
	for (int a = 0; a < n; a++) {
		if (o[a].is_print)
			continue;
		CRN_TRY(check_inputs(w, &o[a], err));
		for (int b = a + 1; b < n; b++) {
			const char *one = crn_sink_url(o[a].sink), *two = crn_sink_url(o[b].sink);
			if (o[b].is_print || may_share(&o[a], &o[b]) ||
				crn_path_clash(one, two) == CRN_CLASH_NONE)
				continue;
			return crn_fail(err, CAIRN_USAGE, "two outputs go to %s%s%s", one,
				strcmp(one, two) == 0 ? "" : " and ",
				strcmp(one, two) == 0 ? "" : two);
		}
	}
	return CAIRN_OK;
}

/* ---- the decision ---- */

static cairn_status refuse(const crn_output *o, cairn_error *err)
{
	const char *url = crn_sink_url(o->sink);
	if (o->state == CRN_OUTPUT_COMPLETE) {
		crn_fail(err, CAIRN_EXISTS, "output %s is complete already (same pipeline)", url);
		crn_hint(err,
			"--on-exists resume accepts it, --on-exists replace computes it again");
	} else if (o->state == CRN_OUTPUT_OTHER) {
		crn_fail(err, CAIRN_EXISTS,
			"output %s was written by another pipeline, or its inputs have changed",
			url);
		crn_hint(err, "write elsewhere, or --on-exists replace to erase it");
	} else if (o->is_table) {
		crn_fail(err, CAIRN_EXISTS, "%s holds a table '%s' already", url,
			crn_table_name(o->sink));
		crn_hint(err, "append=True adds rows, --on-exists replace writes it anew");
	} else {
		crn_fail(err, CAIRN_EXISTS, "output %s exists", url);
		crn_hint(err, "write elsewhere, or --on-exists replace to erase it");
	}
	return CAIRN_EXISTS;
}

cairn_status crn_outputs_decide(const crn_registry *r, crn_node *const *sinks, int n,
	crn_on_exists mode, crn_output *ret, cairn_error *err)
{
	bool work_left = false;
	for (int i = 0; i < n; i++) {
		ret[i] = (crn_output){.sink = sinks[i]};
		ret[i].is_print = strcmp(sinks[i]->op->name, "print") == 0;
		ret[i].is_table = !ret[i].is_print && sinks[i]->type.is_table;
		if (ret[i].is_print)
			continue;
		CRN_TRY(inspect(r, &ret[i], err));
		work_left = work_left || ret[i].state != CRN_OUTPUT_COMPLETE;
	}
	walk inputs = {0};
	cairn_status status = walk_inputs(&inputs, sinks, n, err);
	if (status == CAIRN_OK)
		status = check_paths(&inputs, ret, n, err);
	crn_free(inputs.seen);
	CRN_TRY(status);
	for (int i = 0; i < n; i++) {
		crn_output *o = &ret[i];
		if (o->is_print || mode == CRN_EXISTS_REPLACE)
			continue;
		bool other = o->state == CRN_OUTPUT_FOREIGN || o->state == CRN_OUTPUT_OTHER;
		bool all_there =
			o->state == CRN_OUTPUT_COMPLETE && !work_left && mode != CRN_EXISTS_RESUME;
		if (other || all_there)
			return refuse(o, err);
		o->skip = o->state == CRN_OUTPUT_COMPLETE;
		o->resume = o->state == CRN_OUTPUT_PARTIAL;
	}
	return CAIRN_OK;
}

/* ---- one writer an output ---- */

/* Two tables of one name that append to each other share a lock. */
static bool shares_lock(const crn_output *o, int i)
{
	for (int k = 0; k < i; k++)
		if (o[k].lock.fd_plus_1 && o[k].is_table && o[i].is_table &&
			strcmp(crn_table_name(o[k].sink), crn_table_name(o[i].sink)) == 0 &&
			crn_path_clash(crn_sink_url(o[k].sink), crn_sink_url(o[i].sink)) ==
				CRN_CLASH_SAME)
			return true;
	return false;
}

static const char *lock_part(const crn_output *o)
{
	return o->is_table ? crn_table_name(o->sink) : NULL;
}

static cairn_status lock_output(const crn_registry *r, crn_output *o, cairn_error *err)
{
	const char *url = crn_sink_url(o->sink);
	crn_output now = *o;
	CRN_TRY(crn_output_lock_take(url, lock_part(o), &o->lock, err));
	CRN_TRY(inspect(r, &now, err));
	if (now.state != o->state) {
		crn_fail(err, CAIRN_EXISTS, "another run has written %s just now", url);
		crn_hint(err, "run the same command again");
		return CAIRN_EXISTS;
	}
	return o->is_table ? CAIRN_OK : crn_output_reap(url, err);
}

cairn_status crn_outputs_lock(const crn_registry *r, crn_output *o, int n, cairn_error *err)
{
	for (int i = 0; i < n; i++) {
		if (o[i].skip)
			crn_output_lock_sweep(crn_sink_url(o[i].sink), lock_part(&o[i]));
		if (o[i].is_print || o[i].skip || shares_lock(o, i))
			continue;
		cairn_status status = lock_output(r, &o[i], err);
		if (status == CAIRN_OK)
			continue;
		crn_where(err, "op %s", o[i].sink->origin);
		return status;
	}
	return CAIRN_OK;
}

void crn_outputs_unlock(crn_output *o, int n)
{
	for (int i = 0; i < n; i++)
		crn_output_lock_give(&o[i].lock);
}

/* ---- checkpoints ---- */

cairn_status crn_checkpoint_folder(const crn_registry *r, const crn_output *o, int n,
	const crn_run_options *options, crn_str *ret, cairn_error *err)
{
	CRN_STR table = {0};
	const crn_format *f;
	while (n > 0 && o->is_print) {
		o++;
		n--;
	}
	if (n == 0)
		return CAIRN_OK;
	if (options->scratch_dir) {
		char full[PATH_MAX], hex[33];
		crn_hasher h;
		crn_hasher_init(&h);
		crn_hash_text(&h, crn_path_resolve(crn_sink_url(o->sink), full)
					  ? full
					  : crn_sink_url(o->sink));
		crn_str_appendf(ret, "%s/.cairn-checkpoints-%.16s", options->scratch_dir,
			crn_hash_hex(crn_hasher_result(&h), hex));
	} else if (o->is_table) {
		mark_path(o->sink, ret, &table);
		crn_str_append(ret, "/checkpoints");
	} else {
		CRN_TRY(format_of(r, o->sink, &f, err));
		f->journal_path(crn_sink_url(o->sink), ret);
		crn_str_append(ret, "/checkpoints");
	}
	if (ret->oom)
		return crn_fail_memory(err, "a path", ret->len);
	return options->on_exists == CRN_EXISTS_REPLACE ? crn_remove_tree(ret->data, err)
							: CAIRN_OK;
}

cairn_status crn_output_clear(
	const crn_registry *r, const crn_output *o, crn_on_exists mode, cairn_error *err)
{
	if (mode != CRN_EXISTS_REPLACE || o->is_print || o->is_table)
		return CAIRN_OK;
	const crn_format *f;
	CRN_TRY(format_of(r, o->sink, &f, err));
	return crn_output_remove(f, crn_sink_url(o->sink), err);
}

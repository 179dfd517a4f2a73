/* SPDX-License-Identifier: Apache-2.0
 *
 * ops_rules_test.c -- what holds for every registered op: documented parameters, unique names,
 * hooks that fit its kind, an example that runs, and an answer from outside it is tested against.
 */
#include "base/mem.h"
#include "builtin.h"
#include "core/call.h"
#include "core/registry.h"
#include "exec/run.h"
#include "lang/pipeline.h"
#include "reference/reference.h"
#include "support/eager.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <ctype.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define EACH_OP(op) \
	for (const crn_op *const *op##_ = crn_builtin_registry.ops, *op; (op = *op##_); op##_++)

static bool filled(const char *text)
{
	return text && text[0] != '\0';
}

static void texts_are_there(void **state)
{
	int bad = 0;
	EACH_OP(op)
	{
		bool ok = filled(op->name) && filled(op->category) && filled(op->summary) &&
			  op->params && op->semver >= 1 && (op->internal || filled(op->source));
		for (const crn_param *p = op->params; ok && p->type != CRN_P_END; p++)
			if (!filled(p->name) || !filled(p->help)) {
				print_error("%s: parameter %s has no help\n", op->name, p->name);
				bad++;
			}
		if (!ok)
			print_error("%s: name, category, summary, source or version missing\n",
				op->name ? op->name : "?");
		bad += !ok;
	}
	assert_int_equal(bad, 0);
}

static void names_are_unique(void **state)
{
	EACH_OP(op)
	{
		int same = 0;
		EACH_OP(other)
		same += strcmp(op->name, other->name) == 0;
		if (same != 1)
			fail_msg("%d ops are called %s", same, op->name);
		for (const crn_param *p = op->params; p->type != CRN_P_END; p++)
			for (const crn_param *q = op->params; q != p; q++)
				if (strcmp(p->name, q->name) == 0)
					fail_msg("%s has two parameters %s", op->name, p->name);
	}
}

static void hooks_fit_the_kind(void **state)
{
	int bad = 0;
	EACH_OP(op)
	{
		bool ok = true;
		switch (op->kind) {
		case CRN_COMPOSITE:
			ok = op->build && !op->compute;
			break;
		case CRN_SOURCE:
			break;
		case CRN_GENERATOR:
			ok = op->infer && op->compute;
			break;
		case CRN_ELEMENTWISE:
			ok = op->infer && op->bind;
			break;
		case CRN_VIEW:
			ok = op->infer && op->affine;
			break;
		case CRN_STENCIL:
			ok = op->infer && op->need && op->compute;
			break;
		case CRN_REDUCTION:
			ok = op->infer && op->reduce && op->reduce->acc_bytes && op->reduce->init &&
			     op->reduce->fold && op->reduce->merge && op->reduce->finish &&
			     op->reduce->project;
			break;
		case CRN_GLOBAL:
			ok = op->infer && op->global && op->global->begin && op->global->fold &&
			     op->global->end;
			break;
		case CRN_SINK:
			ok = op->infer != NULL;
			break;
		}
		if (!ok)
			print_error("%s: a hook of its kind is missing\n", op->name);
		bad += !ok;
	}
	assert_int_equal(bad, 0);
}

/* Default texts are literals of the language. */
static void defaults_parse(void **state)
{
	cairn_error err;
	EACH_OP(op)
	for (const crn_param *p = op->params; p->type != CRN_P_END; p++) {
		CRN_VALUE v = {0};
		if (p->default_text &&
			crn_value_parse_literal(p->default_text, &v, &err) != CAIRN_OK)
			fail_msg("%s(%s=%s): %s", op->name, p->name, p->default_text,
				crn_test_error(&err));
	}
}

/* ---- examples ---- */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	return remove(path);
}

static void ignore_print(void *user, const char *label, const crn_type *type, const crn_view *value)
{
}

static cairn_status run_pipeline(crn_graph *g, crn_engine *e, const char *text, cairn_error *err)
{
	crn_pipeline *p = NULL;
	const crn_pipeline_request request = {.name = NULL};
	crn_run_options o = {.n_threads = 2,
		.isa = crn_isa_best(),
		.memory_bytes = (size_t)1 << 30,
		.print = ignore_print};
	int n = 0;
	CRN_TRY(crn_pipeline_new(g, text, strlen(text), &request, &p, err));
	cairn_status status = CAIRN_OK;
	crn_node *const *sinks = crn_pipeline_sinks(p, &n);
	if (n > 0)
		status = crn_run(e, sinks, n, &o, NULL, err);
	const crn_value *last = crn_pipeline_last(p);
	if (n == 0 && !last && crn_pipeline_n_names(p) > 0)
		last = crn_pipeline_value(p, crn_pipeline_n_names(p) - 1);
	if (status == CAIRN_OK && last && last->kind == CRN_V_NODE && !last->node->type.is_table) {
		CRN_EAGER got = {0};
		status = crn_eager(last->node, &got, err);
	}
	crn_pipeline_free(p);
	return status;
}

static bool reads_files(const char *example)
{
	return strstr(example, "read(") != NULL;
}

static void examples_run(void **state)
{
	char dir[] = "/tmp/cairn-examples-XXXXXX", back[4096];
	crn_graph *g = NULL;
	crn_engine *e = NULL;
	cairn_error err;
	int bad = 0;
	assert_non_null(getcwd(back, sizeof(back)));
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	crn_assert_ok(crn_graph_new(&crn_builtin_registry, &g, &err));
	crn_assert_ok(crn_engine_new(&crn_builtin_registry, &e, &err));
	EACH_OP(op)
	{
		if (op->internal || (op->example && reads_files(op->example)))
			continue;
		if (!op->example) {
			print_error("%s: no example\n", op->name);
			bad++;
		} else if (run_pipeline(g, e, op->example, &err) != CAIRN_OK) {
			print_error(
				"%s: %s\n    %s\n", op->name, op->example, crn_test_error(&err));
			bad++;
		}
	}
	crn_engine_free(e);
	crn_graph_unref(g);
	assert_int_equal(chdir(back), 0);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(bad, 0);
}

/* ---- every op is tested against something from outside ---- */

static bool in_reference(const char *name)
{
	static const ref_op *const tables[] = {ref_elementwise, ref_views, ref_filters,
		ref_morphology, ref_reductions, ref_measures};
	for (size_t t = 0; t < CRN_COUNT(tables); t++)
		for (const ref_op *op = tables[t]; op->name; op++)
			if (strcmp(op->name, name) == 0)
				return true;
	return false;
}

static void append_file(crn_str *all, const char *path)
{
	char bytes[4096];
	FILE *f = fopen(path, "re");
	for (size_t n; f && (n = fread(bytes, 1, sizeof(bytes), f)) > 0;)
		crn_str_append_n(all, bytes, n);
	if (f)
		fclose(f);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);
	return n >= k && strcmp(text + n - k, end) == 0;
}

/* All scripts, case lists and tests under a folder, in one text. */
static void append_folder(crn_str *all, const char *folder, bool tests_only)
{
	DIR *d = opendir(folder);
	for (const struct dirent *e; d && (e = readdir(d));) {
		char path[2048];
		struct stat info;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode))
			append_folder(all, path, tests_only);
		else if (ends_with(path, "_test.c") ||
			 (!tests_only && (ends_with(path, ".txt") || ends_with(path, ".py") ||
						 ends_with(path, ".c"))))
			append_file(all, path);
	}
	if (d)
		closedir(d);
}

static bool word_in(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = text; (at = strstr(at, word)); at += n) {
		char before = at == text ? ' ' : at[-1], after = at[n];
		if (!isalnum((unsigned char)before) && before != '_' &&
			!isalnum((unsigned char)after) && after != '_')
			return true;
	}
	return false;
}

static void every_op_is_tested(void **state)
{
	CRN_STR all = {0};
	int bad = 0;
	append_folder(&all, crn_test_path("golden"), false);
	append_folder(&all, crn_test_path("../src"), true);
	assert_true(all.len > 1000 && !all.oom);
	EACH_OP(op)
	{
		if (op->internal || in_reference(op->name) || word_in(all.data, op->name))
			continue;
		print_error(
			"%s: neither in the reference nor in a golden or unit test\n", op->name);
		bad++;
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_there),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(hooks_fit_the_kind),
		cmocka_unit_test(defaults_parse),
		cmocka_unit_test(examples_run),
		cmocka_unit_test(every_op_is_tested),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

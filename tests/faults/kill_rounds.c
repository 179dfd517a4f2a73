/* SPDX-License-Identifier: Apache-2.0
 *
 * kill_rounds.c -- kill -9 at random moments of a multi-stage run, again and again.
 *
 *	usage: kill_rounds ROUNDS [SEED]
 *
 * The pipeline labels, measures, reduces and writes: an array, a file, slices and two tables. In a
 * round a child process runs it and is killed at a random moment; the same pipeline then resumes,
 *and
 *
 *	every output has the bytes of an uninterrupted run
 *	of every pass at most the tasks in flight, and for partials those of the last second, are
 *folded again: what the child had reported as done before it died (or a second before) is restored
 *
 * What the child had done it says itself, a thousand times a second, in shared memory: the voxels
 *of finished tasks of its stage. So the bound holds without any allowance for them.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/thread.h"
#include "builtin.h"
#include "exec/run.h"
#include "lang/pipeline.h"

#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

static const char *const program =
	"x = random((%d, 160, 160), seed=5).gaussian_filter((3, 5, 5))\n"
	"m = x > 0.506\n"
	"n = label(m)\n"
	"write(n, '%s/labels.zarr', chunks=(8, 40, 40), compressor='none')\n"
	"write(regionprops(n, x), '%s/objects.csv')\n"
	"write(((x - x.mean() - median(x)) * 9000).astype('int16'), '%s/x.npy')\n"
	"write((x * (x * x).max() * 60000).astype('uint16')[::8], '%s/slices/%%03d.png')\n"
	"write(regionprops(n), '%s/objects.db', table='t')\n";

/* ---- what the child says ---- */

enum { MOST_MOMENTS = 200000, MOST_STAGES = 64 };

typedef struct moment {
	int64_t at_ns;
	int stage;
	int64_t done;
} moment;

typedef struct diary {
	_Atomic int n;
	char names[MOST_STAGES][160];
	moment of[MOST_MOMENTS];
} diary;

static diary *said;

static void note(void *user, const crn_progress *p)
{
	int n = atomic_load(&said->n);
	(void)user;
	if (n == MOST_MOMENTS || p->stage >= MOST_STAGES)
		return;
	if (!said->names[p->stage][0])
		snprintf(said->names[p->stage], sizeof(said->names[0]), "%s", p->stage_name);
	said->of[n] = (moment){crn_now_ns(), p->stage, p->done};
	atomic_store(&said->n, n + 1);
}

/* ---- running ---- */

static void fail(const char *what, const char *more)
{
	printf("not ok: %s %s\n", what, more);
	exit(1);
}

/* The pipeline in `folder`; *ret_json is the profile, to be freed. */
static cairn_status run(
	const char *folder, crn_on_exists mode, bool noted, char **ret_json, cairn_error *err)
{
	const crn_pipeline_request request = {.name = NULL};
	crn_run_options o = {.n_threads = 3,
		.memory_bytes = (size_t)96 << 20,
		.isa = crn_isa_best(),
		.fsync = CRN_FSYNC_NONE,
		.on_exists = mode,
		.progress = noted ? note : NULL,
		.progress_ns = 1000000};
	crn_graph *graph = NULL;
	crn_engine *engine = NULL;
	crn_pipeline *pipeline = NULL;
	crn_report report = {0};
	char text[2048];
	int n = 0;
	snprintf(text, sizeof(text), program, 96, folder, folder, folder, folder, folder);
	cairn_status status = crn_graph_new(&crn_builtin_registry, &graph, err);
	if (status == CAIRN_OK)
		status = crn_engine_new(&crn_builtin_registry, &engine, err);
	if (status == CAIRN_OK)
		status = crn_pipeline_new(graph, text, strlen(text), &request, &pipeline, err);
	if (status == CAIRN_OK) {
		crn_node *const *sinks = crn_pipeline_sinks(pipeline, &n);
		status = crn_run(engine, sinks, n, &o, &report, err);
	}
	if (ret_json) {
		*ret_json = report.json;
		report.json = NULL;
	}
	crn_report_done(&report);
	crn_pipeline_free(pipeline);
	crn_engine_free(engine);
	crn_graph_unref(graph);
	return status;
}

/* ---- comparing ---- */

static const char *here, *there;
static int n_files;
static char different[600];

static bool same_bytes(const char *a, const char *b)
{
	FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
	bool same = f && g;
	for (int c = 0; same && c != EOF;)
		same = (c = getc_unlocked(f)) == getc_unlocked(g);
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return same;
}

static bool same_table(const char *a, const char *b)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	char sql[1400];
	bool same = sqlite3_open(a, &db) == SQLITE_OK;
	snprintf(sql, sizeof(sql),
		"ATTACH '%s' AS b; CREATE TEMP TABLE d AS SELECT * FROM (SELECT * FROM main.t "
		"EXCEPT "
		"SELECT * FROM b.t) UNION ALL SELECT * FROM (SELECT * FROM b.t EXCEPT SELECT * "
		"FROM "
		"main.t)",
		b);
	same = same && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
	       sqlite3_prepare_v2(db,
		       "SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM main.t)", -1, &s,
		       NULL) == SQLITE_OK &&
	       sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 0) == 0 &&
	       sqlite3_column_int64(s, 1) > 10;
	sqlite3_finalize(s);
	sqlite3_close(db);
	return same;
}

static int compare_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	char other[512];
	(void)info;
	(void)walk;
	if (strstr(path, ".cairn/journal") || strstr(path, ".cairn/table-") || kind != FTW_F)
		return 0;
	snprintf(other, sizeof(other), "%s%s", there, path + strlen(here));
	n_files++;
	bool same = strstr(path, ".db") ? same_table(path, other) : same_bytes(path, other);
	if (!same && !different[0])
		snprintf(different, sizeof(different), "%s", path);
	return 0;
}

static int compare(const char *a, const char *b)
{
	here = a;
	there = b;
	n_files = 0;
	nftw(a, compare_one, 8, FTW_PHYS);
	return n_files;
}

/* ---- what was repeated ---- */

/* `key` of the node whose name ends a stage's name; -1 without such a node. */
static int64_t figure(const crn_json *profile, const char *stage, const char *key)
{
	const crn_json *nodes = crn_json_get(profile, "nodes");
	for (int i = 0; nodes && i < nodes->n; i++) {
		const crn_json *name = crn_json_get(&nodes->items[i], "name");
		const crn_json *v = crn_json_get(&nodes->items[i], key);
		size_t n = strlen(stage), k = name ? strlen(name->text) : 0;
		if (name && n >= k && strcmp(stage + n - k, name->text) == 0)
			return v && v->kind == CRN_JSON_INT ? v->i : 0;
	}
	return -1;
}

/* Voxels the child had reported for a stage `before_ns` before its last word. */
static int64_t done_by(int stage, int64_t before_ns)
{
	int n = atomic_load(&said->n);
	int64_t last = n > 0 ? said->of[n - 1].at_ns : 0, done = 0;
	for (int i = 0; i < n; i++)
		if (said->of[i].stage == stage && said->of[i].at_ns <= last - before_ns)
			done = said->of[i].done;
	return done;
}

static int64_t began_at(int stage)
{
	for (int i = 0; i < atomic_load(&said->n); i++)
		if (said->of[i].stage == stage)
			return said->of[i].at_ns;
	return 0;
}

static int64_t n_checked, n_restored;

static void check_repeats(const char *json)
{
	crn_json *profile = NULL;
	cairn_error err = {0};
	if (crn_json_parse(json, strlen(json), CAIRN_FAILED, &profile, &err) != CAIRN_OK)
		fail("the profile is no JSON:", err.message);
	for (int s = 0; s < MOST_STAGES && said->names[s][0]; s++) {
		const char *name = said->names[s];
		int64_t restored = figure(profile, name, "restored");
		int64_t folded = figure(profile, name, "folded");
		bool by_tile = strstr(name, "label") != NULL;
		if (strncmp(name, "compute ", 8) != 0 || restored < 0 || restored + folded == 0)
			continue; /* no pass, or not needed any more */
		/* A pass of under a twentieth of a second need not be kept. */
		int64_t promised = done_by(s, by_tile ? 0 : 1100000000);
		if (!by_tile && done_by(s, 0) > promised && done_by(s, 0) == restored + folded &&
			s + 1 < MOST_STAGES && said->names[s + 1][0] &&
			began_at(s + 1) - began_at(s) > 100000000)
			promised = restored + folded; /* kept at its end */
		n_checked++;
		n_restored += restored > 0;
		if (restored < promised) {
			printf("%s: the killed run had done %lld, %lld are restored, %lld folded\n",
				name, (long long)promised, (long long)restored, (long long)folded);
			fail("a finished task was repeated:", name);
		}
	}
	crn_json_free(profile);
}

/* ---- rounds ---- */

static void kill_once(const char *folder, int64_t moment_ns)
{
	struct timespec t = {.tv_sec = moment_ns / 1000000000, .tv_nsec = moment_ns % 1000000000};
	memset(said, 0, sizeof(*said));
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		cairn_error err = {0};
		_exit(run(folder, CRN_EXISTS_RESUME, true, NULL, &err) == CAIRN_OK ? 0 : 1);
	}
	nanosleep(&t, NULL);
	kill(child, SIGKILL);
	int how = 0;
	waitpid(child, &how, 0);
	if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
		fail("the run failed before it was killed", "");
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)time(NULL);
	char root[64] = "/tmp/cairn-kills-XXXXXX", whole[128], folder[128];
	cairn_error err = {0};
	int killed = 0;
	printf("seed %u\n", seed);
	said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (said == MAP_FAILED || !mkdtemp(root))
		return 1;
	snprintf(whole, sizeof(whole), "%s/whole", root);
	snprintf(folder, sizeof(folder), "%s/run", root);
	int64_t start = crn_now_ns();
	/* In a child as well, so that no thread or lock is there when others are forked. */
	pid_t child = fork();
	if (child == 0)
		_exit(run(whole, CRN_EXISTS_FAIL, false, NULL, &err) == CAIRN_OK ? 0 : 1);
	int how = 0;
	waitpid(child, &how, 0);
	if (how != 0)
		fail("the undisturbed run", "");
	int64_t whole_ns = crn_now_ns() - start;
	for (int r = 0; r < rounds; r++) {
		char *json = NULL;
		double part = (double)rand_r(&seed) / RAND_MAX;
		if (crn_remove_tree(folder, &err) != CAIRN_OK)
			fail("removing", err.message);
		kill_once(folder, (int64_t)((double)whole_ns * part));
		killed += atomic_load(&said->n) > 0;
		if (run(folder, CRN_EXISTS_RESUME, false, &json, &err) != CAIRN_OK)
			fail("the resume:", err.message);
		if (json)
			check_repeats(json);
		crn_free(json);
		if (compare(folder, whole) != compare(whole, folder) || n_files < 5 || different[0])
			fail("other bytes than an undisturbed run:", different);
	}
	printf("%d rounds, %d killed at work, %lld passes checked, %lld with work of before\n",
		rounds, killed, (long long)n_checked, (long long)n_restored);
	return crn_remove_tree(root, NULL) == CAIRN_OK ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * write_faults_test.c -- every call that changes the disk fails once, for every kind of output.
 *
 * For n = 0, 1, 2, ... a pipeline with two outputs runs anew, and its nth write, sync, rename,
 *close, open or folder fails (no space; input/output error; half a write, then no space). Each
 *time:
 *
 *	the run says FAILED, naming the output's file and the op, and the chunk where there is one
 *	every file under its final name has the bytes of an undisturbed run, so nothing is half
 *there no temporary stays outside the journal's folder the same pipeline, resumed, succeeds with
 *the bytes of an undisturbed run
 *
 * SQLite writes by itself: there a file system layer of SQLite's (a VFS) fails instead. What a
 *fault leaks is found by the address sanitizer build of this test.
 */
#include "base/disk.h"
#include "base/mem.h"
#include "base/path.h"
#include "builtin.h"
#include "exec/run.h"
#include "lang/pipeline.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

/* ---- running ---- */

static cairn_status run_text(
	const char *text, crn_fsync fsync, crn_on_exists mode, cairn_error *err)
{
	const crn_pipeline_request request = {.name = NULL};
	crn_run_options o = {.n_threads = 1,
		.memory_bytes = 256 << 20,
		.isa = crn_isa_best(),
		.fsync = fsync,
		.on_exists = mode};
	crn_graph *graph = NULL;
	crn_engine *engine = NULL;
	crn_pipeline *pipeline = NULL;
	int n = 0;
	assert_int_equal(crn_graph_new(&crn_builtin_registry, &graph, err), CAIRN_OK);
	assert_int_equal(crn_engine_new(&crn_builtin_registry, &engine, err), CAIRN_OK);
	cairn_status status = crn_pipeline_new(graph, text, strlen(text), &request, &pipeline, err);
	if (status == CAIRN_OK) {
		crn_node *const *sinks = crn_pipeline_sinks(pipeline, &n);
		status = crn_run(engine, sinks, n, &o, NULL, err);
	}
	crn_pipeline_free(pipeline);
	crn_engine_free(engine);
	crn_graph_unref(graph);
	return status;
}

/* ---- faults ---- */

typedef enum fault { FAULT_NO_SPACE, FAULT_IO, FAULT_SHORT, N_FAULTS } fault;

typedef struct watcher {
	int64_t at, seen; /* the call that fails; < 0: none */
	fault fault;
	bool hit, halved;
	crn_disk_call call; /* that failed */
	uint64_t offset;
	char path[512];
} watcher;

static int watch(void *user, crn_disk_call call, const char *path, uint64_t offset, size_t *n)
{
	watcher *w = user;
	if (w->halved) { /* the rest of a short write */
		w->halved = false;
		return ENOSPC;
	}
	if (w->seen++ != w->at)
		return 0;
	w->hit = true;
	w->call = call;
	w->offset = offset;
	snprintf(w->path, sizeof(w->path), "%s", path);
	if (w->fault != FAULT_SHORT || call != CRN_DISK_WRITE || *n < 2)
		return w->fault == FAULT_IO ? EIO : ENOSPC;
	*n /= 2;
	w->halved = true;
	return 0;
}

/* ---- comparing folders ---- */

static const char *other_root;
static int n_differ;
static char first_different[512];

static bool is_own(const char *path)
{
	return strstr(path, ".cairn") != NULL;
}

static void differ(const char *why, const char *path)
{
	if (n_differ++ == 0)
		snprintf(first_different, sizeof(first_different), "%s: %s", why, path);
}

static bool same_bytes(const char *a, const char *b)
{
	FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
	bool same = f && g;
	for (int c = 0; same && c != EOF;)
		same = (c = fgetc(f)) == fgetc(g);
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return same;
}

/* Rows of table t of a database, as one number; -1 without the table. */
static int64_t table_sum(const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	int64_t sum = -1;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
		sqlite3_prepare_v2(db, "SELECT sum(label * area) + count(*) FROM t", -1, &s,
			NULL) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW)
		sum = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return sum;
}

static int compare_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	char other[512];
	(void)info;
	(void)walk;
	if (kind != FTW_F || is_own(path))
		return 0;
	if (strstr(path, ".crn-") || strstr(path, ".part"))
		differ("a temporary", path);
	const char *name = strchr(path + strlen(root) + 1, '/');
	snprintf(other, sizeof(other), "%s%s", other_root, name);
	if (strstr(path, ".db")) {
		int64_t sum = table_sum(path);
		if (sum != -1 && sum != table_sum(other))
			differ("another table", path);
	} else if (!same_bytes(path, other)) {
		differ("other bytes", path);
	}
	return 0;
}

/* Every file below `folder` must be as in `reference`. */
static void compare(const char *folder, const char *reference)
{
	other_root = reference;
	n_differ = 0;
	nftw(folder, compare_one, 8, FTW_PHYS);
}

/* ---- one kind of output ---- */

typedef struct output_case {
	const char *name;
	const char *text; /* of the second output; @ stands for the folder */
	const char *file; /* in messages */
} output_case;

static const output_case cases[] = {
	{"zarr", "write(x, '@/x.zarr', chunks=(4, 8, 8), compressor='none')", "/x.zarr"},
	{"zarr3", "write(x, '@/g.zarr/x', chunks=(4, 8, 16), format='zarr3')", "/g.zarr"},
	{"npy", "write(x, '@/x.npy', chunks=(4, 16, 16))", "x.npy"},
	{"tiff", "write(u, '@/x.tif')", "x.tif"},
	{"compressed tiff", "write(u, '@/x.tif', compression='deflate')", "x.tif"},
	{"tiff stack", "write(u, '@/t/x.%02d.tif')", "/t"},
	{"png stack", "write(u, '@/p/x.%02d.png')", "/p"},
	{"png", "write(u[0], '@/x.png')", "x.png"},
	{"csv", "write(regionprops(label(x > 0.5)), '@/x.csv')", "x.csv"},
	{"sqlite", "write(regionprops(label(x > 0.5)), '@/x.db', table='t')", "x.db"},
};

static void make_text(const output_case *c, const char *folder, crn_str *ret)
{
	crn_str_clear(ret);
	crn_str_appendf(ret,
		"x = random((8, 16, 16), seed=3)\nu = (x * 60000).astype('uint16')\n"
		"write(u, '%s/first.npy')\n",
		folder);
	for (const char *p = c->text; *p; p++)
		crn_str_append_n(ret, *p == '@' ? folder : p, *p == '@' ? strlen(folder) : 1);
	assert_false(ret->oom);
}

/* Does the failed call belong to a chunk's data? Then the message must say which. */
static bool belongs_to_chunk(const watcher *w)
{
	static const char *const others[] = {"journal", ".zarray", "zarr.json", ".zattrs",
		".zgroup", "table-", ".csv", ".db", "cairn-lock", ".spill"};
	size_t n = strlen(w->path);
	bool chunk = w->call == CRN_DISK_WRITE && w->path[n - 1] != '/' /* a scratch folder */ &&
		     strstr(w->path, "first.npy") == NULL;
	for (size_t i = 0; i < CRN_COUNT(others) && chunk; i++)
		chunk = strstr(w->path, others[i]) == NULL;
	/* Single files: the header is written at the end. */
	if (strstr(w->path, "x.npy") || strstr(w->path, "x.tif"))
		chunk = false;
	return chunk;
}

static void check_message(const output_case *c, const watcher *w, const cairn_error *err)
{
	const char *why = w->fault == FAULT_IO ? "Input/output error" : "No space left on device";
	bool names_file = strstr(err->message, c->file) || strstr(err->message, "first.npy") ||
			  strstr(err->message, ".cairn") || strstr(err->message, "scratch file");
	if (!names_file || !strstr(err->message, why) || !strstr(err->where, "op "))
		fail_msg("%s: call %d of %s failed; the message is: %s (%s)", c->name, (int)w->call,
			w->path, err->message, err->where);
	if (belongs_to_chunk(w) && !strstr(err->where, "chunk "))
		fail_msg("%s: no chunk in: %s (%s)", c->name, err->message, err->where);
}

/* Nothing that fails here matters for the result, so the run goes on. */
static bool may_go_on(const watcher *w)
{
	return strstr(w->path, "/checkpoints") != NULL;
}

static bool try_fault(const output_case *c, crn_fsync fsync, watcher *w, const char *reference)
{
	char folder[128];
	cairn_error err = {0};
	CRN_STR text = {0};
	snprintf(folder, sizeof(folder), "%s/run", root);
	assert_int_equal(crn_remove_tree(folder, NULL), CAIRN_OK);
	assert_int_equal(mkdir(folder, 0777), 0);
	make_text(c, folder, &text);
	crn_disk_watch(watch, w);
	cairn_status status = run_text(text.data, fsync, CRN_EXISTS_FAIL, &err);
	crn_disk_watch(NULL, NULL);
	if (!w->hit) {
		assert_int_equal(status, CAIRN_OK);
		return false;
	}
	if (status != CAIRN_OK || !may_go_on(w)) {
		if (status != CAIRN_FAILED)
			fail_msg("%s: call %d of %s failed, and the run ended with %d", c->name,
				(int)w->call, w->path, (int)status);
		check_message(c, w, &err);
	}
	compare(folder, reference);
	if (n_differ)
		fail_msg("%s: call %d of %s failed; %s", c->name, (int)w->call, w->path,
			first_different);
	status = run_text(text.data, fsync, CRN_EXISTS_RESUME, &err);
	if (status != CAIRN_OK)
		fail_msg("%s: call %d of %s failed; the resume: %s (%s)", c->name, (int)w->call,
			w->path, err.message, err.where);
	compare(folder, reference);
	const char *all = reference;
	compare(all, folder);
	if (n_differ)
		fail_msg("%s: call %d of %s failed; resumed: %s", c->name, (int)w->call, w->path,
			first_different);
	return true;
}

static void try_case(const output_case *c, crn_fsync fsync)
{
	char reference[128];
	cairn_error err = {0};
	CRN_STR text = {0};
	int64_t n = 0;
	snprintf(reference, sizeof(reference), "%s/ref", root);
	assert_int_equal(crn_remove_tree(reference, NULL), CAIRN_OK);
	assert_int_equal(mkdir(reference, 0777), 0);
	make_text(c, reference, &text);
	if (run_text(text.data, fsync, CRN_EXISTS_FAIL, &err) != CAIRN_OK)
		fail_msg("%s: %s", c->name, err.message);
	for (bool more = true; more; n++) {
		more = false;
		for (int f = 0; f < N_FAULTS; f++) {
			watcher w = {.at = n, .fault = (fault)f};
			more = try_fault(c, fsync, &w, reference) || more;
		}
	}
	print_message(
		"%s: %lld calls, each failed in %d ways\n", c->name, (long long)(n - 1), N_FAULTS);
	assert_true(n > 10);
}

static void test_batch(void **state)
{
	for (size_t i = 0; i < CRN_COUNT(cases); i++)
		try_case(&cases[i], CRN_FSYNC_BATCH);
}

static void test_each(void **state)
{
	for (size_t i = 0; i < CRN_COUNT(cases); i++)
		try_case(&cases[i], CRN_FSYNC_EACH);
}

/* ---- the order of writes and syncs ---- */

typedef struct recorder {
	int64_t clock;
	int64_t synced_all; /* when the file system was last synced */
	int64_t dirty[64];  /* per path: last write or rename; 0: clean */
	char path[64][256];
	int n;
	crn_fsync fsync;
	int64_t journal_lines, bad; /* lines written while something they name was not synced */
	char first_bad[300];
} recorder;

static int slot_of(recorder *r, const char *path)
{
	for (int i = 0; i < r->n; i++)
		if (strcmp(r->path[i], path) == 0)
			return i;
	assert_true(r->n < 64);
	snprintf(r->path[r->n], sizeof(r->path[0]), "%s", path);
	return r->n++;
}

static int record(void *user, crn_disk_call call, const char *path, uint64_t offset, size_t *n)
{
	recorder *r = user;
	bool journal = strstr(path, "/journal") != NULL;
	(void)offset;
	(void)n;
	r->clock++;
	switch (call) {
	case CRN_DISK_WRITE:
		if (strstr(path, "checkpoints") || strstr(path, "cairn-lock"))
			break;
		if (!journal) {
			r->dirty[slot_of(r, path)] = r->clock;
			break;
		}
		/* `each`: every line; `batch`: only the last ones say that data is safe. */
		r->journal_lines++;
		for (int i = 0; i < r->n; i++)
			if (r->fsync == CRN_FSYNC_EACH && r->dirty[i] > r->synced_all) {
				if (r->bad++ == 0)
					snprintf(r->first_bad, sizeof(r->first_bad), "%s",
						r->path[i]);
			}
		break;
	case CRN_DISK_SYNC:
		if (!journal)
			r->dirty[slot_of(r, path)] = 0;
		break;
	case CRN_DISK_SYNC_ALL:
		r->synced_all = r->clock;
		break;
	default:
		break;
	}
	return 0;
}

static void test_order(void **state)
{
	static const crn_fsync policies[] = {CRN_FSYNC_BATCH, CRN_FSYNC_EACH};
	for (size_t p = 0; p < CRN_COUNT(policies); p++)
		for (size_t i = 0; i + 2 < CRN_COUNT(cases); i++) { /* arrays */
			char folder[128];
			cairn_error err = {0};
			CRN_STR text = {0};
			recorder r = {.fsync = policies[p]};
			snprintf(folder, sizeof(folder), "%s/order", root);
			assert_int_equal(crn_remove_tree(folder, NULL), CAIRN_OK);
			make_text(&cases[i], folder, &text);
			crn_disk_watch(record, &r);
			assert_int_equal(
				run_text(text.data, policies[p], CRN_EXISTS_FAIL, &err), CAIRN_OK);
			crn_disk_watch(NULL, NULL);
			if (r.bad)
				fail_msg("%s: the journal got a line while %s was not synced",
					cases[i].name, r.first_bad);
			assert_true(r.journal_lines > 4);
			/* Before "done" everything is synced, whatever the policy. */
			for (int k = 0; k < r.n; k++)
				if (r.dirty[k] > r.synced_all)
					fail_msg("%s: done, and %s was not synced", cases[i].name,
						r.path[k]);
		}
}

/* ---- SQLite's own files ---- */

static struct {
	sqlite3_vfs vfs, *real;
	int64_t at, seen;
	bool hit;
} shim;

typedef struct shim_file {
	sqlite3_file base;
	sqlite3_file *real;
} shim_file;

static bool fails(void)
{
	bool now = shim.at >= 0 && shim.seen++ == shim.at;
	shim.hit = shim.hit || now;
	return now;
}

#define REAL(f) (((shim_file *)(f))->real)
static int shim_close(sqlite3_file *f)
{
	int code = REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;
	return code;
}
static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}
static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (!fails())
		return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
	(void)REAL(f)->pMethods->xWrite(REAL(f), p, n / 2, at); /* a torn page */
	return SQLITE_FULL;
}
static int shim_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return fails() ? SQLITE_IOERR_TRUNCATE : REAL(f)->pMethods->xTruncate(REAL(f), n);
}
static int shim_sync(sqlite3_file *f, int flags)
{
	return fails() ? SQLITE_IOERR_FSYNC : REAL(f)->pMethods->xSync(REAL(f), flags);
}
static int shim_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}
static int shim_lock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xLock(REAL(f), level);
}
static int shim_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), level);
}
static int shim_check(sqlite3_file *f, int *ret)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), ret);
}
static int shim_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}
static int shim_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}
static int shim_traits(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static const sqlite3_io_methods shim_methods = {.iVersion = 1,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_check,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_traits};

static int shim_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	shim_file *s = (shim_file *)f;
	(void)v;
	s->base.pMethods = NULL;
	s->real = (sqlite3_file *)(s + 1);
	int code = shim.real->xOpen(shim.real, name, s->real, flags, ret_flags);
	if (code == SQLITE_OK)
		s->base.pMethods = &shim_methods;
	return code;
}

static void install_shim(void)
{
	shim.real = sqlite3_vfs_find(NULL);
	shim.vfs = *shim.real;
	shim.vfs.zName = "faulty";
	shim.vfs.pNext = NULL;
	shim.vfs.szOsFile = (int)sizeof(shim_file) + shim.real->szOsFile;
	shim.vfs.xOpen = shim_open;
	shim.at = -1;
	assert_int_equal(sqlite3_vfs_register(&shim.vfs, 1), SQLITE_OK);
}

static void test_sqlite(void **state)
{
	const output_case *c = &cases[CRN_COUNT(cases) - 1];
	char folder[128], path[160];
	int64_t n = 0, sum = -1;
	CRN_STR text = {0};
	install_shim();
	snprintf(folder, sizeof(folder), "%s/db", root);
	snprintf(path, sizeof(path), "%s/x.db", folder);
	make_text(c, folder, &text);
	for (shim.hit = true; shim.hit; n++) {
		cairn_error err = {0};
		assert_int_equal(crn_remove_tree(folder, NULL), CAIRN_OK);
		shim.at = n ? n - 1 : -1; /* first without a fault */
		shim.seen = 0;
		shim.hit = n == 0;
		cairn_status status = run_text(text.data, CRN_FSYNC_BATCH, CRN_EXISTS_FAIL, &err);
		shim.at = -1;
		if (n == 0 || !shim.hit) {
			assert_int_equal(status, CAIRN_OK);
		} else {
			/* Failing after the commit (the rollback journal's end) is no failure. */
			if (status != CAIRN_OK &&
				(status != CAIRN_FAILED || !strstr(err.message, "x.db") ||
					!strstr(err.where, "op write")))
				fail_msg("call %lld: %d %s (%s)", (long long)n, (int)status,
					err.message, err.where);
			int64_t now = access(path, F_OK) == 0 ? table_sum(path) : -1;
			if (status == CAIRN_OK ? now != sum : now != -1 && now != sum)
				fail_msg("call %lld: half a table", (long long)n);
			if (run_text(text.data, CRN_FSYNC_BATCH, CRN_EXISTS_RESUME, &err) !=
				CAIRN_OK)
				fail_msg("call %lld: the resume: %s", (long long)n, err.message);
		}
		if (n == 0)
			sum = table_sum(path);
		assert_int_equal(table_sum(path), sum);
	}
	sqlite3_vfs_register(shim.real, 1);
	sqlite3_vfs_unregister(&shim.vfs);
	print_message("sqlite's files: %lld calls failed\n", (long long)(n - 2));
	assert_true(n > 5 && sum > 0);
}

static int make_root(void **state)
{
	/* In memory, where there is such a place: syncs then cost nothing. */
	strcpy(root, "/dev/shm/cairn-faults-XXXXXX");
	if (mkdtemp(root))
		return 0;
	strcpy(root, "/tmp/cairn-faults-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	return crn_remove_tree(root, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_sqlite),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}

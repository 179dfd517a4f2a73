/* SPDX-License-Identifier: Apache-2.0
 *
 * disk.h -- the calls that change a file system: whole writes, syncs, renames, in one place.
 *
 * Everything cairn stores goes through these (but SQLite's own files), so that a test can see their
 * order and make the nth of them fail: crn_disk_watch(). Each returns false (or -1) with errno set;
 * the caller's message names what it was doing.
 * Threads: any. crn_disk_watch only while nothing else runs.
 */
#ifndef CRN_BASE_DISK_H
#define CRN_BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** When written data is forced to the disk, so that it survives a power cut. A killed process never
 * loses what was written, under any of these. */
typedef enum crn_fsync {
	CRN_FSYNC_NONE,  /* when the system likes */
	CRN_FSYNC_BATCH, /* at checkpoints, and before an output is called done */
	CRN_FSYNC_EACH,  /* every object, before the journal names it */
} crn_fsync;

/** Creates or opens for writing; -1 with errno. `flags` as open(2), O_CLOEXEC is added. */
int crn_disk_open(const char *path, int flags);
/** All n bytes, at the file's position. */
bool crn_disk_write(int fd, const char *path, const void *bytes, size_t n);
/** All n bytes, at an offset. */
bool crn_disk_write_at(int fd, const char *path, uint64_t offset, const void *bytes, size_t n);
/** Forces a file's bytes and size to the disk. */
bool crn_disk_sync(int fd, const char *path);
/** Forces everything written to the file system that holds `path` (which exists) to the disk. */
bool crn_disk_sync_all(const char *path);
/** Forces the folder that holds `path` to the disk: names that were made, renamed or removed. */
bool crn_disk_sync_folder(const char *path);
/** Always closes; false when late errors of the writes came out. */
bool crn_disk_close(int fd, const char *path);
bool crn_disk_rename(const char *from, const char *to);
/** The folder itself; true if it is there already. */
bool crn_disk_make_folder(const char *path);
/** Reserves room for a file of `size_bytes`, or sets its size where the system cannot reserve. */
bool crn_disk_reserve(int fd, const char *path, uint64_t size_bytes);
/** Replaces or creates a small file whole: temporary name beside it, then a rename. Synced (file
 * and folder) when `sync`. */
bool crn_disk_put_file(const char *path, const void *bytes, size_t n, bool sync);

/* ---- for tests ---- */

typedef enum crn_disk_call {
	CRN_DISK_OPEN,
	CRN_DISK_WRITE,
	CRN_DISK_SYNC, /* one file */
	CRN_DISK_SYNC_ALL,
	CRN_DISK_SYNC_FOLDER,
	CRN_DISK_CLOSE,
	CRN_DISK_RENAME, /* path: the new name */
	CRN_DISK_MAKE_FOLDER,
	CRN_DISK_RESERVE,
} crn_disk_call;

/** Called before each call, from any thread. Returns 0 to let it happen, or the errno it fails with
 * (close still closes). WRITE: *n is what will be written; lowering it makes a short write, after
 * which the rest is asked for anew. */
typedef int (*crn_disk_watcher)(
	void *user, crn_disk_call call, const char *path, uint64_t offset, size_t *n);
/** NULL switches watching off. */
void crn_disk_watch(crn_disk_watcher watcher, void *user);

#endif

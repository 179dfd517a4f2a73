/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h -- the contract of stores: bytes under keys. Files, memory; later HTTP and S3.
 *
 * A key is a path of names joined by "/": "0/.zarray", "labels/c/0/1/2". Names are not empty, not
 * "." or "..", hold no NUL and no backslash, and do not start with ".crn-" (our temporary files):
 * crn_key_valid(); every call asserts it, callers that take names from files check first.
 *
 * Rules for every store
 *  (1) Any thread, any mix of calls; calls block on I/O.
 *  (2) put is atomic: a reader sees the old object, the new one, or none; a crash leaves at most a
 *      temporary that list and get never show. The last put wins.
 *  (3) get writes into the caller's buffer and never past it.
 *  (4) Status INPUT for what reading met, FAILED for what writing met; the message names the full
 *      path or URL. An absent object is no error where `ret_found` is asked for.
 * Durability: objects survive a killed process at once, a power cut when the system has written
 * its pages, or at once with fsync EACH.
 */
#ifndef CRN_CORE_STORE_H
#define CRN_CORE_STORE_H

#include "base/disk.h"
#include "base/str.h"
#include "core/registry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct crn_store crn_store;

/** Which bytes of an object. */
typedef struct crn_range {
	enum { CRN_RANGE_ALL, CRN_RANGE_FROM, CRN_RANGE_SUFFIX } kind;
	uint64_t offset; /* FROM */
	size_t n;        /* FROM: exactly n bytes; SUFFIX: the last n bytes */
} crn_range;

typedef struct crn_stat {
	uint64_t size_bytes;
	int64_t mtime_ns; /* since 1970; 0 where the store has no clock */
} crn_stat;

/** One name directly below a prefix; `is_prefix`: there are keys below it. Return false to stop. */
typedef bool (*crn_list_fn)(void *user, const char *name, bool is_prefix);

typedef struct crn_store_ops {
	/* Reads a range. ALL: the whole object, INPUT if it has more than `cap` bytes. FROM,
	 * SUFFIX: INPUT if the object is too short. Absent: *ret_found = false, OK. */
	cairn_status (*get)(crn_store *s, const char *key, const crn_range *range, void *out,
		size_t cap, size_t *ret_n, bool *ret_found, cairn_error *err);
	cairn_status (*stat)(
		crn_store *s, const char *key, crn_stat *ret, bool *ret_found, cairn_error *err);
	cairn_status (*put)(
		crn_store *s, const char *key, const void *bytes, size_t n, cairn_error *err);
	/* Absent is fine. */
	cairn_status (*remove)(crn_store *s, const char *key, cairn_error *err);
	/* Names directly below `prefix` ("" is the root), in byte order. Absent: no names. */
	cairn_status (*list)(
		crn_store *s, const char *prefix, crn_list_fn visit, void *user, cairn_error *err);
	/* Removes temporaries that no living writer holds: beside the keys directly below `prefix`,
	 * or (deep) of all below it. NULL: makes none. */
	cairn_status (*reap)(crn_store *s, const char *prefix, bool deep, cairn_error *err);
	void (*close)(crn_store *s); /* frees the struct too */
} crn_store_ops;

struct crn_store {
	const crn_store_ops *ops;
	char *root;      /* for messages and identities: full path or URL; owned */
	crn_fsync fsync; /* EACH: put returns when the object is on disk. Set after opening. */
};

struct crn_store_kind {
	const char *name; /* "file" */
	const char *summary;
	/* URL schemes, NULL-terminated ("memory://"); "" takes whatever has no "://". */
	const char *const *schemes;
	/* `url`: as given, with its scheme. Nothing is created before the first put. */
	cairn_status (*open)(const char *url, crn_store **ret, cairn_error *err);
};

/** Opens the store kind whose scheme fits. USAGE for an unknown scheme, with those we know. */
CRN_CHECKED cairn_status crn_store_open(
	const crn_registry *r, const char *url, crn_store **ret, cairn_error *err);
void crn_store_close(crn_store *s); /* NULL is fine */

bool crn_key_valid(const char *key);
/** Whole object as fresh memory, terminated by a NUL that is not counted (for metadata).
 * INPUT if it has more than `max` bytes; *ret is NULL if it is absent. */
CRN_CHECKED cairn_status crn_store_load(
	crn_store *s, const char *key, size_t max, char **ret, size_t *ret_n, cairn_error *err);
CRN_CHECKED cairn_status crn_store_exists(
	crn_store *s, const char *key, bool *ret_found, cairn_error *err);

#endif

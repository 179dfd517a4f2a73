/* SPDX-License-Identifier: Apache-2.0
 *
 * cairn/error.h -- how every cairn call reports failure: a status and a caller-owned error.
 *
 * A status is also the exit code of the command, so one table describes both. An error is a plain
 * struct that the caller owns (on its stack); it is written only when a call fails, and NULL is
 * accepted everywhere. Nothing is kept in globals or thread-locals.
 */
#ifndef CAIRN_ERROR_H
#define CAIRN_ERROR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define CAIRN_MUST_USE __attribute__((warn_unused_result))
#define CAIRN_API __attribute__((visibility("default")))
#else
#define CAIRN_MUST_USE
#define CAIRN_API
#endif

/** What a call came to. The numbers are the documented exit codes of the command. */
typedef enum cairn_status {
	CAIRN_OK = 0,       /* everything asked for is done and written */
	CAIRN_FAILED = 1,   /* an op failed, memory ran out, a write failed */
	CAIRN_USAGE = 2,    /* wrong arguments, or a pipeline text that does not parse or type */
	CAIRN_INPUT = 3,    /* an input is missing, unreadable, corrupt or of an unknown kind */
	CAIRN_NOFIT = 4,    /* the plan does not fit the memory budget; nothing was started */
	CAIRN_EXISTS = 5,   /* an output exists (or belongs to another plan) and was left alone */
	CAIRN_PARTIAL = 6,  /* finished, but some chunks failed (--keep-going) */
	CAIRN_MISMATCH = 7, /* verify found stored bytes that differ from the journal */
	CAIRN_STOPPED = 75, /* stopped early on request; the same command resumes */
	CAIRN_INTERRUPTED = 130 /* interrupted by a signal; the same command resumes */
} cairn_status;

/** One failure: what, why, where, and the one thing to try. Strings are always terminated. */
typedef struct cairn_error {
	cairn_status status;
	char message[1024]; /* what failed and why; may span lines (caret display) */
	char where[512];    /* op, chunk, file: innermost first, "; " between */
	char hint[256];     /* the one thing to try; may be empty */
} cairn_error;

/** Writes "message (where)\nhint" into `text`, cut at `size`; returns the untruncated length. */
CAIRN_API size_t cairn_error_format(const cairn_error *err, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif

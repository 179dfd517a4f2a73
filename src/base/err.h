/* SPDX-License-Identifier: Apache-2.0
 *
 * err.h -- filling cairn_error, and passing a failure up.
 *
 * The lowest layer that knows *what* failed writes the message with crn_fail(); layers above only
 * add *where* with crn_where(). Outputs of a failed call are untouched.
 */
#ifndef CRN_BASE_ERR_H
#define CRN_BASE_ERR_H

#include "cairn/error.h"

/* Must-use status: every internal function that can fail is declared with it. */
#define CRN_CHECKED CAIRN_MUST_USE

/** Starts an error: sets status and message, clears where and hint. Returns `status`. */
cairn_status crn_fail(cairn_error *err, cairn_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** "out of memory for WHAT (N bytes)", status CAIRN_FAILED. */
cairn_status crn_fail_memory(cairn_error *err, const char *what, size_t size_bytes);

/** "WHAT PATH: strerror(errno)"; reads errno, so call it first. */
cairn_status crn_fail_errno(
	cairn_error *err, cairn_status status, const char *what, const char *path);

/** Appends to where ("; " between entries); the message stays. */
void crn_where(cairn_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Sets the hint, unless a lower layer gave one already. */
void crn_hint(cairn_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Returns from the calling function if `expr` failed. */
#define CRN_TRY(expr) \
	do { \
		cairn_status crn_try_status_ = (expr); \
		if (crn_try_status_ != CAIRN_OK) \
			return crn_try_status_; \
	} while (0)

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * child_process.h -- runs a shell command with bytes on its stdin and collects its stdout.
 *
 * All three pipes are served by one poll loop, so neither side can wait for the other for ever.
 * Threads: any; a broken pipe is an error here, never a signal. The child is gone when the call
 * returns (killed if it was still running after a failure).
 */
#ifndef CRN_OPS_CHILD_PROCESS_H
#define CRN_OPS_CHILD_PROCESS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define CRN_CHILD_SETTINGS 6

/** Bytes to feed, as n_pieces of piece_bytes each; piece k starts at `piece(user, k)`. */
typedef struct crn_child_input {
	const void *(*piece)(const void *user, int64_t k);
	const void *user;
	int64_t n_pieces;
	size_t piece_bytes;
} crn_child_input;

/**
 * Runs /bin/sh -c command.
 *
 * @param settings  "NAME=value" texts added to the environment, up to CRN_CHILD_SETTINGS, NULL ends
 * @param out       exactly out_bytes are expected on stdout
 * @return FAILED: it cannot start, exits with another code than 0 (the message ends with the last
 * line of its stderr), or writes more or fewer bytes
 */
CRN_CHECKED cairn_status crn_child_run(const char *command, const char *const *settings,
	const crn_child_input *in, void *out, size_t out_bytes, cairn_error *err);

#endif

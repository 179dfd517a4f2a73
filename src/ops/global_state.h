/* SPDX-License-Identifier: Apache-2.0
 *
 * global_state.h -- what the states of all global ops share: charged memory, the need of an op that
 * looks at no input when it computes, and reading long arrays back from the scratch file.
 *
 * Threads: as crn_env. A window belongs to one call.
 */
#ifndef CRN_OPS_GLOBAL_STATE_H
#define CRN_OPS_GLOBAL_STATE_H

#include "core/op.h"

/** Zeroed memory of n items, charged to the op's tables; `what` names it in errors. */
CRN_CHECKED cairn_status crn_charged_alloc(const crn_env *env, const char *what, size_t n,
	size_t item_bytes, void *ret, cairn_error *err);
/** Frees *pp, if it is there, returns its charge and sets it to NULL. */
void crn_charged_free(const crn_env *env, void *pp, size_t n, size_t item_bytes);

/** op.need of ops whose finished state is all they compute from. */
void crn_need_nothing(const crn_node *n, int input, const crn_region *out, crn_need *ret);

/** A piece of the scratch file in memory. What was spilled once does not change, so a window stays
 * good when its reader goes on to another array. */
typedef struct crn_window {
	const crn_env *env;
	char *data; /* the caller's, `cap` bytes, 8-byte aligned */
	size_t cap, n;
	uint64_t at;
} crn_window;

/** *ret: `n` (<= cap) bytes from `offset` on, 8-byte aligned, good until the next call. `useful`
 * bytes from there (>= n) will be asked for soon. */
CRN_CHECKED cairn_status crn_window_get(crn_window *w, uint64_t offset, size_t n, uint64_t useful,
	const void **ret, cairn_error *err);

#endif

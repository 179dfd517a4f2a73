/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_file.h -- the machine's cost table (plan/costs.h) as a file in the user's cache folder,
 * and learning from a finished run.
 *
 * The file is a convenience: absent, unreadable, torn, foreign or of another machine, it counts as
 * empty; a failing write is nobody's error. It is replaced atomically, so programs that end at the
 * same time lose each other's last lesson at most.
 */
#ifndef CRN_EXEC_MACHINE_FILE_H
#define CRN_EXEC_MACHINE_FILE_H

#include "exec/state.h"

/** CPU model, cores and L2 of this machine; rates stay 0. */
void crn_machine_identify(crn_machine *ret);
/** The table in `path`, or an empty one for this machine. */
void crn_machine_load(const char *path, crn_costs *ret);
CRN_CHECKED cairn_status crn_machine_save(const char *path, const crn_costs *c, cairn_error *err);

/**
 * Takes what a finished run measured into its engine's table and saves it, if the engine learns.
 * On a machine shared with others the threads' clocks say too much: processor time corrects them.
 */
void crn_machine_learn_run(crn_state *st);

#endif

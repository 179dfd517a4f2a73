/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h -- turning a run's counters into the report. Private to exec/.
 */
#ifndef CRN_EXEC_REPORT_H
#define CRN_EXEC_REPORT_H

#include "exec/state.h"

/** Fills a report; without memory its texts stay NULL. */
void crn_report_fill(crn_state *st, crn_report *ret);

#endif

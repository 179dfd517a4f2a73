/* SPDX-License-Identifier: Apache-2.0
 *
 * dump.h -- showing a plan: text for people, JSON for programs, DOT and SVG for eyes.
 */
#ifndef CRN_PLAN_DUMP_H
#define CRN_PLAN_DUMP_H

#include "base/str.h"
#include "plan/plan.h"

CRN_CHECKED cairn_status crn_dump_text(const crn_plan *p, crn_str *out, cairn_error *err);
CRN_CHECKED cairn_status crn_dump_json(const crn_plan *p, crn_str *out, cairn_error *err);
void crn_dump_dot(const crn_plan *p, crn_str *out);
void crn_dump_svg(const crn_plan *p, crn_str *out);

/* Shared by the styles. */
const char *crn_stage_name(const crn_stage *s);
/** Number of stored objects an ARRAY stage writes. */
int64_t crn_stage_units(const crn_stage *s);
/** -1, or the cut of this node. */
int crn_plan_cut_of(const crn_plan *p, const crn_node *n);

#endif

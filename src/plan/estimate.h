/* SPDX-License-Identifier: Apache-2.0
 *
 * estimate.h -- the work in a plan, for explain. Pure but for one layout's work space.
 */
#ifndef CRN_PLAN_ESTIMATE_H
#define CRN_PLAN_ESTIMATE_H

#include "plan/plan.h"

/** Voxels computed per entry of plan->infos (array of n_infos). */
CRN_CHECKED cairn_status crn_plan_voxels(const crn_plan *p, double *ret_voxels, cairn_error *err);
/** Bytes of decoded source data, every needed chunk once. */
double crn_plan_source_bytes(const crn_plan *p, const double *voxels);

#endif

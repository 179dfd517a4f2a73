/* SPDX-License-Identifier: Apache-2.0
 *
 * estimate.h -- the work in a plan, for explain. Pure but for one layout's work space and
 * the number of cores.
 */
#ifndef CRN_PLAN_ESTIMATE_H
#define CRN_PLAN_ESTIMATE_H

#include "plan/plan.h"

/** Voxels computed per entry of plan->infos (array of n_infos). */
CRN_CHECKED cairn_status crn_plan_voxels(const crn_plan *p, double *ret_voxels, cairn_error *err);
/** What a run of the plan will take on this machine, as its cost table knows it. */
typedef struct crn_prediction {
	double seconds; /* of the whole run */
	/* Thread-seconds of each kind of work, over all threads. */
	double decode_s, compute_s, copy_s, encode_s;
	double busy;         /* part of the threads that have work, on average: 0..1 */
	const char *limit;   /* "decode", "compute", "encode" or "tasks" */
	const crn_node *top; /* takes most of the compute; NULL: nothing is computed */
	double top_s;        /* all that has its name */
	double measured;     /* part of compute_s that rests on measurements of this machine */
} crn_prediction;
void crn_plan_predict(const crn_plan *p, const double *voxels, crn_prediction *ret);

/** Bytes of decoded source data, every needed chunk once. */
double crn_plan_source_bytes(const crn_plan *p, const double *voxels);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * api_missing.c -- answers of this build for engine calls it does not have: weak, so that the
 * engine's own take their place when they are linked in.
 */
#include "exec/run.h"

__attribute__((weak)) cairn_status crn_explain(crn_engine *e, crn_node *const *sinks, int n_sinks,
	const crn_run_options *options, crn_explain_style style, crn_str *out, cairn_error *err)
{
	return crn_fail(err, CAIRN_FAILED, "this build of cairn cannot explain");
}

__attribute__((weak)) cairn_status crn_verify(crn_engine *e, const char *url,
	const crn_run_options *options, crn_str *out, cairn_error *err)
{
	return crn_fail(err, CAIRN_FAILED, "this build of cairn cannot verify");
}

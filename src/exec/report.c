/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c -- what a run did, as numbers, as JSON, and as the profile asked for.
 */
#include "exec/report.h"

#include "base/mem.h"
#include "exec/profile.h"

#include <stdatomic.h>

void crn_report_done(crn_report *r)
{
	crn_free(r->json);
	crn_free(r->profile);
	*r = (crn_report){0};
}

static void print_profile(const crn_profile *p, crn_profile_style style, crn_str *out)
{
	switch (style) {
	case CRN_PROFILE_NONE:
		break;
	case CRN_PROFILE_JSON:
		crn_profile_json(p, true, out);
		break;
	case CRN_PROFILE_HTML:
		crn_profile_html(p, out);
		break;
	case CRN_PROFILE_TRACE:
		crn_profile_trace(p, out);
		break;
	}
}

void crn_report_fill(crn_state *st, crn_report *ret)
{
	CRN_STR json = {0};
	CRN_STR profile = {0};
	crn_profile p;
	*ret = (crn_report){.seconds = (double)(crn_now_ns() - st->start_ns) * 1e-9,
		.units_written = st->units_written,
		.units_skipped = st->units_skipped,
		.bytes_read = st->bytes_read,
		.bytes_written = st->bytes_written,
		.peak_memory_bytes = crn_sched_peak(st->sched)};
	for (int c = 0; c < st->plan->n_cuts; c++)
		if (st->plan->cuts[c].kind == CRN_CUT_SOURCE)
			ret->units_read += atomic_load(&st->units[c]);
	if (crn_profile_make(st, ret->seconds, &p, NULL) != CAIRN_OK)
		return;
	crn_profile_json(&p, false, &json);
	print_profile(&p, st->options->profile, &profile);
	crn_profile_done(&p);
	ret->json = crn_str_take(&json);
	if (st->options->profile != CRN_PROFILE_NONE)
		ret->profile = crn_str_take(&profile);
}

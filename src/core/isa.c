/* SPDX-License-Identifier: Apache-2.0
 *
 * isa.c -- instruction set detection. Pure but for the CPU it runs on.
 */
#include "core/isa.h"

#include <string.h>

static const char *const names[CRN_N_ISAS] = {"base", "avx2", "avx512"};

const char *crn_isa_name(crn_isa isa)
{
	return names[isa];
}

crn_isa crn_isa_best(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
		return CRN_ISA_AVX512;
	if (__builtin_cpu_supports("avx2"))
		return CRN_ISA_AVX2;
#endif
	return CRN_ISA_BASE;
}

cairn_status crn_isa_choose(const char *text, crn_isa *ret, cairn_error *err)
{
	crn_isa best = crn_isa_best();
	if (!text || !*text) {
		*ret = best;
		return CAIRN_OK;
	}
	for (int i = 0; i < CRN_N_ISAS; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		if (i > (int)best)
			return crn_fail(err, CAIRN_USAGE,
				"this machine does not run %s code (best: %s)", text, names[best]);
		*ret = (crn_isa)i;
		return CAIRN_OK;
	}
	return crn_fail(
		err, CAIRN_USAGE, "unknown instruction set '%s' (base, avx2, avx512)", text);
}

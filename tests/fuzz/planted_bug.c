/* SPDX-License-Identifier: Apache-2.0
 *
 * planted_bug.c -- a parser with a bug, as a target that the fuzz harness must break: it trusts a
 * size field. If the harness stops finding it, the harness is broken.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t n;
	if (size < 8 || memcmp(data, "PLNT", 4) != 0)
		return 0;
	memcpy(&n, data + 4, sizeof(n));
	if (n >= 0x7fffffff) /* "cannot happen" */
		abort();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_tiff.c -- any bytes as a TIFF file: pixels or an INPUT error that names the file, and no
 * step beyond a buffer (fuzz_file.h).
 */
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const crn_format crn_format_tiff;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_file(&crn_format_tiff, data, size);
}

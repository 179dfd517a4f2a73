/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_json.c -- any bytes as JSON: parsed or refused with a place; what parses prints to a text
 * that parses to the same text again.
 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crn_json *v = NULL, *again = NULL;
	cairn_error err = {0};
	if (crn_json_parse((const char *)data, size, CAIRN_INPUT, &v, &err) != CAIRN_OK) {
		if (strncmp(err.message, "JSON", 4) != 0)
			abort();
		return 0;
	}
	CRN_STR first = {0}, second = {0};
	crn_json_print(&first, v);
	crn_json_free(v);
	if (crn_json_parse(first.data, first.len, CAIRN_INPUT, &again, &err) != CAIRN_OK)
		abort();
	crn_json_print(&second, again);
	crn_json_free(again);
	if (strcmp(first.data, second.data) != 0)
		abort();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * plain.h -- operators on plain values (no arrays): numbers, texts, None, with Python's results.
 */
#ifndef CRN_LANG_PLAIN_H
#define CRN_LANG_PLAIN_H

#include "lang/script.h"

/** USAGE, without place, for what Python refuses and for integers outside -2^63 .. 2^64 - 1. */
CRN_CHECKED cairn_status crn_plain_binary(crn_token_kind op, const crn_value *a, const crn_value *b,
	crn_value *ret, cairn_error *err);
CRN_CHECKED cairn_status crn_plain_unary(
	crn_token_kind op, const crn_value *a, crn_value *ret, cairn_error *err);

/** int(v), float(v), round(v), len(v), ... of plain values, as Python's builtins; false if there is
 * no builtin of this name (or none for this value). */
bool crn_plain_call(const char *name, const crn_value *args, int n, crn_value *ret);

#endif

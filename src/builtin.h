/* SPDX-License-Identifier: Apache-2.0
 *
 * builtin.h -- the parts this build of cairn knows. For api.c and tests only.
 */
#ifndef CRN_BUILTIN_H
#define CRN_BUILTIN_H

#include "core/registry.h"

extern const crn_registry crn_builtin_registry;

#endif

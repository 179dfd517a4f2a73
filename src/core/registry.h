/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.h -- the parts cairn was built with. Only src/registry.c fills one in; all others look
 * parts up here and know none of them by name.
 */
#ifndef CRN_CORE_REGISTRY_H
#define CRN_CORE_REGISTRY_H

#include "core/bits.h"
#include "core/op.h"

typedef struct crn_format crn_format;
typedef struct crn_codec crn_codec;
typedef struct crn_store_kind crn_store_kind;
typedef struct crn_table_format crn_table_format;

/** NULL-terminated arrays of descriptors, in the order of the .def lists; and the loops that the
 * engine itself needs. */
struct crn_registry {
	const crn_op *const *ops;
	const crn_format *const *formats; /* probing order */
	const crn_codec *const *codecs;
	const crn_store_kind *const *stores;
	const crn_table_format *const *table_formats;
	const crn_bits_kernels *bits[CRN_N_ISAS]; /* by instruction set */
};

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c -- the only file that names concrete parts: turns the .def lists into arrays.
 */
#include "builtin.h"

#include "kernels/bitmask.h"

#define CRN_OP(x) extern const crn_op crn_op_##x;
#include "ops/ops.def"
#undef CRN_OP
#define CRN_FORMAT(x) extern const crn_format crn_format_##x;
#include "formats/formats.def"
#undef CRN_FORMAT
#define CRN_CODEC(x) extern const crn_codec crn_codec_##x;
#include "codecs/codecs.def"
#undef CRN_CODEC
#define CRN_STORE(x) extern const crn_store_kind crn_store_##x;
#include "stores/stores.def"
#undef CRN_STORE
#define CRN_TABLE_FORMAT(x) extern const crn_table_format crn_table_format_##x;
#include "results/table_formats.def"
#undef CRN_TABLE_FORMAT

static const crn_op *const ops[] = {
#define CRN_OP(x) &crn_op_##x,
#include "ops/ops.def"
#undef CRN_OP
	NULL};

static const crn_format *const formats[] = {
#define CRN_FORMAT(x) &crn_format_##x,
#include "formats/formats.def"
#undef CRN_FORMAT
	NULL};

static const crn_codec *const codecs[] = {
#define CRN_CODEC(x) &crn_codec_##x,
#include "codecs/codecs.def"
#undef CRN_CODEC
	NULL};

static const crn_store_kind *const stores[] = {
#define CRN_STORE(x) &crn_store_##x,
#include "stores/stores.def"
#undef CRN_STORE
	NULL};

static const crn_table_format *const table_formats[] = {
#define CRN_TABLE_FORMAT(x) &crn_table_format_##x,
#include "results/table_formats.def"
#undef CRN_TABLE_FORMAT
	NULL};

const crn_registry crn_builtin_registry = {
	.ops = ops,
	.formats = formats,
	.codecs = codecs,
	.stores = stores,
	.table_formats = table_formats,
	.bits = {[CRN_ISA_BASE] = &crn_bitmask_table_base.bits,
		[CRN_ISA_AVX2] = &crn_bitmask_table_avx2.bits,
		[CRN_ISA_AVX512] = &crn_bitmask_table_avx512.bits},
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr2_meta.c -- reads .zarray. Its pieces become a chain in the v3 model:
 *
 *	order "F" → transpose;  byte order of dtype → bytes;  filters, compressor → bytes to bytes
 *
 * Source: zarr-specs, docs/v2/v2.0.rst.
 */
#include "formats/zarr_meta.h"

#include <stdio.h>
#include <string.h>

/* "<u2", "|b1", ">f8": byte order, kind, bytes. */
static cairn_status parse_dtype(const crn_json *v, crn_dtype *ret, bool *ret_big, cairn_error *err)
{
	static const struct {
		const char *code;
		crn_dtype dtype;
	} table[] = {
		{"b1", CRN_BOOL},
		{"u1", CRN_U8},
		{"u2", CRN_U16},
		{"u4", CRN_U32},
		{"u8", CRN_U64},
		{"i1", CRN_I8},
		{"i2", CRN_I16},
		{"i4", CRN_I32},
		{"i8", CRN_I64},
		{"f4", CRN_F32},
		{"f8", CRN_F64},
	};
	if (!v)
		return crn_fail(err, CAIRN_INPUT, "\"dtype\" is missing");
	for (size_t i = 0; v->kind == CRN_JSON_STRING && i < sizeof(table) / sizeof(*table); i++)
		if (strchr("<>|", v->text[0]) && v->text[0] &&
			strcmp(v->text + 1, table[i].code) == 0) {
			if (v->text[0] == '|' && crn_dtype_size(table[i].dtype) > 1)
				break;
			*ret = table[i].dtype;
			*ret_big = v->text[0] == '>';
			return CAIRN_OK;
		}
	CRN_STR text = {0};
	crn_json_print(&text, v);
	cairn_status status = crn_fail(err, CAIRN_INPUT, "cairn has no dtype for %.100s",
		text.data ? text.data : "this array");
	crn_hint(err, "it reads bool, integers of 8 to 64 bits, float32 and float64");
	return status;
}

static cairn_status parse_separator(const crn_json *doc, char *ret, cairn_error *err)
{
	const crn_json *v = crn_json_get(doc, "dimension_separator");
	*ret = '.';
	if (!v || v->kind == CRN_JSON_NULL)
		return CAIRN_OK;
	if (v->kind != CRN_JSON_STRING || (strcmp(v->text, ".") != 0 && strcmp(v->text, "/") != 0))
		return crn_fail(err, CAIRN_INPUT, "\"dimension_separator\" must be \".\" or \"/\"");
	*ret = v->text[0];
	return CAIRN_OK;
}

/* One filter or compressor: {"id": ..., settings}. */
static cairn_status add_numcodec(
	const crn_registry *r, crn_zarr_meta *m, const crn_json *v, cairn_error *err)
{
	const crn_json *id = crn_json_get(v, "id");
	if (!id || id->kind != CRN_JSON_STRING)
		return crn_fail(err, CAIRN_INPUT, "a filter or compressor without an \"id\"");
	return crn_zarr_add_codec(r, m, id->text, v, err);
}

static cairn_status add_codecs(
	const crn_registry *r, const crn_json *doc, bool big, crn_zarr_meta *m, cairn_error *err)
{
	const crn_json *order = crn_json_get(doc, "order");
	const crn_json *filters = crn_json_get(doc, "filters");
	const crn_json *compressor = crn_json_get(doc, "compressor");
	bool f_order = order && order->kind == CRN_JSON_STRING && strcmp(order->text, "F") == 0;
	if (!f_order && (!order || order->kind != CRN_JSON_STRING || strcmp(order->text, "C") != 0))
		return crn_fail(err, CAIRN_INPUT, "\"order\" must be \"C\" or \"F\"");
	if (f_order)
		CRN_TRY(crn_zarr_add_own(r, m, "transpose", "{\"order\": \"F\"}", err));
	CRN_TRY(crn_zarr_add_own(
		r, m, "bytes", big ? "{\"endian\": \"big\"}" : "{\"endian\": \"little\"}", err));
	if (filters && filters->kind != CRN_JSON_NULL && filters->kind != CRN_JSON_ARRAY)
		return crn_fail(err, CAIRN_INPUT, "\"filters\" must be a list or null");
	for (int i = 0; filters && i < filters->n; i++)
		CRN_TRY(add_numcodec(r, m, &filters->items[i], err));
	if (compressor && compressor->kind != CRN_JSON_NULL)
		CRN_TRY(add_numcodec(r, m, compressor, err));
	return crn_chain_seal(&m->chain, err);
}

cairn_status crn_zarr2_parse(
	const crn_registry *r, const crn_json *doc, crn_zarr_meta *ret, cairn_error *err)
{
	const crn_json *version = crn_json_get(doc, "zarr_format");
	crn_zarr_meta m = {.zarr_format = 2};
	crn_dtype dtype = CRN_U8;
	bool big = false;
	if (!version || version->kind != CRN_JSON_INT || version->i != 2)
		return crn_fail(err, CAIRN_INPUT, "\"zarr_format\" must be 2");
	CRN_TRY(parse_dtype(crn_json_get(doc, "dtype"), &dtype, &big, err));
	CRN_TRY(crn_zarr_parse_fill(crn_json_get(doc, "fill_value"), dtype, &m.type.fill, err));
	CRN_TRY(parse_separator(doc, &m.separator, err));
	CRN_TRY(crn_zarr_set_shape(
		&m, dtype, crn_json_get(doc, "shape"), crn_json_get(doc, "chunks"), err));
	cairn_status status = add_codecs(r, doc, big, &m, err);
	if (status == CAIRN_OK)
		*ret = m;
	else
		crn_zarr_meta_done(&m);
	return status;
}

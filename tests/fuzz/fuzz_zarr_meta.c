/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_zarr_meta.c -- any bytes as Zarr metadata. The first byte says which document they are:
 * '2' .zarray, 'a' .zattrs of a group, '3' zarr.json of an array or group. What opens must keep the
 * promises of format.h, and its first chunk must read (as fill: there are no chunks).
 */
#include "builtin.h"
#include "formats/zarr_meta.h"
#include "stores/memory_store.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(crn_store *s, const char *key, const void *bytes, size_t n)
{
	if (s->ops->put(s, key, bytes, n, NULL) != CAIRN_OK)
		abort();
}

static void put_text(crn_store *s, const char *key, const char *text)
{
	put(s, key, text, strlen(text));
}

static void check_promises(const crn_source *s)
{
	int64_t count;
	if (s->type.ndim < 0 || s->type.ndim > CRN_MAX_NDIM ||
		!crn_count(s->type.ndim, s->type.shape, &count))
		abort();
	for (int d = 0; d < s->type.ndim; d++)
		if (s->type.shape[d] < 0 || s->unit[d] < 1 || !(s->type.axes[d].scale > 0))
			abort();
}

static void read_first_unit(crn_source *s)
{
	enum { MOST = 1 << 22 };
	const int64_t idx[CRN_MAX_NDIM] = {0};
	cairn_error err = {0};
	for (int d = 0; d < s->type.ndim; d++)
		if (s->type.shape[d] == 0)
			return;
	crn_region r = crn_unit_region(s->type.ndim, s->type.shape, s->unit, idx);
	size_t n = crn_view_dense_bytes(s->type.dtype, s->type.ndim, r.n);
	if (n > MOST || s->unit_scratch > MOST)
		return;
	void *out = malloc(n), *scratch = NULL;
	if (!out || posix_memalign(&scratch, 64, s->unit_scratch ? s->unit_scratch : 1) != 0)
		abort();
	crn_view v = crn_view_dense(out, s->type.dtype, s->type.ndim, r.n);
	if (s->ops->read_unit(s, idx, &v, scratch, &err) != CAIRN_OK)
		abort();
	free(out);
	free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crn_store *store = NULL;
	crn_source *source = NULL;
	cairn_error err = {0};
	CRN_STR facts = {0};
	if (size == 0 || crn_memory_store_new(&store, NULL) != CAIRN_OK)
		return 0;
	int zarr_format = data[0] == '3' ? 3 : 2;
	put(store,
		data[0] == '2'     ? ".zarray"
		: zarr_format == 3 ? "zarr.json"
				   : ".zattrs",
		data + 1, size - 1);
	put_text(store, "0/.zarray",
		"{\"zarr_format\": 2, \"shape\": [2, 2], \"chunks\": [1, 1], \"dtype\": \"|u1\", "
		"\"order\": "
		"\"C\", \"compressor\": null, \"filters\": null, \"fill_value\": 0}");
	crn_zarr_open how = {.registry = &crn_builtin_registry,
		.url = "memory://",
		.path = "",
		.zarr_format = zarr_format,
		.level = 0};
	cairn_status status = crn_zarr_open_in(store, &how, &source, &err);
	if (status != CAIRN_OK) {
		if ((status != CAIRN_INPUT && status != CAIRN_USAGE) || !err.message[0])
			abort();
		return 0;
	}
	check_promises(source);
	source->ops->describe(source, &facts);
	read_first_unit(source);
	crn_source_close(source);
	return 0;
}

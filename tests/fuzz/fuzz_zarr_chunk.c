/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_zarr_chunk.c -- any bytes as a stored chunk. The first byte chooses the codecs; the rest is
 * the object. Reading gives pixels or an INPUT error that names the chunk; buffers have exactly
 * the promised sizes, so that a sanitizer sees every step beyond.
 */
#include "builtin.h"
#include "formats/zarr_meta.h"
#include "stores/memory_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES "{\"name\": \"bytes\", \"configuration\": {\"endian\": \"big\"}}"

static const char *const chains[] = {
	BYTES ", {\"name\": \"zstd\"}",
	BYTES ", {\"name\": \"gzip\"}",
	BYTES ", {\"name\": \"numcodecs.zlib\"}",
	BYTES ", {\"name\": \"numcodecs.lz4\"}",
	BYTES ", {\"name\": \"blosc\", \"configuration\": {\"cname\": \"lz4\", \"clevel\": 5, "
	      "\"shuffle\": \"shuffle\", \"typesize\": 2, \"blocksize\": 0}}",
	BYTES ", {\"name\": \"crc32c\"}",
	"{\"name\": \"transpose\", \"configuration\": {\"order\": [1, 0]}}, " BYTES,
	BYTES ", {\"name\": \"zstd\"}, {\"name\": \"crc32c\"}",
	BYTES ", {\"name\": \"gzip\"}, {\"name\": \"zstd\"}, {\"name\": \"numcodecs.lz4\"}",
	BYTES ", {\"name\": \"numcodecs.shuffle\", \"configuration\": {\"elementsize\": 3}}, "
	      "{\"name\": \"blosc\", \"configuration\": {\"shuffle\": \"noshuffle\"}}",
};

static crn_source *open_source(const uint8_t *data, size_t size)
{
	crn_store *store = NULL;
	crn_source *source = NULL;
	CRN_STR doc = {0};
	cairn_error err = {0};
	if (crn_memory_store_new(&store, NULL) != CAIRN_OK)
		abort();
	crn_str_appendf(&doc,
		"{\"zarr_format\": 3, \"node_type\": \"array\", \"shape\": [12, 20], "
		"\"data_type\": "
		"\"uint16\", \"chunk_grid\": {\"name\": \"regular\", \"configuration\": "
		"{\"chunk_shape\": "
		"[12, 13]}}, \"chunk_key_encoding\": \"default\", \"fill_value\": 0, \"codecs\": "
		"[%s]}",
		chains[data[0] % (sizeof(chains) / sizeof(*chains))]);
	if (store->ops->put(store, "zarr.json", doc.data, doc.len, NULL) != CAIRN_OK ||
		store->ops->put(store, "c/0/0", data + 1, size - 1, NULL) != CAIRN_OK ||
		store->ops->put(store, "c/0/1", data + 1, size - 1, NULL) != CAIRN_OK)
		abort();
	crn_zarr_open how = {.registry = &crn_builtin_registry,
		.url = "memory://",
		.path = "",
		.zarr_format = 3,
		.level = 0};
	if (crn_zarr_open_in(store, &how, &source, &err) != CAIRN_OK)
		abort();
	return source;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	crn_source *source = open_source(data, size);
	void *scratch = NULL;
	if (posix_memalign(&scratch, 64, source->unit_scratch) != 0)
		abort();
	for (int64_t x = 0; x < 2; x++) {
		const int64_t idx[2] = {0, x};
		cairn_error err = {0};
		crn_region r = crn_unit_region(2, source->type.shape, source->unit, idx);
		void *out = malloc(crn_view_dense_bytes(CRN_U16, 2, r.n));
		crn_view v = crn_view_dense(out, CRN_U16, 2, r.n);
		cairn_status status = source->ops->read_unit(source, idx, &v, scratch, &err);
		if (status != CAIRN_OK && (status != CAIRN_INPUT || !strstr(err.where, "c/0/")))
			abort();
		free(out);
	}
	free(scratch);
	crn_source_close(source);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_meta.h -- what the metadata of one Zarr array says, in one form for versions 2 and 3.
 *
 *	.zarray   ── zarr2_meta.c ──┐
 *	                            ├──▶ crn_zarr_meta ──▶ zarr_source.c, zarr_sink.c
 *	zarr.json ── zarr3_meta.c ──┘
 *
 * Everything foreign is checked here: a meta that was made is sound (extents >= 0, chunks >= 1,
 * sizes without overflow, a sealed codec chain), so the code behind it needs no further doubts.
 */
#ifndef CRN_FORMATS_ZARR_META_H
#define CRN_FORMATS_ZARR_META_H

#include "core/codec.h"
#include "core/format.h"
#include "core/store.h"

/* Metadata documents larger than this are refused before they are read. */
#define CRN_ZARR_MAX_DOC ((size_t)16 << 20)

typedef struct crn_zarr_meta {
	int zarr_format;
	crn_type type;   /* dtype, shape, fill, axes as far as the array itself says */
	crn_chain chain; /* chain.chunk.shape is the chunk shape */
	char separator;  /* between grid indices in chunk keys: '.' or '/' */
	bool prefix;     /* keys start with "c" (Zarr v3's "default" encoding) */
} crn_zarr_meta;

CRN_CHECKED cairn_status crn_zarr2_parse(
	const crn_registry *r, const crn_json *zarray, crn_zarr_meta *ret, cairn_error *err);
CRN_CHECKED cairn_status crn_zarr3_parse(
	const crn_registry *r, const crn_json *zarr_json, crn_zarr_meta *ret, cairn_error *err);
void crn_zarr_meta_done(crn_zarr_meta *m); /* a zeroed one is fine */

/** Appends the key of a chunk below the array's own path ("" or "labels/x"). */
void crn_zarr_chunk_key(const crn_zarr_meta *m, const char *path, const int64_t *idx, crn_str *out);
/** Appends path/name, or name when path is "". */
void crn_zarr_join(const char *path, const char *name, crn_str *out);

/** Loads and parses a document; *ret is NULL if it is absent. *ret_stat may be NULL. */
CRN_CHECKED cairn_status crn_zarr_load(
	crn_store *s, const char *path, const char *name, crn_json **ret, cairn_error *err);

/* ---- parts shared by both versions (zarr_meta.c) ---- */

/** List of ints in [lo, 2^62]; INPUT naming `what`. */
CRN_CHECKED cairn_status crn_zarr_extents(const crn_json *v, const char *what, int64_t lo,
	int *ret_n, int64_t ret[CRN_MAX_NDIM], cairn_error *err);
/** Checks ranks and sizes, and starts the chain. */
CRN_CHECKED cairn_status crn_zarr_set_shape(crn_zarr_meta *m, crn_dtype dtype,
	const crn_json *shape, const crn_json *chunks, cairn_error *err);
/** Adds the codec called `name`; INPUT, by name, if there is none. */
CRN_CHECKED cairn_status crn_zarr_add_codec(const crn_registry *r, crn_zarr_meta *m,
	const char *name, const crn_json *config, cairn_error *err);
/** Adds a codec of Zarr v3 with settings from a text of ours. */
CRN_CHECKED cairn_status crn_zarr_add_own(const crn_registry *r, crn_zarr_meta *m, const char *name,
	const char *config, cairn_error *err);
/** Axes and kind that cairn itself left in an array's attributes; names from `names` (list of
 * texts or nulls, may be NULL) otherwise. Never fails: odd attributes are ignored. */
void crn_zarr_attributes(const crn_json *attributes, const crn_json *names, crn_type *type);

/* ---- fill values (zarr_fill.c) ---- */

/** Exact to the bit. `v` NULL or null: zeros (Zarr v2's "undefined"). */
CRN_CHECKED cairn_status crn_zarr_parse_fill(
	const crn_json *v, crn_dtype dtype, crn_elem *ret, cairn_error *err);
/** Appends the fill value; NaNs other than the default one are written as bits in Zarr v3, and as
 * "NaN" in v2, which has no other way. */
void crn_zarr_print_fill(crn_dtype dtype, crn_elem fill, int zarr_format, crn_str *out);

/* ---- groups and OME-NGFF (zarr_ngff.c) ---- */

/** What a group says about the axes of an array in it. */
typedef struct crn_zarr_axes {
	int n; /* 0: the group says nothing */
	bool is_label;
	crn_axis axes[CRN_MAX_NDIM];
} crn_zarr_axes;

/** Goes from a group to one array below it: a level of a multiscale image, or its only array.
 * `path` is the group's, and becomes the array's. */
CRN_CHECKED cairn_status crn_zarr_descend(crn_store *s, int zarr_format, int64_t level,
	crn_str *path, crn_zarr_axes *ret, cairn_error *err);
/** What the multiscale image above an array says about it; nothing if there is none. */
CRN_CHECKED cairn_status crn_zarr_parent_axes(
	crn_store *s, int zarr_format, const char *path, crn_zarr_axes *ret, cairn_error *err);
void crn_zarr_apply_axes(const crn_zarr_axes *axes, crn_type *type);

/* ---- opening and creating, in a given store (also for tests and fuzzers) ---- */

typedef struct crn_zarr_open {
	const crn_registry *registry;
	const char *url;  /* for messages */
	const char *path; /* of the array or group inside the store */
	int zarr_format;
	int64_t level;
} crn_zarr_open;
/** Takes the store, also on failure. */
CRN_CHECKED cairn_status crn_zarr_open_in(
	crn_store *take_store, const crn_zarr_open *how, crn_source **ret, cairn_error *err);

/** Options of write(), in this order in the parameter table. */
enum {
	CRN_ZARR_COMPRESSOR,
	CRN_ZARR_LEVEL,
	CRN_ZARR_CNAME,
	CRN_ZARR_SHUFFLE,
	CRN_ZARR_SEPARATOR,
	CRN_ZARR_ORDER,
	CRN_ZARR_BYTEORDER,
	CRN_ZARR_FORMAT,
	CRN_ZARR_FILL,
	CRN_ZARR_N_OPTIONS
};
extern const crn_param crn_zarr_write_params[];

/** The documents of an array to be written: .zarray or zarr.json, and .zattrs ("" if none). */
typedef struct crn_zarr_docs {
	crn_str array, attributes;
} crn_zarr_docs;
/** USAGE for options that do not go together. `fill` has the fill option applied already. */
CRN_CHECKED cairn_status crn_zarr_make_docs(
	const crn_create_request *req, int zarr_format, crn_zarr_docs *ret, cairn_error *err);
void crn_zarr_docs_done(crn_zarr_docs *docs); /* a zeroed one is fine */
/** Takes the store, also on failure. `path`: of the array inside it. */
CRN_CHECKED cairn_status crn_zarr_create_in(crn_store *take_store, const char *path,
	int zarr_format, const crn_create_request *req, crn_sink **ret, cairn_error *err);

extern const crn_format crn_format_zarr2, crn_format_zarr3;

#endif

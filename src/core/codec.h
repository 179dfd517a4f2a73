/* SPDX-License-Identifier: Apache-2.0
 *
 * codec.h -- the contract of codecs, and chains of them, in the model of Zarr v3.
 *
 *	 voxels ──ARRAY_TO_ARRAY*──▶ voxels ──ARRAY_TO_BYTES──▶ bytes ──BYTES_TO_BYTES*──▶ object
 *	          transpose                     bytes(endian)          zstd, blosc, crc32c, ...
 *
 * A codec is configured once from JSON into an immutable step (crn_codec_step) that knows the
 * sizes: what it can need is known before any byte is read. A chain (crn_chain) is the steps of
 * one array; formats hold one and call crn_chain_decode / crn_chain_encode per chunk.
 *
 * Rules for every codec
 *  (1) Steps are read-only after configure; any thread may use one; no globals, no threads inside.
 *  (2) encode and decode write into the caller's buffer and never past `cap`; memory that grows
 *      with the data comes from `scratch`; a constant amount per call may come from the heap.
 *  (3) decode trusts nothing: truncated, random or lying input is an INPUT error, never a crash,
 *      an overrun or more than `cap` bytes. Same input, same output, on every machine.
 *  (4) Messages say what is wrong with the bytes; the format adds file and chunk key.
 */
#ifndef CRN_CORE_CODEC_H
#define CRN_CORE_CODEC_H

#include "base/json.h"
#include "core/registry.h"
#include "core/view.h"

#define CRN_SIZE_UNKNOWN SIZE_MAX
#define CRN_MAX_CODECS 16 /* steps of one chain */

typedef enum crn_codec_kind {
	CRN_ARRAY_TO_ARRAY, /* re-views the voxels (axes permuted); never copies */
	CRN_ARRAY_TO_BYTES,
	CRN_BYTES_TO_BYTES,
} crn_codec_kind;

/** One whole chunk as an array: edge chunks are stored at full shape too. */
typedef struct crn_chunk_type {
	crn_dtype dtype;
	int ndim;
	int64_t shape[CRN_MAX_NDIM]; /* >= 1 on every axis; the byte count fits size_t */
	crn_elem fill;               /* pads edge chunks when they are written */
} crn_chunk_type;

typedef struct crn_codec_request {
	const crn_json *config; /* the members of the configuration; NULL if there are none */
	int zarr_format;        /* 2 or 3: the two name some values differently */
	crn_chunk_type chunk;   /* what the step gets to encode (ARRAY_TO_...), else the chunk */
	size_t decoded_bytes; /* BYTES_TO_BYTES: exact size before encoding, or CRN_SIZE_UNKNOWN */
	size_t max_decoded;   /* BYTES_TO_BYTES: bound of it, always known */
} crn_codec_request;

/** One call of encode or decode. in, out and scratch never overlap. */
typedef struct crn_codec_io {
	const void *in;
	size_t n_in;
	void *out;
	size_t cap, n_out;
	void *scratch; /* encode_scratch or decode_scratch bytes, 64-byte aligned */
} crn_codec_io;

/** One configured codec. configure fills everything but `codec`. */
typedef struct crn_codec_step {
	const crn_codec *codec;
	crn_chunk_type chunk; /* ARRAY_TO_ARRAY: the type after encoding; else as requested */
	size_t decoded_bytes; /* exact, or CRN_SIZE_UNKNOWN */
	size_t encoded_bytes; /* exact, or CRN_SIZE_UNKNOWN */
	size_t max_encoded;   /* encode never needs more room */
	size_t encode_scratch, decode_scratch;
	int64_t params[CRN_MAX_NDIM]; /* small settings of the codec's own: level, order, ... */
	void *state;                  /* larger ones; freed by done, or with crn_free without one */
} crn_codec_step;

struct crn_codec {
	const char *name; /* "zstd" */
	const char *summary;
	const char *const *v2_ids;   /* numcodecs ids, NULL-terminated; NULL: not in Zarr v2 */
	const char *const *v3_names; /* Zarr v3 names, the one we write first; NULL: not in v3 */
	crn_codec_kind kind;
	/* INPUT for settings that are missing, of the wrong type or out of range. */
	cairn_status (*configure)(
		const crn_codec_request *req, crn_codec_step *ret, cairn_error *err);
	void (*done)(crn_codec_step *step);

	/* ARRAY_TO_ARRAY: the encoded array as a view of the decoded one (of any extent). */
	void (*reorder)(const crn_codec_step *step, const crn_view *decoded, crn_view *ret_encoded);

	/* ARRAY_TO_BYTES. `corner` holds the first corner.shape voxels of the chunk on every axis;
	 * encoding pads with fill, decoding drops the rest. Sizes: step->encoded_bytes. */
	void (*encode_array)(const crn_codec_step *step, const crn_view *corner, void *out);
	void (*decode_array)(const crn_codec_step *step, const void *in, const crn_view *corner);
	/* True if the encoded bytes are the dense chunk itself (native order): nothing to convert.
	 */
	bool (*is_plain)(const crn_codec_step *step);

	/* BYTES_TO_BYTES. decode: INPUT if the result is not decoded_bytes long (where that is
	 * known) or does not fit cap. Both set io->n_out. */
	cairn_status (*encode)(const crn_codec_step *step, crn_codec_io *io, cairn_error *err);
	cairn_status (*decode)(const crn_codec_step *step, crn_codec_io *io, cairn_error *err);
};

/** Codec known under `name` in this Zarr format (2 or 3), or NULL. */
const crn_codec *crn_codec_find(const crn_registry *r, const char *name, int zarr_format);

/* ---- chains ---- */

/** The steps of one array, immutable once sealed. */
typedef struct crn_chain {
	crn_chunk_type chunk; /* decoded */
	size_t chunk_bytes;   /* of a whole decoded chunk */
	int n, n_array;       /* steps; the first n_array of them are ARRAY_TO_ARRAY */
	crn_codec_step steps[CRN_MAX_CODECS];
	bool plain;         /* no array step changes anything */
	size_t max_encoded; /* bytes of an object we write, at most */
	size_t max_object;  /* bytes of an object we accept: other writers compress worse */
	size_t encode_scratch, decode_scratch;
} crn_chain;

/** INPUT if a chunk has an extent < 1 or more than 2^40 bytes. */
CRN_CHECKED cairn_status crn_chain_init(
	crn_chain *ret, const crn_chunk_type *chunk, cairn_error *err);
/** Adds a step at the end (encoding order). INPUT: wrong settings, or kinds out of order. */
CRN_CHECKED cairn_status crn_chain_add(crn_chain *c, const crn_codec *codec, int zarr_format,
	const crn_json *config, cairn_error *err);
/** Sums up sizes. INPUT without an ARRAY_TO_BYTES step. */
CRN_CHECKED cairn_status crn_chain_seal(crn_chain *c, cairn_error *err);
void crn_chain_done(crn_chain *c); /* a zeroed chain is fine */

/**
 * Decodes one stored object of n bytes into `corner`: the first corner->shape voxels of the chunk.
 *
 * @param scratch decode_scratch bytes, 64-byte aligned, not overlapping object or corner
 * @return INPUT if the object is not exactly one chunk
 */
CRN_CHECKED cairn_status crn_chain_decode(const crn_chain *c, const void *object, size_t n,
	const crn_view *corner, void *scratch, cairn_error *err);

/** Encodes one chunk. The object lies in scratch (encode_scratch bytes, 64-byte aligned), or is
 * the memory of `corner` itself. */
CRN_CHECKED cairn_status crn_chain_encode(const crn_chain *c, const crn_view *corner, void *scratch,
	const void **ret_object, size_t *ret_n, cairn_error *err);

/* ---- for codecs ---- */

/** Integer setting, `fallback` when absent; INPUT unless lo <= value <= hi. */
CRN_CHECKED cairn_status crn_codec_int(const crn_json *config, const char *key,
	const int64_t range_lo_hi_fallback[3], int64_t *ret, cairn_error *err);

#endif

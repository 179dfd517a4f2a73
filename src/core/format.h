/* SPDX-License-Identifier: Apache-2.0
 *
 * format.h -- the contract of array formats: opened inputs (sources) and outputs (sinks).
 *
 * A format hides files, keys, codecs and layouts. The engine sees only units: the smallest part
 * that can be read (read unit: a chunk, a tile, a strip group, a slice) and the smallest part that
 * is written as one object (write unit). Units form a regular grid from the origin; edge units are
 * clipped to the array.
 *
 * Opening reads headers only (law 2): a stack of 10,000 files reads one header; others are checked
 * when they are reached. Nothing trusts a size field of a file: every size is checked against what
 * the file can hold and against crn_count before memory is asked for.
 *
 * Errors: status INPUT for what a file did, FAILED for what writing did, USAGE for wrong options;
 * messages name the file (and the chunk key inside); the engine adds op and chunk.
 */
#ifndef CRN_CORE_FORMAT_H
#define CRN_CORE_FORMAT_H

#include "base/disk.h"
#include "core/call.h"
#include "core/registry.h"

/* ---- sources ---- */

typedef struct crn_source_ops {
	/* Fills `out` (C-contiguous, native bytes, exactly the clipped unit at grid index `idx`).
	 * Thread-safe for any mix of calls; may block on I/O; `scratch` has source->unit_scratch
	 * bytes (64-byte aligned). No other memory that grows with the data. NULL only if read_box
	 * is set. */
	cairn_status (*read_unit)(crn_source *s, const int64_t *idx, const crn_view *out,
		void *scratch, cairn_error *err);
	/* If set, any region can be read at about the cost of its bytes (npy, raw, plain TIFF); the
	 * engine then reads straight into its tile. `out`: rows contiguous. scratch: box_scratch
	 * bytes. */
	cairn_status (*read_box)(crn_source *s, const crn_region *r, const crn_view *out,
		void *scratch, cairn_error *err);
	/* Facts for `cairn info`, as members of a JSON object without braces:
	 * "\"compression\": \"deflate\", \"tiles\": [256, 256]". May be NULL. */
	void (*describe)(const crn_source *s, crn_str *out);
	void (*close)(crn_source *s); /* frees everything, the struct too */
} crn_source_ops;

struct crn_source {
	const crn_source_ops *ops;
	const crn_format *format;
	char *url; /* as the user gave it; owned */
	crn_type type;
	int64_t unit[CRN_MAX_NDIM]; /* read unit; >= 1 on every axis */
	size_t unit_scratch, box_scratch;
	/* Location + metadata + size + mtime: equal identity promises equal values. */
	crn_hash identity;
};

typedef struct crn_open_request {
	const char *url;
	const crn_registry *registry; /* for stores and codecs */
	/* Options of read(), by format->read_params order, checked; None when not given. */
	const crn_value *options;
} crn_open_request;

/* ---- sinks ---- */

/** What the journal keeps about one stored unit. */
typedef struct crn_unit_record {
	uint64_t checksum;   /* crn_checksum of the stored bytes of the object */
	uint64_t size_bytes; /* of the stored object (or of the part of the file) */
	bool all_fill;       /* nothing stored: every voxel is the fill value */
} crn_unit_record;

typedef struct crn_sink crn_sink;

typedef struct crn_extras_visit {
	bool (*is_known)(void *user, const int64_t *idx);
	void (*visit)(void *user, const char *name);
	void *user;
} crn_extras_visit;

typedef struct crn_sink_ops {
	/* Encodes and stores one unit atomically (temporary name, then rename; or pwrite into the
	 * temporary file of a single-file format). `in` is the clipped unit; rows contiguous,
	 * planes perhaps not. Thread-safe for distinct units; may block. Same input, same stored
	 * bytes. */
	cairn_status (*write_unit)(crn_sink *s, const int64_t *idx, const crn_view *in,
		void *scratch, crn_unit_record *ret, cairn_error *err);
	/* Re-reads what is stored for a unit: does it match the record? Used on resume (quick:
	 * sizes only) and by verify (all bytes). */
	cairn_status (*check_unit)(crn_sink *s, const int64_t *idx, const crn_unit_record *record,
		bool quick, void *scratch, bool *ret_same, cairn_error *err);
	/* Name of the stored object of a unit, for messages: path of the file, or of the file it is
	 * a part of. */
	void (*unit_name)(const crn_sink *s, const int64_t *idx, crn_str *ret);
	/* Calls visit for every stored object that readers would take for a part of the array, but
	 * that is not a unit for which is_known says true. For verify. */
	cairn_status (*extras)(crn_sink *s, const crn_extras_visit *v, cairn_error *err);
	/* All units are stored: writes the metadata that makes the array look complete, last. */
	cairn_status (*finish)(crn_sink *s, cairn_error *err);
	/* Frees. Without finish: keeps stored units and the journal folder for a resume. */
	void (*close)(crn_sink *s);
} crn_sink_ops;

struct crn_sink {
	const crn_sink_ops *ops;
	const crn_format *format;
	char *url; /* owned */
	crn_type type;
	int64_t unit[CRN_MAX_NDIM]; /* write unit; >= 1 on every axis */
	size_t unit_scratch;
};

typedef struct crn_create_request {
	const char *url;
	const crn_registry *registry;
	crn_type type;
	/* Options of write(), by format->write_params order, checked; None when not given. */
	const crn_value *options;
	const int64_t *chunks; /* wanted write unit per axis; NULL: the format's default */
	bool verify; /* only to be checked: with `resume`, and nothing is made, removed or refused
		      */
	bool resume; /* keep stored units of an earlier, unfinished run */
	/* EACH: write_unit returns when the unit is on disk. The rest is done by the engine. */
	crn_fsync fsync;
} crn_create_request;

/* ---- the descriptor ---- */

struct crn_format {
	const char *name; /* "zarr2", "tiff", "png-stack", ... */
	const char *summary;
	const char *const *suffixes; /* for writing, and as a hint for reading: {".tif", NULL} */
	const crn_param
		*read_params; /* extra parameters of read(); ends with CRN_P_END; may be NULL */
	const crn_param *write_params; /* extra parameters of write() */
	/* Is this url (with its first bytes, if it is a file; is_dir, if a folder) ours? No errors.
	 */
	bool (*probe)(const char *url, const unsigned char *head, size_t n_head, bool is_dir);
	cairn_status (*open)(const crn_open_request *req, crn_source **ret, cairn_error *err);
	/* The write unit and scratch that create() would choose; touches nothing on disk. Checks
	 * options and dtype (USAGE), so that a run is refused before it starts. Same unit as
	 * create() gives. */
	cairn_status (*plan_unit)(const crn_create_request *req, int64_t ret_unit[CRN_MAX_NDIM],
		size_t *ret_unit_scratch, cairn_error *err);
	/* NULL for read-only formats. Creates folders and temporary files, stores no metadata yet
	 * that would make the output look complete. Does not delete or check an existing output:
	 * the engine has decided (journal) and removed what had to go. */
	cairn_status (*create)(const crn_create_request *req, crn_sink **ret, cairn_error *err);
	/* Outputs that are neither one file nor one folder (patterns): is any of it there, and
	 * removing it. NULL: what stat() sees at the url, and the whole file or folder. */
	bool (*exists)(const char *url);
	cairn_status (*remove)(const char *url, cairn_error *err);
	/* Folder of the journal: "<url>/.cairn" for folder formats, "<dir>/.<file>.cairn" for
	 * single files. Writes a path into ret. */
	void (*journal_path)(const char *url, crn_str *ret);
};

/**
 * Opens `url` with the first format whose probe accepts it.
 *
 * INPUT: missing file (with the nearest existing name), unknown kind (with the formats we know).
 * @param options names and values given to read(), checked against the chosen format's table; the
 *	name "format" chooses a format by its name instead of probing
 */
CRN_CHECKED cairn_status crn_source_open(const crn_registry *r, const char *url,
	const char *const *option_names, const crn_value *option_values, int n_options,
	crn_source **ret, cairn_error *err);
void crn_source_close(crn_source *s); /* NULL is fine */
/** The end of a format's open: hands the source out if `opened` is OK, else closes it. */
CRN_CHECKED cairn_status crn_source_hand_out(
	cairn_status opened, crn_source *take_source, crn_source **ret);

/**
 * Checks options against a format's table (read_params or write_params, perhaps NULL).
 *
 * @param ret LIST with one value per parameter, None when not given
 * @return USAGE, worded as "WHO: ..." (WHO: "read (tiff)"), for unknown names and wrong types
 */
CRN_CHECKED cairn_status crn_format_options(const char *who, const crn_param *params,
	const crn_kwarg *options, int n_options, crn_value *ret, cairn_error *err);

/** Format to write `url` with, by `format_name` if not NULL, else by suffix. USAGE if none. */
CRN_CHECKED cairn_status crn_format_for_writing(const crn_registry *r, const char *url,
	const char *format_name, const crn_format **ret, cairn_error *err);

#endif

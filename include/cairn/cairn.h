/* SPDX-License-Identifier: Apache-2.0
 *
 * cairn/cairn.h -- lazy, chunked, larger-than-memory N-D image processing: the C interface.
 *
 *	cairn_session *s;
 *	cairn_pipeline *p;
 *	cairn_error err;
 *	cairn_pipeline_source src = {0};
 *	src.text = "write(read('bone.tif') == 0, 'holes.zarr')";
 *	if (cairn_session_new(&s, &err) || cairn_pipeline_new(s, &src, &p, &err) ||
 *		cairn_pipeline_run(p, NULL, NULL, &err))
 *		... err.message says what, err.where where, err.hint what to try
 *
 * A session holds what runs share: the registry of operations and formats, the memory budget, the
 * chunk cache. A pipeline is a text evaluated into arrays and outputs; building one opens headers
 * and computes nothing. An array is a lazy description too: reading a region computes that region.
 *
 * Statuses and errors: cairn/error.h. Every call that can fail takes the error last; NULL is fine.
 * Texts returned through `char **` are freed with cairn_free().
 * Threads: any call from any thread. Inside one session building is serialised and runs take
 * turns.
 * Lifetime: pipelines and arrays keep their session alive; free in any order.
 * All structs may grow at their end in later releases; those the caller fills are zeroed first, and
 * zero always means the default.
 */
#ifndef CAIRN_CAIRN_H
#define CAIRN_CAIRN_H

#include <stddef.h>
#include <stdint.h>

#include "cairn/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_MAX_NDIM 8

typedef struct cairn_session cairn_session;
typedef struct cairn_pipeline cairn_pipeline;
typedef struct cairn_array cairn_array;

/** "0.1.0" */
CAIRN_API const char *cairn_version(void);
/** Frees a text that cairn returned; NULL is fine. */
CAIRN_API void cairn_free(char *text);

CAIRN_API CAIRN_MUST_USE cairn_status cairn_session_new(cairn_session **ret, cairn_error *err);
CAIRN_API void cairn_session_free(cairn_session *s); /* NULL is fine */

/* ---- running ---- */

typedef enum cairn_on_exists {
	CAIRN_ON_EXISTS_FAIL = 0, /* an output that exists is left alone: status CAIRN_EXISTS */
	CAIRN_ON_EXISTS_RESUME,   /* continue an unfinished output of the same pipeline */
	CAIRN_ON_EXISTS_REPLACE   /* erase it and start again */
} cairn_on_exists;

/** When outputs are forced to the disk. After a killed process the same command goes on without
 * loss under any of these; the difference is what a power cut may take. */
typedef enum cairn_fsync {
	CAIRN_FSYNC_DEFAULT = 0, /* CAIRN_FSYNC, else batch */
	CAIRN_FSYNC_NONE,        /* never: the system writes when it likes */
	CAIRN_FSYNC_BATCH,       /* every few seconds, and before an output is called complete */
	CAIRN_FSYNC_EACH         /* every chunk, before the journal names it */
} cairn_fsync;

/** A moment of a run. Counts are over the whole run. */
typedef struct cairn_progress {
	int stage, n_stages;
	const char *stage_name; /* "label: pass 1", "write labels.zarr" */
	int64_t done, total;    /* voxels of this stage's output grid */
	double fraction;        /* of the whole run, 0..1 */
	int64_t bytes_read, bytes_written;
	int64_t memory_bytes;          /* charged to the budget now */
	double elapsed_s, remaining_s; /* remaining < 0: not known yet */
	int resumed;                   /* some units were found done */
} cairn_progress;

/** A value that print() shows. data: C-contiguous native elements, valid during the call. */
typedef struct cairn_printed {
	const char *label; /* may be NULL or "" */
	const char *dtype; /* "float32" */
	int ndim;
	const int64_t *shape;
	const void *data;
	const char *text; /* the value as one would write it: "12.5", "[1 2 3]" */
} cairn_printed;

/** What cairn_report.profile holds: nothing, or where the run's time and memory went. */
typedef enum cairn_profile_style {
	CAIRN_PROFILE_NONE = 0,
	CAIRN_PROFILE_JSON, /* docs/profile.md describes it */
	CAIRN_PROFILE_HTML, /* one self-contained page */
	CAIRN_PROFILE_TRACE /* Chrome trace events, for Perfetto */
} cairn_profile_style;

typedef struct cairn_options {
	int n_threads;       /* 0: CAIRN_THREADS, else all cores */
	size_t memory_bytes; /* 0: CAIRN_MEMORY, else 60 % of the memory there is */
	cairn_on_exists on_exists;
	int keep_going;          /* failed chunks do not stop the run: CAIRN_PARTIAL at the end */
	const char *scratch_dir; /* NULL: CAIRN_SCRATCH, else beside the output, else TMPDIR */
	const char *isa;         /* NULL: CAIRN_ISA, else the best this machine runs */
	/* Called every progress_s seconds (0: 0.25) and at the end, from one thread at a time. */
	void (*progress)(void *user, const cairn_progress *p);
	double progress_s;
	/* Called for print() in the order of the text. NULL: nothing is shown. */
	void (*print)(void *user, const cairn_printed *p);
	void *user;
	/* May be set by a signal handler: 1 finishes what is in flight, 2 stops as soon as
	 * possible. The run then returns CAIRN_INTERRUPTED and can be resumed. */
	const volatile int *cancel;
	/* Workers wished for now; a signal handler may change it while a run is on, and the run
	 * follows: more or fewer threads, the same bytes. A run that finds 0 sets it to the number
	 * it starts with. May be NULL. */
	volatile int *threads;
	/* Recording takes about 2 MB of the budget. */
	cairn_profile_style profile;
	cairn_fsync fsync;
} cairn_options;

/** What a run did. Filled when cairn_pipeline_run succeeds; its texts are freed with cairn_free. */
typedef struct cairn_report {
	double seconds;
	int64_t units_written, units_skipped, units_read;
	int64_t bytes_read, bytes_written;
	size_t peak_memory_bytes; /* charged to the budget */
	char *json;               /* per-node voxels and times, reads, what limited the run */
	char *profile;            /* as options.profile asked for, else NULL */
} cairn_report;

/* ---- pipelines ---- */

typedef struct cairn_setting {
	const char *name;
	const char *text; /* "1, 2, 2": a literal of the language */
} cairn_setting;

/** An array that the text may use under a name. */
typedef struct cairn_binding {
	const char *name;
	const cairn_array *array;
} cairn_binding;

typedef struct cairn_pipeline_source {
	const char *file; /* a pipeline file, or */
	const char *text; /* a text */
	const char *name; /* what messages call a text; NULL is fine */
	const cairn_setting *settings;
	int n_settings;
	const cairn_binding *bindings;
	int n_bindings;
} cairn_pipeline_source;

/**
 * Parses and evaluates a pipeline; computes nothing.
 *
 * @return CAIRN_USAGE with line, column and caret for the text; CAIRN_INPUT for files it opens
 */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_pipeline_new(cairn_session *s,
	const cairn_pipeline_source *source, cairn_pipeline **ret, cairn_error *err);
CAIRN_API void cairn_pipeline_free(cairn_pipeline *p); /* NULL is fine */

/** 1 if `url` is a pipeline file ("wf.py", "wf.cairn", "wf.py#smooth"), else 0. */
CAIRN_API int cairn_is_pipeline(const char *url);
/** Names the text assigns, in order. */
CAIRN_API int cairn_pipeline_n_names(const cairn_pipeline *p);
CAIRN_API const char *cairn_pipeline_name(const cairn_pipeline *p, int i);
/** Array of that name; NULL as name: of the text's last bare expression. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_pipeline_array(
	const cairn_pipeline *p, const char *name, cairn_array **ret, cairn_error *err);
/** Outputs: write(...) and print(...), in order. */
CAIRN_API int cairn_pipeline_n_outputs(const cairn_pipeline *p);

/** Computes and writes all outputs. options and ret_report may be NULL. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_pipeline_run(cairn_pipeline *p,
	const cairn_options *options, cairn_report *ret_report, cairn_error *err);

typedef enum cairn_style {
	CAIRN_TEXT = 0,
	CAIRN_JSON,
	CAIRN_DOT, /* explain only */
	CAIRN_SVG, /* explain only */
	CAIRN_MAN  /* operations only */
} cairn_style;

/** What a run would do: stages, voxels, bytes, memory against the budget. Runs nothing. A text
 * without outputs that ends in an expression is explained as if all of it were asked for. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_pipeline_explain(cairn_pipeline *p,
	const cairn_options *options, cairn_style style, char **ret, cairn_error *err);

/* ---- arrays ---- */

/** Opens a file, folder, pattern, or an array of a pipeline file: "wf.py#smooth". */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_array_open(
	cairn_session *s, const char *url, cairn_array **ret, cairn_error *err);
/** The value of an expression in which `x` is `array`: "x.max(axis=0)". array NULL: no x. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_array_eval(cairn_session *s, const cairn_array *array,
	const char *expression, cairn_array **ret, cairn_error *err);
CAIRN_API void cairn_array_free(cairn_array *a); /* NULL is fine */

/** What the numbers mean. */
typedef enum cairn_kind { CAIRN_INTENSITY = 0, CAIRN_LABEL, CAIRN_MASK } cairn_kind;

CAIRN_API const char *cairn_array_dtype(const cairn_array *a); /* "uint16" */
CAIRN_API size_t cairn_array_item_bytes(const cairn_array *a);
CAIRN_API int cairn_array_ndim(const cairn_array *a);
CAIRN_API const int64_t *cairn_array_shape(const cairn_array *a); /* slowest axis first */
CAIRN_API cairn_kind cairn_array_kind(const cairn_array *a);
/** Axis i: name and unit ("" when unknown; valid as long as the array), distance between voxel
 * centres and position of the first. The outputs may be NULL. */
CAIRN_API void cairn_array_axis(const cairn_array *a, int i, const char **ret_name,
	const char **ret_unit, double *ret_scale, double *ret_translation);

/**
 * Computes a region into the caller's memory: n[d] voxels from start[d] with distance step[d].
 *
 * @param start, step  per axis; NULL: 0 and 1
 * @param n            voxels per axis; NULL: the whole array
 * @param buffer       C-contiguous, native bytes; size_bytes must be n[0] * ... * item bytes
 */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_array_read(const cairn_array *a, const int64_t *start,
	const int64_t *n, const int64_t *step, void *buffer, size_t size_bytes,
	const cairn_options *options, cairn_error *err);

/* ---- facts ---- */

/** Operations: all (name NULL) as a table, or one with its parameters. USAGE: unknown name. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_describe_ops(
	const char *name, cairn_style style, char **ret, cairn_error *err);
/** Names of all operations, one a line. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_op_names(char **ret, cairn_error *err);
/** File formats and their options. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_describe_formats(
	cairn_style style, char **ret, cairn_error *err);
/** Facts of one array, or of every name of a pipeline file: TEXT or JSON. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_describe(
	cairn_session *s, const char *url, cairn_style style, char **ret, cairn_error *err);
/** Arrays in a folder or zarr group, groups inside included: TEXT or JSON. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_list(
	cairn_session *s, const char *url, cairn_style style, char **ret, cairn_error *err);
/** Re-reads every stored chunk of an output against its journal; *ret is a JSON object, also when
 * the status is CAIRN_MISMATCH. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_verify(cairn_session *s, const char *url,
	const cairn_options *options, char **ret, cairn_error *err);

/** This machine's limits (memory, disk, codecs, operations), measured in under 20 s and kept in the
 * user's cache folder for plans and predictions: TEXT or JSON. Writes 64 MiB into the working
 * directory for a moment. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_bench_machine(
	cairn_style style, char **ret, cairn_error *err);

/** "8G", "512M", "1.5GiB", "1000000" -> bytes; K, M, G, T are powers of 1024. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_parse_size(
	const char *text, size_t *ret, cairn_error *err);
/** A text as a literal of the language, quotes and escapes included. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_quote(const char *text, char **ret, cairn_error *err);

/* ---- pictures ---- */

typedef enum cairn_view_mode {
	CAIRN_VIEW_PLANE = 0, /* one plane across `axis` at `index` */
	CAIRN_VIEW_ORTHO,     /* three planes through one point */
	CAIRN_VIEW_MONTAGE,   /* `count` planes across `axis` at a regular distance */
	CAIRN_VIEW_PROJECT,   /* max, mean or sum along `axis` */
	CAIRN_VIEW_HISTOGRAM  /* counts of the values */
} cairn_view_mode;

typedef struct cairn_view_options {
	cairn_view_mode mode;
	int axis;               /* 0 is the slowest; negative counts from the fastest */
	int has_index;          /* 0: the middle */
	int64_t index;          /* PLANE, ORTHO (the plane across axis); negative from the end */
	int count;              /* MONTAGE: 0 is 16 */
	const char *projection; /* "max" (NULL), "mean", "sum" */
	const cairn_array *overlay; /* labels of the same shape, painted over; may be NULL */
	double low, high; /* values drawn black and white; equal: chosen from the picture */
	int enlarge;      /* pixels a voxel, 0: chosen so that small pictures are visible */
	int bins;         /* HISTOGRAM: 0 is 256 */
	int scale_bar;    /* 1: draw one where the columns' axis has a unit (PLANE, PROJECT) */
} cairn_view_options;

/** Computes only the planes the picture needs and writes a PNG. */
CAIRN_API CAIRN_MUST_USE cairn_status cairn_view(cairn_session *s, const cairn_array *a,
	const cairn_view_options *view, const char *png_path, const cairn_options *options,
	cairn_error *err);

#ifdef __cplusplus
}
#endif
#endif

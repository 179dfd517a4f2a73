/* SPDX-License-Identifier: Apache-2.0
 *
 * costs.h -- what things cost on this machine: the table that turns a descriptor's guess into time.
 *
 * A descriptor's cost() knows how a node's cost grows (taps, runs, passes) but not this machine.
 * The table holds, per (op, dtype, instruction set, size class), nanoseconds per voxel as measured
 * by `cairn bench-machine` and by earlier runs, beside what the descriptor had said: a node costs
 * its descriptor's figure times their ratio. Its size class is the octave of the descriptor's
 * figure, so a filter of 5 taps and one of 49 are learned apart.
 *
 * Reading and decoding, encoding and writing are learned the same way under the names "decode" and
 * "encode" (per format), in nanoseconds per byte of voxels.
 *
 * Invariants
 *  (1) A cost changes tiles, cuts and predictions, never a byte of a result.
 *  (2) Any text can be loaded: what is not understood is left out, and ratios are clamped.
 *  (3) At most CRN_COSTS_MOST entries.
 * Threads: read-only while a plan is built; learning belongs to whoever owns the table.
 */
#ifndef CRN_PLAN_COSTS_H
#define CRN_PLAN_COSTS_H

#include "base/json.h"
#include "core/op.h"

#define CRN_COSTS_MOST 1024
#define CRN_COSTS_NAME 40

typedef struct crn_cost {
	char name[CRN_COSTS_NAME]; /* op, or "decode FORMAT", "encode FORMAT" */
	crn_dtype dtype;           /* of in[0], or of the node if it has no input */
	crn_isa isa;
	int size_class; /* octave of the descriptor's figure */
	double ns;      /* per voxel (per byte for decode and encode), one thread */
	double guess;   /* the descriptor's figure when that was measured */
	int64_t seen;   /* runs that taught it; larger is trusted longer */
} crn_cost;

/** Rates of the machine itself, in bytes a second; 0: not measured. */
typedef struct crn_machine {
	char cpu[96]; /* model and number of cores: a table of another machine is not used */
	int n_cores;
	double l2_bytes;
	double read_one, write_one, copy_one; /* main memory, one thread */
	double read_all, write_all, copy_all; /* all threads together */
	double disk_write, disk_read;         /* current folder; read may be the page cache's */
} crn_machine;

typedef struct crn_costs {
	crn_machine machine;
	crn_cost *entries;
	int n, cap;
	/* Tests: not 0: every figure is multiplied by 2^-4 ... 2^4, chosen by this seed and the
	 * name. */
	uint64_t scramble;
} crn_costs;

void crn_costs_done(crn_costs *c); /* zeroed again; safe on a zeroed table */

/** Nanoseconds per voxel of a node. costs may be NULL: the descriptor's figure. */
double crn_costs_of(const crn_costs *c, const crn_node *n, crn_isa isa);
/** Nanoseconds per byte of decoding (reading included) or encoding with a format. */
double crn_costs_decode(const crn_costs *c, const char *format, crn_dtype dtype);
double crn_costs_encode(const crn_costs *c, const char *format, crn_dtype dtype);
/** Nanoseconds to store a byte in memory and to load it again later, on a loaded machine. */
double crn_costs_store_load(const crn_costs *c, int n_threads);
/** True if the figure of this node was measured here. */
bool crn_costs_known(const crn_costs *c, const crn_node *n, crn_isa isa);

/** The name, dtype and figures of a node, to be learned: fill in ns, then crn_costs_learn(). */
crn_cost crn_costs_entry(const crn_node *n, crn_isa isa);
crn_cost crn_costs_io_entry(const char *what, const char *format, crn_dtype dtype);
/**
 * Takes a measurement in. An old figure moves towards it, faster downwards than upwards: other
 * programs can make a run slow, nothing makes it too fast.
 */
CRN_CHECKED cairn_status crn_costs_learn(crn_costs *c, const crn_cost *measured, cairn_error *err);

/** The table as one JSON object / from one. Loading replaces everything. */
void crn_costs_print(const crn_costs *c, crn_str *out);
CRN_CHECKED cairn_status crn_costs_parse(const crn_json *doc, crn_costs *ret, cairn_error *err);

#endif

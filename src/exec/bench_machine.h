/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_machine.h -- this machine's own limits: memory, codecs, the disk of a folder.
 *
 * Rates come from the threads' processor time (the disk's from the clock), best of a few rounds, so
 * that a machine shared with other programs still says what it can do. Operations are measured by
 * running them (api_bench.c). Everything together takes about three seconds and 256 MiB.
 */
#ifndef CRN_EXEC_BENCH_MACHINE_H
#define CRN_EXEC_BENCH_MACHINE_H

#include "core/registry.h"
#include "plan/costs.h"

/** Fills read, write and copy rates of one thread and of all. */
CRN_CHECKED cairn_status crn_bench_memory(crn_machine *m, cairn_error *err);

typedef struct crn_codec_rate {
	const char *name;      /* "zstd" */
	const char *what;      /* "zstd level 1" */
	double encode, decode; /* bytes of voxels a second, one thread */
	double ratio;          /* voxel bytes per stored byte */
} crn_codec_rate;

enum { CRN_BENCH_CODECS = 4 };

/** zstd, lz4, blosc and gzip at their usual levels on 4 MiB of smooth uint16 with noise. */
CRN_CHECKED cairn_status crn_bench_codecs(
	const crn_registry *r, crn_codec_rate ret[CRN_BENCH_CODECS], int *ret_n, cairn_error *err);

/** Writes 64 MiB into a folder (reaching the disk), reads it back, removes it. */
CRN_CHECKED cairn_status crn_bench_disk(const char *folder, crn_machine *m, cairn_error *err);

#endif

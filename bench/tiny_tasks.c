/* SPDX-License-Identifier: Apache-2.0
 *
 * tiny_tasks.c -- what a task costs when it has nothing to do: 10^6 tasks of one voxel.
 *
 *	tiny_tasks THREADS
 *
 * Adds 1 to an array of 1000 x 1000 zeros in tiles of one voxel, checks the result and prints the
 * seconds of the clock and of all threads. Uses the engine itself: no user can ask for such tiles.
 */
#include "builtin.h"
#include "exec/run.h"
#include "lang/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXTENT = 1000 };

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	static const char text[] = "zeros((1000, 1000), dtype='uint8') + 1";
	static unsigned char result[EXTENT * EXTENT];
	const int64_t shape[] = {EXTENT, EXTENT};
	const crn_pipeline_request request = {.name = NULL};
	crn_graph *graph = NULL;
	crn_engine *engine = NULL;
	crn_pipeline *pipeline = NULL;
	cairn_error err = {0};
	crn_run_options o = {.n_threads = argc > 1 ? atoi(argv[1]) : 2,
		.memory_bytes = (size_t)1 << 30,
		.isa = crn_isa_best(),
		.tile_voxels = 1};
	crn_region whole = crn_region_whole(2, shape);
	crn_view out = crn_view_dense(result, CRN_U8, 2, shape);
	if (crn_graph_new(&crn_builtin_registry, &graph, &err) != CAIRN_OK ||
		crn_engine_new(&crn_builtin_registry, &engine, &err) != CAIRN_OK ||
		crn_pipeline_new(graph, text, strlen(text), &request, &pipeline, &err) !=
			CAIRN_OK) {
		fprintf(stderr, "tiny_tasks: %s\n", err.message);
		return 1;
	}
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (crn_run_region(engine, crn_pipeline_last(pipeline)->node, &whole, &out, &o, NULL,
		    &err) != CAIRN_OK) {
		fprintf(stderr, "tiny_tasks: %s\n", err.message);
		return 1;
	}
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	for (size_t i = 0; i < sizeof(result); i++)
		if (result[i] != 1)
			return 1;
	printf("%.6f %.6f\n", wall, cpu);
	crn_pipeline_free(pipeline);
	crn_engine_free(engine);
	crn_graph_unref(graph);
	return 0;
}

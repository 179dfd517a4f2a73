/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_language.c -- any bytes as a pipeline text, against the real operations.
 *
 * Texts may not touch files: read() and write() get a registry without formats, so they fail with
 * a message; everything else is evaluated into a graph and thrown away.
 */
#include "builtin.h"
#include "lang/pipeline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Would evaluating this open a pipeline file? Then only parsing is tested elsewhere. */
static int names_a_file(const uint8_t *data, size_t n)
{
	return memmem(data, n, ".py", 3) || memmem(data, n, ".cairn", 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const crn_format *const no_formats[] = {NULL};
	crn_registry registry = crn_builtin_registry;
	crn_graph *g = NULL;
	crn_pipeline *p = NULL;
	cairn_error err;
	static const crn_setting setting = {"sigma", "1, 2"};
	crn_pipeline_request request = {.name = "fuzz.py", .settings = &setting};
	registry.formats = no_formats;
	if (names_a_file(data, n) || crn_graph_new(&registry, &g, &err) != CAIRN_OK)
		return 0;
	request.n_settings = n > 0 && data[0] == 's';
	cairn_status status = crn_pipeline_new(g, (const char *)data, n, &request, &p, &err);
	/* A failure always says something, inside the buffers it was given. */
	if (status != CAIRN_OK && (err.message[0] == '\0' || err.status != status))
		abort();
	crn_pipeline_free(p);
	crn_graph_unref(g);
	return 0;
}

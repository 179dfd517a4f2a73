/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_convert.c -- `cairn convert`: one array into another format or other chunks.
 *
 * Nothing but the pipeline write(x, DST, options): what run can do, convert does the same way.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
	{0, "chunks", "N,N,N", "voxels of a chunk per axis, or one number for all", NULL},
	{0, "format", "NAME", "format of DST (default: by its suffix)", NULL},
	{0, "dtype", "NAME", "convert the values; integers saturate",
		"uint8|uint16|uint32|uint64|int8|int16|int32|int64|float32|float64|bool"},
	{'o', "option", "NAME=VALUE", "any other option of write() for this format (repeatable)",
		NULL},
	{0, "name", "NAME", "the array, when SRC is a pipeline file", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static cairn_status out_of_memory(cairn_error *err)
{
	return cli_fail(err, CAIRN_FAILED, "out of memory");
}

/* Adds ", NAME=VALUE"; takes *text and gives a longer one. */
static cairn_status add_option(
	char **text, const char *name, size_t n, const char *value, cairn_error *err)
{
	char *longer = cli_format("%s, %.*s=%s", *text, (int)n, name, value);
	free(*text);
	*text = longer;
	return longer ? CAIRN_OK : out_of_memory(err);
}

static cairn_status add_quoted(char **text, const char *name, const char *value, cairn_error *err)
{
	char *quoted = NULL;
	cairn_status status = cairn_quote(value, &quoted, err);
	if (status == CAIRN_OK)
		status = add_option(text, name, strlen(name), quoted, err);
	cairn_free(quoted);
	return status;
}

/* A value that does not read as a literal is meant as a text: -o compressor=zstd. */
static bool looks_plain(const char *value)
{
	return strchr("0123456789-+.([\"'", value[0]) || strcmp(value, "True") == 0 ||
	       strcmp(value, "False") == 0 || strcmp(value, "None") == 0;
}

static cairn_status add_options(const cli *c, char **text, cairn_error *err)
{
	cairn_status status = CAIRN_OK;
	const char *chunks = cli_value(c, "chunks"), *given;
	if (chunks) {
		char *tuple = cli_format(strchr(chunks, ',') ? "(%s)" : "%s", chunks);
		status = tuple ? add_option(text, "chunks", 6, tuple, err) : out_of_memory(err);
		free(tuple);
	}
	if (status == CAIRN_OK && cli_value(c, "format"))
		status = add_quoted(text, "format", cli_value(c, "format"), err);
	for (int k = 0; status == CAIRN_OK && (given = cli_nth_value(c, "option", k)); k++) {
		const char *equal = strchr(given, '=');
		if (!equal || equal == given)
			return cli_fail(
				err, CAIRN_USAGE, "--option needs NAME=VALUE, not %.80s", given);
		char *name = strndup(given, (size_t)(equal - given));
		if (!name)
			return out_of_memory(err);
		status = looks_plain(equal + 1)
				 ? add_option(text, name, strlen(name), equal + 1, err)
				 : add_quoted(text, name, equal + 1, err);
		free(name);
	}
	return status;
}

/* write(x, "DST", chunks=..., ...) on the heap. */
static cairn_status make_text(const cli *c, char **ret, cairn_error *err)
{
	char *quoted = NULL;
	const char *dtype = cli_value(c, "dtype");
	cairn_status status = cairn_quote(c->args[c->n_args - 1], &quoted, err);
	if (status != CAIRN_OK)
		return status;
	if (dtype)
		*ret = cli_format("write(saturate(x, \"%.20s\"), %s", dtype, quoted);
	else
		*ret = cli_format("write(x, %s", quoted);
	cairn_free(quoted);
	if (!*ret)
		return out_of_memory(err);
	status = add_options(c, ret, err);
	if (status != CAIRN_OK)
		return status;
	char *closed = cli_format("%s)", *ret);
	free(*ret);
	*ret = closed;
	return closed ? CAIRN_OK : out_of_memory(err);
}

static cairn_status convert(cli *c, cairn_error *err)
{
	cairn_array *a = NULL;
	cairn_pipeline *p = NULL;
	cairn_options o;
	char *text = NULL;
	if (c->n_args != (cli_has(c, "expression") ? 1 : 2))
		return cli_fail(err, CAIRN_USAGE, "cairn convert needs a source and a destination");
	cairn_status status = cli_run_options(c, &o, err);
	if (status == CAIRN_OK)
		status = cli_array(c, c->args[0], &a, err);
	if (status == CAIRN_OK)
		status = make_text(c, &text, err);
	if (status == CAIRN_OK)
		status = cli_bound_pipeline(c, text, a, &p, err);
	if (status == CAIRN_OK)
		status = cli_carry_out(c, p, &o, err);
	cairn_pipeline_free(p);
	free(text);
	cairn_array_free(a);
	return status;
}

const cli_verb cli_verb_convert = {
	.name = "convert",
	.summary = "write an array in another format or other chunks",
	.usage = "[OPTIONS] SRC DST",
	.details = "The format of DST follows from its suffix or --format; cairn ops --formats "
		   "lists formats\n"
		   "and their options. SRC may be a pipeline file with --name.",
	.examples = "  cairn convert slices/img.%05d.png volume.zarr --chunks 64,256,256\n"
		    "  cairn convert volume.zarr volume.tif\n"
		    "  cairn convert in.tif out.zarr -o compressor=zstd",
	.groups = {options, cli_text_options, cli_engine_options, cli_output_options,
		cli_common_options},
	.min_args = 2,
	.max_args = 2,
	.run = convert,
};

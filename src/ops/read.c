/* SPDX-License-Identifier: Apache-2.0
 *
 * read.c -- read(): opens an array by its format and makes the source node.
 *
 * The options a format takes are its own (crn_format.read_params); read() passes on whatever
 * keywords it does not know. axes, scale and unit replace what the file says, or fail to say.
 */
#include "base/mem.h"
#include "core/call.h"
#include "core/format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { URL, AXES, SCALE, UNIT, OPTIONS, MAX_OPTIONS = 64 };

/* One text for every axis, or one per axis; `size` bytes of room at each axis. */
static cairn_status set_texts(const crn_value *v, const crn_source *s, const char *what,
	char *const *to, cairn_error *err)
{
	enum { ROOM = sizeof(s->type.axes[0].name) };
	int ndim = s->type.ndim;
	if (v->kind == CRN_V_NONE)
		return CAIRN_OK;
	if (v->kind == CRN_V_LIST && v->list.n != ndim)
		return crn_fail(err, CAIRN_USAGE, "read: %s has %d entries, %s has %d axes", what,
			v->list.n, s->url, ndim);
	for (int d = 0; d < ndim; d++) {
		const char *text = v->kind == CRN_V_LIST ? v->list.items[d].s : v->s;
		if (strlen(text) >= ROOM)
			return crn_fail(err, CAIRN_USAGE,
				"read: %s \"%.40s\" is longer than %d bytes", what, text, ROOM - 1);
		snprintf(to[d], ROOM, "%s", text);
	}
	return CAIRN_OK;
}

/* axes="zyx" names one axis a letter; a tuple names them one by one. */
static cairn_status set_names(const crn_value *v, crn_source *s, cairn_error *err)
{
	char *to[CRN_MAX_NDIM];
	int ndim = s->type.ndim;
	for (int d = 0; d < ndim; d++)
		to[d] = s->type.axes[d].name;
	if (v->kind != CRN_V_STR)
		return set_texts(v, s, "axes", to, err);
	if ((int)strlen(v->s) != ndim)
		return crn_fail(err, CAIRN_USAGE, "read: axes=\"%.40s\" names %zu axes, %s has %d",
			v->s, strlen(v->s), s->url, ndim);
	for (int d = 0; d < ndim; d++)
		snprintf(to[d], 2, "%c", v->s[d]);
	return CAIRN_OK;
}

static cairn_status set_scale(const crn_value *v, crn_source *s, cairn_error *err)
{
	double scale[CRN_MAX_NDIM];
	if (v->kind == CRN_V_NONE)
		return CAIRN_OK;
	CRN_TRY(crn_args_floats(v, s->type.ndim, scale, "read: scale", err));
	for (int d = 0; d < s->type.ndim; d++)
		if (!isfinite(scale[d]) || scale[d] <= 0)
			return crn_fail(err, CAIRN_USAGE, "read: scale must be greater than 0");
	for (int d = 0; d < s->type.ndim; d++)
		s->type.axes[d].scale = scale[d];
	return CAIRN_OK;
}

static cairn_status override(crn_source *s, const crn_value *args, cairn_error *err)
{
	char *units[CRN_MAX_NDIM];
	for (int d = 0; d < s->type.ndim; d++)
		units[d] = s->type.axes[d].unit;
	CRN_TRY(set_names(&args[AXES], s, err));
	CRN_TRY(set_scale(&args[SCALE], s, err));
	return set_texts(&args[UNIT], s, "unit", units, err);
}

static cairn_status build(
	crn_graph *g, const crn_op *self, const crn_value *args, crn_value *ret, cairn_error *err)
{
	const char *names[MAX_OPTIONS];
	crn_value values[MAX_OPTIONS]; /* borrowed */
	const crn_value *options = &args[OPTIONS];
	if (options->list.n > MAX_OPTIONS)
		return crn_fail(err, CAIRN_USAGE, "read: more than %d options", MAX_OPTIONS);
	for (int i = 0; i < options->list.n; i++) {
		names[i] = options->list.items[i].list.items[0].s;
		values[i] = options->list.items[i].list.items[1];
	}
	crn_source *source = NULL;
	CRN_TRY(crn_source_open(
		crn_graph_registry(g), args[URL].s, names, values, options->list.n, &source, err));
	cairn_status status = override(source, args, err);
	if (status != CAIRN_OK) {
		crn_source_close(source);
		return status;
	}
	crn_node *node = NULL;
	CRN_TRY(crn_node_new_source(g, self, args, source, &node, err));
	*ret = crn_value_node(node);
	return CAIRN_OK;
}

static const crn_param params[] = {
	{"url", CRN_P_STR, NULL,
		"file, folder, pattern (\"img.%05d.png\", \"*.tif\") or array in a zarr"},
	{"axes", CRN_P_STRS, "None", "axis names, slowest first: \"zyx\" or (\"z\", \"y\", \"x\")"},
	{"scale", CRN_P_FLOATS, "None",
		"distance between voxel centres, one for all axes or one per axis"},
	{"unit", CRN_P_STRS, "None",
		"unit of scale (\"micrometer\"), one for all axes or one per axis"},
	{"**options", CRN_P_ANY, NULL, "options of the format; format=\"NAME\" skips the guessing"},
	{.type = CRN_P_END},
};

const crn_op crn_op_read = {
	.name = "read",
	.category = "input",
	.summary = "an array from a file, a folder of images or a zarr, read when it is needed",
	.doc = "Opens headers only; pixels are read when a result needs them, and only those it "
	       "needs. axes, scale and unit replace what the file says. Every format has options "
	       "of "
	       "its own; `cairn info URL` tells what was recognised.",
	.source = "cairn",
	.example = "print(read(\"volume.zarr\").mean())",
	.kind = CRN_SOURCE,
	.semver = 1,
	.params = params,
	.build = build,
};

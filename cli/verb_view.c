/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_view.c -- `cairn view`: a PNG of an array, from a file or from a pipeline that has not run.
 *
 * Only the planes the picture shows are computed.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
	{'o', "output", "FILE", "the PNG to write (default: view.png)", "FILE"},
	{0, "name", "NAME", "the array, when SRC is a pipeline file", NULL},
	{0, "axis", "N", "the axis to look along (default 0, the slowest; negative from the end)",
		NULL},
	{0, "index", "N", "the plane on that axis (default: the middle; negative from the end)",
		NULL},
	{0, "ortho", NULL, "three orthogonal planes through the middle", NULL},
	{0, "montage", "N", "N planes at a regular distance along the axis", NULL},
	{0, "project", "HOW", "max, mean or sum along the axis", "max|mean|sum"},
	{0, "overlay", "LABELS", "paint the labels of another array over it, one colour an id",
		"FILE"},
	{0, "histogram", NULL, "draw the histogram of all values instead", NULL},
	{0, "range", "LOW,HIGH", "values drawn black and white (default: from the picture)", NULL},
	{0, "scale-bar", NULL, "draw a scale bar (when the file tells the voxel size)", NULL},
	{0, "enlarge", "N", "pixels a voxel (default: so that small pictures can be seen)", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static cairn_status choose_mode(const cli *c, cairn_view_options *v, cairn_error *err)
{
	static const struct {
		const char *name;
		cairn_view_mode mode;
	} modes[] = {{"ortho", CAIRN_VIEW_ORTHO}, {"montage", CAIRN_VIEW_MONTAGE},
		{"project", CAIRN_VIEW_PROJECT}, {"histogram", CAIRN_VIEW_HISTOGRAM}};
	const char *first = NULL;
	for (int i = 0; i < 4; i++) {
		if (!cli_has(c, modes[i].name))
			continue;
		if (first)
			return cli_fail(err, CAIRN_USAGE,
				"--%s and --%s are two different pictures", first, modes[i].name);
		first = modes[i].name;
		v->mode = modes[i].mode;
	}
	return CAIRN_OK;
}

static cairn_status take_range(const cli *c, cairn_view_options *v, cairn_error *err)
{
	const char *text = cli_value(c, "range");
	char *end = NULL;
	if (!text)
		return CAIRN_OK;
	v->low = strtod(text, &end);
	if (end != text && *end == ',') {
		const char *second = end + 1;
		v->high = strtod(second, &end);
		if (end != second && !*end && v->low < v->high)
			return CAIRN_OK;
	}
	return cli_fail(
		err, CAIRN_USAGE, "--range needs LOW,HIGH with LOW < HIGH, not %.40s", text);
}

static cairn_status take_numbers(const cli *c, cairn_view_options *v, cairn_error *err)
{
	long long axis = 0, index = 0, montage = 0, enlarge = 0;
	cairn_status status = cli_int(c, "axis", -8, 7, 0, &axis, err);
	if (status == CAIRN_OK)
		status = cli_int(c, "index", INT64_MIN, INT64_MAX, 0, &index, err);
	if (status == CAIRN_OK)
		status = cli_int(c, "montage", 1, 4096, 0, &montage, err);
	if (status == CAIRN_OK)
		status = cli_int(c, "enlarge", 1, 64, 0, &enlarge, err);
	v->axis = (int)axis;
	v->index = index;
	v->has_index = cli_has(c, "index");
	v->count = (int)montage;
	v->enlarge = (int)enlarge;
	v->scale_bar = cli_has(c, "scale-bar");
	v->projection = cli_value(c, "project");
	return status;
}

static cairn_status draw(cli *c, cairn_view_options *v, const cairn_options *o, cairn_error *err)
{
	cairn_array *a = NULL, *labels = NULL;
	const char *overlay = cli_value(c, "overlay"), *file = cli_value(c, "output");
	const char *src = c->n_args > 0 ? c->args[0] : NULL;
	file = file ? file : "view.png";
	cairn_status status = cli_array(c, src, &a, err);
	if (status == CAIRN_OK && overlay)
		status = cairn_array_open(c->session, overlay, &labels, err);
	v->overlay = labels;
	if (status == CAIRN_OK)
		status = cairn_view(c->session, a, v, file, o, err);
	cli_run_done();
	if (status == CAIRN_OK && !c->quiet)
		fprintf(stderr, "cairn: wrote %s\n", file);
	cairn_array_free(labels);
	cairn_array_free(a);
	return status;
}

static cairn_status view(cli *c, cairn_error *err)
{
	cairn_options o;
	cairn_view_options v;
	memset(&v, 0, sizeof(v));
	cairn_status status = cli_run_options(c, &o, err);
	if (status == CAIRN_OK)
		status = choose_mode(c, &v, err);
	if (status == CAIRN_OK)
		status = take_numbers(c, &v, err);
	if (status == CAIRN_OK)
		status = take_range(c, &v, err);
	return status == CAIRN_OK ? draw(c, &v, &o, err) : status;
}

const cli_verb cli_verb_view = {
	.name = "view",
	.summary = "a picture of an array, or of a pipeline that has not run",
	.usage = "[OPTIONS] SRC | -e TEXT",
	.details = "Writes a PNG of one plane, of three orthogonal planes, a montage, a projection "
		   "or a\n"
		   "histogram. Only what the picture needs is read and computed. Labels are drawn "
		   "in colours\n"
		   "that belong to their ids and never change.",
	.examples = "  cairn view bone.tif -o bone.png\n"
		    "  cairn view foam.py --name smooth --axis 1 --index 100\n"
		    "  cairn view bone.tif --overlay labels.zarr --montage 12\n"
		    "  cairn view -e 'read(\"fish.tif\").median_filter(5)' --project max",
	.groups = {options, cli_text_options, cli_engine_options, cli_common_options},
	.min_args = 1,
	.max_args = 1,
	.run = view,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * zarr_ngff.c -- from a Zarr group to the array somebody means by its name.
 *
 *	multiscale image (OME-NGFF 0.1 - 0.5)  → the wanted level, with axes, units and scales
 *	bioformats2raw.layout		       → its image 0
 *	any other group			       → its only array; several are listed in the error
 *
 * A level's voxel i is centred at scale * i + translation, per axis, after the level's own and then
 * the image's transformations.
 * Source: ngff-spec 0.4 and 0.5.2.
 */
#include "formats/zarr_meta.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CHILDREN = 64, SHOWN = 8 };

static const char *text_of(const crn_json *v)
{
	return v && v->kind == CRN_JSON_STRING ? v->text : "";
}

static double number_of(const crn_json *v)
{
	return v->kind == CRN_JSON_INT ? (double)v->i : v->kind == CRN_JSON_DOUBLE ? v->f : NAN;
}

/* ---- multiscales ---- */

/* One list of transformations, applied after what is in `axes` already. Odd ones change nothing. */
static void apply_transforms(const crn_json *list, crn_zarr_axes *axes)
{
	for (int i = 0; list && list->kind == CRN_JSON_ARRAY && i < list->n; i++) {
		const crn_json *scale = crn_json_get(&list->items[i], "scale");
		const crn_json *shift = crn_json_get(&list->items[i], "translation");
		for (int d = 0; scale && scale->kind == CRN_JSON_ARRAY && scale->n == axes->n &&
				d < axes->n;
			d++) {
			double f = number_of(&scale->items[d]);
			if (isfinite(f) && f > 0) {
				axes->axes[d].scale *= f;
				axes->axes[d].translation *= f;
			}
		}
		for (int d = 0; shift && shift->kind == CRN_JSON_ARRAY && shift->n == axes->n &&
				d < axes->n;
			d++) {
			double f = number_of(&shift->items[d]);
			if (isfinite(f))
				axes->axes[d].translation += f;
		}
	}
}

/* Axes are objects since 0.4, names in 0.3, absent before (always tczyx then). */
static void parse_axes(const crn_json *multiscale, crn_zarr_axes *ret)
{
	static const char *const oldest[] = {"t", "c", "z", "y", "x"};
	const crn_json *axes = crn_json_get(multiscale, "axes");
	int n = axes ? (axes->kind == CRN_JSON_ARRAY ? axes->n : 0) : 5;
	ret->n = n > CRN_MAX_NDIM ? 0 : n;
	for (int d = 0; d < ret->n; d++) {
		crn_axis *a = &ret->axes[d];
		const crn_json *v = axes ? &axes->items[d] : NULL;
		*a = (crn_axis){.scale = 1};
		snprintf(a->name, sizeof(a->name), "%.15s",
			!v                           ? oldest[d]
			: v->kind == CRN_JSON_STRING ? v->text
						     : text_of(crn_json_get(v, "name")));
		snprintf(a->unit, sizeof(a->unit), "%.15s", text_of(crn_json_get(v, "unit")));
	}
}

static cairn_status choose_level(const crn_json *multiscale, int64_t level, crn_str *path,
	crn_zarr_axes *ret, cairn_error *err)
{
	const crn_json *datasets = crn_json_get(multiscale, "datasets");
	if (!datasets || datasets->kind != CRN_JSON_ARRAY || datasets->n == 0)
		return crn_fail(err, CAIRN_INPUT, "the multiscale image lists no datasets");
	if (level >= datasets->n)
		return crn_fail(err, CAIRN_USAGE, "level %lld of %d: the image has levels 0 to %d",
			(long long)level, datasets->n, datasets->n - 1);
	const crn_json *dataset = &datasets->items[level];
	const char *name = text_of(crn_json_get(dataset, "path"));
	if (!crn_key_valid(name))
		return crn_fail(err, CAIRN_INPUT,
			"the path of level %lld, \"%.80s\", cannot be used", (long long)level,
			name);
	crn_str_appendf(path, "%s%s", path->len ? "/" : "", name);
	parse_axes(multiscale, ret);
	apply_transforms(crn_json_get(dataset, "coordinateTransformations"), ret);
	apply_transforms(crn_json_get(multiscale, "coordinateTransformations"), ret);
	return CAIRN_OK;
}

void crn_zarr_apply_axes(const crn_zarr_axes *axes, crn_type *type)
{
	if (axes->is_label)
		type->kind = CRN_LABEL;
	if (axes->n != type->ndim)
		return;
	for (int d = 0; d < type->ndim; d++)
		type->axes[d] = axes->axes[d];
}

/* ---- other groups ---- */

typedef struct children {
	char *names[MAX_CHILDREN];
	int n;
	bool more;
} children;

static bool collect(void *user, const char *name, bool is_prefix)
{
	children *c = user;
	if (!is_prefix || name[0] == '.')
		return true;
	c->more = c->n == MAX_CHILDREN;
	if (c->more)
		return false;
	c->names[c->n] = crn_strdup(name);
	c->n += c->names[c->n] != NULL;
	return true;
}

static cairn_status is_array(
	crn_store *s, const char *path, int zarr_format, bool *ret, cairn_error *err)
{
	crn_json *doc = NULL;
	if (zarr_format == 2) {
		CRN_STR key = {0};
		crn_zarr_join(path, ".zarray", &key);
		return key.oom ? crn_fail_memory(err, "a key", strlen(path))
			       : crn_store_exists(s, key.data, ret, err);
	}
	CRN_TRY(crn_zarr_load(s, path, "zarr.json", &doc, err));
	*ret = strcmp(text_of(crn_json_get(doc, "node_type")), "array") == 0;
	crn_json_free(doc);
	return CAIRN_OK;
}

static cairn_status fail_choice(crn_store *s, const char *path, const children *c, cairn_error *err)
{
	CRN_STR list = {0};
	cairn_status status =
		crn_fail(err, CAIRN_INPUT, "%s%s%s is a Zarr group, and not of one array or image",
			s->root, *path ? "/" : "", path);
	for (int i = 0; i < c->n && i < SHOWN; i++)
		crn_str_appendf(&list, "%s%s", i ? ", " : "", c->names[i]);
	if (c->n > 0)
		crn_hint(err, "name one of its members, %s/NAME: %s%s", s->root, list.data,
			c->n > SHOWN ? ", ..." : "");
	else
		crn_hint(err, "the group is empty");
	return status;
}

/* Appends the name of the only array below the group. */
static cairn_status only_array(
	crn_store *s, int zarr_format, const children *c, crn_str *path, cairn_error *err)
{
	int n_arrays = 0, the_one = -1;
	for (int i = 0; i < c->n; i++) {
		CRN_STR child = {0};
		bool found = false;
		crn_zarr_join(path->len ? path->data : "", c->names[i], &child);
		if (child.oom)
			return crn_fail_memory(err, "a path", path->len);
		if (!crn_key_valid(child.data))
			continue;
		CRN_TRY(is_array(s, child.data, zarr_format, &found, err));
		n_arrays += found;
		the_one = found ? i : the_one;
	}
	if (n_arrays != 1 || c->more)
		return fail_choice(s, path->len ? path->data : "", c, err);
	crn_str_appendf(path, "%s%s", path->len ? "/" : "", c->names[the_one]);
	return CAIRN_OK;
}

static cairn_status into_plain_group(
	crn_store *s, int zarr_format, int64_t level, crn_str *path, cairn_error *err)
{
	children c = {.n = 0};
	if (level > 0)
		return crn_fail(err, CAIRN_USAGE, "level=%lld: this is no multiscale image",
			(long long)level);
	cairn_status status = s->ops->list(s, path->len ? path->data : "", collect, &c, err);
	if (status == CAIRN_OK)
		status = only_array(s, zarr_format, &c, path, err);
	for (int i = 0; i < c.n; i++)
		crn_free(c.names[i]);
	return status;
}

/* The members that describe images: attributes in v2, attributes.ome in v3. *ret_doc owns them. */
static cairn_status load_attributes(crn_store *s, int zarr_format, const char *path,
	crn_json **ret_doc, const crn_json **ret, cairn_error *err)
{
	CRN_TRY(crn_zarr_load(s, path, zarr_format == 2 ? ".zattrs" : "zarr.json", ret_doc, err));
	*ret = *ret_doc;
	if (zarr_format == 3)
		*ret = crn_json_get(crn_json_get(*ret_doc, "attributes"), "ome");
	return CAIRN_OK;
}

static cairn_status descend_one(crn_store *s, int zarr_format, int64_t level, crn_str *path,
	crn_zarr_axes *ret, cairn_error *err)
{
	crn_json *doc = NULL;
	const crn_json *ome = NULL;
	CRN_TRY(load_attributes(s, zarr_format, path->len ? path->data : "", &doc, &ome, err));
	const crn_json *images = crn_json_get(ome, "multiscales");
	cairn_status status = CAIRN_OK;
	ret->is_label = crn_json_get(ome, "image-label") != NULL;
	if (images && images->kind == CRN_JSON_ARRAY && images->n > 0)
		status = choose_level(&images->items[0], level, path, ret, err);
	else
		status = into_plain_group(s, zarr_format, level, path, err);
	crn_json_free(doc);
	return status;
}

cairn_status crn_zarr_parent_axes(
	crn_store *s, int zarr_format, const char *path, crn_zarr_axes *ret, cairn_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	CRN_FREE char *parent = crn_strndup(path, slash ? (size_t)(slash - path) : 0);
	crn_json *doc = NULL;
	const crn_json *ome = NULL;
	*ret = (crn_zarr_axes){0};
	if (!parent)
		return crn_fail_memory(err, "a path", strlen(path));
	CRN_TRY(load_attributes(s, zarr_format, parent, &doc, &ome, err));
	const crn_json *images = crn_json_get(ome, "multiscales");
	const crn_json *image = images && images->n > 0 ? &images->items[0] : NULL;
	const crn_json *levels = crn_json_get(image, "datasets");
	for (int i = 0; levels && i < levels->n; i++) {
		CRN_STR unused = {0};
		if (strcmp(text_of(crn_json_get(&levels->items[i], "path")), name) == 0 &&
			choose_level(image, i, &unused, ret, NULL) == CAIRN_OK)
			ret->is_label = crn_json_get(ome, "image-label") != NULL;
	}
	crn_json_free(doc);
	return CAIRN_OK;
}

cairn_status crn_zarr_descend(crn_store *s, int zarr_format, int64_t level, crn_str *path,
	crn_zarr_axes *ret, cairn_error *err)
{
	crn_json *doc = NULL;
	const crn_json *ome = NULL;
	*ret = (crn_zarr_axes){0};
	CRN_TRY(load_attributes(s, zarr_format, path->len ? path->data : "", &doc, &ome, err));
	bool series = crn_json_get(ome, "bioformats2raw.layout") != NULL &&
		      crn_json_get(ome, "multiscales") == NULL;
	crn_json_free(doc);
	if (series)
		crn_str_append(path, path->len ? "/0" : "0");
	cairn_status status = path->oom ? crn_fail_memory(err, "a path", path->len)
					: descend_one(s, zarr_format, level, path, ret, err);
	if (status != CAIRN_OK)
		crn_where(
			err, "%s%s%s", s->root, path->len ? "/" : "", path->len ? path->data : "");
	return status;
}

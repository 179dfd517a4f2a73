/* SPDX-License-Identifier: Apache-2.0
 *
 * stack_names.h -- which files make up a stack of slices, and in which order.
 *
 *	dir/img.%05d.png   pattern: exactly one %d or %0Nd in the last part; %% is a percent sign
 *	dir/scan*.tif      glob, in the last part
 *	dir                all image files of a folder
 *
 * Order is natural: runs of digits compare as numbers (img2 before img10). User text never reaches
 * printf.
 */
#ifndef CRN_FORMATS_STACK_NAMES_H
#define CRN_FORMATS_STACK_NAMES_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

typedef enum crn_stack_kind { CRN_STACK_PATTERN, CRN_STACK_GLOB, CRN_STACK_FOLDER } crn_stack_kind;

/** A parsed url. All texts owned. */
typedef struct crn_stack_pattern {
	crn_stack_kind kind;
	char *dir;             /* "." if the url has none */
	char *prefix, *suffix; /* PATTERN: around the number; GLOB: prefix is the glob */
	int width;             /* PATTERN: minimal digits; 0 for %d: any padding */
} crn_stack_pattern;

/** One file. number: the digits that count it, -1 without any. */
typedef struct crn_stack_file {
	uint32_t name; /* offset in names.data */
	int64_t number;
} crn_stack_file;

typedef struct crn_stack_list {
	crn_str names; /* terminated names, one after the other */
	crn_stack_file *files;
	int64_t n, cap;
	bool numbered;   /* names differ in one number only: gaps and duplicates can be seen */
	int64_t ignored; /* FOLDER: other files that were seen */
} crn_stack_list;

/** Does this look like a pattern or a glob? */
bool crn_stack_is_pattern(const char *url);
/** True for names ending in a suffix of an image format (.png, .tif, .tiff, .npy). */
bool crn_stack_is_image(const char *name);
/** USAGE for a pattern without exactly one number. */
CRN_CHECKED cairn_status crn_stack_parse(
	const char *url, bool is_dir, crn_stack_pattern *ret, cairn_error *err);
void crn_stack_pattern_done(crn_stack_pattern *p);
/** Name of slice `number`, without the folder. */
void crn_stack_name(const crn_stack_pattern *p, int64_t number, crn_str *out);

/** Lists and sorts. INPUT: no such folder, files of several kinds in it. An empty list is fine. */
CRN_CHECKED cairn_status crn_stack_find(
	const crn_stack_pattern *p, crn_stack_list *ret, cairn_error *err);
void crn_stack_list_done(crn_stack_list *l);
static inline const char *crn_stack_file_name(const crn_stack_list *l, int64_t i)
{
	return l->names.data + l->files[i].name;
}
/** Natural comparison, as strcmp. */
int crn_stack_compare(const char *a, const char *b);

#endif

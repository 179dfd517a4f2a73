/* SPDX-License-Identifier: Apache-2.0
 *
 * path_clash.h -- would writing one place touch what another place names?
 *
 * Places are urls as users give them: files, folders, and patterns of a stack of images.
 */
#ifndef CRN_EXEC_PATH_CLASH_H
#define CRN_EXEC_PATH_CLASH_H

#include <limits.h>
#include <stdbool.h>

typedef enum crn_clash {
	CRN_CLASH_NONE,
	CRN_CLASH_NAMES, /* names in one folder that a pattern may join: a clash if the output
			    exists */
	CRN_CLASH_SAME,  /* one file or folder, or one inside the other */
} crn_clash;

/** Path of a local url: without "file://". */
const char *crn_url_path(const char *url);

/** Absolute path of a local url with links followed; what does not exist yet is joined by name.
 * False if it is too long. */
bool crn_path_resolve(const char *url, char ret[PATH_MAX]);

/** How the places `a` and `b` meet. Links are followed; what does not exist yet is compared by
 * name. */
crn_clash crn_path_clash(const char *a, const char *b);

#endif

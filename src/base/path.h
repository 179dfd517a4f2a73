/* SPDX-License-Identifier: Apache-2.0
 *
 * path.h -- folders: making them with their parents, removing whole trees.
 */
#ifndef CRN_BASE_PATH_H
#define CRN_BASE_PATH_H

#include "base/err.h"

/** Creates a folder and its missing parents. FAILED with the path. */
CRN_CHECKED cairn_status crn_make_folders(const char *path, cairn_error *err);
/** Creates the folders above a file. */
CRN_CHECKED cairn_status crn_make_parent(const char *file_path, cairn_error *err);
/** Removes a file, or a folder with all in it; links are not followed. Nothing there is fine. */
CRN_CHECKED cairn_status crn_remove_tree(const char *path, cairn_error *err);

#endif
